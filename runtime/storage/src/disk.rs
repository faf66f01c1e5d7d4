//! The store on disk: what is kept where, and in which order it is written.
//!
//! A block goes to its file first, then a batch confirms it with its header and the new end of the files. Connecting and
//! disconnecting are one batch each: places of transactions, the undo record and the tip change together or not at all.
//!
//! Coins are written later, for many blocks in one batch, with the block that they belong to. Whoever opens the store after a
//! crash connects the blocks above that one again, by their undo records and without judging them.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chain::{BlockDelta, Coin, HeaderRecord, Store, StoreError, TxLocation};
use spec::{Block, BlockHash, Height, OutPoint, Txid};

use crate::cache::CoinCache;
use crate::codec::{self, End, Kept};
use crate::files::{BlockFiles, hold_blocks};
use crate::overlay::Overlay;
use crate::tables::{self, Batch, Tables};

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
    /// The most bytes of one block file, unless a single block is longer.
    pub file_bytes_max: u64,
    /// The most bytes of coins in memory: three quarters for what is not written, the rest for coins that were written last.
    pub coin_cache_bytes: usize,
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
            file_bytes_max: 128 << 20,
            coin_cache_bytes: 256 << 20,
            durability: Durability::Power,
        }
    }
}

/// Keeps the chain in a folder: `blocks` with its block files, `chainstate` with the tables.
///
/// One process may have it open; [`FolderLock`](crate::FolderLock) sees to that.
#[derive(Debug)]
pub struct DiskStore {
    tables: Tables,
    files: BlockFiles,
    /// Every header, as the chain above keeps them too.
    headers: Vec<Kept>,
    numbers: BTreeMap<BlockHash, u32>,
    tip: Option<BlockHash>,
    /// The block that the tables' coins belong to, at or below the tip.
    written: Option<BlockHash>,
    /// What the coins of the tip are beside those of the tables.
    overlay: Overlay,
    /// The block that they are with the overlay: the tip, but while the store is opened.
    covered: Option<BlockHash>,
    unwritten: Unwritten,
    overlay_bytes_max: usize,
    cache: CoinCache,
    /// The blocks that were kept last: whoever offers a block asks for it again at once.
    recent: VecDeque<(BlockHash, Arc<Block>)>,
    durability: Durability,
}

/// How far blocks have been connected again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// So many of them.
    pub done: u32,
    /// So many there are.
    pub all: u32,
}

/// The blocks that would have to be connected again after a crash.
#[derive(Clone, Copy, Debug, Default)]
struct Unwritten {
    blocks: u32,
    bytes: u64,
}

impl Unwritten {
    const fn add(&mut self, block_bytes: u32) {
        self.blocks += 1;
        self.bytes += block_bytes as u64;
    }

    /// Connecting them again takes a second or two.
    const fn are_many(self) -> bool {
        self.blocks >= UNWRITTEN_BLOCKS || self.bytes >= UNWRITTEN_BYTES
    }
}

/// The coins of so many blocks may be unwritten, and of so many bytes of blocks.
const UNWRITTEN_BLOCKS: u32 = 100;
const UNWRITTEN_BYTES: u64 = 128 << 20;
const TIP: &[u8] = b"tip";
/// The block that the coins belong to.
const COINS: &[u8] = b"coins";
const END: &[u8] = b"end";
/// The first block file that was not dropped.
const FIRST: &[u8] = b"first";
const IDENTITY: &[u8] = b"identity";
/// The first byte of the identity: the version of the format.
const VERSION: &str = "2 ";
/// How many blocks are kept in memory, and up to which size each.
const RECENT_BLOCKS: usize = 4;
const RECENT_BLOCK_BYTES: u32 = 8 << 20;

impl DiskStore {
    /// Opens the store of a folder, or makes one. What a crash left unconfirmed is cut off.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if the folder holds another chain, or what it holds contradicts itself.
    pub fn open(folder: &Path, options: &DiskOptions) -> Result<Self, StoreError> {
        Self::open_and_tell(folder, options, &mut |_| ())
    }

    /// [`DiskStore::open`] that tells how far it has come with the blocks whose coins were not written.
    ///
    /// # Errors
    /// As [`DiskStore::open`].
    pub fn open_and_tell(
        folder: &Path,
        options: &DiskOptions,
        tell: &mut dyn FnMut(Replayed),
    ) -> Result<Self, StoreError> {
        let mut store = Self::open_tables(folder, options)?;
        if store.tip.is_some_and(|tip| store.kept(&tip).is_none()) {
            return Err(StoreError::Damaged("the tip has no header"));
        }
        store.replay(tell)?;
        Ok(store)
    }

    fn open_tables(folder: &Path, options: &DiskOptions) -> Result<Self, StoreError> {
        let tables = Tables::open(&tables_folder(folder))?;
        check_identity(&tables, options)?;
        let tip = tables::get(&tables.meta, TIP)?.map(|bytes| codec::hash_of(&bytes)).transpose()?;
        let written = tables::get(&tables.meta, COINS)?.map(|bytes| codec::hash_of(&bytes)).transpose()?;
        let end = tables::get(&tables.meta, END)?.map(|bytes| codec::end_of(&bytes)).transpose()?;
        let first = tables::get(&tables.meta, FIRST)?.map(|bytes| codec::file_of(&bytes)).transpose()?.unwrap_or(0);
        // Without tables nothing in the files is confirmed; cutting all of it off would be a poor answer to lost tables.
        if end.is_none() && hold_blocks(&blocks_folder(folder))? {
            return Err(StoreError::Damaged("there are blocks without tables"));
        }
        let end = end.unwrap_or_default();
        let mut files = BlockFiles::open(&blocks_folder(folder), options.magic, options.file_bytes_max, (first, end))?;
        let headers = load_headers(&tables)?;
        for kept in headers.iter().filter(|kept| kept.span.file >= first) {
            files.count(&kept.span, kept.record.height);
        }
        let numbers = (0..).zip(&headers).map(|(number, kept)| (kept.record.header.hash(), number)).collect();
        Ok(Self {
            tables,
            files,
            headers,
            numbers,
            tip,
            written,
            overlay: Overlay::default(),
            covered: written,
            unwritten: Unwritten::default(),
            overlay_bytes_max: options.coin_cache_bytes / 4 * 3,
            cache: CoinCache::new(options.coin_cache_bytes / 4),
            recent: VecDeque::new(),
            durability: options.durability,
        })
    }

    /// Connects the blocks between those that the tables' coins belong to and the tip again.
    fn replay(&mut self, tell: &mut dyn FnMut(Replayed)) -> Result<(), StoreError> {
        let Some(tip) = self.tip else {
            return if self.written.is_none() {
                Ok(())
            } else {
                Err(StoreError::Damaged("there are coins without a tip"))
            };
        };
        let mut path = Vec::new();
        let mut at = Some(tip);
        while at != self.written {
            let (hash, kept) = at
                .and_then(|hash| Some((hash, self.kept(&hash)?.1)))
                .ok_or(StoreError::Damaged("the coins are not below the tip"))?;
            path.push(hash);
            let previous = kept.record.header.previous;
            at = self.kept(&previous).map(|_| previous);
        }
        let all = u32::try_from(path.len()).unwrap_or(u32::MAX);
        for (hash, done) in path.into_iter().rev().zip(1..) {
            self.flush_if_full()?;
            let delta = self.delta(&hash)?.ok_or(StoreError::Damaged("an undo record is missing"))?;
            self.overlay.exchange(&delta.spent, &delta.created);
            self.covered = Some(hash);
            tell(Replayed { done, all });
        }
        self.flush()
    }

    /// Writes the coins of the tip.
    ///
    /// # Errors
    /// What the file system says; nothing has changed then.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        let Some(covered) = self.covered.filter(|_| self.covered != self.written) else { return Ok(()) };
        let mut batch = self.tables.batch();
        self.remove(&mut batch, self.overlay.spent());
        self.add(&mut batch, self.overlay.created());
        batch.put(&self.tables.meta, COINS, covered.as_wire());
        batch.commit(self.durability)?;
        self.written = Some(covered);
        self.unwritten = Unwritten::default();
        for (outpoint, _) in self.overlay.spent() {
            self.cache.remove(outpoint);
        }
        for (outpoint, coin) in self.overlay.settle() {
            self.cache.insert(outpoint, coin);
        }
        Ok(())
    }

    fn flush_if_full(&mut self) -> Result<(), StoreError> {
        let full = self.overlay.bytes() > self.overlay_bytes_max || self.unwritten.are_many();
        if full { self.flush() } else { Ok(()) }
    }

    /// Makes the tables of a folder that has none, with these headers, in one batch.
    pub(crate) fn begin(folder: &Path, options: &DiskOptions, headers: &[Kept], end: End) -> Result<(), StoreError> {
        let tables = Tables::open(&tables_folder(folder))?;
        let mut batch = tables.batch();
        batch.put(&tables.meta, IDENTITY, identity(options).as_bytes());
        batch.put(&tables.meta, END, &codec::end_bytes(end));
        for (number, kept) in (0u32..).zip(headers) {
            batch.put(&tables.headers, &number.to_be_bytes(), &codec::kept_bytes(kept));
        }
        batch.commit(options.durability)
    }

    fn kept(&self, hash: &BlockHash) -> Option<(u32, &Kept)> {
        let number = *self.numbers.get(hash)?;
        Some((number, self.headers.get(usize::try_from(number).ok()?)?))
    }

    fn recall(&self, hash: &BlockHash) -> Option<&Arc<Block>> {
        self.recent.iter().find(|(known, _)| known == hash).map(|(_, block)| block)
    }

    /// Reads a block and holds its header and its transactions against its hash.
    fn read(&self, hash: &BlockHash, kept: &Kept) -> Result<Block, StoreError> {
        let bytes = self.files.read(&kept.span)?;
        let block = Block::decode(&bytes).map_err(|_| StoreError::Damaged("a block"))?;
        let good = block.header.hash() == *hash && block.merkle_root() == block.header.merkle_root;
        if good { Ok(block) } else { Err(StoreError::Damaged("a block is not the one that was kept")) }
    }

    fn must_read(&self, hash: &BlockHash) -> Result<Arc<Block>, StoreError> {
        self.block(hash)?.ok_or(StoreError::Damaged("a kept block is missing"))
    }

    fn add<'a>(&self, batch: &mut Batch, coins: impl Iterator<Item = (&'a OutPoint, &'a Coin)>) {
        for (outpoint, coin) in coins {
            batch.put(&self.tables.coins, &codec::outpoint_key(outpoint), &codec::coin_bytes(coin));
            batch.put(&self.tables.locks, &codec::lock_outpoint_key(outpoint, coin), &[]);
        }
    }

    fn remove<'a>(&self, batch: &mut Batch, coins: impl Iterator<Item = (&'a OutPoint, &'a Coin)>) {
        for (outpoint, coin) in coins {
            batch.remove(&self.tables.coins, &codec::outpoint_key(outpoint));
            batch.remove(&self.tables.locks, &codec::lock_outpoint_key(outpoint, coin));
        }
    }

    /// Lets a name of the tables mean a block, or none.
    fn point(&self, batch: &mut Batch, name: &[u8], hash: Option<&BlockHash>) {
        match hash {
            Some(hash) => batch.put(&self.tables.meta, name, hash.as_wire()),
            None => batch.remove(&self.tables.meta, name),
        }
    }

    /// A coin of the tables.
    fn stored_coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError> {
        if let Some(coin) = self.cache.get(outpoint) {
            return Ok(Some(coin.clone()));
        }
        let bytes = tables::get(&self.tables.coins, &codec::outpoint_key(outpoint))?;
        bytes.map(|bytes| codec::coin_of(&bytes)).transpose()
    }
}

impl Drop for DiskStore {
    fn drop(&mut self) {
        // Where it fails the blocks are connected again at the next start.
        let _ = self.flush();
    }
}

fn pairs(coins: &[(OutPoint, Coin)]) -> impl Iterator<Item = (&OutPoint, &Coin)> {
    coins.iter().map(|(outpoint, coin)| (outpoint, coin))
}

/// Where the block files of a store lie.
pub(crate) fn blocks_folder(folder: &Path) -> PathBuf {
    folder.join("blocks")
}

/// Where the tables of a store lie.
pub(crate) fn tables_folder(folder: &Path) -> PathBuf {
    folder.join("chainstate")
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
        Ok(self.tip)
    }

    fn coins(&self, outpoints: &[OutPoint]) -> Result<Vec<Option<Coin>>, StoreError> {
        let one = |outpoint| match self.overlay.get(outpoint) {
            Some(coin) => Ok(Some(coin.clone())),
            None if self.overlay.hides(outpoint) => Ok(None),
            None => self.stored_coin(outpoint),
        };
        outpoints.iter().map(one).collect()
    }

    fn connect(&mut self, delta: &BlockDelta) -> Result<(), StoreError> {
        self.flush_if_full()?;
        let (number, kept) = self.kept(&delta.hash).ok_or(StoreError::Damaged("no such header"))?;
        let block_bytes = kept.span.len;
        let mut batch = self.tables.batch();
        for (position, txid) in (0..).zip(&delta.txids) {
            batch.put(&self.tables.transactions, txid.as_wire(), &codec::place_bytes(number, position));
        }
        let undo = codec::undo_bytes(delta.spent.iter().map(|(_, coin)| coin));
        batch.put(&self.tables.undo, delta.hash.as_wire(), &undo);
        batch.put(&self.tables.meta, TIP, delta.hash.as_wire());
        batch.commit(self.durability)?;
        self.overlay.exchange(&delta.spent, &delta.created);
        self.unwritten.add(block_bytes);
        (self.tip, self.covered) = (Some(delta.hash), Some(delta.hash));
        Ok(())
    }

    fn disconnect(&mut self) -> Result<BlockDelta, StoreError> {
        let hash = self.tip.ok_or(StoreError::Damaged("no block to take back"))?;
        let delta = self.delta(&hash)?.ok_or(StoreError::Damaged("an undo record is missing"))?;
        let previous = self.kept(&delta.previous).map(|_| delta.previous);
        let mut batch = self.tables.batch();
        // Below the block that the tables' coins belong to they are written at once, so that it never is above the tip.
        let through = self.written == self.tip;
        if through {
            self.remove(&mut batch, pairs(&delta.created));
            self.add(&mut batch, pairs(&delta.spent));
            self.point(&mut batch, COINS, previous.as_ref());
        }
        delta.txids.iter().for_each(|txid| batch.remove(&self.tables.transactions, txid.as_wire()));
        batch.remove(&self.tables.undo, hash.as_wire());
        self.point(&mut batch, TIP, previous.as_ref());
        batch.commit(self.durability)?;
        if through {
            self.written = previous;
            delta.created.iter().for_each(|(outpoint, _)| self.cache.remove(outpoint));
        } else {
            self.overlay.exchange(&delta.created, &delta.spent);
        }
        (self.tip, self.covered) = (previous, previous);
        Ok(delta)
    }

    fn delta(&self, hash: &BlockHash) -> Result<Option<BlockDelta>, StoreError> {
        if self.is_pruned(hash) {
            return Err(StoreError::Pruned);
        }
        let Some(undo) = tables::get(&self.tables.undo, hash.as_wire())? else { return Ok(None) };
        let (_, kept) = self.kept(hash).ok_or(StoreError::Damaged("no such header"))?;
        let delta = BlockDelta::rebuild(&*self.must_read(hash)?, kept.record.height, codec::undo_of(&undo)?);
        delta.map(Some).ok_or(StoreError::Damaged("an undo record does not fit its block"))
    }

    fn locate(&self, txid: &Txid) -> Result<Option<TxLocation>, StoreError> {
        let Some(bytes) = tables::get(&self.tables.transactions, txid.as_wire())? else { return Ok(None) };
        let (number, position) = codec::place_of(&bytes)?;
        let kept = usize::try_from(number).ok().and_then(|number| self.headers.get(number));
        let record = kept.ok_or(StoreError::Damaged("a transaction lies in an unknown block"))?.record;
        Ok(Some(TxLocation { block: record.header.hash(), height: record.height, position }))
    }

    fn put_block(&mut self, record: &HeaderRecord, block: Arc<Block>) -> Result<(), StoreError> {
        let hash = record.header.hash();
        let number = u32::try_from(self.headers.len()).map_err(|_| StoreError::Damaged("too many headers"))?;
        let span = self.files.append(&block.encode(), self.durability == Durability::Power)?;
        let kept = Kept { record: *record, span };
        let mut batch = self.tables.batch();
        batch.put(&self.tables.headers, &number.to_be_bytes(), &codec::kept_bytes(&kept));
        batch.put(&self.tables.meta, END, &codec::end_bytes(self.files.end()));
        // Whatever connects the block pushes this to the disk too, for it is behind it in the same log.
        batch.commit(Durability::Process)?;
        self.files.count(&span, record.height);
        self.headers.push(kept);
        self.numbers.insert(hash, number);
        if span.len <= RECENT_BLOCK_BYTES {
            self.recent.push_back((hash, block));
            self.recent.drain(..self.recent.len().saturating_sub(RECENT_BLOCKS));
        }
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
        let mut created = self.overlay.created().peekable();
        tables::visit(&self.tables.coins, &[], &mut |key, value| {
            let outpoint = codec::outpoint_of(key)?;
            while let Some((outpoint, coin)) = created.next_if(|(created, _)| **created < outpoint) {
                visit(outpoint, coin);
            }
            if !self.overlay.hides(&outpoint) {
                visit(&outpoint, &codec::coin_of(value)?);
            }
            Ok(())
        })?;
        created.for_each(|(outpoint, coin)| visit(outpoint, coin));
        Ok(())
    }

    fn coins_by_lock(&self, lock: &[u8]) -> Result<Vec<(OutPoint, Coin)>, StoreError> {
        let mut outpoints = Vec::new();
        tables::visit(&self.tables.locks, &codec::lock_key(lock), &mut |key, _| {
            let key = key.split_last_chunk::<{ codec::OUTPOINT_BYTES }>();
            outpoints.push(codec::outpoint_of(key.ok_or(StoreError::Damaged("the index by lock"))?.1)?);
            Ok(())
        })?;
        outpoints.retain(|outpoint| !self.overlay.hides(outpoint));
        let coins = outpoints.iter().map(|outpoint| self.stored_coin(outpoint)).collect::<Result<Vec<_>, _>>()?;
        let present = |(outpoint, coin): (OutPoint, Option<Coin>)| match coin {
            Some(coin) if coin.output.lock == lock => Ok((outpoint, coin)),
            _ => Err(StoreError::Damaged("the index by lock")),
        };
        let mut found = outpoints.into_iter().zip(coins).map(present).collect::<Result<Vec<_>, _>>()?;
        found.extend(self.overlay.with_lock(lock).map(|(outpoint, coin)| (*outpoint, coin.clone())));
        found.sort_unstable_by_key(|(outpoint, _)| *outpoint);
        Ok(found)
    }

    fn prune(&mut self, highest: Height, bytes_max: u64) -> Result<(), StoreError> {
        let (old, first) = (self.files.first(), self.files.first_after(highest, bytes_max));
        if first == old {
            return Ok(());
        }
        // No block that may have to be connected again may go.
        self.flush()?;
        let mut batch = self.tables.batch();
        batch.put(&self.tables.meta, FIRST, &first.to_le_bytes());
        let from = self.headers.partition_point(|kept| kept.span.file < old);
        for kept in self.headers.iter().skip(from).take_while(|kept| kept.span.file < first) {
            batch.remove(&self.tables.undo, kept.record.header.hash().as_wire());
        }
        // First it is said, then done: files that are left over after a crash go at the next start.
        batch.commit(self.durability)?;
        self.files.drop_before(first)
    }

    fn is_pruned(&self, hash: &BlockHash) -> bool {
        self.kept(hash).is_some_and(|(_, kept)| kept.span.file < self.files.first())
    }

    fn block_bytes(&self) -> u64 {
        self.files.bytes()
    }
}
