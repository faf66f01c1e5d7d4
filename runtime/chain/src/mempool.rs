//! The transactions that wait for a block: first seen, first kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use spec::{Block, Height, Mode, OpCost, OutPoint, Rules, Sats, Transaction, Txid};

use crate::block::parents_first;
use crate::connect::{check_in_place, made_by};
use crate::error::TxError;
use crate::params::Params;
use crate::policy::{Policy, check_standard, check_standard_inputs};
use crate::scripts::{check_scripts, sig_checks};
use crate::state::{Accepted, Chain};
use crate::store::{Coin, Store};
use crate::transaction::{Spent, check_finality, check_shape};

/// A waiting transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The transaction.
    pub tx: Arc<Transaction>,
    /// Its id.
    pub txid: Txid,
    /// What it leaves to the miner.
    pub fee: Sats,
    /// Its bytes on the wire.
    pub len_bytes: usize,
    /// The cost of its scripts, all inputs together.
    pub cost: OpCost,
    /// The signature checks of its scripts, all inputs together.
    pub sig_checks: u64,
    /// When it came, in seconds since 1970.
    pub time: u32,
    /// The height of the tip when it came.
    pub height: Height,
    /// The outputs that it spends, in input order, as they were when it came: those of waiting parents at the height of the next block.
    pub spent: Vec<Coin>,
}

/// What a change of the active chain did to the mempool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// The transactions that came back from disconnected blocks.
    pub returned: Vec<Txid>,
    /// The transactions that were dropped, and why.
    pub dropped: Vec<(Txid, TxError)>,
}

/// The waiting transactions. Each spends coins of the active chain or outputs of earlier waiting transactions, and no two spend the same.
#[derive(Clone, Debug)]
pub struct Mempool {
    policy: Policy,
    entries: BTreeMap<u64, Entry>,
    places: BTreeMap<Txid, u64>,
    spenders: BTreeMap<OutPoint, Txid>,
    next_place: u64,
    bytes: usize,
    fees: u64,
}

impl Mempool {
    /// An empty mempool with the relay limits of a chain's rules.
    #[must_use]
    pub const fn new(params: &Params) -> Self {
        Self::with_policy(Policy::of(params.rules))
    }

    /// An empty mempool with other limits.
    #[must_use]
    pub const fn with_policy(policy: Policy) -> Self {
        Self {
            policy,
            entries: BTreeMap::new(),
            places: BTreeMap::new(),
            spenders: BTreeMap::new(),
            next_place: 0,
            bytes: 0,
            fees: 0,
        }
    }

    /// The limits of relay.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The number of waiting transactions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The bytes of all waiting transactions.
    #[must_use]
    pub const fn len_bytes(&self) -> usize {
        self.bytes
    }

    /// The fees of all waiting transactions.
    #[must_use]
    pub const fn fees(&self) -> Sats {
        Sats::from_wire(self.fees)
    }

    /// All waiting transactions, parents before children, otherwise as they came.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// A waiting transaction.
    #[must_use]
    pub fn get(&self, txid: &Txid) -> Option<&Entry> {
        self.places.get(txid).and_then(|place| self.entries.get(place))
    }

    /// The waiting transaction that spends an output.
    #[must_use]
    pub fn spender(&self, outpoint: &OutPoint) -> Option<&Txid> {
        self.spenders.get(outpoint)
    }

    /// An output of a waiting transaction, spent or not, as the coin it would be.
    #[must_use]
    pub fn output(&self, outpoint: &OutPoint, height: Height) -> Option<Coin> {
        let entry = self.get(&outpoint.txid)?;
        made_by(&entry.tx, entry.txid, height).find(|(made, _)| made == outpoint).map(|(_, coin)| coin)
    }

    /// The waiting transactions whose outputs `txid` spends.
    #[must_use]
    pub fn parents(&self, txid: &Txid) -> BTreeSet<Txid> {
        let inputs = self.get(txid).map(|entry| entry.tx.inputs.as_slice()).unwrap_or_default();
        inputs.iter().map(|input| input.prevout.txid).filter(|parent| self.places.contains_key(parent)).collect()
    }

    /// The waiting transactions that spend outputs of `txid`.
    #[must_use]
    pub fn children(&self, txid: &Txid) -> BTreeSet<Txid> {
        let outputs = OutPoint { txid: *txid, index: 0 }..=OutPoint { txid: *txid, index: u32::MAX };
        self.spenders.range(outputs).map(|(_, child)| *child).collect()
    }

    /// The number of signature checks of a waiting transaction: its scripts are known to succeed in blocks too. For [`Chain::accept_block_with`].
    #[must_use]
    pub fn verified(&self, txid: &Txid) -> Option<u64> {
        self.get(txid).map(|entry| entry.sig_checks)
    }

    /// Takes in a transaction that came at `now`.
    ///
    /// # Errors
    /// Why it is refused; the mempool is then as it was.
    pub fn accept<S: Store>(&mut self, tx: Transaction, chain: &Chain<S>, now: u32) -> Result<Entry, TxError> {
        let entry = self.test_accept(tx, chain, now)?;
        self.insert(entry.clone());
        Ok(entry)
    }

    /// What [`Mempool::accept`] would say, without a change.
    ///
    /// # Errors
    /// As [`Mempool::accept`].
    pub fn test_accept<S: Store>(&self, tx: Transaction, chain: &Chain<S>, now: u32) -> Result<Entry, TxError> {
        self.judge(Arc::new(tx), chain, now, None)
    }

    /// `known` are cost and signature checks of scripts that have run before.
    fn judge<S: Store>(
        &self,
        tx: Arc<Transaction>,
        chain: &Chain<S>,
        now: u32,
        known: Option<(OpCost, u64)>,
    ) -> Result<Entry, TxError> {
        let (txid, len_bytes) = (tx.txid(), tx.len_bytes());
        check_shape(&tx)?;
        check_standard(&self.policy, &tx)?;
        let place = chain.next_place();
        check_finality(&tx, place)?;
        let coins = self.find_coins(&tx, txid, chain, place.height)?;
        let claimed: Vec<Spent<'_>> = coins.iter().map(Spent::from).collect();
        let (spent, fee) = check_in_place(chain.params(), place, &tx, &claimed, |height| chain.median_before(height))?;
        check_standard_inputs(&self.policy, &spent)?;
        self.policy.check_fee(fee, len_bytes)?;
        if self.bytes.saturating_add(len_bytes) > self.policy.mempool_bytes_max {
            return Err(TxError::MempoolFull);
        }
        let (cost, sig_checks) = match known {
            Some(known) => known,
            None => {
                let rules = Rules::new(chain.params().rules, Mode::Relay);
                let metrics = check_scripts(&rules, &tx, &spent, chain.runner())?;
                (metrics.iter().map(|one| one.cost).sum(), sig_checks(&metrics))
            }
        };
        let height = chain.tip().entry.height;
        Ok(Entry { tx, txid, fee, len_bytes, cost, sig_checks, time: now, height, spent: coins })
    }

    fn find_coins<S: Store>(
        &self,
        tx: &Transaction,
        txid: Txid,
        chain: &Chain<S>,
        height: Height,
    ) -> Result<Vec<Coin>, TxError> {
        if self.places.contains_key(&txid) {
            return Err(TxError::AlreadyInMempool);
        }
        let outpoints: Vec<OutPoint> = tx.inputs.iter().map(|input| input.prevout).collect();
        if outpoints.iter().any(|outpoint| self.spenders.contains_key(outpoint)) {
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

    fn insert(&mut self, entry: Entry) {
        self.bytes += entry.len_bytes;
        self.fees = self.fees.saturating_add(entry.fee.get());
        self.spenders.extend(entry.tx.inputs.iter().map(|input| (input.prevout, entry.txid)));
        self.places.insert(entry.txid, self.next_place);
        self.entries.insert(self.next_place, entry);
        self.next_place += 1;
    }

    /// Removes one transaction; its children stay.
    fn remove(&mut self, txid: &Txid) -> Option<Entry> {
        let entry = self.entries.remove(&self.places.remove(txid)?)?;
        self.bytes -= entry.len_bytes;
        self.fees = self.fees.saturating_sub(entry.fee.get());
        for input in &entry.tx.inputs {
            self.spenders.remove(&input.prevout);
        }
        Some(entry)
    }

    /// Removes a transaction and all that spend its outputs, directly or not; returns the removed, parents first.
    pub fn remove_with_descendants(&mut self, txid: &Txid) -> Vec<Txid> {
        let mut found = BTreeSet::new();
        let mut open = vec![*txid];
        while let Some(next) = open.pop() {
            if let Some(place) = self.places.get(&next)
                && found.insert(*place)
            {
                open.extend(self.children(&next));
            }
        }
        let gone: Vec<Txid> =
            found.iter().filter_map(|place| self.entries.get(place)).map(|entry| entry.txid).collect();
        for txid in &gone {
            self.remove(txid);
        }
        gone
    }

    /// Follows a change of the active chain: what was mined or conflicts with it leaves; what was taken back returns if it still may.
    pub fn update<S: Store>(&mut self, change: &Accepted, chain: &Chain<S>, now: u32) -> Update {
        let mut update = Update::default();
        if change.disconnected.is_empty() {
            change.connected.iter().for_each(|block| self.leave_mined(block, &mut update));
        } else {
            let back = change.disconnected.iter().rev().flat_map(|block| ordinary_parents_first(block));
            self.rebuild(back.collect(), chain, now, &mut update);
        }
        update
    }

    fn leave_mined(&mut self, block: &Block, update: &mut Update) {
        for tx in block.transactions.iter().skip(1) {
            if self.remove(&tx.txid()).is_some() {
                continue;
            }
            for input in &tx.inputs {
                if let Some(rival) = self.spenders.get(&input.prevout).copied() {
                    let gone = self.remove_with_descendants(&rival);
                    update.dropped.extend(gone.into_iter().map(|txid| (txid, TxError::Conflict)));
                }
            }
        }
    }

    /// After blocks were taken back, any coin may have changed: judges everything again, the oldest first. Scripts that ran need not run again, for a transaction's id covers them and what they spend.
    fn rebuild<S: Store>(&mut self, back: Vec<Transaction>, chain: &Chain<S>, now: u32, update: &mut Update) {
        let mut before = Self { next_place: self.next_place, ..Self::with_policy(self.policy) };
        std::mem::swap(self, &mut before);
        for tx in back {
            let tx = Arc::new(tx);
            let txid = tx.txid();
            match self.judge(tx, chain, now, None) {
                Ok(entry) => {
                    self.insert(entry);
                    update.returned.push(txid);
                }
                Err(TxError::AlreadyInChain) => {}
                Err(error) => update.dropped.push((txid, error)),
            }
        }
        for old in before.entries.into_values() {
            match self.judge(Arc::clone(&old.tx), chain, old.time, Some((old.cost, old.sig_checks))) {
                Ok(entry) => self.insert(Entry { height: old.height, ..entry }),
                Err(TxError::AlreadyInChain) => {}
                Err(error) => update.dropped.push((old.txid, error)),
            }
        }
    }

    /// Drops what came before `oldest` and all that spends its outputs.
    pub fn expire(&mut self, oldest: u32) -> Vec<Txid> {
        let old: Vec<Txid> = self.entries().filter(|entry| entry.time < oldest).map(|entry| entry.txid).collect();
        old.iter().flat_map(|txid| self.remove_with_descendants(txid)).collect()
    }
}

/// A block's transactions without its coinbase, each after those whose outputs it spends.
#[must_use]
pub fn ordinary_parents_first(block: &Block) -> Vec<Transaction> {
    let ordinary: Vec<&Transaction> = block.transactions.iter().skip(1).collect();
    let txids: Vec<Txid> = ordinary.iter().map(|tx| tx.txid()).collect();
    let order = parents_first(&ordinary, &txids);
    order.into_iter().filter_map(|place| ordinary.get(place).map(|tx| (*tx).clone())).collect()
}
