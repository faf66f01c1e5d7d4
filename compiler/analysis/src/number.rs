//! The values of literals: numbers, quantities with their unit, points in time.

use std::ops::RangeInclusive;

use dashu_int::IBig;
use dashu_ratio::RBig;
use spec::Sats;
use spec::num::grouped_digits;
use spec::units::SATS_PER_COIN;
use syntax::ast::{Clock, Unit};
use syntax::{Code, Span};

use crate::hir::Type;
use crate::moment;
use crate::report::Report;

/// Longer numbers are refused before anything is computed from them.
const DIGITS_MAX: usize = 1_000;
/// Weights need fewer digits, as their denominators must fit 64 bits.
const SHARE_DIGITS_MAX: usize = 40;
/// Lock times below are heights, from here on they are seconds.
const HEIGHT_END: i64 = 500_000_000;

/// The heights that a lock time can express.
pub(crate) const HEIGHTS: RangeInclusive<i64> = 0..=HEIGHT_END - 1;
/// The times that a lock time can express.
pub(crate) const TIMES: RangeInclusive<i64> = HEIGHT_END..=u32::MAX as i64;

/// The number that digits mean.
pub(crate) fn int(digits: &str, span: Span, report: &mut Report<'_>) -> Option<IBig> {
    let plain = digits.replace('_', "");
    if plain.len() > DIGITS_MAX {
        let message = format!("a number has at most {DIGITS_MAX} digits");
        let found = report.error(Code::E0205, message, span);
        return report.fail(found.help("write a smaller number, or bytes such as `0x00ff`"));
    }
    plain.parse().ok()
}

/// The exact value of digits with at most one point; `None` if there are too many.
pub(crate) fn decimal(digits: &str) -> Option<RBig> {
    let plain = digits.replace('_', "");
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    if whole.len() + fraction.len() > SHARE_DIGITS_MAX {
        return None;
    }
    let numerator: IBig = format!("0{whole}{fraction}").parse().ok()?;
    Some(RBig::from(numerator) / RBig::from(IBig::from(10).pow(fraction.len())))
}

/// The type and the number of base units of a quantity.
pub(crate) fn quantity(digits: &str, unit: Unit, span: Span, report: &mut Report<'_>) -> Option<(IBig, Type)> {
    let (factor, ty) = base(unit);
    let whole = decimal(digits).map(|value| value * RBig::from(IBig::from(factor)));
    let Some(whole) = whole.filter(|value| value.is_int()) else {
        let message = format!("`{digits} {}` is not a whole number of {}", unit.word(), base_word(&ty));
        let found = report.error(Code::E0205, message, span);
        return report.fail(found.help(format!("write it in whole {}", base_word(&ty))));
    };
    let number = whole.numerator().clone();
    check_range(&number, &ty, span, report).then_some((number, ty))
}

/// The type and the number of a point in time.
pub(crate) fn point(clock: Clock, text: &str, span: Span, report: &mut Report<'_>) -> Option<(IBig, Type)> {
    let (number, ty) = match clock {
        Clock::Height => (int(text, span, report)?, Type::Height),
        Clock::Time => {
            let Some(seconds) = moment::parse(text) else {
                return report.fail(
                    report
                        .error(Code::E0206, format!("`{text}` is no time"), span)
                        .help("write it like `time \"2026-12-01T00:00Z\"`"),
                );
            };
            (IBig::from(seconds), Type::Time)
        }
    };
    check_range(&number, &ty, span, report).then_some((number, ty))
}

/// Whether a constant lies within its type's range; reports it if not.
pub(crate) fn check_range(number: &IBig, ty: &Type, span: Span, report: &mut Report<'_>) -> bool {
    let supply = Sats::MAX.get().cast_signed();
    let (range, message) = match ty {
        Type::Coin => (-supply..=supply, "an amount is at most 21,000,000 coin"),
        Type::Height => (HEIGHTS, "a height lies between 0 and 499,999,999"),
        Type::Time => (TIMES, "a lock time lies between 1985-11-05 and 2106-02-07"),
        _ => return true,
    };
    let fits = i64::try_from(number).is_ok_and(|number| range.contains(&number));
    if !fits {
        let found = report.error(Code::E0205, message, span);
        report.push(found.help("choose a value in this range"));
    }
    fits
}

fn base(unit: Unit) -> (u64, Type) {
    match unit {
        Unit::Coin => (SATS_PER_COIN, Type::Coin),
        Unit::Sats => (1, Type::Coin),
        Unit::Blocks => (1, Type::Blocks),
        Unit::Seconds => (1, Type::Duration),
        Unit::Minutes => (60, Type::Duration),
        Unit::Hours => (3_600, Type::Duration),
        Unit::Days => (86_400, Type::Duration),
        Unit::Weeks => (604_800, Type::Duration),
        Unit::Bytes => (1, Type::Int),
    }
}

fn base_word(ty: &Type) -> &'static str {
    match ty {
        Type::Coin => "sats",
        Type::Blocks => "blocks",
        _ => "seconds",
    }
}

/// Digits with `_` between groups of three.
pub(crate) fn grouped(number: &IBig) -> String {
    grouped_digits(&number.to_string())
}
