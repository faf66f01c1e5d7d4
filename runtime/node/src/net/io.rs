//! Sockets: one thread that reads, cuts into messages and writes. It decides nothing.
//!
//! What a stranger can cost is bounded: messages before the handshake are short, long ones need one of a few slots and must come in
//! time, and whoever sends faster than the owner takes has to wait.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use p2p::{Event, Framer, HANDSHAKE_BYTES_MAX, HEAD_BYTES, Message, Offence, PeerId, SMALL_BYTES_MAX, magic};
use spec::Network;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{Sender, UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::Wake;

/// Connections at the same time, of either kind; the hub refuses some of them.
const CONNECTIONS_MAX: usize = 256;
/// Long messages at the same time.
const LONG_MAX: usize = 8;
/// How long a message may take from its first byte to its last.
const MESSAGE_TIME: Duration = Duration::from_secs(60);
const DIAL_TIME: Duration = Duration::from_secs(10);
/// How often the hub is told that time passes.
const TICK: Duration = Duration::from_millis(250);
const READ_BYTES: usize = 64 << 10;

/// What the owner wants done.
#[derive(Debug)]
pub(crate) enum Command {
    /// Send these bytes.
    Send {
        /// To whom.
        peer: PeerId,
        /// The frame.
        frame: Vec<u8>,
    },
    /// End a connection.
    Close(PeerId),
    /// Call somebody.
    Dial(String),
}

/// What the owner is told, and the slot that a long message holds until it was dealt with.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) event: Event,
    pub(crate) slot: Option<OwnedSemaphorePermit>,
}

/// What all connections share.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    magic: [u8; 4],
    input: Sender<Input>,
    wake: Wake,
    long: Arc<Semaphore>,
}

impl Edge {
    pub(super) fn new(network: Network, input: Sender<Input>, wake: Wake) -> Self {
        Self { magic: magic(network), input, wake, long: Arc::new(Semaphore::new(LONG_MAX)) }
    }

    async fn tell(&self, event: Event, slot: Option<OwnedSemaphorePermit>) {
        // An owner that is gone needs not know.
        let _ = self.input.send(Input { event, slot }).await;
        self.wake.tell();
    }
}

/// What connections tell the thread's loop.
enum Note {
    Opened(String, TcpStream),
    Done(PeerId),
}

struct Link {
    outbox: UnboundedSender<Vec<u8>>,
    task: AbortHandle,
}

struct Links {
    edge: Edge,
    notes: UnboundedSender<Note>,
    open: BTreeMap<PeerId, Link>,
    next: u64,
}

/// Runs until the owner is gone.
pub(super) async fn run(listener: Option<TcpListener>, edge: Edge, mut orders: UnboundedReceiver<Command>) {
    let (notes, mut noted) = unbounded_channel();
    let mut links = Links { edge, notes, open: BTreeMap::new(), next: 0 };
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(order) => links.obey(order),
                None => break,
            },
            Some(note) = noted.recv() => match note {
                Note::Opened(target, stream) => links.open(stream, Some(target)),
                Note::Done(peer) => drop(links.open.remove(&peer)),
            },
            stream = accept(listener.as_ref()) => links.open(stream, None),
            _ = tick.tick() => {
                // An owner that has much to do hears of the time later.
                let _ = links.edge.input.try_send(Input { event: Event::Tick, slot: None });
                links.edge.wake.tell();
            }
        }
    }
    links.open.values().for_each(|link| link.task.abort());
}

async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    let Some(listener) = listener else { return std::future::pending().await };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            // Out of file descriptors, most likely: wait until some connection ends.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

impl Links {
    fn obey(&mut self, order: Command) {
        match order {
            Command::Send { peer, frame } => {
                if let Some(link) = self.open.get(&peer) {
                    let _ = link.outbox.send(frame);
                }
            }
            Command::Close(peer) => {
                if let Some(link) = self.open.remove(&peer) {
                    link.task.abort();
                }
            }
            Command::Dial(target) => {
                let (edge, notes) = (self.edge.clone(), self.notes.clone());
                drop(tokio::spawn(dial(target, edge, notes)));
            }
        }
    }

    fn open(&mut self, stream: TcpStream, target: Option<String>) {
        let Ok(address) = stream.peer_addr() else { return };
        if target.is_none() && self.open.len() >= CONNECTIONS_MAX {
            return;
        }
        self.next += 1;
        let peer = PeerId(self.next);
        let (outbox, frames) = unbounded_channel();
        let (edge, notes) = (self.edge.clone(), self.notes.clone());
        let task = tokio::spawn(async move {
            connection(&edge, peer, (stream, address, target), frames).await;
            let _ = notes.send(Note::Done(peer));
        });
        self.open.insert(peer, Link { outbox, task: task.abort_handle() });
    }
}

async fn dial(target: String, edge: Edge, notes: UnboundedSender<Note>) {
    match timeout(DIAL_TIME, TcpStream::connect(&target)).await {
        Ok(Ok(stream)) => drop(notes.send(Note::Opened(target, stream))),
        Ok(Err(_)) | Err(_) => edge.tell(Event::Failed { target }, None).await,
    }
}

async fn connection(
    edge: &Edge,
    peer: PeerId,
    (stream, address, target): (TcpStream, SocketAddr, Option<String>),
    frames: UnboundedReceiver<Vec<u8>>,
) {
    let _ = stream.set_nodelay(true);
    let local = stream.local_addr().ok();
    edge.tell(Event::Connected { peer, address, local, target }, None).await;
    let broken = tokio::select! {
        broken = read_all(edge, peer, &stream) => broken,
        () = write_all(edge, peer, &stream, frames) => None,
    };
    let end = broken.map_or(Event::Gone { peer }, |offence| Event::Broken { peer, offence });
    edge.tell(end, None).await;
}

/// Reads messages until the other ends, or does what nobody may.
async fn read_all(edge: &Edge, peer: PeerId, stream: &TcpStream) -> Option<Offence> {
    let mut reading = Reading { framer: Framer::new(edge.magic), begun: Instant::now(), slot: None, shaken: false };
    let mut buffer = vec![0; READ_BYTES];
    loop {
        if reading.framer.is_empty() {
            reading.begun = Instant::now();
        }
        let read = match reading.read(stream, &mut buffer).await {
            Ok(Some(0)) | Err(_) => return None,
            Ok(Some(read)) => read,
            Ok(None) => return Some(Offence::Flood),
        };
        reading.framer.push(buffer.get(..read).unwrap_or_default());
        if let Err(offence) = reading.tell_messages(edge, peer).await {
            return Some(offence);
        }
    }
}

struct Reading {
    framer: Framer,
    /// When the first byte of the message came that is read.
    begun: Instant,
    slot: Option<OwnedSemaphorePermit>,
    shaken: bool,
}

impl Reading {
    /// How many bytes came; nothing if a message takes too long.
    async fn read(&self, stream: &TcpStream, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            let left = MESSAGE_TIME.saturating_sub(self.begun.elapsed());
            if self.framer.is_empty() {
                // The hub asks whoever is silent whether he is there.
                stream.readable().await?;
            } else {
                match timeout(left, stream.readable()).await {
                    Ok(ready) => ready?,
                    Err(_) => return Ok(None),
                }
            }
            match stream.try_read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read.map(Some),
            }
        }
    }

    async fn tell_messages(&mut self, edge: &Edge, peer: PeerId) -> Result<(), Offence> {
        loop {
            let Some(len) = self.framer.announced().map_err(|_| Offence::Frame)? else { return Ok(()) };
            if !self.shaken && len > HANDSHAKE_BYTES_MAX {
                return Err(Offence::Frame);
            }
            if len > SMALL_BYTES_MAX && self.slot.is_none() {
                // The semaphore is never closed. Others that are long may take their time first.
                self.slot = Arc::clone(&edge.long).acquire_owned().await.ok();
                self.begun = Instant::now();
            }
            let Some(frame) = self.framer.next_frame().map_err(|_| Offence::Frame)? else { return Ok(()) };
            self.shaken = self.shaken || frame.command == "verack";
            let message = Message::decode(&frame).map_err(|_| Offence::Message)?;
            let bytes = HEAD_BYTES + frame.payload.len();
            drop(frame);
            edge.tell(Event::Message { peer, message, bytes }, self.slot.take()).await;
            self.begun = Instant::now();
        }
    }
}

/// Writes frames until the other takes no more.
async fn write_all(edge: &Edge, peer: PeerId, stream: &TcpStream, mut frames: UnboundedReceiver<Vec<u8>>) {
    while let Some(frame) = frames.recv().await {
        let mut rest = frame.as_slice();
        while !rest.is_empty() {
            if stream.writable().await.is_err() {
                return;
            }
            match stream.try_write(rest) {
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
        edge.tell(Event::Sent { peer, bytes: frame.len() }, None).await;
    }
}
