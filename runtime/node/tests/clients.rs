//! What clients with keys of their own do: build, sign, send, prove, scan.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use spec::Network;
use support::{rpc, start};
use wallet::Accounts;

#[test]
fn a_client_with_a_key_builds_signs_sends_proves_and_finds() {
    let node = start();
    let call = |method: &str, params: Value| rpc(&node, method, &params.to_string());
    let key = Accounts::devnet().key(0);
    let (address, wif) = (key.address(Network::Devnet).to_string(), key.wif(Network::Devnet));
    let coins = call("listunspent", json!([1, 9_999_999, ["51"]])).unwrap();
    let pay = call("createrawtransaction", json!([[{ "txid": coins[0]["txid"], "vout": 0 }], { &address: "49.999" }]));
    let paid = call("sendrawtransaction", json!([pay.unwrap()])).unwrap();
    let spend =
        call("createrawtransaction", json!([[{ "txid": paid, "vout": 0 }], { "51": 49.998, "data": "00" }])).unwrap();
    let without = call("signrawtransactionwithkey", json!([spend, []])).unwrap();
    assert_eq!((&without["complete"], &without["hex"]), (&json!(false), &spend));
    assert_eq!(without["errors"][0]["error"], "Unable to sign input, no key at hand unlocks it");
    for kind in [Value::Null, json!("ALL|FORKID"), json!("ALL|FORKID|UTXOS"), json!("NONE|FORKID|ANYONECANPAY")] {
        let signed = call("signrawtransactionwithkey", json!([spend, [wif], null, kind])).unwrap();
        assert_eq!(signed["complete"], true, "{kind}");
        assert_eq!(call("testmempoolaccept", json!([[signed["hex"]]])).unwrap()[0]["allowed"], true, "{kind}");
        // Who signs again leaves what is signed as it was.
        let again = call("signrawtransactionwithkey", json!([signed["hex"], []])).unwrap();
        assert_eq!((&again["complete"], &again["hex"]), (&json!(true), &signed["hex"]), "{kind}");
    }
    for (kind, message) in [("ALL", "FORKID"), ("SOME|FORKID", "sighash"), ("ALL|FORKID|X", "sighash")] {
        let (code, found) = call("signrawtransactionwithkey", json!([spend, [wif], [], kind])).unwrap_err();
        assert!(code == -8 && found.contains(message), "{kind}: {found}");
    }
    // An output that the node has never seen is given by the client.
    let strange = call("createrawtransaction", json!([[{ "txid": "11".repeat(32), "vout": 3 }], { "51": 1 }])).unwrap();
    let unknown = call("signrawtransactionwithkey", json!([strange, [wif]])).unwrap();
    assert_eq!(unknown["errors"][0]["error"], "Input not found or already spent");
    let told = json!([{ "txid": "11".repeat(32), "vout": 3, "scriptPubKey": hex::encode(key.lock()), "amount": 2 }]);
    assert_eq!(call("signrawtransactionwithkey", json!([strange, [wif], told])).unwrap()["complete"], true);

    let signed = call("signrawtransactionwithkey", json!([spend, [wif]])).unwrap();
    let sent = call("sendrawtransaction", json!([signed["hex"]])).unwrap();
    assert_eq!(call("gettxoutproof", json!([[sent]])), Err((-5, "Transaction not yet in block".to_owned())));
    let block = call("generatetoaddress", json!([1, address])).unwrap()[0].clone();
    for wanted in [json!([sent]), json!([paid]), json!([paid, sent])] {
        let proof = call("gettxoutproof", json!([wanted])).unwrap();
        assert_eq!(call("gettxoutproof", json!([wanted, block])).unwrap(), proof);
        let mut found = call("verifytxoutproof", json!([proof])).unwrap();
        let mut expected = wanted.clone();
        for ids in [&mut found, &mut expected] {
            ids.as_array_mut().unwrap().sort_by_key(Value::to_string);
        }
        assert_eq!(found, expected);
    }
    let genesis = call("getblockhash", json!([0])).unwrap();
    for (params, code) in [
        (json!([[]]), -8),
        (json!([[sent, sent]]), -8),
        (json!([["zz"]]), -8),
        (json!([["11".repeat(32)]]), -5),
        (json!([[sent], genesis]), -5),
        (json!([[sent], "11".repeat(32)]), -5),
    ] {
        assert_eq!(call("gettxoutproof", params.clone()).unwrap_err().0, code, "{params}");
    }
    assert_eq!(call("verifytxoutproof", json!(["00"])).unwrap_err().0, -22);
    let elsewhere = start();
    let proof = call("gettxoutproof", json!([[sent]])).unwrap();
    assert_eq!(rpc(&elsewhere, "verifytxoutproof", &json!([proof]).to_string()).unwrap_err().0, -5);

    // The new coinbase is found by all descriptors of its key; its address has no other coin.
    let public = hex::encode(key.public());
    let descriptors = [format!("addr({address})"), format!("pkh({public})"), format!("combo({public})#checksum")];
    for descriptor in
        descriptors.iter().map(String::as_str).chain([format!("raw({})", hex::encode(key.lock())).as_str()])
    {
        let found = call("scantxoutset", json!(["start", [descriptor]])).unwrap();
        assert_eq!((&found["txouts"], &found["unspents"][0]["height"]), (&json!(1), &json!(16)), "{descriptor}");
        assert_eq!(found["total_amount"].to_string(), "50.002", "with both fees, {descriptor}");
    }
    assert_eq!(call("scantxoutset", json!(["status"])), Ok(Value::Null));
    for (params, code) in [
        (json!(["start", ["addr(x)"]]), -5),
        (json!(["start", ["wsh(00)"]]), -5),
        (json!(["start", [7]]), -3),
        (json!(["start"]), -1),
        (json!(["other"]), -8),
    ] {
        assert_eq!(call("scantxoutset", params.clone()).unwrap_err().0, code, "{params}");
    }
}
