//! Makes the edits that diagnostics propose, and compiles again to see that they did what they say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use driver::{Compiled, Diagnostic, Effect, Remedy, Severity, apply};
use serde::Serialize;

use crate::project::Project;

/// More rounds than any source needs: each makes an edit or gives one up.
const ROUNDS_MAX: usize = 1_000;

/// Which fixes are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Those that leave scripts as they are, or say what nobody could mean otherwise.
    Sure,
    /// All of them.
    All,
}

impl Trust {
    /// The fix of a diagnostic that would be made.
    pub(super) fn choose(self, compiled: &Compiled, found: &Diagnostic) -> Option<Remedy> {
        let mut all = compiled.remedies(found);
        all.retain(|remedy| self == Self::All || remedy.effect != Effect::Changes);
        all.sort_by_key(|remedy| remedy.effect);
        all.into_iter().next()
    }
}

/// What became of the sources.
pub(super) struct Mended {
    /// What is left to say.
    pub(super) compiled: Compiled,
    /// The sources that are others now.
    pub(super) files: Vec<Changed>,
    /// The fixes, in the order in which they were made.
    pub(super) made: Vec<Made>,
}

/// A source with its text before and after.
pub(super) struct Changed {
    pub(super) path: String,
    pub(super) before: Arc<str>,
    pub(super) after: String,
}

/// A fix that was made.
#[derive(Serialize)]
pub(super) struct Made {
    pub(super) file: String,
    pub(super) code: &'static str,
    pub(super) title: String,
    effect: &'static str,
}

/// A fix to make, and what it is called when it does not do what it says.
struct Candidate {
    code: &'static str,
    key: (String, String),
    remedy: Remedy,
}

pub(super) fn mend(project: &mut Project, trust: Trust) -> Mended {
    let own: BTreeSet<String> = project.roots().iter().cloned().collect();
    let mut compiled = project.compile();
    let before = texts(&compiled, &own);
    let (mut made, mut given_up, mut alone) = (Vec::new(), BTreeSet::new(), false);
    for _ in 0..ROUNDS_MAX {
        let mut batch = batch(&compiled, trust, &own, &given_up);
        if alone {
            batch.truncate(1);
        }
        let Some(first) = batch.first() else { break };
        match attempt(project, &compiled, &batch, &own) {
            Some(better) => {
                compiled = better;
                made.extend(batch.iter().map(Made::of));
                alone = false;
            }
            // One of them does not do what it says: it is found by trying each alone.
            None if batch.len() > 1 => alone = true,
            None => {
                given_up.insert(first.key.clone());
            }
        }
    }
    let after = texts(&compiled, &own);
    let both = before.into_iter().filter_map(|(path, before)| {
        let after = after.get(&path)?.to_string();
        (*before != *after).then(|| Changed { path: path.to_string(), before: before.into(), after })
    });
    Mended { files: both.collect(), compiled, made }
}

impl Made {
    fn of(candidate: &Candidate) -> Self {
        let Candidate { code, remedy, .. } = candidate;
        let file = remedy.changes.first().map_or_else(String::new, |change| change.path.to_string());
        Self { file, code, title: remedy.title.clone(), effect: remedy.effect.name() }
    }
}

/// The texts of the sources that may be changed.
fn texts(compiled: &Compiled, own: &BTreeSet<String>) -> BTreeMap<Arc<str>, String> {
    let files = compiled.places.files().filter(|file| own.contains(&*file.path));
    files.map(|file| (Arc::clone(&file.path), file.text.to_string())).collect()
}

/// Fixes that can be made together: they edit different places, and either all of them leave scripts alone or none.
fn batch(
    compiled: &Compiled,
    trust: Trust,
    own: &BTreeSet<String>,
    given_up: &BTreeSet<(String, String)>,
) -> Vec<Candidate> {
    let mut chosen: Vec<Candidate> = Vec::new();
    let mut candidates: Vec<Candidate> = compiled
        .diagnostics
        .iter()
        .filter_map(|found| {
            let remedy = trust.choose(compiled, found)?;
            let key = (found.message.clone(), remedy.title.clone());
            Some(Candidate { code: found.code.name(), key, remedy })
        })
        .filter(|candidate| !given_up.contains(&candidate.key))
        .filter(|candidate| candidate.remedy.changes.iter().all(|change| own.contains(&*change.path)))
        .collect();
    candidates.sort_by_key(|candidate| candidate.remedy.effect);
    for candidate in candidates {
        let first = chosen.first().map(|first| first.remedy.effect == Effect::Changes);
        let alike = first.is_none_or(|changes| changes == (candidate.remedy.effect == Effect::Changes));
        if alike && !chosen.iter().any(|other| other.remedy.conflicts(&candidate.remedy)) {
            chosen.push(candidate);
        }
    }
    chosen
}

/// What comes of the fixes, if they do what they say; the project has its texts back otherwise.
fn attempt(
    project: &mut Project,
    compiled: &Compiled,
    batch: &[Candidate],
    own: &BTreeSet<String>,
) -> Option<Compiled> {
    let before = texts(compiled, own);
    let mut after = before.clone();
    apply(&mut after, batch.iter().flat_map(|candidate| &candidate.remedy.changes));
    set(project, &before, &after);
    let better = project.compile();
    let changes = batch.iter().any(|candidate| candidate.remedy.effect == Effect::Changes);
    let kept = changes || keeps_scripts(compiled, &better);
    if kept && is_better(compiled, &better) && before != after {
        return Some(better);
    }
    set(project, &after, &before);
    None
}

fn set(project: &mut Project, from: &BTreeMap<Arc<str>, String>, to: &BTreeMap<Arc<str>, String>) {
    for (path, text) in to.iter().filter(|(path, text)| from.get(*path) != Some(text)) {
        project.set_text(path, text.as_str().into());
    }
}

/// Whether there are no more errors than before. Where the form was wrong and is less so, others may come to light.
fn is_better(before: &Compiled, after: &Compiled) -> bool {
    let errors = |compiled: &Compiled, of_form: bool| {
        let wrong = compiled.diagnostics.iter().filter(|found| found.severity == Severity::Error);
        wrong.filter(|found| !of_form || found.code.name().starts_with("E00")).count()
    };
    errors(after, true) < errors(before, true) || errors(after, false) <= errors(before, false)
}

/// Whether every script that there was is there still, to the byte.
fn keeps_scripts(before: &Compiled, after: &Compiled) -> bool {
    before.artifacts.iter().all(|artifact| {
        let twin = after.artifacts.iter().find(|other| other.contract == artifact.contract);
        twin.is_some_and(|twin| twin.bytecode == artifact.bytecode)
    })
}
