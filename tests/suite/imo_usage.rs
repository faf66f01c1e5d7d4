//! What a launch demands to see of a model's use, on the machine, under both sets of rules.

use std::fs;

use spec::hash::sha256;
use spec::token::{Capability, Token};
use spec::{Artifact, Sats, TxOut};
use wallet::{Accounts, Params, Program};

use crate::bmc::root;
use crate::machine::{
    CATEGORY, In, Placed, Tx, Values, account, bytes, compiled, eight, four, fungible, held, nft, of, other, out,
    place, spend, tx,
};

const BASE: u64 = 2_000;
const MODEL: [u8; 32] = [0x17; 32];
const BADGE: [u8; 32] = [0xbd; 32];
/// What `usage` demands.
const NEEDED: u64 = 5_000_000;
const YEAR: u32 = 52_560;

fn offers() -> Vec<Artifact> {
    compiled(&fs::read_to_string(root().join("tests/imo/offers.bmc")).unwrap())
}

/// The contracts of one offering, and of others beside it.
struct World {
    artifacts: Vec<Artifact>,
    launch: Placed,
    meter: Placed,
    treasury: Vec<u8>,
    team: Vec<u8>,
}

/// The launch whose treasury and team have such locks.
fn world(treasury: Vec<u8>, team: Vec<u8>) -> World {
    let artifacts = offers();
    let params = Params::from([
        ("model".to_owned(), bytes(MODEL)),
        ("judge".to_owned(), bytes(Accounts::devnet().key(10).public())),
        ("community".to_owned(), bytes(&treasury)),
        ("team".to_owned(), bytes(&team)),
        ("badge".to_owned(), bytes(BADGE)),
    ]);
    let params = Program::new(artifacts.iter().cloned()).complete("MeteredLaunch", params).unwrap();
    let artifact = artifacts.iter().find(|artifact| artifact.contract == "MeteredLaunch").unwrap().clone();
    let meter = meter_of(&artifacts, BADGE, &treasury);
    World { launch: Placed { artifact, params }, meter, artifacts, treasury, team }
}

fn keys() -> World {
    world(account(8), account(1))
}

/// The lock of a script, as a treasury that takes deposits has it.
fn script() -> Vec<u8> {
    [&[0xaa, 0x20][..], &[7; 32], &[0x87]].concat()
}

fn meter_of(artifacts: &[Artifact], badge: [u8; 32], treasury: &[u8]) -> Placed {
    place(artifacts, "MeteredMeter", vec![("badge", bytes(badge)), ("community", bytes(treasury))])
}

fn attestation() -> Values {
    let message = [b"BMIMO\x01", &CATEGORY[..], &four(0), &MODEL, &sha256(b"the model runs")[..]].concat();
    vec![("sig_judge", bytes(Accounts::devnet().key(10).sign(&sha256(&message))))]
}

impl World {
    fn launch_coin(&self) -> In<'_> {
        spend(&self.launch, "launch", attestation(), self.launch.out(BASE, of(BADGE, 1)))
    }

    fn count(&self, sats: u64) -> In<'_> {
        spend(&self.meter, "count", vec![], self.meter.out(sats, None))
    }

    /// The parts, the holders' coin, and what the treasury gets.
    fn outputs(&self, paid: u64) -> Vec<TxOut> {
        let lock = |contract: &str, params| place(&self.artifacts, contract, params).lock();
        vec![
            out(&lock("MeteredSale", vec![("community", bytes(&self.treasury))]), BASE, held(&eight(0), 500)),
            out(&self.team, BASE, fungible(500)),
            out(&lock("MeteredHolders", vec![]), BASE, held(&eight(1_000), 0)),
            out(&self.treasury, paid, None),
        ]
    }

    /// A launch that counts these coins and pays the treasury so much; a key pays the fee.
    fn go(&self, coins: &[u64], paid: u64) -> Tx<'_> {
        let mut inputs = vec![self.launch_coin()];
        inputs.extend(coins.iter().map(|sats| self.count(*sats)));
        inputs.push(other(out(&account(9), 50_000, None)));
        tx(inputs, self.outputs(paid))
    }
}

const HOLD: &str = "coins that `Fees` paid to `meter` hold at least 5_000_000 sats";
const GETS: &str = "`community` gets all that the coins of the meter hold";

#[test]
fn a_launch_counts_the_coins_of_its_meter_to_the_unit() {
    let w = keys();
    w.go(&[NEEDED], NEEDED).accepted();
    w.go(&[2_000_000, 2_999_000, 1_000], NEEDED).accepted();
    w.go(&[NEEDED, 777], NEEDED + 777).accepted();
    w.go(&[NEEDED - 1], NEEDED).refused(HOLD);
    w.go(&[2_000_000, 2_999_999], NEEDED).refused(HOLD);
    w.go(&[], NEEDED).refused(HOLD);
    // All of it is the treasury's, not only what is demanded.
    w.go(&[NEEDED], NEEDED - 1).refused(GETS);
    w.go(&[NEEDED, 777], NEEDED + 776).refused(GETS);
}

#[test]
fn the_launch_says_what_faking_it_costs() {
    let w = keys();
    let docs = &w.launch.artifact.docs;
    for says in [
        "at least 0.05 coin, which go to `community`",
        "`meter` gets 2 % of `Fees`, so honest users have paid 2.5 coin by then",
        "0.05 coin away to `community` for ever. If that lock is the faker's own",
    ] {
        assert!(docs.contains(says), "{docs}");
    }
}

#[test]
fn nothing_but_coins_of_the_meter_counts_and_each_counts_once() {
    let w = keys();
    let with = |change: &dyn Fn(&mut Tx<'_>)| {
        let mut tx = w.go(&[NEEDED - 1_000], NEEDED);
        change(&mut tx);
        tx
    };
    // The money of the launch coin, of a key, of the treasury, of somebody's campaign.
    with(&|tx| tx.inputs[0].coin.value = Sats::from_wire(2 * NEEDED)).refused(HOLD);
    for lock in [account(9), account(8), script()] {
        with(&|tx| tx.inputs.push(other(out(&lock, NEEDED, None)))).refused(HOLD);
    }
    // The meter of another launch, or for another treasury: this launch does not count it, and it does not let itself
    // be counted.
    for foreign in [meter_of(&w.artifacts, [0xbe; 32], &w.treasury), meter_of(&w.artifacts, BADGE, &account(7))] {
        let coin = || spend(&foreign, "count", vec![], foreign.out(NEEDED, None));
        let mut short = tx(vec![w.launch_coin(), w.count(NEEDED - 1_000), coin()], w.outputs(2 * NEEDED));
        short.judge().unwrap_err();
        short.inputs[1] = w.count(NEEDED);
        assert!(short.judge().is_err(), "the other meter's coin is refused by itself");
        tx(vec![w.launch_coin(), coin(), w.count(NEEDED)], w.outputs(2 * NEEDED)).judge().unwrap_err();
    }
}

#[test]
fn what_the_meter_pays_is_no_other_payment() {
    // The team's part has the lock of the treasury, and is no payment to it.
    let w = world(account(8), account(8));
    w.go(&[NEEDED], NEEDED).accepted();
    let mut merged = w.go(&[NEEDED], NEEDED);
    merged.outputs.remove(3);
    merged.outputs[1].value = Sats::from_wire(BASE + NEEDED);
    merged.refused("output 1 holds 2_000 sats");
    // A contract of the treasury keeps its own money beside.
    for (treasury, owed) in [(script(), NEEDED + 100_000), (account(8), NEEDED + 100_000)] {
        let w = world(treasury.clone(), account(1));
        let go = |paid| {
            let mut tx = w.go(&[NEEDED], paid);
            tx.inputs.push(other(out(&treasury, 100_000, None)));
            tx
        };
        go(owed).accepted();
        go(owed - 1).refused(GETS);
    }
}

#[test]
fn tokens_on_coins_of_the_meter_neither_stop_a_launch_nor_make_more() {
    let w = keys();
    let minting = nft([0xcc; 32], Capability::Minting, b"", 5);
    let with = |change: &dyn Fn(&mut Tx<'_>)| {
        let mut tx = w.go(&[2_000_000, 3_000_000], NEEDED);
        tx.inputs[1].coin.token.clone_from(&minting);
        tx.inputs[2].coin.token = of([0xcd; 32], 9);
        change(&mut tx);
        tx
    };
    with(&|_| ()).accepted();
    let change = |token: &Option<Token>| out(&account(9), 5_000, token.clone());
    with(&|tx| tx.outputs.push(change(&None))).accepted();
    for token in [minting.clone(), of([0xcd; 32], 9), of(BADGE, 1)] {
        with(&|tx| tx.outputs.push(change(&token))).refused("change carries no token");
        with(&|tx| tx.outputs[3].token.clone_from(&token)).refused("output 3 carries no token");
        with(&|tx| tx.outputs[1].token.clone_from(&token)).refused("output 1 carries no token that could change");
    }
    with(&|tx| {
        tx.outputs.push(change(&None));
        tx.outputs.push(change(&minting));
    })
    .refused("at most one output follows the parts");
}

#[test]
fn the_meter_lets_nobody_but_the_launch_count() {
    let w = keys();
    let badge = "the launch coin, which carries the token `badge`, is the first input";
    let first = |coin: TxOut| tx(vec![other(coin), w.count(NEEDED)], w.outputs(NEEDED));
    first(out(&account(9), BASE, None)).refused(badge);
    first(out(&account(9), BASE, of([0xbe; 32], 1))).refused(badge);
    first(w.launch.out(BASE, None)).refused(badge);
    tx(vec![w.count(NEEDED)], w.outputs(NEEDED)).refused(badge);
    // A launch coin without its badge is none, and one that stands elsewhere is none.
    let mut bare = w.go(&[NEEDED], NEEDED);
    bare.inputs[0].coin.token = None;
    bare.refused("the launch coin carries the token `badge`");
    let mut behind = w.go(&[NEEDED], NEEDED);
    behind.inputs.swap(0, 1);
    behind.refused(badge);
    // Whoever made more than one badge can waste what users have paid, but not have it.
    let rogue = |outputs| {
        let coin = other(out(&account(9), BASE, of(BADGE, 1)));
        tx(vec![coin, w.count(NEEDED), w.count(77)], outputs)
    };
    rogue(w.outputs(NEEDED + 77)).accepted();
    rogue(w.outputs(NEEDED + 76)).refused(GETS);
    let mut stolen = w.outputs(NEEDED + 77);
    stolen[3].lock = account(9);
    rogue(stolen).refused("output 3 is for `community`");
    // The coin that checks for all stands at input 1.
    let mut apart = rogue(w.outputs(NEEDED + 77));
    apart.inputs.insert(1, other(out(&account(9), 1_000, None)));
    apart.refused("input 1 is a coin of the meter");
}

#[test]
fn a_coin_of_the_meter_is_the_treasurys_after_a_year_and_not_before() {
    let w = keys();
    let expire = |coin: TxOut, outputs| tx(vec![spend(&w.meter, "expire", vec![], coin)], outputs).aged(YEAR);
    let coin = || w.meter.out(7_000, None);
    let paid = |sats| vec![out(&w.treasury, sats, None)];
    expire(coin(), paid(7_000)).accepted();
    expire(coin(), paid(7_000)).aged(65_535).accepted();
    // Not a block earlier, and no number means something else: other units, no lock at all.
    for age in [YEAR - 1, 0, (1 << 22) | 65_535, (1 << 31) | YEAR] {
        assert!(expire(coin(), paid(7_000)).aged(age).judge().is_err(), "{age}");
    }
    expire(coin(), paid(6_999)).refused("`community` gets all that the coin holds");
    expire(coin(), vec![out(&account(9), 7_000, None)]).refused("output 0 is for `community`");
    let change = |token| [paid(7_000), vec![out(&account(9), 5_000, token)]].concat();
    expire(coin(), change(None)).accepted();
    // A token that was sent by mistake does not stop it, and ends.
    let minting = nft([0xcc; 32], Capability::Minting, b"", 5);
    let marked = || w.meter.out(7_000, minting.clone());
    expire(marked(), change(None)).accepted();
    expire(marked(), change(minting.clone())).refused("change carries no token");
    expire(marked(), vec![out(&w.treasury, 7_000, minting.clone())]).refused("output 0 carries no token");
    expire(marked(), [change(None), change(minting.clone())].concat()).refused("one output of change may follow");
    // Beside other coins: none of the meter, and one of the treasury keeps its own.
    let beside = |input, sats| {
        let mut tx = expire(coin(), paid(sats));
        tx.inputs.push(input);
        tx
    };
    let alone = "one coin of the meter goes at a time";
    beside(spend(&w.meter, "merge", vec![], coin()), 14_000).refused(alone);
    beside(spend(&w.meter, "expire", vec![], coin()), 14_000).refused(alone);
    beside(other(out(&w.treasury, 500, None)), 7_500).accepted();
    beside(other(out(&w.treasury, 500, None)), 7_499).refused("`community` gets all that the coin holds");
    let mut second = expire(coin(), paid(7_000));
    second.inputs.insert(0, other(out(&account(9), 1_000, None)));
    second.refused("the coin is the first input");
}

#[test]
fn small_coins_of_the_meter_become_one_and_nothing_leaves_it() {
    let w = keys();
    let merge = |coins: &[u64], outputs| {
        let one = |sats: &u64| spend(&w.meter, "merge", vec![], w.meter.out(*sats, None));
        tx(coins.iter().map(one).collect(), outputs)
    };
    let kept = |sats| vec![w.meter.out(sats, None)];
    merge(&[700, 900, 5_000], kept(6_600)).accepted();
    merge(&[700, 900, 5_000], kept(6_599)).refused("the meter keeps all that the coins hold");
    merge(&[700, 900], vec![out(&account(9), 1_600, None)]).refused("output 0 is the meter's");
    // One coin does not begin its year anew without another.
    merge(&[700], kept(700)).judge().unwrap_err();
    let mut alone = merge(&[700], kept(700));
    alone.inputs.push(other(out(&account(9), 1_000, None)));
    alone.refused("two coins of the meter are merged at least");
    let mut behind = merge(&[700, 900], kept(1_600));
    behind.inputs.insert(0, other(out(&account(9), 1_000, None)));
    behind.refused("the first input is a coin of the meter");
    let minting = nft([0xcc; 32], Capability::Minting, b"", 5);
    let mut marked = merge(&[700, 900], [kept(1_600), vec![out(&account(9), 1_000, None)]].concat());
    marked.inputs[1].coin.token.clone_from(&minting);
    marked.outputs[1].token.clone_from(&minting);
    marked.refused("change carries no token");
    // A launch beside: the coins that it does not count are refused.
    let mut both = w.go(&[NEEDED, 700], NEEDED + 700);
    both.inputs[2].contract.as_mut().unwrap().1 = "merge";
    both.refused("the first input is a coin of the meter");
}

#[test]
fn a_launch_has_room_for_a_hundred_coins() {
    let w = keys();
    let go = |count: u64| {
        let mut tx = w.go(&vec![60_000; usize::try_from(count).unwrap()], 60_000 * count);
        tx.inputs.pop();
        tx
    };
    go(99).accepted();
    go(100).accepted();
    assert!(go(101).judge().is_err());
    let merge = |count: u64| {
        let coin = || spend(&w.meter, "merge", vec![], w.meter.out(1_000, None));
        tx((0..count).map(|_| coin()).collect(), vec![w.meter.out(1_000 * count, None)])
    };
    merge(100).accepted();
    assert!(merge(101).judge().is_err());
}
