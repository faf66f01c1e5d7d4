//! Attacks on settlements that look at more than one contract, coin or pot: each is carried out on the machine.

use std::collections::BTreeMap;

use spec::artifact::{AbiValue, Record};
use spec::split::Weights;
use spec::{Sats, TxOut};
use wallet::{FeeRate, Params, Settlement, Utxo};

use crate::machine::{In, Placed, Values, account, bytes, compiled, int, other, out, place, spend, tx};

const DIRECT: &str = "reward One { a: 1/4, b: rest, minimum: 10_000 sats, fee: up to 1_000 sats }";
const LIST: &str = "reward Many { recipients: list, minimum: 1_000_000 sats, fee: up to 100_000 sats }";

fn record(weight: u32, lock: &[u8]) -> Record {
    vec![weight.to_le_bytes().to_vec(), lock.to_vec()]
}

fn direct(first: u32, second: u32) -> Placed {
    place(&compiled(DIRECT), "One", vec![("a", bytes(account(first))), ("b", bytes(account(second)))])
}

/// A list of these weights; the lock of the first recipient is that of the first account, and so on.
fn list_of(records: Vec<Record>) -> Placed {
    place(&compiled(LIST), "Many", vec![("recipients", AbiValue::Records(records.into()))])
}

fn list(weights: &[u32]) -> Placed {
    list_of((0..).zip(weights).map(|(at, weight)| record(*weight, &account(at))).collect())
}

/// What a settlement that leaves this fee pushes.
fn settling(reward: &Placed, fee: u64, padding: usize) -> Values {
    let path = reward.artifact.path("settle").unwrap();
    let known = |name: &'static str| {
        let slot = path.args.iter().find(|slot| slot.name == name)?;
        Some((name, path.known_arg(slot, &reward.artifact.params, &reward.params)?))
    };
    let padded = path.args.iter().any(|slot| slot.name == "padding");
    let padding = padded.then(|| ("padding", bytes(vec![0; padding])));
    ["recipients", "recipients.about"].into_iter().filter_map(known).chain(padding).chain([("fee", int(fee))]).collect()
}

/// What a settlement says of another contract's coin.
const BESIDE: &str = "beside coins of this reward are coins of keys only";

fn settles(reward: &Placed, pot: u64, fee: u64) -> In<'_> {
    spend(reward, "settle", settling(reward, fee, 600), reward.out(pot, None))
}

fn joins(reward: &Placed, sats: u64) -> In<'_> {
    spend(reward, "join", vec![], reward.out(sats, None))
}

/// The shares of a pot that is left of the fee, to the first accounts.
fn shares(weights: &[u64], pot: u64) -> Vec<TxOut> {
    let split = Weights::new(weights.to_vec()).unwrap().divide(Sats::new(pot).unwrap());
    (0..).zip(split).map(|(at, share)| out(&account(at), share.get(), None)).collect()
}

/// Two rewards that pay the same people the same: one set of outputs must not pay for both.
#[test]
fn one_set_of_outputs_settles_one_reward() {
    // Other weights of a third recipient make another list; both pay the first two alike.
    let lists = [list(&[250_000, 750_000]), list(&[250_000, 749_000, 1_000])];
    let directs = [direct(0, 1), direct(1, 0)];
    for ([one, two], pot, fee) in [(&lists, 2_000_000, 1_000), (&directs, 50_000, 1_000)] {
        assert_ne!(one.lock(), two.lock());
        let outputs = || shares(&[1, 3], pot - fee);
        let go = |inputs| tx(inputs, outputs());
        go(vec![settles(one, pot, fee)]).accepted();
        let first = "the first input settles, other coins of the reward join it";
        go(vec![settles(one, pot, fee), settles(two, pot, fee)]).refused(BESIDE);
        go(vec![settles(one, pot, fee), settles(one, pot, fee)]).judge().unwrap_err();
        go(vec![settles(one, pot, fee), joins(two, pot)]).refused(BESIDE);
        // A coin joins nothing but a settlement of its own reward: not itself, not a stranger's coin.
        go(vec![joins(one, pot)]).refused("the first input settles");
        go(vec![joins(one, pot), joins(one, pot)]).refused("the first input settles");
        go(vec![joins(one, pot), settles(one, pot, fee)]).refused("the first input settles");
        let stranger = || other(out(&account(9), pot, None));
        go(vec![stranger(), joins(one, pot)]).refused("the first input is a coin of this reward");
        go(vec![stranger(), settles(one, pot, fee)]).refused(first);
        // What joins is counted, though the settlement does not speak of it.
        go(vec![settles(one, pot, fee), joins(one, 1_000)]).judge().unwrap_err();
        tx(vec![settles(one, pot, fee), joins(one, 1_000)], shares(&[1, 3], pot + 1_000 - fee)).accepted();
    }
}

/// A list may name somebody twice; an output pays for one entry.
#[test]
fn equal_entries_have_an_output_each() {
    let one = record(250_000, &account(0));
    let reward = list_of(vec![one.clone(), one, record(500_000, &account(1))]);
    let (pot, fee) = (2_001_000, 1_000);
    let paid = |values: &[(u32, u64)]| values.iter().map(|(who, sats)| out(&account(*who), *sats, None)).collect();
    let go = |outputs| tx(vec![settles(&reward, pot, fee)], outputs);
    go(paid(&[(0, 500_000), (0, 500_000), (1, 1_000_000)])).accepted();
    // One output with both shares, and one that is shown for both.
    go(paid(&[(0, 1_000_000), (1, 1_000_000)])).judge().unwrap_err();
    go(paid(&[(0, 500_000), (1, 1_000_000)])).judge().unwrap_err();
    go(paid(&[(0, 1_000_000), (0, 0), (1, 1_000_000)])).refused("every recipient gets its share of the pot");
}

/// A reward may pay another reward, and the coin of that one cannot stand beside the settlement.
#[test]
fn a_reward_that_is_paid_cannot_show_its_own_coin_as_the_payment() {
    let inner = list(&[400_000, 600_000]);
    let outer = list_of(vec![record(300_000, &account(0)), record(700_000, &inner.lock())]);
    let (pot, fee) = (3_001_000, 1_000);
    let paid = || vec![out(&account(0), 900_000, None), inner.out(2_100_000, None)];
    tx(vec![settles(&outer, pot, fee)], paid()).accepted();
    for beside in [joins(&inner, 2_100_000), settles(&inner, 2_100_000, fee)] {
        tx(vec![settles(&outer, pot, fee), beside], paid()).refused(BESIDE);
    }
    // What was paid is settled by itself.
    let shares = vec![out(&account(0), 839_600, None), out(&account(1), 1_259_400, None)];
    tx(vec![settles(&inner, 2_100_000, fee)], shares).accepted();
}

/// Whoever settles may take the fee and pay it in again, as often as they like: they pay themselves with their own.
#[test]
fn a_keeper_who_pays_the_fee_back_in_gains_nothing() {
    let weights = [900_000, 40_000, 30_000, 20_000, 10_000];
    let reward = list(&weights);
    let whole: Vec<u64> = weights.iter().map(|weight| u64::from(*weight)).collect();
    // The first recipient settles. Strangers pay once; then the keeper pays in what they have, again and again.
    let (strangers, fee) = (5_000_000u64, 100_000u64);
    let mut pot = strangers;
    let (mut keeper, mut others) = (0i64, [0u64; 4]);
    for _ in 0..20 {
        let split = Weights::new(whole.clone()).unwrap().divide(Sats::new(pot - fee).unwrap());
        let mut outputs = shares(&whole, pot - fee);
        // The fee goes to an output of the keeper's own, as a miner's would.
        outputs.push(out(&account(0), fee, None));
        tx(vec![settles(&reward, pot, fee)], outputs).accepted();
        // One unit more for the keeper, by the fee or from a share, is refused.
        let mut more = shares(&whole, pot - fee);
        more[4].value = Sats::from_wire(more[4].value.get() - 1);
        tx(vec![settles(&reward, pot, fee)], more).refused("every recipient gets its share of the pot");
        tx(vec![settles(&reward, pot, fee + 1)], shares(&whole, pot - fee - 1)).refused("the fee is at most");
        keeper += i64::try_from(split[0].get() + fee).unwrap();
        others.iter_mut().zip(&split[1..]).for_each(|(sum, share)| *sum += share.get());
        pot = 1_500_000;
        keeper -= 1_500_000;
    }
    keeper += 1_500_000;
    // Everything that was paid in has come out, and each round cost the keeper the others' shares of it.
    let given: u64 = others.iter().sum();
    assert_eq!(keeper + i64::try_from(given).unwrap(), i64::try_from(strangers).unwrap());
    assert!(given >= (strangers - fee) / 10 + 19 * 140_000 - 1, "{given}");
    for (got, weight) in others.iter().zip(&whole[1..]) {
        let fair = (strangers - fee + 19 * 1_400_000) * weight / 1_000_000;
        assert!(got.abs_diff(fair) <= 20, "{got} of {fair}");
    }
}

/// Small pots, chosen so that rounding down would rob the small: the smallest that the script divides, on the machine.
#[test]
fn the_smallest_pots_pay_a_hundred_minorities_what_they_are_due() {
    let mut weights = vec![900_000u32];
    weights.resize(101, 1_000);
    let reward = list(&weights);
    let whole: Vec<u64> = weights.iter().map(|weight| u64::from(*weight)).collect();
    let least = reward.artifact.reward.as_ref().unwrap().list.unwrap().weight_min;
    assert!(least <= 1_000, "{least}");
    let fee = 100_000;
    let mut paid = vec![0u64; 101];
    let mut came = 0u64;
    for at in 0..12u64 {
        // Of 900,999 a thousandth is 900.999: rounding down would keep a unit of each of the hundred.
        let pot = 1_000_999 + 1_000 * at;
        let outputs = shares(&whole, pot - fee);
        tx(vec![settle_padded(&reward, pot, fee)], outputs.clone()).accepted();
        paid.iter_mut().zip(&outputs).for_each(|(sum, output)| *sum += output.value.get());
        came += pot - fee;
        // The large share rounded up, at the cost of a small one.
        let mut robbed = outputs;
        robbed[0].value = Sats::from_wire(robbed[0].value.get() + 1);
        robbed[50].value = Sats::from_wire(robbed[50].value.get() - 1);
        tx(vec![settle_padded(&reward, pot, fee)], robbed).refused("every recipient gets its share of the pot");
    }
    assert_eq!(paid.iter().sum::<u64>(), came);
    let fair = came / 1_000;
    assert!(paid[1..].iter().all(|sum| sum.abs_diff(fair) <= 12), "{paid:?} of {fair}");
    let small: u64 = paid[1..].iter().sum();
    assert!(small.abs_diff(came / 10) <= 12, "together they lose no more than one of them could: {small}");
    // A smaller pot is not divided at all.
    tx(vec![settle_padded(&reward, 999_999, fee)], shares(&whole, 899_999)).refused("at least 900_000 sats");
    tx(vec![settle_padded(&reward, 999, 0)], shares(&whole, 999)).refused("at least 900_000 sats");
}

fn settle_padded(reward: &Placed, pot: u64, fee: u64) -> In<'_> {
    spend(reward, "settle", settling(reward, fee, 1_000), reward.out(pot, None))
}

/// The same pots in a contract whose author rounds down, as is usual: there the small lose all of it.
#[test]
fn a_contract_that_rounds_each_share_down_gives_the_rest_to_one() {
    let text = "/// Nine tenths and a hundred times a thousandth, as such contracts are often written.\n\
                contract Floor(large: Lock, small: Lock) {\n    \
                spend pay() {\n        \
                require self.index == 0, \"alone\";\n        \
                require tx.inputs.length == 1, \"alone\";\n        \
                let each = self.value / 1_000;\n        \
                for i in 1..4 {\n            \
                require tx.outputs[i].lock == small, \"a small share\";\n            \
                require tx.outputs[i].value == each, \"rounded down\";\n        \
                }\n        \
                require tx.outputs[0].lock == large, \"the large share\";\n    \
                }\n}\n";
    let artifacts = compiled(text);
    let floor = place(&artifacts, "Floor", vec![("large", bytes(account(0))), ("small", bytes(account(1)))]);
    let pay = |each: u64, large: u64| {
        let small = || out(&account(1), each, None);
        let outputs = vec![out(&account(0), large, None), small(), small(), small()];
        tx(vec![spend(&floor, "pay", vec![], floor.out(1_999, None))], outputs)
    };
    // A thousandth of 1,999 is 1.999; whoever is paid first takes what is left of it.
    pay(1, 1_996).accepted();
    pay(2, 1_993).refused("rounded down");
    let split = Weights::new(vec![997, 1, 1, 1]).unwrap().divide(Sats::from_wire(1_999));
    assert_eq!(split.iter().skip(1).map(|share| share.get()).sum::<u64>(), 6, "to the nearest unit");
}

/// Thousands of coins of next to nothing are nobody's duty: a settlement takes those that it wants.
#[test]
fn coins_of_next_to_nothing_stop_no_settlement() {
    let reward = list(&[600_000, 400_000]);
    let (pot, fee) = (1_000_000, 10_000);
    // However many lie beside it, one coin is settled by itself; and fifty of them can join.
    tx(vec![settles(&reward, pot, fee)], shares(&[3, 2], pot - fee)).accepted();
    let joined = |count: u64| {
        let dust = (0..count).map(|_| joins(&reward, 576));
        let first = spend(&reward, "settle", settling(&reward, fee, 4_000), reward.out(pot, None));
        tx(std::iter::once(first).chain(dust).collect(), shares(&[3, 2], pot + 576 * count - fee))
    };
    joined(49).accepted();
    let join = reward.artifact.path("join").unwrap();
    let unlock = join.unlock_script(&BTreeMap::new(), &reward.artifact.redeem_script(&reward.params).unwrap()).unwrap();
    // An input is an outpoint, a length, the unlocking script and a sequence.
    let bytes_each = 36 + 1 + unlock.len() + 4;
    println!("a coin that joins costs {bytes_each} bytes");
    assert!(bytes_each <= 200, "{bytes_each}");
    // None of them joins without being counted.
    let mut short = joined(3);
    short.outputs = shares(&[3, 2], pot + 576 * 2 - fee);
    short.judge().unwrap_err();
}

/// One recipient more than a settlement can pay would lock the money for ever: such a list is refused beforehand.
#[test]
fn a_list_that_no_settlement_could_pay_is_refused_before_it_is_paid() {
    let lock = |at: usize| spec::script::p2sh32(&spec::hash::sha256d(&at.to_le_bytes()));
    let records = |count: usize| {
        let each = u32::try_from(1_000_000 / count).unwrap();
        let mut all = vec![each; count];
        all[0] += 1_000_000 - each * u32::try_from(count).unwrap();
        (0..).zip(all).map(|(at, weight)| record(weight, &lock(at))).collect::<Vec<_>>()
    };
    let artifact = compiled(LIST).remove(0);
    let given = |records: &[Record]| -> Vec<(u64, Vec<u8>)> {
        let one =
            |record: &Record| (u64::try_from(spec::num::decode_sized(&record[0]).unwrap()).unwrap(), record[1].clone());
        records.iter().map(one).collect()
    };
    let most = 985;
    flow::records(&artifact, &|_| None, &given(&records(most))).unwrap();
    let error = flow::records(&artifact, &|_| None, &given(&records(most + 1))).unwrap_err().to_string();
    assert_eq!(error, "a list of 986 recipients cannot be settled: at most 985 fit one transaction");
    // The machine says why: its stack holds a thousand items. There is little room beyond what is promised.
    let (pot, fee) = (1_000_000_000u64, 60_000u64);
    let judged = |records: Vec<Record>| {
        let weights = Weights::new(given(&records).iter().map(|(weight, _)| *weight).collect()).unwrap();
        let shares = weights.divide(Sats::new(pot - fee).unwrap());
        let outputs = shares.iter().zip(&records).map(|(share, record)| out(&record[1], share.get(), None)).collect();
        let reward = list_of(records);
        let room = 9_990 - unlock_bytes(&reward, fee, 0);
        tx(vec![spend(&reward, "settle", settling(&reward, fee, room), reward.out(pot, None))], outputs).judge_narrow()
    };
    judged(records(most)).unwrap();
    let refused = (most + 1..most + 20).find(|count| judged(records(*count)).is_err()).unwrap();
    println!("a settlement of {} recipients is accepted, and none of {refused}", refused - 1);
    assert!(refused <= most + 10, "{refused}");

    // Long locks make a transaction that nobody relays; 419 of the longest that are standard still fit one.
    let long = |count: usize| {
        let mut all = records(count);
        all.iter_mut().for_each(|record| record[1] = [&[0x51][..], &[0x61; 168], &record[1][2..34]].concat());
        all
    };
    assert_eq!(long(1)[0][1].len(), 201);
    let fits = flow::records(&artifact, &|_| None, &given(&long(419))).unwrap();
    let error = flow::records(&artifact, &|_| None, &given(&long(420))).unwrap_err().to_string();
    assert_eq!(error, "the outputs of a settlement take 89040 bytes: at most 89000 fit one transaction");
    let params = Params::from([("recipients".to_owned(), fits)]);
    let reward = Placed { artifact: artifact.clone(), params };
    let outpoint = spec::OutPoint { txid: spec::Txid::from_wire([1; 32]), index: 0 };
    let wish = |coins| Settlement {
        artifact: &reward.artifact,
        params: &reward.params,
        coins,
        fee: Some(Sats::new(100_000).unwrap()),
        rate: FeeRate::RELAY_MIN,
    };
    let coin = Utxo { outpoint, output: reward.out(pot, None) };
    let built = wallet::settle(&wish(vec![coin])).unwrap().built.tx;
    assert!(built.encode().len() <= 100_000, "{}", built.encode().len());
}

fn unlock_bytes(reward: &Placed, fee: u64, padding: usize) -> usize {
    let args: Params =
        settling(reward, fee, padding).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let redeem = reward.artifact.redeem_script(&reward.params).unwrap();
    reward.artifact.path("settle").unwrap().unlock_script(&args, &redeem).unwrap().len()
}

/// A contract that keeps its coin by the output beside it could show that output as what it was paid, too. So no
/// contract's coin is spent beside a settlement; a key's coin may be, to add money of its own.
#[test]
fn no_contract_goes_on_beside_a_settlement() {
    let text = "contract Chest(owner: PubKey) {\n    \
                spend stay() {\n        \
                require tx.outputs[self.index].lock == self.lock, \"the chest stays\";\n        \
                require tx.outputs[self.index].value >= self.value, \"nothing leaves it\";\n    \
                }\n    \
                spend open(sig: Sig) { require owner.signed(sig), \"the owner signs\"; }\n}\n";
    let artifacts = compiled(text);
    let owner = vec![("owner", bytes(wallet::Accounts::devnet().key(5).public()))];
    let chest = place(&artifacts, "Chest", owner);
    let (fee, share) = (1_000, 1_000_000);
    let lists = list_of(vec![record(500_000, &account(0)), record(500_000, &chest.lock())]);
    let text = "reward Pair { a: 50%, b: rest, minimum: 10_000 sats, fee: up to 1_000 sats }";
    let locks = vec![("a", bytes(account(0))), ("b", bytes(chest.lock()))];
    let direct = place(&compiled(text), "Pair", locks);
    for reward in [&lists, &direct] {
        let stays = || spend(&chest, "stay", vec![], chest.out(share, None));
        let key = |sats: u64| other(out(&account(9), sats, None));
        let outputs = || vec![out(&account(0), share, None), chest.out(share, None)];
        let pot = 2 * share + fee;
        // The chest's own coin would go on as the output that pays it, and the payment would leave with the key's.
        tx(vec![settles(reward, pot, fee), stays()], outputs()).refused(BESIDE);
        tx(vec![settles(reward, pot, fee), stays(), key(546)], outputs()).refused(BESIDE);
        tx(vec![settles(reward, pot, fee), key(546), stays()], outputs()).refused(BESIDE);
        // A key's coin pays for the settlement; a contract's coin waits for a transaction of its own.
        tx(vec![settles(reward, pot, fee), key(546)], outputs()).accepted();
        let both = vec![joins(reward, share), key(share)];
        let more = vec![out(&account(0), share + share / 2, None), chest.out(share + share / 2, None)];
        tx(vec![settles(reward, pot, fee)].into_iter().chain(both).collect(), more).accepted();
        tx(vec![stays()], vec![chest.out(share, None)]).accepted();
    }
}
