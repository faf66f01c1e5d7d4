//! A virtual machine that nobody here wrote accepts the example's settlement and refuses it changed.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use spec::Transaction;

use crate::bmc::{bmc, root};

fn runs(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Installs the pinned package into a folder under `target`, once.
fn install() -> Option<PathBuf> {
    if !runs("node") || !runs("npm") {
        // Written past the test runner, which would keep it to itself.
        let why = b"SKIPPED: node and npm are not installed, so no independent machine checks the settlement\n";
        std::io::stderr().write_all(why).unwrap();
        return None;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("independent");
    fs::create_dir_all(&folder).unwrap();
    for name in ["package.json", "package-lock.json", "check.mjs"] {
        fs::copy(root().join("tests/independent").join(name), folder.join(name)).unwrap();
    }
    if !folder.join("node_modules/@bitauth/libauth/package.json").exists() {
        let status =
            Command::new("npm").args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(&folder).status();
        assert!(status.is_ok_and(|status| status.success()), "`npm ci` failed in {}", folder.display());
    }
    Some(folder)
}

fn verdicts(folder: &Path, entries: &[Value]) -> Vec<String> {
    let mut child = Command::new("node")
        .args(["check.mjs", "relay"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for entry in entries {
        writeln!(stdin, "{entry}").unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn another_machine_accepts_the_settlement_and_refuses_every_forgery() {
    let Some(folder) = install() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("settlement.json");
    bmc(root(), &["demo", "--export", file.to_str().unwrap()]).ok();
    let export: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let hex_of = |key: &str| export[key].as_str().unwrap().to_owned();
    let settlement = Transaction::decode(&hex::decode(hex_of("tx")).unwrap()).unwrap();
    let mut swapped = settlement.clone();
    swapped.outputs.swap(0, 1);
    let mut underpaid = settlement.clone();
    underpaid.outputs[2].value = underpaid.outputs[2].value.checked_sub(spec::Sats::ONE).unwrap();
    let mut fewer = settlement.clone();
    fewer.outputs.pop();
    let cases = [("settlement", settlement), ("swapped", swapped), ("underpaid", underpaid), ("fewer", fewer)];
    let entries: Vec<Value> = cases
        .iter()
        .map(|(id, tx)| json!({ "id": id, "tx": hex::encode(tx.encode()), "utxos": hex_of("utxos") }))
        .collect();
    let lines = verdicts(&folder, &entries);
    assert_eq!(lines[0], "settlement accepted");
    for (line, (id, _)) in lines.iter().zip(&cases).skip(1) {
        assert!(line.starts_with(&format!("{id} refused: ")), "{line}");
    }
    assert_eq!(lines.len(), cases.len());
}
