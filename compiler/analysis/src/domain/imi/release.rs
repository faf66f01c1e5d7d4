//! The tranches of an `imi`, and what is refunded when one of them is never paid.

use std::collections::BTreeMap;

use dashu_int::IBig;
use dashu_ratio::RBig;
use syntax::Code;
use syntax::ast::Entry;

use super::{Gate, Release};
use crate::domain::settings::{At, Known, Settings, set_twice};

/// The most tranches.
const RELEASES_MAX: usize = 16;
/// The finest share: what the messages and the script still show well.
const DENOMINATOR_MAX: u64 = 1_000_000_000;
/// How a tranche is written.
const EXAMPLE: &str = "at beta: 20% by height 950_000,";

/// The tranches in order. Together they are everything that was raised.
pub(super) fn release<'t>(
    entry: &'t Entry,
    deliver: &Option<Option<At<u64>>>,
    has_judges: bool,
    settings: &mut Settings<'t, '_, '_>,
) -> Option<Vec<Release>> {
    let entries = match &entry.value {
        syntax::ast::EntryValue::Group { weight: None, entries } => entries,
        _ => return settings.malformed(entry),
    };
    if entries.is_empty() || entries.len() > RELEASES_MAX {
        let message = format!("a campaign has 1 to {RELEASES_MAX} releases, not {}", entries.len());
        let found = settings.report.error(Code::E0901, message, entry.span);
        return settings.report.fail(found.help("write it like `release: { at goal: 30%, at accept: 70% },`"));
    }
    let mut seen: BTreeMap<&str, &Entry> = BTreeMap::new();
    for entry in entries.iter() {
        if let Some(first) = seen.insert(entry.key.as_str(), entry) {
            set_twice(entry, first, settings.report);
        }
    }
    let tranche = |(at, entry)| tranche(at, entry, deliver, has_judges, settings);
    let tranches: Vec<_> = entries.iter().enumerate().map(tranche).collect();
    let tranches = tranches.into_iter().collect::<Option<Vec<_>>>()?;
    (sums_to_one(&tranches, entry, settings)? && seen.len() == entries.len()).then_some(tranches)
}

fn sums_to_one(tranches: &[Release], entry: &Entry, settings: &mut Settings<'_, '_, '_>) -> Option<bool> {
    let sum = tranches.iter().fold(RBig::ZERO, |sum, release| sum + &release.share);
    if sum == RBig::ONE {
        return Some(true);
    }
    let parts: Vec<_> = tranches.iter().map(|release| percent(&release.share)).collect();
    let message = format!("the releases add up to {} of what is raised, not 100%", percent(&sum));
    let found = settings.report.error(Code::E0901, message, entry.span);
    let found = found.saying(format!("{} = {}", parts.join(" + "), percent(&sum)));
    let help = if sum > RBig::ONE {
        format!("take {} away: nobody can be paid what was not pledged", percent(&(sum - RBig::ONE)))
    } else {
        format!("add {}: nobody could ever spend it", percent(&(RBig::ONE - sum)))
    };
    settings.report.fail(found.help(help))
}

fn tranche<'t>(
    at: usize,
    entry: &'t Entry,
    deliver: &Option<Option<At<u64>>>,
    has_judges: bool,
    settings: &mut Settings<'t, '_, '_>,
) -> Option<Release> {
    let Some(name) = entry.key.as_str().strip_prefix("at ") else {
        let found = settings.report.error(Code::E0322, format!("`{}` says no moment", entry.key), entry.key.span);
        return settings.report.fail(found.help("write the moment, such as `at goal: 30%` or `at accept: 70%`"));
    };
    let (share, by) = settings.share_with(entry, "by", EXAMPLE)?;
    let by = match by {
        Some(by) => Some(settings.height(by)?),
        None => None,
    };
    let is_too_fine = *share.value.denominator() > dashu_int::UBig::from(DENOMINATOR_MAX);
    if is_too_fine {
        let found = settings.report.error(Code::E0324, "the share is finer than a billionth", entry.span);
        return settings.report.fail(found.help("round it, such as `33.33%`, and give the rest to another release"));
    }
    let gate = if name == "goal" {
        if at > 0 || by.is_some() {
            let found = settings.report.error(Code::E0901, "`at goal` comes first and waits for nothing", entry.span);
            return settings.report.fail(found.help("move it to the front, without a date"));
        }
        Gate::Goal
    } else {
        if !has_judges {
            let found = settings.report.error(Code::E0320, format!("nobody can attest `at {name}`"), entry.span);
            return settings.report.fail(found.help("add `accept: 2 of [judge_a, judge_b, judge_c],`"));
        }
        let delivery = deliver.clone().flatten().filter(|_| name == "accept");
        Gate::Attested { by: by.or(delivery) }
    };
    Some(Release { name: name.replace(' ', "_"), share: share.value, gate, loc: settings.report.loc(entry.span) })
}

/// What is refunded on each outcome is what was not released before it.
pub(super) fn refund(release: &[Release], settings: &mut Settings<'_, '_, '_>) {
    let Some(entry) = settings.get("refund") else { return };
    let outcomes = outcomes(release);
    let key = |outcome: &Outcome| Known { key: outcome.key.clone(), example: "not_accepted: 70%," };
    let known = outcomes.iter().map(key).collect();
    let Some(entries) = settings.group(entry) else { return };
    let mut group = Settings::new("`refund`".into(), known, entries, entry.key.span, settings.env, settings.report);
    for outcome in &outcomes {
        let Some(entry) = group.get(&outcome.key) else { continue };
        let Some(share) = group.expr(entry).and_then(|value| group.share(value)) else { continue };
        if share.value != outcome.left {
            let left = percent(&outcome.left);
            let message =
                format!("`{}` refunds {} of what was raised, but {left} is left", outcome.key, percent(&share.value));
            let found = group.report.error(Code::E0902, message, &share.loc).saying(outcome.why.clone());
            group.report.push(found.help(format!("write `{}: {left},`, or change the releases", outcome.key)));
        }
    }
}

struct Outcome {
    key: String,
    left: RBig,
    why: String,
}

/// How a campaign can end without the last release, and which share is left then.
fn outcomes(release: &[Release]) -> Vec<Outcome> {
    let nothing = "nothing has been released then".to_owned();
    let mut outcomes = vec![Outcome { key: "no_goal".into(), left: RBig::ONE, why: nothing.clone() }];
    let mut paid = RBig::ZERO;
    for tranche in release {
        if let Gate::Attested { .. } = tranche.gate {
            let why = match paid == RBig::ZERO {
                true => nothing.clone(),
                false => format!("{} has been released then", percent(&paid)),
            };
            let key = if tranche.name == "accept" { "not_accepted".into() } else { format!("not_{}", tranche.name) };
            outcomes.push(Outcome { key, left: RBig::ONE - &paid, why });
        }
        paid += &tranche.share;
    }
    outcomes
}

/// A share as a percentage, if that is exact with two decimals.
pub(super) fn percent(share: &RBig) -> String {
    let hundredths = share * RBig::from(IBig::from(10_000));
    if !hundredths.is_int() {
        return share.to_string();
    }
    let n = hundredths.floor();
    let (whole, part) = (&n / IBig::from(100), &n % IBig::from(100));
    if part == IBig::ZERO { format!("{whole}%") } else { format!("{whole}.{part:0>2}%") }
}
