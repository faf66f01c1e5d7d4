//! Contribution flows read back from a chain: whatever was deployed, paid and replaced, and in whatever order.

use std::collections::BTreeMap;

use driver::{MemoryWorld, Options};
use flow::{Change, Flow, Form, Paid, Published, Recipient};
use proptest::prelude::*;
use spec::artifact::AbiValue;
use spec::token::{Capability, Nft, Token};
use spec::{
    Artifact, Block, BlockHash, BlockHeader, Category, CompactTarget, OutPoint, RuleSet, Sats, Transaction, TxOut,
    Txid, script,
};
use wallet::{Accounts, Arg, Args, Built, Call, FeeRate, Key, Params, Purse, Settlement, Utxo};

const NOW: u32 = 900_000;
const RECORD: Category = Category::from_wire([3; 32]);
const SOURCE: &str = "
reward Direct { first: 20%, second: 50%, third: rest, dust: second, minimum: 10_000 sats, fee: up to 5_000 sats }
reward Short { named: 1/4, others: 75% list, minimum: 10_000 sats, fee: up to 5_000 sats }
reward Long { recipients: list, minimum: 1_000_000 sats, fee: up to 50_000 sats }
reward Shared {
    recipients: list, minimum: 1_000_000 sats, fee: up to 50_000 sats, adjust: by curator after 144 blocks,
}
model Root {
    weights: 0x5f3c0a8b1d2e4f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8, reward: Direct, license: \"mit\",
}
";

fn key(at: u32) -> Key {
    Accounts::devnet().key(at)
}

fn sats(amount: u64) -> Sats {
    Sats::new(amount).unwrap()
}

fn compile() -> BTreeMap<String, Artifact> {
    let world = MemoryWorld::new([("flows.bmc", SOURCE)]);
    let compiled =
        driver::compile(&world, &["flows.bmc".to_owned()], &Options { rules: RuleSet::Bch2026, ..Options::default() });
    assert!(!compiled.has_errors(), "{}", compiled.to_json());
    compiled.artifacts.into_iter().map(|artifact| (artifact.contract.clone(), artifact)).collect()
}

/// A reward as its deployer knows it, with the coins that wait in it.
struct Deployed {
    artifact: Artifact,
    params: Params,
    published: Published,
    coins: Vec<Utxo>,
    paid: Vec<Paid>,
}

/// What the record says, and its coin.
struct Record {
    coin: Utxo,
    seq: u32,
    current: Vec<Recipient>,
    next: Option<Vec<Recipient>>,
}

/// A chain without blocks: transactions in order.
struct Chain {
    artifacts: BTreeMap<String, Artifact>,
    txs: Vec<Transaction>,
    purse: Purse,
    deployed: Vec<Deployed>,
    record: Record,
    curator: Params,
    history: Vec<Change>,
    /// How many bodies were published that are not true.
    lies: usize,
}

fn recipient(at: u32, weight: u64, until: u32) -> Recipient {
    Recipient { name: (at + 1).to_string(), weight, lock: key(at + 10).lock(), until }
}

impl Chain {
    fn new() -> Self {
        let artifacts = compile();
        let money = Utxo {
            outpoint: OutPoint { txid: Txid::from_wire([1; 32]), index: 0 },
            output: TxOut::plain(sats(1_000_000_000_000), key(0).lock()),
        };
        let current = vec![recipient(0, 700_000, 0), recipient(1, 300_000, 0)];
        let curator: Params = BTreeMap::from([("curator".to_owned(), AbiValue::Item(key(1).public().to_vec()))]);
        let coin = Utxo { outpoint: OutPoint::COINBASE, output: TxOut::plain(Sats::ZERO, Vec::new()) };
        let record = Record { coin, seq: 0, current: current.clone(), next: None };
        let purse = Purse::of(key(0), vec![money]);
        let mut chain = Self {
            artifacts,
            txs: Vec::new(),
            purse,
            deployed: Vec::new(),
            record,
            curator,
            history: Vec::new(),
            lies: 0,
        };
        chain.record.coin = Utxo {
            outpoint: OutPoint { txid: Txid::from_wire([2; 32]), index: 0 },
            output: chain.record_output(0, &current, None),
        };
        // The coin of the record comes from somewhere.
        let genesis = Transaction {
            version: 2,
            inputs: Vec::new(),
            outputs: vec![chain.record.coin.output.clone()],
            locktime: 0,
        };
        chain.record.coin.outpoint.txid = genesis.txid();
        chain.txs.push(genesis);
        let lock = |at: u32| AbiValue::Item(key(at).lock());
        let direct = ["first", "second", "third"].into_iter().zip([lock(20), lock(21), lock(22)]);
        let direct = direct.map(|(name, lock)| (name.to_owned(), lock)).collect();
        chain.deploy("Direct", direct, None);
        let root = ["first", "second", "third"].into_iter().zip([lock(23), lock(24), lock(25)]);
        let root = root.map(|(name, lock)| (name.to_owned(), lock)).collect();
        chain.deploy("Root", root, None);
        let named = |name: &str| (name == "named").then(|| key(30).lock());
        let others = [(500_000, key(31).lock()), (250_000, key(32).lock())];
        let short = flow::records(&chain.artifacts["Short"], &named, &others).unwrap();
        chain.deploy("Short", BTreeMap::from([("recipients".to_owned(), short)]), None);
        let contract = |at: u32| script::p2sh32(&spec::hash::sha256d(&at.to_le_bytes()));
        let many: Vec<(u64, Vec<u8>)> = (0..400).map(|at| (2_499 + u64::from(at % 3), contract(at))).collect();
        let sum: u64 = many.iter().map(|(weight, _)| weight).sum();
        let mut many = many;
        many[7].0 = many[7].0 + 1_000_000 - sum;
        let long = flow::records(&chain.artifacts["Long"], &named, &many).unwrap();
        chain.deploy("Long", BTreeMap::from([("recipients".to_owned(), long)]), None);
        chain.deploy_shared(&current);
        chain
    }

    fn send(&mut self, built: Built) -> Txid {
        self.purse = wallet::after(&self.purse, &built);
        self.txs.push(built.tx);
        self.txs.last().unwrap().txid()
    }

    fn publish(&mut self, body: &[u8]) {
        let built = wallet::publish(&self.purse, body, Vec::new(), FeeRate::RELAY_MIN, RuleSet::Bch2026).unwrap();
        for one in built {
            self.send(one);
        }
    }

    fn deploy(&mut self, name: &str, params: Params, names: Option<&[String]>) {
        let artifact = self.artifacts[name].clone();
        let params = wallet::Program::new(self.artifacts.values().cloned()).complete(name, params).unwrap();
        let published = Published::of(&artifact, &params, names, Some(RECORD)).unwrap();
        self.publish(&published.encode());
        self.deployed.push(Deployed { artifact, params, published, coins: Vec::new(), paid: Vec::new() });
    }

    fn deploy_shared(&mut self, list: &[Recipient]) {
        let records = flow::records_of(&self.artifacts["Shared"], list).unwrap();
        let params = BTreeMap::from([("recipients".to_owned(), records)]);
        let lock = self.artifacts["Shared"].lock(&params).unwrap();
        if self.deployed.iter().all(|one| one.published.lock() != lock) {
            let names: Vec<String> = list.iter().map(|one| one.name.clone()).collect();
            self.deploy("Shared", params, Some(&names));
        }
    }

    fn pay(&mut self, reward: usize, amount: u64) {
        let lock = self.deployed[reward].published.lock();
        let wish = vec![TxOut::plain(sats(amount), lock.clone())];
        let built = wallet::pay(&self.purse, wish, FeeRate::RELAY_MIN, RuleSet::Bch2026).unwrap();
        let place = built.tx.outputs.iter().position(|output| output.lock == lock).unwrap();
        let output = built.tx.outputs[place].clone();
        let txid = self.send(built);
        self.deployed[reward].coins.push(Utxo { outpoint: OutPoint { txid, index: place as u32 }, output });
    }

    fn settle(&mut self, reward: usize, count: usize) {
        let one = &mut self.deployed[reward];
        let coins: Vec<Utxo> = one.coins.drain(..count.min(one.coins.len())).collect();
        if coins.is_empty() {
            return;
        }
        let pot = Sats::checked_sum(coins.iter().map(|coin| coin.output.value)).unwrap();
        let wish =
            Settlement { artifact: &one.artifact, params: &one.params, coins, fee: None, rate: FeeRate::RELAY_MIN };
        let settled = wallet::settle(&wish).unwrap();
        let shares = settled.shares.iter().map(|share| share.value).collect();
        one.paid.push(Paid { txid: settled.built.tx.txid(), pot, shares });
        self.txs.push(settled.built.tx);
    }

    fn record_output(&self, seq: u32, current: &[Recipient], next: Option<&[Recipient]>) -> TxOut {
        let hash = |list: &[Recipient]| flow::list_hash(&self.artifacts["Shared"], list).unwrap();
        let next = next.map_or([0; 32], hash);
        let commitment = [&seq.to_le_bytes()[..], &hash(current), &next].concat();
        let nft = Nft { capability: Capability::Mutable, commitment };
        let lock = self.artifacts["SharedRecord"].lock(&self.curator).unwrap();
        TxOut { value: sats(2_000), token: Some(Token { category: RECORD, amount: 0, nft: Some(nft) }), lock }
    }

    fn call(&mut self, path: &str, args: &[(&str, Arg)], output: TxOut) -> Txid {
        let args: Args = args.iter().map(|(name, arg)| ((*name).to_owned(), arg.clone())).collect();
        let artifact = self.artifacts["SharedRecord"].clone();
        let call = Call {
            artifact: &artifact,
            params: &self.curator.clone(),
            path,
            args: &args,
            coin: self.record.coin.clone(),
            outputs: vec![output.clone()],
            locktime: None,
            sequence: None,
            purse: Some(&self.purse.clone()),
            rate: FeeRate::RELAY_MIN,
        };
        let built = wallet::call(call).unwrap_or_else(|error| panic!("{path}: {error}"));
        let txid = self.send(built);
        self.record.coin = Utxo { outpoint: OutPoint { txid, index: 0 }, output };
        txid
    }

    fn propose(&mut self, wanted: &[Recipient]) {
        let artifact = &self.artifacts["Shared"];
        // Who is locked may be in the way.
        let Ok(adjustment) = flow::adjustment(artifact, &self.record.current, wanted, NOW) else { return };
        let now = Arg::Value(AbiValue::int(NOW.into()));
        let item = |bytes: [u8; 32]| Arg::Value(AbiValue::Item(bytes.to_vec()));
        let names = [("was_named", item(adjustment.was_named)), ("is_named", item(adjustment.is_named))];
        let args = [("changes", Arg::Value(adjustment.changes)), ("now", now), ("sig", Arg::Sign(key(1)))];
        let args = [&args[..], &names].concat();
        let output = self.record_output(self.record.seq, &self.record.current, Some(&adjustment.next));
        let txid = self.call("propose", &args, output);
        self.history.push(Change::Proposed { txid, recipients: Some(adjustment.next.clone()) });
        self.record.next = Some(adjustment.next);
    }

    fn cancel(&mut self) {
        let output = self.record_output(self.record.seq, &self.record.current, None);
        let txid = self.call("cancel", &[("sig", Arg::Sign(key(1)))], output);
        self.history.push(Change::Cancelled { txid });
        self.record.next = None;
    }

    fn activate(&mut self) {
        let Some(next) = self.record.next.take() else { return };
        let output = self.record_output(self.record.seq + 1, &next, None);
        let hash = flow::list_hash(&self.artifacts["Shared"], &next).unwrap();
        let txid = self.call("activate", &[], output);
        self.history.push(Change::Activated { txid, hash });
        self.record.seq += 1;
        self.record.current = next.clone();
        self.deploy_shared(&next);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Pay(prop::sample::Index, u64),
    Settle(prop::sample::Index, usize),
    Propose(Vec<(u64, bool)>),
    Cancel,
    Activate,
    Lie(prop::sample::Index),
    Rename(prop::sample::Index),
    Noise(Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        5 => (at(), 1_000_000u64..9_000_000).prop_map(|(at, amount)| Step::Pay(at, amount)),
        4 => (at(), 1usize..4).prop_map(|(at, count)| Step::Settle(at, count)),
        3 => prop::collection::vec((1u64..100, prop::bool::weighted(0.1)), 2..6).prop_map(Step::Propose),
        1 => Just(Step::Cancel),
        3 => Just(Step::Activate),
        1 => at().prop_map(Step::Lie),
        1 => at().prop_map(Step::Rename),
        1 => prop::collection::vec(any::<u8>(), 0..100).prop_map(Step::Noise),
    ]
}

/// Weights that sum to the whole.
fn list(parts: &[(u64, bool)]) -> Vec<Recipient> {
    let whole: u64 = parts.iter().map(|(part, _)| part).sum();
    let mut left = 1_000_000;
    let last = parts.len() - 1;
    let one = |(at, (part, locked)): (usize, &(u64, bool))| {
        let weight = if at == last { left } else { 1_000_000 * part / whole };
        left -= weight;
        recipient(at as u32, weight, if *locked { NOW + 500 } else { 0 })
    };
    parts.iter().enumerate().map(one).collect()
}

fn run(chain: &mut Chain, step: Step) {
    let count = chain.deployed.len();
    match step {
        Step::Pay(at, amount) => chain.pay(at.index(count), amount),
        Step::Settle(at, coins) => chain.settle(at.index(count), coins),
        Step::Propose(parts) => chain.propose(&list(&parts)),
        Step::Cancel => chain.cancel(),
        Step::Activate => chain.activate(),
        Step::Lie(at) => {
            // Somebody says of another's reward that it pays them.
            let mut lie = chain.deployed[at.index(count)].published.clone();
            lie.recipients[0].lock = key(99).lock();
            chain.publish(&lie.encode());
            chain.lies += 1;
        }
        Step::Rename(at) => {
            let mut renamed = chain.deployed[at.index(count)].published.clone();
            renamed.recipients[0].name = "impostor".to_owned();
            chain.publish(&renamed.encode());
            // A list's hash covers its names; of a reward without one the first names count.
            chain.lies += usize::from(renamed.form != Form::Direct);
        }
        Step::Noise(bytes) => {
            let body = [b"BMRW\x01", &bytes[..]].concat();
            chain.publish(&body);
        }
    }
}

/// Blocks of so many transactions each, sorted by their ids.
fn blocks_of(txs: &[Transaction], count: usize) -> Vec<Block> {
    let header = BlockHeader {
        version: 1,
        previous: BlockHash::from_wire([0; 32]),
        merkle_root: [0; 32],
        time: 0,
        bits: CompactTarget(0),
        nonce: 0,
    };
    let block = |txs: &[Transaction]| {
        let mut transactions = txs.to_vec();
        transactions.sort_by_key(Transaction::txid);
        Block { header, transactions }
    };
    txs.chunks(count).map(block).collect()
}

/// What does not depend on the order of independent transactions.
fn facts(flows: &[Flow]) -> BTreeMap<Vec<u8>, (Published, BTreeMap<Txid, Paid>, usize)> {
    let paid = |flow: &Flow| flow.settlements.iter().map(|one| (one.txid, one.clone())).collect();
    flows.iter().map(|flow| (flow.published.lock(), (flow.published.clone(), paid(flow), flow.history.len()))).collect()
}

/// A list without the names, which a proposal does not have.
fn money(list: &[Recipient]) -> Vec<(u64, u32, Vec<u8>)> {
    list.iter().map(|one| (one.weight, one.until, one.lock.clone())).collect()
}

fn same_history(found: &[Change], known: &[Change]) {
    assert_eq!(found.len(), known.len());
    for pair in found.iter().zip(known) {
        match pair {
            (
                Change::Proposed { txid: a, recipients: Some(found) },
                Change::Proposed { txid: b, recipients: Some(known) },
            ) => assert_eq!((a, money(found)), (b, money(known))),
            (found, known) => assert_eq!(found, known),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_chain_shows_is_what_was_deployed_paid_and_replaced(steps in prop::collection::vec(step(), 5..40)) {
        let mut chain = Chain::new();
        steps.into_iter().for_each(|step| run(&mut chain, step));
        // Every lie comes out once a coin is spent.
        for reward in 0..chain.deployed.len() {
            chain.pay(reward, 2_000_000);
            chain.settle(reward, 50);
        }
        let network = flow::rebuild(&blocks_of(&chain.txs, 1));
        let flows = network.rewards;
        prop_assert_eq!(network.refused.len(), chain.lies);
        prop_assert_eq!(flows.len(), chain.deployed.len());
        // Miners sort the transactions of a block by their ids.
        let sorted = flow::rebuild(&blocks_of(&chain.txs, 6));
        prop_assert_eq!(facts(&sorted.rewards), facts(&flows));
        for (flow, known) in flows.iter().zip(&chain.deployed) {
            prop_assert_eq!(&flow.published, &known.published);
            prop_assert_eq!(&flow.settlements, &known.paid);
            match flow.published.form {
                Form::Adjustable { .. } => same_history(&flow.history, &chain.history),
                Form::Direct | Form::List | Form::Flow { .. } => prop_assert!(flow.history.is_empty()),
            }
            for paid in &flow.settlements {
                let sum = Sats::checked_sum(paid.shares.iter().copied()).unwrap();
                prop_assert!(paid.pot.checked_sub(sum).unwrap() <= known.artifact.reward.as_ref().unwrap().fee_sats_max);
                prop_assert_eq!(flow.published.divide(sum).unwrap(), paid.shares.clone());
            }
        }
    }
}
