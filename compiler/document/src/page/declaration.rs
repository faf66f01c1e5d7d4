//! Declarations of the domain: drawings of what they do, and the same in words.

use spec::Sats;
use spec::artifact::{Division, Payout, RewardTable};
use syntax::ast::{self, Clause, EntryValue, Expr, InputSource, Plan, PlanStmtKind};

use super::{Cx, figure, table};
use crate::draw::curve::{self, Allocation, Curve, Form};
use crate::draw::graph::{Drawn, Link, graph};
use crate::draw::reward::{self, Recipient};
use crate::draw::states::{self, State, Way};
use crate::draw::steps::{self, Flow};
use crate::entry::Entry;
use crate::markup::escaped;
use crate::shares::{Part, number, of_length, parts};
use spec::num::grouped;

/// A reward: whom it pays, and what of the smallest pot and of a coin.
pub(super) fn reward(cx: &Cx<'_>, entry: &Entry) -> String {
    let docs = settings(cx, entry);
    let Some(table) = cx.docs.artifact(entry).and_then(|artifact| artifact.reward.as_ref()) else { return docs };
    docs + &flow(cx, entry, table)
}

fn flow(cx: &Cx<'_>, entry: &Entry, shares: &RewardTable) -> String {
    let Some(division) = shares.at_minimum() else { return String::new() };
    let recipients = recipients(cx, &division);
    let title = format!("How {} divides what it is paid", entry.name);
    let drawn = reward::draw(&title, &entry.name, &recipients);
    let coin = shares.divide(Sats::from_wire(spec::units::SATS_PER_COIN));
    let row = |(at, one): (usize, &Recipient)| {
        let (fraction, percent) = (one.share.to_string(), one.share.percent());
        let name = match &one.href {
            Some(href) => format!("<a href=\"{}\">{}</a>", escaped(href), escaped(&one.name)),
            None => escaped(&one.name),
        };
        let dust = if one.dust { " and the dust" } else { "" };
        let of_coin = coin.as_ref().and_then(|coin| coin.get(at)).map_or_else(String::new, |sats| sats_text(*sats));
        vec![name, fraction, format!("{percent}{dust}"), one.least.clone().unwrap_or_default(), of_coin]
    };
    let rows: Vec<_> = recipients.iter().enumerate().map(row).collect();
    let least = format!("Of {}", sats_text(division.pot));
    let heads = ["Recipient", "Share", "Percent", &least, "Of 1 coin"];
    format!(
        "{}<p class=\"facts\">Settles pots from {} on; the fee is at most {}. What rounding leaves goes to the recipient with the dust.</p>\n{}",
        figure(&drawn, &escaped(&title)),
        sats_text(shares.minimum_sats),
        sats_text(shares.fee_sats_max),
        table(&format!("Recipients of {}", escaped(&entry.name)), &heads, &rows),
    )
}

fn recipients(cx: &Cx<'_>, division: &Division) -> Vec<Recipient> {
    let recipient = |payout: &Payout| Recipient {
        name: payout.name.clone(),
        share: payout.share,
        least: payout.paid.map(|(sats, _)| sats_text(sats)),
        dust: payout.is_last,
        href: payout.to.as_ref().and_then(|to| cx.href_of(to)),
    };
    let named = division.payouts.iter().map(recipient);
    let unnamed = division.unnamed.map(|share| {
        let name = "recipients of the list".to_owned();
        Recipient { name, share, least: None, dust: true, href: None }
    });
    named.chain(unnamed).collect()
}

fn sats_text(sats: Sats) -> String {
    format!("{} sats", grouped(sats.get()))
}

/// What the entries of a declaration say of themselves, if any does.
fn settings(cx: &Cx<'_>, entry: &Entry) -> String {
    let said = entry.settings().iter().filter(|setting| !setting.docs.is_empty());
    let row = |setting: &ast::Entry| {
        format!("<dt>{}</dt><dd>{}</dd>\n", cx.inline(entry.slice(setting.span)), cx.markdown(&setting.docs))
    };
    let rows: String = said.map(row).collect();
    if rows.is_empty() { rows } else { format!("<dl class=\"fields\">\n{rows}</dl>\n") }
}

/// What is written behind a key.
fn setting<'e>(entry: &'e Entry, key: &str) -> Option<&'e ast::Entry> {
    entry.settings().iter().find(|setting| setting.key.as_str() == key)
}

/// The value of a setting as written.
fn written<'e>(entry: &'e Entry, setting: &ast::Entry) -> &'e str {
    let whole = entry.slice(setting.span);
    whole.split_once(':').map_or(whole, |(_, value)| value.trim())
}

fn text_of<'e>(entry: &'e Entry, key: &str) -> Option<&'e str> {
    Some(written(entry, setting(entry, key)?))
}

fn group<'e>(entry: &'e Entry, key: &str) -> &'e [ast::Entry] {
    match setting(entry, key).map(|setting| &setting.value) {
        Some(EntryValue::Group { entries, .. }) => entries,
        _ => &[],
    }
}

/// A model: what it builds on, all the way up, and what builds on it.
pub(super) fn model(cx: &Cx<'_>, entry: &Entry) -> String {
    let all: Vec<&Entry> = cx.of_kind(syntax::ItemKind::Model).map(|(_, entry)| entry).collect();
    let related = related(&all, entry);
    let drawn = |model: &&Entry| Drawn {
        title: model.name.to_string(),
        lines: lines_of(model),
        href: Some(format!("#{}", model.anchor)),
    };
    let mut boxes: Vec<Drawn> = related.iter().map(drawn).collect();
    let mut links = Vec::new();
    for (from, model) in related.iter().enumerate() {
        for parent in group(model, "builds_on") {
            let label = written(model, parent).to_owned();
            let known = related.iter().position(|other| *other.name == *parent.key.name);
            let to = known.unwrap_or_else(|| {
                boxes.push(Drawn {
                    title: parent.key.to_string(),
                    lines: Vec::new(),
                    href: cx.href_of(parent.key.as_str()),
                });
                boxes.len() - 1
            });
            links.push(Link { from, to, label });
        }
    }
    let title = format!("Whom a payment to {} reaches, and who builds on it", entry.name);
    let mut out = settings(cx, entry) + &figure(&graph(&title, &boxes, &links), &escaped(&title));
    if let Some(table) = cx.docs.artifact(entry).and_then(|artifact| artifact.reward.as_ref()) {
        out.push_str(&flow(cx, entry, table));
    }
    out
}

fn lines_of(model: &Entry) -> Vec<String> {
    let line = |key: &str| text_of(model, key).map(|text| format!("{key}: {}", text.trim_matches('"')));
    ["reward", "license"].into_iter().filter_map(line).collect()
}

/// A model with what it builds on and what builds on it, over any number of steps; the youngest first.
fn related<'e>(all: &[&'e Entry], entry: &Entry) -> Vec<&'e Entry> {
    let builds_on =
        |child: &Entry, parent: &Entry| group(child, "builds_on").iter().any(|entry| *entry.key.name == *parent.name);
    let mut found: Vec<&Entry> = all.iter().copied().filter(|model| *model.name == *entry.name).collect();
    for up in [true, false] {
        let mut next = 0;
        let mut line: Vec<&Entry> = all.iter().copied().filter(|model| *model.name == *entry.name).collect();
        while let Some(at) = line.get(next).copied() {
            next += 1;
            for other in all.iter().copied() {
                let relates = if up { builds_on(at, other) } else { builds_on(other, at) };
                if relates && !line.iter().any(|known| *known.name == *other.name) {
                    line.push(other);
                }
            }
        }
        let new: Vec<&Entry> =
            line.into_iter().filter(|one| !found.iter().any(|known| *known.name == *one.name)).collect();
        found.extend(new);
    }
    found
}

/// A campaign: its states, and what leads from one to the next.
pub(super) fn imi(cx: &Cx<'_>, entry: &Entry) -> String {
    let releases = group(entry, "release");
    let text = |key: &str| text_of(entry, key).unwrap_or_default();
    let within = |key: &str, inner: &str| {
        let found = group(entry, key).iter().find(|setting| setting.key.as_str() == inner);
        found.map(|setting| written(entry, setting)).unwrap_or_default()
    };
    let mut all = vec![
        state(
            (0, 0),
            "pledges come in",
            vec![format!("each {}", text("pledge")), format!("until {}", text("deadline"))],
        ),
        state((1, 0), "the goal is reached", vec!["all pledges are in escrow".to_owned()]),
    ];
    let mut ways = vec![way(0, 1, vec!["collect".to_owned(), text("goal").to_owned()])];
    for (at, release) in releases.iter().enumerate() {
        let name = release.key.as_str().trim_start_matches("at ").to_owned();
        let next = releases.get(at + 1).map(|next| next.key.as_str().trim_start_matches("at "));
        let (title, lines) = match next {
            Some(next) => (format!("waits for {next}"), waits(entry, releases.get(at + 1), within("deliver", "by"))),
            None => ("the builder is paid".to_owned(), vec!["a record stays".to_owned()]),
        };
        let mut place = state((at + 2, 0), &title, lines);
        place.end = next.is_none();
        all.push(place);
        ways.push(way(at + 1, at + 2, vec![format!("release_{name}"), written(entry, release).to_owned()]));
    }
    refunds(entry, &mut all, &mut ways, releases.len());
    let title = format!("The states of {}", entry.name);
    settings(cx, entry) + &figure(&states::draw(&title, &all, &ways), &escaped(&title))
}

/// What a release waits for.
fn waits(entry: &Entry, release: Option<&ast::Entry>, by: &str) -> Vec<String> {
    let own = release.map(|release| written(entry, release)).unwrap_or_default();
    let until = own.split_once(" by ").map_or(by, |(_, date)| date);
    let judges = text_of(entry, "accept").unwrap_or_default().to_owned();
    let mut lines = vec![judges];
    if !until.is_empty() {
        lines.push(format!("until {until}"));
    }
    lines
}

/// The states in which money goes back.
fn refunds(entry: &Entry, all: &mut Vec<State>, ways: &mut Vec<Way>, releases: usize) {
    let back = |key: &str| {
        let found = group(entry, "refund").iter().find(|setting| setting.key.as_str() == key);
        found.map_or_else(|| "what is left".to_owned(), |setting| written(entry, setting).to_owned())
    };
    all.push(State { end: true, ..state((0, 1), "refunds", vec![format!("{} goes back", back("no_goal"))]) });
    ways.push(way(0, all.len() - 1, vec!["refund".to_owned(), "no goal at the deadline".to_owned()]));
    if releases > 1 {
        let key = group(entry, "refund").iter().map(|setting| setting.key.as_str()).find(|key| *key != "no_goal");
        let lines = vec![format!("{} goes back", back(key.unwrap_or("not_accepted")))];
        all.push(State { end: true, ..state((releases, 1), "refunds", lines) });
        let last = all.len() - 1;
        ways.push(way(
            releases,
            last,
            vec!["fail, abort".to_owned(), "the date passes, or all is given up".to_owned()],
        ));
    }
}

fn state((column, row): (usize, usize), title: &str, lines: Vec<String>) -> State {
    State { column, row, title: title.to_owned(), lines, end: false }
}

const fn way(from: usize, to: usize, lines: Vec<String>) -> Way {
    Way { from, to, lines }
}

/// An offering: how its tokens are divided, and what they cost.
pub(super) fn imo(cx: &Cx<'_>, entry: &Entry) -> String {
    let entries = group(entry, "allocate");
    let supply = setting(entry, "supply").and_then(|setting| match &setting.value {
        EntryValue::Expr(expr) => number(expr),
        _ => None,
    });
    let mut out = settings(cx, entry);
    if let Some(parts) = parts(entries) {
        let allocation = |(one, part): (&ast::Entry, &Part)| {
            let tokens = supply.map(|supply| format!("{} tokens", grouped(of_length(*part, supply.0))));
            let how = terms(entry, one);
            let note =
                [tokens.unwrap_or_default(), how].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
            Allocation { name: one.key.to_string(), part: *part, note: note.join(" · ") }
        };
        let all: Vec<_> = entries.iter().zip(&parts).map(allocation).collect();
        let title = format!("How the supply of {} is divided", entry.name);
        out.push_str(&figure(&curve::supply(&title, &all), &escaped(&title)));
        for (one, part) in entries.iter().zip(&parts) {
            let sold = supply.map(|supply| of_length(*part, supply.0));
            if let Some(curve) = price(entry, one, sold) {
                let title = format!("What a token of the part {} costs", one.key);
                out.push_str(&figure(&curve::price(&title, &curve), &escaped(&title)));
            }
        }
    }
    out
}

/// What stands behind the share of an allocation.
fn terms(entry: &Entry, one: &ast::Entry) -> String {
    // The numbers of a price are beside its curve.
    let clause = |clause: &Clause| entry.slice(clause.span).split('{').next().unwrap_or_default().trim().to_owned();
    match &one.value {
        EntryValue::Phrase(phrase) => phrase.clauses.iter().map(clause).collect::<Vec<_>>().join(" "),
        _ => String::new(),
    }
}

/// The price of a sale; `sold` is how many tokens there are for sale.
fn price(entry: &Entry, one: &ast::Entry, sold: Option<i128>) -> Option<Curve> {
    let EntryValue::Phrase(phrase) = &one.value else { return None };
    let clause =
        phrase.clauses.iter().find(|clause| clause.words.first().is_some_and(|word| word.as_str() == "price"))?;
    let inner = clause.entries.as_deref().unwrap_or_default();
    let find = |key: &str| inner.iter().find(|setting| setting.key.as_str() == key);
    let text = |key: &str| find(key).map(|setting| written(entry, setting).to_owned()).unwrap_or_default();
    let all = sold.map_or_else(|| "all sold".to_owned(), |sold| format!("{} sold", grouped(sold)));
    match clause.words.get(1)?.as_str() {
        "fixed" => {
            let price = clause.value.as_ref().map(|value| entry.slice(value.span).to_owned()).unwrap_or_default();
            Some(Curve {
                along: "tokens sold",
                form: Form::Flat,
                prices: (price.clone(), price),
                ends: ("0".into(), all),
            })
        }
        "dutch" => {
            let (from, over) = (text("from"), text("over"));
            let ends = (from, format!("{over} later"));
            Some(Curve { along: "blocks", form: Form::Falling, prices: (text("start"), text("end")), ends })
        }
        "linear" => {
            let value = |key: &str| match &find(key)?.value {
                EntryValue::Expr(expr) => number(expr),
                _ => None,
            };
            let last = last_price(value("base"), value("slope"), value("per"), sold);
            let last = last.unwrap_or_else(|| format!("{} more for each", text("slope")));
            Some(Curve {
                along: "tokens sold",
                form: Form::Rising,
                prices: (text("base"), last),
                ends: ("0".into(), all),
            })
        }
        _ => None,
    }
}

fn last_price(base: Option<Part>, slope: Option<Part>, per: Option<Part>, sold: Option<i128>) -> Option<String> {
    let (base, slope) = (base?, slope?);
    let per = per.map_or(1, |per| per.0);
    let rise = slope.0.checked_mul(sold?)?.checked_div(slope.1.checked_mul(per)?)?;
    Some(format!("{} sats", grouped(base.0.checked_div(base.1)?.checked_add(rise)?)))
}

/// A plan: what its transaction takes and makes.
pub(super) fn plan(cx: &Cx<'_>, entry: &Entry, plan: &Plan) -> String {
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for stmt in &plan.stmts {
        match &stmt.kind {
            PlanStmtKind::Input { name, source } => inputs.push(input(cx, entry, name.as_str(), source)),
            PlanStmtKind::Output { lock, fields } => {
                let value = fields.iter().find(|field| field.name.as_str() == "value");
                outputs.push(output(cx, entry, lock, value.map(|field| &field.value)));
            }
            PlanStmtKind::OutputEach { list, .. } => {
                outputs.push(flow_of(format!("one for each of {}", entry.slice(list.span)), String::new(), None));
            }
            PlanStmtKind::OutputData(_) => outputs.push(flow_of("data".to_owned(), String::new(), None)),
            _ => {}
        }
    }
    if inputs.is_empty() && outputs.is_empty() {
        return String::new();
    }
    if inputs.is_empty() {
        inputs.push(flow_of("coins of the wallet".to_owned(), String::new(), None));
    }
    let title = format!("What the transaction of {} takes and makes", entry.name);
    figure(&steps::transaction(&title, &inputs, &outputs), &escaped(&title))
}

const fn flow_of(name: String, note: String, href: Option<String>) -> Flow {
    Flow { name, note, href }
}

fn input(cx: &Cx<'_>, entry: &Entry, name: &str, source: &InputSource) -> Flow {
    match source {
        InputSource::Path { contract, path, .. } => {
            let names: Vec<&str> = contract.iter().map(|name| name.as_str()).collect();
            let mut whole = names.clone();
            whole.push(path.as_str());
            let href = cx.resolve(&whole).or_else(|| cx.resolve(&names));
            flow_of(name.to_owned(), format!("{}.{path}", names.join("::")), href)
        }
        InputSource::Key { owner, .. } => flow_of(name.to_owned(), format!("key({})", entry.slice(owner.span)), None),
        InputSource::Genesis => flow_of(name.to_owned(), "genesis".to_owned(), None),
    }
}

fn output(cx: &Cx<'_>, entry: &Entry, lock: &Expr, value: Option<&Expr>) -> Flow {
    let text = entry.slice(lock.span);
    let first = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
    let is_item = first.starts_with(|c: char| c.is_ascii_uppercase());
    let href = if is_item { cx.href_of(first) } else { None };
    flow_of(text.to_owned(), value.map(|value| entry.slice(value.span).to_owned()).unwrap_or_default(), href)
}
