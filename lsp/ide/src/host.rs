//! The state behind all answers: the packages that are open, their sessions, and the texts that editors hold.
//!
//! One owner changes it. Questions are put to a [`Snapshot`], which the next change interrupts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use driver::{Canceller, LintLevels, Options, Packages, Session, Stopped, World, WorldError};
use syntax::FileId;

use crate::cost::Costs;
use crate::names::Files;
use crate::text::Lines;
use crate::tokens;

/// What an answer may be.
pub type Answer<T> = Result<T, Stopped>;

/// A package, or a folder of sources without one.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// The folder of the manifest, or, without one, that of the source.
    pub folder: String,
    /// The package and its dependencies.
    pub packages: Packages,
    /// What to compile for.
    pub options: Options,
    /// How grave lints are.
    pub levels: LintLevels,
    /// Why the manifest cannot be used, in words.
    pub trouble: Option<String>,
}

/// Where sources lie: the files, and what the manifests around them say.
pub trait Ground: World + Send + Sync {
    /// The project that a source belongs to.
    fn project_of(&self, path: &str) -> Project;

    /// The paths of all sources of a project, in order.
    fn sources_of(&self, project: &Project) -> Vec<String>;

    /// The projects in and below a folder.
    fn projects_below(&self, folder: &str) -> Vec<Project>;

    /// Where a source can be opened: for one of the standard library, a copy on the disk.
    fn file_of(&self, path: &str) -> Option<PathBuf>;

    /// What the source in a file is called: for a copy of the standard library, its module.
    fn path_of(&self, file: &Path) -> String;
}

/// A text that an editor holds.
#[derive(Clone, Debug)]
struct Document {
    lines: Lines,
    version: i32,
}

/// A project with its session.
struct Opened {
    project: Project,
    session: Session,
}

/// Everything that is open.
pub struct Host {
    ground: Arc<dyn Ground>,
    projects: Vec<Opened>,
    documents: BTreeMap<Arc<str>, Document>,
    /// Folders of the workspace.
    folders: BTreeSet<String>,
    /// The folder of the project of each document: finding it takes a look at the disk.
    homes: BTreeMap<Arc<str>, String>,
    /// The documents whose last text does not count yet.
    behind: BTreeSet<Arc<str>>,
    /// What contracts take.
    costs: Arc<Costs>,
    known_tokens: Arc<tokens::Known>,
}

/// The files as editors have them, and as they lie on the ground where no editor has them.
struct Overlay<'h> {
    ground: &'h dyn Ground,
    documents: &'h BTreeMap<Arc<str>, Document>,
}

impl World for Overlay<'_> {
    fn read(&self, path: &str) -> Result<Arc<str>, WorldError> {
        match self.documents.get(path) {
            Some(document) => Ok(Arc::clone(document.lines.text())),
            None => self.ground.read(path),
        }
    }

    fn import(&self, path: &str, folder: &str) -> Result<Arc<str>, WorldError> {
        match self.documents.get(path) {
            Some(document) => Ok(Arc::clone(document.lines.text())),
            None => self.ground.import(path, folder),
        }
    }

    fn digest(&self, path: &str) -> Result<[u8; 32], WorldError> {
        self.ground.digest(path)
    }

    fn list(&self, folder: &str) -> Vec<String> {
        self.ground.list(folder)
    }
}

impl Host {
    /// Nothing is open yet.
    #[must_use]
    pub fn new(ground: Arc<dyn Ground>) -> Self {
        Self {
            ground,
            projects: Vec::new(),
            documents: BTreeMap::new(),
            folders: BTreeSet::new(),
            homes: BTreeMap::new(),
            behind: BTreeSet::new(),
            costs: Arc::default(),
            known_tokens: Arc::default(),
        }
    }

    /// Adds a folder of the workspace: its packages answer questions about the whole workspace.
    pub fn add_folder(&mut self, folder: &str) {
        if self.folders.insert(folder.to_owned()) {
            for project in self.ground.projects_below(folder) {
                self.begin(project);
            }
        }
    }

    /// Takes a folder away. Projects with open documents stay.
    pub fn remove_folder(&mut self, folder: &str) {
        self.folders.remove(folder);
        let documents = &self.documents;
        let below = |path: &str, folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        self.projects.retain(|opened| {
            let gone = opened.project.folder == folder || below(&opened.project.folder, folder);
            !gone || documents.keys().any(|path| below(path, &opened.project.folder))
        });
    }

    /// An editor holds this text from now on.
    pub fn open(&mut self, path: &str, text: Arc<str>, version: i32) {
        let path: Arc<str> = path.into();
        self.documents.insert(Arc::clone(&path), Document { lines: Lines::new(Arc::clone(&text)), version });
        self.costs.open(&path);
        self.at_home(&path);
        self.settle(&path, text);
    }

    /// Opens the project that a document belongs to.
    fn at_home(&mut self, path: &Arc<str>) {
        let project = self.ground.project_of(path);
        self.homes.insert(Arc::clone(path), project.folder.clone());
        self.begin(project);
    }

    /// An editor holds another text.
    pub fn change(&mut self, path: &str, lines: Lines, version: i32) {
        self.edit(path, lines, version);
        self.catch_up();
    }

    /// The same, but the text counts in snapshots only from the next [`Host::catch_up`] on: so many edits at once cost what one
    /// costs.
    pub fn edit(&mut self, path: &str, lines: Lines, version: i32) {
        let path: Arc<str> = path.into();
        self.documents.insert(Arc::clone(&path), Document { lines, version });
        self.behind.insert(path);
    }

    /// Lets all edits count.
    pub fn catch_up(&mut self) {
        for path in std::mem::take(&mut self.behind) {
            if let Some(text) = self.documents.get(&path).map(|document| Arc::clone(document.lines.text())) {
                self.settle(&path, text);
            }
        }
    }

    /// The editor holds the text no more: what lies on the ground counts.
    pub fn close(&mut self, path: &str) {
        if self.documents.remove(path).is_some() {
            self.costs.forget(path);
            self.known_tokens.forget(path);
            self.changed_below(path);
        }
    }

    /// A file has changed that no editor holds, or a manifest.
    pub fn changed_below(&mut self, path: &str) {
        if self.documents.contains_key(path) {
            return;
        }
        let known = self.projects.iter().any(|opened| opened.session.source(path).is_some());
        match self.ground.read(path) {
            Ok(text) if known => self.settle(path, text),
            // What is new, gone or a manifest may change what names mean anywhere.
            _ => self.reload(),
        }
    }

    /// Files or folders are new, gone, or have other names.
    pub fn rearranged(&mut self, paths: &[Arc<str>]) {
        match paths {
            [only] => self.changed_below(only),
            [] => {}
            _ => self.reload(),
        }
    }

    /// Reads everything anew.
    pub fn reload(&mut self) {
        self.projects.clear();
        self.homes.clear();
        for folder in self.folders.clone() {
            for project in self.ground.projects_below(&folder) {
                self.begin(project);
            }
        }
        for path in self.documents.keys().cloned().collect::<Vec<_>>() {
            self.at_home(&path);
            if let Some(text) = self.documents.get(&path).map(|document| Arc::clone(document.lines.text())) {
                self.settle(&path, text);
            }
        }
    }

    /// The text that an editor holds, with its version.
    #[must_use]
    pub fn document(&self, path: &str) -> Option<(&Lines, i32)> {
        self.documents.get(path).map(|document| (&document.lines, document.version))
    }

    /// The paths that editors hold.
    pub fn documents(&self) -> impl Iterator<Item = &Arc<str>> {
        self.documents.keys()
    }

    /// The folders whose manifest cannot be used, each with the reason.
    pub fn troubles(&self) -> impl Iterator<Item = (&str, &str)> {
        self.projects.iter().filter_map(|opened| Some((&*opened.project.folder, opened.project.trouble.as_deref()?)))
    }

    /// What answers questions about one source.
    #[must_use]
    pub fn snapshot(&self, path: &str) -> Option<Snapshot> {
        let home = self.homes.get(path).map(String::as_str);
        let has = |opened: &&Opened| opened.session.source(path).is_some();
        let own = self.projects.iter().filter(|opened| Some(opened.project.folder.as_str()) == home).find(has);
        own.or_else(|| self.projects.iter().find(has)).map(|opened| self.of(opened))
    }

    /// What answers questions about the whole workspace, one for each package.
    #[must_use]
    pub fn snapshots(&self) -> Vec<Snapshot> {
        self.projects.iter().map(|opened| self.of(opened)).collect()
    }

    fn of(&self, opened: &Opened) -> Snapshot {
        let documents = self.documents.iter().map(|(path, document)| (Arc::clone(path), document.clone()));
        let known = documents.filter(|(path, _)| opened.session.source(path).is_some());
        Snapshot {
            session: opened.session.clone(),
            levels: opened.project.levels.clone(),
            options: opened.project.options,
            costs: Arc::clone(&self.costs),
            known_tokens: Arc::clone(&self.known_tokens),
            documents: known.collect(),
        }
    }

    fn overlay(&self) -> Overlay<'_> {
        Overlay { ground: &*self.ground, documents: &self.documents }
    }

    /// Opens a project that is not open yet, with all its sources.
    fn begin(&mut self, project: Project) {
        if self.projects.iter().any(|opened| opened.project.folder == project.folder) {
            return;
        }
        let roots = self.ground.sources_of(&project);
        let session = Session::open(&self.overlay(), project.packages.clone(), &roots);
        self.projects.push(Opened { project, session });
    }

    /// Gives a source its text wherever it is read.
    fn settle(&mut self, path: &str, text: Arc<str>) {
        let home = self.homes.get(path).cloned();
        let overlay = Overlay { ground: &*self.ground, documents: &self.documents };
        for opened in &mut self.projects {
            let known = opened.session.source(path);
            let same = known.and_then(|file| opened.session.text(file)).is_some_and(|old| **old == *text);
            if (known.is_some() || home.as_ref() == Some(&opened.project.folder)) && !same {
                opened.session.set(path, Arc::clone(&text));
                opened.session.load(&overlay);
            }
        }
    }
}

/// The state between two changes: it answers questions on any thread. The next change waits until all of them are gone.
#[derive(Clone)]
pub struct Snapshot {
    pub(crate) session: Session,
    pub(crate) levels: LintLevels,
    pub(crate) options: Options,
    pub(crate) costs: Arc<Costs>,
    pub(crate) known_tokens: Arc<tokens::Known>,
    documents: BTreeMap<Arc<str>, Document>,
}

impl Snapshot {
    /// What stops this snapshot's questions.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        self.session.canceller()
    }

    /// The number of a source.
    pub(crate) fn file(&self, path: &str) -> Option<FileId> {
        self.session.source(path)
    }

    /// The lines of a source.
    #[must_use]
    pub fn lines(&self, path: &str) -> Option<Lines> {
        let known = self.documents.get(path).map(|document| document.lines.clone());
        known.or_else(|| Some(Lines::new(Arc::clone(self.session.text(self.file(path)?)?))))
    }

    /// The version of a source that an editor holds.
    #[must_use]
    pub fn version(&self, path: &str) -> Option<i32> {
        self.documents.get(path).map(|document| document.version)
    }

    /// Whether a source belongs to the package that this is of.
    #[must_use]
    pub fn is_home_of(&self, path: &str) -> bool {
        self.file(path).is_some_and(|file| self.session.is_own(file))
    }

    /// The paths of the package's own sources.
    #[must_use]
    pub fn own_sources(&self) -> Vec<Arc<str>> {
        let own = self.session.sources().filter(|(file, _)| self.session.is_own(*file));
        own.map(|(_, path)| Arc::clone(path)).collect()
    }

    /// Asks, unless the next edit or the asker interrupts.
    pub(crate) fn ask<T>(&self, ask: impl FnOnce(&Files<'_>) -> T) -> Answer<T> {
        self.session.unless_stopped(|session| ask(&Files::new(session)))
    }

    /// Asks about one source; nothing if there is none at `path`.
    pub(crate) fn ask_of<T: Default>(&self, path: &str, ask: impl FnOnce(&Files<'_>, FileId) -> T) -> Answer<T> {
        let Some(file) = self.file(path) else { return Ok(T::default()) };
        self.ask(|files| ask(files, file))
    }
}
