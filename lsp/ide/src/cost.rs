//! What contracts take. Their code is made behind the edits and outside of the session, so that nobody has to wait for it;
//! what came of it counts for as long as what it was made of stays the same.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use driver::{Made, Making, MakingName, MakingView, Measured, Options, Places, Sizes};
use spec::artifact::Level;
use syntax::{FileId, ItemKey};

use crate::host::{Answer, Snapshot};
use crate::names::Files;
use crate::problems::{Problem, problem};

/// What is known of all sources that are open.
#[derive(Debug, Default)]
pub(crate) struct Costs(Mutex<BTreeMap<Arc<str>, Known>>);

/// What is known of one source.
type Known = BTreeMap<MakingName, Arc<Entry>>;

/// What came of something.
#[derive(Debug)]
pub(crate) struct Entry {
    making: Making,
    /// Nothing if it took too long.
    made: Option<Made>,
}

impl Entry {
    /// The item that declares the contract.
    fn is_of(&self, item: &ItemKey) -> bool {
        self.making.contract().is_some_and(|contract| contract.loc.item.as_ref() == Some(item))
    }

    /// What came of it, unless that took too long.
    pub(crate) fn made(&self) -> Option<&Made> {
        self.made.as_ref()
    }

    /// What it takes, if it is a contract with a script.
    pub(crate) fn measured(&self) -> Option<&Measured> {
        self.made.as_ref()?.measured.as_ref()
    }

    /// The most that its author lets a path cost.
    pub(crate) fn budget(&self, path: &str) -> Option<u64> {
        let budgets = &self.making.contract()?.budgets;
        let of = |path: Option<&str>| {
            let budget = budgets
                .iter()
                .find(|budget| budget.measure == analysis::hir::Measure::Cost && budget.path.as_deref() == path);
            budget.map(|budget| budget.most)
        };
        of(Some(path)).or_else(|| of(None))
    }
}

impl Costs {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, path: &str) -> Known {
        self.lock().get(path).cloned().unwrap_or_default()
    }

    fn set(&self, path: &Arc<str>, name: MakingName, entry: Entry) {
        self.lock().entry(Arc::clone(path)).or_default().insert(name, Arc::new(entry));
    }

    /// Forgets what a source does not declare any more.
    fn retain(&self, path: &str, names: &[MakingName]) {
        if let Some(known) = self.lock().get_mut(path) {
            known.retain(|name, _| names.contains(name));
        }
    }

    /// Forgets a source.
    pub(crate) fn forget(&self, path: &str) {
        self.lock().remove(path);
    }
}

/// What is known of something.
#[derive(Clone, Debug)]
pub(crate) enum Cost {
    /// Nothing yet.
    Unknown,
    /// What it was before it changed.
    Former(Arc<Entry>),
    /// What it is.
    Now(Arc<Entry>),
}

impl Cost {
    /// What is true of it now.
    pub(crate) fn now(&self) -> Option<&Entry> {
        match self {
            Self::Now(entry) => Some(entry),
            Self::Former(_) | Self::Unknown => None,
        }
    }
}

/// What is known of one source, held against what it says now.
pub(crate) struct Ledger<'s> {
    views: Vec<MakingView<'s>>,
    known: Known,
}

impl<'s> Ledger<'s> {
    pub(crate) fn of(snapshot: &Snapshot, files: &Files<'s>, file: FileId) -> Self {
        let known = files.session.path(file).map(|path| snapshot.costs.of(path)).unwrap_or_default();
        // Without costs there is nothing to compare.
        let views = if known.is_empty() { Vec::new() } else { files.session.makings(file, &snapshot.making_options()) };
        Self { views, known }
    }

    fn of_name(&self, name: &MakingName) -> Cost {
        let Some(entry) = self.known.get(name) else { return Cost::Unknown };
        let view = self.views.iter().find(|view| view.name() == *name);
        match view.is_some_and(|view| view.is(&entry.making)) {
            true => Cost::Now(Arc::clone(entry)),
            false => Cost::Former(Arc::clone(entry)),
        }
    }

    /// The contract of this name.
    pub(crate) fn contract(&self, name: &str) -> Cost {
        self.of_name(&MakingName::Contract(name.to_owned()))
    }

    /// The contracts that an item declares or becomes, by name.
    pub(crate) fn contracts_of(&self, item: &ItemKey) -> Vec<Cost> {
        let of_item = self.known.iter().filter(|(_, entry)| entry.is_of(item));
        of_item.map(|(name, _)| self.of_name(name)).collect()
    }

    /// All contracts that are as they were measured.
    pub(crate) fn contracts(&self) -> Vec<Arc<Entry>> {
        let all = self.known.iter().filter(|(_, entry)| entry.measured().is_some());
        let costs = all.map(|(name, _)| self.of_name(name));
        costs.filter_map(|cost| if let Cost::Now(entry) = cost { Some(entry) } else { None }).collect()
    }
}

/// Something whose code is to be made. It holds nothing of the session.
pub struct Work {
    path: Arc<str>,
    name: MakingName,
    making: Making,
    places: Arc<Places>,
    costs: Arc<Costs>,
}

impl Work {
    /// Makes the code, unless `stop` says to give it up, which is asked every few milliseconds. Whether anything has to be
    /// said about it; nothing if it was given up.
    #[must_use]
    pub fn run(&self, stop: Rc<dyn Fn() -> bool>) -> Option<bool> {
        let made = self.making.make(&self.places, stop)?;
        let says = !made.diagnostics.is_empty();
        self.note(Some(made));
        Some(says)
    }

    /// Notes that it takes too long.
    pub fn give_up(&self) {
        self.note(None);
    }

    fn note(&self, made: Option<Made>) {
        self.costs.set(&self.path, self.name.clone(), Entry { making: self.making.clone(), made });
    }

    /// The path of its source.
    #[must_use]
    pub const fn path(&self) -> &Arc<str> {
        &self.path
    }

    /// What it is.
    #[must_use]
    pub const fn name(&self) -> &MakingName {
        &self.name
    }
}

impl Snapshot {
    /// What code is made for here: as the package says, but without searches that take as long as they are let.
    fn making_options(&self) -> Options {
        Options { level: self.options.level.min(Level::Os), ..self.options }
    }

    /// What has to be made of a source to know what it takes, if nothing is wrong with it: only what is not known, or has
    /// changed.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit interrupts.
    pub fn unmeasured(&self, path: &str) -> Answer<Vec<Work>> {
        self.ask_of(path, |files, file| {
            let Some(path) = files.session.path(file).filter(|_| files.session.is_sound(file)) else {
                return Vec::new();
            };
            let views = files.session.makings(file, &self.making_options());
            let names: Vec<MakingName> = views.iter().map(MakingView::name).collect();
            self.costs.retain(path, &names);
            let known = self.costs.of(path);
            let is_new = |(view, name): &(&MakingView<'_>, MakingName)| {
                known.get(name).is_none_or(|entry| !view.is(&entry.making))
            };
            let new = views.iter().zip(names).filter(is_new);
            let new: Vec<(Making, MakingName)> = new.map(|(view, name)| (view.take(), name)).collect();
            if new.is_empty() {
                return Vec::new();
            }
            let sources: BTreeSet<FileId> = new.iter().flat_map(|(making, _)| making.files()).collect();
            let places = Arc::new(files.session.places_in(&sources));
            let work = |(making, name)| Work {
                path: Arc::clone(path),
                name,
                making,
                places: Arc::clone(&places),
                costs: Arc::clone(&self.costs),
            };
            new.into_iter().map(work).collect()
        })
    }

    /// What there is to say of a source that only making its code has shown, about items that are still as they were.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn code_problems(&self, path: &str) -> Answer<Vec<Problem>> {
        let says = |entry: &Arc<Entry>| entry.made().is_some_and(|made| !made.diagnostics.is_empty());
        if !self.costs.of(path).values().any(says) {
            return Ok(Vec::new());
        }
        self.ask_of(path, |files, file| {
            let ledger = Ledger::of(self, files, file);
            let names = ledger.known.iter().filter(|(_, entry)| says(entry)).map(|(name, _)| name);
            let costs: Vec<Cost> = names.map(|name| ledger.of_name(name)).collect();
            let made = costs.iter().filter_map(|cost| cost.now()?.made());
            let mut found = made.flat_map(|made| made.diagnostics.iter().cloned()).collect();
            self.levels.apply(&mut found);
            found.iter().filter_map(|found| problem(files, file, found)).collect()
        })
    }

    /// What the contracts of a source take, by path and by line, as far as that is known: of all, or of the one of this
    /// name. Whether all of it is known.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn sizes(&self, path: &str, contract: Option<&str>) -> Answer<(Vec<Sizes>, bool)> {
        self.ask_of(path, |files, file| {
            let ledger = Ledger::of(self, files, file);
            let places = files.session.places();
            let all = ledger.contracts();
            let sizes = all.iter().filter_map(|entry| Some(entry.measured()?.sizes(&places)));
            let sizes = sizes.filter(|sizes| contract.is_none_or(|name| sizes.contract == name)).collect();
            let is_known = |view: &MakingView<'_>| ledger.of_name(&view.name()).now().is_some();
            let views = files.session.makings(file, &self.making_options());
            (sizes, files.session.is_sound(file) && views.iter().all(is_known))
        })
    }
}
