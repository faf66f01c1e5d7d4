//! Transactions that spend what is not known yet: few, small, and not for long.

use std::collections::{BTreeMap, BTreeSet};

use spec::{Transaction, Txid};

use crate::limits::{ORPHAN_BYTES_MAX, ORPHAN_MS, ORPHANS_MAX};
use crate::peer::PeerId;

#[derive(Debug)]
struct Orphan {
    tx: Transaction,
    from: PeerId,
    until: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Orphans {
    all: BTreeMap<Txid, Orphan>,
    /// Who waits for which parent.
    children: BTreeMap<Txid, BTreeSet<Txid>>,
}

impl Orphans {
    pub(crate) fn contains(&self, txid: &Txid) -> bool {
        self.all.contains_key(txid)
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Keeps one more. Where there is no room, the one that leaves soonest anyway makes it.
    pub(crate) fn insert(&mut self, tx: Transaction, from: PeerId, now: u64) {
        if tx.len_bytes() > ORPHAN_BYTES_MAX {
            return;
        }
        self.expire(now);
        if self.all.len() >= ORPHANS_MAX
            && let Some(oldest) = self.all.iter().min_by_key(|(_, orphan)| orphan.until).map(|(txid, _)| *txid)
        {
            self.remove(&oldest);
        }
        let txid = tx.txid();
        for input in &tx.inputs {
            self.children.entry(input.prevout.txid).or_default().insert(txid);
        }
        self.all.insert(txid, Orphan { tx, from, until: now.saturating_add(ORPHAN_MS) });
    }

    fn remove(&mut self, txid: &Txid) -> Option<Orphan> {
        let orphan = self.all.remove(txid)?;
        for input in &orphan.tx.inputs {
            if let Some(siblings) = self.children.get_mut(&input.prevout.txid) {
                siblings.remove(txid);
                if siblings.is_empty() {
                    self.children.remove(&input.prevout.txid);
                }
            }
        }
        Some(orphan)
    }

    /// Takes out those that wait for `parent`.
    pub(crate) fn take_children(&mut self, parent: &Txid) -> Vec<(PeerId, Transaction)> {
        let children = self.children.get(parent).cloned().unwrap_or_default();
        let taken = children.iter().filter_map(|child| self.remove(child));
        taken.map(|orphan| (orphan.from, orphan.tx)).collect()
    }

    /// Forgets what a peer brought.
    pub(crate) fn forget(&mut self, peer: PeerId) {
        let gone: Vec<Txid> =
            self.all.iter().filter(|(_, orphan)| orphan.from == peer).map(|(txid, _)| *txid).collect();
        for txid in gone {
            self.remove(&txid);
        }
    }

    pub(crate) fn expire(&mut self, now: u64) {
        let gone: Vec<Txid> =
            self.all.iter().filter(|(_, orphan)| orphan.until <= now).map(|(txid, _)| *txid).collect();
        for txid in gone {
            self.remove(&txid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::{OutPoint, Sats, TxIn, TxOut};

    fn child_of(parent: u8, bytes: usize) -> Transaction {
        let prevout = OutPoint { txid: Txid::from_wire([parent; 32]), index: 0 };
        let input = TxIn { prevout, unlock: vec![0; bytes], sequence: 0 };
        Transaction { version: 2, inputs: vec![input], outputs: vec![TxOut::plain(Sats::ONE, vec![])], locktime: 0 }
    }

    #[test]
    fn orphans_are_few_small_and_leave() {
        let mut orphans = Orphans::default();
        orphans.insert(child_of(1, ORPHAN_BYTES_MAX), PeerId(1), 0);
        assert_eq!(orphans.len(), 0);
        for number in 0..300u16 {
            orphans.insert(child_of((number % 200) as u8, usize::from(number)), PeerId(1), u64::from(number));
        }
        assert_eq!(orphans.len(), ORPHANS_MAX);
        assert!(orphans.take_children(&Txid::from_wire([150; 32])).is_empty());
        assert_eq!(orphans.take_children(&Txid::from_wire([99; 32])).len(), 1);
        orphans.expire(ORPHAN_MS + 250);
        assert_eq!(orphans.len(), 48);
        orphans.forget(PeerId(1));
        assert!(orphans.all.is_empty() && orphans.children.is_empty());
    }
}
