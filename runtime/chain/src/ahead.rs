//! The scripts of the next block, run beside the chain, which may go on meanwhile and does not run them again.
//!
//! Whether a script succeeds depends on its transaction and on the outputs that this spends, which it names by hashes; not on
//! where the chain stands. So what is found holds whatever comes in between. All other rules are for
//! [`Chain::accept_block_with`], which also runs the scripts that are not known to succeed: its verdict is the same.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use engine::Engine;
use spec::{Block, OutPoint, RuleSet, Sats, Transaction, TxOut, Txid};

use crate::block::{Ids, check_body};
use crate::connect::{Spend, count_checks, position};
use crate::scripts::Runner;
use crate::state::Chain;
use crate::store::{Store, StoreError};
use crate::workers::Workers;

/// Scripts with all that they need.
#[derive(Debug)]
pub struct Ahead {
    spends: Vec<(Txid, Transaction, Vec<TxOut>)>,
    rules: RuleSet,
    engine: Arc<Engine>,
    workers: Workers,
}

impl Ahead {
    /// The signature checks of each transaction, for [`Chain::accept_block_with`]; nothing if a script fails.
    #[must_use]
    pub fn run(&self) -> Option<BTreeMap<Txid, u64>> {
        let spends: Vec<Spend<'_>> = self.spends.iter().map(spend_of).collect();
        let runner = Runner { engine: &self.engine, workers: self.workers };
        let counts = count_checks(self.rules, runner, &spends, &|_| None).ok()?;
        Some(spends.iter().map(|spend| spend.txid).zip(counts).collect())
    }
}

fn spend_of((txid, tx, spent): &(Txid, Transaction, Vec<TxOut>)) -> Spend<'_> {
    Spend { position: 0, txid: *txid, tx, spent: Cow::Borrowed(spent), fee: Sats::ZERO }
}

impl<S: Store> Chain<S> {
    /// The scripts of a block on top of the tip that are not known to succeed, if they are those of at least so many inputs.
    ///
    /// Nothing for a block that is refused without them: nobody makes others work by less than a block's own work.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn look_ahead(
        &self,
        block: &Block,
        now: u32,
        least: usize,
        verified: &(dyn Fn(&Txid) -> Option<u64> + Sync),
    ) -> Result<Option<Ahead>, StoreError> {
        let (header, place) = (block.header, self.next_place());
        let inputs = |txs: &[Transaction]| txs.iter().map(|tx| tx.inputs.len()).sum::<usize>();
        if inputs(&block.transactions) < least || header.previous != self.tip().hash {
            return Ok(None);
        }
        let is_known = self.index.get(&header.hash()).is_some_and(|entry| entry.has_block);
        if is_known || self.check_header_at(&header, place, now).is_err() {
            return Ok(None);
        }
        let workers = self.runner().workers;
        let ids = Ids::of(block, workers);
        let all = block.transactions.iter().zip(&ids.txids).skip(1);
        let unknown = all.filter(|(_, txid)| verified(txid).is_none()).map(|(tx, _)| tx.inputs.len()).sum::<usize>();
        if unknown < least || check_body(self.params(), block, &ids, place, workers).is_err() {
            return Ok(None);
        }
        let spends = self.unverified(block, &ids.txids, verified)?;
        let count: usize = spends.iter().map(|(_, tx, _)| tx.inputs.len()).sum();
        let engine = Arc::clone(self.shared_engine());
        Ok((count >= least).then(|| Ahead { spends, rules: self.params().rules, engine, workers }))
    }

    /// The transactions that are not verified, with what they spend, as far as that is there.
    fn unverified(
        &self,
        block: &Block,
        txids: &[Txid],
        verified: &(dyn Fn(&Txid) -> Option<u64> + Sync),
    ) -> Result<Vec<(Txid, Transaction, Vec<TxOut>)>, StoreError> {
        let all = block.transactions.iter().zip(txids).skip(1);
        let unknown: Vec<_> = all.filter(|(_, txid)| verified(txid).is_none()).collect();
        let named = unknown.iter().flat_map(|(tx, _)| &tx.inputs).map(|input| input.prevout);
        let mut outside: Vec<OutPoint> = named.filter(|prevout| position(txids, &prevout.txid).is_none()).collect();
        outside.sort_unstable();
        outside.dedup();
        let coins = self.store().coins(&outside)?;
        let output = |prevout: &OutPoint| -> Option<TxOut> {
            match position(txids, &prevout.txid) {
                Some(at) => block.transactions.get(at)?.outputs.get(usize::try_from(prevout.index).ok()?).cloned(),
                None => Some(coins.get(outside.binary_search(prevout).ok()?)?.as_ref()?.output.clone()),
            }
        };
        let spend = |(tx, txid): (&Transaction, &Txid)| {
            let spent = tx.inputs.iter().map(|input| output(&input.prevout)).collect::<Option<Vec<_>>>()?;
            Some((*txid, tx.clone(), spent))
        };
        Ok(unknown.into_iter().filter_map(spend).collect())
    }
}
