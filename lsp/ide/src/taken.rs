//! What contracts, paths and checks take, beside their names: tables for hovers, and a few words behind each head and
//! each `require`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use driver::{ItemView, Loc, Measured, PartSize};
use spec::artifact::{Locking, PathSize};
use spec::num::grouped;
use syntax::ast::{Item, Member, StmtKind};
use syntax::{FileId, ItemKey, ItemKind, Span, TokenKind};

use crate::cost::{Cost, Entry, Ledger, has_contracts};
use crate::hints::{Hint, HintKind};
use crate::host::Snapshot;
use crate::lens::{budget, bytes_of, form, of_path, of_script, percent, tightness};
use crate::names::{Def, DefKind, Files};
use crate::tree::{Node, walk};

/// So many contracts or paths are shown.
const ROWS_MAX: usize = 24;

/// The table of the contract or path that something is.
pub(crate) fn of_def(snapshot: &Snapshot, files: &Files<'_>, def: &Def) -> Option<String> {
    let is_declaration = matches!(def.kind, DefKind::Item(kind) if has_contracts(kind));
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
struct Taken<'e> {
    measured: &'e Measured,
    bytes: usize,
    /// The most that it costs in a path, and that path's budget; nothing without a bound.
    cost: Option<(u64, Option<u64>)>,
}

/// What a stretch of an item of a source takes in one contract, if that has code of it.
fn taken<'e>(entry: &'e Entry, file: FileId, item: &ItemKey, within: Span) -> Option<Taken<'e>> {
    let measured = entry.measured()?;
    let (mut bytes, mut costs) = (0, BTreeMap::<usize, Option<u64>>::new());
    for part in parts_of(measured, file, item).filter(|part| is_within(part, within)) {
        bytes += part.bytes;
        for (path, cost) in &part.paths {
            let sum = costs.entry(*path).or_insert(Some(0));
            *sum = sum.zip(*cost).map(|(one, other)| one + other);
        }
    }
    let costs: Option<Vec<(u64, Option<u64>)>> = costs
        .into_iter()
        .map(|(path, cost)| Some((cost?, measured.paths.get(path).map(|path| budget(entry, path))?)))
        .collect();
    // Of two paths in which it costs as much, that with the smaller budget.
    let cost = costs
        .and_then(|costs| costs.into_iter().max_by_key(|(cost, budget)| (*cost, Reverse(budget.unwrap_or(u64::MAX)))));
    (bytes > 0).then_some(Taken { measured, bytes, cost })
}

/// What comes from an item of a source.
fn parts_of<'e>(measured: &'e Measured, file: FileId, item: &ItemKey) -> impl Iterator<Item = &'e PartSize<Loc>> {
    measured.parts.iter().filter(move |part| part.place.file == file && part.place.item.as_ref() == Some(item))
}

fn is_within(part: &PartSize<Loc>, within: Span) -> bool {
    within.start <= part.place.span.start && part.place.span.end <= within.end
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
    let has_part = |measured: &Measured| parts_of(measured, file, item.key).next().is_some();
    let contracts = Ledger::of(snapshot, files, file).contracts(has_part);
    let found = contracts.iter().filter_map(|entry| taken(entry, file, item.key, check));
    let rows = found.take(ROWS_MAX).map(|taken| {
        let cost = match taken.cost {
            Some((cost, Some(budget))) => {
                format!("at most {} of the cost ({} % of the budget)", grouped(cost), percent(cost, budget))
            }
            Some((cost, None)) => format!("at most {} of the cost", grouped(cost)),
            None => "its cost has no bound".to_owned(),
        };
        let (bytes, script) = (grouped(taken.bytes as u64), grouped(taken.measured.script as u64));
        format!("In `{}`: **{bytes} of {script} bytes**, {cost}.", taken.measured.proof.contract)
    });
    let rows: Vec<String> = rows.collect();
    (!rows.is_empty()).then(|| rows.join("\n\n"))
}

/// What is known for certain of the costs of items: of what declares contracts, of their paths, and of their checks.
pub(crate) fn hints(snapshot: &Snapshot, files: &Files<'_>, file: FileId, items: &[ItemView<'_>]) -> Vec<Hint> {
    let items: Vec<&ItemView<'_>> = items.iter().filter(|item| has_contracts(item.key.kind)).collect();
    if items.is_empty() {
        return Vec::new();
    }
    let keys: BTreeSet<&ItemKey> = items.iter().map(|item| item.key).collect();
    let is_here =
        |part: &PartSize<Loc>| part.place.file == file && part.place.item.iter().any(|key| keys.contains(key));
    let ledger = Ledger::of(snapshot, files, file);
    let contracts = ledger.contracts(|measured| measured.parts.iter().any(is_here));
    let mut parts = BTreeMap::<&ItemKey, Vec<&PartSize<Loc>>>::new();
    for part in contracts.iter().filter_map(|entry| entry.measured()).flat_map(|measured| &measured.parts) {
        if let Some(item) = part.place.item.as_ref().filter(|_| part.place.file == file) {
            parts.entry(item).or_default().push(part);
        }
    }
    let mut found = Vec::new();
    for item in items {
        heads(&ledger, *item, &mut found);
        let parts = parts.get(item.key).map(Vec::as_slice).unwrap_or_default();
        // What a declaration becomes is of its entries.
        if item.key.kind == ItemKind::Contract {
            found.extend(checks(*item).into_iter().filter_map(|check| of_bytes(*item, check, parts)));
        }
    }
    found
}

/// The bytes of a check, behind it.
fn of_bytes(item: ItemView<'_>, check: Span, parts: &[&PartSize<Loc>]) -> Option<Hint> {
    let inside = parts.iter().filter(|part| is_within(part, check));
    let bytes: usize = inside.map(|part| part.bytes).sum();
    let unit = if bytes == 1 { "byte" } else { "bytes" };
    let text = format!(" {} {unit}", grouped(bytes as u64));
    (bytes > 0).then(|| Hint { offset: item.start as usize + check.end as usize, text, kind: HintKind::Cost })
}

/// What stands on lenses, behind the heads of what they are above: not every editor shows lenses.
fn heads(ledger: &Ledger<'_>, item: ItemView<'_>, found: &mut Vec<Hint>) {
    let Some(name) = item.ast.name() else { return };
    // What becomes several contracts has none of its own name.
    let Cost::Now(entry) = ledger.contract(name.as_str()) else { return };
    let Some(measured) = entry.measured() else { return };
    let mut push = |brace: usize, told: String| {
        let head = item.text.get(..brace).unwrap_or_default().trim_end();
        let text = format!(" {told}");
        found.push(Hint { offset: item.start as usize + head.len(), text, kind: HintKind::Cost });
    };
    let behind = name.span.end as usize;
    let rest = syntax::lex(item.text.get(behind..).unwrap_or_default());
    if let Some((_, brace)) = rest.iter().find(|(kind, _)| *kind == TokenKind::LBrace) {
        push(behind + brace.start as usize, of_script(measured));
    }
    let Item::Contract(contract) = item.ast else { return };
    for member in &contract.members {
        if let Member::Spend(spend) = member
            && let Some(told) = of_path(&entry, spend.name.as_str())
        {
            push(spend.body.span.start as usize, told);
        }
    }
}
