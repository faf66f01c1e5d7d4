//! What editors ask of a session between one edit and the next: single files, trees and types instead of artifacts.
//!
//! A copy of a [`Session`] is a snapshot. It is cheap, may go to another thread, and must be gone before the session can
//! take the next edit; who holds one asks through [`Session::unless_stopped`], which the edit interrupts.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use analysis::hir::{self, Type};
use analysis::{ModulePath, ModuleProblem, Signatures};
use syntax::ast::Item;
use syntax::{Diagnostic, FileId, ItemKey, Span};

use crate::db;
use crate::package::Packages;
use crate::place::{FilePlaces, Places};
use crate::session::{File, Session, trouble_of};

/// One item of a source.
#[derive(Clone, Copy, Debug)]
pub struct ItemView<'s> {
    /// Its name in the file.
    pub key: &'s ItemKey,
    /// The byte of the file at which it starts, and from which its spans count.
    pub start: u32,
    /// Its text, documentation included.
    pub text: &'s str,
    /// Its tree.
    pub ast: &'s Item,
}

/// Why an answer was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Nobody waits for it any more.
    Asked,
    /// An edit is coming, after which it would be wrong.
    Edited,
}

/// Stops what is computed with one copy of a session.
#[derive(Clone)]
pub struct Canceller(db::Stopper);

impl Canceller {
    /// Lets the next question of that copy end with [`Stopped::Asked`].
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

impl Session {
    /// What stops this copy of the session.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        Canceller(self.db.stopper())
    }

    /// Runs what asks this session.
    ///
    /// # Errors
    /// [`Stopped`] if it was interrupted.
    pub fn unless_stopped<T>(&self, ask: impl FnOnce(&Self) -> T) -> Result<T, Stopped> {
        db::unless_stopped(|| ask(self))
    }

    /// The sources with their paths, in the order of their numbers.
    pub fn sources(&self) -> impl Iterator<Item = (FileId, &Arc<str>)> {
        let paths = self.files.iter().map(|file| file.source.path(&self.db));
        (0..).map(FileId).zip(paths)
    }

    /// The number of the source at `path`.
    #[must_use]
    pub fn source(&self, path: &str) -> Option<FileId> {
        self.sources.numbers(&self.db).get(path).copied()
    }

    /// Whether a source belongs to the package that is compiled.
    #[must_use]
    pub fn is_own(&self, file: FileId) -> bool {
        self.file(file).is_some_and(|file| self.sources.packages(&self.db).is_own(file.source.path(&self.db)))
    }

    /// The path of a source.
    #[must_use]
    pub fn path(&self, file: FileId) -> Option<&Arc<str>> {
        self.file(file).map(|file| file.source.path(&self.db))
    }

    /// The text of a source.
    #[must_use]
    pub fn text(&self, file: FileId) -> Option<&Arc<str>> {
        self.file(file).map(|file| file.source.text(&self.db))
    }

    /// The items of a source in their order.
    #[must_use]
    pub fn items(&self, file: FileId) -> Vec<ItemView<'_>> {
        self.file(file).map(|file| db::items(&self.db, file.source)).unwrap_or_default()
    }

    /// Whether a source is as the grammar wants it.
    #[must_use]
    pub fn parses(&self, file: FileId) -> bool {
        self.file(file).is_some_and(|file| db::parses(&self.db, file.source))
    }

    /// A number that stays while nothing but bodies changes: as long as it does, a name in an item whose text stays
    /// means what it meant.
    ///
    /// ```
    /// use driver::Session;
    /// let mut session = Session::default();
    /// session.set("a.bmc", "fn twice(n: Int) -> Int { n + n }".into());
    /// let before = session.declared();
    /// session.set("a.bmc", "fn twice(n: Int) -> Int { 2 * n }".into());
    /// assert_eq!(session.declared(), before);
    /// session.set("a.bmc", "fn double(n: Int) -> Int { 2 * n }".into());
    /// assert_ne!(session.declared(), before);
    /// ```
    #[must_use]
    pub fn declared(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for File { source, .. } in &self.files {
            (source.path(&self.db), db::declared(&self.db, self.sources, *source)).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// The types of the expressions and variables of an item, in the order of their places, which count from its start.
    /// It costs one more check of the item, once.
    ///
    /// ```
    /// use driver::Session;
    /// let mut session = Session::default();
    /// session.set("a.bmc", "fn twice(n: Int) -> Int { n + n }".into());
    /// let file = session.source("a.bmc").unwrap();
    /// let item = session.items(file)[0];
    /// let types = session.types_in(file, item.key);
    /// let sum = types.iter().find(|(span, _)| &item.text[span.range()] == "n + n").unwrap();
    /// assert_eq!(sum.1.to_string(), "Int");
    /// ```
    #[must_use]
    pub fn types_in(&self, file: FileId, item: &ItemKey) -> &[(Span, Type)] {
        let found = self.file(file).map(|file| db::types_in(&self.db, self.sources, file.source, item));
        found.unwrap_or_default()
    }

    /// What the names of a source mean outside of bodies.
    #[must_use]
    pub fn signatures(&self, file: FileId) -> Option<&Signatures> {
        self.file(file).map(|file| &**db::scope(&self.db, self.sources, file.source))
    }

    /// The typed program of a source.
    #[must_use]
    pub fn program(&self, file: FileId) -> Option<&hir::Program> {
        self.file(file).map(|file| db::program(&self.db, self.sources, file.source))
    }

    /// Whether nothing is wrong with a source, nor with what it imports.
    #[must_use]
    pub fn is_sound(&self, file: FileId) -> bool {
        self.file(file).is_some_and(|file| file.trouble.is_none() && db::sound(&self.db, self.sources, file.source))
    }

    /// Where the modules lead that a source names.
    #[must_use]
    pub fn modules(&self, file: FileId) -> Option<&BTreeMap<ModulePath, Result<FileId, ModuleProblem>>> {
        self.file(file).map(|file| db::usable(&self.db, self.sources, file.source))
    }

    /// The packages of the sources.
    #[must_use]
    pub fn packages(&self) -> &Packages {
        self.sources.packages(&self.db)
    }

    /// What there is to say of a source before its code is made: what [`Session::compile`] says of it first.
    #[must_use]
    pub fn diagnostics(&self, file: FileId) -> Vec<Diagnostic> {
        // In this order no query asks for a source whose imports have not been checked yet.
        for index in &db::graph(&self.db, self.sources).order {
            if let Some(other) = self.files.get(*index) {
                let _ = db::interface(&self.db, self.sources, other.source);
            }
        }
        match self.file(file) {
            Some(File { trouble: Some(trouble), .. }) => vec![trouble_of(&self.places(), file.0 as usize, trouble)],
            Some(found) => self.told(found).cloned().collect(),
            None => Vec::new(),
        }
    }

    /// Where places are, in every source.
    #[must_use]
    pub fn places(&self) -> Places {
        Places::new(self.files.iter().map(|file| self.places_of(file)).collect())
    }

    /// Where places are in some sources; in the others there are none.
    #[must_use]
    pub fn places_in(&self, files: &BTreeSet<FileId>) -> Places {
        let place = |(id, file): (FileId, &File)| match files.contains(&id) {
            true => self.places_of(file),
            false => FilePlaces::new(Arc::clone(file.source.path(&self.db)), Arc::from(""), BTreeMap::new()),
        };
        Places::new((0..).map(FileId).zip(&self.files).map(place).collect())
    }

    /// The source with its declarations written out.
    #[must_use]
    pub fn expanded(&self, file: FileId) -> Option<&str> {
        self.file(file).map(|file| db::expanded(&self.db, self.sources, file.source).as_str())
    }

    fn file(&self, file: FileId) -> Option<&File> {
        self.files.get(file.0 as usize)
    }
}
