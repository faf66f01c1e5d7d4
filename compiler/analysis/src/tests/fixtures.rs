//! Fixtures: sources under `tests/types` say inline what is reported where, by `//~ E0301`.
//!
//! A comment `//~ E0101 some words` expects on its line one message of that code whose text, labels or
//! help contain the words; `//~^` means the line above. Files without such comments must be clean.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use syntax::{Code, Diagnostic, LineIndex, Parse};

use super::checked;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests").join(name)
}

pub(super) fn sources(name: &str) -> Vec<(PathBuf, String)> {
    let mut paths: Vec<_> = std::fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "bmc"));
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

fn line_of(parse: &Parse, text: &str, found: &Diagnostic) -> u32 {
    let span = parse.resolve(&found.labels[0].loc).expect("every place belongs to an item of the file");
    assert!(text.get(span.range()).is_some(), "a place outside the text: {found:?}");
    LineIndex::new(text).line_col(text, span.start).line
}

fn words(found: &Diagnostic) -> String {
    let labels = found.labels.iter().map(|label| label.text.as_str());
    let all = [found.message.as_str()].into_iter().chain(labels);
    all.chain(found.help.as_deref()).chain(found.notes.iter().map(String::as_str)).collect::<Vec<_>>().join(" | ")
}

fn check(path: &Path, text: &str, seen: &mut Vec<Code>) -> String {
    let (parse, analysis) = checked(text);
    let mut found: Vec<_> = parse
        .diagnostics
        .iter()
        .chain(&analysis.diagnostics)
        .map(|found| (line_of(&parse, text, found), found.code, words(found)))
        .collect();
    seen.extend(found.iter().map(|(_, code, _)| *code));
    let mut wrong = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        for expected in line.split("//~").skip(1) {
            let (expected, at) = expected.strip_prefix('^').map_or((expected, number), |rest| (rest, number - 1));
            let (code, needle) = expected.trim().split_once(' ').unwrap_or((expected.trim(), ""));
            let hit = found
                .iter()
                .position(|(line, found, words)| *line == at && found.name() == code && words.contains(needle.trim()));
            match hit {
                Some(index) => drop(found.remove(index)),
                None => writeln!(wrong, "{}:{at}: missing {expected}", path.display()).unwrap(),
            }
        }
    }
    for (line, code, words) in found {
        writeln!(wrong, "{}:{line}: unexpected {code} {words}", path.display()).unwrap();
    }
    wrong
}

#[test]
fn every_fixture_reports_exactly_what_it_expects() {
    let mut seen = Vec::new();
    let wrong: String = sources("types").iter().map(|(path, text)| check(path, text, &mut seen)).collect();
    assert!(wrong.is_empty(), "\n{wrong}");
    let unshown: Vec<_> = Code::ALL
        .iter()
        .filter(|code| ("E0101".."E0500").contains(&code.name()) && !seen.contains(code))
        .map(|code| code.name())
        .collect();
    assert!(unshown.is_empty(), "no fixture shows {unshown:?}");
}
