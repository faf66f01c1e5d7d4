//! Checking again what a store holds, from reading the blocks to running all their scripts.

use std::collections::BTreeMap;
use std::sync::Arc;

use spec::{Block, Height, OutPoint};

use crate::block::{Ids, check_body};
use crate::error::BlockError;
use crate::state::Chain;
use crate::store::{BlockDelta, Coin, Store, StoreError};
use crate::transaction::Place;

impl<S: Store> Chain<S> {
    /// Checks the last blocks of the active chain again, all of them if `blocks` is 0. Nothing changes.
    ///
    /// Level 0 reads the blocks, 1 checks their bodies, 2 reads what they changed, 3 takes them back beside the coins, and 4
    /// connects them again, with all scripts. Levels 3 and 4 keep in memory what the blocks changed. Of blocks of which data was
    /// dropped, and of those below, only what is left is read, and that its ids lead to the header's root.
    ///
    /// # Errors
    /// The first rule that is broken, or what is damaged.
    pub fn verify(&self, level: u8, blocks: u32) -> Result<(), BlockError> {
        let tip = self.tip().entry.height.get();
        let count = if blocks == 0 { tip } else { blocks.min(tip) };
        let lowest = tip - count + 1;
        // What is not whole can be neither taken back nor connected.
        let whole_from = lowest.max(self.lowest_kept().get());
        for height in (lowest..whole_from).map(Height::new) {
            self.read_what_is_left(height)?;
        }
        let heights = (whole_from..=tip).map(Height::new);
        let mut view = View { store: self.store(), changed: BTreeMap::new() };
        for height in heights.clone().rev() {
            let (block, place) = self.kept_at(height)?;
            if level >= 1 {
                let workers = self.runner().workers;
                check_body(self.params(), &block, &Ids::of(&block, workers), place, workers)?;
            }
            let delta = if level >= 2 { Some(self.kept_delta(&block)?) } else { None };
            if let Some(delta) = delta.filter(|_| level >= 3) {
                view.exchange(&delta.created, &delta.spent)?;
            }
        }
        for height in heights.filter(|_| level >= 4) {
            self.connect_beside(&mut view, height)?;
        }
        Ok(())
    }

    fn read_what_is_left(&self, height: Height) -> Result<(), StoreError> {
        match self.block_at(height) {
            Err(StoreError::Pruned) => {}
            read => return read.map(drop),
        }
        let hash = self.hash_at(height).ok_or(StoreError::Damaged("an active block is missing"))?;
        self.remains(&hash)?.map(drop).ok_or(StoreError::Pruned)
    }

    fn connect_beside(&self, view: &mut View<'_, S>, height: Height) -> Result<(), BlockError> {
        let (block, place) = self.kept_at(height)?;
        let txids = Ids::of(&block, self.runner().workers).txids;
        let delta = self.delta_at(place, &|outpoints| view.coins(outpoints), &block, &txids, &|_| None)?;
        if delta != self.kept_delta(&block)? {
            return Err(StoreError::Damaged("an undo record is not what its block changed").into());
        }
        Ok(view.exchange(&delta.spent, &delta.created)?)
    }

    fn kept_at(&self, height: Height) -> Result<(Arc<Block>, Place), StoreError> {
        let block = self.block_at(height)?.ok_or(StoreError::Damaged("an active block is missing"))?;
        Ok((block, Place { height, median_time_past: self.median_before(height) }))
    }

    fn kept_delta(&self, block: &Block) -> Result<BlockDelta, StoreError> {
        let delta = self.store().delta(&block.header.hash())?;
        delta.ok_or(StoreError::Damaged("an undo record is missing"))
    }
}

/// The coins of a store, and what would be different.
struct View<'a, S> {
    store: &'a S,
    changed: BTreeMap<OutPoint, Option<Coin>>,
}

impl<S: Store> View<'_, S> {
    fn coins(&self, outpoints: &[OutPoint]) -> Result<Vec<Option<Coin>>, StoreError> {
        let stored = self.store.coins(outpoints)?;
        let now = |(outpoint, stored)| self.changed.get(outpoint).cloned().unwrap_or(stored);
        Ok(outpoints.iter().zip(stored).map(now).collect())
    }

    /// Takes out coins that must be there just so, and puts in others that must not be there.
    fn exchange(&mut self, out: &[(OutPoint, Coin)], into: &[(OutPoint, Coin)]) -> Result<(), StoreError> {
        for (coins, present) in [(out, true), (into, false)] {
            let outpoints: Vec<OutPoint> = coins.iter().map(|(outpoint, _)| *outpoint).collect();
            for ((outpoint, coin), found) in coins.iter().zip(self.coins(&outpoints)?) {
                let expected = present.then(|| coin.clone());
                if found != expected {
                    return Err(StoreError::Damaged("the coins are not those of the blocks"));
                }
                self.changed.insert(*outpoint, (!present).then(|| coin.clone()));
            }
        }
        Ok(())
    }
}
