//! Offerings: a model is attested, its token made, sold, vested, divided and redeemed.

use spec::hash::sha256;
use spec::{Category, OutPoint, Sats};
use tests::Story;

use super::scratch;

pub(super) const MODEL: &str = "0x1717171717171717171717171717171717171717171717171717171717171717";
/// What a contract of an offering holds beside money that counts.
pub(super) const BASE: u64 = 2_000;
/// What an output holds that carries tokens.
pub(super) const CARRIER: u64 = 1_000;
pub(super) const START: u64 = 100_000_000;
pub(super) const PEOPLE: &[(&str, &str)] = &[("alice", "1 coin"), ("bob", "1 coin"), ("carol", "1 coin")];

/// The offering of an example: who paid which fees, and what its token is.
pub(super) struct Offering {
    pub(super) story: Story,
    prefix: &'static str,
    pub(super) coin: OutPoint,
    /// What everybody has paid, and been paid, beside the fees.
    pub(super) fees: [u64; 3],
}

pub(super) fn place(who: &str) -> usize {
    ["alice", "bob", "carol"].iter().position(|name| *name == who).unwrap()
}

impl Offering {
    /// Makes the launch coin.
    fn prepare(example: &str, prefix: &'static str, params: &[(&str, &str)]) -> Self {
        Self::prepare_in(Story::example(example, PEOPLE), prefix, params)
    }

    /// The same, in a story that has begun.
    pub(super) fn prepare_in(mut story: Story, prefix: &'static str, params: &[(&str, &str)]) -> Self {
        let params = [&[("model", MODEL)], params].concat();
        let carried = story.run("bob", &format!("{prefix}_prepare"), &params);
        let coin = OutPoint { txid: carried.built.tx.txid(), index: 0 };
        let mut fees = [0; 3];
        fees[place("bob")] = carried.built.fee.get();
        Self { story, prefix, coin, fees }
    }

    pub(super) fn category(&self) -> Category {
        Category::from_wire(*self.coin.txid.as_wire())
    }

    /// What a judge signs of the launch coin.
    pub(super) fn attest(&self, judge: &str, criteria: &str, model: &str) -> String {
        let outpoint = [&self.coin.txid.as_wire()[..], &self.coin.index.to_le_bytes()].concat();
        let model = hex::decode(&model[2..]).unwrap();
        let message = [b"BMIMO\x01", &outpoint[..], &model, &sha256(criteria.as_bytes())[..]].concat();
        format!("0x{}", hex::encode(self.story.key(judge).sign(&sha256(&message))))
    }

    pub(super) fn run(&mut self, who: &str, plan: &str, args: &[(&str, &str)]) {
        let carried = self.story.run(who, &format!("{}_{plan}", self.prefix), args);
        let fees = carried.first.iter().chain([&carried.built]).map(|built| built.fee.get());
        self.fees[place(who)] += fees.sum::<u64>();
    }

    pub(super) fn attack(
        &mut self,
        who: &str,
        plan: &str,
        args: &[(&str, &str)],
        change: impl FnOnce(&mut wallet::Forgery<'_>),
        message: &str,
    ) {
        self.story.attack((who, &[]), &format!("{}_{plan}", self.prefix), args, change, message);
    }

    /// What somebody holds, who has paid and been paid so much beside the fees.
    #[track_caller]
    pub(super) fn holds(&self, who: &str, paid: u64, got: u64) {
        assert_eq!(self.story.balance(who), START - paid - self.fees[place(who)] + got, "what {who} holds");
    }
}

pub(super) fn less(forgery: &mut wallet::Forgery<'_>, output: usize, sats: u64) {
    let value = &mut forgery.tx.outputs[output].value;
    *value = Sats::from_wire(value.get() - sats);
}

fn tokens<'f>(forgery: &'f mut wallet::Forgery<'_>, output: usize) -> &'f mut u64 {
    &mut forgery.tx.outputs[output].token.as_mut().unwrap().amount
}

#[test]
fn a_fixed_price_from_the_attestations_to_the_treasury() {
    let judges = [("judge_a", "@dave"), ("judge_b", "@erin"), ("judge_c", "@frank"), ("community", "@carol")];
    let sources =
        [("upstream_databases", "@grace"), ("upstream_compute", "@heidi"), ("upstream_researchers", "@carol")];
    let mut o = Offering::prepare("imo-fixed", "fixed", &[&judges[..], &sources, &[("team", "@bob")]].concat());
    let criteria = "benchmark >= 0.92";
    let (a, c) = (o.attest("dave", criteria, MODEL), o.attest("frank", criteria, MODEL));
    let sigs = [("sig_judge_a", a.as_str()), ("sig_judge_b", "0x"), ("sig_judge_c", c.as_str())];

    // One judge is not enough, whoever else signs; and an attestation of another model is none.
    let one = [("sig_judge_a", a.as_str()), ("sig_judge_b", "0x"), ("sig_judge_c", "0x")];
    o.story.refused("bob", "fixed_launch", &one, "2 of 3 judges attest the model");
    let other = o.attest("frank", criteria, &MODEL.replace("17", "18"));
    let replayed = [sigs[0], sigs[1], ("sig_judge_c", other.as_str())];
    o.story.refused("bob", "fixed_launch", &replayed, "");
    // Nothing but the supply is made, and nothing that could make more.
    o.attack("bob", "launch", &sigs, |f| *tokens(f, 0) += 1, "`sale` gets 6_000 tokens");
    o.attack("bob", "launch", &sigs, |f| *tokens(f, 1) -= 1, "`upstream` gets 1_500 tokens");
    let minting = |f: &mut wallet::Forgery<'_>| {
        let nft = f.tx.outputs[0].token.as_mut().unwrap().nft.as_mut().unwrap();
        nft.capability = spec::token::Capability::Minting;
    };
    o.attack("bob", "launch", &sigs, minting, "output 0 carries the token that counts");
    o.run("bob", "launch", &sigs);

    let alice = o.story.key("alice").lock();
    let buyer = format!("0x{}", hex::encode(&alice));
    let args = [("amount", "250"), ("buyer", buyer.as_str())];
    o.attack("alice", "buy", &args, |f| less(f, 0, 1), "the value that is given");
    let one_more = |f: &mut wallet::Forgery<'_>| {
        *tokens(f, 0) -= 1;
        *tokens(f, 1) += 1;
    };
    o.attack("alice", "buy", &args, one_more, "the token amount");
    o.run("alice", "buy", &args);
    o.run("alice", "buy", &[("amount", "5_750"), ("buyer", buyer.as_str())]);
    assert!(o.story.balance("carol") == START);

    o.attack("alice", "withdraw", &[], |f| f.tx.outputs[1].lock = alice.clone(), "output 1 is for `community`");
    o.attack("alice", "withdraw", &[], |f| less(f, 1, 1), "all the money is withdrawn");
    o.run("alice", "withdraw", &[]);
    o.attack("alice", "split_upstream", &[], |f| f.tx.outputs[1].lock = alice.clone(), "output 1 is for `compute`");
    o.run("alice", "split_upstream", &[]);

    let category = o.category();
    let held = ["alice", "bob", "carol", "grace", "heidi"].map(|who| o.story.tokens(who, category));
    assert_eq!(held, [6_000, 2_500, 375, 450, 675]);
    assert_eq!(held.iter().sum::<u64>(), 10_000);
    // Alice also brought the money of two outputs of sources; the first one holds what the coin held.
    o.holds("alice", 6_000 * 700 + 2 * CARRIER, 0);
    // The launch coin's money is the first part's.
    o.holds("bob", 3 * BASE, BASE);
    o.holds("carol", 0, 6_000 * 700 + CARRIER);
    o.story.end(scratch());
}

#[test]
fn a_falling_price_and_tokens_that_vest() {
    let mut o =
        Offering::prepare("imo-dutch", "dutch", &[("judge", "@dave"), ("treasury", "@carol"), ("team", "@bob")]);
    let sig = o.attest("dave", "the model runs", MODEL);
    o.run("bob", "launch", &[("sig_judge", &sig)]);
    let alice = o.story.key("alice").lock();
    let buyer = format!("0x{}", hex::encode(&alice));
    let args = |amount: &'static str, at: &'static str| [("amount", amount), ("buyer", buyer.as_str()), ("at", at)];
    o.story.mine_to(129);
    o.story.refused("alice", "dutch_buy", &args("10", "height 129"), "the sale has begun");
    o.story.mine_to(150);
    // Half the way down: 1,000 − 900 · 20 / 40.
    o.attack("alice", "buy", &args("10", "height 150"), |f| less(f, 0, 1), "the value that is given");
    o.run("alice", "buy", &args("10", "height 150"));
    // An older block is allowed, and its price is higher.
    o.attack("alice", "buy", &args("10", "height 140"), |f| less(f, 0, 1), "the value that is given");
    o.run("alice", "buy", &args("10", "height 140"));
    // A later block has not been reached.
    o.attack("alice", "buy", &args("10", "height 150"), |f| f.tx.locktime = 149, "the block has been reached");
    o.run("alice", "withdraw", &[]);
    let paid = 10 * 550 + 10 * 775;
    o.holds("alice", paid + 2 * CARRIER, 2 * CARRIER);
    o.holds("carol", 0, paid);

    // The coin of the team has lain since the launch, and so long only as the chain says.
    let taken = |f: &mut wallet::Forgery<'_>| f.tx.outputs[1].lock = alice.clone();
    o.attack("bob", "vest", &[("blocks", "8 blocks")], taken, "output 1 is for `team`");
    o.attack("bob", "vest", &[("blocks", "4 blocks")], |_| (), "the cliff of 5 blocks has passed");
    let younger = |f: &mut wallet::Forgery<'_>| f.tx.inputs[0].sequence = 7;
    o.attack("bob", "vest", &[("blocks", "8 blocks")], younger, "the coin has lain so long");
    o.run("bob", "vest", &[("blocks", "8 blocks")]);
    let category = o.category();
    assert_eq!(o.story.tokens("bob", category), 2_000 * 8 / 20);
    o.story.mine(30);
    o.run("bob", "vest", &[("blocks", "30 blocks")]);
    assert_eq!(o.story.tokens("bob", category), 2_000);
    assert_eq!(o.story.tokens("alice", category), 20);
    o.holds("bob", 2 * BASE + 2 * CARRIER, 2 * CARRIER);
    o.story.end(scratch());
}

#[test]
fn a_rising_price_that_splitting_does_not_lower() {
    let sources =
        [("upstream_databases", "@grace"), ("upstream_compute", "@heidi"), ("upstream_researchers", "@carol")];
    let parties = [("judge", "@dave"), ("treasury", "@carol")];
    let mut o = Offering::prepare("imo-linear", "linear", &[&parties[..], &sources].concat());
    let sig = o.attest("dave", "the model runs", MODEL);
    o.run("bob", "launch", &[("sig_judge", &sig)]);
    let alice = o.story.key("alice").lock();
    let buyer = format!("0x{}", hex::encode(&alice));
    let cost = |sold: u64, amount: u64| 100 * amount + amount * (2 * sold + amount);
    let mut sold = 0;
    for (amount, text) in [(300, "300"), (1, "1"), (699, "699"), (4_000, "4_000")] {
        let args = [("amount", text), ("buyer", buyer.as_str())];
        o.attack("alice", "buy", &args, |f| less(f, 0, 1), "the value that is given");
        // What is written down as sold decides the next price.
        let forget = |f: &mut wallet::Forgery<'_>| {
            f.tx.outputs[0].token.as_mut().unwrap().nft.as_mut().unwrap().commitment = vec![0; 8];
        };
        o.attack("alice", "buy", &args, forget, "the next state");
        o.run("alice", "buy", &args);
        sold += amount;
    }
    assert_eq!((sold, cost(0, 5_000)), (5_000, 25_500_000));
    o.holds("alice", cost(0, 5_000) + 4 * CARRIER, 4 * CARRIER);
    o.run("bob", "withdraw", &[]);
    o.run("bob", "split_upstream", &[]);
    o.holds("carol", 0, cost(0, 5_000) + CARRIER);
    let category = o.category();
    let held = ["alice", "grace", "heidi", "carol"].map(|who| o.story.tokens(who, category));
    assert_eq!(held, [5_000, 1_500, 2_250, 1_250]);
    o.story.end(scratch());
}
