//! Tables that are built again, and a chain that checks itself.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::Path;

use chain::{Chain, Coin, MemoryStore, Mempool, Params, Store, StoreError, Vetting, build_template, solve};
use spec::{BlockHash, Network, OutPoint};
use storage::{DiskOptions, DiskStore, Durability, Reading};

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

/// Opens a store and takes in what its tables do not know.
fn take_in(folder: &Path) -> (Chain<DiskStore>, Reading) {
    let mut store = DiskStore::open(folder, &options()).unwrap();
    let mut vetting = Vetting::new(Params::of(Network::Devnet), &store.headers().unwrap()).unwrap();
    let mut told = Reading::default();
    let read = store.take_in(&mut |block| vetting.judge(block), &mut |reading| told = reading).unwrap();
    assert!(read.bytes == read.bytes_all && told == read && !store.has_more());
    let mut chain = Chain::open(Params::of(Network::Devnet), store).unwrap();
    let mut height = chain.tip().entry.height;
    chain
        .resume_and_tell(&mut |reached, best| {
            assert!(height.next() == reached && reached <= best);
            height = reached;
        })
        .unwrap();
    (chain, read)
}

fn reindex(folder: &Path) -> (Chain<DiskStore>, Reading) {
    DiskStore::forget_tables(folder, &options()).unwrap();
    take_in(folder)
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

    let (chain, read) = reindex(folder.path());
    assert!(read.bytes > 3_000 && read.blocks == 24 && read.left_out == 0, "{read:?}");
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
    let chain = open(folder.path()).unwrap();
    assert!(chain.verify(0, 0).is_err());
    assert!(chain.verify(0, 1).is_ok());
    drop(chain);
    let before = all_bytes(folder.path());
    let (mut chain, read) = reindex(folder.path());
    assert!(read.left_out > 10, "{read:?}");
    assert_eq!(read.blocks, chain.tip().entry.height.get() + 1);
    assert_eq!(all_bytes(folder.path()), before, "what has lost its parent stays in the files");
    assert!(chain.verify(4, 0).is_ok());
    mine(&mut chain, 200);
}

/// The block files one after the other.
fn all_bytes(folder: &Path) -> Vec<u8> {
    let mut paths: Vec<_> = fs::read_dir(folder.join("blocks")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().flat_map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn whole_blocks_that_the_tables_lost_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let (tables, old) = (folder.path().join("chainstate"), folder.path().join("old"));
    let mut chain = open(folder.path()).unwrap();
    let _: Vec<_> = (0..10).map(|tag| mine(&mut chain, tag)).collect();
    drop(chain);
    support::copy(&tables, &old);
    let mut chain = open(folder.path()).unwrap();
    let hashes: Vec<_> = (10..20).map(|tag| mine(&mut chain, tag)).collect();
    let all = all_bytes(folder.path());
    drop(chain);
    let lose = || {
        fs::remove_dir_all(&tables).unwrap();
        support::copy(&old, &tables);
    };
    lose();
    let (chain, read) = take_in(folder.path());
    assert_eq!((read.blocks, read.left_out, chain.tip().hash), (10, 0, hashes[9]));
    assert_eq!(all_bytes(folder.path()), all);
    drop(chain);

    // The last is torn: it alone goes.
    lose();
    let last = (0..).map(|number| folder.path().join(format!("blocks/blk{number:05}.dat")));
    let last = last.take_while(|path| path.exists()).last().unwrap();
    let whole = fs::read(&last).unwrap();
    fs::write(&last, &whole[..whole.len() - 1]).unwrap();
    let (mut chain, read) = take_in(folder.path());
    assert_eq!((read.blocks, read.left_out, chain.tip().hash), (9, 0, hashes[8]));
    assert!(all.starts_with(&all_bytes(folder.path())));
    mine(&mut chain, 200);
    assert_eq!(chain.verify(4, 0), Ok(()));
    drop(chain);

    // Nobody asks for them: they go when the next block comes.
    lose();
    let mut chain = open(folder.path()).unwrap();
    assert!(chain.store().has_more());
    mine(&mut chain, 201);
    drop(chain);
    let (chain, read) = take_in(folder.path());
    assert_eq!((read.blocks, chain.tip().entry.height.get()), (0, 11));
}

#[test]
fn records_that_break_a_rule_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = open(folder.path()).unwrap();
    let _: Vec<_> = (0..4).map(|tag| mine(&mut chain, tag)).collect();
    let (tip, good) = (chain.tip(), build_on_tip(&chain));
    drop(chain);
    let mut unsolved = good.clone();
    while unsolved.header.meets_target() {
        unsolved.header.nonce += 1;
    }
    let mut early = good.clone();
    early.header.time = 0;
    early.header = solve(early.header, 0..=u32::MAX).unwrap();
    let mut headless = good.clone();
    headless.transactions.clear();
    let mut greedy = good.clone();
    greedy.transactions[0].outputs[0].value = spec::Sats::from_wire(u64::MAX);
    greedy.header.merkle_root = greedy.merkle_root();
    greedy.header = solve(greedy.header, 0..=u32::MAX).unwrap();
    let record = |bytes: &[u8], len: u32| [&b"TEST"[..], &len.to_le_bytes(), bytes].concat();
    let block = |block: &spec::Block| record(&block.encode(), block.encode().len() as u32);
    let mut tail = vec![];
    for bad in [&unsolved, &early, &greedy] {
        tail.extend(block(bad));
    }
    // None of these is a whole record.
    tail.extend(block(&headless));
    tail.extend(record(&good.encode(), u32::MAX));
    tail.extend(record(&good.encode()[..50], 31_999_999));
    tail.extend(b"TEST".repeat(1_000));
    let whole_until = tail.len();
    tail.extend(block(&good));
    let end = tail.len();
    tail.extend(&block(&good)[..100]);
    let last = folder.path().join("blocks/blk00000.dat");
    let before = fs::read(&last).unwrap();
    fs::write(&last, [&before[..], &tail].concat()).unwrap();
    let (chain, read) = take_in(folder.path());
    assert_eq!((read.blocks, read.left_out), (1, 3), "{read:?}");
    assert_eq!(chain.tip().hash, good.header.hash());
    assert_eq!(chain.tip().entry.height, tip.entry.height.next());
    assert_eq!(fs::read(&last).unwrap().len(), before.len() + end, "{whole_until}");
    drop(chain);
    let (chain, read) = reindex(folder.path());
    assert_eq!((read.blocks, read.left_out, chain.tip().hash), (6, 3, good.header.hash()));
}

fn build_on_tip(chain: &Chain<DiskStore>) -> spec::Block {
    let now = chain.tip().entry.header.time + 600;
    let mut block = build_template(chain, &Mempool::new(chain.params()), &[0x51], b"!", now).block;
    block.header = solve(block.header, 0..=u32::MAX).unwrap();
    block
}
