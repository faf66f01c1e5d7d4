//! Giving a part of the source a name of its own.

use analysis::hir::Type;
use analysis::snake;
use syntax::Span;
use syntax::ast::{BinaryOp, Block, Expr, ExprKind, ForRange, Match, Stmt, StmtKind};

use super::edit::reads_time;
use super::{ActionKind, Edits, Site};
use crate::names::{DefKind, Target};
use crate::tree::{Node, walk_expr};

/// `let name = expr;` before the statement that holds the expression.
pub(super) fn variable(site: &mut Site<'_, '_>) {
    let Some(expr) = site.expr() else { return };
    let Some(at) = place_for(site, expr) else { return };
    let Some(ty) = nameable(site, expr) else { return };
    let annotation = match &expr.kind {
        ExprKind::Int(_) if *ty == Type::Int => String::new(),
        ExprKind::Int(_) | ExprKind::Array(_) | ExprKind::Call { .. } | ExprKind::Name(_) => {
            let Some(written) = site.written(ty) else { return };
            format!(": {written}")
        }
        _ => String::new(),
    };
    let annotation = if matches!(&expr.kind, ExprKind::Call { callee, .. } if !takes_its_type(callee)) {
        String::new()
    } else {
        annotation
    };
    let value = site.text(expr.span);
    site.offer(ActionKind::ExtractVariable, "extract into a variable", |site| {
        let name = site.fresh(&name_for(expr), at);
        let declared = site.stmt_before(at, &format!("let {name}{annotation} = {value};"));
        let place = whole(site, expr);
        Edits::of([declared, site.put(place, format!("{}{name}", site.gap_before(place.start)))])
    });
}

/// Whether a call gives what its place wants.
fn takes_its_type(callee: &Expr) -> bool {
    matches!(&callee.kind, ExprKind::Name(name) if matches!(name.as_str(), "decode" | "Some"))
}

/// Where the statement begins before which an expression can be computed without changing what is done.
fn place_for(site: &Site<'_, '_>, expr: &Expr) -> Option<u32> {
    let mut place = None;
    let mut block: Option<&Block> = None;
    let mut earlier = true;
    for node in &site.nodes {
        match node {
            Node::Block(inner) => {
                block = Some(*inner).filter(|inner| site.is_braced(inner));
                place = inner.tail.as_ref().filter(|tail| holds(tail.span, expr.span)).map(|tail| tail.span.start);
                earlier = true;
            }
            Node::Stmt(stmt) => {
                place = Some(stmt.span.start).filter(|_| once(stmt, expr));
                earlier = true;
            }
            // A guard knows the names of its pattern, which nobody knows before the `match`.
            Node::Expr(Expr { kind: ExprKind::Match(choice), .. }) if in_guard(choice, expr) => return None,
            Node::Expr(around) if is_constant(around, expr) => return None,
            Node::Expr(around) => earlier &= around.span == expr.span || always(around, expr),
            _ => {}
        }
    }
    block?;
    place.filter(|_| earlier || site.is_total(expr))
}

fn holds(outer: Span, inner: Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// Whether an expression of a statement is computed exactly once, at its beginning, and need not be a constant.
fn once(stmt: &Stmt, expr: &Expr) -> bool {
    let within = |part: &Expr| holds(part.span, expr.span);
    match &stmt.kind {
        StmtKind::While(_) | StmtKind::Budget(_) => false,
        StmtKind::Match(choice) => !in_guard(choice, expr),
        StmtKind::For(repeat) => {
            let bound = match &repeat.range {
                ForRange::Numbers { from, to, max: None } => within(from) || within(to),
                ForRange::Numbers { max: Some(max), .. } => within(max),
                ForRange::Each(_) => false,
            };
            !bound && !repeat.filter.as_ref().is_some_and(within)
        }
        _ => true,
    }
}

/// Whether an expression stands behind the `if` of an arm.
fn in_guard(choice: &Match, expr: &Expr) -> bool {
    choice.arms.iter().filter_map(|arm| arm.guard.as_ref()).any(|guard| holds(guard.span, expr.span))
}

/// Whether a part of an expression says how long or how many, or which of several, and is known while compiling.
fn is_constant(around: &Expr, part: &Expr) -> bool {
    let within = |place: &Expr| holds(place.span, part.span);
    let literal = matches!(part.kind, ExprKind::Int(_));
    match &around.kind {
        ExprKind::Repeat { count, .. } => within(count),
        ExprKind::Quorum { needed, .. } | ExprKind::Threshold { needed, .. } => within(needed),
        ExprKind::Index { index, .. } => literal && within(index),
        ExprKind::Slice { from, to, .. } => literal && [from, to].into_iter().flatten().any(|bound| within(bound)),
        ExprKind::Call { callee, args } => {
            let sized = matches!(&callee.kind, ExprKind::Name(name) if name.as_str() == "bytes");
            sized && literal && args.iter().skip(1).any(within)
        }
        _ => false,
    }
}

/// Whether a part of an expression is computed whenever the whole is.
fn always(around: &Expr, part: &Expr) -> bool {
    match &around.kind {
        ExprKind::Binary { op: BinaryOp::And | BinaryOp::Or, left, .. } => holds(left.span, part.span),
        ExprKind::If(branch) => holds(branch.cond.span, part.span),
        ExprKind::Match(choice) => holds(choice.value.span, part.span),
        _ => true,
    }
}

/// The type of an expression that can be the value of a variable.
fn nameable<'s>(site: &Site<'_, 's>, expr: &Expr) -> Option<&'s Type> {
    let plain = matches!(expr.kind, ExprKind::Name(_) | ExprKind::SelfRef | ExprKind::Tx | ExprKind::Record(_));
    let ty = site.type_of(expr.span)?;
    let value =
        !matches!(ty, Type::Share | Type::Unit | Type::Sigs(_) | Type::Padding | Type::List(_) | Type::Param(..));
    (value && !plain && !reads_time(expr)).then_some(ty)
}

/// The expression with the parentheses around it, which a name needs no more.
fn whole(site: &Site<'_, '_>, expr: &Expr) -> Span {
    let grouped = site.tokens().grouped(expr.span);
    if site.loses_comment(grouped, &[expr.span]) { expr.span } else { grouped }
}

/// What an expression may be called.
fn name_for(expr: &Expr) -> String {
    let last = match &expr.kind {
        ExprKind::Field { name, .. } => Some(name),
        ExprKind::MethodCall { method, .. } => Some(method),
        ExprKind::Call { callee, .. } => match &callee.kind {
            ExprKind::Name(name) => Some(name),
            ExprKind::Path(path) => path.last(),
            _ => None,
        },
        _ => None,
    };
    match last.map(|name| snake(name.as_str())) {
        Some(name) if !name.is_empty() && name.starts_with(|c: char| c.is_ascii_lowercase()) => name,
        _ => "value".to_owned(),
    }
}

/// `const NAME: T = literal;` before the item.
pub(super) fn constant(site: &mut Site<'_, '_>) {
    let Some(expr) = site.expr() else { return };
    let literal = matches!(
        expr.kind,
        ExprKind::Int(_) | ExprKind::Quantity { .. } | ExprKind::Moment { .. } | ExprKind::Bytes(_) | ExprKind::Str(_)
    );
    let in_body = site.nodes.iter().any(|node| matches!(node, Node::Block(_) | Node::PlanStmt(_)));
    let Some(ty) = site.type_of(expr.span).filter(|_| literal && in_body) else { return };
    let Some(written) = site.written(ty) else { return };
    let wanted = match ty {
        Type::Coin | Type::Tokens => "AMOUNT",
        Type::Height => "HEIGHT",
        Type::Time => "TIME",
        Type::Blocks | Type::Duration => "PERIOD",
        ty if ty.is_bytes() => "DATA",
        _ => "NUMBER",
    };
    let value = site.text(expr.span);
    site.offer(ActionKind::ExtractConstant, "extract into a constant", |site| {
        let name = site.fresh(wanted, expr.span.start);
        let declared = site.insert(0, format!("const {name}: {written} = {value};\n\n"));
        Edits::of([declared, site.put(expr.span, name)])
    });
}

/// `fn name(..) -> T { expr }` behind the member or the item.
pub(super) fn function(site: &mut Site<'_, '_>) {
    let Some(expr) = site.expr().filter(|expr| !is_atom(expr)) else { return };
    let Some(member) = site.member(expr.span.start).filter(|member| holds(member.body.span, expr.span)) else { return };
    let Some(ty) = nameable(site, expr) else { return };
    let Some(result) = site.written(ty) else { return };
    let Some(params) = free_names(site, expr) else { return };
    let value = site.text(expr.span);
    site.offer(ActionKind::ExtractFunction, "extract into a function", |site| {
        let name = site.fresh(&format!("{}_of", name_for(expr)), expr.span.start);
        let list = params.iter().map(|(name, ty)| format!("{name}: {ty}")).collect::<Vec<_>>().join(", ");
        let args = params.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        let indent = site.indent(member.span.start);
        let text = format!("\n\n{indent}fn {name}({list}) -> {result} {{\n{indent}    {value}\n{indent}}}");
        let declared = site.insert(member.span.end, text);
        Edits::of([declared, site.put(expr.span, format!("{name}({args})"))])
    });
}

fn is_atom(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Int(_)
            | ExprKind::Quantity { .. }
            | ExprKind::Moment { .. }
            | ExprKind::Bytes(_)
            | ExprKind::Str(_)
            | ExprKind::Bool(_)
            | ExprKind::Path(_)
            | ExprKind::Asm(_)
    )
}

/// The variables and arguments that an expression reads, with their types; nothing if one of them cannot be handed over.
fn free_names(site: &Site<'_, '_>, expr: &Expr) -> Option<Vec<(String, String)>> {
    let mut params: Vec<(String, String)> = Vec::new();
    let mut reads: Vec<Span> = Vec::new();
    walk_expr(expr, &mut |node| {
        if let Node::Expr(Expr { kind: ExprKind::Name(name), .. }) = node {
            reads.push(name.span);
        }
        true
    });
    for name in site.names().names.iter().filter(|name| holds(expr.span, name.span)) {
        let Target::Def(def) = &name.target else { continue };
        if name.declares && def.kind == DefKind::Local {
            // Names that the expression brings itself would need another look at what is free.
            return None;
        }
        if !matches!(def.kind, DefKind::Local | DefKind::Argument | DefKind::TypeParameter) {
            continue;
        }
        let written = site.type_of(name.span).and_then(|ty| site.written(ty));
        let text = site.text(name.span).to_owned();
        let ty = written.filter(|_| reads.contains(&name.span))?;
        if !params.iter().any(|(known, _)| *known == text) {
            params.push((text, ty));
        }
    }
    Some(params)
}
