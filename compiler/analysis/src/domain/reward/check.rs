//! The proofs of a reward: weights, names, settings, dust.

use std::collections::BTreeMap;

use dashu_int::IBig;
use dashu_ratio::RBig;
use spec::Sats;
use spec::script::dust_limit_for;
use syntax::ast::{self, Entry, EntryValue, ExprKind};
use syntax::{Code, Diagnostic, Effect, Fix, Help, Span, Word, WordClass};

use super::weights::{Flattening, Source, To};
use super::{Leaf, Payee, SETTINGS, Table, form};
use crate::body::{Body, BodyKind, Env};
use crate::domain::settings;
use crate::eval::Value;
use crate::hir::Type;
use crate::number::grouped;
use crate::report::Report;
use crate::signatures::ConstantValue;
use crate::{docs, suggest};

/// An output whose lock has up to 35 bytes, as those of keys and contracts have: amount, length, lock.
const OUTPUT_BYTES: usize = 8 + 1 + 35;
/// The least that such an output holds.
pub(super) const DUST_LIMIT: Sats = dust_limit_for(OUTPUT_BYTES);

/// The settings as far as they could be read.
#[derive(Default)]
pub(super) struct Settings<'t> {
    dust: Option<&'t Entry>,
    adjust: Option<&'t Entry>,
    minimum: Option<(Sats, Span)>,
    minimum_wrong: bool,
    fee: Option<(Sats, Span)>,
    fee_wrong: bool,
    wrong: bool,
    /// The last entry of the declaration, behind which another can stand.
    last: Option<&'t Entry>,
}

impl Settings<'_> {
    /// Those of a reward whose smallest pot and largest fee are known.
    pub(super) fn of(minimum: Amount, fee: Amount) -> Self {
        Self { minimum: Some(minimum), fee: Some(fee), ..Self::default() }
    }

    /// What adds a line behind the last entry.
    fn add(&self, line: &str, report: &Report<'_>) -> Option<Fix> {
        let last = self.last?;
        let behind = report.text().get(last.span.end as usize..)?;
        let comma = if behind.starts_with(',') { "" } else { "," };
        let rest = behind.lines().next().unwrap_or_default();
        let comment = comma.is_empty() && rest.trim_start_matches(',').trim_start().starts_with("//");
        let skipped = if comment { u32::try_from(rest.len()).ok()? } else { u32::from(comma.is_empty()) };
        let at = last.span.end + skipped;
        let start = report.text().get(..last.span.start as usize)?.rfind('\n').map(|newline| newline + 1);
        let indent = start.and_then(|start| report.text().get(start..last.span.start as usize));
        let lead = match indent {
            Some(indent) if indent.trim().is_empty() => format!("\n{indent}"),
            _ => " ".to_owned(),
        };
        let fix = Fix::new(format!("add `{line}`"), Effect::Changes);
        Some(fix.edit(report.loc(Span::point(at)), format!("{comma}{lead}{line}")))
    }
}

/// Proves a reward. No table if a proof fails; why has been reported.
pub(crate) fn check<'a>(reward: &ast::Reward, env: Env<'a>, report: &mut Report<'a>) -> Option<Table> {
    let (settings, entries): (Vec<&Entry>, Vec<&Entry>) =
        reward.entries.iter().partition(|entry| SETTINGS.contains(&entry.key.as_str()));
    let settings = Settings { last: reward.entries.last(), ..read_settings(&settings, env, report) };
    let mut sources = Vec::new();
    let title = format!("the reward `{}`", reward.name);
    let whole =
        Flattening { env, report, sources: &mut sources }.group(&entries, &[], &RBig::ONE, &title, reward.name.span);
    let named = check_names(&sources, report);
    let last = settings.dust.map_or(Some(sources.len().saturating_sub(1)), |dust| dust_source(dust, &sources, report));
    whole?;
    let (form, denominator) = form::choose(&sources, settings.dust, settings.adjust, &reward.name, env, report)?;
    let (minimum, fee) = amounts(&settings, &sources, reward.name.span, report)?;
    let unnamed = reward.name.is_missing() || sources.iter().any(|source| source.path.iter().any(String::is_empty));
    let complete = named && !unnamed && last.is_some() && !settings.wrong;
    let table = Table {
        name: reward.name.name.clone(),
        docs: docs(&reward.docs),
        loc: report.loc(reward.name.span),
        leaves: leaves(&sources, denominator, last?, report)?,
        form,
        denominator,
        minimum: minimum.0,
        minimum_loc: report.loc(minimum.1),
        fee_max: fee.0,
        fee_loc: report.loc(fee.1),
    };
    complete.then_some(table)
}

pub(super) fn leaves(sources: &[Source], denominator: u64, last: usize, report: &Report<'_>) -> Option<Vec<Leaf>> {
    let leaf = |(index, source): (usize, &Source)| {
        let weight = &source.share * RBig::from(IBig::from(denominator));
        let rank = match index.cmp(&last) {
            std::cmp::Ordering::Less => index,
            std::cmp::Ordering::Equal => sources.len() - 1,
            std::cmp::Ordering::Greater => index - 1,
        };
        Some(Leaf {
            name: source.path.join("."),
            param: source.path.join("_"),
            weight: u64::try_from(weight.numerator()).ok()?,
            rank,
            payee: match &source.to {
                To::Lock => Payee::Lock,
                To::List => Payee::List,
                To::Other(name) => Payee::Other(name.name.clone()),
            },
            loc: report.loc(source.span),
        })
    };
    sources.iter().enumerate().map(leaf).collect()
}

pub(super) fn check_names(sources: &[Source], report: &mut Report<'_>) -> bool {
    let before = report.count();
    let mut seen: BTreeMap<String, &Source> = BTreeMap::new();
    for source in sources {
        let param = source.path.join("_");
        let is_keyword = Word::from_text(&param).is_some_and(|word| word.class() == WordClass::Keyword);
        if is_keyword {
            let found = report.error(Code::E0305, format!("`{param}` is a keyword and names no parameter"), source.key);
            report.push(found.help("give the source another name"));
        }
        if source.path.iter().any(|part| part.contains(' ') || part.starts_with(|c: char| c.is_ascii_digit())) {
            let found = report.error(Code::E0305, format!("`{param}` names no parameter"), source.key);
            report.push(found.help("name the source by one word"));
        }
        let Some(first) = seen.insert(param.clone(), source) else { continue };
        let (a, b) = (first.path.join("."), source.path.join("."));
        let message = match a == b {
            true => format!("the source `{a}` is declared twice"),
            false => format!("`{a}` and `{b}` would both be the parameter `{param}`"),
        };
        let found = report.error(Code::E0305, message, source.key);
        let found = found.saying("declared again here").label(report.loc(first.key), "the first is here");
        report.push(found.help("rename one of them, or join their weights"));
    }
    report.count() == before
}

fn read_settings<'t, 'a>(entries: &[&'t Entry], env: Env<'a>, report: &mut Report<'a>) -> Settings<'t> {
    let mut settings = Settings::default();
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for entry in entries {
        let key = entry.key.as_str();
        if let Some(first) = seen.insert(key, entry.key.span) {
            let found = report.error(Code::E0311, format!("`{key}` is set twice"), entry.key.span);
            let found = found.saying("set again here").label(report.loc(first), "the first is here");
            report.push(found.help("remove one of them"));
            settings.wrong = true;
            continue;
        }
        match key {
            "dust" => settings.dust = Some(entry),
            "minimum" => {
                settings.minimum = minimum_of(entry, env, report);
                settings.minimum_wrong = settings.minimum.is_none();
            }
            "fee" => {
                settings.fee = fee_of(entry, env, report);
                settings.fee_wrong = settings.fee.is_none();
            }
            "adjust" => settings.adjust = Some(entry),
            // The budget is read for all declarations in one place.
            _ => {}
        }
    }
    settings
}

pub(super) fn minimum_of<'a>(entry: &Entry, env: Env<'a>, report: &mut Report<'a>) -> Option<(Sats, Span)> {
    match &entry.value {
        EntryValue::Expr(value) => amount(value, env, report),
        EntryValue::Error(_) => None,
        _ if settings::refused_end(entry, report) => None,
        _ => {
            let found = report.error(Code::E0311, "`minimum` is an amount", entry.span);
            report.fail(found.help("write it like `minimum: 10_000 sats,`"))
        }
    }
}

pub(super) fn fee_of<'a>(entry: &Entry, env: Env<'a>, report: &mut Report<'a>) -> Option<(Sats, Span)> {
    match &entry.value {
        EntryValue::UpTo(value) => amount(value, env, report),
        EntryValue::Error(_) => None,
        _ if settings::refused_end(entry, report) => None,
        _ => {
            let found = report.error(Code::E0311, "`fee` is the most that a settlement may pay", entry.span);
            report.fail(found.help("write it like `fee: up to 1_000 sats,`"))
        }
    }
}

/// A constant amount that is not negative.
fn amount<'a>(value: &ast::Expr, env: Env<'a>, report: &mut Report<'a>) -> Option<(Sats, Span)> {
    let constant = Body::new(env, BodyKind::Constant, &[], report).constant(value, Some(Type::Coin))?;
    let ConstantValue::Item(Value::Number(n)) = constant.value else { return None };
    let sats = u64::try_from(&n).ok().and_then(Sats::new);
    if sats.is_none() {
        let found = report.error(Code::E0205, "an amount cannot be negative here", value.span);
        report.push(found.help("write an amount of 0 or more"));
    }
    Some((sats?, value.span))
}

/// The index of the source that takes what rounding leaves.
fn dust_source(entry: &Entry, sources: &[Source], report: &mut Report<'_>) -> Option<usize> {
    let EntryValue::Expr(value) = &entry.value else {
        if !matches!(entry.value, EntryValue::Error(_)) {
            let found = report.error(Code::E0311, "`dust` is the name of a source", entry.span);
            report.push(found.help("write it like `dust: researchers,`"));
        }
        return None;
    };
    let path = dotted(value)?;
    let names: Vec<_> = sources.iter().map(|source| source.path.join(".")).collect();
    if let Some(index) = names.iter().position(|name| *name == path) {
        return Some(index);
    }
    let inside = names.iter().find(|name| name.strip_prefix(&path).is_some_and(|rest| rest.starts_with('.')));
    let message = match inside {
        Some(_) => format!("`{path}` is a group, and what rounding leaves goes to one source"),
        None => format!("`{path}` is no source of this reward"),
    };
    let help = match inside {
        Some(name) => Help::instead(format!("name one of its sources, such as `{name}`"), name),
        None => suggest::did_you_mean(&path, names.iter().map(String::as_str))
            .or_say(|| "name a source as it is declared, with its group before a dot"),
    };
    report.fail(report.error(Code::E0306, message, value.span).help(help))
}

/// `models.diffusion` as written; empty for what is no such path.
fn dotted(value: &ast::Expr) -> Option<String> {
    match &value.kind {
        ExprKind::Name(name) => Some(name.to_string()),
        ExprKind::Field { base, name } => Some(format!("{}.{name}", dotted(base)?)),
        ExprKind::Error => None,
        _ => Some(String::new()),
    }
}

type Amount = (Sats, Span);

/// The smallest pot and the largest fee, proved to pay every source.
pub(super) fn amounts(
    settings: &Settings<'_>,
    sources: &[Source],
    name: Span,
    report: &mut Report<'_>,
) -> Option<(Amount, Amount)> {
    if settings.minimum_wrong || settings.fee_wrong {
        return None;
    }
    let fee = settings.fee.unwrap_or((Sats::ZERO, name));
    if settings.fee.is_none() {
        let found = report.warning(Code::E0314, "a settlement of this reward may pay no fee", name);
        let fix = settings.add("fee: up to 1_000 sats,", report);
        report.push(fix.into_iter().fold(found.help("add `fee: up to 1_000 sats,`"), Diagnostic::fix));
    }
    let enough = smallest_minimum(sources, fee.0);
    let Some(minimum) = settings.minimum else {
        let found =
            report.error(Code::E0307, "this reward has no `minimum`, the smallest pot that can be settled", name);
        return report.fail(match enough {
            Some(enough) => {
                let line = format!("minimum: {},", in_sats(enough));
                let fix = settings.add(&line, report);
                let found = found.help(format!("add `{line}`, the least that pays every source"));
                fix.into_iter().fold(found, Diagnostic::fix)
            }
            None => found.help("raise the smallest weight: no pot is large enough"),
        });
    };
    let Some(pot) = minimum.0.checked_sub(fee.0).filter(|pot| *pot > Sats::ZERO) else {
        let message = format!("the fee of up to {} eats the smallest pot of {}", in_sats(fee.0), in_sats(minimum.0));
        let found = report
            .error(Code::E0309, message, fee.1)
            .saying("the largest fee")
            .label(report.loc(minimum.1), "the smallest pot");
        return report.fail(found.help("raise the minimum, or lower the fee"));
    };
    check_dust(sources, pot, minimum, enough, report).then_some((minimum, fee))
}

/// The least coin from which every source gets the dust limit.
pub(super) fn smallest_minimum(sources: &[Source], fee: Sats) -> Option<Sats> {
    let limit = RBig::from(IBig::from(DUST_LIMIT.get()));
    let need = |source: &Source| u64::try_from((&limit / &source.share).ceil()).ok().and_then(Sats::new);
    let pots = sources.iter().map(need).collect::<Option<Vec<_>>>()?;
    pots.into_iter().max()?.checked_add(fee)
}

fn check_dust(sources: &[Source], pot: Sats, minimum: Amount, enough: Option<Sats>, report: &mut Report<'_>) -> bool {
    let limit = DUST_LIMIT;
    let exact = |source: &Source| &source.share * RBig::from(IBig::from(pot.get()));
    let short: Vec<_> = sources.iter().filter(|source| exact(source) < RBig::from(IBig::from(limit.get()))).collect();
    let Some(worst) = short.iter().min_by(|a, b| a.share.cmp(&b.share)) else { return true };
    let (name, gets) = (worst.path.join("."), grouped(&exact(worst).floor()));
    let message = format!("`{name}` gets {gets} sats of the smallest pot, below the dust limit of {}", in_sats(limit));
    let mut found =
        report.error(Code::E0308, message, worst.span).saying(format!("{} of {}", worst.share, in_sats(pot)));
    found = found.label(report.loc(minimum.1), format!("less the fee, the smallest pot is {}", in_sats(pot)));
    for other in short.iter().filter(|source| source.path != worst.path).take(8) {
        found = found.note(format!("`{}` gets {} sats", other.path.join("."), grouped(&exact(other).floor())));
    }
    report.push(match enough {
        Some(enough) => found.help(format!("write `minimum: {},` or more, or raise the weight", in_sats(enough))),
        None => found.help("raise the weight: no pot is large enough"),
    });
    false
}

fn in_sats(amount: Sats) -> String {
    format!("{} sats", grouped(&IBig::from(amount.get())))
}
