//! What mends what lints of covenants warn of, and the word that says it is meant.

use syntax::ast::{BinaryOp, Expr, ExprKind, Item, Member, StmtKind};
use syntax::{Code, Span};

use super::edit::reads_time;
use super::{ActionKind, Edits, Found, Site};
use crate::tree::{Node, walk_block};

/// `require first.length == 32, "..";` at the beginning of the path.
pub(super) fn bound_length(site: &mut Site<'_, '_>, found: &Found<'_>) {
    if found.diagnostic.code != Code::E0415 {
        return;
    }
    let own =
        found.diagnostic.labels.iter().filter(|label| !label.primary && label.loc.item.as_ref() == Some(site.item.key));
    let spans: Vec<Span> = own.map(|label| label.loc.span).collect();
    for span in spans {
        let Some(member) = site.member(span.start) else { continue };
        if !member.params.iter().any(|param| param.name.span == span) {
            continue;
        }
        let name = site.text(span);
        site.offer(ActionKind::BoundLength, format!("check the length of `{name}`"), |site| {
            let stmt = format!("require {name}.length == 32, \"{} has 32 bytes\";", name.replace('_', " "));
            Edits::of([site.stmt_first(member.body, &stmt)])
        });
    }
}

/// The input is the first one, or the output is its own.
pub(super) fn shared_output(site: &mut Site<'_, '_>, found: &Found<'_>) {
    if found.diagnostic.code != Code::E0414 {
        return;
    }
    let own = found.diagnostic.labels.iter().filter(|label| label.loc.item.as_ref() == Some(site.item.key));
    let path = own.filter_map(|label| site.member(label.loc.span.start)).find(|member| member.spend.is_some());
    let Some(member) = path else { return };
    site.offer(ActionKind::OneInput, "demand that the contract is input 0", |site| {
        let stmt = "require self.index == 0, \"the contract is input 0\";";
        Edits::of([site.stmt_first(member.body, stmt)])
    });
    let mut zeros: Vec<Span> = Vec::new();
    walk_block(member.body, &mut |node| {
        if let Node::Expr(Expr { kind: ExprKind::Index { base, index }, .. }) = node
            && matches!(&base.kind, ExprKind::Field { base, name } if matches!(base.kind, ExprKind::Tx) && name.as_str() == "outputs")
            && matches!(&index.kind, ExprKind::Int(digits) if &**digits == "0")
        {
            zeros.push(index.span);
        }
        true
    });
    if !zeros.is_empty() {
        site.offer(ActionKind::OwnOutput, "read `tx.outputs[self.index]`", |site| {
            Edits::of(zeros.iter().map(|zero| site.put(*zero, "self.index")))
        });
    }
}

/// `a / c * b` as `a * b / c`.
pub(super) fn multiply_first(site: &mut Site<'_, '_>, found: &Found<'_>) {
    if found.diagnostic.code != Code::E0404 {
        return;
    }
    let product = site.nodes.iter().rev().find_map(|node| match node {
        Node::Expr(expr) if expr.span == found.span => match &expr.kind {
            ExprKind::Binary { op: BinaryOp::Mul, left, right, .. } => Some((*expr, left, right)),
            _ => None,
        },
        _ => None,
    });
    let Some((whole, left, right)) = product else { return };
    let quotient = |expr: &Expr, outer: u8| match &expr.kind {
        ExprKind::Binary { op: BinaryOp::Div, left, right, .. } => {
            Some((site.operand(left, outer), site.operand(right, 10)))
        }
        _ => None,
    };
    let text = match (quotient(left, 9), quotient(right, 10)) {
        (Some((above, below)), None) => format!("{above} * {} / {below}", site.operand(right, 10)),
        (None, Some((above, below))) => format!("{} * {above} / {below}", site.operand(left, 9)),
        _ => return,
    };
    if site.loses_comment(whole.span, &[]) {
        return;
    }
    // `x *= a / b` is no product of its own.
    let text = if site.is_change(whole) { format!("{} = {text}", site.text(left.span)) } else { text };
    site.offer(ActionKind::MultiplyFirst, "multiply first", |site| Edits::of([site.put(whole.span, text.as_str())]));
}

/// `tx.height < h` as `tx.height >= h`, and `h > tx.height` as `h <= tx.height`, which is another path's condition.
pub(super) fn lower_bound(site: &mut Site<'_, '_>, found: &Found<'_>) {
    if found.diagnostic.code != Code::E0408 {
        return;
    }
    let compared = site.nodes.iter().rev().find_map(|node| match node {
        Node::Expr(expr) => match &expr.kind {
            ExprKind::Binary { op, op_span, left, .. } => Some((*op, *op_span, left)),
            _ => None,
        },
        _ => None,
    });
    let Some((op, place, left)) = compared else { return };
    let (sign, title) = match reads_time(left) {
        true => (BinaryOp::Ge, "bound it by `>=`"),
        false => (BinaryOp::Le, "bound it by `<=`"),
    };
    let turns = matches!(op, BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge | BinaryOp::Eq);
    if turns && op != sign {
        site.offer(ActionKind::LowerBound, title, |site| Edits::of([site.put(place, sign.symbol())]));
    }
}

/// `continue { .. };` or `end;` at the end of the path.
pub(super) fn state(site: &mut Site<'_, '_>, found: &Found<'_>) {
    if found.diagnostic.code != Code::E0424 {
        return;
    }
    let Some(member) = site.member(found.span.start) else { return };
    if member.body.tail.is_some() {
        return;
    }
    site.offer(ActionKind::ContinueState, "carry the state on", |site| {
        Edits::of([site.stmt_last(member.body, "continue {};")])
    });
    site.offer(ActionKind::EndState, "end the state", |site| Edits::of([site.stmt_last(member.body, "end;")]));
}

/// `allow(name);` at the beginning of the path or function, or in the `allow` that stands there.
pub(super) fn allow(site: &mut Site<'_, '_>, found: &Found<'_>) {
    let lint = driver::lint_of(found.diagnostic.code).filter(|lint| lint.in_source);
    let Some(lint) = lint.filter(|_| matches!(site.item.ast, Item::Contract(_) | Item::Fn(_))) else { return };
    let title = format!("allow `{}` here", lint.name);
    let labels = found.diagnostic.labels.iter().filter(|label| label.loc.item.as_ref() == Some(site.item.key));
    let member = labels.filter_map(|label| site.member(label.loc.span.start)).next();
    if let Some(member) = member {
        site.offer(ActionKind::AllowLint, title, |site| {
            let first = member.body.stmts.first();
            if let Some(StmtKind::Allow(names)) = first.map(|stmt| &stmt.kind)
                && let Some(last) = names.last()
            {
                return Edits::of([site.insert(last.span.end, format!(", {}", lint.name))]);
            }
            Edits::of([site.stmt_first(member.body, &format!("allow({});", lint.name))])
        });
        return;
    }
    let Item::Contract(contract) = site.item.ast else { return };
    let Some(first) = contract.members.first().map(member_start) else { return };
    site.offer(ActionKind::AllowLint, title, |site| {
        Edits::of([site.stmt_before(first, &format!("allow({});", lint.name))])
    });
}

/// Where a member begins, with its documentation.
fn member_start(member: &Member) -> u32 {
    let docs = match member {
        Member::Const(of) => &of.docs,
        Member::Fn(of) => &of.docs,
        Member::Spend(of) => &of.docs,
        Member::State(of) => &of.docs,
        Member::Allow(of) => &of.docs,
        Member::Budget(of) => &of.docs,
        Member::Error(span) => return span.start,
    };
    let whole = member.span().start;
    docs.first().map_or(whole, |doc| doc.span.start.min(whole))
}
