//! The mempool: what it takes, what it refuses, how it follows the chain.

use crate::world::{COIN, World, first_output, seal, spend};
use chain::{Notice, Policy};
use proptest::prelude::*;
use spec::{OutPoint, RuleSet, Transaction, Txid};
use std::collections::BTreeSet;

#[test]
fn each_refusal_has_its_reason() {
    let mut world = World::grown();
    let good = spend(&[world.coinbase(1)], &[49 * COIN, 1_000]);
    let rows: [(Transaction, &str); 12] = [
        (spend(&[world.coinbase(2)], &[COIN]), "bad-txns-premature-spend-of-coinbase"),
        (spend(&[OutPoint { txid: Txid::from_wire([9; 32]), index: 0 }], &[COIN]), "bad-txns-inputs-missingorspent"),
        (spend(&[OutPoint { index: 7, ..world.coinbase(1) }], &[COIN]), "bad-txns-inputs-missingorspent"),
        (spend(&[world.coinbase(1)], &[50 * COIN]), "min relay fee not met"),
        (spend(&[world.coinbase(1)], &[50 * COIN + 1]), "bad-txns-in-belowout"),
        (spend(&[world.coinbase(1)], &[100]), "dust"),
        (Transaction { version: 3, ..good.clone() }, "bad-txns-version"),
        (world.chain.params().genesis().transactions[0].clone(), "bad-tx-coinbase"),
        (good.clone(), "ok"),
        (good.clone(), "txn-already-in-mempool"),
        (spend(&[world.coinbase(1)], &[COIN]), "txn-mempool-conflict"),
        (spend(&[OutPoint { index: 9, ..first_output(&good) }], &[COIN]), "bad-txns-inputs-missingorspent"),
    ];
    for (row, (tx, verdict)) in rows.into_iter().enumerate() {
        let before = world.mempool.len();
        assert_eq!(world.send(&tx), verdict, "row {row}");
        assert_eq!(world.mempool.len(), before + usize::from(verdict == "ok"));
    }
    world.mine(1);
    assert_eq!(world.send(&good), "txn-already-known");
}

#[test]
fn locks_in_the_future_wait() {
    let mut world = World::grown();
    let mut tx = Transaction { locktime: 11, ..spend(&[world.coinbase(1)], &[COIN]) };
    tx.inputs[0].sequence = 0;
    assert_eq!(world.send(&tx), "bad-txns-nonfinal");
    tx.locktime = 10;
    tx.inputs[0].sequence = 11;
    assert_eq!(world.send(&tx), "non-BIP68-final");
    tx.inputs[0].sequence = 10;
    assert_eq!(world.send(&tx), "ok");
}

#[test]
fn a_test_changes_nothing() {
    let mut world = World::grown();
    let tx = spend(&[world.coinbase(1)], &[COIN]);
    let entry = world.mempool.test_accept(tx.clone(), &world.chain, world.now).unwrap();
    assert_eq!(entry.fee.get(), 49 * COIN);
    assert!(world.mempool.is_empty());
    assert_eq!(world.send(&tx), "ok");
}

#[test]
fn unconfirmed_chains_have_any_length_and_mine_in_one_block() {
    let mut world = World::grown();
    let mut outpoint = world.coinbase(1);
    for step in 1..=300 {
        let tx = spend(&[outpoint], &[50 * COIN - step * 200]);
        outpoint = first_output(&tx);
        assert_eq!(world.send(&tx), "ok", "{step}");
    }
    world.mine(1);
    assert!(world.mempool.is_empty());
    assert!(world.chain.coin(&outpoint).unwrap().is_some());
}

#[test]
fn a_mined_rival_drops_a_transaction_and_its_descendants() {
    let mut world = World::grown();
    let tx = spend(&[world.coinbase(1)], &[49 * COIN]);
    let child = spend(&[first_output(&tx)], &[48 * COIN]);
    let rival = spend(&[world.coinbase(1)], &[47 * COIN]);
    let mut block = world.next_block("rival");
    block.transactions.push(rival);
    assert_eq!((world.send(&tx), world.send(&child)), ("ok", "ok"));
    world.accept(seal(block)).unwrap();
    assert!(world.mempool.is_empty());
    assert_eq!(world.mempool.len_bytes(), 0);
}

#[test]
fn old_transactions_expire_with_their_children() {
    let mut world = World::grown();
    world.mine(1);
    let tx = spend(&[world.coinbase(1)], &[49 * COIN]);
    let child = spend(&[first_output(&tx)], &[48 * COIN]);
    let other = spend(&[world.coinbase(2)], &[49 * COIN]);
    assert_eq!(world.send(&tx), "ok");
    let wait = Policy::of(RuleSet::Bitmodel).expiry_secs;
    world.now += wait;
    assert_eq!(world.send(&child), "ok");
    world.now += 1;
    assert_eq!(world.send(&other), "ok");
    let expired = [Notice::Expired(tx.txid()), Notice::Expired(child.txid())];
    assert_eq!((world.mempool.len(), world.mempool.take_notices()), (1, expired.to_vec()));
}

#[test]
fn the_best_paying_go_first_but_never_before_their_parents() {
    let mut world = World::grown();
    world.mine(1);
    let poor = spend(&[world.coinbase(1)], &[50 * COIN - 500]);
    let rich_child = spend(&[first_output(&poor)], &[40 * COIN]);
    assert_eq!((world.send(&poor), world.send(&rich_child)), ("ok", "ok"));
    let block = world.next_block("");
    assert_eq!(block.transactions.len(), 3);
    assert_eq!(block.transactions[0].outputs[0].value.get(), 60 * COIN);
    world.accept(block).unwrap();
}

#[test]
fn a_block_takes_what_it_holds_and_nothing_else() {
    for late in [false, true] {
        let mut world = World::grown();
        world.mine(1);
        let first = spend(&[world.coinbase(1)], &[49 * COIN]);
        let child = spend(&[first_output(&first)], &[48 * COIN]);
        let other = spend(&[world.coinbase(2)], &[49 * COIN]);
        assert_eq!((world.send(&first), world.send(&child)), ("ok", "ok"));
        assert_eq!(world.send(&spend(&[world.coinbase(1)], &[COIN])), "txn-mempool-conflict");
        let block = world.next_block("");
        if late {
            assert_eq!(world.send(&other), "ok");
        }
        for tx in [&first, &other] {
            world.mempool.prioritise(tx.txid(), 7);
        }
        let changes = world.mempool.changes();
        world.accept(block).unwrap();
        let left: Vec<Txid> = world.mempool.entries().map(|entry| entry.txid).collect();
        let expected = if late { vec![other.txid()] } else { vec![] };
        assert_eq!((left, world.mempool.changes() - changes), (expected, 2));
        let bytes = if late { other.len_bytes() } else { 0 };
        assert_eq!((world.mempool.len_bytes(), world.mempool.fees().get() > 0), (bytes, late));
        assert_eq!(world.mempool.spender(&world.coinbase(1)), None);
        assert_eq!(world.mempool.spender(&world.coinbase(2)).is_some(), late);
        assert_eq!(world.mempool.double_spend(&first.txid()), None);
        assert_eq!(world.mempool.priorities().collect::<Vec<_>>(), [(&other.txid(), 7)]);
        assert_eq!(world.mempool.expire(u32::MAX).len(), usize::from(late));
        assert_eq!(world.send(&spend(&[first_output(&child)], &[47 * COIN])), "ok");
    }
}

/// What a random step does: mine, take back, or spend the `n`th spendable coin into `parts`, perhaps in conflict.
#[derive(Clone, Debug)]
enum Step {
    Mine,
    Undo,
    Spend { nth: usize, parts: u64, confirmed_only: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Mine),
        1 => Just(Step::Undo),
        5 => (any::<prop::sample::Index>(), 1..4u64, any::<bool>())
            .prop_map(|(nth, parts, confirmed_only)| Step::Spend { nth: nth.index(1 << 16), parts, confirmed_only }),
    ]
}

fn all_coins(world: &World) -> Vec<(OutPoint, chain::Coin)> {
    let mut coins = Vec::new();
    chain::Store::visit_coins(world.chain.store(), &mut |outpoint, coin| coins.push((*outpoint, coin.clone())))
        .unwrap();
    coins
}

fn play(world: &mut World, step: &Step) {
    match step {
        Step::Mine => world.mine(1),
        Step::Undo => {
            let tip = world.chain.tip();
            if tip.entry.height.get() > 11 {
                let change = world.chain.invalidate(&tip.hash).unwrap();
                world.mempool.update(&change, &world.chain, world.now);
            }
        }
        Step::Spend { nth, parts, confirmed_only } => {
            let mut choices: Vec<(OutPoint, u64)> =
                all_coins(world).into_iter().map(|(outpoint, coin)| (outpoint, coin.output.value.get())).collect();
            if !confirmed_only {
                let waiting = world.mempool.entries().flat_map(|entry| {
                    let values = entry.tx.outputs.iter().map(|output| output.value.get());
                    (0..)
                        .zip(values)
                        .map(|(index, sats)| (OutPoint { txid: entry.txid, index }, sats))
                        .collect::<Vec<_>>()
                });
                choices.extend(waiting);
            }
            let (outpoint, sats) = choices[nth % choices.len()];
            let share = sats.saturating_sub(1_000) / parts;
            world.send(&spend(&[outpoint], &vec![share; *parts as usize]));
        }
    }
}

fn assert_sound(world: &World) {
    let mut claimed = BTreeSet::new();
    let mut bytes = 0;
    for entry in world.mempool.entries() {
        bytes += entry.len_bytes;
        for input in &entry.tx.inputs {
            assert!(claimed.insert(input.prevout), "two waiting transactions spend {}", input.prevout);
            let made = world.mempool.output(&input.prevout, spec::Height::GENESIS).is_some();
            assert!(made || world.chain.coin(&input.prevout).unwrap().is_some());
        }
    }
    assert_eq!(bytes, world.mempool.len_bytes());
    let height = world.chain.tip().entry.height.get();
    let money: u64 = all_coins(world).iter().map(|(_, coin)| coin.output.value.get()).sum();
    assert_eq!(money, u64::from(height) * 50 * COIN, "subsidies are all the money there is");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_mempool_never_conflicts_and_money_is_conserved(steps in prop::collection::vec(step(), 1..40)) {
        let mut world = World::grown();
        for step in &steps {
            play(&mut world, step);
            assert_sound(&world);
        }
    }

    #[test]
    fn undoing_a_block_restores_every_coin(steps in prop::collection::vec(step(), 1..25)) {
        let mut world = World::grown();
        for step in &steps {
            play(&mut world, step);
        }
        let before = all_coins(&world);
        world.mine(1);
        let tip = world.chain.tip().hash;
        world.chain.invalidate(&tip).unwrap();
        prop_assert_eq!(all_coins(&world), before);
    }
}
