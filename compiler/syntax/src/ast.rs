//! The tree of one file. Spans count from the start of the item a node stands in.
//!
//! A place where the text is broken holds an `Error` node; somebody has already been told, so later
//! stages stay silent about it. Parentheses leave no node. No tree is deeper than
//! [`DEPTH_MAX`] nodes, so recursion over it is safe.

mod entry;
mod expr;
mod item;
mod pattern;
mod plan;
mod stmt;
mod test;
mod ty;
mod walk;

pub use entry::{Clause, Entry, EntryValue, Phrase};
pub use expr::{
    Arm, Asm, AsmOp, AsmWord, BinaryOp, Clock, Expr, ExprKind, FieldInit, If, Match, MatchForm, StructLit, UnaryOp,
    Unit,
};
pub use item::{
    Allow, Budget, Const, Contract, Doc, Enum, Field, File, Fn, Imi, Imo, Item, Member, Model, Param, Reward, Spend,
    State, Struct, Use, UseName, Variant, VariantFields,
};
pub use pattern::{Pattern, PatternField, PatternKind};
pub use plan::{InputSource, Plan, PlanStmt, PlanStmtKind, Take};
pub use stmt::{Block, Continue, For, ForRange, Place, PlaceStep, Stmt, StmtKind, While};
pub use test::{PropertyParam, PropertyRange, Test, Try};
pub use ty::{TypeArg, TypeExpr, TypeKind};
pub use walk::{Node, walk, walk_block, walk_expr};

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
