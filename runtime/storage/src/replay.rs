//! Going on after an end that left the tables behind the chain.
//!
//! Each block that was connected is in the files, and the new tip is written down before anybody is told. So the blocks
//! between the tables' tip and that one are taken back or applied again. Their rules were checked before.

use chain::{BlockDelta, Store as _, StoreError};
use spec::{BlockHash, Height};

use crate::disk::DiskStore;

/// How far blocks have been applied again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// So many of them.
    pub done: u32,
    /// So many there are.
    pub all: u32,
}

impl DiskStore {
    /// Moves the coins to where they were when a block was last connected or taken back.
    pub(crate) fn replay(&mut self, goal: Option<BlockHash>, tell: &mut dyn FnMut(Replayed)) -> Result<(), StoreError> {
        let mut above = Vec::new();
        let mut fork = goal;
        loop {
            let tip = self.tip()?;
            let (mine, theirs) = (self.height_of(tip)?, self.height_of(fork)?);
            match fork {
                _ if tip == fork => break,
                Some(hash) if mine < theirs => {
                    above.push(hash);
                    fork = self.parent(&hash)?;
                }
                _ => drop(self.take_back()?),
            }
        }
        let all = u32::try_from(above.len()).unwrap_or(u32::MAX);
        for (hash, done) in above.iter().rev().zip(1..) {
            self.apply_again(hash)?;
            tell(Replayed { done, all });
        }
        Ok(())
    }

    /// The height of a block; nothing is below all of them.
    fn height_of(&self, hash: Option<BlockHash>) -> Result<Option<Height>, StoreError> {
        hash.map(|hash| self.record(&hash).map(|record| record.height)).transpose()
    }

    fn parent(&self, hash: &BlockHash) -> Result<Option<BlockHash>, StoreError> {
        let record = self.record(hash)?;
        Ok(Some(record.header.previous).filter(|_| record.height != Height::GENESIS))
    }

    fn apply_again(&mut self, hash: &BlockHash) -> Result<(), StoreError> {
        let block = self.must_read(hash)?;
        let coins = self.coins(&BlockDelta::claims(&block))?;
        let spent: Option<Vec<_>> = coins.into_iter().collect();
        let spent = spent.ok_or(StoreError::Damaged("a block spends what is not there"))?;
        let delta = BlockDelta::rebuild(&block, self.record(hash)?.height, spent);
        self.apply(delta.ok_or(StoreError::Damaged("a block spends more than there is"))?)
    }
}
