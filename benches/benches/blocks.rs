//! Validation of a block of 1,000 P2PKH spends, against nothing but the library's signature checks on the same data
//! in the same run: `cargo bench -p benches --bench blocks`.

use std::hint::black_box;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use benches::{Kind, SATS_EACH, lock_of, public_key, sign, spend, unsigned};
use chain::{Chain, MemoryStore, Params, Store, Workers, coinbase, solve};
use secp256k1::ecdsa::Signature;
use secp256k1::{Message, PublicKey};
use spec::block::merkle_root;
use spec::hash::sha256;
use spec::{Block, BlockHeader, Network, OutPoint, Sats, Transaction, TxIn, TxOut};

const SPENDS: u64 = 1_000;
const ROUNDS: usize = 7;
/// An hour after the genesis block of every network.
const NOW: u32 = 1_767_229_200;

/// A signature as the library reads it.
struct Check {
    der: Vec<u8>,
    digest: [u8; 32],
    key: [u8; 33],
}

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let keys: Vec<[u8; 32]> = (0..SPENDS).map(|seed| sha256(&seed.to_le_bytes())).collect();
    let (mut chain, coins) = grow(&keys);
    let raw = raw_time(&coins, &keys);
    writeln!(out, "{:<52} {:>12} {:>10}", "work", "microseconds", "ratio")?;
    let mut line = |name: &str, time: Duration| {
        let hundredths = time.as_nanos() * 100 / raw.as_nanos().max(1);
        let ratio = format!("{}.{:02}", hundredths / 100, hundredths % 100);
        writeln!(out, "{name:<52} {:>12} {ratio:>10}", time.as_micros())
    };
    line("1,000 ECDSA checks of the library, one thread", raw)?;
    for (threads, workers) in [("one thread", Workers::ONE), ("all threads", Workers::all())] {
        chain = chain.with_workers(workers);
        for (name, kind) in [("ECDSA", Kind::Ecdsa), ("Schnorr", Kind::Schnorr)] {
            let spends: Vec<Transaction> =
                coins.iter().zip(&keys).map(|((coin, spent), key)| spend(*coin, spent, key, kind)).collect();
            let block = next_block(&chain, spends, 500 * SPENDS);
            let time = best(|| chain.test_block(black_box(&block), NOW).expect("the block is valid"));
            line(&format!("block of 1,000 P2PKH spends, {name}, {threads}"), time)?;
        }
    }
    Ok(())
}

fn best(mut work: impl FnMut()) -> Duration {
    let time = |()| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    std::iter::repeat_n((), ROUNDS).map(time).min().unwrap_or_default()
}

/// A chain with one coin for each key, and the coins.
fn grow(keys: &[[u8; 32]]) -> (Chain<MemoryStore>, Vec<(OutPoint, TxOut)>) {
    let params = Params::of(Network::Devnet);
    let maturity = params.maturity_blocks;
    let mut chain = Chain::open(params, MemoryStore::default()).expect("memory does not fail");
    let first = next_block(&chain, Vec::new(), 0);
    let funds = first.transactions.first().map(Transaction::txid).expect("a block has a coinbase");
    chain.accept_block(first, NOW).expect("an empty block is valid");
    for _ in 0..maturity {
        let block = next_block(&chain, Vec::new(), 0);
        chain.accept_block(block, NOW).expect("an empty block is valid");
    }
    let outputs: Vec<TxOut> = keys.iter().map(|key| TxOut::plain(Sats::from_wire(SATS_EACH), lock_of(key))).collect();
    let input = TxIn { prevout: OutPoint { txid: funds, index: 0 }, unlock: vec![], sequence: u32::MAX };
    let fan = Transaction { version: 2, inputs: vec![input], outputs: outputs.clone(), locktime: 0 };
    let txid = fan.txid();
    let block = next_block(&chain, vec![fan], 0);
    chain.accept_block(block, NOW).expect("the fan-out is valid");
    let coins = (0..).zip(outputs).map(|(index, output)| (OutPoint { txid, index }, output)).collect();
    (chain, coins)
}

/// Anyone may spend the coinbases of this chain.
const COINBASE_LOCK: [u8; 1] = [0x51];

fn next_block<S: Store>(chain: &Chain<S>, mut spends: Vec<Transaction>, fees: u64) -> Block {
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

/// What the library alone takes to read and check the block's ECDSA signatures.
fn raw_time(coins: &[(OutPoint, TxOut)], keys: &[[u8; 32]]) -> Duration {
    let checks: Vec<Check> = coins
        .iter()
        .zip(keys)
        .map(|((coin, spent), secret)| {
            let (_, digest) = unsigned(*coin, spent);
            let der = sign(secret, &digest, Kind::Ecdsa);
            Check { der, digest, key: public_key(secret) }
        })
        .collect();
    best(|| {
        for check in &checks {
            let signature = Signature::from_der(&check.der).expect("it was just made");
            let key = PublicKey::from_slice(&check.key).expect("it was just made");
            let message = Message::from_digest(check.digest);
            secp256k1::ecdsa::verify(&signature, message, &key).expect("it was just made");
        }
    })
}
