//! The proofs of an `imo`: the parts are the supply, and every part can reach its owners.

use std::collections::BTreeMap;

use dashu_int::IBig;
use dashu_ratio::RBig;
use syntax::ast::{self, Entry, EntryValue, ExprKind, Ident, Phrase};
use syntax::{Code, ItemKind, Loc, Word, WordClass};

use super::price;
use super::text::launch_params;
use super::{Backed, Kind, Offering, Part, Revenue, Source, adoption, usage};
use crate::body::Env;
use crate::domain::reward;
use crate::domain::settings::{At, Known, Quorum, Settings, known, malformed};
use crate::hir::Type;
use crate::number::grouped;
use crate::report::Report;
use crate::{budget, docs};

/// A number of tokens is a positive number of eight bytes.
const SUPPLY_MAX: u64 = i64::MAX as u64;
/// The most parts: their outputs, the holders' and change fit one transaction with room to spare.
const PARTS_MAX: usize = 20;
/// A number of blocks is a positive number of four bytes.
const BLOCKS_MAX: u64 = i32::MAX as u64;

const CRITERIA: &str = "criteria: 2 of [judge_a, judge_b, judge_c] over \"benchmark >= 0.92\",";
const PRO_RATA: &str = "backers: 40% pro rata TinyCoder.receipts,";
const VEST: &str = "builder: 20% vest linear over 52_560 blocks cliff 4_320 blocks,";
const UPSTREAM: &str = "upstream: 15%,` or `upstream: 15% to TextToImage,";
const REVENUE: &str = "revenue: 10% of Royalty to holders,";

fn settings() -> Vec<Known> {
    known(&[
        ("criteria", CRITERIA),
        ("supply", "supply: 21_000_000,"),
        ("allocate", "allocate: { backers: 40% pro rata TinyCoder.receipts, treasury: rest },"),
        ("treasury", "treasury: community,"),
        ("revenue", REVENUE),
        ("usage", usage::EXAMPLE),
        ("adoption", adoption::EXAMPLE),
        (budget::KEY, budget::EXAMPLE),
    ])
}

/// Proves an offering. Nothing if a proof fails; why has been reported.
pub(crate) fn check<'a>(imo: &ast::Imo, env: Env<'a>, report: &mut Report<'a>) -> Option<Offering> {
    let before = report.count();
    subject(imo, env, report);
    let title = format!("the offering `{}`", imo.name);
    let mut settings = Settings::new(title, settings(), &imo.entries, imo.name.span, env, report);
    let judges = settings.need("criteria").and_then(|entry| criteria(entry, &mut settings));
    let supply = match settings.need("supply") {
        Some(entry) => settings.expr(entry).and_then(|value| settings.number(value, &Type::Tokens, 1, SUPPLY_MAX)),
        None => None,
    };
    let treasury = match settings.get("treasury") {
        Some(entry) => settings.name(entry),
        None => Some(settings.at("treasury".to_owned(), imo.name.span)),
    };
    let parts = match (settings.need("allocate"), &supply) {
        (Some(entry), Some(supply)) => parts(imo, entry, supply.value, &mut settings),
        _ => None,
    };
    let revenue = settings.get("revenue").and_then(|entry| revenue(entry, &mut settings));
    let usage = settings.get("usage").and_then(|entry| usage::read(entry, &mut settings));
    let adoption = settings.get("adoption").and_then(|entry| adoption::read(imo, entry, &mut settings));
    if settings.report.count() != before || imo.name.is_missing() {
        return None;
    }
    let (judges, criteria) = judges?;
    let offering = Offering {
        name: imo.name.to_string(),
        docs: docs(&imo.docs),
        loc: report.loc(imo.name.span),
        judges,
        criteria,
        supply: supply?,
        parts: parts?,
        treasury: treasury?,
        revenue,
        usage,
        adoption,
    };
    names(&offering, report)?;
    Some(offering)
}

/// What is offered is declared in the program.
fn subject(imo: &ast::Imo, env: Env<'_>, report: &mut Report<'_>) {
    let [name] = imo.subject.as_slice() else { return };
    if name.is_missing() || env.signatures.is_broken(name.as_str()) {
        return;
    }
    if !matches!(env.signatures.kind(name.as_str()), Some(ItemKind::Imi | ItemKind::Model | ItemKind::Reward)) {
        let found =
            report.error(Code::E0926, format!("there is no `imi`, `model` or `reward` called `{name}`"), name.span);
        report.push(found.help(format!(
            "declare `imi {name} {{ .. }}`, `model {name} {{ .. }}` or `reward {name} {{ .. }}`, or import it"
        )));
    }
}

/// `2 of [a, b] over "benchmark >= 0.92"`
fn criteria<'t>(entry: &'t Entry, settings: &mut Settings<'t, '_, '_>) -> Option<(At<Quorum>, At<String>)> {
    let EntryValue::Phrase(Phrase { head: Some(judges), clauses }) = &entry.value else {
        return settings.malformed(entry);
    };
    let [clause] = clauses.as_slice() else { return settings.malformed(entry) };
    let words = match (clause.text().as_str(), &clause.value, &clause.entries) {
        ("over", Some(ast::Expr { kind: ExprKind::Str(text), span }), None) if !text.is_empty() => {
            settings.at(text.to_string(), *span)
        }
        _ => return settings.malformed(entry),
    };
    Some((settings.quorum_in(entry, judges)?, words))
}

/// A weight as written; nothing for what the others leave.
type Weight = Option<RBig>;

/// The parts in order. Their amounts are the supply, rounded so that they sum to it exactly.
fn parts<'t>(imo: &ast::Imo, entry: &'t Entry, supply: u64, settings: &mut Settings<'t, '_, '_>) -> Option<Vec<Part>> {
    let entries = settings.group(entry)?;
    if entries.is_empty() || entries.len() > PARTS_MAX {
        let message = format!("a supply has 1 to {PARTS_MAX} parts, not {}", entries.len());
        let found = settings.report.error(Code::E0921, message, entry.span);
        return settings
            .report
            .fail(found.help("write it like `allocate: { builder: 20%, sale: 80% price fixed 100 sats },`"));
    }
    if entries.iter().any(|part| part.key.is_missing()) {
        return None;
    }
    let weights: Vec<_> = entries.iter().map(|entry| weight(entry, settings)).collect();
    let weights = weights.into_iter().collect::<Option<Vec<Weight>>>()?;
    let shares = exact(entry, entries, weights, settings)?;
    let mut parts = Vec::with_capacity(entries.len());
    let (mut reached, mut given) = (RBig::ZERO, 0);
    for (part, share) in entries.iter().zip(&shares) {
        reached += share;
        let next = nearest(supply, &reached);
        let amount = next - given;
        given = next;
        let kind = kind(imo, part, amount, settings);
        if amount == 0 {
            let message = format!("`{}` gets none of {} tokens", part.key, grouped(&IBig::from(supply)));
            let found = settings.report.error(Code::E0921, message, part.span).saying(format!("{share} of the supply"));
            settings.report.push(found.help("raise the supply or the weight"));
        }
        let loc = settings.report.loc(part.span);
        parts.push(kind.map(|kind| Part { name: part.key.to_string(), amount, kind, loc }));
    }
    let parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
    once(&parts, settings.report)?;
    Some(parts)
}

/// The whole number nearest to a part of the supply.
fn nearest(whole: u64, part: &RBig) -> u64 {
    let exact = part * RBig::from(IBig::from(whole)) + RBig::from_parts(IBig::ONE, 2u8.into());
    u64::try_from(exact.floor()).unwrap_or(whole)
}

fn weight(entry: &Entry, settings: &mut Settings<'_, '_, '_>) -> Option<Weight> {
    let is_rest = |name: &Ident| name.as_str() == "rest";
    let weight = match &entry.value {
        EntryValue::Expr(ast::Expr { kind: ExprKind::Name(name), .. }) if is_rest(name) => return Some(None),
        EntryValue::Expr(weight) | EntryValue::Phrase(Phrase { head: Some(weight), .. }) => weight,
        EntryValue::Phrase(Phrase { head: None, clauses })
            if clauses.first().and_then(|clause| clause.words.first()).is_some_and(is_rest) =>
        {
            return Some(None);
        }
        _ => return malformed(entry, "treasury: 5%,", settings.report),
    };
    let share = reward::share(weight, settings.env, settings.report)?;
    if share <= RBig::ZERO {
        let found = settings.report.error(Code::E0921, format!("`{}` has a weight of {share}", entry.key), weight.span);
        return settings.report.fail(found.help("raise it, or remove the part"));
    }
    Some(Some(share))
}

/// Every share, what is left computed; they sum to one.
fn exact(
    whole: &Entry,
    entries: &[Entry],
    weights: Vec<Weight>,
    settings: &mut Settings<'_, '_, '_>,
) -> Option<Vec<RBig>> {
    let sum = weights.iter().flatten().fold(RBig::ZERO, |sum, weight| sum + weight);
    let rests = weights.iter().filter(|weight| weight.is_none()).count();
    let left = RBig::ONE - &sum;
    if rests == 1 && left > RBig::ZERO || rests == 0 && left == RBig::ZERO {
        return Some(weights.into_iter().map(|weight| weight.unwrap_or_else(|| left.clone())).collect());
    }
    let message = match rests {
        0 => format!("the parts add up to {}, not 100 %", reward::percent(&sum)),
        1 => format!("nothing is left for `rest`: the other parts add up to {}", reward::percent(&sum)),
        _ => "only one part can be `rest`".to_owned(),
    };
    let terms: Vec<_> =
        entries.iter().zip(&weights).filter_map(|(_, weight)| weight.as_ref()).map(reward::percent).collect();
    let found = settings.report.error(Code::E0921, message, whole.key.span);
    let found = found.saying(format!("{} = {}", terms.join(" + "), reward::percent(&sum)));
    settings.report.fail(found.help(match (rests, left > RBig::ZERO) {
        (0, true) => format!("add {}, or let one part be `rest`", reward::percent(&left)),
        (0, false) => format!("take {} away, or let one part be `rest`", reward::percent(&-left)),
        (1, _) => "make another part smaller".to_owned(),
        _ => "give all but one of them a weight".to_owned(),
    }))
}

/// How a part reaches its owners.
fn kind<'t>(imo: &ast::Imo, entry: &'t Entry, amount: u64, settings: &mut Settings<'t, '_, '_>) -> Option<Kind> {
    let is_upstream = entry.key.as_str() == "upstream";
    let EntryValue::Phrase(phrase) = &entry.value else {
        return if is_upstream { upstream(imo, entry, None, amount, settings) } else { Some(Kind::Plain) };
    };
    if price::is_price(&entry.value) {
        return price::read(entry, phrase, amount, settings).map(Kind::Sale);
    }
    let words = |index: usize| phrase.clauses.get(index).map(|clause| clause.text()).unwrap_or_default();
    let first = words(0);
    let first = first.strip_prefix("rest").map_or(first.as_str(), str::trim_start);
    let has_groups = phrase.clauses.iter().any(|clause| clause.entries.is_some());
    let values: Vec<&ast::Expr> = phrase.clauses.iter().filter_map(|clause| clause.value.as_ref()).collect();
    match (first, words(1).as_str(), values.as_slice()) {
        _ if has_groups => malformed(entry, UPSTREAM, settings.report),
        ("pro rata", "", [of]) => pro_rata(entry, of, settings),
        ("vest linear over", "", [over]) => vest(over, None, settings),
        ("vest linear over", "cliff", [over, cliff]) => vest(over, Some(cliff), settings),
        ("to", "", [to]) if is_upstream => upstream(imo, entry, Some(to), amount, settings),
        ("pro" | "pro rata", ..) => malformed(entry, PRO_RATA, settings.report),
        (vest, ..) if vest.starts_with("vest") => malformed(entry, VEST, settings.report),
        _ if is_upstream => malformed(entry, UPSTREAM, settings.report),
        _ => malformed(entry, price::EXAMPLE, settings.report),
    }
}

/// `pro rata TinyCoder.receipts`
fn pro_rata(entry: &Entry, of: &ast::Expr, settings: &mut Settings<'_, '_, '_>) -> Option<Kind> {
    let ExprKind::Field { base, name } = &of.kind else { return malformed(entry, PRO_RATA, settings.report) };
    let (ExprKind::Name(campaign), "receipts") = (&base.kind, name.as_str()) else {
        return malformed(entry, PRO_RATA, settings.report);
    };
    if settings.env.signatures.is_broken(campaign.as_str()) {
        return None;
    }
    if let Some(proved) = settings.env.signatures.campaign(campaign.as_str()) {
        // A campaign that was not proved has been reported.
        let proved = proved.as_ref()?;
        let (record, names_model) = (proved.record("raised", "model"), proved.records_model());
        return Some(Kind::ProRata(Backed { campaign: campaign.to_string(), record, names_model }));
    }
    {
        let message = format!("there is no `imi` called `{campaign}`, so nobody has its receipts");
        let found = settings.report.error(Code::E0926, message, campaign.span);
        settings.report.fail(found.help("name the `imi` whose backers get this part"))
    }
}

/// `vest linear over 52_560 blocks cliff 4_320 blocks`. What is released never falls and never
/// exceeds the part: it is the part times the blocks that have passed over all, of which no more than
/// all count.
fn vest(over: &ast::Expr, cliff: Option<&ast::Expr>, settings: &mut Settings<'_, '_, '_>) -> Option<Kind> {
    let duration = settings.number(over, &Type::Blocks, 1, BLOCKS_MAX);
    let first = match cliff {
        Some(cliff) => settings.number(cliff, &Type::Blocks, 0, BLOCKS_MAX),
        None => Some(settings.at(0, over.span)),
    };
    let (duration, first) = (duration?, first?);
    if first.value > duration.value {
        let (cliff, over) = (grouped(&IBig::from(first.value)), grouped(&IBig::from(duration.value)));
        let message = format!("the cliff of {cliff} blocks comes after all has vested, at {over} blocks");
        let found = settings.report.error(Code::E0924, message, &first.loc);
        let found = found.label(duration.loc.clone(), "all has vested then");
        return settings.report.fail(found.help("make the cliff shorter, or let the part vest for longer"));
    }
    Some(Kind::Vest { over: duration.value, cliff: first.value })
}

/// The sources of a reward, or of the offered model itself, if their weights never change.
fn upstream(
    imo: &ast::Imo,
    entry: &Entry,
    to: Option<&ast::Expr>,
    amount: u64,
    settings: &mut Settings<'_, '_, '_>,
) -> Option<Kind> {
    let name = match to.map(|to| &to.kind) {
        Some(ExprKind::Name(name)) => name,
        Some(_) => return malformed(entry, UPSTREAM, settings.report),
        None => match imo.subject.as_slice() {
            [name] => name,
            _ => return Some(Kind::Upstream(None)),
        },
    };
    let table = match settings.env.signatures.reward(name.as_str()) {
        Some(Some(table)) => table,
        Some(None) => return None,
        None if to.is_none() => return Some(Kind::Upstream(None)),
        None => {
            let found = settings.report.error(Code::E0926, format!("there is no reward `{name}`"), name.span);
            return settings
                .report
                .fail(found.help("name a reward or a model of the program, whose sources get this part"));
        }
    };
    if !table.is_fixed() || table.leaves.len() > PARTS_MAX {
        return Some(Kind::Upstream(None));
    }
    let mut leaves: Vec<_> = table.leaves.iter().collect();
    leaves.sort_by_key(|leaf| leaf.rank);
    let (mut reached, mut given) = (0, 0);
    let mut sources = Vec::with_capacity(leaves.len());
    for leaf in leaves {
        reached += leaf.weight;
        let next = nearest(amount, &RBig::from_parts(reached.into(), table.denominator.into()));
        if next == given {
            let message =
                format!("`{}` of `{name}` gets none of the {} tokens", leaf.name, grouped(&IBig::from(amount)));
            let found = settings.report.error(Code::E0921, message, entry.span).label(leaf.loc.clone(), "this source");
            return settings.report.fail(found.help("raise the supply or the weight"));
        }
        sources.push(Source { param: leaf.param.clone(), amount: next - given });
        given = next;
    }
    Some(Kind::Upstream(Some(sources)))
}

/// One sale, one claim, one upstream: each has one contract.
fn once(parts: &[Part], report: &mut Report<'_>) -> Option<()> {
    let of_kind = |kind: &Kind| match kind {
        Kind::ProRata(_) => Some("part for backers"),
        Kind::Upstream(_) => Some("upstream part"),
        Kind::Sale(_) => Some("sale"),
        Kind::Plain | Kind::Vest { .. } => None,
    };
    let mut seen: BTreeMap<&str, &Part> = BTreeMap::new();
    for part in parts {
        let Some(what) = of_kind(&part.kind) else { continue };
        if let Some(first) = seen.insert(what, part) {
            let found = report.error(Code::E0926, format!("an offering has one {what}"), &part.loc);
            let found = found.label(first.loc.clone(), "the first is here");
            return report.fail(found.help("join them, or let one of them be a plain part"));
        }
    }
    Some(())
}

/// `10% of Royalty to holders`: the reward has a source of this name and weight.
fn revenue<'t>(entry: &'t Entry, settings: &mut Settings<'t, '_, '_>) -> Option<Revenue> {
    let paid = usage::paid(entry, REVENUE, settings)?;
    let wanted = reward::share(paid.what, settings.env, settings.report)?;
    let written = reward::percent(&wanted);
    let given = written.replace(" %", "%");
    let (table, leaf) = paid.source_in(Code::E0925, ("the holders get nothing of it", &given), settings)?;
    let pays = RBig::from_parts(leaf.weight.into(), table.denominator.into());
    if pays != wanted {
        let (royalty, source) = (paid.reward, paid.source);
        let message = format!("`{royalty}` pays `{source}` {}, not {written}", reward::percent(&pays));
        let found = settings
            .report
            .error(Code::E0925, message, paid.what.span)
            .label(leaf.loc.clone(), "the weight in the reward");
        return settings.report.fail(found.help("let both say the same"));
    }
    Some(Revenue { reward: paid.reward.to_string(), loc: settings.report.loc(entry.span) })
}

/// Names that the contract of a part which vests uses itself, and those of a sale.
const OF_VESTING: [&str; 6] = ["age", "elapsed", "left", "due", "i", "state"];
const OF_SALE: [&str; 9] = ["amount", "at", "cost", "rise", "passed", "price", "raised", "owed", "state"];

/// What stands beside each other as parameters of the launch has names of its own.
fn names(offering: &Offering, report: &mut Report<'_>) -> Option<()> {
    let before = report.count();
    for part in &offering.parts {
        let (name, loc, own) = match &part.kind {
            Kind::Vest { .. } => (&part.name, &part.loc, &OF_VESTING[..]),
            Kind::Sale(_) => (&offering.treasury.value, &offering.treasury.loc, &OF_SALE[..]),
            Kind::Plain | Kind::ProRata(_) | Kind::Upstream(_) => continue,
        };
        if own.contains(&name.as_str()) {
            let found = report.error(Code::E0926, format!("`{name}` means something in an offering"), loc);
            report.push(found.help(format!("choose another name, such as `{name}_lock`")));
        }
    }
    if report.count() != before {
        return None;
    }
    let mut seen: BTreeMap<&str, &Loc> = BTreeMap::new();
    let params = launch_params(offering);
    for (name, _, loc) in &params {
        let is_keyword = Word::from_text(name).is_some_and(|word| word.class() == WordClass::Keyword);
        if is_keyword || name.contains(' ') || name.starts_with(|c: char| c.is_ascii_digit()) {
            let found = report.error(Code::E0926, format!("`{name}` cannot name a parameter"), loc);
            report.push(found.help("choose another word"));
        }
        if let Some(first) = seen.insert(name, loc) {
            let found = report.error(Code::E0926, format!("`{name}` names two things"), loc);
            report.push(found.label(first.clone(), "the first is here").help("rename one of them"));
        }
    }
    (report.count() == before).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_parts_of_a_supply_sum_to_it() {
        for (supply, parts) in
            [(21_000_000, vec![3, 3, 3]), (10, vec![1, 1, 1, 1, 1, 1, 1]), (SUPPLY_MAX, vec![1, 2, 97])]
        {
            let whole: u64 = parts.iter().sum();
            let (mut reached, mut given, mut sum) = (0, 0, 0);
            for part in parts {
                reached += part;
                let next = nearest(supply, &RBig::from_parts(reached.into(), whole.into()));
                let exact = RBig::from_parts((IBig::from(supply)) * IBig::from(part), whole.into());
                let off = RBig::from(IBig::from(next - given)) - exact;
                assert!(off > -RBig::ONE && off < RBig::ONE);
                sum += next - given;
                given = next;
            }
            assert_eq!(sum, supply);
        }
    }
}
