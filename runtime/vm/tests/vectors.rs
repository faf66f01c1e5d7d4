//! The public conformance vectors: every input in both modes, verdict and metrics.
//!
//! Reads `bvm_2026.jsonl.zst` from the folder that `BMC_VECTORS` names.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking and reports by printing"
)]

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};

use serde_json::Value;
use spec::tx::decode_outputs;
use spec::{Mode, RuleSet, Rules, SpendContext, Transaction};
use vm::{Failure, Metrics, verify_input};

/// What was found wrong, and how many inputs were looked at.
#[derive(Default)]
struct Tally {
    inputs: usize,
    differences: Vec<String>,
}

#[test]
fn every_input_has_the_recorded_verdict_and_metrics() {
    let Some(folder) = std::env::var_os("BMC_VECTORS") else {
        // Written past the test runner, which would keep it to itself.
        std::io::stderr().write_all(b"SKIPPED: BMC_VECTORS is not set, so no input of the vectors was run\n").unwrap();
        return;
    };
    let path = std::path::Path::new(&folder).join("bvm_2026.jsonl.zst");
    let (sender, receiver) = sync_channel::<String>(256);
    let receiver = Mutex::new(receiver);
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| work(&receiver, &tally));
        }
        for line in BufReader::new(open(&path)).lines() {
            sender.send(line.unwrap()).unwrap();
        }
        drop(sender);
    });
    let tally = tally.into_inner().unwrap();
    println!("{} inputs, {} differences", tally.inputs, tally.differences.len());
    tally.differences.iter().take(40).for_each(|difference| println!("{difference}"));
    assert!(tally.inputs > 0 && tally.differences.is_empty());
}

fn open(path: &std::path::Path) -> Box<dyn Read> {
    let file = File::open(path).unwrap();
    if path.extension().is_none_or(|ext| ext != "zst") {
        return Box::new(file);
    }
    let mut decoder = zstd::Decoder::new(file).unwrap();
    decoder.window_log_max(27).unwrap();
    Box::new(decoder)
}

fn work(lines: &Mutex<Receiver<String>>, tally: &Mutex<Tally>) {
    loop {
        let received = lines.lock().unwrap().recv();
        let Ok(line) = received else { return };
        if line.is_empty() {
            continue;
        }
        let found = check_vector(&serde_json::from_str(&line).unwrap());
        let mut tally = tally.lock().unwrap();
        tally.inputs += found.inputs;
        tally.differences.extend(found.differences);
    }
}

fn check_vector(vector: &Value) -> Tally {
    let mut tally = Tally::default();
    let bytes = |name: &str| hex::decode(vector[name].as_str().unwrap()).unwrap();
    let (Ok(tx), Ok(spent)) = (Transaction::decode(&bytes("tx")), decode_outputs(&bytes("utxos"))) else {
        assert_eq!(vector["expect"], "invalid", "{vector}");
        return tally;
    };
    let context = SpendContext::new(&tx, &spent).unwrap();
    for (mode, name) in [(Mode::Relay, "relay"), (Mode::Consensus, "consensus")] {
        let rules = Rules::new(RuleSet::Bch2026, mode);
        let mut all_valid = true;
        for input in 0..tx.inputs.len() {
            let result = verify_input(&rules, &context, input);
            all_valid &= result.is_ok();
            let ours = Rules::new(RuleSet::Bitmodel, mode);
            let wrong = recorded_difference(result, &vector["metrics"][name][input])
                .or_else(|| superset_difference(result, verify_input(&ours, &context, input)));
            tally.inputs += 1;
            tally.differences.extend(wrong.map(|text| {
                format!("{} {} {name} input {input}: {text} | {}", vector["id"], vector["expect"], vector["about"])
            }));
        }
        let must_pass = match vector["expect"].as_str().unwrap() {
            "standard" => true,
            "nonstandard" => mode == Mode::Consensus,
            _ => false,
        };
        if must_pass && !all_valid {
            tally.differences.push(format!("{} {name}: must be valid", vector["id"]));
        }
    }
    tally
}

/// How the result differs from the recorded one, if there is one: for valid inputs every metric counts.
fn recorded_difference(result: Result<Metrics, Failure>, recorded: &Value) -> Option<String> {
    let text = recorded[0].as_str()?;
    match (result, text) {
        (Ok(metrics), "OK") => {
            let number = |at: usize| recorded[at].as_u64().unwrap();
            let ours = (metrics.cost.get(), metrics.hash_iterations, u64::from(metrics.sig_checks));
            let theirs = (number(1), number(2), number(3));
            (ours != theirs).then(|| format!("metrics {ours:?}, recorded {theirs:?}"))
        }
        (Ok(_), _) => Some(format!("valid, recorded `{text}`")),
        (Err(failure), "OK") => Some(format!("fails with `{failure}`, recorded valid")),
        (Err(_), _) => None,
    }
}

/// Whatever Bitcoin Cash accepts our rules accept, after the same work.
fn superset_difference(strict: Result<Metrics, Failure>, ours: Result<Metrics, Failure>) -> Option<String> {
    let strict = strict.ok()?;
    match ours {
        Ok(ours) => {
            let same = ours.hash_iterations == strict.hash_iterations && ours.sig_checks == strict.sig_checks;
            (!same).then(|| format!("our rules count {ours:?} instead of {strict:?}"))
        }
        Err(failure) => Some(format!("our rules refuse: {failure}")),
    }
}
