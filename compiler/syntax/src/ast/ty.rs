//! Types as written.

use super::{Expr, Ident};
use crate::span::Span;
use std::sync::Arc;

/// A type as written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TypeExpr {
    /// What is written.
    pub kind: TypeKind,
    /// Where.
    pub span: Span,
}

/// The forms of a type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeKind {
    /// `Int`, `Bytes<32>`, `shares::ModelShare`
    Name {
        /// What stands before the name: usually nothing, otherwise the names of modules.
        module: Vec<Ident>,
        /// The name of the type.
        name: Ident,
        /// What stands between `<` and `>`; empty without them.
        args: Vec<TypeArg>,
    },
    /// `[T; N]`
    Array {
        /// The type of an element.
        element: Box<TypeExpr>,
        /// The length.
        length: Box<Expr>,
    },
    /// `(A, B)`, `(A,)`, `()`. Parentheses around one type leave no node.
    Tuple(Vec<TypeExpr>),
    /// A type that could not be read.
    Error,
}

/// An argument of a type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeArg {
    /// A type.
    Type(TypeExpr),
    /// A number: the digits as written.
    Int {
        /// The digits, `_` included.
        digits: Arc<str>,
        /// Where.
        span: Span,
    },
}
