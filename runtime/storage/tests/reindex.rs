//! Tables that are built again, and a chain that checks itself.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use chain::{Chain, Coin, MemoryStore, Mempool, Params, Store, StoreError, build_template, solve};
use spec::{BlockHash, Network, OutPoint};
use storage::{DiskOptions, DiskStore, Durability, Progress};

fn options() -> DiskOptions {
    DiskOptions { file_bytes_max: 1_000, durability: Durability::Process, ..DiskOptions::new("test", *b"TEST") }
}

fn open(folder: &Path) -> Result<Chain<DiskStore>, StoreError> {
    Chain::open(Params::of(Network::Devnet), DiskStore::open(folder, &options())?)
}

fn mine<S: Store>(chain: &mut Chain<S>, tag: u8) -> BlockHash {
    let now = chain.tip().entry.header.time + 600;
    let mut block = build_template(chain, &Mempool::new(chain.params()), &[0x51], &[tag], now).block;
    block.header = solve(block.header, 0..=u32::MAX).unwrap();
    let hash = block.header.hash();
    chain.accept_block(block, now).unwrap();
    hash
}

/// Twenty blocks, and a branch of three beside the last two.
fn grow<S: Store>(chain: &mut Chain<S>) {
    let hashes: Vec<_> = (0..20).map(|tag| mine(chain, tag)).collect();
    chain.invalidate(&hashes[18]).unwrap();
    for tag in 100..103 {
        mine(chain, tag);
    }
    chain.reconsider(&hashes[18]).unwrap();
}

fn coins(store: &dyn Store) -> Vec<(OutPoint, Coin)> {
    let mut all = vec![];
    store.visit_coins(&mut |outpoint, coin| all.push((*outpoint, coin.clone()))).unwrap();
    all
}

fn reindex(folder: &Path) -> Progress {
    let mut last = Progress::default();
    DiskStore::reindex(folder, &options(), &mut |progress| last = progress).unwrap();
    last
}

#[test]
fn tables_come_back_from_the_block_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut model = Chain::open(Params::of(Network::Devnet), MemoryStore::new()).unwrap();
    grow(&mut model);
    let mut chain = open(folder.path()).unwrap();
    grow(&mut chain);
    drop(chain);
    fs::remove_dir_all(folder.path().join("chainstate")).unwrap();
    assert!(matches!(open(folder.path()), Err(StoreError::Damaged(_))), "blocks are not cut off for want of tables");

    let progress = reindex(folder.path());
    assert!(progress.files > 3 && progress.blocks == 24 && progress.orphans == 0, "{progress:?}");
    let mut chain = open(folder.path()).unwrap();
    chain.resume().unwrap();
    assert_eq!(chain.tip(), model.tip());
    assert_eq!(chain.store().headers(), model.store().headers());
    assert_eq!(coins(chain.store()), coins(model.store()));
    (0..5).for_each(|level| chain.verify(level, 0).unwrap());
    drop(chain);

    // A damaged block is left out, and with it all that build on it.
    let path = folder.path().join("blocks/blk00001.dat");
    let mut bytes = fs::read(&path).unwrap();
    bytes[60] ^= 1;
    fs::write(&path, bytes).unwrap();
    let mut chain = open(folder.path()).unwrap();
    assert!(chain.verify(0, 0).is_err());
    assert!(chain.verify(0, 1).is_ok());
    drop(chain);
    let progress = reindex(folder.path());
    assert!(progress.orphans > 10, "{progress:?}");
    chain = open(folder.path()).unwrap();
    chain.resume().unwrap();
    assert_eq!(progress.blocks, chain.tip().entry.height.get() + 1);
    assert!(chain.verify(4, 0).is_ok());
    mine(&mut chain, 200);
}
