//! Calls are answered while the node has much to do for others.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use node::{Config, NodeHandle, Peers};
use serde_json::{Value, json};
use spec::script::push_data;
use spec::{
    Block, BlockHeader, CompactTarget, Height, Network, OutPoint, Sats, SighashType, SpendContext, Transaction, TxIn,
    TxOut,
};
use support::{config, rpc};
use wallet::{Accounts, Key};

fn ask(node: &NodeHandle, method: &str, params: &Value) -> Value {
    rpc(node, method, &params.to_string()).unwrap_or_else(|error| panic!("{method} {error:?}"))
}

/// How often a call was answered while something went on, and how long the slowest answer took.
fn asked_while<T: Send>(node: &NodeHandle, work: impl FnOnce() -> T + Send) -> (T, usize, Duration) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let result = work();
            done.store(true, Ordering::Release);
            result
        });
        let (mut answers, mut slowest) = (0, Duration::ZERO);
        while !done.load(Ordering::Acquire) {
            let asked = Instant::now();
            ask(node, "getblockcount", &json!([]));
            slowest = slowest.max(asked.elapsed());
            answers += 1;
        }
        (worker.join().unwrap(), answers, slowest)
    })
}

/// A block on the tip, by a miner elsewhere.
fn block_with(node: &NodeHandle, mut txs: Vec<Transaction>) -> String {
    let given = ask(node, "getblocktemplate", &json!([{}]));
    let height = Height::new(given["height"].as_u64().unwrap() as u32);
    let coinbase = chain::coinbase(&chain::Params::of(Network::Devnet), height, Sats::ZERO, &[0x51], b"elsewhere");
    txs.sort_by_cached_key(|tx| tx.txid().to_string());
    let header = BlockHeader {
        version: 4,
        previous: given["previousblockhash"].as_str().unwrap().parse().unwrap(),
        merkle_root: [0; 32],
        time: given["curtime"].as_u64().unwrap() as u32,
        bits: CompactTarget::EASIEST,
        nonce: 0,
    };
    let mut block = Block { header, transactions: std::iter::once(coinbase).chain(txs).collect() };
    block.header.merkle_root = block.merkle_root();
    block.header = chain::solve(block.header, 0..=u32::MAX).unwrap();
    hex::encode(block.encode())
}

const COINS: u32 = 12_000;

/// Spends that a key signs, one for each of its coins, which this mines first. ECDSA takes longer than what can be verified together.
fn spends(node: &NodeHandle, key: &Key) -> Vec<Transaction> {
    let coin = ask(node, "listunspent", &json!([]))[0]["txid"].as_str().unwrap().parse().unwrap();
    let output = TxOut::plain(Sats::new(200_000).unwrap(), key.lock());
    let inputs = vec![TxIn { prevout: OutPoint { txid: coin, index: 0 }, unlock: vec![], sequence: u32::MAX }];
    let split = Transaction { version: 2, inputs, outputs: vec![output.clone(); COINS as usize], locktime: 0 };
    let txid = split.txid();
    assert_eq!(ask(node, "submitblock", &json!([block_with(node, vec![split])])), Value::Null);
    let secret: [u8; 32] = spec::base58::decode_checked(&key.wif(Network::Devnet)).unwrap()[1..33].try_into().unwrap();
    let one = |index| {
        let inputs = vec![TxIn { prevout: OutPoint { txid, index }, unlock: vec![], sequence: u32::MAX }];
        let outputs = vec![TxOut::plain(Sats::new(199_000).unwrap(), key.lock())];
        let mut tx = Transaction { version: 2, inputs, outputs, locktime: 0 };
        let spent = [output.clone()];
        let digest = SpendContext::new(&tx, &spent).unwrap().digest(SighashType::ALL, 0, &output.lock).unwrap().digest;
        let signature = [vm::ecdsa::sign(&secret, &digest).unwrap(), vec![0x41]].concat();
        let mut unlock = Vec::new();
        [signature.as_slice(), &key.public()].iter().for_each(|item| push_data(&mut unlock, item));
        tx.inputs[0].unlock = unlock;
        tx
    };
    (0..COINS).map(one).collect()
}

#[test]
fn calls_are_answered_while_a_large_block_is_verified() {
    let node = node::start(config()).unwrap();
    let txs = spends(&node, &Accounts::devnet().key(0));
    let block = block_with(&node, txs);
    let height = ask(&node, "getblockcount", &json!([])).as_u64().unwrap();
    let started = Instant::now();
    let (verdict, answers, slowest) = asked_while(&node, || ask(&node, "submitblock", &json!([block])));
    println!("{answers} answers in {:?}, the slowest after {slowest:?}", started.elapsed());
    assert_eq!(verdict, Value::Null);
    assert_eq!(ask(&node, "getblockcount", &json!([])), height + 1);
    assert!(answers > 10 && slowest < Duration::from_secs(5), "{answers} answers, the slowest after {slowest:?}");
}

#[test]
fn a_large_block_with_a_bad_script_is_refused_as_any_other_and_two_that_offer_one_block_are_both_answered() {
    let node = node::start(config()).unwrap();
    let mut txs = spends(&node, &Accounts::devnet().key(0));
    let block = block_with(&node, txs.clone());
    // A signature for something else, in the last transaction of the block.
    let last = txs.iter_mut().max_by_key(|tx| tx.txid().to_string()).unwrap();
    last.inputs[0].unlock[10] ^= 1;
    let bad = block_with(&node, txs);
    let params = [&bad, &block, &block].map(|block| json!([block]));
    let verdicts = thread::scope(|scope| {
        let first = ask(&node, "submitblock", &params[0]);
        let both = [1, 2].map(|at| {
            scope.spawn({
                let (node, params) = (&node, &params);
                move || ask(node, "submitblock", &params[at])
            })
        });
        let mut both = both.map(|one| one.join().unwrap());
        both.sort_by_key(Value::to_string);
        [vec![first], both.to_vec()].concat()
    });
    assert_eq!(verdicts, [json!("mandatory-script-verify-flag-failed"), json!("duplicate"), Value::Null]);
    assert_eq!(ask(&node, "submitblock", &params[0]), "duplicate-invalid");
    assert_eq!(ask(&node, "verifychain", &json!([4, 0])), true);
}

#[test]
fn calls_are_answered_while_thousands_of_blocks_come_from_another_node() {
    let peers = || Peers { listen: Some(([127, 0, 0, 1], 0).into()), ..Peers::default() };
    let first = node::start(Config { peers: peers(), ..config() }).unwrap();
    let block = block_with(&first, spends(&first, &Accounts::devnet().key(0)));
    assert_eq!(ask(&first, "submitblock", &json!([block])), Value::Null);
    ask(&first, "generatetoaddress", &json!([4_000, "51"]));
    let second = node::start(Config { peers: peers(), prefund: vec![], ..config() }).unwrap();
    let tip = ask(&first, "getbestblockhash", &json!([]));
    let sync = || {
        ask(&second, "addnode", &json!([first.p2p_addr().unwrap().to_string(), "add"]));
        let started = Instant::now();
        while ask(&second, "getbestblockhash", &json!([])) != tip {
            assert!(started.elapsed() < Duration::from_secs(120), "the second node does not follow");
            thread::sleep(Duration::from_millis(20));
        }
        started.elapsed()
    };
    let (took, answers, slowest) = asked_while(&second, sync);
    println!("{answers} answers in {took:?}, the slowest after {slowest:?}");
    assert!(answers > 10 && slowest < Duration::from_secs(5), "{answers} answers, the slowest after {slowest:?}");
    let coins = |node: &NodeHandle| ask(node, "gettxoutsetinfo", &json!([]))["hash_serialized_3"].clone();
    assert_eq!(coins(&first), coins(&second));
}
