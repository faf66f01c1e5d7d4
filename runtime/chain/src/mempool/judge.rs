//! Whether a transaction may wait for a block.

use std::sync::Arc;

use spec::{Height, Mode, OpCost, OutPoint, RuleSet, Rules, Sats, Transaction, TxOut, Txid};

use crate::connect::check_in_place;
use crate::error::TxError;
use crate::mempool::{Entry, Mempool};
use crate::policy::{check_standard, check_standard_inputs};
use crate::scripts::{Runner, check_scripts, sig_checks};
use crate::state::Chain;
use crate::store::{Coin, Store};
use crate::transaction::{Spent, check_finality, check_shape};

/// What scripts took, or why they failed. A transaction's id covers it, for it covers what is spent too.
pub(super) type Ran = Result<(OpCost, u64), TxError>;

/// What scripts took that have run before.
pub(super) type Known<'k> = Option<&'k Ran>;

/// Whether what a waiting transaction spends may be spent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rivals {
    /// No.
    Refused,
    /// Yes, to see whether a rival would have been accepted in place of the other.
    Judged,
}

impl Mempool {
    /// Everything that is asked of a newcomer; scripts come last, for they take longest.
    pub(super) fn judge<S: Store>(
        &self,
        tx: Arc<Transaction>,
        chain: &Chain<S>,
        now: u32,
        known: Known<'_>,
        rivals: Rivals,
    ) -> Result<Entry, TxError> {
        let (txid, len_bytes) = (tx.txid(), tx.len_bytes());
        check_shape(&tx)?;
        check_standard(&self.policy, &tx)?;
        let place = chain.next_place();
        check_finality(&tx, place)?;
        let coins = self.find_coins(&tx, txid, chain, place.height, rivals)?;
        let claimed: Vec<Spent<'_>> = coins.iter().map(Spent::from).collect();
        let spent: Vec<TxOut> = coins.iter().map(|coin| coin.output.clone()).collect();
        let median_before = |height| chain.median_before(height);
        let fee = check_in_place(chain.params(), place, &tx, (&claimed, &spent), median_before)?;
        check_standard_inputs(&self.policy, &spent)?;
        self.check_fee(txid, fee, len_bytes, now)?;
        let (cost, sig_checks) = match known {
            Some(known) => known.clone()?,
            None => run(chain.runner(), chain.params().rules, &tx, &spent)?,
        };
        let height = chain.tip().entry.height;
        Ok(Entry { tx, txid, fee, len_bytes, cost, sig_checks, time: now, height, spent: coins })
    }

    /// What miners believe that it pays counts.
    fn check_fee(&self, txid: Txid, fee: Sats, len_bytes: usize, now: u32) -> Result<(), TxError> {
        let believed = i128::from(fee.get()) + i128::from(self.priority(&txid));
        let believed = Sats::from_wire(u64::try_from(believed).unwrap_or(0));
        self.policy.check_fee(believed, len_bytes)?;
        let floor = self.floor.rate_at(now, self.fullness(), self.policy.fee_sats_per_kb);
        let due = u128::from(floor) * len_bytes as u128 / 1_000;
        if u128::from(believed.get()) < due { Err(TxError::FloorNotMet) } else { Ok(()) }
    }

    fn find_coins<S: Store>(
        &self,
        tx: &Transaction,
        txid: Txid,
        chain: &Chain<S>,
        height: Height,
        rivals: Rivals,
    ) -> Result<Vec<Coin>, TxError> {
        if self.places.contains_key(&txid) {
            return Err(TxError::AlreadyInMempool);
        }
        let outpoints: Vec<OutPoint> = tx.inputs.iter().map(|input| input.prevout).collect();
        if rivals == Rivals::Refused && outpoints.iter().any(|outpoint| self.spenders.contains_key(outpoint)) {
            return Err(TxError::Conflict);
        }
        let stored = chain.store().coins(&outpoints)?;
        let found = outpoints.iter().zip(stored).map(|(outpoint, coin)| coin.or_else(|| self.output(outpoint, height)));
        match found.collect::<Option<Vec<Coin>>>() {
            Some(coins) => Ok(coins),
            None if chain.locate(&txid)?.is_some() => Err(TxError::AlreadyInChain),
            None => Err(TxError::MissingInputs),
        }
    }
}

/// Runs a transaction's scripts under the rules of relay.
pub(super) fn run(runner: Runner<'_>, set: RuleSet, tx: &Transaction, spent: &[TxOut]) -> Ran {
    let rules = Rules::new(set, Mode::Relay);
    let metrics = check_scripts(&rules, tx, spent, runner)?;
    Ok((metrics.iter().map(|one| one.cost).sum(), sig_checks(&metrics)))
}
