//! Code made outside of a session: whatever it is made of is taken out first, so that no edit waits for it.
//!
//! Places count from the starts of items, so what is made of one item stays right while others around it change.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use analysis::hir::{self, Functions};
use spec::artifact::{Locking, PathSize, SourceSpan};
use syntax::{Diagnostic, FileId, Loc};

use crate::assemble;
use crate::compiled::Proof;
use crate::db;
use crate::measure::{self, PartSize, Sizes};
use crate::place::Places;
use crate::reached;
use crate::session::{Options, Session};

/// What code is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thing<'s> {
    Contract(&'s Arc<hir::Contract>),
    Plan(&'s Arc<hir::Plan>),
    Test(&'s Arc<hir::Test>),
}

/// The same out of the session, which shares it for as long as it stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Owned {
    Contract(Arc<hir::Contract>),
    Plan(Arc<hir::Plan>),
    Test(Arc<hir::Test>),
}

impl Owned {
    const fn as_thing(&self) -> Thing<'_> {
        match self {
            Self::Contract(contract) => Thing::Contract(contract),
            Self::Plan(plan) => Thing::Plan(plan),
            Self::Test(test) => Thing::Test(test),
        }
    }
}

/// What is made, by its name in its source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MakingName {
    /// A contract, written or from a declaration.
    Contract(String),
    /// A plan.
    Plan(String),
    /// A test or property.
    Test(String),
}

/// Something of a source that code is made of, in the session.
#[derive(Clone, Copy, Debug)]
pub struct MakingView<'s> {
    thing: Thing<'s>,
    functions: &'s Functions,
    is_held: bool,
    options: Options,
}

/// The same out of the session, with all that its code depends on.
#[derive(Clone, Debug)]
pub struct Making {
    thing: Owned,
    /// Those that it calls, directly or through others.
    functions: Functions,
    /// Whether another contract holds its lock.
    is_held: bool,
    options: Options,
}

impl<'s> MakingView<'s> {
    /// The contract, if it is one.
    #[must_use]
    pub fn contract(&self) -> Option<&'s hir::Contract> {
        match self.thing {
            Thing::Contract(contract) => Some(contract),
            Thing::Plan(_) | Thing::Test(_) => None,
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> MakingName {
        match self.thing {
            Thing::Contract(contract) => MakingName::Contract(contract.name.clone()),
            Thing::Plan(plan) => MakingName::Plan(plan.name.clone()),
            Thing::Test(test) => MakingName::Test(test.name.clone()),
        }
    }

    /// Whether the same code would be made of both.
    #[must_use]
    pub fn is(&self, known: &Making) -> bool {
        // Two that are equal call the same functions, and if these are equal, so are those that they call.
        let called = |(id, function): (hir::FunctionId, &hir::Function)| {
            self.functions.get(id).is_some_and(|own| std::ptr::eq(own, function) || own == function)
        };
        self.is_held == known.is_held
            && self.options == known.options
            && self.thing == known.thing.as_thing()
            && known.functions.iter().all(called)
    }

    /// Takes it out.
    #[must_use]
    pub fn take(&self) -> Making {
        let (thing, wanted): (Owned, Vec<hir::FunctionId>) = match self.thing {
            Thing::Contract(contract) => {
                let called = contract.paths.iter().flat_map(|path| analysis::callees(&path.body)).collect();
                (Owned::Contract(Arc::clone(contract)), called)
            }
            Thing::Plan(plan) => {
                let called = plan.exprs().into_iter().flat_map(analysis::callees_of_value).collect();
                (Owned::Plan(Arc::clone(plan)), called)
            }
            Thing::Test(test) => {
                let called = test.exprs().into_iter().flat_map(analysis::callees_of_value).collect();
                (Owned::Test(Arc::clone(test)), called)
            }
        };
        let functions = reached::functions(wanted, self.functions);
        Making { thing, functions, is_held: self.is_held, options: self.options }
    }
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// What there is to say about it that only making its code shows.
    pub diagnostics: Vec<Diagnostic>,
    /// What a contract takes; nothing if it has no script, for which there is an error then.
    pub measured: Option<Measured>,
}

/// What a contract takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// How its coins are locked.
    pub locking: Locking,
    /// How its script was made.
    pub proof: Proof,
    /// The bytes of the script.
    pub script: usize,
    /// Its paths, in source order.
    pub paths: Vec<PathSize>,
    /// Where the bytes come from.
    pub parts: Vec<PartSize<Loc>>,
}

impl Measured {
    /// The same by lines of the sources.
    #[must_use]
    pub fn sizes(&self, places: &Places) -> Sizes {
        let part = |part: &PartSize<Loc>| {
            let place = places.resolve(&part.place)?;
            Some(part.clone().at((place.path.to_string(), place.line)))
        };
        let lines = measure::lines(self.parts.iter().filter_map(part), &self.paths, places);
        Sizes { contract: self.proof.contract.clone(), script: self.script, paths: self.paths.clone(), lines }
    }
}

impl Making {
    /// The contract, if it is one.
    #[must_use]
    pub fn contract(&self) -> Option<&hir::Contract> {
        match &self.thing {
            Owned::Contract(contract) => Some(contract),
            Owned::Plan(_) | Owned::Test(_) => None,
        }
    }

    /// The sources that it is made of.
    #[must_use]
    pub fn files(&self) -> BTreeSet<FileId> {
        let (own, paths) = match &self.thing {
            Owned::Contract(contract) => (contract.loc.file, contract.paths.as_slice()),
            Owned::Plan(plan) => (plan.loc.file, [].as_slice()),
            Owned::Test(test) => (test.loc.file, [].as_slice()),
        };
        let called = self.functions.iter().map(|(_, function)| &function.body);
        let mut files = reached::files(called.chain(paths.iter().map(|path| &path.body)));
        files.extend(self.functions.iter().map(|(id, _)| id.file()));
        files.insert(own);
        files
    }

    /// Makes the code, unless `stop` says to give it up, which is asked again and again: before each path, plan and check
    /// of a test, each try of an order, each proof, and each bound of a cost. `places` are those of its sources when it
    /// was taken.
    #[must_use]
    pub fn make(&self, places: &Places, stop: Rc<dyn Fn() -> bool>) -> Option<Made> {
        codegen::unless_stopped(stop, || match &self.thing {
            Owned::Contract(contract) => self.contract_made(contract, places),
            Owned::Plan(plan) => {
                let lowered = codegen::template(plan, &self.functions, &mut |_| SourceSpan::default());
                Made { diagnostics: lowered.err().map(|found| *found).into_iter().collect(), measured: None }
            }
            Owned::Test(test) => {
                let found = codegen::test(test, &self.functions).err();
                Made { diagnostics: found.map(|found| *found).into_iter().collect(), measured: None }
            }
        })
    }

    fn contract_made(&self, contract: &hir::Contract, places: &Places) -> Made {
        let (made, diagnostics) = codegen::weighed(contract, &self.functions, &self.options.of_code());
        let measured = made.map(|(generated, costs)| {
            let proof = Proof::of(contract, &generated);
            // Plans weigh nothing, and whose lock this is a parameter of was found out before.
            let mut artifact = assemble::artifact(contract, &[], generated, Vec::new(), places, self.options.rules);
            if self.is_held {
                artifact.locking = Locking::P2sh32;
            }
            let (script, parts) = measure::parts(&artifact, None, &costs);
            let placed = |part: PartSize<SourceSpan>| {
                let path = &artifact.sources.get(part.place.file)?.path;
                let loc = places.loc_of(path, part.place.start..part.place.end)?;
                Some(part.at(loc))
            };
            Measured {
                locking: artifact.locking,
                proof,
                script,
                paths: artifact.paths.iter().map(|path| artifact.path_size(path, script)).collect(),
                parts: parts.into_iter().filter_map(placed).collect(),
            }
        });
        Made { diagnostics, measured }
    }
}

impl Session {
    /// What code is made of that a source declares, in source order: contracts, plans, tests. Some of it may have
    /// mistakes, unless the source [is sound](Session::is_sound).
    ///
    /// ```
    /// use driver::{Options, Session};
    /// use std::rc::Rc;
    /// let mut session = Session::default();
    /// session.set("a.bmc", "contract C(owner: PubKey) { spend s(sig: Sig) { require owner.signed(sig); } }".into());
    /// let file = session.source("a.bmc").unwrap();
    /// let taken = session.makings(file, &Options::default())[0].take();
    /// let places = session.places_in(&taken.files());
    /// // From here on the session may change.
    /// let made = taken.make(&places, Rc::new(|| false)).unwrap();
    /// assert_eq!(made.measured.unwrap().script, 35);
    /// ```
    #[must_use]
    pub fn makings(&self, file: FileId, options: &Options) -> Vec<MakingView<'_>> {
        let Some(program) = self.program(file) else { return Vec::new() };
        let held = self.held();
        let view = |thing, is_held| MakingView { thing, functions: &program.functions, is_held, options: *options };
        let contracts = program.contracts.iter();
        let contracts = contracts.map(|contract| view(Thing::Contract(contract), held.contains(&*contract.name)));
        let plans = program.plans.iter().map(|plan| view(Thing::Plan(plan), false));
        let tests = program.tests.iter().map(|test| view(Thing::Test(test), false));
        contracts.chain(plans).chain(tests).collect()
    }

    /// The contracts whose locks others hold.
    fn held(&self) -> BTreeSet<&str> {
        let files = self.files.iter().filter(|file| file.root && file.trouble.is_none());
        let programs = files.map(|file| db::program(&self.db, self.sources, file.source));
        let derived = programs.flat_map(|program| &program.contracts).flat_map(|contract| &contract.derived);
        derived.map(|derived| derived.contract.as_str()).collect()
    }
}
