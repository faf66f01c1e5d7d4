//! A token is missing: the items that it does not belong to keep their hovers.

use std::fs;
use std::path::{Path, PathBuf};

use super::Fixture;
use crate::{Host, Lines, Snapshot};

/// Of so many tokens of all programs one is left out at a time: all of them would take minutes.
const STEP: usize = 23;

/// The programs that users are shown and those of the tests, each with the sources beside it, the own one first.
fn programs() -> Vec<Vec<(String, String)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut waiting: Vec<PathBuf> =
        ["examples", "stdlib", "tests/programs", "tests/contracts"].map(|folder| root.join(folder)).into();
    let mut found = Vec::new();
    while let Some(folder) = waiting.pop() {
        let mut paths: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let is_source = |path: &&PathBuf| path.extension().is_some_and(|ending| ending == "bmc");
        let read = |path: &PathBuf| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap())
        };
        let sources: Vec<(String, String)> = paths.iter().filter(is_source).map(read).collect();
        // Where many programs lie in one folder they do not belong together.
        let together = folder.join("bmc.toml").exists();
        for (index, own) in sources.iter().enumerate() {
            let beside = sources.iter().enumerate().filter(|(other, _)| together && *other != index);
            found.push([own.clone()].into_iter().chain(beside.map(|(_, file)| file.clone())).collect());
        }
        waiting.extend(paths.into_iter().filter(|path| path.is_dir()));
    }
    found
}

/// The hovers at the names of the items of a source, by name; of items that share one, none.
fn hovers(snapshot: &Snapshot, path: &str) -> Vec<(String, usize, Option<String>)> {
    let found = snapshot
        .outline(path)
        .unwrap()
        .into_iter()
        .map(|symbol| {
            let hover = snapshot.hover(path, symbol.name_range.start).unwrap();
            (symbol.name, symbol.range.start, hover.map(|hover| hover.text))
        })
        .collect::<Vec<_>>();
    let once = |name: &str| found.iter().filter(|(known, ..)| known == name).count() == 1;
    found.iter().filter(|(name, ..)| once(name)).cloned().collect()
}

/// The items that a deleted token may belong to: the one that holds it, and the one that begins behind it.
fn may_change(starts: &[usize], item: usize, deleted: &std::ops::Range<usize>) -> bool {
    let next = starts.iter().copied().filter(|start| *start > item).min().unwrap_or(usize::MAX);
    let holds = item <= deleted.end && deleted.start <= next;
    let behind = starts.iter().copied().filter(|start| *start >= deleted.end).min() == Some(item);
    holds || behind
}

fn check(host: &mut Host, path: &str, text: &str, tokens: &[std::ops::Range<usize>], wrong: &mut Vec<String>) {
    let whole = hovers(&host.snapshot(path).unwrap(), path);
    let starts: Vec<usize> =
        host.snapshot(path).unwrap().outline(path).unwrap().iter().map(|s| s.range.start).collect();
    for deleted in tokens {
        let mut edited = text.to_owned();
        edited.replace_range(deleted.clone(), "");
        host.change(path, Lines::new(edited.as_str().into()), 2);
        let snapshot = host.snapshot(path).unwrap();
        let now = hovers(&snapshot, path);
        for (name, start, hover) in whole.iter().filter(|(_, start, _)| !may_change(&starts, *start, deleted)) {
            let same = now.iter().any(|(known, _, other)| known == name && other == hover);
            if !same {
                let gone = &text[deleted.clone()];
                wrong.push(format!("{path}: without `{gone}` at {deleted:?} the hover of `{name}` at {start} is lost"));
            }
        }
        let count = snapshot.problems(path).unwrap().iter().filter(|found| found.code < syntax::Code::E0101).count();
        // A missing brace moves what follows into another block, or out of one.
        let most = if "{}".contains(&text[deleted.clone()]) { 3 } else { 2 };
        if count > most {
            let gone = &text[deleted.clone()];
            wrong.push(format!("{path}: without `{gone}` at {deleted:?} there are {count} mistakes of syntax"));
        }
    }
}

#[test]
fn without_one_token_the_other_items_keep_their_hovers() {
    let mut next = 0;
    let mut tried = 0;
    let mut wrong = Vec::new();
    for files in programs() {
        let all: String =
            files.iter().map(|(name, text)| format!("//- {name}\n{}", text.replace("//- ", "// - "))).collect();
        let mut fixture = Fixture::new(&all);
        let (name, _) = &files[0];
        let text = fixture.host.document(name).unwrap().0.text().to_string();
        let tokens: Vec<std::ops::Range<usize>> = syntax::lex(&text)
            .iter()
            .filter(|(kind, _)| !kind.is_trivia())
            .map(|(_, span)| span.range())
            .enumerate()
            .filter(|(at, _)| (next + at).is_multiple_of(STEP))
            .map(|(_, range)| range)
            .collect();
        next += syntax::lex(&text).iter().filter(|(kind, _)| !kind.is_trivia()).count();
        tried += tokens.len();
        check(&mut fixture.host, name, &text, &tokens, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried > 500, "{tried}");
}
