//! Plans: transaction templates.

use super::{Doc, Expr, FieldInit, Ident, Param, Pattern, StringLit, Try, TypeExpr};
use crate::span::Span;
use std::sync::Arc;

/// `plan name(params) { stmts }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Plan {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// The name.
    pub name: Ident,
    /// What whoever runs the plan brings.
    pub params: Vec<Param>,
    /// The statements in source order.
    pub stmts: Vec<PlanStmt>,
    /// The whole item.
    pub span: Span,
}

/// A statement of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlanStmt {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// What it says.
    pub kind: PlanStmtKind,
    /// Where, `;` included.
    pub span: Span,
}

/// The forms of a statement of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PlanStmtKind {
    /// `input name: source;`
    Input {
        /// The name of the input in the rest of the plan.
        name: Ident,
        /// Which coin.
        source: InputSource,
    },
    /// `output lock { value: e, token: { .. } };`
    Output {
        /// The locking script.
        lock: Expr,
        /// What the output holds.
        fields: Arc<[FieldInit]>,
    },
    /// `output each r in list { lock: r.lock, value: e };`: one output for each record.
    OutputEach {
        /// The names of one round: a record, or `(index, record)`.
        pattern: Pattern,
        /// The records.
        list: Expr,
        /// The lock of an output and what it holds.
        fields: Arc<[FieldInit]>,
    },
    /// `output data [e, e];`: an output that carries bytes and no value.
    OutputData(Vec<Expr>),
    /// `require cond, "message";`
    Require {
        /// What must hold.
        cond: Expr,
        /// What to say when it does not.
        message: Option<StringLit>,
    },
    /// `let pattern: T = value;`
    Let {
        /// The names it brings.
        pattern: Pattern,
        /// The type, when written.
        ty: Option<TypeExpr>,
        /// The value.
        value: Expr,
    },
    /// `locktime e;`
    Locktime(Expr),
    /// `age input e;`: how old the coin of that input must be.
    Age {
        /// The name of the input.
        input: Ident,
        /// The age.
        value: Expr,
    },
    /// `change none;`: what the inputs hold is spent to the last unit by what is written.
    ChangeNone,
    /// `change to e;`: this lock gets what is over.
    ChangeTo(Expr),
    /// `burn input;`: tokens of that input may be destroyed.
    Burn(Ident),
    /// `publish e;`: the bytes are put on the chain for everybody to read.
    Publish(Expr),
    /// `assert cond, "message";` of a test.
    Assert {
        /// What must hold.
        cond: Expr,
        /// What to say when it does not.
        message: Option<StringLit>,
    },
    /// `classify cond, "label";` of a property.
    Classify {
        /// What holds for some of the cases.
        cond: Expr,
        /// What these are called.
        label: StringLit,
    },
    /// `let name = value with { .. };` of a test: a coin with more than money on it.
    LetWith {
        /// The name of the coin.
        pattern: Pattern,
        /// Where it comes from.
        value: Expr,
        /// What it holds beside.
        fields: Arc<[FieldInit]>,
    },
    /// `passes { .. }` or `fails "message" { .. }` of a test.
    Try(Try),
    /// `chain.mine(1);` or `coin.path(args);` of a test.
    Call(Expr),
    /// Text that is no statement of a plan.
    Error,
}

/// Which coin an input spends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum InputSource {
    /// `Contract.path(arg: e, ..)`, and behind it perhaps `each` or `any` and `where e`.
    Path {
        /// The contract, with what stands before it: at least one name.
        contract: Vec<Ident>,
        /// `Contract(a, b).path(..)`: the values of its parameters; `None` without brackets.
        params: Option<Vec<Expr>>,
        /// The path.
        path: Ident,
        /// The arguments by name.
        args: Vec<FieldInit>,
        /// How many coins are meant.
        take: Take,
        /// What follows `where`: what holds for the coins that may be taken.
        filter: Option<Box<Expr>>,
    },
    /// `key(e)`: coins of the wallet that this lock or key holds.
    Key {
        /// The lock or key.
        owner: Expr,
        /// What follows `with`: what the coins have to bring.
        asks: Arc<[FieldInit]>,
    },
    /// `genesis`: a coin of the wallet that is the first output of its transaction.
    Genesis,
}

/// How many coins an input stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Take {
    /// One, of which it is clear which one is meant.
    Only,
    /// `any`: one of several, whichever.
    Any,
    /// `each`: all that are given, by one input each.
    Each,
}
