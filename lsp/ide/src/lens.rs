//! Code lenses: what contracts and paths take, above them, and what can be done with them.

use std::ops::Range;

use driver::{ItemView, Measured};
use spec::artifact::{Locking, PathSize};
use spec::num::grouped;
use syntax::ast::{Item, Member};
use syntax::{FileId, Span};

use crate::cost::{Cost, Entry, GivenUp, Ledger, has_contracts};
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
            let titles = Titles { files, file, is_searched: self.is_searched() };
            if let Some(path) = path {
                return Some(titles.of(&ledger.contract(item), |entry| of_path(entry, path)));
            }
            // Tests, plans and functions may have the same name.
            let named = |view: &&ItemView<'_>| {
                has_contracts(view.key.kind) && view.ast.name().is_some_and(|name| name.as_str() == item)
            };
            let key = files.of(file).items.iter().find(named)?.key;
            Some(match ledger.contracts_of(key).as_slice() {
                [] => titles.unknown(),
                [cost] => titles.of(cost, |entry| Some(of_contract(entry))),
                several => titles.of_several(several),
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

/// What stands on the lenses of a source.
struct Titles<'f, 's> {
    files: &'f Files<'s>,
    file: FileId,
    /// Whether the package's own code takes less, because it is searched for longer.
    is_searched: bool,
}

impl Titles<'_, '_> {
    fn unknown(&self) -> String {
        match self.files.session.is_sound(self.file) {
            true => "not measured yet".to_owned(),
            false => "not measured: something is wrong with this source".to_owned(),
        }
    }

    /// What `tell` says of one contract; it says nothing of what the contract did not have when it was measured.
    fn of(&self, cost: &Cost, tell: impl Fn(&Entry) -> Option<String>) -> String {
        let (entry, is_former) = match cost {
            Cost::Unknown => return self.unknown(),
            Cost::Now(entry) => (entry, false),
            Cost::Former(entry) => (entry, true),
        };
        let Some(told) = tell(entry) else { return self.unknown() };
        told + self.level(entry.measured()) + former(is_former)
    }

    /// All contracts that a declaration becomes.
    fn of_several(&self, costs: &[Cost]) -> String {
        let entries: Vec<&Entry> = costs.iter().filter_map(Cost::known).collect();
        let measured: Vec<&Measured> = entries.iter().filter_map(|entry| entry.measured()).collect();
        if measured.len() < costs.len() {
            return format!("{} contracts · not all measured", costs.len());
        }
        let bytes: usize = measured.iter().map(|measured| measured.script).sum();
        let is_former = costs.iter().any(|cost| matches!(cost, Cost::Former(_)));
        let told = format!("{} contracts · {} bytes", costs.len(), grouped(bytes as u64));
        told + self.level(measured.first().copied()) + former(is_former)
    }

    /// What has to be said of the level at which something was measured.
    fn level(&self, measured: Option<&Measured>) -> &'static str {
        if self.is_searched && measured.is_some() { " · measured at Os, built at Oz" } else { "" }
    }
}

const fn former(is_former: bool) -> &'static str {
    if is_former { " (before the last edits)" } else { "" }
}

/// What stands there for what has no script.
fn unmade(entry: &Entry) -> String {
    match entry.made() {
        Err(GivenUp::TooLong) => "not measured: it takes too long here; `bmc size` shows it".to_owned(),
        Err(GivenUp::Broken) => "not measured: the compiler has a mistake, which `bmc size` shows".to_owned(),
        Ok(made) => {
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
    format!("{} · {paths}", of_script(measured))
}

/// The bytes of a script, and how coins are locked by it.
pub(crate) fn of_script(measured: &Measured) -> String {
    format!("{} bytes · {}", grouped(measured.script as u64), form(measured.locking))
}

/// How coins are locked, in the words of those who know Bitcoin.
pub(crate) const fn form(locking: Locking) -> &'static str {
    match locking {
        Locking::P2sh32 => "P2SH",
        Locking::P2s => "P2S",
    }
}

/// What a path takes. Nothing, if the contract did not have it when it was measured.
pub(crate) fn of_path(entry: &Entry, name: &str) -> Option<String> {
    let Some(measured) = entry.measured() else { return Some(unmade(entry)) };
    let (at, path) = measured.paths.iter().enumerate().find(|(_, path)| path.path == name)?;
    Some(format!(
        "{} of {} bytes · unlocked with {}{} · {} · {}",
        grouped(bytes_of(measured, at) as u64),
        grouped(measured.script as u64),
        grouped(path.input as u64),
        if path.open { "+" } else { "" },
        form(measured.locking),
        cost_words(entry, path)
    ))
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

/// Whether a path is over its budget, or near it. The dearest run of a loop may cost more than the input pays for, which
/// is no mistake: who spends makes fewer rounds.
pub(crate) fn tightness(entry: &Entry, path: &PathSize) -> Option<&'static str> {
    let (cost, budget) = (path.cost?, budget(entry, path)?);
    match percent(cost, budget) {
        _ if entry.budget(&path.path).is_some_and(|most| cost > most) => Some("over its budget"),
        _ if cost > budget => Some("not always paid for"),
        NEAR_PERCENT.. => Some("near its budget"),
        _ => None,
    }
}
