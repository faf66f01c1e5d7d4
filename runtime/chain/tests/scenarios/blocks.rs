//! The rules of blocks, one row each, and the choice between branches.

use crate::world::{ANYONE, COIN, World, first_output, seal, spend};
use chain::{BlockError, Chain, Params, Status};
use spec::{Block, CompactTarget, Height, Network, Sats, Transaction, TxOut};

/// A world and its next block, which holds two transactions, the second spending the first.
fn world_and_block() -> (World, Block) {
    let mut world = World::grown();
    let parent = spend(&[world.coinbase(1)], &[50 * COIN - 1_000]);
    let child = spend(&[first_output(&parent)], &[50 * COIN - 2_000]);
    assert_eq!((world.send(&parent), world.send(&child)), ("ok", "ok"));
    let block = world.next_block("good");
    assert_eq!(block.transactions.len(), 3);
    (world, block)
}

pub fn sort(block: &mut Block) {
    block.transactions[1..].sort_by_key(|tx| tx.txid().to_string());
}

#[test]
fn each_rule_of_blocks_has_its_reason() {
    type Change = fn(&mut Block, &World);
    let rows: [(Change, &str); 25] = [
        (|_, _| (), "ok"),
        (|block, _| block.header.previous = spec::BlockHash::from_wire([7; 32]), "prev-blk-not-found"),
        (|block, _| block.header.bits = CompactTarget(0x2070_0000), "bad-diffbits"),
        (|block, world| block.header.time = world.chain.tip().median_time_past, "time-too-old"),
        (|block, world| block.header.time = world.now + 7_200, "ok"),
        (|block, world| block.header.time = world.now + 7_201, "time-too-new"),
        (|block, _| block.header.version = 3, "bad-version"),
        (|block, _| block.transactions.clear(), "bad-blk-length"),
        (|block, _| block.transactions[0].inputs[0].prevout.index = 0, "bad-cb-missing"),
        (|block, _| block.transactions.swap(1, 2), "tx-ordering"),
        (|block, _| block.transactions.push(block.transactions[2].clone()), "bad-txns-duplicate"),
        (
            |block, _| {
                let mut second = block.transactions[0].clone();
                second.locktime = 1;
                block.transactions.push(second);
                sort(block);
            },
            "bad-cb-multiple",
        ),
        (|block, _| block.transactions[0].inputs[0].unlock.truncate(20), "bad-cb-size"),
        (|block, _| block.transactions[0].inputs[0].unlock[0] = 0x5c, "bad-cb-height"),
        (|block, _| block.transactions[0].inputs[0].unlock = vec![0x5b; 101], "bad-cb-length"),
        (|block, _| block.transactions[0].outputs[0].value = Sats::from_wire(50 * COIN + 2_001), "bad-cb-amount"),
        (|block, _| block.transactions[0].outputs[0].value = Sats::from_wire(50 * COIN + 1_999), "ok"),
        (
            |block, _| {
                block.transactions[1].version = 3;
                sort(block);
            },
            "bad-txns-version",
        ),
        (
            |block, world| {
                block.transactions = vec![block.transactions[0].clone(), spend(&[world.coinbase(2)], &[COIN])];
                block.transactions[0].outputs[0].value = Sats::ONE;
            },
            "bad-txns-premature-spend-of-coinbase",
        ),
        (
            |block, world| {
                block.transactions.push(spend(&[world.coinbase(1)], &[COIN]));
                sort(block);
            },
            "bad-txns-inputs-missingorspent",
        ),
        (
            // A second child of the first transaction: an output of the block itself is spent twice.
            |block, world| {
                let parent = spend(&[world.coinbase(1)], &[50 * COIN - 1_000]);
                block.transactions.push(spend(&[first_output(&parent)], &[COIN]));
                sort(block);
            },
            "bad-txns-inputs-missingorspent",
        ),
        (
            |block, world| {
                let late = Transaction { locktime: 11, ..spend(&[world.coinbase(1)], &[COIN]) };
                let mut inputs = late.inputs.clone();
                inputs[0].sequence = 0;
                block.transactions = vec![block.transactions[0].clone(), Transaction { inputs, ..late }];
            },
            "bad-txns-nonfinal",
        ),
        (
            |block, world| {
                let mut tx = spend(&[world.coinbase(1)], &[COIN]);
                tx.inputs[0].sequence = 11;
                block.transactions = vec![block.transactions[0].clone(), tx];
            },
            "non-BIP68-final",
        ),
        (
            |block, world| {
                let tx = spend(&[world.coinbase(1)], &[51 * COIN]);
                block.transactions = vec![block.transactions[0].clone(), tx];
            },
            "bad-txns-in-belowout",
        ),
        (
            |block, world| {
                let mut tx = spend(&[world.coinbase(1)], &[COIN]);
                tx.inputs[0].unlock = vec![0x61];
                block.transactions = vec![block.transactions[0].clone(), tx];
            },
            "mandatory-script-verify-flag-failed",
        ),
    ];
    for (row, (change, verdict)) in rows.into_iter().enumerate() {
        let (mut world, mut block) = world_and_block();
        change(&mut block, &world);
        assert_eq!(world.reason(seal(block)), verdict, "row {row}");
    }
}

#[test]
fn proof_of_work_and_merkle_root_are_checked() {
    let (mut world, mut block) = world_and_block();
    let sealed = block.clone();
    while block.header.meets_target() {
        block.header.nonce += 1;
    }
    assert_eq!(world.reason(block), "high-hash");
    let mut block = sealed.clone();
    block.header.merkle_root[0] ^= 1;
    block.header = chain::solve(block.header, 0..=u32::MAX).unwrap();
    assert_eq!(world.reason(block), "bad-txnmrklroot");
    assert_eq!(world.reason(sealed.clone()), "ok");
    assert_eq!(world.reason(sealed), "duplicate");
}

#[test]
fn a_block_that_fails_leaves_no_trace_but_its_verdict() {
    let (mut world, good) = world_and_block();
    let before = world.chain.tip();
    let mut bad = good.clone();
    bad.transactions[0].outputs[0].value = Sats::MAX;
    let bad = seal(bad);
    assert_eq!(world.reason(bad.clone()), "bad-cb-amount");
    assert_eq!(world.chain.tip(), before);
    assert_eq!(world.reason(bad.clone()), "duplicate-invalid");
    let mut child = good.clone();
    child.header.previous = bad.header.hash();
    assert_eq!(world.reason(seal(child)), "bad-prevblk");
    assert_eq!(world.reason(good), "ok");
}

#[test]
fn the_heavier_branch_wins_and_transactions_come_back() {
    let (mut ours, block) = world_and_block();
    let waiting: Vec<_> = block.transactions[1..].iter().map(Transaction::txid).collect();
    ours.accept(block).unwrap();
    assert!(ours.mempool.is_empty());
    let reached = ours.chain.tip();

    let mut theirs = World::grown();
    theirs.now = ours.now;
    let branch: Vec<_> = (0..2)
        .map(|_| {
            let block = theirs.next_block("theirs");
            theirs.accept(block.clone()).unwrap();
            block
        })
        .collect();
    ours.now = theirs.now;

    let equal = ours.accept(branch[0].clone()).unwrap();
    assert_eq!((equal.connected.len(), ours.chain.tip()), (0, reached), "the first seen stays");
    let change = ours.accept(branch[1].clone()).unwrap();
    assert_eq!((change.disconnected.len(), change.connected.len()), (1, 2));
    assert_eq!(ours.chain.tip(), theirs.chain.tip());
    for txid in &waiting {
        assert!(ours.mempool.get(txid).is_some(), "{txid} is back");
        assert_eq!(ours.chain.locate(txid), Ok(None));
    }
    assert_eq!(ours.chain.branch_tips().len(), 2);

    ours.mine(1);
    assert!(ours.mempool.is_empty());
    assert!(waiting.iter().all(|txid| ours.chain.transaction(txid).unwrap().is_some()));
}

#[test]
fn a_heavier_branch_with_an_invalid_block_changes_nothing() {
    let mut ours = World::grown();
    ours.mine(1);
    let store = ours.chain.store().clone();
    let tip = ours.chain.tip();

    let mut theirs = World::grown();
    let first = theirs.next_block("theirs");
    theirs.accept(first.clone()).unwrap();
    let mut bad = theirs.next_block("theirs");
    bad.transactions[0].outputs.push(TxOut::plain(Sats::MAX, ANYONE.to_vec()));
    bad.transactions[0].outputs[0].value = Sats::ZERO;
    let bad = seal(bad);
    ours.now = theirs.now;
    ours.accept(first).unwrap();
    assert_eq!(ours.reason(bad.clone()), "bad-cb-amount");
    assert_eq!(ours.chain.tip(), tip);
    assert_eq!(ours.chain.header(&bad.header.hash()).unwrap().status, Status::Invalid);
    let coins = |store: &chain::MemoryStore| {
        let mut all = Vec::new();
        chain::Store::visit_coins(store, &mut |outpoint, coin| all.push((*outpoint, coin.clone()))).unwrap();
        all
    };
    assert_eq!(coins(ours.chain.store()), coins(&store));
}

#[test]
fn an_invalid_block_below_the_end_of_a_branch_is_named() {
    let mut ours = World::grown();
    ours.mine(2);
    let mut theirs = World::grown();
    let mut bad = theirs.next_block("theirs");
    bad.transactions[0].outputs[0].value = Sats::MAX;
    let bad = seal(bad);
    ours.now += 10_000;
    ours.accept(bad.clone()).unwrap();
    let mut parent = bad.header.hash();
    let mut verdict = Ok(chain::Accepted::default());
    for height in 12..=13 {
        let mut block = theirs.next_block("theirs");
        block.header.previous = parent;
        block.transactions[0] = chain::coinbase(theirs.chain.params(), Height::new(height), Sats::ZERO, ANYONE, b"x");
        let block = seal(block);
        parent = block.header.hash();
        verdict = ours.accept(block);
    }
    let expected = BlockError::Branch { hash: bad.header.hash(), error: Box::new(BlockError::CoinbaseAmount) };
    assert_eq!(verdict, Err(expected));
}

#[test]
fn blocks_can_be_declared_invalid_and_taken_back() {
    let mut world = World::grown();
    let tip = world.chain.tip();
    let fifth = world.chain.hash_at(Height::new(5)).unwrap();
    let change = world.chain.invalidate(&fifth).unwrap();
    assert_eq!(change.disconnected.len(), 6);
    assert_eq!(world.chain.tip().entry.height, Height::new(4));
    assert!(!world.chain.is_active(&fifth));
    let change = world.chain.reconsider(&fifth).unwrap();
    assert_eq!(change.connected.len(), 6);
    assert_eq!(world.chain.tip(), tip);
    let genesis = world.chain.hash_at(Height::GENESIS).unwrap();
    assert_eq!(world.chain.invalidate(&genesis), Err(BlockError::InvalidParent));
}

#[test]
fn a_chain_reopens_as_it_was_left() {
    let world = World::grown();
    let reopened = Chain::open(Params::of(Network::Devnet), world.chain.store().clone()).unwrap();
    assert_eq!(reopened.tip(), world.chain.tip());
    assert_eq!(reopened.store(), world.chain.store());
    assert!(Chain::open(Params::of(Network::Main), world.chain.store().clone()).is_err());
}

#[test]
fn a_block_made_for_test_is_judged_without_proof_of_work() {
    let (mut world, mut block) = world_and_block();
    while block.header.meets_target() {
        block.header.nonce += 1;
    }
    assert_eq!(world.chain.test_block(&block, world.now), Ok(()));
    block.header.version = 1;
    assert_eq!(world.chain.test_block(&block, world.now), Err(BlockError::Version));
    world.mine(1);
    assert_eq!(world.chain.test_block(&block, world.now), Err(BlockError::Orphan));
}

#[test]
fn on_the_public_profile_late_blocks_ease_the_target_and_early_ones_tighten_it() {
    let params = Params::of(Network::Test);
    let mut chain = Chain::open(params, chain::MemoryStore::new()).unwrap();
    let mempool = chain::Mempool::new(chain.params());
    let mut targets = Vec::new();
    let mut now = chain.tip().entry.header.time;
    // Two early blocks, then one that is late enough to reach the limit again.
    for wait in [1, 1, 100_000, 1] {
        now += wait;
        let block = chain::build_template(&chain, &mempool, ANYONE, b"", now).block;
        let mut wrong = block.clone();
        wrong.header.bits = CompactTarget::EASIEST;
        assert_eq!(chain.accept_block(seal(wrong), now), Err(BlockError::WrongTarget));
        targets.push(block.header.bits.target().unwrap());
        chain.accept_block(seal(block), now).unwrap();
    }
    let limit = chain.params().target_limit.target().unwrap();
    assert!(targets[0] == limit && targets[1] < targets[0] && targets[2] < targets[1], "{targets:?}");
    assert_eq!(targets[3], limit);
}
