//! Nodes find the same chain and the same waiting transactions.

use crate::hostile::Stranger;
use crate::ledger::spend;
use crate::world::World;
use p2p::{Event, Ledger, Message, Span};
use spec::{BlockHash, OutPoint};

const COIN: u64 = 100_000_000;

#[test]
fn a_new_node_learns_the_whole_chain_from_several_others() {
    let mut world = World::of(3);
    world.mine(0, 2_500);
    world.connect(1, 0);
    world.settle();
    assert_eq!(world.heights(), [2_500, 2_500, 0]);
    world.connect(2, 0);
    world.connect(2, 1);
    world.settle();
    assert!(world.agree() && world.heights() == [2_500; 3]);
    // Both gave blocks, not one alone.
    let bytes: Vec<u64> = world.nodes[2].hub.peers().iter().map(|peer| peer.bytes[0]).collect();
    assert!(bytes.iter().all(|bytes| *bytes > 200 * 300), "{bytes:?}");
}

#[test]
fn blocks_and_transactions_reach_everybody_at_once() {
    let mut world = World::of(3);
    world.mine(0, 20);
    world.connect(1, 0);
    world.connect(2, 1);
    world.settle();
    let tx = world.nodes[0].books.spend_coinbase(1, 50 * COIN - 1_000);
    let (txid, before) = (world.send_tx(2, &tx), world.delivered);
    world.settle();
    assert!(world.nodes.iter().all(|node| node.books.mempool.get(&txid).is_some()));
    assert!(world.delivered - before <= 6, "inv, getdata, tx on each of two links");
    let before = world.delivered;
    world.mine(2, 1);
    world.settle();
    assert!(world.agree() && world.heights() == [21; 3]);
    assert!(world.delivered - before <= 6, "headers, getdata, block on each of two links");
    assert!(world.nodes.iter().all(|node| node.books.mempool.is_empty()));
}

#[test]
fn what_waits_is_offered_to_who_comes_later_and_to_who_asks() {
    let mut world = World::of(3);
    world.mine(0, 40);
    world.connect(1, 0);
    world.settle();
    let coin = |height| world.nodes[0].books.spend_coinbase(height, 50 * COIN - 1_000);
    let first: Vec<_> = (1..=5).map(coin).collect();
    world.part(&[1]);
    let waiting: Vec<_> = first.iter().map(|tx| world.send_tx(0, tx)).collect();
    // One has the chain already, the other gets it first.
    world.connect(1, 0);
    world.connect(2, 0);
    for _ in 0..4 {
        world.settle();
        world.now += 300;
        (0..3).for_each(|node| world.step(node, Event::Tick));
    }
    world.settle();
    for node in &world.nodes[1..] {
        assert!(waiting.iter().all(|txid| node.books.mempool.get(txid).is_some()));
    }
    // Who asks is told of what pays what he wants.
    let mut stranger = Stranger::connect(&mut world, 0, [10, 0, 0, 9]);
    stranger.shake(&mut world);
    let told = |heard: Vec<Message>| match heard.as_slice() {
        [Message::Inv(items)] => items.len(),
        _ => 0,
    };
    assert_eq!(told(stranger.say(&mut world, Message::Mempool)), 5);
    stranger.say(&mut world, Message::FeeFilter(1_000_000));
    assert_eq!(told(stranger.say(&mut world, Message::Mempool)), 0);
}

#[test]
fn after_a_partition_the_deepest_chain_wins_and_the_double_spend_is_settled() {
    let mut world = World::of(3);
    world.mine(0, 20);
    world.connect(1, 0);
    world.connect(2, 0);
    world.connect(2, 1);
    world.settle();
    world.part(&[2]);
    // The same coin, two ways.
    let (one, other) = (
        world.nodes[0].books.spend_coinbase(1, 50 * COIN - 1_000),
        world.nodes[0].books.spend_coinbase(1, 50 * COIN - 2_000),
    );
    let (one, other) = (world.send_tx(0, &one), world.send_tx(2, &other));
    world.settle();
    world.mine(0, 10);
    world.mine(2, 12);
    world.settle();
    assert_eq!(world.heights(), [30, 30, 32]);
    assert!(world.nodes[1].books.has_tx(&one) && !world.nodes[1].books.has_tx(&other));
    world.connect(2, 0);
    world.connect(1, 2);
    world.settle();
    assert!(world.agree() && world.heights() == [32; 3]);
    for node in &world.nodes {
        assert!(node.books.chain.locate(&other).unwrap().is_some() && !node.books.has_tx(&one));
    }
}

#[test]
fn a_child_that_comes_before_its_parent_waits_for_it() {
    let mut world = World::of(2);
    world.mine(0, 20);
    world.connect(1, 0);
    world.settle();
    let parent = world.nodes[0].books.spend_coinbase(1, 50 * COIN - 1_000);
    let child = spend(OutPoint { txid: parent.txid(), index: 0 }, 50 * COIN - 2_000);
    let peer = world.nodes[1].hub.peers()[0].id;
    let offer =
        |tx: &spec::Transaction| Event::Message { peer, message: Message::Tx(Box::new(tx.clone())), bytes: 200 };
    world.step(1, offer(&child));
    assert_eq!(world.nodes[1].hub.holds()[0], 1);
    assert_eq!(world.nodes[1].books.mempool.len(), 0);
    // It is asked for its parent; the other has it only later.
    world.settle();
    world.step(1, offer(&parent));
    assert_eq!(world.nodes[1].hub.holds()[0], 0);
    assert_eq!(world.nodes[1].books.mempool.len(), 2);
}

#[test]
fn whoever_asks_by_getblocks_is_led_on_to_the_tip() {
    let mut world = World::of(1);
    world.mine(0, 1_200);
    let mut old = crate::hostile::Stranger::connect(&mut world, 0, [10, 0, 0, 9]);
    old.shake(&mut world);
    let tip = world.nodes[0].books.tip();
    let mut have = vec![world.nodes[0].books.chain.hash_at(spec::Height::GENESIS).unwrap()];
    for _ in 0..3 {
        let span = Span { locator: vec![*have.last().unwrap()], stop: BlockHash::default() };
        let answers = old.say(&mut world, Message::GetBlocks(span));
        let [Message::Inv(items)] = answers.as_slice() else { panic!("{answers:?}") };
        let (items, answers) = (items.clone(), old.say(&mut world, Message::GetData(items.clone())));
        for message in &answers {
            match message {
                Message::Block(block) => {
                    assert_eq!(block.header.previous, *have.last().unwrap());
                    have.push(block.header.hash());
                }
                Message::Inv(next) => {
                    assert_eq!((next.as_slice(), items.len()), ([p2p::Inventory::Block(tip)].as_slice(), 500))
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!((have.len(), have.last()), (1_201, Some(&tip)));
}

#[test]
fn a_peer_that_owes_a_block_too_long_is_left_and_another_asked() {
    let mut world = World::of(2);
    world.mine(0, 30);
    // It shows the headers and never sends a block.
    let mut silent = crate::hostile::Stranger::connect(&mut world, 1, [10, 0, 0, 9]);
    silent.shake(&mut world);
    let headers = world.nodes[0].books.headers_after(&[], &BlockHash::default(), 2_000);
    let asked = silent.say(&mut world, Message::Headers(headers));
    assert!(matches!(asked.as_slice(), [Message::GetData(items)] if items.len() == 16));
    world.connect(1, 0);
    world.settle();
    assert_eq!(world.heights(), [30, 0], "the first block is owed");
    world.now += 6_000;
    world.step(1, Event::Tick);
    world.settle();
    world.now += 31_000;
    world.step(1, Event::Tick);
    world.settle();
    assert!(silent.is_gone(&world));
    assert_eq!(world.heights(), [30, 30]);
}

#[test]
fn a_node_that_calls_itself_hangs_up() {
    let mut world = World::of(1);
    world.connect(0, 0);
    world.settle();
    assert_eq!(world.nodes[0].hub.peers(), []);
    assert_eq!(world.ready(0), 0);
}
