//! `bmc.costs`: what the transactions of each test take, one line a test, to be kept beside the sources.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use tester::Outcome;

use crate::fail::Fail;
use crate::shell::{BAD, GOOD, Shell};
use crate::units::grouped;

const FILE: &str = "bmc.costs";

/// What is measured of a test, by name.
fn figures(outcome: &Outcome) -> [(&'static str, u64); 2] {
    [("bytes", outcome.bytes()), ("cost", outcome.cost())]
}

/// Tests that make transactions, and pass: what a failing one has done so far says nothing.
fn measured(outcomes: &[Outcome]) -> impl Iterator<Item = &Outcome> {
    outcomes.iter().filter(|outcome| outcome.passed() && !outcome.spendings.is_empty())
}

pub(super) fn write(shell: &Shell, outcomes: &[Outcome]) -> Result<(), Fail> {
    let mut text = String::new();
    for outcome in measured(outcomes) {
        let figures = figures(outcome).map(|(what, figure)| format!("{what} {figure}"));
        let _ = writeln!(text, "{} {}", outcome.full_name(), figures.join(" "));
    }
    std::fs::write(FILE, &text)?;
    shell.note(format_args!("{GOOD}wrote{GOOD:#} {FILE}, {} tests", text.lines().count()));
    Ok(())
}

/// The lines of the file: for each test its figures.
fn read() -> Result<BTreeMap<String, BTreeMap<String, u64>>, Fail> {
    let help = "write it with `bmc test --snapshot`";
    if !Path::new(FILE).exists() {
        return Err(Fail::usage(format!("there is no `{FILE}` here")).help(help));
    }
    let text = std::fs::read_to_string(FILE)?;
    let mut all = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let mut words = line.split(' ');
        let name = words.next().unwrap_or_default().to_owned();
        let mut figures = BTreeMap::new();
        while let (Some(what), Some(figure)) = (words.next(), words.next()) {
            let wrong = || Fail::usage(format!("`{FILE}:{}`: `{figure}` is no number", number + 1)).help(help);
            figures.insert(what.to_owned(), figure.parse().map_err(|_| wrong())?);
        }
        all.insert(name, figures);
    }
    Ok(all)
}

/// Fails where a test takes more than before. A test that is not in the file is no regression.
pub(super) fn check(shell: &Shell, outcomes: &[Outcome]) -> Result<(), Fail> {
    let before = read()?;
    let (mut worse, mut better) = (0_usize, 0_usize);
    for outcome in measured(outcomes) {
        let Some(known) = before.get(&outcome.full_name()) else { continue };
        for (what, now) in figures(outcome) {
            let Some(then) = known.get(what).copied() else { continue };
            if now == then {
                continue;
            }
            let style = if now > then { BAD } else { GOOD };
            *(if now > then { &mut worse } else { &mut better }) += 1;
            let name = outcome.full_name();
            writeln!(shell.err(), "{style}{name}{style:#}: {what} {} → {}", grouped(then), grouped(now))?;
        }
    }
    if worse > 0 {
        return Err(Fail::refused(format!("{worse} figures are worse than in `{FILE}`"))
            .help("find out why, or accept them with `bmc test --snapshot`"));
    }
    if better > 0 {
        shell.note(format_args!("{better} figures are better than in `{FILE}`; keep them with `bmc test --snapshot`"));
    }
    Ok(())
}
