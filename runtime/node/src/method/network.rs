//! Peers and addresses.

use std::net::{IpAddr, SocketAddr};

use p2p::{Ban, Hub, PeerId, PeerView, Place, Subnet, VERSION as PROTOCOL_VERSION};
use spec::Address;
use spec::address::Payee;

use crate::json::{Json, hex, list, object, text};
use crate::net::{self, AGENT};
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::{Args, shorten};
use crate::state::Node;

/// Clients choose by this number which shapes of answers they expect; ours are those of bitcoind 29. Who we are is in `subversion`.
const VERSION: u32 = 290_000;
/// How long a ban lasts that is not told otherwise.
const BAN_SECS: u64 = 24 * 60 * 60;

pub(crate) fn connection_count(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    node.with_peers(|hub, _| Json::from(hub.peers().len()))
}

pub(crate) fn peers(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    let peers = node.with_peers(|hub, _| hub.peers())?;
    Ok(list(peers.iter().map(|peer| peer_view(node, peer))))
}

/// Milliseconds as bitcoind's seconds with a fraction.
fn seconds(ms: u64) -> Json {
    Json::Number(format!("{}.{:03}", ms / 1_000, ms % 1_000))
}

/// The names of what bits of a service field say.
fn service_names(services: u64) -> Json {
    let named = [(1, "NETWORK"), (1 << 2, "BLOOM"), (1 << 5, "BITCOIN_CASH"), (1 << 10, "NETWORK_LIMITED")];
    list(named.into_iter().filter(|(bit, _)| services & bit != 0).map(|(_, name)| name))
}

/// The kind of network that an address is of, in bitcoind's words.
fn network_of(ip: std::net::IpAddr) -> &'static str {
    match ip.to_canonical() {
        ip if ip.is_loopback() || ip.is_unspecified() => "not_publicly_routable",
        std::net::IpAddr::V4(_) => "ipv4",
        std::net::IpAddr::V6(_) => "ipv6",
    }
}

const fn connection_type(peer: &PeerView) -> &'static str {
    match (peer.inbound, peer.added) {
        (true, _) => "inbound",
        (false, true) => "manual",
        (false, false) => "outbound-full-relay",
    }
}

fn by_message(bytes: &std::collections::BTreeMap<&'static str, u64>) -> Json {
    Json::Object(bytes.iter().map(|(command, bytes)| ((*command).to_owned(), Json::from(*bytes))).collect())
}

fn peer_view(node: &Node, peer: &PeerView) -> Json {
    let [since, received, sent] = peer.times;
    let [bytes_received, bytes_sent] = peer.bytes;
    let [ping, ping_min, ping_since] = peer.pings;
    let [last_tx, last_block] = peer.last_brought;
    let [received_by, sent_by] = &peer.traffic;
    let version = peer.version.as_ref();
    let services = version.map_or(0, |version| version.services);
    let height = |hash: &spec::BlockHash| node.chain().header(hash).map(|entry| i64::from(entry.height.get()));
    let best = peer.best.as_ref().and_then(|hash| node.chain().header(hash));
    let best_height = best.map_or(-1, |entry| i64::from(entry.height.get()));
    let synced = best.filter(|entry| entry.has_block).map_or(-1, |entry| i64::from(entry.height.get()));
    let offset = version.map_or(0, |version| version.time.saturating_sub(i64::try_from(since / 1_000).unwrap_or(0)));
    object([
        ("id", Json::from(peer.id.0)),
        ("addr", text(peer.address)),
        ("network", Json::from(network_of(peer.address.ip()))),
        ("services", Json::Text(format!("{services:016x}"))),
        ("servicesnames", service_names(services)),
        ("relaytxes", Json::from(version.is_some_and(|version| version.relay))),
        ("lastsend", Json::from(sent / 1_000)),
        ("lastrecv", Json::from(received / 1_000)),
        ("last_transaction", Json::from(last_tx / 1_000)),
        ("last_block", Json::from(last_block / 1_000)),
        ("bytessent", Json::from(bytes_sent)),
        ("bytesrecv", Json::from(bytes_received)),
        ("conntime", Json::from(since / 1_000)),
        ("timeoffset", Json::from(offset)),
    ])
    .with_some("addrbind", peer.local.map(text))
    .with_some("pingtime", ping.map(seconds))
    .with_some("minping", ping_min.map(seconds))
    .with_some("pingwait", ping_since.map(|since| seconds(node.peers_now().saturating_sub(since))))
    .merge(object([
        ("version", Json::from(version.map_or(0, |version| version.version))),
        ("subver", Json::from(version.map_or("", |version| version.agent.as_str()))),
        ("inbound", Json::from(peer.inbound)),
        ("bip152_hb_to", Json::from(false)),
        ("bip152_hb_from", Json::from(false)),
        ("addnode", Json::from(peer.added)),
        ("connection_type", Json::from(connection_type(peer))),
        ("startingheight", Json::from(version.map_or(-1, |version| i64::from(version.height)))),
        ("banscore", Json::from(peer.points)),
        ("synced_headers", Json::from(best_height)),
        ("synced_blocks", Json::from(synced)),
        ("inflight", list(peer.in_flight.iter().filter_map(height))),
        ("whitelisted", Json::from(false)),
        ("permissions", list(std::iter::empty::<Json>())),
        ("bytessent_per_msg", by_message(sent_by)),
        ("bytesrecv_per_msg", by_message(received_by)),
        ("transport_protocol_type", Json::from("v1")),
        ("session_id", Json::from("")),
        ("minfeefilter", Json::from(spec::Sats::from_wire(peer.fee_filter))),
    ]))
}

pub(crate) fn info(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    let (inbound, all, active) = node.with_peers(|hub, _| {
        let peers = hub.peers();
        (peers.iter().filter(|peer| peer.inbound).count(), peers.len(), hub.is_active())
    })?;
    let networks = ["ipv4", "ipv6"].map(|name| {
        object([
            ("name", Json::from(name)),
            ("limited", Json::from(false)),
            ("reachable", Json::from(true)),
            ("proxy", Json::from("")),
            ("proxy_randomize_credentials", Json::from(false)),
        ])
    });
    let services = node.services();
    let local = node.peer_address().map(|address| {
        object([
            ("address", text(address.ip())),
            ("port", Json::from(u32::from(address.port()))),
            ("score", Json::from(1u32)),
        ])
    });
    Ok(object([
        ("version", Json::from(VERSION)),
        ("subversion", Json::from(AGENT)),
        ("protocolversion", Json::from(PROTOCOL_VERSION)),
        ("localservices", Json::Text(format!("{services:016x}"))),
        ("localservicesnames", service_names(services)),
        ("localrelay", Json::from(true)),
        ("timeoffset", Json::from(0u32)),
        ("networkactive", Json::from(active)),
        ("connections", Json::from(all)),
        ("connections_in", Json::from(inbound)),
        ("connections_out", Json::from(all - inbound)),
        ("networks", list(networks)),
        ("relayfee", Json::from(node.relay_fee_per_kb())),
        ("incrementalfee", Json::from(node.relay_fee_per_kb())),
        ("localaddresses", list(local)),
        ("warnings", Json::from("")),
    ]))
}

/// The text with the network's port, if it names none.
fn with_port(node: &Node, target: &str) -> Result<String, RpcError> {
    let good = !target.is_empty() && target.len() <= 255 && target.chars().all(|letter| letter.is_ascii_graphic());
    if !good {
        return Err(RpcError::new(Code::InvalidParameter, "the address of a node is `HOST:PORT`"));
    }
    Ok(net::with_port(node.network(), target))
}

pub(crate) fn add(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let target = with_port(node, &args.text(0)?)?;
    match args.text(1)?.as_str() {
        "add" => match node.with_peers(|hub, _| hub.add(target))? {
            true => Ok(Json::Null),
            false => Err(RpcError::new(Code::NodeAdded, "Error: Node already added")),
        },
        "remove" => match node.with_peers(|hub, _| hub.remove(&target))? {
            true => Ok(Json::Null),
            false => Err(RpcError::new(
                Code::NodeNotAdded,
                "Error: Node could not be removed. It has not been added previously.",
            )),
        },
        "onetry" => node.with_peers(|hub, _| hub.try_once(target)).map(|()| Json::Null),
        other => {
            let message = format!("`{}` is neither `add` nor `remove` nor `onetry`", shorten(other));
            Err(RpcError::new(Code::InvalidParameter, message))
        }
    }
}

pub(crate) fn added(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let (added, peers) = node.with_peers(|hub, _| (hub.added(), hub.peers()))?;
    let wanted = args.get::<String>(0)?.map(|target| with_port(node, &target)).transpose()?;
    let found: Vec<_> = added.iter().filter(|one| wanted.as_ref().is_none_or(|wanted| *wanted == one.target)).collect();
    if wanted.is_some() && found.is_empty() {
        return Err(RpcError::new(Code::NodeNotAdded, "Error: Node has not been added."));
    }
    let address = |id: PeerId| peers.iter().find(|peer| peer.id == id).map(|peer| peer.address);
    Ok(list(found.into_iter().map(|one| {
        let connected = one
            .peer
            .and_then(address)
            .map(|address| object([("address", text(address)), ("connected", Json::from("outbound"))]));
        object([
            ("addednode", Json::from(one.target.as_str())),
            ("connected", Json::from(connected.is_some())),
            ("addresses", list(connected)),
        ])
    })))
}

pub(crate) fn disconnect(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let target = args.get::<String>(0)?.filter(|target| !target.is_empty());
    let id = args.int(1)?;
    let is_it: Box<dyn Fn(&PeerView) -> bool> = match (target, id) {
        (Some(target), None) => Box::new(move |peer| peer.address.to_string() == target),
        (None, Some(id)) => Box::new(move |peer| i64::try_from(peer.id.0) == Ok(id)),
        _ => {
            let message = "Only one of address and nodeid should be provided.";
            return Err(RpcError::new(Code::InvalidParameter, message));
        }
    };
    let gone = node.with_peers(|hub, now| {
        let found: Vec<PeerId> = hub.peers().iter().filter(|peer| is_it(peer)).map(|peer| peer.id).collect();
        found.into_iter().filter(|id| hub.disconnect(*id, now)).count() > 0
    })?;
    let missing = || RpcError::new(Code::NotConnected, "Node not found in connected nodes");
    if gone { Ok(Json::Null) } else { Err(missing()) }
}

pub(crate) fn set_ban(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let wrong = || RpcError::new(Code::InvalidSubnet, "Error: Invalid IP/Subnet");
    let subnet: Subnet = args.text(0)?.parse().map_err(|_| wrong())?;
    let (time, absolute) = (args.int_in(2, 0..=i64::from(u32::MAX))?.unwrap_or(0), args.flag(3, false)?);
    let time = u64::try_from(time).unwrap_or(0);
    match args.text(1)?.as_str() {
        "add" => {
            let done = node.with_peers(|hub, now| ban(hub, subnet, now, time, absolute))?;
            let already = || RpcError::new(Code::NodeAdded, "Error: IP/Subnet already banned");
            if done { Ok(Json::Null) } else { Err(already()) }
        }
        "remove" => {
            let done = node.with_peers(|hub, _| hub.unban(&subnet))?;
            let missing = "Error: Unban failed. Requested address/subnet was not previously manually banned.";
            if done { Ok(Json::Null) } else { Err(RpcError::new(Code::InvalidSubnet, missing)) }
        }
        other => {
            let message = format!("`{}` is neither `add` nor `remove`", shorten(other));
            Err(RpcError::new(Code::InvalidParameter, message))
        }
    }
}

/// False if there is such a ban.
fn ban(hub: &mut Hub, subnet: Subnet, now: u64, time: u64, absolute: bool) -> bool {
    let created = now / 1_000;
    if hub.bans().has(&subnet, created) {
        return false;
    }
    let until = match time {
        0 => created + BAN_SECS,
        time if absolute => time,
        time => created + time,
    };
    hub.ban(subnet, Ban { created, until }, now);
    true
}

pub(crate) fn bans(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    let now = node.peers_now() / 1_000;
    let all: Vec<(Subnet, Ban)> =
        node.with_peers(|hub, _| hub.bans().iter(now).map(|(subnet, ban)| (*subnet, *ban)).collect())?;
    Ok(list(all.into_iter().map(|(subnet, ban)| {
        object([
            ("address", text(subnet)),
            ("ban_created", Json::from(ban.created)),
            ("banned_until", Json::from(ban.until)),
            ("ban_duration", Json::from(ban.until.saturating_sub(ban.created))),
            ("time_remaining", Json::from(ban.until.saturating_sub(now))),
        ])
    })))
}

pub(crate) fn clear_bans(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    node.with_peers(|hub, _| hub.clear_bans()).map(|()| Json::Null)
}

pub(crate) fn addresses(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let count = args.int(0)?.unwrap_or(1);
    let count = usize::try_from(count)
        .map_err(|_| RpcError::new(Code::InvalidParameter, "Address count out of range"))
        .map(|count| if count == 0 { usize::MAX } else { count })?;
    let network = args.get::<String>(1)?;
    if let Some(network) = network.as_deref().filter(|name| !["ipv4", "ipv6"].contains(name)) {
        return Err(RpcError::new(Code::InvalidParameter, format!("Network not recognized: {}", shorten(network))));
    }
    let kind = |place: &Place| if place.socket.is_ipv4() { "ipv4" } else { "ipv6" };
    node.with_peers(|hub, now| {
        let all = hub.book().iter(now / 1_000);
        let wanted = all.filter(|place| network.as_deref().is_none_or(|network| network == kind(place)));
        list(wanted.take(count).map(|place| {
            object([
                ("time", Json::from(place.seen)),
                ("services", Json::from(place.services)),
                ("address", text(place.socket.ip())),
                ("port", Json::from(u32::from(place.socket.port()))),
                ("network", Json::from(kind(place))),
            ])
        }))
    })
}

pub(crate) fn learn(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let ip: IpAddr = args.text(0)?.parse().map_err(|_| RpcError::new(Code::InvalidSubnet, "Invalid IP address"))?;
    let port = args.int_in(1, 0..=i64::from(u16::MAX))?.and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
    let done = node.with_peers(|hub, now| {
        let services = p2p::SERVICES;
        hub.learn(Place { socket: SocketAddr::new(ip, port), services, seen: now / 1_000, source: ip }, now)
    })?;
    let answer = object([("success", Json::from(done))]);
    Ok(answer.with_some("error", (!done).then(|| Json::from("failed-adding-to-new"))))
}

pub(crate) fn totals(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    let [received, sent] = node.with_peers(|hub, _| hub.totals())?;
    Ok(object([
        ("totalbytesrecv", Json::from(received)),
        ("totalbytessent", Json::from(sent)),
        ("timemillis", Json::from(node.peers_now())),
        (
            "uploadtarget",
            object([
                ("timeframe", Json::from(86_400u32)),
                ("target", Json::from(0u32)),
                ("target_reached", Json::from(false)),
                ("serve_historical_blocks", Json::from(true)),
                ("bytes_left_in_cycle", Json::from(0u32)),
                ("time_left_in_cycle", Json::from(0u32)),
            ]),
        ),
    ]))
}

pub(crate) fn ping(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    node.with_peers(Hub::ping_all).map(|()| Json::Null)
}

pub(crate) fn set_active(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let active = args.need(0)?;
    node.with_peers(|hub, now| hub.set_active(active, now)).map(|()| Json::from(active))
}

pub(crate) fn validate_address(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let Ok(address) = Address::parse(&args.text(0)?, node.network()) else {
        return Ok(object([("isvalid", Json::from(false))]));
    };
    let is_script = match address.payee() {
        Payee::KeyHash(_) => false,
        Payee::ScriptHash20(_) | Payee::ScriptHash32(_) => true,
    };
    Ok(object([
        ("isvalid", Json::from(true)),
        ("address", text(address)),
        ("scriptPubKey", hex(address.lock())),
        ("isscript", Json::from(is_script)),
    ]))
}
