//! A launch that has to show what users have paid; then holders redeem their part of what they pay.

use std::fs;

use spec::Sats;
use tests::Story;
use wallet::Forgery;

use super::imo::{BASE, CARRIER, MODEL, Offering, PEOPLE, START, less, place};
use super::scratch;
use crate::bmc::root;

/// Plans of people who do not want to wait, or to pay.
const FORGERS: &str = r"
/// A launch that counts what there is, of the meter with this badge.
plan shares_hurry(sig_judge: DataSig, of: Category) {
    input coin: SharesLaunch.launch(sig_judge: sig_judge);
    input used: SharesMeter.count() each where used.params.badge == of;
    burn coin;
    output SharesSale(coin.params.treasury).lock {
        value: 2_000 sats,
        token: { category: coin.txid, capability: mutable, amount: 500, state: { sold: 0 } },
    };
    output coin.params.team { value: 2_000 sats, token: { category: coin.txid, amount: 500 } };
    output SharesHolders().lock {
        value: 2_000 sats,
        token: { category: coin.txid, capability: mutable, amount: 0, state: { outstanding: 1_000 } },
    };
    output coin.params.treasury { value: 200_000 sats };
}

/// Money of the meter, without a launch.
plan shares_steal(thief: PubKey) {
    input mine: key(thief) with { value: 1_000 sats };
    input used: SharesMeter.count() any;
    output p2pkh(hash160(thief)) { value: used.value };
}
";

struct Launch {
    offering: Offering,
    badge: String,
    meter: Vec<u8>,
    inbox: Vec<u8>,
    sig: String,
}

fn hexed(bytes: impl AsRef<[u8]>) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// The launch coin, with its badge; and the reward that pays the meter and the holders.
fn launch() -> Launch {
    let text = fs::read_to_string(root().join("examples/revenue-share/revenue_share.bmc")).unwrap();
    let mut story = Story::new(&[("revenue_share.bmc", &format!("{text}{FORGERS}"))], PEOPLE);
    // The badge is named after the transaction of a coin that is kept for it. The meter's lock is known from then on.
    let bob = story.key("bob").lock();
    let kept = story.pay("bob", &bob, "50_000 sats");
    let spent = START - story.balance("bob");
    let badge = hexed(kept.txid.as_wire());
    let meter = story.deploy("SharesMeter", &[("badge", &badge), ("treasury", "@carol")]);
    let params = [("judge", "@dave"), ("treasury", "@carol"), ("team", "@bob"), ("badge", badge.as_str())];
    // Another coin makes another badge.
    let other = story.pay("alice", &bob, "40_000 sats");
    let paid = START - 40_000 - story.balance("alice");
    story.name_coins("first", &[other]);
    let wrong = [&[("model", MODEL)], &params[..]].concat();
    story.refused("bob", "shares_prepare", &wrong, "the coin that is spent first is the one that `badge` names");
    story.name_coins("first", &[kept]);
    let mut offering = Offering::prepare_in(story, "shares", &params);
    offering.fees[place("bob")] += spent;
    offering.fees[place("alice")] += paid;
    let category = hexed(offering.coin.txid.as_wire());
    let inbox = offering.story.deploy("SharesRevenue", &[("category", &category)]);
    let sig = offering.attest("dave", "the model runs", MODEL);
    Launch { offering, badge, meter, inbox, sig }
}

impl Launch {
    /// A user pays the reward, and it is settled; the meter gets a hundredth of what the fee leaves.
    fn used(&mut self, amount: &str) {
        let (holders, meter) = (hexed(&self.inbox), hexed(&self.meter));
        let locks = [("holders", holders.as_str()), ("meter", &meter), ("builder", "@bob")];
        let args = [&[("amount", amount)], &locks[..]].concat();
        let paid = self.offering.story.run("alice", "RoyaltyPay", &args);
        self.offering.fees[place("alice")] += paid.built.fee.get();
        self.offering.story.run("carol", "RoyaltySettle", &[("fee", "1_000 sats")]);
    }

    fn metered(&self) -> u64 {
        self.offering.story.held_at(&self.meter)
    }

    fn attack(&mut self, plan: &str, args: &[(&str, &str)], change: impl FnOnce(&mut Forgery<'_>), message: &str) {
        self.offering.attack("bob", plan, args, change, message);
    }

    /// The attacks on a launch that has enough.
    fn forge_launch(&mut self) {
        let sig = self.sig.clone();
        let args = [("sig_judge", sig.as_str())];
        let thief = self.offering.story.key("bob").lock();
        let short = "`treasury` gets all that the coins of the meter hold";
        self.attack("launch", &args, |f| less(f, 3, 1), short);
        self.attack("launch", &args, |f| f.tx.outputs[3].lock.clone_from(&thief), "output 3 is for `treasury`");
        // The part of the team is no payment to the treasury, nor is the money of the holders' coin.
        for output in 1..3 {
            self.attack("launch", &args, |f| f.tx.outputs.swap(3, output), &format!("output {output} is for"));
        }
    }
}

#[test]
fn users_pay_a_model_is_launched_and_holders_redeem_their_part() {
    let mut l = launch();
    l.used("0.1 coin");
    l.used("0.1 coin");
    // A hundredth of 9,999,000 twice, and that is 20 units too little.
    assert_eq!(l.metered(), 2 * 99_990);
    let sig = l.sig.clone();
    let args = [("sig_judge", sig.as_str())];
    l.offering.story.refused("bob", "shares_launch", &args, "hold at least 200_000 sats");
    let badge = l.badge.clone();
    let own = [("sig_judge", sig.as_str()), ("of", badge.as_str())];
    let demanded = "coins that `Royalty` paid to `meter` hold at least 200_000 sats";
    l.attack("hurry", &own, |_| (), demanded);
    // The meter of another launch has enough, and this one does not count it.
    let other = hexed([0xbb; 32]);
    let foreign = l.offering.story.deploy("SharesMeter", &[("badge", &other), ("treasury", "@carol")]);
    l.offering.story.pay("carol", &foreign, "0.01 coin");
    let carol_spent = START - l.offering.story.balance("carol");
    l.attack("hurry", &[own[0], ("of", &other)], |_| (), demanded);

    // Without the launch nothing leaves the meter.
    let no_launch = "the launch coin, which carries the token `badge`, is the first input";
    l.attack("steal", &[("thief", "@bob")], |_| (), no_launch);
    let of = [("badge", badge.as_str()), ("treasury", "@carol")];
    l.attack("merge", &of, |f| less(f, 0, 1), "the meter keeps all that the coins hold");
    let thief = l.offering.story.key("bob").lock();
    l.attack("merge", &of, |f| f.tx.outputs[0].lock.clone_from(&thief), "output 0 is the meter's");
    let (early, lain) = (|f: &mut Forgery<'_>| f.tx.inputs[0].sequence = 1, "the coin has lain for 52_560 blocks");
    let treasury = hexed(l.offering.story.key("carol").lock());
    let to_treasury = [("badge", badge.as_str()), ("treasury", treasury.as_str())];
    l.attack("expire", &to_treasury, early, lain);
    l.offering.run("bob", "merge", &of);
    assert_eq!(l.metered(), 2 * 99_990);

    l.used("0.01 coin");
    assert_eq!(l.metered(), 209_970);
    l.forge_launch();
    l.offering.run("bob", "launch", &args);
    assert_eq!(l.metered(), 0);
    assert_eq!(l.offering.story.balance("carol"), START - carol_spent + 209_970);
    l.offering.fees[place("carol")] = carol_spent;

    // Users go on paying; what no launch counts is the treasury's after a year.
    l.used("0.01 coin");
    assert_eq!(l.metered(), 9_990);
    l.attack("expire", &to_treasury, early, lain);
    l.offering.holds("bob", 3 * BASE, 40_000 + BASE + 2 * 8_899_110 + 2 * 889_110);
    l.offering.holds("carol", 0, 209_970);
    l.offering.holds("alice", 22_040_000, 0);
    redeem(l);
}

/// Holders give tokens away for their part of what has come in.
fn redeem(l: Launch) {
    let Launch { offering: mut o, inbox, .. } = l;
    let alice = hexed(o.story.key("alice").lock());
    o.run("alice", "buy", &[("amount", "200"), ("buyer", &alice)]);
    let holders = o.story.deploy("SharesHolders", &[]);
    let come = 2 * 999_900 + 2 * 99_900;
    assert_eq!(o.story.held_at(&inbox), come);
    let thief = o.story.key("bob").lock();
    let join = [("amount", "2_199_600 sats")];
    o.attack("bob", "join", &join, |f| f.tx.outputs[0].lock = thief.clone(), "the lock of this one");
    o.run("bob", "join", &join);
    assert_eq!((o.story.held_at(&inbox), o.story.held_at(&holders)), (0, come + BASE));

    // A fifth of all tokens takes a fifth of the money.
    let redeem = [("amount", "200"), ("holder", "@alice")];
    let more = |f: &mut Forgery<'_>| {
        less(f, 0, 1);
        let value = &mut f.tx.outputs[1].value;
        *value = Sats::from_wire(value.get() + 1);
    };
    o.attack("alice", "redeem", &redeem, more, "the value that is given");
    o.run("alice", "redeem", &redeem);
    o.holds("alice", 22_040_000 + 200 * 5_000 + CARRIER, come / 5 + CARRIER);
    assert_eq!(o.story.held_at(&holders), come * 4 / 5 + BASE);
    o.run("bob", "redeem", &[("amount", "500"), ("holder", "@bob")]);
    // Of 800 that are out, 500 take five eighths.
    assert_eq!(o.story.held_at(&holders), come * 3 / 10 + BASE);
    o.holds("bob", 3 * BASE, 40_000 + BASE + 2 * 8_899_110 + 2 * 889_110 + come / 2);
    o.story.end(scratch());
}
