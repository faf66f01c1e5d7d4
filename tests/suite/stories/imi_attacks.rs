//! Attacks on campaigns that build transactions of their own: each is refused by the node and by the other machine.

use std::collections::BTreeMap;

use spec::artifact::AbiValue;
use spec::token::Capability;
use spec::{OutPoint, Sats};
use tests::Story;
use wallet::Forgery;

use super::imi::{COIN, Campaign, MODEL, PEOPLE, Pairs, TRUST, eight, token};
use super::scratch;

/// How an attacker changes a transaction.
type Change<'a> = &'a dyn Fn(&mut Forgery<'_>);

/// Transactions that no honest plan builds.
const PLANS: &str = r"
/// Two waiting pledges for one payment: the thread takes one of them, receipts of the thief stand for the other.
plan tiny_coder_alias(campaign: Category, thief: PubKey, amount: Tokens) {
    input thread: TinyCoderThread.pledge(amount: amount) any where thread.token.category == campaign + 0x01;
    input waiting: TinyCoderPledge.gather() each where waiting.params.campaign == campaign;
    input mine: key(thief) with { token: { category: campaign, amount: amount } };
    let coins = int(amount) * 1 sats;
    output thread.lock {
        value: thread.value + coins,
        token: thread.token with { amount: thread.token.amount - amount, state: { raised: thread.state.raised + coins } },
    };
    output each pledge in waiting {
        lock: p2pkh(pledge.params.backer),
        value: 1_000 sats,
        token: { category: campaign, amount: tokens(int(pledge.value)) },
    };
    output p2pkh(hash160(thief)) { value: coins };
}

/// The escrow stands where a thread should.
plan tiny_coder_by_escrow(campaign: Category, thief: PubKey, amount: Tokens) {
    input escrow: TinyCoderEscrow.show() any where escrow.token.category == campaign + 0x01;
    input waiting: TinyCoderPledge.gather() any where waiting.params.campaign == campaign;
    input mine: key(thief) with { token: { category: campaign, amount: amount } };
    output escrow.lock { value: escrow.value, token: escrow.token };
    output p2pkh(waiting.params.backer) { value: 1_000 sats, token: { category: campaign, amount: amount } };
    output p2pkh(hash160(thief)) { value: waiting.value };
}

/// The thief's own coin stands where a thread should.
plan tiny_coder_by_coin(campaign: Category, thief: PubKey, amount: Tokens) {
    input mine: key(thief) with { token: { category: campaign, amount: amount } };
    input waiting: TinyCoderPledge.gather() any where waiting.params.campaign == campaign;
    output p2pkh(hash160(thief)) { value: waiting.value };
    output p2pkh(waiting.params.backer) { value: 1_000 sats, token: { category: campaign, amount: amount } };
}

/// A thread of another campaign takes the pledge.
plan tiny_coder_by_other(campaign: Category, other: Category) {
    input thread: TinyCoderThread.pledge(amount: tokens(int(waiting.value))) any where thread.token.category == other + 0x01;
    input waiting: TinyCoderPledge.gather() any where waiting.params.campaign == campaign;
    let amount = tokens(int(waiting.value));
    output thread.lock {
        value: thread.value + waiting.value,
        token: thread.token with {
            amount: thread.token.amount - amount, state: { raised: thread.state.raised + waiting.value },
        },
    };
    output p2pkh(waiting.params.backer) { value: 1_000 sats, token: { category: other, amount: amount } };
}

/// Gathers whatever waits, however small.
plan tiny_coder_gather_all(campaign: Category) {
    input thread: TinyCoderThread.pledge(amount: tokens(int(waiting.value))) any where thread.token.category == campaign + 0x01;
    input waiting: TinyCoderPledge.gather() each where waiting.params.campaign == campaign;
    output thread.lock {
        value: thread.value + waiting.value,
        token: thread.token with {
            amount: thread.token.amount - tokens(int(waiting.value)), state: { raised: thread.state.raised + waiting.value },
        },
    };
    output each pledge in waiting {
        lock: p2pkh(pledge.params.backer),
        value: 1_000 sats,
        token: { category: campaign, amount: tokens(int(pledge.value)) },
    };
}

/// One output for two pledges that go home.
plan tiny_coder_expire_two(campaign: Category) {
    input waiting: TinyCoderPledge.expire() each where waiting.params.campaign == campaign;
    output p2pkh(waiting.params.backer) { value: waiting.value - 2_000 sats };
}

/// One judge in two places.
plan tiny_coder_genesis_alike(builder_key: PubKey, judge: PubKey, other: PubKey) {
    input first: genesis;
    output TinyCoderThread(builder_key, judge, judge, other).lock {
        value: 2_000 sats,
        token: { category: first.txid, capability: mutable, amount: 2_100_000_000_000_000, state: { raised: 0 sats, closed: false } },
    };
    output TinyCoderThread(builder_key, judge, judge, other).lock {
        value: 2_000 sats,
        token: { category: first.txid, capability: mutable, amount: 2_100_000_000_000_000, state: { raised: 0 sats, closed: false } },
    };
}

/// Makes tokens that look like receipts.
plan tiny_coder_fake(thief: PubKey) {
    input first: genesis;
    output p2pkh(hash160(thief)) { value: 1_000 sats, token: { category: first.txid, amount: 2_100_000_000_000_000 } };
}

/// A refund for them.
plan tiny_coder_fake_refund(campaign: Category, fake: Category, thief: PubKey, amount: Tokens) {
    input thread: TinyCoderThread.refund(amount: amount) any where thread.token.category == campaign + 0x01;
    input mine: key(thief) with { token: { category: fake, amount: amount } };
    burn mine;
    let coins = int(amount) * 1 sats;
    output thread.lock {
        value: thread.value - coins,
        token: thread.token with { state: { raised: thread.state.raised - coins, closed: true } },
    };
    output p2pkh(hash160(thief)) { value: coins };
}

/// Their part of what is left.
plan tiny_coder_fake_redeem(campaign: Category, fake: Category, thief: PubKey, amount: Tokens) {
    input escrow: TinyCoderEscrow.redeem(amount: amount) any where escrow.token.category == campaign + 0x01;
    input mine: key(thief) with { token: { category: fake, amount: amount } };
    burn mine;
    let back = escrow.state.left * int(amount) / int(escrow.state.outstanding);
    output escrow.lock {
        value: escrow.value - back,
        token: escrow.token with {
            state: { left: escrow.state.left - back, outstanding: escrow.state.outstanding - int(amount) * 1 sats },
        },
    };
    output p2pkh(hash160(thief)) { value: back };
}
";

impl Campaign {
    fn waiting(&mut self, who: &str, units: u64) -> OutPoint {
        let backer = format!("0x{}", hex::encode(spec::hash::hash160(&self.story.key(who).public())));
        let carried = self.run(who, "pledge_free", &[("amount", &format!("{units} sats")), ("backer", &backer)]);
        OutPoint { txid: carried.built.tx.txid(), index: 0 }
    }

    /// Every field of a coin that goes on as output 0 is checked: its lock, token, value, amount and state.
    #[track_caller]
    fn goes_on(&mut self, who: &str, plan: &str, args: Pairs<'_>, coin: Option<(&str, OutPoint)>) {
        let thief = self.story.key("erin").lock();
        let changes: [(Change<'_>, &str); 6] = [
            (&|f| f.tx.outputs[0].lock.clone_from(&thief), "the lock of this one"),
            (&|f| nft_of(f).capability = Capability::None, "token category and capability"),
            (&|f| nft_of(f).commitment[0] ^= 1, "the next state"),
            (&|f| nft_of(f).commitment.truncate(8), "the next state"),
            (&|f| token(&mut f.tx.outputs[0]).amount -= 1, "the token amount"),
            (&|f| f.tx.outputs[0].value = Sats::from_wire(f.tx.outputs[0].value.get() - 1), "the value"),
        ];
        for (change, message) in changes {
            if let Some((name, coin)) = coin {
                self.story.name_coins(name, &[coin]);
            }
            self.attack(who, plan, args, |forgery| change(forgery), message);
        }
    }
}

fn nft_of<'f>(forgery: &'f mut Forgery<'_>) -> &'f mut spec::token::Nft {
    token(&mut forgery.tx.outputs[0]).nft.as_mut().unwrap()
}

#[test]
fn waiting_pledges_are_gathered_by_a_thread_that_takes_every_unit_of_them() {
    let mut campaign = Campaign::with(PLANS);
    let amount = 2 * COIN;
    campaign.pledge("bob", 0, amount);
    let [first, second] = [("carol", amount), ("dave", amount)].map(|(who, units)| campaign.waiting(who, units));
    let thread = campaign.threads[1];
    let args: Pairs<'_> = &[("thief", "@bob"), ("amount", "200_000_000")];
    campaign.story.name_coins("thread", &[thread]);
    campaign.attack("bob", "alias", args, |_| (), "no other input carries a token");
    // One output for both: the second pledge finds no receipts beside it.
    let mut attack = |change: &dyn Fn(&mut Forgery<'_>), message: &str| {
        campaign.story.name_coins("thread", &[thread]);
        campaign.attack("erin", "gather", &[], |forgery| change(forgery), message);
    };
    attack(
        &|f| {
            token(&mut f.tx.outputs[1]).amount += amount;
            f.tx.outputs[2].token = None;
        },
        "the receipts are the campaign's",
    );
    attack(
        &|f| {
            token(&mut f.tx.outputs[1]).amount += 1;
            token(&mut f.tx.outputs[2]).amount -= 1;
        },
        "there is one receipt for each base unit",
    );
    attack(&|f| f.tx.outputs.swap(1, 2), "the receipts go to the backer");
    attack(&|f| f.set_arg(0, "amount", AbiValue::int(i64::try_from(amount).unwrap())), "the value that is given");
    campaign.attack("bob", "by_coin", args, |_| (), "input 0 is a coin of the campaign");

    // One of them is gathered while the other waits; its backer can still take it back.
    campaign.story.name_coins("thread", &[thread]);
    campaign.story.name_coins("waiting", &[first]);
    let gathered = campaign.run("erin", "gather", &[]);
    campaign.threads[1] = OutPoint { txid: gathered.built.tx.txid(), index: 0 };
    assert_eq!(campaign.story.tokens("carol", campaign.category), amount);
    assert_eq!(campaign.story.tokens("dave", campaign.category), 0);
    let other = campaign.story.key("erin").public();
    campaign.attack(
        "dave",
        "cancel",
        &[("backer", "@dave")],
        |forgery| forgery.set_arg(0, "key", AbiValue::Item(other.to_vec())),
        "the key is the backer's",
    );
    campaign.attack(
        "dave",
        "cancel",
        &[("backer", "@dave")],
        |forgery| forgery.set_arg(0, "sig", AbiValue::Item(Vec::new())),
        "the backer signs",
    );
    campaign.story.name_coins("waiting", &[second]);
    campaign.run("dave", "cancel", &[("backer", "@dave")]);

    // What is below the smallest pledge cannot hide among others.
    campaign.waiting("carol", 6_000_000);
    campaign.waiting("dave", 6_000_000);
    campaign.attack("erin", "gather_all", &[], |_| (), "a pledge is at least 10_000_000 sats");

    // After the deadline each goes home alone, for the fee that is written.
    campaign.story.mine_to(300);
    campaign.attack("erin", "expire_two", &[], |_| (), "one pledge is sent home at a time");
    let thief = campaign.story.key("erin").lock();
    let mut attack = |change: &dyn Fn(&mut Forgery<'_>), message: &str| {
        campaign.attack("erin", "expire", &[], |forgery| change(forgery), message);
    };
    attack(&|f| f.tx.outputs[0].lock.clone_from(&thief), "output 0 goes to the backer");
    attack(
        &|f| f.tx.outputs[0].value = Sats::from_wire(f.tx.outputs[0].value.get() - 1),
        "the fee is at most 1_000 sats",
    );
    attack(&|f| f.tx.locktime = 299, "the deadline has passed");
    attack(&|f| f.tx.inputs.iter_mut().for_each(|input| input.sequence = u32::MAX), "the deadline has passed");
    campaign.run("erin", "expire", &[]);
    campaign.run("erin", "expire", &[]);
    // Of a pledge that goes home 1,000 sats are the fee. Erin paid for the output of carol's receipts.
    campaign.balances(&[("bob", -200_000_000), ("carol", -200_000_000 + 1_000 - 1_000), ("dave", -1_000)]);
    campaign.story.end(scratch());
}

#[test]
fn every_field_of_the_threads_and_of_the_escrow_is_carried_on() {
    let mut campaign = Campaign::with(PLANS);
    let first = ("thread", campaign.threads[0]);
    campaign.goes_on("bob", "pledge", &[("amount", "100_000_000"), ("backer", "@bob")], Some(first));
    for (who, thread, units) in [("bob", 0, 11 * COIN), ("carol", 1, 8 * COIN), ("dave", 0, 6 * COIN)] {
        campaign.pledge(who, thread, units);
    }
    let late = campaign.waiting("dave", COIN);
    campaign.run("erin", "collect", &[]);
    // A pledge that waits is not lost to the escrow, nor to a thread of another campaign.
    let args: Pairs<'_> = &[("thief", "@bob"), ("amount", "100_000_000")];
    campaign.attack("bob", "by_escrow", args, |_| (), "input 0 is a thread");
    campaign.goes_on("erin", "release_goal", &[], None);
    campaign.run("erin", "release_goal", &[]);
    let (old, old_escrow, model) = (campaign.id.clone(), campaign.escrow().outpoint, AbiValue::Item(vec![7; 32]));
    replays_are_refused(&mut campaign, old_escrow, &model);
    campaign.goes_on("alice", "abort", &[], None);
    campaign.story.mine_to(400);
    campaign.goes_on("erin", "fail_accept", &[], None);
    campaign.attack("erin", "fail_accept", &[], |f| f.tx.locktime = 399, "the date has passed");
    campaign.run("erin", "fail_accept", &[]);
    campaign.goes_on("bob", "redeem", &[("amount", "7_000_000"), ("backer", "@bob")], None);

    let made = campaign.story.run("erin", "tiny_coder_fake", &[("thief", "@erin")]);
    let fake = format!("0x{}", hex::encode(made.built.tx.inputs[0].prevout.txid.as_wire()));
    let args: Pairs<'_> = &[("fake", &fake), ("thief", "@erin"), ("amount", "600_000_000")];
    campaign.attack("erin", "fake_redeem", args, |_| (), "the token amount that is given");
    let more = |f: &mut Forgery<'_>| token(&mut f.tx.outputs[0]).amount += 600_000_000;
    campaign.attack("erin", "fake_redeem", args, more, "token");

    let (category, lock) = (campaign.category, campaign.escrow_lock.clone());
    campaign.restart("genesis", TRUST, 2);
    campaign.story.name_coins("waiting", &[late]);
    let other = campaign.id.clone();
    campaign.story.attack(
        ("erin", &[]),
        "tiny_coder_by_other",
        &[("campaign", &old), ("other", &other)],
        |_| (),
        "input 0 is a coin of the campaign",
    );
    assert_eq!(campaign.story.tokens("bob", category), 11 * COIN);
    assert_eq!(campaign.story.held_at(&lock), 1_750_000_000 + 4_000);
    campaign.story.end(scratch());
}

/// What judges signed for this escrow is good for no other, nor for another model.
fn replays_are_refused(campaign: &mut Campaign, escrow: OutPoint, model: &AbiValue) {
    let hash = format!("0x{}", hex::encode(MODEL));
    let good = campaign.attestation(escrow, 1, MODEL);
    let by = |campaign: &Campaign, judge: &str, message: &[u8]| campaign.signed(judge, message);
    let mut elsewhere = good.clone();
    elsewhere[3] = b'O';
    let mut index = good.clone();
    index[38] = 1;
    let (erin, frank) = (by(campaign, "erin", &good), by(campaign, "frank", &good));
    let release = |a: &str, b: &str, c: &str| {
        [("model", hash.clone())]
            .into_iter()
            .chain([("sig_judge_a", a.to_owned()), ("sig_judge_b", b.to_owned()), ("sig_judge_c", c.to_owned())])
            .collect::<Vec<_>>()
    };
    // A signature that is not empty and not valid fails the whole spend, even beside enough valid ones.
    for wrong in [elsewhere, index, good[..70].to_vec()] {
        let args = release(&erin, &frank, &by(campaign, "grace", &wrong));
        let args: Vec<_> = args.iter().map(|(name, value)| (*name, value.as_str())).collect();
        campaign.attack("alice", "release_accept", &args, |_| (), "signature");
    }
    // The model is swapped after the judges signed: as an argument, and in the record that stays.
    let args = release(&erin, &frank, "0x");
    let args: Vec<_> = args.iter().map(|(name, value)| (*name, value.as_str())).collect();
    campaign.attack("alice", "release_accept", &args, |f| f.set_arg(0, "model", model.clone()), "signature");
    campaign.attack("alice", "release_accept", &args, |f| nft_of(f).commitment[40] ^= 1, "the next state");
    let short = AbiValue::Item(MODEL[..31].to_vec());
    campaign.attack("alice", "release_accept", &args, |f| f.set_arg(0, "model", short.clone()), "");
    campaign.goes_on("alice", "release_accept", &args, None);
}

#[test]
fn an_attestation_of_one_campaign_pays_no_other() {
    let mut campaign = Campaign::with(PLANS);
    let collect = |campaign: &mut Campaign, coins: [u64; 3]| {
        for (who, thread, coins) in [("bob", 0, coins[0]), ("carol", 1, coins[1]), ("dave", 0, coins[2])] {
            campaign.pledge(who, thread, coins * COIN);
        }
        campaign.run("erin", "collect", &[]);
        campaign.run("erin", "release_goal", &[]);
    };
    collect(&mut campaign, [11, 8, 6]);
    let message = campaign.attestation(campaign.escrow().outpoint, 1, MODEL);
    campaign.restart("genesis", TRUST, 2);
    collect(&mut campaign, [8, 10, 7]);
    let (erin, frank) = (campaign.signed("erin", &message), campaign.signed("frank", &message));
    let model = format!("0x{}", hex::encode(MODEL));
    let args: Pairs<'_> = &[("model", &model), ("sig_judge_a", &erin), ("sig_judge_b", &frank), ("sig_judge_c", "0x")];
    campaign.attack("alice", "release_accept", args, |_| (), "signature");
    campaign.story.end(scratch());
}

#[test]
fn no_escrow_opens_in_which_one_judge_counts_twice() {
    let mut campaign = Campaign::with(PLANS);
    let twice: Pairs<'_> =
        &[("builder_key", "@alice"), ("judge_a", "@erin"), ("judge_b", "@erin"), ("judge_c", "@grace")];
    campaign.story.refused("alice", "tiny_coder_genesis", twice, "`judge_a` and `judge_b` are different keys");
    let alike: Pairs<'_> = &[("builder_key", "@alice"), ("judge", "@erin"), ("other", "@grace")];
    campaign.restart("genesis_alike", alike, 2);
    campaign.pledge("bob", 0, 11 * COIN);
    campaign.pledge("carol", 1, 14 * COIN);
    campaign.attack("erin", "collect", &[], |_| (), "`judge_a` and `judge_b` are different keys");
    // Nobody lost anything: after the deadline every unit goes back. No tokens but the receipts are taken.
    let made = campaign.story.run("dave", "tiny_coder_fake", &[("thief", "@dave")]);
    let fake = format!("0x{}", hex::encode(made.built.tx.inputs[0].prevout.txid.as_wire()));
    campaign.story.mine_to(300);
    let args: Pairs<'_> = &[("fake", &fake), ("thief", "@dave"), ("amount", "600_000_000")];
    campaign.attack("dave", "fake_refund", args, |_| (), "the token amount that is given");
    let more = |f: &mut Forgery<'_>| token(&mut f.tx.outputs[0]).amount += 600_000_000;
    campaign.attack("dave", "fake_refund", args, more, "token");
    let first = ("thread", campaign.threads[0]);
    let refund: Pairs<'_> = &[("amount", "1_100_000_000"), ("backer", "@bob")];
    campaign.goes_on("bob", "refund", refund, Some(first));
    campaign.story.name_coins("thread", &[first.1]);
    let refunded = campaign.run("bob", "refund", refund);
    let closed = OutPoint { txid: refunded.built.tx.txid(), index: 0 };
    // A thread that has begun to refund takes no more pledges.
    campaign.story.name_coins("thread", &[closed]);
    campaign.refused("bob", "pledge", &[("amount", "100_000_000"), ("backer", "@bob")], "");
    campaign.run("carol", "refund", &[("amount", "1_400_000_000"), ("backer", "@carol")]);
    campaign.refused("erin", "collect", &[], "");
    campaign.balances(&[("bob", 0), ("carol", 0)]);
    campaign.story.end(scratch());
}

const STAGED: &str = r"
/// Four releases, of shares that never divide what is raised.
imi Staged {
    builder:  builder_key,
    goal:     1 coin,
    deadline: height 300,
    pledge:   at least 0.1 coin,
    deliver:  { weights: Hash256, by: height 500 },
    accept:   2 of [judge_a, judge_b, judge_c],
    release:  { at goal: 1/7, at alpha: 2/7 by height 350, at beta: 1/7 by height 400, at accept: 3/7 },
    refund:   { no_goal: 100%, not_alpha: 6/7, not_beta: 4/7, not_accepted: 3/7 },
}
";
const PLEDGED: [(&str, u64); 2] = [("bob", 70_000_003), ("carol", 41_000_008)];
const RAISED: u64 = PLEDGED[0].1 + PLEDGED[1].1;

/// What has been paid after so many releases: the nearest unit to each cumulative share, at last everything.
fn paid_after(releases: usize) -> u64 {
    let sevenths = [0, 1, 3, 4, 7][releases];
    (RAISED * sevenths * 2 + 7) / 14
}

/// A campaign of four releases, of which the first `releases` have been paid.
fn staged(releases: usize) -> Campaign {
    let mut campaign = Campaign::begun(Story::new(&[("staged.bmc", STAGED)], PEOPLE), ("Staged", "staged"), 1);
    for (who, units) in PLEDGED {
        campaign.pledge(who, 0, units);
    }
    campaign.run("erin", "collect", &[]);
    let mut before = Vec::new();
    for (number, name) in ["goal", "alpha", "beta", "accept"].into_iter().enumerate().take(releases) {
        let escrow = campaign.escrow().outpoint;
        if number == 0 {
            campaign.run("erin", "release_goal", &[]);
            continue;
        }
        // Each release has a model of its own, which stays in the record.
        let model = [u8::try_from(number).unwrap(); 32];
        let message = campaign.attestation(escrow, u8::try_from(number).unwrap(), model);
        let model = format!("0x{}", hex::encode(model));
        let signed = |message: &[u8]| {
            let (a, c) = (campaign.signed("erin", message), campaign.signed("grace", message));
            [("model", model.clone()), ("sig_judge_a", a), ("sig_judge_b", "0x".into()), ("sig_judge_c", c)]
        };
        let plan = format!("release_{name}");
        let good = signed(&message);
        let args: Vec<_> = good.iter().map(|(name, value)| (*name, value.as_str())).collect();
        if !before.is_empty() {
            let old = signed(&before);
            let old: Vec<_> = old.iter().map(|(name, value)| (*name, value.as_str())).collect();
            campaign.attack("erin", &plan, &old, |_| (), "signature");
            let skipped = ["release_accept", "release_alpha"][usize::from(name == "accept")];
            campaign.attack("erin", skipped, &args, |_| (), "of 4 is next");
        }
        if number < 3 {
            let less = |f: &mut Forgery<'_>| f.tx.outputs[1].value = Sats::from_wire(f.tx.outputs[1].value.get() - 1);
            campaign.attack("erin", &plan, &args, less, "the builder gets the release");
        }
        campaign.run("erin", &plan, &args);
        before = message;
    }
    campaign
}

/// Bob and carol redeem in pieces; each gets the part of what is left, and nothing stays behind.
fn redeemed(campaign: &mut Campaign, releases: usize) {
    let whole = RAISED - paid_after(releases);
    let (mut left, mut out) = (whole, RAISED);
    let mut got: BTreeMap<&str, u64> = BTreeMap::new();
    for (who, amount) in [("carol", 1), ("bob", 70_000_003), ("carol", 41_000_007)] {
        let back = u64::try_from(u128::from(left) * u128::from(amount) / u128::from(out)).unwrap();
        let (units, to) = (amount.to_string(), format!("@{who}"));
        if back < 1_000 {
            // Too little for an output of its own.
            continue;
        }
        campaign.run(who, "redeem", &[("amount", &units), ("backer", &to)]);
        (left, out) = (left - back, out - amount);
        *got.entry(who).or_default() += back;
    }
    let last = out;
    assert_eq!(last, 1);
    for (who, amount) in PLEDGED {
        let fair = u64::try_from(u128::from(amount) * u128::from(whole) / u128::from(RAISED)).unwrap();
        assert!(got[who].abs_diff(fair) <= 2, "{who} got {}, and {fair} is fair", got[who]);
        let gain = i64::try_from(got[who]).unwrap() - i64::try_from(amount).unwrap();
        campaign.balances(&[(who, gain)]);
    }
    let paid = i64::try_from(paid_after(releases)).unwrap();
    campaign.balances(&[("alice", paid - 2_000)]);
    let escrow = campaign.escrow_lock.clone();
    assert_eq!(campaign.story.held_at(&escrow), left + 2_000);
}

#[test]
fn every_release_pays_its_share_and_each_date_gives_the_rest_back() {
    for (releases, plan, height) in
        [(0, "fail_alpha", 350), (1, "fail_alpha", 350), (2, "fail_beta", 400), (3, "fail_accept", 500)]
    {
        let mut campaign = staged(releases);
        let escrow = campaign.escrow_lock.clone();
        assert_eq!(campaign.story.held_at(&escrow), RAISED - paid_after(releases) + 2_000);
        if releases == 2 {
            // The date of a release that was paid does no harm.
            campaign.story.mine_to(350);
            campaign.refused("erin", "fail_alpha", &[], "this release has not been paid");
        }
        campaign.story.mine_to(height);
        campaign.run("erin", plan, &[]);
        redeemed(&mut campaign, releases);
        campaign.story.end(scratch());
    }
}

#[test]
fn the_builder_gives_up_between_releases() {
    let mut campaign = staged(2);
    campaign.run("alice", "abort", &[]);
    redeemed(&mut campaign, 2);
    campaign.story.end(scratch());
}

#[test]
fn the_record_of_four_releases_stays() {
    let campaign = staged(4);
    let record = [&eight(RAISED)[..], &eight(0), &eight(RAISED), &[4, 0], &[3; 32]].concat();
    assert_eq!(campaign.escrow().output.token.unwrap().nft.unwrap().commitment, record);
    let raised = i64::try_from(RAISED).unwrap();
    campaign.balances(&[
        ("alice", raised - 1_000),
        ("bob", -i64::try_from(PLEDGED[0].1).unwrap()),
        ("carol", -i64::try_from(PLEDGED[1].1).unwrap()),
    ]);
    campaign.story.end(scratch());
}
