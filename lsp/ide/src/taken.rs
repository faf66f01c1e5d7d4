//! What contracts, paths and checks take, beside their names: tables for hovers, and a few words behind each `require`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use driver::{ItemView, Measured};
use spec::artifact::{Locking, PathSize};
use spec::num::grouped;
use syntax::ast::StmtKind;
use syntax::{FileId, ItemKey, ItemKind, Span};

use crate::cost::{Cost, Entry, Ledger};
use crate::hints::{Hint, HintKind};
use crate::host::Snapshot;
use crate::lens::{budget, bytes_of, form, percent, tightness};
use crate::names::{Def, DefKind, Files};
use crate::tree::{Node, walk};

/// So many contracts or paths are shown.
const ROWS_MAX: usize = 24;

/// The table of the contract or path that something is.
pub(crate) fn of_def(snapshot: &Snapshot, files: &Files<'_>, def: &Def) -> Option<String> {
    let is_declaration = matches!(
        def.kind,
        DefKind::Item(ItemKind::Contract | ItemKind::Reward | ItemKind::Model | ItemKind::Imi | ItemKind::Imo)
    );
    if !is_declaration && def.kind != DefKind::Path {
        return None;
    }
    let costs = Ledger::of(snapshot, files, def.file).contracts_of(&def.item);
    let entries: Vec<&Entry> = costs.iter().filter_map(Cost::now).collect();
    let tables: Vec<String> = match def.kind {
        DefKind::Path => {
            let name = files.view(def)?.text.get(def.span.range())?;
            entries.iter().filter_map(|entry| table(entry, Some(name))).collect()
        }
        _ => entries.iter().take(ROWS_MAX).filter_map(|entry| table(entry, None)).collect(),
    };
    (!tables.is_empty()).then(|| tables.join("\n\n"))
}

fn table(entry: &Entry, only: Option<&str>) -> Option<String> {
    let measured = entry.measured()?;
    let lock = match measured.locking {
        Locking::P2sh32 => "by the hash of the script",
        Locking::P2s => "by the script itself",
    };
    let mut out = format!(
        "`{}`: **{} bytes**, {} ({lock}), made at {}\n\n| path | runs | unlocked with | cost at most | budget |\n\
         |---|--:|--:|--:|--:|\n",
        measured.proof.contract,
        grouped(measured.script as u64),
        form(measured.locking),
        measured.proof.level,
    );
    let paths = measured.paths.iter().enumerate().filter(|(_, path)| only.is_none_or(|only| only == path.path));
    for (at, path) in paths.take(ROWS_MAX) {
        // Text is written to a string.
        let _ = writeln!(out, "{}", row(entry, measured, at, path));
    }
    Some(out)
}

fn row(entry: &Entry, measured: &Measured, at: usize, path: &PathSize) -> String {
    let most = budget(entry, path);
    let cost = path.cost.map_or_else(|| "without bound".to_owned(), grouped);
    let budget = match (path.cost, most) {
        (Some(cost), Some(most)) => {
            let tight = tightness(entry, path).map_or_else(String::new, |tight| format!(", **{tight}**"));
            format!("{} ({} %{tight})", grouped(most), percent(cost, most))
        }
        (None, Some(most)) => grouped(most),
        (_, None) => "grows with the input".to_owned(),
    };
    let runs = grouped(bytes_of(measured, at) as u64);
    let input = grouped(path.input as u64) + if path.open { "+" } else { "" };
    format!("| `{}` | {runs} bytes | {input} bytes | {cost} | {budget} |", path.path)
}

/// What a stretch of an item takes in one contract.
struct Taken {
    entry: Arc<Entry>,
    bytes: usize,
    /// The most that it costs in a path, and that path's budget; nothing without a bound.
    cost: Option<(u64, Option<u64>)>,
}

/// What a stretch of an item takes in each contract that has code of it.
fn taken(ledger: &Ledger<'_>, file: FileId, item: &ItemKey, within: Span) -> Vec<Taken> {
    let of = |entry: Arc<Entry>| {
        let measured = entry.measured()?;
        let inside = measured.parts.iter().filter(|part| {
            let (loc, span) = (&part.place, part.place.span);
            loc.file == file && loc.item.as_ref() == Some(item) && within.start <= span.start && span.end <= within.end
        });
        let (mut bytes, mut costs) = (0, BTreeMap::<usize, Option<u64>>::new());
        for part in inside {
            bytes += part.bytes;
            for (path, cost) in &part.paths {
                let sum = costs.entry(*path).or_insert(Some(0));
                *sum = sum.zip(*cost).map(|(one, other)| one + other);
            }
        }
        let costs: Option<Vec<(u64, Option<u64>)>> = costs
            .into_iter()
            .map(|(path, cost)| Some((cost?, measured.paths.get(path).map(|path| budget(&entry, path))?)))
            .collect();
        let cost = costs.and_then(|costs| costs.into_iter().max());
        (bytes > 0).then_some((bytes, cost)).map(|(bytes, cost)| Taken { bytes, cost, entry: Arc::clone(&entry) })
    };
    ledger.contracts().into_iter().filter_map(of).collect()
}

/// The statements of an item that may refuse a spend.
fn checks(item: ItemView<'_>) -> Vec<Span> {
    let mut found = Vec::new();
    walk(item.ast, &mut |node| {
        if let Node::Stmt(stmt) = node
            && let StmtKind::Require { .. } = stmt.kind
        {
            found.push(stmt.span);
        }
        true
    });
    found
}

/// What the check takes whose `require` is this word of an item.
pub(crate) fn of_check(
    snapshot: &Snapshot,
    files: &Files<'_>,
    file: FileId,
    item: ItemView<'_>,
    word: Span,
) -> Option<String> {
    let check = checks(item).into_iter().find(|span| span.start == word.start)?;
    let found = taken(&Ledger::of(snapshot, files, file), file, item.key, check);
    let rows = found.iter().take(ROWS_MAX).filter_map(|taken| {
        let measured = taken.entry.measured()?;
        let cost = match taken.cost {
            Some((cost, Some(budget))) => {
                format!("at most {} of the cost ({} % of the budget)", grouped(cost), percent(cost, budget))
            }
            Some((cost, None)) => format!("at most {} of the cost", grouped(cost)),
            None => "its cost has no bound".to_owned(),
        };
        let (bytes, script) = (grouped(taken.bytes as u64), grouped(measured.script as u64));
        Some(format!("In `{}`: **{bytes} of {script} bytes**, {cost}.", measured.proof.contract))
    });
    let rows: Vec<String> = rows.collect();
    (!rows.is_empty()).then(|| rows.join("\n\n"))
}

/// The bytes of the checks of contracts, behind each.
pub(crate) fn hints(snapshot: &Snapshot, files: &Files<'_>, file: FileId) -> Vec<Hint> {
    let ledger = Ledger::of(snapshot, files, file);
    let mut found = Vec::new();
    for item in files.of(file).items.iter().filter(|item| item.key.kind == ItemKind::Contract) {
        for check in checks(*item) {
            let taken = taken(&ledger, file, item.key, check);
            let bytes: usize = taken.iter().map(|taken| taken.bytes).sum();
            if bytes > 0 {
                let offset = item.start as usize + check.end as usize;
                let unit = if bytes == 1 { "byte" } else { "bytes" };
                found.push(Hint { offset, text: format!(" {} {unit}", grouped(bytes as u64)), kind: HintKind::Cost });
            }
        }
    }
    found
}
