//! `usage: 5 coin of Royalty to meter`: what users have paid, shown to the launch.
//!
//! No script sees earlier transactions. So what counts is money that is still there: a source of a
//! reward is the lock of a contract whose coins the launch counts, and gives to the treasury.
//!
//! ```text
//! users ─► Royalty ─ settle ─► Meter coins ─┬ count, beside the launch coin ─► treasury
//!                                  ▲ merge ─┤
//!                                  └────────┴ expire, after a year ──────────► treasury
//! ```
//!
//! The meter's lock stands in the reward long before the launch, and may even be part of what the launch
//! depends on, such as the record of a model that pays it. So the meter cannot know the launch by its lock.
//! It knows it by a token, the badge: its category is the id of a transaction whose first output is kept
//! until it is spent to make the launch coin.
//!
//! What faking costs: whoever pays the meter himself has given the amount to the treasury for ever.

use std::sync::Arc;

use dashu_int::IBig;
use dashu_ratio::RBig;
use spec::Sats;
use syntax::ast::{self, Entry, EntryValue, ExprKind, Ident, Phrase};
use syntax::{Code, Loc};

use super::Offering;
use super::price::sats;
use super::text::{Params, number};
use crate::domain::reward::{self, Leaf, Payee, Table};
use crate::domain::settings::{Settings, malformed};
use crate::domain::{Names, Text};
use crate::hir::Type;
use crate::number::grouped;

pub(super) const EXAMPLE: &str = "usage: 5 coin of Royalty to meter,";
/// The parameter that names the token by which the meter knows the launch.
pub(super) const BADGE: &str = "badge";
/// The most inputs from the first coin of the meter on. More coins are merged before.
const COINS_MAX: usize = 100;
/// After so many blocks, a year, a coin that no launch has counted goes to the treasury.
const YEAR: u64 = 52_560;
const SATS_PER_COIN: u64 = 100_000_000;
/// Amounts of less than a multiple of this are told in sats.
const FINE_SATS: u64 = 10_000;

/// What users must have paid before the launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// What the coins of the meter hold together, at least.
    pub(crate) amount: u64,
    /// The reward that pays the meter, and its source there.
    pub(crate) reward: String,
    pub(crate) source: String,
    /// The part of the reward that the meter gets, above 0.
    pub(crate) share: RBig,
    pub(crate) loc: Loc,
}

impl Usage {
    /// What the launch demands and what faking it costs, for its readers.
    pub(super) fn docs(&self, treasury: &str) -> String {
        let (reward, source, amount) = (&self.reward, &self.source, money(&IBig::from(self.amount)));
        let (share, paid) = (reward::percent(&self.share), money(&paid_by_users(self.amount, &self.share)));
        format!(
            "`launch` spends coins that `{reward}` paid to `{source}`: at least {amount}, which go to `{treasury}`.\n\
             `{source}` gets {share} of `{reward}`, so honest users have paid {paid} by then. Whoever fakes that gives\n\
             {amount} away to `{treasury}` for ever. If that lock is the faker's own, it costs the fees and proves nothing."
        )
    }
}

/// What a reward has divided when the source with this share has got so much, rounded up.
fn paid_by_users(amount: u64, share: &RBig) -> IBig {
    (RBig::from(IBig::from(amount)) / share).ceil()
}

/// `500 coin`, `2.5 coin`, `12_345 sats`
fn money(amount: &IBig) -> String {
    let coin = IBig::from(SATS_PER_COIN);
    let (whole, rest) = (grouped(&(amount / &coin)), amount % &coin);
    if rest == IBig::ZERO {
        return format!("{whole} coin");
    }
    if &rest % IBig::from(FINE_SATS) != IBig::ZERO {
        return format!("{} sats", grouped(amount));
    }
    let digits = format!("{:0>8}", rest.to_string());
    format!("{whole}.{} coin", digits.trim_end_matches('0'))
}

/// What stands in `10% of Royalty to holders`, `5 coin of Royalty to meter`.
pub(super) struct Paid<'t> {
    pub(super) what: &'t ast::Expr,
    pub(super) reward: &'t Ident,
    pub(super) source: &'t Ident,
}

/// Reads `what of reward to source`.
pub(super) fn paid<'t>(entry: &'t Entry, example: &str, settings: &mut Settings<'t, '_, '_>) -> Option<Paid<'t>> {
    let EntryValue::Phrase(Phrase { head: Some(what), clauses }) = &entry.value else {
        return malformed(entry, example, settings.report);
    };
    let name = |clause: &'t ast::Clause| match clause.value.as_ref().map(|value| &value.kind) {
        Some(ExprKind::Name(name)) if clause.entries.is_none() => Some((clause.text(), name)),
        _ => None,
    };
    let names: Option<Vec<(String, &Ident)>> = clauses.iter().map(name).collect();
    match names.unwrap_or_default().as_slice() {
        [(of, reward), (to, source)] if of == "of" && to == "to" => Some(Paid { what, reward, source }),
        _ => malformed(entry, example, settings.report),
    }
}

impl Paid<'_> {
    /// The source of the reward that is meant. Without it the declaration would promise what nobody pays; `harm`
    /// says so, `share` is what the source should be given.
    pub(super) fn source_in<'a>(
        &self,
        code: Code,
        (harm, share): (&str, &str),
        settings: &mut Settings<'_, 'a, '_>,
    ) -> Option<(&'a Table, &'a Leaf)> {
        let Paid { reward, source, .. } = self;
        let Some(table) = settings.env.signatures.reward(reward.as_str()) else {
            let message = format!("there is no reward `{reward}`, so {harm}");
            let found = settings.report.error(code, message, reward.span);
            return settings
                .report
                .fail(found.help(format!("declare `reward {reward} {{ {source}: .. }}`, or import it")));
        };
        let table = table.as_ref()?;
        let leaf = table.leaves.iter().find(|leaf| leaf.name == source.as_str() && leaf.payee != Payee::List);
        if leaf.is_none() {
            let message = format!("`{reward}` has no source `{source}`, so {harm}");
            let found = settings.report.error(code, message, source.span).label(table.loc.clone(), "the reward");
            settings.report.push(found.help(format!("add `{source}: {share}` to `{reward}`")));
        }
        Some((table, leaf?))
    }
}

/// `5 coin of Royalty to meter`: the reward has such a source, whose weight never changes.
pub(super) fn read<'t>(entry: &'t Entry, settings: &mut Settings<'t, '_, '_>) -> Option<Usage> {
    let paid = paid(entry, EXAMPLE, settings)?;
    // The treasury's output must not be dust.
    let amount = settings.number(paid.what, &Type::Coin, super::BASE_SATS, Sats::MAX.get())?;
    let (table, leaf) = paid.source_in(Code::E0927, ("nothing shows how it is used", "1%"), settings)?;
    let (reward, source) = (paid.reward.to_string(), paid.source.to_string());
    if matches!(&table.form, reward::Form::List { adjust: Some(_) }) {
        let message = format!("the weight of `{source}` in `{reward}` can change, so what it shows is not known");
        let found = settings.report.error(Code::E0927, message, paid.source.span);
        let found = found.label(table.loc.clone(), "the reward, which can be adjusted");
        return settings
            .report
            .fail(found.help(format!("let a reward without `adjust` pay `{source}` before `{reward}` gets the rest")));
    }
    let share = RBig::from_parts(leaf.weight.into(), table.denominator.into());
    Some(Usage { amount: amount.value, reward, source, share, loc: settings.report.loc(entry.span) })
}

/// The parameters of the meter: the badge and the treasury. The launch has them too.
pub(super) fn params(offering: &Offering, usage: &Usage) -> Params {
    let treasury = &offering.treasury;
    vec![
        (BADGE.to_owned(), "Category".to_owned(), usage.loc.clone()),
        (treasury.value.clone(), "Lock".to_owned(), treasury.loc.clone()),
    ]
}

fn meter(offering: &Offering) -> String {
    format!("{}Meter({BADGE}, {})", offering.name, offering.treasury.value)
}

/// What the launch counts. That the treasury gets all of it is the meter's own check too.
pub(super) fn counted(text: &mut Text, offering: &Offering, usage: &Usage, names: &mut Names) {
    let [total, input] = ["usage", "input"].map(|name| names.fresh(name));
    let (first, lock) = (offering.first_meter(), meter(offering));
    text.require(format!("self.token.category == {BADGE}"), &format!("the launch coin carries the token `{BADGE}`"));
    let counts = format!("tx.inputs[{input}].lock == {lock}.lock");
    text.sum_of_inputs((&total, &input), first, COINS_MAX, &counts);
    let (amount, reward, source) = (sats(usage.amount), &usage.reward, &usage.source);
    text.require(
        format!("{total} >= {amount}"),
        &format!("coins that `{reward}` paid to `{source}` hold at least {amount}"),
    );
    treasury_gets(text, offering, offering.treasury_output(), &total);
}

/// Output `output` gives the treasury so much, without a token.
fn treasury_gets(text: &mut Text, offering: &Offering, output: usize, owed: &str) {
    let treasury = &offering.treasury.value;
    text.require(format!("tx.outputs[{output}].lock == {treasury}"), &format!("output {output} is for `{treasury}`"));
    text.require(
        format!("tx.outputs[{output}].value >= {owed}"),
        &format!("`{treasury}` gets all that the coins of the meter hold"),
    );
    text.require(format!("tx.outputs[{output}].token.category == 0x"), &format!("output {output} carries no token"));
}

/// The contract whose lock is the source of the reward.
pub(super) fn contract(text: &mut Text, offering: &Offering, usage: &Usage) {
    let (treasury, reward) = (&offering.treasury.value, &usage.reward);
    let taken = [BADGE.to_owned(), treasury.clone()].into_iter().collect();
    let mut names = Names::new(Arc::new(taken));
    let [owed, input] = ["owed", "input"].map(|name| names.fresh(name));
    text.gap();
    text.docs(&format!(
        "What `{reward}` pays to show that it is used. A launch counts it, and a year later it goes to `{treasury}`\n\
         in any case.\n\n\
         The launch is known by the token `{BADGE}`. Where else such a token were, `count` would still pay `{treasury}`."
    ));
    text.contract(&format!("{}Meter", offering.name), &params(offering, usage), |text| {
        count(text, offering, &owed, &input);
        text.gap();
        merge(text, &owed, &input);
        text.gap();
        expire(text, offering, &owed, &input);
    });
}

/// The first coin checks for all of them; what a coin of the treasury beside them holds comes on top, as that
/// could show its own next coin as the payment.
fn count(text: &mut Text, offering: &Offering, owed: &str, input: &str) {
    let (first, treasury) = (offering.first_meter(), &offering.treasury.value);
    text.docs(&format!("The launch counts the coin, and `{treasury}` gets it."));
    text.block("spend count()", |text| {
        text.require(
            format!("tx.inputs[0].token.category == {BADGE}"),
            &format!("the launch coin, which carries the token `{BADGE}`, is the first input"),
        );
        text.require(format!("self.index >= {first}"), "the coins of the meter stand behind what the launch reads");
        text.require(format!("tx.inputs[{first}].lock == self.lock"), &format!("input {first} is a coin of the meter"));
        text.block(&format!("if self.index == {first}"), |text| {
            let lock = format!("tx.inputs[{input}].lock");
            let counts = format!("{lock} == self.lock || {lock} == {treasury}");
            text.sum_of_inputs((owed, input), 1, COINS_MAX + first, &counts);
            treasury_gets(text, offering, offering.treasury_output(), owed);
        });
    });
}

/// A year begins anew for what is merged. Two coins are needed, so that putting it off costs what is added.
fn merge(text: &mut Text, owed: &str, input: &str) {
    text.docs("Makes one coin of several, so that a launch has room for them. Anyone may do it.");
    text.block("spend merge()", |text| {
        text.require("tx.inputs[0].lock == self.lock", "the first input is a coin of the meter");
        text.block("if self.index == 0", |text| {
            text.require("tx.inputs[1].lock == self.lock", "two coins of the meter are merged at least");
            text.sum_of_inputs((owed, input), 0, COINS_MAX, &format!("tx.inputs[{input}].lock == self.lock"));
            text.require("tx.outputs[0].lock == self.lock", "output 0 is the meter's");
            text.require(format!("tx.outputs[0].value >= {owed}"), "the meter keeps all that the coins hold");
            only_change(text);
        });
    });
}

/// Coins that no launch counts are not lost.
fn expire(text: &mut Text, offering: &Offering, owed: &str, input: &str) {
    let treasury = &offering.treasury.value;
    let year = number(YEAR);
    text.docs(&format!("Sends a coin that has lain for {year} blocks, a year, to `{treasury}`. Anyone may do it."));
    text.block("spend expire()", |text| {
        text.require("self.index == 0", "the coin is the first input");
        text.require(format!("self.age >= {year} blocks"), &format!("the coin has lain for {year} blocks"));
        text.line(format!("let mut {owed} = self.value;"));
        text.block(&format!("for {input} in 1..tx.inputs.length max {COINS_MAX}"), |text| {
            text.require(format!("tx.inputs[{input}].lock != self.lock"), "one coin of the meter goes at a time");
            text.block(&format!("if tx.inputs[{input}].lock == {treasury}"), |text| {
                text.line(format!("{owed} = {owed} + tx.inputs[{input}].value;"));
            });
        });
        text.require(format!("tx.outputs[0].lock == {treasury}"), &format!("output 0 is for `{treasury}`"));
        text.require(format!("tx.outputs[0].value >= {owed}"), &format!("`{treasury}` gets all that the coin holds"));
        only_change(text);
    });
}

/// A token that was sent to the meter by mistake neither stops it nor goes on.
fn only_change(text: &mut Text) {
    text.require("tx.outputs[0].token.category == 0x", "output 0 carries no token");
    text.require("tx.outputs.length <= 2", "one output of change may follow");
    text.block("if tx.outputs.length == 2", |text| {
        text.require("tx.outputs[1].token.category == 0x", "change carries no token");
    });
}

/// Makes the badge on the launch coin, in the plan that prepares it.
pub(super) fn badge(text: &mut Text, lock: &str, value: &str, names: &mut Names) {
    let first = names.fresh("first");
    text.line(format!("input {first}: genesis;"));
    text.require(
        format!("{first}.txid == {BADGE}"),
        &format!(
            "the coin that is spent first is the one that `{BADGE}` names: output 0 of the transaction of that id"
        ),
    );
    text.line(format!("output {lock} {{ value: {value}, token: {{ category: {BADGE}, amount: 1 }} }};"));
}

/// The coins of the meter that the launch spends, in its plan, and what the treasury gets.
pub(super) fn inputs_of_launch(text: &mut Text, offering: &Offering) {
    let (name, treasury) = (&offering.name, &offering.treasury.value);
    text.line(format!(
        "input used: {name}Meter.count() each where used.params.{BADGE} == coin.params.{BADGE} \
         && used.params.{treasury} == coin.params.{treasury};"
    ));
}

pub(super) fn outputs_of_launch(text: &mut Text, offering: &Offering, usage: &Usage) {
    let amount = sats(usage.amount);
    text.require(
        format!("used.value >= {amount}"),
        &format!("the coins that `{}` paid to `{}` hold at least {amount}", usage.reward, usage.source),
    );
    text.line("// Tokens that were sent to the meter by mistake end here, as the badge does.");
    text.line("burn coin;");
    text.line("burn used;");
    text.line(format!("output coin.params.{} {{ value: used.value }};", offering.treasury.value));
}

/// The other things that happen to coins of the meter.
pub(super) fn plans(text: &mut Text, offering: &Offering, prefix: &str) {
    let name = &offering.name;
    let treasury = &offering.treasury.value;
    let params: [(&str, &str); 2] = [(BADGE, "Category"), (treasury, "Lock")];
    let args: Vec<_> = params.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
    let mut names = Names::new(Arc::new([BADGE.to_owned(), treasury.clone()].into_iter().collect()));
    let coins = names.fresh("coins");
    let of = format!("where {coins}.params.{BADGE} == {BADGE} && {coins}.params.{treasury} == {treasury}");
    text.gap();
    text.docs("Makes one coin of the meter of all that are named, or of all there are.");
    text.block(&format!("plan {prefix}_merge({})", args.join(", ")), |text| {
        text.line(format!("input {coins}: {name}Meter.merge() each {of};"));
        text.line(format!("burn {coins};"));
        text.line(format!("output {coins}.lock {{ value: {coins}.value }};"));
    });
    text.gap();
    text.docs(&format!("Sends a coin of the meter that no launch has counted for a year to `{treasury}`."));
    text.block(&format!("plan {prefix}_expire({})", args.join(", ")), |text| {
        text.line(format!("input {coins}: {name}Meter.expire() any {of};"));
        text.line(format!("burn {coins};"));
        text.line(format!("output {treasury} {{ value: {coins}.value }};"));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_told_in_the_unit_that_reads_best() {
        for (amount, told) in [
            (50_000_000_000u64, "500 coin"),
            (250_000_000, "2.5 coin"),
            (1_000_000, "0.01 coin"),
            (100_010_000, "1.0001 coin"),
            (100_000_001, "100_000_001 sats"),
            (2_000, "2_000 sats"),
        ] {
            assert_eq!(money(&IBig::from(amount)), told);
        }
    }

    #[test]
    fn what_users_paid_is_rounded_up() {
        let share = |part: u32, whole: u32| RBig::from_parts(part.into(), whole.into());
        for (amount, share, paid) in [(500, share(1, 100), 50_000u64), (100, share(1, 3), 300), (100, share(3, 7), 234)]
        {
            assert_eq!(paid_by_users(amount, &share), IBig::from(paid));
        }
    }
}
