//! Calls at random, over all methods: each is answered, methods that read change nothing, and the chain stays a chain.
//!
//! `BMC_CASES` says how many, 10,000 without it; `BMC_SECONDS` goes on for so long instead, and `BMC_SEED` chooses others.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::time::{Duration, Instant};

use node::NodeHandle;
use serde_json::{Map, Value, json};
use support::{Dice, start};

/// Methods that may change chain or mempool. All others only read, or change what no other client sees.
const CHANGING: &[&str] = &[
    "bitmodel_faucet",
    "bitmodel_loadstate",
    "bitmodel_mine",
    "bitmodel_registerartifact",
    "bitmodel_reorg",
    "bitmodel_revert",
    "bitmodel_rollback",
    "bitmodel_setautomine",
    "bitmodel_setintervalmining",
    "bitmodel_increasetime",
    "bitmodel_setnextblocktime",
    "generateblock",
    "generatetoaddress",
    "invalidateblock",
    "prioritisetransaction",
    "reconsiderblock",
    "sendmany",
    "sendrawtransaction",
    "sendtoaddress",
    "setmocktime",
    "submitblock",
    "submitheader",
];

/// Texts that mean something to the node now: hashes, ids, bytes, addresses.
fn meanings(node: &NodeHandle) -> Vec<String> {
    let text = |method: &str, params: &str| {
        let answer = node.call(method, params).unwrap_or_default();
        serde_json::from_str::<Value>(&answer).unwrap_or_default()
    };
    let mut found: Vec<Value> = vec![
        text("getbestblockhash", "[]"),
        text("getblockhash", "[0]"),
        text("getblockhash", "[3]"),
        text("getnewaddress", "[]"),
    ];
    found.push(text("getblock", &format!("[{},0]", found[0])));
    found.push(text("getblock", &format!("[{},1]", found[2]))["tx"][0].clone());
    found.push(text("getrawtransaction", &format!("[{}]", found[5])));
    let coins = text("listunspent", "[0]");
    for coin in coins.as_array().into_iter().flatten().take(3) {
        let made = text(
            "createrawtransaction",
            &json!([[{ "txid": coin["txid"], "vout": coin["vout"] }], { "51": 1.5, "52": 3 }]).to_string(),
        );
        found.extend([coin["txid"].clone(), made]);
    }
    found.extend(text("getrawmempool", "[]").as_array().into_iter().flatten().take(2).cloned());
    let words = [
        "51",
        "6a",
        "00",
        "zz",
        "",
        "*",
        "start",
        "template",
        "proposal",
        "ALL|FORKID",
        "default",
        "all",
        "addr(51)",
        "info",
        "\u{0}",
        "\u{10ffff}",
    ];
    found.iter().filter_map(Value::as_str).map(str::to_owned).chain(words.map(str::to_owned)).collect()
}

const NUMBERS: &[i64] =
    &[0, 1, 2, 3, 6, 15, 16, 17, 100, -1, 255, 65_536, 1_800_000_000, 4_294_967_295, 4_294_967_296, i64::MAX, i64::MIN];
const NAMES: &[&str] = &[
    "txid",
    "vout",
    "sequence",
    "amount",
    "scriptPubKey",
    "data",
    "mode",
    "desc",
    "tokenData",
    "category",
    "nft",
    "blocks",
    "transactions",
    "51",
    "6a",
    "x",
];

fn mutated(text: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..dice.roll(4) {
        let at = dice.roll(letters.len().max(1));
        match dice.roll(4) {
            _ if letters.is_empty() => letters.push('0'),
            0 => letters[at] = *dice.pick(&['0', 'f', 'x', '€', '"']),
            1 => letters.insert(at, '7'),
            2 => drop(letters.remove(at)),
            _ => letters.truncate(at),
        }
    }
    letters.into_iter().collect()
}

fn value(texts: &[String], dice: &mut Dice, depth: usize) -> Value {
    match dice.roll(if depth == 0 { 8 } else { 11 }) {
        0..=2 => json!(dice.pick(texts)),
        3 => {
            let text = dice.pick(texts).clone();
            json!(mutated(&text, dice))
        }
        4 | 5 => json!(dice.pick(NUMBERS)),
        6 => json!(*dice.pick(&[0.1, 1.5, 0.00001, 1e-9, 1e300, -0.5, 21_000_001.0])),
        7 => dice.pick(&[Value::Null, json!(true), json!(false)]).clone(),
        8 => (0..dice.roll(4)).map(|_| value(texts, dice, depth - 1)).collect(),
        _ => {
            let members = (0..dice.roll(5)).map(|_| ((*dice.pick(NAMES)).to_owned(), value(texts, dice, depth - 1)));
            Value::Object(members.collect::<Map<String, Value>>())
        }
    }
}

/// The methods by name, each with how many parameters its usage shows.
fn methods(node: &NodeHandle) -> Vec<(String, usize)> {
    let overview: String = serde_json::from_str(&node.call("help", "[]").unwrap()).unwrap();
    let lines = overview.lines().filter(|line| !line.is_empty() && !line.starts_with("=="));
    let usages = lines.map(|line| {
        let mut words = line.split(' ');
        let name = words.next().unwrap().to_owned();
        (name, words.filter(|word| !matches!(*word, "(" | ")")).count())
    });
    // What ends the node, or waits for what nobody does here, is tried elsewhere.
    usages.filter(|(name, _)| name != "stop" && !name.starts_with("waitfor")).collect()
}

fn state(node: &NodeHandle) -> Vec<String> {
    ["getblockchaininfo", "getrawmempool", "gettxoutsetinfo", "bitmodel_listartifacts"]
        .map(|method| node.call(method, "[]").unwrap())
        .to_vec()
}

fn play(
    node: &NodeHandle,
    methods: &[(String, usize)],
    dice: &mut Dice,
    mut goes_on: impl FnMut() -> bool,
) -> (u64, u64) {
    let (mut fine, mut refused, mut texts) = (0, 0, meanings(node));
    while goes_on() {
        if dice.roll(100) == 0 {
            texts = meanings(node);
        }
        let (method, count) = dice.pick(methods);
        // Mostly as many as there are, so that calls come far.
        let count = if dice.roll(5) == 0 { dice.roll(count + 2) } else { *count };
        let params: Value = (0..count).map(|_| value(&texts, dice, 3)).collect();
        match node.call(method, &params.to_string()) {
            Ok(answer) => {
                serde_json::from_str::<Value>(&answer)
                    .unwrap_or_else(|error| panic!("{method} {params}: {error}: {answer}"));
                fine += 1;
            }
            Err(error) => {
                let known = [-1, -3, -4, -5, -6, -8, -18, -22, -23, -24, -25, -26, -27, -29, -30, -35]
                    .contains(&error.code().number());
                assert!(known && error.message().len() < 3_000, "{method} {params}: {error}");
                refused += 1;
            }
        }
    }
    (fine, refused)
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn calls_at_random_are_answered_and_the_chain_stays_a_chain() {
    let mut dice = Dice(setting("BMC_SEED").unwrap_or(0).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d);
    let until = setting("BMC_SECONDS").map(|secs| Instant::now() + Duration::from_secs(secs));
    let cases = setting("BMC_CASES").unwrap_or(10_000);
    let (mut fine, mut refused, mut round) = (0, 0, 0);
    loop {
        let node = start();
        let all = methods(&node);
        let reading: Vec<_> = all.iter().filter(|(name, _)| !CHANGING.contains(&name.as_str())).cloned().collect();
        assert!(CHANGING.iter().all(|name| all.iter().any(|(known, _)| known == name)), "a method has gone");
        let before = state(&node);
        for methods in [&reading, &all] {
            let mut left = if until.is_some() { 2_000 } else { cases / 2 };
            let counts = play(&node, methods, &mut dice, || {
                left -= 1;
                left > 0
            });
            (fine, refused) = (fine + counts.0, refused + counts.1);
            if std::ptr::eq(methods, &reading) {
                assert_eq!(state(&node), before, "a method that reads has changed something");
            }
        }
        // Whatever was done, all blocks are good and their coins are those that are there.
        assert_eq!(node.call("verifychain", "[4,0]").unwrap(), "true");
        node.stop();
        node.join().unwrap();
        round += 1;
        if until.is_none_or(|until| Instant::now() >= until) {
            break;
        }
    }
    assert!(fine > 0 && refused > 0);
    println!("{round} nodes answered {fine} calls and refused {refused}");
}
