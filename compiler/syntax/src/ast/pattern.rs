//! Patterns: left of `=` in `let`, between `for` and `in`, and before `=>`.

use super::{Expr, Ident};
use crate::span::Span;
use std::sync::Arc;

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// What it says.
    pub kind: PatternKind,
    /// Where.
    pub span: Span,
}

/// The forms of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PatternKind {
    /// `_`
    Wildcard,
    /// `name`, `mut name`. A name alone may also mean a variant without fields, such as `None`, or a
    /// constant: that is not a matter of grammar.
    Name {
        /// Whether `mut` is written.
        mutable: bool,
        /// The name.
        name: Ident,
    },
    /// `Shape::Empty`: a variant without fields, or a constant of a module; at least two names.
    Path(Vec<Ident>),
    /// `Some(x)`, `Shape::Circle(r)`
    Variant {
        /// The variant, with what stands before it: at least one name.
        path: Vec<Ident>,
        /// The patterns of its fields.
        fields: Vec<Pattern>,
    },
    /// `Point { x, y: py, .. }`
    Struct {
        /// The struct or variant, with what stands before it: at least one name.
        path: Vec<Ident>,
        /// The fields that are named.
        fields: Arc<[PatternField]>,
        /// Whether `..` leaves the others out.
        rest: bool,
    },
    /// `(a, b)`, `(a,)`, `()`. Parentheses around one pattern leave no node.
    Tuple(Vec<Pattern>),
    /// `[a, b]`
    Array(Vec<Pattern>),
    /// `5`, `-1`, `0x00`, `"text"`, `true`, `10 sats`, `height 900_000`
    Literal(Box<Expr>),
    /// `a | b`: at least two.
    Or(Vec<Pattern>),
    /// A pattern that could not be read.
    Error,
}

/// `name: pattern`, or `name` alone, which binds the field to its own name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PatternField {
    /// The field.
    pub name: Ident,
    /// The pattern; of `name` alone it is [`PatternKind::Name`].
    pub pattern: Pattern,
    /// Both.
    pub span: Span,
}
