//! The store on disk: what is kept where, and in which order it is written.
//!
//! A block goes to its file first, beside the work, then a batch confirms it with its header and the new end of the files:
//! at the latest before it is connected. Then the new tip is written down, and what the block changes waits in memory. From time to time all that waits
//! goes to the tables at once, beside the work: coins, indexes, undo records and the tables' tip change together or
//! not at all. After an end without warning the blocks above the tables' tip are applied again.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use chain::{BlockDelta, Coin, HeaderRecord, Remains, Store, StoreError, TxLocation};
use spec::{Block, BlockHash, Category, Height, OutPoint, Txid};

use crate::codec::{self, End, Form, Front, Kept, KeyBuffer, kind};
use crate::files::BlockFiles;
use crate::keeping::Keeping;
use crate::pending::Pending;
use crate::reindex;
use crate::replay::Replayed;
use crate::tables::{self, Tables};
use crate::writer::Writer;

/// What a finished change survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process, however it ends.
    Process,
    /// The end of the machine's power too, as far as its disks keep what they say they kept.
    Power,
}

/// How a store on disk is kept.
///
/// ```
/// let options = storage::DiskOptions::new("devnet", [1, 2, 3, 4]);
/// assert_eq!(options.file_bytes_max, 128 << 20);
/// ```
#[derive(Clone, Debug)]
pub struct DiskOptions {
    /// Names the chain and its rules. A folder that was made for another is refused.
    pub identity: String,
    /// What each record of the block files begins with.
    pub magic: [u8; 4],
    /// The most bytes of one block. Records that claim more are none.
    pub block_bytes_max: u32,
    /// The most bytes of one block file, unless a single block is longer.
    pub file_bytes_max: u64,
    /// The most bytes of what blocks changed in memory: half of it grows while the other is written. What is read of the
    /// tables' files stays in up to half as much, and each table takes up to an eighth, before it goes to files.
    pub coin_cache_bytes: usize,
    /// What waits in memory is written after so many blocks, so that not many have to be applied again.
    pub waiting_blocks_max: usize,
    /// What a finished change survives.
    pub durability: Durability,
}

impl DiskOptions {
    /// The usual ones.
    #[must_use]
    pub fn new(identity: impl Into<String>, magic: [u8; 4]) -> Self {
        Self {
            identity: identity.into(),
            magic,
            block_bytes_max: 32_000_000,
            file_bytes_max: 128 << 20,
            coin_cache_bytes: 256 << 20,
            waiting_blocks_max: 128,
            durability: Durability::Power,
        }
    }
}

/// Keeps the chain in a folder: `blocks` with its block files, `chainstate` with the tables.
///
/// One process may have it open; [`FolderLock`](crate::FolderLock) sees to that.
#[derive(Debug)]
pub struct DiskStore {
    tables: Arc<Tables>,
    files: BlockFiles,
    /// The block that was kept last, as long as it is being written.
    keeping: Option<Keeping>,
    /// Every header, as the chain above keeps them too.
    headers: Vec<Kept>,
    numbers: BTreeMap<BlockHash, u32>,
    /// What the tables do not have yet, and above it what is being written.
    pending: Pending,
    writer: Writer,
    pending_bytes_max: usize,
    pending_blocks_max: usize,
    block_bytes_max: u32,
    /// The blocks that were kept last: whoever offers a block asks for it again at once.
    recent: VecDeque<(BlockHash, Arc<Block>)>,
    durability: Durability,
}

/// The block that was connected last, or is left of what was taken back; zeros for none.
const ACTIVE: &[u8] = b"active";
const END: &[u8] = b"end";
/// The first block file that was not dropped.
const FIRST: &[u8] = b"first";
/// The first block file whose long data was not dropped.
pub(crate) const CUT: &[u8] = b"cut";
const IDENTITY: &[u8] = b"identity";
/// The first byte of the identity: the version of the format.
const VERSION: &str = "4 ";
/// Fewer coins are changed sooner than a thread is started.
const MANY: usize = 1_000;
/// How many blocks are kept in memory, and up to which size each.
const RECENT_BLOCKS: usize = 4;
const RECENT_BLOCK_BYTES: u32 = 8 << 20;

impl DiskStore {
    /// Opens the store of a folder, or makes one. What a crash left unconfirmed in the block files can be had by [`DiskStore::take_in`],
    /// and is cut off when the next block is kept.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if the folder holds another chain, or what it holds contradicts itself.
    pub fn open(folder: &Path, options: &DiskOptions) -> Result<Self, StoreError> {
        Self::open_and_tell(folder, options, &mut |_| ())
    }

    /// [`DiskStore::open`] that tells how far it has come with blocks that have to be applied again.
    ///
    /// # Errors
    /// As [`DiskStore::open`].
    pub fn open_and_tell(
        folder: &Path,
        options: &DiskOptions,
        tell: &mut dyn FnMut(Replayed),
    ) -> Result<Self, StoreError> {
        reindex::ready_tables(folder, options)?;
        let tables = Arc::new(Tables::open(&tables_folder(folder), options.coin_cache_bytes)?);
        check_identity(&tables, options)?;
        let hash_at = |table, key| tables::get(table, key)?.map(|bytes| codec::hash_of(&bytes)).transpose();
        let tip: Option<BlockHash> = hash_at(&tables.state, &[kind::TIP])?;
        let active: Option<BlockHash> = hash_at(&tables.meta, ACTIVE)?;
        let end = tables::get(&tables.meta, END)?.map(|bytes| codec::end_of(&bytes)).transpose()?;
        let number_at = |key| tables::get(&tables.meta, key)?.map(|bytes| codec::file_of(&bytes)).transpose();
        let (first, cut) = (number_at(FIRST)?.unwrap_or(0), number_at(CUT)?.unwrap_or(0));
        let end = end.ok_or(StoreError::Damaged("the tables do not say where the blocks end"))?;
        let mut files =
            BlockFiles::open(&blocks_folder(folder), options.magic, options.file_bytes_max, (first, cut, end))?;
        let headers = load_headers(&tables)?;
        for kept in headers.iter().filter(|kept| kept.span.file >= first) {
            files.count(&kept.span, kept.record.height);
        }
        let numbers = (0..).zip(&headers).map(|(number, kept)| (kept.record.header.hash(), number)).collect();
        let durability = options.durability;
        let mut store = Self {
            writer: Writer::new(Arc::clone(&tables), durability),
            tables,
            files,
            keeping: None,
            headers,
            numbers,
            pending: Pending::above(tip),
            pending_bytes_max: options.coin_cache_bytes / 2,
            pending_blocks_max: options.waiting_blocks_max,
            block_bytes_max: options.block_bytes_max,
            recent: VecDeque::new(),
            durability,
        };
        if tip.is_some_and(|tip| store.kept(&tip).is_none()) {
            return Err(StoreError::Damaged("the tip has no header"));
        }
        // Before the first block is connected neither is written down.
        let goal = active.map_or(tip, |active| Some(active).filter(|active| *active != BlockHash::default()));
        store.replay(goal, tell)?;
        Ok(store)
    }

    /// Makes tables that know no block yet.
    pub(crate) fn begin(tables: &Path, options: &DiskOptions) -> Result<(), StoreError> {
        let tables = Tables::open(tables, options.coin_cache_bytes)?;
        let mut batch = tables.batch();
        batch.put(&tables.meta, IDENTITY, identity(options).as_bytes());
        batch.put(&tables.meta, END, &codec::end_bytes(End::default()));
        batch.commit(options.durability)
    }

    /// Whether the block files hold something that the tables do not know.
    #[must_use]
    pub const fn has_more(&self) -> bool {
        self.files.is_ragged()
    }

    pub(crate) const fn files(&self) -> &BlockFiles {
        &self.files
    }

    pub(crate) const fn files_mut(&mut self) -> &mut BlockFiles {
        &mut self.files
    }

    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }

    pub(crate) const fn durability(&self) -> Durability {
        self.durability
    }

    /// The places of the headers whose blocks lie in a file.
    pub(crate) fn headers_in(&self, number: u32) -> Range<usize> {
        let before = |bound: u32| self.headers.partition_point(|kept| kept.span.file < bound);
        before(number)..before(number.saturating_add(1))
    }

    /// The headers in these places.
    pub(crate) fn kept_in(&self, places: Range<usize>) -> impl Iterator<Item = &Kept> {
        self.headers.get(places).into_iter().flatten()
    }

    /// Says where blocks lie now; those of which data was dropped are forgotten.
    pub(crate) fn replace_headers(&mut self, places: Range<usize>, moved: &[Kept]) {
        for (old, kept) in self.headers.get_mut(places).into_iter().flatten().zip(moved) {
            *old = *kept;
        }
        let is_cut = |hash: &BlockHash| {
            moved.iter().any(|kept| kept.span.form == Form::Cut && kept.record.header.hash() == *hash)
        };
        self.recent.retain(|(hash, _)| !is_cut(hash));
    }

    pub(crate) const fn block_bytes_max(&self) -> u32 {
        self.block_bytes_max
    }

    pub(crate) const fn headers_len(&self) -> usize {
        self.headers.len()
    }

    pub(crate) fn knows(&self, hash: &BlockHash) -> bool {
        self.numbers.contains_key(hash)
    }

    /// Adds a header whose block lies in the files, until it is confirmed in memory only.
    pub(crate) fn note(&mut self, hash: BlockHash, kept: Kept) -> Result<(), StoreError> {
        let number = u32::try_from(self.headers.len()).map_err(|_| StoreError::Damaged("too many headers"))?;
        self.files.count(&kept.span, kept.record.height);
        self.headers.push(kept);
        self.numbers.insert(hash, number);
        Ok(())
    }

    /// Writes the headers from one on, and that the files reach so far.
    pub(crate) fn confirm_headers(&mut self, from: usize, end: End) -> Result<(), StoreError> {
        let mut batch = self.tables.batch();
        for (number, kept) in (0u32..).zip(&self.headers).skip(from) {
            batch.put(&self.tables.headers, &number.to_be_bytes(), &codec::kept_bytes(kept));
        }
        batch.put(&self.tables.meta, END, &codec::end_bytes(end));
        batch.commit(self.durability)?;
        self.files.move_end(end)
    }

    pub(crate) fn cut_tail(&mut self) -> Result<(), StoreError> {
        self.files.cut()
    }

    fn kept(&self, hash: &BlockHash) -> Option<(u32, &Kept)> {
        let number = *self.numbers.get(hash)?;
        Some((number, self.headers.get(usize::try_from(number).ok()?)?))
    }

    fn recall(&self, hash: &BlockHash) -> Option<&Arc<Block>> {
        let recent = self.recent.iter().find(|(known, _)| known == hash).map(|(_, block)| block);
        // It can be read when it is written.
        let keeping = || self.keeping.as_ref().filter(|keeping| keeping.hash == *hash).map(Keeping::block);
        recent.or_else(keeping)
    }

    /// Keeps a block of so many bytes in memory; returns those that gave way.
    fn remember(&mut self, hash: BlockHash, block: Arc<Block>, len: u32) -> Vec<Arc<Block>> {
        if len > RECENT_BLOCK_BYTES {
            return Vec::new();
        }
        self.recent.push_back((hash, block));
        let gone = self.recent.len().saturating_sub(RECENT_BLOCKS);
        self.recent.drain(..gone).map(|(_, block)| block).collect()
    }

    /// Reads a block and holds its header and its transactions against its hash.
    fn read(&self, hash: &BlockHash, kept: &Kept) -> Result<Block, StoreError> {
        let bytes = self.files.read(&kept.span)?;
        let block = Block::decode(&bytes).map_err(|_| StoreError::Damaged("a block"))?;
        let good = block.header.hash() == *hash && block.merkle_root() == block.header.merkle_root;
        if good { Ok(block) } else { Err(StoreError::Damaged("a block is not the one that was kept")) }
    }

    /// The record of a header that must be there.
    pub(crate) fn record(&self, hash: &BlockHash) -> Result<&HeaderRecord, StoreError> {
        self.kept(hash).map(|(_, kept)| &kept.record).ok_or(StoreError::Damaged("no such header"))
    }

    pub(crate) fn must_read(&self, hash: &BlockHash) -> Result<Arc<Block>, StoreError> {
        self.block(hash)?.ok_or(StoreError::Damaged("a kept block is missing"))
    }

    /// What is not in the tables yet, the latest first.
    fn waiting(&self) -> impl DoubleEndedIterator<Item = &Pending> {
        [Some(&self.pending), self.writer.changes()].into_iter().flatten()
    }

    /// What waits about a coin: that it is there, or that it is not.
    fn waiting_coin(&self, outpoint: &OutPoint) -> Option<Option<&Coin>> {
        self.waiting().find_map(|pending| pending.coin(outpoint))
    }

    /// Applies a block in memory. When much waits, it is written.
    pub(crate) fn apply(&mut self, delta: BlockDelta) -> Result<(), StoreError> {
        let number = self.ready(&delta)?;
        self.pending.connect(number, delta);
        Ok(())
    }

    /// Applies a block in memory while it is written down as the tip.
    fn apply_and_write_down(&mut self, delta: BlockDelta) -> Result<(), StoreError> {
        let number = self.ready(&delta)?;
        let (hash, tables, pending, durability) = (delta.hash, &*self.tables, &mut self.pending, self.durability);
        if delta.created.len() + delta.spent.len() < MANY {
            pending.connect(number, delta);
            return write_down(tables, hash, durability);
        }
        thread::scope(|scope| {
            let write = move || write_down(tables, hash, durability);
            let writing = thread::Builder::new().name("tip".to_owned()).spawn_scoped(scope, write);
            pending.connect(number, delta);
            // Without a thread it is written now.
            writing.map_or_else(|_| write(), |writing| writing.join().unwrap_or_else(|_| write()))
        })
    }

    /// The number of a block's header, once there is room for what it changes.
    fn ready(&mut self, delta: &BlockDelta) -> Result<u32, StoreError> {
        let (number, _) = self.kept(&delta.hash).ok_or(StoreError::Damaged("no such header"))?;
        self.make_room()?;
        Ok(number)
    }

    /// Takes the tip's block back in memory.
    pub(crate) fn take_back(&mut self) -> Result<BlockDelta, StoreError> {
        let hash = self.pending.tip().ok_or(StoreError::Damaged("no block to take back"))?;
        let delta = self.delta(&hash)?.ok_or(StoreError::Damaged("an undo record is missing"))?;
        let previous = self.kept(&delta.previous).map(|_| delta.previous);
        self.make_room()?;
        self.pending.disconnect(&delta, previous);
        Ok(delta)
    }

    fn make_room(&mut self) -> Result<(), StoreError> {
        let full = self.pending.bytes() >= self.pending_bytes_max || self.pending.blocks() >= self.pending_blocks_max;
        if full { self.writer.begin(&mut self.pending) } else { self.writer.poll() }
    }

    /// Writes all that waits into the tables.
    ///
    /// # Errors
    /// What the file system says; what was not written still waits.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        self.settle()?;
        if self.pending.blocks() > 0 {
            self.writer.begin(&mut self.pending)?;
        }
        self.writer.finish()
    }

    /// The first `max` coins that are wanted, all of which have this front in the index.
    fn coins_by(
        &self,
        front: Front,
        max: usize,
        wanted: &dyn Fn(&Coin) -> bool,
    ) -> Result<Vec<(OutPoint, Coin)>, StoreError> {
        let mut found = BTreeMap::new();
        tables::visit(&self.tables.state, KeyBuffer::default().front(front), &mut |key, _| {
            // Keys come in the order of outpoints, so what is left out comes behind all that was found.
            if found.len() >= max {
                return Ok(());
            }
            let outpoint = codec::outpoint_of(key)?;
            if self.waiting_coin(&outpoint).is_none() {
                let coin = self.stored_coin(&outpoint)?.ok_or(StoreError::Damaged("the index of coins"))?;
                if wanted(&coin) {
                    found.insert(outpoint, coin);
                }
            }
            Ok(())
        })?;
        for (outpoint, coin) in self.waiting().rev().flat_map(Pending::coins) {
            match coin.filter(|coin| wanted(coin)) {
                Some(coin) => drop(found.insert(*outpoint, coin.clone())),
                None => drop(found.remove(outpoint)),
            }
        }
        Ok(found.into_iter().take(max).collect())
    }

    fn stored_coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError> {
        let bytes = tables::get(&self.tables.state, KeyBuffer::default().coin(outpoint))?;
        bytes.map(|bytes| codec::coin_of(&bytes)).transpose()
    }
}

impl Drop for DiskStore {
    fn drop(&mut self) {
        // What could not be written is applied again when the store is opened.
        let _ = self.flush();
    }
}

/// Where the block files of a store lie.
pub(crate) fn blocks_folder(folder: &Path) -> PathBuf {
    folder.join("blocks")
}

/// Where the tables of a store lie.
pub(crate) fn tables_folder(folder: &Path) -> PathBuf {
    folder.join("chainstate")
}

/// Writes down which block the coins belong to, before anybody is told.
fn write_down(tables: &Tables, tip: BlockHash, durability: Durability) -> Result<(), StoreError> {
    let mut batch = tables.batch();
    batch.put(&tables.meta, ACTIVE, tip.as_wire());
    batch.commit(durability)
}

fn identity(options: &DiskOptions) -> String {
    format!("{VERSION}{}", options.identity)
}

fn check_identity(tables: &Tables, options: &DiskOptions) -> Result<(), StoreError> {
    let wanted = identity(options);
    match tables::get(&tables.meta, IDENTITY)? {
        Some(found) if *found == *wanted.as_bytes() => Ok(()),
        Some(_) => Err(StoreError::Damaged("the folder holds another chain, or one of another version")),
        None => {
            let mut batch = tables.batch();
            batch.put(&tables.meta, IDENTITY, wanted.as_bytes());
            batch.commit(options.durability)
        }
    }
}

fn load_headers(tables: &Tables) -> Result<Vec<Kept>, StoreError> {
    let mut headers = Vec::new();
    tables::visit(&tables.headers, &[], &mut |key, value| {
        if usize::try_from(codec::number_of(key)?) != Ok(headers.len()) {
            return Err(StoreError::Damaged("a header is missing"));
        }
        headers.push(codec::kept_of(value)?);
        Ok(())
    })?;
    Ok(headers)
}

impl Store for DiskStore {
    fn tip(&self) -> Result<Option<BlockHash>, StoreError> {
        Ok(self.pending.tip())
    }

    fn coins(&self, outpoints: &[OutPoint]) -> Result<Vec<Option<Coin>>, StoreError> {
        let one = |outpoint| match self.waiting_coin(outpoint) {
            Some(coin) => Ok(coin.cloned()),
            None => self.stored_coin(outpoint),
        };
        outpoints.iter().map(one).collect()
    }

    fn connect(&mut self, delta: BlockDelta) -> Result<(), StoreError> {
        self.settle()?;
        self.apply_and_write_down(delta)
    }

    fn disconnect(&mut self) -> Result<BlockDelta, StoreError> {
        self.settle()?;
        let delta = self.take_back()?;
        write_down(&self.tables, self.pending.tip().unwrap_or_default(), self.durability)?;
        Ok(delta)
    }

    fn delta(&self, hash: &BlockHash) -> Result<Option<BlockDelta>, StoreError> {
        if self.is_pruned(hash) {
            return Err(StoreError::Pruned);
        }
        let spent = match self.waiting().find_map(|pending| pending.undo(hash)) {
            Some(spent) => spent.map(|spent| spent.iter().map(|(_, coin)| coin.clone()).collect()),
            None => {
                let bytes = tables::get(&self.tables.state, KeyBuffer::default().undo(hash))?;
                bytes.map(|bytes| codec::undo_of(&bytes)).transpose()?
            }
        };
        let Some(spent) = spent else { return Ok(None) };
        let delta = BlockDelta::rebuild(&*self.must_read(hash)?, self.record(hash)?.height, spent);
        delta.map(Some).ok_or(StoreError::Damaged("an undo record does not fit its block"))
    }

    fn locate(&self, txid: &Txid) -> Result<Option<TxLocation>, StoreError> {
        let place = match self.waiting().find_map(|pending| pending.place(txid)) {
            Some(place) => place,
            None => tables::get(&self.tables.state, KeyBuffer::default().place(txid))?
                .map(|bytes| codec::place_of(&bytes))
                .transpose()?,
        };
        let Some((number, position)) = place else { return Ok(None) };
        let kept = usize::try_from(number).ok().and_then(|number| self.headers.get(number));
        let record = kept.ok_or(StoreError::Damaged("a transaction lies in an unknown block"))?.record;
        Ok(Some(TxLocation { block: record.header.hash(), height: record.height, position }))
    }

    fn put_block(&mut self, record: &HeaderRecord, block: Arc<Block>) -> Result<(), StoreError> {
        self.settle()?;
        let hash = record.header.hash();
        let place = self.files.append(Arc::clone(&block))?;
        let kept = Kept { record: *record, span: place.span };
        self.note(hash, kept)?;
        let old = self.remember(hash, block, place.span.len);
        self.keeping = Some(Keeping::begin((hash, kept), place, self.durability == Durability::Power, old));
        Ok(())
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        let Some(keeping) = &mut self.keeping else { return Ok(()) };
        keeping.finish()?;
        let number = self.numbers.get(&keeping.hash).ok_or(StoreError::Damaged("no such header"))?;
        let mut batch = self.tables.batch();
        batch.put(&self.tables.headers, &number.to_be_bytes(), &codec::kept_bytes(&keeping.kept));
        batch.put(&self.tables.meta, END, &codec::end_bytes(self.files.end()));
        // Whatever connects the block pushes this to the disk too, for it is behind it in the same log.
        batch.commit(Durability::Process)?;
        self.keeping = None;
        Ok(())
    }

    fn block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, StoreError> {
        if let Some(block) = self.recall(hash) {
            return Ok(Some(Arc::clone(block)));
        }
        if self.is_pruned(hash) {
            return Err(StoreError::Pruned);
        }
        self.kept(hash).map(|(_, kept)| self.read(hash, kept).map(Arc::new)).transpose()
    }

    fn mark(&mut self, hash: &BlockHash, invalid: bool) -> Result<(), StoreError> {
        self.settle()?;
        let (number, kept) = self.kept(hash).ok_or(StoreError::Damaged("no such header"))?;
        let mut changed = *kept;
        changed.record.invalid = invalid;
        let mut batch = self.tables.batch();
        batch.put(&self.tables.headers, &number.to_be_bytes(), &codec::kept_bytes(&changed));
        batch.commit(self.durability)?;
        if let Some(kept) = usize::try_from(number).ok().and_then(|number| self.headers.get_mut(number)) {
            *kept = changed;
        }
        Ok(())
    }

    fn headers(&self) -> Result<Vec<HeaderRecord>, StoreError> {
        Ok(self.headers.iter().map(|kept| kept.record).collect())
    }

    fn visit_coins(&self, visit: &mut dyn FnMut(&OutPoint, &Coin)) -> Result<(), StoreError> {
        let mut waiting: BTreeMap<&OutPoint, Option<&Coin>> = BTreeMap::new();
        self.waiting().rev().for_each(|pending| waiting.extend(pending.coins()));
        let mut waiting = waiting.into_iter().peekable();
        tables::visit(&self.tables.state, &[kind::COIN], &mut |key, value| {
            let stored = codec::outpoint_of(key)?;
            while let Some((outpoint, coin)) = waiting.next_if(|(outpoint, _)| **outpoint < stored) {
                coin.into_iter().for_each(|coin| visit(outpoint, coin));
            }
            match waiting.next_if(|(outpoint, _)| **outpoint == stored) {
                Some((outpoint, coin)) => coin.into_iter().for_each(|coin| visit(outpoint, coin)),
                None => visit(&stored, &codec::coin_of(value)?),
            }
            Ok(())
        })?;
        for (outpoint, coin) in waiting {
            coin.into_iter().for_each(|coin| visit(outpoint, coin));
        }
        Ok(())
    }

    fn coins_by_lock(&self, lock: &[u8]) -> Result<Vec<(OutPoint, Coin)>, StoreError> {
        self.coins_by(Front::of_lock(lock), usize::MAX, &|coin| coin.output.lock == lock)
    }

    fn coins_by_category(&self, category: &Category, max: usize) -> Result<Vec<(OutPoint, Coin)>, StoreError> {
        self.coins_by(Front::of_category(category), max, &|coin| coin.category() == Some(category))
    }

    fn prune(&mut self, highest: Height, bytes_max: u64) -> Result<(), StoreError> {
        let (old, first) = (self.files.first(), self.files.first_after(highest, bytes_max));
        if first == old {
            return Ok(());
        }
        // Nothing that would have to be applied again may be dropped.
        self.flush()?;
        let mut batch = self.tables.batch();
        batch.put(&self.tables.meta, FIRST, &first.to_le_bytes());
        let from = self.headers.partition_point(|kept| kept.span.file < old);
        for kept in self.headers.iter().skip(from).take_while(|kept| kept.span.file < first) {
            batch.remove(&self.tables.state, KeyBuffer::default().undo(&kept.record.header.hash()));
        }
        // First it is said, then done: files that are left over after a crash go at the next start.
        batch.commit(self.durability)?;
        self.files.drop_before(first)
    }

    fn prune_data(&mut self, highest: Height, above: usize) -> Result<bool, StoreError> {
        self.cut_next(highest, above)
    }

    fn remains(&self, hash: &BlockHash) -> Result<Option<Remains>, StoreError> {
        let Some((_, kept)) = self.kept(hash).filter(|(_, kept)| kept.span.form == Form::Cut) else { return Ok(None) };
        if kept.span.file < self.files.first() {
            Err(StoreError::Pruned)
        } else {
            self.read_remains(hash, kept).map(Some)
        }
    }

    fn is_pruned(&self, hash: &BlockHash) -> bool {
        let gone = |kept: &Kept| kept.span.file < self.files.first() || kept.span.form == Form::Cut;
        self.kept(hash).is_some_and(|(_, kept)| gone(kept))
    }

    fn block_bytes(&self) -> u64 {
        self.files.bytes()
    }
}
