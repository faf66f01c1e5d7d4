//! The hub: all peers, and what is done when something happens.
//!
//! Every step is a function of the hub's state, the event, the time and what the ledger says, so it can be repeated.

mod blocks;
mod discover;
mod links;
mod relay;
mod serve;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;

use spec::{BlockHash, Network, Transaction, Txid};

use crate::book::Book;
use crate::download::Download;
use crate::ledger::Ledger;
use crate::limits::REJECTS_MAX;
use crate::message::Message;
use crate::orphans::Orphans;
use crate::peer::{Peer, PeerId, PeerView};
use crate::score::{Bans, Offence};
use crate::seen::Seen;
use crate::wire::magic;

pub use links::Added;

/// What happens.
#[derive(Clone, Debug)]
pub enum Event {
    /// A connection stands.
    Connected {
        /// Its number.
        peer: PeerId,
        /// Where the other is.
        address: SocketAddr,
        /// Where it reaches us.
        local: Option<SocketAddr>,
        /// The text by which we were told to call it; none if it called us.
        target: Option<String>,
    },
    /// A call came to nothing.
    Failed {
        /// Whom it was to reach.
        target: String,
    },
    /// A message came.
    Message {
        /// From whom.
        peer: PeerId,
        /// What.
        message: Message,
        /// The bytes of its frame.
        bytes: usize,
    },
    /// Bytes came that are no message.
    Broken {
        /// From whom.
        peer: PeerId,
        /// What is wrong with them.
        offence: Offence,
    },
    /// Bytes have left.
    Sent {
        /// To whom.
        peer: PeerId,
        /// How many.
        bytes: usize,
    },
    /// A connection ended.
    Gone {
        /// Which.
        peer: PeerId,
    },
    /// A transaction waits that did not come from a peer.
    NewTx(Txid),
    /// Some time has passed, or the chain may have changed.
    Tick,
}

/// What shall be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send a frame.
    Send {
        /// To whom.
        peer: PeerId,
        /// Its bytes.
        frame: Vec<u8>,
    },
    /// End a connection. Nothing more is said about it.
    Close(PeerId),
    /// Call somebody.
    Dial(String),
    /// Write down who is not let in.
    SaveBans,
    /// Write down which addresses are known.
    SaveBook,
}

/// How a hub is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which network.
    pub network: Network,
    /// The node's name for itself.
    pub agent: String,
    /// What it serves: [`crate::SERVICES`] or [`crate::LIMITED_SERVICES`].
    pub services: u64,
    /// Where random numbers begin.
    pub seed: u64,
    /// Whom to call and call again.
    pub added: Vec<String>,
    /// Who is not let in.
    pub bans: Bans,
    /// The most peers that called us.
    pub inbound_max: usize,
    /// Which addresses are known.
    pub book: Book,
    /// Whether to call some of them.
    pub discover: bool,
    /// Where we can be called, if others shall hear of it.
    pub own: Option<SocketAddr>,
}

/// All peers.
#[derive(Debug)]
pub struct Hub {
    magic: [u8; 4],
    agent: String,
    services: u64,
    random: u64,
    active: bool,
    peers: BTreeMap<PeerId, Peer>,
    inbound_max: usize,
    bans: Bans,
    added: Vec<links::Call>,
    book: Book,
    discover: bool,
    own: Option<SocketAddr>,
    /// Addresses of the book that are being called.
    found: BTreeSet<SocketAddr>,
    /// When the book was last written down, and whether it has changed since.
    book_saved: (u64, bool),
    download: Download,
    /// Whether the ledger is not ready for the next block.
    waits: bool,
    orphans: Orphans,
    /// Transactions that a peer brought, and orphans whose parent has come.
    arrived: VecDeque<(PeerId, Transaction)>,
    tx_requests: BTreeMap<Txid, (PeerId, u64)>,
    rejects: Seen<Txid>,
    announced: Option<BlockHash>,
    bytes_received: u64,
    bytes_sent: u64,
    out: Vec<Action>,
}

impl Hub {
    /// A hub without peers.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let mut hub = Self {
            magic: magic(options.network),
            agent: options.agent,
            services: options.services,
            random: options.seed,
            active: true,
            peers: BTreeMap::new(),
            inbound_max: options.inbound_max,
            bans: options.bans,
            added: Vec::new(),
            book: options.book,
            discover: options.discover,
            own: options.own,
            found: BTreeSet::new(),
            book_saved: (0, false),
            download: Download::default(),
            waits: false,
            orphans: Orphans::default(),
            arrived: VecDeque::new(),
            tx_requests: BTreeMap::new(),
            rejects: Seen::new(REJECTS_MAX),
            announced: None,
            bytes_received: 0,
            bytes_sent: 0,
            out: Vec::new(),
        };
        for target in options.added {
            hub.add(target);
        }
        hub
    }

    /// What is to be done because of an event at `now`, in milliseconds since 1970 by a clock that never goes back.
    pub fn step(&mut self, ledger: &mut dyn Ledger, now: u64, event: Event) -> Vec<Action> {
        match event {
            Event::Connected { peer, address, local, target } => {
                self.connected(ledger, now, peer, (address, local), target);
            }
            Event::Failed { target } => self.failed(&target, now),
            Event::Message { peer, message, bytes } => self.message(ledger, now, peer, message, bytes),
            Event::Broken { peer, offence } => {
                self.offend(peer, offence, now);
                self.close(peer, now);
            }
            Event::Sent { peer, bytes } => self.sent(ledger, now, peer, bytes),
            Event::Gone { peer } => self.forget(peer, now),
            Event::NewTx(txid) => self.announce_tx(ledger, now, txid),
            Event::Tick => self.tick(ledger, now),
        }
        self.take_arrived(ledger, now);
        self.follow_tip(ledger, now);
        self.schedule(ledger, now);
        std::mem::take(&mut self.out)
    }

    /// What is to be done because of what was asked for since the last step.
    pub fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.out)
    }

    /// Whether blocks wait to be connected that have come: a [`Event::Tick`] connects one. Not while the ledger is not ready for it.
    #[must_use]
    pub fn has_work(&self) -> bool {
        !self.waits && self.download.has_next()
    }

    fn message(&mut self, ledger: &mut dyn Ledger, now: u64, id: PeerId, message: Message, bytes: usize) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.last_received = now;
        peer.bytes_received += bytes as u64;
        let [received, _] = &mut peer.traffic;
        *received.entry(message.command()).or_default() += bytes as u64;
        self.bytes_received += bytes as u64;
        if !peer.is_ready() {
            return self.shake(ledger, now, id, message);
        }
        match message {
            Message::Version(_) | Message::Verack => self.offend(id, Offence::Handshake, now),
            Message::Ping(nonce) => self.send(id, &Message::Pong(nonce), now),
            Message::Pong(nonce) => self.pong(id, nonce, now),
            Message::SendHeaders => peer.prefers_headers = true,
            Message::FeeFilter(rate) => peer.fee_filter = rate,
            Message::Headers(headers) => self.headers(ledger, now, id, &headers),
            Message::Block(block) => self.block(ledger, now, id, *block, bytes),
            Message::Inv(items) => self.inventory(ledger, now, id, items),
            Message::NotFound(items) => self.not_found(id, &items),
            Message::Tx(tx) => self.transaction(now, id, *tx),
            Message::GetHeaders(span) => self.serve_headers(ledger, now, id, &span),
            Message::GetBlocks(span) => self.serve_hashes(ledger, now, id, &span),
            Message::GetData(items) => self.serve_later(ledger, now, id, items),
            Message::Mempool => self.serve_mempool(ledger, now, id),
            Message::GetAddr => self.serve_addresses(now, id),
            Message::Addr(addresses) => self.addresses(now, id, &addresses),
            Message::Other => {}
        }
    }

    /// Sends a message to a peer, or cuts it off if too much waits for it already.
    fn send(&mut self, id: PeerId, message: &Message, now: u64) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let frame = message.to_frame(self.magic);
        if peer.unsent == 0 {
            peer.last_drained = now;
        }
        peer.unsent += frame.len();
        peer.last_sent = now;
        let [_, sent] = &mut peer.traffic;
        *sent.entry(message.command()).or_default() += frame.len() as u64;
        if peer.unsent > crate::limits::UNSENT_BYTES_MAX {
            self.close(id, now);
        } else {
            self.out.push(Action::Send { peer: id, frame });
        }
    }

    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The bytes that came and that were sent, of all peers, also of those that are gone.
    #[must_use]
    pub const fn totals(&self) -> [u64; 2] {
        [self.bytes_received, self.bytes_sent]
    }

    /// Whether there shall be connections.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.active
    }

    /// Who is not let in.
    #[must_use]
    pub const fn bans(&self) -> &Bans {
        &self.bans
    }

    /// The peers, in the order of their numbers.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerView> {
        let added = |id: PeerId| self.added.iter().any(|call| call.peer == Some(id));
        self.peers.iter().map(|(id, peer)| view(*id, peer, added(*id))).collect()
    }

    /// How many things of each kind are kept that peers brought: transactions without parents, requests, peers.
    #[must_use]
    pub fn holds(&self) -> [usize; 3] {
        [self.orphans.len(), self.tx_requests.len(), self.peers.len()]
    }
}

fn view(id: PeerId, peer: &Peer, added: bool) -> PeerView {
    PeerView {
        id,
        address: peer.address,
        local: peer.local,
        inbound: peer.inbound,
        added,
        version: peer.version.clone(),
        ready: peer.is_ready(),
        times: [peer.since, peer.last_received, peer.last_sent],
        bytes: [peer.bytes_received, peer.bytes_sent],
        traffic: peer.traffic.clone(),
        last_brought: peer.last_brought,
        pings: [peer.pings.last_ms, peer.pings.least_ms, peer.pings.open.map(|(_, since)| since)],
        points: peer.points,
        fee_filter: peer.fee_filter,
        best: peer.best,
        in_flight: peer.in_flight.keys().copied().collect(),
    }
}
