//! One payment for 985 people, and everybody who would like to be paid more.

use flow::Published;
use spec::artifact::AbiValue;
use spec::hash::hash160;
use spec::script::{instructions, p2pkh};
use spec::{Sats, Transaction};
use tests::Story;

use super::scratch;

const PEOPLE: &[(&str, &str)] = &[("alice", "3 coin"), ("bob", "1 coin"), ("carol", "1 coin")];
const COUNT: u32 = 985;

/// Who helped: 983 whom nobody here knows, and two whom everybody knows.
fn weights() -> Vec<u32> {
    let mut weights: Vec<u32> = (0..COUNT).map(|at| 1_000 + at % 7).collect();
    let sum: u32 = weights[..984].iter().sum();
    weights[984] = 1_000_000 - sum;
    weights
}

fn shares(weights: &[u32], net: Sats) -> Vec<Sats> {
    spec::split::Weights::new(weights.iter().map(|weight| u64::from(*weight)).collect()).unwrap().divide(net)
}

fn lock(at: u32) -> Vec<u8> {
    p2pkh(&hash160(&at.to_le_bytes()))
}

fn less(tx: &mut Transaction, output: usize) {
    tx.outputs[output].value = tx.outputs[output].value.checked_sub(Sats::ONE).unwrap();
}

/// The settlement's pushes with another weight for record `at`.
fn reweighted(unlock: &[u8], at: usize, by: i128) -> Vec<u8> {
    let mut out = Vec::new();
    for (place, step) in instructions(unlock).enumerate() {
        let data = step.unwrap().data.map_or_else(Vec::new, <[u8]>::to_vec);
        // The list comes first, its last record in front.
        if place + at + 1 == COUNT as usize {
            let weight = spec::num::decode_sized(&data).unwrap() + by;
            spec::script::push_data(&mut out, &spec::num::encode_wide(weight));
        } else if step.unwrap().data.is_some() {
            spec::script::push_data(&mut out, &data);
        } else {
            out.push(step.unwrap().byte);
        }
    }
    out
}

/// The settlement's pushes with the digest of other names.
fn renamed(unlock: &[u8], names: &[u8]) -> Vec<u8> {
    let other = flow::names_hash(["mallory"]);
    let at = unlock.windows(names.len()).position(|bytes| bytes == names).unwrap();
    [&unlock[..at], &other, &unlock[at + names.len()..]].concat()
}

#[test]
fn every_one_of_985_is_paid_to_the_unit_and_nobody_takes_more() {
    let mut story = Story::example("splitter-985", PEOPLE);
    let bob = story.key("bob").lock();
    let who = |at: u32| if at == 7 { bob.clone() } else { lock(at) };
    let record = |(at, weight): (u32, &u32)| format!(r#"{{"weight": {weight}, "lock": "0x{}"}}"#, hex::encode(who(at)));
    let list: Vec<String> = (0..).zip(&weights()).map(record).collect();
    let reward = story.deploy("Everyone", &[("recipients", &format!("[{}]", list.join(",")))]);
    let published = {
        let deployed = story.deployed_at(&reward);
        assert!(matches!(&deployed.params["recipients"], AbiValue::Records(records) if records.all.len() == 985));
        Published::of(story.artifact("Everyone"), &deployed.params, None, None).unwrap()
    };
    story.publish("alice", &published.encode());
    for amount in ["1 coin", "0.5 coin", "0.25 coin"] {
        story.pay("alice", &reward, amount);
    }

    // Anybody settles, and needs neither money nor key.
    let fee = [("fee", "50_500 sats")];
    let attack = |story: &mut Story, change: &dyn Fn(&mut Transaction), message: &str| {
        story.attack_finished("carol", "EveryoneSettle", &fee, change, message);
    };
    let mallory = story.key("carol").lock();
    let share = "every recipient gets its share of the pot";
    let list = "these are the records of `recipients`, all of them";
    attack(&mut story, &|tx| less(tx, 500), share);
    attack(&mut story, &|tx| tx.outputs[500].lock = mallory.clone(), list);
    attack(
        &mut story,
        &|tx| {
            let (first, rest) = tx.outputs.split_at_mut(1);
            std::mem::swap(&mut first[0].lock, &mut rest[0].lock);
        },
        list,
    );
    attack(&mut story, &|tx| drop(tx.outputs.pop()), "an output index is out of range");
    attack(
        &mut story,
        &|tx| {
            // Everybody gets exactly what the other weights say: only the hash of the list is in the way.
            let unlock = reweighted(&tx.inputs[0].unlock, 984, -1);
            tx.inputs[0].unlock = reweighted(&unlock, 983, 1);
            let mut moved = weights();
            (moved[984], moved[983]) = (moved[984] - 1, moved[983] + 1);
            let net = Sats::checked_sum(tx.outputs.iter().map(|output| output.value)).unwrap();
            for (output, share) in tx.outputs.iter_mut().zip(shares(&moved, net)) {
                output.value = share;
            }
        },
        list,
    );

    let names = flow::names_hash(published.recipients.iter().map(|one| one.name.as_str()));
    attack(&mut story, &|tx| tx.inputs[0].unlock = renamed(&tx.inputs[0].unlock, &names), list);

    let settled = story.run("carol", "EveryoneSettle", &fee).built;
    let fee = settled.fee.get();
    assert_eq!((fee, settled.tx.inputs.len()), (50_500, 3));
    assert!(settled.tx.len_bytes() * 2 <= COUNT as usize * 103, "at most 51.5 bytes for each of them");
    let net = 175_000_000 - fee;
    let expected = shares(&weights(), Sats::from_wire(net));
    for (at, share) in (0..COUNT).zip(&expected).filter(|(at, _)| *at != 7) {
        assert_eq!(story.held_at(&lock(at)), share.get(), "recipient {at}");
    }
    assert_eq!(story.held_at(&reward), 0);
    let mine = expected[7].get();
    story.balances(&[("bob", 100_000_000 + mine), ("carol", 100_000_000)]);

    // The chain alone says who was paid what.
    let network = flow::rebuild(&story.blocks());
    assert!(network.refused.is_empty());
    let flows = network.rewards;
    assert_eq!(flows.len(), 1);
    assert_eq!(flows[0].published, published);
    assert_eq!(flows[0].settlements.len(), 1);
    assert_eq!(flows[0].settlements[0].shares, expected);
    assert_eq!(flows[0].settlements[0].pot, Sats::from_wire(175_000_000));
    story.end(scratch());
}
