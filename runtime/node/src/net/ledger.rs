//! What peers' hub asks of chain and mempool.

use std::sync::Arc;

use chain::{BlockError, Status, StoreError, TxError};
use p2p::{HeaderRefusal, HeadersSeen, Known, Ledger, TxVerdict, Verdict};
use spec::{Block, BlockHash, BlockHeader, Transaction, Txid};

use crate::state::Node;

impl Ledger for Node {
    fn now_secs(&self) -> u32 {
        self.clock().now()
    }

    fn tip(&self) -> BlockHash {
        Self::tip(self).hash
    }

    fn best_header(&self) -> BlockHash {
        self.chain().best_header().header.hash()
    }

    fn known(&self, hash: &BlockHash) -> Option<Known> {
        let entry = self.chain().header(hash)?;
        let invalid = entry.status == Status::Invalid;
        let (header, height, work, has_block) = (entry.header, entry.height, entry.work, entry.has_block);
        Some(Known { header, height, work, has_block, invalid })
    }

    fn locator(&self, from: &BlockHash) -> Vec<BlockHash> {
        self.chain().locator(from)
    }

    fn headers_after(&self, locator: &[BlockHash], stop: &BlockHash, max: usize) -> Vec<BlockHeader> {
        self.chain().headers_after(locator, stop, max)
    }

    fn missing_blocks(&self, up_to: &BlockHash, above: Option<&BlockHash>) -> Vec<BlockHash> {
        self.chain().missing_blocks(up_to, above)
    }

    fn block(&self, hash: &BlockHash) -> Option<Arc<Block>> {
        let fine = self.chain().header(hash).is_some_and(|entry| entry.status == Status::Fine && entry.has_block);
        if !fine {
            return None;
        }
        self.chain().block(hash).unwrap_or_else(|error| {
            if error != StoreError::Pruned {
                tracing::error!(%hash, %error, "a block that a peer asked for cannot be read");
            }
            None
        })
    }

    fn accept_headers(&mut self, headers: &[BlockHeader]) -> HeadersSeen {
        let seen = Self::accept_headers(self, headers);
        let refused = seen.refused.map(|error| match error {
            BlockError::Orphan => HeaderRefusal::Unconnected,
            BlockError::TimeTooNew | BlockError::TooManyHeaders | BlockError::TooDeep | BlockError::Store(_) => {
                HeaderRefusal::Later
            }
            // Somebody may have declared by hand that it shall count as invalid.
            BlockError::DuplicateInvalid | BlockError::InvalidParent => HeaderRefusal::Later,
            _ => HeaderRefusal::Invalid,
        });
        HeadersSeen { new: seen.new, last: seen.last, refused }
    }

    fn is_ready_for(&mut self, block: &Block) -> bool {
        Self::is_ready_for(self, block)
    }

    fn accept_block(&mut self, block: Block) -> Verdict {
        let hash = block.header.hash();
        match Self::accept_block(self, block) {
            Ok(_) => Verdict::Kept,
            Err(
                error @ (BlockError::Duplicate
                | BlockError::DuplicateInvalid
                | BlockError::InvalidParent
                | BlockError::Orphan
                | BlockError::TimeTooNew
                | BlockError::TooDeep
                | BlockError::Branch { .. }
                | BlockError::Store(_)),
            ) => {
                tracing::debug!(%hash, %error, "a block of a peer was not taken");
                Verdict::Nothing
            }
            Err(error) => {
                tracing::warn!(%hash, %error, "a peer sent an invalid block");
                Verdict::Invalid
            }
        }
    }

    fn accept_tx(&mut self, tx: Transaction) -> TxVerdict {
        match self.accept_transaction(tx) {
            Ok(_) => TxVerdict::Accepted,
            Err(TxError::MissingInputs) => TxVerdict::MissingInputs,
            Err(
                TxError::Script { mandatory: true, .. }
                | TxError::NoInputs
                | TxError::NoOutputs
                | TxError::OutputTooLarge
                | TxError::OutputTotalTooLarge
                | TxError::DuplicateInput
                | TxError::NullPrevout
                | TxError::UnexpectedCoinbase,
            ) => TxVerdict::Invalid,
            Err(_) => TxVerdict::Refused,
        }
    }

    fn tx(&self, txid: &Txid) -> Option<Arc<Transaction>> {
        self.mempool().get(txid).map(|entry| Arc::clone(&entry.tx))
    }

    fn has_tx(&self, txid: &Txid) -> bool {
        self.mempool().get(txid).is_some() || self.chain().locate(txid).is_ok_and(|place| place.is_some())
    }

    fn fee_rate(&self, txid: &Txid) -> u64 {
        let rate = |fee: u64, len: usize| fee.saturating_mul(1_000).checked_div(len as u64).unwrap_or(0);
        self.mempool().get(txid).map_or(0, |entry| rate(entry.fee.get(), entry.len_bytes))
    }

    fn fee_rate_min(&self) -> u64 {
        self.mempool().fee_rate_min(self.clock().now()).get()
    }

    fn waiting(&self, max: usize) -> Vec<Txid> {
        self.mempool().entries().map(|entry| entry.txid).take(max).collect()
    }
}
