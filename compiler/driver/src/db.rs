//! The incremental database: the only file that knows salsa.
//!
//! ```text
//! Source (input) ─ cut ─► Island ─ parsed ─► tree ─┬─ signatures ─┐
//!                                                  └─ checked ◄───┴─► program ─► generated
//! ```
//!
//! An island's text is a tracked field keyed by the item's name, and spans count from the island's
//! start; so an edit re-parses one island, re-checks it, and leaves the others' results alone as long
//! as the signatures stay the same. Diagnostics are values returned by queries.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use analysis::hir::Program;
use analysis::{CheckedItem, Signatures, SourceItem};
use codegen::Generated;
use salsa::{Setter as _, Storage};
use spec::RuleSet;
use syntax::ast::Item;
use syntax::{Diagnostic, FileId, ItemKey};

use crate::place::FilePlaces;

/// One source file.
#[salsa::input]
pub(crate) struct Source {
    #[returns(copy)]
    id: FileId,
    #[returns(ref)]
    path: Arc<str>,
    #[returns(ref)]
    text: Arc<str>,
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

/// A source's typed program and everything there is to say about the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) program: Program,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// The contracts of a source as bytecode, by their index in the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Emitted {
    pub(crate) contracts: Vec<(usize, Generated)>,
    pub(crate) diagnostics: Vec<Diagnostic>,
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

#[salsa::tracked(returns(ref))]
fn parsed<'db>(db: &'db dyn salsa::Database, island: Island<'db>) -> Parsed {
    let (item, diagnostics) = syntax::parse_island(island.text(db), island.key(db));
    Parsed { item, diagnostics }
}

/// The items of a source as analysis takes them.
fn source_items<'db>(db: &'db dyn salsa::Database, source: Source) -> Vec<SourceItem<'db>> {
    cut(db, source).items.iter().map(|(island, _)| source_item(db, *island)).collect()
}

fn source_item<'db>(db: &'db dyn salsa::Database, island: Island<'db>) -> SourceItem<'db> {
    SourceItem::written(island.key(db), island.text(db), &parsed(db, island).item)
}

#[salsa::tracked(returns(ref))]
fn signatures(db: &dyn salsa::Database, source: Source) -> (Signatures, Vec<Diagnostic>) {
    analysis::signatures(source.id(db), &source_items(db, source))
}

/// The signatures without their messages: what bodies depend on.
#[salsa::tracked(returns(ref))]
fn interface(db: &dyn salsa::Database, source: Source) -> Signatures {
    signatures(db, source).0.clone()
}

#[salsa::tracked(returns(ref))]
fn body<'db>(db: &'db dyn salsa::Database, source: Source, island: Island<'db>) -> CheckedItem {
    analysis::check_item(interface(db, source), &source_item(db, island))
}

/// The whole source, checked.
#[salsa::tracked(returns(ref))]
pub(crate) fn checked(db: &dyn salsa::Database, source: Source) -> Checked {
    let cut = cut(db, source);
    let file = source.id(db);
    let syntax = cut.items.iter().flat_map(|(island, _)| parsed(db, *island).diagnostics.iter()).chain(&cut.loose);
    let syntax = syntax::limited(syntax.cloned().collect()).into_iter().map(|diagnostic| diagnostic.in_file(file));
    let bodies: Vec<&CheckedItem> = cut.items.iter().map(|(island, _)| body(db, source, *island)).collect();
    let (program, linked) = analysis::link(bodies.iter().map(|item| (*item).clone()), &[]);
    let mut diagnostics: Vec<Diagnostic> = syntax.collect();
    diagnostics.extend(signatures(db, source).1.iter().cloned());
    diagnostics.extend(bodies.iter().flat_map(|item| item.diagnostics.iter().cloned()));
    diagnostics.extend(linked);
    let starts: BTreeMap<&ItemKey, u32> = cut.items.iter().map(|(island, start)| (island.key(db), *start)).collect();
    diagnostics.sort_by_key(|diagnostic| place_in_file(&starts, diagnostic));
    Checked { program, diagnostics }
}

/// Where a message's first label stands, counted from the start of the file.
fn place_in_file(starts: &BTreeMap<&ItemKey, u32>, diagnostic: &Diagnostic) -> u32 {
    let Some(label) = diagnostic.labels.first() else { return 0 };
    let base = label.loc.item.as_ref().and_then(|key| starts.get(key)).copied().unwrap_or(0);
    base.saturating_add(label.loc.span.start)
}

/// The bytecode of a source without errors.
#[salsa::tracked(returns(ref))]
pub(crate) fn emitted(db: &dyn salsa::Database, source: Source, rules: RuleSet) -> Emitted {
    let program = &checked(db, source).program;
    let mut emitted = Emitted { contracts: Vec::new(), diagnostics: Vec::new() };
    for (index, contract) in program.contracts.iter().enumerate() {
        let options = codegen::Options { rules, ..codegen::Options::default() };
        let (generated, diagnostics) = codegen::generate(contract, &program.functions, &options);
        emitted.contracts.extend(generated.map(|generated| (index, generated)));
        emitted.diagnostics.extend(diagnostics);
    }
    emitted
}

/// The source with its declarations written out.
#[salsa::tracked(returns(ref))]
pub(crate) fn expanded(db: &dyn salsa::Database, source: Source) -> String {
    let text = source.text(db);
    let docs = syntax::file_docs(&syntax::lex(text), text);
    let docs: String = docs.iter().map(|doc| format!("//! {}", doc.text).trim_end().to_owned() + "\n").collect();
    let items = analysis::expand(interface(db, source), &source_items(db, source));
    if docs.is_empty() || items.is_empty() { docs + &items } else { docs + "\n" + &items }
}

/// Where the items of a source start.
pub(crate) fn file_places(db: &Database, source: Source) -> FilePlaces {
    let items: BTreeMap<ItemKey, u32> =
        cut(db, source).items.iter().map(|(island, start)| (island.key(db).clone(), *start)).collect();
    FilePlaces::new(source.path(db).clone(), source.text(db).clone(), items)
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
    /// Adds a source.
    pub(crate) fn add(&self, id: FileId, path: &str, text: Arc<str>) -> Source {
        Source::new(self, id, Arc::from(path), text)
    }

    /// Replaces the text of a source.
    pub(crate) fn edit(&mut self, source: Source, text: Arc<str>) {
        source.set_text(self).to(text);
    }

    /// The queries that ran since the last call, as `name(key)`; the first call starts the list.
    pub(crate) fn take_ran(&self) -> Vec<String> {
        self.ran.lock().map(|mut list| list.replace(Vec::new()).unwrap_or_default()).unwrap_or_default()
    }
}
