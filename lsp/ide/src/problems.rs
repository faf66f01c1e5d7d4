//! Diagnostics with their places found.

use std::ops::Range;
use std::sync::Arc;

use driver::{Diagnostic, Loc, Severity};
use syntax::{Code, FileId};

use crate::host::{Answer, Snapshot};
use crate::names::Files;

/// Something to say about a source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Problem {
    /// The bytes it is about.
    pub range: Range<usize>,
    /// How grave.
    pub severity: Severity,
    /// The code, which has a page in `docs/errors`.
    pub code: Code,
    /// The sentence, with the next action and the facts below it.
    pub message: String,
    /// Places that explain it.
    pub related: Vec<Related>,
    /// What it is about does nothing and can go.
    pub unnecessary: bool,
}

/// A place that explains a problem.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Related {
    /// The source.
    pub path: Arc<str>,
    /// The bytes.
    pub range: Range<usize>,
    /// What there is to see.
    pub text: String,
}

impl Snapshot {
    /// What there is to say of a source.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn problems(&self, path: &str) -> Answer<Vec<Problem>> {
        self.ask_of(path, |files, file| {
            self.diagnostics(files, file).iter().filter_map(|found| problem(files, file, found)).collect()
        })
    }

    /// The diagnostics of a source, at the levels that its package sets.
    pub(crate) fn diagnostics(&self, files: &Files<'_>, file: FileId) -> Vec<Diagnostic> {
        let mut found = files.session.diagnostics(file);
        self.levels.apply(&mut found);
        found
    }
}

/// Where a place is in its file.
pub(crate) fn place(files: &Files<'_>, loc: &Loc) -> Option<Range<usize>> {
    let start = match &loc.item {
        Some(item) => files.of(loc.file).of_key(item)?.start,
        None => 0,
    };
    let text = files.session.text(loc.file)?;
    let clamp = |at: u32| text.floor_char_boundary(at as usize);
    let span = loc.span.shifted(start);
    Some(clamp(span.start)..clamp(span.end))
}

/// A diagnostic of a source as a problem of it.
pub(crate) fn problem(files: &Files<'_>, file: FileId, found: &Diagnostic) -> Option<Problem> {
    let primary = found.labels.iter().find(|label| label.primary).or(found.labels.first())?;
    let range = if primary.loc.file == file { place(files, &primary.loc)? } else { 0..0 };
    let related = found.labels.iter().filter(|label| !label.primary && !label.text.is_empty());
    let related = related.filter_map(|label| {
        let path = Arc::clone(files.session.path(label.loc.file)?);
        Some(Related { path, range: place(files, &label.loc)?, text: label.text.clone() })
    });
    let notes = found.notes.iter().map(|note| format!("\nnote: {note}"));
    let help = found.help.iter().map(|help| format!("\nhelp: {help}"));
    Some(Problem {
        range,
        severity: found.severity,
        code: found.code,
        message: std::iter::once(found.message.clone()).chain(notes).chain(help).collect(),
        related: related.collect(),
        unnecessary: matches!(found.code, Code::E0111 | Code::E0123 | Code::E0217 | Code::E0222 | Code::E0426),
    })
}
