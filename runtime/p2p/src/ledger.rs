//! What the hub asks of whoever has chain and mempool.

use std::sync::Arc;

use spec::{Block, BlockHash, BlockHeader, Height, Transaction, Txid};

/// What is known of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The header.
    pub header: BlockHeader,
    /// Its height.
    pub height: Height,
    /// The work of it and all below.
    pub work: u128,
    /// Whether its block is kept.
    pub has_block: bool,
    /// Whether something speaks against it.
    pub invalid: bool,
}

/// Why a header was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderRefusal {
    /// What it builds on is unknown.
    Unconnected,
    /// It breaks a rule that holds for ever.
    Invalid,
    /// It may be fine another time.
    Later,
}

/// What came of a list of headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeadersSeen {
    /// How many were new.
    pub new: usize,
    /// The last one that is known now.
    pub last: Option<BlockHash>,
    /// Why the one after it was refused.
    pub refused: Option<HeaderRefusal>,
}

/// What came of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is kept now.
    Kept,
    /// It was there, or cannot be judged now.
    Nothing,
    /// It breaks a rule; whoever sent it knew better.
    Invalid,
}

/// What came of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TxVerdict {
    /// It waits for a block now, or has one.
    Accepted,
    /// It spends what is not known.
    MissingInputs,
    /// It is known, or does not please here.
    Refused,
    /// No block could hold it.
    Invalid,
}

/// Chain and mempool, as far as peers matter.
pub trait Ledger {
    /// The time, in seconds since 1970.
    fn now_secs(&self) -> u32;
    /// The last block of the active chain.
    fn tip(&self) -> BlockHash;
    /// The heaviest header.
    fn best_header(&self) -> BlockHash;
    /// A header, if it is known.
    fn known(&self, hash: &BlockHash) -> Option<Known>;
    /// Hashes from a known header downward, ever sparser.
    fn locator(&self, from: &BlockHash) -> Vec<BlockHash>;
    /// The headers of the active chain after the highest that `locator` names, up to `stop`, at most `max`.
    fn headers_after(&self, locator: &[BlockHash], stop: &BlockHash, max: usize) -> Vec<BlockHeader>;
    /// The blocks that are missing up to a header, lowest first, but only those above `above`, if that is one of them.
    fn missing_blocks(&self, up_to: &BlockHash, above: Option<&BlockHash>) -> Vec<BlockHash>;
    /// A kept block that nothing speaks against.
    fn block(&self, hash: &BlockHash) -> Option<Arc<Block>>;
    /// Takes in headers that follow each other.
    fn accept_headers(&mut self, headers: &[BlockHeader]) -> HeadersSeen;
    /// Whether a block may be taken in now. If not, it is being looked at beside, and a [`crate::Event::Tick`] comes when that is done.
    fn is_ready_for(&mut self, _block: &Block) -> bool {
        true
    }
    /// Takes in a block.
    fn accept_block(&mut self, block: Block) -> Verdict;
    /// Takes in a transaction.
    fn accept_tx(&mut self, tx: Transaction) -> TxVerdict;
    /// A waiting transaction.
    fn tx(&self, txid: &Txid) -> Option<Arc<Transaction>>;
    /// Whether a transaction waits or is in the chain.
    fn has_tx(&self, txid: &Txid) -> bool;
    /// What a waiting transaction pays for 1,000 bytes, in satoshis.
    fn fee_rate(&self, txid: &Txid) -> u64;
    /// The least that is accepted.
    fn fee_rate_min(&self) -> u64;
    /// Waiting transactions, parents first, at most `max`.
    fn waiting(&self, max: usize) -> Vec<Txid>;
}
