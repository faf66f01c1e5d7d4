//! Tests as data: their expressions are those of plans, and so are their transactions.

use analysis::hir::{self, Functions, PlanChange, PlanInput, PlanSource, Take, TestStepKind, TestTry};
use spec::artifact::{AbiType, SourceSpan};
use spec::plan::{self, Plan};
use syntax::{Diagnostic, Loc};

use super::frame::Frame;
use super::{Lowered, abi, template};

/// A test or a property, ready to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// Its documentation, in Markdown.
    pub docs: String,
    /// Its name in the source.
    pub loc: Loc,
    /// What a property holds for all values of; `None` for a test. They are the first arguments.
    pub params: Option<Vec<TestParam>>,
    /// The people whose public keys are the arguments after those.
    pub keys: Vec<String>,
    /// The names of the coins, and the contracts that lock them; facts of input *n* are about coin *n*.
    pub coins: Vec<(String, String)>,
    /// What is done, in order.
    pub steps: Vec<TestStep>,
}

/// What a property holds for all values of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestParam {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: AbiType,
    /// The least and the greatest value, where the source says them.
    pub range: Option<(i128, i128)>,
}

/// Something that a test does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestStep {
    /// What.
    pub kind: StepKind,
    /// Where.
    pub loc: Loc,
}

/// An expression with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The expression.
    pub expr: plan::Expr,
    /// Its type, as messages name it.
    pub ty: hir::Type,
    /// Where.
    pub loc: Loc,
}

/// What a test can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// Names a value: the number of the local and its name.
    Let(usize, String, Placed),
    /// Makes the coin with this number: the only output.
    Fund(usize, Box<plan::Output>),
    /// Gives this number to the newest coin of the contract that locks it, or with this lock.
    Find(usize, Option<Placed>),
    /// Mines so many blocks.
    Mine(Placed),
    /// Demands a truth value.
    Assert {
        /// What must hold.
        condition: Placed,
        /// The sides of a comparison.
        sides: Option<Box<(Placed, Placed)>>,
        /// What to say where it does not hold.
        message: Option<String>,
    },
    /// Counts the case under this label if a truth value holds.
    Classify(Placed, String),
    /// Tries a transaction.
    Try(Box<Try>),
}

/// A transaction, and what is to become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Try {
    /// `None` where it is valid; where it is refused, what the refusal says.
    pub fails: Option<String>,
    /// The height or time at which it is tried.
    pub at: Option<Placed>,
    /// The plan that is carried out instead of what follows.
    pub carried: Option<Carried>,
    /// The coins that it spends, in order, with the places of the calls.
    pub spends: Vec<(usize, Loc)>,
    /// Its inputs are all coins of the test, by number; those that it does not spend name no path.
    pub plan: Plan,
}

/// A plan that a test carries out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// Its name.
    pub name: String,
    /// Its name where it is declared.
    pub declared: Loc,
    /// The names of its arguments and what they get.
    pub args: Vec<(String, plan::PathArg)>,
    /// The names of inputs, and the coins of the test that they take, by number.
    pub coins: Vec<(String, Vec<usize>)>,
    /// Where.
    pub loc: Loc,
}

impl Try {
    /// The call that says how the input of this number is spent.
    #[must_use]
    pub fn place(&self, input: usize) -> Option<&Loc> {
        match &self.carried {
            Some(plan) => Some(&plan.loc),
            None => self.spends.get(input).map(|(_, loc)| loc),
        }
    }
}

/// The data of a test.
///
/// # Errors
/// A message about the first thing that no wallet can compute.
pub fn test(test: &hir::Test, functions: &Functions) -> Result<Test, Box<Diagnostic>> {
    let carrier = carrier(test);
    let lowered = Lower { test, carrier: &carrier, functions }.all();
    lowered.map_err(|found| {
        let message = found.message.replacen("a plan ", "a test ", 1);
        Box::new(
            Diagnostic { message, ..*found }.help("compute it in the contract, or name the value that it should have"),
        )
    })
}

struct Lower<'t> {
    test: &'t hir::Test,
    /// A plan that knows what the test knows, and does nothing.
    carrier: &'t hir::Plan,
    functions: &'t Functions,
}

impl Lower<'_> {
    fn all(&self) -> Lowered<Test> {
        let test = self.test;
        let params = match &test.params {
            Some(params) => Some(params.iter().map(param).collect::<Lowered<Vec<_>>>()?),
            None => None,
        };
        let steps = test.steps.iter().map(|step| self.step(step)).collect::<Lowered<_>>()?;
        Ok(Test {
            name: test.name.clone(),
            docs: test.docs.clone(),
            loc: test.loc.clone(),
            params,
            keys: test.keys.clone(),
            coins: test.coins.iter().map(|coin| (coin.name.clone(), coin.contract.clone())).collect(),
            steps,
        })
    }

    fn step(&self, step: &hir::TestStep) -> Lowered<TestStep> {
        let kind = match &step.kind {
            TestStepKind::Let(local, value) => {
                let name = self.test.locals.get(local.index()).map_or_else(String::new, |local| local.name.clone());
                StepKind::Let(local.index(), name, self.value(value)?)
            }
            TestStepKind::Fund(coin, output) => StepKind::Fund(*coin, Box::new(self.output(output)?)),
            TestStepKind::Find(coin, lock) => {
                StepKind::Find(*coin, lock.as_ref().map(|lock| self.value(lock)).transpose()?)
            }
            TestStepKind::Mine(blocks) => StepKind::Mine(self.value(blocks)?),
            TestStepKind::Assert(condition, message) => {
                let sides = match &condition.kind {
                    hir::ExprKind::Binary { left, right, .. } => {
                        Some(Box::new((self.value(left)?, self.value(right)?)))
                    }
                    _ => None,
                };
                StepKind::Assert { condition: self.value(condition)?, sides, message: message.clone() }
            }
            TestStepKind::Classify(condition, label) => StepKind::Classify(self.value(condition)?, label.clone()),
            TestStepKind::Try(tried) => StepKind::Try(Box::new(self.tried(tried)?)),
        };
        Ok(TestStep { kind, loc: step.loc.clone() })
    }

    fn tried(&self, tried: &TestTry) -> Lowered<Try> {
        let mut carrier = self.carrier.clone();
        for spend in &tried.spends {
            if let Some(input) = carrier.inputs.get_mut(spend.coin) {
                input.age = spend.age.clone();
                input.burn = spend.burn;
                if let PlanSource::Path { path, args, .. } = &mut input.source {
                    *path = spend.path.clone();
                    *args = spend.args.clone();
                }
            }
        }
        carrier.outputs = tried.outputs.clone();
        carrier.locktime = tried.locktime.clone();
        Ok(Try {
            fails: tried.fails.clone(),
            at: tried.at.as_ref().map(|at| self.value(at)).transpose()?,
            carried: tried.plan.as_ref().map(|plan| self.carried(plan)).transpose()?,
            spends: tried.spends.iter().map(|spend| (spend.coin, spend.loc.clone())).collect(),
            plan: template(&carrier, self.functions, &mut |_| SourceSpan::default())?,
        })
    }

    fn carried(&self, plan: &hir::TestPlan) -> Lowered<Carried> {
        let mut args = Vec::with_capacity(plan.args.len());
        for (name, arg) in &plan.args {
            let arg = super::Lower::new(self.carrier, self.functions).path_arg(arg, &Frame::default())?;
            args.extend(arg.map(|arg| (name.clone(), arg)));
        }
        let (name, declared, coins) = (plan.name.clone(), plan.declared.clone(), plan.coins.clone());
        Ok(Carried { name, declared, args, coins, loc: plan.loc.clone() })
    }

    fn output(&self, output: &hir::PlanOutput) -> Lowered<plan::Output> {
        super::Lower::new(self.carrier, self.functions).output(output, SourceSpan::default())
    }

    fn value(&self, value: &hir::Expr) -> Lowered<Placed> {
        let expr = super::Lower::new(self.carrier, self.functions).whole(value, &Frame::default())?;
        Ok(Placed { expr, ty: value.ty.clone(), loc: value.loc.clone() })
    }
}

fn carrier(test: &hir::Test) -> hir::Plan {
    let input = |coin: &hir::TestCoin| PlanInput {
        name: coin.name.clone(),
        source: PlanSource::Path {
            contract: coin.contract.clone(),
            params: None,
            path: String::new(),
            args: Vec::new(),
            take: Take::Only,
        },
        accept: None,
        age: None,
        burn: false,
        loc: coin.loc.clone(),
    };
    hir::Plan {
        name: test.name.clone(),
        docs: String::new(),
        loc: test.loc.clone(),
        args: test.params.iter().flatten().map(|param| param.param.clone()).collect(),
        reads: test.reads.clone(),
        locals: test.locals.clone(),
        inputs: test.coins.iter().map(input).collect(),
        lets: Vec::new(),
        requires: Vec::new(),
        outputs: Vec::new(),
        locktime: None,
        publish: Vec::new(),
        change: PlanChange::Wallet,
    }
}

fn param(param: &hir::TestParam) -> Lowered<TestParam> {
    let declared = &param.param;
    let fits = |n: &_| i128::try_from(n).map_err(|_| super::cannot("try numbers of more than 127 bits", &declared.loc));
    let range = match &param.range {
        Some((from, to)) => Some((fits(from)?, fits(to)?)),
        None => None,
    };
    Ok(TestParam { name: declared.name.clone(), ty: abi(&declared.ty, &declared.loc)?, range })
}
