//! A mempool with many transactions: who leaves for want of room, what newcomers must pay, rivals, and many at once.

use std::num::NonZeroUsize;

use chain::{Mempool, Notice, Policy, Workers};
use proptest::prelude::*;
use spec::{OutPoint, RuleSet, Sats, Transaction, TxOut};

use crate::world::{COIN, World, first_output, seal, spend};

/// A world with a coin of `sats` for each number below `count`, in the outputs of one transaction.
fn rich(count: u32, sats: u64) -> (World, Vec<OutPoint>) {
    let mut world = World::grown();
    let split = spend(&[world.coinbase(1)], &vec![sats; count as usize]);
    let txid = split.txid();
    let mut block = world.next_block("");
    block.transactions.push(split);
    world.accept(seal(block)).unwrap();
    (world, (0..count).map(|index| OutPoint { txid, index }).collect())
}

/// A transaction that pays `fee` for its 86 bytes and leaves one output.
fn paying(coin: OutPoint, had: u64, fee: u64) -> Transaction {
    spend(&[coin], &[had - fee])
}

#[test]
fn whoever_pays_least_with_all_that_builds_on_it_makes_room() {
    const HAD: u64 = 1_000_000;
    let (mut world, coins) = rich(5, HAD);
    let poor = paying(coins[0], HAD, 100);
    let child_of_poor = paying(first_output(&poor), HAD - 100, 150);
    let saved = paying(coins[1], HAD, 100);
    let saver = paying(first_output(&saved), HAD - 100, 2_000);
    let good = paying(coins[2], HAD, 500);
    let late = paying(coins[3], HAD, 400);
    let cheap = paying(coins[4], HAD, 120);
    let len = good.len_bytes();
    world.mempool =
        Mempool::with_policy(Policy { mempool_bytes_max: 5 * len + len / 2, ..Policy::of(RuleSet::Bitmodel) });
    for tx in [&poor, &child_of_poor, &saved, &saver, &good] {
        assert_eq!(world.send(tx), "ok");
    }
    assert_eq!(world.mempool.fee_rate_min(world.now).get(), 1_000);
    assert_eq!(world.send(&late), "ok");
    let gone = [Notice::Evicted(poor.txid()), Notice::Evicted(child_of_poor.txid())];
    assert_eq!(world.mempool.take_notices(), gone);
    assert!(world.mempool.get(&saved.txid()).is_some(), "its child pays for it");
    // The child paid more than its parent, so they were one package.
    let floor = 250 * 1_000 / (2 * len as u64) + 1_000;
    assert_eq!(world.mempool.fee_rate_min(world.now).get(), floor);
    assert_eq!(world.send(&cheap), "mempool min fee not met");
    world.now += 1_000_000;
    assert_eq!(world.mempool.fee_rate_min(world.now).get(), floor, "it does not fall before a block has come");
    world.mine(1);
    // In an empty mempool it halves in three hours.
    world.now += 3 * 60 * 60;
    assert_eq!(world.mempool.fee_rate_min(world.now).get(), floor / 2);
    world.now += 3 * 60 * 60;
    assert_eq!((world.mempool.fee_rate_min(world.now).get(), world.send(&cheap)), (1_000, "ok"));
}

#[test]
fn a_newcomer_that_pays_least_itself_is_refused() {
    let (mut world, coins) = rich(3, 1_000_000);
    let txs: Vec<Transaction> =
        coins.iter().zip([300, 400, 200]).map(|(coin, fee)| paying(*coin, 1_000_000, fee)).collect();
    let room = 2 * txs[0].len_bytes() + 10;
    world.mempool = Mempool::with_policy(Policy { mempool_bytes_max: room, ..Policy::of(RuleSet::Bitmodel) });
    assert_eq!(txs.iter().map(|tx| world.send(tx)).collect::<Vec<_>>(), ["ok", "ok", "mempool full"]);
    assert_eq!(world.mempool.len(), 2);
    world.mempool.prioritise(txs[2].txid(), 1_000);
    assert_eq!(world.send(&txs[2]), "ok", "what miners believe counts");
    assert!(world.mempool.get(&txs[0].txid()).is_none());
    let block = world.next_block("");
    assert_eq!(block.transactions.len(), 3);
    world.accept(block).unwrap();
    assert_eq!(world.mempool.priority(&txs[2].txid()), 0, "it is forgotten once it is mined");
}

#[test]
fn rivals_that_could_have_been_accepted_are_told_once() {
    let (mut world, coins) = rich(2, COIN);
    let first = paying(coins[0], COIN, 500);
    let rivals: Vec<Transaction> = [600, 700].map(|fee| paying(coins[0], COIN, fee)).to_vec();
    let unpaid = paying(coins[0], COIN, 1);
    assert_eq!(world.send(&first), "ok");
    assert_eq!(world.send(&unpaid), "txn-mempool-conflict");
    assert!(world.mempool.take_notices().is_empty());
    for rival in &rivals {
        assert_eq!(world.send(rival), "txn-mempool-conflict");
    }
    let report = world.mempool.double_spend(&first.txid()).cloned().unwrap();
    assert_eq!((report.outpoint, report.rival_txid, report.time), (coins[0], rivals[0].txid(), world.now));
    assert_eq!(world.mempool.take_notices(), [Notice::DoubleSpend(report)]);
    // A rival whose script fails is nobody's doubt: this coin nobody can spend.
    let mut closed = paying(coins[1], COIN, 500);
    closed.outputs[0] = TxOut::plain(Sats::from_wire(COIN / 2), vec![0x00]);
    assert_eq!(world.send(&closed), "ok");
    let next = paying(first_output(&closed), COIN / 2, 500);
    assert_eq!(world.send(&next), "mandatory-script-verify-flag-failed");
    world.mine(1);
    assert_eq!(world.mempool.double_spend(&first.txid()), None);
}

#[test]
fn a_chain_of_ten_thousand_is_accepted_and_mined_and_taken_back() {
    let mut world = World::grown();
    let mut outpoint = world.coinbase(1);
    let mut sats = 50 * COIN;
    // The later pay better, so that all of it is one package.
    for step in 1..=10_000 {
        sats -= 100 + step;
        let tx = spend(&[outpoint], &[sats]);
        outpoint = first_output(&tx);
        assert_eq!(world.send(&tx), "ok", "{step}");
    }
    world.mine(1);
    assert!(world.mempool.is_empty());
    assert!(world.chain.coin(&outpoint).unwrap().is_some());
    let tip = world.chain.tip().hash;
    let change = world.chain.invalidate(&tip).unwrap();
    world.mempool.update(&change, &world.chain, world.now);
    assert_eq!(world.mempool.len(), 10_000);
    assert_eq!(world.mempool.ancestors(&outpoint.txid).len(), 9_999);
}

/// A random transaction: what it spends, of the coins and of the outputs of those before it, and what is wrong with it.
#[derive(Clone, Debug)]
struct Draft {
    spends: Vec<usize>,
    fee: u64,
    parts: u64,
    fault: u8,
}

fn draft() -> impl Strategy<Value = Draft> {
    (prop::collection::vec(0usize..60, 1..4), 0u64..2_000, 1u64..4, 0u8..12)
        .prop_map(|(spends, fee, parts, fault)| Draft { spends, fee, parts, fault })
}

/// The transactions that drafts mean. Some spend the same, some what is missing, some what nobody can unlock.
fn made_of(drafts: &[Draft], coins: &[OutPoint], had: u64) -> Vec<Transaction> {
    let mut open: Vec<(OutPoint, u64)> = coins.iter().map(|coin| (*coin, had)).collect();
    let mut txs = Vec::new();
    for draft in drafts {
        let chosen: Vec<(OutPoint, u64)> = draft.spends.iter().map(|at| open[at % open.len()]).collect();
        let total: u64 = chosen.iter().map(|(_, sats)| sats).sum();
        let share = total.saturating_sub(draft.fee) / draft.parts;
        let prevouts: Vec<OutPoint> = chosen.iter().map(|(outpoint, _)| *outpoint).collect();
        let mut tx = spend(&prevouts, &vec![share; draft.parts as usize]);
        match draft.fault {
            0 => tx.inputs[0].prevout.index += 1_000,
            1 => tx.outputs[0].lock = vec![0x00],
            2 => tx.version = 3,
            _ => {}
        }
        let txid = tx.txid();
        open.extend((0..).take(draft.parts as usize).map(|index| (OutPoint { txid, index }, share)));
        txs.push(tx);
    }
    txs
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn many_at_once_fare_as_one_after_the_other(drafts in prop::collection::vec(draft(), 1..80), room in 5usize..200) {
        let (world, coins) = rich(12, COIN / 10);
        let policy = Policy { mempool_bytes_max: room * 100, ..Policy::of(RuleSet::Bitmodel) };
        let txs = made_of(&drafts, &coins, COIN / 10);
        let mut alone = Mempool::with_policy(policy);
        let expected: Vec<_> =
            txs.iter().map(|tx| alone.accept(tx.clone(), &world.chain, world.now)).collect();
        for threads in [1, 2, 8] {
            let chain = world.chain.clone().with_workers(Workers::new(NonZeroUsize::new(threads).unwrap()));
            let mut together = Mempool::with_policy(policy);
            prop_assert_eq!(&together.accept_all(txs.clone(), &chain, world.now), &expected);
            prop_assert!(together.entries().eq(alone.entries()));
            prop_assert_eq!(together.take_notices(), alone.clone().take_notices());
            prop_assert_eq!(together.len_bytes(), alone.len_bytes());
            prop_assert!(together.len_bytes() <= policy.mempool_bytes_max);
        }
    }
}
