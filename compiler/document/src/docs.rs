//! A program that is ready to be shown.

use std::collections::BTreeMap;

use spec::Artifact;
use syntax::ast::Doc;
use syntax::{LineIndex, TokenKind};

use crate::entry::{Entry, markdown};
use crate::input::Program;
use crate::markdown::marked;
use crate::scope::{self, Chapter};

/// A file of the documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its path, with `/` between folders; never out of the folder that holds all of them.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// A link of a comment that leads nowhere, or an item that no comment explains.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Broken {
    /// The source.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// What is named, or what is not explained.
    pub name: String,
}

/// An item by its module and its place in there.
pub(crate) type ItemId = (usize, usize);

/// A program that is ready to be shown.
///
/// ```
/// use document::{Docs, Module, Program};
/// let text = "//! Money.\n\n/// Opens for its [`Owner`].\ncontract Lock(owner: PubKey) {\n    spend take(sig: Sig) { require owner.signed(sig), \"the owner must sign\"; }\n}\n";
/// let module = Module { package: "app".into(), name: "lock".into(), path: "lock.bmc".into(), text: text.into(), is_own: true, ..Module::default() };
/// let docs = Docs::new(Program { name: "app".into(), modules: vec![module], ..Program::default() });
/// let pages = docs.pages();
/// let page = pages.iter().find(|page| page.path == "app/lock.html").unwrap();
/// assert!(page.text.contains("id=\"contract.Lock\"") && page.text.contains("the owner must sign"));
/// let broken = docs.broken();
/// assert_eq!((broken[0].name.as_str(), broken[0].line, broken[0].column), ("Owner", 3, 19));
/// ```
#[derive(Debug)]
pub struct Docs {
    pub(crate) name: String,
    pub(crate) chapters: Vec<Chapter>,
    pub(crate) artifacts: Vec<Artifact>,
    /// The tests that use an item.
    pub(crate) tests: BTreeMap<ItemId, Vec<ItemId>>,
}

impl Docs {
    /// Reads the sources and finds out which names mean what.
    #[must_use]
    pub fn new(program: Program) -> Self {
        let chapters = scope::chapters(&program);
        let tests = tests(&chapters);
        Self { name: program.name, chapters, artifacts: program.artifacts, tests }
    }

    /// All files, in the order of their paths. The same program always gives the same files.
    #[must_use]
    pub fn pages(&self) -> Vec<Page> {
        crate::page::all(self)
    }

    /// The links of comments in the program's own sources that lead nowhere.
    #[must_use]
    pub fn broken(&self) -> Vec<Broken> {
        let own = self.chapters.iter().enumerate().filter(|(_, chapter)| chapter.module.is_own);
        own.flat_map(|(at, _)| self.broken_in(at)).collect()
    }

    /// The items of the program's own sources that no comment explains; tests explain themselves.
    #[must_use]
    pub fn unexplained(&self) -> Vec<Broken> {
        let mut found = Vec::new();
        for chapter in self.chapters.iter().filter(|chapter| chapter.module.is_own) {
            for entry in chapter.entries.iter().filter(|entry| !entry.is_test() && entry.docs().is_empty()) {
                if let Some(at) = entry.at {
                    let name = format!("{} {}", entry.kind.word(), entry.name);
                    found.push(Broken { file: chapter.module.path.clone(), line: at.line, column: 1, name });
                }
            }
        }
        found
    }

    /// How many items of the program's own sources could be explained.
    #[must_use]
    pub fn explainable(&self) -> usize {
        let own = self.chapters.iter().filter(|chapter| chapter.module.is_own).flat_map(|chapter| &chapter.entries);
        own.filter(|entry| !entry.is_test() && entry.at.is_some()).count()
    }

    fn broken_in(&self, at: usize) -> Vec<Broken> {
        let Some(chapter) = self.chapters.get(at) else { return Vec::new() };
        let mut found = self.broken_docs(at, &chapter.docs, 0);
        for entry in &chapter.entries {
            let Some(standing) = entry.at else { continue };
            for docs in entry.all_docs() {
                found.extend(self.broken_docs(at, docs, standing.start));
            }
        }
        found
    }

    /// The links of one comment, whose spans count from `start`.
    fn broken_docs(&self, at: usize, docs: &[Doc], start: u32) -> Vec<Broken> {
        let Some(chapter) = self.chapters.get(at) else { return Vec::new() };
        let text = markdown(docs);
        let resolve = |path: &[&str]| scope::resolve(&self.chapters, at, path);
        let broken = marked(&text, &resolve).broken;
        if broken.is_empty() {
            return Vec::new();
        }
        let index = LineIndex::new(&chapter.module.text);
        let place = |(range, name): (std::ops::Range<usize>, String)| {
            let before = text.get(..range.start).unwrap_or_default();
            let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
            let doc = docs.get(before.matches('\n').count())?;
            // The slashes and the space behind them are no part of the text.
            let written = chapter.module.text.get(doc.span.shifted(start).range())?;
            let lead =
                written.len().saturating_sub(written.trim_start_matches(['/', '!']).trim_start_matches(' ').len());
            let offset = start + doc.span.start + u32::try_from(lead + range.start - line_start).ok()?;
            let place = index.line_col(&chapter.module.text, offset);
            Some(Broken { file: chapter.module.path.clone(), line: place.line, column: place.column, name })
        };
        broken.into_iter().filter_map(place).collect()
    }

    pub(crate) fn entry(&self, (module, item): ItemId) -> Option<(&Chapter, &Entry)> {
        let chapter = self.chapters.get(module)?;
        Some((chapter, chapter.entries.get(item)?))
    }

    pub(crate) fn artifact(&self, entry: &Entry) -> Option<&Artifact> {
        self.artifacts.get(entry.artifact?)
    }
}

/// The tests that use each item, or what the item becomes.
fn tests(chapters: &[Chapter]) -> BTreeMap<ItemId, Vec<ItemId>> {
    let mut found: BTreeMap<ItemId, Vec<ItemId>> = BTreeMap::new();
    for (module, chapter) in chapters.iter().enumerate() {
        for (at, entry) in chapter.entries.iter().enumerate().filter(|(_, entry)| entry.is_test()) {
            for used in used(chapters, module, entry) {
                let parent = chapters.get(used.0).and_then(|chapter| chapter.entries.get(used.1)?.of);
                for item in [Some(used), parent.map(|parent| (used.0, parent))].into_iter().flatten() {
                    let of = found.entry(item).or_default();
                    if item != (module, at) && of.last() != Some(&(module, at)) {
                        of.push((module, at));
                    }
                }
            }
        }
    }
    found
}

/// The items that the text of an entry names.
fn used(chapters: &[Chapter], module: usize, entry: &Entry) -> Vec<ItemId> {
    let tokens = syntax::lex(&entry.text);
    let mut found: Vec<ItemId> = Vec::new();
    let mut before = None;
    for (kind, span) in tokens.iter().filter(|(kind, _)| !kind.is_trivia()) {
        if kind == TokenKind::Ident && before != Some(TokenKind::Dot) {
            found.extend(scope::item(chapters, module, entry.slice(span)));
        }
        before = Some(kind);
    }
    found.sort_unstable();
    found.dedup();
    found
}
