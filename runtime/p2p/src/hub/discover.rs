//! Addresses: what peers tell of them, what they are told, and whom we call because of it.

use std::net::SocketAddr;

use super::{Action, Hub};
use crate::book::{Book, Place};
use crate::limits::{ADDRESSES_MAX, FOUND_MAX, SAVE_BOOK_MS, TOLD_MAX, TOLD_MS};
use crate::message::{Message, NetAddress};
use crate::peer::PeerId;

impl Hub {
    /// Which addresses are known.
    #[must_use]
    pub const fn book(&self) -> &Book {
        &self.book
    }

    /// Takes an address into the book; false if it cannot be reached by others, is known, or its source has told enough.
    pub fn learn(&mut self, place: Place, now: u64) -> bool {
        let is_new = self.book.insert(place, now / 1_000);
        self.book_saved.1 |= is_new;
        is_new
    }

    /// A peer tells of addresses. Of one that tells more than anybody needs the rest is not looked at.
    pub(super) fn addresses(&mut self, now: u64, id: PeerId, told: &[(u32, NetAddress)]) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        if now.saturating_sub(peer.told.0) > TOLD_MS {
            peer.told = (now, 0);
        }
        let room = TOLD_MAX.saturating_sub(peer.told.1);
        peer.told.1 += told.len().min(room);
        let (source, own) = (peer.address.ip(), self.own);
        for (seen, address) in told.iter().take(room).filter(|(_, address)| Some(address.socket) != own) {
            let place = Place { socket: address.socket, services: address.services, seen: u64::from(*seen), source };
            self.learn(place, now);
        }
    }

    /// Whoever we called can be called by others: they may hear of it, and we ask whom it knows and tell where we are.
    pub(super) fn exchange_addresses(&mut self, now: u64, id: PeerId) {
        let Some(peer) = self.peers.get(&id).filter(|peer| !peer.inbound) else { return };
        let services = peer.version.as_ref().map_or(0, |version| version.services);
        self.book.reached(peer.address, services, now / 1_000);
        self.book_saved.1 = true;
        self.send(id, &Message::GetAddr, now);
        if let Some(socket) = self.own {
            let seen = u32::try_from(now / 1_000).unwrap_or(u32::MAX);
            self.send(id, &Message::Addr(vec![(seen, NetAddress { services: self.services, socket })]), now);
        }
    }

    /// Told once, and only to those who called us: whoever is called chooses whom to believe.
    pub(super) fn serve_addresses(&mut self, now: u64, id: PeerId) {
        let Some(peer) = self.peers.get_mut(&id).filter(|peer| peer.inbound && !peer.told_addresses) else { return };
        peer.told_addresses = true;
        let seen = |place: &Place| u32::try_from(place.seen).unwrap_or(u32::MAX);
        let told = |place: &Place| (seen(place), NetAddress { services: place.services, socket: place.socket });
        let addresses: Vec<_> = self.book.iter(now / 1_000).map(told).take(ADDRESSES_MAX).collect();
        if !addresses.is_empty() {
            self.send(id, &Message::Addr(addresses), now);
        }
    }

    /// Calls an address of the book where there are too few peers, one at a time, chosen by chance.
    pub(super) fn call_found(&mut self, now: u64) {
        let called = self.peers.values().filter(|peer| !peer.inbound).count() + self.found.len();
        if !self.discover || !self.active || called >= FOUND_MAX {
            return;
        }
        let secs = now / 1_000;
        let others = self.book.ready(secs).map(|place| place.socket).filter(|socket| self.is_stranger(*socket, secs));
        let others: Vec<SocketAddr> = others.collect();
        let Some(count) = u64::try_from(others.len()).ok().filter(|count| *count > 0) else { return };
        let chosen = usize::try_from(self.next_random() % count).unwrap_or(0);
        if let Some(socket) = others.get(chosen) {
            self.found.insert(*socket);
            self.out.push(Action::Dial(socket.to_string()));
        }
    }

    /// Whether an address is nobody that we are connected with, call already, or do not let in.
    fn is_stranger(&self, socket: SocketAddr, secs: u64) -> bool {
        let text = socket.to_string();
        let is_known = self.peers.values().any(|peer| peer.address == socket)
            || self.added.iter().any(|call| call.target == text)
            || self.found.contains(&socket);
        !is_known && Some(socket) != self.own && !self.bans.covers(socket.ip(), secs)
    }

    /// A call came to nothing, perhaps to an address of the book.
    pub(super) fn not_reached(&mut self, target: &str, now: u64) {
        if let Ok(socket) = target.parse() {
            self.found.remove(&socket);
            self.book.failed(socket, now / 1_000);
        }
    }

    pub(super) fn save_book(&mut self, now: u64) {
        let (last, changed) = self.book_saved;
        if changed && now.saturating_sub(last) > SAVE_BOOK_MS {
            self.book_saved = (now, false);
            self.out.push(Action::SaveBook);
        }
    }
}
