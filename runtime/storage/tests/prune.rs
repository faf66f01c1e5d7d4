//! Old blocks that are dropped: what stays is whole, what is gone is told, and no death in between matters.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use chain::{BlockError, Chain, Mempool, Params, Store, StoreError, build_template, coinbase, solve};
use spec::{Block, BlockHash, BlockHeader, Height, Network, Sats, Transaction};
use storage::{DiskOptions, DiskStore, Durability};

const KEPT: u32 = 10;

fn params() -> Params {
    let mut params = Params::of(Network::Devnet);
    params.kept_blocks = KEPT;
    params
}

fn options() -> DiskOptions {
    DiskOptions { file_bytes_max: 1_000, durability: Durability::Process, ..DiskOptions::new("test", *b"TEST") }
}

fn open(folder: &Path) -> Chain<DiskStore> {
    Chain::open(params(), DiskStore::open(folder, &options()).unwrap()).unwrap()
}

fn mine(chain: &mut Chain<DiskStore>, count: u32) {
    for _ in 0..count {
        let now = chain.tip().entry.header.time + 600;
        let mut block = build_template(chain, &Mempool::new(chain.params()), &[0x51], b"a chain", now).block;
        block.header = solve(block.header, 0..=u32::MAX).unwrap();
        chain.accept_block(block, now).unwrap();
    }
}

/// A block on top of any, with nothing in it.
fn on(chain: &Chain<DiskStore>, parent: &BlockHash) -> Block {
    let entry = chain.header(parent).unwrap();
    let tx = coinbase(chain.params(), entry.height.next(), Sats::ZERO, &[0x51], b"a branch");
    let (time, bits) = (entry.header.time + 1, chain.target_after(parent).unwrap());
    let header = BlockHeader { version: 4, previous: *parent, merkle_root: [0; 32], time, bits, nonce: 0 };
    let mut block = Block { header, transactions: vec![tx] };
    block.header.merkle_root = block.merkle_root();
    block.header = solve(block.header, 0..=u32::MAX).unwrap();
    block
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder.join("blocks")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn coins(chain: &Chain<DiskStore>) -> usize {
    let mut count = 0;
    chain.store().visit_coins(&mut |_, _| count += 1).unwrap();
    count
}

/// Everything that must hold of a chain of which something was dropped.
fn check(chain: &Chain<DiskStore>) {
    let (lowest, tip) = (chain.lowest_kept(), chain.tip().entry.height);
    assert!(lowest > Height::GENESIS && tip.since(lowest) >= KEPT - 1);
    for height in (0..=tip.get()).map(Height::new) {
        let hash = chain.hash_at(height).unwrap();
        assert_eq!(chain.header(&hash).unwrap().transactions, 1);
        let (block, delta) = (chain.block(&hash), chain.store().delta(&hash));
        if height < lowest {
            assert_eq!((block, delta), (Err(StoreError::Pruned), Err(StoreError::Pruned)), "{height}");
            continue;
        }
        let txid = block.unwrap().unwrap().transactions.first().map(Transaction::txid).unwrap();
        assert_eq!(delta.unwrap().unwrap().txids, [txid]);
        assert_eq!(chain.locate(&txid).unwrap().unwrap().height, height);
    }
    assert_eq!(coins(chain), tip.get() as usize);
    let kept = tip.since(lowest);
    assert_eq!(chain.verify(4, kept), Ok(()));
    assert_eq!(chain.verify(0, 0), Err(StoreError::Pruned.into()));
}

#[test]
fn old_blocks_go_by_height_and_by_size() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = open(folder.path());
    mine(&mut chain, 60);
    let (before, bytes) = (files(folder.path()).len(), chain.store().block_bytes());
    let on_disk = |folder: &Path| files(folder).iter().map(|path| fs::metadata(path).unwrap().len()).sum::<u64>();
    assert_eq!(bytes, on_disk(folder.path()));
    chain.prune(Height::new(30), u64::MAX).unwrap();
    assert_eq!((chain.lowest_kept(), files(folder.path()).len()), (Height::GENESIS, before));

    chain.prune(Height::new(30), 0).unwrap();
    check(&chain);
    assert!((25..=31).contains(&chain.lowest_kept().get()) && files(folder.path()).len() < before);
    let target = chain.store().block_bytes() - 1_500;
    chain.prune(Height::new(u32::MAX), target).unwrap();
    check(&chain);
    assert!(chain.store().block_bytes() <= target && chain.store().block_bytes() > target - 1_000);
    assert_eq!(chain.store().block_bytes(), on_disk(folder.path()));
    // The last ones stay, whatever was asked for.
    chain.prune(Height::new(u32::MAX), 0).unwrap();
    check(&chain);
    drop(chain);
    let mut chain = open(folder.path());
    check(&chain);
    mine(&mut chain, 40);
    chain.prune(Height::new(u32::MAX), 0).unwrap();
    check(&chain);
    drop(chain);
    assert_eq!(DiskStore::forget_tables(folder.path(), &options()), Err(StoreError::Pruned));
    check(&open(folder.path()));
}

#[test]
fn a_branch_from_below_what_is_kept_is_refused_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = open(folder.path());
    mine(&mut chain, 60);
    // A branch that is there before its fork is dropped.
    let mut early = chain.hash_at(Height::new(20)).unwrap();
    for _ in 0..3 {
        let block = on(&chain, &early);
        early = block.header.hash();
        chain.accept_block(block, u32::MAX).unwrap();
    }
    chain.prune(Height::new(40), 0).unwrap();
    let (tip, lowest) = (chain.tip(), chain.lowest_kept());
    let deep = on(&chain, &chain.hash_at(Height::new(lowest.get() - 2)).unwrap());
    assert_eq!(chain.accept_header(&deep.header, u32::MAX), Err(BlockError::TooDeep));
    assert_eq!(chain.accept_block(deep, u32::MAX), Err(BlockError::TooDeep));
    let block = on(&chain, &early);
    assert_eq!(chain.accept_block(block, u32::MAX), Err(BlockError::TooDeep));
    let pruned = chain.hash_at(Height::new(lowest.get() - 1)).unwrap();
    assert_eq!(chain.invalidate(&pruned), Err(StoreError::Pruned.into()));
    assert_eq!(chain.tip(), tip);
    assert_eq!(chain.resume(), Ok(chain::Accepted::default()));
    check(&chain);

    // The highest fork that can be: all that is kept is taken back, then comes again.
    let mut branch = pruned;
    let last = chain.hash_at(lowest).unwrap();
    assert_eq!(chain.invalidate(&last).unwrap().disconnected.len() as u32, tip.entry.height.since(lowest) + 1);
    assert_eq!(chain.tip().hash, pruned, "the branch from below is no refuge");
    for _ in 0..3 {
        let block = on(&chain, &branch);
        branch = block.header.hash();
        chain.accept_block(block, u32::MAX).unwrap();
    }
    assert_eq!(chain.tip().hash, branch);
    chain.reconsider(&last).unwrap();
    assert_eq!(chain.tip(), tip);
    check(&chain);
}

#[test]
fn files_that_a_death_left_over_go_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = open(folder.path());
    mine(&mut chain, 60);
    let before: Vec<_> = files(folder.path()).into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect();
    chain.prune(Height::new(u32::MAX), 0).unwrap();
    let after = files(folder.path());
    drop(chain);
    let gone: Vec<_> = before.iter().filter(|(_, path)| !after.contains(path)).collect();
    assert!(gone.len() > 3);
    for left in 0..gone.len() {
        gone.iter().skip(left).for_each(|(bytes, path)| fs::write(path, bytes).unwrap());
        check(&open(folder.path()));
        assert_eq!(files(folder.path()), after);
    }
}
