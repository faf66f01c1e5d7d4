//! What contracts take. Their code is made behind the edits and outside of the session, so that nobody has to wait for it;
//! what came of it counts for as long as what it was made of stays the same.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use analysis::hir::{Contract, Measure};
use driver::{Diagnostic, Made, Making, MakingName, MakingView, Measured, Options, Places, Sizes};
use spec::artifact::Level;
use syntax::{FileId, ItemKey, ItemKind};

use crate::host::{Answer, Snapshot};
use crate::names::Files;
use crate::problems::{Problem, problem};

/// Above this level code is searched for as long as the search is let.
const LEVEL_MAX: Level = Level::Os;

/// What is known of all sources that are open.
#[derive(Debug, Default)]
pub(crate) struct Costs(Mutex<BTreeMap<Arc<str>, Known>>);

/// What is known of one source.
type Known = BTreeMap<MakingName, Arc<Entry>>;

/// What came of something.
#[derive(Debug)]
pub(crate) struct Entry {
    making: Making,
    made: Result<Made, GivenUp>,
}

/// Why nothing came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GivenUp {
    /// It took too long.
    TooLong,
    /// The compiler has a mistake.
    Broken,
}

impl Entry {
    /// What came of it, unless it was given up.
    pub(crate) fn made(&self) -> Result<&Made, GivenUp> {
        self.made.as_ref().map_err(|why| *why)
    }

    /// What it takes, if it is a contract with a script.
    pub(crate) fn measured(&self) -> Option<&Measured> {
        self.made.as_ref().ok()?.measured.as_ref()
    }

    /// What there is to say about it.
    fn diagnostics(&self) -> &[Diagnostic] {
        self.made.as_ref().map(|made| made.diagnostics.as_slice()).unwrap_or_default()
    }

    /// The most that its author lets a path cost.
    pub(crate) fn budget(&self, path: &str) -> Option<u64> {
        let budgets = &self.making.contract()?.budgets;
        let of = |path: Option<&str>| {
            let budget =
                budgets.iter().find(|budget| budget.measure == Measure::Cost && budget.path.as_deref() == path);
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

    /// Of a source that was closed meanwhile nothing is noted.
    fn note(&self, path: &str, name: MakingName, entry: Entry) {
        if let Some(known) = self.lock().get_mut(path) {
            known.insert(name, Arc::new(entry));
        }
    }

    /// From now on there is something to know of a source.
    pub(crate) fn open(&self, path: &Arc<str>) {
        self.lock().entry(Arc::clone(path)).or_default();
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
    /// What is known of it.
    pub(crate) fn known(&self) -> Option<&Entry> {
        match self {
            Self::Now(entry) | Self::Former(entry) => Some(entry),
            Self::Unknown => None,
        }
    }

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
    views: BTreeMap<MakingName, MakingView<'s>>,
    known: Known,
}

impl<'s> Ledger<'s> {
    pub(crate) fn of(snapshot: &Snapshot, files: &Files<'s>, file: FileId) -> Self {
        let known = files.session.path(file).map(|path| snapshot.costs.of(path)).unwrap_or_default();
        // Without costs there is nothing to compare.
        let now = if known.is_empty() { Vec::new() } else { files.session.makings(file, &snapshot.making_options()) };
        let mut views = BTreeMap::new();
        for view in now {
            views.entry(view.name()).or_insert(view);
        }
        Self { views, known }
    }

    fn of_name(&self, name: &MakingName) -> Cost {
        let Some(entry) = self.known.get(name) else { return Cost::Unknown };
        match self.views.get(name).is_some_and(|view| view.is(&entry.making)) {
            true => Cost::Now(Arc::clone(entry)),
            false => Cost::Former(Arc::clone(entry)),
        }
    }

    /// The contract of this name.
    pub(crate) fn contract(&self, name: &str) -> Cost {
        self.of_name(&MakingName::Contract(name.to_owned()))
    }

    /// The contracts that an item declares or becomes, and those that it did when they were measured, by name. None, if
    /// nothing is known of the source.
    pub(crate) fn contracts_of(&self, item: &ItemKey) -> Vec<Cost> {
        let is_of = |contract: Option<&Contract>| contract.is_some_and(|of| of.loc.item.as_ref() == Some(item));
        let now = self.views.iter().filter(|(_, view)| is_of(view.contract())).map(|(name, _)| name);
        let former = self.known.iter().filter(|(_, entry)| is_of(entry.making.contract())).map(|(name, _)| name);
        let names: BTreeSet<&MakingName> = now.chain(former).collect();
        names.into_iter().map(|name| self.of_name(name)).collect()
    }

    /// The contracts that are as they were measured, of those that are wanted.
    pub(crate) fn contracts(&self, wanted: impl Fn(&Measured) -> bool) -> Vec<Arc<Entry>> {
        let all = self.known.iter().filter(|(_, entry)| entry.measured().is_some_and(&wanted));
        let costs = all.map(|(name, _)| self.of_name(name));
        costs.filter_map(|cost| if let Cost::Now(entry) = cost { Some(entry) } else { None }).collect()
    }

    /// What is known of everything, in order: nothing, what it was, or what it is.
    fn states(&self) -> impl Iterator<Item = (&MakingName, u8)> {
        let names: BTreeSet<&MakingName> = self.views.keys().chain(self.known.keys()).collect();
        names.into_iter().map(|name| {
            let state = match self.of_name(name) {
                Cost::Unknown => 0,
                Cost::Former(_) => 1,
                Cost::Now(_) => 2,
            };
            (name, state)
        })
    }
}

/// Whether items of a kind are contracts, or become some.
pub(crate) const fn has_contracts(kind: ItemKind) -> bool {
    matches!(kind, ItemKind::Contract | ItemKind::Reward | ItemKind::Model | ItemKind::Imi | ItemKind::Imo)
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
    /// Makes the code, unless `stop` says to give it up, which is asked again and again. Whether anything has to be said
    /// about it; nothing if it was given up.
    #[must_use]
    pub fn run(&self, stop: Rc<dyn Fn() -> bool>) -> Option<bool> {
        let made = self.making.make(&self.places, stop)?;
        let says = !made.diagnostics.is_empty();
        self.note(Ok(made));
        Some(says)
    }

    /// Notes that nothing comes of it as it is now.
    pub fn give_up(&self, why: GivenUp) {
        self.note(Err(why));
    }

    fn note(&self, made: Result<Made, GivenUp>) {
        self.costs.note(&self.path, self.name.clone(), Entry { making: self.making.clone(), made });
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
        Options { level: self.options.level.min(LEVEL_MAX), ..self.options }
    }

    /// Whether the package's own code is made with such a search, so that it takes less than what is measured here.
    pub(crate) fn is_searched(&self) -> bool {
        self.options.level > LEVEL_MAX
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
        let says = |entry: &Arc<Entry>| !entry.diagnostics().is_empty();
        if !self.costs.of(path).values().any(says) {
            return Ok(Vec::new());
        }
        self.ask_of(path, |files, file| {
            let ledger = Ledger::of(self, files, file);
            let names = ledger.known.iter().filter(|(_, entry)| says(entry)).map(|(name, _)| name);
            let costs: Vec<Cost> = names.map(|name| ledger.of_name(name)).collect();
            let mut found = costs.iter().filter_map(Cost::now).flat_map(Entry::diagnostics).cloned().collect();
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
            let all = ledger.contracts(|_| true);
            let sizes = all.iter().filter_map(|entry| Some(entry.measured()?.sizes(&places)));
            let sizes = sizes.filter(|sizes| contract.is_none_or(|name| sizes.contract == name)).collect();
            let is_known = |view: &MakingView<'_>| ledger.of_name(&view.name()).now().is_some();
            let views = files.session.makings(file, &self.making_options());
            (sizes, files.session.is_sound(file) && views.iter().all(is_known))
        })
    }

    /// A number that stays as long as the same is known of what a source takes: it changes when something else counts as
    /// measured, or the source gets its first mistake or loses its last one.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn cost_state(&self, path: &str) -> Answer<u64> {
        self.ask_of(path, |files, file| {
            if !files.of(file).items.iter().any(|item| has_contracts(item.key.kind)) {
                return 0;
            }
            let mut hasher = DefaultHasher::new();
            files.session.is_sound(file).hash(&mut hasher);
            Ledger::of(self, files, file).states().for_each(|state| state.hash(&mut hasher));
            hasher.finish()
        })
    }
}
