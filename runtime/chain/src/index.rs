//! Every known header, as a tree.

use std::collections::{BTreeMap, BTreeSet};

use spec::{BlockHash, BlockHeader, Height};

use crate::store::{HeaderRecord, StoreError};

/// What is known about a block's validity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing speaks against it.
    Fine,
    /// It or a block below it is invalid, or was declared so.
    Invalid,
}

/// A known header and its place in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderEntry {
    /// The header.
    pub header: BlockHeader,
    /// Its height.
    pub height: Height,
    /// The expected number of hashes that it and all blocks below took.
    pub work: u128,
    /// Whether it can be part of the active chain.
    pub status: Status,
    /// Whether its block is kept, and so those of all below; otherwise the header alone is known.
    pub has_block: bool,
    /// How many transactions the block has; none are known of before it is kept.
    pub transactions: u32,
}

/// The number of blocks whose times a median is taken of.
const MEDIAN_BLOCKS: usize = 11;

/// The tree of headers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    entries: BTreeMap<BlockHash, HeaderEntry>,
    /// All hashes, parents before children, in the order in which they came.
    arrivals: Vec<BlockHash>,
    /// The blocks that are invalid themselves.
    marks: BTreeSet<BlockHash>,
    /// The heaviest header that nothing speaks against; of equals, the one that came first.
    best_header: Option<BlockHash>,
    /// How many headers have no block.
    bare: usize,
}

impl Index {
    pub(crate) fn load(records: &[HeaderRecord]) -> Result<Self, StoreError> {
        let mut index = Self::default();
        for record in records {
            let genesis = record.height == Height::GENESIS;
            if !genesis && !index.entries.contains_key(&record.header.previous) {
                return Err(StoreError::Damaged("a header comes before its parent"));
            }
            let hash = index.insert(&record.header);
            index.complete(&hash, record.transactions);
            if record.invalid {
                index.marks.insert(hash);
            }
        }
        index.refresh();
        Ok(index)
    }

    pub(crate) fn get(&self, hash: &BlockHash) -> Option<&HeaderEntry> {
        self.entries.get(hash)
    }

    /// Adds a header whose parent is known, or the first. Its block is not there yet.
    pub(crate) fn insert(&mut self, header: &BlockHeader) -> BlockHash {
        let hash = header.hash();
        let parent = self.entries.get(&header.previous);
        let height = parent.map_or(Height::GENESIS, |parent| parent.height.next());
        let work = parent.map_or(0, |parent| parent.work).saturating_add(header.bits.work());
        let status = parent.map_or(Status::Fine, |parent| parent.status);
        let entry = HeaderEntry { header: *header, height, work, status, has_block: false, transactions: 0 };
        self.entries.insert(hash, entry);
        self.arrivals.push(hash);
        self.bare += 1;
        let best = self.best_header.and_then(|best| self.entries.get(&best));
        if status == Status::Fine && best.is_none_or(|best| work > best.work) {
            self.best_header = Some(hash);
        }
        hash
    }

    /// The block of a known header is kept now. Those below are.
    pub(crate) fn complete(&mut self, hash: &BlockHash, transactions: u32) {
        if let Some(entry) = self.entries.get_mut(hash).filter(|entry| !entry.has_block) {
            entry.has_block = true;
            entry.transactions = transactions;
            self.bare -= 1;
        }
    }

    /// The heaviest header that nothing speaks against, with its block or without; of equals, the one that came first.
    pub(crate) const fn best_header(&self) -> Option<BlockHash> {
        self.best_header
    }

    /// How many headers have no block.
    pub(crate) const fn bare(&self) -> usize {
        self.bare
    }

    /// Forgets the headers that have no block and are not below the best.
    pub(crate) fn forget_aside(&mut self) {
        let best = self.best_header.unwrap_or_default();
        let kept: BTreeSet<BlockHash> =
            self.downward(&best).take_while(|entry| !entry.has_block).map(|entry| entry.header.hash()).collect();
        self.entries.retain(|hash, entry| entry.has_block || kept.contains(hash));
        let entries = &self.entries;
        self.arrivals.retain(|hash| entries.contains_key(hash));
        self.marks.retain(|hash| entries.contains_key(hash));
        self.bare = kept.len();
    }

    /// Declares a block invalid, and with it all that build on it.
    pub(crate) fn mark(&mut self, hash: BlockHash) {
        self.marks.insert(hash);
        self.refresh();
    }

    /// Takes back the marks of a block and of all blocks below and above it; returns those that had one.
    pub(crate) fn unmark(&mut self, hash: &BlockHash) -> Vec<BlockHash> {
        let related = |mark: &BlockHash| self.descends(mark, hash) || self.descends(hash, mark);
        let marks: Vec<_> = self.marks.iter().filter(|mark| related(mark)).copied().collect();
        for mark in &marks {
            self.marks.remove(mark);
        }
        self.refresh();
        marks
    }

    /// The heaviest block that is kept, that nothing speaks against and that `can` be reached; of equals, the one that came first.
    pub(crate) fn best(&self, can: impl Fn(&BlockHash) -> bool) -> Option<BlockHash> {
        self.heaviest(|hash, entry| entry.has_block && can(hash))
    }

    fn heaviest(&self, counts: impl Fn(&BlockHash, &HeaderEntry) -> bool) -> Option<BlockHash> {
        let mut best: Option<(u128, BlockHash)> = None;
        for hash in &self.arrivals {
            match self.entries.get(hash) {
                Some(entry)
                    if entry.status == Status::Fine
                        && best.is_none_or(|(work, _)| entry.work > work)
                        && counts(hash, entry) =>
                {
                    best = Some((entry.work, *hash));
                }
                _ => {}
            }
        }
        best.map(|(_, hash)| hash)
    }

    /// The blocks that no known block builds on, in the order in which they came.
    pub(crate) fn leaves(&self) -> Vec<BlockHash> {
        let parents: BTreeSet<_> = self.entries.values().map(|entry| entry.header.previous).collect();
        self.arrivals.iter().filter(|hash| !parents.contains(hash)).copied().collect()
    }

    /// The median time of a block and the ten below it; 0 for an unknown block.
    pub(crate) fn median_time_past(&self, hash: &BlockHash) -> u32 {
        let mut times: Vec<u32> = self.downward(hash).take(MEDIAN_BLOCKS).map(|entry| entry.header.time).collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or(0)
    }

    /// A block and all below it.
    pub(crate) fn downward(&self, hash: &BlockHash) -> impl Iterator<Item = &HeaderEntry> {
        std::iter::successors(self.get(hash), |entry| self.get(&entry.header.previous))
    }

    /// Whether `above` is `below` or builds on it.
    fn descends(&self, above: &BlockHash, below: &BlockHash) -> bool {
        let Some(target) = self.get(below) else { return false };
        self.downward(above).find(|entry| entry.height <= target.height) == Some(target)
    }

    fn refresh(&mut self) {
        for hash in &self.arrivals {
            let Some(entry) = self.entries.get(hash) else { continue };
            let parent = self.entries.get(&entry.header.previous);
            let inherited = parent.is_some_and(|parent| parent.status == Status::Invalid);
            let status = if inherited || self.marks.contains(hash) { Status::Invalid } else { Status::Fine };
            if let Some(entry) = self.entries.get_mut(hash) {
                entry.status = status;
            }
        }
        self.best_header = self.heaviest(|_, _| true);
    }
}
