//! Fixes with their places found: what an editor offers, and what `bmc lint --fix` writes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use syntax::{Diagnostic, Edit, Effect, Fix};

use crate::place::Places;

/// A fix whose edits are ready to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// What it does, as a menu shows it.
    pub title: String,
    /// What becomes of the scripts.
    pub effect: Effect,
    /// What to write where, in order; no two of them overlap.
    pub changes: Vec<Change>,
}

/// A stretch of a source and what stands there instead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The source.
    pub path: Arc<str>,
    /// The bytes that go.
    pub start: usize,
    /// One past the last of them.
    pub end: usize,
    /// What comes.
    pub text: String,
}

impl Remedy {
    /// A fix in the sources that it was found in; nothing if a place of it is gone.
    #[must_use]
    pub fn of(fix: &Fix, places: &Places) -> Option<Self> {
        let mut changes = fix.edits.iter().map(|edit| change(edit, places)).collect::<Option<Vec<_>>>()?;
        changes.sort();
        let apart = changes.iter().zip(changes.iter().skip(1)).all(|(first, second)| !first.meets(second));
        (apart && !changes.is_empty()).then(|| Self { title: fix.title.clone(), effect: fix.effect, changes })
    }

    /// Whether the two would edit the same text, so that only one of them can be made.
    #[must_use]
    pub fn conflicts(&self, other: &Self) -> bool {
        self.changes.iter().any(|change| other.changes.iter().any(|another| change.meets(another)))
    }
}

impl Change {
    fn meets(&self, other: &Self) -> bool {
        self.path == other.path && self.start <= other.end && other.start <= self.end
    }
}

/// Makes changes that do not overlap in the texts of their sources, of which those that are not there stay away.
pub fn apply<'c>(texts: &mut BTreeMap<Arc<str>, String>, changes: impl IntoIterator<Item = &'c Change>) {
    let mut changes: Vec<&Change> = changes.into_iter().collect();
    changes.sort();
    // From the end, so that what is still to be changed stays in its place.
    for change in changes.into_iter().rev() {
        if let Some(text) = texts.get_mut(&change.path)
            && text.get(change.start..change.end).is_some()
        {
            text.replace_range(change.start..change.end, &change.text);
        }
    }
}

/// What mends a diagnostic, the likeliest first.
pub(crate) fn remedies(diagnostic: &Diagnostic, places: &Places) -> Vec<Remedy> {
    diagnostic.fixes.iter().filter_map(|fix| Remedy::of(fix, places)).collect()
}

fn change(edit: &Edit, places: &Places) -> Option<Change> {
    let place = places.resolve(&edit.loc)?;
    let text = &places.file(edit.loc.file)?.text;
    let range = if edit.text.is_empty() { tidily(text, place.range) } else { place.range };
    Some(Change { path: place.path, start: range.start, end: range.end, text: edit.text.clone() })
}

/// What is removed with a stretch of text, so that no empty line and no double space stays behind.
fn tidily(text: &str, range: Range<usize>) -> Range<usize> {
    let blank = |piece: &str| piece.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
    let before = text.get(..range.start).unwrap_or_default();
    let behind = text.get(range.end..).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line_rest = behind.find('\n').map_or(behind, |newline| behind.get(..newline).unwrap_or_default());
    let whole = blank(before.get(line_start..).unwrap_or_default()) && blank(line_rest);
    if !whole {
        let spaces = behind.len() - behind.trim_start_matches(' ').len();
        let spaced = before.is_empty() || before.ends_with([' ', '\n']);
        return range.start..range.end + if spaced { spaces } else { 0 };
    }
    let end = (range.end + line_rest.len() + 1).min(text.len());
    let above = before.get(..line_start).unwrap_or_default();
    let is_first = above.is_empty() || above.ends_with("\n\n");
    // An empty line before and one behind would be two.
    let next = text.get(end..).and_then(|rest| rest.split_inclusive('\n').next()).unwrap_or_default();
    let doubled = is_first && next.ends_with('\n') && blank(next.trim_end_matches('\n'));
    line_start..end + if doubled { next.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_removed_leaves_no_hole() {
        for (text, gone, left) in [
            ("a;\nb;\nc;\n", "b;", "a;\nc;\n"),
            ("a;\n\nb;\n\nc;\n", "b;", "a;\n\nc;\n"),
            ("b;\n\nc;\n", "b;", "c;\n"),
            ("a;\n  b;\n", "b;", "a;\n"),
            ("{ b; c; }", "b;", "{ c; }"),
            ("{ a; b; }", "b;", "{ a; }"),
            ("use m::{a, b};", ", b", "use m::{a};"),
            ("b;", "b;", ""),
            ("a\n\nb;", "b;", "a\n\n"),
        ] {
            let start = text.find(gone).unwrap();
            let mut rest = text.to_owned();
            rest.replace_range(tidily(text, start..start + gone.len()), "");
            assert_eq!(rest, left, "{text:?} without {gone:?}");
        }
    }

    #[test]
    fn changes_are_made_from_the_end() {
        let change = |start, end, text: &str| Change { path: "a.bmc".into(), start, end, text: text.to_owned() };
        let mut texts = BTreeMap::from([(Arc::from("a.bmc"), "abcdef".to_owned())]);
        apply(&mut texts, &[change(1, 2, "XYZ"), change(4, 4, "-"), change(5, 99, "lost")]);
        assert_eq!(texts.values().next().unwrap(), "aXYZcd-ef");
    }
}
