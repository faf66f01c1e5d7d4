//! Which blocks are asked for, of whom, and those that came before their parents.

use std::collections::{BTreeMap, VecDeque};

use spec::{Block, BlockHash};

use crate::limits::{EARLY_BYTES, WINDOW};
use crate::peer::PeerId;

/// Who was asked for a block, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) peer: PeerId,
    pub(crate) since: u64,
}

#[derive(Debug)]
struct Early {
    block: Block,
    from: PeerId,
    bytes: usize,
}

/// The missing blocks of one chain of headers.
#[derive(Debug, Default)]
pub(crate) struct Download {
    target: Option<BlockHash>,
    /// Lowest first.
    path: VecDeque<BlockHash>,
    /// Where each stands in the path, counted from a first one that may be gone.
    places: BTreeMap<BlockHash, u64>,
    gone: u64,
    asked: BTreeMap<BlockHash, Asked>,
    early: BTreeMap<BlockHash, Early>,
    early_bytes: usize,
}

impl Download {
    pub(crate) fn is_empty(&self) -> bool {
        self.path.is_empty()
    }

    pub(crate) const fn target(&self) -> Option<BlockHash> {
        self.target
    }

    pub(crate) fn last(&self) -> Option<&BlockHash> {
        self.path.back()
    }

    pub(crate) fn first(&self) -> Option<&BlockHash> {
        self.path.front()
    }

    /// Goes on with these after the last.
    pub(crate) fn extend(&mut self, target: BlockHash, hashes: Vec<BlockHash>) {
        for hash in hashes {
            self.places.insert(hash, self.gone + self.path.len() as u64);
            self.path.push_back(hash);
        }
        self.target = Some(target);
    }

    /// Turns to another chain; what came early for it stays.
    pub(crate) fn replace(&mut self, target: Option<BlockHash>, hashes: Vec<BlockHash>) {
        (self.path, self.places, self.gone) = (VecDeque::new(), BTreeMap::new(), 0);
        self.target = target;
        if let Some(target) = target {
            self.extend(target, hashes);
        }
        let places = &self.places;
        self.early.retain(|hash, _| places.contains_key(hash));
        self.early_bytes = self.early.values().map(|early| early.bytes).sum();
    }

    /// The first is there now.
    pub(crate) fn pop(&mut self) {
        if let Some(hash) = self.path.pop_front() {
            self.places.remove(&hash);
            self.gone += 1;
            self.asked.remove(&hash);
            if let Some(early) = self.early.remove(&hash) {
                self.early_bytes -= early.bytes;
            }
        }
    }

    pub(crate) fn place(&self, hash: &BlockHash) -> Option<u64> {
        self.places.get(hash).copied()
    }

    pub(crate) fn asked(&self, hash: &BlockHash) -> Option<Asked> {
        self.asked.get(hash).copied()
    }

    pub(crate) fn ask(&mut self, hash: BlockHash, peer: PeerId, since: u64) {
        self.asked.insert(hash, Asked { peer, since });
    }

    /// A request is answered or given up.
    pub(crate) fn release(&mut self, hash: &BlockHash, peer: PeerId) {
        if self.asked.get(hash).is_some_and(|asked| asked.peer == peer) {
            self.asked.remove(hash);
        }
    }

    /// The blocks of the window, lowest first, that have not come.
    pub(crate) fn wanted(&self) -> Vec<BlockHash> {
        let window = if self.early_bytes > EARLY_BYTES { 1 } else { WINDOW };
        self.path.iter().take(window).filter(|hash| !self.early.contains_key(hash)).copied().collect()
    }

    /// Keeps a block of the path for later.
    pub(crate) fn keep(&mut self, hash: BlockHash, block: Block, from: PeerId, bytes: usize) {
        let in_window = self.place(&hash).is_some_and(|place| place < self.gone + WINDOW as u64);
        if in_window && !self.early.contains_key(&hash) {
            self.early_bytes += bytes;
            self.early.insert(hash, Early { block, from, bytes });
        }
    }

    /// Whether the first has come already.
    pub(crate) fn has_next(&self) -> bool {
        self.path.front().is_some_and(|hash| self.early.contains_key(hash))
    }

    /// The first, if it has come, which stays.
    pub(crate) fn next(&self) -> Option<&Block> {
        self.early.get(self.path.front()?).map(|early| &early.block)
    }

    /// The first, if it has come.
    pub(crate) fn take_next(&mut self) -> Option<(PeerId, Block)> {
        let early = self.early.remove(self.path.front()?)?;
        self.early_bytes -= early.bytes;
        Some((early.from, early.block))
    }
}
