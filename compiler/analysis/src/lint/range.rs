//! Numbers that may not fit the place where they go: below zero, too long, or a divisor of zero.

use syntax::{Code, Diagnostic, Loc};

use super::Case;
use super::graph::{Marks, Op, Value};
use super::interval::{Interval, Intervals, Spender, has_unit, shown};
use super::ways::{Known, What};
use crate::hir::{BinaryOp, Builtin};

/// The most values of one condition that are looked at.
const PARTS_MAX: usize = 512;
/// A counter that would need so many spends to leave its bytes will not.
const SPENDS_MAX: i128 = 1 << 28;

/// What may leave its range on a way.
pub(super) fn check(case: &Case<'_>) -> Vec<Diagnostic> {
    let graph = case.view.graph;
    let mut sinks = Vec::new();
    for known in &case.view.way.known {
        let of: &[Value] = match &known.what {
            What::Compare(_, a, b) => &[*a, *b],
            What::True(value) | What::False(value) | What::LockTime(value) | What::Age(value) => &[*value],
        };
        for value in of.iter().flat_map(|value| graph.all_parts(*value, PARTS_MAX)) {
            let is_sink =
                matches!(graph.op(value), Op::Builtin(Builtin::ToBytes) | Op::Binary(BinaryOp::Div | BinaryOp::Mod));
            if is_sink {
                sinks.push((known, value));
            }
        }
    }
    if sinks.is_empty() {
        return Vec::new();
    }
    let (hostile, honest) = (Intervals::of(&case.view, Spender::Hostile), Intervals::of(&case.view, Spender::Honest));
    let check = |(known, value): (&Known, Value)| match (graph.op(value), graph.parts(value)) {
        (Op::Builtin(_), [number, len]) => below_zero(case, known, *number, hostile.get(*number))
            .or_else(|| too_long(case, known, *number, honest.get(*number), graph.small(*len)?)),
        (_, [_, divisor]) => zero_divisor(case, value, *divisor, hostile.get(*divisor)),
        _ => None,
    };
    sinks.into_iter().filter_map(check).collect()
}

/// An amount is written down as bytes, but may be negative.
fn below_zero(case: &Case<'_>, known: &Known, number: Value, range: Interval) -> Option<Diagnostic> {
    let graph = case.view.graph;
    if range.low.is_some_and(|low| low >= 0) || !has_unit(graph.ty(number)) {
        return None;
    }
    let what = case.name_of(number);
    let message = format!("{what} may be negative where an amount is written down");
    let found = Diagnostic::error(Code::E0421, message, place(case, known, number));
    let least = match range.low {
        Some(low) => format!("it may be as low as {}", shown(low)),
        None => "nothing bounds it from below".to_owned(),
    };
    let help = format!("bound it before, such as `require {} >= 0;`", case.text_or(number, ".."));
    Some(found.saying(least).help(help))
}

/// A number is written as bytes that cannot hold all that it may be.
fn too_long(case: &Case<'_>, known: &Known, number: Value, range: Interval, len: i64) -> Option<Diagnostic> {
    let graph = case.view.graph;
    let bits = u32::try_from(len).ok().and_then(|len| len.checked_mul(8)).filter(|bits| (8..=120).contains(bits))?;
    let limit = (1i128 << (bits - 1)) - 1;
    let most = range.high.filter(|most| *most > limit)?;
    let counts = *graph.op(number) == Op::Binary(BinaryOp::Add);
    if counts && (most - limit).checked_mul(SPENDS_MAX).is_some_and(|far| far <= limit) {
        return None;
    }
    let what = case.name_of(number);
    let message = format!("{what} may be as large as {}, but {len} bytes hold at most {}", shown(most), shown(limit));
    let found = Diagnostic::error(Code::E0421, message, place(case, known, number));
    let bytes = (len + 1..=16).find(|len| most < 1i128 << (8 * len - 1).min(126)).unwrap_or(16);
    Some(
        found
            .saying("a larger number makes every spend of this path fail")
            .help(format!("write it in {bytes} bytes, or demand a smaller one before")),
    )
}

/// A divisor that the state of the chain decides may be zero.
fn zero_divisor(case: &Case<'_>, whole: Value, divisor: Value, range: Interval) -> Option<Diagnostic> {
    let graph = case.view.graph;
    let decided = Marks::OWN_TOKEN
        .and(Marks::OWN_VALUE)
        .and(Marks::OWN_AMOUNT)
        .and(Marks::OUTPUT)
        .and(Marks::OTHER_INPUT)
        .and(Marks::LOCK_TIME);
    if !range.contains(0) || !graph.marks(divisor).meets(decided) {
        return None;
    }
    let what = case.name_of(divisor);
    let message = format!("this divides by {what}, which may be zero");
    let found = Diagnostic::error(Code::E0421, message, graph.loc(whole).clone());
    Some(
        found
            .saying("a division by zero fails the spend")
            .label(graph.loc(divisor).clone(), "nothing says that this is not zero")
            .help(format!(
                "add `require {} != 0, \"..\";` or choose another path for that case",
                case.text_or(divisor, "..")
            )),
    )
}

/// Where a number is computed, or used if it is given.
fn place(case: &Case<'_>, known: &Known, number: Value) -> Loc {
    match case.view.graph.op(number) {
        Op::Arg(_) | Op::Param(_) | Op::Fact(_) => known.loc.clone(),
        _ => case.view.graph.loc(number).clone(),
    }
}
