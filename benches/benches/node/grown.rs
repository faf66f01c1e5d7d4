//! A chain with many coins of one lock, and blocks that spend them.

use std::collections::BTreeMap;

use benches::{Kind, lock_of, spend};
use chain::{Chain, MemoryStore, Params, Store, Workers, coinbase, solve};
use driver::{MemoryWorld, Options};
use spec::artifact::AbiValue;
use spec::block::merkle_root;
use spec::hash::sha256;
use spec::script::p2pkh;
use spec::{Artifact, Block, BlockHeader, Network, OutPoint, Sats, Transaction, TxIn, TxOut};
use wallet::{FeeRate, Settlement, Utxo};

/// Transactions of a block.
pub const SPENDS: usize = 12_000;
/// An hour after the genesis block of every network.
pub const NOW: u32 = 1_767_229_200;
/// Anyone may spend the coinbases of this chain.
const COINBASE_LOCK: [u8; 1] = [0x51];
/// What one transaction makes of a coinbase.
const FAN_MAX: usize = 20_000;
/// What each spend leaves to the miner.
const FEE_SATS: u64 = 500;
/// What a settlement leaves, which is longer.
const SETTLEMENT_FEE_SATS: u64 = 1_000;

/// A coin with what it holds.
pub type Funded = (OutPoint, TxOut);

/// The blocks of a chain from the first above its genesis block: those that make coins, and those that are measured.
pub struct Grown {
    pub before: Vec<Block>,
    pub measured: Vec<Block>,
}

/// What a measured block does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Each transaction spends a coin of a key, with one signature, into two outputs.
    Keys(Kind),
    /// Each settles a coin of a reward among its seven recipients, without a signature.
    Settlements,
    /// Each spends what the one before made, with one signature.
    Contended,
}

/// Secrets of as many owners.
pub fn secrets(count: usize) -> Vec<[u8; 32]> {
    (0..count as u64).map(|seed| sha256(&seed.to_le_bytes())).collect()
}

impl Grown {
    /// A chain whose last `blocks` blocks do that.
    pub fn of(load: Load, blocks: usize) -> Self {
        let mut grower = Grower::new();
        match load {
            Load::Keys(kind) => grower.keys(kind, blocks),
            Load::Settlements => grower.settlements(blocks),
            Load::Contended => grower.contended(blocks),
        }
        let measured = grower.blocks.split_off(grower.blocks.len() - blocks);
        Self { before: grower.blocks, measured }
    }

    /// A chain over the store up to where the measured blocks begin.
    pub fn open<S: Store>(&self, store: S, workers: Workers) -> Chain<S> {
        let mut chain =
            Chain::open(Params::of(Network::Devnet), store).expect("the store is empty").with_workers(workers);
        for block in &self.before {
            chain.accept_block(block.clone(), NOW).expect("the block is valid");
        }
        chain
    }
}

struct Grower {
    chain: Chain<MemoryStore>,
    blocks: Vec<Block>,
    /// Coinbases that are not spent yet.
    rewards: Vec<Funded>,
}

impl Grower {
    fn new() -> Self {
        let chain = Chain::open(Params::of(Network::Devnet), MemoryStore::new()).expect("memory does not fail");
        Self { chain, blocks: Vec::new(), rewards: Vec::new() }
    }

    /// Scripts of what is built here are run when they are measured.
    fn mine(&mut self, spends: Vec<Transaction>, fees: u64) {
        let block = next_block(&self.chain, spends, fees);
        if let Some(reward) = block.transactions.first() {
            let output = reward.outputs.first().expect("a coinbase pays").clone();
            self.rewards.push((OutPoint { txid: reward.txid(), index: 0 }, output));
        }
        self.chain.accept_block_with(block.clone(), NOW, &|_| Some(0)).expect("the block is valid");
        self.blocks.push(block);
    }

    /// Coins with these locks, of the same amount each.
    fn fund(&mut self, locks: &[Vec<u8>], sats_each: u64) -> Vec<Funded> {
        let mut coins = Vec::new();
        for locks in locks.chunks(FAN_MAX) {
            let first = self.rewards.len();
            for _ in 0..=self.chain.params().maturity_blocks {
                self.mine(Vec::new(), 0);
            }
            let (funds, _) = self.rewards.swap_remove(first);
            let outputs = locks.iter().map(|lock| TxOut::plain(Sats::from_wire(sats_each), lock.clone())).collect();
            let input = TxIn { prevout: funds, unlock: Vec::new(), sequence: u32::MAX };
            let fan = Transaction { version: 2, inputs: vec![input], outputs, locktime: 0 };
            let txid = fan.txid();
            coins.extend((0..).zip(&fan.outputs).map(|(index, output)| (OutPoint { txid, index }, output.clone())));
            self.mine(vec![fan], 0);
        }
        coins
    }

    fn keys(&mut self, kind: Kind, blocks: usize) {
        let secrets = secrets(SPENDS);
        let locks: Vec<Vec<u8>> = secrets.iter().map(lock_of).collect();
        let every: Vec<Vec<u8>> = std::iter::repeat_n(locks, blocks).flatten().collect();
        let coins = self.fund(&every, benches::SATS_EACH);
        for coins in coins.chunks(SPENDS) {
            let spends =
                coins.iter().zip(&secrets).map(|((coin, spent), key)| spend(*coin, spent, key, kind)).collect();
            self.mine(spends, FEE_SATS * SPENDS as u64);
        }
    }

    fn settlements(&mut self, blocks: usize) {
        let (artifact, params) = reward();
        let lock = artifact.lock(&params).expect("every recipient has a lock");
        let coins = self.fund(&vec![lock; SPENDS * blocks], benches::SATS_EACH);
        for coins in coins.chunks(SPENDS) {
            let settle = |(outpoint, output): &Funded| {
                let coins = vec![Utxo { outpoint: *outpoint, output: output.clone() }];
                let fee = Some(Sats::from_wire(SETTLEMENT_FEE_SATS));
                let wish =
                    Settlement { artifact: &artifact, params: &params, coins, fee, rate: FeeRate::per_kilobyte(1_000) };
                wallet::settle(&wish).unwrap_or_else(|error| panic!("{error}")).built.tx
            };
            let spends = coins.iter().map(settle).collect();
            self.mine(spends, SETTLEMENT_FEE_SATS * SPENDS as u64);
        }
    }

    fn contended(&mut self, blocks: usize) {
        let secret = secrets(1).pop().expect("one was asked for");
        let value = 2 * FEE_SATS * SPENDS as u64;
        for (mut coin, mut spent) in self.fund(&vec![lock_of(&secret); blocks], value) {
            let mut spends = Vec::with_capacity(SPENDS);
            for _ in 0..SPENDS {
                let tx = benches::pass_on(coin, &spent, &secret, FEE_SATS);
                coin = OutPoint { txid: tx.txid(), index: 0 };
                spent = tx.outputs.first().expect("it has one output").clone();
                spends.push(tx);
            }
            self.mine(spends, FEE_SATS * SPENDS as u64);
        }
    }
}

/// A reward of seven recipients, one of the examples, with a lock for each.
fn reward() -> (Artifact, BTreeMap<String, AbiValue>) {
    let text = include_str!("../../../examples/text-to-image-reward/text_to_image.bmc");
    let world = MemoryWorld::new([("contract.bmc", text)]);
    let compiled = driver::compile(&world, &["contract.bmc".to_owned()], &Options::default());
    assert!(!compiled.has_errors(), "{}", compiled.to_json());
    let artifact = compiled.artifact(Some("TextToImage")).expect("the reward is in its source").clone();
    let lock = |name: &str| AbiValue::Item(p2pkh(&spec::hash::hash160(name.as_bytes())));
    let params = artifact.params.iter().map(|slot| (slot.name.clone(), lock(&slot.name))).collect();
    (artifact, params)
}

/// The next block of a chain, which holds these.
pub fn next_block<S: Store>(chain: &Chain<S>, mut spends: Vec<Transaction>, fees: u64) -> Block {
    let (tip, place) = (chain.tip(), chain.next_place());
    spends.sort_by_cached_key(|tx| tx.txid().to_string());
    let reward = coinbase(chain.params(), place.height, Sats::from_wire(fees), &COINBASE_LOCK, b"bench");
    let transactions: Vec<Transaction> = std::iter::once(reward).chain(spends).collect();
    let header = BlockHeader {
        version: 0x2000_0000,
        previous: tip.hash,
        merkle_root: merkle_root(transactions.iter().map(Transaction::txid)),
        time: place.median_time_past + 1,
        bits: chain.params().target_limit,
        nonce: 0,
    };
    let header = solve(header, 0..=u32::MAX).expect("the devnet's target is easy");
    Block { header, transactions }
}
