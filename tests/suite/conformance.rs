//! Vectors that others wrote. `BMC_VECTORS` names the virtual machine's file; those for whole transactions and token
//! prefixes are looked for beside it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chain::{Runner, TxError, Workers};
use engine::{Engine, Tier};
use serde_json::Value;
use spec::codec::Reader;
use spec::script::push_data;
use spec::{Mode, Opcode, OutPoint, RuleSet, Rules, Sats, Token, Transaction, TxOut, num};
use tests::Options;
use vm::{Phase, ScriptError};

/// The virtual machine's file in the folder that `BMC_VECTORS` names.
fn vectors() -> Option<PathBuf> {
    let folder = std::env::var_os("BMC_VECTORS").map(PathBuf::from);
    if folder.is_none() {
        skipped("BMC_VECTORS is not set, so no conformance vector was run");
    }
    Some(folder?.join("bvm_2026.jsonl.zst"))
}

/// Says so past the test runner, which would keep it to itself.
fn skipped(why: &str) {
    std::io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes()).unwrap();
}

/// The JSON file `name` beside the virtual machine's vectors.
fn json_beside(path: &Path, name: &str) -> Vec<Value> {
    let Ok(text) = std::fs::read_to_string(path.with_file_name(name)) else {
        skipped(&format!("there is no `{name}` beside the vectors"));
        return Vec::new();
    };
    serde_json::from_str(&text).unwrap()
}

#[test]
fn every_vector_of_the_virtual_machine_comes_out_as_it_must() {
    let Some(path) = vectors() else { return };
    let ways = [
        (RuleSet::Bch2026, Tier::Oracle),
        (RuleSet::Bch2026, Tier::Register),
        (RuleSet::Bch2026, Tier::Jit),
        (RuleSet::Bitmodel, Tier::Shadow),
    ];
    for (rules, tier) in ways {
        let options = Options {
            rules,
            modes: vec![Mode::Relay, Mode::Consensus],
            metrics: rules == RuleSet::Bch2026,
            tier,
            compiler: jit::Jit::new().filter(|_| tier == Tier::Jit).map(|jit| Arc::new(jit) as _),
            jobs: NonZeroUsize::new(2).unwrap(),
        };
        let summary = tests::run(&mut tests::open(&path).unwrap(), &options, &mut |_| ()).unwrap();
        assert!(summary.passed > 0);
        assert_eq!(summary.failed, [], "{} {tier:?}", rules.name());
        assert_eq!(summary.counts.accepted + summary.counts.jitted > 0, tier != Tier::Oracle);
    }
}

#[test]
fn token_prefixes_read_as_others_read_them() {
    let Some(path) = vectors() else { return };
    for case in json_beside(&path, "token_tests_prefix_valid.json") {
        let prefix = hex::decode(case["prefix"].as_str().unwrap()).unwrap();
        let mut reader = Reader::new(&prefix);
        let token = Token::read(&mut reader).unwrap_or_else(|| panic!("{case}"));
        assert_eq!(reader.finish(), Ok(()), "{case}");
        let data = &case["data"];
        assert_eq!(token.amount.to_string(), data["amount"].as_str().unwrap(), "{case}");
        assert_eq!(token.category.to_string(), data["category"].as_str().unwrap());
        assert_eq!(token.nft.is_some(), !data["nft"].is_null(), "{case}");
        if let Some(nft) = &token.nft {
            assert_eq!(format!("{:?}", nft.capability).to_lowercase(), data["nft"]["capability"].as_str().unwrap());
            assert_eq!(hex::encode(&nft.commitment), data["nft"]["commitment"].as_str().unwrap());
        }
        let mut again = Vec::new();
        token.write(&mut again);
        assert_eq!(again, prefix);
    }
    for case in json_beside(&path, "token_tests_prefix_invalid.json") {
        let prefix = hex::decode(case["prefix"].as_str().unwrap()).unwrap();
        let mut reader = Reader::new(&prefix);
        let whole = Token::read(&mut reader).filter(|_| reader.rest().is_empty());
        assert_eq!(whole, None, "{case}");
    }
}

/// A row of the transaction files.
struct Row {
    text: String,
    flags: String,
    /// The transaction and the outputs it spends; `None` if the bytes are none or name other outputs.
    spend: Option<(Transaction, Vec<TxOut>)>,
}

fn transaction_rows(path: &Path, name: &str) -> Vec<Row> {
    let rows = json_beside(path, name);
    let row = |row: &Value| Row { text: row.to_string(), flags: row[2].as_str().unwrap().into(), spend: read_row(row) };
    rows.iter().filter(|row| row[1].is_string()).map(row).collect()
}

fn read_row(row: &Value) -> Option<(Transaction, Vec<TxOut>)> {
    let tx = Transaction::decode(&hex::decode(row[1].as_str().unwrap()).unwrap()).ok()?;
    let mut known = BTreeMap::new();
    for spent in row[0].as_array().unwrap() {
        // The files write "no output" as index -1.
        let index = spent[1].as_i64().unwrap() as u32;
        let outpoint = OutPoint { txid: spent[0].as_str().unwrap().parse().unwrap(), index };
        let value = spent[3].as_u64().map_or_else(|| share(&tx), Sats::from_wire);
        known.insert(outpoint, TxOut::plain(value, script(spent[2].as_str().unwrap())));
    }
    let spent = tx.inputs.iter().map(|input| known.get(&input.prevout).cloned()).collect::<Option<Vec<_>>>()?;
    Some((tx, spent))
}

/// Where a row leaves amounts open, each input gets an equal part of what the outputs hold, rounded up, but no more money than there is.
fn share(tx: &Transaction) -> Sats {
    let total: u128 = tx.outputs.iter().map(|output| u128::from(output.value.get())).sum();
    let part = u64::try_from(total.div_ceil(tx.inputs.len().max(1) as u128)).unwrap_or(u64::MAX);
    Sats::from_wire(part.min(Sats::MAX.get()))
}

/// The files' script notation: numbers, `0x` bytes as they are, `'text'`, names with or without `OP_`.
fn script(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for word in text.split_whitespace() {
        if let Some(raw) = word.strip_prefix("0x") {
            out.extend(hex::decode(raw).unwrap());
        } else if let Ok(number) = word.parse::<i64>() {
            push_data(&mut out, &num::encode(number));
        } else if let Some(text) = word.strip_prefix('\'') {
            push_data(&mut out, text.trim_end_matches('\'').as_bytes());
        } else {
            out.push(opcode(word).unwrap_or_else(|| panic!("no opcode `{word}`")).to_byte());
        }
    }
    out
}

fn opcode(word: &str) -> Option<Opcode> {
    let short = word.strip_prefix("OP_").unwrap_or(word);
    let name = match short {
        "NOP2" => "CHECKLOCKTIMEVERIFY",
        "NOP3" => "CHECKSEQUENCEVERIFY",
        name => name,
    };
    Opcode::from_name(&format!("OP_{name}"))
}

fn verdict(tx: &Transaction, spent: &[TxOut]) -> Result<(), TxError> {
    if tx.is_coinbase() {
        return chain::check_coinbase_shape(tx);
    }
    let rules = Rules::new(RuleSet::Bch2026, Mode::Consensus);
    chain::verify_spend(&rules, tx, spent, Runner { engine: &Engine::default(), workers: Workers::ONE }).map(|_| ())
}

/// Rows are invalid by flags that our rules imply, so they are invalid by our rules.
#[test]
fn transactions_that_old_rules_refuse_stay_refused() {
    let Some(path) = vectors() else { return };
    for Row { text, spend, .. } in transaction_rows(&path, "tx_invalid.json") {
        assert!(spend.is_none_or(|(tx, spent)| verdict(&tx, &spent).is_err()), "{text}");
    }
}

/// Rows are valid by a few old flags. Our rules have more, so a row may be refused, but only by a rule younger than its flags.
#[test]
fn transactions_that_old_rules_accept_fail_by_younger_rules_only() {
    let Some(path) = vectors() else { return };
    let rows = transaction_rows(&path, "tx_valid.json");
    let (mut passed, total) = (0, rows.len());
    for Row { text, flags, spend } in rows {
        let (tx, spent) = spend.unwrap_or_else(|| panic!("{text}"));
        match verdict(&tx, &spent) {
            Ok(()) => passed += 1,
            Err(error) => assert!(is_younger(&error, &flags), "{error}: {text}"),
        }
    }
    println!("{passed} of {total} pass; {} are refused by rules younger than their flags", total - passed);
}

fn is_younger(error: &TxError, flags: &str) -> bool {
    match error {
        TxError::Undersize | TxError::Version => true,
        TxError::Script { failure, .. } => match failure.error {
            ScriptError::LockTime | ScriptError::NegativeLockTime => !flags.contains("VERIFY"),
            _ if failure.phase == Phase::Redeem && !flags.contains("P2SH") => true,
            error => is_younger_script_rule(error),
        },
        _ => false,
    }
}

const fn is_younger_script_rule(error: ScriptError) -> bool {
    matches!(
        error,
        ScriptError::UnlockNotPushOnly
            | ScriptError::NotClean
            | ScriptError::NonMinimalPush
            | ScriptError::NumberEncoding
            | ScriptError::CostLimit
            | ScriptError::HashLimit
            | ScriptError::SignatureEncoding
            | ScriptError::SignatureHighS
            | ScriptError::SignatureType
            | ScriptError::SignatureForkId
            | ScriptError::BitfieldSize
            | ScriptError::BitfieldRange
            | ScriptError::BitfieldCount
            | ScriptError::KeyEncoding
            | ScriptError::NullFail
    )
}
