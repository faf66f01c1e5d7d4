//! A set of sources that is compiled again and again as they change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use analysis::hir;
use spec::RuleSet;
use spec::artifact::{AbiError, AbiValue, Level, Objective, SealedParam};
use syntax::{Code, Diagnostic, FileId, ItemKey, Loc, Severity, Span};

use crate::assemble::Sealing;
use crate::compiled::Compiled;
use crate::compiled::Proof;
use crate::db::{self, Absent, Database, EmittedContract, Source, Sources};
use crate::package::{self, Packages, Target};
use crate::place::{FilePlaces, Places};
use crate::world::{SOURCE_BYTES_MAX, World, WorldError};
use crate::{assemble, library};

/// What to compile for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// The machine that will run the scripts.
    pub rules: RuleSet,
    /// How hard to try to make them small.
    pub level: Level,
    /// What to make small.
    pub objective: Objective,
    /// How long the search of [`Level::Oz`] takes for each contract: what a machine of today does in so many seconds.
    pub seconds: u32,
    /// Whether constants stand in scripts as they are, even where their hash is shorter.
    pub whole_constants: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rules: RuleSet::default(),
            level: Level::default(),
            objective: Objective::default(),
            seconds: codegen::Options::SECONDS,
            whole_constants: false,
        }
    }
}

impl Options {
    /// As code generation takes them, without values to build in.
    pub(crate) fn of_code(self) -> codegen::Options {
        let Self { rules, level, objective, seconds, whole_constants } = self;
        codegen::Options { rules, level, objective, seconds, whole_constants, ..codegen::Options::default() }
    }
}

/// Why values cannot be built into a contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// No source declares the contract, or it has mistakes.
    #[error("there is no contract `{0}`")]
    NoContract(String),
    /// The values do not fit its parameters.
    #[error(transparent)]
    Abi(#[from] AbiError),
}

/// The most sources of one compilation, imported ones included.
const SOURCES_MAX: usize = 10_000;

/// Sources and everything known about them; an edit makes only what depends on it be computed again.
///
/// ```
/// use driver::{Options, Session};
/// let mut session = Session::default();
/// session.set("a.bmc", "reward R { a: 50%, b: 45%, minimum: 20_000 sats, }".into());
/// assert!(session.compile(&Options::default()).has_errors());
/// session.set("a.bmc", "reward R { a: 50%, b: 50%, minimum: 20_000 sats, }".into());
/// assert_eq!(session.compile(&Options::default()).artifacts.len(), 1);
/// ```
#[derive(Clone)]
pub struct Session {
    pub(crate) db: Database,
    pub(crate) sources: Sources,
    pub(crate) files: Vec<File>,
    /// Values to build in, by contract and parameter.
    sealed: BTreeMap<String, BTreeMap<String, AbiValue>>,
}

/// One file, in the order of its number.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) source: Source,
    pub(crate) trouble: Option<WorldError>,
    /// It was asked for, rather than only imported.
    pub(crate) root: bool,
}

impl Default for Session {
    fn default() -> Self {
        Self::new(Packages::default())
    }
}

impl Session {
    /// No sources yet, of these packages.
    #[must_use]
    pub fn new(packages: Packages) -> Self {
        let db = Database::default();
        let sources = db.begin(packages);
        Self { db, sources, files: Vec::new(), sealed: BTreeMap::new() }
    }

    /// The sources at `roots`, which `world` provides, of these packages, with all that they import.
    #[must_use]
    pub fn open(world: &dyn World, packages: Packages, roots: &[String]) -> Self {
        let mut session = Self::new(packages);
        for path in roots {
            session.put(path, world.read(path), true);
        }
        session.load(world);
        session
    }

    /// Adds the source at `path` or replaces its text.
    pub fn set(&mut self, path: &str, text: Arc<str>) {
        self.put(path, Ok(text), true);
    }

    /// Reads what the sources import, and what that imports.
    ///
    /// Nothing is read twice: whoever knows that a file has changed calls [`Session::set`].
    pub fn load(&mut self, world: &dyn World) {
        let mut absent = BTreeMap::new();
        let mut next = 0;
        while let Some(file) = self.files.get(next) {
            next += 1;
            for target in self.db.targets(self.sources, file.source) {
                if self.number(&target.path).is_none() && !absent.contains_key(target.path.as_str()) {
                    self.read(world, target, &mut absent);
                }
            }
        }
        self.db.set_absent(self.sources, absent);
        self.digest(world);
    }

    /// Computes the digests of files of weights that are not known yet. A file that is missing may be there next time.
    fn digest(&mut self, world: &dyn World) {
        let mut digests = self.db.digests(self.sources);
        digests.retain(|_, digest| digest.is_ok());
        for path in self.files.iter().flat_map(|file| self.db.weights(file.source)) {
            if digests.contains_key(path.as_str()) {
                continue;
            }
            match world.digest(&path) {
                Ok(digest) => drop(digests.insert(path.into(), Ok(digest))),
                Err(WorldError::Missing) => {}
                Err(trouble) => drop(digests.insert(path.into(), Err(trouble.to_string()))),
            }
        }
        self.db.set_digests(self.sources, digests);
    }

    fn read(&mut self, world: &dyn World, target: Target, absent: &mut BTreeMap<Arc<str>, Absent>) {
        let read = match (library::text(&target.path), target.inside) {
            (Some(text), _) => Ok(Arc::from(text)),
            (None, _) if self.files.len() >= SOURCES_MAX => {
                Err(WorldError::Io(format!("a program has at most {SOURCES_MAX} sources")))
            }
            (None, Some(folder)) => world.import(&target.path, &folder),
            (None, None) => Err(WorldError::Missing),
        };
        match read {
            Ok(text) => self.put(&target.path, Ok(text), false),
            Err(WorldError::Missing) => {
                let there = world.list(package::folder_of(&target.path));
                let known = there.iter().filter_map(|name| package::module_name(name)).map(Arc::from).collect();
                absent.insert(target.path.into(), Absent::Missing(known));
            }
            Err(trouble) => {
                absent.insert(target.path.into(), Absent::Unreadable(trouble.to_string()));
            }
        }
    }

    pub(crate) fn number(&self, path: &str) -> Option<usize> {
        self.sources.numbers(&self.db).get(path).map(|id| id.0 as usize)
    }

    fn put(&mut self, path: &str, read: Result<Arc<str>, WorldError>, root: bool) {
        let (text, trouble) = match read {
            Ok(text) => (text, None),
            Err(trouble) => (Arc::from(""), Some(trouble)),
        };
        match self.number(path).and_then(|number| self.files.get_mut(number)) {
            Some(file) => {
                file.trouble = trouble;
                file.root |= root;
                self.db.edit(file.source, text);
            }
            None => {
                let source = self.db.add(self.sources, path, text);
                self.files.push(File { source, trouble, root });
            }
        }
    }

    /// Builds values of parameters into the contracts of this name, from the next compilation on: the script has
    /// constants where it had holes, and what follows from them is computed before it is emitted.
    ///
    /// ```
    /// use driver::{Options, Session};
    /// let mut session = Session::default();
    /// session.set("a.bmc", "contract C(a: Int) { spend s(b: Int) { require b == a * 2, \"not twice\"; } }".into());
    /// session.seal("C", [("a".to_owned(), spec::artifact::AbiValue::int(21))].into())?;
    /// assert_eq!(session.compile(&Options::default()).artifacts[0].asm, "0x2a OP_NUMEQUAL");
    /// # Ok::<(), driver::SealError>(())
    /// ```
    ///
    /// # Errors
    /// [`SealError`] if there is no such contract or the values do not fit its parameters.
    pub fn seal(&mut self, contract: &str, values: BTreeMap<String, AbiValue>) -> Result<(), SealError> {
        let programs = self.files.iter().map(|file| db::program(&self.db, self.sources, file.source));
        let named = programs.flat_map(|program| &program.contracts).find(|known| known.name == contract);
        let known = named.ok_or_else(|| SealError::NoContract(contract.to_owned()))?;
        if let Some(stray) = values.keys().find(|name| !known.params.iter().any(|param| param.name == **name)) {
            return Err(AbiError::Unknown(stray.clone()).into());
        }
        Sealing::of(known, &values)?;
        self.sealed.insert(contract.to_owned(), values);
        Ok(())
    }

    /// Compiles every source. Of what was only imported, the contracts that a `use` names give artifacts too, with
    /// those whose locks they hold.
    #[must_use]
    pub fn compile(&self, options: &Options) -> Compiled {
        let places = Places::new(self.files.iter().map(|file| self.places_of(file)).collect());
        // In this order no query asks for a source whose imports have not been checked yet, so that the
        // queries do not nest.
        for index in &db::graph(&self.db, self.sources).order {
            if let Some(file) = self.files.get(*index) {
                let _ = db::interface(&self.db, self.sources, file.source);
                let _ = db::sound(&self.db, self.sources, file.source);
            }
        }
        let named = self.named();
        let wanted = |file: &&File| file.root || named.contains_key(&file.source.id(&self.db));
        let roots = self.files.iter().filter(wanted).filter(|file| file.trouble.is_none());
        let programs = roots.filter(|file| db::sound(&self.db, self.sources, file.source));
        let programs: Vec<&hir::Program> =
            programs.map(|file| db::program(&self.db, self.sources, file.source)).collect();
        let mut compiled = Compiled { places, ..Compiled::default() };
        for (number, file) in self.files.iter().enumerate() {
            match &file.trouble {
                Some(trouble) => compiled.diagnostics.push(trouble_of(&compiled.places, number, trouble)),
                None => self.compile_file(file, options, &programs, &mut compiled),
            }
        }
        for file in self.files.iter().filter(|file| !file.root && file.trouble.is_none()) {
            if let Some(contracts) = named.get(&file.source.id(&self.db)) {
                self.emit(file, options, &programs, Some(contracts), &mut compiled);
            }
        }
        compiled
    }

    /// What the `use` items of the sources that were asked for name, by the source that declares it.
    fn named(&self) -> BTreeMap<FileId, BTreeSet<Arc<str>>> {
        let mut named: BTreeMap<FileId, BTreeSet<Arc<str>>> = BTreeMap::new();
        for file in self.files.iter().filter(|file| file.root && file.trouble.is_none()) {
            for (id, name) in db::named(&self.db, self.sources, file.source) {
                named.entry(*id).or_default().insert(Arc::clone(name));
            }
        }
        named
    }

    /// Takes all sources that are known as if they had been asked for, so that all their contracts give artifacts.
    ///
    /// ```
    /// use driver::{MemoryWorld, Options, Packages, Session};
    /// let world = MemoryWorld::new([
    ///     ("a.bmc", "use ./b::ONE;\nconst TWO: Int = ONE + 1;"),
    ///     ("b.bmc", "const ONE: Int = 1;\ncontract C(owner: PubKey) { spend s(sig: Sig) { require owner.signed(sig); } }"),
    /// ]);
    /// let mut session = Session::open(&world, Packages::default(), &["a.bmc".to_owned()]);
    /// assert!(session.compile(&Options::default()).artifacts.is_empty());
    /// session.ask_for_all();
    /// assert_eq!(session.compile(&Options::default()).artifacts.len(), 1);
    /// ```
    pub fn ask_for_all(&mut self) {
        self.files.iter_mut().for_each(|file| file.root = true);
    }

    /// The plain items that each declaration of the source at `path` becomes, as text in the language, by the
    /// declaration.
    #[must_use]
    pub fn generated(&self, path: &str) -> Vec<(ItemKey, String)> {
        let file = self.number(path).and_then(|number| self.files.get(number));
        file.map(|file| db::generated(&self.db, self.sources, file.source)).unwrap_or_default()
    }

    /// The queries that ran since the last call; the first call starts the list. For tests of incrementality.
    #[must_use]
    pub fn take_ran(&self) -> Vec<String> {
        self.db.take_ran()
    }

    pub(crate) fn places_of(&self, file: &File) -> FilePlaces {
        db::file_places(&self.db, file.source)
    }

    fn compile_file(&self, file: &File, options: &Options, programs: &[&hir::Program], compiled: &mut Compiled) {
        compiled.diagnostics.extend(self.told(file).cloned());
        if !file.root {
            return;
        }
        compiled.expanded.push_str(db::expanded(&self.db, self.sources, file.source));
        self.emit(file, options, programs, None, compiled);
    }

    /// What there is to say of a source before its code is made.
    pub(crate) fn told(&self, file: &File) -> impl Iterator<Item = &Diagnostic> {
        let told = db::told(&self.db, self.sources, file.source);
        let own = file.root || self.sources.packages(&self.db).is_own(file.source.path(&self.db));
        // Only who keeps a dependency can mend what is merely unwise there.
        told.iter().filter(move |found| own || found.severity == Severity::Error)
    }

    /// Adds the artifacts of a source without errors: of all its contracts, or of those named and what they need.
    fn emit(
        &self,
        file: &File,
        options: &Options,
        programs: &[&hir::Program],
        named: Option<&BTreeSet<Arc<str>>>,
        compiled: &mut Compiled,
    ) {
        if !db::sound(&self.db, self.sources, file.source) {
            return;
        }
        let program = db::program(&self.db, self.sources, file.source);
        let wanted = named.map(|named| with_derived(program, named));
        if wanted.as_ref().is_some_and(BTreeSet::is_empty) {
            return;
        }
        let emitted = db::emitted(&self.db, self.sources, file.source, *options);
        let is_wanted =
            |contract: &hir::Contract| wanted.as_ref().is_none_or(|wanted| wanted.contains(contract.name.as_str()));
        let both = program.contracts.iter().zip(&emitted.contracts);
        for (contract, template) in both.filter(|(contract, _)| is_wanted(contract)) {
            let (one, sealed) =
                self.sealed(contract, program, options).unwrap_or_else(|| (template.clone(), Vec::new()));
            compiled.diagnostics.extend(one.diagnostics);
            compiled.proofs.extend(one.generated.as_ref().map(|generated| Proof::of(contract, generated)));
            compiled.artifacts.extend(one.generated.map(|generated| {
                assemble::artifact(contract, programs, generated, sealed, &compiled.places, options.rules)
            }));
        }
        if named.is_none() {
            compiled.tests.extend(emitted.tests.iter().cloned());
        }
        compiled.diagnostics.extend(emitted.diagnostics.iter().cloned());
    }

    /// What each pass of the optimiser wins for the contract of this name, with its values built in; the first entry is
    /// the direct code. Empty if there is no such contract. It takes several times as long as to compile it.
    #[must_use]
    pub fn passes(&self, contract: &str, options: &Options) -> Vec<codegen::Pass> {
        self.of_contract(contract, options, codegen::passes)
    }

    /// The type of a variable in the paths of the contract of this name, as the language writes it.
    #[must_use]
    pub fn type_of(&self, contract: &str, variable: &str) -> Option<String> {
        let programs = self.files.iter().map(|file| db::program(&self.db, self.sources, file.source));
        let paths = programs.flat_map(|program| &program.contracts).filter(|known| known.name == contract);
        let mut locals = paths.flat_map(|known| &known.paths).flat_map(|path| &path.locals);
        locals.find(|local| local.name == variable).map(|local| local.ty.to_string())
    }

    /// For each path of the contract of this name, what each instruction costs in the dearest run, by its place in the
    /// script. Empty if there is no such contract. It takes as long as to compile it.
    #[must_use]
    pub fn costs(&self, contract: &str, options: &Options) -> Vec<Option<BTreeMap<usize, u64>>> {
        self.of_contract(contract, options, codegen::costs)
    }

    /// What something says of the contract of this name, with its values built in.
    fn of_contract<T>(
        &self,
        name: &str,
        options: &Options,
        says: fn(&hir::Contract, &hir::Functions, &codegen::Options) -> Vec<T>,
    ) -> Vec<T> {
        let programs = self.files.iter().map(|file| db::program(&self.db, self.sources, file.source));
        let mut named = programs.filter_map(|program| {
            Some((program.contracts.iter().find(|known| known.name == name)?, &program.functions))
        });
        let Some((contract, functions)) = named.next() else { return Vec::new() };
        let sealing = self.sealed.get(&contract.name).and_then(|values| Sealing::of(contract, values).ok());
        let sealed = sealing.map(|sealing| sealing.leaves).unwrap_or_default();
        says(contract, functions, &codegen::Options { sealed, ..options.of_code() })
    }

    /// The contract with its values built in, if it has any that still fit.
    fn sealed(
        &self,
        contract: &hir::Contract,
        program: &hir::Program,
        options: &Options,
    ) -> Option<(EmittedContract, Vec<SealedParam>)> {
        let values = self.sealed.get(&contract.name)?;
        let sealing = Sealing::of(contract, values).ok()?;
        let options = codegen::Options { sealed: sealing.leaves, ..options.of_code() };
        Some((EmittedContract::of(contract, program, &options), sealing.params))
    }
}

/// The written contracts of a program that are named, and those whose locks these hold as parameters. Who names a
/// reward divides by it.
fn with_derived<'p>(program: &'p hir::Program, named: &BTreeSet<Arc<str>>) -> BTreeSet<&'p str> {
    let written =
        program.contracts.iter().filter(|contract| contract.reward.is_none() && named.contains(contract.name.as_str()));
    let mut todo: Vec<&Arc<hir::Contract>> = written.collect();
    let mut found = BTreeSet::new();
    while let Some(contract) = todo.pop() {
        if found.insert(contract.name.as_str()) {
            let derived = contract.derived.iter().map(|derived| &derived.contract);
            todo.extend(derived.filter_map(|name| program.contracts.iter().find(|other| other.name == *name)));
        }
    }
    found
}

/// Compiles the sources at `roots`, which `world` provides, with all that they import.
///
/// Never fails and never stops at the first mistake: what is wrong, down to a file that cannot be read, is a diagnostic.
///
/// ```
/// use driver::{MemoryWorld, Options, compile};
/// let world = MemoryWorld::new([("even.bmc", "reward Even { a: 1/2, b: rest, minimum: 20_000 sats, }")]);
/// let compiled = compile(&world, &["even.bmc".to_owned()], &Options::default());
/// assert_eq!(compiled.artifacts[0].contract, "Even");
/// ```
#[must_use]
pub fn compile(world: &dyn World, roots: &[String], options: &Options) -> Compiled {
    compile_package(world, Packages::default(), roots, options)
}

/// Like [`compile`], for sources of a package, which may import its other files and its dependencies.
#[must_use]
pub fn compile_package(world: &dyn World, packages: Packages, roots: &[String], options: &Options) -> Compiled {
    Session::open(world, packages, roots).compile(options)
}

pub(crate) fn trouble_of(places: &Places, number: usize, trouble: &WorldError) -> Diagnostic {
    let id = FileId(u32::try_from(number).unwrap_or(u32::MAX));
    let path = places.file(id).map_or_else(String::new, |file| file.path.to_string());
    let (code, message, help) = match trouble {
        WorldError::Missing => (
            Code::E0601,
            format!("there is no file `{path}`"),
            "check the path; `bmc check` alone checks every source of the package".to_owned(),
        ),
        WorldError::NotUtf8 { at } => (
            Code::E0602,
            format!("`{path}` is not UTF-8 text: byte {at} belongs to no character"),
            "save the file as UTF-8".to_owned(),
        ),
        WorldError::TooLarge { bytes } => (
            Code::E0603,
            format!("`{path}` has {bytes} bytes, more than the {} MiB of a source", SOURCE_BYTES_MAX >> 20),
            "split it into several files".to_owned(),
        ),
        WorldError::Io(why) => {
            (Code::E0604, format!("`{path}` cannot be read: {why}"), "check its permissions".to_owned())
        }
    };
    Diagnostic::error(code, message, Loc::in_file(id, Span::point(0))).help(help)
}
