//! Quick fixes: what mends the diagnostics of a range.

use std::ops::Range;
use std::sync::Arc;

use driver::{Change, Effect, Remedy};
use syntax::Code;

use crate::host::{Answer, Snapshot};
use crate::problems::place;
use crate::text::{FileEdit, TextEdit};

/// Something that an editor offers to do to the sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// As a menu shows it.
    pub title: String,
    /// The diagnostic that it mends; a refactoring has none.
    pub mends: Option<Code>,
    /// Which family of refactorings: `extract`, `inline` or `rewrite`.
    pub family: &'static str,
    /// Whether nothing else could be meant.
    pub preferred: bool,
    /// What it does, no two edits touching.
    pub edits: Vec<FileEdit>,
}

impl From<&Change> for FileEdit {
    fn from(change: &Change) -> Self {
        let edit = TextEdit { range: change.start..change.end, text: change.text.clone() };
        FileEdit { path: Arc::clone(&change.path), edit }
    }
}

impl Snapshot {
    /// What mends the diagnostics that touch a range.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn remedies(&self, path: &str, range: &Range<usize>) -> Answer<Vec<Action>> {
        self.ask_of(path, |files, file| {
            let found = self.diagnostics(files, file);
            let near = found.iter().filter(|found| !found.fixes.is_empty()).filter(|found| {
                let primary = found.labels.iter().find(|label| label.primary && label.loc.file == file);
                let at = primary.and_then(|label| place(files, &label.loc));
                at.is_some_and(|at| at.start <= range.end && range.start <= at.end)
            });
            let near: Vec<_> = near.collect();
            if near.is_empty() {
                return Vec::new();
            }
            let places = files.session.places();
            let mut actions = Vec::new();
            for found in near {
                let remedies: Vec<Remedy> = found.fixes.iter().filter_map(|fix| Remedy::of(fix, &places)).collect();
                let only = remedies.len() == 1;
                actions.extend(remedies.into_iter().map(|remedy| Action {
                    title: remedy.title,
                    mends: Some(found.code),
                    family: "",
                    preferred: only && remedy.effect != Effect::Changes,
                    edits: remedy.changes.iter().map(FileEdit::from).collect(),
                }));
            }
            actions
        })
    }

    /// What mends everything in a source that can be mended without changing what it means: all at once.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn remedies_of_all(&self, path: &str) -> Answer<Vec<FileEdit>> {
        self.ask_of(path, |files, file| {
            let found = self.diagnostics(files, file);
            let places = files.session.places();
            let mut chosen: Vec<Remedy> = Vec::new();
            for fix in found.iter().filter_map(|found| found.fixes.first()) {
                let sure = fix.effect != Effect::Changes;
                let Some(remedy) = Remedy::of(fix, &places).filter(|_| sure) else { continue };
                if !chosen.iter().any(|other| other.conflicts(&remedy)) {
                    chosen.push(remedy);
                }
            }
            chosen.iter().flat_map(|remedy| &remedy.changes).map(FileEdit::from).collect()
        })
    }
}
