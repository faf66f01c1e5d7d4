//! What peers ask for.

use spec::BlockHash;

use super::Hub;
use crate::ledger::Ledger;
use crate::limits::{GETBLOCKS_MAX, HEADERS_MAX, INVENTORY_MAX, SERVE_BYTES, SERVE_MAX};
use crate::message::{Inventory, Message, Span};
use crate::peer::PeerId;
use crate::score::Offence;

impl Hub {
    pub(super) fn serve_headers(&mut self, ledger: &dyn Ledger, now: u64, id: PeerId, span: &Span) {
        let headers = ledger.headers_after(&span.locator, &span.stop, HEADERS_MAX);
        self.send(id, &Message::Headers(headers), now);
    }

    /// Hashes, for those who do not ask for headers. Where there are more, the peer is told our tip when it has come so far.
    pub(super) fn serve_hashes(&mut self, ledger: &dyn Ledger, now: u64, id: PeerId, span: &Span) {
        let headers = ledger.headers_after(&span.locator, &span.stop, GETBLOCKS_MAX);
        let hashes: Vec<BlockHash> = headers.iter().map(spec::BlockHeader::hash).collect();
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.go_on_after = hashes.last().copied().filter(|_| headers.len() == GETBLOCKS_MAX);
        if !hashes.is_empty() {
            self.send(id, &Message::Inv(hashes.into_iter().map(Inventory::Block).collect()), now);
        }
    }

    pub(super) fn serve_later(&mut self, ledger: &mut dyn Ledger, now: u64, id: PeerId, items: Vec<Inventory>) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        if peer.serve.len() + items.len() > SERVE_MAX {
            return self.offend(id, Offence::Flood, now);
        }
        peer.serve.extend(items);
        self.serve(ledger, now, id);
    }

    /// Sends what was asked for, as long as the peer takes it.
    pub(super) fn serve(&mut self, ledger: &dyn Ledger, now: u64, id: PeerId) {
        let mut missing = Vec::new();
        while let Some(peer) = self.peers.get_mut(&id).filter(|peer| peer.unsent < SERVE_BYTES) {
            let Some(item) = peer.serve.pop_front() else { break };
            let found = match item {
                Inventory::Block(hash) => ledger.block(&hash).map(|block| Message::Block(Box::new((*block).clone()))),
                Inventory::Tx(txid) => ledger.tx(&txid).map(|tx| Message::Tx(Box::new((*tx).clone()))),
                Inventory::Other(..) => None,
            };
            match found {
                Some(message) => self.send(id, &message, now),
                None => missing.push(item),
            }
            self.go_on(ledger, now, id, item);
        }
        if !missing.is_empty() {
            self.send(id, &Message::NotFound(missing), now);
        }
    }

    fn go_on(&mut self, ledger: &dyn Ledger, now: u64, id: PeerId, item: Inventory) {
        if let Inventory::Block(hash) = item {
            self.offer_at_tip(ledger, id, &hash);
        }
        let Some(peer) = self.peers.get_mut(&id) else { return };
        if peer.go_on_after.take_if(|hash| item == Inventory::Block(*hash)).is_some() {
            self.send(id, &Message::Inv(vec![Inventory::Block(ledger.tip())]), now);
        }
    }

    pub(super) fn serve_mempool(&mut self, ledger: &dyn Ledger, now: u64, id: PeerId) {
        let Some(rate) = self.peers.get(&id).map(|peer| peer.fee_filter) else { return };
        let waiting = ledger.waiting(INVENTORY_MAX).into_iter().filter(|txid| ledger.fee_rate(txid) >= rate);
        let items: Vec<Inventory> = waiting.map(Inventory::Tx).collect();
        // Who asks again and again names nothing himself, but makes us name it.
        if self.names_too_much(id, items.len().max(1), now) {
            return self.offend(id, Offence::Flood, now);
        }
        if !items.is_empty() {
            self.send(id, &Message::Inv(items), now);
        }
    }
}
