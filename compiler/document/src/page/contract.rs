//! A contract: its ways, its state, and for each path what it checks, takes and costs.

use syntax::ast::{Contract, Member, Spend, State};

use super::module::{checks, fields};
use super::{Cx, figure, table};
use crate::draw::steps;
use crate::entry::{Entry, head};
use crate::markup::escaped;
use crate::model::{PathModel, members};
use crate::ways::{self, Outcome, Way};
use spec::num::grouped;

pub(super) fn body(cx: &Cx<'_>, entry: &Entry, contract: &Contract) -> String {
    let paths = cx.docs.paths(entry);
    let mut out = drawing(entry, contract);
    out.push_str(&sizes(cx, entry, &paths));
    for member in members(entry) {
        if let Member::State(of) = member {
            out.push_str(&state(cx, entry, of));
        }
    }
    for (_, spend) in ways::paths(entry) {
        let model = paths.iter().find(|path| *path.name == *spend.name.name);
        out.push_str(&path(cx, entry, contract, spend, model));
    }
    out.extend(members(entry).iter().map(|member| other(cx, entry, member)));
    out
}

/// The ways to spend a coin of the contract.
fn drawing(entry: &Entry, contract: &Contract) -> String {
    let row = |spend: &Spend| {
        let way = ways::way_of(entry, contract, spend);
        steps::Row {
            name: spend.name.to_string(),
            href: format!("#{}.{}", entry.anchor, spend.name),
            needs: needs(&way),
            outcome: outcome(way.outcome),
        }
    };
    let rows: Vec<_> = ways::paths(entry).iter().map(|(_, spend)| row(spend)).collect();
    if rows.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = contract.params.iter().take(6).map(|param| entry.slice(param.span).to_owned()).collect();
    let title = format!("The ways to spend a coin of {}", entry.name);
    figure(&steps::ways(&title, &entry.name, &lines, &rows), &escaped(&title))
}

fn needs(way: &Way) -> String {
    let mut all = Vec::new();
    if !way.signers.is_empty() {
        all.push(format!("signed by {}", way.signers.join(", ")));
    }
    all.extend(way.waits.iter().cloned());
    if all.is_empty() { "anyone".to_owned() } else { all.join(" · ") }
}

const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Spent => "spent",
        Outcome::Continues => steps::CONTINUES,
        Outcome::Ends => "the state ends",
        Outcome::Stays => "the rest stays locked",
        Outcome::Divided => "divided by a reward",
    }
}

/// What the script and its inputs take.
fn sizes(cx: &Cx<'_>, entry: &Entry, paths: &[PathModel]) -> String {
    let Some(artifact) = cx.docs.artifact(entry) else { return String::new() };
    let row = |path: &PathModel| {
        let bytes = path.input_bytes.map_or_else(String::new, |bytes| number(bytes as u64));
        let more = if path.open { "from " } else { "" };
        let cost = path.cost_bound.map_or_else(|| "depends on what it is given".to_owned(), number);
        let limit = path.cost_limit.map_or_else(String::new, number);
        let link =
            format!("<a href=\"#{}.{}\">{}</a>", escaped(&entry.anchor), escaped(&path.name), escaped(&path.name));
        vec![link, format!("{more}{bytes}"), cost, limit]
    };
    let rows: Vec<_> = paths.iter().map(row).collect();
    let heads = ["Path", "Input, bytes", "Cost at most", "Cost allowed"];
    format!(
        "<p class=\"facts\">Script: <strong>{}</strong> bytes with parameters of usual length · rules <code>{}</code> · level <code>{}</code></p>\n{}",
        number(artifact.usual_script_bytes() as u64),
        artifact.rules.name(),
        artifact.level,
        table(&format!("What the paths of {} take", escaped(&entry.name)), &heads, &rows),
    )
}

fn number(n: u64) -> String {
    grouped(n)
}

/// What the contract carries from coin to coin, and where it lies in the commitment.
fn state(cx: &Cx<'_>, entry: &Entry, state: &State) -> String {
    let id = escaped(&format!("{}.state", entry.anchor));
    let mut out =
        format!("<h4 id=\"{id}\">State</h4>\n{}{}", cx.markdown(&state.docs), fields(cx, entry, &state.fields));
    let layout = cx.docs.artifact(entry).and_then(|artifact| artifact.state.as_ref());
    let rows = layout.iter().flat_map(|layout| &layout.fields).map(|field| {
        let last = field.offset + field.length.saturating_sub(1);
        vec![
            escaped(&field.name),
            format!("<code>{}</code>", escaped(&field.ty.to_string())),
            if last == field.offset { last.to_string() } else { format!("{}–{last}", field.offset) },
        ]
    });
    let rows: Vec<_> = rows.collect();
    out.push_str(&table("Bytes of the commitment", &["Field", "Type", "Bytes"], &rows));
    out
}

fn path(cx: &Cx<'_>, entry: &Entry, contract: &Contract, spend: &Spend, model: Option<&PathModel>) -> String {
    let id = escaped(&format!("{}.{}", entry.anchor, spend.name));
    let way = ways::way_of(entry, contract, spend);
    let mut out = format!(
        "<div class=\"member\" id=\"{id}\">\n<h4><a class=\"self\" href=\"#{id}\">{}</a></h4>\n{}",
        cx.inline(head(&entry.text, spend.span)),
        cx.markdown(&spend.docs),
    );
    if let Some((bytes, model)) = model.and_then(|model| Some((model.input_bytes?, model))) {
        let cost = model.cost_bound.map_or_else(String::new, |cost| format!(" · cost at most {}", number(cost)));
        let more = if model.open { "from " } else { "" };
        out.push_str(&format!("<p class=\"facts\">{more}{} bytes of input{cost}</p>\n", number(bytes as u64)));
    }
    out.push_str(&checks(cx, &way.checks));
    let calls: Vec<String> = way.calls.iter().map(|call| called(cx, entry, contract, call)).collect();
    if !calls.is_empty() {
        out.push_str(&format!("<p class=\"facts\">and what these check: {}</p>\n", calls.join(", ")));
    }
    out + "</div>\n"
}

/// A function that a path calls; one of the contract's own stands below.
fn called(cx: &Cx<'_>, entry: &Entry, contract: &Contract, name: &str) -> String {
    let own = |member: &Member| matches!(member, Member::Fn(function) if *function.name.name == *name);
    if contract.members.iter().any(own) {
        let (anchor, name) = (escaped(&entry.anchor), escaped(name));
        format!("<a href=\"#{anchor}.{name}\"><code>{name}</code></a>")
    } else {
        cx.inline(name)
    }
}

/// A member that is no path and no state.
fn other(cx: &Cx<'_>, entry: &Entry, member: &Member) -> String {
    let (name, docs, text) = match member {
        Member::Const(item) => (&item.name, &item.docs, entry.slice(item.span)),
        Member::Fn(item) => (&item.name, &item.docs, head(&entry.text, item.span)),
        Member::Allow(allow) => return format!("{}{}", cx.markdown(&allow.docs), cx.block(entry.slice(allow.span))),
        Member::Budget(budget) => {
            return format!("{}{}", cx.markdown(&budget.docs), cx.block(entry.slice(budget.span)));
        }
        Member::Spend(_) | Member::State(_) | Member::Error(_) => return String::new(),
    };
    let id = escaped(&format!("{}.{name}", entry.anchor));
    let inner = match member {
        Member::Fn(function) => checks(cx, &ways::checks_of(entry, &function.body)),
        _ => String::new(),
    };
    let text = cx.inline(text);
    format!(
        "<div class=\"member\" id=\"{id}\">\n<h4><a class=\"self\" href=\"#{id}\">{text}</a></h4>\n{}{inner}</div>\n",
        cx.markdown(docs)
    )
}
