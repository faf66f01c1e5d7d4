//! Calls that wait for the chain: they hold up nobody, and end when they should. Many transactions in one body.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use node::NodeHandle;
use serde_json::{Value, json};
use spec::{OutPoint, Sats, Transaction, TxIn, TxOut};
use support::{post, rpc, start};

fn mine(node: &NodeHandle) -> String {
    rpc(node, "generatetoaddress", r#"[1,"51"]"#).unwrap()[0].as_str().unwrap().to_owned()
}

#[test]
fn a_call_that_waits_is_answered_by_the_block_that_it_waits_for() {
    let node = Arc::new(start());
    for (method, params) in [("waitfornewblock", "[]"), ("waitforblockheight", "[16]"), ("waitfornewblock", "[60000]")]
    {
        let height = rpc(&node, "getblockcount", "[]").unwrap().as_i64().unwrap();
        let params = params.replace("16", &(height + 1).to_string());
        let waiting = {
            let node = Arc::clone(&node);
            thread::spawn(move || rpc(&node, method, &params))
        };
        thread::sleep(Duration::from_millis(50));
        assert!(!waiting.is_finished());
        let hash = mine(&node);
        assert_eq!(waiting.join().unwrap().unwrap(), json!({ "hash": hash, "height": height + 1 }), "{method}");
    }
}

#[test]
fn a_call_that_waits_in_vain_gives_the_tip_when_its_time_comes() {
    let node = start();
    let tip = json!({ "hash": rpc(&node, "getbestblockhash", "[]").unwrap(), "height": 15 });
    let nowhere = format!(r#"["{}",30]"#, "0".repeat(64));
    for (method, params, at_once) in [
        ("waitfornewblock", "[30]", false),
        ("waitforblockheight", "[99999999999,30]", false),
        ("waitforblock", nowhere.as_str(), false),
        ("waitforblockheight", "[15]", true),
        ("waitforblockheight", "[-1]", true),
    ] {
        let started = Instant::now();
        assert_eq!(rpc(&node, method, params).unwrap(), tip, "{method} {params}");
        assert!(at_once || started.elapsed() >= Duration::from_millis(30), "{method} {params}");
    }
    assert_eq!(rpc(&node, "waitfornewblock", "[-1]"), Err((-1, "Negative timeout".to_owned())));
}

#[test]
fn many_calls_that_wait_keep_nobody_out_and_are_counted() {
    let node = Arc::new(start());
    let waiting: Vec<_> = (0..120)
        .map(|_| {
            let node = Arc::clone(&node);
            thread::spawn(move || node.call("waitfornewblock", "[]"))
        })
        .collect();
    let by_http = {
        let node = Arc::clone(&node);
        thread::spawn(move || rpc(&node, "waitforblockheight", "[15]"))
    };
    assert_eq!(by_http.join().unwrap().unwrap()["height"], 15);
    while waiting.iter().filter(|call| call.is_finished()).count() < 20 {
        thread::sleep(Duration::from_millis(5));
    }
    mine(&node);
    let outcomes: Vec<_> = waiting.into_iter().map(|call| call.join().unwrap()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 100);
    // More than the server reads at a time wait over HTTP, and it still answers.
    let waiting: Vec<_> = (0..40)
        .map(|_| {
            let node = Arc::clone(&node);
            thread::spawn(move || rpc(&node, "waitfornewblock", "[]"))
        })
        .collect();
    thread::sleep(Duration::from_millis(50));
    assert_eq!(rpc(&node, "getblockcount", "[]").unwrap(), 16);
    node.stop();
    assert!(waiting.into_iter().all(|call| call.join().unwrap().is_ok()), "who waits is told when the node stops");
}

/// `51` can be spent by anybody.
fn pays(coin: OutPoint, sats: u64) -> Transaction {
    let inputs = vec![TxIn { prevout: coin, unlock: vec![], sequence: u32::MAX }];
    let outputs =
        vec![TxOut::plain(Sats::new(sats).unwrap(), vec![0x51]), TxOut::plain(Sats::ZERO, vec![0x6a, 4, 1, 2, 3, 4])];
    Transaction { version: 2, inputs, outputs, locktime: 0 }
}

#[test]
fn transactions_in_one_body_fare_as_one_after_the_other() {
    let (together, alone) = (start(), start());
    let coins = rpc(&together, "listunspent", "[]").unwrap();
    let mut txs = Vec::new();
    for coin in coins.as_array().unwrap() {
        let mut outpoint = OutPoint { txid: coin["txid"].as_str().unwrap().parse().unwrap(), index: 0 };
        for step in 1..=40 {
            let tx = pays(outpoint, 5_000_000_000 - 200 * step);
            outpoint = OutPoint { txid: tx.txid(), index: 0 };
            txs.push(tx);
        }
        // A rival, one that is there already, and one that spends nothing.
        txs.push(pays(OutPoint { txid: coin["txid"].as_str().unwrap().parse().unwrap(), index: 0 }, 1_000_000));
        txs.push(txs[txs.len() - 3].clone());
        txs.push(pays(OutPoint { index: 7, ..outpoint }, 1_000_000));
    }
    let calls: Vec<Value> = txs
        .iter()
        .map(|tx| json!({ "method": "sendrawtransaction", "params": [hex::encode(tx.encode())] }))
        .chain([
            json!({ "method": "sendrawtransaction", "params": ["zz"] }),
            json!({ "method": "sendrawtransaction", "params": [] }),
            json!({ "method": "getmempoolinfo" }),
        ])
        .collect();
    let (_, body) = post(&together, &json!(calls).to_string());
    let mut found: Vec<Value> = serde_json::from_str(&body).unwrap();
    let mut expected: Vec<Value> =
        calls.iter().map(|call| serde_json::from_str(&post(&alone, &call.to_string()).1).unwrap()).collect();
    // The two nodes make different blocks only in their time, so coins and ids are the same.
    assert_eq!(found.pop().unwrap()["result"]["size"], expected.pop().unwrap()["result"]["size"]);
    assert_eq!(found, expected);
}

#[test]
fn a_node_of_the_test_network_mines_on_all_cores_until_it_is_told_not_to() {
    let config = node::Config { network: spec::Network::Test, prefund: vec![], mock_time: None, ..support::config() };
    let node = node::start(config).unwrap();
    assert_eq!(rpc(&node, "bitmodel_setmining", r#"[true,"51"]"#).unwrap(), true);
    assert_eq!(rpc(&node, "getmininginfo", "[]").unwrap()["mining"], true);
    let reached = rpc(&node, "waitforblockheight", "[2,60000]").unwrap();
    assert!(reached["height"].as_i64().unwrap() >= 2, "{reached}");
    assert_eq!(rpc(&node, "bitmodel_setmining", "[false]").unwrap(), false);
    let height = rpc(&node, "getblockcount", "[]").unwrap();
    let tip = rpc(&node, "getbestblockhash", "[]").unwrap();
    let block = rpc(&node, "getblock", &format!("[{tip},2]")).unwrap();
    assert_eq!(block["tx"][0]["vout"][0]["scriptPubKey"]["hex"], "51");
    thread::sleep(Duration::from_millis(300));
    let late = rpc(&node, "getblockcount", "[]").unwrap().as_i64().unwrap();
    assert!(late - height.as_i64().unwrap() <= 1, "a block that was found already may still come");
}
