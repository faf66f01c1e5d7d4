//! What a devnet may do: time, reorganizations, states that come back, coins for everybody.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::time::{Duration, Instant};

use node::{Config, NodeHandle, Prefund};
use serde_json::{Value, json};
use spec::{Network, OutPoint, Sats, Transaction, TxIn, TxOut};
use support::{NOW, config, rpc, start};
use wallet::Accounts;

fn call(node: &NodeHandle, method: &str, params: Value) -> Result<Value, (i64, String)> {
    rpc(node, method, &params.to_string())
}

/// Everything that makes a state: the tip, all coins, what waits.
fn state(node: &NodeHandle) -> Value {
    let coins = call(node, "gettxoutsetinfo", json!([])).unwrap();
    let waiting = call(node, "getrawmempool", json!([])).unwrap();
    json!([call(node, "getbestblockhash", json!([])).unwrap(), coins["hash_serialized_3"], waiting])
}

/// Sends a transaction that spends one of the node's coins; its id.
fn send(node: &NodeHandle, number: usize) -> String {
    let coins = call(node, "listunspent", json!([])).unwrap();
    let coin = &coins[number];
    let prevout = OutPoint {
        txid: coin["txid"].as_str().unwrap().parse().unwrap(),
        index: coin["vout"].as_u64().unwrap() as u32,
    };
    let inputs = vec![TxIn { prevout, unlock: vec![], sequence: u32::MAX }];
    let outputs = vec![
        TxOut::plain(Sats::new(1_000_000).unwrap(), vec![0x51]),
        TxOut::plain(Sats::ZERO, vec![0x6a, 4, 1, 2, 3, 4]),
    ];
    let tx = Transaction { version: 2, inputs, outputs, locktime: 0 };
    call(node, "sendrawtransaction", json!([hex::encode(tx.encode())])).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn a_snapshot_comes_back_whatever_happened_since() {
    let node = start();
    let waiting = send(&node, 0);
    let before = state(&node);
    let happenings: [&dyn Fn(); 5] = [
        &|| drop(call(&node, "bitmodel_mine", json!([3, 600])).unwrap()),
        &|| drop(send(&node, 1)),
        &|| drop(call(&node, "bitmodel_reorg", json!([4])).unwrap()),
        &|| drop(call(&node, "bitmodel_rollback", json!([7])).unwrap()),
        &|| {
            call(&node, "bitmodel_reorg", json!([2])).unwrap();
            call(&node, "generatetoaddress", json!([30, "6a"])).unwrap();
        },
    ];
    for (at, happening) in happenings.iter().enumerate() {
        let number = call(&node, "bitmodel_snapshot", json!([])).unwrap();
        happening();
        assert_ne!(state(&node), before, "happening {at}");
        assert_eq!(call(&node, "bitmodel_revert", json!([number])).unwrap(), true);
        assert_eq!(state(&node), before, "happening {at}");
        assert_eq!(call(&node, "bitmodel_revert", json!([number])).unwrap(), false, "it is used up");
    }
    // The chain goes on as ever.
    call(&node, "generatetoaddress", json!([1, "6a"])).unwrap();
    let tip = call(&node, "getbestblockhash", json!([])).unwrap();
    assert_eq!(call(&node, "getblock", json!([tip])).unwrap()["tx"][1], json!(waiting));
    // A snapshot of before goes with those after it.
    let first = call(&node, "bitmodel_snapshot", json!([])).unwrap();
    let second = call(&node, "bitmodel_snapshot", json!([])).unwrap();
    assert_eq!(call(&node, "bitmodel_revert", json!([first])).unwrap(), true);
    assert_eq!(call(&node, "bitmodel_revert", json!([second])).unwrap(), false);
    assert_eq!(call(&node, "bitmodel_revert", json!([-1])).unwrap(), false);
}

#[test]
fn a_reorganization_gives_back_what_was_mined() {
    let node = start();
    let txid = send(&node, 0);
    let old = call(&node, "generatetoaddress", json!([2, "51"])).unwrap();
    let change = call(&node, "bitmodel_reorg", json!([2])).unwrap();
    assert_eq!((&change["height"], change["connected"].as_array().unwrap().len()), (&json!(18), 3));
    assert_eq!(call(&node, "getrawmempool", json!([])).unwrap(), json!([txid]));
    assert_eq!(call(&node, "getblockheader", json!([old[0]])).unwrap()["confirmations"], -1);
    let tips = call(&node, "getchaintips", json!([])).unwrap();
    let statuses: Vec<&str> = tips.as_array().unwrap().iter().map(|tip| tip["status"].as_str().unwrap()).collect();
    assert!(statuses.contains(&"active") && statuses.contains(&"valid-fork"), "nothing was declared invalid: {tips}");
    let back = call(&node, "bitmodel_rollback", json!([3])).unwrap();
    assert_eq!(back["height"], 15);
    for (method, depth) in
        [("bitmodel_reorg", 0), ("bitmodel_reorg", 16), ("bitmodel_rollback", 16), ("bitmodel_rollback", -1)]
    {
        assert_eq!(call(&node, method, json!([depth])).unwrap_err().0, -8, "{method} {depth}");
    }
}

#[test]
fn a_dump_is_loaded_by_another_node_and_by_the_same() {
    let (node, other) = (start(), node::start(Config { prefund: vec![], mock_time: None, ..config() }).unwrap());
    call(&other, "generatetoaddress", json!([40, "6a"])).unwrap();
    send(&node, 0);
    call(&node, "bitmodel_mine", json!([2])).unwrap();
    send(&node, 1);
    let (before, dump) = (state(&node), call(&node, "bitmodel_dumpstate", json!([])).unwrap());
    assert_eq!(dump["mocktime"], NOW);
    assert_eq!(call(&other, "bitmodel_loadstate", json!([dump])).unwrap()["height"], 17);
    assert_eq!(state(&other), before, "though its own chain weighed more");
    call(&node, "bitmodel_reorg", json!([5])).unwrap();
    call(&node, "bitmodel_loadstate", json!([dump])).unwrap();
    assert_eq!(state(&node), before);
    let now = state(&node);
    let mut broken = dump.clone();
    broken["transactions"][0] = json!("zz");
    for (state, code) in [(broken, -22), (json!({}), -3), (json!({ "blocks": ["00"], "transactions": [] }), -22)] {
        assert_eq!(call(&node, "bitmodel_loadstate", json!([state])).unwrap_err().0, code);
    }
    assert_eq!(state(&node), now);
}

#[test]
fn time_goes_as_it_is_told() {
    let node = start();
    assert_eq!(call(&node, "bitmodel_increasetime", json!([100])).unwrap(), NOW + 100);
    let time = |hash: &Value| call(&node, "getblockheader", json!([hash])).unwrap()["time"].clone();
    let mined = call(&node, "generatetoaddress", json!([1, "6a"])).unwrap();
    assert_eq!(time(&mined[0]), json!(NOW + 100));
    call(&node, "bitmodel_setnextblocktime", json!([NOW + 5_000])).unwrap();
    let mined = call(&node, "generatetoaddress", json!([2, "6a"])).unwrap();
    assert_eq!((time(&mined[0]), time(&mined[1])), (json!(NOW + 5_000), json!(NOW + 100)));
    assert_eq!(call(&node, "bitmodel_setnextblocktime", json!([NOW - 1])).unwrap_err().0, -8);
    let tip = call(&node, "bitmodel_mine", json!([3, 600])).unwrap();
    assert_eq!((&tip["height"], time(&tip["hash"])), (&json!(21), json!(NOW + 1_900)));
    // A clock that runs is put forward too.
    call(&node, "setmocktime", json!([0])).unwrap();
    let first = call(&node, "bitmodel_increasetime", json!([0])).unwrap().as_u64().unwrap();
    let later = call(&node, "bitmodel_increasetime", json!([86_400])).unwrap().as_u64().unwrap();
    assert!((86_400..86_500).contains(&(later - first)));
}

#[test]
fn mining_changes_while_the_node_runs() {
    let node = start();
    let height = || call(&node, "getblockcount", json!([])).unwrap().as_u64().unwrap();
    assert_eq!(call(&node, "bitmodel_setautomine", json!([true])).unwrap(), json!({ "automine": true, "interval": 0 }));
    send(&node, 0);
    assert_eq!(height(), 16);
    call(&node, "bitmodel_setautomine", json!([false])).unwrap();
    send(&node, 1);
    assert_eq!(height(), 16);
    call(&node, "bitmodel_setintervalmining", json!([20])).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while height() < 20 {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(call(&node, "bitmodel_setintervalmining", json!([0])).unwrap()["interval"], 0);
    let rest = height();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(height(), rest);
    assert_eq!(call(&node, "bitmodel_setintervalmining", json!([9])).unwrap_err().0, -8);
}

#[test]
fn the_faucet_pays_even_where_nothing_is_left() {
    let node = node::start(Config { prefund: vec![], ..config() }).unwrap();
    let address = Accounts::devnet().key(99).address(Network::Devnet).to_string();
    for amount in [json!(1), json!("0.5"), json!(170)] {
        let txid = call(&node, "bitmodel_faucet", json!([address, amount])).unwrap();
        let tx = call(&node, "getrawtransaction", json!([txid, 1])).unwrap();
        let paid =
            tx["vout"].as_array().unwrap().iter().filter(|output| output["scriptPubKey"]["address"] == json!(address));
        assert_eq!(
            paid.map(|output| output["value"].as_f64().unwrap()).sum::<f64>(),
            amount.to_string().trim_matches('"').parse::<f64>().unwrap()
        );
    }
    for amount in [json!(0), json!(1_001)] {
        assert_eq!(call(&node, "bitmodel_faucet", json!([address, amount])).unwrap_err().0, -8);
    }
}

#[test]
fn accounts_begin_with_many_coins() {
    let keys = [0, 1].map(|index| Accounts::devnet().key(index));
    let prefund = keys.map(|key| Prefund { lock: key.lock(), blocks: 2 }).to_vec();
    let node = node::start(Config { prefund, coins_each: 8, ..config() }).unwrap();
    for key in keys {
        let coins =
            call(&node, "listunspent", json!([1, 9_999_999, [key.address(Network::Devnet).to_string()]])).unwrap();
        let coins: Vec<f64> = coins.as_array().unwrap().iter().map(|coin| coin["amount"].as_f64().unwrap()).collect();
        assert_eq!(coins.len(), 8, "{coins:?}");
        assert!(coins.iter().all(|amount| (12.49..=12.5).contains(amount)), "{coins:?}");
    }
}

#[test]
fn other_networks_have_none_of_it() {
    let bare = || Config { network: Network::Test, prefund: vec![], mock_time: None, ..config() };
    let node = node::start(bare()).unwrap();
    for (method, params) in [
        ("bitmodel_snapshot", json!([])),
        ("bitmodel_revert", json!([1])),
        ("bitmodel_reorg", json!([1])),
        ("bitmodel_rollback", json!([1])),
        ("bitmodel_mine", json!([1])),
        ("bitmodel_increasetime", json!([1])),
        ("bitmodel_setnextblocktime", json!([NOW + 1])),
        ("bitmodel_setautomine", json!([true])),
        ("bitmodel_setintervalmining", json!([100])),
        ("bitmodel_faucet", json!(["51"])),
        ("bitmodel_dumpstate", json!([])),
        ("bitmodel_loadstate", json!([{}])),
    ] {
        let (code, message) = call(&node, method, params).unwrap_err();
        assert!(code == -1 && message.starts_with("this is for a devnet only; on `test` "), "{method}: {message}");
    }
    // Nor can it be set up so.
    for comfort in [
        Config { automine: true, ..bare() },
        Config { mine_every: Some(Duration::from_secs(1)), ..bare() },
        Config { prefund: config().prefund, ..bare() },
        Config { coins_each: 2, ..bare() },
        Config { mock_time: Some(NOW), ..bare() },
    ] {
        assert!(matches!(node::start(comfort), Err(node::StartError::DevnetOnly(_))));
    }
}
