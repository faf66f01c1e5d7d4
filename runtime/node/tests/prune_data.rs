//! A node that drops data from old blocks: what it still shows and proves, what it refuses, and what others get.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use node::{Config, NodeHandle, Peers, PruneData, StartError};
use serde_json::{Value, json};
use spec::hash::{sha256, sha256d};
use support::{ANYBODY, config, rpc};

const DATA_BYTES: usize = 70_000;

fn start(folder: &Path, depth: Option<u32>) -> NodeHandle {
    let peers = Peers { listen: Some(([127, 0, 0, 1], 0).into()), ..Peers::default() };
    let prune_data = depth.map(|depth| PruneData { depth, above_bytes: 256 });
    let data_dir = Some(folder.to_owned());
    node::start(Config { data_dir, persistent: true, prune_data, peers, prefund: vec![], ..config() }).unwrap()
}

fn call(node: &NodeHandle, method: &str, params: Value) -> Value {
    rpc(node, method, &params.to_string()).unwrap_or_else(|error| panic!("{method}: {error:?}"))
}

fn refusal(node: &NodeHandle, method: &str, params: Value) -> (i64, String) {
    rpc(node, method, &params.to_string()).unwrap_err()
}

fn stop(node: NodeHandle) {
    node.stop();
    node.join().unwrap();
}

/// Spends an output that anybody may spend, for these.
fn spend(node: &NodeHandle, txid: &Value, vout: u32, outputs: Value) -> Value {
    call(node, "createrawtransaction", json!([[{ "txid": txid, "vout": vout }], outputs]))
}

/// Mines a block with these transactions; gives its hash.
fn mine(node: &NodeHandle, raw: &[Value]) -> Value {
    call(node, "generateblock", json!([ANYBODY, raw]))["hash"].clone()
}

/// A chain with data in an old block, and a transaction that spends what stands beside the data.
struct Story {
    data: String,
    block: Value,
    holder: Value,
    other: Value,
    spender: Value,
    proofs: Value,
    shown: Value,
}

fn story(node: &NodeHandle) -> Story {
    let made = call(node, "generatetoaddress", json!([12, ANYBODY]));
    let coinbase = |at: usize| call(node, "getblock", json!([made[at]]))["tx"][0].clone();
    let data = "ab".repeat(DATA_BYTES);
    let holder = spend(node, &coinbase(0), 0, json!([{ "data": data }, { ANYBODY: 49 }, { "data": "00ff" }]));
    let other = spend(node, &coinbase(1), 0, json!([{ ANYBODY: 49.5 }, { "data": "cd".repeat(200) }]));
    let block = mine(node, &[holder.clone(), other.clone()]);
    let id = |raw: &Value| call(node, "decoderawtransaction", json!([raw]))["txid"].clone();
    let (holder, other) = (id(&holder), id(&other));
    let spender = spend(node, &holder, 1, json!([{ ANYBODY: 48 }, { "data": "00" }]));
    mine(node, std::slice::from_ref(&spender));
    let spender = id(&spender);
    call(node, "generatetoaddress", json!([400, ANYBODY]));
    let proofs = call(node, "gettxoutproof", json!([[holder, other]]));
    let shown = call(node, "getblock", json!([block, 3]));
    Story { data, block, holder, other, spender, proofs, shown }
}

/// What must hold once the data is gone.
fn check(node: &NodeHandle, story: &Story) {
    let Story { data, block, holder, other, spender, proofs, shown } = story;
    let ids = call(node, "getblock", json!([block, 1]));
    assert_eq!((&ids["pruned"], ids["tx"].as_array().unwrap().len()), (&json!(true), 3));
    let mut now = call(node, "getblock", json!([block, 3]));
    for field in ["size", "hash", "merkleroot", "nTx", "height", "nextblockhash"] {
        assert_eq!(now[field], shown[field], "{field}");
    }
    let lock = hex::decode(format!("6a4e{}{data}", hex::encode((DATA_BYTES as u32).to_le_bytes()))).unwrap();
    for (tx, before) in now["tx"].as_array_mut().unwrap().iter_mut().zip(shown["tx"].as_array().unwrap()) {
        let mut before = before.clone();
        before.as_object_mut().unwrap().remove("hex");
        if tx["txid"] == *holder {
            let dropped = json!({
                "value": 0.0, "n": 0, "scriptPubKey": { "type": "nulldata" },
                "pruned": true, "size": lock.len(), "sha256": hex::encode(sha256(&lock)),
            });
            before["vout"][0] = dropped;
        }
        assert_eq!(*tx, before);
    }
    // The bytes are neither shown nor given to others.
    let gone = (-1, "Block not available (pruned data)".to_owned());
    assert_eq!(refusal(node, "getblock", json!([block, 0])), gone);
    let named = (-1, format!("Transaction {} not available (pruned data)", holder.as_str().unwrap()));
    for params in [json!([holder]), json!([holder, 2]), json!([holder, 1, block])] {
        assert_eq!(refusal(node, "getrawtransaction", params), named);
    }
    assert_eq!(refusal(node, "tracetransaction", json!([holder])), named);
    // Whatever stands beside is whole, and what the data's transaction made is known.
    for params in [json!([other, 2]), json!([other, 2, block])] {
        assert_eq!(call(node, "getrawtransaction", params)["vout"][1]["scriptPubKey"]["type"], "nulldata");
    }
    let raw = hex::decode(call(node, "getrawtransaction", json!([other])).as_str().unwrap()).unwrap();
    let id: Vec<u8> = sha256d(&raw).into_iter().rev().collect();
    assert_eq!(json!(hex::encode(id)), *other);
    let spender = call(node, "getrawtransaction", json!([spender, 2]));
    assert_eq!((&spender["vin"][0]["prevout"]["value"], &spender["fee"]), (&json!(49.0), &json!(1.0)));
    assert_eq!(call(node, "gettxoutproof", json!([[holder, other]])), *proofs);
    assert_eq!(call(node, "verifytxoutproof", json!([proofs])).as_array().unwrap().len(), 2);
    assert_eq!(call(node, "gettxout", json!([other, 0]))["value"], json!(49.5));
    for level in 0..=4 {
        assert_eq!(call(node, "verifychain", json!([level, 0])), true);
    }
    let (code, message) = refusal(node, "invalidateblock", json!([block]));
    assert!(code == -1 && message.contains("pruned data"), "{message}");
    let services = call(node, "getnetworkinfo", json!([]))["localservicesnames"].clone();
    assert_eq!(services, json!(["BITCOIN_CASH", "NETWORK_LIMITED"]));
    let info = call(node, "getblockchaininfo", json!([]));
    assert_eq!((&info["pruned"], &info["pruneheight"]), (&json!(true), &json!(shown["height"].as_u64().unwrap() + 1)));
}

#[test]
fn data_goes_when_somebody_says_so_and_the_rest_is_shown_and_proved() {
    let folder = tempfile::tempdir().unwrap();
    let node = start(folder.path(), Some(100_000));
    let story = story(&node);
    let bytes = call(&node, "getblockchaininfo", json!([]))["size_on_disk"].as_u64().unwrap();
    // Nothing is so deep as the node was told to wait for.
    assert_eq!(call(&node, "prunedata", json!([100]))["wholefrom"], 0);
    stop(node);
    let node = start(folder.path(), None);
    let (code, message) = refusal(&node, "prunedata", json!([100]));
    assert!(code == -1 && message.contains("--prune-data"), "{message}");
    stop(node);

    let node = start(folder.path(), Some(1));
    for (params, code) in [(json!([-1]), -8), (json!([100_000]), -8), (json!(["x"]), -3)] {
        assert_eq!(refusal(&node, "prunedata", params).0, code);
    }
    let answer = call(&node, "prunedata", json!([50]));
    assert!(answer["size_on_disk"].as_u64().unwrap() + DATA_BYTES as u64 - 1_000 < bytes, "{answer}, of {bytes}");
    assert_eq!(
        (&answer["wholefrom"], &answer["more"]),
        (&json!(story.shown["height"].as_u64().unwrap() + 1), &json!(false))
    );
    check(&node, &story);
    stop(node);
    let node = start(folder.path(), Some(1));
    check(&node, &story);
    stop(node);
    let again = Config { data_dir: Some(folder.path().into()), persistent: true, reindex: true, ..config() };
    assert!(matches!(node::start(again), Err(StartError::Pruned)));
    // Who does not drop any more has still dropped.
    check(&start(folder.path(), None), &story);
}

#[test]
fn data_goes_by_itself_when_it_is_old() {
    let folder = tempfile::tempdir().unwrap();
    let node = start(folder.path(), Some(300));
    let story = story(&node);
    let whole_from = |node: &NodeHandle| call(node, "getblockchaininfo", json!([]))["pruneheight"].as_u64().unwrap();
    assert_eq!(whole_from(&node), story.shown["height"].as_u64().unwrap() + 1);
    check(&node, &story);
}

#[test]
fn others_get_no_block_that_lost_data() {
    let (folder, fresh) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let node = start(folder.path(), Some(1));
    let story = story(&node);
    check(&node, &story);
    let newcomer = start(fresh.path(), None);
    let address = node.p2p_addr().unwrap().to_string();
    call(&newcomer, "addnode", json!([address, "add"]));
    let tip = call(&node, "getblockcount", json!([]));
    let since = Instant::now();
    while call(&newcomer, "getblockchaininfo", json!([]))["headers"] != tip {
        assert!(since.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(500));
    assert!(call(&newcomer, "getblockcount", json!([])).as_u64() < story.shown["height"].as_u64());
    check(&node, &story);
}
