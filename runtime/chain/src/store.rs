//! What the chain needs kept, and the narrow trait of whatever keeps it.

use std::sync::Arc;

use spec::{Block, BlockHash, BlockHeader, Height, OutPoint, TxOut, Txid};

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
    /// The coins it spends.
    pub spent: Vec<(OutPoint, Coin)>,
    /// The coins it leaves.
    pub created: Vec<(OutPoint, Coin)>,
    /// Its transactions, in block order.
    pub txids: Vec<Txid>,
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
}

/// Keeps blocks, headers and the coins of the active chain.
///
/// Coins, undo records, the index of transactions and the tip marker change together: [`Store::connect`]
/// and [`Store::disconnect`] each happen entirely or not at all, whatever interrupts them.
pub trait Store {
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
    fn connect(&mut self, delta: &BlockDelta) -> Result<(), StoreError>;

    /// Takes back the tip's block, moves the tip to the one before, and returns what was taken back.
    ///
    /// # Errors
    /// [`StoreError`].
    fn disconnect(&mut self) -> Result<BlockDelta, StoreError>;

    /// Where a transaction of the active chain stands.
    ///
    /// # Errors
    /// [`StoreError`].
    fn locate(&self, txid: &Txid) -> Result<Option<TxLocation>, StoreError>;

    /// Keeps a block, of whatever branch, with its header's record.
    ///
    /// # Errors
    /// [`StoreError`].
    fn put_block(&mut self, record: &HeaderRecord, block: Arc<Block>) -> Result<(), StoreError>;

    /// A kept block.
    ///
    /// # Errors
    /// [`StoreError`].
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
}
