//! What an edit makes the compiler do again, and what it leaves alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stderr)]

use std::fs;
use std::path::Path;

use driver::{Options, Session};

const TEXT: &str = "\
const LIMIT: Coin = 5_000 sats;
fn enough(value: Coin) -> Bool { value >= LIMIT }
contract First(key: PubKey) { spend open(sig: Sig) { require key.signed(sig); require enough(self.value); } }
contract Second(key: PubKey) { spend open(sig: Sig) { require key.signed(sig); } }
reward Third { a: 50%, b: rest, minimum: 20_000 sats, fee: up to 500 sats, }
";

/// The names of the queries that ran when `before` became `after`, without their keys, sorted.
fn ran(before: &str, after: &str) -> Vec<String> {
    let mut session = Session::default();
    session.set("a.bmc", before.into());
    let first = session.compile(&Options::default());
    assert!(!first.has_errors(), "{}", first.to_json());
    let _ = session.take_ran();
    session.set("a.bmc", after.into());
    let _ = session.compile(&Options::default());
    let mut names: Vec<String> =
        session.take_ran().iter().map(|key| key.split('(').next().unwrap_or_default().to_owned()).collect();
    names.sort();
    names
}

fn count(names: &[String], name: &str) -> usize {
    names.iter().filter(|ran| *ran == name).count()
}

#[test]
fn compiling_again_without_an_edit_runs_nothing() {
    let mut session = Session::default();
    session.set("a.bmc", TEXT.into());
    let first = session.compile(&Options::default());
    let _ = session.take_ran();
    let second = session.compile(&Options::default());
    assert_eq!(session.take_ran(), Vec::<String>::new());
    assert_eq!(first.artifacts, second.artifacts);
}

#[test]
fn typing_in_a_body_parses_and_checks_that_item_alone() {
    let after = TEXT.replace("require enough(self.value);", "require enough(self.value + 1 sats);");
    assert_ne!(after, TEXT);
    let names = ran(TEXT, &after);
    for (query, times) in [("parsed", 1), ("outlined", 0), ("signatures", 0), ("imports", 0), ("body", 1)] {
        assert_eq!(count(&names, query), times, "{query}: {names:?}");
    }
}

#[test]
fn a_comment_between_items_checks_no_body_again() {
    let names = ran(TEXT, &TEXT.replace("contract Second", "// a remark\n\ncontract Second"));
    assert_eq!(count(&names, "parsed"), 0, "{names:?}");
    assert_eq!(count(&names, "body"), 0, "{names:?}");
}

#[test]
fn a_changed_constant_checks_those_again_that_mention_it() {
    let names = ran(TEXT, &TEXT.replace("5_000 sats", "6_000 sats"));
    assert_eq!(count(&names, "parsed"), 1, "{names:?}");
    // Itself and `enough`, whose callers see no more of it than its signature.
    assert_eq!(count(&names, "body"), 2, "{names:?}");
}

#[test]
fn an_edit_in_one_file_leaves_the_others_alone() {
    let mut session = Session::default();
    session.set("a.bmc", TEXT.into());
    session.set("b.bmc", TEXT.into());
    let _ = session.compile(&Options::default());
    let _ = session.take_ran();
    session.set("b.bmc", TEXT.replace("50%", "40%").into());
    let _ = session.compile(&Options::default());
    let ran = session.take_ran();
    assert_eq!(ran.iter().filter(|key| key.starts_with("told(")).count(), 1, "{ran:?}");
    assert_eq!(ran.iter().filter(|key| key.starts_with("emitted(")).count(), 1, "{ran:?}");
}

#[test]
fn an_edited_session_says_what_a_fresh_one_says() {
    let mut session = Session::default();
    session.set("a.bmc", TEXT.into());
    let _ = session.compile(&Options::default());
    for cut in (0..TEXT.len()).step_by(7) {
        let text = &TEXT[..cut];
        session.set("a.bmc", text.into());
        let mut fresh = Session::default();
        fresh.set("a.bmc", text.into());
        let (edited, fresh) = (session.compile(&Options::default()), fresh.compile(&Options::default()));
        assert_eq!(edited.diagnostics, fresh.diagnostics, "after {cut} bytes");
        assert_eq!(edited.artifacts, fresh.artifacts, "after {cut} bytes");
    }
}

const SHARES: &str = "\
const LIMIT: Coin = 5_000 sats;
fn enough(value: Coin) -> Bool { value >= LIMIT }
fn unrelated(n: Int) -> Int { n + 1 }
";

const USER: &str = "\
use ./shares::enough;
contract First(key: PubKey) { spend open(sig: Sig) { require key.signed(sig); require enough(self.value); } }
contract Second(key: PubKey) { spend open(sig: Sig) { require key.signed(sig); } }
";

/// The queries that ran after an edit of `shares.bmc`, which `a.bmc` imports.
fn ran_after(edited: &str) -> Vec<String> {
    let mut session = Session::default();
    session.set("a.bmc", USER.into());
    session.set("shares.bmc", SHARES.into());
    let first = session.compile(&Options::default());
    assert!(!first.has_errors(), "{}", first.to_json());
    let _ = session.take_ran();
    assert_ne!(edited, SHARES);
    session.set("shares.bmc", edited.into());
    let _ = session.compile(&Options::default());
    session.take_ran().iter().map(|key| key.split('(').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn an_edit_in_a_body_that_no_importer_calls_leaves_the_importer_alone() {
    let ran = ran_after(&SHARES.replace("n + 1", "n + 2"));
    let wanted =
        [("parsed", 1), ("outline", 1), ("signatures", 0), ("body", 1), ("told", 1), ("program", 1), ("emitted", 1)];
    for (query, times) in wanted {
        assert_eq!(count(&ran, query), times, "{query}: {ran:?}");
    }
}

#[test]
fn an_edit_in_a_body_that_an_importer_calls_checks_no_body_of_it_again() {
    let ran = ran_after(&SHARES.replace("value >= LIMIT", "value > LIMIT"));
    for (query, times) in [("parsed", 1), ("body", 1), ("signatures", 0), ("told", 2), ("program", 2), ("emitted", 2)] {
        assert_eq!(count(&ran, query), times, "{query}: {ran:?}");
    }
}

#[test]
fn a_changed_interface_checks_those_again_that_import_or_mention_it() {
    let ran = ran_after(&SHARES.replace("enough(value: Coin)", "enough(worth: Coin)").replace("{ value", "{ worth"));
    // Itself, the import, and `First`.
    assert_eq!((count(&ran, "body"), count(&ran, "parsed")), (3, 1), "{ran:?}");
}

#[test]
fn an_import_that_comes_later_is_found_then() {
    let mut session = Session::default();
    session.set("a.bmc", USER.into());
    assert!(session.compile(&Options::default()).has_errors());
    session.set("shares.bmc", SHARES.into());
    let after = session.compile(&Options::default());
    assert!(!after.has_errors(), "{}", after.to_json());
}

/// The sources of a folder and of those inside of it.
fn sources(folder: &Path, found: &mut Vec<String>) {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "bmc") {
            found.push(fs::read_to_string(&path).unwrap());
        }
    }
}

/// Of so many tokens one is left out at a time.
const STEP: usize = 61;

#[test]
fn outlines_lead_to_what_whole_items_lead_to() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut texts = Vec::new();
    ["examples", "stdlib", "tests/programs"].iter().for_each(|folder| sources(&root.join(folder), &mut texts));
    texts.push("plan both(k: PubKey) {\n    input a: Lock.open(sig: k.sign())\n    input b: key(k);\n}\n".into());
    let mut session = Session::default();
    let (mut tried, mut next) = (0, 0);
    for text in texts {
        let tokens: Vec<_> =
            syntax::lex(&text).iter().filter(|(kind, _)| !kind.is_trivia()).map(|(_, span)| span).collect();
        let gone =
            tokens.iter().enumerate().filter(|(at, _)| (next + at).is_multiple_of(STEP)).map(|(_, span)| span.range());
        for gone in std::iter::once(0..0).chain(gone) {
            let mut text = text.clone();
            text.replace_range(gone.clone(), "");
            let parse = syntax::parse(&text);
            let items = analysis::source_items(&parse, &text);
            // The check of whole items sees one source alone.
            if !analysis::imports(&items).is_empty() || !analysis::weights_files(&items).is_empty() {
                continue;
            }
            session.set("a.bmc", text.as_str().into());
            let file = session.source("a.bmc").unwrap();
            let is_syntax = |code: syntax::Code| code < syntax::Code::E0101;
            let mut found: Vec<_> = session
                .diagnostics(file)
                .into_iter()
                .filter(|one| !is_syntax(one.code))
                .map(|one| format!("{one:?}"))
                .collect();
            let whole = analysis::analyse(file, &items);
            let mut wanted: Vec<_> = whole.diagnostics.iter().map(|one| format!("{one:?}")).collect();
            found.sort();
            wanted.sort();
            assert_eq!(found, wanted, "without {gone:?}\n{text}");
            assert_eq!(session.program(file), Some(&whole.program), "without {gone:?}\n{text}");
            tried += 1;
        }
        next += tokens.len();
    }
    assert!(tried > 300, "{tried}");
}
