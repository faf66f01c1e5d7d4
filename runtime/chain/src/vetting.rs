//! Judging blocks of unknown origin by all rules that need no coins, for a store that finds them in its files.

use spec::{Block, Height};

use crate::block::{Ids, check_body};
use crate::error::BlockError;
use crate::index::Index;
use crate::memory::MemoryStore;
use crate::params::Params;
use crate::state::Chain;
use crate::store::{HeaderRecord, StoreError};

/// Headers, and the rules by which blocks join them.
///
/// ```
/// use chain::{BlockError, Params, Vetting};
/// use spec::{Height, Network};
/// let params = Params::of(Network::Devnet);
/// let mut genesis = params.genesis();
/// let mut vetting = Vetting::new(params, &[]).unwrap();
/// assert_eq!(vetting.judge(&genesis), Ok(Height::GENESIS));
/// genesis.header.time += 1;
/// assert_eq!(vetting.judge(&genesis), Err(BlockError::Orphan));
/// ```
#[derive(Debug)]
pub struct Vetting {
    chain: Chain<MemoryStore>,
}

impl Vetting {
    /// Begins with the headers that a store keeps.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if they contradict each other.
    pub fn new(params: Params, known: &[HeaderRecord]) -> Result<Self, StoreError> {
        let mut chain = Chain::open(params, MemoryStore::new())?;
        // The first block has to come like all others, so that each has its parent before it.
        chain.index = Index::load(known)?;
        Ok(Self { chain })
    }

    /// Judges header and body of a block at its place, and lets others build on it if nothing speaks against it. Its time may be
    /// any after those below: what was accepted once was not too new then.
    ///
    /// # Errors
    /// The first rule that is broken; [`BlockError::Duplicate`] for a block that has joined already.
    pub fn judge(&mut self, block: &Block) -> Result<Height, BlockError> {
        let (hash, header) = (block.header.hash(), &block.header);
        let chain = &mut self.chain;
        if chain.index.get(&hash).is_some() {
            return Err(BlockError::Duplicate);
        }
        if chain.active.first() == Some(&hash) {
            chain.index.insert(header);
            chain.index.complete(&hash, 1);
            return Ok(Height::GENESIS);
        }
        let place = chain.place_of(header)?;
        chain.check_header_at(header, place, u32::MAX)?;
        let workers = chain.runner().workers;
        let ids = Ids::of(block, workers);
        check_body(&chain.params, block, &ids, place, workers)?;
        chain.index.insert(header);
        chain.index.complete(&hash, u32::try_from(ids.txids.len()).unwrap_or(u32::MAX));
        Ok(place.height)
    }
}
