//! The smallest campaign that the compiler accepts, played to its ends: every figure that a proof names is the last
//! one that works. The first that does not is in `proofs.rs`.

use spec::Sats;
use spec::hash::sha256;
use tests::Story;
use wallet::{Accounts, Forgery};

use super::imi::{Campaign, MODEL, PEOPLE, Pairs, eight};
use super::scratch;
use crate::machine::{self, CATEGORY, Values, account, bytes, held, out, place, spend, tx};

/// 1,546 sats are the fee of going home and the dust limit; 30 % of 1,920 sats are the dust limit of 576.
const SMALL: &str = "
imi Small {
    builder:  builder_key,
    goal:     1_920 sats,
    deadline: height 300,
    pledge:   at least 1_546 sats,
    deliver:  { weights: Hash256, by: height 301 },
    accept:   2 of [judge_a, judge_b, judge_c],
    release:  { at goal: 30%, at accept: 70% },
    refund:   { no_goal: 100%, not_accepted: 70% },
}
";
const GOAL: u64 = 1_920;

fn small() -> Campaign {
    Campaign::begun(Story::new(&[("small.bmc", SMALL)], PEOPLE), ("Small", "small"), 1)
}

fn less(output: usize) -> impl FnOnce(&mut Forgery<'_>) {
    move |forgery| forgery.tx.outputs[output].value = Sats::from_wire(forgery.tx.outputs[output].value.get() - 1)
}

/// A campaign of one pledge that just reaches the goal, after the first release.
fn released() -> Campaign {
    let mut campaign = small();
    campaign.pledge("bob", 0, GOAL);
    campaign.run("erin", "collect", &[]);
    campaign.attack("erin", "release_goal", &[], less(1), "the builder gets the release");
    campaign.run("erin", "release_goal", &[]);
    campaign.balances(&[("alice", 576 - 2_000), ("bob", -1_920)]);
    campaign
}

#[test]
fn the_smallest_goal_is_reached_by_a_unit_and_paid_to_a_unit() {
    let mut campaign = small();
    campaign.pledge("carol", 0, GOAL - 1);
    campaign.refused("erin", "collect", &[], "the goal of 1_920 sats is reached");
    campaign.story.mine_to(300);
    let early: Pairs<'_> = &[("amount", "1_919"), ("backer", "@carol")];
    campaign.attack("carol", "refund", early, |f| f.tx.locktime = 299, "the deadline has passed");
    campaign.run("carol", "refund", early);
    campaign.balances(&[("alice", -2_000), ("carol", 0)]);
    campaign.story.end(scratch());

    let mut campaign = released();
    let message = campaign.attestation(campaign.escrow().outpoint, 1, MODEL);
    let (erin, frank) = (campaign.signed("erin", &message), campaign.signed("frank", &message));
    let model = format!("0x{}", hex::encode(MODEL));
    let args: Pairs<'_> = &[("model", &model), ("sig_judge_a", &erin), ("sig_judge_b", &frank), ("sig_judge_c", "0x")];
    campaign.attack("erin", "release_accept", args, less(1), "the builder gets everything that is left");
    campaign.run("erin", "release_accept", args);
    // What the thread held beside the pledges comes back but for the record's 1,000.
    campaign.balances(&[("alice", 1_920 - 1_000), ("bob", -1_920)]);
    let escrow = campaign.escrow_lock.clone();
    assert_eq!(campaign.story.held_at(&escrow), 1_000);
    campaign.story.end(scratch());
}

/// The delivery may end one block after the deadline; a block earlier nothing goes back.
#[test]
fn the_earliest_end_of_a_delivery_gives_back_what_was_not_released() {
    let mut campaign = released();
    campaign.story.mine_to(300);
    campaign.refused("erin", "fail_accept", &[], "bad-txns-nonfinal");
    campaign.story.mine_to(301);
    campaign.attack("erin", "fail_accept", &[], |f| f.tx.locktime = 300, "the date has passed");
    campaign.run("erin", "fail_accept", &[]);
    let all: Pairs<'_> = &[("amount", "1_920"), ("backer", "@bob")];
    campaign.attack("bob", "redeem", all, less(0), "the value");
    campaign.run("bob", "redeem", all);
    campaign.balances(&[("alice", 576 - 2_000), ("bob", 1_344 - 1_920)]);
    let escrow = campaign.escrow_lock.clone();
    assert_eq!(campaign.story.held_at(&escrow), 2_000);
    campaign.story.end(scratch());
}

/// The smallest pledge goes home with as much as an output may hold; the one that is a unit smaller is no pledge.
#[test]
fn the_smallest_pledge_goes_home_on_each_way() {
    let mut campaign = small();
    let pledge = |amount| [("amount", amount), ("backer", "@bob")];
    campaign.refused("bob", "pledge", &pledge("1_545"), "a pledge is at least 1_546 sats");
    campaign.pledge("bob", 0, 1_546);
    let carol = format!("0x{}", hex::encode(spec::hash::hash160(&campaign.story.key("carol").public())));
    for _ in 0..2 {
        campaign.run("carol", "pledge_free", &[("amount", "1_546 sats"), ("backer", &carol)]);
    }
    campaign.run("carol", "cancel", &[("backer", "@carol")]);
    campaign.balances(&[("carol", -1_546)]);
    campaign.story.mine_to(300);
    // A unit less breaks the contract's rule, and would be no output that nodes pass on either.
    campaign.attack("erin", "expire", &[], less(0), "dust");
    campaign.run("erin", "expire", &[]);
    campaign.balances(&[("carol", 546 - 1_546)]);
    campaign.run("bob", "refund", &pledge("1_546"));
    campaign.balances(&[("alice", -2_000), ("bob", 0)]);
    campaign.story.end(scratch());
}

/// What the bound prevents: a pledge that is all fee. Whoever sends it home owes its backer nothing.
#[test]
fn a_smaller_pledge_could_be_sent_home_for_nothing() {
    let artifacts = machine::compiled(SMALL);
    let backer = spec::hash::hash160(b"somebody");
    let pledge = place(&artifacts, "SmallPledge", vec![("backer", bytes(backer)), ("campaign", bytes(CATEGORY))]);
    let home = |sats: u64, comes: u64| {
        let outputs = vec![out(&spec::script::p2pkh(&backer), comes, None), out(&account(9), sats - comes, None)];
        tx(vec![spend(&pledge, "expire", vec![], pledge.out(sats, None))], outputs).at(300)
    };
    home(1_546, 546).accepted();
    home(1_546, 545).refused("the fee is at most 1_000 sats");
    home(1_000, 0).accepted();
    // No pledge of the campaign is gathered that is so small.
    let gather = |sats: u64| {
        let thread = out(&account(3), 2_000, held(&[0; 9], 10_000));
        let next = out(&account(3), 2_000 + sats, held(&[0; 9], 10_000 - sats));
        let receipts = out(&spec::script::p2pkh(&backer), 1_000, machine::fungible(sats));
        let inputs = vec![machine::other(thread), spend(&pledge, "gather", vec![], pledge.out(sats, None))];
        tx(inputs, vec![next, receipts])
    };
    gather(1_546).accepted();
    gather(1_545).refused("a pledge is at least 1_546 sats");
}

const LONG: &str = "
imi Long {
    builder:  builder_key,
    goal:     9_216 sats,
    deadline: height 300,
    pledge:   at least 1_546 sats,
    deliver:  { weights: Hash256, by: height 400 },
    accept:   1 of [judge],
    release:  { RELEASES at accept: 1/16 },
}
";
/// A prime, so that no share of it is whole.
const RAISED: u64 = 9_973;

/// As many releases as there may be, of shares that are just worth an output: together they are what was raised.
#[test]
fn sixteen_releases_pay_what_was_raised_to_the_unit() {
    let releases: String = (1..16).map(|at| format!("at m{at}: 1/16, ")).collect();
    let text = LONG.replace("RELEASES", &releases);
    let trust: Pairs<'_> = &[("builder_key", "@alice"), ("judge", "@erin")];
    let mut campaign = Campaign::of(Story::new(&[("long.bmc", &text)], PEOPLE), ("Long", "long"), trust, 1);
    campaign.pledge("bob", 0, RAISED);
    campaign.run("dave", "collect", &[]);
    let upto = |count: u64| (RAISED * count + 8) / 16;
    for at in 0..16u8 {
        let paid = i64::try_from(upto(at.into())).unwrap();
        campaign.balances(&[("alice", paid - 2_000)]);
        let model = [at; 32];
        let message = campaign.attestation(campaign.escrow().outpoint, at, model);
        let (sig, model) = (campaign.signed("erin", &message), format!("0x{}", hex::encode(model)));
        let args: Pairs<'_> = &[("model", &model), ("sig_judge", &sig)];
        let plan = if at == 15 { "release_accept".to_owned() } else { format!("release_m{}", at + 1) };
        campaign.attack("dave", &plan, args, less(1), "the builder gets");
        campaign.run("dave", &plan, args);
    }
    campaign.balances(&[("alice", i64::try_from(RAISED).unwrap() - 1_000), ("bob", -i64::try_from(RAISED).unwrap())]);
    let record = [&eight(RAISED)[..], &eight(0), &eight(RAISED), &[16, 0], &[15; 32]].concat();
    assert_eq!(campaign.escrow().output.token.unwrap().nft.unwrap().commitment, record);
    campaign.story.end(scratch());
}

/// As many judges as there may be, all of whom have to sign: the largest release fits a standard input.
#[test]
fn fifty_judges_sign_one_release() {
    const JUDGES: u32 = 50;
    let names: Vec<&'static str> = (0..JUDGES).map(|at| &*format!("judge_{at}").leak()).collect();
    let sigs: Vec<&'static str> = (0..JUDGES).map(|at| &*format!("sig_judge_{at}").leak()).collect();
    for needed in [26, JUDGES] {
        let accept = format!("accept:   {needed} of [{}]", names.join(", "));
        let text = SMALL.replace("accept:   2 of [judge_a, judge_b, judge_c]", &accept);
        let artifacts = machine::compiled(&text);
        let key = |at: u32| Accounts::devnet().key(at);
        let mut params: Values = vec![("builder_key", bytes(key(0).public()))];
        params.extend(names.iter().zip(1..).map(|(name, at)| (*name, bytes(key(at).public()))));
        let escrow = place(&artifacts, "SmallEscrow", params);
        let state = |left: u64, tranche: u8, model: [u8; 32]| {
            held(&[&eight(GOAL)[..], &eight(left), &eight(GOAL), &[tranche, 0], &model].concat(), 5)
        };
        let message = |model: [u8; 32]| [b"BMIMI\x01", &CATEGORY[..], &[0; 4], &[1], &model].concat();
        let go = |who: &dyn Fn(u32) -> Option<u32>, signed: [u8; 32]| {
            let sign = |at: u32| who(at).map_or(Vec::new(), |by| key(by + 1).sign(&sha256(&message(signed))).to_vec());
            let mut args: Values = vec![("model", bytes(MODEL))];
            args.extend(sigs.iter().zip(0..).map(|(name, at)| (*name, bytes(sign(at)))));
            let padded = escrow.artifact.path("release_accept").unwrap().args.iter().any(|slot| slot.name == "padding");
            args.extend(padded.then(|| ("padding", bytes(vec![0; 500]))));
            let coin = escrow.out(GOAL - 576 + 2_000, state(GOAL - 576, 1, [0; 32]));
            let outputs = vec![escrow.out(1_000, state(0, 2, MODEL)), out(&account(0), GOAL - 576 + 1_000, None)];
            tx(vec![spend(&escrow, "release_accept", args, coin)], outputs)
        };
        go(&|at| (at < needed).then_some(at), MODEL).accepted();
        go(&|at| (at + needed >= JUDGES).then_some(at), MODEL).accepted();
        let message = format!("{needed} of 50 judges accept the model");
        go(&|at| (at + 1 < needed).then_some(at), MODEL).refused(&message);
        go(&|_| None, MODEL).refused(&message);
        // One who signs for another, and signatures of something else: a signature that is not valid fails the spend.
        go(&|at| (at < needed).then_some(at.max(1)), MODEL).judge().unwrap_err();
        go(&|at| (at < needed).then_some(at), [9; 32]).judge().unwrap_err();
    }
}
