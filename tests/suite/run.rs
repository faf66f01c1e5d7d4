//! `bmc run`: transactions, contracts, and whatever else one may give it.

use std::fs;
use std::path::Path;

use engine::Tuning;
use serde_json::Value;
use spec::artifact::AbiValue;
use spec::script::{p2sh32, push_data};
use spec::{Artifact, Mode, OutPoint, RuleSet, Rules, Sats, Transaction, TxIn, TxOut, hash, num};

use crate::bmc::{Ran, bmc, root};

fn run(folder: &Path, args: &[&str]) -> Ran {
    bmc(folder, &[&["run"], args].concat())
}

#[test]
fn the_page_of_the_engines_has_the_figures_of_the_rules() {
    let page = fs::read_to_string(root().join("docs/book/src/engines.md")).unwrap();
    let grouped = |n: u64| format!("{},{:03}", n / 1_000, n % 1_000);
    let most = |set| {
        let rules = Rules::new(set, Mode::Consensus);
        rules.cost_budget(rules.limits.script_bytes).get() / rules.prices.instruction
    };
    let tuning = Tuning::default();
    let instructions = [most(RuleSet::Bch2026), tuning.threshold].map(grouped);
    let again = grouped(tuning.hot_threshold / 1_000);
    let millions = most(RuleSet::Bitmodel) / 10_000;
    let figures = [
        format!("{} instructions", instructions[0]),
        format!("{}.{:02} million", millions / 100, millions % 100),
        format!("{} instructions", instructions[1]),
        format!("has run {again},000"),
        format!("{} units", tuning.waiting),
        format!("{} MiB", tuning.bytes >> 20),
    ];
    for figure in figures {
        assert!(page.contains(&figure), "`{figure}` is missing from the page");
    }
}

/// A transaction that spends `spent` with `unlock` and pays one output.
fn spending(unlock: Vec<u8>) -> String {
    let input = TxIn { prevout: OutPoint::COINBASE, unlock, sequence: 0 };
    let outputs = vec![TxOut::plain(Sats::from_wire(700), vec![0x6a, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])];
    hex::encode(Transaction { version: 2, inputs: vec![input], outputs, locktime: 0 }.encode())
}

fn json(ran: Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", ran.stdout, ran.stderr))
}

#[test]
fn a_transaction_runs_with_the_outputs_that_it_spends() {
    let folder = tempfile::tempdir().unwrap();
    let tx = spending(vec![0x55]);
    // The same as digits, as words, as a list, and from a file; in each engine.
    let list = {
        let mut list = vec![1];
        TxOut::plain(Sats::from_wire(900), vec![0x52, 0x53, 0x93, 0x87]).write(&mut list);
        hex::encode(list)
    };
    fs::write(folder.path().join("tx.hex"), format!("{tx}\n")).unwrap();
    for what in [tx.as_str(), "tx.hex"] {
        for spent in ["900:52539387", "900:2 3 OP_ADD OP_EQUAL", list.as_str()] {
            for engine in ["oracle", "register", "jit", "shadow"] {
                let ran = run(folder.path(), &[what, "--spent", spent, "--engine", engine, "--json"]);
                assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
                let out = json(ran);
                assert_eq!(out["inputs"][0]["valid"], true);
                assert_eq!(out["inputs"][0]["cost"], 506);
                assert_eq!(out["differences"], 0);
                let by = match engine {
                    "register" => "register code",
                    "jit" => "machine code",
                    _ => "oracle",
                };
                assert_eq!(out["inputs"][0]["engine"], by);
            }
        }
    }
    let ran = run(folder.path(), &[&tx, "--spent", "900:52529387", "--json"]);
    assert_eq!(ran.code, Some(1));
    assert_eq!(json(ran)["inputs"][0]["valid"], false);
}

#[test]
fn machine_code_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let any = cfg!(all(unix, any(target_arch = "x86_64", target_arch = "aarch64")));
    for form in ["clif", "clif-bound", "asm", "asm-bound"] {
        let text = run(folder.path(), &["3 OP_BEGIN OP_1SUB OP_DUP OP_NOT OP_UNTIL OP_NOT", "--dump", form]).ok();
        let starts = if form.starts_with("clif") { "function" } else { "block0:" };
        assert!(text.contains(if any { starts } else { "there is no machine code" }), "{form}: {text}");
    }
}

const SOURCE: &str = "contract C(n: Int) {
    spend s(x: Int) {
        require x > 0, \"too small\";
        require x * x + 2 == n, \"no root\";
    }
}
";

#[test]
fn a_contract_is_profiled_by_line_and_its_failures_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.bmc"), SOURCE).unwrap();
    bmc(folder.path(), &["build", "c.bmc"]).ok();
    let text = fs::read_to_string(folder.path().join("artifacts/C.json")).unwrap();
    let artifact: Artifact = serde_json::from_str(&text).unwrap();
    let redeem = artifact.redeem_script(&[("n".to_owned(), AbiValue::Item(num::encode(11)))].into()).unwrap();
    let lock = format!("900:{}", hex::encode(p2sh32(&hash::sha256d(&redeem))));
    let spend = |x: u8| {
        let mut unlock = vec![0x50 + x];
        push_data(&mut unlock, &redeem);
        spending(unlock)
    };
    let rest = ["--spent", lock.as_str(), "--artifact", "artifacts/C.json"];
    let good = run(folder.path(), &[&[spend(3).as_str(), "--profile", "--json"], &rest[..]].concat());
    let lines = json(good)["inputs"][0]["profile"]["lines"].as_array().unwrap().clone();
    let of = |line: u64| lines.iter().find(|row| row["line"] == line).unwrap_or_else(|| panic!("{lines:?}"));
    assert_eq!(of(4)["text"], "require x * x + 2 == n, \"no root\";");
    assert!(of(4)["cost"].as_u64() > of(3)["cost"].as_u64(), "{lines:?}");
    let bad = run(folder.path(), &[&[spend(4).as_str()], &rest[..]].concat()).fails_with(1);
    assert!(bad.contains("C.s: \"no root\" at c.bmc:4:"), "{bad}");
    // Another contract's artifact is not taken for this one's.
    let wrong = run(folder.path(), &[&["1", "--profile"], &["--artifact", "artifacts/C.json"][..]].concat());
    assert!(wrong.fails_with(2).contains("and `C` has"));
}

#[test]
fn wrong_arguments_are_told_with_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bytes"), [0xff, 0xfe, 0]).unwrap();
    let tx = spending(vec![0x55]);
    let cases: &[(&[&str], i32, &str)] = &[
        (&[""], 2, "there is nothing to run"),
        (&["OP_ADDD"], 2, "no opcode has this name"),
        (&["0xabc"], 2, "word 1 `0xabc`"),
        (&["1", "--unlock", "OP_NOPE"], 2, "no opcode has this name"),
        (&["1", "--spent", "5:51"], 2, "this is no transaction"),
        (&["1", "--input", "1"], 2, "there is no input 1"),
        (&["1", "--engine", "steam"], 2, "invalid value"),
        (&["1", "--artifact", "absent.json"], 1, "absent.json"),
        (&["1", "--artifact", "bytes"], 1, "bytes"),
        (&["1", "--trace", "--dump", "ir"], 2, "cannot be used with"),
        (&["bytes"], 1, "bytes"),
        (&[&tx], 2, "the transaction has 1 inputs, and 0 of the outputs"),
        (&[&tx, "--spent", "5:51", "--spent", "5:51"], 2, "and 2 of the outputs"),
        (&[&tx, "--spent", "x:51"], 2, "the amount is no number"),
        (&[&tx, "--spent", "-1:51"], 2, "the amount is no number"),
        (&[&tx, "--spent", "9999999999999999999:51"], 2, "there is not so much money"),
        (&[&tx, "--spent", "ff"], 2, "it is no list of outputs"),
        (&[&tx, "--spent", "feffffffff"], 2, "it is no list of outputs"),
        (&[&tx, "--spent", "5:51", "--unlock", "1"], 2, "its own unlocking bytecode"),
    ];
    for (args, code, told) in cases {
        let text = run(folder.path(), args).fails_with(*code);
        assert!(text.contains(told), "{args:?}: {text}");
    }
}

/// Scripts that are cut off, endless, deep, wide or noise; what matters is that each ends in an exit code.
#[test]
fn hostile_scripts_end_in_a_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<u8> = (0..=255).collect();
    let scripts = [
        hex::encode(&all),
        "4dffff".to_owned(),
        "4effffffff00".to_owned(),
        "51".to_owned() + &"63".repeat(2_000),
        "00".to_owned() + &"7a".repeat(2_000),
        "5165".to_owned() + "0066",
        "51".repeat(20_000) + &"aa".repeat(100),
        "51".to_owned() + &"767e".repeat(40),
        "0089008a".to_owned(),
        "0251".repeat(3) + "5289528a528a",
    ];
    for script in &scripts {
        for extra in [
            &["--trace", "--profile"][..],
            &["--engine", "shadow"],
            &["--dump", "ir"],
            &["--dump", "ir-bound"],
            &["--dump", "clif"],
            &["--dump", "asm-bound"],
        ] {
            for budget in ["0", "1000000", "18446744073709551615"] {
                // An endless loop is only as long as the budget.
                if budget.len() > 10 && script.starts_with("5165") {
                    continue;
                }
                let ran = run(folder.path(), &[&[script.as_str(), "--budget", budget], extra].concat());
                let all = format!("{}{}", ran.stdout, ran.stderr);
                assert!(matches!(ran.code, Some(0 | 1)) && !all.contains("panicked"), "{script}: {all}");
                assert!(all.len() < 64 << 20);
            }
        }
    }
}
