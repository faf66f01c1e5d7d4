//! Signature digests against 1,000 recorded ones.
//!
//! Reads `sighash.json` from the folder that `BMC_VECTORS` names.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking and reports by printing"
)]

use std::io::Write as _;
use std::path::PathBuf;

use serde_json::Value;
use spec::sighash::original_digest;
use spec::{Sats, SighashType, SpendContext, Transaction, TxOut};

#[test]
fn digests_are_the_recorded_ones() {
    let Some(path) = vectors() else {
        // Written past the test runner, which would keep it to itself.
        std::io::stderr().write_all(b"SKIPPED: BMC_VECTORS is not set, so no recorded digest was checked\n").unwrap();
        return;
    };
    let rows: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut compared = [0, 0];
    // The first row is a header.
    for row in rows.iter().skip(1) {
        let tx = Transaction::decode(&hex::decode(row[0].as_str().unwrap()).unwrap()).unwrap();
        let code = hex::decode(row[1].as_str().unwrap()).unwrap();
        let index = row[2].as_u64().unwrap() as usize;
        let kind = SighashType::from_u32(row[3].as_i64().unwrap() as u32);
        assert_eq!(shown(original_digest(&tx, kind, index, &code)), row[5], "{row}");
        compared[0] += 1;
        // The recorded digests with the fork id spend outputs of no value and were made before `SIGHASH_UTXOS`.
        if kind.fork_id() && !kind.utxos() {
            let spent = vec![TxOut::plain(Sats::ZERO, vec![]); tx.inputs.len()];
            let context = SpendContext::new(&tx, &spent).unwrap();
            assert_eq!(shown(context.digest(kind, index, &code).unwrap().digest), row[4], "{row}");
            compared[1] += 1;
        }
    }
    assert!(compared[0] == 1_000 && compared[1] > 200, "{compared:?}");
}

fn vectors() -> Option<PathBuf> {
    Some(PathBuf::from(std::env::var_os("BMC_VECTORS")?).join("sighash.json"))
}

/// Digests are written as numbers: the last byte first.
fn shown(mut digest: [u8; 32]) -> String {
    digest.reverse();
    hex::encode(digest)
}
