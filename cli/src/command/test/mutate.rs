//! `bmc test --mutate`: which conditions could go without any test noticing.

use std::collections::BTreeSet;

use driver::Compiled;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tester::{Change, Choice, Fate, Mutant, fate, mutants};

use crate::fail::Fail;
use crate::project::Project;
use crate::shell::{BAD, BOLD, FAINT, GOOD, NAME, Shell};

/// Changes one `require` after the other and runs the tests.
pub(super) fn all(shell: &Shell, project: &mut Project, compiled: &Compiled, choice: &Choice) -> Result<(), Fail> {
    let own: BTreeSet<String> =
        compiled.places.files().map(|file| file.path.to_string()).filter(|path| !path.starts_with("std/")).collect();
    let all = mutants(compiled, &own);
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
    let (refused, survived) = (count(|fate| *fate == Fate::Refused), count(|fate| *fate == Fate::Survived));
    let asked = noticed + survived;
    let data: Vec<Value> = judged.iter().map(as_json).collect();
    let data = json!({ "mutants": data, "noticed": noticed, "survived": survived, "refused": refused });
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
        let percent = (100 * noticed).checked_div(asked).unwrap_or(100);
        write!(out, "{style}{noticed} of {asked} mutants noticed, {percent} %{style:#}")?;
        writeln!(out, "{FAINT}; {refused} more the compiler refuses{FAINT:#}")
    })?;
    if survived == 0 { Ok(()) } else { Err(Fail::said()) }
}

fn as_json((mutant, fate): &(Mutant, Fate)) -> Value {
    let change = if mutant.change == Change::Deleted { "deleted" } else { "negated" };
    let (fate, by) = match fate {
        Fate::Noticed(test) => ("noticed", Some(test)),
        Fate::Refused => ("refused", None),
        Fate::Survived => ("survived", None),
    };
    json!({ "file": mutant.file, "line": mutant.line, "message": mutant.message, "change": change, "fate": fate, "by": by })
}
