//! Every kind of action by what it makes of a source: `$0` marks the place, two of them a selection.

mod cases;

use std::collections::BTreeSet;

use driver::{MemoryWorld, Options, Severity, compile};

use super::{Action, ActionKind, Family, Wanted};
use crate::tests::{Fixture, applied};
use cases::CASES;

/// The selection that two marks make, and the fixture without them.
fn marked(before: &str) -> (Fixture, std::ops::Range<usize>) {
    let fixture = Fixture::new(before);
    let part = before.split("//- ").find(|part| part.contains("$0")).unwrap_or(before);
    let text = match before.contains("//- ") {
        true => part.split_once('\n').unwrap().1,
        false => part,
    };
    let marks: Vec<usize> = text.match_indices("$0").map(|(at, _)| at).collect();
    let start = marks[0];
    let end = marks.get(1).map_or(start, |second| second - 2);
    (fixture, start..end)
}

fn offered(fixture: &Fixture, range: &std::ops::Range<usize>, wanted: &Wanted) -> Vec<Action> {
    let snapshot = fixture.snapshot();
    let mut found = snapshot.remedies(&fixture.path, range, wanted).unwrap();
    found.extend(snapshot.refactorings(&fixture.path, range, wanted).unwrap());
    found
}

/// The texts once an action is done, as `//- name` files; of one file alone, its text.
fn done(fixture: &Fixture, action: &Action) -> Vec<(String, String)> {
    let mut texts = applied(fixture, &action.edits);
    texts.extend(action.creates.iter().map(|(path, text)| (path.to_string(), text.clone())));
    texts
}

fn shown(texts: &[(String, String)]) -> String {
    match texts {
        [(_, only)] => only.clone(),
        several => several.iter().map(|(path, text)| format!("//- {path}\n{text}")).collect(),
    }
}

#[test]
fn every_action_does_what_is_written_here() {
    let mut wrong = Vec::new();
    for (name, before, after) in CASES {
        let (fixture, range) = marked(before);
        let found = offered(&fixture, &range, &Wanted::Whole);
        let Some(action) = found.iter().find(|action| action.kind.name() == *name) else {
            let others: Vec<&str> = found.iter().map(|action| action.kind.name()).collect();
            let problems = fixture.snapshot().problems(&fixture.path).unwrap();
            wrong.push(format!("{name} is not offered, but {others:?}\n{before}\n{problems:?}"));
            continue;
        };
        let made = shown(&done(&fixture, action));
        if made != *after {
            wrong.push(format!("{name} ({})\n{before}\n--- gives\n{made}\n--- and not\n{after}", action.title));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n======\n"));
}

#[test]
fn every_kind_has_a_case_and_a_line_on_the_page_about_editors() {
    let tried: BTreeSet<&str> = CASES.iter().map(|(name, ..)| *name).collect();
    let page = include_str!("../../../../docs/editors.md");
    for kind in ActionKind::ALL {
        let whole = matches!(kind.family(), Family::Organize | Family::FixAll) || *kind == ActionKind::OtherFix;
        assert!(whole || tried.contains(kind.name()), "{} has no case", kind.name());
        let line = format!("| `{}` | {} |", kind.name(), kind.doc());
        assert!(page.contains(&line), "docs/editors.md lacks\n{line}");
    }
    let listed = page.lines().filter(|line| line.starts_with("| `") && line.matches('`').count() >= 2);
    let rows =
        listed.filter(|line| ActionKind::ALL.iter().any(|kind| line.contains(&format!("| `{}` |", kind.name()))));
    assert_eq!(rows.count(), ActionKind::ALL.len());
    assert!(ActionKind::ALL.len() >= 25);
}

/// The errors of the source that is asked about, by code.
fn errors(texts: &[(String, String)], path: &str) -> Vec<String> {
    let all: String = texts.iter().map(|(path, text)| format!("//- {path}\n{text}")).collect();
    let fixture = Fixture::new(&all);
    let problems = fixture.host.snapshot(path).unwrap().problems(path).unwrap();
    let grave = problems.iter().filter(|found| found.severity == Severity::Error);
    grave.map(|found| format!("{} {}", found.code, found.message)).collect()
}

#[test]
fn what_is_mended_is_mended_and_what_is_rewritten_stays_right() {
    let mut wrong = Vec::new();
    for (name, before, _) in CASES {
        let (fixture, range) = marked(before);
        let old = errors(&applied(&fixture, &[]), &fixture.path);
        for action in offered(&fixture, &range, &Wanted::Whole) {
            let new = errors(&done(&fixture, &action), &fixture.path);
            let mended = action.mends.map(|code| code.to_string());
            let count = |found: &[String]| match &mended {
                // One mistake less of those that it mends, or a warning less.
                Some(code) => found.iter().filter(|found| found.starts_with(code)).count(),
                None => found.len(),
            };
            let fine = match action.kind.family() {
                Family::QuickFix => count(&new) < count(&old) || count(&old) == 0,
                _ => count(&new) <= count(&old),
            };
            if !fine {
                let made = shown(&done(&fixture, &action));
                wrong.push(format!("{name}: {} `{}`\n{old:?}\n{new:?}\n{made}", action.kind.name(), action.title));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n======\n"));
}

/// The scripts that sources compile to; nothing if they do not.
fn scripts(texts: &[(String, String)]) -> Option<Vec<(String, String)>> {
    let world = MemoryWorld::new(texts.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    let roots: Vec<String> = texts.iter().map(|(path, _)| path.clone()).collect();
    let compiled = compile(&world, &roots, &Options::default());
    let found: Vec<_> = compiled.artifacts.iter().map(|made| (made.contract.clone(), made.asm.clone())).collect();
    (!compiled.has_errors() && !found.is_empty()).then_some(found)
}

#[test]
fn what_only_says_the_same_in_another_way_compiles_to_the_same_scripts() {
    let same = [
        "extract_constant",
        "inline_constant",
        "use_constant",
        "extract_variable",
        "inline_variable",
        "move_to_file",
        "add_message",
        "add_type",
        "short_field",
        "short_assign",
        "percent",
        "fraction",
        "convert_unit",
        "group_digits",
        "bytes_of_text",
        "merge_imports",
        "split_import",
        "add_docs",
        "add_test",
        "split_require",
        "merge_requires",
        "expand_declaration",
        "underscore",
        "make_comment",
        "remove_dead",
        "remove_import",
        "remove_allow",
    ];
    let mut compared: BTreeSet<&str> = BTreeSet::new();
    for (_, before, _) in CASES {
        let (fixture, range) = marked(before);
        let Some(old) = scripts(&applied(&fixture, &[])) else { continue };
        for action in offered(&fixture, &range, &Wanted::Whole) {
            let Some(name) = same.iter().find(|name| **name == action.kind.name()) else { continue };
            let texts = done(&fixture, &action);
            let new = scripts(&texts).unwrap_or_else(|| panic!("{name} breaks\n{}", shown(&texts)));
            for (contract, asm) in &old {
                let other = new.iter().find(|(known, _)| known == contract).map(|(_, asm)| asm);
                assert_eq!(other, Some(asm), "{name} changes the script of `{contract}`\n{}", shown(&texts));
            }
            compared.insert(name);
        }
    }
    assert!(compared.len() >= 15, "{compared:?}");
}

#[test]
fn titles_come_without_edits_and_edits_by_title() {
    for (name, before, _) in CASES {
        let (fixture, range) = marked(before);
        let whole = offered(&fixture, &range, &Wanted::Whole);
        let titles = offered(&fixture, &range, &Wanted::Titles);
        let named = |found: &[Action]| -> Vec<(ActionKind, String)> {
            found.iter().map(|action| (action.kind, action.title.clone())).collect()
        };
        assert_eq!(named(&whole), named(&titles), "{name}");
        assert!(titles.iter().all(|action| action.edits.is_empty() && action.creates.is_empty()), "{name}");
        for action in &whole {
            let wanted = Wanted::One { kind: action.kind.name().to_owned(), title: action.title.clone() };
            let one = offered(&fixture, &range, &wanted);
            assert_eq!(one.first().map(|one| &one.edits), Some(&action.edits), "{name}");
        }
    }
}

#[test]
fn nothing_is_offered_that_would_change_what_is_done() {
    for (unwanted, text) in [
        // What a division gives is computed only if the left side holds.
        ("extract_variable", "fn f(a: Int, b: Int) -> Bool { b != 0 && $0a / b$0 > 1 }"),
        ("inline_variable", "fn f(a: Int, b: Int) -> Int { let $0c = a / b; if a > 1 { c } else { 0 } }"),
        ("inline_variable", "fn f(a: Int) -> Int { let mut b = a; let $0c = b; b = 5; c + b }"),
        ("inline_variable", "fn f(a: Int) -> Int { let $0c = a; let a = 5; c + a }"),
        (
            "extract_variable",
            "contract C(h: Height, k: PubKey) { spend s(g: Sig) { require $0tx.height$0 >= h; require k.signed(g); } }",
        ),
        (
            "flip_comparison",
            "contract C(h: Height, k: PubKey) { spend s(g: Sig) { require tx.height $0>= h; require k.signed(g); } }",
        ),
        ("use_within", "fn f(a: Int, b: Int) -> Bool { 1 <= a $0&& b < 5 }"),
        ("if_to_match", "fn f(a: Int, b: Int) -> Int { if $0a == 1 { 1 } else if b == 2 { 2 } else { 3 } }"),
        ("merge_requires", "fn f(a: Int) { require $0a > 1, \"one\"; require a < 5, \"two\"; }"),
        (
            "expand_declaration",
            "reward $0R { a: 50%, b: rest, minimum: 20_000 sats, fee: up to 1_000 sats, }\ncontract C() { spend s() { split self.value by R; } }",
        ),
    ] {
        let (fixture, range) = marked(text);
        let found = offered(&fixture, &range, &Wanted::Whole);
        let kinds: Vec<&str> = found.iter().map(|action| action.kind.name()).collect();
        assert!(!kinds.contains(&unwanted), "{unwanted} in {text}: {kinds:?}");
    }
}

#[test]
fn imports_are_put_in_order_and_what_is_sure_is_mended() {
    let fixture = Fixture::new(
        "//- a.bmc\n//! Docs.\n\nuse ./b::{two, one};\nuse std::math::mul_div;\nuse ./b::three as tre;\nuse std::math::isqrt;\n\n\
         fn f() -> Int { one() + two() + tre() + isqrt(9) }\n\
         //- b.bmc\nfn one() -> Int { 1 }\nfn two() -> Int { 2 }\nfn three() -> Int { 3 }\n",
    );
    let edits = fixture.snapshot().organized_imports("a.bmc").unwrap();
    let texts = applied(&fixture, &edits);
    let made = &texts.iter().find(|(path, _)| path == "a.bmc").unwrap().1;
    let wanted = "//! Docs.\n\nuse std::math::isqrt;\nuse ./b::{one, three as tre, two};\n\nfn f()";
    assert!(made.starts_with(wanted), "{made}");
    let again: String = texts.iter().map(|(path, text)| format!("//- {path}\n{text}")).collect();
    assert_eq!(Fixture::new(&again).snapshot().organized_imports("a.bmc").unwrap(), []);
    let fixture = Fixture::new("use std::math::isqrt;\nfn f(a: Int) -> Int { let b = 1; a }\n");
    let edits = fixture.snapshot().remedies_of_all("a.bmc").unwrap();
    assert_eq!(applied(&fixture, &edits)[0].1, "fn f(a: Int) -> Int { let _b = 1; a }\n");
}

/// Every mistake that the diagnostics have an example for.
#[test]
fn the_examples_of_mistakes_have_one_less_once_they_are_mended() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/diagnostics");
    let mut mended: BTreeSet<&str> = BTreeSet::new();
    let mut wrong = Vec::new();
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "bmc")) {
        let whole = std::fs::read_to_string(path).unwrap();
        let text = whole.split("//---- ").next().unwrap();
        let fixture = Fixture::new(text);
        let count = |fixture: &Fixture, code: &str| {
            let found = fixture.snapshot().problems("a.bmc").unwrap();
            found.iter().filter(|found| found.code.name() == code).count()
        };
        for problem in fixture.snapshot().problems("a.bmc").unwrap() {
            let actions = fixture.snapshot().remedies("a.bmc", &problem.range, &Wanted::Whole).unwrap();
            for action in actions.iter().filter(|action| action.mends == Some(problem.code)) {
                let texts = done(&fixture, action);
                let after = Fixture::new(&shown(&texts[..1]));
                let (old, new) = (count(&fixture, problem.code.name()), count(&after, problem.code.name()));
                match new < old {
                    true => drop(mended.insert(action.kind.name())),
                    false => wrong.push(format!("{}: `{}`\n{}", path.display(), action.title, texts[0].1)),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n======\n"));
    assert!(mended.len() >= 20, "{mended:?}");
}
