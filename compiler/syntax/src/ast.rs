//! The tree of one file. Spans count from the start of the item a node stands in.
//!
//! A place where the text is broken holds an `Error` node; somebody has already been told, so later
//! stages stay silent about it. Parentheses leave no node. No tree is deeper than
//! [`DEPTH_MAX`] nodes, so recursion over it is safe.

mod expr;
mod item;

pub use expr::{BinaryOp, Block, Clock, Expr, ExprKind, If, Stmt, StmtKind, UnaryOp, Unit};
pub use item::{
    Const, Contract, Doc, Entry, EntryValue, File, Fn, Item, Member, Param, Reward, Spend, TypeArg, TypeExpr, TypeKind,
    Use,
};

use crate::span::Span;
use std::fmt;
use std::sync::Arc;

/// The deepest nesting of nodes in one item.
pub const DEPTH_MAX: u32 = 400;

/// A name as written. An empty name stands where one is missing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ident {
    /// The characters.
    pub name: Arc<str>,
    /// Where.
    pub span: Span,
}

impl Ident {
    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Whether the source lacks the name; the mistake has been reported.
    pub fn is_missing(&self) -> bool {
        self.name.is_empty()
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A string literal with its escapes resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StringLit {
    /// The meant characters.
    pub value: Arc<str>,
    /// Where, quotes included.
    pub span: Span,
}
