//! The proof that a reward gives away exactly what it gets, beside its name and its shares.

use std::fmt::Write as _;

use spec::Sats;
use spec::artifact::{Division, Payout, RewardTable};
use spec::num::grouped;
use syntax::{ItemKind, Span};

use crate::names::{Def, DefKind, Files};

/// So many recipients are shown, and those that are asked about.
const ROWS_MAX: usize = 40;

/// The proof of the reward that something is, or that it is a share of; nothing if it is neither.
pub(crate) fn of_def(files: &Files<'_>, def: &Def) -> Option<String> {
    // Nothing else is a reward, and the whole program is asked for.
    if !matches!(def.item.kind, ItemKind::Reward | ItemKind::Model) {
        return None;
    }
    let share = match def.kind {
        DefKind::Entry => Some(entry_span(files, def)?),
        DefKind::Item(_) => None,
        _ => return None,
    };
    let contracts = &files.session.program(def.file)?.contracts;
    let of_item = contracts.iter().filter(|contract| contract.loc.item.as_ref() == Some(&def.item));
    let reward = of_item.filter_map(|contract| contract.reward.as_ref()).next()?;
    let marked: Vec<bool> = reward
        .sources
        .iter()
        .map(|source| {
            let is_here = source.loc.file == def.file && source.loc.item.as_ref() == Some(&def.item);
            share.is_some_and(|share| {
                is_here && share.start <= source.loc.span.start && source.loc.span.end <= share.end
            })
        })
        .collect();
    // A setting of the declaration is no share.
    if share.is_some() && !marked.contains(&true) {
        return None;
    }
    let table = driver::reward_table(reward, &mut |_| spec::artifact::SourceSpan::default());
    Some(told(&table, &table.at_minimum()?, &marked))
}

/// The whole entry whose key is defined.
fn entry_span(files: &Files<'_>, def: &Def) -> Option<Span> {
    let mut found = None;
    crate::tree::walk(files.view(def)?.ast, &mut |node| {
        if let crate::tree::Node::Entry(entry) = node
            && entry.key.span == def.span
        {
            found = Some(entry.span);
        }
        true
    });
    found
}

fn told(table: &RewardTable, division: &Division, marked: &[bool]) -> String {
    let mut out =
        format!("| recipient | share | percent | of {} | rounding |\n|---|--:|--:|--:|--:|\n", sats(division.pot));
    // What is asked about is shown wherever it stands.
    let rows = division.payouts.iter().zip(marked).enumerate();
    let shown: Vec<_> = rows.filter(|(at, (_, marked))| *at < ROWS_MAX || **marked).collect();
    for (_, (payout, marked)) in &shown {
        // Text is written to a string.
        let _ = writeln!(out, "{}", row(payout, **marked));
    }
    let more = division.payouts.len() - shown.len();
    if more > 0 {
        let others = if more == 1 { "other" } else { "others" };
        let _ = writeln!(out, "| and {more} {others} | | | | |");
    }
    if let Some(share) = division.unnamed {
        let _ = writeln!(out, "| recipients of the list | {share} | {} | | |", share.percent());
    }
    let paid = division.payouts.iter().map(|payout| payout.paid.map(|(sats, _)| sats.get())).sum::<Option<u64>>();
    let paid = paid.map_or_else(String::new, grouped);
    let _ = writeln!(out, "| **sum** | **{}** | **{}** | **{paid}** | |", division.whole, division.whole.percent());
    out.push('\n');
    out.push_str(&ends(table, division));
    out
}

fn row(payout: &Payout, marked: bool) -> String {
    let name = match marked {
        true => format!("**{}**", payout.name),
        false => payout.name.clone(),
    };
    let to = payout.to.as_ref().map_or_else(String::new, |to| format!(" → `{to}`"));
    let (paid, rounding) = match &payout.paid {
        Some((sats, rounding)) => (grouped(sats.get()), rounding.signed()),
        None => (String::new(), String::new()),
    };
    format!("| {name}{to} | {} | {} | {paid} | {rounding} |", payout.share, payout.share.percent())
}

/// What is true of every pot.
fn ends(table: &RewardTable, division: &Division) -> String {
    let last = division.payouts.iter().find(|payout| payout.is_last).map(|payout| &payout.name);
    let remainder = match last {
        Some(last) => format!("what rounding leaves goes to `{last}`"),
        None => "what rounding leaves goes to the last recipient of the list".to_owned(),
    };
    let fee = match table.fee_sats_max {
        Sats::ZERO => "no fee is taken".to_owned(),
        fee => format!("a settlement takes at most {} as fee", sats(fee)),
    };
    format!(
        "The shares sum to exactly {}, so every pot, less the fee, is paid out to the last satoshi; {remainder}. The smallest pot is {}; \
         {fee}.",
        division.whole,
        sats(table.minimum_sats)
    )
}

fn sats(sats: Sats) -> String {
    format!("{} sats", grouped(sats.get()))
}
