//! Numbers, amounts, shares and bytes in another spelling.

use spec::Ratio;
use spec::num::{grouped, grouped_digits};
use syntax::ast::{BinaryOp, Expr, ExprKind, Item, Unit};

use super::{ActionKind, Edits, Site};
use crate::tree::Node;

/// A sum; nothing if its parts are too large.
pub(super) fn plus(a: Ratio, b: Ratio) -> Option<Ratio> {
    let ((a_top, a_bottom), (b_top, b_bottom)) = (a.parts(), b.parts());
    let top = a_top.checked_mul(b_bottom)?.checked_add(b_top.checked_mul(a_bottom)?)?;
    Ratio::new(top, a_bottom.checked_mul(b_bottom)?)
}

/// A difference.
pub(super) fn minus(a: Ratio, b: Ratio) -> Option<Ratio> {
    let (top, bottom) = b.parts();
    plus(a, Ratio::new(top.checked_neg()?, bottom)?)
}

/// A quotient; nothing unless what divides is above zero.
pub(super) fn over(a: Ratio, b: Ratio) -> Option<Ratio> {
    let ((a_top, a_bottom), (b_top, b_bottom)) = (a.parts(), b.parts());
    Ratio::new(a_top.checked_mul(b_bottom)?, a_bottom.checked_mul(b_top)?)
}

/// A percentage as sources write it, if that is exact.
fn percent(share: Ratio) -> Option<String> {
    let shown = share.percent();
    let digits = shown.strip_suffix(" %").filter(|digits| !digits.starts_with('≈'))?;
    Some(format!("{digits}%"))
}

fn fraction(share: Ratio) -> String {
    let (top, bottom) = share.parts();
    format!("{top}/{bottom}")
}

/// A percentage if that is exact, otherwise a fraction.
pub(super) fn written(share: Ratio) -> String {
    percent(share).unwrap_or_else(|| fraction(share))
}

/// Digits with at most one dot as a fraction.
fn decimal(digits: &str) -> Option<Ratio> {
    let digits = digits.replace('_', "");
    let (whole, rest) = digits.split_once('.').unwrap_or((&digits, ""));
    let scale = 10_i128.checked_pow(u32::try_from(rest.len()).ok()?)?;
    Ratio::new(format!("{whole}{rest}").parse().ok()?, scale)
}

/// A weight as it is written.
pub(super) fn weight(expr: &Expr) -> Option<Ratio> {
    match &expr.kind {
        ExprKind::Percent(digits) => over(decimal(digits)?, Ratio::new(100, 1)?),
        ExprKind::Decimal(digits) | ExprKind::Int(digits) => decimal(digits),
        ExprKind::Binary { op: BinaryOp::Div, left, right, .. } => match (&left.kind, &right.kind) {
            (ExprKind::Int(above), ExprKind::Int(below)) => over(decimal(above)?, decimal(below)?),
            _ => None,
        },
        _ => None,
    }
}

fn in_declaration(site: &Site<'_, '_>) -> bool {
    matches!(site.item.ast, Item::Reward(_) | Item::Model(_) | Item::Imi(_) | Item::Imo(_))
}

/// The expression that is a whole weight, around the selection.
fn weight_here<'s>(site: &Site<'_, 's>) -> Option<&'s Expr> {
    site.nodes.iter().find_map(|node| match node {
        Node::Expr(expr) if matches!(expr.kind, ExprKind::Percent(_) | ExprKind::Binary { op: BinaryOp::Div, .. }) => {
            Some(*expr)
        }
        _ => None,
    })
}

/// `20%` as `1/5`, and back.
pub(super) fn shares(site: &mut Site<'_, '_>) {
    let Some(expr) = weight_here(site).filter(|_| in_declaration(site)) else { return };
    let Some(share) = weight(expr) else { return };
    match &expr.kind {
        ExprKind::Percent(_) => {
            let text = fraction(share);
            site.offer(ActionKind::Fraction, format!("write `{text}`"), |site| {
                Edits::of([site.put(expr.span, text.as_str())])
            });
        }
        _ => {
            let Some(text) = percent(share) else { return };
            site.offer(ActionKind::Percent, format!("write `{text}`"), |site| {
                Edits::of([site.put(expr.span, text.as_str())])
            });
        }
    }
}

/// Units of one kind with what they are worth in the smallest, the largest first.
const UNITS: [&[(Unit, i128)]; 2] = [
    &[(Unit::Coin, 100_000_000), (Unit::Sats, 1)],
    &[(Unit::Weeks, 604_800), (Unit::Days, 86_400), (Unit::Hours, 3_600), (Unit::Minutes, 60), (Unit::Seconds, 1)],
];

/// `2 days` as `48 hours`, `0.5 coin` as `50_000_000 sats`.
pub(super) fn units(site: &mut Site<'_, '_>) {
    let Some(expr) = site.expr() else { return };
    let ExprKind::Quantity { digits, unit, .. } = &expr.kind else { return };
    let Some(list) = UNITS.into_iter().find(|list| list.iter().any(|(known, _)| known == unit)) else { return };
    let Some((_, worth)) = list.iter().find(|(known, _)| known == unit) else { return };
    let Some(amount) = decimal(digits) else { return };
    let Some((base, 1)) =
        amount.parts().0.checked_mul(*worth).and_then(|top| Ratio::new(top, amount.parts().1)).map(Ratio::parts)
    else {
        return;
    };
    for (other, each) in list.iter().filter(|(other, _)| other != unit) {
        let Some(text) = in_unit(base, *other, *each) else { continue };
        site.offer(ActionKind::ConvertUnit, format!("write `{text}`"), |site| {
            Edits::of([site.put(expr.span, text.as_str())])
        });
    }
}

/// An amount in a unit; durations only in whole ones.
fn in_unit(base: i128, unit: Unit, each: i128) -> Option<String> {
    let (whole, rest) = (base / each, base % each);
    let digits = match (rest, unit) {
        (0, _) => grouped(whole),
        (rest, Unit::Coin) => format!("{}.{}", grouped(whole), format!("{rest:08}").trim_end_matches('0')),
        _ => return None,
    };
    Some(format!("{digits} {}", unit.word()))
}

/// `1000000` as `1_000_000`.
pub(super) fn digits(site: &mut Site<'_, '_>) {
    let Some(expr) = site.expr() else { return };
    let written: &str = match &expr.kind {
        ExprKind::Int(digits) | ExprKind::Quantity { digits, .. } => digits,
        ExprKind::Moment { text, clock: syntax::ast::Clock::Height, .. } => text,
        _ => return,
    };
    let plain = written.replace('_', "");
    let text = grouped_digits(&plain);
    if plain.len() < 4 || text == written || !plain.bytes().all(|byte| byte.is_ascii_digit()) {
        return;
    }
    let whole = site.text(expr.span);
    let Some(at) = whole.find(written) else { return };
    site.offer(ActionKind::GroupDigits, format!("write `{text}`"), |site| {
        let start = expr.span.start + u32::try_from(at).ok()?;
        let end = start + u32::try_from(written.len()).ok()?;
        Edits::of([site.put(syntax::Span::new(start, end), text.as_str())])
    });
}

/// The most bytes that are written in another way.
const BYTES_MAX: usize = 256;

/// `"text"` as `0x74657874`, and back where the bytes can be read.
pub(super) fn texts(site: &mut Site<'_, '_>) {
    let Some(expr) = site.expr().filter(|_| !in_declaration(site)) else { return };
    if site.type_of(expr.span).is_none() {
        return;
    }
    let text = match &expr.kind {
        ExprKind::Str(text) if text.len() <= BYTES_MAX => {
            let bytes = text.bytes().map(|byte| format!("{byte:02x}"));
            format!("0x{}", bytes.collect::<String>())
        }
        ExprKind::Bytes(bytes) if !bytes.is_empty() && bytes.len() <= BYTES_MAX => {
            let readable = bytes.iter().all(|byte| (0x20..0x7f).contains(byte));
            let Some(text) = std::str::from_utf8(bytes).ok().filter(|_| readable) else { return };
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
        }
        _ => return,
    };
    let title = if text.starts_with('"') { "write the bytes as a string" } else { "write the string as bytes" };
    site.offer(ActionKind::BytesOfText, title, |site| Edits::of([site.put(expr.span, text.as_str())]));
}

/// A literal by the name of a constant that has the same value.
pub(super) fn use_constant(site: &mut Site<'_, '_>) {
    let Some(expr) = site.expr() else { return };
    let literal = matches!(
        expr.kind,
        ExprKind::Int(_) | ExprKind::Quantity { .. } | ExprKind::Moment { .. } | ExprKind::Bytes(_) | ExprKind::Str(_)
    );
    let Some(ty) = site.type_of(expr.span).filter(|_| literal) else { return };
    let own = site.files.of(site.file);
    let names = site.names();
    for item in &own.items {
        let Item::Const(constant) = item.ast else { continue };
        let name = constant.name.as_str();
        let same = item.text.get(constant.value.span.range()) == Some(site.text(expr.span));
        let hidden = names.visible(expr.span.start).iter().any(|(known, _)| &***known == name);
        let written = constant.ty.as_ref().and_then(|ty| item.text.get(ty.span.range()));
        let fits = written.is_none_or(|written| site.written(ty).is_some_and(|ty| ty == written));
        if same && fits && !hidden && !constant.name.is_missing() && item.key != site.item.key {
            site.offer(ActionKind::UseConstant, format!("use the constant `{name}`"), |site| {
                Edits::of([site.put(expr.span, name)])
            });
        }
    }
}
