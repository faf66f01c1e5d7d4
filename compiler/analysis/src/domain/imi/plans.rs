//! The transactions of a campaign, as plans.
//!
//! Each is named after the campaign and says which campaign it means by the category of its tokens.

use dashu_ratio::RBig;

use super::check::sats;
use super::text::{EXPIRE_FEE, Parts, RECORD, due_part};
use super::{Gate, Release};
use crate::domain::Text;

/// What each thread holds beside the money, so that its output is never dust.
const BASE: &str = "2_000 sats";
/// What the output of a receipt holds.
const RECEIPT: &str = "1_000 sats";
/// Every base unit there is: so many receipts lie in each thread at first, so that none runs out.
const RECEIPTS: &str = "2_100_000_000_000_000";

/// Every plan of the campaign.
pub(super) fn write(text: &mut Text, parts: &Parts<'_>) {
    let c = parts.campaign;
    text.at(&c.loc, |text| {
        genesis(text, parts);
        pledge(text, parts);
        refund(text, parts);
        collect(text, parts);
    });
    text.at(&c.pledge.loc, |text| waiting(text, parts));
    let mut before = RBig::ZERO;
    for (number, release) in c.release.iter().enumerate() {
        text.at(&release.loc, |text| {
            pay(text, parts, number, release, &before);
            if let Gate::Attested { by: Some(_) } = &release.gate {
                let docs = format!("The date of `at {}` has passed: the escrow begins to pay back.", release.name);
                turn(text, parts, &docs, &format!("fail_{}", release.name), "");
            }
        });
        before += &release.share;
    }
    text.at(&c.builder.loc, |text| {
        let sig = parts.free("sig");
        turn(
            text,
            parts,
            "The builder gives up: the escrow begins to pay back.",
            "abort",
            &format!("{sig}: escrow.params.{}", c.builder.value),
        );
    });
    text.at(&c.loc, |text| redeem(text, parts));
}

/// `plan tiny_coder_pledge(args) { .. }`
fn plan(text: &mut Text, parts: &Parts<'_>, name: &str, args: &str, write: impl FnOnce(&mut Text)) {
    text.block(&format!("plan {}_{name}({args})", snake(&parts.campaign.name)), write);
}

/// `TinyCoder` as `tiny_coder`.
pub fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut lower = false;
    for c in name.chars() {
        if c.is_uppercase() && lower {
            out.push('_');
        }
        lower = c.is_lowercase() || c.is_ascii_digit();
        out.extend(c.to_lowercase());
    }
    out
}

/// The parameters of the escrow, as arguments of a plan.
fn people(parts: &Parts<'_>) -> String {
    parts.params().iter().map(|(name, ty, _)| format!("{name}: {ty}")).collect::<Vec<_>>().join(", ")
}

fn genesis(text: &mut Text, parts: &Parts<'_>) {
    let first = parts.free("first");
    text.gap();
    text.docs("Makes the campaign: its threads, with all the receipts that there can ever be.");
    plan(text, parts, "genesis", &people(parts), |text| {
        if let Some(accept) = &parts.campaign.accept {
            text.at(&accept.loc, |text| accept.value.all_different_in_plan(text));
        }
        text.line(format!("input {first}: genesis;"));
        for _ in 0..parts.campaign.threads {
            text.statement(&format!("output {}({}).lock", parts.name("Thread"), parts.args("")), |text| {
                text.line(format!("value: {BASE},"));
                text.line(format!(
                    "token: {{ category: {first}.txid, capability: mutable, amount: {RECEIPTS}, state: {{ raised: 0 sats, closed: false }} }},"
                ));
            });
        }
    });
}

/// `input thread: ..` of the campaign that is meant.
fn thread(text: &mut Text, parts: &Parts<'_>, path: &str, and: &str) {
    let of = "where thread.token.category == campaign + 0x01";
    text.line(format!("input thread: {}.{path} any {of}{and};", parts.name("Thread")));
}

/// The thread again, with another amount in it.
fn thread_again(text: &mut Text, sign: char, state: &str) {
    let other = if sign == '+' { '-' } else { '+' };
    text.statement("output thread.lock", |text| {
        text.line(format!("value: thread.value {sign} coins,"));
        text.line(format!(
            "token: thread.token with {{ amount: thread.token.amount {other} amount, state: {{ raised: thread.state.raised {sign} coins{state} }} }},"
        ));
    });
}

/// The receipts of a pledge.
fn receipt(text: &mut Text, lock: &str) {
    text.statement(&format!("output {lock}"), |text| {
        text.line(format!("value: {RECEIPT},"));
        text.line("token: { category: campaign, amount: amount },");
    });
}

const OPEN: &str = " && !thread.state.closed";

fn pledge(text: &mut Text, parts: &Parts<'_>) {
    text.gap();
    text.docs("Pledges as many units as `amount` says; the receipts go to `backer`.");
    plan(text, parts, "pledge", "campaign: Category, amount: Tokens, backer: Lock", |text| {
        thread(text, parts, "pledge(amount: amount)", OPEN);
        text.line("let coins = int(amount) * 1 sats;");
        thread_again(text, '+', "");
        receipt(text, "backer");
    });
}

fn refund(text: &mut Text, parts: &Parts<'_>) {
    text.gap();
    text.docs("After the deadline: gives receipts back for their units, which go to `backer`.");
    plan(text, parts, "refund", "campaign: Category, amount: Tokens, backer: Lock", |text| {
        thread(text, parts, "refund(amount: amount)", " && thread.state.raised >= int(amount) * 1 sats");
        text.line("let coins = int(amount) * 1 sats;");
        thread_again(text, '-', ", closed: true");
        text.line("output backer { value: coins };");
    });
}

fn collect(text: &mut Text, parts: &Parts<'_>) {
    let c = parts.campaign;
    let threads: Vec<String> = (0..c.threads).map(|number| format!("thread_{number}")).collect();
    let sum = |field: &str| threads.iter().map(|thread| format!("{thread}.{field}")).collect::<Vec<_>>().join(" + ");
    text.gap();
    text.docs("The goal is reached: opens the escrow.");
    plan(text, parts, "collect", "campaign: Category", |text| {
        for thread in &threads {
            let of = format!("where {thread}.token.category == campaign + 0x01");
            text.line(format!("input {thread}: {}.collect() any {of};", parts.name("Thread")));
        }
        // Of the threads' tokens one goes on; the others have done their work.
        threads.iter().skip(1).for_each(|thread| text.line(format!("burn {thread};")));
        text.line(format!("let raised = {};", sum("state.raised")));
        text.statement(&format!("output {}", parts.escrow_lock("thread_0.params.")), |text| {
            text.line(format!("value: {},", sum("value")));
            text.line("token: {");
            text.line("    category: campaign, capability: mutable,");
            text.line(format!("    amount: {},", sum("token.amount")));
            let model = if c.keeps_model() { ", model: bytes(0, 32)" } else { "" };
            text.line(format!(
                "    state: {{ raised: raised, left: raised, outstanding: raised, tranche: 0, refunding: false{model} }},"
            ));
            text.line("},");
        });
    });
}

/// Pledges that wait as coins of their own.
fn waiting(text: &mut Text, parts: &Parts<'_>) {
    let name = parts.name("Pledge");
    text.gap();
    text.docs("A pledge that waits as a coin of its own, until someone gathers it.");
    plan(text, parts, "pledge_free", "campaign: Category, amount: Coin, backer: Hash160", |text| {
        text.line(format!("output {name}(backer, campaign).lock {{ value: amount }};"));
    });
    text.gap();
    text.docs("Gathers waiting pledges: all that are named, or all there are.");
    plan(text, parts, "gather", "campaign: Category", |text| {
        thread(text, parts, "pledge(amount: tokens(int(waiting.value)))", OPEN);
        let least = sats(parts.campaign.pledge.value);
        let of = format!("where waiting.params.campaign == campaign && waiting.value >= {least}");
        text.line(format!("input waiting: {name}.gather() each {of};"));
        text.line("let coins = waiting.value;");
        text.line("let amount = tokens(int(waiting.value));");
        thread_again(text, '+', "");
        text.statement("output each pledge in waiting", |text| {
            text.line("lock: p2pkh(pledge.params.backer),");
            text.line(format!("value: {RECEIPT},"));
            text.line("token: { category: campaign, amount: tokens(int(pledge.value)) },");
        });
    });
    text.gap();
    text.docs("The backer takes a waiting pledge back.");
    plan(text, parts, "cancel", "campaign: Category, backer: PubKey", |text| {
        let of = "where waiting.params.campaign == campaign && waiting.params.backer == hash160(backer)";
        text.line(format!("input waiting: {name}.cancel(key: backer, sig: backer) any {of};"));
        text.line("output p2pkh(hash160(backer)) { value: waiting.value };");
    });
    text.gap();
    text.docs("After the deadline: sends a waiting pledge home.");
    plan(text, parts, "expire", "campaign: Category", |text| {
        text.line(format!("input waiting: {name}.expire() any where waiting.params.campaign == campaign;"));
        text.line(format!("output p2pkh(waiting.params.backer) {{ value: waiting.value - {} }};", sats(EXPIRE_FEE)));
    });
}

/// `input escrow: ..` of the campaign that is meant.
fn escrow_input(text: &mut Text, parts: &Parts<'_>, path: &str) {
    let of = "where escrow.token.category == campaign + 0x01";
    text.line(format!("input escrow: {}.{path} any {of};", parts.name("Escrow")));
}

fn pay(text: &mut Text, parts: &Parts<'_>, number: usize, release: &Release, before: &RBig) {
    let given = parts.release_args(release);
    let mut args = vec!["campaign: Category".to_owned()];
    args.extend(given.iter().map(|(name, ty)| format!("{name}: {ty}")));
    let passed: Vec<String> = given.iter().map(|(name, _)| format!("{name}: {name}")).collect();
    let payout = match &parts.campaign.payout {
        Some(payout) => format!("escrow.params.{}", payout.value),
        None => format!("p2pkh(hash160(escrow.params.{}))", parts.campaign.builder.value),
    };
    text.gap();
    text.docs(&format!("Pays the builder the release `at {}`.", release.name));
    plan(text, parts, &format!("release_{}", release.name), &args.join(", "), |text| {
        escrow_input(text, parts, &format!("release_{}({})", release.name, passed.join(", ")));
        let attested = matches!(release.gate, Gate::Attested { .. });
        let model = if attested { format!(", model: {}", parts.free("model")) } else { String::new() };
        let (due, left) = match number + 1 == parts.campaign.release.len() {
            true => (format!("escrow.value - {RECORD}"), "0 sats"),
            false => (due_part(before, &release.share).replace("state.", "escrow.state."), "escrow.state.left - due"),
        };
        text.line(format!("let due = {due};"));
        text.statement("output escrow.lock", |text| {
            text.line("value: escrow.value - due,");
            text.line(format!(
                "token: escrow.token with {{ state: {{ left: {left}, tranche: {}{model} }} }},",
                number + 1
            ));
        });
        text.line(format!("output {payout} {{ value: due }};"));
    });
}

/// The escrow begins to pay back.
fn turn(text: &mut Text, parts: &Parts<'_>, docs: &str, path: &str, args: &str) {
    text.gap();
    text.docs(docs);
    plan(text, parts, path, "campaign: Category", |text| {
        escrow_input(text, parts, &format!("{path}({args})"));
        text.line(
            "output escrow.lock { value: escrow.value, token: escrow.token with { state: { refunding: true } } };",
        );
    });
}

fn redeem(text: &mut Text, parts: &Parts<'_>) {
    text.gap();
    text.docs("Gives receipts back for their part of what is left, which goes to `backer`.");
    plan(text, parts, "redeem", "campaign: Category, amount: Tokens, backer: Lock", |text| {
        escrow_input(text, parts, "redeem(amount: amount)");
        text.line("let back = escrow.state.left * int(amount) / int(escrow.state.outstanding);");
        text.statement("output escrow.lock", |text| {
            text.line("value: escrow.value - back,");
            text.line("token: escrow.token with {");
            text.line("    amount: escrow.token.amount + amount,");
            text.line("    state: { left: escrow.state.left - back, outstanding: escrow.state.outstanding - int(amount) * 1 sats },");
            text.line("},");
        });
        text.line("output backer { value: back };");
    });
}
