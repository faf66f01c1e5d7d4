//! Mutation testing: whether any test notices that a `require` is not there, or demands the opposite.

use std::collections::BTreeSet;
use std::ops::Range;

use driver::{Code, Compiled, Severity};

use crate::suite::{Choice, Outcome, run};
use crate::written::Written;

/// What is done to a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It is not there.
    Deleted,
    /// It is the opposite.
    Negated,
}

/// A `require` that is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutant {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What the `require` says where it fails.
    pub message: String,
    /// What is done to it.
    pub change: Change,
    condition: Range<usize>,
}

/// What becomes of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// This test fails.
    Noticed(String),
    /// The compiler refuses it, by this message: what the `require` demands is needed for a proof of the whole.
    Unproved(Code),
    /// It is no program, so that nothing could notice it.
    Malformed,
    /// All tests pass.
    Survived,
}

/// Two mutants for each condition of a `require` in these files, in source order. Checks that nobody wrote, such as those
/// of `continue`, are none.
#[must_use]
pub fn mutants(compiled: &Compiled, files: &BTreeSet<String>) -> Vec<Mutant> {
    let mut found = BTreeSet::new();
    let written = Written::new(compiled);
    for artifact in &compiled.artifacts {
        let shared = artifact.functions.iter().flat_map(|function| &function.requires);
        for site in artifact.requires.iter().chain(shared) {
            let Some(source) = artifact.sources.get(site.span.file) else { continue };
            if files.contains(&source.path) && written.in_require(&source.path, site.span.start) {
                let place = (source.path.clone(), site.span.start, site.span.end, site.span.line);
                found.insert((place, site.message.clone()));
            }
        }
    }
    let both = [Change::Deleted, Change::Negated];
    let of = |((file, start, end, line), message): &((String, usize, usize, usize), String)| {
        let mutant = |change| Mutant {
            file: file.clone(),
            line: *line,
            message: message.clone(),
            change,
            condition: *start..*end,
        };
        both.map(mutant)
    };
    found.iter().flat_map(of).collect()
}

impl Mutant {
    /// The text of the file with the change; `None` if this is not the text that was compiled.
    #[must_use]
    pub fn apply(&self, text: &str) -> Option<String> {
        let condition = text.get(self.condition.clone())?;
        let changed = match self.change {
            Change::Deleted => "true".to_owned(),
            Change::Negated => format!("!({condition})"),
        };
        let (before, after) = (text.get(..self.condition.start)?, text.get(self.condition.end..)?);
        Some(format!("{before}{changed}{after}"))
    }
}

/// What the tests say of a program that was changed.
#[must_use]
pub fn fate(mutated: &Compiled, choice: &Choice) -> Fate {
    let mut errors =
        mutated.diagnostics.iter().filter(|found| found.severity == Severity::Error).map(|found| found.code);
    if let Some(first) = errors.next() {
        return if is_proof(first) && errors.all(is_proof) { Fate::Unproved(first) } else { Fate::Malformed };
    }
    let outcomes = run(mutated, choice, &|_, _| ());
    match outcomes.iter().find(|outcome| !outcome.passed()) {
        Some(outcome) => Fate::Noticed(Outcome::full_name(outcome)),
        None => Fate::Survived,
    }
}

/// Whether a message is about what a program means, rather than about its form or its names.
fn is_proof(code: Code) -> bool {
    ["E02", "E03", "E04", "E05", "E09"].iter().any(|group| code.name().starts_with(group))
}
