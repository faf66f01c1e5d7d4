//! Visits every node of a tree, before and after checking.

use syntax::ast::{self, Node};

use crate::hir;

/// Calls `visit` for each expression in `expr`, itself first, and `stmt` for each statement.
pub(crate) fn ast_expr<'t>(
    expr: &'t ast::Expr,
    visit: &mut dyn FnMut(&'t ast::Expr),
    stmt: &mut dyn FnMut(&'t ast::Stmt),
) {
    ast::walk_expr(expr, &mut |node| shown(node, visit, stmt));
}

/// The same for each statement of a block.
pub(crate) fn ast_block<'t>(
    block: &'t ast::Block,
    visit: &mut dyn FnMut(&'t ast::Expr),
    stmt: &mut dyn FnMut(&'t ast::Stmt),
) {
    ast::walk_block(block, &mut |node| shown(node, visit, stmt));
}

/// Whether what is inside is to be shown too: what stands in a budget is no part of what is done.
fn shown<'t>(node: Node<'t>, visit: &mut dyn FnMut(&'t ast::Expr), stmt: &mut dyn FnMut(&'t ast::Stmt)) -> bool {
    match node {
        Node::Expr(expr) => visit(expr),
        Node::Stmt(part) => {
            stmt(part);
            return !matches!(part.kind, ast::StmtKind::Budget(_));
        }
        Node::Block(_) | Node::Entry(_) | Node::PlanStmt(_) | Node::Member(_) => {}
    }
    true
}

/// The blocks inside of a block, at any depth.
pub(crate) fn inner_blocks(body: &ast::Block) -> Vec<&ast::Block> {
    let mut found = Vec::new();
    ast::walk_block(body, &mut |node| {
        if let Node::Block(block) = node {
            found.push(block);
        }
        true
    });
    // The first is the block itself.
    found.split_off(1)
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
