//! Statements and expressions.

use super::{Ident, StringLit, TypeExpr};
use crate::span::Span;
use std::sync::Arc;

/// `{ stmts tail }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    /// Statements in source order.
    pub stmts: Vec<Stmt>,
    /// The expression without `;` at the end: the block's value. An `if` at the end is the tail when
    /// one of its branches has a tail, and a statement otherwise.
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
pub enum StmtKind {
    /// `let mut name: T = value;`
    Let {
        /// Whether `mut` is written.
        mutable: bool,
        /// The name.
        name: Ident,
        /// The type, when written.
        ty: Option<TypeExpr>,
        /// The value.
        value: Expr,
    },
    /// `name = value;`
    Assign {
        /// The variable.
        name: Ident,
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

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expr {
    /// What it says.
    pub kind: ExprKind,
    /// Where.
    pub span: Span,
}

/// The forms of an expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ExprKind {
    /// `21_000_000`: the digits as written.
    Int(Arc<str>),
    /// `0.25`: the digits as written.
    Decimal(Arc<str>),
    /// `2_500 coin`, `0.1 coin`, `144 blocks`
    Quantity {
        /// The digits as written, with at most one `.`.
        digits: Arc<str>,
        /// The unit.
        unit: Unit,
        /// Where the unit stands.
        unit_span: Span,
    },
    /// `height 925_000`, `time "2026-12-01T00:00Z"`
    Moment {
        /// How it is measured.
        clock: Clock,
        /// The digits as written, or the text between the quotes.
        text: Arc<str>,
        /// Where the digits or the string stand.
        text_span: Span,
    },
    /// `20%`, `12.5%`: the digits as written, without the sign.
    Percent(Arc<str>),
    /// `0xdead`: the bytes in the order they are written.
    Bytes(Arc<[u8]>),
    /// `"text"`
    Str(Arc<str>),
    /// `true`, `false`
    Bool(bool),
    /// `name`
    Name(Ident),
    /// `a::b`: at least two names.
    Path(Vec<Ident>),
    /// `self`
    SelfRef,
    /// `tx`
    Tx,
    /// `base.name`
    Field {
        /// The value.
        base: Box<Expr>,
        /// The field.
        name: Ident,
    },
    /// `base[index]`
    Index {
        /// The value.
        base: Box<Expr>,
        /// Which element, from 0.
        index: Box<Expr>,
    },
    /// `base[from..to]`
    Slice {
        /// The value.
        base: Box<Expr>,
        /// The first element; `None` means the beginning.
        from: Option<Box<Expr>>,
        /// One past the last element; `None` means the end.
        to: Option<Box<Expr>>,
    },
    /// `callee(args)`
    Call {
        /// A name or a path; any expression parses.
        callee: Box<Expr>,
        /// The arguments.
        args: Vec<Expr>,
    },
    /// `receiver.method(args)`
    MethodCall {
        /// The value before the dot.
        receiver: Box<Expr>,
        /// The method.
        method: Ident,
        /// The arguments.
        args: Vec<Expr>,
    },
    /// `-a`, `!a`, `~a`
    Unary {
        /// The sign.
        op: UnaryOp,
        /// What it applies to.
        operand: Box<Expr>,
    },
    /// `a + b`
    Binary {
        /// The sign.
        op: BinaryOp,
        /// Where the sign stands.
        op_span: Span,
        /// The left side.
        left: Box<Expr>,
        /// The right side.
        right: Box<Expr>,
    },
    /// `if a { b } else { c }`
    If(If),
    /// `[a, b]`
    Array(Vec<Expr>),
    /// `2 of [a, b, c] signed(x, y)`
    Threshold {
        /// How many of the keys must sign.
        needed: Box<Expr>,
        /// The keys.
        keys: Vec<Expr>,
        /// The signatures.
        sigs: Vec<Expr>,
    },
    /// An expression that is missing or could not be read.
    Error,
}

/// `if cond { then } else { otherwise }`. Blocks are shared, not copied, when a tree is cloned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct If {
    /// The condition.
    pub cond: Box<Expr>,
    /// What happens when it holds.
    pub then: Arc<Block>,
    /// What happens otherwise. `else if` is a block without braces whose only content is the second
    /// `if`, as its tail or as its statement.
    pub otherwise: Option<Arc<Block>>,
    /// From `if` to the last brace.
    pub span: Span,
}

/// Signs before an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `-`
    Neg,
    /// `!`
    Not,
    /// `~`
    BitNot,
}

impl UnaryOp {
    /// The sign as written.
    pub fn symbol(self) -> &'static str {
        match self {
            UnaryOp::Neg => "-",
            UnaryOp::Not => "!",
            UnaryOp::BitNot => "~",
        }
    }
}

/// Signs between operands, weakest binding first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `|`
    BitOr,
    /// `^`
    BitXor,
    /// `&`
    BitAnd,
    /// `<<`
    Shl,
    /// `>>`
    Shr,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `mod`
    Mod,
}

impl BinaryOp {
    /// The sign as written.
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Or => "||",
            BinaryOp::And => "&&",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::BitOr => "|",
            BinaryOp::BitXor => "^",
            BinaryOp::BitAnd => "&",
            BinaryOp::Shl => "<<",
            BinaryOp::Shr => ">>",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Mod => "mod",
        }
    }
}

/// The word after a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// `coin`, `coins`
    Coin,
    /// `sats`, `sat`
    Sats,
    /// `blocks`, `block`
    Blocks,
    /// `seconds`, `second`
    Seconds,
    /// `minutes`, `minute`
    Minutes,
    /// `hours`, `hour`
    Hours,
    /// `days`, `day`
    Days,
    /// `weeks`, `week`
    Weeks,
}

impl Unit {
    /// Every unit.
    pub const ALL: [Unit; 8] =
        [Unit::Coin, Unit::Sats, Unit::Blocks, Unit::Seconds, Unit::Minutes, Unit::Hours, Unit::Days, Unit::Weeks];

    /// The unit as the formatter writes it.
    pub fn word(self) -> &'static str {
        match self {
            Unit::Coin => "coin",
            Unit::Sats => "sats",
            Unit::Blocks => "blocks",
            Unit::Seconds => "seconds",
            Unit::Minutes => "minutes",
            Unit::Hours => "hours",
            Unit::Days => "days",
            Unit::Weeks => "weeks",
        }
    }

    /// The unit of a word, singular or plural.
    pub fn from_word(word: &str) -> Option<Unit> {
        Unit::ALL.into_iter().find(|unit| {
            let stem = unit.word().trim_end_matches('s');
            word == stem || word.strip_suffix('s') == Some(stem)
        })
    }
}

/// How a point in time is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clock {
    /// `height`: blocks since the first.
    Height,
    /// `time`: wall clock, as an RFC 3339 text.
    Time,
}
