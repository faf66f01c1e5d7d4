//! The story for people.

use std::io::{self, Write};

use crate::shell::{BAD, BOLD, FAINT, GOOD, NAME};
use crate::units::grouped;

use super::story::{ShareFact, Story};

/// Tells the story.
pub(crate) fn tell(out: &mut dyn Write, story: &Story) -> io::Result<()> {
    writeln!(out, "{BOLD}{}{BOLD:#} {FAINT}{}{FAINT:#}", story.contract, story.example)?;
    writeln!(out)?;
    steps(out, story)?;
    writeln!(out)?;
    table(out, story)?;
    writeln!(out)?;
    figures(out, story)?;
    writeln!(out)?;
    forgery(out, story)?;
    writeln!(out)?;
    writeln!(
        out,
        "{FAINT}amounts, locks, sizes and blocks were read back from the chain; all of it took {} ms{FAINT:#}",
        story.milliseconds
    )
}

fn steps(out: &mut dyn Write, story: &Story) -> io::Result<()> {
    let minimum = grouped(story.minimum_sats.get());
    step(
        out,
        "checked",
        format_args!("{}: the shares sum to exactly 1, and from {minimum} sats up none is dust", story.file),
    )?;
    step(
        out,
        "compiled",
        format_args!("{} bytes of opcodes that pay {} recipients", story.script_bytes, story.shares.len()),
    )?;
    step(out, "deployed", format_args!("{}", story.address))?;
    let payment = &story.payment;
    step(out, "paid", format_args!("{} coin by {} in block {}", story.pot_sats, story.payer, payment.height))?;
    let signatures = story.settlement.sig_checks;
    step(
        out,
        "settled",
        format_args!("by a keeper who holds {} coin, with {signatures} signatures", story.keeper_sats),
    )?;
    let mined = &story.settlement.mined;
    step(out, "mined", format_args!("in block {}, {}", mined.height, mined.block))
}

fn step(out: &mut dyn Write, what: &str, text: std::fmt::Arguments<'_>) -> io::Result<()> {
    writeln!(out, "  {GOOD}{what:<9}{GOOD:#} {text}")
}

fn table(out: &mut dyn Write, story: &Story) -> io::Result<()> {
    let width = story.shares.iter().map(|share| share.source.chars().count()).max().unwrap_or(0).max(6);
    writeln!(
        out,
        "  {BOLD}{:<width$}  {:>9} {:>9} {:>15} {:>9}{BOLD:#}  paid to",
        "source", "share", "", "sats", "rounding"
    )?;
    for share in &story.shares {
        row(out, share, width)?;
    }
    let paid: u64 = story.shares.iter().map(|share| share.sats.get()).sum();
    let fee = story.settlement.fee_sats.get();
    for (name, sats) in [("shares", paid), ("fee", fee), ("pot", story.pot_sats.get())] {
        writeln!(out, "  {FAINT}{name:<width$}{FAINT:#}  {:>9} {:>9} {:>15}", "", "", grouped(sats))?;
    }
    Ok(())
}

fn row(out: &mut dyn Write, share: &ShareFact, width: usize) -> io::Result<()> {
    let ShareFact { source, share, percent, sats, rounding, address } = share;
    let sats = grouped(sats.get());
    writeln!(
        out,
        "  {NAME}{source:<width$}{NAME:#}  {share:>9} {percent:>9} {sats:>15} {rounding:>9}  {FAINT}{address}{FAINT:#}"
    )
}

fn figures(out: &mut dyn Write, story: &Story) -> io::Result<()> {
    let settlement = &story.settlement;
    let (remainder, last) = (grouped(story.remainder_sats.get()), &story.remainder_to);
    writeln!(
        out,
        "  remainder   {remainder} sats, which rounding every share down would leave, are paid out too; `{last}` takes what the others' rounding leaves"
    )?;
    writeln!(out, "  transaction {}", settlement.mined.txid)?;
    writeln!(
        out,
        "  size        {} bytes for a fee of {} sats, out of the pot",
        grouped(settlement.bytes as u64),
        settlement.fee_sats.get()
    )?;
    let (cost, budget) = (settlement.cost.get(), settlement.budget.get());
    let share = cost.saturating_mul(100).div_ceil(budget.max(1));
    writeln!(out, "  cost        {} of {} units that its size allows ({share} %)", grouped(cost), grouped(budget))
}

fn forgery(out: &mut dyn Write, story: &Story) -> io::Result<()> {
    writeln!(out, "  {BAD}forged{BAD:#}      {}", story.forgery.what)?;
    writeln!(out, "  {BAD}refused{BAD:#}     {}", story.forgery.message)
}
