//! The proofs of an `imi`: its settings, dates and amounts.

use dashu_int::IBig;
use dashu_ratio::RBig;
use spec::Sats;
use spec::script::dust_limit_for;
use syntax::Code;
use syntax::ast::{self, Entry, EntryValue, ExprKind};

use super::release::{refund, release};
use super::text::EXPIRE_FEE;
use super::{Campaign, Gate, Release, ways};
use crate::body::Env;
use crate::domain::settings::{At, Quorum, Settings, ends_by_itself, known};
use crate::hir::Type;
use crate::number::grouped;
use crate::report::Report;
use crate::{budget, docs};

const SETTINGS: &[(&str, &str)] = &[
    ("builder", "builder: builder_key,"),
    ("payout", "payout: builder_lock,"),
    ("goal", "goal: 2_500 coin,"),
    ("deadline", "deadline: height 925_000,"),
    ("pledge", "pledge: at least 0.1 coin,"),
    ("threads", "threads: 4,"),
    ("deliver", "deliver: { weights: Hash256, by: height 960_000 },"),
    ("accept", "accept: 2 of [judge_a, judge_b, judge_c],"),
    ("release", "release: { at goal: 30%, at accept: 70% },"),
    ("refund", "refund: { no_goal: 100%, not_accepted: 70% },"),
    (budget::KEY, budget::EXAMPLE),
];
const DELIVER: &[(&str, &str)] = &[("weights", "weights: Hash256,"), ("by", "by: height 960_000,")];
/// More threads than this do not fit one collecting transaction's budgets with certainty.
const THREADS_MAX: u64 = 16;
/// The output of a backer, with whose key a pledge goes home: amount, length, lock.
const HOME_BYTES: usize = 8 + 1 + 25;
/// An output to the builder: amount, length, a lock of up to 35 bytes.
const PAYMENT_BYTES: usize = 8 + 1 + 35;

/// Proves a campaign. Nothing if a proof fails; why has been reported.
pub(crate) fn check<'a>(imi: &ast::Imi, env: Env<'a>, report: &mut Report<'a>) -> Option<Campaign> {
    let before = report.count();
    let (name, loc) = (&imi.name, report.loc(imi.name.span));
    let title = format!("the campaign `{name}`");
    let mut settings = Settings::new(title, known(SETTINGS), &imi.entries, name.span, env, report);
    let builder = settings.need("builder").and_then(|entry| settings.name(entry));
    let payout = settings.get("payout").map(|entry| settings.name(entry));
    let goal = settings.need("goal").and_then(|entry| settings.expr(entry)).and_then(|goal| settings.amount(goal));
    let deadline = settings.need("deadline").and_then(|entry| height(entry, &mut settings));
    let pledge = settings.need("pledge").and_then(|entry| pledge(entry, &mut settings));
    let threads = threads(&mut settings);
    let deliver = settings.get("deliver").map(|entry| deliver(entry, &mut settings));
    let accept = settings.get("accept").map(|entry| settings.quorum(entry));
    let release = settings.need("release").and_then(|entry| release(entry, &deliver, accept.is_some(), &mut settings));
    if let Some(release) = &release {
        refund(release, &mut settings);
    }
    distinct(&[builder.as_ref(), payout.as_ref().and_then(Option::as_ref)], accept.as_ref(), settings.report);
    let campaign = Campaign {
        name: name.to_string(),
        docs: docs(&imi.docs),
        loc,
        builder: builder?,
        payout: payout.map_or(Some(None), |payout| payout.map(Some))?,
        goal: goal?,
        deadline: deadline?,
        pledge: pledge?,
        threads: threads?,
        accept: accept.map_or(Some(None), |accept| accept.map(Some))?,
        release: release?,
    };
    ordered(&campaign, settings.report);
    amounts(&campaign, settings.report);
    ways::check(&campaign, settings.report);
    (settings.report.count() == before && !imi.name.is_missing()).then_some(campaign)
}

/// `height 925_000`. A time is refused: the dates of one campaign are compared with each other.
fn height(entry: &Entry, settings: &mut Settings<'_, '_, '_>) -> Option<At<u64>> {
    match &entry.value {
        EntryValue::Expr(value) => settings.height(value),
        _ => settings.malformed(entry),
    }
}

/// `at least 0.1 coin`. Nothing else: no script can refuse a pledge because it comes late.
fn pledge(entry: &Entry, settings: &mut Settings<'_, '_, '_>) -> Option<At<Sats>> {
    let phrase = match &entry.value {
        EntryValue::AtLeast(value) => return settings.amount(value),
        EntryValue::Phrase(phrase) => phrase,
        _ => return settings.malformed(entry),
    };
    if !ends_by_itself(phrase) {
        return settings.malformed(entry);
    }
    let found = settings.report.error(Code::E0904, "no script can refuse a pledge because it is late", entry.span);
    let found = found
        .note("a script can demand that some time has passed, not that it has not: what was valid once stays valid");
    settings.report.fail(found.help(
        "write `pledge: at least 0.1 coin,`: from the `deadline` on every pledge can be taken back, and the first \
         refund closes the campaign for good",
    ))
}

fn threads(settings: &mut Settings<'_, '_, '_>) -> Option<u64> {
    let Some(entry) = settings.get("threads") else { return Some(1) };
    let value = settings.expr(entry)?;
    settings.number(value, &Type::Int, 1, THREADS_MAX).map(|threads| threads.value)
}

fn deliver<'t>(entry: &'t Entry, settings: &mut Settings<'t, '_, '_>) -> Option<At<u64>> {
    let entries = settings.group(entry);
    let mut group =
        Settings::new("`deliver`".into(), known(DELIVER), entries?, entry.key.span, settings.env, settings.report);
    if let Some(entry) = group.get("weights") {
        let is_hash = |value: &ast::Expr| matches!(&value.kind, ExprKind::Name(name) if name.as_str() == "Hash256");
        if !matches!(&entry.value, EntryValue::Expr(value) if is_hash(value)) {
            group.malformed::<()>(entry);
        }
    }
    let by = group.need("by")?;
    height(by, &mut group)
}

/// Names that the contracts of a campaign use themselves.
const RESERVED: [&str; 11] =
    ["amount", "more", "raised", "value", "receipts", "thread", "less", "back", "i", "padding", "state"];

/// The builder, the payout and every judge have names of their own.
fn distinct(own: &[Option<&At<String>>], accept: Option<&Option<At<Quorum>>>, report: &mut Report<'_>) {
    let judges = accept.and_then(Option::as_ref).map_or(&[][..], |accept| &accept.value.keys);
    let named: Vec<&At<String>> = own.iter().copied().flatten().collect();
    for name in named.iter().copied().chain(judges).filter(|name| RESERVED.contains(&name.value.as_str())) {
        let found = report.error(Code::E0322, format!("`{}` means something in a campaign", name.value), &name.loc);
        report.push(found.help(format!("choose another name, such as `{}_key`", name.value)));
    }
    for (index, name) in named.iter().enumerate() {
        if let Some(judge) = judges.iter().find(|judge| judge.value == name.value) {
            let message = format!("`{}` would judge a model and be paid for it", name.value);
            let found = report.error(Code::E0325, message, &judge.loc).label(name.loc.clone(), "who is paid");
            report.push(found.help("name another judge"));
        }
        if let Some(second) = named.iter().skip(index + 1).find(|other| other.value == name.value) {
            let message = format!("`{}` cannot be both a key and a lock", name.value);
            let found = report.error(Code::E0322, message, &second.loc).label(name.loc.clone(), "the key");
            report.push(found.help("give the lock another name, or remove `payout`: then the builder's key is paid"));
        }
    }
}

/// Each date lies after the one before it.
fn ordered(campaign: &Campaign, report: &mut Report<'_>) {
    let mut last = ("the `deadline`".to_owned(), &campaign.deadline);
    for tranche in &campaign.release {
        let Gate::Attested { by: Some(by) } = &tranche.gate else { continue };
        if by.value <= last.1.value {
            let (own, before) = (grouped(&by.value.into()), grouped(&last.1.value.into()));
            let message =
                format!("`at {}` ends at height {own}, not after {} at height {before}", tranche.name, last.0);
            let found = report.error(Code::E0903, message, &by.loc).label(last.1.loc.clone(), "this comes first");
            report.push(found.help(format!("choose a height above {before}")));
        }
        last = (format!("`at {}`", tranche.name), by);
    }
}

/// Pledges and tranches are worth an output, and a pledge does not exceed the goal.
fn amounts(campaign: &Campaign, report: &mut Report<'_>) {
    let (pledge, goal) = (&campaign.pledge, &campaign.goal);
    // What waits and is sent home after the deadline loses this fee at most, and the rest has to be an output.
    let limit = dust_limit_for(HOME_BYTES).get() + EXPIRE_FEE.get();
    if pledge.value.get() < limit {
        let least = format!("{} sats", grouped(&IBig::from(limit)));
        let message =
            format!("a pledge of {} is below {least}: the fee and the dust limit of its way home", sats(pledge.value));
        let found = report.error(Code::E0906, message, &pledge.loc);
        report.push(found.help(format!("write `pledge: at least {least},` or more")));
    }
    if pledge.value > goal.value {
        let message =
            format!("the smallest pledge of {} is above the goal of {}", sats(pledge.value), sats(goal.value));
        let found = report.error(Code::E0906, message, &pledge.loc);
        report.push(found.label(goal.loc.clone(), "the goal").help("lower the smallest pledge"));
    }
    campaign.release.iter().for_each(|tranche| pays_dust(tranche, goal, report));
}

/// Rounding takes less than one unit off a tranche, so at the goal and above it pays the limit.
fn pays_dust(tranche: &Release, goal: &At<Sats>, report: &mut Report<'_>) {
    let limit = dust_limit_for(PAYMENT_BYTES);
    let due = &tranche.share * RBig::from(IBig::from(goal.value.get()));
    if due >= RBig::from(IBig::from(limit.get())) {
        return;
    }
    let message = format!(
        "`at {}` pays {} sats of the goal, below the dust limit of {}",
        tranche.name,
        grouped(&due.floor()),
        sats(limit)
    );
    let found = report.error(Code::E0906, message, &tranche.loc).label(goal.loc.clone(), "the goal");
    let enough = (RBig::from(IBig::from(limit.get())) / &tranche.share).ceil();
    report.push(found.help(format!("raise the share, or the goal to {} sats", grouped(&enough))));
}

pub(super) fn sats(amount: Sats) -> String {
    format!("{} sats", grouped(&IBig::from(amount.get())))
}
