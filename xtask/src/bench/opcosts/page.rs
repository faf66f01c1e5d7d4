//! The figures as tables and as a page of the documentation.

use std::fmt::Write as _;

use spec::RuleSet;

use super::measure::{Measured, Way};
use super::{TIMES_MAX, Table, hundredths};

/// One table: the slowest shape of each opcode, or all of them.
pub(super) fn table(table: &Table, all: bool) -> String {
    let signature = table.signature();
    let mut out = format!(
        "`{}`: a unit of a signature check takes {} ps\n\n| opcode | operands | cost |",
        table.set.name(),
        signature
    );
    Way::ALL.iter().for_each(|way| out += &format!(" {} |", way.name()));
    out.push_str(" times a signature |\n|---|---|--:|--:|--:|--:|--:|--:|--:|\n");
    let rows: Vec<&Measured> = if all { table.rows.iter().collect() } else { table.worst() };
    for row in rows {
        let _ =
            write!(out, "| `{}` | {} | {} |", row.shape.opcode.name(), row.shape.name, grouped(row.milli_cost / 1_000));
        for way in Way::ALL {
            let _ = match row.per_unit(way) {
                Some(pico) => write!(out, " {pico} |"),
                None => write!(out, " |"),
            };
        }
        let _ = writeln!(out, " {} |", hundredths(row.worst() * 1_000 / signature));
    }
    out
}

/// The whole page.
pub(super) fn page(tables: &[Table]) -> String {
    let mut out = String::from(INTRODUCTION);
    let _ = writeln!(out, "\nMeasured on {}.\n\n![times a signature check](opcosts.svg)\n", machine());
    for one in tables {
        let title = match one.set {
            RuleSet::Bch2026 => "Bitcoin Cash of May 2026",
            RuleSet::Bitmodel => "Our rules",
        };
        let _ = writeln!(out, "## {title}\n\n{}{}", table(one, false), above(one));
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

const INTRODUCTION: &str = "# How long a unit of cost takes

`cargo xtask bench opcosts` writes this page. For each opcode it shows the operands with which a unit of cost takes
longest, of those that were tried: up to the largest item, in every engine. The figures are picoseconds for each unit, and
at the end how many times longer than a unit of a signature check that is, in the slowest engine. Whoever wants a block to
take long would use the opcode with the largest such number; under our own rules the command fails while one is above three.

An opcode takes its operands away, so each turn copies them first and drops the result, and all of that is in the time and in
the cost. An item cannot be had for less: whatever makes one is charged its length. Costs are those of blocks. An engine
without a figure has no code of its own for a script with so many turns, and another runs it. Signature checks, and
what comes out above two, are measured again, and the better figure counts.
";

/// What takes more than three times as long, in words.
fn above(table: &Table) -> String {
    let signature = table.signature();
    let over = |way: Way| {
        let times = |row: &&Measured| row.per_unit(way).is_some_and(|pico| pico > TIMES_MAX * signature);
        let names: Vec<String> =
            table.worst().iter().filter(|row| times(row)).map(|row| format!("`{}`", row.shape.opcode.name())).collect();
        (!names.is_empty()).then(|| format!("{}: {}", way.name(), names.join(", ")))
    };
    let over: Vec<String> = Way::ALL.into_iter().filter_map(over).collect();
    if over.is_empty() {
        return "\nNo opcode is above three.\n".to_owned();
    }
    format!("\nAbove three, by engine: {}.\n", over.join("; "))
}

fn grouped(n: u128) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The processor, and how the code was compiled.
fn machine() -> String {
    format!(
        "{}, one core, by the thread's processor time, as released but for optimisation at link time",
        crate::bench::processor()
    )
}

/// For the picture.
pub(super) fn limit() -> String {
    format!("{TIMES_MAX} times")
}
