//! Connections: whom to call, handshakes, whether somebody is still there, and who is sent away.

use std::net::{IpAddr, SocketAddr};

use super::{Action, Hub};
use crate::ledger::Ledger;
use crate::limits::{ADDED_MAX, BLOCK_MS, HANDSHAKE_MS, HEADERS_MS, PING_EVERY_MS, PONG_MS, SEND_STALL_MS, TX_MS};
use crate::message::{Message, NetAddress, VERSION, Version};
use crate::peer::{Peer, PeerId, Stage};
use crate::score::{BAN_SECS, Ban, Offence, POINTS_MAX, Subnet};

/// The oldest version of the protocol that will do.
const VERSION_MIN: u32 = 70_001;
/// Calls are tried again after so long, and after twice as long each time.
const RETRY_MS: u64 = 1_000;
const RETRY_MS_MAX: u64 = 60_000;

/// Somebody whom we shall call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) target: String,
    /// The connection, if there is one.
    pub(super) peer: Option<PeerId>,
    dialing: bool,
    next: u64,
    tries: u32,
}

/// Somebody whom we were told to call, and the connection, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Who.
    pub target: String,
    /// The connection.
    pub peer: Option<PeerId>,
}

impl Hub {
    /// Calls somebody, and again whenever the connection is gone. False if that was asked before, or too often.
    pub fn add(&mut self, target: String) -> bool {
        if self.added.len() >= ADDED_MAX || self.added.iter().any(|call| call.target == target) {
            return false;
        }
        self.added.push(Call { target, peer: None, dialing: false, next: 0, tries: 0 });
        true
    }

    /// Calls somebody no more; false if nobody asked to. A connection stays.
    pub fn remove(&mut self, target: &str) -> bool {
        let before = self.added.len();
        self.added.retain(|call| call.target != target);
        self.added.len() < before
    }

    /// Whom we were told to call.
    #[must_use]
    pub fn added(&self) -> Vec<Added> {
        self.added.iter().map(|call| Added { target: call.target.clone(), peer: call.peer }).collect()
    }

    /// Calls somebody once.
    pub fn try_once(&mut self, target: String) {
        if self.active {
            self.out.push(Action::Dial(target));
        }
    }

    /// Ends a connection; false if there is none.
    pub fn disconnect(&mut self, peer: PeerId, now: u64) -> bool {
        let there = self.peers.contains_key(&peer);
        self.close(peer, now);
        there
    }

    /// Lets there be connections, or ends all.
    pub fn set_active(&mut self, active: bool, now: u64) {
        self.active = active;
        if !active {
            let all: Vec<PeerId> = self.peers.keys().copied().collect();
            all.into_iter().for_each(|peer| self.close(peer, now));
        }
        for call in &mut self.added {
            (call.next, call.tries) = (now, 0);
        }
    }

    /// Keeps addresses out, and ends their connections.
    pub fn ban(&mut self, subnet: Subnet, ban: Ban, now: u64) {
        self.bans.insert(subnet, ban);
        let covered = self.peers.iter().filter(|(_, peer)| subnet.contains(peer.address.ip()));
        let covered: Vec<PeerId> = covered.map(|(id, _)| *id).collect();
        covered.into_iter().for_each(|peer| self.close(peer, now));
        self.out.push(Action::SaveBans);
    }

    /// Lets addresses in again; false if they were not kept out.
    pub fn unban(&mut self, subnet: &Subnet) -> bool {
        self.out.push(Action::SaveBans);
        self.bans.remove(subnet)
    }

    /// Lets everybody in again.
    pub fn clear_bans(&mut self) {
        self.out.push(Action::SaveBans);
        self.bans.clear();
    }

    pub(super) fn connected(
        &mut self,
        ledger: &mut dyn Ledger,
        now: u64,
        id: PeerId,
        (address, local): (SocketAddr, Option<SocketAddr>),
        target: Option<String>,
    ) {
        let inbound = target.is_none();
        let crowded = inbound && self.peers.values().filter(|peer| peer.inbound).count() >= self.inbound_max;
        if !self.active || crowded || (inbound && self.bans.covers(address.ip(), now / 1_000)) {
            self.out.push(Action::Close(id));
            // Whoever was called is called again when there may be connections.
            return target.into_iter().for_each(|target| self.failed(&target, now));
        }
        for call in self.added.iter_mut().filter(|call| Some(&call.target) == target.as_ref()) {
            (call.peer, call.dialing) = (Some(id), false);
        }
        self.found.remove(&address);
        let nonce = self.next_random();
        self.peers.insert(id, Peer::new((address, local), inbound, nonce, now));
        if !inbound {
            self.introduce(ledger, now, id);
        }
    }

    pub(super) fn failed(&mut self, target: &str, now: u64) {
        self.not_reached(target, now);
        for call in self.added.iter_mut().filter(|call| call.target == target && call.peer.is_none()) {
            postpone(call, now);
        }
    }

    fn introduce(&mut self, ledger: &dyn Ledger, now: u64, id: PeerId) {
        let Some(peer) = self.peers.get(&id) else { return };
        let unknown = SocketAddr::new(IpAddr::from([0; 4]), 0);
        let height = ledger.known(&ledger.tip()).map_or(0, |known| known.height.get());
        let version = Version {
            version: VERSION,
            services: self.services,
            time: i64::from(ledger.now_secs()),
            receiver: NetAddress { services: 0, socket: peer.address },
            sender: NetAddress { services: self.services, socket: unknown },
            nonce: peer.nonce,
            agent: self.agent.clone(),
            height: i32::try_from(height).unwrap_or(i32::MAX),
            relay: true,
        };
        self.send(id, &Message::Version(Box::new(version)), now);
    }

    /// What comes before the handshake is done.
    pub(super) fn shake(&mut self, ledger: &mut dyn Ledger, now: u64, id: PeerId, message: Message) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        match (peer.stage, message) {
            (Stage::New, Message::Version(version)) => self.meet(ledger, now, id, *version),
            (Stage::Known, Message::Verack) => {
                peer.stage = Stage::Ready;
                self.greet(ledger, now, id);
            }
            // Some say what they prefer before they have said that they are ready.
            (Stage::Known, Message::SendHeaders) => peer.prefers_headers = true,
            (Stage::Known, Message::FeeFilter(rate)) => peer.fee_filter = rate,
            (Stage::Known, Message::Other | Message::Addr(_) | Message::GetAddr | Message::Ping(_)) => {}
            _ => {
                self.offend(id, Offence::Handshake, now);
                self.close(id, now);
            }
        }
    }

    /// Whoever is too old, or is ourselves, is left.
    fn meet(&mut self, ledger: &mut dyn Ledger, now: u64, id: PeerId, version: Version) {
        let own = self.peers.values().any(|other| other.nonce == version.nonce && !other.inbound);
        let Some(peer) = self.peers.get_mut(&id) else { return };
        if version.version < VERSION_MIN || (peer.inbound && own) {
            return self.close(id, now);
        }
        (peer.version, peer.stage) = (Some(version), Stage::Known);
        if peer.inbound {
            self.introduce(ledger, now, id);
        }
        self.send(id, &Message::Verack, now);
    }

    fn greet(&mut self, ledger: &mut dyn Ledger, now: u64, id: PeerId) {
        for call in self.added.iter_mut().filter(|call| call.peer == Some(id)) {
            call.tries = 0;
        }
        self.send(id, &Message::SendHeaders, now);
        self.send(id, &Message::FeeFilter(ledger.fee_rate_min()), now);
        self.ask_new_headers(ledger, now, id);
        self.ping(id, now);
        self.offer_if_level(ledger, id);
        self.exchange_addresses(now, id);
    }

    /// Asks every peer whether it is there.
    pub fn ping_all(&mut self, now: u64) {
        let ready: Vec<PeerId> = self.peers.iter().filter(|(_, peer)| peer.is_ready()).map(|(id, _)| *id).collect();
        ready.into_iter().for_each(|id| self.ping(id, now));
    }

    fn ping(&mut self, id: PeerId, now: u64) {
        let nonce = self.next_random();
        match self.peers.get_mut(&id) {
            Some(peer) if peer.pings.open.is_none() => peer.pings.open = Some((nonce, now)),
            _ => return,
        }
        self.send(id, &Message::Ping(nonce), now);
    }

    pub(super) fn pong(&mut self, id: PeerId, nonce: u64, now: u64) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        if let Some((_, since)) = peer.pings.open.take_if(|(asked, _)| *asked == nonce) {
            let took = now.saturating_sub(since);
            peer.pings.last_ms = Some(took);
            peer.pings.least_ms = Some(peer.pings.least_ms.map_or(took, |least| least.min(took)));
        }
    }

    pub(super) fn sent(&mut self, ledger: &mut dyn Ledger, now: u64, id: PeerId, bytes: usize) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.unsent = peer.unsent.saturating_sub(bytes);
        peer.bytes_sent += bytes as u64;
        peer.last_drained = now;
        self.bytes_sent += bytes as u64;
        self.serve(ledger, now, id);
    }

    /// Counts what a peer did wrong.
    pub(super) fn offend(&mut self, id: PeerId, offence: Offence, now: u64) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.points = peer.points.saturating_add(offence.points());
        if peer.points < POINTS_MAX {
            return;
        }
        let ip = peer.address.ip();
        // Whoever is on this machine, or was called on purpose, is only cut off.
        if peer.inbound && !ip.is_loopback() {
            let created = now / 1_000;
            self.bans.insert(Subnet::of(ip.to_canonical()), Ban { created, until: created + BAN_SECS });
            self.out.push(Action::SaveBans);
        }
        self.close(id, now);
    }

    /// Ends a connection.
    pub(super) fn close(&mut self, id: PeerId, now: u64) {
        if self.peers.contains_key(&id) {
            self.out.push(Action::Close(id));
            self.forget(id, now);
        }
    }

    /// Whoever is gone owes nothing.
    pub(super) fn forget(&mut self, id: PeerId, now: u64) {
        let Some(peer) = self.peers.remove(&id) else { return };
        if !peer.inbound && !peer.is_ready() {
            self.book.failed(peer.address, now / 1_000);
        }
        peer.in_flight.keys().for_each(|hash| self.download.release(hash, id));
        for txid in &peer.tx_requests {
            self.tx_requests.remove(txid);
        }
        self.orphans.forget(id);
        for call in self.added.iter_mut().filter(|call| call.peer == Some(id)) {
            postpone(call, now);
        }
    }

    pub(super) fn tick(&mut self, ledger: &mut dyn Ledger, now: u64) {
        self.connect_next(ledger, now);
        self.orphans.expire(now);
        self.expire_tx_requests(now.saturating_sub(TX_MS));
        for id in self.silent(now) {
            self.close(id, now);
        }
        self.offer_more(ledger, now);
        let quiet = |peer: &Peer| peer.is_ready() && now.saturating_sub(peer.last_received) > PING_EVERY_MS;
        let quiet: Vec<PeerId> = self.peers.iter().filter(|(_, peer)| quiet(peer)).map(|(id, _)| *id).collect();
        quiet.into_iter().for_each(|id| self.ping(id, now));
        self.call_others(now);
        self.call_found(now);
        self.save_book(now);
    }

    fn expire_tx_requests(&mut self, before: u64) {
        let peers = &mut self.peers;
        self.tx_requests.retain(|txid, (asked, since)| {
            let stays = *since > before;
            if !stays && let Some(peer) = peers.get_mut(asked) {
                peer.tx_requests.remove(txid);
            }
            stays
        });
    }

    /// Who let a time pass.
    fn silent(&self, now: u64) -> Vec<PeerId> {
        let late = |since: u64, patience: u64| now.saturating_sub(since) > patience;
        let is_late = |peer: &Peer| {
            (!peer.is_ready() && late(peer.since, HANDSHAKE_MS))
                || peer.pings.open.is_some_and(|(_, since)| late(since, PONG_MS))
                || peer.in_flight.values().any(|since| late(*since, BLOCK_MS))
                || peer.headers_due.is_some_and(|since| late(since, HEADERS_MS))
                || (peer.unsent > 0 && late(peer.last_drained, SEND_STALL_MS))
        };
        self.peers.iter().filter(|(_, peer)| is_late(peer)).map(|(id, _)| *id).collect()
    }

    fn call_others(&mut self, now: u64) {
        if !self.active {
            return;
        }
        for call in self.added.iter_mut().filter(|call| call.peer.is_none() && !call.dialing && call.next <= now) {
            call.dialing = true;
            self.out.push(Action::Dial(call.target.clone()));
        }
    }
}

/// The connection is gone or did not come: the next call waits longer.
fn postpone(call: &mut Call, now: u64) {
    let wait = RETRY_MS.saturating_mul(1 << call.tries.min(10)).min(RETRY_MS_MAX);
    (call.peer, call.dialing) = (None, false);
    (call.next, call.tries) = (now.saturating_add(wait), call.tries.saturating_add(1));
}
