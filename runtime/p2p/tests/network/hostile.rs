//! Peers that mean no good are sent away, and the chain stays as it was.

use std::net::SocketAddr;

use crate::ledger::Books;
use crate::world::{World, hub};
use p2p::{
    Action, Ban, Event, Framer, Inventory, Ledger, Message, NetAddress, Offence, PeerId, Subnet, Version, magic,
};
use spec::{Block, BlockHash, BlockHeader, Network, Sats, Txid};

/// Somebody who speaks the protocol by hand.
pub struct Stranger {
    node: usize,
    id: PeerId,
}

impl Stranger {
    pub fn connect(world: &mut World, node: usize, ip: [u8; 4]) -> Self {
        let id = PeerId(1_000_000 + u64::from(ip[3]) + 256 * world.ready(node) as u64);
        world.step(
            node,
            Event::Connected { peer: id, address: SocketAddr::from((ip, 7_777)), local: None, target: None },
        );
        Self { node, id }
    }

    /// What the node answers, as long as it takes what was sent before.
    pub fn say(&mut self, world: &mut World, message: Message) -> Vec<Message> {
        self.does(world, Event::Message { peer: self.id, message, bytes: 100 })
    }

    pub fn does(&mut self, world: &mut World, event: Event) -> Vec<Message> {
        let (mut events, mut heard) = (vec![event], Vec::new());
        while let Some(event) = events.pop() {
            let (now, node) = (world.now, &mut world.nodes[self.node]);
            for action in node.hub.step(&mut node.books, now, event) {
                let Action::Send { peer, frame } = action else { continue };
                events.insert(0, Event::Sent { peer, bytes: frame.len() });
                if peer == self.id {
                    let mut framer = Framer::new(magic(Network::Devnet));
                    framer.push(&frame);
                    heard.push(Message::decode(&framer.next_frame().unwrap().unwrap()).unwrap());
                }
            }
        }
        heard
    }

    pub fn shake(&mut self, world: &mut World) {
        self.say(world, Message::Version(Box::new(version(7))));
        self.say(world, Message::Verack);
        assert!(!self.is_gone(world));
    }

    pub fn is_gone(&self, world: &World) -> bool {
        world.nodes[self.node].hub.peers().iter().all(|peer| peer.id != self.id)
    }
}

fn version(nonce: u64) -> Version {
    let address = NetAddress { services: 0, socket: SocketAddr::from(([0; 4], 0)) };
    Version {
        version: 70_016,
        services: 1,
        time: 0,
        receiver: address,
        sender: address,
        nonce,
        agent: "/stranger/".into(),
        height: 0,
        relay: true,
    }
}

/// A node with some blocks, and a stranger whose handshake is done.
fn scene() -> (World, Stranger) {
    let mut world = World::of(1);
    world.mine(0, 30);
    let mut stranger = Stranger::connect(&mut world, 0, [10, 0, 0, 9]);
    stranger.shake(&mut world);
    (world, stranger)
}

fn banned(world: &World) -> bool {
    world.nodes[0].hub.bans().covers([10, 0, 0, 9].into(), world.now / 1_000)
}

/// Headers that stand on the tip of a node.
fn headers_on_tip(world: &World, count: usize) -> Vec<BlockHeader> {
    let mut ahead = Books::new();
    ahead.now = world.nodes[0].books.now;
    for height in 1..=30 {
        let block = world.nodes[0].books.chain.block_at(spec::Height::new(height)).unwrap().unwrap();
        ahead.accept_block((*block).clone());
    }
    ahead.mine(count, "ahead");
    ahead.headers_after(&[world.nodes[0].books.tip()], &BlockHash::default(), count)
}

#[test]
fn each_offence_has_its_end() {
    type Crime = fn(&mut World, &mut Stranger);
    let rows: [(&str, Crime, bool, bool); 12] = [
        ("nothing", |_, _| (), false, false),
        ("a second version", |world, one| drop(one.say(world, Message::Version(Box::new(version(9))))), false, false),
        (
            "bytes that are no frame",
            |world, one| drop(one.does(world, Event::Broken { peer: one.id, offence: Offence::Frame })),
            true,
            false,
        ),
        (
            "headers that do not follow each other",
            |world, one| {
                let mut headers = headers_on_tip(world, 3);
                headers.swap(1, 2);
                one.say(world, Message::Headers(headers));
            },
            true,
            true,
        ),
        (
            "a header without work",
            |world, one| {
                let mut header = headers_on_tip(world, 1)[0];
                while header.meets_target() {
                    header.nonce += 1;
                }
                one.say(world, Message::Headers(vec![header]));
            },
            true,
            true,
        ),
        (
            "unconnected headers, once",
            |world, one| {
                let header = headers_on_tip(world, 3)[2];
                let answer = one.say(world, Message::Headers(vec![header]));
                assert!(matches!(answer.as_slice(), [Message::GetHeaders(_)]));
            },
            false,
            false,
        ),
        (
            "unconnected headers, for ever",
            |world, one| {
                let header = headers_on_tip(world, 3)[2];
                (0..20).for_each(|_| drop(one.say(world, Message::Headers(vec![header]))));
            },
            true,
            true,
        ),
        (
            "a block that pays its miner too much",
            |world, one| {
                let mut block = world.nodes[0].books.next_block("greedy");
                block.transactions[0].outputs[0].value = Sats::new(51 * 100_000_000).unwrap();
                block.header.merkle_root = block.merkle_root();
                block.header = chain::solve(block.header, 0..=u32::MAX).unwrap();
                one.say(world, Message::Block(Box::new(block)));
            },
            true,
            true,
        ),
        (
            "a block whose transactions are others",
            |world, one| {
                let block = world.nodes[0].books.next_block("changed");
                let mut transactions = block.transactions;
                transactions[0].locktime = 1;
                one.say(world, Message::Block(Box::new(Block { transactions, ..block })));
            },
            true,
            true,
        ),
        (
            "inventories without end",
            |world, one| {
                let named = |round: u32| {
                    let hash = |at: u32| {
                        let mut bytes = [0; 32];
                        bytes[..4].copy_from_slice(&at.to_le_bytes());
                        bytes[4..8].copy_from_slice(&round.to_le_bytes());
                        Inventory::Tx(Txid::from_wire(bytes))
                    };
                    (0..50_000).map(hash).collect()
                };
                for round in 0..20 {
                    let asked = one.say(world, Message::Inv(named(round)));
                    assert!(asked.len() <= 1);
                    assert!(world.nodes[0].hub.holds()[1] <= 1_000, "few are asked for at a time");
                }
            },
            true,
            true,
        ),
        (
            "requests without end",
            |world, one| {
                let items = vec![Inventory::Other(9, [0; 32]); 50_001];
                (0..2).for_each(|_| drop(one.say(world, Message::GetData(items.clone()))));
            },
            true,
            true,
        ),
        (
            "transactions that no block could hold",
            |world, one| {
                for locktime in 0..5 {
                    let empty = spec::Transaction { version: 2, inputs: vec![], outputs: vec![], locktime };
                    one.say(world, Message::Tx(Box::new(empty)));
                }
            },
            true,
            true,
        ),
    ];
    for (name, crime, gone, ban) in rows {
        let (mut world, mut stranger) = scene();
        let before = (world.nodes[0].books.tip(), world.nodes[0].books.chain.store().clone());
        crime(&mut world, &mut stranger);
        assert_eq!((stranger.is_gone(&world), banned(&world)), (gone, ban), "{name}");
        assert_eq!(world.nodes[0].books.tip(), before.0, "{name}");
        if ban {
            let again = Stranger::connect(&mut world, 0, [10, 0, 0, 9]);
            assert!(again.is_gone(&world), "{name}");
            world.now += 25 * 60 * 60 * 1_000;
            let later = Stranger::connect(&mut world, 0, [10, 0, 0, 9]);
            assert!(!later.is_gone(&world), "a ban ends after a day");
        }
    }
}

#[test]
fn whoever_dawdles_at_the_handshake_or_jumps_it_is_left() {
    for (message, gone) in [
        (None, false),
        (Some(Message::Verack), true),
        (Some(Message::GetAddr), true),
        (Some(Message::Inv(vec![])), true),
        (Some(Message::Version(Box::new(Version { version: 60_000, ..version(1) }))), true),
        (Some(Message::Version(Box::new(version(1)))), false),
    ] {
        let mut world = World::of(1);
        let mut stranger = Stranger::connect(&mut world, 0, [10, 0, 0, 9]);
        if let Some(message) = message.clone() {
            stranger.say(&mut world, message);
        }
        assert_eq!(stranger.is_gone(&world), gone, "{message:?}");
        world.now += 9_000;
        stranger.does(&mut world, Event::Tick);
        assert_eq!(stranger.is_gone(&world), gone);
        world.now += 2_000;
        stranger.does(&mut world, Event::Tick);
        assert!(stranger.is_gone(&world) && !banned(&world));
    }
}

#[test]
fn headers_that_lead_to_nothing_are_taken_up_to_a_bound() {
    let mut world = World::of(1);
    // The node's own chain is longer than what it is shown.
    world.mine(0, 100);
    let mut stranger = Stranger::connect(&mut world, 0, [10, 0, 0, 9]);
    stranger.shake(&mut world);
    let mut shown = 0;
    for branch in 0..1_000 {
        let mut other = Books::new();
        other.mine(60, &format!("branch {branch}"));
        let headers = other.headers_after(&[], &BlockHash::default(), 2_000);
        shown += headers.len();
        stranger.say(&mut world, Message::Headers(headers));
        if stranger.is_gone(&world) {
            break;
        }
    }
    assert!(stranger.is_gone(&world) && (20_100..20_200).contains(&shown), "{shown}");
    assert_eq!(world.heights(), [100]);
    // It may have meant well, and may come again.
    assert!(!banned(&world));
    Stranger::connect(&mut world, 0, [10, 0, 0, 9]).shake(&mut world);
}

#[test]
fn whoever_reads_nothing_is_not_sent_more() {
    let (mut world, stranger) = scene();
    let items: Vec<Inventory> = (0..50_000).map(|_| Inventory::Block(world.nodes[0].books.tip())).collect();
    let (now, node) = (world.now, &mut world.nodes[0]);
    let ask = Event::Message { peer: stranger.id, message: Message::GetData(items), bytes: 100 };
    let sent = |actions: &[Action]| -> usize {
        actions.iter().map(|action| if let Action::Send { frame, .. } = action { frame.len() } else { 0 }).sum()
    };
    // Nothing of it is taken, so it ends at a few megabytes.
    let first = sent(&node.hub.step(&mut node.books, now, ask));
    assert!((2 << 20..3 << 20).contains(&first), "{first}");
    let ping = || Event::Message { peer: stranger.id, message: Message::Ping(1), bytes: 32 };
    assert!(sent(&node.hub.step(&mut node.books, now, ping())) < 100);
    world.now += 61_000;
    world.step(0, Event::Tick);
    assert!(stranger.is_gone(&world));
}

#[test]
fn bans_by_hand_cut_off_and_keep_out() {
    let (mut world, stranger) = scene();
    let subnet: Subnet = "10.0.0.0/24".parse().unwrap();
    let now = world.now;
    world.nodes[0].hub.ban(subnet, Ban { created: now / 1_000, until: now / 1_000 + 60 }, now);
    assert_eq!(world.nodes[0].hub.take_actions(), [Action::Close(stranger.id), Action::SaveBans]);
    assert!(Stranger::connect(&mut world, 0, [10, 0, 0, 77]).is_gone(&world));
    assert!(!Stranger::connect(&mut world, 0, [10, 0, 1, 77]).is_gone(&world));
    assert!(world.nodes[0].hub.unban(&subnet) && !world.nodes[0].hub.unban(&subnet));
    assert!(!Stranger::connect(&mut world, 0, [10, 0, 0, 78]).is_gone(&world));
    world.nodes[0].hub.set_active(false, now);
    assert_eq!(world.nodes[0].hub.peers(), []);
    assert!(Stranger::connect(&mut world, 0, [10, 0, 0, 79]).is_gone(&world));
}

#[test]
fn calls_are_tried_again_ever_later() {
    let (mut hub, mut books, mut now) = (hub("/x/", 1), Books::new(), 1_000_000);
    assert!(hub.add("host:1".into()) && !hub.add("host:1".into()));
    let mut waits = Vec::new();
    for _ in 0..8 {
        let start = now;
        while !hub.step(&mut books, now, Event::Tick).contains(&Action::Dial("host:1".into())) {
            now += 500;
        }
        waits.push(now - start);
        hub.step(&mut books, now, Event::Failed { target: "host:1".into() });
    }
    assert_eq!(waits, [0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000]);
    // A call that comes through when there shall be no connections is made again when there may be.
    now += 60_000;
    assert_eq!(hub.step(&mut books, now, Event::Tick), [Action::Dial("host:1".into())]);
    hub.set_active(false, now);
    let (peer, address) = (PeerId(1), SocketAddr::from(([10, 0, 0, 1], 1)));
    let connected = Event::Connected { peer, address, local: None, target: Some("host:1".into()) };
    assert_eq!(hub.step(&mut books, now, connected), [Action::Close(peer)]);
    hub.set_active(true, now);
    assert_eq!(hub.step(&mut books, now, Event::Tick), [Action::Dial("host:1".into())]);
    assert!(hub.remove("host:1") && !hub.remove("host:1"));
}
