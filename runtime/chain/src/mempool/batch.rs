//! Many transactions at once: their scripts run on all threads, then one after the other is taken in.
//!
//! A transaction's id covers its scripts and, by the ids of what it spends, the locks that they unlock. So what they say does not depend on
//! who else waits, and running them ahead changes nothing but the time that it takes.

use std::collections::BTreeMap;
use std::sync::Arc;

use spec::{OutPoint, Transaction, TxOut, Txid};

use crate::connect::is_spendable;
use crate::error::TxError;
use crate::mempool::judge::{Ran, run};
use crate::mempool::{Entry, Mempool};
use crate::policy::{check_standard, check_standard_inputs};
use crate::scripts::Runner;
use crate::state::Chain;
use crate::store::{Store, StoreError};
use crate::transaction::{check_shape, check_values};
use crate::workers::{Jobs, Workers};

impl Mempool {
    /// What [`Mempool::accept`] says to each in turn; they may spend each other's outputs.
    pub fn accept_all<S: Store>(
        &mut self,
        txs: Vec<Transaction>,
        chain: &Chain<S>,
        now: u32,
    ) -> Vec<Result<Entry, TxError>> {
        let txs: Vec<Arc<Transaction>> = txs.into_iter().map(Arc::new).collect();
        // Where the store fails, each is told so when its turn comes.
        let ran = self.run_ahead(&txs, chain).unwrap_or_else(|_| vec![None; txs.len()]);
        txs.into_iter().zip(&ran).map(|(tx, ran)| self.take_in(tx, chain, now, ran.as_ref())).collect()
    }

    /// What the scripts say of those for which it will matter, as far as can be told.
    fn run_ahead<S: Store>(&self, txs: &[Arc<Transaction>], chain: &Chain<S>) -> Result<Vec<Option<Ran>>, StoreError> {
        let Runner { engine, workers } = chain.runner();
        let id = |at: usize| txs.get(at).map(|tx| tx.txid()).unwrap_or_default();
        let txids = Jobs::small(txs.len()).map(workers, id);
        let spent = self.outputs_of(txs, &txids, chain)?;
        let (policy, rules) = (self.policy, chain.params().rules);
        let one = |at: usize| {
            let (tx, spent) = (txs.get(at)?, spent.get(at)?.as_ref()?);
            let cheap = check_shape(tx).and_then(|()| check_standard(&policy, tx));
            cheap.and_then(|()| check_standard_inputs(&policy, spent)).ok()?;
            let fee = check_values(tx, spent).ok()?;
            policy.check_fee(fee, tx.len_bytes()).ok()?;
            Some(run(Runner { engine, workers: Workers::ONE }, rules, tx, spent))
        };
        Ok(Jobs::new(txs.len()).map(workers, one))
    }

    /// What each spends, wherever it is made: in the chain, by a waiting transaction, or by another of these.
    fn outputs_of<S: Store>(
        &self,
        txs: &[Arc<Transaction>],
        txids: &[Txid],
        chain: &Chain<S>,
    ) -> Result<Vec<Option<Vec<TxOut>>>, StoreError> {
        let numbers: BTreeMap<&Txid, usize> = txids.iter().zip(0..).collect();
        let outpoints: Vec<OutPoint> = txs.iter().flat_map(|tx| &tx.inputs).map(|input| input.prevout).collect();
        let height = chain.next_place().height;
        let made = |outpoint: &OutPoint| {
            let maker = numbers.get(&outpoint.txid).and_then(|at| txs.get(*at))?;
            maker.outputs.get(usize::try_from(outpoint.index).ok()?).filter(|output| is_spendable(output)).cloned()
        };
        let stored = chain.store().coins(&outpoints)?;
        let mut found = outpoints.iter().zip(stored).map(|(outpoint, coin)| {
            coin.or_else(|| self.output(outpoint, height)).map(|coin| coin.output).or_else(|| made(outpoint))
        });
        let of_one = |tx: &Arc<Transaction>| -> Option<Vec<TxOut>> {
            // All are taken from the front before one that is missing tells.
            let mine: Vec<Option<TxOut>> = found.by_ref().take(tx.inputs.len()).collect();
            mine.into_iter().collect()
        };
        Ok(txs.iter().map(of_one).collect())
    }
}
