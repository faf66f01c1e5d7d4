//! Processes that are killed while much is written, and what the next one finds.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_types, reason = "processes are started here to be killed")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use chain::{BlockDelta, Coin, HeaderRecord, Store};
use spec::{Block, BlockHeader, CompactTarget, Height, OutPoint, Sats, Transaction, TxIn, TxOut};
use storage::{DiskOptions, DiskStore};

/// Tells a process of this test where it writes.
const FOLDER: &str = "BMC_DEATH_FOLDER";
/// Coins that a block makes.
const MADE: u32 = 3_000;
/// Coins of the block below that it spends.
const SPENT: u32 = 2_000;

/// So little memory that a few blocks are much.
fn options() -> DiskOptions {
    DiskOptions { coin_cache_bytes: 4 << 20, ..DiskOptions::new("test", *b"TEST") }
}

fn coinbase(height: u32) -> Transaction {
    let input = TxIn { prevout: OutPoint::COINBASE, unlock: height.to_le_bytes().to_vec(), sequence: 0 };
    let output = |index: u32| TxOut::plain(Sats::ONE, [height.to_le_bytes(), index.to_le_bytes()].concat());
    Transaction { version: 2, inputs: vec![input], outputs: (0..MADE).map(output).collect(), locktime: 0 }
}

/// The coins that a block makes; the first block makes none.
fn coins(height: u32) -> impl Iterator<Item = (OutPoint, Coin)> {
    let (tx, made) = (coinbase(height), Height::new(height));
    let txid = tx.txid();
    let coin = move |(index, output)| (OutPoint { txid, index }, Coin { output, height: made, coinbase: true });
    (0..).zip(tx.outputs).filter(move |_| height > 0).map(coin)
}

/// Puts the block at a height on top, which spends the first coins of the one below.
fn grow(store: &mut DiskStore, height: u32) {
    let previous = store.tip().unwrap().unwrap_or_default();
    let spent: Vec<_> = height.checked_sub(1).into_iter().flat_map(coins).take(SPENT as usize).collect();
    let input = |(prevout, _): &(OutPoint, Coin)| TxIn { prevout: *prevout, unlock: vec![], sequence: 0 };
    let spend = Transaction { version: 2, inputs: spent.iter().map(input).collect(), outputs: vec![], locktime: 0 };
    let bits = CompactTarget::EASIEST;
    let header = BlockHeader { version: 1, previous, merkle_root: [0; 32], time: height, bits, nonce: 0 };
    let mut block = Block { header, transactions: vec![coinbase(height), spend] };
    block.header.merkle_root = block.merkle_root();
    let (header, hash, at) = (block.header, block.header.hash(), Height::new(height));
    let txids = block.transactions.iter().map(Transaction::txid).collect();
    let record = HeaderRecord { header, height: at, invalid: false, transactions: 2 };
    // One that was kept before the process died is there.
    if store.block(&hash).unwrap().is_none() {
        store.put_block(&record, Arc::new(block)).unwrap();
    }
    store.connect(BlockDelta { hash, previous, height: at, spent, created: coins(height).collect(), txids }).unwrap();
}

/// The height of the next block.
fn next_height(store: &DiskStore) -> u32 {
    let tip = store.tip().unwrap().unwrap_or_default();
    let record = store.headers().unwrap().into_iter().find(|record| record.header.hash() == tip);
    record.map_or(0, |record| record.height.get() + 1)
}

/// What a process does that will be killed; nothing when the test runs by itself.
#[test]
fn writes_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let mut store = DiskStore::open(Path::new(&folder), &options()).unwrap();
    loop {
        let height = next_height(&store);
        grow(&mut store, height);
        if height % 7 == 6 {
            store.disconnect().unwrap();
            grow(&mut store, height);
        }
        let mut out = std::io::stdout().lock();
        // Whoever listened is gone when this process is about to be killed.
        let _ = writeln!(out, "\nconnected {height}").and_then(|()| out.flush());
    }
}

/// All coins are those that the blocks up to the tip leave, and all are found by their locks.
fn check(folder: &Path, answered: u32) {
    let store = DiskStore::open(folder, &options()).unwrap();
    let next = next_height(&store);
    assert!(next > answered, "{next} after {answered}");
    let left = |height: u32| coins(height).skip(if height + 1 == next { 0 } else { SPENT as usize });
    let mut expected: Vec<(OutPoint, Coin)> = (0..next).flat_map(left).collect();
    expected.sort_unstable_by_key(|(outpoint, _)| *outpoint);
    let mut found = Vec::new();
    store.visit_coins(&mut |outpoint, coin| found.push((*outpoint, coin.clone()))).unwrap();
    assert!(found == expected, "{} coins instead of {}", found.len(), expected.len());
    for (outpoint, coin) in expected.iter().step_by(97) {
        assert_eq!(store.coins_by_lock(&coin.output.lock).unwrap(), [(*outpoint, coin.clone())]);
    }
    for (outpoint, coin) in (0..next - 1).flat_map(|height| coins(height).take(SPENT as usize)).step_by(997) {
        assert_eq!(store.coins_by_lock(&coin.output.lock).unwrap(), []);
        assert!(store.locate(&outpoint.txid).unwrap().is_some());
    }
}

#[test]
fn much_that_was_answered_survives_any_death() {
    let folder = tempfile::tempdir().unwrap();
    let mut answered = 0;
    for round in 0..6 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writes_until_it_is_killed", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let heights = lines.filter_map(|line| line.strip_prefix("connected ").and_then(|height| height.parse().ok()));
        answered = heights.take(5 + round).last().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(3 * round as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        check(folder.path(), answered);
    }
    assert!(answered > 30);
}
