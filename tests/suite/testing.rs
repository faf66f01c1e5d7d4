//! `bmc test`: the examples' own tests, the page about testing, and what the command prints.

use std::fs;
use std::path::Path;

use crate::bmc::{bmc, root};
use crate::readme::blocks;

/// The folders below `examples` that have tests.
const TESTED: [&str; 5] = ["escrow", "htlc", "multisig", "subscription", "vault"];

const LOCK: &str = r#"contract Lock(key: PubKey) {
    spend open(sig: Sig) {
        require key.signed(sig), "the owner must sign";
    }
}
"#;

/// A folder with `Lock` and these tests.
fn folder(tests: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lock.bmc"), format!("{LOCK}\n{tests}")).unwrap();
    folder
}

const PASSING: &str =
    "test opens {\n    let coin = chain.fund(Lock(alice), 1 coin);\n    passes { coin.open(alice) }\n}\n";
const FAILING: &str =
    "test opens {\n    let coin = chain.fund(Lock(alice), 1 coin);\n    passes { coin.open(bob) }\n}\n";
const FALSE: &str = "property small(n: Int in 0 ..= 1_000_000) {\n    assert n < 500;\n}\n";

#[test]
fn the_tests_of_the_examples_pass_and_notice_every_mutant() {
    for example in TESTED {
        let out = bmc(&root().join("examples").join(example), &["test", "--mutate"]).ok();
        assert!(out.contains("mutants noticed, 100 %"), "{example}:\n{out}");
    }
}

#[test]
fn the_page_about_testing_is_true() {
    let page = fs::read_to_string(root().join("docs/testing.md")).unwrap();
    assert_eq!(blocks(&page, "console"), ["bmc test\n"]);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("page.bmc"), blocks(&page, "bmc").join("\n")).unwrap();
    let out = bmc(folder.path(), &["test"]).ok();
    assert!(out.contains("page::refund_waits") && out.contains("2 tests passed"), "{out}");
    for person in ["`alice`", "`judy`", "`key(\"judge\")`"] {
        assert!(page.contains(person), "{person}");
    }
}

#[test]
fn exit_codes_tell_passing_failing_and_wrong_usage_apart() {
    let run = |tests: &str, args: &[&str]| bmc(folder(tests).path(), args);
    let out = run(PASSING, &["test"]).ok();
    assert!(out.contains("ok     lock::opens") && out.contains("bytes, cost"), "{out}");
    run(FAILING, &["test"]).fails_with(1);
    let none = run("", &["test"]).fails_with(2);
    assert!(none.contains("the sources have no tests") && none.contains("help:"), "{none}");
    let filtered = run(PASSING, &["test", "nobody"]).fails_with(2);
    assert!(filtered.contains("none of 1 tests has a name with `nobody`"), "{filtered}");
    run("test broken { assert 1; }", &["test"]).fails_with(1);
    run(PASSING, &["test", "--cases", "0"]).fails_with(2);
}

#[test]
fn failures_show_source_transaction_and_trace() {
    let text = bmc(folder(FAILING).path(), &["test"]).fails_with(1);
    let words = [
        "failed[lock::opens]: this must pass, but it is refused: Lock.open: \"the owner must sign\" at lock.bmc:3",
        "passes { coin.open(bob) }",
        "◂ coin: Lock",
        "OP_CHECKSIG",
        "1 of 1 test failed",
    ];
    for word in words {
        assert!(text.contains(word), "`{word}` is missing:\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn counterexamples_can_be_replayed() {
    let folder = folder(FALSE);
    let text = bmc(folder.path(), &["test"]).fails_with(1);
    assert!(text.contains("  n = 500\n"), "{text}");
    let again = text.lines().find_map(|line| line.strip_prefix("again: bmc ")).unwrap_or_else(|| panic!("{text}"));
    let args: Vec<&str> = again.split(' ').collect();
    let replayed = bmc(folder.path(), &args).fails_with(1);
    assert!(replayed.contains("  n = 500\n") && replayed.contains("1 case"), "{replayed}");
}

#[test]
fn results_are_there_for_machines() {
    let folder = folder(&format!("{PASSING}{FALSE}"));
    let ran = bmc(folder.path(), &["test", "--json", "--junit", "results.xml"]);
    let data: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &data["passed"], &data["failed"]), (Some(1), &1.into(), &1.into()));
    assert_eq!(data["tests"][0]["transactions"][0]["paths"][0], "Lock.open");
    assert_eq!(data["tests"][1]["counterexample"]["values"][0]["value"], "500");
    let xml = fs::read_to_string(folder.path().join("results.xml")).unwrap();
    for word in ["tests=\"2\" failures=\"1\"", "name=\"opens\" file=\"lock.bmc\" line=\"7\"/>", "<failure message="] {
        assert!(xml.contains(word), "`{word}` is missing:\n{xml}");
    }
}

#[test]
fn a_snapshot_of_costs_refuses_what_has_become_dearer() {
    let folder = folder(PASSING);
    let costs = folder.path().join("bmc.costs");
    let missing = bmc(folder.path(), &["test", "--check-snapshot"]).fails_with(2);
    assert!(missing.contains("there is no `bmc.costs`"), "{missing}");
    bmc(folder.path(), &["test", "--snapshot"]).ok();
    bmc(folder.path(), &["test", "--check-snapshot"]).ok();
    let written = fs::read_to_string(&costs).unwrap();
    let bytes = number_behind(&written, "bytes");
    change(&costs, &written, bytes, bytes - 1);
    let worse = bmc(folder.path(), &["test", "--check-snapshot"]).fails_with(1);
    assert!(worse.contains("lock::opens: bytes") && worse.contains("1 figures are worse"), "{worse}");
    change(&costs, &written, bytes, bytes + 1);
    bmc(folder.path(), &["test", "--check-snapshot"]).ok();
}

/// Nothing tries a number that is refused.
const RANGE: &str = r#"contract Range(key: PubKey) {
    spend open(n: Int, sig: Sig) {
        require n > 0, "positive";
        require n < 9, "small";
        require key.signed(sig), "the owner must sign";
    }
}
test opens {
    let coin = chain.fund(Range(alice), 1 coin);
    fails "the owner must sign" { coin.open(5, bob) }
    passes { coin.open(5, alice) }
}
"#;

#[test]
fn mutants_tell_what_no_test_notices() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("range.bmc");
    fs::write(&file, RANGE).unwrap();
    let text = bmc(folder.path(), &["test", "--mutate"]).fails_with(1);
    for word in
        ["unnoticed range.bmc:3 \"positive\" deleted", "unnoticed range.bmc:4 \"small\" deleted", "3 of 5 mutants"]
    {
        assert!(text.contains(word), "`{word}` is missing:\n{text}");
    }
    let more =
        "    fails \"positive\" { coin.open(0, alice) }\n    fails \"small\" { coin.open(9, alice) }\n    passes";
    fs::write(&file, RANGE.replace("    passes", more)).unwrap();
    let text = bmc(folder.path(), &["test", "--mutate"]).ok();
    assert!(text.contains("5 of 5 mutants noticed, 100 %"), "{text}");
}

fn number_behind(text: &str, word: &str) -> u64 {
    let mut words = text.split_whitespace().skip_while(|found| *found != word);
    words.nth(1).unwrap().parse().unwrap()
}

fn change(file: &Path, text: &str, from: u64, to: u64) {
    fs::write(file, text.replace(&format!("bytes {from}"), &format!("bytes {to}"))).unwrap();
}
