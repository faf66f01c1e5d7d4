//! Headers that come before their blocks.

use crate::world::{COIN, World, seal};
use chain::{BlockError, Chain, Params, Status};
use spec::{Block, BlockHash, BlockHeader, Height, Network, Sats};

/// The blocks of another node, from the first that it mined.
fn foreign(blocks: usize, tag: &str) -> Vec<Block> {
    let mut world = World::new();
    let mut made = Vec::new();
    for _ in 0..blocks {
        let block = world.next_block(tag);
        world.accept(block.clone()).unwrap();
        made.push(block);
    }
    made
}

fn headers(blocks: &[Block]) -> Vec<BlockHeader> {
    blocks.iter().map(|block| block.header).collect()
}

fn hashes(blocks: &[Block]) -> Vec<BlockHash> {
    blocks.iter().map(|block| block.header.hash()).collect()
}

/// A world that knows the headers of some blocks, and what its clock says.
fn ahead(blocks: &[Block]) -> World {
    let mut world = World::new();
    world.now = blocks.last().unwrap().header.time;
    let seen = world.chain.accept_headers(&headers(blocks), world.now);
    assert_eq!((seen.new, seen.last, seen.refused), (blocks.len(), hashes(blocks).pop(), None));
    world
}

#[test]
fn blocks_follow_their_headers_in_order() {
    let blocks = foreign(30, "a");
    let ids = hashes(&blocks);
    let mut world = ahead(&blocks);
    assert_eq!(world.chain.tip().entry.height, Height::GENESIS);
    assert_eq!(world.chain.best_header().header, blocks[29].header);
    assert_eq!(world.chain.missing_blocks(&ids[29], None), ids);
    assert_eq!(world.chain.missing_blocks(&ids[29], Some(&ids[9])), ids[10..]);
    assert_eq!(world.reason(blocks[1].clone()), "prev-blk-not-found");
    for (done, block) in blocks.iter().enumerate() {
        assert_eq!(world.chain.missing_blocks(&ids[29], None), ids[done..]);
        assert_eq!(world.accept(block.clone()).unwrap().connected.len(), 1);
        assert_eq!(world.reason(block.clone()), "duplicate");
    }
    assert_eq!(world.chain.accept_headers(&headers(&blocks), world.now).new, 0);
    assert_eq!(world.chain.tip().hash, ids[29]);
}

#[test]
fn every_rule_of_headers_holds_without_blocks() {
    let blocks = foreign(12, "a");
    let mut world = ahead(&blocks[..11]);
    type Change = fn(&mut BlockHeader, &World);
    let rows: [(Change, &str); 7] = [
        (|_, _| (), "ok"),
        (|header, _| header.previous = BlockHash::from_wire([7; 32]), "prev-blk-not-found"),
        (|header, _| header.bits.0 = 0x2070_0000, "bad-diffbits"),
        (|header, world| header.time = world.chain.best_header().header.time - 5 * 600, "time-too-old"),
        (|header, world| header.time = world.now + 7_201, "time-too-new"),
        (|header, _| header.version = 3, "bad-version"),
        (
            |header, _| {
                while header.meets_target() {
                    header.nonce += 1
                }
            },
            "high-hash",
        ),
    ];
    for (change, reason) in rows.into_iter().rev() {
        let mut header = blocks[11].header;
        change(&mut header, &world);
        if reason != "high-hash" {
            header = chain::solve(header, 0..=u32::MAX).unwrap();
        }
        let seen = world.chain.accept_header(&header, world.now).map_or_else(|error| error.reason(), |_| "ok");
        assert_eq!(seen, reason);
    }
}

#[test]
fn a_bad_body_condemns_its_header_and_all_above_but_a_changed_one_does_not() {
    let mut blocks = foreign(3, "a");
    // The second takes too much; its header and those above are made for that.
    blocks[1].transactions[0].outputs[0].value = Sats::from_wire(51 * COIN);
    for at in 1..3 {
        blocks[at].header.previous = blocks[at - 1].header.hash();
        blocks[at] = seal(blocks[at].clone());
    }
    let ids = hashes(&blocks);
    let mut world = ahead(&blocks);
    // Somebody else's transactions under a good header.
    let stranger = Block { transactions: blocks[2].transactions.clone(), ..blocks[0] };
    assert_eq!(world.reason(stranger), "bad-txnmrklroot");
    assert_eq!(world.chain.header(&ids[0]).unwrap().status, Status::Fine);
    assert_eq!(world.reason(blocks[0].clone()), "ok");
    assert_eq!(world.reason(blocks[1].clone()), "bad-cb-amount");
    for id in &ids[1..] {
        assert_eq!(world.chain.header(id).unwrap().status, Status::Invalid);
        assert!(world.chain.missing_blocks(id, None).is_empty());
    }
    assert_eq!(world.chain.best_header().header, blocks[0].header);
    assert_eq!(world.chain.accept_header(&blocks[2].header, world.now), Err(BlockError::DuplicateInvalid));
    assert_eq!(world.chain.tip().hash, ids[0]);
}

#[test]
fn a_body_that_breaks_a_rule_by_itself_condemns_its_header_too() {
    let mut blocks = foreign(2, "a");
    blocks[0].transactions[0].inputs[0].unlock[0] = 0x5c;
    blocks[0] = seal(blocks[0].clone());
    blocks[1].header.previous = blocks[0].header.hash();
    blocks[1] = seal(blocks[1].clone());
    let mut world = ahead(&blocks);
    assert_eq!(world.reason(blocks[0].clone()), "bad-cb-height");
    assert_eq!(world.reason(blocks[0].clone()), "duplicate-invalid");
    assert_eq!(world.chain.best_header().height, Height::GENESIS);
}

#[test]
fn headers_alone_do_not_outlive_the_chain_nor_move_the_tip() {
    let (long, short) = (foreign(6, "long"), foreign(2, "short"));
    let mut world = ahead(&long);
    for block in &short {
        world.accept(block.clone()).unwrap();
    }
    assert_eq!(world.chain.tip().hash, hashes(&short)[1]);
    assert_eq!(world.chain.best_header().header, long[5].header);
    // A declared branch goes back to blocks that are there, not to headers.
    world.chain.invalidate(&hashes(&short)[1]).unwrap();
    assert_eq!(world.chain.tip().hash, hashes(&short)[0]);
    world.chain.invalidate(&hashes(&long)[3]).unwrap();
    assert_eq!(world.chain.best_header().header, long[2].header);
    world.chain.reconsider(&hashes(&long)[3]).unwrap();
    assert_eq!(world.chain.best_header().header, long[5].header);
    let again = Chain::open(Params::of(Network::Devnet), world.chain.store().clone()).unwrap();
    assert!(again.header(&hashes(&long)[0]).is_none() && again.header(&hashes(&short)[1]).is_some());
}

#[test]
fn a_locator_leads_to_the_fork() {
    let mut world = World::new();
    world.mine(100);
    let other = foreign(40, "other");
    world.chain.accept_headers(&headers(&other), world.now);
    let tip = world.chain.tip().hash;
    let locator = world.chain.locator(&tip);
    assert!(locator.len() < 20 && locator[0] == tip && locator.last() == world.chain.hash_at(Height::GENESIS).as_ref());
    assert_eq!(world.chain.fork_height(&locator), Height::new(101));
    let foreign = world.chain.locator(&hashes(&other)[39]);
    assert_eq!(world.chain.fork_height(&foreign), Height::new(1));
    assert_eq!(foreign.last(), locator.last());
    let from_90 = world.chain.locator(&world.chain.hash_at(Height::new(90)).unwrap());
    assert_eq!(world.chain.fork_height(&from_90), Height::new(91));
}
