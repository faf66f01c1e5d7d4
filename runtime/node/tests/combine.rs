//! A transaction that several people sign, each a copy of their own.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use node::NodeHandle;
use serde_json::{Value, json};
use spec::script::{p2sh32, push_data};
use spec::{Network, OutPoint, Sats, SighashType, SpendContext, Transaction, TxIn, TxOut, hash};
use support::{rpc, start};
use wallet::{Accounts, Key};

const COIN: u64 = 100_000_000;

/// Two of three keys.
fn two_of(keys: [Key; 3]) -> Vec<u8> {
    let mut code = vec![0x52];
    keys.iter().for_each(|key| push_data(&mut code, &key.public()));
    code.extend([0x53, 0xae]);
    code
}

/// A scene: coins of Alice, of Bob, and of two of three in three forms; and the transaction that spends all.
struct Scene {
    node: NodeHandle,
    keys: [Key; 3],
    code: Vec<u8>,
    spent: Vec<TxOut>,
    tx: Transaction,
}

impl Scene {
    fn new() -> Self {
        let node = start();
        let keys = [0, 1, 2].map(|at| Accounts::devnet().key(at));
        let code = two_of(keys);
        let hidden = p2sh32(&hash::sha256d(&code));
        let locks = [keys[0].lock(), keys[1].lock(), code.clone(), hidden.clone(), hidden];
        let spent: Vec<TxOut> = locks.into_iter().map(|lock| TxOut::plain(Sats::new(COIN).unwrap(), lock)).collect();
        let coin = rpc(&node, "listunspent", "[]").unwrap()[0]["txid"].as_str().unwrap().parse().unwrap();
        let pay = spends([OutPoint { txid: coin, index: 0 }], spent.clone());
        rpc(&node, "generateblock", &json!(["51", [hex::encode(pay.encode())]]).to_string()).unwrap();
        let coins = (0..5).map(|index| OutPoint { txid: pay.txid(), index });
        let tx = spends(coins, vec![TxOut::plain(Sats::new(4 * COIN).unwrap(), keys[2].lock())]);
        Self { node, keys, code, spent, tx }
    }

    /// A copy that somebody signed: the inputs of keys over the node, the others by hand.
    fn signed_by(&self, who: usize) -> String {
        let key = &self.keys[who];
        let params = json!([hex::encode(self.tx.encode()), [key.wif(Network::Devnet)]]);
        let signed = rpc(&self.node, "signrawtransactionwithkey", &params.to_string()).unwrap();
        let mut tx = Transaction::decode(&hex::decode(signed["hex"].as_str().unwrap()).unwrap()).unwrap();
        let context = SpendContext::new(&self.tx, &self.spent).unwrap();
        let digest = |at| context.digest(SighashType::ALL, at, &self.code).unwrap().digest;
        let secret = secret_of(key);
        for at in [2, 3] {
            let signature = vm::ecdsa::sign(&secret, &digest(at)).unwrap();
            tx.inputs[at].unlock = self.unlock(&[], &[signature, vec![0x41]].concat(), at);
        }
        let signature = vm::schnorr::sign(&secret, &digest(4)).unwrap();
        tx.inputs[4].unlock = self.unlock(&[1 << who], &[&signature[..], &[0x41]].concat(), 4);
        hex::encode(tx.encode())
    }

    fn unlock(&self, check: &[u8], signature: &[u8], at: usize) -> Vec<u8> {
        let mut unlock = Vec::new();
        push_data(&mut unlock, check);
        push_data(&mut unlock, signature);
        if at > 2 {
            push_data(&mut unlock, &self.code);
        }
        unlock
    }

    fn combine(&self, parts: &[&str]) -> String {
        rpc(&self.node, "combinerawtransaction", &json!([parts]).to_string()).unwrap().as_str().unwrap().to_owned()
    }

    fn verdict(&self, tx: &str) -> Value {
        rpc(&self.node, "testmempoolaccept", &json!([[tx]]).to_string()).unwrap()[0]["allowed"].clone()
    }
}

fn secret_of(key: &Key) -> [u8; 32] {
    let bytes = spec::base58::decode_checked(&key.wif(Network::Devnet)).unwrap();
    bytes[1..33].try_into().unwrap()
}

fn spends(coins: impl IntoIterator<Item = OutPoint>, outputs: Vec<TxOut>) -> Transaction {
    let inputs = coins.into_iter().map(|prevout| TxIn { prevout, unlock: vec![], sequence: u32::MAX }).collect();
    Transaction { version: 2, inputs, outputs, locktime: 0 }
}

#[test]
fn the_signatures_of_all_parts_come_together_in_any_order() {
    let scene = Scene::new();
    let unsigned = hex::encode(scene.tx.encode());
    let (alice, bob) = (scene.signed_by(0), scene.signed_by(1));
    for part in [&unsigned, &alice, &bob] {
        assert_eq!(scene.verdict(part), false);
    }
    let whole = scene.combine(&[&alice, &bob]);
    assert_eq!(scene.verdict(&whole), true);
    assert_eq!(scene.combine(&[&unsigned, &bob, &alice]), whole);
    // One after the other is the same, also where nothing is added.
    let half = scene.combine(&[&alice, &unsigned]);
    assert_eq!(scene.verdict(&half), false);
    assert_eq!(scene.combine(&[&half, &half, &bob]), whole);
    assert_eq!(scene.combine(&[&whole, &alice]), whole);
    rpc(&scene.node, "sendrawtransaction", &json!([whole]).to_string()).unwrap();
    // Where it waits, what it spends is still known.
    assert_eq!(scene.combine(&[&alice, &bob]), whole);
    rpc(&scene.node, "generatetoaddress", r#"[1,"51"]"#).unwrap();
    let refused = |parts: Value| rpc(&scene.node, "combinerawtransaction", &json!([parts]).to_string()).unwrap_err();
    assert_eq!(refused(json!([alice, bob])), (-25, "Input not found or already spent".to_owned()));
    assert_eq!(refused(json!([])), (-22, "Missing transactions".to_owned()));
    let unreadable = "TX decode failed for tx 1. Make sure the tx has at least one input.";
    assert_eq!(refused(json!([alice, "00"])), (-22, unreadable.to_owned()));
    let long = "00".repeat(1_000_001);
    assert_eq!(refused(json!([long])).0, -8);
}
