//! The contracts of a campaign.
//!
//! Every input checks the whole transaction on its own; none of them trusts the path of another. The
//! receipts of a campaign are conserved by the chain itself, so a thread need only say how many leave.

use std::collections::BTreeSet;

use dashu_int::IBig;
use dashu_ratio::RBig;
use spec::Sats;
use syntax::Loc;

use super::check::sats;
use super::release::percent;
use super::{Campaign, Gate, Release, plans};
use crate::domain::Text;
use crate::number::grouped;

/// What sending an expired pledge home may cost.
pub(super) const EXPIRE_FEE: Sats = Sats::from_wire(1_000);
/// The bytes of a thread's state, by which it differs from the escrow.
const THREAD_STATE: u32 = 9;
/// What stays with the escrow's token for ever, so that the chain shows how a campaign ended.
pub(super) const RECORD: &str = "1_000 sats";
/// More inputs than this do not fit a transaction that nodes relay.
const INPUTS_MAX: u32 = 1_000;
/// The length of the lock of a public key's hash. Nothing but a key stands behind it.
const KEY_LOCK_BYTES: u32 = 25;

/// The campaign as plain items.
pub(crate) fn text(campaign: &Campaign) -> Text {
    let mut text = Text::new(campaign.loc.clone());
    let parts = Parts::new(campaign);
    parts.thread(&mut text);
    parts.pledge(&mut text);
    parts.escrow(&mut text);
    plans::write(&mut text, &parts);
    text
}

/// A campaign with the names that its author has given.
pub(super) struct Parts<'c> {
    pub(super) campaign: &'c Campaign,
    taken: BTreeSet<&'c str>,
}

impl<'c> Parts<'c> {
    fn new(campaign: &'c Campaign) -> Self {
        let keys = campaign.accept.iter().flat_map(|accept| &accept.value.keys);
        let own = [Some(&campaign.builder), campaign.payout.as_ref()].into_iter().flatten();
        Self { campaign, taken: own.chain(keys).map(|name| name.value.as_str()).collect() }
    }

    /// The name of a contract.
    pub(super) fn name(&self, part: &str) -> String {
        format!("{}{part}", self.campaign.name)
    }

    /// A name that no parameter has.
    pub(super) fn free(&self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        while self.taken.contains(name.as_str()) {
            name.push('_');
        }
        name
    }

    /// The parameters of the escrow.
    pub(super) fn params(&self) -> Vec<(String, String, Loc)> {
        let c = self.campaign;
        let mut params = vec![(c.builder.value.clone(), "PubKey".to_owned(), c.builder.loc.clone())];
        params.extend(c.payout.iter().map(|payout| (payout.value.clone(), "Lock".to_owned(), payout.loc.clone())));
        let keys = c.accept.iter().flat_map(|accept| &accept.value.keys);
        params.extend(keys.map(|key| (key.value.clone(), "PubKey".to_owned(), key.loc.clone())));
        params
    }

    /// The lock of the escrow, from values that `of` stands before.
    pub(super) fn escrow_lock(&self, of: &str) -> String {
        format!("{}({}).lock", self.name("Escrow"), self.args(of))
    }

    /// The names of the parameters, with `of` before each.
    pub(super) fn args(&self, of: &str) -> String {
        self.params().iter().map(|(name, ..)| format!("{of}{name}")).collect::<Vec<_>>().join(", ")
    }

    /// Who is paid.
    pub(super) fn payout(&self) -> String {
        match &self.campaign.payout {
            Some(payout) => payout.value.clone(),
            None => format!("p2pkh(hash160({}))", self.campaign.builder.value),
        }
    }

    fn thread(&self, text: &mut Text) {
        let c = self.campaign;
        let what = "Takes pledges and gives receipts, one for each base unit, until the escrow takes over.";
        match c.docs.as_str() {
            "" => text.docs(what),
            docs => text.docs(&format!("{docs}\n\n{what}")),
        }
        text.contract(&self.name("Thread"), &self.params(), |text| {
            text.line("state { raised: Coin, closed: Bool }");
            text.gap();
            self.take(text);
            text.gap();
            self.collect(text);
            text.gap();
            self.refund(text);
        });
    }

    fn take(&self, text: &mut Text) {
        let pledge = &self.campaign.pledge;
        text.docs("Adds a pledge to the campaign; as many receipts leave as units come in.");
        text.block("spend pledge(amount: Tokens, padding: Padding)", |text| {
            mutable(text, "thread");
            text.require("self.index == 0", "the thread is input 0");
            text.require("!state.closed", "the campaign has not begun to refund");
            text.line("let more = int(amount) * 1 sats;");
            text.at(&pledge.loc, |text| {
                let least = sats(pledge.value);
                text.require(format!("more >= {least}"), &format!("a pledge is at least {least}"));
            });
            text.line("// Receipts from elsewhere could pass for those that a waiting pledge is owed.");
            text.block(&format!("for i in 1..tx.inputs.length max {}", grouped(&INPUTS_MAX.into())), |text| {
                text.require("tx.inputs[i].token.category == 0x", "no other input carries a token");
            });
            text.line("continue { raised: state.raised + more }");
            text.line("    with value self.value + more, tokens self.token.amount - amount;");
        });
    }

    /// Every thread looks at all threads and all outputs.
    fn collect(&self, text: &mut Text) {
        let c = self.campaign;
        text.docs("Opens the escrow. All threads take this path, in one transaction; anyone may do it.");
        text.block("spend collect()", |text| {
            if c.threads > 1 {
                text.line("// The threads share output 0 on purpose: each of them adds up all of them.");
                text.line("allow(shared_output);");
            }
            mutable(text, "thread");
            self.different_judges(text);
            text.require(format!("self.index < {}", c.threads), "no more coins are collected than threads are counted");
            text.line("let mut raised = 0 sats;");
            text.line("let mut value = 0 sats;");
            text.line("let mut receipts = 0;");
            text.block(&format!("for i in 0..{}", c.threads), |text| self.each_thread(text));
            text.at(&c.goal.loc, |text| {
                let goal = sats(c.goal.value);
                text.require(format!("raised >= {goal}"), &format!("the goal of {goal} is reached"));
            });
            text.require(format!("tx.outputs[0].lock == {}", self.escrow_lock("")), "output 0 is the escrow");
            text.require("tx.outputs[0].value >= value", "the escrow holds everything");
            text.require(
                "tx.outputs[0].token.category == self.token.category",
                "the escrow carries the campaign's token",
            );
            text.require(
                "int(tx.outputs[0].token.amount) == receipts",
                "the escrow holds the receipts that nobody has",
            );
            text.line("let amount = bytes(raised, 8);");
            let begun =
                format!("amount + amount + amount + {}", if c.keeps_model() { "bytes(0, 34)" } else { "0x0000" });
            text.require(
                format!("tx.outputs[0].token.commitment == {begun}"),
                "the escrow begins with what was raised",
            );
            text.require("tx.outputs.length <= 2", "at most one output follows the escrow");
            text.block("if tx.outputs.length == 2", |text| {
                text.require("tx.outputs[1].token.category == 0x", "change carries no token");
            });
        });
    }

    /// The values of two parameters may be one key. No escrow comes to be in which one judge counts twice.
    fn different_judges(&self, text: &mut Text) {
        let Some(accept) = &self.campaign.accept else { return };
        text.at(&accept.loc, |text| accept.value.all_different(text));
    }

    fn each_thread(&self, text: &mut Text) {
        text.require("tx.inputs[i].lock == self.lock", "the first inputs are the threads");
        text.require("tx.inputs[i].token.category == self.token.category", "every thread is of this campaign");
        text.line("let thread = tx.inputs[i].token.commitment;");
        text.require(format!("thread.length == {THREAD_STATE}"), &format!("a thread's state has {THREAD_STATE} bytes"));
        text.require("thread[8..9] == 0x00", "no thread has begun to refund");
        text.line("raised = raised + int(thread[0..8]) * 1 sats;");
        text.line("value = value + tx.inputs[i].value;");
        text.line("receipts = receipts + int(tx.inputs[i].token.amount);");
    }

    fn refund(&self, text: &mut Text) {
        text.docs(
            "After the deadline receipts come back for their units. The first refund ends the campaign for good.",
        );
        text.block("spend refund(amount: Tokens)", |text| {
            mutable(text, "thread");
            self.deadline(text);
            text.line("let less = int(amount) * 1 sats;");
            text.require("less > 0 sats", "something is refunded");
            text.require("less <= state.raised", "no more is refunded than this thread has raised");
            text.line("continue { raised: state.raised - less, closed: true }");
            text.line("    with value self.value - less, tokens self.token.amount + amount;");
        });
    }

    fn deadline(&self, text: &mut Text) {
        let deadline = &self.campaign.deadline;
        text.at(&deadline.loc, |text| {
            text.require(format!("tx.height >= {}", height(deadline.value)), "the deadline has passed");
        });
    }

    fn pledge(&self, text: &mut Text) {
        let loc = &self.campaign.pledge.loc;
        text.gap();
        text.docs(
            "A pledge that waits as a coin of its own: in no queue, and the backer can take it back at any time.",
        );
        let params = [("backer", "Hash160"), ("campaign", "Category")];
        let params = params.map(|(name, ty)| (name.to_owned(), ty.to_owned(), loc.clone()));
        text.at(loc, |text| {
            text.contract(&self.name("Pledge"), &params, |text| {
                gather(text, self.campaign);
                text.gap();
                text.docs("The backer takes the pledge back.");
                text.block("spend cancel(key: PubKey, sig: Sig)", |text| {
                    text.require("hash160(key) == backer", "the key is the backer's");
                    text.require("key.signed(sig)", "the backer signs");
                });
                text.gap();
                text.docs("After the deadline anyone may send the pledge home.");
                text.block("spend expire()", |text| {
                    self.deadline(text);
                    text.require("self.index == 0", "one pledge is sent home at a time");
                    text.require("tx.outputs[0].lock == p2pkh(backer)", "output 0 goes to the backer");
                    let fee = sats(EXPIRE_FEE);
                    let message = format!("the fee is at most {fee}");
                    text.require(format!("tx.outputs[0].value >= self.value - {fee}"), &message);
                });
            });
        });
    }

    fn escrow(&self, text: &mut Text) {
        let c = self.campaign;
        let loc = c.release.first().map_or(&c.loc, |release| &release.loc);
        text.gap();
        text.docs("Holds what was raised until it is released or goes back.");
        text.at(loc, |text| {
            text.contract(&self.name("Escrow"), &self.params(), |text| {
                let model = if c.keeps_model() { ", model: Bytes<32>" } else { "" };
                text.line(
                    "/// What came in, what of it is left, receipts that are out, the number of the next release.",
                );
                text.line(format!(
                    "state {{ raised: Coin, left: Coin, outstanding: Coin, tranche: Int<1>, refunding: Bool{model} }}"
                ));
                let mut before = RBig::ZERO;
                for (number, release) in c.release.iter().enumerate() {
                    text.gap();
                    text.at(&release.loc, |text| self.release(text, number, release, &before));
                    before += &release.share;
                }
                self.fail(text);
                text.gap();
                self.abort(text);
                text.gap();
                redeem(text);
                text.gap();
                show(text);
            });
        });
    }

    fn abort(&self, text: &mut Text) {
        let sig = self.free("sig");
        text.docs("The builder gives up; everything left goes back.");
        text.block(&format!("spend abort({sig}: Sig)"), |text| {
            mutable(text, "escrow");
            text.require(format!("{}.signed({sig})", self.campaign.builder.value), "the builder signs");
            text.require("!state.refunding", "the escrow does not refund already");
            text.require("state.left > 0 sats", "something is left to go back");
            text.line("continue { refunding: true };");
        });
    }

    fn release(&self, text: &mut Text, number: usize, release: &Release, before: &RBig) {
        let last = number + 1 == self.campaign.release.len();
        text.docs(&format!("Pays the builder {} of what was raised.", percent(&release.share)));
        let args: Vec<String> =
            self.release_args(release).into_iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
        text.block(&format!("spend release_{}({})", release.name, args.join(", ")), |text| {
            mutable(text, "escrow");
            text.require("self.index == 0", "the escrow is input 0");
            text.require("!state.refunding", "the escrow does not refund");
            let next = format!("release {} of {} is next", number + 1, self.campaign.release.len());
            text.require(format!("state.tranche == {number}"), &next);
            if matches!(release.gate, Gate::Attested { .. }) {
                self.votes(text, number);
            }
            match last {
                true => self.pay_rest(text, number, release),
                false => self.pay(text, number, release, before),
            }
        });
    }

    /// What a release is given: what the judges accept, and the signature of each of them.
    pub(super) fn release_args(&self, release: &Release) -> Vec<(String, &'static str)> {
        match (&release.gate, &self.campaign.accept) {
            (Gate::Attested { .. }, Some(accept)) => {
                let sigs = accept.value.keys.iter().map(|key| (self.free(&format!("sig_{}", key.value)), "DataSig"));
                std::iter::once((self.free("model"), "Bytes<32>")).chain(sigs).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The judges sign the outpoint of this very escrow, so an attestation is good for one use.
    fn votes(&self, text: &mut Text, number: usize) {
        let Some(accept) = &self.campaign.accept else { return };
        let (model, message, votes) = (self.free("model"), self.free("message"), self.free("votes"));
        text.line("// The escrow's outpoint makes an attestation good for this coin and no other.");
        text.line(format!(
            "let {message} = \"BMIMI\" + 0x01 + self.txid + bytes(tx.inputs[self.index].index, 4) + 0x{number:02x} + {model};"
        ));
        text.line(format!("let mut {votes} = 0;"));
        for key in &accept.value.keys {
            let (key, sig) = (&key.value, self.free(&format!("sig_{}", key.value)));
            text.block(&format!("if {key}.signed({message}, {sig})"), |text| {
                text.line(format!("{votes} = {votes} + 1;"))
            });
        }
        let (needed, all) = (accept.value.needed, accept.value.keys.len());
        text.at(&accept.loc, |text| {
            text.require(format!("{votes} >= {needed}"), &format!("{needed} of {all} judges accept the model"));
        });
    }

    fn pay(&self, text: &mut Text, number: usize, release: &Release, before: &RBig) {
        let due = self.free("due");
        text.line(format!("let {due} = {};", due_part(before, &release.share)));
        text.require(format!("{due} <= state.left"), "the release is still there");
        self.output_to_builder(text, &due, "the builder gets the release");
        text.line(format!("continue {{ left: state.left - {due}, tranche: {}{} }}", number + 1, self.model(release)));
        text.line(format!("    with value self.value - {due};"));
    }

    /// What stays is a record for all time: what was raised, and which model the judges accepted.
    fn pay_rest(&self, text: &mut Text, number: usize, release: &Release) {
        let due = self.free("due");
        text.line(format!("let {due} = self.value - {RECORD};"));
        self.output_to_builder(text, &due, "the builder gets everything that is left");
        text.line(format!("continue {{ left: 0 sats, tranche: {}{} }}", number + 1, self.model(release)));
        text.line(format!("    with value {RECORD};"));
    }

    /// A field of the next state: the model that the judges accept, if they do.
    fn model(&self, release: &Release) -> String {
        let attested = matches!(release.gate, Gate::Attested { .. });
        if attested { format!(", model: {}", self.free("model")) } else { String::new() }
    }

    /// Output 1 pays the builder. Where `payout` may stand for a contract, a coin of that contract at input 1 may
    /// have output 1 for its own next coin; then the payment comes on top of what that coin holds.
    fn output_to_builder(&self, text: &mut Text, due: &str, message: &str) {
        let payout = self.payout();
        text.require(format!("tx.outputs[1].lock == {payout}"), "output 1 pays the builder");
        if self.campaign.payout.is_none() {
            text.require(format!("tx.outputs[1].value >= {due}"), message);
            return;
        }
        let owed = self.free("owed");
        text.line(format!("let mut {owed} = {due};"));
        beside(text, &payout, |text| text.line(format!("{owed} = {owed} + tx.inputs[1].value;")));
        text.require(format!("tx.outputs[1].value >= {owed}"), message);
    }

    /// One path for each date: after it, what the judges have not released goes back.
    fn fail(&self, text: &mut Text) {
        for (number, release) in self.campaign.release.iter().enumerate() {
            let Gate::Attested { by: Some(by) } = &release.gate else { continue };
            text.gap();
            text.docs(&format!("The date of `at {}` has passed; everything left goes back.", release.name));
            text.block(&format!("spend fail_{}()", release.name), |text| {
                mutable(text, "escrow");
                text.at(&by.loc, |text| {
                    text.require(format!("tx.height >= {}", height(by.value)), "the date has passed");
                });
                text.require("!state.refunding", "the escrow does not refund already");
                text.require(format!("state.tranche <= {number}"), "this release has not been paid");
                text.line("continue { refunding: true };");
            });
        }
    }
}

/// Who holds the campaign's token could make more of it, were it not only mutable.
fn mutable(text: &mut Text, what: &str) {
    text.require("self.token.capability == mutable", &format!("the {what} carries a mutable token"));
}

/// Writes what is done if input 1 has the lock `payee`, and that is not the lock of a key.
pub(crate) fn beside(text: &mut Text, payee: &str, write: impl FnOnce(&mut Text)) {
    text.line("// A contract's coin could show its own next coin as the payment; what it holds comes on top.");
    text.block(&format!("if tx.inputs.length > 1 && {payee}.length != {KEY_LOCK_BYTES}"), |text| {
        text.block(&format!("if tx.inputs[1].lock == {payee}"), write);
    });
}

/// Input 0 is a thread, and only a pledge takes receipts out of it. A thread that takes a pledge lets no
/// other coin with tokens in, so the receipts of all pledges beside it are new, and its own check says
/// that it takes one unit for each.
fn gather(text: &mut Text, campaign: &Campaign) {
    text.docs("Joins the campaign: the thread takes the money, the backer gets the receipts. Anyone may do it.");
    text.block("spend gather()", |text| {
        let least = sats(campaign.pledge.value);
        text.require(format!("self.value >= {least}"), &format!("a pledge is at least {least}"));
        text.require("self.index > 0", "a thread stands before the pledges");
        text.require("tx.inputs[0].token.category == campaign + 0x01", "input 0 is a coin of the campaign");
        text.require(format!("tx.inputs[0].token.commitment.length == {THREAD_STATE}"), "input 0 is a thread");
        text.require(
            "int(tx.inputs[0].token.amount) >= int(tx.outputs[0].token.amount) + int(self.value)",
            "the thread takes the pledge and gives receipts",
        );
        text.require(
            "tx.outputs[self.index].lock == p2pkh(backer)",
            "the receipts go to the backer, by the output beside",
        );
        text.require("tx.outputs[self.index].token.category == campaign", "the receipts are the campaign's");
        text.require(
            "int(tx.outputs[self.index].token.amount) >= int(self.value)",
            "there is one receipt for each base unit",
        );
    });
}

/// What reads the record of a campaign, such as the launch of its model's token, spends it by this path.
fn show(text: &mut Text) {
    text.docs("Comes back as it is, for contracts that read what the campaign has raised. Anyone may do it.");
    text.block("spend show()", |text| {
        mutable(text, "escrow");
        text.line("continue {};");
    });
}

fn redeem(text: &mut Text) {
    text.docs("Receipts come back for their part of what is left. The last one takes what rounding leaves.");
    text.block("spend redeem(amount: Tokens)", |text| {
        mutable(text, "escrow");
        text.require("state.refunding", "the escrow refunds");
        text.line("let less = int(amount) * 1 sats;");
        text.require("less > 0 sats", "something is redeemed");
        text.require("less <= state.outstanding", "no more is redeemed than is out");
        text.line("let back = state.left * int(amount) / int(state.outstanding);");
        text.require("back <= state.left", "no more goes back than is left");
        text.line("continue { left: state.left - back, outstanding: state.outstanding - less }");
        text.line("    with value self.value - back, tokens self.token.amount + amount;");
    });
}

/// What a release pays: the difference of two parts of what was raised, each to the nearest unit.
pub(super) fn due_part(before: &RBig, share: &RBig) -> String {
    let upto = cumulative(&(before + share));
    if *before == RBig::ZERO { upto } else { format!("{upto} - {}", cumulative(before)) }
}

/// `state.raised · share`, to the nearest unit.
fn cumulative(share: &RBig) -> String {
    let (up, down) = (share.numerator(), IBig::from(share.denominator().clone()));
    let half = &down / IBig::from(2);
    if down == IBig::ONE {
        return format!("state.raised * {}", grouped(up));
    }
    format!("(state.raised * {} + {} sats) / {}", grouped(up), grouped(&half), grouped(&down))
}

pub(super) fn height(height: u64) -> String {
    format!("height {}", grouped(&height.into()))
}
