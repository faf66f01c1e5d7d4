//! Numbers, amounts, shares and bytes in another spelling.

use syntax::ast::{BinaryOp, Expr, ExprKind, Item, Unit};

use super::{ActionKind, Edits, Site};
use crate::tree::Node;

/// A fraction in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ratio {
    pub(super) above: u128,
    pub(super) below: u128,
}

const fn divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Ratio {
    pub(super) fn new(above: u128, below: u128) -> Option<Self> {
        let common = divisor(above, below);
        (below != 0 && common != 0).then(|| Self { above: above / common, below: below / common })
    }

    pub(super) fn plus(self, other: Self) -> Option<Self> {
        let left = self.above.checked_mul(other.below)?;
        let right = other.above.checked_mul(self.below)?;
        Self::new(left.checked_add(right)?, self.below.checked_mul(other.below)?)
    }

    pub(super) fn minus(self, other: Self) -> Option<Self> {
        let left = self.above.checked_mul(other.below)?;
        let right = other.above.checked_mul(self.below)?;
        Self::new(left.checked_sub(right)?, self.below.checked_mul(other.below)?)
    }

    pub(super) fn over(self, other: Self) -> Option<Self> {
        Self::new(self.above.checked_mul(other.below)?, self.below.checked_mul(other.above)?)
    }

    /// As a percentage, if that is exact with at most four decimals.
    pub(super) fn percent(self) -> Option<String> {
        let scaled = self.above.checked_mul(1_000_000)?;
        if !scaled.is_multiple_of(self.below) {
            return None;
        }
        let whole = scaled / self.below;
        let text = format!("{}.{:04}", whole / 10_000, whole % 10_000);
        Some(format!("{}%", text.trim_end_matches('0').trim_end_matches('.')))
    }

    pub(super) fn fraction(self) -> String {
        format!("{}/{}", self.above, self.below)
    }

    /// As a percentage if that is exact, otherwise as a fraction.
    pub(super) fn written(self) -> String {
        self.percent().unwrap_or_else(|| self.fraction())
    }
}

/// Digits with at most one dot as a fraction.
fn decimal(digits: &str) -> Option<Ratio> {
    let digits = digits.replace('_', "");
    let (whole, rest) = digits.split_once('.').unwrap_or((&digits, ""));
    let scale = 10_u128.checked_pow(u32::try_from(rest.len()).ok()?)?;
    Ratio::new(format!("{whole}{rest}").parse().ok()?, scale)
}

/// A weight as it is written.
pub(super) fn weight(expr: &Expr) -> Option<Ratio> {
    match &expr.kind {
        ExprKind::Percent(digits) => {
            let Ratio { above, below } = decimal(digits)?;
            Ratio::new(above, below.checked_mul(100)?)
        }
        ExprKind::Decimal(digits) | ExprKind::Int(digits) => decimal(digits),
        ExprKind::Binary { op: BinaryOp::Div, left, right, .. } => match (&left.kind, &right.kind) {
            (ExprKind::Int(above), ExprKind::Int(below)) => decimal(above)?.over(decimal(below)?),
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
            let text = share.fraction();
            site.offer(ActionKind::Fraction, format!("write `{text}`"), |site| {
                Edits::of([site.put(expr.span, text.as_str())])
            });
        }
        _ => {
            let Some(text) = share.percent() else { return };
            site.offer(ActionKind::Percent, format!("write `{text}`"), |site| {
                Edits::of([site.put(expr.span, text.as_str())])
            });
        }
    }
}

/// Units of one kind with what they are worth in the smallest, the largest first.
const UNITS: [&[(Unit, u128)]; 2] = [
    &[(Unit::Coin, 100_000_000), (Unit::Sats, 1)],
    &[(Unit::Weeks, 604_800), (Unit::Days, 86_400), (Unit::Hours, 3_600), (Unit::Minutes, 60), (Unit::Seconds, 1)],
];

/// Digits in groups of three.
pub(super) fn grouped(digits: &str) -> String {
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('_');
        }
        out.push(digit);
    }
    out
}

/// `2 days` as `48 hours`, `0.5 coin` as `50_000_000 sats`.
pub(super) fn units(site: &mut Site<'_, '_>) {
    let Some(expr) = site.expr() else { return };
    let ExprKind::Quantity { digits, unit, .. } = &expr.kind else { return };
    let Some(list) = UNITS.into_iter().find(|list| list.iter().any(|(known, _)| known == unit)) else { return };
    let Some((_, worth)) = list.iter().find(|(known, _)| known == unit) else { return };
    let Some(amount) = decimal(digits) else { return };
    let Some(base) = amount.above.checked_mul(*worth).filter(|base| base.is_multiple_of(amount.below)) else { return };
    let base = base / amount.below;
    for (other, each) in list.iter().filter(|(other, _)| other != unit) {
        let Some(text) = in_unit(base, *other, *each) else { continue };
        site.offer(ActionKind::ConvertUnit, format!("write `{text}`"), |site| {
            Edits::of([site.put(expr.span, text.as_str())])
        });
    }
}

/// An amount in a unit; durations only in whole ones.
fn in_unit(base: u128, unit: Unit, each: u128) -> Option<String> {
    let (whole, rest) = (base / each, base % each);
    let digits = match (rest, unit) {
        (0, _) => grouped(&whole.to_string()),
        (rest, Unit::Coin) => format!("{}.{}", grouped(&whole.to_string()), format!("{rest:08}").trim_end_matches('0')),
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
    let text = grouped(&plain);
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
    let names = site.names(crate::names::Depth::Names);
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
