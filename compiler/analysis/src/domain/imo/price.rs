//! Prices: how they are written, what the whole part of a sale costs, and what no script can enforce.

use dashu_int::IBig;
use spec::Sats;
use syntax::ast::{Clause, Entry, EntryValue, Phrase};
use syntax::{Code, Loc};

use crate::domain::settings::{At, Settings, known, malformed};
use crate::hir::Type;
use crate::number::grouped;

/// What one token costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Price {
    /// Always the same.
    Fixed(u64),
    /// `base` for the first, and `slope` more for each `per` that have been sold.
    Linear { base: u64, slope: u64, per: u64 },
    /// `start` at the block `from`, falling evenly to `end` over so many blocks.
    Dutch { start: u64, end: u64, from: u64, over: u64 },
}

/// How the three prices are written.
pub(super) const EXAMPLE: &str = "sale: 25% price fixed 100 sats,";
const LINEAR: &str = "sale: 25% price linear { base: 100 sats, slope: 2 sats },";
const DUTCH: &str =
    "sale: 25% price dutch { start: 1_000 sats, end: 100 sats, from: height 930_000, over: 10_000 blocks },";
/// Words for a price that grows as time passes.
const RISING: [&str; 6] = ["rising", "rises", "increasing", "ascending", "english", "growing"];
/// Words for an end of the sale.
const ENDING: [&str; 4] = ["until", "before", "ends", "closes"];
const BLOCKS_MAX: u64 = i32::MAX as u64;
const SLOPE_MAX: u64 = 1_000_000_000;

impl Price {
    /// Statements that compute `cost`, what `amount` more tokens cost when so many are `sold`; of a
    /// falling price at the block `at`.
    pub(super) fn cost(&self, sold: &str) -> Vec<String> {
        match self {
            Price::Fixed(price) => vec![format!("let cost = {} * int(amount);", sats(*price))],
            Price::Linear { base, slope, per } => {
                // The integral of base + slope · x / per from `sold` to `sold + amount`, rounded up.
                let (whole, less) = (per * 2, per * 2 - 1);
                vec![
                    format!("let rise = {} * int(amount) * (int({sold}) * 2 + int(amount));", sats(*slope)),
                    format!("let cost = {} * int(amount) + (rise + {}) / {};", sats(*base), sats(less), digits(whole)),
                ]
            }
            Price::Dutch { start, end, from, over } => vec![
                format!("let passed = min(at - height {}, {} blocks);", digits(*from), digits(*over)),
                format!("let price = {} - {} * int(passed) / {};", sats(*start), sats(start - end), digits(*over)),
                "let cost = price * int(amount);".to_owned(),
            ],
        }
    }

    /// What `amount` tokens cost in all, from the first on: what a sale of them holds at most.
    pub(super) fn of_all(&self, amount: u64) -> IBig {
        let n = IBig::from(amount);
        match self {
            Price::Fixed(price) => n * IBig::from(*price),
            Price::Dutch { start, .. } => n * IBig::from(*start),
            Price::Linear { base, slope, per } => {
                let twice = IBig::from(2) * IBig::from(*per);
                let rise = IBig::from(*slope) * &n * &n;
                n * IBig::from(*base) + (rise + &twice - IBig::ONE) / twice
            }
        }
    }
}

/// Reads `25% price ..`, whose weight has been read, and proves that the whole part can be paid for.
pub(super) fn read<'t>(
    entry: &'t Entry,
    phrase: &'t Phrase,
    amount: u64,
    settings: &mut Settings<'t, '_, '_>,
) -> Option<Price> {
    if let Some(clause) = phrase.clauses.iter().find(|clause| says(clause, &ENDING)) {
        let loc = settings.report.loc(clause.span);
        return ending(&loc, settings);
    }
    let [clause] = phrase.clauses.as_slice() else { return malformed(entry, EXAMPLE, settings.report) };
    let words = clause.text();
    let words = words.strip_prefix("rest ").unwrap_or(&words);
    if says(clause, &RISING) {
        let loc = settings.report.loc(clause.span);
        return rising(&loc, "a price that rises as time passes", settings);
    }
    let price = match (words, &clause.value, &clause.entries) {
        ("price fixed", Some(value), None) => Price::Fixed(settings.amount(value)?.value.get()),
        ("price linear", None, Some(entries)) => linear(entry, entries, settings)?,
        ("price dutch", None, Some(entries)) => dutch(entry, entries, settings)?,
        ("price linear", ..) => return malformed(entry, LINEAR, settings.report),
        ("price dutch", ..) => return malformed(entry, DUTCH, settings.report),
        _ => return malformed(entry, EXAMPLE, settings.report),
    };
    affordable(entry, &price, amount, settings)?;
    Some(price)
}

fn says(clause: &Clause, words: &[&str]) -> bool {
    clause.words.iter().any(|word| words.contains(&word.as_str()))
}

fn linear<'t>(entry: &Entry, entries: &'t [Entry], settings: &mut Settings<'t, '_, '_>) -> Option<Price> {
    let all = known(&[("base", "base: 100 sats,"), ("slope", "slope: 2 sats,"), ("per", "per: 1_000,")]);
    let mut group = Settings::new("the price".into(), all, entries, entry.key.span, settings.env, settings.report);
    let base = amount(&mut group, "base");
    let slope = match group.need("slope") {
        Some(entry) => group.expr(entry).and_then(|value| group.number(value, &Type::Coin, 1, SLOPE_MAX)),
        None => None,
    };
    let per = match group.get("per") {
        Some(entry) => group.expr(entry).and_then(|value| group.number(value, &Type::Int, 1, SLOPE_MAX))?.value,
        None => 1,
    };
    Some(Price::Linear { base: base?.value, slope: slope?.value, per })
}

fn dutch<'t>(entry: &Entry, entries: &'t [Entry], settings: &mut Settings<'t, '_, '_>) -> Option<Price> {
    let all = known(&[
        ("start", "start: 1_000 sats,"),
        ("end", "end: 100 sats,"),
        ("from", "from: height 930_000,"),
        ("over", "over: 10_000 blocks,"),
    ]);
    let mut group = Settings::new("the price".into(), all, entries, entry.key.span, settings.env, settings.report);
    let (start, end) = (amount(&mut group, "start"), amount(&mut group, "end"));
    let from = match group.need("from") {
        Some(entry) => group.expr(entry).and_then(|value| group.height(value)),
        None => None,
    };
    let over = match group.need("over") {
        Some(entry) => group.expr(entry).and_then(|value| group.number(value, &Type::Blocks, 1, BLOCKS_MAX)),
        None => None,
    };
    let (start, end) = (start?, end?);
    if end.value > start.value {
        let what = format!("a price that rises from {} to {}", sats(start.value), sats(end.value));
        return rising(&end.loc, &what, &mut group);
    }
    Some(Price::Dutch { start: start.value, end: end.value, from: from?.value, over: over?.value })
}

fn amount(group: &mut Settings<'_, '_, '_>, key: &str) -> Option<At<u64>> {
    let entry = group.need(key)?;
    let value = group.expr(entry)?;
    let At { value, loc } = group.amount(value)?;
    Some(At { value: value.get(), loc })
}

/// A script reads the time from a field that the spender sets: it may be older than the truth, and never newer.
fn rising<T>(at: &Loc, what: &str, settings: &mut Settings<'_, '_, '_>) -> Option<T> {
    let found = settings.report.error(Code::E0922, format!("no script can enforce {what}"), at);
    settings.report.fail(
        found
            .saying("a buyer would name an older block and pay less")
            .note("a script can demand that a block has been reached, but not that a later one has not")
            .help("let it rise with what has been sold, by `price linear { base: .., slope: .. }`, or fall as blocks pass, by `price dutch { start: .., end: .., from: .., over: .. }`"),
    )
}

fn ending<T>(at: &Loc, settings: &mut Settings<'_, '_, '_>) -> Option<T> {
    let found = settings.report.error(Code::E0922, "no script can end a sale at a time", at);
    settings.report.fail(
        found
            .saying("a late buyer would name an older block")
            .note("a script can demand that a block has been reached, but not that a later one has not")
            .help("remove it: the sale ends when its part is sold; make the part smaller, or let the price fall by `price dutch { .. }` so that it sells in time"),
    )
}

/// Nobody has more money than there is.
fn affordable(entry: &Entry, price: &Price, amount: u64, settings: &mut Settings<'_, '_, '_>) -> Option<()> {
    let (all, most) = (price.of_all(amount), IBig::from(Sats::MAX.get()));
    if all <= most {
        return Some(());
    }
    let (tokens, all) = (grouped(&IBig::from(amount)), grouped(&all));
    let message = format!("all {tokens} tokens of `{}` cost {all} sats, more than all money", entry.key);
    let found = settings.report.error(Code::E0923, message, entry.span);
    let found = found.saying(match price {
        Price::Fixed(price) => format!("{tokens} × {}", sats(*price)),
        Price::Dutch { start, .. } => format!("{tokens} × {} at the start", sats(*start)),
        Price::Linear { base, slope, per } => {
            let per = if *per == 1 { String::new() } else { format!(" / {}", grouped(&IBig::from(*per))) };
            format!("{tokens} × {} + {}{per} × {tokens}² / 2", sats(*base), sats(*slope))
        }
    });
    let found = found.note(format!("there are never more than {} sats", grouped(&most)));
    settings.report.fail(found.help(match price {
        Price::Linear { .. } => "lower the slope, such as by `per: 1_000`, or sell fewer tokens",
        _ => "lower the price, or sell fewer tokens",
    }))
}

fn digits(n: u64) -> String {
    grouped(&IBig::from(n))
}

pub(super) fn sats(amount: u64) -> String {
    format!("{} sats", grouped(&IBig::from(amount)))
}

/// Whether a value is a price or speaks of one.
pub(super) fn is_price(value: &EntryValue) -> bool {
    let EntryValue::Phrase(phrase) = value else { return false };
    phrase.clauses.iter().any(|clause| says(clause, &["price"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_part_costs_the_integral_rounded_up() {
        let linear = |base, slope, per| Price::Linear { base, slope, per };
        for (price, amount, all) in [
            (Price::Fixed(100), 5, 500),
            (Price::Dutch { start: 9, end: 1, from: 1, over: 1 }, 5, 45),
            (linear(100, 2, 1), 3, 309),
            (linear(100, 1, 1), 3, 305),
            (linear(1, 1, 1_000), 1, 2),
        ] {
            assert_eq!(price.of_all(amount), IBig::from(all), "{price:?}");
        }
    }
}
