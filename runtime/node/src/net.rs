//! Peers, from the owner's side: the hub that decides, the thread that reads and writes, and who is not let in.

mod addresses;
mod io;
mod ledger;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use p2p::{Action, Ban, Bans, Book, Hub, Options};
use spec::{BlockHash, Network};
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::mpsc::{Receiver, UnboundedSender, channel, unbounded_channel};

use crate::auth::write_private;
use crate::config::{Config, Peers, StartError, default_ports, network_folder};
use crate::owner::Event;
use crate::state::Node;

pub(crate) use io::{Command, Input};

/// How the node names itself to others.
pub(crate) const AGENT: &str = concat!("/Bitmodel:", env!("CARGO_PKG_VERSION"), "/");
/// What has come from peers and waits for the owner; whoever sends more waits himself.
const QUEUE: usize = 64;
/// After so long the owner looks whether a client calls.
const TURN: Duration = Duration::from_millis(20);

/// Wakes the owner when something has come.
#[derive(Clone, Debug)]
pub(crate) struct Wake {
    events: SyncSender<Event>,
    told: Arc<AtomicBool>,
}

impl Wake {
    /// A queue that is full wakes the owner too.
    pub(crate) fn tell(&self) {
        if !self.told.swap(true, Ordering::AcqRel) {
            let _ = self.events.try_send(Event::Peers);
        }
    }
}

/// Peers and what leads to them.
#[derive(Debug)]
pub(crate) struct Net {
    hub: Hub,
    commands: UnboundedSender<Command>,
    inbox: Receiver<Input>,
    told: Arc<AtomicBool>,
    started: (Instant, u64),
    tip: Option<BlockHash>,
    ban_file: Option<PathBuf>,
    book_file: Option<PathBuf>,
    address: Option<SocketAddr>,
    busy: bool,
}

impl Net {
    /// Begins to listen and to call, on a thread of its own that ends with this value.
    ///
    /// # Errors
    /// [`StartError`] if the port is taken, the bans cannot be read, or no thread can be started.
    pub(crate) fn start(
        config: &Config,
        services: u64,
        events: SyncSender<Event>,
        seed: u64,
    ) -> Result<Self, StartError> {
        let listener = listen(&config.peers)?;
        let address = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let folder = config.data_dir.as_ref().filter(|_| config.persistent);
        let ban_file = folder.map(|folder| network_folder(folder, config.network).join("banlist.json"));
        let book_file = folder.map(|folder| network_folder(folder, config.network).join("peers.json"));
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let known = book_file.as_ref().map(|path| addresses::read(path, config.network, since.as_secs()));
        let book = known.unwrap_or_else(|| Book::new(config.network));
        let bans = ban_file.as_ref().map(|path| read_bans(path)).transpose()?.unwrap_or_default();
        let added = config.peers.call.iter().map(|target| with_port(config.network, target)).collect();
        let inbound_max = config.peers.max;
        let options = Options {
            network: config.network,
            agent: AGENT.to_owned(),
            services,
            seed,
            added,
            bans,
            inbound_max,
            book,
            discover: config.peers.discover,
            // Others hear of an address that was named; where a node listens at all of its machine's, it does not know which to name.
            own: address.filter(|address| !address.ip().is_unspecified()),
        };
        let (commands, orders) = unbounded_channel();
        let (input, inbox) = channel(QUEUE);
        let told = Arc::new(AtomicBool::new(false));
        let edge = io::Edge::new(config.network, input, Wake { events, told: Arc::clone(&told) });
        spawn(listener, edge, orders)?;
        let started = (Instant::now(), u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        let hub = Hub::new(options);
        Ok(Self { hub, commands, inbox, told, started, tip: None, ban_file, book_file, address, busy: false })
    }

    /// Milliseconds since 1970 by a clock that never goes back.
    pub(crate) fn now(&self) -> u64 {
        let passed = u64::try_from(self.started.0.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.started.1.saturating_add(passed)
    }

    /// Where others reach us.
    pub(crate) const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Asks the hub for something, and does what follows from it.
    pub(crate) fn ask<T>(&mut self, what: impl FnOnce(&mut Hub, u64) -> T) -> T {
        let now = self.now();
        let answer = what(&mut self.hub, now);
        let actions = self.hub.take_actions();
        self.act(actions);
        answer
    }

    /// Lets the hub look at the next block again: it may be connected now.
    pub(crate) const fn look_again(&mut self) {
        self.tip = None;
    }

    /// Whether something waits that has come from peers.
    pub(crate) const fn is_busy(&self) -> bool {
        self.busy
    }

    /// Deals with what has come from peers, as long as a turn takes, and tells them what is new here.
    pub(crate) fn work(&mut self, node: &mut Node) {
        self.told.store(false, Ordering::Release);
        let start = Instant::now();
        for txid in node.take_fresh() {
            self.step(node, p2p::Event::NewTx(txid));
        }
        loop {
            match self.inbox.try_recv() {
                Ok(Input { event, slot }) => {
                    self.step(node, event);
                    drop(slot);
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) if self.hub.has_work() => {
                    self.step(node, p2p::Event::Tick);
                }
                Err(_) => break,
            }
            if start.elapsed() > TURN {
                break;
            }
        }
        if self.tip != Some(node.tip().hash) {
            self.step(node, p2p::Event::Tick);
            self.tip = Some(node.tip().hash);
        }
        self.busy = self.hub.has_work() || !self.inbox.is_empty();
    }

    fn step(&mut self, node: &mut Node, event: p2p::Event) {
        let now = self.now();
        let actions = self.hub.step(node, now, event);
        self.act(actions);
        // What peers brought is announced already.
        node.take_fresh();
    }

    fn act(&mut self, actions: Vec<Action>) {
        for action in actions {
            let command = match action {
                Action::Send { peer, frame } => Command::Send { peer, frame },
                Action::Close(peer) => Command::Close(peer),
                Action::Dial(target) => Command::Dial(target),
                Action::SaveBans => {
                    self.save_bans();
                    continue;
                }
                Action::SaveBook => {
                    self.save_book();
                    continue;
                }
            };
            // The thread that is gone has no peers.
            let _ = self.commands.send(command);
        }
    }

    /// Writes down which addresses are known.
    pub(crate) fn save_book(&self) {
        if let Some(path) = &self.book_file {
            addresses::save(path, self.hub.book(), self.now() / 1_000);
        }
    }

    fn save_bans(&self) {
        let Some(path) = &self.ban_file else { return };
        let one = |(subnet, ban): (&p2p::Subnet, &Ban)| {
            serde_json::json!({
                "version": 1, "ban_created": ban.created, "banned_until": ban.until, "address": subnet.to_string()
            })
        };
        let nets: Vec<_> = self.hub.bans().iter(self.now() / 1_000).map(one).collect();
        let text = serde_json::json!({ "banned_nets": nets }).to_string();
        if let Err(error) = write_private(path, &text) {
            tracing::error!(%error, "the bans were not saved");
        }
    }
}

fn listen(peers: &Peers) -> Result<Option<TcpListener>, StartError> {
    let Some(address) = peers.listen else { return Ok(None) };
    let listener = TcpListener::bind(address).and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
    match listener {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if peers.may_be_deaf && error.kind() == std::io::ErrorKind::AddrInUse => {
            tracing::info!(%address, "another node listens there, so this one does not");
            Ok(None)
        }
        Err(source) => Err(StartError::PeerBind { address, source }),
    }
}

fn spawn(
    listener: Option<TcpListener>,
    edge: io::Edge,
    orders: tokio::sync::mpsc::UnboundedReceiver<Command>,
) -> Result<(), StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
    let listener = {
        let _context = runtime.enter();
        listener.map(tokio::net::TcpListener::from_std).transpose().map_err(StartError::Thread)?
    };
    let run = move || runtime.block_on(io::run(listener, edge, orders));
    thread::Builder::new().name("p2p".to_owned()).spawn(run).map(drop).map_err(StartError::Thread)
}

#[derive(serde::Deserialize)]
struct BanFile {
    banned_nets: Vec<BanEntry>,
}

#[derive(serde::Deserialize)]
struct BanEntry {
    ban_created: u64,
    banned_until: u64,
    address: String,
}

/// The bans of the last node in this folder; none if there is no file.
fn read_bans(path: &std::path::Path) -> Result<Bans, StartError> {
    let damaged = |source| StartError::Folder { path: path.to_owned(), source };
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Bans::default()),
        Err(error) => return Err(damaged(error)),
    };
    let file: BanFile = serde_json::from_slice(&text).map_err(|error| damaged(error.into()))?;
    let mut bans = Bans::default();
    for entry in file.banned_nets {
        if let Ok(subnet) = entry.address.parse() {
            bans.insert(subnet, Ban { created: entry.ban_created, until: entry.banned_until });
        }
    }
    Ok(bans)
}

/// The text with the network's port, if it names none.
pub(crate) fn with_port(network: Network, target: &str) -> String {
    let [_, port] = default_ports(network);
    match target.parse::<std::net::IpAddr>() {
        Ok(ip) => SocketAddr::new(ip, port).to_string(),
        Err(_) if target.contains(':') => target.to_owned(),
        Err(_) => format!("{target}:{port}"),
    }
}
