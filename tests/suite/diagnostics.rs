//! Every code of the compiler has an example that gets its message, and a mended one that gets none.

use std::collections::BTreeSet;
use std::fs;

use driver::{Code, Compiled, Diagnostic};
use tests::{Example, compile_text, examples_folder};

use crate::bmc::root;

fn examples() -> impl Iterator<Item = (Code, Example)> {
    let example = |code: &Code| match Example::of(root(), *code) {
        Ok(example) => (*code, example),
        Err(why) => panic!("{why}"),
    };
    Code::ALL.iter().map(example)
}

fn shown(compiled: &Compiled) -> String {
    let mut out = Vec::new();
    compiled.render(&mut out, false).unwrap();
    String::from_utf8(out).unwrap()
}

/// Runs `check` over every example and fails with all that it found.
fn check(check: impl Fn(Code, &Example) -> Option<String>) {
    let wrong: Vec<String> = examples().filter_map(|(code, example)| check(code, &example)).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_file_belongs_to_a_code() {
    for entry in fs::read_dir(examples_folder(root())).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let code = name.strip_suffix(".bmc").and_then(Code::from_name);
        assert!(code.is_some(), "tests/diagnostics/{name} belongs to no code");
    }
}

#[test]
fn the_failing_half_gets_its_own_code_and_no_other() {
    check(|code, example| {
        let compiled = example.compile();
        let codes: BTreeSet<Code> = compiled.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        let fits = match example {
            Example::Source { .. } | Example::Unreadable { .. } => codes == BTreeSet::from([code]),
            Example::Made { .. } => codes.contains(&code),
        };
        (!fits).then(|| format!("{code} gets {codes:?}\n{}", shown(&compiled).chars().take(3_000).collect::<String>()))
    });
}

#[test]
fn the_mended_half_gets_no_message() {
    check(|code, example| {
        let Example::Source { fixed, .. } = example else { return None };
        let compiled = compile_text(fixed);
        (!compiled.diagnostics.is_empty()).then(|| format!("{code}, mended:\n{}", shown(&compiled)))
    });
}

#[test]
fn every_message_is_written_as_the_house_writes() {
    check(|code, example| {
        let compiled = example.compile();
        let wrong: Vec<String> = compiled.diagnostics.iter().filter_map(faults).collect();
        (!wrong.is_empty()).then(|| format!("{code}: {}", wrong.join("\n    ")))
    });
}

/// What is wrong with the words of a message: lower case, no final period, back-quotes in pairs, a next action.
fn faults(found: &Diagnostic) -> Option<String> {
    let labels = found.labels.iter().map(|label| label.text.as_str());
    let mut parts = labels.chain([found.message.as_str()]).chain(found.help.as_deref());
    let notes = found.notes.iter().map(String::as_str);
    let written = parts.by_ref().chain(notes).find(|text| {
        let upper = text.chars().next().is_some_and(char::is_uppercase);
        upper || text.ends_with('.') || text.matches('`').count() % 2 == 1
    });
    match written {
        Some(text) => Some(format!("`{text}` is not written as a message")),
        None if found.help.is_none() => Some(format!("`{}` names no next action", found.message)),
        None => None,
    }
}

#[test]
fn a_place_of_a_message_lies_in_its_source() {
    check(|code, example| {
        let compiled = example.compile();
        let lost = compiled
            .diagnostics
            .iter()
            .flat_map(|diagnostic| &diagnostic.labels)
            .find(|label| compiled.places.resolve(&label.loc).is_none());
        lost.map(|label| format!("{code}: {label:?} leads nowhere"))
    });
}

#[test]
fn an_example_cut_off_anywhere_gets_messages_and_no_panic() {
    check(|_, example| {
        let Example::Source { failing, .. } = example else { return None };
        for end in (0..failing.len()).step_by(7).filter(|end| failing.is_char_boundary(*end)) {
            let _ = compile_text(&failing[..end]);
        }
        None
    });
}
