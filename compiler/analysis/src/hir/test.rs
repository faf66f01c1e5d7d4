//! Tests and properties, typed.
//!
//! Their expressions are those of plans: [`ExprKind::Arg`] counts first what a property is about and then what the
//! test reads of coins, contracts and keys. The coins are numbered in the order of their declarations.
//!
//! [`ExprKind::Arg`]: super::ExprKind::Arg

use dashu_int::IBig;
use syntax::Loc;

use super::{Expr, Local, LocalId, Param, PlanArg, PlanOutput, PlanRead};

/// A test or a property.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// Its documentation, in Markdown.
    pub docs: String,
    /// Its name in the source.
    pub loc: Loc,
    /// What a property holds for all values of; `None` for a test.
    pub params: Option<Vec<TestParam>>,
    /// The names of the people whose keys it uses.
    pub keys: Vec<String>,
    /// What its expressions read of coins, contracts and keys: the arguments after the parameters.
    pub reads: Vec<PlanRead>,
    /// The variables.
    pub locals: Vec<Local>,
    /// The coins.
    pub coins: Vec<TestCoin>,
    /// What is done, in order.
    pub steps: Vec<TestStep>,
}

/// What a property holds for all values of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TestParam {
    /// Its name and type.
    pub param: Param,
    /// The least and the greatest value; those of the type without it.
    pub range: Option<(IBig, IBig)>,
}

/// A coin of a test.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TestCoin {
    /// Its name.
    pub name: String,
    /// The contract that locks it; empty for one that is none's.
    pub contract: String,
    /// Its name in the source.
    pub loc: Loc,
}

/// Something that a test does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TestStep {
    /// What.
    pub kind: TestStepKind,
    /// Where.
    pub loc: Loc,
}

/// What a test can do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TestStepKind {
    /// Names a value.
    Let(LocalId, Expr),
    /// Makes the coin with this number.
    Fund(usize, Box<PlanOutput>),
    /// Gives this number to the newest coin of the contract that locks it, or, where one is said, with this `Lock`.
    Find(usize, Option<Expr>),
    /// Mines so many blocks: an `Int` or `Blocks`.
    Mine(Expr),
    /// Demands a `Bool`, with what to say where it does not hold.
    Assert(Expr, Option<String>),
    /// Counts the case under this label if a `Bool` holds.
    Classify(Expr, String),
    /// Tries a transaction.
    Try(Box<TestTry>),
}

/// A transaction, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TestTry {
    /// `None` where it is valid; where it is refused, what the refusal says.
    pub fails: Option<String>,
    /// The `Height` or `Time` at which it is tried.
    pub at: Option<Expr>,
    /// The plan that it is; such a transaction says nothing else.
    pub plan: Option<TestPlan>,
    /// What it spends, in order.
    pub spends: Vec<TestSpend>,
    /// What it makes, in order.
    pub outputs: Vec<PlanOutput>,
    /// The lock time, where it is said: a `Height` or a `Time`.
    pub locktime: Option<Expr>,
}

/// A plan that a test carries out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TestPlan {
    /// Its name.
    pub name: String,
    /// Its name where it is declared.
    pub declared: Loc,
    /// The names of its arguments and what they get.
    pub args: Vec<(String, PlanArg)>,
    /// The names of inputs, and the coins of the test that they take.
    pub coins: Vec<(String, Vec<usize>)>,
    /// Where.
    pub loc: Loc,
}

/// A coin that a transaction of a test spends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TestSpend {
    /// Which of the test's coins.
    pub coin: usize,
    /// The path.
    pub path: String,
    /// The names of the path's arguments and what they get.
    pub args: Vec<(String, PlanArg)>,
    /// The age that the transaction claims: `Blocks` or a `Duration`.
    pub age: Option<Expr>,
    /// Whether its tokens may be destroyed.
    pub burn: bool,
    /// Where.
    pub loc: Loc,
}

impl TestSpend {
    fn exprs(&self) -> impl Iterator<Item = &Expr> {
        self.args.iter().flat_map(|(_, arg)| arg.exprs()).chain(&self.age)
    }
}

impl Test {
    /// Every expression in it.
    pub fn exprs(&self) -> Vec<&Expr> {
        let mut found: Vec<&Expr> = self.reads.iter().flat_map(PlanRead::exprs).collect();
        for step in &self.steps {
            match &step.kind {
                TestStepKind::Let(_, value)
                | TestStepKind::Mine(value)
                | TestStepKind::Assert(value, _)
                | TestStepKind::Classify(value, _) => {
                    found.push(value);
                }
                TestStepKind::Fund(_, output) => found.extend(output.exprs()),
                TestStepKind::Find(_, lock) => found.extend(lock),
                TestStepKind::Try(tried) => {
                    found.extend(tried.at.iter().chain(&tried.locktime));
                    found.extend(tried.plan.iter().flat_map(|plan| &plan.args).flat_map(|(_, arg)| arg.exprs()));
                    found.extend(tried.spends.iter().flat_map(TestSpend::exprs));
                    found.extend(tried.outputs.iter().flat_map(PlanOutput::exprs));
                }
            }
        }
        found
    }
}
