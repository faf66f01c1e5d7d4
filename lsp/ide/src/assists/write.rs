//! The same with more or fewer words.

use syntax::Span;
use syntax::ast::{BinaryOp, ExprKind, PatternKind, StmtKind};

use super::{ActionKind, Edits, Site};

/// `let x: T = ..`
pub(super) fn add_type(site: &mut Site<'_, '_>) {
    let Some(stmt) = site.stmt() else { return };
    let StmtKind::Let { pattern, ty: None, value } = &stmt.kind else { return };
    let PatternKind::Name { name, .. } = &pattern.kind else { return };
    if site.range.end > value.span.start {
        return;
    }
    let Some(written) = site.type_of(name.span).and_then(|ty| site.written(ty)) else { return };
    site.offer(ActionKind::AddType, format!("write the type `{written}`"), |site| {
        Edits::of([site.insert(name.span.end, format!(": {written}"))])
    });
}

/// `Point { x: x }` as `Point { x }`.
pub(super) fn short_field(site: &mut Site<'_, '_>) {
    let field = site.nodes.iter().rev().find_map(|node| {
        let crate::tree::Node::Expr(expr) = node else { return None };
        let fields = match &expr.kind {
            ExprKind::Struct(literal) => &literal.fields,
            ExprKind::Record(fields) | ExprKind::With { fields, .. } => fields,
            _ => return None,
        };
        fields.iter().find(|field| field.span.touches(site.range.start))
    });
    let Some(field) = field else { return };
    let same = matches!(&field.value.kind, ExprKind::Name(name) if name.as_str() == field.name.as_str());
    if !same || field.value.span == field.name.span || site.loses_comment(field.span, &[]) {
        return;
    }
    site.offer(ActionKind::ShortField, "write the field short", |site| {
        Edits::of([site.put(field.span, field.name.as_str())])
    });
}

/// `x = x + 1` as `x += 1`.
pub(super) fn short_assign(site: &mut Site<'_, '_>) {
    let Some(stmt) = site.stmt() else { return };
    let StmtKind::Assign { place, value } = &stmt.kind else { return };
    let ExprKind::Binary { op, left, right, .. } = &value.kind else { return };
    let known = matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div);
    let between = site.text(Span::new(place.span.end, value.span.start));
    let same = between.trim() == "=" && site.text(left.span) == site.text(place.span);
    if !known || !same || site.loses_comment(stmt.span, &[right.span]) {
        return;
    }
    let text = format!("{} {}= {};", site.text(place.span), op.symbol(), site.text(right.span));
    site.offer(ActionKind::ShortAssign, format!("write `{}=`", op.symbol()), |site| {
        Edits::of([site.put(stmt.span, text.as_str())])
    });
}
