//! What `bmc verify` says.

use serde_json::{Value, json};
use spec::Address;
use spec::artifact::{AbiType, AbiValue};
use wallet::written;

use super::{Given, Match, Miss};
use crate::command::run::places;
use crate::fail::Fail;
use crate::link::NETWORK;
use crate::shell::{BAD, BOLD, FAINT, GOOD, NAME, Shell};

/// A value with what it means to people: the address of a lock.
fn meaning(ty: &AbiType, value: &AbiValue) -> Option<String> {
    match ty {
        AbiType::Lock => Address::of_lock(NETWORK, value.item()?).map(|address| address.to_string()),
        AbiType::List(_) => Some("the hash of its records".to_owned()),
        _ => None,
    }
}

/// The script is the contract.
pub(super) fn matched(shell: &Shell, given: &Given, found: &Match) -> Result<(), Fail> {
    let Match { artifact, settings, params, unknown, script } = found;
    let lock = given.lock.clone().unwrap_or_else(|| artifact.lock_of(script));
    let address = Address::of_lock(NETWORK, &lock).map(|address| address.to_string());
    let slots = || artifact.params.iter().filter_map(|slot| Some((slot, params.get(&slot.name)?)));
    let param = |(slot, value): (&spec::artifact::Slot, &AbiValue)| json!({ "name": slot.name, "type": slot.ty, "text": written(&slot.ty, value), "value": value });
    let data = json!({
        "matches": true,
        "contract": artifact.contract,
        "sources": artifact.sources,
        "rules": settings.rules,
        "level": settings.level,
        "objective": settings.objective,
        "whole_constants": settings.whole_constants,
        "compiler": artifact.compiler,
        "locking": artifact.locking,
        "params": slots().map(param).collect::<Vec<_>>(),
        "unknown": unknown,
        "script": hex::encode(script),
        "lock": hex::encode(&lock),
        "address": address,
        "shown_by": given.shown_by,
    });
    shell.print(&data, |out| {
        let source = artifact.sources.first().map(|source| source.path.as_str()).unwrap_or_default();
        writeln!(out, "{GOOD}match{GOOD:#}: {BOLD}{}{BOLD:#} of {source}", artifact.contract)?;
        let constants = if settings.whole_constants == Some(true) { ", without hash lowering" } else { "" };
        let (rules, level, objective) = (settings.rules.name(), settings.level, settings.objective);
        writeln!(
            out,
            "  compiled for {rules} at {level} for the least {objective}{constants}, by bmc {}",
            artifact.compiler
        )?;
        if let Some(address) = &address {
            writeln!(out, "  at {address}")?;
        }
        for (slot, value) in slots() {
            let (name, ty, text) = (&slot.name, &slot.ty, written(&slot.ty, value));
            let meaning =
                meaning(ty, value).map(|meaning| format!(" {FAINT}// {meaning}{FAINT:#}")).unwrap_or_default();
            writeln!(out, "  {NAME}{name}{NAME:#}: {ty} = {text}{meaning}")?;
        }
        unknown.iter().try_for_each(|name| {
            writeln!(out, "  {NAME}{name}{NAME:#} {FAINT}// does not stand in the script{FAINT:#}")
        })
    })
}

/// It is not.
pub(super) fn missed(shell: &Shell, given: &Given, closest: Option<&Miss>, tried: usize) -> Result<(), Fail> {
    let lines = closest.and_then(source_line);
    let data = json!({
        "matches": false,
        "tried": tried,
        "closest": closest.map(|miss| json!({
            "contract": miss.artifact.contract,
            "rules": miss.artifact.rules,
            "level": miss.artifact.level,
            "objective": miss.artifact.objective,
            "why": miss.why,
            "difference": miss.difference.as_ref().map(|difference| json!({
                "instruction": difference.instruction,
                "at": difference.at,
                "expected": difference.expected,
                "found": difference.found,
            })),
            "place": lines.as_ref().map(|(place, _)| place),
        })),
        "script": given.script.as_ref().map(hex::encode),
        "shown_by": given.shown_by,
    });
    shell.print(&data, |out| {
        writeln!(out, "{BAD}no match{BAD:#}: {tried} different scripts of the sources were compared")?;
        let Some(miss) = closest else { return Ok(()) };
        let (contract, level, rules) = (&miss.artifact.contract, miss.artifact.level, miss.artifact.rules.name());
        writeln!(out, "  closest is {BOLD}{contract}{BOLD:#} for {rules} at {level}: {}", miss.why)?;
        if let Some((place, text)) = &lines {
            writeln!(out, "  {FAINT}{place}{FAINT:#}  {text}")?;
        }
        Ok(())
    })?;
    if given.script.is_some() {
        return Err(Fail::said());
    }
    let fail = match (closest, tried) {
        (None, _) if given.lock.is_some() => Fail::refused("the coin shows a hash, which none of these scripts has")
            .help("give all parameters with `--param`, or wait until a coin of it is spent: that shows the script"),
        _ => Fail::said(),
    };
    Err(fail)
}

/// The place of the contract's instruction, and its line if the source lies here as it was compiled.
fn source_line(miss: &Miss) -> Option<(Value, String)> {
    let span = miss.difference.as_ref()?.span?;
    let (file, lines) = places::file(&miss.artifact, span.file);
    let text = span.line.checked_sub(1).and_then(|line| lines.get(line).cloned()).unwrap_or_default();
    Some((json!(format!("{file}:{}:{}", span.line, span.column)), text))
}
