//! Block files that anybody may have written: opened, read again and gone on with. Whatever comes of it is an error or a good chain.
//!
//! `BMC_CASES` says how many cases there are, `BMC_SECONDS` for how long there are more, `BMC_SEED` chooses others.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_types, reason = "the time may be bounded")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chain::{BlockError, Chain, Mempool, Params, Store, StoreError, Vetting, build_template, solve};
use spec::{BlockHash, Height, Network};
use storage::{DiskOptions, DiskStore, Durability, Reading};

fn options() -> DiskOptions {
    DiskOptions { file_bytes_max: 900, durability: Durability::Process, ..DiskOptions::new("test", *b"TEST") }
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

fn mine(chain: &mut Chain<DiskStore>) -> BlockHash {
    let now = chain.tip().entry.header.time + 600;
    let mut block = build_template(chain, &Mempool::new(chain.params()), &[0x51], b"hostile", now).block;
    block.header = solve(block.header, 0..=u32::MAX).unwrap();
    chain.accept_block(block.clone(), now).unwrap();
    block.header.hash()
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// One change of one file.
fn change(dice: &mut Dice, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = dice.below(bytes.len());
    let piece = |dice: &mut Dice, bytes: &[u8]| {
        let from = dice.below(bytes.len());
        bytes[from..(from + dice.below(600)).min(bytes.len())].to_vec()
    };
    match dice.below(9) {
        0 if !bytes.is_empty() => bytes[at] ^= 1 << dice.below(8),
        1 => bytes.truncate(at),
        2 => bytes.extend((0..dice.below(300)).map(|_| dice.below(256) as u8)),
        3 => {
            let piece = piece(dice, bytes);
            bytes.extend(piece);
        }
        4 => {
            let piece = piece(dice, other);
            bytes.splice(at..at, piece);
        }
        5 => drop(bytes.drain(at..(at + dice.below(400)).min(bytes.len()))),
        // Heads that promise all kinds of lengths.
        6 => {
            let len = [0, 1, 80, 200, 31_999_999, 32_000_001, u32::MAX][dice.below(7)];
            let head = [&b"TEST"[..], &len.to_le_bytes()].concat();
            bytes.splice(at..at, head.repeat(1 + dice.below(50)));
        }
        7 => *bytes = [other, bytes].concat(),
        _ => {
            let end = (at + dice.below(64)).min(bytes.len());
            bytes[at..end].fill(dice.below(256) as u8);
        }
    }
}

/// What the folders of the cases are made of.
struct Origin {
    folder: tempfile::TempDir,
    files: Vec<(PathBuf, Vec<u8>)>,
    hashes: Vec<BlockHash>,
}

impl Origin {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut chain =
            Chain::open(Params::of(Network::Devnet), DiskStore::open(folder.path(), &options()).unwrap()).unwrap();
        let hashes = (0..12).map(|_| mine(&mut chain)).collect();
        drop(chain);
        let files = files(&folder.path().join("blocks"));
        assert!(files.len() > 2);
        Self { folder, files, hashes }
    }

    /// Writes the block files, some of them changed, or gone, or some more.
    fn write(&self, dice: &mut Dice, blocks: &Path) {
        let _ = fs::remove_dir_all(blocks);
        fs::create_dir_all(blocks).unwrap();
        let mut changed: Vec<_> = self.files.iter().map(|(_, bytes)| bytes.clone()).collect();
        for _ in 0..1 + dice.below(4) {
            let (which, other) = (dice.below(changed.len()), dice.below(self.files.len()));
            match dice.below(12) {
                0 => drop(changed.remove(which)),
                1 => changed.push(self.files[other].1.clone()),
                2 => changed.swap(which, 0),
                _ => change(dice, &mut changed[which], &self.files[other].1),
            }
            if changed.is_empty() {
                changed.push(vec![]);
            }
        }
        for (number, bytes) in changed.iter().enumerate() {
            fs::write(blocks.join(format!("blk{number:05}.dat")), bytes).unwrap();
        }
    }
}

/// Opens what is there, and all that is behind the end.
fn open(folder: &Path) -> Result<(Chain<DiskStore>, Reading), BlockError> {
    let params = Params::of(Network::Devnet);
    let mut store = DiskStore::open(folder, &options())?;
    let mut vetting = Vetting::new(params.clone(), &store.headers()?)?;
    let read = store.take_in(&mut |block| vetting.judge(block), &mut |_| ())?;
    let mut chain = Chain::open(params, store)?;
    chain.resume()?;
    Ok((chain, read))
}

/// A chain that was built from nothing but the files is good from end to end, and grows.
fn check_built(chain: &mut Chain<DiskStore>, origin: &Origin) {
    assert_eq!(chain.verify(4, 0), Ok(()));
    let known: BTreeSet<_> = origin.hashes.iter().collect();
    let ours = (1..=chain.tip().entry.height.get()).map(|height| chain.hash_at(Height::new(height)).unwrap());
    // A changed header may still meet its target, but nothing of before stands on top of it.
    let strange = ours.collect::<Vec<_>>().iter().skip_while(|hash| known.contains(hash)).count();
    assert!(strange <= 1, "{strange}");
    mine(chain);
}

/// Whatever happens, each block that is there is the one that its hash means, or damage is told.
fn check_kept(chain: &Chain<DiskStore>) {
    for height in 0..=chain.tip().entry.height.get() {
        let hash = chain.hash_at(Height::new(height)).unwrap();
        match chain.block(&hash) {
            Ok(block) => assert_eq!(block.unwrap().header.hash(), hash),
            Err(error) => assert!(matches!(error, StoreError::Damaged(_)), "{error:?}"),
        }
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[test]
fn hostile_block_files_give_an_error_or_a_good_chain() {
    let (origin, start) = (Origin::new(), Instant::now());
    let (seconds, cases) = (setting("BMC_SECONDS"), setting("BMC_CASES").unwrap_or(40));
    let folder = tempfile::tempdir().unwrap();
    let (tables, blocks) = (folder.path().join("chainstate"), folder.path().join("blocks"));
    let (mut opened, mut refused, mut grown) = (0, 0, 0);
    for case in 0.. {
        let done = seconds.map_or(case >= cases, |seconds| start.elapsed() > Duration::from_secs(seconds));
        if done {
            break;
        }
        let seed = setting("BMC_SEED").unwrap_or(1).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(case << 1 | 1);
        let mut dice = Dice(seed);
        for _ in 0..8 {
            dice.below(1);
        }
        origin.write(&mut dice, &blocks);
        let _ = fs::remove_dir_all(&tables);
        let rebuilt = case % 4 != 0;
        if rebuilt {
            match DiskStore::forget_tables(folder.path(), &options()) {
                Ok(()) => {}
                Err(error) => assert_eq!(error, StoreError::Pruned, "case {case}"),
            }
        } else {
            support::copy(&origin.folder.path().join("chainstate"), &tables);
        }
        match open(folder.path()) {
            Ok((mut chain, _)) if rebuilt => {
                grown += u64::from(chain.tip().entry.height > Height::GENESIS);
                check_built(&mut chain, &origin);
                opened += 1;
            }
            Ok((chain, _)) => {
                check_kept(&chain);
                opened += 1;
            }
            Err(BlockError::Store(StoreError::Damaged(_))) => refused += 1,
            Err(error) => panic!("case {case}: {error:?}"),
        }
    }
    println!("{opened} opened, {grown} of them rebuilt with blocks, {refused} refused");
    assert!(opened > refused && grown > 0 && refused > 0);
}
