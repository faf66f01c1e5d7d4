//! A node that is killed at any moment: whatever it answered is there when it starts again.
//!
//! The model is made of what was answered and of the blocks themselves. `BMC_KILLS` says how often the node dies, 100 times
//! if it says nothing; `BMC_SEED` chooses the moments.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use spec::hash::sha256d;
use spec::{Block, BlockHash, OutPoint, Sats, Transaction, TxIn, TxOut, Txid};

/// `OP_1`: anybody may spend, so the test needs no signatures.
const ANYBODY: u8 = 0x51;
/// The blocks at the beginning. The coins of the first hundred are spent; they stay mature through every reorganization.
const BASE_BLOCKS: usize = 120;

struct Node {
    child: Arc<Mutex<Child>>,
    rpc: String,
}

fn spawn(folder: &std::path::Path, more: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bmc"));
    command.args(["node", "--rpc-port", "0", "--no-mining", "--auth", "t:t", "--json"]).args(more);
    if !more.contains(&"--blocks-each") {
        command.args(["--blocks-each", "0"]);
    }
    command.arg("--datadir").arg(folder).env("HOME", folder).env_remove("BMC_MNEMONIC");
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

impl Node {
    fn start(folder: &std::path::Path) -> Self {
        Self::start_with(folder, &[])
    }

    fn start_with(folder: &std::path::Path, more: &[&str]) -> Self {
        let mut child = spawn(folder, more);
        let hello = support::greeting(&mut child).expect("the node starts again");
        Self { child: Arc::new(Mutex::new(child)), rpc: hello["rpc"].as_str().unwrap().to_owned() }
    }

    /// The result; nothing if the node died before it answered.
    fn try_call(&self, method: &str, params: Value) -> Option<Value> {
        let body = json!({ "id": 1, "method": method, "params": params }).to_string();
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        // `t:t`
        let post = ureq::Agent::new_with_config(config).post(&self.rpc).header("Authorization", "Basic dDp0");
        let text = post.send(&body).ok()?.body_mut().read_to_string().ok()?;
        let reply: Value = serde_json::from_str(&text).ok()?;
        assert_eq!(reply["error"], Value::Null, "{method}");
        Some(reply["result"].clone())
    }

    fn call(&self, method: &str, params: Value) -> Value {
        self.try_call(method, params).expect("the node answers")
    }

    fn kill_after(&self, wait: Duration) -> thread::JoinHandle<()> {
        let child = Arc::clone(&self.child);
        thread::spawn(move || {
            thread::sleep(wait);
            // One that has stopped by itself cannot be killed.
            let _ = child.lock().unwrap().kill();
        })
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }
}

#[derive(Clone, Debug)]
enum Step {
    Send(Transaction),
    Generate,
    Invalidate(BlockHash),
    Reconsider(BlockHash),
    Stop,
}

/// What was answered.
struct World {
    random: u64,
    coins: Vec<(OutPoint, u64)>,
    attempted: BTreeSet<Txid>,
    sent: BTreeSet<Txid>,
    made: Vec<BlockHash>,
    tip: BlockHash,
    marked: Option<BlockHash>,
    /// What was asked and not answered.
    open: Option<Step>,
    blocks: BTreeMap<BlockHash, Block>,
}

impl World {
    fn new(seed: u64, node: &Node) -> Self {
        let lock = hex::encode([ANYBODY]);
        let made = node.call("generatetoaddress", json!([BASE_BLOCKS, lock]));
        let made: Vec<BlockHash> = serde_json::from_value(made).unwrap();
        let tip = *made.last().unwrap();
        let mut world = Self {
            random: seed,
            coins: vec![],
            attempted: BTreeSet::new(),
            sent: BTreeSet::new(),
            made,
            tip,
            marked: None,
            open: None,
            blocks: BTreeMap::new(),
        };
        for block in world.chain_to(node, tip).iter().skip(1).take(100) {
            let coinbase = &block.transactions[0];
            world.coins.push((OutPoint { txid: coinbase.txid(), index: 0 }, coinbase.outputs[0].value.get()));
        }
        world
    }

    /// A number below `bound`, by xorshift.
    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % bound
    }

    fn choose(&mut self) -> Step {
        match (self.below(20), self.marked) {
            (0, _) => Step::Stop,
            (1..4, None) => {
                let mut hash = self.tip;
                for _ in 0..self.below(3) {
                    hash = self.blocks[&hash].header.previous;
                }
                Step::Invalidate(hash)
            }
            (1..4, Some(marked)) => Step::Reconsider(marked),
            (4..9, _) => Step::Generate,
            _ => Step::Send(self.payment()),
        }
    }

    /// Spends a coin for two, which later payments spend: chains of waiting transactions grow.
    fn payment(&mut self) -> Transaction {
        let place = self.below(self.coins.len() as u64) as usize;
        let (prevout, value) = self.coins.swap_remove(place);
        let outputs = vec![TxOut::plain(Sats::from_wire(value / 2 - 500), vec![ANYBODY]); 2];
        let inputs = vec![TxIn { prevout, unlock: vec![], sequence: u32::MAX }];
        let tx = Transaction { version: 2, inputs, outputs, locktime: 0 };
        self.attempted.insert(tx.txid());
        tx
    }

    /// Takes a step, and notes its answer if there was one.
    fn step(&mut self, node: &Node) -> bool {
        let step = self.choose();
        self.open = Some(step.clone());
        let answer = match &step {
            Step::Send(tx) => node.try_call("sendrawtransaction", json!([hex::encode(tx.encode())])),
            Step::Generate => node.try_call("generatetoaddress", json!([1, hex::encode([ANYBODY])])),
            Step::Invalidate(hash) => node.try_call("invalidateblock", json!([hash])),
            Step::Reconsider(hash) => node.try_call("reconsiderblock", json!([hash])),
            Step::Stop => {
                node.try_call("stop", json!([]));
                return false;
            }
        };
        let Some(answer) = answer else { return false };
        match step {
            Step::Send(tx) => self.note_sent(&tx),
            Step::Generate => {
                let [hash] = serde_json::from_value(answer).unwrap();
                self.made.push(hash);
                self.tip = hash;
                self.open = None;
            }
            // The answer does not say where the chain ends now.
            Step::Invalidate(hash) => {
                self.marked = Some(hash);
                return self.note_tip(node);
            }
            Step::Reconsider(_) => {
                self.marked = None;
                return self.note_tip(node);
            }
            Step::Stop => {}
        }
        self.note_blocks(node)
    }

    fn note_sent(&mut self, tx: &Transaction) {
        let txid = tx.txid();
        self.sent.insert(txid);
        self.coins.extend((0..2).map(|index| (OutPoint { txid, index }, tx.outputs[0].value.get())));
        self.open = None;
    }

    fn note_tip(&mut self, node: &Node) -> bool {
        let Some(tip) = node.try_call("getbestblockhash", json!([])) else { return false };
        self.tip = serde_json::from_value(tip).unwrap();
        self.open = None;
        self.note_blocks(node)
    }

    /// The blocks at the tip, for who wants to invalidate them.
    fn note_blocks(&mut self, node: &Node) -> bool {
        let mut hash = self.tip;
        while !self.blocks.contains_key(&hash) {
            let Some(bytes) = node.try_call("getblock", json!([hash, 0])) else { return false };
            let block = Block::decode(&hex::decode(bytes.as_str().unwrap()).unwrap()).unwrap();
            assert_eq!(block.header.hash(), hash);
            let previous = block.header.previous;
            self.blocks.insert(hash, block);
            hash = previous;
            if hash == BlockHash::default() {
                break;
            }
        }
        true
    }

    /// The blocks from the first to `tip`.
    fn chain_to(&mut self, node: &Node, tip: BlockHash) -> Vec<Block> {
        self.tip = tip;
        assert!(self.note_blocks(node));
        let below = std::iter::successors(self.blocks.get(&tip), |block| self.blocks.get(&block.header.previous));
        let mut chain: Vec<Block> = below.cloned().collect();
        chain.reverse();
        chain
    }

    /// Holds a node that was started again against what its predecessors answered.
    fn check(&mut self, node: &Node) {
        let before = self.tip;
        let tip: BlockHash = serde_json::from_value(node.call("getbestblockhash", json!([]))).unwrap();
        let chain = self.chain_to(node, tip);
        let holds = |hash: &BlockHash| chain.iter().any(|block| block.header.hash() == *hash);
        match self.open.take() {
            Some(Step::Generate) => assert!(tip == before || chain.last().unwrap().header.previous == before),
            // An unanswered mark is there or not; the chain follows it.
            Some(Step::Invalidate(hash)) => {
                assert!(tip == before || !holds(&hash));
                self.marked = (!holds(&hash)).then_some(hash);
            }
            Some(Step::Reconsider(hash)) => {
                assert!(tip == before || holds(&hash));
                self.marked = (!holds(&hash)).then_some(hash);
            }
            Some(Step::Send(_) | Step::Stop) | None => assert_eq!(tip, before),
        }
        for hash in self.made.iter().rev().take(10) {
            node.call("getblockheader", json!([hash]));
        }
        let mined: BTreeSet<Txid> = chain.iter().flat_map(|block| &block.transactions).map(Transaction::txid).collect();
        let waiting = node.call("getrawmempool", json!([]));
        let waiting: BTreeSet<Txid> = serde_json::from_value(waiting).unwrap();
        let lost: Vec<_> = self.sent.iter().filter(|txid| !mined.contains(txid) && !waiting.contains(txid)).collect();
        assert!(lost.is_empty(), "{lost:?} were accepted and are gone");
        assert!(waiting.iter().all(|txid| self.attempted.contains(txid) && !mined.contains(txid)));
        let info = node.call("gettxoutsetinfo", json!([]));
        assert_eq!(info["hash_serialized_3"], json!(BlockHash::from_wire(hash_of_coins(&chain))));
    }
}

/// What bitcoind calls `hash_serialized_3`, from nothing but the blocks.
fn hash_of_coins(chain: &[Block]) -> [u8; 32] {
    let mut coins = BTreeMap::new();
    for (height, block) in (0u32..).zip(chain).skip(1) {
        for (position, tx) in block.transactions.iter().enumerate() {
            for (index, output) in (0..).zip(&tx.outputs).filter(|(_, output)| output.lock.first() != Some(&0x6a)) {
                let code = height << 1 | u32::from(position == 0);
                coins.insert(OutPoint { txid: tx.txid(), index }, (code, output));
            }
        }
        for input in block.transactions.iter().skip(1).flat_map(|tx| &tx.inputs) {
            assert!(coins.remove(&input.prevout).is_some());
        }
    }
    let mut bytes = vec![];
    for (outpoint, (code, output)) in coins {
        outpoint.write(&mut bytes);
        bytes.extend(code.to_le_bytes());
        output.write(&mut bytes);
    }
    sha256d(&bytes)
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn what_was_answered_survives_any_death() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::start(folder.path());
    let mut world = World::new(setting("BMC_SEED", 20_260_501), &node);
    let mut steps = 0;
    for round in 0..setting("BMC_KILLS", 100) {
        let killer = node.kill_after(Duration::from_micros(world.below(60_000)));
        while world.step(&node) {
            steps += 1;
        }
        killer.join().unwrap();
        drop(node);
        if round % 5 == 0 {
            // Death comes while it starts, too.
            let mut child = spawn(folder.path(), &[]);
            thread::sleep(Duration::from_micros(world.below(100_000)));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        node = Node::start(folder.path());
        world.check(&node);
    }
    for hash in &world.made {
        node.call("getblockheader", json!([hash]));
    }
    assert!(steps > 0 && world.sent.len() > 1 && world.made.len() > BASE_BLOCKS, "the node did something");
}

/// Blocks that one more call makes while old ones are dropped; a file of 64 KiB holds about 300.
const MORE_BLOCKS: u64 = 40;

#[test]
fn blocks_that_are_dropped_take_nothing_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Node::start_with(folder.path(), &["--prune", "1"]);
    let mut node = start();
    node.call("generatetoaddress", json!([600, "51"]));
    let (mut blocks, mut dropped, mut moments) = (600, -1, setting("BMC_SEED", 20_260_501));
    let mut files = BTreeSet::new();
    for _ in 0..setting("BMC_KILLS", 100) / 4 {
        moments = moments.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        node.call("generatetoaddress", json!([MORE_BLOCKS, "51"]));
        blocks += MORE_BLOCKS;
        let killer = node.kill_after(Duration::from_micros(moments >> 33 & 32_767));
        if let Some(last) = node.try_call("pruneblockchain", json!([blocks])) {
            dropped = last.as_i64().unwrap();
        }
        killer.join().unwrap();
        drop(node);
        node = start();
        let info = node.call("getblockchaininfo", json!([]));
        let first = info["pruneheight"].as_u64().unwrap();
        assert!(info["blocks"] == blocks && first as i64 > dropped && first <= blocks - 288 + 1, "{info}");
        let coins = node.call("gettxoutsetinfo", json!(["none"]));
        assert_eq!(coins["txouts"], blocks);
        assert_eq!(node.call("verifychain", json!([2, blocks - first])), true);
        let held = std::fs::read_dir(folder.path().join("regtest/blocks")).unwrap();
        files.extend(held.map(|entry| entry.unwrap().file_name()));
    }
    assert!(dropped > 0 && files.len() > 2, "{dropped}, {files:?}");
}

#[test]
fn a_chain_that_is_built_again_or_begun_survives_any_death() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(folder.path());
    node.call("generatetoaddress", json!([400, "51"]));
    let coins = node.call("gettxoutsetinfo", json!([]));
    drop(node);
    let mut moments = setting("BMC_SEED", 20_260_501);
    let mut die = |folder: &std::path::Path, more: &[&str], micros: u64| {
        moments = moments.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut child = spawn(folder, more);
        thread::sleep(Duration::from_micros((moments >> 33) % micros));
        child.kill().unwrap();
        child.wait().unwrap();
    };
    for _ in 0..setting("BMC_KILLS", 100) / 10 {
        die(folder.path(), &["--reindex"], 400_000);
        die(folder.path(), &[], 100_000);
        // It goes on where it was.
        let node = Node::start(folder.path());
        assert_eq!(node.call("gettxoutsetinfo", json!([])), coins);
    }
    let funds = ["--blocks-each", "2", "--coins-each", "3"];
    for _ in 0..setting("BMC_KILLS", 100) / 10 {
        let folder = tempfile::tempdir().unwrap();
        (0..3).for_each(|_| die(folder.path(), &funds, 400_000));
        let node = Node::start_with(folder.path(), &funds);
        let spendable = node.call("listunspent", json!([1]));
        let mut each: BTreeMap<&str, usize> = BTreeMap::new();
        for coin in spendable.as_array().unwrap() {
            *each.entry(coin["address"].as_str().unwrap()).or_default() += 1;
        }
        assert!(each.len() > 1 && each.values().all(|coins| *coins == 3), "{each:?}");
        assert!(!folder.path().join("regtest/prefund").exists());
    }
}

#[test]
fn a_folder_has_one_node_and_goes_on_after_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(folder.path());
    node.call("generatetoaddress", json!([3, "51"]));
    let second = spawn(folder.path(), &[]).wait_with_output().unwrap();
    assert_eq!(second.status.code(), Some(1), "another node has the folder");
    node.call("stop", json!([]));
    assert!(node.child.lock().unwrap().wait().unwrap().success());
    assert!(folder.path().join("regtest/blocks/blk00000.dat").exists());
    assert!(folder.path().join("regtest/mempool.dat").exists());
    drop(node);
    let node = Node::start(folder.path());
    assert_eq!(node.call("getblockcount", json!([])), 3);
    let coins = node.call("gettxoutsetinfo", json!([]));
    drop(node);
    std::fs::remove_dir_all(folder.path().join("regtest/chainstate")).unwrap();
    let blind = spawn(folder.path(), &[]).wait_with_output().unwrap();
    assert_eq!(blind.status.code(), Some(1), "the tables are gone");
    let node = Node::start_with(folder.path(), &["--reindex"]);
    assert_eq!(node.call("gettxoutsetinfo", json!([])), coins);
    assert_eq!(node.call("verifychain", json!([4, 0])), true);
}

/// Death comes while data is dropped from old blocks: each block is then as it was or without its data, and all else is there.
#[test]
fn dropping_data_survives_any_death() {
    let base = tempfile::tempdir().unwrap();
    let drops: &[&str] = &["--prune-data", "1000000"];
    let mut node = Node::start_with(base.path(), drops);
    // A file for each block with data: 66,000 bytes behind `OP_RETURN OP_PUSHDATA4`.
    let data = format!("6a4ed0010100{}", "5a".repeat(66_000));
    node.call("generatetoaddress", json!([60, data]));
    node.call("generatetoaddress", json!([300, hex::encode([ANYBODY])]));
    let coins = node.call("gettxoutsetinfo", json!([]))["hash_serialized_3"].clone();
    let hashes: Vec<Value> = (1..=60).map(|height| node.call("getblockhash", json!([height]))).collect();
    let txids: Vec<Value> = hashes.iter().map(|hash| node.call("getblock", json!([hash, 1]))["tx"].clone()).collect();
    let tip = node.call("getbestblockhash", json!([]));
    node.call("stop", json!([]));
    node.child.lock().unwrap().wait().unwrap();
    drop(node);

    let drops: &[&str] = &["--prune-data", "1"];
    let mut random = setting("BMC_SEED", 20_261_128);
    let mut lost_before = 0;
    let mut deaths_between = 0;
    for _ in 0..setting("BMC_KILLS", 40) {
        node = Node::start_with(base.path(), drops);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let killer = node.kill_after(Duration::from_micros((random >> 33) % 20_000));
        while node.try_call("prunedata", json!([60])).is_some_and(|answer| answer["more"] == true) {}
        killer.join().unwrap();
        drop(node);
        node = Node::start_with(base.path(), drops);
        assert_eq!(node.call("getbestblockhash", json!([])), tip);
        assert_eq!(node.call("gettxoutsetinfo", json!([]))["hash_serialized_3"], coins);
        assert_eq!(node.call("verifychain", json!([4, 0])), true);
        let mut lost = 0;
        for (hash, txids) in hashes.iter().zip(&txids) {
            let block = node.call("getblock", json!([hash, 1]));
            assert_eq!(block["tx"], *txids);
            lost += usize::from(block["pruned"] == true);
        }
        assert!(lost >= lost_before, "what was dropped does not come back");
        deaths_between += usize::from(lost > lost_before && lost < hashes.len());
        lost_before = lost;
        // Nothing is left over, whenever death came.
        let names = std::fs::read_dir(base.path().join("regtest/blocks")).unwrap();
        let names: Vec<String> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let cut = names.iter().filter_map(|name| name.strip_prefix("cut"));
        assert!(cut.clone().count() > 0 || lost == 0);
        cut.for_each(|name| assert!(!names.contains(&format!("blk{name}")), "{name}"));
        drop(node);
        if lost == hashes.len() {
            break;
        }
    }
    assert!(deaths_between > 2, "{deaths_between} deaths came in the middle");
    let node = Node::start_with(base.path(), drops);
    while node.call("prunedata", json!([60]))["more"] == true {}
    // Whoever reads whole blocks is told whom to ask.
    let mut flows = support::bmc(base.path());
    let output = flows.args(["flow", "rebuild"]).env("BMC_RPC", &node.rpc).env("BMC_AUTH", "t:t").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("pruned data") && said.contains("help: ask a node that keeps all blocks"), "{said}");
}
