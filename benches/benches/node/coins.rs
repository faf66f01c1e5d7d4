//! A store with millions of coins, beside the key-value store in which it keeps them.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use benches::Table;
use chain::{BlockDelta, Coin, HeaderRecord, Params, Store};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use spec::hash::sha256;
use spec::script::p2pkh;
use spec::{Block, BlockHash, BlockHeader, Height, Network, OutPoint, Sats, TxOut, Txid};
use storage::{DiskOptions, DiskStore};

use crate::measure::{each_second, over, time};

/// Coins that are loaded first.
const COINS: u32 = 5_000_000;
/// Coins that change together.
const TOGETHER: u32 = 10_000;
/// How often so many are read, removed and replaced.
const CHANGES: u32 = 100;
/// The bare store's values.
const VALUE_BYTES: usize = 60;
/// The bare store's keys: a transaction's id and an index.
const KEY_BYTES: usize = 36;

/// What is measured of a store.
struct Times {
    loading: Duration,
    changing: Duration,
}

pub fn run(out: &mut dyn Write) -> io::Result<()> {
    let (bare, ours) = (bare(), ours());
    let columns = ["loaded/s", "of bare", "read, removed and replaced/s", "of bare"];
    let mut table = Table::new("5,000,000 coins, 10,000 at a time", &columns);
    for (name, times) in [("fjall alone", &bare), ("store of the node", &ours)] {
        let cells = [
            each_second(COINS as usize, times.loading).to_string(),
            over(bare.loading, times.loading),
            each_second((TOGETHER * CHANGES) as usize, times.changing).to_string(),
            over(bare.changing, times.changing),
        ];
        table.row(name, cells);
    }
    table.print(out)
}

/// The place of a coin in the order in which coins came. Those that are taken out lie everywhere among the first.
fn victims(change: u32) -> impl Iterator<Item = u32> {
    // The factor has no divisor in common with the number of coins, so no coin is taken twice.
    (change * TOGETHER..(change + 1) * TOGETHER).map(|at| (u64::from(at) * 1_299_709 % u64::from(COINS)) as u32)
}

/// The coins that come with a change: those behind the loaded ones.
fn newcomers(change: u32) -> Range<u32> {
    let first = COINS + change * TOGETHER;
    first..first + TOGETHER
}

fn outpoint(at: u32) -> OutPoint {
    OutPoint { txid: Txid::from_wire(sha256(&(at / TOGETHER).to_le_bytes())), index: at % TOGETHER }
}

fn bare() -> Times {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let database = Database::builder(folder.path()).worker_threads(2).open().expect("the folder is empty");
    let coins = database.keyspace("coins", KeyspaceCreateOptions::default).expect("there is none");
    let ((), loading) = time(|| {
        for first in (0..COINS).step_by(TOGETHER as usize) {
            replace(&database, &coins, std::iter::empty(), first..first + TOGETHER);
        }
    });
    let ((), changing) = time(|| (0..CHANGES).for_each(|at| replace(&database, &coins, victims(at), newcomers(at))));
    Times { loading, changing }
}

fn replace(database: &Database, coins: &Keyspace, out: impl Iterator<Item = u32>, into: impl Iterator<Item = u32>) {
    let mut batch = database.batch().durability(Some(PersistMode::SyncData));
    for at in out {
        let key = key(at);
        assert!(coins.get(key).expect("the store can be read").is_some(), "the coin is there");
        batch.remove(coins, key);
    }
    into.for_each(|at| batch.insert(coins, key(at), [0x5a; VALUE_BYTES]));
    batch.commit().expect("the store can be written");
}

fn key(at: u32) -> [u8; KEY_BYTES] {
    let (outpoint, mut key) = (outpoint(at), [0; KEY_BYTES]);
    let index = outpoint.index.to_be_bytes();
    key.iter_mut().zip(outpoint.txid.as_wire().iter().chain(&index)).for_each(|(to, from)| *to = *from);
    key
}

/// Blocks of which only the header counts here, and what they are said to change.
struct Blocks {
    store: DiskStore,
    tip: BlockHash,
    height: Height,
}

fn ours() -> Times {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let store = DiskStore::open(folder.path(), &DiskOptions::new("bench", [0; 4])).expect("the folder is empty");
    let mut blocks = Blocks { store, tip: BlockHash::default(), height: Height::GENESIS };
    let ((), loading) = time(|| {
        for first in (0..COINS).step_by(TOGETHER as usize) {
            blocks.next(std::iter::empty(), first..first + TOGETHER);
        }
    });
    let ((), changing) = time(|| (0..CHANGES).for_each(|at| blocks.next(victims(at), newcomers(at))));
    Times { loading, changing }
}

impl Blocks {
    fn next(&mut self, out: impl Iterator<Item = u32>, into: Range<u32>) {
        let time = self.height.get();
        let header = BlockHeader { previous: self.tip, time, ..Params::of(Network::Devnet).genesis().header };
        let hash = header.hash();
        let record = HeaderRecord { header, height: self.height, invalid: false, transactions: 0 };
        let block = Block { header, transactions: Vec::new() };
        self.store.put_block(&record, Arc::new(block)).expect("the store can be written");
        let mut wanted: Vec<OutPoint> = out.map(outpoint).collect();
        wanted.sort_unstable();
        let found = self.store.coins(&wanted).expect("the store can be read");
        let spent = wanted.into_iter().zip(found).map(|(at, coin)| (at, coin.expect("the coin is there"))).collect();
        let txids = vec![outpoint(into.start).txid];
        let created = into.map(|at| (outpoint(at), self.coin(at))).collect();
        let delta = BlockDelta { hash, previous: self.tip, height: self.height, spent, created, txids };
        self.store.connect(delta).expect("the store can be written");
        (self.tip, self.height) = (hash, self.height.next());
    }

    /// A key's coin; ten coins have the same key.
    fn coin(&self, at: u32) -> Coin {
        let digest = sha256(&(at / 10).to_le_bytes());
        let hash = digest.first_chunk().copied().unwrap_or_default();
        let output = TxOut::plain(Sats::from_wire(u64::from(at) + 1_000), p2pkh(&hash));
        Coin { output, height: self.height, coinbase: false }
    }
}
