//! A token is missing: the items that it does not belong to keep their hovers and what is known of their costs, and
//! whatever is asked where it was has an answer in time.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::Fixture;
use crate::{Host, LensKind, Lines, Snapshot};

/// Of so many tokens of all programs one is left out at a time: all of them would take a minute.
const STEP: usize = 7;

/// No answer takes so long, however busy the machine is.
const ANSWER_MAX: Duration = Duration::from_secs(10);

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

/// What stands on the lenses for costs, by what they are above: the item, and for a path its name.
fn titles(snapshot: &Snapshot, path: &str) -> Vec<((String, Option<String>), String)> {
    let title = |kind: LensKind| {
        let LensKind::Cost { item, path: spend } = kind else { return None };
        let title = snapshot.cost_title(path, &item, spend.as_deref()).unwrap()?;
        Some(((item, spend), title))
    };
    snapshot.lenses(path).unwrap().into_iter().filter_map(|lens| title(lens.kind)).collect()
}

/// The items that a deleted token may belong to: the one that holds it, and the one that begins behind it.
fn may_change(starts: &[usize], item: usize, deleted: &Range<usize>) -> bool {
    let next = starts.iter().copied().filter(|start| *start > item).min().unwrap_or(usize::MAX);
    let holds = item <= deleted.end && deleted.start <= next;
    let behind = starts.iter().copied().filter(|start| *start >= deleted.end).min() == Some(item);
    holds || behind
}

/// Makes whatever is to be made.
fn measure(snapshot: &Snapshot, path: &str) {
    for work in snapshot.unmeasured(path).unwrap() {
        work.run(Rc::new(|| false)).unwrap();
    }
}

/// Asks whatever depends on the place of the token, and on costs.
fn ask_around(snapshot: &Snapshot, path: &str, deleted: &Range<usize>, length: usize) {
    for place in [deleted.start.saturating_sub(1), deleted.start, deleted.start + 1] {
        snapshot.hover(path, place).unwrap();
    }
    snapshot.hints(path, &(0..length), true).unwrap();
    snapshot.code_problems(path).unwrap();
    snapshot.cost_state(path).unwrap();
    snapshot.sizes(path, None).unwrap();
    snapshot.unmeasured(path).unwrap();
}

/// A source that is whole, and what was said of it.
struct Whole<'t> {
    path: &'t str,
    text: &'t str,
    starts: Vec<usize>,
    hovers: Vec<(String, usize, Option<String>)>,
    titles: Vec<((String, Option<String>), String)>,
}

impl<'t> Whole<'t> {
    fn of(snapshot: &Snapshot, path: &'t str, text: &'t str) -> Self {
        measure(snapshot, path);
        let starts = snapshot.outline(path).unwrap().iter().map(|symbol| symbol.range.start).collect();
        let mut titles = titles(snapshot, path);
        titles.retain(|(_, title)| title.contains(" bytes · "));
        Self { path, text, starts, hovers: hovers(snapshot, path), titles }
    }

    /// What is wrong without a token.
    fn without(&self, snapshot: &Snapshot, deleted: &Range<usize>) -> Vec<String> {
        let Self { path, text, .. } = self;
        let begun = Instant::now();
        let (now, lenses) = (hovers(snapshot, path), titles(snapshot, path));
        ask_around(snapshot, path, deleted, text.len() - deleted.len());
        let mut wrong = Vec::new();
        if begun.elapsed() > ANSWER_MAX {
            wrong.push(format!("the answers take {:?}", begun.elapsed()));
        }
        for (name, start, hover) in
            self.hovers.iter().filter(|(_, start, _)| !may_change(&self.starts, *start, deleted))
        {
            if !now.iter().any(|(known, _, other)| known == name && without_tables(other) == without_tables(hover)) {
                wrong.push(format!("the hover of `{name}` at {start} is lost"));
            }
            // What an item depends on may have changed with another, which is said.
            for (about, title) in self.titles.iter().filter(|((item, _), _)| item == name) {
                let former = format!("{title} (before the last edits)");
                if !lenses.iter().any(|(known, other)| known == about && [title, &former].contains(&other)) {
                    wrong.push(format!("the lens of {about:?} is lost: {title}"));
                }
            }
        }
        let count = snapshot.problems(path).unwrap().iter().filter(|found| found.code < syntax::Code::E0101).count();
        // A missing brace moves what follows into another block, or out of one.
        let most = if "{}".contains(&text[deleted.clone()]) { 3 } else { 2 };
        if count > most {
            wrong.push(format!("there are {count} mistakes of syntax"));
        }
        let place = format!("{path}: without `{}` at {deleted:?}", &text[deleted.clone()]);
        wrong.into_iter().map(|what| format!("{place}: {what}")).collect()
    }
}

/// A hover without the tables: those of costs go while a contract is not as it was measured, and the proof of a model goes
/// with the reward that its shares are of.
fn without_tables(hover: &Option<String>) -> Option<&str> {
    let tables = ["\n\n---\n\n| recipient |", "\n\n---\n\n`"];
    let text = hover.as_deref()?;
    let ends = tables.iter().filter_map(|table| text.find(table));
    text.get(..ends.min().unwrap_or(text.len()))
}

/// Leaves out one of the tokens at a time; how many lenses were held against what they said before.
fn check(host: &mut Host, path: &str, text: &str, tokens: &[Range<usize>], wrong: &mut Vec<String>) -> usize {
    if tokens.is_empty() {
        return 0;
    }
    let whole = Whole::of(&host.snapshot(path).unwrap(), path, text);
    for deleted in tokens {
        let mut edited = text.to_owned();
        edited.replace_range(deleted.clone(), "");
        host.change(path, Lines::new(edited.as_str().into()), 2);
        let snapshot = host.snapshot(path).unwrap();
        wrong.extend(whole.without(&snapshot, deleted));
        // What such a source does not declare is forgotten.
        if snapshot.session.is_sound(snapshot.file(path).unwrap()) {
            drop(snapshot);
            host.change(path, Lines::new(text.into()), 1);
            measure(&host.snapshot(path).unwrap(), path);
        }
    }
    whole.titles.len() * tokens.len()
}

#[test]
fn without_one_token_every_question_has_an_answer_and_the_other_items_keep_theirs() {
    let mut next = 0;
    let (mut tried, mut lenses) = (0, 0);
    let mut wrong = Vec::new();
    for files in programs() {
        let all: String =
            files.iter().map(|(name, text)| format!("//- {name}\n{}", text.replace("//- ", "// - "))).collect();
        let mut fixture = Fixture::new(&all);
        let (name, _) = &files[0];
        let text = fixture.host.document(name).unwrap().0.text().to_string();
        let tokens: Vec<Range<usize>> = syntax::lex(&text)
            .iter()
            .filter(|(kind, _)| !kind.is_trivia())
            .map(|(_, span)| span.range())
            .enumerate()
            .filter(|(at, _)| (next + at).is_multiple_of(STEP))
            .map(|(_, range)| range)
            .collect();
        next += syntax::lex(&text).iter().filter(|(kind, _)| !kind.is_trivia()).count();
        tried += tokens.len();
        lenses += check(&mut fixture.host, name, &text, &tokens, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried > 2_000 && lenses > 5_000, "{tried} {lenses}");
}
