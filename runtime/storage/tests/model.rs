//! The store on disk against the one in memory: the same random life, every answer compared; then damage.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use chain::{BlockDelta, Coin, HeaderRecord, MemoryStore, Store, StoreError};
use proptest::prelude::*;
use spec::token::Nft;
use spec::{
    Block, BlockHash, BlockHeader, Category, CompactTarget, Height, OutPoint, Sats, Token, Transaction, TxIn, TxOut,
    Txid,
};
use storage::{DiskOptions, DiskStore, Durability};

#[derive(Clone, Debug)]
enum Step {
    /// Keeps a block on top of the active chain and connects it; the numbers choose what it spends and makes.
    Grow(Vec<u8>),
    /// Keeps a block on top of any known one.
    Branch(u8),
    Back,
    Mark(u8, bool),
    Reopen,
    /// Goes on with the folder as it is while the store is open, as after a process was killed.
    Kill,
    Flush,
    /// Opens again after a crash that left parts of a block behind the confirmed end, and a file that should not be there.
    Crash(Vec<u8>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..12);
    let step = prop_oneof![
        8 => bytes().prop_map(Step::Grow),
        2 => any::<u8>().prop_map(Step::Branch),
        4 => Just(Step::Back),
        2 => any::<(u8, bool)>().prop_map(|(which, invalid)| Step::Mark(which, invalid)),
        1 => Just(Step::Reopen),
        1 => Just(Step::Kill),
        1 => Just(Step::Flush),
        1 => bytes().prop_map(Step::Crash),
    ];
    prop::collection::vec(step, 1..40)
}

fn options() -> DiskOptions {
    DiskOptions {
        file_bytes_max: 1_500,
        coin_cache_bytes: 2_000,
        durability: Durability::Process,
        ..DiskOptions::new("test", *b"TEST")
    }
}

/// Both stores and what the test knows of them.
struct Pair {
    memory: MemoryStore,
    disk: Option<DiskStore>,
    folder: tempfile::TempDir,
    records: Vec<HeaderRecord>,
    active: Vec<HeaderRecord>,
    unspent: BTreeMap<OutPoint, Coin>,
    seen: BTreeSet<OutPoint>,
    txids: BTreeSet<Txid>,
    locks: BTreeSet<Vec<u8>>,
    serial: u32,
    /// Block files in use when the last block was written; what a crash leaves behind is not counted.
    files: usize,
    options: DiskOptions,
}

impl Pair {
    fn new() -> Self {
        Self::with(options())
    }

    fn with(options: DiskOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut pair = Self {
            memory: MemoryStore::new(),
            disk: None,
            folder,
            records: vec![],
            active: vec![],
            unspent: BTreeMap::new(),
            seen: BTreeSet::new(),
            txids: BTreeSet::new(),
            locks: BTreeSet::from([vec![], b"never".to_vec()]),
            serial: 0,
            files: 0,
            options,
        };
        pair.reopen();
        pair.grow(&[]);
        pair
    }

    fn reopen(&mut self) {
        drop(self.disk.take());
        self.disk = Some(DiskStore::open(self.folder.path(), &self.options).unwrap());
    }

    fn disk(&mut self) -> &mut DiskStore {
        self.disk.as_mut().unwrap()
    }

    fn run(&mut self, step: &Step) {
        match step {
            Step::Grow(bytes) => self.grow(bytes),
            Step::Branch(which) => {
                let parent = self.records[usize::from(*which) % self.records.len()];
                let coinbase = self.coinbase(3);
                self.put(Some(parent), vec![coinbase]);
            }
            Step::Back if self.active.len() > 1 => {
                let expected = self.memory.disconnect().unwrap();
                assert_eq!(self.disk().disconnect().unwrap(), expected);
                expected.created.iter().for_each(|(outpoint, _)| drop(self.unspent.remove(outpoint)));
                self.unspent.extend(expected.spent);
                self.active.pop();
            }
            Step::Back => {}
            Step::Mark(which, invalid) => {
                let hash = self.records[usize::from(*which) % self.records.len()].header.hash();
                self.memory.mark(&hash, *invalid).unwrap();
                self.disk().mark(&hash, *invalid).unwrap();
            }
            Step::Reopen => self.reopen(),
            Step::Kill => {
                self.disk().settle().unwrap();
                let folder = tempfile::tempdir().unwrap();
                contents(self.folder.path(), 1 << 20)
                    .iter()
                    .for_each(|(path, bytes)| write_below(folder.path(), path, bytes));
                drop(self.disk.take());
                self.folder = folder;
                self.reopen();
            }
            Step::Flush => self.disk().flush().unwrap(),
            Step::Crash(tail) => {
                drop(self.disk.take());
                let files = block_files(self.folder.path());
                let last = files.last().unwrap();
                let torn = [&fs::read(last).unwrap()[..], b"TEST", &999u32.to_le_bytes(), tail].concat();
                fs::write(last, torn).unwrap();
                fs::write(last.with_file_name(format!("blk{:05}.dat", files.len())), tail).unwrap();
                self.reopen();
                // What nobody wants is cut off when the next block comes.
                if tail.len() % 2 == 0 {
                    let refuse = &mut |_: &Block| Err(chain::BlockError::Orphan);
                    let read = self.disk().take_in(refuse, &mut |_| ()).unwrap();
                    assert_eq!((read.blocks, read.left_out), (0, 0));
                    assert_eq!(block_files(self.folder.path()).len(), self.files);
                    assert!(!self.disk().has_more());
                }
            }
        }
    }

    fn coinbase(&mut self, first: u8) -> Transaction {
        self.serial += 1;
        let input = TxIn { prevout: OutPoint::COINBASE, unlock: self.serial.to_le_bytes().to_vec(), sequence: 0 };
        Transaction { version: 2, inputs: vec![input], outputs: outputs(&[first, 7]), locktime: 0 }
    }

    fn put(&mut self, parent: Option<HeaderRecord>, transactions: Vec<Transaction>) -> (HeaderRecord, Arc<Block>) {
        self.serial += 1;
        let header = BlockHeader {
            version: 1,
            previous: parent.map_or(BlockHash::default(), |parent| parent.header.hash()),
            merkle_root: [0; 32],
            time: self.serial,
            bits: CompactTarget(0x207f_ffff),
            nonce: 0,
        };
        let mut block = Block { header, transactions };
        block.header.merkle_root = block.merkle_root();
        let height = parent.map_or(Height::GENESIS, |parent| parent.height.next());
        let transactions = block.transactions.len() as u32;
        let record = HeaderRecord { header: block.header, height, invalid: false, transactions };
        let block = Arc::new(block);
        self.memory.put_block(&record, Arc::clone(&block)).unwrap();
        self.disk().put_block(&record, Arc::clone(&block)).unwrap();
        self.files = block_files(self.folder.path()).len();
        self.records.push(record);
        (record, block)
    }

    /// A block whose transactions spend coins of earlier blocks and of the block itself.
    fn grow(&mut self, bytes: &[u8]) {
        let height = self.active.last().map_or(Height::GENESIS, |tip| tip.height.next());
        let mut transactions = vec![self.coinbase(bytes.len() as u8)];
        let mut made: BTreeMap<OutPoint, Coin> = BTreeMap::new();
        let mut spent = vec![];
        if height != Height::GENESIS {
            made.extend(coins_of(&transactions[0], height));
        }
        for chunk in bytes.chunks(3) {
            let mut inputs = vec![];
            for choice in chunk {
                let own = choice % 2 == 0;
                let from = if own { &made } else { &self.unspent };
                let Some(prevout) = from.keys().nth(usize::from(*choice) % from.len().max(1)).copied() else {
                    continue;
                };
                let coin = if own { made.remove(&prevout) } else { self.unspent.remove(&prevout) }.unwrap();
                if !own {
                    spent.push((prevout, coin));
                }
                inputs.push(TxIn { prevout, unlock: vec![], sequence: 0 });
            }
            let tx = Transaction { version: 2, inputs, outputs: outputs(chunk), locktime: self.serial };
            self.serial += 1;
            made.extend(coins_of(&tx, height));
            transactions.push(tx);
        }
        let parent = self.active.last().copied();
        let (record, block) = self.put(parent, transactions);
        let txids: Vec<Txid> = block.transactions.iter().map(Transaction::txid).collect();
        let (hash, previous) = (record.header.hash(), record.header.previous);
        let made_here = block.transactions.iter().flat_map(|tx| coins_of(tx, height));
        let created: Vec<_> = made_here.filter(|(outpoint, _)| made.contains_key(outpoint)).collect();
        spent.sort_unstable_by_key(|(outpoint, _)| *outpoint);
        self.txids.extend(&txids);
        self.seen.extend(created.iter().chain(&spent).map(|(outpoint, _)| *outpoint));
        self.locks.extend(created.iter().map(|(_, coin)| coin.output.lock.clone()));
        self.unspent.extend(created.clone());
        let delta = BlockDelta { hash, previous, height, spent, created, txids };
        self.memory.connect(delta.clone()).unwrap();
        self.disk().connect(delta).unwrap();
        self.active.push(record);
    }

    fn compare(&self) {
        let (memory, disk) = (&self.memory, self.disk.as_ref().unwrap());
        assert_eq!(disk.tip(), memory.tip());
        assert_eq!(disk.headers(), memory.headers());
        let outpoints: Vec<OutPoint> = self.seen.iter().copied().collect();
        assert_eq!(disk.coins(&outpoints), memory.coins(&outpoints));
        self.txids.iter().for_each(|txid| assert_eq!(disk.locate(txid), memory.locate(txid)));
        self.locks.iter().for_each(|lock| assert_eq!(disk.coins_by_lock(lock), memory.coins_by_lock(lock)));
        for (category, max) in [([7; 32], usize::MAX), ([7; 32], 3), ([8; 32], 3)] {
            let category = Category::from_wire(category);
            assert_eq!(disk.coins_by_category(&category, max), memory.coins_by_category(&category, max));
        }
        for record in &self.records {
            let hash = record.header.hash();
            assert_eq!(disk.block(&hash), memory.block(&hash));
            assert_eq!(disk.delta(&hash), memory.delta(&hash));
        }
        assert_eq!(disk.block(&BlockHash::default()), Ok(None));
        let all = |store: &dyn Store| {
            let mut all = vec![];
            store.visit_coins(&mut |outpoint, coin| all.push((*outpoint, coin.clone()))).unwrap();
            all
        };
        assert_eq!(all(disk), all(memory));
        assert_eq!(all(disk), self.unspent.clone().into_iter().collect::<Vec<_>>());
    }
}

/// Outputs of several kinds: plain, with tokens, with a lock that looks like a token's prefix, large, and one that is no coin.
fn outputs(choices: &[u8]) -> Vec<TxOut> {
    let token = |amount, nft| Some(Token { category: Category::from_wire([7; 32]), amount, nft });
    let one = |choice: &u8| {
        let lock = vec![0x51, *choice % 4];
        let value = Sats::from_wire(u64::from(*choice) << (*choice % 40));
        match choice % 6 {
            0 => TxOut { value, token: token(u64::from(*choice) + 1, None), lock },
            1 => {
                let nft = Nft { capability: spec::token::Capability::Minting, commitment: vec![*choice; 3] };
                TxOut { value, token: token(0, Some(nft)), lock }
            }
            2 => TxOut::plain(value, vec![0xef, *choice]),
            3 => TxOut::plain(value, vec![*choice; 700]),
            4 => TxOut::plain(value, vec![0x6a, *choice]),
            _ => TxOut::plain(value, lock),
        }
    };
    choices.iter().map(one).collect()
}

fn coins_of(tx: &Transaction, height: Height) -> Vec<(OutPoint, Coin)> {
    let txid = tx.txid();
    let coinbase = tx.is_coinbase();
    let coin = |output: &TxOut| Coin { output: output.clone(), height, coinbase };
    let all = (0..).zip(&tx.outputs).map(|(index, output)| (OutPoint { txid, index }, coin(output)));
    all.filter(|(_, coin)| coin.output.lock.first() != Some(&0x6a)).collect()
}

fn block_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder.join("blocks")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// A store whose last block is perhaps still being written, and how many blocks it has.
fn writing() -> (Pair, usize) {
    let mut pair = Pair::new();
    for serial in 0..5u8 {
        pair.grow(&[serial; 9]);
    }
    let parent = pair.active.last().copied();
    let transactions = (0..200).map(|_| pair.coinbase(3)).collect();
    pair.put(parent, transactions);
    let blocks = pair.records.len();
    (pair, blocks)
}

#[test]
fn a_process_may_die_while_it_writes_a_block() {
    for round in 0..20 {
        let (pair, blocks) = writing();
        if round % 2 == 1 {
            std::thread::sleep(std::time::Duration::from_micros(50 * round));
        }
        let folder = tempfile::tempdir().unwrap();
        contents(pair.folder.path(), 1 << 20).iter().for_each(|(path, bytes)| write_below(folder.path(), path, bytes));
        let mut store = DiskStore::open(folder.path(), &pair.options).unwrap();
        assert_eq!(store.headers().unwrap().len(), blocks - 1);
        assert_eq!(store.tip(), pair.memory.tip());
        // The block is whole or not there; what is left of it is in nobody's way.
        let last = pair.records[blocks - 1];
        let read = store.take_in(&mut |_| Ok(last.height), &mut |_| ()).unwrap();
        assert!(read.blocks <= 1 && read.left_out == 0, "{read:?}");
        if read.blocks == 0 {
            store.put_block(&last, pair.memory.block(&last.header.hash()).unwrap().unwrap()).unwrap();
        }
        drop(store);
        let store = DiskStore::open(folder.path(), &pair.options).unwrap();
        assert_eq!(store.headers(), pair.memory.headers());
        assert_eq!(store.block(&last.header.hash()), pair.memory.block(&last.header.hash()));
    }
}

#[test]
fn a_block_that_is_being_written_is_read_and_marked_like_others() {
    let (mut pair, blocks) = writing();
    pair.compare();
    pair.run(&Step::Mark(blocks as u8 - 1, true));
    pair.compare();
    pair.reopen();
    pair.compare();
}

#[cfg(target_os = "linux")]
#[test]
fn a_block_that_cannot_be_written_is_not_connected() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("blocks")).unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join("blocks/blk00000.dat")).unwrap();
    let mut store = DiskStore::open(folder.path(), &options()).unwrap();
    let pair = Pair::new();
    let record = pair.records[0];
    let block = pair.memory.block(&record.header.hash()).unwrap().unwrap();
    store.put_block(&record, Arc::clone(&block)).unwrap();
    let delta = pair.memory.delta(&record.header.hash()).unwrap().unwrap();
    let full = Err(StoreError::Io(std::io::ErrorKind::StorageFull));
    assert_eq!(store.settle(), full);
    assert_eq!(store.connect(delta.clone()), full);
    assert_eq!(store.mark(&record.header.hash(), true), full);
    assert_eq!(store.put_block(&record, block), full);
    assert_eq!((store.tip(), store.locate(&delta.txids[0])), (Ok(None), Ok(None)));
    drop(store);
    assert!(DiskStore::open(folder.path(), &options()).unwrap().headers().unwrap().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn disk_and_memory_answer_alike(steps in steps(), kib in prop_oneof![Just(2), Just(20), Just(1_000)]) {
        let mut pair = Pair::with(DiskOptions { coin_cache_bytes: kib << 10, ..options() });
        for step in &steps {
            pair.run(step);
            pair.compare();
        }
        pair.reopen();
        pair.compare();
    }
}

/// What waits is written in another way if it is much.
#[test]
fn many_changes_at_once_read_like_few() {
    let mut pair = Pair::new();
    let mut random = 7u32;
    let mut bytes = |count: usize| -> Vec<u8> {
        let next = |_| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 24) as u8
        };
        (0..count).map(next).collect()
    };
    for round in 0..5 {
        pair.grow(&bytes(9_000));
        pair.run(&Step::Flush);
        pair.compare();
        // Few changes come to lie above many, and below the next.
        pair.grow(&bytes(9));
        pair.run(&Step::Flush);
        if round % 2 == 1 {
            pair.grow(&bytes(9_000));
            (0..4).for_each(|_| pair.run(&Step::Back));
            pair.run(&Step::Kill);
        }
        pair.compare();
    }
    pair.reopen();
    pair.compare();
}

/// The file that the first crash leaves behind is gone after the second, though no block came between them.
#[test]
fn two_crashes_leave_no_files() {
    let mut pair = Pair::new();
    for step in [Step::Crash(vec![7]), Step::Crash(vec![7, 7]), Step::Grow(vec![1, 2, 3])] {
        pair.run(&step);
        pair.compare();
    }
}

/// A store with some blocks, closed.
fn grown() -> Pair {
    let mut pair = Pair::new();
    (0..12u8).for_each(|number| pair.grow(&[number, number + 1, 2 * number, number + 7]));
    pair.compare();
    pair.disk = None;
    pair
}

#[test]
fn a_flipped_bit_in_a_block_file_is_told() {
    let pair = grown();
    let files = block_files(pair.folder.path());
    assert!(files.len() > 2, "blocks roll to new files");
    for (number, file) in files.iter().enumerate() {
        let whole = fs::read(file).unwrap();
        for at in (number..whole.len()).step_by(23) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::write(file, bytes).unwrap();
            let mut disk = DiskStore::open(pair.folder.path(), &options()).unwrap();
            let answers: Vec<_> = pair.records.iter().map(|record| disk.block(&record.header.hash())).collect();
            let damaged = answers.iter().filter(|answer| matches!(answer, Err(StoreError::Damaged(_)))).count();
            assert_eq!(damaged, 1, "{at} of {}", file.display());
            let undamaged = answers.iter().filter(|answer| matches!(answer, Ok(Some(_)))).count();
            assert_eq!(undamaged, answers.len() - 1);
            if damaged_is_last(&answers) {
                assert!(matches!(disk.disconnect(), Err(StoreError::Damaged(_))));
            }
        }
        fs::write(file, whole).unwrap();
    }
}

fn damaged_is_last(answers: &[Result<Option<Arc<Block>>, StoreError>]) -> bool {
    answers.last().is_some_and(Result::is_err)
}

#[test]
fn a_block_file_that_lost_its_end_is_told() {
    let pair = grown();
    let files = block_files(pair.folder.path());
    let last = files.last().unwrap();
    let whole = fs::read(last).unwrap();
    let open = || DiskStore::open(pair.folder.path(), &options()).map(|_| ());
    for len in [0, 1, whole.len() / 2, whole.len() - 1] {
        fs::write(last, &whole[..len]).unwrap();
        assert!(matches!(open(), Err(StoreError::Damaged(_))), "{len}");
    }
    fs::remove_file(last).unwrap();
    assert!(matches!(open(), Err(StoreError::Damaged(_))));
    fs::write(last, &whole).unwrap();
    assert_eq!(open(), Ok(()));
}

#[test]
fn a_folder_of_another_chain_is_refused() {
    let pair = grown();
    let other = DiskOptions { identity: "other".into(), ..options() };
    assert!(matches!(DiskStore::open(pair.folder.path(), &other), Err(StoreError::Damaged(_))));
}

/// Bits that flip in the tables give errors or stale answers, and never end the process.
#[test]
fn damaged_tables_never_end_the_process() {
    let mut pair = grown();
    let kept = contents(pair.folder.path(), 0);
    let mut refused = 0;
    for (number, (path, whole)) in kept.iter().enumerate() {
        if path.starts_with("blocks") {
            continue;
        }
        for at in (0..whole.len()).step_by((whole.len() / 12).max(1)) {
            let folder = tempfile::tempdir().unwrap();
            kept.iter().for_each(|(path, bytes)| write_below(folder.path(), path, bytes));
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << ((at + number) % 8);
            write_below(folder.path(), path, &bytes);
            pair.folder = folder;
            refused += usize::from(read_all(&pair).is_err());
        }
    }
    assert!(refused > 0);
}

/// Every bit of the lists of the tables' parts counts: a flipped one is told, and asks for no memory.
#[test]
fn a_flipped_bit_in_a_list_of_the_tables_parts_is_told() {
    let mut pair = grown();
    let kept = contents(pair.folder.path(), 0);
    let is_list = |path: &Path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name == "current" || name.strip_prefix('v').is_some_and(|digits| digits.parse::<u64>().is_ok())
    };
    // Old lists may be left over; those that count are the ones that `current` names.
    let counts = |path: &Path| {
        let current = path.with_file_name("current");
        let number = kept.iter().find(|(other, _)| *other == current).map(|(_, bytes)| bytes[0]).unwrap();
        path == current || path.with_file_name(format!("v{number}")) == *path
    };
    let mut flipped = 0;
    for (path, whole) in kept.iter().filter(|(path, _)| is_list(path) && counts(path)) {
        let folder = tempfile::tempdir().unwrap();
        kept.iter().for_each(|(path, bytes)| write_below(folder.path(), path, bytes));
        pair.folder = folder;
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            write_below(pair.folder.path(), path, &bytes);
            let opened = DiskStore::open(pair.folder.path(), &options());
            assert!(matches!(opened, Err(StoreError::Damaged(_))), "{}: byte {at}", path.display());
            flipped += 1;
        }
    }
    assert!(flipped > 500, "{flipped}");
}

/// The files below a folder, those above a length without the zeros at their ends: a log is made longer than what it holds.
fn contents(folder: &Path, longest: usize) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files = vec![];
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for path in fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let mut bytes = fs::read(&path).unwrap();
            if bytes.len() > longest && path.extension().is_some_and(|extension| extension == "jnl") {
                bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
            }
            files.push((path.strip_prefix(folder).unwrap().to_owned(), bytes));
        }
    }
    files
}

fn write_below(folder: &Path, path: &Path, bytes: &[u8]) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn read_all(pair: &Pair) -> Result<(), StoreError> {
    let mut disk = DiskStore::open(pair.folder.path(), &options())?;
    disk.visit_coins(&mut |_, _| ())?;
    pair.locks.iter().try_for_each(|lock| disk.coins_by_lock(lock).map(|_| ()))?;
    pair.txids.iter().try_for_each(|txid| disk.locate(txid).map(|_| ()))?;
    disk.disconnect().map(|_| ())
}
