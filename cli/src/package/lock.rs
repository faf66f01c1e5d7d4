//! What `bmc.lock` says: the SHA-256 of every source of every dependency.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use driver::World as _;
use serde::{Deserialize, Serialize};

use super::{LOCK, Loaded, Tree, join, read_text};
use crate::fail::Fail;
use crate::project::{self, DiskWorld};

const HEAD: &str =
    "# The sources of all dependencies as they were pinned. `bmc update` writes this file; keep it with the sources.\n";
const VERSION: u32 = 1;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lock {
    version: u32,
    #[serde(default)]
    package: BTreeMap<String, Pinned>,
}

/// The version of a dependency and its sources' digests, by their paths inside it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pinned {
    version: String,
    sources: BTreeMap<String, String>,
}

/// How a dependency differs from what was pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is new.
    Added(String),
    /// It is gone.
    Removed(String),
    /// This source of it is another one, new, or gone.
    Source(String, String),
    /// It calls itself by another version.
    Version(String, String),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(name) => write!(f, "`{name}` is new"),
            Self::Removed(name) => write!(f, "`{name}` is gone"),
            Self::Source(name, path) => write!(f, "`{path}` of `{name}` has changed"),
            Self::Version(name, version) => write!(f, "`{name}` has version {version} now"),
        }
    }
}

/// Refuses dependencies that are not those that were pinned. What has not been pinned yet, is now.
pub(crate) fn check(tree: &Tree) -> Result<(), Fail> {
    let path = join(tree.folder(), LOCK);
    let now = Lock::of(tree)?;
    let Some(before) = Lock::read(&path)? else {
        return if now.package.is_empty() { Ok(()) } else { now.write(&path) };
    };
    let changes = before.changes(&now);
    let unwanted = changes.iter().find(|change| matches!(change, Change::Source(..) | Change::Version(..)));
    match unwanted {
        Some(change) => Err(Fail::refused(format!("{change} since `{path}` pinned it"))
            .help("look at what changed; `bmc update` accepts it")),
        None if changes.is_empty() => Ok(()),
        None => now.write(&path),
    }
}

/// Pins the dependencies as they are, and tells what is different.
pub(crate) fn pin(tree: &Tree) -> Result<Vec<Change>, Fail> {
    let path = join(tree.folder(), LOCK);
    let now = Lock::of(tree)?;
    let before = Lock::read(&path)?;
    let changes = before.unwrap_or(Lock { version: VERSION, package: BTreeMap::new() }).changes(&now);
    if !changes.is_empty() {
        now.write(&path)?;
    }
    Ok(changes)
}

impl Lock {
    fn of(tree: &Tree) -> Result<Self, Fail> {
        let mut package = BTreeMap::new();
        for dependency in tree.dependencies() {
            let version = dependency.manifest.version().to_string();
            package.insert(dependency.name().to_owned(), Pinned { version, sources: digests(dependency)? });
        }
        Ok(Self { version: VERSION, package })
    }

    fn read(path: &str) -> Result<Option<Self>, Fail> {
        let Some(text) = read_text(path)? else { return Ok(None) };
        let again = "`bmc update` writes it again";
        let lock: Self = toml::from_str(&text).map_err(|error| {
            Fail::refused(format!("`{path}` is damaged: {}", error.message().trim_end())).help(again)
        })?;
        match lock.version {
            VERSION => Ok(Some(lock)),
            other => {
                Err(Fail::refused(format!("`{path}` has version {other}, and this bmc writes {VERSION}")).help(again))
            }
        }
    }

    fn write(&self, path: &str) -> Result<(), Fail> {
        let text = toml::to_string(self).map_err(|error| Fail::refused(error.to_string()))?;
        Ok(std::fs::write(path, format!("{HEAD}{text}"))?)
    }

    fn changes(&self, now: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        for (name, pinned) in &now.package {
            match self.package.get(name) {
                None => changes.push(Change::Added(name.clone())),
                Some(before) => before.changes(name, pinned, &mut changes),
            }
        }
        let gone = self.package.keys().filter(|name| !now.package.contains_key(*name));
        changes.extend(gone.cloned().map(Change::Removed));
        changes
    }
}

impl Pinned {
    fn changes(&self, name: &str, now: &Self, changes: &mut Vec<Change>) {
        let differs = |path: &&String| self.sources.get(*path) != now.sources.get(*path);
        let new = now.sources.keys().filter(|path| !self.sources.contains_key(*path));
        for path in self.sources.keys().chain(new).filter(differs) {
            changes.push(Change::Source(name.to_owned(), path.clone()));
        }
        if self.version != now.version {
            changes.push(Change::Version(name.to_owned(), now.version.clone()));
        }
    }
}

/// The digests of a package's sources, by their paths inside it.
fn digests(package: &Loaded) -> Result<BTreeMap<String, String>, Fail> {
    let folder = if package.folder.is_empty() { "." } else { &package.folder };
    let mut found = BTreeMap::new();
    for path in project::sources(&[PathBuf::from(folder)])? {
        let text = DiskWorld.read(&path).map_err(|error| Fail::refused(format!("`{path}`: {error}")))?;
        let inside = path.strip_prefix(&package.folder).unwrap_or(&path).trim_start_matches('/');
        found.insert(inside.to_owned(), hex::encode(spec::hash::sha256(text.as_bytes())));
    }
    Ok(found)
}
