//! What has happened to the coins of a wallet, read from the blocks of the active chain.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chain::{BlockDelta, Coin, Store as _, StoreError};
use spec::{Block, BlockHash, Height, OutPoint, Sats, Transaction, TxOut, Txid};

use crate::state::Node;

/// A transaction that spends coins of a wallet or makes some.
#[derive(Clone, Debug)]
pub(crate) struct Movement {
    /// Its id.
    pub(crate) txid: Txid,
    /// The transaction.
    pub(crate) tx: Arc<Transaction>,
    /// Where it stands; a waiting one nowhere.
    pub(crate) place: Option<Position>,
    /// When it came or was mined.
    pub(crate) time: u32,
    /// What it spends of the wallet's coins.
    pub(crate) taken: Sats,
    /// What it leaves to the miner; a coinbase leaves nothing.
    pub(crate) fee: Option<Sats>,
}

/// A place in the active chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    /// The block.
    pub(crate) block: BlockHash,
    /// Its height.
    pub(crate) height: Height,
    /// The transaction's number in it.
    pub(crate) index: usize,
}

/// The movements up to a block, and for which locks they were looked for.
#[derive(Debug, Default)]
pub(crate) struct History {
    locks: BTreeSet<Vec<u8>>,
    until: Option<(Height, BlockHash)>,
    movements: Vec<Movement>,
}

impl History {
    /// Reads what has come since. It begins anew where locks have come, or the chain is another one.
    pub(crate) fn catch_up(&mut self, node: &Node, locks: BTreeSet<Vec<u8>>) -> Result<(), StoreError> {
        let chain = node.chain();
        let stale = self.until.is_some_and(|(height, hash)| chain.hash_at(height) != Some(hash));
        if stale || locks != self.locks {
            *self = Self { locks, ..Self::default() };
        }
        // What was dropped cannot be read; what a wallet did there is not known any more.
        let from = self.until.map_or(Height::GENESIS, |(height, _)| height.next()).max(chain.lowest_kept());
        for height in from.get()..=chain.tip().entry.height.get() {
            let height = Height::new(height);
            let (Some(hash), Some(block)) = (chain.hash_at(height), chain.block_at(height)?) else { continue };
            if let Some(delta) = chain.store().delta(&hash)? {
                self.read(&block, &delta);
            }
            self.until = Some((height, hash));
        }
        Ok(())
    }

    /// All movements that are mined, the oldest first.
    pub(crate) fn mined(&self) -> &[Movement] {
        &self.movements
    }

    fn read(&mut self, block: &Block, delta: &BlockDelta) {
        let spent: BTreeMap<&OutPoint, &Coin> = delta.spent.iter().map(|(outpoint, coin)| (outpoint, coin)).collect();
        let numbers: BTreeMap<&Txid, usize> = delta.txids.iter().zip(0..).collect();
        for (index, (tx, txid)) in block.transactions.iter().zip(&delta.txids).enumerate() {
            let output = |outpoint: &OutPoint| {
                let made = || {
                    let maker = numbers.get(&outpoint.txid).and_then(|at| block.transactions.get(*at))?;
                    maker.outputs.get(usize::try_from(outpoint.index).ok()?)
                };
                spent.get(outpoint).map(|coin| &coin.output).or_else(made)
            };
            let inputs: Vec<Option<&TxOut>> = tx.inputs.iter().map(|input| output(&input.prevout)).collect();
            let place = Some(Position { block: delta.hash, height: delta.height, index });
            if let Some(movement) =
                movement(&self.locks, &Arc::new(tx.clone()), *txid, &inputs, (place, block.header.time))
            {
                self.movements.push(movement);
            }
        }
    }
}

/// The movements of transactions that wait.
pub(crate) fn waiting(node: &Node, locks: &BTreeSet<Vec<u8>>) -> Vec<Movement> {
    let of_one = |entry: &chain::Entry| {
        let inputs: Vec<Option<&TxOut>> = entry.spent.iter().map(|coin| Some(&coin.output)).collect();
        movement(locks, &entry.tx, entry.txid, &inputs, (None, entry.time))
    };
    node.mempool().entries().filter_map(of_one).collect()
}

fn movement(
    locks: &BTreeSet<Vec<u8>>,
    tx: &Arc<Transaction>,
    txid: Txid,
    inputs: &[Option<&TxOut>],
    (place, time): (Option<Position>, u32),
) -> Option<Movement> {
    let own = |output: &&TxOut| locks.contains(&output.lock);
    let touched = inputs.iter().flatten().any(own) || tx.outputs.iter().any(|output| own(&output));
    if !touched {
        return None;
    }
    let sum = |outputs: &mut dyn Iterator<Item = &TxOut>| Sats::checked_sum(outputs.map(|output| output.value));
    let taken = sum(&mut inputs.iter().flatten().copied().filter(own)).unwrap_or(Sats::ZERO);
    let brought = inputs.iter().copied().collect::<Option<Vec<_>>>().and_then(|all| sum(&mut all.into_iter()));
    let fee = brought.and_then(|brought| brought.checked_sub(sum(&mut tx.outputs.iter())?));
    Some(Movement { txid, tx: Arc::clone(tx), place, time, taken, fee: fee.filter(|_| !tx.is_coinbase()) })
}
