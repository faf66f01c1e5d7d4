//! A virtual machine that nobody here wrote accepts the example's settlement and refuses it changed.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use spec::Transaction;
use tests::Independent;

use crate::bmc::{bmc, root};

#[test]
fn another_machine_accepts_the_settlement_and_refuses_every_forgery() {
    let Some(machine) = Independent::install(Path::new(env!("CARGO_TARGET_TMPDIR"))) else { return };
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
    let lines = machine.verdicts(&entries);
    assert_eq!(lines[0], "settlement accepted");
    for (line, (id, _)) in lines.iter().zip(&cases).skip(1) {
        assert!(line.starts_with(&format!("{id} refused: ")), "{line}");
    }
    assert_eq!(lines.len(), cases.len());
}
