//! Tests of the whole crate: from text to typed program.

mod expanded;
mod fixtures;
mod hostile;
mod rewards;
mod seams;

use syntax::{Code, FileId, Parse, Severity};

use crate::hir::Lint;
use crate::{Analysis, analyse, source_items};

fn checked(text: &str) -> (Parse, Analysis) {
    let parse = syntax::parse(text);
    let analysis = analyse(FileId::default(), &source_items(&parse, text));
    (parse, analysis)
}

/// The analysis of a source without errors; lints may speak.
fn sound(text: &str) -> Analysis {
    let (parse, analysis) = checked(text);
    assert_eq!(parse.diagnostics, [], "{text}");
    let is_error = |found: &&syntax::Diagnostic| found.severity == Severity::Error && Lint::of(found.code).is_none();
    let errors: Vec<_> = analysis.diagnostics.iter().filter(is_error).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{text}");
    analysis
}

fn codes(analysis: &Analysis) -> Vec<Code> {
    analysis.diagnostics.iter().map(|found| found.code).collect()
}
