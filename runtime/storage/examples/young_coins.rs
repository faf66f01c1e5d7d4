//! How fast the store takes blocks of 12,000 transactions whose coins are spent a few blocks later, and what it writes for them.
//!
//! `cargo run --release -p storage --example young_coins -- BLOCKS KEPT CACHE_MIB FOLDER`; of a hundred coins `KEPT` are never spent.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_types,
    clippy::float_arithmetic,
    reason = "an example fails by panicking, takes the time and prints what it found"
)]

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chain::{BlockDelta, Coin, HeaderRecord, Store};
use spec::{Block, BlockHash, BlockHeader, CompactTarget, Height, OutPoint, Sats, Transaction, TxIn, TxOut, Txid};
use storage::{DiskOptions, DiskStore};

const TRANSACTIONS: usize = 12_000;
/// Coins are spent when so many blocks of them have been made.
const LIFE_BLOCKS: usize = 3;

struct Maker {
    previous: BlockHash,
    height: Height,
    random: u64,
    kept_percent: u64,
    young: VecDeque<Vec<(OutPoint, Coin)>>,
}

impl Maker {
    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % bound
    }

    fn output(&mut self) -> TxOut {
        let owner = self.below(u64::MAX).to_le_bytes();
        TxOut::plain(
            Sats::from_wire(10_000),
            [&[0x76, 0xa9, 0x14][..], &owner, &owner, &[0; 4], &[0x88, 0xac]].concat(),
        )
    }

    fn transaction(&mut self, prevouts: &[OutPoint]) -> Transaction {
        let inputs = prevouts.iter().map(|prevout| TxIn { prevout: *prevout, unlock: vec![7; 100], sequence: 0 });
        let outputs = vec![self.output(), self.output()];
        Transaction {
            version: 2,
            inputs: inputs.collect(),
            outputs,
            locktime: u32::try_from(self.below(1 << 32)).unwrap(),
        }
    }

    fn next(&mut self) -> (HeaderRecord, Arc<Block>, BlockDelta) {
        let dying = if self.young.len() < LIFE_BLOCKS { vec![] } else { self.young.pop_front().unwrap() };
        let mut spent = vec![];
        for coin in dying {
            if self.below(100) >= self.kept_percent {
                spent.push(coin);
            }
        }
        let mut transactions = vec![self.transaction(&[OutPoint::COINBASE])];
        for number in 0..TRANSACTIONS {
            let each = spent.len().div_ceil(TRANSACTIONS);
            let prevouts: Vec<_> = spent.iter().skip(number * each).take(each).map(|(outpoint, _)| *outpoint).collect();
            transactions.push(self.transaction(&prevouts));
        }
        spent.sort_unstable_by_key(|(outpoint, _)| *outpoint);
        let txids: Vec<Txid> = transactions.iter().map(Transaction::txid).collect();
        let (height, previous) = (self.height, self.previous);
        let made = transactions
            .iter()
            .zip(&txids)
            .flat_map(|(tx, txid)| (0..).zip(&tx.outputs).map(move |made| (*txid, made)));
        let coin = |output: &TxOut| Coin { output: output.clone(), height, coinbase: false };
        let created: Vec<_> = made.map(|(txid, (index, output))| (OutPoint { txid, index }, coin(output))).collect();
        let header = BlockHeader {
            version: 4,
            previous,
            merkle_root: [0; 32],
            time: height.get(),
            bits: CompactTarget::EASIEST,
            nonce: 0,
        };
        let mut block = Block { header, transactions };
        block.header.merkle_root = block.merkle_root();
        let hash = block.header.hash();
        self.young.push_back(created.clone());
        (self.previous, self.height) = (hash, height.next());
        let record = HeaderRecord {
            header: block.header,
            height,
            invalid: false,
            transactions: u32::try_from(txids.len()).unwrap(),
        };
        (record, Arc::new(block), BlockDelta { hash, previous, height, spent, created, txids })
    }
}

fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    io.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse().ok()).unwrap_or(0)
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise: u64| args.get(at).map_or(otherwise, |text| text.parse().unwrap());
    let (blocks, kept_percent, cache_mib) = (number(0, 60), number(1, 5), number(2, 64));
    let folder = args.get(3).map_or_else(|| std::env::temp_dir().join("young-coins"), PathBuf::from);
    let _ = std::fs::remove_dir_all(&folder);
    let mut options = DiskOptions::new("bench", *b"TEST");
    options.coin_cache_bytes = usize::try_from(cache_mib << 20).unwrap();
    let mut store = DiskStore::open(&folder, &options).unwrap();
    let mut maker = Maker {
        previous: BlockHash::default(),
        height: Height::GENESIS,
        random: 7,
        kept_percent,
        young: VecDeque::new(),
    };
    let (mut put, mut look, mut connect, mut slowest) =
        (Duration::ZERO, Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for _ in 0..blocks {
        let (record, block, delta) = maker.next();
        let start = Instant::now();
        store.put_block(&record, block).unwrap();
        put += start.elapsed();
        let (start, wanted) = (Instant::now(), delta.spent.iter().map(|(outpoint, _)| *outpoint).collect::<Vec<_>>());
        assert!(store.coins(&wanted).unwrap().iter().all(Option::is_some));
        look += start.elapsed();
        let start = Instant::now();
        store.connect(&delta).unwrap();
        connect += start.elapsed();
        slowest = slowest.max(start.elapsed());
    }
    let start = Instant::now();
    drop(store);
    let closing = start.elapsed();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let each = |time: Duration| ms(time) / blocks as f64;
    println!(
        "{blocks} blocks, {kept_percent} % of coins kept, {cache_mib} MiB: ms for a block: put {:.1}, look {:.1}, connect {:.1} (slowest {:.0}); closing {:.0} ms; {} MB written",
        each(put),
        each(look),
        each(connect),
        ms(slowest),
        ms(closing),
        written() / 1_000_000
    );
    let start = Instant::now();
    let store = DiskStore::open(&folder, &options).unwrap();
    println!("opening {:.0} ms", ms(start.elapsed()));
    drop(store);
    std::fs::remove_dir_all(folder).unwrap();
}
