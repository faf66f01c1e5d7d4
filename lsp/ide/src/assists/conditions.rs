//! The same condition, said in another way.

use analysis::hir::Type;
use syntax::Span;
use syntax::ast::{BinaryOp, Block, Expr, ExprKind, If, Stmt, StmtKind, StringLit, UnaryOp};

use super::edit::{ATOM, dedented, head, indented, position, reads_time, strength, tightness};
use super::{ActionKind, Edits, Site};
use crate::tree::Node;

/// The `if` whose head holds the selection.
pub(super) fn if_here<'s>(site: &Site<'_, 's>) -> Option<&'s If> {
    site.nodes.iter().rev().find_map(|node| match node {
        Node::Stmt(Stmt { kind: StmtKind::If(branch), .. }) | Node::Expr(Expr { kind: ExprKind::If(branch), .. }) => {
            Some(branch).filter(|branch| site.range.start <= branch.then.span.start)
        }
        _ => None,
    })
}

const fn opposite(op: BinaryOp) -> Option<BinaryOp> {
    Some(match op {
        BinaryOp::Eq => BinaryOp::Ne,
        BinaryOp::Ne => BinaryOp::Eq,
        BinaryOp::Lt => BinaryOp::Ge,
        BinaryOp::Le => BinaryOp::Gt,
        BinaryOp::Gt => BinaryOp::Le,
        BinaryOp::Ge => BinaryOp::Lt,
        _ => return None,
    })
}

const fn turned(op: BinaryOp) -> Option<BinaryOp> {
    Some(match op {
        BinaryOp::Eq | BinaryOp::Ne => op,
        BinaryOp::Lt => BinaryOp::Gt,
        BinaryOp::Le => BinaryOp::Ge,
        BinaryOp::Gt => BinaryOp::Lt,
        BinaryOp::Ge => BinaryOp::Le,
        _ => return None,
    })
}

/// The text of the opposite of a condition, and how strongly it holds together.
fn negated(site: &Site<'_, '_>, cond: &Expr) -> (String, u8) {
    match &cond.kind {
        ExprKind::Unary { op: UnaryOp::Not, operand } => (site.text(operand.span).to_owned(), tightness(operand)),
        ExprKind::Binary { op, left, right, .. } if opposite(*op).is_some() => {
            let (sign, outer) = (opposite(*op).unwrap_or(*op).symbol(), strength(*op) + 1);
            (format!("{} {sign} {}", site.operand(left, outer), site.operand(right, outer)), strength(*op))
        }
        ExprKind::Bool(value) => ((!value).to_string(), ATOM),
        _ => (format!("!{}", site.operand(cond, 10)), 10),
    }
}

/// `if a { x } else { y }` as `if !a { y } else { x }`.
pub(super) fn invert_if(site: &mut Site<'_, '_>) {
    let Some(branch) = if_here(site) else { return };
    let Some(otherwise) = branch.otherwise.as_ref().filter(|otherwise| site.is_braced(otherwise)) else { return };
    if site.loses_comment(site.tokens().grouped(branch.cond.span), &[]) {
        return;
    }
    site.offer(ActionKind::InvertIf, "invert the `if`", |site| {
        Edits::of([
            site.put_head(&branch.cond, negated(site, &branch.cond).0),
            site.put(branch.then.span, site.text(otherwise.span)),
            site.put(otherwise.span, site.text(branch.then.span)),
        ])
    });
}

/// The innermost operation around the selection whose sign the selection touches.
fn operation<'s>(site: &Site<'_, 's>) -> Option<(&'s Expr, BinaryOp, &'s Expr, &'s Expr)> {
    site.nodes.iter().rev().find_map(|node| match node {
        Node::Expr(expr) => match &expr.kind {
            ExprKind::Binary { op, op_span, left, right } if op_span.touches(site.range.start) => {
                Some((*expr, *op, &**left, &**right))
            }
            _ => None,
        },
        _ => None,
    })
}

/// `a < b` as `b > a`.
pub(super) fn flip(site: &mut Site<'_, '_>) {
    let Some((expr, op, left, right)) = operation(site) else { return };
    let kept = [left.span, right.span];
    let Some(other) = turned(op).filter(|_| !reads_time(expr) && !site.loses_comment(expr.span, &kept)) else { return };
    site.offer(ActionKind::FlipComparison, "swap the sides of the comparison", |site| {
        let (left, right) = (site.operand(left, 4), site.operand(right, 4));
        Edits::of([site.put(expr.span, format!("{right} {} {left}", other.symbol()))])
    });
}

/// `!(a && b)` as `!a || !b`, `!(a < b)` as `a >= b`.
pub(super) fn push_not(site: &mut Site<'_, '_>) {
    let found = site.nodes.iter().rev().find_map(|node| match node {
        Node::Expr(expr) => match &expr.kind {
            ExprKind::Unary { op: UnaryOp::Not, operand } if site.range.start <= operand.span.start => {
                Some((*expr, &**operand))
            }
            _ => None,
        },
        _ => None,
    });
    let Some((expr, operand)) = found else { return };
    let ExprKind::Binary { op, left, right, .. } = &operand.kind else { return };
    let joined = match op {
        BinaryOp::And => Some(BinaryOp::Or),
        BinaryOp::Or => Some(BinaryOp::And),
        _ => None,
    };
    if joined.or(opposite(*op)).is_none() || site.loses_comment(expr.span, &[]) {
        return;
    }
    site.offer(ActionKind::PushNot, "take the `!` inside", |site| {
        let (text, tightness) = match joined {
            Some(other) => {
                let part = |part: &Expr, outer: u8| {
                    let (text, tightness) = negated(site, part);
                    if tightness < outer { format!("({text})") } else { text }
                };
                let outer = strength(other);
                (format!("{} {} {}", part(left, outer), other.symbol(), part(right, outer + 1)), outer)
            }
            None => negated(site, operand),
        };
        Edits::of([site.put(expr.span, site.placed(expr.span, &text, tightness))])
    });
}

/// The only statement of a block.
fn only_stmt<'s>(site: &Site<'_, '_>, block: &'s Block) -> Option<&'s Stmt> {
    match (block.stmts.as_slice(), &block.tail) {
        ([only], None) if site.is_braced(block) => Some(only),
        _ => None,
    }
}

/// `if a { if b { .. } }` as `if a && b { .. }`.
pub(super) fn merge_ifs(site: &mut Site<'_, '_>) {
    let Some(branch) = if_here(site).filter(|branch| branch.otherwise.is_none()) else { return };
    let Some(Stmt { kind: StmtKind::If(inner), .. }) = only_stmt(site, &branch.then) else { return };
    let kept = [branch.cond.span, inner.cond.span, inner.then.span];
    if inner.otherwise.is_some() || site.loses_comment(branch.span, &kept) {
        return;
    }
    site.offer(ActionKind::MergeIfs, "join with the `if` inside", |site| {
        let cond = head(format!("{} && {}", site.operand(&branch.cond, 2), site.operand(&inner.cond, 3)));
        let body = dedented(site.text(inner.then.span), 4);
        let start = site.tokens().grouped(branch.cond.span).start;
        let gap = site.gap_before(start);
        Edits::of([site.put(Span::new(start, branch.span.end), format!("{gap}{cond} {body}"))])
    });
}

/// `if a && b { .. }` as `if a { if b { .. } }`.
pub(super) fn split_if(site: &mut Site<'_, '_>) {
    let Some(branch) = if_here(site).filter(|branch| branch.otherwise.is_none()) else { return };
    let ExprKind::Binary { op: BinaryOp::And, op_span, left, right } = &branch.cond.kind else { return };
    let kept = [left.span, right.span, branch.then.span];
    let is_stmt = branch.then.tail.is_none() && !site.loses_comment(branch.span, &kept);
    if !is_stmt || !op_span.touches(site.range.start) {
        return;
    }
    site.offer(ActionKind::SplitIf, "split the `if`", |site| {
        let indent = site.indent(branch.span.start);
        let (first, second) = (head(site.text(left.span).to_owned()), head(site.text(right.span).to_owned()));
        let body = indented(site.text(branch.then.span), 4);
        let text = format!("if {first} {{\n{indent}    if {second} {body}\n{indent}}}");
        Edits::of([site.put(branch.span, text)])
    });
}

/// The `require` around the selection, its block, condition and message.
fn require_here<'s>(site: &Site<'_, 's>) -> Option<(&'s Stmt, &'s Expr, Option<&'s StringLit>)> {
    let stmt = site.stmt()?;
    match &stmt.kind {
        StmtKind::Require { cond, message } => Some((stmt, cond, message.as_ref())),
        _ => None,
    }
}

fn behind(site: &Site<'_, '_>, message: Option<&StringLit>) -> String {
    message.map_or_else(String::new, |message| format!(", {}", site.text(message.span)))
}

/// `require a && b, "m";` as two.
pub(super) fn split_require(site: &mut Site<'_, '_>) {
    let Some((stmt, cond, message)) = require_here(site) else { return };
    let ExprKind::Binary { op: BinaryOp::And, left, right, .. } = &cond.kind else { return };
    let kept = [left.span, right.span, message.map_or(left.span, |message| message.span)];
    if site.loses_comment(stmt.span, &kept) {
        return;
    }
    site.offer(ActionKind::SplitRequire, "split the `require`", |site| {
        let tail = behind(site, message);
        let first = format!("require {}{tail};", site.text(left.span));
        let second = format!("require {}{tail};", site.text(right.span));
        let gap = match site.begins_line(stmt.span.start) {
            true => format!("\n{}", site.indent(stmt.span.start)),
            false => " ".to_owned(),
        };
        Edits::of([site.put(stmt.span, format!("{first}{gap}{second}"))])
    });
}

/// `require a, "m"; require b, "m";` as one.
pub(super) fn merge_requires(site: &mut Site<'_, '_>) {
    let Some((stmt, cond, message)) = require_here(site) else { return };
    let Some((block, index)) = site.block().and_then(|block| Some((block, position(block, stmt)?))) else { return };
    let Some(next) = block.stmts.get(index + 1) else { return };
    let StmtKind::Require { cond: other, message: again } = &next.kind else { return };
    let same = message.map(|message| &message.value) == again.as_ref().map(|message| &message.value);
    let (message_span, both) = (message.map_or(cond.span, |message| message.span), stmt.span.to(next.span));
    if !same || site.loses_comment(both, &[cond.span, other.span, message_span]) {
        return;
    }
    site.offer(ActionKind::MergeRequires, "join with the next `require`", |site| {
        let (first, second) = (site.operand(cond, 2), site.operand(other, 3));
        let text = format!("require {first} && {second}{};", behind(site, message));
        Edits::of([site.put(both, text)])
    });
}

/// A message that says what is demanded.
pub(super) fn add_message(site: &mut Site<'_, '_>) {
    let Some((stmt, cond, None)) = require_here(site) else { return };
    site.offer(ActionKind::AddMessage, "add a message", |site| {
        let text = match &cond.kind {
            ExprKind::MethodCall { receiver, method, .. } if method.as_str() == "signed" => {
                format!("the {} must sign", site.text(receiver.span).replace('_', " "))
            }
            _ => site.text(cond.span).split_whitespace().collect::<Vec<_>>().join(" "),
        };
        let message = text.replace('\\', "\\\\").replace('"', "\\\"");
        let at = stmt.span.end - u32::from(site.text(stmt.span).ends_with(';'));
        Edits::of([site.insert(at, format!(", \"{message}\""))])
    });
}

/// `a <= x && x < b` as `within(x, a, b)`.
pub(super) fn within(site: &mut Site<'_, '_>) {
    let Some((expr, BinaryOp::And, left, right)) = operation(site) else { return };
    let lower = bound(left, BinaryOp::Le, BinaryOp::Ge);
    let upper = bound(right, BinaryOp::Gt, BinaryOp::Lt);
    let Some(((low, value), (high, again))) = lower.zip(upper) else { return };
    let numbers = site.type_of(value.span).is_some_and(Type::is_number);
    let plain = [low, value, high].into_iter().all(|part| site.is_total(part)) && !reads_time(expr);
    if !numbers || !plain || site.loses_comment(expr.span, &[]) || site.text(value.span) != site.text(again.span) {
        return;
    }
    site.offer(ActionKind::UseWithin, "write it as `within`", |site| {
        let (value, low, high) = (site.text(value.span), site.text(low.span), site.text(high.span));
        Edits::of([site.put(expr.span, format!("within({value}, {low}, {high})"))])
    });
}

/// The bound and what is bounded: `bound op value`, or `value turned bound`.
fn bound(expr: &Expr, first: BinaryOp, second: BinaryOp) -> Option<(&Expr, &Expr)> {
    let ExprKind::Binary { op, left, right, .. } = &expr.kind else { return None };
    match *op {
        op if op == first => Some((left, right)),
        op if op == second => Some((right, left)),
        _ => None,
    }
}
