//! Visits every node of a tree, before and after checking.

use syntax::ast;

use crate::hir;

/// Calls `visit` for each expression in `expr`, itself first, and `stmt` for each statement.
pub(crate) fn ast_expr<'t>(
    expr: &'t ast::Expr,
    visit: &mut dyn FnMut(&'t ast::Expr),
    stmt: &mut dyn FnMut(&'t ast::Stmt),
) {
    use ast::ExprKind as Kind;
    visit(expr);
    let mut each = |part: &'t ast::Expr| ast_expr(part, visit, stmt);
    match &expr.kind {
        Kind::Field { base: part, .. } | Kind::Unary { operand: part, .. } => each(part),
        Kind::Index { base: a, index: b } | Kind::Binary { left: a, right: b, .. } => {
            each(a);
            each(b);
        }
        Kind::Slice { base, from, to } => {
            each(base);
            from.iter().chain(to).for_each(|part| each(part));
        }
        Kind::Call { callee: first, args } | Kind::MethodCall { receiver: first, args, .. } => {
            each(first);
            args.iter().for_each(each);
        }
        Kind::Array(parts) => parts.iter().for_each(each),
        Kind::Threshold { needed, keys, sigs } => {
            each(needed);
            keys.iter().chain(sigs).for_each(each);
        }
        Kind::If(branch) => ast_if(branch, visit, stmt),
        Kind::Int(_)
        | Kind::Decimal(_)
        | Kind::Quantity { .. }
        | Kind::Moment { .. }
        | Kind::Percent(_)
        | Kind::Bytes(_)
        | Kind::Str(_)
        | Kind::Bool(_)
        | Kind::Name(_)
        | Kind::Path(_)
        | Kind::SelfRef
        | Kind::Tx
        | Kind::Error => {}
    }
}

fn ast_if<'t>(branch: &'t ast::If, visit: &mut dyn FnMut(&'t ast::Expr), stmt: &mut dyn FnMut(&'t ast::Stmt)) {
    ast_expr(&branch.cond, visit, stmt);
    ast_block(&branch.then, visit, stmt);
    if let Some(otherwise) = &branch.otherwise {
        ast_block(otherwise, visit, stmt);
    }
}

/// The same for each statement of a block.
pub(crate) fn ast_block<'t>(
    block: &'t ast::Block,
    visit: &mut dyn FnMut(&'t ast::Expr),
    stmt: &mut dyn FnMut(&'t ast::Stmt),
) {
    use ast::StmtKind as Kind;
    for part in &block.stmts {
        stmt(part);
        match &part.kind {
            Kind::Let { value, .. } | Kind::Assign { value, .. } | Kind::Expr(value) => ast_expr(value, visit, stmt),
            Kind::Require { cond, .. } => ast_expr(cond, visit, stmt),
            Kind::If(branch) => ast_if(branch, visit, stmt),
            Kind::Split { pot, .. } => ast_expr(pot, visit, stmt),
            Kind::Return { value } => value.iter().for_each(|value| ast_expr(value, visit, stmt)),
            Kind::Error => {}
        }
    }
    if let Some(tail) = &block.tail {
        ast_expr(tail, visit, stmt);
    }
}

/// Calls `visit` for each expression in `expr`, itself first, and `stmt` for each statement.
pub(crate) fn expr<'t>(node: &'t hir::Expr, visit: &mut dyn FnMut(&'t hir::Expr), stmt: &mut dyn FnMut(&'t hir::Stmt)) {
    visit(node);
    parts(node.parts(), visit, stmt);
}

/// The same for each statement of a block.
pub(crate) fn block<'t>(
    node: &'t hir::Block,
    visit: &mut dyn FnMut(&'t hir::Expr),
    stmt: &mut dyn FnMut(&'t hir::Stmt),
) {
    for part in &node.stmts {
        stmt(part);
        parts(part.parts(), visit, stmt);
    }
    if let Some(value) = &node.value {
        expr(value, visit, stmt);
    }
}

fn parts<'t>(parts: Vec<hir::Part<'t>>, visit: &mut dyn FnMut(&'t hir::Expr), stmt: &mut dyn FnMut(&'t hir::Stmt)) {
    for part in parts {
        match part {
            hir::Part::Expr(part) => expr(part, visit, stmt),
            hir::Part::Block(part) => block(part, visit, stmt),
        }
    }
}
