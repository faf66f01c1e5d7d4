//! What is told to peers and what they tell: blocks by their headers or hashes, transactions by their ids.

use spec::{BlockHash, BlockHeader, Transaction, Txid};

use super::Hub;
use crate::ledger::{Ledger, TxVerdict};
use crate::limits::{
    ANNOUNCED_MAX, INVENTORY_MAX, INVENTORY_RATE, OFFER_MS, OFFERED_MAX, RATE_MS, TX_REQUESTS_MAX, TX_REQUESTS_PEER_MAX,
};
use crate::message::{Inventory, Message};
use crate::peer::PeerId;
use crate::score::Offence;

/// A transaction that nobody asked for counts as so many entries of an inventory.
const UNASKED_WEIGHT: usize = 100;

impl Hub {
    pub(super) fn inventory(&mut self, ledger: &mut dyn Ledger, now: u64, id: PeerId, items: Vec<Inventory>) {
        if self.names_too_much(id, items.len(), now) {
            return self.offend(id, Offence::Flood, now);
        }
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let (mut transactions, mut unknown_block) = (Vec::new(), false);
        for item in items {
            peer.seen.insert(item);
            match item {
                Inventory::Block(hash) => match ledger.known(&hash) {
                    Some(known) if !known.invalid => peer.best = Some(hash),
                    Some(_) => {}
                    None => unknown_block = true,
                },
                Inventory::Tx(txid) => transactions.push(txid),
                Inventory::Other(..) => {}
            }
        }
        self.request(ledger, now, id, transactions);
        if unknown_block {
            self.ask_new_headers(ledger, now, id);
        }
    }

    pub(super) fn names_too_much(&mut self, id: PeerId, count: usize, now: u64) -> bool {
        let Some(peer) = self.peers.get_mut(&id) else { return false };
        if now.saturating_sub(peer.named.0) > RATE_MS {
            peer.named = (now, 0);
        }
        peer.named.1 += count;
        peer.named.1 > INVENTORY_RATE
    }

    /// Asks a peer for transactions that are not known and that nobody was asked for.
    fn request(&mut self, ledger: &dyn Ledger, now: u64, id: PeerId, txids: Vec<Txid>) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let mut wanted = Vec::new();
        for txid in txids {
            let room = peer.tx_requests.len() < TX_REQUESTS_PEER_MAX && self.tx_requests.len() < TX_REQUESTS_MAX;
            let known =
                self.tx_requests.contains_key(&txid) || self.rejects.contains(&txid) || self.orphans.contains(&txid);
            if room && !known && !ledger.has_tx(&txid) {
                peer.tx_requests.insert(txid);
                self.tx_requests.insert(txid, (id, now));
                wanted.push(Inventory::Tx(txid));
            }
        }
        if !wanted.is_empty() {
            self.send(id, &Message::GetData(wanted), now);
        }
    }

    pub(super) fn transaction(&mut self, now: u64, id: PeerId, tx: Transaction) {
        let txid = tx.txid();
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.seen.insert(Inventory::Tx(txid));
        if peer.tx_requests.remove(&txid) {
            self.tx_requests.remove(&txid);
        } else if self.names_too_much(id, UNASKED_WEIGHT, now) {
            return self.offend(id, Offence::Flood, now);
        }
        self.arrived.push_back((id, tx));
    }

    /// Offers what has come to the ledger, and then what waited for it.
    pub(super) fn take_arrived(&mut self, ledger: &mut dyn Ledger, now: u64) {
        while let Some((from, tx)) = self.arrived.pop_front() {
            let txid = tx.txid();
            if self.rejects.contains(&txid) || self.orphans.contains(&txid) {
                continue;
            }
            match ledger.accept_tx(tx.clone()) {
                TxVerdict::Accepted => {
                    self.brought(from, 0, now);
                    self.announce_tx(ledger, now, txid);
                    self.arrived.extend(self.orphans.take_children(&txid));
                }
                TxVerdict::MissingInputs => self.keep_orphan(ledger, now, from, tx),
                TxVerdict::Refused => drop(self.rejects.insert(txid)),
                TxVerdict::Invalid => {
                    self.rejects.insert(txid);
                    self.offend(from, Offence::InvalidTransaction, now);
                }
            }
        }
    }

    /// A peer's transaction (0) or block (1) was taken.
    pub(super) fn brought(&mut self, id: PeerId, kind: usize, now: u64) {
        if let Some(last) = self.peers.get_mut(&id).and_then(|peer| peer.last_brought.get_mut(kind)) {
            *last = now;
        }
    }

    /// Keeps a transaction for later, and asks whoever sent it for its parents.
    fn keep_orphan(&mut self, ledger: &dyn Ledger, now: u64, from: PeerId, tx: Transaction) {
        let mut parents: Vec<Txid> = tx.inputs.iter().map(|input| input.prevout.txid).collect();
        parents.sort_unstable();
        parents.dedup();
        // What builds on a refused one will be refused too.
        if parents.iter().any(|parent| self.rejects.contains(parent)) {
            self.rejects.insert(tx.txid());
            return;
        }
        self.orphans.insert(tx, from, now);
        self.request(ledger, now, from, parents);
    }

    /// Tells of a waiting transaction to all who want to hear of it and have not.
    pub(super) fn announce_tx(&mut self, ledger: &dyn Ledger, now: u64, txid: Txid) {
        let (item, rate) = (Inventory::Tx(txid), ledger.fee_rate(&txid));
        let wants = self.peers.iter_mut().filter(|(_, peer)| peer.wants_transactions() && peer.fee_filter <= rate);
        let told: Vec<PeerId> = wants.filter_map(|(id, peer)| peer.seen.insert(item).then_some(*id)).collect();
        told.into_iter().for_each(|id| self.send(id, &Message::Inv(vec![item]), now));
    }

    /// Lets a newcomer hear of what waits, unless it is behind: without our blocks it could make nothing of it.
    pub(super) fn offer_if_level(&mut self, ledger: &dyn Ledger, id: PeerId) {
        let height = ledger.known(&ledger.tip()).map_or(0, |tip| tip.height.get());
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let level = peer.version.as_ref().is_some_and(|version| i64::from(version.height) >= i64::from(height));
        if level {
            peer.offers.get_or_insert_with(|| ledger.waiting(INVENTORY_MAX).into());
        }
    }

    /// Once a peer has been sent our tip, it can make something of what waits.
    pub(super) fn offer_at_tip(&mut self, ledger: &dyn Ledger, id: PeerId, sent: &BlockHash) {
        if let Some(peer) = self.peers.get_mut(&id).filter(|_| *sent == ledger.tip()) {
            peer.offers.get_or_insert_with(|| ledger.waiting(INVENTORY_MAX).into());
        }
    }

    /// Tells newcomers of some more that waits, as far as it pays what they ask for. Not all at once, for a peer asks for so many only.
    pub(super) fn offer_more(&mut self, ledger: &dyn Ledger, now: u64) {
        let mut told: Vec<(PeerId, Vec<Inventory>)> = Vec::new();
        for (id, peer) in self.peers.iter_mut().filter(|(_, peer)| peer.wants_transactions()) {
            let Some(offers) = peer.offers.as_mut().filter(|offers| !offers.is_empty()) else { continue };
            if now.saturating_sub(peer.last_offer) < OFFER_MS {
                continue;
            }
            peer.last_offer = now;
            let some: Vec<Txid> = offers.drain(..offers.len().min(OFFERED_MAX)).collect();
            let pays =
                some.into_iter().filter(|txid| ledger.tx(txid).is_some() && ledger.fee_rate(txid) >= peer.fee_filter);
            let items: Vec<Inventory> = pays.map(Inventory::Tx).filter(|item| peer.seen.insert(*item)).collect();
            if !items.is_empty() {
                told.push((*id, items));
            }
        }
        told.into_iter().for_each(|(id, items)| self.send(id, &Message::Inv(items), now));
    }

    /// Tells of a new tip, once nothing above it waits to be connected.
    pub(super) fn follow_tip(&mut self, ledger: &dyn Ledger, now: u64) {
        let tip = ledger.tip();
        if self.announced == Some(tip) || self.download.has_next() {
            return;
        }
        // What was refused may be welcome on another chain.
        self.rejects.clear();
        if let Some(before) = self.announced.replace(tip) {
            self.announce_tip(ledger, now, tip, before);
        }
    }

    fn announce_tip(&mut self, ledger: &dyn Ledger, now: u64, tip: BlockHash, before: BlockHash) {
        let below = std::iter::successors(ledger.known(&tip), |known| ledger.known(&known.header.previous));
        let newest: Vec<BlockHeader> = below.take(ANNOUNCED_MAX).map(|known| known.header).collect();
        let ready: Vec<PeerId> = self.peers.iter().filter(|(_, peer)| peer.is_ready()).map(|(id, _)| *id).collect();
        for id in ready {
            let Some(peer) = self.peers.get_mut(&id) else { continue };
            if !peer.seen.insert(Inventory::Block(tip)) || peer.best == Some(tip) {
                continue;
            }
            let has = |hash| hash == before || peer.best == Some(hash);
            // Down to what it has, or what it was told last.
            let end = newest.iter().position(|header| has(header.previous)).filter(|_| peer.prefers_headers);
            let message = match end {
                Some(end) => Message::Headers(newest.iter().take(end + 1).rev().copied().collect()),
                None => Message::Inv(vec![Inventory::Block(tip)]),
            };
            self.send(id, &message, now);
        }
    }
}
