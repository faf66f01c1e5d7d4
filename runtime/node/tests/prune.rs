//! A node that drops old blocks: what it says of itself, what it still answers, and what it can give to others.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use node::{Config, NodeHandle, Peers, Prune, StartError};
use serde_json::{Value, json};
use support::{ANYBODY, config, rpc};

/// More than one file of 64 KiB, and the 288 that stay.
const BLOCKS: u64 = 900;

fn start(folder: &Path, prune: Prune) -> NodeHandle {
    let listen = Some(([127, 0, 0, 1], 0).into());
    let peers = Peers { listen, ..Peers::default() };
    let data_dir = Some(folder.to_owned());
    node::start(Config { data_dir, persistent: true, prune, peers, prefund: vec![], ..config() }).unwrap()
}

fn call(node: &NodeHandle, method: &str, params: Value) -> Value {
    rpc(node, method, &params.to_string()).unwrap_or_else(|error| panic!("{method}: {error:?}"))
}

fn stop(node: NodeHandle) {
    node.stop();
    node.join().unwrap();
}

#[test]
fn old_blocks_go_when_somebody_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let node = start(folder.path(), Prune::OnCall);
    call(&node, "generatetoaddress", json!([BLOCKS, ANYBODY]));
    let info = call(&node, "getblockchaininfo", json!([]));
    assert_eq!(
        (&info["pruned"], &info["pruneheight"], &info["automatic_pruning"]),
        (&json!(true), &json!(0), &json!(false))
    );
    assert_eq!(info.get("prune_target_size"), None);
    let bytes = info["size_on_disk"].as_u64().unwrap();
    let old = call(&node, "getblockhash", json!([5]));
    let txid = call(&node, "getblock", json!([old]))["tx"][0].clone();
    let proof = call(&node, "gettxoutproof", json!([[txid]]));
    let header = call(&node, "getblockheader", json!([old]));
    let coins = call(&node, "gettxoutsetinfo", json!([]));

    for (params, code, text) in [
        (json!([-1]), -8, "Negative block height."),
        (json!([BLOCKS + 1]), -8, "Blockchain is shorter than the attempted prune height."),
        (json!([4_000_000_000u64]), -8, "Could not find block with at least the specified timestamp."),
        (json!(["x"]), -3, ""),
    ] {
        let (found, message) = rpc(&node, "pruneblockchain", &params.to_string()).unwrap_err();
        assert!(found == code && message.contains(text), "{params}: {message}");
    }
    assert_eq!(call(&node, "pruneblockchain", json!([10])), -1, "the first file holds more");
    let last = call(&node, "pruneblockchain", json!([BLOCKS])).as_u64().unwrap();
    assert!(last > 200 && last <= BLOCKS - 288, "{last}");
    assert_eq!(call(&node, "pruneblockchain", json!([support::NOW + 7_300])), last);

    let check = |node: &NodeHandle| {
        let info = call(node, "getblockchaininfo", json!([]));
        assert_eq!((&info["pruned"], &info["pruneheight"]), (&json!(true), &json!(last + 1)));
        assert!(info["size_on_disk"].as_u64().unwrap() < bytes);
        assert_eq!(info["blocks"], BLOCKS);
        let gone = (-1, "Block not available (pruned data)".to_owned());
        for (method, params) in [
            ("getblock", json!([old, 0])),
            ("getblock", json!([old, 2])),
            ("getrawtransaction", json!([txid])),
            ("getrawtransaction", json!([txid, 1, old])),
            ("gettxoutproof", json!([[txid]])),
            ("invalidateblock", json!([old])),
        ] {
            let error = rpc(node, method, &params.to_string()).unwrap_err();
            assert!(error.0 == gone.0 && error.1.ends_with(&gone.1), "{method}: {error:?}");
        }
        assert_eq!(call(node, "getblockheader", json!([old])), header);
        assert_eq!(call(node, "verifytxoutproof", json!([proof])), json!([txid]), "a proof of before still holds");
        assert_eq!(call(node, "gettxout", json!([txid, 0]))["value"], json!(50.0));
        assert_eq!(call(node, "gettxoutsetinfo", json!([])), coins);
        let first = call(node, "getblockhash", json!([last + 1]));
        assert_eq!(call(node, "getblock", json!([first]))["height"], last + 1);
        assert_eq!(call(node, "verifychain", json!([4, 288])), true);
        let network = call(node, "getnetworkinfo", json!([]));
        assert_eq!(network["localservicesnames"], json!(["BITCOIN_CASH", "NETWORK_LIMITED"]));
    };
    check(&node);
    stop(node);
    let node = start(folder.path(), Prune::OnCall);
    check(&node);
    stop(node);
    // Who does not drop any more has still dropped.
    let node = start(folder.path(), Prune::Never);
    check(&node);
    let refused = rpc(&node, "pruneblockchain", "[1]").unwrap_err();
    assert_eq!(refused, (-1, "Cannot prune blocks because node is not in prune mode.".to_owned()));
    stop(node);
    let again = Config { data_dir: Some(folder.path().into()), persistent: true, reindex: true, ..config() };
    assert!(matches!(node::start(again), Err(StartError::Pruned)));
    check(&start(folder.path(), Prune::OnCall));
}

#[test]
fn old_blocks_go_where_all_take_too_much() {
    let folder = tempfile::tempdir().unwrap();
    let small = Config { prune: Prune::Above(2 << 20), ..config() };
    assert!(matches!(
        node::start(Config { prune: Prune::Above(1 << 20), ..small.clone() }),
        Err(StartError::Prune { .. })
    ));
    let public = Config { network: spec::Network::Main, prune: Prune::of_mib(549), ..config() };
    assert!(matches!(node::start(public), Err(StartError::Prune { .. })));
    let node = start(folder.path(), small.prune);
    // 8 KB of data in each block.
    let data = format!("6a4d401f{}", "00".repeat(8_000));
    for _ in 0..8 {
        call(&node, "generatetoaddress", json!([50, data]));
    }
    let info = call(&node, "getblockchaininfo", json!([]));
    let size = info["size_on_disk"].as_u64().unwrap();
    assert_eq!((&info["automatic_pruning"], &info["prune_target_size"]), (&json!(true), &json!(2 << 20)));
    // The last 288 take more than the target.
    assert!(size > 288 * 8_000 && size < 330 * 8_000, "{info}");
    assert!(info["pruneheight"].as_u64().unwrap() > 70, "{info}");
}

#[test]
fn others_get_the_blocks_that_are_left_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let node = start(folder.path(), Prune::OnCall);
    let whole = tempfile::tempdir().unwrap();
    let follower = start(whole.path(), Prune::Never);
    let address = node.p2p_addr().unwrap().to_string();
    let count = |node: &NodeHandle| call(node, "getblockcount", json!([])).as_u64().unwrap();
    let follow = |height: u64| {
        let since = Instant::now();
        while count(&follower) < height {
            assert!(since.elapsed() < Duration::from_secs(60), "{} of {height}", count(&follower));
            thread::sleep(Duration::from_millis(20));
        }
    };
    call(&node, "generatetoaddress", json!([BLOCKS, ANYBODY]));
    call(&follower, "addnode", json!([address, "add"]));
    follow(BLOCKS);
    call(&node, "pruneblockchain", json!([BLOCKS]));
    call(&node, "generatetoaddress", json!([20, ANYBODY]));
    follow(BLOCKS + 20);
    // A newcomer has nobody who gives it the first blocks; it waits, and the node goes on.
    let fresh = tempfile::tempdir().unwrap();
    let newcomer = start(fresh.path(), Prune::Never);
    call(&newcomer, "addnode", json!([address, "add"]));
    let since = Instant::now();
    while call(&newcomer, "getblockchaininfo", json!([]))["headers"] != BLOCKS + 20 {
        assert!(since.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(count(&newcomer), 0);
    call(&newcomer, "addnode", json!([follower.p2p_addr().unwrap().to_string(), "add"]));
    while count(&newcomer) < BLOCKS + 20 {
        assert!(since.elapsed() < Duration::from_secs(60), "a node that has all helps");
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(count(&node), BLOCKS + 20);
}
