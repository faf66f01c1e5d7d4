//! `bmc lint`: every fix before and after, the levels, and that what is mended compiles to what it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use driver::{Compiled, Effect, Severity, apply};
use tests::compile_text;

use crate::bmc::{bmc, root};

/// A code, what becomes of scripts, a source with that message and what its first fix makes of it.
const FIXES: &[(&str, Effect, &str, &str)] = &[
    (
        "E0123",
        Effect::Keeps,
        "use std::math::clamp;\n\nfn double(n: Int) -> Int { n * 2 }\n",
        "fn double(n: Int) -> Int { n * 2 }\n",
    ),
    (
        "E0123",
        Effect::Keeps,
        "use std::math::{abs_diff, clamp};\n\nfn small(n: Int) -> Int { abs_diff(n, 2) }\n",
        "use std::math::{abs_diff};\n\nfn small(n: Int) -> Int { abs_diff(n, 2) }\n",
    ),
    (
        "E0426",
        Effect::Keeps,
        "contract C(k: PubKey) {\n    spend s(sig: Sig) {\n        allow(open_path);\n        require k.signed(sig);\n    }\n}\n",
        "contract C(k: PubKey) {\n    spend s(sig: Sig) {\n        require k.signed(sig);\n    }\n}\n",
    ),
    (
        "E0426",
        Effect::Keeps,
        "contract C(k: PubKey) {\n    spend s(sig: Sig, n: Int) {\n        allow(open_path, unread_argument);\n        require k.signed(sig);\n    }\n}\n",
        "contract C(k: PubKey) {\n    spend s(sig: Sig, n: Int) {\n        allow(unread_argument);\n        require k.signed(sig);\n    }\n}\n",
    ),
    (
        "E0222",
        Effect::Keeps,
        "fn f(n: Int) -> Int {\n    return n;\n    require n > 0;\n    require n > 1;\n}\n",
        "fn f(n: Int) -> Int {\n    return n;\n}\n",
    ),
    (
        "E0217",
        Effect::Keeps,
        "fn fee(level: Int) -> Coin {\n    match level {\n        0 => 1_000 sats,\n        _ => 2_000 sats,\n        1 => 3_000 sats,\n    }\n}\n",
        "fn fee(level: Int) -> Coin {\n    match level {\n        0 => 1_000 sats,\n        _ => 2_000 sats,\n    }\n}\n",
    ),
    ("E0111", Effect::Keeps, "fn f(n: Int, m: Int) -> Int { n }\n", "fn f(n: Int, _m: Int) -> Int { n }\n"),
    (
        "E0111",
        Effect::Keeps,
        "fn f(n: Int) -> Int {\n    let m = n + 1;\n    n\n}\n",
        "fn f(n: Int) -> Int {\n    let _m = n + 1;\n    n\n}\n",
    ),
    (
        "E0111",
        Effect::Keeps,
        "struct P { x: Int, y: Int }\n\nfn f(p: P) -> Int {\n    let P { x, y } = p;\n    x\n}\n",
        "struct P { x: Int, y: Int }\n\nfn f(p: P) -> Int {\n    let P { x, y: _y } = p;\n    x\n}\n",
    ),
    (
        "E0018",
        Effect::Keeps,
        "fn f(n: Int) -> Int {\n    n\n    /// the end\n}\n",
        "fn f(n: Int) -> Int {\n    n\n    // the end\n}\n",
    ),
    (
        "E0007",
        Effect::Mends,
        "fn f(n: Int) -> Int {\n    let m = n + 1\n    m\n}\n",
        "fn f(n: Int) -> Int {\n    let m = n + 1;\n    m\n}\n",
    ),
    (
        "E0314",
        Effect::Changes,
        "reward Team {\n    a: 1/2,\n    b: rest, // who is left\n    minimum: 20_000 sats // for all\n}\n",
        "reward Team {\n    a: 1/2,\n    b: rest, // who is left\n    minimum: 20_000 sats,\n    fee: up to 1_000 sats, // for all\n}\n",
    ),
    (
        "E0307",
        Effect::Changes,
        "reward Team {\n    a: 10%,\n    b: 90%,\n    fee: up to 1_000 sats, // for who settles\n}\n",
        "reward Team {\n    a: 10%,\n    b: 90%,\n    fee: up to 1_000 sats, // for who settles\n    minimum: 6_760 sats,\n}\n",
    ),
    ("E0203", Effect::Changes, "const FEE: Coin = 1_000;\n", "const FEE: Coin = 1_000 sats;\n"),
    ("E0101", Effect::Changes, "fn f(number: Int) -> Int { nunber }\n", "fn f(number: Int) -> Int { number }\n"),
    (
        "E0103",
        Effect::Changes,
        "fn f(n: Int) -> Hash256 { sha265(toBytes(n)) }\n",
        "fn f(n: Int) -> Hash256 { sha256(toBytes(n)) }\n",
    ),
    ("E0102", Effect::Changes, "fn f(n: Intt) -> Int { 1 }\n", "fn f(n: Int) -> Int { 1 }\n"),
    (
        "E0425",
        Effect::Changes,
        "contract C(k: PubKey) {\n    allow(open_paths);\n    spend s(sig: Sig) { require k.signed(sig); }\n}\n",
        "contract C(k: PubKey) {\n    allow(open_path);\n    spend s(sig: Sig) { require k.signed(sig); }\n}\n",
    ),
    (
        "E0211",
        Effect::Changes,
        "contract C(k: PubKey) {\n    spend s(sig: Sig) { k.signed(sig); }\n}\n",
        "contract C(k: PubKey) {\n    spend s(sig: Sig) { require k.signed(sig); }\n}\n",
    ),
    (
        "E0306",
        Effect::Changes,
        "reward Team {\n    a: 40%,\n    b: 60% { x: 1/2, y: 1/2 },\n    dust: b,\n    minimum: 10_000 sats,\n    fee: up to 1_000 sats,\n}\n",
        "reward Team {\n    a: 40%,\n    b: 60% { x: 1/2, y: 1/2 },\n    dust: b.x,\n    minimum: 10_000 sats,\n    fee: up to 1_000 sats,\n}\n",
    ),
];

/// The scripts of a program by contract.
fn scripts(compiled: &Compiled) -> BTreeMap<&str, String> {
    let script = |artifact: &'_ spec::Artifact| format!("{:?}", artifact.bytecode);
    compiled.artifacts.iter().map(|artifact| (artifact.contract.as_str(), script(artifact))).collect()
}

#[test]
fn every_fix_does_what_it_says() {
    for (code, effect, before, after) in FIXES {
        let compiled = compile_text(before);
        let found = compiled.diagnostics.iter().find(|found| found.code.name() == *code);
        let found = found.unwrap_or_else(|| panic!("{code} is not found in {before}: {:?}", compiled.diagnostics));
        let remedies = compiled.remedies(found);
        let remedy = remedies.first().unwrap_or_else(|| panic!("{code} has no fix in {before}"));
        assert_eq!(remedy.effect, *effect, "{code}");
        assert!(
            !remedy.title.ends_with('.') && remedy.title.matches('`').count().is_multiple_of(2),
            "{}",
            remedy.title
        );
        let path = Arc::clone(&remedy.changes[0].path);
        let mut texts = BTreeMap::from([(path, (*before).to_owned())]);
        apply(&mut texts, &remedy.changes);
        let text = texts.into_values().next().unwrap();
        assert_eq!(text, *after, "{code}");
        let mended = compile_text(&text);
        let left = mended.diagnostics.iter().filter(|found| found.code.name() == *code).count();
        let was = compiled.diagnostics.iter().filter(|found| found.code.name() == *code).count();
        assert_eq!(left + 1, was, "{code} is still there: {:?}", mended.diagnostics);
        if *effect == Effect::Keeps {
            assert_eq!(scripts(&compiled), scripts(&mended), "{code}");
        }
    }
}

#[test]
fn a_fix_that_keeps_scripts_keeps_those_of_every_example_of_a_message() {
    for entry in fs::read_dir(root().join("tests/diagnostics")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let text = text.split("//---- fixed").next().unwrap();
        let compiled = compile_text(text);
        for found in &compiled.diagnostics {
            for remedy in compiled.remedies(found).iter().filter(|remedy| remedy.effect == Effect::Keeps) {
                let path = Arc::clone(&remedy.changes[0].path);
                let mut texts = BTreeMap::from([(path, text.to_owned())]);
                apply(&mut texts, &remedy.changes);
                let mended = compile_text(texts.values().next().unwrap());
                assert!(!mended.has_errors() || compiled.has_errors(), "{}: {}", found.message, remedy.title);
                assert_eq!(scripts(&compiled), scripts(&mended), "{}: {}", found.message, remedy.title);
            }
        }
    }
}

const MESSY: &str = "use std::math::{abs_diff, clamp};

contract Lock(owner: PubKey) {
    spend take(sig: Sig) {
        allow(open_path, closed_path);
        require owner.signed(sig);
    }
}
";

const TIDY: &str = "contract Lock(owner: PubKey) {
    spend take(sig: Sig) {
        require owner.signed(sig);
    }
}
";

fn folder(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lock.bmc"), text).unwrap();
    folder
}

fn text(folder: &Path) -> String {
    fs::read_to_string(folder.join("lock.bmc")).unwrap()
}

#[test]
fn fixes_are_shown_made_and_made_once() {
    let folder = folder(MESSY);
    let said = bmc(folder.path(), &["lint"]);
    assert_eq!(said.code, Some(0));
    for word in ["0 errors, 4 warnings", "help: `bmc lint --fix` mends 4 of them"] {
        assert!(said.stdout.contains(word), "`{word}` is missing:\n{}", said.stdout);
    }
    let dry = bmc(folder.path(), &["lint", "--fix", "--dry-run"]).ok();
    assert!(dry.contains("-use std::math::{abs_diff, clamp};") && dry.contains("+++ lock.bmc, mended"), "{dry}");
    assert_eq!(text(folder.path()), MESSY, "nothing was to be written");
    let out = bmc(folder.path(), &["lint", "--fix"]).ok();
    assert_eq!(out.matches("mended lock.bmc").count(), 4, "{out}");
    assert_eq!(text(folder.path()), TIDY);
    assert_eq!(bmc(folder.path(), &["lint", "--fix"]).ok(), "nothing to say\n");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside the file");
    assert_eq!(bmc(folder.path(), &["fmt", "--check"]).ok(), "");
}

#[test]
fn what_may_change_a_script_is_made_only_when_asked() {
    let reward = "reward Team {\n    a: 1/2,\n    b: rest,\n    minimum: 20_000 sats,\n}\n";
    let folder = folder(reward);
    let said = bmc(folder.path(), &["lint"]).ok();
    assert!(said.contains("help: `bmc lint --fix --unsafe-fixes` mends 1"), "{said}");
    bmc(folder.path(), &["lint", "--fix"]).ok();
    assert_eq!(text(folder.path()), reward);
    bmc(folder.path(), &["lint", "--fix", "--unsafe-fixes"]).ok();
    assert!(text(folder.path()).contains("    minimum: 20_000 sats,\n    fee: up to 1_000 sats,\n"));
    bmc(folder.path(), &["lint", "--unsafe-fixes"]).fails_with(2);
}

#[test]
fn errors_of_form_are_mended_though_others_come_to_light() {
    let folder = folder("fn f(n: Int) -> Int {\n    let m = n + 1\n    let k = lost + 1\n    gone + k\n}\n");
    let ran = bmc(folder.path(), &["lint", "--fix"]);
    assert_eq!(ran.code, Some(1));
    assert!(text(folder.path()).contains("n + 1;\n    let k = lost + 1;\n"), "{}", text(folder.path()));
    assert!(ran.stderr.contains("E0101"), "{}", ran.stderr);
}

#[test]
fn levels_stand_in_the_manifest_and_on_the_command_line() {
    let folder = folder(MESSY);
    let manifest = |lint: &str| {
        let text = format!("[package]\nname = \"lock\"\nversion = \"0.1.0\"\n\n[lint]\n{lint}\n");
        fs::write(folder.path().join("bmc.toml"), text).unwrap();
    };
    manifest("unused_import = \"deny\"\nidle_allow = \"allow\"");
    let ran = bmc(folder.path(), &["lint"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains("2 errors, 0 warnings") && ran.stderr.contains("error[E0123]"), "{}", ran.stdout);
    bmc(folder.path(), &["check"]).fails_with(1);
    bmc(folder.path(), &["build"]).fails_with(1);
    bmc(folder.path(), &["lint", "--warn", "unused_import"]).ok();
    manifest("warnings = \"allow\"");
    assert_eq!(bmc(folder.path(), &["lint"]).ok(), "nothing to say\n");
    let denied = bmc(folder.path(), &["lint", "--deny", "warnings"]).fails_with(1);
    assert!(denied.contains("4 errors"), "{denied}");
    let list = bmc(folder.path(), &["lint", "--list", "--deny", "no_fee"]).ok();
    assert!(list.contains("no_fee               deny") && list.contains("unused_import        allow"), "{list}");
    manifest("open_path = \"warn\"");
    let guard = bmc(folder.path(), &["lint"]).fails_with(1);
    assert!(guard.contains("`open_path` guards money") && guard.contains("`allow(open_path);`"), "{guard}");
    manifest("no_fees = \"warn\"");
    assert!(bmc(folder.path(), &["lint"]).fails_with(1).contains("there is no lint `no_fees`"));
    manifest("no_fee = \"loud\"");
    assert!(bmc(folder.path(), &["lint"]).fails_with(1).contains("write `allow`, `warn` or `deny`"));
    fs::remove_file(folder.path().join("bmc.toml")).unwrap();
    assert!(bmc(folder.path(), &["lint", "--deny", "nothing"]).fails_with(2).contains("bmc lint --list"));
}

#[test]
fn machines_get_the_edits() {
    let folder = folder(MESSY);
    let json: serde_json::Value = serde_json::from_str(&bmc(folder.path(), &["lint", "--json"]).ok()).unwrap();
    let found = json["diagnostics"].as_array().unwrap();
    let import = found.iter().find(|one| one["message"] == "nothing uses the import `clamp`").unwrap();
    assert_eq!((&import["lint"], &import["fixes"][0]["effect"]), (&"unused_import".into(), &"keeps".into()));
    let edit = &import["fixes"][0]["edits"][0];
    let at = |key: &str| usize::try_from(edit[key].as_u64().unwrap()).unwrap();
    assert_eq!((&MESSY[at("start")..at("end")], edit["text"].as_str()), (", clamp", Some("")));
    let json = bmc(folder.path(), &["lint", "--fix", "--json"]).ok();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["mended"].as_array().unwrap().len(), json["diagnostics"].as_array().unwrap().len()), (4, 0));
    let list: serde_json::Value =
        serde_json::from_str(&bmc(folder.path(), &["lint", "--list", "--json"]).ok()).unwrap();
    assert_eq!(list.as_array().unwrap().len(), driver::lints().len());
}

#[test]
fn what_users_read_passes_the_lints_that_deny() {
    for example in fs::read_dir(root().join("examples")).unwrap() {
        let ran = bmc(&example.unwrap().path(), &["lint"]);
        assert_eq!(ran.code, Some(0), "{}\n{}", ran.stdout, ran.stderr);
    }
    let stdlib = bmc(root(), &["lint", "stdlib"]).ok();
    assert_eq!(stdlib, "nothing to say\n");
}

#[test]
fn the_page_about_lints_names_them_all() {
    let page = fs::read_to_string(root().join("docs/book/src/lints.md")).unwrap();
    for lint in driver::lints() {
        assert!(page.contains(&format!("| `{}` | [{}]", lint.name, lint.code)), "{}", lint.name);
    }
    let warned = driver::lints().iter().filter(|lint| lint.severity == Severity::Warning).count();
    assert_eq!(page.matches("| warn |").count(), warned);
}
