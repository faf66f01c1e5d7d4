//! Data that is dropped from old blocks: all else of them stays and is proved, and no death in between matters.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use chain::{Chain, Dropped, Mempool, Params, Store, StoreError, build_template, solve};
use spec::hash::sha256;
use spec::{Height, Network, OutPoint, Transaction};
use storage::{DiskOptions, DiskStore, Durability};
use support::copy;

const KEPT: u32 = 10;
const BLOCKS: u32 = 60;

fn params() -> Params {
    let mut params = Params::of(Network::Devnet);
    params.kept_blocks = KEPT;
    params
}

fn options() -> DiskOptions {
    DiskOptions { file_bytes_max: 4_000, durability: Durability::Process, ..DiskOptions::new("test", *b"TEST") }
}

fn open(folder: &Path) -> Chain<DiskStore> {
    Chain::open(params(), DiskStore::open(folder, &options()).unwrap()).unwrap()
}

/// The data of a block that has some.
fn data(height: u32) -> Option<Vec<u8>> {
    // Some files have none.
    let has = height % 4 == 1 && !(12..34).contains(&height);
    has.then(|| [&[0x6a, 0x4d, 0x20, 0x03][..], &[height as u8; 800]].concat())
}

/// A record that is short enough to stay.
fn record(height: u32) -> Vec<u8> {
    [&[0x6a, 0x4c, 0xc8][..], &[height as u8; 200]].concat()
}

fn mine(chain: &mut Chain<DiskStore>, count: u32) {
    for _ in 0..count {
        let (now, height) = (chain.tip().entry.header.time + 600, chain.tip().entry.height.get() + 1);
        let lock = data(height).unwrap_or_else(|| if height % 2 == 0 { record(height) } else { vec![0x51] });
        let mut block = build_template(chain, &Mempool::new(chain.params()), &lock, b"a chain", now).block;
        block.header = solve(block.header, 0..=u32::MAX).unwrap();
        chain.accept_block(block, now).unwrap();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder.join("blocks")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn cut_files(folder: &Path) -> Vec<PathBuf> {
    let is_cut = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("cut");
    files(folder).into_iter().filter(is_cut).collect()
}

fn on_disk(folder: &Path) -> u64 {
    files(folder).iter().map(|path| fs::metadata(path).unwrap().len()).sum()
}

fn prune_all(chain: &mut Chain<DiskStore>) {
    while chain.prune_data(Height::new(u32::MAX), 0, 256).unwrap() {}
}

/// Holds a chain against what was mined; gives how many blocks lost data.
fn check(chain: &Chain<DiskStore>) -> usize {
    let (lowest, tip) = (chain.lowest_kept(), chain.tip().entry.height);
    let mut cut = 0;
    for height in (1..=tip.get()).map(Height::new) {
        let hash = chain.hash_at(height).unwrap();
        let Some(remains) = chain.remains(&hash).unwrap() else {
            // Blocks beside those that lost data are served as before.
            let block = chain.block(&hash).unwrap().unwrap();
            let txid = block.transactions.first().map(Transaction::txid).unwrap();
            assert_eq!(chain.store().delta(&hash).unwrap().unwrap().txids, [txid]);
            assert_eq!(chain.transaction(&txid).unwrap().unwrap().0, block.transactions[0]);
            continue;
        };
        cut += 1;
        let lost = data(height.get()).unwrap();
        assert!(height < lowest && tip.since(height) >= KEPT && remains.is_proven());
        let [tx] = remains.transactions.as_slice() else { panic!("one transaction") };
        assert_eq!(tx.dropped[&0], Dropped { len: lost.len() as u32, sha256: sha256(&lost) });
        // With the data the transaction proves its id again.
        let mut whole = tx.tx.clone();
        whole.outputs[0].lock = lost;
        assert_eq!((whole.txid(), whole.len_bytes()), (tx.txid, tx.tx_bytes()));
        assert_eq!(chain.block(&hash), Err(StoreError::Pruned));
        assert_eq!(chain.store().delta(&hash), Err(StoreError::Pruned));
        assert_eq!(chain.locate(&tx.txid).unwrap().unwrap().height, height);
        assert_eq!(chain.transaction(&tx.txid), Err(StoreError::DataPruned(tx.txid)));
        assert_eq!(chain.mined_output(&OutPoint { txid: tx.txid, index: 0 }), Ok(None));
        assert!(
            tx.tx.outputs.len() == 1 || chain.mined_output(&OutPoint { txid: tx.txid, index: 1 }).unwrap().is_some()
        );
    }
    for level in 0..=4 {
        assert_eq!(chain.verify(level, 0), Ok(()));
    }
    let mut coins = 0;
    chain.store().visit_coins(&mut |_, _| coins += 1).unwrap();
    assert_eq!(coins, (1..=tip.get()).filter(|height| data(*height).is_none() && height % 2 == 1).count());
    cut
}

#[test]
fn data_goes_and_everything_else_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = open(folder.path());
    mine(&mut chain, BLOCKS);
    let before = chain.store().block_bytes();
    assert!(!chain.prune_data(Height::GENESIS, 0, 256).unwrap());
    assert_eq!((check(&chain), chain.lowest_kept()), (0, Height::GENESIS));
    // So deep that nothing goes.
    assert!(!chain.prune_data(Height::new(u32::MAX), BLOCKS, 256).unwrap());
    assert_eq!(check(&chain), 0);
    prune_all(&mut chain);
    let cut = check(&chain);
    let deep = (1..=BLOCKS - KEPT).filter(|height| data(*height).is_some()).count();
    // Of the deepest blocks a few lie in a file with younger ones.
    assert!(cut >= deep - 2 && cut <= deep, "{cut} of {deep}");
    let saved = before - chain.store().block_bytes();
    assert!(saved > cut as u64 * 700, "{saved} bytes of {before}");
    assert_eq!(chain.store().block_bytes(), on_disk(folder.path()));
    // Files without data are left as they are.
    let name = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap()[3..].to_owned();
    let (first_plain, last_cut) = (files(folder.path()).remove(0), cut_files(folder.path()).pop().unwrap());
    assert!(name(&first_plain) < name(&last_cut), "{first_plain:?}, {last_cut:?}");
    drop(chain);
    let mut chain = open(folder.path());
    assert_eq!(check(&chain), cut);
    mine(&mut chain, 40);
    prune_all(&mut chain);
    assert!(check(&chain) > cut);
    drop(chain);
    assert_eq!(DiskStore::forget_tables(folder.path(), &options()), Err(StoreError::Pruned));
    // Whole blocks go after their data.
    let mut chain = open(folder.path());
    assert!(check(&chain) > cut);
    chain.prune(Height::new(40), 0).unwrap();
    let hash = |height| chain.hash_at(Height::new(height)).unwrap();
    assert_eq!(chain.remains(&hash(1)), Err(StoreError::Pruned));
    assert_eq!(chain.store().block_bytes(), on_disk(folder.path()));
    assert_eq!(chain.verify(0, 0), Err(StoreError::Pruned.into()));
    drop(chain);
    assert_eq!(open(folder.path()).store().block_bytes(), on_disk(folder.path()));
}

#[test]
fn what_a_death_left_over_goes_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    mine(&mut open(folder.path()), BLOCKS);
    let (mut more, mut seen) = (true, 0);
    while more {
        let before = tempfile::tempdir().unwrap();
        copy(folder.path(), before.path());
        let mut chain = open(folder.path());
        more = chain.prune_data(Height::new(u32::MAX), 0, 256).unwrap();
        let cut = check(&chain);
        drop(chain);
        let new: Vec<_> =
            cut_files(folder.path()).into_iter().filter(|path| !at(before.path(), path).exists()).collect();
        let [new] = new.as_slice() else { continue };
        seen += 1;
        // Death came before the batch: the new file is whole, or torn.
        let bytes = fs::read(new).unwrap();
        for len in [0, bytes.len() / 2, bytes.len()] {
            let died = tempfile::tempdir().unwrap();
            copy(before.path(), died.path());
            fs::write(at(died.path(), new), &bytes[..len]).unwrap();
            assert!(check(&open(died.path())) < cut);
            assert_eq!(files(died.path()).len(), files(before.path()).len());
            let mut chain = open(died.path());
            chain.prune_data(Height::new(u32::MAX), 0, 256).unwrap();
            assert_eq!(check(&chain), cut);
            drop(chain);
            // Tables that were lost meanwhile are made again, if all is there.
            let whole = cut_files(before.path()).is_empty();
            fs::write(at(before.path(), new), &bytes[..len]).unwrap();
            assert_eq!(DiskStore::forget_tables(before.path(), &options()).is_ok(), whole);
            fs::remove_file(at(before.path(), new)).unwrap();
            if whole {
                break;
            }
        }
        // Death came after it: the old file is still there.
        let name = new.file_name().unwrap().to_str().unwrap().replace("cut", "blk");
        let old = new.with_file_name(name);
        fs::copy(at(before.path(), &old), &old).unwrap();
        assert_eq!(check(&open(folder.path())), cut);
        assert!(!old.exists() && new.exists());
    }
    assert!(seen > 3, "{seen} files were written anew");
}

/// The file of this name in another folder.
fn at(folder: &Path, path: &Path) -> PathBuf {
    folder.join("blocks").join(path.file_name().unwrap())
}

#[test]
fn a_flipped_bit_in_what_is_left_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = open(folder.path());
    mine(&mut chain, BLOCKS);
    prune_all(&mut chain);
    drop(chain);
    let first = cut_files(folder.path()).swap_remove(0);
    let bytes = fs::read(&first).unwrap();
    let chain = open(folder.path());
    // The first block is what everybody knows, and never checked again.
    let first_block = 8 + u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    for at in (first_block..bytes.len()).step_by(7) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(&first, &damaged).unwrap();
        assert!(chain.verify(0, 0).is_err(), "byte {at}");
    }
    fs::write(&first, &bytes[..bytes.len() - 1]).unwrap();
    assert!(chain.verify(0, 0).is_err());
    fs::write(&first, &bytes).unwrap();
    check(&chain);
    fs::remove_file(&first).unwrap();
    assert!(matches!(chain.verify(0, 0), Err(error) if error != StoreError::Pruned.into()));
}
