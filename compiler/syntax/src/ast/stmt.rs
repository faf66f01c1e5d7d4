//! Blocks and statements.

use super::{Expr, FieldInit, Ident, If, Match, Pattern, StringLit, TypeExpr};
use crate::span::Span;
use std::sync::Arc;

/// `{ stmts tail }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    /// Statements in source order.
    pub stmts: Vec<Stmt>,
    /// The expression without `;` at the end: the block's value. An `if` or `match` at the end is the
    /// tail when one of its branches has a tail, and a statement otherwise.
    pub tail: Option<Box<Expr>>,
    /// The block, braces included.
    pub span: Span,
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stmt {
    /// What it says.
    pub kind: StmtKind,
    /// Where, `;` included.
    pub span: Span,
}

/// The forms of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::large_enum_variant,
    reason = "trees are built once and shared; a box for each statement would cost more than it saves"
)]
pub enum StmtKind {
    /// `let pattern: T = value;`
    Let {
        /// The names it brings; `mut` stands in the pattern.
        pattern: Pattern,
        /// The type, when written.
        ty: Option<TypeExpr>,
        /// The value.
        value: Expr,
    },
    /// `place = value;`
    Assign {
        /// What changes.
        place: Place,
        /// Its new value.
        value: Expr,
    },
    /// `require cond, "message";`
    Require {
        /// What must hold.
        cond: Expr,
        /// What to say when it does not.
        message: Option<StringLit>,
    },
    /// `if cond { .. } else { .. }` that gives no value.
    If(If),
    /// `match value { .. }` that gives no value.
    Match(Match),
    /// `for pattern in range { .. }`
    For(For),
    /// `while cond max n { .. }`
    While(While),
    /// `continue { field: e } with value e, tokens e;`
    Continue(Continue),
    /// `end;`
    End,
    /// `allow(name, name);`: silences these lints in the rest of the block.
    Allow(Vec<Ident>),
    /// `budget(input: 220 bytes, cost: 40_000);`: the most that this path may take.
    Budget(Vec<FieldInit>),
    /// `split pot by Reward;`
    Split {
        /// The coin to divide.
        pot: Expr,
        /// The name of the reward.
        reward: Ident,
    },
    /// `return value;`
    Return {
        /// The result; `None` in a function that gives nothing back.
        value: Option<Expr>,
    },
    /// `expr;`
    Expr(Expr),
    /// Text that is no statement.
    Error,
}

/// `name`, `name.field`, `name.0`, `name[index]` and so on, left of `=`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The variable.
    pub name: Ident,
    /// The way from the variable to the part that changes; empty for the whole.
    pub steps: Vec<PlaceStep>,
    /// The whole place.
    pub span: Span,
}

/// One step of a [`Place`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PlaceStep {
    /// `.name`
    Field(Ident),
    /// `.0`
    Element {
        /// Which part, from 0.
        index: u32,
        /// Where the number stands.
        span: Span,
    },
    /// `[index]`
    Index(Expr),
}

/// `for pattern in range where filter { body }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct For {
    /// The names of one round: an index, an element, or `(index, element)`.
    pub pattern: Pattern,
    /// What it runs over.
    pub range: ForRange,
    /// What follows `where`: equations that hold for every record of a `list` parameter.
    pub filter: Option<Expr>,
    /// What happens each round.
    pub body: Arc<Block>,
}

/// What a `for` runs over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::large_enum_variant,
    reason = "trees are built once and shared; a box for each statement would cost more than it saves"
)]
pub enum ForRange {
    /// `from..to max rounds`
    Numbers {
        /// The first number.
        from: Expr,
        /// One past the last number.
        to: Expr,
        /// The most rounds; needed when `to` is not constant.
        max: Option<Expr>,
    },
    /// An array or a `list` parameter.
    Each(Expr),
}

/// `while cond max rounds { body }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct While {
    /// The condition, looked at before each round.
    pub cond: Expr,
    /// The most rounds; the grammar does not insist on it.
    pub max: Option<Expr>,
    /// What happens each round.
    pub body: Arc<Block>,
}

/// `continue { field: e } with value e, tokens e;`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Continue {
    /// The fields of the state that change; the others keep their value.
    pub fields: Arc<[FieldInit]>,
    /// The value of the next coin; without it the coin keeps its value.
    pub value: Option<Expr>,
    /// The token amount of the next coin; without it the coin keeps its amount.
    pub tokens: Option<Expr>,
}
