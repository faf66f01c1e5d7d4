//! A store in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use spec::{Block, BlockHash, Category, OutPoint, Txid};

use crate::store::{BlockDelta, Coin, HeaderRecord, Store, StoreError, TxLocation};

/// Keeps everything in memory; a clone is a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryStore {
    coins: BTreeMap<OutPoint, Coin>,
    by_lock: BTreeMap<Vec<u8>, BTreeSet<OutPoint>>,
    by_category: BTreeSet<(Category, OutPoint)>,
    transactions: BTreeMap<Txid, TxLocation>,
    undo: Vec<BlockDelta>,
    blocks: BTreeMap<BlockHash, Arc<Block>>,
    headers: Vec<HeaderRecord>,
    places: BTreeMap<BlockHash, usize>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn add(&mut self, coins: &[(OutPoint, Coin)]) {
        for (outpoint, coin) in coins {
            self.by_lock.entry(coin.output.lock.clone()).or_default().insert(*outpoint);
            self.by_category.extend(coin.category().map(|category| (*category, *outpoint)));
            self.coins.insert(*outpoint, coin.clone());
        }
    }

    fn remove(&mut self, coins: &[(OutPoint, Coin)]) {
        for (outpoint, coin) in coins {
            self.coins.remove(outpoint);
            if let Some(category) = coin.category() {
                self.by_category.remove(&(*category, *outpoint));
            }
            if let Some(same_lock) = self.by_lock.get_mut(&coin.output.lock) {
                same_lock.remove(outpoint);
                if same_lock.is_empty() {
                    self.by_lock.remove(&coin.output.lock);
                }
            }
        }
    }
}

impl Store for MemoryStore {
    fn tip(&self) -> Result<Option<BlockHash>, StoreError> {
        Ok(self.undo.last().map(|delta| delta.hash))
    }

    fn coins(&self, outpoints: &[OutPoint]) -> Result<Vec<Option<Coin>>, StoreError> {
        Ok(outpoints.iter().map(|outpoint| self.coins.get(outpoint).cloned()).collect())
    }

    fn connect(&mut self, delta: BlockDelta) -> Result<(), StoreError> {
        self.remove(&delta.spent);
        self.add(&delta.created);
        for (position, txid) in (0..).zip(&delta.txids) {
            let location = TxLocation { block: delta.hash, height: delta.height, position };
            self.transactions.insert(*txid, location);
        }
        self.undo.push(delta);
        Ok(())
    }

    fn disconnect(&mut self) -> Result<BlockDelta, StoreError> {
        let delta = self.undo.pop().ok_or(StoreError::Damaged("no block to take back"))?;
        self.remove(&delta.created);
        self.add(&delta.spent);
        for txid in &delta.txids {
            self.transactions.remove(txid);
        }
        Ok(delta)
    }

    fn delta(&self, hash: &BlockHash) -> Result<Option<BlockDelta>, StoreError> {
        Ok(self.undo.iter().rev().find(|delta| delta.hash == *hash).cloned())
    }

    fn locate(&self, txid: &Txid) -> Result<Option<TxLocation>, StoreError> {
        Ok(self.transactions.get(txid).copied())
    }

    fn put_block(&mut self, record: &HeaderRecord, block: Arc<Block>) -> Result<(), StoreError> {
        let hash = record.header.hash();
        self.blocks.insert(hash, block);
        self.places.insert(hash, self.headers.len());
        self.headers.push(*record);
        Ok(())
    }

    fn block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, StoreError> {
        Ok(self.blocks.get(hash).cloned())
    }

    fn mark(&mut self, hash: &BlockHash, invalid: bool) -> Result<(), StoreError> {
        let place = self.places.get(hash).and_then(|place| self.headers.get_mut(*place));
        place.ok_or(StoreError::Damaged("no such header"))?.invalid = invalid;
        Ok(())
    }

    fn headers(&self) -> Result<Vec<HeaderRecord>, StoreError> {
        Ok(self.headers.clone())
    }

    fn visit_coins(&self, visit: &mut dyn FnMut(&OutPoint, &Coin)) -> Result<(), StoreError> {
        self.coins.iter().for_each(|(outpoint, coin)| visit(outpoint, coin));
        Ok(())
    }

    fn coins_by_lock(&self, lock: &[u8]) -> Result<Vec<(OutPoint, Coin)>, StoreError> {
        let same_lock = self.by_lock.get(lock).into_iter().flatten();
        Ok(same_lock.filter_map(|outpoint| Some((*outpoint, self.coins.get(outpoint)?.clone()))).collect())
    }

    fn coins_by_category(&self, category: &Category, max: usize) -> Result<Vec<(OutPoint, Coin)>, StoreError> {
        let lowest = OutPoint { txid: Txid::from_wire([0; 32]), index: 0 };
        let from = self.by_category.range((*category, lowest)..);
        let same = from.take_while(|(other, _)| other == category).take(max);
        Ok(same.filter_map(|(_, outpoint)| Some((*outpoint, self.coins.get(outpoint)?.clone()))).collect())
    }
}
