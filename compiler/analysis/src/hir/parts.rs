//! What statements and expressions directly consist of, for those who visit all of a tree.

use super::{Arm, Block, Expr, ExprKind, Step, Stmt, StmtKind};

/// A part of a statement or an expression.
#[derive(Clone, Copy, Debug)]
pub enum Part<'t> {
    /// An expression that is evaluated there.
    Expr(&'t Expr),
    /// A block that may be run there, never or several times.
    Block(&'t Block),
}

fn of_arms<'t>(value: &'t Expr, arms: &'t [Arm]) -> Vec<Part<'t>> {
    std::iter::once(Part::Expr(value)).chain(arms.iter().map(|arm| Part::Block(&arm.body))).collect()
}

impl Step {
    fn index(&self) -> Option<&Expr> {
        match self {
            Step::Index(index) => Some(index),
            Step::Element(_) => None,
        }
    }
}

impl Stmt {
    /// The direct parts, in the order in which they are evaluated.
    pub fn parts(&self) -> Vec<Part<'_>> {
        match &self.kind {
            StmtKind::Let { value, .. } | StmtKind::Check(value) => vec![Part::Expr(value)],
            StmtKind::Assign { place, value, .. } => {
                place.iter().filter_map(Step::index).map(Part::Expr).chain([Part::Expr(value)]).collect()
            }
            StmtKind::Require { condition, .. } => vec![Part::Expr(condition.expr())],
            StmtKind::If { condition, then, otherwise } => {
                vec![Part::Expr(condition), Part::Block(then), Part::Block(otherwise)]
            }
            StmtKind::Match { value, arms } => of_arms(value, arms),
            StmtKind::Call { args, .. } => args.iter().map(Part::Expr).collect(),
            StmtKind::For { from, to, body, .. } => vec![Part::Expr(from), Part::Expr(to), Part::Block(body)],
            StmtKind::While { condition, body, .. } => vec![Part::Expr(condition), Part::Block(body)],
            StmtKind::EachRecord { body, .. } => vec![Part::Block(body)],
            StmtKind::Return(value) => value.iter().map(Part::Expr).collect(),
        }
    }
}

impl Expr {
    /// The direct parts, in the order in which they are evaluated.
    pub fn parts(&self) -> Vec<Part<'_>> {
        match &self.kind {
            ExprKind::Int(_)
            | ExprKind::Bool(_)
            | ExprKind::Bytes(_)
            | ExprKind::Param(_)
            | ExprKind::Arg(_)
            | ExprKind::Local(_) => Vec::new(),
            ExprKind::Call { args: parts, .. }
            | ExprKind::Builtin { args: parts, .. }
            | ExprKind::Threshold { keys: parts, .. }
            | ExprKind::Tuple(parts)
            | ExprKind::Variant { fields: parts, .. }
            | ExprKind::Asm { inputs: parts, .. } => parts.iter().map(Part::Expr).collect(),
            ExprKind::Unary { operand: part, .. }
            | ExprKind::Element { base: part, .. }
            | ExprKind::Is { value: part, .. }
            | ExprKind::Payload { value: part, .. } => vec![Part::Expr(part)],
            ExprKind::Binary { left: a, right: b, .. }
            | ExprKind::Signed { key: a, sig: b }
            | ExprKind::Index { base: a, index: b } => vec![Part::Expr(a), Part::Expr(b)],
            ExprKind::DataSigned { key, message, sig } => {
                [key, message, sig].into_iter().map(|part| Part::Expr(part)).collect()
            }
            ExprKind::If { condition, then, otherwise } => {
                vec![Part::Expr(condition), Part::Block(then), Part::Block(otherwise)]
            }
            ExprKind::Introspect { index, .. } => index.iter().map(|index| Part::Expr(index)).collect(),
            ExprKind::Match { value, arms } => of_arms(value, arms),
            ExprKind::Block(block) => vec![Part::Block(block)],
        }
    }
}
