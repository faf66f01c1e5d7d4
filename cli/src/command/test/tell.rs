//! The results for people, and as JSON.

use std::io::{self, Write};

use driver::Compiled;
use serde_json::{Value, json};
use tester::{Counterexample, Outcome, Verdict};

use crate::fail::Fail;
use crate::shell::{BAD, BOLD, FAINT, GOOD, NAME, Shell};
use crate::units::grouped;

/// Prints every outcome; `again` are the options that choose the same sources.
pub(super) fn all(shell: &Shell, compiled: &Compiled, outcomes: &[Outcome], again: &str) -> Result<(), Fail> {
    let data: Vec<Value> = outcomes.iter().map(as_json).collect();
    let passed = outcomes.iter().filter(|outcome| outcome.passed()).count();
    let failed = outcomes.len() - passed;
    shell.print(&json!({ "tests": data, "passed": passed, "failed": failed }), |out| {
        let width = outcomes.iter().map(|outcome| outcome.full_name().chars().count()).max().unwrap_or(0);
        outcomes.iter().try_for_each(|outcome| line(out, outcome, width))
    })?;
    if shell.json() {
        return Ok(());
    }
    let mut err = shell.err();
    for outcome in outcomes {
        if let Verdict::Failed { fault, counterexample } = &outcome.verdict {
            writeln!(err)?;
            compiled.render_finding(&mut err, &fault.finding(&outcome.full_name()), shell.err_color())?;
            if let Some(example) = counterexample {
                self::example(&mut err, outcome, example, again)?;
            }
        }
    }
    let mut out = shell.out();
    let style = if failed == 0 { GOOD } else { BAD };
    let tests = if outcomes.len() == 1 { "test" } else { "tests" };
    match failed {
        0 => writeln!(out, "{style}{passed} {tests} passed{style:#}")?,
        _ => writeln!(out, "{style}{failed} of {} {tests} failed{style:#}", outcomes.len())?,
    }
    Ok(())
}

fn line(out: &mut dyn Write, outcome: &Outcome, width: usize) -> io::Result<()> {
    let (style, word) = if outcome.passed() { (GOOD, "ok") } else { (BAD, "failed") };
    write!(out, "{style}{word:<6}{style:#} {NAME}{:<width$}{NAME:#}", outcome.full_name())?;
    if let Some(cases) = outcome.cases {
        write!(out, "  {cases} {}", if cases == 1 { "case" } else { "cases" })?;
    }
    if !outcome.spendings.is_empty() {
        write!(out, "  {FAINT}{} bytes, cost {}{FAINT:#}", grouped(outcome.bytes()), grouped(outcome.cost()))?;
    }
    writeln!(out)?;
    for (label, count) in &outcome.labels {
        let cases = outcome.cases.unwrap_or(0).max(1);
        writeln!(out, "       {:>5} %  {label}", tenths(*count, cases))?;
    }
    Ok(())
}

/// A share in percent, with one decimal.
fn tenths(part: u32, whole: u32) -> String {
    let tenths = (u64::from(part) * 1_000 + u64::from(whole) / 2) / u64::from(whole);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// The values for which a property fails, and how to see it again.
fn example(out: &mut dyn Write, outcome: &Outcome, example: &Counterexample, again: &str) -> io::Result<()> {
    writeln!(out, "{BOLD}counterexample{BOLD:#} in case {}, made simpler {} times", example.case, example.shrinks)?;
    for (name, value) in &example.values {
        writeln!(out, "  {NAME}{name}{NAME:#} = {value}")?;
    }
    writeln!(out, "{BOLD}again:{BOLD:#} bmc test {} --replay {:#x}{again}", outcome.full_name(), example.seed)
}

fn as_json(outcome: &Outcome) -> Value {
    let spendings = outcome.spendings.iter();
    let spendings = spendings.map(|one| json!({ "paths": one.paths, "bytes": one.bytes, "cost": one.cost }));
    let mut data = json!({
        "name": outcome.full_name(),
        "file": outcome.file,
        "line": outcome.line,
        "passed": outcome.passed(),
        "bytes": outcome.bytes(),
        "cost": outcome.cost(),
        "transactions": spendings.collect::<Vec<_>>(),
    });
    let mut put = |name: &str, value: Value| {
        data.as_object_mut().map(|fields| fields.insert(name.to_owned(), value));
    };
    if let Some(cases) = outcome.cases {
        put("cases", json!(cases));
        let labels = outcome.labels.iter().map(|(label, count)| json!({ "label": label, "cases": count }));
        put("labels", json!(labels.collect::<Vec<_>>()));
    }
    if let Verdict::Failed { fault, counterexample } = &outcome.verdict {
        put("message", json!(fault.message));
        put("notes", json!(fault.notes));
        if let Some(example) = counterexample {
            let values: Vec<Value> =
                example.values.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
            put(
                "counterexample",
                json!({ "seed": format!("{:#x}", example.seed), "case": example.case, "shrinks": example.shrinks, "values": values }),
            );
        }
    }
    data
}
