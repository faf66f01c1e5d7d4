//! `cargo xtask bench opcosts`: how long a cost unit takes, opcode by opcode, beside one of a signature check.
//!
//! Whoever wants a block to take long uses the opcodes that take longest for their cost; so it is the slowest of them that
//! says how long a block can take, and a flat table is what makes prices fair.

mod draw;
mod measure;
mod page;
mod shapes;

use std::fs;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use spec::{Mode, Opcode, RuleSet, Rules};

use measure::{Measured, measure};

/// The folder of the page and its picture.
const PAGES: &str = "docs/book/src";

/// An opcode may take as many times longer than a signature check for each unit.
const TIMES_MAX: u128 = 3;
/// What takes more than so many times longer is measured again.
const AGAIN_FROM: u128 = 2;

/// The figures of one rule set.
struct Table {
    set: RuleSet,
    /// Each opcode's shapes, in the order of the opcodes.
    rows: Vec<Measured>,
}

impl Table {
    fn measure(set: RuleSet, only: Option<&str>) -> Result<Self, String> {
        let mut rules = Rules::new(set, Mode::Consensus);
        // Room for the turns; what they cost does not depend on it.
        rules.prices.budget_per_byte = 1 << 36;
        rules.prices.half_iterations_per_byte = 1 << 36;
        let wanted =
            |name: &str| only.is_none_or(|only| name.contains(&only.to_uppercase())) || name == Opcode::CheckSig.name();
        let shapes: Vec<_> = shapes::shapes(&rules).into_iter().filter(|shape| wanted(shape.opcode.name())).collect();
        let bar = ProgressBar::new(shapes.len() as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        let mut rows = Vec::new();
        for shape in &shapes {
            bar.set_message(format!("{} {} {}", set.name(), shape.opcode.name(), shape.name));
            rows.push(measure(shape, &rules)?);
            bar.inc(1);
        }
        bar.finish_and_clear();
        let mut table = Self { set, rows };
        table.measure_again(&rules)?;
        Ok(table)
    }

    /// Something else may have run on the machine meanwhile, which only makes figures larger: the better of two counts. What
    /// others are compared with comes first.
    fn measure_again(&mut self, rules: &Rules) -> Result<(), String> {
        self.improve(rules, |row| row.shape.opcode == Opcode::CheckSig)?;
        let much = AGAIN_FROM * self.signature();
        self.improve(rules, |row| row.worst() > much)
    }

    fn improve(&mut self, rules: &Rules, wanted: impl Fn(&Measured) -> bool) -> Result<(), String> {
        for row in self.rows.iter_mut().filter(|row| wanted(row)) {
            let again = measure(&row.shape, rules)?;
            row.improve(&again);
        }
        Ok(())
    }

    /// What a unit of the slowest signature check takes, in picoseconds. All engines call the same code for it, so the best of
    /// them has measured it best.
    fn signature(&self) -> u128 {
        let checks = self.rows.iter().filter(|row| row.shape.opcode == Opcode::CheckSig);
        checks.map(Measured::best).max().unwrap_or(1).max(1)
    }

    /// The slowest shape of each opcode.
    fn worst(&self) -> Vec<&Measured> {
        let mut worst: Vec<&Measured> = Vec::new();
        for row in &self.rows {
            match worst.last_mut() {
                Some(last) if last.shape.opcode == row.shape.opcode => {
                    if row.worst() > last.worst() {
                        *last = row;
                    }
                }
                _ => worst.push(row),
            }
        }
        worst
    }
}

/// Thousandths as a decimal number with two places.
fn hundredths(milli: u128) -> String {
    let rounded = (milli + 5) / 10;
    format!("{}.{:02}", rounded / 100, rounded % 100)
}

/// Measures, prints, and writes the page and its picture.
///
/// In the development profile the crates around the engines are hardly optimised, which is in the times and in no one's
/// node: then the tool builds itself as released, but for optimisation at link time, and that measures.
pub(super) fn run(root: &Path, only: Option<&str>, all: bool) -> Result<(), String> {
    if cfg!(debug_assertions) {
        return run_as_released(root, only, all);
    }
    let tables = [RuleSet::Bch2026, RuleSet::Bitmodel].map(|set| Table::measure(set, only));
    let tables: Vec<Table> = tables.into_iter().collect::<Result<_, _>>()?;
    for table in &tables {
        println!("{}", page::table(table, all));
    }
    if only.is_some() {
        return Ok(());
    }
    let write = |name: &str, text: String| {
        fs::write(root.join(PAGES).join(name), text).map_err(|error| format!("cannot write `{PAGES}/{name}`: {error}"))
    };
    write("opcosts.md", page::page(&tables))?;
    write("opcosts.svg", draw::svg(&tables))?;
    let ours = tables.iter().filter(|table| table.set == RuleSet::Bitmodel);
    let over: Vec<String> = ours.flat_map(over).collect();
    crate::none_of("more than three times a signature's time for a unit", &over)
}

fn run_as_released(root: &Path, only: Option<&str>, all: bool) -> Result<(), String> {
    let mut args = vec!["run", "--quiet", "--profile", "measure", "--package", "xtask", "--", "bench", "opcosts"];
    args.extend(only.iter().flat_map(|only| ["--only", only]));
    args.extend(all.then_some("--all"));
    let status = crate::cargo()
        .args(&args)
        .current_dir(root)
        .status()
        .map_err(|error| format!("cargo did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err("as released, this failed".to_owned()) }
}

/// The opcodes that take too long for their price.
fn over(table: &Table) -> Vec<String> {
    let signature = table.signature();
    let over = table.worst().into_iter().filter(|row| row.worst() > TIMES_MAX * signature);
    over.map(|row| {
        let times = hundredths(row.worst() * 1_000 / signature);
        format!("{} {}: {times} times", row.shape.opcode.name(), row.shape.name)
    })
    .collect()
}
