//! A campaign: it succeeds, it misses its goal, its model is not accepted. Every balance is known to the last unit.

use std::collections::BTreeMap;
use std::fs;

use spec::artifact::AbiValue;
use spec::token::Token;
use spec::{Category, OutPoint, Sats, TxOut};
use tests::Story;
use wallet::{Carried, Forgery, Utxo};

use super::scratch;
use crate::bmc::root;

pub(super) type Pairs<'a> = &'a [(&'a str, &'a str)];

/// Alice builds, bob, carol and dave pay, erin, frank and grace judge.
pub(super) const PEOPLE: Pairs<'_> =
    &[("alice", "0.1 coin"), ("bob", "20 coin"), ("carol", "20 coin"), ("dave", "20 coin"), ("erin", "0.1 coin")];
pub(super) const TRUST: Pairs<'_> =
    &[("builder_key", "@alice"), ("judge_a", "@erin"), ("judge_b", "@frank"), ("judge_c", "@grace")];
pub(super) const COIN: u64 = 100_000_000;
pub(super) const MODEL: [u8; 32] = [0x5d; 32];

pub(super) fn eight(n: u64) -> [u8; 8] {
    n.to_le_bytes()
}

pub(super) struct Campaign {
    pub(super) story: Story,
    /// What the names of its plans begin with.
    prefix: &'static str,
    pub(super) category: Category,
    /// `0x` and the bytes of the category.
    pub(super) id: String,
    pub(super) threads: Vec<OutPoint>,
    thread_lock: Vec<u8>,
    pub(super) escrow_lock: Vec<u8>,
    pub(super) fees: BTreeMap<String, u64>,
}

fn fee(carried: &Carried) -> u64 {
    let sum = |outputs: &[TxOut]| outputs.iter().map(|output| output.value.get()).sum::<u64>();
    let all = carried.first.iter().chain([&carried.built]);
    all.map(|built| sum(&built.spent) - sum(&built.tx.outputs)).sum()
}

pub(super) fn token(output: &mut TxOut) -> &mut Token {
    output.token.as_mut().unwrap()
}

impl Campaign {
    fn new() -> Self {
        Self::begun(Story::example("imi", PEOPLE), ("TinyCoder", "tiny_coder"), 2)
    }

    /// The example's campaign, with more plans beside its own.
    pub(super) fn with(plans: &str) -> Self {
        let text = fs::read_to_string(root().join("examples/imi/tiny_coder.bmc")).unwrap() + plans;
        Self::begun(Story::new(&[("tiny_coder.bmc", &text)], PEOPLE), ("TinyCoder", "tiny_coder"), 2)
    }

    /// The campaign of a story.
    pub(super) fn begun(story: Story, names: (&str, &'static str), threads: u32) -> Self {
        Self::of(story, names, TRUST, threads)
    }

    /// The campaign of a story, with a builder and judges of its own.
    pub(super) fn of(mut story: Story, (name, prefix): (&str, &'static str), trust: Pairs<'_>, threads: u32) -> Self {
        let escrow_lock = story.deploy(&format!("{name}Escrow"), trust);
        let none = Category::from_wire([0; 32]);
        let (id, threads_of, fees) = (String::new(), Vec::new(), BTreeMap::new());
        let mut campaign =
            Self { story, prefix, category: none, id, threads: threads_of, thread_lock: vec![], escrow_lock, fees };
        campaign.restart("genesis", trust, threads);
        campaign
    }

    /// Makes another campaign by the same rules, which takes the place of this one.
    pub(super) fn restart(&mut self, plan: &str, params: Pairs<'_>, threads: u32) {
        let made = self.story.run("alice", &format!("{}_{plan}", self.prefix), params);
        let tx = &made.built.tx;
        self.category = Category::from_wire(*tx.inputs[0].prevout.txid.as_wire());
        self.threads = (0..threads).map(|index| OutPoint { txid: tx.txid(), index }).collect();
        self.thread_lock.clone_from(&tx.outputs[0].lock);
        self.id = format!("0x{}", hex::encode(self.category.as_wire()));
        *self.fees.entry("alice".to_owned()).or_default() += fee(&made);
    }

    #[track_caller]
    pub(super) fn run(&mut self, who: &str, plan: &str, args: Pairs<'_>) -> Carried {
        let id = self.id.clone();
        let args: Vec<_> = [("campaign", id.as_str())].into_iter().chain(args.iter().copied()).collect();
        let carried = self.story.run(who, &format!("{}_{plan}", self.prefix), &args);
        *self.fees.entry(who.to_owned()).or_default() += fee(&carried);
        carried
    }

    /// Pledges through one of the threads.
    #[track_caller]
    pub(super) fn pledge(&mut self, who: &str, thread: usize, units: u64) {
        self.story.name_coins("thread", &[self.threads[thread]]);
        let (amount, lock) = (units.to_string(), format!("@{who}"));
        let carried = self.run(who, "pledge", &[("amount", &amount), ("backer", &lock)]);
        self.threads[thread] = OutPoint { txid: carried.built.tx.txid(), index: 0 };
    }

    #[track_caller]
    pub(super) fn attack(
        &mut self,
        who: &str,
        plan: &str,
        args: Pairs<'_>,
        change: impl FnOnce(&mut Forgery<'_>),
        message: &str,
    ) {
        let id = self.id.clone();
        let args: Vec<_> = [("campaign", id.as_str())].into_iter().chain(args.iter().copied()).collect();
        self.story.attack((who, &[]), &format!("{}_{plan}", self.prefix), &args, change, message);
    }

    #[track_caller]
    pub(super) fn refused(&mut self, who: &str, plan: &str, args: Pairs<'_>, message: &str) {
        let id = self.id.clone();
        let args: Vec<_> = [("campaign", id.as_str())].into_iter().chain(args.iter().copied()).collect();
        self.story.refused(who, &format!("{}_{plan}", self.prefix), &args, message);
    }

    pub(super) fn escrow(&self) -> Utxo {
        self.story.coins_at(&self.escrow_lock).remove(0)
    }

    /// What a judge signs: this escrow, this release, this model.
    pub(super) fn attestation(&self, outpoint: OutPoint, tranche: u8, model: [u8; 32]) -> Vec<u8> {
        let mut message = b"BMIMI\x01".to_vec();
        message.extend(outpoint.txid.as_wire());
        message.extend(outpoint.index.to_le_bytes());
        message.push(tranche);
        message.extend(model);
        message
    }

    pub(super) fn signed(&self, judge: &str, message: &[u8]) -> String {
        format!("datasig(@{judge}, 0x{})", hex::encode(message))
    }

    /// Everybody has what they started with, changed by `gains`, less the fees they paid.
    #[track_caller]
    pub(super) fn balances(&self, gains: &[(&str, i64)]) {
        let starts =
            BTreeMap::from([("alice", 10_000_000), ("bob", 20 * COIN), ("carol", 20 * COIN), ("dave", 20 * COIN)]);
        let expected: Vec<(&str, u64)> = gains
            .iter()
            .map(|(who, gain)| {
                let fees = self.fees.get(*who).copied().unwrap_or(0);
                (*who, starts[who].checked_add_signed(*gain).unwrap() - fees)
            })
            .collect();
        self.story.balances(&expected);
    }
}

/// Eleven coin by bob, eight by carol, six by dave: the goal.
fn raised() -> Campaign {
    let mut campaign = Campaign::new();
    campaign.pledge("bob", 0, 11 * COIN);
    campaign.pledge("carol", 1, 8 * COIN);
    campaign.pledge("dave", 0, 6 * COIN);
    campaign
}

fn collected() -> Campaign {
    let mut campaign = raised();
    campaign.run("bob", "collect", &[]);
    campaign
}

#[test]
fn a_campaign_that_succeeds_pays_the_builder_everything() {
    let mut campaign = Campaign::new();
    pledges_are_checked(&mut campaign);
    campaign.pledge("bob", 0, 11 * COIN);
    campaign.pledge("carol", 1, 8 * COIN);
    campaign.refused("bob", "collect", &[], "the goal of 2_500_000_000 sats is reached");

    // Dave's pledge waits as a coin of its own until somebody gathers it.
    let dave = format!("0x{}", hex::encode(spec::hash::hash160(&campaign.story.key("dave").public())));
    campaign.run("dave", "pledge_free", &[("amount", "6 coin"), ("backer", &dave)]);
    gathering_is_checked(&mut campaign);
    campaign.story.name_coins("thread", &[campaign.threads[1]]);
    let gathered = campaign.run("erin", "gather", &[]);
    campaign.threads[1] = OutPoint { txid: gathered.built.tx.txid(), index: 0 };
    assert_eq!(campaign.story.tokens("dave", campaign.category), 6 * COIN);

    collecting_is_checked(&mut campaign);
    campaign.run("erin", "collect", &[]);
    assert_eq!(campaign.story.held_at(&campaign.thread_lock), 0);
    assert_eq!(campaign.story.held_at(&campaign.escrow_lock), 25 * COIN + 4_000);
    releases_are_checked(&mut campaign);

    // What is left of the campaign is its receipts and its record; the builder has all the money, and what the
    // threads held beside it.
    assert_eq!(campaign.story.held_at(&campaign.escrow_lock), 1_000);
    let record = [&eight(25 * COIN)[..], &eight(0), &eight(25 * COIN), &[2, 0], &MODEL].concat();
    let token = campaign.escrow().output.token.unwrap();
    assert_eq!(token.nft.unwrap().commitment, record);
    campaign.story.mine_to(400);
    campaign.refused("erin", "fail_accept", &[], "this release has not been paid");
    campaign.refused("alice", "abort", &[], "something is left to go back");
    campaign.balances(&[
        ("alice", 25 * 100_000_000 - 1_000),
        ("bob", -11 * 100_000_000),
        ("carol", -8 * 100_000_000),
        // Who gathers his pledge pays for the output of the receipts.
        ("dave", 1_000 - 6 * 100_000_000),
    ]);
    campaign.story.end(scratch());
}

fn pledges_are_checked(campaign: &mut Campaign) {
    let args: Pairs<'_> = &[("amount", "1_100_000_000"), ("backer", "@bob")];
    let first = campaign.threads[0];
    let mut attack = |change: fn(&mut Forgery<'_>), message: &str| {
        campaign.story.name_coins("thread", &[first]);
        campaign.attack("bob", "pledge", args, change, message);
    };
    attack(
        |forgery| {
            token(&mut forgery.tx.outputs[0]).amount -= 1;
            token(&mut forgery.tx.outputs[1]).amount += 1;
        },
        "token amount",
    );
    attack(|forgery| forgery.tx.outputs[0].value = Sats::from_wire(11 * COIN + 1_999), "value");
    attack(
        |forgery| {
            let nft = token(&mut forgery.tx.outputs[0]).nft.as_mut().unwrap();
            nft.commitment = vec![0; 9];
        },
        "state",
    );
    attack(
        |forgery| {
            let nft = token(&mut forgery.tx.outputs[0]).nft.as_mut().unwrap();
            nft.capability = spec::token::Capability::None;
        },
        "token category and capability",
    );
    campaign.story.name_coins("thread", &[first]);
    campaign.refused(
        "bob",
        "pledge",
        &[("amount", "9_999_999"), ("backer", "@bob")],
        "a pledge is at least 10_000_000 sats",
    );
}

fn gathering_is_checked(campaign: &mut Campaign) {
    let thread = campaign.threads[1];
    let args: Pairs<'_> = &[];
    let thief = campaign.story.key("erin").lock();
    campaign.story.name_coins("thread", &[thread]);
    campaign.attack(
        "erin",
        "gather",
        args,
        |forgery| forgery.tx.outputs[1].lock = thief,
        "the receipts go to the backer, by the output beside",
    );
    campaign.story.name_coins("thread", &[thread]);
    campaign.attack(
        "erin",
        "gather",
        args,
        |forgery| token(&mut forgery.tx.outputs[1]).amount -= 1,
        "there is one receipt for each base unit",
    );
    campaign.refused("erin", "expire", &[], "bad-txns-nonfinal");
}

fn collecting_is_checked(campaign: &mut Campaign) {
    let thief = campaign.story.key("erin").lock();
    let mut attack = |change: &dyn Fn(&mut Forgery<'_>), message: &str| {
        campaign.attack("erin", "collect", &[], |forgery| change(forgery), message);
    };
    attack(&|forgery| forgery.tx.outputs[0].value = Sats::from_wire(25 * COIN + 3_999), "the escrow holds everything");
    attack(&|forgery| forgery.tx.outputs[0].lock.clone_from(&thief), "output 0 is the escrow");
    attack(
        &|forgery| {
            let nft = token(&mut forgery.tx.outputs[0]).nft.as_mut().unwrap();
            nft.commitment[24] = 1;
        },
        "the escrow begins with what was raised",
    );
    attack(
        &|forgery| {
            token(&mut forgery.tx.outputs[0]).amount -= 5;
            let category = token(&mut forgery.tx.outputs[0]).category;
            let change = &mut forgery.tx.outputs[1];
            change.token = Some(Token { category, amount: 5, nft: None });
            change.value = Sats::from_wire(change.value.get() - 1_000);
        },
        "change carries no token",
    );
    attack(
        &|forgery| {
            let change = forgery.tx.outputs[1].clone();
            forgery.tx.outputs[1].value = Sats::from_wire(change.value.get() - 2_000);
            forgery.tx.outputs.push(TxOut { value: Sats::from_wire(1_000), ..change });
        },
        "at most one output follows the escrow",
    );
}

fn releases_are_checked(campaign: &mut Campaign) {
    campaign.attack(
        "erin",
        "release_goal",
        &[],
        |forgery| forgery.tx.outputs[1].value = Sats::from_wire(750_000_000 - 1),
        "the builder gets the release",
    );
    campaign.attack(
        "erin",
        "release_goal",
        &[],
        |forgery| forgery.tx.outputs[0].value = Sats::from_wire(forgery.tx.outputs[0].value.get() - 1),
        "value",
    );
    let before = campaign.escrow().outpoint;
    campaign.run("erin", "release_goal", &[]);
    assert_eq!(campaign.story.held_at(&campaign.escrow_lock), 1_750_000_000 + 4_000);
    campaign.refused("erin", "release_goal", &[], "release 1 of 2 is next");

    let escrow = campaign.escrow().outpoint;
    let model = format!("0x{}", hex::encode(MODEL));
    let good = campaign.attestation(escrow, 1, MODEL);
    let by = |judge: &str, message: &[u8], campaign: &Campaign| campaign.signed(judge, message);
    let (erin, frank) = (by("erin", &good, campaign), by("frank", &good, campaign));
    let failing = "2 of 3 judges accept the model";
    let release = |a: &str, b: &str, c: &str| {
        [("model", model.as_str()), ("sig_judge_a", a), ("sig_judge_b", b), ("sig_judge_c", c)]
            .map(|(k, v)| (k, v.to_owned()))
    };
    let mut refuse = |a: &str, b: &str, c: &str| {
        let args = release(a, b, c);
        let args: Vec<_> = args.iter().map(|(name, value)| (*name, value.as_str())).collect();
        campaign.refused("alice", "release_accept", &args, failing);
    };
    // One signature; none.
    refuse(&erin, "0x", "0x");
    refuse("0x", "0x", "0x");
    // A valid signature in a place that is not the judge's, or about something else, fails as a signature.
    let old = campaign.attestation(before, 1, MODEL);
    let other_release = campaign.attestation(escrow, 0, MODEL);
    let other_model = campaign.attestation(escrow, 1, [0; 32]);
    for message in [old, other_release, other_model] {
        let args = release(&erin, &by("frank", &message, campaign), "0x");
        let args: Vec<_> = args.iter().map(|(name, value)| (*name, value.as_str())).collect();
        campaign.refused("alice", "release_accept", &args, "");
    }
    let twice = release(&erin, &erin, "0x");
    let twice: Vec<_> = twice.iter().map(|(name, value)| (*name, value.as_str())).collect();
    campaign.refused("alice", "release_accept", &twice, "");
    let args = release(&erin, &frank, "0x");
    let args: Vec<_> = args.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let thief = campaign.story.key("bob").lock();
    campaign.attack(
        "alice",
        "release_accept",
        &args,
        |forgery| forgery.tx.outputs[1].lock = thief,
        "output 1 pays the builder",
    );
    campaign.attack(
        "alice",
        "release_accept",
        &args,
        |forgery| forgery.tx.outputs[1].value = Sats::from_wire(1_750_000_000 + 2_999),
        "the builder gets everything that is left",
    );
    // The token stays with the record: whoever had it could gather pledges that wait, or refund what nobody pledged.
    let free = campaign.story.key("alice").lock();
    campaign.attack(
        "alice",
        "release_accept",
        &args,
        |forgery| forgery.tx.outputs[0].lock.clone_from(&free),
        "the lock of this one",
    );
    campaign.attack(
        "alice",
        "release_accept",
        &args,
        |forgery| {
            token(&mut forgery.tx.outputs[0]).amount -= 5;
            let category = token(&mut forgery.tx.outputs[0]).category;
            forgery.tx.outputs[1].token = Some(Token { category, amount: 5, nft: None });
            let change = &mut forgery.tx.outputs[2].value;
            *change = Sats::from_wire(change.get() - 1_000);
        },
        "the token amount of this one",
    );
    campaign.run("alice", "release_accept", &args);
}

#[test]
fn a_campaign_that_misses_its_goal_gives_every_unit_back() {
    let mut campaign = Campaign::new();
    campaign.pledge("bob", 0, 11 * COIN);
    campaign.pledge("carol", 1, 14 * COIN);
    let dave = format!("0x{}", hex::encode(spec::hash::hash160(&campaign.story.key("dave").public())));
    for amount in ["1 coin", "2 coin"] {
        campaign.run("dave", "pledge_free", &[("amount", amount), ("backer", &dave)]);
    }
    campaign.run("dave", "cancel", &[("backer", "@dave")]);
    let args: Pairs<'_> = &[("amount", "1_100_000_000"), ("backer", "@bob")];
    campaign.refused("bob", "refund", args, "bad-txns-nonfinal");
    let early = campaign.story.height() - 1;
    campaign.attack("bob", "refund", args, |forgery| forgery.tx.locktime = early, "the deadline has passed");

    campaign.story.mine_to(300);
    let first = campaign.threads[0];
    campaign.story.name_coins("thread", &[first]);
    campaign.attack(
        "bob",
        "refund",
        args,
        |forgery| {
            forgery.tx.outputs[0].value = Sats::from_wire(forgery.tx.outputs[0].value.get() - 1);
            forgery.tx.outputs[1].value = Sats::from_wire(forgery.tx.outputs[1].value.get() + 1);
        },
        "value",
    );
    campaign.story.name_coins("thread", &[first]);
    campaign.attack(
        "bob",
        "refund",
        args,
        |forgery| forgery.set_arg(0, "amount", AbiValue::int(1_100_000_001)),
        "no more is refunded than this thread has raised",
    );
    campaign.story.name_coins("thread", &[first]);
    campaign.run("bob", "refund", args);

    // The goal was reached, yet after one refund nobody can collect; and nobody can pledge to the closed thread.
    campaign.refused("erin", "collect", &[], "no thread has begun to refund");
    campaign.run("carol", "refund", &[("amount", "1_400_000_000"), ("backer", "@carol")]);
    campaign.run("erin", "expire", &[]);
    campaign.balances(&[("alice", -4_000), ("bob", 0), ("carol", 0), ("dave", -1_000)]);
    assert_eq!(campaign.story.held_at(&campaign.thread_lock), 4_000);
    campaign.story.end(scratch());
}

#[test]
fn a_model_that_is_not_accepted_gives_back_what_was_not_released() {
    let mut campaign = collected();
    campaign.run("erin", "release_goal", &[]);
    campaign.refused("erin", "fail_accept", &[], "bad-txns-nonfinal");
    campaign.refused("bob", "redeem", &[("amount", "7_000_000"), ("backer", "@bob")], "the escrow refunds");
    campaign.story.mine_to(400);
    campaign.run("erin", "fail_accept", &[]);
    campaign.refused("erin", "fail_accept", &[], "the escrow does not refund already");
    redeemed(&mut campaign, 1_750_000_000);
    campaign.balances(&[("alice", 750_000_000 - 4_000)]);
    campaign.story.end(scratch());
}

#[test]
fn a_builder_who_gives_up_gives_everything_back() {
    let mut campaign = collected();
    campaign.refused("bob", "abort", &[], "");
    campaign.run("alice", "abort", &[]);
    campaign.refused("erin", "release_goal", &[], "the escrow does not refund");
    redeemed(&mut campaign, 2_500_000_000);
    campaign.balances(&[("alice", -4_000)]);
    campaign.story.end(scratch());
}

/// Everybody redeems in odd pieces: each gets the floor of their part of what is left, the last one the rest.
fn redeemed(campaign: &mut Campaign, whole: u64) {
    let lock = campaign.escrow_lock.clone();
    campaign.attack(
        "carol",
        "redeem",
        &[("amount", "333_333_333"), ("backer", "@carol")],
        |forgery| forgery.tx.outputs[0].value = Sats::from_wire(forgery.tx.outputs[0].value.get() - 1),
        "value",
    );
    let (mut left, mut out) = (whole, 25 * COIN);
    let mut got: BTreeMap<&str, u64> = BTreeMap::new();
    let pieces = [
        ("carol", 333_333_333),
        ("bob", 11 * COIN),
        ("dave", 1_000_001),
        ("carol", 8 * COIN - 333_333_333),
        ("dave", 6 * COIN - 1_000_001),
    ];
    for (who, amount) in pieces {
        let back = u64::try_from(u128::from(left) * u128::from(amount) / u128::from(out)).unwrap();
        let (units, to) = (amount.to_string(), format!("@{who}"));
        campaign.run(who, "redeem", &[("amount", &units), ("backer", &to)]);
        (left, out) = (left - back, out - amount);
        *got.entry(who).or_default() += back;
        assert_eq!(campaign.story.held_at(&lock), left + 4_000);
    }
    assert_eq!((left, out), (0, 0));
    for (who, amount) in [("bob", 11 * COIN), ("carol", 8 * COIN), ("dave", 6 * COIN)] {
        let fair = u64::try_from(u128::from(amount) * u128::from(whole) / u128::from(25 * COIN)).unwrap();
        assert!(got[who].abs_diff(fair) <= 2, "{who} got {}, and {fair} is fair", got[who]);
        let gain = i64::try_from(got[who]).unwrap() - i64::try_from(amount).unwrap();
        campaign.balances(&[(who, gain)]);
    }
}
