//! What the chain needs kept, and the narrow trait of whatever keeps it.

use std::collections::BTreeSet;
use std::sync::Arc;

use spec::{Block, BlockHash, BlockHeader, Category, Height, OutPoint, Transaction, TxOut, Txid};

use crate::connect::made_by;
use crate::remains::Remains;

/// An unspent output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coin {
    /// Its amount, tokens and lock.
    pub output: TxOut,
    /// The height of the block that made it.
    pub height: Height,
    /// Whether a coinbase made it.
    pub coinbase: bool,
}

/// What one block changes: enough to apply it and, kept as its undo record, to take it back.
///
/// Coins that are made and spent within the block appear in neither list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockDelta {
    /// The block.
    pub hash: BlockHash,
    /// The block before it.
    pub previous: BlockHash,
    /// Its height.
    pub height: Height,
    /// The coins it spends, in ascending order of outpoints.
    pub spent: Vec<(OutPoint, Coin)>,
    /// The coins it leaves, in block order.
    pub created: Vec<(OutPoint, Coin)>,
    /// Its transactions, in block order.
    pub txids: Vec<Txid>,
}

impl Coin {
    /// The category of its tokens.
    #[must_use]
    pub fn category(&self) -> Option<&Category> {
        self.output.token.as_ref().map(|token| &token.category)
    }
}

impl BlockDelta {
    /// The coins that a block spends, those of other blocks, in ascending order of their outpoints.
    #[must_use]
    pub fn claims(block: &Block) -> Vec<OutPoint> {
        let txids: Vec<Txid> = block.transactions.iter().map(Transaction::txid).collect();
        claims(block, &txids).1
    }

    /// What a good block changed, from the block and the coins that it spent, in ascending order of their outpoints: a store need not keep more.
    ///
    /// `None` if the coins are fewer or more than the block spends.
    #[must_use]
    pub fn rebuild(block: &Block, height: Height, spent: Vec<Coin>) -> Option<Self> {
        let txids: Vec<Txid> = block.transactions.iter().map(Transaction::txid).collect();
        let (claimed, foreign) = claims(block, &txids);
        // The first block makes no coins.
        let makers = block.transactions.iter().zip(&txids).filter(|_| height != Height::GENESIS);
        let made = makers.flat_map(|(tx, txid)| made_by(tx, *txid, height));
        let created = made.filter(|(outpoint, _)| !claimed.contains(outpoint)).collect();
        (foreign.len() == spent.len()).then(|| Self {
            hash: block.header.hash(),
            previous: block.header.previous,
            height,
            spent: foreign.into_iter().zip(spent).collect(),
            created,
            txids,
        })
    }
}

/// All that a block's inputs name, and those among it that other blocks made, in ascending order.
fn claims(block: &Block, txids: &[Txid]) -> (BTreeSet<OutPoint>, Vec<OutPoint>) {
    let inputs = block.transactions.iter().skip(1).flat_map(|tx| &tx.inputs).map(|input| input.prevout);
    let claimed: BTreeSet<OutPoint> = inputs.collect();
    let own: BTreeSet<&Txid> = txids.iter().collect();
    let foreign = claimed.iter().filter(|outpoint| !own.contains(&outpoint.txid)).copied().collect();
    (claimed, foreign)
}

/// Where a transaction of the active chain stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxLocation {
    /// The block that holds it.
    pub block: BlockHash,
    /// That block's height.
    pub height: Height,
    /// Its position in the block, from 0.
    pub position: u32,
}

/// A known header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderRecord {
    /// The header.
    pub header: BlockHeader,
    /// Its height.
    pub height: Height,
    /// Whether the block was found to be invalid, or declared so.
    pub invalid: bool,
    /// How many transactions its block has.
    pub transactions: u32,
}

/// A store failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The medium failed.
    #[error("the store cannot be read or written: {0}")]
    Io(std::io::ErrorKind),
    /// What was read contradicts itself.
    #[error("the store is damaged: {0}")]
    Damaged(&'static str),
    /// The block was kept once and dropped to save space.
    #[error("Block not available (pruned data)")]
    Pruned,
    /// The transaction's block is kept, and data of the transaction was dropped.
    #[error("Transaction {0} not available (pruned data)")]
    DataPruned(Txid),
}

/// Keeps blocks, headers and the coins of the active chain.
///
/// Coins, undo records, the index of transactions and the tip marker change together: [`Store::connect`]
/// and [`Store::disconnect`] each happen entirely or not at all, whatever interrupts them.
pub trait Store: std::fmt::Debug + Send + Sync {
    /// The block that the coins belong to; `None` before the first [`Store::connect`].
    ///
    /// # Errors
    /// [`StoreError`], here and below.
    fn tip(&self) -> Result<Option<BlockHash>, StoreError>;

    /// The unspent outputs among `outpoints`, in the same order.
    ///
    /// # Errors
    /// [`StoreError`].
    fn coins(&self, outpoints: &[OutPoint]) -> Result<Vec<Option<Coin>>, StoreError>;

    /// Applies a block to the coins and moves the tip to it. The caller has checked that it follows the tip.
    ///
    /// # Errors
    /// [`StoreError`].
    fn connect(&mut self, delta: BlockDelta) -> Result<(), StoreError>;

    /// Takes back the tip's block, moves the tip to the one before, and returns what was taken back.
    ///
    /// # Errors
    /// [`StoreError`].
    fn disconnect(&mut self) -> Result<BlockDelta, StoreError>;

    /// What a block of the active chain changed; `None` for other blocks.
    ///
    /// # Errors
    /// [`StoreError`].
    fn delta(&self, hash: &BlockHash) -> Result<Option<BlockDelta>, StoreError>;

    /// Where a transaction of the active chain stands.
    ///
    /// # Errors
    /// [`StoreError`].
    fn locate(&self, txid: &Txid) -> Result<Option<TxLocation>, StoreError>;

    /// Keeps a block, of whatever branch, with its header's record. It may be written while the caller goes on: what then fails is
    /// told by [`Store::settle`], and by every change before which the block must be kept.
    ///
    /// # Errors
    /// [`StoreError`].
    fn put_block(&mut self, record: &HeaderRecord, block: Arc<Block>) -> Result<(), StoreError>;

    /// Waits until the block is kept that was put last.
    ///
    /// # Errors
    /// [`StoreError`].
    fn settle(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// A kept block.
    ///
    /// # Errors
    /// [`StoreError::Pruned`] for one that was dropped, or of which data was.
    fn block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, StoreError>;

    /// Changes whether a kept block counts as invalid.
    ///
    /// # Errors
    /// [`StoreError`].
    fn mark(&mut self, hash: &BlockHash, invalid: bool) -> Result<(), StoreError>;

    /// Every header record, parents before children, in the order in which they were kept.
    ///
    /// # Errors
    /// [`StoreError`].
    fn headers(&self) -> Result<Vec<HeaderRecord>, StoreError>;

    /// Shows every unspent output, in ascending order of outpoints.
    ///
    /// # Errors
    /// [`StoreError`].
    fn visit_coins(&self, visit: &mut dyn FnMut(&OutPoint, &Coin)) -> Result<(), StoreError>;

    /// The unspent outputs with this lock, in ascending order of outpoints.
    ///
    /// # Errors
    /// [`StoreError`].
    fn coins_by_lock(&self, lock: &[u8]) -> Result<Vec<(OutPoint, Coin)>, StoreError>;

    /// The first `max` unspent outputs with tokens of this category, in ascending order of outpoints.
    ///
    /// # Errors
    /// [`StoreError`].
    fn coins_by_category(&self, category: &Category, max: usize) -> Result<Vec<(OutPoint, Coin)>, StoreError>;

    /// Drops the oldest blocks and what they changed, as long as blocks take more than `bytes_max` and none that goes stands
    /// above `highest`; headers, coins and places of transactions stay. Blocks that are kept together go together, so fewer may go
    /// than could. A store that keeps all does nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    fn prune(&mut self, _highest: Height, _bytes_max: u64) -> Result<(), StoreError> {
        Ok(())
    }

    /// Drops outputs that are data of more than `above` bytes from a run of old blocks, none of them above `highest`; all else stays.
    /// Says whether another call may drop more. A store that keeps all does nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    fn prune_data(&mut self, _highest: Height, _above: usize) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// What is left of a block of which data was dropped; nothing for others.
    ///
    /// # Errors
    /// [`StoreError`].
    fn remains(&self, _hash: &BlockHash) -> Result<Option<Remains>, StoreError> {
        Ok(None)
    }

    /// Whether a block was dropped, or data of it.
    fn is_pruned(&self, _hash: &BlockHash) -> bool {
        false
    }

    /// The bytes that blocks take on the medium.
    fn block_bytes(&self) -> u64 {
        0
    }
}

/// A store that is chosen when the program runs.
impl<S: Store + ?Sized> Store for Box<S> {
    fn tip(&self) -> Result<Option<BlockHash>, StoreError> {
        (**self).tip()
    }

    fn coins(&self, outpoints: &[OutPoint]) -> Result<Vec<Option<Coin>>, StoreError> {
        (**self).coins(outpoints)
    }

    fn connect(&mut self, delta: BlockDelta) -> Result<(), StoreError> {
        (**self).connect(delta)
    }

    fn disconnect(&mut self) -> Result<BlockDelta, StoreError> {
        (**self).disconnect()
    }

    fn delta(&self, hash: &BlockHash) -> Result<Option<BlockDelta>, StoreError> {
        (**self).delta(hash)
    }

    fn locate(&self, txid: &Txid) -> Result<Option<TxLocation>, StoreError> {
        (**self).locate(txid)
    }

    fn put_block(&mut self, record: &HeaderRecord, block: Arc<Block>) -> Result<(), StoreError> {
        (**self).put_block(record, block)
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        (**self).settle()
    }

    fn block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, StoreError> {
        (**self).block(hash)
    }

    fn mark(&mut self, hash: &BlockHash, invalid: bool) -> Result<(), StoreError> {
        (**self).mark(hash, invalid)
    }

    fn headers(&self) -> Result<Vec<HeaderRecord>, StoreError> {
        (**self).headers()
    }

    fn visit_coins(&self, visit: &mut dyn FnMut(&OutPoint, &Coin)) -> Result<(), StoreError> {
        (**self).visit_coins(visit)
    }

    fn coins_by_lock(&self, lock: &[u8]) -> Result<Vec<(OutPoint, Coin)>, StoreError> {
        (**self).coins_by_lock(lock)
    }

    fn coins_by_category(&self, category: &Category, max: usize) -> Result<Vec<(OutPoint, Coin)>, StoreError> {
        (**self).coins_by_category(category, max)
    }

    fn prune(&mut self, highest: Height, bytes_max: u64) -> Result<(), StoreError> {
        (**self).prune(highest, bytes_max)
    }

    fn prune_data(&mut self, highest: Height, above: usize) -> Result<bool, StoreError> {
        (**self).prune_data(highest, above)
    }

    fn remains(&self, hash: &BlockHash) -> Result<Option<Remains>, StoreError> {
        (**self).remains(hash)
    }

    fn is_pruned(&self, hash: &BlockHash) -> bool {
        (**self).is_pruned(hash)
    }

    fn block_bytes(&self) -> u64 {
        (**self).block_bytes()
    }
}
