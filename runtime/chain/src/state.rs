//! The chain: the tree of known blocks, the heaviest valid branch of it, and the coins after that branch.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use engine::Engine;
use spec::{Block, BlockHash, BlockHeader, CompactTarget, Height, OutPoint, Transaction, TxOut, Txid};

use crate::block::{Ids, check_body, check_header_data};
use crate::connect::{LookUp, Surroundings, Verified, check_and_build};
use crate::error::BlockError;
use crate::index::{HeaderEntry, Index, Status};
use crate::params::{Difficulty, Params};
use crate::remains::{Remains, TxRemains};
use crate::scripts::Runner;
use crate::store::{BlockDelta, Coin, HeaderRecord, Store, StoreError, TxLocation};
use crate::transaction::Place;
use crate::work::{Schedule, asert};
use crate::workers::Workers;

/// The last block of the active chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Its id.
    pub hash: BlockHash,
    /// Its header, height and work.
    pub entry: HeaderEntry,
    /// The median time of it and the ten blocks below.
    pub median_time_past: u32,
}

/// What a new block changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// The blocks that left the active chain, highest first.
    pub disconnected: Vec<Arc<Block>>,
    /// The blocks that joined it, lowest first; none if the new block lies on a lighter branch.
    pub connected: Vec<Arc<Block>>,
    /// The ids of the new block's transactions, if it is one of them.
    known: Option<(BlockHash, Vec<Txid>)>,
}

impl Accepted {
    /// The ids of a block's transactions: those of the new block need not be hashed again.
    pub(crate) fn txids_of(&self, block: &Block, workers: Workers) -> Cow<'_, [Txid]> {
        match &self.known {
            Some((hash, txids)) if *hash == block.header.hash() => Cow::Borrowed(txids),
            _ => Cow::Owned(Ids::of(block, workers).txids),
        }
    }
}

/// A chain over a store.
///
/// Every method is deterministic; those that judge times take the time as seconds since 1970.
///
/// ```
/// use chain::{Chain, MemoryStore, Mempool, Params, build_template, solve};
/// use spec::{Height, Network};
/// let mut chain = Chain::open(Params::of(Network::Devnet), MemoryStore::new()).unwrap();
/// let now = chain.tip().entry.header.time + 600;
/// let mut block = build_template(&chain, &Mempool::new(chain.params()), &[0x51], b"", now).block;
/// block.header = solve(block.header, 0..=u32::MAX).unwrap();
/// let accepted = chain.accept_block(block, now).unwrap();
/// assert_eq!(accepted.connected.len(), 1);
/// assert_eq!(chain.tip().entry.height, Height::new(1));
/// ```
#[derive(Clone, Debug)]
pub struct Chain<S> {
    pub(crate) params: Params,
    store: S,
    pub(crate) index: Index,
    pub(crate) active: Vec<BlockHash>,
    /// From here on all active blocks are kept.
    lowest_kept: Height,
    workers: Workers,
    engine: Arc<Engine>,
}

impl<S: Store> Chain<S> {
    /// Opens the chain that `store` holds, and starts it with the genesis block if it holds none.
    ///
    /// # Errors
    /// [`StoreError`], also when the store holds another chain.
    pub fn open(params: Params, mut store: S) -> Result<Self, StoreError> {
        let genesis = params.genesis();
        let hash = genesis.header.hash();
        if store.tip()?.is_none() {
            start(&mut store, genesis)?;
        }
        let index = Index::load(&store.headers()?)?;
        let tip = store.tip()?.ok_or(StoreError::Damaged("the store has no tip"))?;
        let mut active: Vec<BlockHash> = index.downward(&tip).map(|entry| entry.header.hash()).collect();
        active.reverse();
        if active.first() != Some(&hash) {
            return Err(StoreError::Damaged("the store holds another chain"));
        }
        let lowest_kept = Height::GENESIS;
        let mut chain =
            Self { params, store, index, active, lowest_kept, workers: Workers::all(), engine: Arc::default() };
        chain.lowest_kept = chain.find_lowest_kept();
        Ok(chain)
    }

    /// Uses that many threads for scripts.
    #[must_use]
    pub fn with_workers(self, workers: Workers) -> Self {
        Self { workers, ..self }
    }

    /// Runs scripts by that engine; without it by the oracle.
    #[must_use]
    pub fn with_engine(self, engine: Arc<Engine>) -> Self {
        Self { engine, ..self }
    }

    /// The chain's constants.
    pub const fn params(&self) -> &Params {
        &self.params
    }

    /// What runs scripts, and on how many threads.
    #[must_use]
    pub fn runner(&self) -> Runner<'_> {
        Runner { engine: &self.engine, workers: self.workers }
    }

    /// What runs scripts, for another thread.
    pub(crate) const fn shared_engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// What keeps the chain.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The last block of the active chain.
    #[must_use]
    pub fn tip(&self) -> Tip {
        let hash = *self.active.last().expect("a chain has its genesis block");
        let entry = *self.index.get(&hash).expect("active blocks are indexed");
        Tip { hash, entry, median_time_past: self.index.median_time_past(&hash) }
    }

    /// Where the next block would stand.
    #[must_use]
    pub fn next_place(&self) -> Place {
        let tip = self.tip();
        Place { height: tip.entry.height.next(), median_time_past: tip.median_time_past }
    }

    /// The target due for a block on top of `parent`; `None` for an unknown parent.
    #[must_use]
    pub fn target_after(&self, parent: &BlockHash) -> Option<CompactTarget> {
        let entry = self.index.get(parent)?;
        Some(match self.params.difficulty {
            Difficulty::Fixed => self.params.target_limit,
            Difficulty::Asert { half_life_secs, spacing_secs } => {
                let anchor = self.active.first().and_then(|genesis| self.index.get(genesis))?.header;
                let schedule =
                    Schedule { anchor: anchor.bits, limit: self.params.target_limit, spacing_secs, half_life_secs };
                // The genesis block has no parent; one on schedule is assumed.
                let since_anchor = i64::from(entry.header.time) - i64::from(anchor.time) + i64::from(spacing_secs);
                asert(schedule, since_anchor, entry.height.get())
            }
        })
    }

    /// The id of the active block at `height`.
    #[must_use]
    pub fn hash_at(&self, height: Height) -> Option<BlockHash> {
        self.active.get(usize::try_from(height.get()).ok()?).copied()
    }

    /// A known header, of whatever branch.
    #[must_use]
    pub fn header(&self, hash: &BlockHash) -> Option<&HeaderEntry> {
        self.index.get(hash)
    }

    /// Whether the block is part of the active chain.
    #[must_use]
    pub fn is_active(&self, hash: &BlockHash) -> bool {
        self.index.get(hash).is_some_and(|entry| self.hash_at(entry.height) == Some(*hash))
    }

    /// The ends of all branches, in the order in which they came.
    #[must_use]
    pub fn branch_tips(&self) -> Vec<BlockHash> {
        self.index.leaves()
    }

    /// The median time of a known block and the ten below it.
    #[must_use]
    pub fn median_time_past(&self, hash: &BlockHash) -> Option<u32> {
        self.index.get(hash).map(|_| self.index.median_time_past(hash))
    }

    /// The median time past of the active block below `height`; the tip's for heights above.
    #[must_use]
    pub fn median_before(&self, height: Height) -> u32 {
        median_before(&self.index, &self.active, height)
    }

    /// A known block, of whatever branch.
    ///
    /// # Errors
    /// [`StoreError`], here and below.
    pub fn block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, StoreError> {
        self.store.block(hash)
    }

    /// The active block at `height`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn block_at(&self, height: Height) -> Result<Option<Arc<Block>>, StoreError> {
        self.hash_at(height).map_or(Ok(None), |hash| self.store.block(&hash))
    }

    /// An unspent output of the active chain.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError> {
        Ok(self.store.coins(std::slice::from_ref(outpoint))?.pop().flatten())
    }

    /// Where a transaction of the active chain stands.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn locate(&self, txid: &Txid) -> Result<Option<TxLocation>, StoreError> {
        self.store.locate(txid)
    }

    /// A transaction of the active chain.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn transaction(&self, txid: &Txid) -> Result<Option<(Transaction, TxLocation)>, StoreError> {
        let Some(location) = self.store.locate(txid)? else { return Ok(None) };
        let rest =
            self.remains_at(*txid, &location)?.ok_or(StoreError::Damaged("a transaction is not where it was"))?;
        if rest.is_whole() { Ok(Some((rest.tx, location))) } else { Err(StoreError::DataPruned(*txid)) }
    }

    /// An output of a transaction of the active chain, spent or not, and where that stands. Data that was dropped is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn mined_output(&self, outpoint: &OutPoint) -> Result<Option<(TxOut, TxLocation)>, StoreError> {
        let Some(location) = self.store.locate(&outpoint.txid)? else { return Ok(None) };
        let rest = self.remains_at(outpoint.txid, &location)?;
        let there = rest.filter(|rest| !rest.dropped.contains_key(&outpoint.index));
        let index = usize::try_from(outpoint.index).unwrap_or(usize::MAX);
        Ok(there.and_then(|mut rest| {
            (index < rest.tx.outputs.len()).then(|| (rest.tx.outputs.swap_remove(index), location))
        }))
    }

    /// What there is of a transaction of the active chain.
    fn remains_at(&self, txid: Txid, location: &TxLocation) -> Result<Option<TxRemains>, StoreError> {
        let position =
            usize::try_from(location.position).map_err(|_| StoreError::Damaged("a position is too large"))?;
        let whole = |tx: &Transaction| TxRemains { txid, tx: tx.clone(), dropped: BTreeMap::new() };
        match self.store.block(&location.block) {
            Ok(Some(block)) => Ok(block.transactions.get(position).map(whole)),
            Ok(None) => Err(StoreError::Damaged("an active block is missing")),
            Err(StoreError::Pruned) => {
                let remains = self.store.remains(&location.block)?.ok_or(StoreError::Pruned)?;
                Ok(remains.transactions.into_iter().nth(position))
            }
            Err(error) => Err(error),
        }
    }

    /// What is left of a known block of which data was dropped; nothing for others.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn remains(&self, hash: &BlockHash) -> Result<Option<Remains>, StoreError> {
        self.store.remains(hash)
    }

    /// The height from which on all active blocks are kept; what lies below may have been dropped.
    pub const fn lowest_kept(&self) -> Height {
        self.lowest_kept
    }

    /// Drops old blocks as [`Store::prune`] does, but none of the last [`Params::kept_blocks`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn prune(&mut self, highest: Height, bytes_max: u64) -> Result<(), StoreError> {
        let Some(deep) = self.tip().entry.height.get().checked_sub(self.params.kept_blocks) else { return Ok(()) };
        self.store.prune(highest.min(Height::new(deep)), bytes_max)?;
        self.lowest_kept = self.find_lowest_kept();
        Ok(())
    }

    /// Drops data as [`Store::prune_data`] does, but none of the last [`Params::kept_blocks`], nor of the last `depth`. Says whether
    /// another call may drop more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn prune_data(&mut self, highest: Height, depth: u32, above: usize) -> Result<bool, StoreError> {
        let depth = depth.max(self.params.kept_blocks);
        let Some(deep) = self.tip().entry.height.get().checked_sub(depth) else { return Ok(false) };
        let before = self.store.block_bytes();
        let more = self.store.prune_data(highest.min(Height::new(deep)), above)?;
        // Most calls find nothing to do, and a long chain takes its time to walk.
        if self.store.block_bytes() != before {
            self.lowest_kept = self.find_lowest_kept();
        }
        Ok(more)
    }

    fn find_lowest_kept(&self) -> Height {
        let pruned = self.active.iter().rposition(|hash| self.store.is_pruned(hash));
        let above = pruned.and_then(|place| u32::try_from(place + 1).ok());
        above.map_or(Height::GENESIS, Height::new)
    }

    /// Whether the active chain can come to end in this block or one on top of it: what was dropped can be neither taken back nor connected.
    pub(crate) fn is_reachable(&self, hash: &BlockHash) -> bool {
        if self.lowest_kept == Height::GENESIS {
            return true;
        }
        for entry in self.index.downward(hash) {
            let hash = entry.header.hash();
            if self.is_active(&hash) {
                return entry.height.next() >= self.lowest_kept;
            }
            if self.store.is_pruned(&hash) {
                return false;
            }
        }
        false
    }

    /// Judges a block by everything but its proof of work, as the next of the active chain.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn test_block(&self, block: &Block, now: u32) -> Result<(), BlockError> {
        let place = self.next_place();
        if block.header.previous != self.tip().hash {
            return Err(BlockError::Orphan);
        }
        if Some(block.header.bits) != self.target_after(&block.header.previous) {
            return Err(BlockError::WrongTarget);
        }
        check_header_data(&block.header, place, now)?;
        let ids = Ids::of(block, self.workers);
        check_body(&self.params, block, &ids, place, self.workers)?;
        self.delta_of(block, &ids.txids, &|_| None).map(|_| ())
    }

    /// Takes in a block: refuses it, keeps it on a side branch, or makes its branch the active one.
    ///
    /// # Errors
    /// Why it is refused. The active chain is then as it was.
    pub fn accept_block(&mut self, block: Block, now: u32) -> Result<Accepted, BlockError> {
        self.accept_block_with(block, now, &|_| None)
    }

    /// [`Chain::accept_block`] that does not run the scripts of transactions which `verified` knows, and takes its word for their number of signature checks.
    ///
    /// # Errors
    /// As [`Chain::accept_block`].
    pub fn accept_block_with(
        &mut self,
        block: Block,
        now: u32,
        verified: &(dyn Fn(&Txid) -> Option<u64> + Sync),
    ) -> Result<Accepted, BlockError> {
        let (hash, ids) = self.check_and_keep(block, now)?;
        let heavier = self.index.get(&hash).is_some_and(|entry| entry.work > self.tip().entry.work);
        if heavier {
            return self.activate(hash, Some(ids), verified);
        }
        self.store.settle()?;
        Ok(Accepted::default())
    }

    /// Checks what can be checked without coins, then keeps the block.
    fn check_and_keep(&mut self, block: Block, now: u32) -> Result<(BlockHash, Ids), BlockError> {
        let (hash, header) = (block.header.hash(), block.header);
        let known = self.index.get(&hash).copied();
        match known {
            Some(HeaderEntry { status: Status::Invalid, .. }) => return Err(BlockError::DuplicateInvalid),
            Some(HeaderEntry { has_block: true, .. }) => return Err(BlockError::Duplicate),
            _ => {}
        }
        let place = self.place_of(&header)?;
        // Blocks are kept in an order in which each comes after the one below.
        if !self.index.get(&header.previous).is_some_and(|parent| parent.has_block) {
            return Err(BlockError::Orphan);
        }
        if !self.is_reachable(&header.previous) {
            return Err(BlockError::TooDeep);
        }
        if known.is_none() {
            self.check_header_at(&header, place, now)?;
        }
        let ids = Ids::of(&block, self.workers);
        if let Err(error) = check_body(&self.params, &block, &ids, place, self.workers) {
            if known.is_some() && says_about_header(&error, &block) {
                self.mark(hash)?;
            }
            return Err(error);
        }
        let transactions = u32::try_from(block.transactions.len()).map_err(|_| BlockError::Length)?;
        let record = HeaderRecord { header, height: place.height, invalid: false, transactions };
        self.store.put_block(&record, Arc::new(block))?;
        if known.is_none() {
            self.index.insert(&header);
        }
        self.index.complete(&hash, transactions);
        Ok((hash, ids))
    }

    /// Declares a block invalid, with all that build on it, and makes the heaviest branch left the active one.
    ///
    /// # Errors
    /// [`BlockError::Orphan`] for an unknown block, [`BlockError::InvalidParent`] for the genesis block, [`StoreError::Pruned`] if blocks
    /// would have to be taken back that were dropped. Nothing has changed then.
    pub fn invalidate(&mut self, hash: &BlockHash) -> Result<Accepted, BlockError> {
        let entry = *self.index.get(hash).ok_or(BlockError::Orphan)?;
        if entry.height == Height::GENESIS {
            return Err(BlockError::InvalidParent);
        }
        let active = self.is_active(hash);
        if active && entry.height < self.lowest_kept {
            return Err(StoreError::Pruned.into());
        }
        self.mark(*hash)?;
        let mut change = Accepted::default();
        if active {
            let undone = self.disconnect_to(Height::new(entry.height.get() - 1))?;
            change.disconnected = self.bodies(undone.iter().map(|delta| delta.hash))?;
        }
        self.activate_best(change)
    }

    /// Takes back what [`Chain::invalidate`] or a failed check declared about a block, those below it and those that build on it, and makes the heaviest branch the active one.
    ///
    /// # Errors
    /// [`BlockError::Orphan`] for an unknown block.
    pub fn reconsider(&mut self, hash: &BlockHash) -> Result<Accepted, BlockError> {
        self.index.get(hash).ok_or(BlockError::Orphan)?;
        for marked in self.index.unmark(hash) {
            if self.index.get(&marked).is_some_and(|entry| entry.has_block) {
                self.store.mark(&marked, false)?;
            }
        }
        self.activate_best(Accepted::default())
    }

    /// Finishes what an interruption left half done: leaves blocks that count as invalid, and makes the heaviest branch the active one.
    ///
    /// # Errors
    /// [`BlockError::Store`].
    pub fn resume(&mut self) -> Result<Accepted, BlockError> {
        self.resume_and_tell(&mut |_, _| ())
    }

    /// [`Chain::resume`] that tells the height that was reached and that of the best block. Blocks on top of the tip are connected one by
    /// one first, and not among those that it returns: there may be more than fit in memory.
    ///
    /// # Errors
    /// [`BlockError::Store`].
    pub fn resume_and_tell(&mut self, tell: &mut dyn FnMut(Height, Height)) -> Result<Accepted, BlockError> {
        let mut change = Accepted::default();
        let fine = |hash: &&BlockHash| self.index.get(hash).is_some_and(|entry| entry.status == Status::Fine);
        let good = self.active.iter().take_while(fine).count();
        if good < self.active.len() {
            let last = good.checked_sub(1).and_then(|place| u32::try_from(place).ok());
            let last = last.ok_or(StoreError::Damaged("the first block counts as invalid"))?;
            let undone = self.disconnect_to(Height::new(last))?;
            change.disconnected = self.bodies(undone.iter().map(|delta| delta.hash))?;
        }
        self.climb(tell)?;
        self.activate_best(change)
    }

    /// Connects the blocks between the tip and the heaviest block above it, as far as they are good.
    fn climb(&mut self, tell: &mut dyn FnMut(Height, Height)) -> Result<(), BlockError> {
        let Some(best) = self.index.best(|hash| self.is_reachable(hash)) else { return Ok(()) };
        let above = self.index.downward(&best).take_while(|entry| !self.is_active(&entry.header.hash()));
        let path: Vec<HeaderEntry> = above.copied().collect();
        let (Some(first), Some(last)) = (path.last(), path.first()) else { return Ok(()) };
        if first.header.previous != self.tip().hash {
            return Ok(());
        }
        for entry in path.iter().rev() {
            let hash = entry.header.hash();
            match self.connect(&hash, None, &|_| None) {
                Ok(()) => tell(entry.height, last.height),
                Err(BlockError::Store(error)) => return Err(error.into()),
                // Another branch may be the best now.
                Err(_) => return Ok(self.mark(hash)?),
            }
        }
        Ok(())
    }

    fn activate_best(&mut self, mut change: Accepted) -> Result<Accepted, BlockError> {
        loop {
            let tip = self.tip();
            let best = self.index.best(|hash| self.is_reachable(hash));
            let best = best.filter(|best| self.index.get(best).is_some_and(|entry| entry.work > tip.entry.work));
            let Some(best) = best else { return Ok(change) };
            match self.activate(best, None, &|_| None) {
                Ok(more) => {
                    change.disconnected.extend(more.disconnected);
                    change.connected.extend(more.connected);
                }
                // The failed block is marked, so that the next best is another.
                Err(BlockError::Store(error)) => return Err(error.into()),
                Err(_) => {}
            }
        }
    }

    /// Makes the branch that ends at `target`, whose ids may be known, the active one, or leaves everything as it was.
    fn activate(
        &mut self,
        target: BlockHash,
        ids: Option<Ids>,
        verified: &Verified<'_>,
    ) -> Result<Accepted, BlockError> {
        let mut path: Vec<BlockHash> = self
            .index
            .downward(&target)
            .map(|entry| entry.header.hash())
            .take_while(|hash| !self.is_active(hash))
            .collect();
        path.reverse();
        let first = path.first().and_then(|hash| self.index.get(hash)).ok_or(BlockError::Orphan)?;
        let fork = Height::new(first.height.get().saturating_sub(1));
        let undone = self.disconnect_to(fork)?;
        for hash in &path {
            if let Err(error) = self.connect(hash, ids.as_ref().filter(|_| *hash == target), verified) {
                self.restore(fork, &undone)?;
                return Err(self.blame(*hash, target, error)?);
            }
        }
        let disconnected = self.bodies(undone.iter().map(|delta| delta.hash))?;
        let known = ids.map(|ids| (target, ids.txids));
        Ok(Accepted { disconnected, connected: self.bodies(path)?, known })
    }

    fn blame(&mut self, hash: BlockHash, target: BlockHash, error: BlockError) -> Result<BlockError, StoreError> {
        if matches!(error, BlockError::Store(_)) {
            return Ok(error);
        }
        self.mark(hash)?;
        Ok(if hash == target { error } else { BlockError::Branch { hash, error: Box::new(error) } })
    }

    /// What is declared about a header without a block is only in memory, as the header is.
    fn mark(&mut self, hash: BlockHash) -> Result<(), StoreError> {
        if self.index.get(&hash).is_some_and(|entry| entry.has_block) {
            self.store.mark(&hash, true)?;
        }
        self.index.mark(hash);
        Ok(())
    }

    fn connect(&mut self, hash: &BlockHash, ids: Option<&Ids>, verified: &Verified<'_>) -> Result<(), BlockError> {
        let block = self.store.block(hash)?.ok_or(StoreError::Damaged("a kept block is missing"))?;
        let hashed;
        let ids = match ids {
            Some(ids) => ids,
            None => {
                hashed = Ids::of(&block, self.workers);
                &hashed
            }
        };
        let delta = self.delta_of(&block, &ids.txids, verified)?;
        self.store.connect(delta)?;
        self.active.push(*hash);
        Ok(())
    }

    /// What a block on top of the tip would change, if its transactions are good.
    fn delta_of(&self, block: &Block, txids: &[Txid], verified: &Verified<'_>) -> Result<BlockDelta, BlockError> {
        self.delta_at(self.next_place(), &|outpoints| self.store.coins(outpoints), block, txids, verified)
    }

    /// What a block of the active chain, or the next, would change if its inputs found these coins.
    pub(crate) fn delta_at(
        &self,
        place: Place,
        look_up: &LookUp<'_>,
        block: &Block,
        txids: &[Txid],
        verified: &Verified<'_>,
    ) -> Result<BlockDelta, BlockError> {
        let (index, active) = (&self.index, &self.active);
        let median_before = |height| median_before(index, active, height);
        let at = Surroundings { params: &self.params, place, runner: self.runner(), median_before: &median_before };
        check_and_build(&at, look_up, block, txids, verified)
    }

    /// Takes back the active blocks above `height`; returns what was taken back, highest first.
    fn disconnect_to(&mut self, height: Height) -> Result<Vec<BlockDelta>, StoreError> {
        let mut undone = Vec::new();
        // All of it can be taken back, or nothing is.
        if self.tip().entry.height > height && height.next() < self.lowest_kept {
            return Err(StoreError::Pruned);
        }
        while self.tip().entry.height > height {
            undone.push(self.store.disconnect()?);
            self.active.pop();
        }
        Ok(undone)
    }

    /// Takes back what was connected above `fork` and applies again what was taken back before.
    fn restore(&mut self, fork: Height, undone: &[BlockDelta]) -> Result<(), StoreError> {
        self.disconnect_to(fork)?;
        for delta in undone.iter().rev() {
            self.store.connect(delta.clone())?;
            self.active.push(delta.hash);
        }
        Ok(())
    }

    fn bodies(&self, hashes: impl IntoIterator<Item = BlockHash>) -> Result<Vec<Arc<Block>>, StoreError> {
        let body = |hash| self.store.block(&hash)?.ok_or(StoreError::Damaged("a kept block is missing"));
        hashes.into_iter().map(body).collect()
    }
}

/// Whether a block's failure condemns its header: not if the header may have another body.
///
/// Only a body whose ids give the root is the header's own, and one of 64-byte transactions may be inner nodes of the tree that
/// pass for transactions.
fn says_about_header(error: &BlockError, block: &Block) -> bool {
    use BlockError::{DuplicateTransaction, Length, MerkleRoot, Order, Store};
    let own = !matches!(error, Length | DuplicateTransaction | Order | MerkleRoot | Store(_));
    own && block.transactions.iter().all(|tx| tx.len_bytes() != 64)
}

/// The median time past of the active block below `height`; the tip's for heights above.
fn median_before(index: &Index, active: &[BlockHash], height: Height) -> u32 {
    let below = usize::try_from(height.get().saturating_sub(1)).unwrap_or(usize::MAX);
    let hash = active.get(below).or(active.last());
    hash.map_or(0, |hash| index.median_time_past(hash))
}

/// Puts the first block into an empty store. It makes no coins.
fn start(store: &mut impl Store, genesis: Block) -> Result<(), StoreError> {
    let header: BlockHeader = genesis.header;
    let txids = genesis.transactions.iter().map(Transaction::txid).collect();
    let delta = BlockDelta {
        hash: header.hash(),
        previous: header.previous,
        height: Height::GENESIS,
        spent: Vec::new(),
        created: Vec::new(),
        txids,
    };
    // It is there already if an interruption came between the two.
    if store.block(&delta.hash)?.is_none() {
        let record = HeaderRecord { header, height: Height::GENESIS, invalid: false, transactions: 1 };
        store.put_block(&record, Arc::new(genesis))?;
    }
    store.connect(delta)
}
