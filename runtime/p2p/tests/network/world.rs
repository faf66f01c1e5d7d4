//! Several nodes whose connections are queues.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use p2p::{Action, Bans, Book, Event, Framer, Hub, INBOUND_MAX, Ledger, Message, Options, PeerId, SERVICES, magic};
use spec::{Network, Transaction, Txid};

use crate::ledger::Books;

pub struct Node {
    pub hub: Hub,
    pub books: Books,
}

#[derive(Default)]
pub struct World {
    pub nodes: Vec<Node>,
    /// The two ends of each connection: node and number there.
    links: BTreeMap<(usize, PeerId), (usize, PeerId)>,
    queue: VecDeque<(usize, PeerId, Vec<u8>)>,
    pub now: u64,
    next: u64,
    /// Frames that were delivered.
    pub delivered: usize,
}

pub fn hub(name: &str, seed: u64) -> Hub {
    let options = Options {
        network: Network::Devnet,
        agent: name.to_owned(),
        services: SERVICES,
        seed,
        added: vec![],
        bans: Bans::default(),
        inbound_max: INBOUND_MAX,
        book: Book::new(Network::Devnet),
        discover: false,
        own: None,
    };
    Hub::new(options)
}

impl World {
    pub fn of(nodes: usize) -> Self {
        let node = |seed| Node { hub: hub("/test/", seed), books: Books::new() };
        let mut world =
            Self { nodes: (0..nodes as u64).map(node).collect(), now: 1_000_000_000_000, ..Self::default() };
        for node in 0..nodes {
            world.step(node, Event::Tick);
        }
        world
    }

    fn id(&mut self) -> PeerId {
        self.next += 1;
        PeerId(self.next)
    }

    pub fn step(&mut self, at: usize, event: Event) {
        let node = &mut self.nodes[at];
        for action in node.hub.step(&mut node.books, self.now, event) {
            self.act(at, action);
        }
    }

    fn act(&mut self, at: usize, action: Action) {
        match action {
            Action::Send { peer, frame } => {
                let bytes = frame.len();
                if let Some((to, there)) = self.links.get(&(at, peer)) {
                    self.queue.push_back((*to, *there, frame));
                }
                self.step(at, Event::Sent { peer, bytes });
            }
            Action::Close(peer) => {
                if let Some((to, there)) = self.links.remove(&(at, peer)) {
                    self.links.remove(&(to, there));
                    self.step(to, Event::Gone { peer: there });
                }
            }
            Action::Dial(_) | Action::SaveBans | Action::SaveBook => {}
        }
    }

    /// One node calls another.
    pub fn connect(&mut self, from: usize, to: usize) {
        let (here, there) = (self.id(), self.id());
        self.links.insert((from, here), (to, there));
        self.links.insert((to, there), (from, here));
        let address = |node: usize| SocketAddr::from(([10, 0, 0, node as u8 + 1], 18_444));
        self.step(to, Event::Connected { peer: there, address: address(from), local: None, target: None });
        self.step(
            from,
            Event::Connected { peer: here, address: address(to), local: None, target: Some(format!("node {to}")) },
        );
    }

    /// Ends all connections between two groups.
    pub fn part(&mut self, one: &[usize]) {
        let cut: Vec<_> =
            self.links.iter().filter(|((at, _), (to, _))| one.contains(at) && !one.contains(to)).collect();
        let cut: Vec<_> = cut.into_iter().map(|(a, b)| (*a, *b)).collect();
        for (a, b) in cut {
            self.links.remove(&a);
            self.links.remove(&b);
            self.step(a.0, Event::Gone { peer: a.1 });
            self.step(b.0, Event::Gone { peer: b.1 });
        }
    }

    /// Delivers everything, until nobody has anything to say.
    pub fn settle(&mut self) {
        loop {
            while let Some((to, peer, bytes)) = self.queue.pop_front() {
                let mut framer = Framer::new(magic(Network::Devnet));
                framer.push(&bytes);
                let frame = framer.next_frame().unwrap().unwrap();
                let message = Message::decode(&frame).unwrap();
                self.delivered += 1;
                self.step(to, Event::Message { peer, message, bytes: bytes.len() });
            }
            let busy: Vec<usize> = (0..self.nodes.len()).filter(|node| self.nodes[*node].hub.has_work()).collect();
            for node in &busy {
                self.step(*node, Event::Tick);
            }
            if busy.is_empty() && self.queue.is_empty() {
                return;
            }
        }
    }

    pub fn mine(&mut self, at: usize, blocks: usize) {
        self.nodes[at].books.mine(blocks, &format!("node {at}"));
        self.step(at, Event::Tick);
    }

    pub fn send_tx(&mut self, at: usize, tx: &Transaction) -> Txid {
        let txid = tx.txid();
        let node = &mut self.nodes[at];
        node.books.mempool.accept(tx.clone(), &node.books.chain, node.books.now).unwrap();
        self.step(at, Event::NewTx(txid));
        txid
    }

    pub fn heights(&self) -> Vec<u32> {
        self.nodes.iter().map(|node| node.books.chain.tip().entry.height.get()).collect()
    }

    pub fn agree(&self) -> bool {
        self.nodes.windows(2).all(|pair| pair[0].books.tip() == pair[1].books.tip())
    }

    /// How many connections a node has whose handshake is done.
    pub fn ready(&self, at: usize) -> usize {
        self.nodes[at].hub.peers().iter().filter(|peer| peer.ready).count()
    }
}
