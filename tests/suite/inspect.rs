//! `bmc inspect`: what is in a transaction, and what its scripts say.

use std::fs;

use driver::Options;
use serde_json::{Value, json};
use spec::RuleSet;
use spec::codec::write_compact_size;
use tests::{Spend, compile_with, run_lines};

use crate::bmc::{bmc, root};

/// A spend of a contract, accepted.
fn spend(path: &str) -> Spend {
    let text = fs::read_to_string(root().join("tests/programs/guards.bmc")).unwrap();
    let compiled = compile_with("guards", &text, &Options::default());
    let spends = run_lines(&text, &compiled, RuleSet::Bitmodel).spends;
    spends.into_iter().find(|spend| spend.verdict.is_ok() && (path.is_empty() || spend.path == path)).unwrap()
}

/// Outputs as one list.
fn list(coins: &[spec::TxOut]) -> String {
    let mut out = Vec::new();
    write_compact_size(&mut out, coins.len() as u64);
    coins.iter().for_each(|coin| coin.write(&mut out));
    hex::encode(out)
}

#[test]
fn a_spend_of_a_contract_is_recognised_and_its_arguments_are_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(root().join("tests/programs/guards.bmc"), folder.path().join("guards.bmc")).unwrap();
    let spend = spend("");
    fs::write(folder.path().join("tx.hex"), hex::encode(spend.tx.encode())).unwrap();
    let spent = list(&spend.coins);
    let args = ["inspect", "tx.hex", "--spent", &spent, "--file", "guards.bmc", "--svg", "tx.svg"];
    let shown = bmc(folder.path(), &args).ok();
    for word in [spend.contract.as_str(), "valid, cost", "whose script is", "fee ", "OP_", &spend.tx.txid().to_string()]
    {
        assert!(shown.contains(word), "`{word}` is missing from\n{shown}");
    }
    let picture = fs::read_to_string(folder.path().join("tx.svg")).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains(&spend.contract), "{picture}");
    let told: Value = serde_json::from_str(&bmc(folder.path(), &[&args[..], &["--json"]].concat()).ok()).unwrap();
    let own = &told["inputs"][spend.own[0]];
    assert_eq!((&own["path"], &own["run"]["valid"]), (&json!(spend.path), &json!(true)));
    let run = bmc(folder.path(), &["run", "tx.hex", "--spent", &spent, "--json"]);
    let run: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(own["run"]["cost"], run["inputs"][spend.own[0]]["cost"]);
    assert_eq!(own["redeem"]["contract"], json!(spend.contract));
    let total = |outputs: &[spec::TxOut]| outputs.iter().map(|output| output.value.get()).sum::<u64>();
    assert_eq!(told["fee_sats"].as_u64(), Some(total(&spend.coins) - total(&spend.tx.outputs)));
    assert_eq!(told["bytes"].as_u64(), Some(spend.tx.encode().len() as u64));
    // Artifacts say the same, and without the coins there is still something to say.
    bmc(folder.path(), &["build", "guards.bmc"]).ok();
    let by_artifact = ["inspect", "tx.hex", "--spent", &spent, "--artifacts", "artifacts", "--json"];
    let by_artifact: Value = serde_json::from_str(&bmc(folder.path(), &by_artifact).ok()).unwrap();
    assert_eq!(by_artifact, told);
    let alone = bmc(folder.path(), &["inspect", "tx.hex", "--json"]).ok();
    let alone: Value = serde_json::from_str(&alone).unwrap();
    assert!(alone.get("fee_sats").is_none() && alone["inputs"][0].get("run").is_none(), "{alone}");
}

#[test]
fn scripts_are_shown_word_by_word() {
    let folder = tempfile::tempdir().unwrap();
    let shown = bmc(folder.path(), &["inspect", "63516752680501"]).ok();
    for line in ["    0  OP_IF", "    1    OP_1", "    2  OP_ELSE", "    5  TRUNCATED<0x0501> (the push is longer"] {
        assert!(shown.contains(line), "`{line}` is missing from\n{shown}");
    }
}

#[test]
fn what_is_no_transaction_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let whole = hex::encode(spend("").tx.encode());
    let cut = &whole[..whole.len() - 10];
    let told = bmc(folder.path(), &["inspect", cut]).fails_with(2);
    assert!(told.contains("no transaction: byte ") && told.contains("ends before"), "{told}");
    let told = bmc(folder.path(), &["inspect", &format!("{whole}00")]).fails_with(2);
    assert!(told.contains(&format!("byte {}: bytes are left over", whole.len() / 2)), "{told}");
    for (what, word) in [
        (&whole[..whole.len() - 1], "an odd number"),
        ("76a9zz", "character 4 is 'z'"),
        ("", "nothing to look at"),
        ("OP_DUP OP_FOO", "OP_FOO"),
    ] {
        let told = bmc(folder.path(), &["inspect", what]).fails_with(2);
        assert!(told.contains(word), "{told}");
    }
    let id = "00".repeat(32);
    assert!(bmc(folder.path(), &["inspect", &id, "--offline"]).fails_with(2).contains("--offline"));
    assert!(bmc(folder.path(), &["inspect", "51", "--svg", "x.svg"]).fails_with(2).contains("no flow"));
    let few = bmc(folder.path(), &["inspect", &whole, "--spent", "5:51", "--spent", "5:51", "--spent", "5:51"]);
    assert!(few.fails_with(2).contains("inputs, and 3"));
}
