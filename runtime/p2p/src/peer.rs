//! One peer: how far the handshake is, what it has and what it owes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;

use spec::{BlockHash, Txid};

use crate::limits::SEEN_MAX;
use crate::message::{Inventory, Version};
use crate::seen::Seen;

/// A connection's number. None comes twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PeerId(pub u64);

/// How far the handshake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing has come.
    New,
    /// Its version has come.
    Known,
    /// Both know each other.
    Ready,
}

/// A question whether the peer is there, and what came of earlier ones.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pings {
    pub(crate) open: Option<(u64, u64)>,
    pub(crate) last_ms: Option<u64>,
    pub(crate) least_ms: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) local: Option<SocketAddr>,
    pub(crate) inbound: bool,
    pub(crate) stage: Stage,
    pub(crate) version: Option<Version>,
    /// The number that we told it.
    pub(crate) nonce: u64,
    pub(crate) since: u64,
    pub(crate) last_received: u64,
    pub(crate) last_sent: u64,
    pub(crate) bytes_received: u64,
    pub(crate) bytes_sent: u64,
    /// The bytes that came and that were sent, by the names of their messages.
    pub(crate) traffic: [BTreeMap<&'static str, u64>; 2],
    /// When it last brought a transaction and a block that were taken.
    pub(crate) last_brought: [u64; 2],
    /// What waits in the shell to be sent, and when the last of it went.
    pub(crate) unsent: usize,
    pub(crate) last_drained: u64,
    pub(crate) pings: Pings,
    pub(crate) points: u32,
    pub(crate) prefers_headers: bool,
    pub(crate) fee_filter: u64,
    /// What it has or was told.
    pub(crate) seen: Seen<Inventory>,
    /// The last header of its chain that we know of.
    pub(crate) best: Option<BlockHash>,
    /// Since when it owes headers.
    pub(crate) headers_due: Option<u64>,
    pub(crate) light_headers: usize,
    pub(crate) unconnected: u32,
    /// The blocks that it was asked for, and since when it owes them.
    pub(crate) in_flight: BTreeMap<BlockHash, u64>,
    pub(crate) tx_requests: BTreeSet<Txid>,
    /// What it asked for and has not got.
    pub(crate) serve: VecDeque<Inventory>,
    /// When it has got this one it is told our tip, so that it asks for more.
    pub(crate) go_on_after: Option<BlockHash>,
    /// Inventory entries since a time.
    pub(crate) named: (u64, usize),
    pub(crate) told_addresses: bool,
    /// Addresses that it told since a time.
    pub(crate) told: (u64, usize),
    /// Transactions that waited here when it came, and that it shall be told of; none before it has our chain.
    pub(crate) offers: Option<VecDeque<Txid>>,
    pub(crate) last_offer: u64,
}

impl Peer {
    pub(crate) fn new((address, local): (SocketAddr, Option<SocketAddr>), inbound: bool, nonce: u64, now: u64) -> Self {
        Self {
            address,
            local,
            inbound,
            stage: Stage::New,
            version: None,
            nonce,
            since: now,
            last_received: 0,
            last_sent: 0,
            bytes_received: 0,
            bytes_sent: 0,
            traffic: Default::default(),
            last_brought: [0; 2],
            unsent: 0,
            last_drained: now,
            pings: Pings::default(),
            points: 0,
            prefers_headers: false,
            fee_filter: 0,
            seen: Seen::new(SEEN_MAX),
            best: None,
            headers_due: None,
            light_headers: 0,
            unconnected: 0,
            in_flight: BTreeMap::new(),
            tx_requests: BTreeSet::new(),
            serve: VecDeque::new(),
            go_on_after: None,
            named: (now, 0),
            told_addresses: false,
            told: (now, 0),
            offers: None,
            last_offer: 0,
        }
    }

    /// Whether the handshake is done.
    pub(crate) fn is_ready(&self) -> bool {
        self.stage == Stage::Ready
    }

    /// Whether it wants to hear of transactions.
    pub(crate) fn wants_transactions(&self) -> bool {
        self.is_ready() && self.version.as_ref().is_some_and(|version| version.relay)
    }
}

/// What people may want to know of a peer. Times are milliseconds of the hub's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerView {
    /// Its number.
    pub id: PeerId,
    /// Where it is.
    pub address: SocketAddr,
    /// Where it reaches us, if that is known.
    pub local: Option<SocketAddr>,
    /// Whether it called us.
    pub inbound: bool,
    /// Whether we were told to call it.
    pub added: bool,
    /// What it said of itself, once it did.
    pub version: Option<Version>,
    /// Whether the handshake is done.
    pub ready: bool,
    /// When the connection began, when something last came, and when something last was sent.
    pub times: [u64; 3],
    /// The bytes that came and that were sent.
    pub bytes: [u64; 2],
    /// The same by the names of messages.
    pub traffic: [BTreeMap<&'static str, u64>; 2],
    /// When it last brought a transaction and a block that were taken; zero for never.
    pub last_brought: [u64; 2],
    /// How long its last answer to a ping took, the shortest, and since when one is due.
    pub pings: [Option<u64>; 3],
    /// What it did wrong, in points.
    pub points: u32,
    /// What it wants transactions to pay, in satoshis for 1,000 bytes.
    pub fee_filter: u64,
    /// The last header of its chain that is known.
    pub best: Option<BlockHash>,
    /// The blocks that it was asked for.
    pub in_flight: Vec<BlockHash>,
}
