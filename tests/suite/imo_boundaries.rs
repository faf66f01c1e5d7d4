//! The last offering that the compiler accepts, on the machine: what it gives and costs to the last unit. The first
//! that it refuses is in `proofs.rs`.

use spec::Sats;
use spec::artifact::AbiValue;
use spec::hash::sha256;
use spec::token::Token;
use spec::{Artifact, TxOut};
use wallet::{Accounts, Params, Program};

use crate::machine::{
    self, CATEGORY, Placed, Tx, account, bytes, compiled, eight, four, fungible, held, int, other, out, place, spend,
    tx,
};

const BASE: u64 = 2_000;
const MODEL: [u8; 32] = [0x17; 32];
const FLOW: &str = "reward Flow { a: 10%, b: rest, minimum: 100_000 sats, fee: up to 1_000 sats }\n";

/// An offering of this supply with these parts.
fn offering(supply: &str, parts: &str, more: &str) -> Vec<Artifact> {
    compiled(&format!(
        "{FLOW}imo Coin for Flow {{\n    criteria: 2 of [judge_a, judge_b] over \"it runs\",\n    supply: {supply},\n    \
         allocate: {{ {parts} }},\n    {more}\n}}\n"
    ))
}

/// The launch with a lock for each part that has one of its own.
fn launch(artifacts: &[Artifact], locks: &[(String, Vec<u8>)]) -> Placed {
    let mut params = Params::from([("model".to_owned(), bytes(MODEL))]);
    let key = |at: u32| bytes(Accounts::devnet().key(10 + at).public());
    params.extend([("judge_a".to_owned(), key(0)), ("judge_b".to_owned(), key(1))]);
    params.extend(locks.iter().map(|(name, lock)| (name.clone(), bytes(lock))));
    let params = Program::new(artifacts.iter().cloned()).complete("CoinLaunch", params).unwrap();
    let artifact = artifacts.iter().find(|artifact| artifact.contract == "CoinLaunch").unwrap().clone();
    Placed { artifact, params }
}

/// A launch that both judges attest.
fn launched(launch: &Placed, outputs: Vec<TxOut>) -> Tx<'_> {
    let message = [b"BMIMO\x01", &CATEGORY[..], &four(0), &MODEL, &sha256(b"it runs")[..]].concat();
    let sign = |at: u32| bytes(Accounts::devnet().key(10 + at).sign(&sha256(&message)));
    let votes = vec![("sig_judge_a", sign(0)), ("sig_judge_b", sign(1))];
    tx(vec![spend(launch, "launch", votes, launch.out(BASE, None))], outputs)
}

fn owned(name: &str, at: u32) -> (String, Vec<u8>) {
    (name.to_owned(), account(at))
}

/// Half a token is rounded up to one; with less the part would be nothing.
#[test]
fn the_smallest_part_is_a_token() {
    let artifacts = offering("100", "a: 1/200, b: rest", "");
    let launch = launch(&artifacts, &[owned("a", 1), owned("b", 2)]);
    let give = |first: u64, second: u64| {
        let part = |at: u32, amount: u64| out(&account(at), BASE, fungible(amount));
        launched(&launch, vec![part(1, first), part(2, second)])
    };
    give(1, 99).accepted();
    give(2, 98).refused("`a` gets 1 token");
    give(1, 100).refused("`b` gets 99 tokens");
    give(1, 98).refused("`b` gets 99 tokens");
    give(0, 100).judge().unwrap_err();
}

#[test]
fn twenty_parts_are_launched_in_one_transaction() {
    let names: Vec<String> = (0..20).map(|at| format!("p{at}")).collect();
    let parts: Vec<String> = names.iter().map(|name| format!("{name}: 1/20")).collect();
    let artifacts = offering("1_009", &parts.join(", "), "");
    let locks: Vec<(String, Vec<u8>)> = names.iter().zip(1..).map(|(name, at)| owned(name, at)).collect();
    let launch = launch(&artifacts, &locks);
    // The nearest whole token to each cumulative part, and so the supply in all.
    let upto = |count: u64| (1_009 * count + 10) / 20;
    let outputs: Vec<TxOut> =
        locks.iter().zip(0..).map(|((_, lock), at)| out(lock, BASE, fungible(upto(at + 1) - upto(at)))).collect();
    let sum: u64 = outputs.iter().map(|output| output.token.as_ref().unwrap().amount).sum();
    assert_eq!(sum, 1_009);
    launched(&launch, outputs.clone()).accepted();
    let (mut moved, mut swapped, mut fewer) = (outputs.clone(), outputs.clone(), outputs);
    moved[0].token = fungible(51);
    moved[19].token = fungible(49);
    launched(&launch, moved).judge().unwrap_err();
    swapped.swap(0, 19);
    launched(&launch, swapped).judge().unwrap_err();
    fewer.pop();
    launched(&launch, fewer).judge().unwrap_err();
}

#[test]
fn the_smallest_and_the_largest_supply_are_launched_whole() {
    for supply in [1, u64::MAX / 2] {
        let artifacts = offering(&supply.to_string(), "team: 100%", "");
        let launch = launch(&artifacts, &[owned("team", 1)]);
        let give = |amount| launched(&launch, vec![out(&account(1), BASE, fungible(amount))]);
        give(supply).accepted();
        give(supply - 1).judge().unwrap_err();
        // A second category would be one more supply; none is there.
        let mut more = give(supply);
        more.outputs.push(out(&account(9), 1_000, fungible(1)));
        more.refused("change carries no token");
    }
}

/// As many tokens as give every source of the model one.
#[test]
fn five_upstream_tokens_reach_both_sources() {
    let artifacts = offering("5", "upstream: 100%", "");
    let upstream = place(&artifacts, "CoinUpstream", vec![("a", bytes(account(1))), ("b", bytes(account(2)))]);
    let give = |first: u64, second: u64| {
        let outputs = vec![out(&account(1), BASE, fungible(first)), out(&account(2), BASE, fungible(second))];
        tx(vec![spend(&upstream, "divide", vec![], upstream.out(BASE, fungible(5)))], outputs)
    };
    give(1, 4).accepted();
    give(0, 5).judge().unwrap_err();
    give(2, 3).refused("`a` gets 1 token");
    give(1, 3).refused("`b` gets 4 tokens");
}

fn bought(sale: &Placed, args: machine::Values, (all, sold): (u64, u64), amount: u64, cost: u64) -> Tx<'_> {
    let coin = sale.out(BASE, held(&eight(sold), all - sold));
    let next = sale.out(BASE + cost, held(&eight(sold + amount), all - sold - amount));
    tx(vec![spend(sale, "buy", args, coin)], vec![next, out(&account(9), 1_000, fungible(amount))])
}

#[track_caller]
fn costs(sale: &Placed, at: (u64, u64), amount: u64, cost: u64) {
    let args = || vec![("amount", int(amount))];
    bought(sale, args(), at, amount, cost).accepted();
    bought(sale, args(), at, amount, cost - 1).refused("the value that is given");
}

fn sale_of(artifacts: &[Artifact]) -> Placed {
    place(artifacts, "CoinSale", vec![("treasury", bytes(account(8)))])
}

/// The highest prices that the compiler accepts cost all the money there is, and no number leaves its range.
#[test]
fn the_highest_prices_take_all_money() {
    let all_money = Sats::MAX.get();
    let fixed = offering("21", "sale: 100% price fixed 1_000_000 coin", "");
    let sale = sale_of(&fixed);
    costs(&sale, (21, 0), 21, all_money);
    costs(&sale, (21, 20), 1, 100_000_000_000_000);
    let fine =
        offering("1_000_000_000", "sale: 100% price linear { base: 1 sats, slope: 4_199 sats, per: 1_000_000 }", "");
    let sale = sale_of(&fine);
    let cost = |sold: u64, amount: u64| {
        let [sold, amount] = [sold, amount].map(u128::from);
        u64::try_from(amount + (4_199 * amount * (2 * sold + amount)).div_ceil(2_000_000)).unwrap()
    };
    let all = 1_000_000_000;
    assert_eq!(cost(0, all), 2_099_501_000_000_000);
    costs(&sale, (all, 0), all, cost(0, all));
    costs(&sale, (all, all - 1), 1, cost(all - 1, 1));
}

/// A price that falls by nothing stays.
#[test]
fn a_falling_price_may_end_where_it_begins() {
    let price = "price dutch { start: 100 sats, end: 100 sats, from: height 9, over: 10 blocks }";
    let sale = sale_of(&offering("10", &format!("sale: 100% {price}"), ""));
    for at in [9, 10, 19, 20, 499_999_999] {
        let args = || vec![("amount", int(7)), ("at", int(at))];
        let locktime = u32::try_from(at).unwrap();
        bought(&sale, args(), (10, 2), 7, 700).at(locktime).accepted();
        bought(&sale, args(), (10, 2), 7, 699).at(locktime).refused("the value that is given");
    }
    bought(&sale, vec![("amount", int(7)), ("at", int(8))], (10, 2), 7, 700).at(8).refused("the sale has begun");
}

/// The longest grant ends at its last block, as a number of four bytes can say.
#[test]
fn the_longest_grant_is_given_to_its_last_token() {
    let over = 2_147_483_647u32;
    let artifacts = offering("10", &format!("team: 100% vest linear over {over} blocks"), "");
    let vesting = place(&artifacts, "CoinVesting", vec![("team", bytes(account(1)))]);
    let left = |elapsed: u32| 10 - 10 * u64::from(elapsed) / u64::from(over);
    let claim = |elapsed: u32, age: u32, paid: u64| {
        let after = elapsed.saturating_add(age).min(over);
        let coin = vesting.out(BASE, held(&four(elapsed), left(elapsed)));
        let next = vesting.out(BASE, held(&four(after), left(elapsed) - paid));
        let paid = out(&account(1), 1_000, fungible(paid));
        tx(vec![spend(&vesting, "claim", vec![("age", int(age.into()))], coin)], vec![next, paid]).aged(age)
    };
    assert_eq!((left(over - 647), left(over)), (1, 0));
    claim(over - 647, 647, 1).accepted();
    claim(over - 647, 646, 1).judge().unwrap_err();
    claim(over - 647, 65_535, 1).accepted();
    claim(over / 10 - 5, 6, 1).accepted();
    claim(over / 10 - 6, 6, 1).judge().unwrap_err();
}

/// The share of the revenue that is declared is the one that the reward pays, and the holders get all of it.
#[test]
fn declared_revenue_reaches_the_holders_to_the_unit() {
    let artifacts = offering("10", "team: 100%", "revenue: 10% of Flow to a,");
    let holders = place(&artifacts, "CoinHolders", vec![]);
    let inbox = {
        let params = Params::from([("category".to_owned(), bytes(CATEGORY))]);
        let params = Program::new(artifacts.iter().cloned()).complete("CoinRevenue", params).unwrap();
        let artifact = artifacts.iter().find(|artifact| artifact.contract == "CoinRevenue").unwrap().clone();
        Placed { artifact, params }
    };
    let flow = place(&artifacts, "Flow", vec![("a", bytes(inbox.lock())), ("b", bytes(account(2)))]);
    let settle = |to_holders: u64| {
        let outputs = vec![inbox.out(to_holders, None), out(&account(2), 99_000 - to_holders, None)];
        tx(vec![spend(&flow, "settle", vec![("fee", int(1_000))], flow.out(100_000, None))], outputs)
    };
    settle(9_900).accepted();
    settle(9_899).refused("`a` gets 1/10 of the pot");
    let state = |outstanding: u64| held(&eight(outstanding), 10 - outstanding);
    let join = |kept: u64| {
        let first = spend(&holders, "add", vec![("amount", int(9_900))], holders.out(BASE, state(10)));
        let second = spend(&inbox, "join", vec![], inbox.out(9_900, None));
        tx(vec![first, second], vec![holders.out(kept, state(10))])
    };
    join(BASE + 9_900).accepted();
    join(BASE + 9_899).judge().unwrap_err();
    // Three holders of 10 tokens: the last one takes what rounding left.
    let (mut pot, mut outstanding, mut paid) = (9_900u64, 10u64, 0);
    for amount in [7, 2, 1] {
        let back = pot * amount / outstanding;
        let redeem = |back: u64| {
            let coin = holders.out(BASE + pot, state(outstanding));
            let tokens = other(out(&account(9), 1_000, machine::of(CATEGORY, amount)));
            let next = holders.out(BASE + pot - back, state(outstanding - amount));
            tx(vec![spend(&holders, "redeem", vec![("amount", int(amount))], coin), tokens], vec![next])
        };
        redeem(back).accepted();
        redeem(back + 1).refused("the value that is given");
        (pot, outstanding, paid) = (pot - back, outstanding - amount, paid + back);
    }
    assert_eq!((pot, outstanding, paid), (0, 0, 9_900));
}

/// Two buyers at once: the coin of the sale is one, so the second buys at the next price or not at all.
#[test]
fn a_buy_pins_the_state_that_it_saw() {
    let sale = sale_of(&offering("1_000", "sale: 100% price linear { base: 100 sats, slope: 2 sats }", ""));
    let cost = |sold: u64, amount: u64| 100 * amount + amount * (2 * sold + amount);
    let args = || vec![("amount", int(10))];
    costs(&sale, (1_000, 0), 10, cost(0, 10));
    // The first has bought: what the second would have paid before is refused, with either state.
    let stale = |sold: u64| {
        let coin = sale.out(BASE, held(&eight(10), 990));
        let next = sale.out(BASE + cost(0, 10), held(&eight(sold + 10), 980));
        tx(vec![spend(&sale, "buy", args(), coin)], vec![next, out(&account(9), 1_000, fungible(10))])
    };
    stale(10).refused("the value that is given");
    stale(0).judge().unwrap_err();
    assert!(cost(10, 10) > cost(0, 10));
    costs(&sale, (1_000, 10), 10, cost(10, 10));
    // Two coins of the sale do not share the output of one buy.
    let coin = || sale.out(BASE, held(&eight(0), 1_000));
    let next = sale.out(BASE + cost(0, 10), held(&eight(10), 990));
    let twice = vec![spend(&sale, "buy", args(), coin()), spend(&sale, "buy", args(), coin())];
    let token: Option<Token> = fungible(20);
    tx(twice, vec![next, out(&account(9), 1_000, token)]).judge().unwrap_err();
    let nothing = AbiValue::int(0);
    tx(vec![spend(&sale, "buy", vec![("amount", nothing)], coin())], vec![coin()]).refused("something is bought");
}
