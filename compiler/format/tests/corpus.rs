//! Every program of the repository, and every program with its spaces thrown about.

#![allow(clippy::unwrap_used, reason = "a test ends there")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proptest::prelude::*;

fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["target", "node_modules"].contains(&name.as_str()) && !name.starts_with('.') {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "bmc") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

/// The programs of the repository that can be parsed.
fn corpus() -> &'static [(PathBuf, String)] {
    static CORPUS: LazyLock<Vec<(PathBuf, String)>> = LazyLock::new(read_corpus);
    &CORPUS
}

fn read_corpus() -> Vec<(PathBuf, String)> {
    let mut found = vec![];
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."), &mut found);
    assert!(found.len() > 300, "{} sources found", found.len());
    found.retain(|(_, text)| syntax::parse(text).diagnostics.is_empty());
    assert!(found.len() > 200, "{} of them parse", found.len());
    found
}

/// Tokens and comments, without commas before closing brackets.
fn meaning(text: &str) -> Vec<&str> {
    let tokens = syntax::lex(text);
    let mut kept: Vec<&str> = vec![];
    for (kind, span) in tokens.iter().filter(|(kind, _)| !kind.is_trivia() && !kind.is_doc()) {
        if [syntax::TokenKind::RParen, syntax::TokenKind::RBracket, syntax::TokenKind::RBrace].contains(&kind) {
            kept.pop_if(|last| *last == ",");
        }
        kept.push(&text[span.range()]);
    }
    kept
}

fn check(name: &str, text: &str) -> String {
    let pretty = format::format(text).unwrap_or_else(|wrong| panic!("{name}: {wrong:?}"));
    assert!(meaning(&pretty) == meaning(text), "{name} means something else:\n{pretty}");
    let again = format::format(&pretty).unwrap_or_else(|wrong| panic!("{name}, formatted: {wrong:?}\n{pretty}"));
    if let Some((one, two)) = pretty.lines().zip(again.lines()).find(|(one, two)| one != two) {
        panic!("{name} is not stable:\n{one}\n{two}");
    }
    assert_eq!(again.len(), pretty.len(), "{name} is not stable");
    let mut edited = text.to_owned();
    for edit in format::edits(text, &pretty, None).into_iter().rev() {
        edited.replace_range(edit.range, &edit.text);
    }
    assert!(edited == pretty, "{name} by edits");
    pretty
}

#[test]
fn every_program_keeps_its_tokens_and_stays_as_it_is_the_second_time() {
    for (path, text) in corpus() {
        let pretty = check(&path.display().to_string(), text);
        let long =
            |line: &&str| line.chars().count() > format::WIDTH_MAX && !line.contains("//") && !line.contains('"');
        assert_eq!(pretty.lines().find(long), None, "{} has a long line", path.display());
    }
}

/// The text with other spaces: what stands between two tokens becomes one of these.
fn scattered(text: &str, choices: &[u8]) -> String {
    let tokens = syntax::lex(text);
    let mut choices = choices.iter().cycle();
    let mut scattered = String::new();
    let mut line_comment = false;
    for (kind, span) in tokens.iter() {
        let piece = &text[span.range()];
        if kind == syntax::TokenKind::Whitespace {
            let space = match choices.next().unwrap() % 5 {
                0 => " ",
                1 => "\n",
                2 => "\n\n\n\t",
                3 => "   ",
                _ => piece,
            };
            scattered.push_str(if line_comment { "\n" } else { "" });
            scattered.push_str(space);
        } else {
            scattered.push_str(piece);
        }
        line_comment = piece.starts_with("//");
    }
    scattered
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn spaces_change_nothing_but_lines(which in any::<prop::sample::Index>(), choices in prop::collection::vec(any::<u8>(), 1..40)) {
        let (path, text) = which.get(corpus());
        let scattered = scattered(text, &choices);
        // A comment of documentation may not stand anywhere.
        if syntax::parse(&scattered).diagnostics.is_empty() {
            check(&path.display().to_string(), &scattered);
        }
    }

    #[test]
    fn no_text_is_a_panic(text in "[a-z(){}<>\\[\\];:,.=+/ \n\"-]{0,60}") {
        if let Ok(pretty) = format::format(&text) {
            prop_assert_eq!(format::format(&pretty), Ok(pretty.clone()));
        }
    }
}
