//! The proofs of a model: parents that exist, weights that sum to exactly 1, a flow that pays everybody.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dashu_int::IBig;
use dashu_ratio::RBig;
use spec::model::{FEE_SATS_MAX, LOCK_BYTES_MAX, PARENTS_MAX, Terms, names_hash};
use syntax::ast::{self, Entry, EntryValue, ExprKind};
use syntax::{Code, Diagnostic, ItemKind, Loc, Span};

use super::{DATA_WHOLE, DataSet, Model, Parent, ParentName};
use crate::body::Env;
use crate::domain::reward::{self, Nested, Payee, Table, Upstream, percent};
use crate::domain::settings;
use crate::number::grouped;
use crate::report::Report;
use crate::signatures::{on_circles, order_of};
use crate::{budget, docs, suggest};

/// What a model says of itself, and how it is written.
const SETTINGS: [(&str, &str); 8] = [
    ("weights", "weights: 0x.., the SHA-256 of the file"),
    ("builds_on", "builds_on: { Transformer: 5% }"),
    ("reward", "reward: TextToImage"),
    ("license", "license: \"openrail\""),
    ("data", "data: { laion: 0x.. }"),
    ("minimum", "minimum: 10_000 sats"),
    ("fee", "fee: up to 1_000 sats"),
    (budget::KEY, budget::EXAMPLE),
];
/// The longest licence.
const LICENCE_MAX: usize = 255;
/// The most data sets.
const DATA_MAX: usize = 64;
/// More models upstream than this are not listed.
const INFLOW_MAX: usize = 64;

/// A parent before the weights are put over one whole.
struct Upward<'t> {
    name: ParentName,
    share: RBig,
    entry: &'t Entry,
}

/// Proves a model. Nothing if a proof fails; why has been reported.
pub(crate) fn check<'a>(model: &ast::Model, env: Env<'a>, report: &mut Report<'a>) -> Option<Model> {
    let entries = by_key(model, report);
    let get = |key: &str| entries.get(key).copied();
    let weights = needed(&entries, "weights", model, report).and_then(|entry| hash_of(entry, env, report));
    let licence = needed(&entries, "license", model, report).and_then(|entry| licence(entry, report));
    let own =
        needed(&entries, "reward", model, report).and_then(|entry| Some((entry, own_reward(entry, env, report)?)));
    let parents = match get("builds_on") {
        Some(entry) => parents(entry, &model.name, env, report),
        None => Some(Vec::new()),
    };
    let data = match get("data") {
        Some(entry) => data_sets(entry, env, report),
        None => Some(Vec::new()),
    };
    let parents = parents?;
    let left = what_is_left(&parents, model.name.span, report)?;
    let (own_entry, table) = own?;
    let flow = flow(model, &parents, &left, (own_entry, table), (get("minimum"), get("fee")), env, report);
    let flow = flow?;
    let terms = terms(&flow, model.name.span, report)?;
    let (licence, data) = (licence?, data?);
    let rest = rest(&flow, &data, &licence);
    fits_registration(&flow, parents.len(), rest.len(), model.name.span, report)?;
    let item_loc = report.loc(model.span);
    let inflow = inflow(&parents, env);
    let complete = !model.name.is_missing() && entries.len() == model.entries.len();
    let parent = |up: &Upward<'_>| {
        let weight = u32::try_from((&up.share * RBig::from(IBig::from(terms.whole))).numerator()).ok()?;
        Some(Parent { to: up.name.clone(), weight, loc: report.loc(up.entry.span) })
    };
    let model = Model {
        name: model.name.name.clone(),
        loc: report.loc(model.name.span),
        item_loc,
        weights: weights?,
        parents: parents.iter().map(parent).collect::<Option<_>>()?,
        terms,
        rest,
        inflow,
        flow,
    };
    complete.then_some(model)
}

/// The entries by key; unknown and repeated ones are reported.
fn by_key<'t>(model: &'t ast::Model, report: &mut Report<'_>) -> BTreeMap<&'t str, &'t Entry> {
    let mut entries: BTreeMap<&str, &Entry> = BTreeMap::new();
    for entry in &model.entries {
        let key = entry.key.as_str();
        if !SETTINGS.iter().any(|(known, _)| *known == key) {
            let found = report.error(Code::E0330, format!("a model has no setting `{key}`"), entry.key.span);
            let names = SETTINGS.map(|(name, _)| name);
            let help = suggest::did_you_mean(key, names).or_say(|| format!("it has `{}`", names.join("`, `")));
            report.push(found.help(help));
        } else if let Some(first) = entries.insert(key, entry) {
            let found = report.error(Code::E0330, format!("`{key}` is set twice"), entry.key.span);
            let found = found.saying("set again here").label(report.loc(first.key.span), "the first is here");
            report.push(found.help("remove one of them"));
        }
    }
    entries
}

fn needed<'t>(
    entries: &BTreeMap<&str, &'t Entry>,
    key: &str,
    model: &ast::Model,
    report: &mut Report<'_>,
) -> Option<&'t Entry> {
    if let Some(entry) = entries.get(key) {
        return Some(entry);
    }
    let found = report.error(Code::E0330, format!("the model `{}` has no `{key}`", model.name), model.name.span);
    report.fail(found.help(format!("add `{}`", example(key))))
}

fn example(key: &str) -> &'static str {
    SETTINGS.iter().find(|(known, _)| *known == key).map_or("", |(_, example)| example)
}

fn malformed<T>(entry: &Entry, report: &mut Report<'_>) -> Option<T> {
    if matches!(entry.value, EntryValue::Error(_)) || settings::refused_end(entry, report) {
        return None;
    }
    let found = report.error(Code::E0330, format!("`{}` is written another way", entry.key), entry.span);
    report.fail(found.help(format!("write it like `{}`", example(entry.key.as_str()))))
}

/// The SHA-256 of the weights file.
fn hash_of(entry: &Entry, env: Env<'_>, report: &mut Report<'_>) -> Option<[u8; 32]> {
    match &entry.value {
        EntryValue::Expr(value) => hash(value, "the weights file", report),
        EntryValue::Phrase(phrase) if phrase.head.is_none() => match phrase.clauses.as_slice() {
            [clause] => match file_of(clause) {
                Some((file, span)) => file_hash(file, span, env, report),
                None => malformed(entry, report),
            },
            _ => malformed(entry, report),
        },
        _ => malformed(entry, report),
    }
}

/// `file "sd.safetensors"`
fn file_of(clause: &ast::Clause) -> Option<(&str, Span)> {
    match &clause.value {
        Some(ast::Expr { kind: ExprKind::Str(file), span }) if clause.text() == "file" => Some((file, *span)),
        _ => None,
    }
}

/// The file of weights that a model names, if it names one.
pub(crate) fn weights_file(model: &ast::Model) -> Option<Arc<str>> {
    let entry = model.entries.iter().find(|entry| entry.key.as_str() == "weights")?;
    let EntryValue::Phrase(ast::Phrase { head: None, clauses }) = &entry.value else { return None };
    let [clause] = clauses.as_slice() else { return None };
    file_of(clause).map(|(file, _)| file.into())
}

/// The SHA-256 of a file, which whoever reads files has computed.
fn file_hash(file: &str, span: Span, env: Env<'_>, report: &mut Report<'_>) -> Option<[u8; 32]> {
    let found = env.signatures.digests.get(file);
    let message = match found {
        Some(Ok(digest)) => return Some(*digest),
        Some(Err(why)) => format!("the file `{file}` cannot be read: {why}"),
        None => format!("there is no file `{file}`"),
    };
    let found = report.error(Code::E0334, message, span);
    report.fail(found.help("name a file beside this source or below it, or write its SHA-256: `weights: 0x..`"))
}

/// 32 bytes as written.
fn hash(value: &ast::Expr, what: &str, report: &mut Report<'_>) -> Option<[u8; 32]> {
    let ExprKind::Bytes(bytes) = &value.kind else {
        if matches!(value.kind, ExprKind::Error) {
            return None;
        }
        let found = report.error(Code::E0334, format!("`{}` is no hash", report.text_of(value.span)), value.span);
        return report.fail(found.help(format!("write the SHA-256 of {what}, 32 bytes: `0x..`")));
    };
    if let Ok(hash) = <[u8; 32]>::try_from(&**bytes) {
        return Some(hash);
    }
    let found = report.error(Code::E0334, format!("a hash has 32 bytes, and this has {}", bytes.len()), value.span);
    report.fail(found.help(format!("write the SHA-256 of {what}, 64 hexadecimal digits behind `0x`")))
}

fn licence(entry: &Entry, report: &mut Report<'_>) -> Option<String> {
    let EntryValue::Expr(ast::Expr { kind: ExprKind::Str(text), span }) = &entry.value else {
        return malformed(entry, report);
    };
    let len = text.len();
    if (1..=LICENCE_MAX).contains(&len) {
        return Some(text.to_string());
    }
    let found = report.error(Code::E0336, format!("a licence has 1 to {LICENCE_MAX} bytes, and this has {len}"), *span);
    report.fail(found.help("write its short name, such as `\"apache-2.0\"`"))
}

/// The reward that divides what the model keeps.
fn own_reward<'a>(entry: &Entry, env: Env<'a>, report: &mut Report<'a>) -> Option<&'a Table> {
    let EntryValue::Expr(ast::Expr { kind: ExprKind::Name(name), .. }) = &entry.value else {
        return malformed(entry, report);
    };
    let signatures = env.signatures;
    if name.is_missing() || signatures.is_broken(name.as_str()) {
        return None;
    }
    if signatures.kind(name.as_str()) == Some(ItemKind::Reward) {
        // Its own mistakes have been reported.
        return signatures.reward(name.as_str())?.as_ref();
    }
    let found = report.error(Code::E0339, format!("there is no reward `{name}`"), name.span);
    let close = report.did_you_mean(name.as_str(), signatures.reward_names());
    report.fail(found.help(close.or_say(|| format!("declare `reward {name} {{ .. }}`"))))
}

/// The names that a model builds on, as far as they are names.
pub(crate) fn parents_of(model: &ast::Model) -> BTreeSet<&str> {
    let groups = model.entries.iter().filter(|entry| entry.key.as_str() == "builds_on").map(|entry| &entry.value);
    let entries = groups.filter_map(|value| match value {
        EntryValue::Group { entries, .. } => Some(&**entries),
        _ => None,
    });
    entries.flatten().map(|entry| entry.key.as_str()).collect()
}

fn parents<'t, 'a>(
    entry: &'t Entry,
    own: &ast::Ident,
    env: Env<'a>,
    report: &mut Report<'a>,
) -> Option<Vec<Upward<'t>>> {
    let EntryValue::Group { weight: None, entries } = &entry.value else { return malformed(entry, report) };
    if entries.len() > PARENTS_MAX {
        let message = format!("a model builds on at most {PARENTS_MAX} others, and here are {}", entries.len());
        let found = report.error(Code::E0337, message, entry.key.span);
        return report.fail(found.help("name those it was made from directly; theirs are paid through them"));
    }
    let mut first: BTreeMap<ParentName, Span> = BTreeMap::new();
    let mut parents = Vec::new();
    let before = report.count();
    for entry in entries.iter() {
        let (name, share) = (parent_name(entry, own, env, report), parent_share(entry, env, report));
        let Some(name) = name else { continue };
        if let Some(first) = first.insert(name.clone(), entry.key.span) {
            let found = report.error(Code::E0332, format!("`{}` is built on twice", entry.key), entry.key.span);
            let found = found.saying("named again here").label(report.loc(first), "the first is here");
            report.push(found.help("add the two weights, and name it once"));
        }
        parents.extend(share.map(|share| Upward { name, share, entry }));
    }
    (report.count() == before).then_some(parents)
}

fn parent_name(entry: &Entry, own: &ast::Ident, env: Env<'_>, report: &mut Report<'_>) -> Option<ParentName> {
    let key = &entry.key;
    if let Some(bytes) = entry.key_bytes() {
        if let Ok(id) = <[u8; 32]>::try_from(&*bytes) {
            return Some(ParentName::Record(id));
        }
        let message = format!("the id of a record has 32 bytes, and this has {}", bytes.len());
        let found = report.error(Code::E0331, message, key.span);
        return report.fail(found.help("copy the whole id, 64 hexadecimal digits behind `0x`"));
    }
    let signatures = env.signatures;
    if key.is_missing() || signatures.is_broken(key.as_str()) {
        return None;
    }
    match signatures.kind(key.as_str()) {
        Some(ItemKind::Model) => Some(ParentName::Model(key.name.clone())),
        Some(_) => {
            let found =
                report.error(Code::E0331, format!("`{key}` is no model, and `{own}` cannot build on it"), key.span);
            report.fail(found.help("name a model, or the id of its record: `0x..`"))
        }
        None => {
            let found = report.error(Code::E0331, format!("there is no model `{key}`"), key.span);
            let close = report.did_you_mean(key.as_str(), signatures.model_names());
            report.fail(found.help(close.or_say(|| {
                format!("declare `model {key} {{ .. }}`, import it, or write the id of its record: `0x..`")
            })))
        }
    }
}

fn parent_share<'a>(entry: &Entry, env: Env<'a>, report: &mut Report<'a>) -> Option<RBig> {
    let EntryValue::Expr(weight) = &entry.value else {
        if !matches!(entry.value, EntryValue::Error(_)) {
            let found = report.error(Code::E0330, format!("`{}` needs a weight", entry.key), entry.span);
            report.push(found.help(format!("write it like `{}: 5%`", entry.key)));
        }
        return None;
    };
    let share = reward::share(weight, env, report)?;
    if share > RBig::ZERO {
        return Some(share);
    }
    let text = report.text_of(weight.span);
    let message = format!("the weight of `{}` is {text}, which is not above 0", entry.key);
    let found = report.error(Code::E0302, message, weight.span);
    report.fail(found.help("remove the parent, or give it a weight above 0"))
}

/// What the parents leave to the model itself.
fn what_is_left(parents: &[Upward<'_>], name: Span, report: &mut Report<'_>) -> Option<RBig> {
    let sum = parents.iter().fold(RBig::ZERO, |sum, parent| sum + &parent.share);
    let left = RBig::ONE - &sum;
    if left > RBig::ZERO {
        return Some(left);
    }
    let terms: Vec<_> = parents.iter().take(12).map(|parent| percent(&parent.share)).collect();
    let more = if parents.len() > terms.len() { " + …" } else { "" };
    let message = format!("the parents get {}, and nothing is left for the model's own reward", percent(&sum));
    let span = parents.last().map_or(name, |parent| parent.entry.span);
    let found = report.error(Code::E0338, message, span).saying(format!("{}{more} = {sum}", terms.join(" + ")));
    report.fail(found.help("make a parent's weight smaller"))
}

/// What the hash of the flow's list begins with.
fn terms(flow: &Table, name: Span, report: &mut Report<'_>) -> Option<Terms> {
    let fee_max = u32::try_from(flow.fee_max.get()).ok().filter(|fee| *fee <= FEE_SATS_MAX);
    let Some(fee_max) = fee_max else {
        let most = grouped(&IBig::from(FEE_SATS_MAX));
        let message = format!(
            "a settlement may pay a fee of {} sats, and a model's flow at most {most}",
            grouped(&IBig::from(flow.fee_max.get()))
        );
        let found = report.error(Code::E0309, message, name).label(flow.fee_loc.clone(), "the largest fee");
        return report.fail(found.help(format!("add `fee: up to {most} sats,` to the model, or less")));
    };
    let whole = u32::try_from(flow.denominator).ok()?;
    Some(Terms { whole, least: flow.pot_min(), fee_max, names: names_hash(flow.ranked().map(|leaf| &*leaf.name)) })
}

/// Parents, sources and what else a registration says are at most so long: beside them its input pushes the terms, two
/// hashes and the registry's script, and all of it has 10,000 bytes at most.
const REGISTRATION_MAX: usize = 9_000;
/// Id and weight of a parent.
const PARENT_BYTES: usize = 36;
/// Weight, length and lock of a source.
const SOURCE_BYTES: usize = 4 + 1 + LOCK_BYTES_MAX;

/// Refuses a model whose registration would be longer than a transaction's input may be.
fn fits_registration(flow: &Table, parents: usize, rest: usize, name: Span, report: &mut Report<'_>) -> Option<()> {
    let sources = flow.leaves.len().saturating_sub(parents);
    let bytes = parents * PARENT_BYTES + sources * SOURCE_BYTES + rest;
    if bytes <= REGISTRATION_MAX {
        return Some(());
    }
    let message = format!(
        "the registration of this model takes {} bytes, and at most {} fit",
        grouped(&IBig::from(bytes)),
        grouped(&IBig::from(REGISTRATION_MAX))
    );
    let found = report.error(Code::E0337, message, name);
    let found = found.saying(format!(
        "{parents} parents of {PARENT_BYTES} bytes, {sources} sources of up to {SOURCE_BYTES}, names, data sets and licence of {rest}"
    ));
    report.fail(found.help("pay some of the sources through one, a reward of its own, or shorten names"))
}

/// What else a body says, which only readers read: name, names of the recipients, data sets, licence.
fn rest(flow: &Table, data: &[DataSet], licence: &str) -> Vec<u8> {
    let mut out = Vec::new();
    short(flow.name.as_bytes(), &mut out);
    out.push(length(flow.leaves.len()));
    flow.ranked().for_each(|leaf| short(leaf.name.as_bytes(), &mut out));
    out.push(length(data.len()));
    for set in data {
        debug_assert!(set.weight <= DATA_WHOLE, "a part is no more than the whole");
        short(set.name.as_bytes(), &mut out);
        out.extend(set.hash);
        out.extend(set.weight.to_le_bytes());
    }
    short(licence.as_bytes(), &mut out);
    out
}

/// A length of one byte, and the bytes, of which no more than 255 are kept.
fn short(bytes: &[u8], out: &mut Vec<u8>) {
    let len = length(bytes.len());
    out.push(len);
    out.extend(bytes.iter().take(usize::from(len)));
}

fn length(len: usize) -> u8 {
    u8::try_from(len).unwrap_or(u8::MAX)
}

fn flow<'a>(
    model: &ast::Model,
    parents: &[Upward<'_>],
    left: &RBig,
    (own_entry, own): (&Entry, &Table),
    (minimum, fee): (Option<&Entry>, Option<&Entry>),
    env: Env<'a>,
    report: &mut Report<'a>,
) -> Option<Table> {
    let upstream = |parent: &Upward<'_>| {
        let (name, payee) = match &parent.name {
            ParentName::Model(name) => (name.to_string(), Payee::Other(name.clone())),
            ParentName::Record([a, b, c, d, ..]) => (format!("record_{a:02x}{b:02x}{c:02x}{d:02x}"), Payee::Lock),
        };
        Upstream { name, payee, share: parent.share.clone(), span: parent.entry.span, key: parent.entry.key.span }
    };
    let nested = Nested {
        name: &model.name,
        docs: docs(&model.docs),
        upstream: parents.iter().map(upstream).collect(),
        own,
        left,
        own_span: own_entry.span,
        minimum,
        fee,
    };
    reward::nest(&nested, env, report)
}

/// What of a payment reaches each model upstream: the sum over all ways of the products of their weights.
fn inflow(parents: &[Upward<'_>], env: Env<'_>) -> Option<BTreeMap<Arc<str>, RBig>> {
    let mut inflow: BTreeMap<Arc<str>, RBig> = BTreeMap::new();
    for parent in parents {
        let ParentName::Model(name) = &parent.name else { continue };
        let above = env.signatures.model(name).and_then(|model| model.as_ref());
        let above = above.map_or_else(|| Some(BTreeMap::new()), |model| model.inflow.clone())?;
        *inflow.entry(name.clone()).or_insert(RBig::ZERO) += &parent.share;
        for (name, share) in above {
            *inflow.entry(name).or_insert(RBig::ZERO) += share * &parent.share;
        }
        if inflow.len() > INFLOW_MAX {
            return None;
        }
    }
    Some(inflow)
}

fn data_sets<'a>(entry: &Entry, env: Env<'a>, report: &mut Report<'a>) -> Option<Vec<DataSet>> {
    let EntryValue::Group { weight: None, entries } = &entry.value else { return malformed(entry, report) };
    if entries.len() > DATA_MAX {
        let found = report.error(Code::E0335, format!("a model names at most {DATA_MAX} data sets"), entry.key.span);
        return report.fail(found.help("name a data set that holds several, by the hash of its list"));
    }
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    let mut sets = Vec::new();
    let before = report.count();
    for set in entries.iter() {
        if let Some(first) = seen.insert(set.key.as_str(), set.key.span) {
            let found = report.error(Code::E0335, format!("the data set `{}` is named twice", set.key), set.key.span);
            let found = found.saying("named again here").label(report.loc(first), "the first is here");
            report.push(found.help("remove one of them"));
        }
        sets.extend(data_set(set, env, report));
    }
    if report.count() != before {
        return None;
    }
    let (some, whole) = (sets.iter().any(|set| set.weight > 0), u64::from(DATA_WHOLE));
    let sum: u64 = sets.iter().map(|set| u64::from(set.weight)).sum();
    if some && (sum != whole || sets.iter().any(|set| set.weight == 0)) {
        let sum = percent(&RBig::from_parts(IBig::from(sum), whole.into()));
        let found =
            report.error(Code::E0335, format!("the weights of the data sets add up to {sum}, not 100 %"), entry.span);
        return report.fail(found.help("give every data set a weight, or none, so that they sum to 1"));
    }
    Some(sets)
}

/// `laion: 0x..` or `laion: 0x.. weight 30%`
fn data_set<'a>(entry: &Entry, env: Env<'a>, report: &mut Report<'a>) -> Option<DataSet> {
    let (value, weight) = match &entry.value {
        EntryValue::Expr(value) => (value, None),
        EntryValue::Phrase(ast::Phrase { head: Some(head), clauses }) => match clauses.as_slice() {
            [clause] if clause.text() == "weight" && clause.entries.is_none() => (head, Some(clause.value.as_ref()?)),
            _ => return data_malformed(entry, report),
        },
        EntryValue::Error(_) => return None,
        _ => return data_malformed(entry, report),
    };
    let hash = hash(value, "the data set", report)?;
    let weight = match weight {
        None => 0,
        Some(weight) => {
            let share = reward::share(weight, env, report)? * RBig::from(IBig::from(DATA_WHOLE));
            let number =
                u32::try_from(share.numerator()).ok().filter(|n| share.is_int() && (1..=DATA_WHOLE).contains(n));
            match number {
                Some(number) => number,
                None => {
                    let found =
                        report.error(Code::E0335, "the weight of a data set is whole millionths up to 1", weight.span);
                    return report.fail(found.help("write it like `12.5%`"));
                }
            }
        }
    };
    Some(DataSet { name: entry.key.to_string(), hash, weight })
}

fn data_malformed<T>(entry: &Entry, report: &mut Report<'_>) -> Option<T> {
    let found = report.error(Code::E0335, format!("the data set `{}` is written another way", entry.key), entry.span);
    report.fail(found.help("write its hash, and perhaps its part of all data: `laion: 0x.. weight 30%`"))
}

/// Refuses models that build on each other in a circle. `models` are those of one file: name, place, names below.
pub(crate) fn circles(models: &[(&str, Loc, BTreeSet<&str>)]) -> (Vec<usize>, Vec<Diagnostic>) {
    let mut place: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, (name, ..)) in models.iter().enumerate() {
        place.entry(name).or_insert(at);
    }
    let below = |names: &BTreeSet<&str>| names.iter().filter_map(|name| place.get(name).copied()).collect();
    let needs: Vec<BTreeSet<usize>> = models.iter().map(|(.., names)| below(names)).collect();
    let (mut order, left) = order_of(&needs);
    let circle: BTreeSet<usize> = on_circles(&needs, &left).into_iter().collect();
    let names = circle.iter().filter_map(|at| models.get(*at)).map(|(name, ..)| format!("`{name}`"));
    let names: Vec<_> = names.take(8).collect();
    let found = circle.iter().filter_map(|at| models.get(*at)).map(|(name, loc, _)| {
        let message = match names.len() {
            1 => format!("`{name}` builds on itself"),
            _ => format!("`{name}` builds on itself through others"),
        };
        let found = Diagnostic::error(Code::E0333, message, loc.clone());
        let found = if names.len() > 1 { found.note(format!("on circles are {}", names.join(", "))) } else { found };
        found.help("a model builds on models that were registered before it; remove one of the links")
    });
    let found = found.collect();
    order.extend(left);
    (order, found)
}
