//! The incremental database: the only file that knows salsa.
//!
//! ```text
//! Source (input) ─ cut ─► Island ─ parsed ─┬─ outline ─► imports ─► usable ─► signatures ─► seen ─┐
//!                                          └─ body ◄─────────────────────────────────────────────┴─► told, program ─► emitted
//! ```
//!
//! A source's signatures need the interfaces of the sources that it imports, which `usable` keeps free
//! of circles. Whoever asks goes through the sources in the order of [`graph`], so that no chain of
//! imports becomes a deep recursion.
//!
//! An island's text is a tracked field keyed by the item's name, and spans count from the island's
//! start; so an edit re-parses one island, re-checks it, and leaves the others' results alone as long
//! as the signatures stay the same. Those are read from outlines, which have no bodies: an edit in a body does
//! not even ask for them again, and an edit of a signature checks those items again that mention it. Diagnostics are values returned by queries.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex};

use analysis::hir::{self, Function, FunctionId, Functions, Program};
use analysis::{
    CheckedItem, Digests, Interface, ItemCalls, ModulePath, ModuleProblem, Modules, Signatures, SourceItem,
};
use codegen::Generated;
use salsa::{Setter as _, Storage};
use syntax::ast::Item;
use syntax::{Diagnostic, FileId, ItemKey, Severity, Span};

use crate::editor::{ItemView, Stopped};
use crate::graph::Graph;
use crate::package::{self, Packages, Target};
use crate::place::FilePlaces;
use crate::session::Options;

/// One source file.
#[salsa::input]
pub(crate) struct Source {
    #[returns(copy)]
    pub(crate) id: FileId,
    #[returns(ref)]
    pub(crate) path: Arc<str>,
    #[returns(ref)]
    pub(crate) text: Arc<str>,
}

/// All sources of a compilation.
#[salsa::input]
pub(crate) struct Sources {
    /// By their numbers.
    #[returns(ref)]
    list: Vec<Source>,
    /// The number of each path.
    #[returns(ref)]
    pub(crate) numbers: BTreeMap<Arc<str>, FileId>,
    /// What was imported and cannot be read, with the reason; `None` if there is no such file.
    #[returns(ref)]
    absent: BTreeMap<Arc<str>, Absent>,
    #[returns(ref)]
    pub(crate) packages: Packages,
    /// The files of weights by their paths.
    #[returns(ref)]
    digests: Digests,
}

/// Why an imported file is no source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Absent {
    /// It does not exist; these modules lie beside it.
    Missing(Vec<Arc<str>>),
    /// In words.
    Unreadable(String),
}

/// The text of one item.
#[salsa::tracked(debug)]
pub(crate) struct Island<'db> {
    #[returns(ref)]
    key: ItemKey,
    #[tracked]
    #[returns(ref)]
    text: Arc<str>,
}

/// A source cut into its items, with the byte at which each starts.
#[derive(Clone, Debug, PartialEq, Eq, salsa::SalsaValue)]
pub(crate) struct Cut<'db> {
    items: Vec<(Island<'db>, u32)>,
    loose: Option<Diagnostic>,
}

/// One item's tree and what is wrong with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parsed {
    item: Item,
    diagnostics: Vec<Diagnostic>,
}

/// The contracts of a source as bytecode, in the program's order, and what there is to say about its plans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Emitted {
    pub(crate) contracts: Vec<EmittedContract>,
    /// The tests that the source declares.
    pub(crate) tests: Vec<Arc<codegen::Test>>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// One contract as bytecode, and what there is to say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EmittedContract {
    pub(crate) generated: Option<Generated>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl EmittedContract {
    /// Generates the code of one of `program`'s contracts.
    pub(crate) fn of(contract: &hir::Contract, program: &hir::Program, options: &codegen::Options) -> Self {
        let (generated, diagnostics) = codegen::generate(contract, &program.functions, options);
        Self { generated, diagnostics }
    }
}

#[salsa::tracked(returns(ref))]
fn cut(db: &dyn salsa::Database, source: Source) -> Cut<'_> {
    let text = source.text(db);
    let tokens = syntax::lex(text);
    let island = |island: syntax::Island| {
        let own: Arc<str> = Arc::from(text.get(island.range.range()).unwrap_or_default());
        (Island::new(db, island.key, own), island.range.start)
    };
    Cut { items: syntax::islands(&tokens, text).into_iter().map(island).collect(), loose: syntax::loose_ends(&tokens) }
}

/// The items without their places, which every edit moves.
#[salsa::tracked(returns(ref))]
fn islands(db: &dyn salsa::Database, source: Source) -> Vec<Island<'_>> {
    cut(db, source).items.iter().map(|(island, _)| *island).collect()
}

#[salsa::tracked(returns(ref))]
fn parsed<'db>(db: &'db dyn salsa::Database, island: Island<'db>) -> Parsed {
    let (item, diagnostics) = syntax::parse_island(island.text(db), island.key(db));
    Parsed { item, diagnostics }
}

/// The items of a source as analysis takes them.
fn source_items<'db>(db: &'db dyn salsa::Database, source: Source) -> Vec<SourceItem<'db>> {
    islands(db, source).iter().map(|island| source_item(db, *island)).collect()
}

fn source_item<'db>(db: &'db dyn salsa::Database, island: Island<'db>) -> SourceItem<'db> {
    SourceItem::written(island.key(db), island.text(db), &parsed(db, island).item)
}

/// The text of an item without its bodies, if it has bodies.
#[salsa::tracked(returns(ref))]
fn outline<'db>(db: &'db dyn salsa::Database, island: Island<'db>) -> Option<Arc<str>> {
    analysis::outline(&parsed(db, island).item, island.text(db)).map(Arc::from)
}

/// The tree of that text.
#[salsa::tracked(returns(ref))]
fn outlined<'db>(db: &'db dyn salsa::Database, island: Island<'db>) -> Option<Item> {
    // What is wrong with it is said of the whole item.
    outline(db, island).as_deref().map(|text| syntax::parse_island(text, island.key(db)).0)
}

/// The items of a source without bodies: what an edit in a body leaves as it was.
fn outlines<'db>(db: &'db dyn salsa::Database, source: Source) -> Vec<SourceItem<'db>> {
    let item = |island: Island<'db>| match (outline(db, island), outlined(db, island)) {
        (Some(text), Some(item)) => SourceItem::written(island.key(db), text, item),
        _ => source_item(db, island),
    };
    islands(db, source).iter().map(|island| item(*island)).collect()
}

/// A number that stays while nothing but bodies changes in a source, and its imports lead where they did.
#[salsa::tracked(returns(copy))]
pub(crate) fn declared(db: &dyn salsa::Database, sources: Sources, source: Source) -> u64 {
    let mut hasher = DefaultHasher::new();
    for item in outlines(db, source) {
        (item.key, item.text).hash(&mut hasher);
    }
    for (module, found) in usable(db, sources, source) {
        (module, found.as_ref().ok()).hash(&mut hasher);
    }
    hasher.finish()
}

/// The modules that a source names.
#[salsa::tracked(returns(ref))]
pub(crate) fn imports(db: &dyn salsa::Database, source: Source) -> Vec<ModulePath> {
    analysis::imports(&outlines(db, source))
}

/// The files of weights that a source names.
#[salsa::tracked(returns(ref))]
pub(crate) fn weights_files(db: &dyn salsa::Database, source: Source) -> Vec<Arc<str>> {
    analysis::weights_files(&outlines(db, source))
}

/// What the imports of a source lead to.
pub(crate) type Resolved = BTreeMap<ModulePath, Result<FileId, ModuleProblem>>;

/// Where the imports of a source lead, circles included.
#[salsa::tracked(returns(ref))]
fn resolved(db: &dyn salsa::Database, sources: Sources, source: Source) -> Resolved {
    let find = |module: &ModulePath| {
        let target = sources.packages(db).locate(source.path(db), module)?;
        if let Some(number) = sources.numbers(db).get(target.path.as_str()) {
            return Ok(*number);
        }
        Err(match sources.absent(db).get(target.path.as_str()) {
            Some(Absent::Unreadable(why)) => ModuleProblem::Unreadable(why.clone()),
            Some(Absent::Missing(known)) => ModuleProblem::Missing { known: known.clone() },
            None => ModuleProblem::Missing { known: beside(sources.numbers(db), &target.path) },
        })
    };
    imports(db, source).iter().map(|module| (module.clone(), find(module))).collect()
}

/// The modules among the sources of one folder.
fn beside(numbers: &BTreeMap<Arc<str>, FileId>, path: &str) -> Vec<Arc<str>> {
    let folder = package::folder_of(path);
    let there = numbers.keys().filter(|other| package::folder_of(other) == folder);
    there.filter_map(|other| package::module_name(other)).map(Arc::from).collect()
}

/// Which source imports which: an order in which each follows those it imports, and the circles.
#[salsa::tracked(returns(ref))]
pub(crate) fn graph(db: &dyn salsa::Database, sources: Sources) -> Graph {
    let targets = |source: &Source| {
        let resolved = resolved(db, sources, *source).values();
        resolved.filter_map(|found| found.as_ref().ok()).map(|id| id.0 as usize).collect()
    };
    Graph::of(&sources.list(db).iter().map(targets).collect::<Vec<_>>())
}

/// Where the imports of a source lead, with those refused that close a circle.
#[salsa::tracked(returns(ref))]
pub(crate) fn usable(db: &dyn salsa::Database, sources: Sources, source: Source) -> Resolved {
    let graph = graph(db, sources);
    let own = source.id(db).0 as usize;
    let checked = |(module, found): (&ModulePath, &Result<FileId, ModuleProblem>)| {
        let found = found.clone().and_then(|id| match graph.circle(own, id.0 as usize) {
            Some(members) => Err(ModuleProblem::Circle { files: paths(db, sources, members) }),
            None => Ok(id),
        });
        (module.clone(), found)
    };
    resolved(db, sources, source).iter().map(checked).collect()
}

fn paths(db: &dyn salsa::Database, sources: Sources, members: &[usize]) -> Vec<Arc<str>> {
    let of_member = |index: &usize| sources.list(db).get(*index).map(|source| source.path(db).clone());
    let mut paths: Vec<Arc<str>> = members.iter().filter_map(of_member).collect();
    paths.sort();
    paths
}

/// The sources that a source imports, in the order of their numbers.
pub(crate) fn imported(db: &dyn salsa::Database, sources: Sources, source: Source) -> Vec<Source> {
    let found = usable(db, sources, source).values().filter_map(|found| found.as_ref().ok());
    let numbers: BTreeSet<FileId> = found.copied().collect();
    numbers.into_iter().filter_map(|id| sources.list(db).get(id.0 as usize).copied()).collect()
}

/// The contracts of other sources that a source names in its `use` items, each with its source.
#[salsa::tracked(returns(ref))]
pub(crate) fn named(db: &dyn salsa::Database, sources: Sources, source: Source) -> BTreeSet<(FileId, Arc<str>)> {
    let modules = usable(db, sources, source);
    let found = |(module, name): (ModulePath, Arc<str>)| Some((*modules.get(&module)?.as_ref().ok()?, name));
    analysis::imported_items(&outlines(db, source)).into_iter().filter_map(found).collect()
}

#[salsa::tracked(returns(ref))]
fn signatures(db: &dyn salsa::Database, sources: Sources, source: Source) -> (Arc<Signatures>, Vec<Diagnostic>) {
    let interface_of = |id: FileId| match sources.list(db).get(id.0 as usize) {
        Some(other) => Ok(Arc::clone(interface(db, sources, *other))),
        None => Err(ModuleProblem::Missing { known: Vec::new() }),
    };
    let found = usable(db, sources, source).iter();
    let modules: Modules =
        found.map(|(module, found)| (module.clone(), found.clone().and_then(interface_of))).collect();
    let known = sources.digests(db);
    let digest = |file: &Arc<str>| {
        let found = match package::beside(source.path(db), file) {
            Some(path) => known.get(path.as_str())?.clone(),
            None => Err("it lies outside the folder of this source".to_owned()),
        };
        Some((Arc::clone(file), found))
    };
    let digests: Digests = weights_files(db, source).iter().filter_map(digest).collect();
    let (signatures, found) = analysis::signatures_with(source.id(db), &outlines(db, source), &modules, &digests);
    (Arc::new(signatures), found)
}

/// The signatures without their messages: what bodies depend on.
#[salsa::tracked(returns(ref))]
pub(crate) fn scope(db: &dyn salsa::Database, sources: Sources, source: Source) -> Arc<Signatures> {
    Arc::clone(&signatures(db, sources, source).0)
}

/// What a source declares: all that those who import it depend on.
#[salsa::tracked(returns(ref))]
pub(crate) fn interface(db: &dyn salsa::Database, sources: Sources, source: Source) -> Arc<Interface> {
    Arc::clone(scope(db, sources, source).interface())
}

/// The signatures that an item can see: others may change, and its check stays.
#[salsa::tracked(returns(ref))]
fn seen<'db>(db: &'db dyn salsa::Database, sources: Sources, source: Source, island: Island<'db>) -> Signatures {
    scope(db, sources, source).seen_from(&source_item(db, island))
}

#[salsa::tracked(returns(ref))]
fn body<'db>(db: &'db dyn salsa::Database, sources: Sources, source: Source, island: Island<'db>) -> CheckedItem {
    let item = source_item(db, island);
    let checked = analysis::check_item(seen(db, sources, source, island), &item);
    // What is wrong with it is told with all names at hand, one of which was perhaps meant.
    let silent = checked.diagnostics.is_empty();
    if silent { checked } else { analysis::check_item(scope(db, sources, source), &item) }
}

/// The types of what the author wrote in an item, in the order of their places. Only editors ask, so that nobody else
/// pays for them.
#[salsa::tracked(returns(ref))]
fn types<'db>(
    db: &'db dyn salsa::Database,
    sources: Sources,
    source: Source,
    island: Island<'db>,
) -> Vec<(Span, hir::Type)> {
    // The last entry of a place is what came of it.
    let noted = analysis::types_in(seen(db, sources, source, island), &source_item(db, island));
    let by_place: BTreeMap<Span, hir::Type> = noted.into_iter().collect();
    by_place.into_iter().collect()
}

/// The same of the item of this name.
pub(crate) fn types_in<'db>(
    db: &'db Database,
    sources: Sources,
    source: Source,
    key: &ItemKey,
) -> &'db [(Span, hir::Type)] {
    let found = islands(db, source).iter().find(|island| island.key(db) == key);
    found.map(|island| types(db, sources, source, *island).as_slice()).unwrap_or_default()
}

/// The items of a source with their places, texts and trees.
pub(crate) fn items(db: &Database, source: Source) -> Vec<ItemView<'_>> {
    let mut views = Vec::new();
    for (island, start) in &cut(db, source).items {
        let (key, text) = (island.key(db), island.text(db));
        views.push(ItemView { key, start: *start, text, ast: &parsed(db, *island).item });
    }
    views
}

/// Whether nothing is wrong with the syntax of a source.
pub(crate) fn parses(db: &Database, source: Source) -> bool {
    let cut = cut(db, source);
    cut.loose.is_none() && cut.items.iter().all(|(island, _)| parsed(db, *island).diagnostics.is_empty())
}

/// The functions that a source declares.
#[salsa::tracked(returns(ref))]
fn functions(db: &dyn salsa::Database, sources: Sources, source: Source) -> Functions {
    let mut functions = Functions::default();
    let bodies = islands(db, source).iter().flat_map(|island| &body(db, sources, source, *island).functions);
    bodies.for_each(|(id, function)| functions.insert(*id, Arc::clone(function)));
    functions
}

/// One of them: what its callers in other sources depend on.
#[salsa::tracked(returns(ref))]
fn function(db: &dyn salsa::Database, sources: Sources, source: Source, index: usize) -> Option<Arc<Function>> {
    functions(db, sources, source).shared(FunctionId::new(source.id(db), index))
}

/// What an item calls.
#[salsa::tracked(returns(ref))]
fn calls<'db>(db: &'db dyn salsa::Database, sources: Sources, source: Source, island: Island<'db>) -> ItemCalls {
    ItemCalls::of(body(db, sources, source, island))
}

/// What the contracts of an item let happen.
#[salsa::tracked(returns(ref))]
fn covenants<'db>(
    db: &'db dyn salsa::Database,
    sources: Sources,
    source: Source,
    island: Island<'db>,
) -> Vec<Diagnostic> {
    let item = body(db, sources, source, island);
    let mut functions = Functions::default();
    let called = calls(db, sources, source, island).callees();
    analysis::gather(&mut functions, called, |id| known(db, sources, id));
    analysis::covenants(item, &functions)
}

/// A function of any source.
fn known(db: &dyn salsa::Database, sources: Sources, id: FunctionId) -> Option<Arc<Function>> {
    let source = sources.list(db).get(id.file().0 as usize)?;
    function(db, sources, *source, id.index()).clone()
}

/// Everything there is to say of a source before its code is made, in the order of its places.
#[salsa::tracked(returns(ref))]
pub(crate) fn told(db: &dyn salsa::Database, sources: Sources, source: Source) -> Vec<Diagnostic> {
    let cut = cut(db, source);
    let (file, islands) = (source.id(db), || cut.items.iter().map(|(island, _)| *island));
    let syntax = islands().flat_map(|island| &parsed(db, island).diagnostics).chain(&cut.loose);
    let syntax = syntax::limited(syntax.cloned().collect()).into_iter().map(|diagnostic| diagnostic.in_file(file));
    let mut told: Vec<Diagnostic> = syntax.collect();
    told.extend(signatures(db, sources, source).1.iter().cloned());
    let checked = || islands().map(|island| body(db, sources, source, island));
    let mentioned = checked().flat_map(|item| &item.mentioned);
    let items = islands().map(|island| source_item(db, island));
    told.extend(analysis::unused_imports(scope(db, sources, source), items, mentioned));
    told.extend(checked().flat_map(|item| &item.diagnostics).cloned());
    let calls: Vec<&ItemCalls> = islands().map(|island| calls(db, sources, source, island)).collect();
    let of_whole = analysis::problems_of_whole(&calls, &|id| known(db, sources, id));
    if of_whole.is_empty() && analysis::are_understood(calls) {
        told.extend(islands().flat_map(|island| covenants(db, sources, source, island)).cloned());
    }
    told.extend(of_whole);
    let starts: HashMap<&ItemKey, u32> = cut.items.iter().map(|(island, start)| (island.key(db), *start)).collect();
    told.sort_by_cached_key(|diagnostic| place_in_file(&starts, diagnostic));
    told
}

/// The whole source as a typed program.
#[salsa::tracked(returns(ref))]
pub(crate) fn program(db: &dyn salsa::Database, sources: Sources, source: Source) -> Program {
    let items = islands(db, source).iter().map(|island| body(db, sources, source, *island).clone());
    analysis::assemble(items, &|id| known(db, sources, id))
}

/// Whether nothing is wrong with a source, nor with what it imports.
#[salsa::tracked(returns(copy))]
pub(crate) fn sound(db: &dyn salsa::Database, sources: Sources, source: Source) -> bool {
    let wrong = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
    imported(db, sources, source).into_iter().all(|other| sound(db, sources, other))
        && !told(db, sources, source).iter().any(wrong)
}

/// Where a message's first label stands, counted from the start of the file.
fn place_in_file(starts: &HashMap<&ItemKey, u32>, diagnostic: &Diagnostic) -> u32 {
    let Some(label) = diagnostic.labels.first() else { return 0 };
    let base = label.loc.item.as_ref().and_then(|key| starts.get(key)).copied().unwrap_or(0);
    base.saturating_add(label.loc.span.start)
}

/// The bytecode of a source without errors.
#[salsa::tracked(returns(ref))]
pub(crate) fn emitted(db: &dyn salsa::Database, sources: Sources, source: Source, options: Options) -> Emitted {
    let program = program(db, sources, source);
    let options = options.of_code();
    let contracts = program.contracts.iter().map(|contract| EmittedContract::of(contract, program, &options));
    let mut emitted = Emitted { contracts: contracts.collect(), tests: Vec::new(), diagnostics: Vec::new() };
    for plan in &program.plans {
        let lowered = codegen::template(plan, &program.functions, &mut |_| spec::artifact::SourceSpan::default());
        emitted.diagnostics.extend(lowered.err().map(|found| *found));
    }
    for test in &program.tests {
        match codegen::test(test, &program.functions) {
            Ok(test) => emitted.tests.push(Arc::new(test)),
            Err(found) => emitted.diagnostics.push(*found),
        }
    }
    emitted
}

/// The source with its declarations written out.
#[salsa::tracked(returns(ref))]
pub(crate) fn expanded(db: &dyn salsa::Database, sources: Sources, source: Source) -> String {
    let text = source.text(db);
    let docs = syntax::file_docs(&syntax::lex(text), text);
    let docs: String = docs.iter().map(|doc| format!("//! {}", doc.text).trim_end().to_owned() + "\n").collect();
    let items = analysis::expand(scope(db, sources, source), &source_items(db, source));
    if docs.is_empty() || items.is_empty() { docs + &items } else { docs + "\n" + &items }
}

/// The plain items that each declaration of a source becomes, by the declaration.
pub(crate) fn generated(db: &dyn salsa::Database, sources: Sources, source: Source) -> Vec<(ItemKey, String)> {
    analysis::generated(scope(db, sources, source))
}

/// Where the items of a source start.
pub(crate) fn file_places(db: &Database, source: Source) -> FilePlaces {
    let items: BTreeMap<ItemKey, u32> =
        cut(db, source).items.iter().map(|(island, start)| (island.key(db).clone(), *start)).collect();
    FilePlaces::new(source.path(db).clone(), source.text(db).clone(), items)
}

/// What stops a handle.
pub(crate) type Stopper = salsa::CancellationToken;

/// Runs something that asks the database, unless it is stopped.
pub(crate) fn unless_stopped<T>(ask: impl FnOnce() -> T) -> Result<T, Stopped> {
    // Queries that are given up leave nothing half done.
    salsa::Cancelled::catch(std::panic::AssertUnwindSafe(ask)).map_err(|why| match why {
        salsa::Cancelled::PendingWrite => Stopped::Edited,
        _ => Stopped::Asked,
    })
}

/// The database, with a list of the queries that ran for whoever asks.
#[salsa::db]
#[derive(Clone)]
pub(crate) struct Database {
    storage: Storage<Self>,
    ran: Arc<Mutex<Option<Vec<String>>>>,
}

#[salsa::db]
impl salsa::Database for Database {}

impl Default for Database {
    fn default() -> Self {
        let ran = Arc::new(Mutex::new(None::<Vec<String>>));
        let log = Arc::clone(&ran);
        let record = move |event: salsa::Event| {
            if let salsa::EventKind::WillExecute { database_key } = event.kind
                && let Ok(mut list) = log.lock()
                && let Some(list) = list.as_mut()
            {
                list.push(format!("{database_key:?}"));
            }
        };
        Self { storage: Storage::new(Some(Box::new(record))), ran }
    }
}

impl Database {
    /// An empty list of sources of these packages.
    pub(crate) fn begin(&self, packages: Packages) -> Sources {
        Sources::new(self, Vec::new(), BTreeMap::new(), BTreeMap::new(), packages, Digests::new())
    }

    /// Adds a source.
    pub(crate) fn add(&mut self, sources: Sources, path: &str, text: Arc<str>) -> Source {
        let mut list = sources.list(self).clone();
        let mut numbers = sources.numbers(self).clone();
        // There are far fewer sources than numbers.
        let id = FileId(u32::try_from(list.len()).unwrap_or(u32::MAX));
        let path: Arc<str> = Arc::from(path);
        let source = Source::new(self, id, Arc::clone(&path), text);
        list.push(source);
        numbers.insert(path, id);
        sources.set_list(self).to(list);
        sources.set_numbers(self).to(numbers);
        source
    }

    /// Replaces the text of a source.
    pub(crate) fn edit(&mut self, source: Source, text: Arc<str>) {
        source.set_text(self).to(text);
    }

    /// Says which imported files are no sources.
    pub(crate) fn set_absent(&mut self, sources: Sources, absent: BTreeMap<Arc<str>, Absent>) {
        if *sources.absent(self) != absent {
            sources.set_absent(self).to(absent);
        }
    }

    /// The paths of the files of weights that a source names.
    pub(crate) fn weights(&self, source: Source) -> Vec<String> {
        let path = source.path(self);
        weights_files(self, source).iter().filter_map(|file| package::beside(path, file)).collect()
    }

    /// The files of weights that are known.
    pub(crate) fn digests(&self, sources: Sources) -> Digests {
        sources.digests(self).clone()
    }

    /// Says what the files of weights are.
    pub(crate) fn set_digests(&mut self, sources: Sources, digests: Digests) {
        if *sources.digests(self) != digests {
            sources.set_digests(self).to(digests);
        }
    }

    /// Where the modules that a source names should be.
    pub(crate) fn targets(&self, sources: Sources, source: Source) -> Vec<Target> {
        let packages = sources.packages(self);
        imports(self, source).iter().filter_map(|module| packages.locate(source.path(self), module).ok()).collect()
    }

    /// Stops what is computed through this handle.
    pub(crate) fn stopper(&self) -> Stopper {
        salsa::Database::cancellation_token(self)
    }

    /// The queries that ran since the last call, as `name(key)`; the first call starts the list.
    pub(crate) fn take_ran(&self) -> Vec<String> {
        self.ran.lock().map(|mut list| list.replace(Vec::new()).unwrap_or_default()).unwrap_or_default()
    }
}
