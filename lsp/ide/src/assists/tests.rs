//! Every kind of action by what it makes of a source: `$0` marks the place, two of them a selection.

mod cases;

use std::collections::{BTreeMap, BTreeSet};

use driver::{MemoryWorld, Options, Severity, compile};

use super::{Action, ActionKind, Edits, Family, Wanted};
use crate::tests::{Fixture, applied};
use crate::text::{FileEdit, TextEdit};
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
    let (_, part) = page.split_once("\n## Quick fixes and refactorings\n").expect("the page has the lists");
    let part = part.split("\n## ").next().unwrap_or_default();
    let rows = part.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let listed: Vec<&str> = rows.map(|(name, _)| name).collect();
    let names: Vec<&str> = ActionKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(listed, names, "docs/editors.md lists what there is, in the order of the table");
    // What an editor shows at a place; putting imports in order and mending all are no such thing.
    let at_a_place = ActionKind::ALL.iter().filter(|kind| !matches!(kind.family(), Family::Organize | Family::FixAll));
    assert!(at_a_place.count() >= 25);
}

/// How often each code is told of in all sources, as errors and as warnings.
fn told(texts: &[(String, String)]) -> BTreeMap<(String, Severity), usize> {
    let all: String = texts.iter().map(|(path, text)| format!("//- {path}\n{text}\n")).collect();
    let fixture = Fixture::new(&all);
    let mut told = BTreeMap::new();
    for (path, _) in texts {
        for found in fixture.host.snapshot(path).unwrap().problems(path).unwrap() {
            *told.entry((found.code.to_string(), found.severity)).or_default() += 1;
        }
    }
    told
}

/// What leaves something to do that a warning tells of: an import that only the item needed which is moved away.
const LEAVES_WORK: [&str; 1] = ["move_to_file"];

#[test]
fn what_is_mended_is_mended_and_what_is_rewritten_stays_right() {
    let mut wrong = Vec::new();
    for (name, before, _) in CASES {
        let (fixture, range) = marked(before);
        let old = told(&applied(&fixture, &[]));
        // What goes unused is told of only where nothing is wrong.
        let was_wrong = old.keys().any(|(_, severity)| *severity == Severity::Error);
        for action in offered(&fixture, &range, &Wanted::Whole) {
            let new = told(&done(&fixture, &action));
            let mended = action.mends.map(|code| code.to_string());
            let own = |told: &BTreeMap<(String, Severity), usize>| -> usize {
                let of_code = told.iter().filter(|((code, _), _)| Some(code) == mended.as_ref());
                of_code.map(|(_, count)| count).sum()
            };
            let may_warn = was_wrong || LEAVES_WORK.contains(&action.kind.name());
            let more = new.iter().filter(|(what, count)| **count > old.get(*what).copied().unwrap_or(0));
            let worse = more.filter(|((_, severity), _)| *severity == Severity::Error || !may_warn).count();
            if worse > 0 || (mended.is_some() && own(&new) >= own(&old)) {
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
    let lacking: Vec<&&str> = same.iter().filter(|name| !compared.contains(**name)).collect();
    assert!(lacking.is_empty(), "no case with a script: {lacking:?}");
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
        // What changes a variable is no value, nor is the place that it changes.
        ("extract_variable", "fn f(a: Int) -> Int { let mut sum = a; sum $0+= 1; sum }"),
        ("extract_variable", "struct P { x: Int }\nfn f(a: P) -> Int { let mut p = a; p.$0x += 1; p.x }"),
        // The names of a pattern are known behind it only, and a guard is not always computed.
        ("extract_variable", "fn f(a: Option<Int>) -> Int { match a { Some(n) if $0n * 2$0 > 10 => 1, _ => 0 } }"),
        (
            "extract_variable",
            "fn f(a: Int, b: Int, c: Int) { match a { 1 if $0b / c$0 > 1 => { require a > 5; } _ => {} } }",
        ),
        // Rounds, lengths and indexes are known while compiling.
        ("extract_variable", "fn f(a: Int) -> Int { let mut x = a; for i in 0..$016 { x += i; } x }"),
        ("extract_variable", "fn f(a: Int) -> Int { let mut x = a; for i in 0..a max $010 { x += i; } x }"),
        ("extract_variable", "fn f(a: Int) -> Int { let b = [a; $03]; b[0] }"),
        ("extract_variable", "fn f(a: [Int; 3]) -> Int { a[$02] }"),
        // An item has taken the name of what gives a value for all numbers.
        (
            "extract_variable",
            "fn max(a: Int, b: Int) -> Int { a / b }\nfn f(a: Int, b: Int) -> Bool { b != 0 && $0max(a, b)$0 > 1 }",
        ),
        // A `match` cannot stand behind `else`.
        (
            "if_to_match",
            "fn f(a: Option<Int>, b: Bool) -> Int { if b { 1 } else $0if let Some(n) = a { n } else { 2 } }",
        ),
        // Comments would be lost.
        ("if_to_match", "fn f(a: Int) -> Int { $0if a == 1 { 1 } /* one */ else if a == 2 { 2 } else { 3 } }"),
        ("if_to_match", "fn f(a: Option<Int>) -> Int { $0if let Some(n) = a { n } /* one */ else { 2 } }"),
        ("match_to_if", "fn f(a: Int) -> Int { $0match a { 1 => 10, /* one */ 2 => 20, _ => 30 } }"),
        ("split_require", "fn f(a: Int) { $0require a > 1 /* one */ && a < 5; }"),
        ("merge_requires", "fn f(a: Int) { $0require a > 1; /* one */ require a < 5; }"),
        ("split_if", "fn f(a: Int, b: Bool) { if b /* one */ $0&& a > 1 { require a < 5; } }"),
        ("merge_ifs", "fn f(a: Int, b: Bool) { $0if b { /* one */ if a > 1 { require a < 5; } } }"),
        ("flip_comparison", "fn f(a: Int, b: Int) -> Bool { a /* one */ $0< b }"),
        ("push_not", "fn f(a: Int, b: Int) -> Bool { $0!(a /* one */ < b) }"),
        ("invert_if", "fn f(a: Bool) -> Int { $0if (/* one */ a) { 1 } else { 2 } }"),
        ("inline_variable", "fn f(a: Int) -> Int { let $0b /* one */ = a + 1; b }"),
        ("short_assign", "fn f(a: Int) -> Int { let mut b = a; $0b = b /* one */ + 1; b }"),
        (
            "merge_imports",
            "use std::math::{\n    $0isqrt, // one\n};\nuse std::math::mul_div;\nfn f() -> Int { isqrt(9) }",
        ),
        ("split_import", "use std::math::{\n    $0isqrt, // one\n    mul_div,\n};\nfn f() -> Int { isqrt(9) }"),
        ("remove_parameter", "fn f(b: Int, $0a: Int) -> Int { b }\nfn g() -> Int { f(1 /* one */, 2) }"),
        // What is written is no list yet.
        ("add_arguments", "fn g(a: Int) -> Int { a }\nfn f() -> Int { $0g( }"),
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
    let commented = Fixture::new("use std::math::mul_div;\nuse std::math::{\n    isqrt, // one\n};\n");
    assert_eq!(commented.snapshot().organized_imports("a.bmc").unwrap(), []);
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

#[test]
fn actions_of_one_kind_are_told_apart_by_their_titles() {
    let (fixture, range) = marked("contract C {\n    spend s() {\n        require $0n > 1;\n    }\n}");
    let found = offered(&fixture, &range, &Wanted::Whole);
    let action = found.iter().find(|action| action.title == "make `n` a parameter of the contract").unwrap();
    let after = "contract C(n: Int) {\n    spend s() {\n        require n > 1;\n    }\n}";
    assert_eq!(shown(&done(&fixture, action)), after);
}

#[test]
fn a_value_to_begin_with_has_an_end() {
    let fields: String = (0..20).map(|n| format!("f{n}: S, ")).collect();
    let text = format!("struct S {{ {fields} }}\ncontract C(s: S) {{ spend $0s(n: Int) {{ require n > 1; }} }}\n");
    let (fixture, range) = marked(&text);
    let found = offered(&fixture, &range, &Wanted::Whole);
    let test = found.iter().find(|action| action.kind == ActionKind::AddTest).expect("a test can be begun");
    assert!(test.edits[0].edit.text.len() < 200_000);
}

#[test]
fn what_goes_takes_along_what_is_inside_of_it() {
    let edit = |range: std::ops::Range<usize>, text: &str| FileEdit {
        path: "a.bmc".into(),
        edit: TextEdit { range, text: text.to_owned() },
    };
    let made = |edits: &[FileEdit]| Edits::of(edits.to_vec()).map(|made| made.edits);
    assert_eq!(made(&[edit(2..9, ""), edit(4..5, "x")]), Some(vec![edit(2..9, "")]));
    assert_eq!(made(&[edit(2..5, ""), edit(2..9, "")]), Some(vec![edit(2..9, "")]));
    assert_eq!(made(&[edit(2..5, ""), edit(5..5, "x"), edit(2..2, "y")]), Some(vec![edit(2..5, "yx")]));
    assert_eq!(made(&[edit(2..5, "a"), edit(4..9, "b")]), None);
}
