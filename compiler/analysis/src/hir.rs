//! The typed program: names resolved, units checked, constants put in, rewards lowered to contracts.
//!
//! What stands here is well typed: only the checks of this crate make it. Every statement and
//! expression carries the place it comes from. Numbers are exact; a division rounds toward zero.

mod budget;
mod expr;
mod functions;
mod lint;
mod parts;
mod plan;
mod test;
mod ty;

pub use budget::{Budget, Measure};
pub use expr::{Arm, BinaryOp, Builtin, Expr, ExprKind, Fact, ItemKind, UnaryOp};
pub use functions::{FunctionId, Functions};
pub use lint::{Lint, WARNINGS};
pub use parts::Part;
pub use plan::{
    CoinFact, Plan, PlanArg, PlanAsk, PlanChange, PlanCommitment, PlanEach, PlanFact, PlanInput, PlanList, PlanLock,
    PlanOutput, PlanRead, PlanRequire, PlanSource, PlanSplit, PlanToken, Take,
};
pub use test::{Test, TestCoin, TestParam, TestPlan, TestSpend, TestStep, TestStepKind, TestTry};
pub use ty::{EnumType, StructType, Type, Variant};

use std::sync::Arc;

use spec::Sats;
use syntax::Loc;

/// Declares an index into one list of the program.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u32);

        impl $name {
            /// The entry at `index` of its list.
            ///
            /// # Panics
            /// If the list had more than `u32::MAX` entries; sources are shorter than that.
            pub fn new(index: usize) -> Self {
                Self(u32::try_from(index).expect("a source of less than 4 GiB declares fewer things"))
            }

            /// The position in its list, from 0.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// A parameter of the enclosing contract: an index into [`Contract::params`].
    ParamId;
    /// An argument of the enclosing path or function: an index into [`SpendPath::args`] or [`Function::params`].
    ArgId;
    /// A variable of the enclosing path or function: an index into its `locals`.
    LocalId;
}

/// All contracts and functions of a compilation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Program {
    /// Contracts in source order; rewards have become contracts.
    pub contracts: Vec<Arc<Contract>>,
    /// Plans in source order, generated ones among them.
    pub plans: Vec<Arc<Plan>>,
    /// Tests and properties in source order.
    pub tests: Vec<Arc<Test>>,
    /// The functions of the sources and all that they call in other files. Their calls form no circle.
    pub functions: Functions,
}

/// A contract: a lock with holes and the ways to open it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Contract {
    /// Its name.
    pub name: String,
    /// Its documentation, in Markdown.
    pub docs: String,
    /// Its name in the source.
    pub loc: Loc,
    /// What must be known to deploy it.
    pub params: Vec<Param>,
    /// Parameters that whoever deploys the contract computes from the others.
    pub derived: Vec<Derived>,
    /// What it carries from coin to coin: the fields in the order in which they lie in the commitment of its
    /// coin's token.
    pub state: Option<Vec<Param>>,
    /// At least one way to spend it.
    pub paths: Vec<SpendPath>,
    /// The shares, if the contract was declared as a reward.
    pub reward: Option<Reward>,
    /// What its author allows.
    pub allows: Vec<Allow>,
    /// How much its author lets it take.
    pub budgets: Vec<Budget>,
}

/// A parameter that is the lock of another contract of the program.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Derived {
    /// Which; it has no name that a source can write.
    pub param: ParamId,
    /// The other contract, by name.
    pub contract: String,
    /// A parameter or a constant for each parameter of the other contract that is not derived itself.
    pub args: Vec<Expr>,
    /// Where it is named first.
    pub loc: Loc,
}

/// `allow(name);`: the author knows what the lint would say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Allow {
    /// What is silenced.
    pub lint: Lint,
    /// The name in the source.
    pub loc: Loc,
    /// Where it is silenced: an item, a member or a block.
    pub scope: Loc,
    /// What goes when it is not needed: the statement, or its name in the list. Nothing, if no author wrote it.
    pub removal: Option<Loc>,
}

/// A parameter of a contract or function, or an argument of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its type; never `Share` or `Unit`.
    pub ty: Type,
    /// Its declaration.
    pub loc: Loc,
}

/// One way to spend a contract.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SpendPath {
    /// Its name.
    pub name: String,
    /// Its documentation, in Markdown.
    pub docs: String,
    /// Its name in the source.
    pub loc: Loc,
    /// What the spender brings.
    pub args: Vec<Param>,
    /// The variables of the body.
    pub locals: Vec<Local>,
    /// The conditions; the block has no value.
    pub body: Block,
}

/// A function. Whether a call runs a copy of its body or the one body that all calls share makes no difference but of size.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its documentation, in Markdown.
    pub docs: String,
    /// The contract it is a member of, by name. Only that contract's bodies call it, and its body may
    /// read that contract's parameters. `None`: a function of the file.
    pub contract: Option<String>,
    /// The names of its type parameters; each call says which types they stand for.
    pub type_params: Vec<String>,
    /// The parameters, which [`ExprKind::Arg`] refers to.
    pub params: Vec<Param>,
    /// The type of the result; `Unit` if there is none.
    pub ret: Type,
    /// The variables of the body.
    pub locals: Vec<Local>,
    /// The body. If `ret` is not `Unit`, it has a value, or every way through it ends with a [`StmtKind::Return`].
    pub body: Block,
    /// Its name in the source.
    pub loc: Loc,
    /// What its author allows, if it is a function of the file; a contract has what its members allow.
    pub allows: Vec<Allow>,
}

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    /// Its name; several variables of one body may share it.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether it is assigned after its declaration.
    pub mutable: bool,
}

/// Statements and, in functions and `if` expressions, a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Block {
    /// In order.
    pub stmts: Vec<Stmt>,
    /// What the block is worth.
    pub value: Option<Box<Expr>>,
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stmt {
    /// What it says.
    pub kind: StmtKind,
    /// Where.
    pub loc: Loc,
}

/// The forms of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StmtKind {
    /// The variable begins with a value.
    Let {
        /// Which.
        local: LocalId,
        /// The value, of the variable's type or one that can be used as it.
        value: Expr,
    },
    /// The variable, or a part of it, gets another value.
    Assign {
        /// Which.
        local: LocalId,
        /// The way to the part; empty for the whole.
        place: Vec<Step>,
        /// The value, of the part's type or one that can be used as it.
        value: Expr,
    },
    /// The spend fails unless the condition holds.
    Require {
        /// What must hold; never a conjunction.
        condition: Condition,
        /// What to say when it does not; never empty.
        message: String,
    },
    /// One of two blocks without value.
    If {
        /// A `Bool`.
        condition: Expr,
        /// When it holds.
        then: Block,
        /// When it does not; empty without `else`.
        otherwise: Block,
    },
    /// One of several blocks without value.
    Match {
        /// An enum.
        value: Expr,
        /// As of [`ExprKind::Match`].
        arms: Vec<Arm>,
    },
    /// A call of a function of type `Unit`, for the conditions in its body.
    Call {
        /// Which.
        function: FunctionId,
        /// What its type parameters stand for.
        type_args: Vec<Type>,
        /// A value for each parameter.
        args: Vec<Expr>,
    },
    /// An expression of type `Unit`, for what it checks: an [`ExprKind::Asm`].
    Check(Expr),
    /// Once for each number from `from` up to, not including, `to`; never if there is none.
    For {
        /// Holds the number. The body does not assign it.
        index: LocalId,
        /// A number, evaluated once.
        from: Expr,
        /// A number, evaluated once.
        to: Expr,
        /// The spend fails if there are more rounds.
        rounds_max: u32,
        /// Without value.
        body: Block,
    },
    /// As long as the condition holds, which is looked at before each round.
    While {
        /// A `Bool`.
        condition: Expr,
        /// The spend fails if the condition still holds after so many rounds.
        rounds_max: u32,
        /// Without value.
        body: Block,
    },
    /// Once for each record that the spender pushed, from the first to the last; there is at least one.
    ///
    /// The records lie below everything else on the stack, the first one on top, so that a record's
    /// last field is nearest to the top. The loop ends when the stack holds no more. At most one such
    /// statement stands in a path, outside of branches, loops and functions. Nothing here says that
    /// the records are the right ones, and nothing bounds the lengths of their fields: the body
    /// hashes them, and what follows compares the hash.
    EachRecord {
        /// An argument of the path that no expression reads; its type lists the fields that are pushed.
        list: ArgId,
        /// One variable for each field.
        fields: Vec<LocalId>,
        /// Counts the records from 0.
        index: Option<LocalId>,
        /// Without value.
        body: Block,
    },
    /// Ends the function with this value; without one if its type is `Unit`. It may stand in the
    /// branches of a function's body and in the rounds of a `For` whose bounds are constants.
    Return(Option<Expr>),
}

/// A step from a value to one of its parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// The part of a struct, tuple or array with this index.
    Element(usize),
    /// The element of an array with this number; the spend fails if there is none.
    Index(Expr),
}

/// What a `require` demands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// A `Bool` is true.
    Holds(Expr),
    /// The transaction is locked until at least this `Height` (`CHECKLOCKTIMEVERIFY`).
    TxHeightAtLeast(Expr),
    /// The transaction is locked until at least this `Time`, in seconds since 1970 (`CHECKLOCKTIMEVERIFY`).
    TxTimeAtLeast(Expr),
    /// The coin was mined at least so long ago (`CHECKSEQUENCEVERIFY`). The expression is what the
    /// opcode reads: of type `Blocks` a number of blocks, of type `Duration` an [`Builtin::AgeUnits`].
    AgeAtLeast(Expr),
}

impl Condition {
    /// What is checked: a `Bool`, or the bound of a time lock.
    pub fn expr(&self) -> &Expr {
        match self {
            Condition::Holds(expr)
            | Condition::TxHeightAtLeast(expr)
            | Condition::TxTimeAtLeast(expr)
            | Condition::AgeAtLeast(expr) => expr,
        }
    }
}

/// The shares of a reward, flattened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reward {
    /// The recipients that are named, in order of declaration; source `i` is paid by output `i`.
    pub sources: Vec<RewardSource>,
    /// The list that holds all recipients, the named ones first, if their locks are no parameters.
    pub list: Option<RewardList>,
    /// The sum of all weights.
    pub denominator: u64,
    /// The smallest coin that can be settled.
    pub minimum: Sats,
    /// The most that a settlement may leave to the miner.
    pub fee_max: Sats,
}

/// The list of a reward's recipients.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RewardList {
    /// The contract's parameter that holds its hash.
    pub param: ParamId,
    /// The part of the weights that recipients without a name share.
    pub unnamed: u64,
    /// The least weight whose share of every pot is above the dust limit.
    pub weight_min: u64,
    /// Whether records say until when they are locked, because the list may be replaced.
    pub adjustable: bool,
    /// Whether its hash covers the numbers of the settlement, as in `spec::model`.
    pub has_terms: bool,
}

/// One recipient of a reward.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RewardSource {
    /// Its path in the declaration, such as `models.diffusion`.
    pub name: String,
    /// The contract's parameter that holds its lock, or the list that does.
    pub param: ParamId,
    /// Its weight over the reward's denominator, above 0.
    pub weight: u64,
    /// Its place in the order of rounding, from 0; the last takes what rounding leaves.
    pub rank: usize,
    /// The reward or model that it pays, if it names one.
    pub to: Option<String>,
    /// Its entry in the source.
    pub loc: Loc,
}
