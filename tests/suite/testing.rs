//! `bmc test`: the examples' own tests, the page about testing, and what the command prints.

use std::fs;
use std::path::Path;

use crate::bmc::{bmc, root};

/// The folders below `examples`, all of which have tests.
fn examples() -> Vec<String> {
    let folders = fs::read_dir(root().join("examples")).unwrap().map(Result::unwrap);
    let mut names: Vec<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

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
    let examples = examples();
    assert!(examples.len() >= 14, "{examples:?}");
    for example in examples {
        let folder = root().join("examples").join(&example);
        assert!(folder.join("tests.bmc").exists(), "{example} has no tests");
        let out = bmc(&folder, &["test", "--mutate"]).ok();
        assert!(out.contains("mutants noticed, 100 %"), "{example}:\n{out}");
    }
}

#[test]
fn the_tests_of_the_standard_library_pass() {
    let out = bmc(root(), &["test", "--file", "tests/stdlib/functions.bmc"]).ok();
    assert!(out.contains("13 tests passed"), "{out}");
}

#[test]
fn the_page_about_testing_names_people() {
    let page = fs::read_to_string(root().join("docs/book/src/testing.md")).unwrap();
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
    for word in [
        "unnoticed range.bmc:3 \"positive\" deleted",
        "unnoticed range.bmc:4 \"small\" deleted",
        "4 of 6 mutants noticed, 66 %: 3 by tests, 1 by the compiler",
    ] {
        assert!(text.contains(word), "`{word}` is missing:\n{text}");
    }
    let more =
        "    fails \"positive\" { coin.open(0, alice) }\n    fails \"small\" { coin.open(9, alice) }\n    passes";
    fs::write(&file, RANGE.replace("    passes", more)).unwrap();
    let text = bmc(folder.path(), &["test", "--mutate"]).ok();
    assert!(text.contains("6 of 6 mutants noticed, 100 %: 5 by tests, 1 by the compiler"), "{text}");
}

#[test]
fn only_the_package_itself_is_mutated() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("gates/bmc.toml", "[package]\nname = \"gates\"\nversion = \"1.0.0\"\n");
    write("gates/gate.bmc", "fn small(n: Int) {\n    require n < 9, \"small\";\n}\n");
    write(
        "own/bmc.toml",
        "[package]\nname = \"own\"\nversion = \"1.0.0\"\n[dependencies]\ngates = { path = \"../gates\" }\n",
    );
    let contract = LOCK.replace("spend open(sig: Sig) {", "spend open(n: Int, sig: Sig) {\n        small(n);");
    let tests =
        "test opens {\n    let coin = chain.fund(Lock(alice), 1 coin);\n    passes { coin.open(5, alice) }\n}\n";
    write("own/lock.bmc", &format!("use gates::gate::small;\n{contract}{tests}"));
    let text = bmc(&folder.path().join("own"), &["test", "--mutate"]).ok();
    assert!(text.contains("2 of 2 mutants noticed"), "{text}");
}

/// A branch that nothing takes, a path that nothing takes, and conditions that always hold.
const PARTLY: &str = r#"contract Partly(key: PubKey) {
    spend open(n: Int, sig: Sig) {
        let least = if n > 5 { 2 } else { 1 };
        require n >= least, "large enough";
        require key.signed(sig), "the owner must sign";
    }

    spend close(kind: Int, sig: Sig) {
        let most = match kind { 1 => 5, 2 => 7, _ => 9 };
        require kind < most, "of a known kind";
        require key.signed(sig), "the owner must sign";
    }
}
test opens {
    let coin = chain.fund(Partly(alice), 1 coin);
    fails "large enough" { coin.open(0, alice) }
    fails "the owner must sign" { coin.open(1, bob) }
    fails "the owner must sign" { coin.close(2, bob) }
    passes { coin.open(1, alice) }
}
property closes(kind: Int in 3 ..= 8) {
    let coin = chain.fund(Partly(alice), 1 coin);
    fails "the owner must sign" { coin.close(kind, bob) }
}
"#;

#[test]
fn coverage_names_what_no_test_runs() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("partly.bmc"), PARTLY).unwrap();
    let text = bmc(folder.path(), &["test", "--coverage", "--lcov", "lcov.info"]).ok();
    let words = [
        "partly.bmc Partly         1 of 2         3 of 5         3 of 4         3 of 4",
        "not run partly.bmc:3 the block of this `if`",
        "not run partly.bmc:8 no valid transaction takes the path `close`",
        "not run partly.bmc:9 arm 1 of this `match`",
        "not run partly.bmc:11 nothing meets this `require`: \"the owner must sign\"",
        "not run partly.bmc:10 nothing fails this `require`: \"of a known kind\"",
    ];
    for word in words {
        assert!(text.contains(word), "`{word}` is missing:\n{text}");
    }
    assert_eq!(text.matches("not run").count(), 5, "{text}");
    let lcov = fs::read_to_string(folder.path().join("lcov.info")).unwrap();
    for line in ["SF:partly.bmc", "FNDA:1,Partly.open", "FNDA:0,Partly.close", "FNF:2", "FNH:1", "BRF:13", "BRH:9"] {
        assert!(lcov.lines().any(|found| found == line), "`{line}` is missing:\n{lcov}");
    }
    let count = |line: usize| {
        let start = format!("DA:{line},");
        lcov.lines().find_map(|found| found.strip_prefix(&start)).map(|count| count.parse::<u32>().unwrap())
    };
    assert_eq!((count(4), count(10)), (Some(3), Some(101)), "{lcov}");
    // Whatever is shared among threads, the sums are the same.
    let on = |threads: &str| bmc(folder.path(), &["test", "--coverage", "--json", "--threads", threads]).stdout;
    assert_eq!(on("1"), on("4"));
}

#[test]
fn labels_tell_the_share_of_cases() {
    let folder = folder(
        "property sorted(n: Int in 0 ..= 9, deep: Bool) {\n    classify n < 5, \"small\";\n    \
         classify n > 9, \"never\";\n    classify true, \"always\";\n    assert n < 10 && (deep || !deep);\n}\n",
    );
    let text = bmc(folder.path(), &["test"]).ok();
    for word in ["0.0 %  never", "100.0 %  always", " %  small"] {
        assert!(text.contains(word), "`{word}` is missing:\n{text}");
    }
    let data: serde_json::Value = serde_json::from_str(&bmc(folder.path(), &["test", "--json"]).ok()).unwrap();
    assert_eq!(data["tests"][0]["labels"][2], serde_json::json!({ "label": "always", "cases": 100 }));
    let test = self::folder("test one {\n    classify true, \"always\";\n}\n");
    let told = bmc(test.path(), &["test"]).fails_with(1);
    assert!(told.contains("only the cases of a property are counted"), "{told}");
}

/// All transactions of a story, one a line: those that made its coins are among them.
fn makers(story: &tests::Story) -> String {
    let all = story.blocks().into_iter().flat_map(|block| block.transactions);
    all.map(|tx| hex::encode(tx.encode()) + "\n").collect()
}

/// The text of a test that `bmc test --from-tx` makes of a transaction; it passes among the example's own.
fn retold(story: &tests::Story, example: &str, file: &str, tx: &spec::Transaction) -> String {
    let folder = tempfile::tempdir().unwrap();
    let source = root().join("examples").join(example).join(file);
    let text = fs::read_to_string(source).unwrap();
    fs::write(folder.path().join(file), &text).unwrap();
    fs::write(folder.path().join("coins.txt"), makers(story)).unwrap();
    let tx = hex::encode(tx.encode());
    let test = bmc(folder.path(), &["test", "--from-tx", &tx, "--coins", "coins.txt"]).ok();
    let test = test.split("put this into").next().unwrap().to_owned();
    fs::write(folder.path().join(file), format!("{text}\n{test}")).unwrap();
    let out = bmc(folder.path(), &["test"]).ok();
    assert!(out.contains("1 test passed"), "{test}\n{out}");
    test
}

#[test]
fn transactions_are_told_as_tests() {
    let people = &[("alice", "1 coin"), ("bob", "0.1 coin"), ("carol", "0.1 coin")];
    let mut story = tests::Story::example("htlc", people);
    let digest = format!("0x{}", hex::encode(spec::hash::sha256(&[0x5e; 32])));
    let secret = format!("0x{}", "5e".repeat(32));
    let params = [("sender", "@alice"), ("recipient", "@bob"), ("digest", &*digest), ("expiry", "height 140")];
    let lock = story.deploy("Htlc", &params);
    story.pay("alice", &lock, "0.3 coin");
    let claim = story.run("bob", "claim", &[("secret", &secret), ("sig", "@bob")]).built.tx;
    let test = retold(&story, "htlc", "htlc.bmc", &claim);
    for word in ["chain.fund(Htlc(alice, bob, 0x", "height 140), 30_000_000 sats);", "coin_0.claim(0x5e5e"] {
        assert!(test.contains(word), "`{word}` is missing:\n{test}");
    }
    story.pay("alice", &lock, "0.2 coin");
    story.mine_to(140);
    let refund = story.run("alice", "refund", &[("sig", "@alice")]).built.tx;
    let test = retold(&story, "htlc", "htlc.bmc", &refund);
    assert!(test.contains("passes at height 140 {\n        coin_0.refund(alice);"), "{test}");
    // What was refused is told so, with its message.
    let mut early = refund.clone();
    early.locktime = 139;
    let test = retold(&story, "htlc", "htlc.bmc", &early);
    assert!(test.contains("fails \"the coin has not expired\" at height 139 {"), "{test}");

    let mut story = tests::Story::example("vault", people);
    let open = [("hot", "@alice"), ("cold", "@carol"), ("delay", "6 blocks"), ("amount", "0.5 coin")];
    story.run("alice", "open", &open);
    let announce = story.run("alice", "announce", &[("lock", "@bob")]).built.tx;
    let test = retold(&story, "vault", "vault.bmc", &announce);
    assert!(test.contains("capability: mutable, commitment: 0x00") && test.contains("output coin_0.lock {"), "{test}");
    story.mine(6);
    let leave = story.run("bob", "leave", &[("lock", "@bob")]).built.tx;
    let test = retold(&story, "vault", "vault.bmc", &leave);
    for word in ["chain.mine(6);", "age coin_0 6 blocks;", "burn coin_0;", "output p2pkh(hash160(bob)) {"] {
        assert!(test.contains(word), "`{word}` is missing:\n{test}");
    }
    let told = bmc(&root().join("examples/htlc"), &["test", "--from-tx", "00ff"]).fails_with(2);
    assert!(told.contains("this is no transaction") && told.contains("help:"), "{told}");
}

fn number_behind(text: &str, word: &str) -> u64 {
    let mut words = text.split_whitespace().skip_while(|found| *found != word);
    words.nth(1).unwrap().parse().unwrap()
}

fn change(file: &Path, text: &str, from: u64, to: u64) {
    fs::write(file, text.replace(&format!("bytes {from}"), &format!("bytes {to}"))).unwrap();
}
