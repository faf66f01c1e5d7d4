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
        Kind::Field { base: part, .. } | Kind::Element { base: part, .. } | Kind::Unary { operand: part, .. } => {
            each(part);
        }
        Kind::Index { base: a, index: b }
        | Kind::Repeat { value: a, count: b }
        | Kind::Binary { left: a, right: b, .. } => {
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
        Kind::Array(parts) | Kind::Tuple(parts) => parts.iter().for_each(each),
        Kind::Struct(ast::StructLit { fields, .. }) | Kind::Record(fields) => {
            fields.iter().for_each(|field| each(&field.value));
        }
        Kind::With { base, fields } => {
            each(base);
            fields.iter().for_each(|field| each(&field.value));
        }
        Kind::Quorum { needed, keys } => {
            each(needed);
            keys.iter().for_each(each);
        }
        Kind::Match(choice) => ast_match(choice, visit, stmt),
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
        | Kind::Asm(_)
        | Kind::Error => {}
    }
}

fn ast_match<'t>(choice: &'t ast::Match, visit: &mut dyn FnMut(&'t ast::Expr), stmt: &mut dyn FnMut(&'t ast::Stmt)) {
    ast_expr(&choice.value, visit, stmt);
    for arm in choice.arms.iter() {
        arm.guard.iter().for_each(|guard| ast_expr(guard, visit, stmt));
        ast_block(&arm.body, visit, stmt);
    }
}

fn ast_if<'t>(branch: &'t ast::If, visit: &mut dyn FnMut(&'t ast::Expr), stmt: &mut dyn FnMut(&'t ast::Stmt)) {
    ast_expr(&branch.cond, visit, stmt);
    ast_block(&branch.then, visit, stmt);
    if let Some(otherwise) = &branch.otherwise {
        ast_block(otherwise, visit, stmt);
    }
}

fn ast_for<'t>(each: &'t ast::For, visit: &mut dyn FnMut(&'t ast::Expr), stmt: &mut dyn FnMut(&'t ast::Stmt)) {
    match &each.range {
        ast::ForRange::Numbers { from, to, max } => {
            [from, to].into_iter().chain(max).for_each(|part| ast_expr(part, visit, stmt));
        }
        ast::ForRange::Each(list) => ast_expr(list, visit, stmt),
    }
    each.filter.iter().for_each(|filter| ast_expr(filter, visit, stmt));
    ast_block(&each.body, visit, stmt);
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
            Kind::Let { value, .. } | Kind::Expr(value) => ast_expr(value, visit, stmt),
            Kind::Assign { place, value } => {
                for step in &place.steps {
                    if let ast::PlaceStep::Index(index) = step {
                        ast_expr(index, visit, stmt);
                    }
                }
                ast_expr(value, visit, stmt);
            }
            Kind::Require { cond, .. } => ast_expr(cond, visit, stmt),
            Kind::If(branch) => ast_if(branch, visit, stmt),
            Kind::Match(choice) => ast_match(choice, visit, stmt),
            Kind::For(each) => ast_for(each, visit, stmt),
            Kind::While(again) => {
                ast_expr(&again.cond, visit, stmt);
                again.max.iter().for_each(|max| ast_expr(max, visit, stmt));
                ast_block(&again.body, visit, stmt);
            }
            Kind::Continue(next) => {
                next.fields.iter().for_each(|field| ast_expr(&field.value, visit, stmt));
                next.value.iter().chain(&next.tokens).for_each(|part| ast_expr(part, visit, stmt));
            }
            Kind::Split { pot, .. } => ast_expr(pot, visit, stmt),
            Kind::Return { value } => value.iter().for_each(|value| ast_expr(value, visit, stmt)),
            Kind::End | Kind::Allow(_) | Kind::Budget(_) | Kind::Error => {}
        }
    }
    if let Some(tail) = &block.tail {
        ast_expr(tail, visit, stmt);
    }
}

/// The blocks inside of a block, at any depth.
pub(crate) fn inner_blocks(body: &ast::Block) -> Vec<&ast::Block> {
    let mut of_exprs: Vec<&ast::Block> = Vec::new();
    let mut of_stmts: Vec<&ast::Block> = Vec::new();
    ast_block(
        body,
        &mut |expr| match &expr.kind {
            ast::ExprKind::If(branch) => of_exprs.extend(branches(branch)),
            ast::ExprKind::Match(choice) => of_exprs.extend(choice.arms.iter().map(|arm| &*arm.body)),
            _ => {}
        },
        &mut |stmt| match &stmt.kind {
            ast::StmtKind::If(branch) => of_stmts.extend(branches(branch)),
            ast::StmtKind::Match(choice) => of_stmts.extend(choice.arms.iter().map(|arm| &*arm.body)),
            ast::StmtKind::For(each) => of_stmts.push(&each.body),
            ast::StmtKind::While(again) => of_stmts.push(&again.body),
            _ => {}
        },
    );
    of_exprs.extend(of_stmts);
    of_exprs
}

fn branches(branch: &ast::If) -> impl Iterator<Item = &ast::Block> {
    let otherwise: Option<&ast::Block> = branch.otherwise.as_deref();
    std::iter::once(&*branch.then).chain(otherwise)
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
