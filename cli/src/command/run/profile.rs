//! What a run costs, by opcode and by line.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use spec::artifact::SourceSpan;

use wallet::Places;

use super::places;
use crate::shell::{BOLD, NAME};
use crate::units::grouped;

/// The rows of each table that are shown to people.
const ROWS_MAX: usize = 20;

/// Counts while a script runs.
#[derive(Default)]
pub(crate) struct Counts {
    opcodes: BTreeMap<String, Count>,
    lines: BTreeMap<(usize, usize), Count>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    count: u64,
    cost: u64,
}

/// What a run costs.
#[derive(Serialize)]
pub(crate) struct Profile {
    /// The dearest first.
    opcodes: Vec<OpcodeCost>,
    /// The dearest first; without an artifact there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<LineCost>,
}

#[derive(Serialize)]
struct OpcodeCost {
    opcode: String,
    count: u64,
    cost: u64,
}

#[derive(Serialize)]
struct LineCost {
    file: String,
    /// From 1.
    line: usize,
    /// What stands there, if the source is here.
    text: String,
    count: u64,
    cost: u64,
}

impl Counts {
    /// Counts an instruction that has run.
    pub(crate) fn add(&mut self, opcode: &str, place: Option<SourceSpan>, cost: u64) {
        let line = place.map(|place| self.lines.entry((place.file, place.line)).or_default());
        for count in line.into_iter().chain([self.opcodes.entry(opcode.to_owned()).or_default()]) {
            count.count += 1;
            count.cost += cost;
        }
    }

    pub(crate) fn profile(&self, places: Option<&Places<'_>>) -> Profile {
        let opcode = |(opcode, count): (&String, &Count)| OpcodeCost {
            opcode: opcode.clone(),
            count: count.count,
            cost: count.cost,
        };
        let mut opcodes: Vec<OpcodeCost> = self.opcodes.iter().map(opcode).collect();
        opcodes.sort_by_key(|row| std::cmp::Reverse(row.cost));
        let mut files = BTreeMap::new();
        let mut lines = Vec::new();
        for ((file, line), count) in &self.lines {
            let Some(places) = places else { continue };
            let (name, texts): &(String, Vec<String>) =
                files.entry(*file).or_insert_with(|| places::file(places.artifact(), *file));
            let text = line.checked_sub(1).and_then(|line| texts.get(line)).cloned().unwrap_or_default();
            lines.push(LineCost { file: name.clone(), line: *line, text, count: count.count, cost: count.cost });
        }
        lines.sort_by_key(|row| std::cmp::Reverse(row.cost));
        Profile { opcodes, lines }
    }
}

/// Thousandths as a percentage.
fn share(part: u64, of: u64) -> String {
    let share = (u128::from(part) * 1_000 + u128::from(of) / 2) / u128::from(of.max(1));
    format!("{}.{} %", share / 10, share % 10)
}

impl Profile {
    pub(crate) fn table(&self, out: &mut dyn Write, all: u64) -> io::Result<()> {
        writeln!(out, "{BOLD}{:>14} {:>8} {:>12}  opcode{BOLD:#}", "cost", "share", "count")?;
        for row in self.opcodes.iter().take(ROWS_MAX) {
            let OpcodeCost { opcode, count, cost } = row;
            writeln!(
                out,
                "{:>14} {:>8} {:>12}  {NAME}{opcode}{NAME:#}",
                grouped(*cost),
                share(*cost, all),
                grouped(*count)
            )?;
        }
        rest(out, self.opcodes.len())?;
        if self.lines.is_empty() {
            return Ok(());
        }
        writeln!(out, "{BOLD}{:>14} {:>8} {:>12}  line{BOLD:#}", "cost", "share", "count")?;
        for row in self.lines.iter().take(ROWS_MAX) {
            let LineCost { file, line, text, count, cost } = row;
            let (cost, share, count) = (grouped(*cost), share(*cost, all), grouped(*count));
            writeln!(out, "{cost:>14} {share:>8} {count:>12}  {NAME}{file}:{line}{NAME:#} {text}")?;
        }
        rest(out, self.lines.len())
    }
}

fn rest(out: &mut dyn Write, rows: usize) -> io::Result<()> {
    match rows.saturating_sub(ROWS_MAX) {
        0 => Ok(()),
        more => writeln!(out, "{:>38}{more} more, with `--json`", ""),
    }
}
