//! A network in words, and as data.

use std::io::{self, Write};

use ::flow::{Change, Flow, Form, Index, Network, Recipient, Record};
use serde_json::{Value, json};
use spec::{Address, Sats};

use super::{name_of, short, used};
use crate::link::NETWORK;
use crate::shell::{BAD, BOLD, FAINT, GOOD, NAME};
use crate::units::{Ratio, grouped};

/// So many recipients of a reward are shown in words; data has all.
const SHOWN_MAX: usize = 12;

/// Prints what blocks say.
pub(super) fn text(network: &Network, blocks: usize, out: &mut dyn Write) -> io::Result<()> {
    let models: usize = used(network).map(|(_, index)| index.records.len()).sum();
    let count = |n: usize, one: &str, more: &str| format!("{n} {}", if n == 1 { one } else { more });
    writeln!(
        out,
        "{GOOD}rebuilt{GOOD:#} {} and {} from {}",
        count(network.rewards.len(), "reward", "rewards"),
        count(models, "model", "models"),
        count(blocks, "block", "blocks"),
    )?;
    for flow in &network.rewards {
        writeln!(out)?;
        reward(network, flow, out)?;
    }
    for (registry, index) in used(network) {
        writeln!(out, "\n{BOLD}registry{BOLD:#} {}", registry.category)?;
        for record in &index.records {
            model(network, index, record, out)?;
        }
        if let Some(unsound) = &index.unsound {
            writeln!(out, "  {BAD}unsound{BAD:#} from here on: {unsound}")?;
        }
    }
    for refused in &network.refused {
        writeln!(
            out,
            "\n{BAD}refused{BAD:#} `{}` of transaction {}: {}",
            printable(&refused.name),
            refused.txid,
            refused.why
        )?;
    }
    if network.rewards.is_empty() && models == 0 {
        writeln!(out, "{BOLD}next:{BOLD:#} bmc deploy FILE --param name=value")?;
    }
    Ok(())
}

fn reward(network: &Network, flow: &Flow, out: &mut dyn Write) -> io::Result<()> {
    let published = &flow.published;
    writeln!(
        out,
        "{BOLD}{}{BOLD:#} {} {FAINT}({}){FAINT:#}",
        printable(&published.name),
        payee(&published.lock()),
        form(&published.form)
    )?;
    let whole = whole(&published.recipients);
    for one in published.recipients.iter().take(SHOWN_MAX) {
        let part = percent(one.weight, whole);
        writeln!(
            out,
            "  {part:>12}  {NAME}{:<24}{NAME:#} {}{}",
            printable(&one.name),
            to(network, &one.lock),
            until(one.until)
        )?;
    }
    if let Some(more) = published.recipients.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
        writeln!(out, "  {:>12}  and {} others; `--json` has them all", "", grouped(more as u64))?;
    }
    let (paid, fees) = totals(flow);
    match flow.settlements.len() {
        0 => writeln!(out, "  holds {} coin, not settled yet", flow.held),
        1 => writeln!(out, "  holds {} coin, settled once: {paid} coin for a fee of {} sats", flow.held, fees.get()),
        n => {
            writeln!(out, "  holds {} coin, settled {n} times: {paid} coin for {} sats of fees", flow.held, fees.get())
        }
    }?;
    flow.history.iter().try_for_each(|change| match change {
        Change::Proposed { txid, recipients: Some(list) } => {
            writeln!(out, "  a list of {} was proposed in {txid}", list.len())
        }
        Change::Proposed { txid, recipients: None } => writeln!(out, "  a list was proposed in {txid}"),
        Change::Cancelled { txid } => writeln!(out, "  the proposal was taken back in {txid}"),
        Change::Activated { txid, hash } => writeln!(out, "  the list {} counts since {txid}", short(hash)),
    })
}

fn model(network: &Network, index: &Index, record: &Record, out: &mut dyn Write) -> io::Result<()> {
    let body = &record.body;
    let about = body.about();
    let licence = about.as_ref().map(|about| printable(&about.licence)).unwrap_or_default();
    writeln!(out, "  {NAME}{}{NAME:#} 0x{} {licence}", printable(&name_of(network, record)), hex::encode(record.id))?;
    for parent in &body.parents {
        let name = index.get(&parent.id).map_or_else(|| short(&parent.id), |parent| name_of(network, parent));
        writeln!(out, "    {:>10}  to {}", percent(parent.weight.into(), body.terms.whole.into()), printable(&name))?;
    }
    writeln!(out, "    {:>10}  to its own sources", percent(body.own().into(), body.terms.whole.into()))?;
    match index.earlier(record) {
        Some(first) => writeln!(out, "    {BAD}copied{BAD:#}: the same weights are 0x{} before", hex::encode(first.id)),
        None => Ok(()),
    }
}

fn form(form: &Form) -> &'static str {
    match form {
        Form::Direct => "named sources",
        Form::List => "a list",
        Form::Adjustable { .. } => "a list that may be replaced",
        Form::Flow { .. } => "the flow of a model",
    }
}

fn until(height: u32) -> String {
    if height == 0 { String::new() } else { format!(", locked until height {}", grouped(height)) }
}

/// A published name as one line that no terminal takes for a command.
fn printable(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn whole(recipients: &[Recipient]) -> u64 {
    recipients.iter().fold(0, |sum, one| sum.saturating_add(one.weight))
}

fn percent(part: u64, whole: u64) -> String {
    Ratio::new(part.into(), whole.into()).map_or_else(|| "0 %".to_owned(), Ratio::percent)
}

fn payee(lock: &[u8]) -> String {
    Address::of_lock(NETWORK, lock).map_or_else(|| format!("0x{}", hex::encode(lock)), |address| address.to_string())
}

/// Where a recipient is paid: another reward by its name, or an address.
fn to(network: &Network, lock: &[u8]) -> String {
    match network.rewards.iter().find(|flow| flow.published.lock() == lock) {
        Some(flow) => format!("to {}", printable(&flow.published.name)),
        None => payee(lock),
    }
}

/// What all recipients got, and what miners did.
fn totals(flow: &Flow) -> (Sats, Sats) {
    let sum = |shares: &[Sats]| Sats::checked_sum(shares.iter().copied()).unwrap_or_default();
    let paid = flow.settlements.iter().map(|one| sum(&one.shares));
    let paid = Sats::checked_sum(paid).unwrap_or_default();
    let pots = Sats::checked_sum(flow.settlements.iter().map(|one| one.pot)).unwrap_or_default();
    (paid, pots.checked_sub(paid).unwrap_or_default())
}

/// The whole network as data.
pub(super) fn json(network: &Network) -> Value {
    let registries = used(network).map(|(registry, index)| {
        json!({
            "category": registry.category,
            "models": index.records.iter().map(|record| model_json(network, index, record)).collect::<Vec<_>>(),
            "unsound": index.unsound.as_ref().map(ToString::to_string),
        })
    });
    let refused = network.refused.iter().map(|one| json!({ "name": one.name, "txid": one.txid, "why": one.why }));
    json!({
        "rewards": network.rewards.iter().map(reward_json).collect::<Vec<_>>(),
        "registries": registries.collect::<Vec<_>>(),
        "refused": refused.collect::<Vec<_>>(),
    })
}

fn reward_json(flow: &Flow) -> Value {
    let published = &flow.published;
    let record = match published.form {
        Form::Adjustable { record } => Some(record),
        Form::Direct | Form::List | Form::Flow { .. } => None,
    };
    let settlement = |one: &::flow::Paid| json!({ "txid": one.txid, "pot_sats": one.pot, "shares": one.shares });
    json!({
        "name": published.name,
        "lock": hex::encode(published.lock()),
        "published": flow.txid,
        "form": form(&published.form),
        "record": record,
        "recipients": published.recipients.iter().map(recipient_json).collect::<Vec<_>>(),
        "held_sats": flow.held,
        "settlements": flow.settlements.iter().map(settlement).collect::<Vec<_>>(),
        "history": flow.history.iter().map(change_json).collect::<Vec<_>>(),
    })
}

fn recipient_json(one: &Recipient) -> Value {
    json!({ "name": one.name, "weight": one.weight, "until": one.until, "lock": hex::encode(&one.lock) })
}

fn change_json(change: &Change) -> Value {
    match change {
        Change::Proposed { txid, recipients } => json!({
            "proposed": txid,
            "recipients": recipients.as_ref().map(|list| list.iter().map(recipient_json).collect::<Vec<_>>()),
        }),
        Change::Cancelled { txid } => json!({ "cancelled": txid }),
        Change::Activated { txid, hash } => json!({ "activated": txid, "list": hex::encode(hash) }),
    }
}

fn model_json(network: &Network, index: &Index, record: &Record) -> Value {
    let body = &record.body;
    let parent = |edge: ::flow::Edge| {
        json!({
            "record": hex::encode(edge.parent.id),
            "weight": edge.parent.weight,
            "edge": edge.outpoint.to_string(),
        })
    };
    let about = body.about();
    json!({
        "name": name_of(network, record),
        "record": hex::encode(record.id),
        "weights": hex::encode(body.model),
        "flow": hex::encode(spec::script::p2sh32(&record.flow)),
        "whole": body.terms.whole,
        "own": body.own(),
        "parents": record.edges().map(parent).collect::<Vec<_>>(),
        "licence": about.map(|about| about.licence),
        "copied_from": index.earlier(record).map(|first| hex::encode(first.id)),
        "outpoint": record.outpoint.to_string(),
        "block": record.block,
    })
}
