//! Expressions.

use super::{Block, Ident, Param, Pattern, TypeArg, TypeExpr};
use crate::span::Span;
use std::sync::Arc;

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
    /// `base.0`
    Element {
        /// The tuple.
        base: Box<Expr>,
        /// Which part, from 0; a number too large for the type becomes its largest value.
        index: u32,
        /// Where the number stands.
        index_span: Span,
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
    /// `match value { pattern => body, .. }`
    Match(Match),
    /// `[a, b]`
    Array(Vec<Expr>),
    /// `[value; count]`
    Repeat {
        /// The value of every element.
        value: Box<Expr>,
        /// How many there are.
        count: Box<Expr>,
    },
    /// `(a, b)`, `(a,)`, `()`. Parentheses around one expression leave no node.
    Tuple(Vec<Expr>),
    /// `Point { x: 1, y }`
    Struct(StructLit),
    /// `{ x: 1, y }`: the fields of something whose type the place decides. Stands only as the
    /// value of a field.
    Record(Arc<[FieldInit]>),
    /// `base with { x: 1 }`: `base` but for some fields. Stands only as the value of a field.
    With {
        /// Where the other fields come from.
        base: Box<Expr>,
        /// The fields that differ.
        fields: Arc<[FieldInit]>,
    },
    /// `asm (a: Int) -> Int { OP_1ADD }`
    Asm(Asm),
    /// `2 of [a, b, c]`, without signatures. Stands only as the value of an entry.
    Quorum {
        /// How many of them must agree.
        needed: Box<Expr>,
        /// Who.
        keys: Vec<Expr>,
    },
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

/// `Point { x: 1, y }`, also for a variant: `Shape::Rectangle { w: 1, h: 2 }`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StructLit {
    /// The name of the type or variant, with what stands before it: at least one name.
    pub path: Vec<Ident>,
    /// What stands between `<` and `>`; empty without them.
    pub args: Vec<TypeArg>,
    /// The fields in source order.
    pub fields: Arc<[FieldInit]>,
}

/// `name: value`, or `name` alone, which takes the value of that name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldInit {
    /// The field.
    pub name: Ident,
    /// The value; of `name` alone it is that name as an expression.
    pub value: Expr,
    /// Both.
    pub span: Span,
}

/// `match value { arms }`, or `if let pattern = value { .. } else { .. }`, which is a match with two arms:
/// that of the pattern, and `_` with what follows `else`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Match {
    /// What is looked at.
    pub value: Box<Expr>,
    /// The arms in source order.
    pub arms: Arc<[Arm]>,
    /// How it is written.
    pub form: MatchForm,
    /// From `match` or `if` to the last brace.
    pub span: Span,
}

/// How a [`Match`] is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatchForm {
    /// `match value { .. }`
    Arms,
    /// `if let pattern = value { .. }`
    IfLet {
        /// Whether an `else` is written.
        otherwise: bool,
    },
}

/// `pattern => body`, `pattern if guard => body`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Arm {
    /// When the arm is taken.
    pub pattern: Pattern,
    /// What must hold beside, with the names of the pattern.
    pub guard: Option<Expr>,
    /// What it does. An expression is a block without braces that has only a tail.
    pub body: Arc<Block>,
    /// Pattern and body, without the comma.
    pub span: Span,
}

/// `asm (a: Int, b: Int) -> Int { OP_ADD }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asm {
    /// Names in scope whose values are put on the stack in this order, the last one on top, and the
    /// types they must have.
    pub inputs: Vec<Param>,
    /// The type of what the code leaves; `None` when it leaves nothing.
    pub result: Option<TypeExpr>,
    /// The code.
    pub code: Arc<[AsmOp]>,
}

/// One step of `asm`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AsmOp {
    /// What it is.
    pub word: AsmWord,
    /// Where.
    pub span: Span,
}

/// The forms of a step of `asm`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AsmWord {
    /// `OP_ADD`: the name as written.
    Op(Arc<str>),
    /// `5`, `-1`: the digits as written, the sign included; pushes the script number.
    Int(Arc<str>),
    /// `0x0102`, `"text"`: pushes the bytes.
    Bytes(Arc<[u8]>),
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
    /// `bytes`, `byte`
    Bytes,
}

impl Unit {
    /// Every unit.
    pub const ALL: [Unit; 9] = [
        Unit::Coin,
        Unit::Sats,
        Unit::Blocks,
        Unit::Seconds,
        Unit::Minutes,
        Unit::Hours,
        Unit::Days,
        Unit::Weeks,
        Unit::Bytes,
    ];

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
            Unit::Bytes => "bytes",
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
