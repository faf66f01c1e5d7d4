//! Tests and properties.

use super::{Doc, Expr, Ident, Param, PlanStmt, StringLit};
use crate::span::Span;
use std::sync::Arc;

/// `test name { stmts }` or `property name(params) { stmts }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Test {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// The name.
    pub name: Ident,
    /// What a property holds for all values of; `None` for a test.
    pub params: Option<Vec<PropertyParam>>,
    /// The statements in source order.
    pub stmts: Vec<PlanStmt>,
    /// The whole item.
    pub span: Span,
}

/// `name: T in from ..= to` of a property.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PropertyParam {
    /// The name and the type.
    pub param: Param,
    /// The values that are tried; `None` for all of the type.
    pub range: Option<PropertyRange>,
}

/// `from .. to` or `from ..= to`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PropertyRange {
    /// The least value.
    pub from: Expr,
    /// The last value, or what comes behind it.
    pub to: Expr,
    /// Whether `to` is among the values.
    pub inclusive: bool,
}

/// A transaction and what a test expects of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Try {
    /// `None` where it passes; where it fails, what the refusal says.
    pub fails: Option<StringLit>,
    /// What follows `at`: when it is tried.
    pub at: Option<Expr>,
    /// What the transaction spends and makes.
    pub stmts: Arc<[PlanStmt]>,
    /// The first word.
    pub word_span: Span,
}
