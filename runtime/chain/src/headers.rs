//! Headers that come before their blocks: a chain of them is judged, and the blocks it names are asked for, before any block comes.
//!
//! They are only in memory. Which branch is active depends on blocks alone.

use spec::{BlockHash, BlockHeader, Height};

use crate::block::check_header;
use crate::error::BlockError;
use crate::index::{HeaderEntry, Status};
use crate::state::Chain;
use crate::store::Store;
use crate::transaction::Place;

/// So many headers may wait for their blocks, which takes about 50 MB.
pub const HEADERS_AHEAD_MAX: usize = 200_000;

/// What came of a list of headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// How many were new.
    pub new: usize,
    /// The last that is known now.
    pub last: Option<BlockHash>,
    /// Why the one after it was refused.
    pub refused: Option<BlockError>,
}

impl<S: Store> Chain<S> {
    /// Takes in a header whose block may come later. One that is known changes nothing.
    ///
    /// # Errors
    /// The first rule that is broken; [`BlockError::TooManyHeaders`] if too many wait for their blocks.
    pub fn accept_header(&mut self, header: &BlockHeader, now: u32) -> Result<BlockHash, BlockError> {
        let hash = header.hash();
        match self.index.get(&hash).map(|entry| entry.status) {
            Some(Status::Fine) => return Ok(hash),
            Some(Status::Invalid) => return Err(BlockError::DuplicateInvalid),
            None => {}
        }
        let place = self.place_of(header)?;
        // A header on top of one without a block was asked this when that one came.
        let on_block = self.index.get(&header.previous).is_some_and(|parent| parent.has_block);
        if on_block && !self.is_reachable(&header.previous) {
            return Err(BlockError::TooDeep);
        }
        self.check_header_at(header, place, now)?;
        if self.index.bare() >= HEADERS_AHEAD_MAX {
            self.index.forget_aside();
            let has_place = self.index.bare() < HEADERS_AHEAD_MAX && self.index.get(&header.previous).is_some();
            if !has_place {
                return Err(BlockError::TooManyHeaders);
            }
        }
        Ok(self.index.insert(header))
    }

    /// Takes in headers that follow each other, up to the first that is refused.
    pub fn accept_headers(&mut self, headers: &[BlockHeader], now: u32) -> Headers {
        let mut seen = Headers::default();
        for header in headers {
            let known = self.index.get(&header.hash()).is_some();
            match self.accept_header(header, now) {
                Ok(hash) => (seen.last, seen.new) = (Some(hash), seen.new + usize::from(!known)),
                Err(error) => {
                    seen.refused = Some(error);
                    break;
                }
            }
        }
        seen
    }

    /// The heaviest chain of headers that nothing speaks against; its blocks need not be there.
    #[must_use]
    pub fn best_header(&self) -> HeaderEntry {
        let best = self.index.best_header().and_then(|hash| self.index.get(&hash).copied());
        best.unwrap_or_else(|| self.tip().entry)
    }

    /// The blocks that are missing up to a known header, lowest first, but not those above `above`, which is one of them.
    ///
    /// None if something speaks against the header.
    #[must_use]
    pub fn missing_blocks(&self, up_to: &BlockHash, above: Option<&BlockHash>) -> Vec<BlockHash> {
        let fine = |entry: &&HeaderEntry| !entry.has_block && entry.status == Status::Fine;
        let missing = self.index.downward(up_to).take_while(fine).map(|entry| entry.header.hash());
        let mut missing: Vec<BlockHash> = missing.take_while(|hash| Some(hash) != above).collect();
        missing.reverse();
        missing
    }

    /// Hashes of a branch from `from` downward, ever sparser, down to the genesis block: whoever has another branch finds the fork by them.
    #[must_use]
    pub fn locator(&self, from: &BlockHash) -> Vec<BlockHash> {
        let (mut hashes, mut step, mut next) = (Vec::new(), 1u32, self.index.get(from).map(|entry| entry.height));
        for entry in self.index.downward(from) {
            if Some(entry.height) != next {
                continue;
            }
            let hash = entry.header.hash();
            // Below the fork the active chain has them by height.
            if self.is_active(&hash) {
                hashes.extend(self.active_locator(entry.height, step, hashes.len()));
                return hashes;
            }
            hashes.push(hash);
            if hashes.len() >= DENSE {
                step = step.saturating_mul(2);
            }
            next = entry.height.get().checked_sub(step).map(Height::new);
        }
        hashes.extend(self.active.first());
        hashes
    }

    fn active_locator(&self, from: Height, mut step: u32, mut len: usize) -> Vec<BlockHash> {
        let (mut hashes, mut height) = (Vec::new(), from.get());
        while height > 0 {
            hashes.extend(self.hash_at(Height::new(height)));
            len += 1;
            if len >= DENSE {
                step = step.saturating_mul(2);
            }
            height = height.saturating_sub(step);
        }
        hashes.extend(self.hash_at(Height::GENESIS));
        hashes
    }

    /// The height above the highest active block among `locator`: what its sender lacks begins there.
    #[must_use]
    pub fn fork_height(&self, locator: &[BlockHash]) -> Height {
        let known = locator.iter().find(|hash| self.is_active(hash)).and_then(|hash| self.index.get(hash));
        known.map_or(Height::GENESIS, |entry| entry.height).next()
    }

    /// The headers of the active chain above the highest that `locator` names, up to `stop`, at most `max`.
    #[must_use]
    pub fn headers_after(&self, locator: &[BlockHash], stop: &BlockHash, max: usize) -> Vec<BlockHeader> {
        let above = (self.fork_height(locator).get()..).map_while(|height| self.hash_at(Height::new(height)));
        let mut headers = Vec::new();
        for hash in above.take(max) {
            headers.extend(self.index.get(&hash).map(|entry| entry.header));
            if hash == *stop {
                break;
            }
        }
        headers
    }

    /// Where a header stands, if its parent is known and fine.
    pub(crate) fn place_of(&self, header: &BlockHeader) -> Result<Place, BlockError> {
        let parent = self.index.get(&header.previous).ok_or(BlockError::Orphan)?;
        if parent.status == Status::Invalid {
            return Err(BlockError::InvalidParent);
        }
        Ok(Place { height: parent.height.next(), median_time_past: self.index.median_time_past(&header.previous) })
    }

    pub(crate) fn check_header_at(&self, header: &BlockHeader, place: Place, now: u32) -> Result<(), BlockError> {
        let due = self.target_after(&header.previous).ok_or(BlockError::Orphan)?;
        check_header(header, due, place, now)
    }
}

/// So many hashes of a locator follow each other without a gap.
const DENSE: usize = 10;
