//! Golden scripts: calls and what they answer, against a real node over HTTP.
//!
//! A line is a method and its parameters as JSON; `=` in the next line gives the result, where objects show only
//! the members that matter, and `!` the error's code and a part of its message. `let NAME = …` keeps a result for
//! `$NAME`, `pick NAME POINTER` a part of one; `tx COIN/UNLOCK LOCK SATS…` is a transaction and `block PARENT HEIGHT TIME TX…` a block, both in hexadecimal.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;

use chain::{Params, coinbase, solve};
use node::NodeHandle;
use serde_json::Value;
use spec::tx::TxIn;
use spec::{Block, BlockHeader, CompactTarget, Height, Network, OutPoint, Sats, Transaction, TxOut};

struct Script<'n> {
    node: &'n NodeHandle,
    names: BTreeMap<String, Value>,
}

impl Script<'_> {
    /// The text with `$name` replaced; strings come without quotes.
    fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for (name, value) in self.names.iter().rev() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            filled = filled.replace(&format!("${name}"), &value);
        }
        filled
    }

    fn evaluate(&self, expression: &str) -> Result<Value, (i64, String)> {
        if let Some((name, pointer)) = expression.strip_prefix("pick ").and_then(|rest| rest.split_once(' ')) {
            return Ok(self.names[name]
                .pointer(pointer)
                .unwrap_or_else(|| panic!("{expression}: {:?}", self.names[name]))
                .clone());
        }
        let expression = self.fill(expression);
        let (word, rest) = expression.split_once(' ').unwrap_or((&expression, "[]"));
        match word {
            "tx" => Ok(Value::String(make_tx(rest))),
            "block" => Ok(Value::String(make_block(rest))),
            "id" => Ok(Value::String(Transaction::decode(&hex::decode(rest).unwrap()).unwrap().txid().to_string())),
            method => support::rpc(self.node, method, rest),
        }
    }
}

fn make_tx(words: &str) -> String {
    let mut words = words.split_whitespace();
    let (coin, unlock) = words.next().map(|coin| coin.split_once('/').unwrap_or((coin, ""))).unwrap();
    let (txid, index) = coin.split_once(':').unwrap();
    let lock = hex::decode(words.next().unwrap()).unwrap();
    let prevout = OutPoint { txid: txid.parse().unwrap(), index: index.parse().unwrap() };
    let value = |sats: &str| TxOut::plain(Sats::new(sats.parse().unwrap()).unwrap(), lock.clone());
    let mut outputs: Vec<TxOut> = words.map(value).collect();
    // Data makes even the smallest transaction large enough.
    outputs.push(TxOut::plain(Sats::ZERO, [&[0x6a, 20][..], &[7; 20]].concat()));
    let inputs = vec![TxIn { prevout, unlock: hex::decode(unlock).unwrap(), sequence: u32::MAX }];
    hex::encode(Transaction { version: 2, inputs, outputs, locktime: 0 }.encode())
}

fn make_block(words: &str) -> String {
    let words: Vec<&str> = words.split_whitespace().collect();
    let [parent, height, time, txs @ ..] = words.as_slice() else { panic!("{words:?}") };
    let height = Height::new(height.parse().unwrap());
    let first = coinbase(&Params::of(Network::Devnet), height, Sats::ZERO, &[0x51], parent.as_bytes());
    let mut transactions = vec![first];
    transactions.extend(txs.iter().map(|tx| Transaction::decode(&hex::decode(tx).unwrap()).unwrap()));
    let header = BlockHeader {
        version: 4,
        previous: parent.parse().unwrap(),
        merkle_root: [0; 32],
        time: time.parse().unwrap(),
        bits: CompactTarget::EASIEST,
        nonce: 0,
    };
    let mut block = Block { header, transactions };
    block.header.merkle_root = block.merkle_root();
    block.header = solve(block.header, 0..=u32::MAX).unwrap();
    hex::encode(block.encode())
}

/// Whether every member of `expected` is in `found`, and everything else is equal.
fn matches(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            wanted.iter().all(|(name, value)| found.get(name).is_some_and(|found| matches(value, found)))
        }
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len() && wanted.iter().zip(found).all(|(wanted, found)| matches(wanted, found))
        }
        _ => expected == found,
    }
}

fn run(name: &str, text: &str) {
    let node = support::start();
    let mut script = Script { node: &node, names: BTreeMap::new() };
    let lines: Vec<(usize, &str)> =
        (1..).zip(text.lines()).filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).collect();
    let mut at = lines.iter().peekable();
    while let Some((number, line)) = at.next() {
        if let Some((target, expression)) = line.strip_prefix("let ").and_then(|rest| rest.split_once(" = ")) {
            let value = script.evaluate(expression).unwrap_or_else(|error| panic!("{name}:{number}: {error:?}"));
            script.names.insert(target.to_owned(), value);
            continue;
        }
        let outcome = script.evaluate(line);
        let (_, expected) = at
            .next_if(|(_, next)| next.starts_with(['=', '!']))
            .unwrap_or_else(|| panic!("{name}:{number}: `{line}` has no expectation; it gave {outcome:?}"));
        check(&format!("{name}:{number}: {line}"), &script.fill(expected), &outcome);
    }
    node.stop();
    node.join().unwrap();
}

fn check(place: &str, expected: &str, outcome: &Result<Value, (i64, String)>) {
    if let Some(json) = expected.strip_prefix('=') {
        let wanted: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{place}: {error}"));
        assert!(
            outcome.as_ref().is_ok_and(|found| matches(&wanted, found)),
            "{place}\nwanted {wanted}\nfound {outcome:?}"
        );
        return;
    }
    let (code, part) = expected[1..].trim().split_once(' ').unwrap();
    let fits = outcome
        .as_ref()
        .err()
        .is_some_and(|(found, message)| *found == code.parse::<i64>().unwrap() && message.contains(part));
    assert!(fits, "{place}\nwanted error {code} {part}\nfound {outcome:?}");
}

macro_rules! scripts {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let file = concat!(stringify!($name), ".script");
            run(file, include_str!(concat!("scripts/", stringify!($name), ".script")));
        }
    )*};
}

scripts! { build mine template send mempool reorg refusals wallet artifacts tokens }
