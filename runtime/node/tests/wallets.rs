//! The wallet of a node, driven as bitcoind's clients drive theirs.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use node::{Config, NodeHandle, Prefund};
use serde_json::{Value, json};
use spec::Network;
use support::{config, rpc_at};
use wallet::{Accounts, Key};

/// A node whose first account has three block rewards.
fn funded() -> Config {
    Config { prefund: vec![Prefund { lock: Accounts::devnet().key(0).lock(), blocks: 3 }], ..config() }
}

fn at(node: &NodeHandle, wallet: &str, method: &str, params: Value) -> Result<Value, (i64, String)> {
    rpc_at(node, if wallet.is_empty() { "" } else { wallet }, method, &params.to_string())
}

fn coins(value: &Value) -> String {
    serde_json::to_string(value).unwrap()
}

#[test]
fn a_wallet_pays_and_tells_what_happened() {
    let node = node::start(funded()).unwrap();
    let call = |method: &str, params: Value| at(&node, "", method, params);
    assert_eq!(coins(&call("getbalance", json!([])).unwrap()), "150.0");
    assert_eq!(call("createwallet", json!(["shop"])).unwrap(), json!({ "name": "shop", "warning": "" }));
    assert_eq!(call("listwallets", json!([])).unwrap(), json!(["", "shop"]));
    let shop = |method: &str, params: Value| at(&node, "wallet/shop", method, params);
    let address = shop("getnewaddress", json!(["till"])).unwrap();
    assert_ne!(shop("getnewaddress", json!([])).unwrap(), address);

    let paid = call("sendtoaddress", json!([address, 60.5])).unwrap();
    assert_eq!(coins(&shop("getbalance", json!([])).unwrap()), "0.0", "nobody has mined it");
    assert_eq!(coins(&shop("getunconfirmedbalance", json!([])).unwrap()), "60.5");
    let seen = shop("listtransactions", json!([])).unwrap();
    assert_eq!((&seen[0]["category"], &seen[0]["label"]), (&json!("receive"), &json!("till")));
    assert_eq!((&seen[0]["confirmations"], &seen[0]["trusted"]), (&json!(0), &json!(false)));
    // What it made itself it may spend at once: its change waits and counts.
    let left = call("getbalance", json!([])).unwrap().as_f64().unwrap();
    assert!(left > 89.4 && left < 89.5, "{left}");
    let again = call("sendtoaddress", json!([address, "85", "", "", true])).unwrap();
    let mined = call("generatetoaddress", json!([1, address])).unwrap();

    let got = shop("gettransaction", json!([again])).unwrap();
    let fee = got["amount"].as_f64().unwrap();
    assert!(fee < 85.0 && fee > 84.999, "the receiver bears the fee: {got}");
    assert_eq!((&got["blockhash"], &got["confirmations"]), (&mined[0], &json!(1)));
    let sent = call("gettransaction", json!([paid])).unwrap();
    assert_eq!(coins(&sent["amount"]), "-60.5");
    assert_eq!(sent["details"][0]["category"], "send");
    let cost = sent["fee"].as_f64().unwrap();
    assert!((-0.000_01..0.0).contains(&cost), "{cost}");
    assert_eq!(shop("getbalances", json!([])).unwrap()["mine"]["immature"].as_f64().unwrap().round(), 50.0);
    let rows = shop("listtransactions", json!(["*", 100])).unwrap();
    let kinds: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["category"].as_str().unwrap()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "receive").count(), 2);
    assert_eq!(kinds.iter().filter(|kind| **kind == "immature").count(), 1);
    assert_eq!(shop("listtransactions", json!(["*", 1, 1])).unwrap()[0], rows[1]);
    assert_eq!(shop("listtransactions", json!(["other"])).unwrap(), json!([]));
    let received = shop("getreceivedbyaddress", json!([address])).unwrap().as_f64().unwrap();
    assert!(received > 195.4, "{received}");
    assert_eq!(shop("getwalletinfo", json!([])).unwrap()["txcount"], 3);
    let since = shop("listsinceblock", json!([mined[0]])).unwrap();
    assert_eq!((&since["transactions"], &since["lastblock"]), (&json!([]), &mined[0]));

    // What was mined can be taken back, and is then no longer told.
    call("invalidateblock", json!([mined[0]])).unwrap();
    let rows = shop("listtransactions", json!(["*", 100])).unwrap();
    assert!(rows.as_array().unwrap().iter().all(|row| row["confirmations"] == 0), "{rows}");
    assert_eq!(rows.as_array().unwrap().len(), 2);
}

#[test]
fn what_a_wallet_cannot_do_has_bitcoinds_codes() {
    let node = node::start(funded()).unwrap();
    let key = Accounts::devnet().key(77);
    let address = key.address(Network::Devnet).to_string();
    let rows = [
        ("", "sendtoaddress", json!([address, 1000]), -6, "Insufficient funds"),
        ("", "sendtoaddress", json!([address, 0]), -3, "Invalid amount for send"),
        ("", "sendtoaddress", json!([address, -1]), -3, "Invalid amount"),
        ("", "sendtoaddress", json!([address, 0.000001]), -4, "dust"),
        ("", "sendtoaddress", json!([address, 0.000001, "", "", true]), -6, "too small"),
        ("", "sendtoaddress", json!(["nonsense", 1]), -5, "Invalid address"),
        ("", "sendmany", json!(["", {}]), -8, "at least one recipient"),
        ("", "sendmany", json!(["", { &address: 0 }]), -3, "Invalid amount for send"),
        ("", "dumpprivkey", json!([address]), -4, "is not known"),
        ("", "dumpprivkey", json!(["nonsense"]), -5, "Invalid address"),
        ("", "importprivkey", json!(["nonsense"]), -5, "Invalid private key"),
        ("", "gettransaction", json!(["11".repeat(32)]), -5, "non-wallet"),
        ("", "listtransactions", json!(["*", -1]), -8, "Negative count"),
        ("", "loadwallet", json!(["none"]), -18, "does not exist"),
        ("", "createwallet", json!(["../out"]), -8, "letters"),
        ("", "createwallet", json!([""]), -8, "letters"),
        ("", "createwallet", json!([".hidden"]), -8, "letters"),
        ("", "unloadwallet", json!([]), -4, "stays open"),
        ("", "unloadwallet", json!(["none"]), -18, "not loaded"),
        ("wallet/none", "getbalance", json!([]), -18, "not loaded"),
        ("wallet/none", "sendtoaddress", json!([address, 1]), -18, "not loaded"),
        ("wallet/%2e%2e", "getnewaddress", json!([]), -18, "not loaded"),
    ];
    for (wallet, method, params, code, part) in rows {
        let (found, message) = at(&node, wallet, method, params.clone()).unwrap_err();
        assert!(found == code && message.contains(part), "{method} {params}: {found} {message}");
    }
    at(&node, "", "createwallet", json!(["a"])).unwrap();
    assert_eq!(at(&node, "", "createwallet", json!(["a"])).unwrap_err().0, -4);
    assert_eq!(at(&node, "", "loadwallet", json!(["a"])).unwrap_err().0, -35);
    assert_eq!(at(&node, "wallet/", "getbalance", json!([])), at(&node, "", "getbalance", json!([])));
}

#[test]
fn keys_and_addresses_are_taken_in_and_given_out() {
    let node = node::start(funded()).unwrap();
    let call = |method: &str, params: Value| at(&node, "", method, params);
    let key = Accounts::devnet().key(500);
    let (address, wif) = (key.address(Network::Devnet).to_string(), key.wif(Network::Devnet));
    let info = |watched: bool, mine: bool| {
        let found = call("getaddressinfo", json!([address])).unwrap();
        assert_eq!((&found["iswatchonly"], &found["ismine"]), (&json!(watched), &json!(mine)), "{found}");
    };
    info(false, false);
    call("importaddress", json!([address, "watched"])).unwrap();
    info(true, false);
    let sent = call("sendmany", json!(["", { &address: "1.25", "51": 2 }])).unwrap();
    call("generatetoaddress", json!([1, "6a"])).unwrap();
    let listed = call("listunspent", json!([1, 9_999_999, [address]])).unwrap();
    assert_eq!((&listed[0]["txid"], &listed[0]["spendable"]), (&sent, &json!(false)));
    let before = call("getbalance", json!([])).unwrap().as_f64().unwrap();
    assert_eq!(call("getbalance", json!(["*", 1, true])).unwrap().as_f64().unwrap(), before + 1.25);
    call("importprivkey", json!([wif])).unwrap();
    info(false, true);
    assert_eq!(call("getbalance", json!([])).unwrap().as_f64().unwrap(), before + 1.25);
    assert_eq!(call("dumpprivkey", json!([address])).unwrap(), wif);
    assert_eq!(call("listunspent", json!([1, 9_999_999, [address]])).unwrap()[0]["spendable"], true);
    let spend = call("createrawtransaction", json!([[{ "txid": sent, "vout": listed[0]["vout"] }], { "51": 1.2 }]));
    let signed = call("signrawtransactionwithwallet", json!([spend.unwrap()])).unwrap();
    assert_eq!(signed["complete"], true);
    call("sendrawtransaction", json!([signed["hex"]])).unwrap();
}

#[test]
fn wallets_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data_dir: Some(folder.path().to_owned()), persistent: true, ..funded() };
    let node = node::start(config.clone()).unwrap();
    at(&node, "", "createwallet", json!(["kept"])).unwrap();
    let address = at(&node, "wallet/kept", "getnewaddress", json!(["mine"])).unwrap();
    let wif = at(&node, "wallet/kept", "dumpprivkey", json!([address])).unwrap();
    let given = at(&node, "", "getnewaddress", json!([])).unwrap();
    let file = folder.path().join("regtest/wallets/kept.json");
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&file).unwrap()) & 0o777, 0o600);
    node.stop();
    node.join().unwrap();

    let node = node::start(config.clone()).unwrap();
    assert_eq!(at(&node, "", "listwallets", json!([])).unwrap(), json!([""]));
    let names = json!({ "wallets": [{ "name": "" }, { "name": "kept" }] });
    assert_eq!(at(&node, "", "listwalletdir", json!([])).unwrap(), names);
    at(&node, "", "loadwallet", json!(["kept"])).unwrap();
    assert_eq!(at(&node, "wallet/kept", "dumpprivkey", json!([address])).unwrap(), wif);
    assert_eq!(at(&node, "wallet/kept", "getaddressinfo", json!([address])).unwrap()["labels"], json!(["mine"]));
    assert_eq!(at(&node, "", "getaddressinfo", json!([given])).unwrap()["ismine"], true);
    assert_ne!(at(&node, "", "getnewaddress", json!([])).unwrap(), given);
    // A phrase of its own is nobody else's.
    let key = Key::from_wif(wif.as_str().unwrap()).unwrap();
    assert!((0..100).all(|index| Accounts::devnet().key(index) != key));
    at(&node, "", "unloadwallet", json!(["kept"])).unwrap();
    node.stop();
    node.join().unwrap();

    std::fs::write(&file, "{").unwrap();
    let node = node::start(config).unwrap();
    assert_eq!(at(&node, "", "loadwallet", json!(["kept"])).unwrap_err().0, -4);
}
