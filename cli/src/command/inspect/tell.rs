//! What `bmc inspect` says to people.

use std::io::{self, Write};

use super::look::{Input, Looked, Named, Output, Script};
use crate::shell::{BAD, BOLD, FAINT, GOOD, NAME};
use crate::units::grouped;

/// Long pushes are shown in part.
const WORD_MAX: usize = 90;
/// So many instructions of a script are shown.
const WORDS_MAX: usize = 400;

/// A transaction.
pub(super) fn transaction(out: &mut dyn Write, tx: &Looked) -> io::Result<()> {
    writeln!(out, "{BOLD}{}{BOLD:#}", tx.txid)?;
    write!(out, "  version {}, lock time {}, {} bytes", tx.version, grouped(tx.locktime), grouped(tx.bytes as u64))?;
    match (tx.fee_sats, tx.fee_sats_per_kb) {
        (Some(fee), Some(rate)) => writeln!(out, ", fee {} sats ({} for 1_000 bytes)", grouped(fee), grouped(rate))?,
        _ => writeln!(out)?,
    }
    for (index, input) in tx.inputs.iter().enumerate() {
        self::input(out, index, input)?;
    }
    for (index, output) in tx.outputs.iter().enumerate() {
        writeln!(out, "{BOLD}output {index}{BOLD:#}")?;
        self::output(out, output)?;
        script(out, &output.lock, 2)?;
    }
    Ok(())
}

fn input(out: &mut dyn Write, index: usize, input: &Input) -> io::Result<()> {
    let from = input.outpoint.as_deref().unwrap_or("nothing: the first transaction of a block");
    writeln!(out, "{BOLD}input {index}{BOLD:#} spends {from}, sequence {:#010x}", input.sequence)?;
    if let Some(coin) = &input.coin {
        output(out, coin)?;
    }
    if let Some(path) = &input.path {
        let args: Vec<String> = input.args.iter().map(|arg| format!("{} = {}", arg.name, short(&arg.text))).collect();
        writeln!(out, "  {NAME}{path}{NAME:#}({})", args.join(", "))?;
    }
    if let Some(ran) = &input.run {
        let (cost, budget) = (grouped(ran.cost), grouped(ran.budget));
        match &ran.failure {
            None => writeln!(out, "  {GOOD}valid{GOOD:#}, cost {cost} of {budget}")?,
            Some(failure) => writeln!(out, "  {BAD}invalid{BAD:#}, {failure}, cost {cost} of {budget}")?,
        }
    }
    writeln!(out, "  {FAINT}unlocks with{FAINT:#}")?;
    script(out, &input.unlock, 4)?;
    if let Some(coin) = &input.coin {
        writeln!(out, "  {FAINT}a coin locked by {}{FAINT:#}", coin.lock.kind)?;
        script(out, &coin.lock, 4)?;
    }
    match &input.redeem {
        Some(redeem) => {
            writeln!(out, "  {FAINT}whose script is{FAINT:#}")?;
            script(out, redeem, 4)
        }
        None => Ok(()),
    }
}

fn output(out: &mut dyn Write, output: &Output) -> io::Result<()> {
    let to = output.address.as_deref().unwrap_or(output.lock.kind);
    writeln!(out, "  {} sats, {to}", grouped(output.sats))?;
    let Some(token) = &output.token else { return Ok(()) };
    let nft = match (token.capability, &token.commitment) {
        (Some(capability), Some(commitment)) => format!(", {capability}, commitment 0x{commitment}"),
        _ => String::new(),
    };
    writeln!(out, "  {} tokens of {}{nft}", token.amount, token.category)?;
    values(out, &token.state, 4)
}

fn values(out: &mut dyn Write, all: &[Named], indent: usize) -> io::Result<()> {
    let space = " ".repeat(indent);
    all.iter().try_for_each(|one| writeln!(out, "{space}{NAME}{}{NAME:#}: {} = {}", one.name, one.ty, short(&one.text)))
}

/// A script, one instruction on each line.
pub(super) fn script(out: &mut dyn Write, script: &Script, indent: usize) -> io::Result<()> {
    let space = " ".repeat(indent);
    if let Some(contract) = &script.contract {
        writeln!(out, "{space}{BOLD}{contract}{BOLD:#}")?;
        values(out, &script.params, indent + 2)?;
    }
    let mut depth = 0usize;
    for word in script.instructions.iter().take(WORDS_MAX) {
        let name = word.word.as_str();
        if matches!(name, "OP_ELSE" | "OP_ENDIF" | "OP_UNTIL") {
            depth = depth.saturating_sub(1);
        }
        let inner = "  ".repeat(depth.min(20));
        writeln!(out, "{space}{FAINT}{:>5}{FAINT:#}  {inner}{}", word.at, short(name))?;
        if matches!(name, "OP_IF" | "OP_NOTIF" | "OP_ELSE" | "OP_BEGIN") {
            depth += 1;
        }
    }
    match script.instructions.len().saturating_sub(WORDS_MAX) {
        0 => Ok(()),
        more => writeln!(out, "{space}{FAINT}{} instructions more{FAINT:#}", grouped(more as u64)),
    }
}

fn short(text: &str) -> String {
    if text.len() <= WORD_MAX {
        return text.to_owned();
    }
    let start = text.get(..WORD_MAX / 2).unwrap_or(text);
    format!("{start}.. ({} characters)", grouped(text.chars().count() as u64))
}
