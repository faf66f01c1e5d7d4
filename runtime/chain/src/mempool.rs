//! The transactions that wait for a block: first seen, first kept.
//!
//! When there are too many, those that a miner would take last leave, with all that build on them, and for a while newcomers
//! must pay more than they did.

mod batch;
mod floor;
mod judge;
mod order;
mod rivals;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use spec::{Block, Height, OpCost, OutPoint, Sats, Transaction, Txid};

use crate::block::parents_first;
use crate::connect::is_spendable;
use crate::error::TxError;
use crate::params::Params;
use crate::policy::Policy;
use crate::state::{Accepted, Chain};
use crate::store::{Coin, Store};

use floor::Floor;
use judge::{Known, Rivals};
pub(crate) use order::{Package, Packages};
pub use rivals::DoubleSpend;

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

/// What happened to waiting transactions besides what a call's answer tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A transaction came that spends what a waiting one spends, and would have been accepted in its place.
    DoubleSpend(DoubleSpend),
    /// A transaction left for want of room.
    Evicted(Txid),
    /// A transaction left because it had waited too long, or one that it builds on had.
    Expired(Txid),
}

/// The waiting transactions. Each spends coins of the active chain or outputs of earlier waiting transactions, and no two spend the same.
#[derive(Clone, Debug)]
pub struct Mempool {
    policy: Policy,
    entries: BTreeMap<u64, Entry>,
    places: BTreeMap<Txid, u64>,
    spenders: BTreeMap<OutPoint, Txid>,
    /// When each came, and its place.
    arrivals: BTreeSet<(u32, u64)>,
    /// What miners shall believe that transactions pay more or less than they do, in satoshis.
    priorities: BTreeMap<Txid, i64>,
    double_spends: BTreeMap<Txid, DoubleSpend>,
    notices: Vec<Notice>,
    floor: Floor,
    next_place: u64,
    bytes: usize,
    fees: u64,
    changes: u64,
}

/// So many notices are kept until somebody takes them; later ones are lost.
const NOTICES_MAX: usize = 100_000;
/// When there is no room, a fiftieth of it is made at once, so that ordering everything pays.
const ROOM_MADE: usize = 50;

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
            arrivals: BTreeSet::new(),
            priorities: BTreeMap::new(),
            double_spends: BTreeMap::new(),
            notices: Vec::new(),
            floor: Floor::NONE,
            next_place: 0,
            bytes: 0,
            fees: 0,
            changes: 0,
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
        let output = entry.tx.outputs.get(usize::try_from(outpoint.index).ok()?)?;
        is_spendable(output).then(|| Coin { output: output.clone(), height, coinbase: false })
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

    /// The waiting transactions that `txid` builds on, directly or not, without itself.
    #[must_use]
    pub fn ancestors(&self, txid: &Txid) -> BTreeSet<Txid> {
        reach(*txid, |next| self.parents(next))
    }

    /// The waiting transactions that build on `txid`, directly or not, without itself.
    #[must_use]
    pub fn descendants(&self, txid: &Txid) -> BTreeSet<Txid> {
        reach(*txid, |next| self.children(next))
    }

    /// How often the set of waiting transactions has changed.
    #[must_use]
    pub const fn changes(&self) -> u64 {
        self.changes
    }

    /// The least fee for 1,000 bytes at `now`: that of the policy, or more after transactions left for want of room.
    #[must_use]
    pub fn fee_rate_min(&self, now: u32) -> Sats {
        let floor = self.floor.rate_at(now, self.fullness(), self.policy.fee_sats_per_kb);
        Sats::from_wire(floor.max(self.policy.fee_sats_per_kb))
    }

    fn fullness(&self) -> (usize, usize) {
        (self.bytes, self.policy.mempool_bytes_max)
    }

    /// Lets miners, and the choice of who leaves, believe that a transaction pays `sats` more, or less, than it does. What was said
    /// before is added to; the transaction need not be there yet.
    pub fn prioritise(&mut self, txid: Txid, sats: i64) {
        let sum = self.priority(&txid).saturating_add(sats);
        if sum == 0 {
            self.priorities.remove(&txid);
        } else {
            self.priorities.insert(txid, sum);
        }
    }

    /// What [`Mempool::prioritise`] said about a transaction, in all.
    #[must_use]
    pub fn priority(&self, txid: &Txid) -> i64 {
        self.priorities.get(txid).copied().unwrap_or(0)
    }

    /// Everything that [`Mempool::prioritise`] said, in ascending order of ids.
    pub fn priorities(&self) -> impl Iterator<Item = (&Txid, i64)> {
        self.priorities.iter().map(|(txid, sats)| (txid, *sats))
    }

    /// A rival of a waiting transaction that was seen, if any.
    #[must_use]
    pub fn double_spend(&self, txid: &Txid) -> Option<&DoubleSpend> {
        self.double_spends.get(txid)
    }

    /// What happened since the last time.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    fn tell(&mut self, notice: Notice) {
        if self.notices.len() < NOTICES_MAX {
            self.notices.push(notice);
        }
    }

    /// Takes in a transaction that came at `now`.
    ///
    /// A rival of a waiting transaction is refused, but where it would have been accepted without the other, it is remembered as a
    /// double spend.
    ///
    /// # Errors
    /// Why it is refused; the mempool is then as it was, but for what leaves because of its age.
    pub fn accept<S: Store>(&mut self, tx: Transaction, chain: &Chain<S>, now: u32) -> Result<Entry, TxError> {
        self.take_in(Arc::new(tx), chain, now, None)
    }

    fn take_in<S: Store>(
        &mut self,
        tx: Arc<Transaction>,
        chain: &Chain<S>,
        now: u32,
        known: Known<'_>,
    ) -> Result<Entry, TxError> {
        self.expire(now.saturating_sub(self.policy.expiry_secs));
        match self.judge(Arc::clone(&tx), chain, now, known, Rivals::Refused) {
            Ok(entry) => {
                self.insert(entry.clone());
                let gone = self.make_room(now);
                if gone.contains(&entry.txid) { Err(TxError::MempoolFull) } else { Ok(entry) }
            }
            Err(TxError::Conflict) => {
                self.watch_rival(tx, chain, now, known);
                Err(TxError::Conflict)
            }
            Err(error) => Err(error),
        }
    }

    /// What [`Mempool::accept`] would say, without a change; whether there is room is not asked.
    ///
    /// # Errors
    /// As [`Mempool::accept`].
    pub fn test_accept<S: Store>(&self, tx: Transaction, chain: &Chain<S>, now: u32) -> Result<Entry, TxError> {
        self.judge(Arc::new(tx), chain, now, None, Rivals::Refused)
    }

    /// Lets the worst-paying packages leave if there is no room; returns who left. The floor rises above what they paid.
    fn make_room(&mut self, now: u32) -> BTreeSet<Txid> {
        let room = self.policy.mempool_bytes_max;
        if self.bytes <= room {
            return BTreeSet::new();
        }
        let room = room - room / ROOM_MADE;
        let (mut kept, mut full) = (0usize, false);
        let (mut gone, mut rate) = (Vec::new(), 0);
        // Whoever builds on somebody who leaves comes later, and leaves too.
        Packages::of(self).for_each(|package| {
            full = full || kept.saturating_add(package.bytes) > room;
            if full {
                rate = rate.max(package.sats_per_kb());
                gone.extend(package.entries.iter().map(|entry| entry.txid));
            } else {
                kept += package.bytes;
            }
            true
        });
        for txid in &gone {
            self.remove(txid);
            self.tell(Notice::Evicted(*txid));
        }
        self.floor.raise(rate.saturating_add(self.policy.fee_sats_per_kb), now);
        gone.into_iter().collect()
    }

    fn insert(&mut self, entry: Entry) {
        self.bytes += entry.len_bytes;
        self.fees = self.fees.saturating_add(entry.fee.get());
        self.spenders.extend(entry.tx.inputs.iter().map(|input| (input.prevout, entry.txid)));
        self.places.insert(entry.txid, self.next_place);
        self.arrivals.insert((entry.time, self.next_place));
        self.entries.insert(self.next_place, entry);
        self.next_place += 1;
        self.changes += 1;
    }

    /// Removes one transaction; its children stay.
    fn remove(&mut self, txid: &Txid) -> Option<Entry> {
        let place = self.places.remove(txid)?;
        let entry = self.entries.remove(&place)?;
        self.arrivals.remove(&(entry.time, place));
        self.double_spends.remove(txid);
        self.changes += 1;
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
        let forwards = change.disconnected.is_empty();
        if !forwards {
            let back = change.disconnected.iter().rev().flat_map(|block| ordinary_parents_first(block));
            self.rebuild(back.collect(), chain, now, &mut update);
        }
        for block in change.connected.iter().filter(|block| block.transactions.len() > 1) {
            let leaves = forwards && !self.is_empty();
            if !leaves && self.priorities.is_empty() {
                break;
            }
            let txids = change.txids_of(block, chain.runner().workers);
            if leaves {
                self.leave_mined(block, &txids, &mut update);
            }
            for txid in txids.iter().skip(1) {
                self.priorities.remove(txid);
            }
        }
        self.floor.follow(now, self.fullness(), self.policy.fee_sats_per_kb);
        self.expire(now.saturating_sub(self.policy.expiry_secs));
        update
    }

    fn leave_mined(&mut self, block: &Block, txids: &[Txid], update: &mut Update) {
        if self.holds_no_other(txids) {
            return self.clear();
        }
        for (tx, txid) in block.transactions.iter().zip(txids).skip(1) {
            if self.remove(txid).is_some() {
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

    /// Whether all that waits is among these. A block usually takes everything.
    fn holds_no_other(&self, txids: &[Txid]) -> bool {
        let few = self.len() <= txids.len();
        few && txids.iter().filter(|txid| self.places.contains_key(txid)).count() == self.len()
    }

    /// Removes everything, which takes less time than one after another.
    fn clear(&mut self) {
        self.changes += self.entries.len() as u64;
        self.entries.clear();
        self.places.clear();
        self.spenders.clear();
        self.arrivals.clear();
        self.double_spends.clear();
        (self.bytes, self.fees) = (0, 0);
    }

    /// After blocks were taken back, any coin may have changed: judges everything again, the oldest first. Scripts that ran need not run again, for a transaction's id covers them and what they spend.
    fn rebuild<S: Store>(&mut self, back: Vec<Transaction>, chain: &Chain<S>, now: u32, update: &mut Update) {
        // What once had room is not asked for a higher fee, so the floor is laid aside.
        let mut before = Self { next_place: self.next_place, changes: self.changes, ..Self::with_policy(self.policy) };
        std::mem::swap(self, &mut before);
        self.priorities = std::mem::take(&mut before.priorities);
        self.notices = std::mem::take(&mut before.notices);
        for tx in back {
            let tx = Arc::new(tx);
            let txid = tx.txid();
            match self.judge(tx, chain, now, None, Rivals::Refused) {
                Ok(entry) => {
                    self.insert(entry);
                    update.returned.push(txid);
                }
                Err(TxError::AlreadyInChain) => {}
                Err(error) => update.dropped.push((txid, error)),
            }
        }
        for old in before.entries.into_values() {
            let known = Ok((old.cost, old.sig_checks));
            match self.judge(Arc::clone(&old.tx), chain, old.time, Some(&known), Rivals::Refused) {
                Ok(entry) => self.insert(Entry { height: old.height, ..entry }),
                Err(TxError::AlreadyInChain) => {}
                Err(error) => update.dropped.push((old.txid, error)),
            }
        }
        let reports = std::mem::take(&mut before.double_spends);
        self.double_spends = reports.into_iter().filter(|(txid, _)| self.places.contains_key(txid)).collect();
        self.floor = before.floor;
        update.dropped.extend(self.make_room(now).into_iter().map(|txid| (txid, TxError::MempoolFull)));
    }

    /// Drops what came before `oldest` and all that spends its outputs.
    pub fn expire(&mut self, oldest: u32) -> Vec<Txid> {
        let mut gone = Vec::new();
        while let Some((time, place)) = self.arrivals.first().copied()
            && time < oldest
        {
            let Some(txid) = self.entries.get(&place).map(|entry| entry.txid) else { break };
            gone.extend(self.remove_with_descendants(&txid));
        }
        gone.iter().for_each(|txid| self.tell(Notice::Expired(*txid)));
        gone
    }
}

/// Everything that is reached from `from` by steps of `next`, without itself.
fn reach(from: Txid, next: impl Fn(&Txid) -> BTreeSet<Txid>) -> BTreeSet<Txid> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(one) = open.pop() {
        open.extend(next(&one).into_iter().filter(|txid| found.insert(*txid)));
    }
    found
}

/// A block's transactions without its coinbase, each after those whose outputs it spends.
#[must_use]
pub fn ordinary_parents_first(block: &Block) -> Vec<Transaction> {
    let ordinary: Vec<&Transaction> = block.transactions.iter().skip(1).collect();
    let txids: Vec<Txid> = ordinary.iter().map(|tx| tx.txid()).collect();
    let order = parents_first(&ordinary, &txids);
    order.into_iter().filter_map(|place| ordinary.get(place).map(|tx| (*tx).clone())).collect()
}
