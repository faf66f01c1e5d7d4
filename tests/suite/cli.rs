//! The command line: exit codes, messages for wrong sources, machine-readable output.

use std::fs;
use std::path::Path;

use crate::bmc::{Ran, bmc};

/// Writes `source` to a file and checks it.
fn check(source: &[u8]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("source.bmc"), source).unwrap();
    bmc(folder.path(), &["check", "source.bmc"])
}

fn reward(body: &str) -> String {
    format!("reward R {{ {body} }}")
}

#[test]
fn wrong_rewards_get_precise_messages() {
    let cases = [
        ("a: 50%, b: 55%, minimum: 20_000 sats,", "E0301", "105 %"),
        ("a: 50%, b: 45%, minimum: 20_000 sats,", "E0301", "95 %"),
        ("a: -10%, b: 110%, minimum: 20_000 sats,", "a", "-10"),
        ("a: 0%, b: 100%, minimum: 20_000 sats,", "a", "0"),
        ("a: rest, b: rest, minimum: 20_000 sats,", "rest", "b"),
        ("a: 1%, b: 99%, minimum: 20_000 sats,", "`a`", "dust"),
        ("a: 50%, b: rest, dust: c, minimum: 20_000 sats,", "`c`", "dust"),
        ("a: 50%, b: rest, minimum: 20_000 blocks,", "blocks", "Coin"),
    ];
    for (body, first, second) in cases {
        let text = check(reward(body).as_bytes()).fails_with(1);
        for word in [first, second] {
            assert!(text.to_lowercase().contains(&word.to_lowercase()), "`{word}` is missing for `{body}`:\n{text}");
        }
        assert!(text.contains("source.bmc:1:") || text.contains("source.bmc\u{3a}1"), "{text}");
    }
}

#[test]
fn hostile_sources_end_in_diagnostics() {
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    let random: Vec<u8> = std::iter::repeat_with(|| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed as u8
    })
    .take(10 * 1024 * 1024)
    .collect();
    let printable: Vec<u8> = random.iter().map(|byte| b' ' + byte % 95).collect();
    let deep = format!("fn f() -> Int {{ {}1{} }}", "(".repeat(200_000), ")".repeat(200_000));
    let chain = format!("fn f() -> Int {{ 1{} }}", " + 1".repeat(200_000));
    let unterminated = b"contract C() { spend s() { require 1 == 1, \"never closed; } }".to_vec();
    for (name, source) in [
        ("10 MB of random bytes", random),
        ("10 MB of printable noise", printable),
        ("deep nesting", deep.into_bytes()),
        ("a long chain", chain.into_bytes()),
        ("an unterminated string", unterminated),
    ] {
        let text = check(&source).fails_with(1);
        assert!(
            text.contains("E00") || text.contains("E06"),
            "{name}:\n{}",
            text.chars().take(2_000).collect::<String>()
        );
        assert!(text.len() < 1_000_000, "{name} printed {} bytes", text.len());
    }
}

#[test]
fn all_errors_of_all_files_come_in_one_run() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.bmc"), reward("x: 50%, minimum: 20_000 sats,")).unwrap();
    fs::write(folder.path().join("b.bmc"), "contract C() { spend s() { require unknown_name == 1; } }").unwrap();
    let text = bmc(folder.path(), &["check", "a.bmc", "b.bmc", "absent.bmc"]).fails_with(1);
    for word in ["a.bmc", "b.bmc", "absent.bmc", "E0301", "unknown_name"] {
        assert!(text.contains(word), "`{word}` is missing:\n{text}");
    }
}

#[test]
fn json_diagnostics_parse_and_name_places() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.bmc"), reward("x: 50%, minimum: 20_000 sats,")).unwrap();
    let ran = bmc(folder.path(), &["check", "a.bmc", "--format", "json"]);
    assert_eq!(ran.code, Some(1));
    let value: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let first = value.as_array().or_else(|| value["diagnostics"].as_array()).unwrap().first().unwrap().clone();
    assert_eq!(first["code"], "E0301");
    assert_eq!(first["labels"][0]["line"], 1);
}

#[test]
fn a_new_package_checks_and_builds() {
    let folder = tempfile::tempdir().unwrap();
    bmc(folder.path(), &["new", "payday"]).ok();
    let package = folder.path().join("payday");
    bmc(&package, &["check"]).ok();
    let asm = bmc(&package, &["build", "shares.bmc", "--emit", "asm"]).ok();
    assert!(asm.contains("OP_OUTPUTVALUE"), "{asm}");
}

#[test]
fn building_a_folder_writes_every_artifact_and_never_one_over_another() {
    let folder = tempfile::tempdir().unwrap();
    let good = reward("a: 50%, b: rest, minimum: 20_000 sats, fee: up to 500 sats,");
    fs::write(folder.path().join("a.bmc"), &good).unwrap();
    fs::write(folder.path().join("b.bmc"), good.replace("reward R", "reward S")).unwrap();
    bmc(folder.path(), &["build"]).ok();
    for name in ["R", "S"] {
        let json = fs::read_to_string(folder.path().join(format!("artifacts/{name}.json"))).unwrap();
        let artifact: spec::Artifact = serde_json::from_str(&json).unwrap();
        assert_eq!(artifact.contract, name);
    }
    fs::write(folder.path().join("b.bmc"), &good).unwrap();
    let text = bmc(folder.path(), &["build"]).fails_with(1);
    assert!(text.contains("two files declare a contract `R`"), "{text}");
}

#[test]
fn usage_mistakes_and_absent_nodes_have_their_own_exit_codes() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    bmc(here, &["frobnicate"]).fails_with(2);
    bmc(here, &["ops", "OP_NO_SUCH"]).fails_with(1);
    let text = bmc(here, &["wallet", "balance", "--rpc", "http://127.0.0.1:1"]).fails_with(3);
    assert!(text.contains("help:"), "{text}");
}
