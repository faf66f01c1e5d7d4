//! Blocks of many transactions that depend on each other, some of them bad, on any number of threads: the verdict is that of
//! a model which looks at one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use chain::{Ahead, BlockError, Workers};
use proptest::prelude::*;
use spec::{Block, OutPoint, Transaction, Txid};

use crate::blocks::sort;
use crate::world::{ANYONE, COIN, World, first_output, seal, spend};

/// Coins that the block can spend, and behind them coins that nobody can.
const COINS: usize = 400;
const DEAD: usize = 4;
/// `OP_0`: nobody can spend it.
const NOBODY: &[u8] = &[0x00];

/// What is wrong with a transaction.
#[derive(Clone, Copy, Debug)]
enum Flaw {
    /// It spends what another spends.
    Conflict,
    /// It spends what never was.
    Missing,
    /// It makes money.
    Inflation,
    /// It spends what nobody can.
    Script,
    /// Nobody can spend what it leaves.
    Dead,
    /// It spends the block's own coinbase.
    Immature,
}

fn flaw() -> impl Strategy<Value = Flaw> {
    prop_oneof![
        Just(Flaw::Conflict),
        Just(Flaw::Missing),
        Just(Flaw::Inflation),
        Just(Flaw::Script),
        Just(Flaw::Dead),
        Just(Flaw::Immature)
    ]
}

/// A world with many coins, those last that nobody can spend.
fn rich() -> (World, Vec<OutPoint>) {
    let mut world = World::grown();
    let mut fan = spend(&[world.coinbase(1)], &[COIN / 10; COINS + DEAD]);
    fan.outputs[COINS..COINS + DEAD].iter_mut().for_each(|output| output.lock = NOBODY.to_vec());
    let mut block = world.next_block("fan");
    block.transactions.push(fan.clone());
    world.accept(seal(block)).unwrap();
    let txid = fan.txid();
    (world, (0..(COINS + DEAD) as u32).map(|index| OutPoint { txid, index }).collect())
}

/// A block in which transaction `n` spends coin `n` or what an earlier one leaves.
fn block_of(world: &mut World, coins: &[OutPoint], parents: &[usize], flaws: &BTreeMap<usize, Flaw>) -> Block {
    let mut block = world.next_block("many");
    let coinbase = first_output(&block.transactions[0]);
    let mut txs: Vec<Transaction> = Vec::new();
    let mut spent = Vec::new();
    for (number, (coin, parent)) in coins.iter().zip(parents).enumerate() {
        // Each has two outputs: the first goes to one child, the second is tried by others.
        let open = txs.get(*parent).map(first_output).filter(|output| !spent.contains(output));
        let (prevout, sats) = match open {
            Some(output) => (output, txs[*parent].outputs[0].value.get() / 2),
            None => (*coin, COIN / 20),
        };
        let mut tx = spend(&[prevout], &[sats, 600 + number as u64]);
        match flaws.get(&number) {
            None => {}
            Some(Flaw::Conflict) if number > 0 => tx.inputs[0].prevout = txs[number / 2].inputs[0].prevout,
            Some(Flaw::Conflict | Flaw::Missing) => tx.inputs[0].prevout.index = 5_000,
            Some(Flaw::Inflation) => tx.outputs[0].value = spec::Sats::from_wire(COIN * 20),
            Some(Flaw::Script) => tx.inputs[0].prevout = coins[COINS + number % DEAD],
            Some(Flaw::Dead) => tx.outputs[0].lock = NOBODY.to_vec(),
            Some(Flaw::Immature) => tx.inputs[0].prevout = coinbase,
        }
        spent.push(tx.inputs[0].prevout);
        txs.push(tx);
    }
    block.transactions.extend(txs);
    sort(&mut block);
    seal(block)
}

/// The position and the reason of what a reader of one transaction after the other would blame.
fn model(coins: &[OutPoint], block: &Block) -> Option<(usize, &'static str)> {
    let coin = |(number, coin): (usize, &OutPoint)| (*coin, (COIN / 10, number < COINS));
    let mut open: BTreeMap<OutPoint, (u64, bool)> = coins.iter().enumerate().map(coin).collect();
    for tx in &block.transactions {
        let txid = tx.txid();
        for (index, output) in (0..).zip(&tx.outputs).filter(|(_, output)| output.lock.first() != Some(&0x6a)) {
            open.insert(OutPoint { txid, index }, (output.value.get(), output.lock == ANYONE));
        }
    }
    let coinbase = block.transactions[0].txid();
    let mut failing = None;
    for (position, tx) in block.transactions.iter().enumerate().skip(1) {
        let prevout = tx.inputs[0].prevout;
        let Some((sats, spendable)) = open.remove(&prevout) else {
            return Some((position, "bad-txns-inputs-missingorspent"));
        };
        if prevout.txid == coinbase {
            return Some((position, "bad-txns-premature-spend-of-coinbase"));
        }
        if tx.outputs.iter().map(|output| output.value.get()).sum::<u64>() > sats {
            return Some((position, "bad-txns-in-belowout"));
        }
        if !spendable {
            failing = failing.or(Some((position, "mandatory-script-verify-flag-failed")));
        }
    }
    failing
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_verdict_is_that_of_one_after_the_other_on_any_number_of_threads(
        parents in prop::collection::vec(0usize..200, 1..COINS),
        flaws in prop::collection::btree_map(0usize..400, flaw(), 0..4),
    ) {
        let (mut world, coins) = rich();
        let block = block_of(&mut world, &coins, &parents, &flaws);
        let expected = model(&coins, &block);
        for threads in [1, 2, 3, 8] {
            let workers = Workers::new(NonZeroUsize::new(threads).unwrap());
            let found = match world.chain.clone().with_workers(workers).test_block(&block, world.now) {
                Ok(()) => None,
                Err(BlockError::Transaction { position, error, .. }) => Some((position, error.reason())),
                Err(error) => panic!("{error}"),
            };
            prop_assert_eq!(&found, &expected, "{} threads", threads);
        }
    }

    #[test]
    fn the_verdict_is_the_same_where_scripts_ran_ahead(
        parents in prop::collection::vec(0usize..200, 1..COINS),
        flaws in prop::collection::btree_map(0usize..400, flaw(), 0..4),
        known in prop::collection::btree_set(0usize..200, 0..50),
    ) {
        let (mut world, coins) = rich();
        let block = block_of(&mut world, &coins, &parents, &flaws);
        let txids: Vec<Txid> = block.transactions.iter().map(Transaction::txid).collect();
        let known: BTreeSet<Txid> = known.iter().filter_map(|at| txids.get(*at).copied()).collect();
        // What waits is good, so it is not among what is known unless nothing is wrong.
        let waits = |txid: &Txid| (flaws.is_empty() && known.contains(txid)).then_some(0);
        let ahead = world.chain.look_ahead(&block, world.now, 0, &waits).unwrap();
        let counts = ahead.as_ref().and_then(Ahead::run);
        let plain = world.chain.clone().accept_block(block.clone(), world.now);
        if plain.is_ok() {
            let expected = txids.iter().skip(1).filter(|txid| waits(txid).is_none()).map(|txid| (*txid, 0));
            prop_assert_eq!(counts.as_ref(), Some(&expected.collect()), "all scripts ran");
        }
        let counts = counts.unwrap_or_default();
        let verified = |txid: &Txid| waits(txid).or_else(|| counts.get(txid).copied());
        // Something else may come in between.
        let mut later = world.chain.clone();
        prop_assert_eq!(later.accept_block_with(block.clone(), world.now, &verified), plain);
        let rival = world.next_block("rival");
        world.accept(seal(rival)).unwrap();
        prop_assert!(world.chain.look_ahead(&block, world.now, 0, &waits).unwrap().is_none(), "it is not the next");
    }
}

#[test]
fn scripts_run_ahead_only_for_blocks_that_took_work_and_have_enough_of_them() {
    let (mut world, coins) = rich();
    let block = block_of(&mut world, &coins, &[0; 30], &BTreeMap::new());
    let looked = |block: &Block, least| world.chain.look_ahead(block, world.now, least, &|_| None).unwrap().is_some();
    assert!(looked(&block, 30) && !looked(&block, 32));
    let mut worthless = block.clone();
    while worthless.header.meets_target() {
        worthless.header.nonce += 1;
    }
    let mut other_body = block.clone();
    other_body.transactions.pop();
    let mut late = block.clone();
    late.header.time += 1_000_000;
    late.header = chain::solve(late.header, 0..=u32::MAX).unwrap();
    assert!(![worthless, other_body, late].iter().any(|block| looked(block, 0)));
}
