//! Code lenses: what contracts and paths take, above them, and what can be done with them.

use std::ops::Range;

use driver::Measured;
use spec::artifact::{Locking, PathSize};
use spec::num::grouped;
use syntax::ast::{Item, Member};
use syntax::{FileId, Span};

use crate::cost::{Cost, Entry, Ledger};
use crate::host::{Answer, Snapshot};
use crate::names::Files;

/// From so many hundredths of its budget on a path is near it.
const NEAR_PERCENT: u64 = 90;

/// A line above an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lens {
    /// The name that it is about.
    pub range: Range<usize>,
    /// What it is for.
    pub kind: LensKind,
}

/// What a lens is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LensKind {
    /// What an item takes, or one of its paths.
    Cost {
        /// The item.
        item: String,
        /// The path.
        path: Option<String>,
    },
    /// Running a test.
    Run {
        /// Its name.
        test: String,
    },
    /// Going through a test step by step.
    Debug {
        /// Its name.
        test: String,
    },
    /// Making a coin of a contract.
    Deploy {
        /// Its name.
        contract: String,
    },
    /// What a declaration becomes.
    Expand {
        /// Its name.
        item: String,
    },
}

impl Snapshot {
    /// The lenses of a source, in order.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn lenses(&self, path: &str) -> Answer<Vec<Lens>> {
        self.ask_of(path, |files, file| {
            let mut found = Vec::new();
            for item in &files.of(file).items {
                of_item(item.ast, item.start as usize, &mut found);
            }
            found
        })
    }

    /// What stands on the lens of an item of this name, or of one of its paths. Nothing if there is no such item.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn cost_title(&self, source: &str, item: &str, path: Option<&str>) -> Answer<Option<String>> {
        self.ask_of(source, |files, file| {
            let ledger = Ledger::of(self, files, file);
            if let Some(path) = path {
                let cost = ledger.contract(item);
                return Some(title(files, file, &cost, |entry| of_path(entry, path)));
            }
            let key = files.item(file, item)?.key;
            Some(match ledger.contracts_of(key).as_slice() {
                [] => unknown(files, file),
                [cost] => title(files, file, cost, of_contract),
                several => of_several(several),
            })
        })
    }
}

fn of_item(item: &Item, base: usize, found: &mut Vec<Lens>) {
    let Some(name) = item.name().filter(|name| !name.is_missing()) else { return };
    let place = |span: Span| base + span.start as usize..base + span.end as usize;
    let range = place(name.span);
    let name = name.as_str().to_owned();
    let mut push = |range: &Range<usize>, kind| found.push(Lens { range: range.clone(), kind });
    match item {
        Item::Contract(contract) => {
            push(&range, LensKind::Cost { item: name.clone(), path: None });
            push(&range, LensKind::Deploy { contract: name.clone() });
            for member in &contract.members {
                if let Member::Spend(spend) = member
                    && !spend.name.is_missing()
                {
                    let path = Some(spend.name.as_str().to_owned());
                    push(&place(spend.name.span), LensKind::Cost { item: name.clone(), path });
                }
            }
        }
        Item::Reward(_) | Item::Model(_) | Item::Imi(_) | Item::Imo(_) => {
            push(&range, LensKind::Cost { item: name.clone(), path: None });
            // The others become contracts of other names.
            if let Item::Reward(_) | Item::Model(_) = item {
                push(&range, LensKind::Deploy { contract: name.clone() });
            }
            push(&range, LensKind::Expand { item: name });
        }
        Item::Test(_) => {
            push(&range, LensKind::Run { test: name.clone() });
            push(&range, LensKind::Debug { test: name });
        }
        _ => {}
    }
}

fn unknown(files: &Files<'_>, file: FileId) -> String {
    match files.session.is_sound(file) {
        true => "not measured yet".to_owned(),
        false => "not measured: something is wrong with this source".to_owned(),
    }
}

fn title(files: &Files<'_>, file: FileId, cost: &Cost, tell: impl Fn(&Entry) -> String) -> String {
    match cost {
        Cost::Unknown => unknown(files, file),
        Cost::Now(entry) => tell(entry),
        Cost::Former(entry) => format!("{} (before the last edits)", tell(entry)),
    }
}

/// What stands there for what has no script.
fn unmade(entry: &Entry) -> String {
    match entry.made() {
        None => "not measured: it takes too long here; `bmc size` shows it".to_owned(),
        Some(made) => {
            let why = made.diagnostics.first().map_or_else(String::new, |found| format!(": {}", found.message));
            format!("no script{why}")
        }
    }
}

fn of_contract(entry: &Entry) -> String {
    let Some(measured) = entry.measured() else { return unmade(entry) };
    let paths = match measured.paths.as_slice() {
        [path] => cost_words(entry, path),
        paths => {
            let tight = paths.iter().filter_map(|path| Some(format!("`{}` {}", path.path, tightness(entry, path)?)));
            let tight: Vec<String> = tight.collect();
            let count = format!("{} paths", paths.len());
            if tight.is_empty() { count } else { format!("{count}, {}", tight.join(", ")) }
        }
    };
    format!("{} bytes · {} · {paths}", grouped(measured.script as u64), form(measured.locking))
}

fn of_several(costs: &[Cost]) -> String {
    let entries: Vec<&Entry> = costs.iter().filter_map(Cost::now).collect();
    let measured: Vec<&Measured> = entries.iter().filter_map(|entry| entry.measured()).collect();
    let bytes: usize = measured.iter().map(|measured| measured.script).sum();
    match measured.len() == costs.len() {
        true => format!("{} contracts · {} bytes", costs.len(), grouped(bytes as u64)),
        false => format!("{} contracts · not all measured", costs.len()),
    }
}

/// How coins are locked, in the words of those who know Bitcoin.
pub(crate) const fn form(locking: Locking) -> &'static str {
    match locking {
        Locking::P2sh32 => "P2SH",
        Locking::P2s => "P2S",
    }
}

fn of_path(entry: &Entry, name: &str) -> String {
    let Some(measured) = entry.measured() else { return unmade(entry) };
    let Some((at, path)) = measured.paths.iter().enumerate().find(|(_, path)| path.path == name) else {
        return "not measured yet".to_owned();
    };
    format!(
        "{} of {} bytes · unlocked with {}{} · {}",
        grouped(bytes_of(measured, at) as u64),
        grouped(measured.script as u64),
        grouped(path.input as u64),
        if path.open { "+" } else { "" },
        cost_words(entry, path)
    )
}

/// The bytes of the script that a path runs.
pub(crate) fn bytes_of(measured: &Measured, path: usize) -> usize {
    measured.parts.iter().filter(|part| part.paths.contains_key(&path)).map(|part| part.bytes).sum()
}

/// The most that a path may cost: what its author says, or what its input pays for. Nothing if it pays for the more the
/// longer its arguments are, which may have any length.
pub(crate) fn budget(entry: &Entry, path: &PathSize) -> Option<u64> {
    let limit = (!path.open).then_some(path.limit);
    entry.budget(&path.path).into_iter().chain(limit).min()
}

/// How much of a budget a cost is, in hundredths, rounded up.
pub(crate) fn percent(cost: u64, budget: u64) -> u64 {
    cost.saturating_mul(100).div_ceil(budget.max(1))
}

fn cost_words(entry: &Entry, path: &PathSize) -> String {
    let Some(cost) = path.cost else { return "cost without bound".to_owned() };
    let Some(budget) = budget(entry, path) else { return format!("cost {} at most", grouped(cost)) };
    let tight = tightness(entry, path).map_or_else(String::new, |tight| format!(", {tight}"));
    format!("cost {} of {} ({} %){tight}", grouped(cost), grouped(budget), percent(cost, budget))
}

/// Whether a path is over its budget, or near it.
pub(crate) fn tightness(entry: &Entry, path: &PathSize) -> Option<&'static str> {
    let (cost, budget) = (path.cost?, budget(entry, path)?);
    match percent(cost, budget) {
        _ if cost > budget => Some("over its budget"),
        NEAR_PERCENT.. => Some("near its budget"),
        _ => None,
    }
}
