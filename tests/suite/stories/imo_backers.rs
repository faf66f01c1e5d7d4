//! The token of a model whose campaign succeeded: its backers claim their part, and nobody has to be believed.

use spec::hash::sha256;
use spec::token::{Capability, Nft, Token};
use spec::{Category, OutPoint, Sats, TxOut};
use wallet::Forgery;

use super::imi::{COIN, Campaign, MODEL, Pairs, token};
use super::scratch;

const OFFER: &str = r#"
/// The token of the model: two fifths for those who paid for it.
imo Shares for TinyCoder {
    criteria: 1 of [judge] over "the model runs",
    supply: 10_000,
    allocate: {
        backers: 40% pro rata TinyCoder.receipts,
        upstream: 10%,
        reserve: rest,
    },
    revenue: 10% of Royalty to holders,
}

/// What the users of the model pay.
reward Royalty {
    holders: 10%,
    builder: rest,
    minimum: 20_000 sats,
    fee: up to 1_000 sats,
}

/// Makes tokens that look like those of the model.
plan shares_fake(thief: PubKey) {
    input first: genesis;
    output p2pkh(hash160(thief)) { value: 1_000 sats, token: { category: first.txid, amount: 10_000 } };
}

/// Their part of the holders' money.
plan shares_fake_redeem(fake: Category, thief: PubKey, amount: Tokens) {
    input holders: SharesHolders.redeem(amount: amount);
    input mine: key(thief) with { token: { category: fake, amount: amount } };
    burn mine;
    let back = (holders.value - 2_000 sats) * int(amount) / int(holders.state.outstanding);
    output holders.lock {
        value: holders.value - back,
        token: holders.token with { state: { outstanding: holders.state.outstanding - amount } },
    };
    output p2pkh(hash160(thief)) { value: back };
}

/// A coin that holds nothing but money goes on with tokens that were never made.
plan shares_mint() {
    input holders: SharesHolders.add(amount: 1_000 sats);
    output holders.lock { value: holders.value + 1_000 sats, token: holders.token };
}
"#;
const RAISED: u64 = 25 * COIN;
const BACKERS: u64 = 4_000;

/// The campaign, up to the release before the last.
fn almost_paid() -> Campaign {
    let mut campaign = Campaign::with(OFFER);
    for (who, thread, units) in [("bob", 0, 11 * COIN), ("carol", 1, 8 * COIN), ("dave", 0, 6 * COIN)] {
        campaign.pledge(who, thread, units);
    }
    campaign.run("erin", "collect", &[]);
    campaign.run("erin", "release_goal", &[]);
    campaign
}

fn accept(campaign: &mut Campaign) {
    let message = campaign.attestation(campaign.escrow().outpoint, 1, MODEL);
    let (erin, frank) = (campaign.signed("erin", &message), campaign.signed("frank", &message));
    let model = format!("0x{}", hex::encode(MODEL));
    let args: Pairs<'_> = &[("model", &model), ("sig_judge_a", &erin), ("sig_judge_b", &frank), ("sig_judge_c", "0x")];
    campaign.run("erin", "release_accept", args);
}

struct Offer {
    campaign: Campaign,
    upstream: String,
    list: String,
}

impl Offer {
    /// Makes a launch coin that says so many receipts are out, for such a model.
    fn prepare(&mut self, raised: u64, model: [u8; 32]) -> OutPoint {
        let (model, raised) = (format!("0x{}", hex::encode(model)), raised.to_string());
        let receipts = self.campaign.id.clone();
        let params: Pairs<'_> = &[
            ("model", &model),
            ("judge", "@grace"),
            ("receipts", &receipts),
            ("raised", &raised),
            ("upstream", &self.upstream),
            ("reserve", "@alice"),
        ];
        let carried = self.campaign.story.run("erin", "shares_prepare", params);
        OutPoint { txid: carried.built.tx.txid(), index: 0 }
    }

    fn attested(&self, coin: OutPoint, model: [u8; 32]) -> String {
        let outpoint = [&coin.txid.as_wire()[..], &coin.index.to_le_bytes()].concat();
        let message = [b"BMIMO\x01", &outpoint[..], &model, &sha256(b"the model runs")[..]].concat();
        format!("0x{}", hex::encode(self.campaign.story.key("grace").sign(&sha256(&message))))
    }

    #[track_caller]
    fn no_launch(&mut self, coin: OutPoint, model: [u8; 32], change: impl FnOnce(&mut Forgery<'_>), message: &str) {
        let sig = self.attested(coin, model);
        self.campaign.story.name_coins("coin", &[coin]);
        self.campaign.story.attack(("erin", &[]), "shares_launch", &[("sig_judge", &sig)], change, message);
    }
}

fn offer() -> Offer {
    let mut campaign = almost_paid();
    let list =
        r#"[{"amount": 500, "lock": "@heidi"}, {"amount": 299, "lock": "@grace"}, {"amount": 201, "lock": "@judy"}]"#;
    let lock = campaign.story.deploy("SharesUpstream", &[("recipients", list)]);
    let upstream = format!("0x{}", hex::encode(lock));
    Offer { campaign, upstream, list: list.to_owned() }
}

#[test]
fn a_launch_reads_what_was_raised_for_which_model_from_the_chain() {
    let mut offer = offer();
    let good = offer.prepare(RAISED, MODEL);
    // Before the last release nobody knows how the campaign ends.
    offer.no_launch(good, MODEL, |_| (), "`TinyCoder` has paid everything");
    accept(&mut offer.campaign);
    for (raised, model) in [(RAISED - 1, MODEL), (RAISED + 1, MODEL), (RAISED, [0x5e; 32])] {
        let coin = offer.prepare(raised, model);
        offer.no_launch(coin, model, |_| (), "`TinyCoder` has paid everything");
    }
    let thief = offer.campaign.story.key("erin").lock();
    offer.no_launch(good, MODEL, |f| f.tx.outputs[1].lock.clone_from(&thief), "the lock of this one");
    offer.no_launch(good, MODEL, |f| f.tx.outputs[1].token = None, "output 1 is the escrow again");
    let sig = offer.attested(good, MODEL);
    offer.campaign.story.name_coins("coin", &[good]);
    let launched = offer.campaign.story.run("erin", "shares_launch", &[("sig_judge", &sig)]);
    let category = Category::from_wire(*good.txid.as_wire());
    // One coin is one launch: it is spent.
    offer.campaign.story.name_coins("coin", &[good]);
    offer.campaign.story.refused("erin", "shares_launch", &[("sig_judge", &sig)], "");
    claims(&mut offer.campaign, category);

    let list = offer.list.clone();
    let more = |f: &mut Forgery<'_>| {
        token(&mut f.tx.outputs[0]).amount += 1;
        token(&mut f.tx.outputs[1]).amount -= 1;
    };
    let args: Pairs<'_> = &[("recipients", &list)];
    let story = &mut offer.campaign.story;
    story.attack(("erin", &[]), "shares_split_upstream", args, more, "every source gets its part");
    story.attack(("erin", &[]), "shares_split_upstream", args, |f| f.tx.outputs[2].lock = thief.clone(), "");
    story.run("erin", "shares_split_upstream", args);
    let held = ["bob", "carol", "dave", "heidi", "grace", "judy", "alice"].map(|who| story.tokens(who, category));
    assert_eq!(held, [1_760, 1_280, 960, 500, 299, 201, 5_000]);
    assert_eq!(held.iter().sum::<u64>(), 10_000);
    assert_eq!(launched.built.tx.outputs[2].token.as_ref().unwrap().amount, 1_000);
    holders(&mut offer.campaign, category);
    offer.campaign.story.end(scratch());
}

/// Receipts go in and are gone; together they get exactly the part.
fn claims(campaign: &mut Campaign, category: Category) {
    let receipts = campaign.category;
    let keep = |f: &mut Forgery<'_>| {
        let change = f.tx.outputs.last_mut().unwrap();
        change.value = Sats::from_wire(change.value.get() - 2_000);
        let token = Some(Token { category: receipts, amount: 1_100_000_000, nft: None });
        f.tx.outputs.push(TxOut { value: Sats::from_wire(1_000), token, lock: f.tx.outputs[1].lock.clone() });
    };
    let bob: Pairs<'_> = &[("amount", "1_100_000_000"), ("backer", "@bob")];
    campaign.story.attack(("bob", &[]), "shares_claim", bob, keep, "no output carries receipts on");
    let more = |f: &mut Forgery<'_>| {
        token(&mut f.tx.outputs[0]).amount -= 1;
        token(&mut f.tx.outputs[1]).amount += 1;
    };
    campaign.story.attack(("bob", &[]), "shares_claim", bob, more, "the token amount that is given");
    let (mut claimed, mut given) = (0, 0);
    for (who, units) in [("dave", 6 * COIN), ("bob", 11 * COIN), ("carol", 8 * COIN)] {
        let due = BACKERS * (claimed + units) / RAISED - BACKERS * claimed / RAISED;
        let (amount, key) = (units.to_string(), format!("@{who}"));
        campaign.story.run(who, "shares_claim", &[("amount", &amount), ("backer", &key)]);
        assert_eq!((campaign.story.tokens(who, category), campaign.story.tokens(who, receipts)), (due, 0));
        (claimed, given) = (claimed + units, given + due);
    }
    assert_eq!(given, BACKERS);
}

/// Nobody takes money for tokens of another kind, and none are made after the launch.
fn holders(campaign: &mut Campaign, category: Category) {
    let story = &mut campaign.story;
    let id = format!("0x{}", hex::encode(category.as_wire()));
    let inbox = story.deploy("SharesRevenue", &[("category", &id)]);
    let holders = story.deploy("SharesHolders", &[]);
    story.pay("carol", &inbox, "0.03 coin");
    story.run("erin", "shares_join", &[("amount", "3_000_000 sats")]);
    let made = story.run("erin", "shares_fake", &[("thief", "@erin")]);
    let fake = format!("0x{}", hex::encode(made.built.tx.inputs[0].prevout.txid.as_wire()));
    let args: Pairs<'_> = &[("fake", &fake), ("thief", "@erin"), ("amount", "1_000")];
    story.attack(("erin", &[]), "shares_fake_redeem", args, |_| (), "the token amount that is given");
    let more = |f: &mut Forgery<'_>| token(&mut f.tx.outputs[0]).amount += 1_000;
    story.attack(("erin", &[]), "shares_fake_redeem", args, more, "token");
    let mint = |capability: Option<Capability>| {
        move |f: &mut Forgery<'_>| {
            let nft = capability.map(|capability| Nft { capability, commitment: Vec::new() });
            let change = f.tx.outputs.last_mut().unwrap();
            change.value = Sats::from_wire(change.value.get() - 2_000);
            let lock = change.lock.clone();
            let token = Some(Token { category, amount: u64::from(capability.is_none()), nft });
            f.tx.outputs.push(TxOut { value: Sats::from_wire(1_000), token, lock });
        }
    };
    let args: Pairs<'_> = &[];
    for capability in [None, Some(Capability::Minting), Some(Capability::Mutable)] {
        story.attack(("erin", &[]), "shares_mint", args, mint(capability), "token");
    }
    // A tenth of all tokens takes a tenth of the money, rounded down; the last one takes what is left.
    let (mut money, mut out) = (3_000_000u64, 10_000u64);
    for (who, amount) in [
        ("carol", 1_280),
        ("bob", 1_760),
        ("dave", 960),
        ("alice", 5_000),
        ("heidi", 500),
        ("grace", 299),
        ("judy", 201),
    ] {
        let back = u64::try_from(u128::from(money) * u128::from(amount) / u128::from(out)).unwrap();
        let (units, key) = (u64::to_string(&amount), format!("@{who}"));
        if story.balance(who) < 10_000 {
            story.pay("carol", &story.key(who).lock(), "10_000 sats");
        }
        story.run(who, "shares_redeem", &[("amount", &units), ("holder", &key)]);
        (money, out) = (money - back, out - amount);
        assert_eq!(story.held_at(&holders), money + 2_000);
    }
    assert_eq!((money, out), (0, 0));
}
