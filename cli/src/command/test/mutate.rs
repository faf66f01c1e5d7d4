//! `bmc test --mutate`: which conditions could go without any test noticing.

use driver::Compiled;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tester::{Change, Choice, Fate, Mutant, fate, mutants};

use crate::fail::Fail;
use crate::project::Project;
use crate::shell::{BAD, BOLD, FAINT, GOOD, NAME, Shell};

/// Changes one `require` after the other and runs the tests.
pub(super) fn all(shell: &Shell, project: &mut Project, compiled: &Compiled, choice: &Choice) -> Result<(), Fail> {
    let all = mutants(compiled, &project.own_files(compiled));
    let bar = if shell.json() { ProgressBar::hidden() } else { ProgressBar::new(all.len() as u64) };
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} mutants") {
        bar.set_style(style);
    }
    let mut judged = Vec::new();
    for mutant in all {
        let text = compiled.places.files().find(|file| *file.path == *mutant.file).map(|file| file.text.clone());
        let changed = text.as_deref().and_then(|text| mutant.apply(text));
        if let (Some(text), Some(changed)) = (text, changed) {
            let fate = fate(&project.with_text(&mutant.file, changed.into(), text), choice);
            judged.push((mutant, fate));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    tell(shell, &judged)
}

fn tell(shell: &Shell, judged: &[(Mutant, Fate)]) -> Result<(), Fail> {
    let count = |wanted: fn(&Fate) -> bool| judged.iter().filter(|(_, fate)| wanted(fate)).count();
    let noticed = count(|fate| matches!(fate, Fate::Noticed(_)));
    let unproved = count(|fate| matches!(fate, Fate::Unproved(_)));
    let (malformed, survived) = (count(|fate| *fate == Fate::Malformed), count(|fate| *fate == Fate::Survived));
    let asked = noticed + unproved + survived;
    let data: Vec<Value> = judged.iter().map(as_json).collect();
    let data = json!({
        "mutants": data, "noticed": noticed, "unproved": unproved, "survived": survived, "malformed": malformed,
    });
    shell.print(&data, |out| {
        for (mutant, _) in judged.iter().filter(|(_, fate)| *fate == Fate::Survived) {
            let Mutant { file, line, message, change, .. } = mutant;
            let what = match change {
                Change::Deleted => "deleted",
                Change::Negated => "turned into its opposite",
            };
            writeln!(out, "{BAD}unnoticed{BAD:#} {NAME}{file}:{line}{NAME:#} \"{message}\" {what}")?;
        }
        let style = if survived == 0 { GOOD } else { BOLD };
        let percent = (100 * (noticed + unproved)).checked_div(asked).unwrap_or(100);
        write!(out, "{style}{} of {asked} mutants noticed, {percent} %{style:#}", noticed + unproved)?;
        write!(
            out,
            "{FAINT}: {noticed} by tests, {unproved} by the compiler, which has no proof without them{FAINT:#}"
        )?;
        if malformed > 0 {
            write!(out, "{FAINT}; {malformed} more are no programs{FAINT:#}")?;
        }
        writeln!(out)
    })?;
    if survived == 0 { Ok(()) } else { Err(Fail::said()) }
}

fn as_json((mutant, fate): &(Mutant, Fate)) -> Value {
    let change = if mutant.change == Change::Deleted { "deleted" } else { "negated" };
    let (fate, by) = match fate {
        Fate::Noticed(test) => ("noticed", Some(test.as_str())),
        Fate::Unproved(code) => ("unproved", Some(code.name())),
        Fate::Malformed => ("malformed", None),
        Fate::Survived => ("survived", None),
    };
    json!({ "file": mutant.file, "line": mutant.line, "message": mutant.message, "change": change, "fate": fate, "by": by })
}
