//! The manifest `bmc.toml` and the lock `bmc.lock`: which packages a source may import from, and whether
//! their sources are still those that were pinned.

mod lock;
mod manifest;

use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::sync::Arc;

use driver::{LintLevels, Package, Packages};
use spec::RuleSet;
use spec::artifact::{Level, Objective};

pub(crate) use lock::{check, pin};
use manifest::Manifest;
pub(crate) use manifest::is_name;

use crate::fail::Fail;

/// The name of manifests.
pub(crate) const MANIFEST: &str = "bmc.toml";
const LOCK: &str = "bmc.lock";
const PACKAGES_MAX: usize = 1_000;
/// The largest manifest or lock that is read.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The folder of the package around a file: the nearest one with a manifest, up to the current folder.
pub(crate) fn folder_around(file: &str) -> Option<&str> {
    let elsewhere = file.starts_with('/') || file.starts_with("../");
    let mut folder = file;
    while !folder.is_empty() {
        folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        if folder.is_empty() && elsewhere || folder.split('/').next_back() == Some("..") {
            return None;
        }
        if Path::new(&join(folder, MANIFEST)).exists() {
            return Some(folder);
        }
    }
    None
}

/// A package that is compiled, with all that it depends on.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The package itself, then its dependencies.
    packages: Vec<Loaded>,
}

/// A package as its manifest says it.
#[derive(Debug)]
struct Loaded {
    folder: String,
    manifest: Manifest,
    /// The places of its dependencies in the tree, by the name that its sources use.
    dependencies: BTreeMap<String, usize>,
}

impl Tree {
    /// The package in a folder, which has a manifest.
    pub(crate) fn at(folder: &str) -> Result<Self, Fail> {
        let missing =
            || Fail::usage(format!("there is no `{}`", join(folder, MANIFEST))).help("start with `bmc new NAME`");
        let (folder, manifest) = (folder.to_owned(), Manifest::read(folder)?.ok_or_else(missing)?);
        let mut packages = vec![Loaded { folder, manifest, dependencies: BTreeMap::new() }];
        let mut next = 0;
        while let Some(package) = packages.get(next) {
            let wanted: Vec<(String, String)> =
                package.manifest.dependencies().map(|(name, path)| (name.to_owned(), path.to_owned())).collect();
            let own = package.folder.clone();
            for (name, path) in wanted {
                let place = place_of(&mut packages, &own, &name, &path)?;
                admit(&packages, next, &name, place)?;
                if let Some(package) = packages.get_mut(next) {
                    package.dependencies.insert(name, place);
                }
            }
            next += 1;
        }
        Self { packages }.with_distinct_names()
    }

    /// The lock calls packages by their names.
    fn with_distinct_names(self) -> Result<Self, Fail> {
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for package in &self.packages {
            if let Some(other) = seen.insert(package.name(), &package.folder) {
                return Err(Fail::refused(format!(
                    "`{}` and `{}` are both called `{}`",
                    join(other, MANIFEST),
                    join(&package.folder, MANIFEST),
                    package.name()
                ))
                .help("give the packages different names"));
            }
        }
        Ok(self)
    }

    /// What the package is called.
    pub(crate) fn name(&self) -> &str {
        self.packages.first().map_or("", Loaded::name)
    }

    /// Where the package lies.
    pub(crate) fn folder(&self) -> &str {
        self.packages.first().map_or("", |package| &package.folder)
    }

    /// The machine that the manifest compiles for.
    pub(crate) fn target(&self) -> Option<RuleSet> {
        self.packages.first().and_then(|package| package.manifest.target())
    }

    /// How hard to try to make its scripts small, if its manifest says so.
    pub(crate) fn level(&self) -> Option<Level> {
        self.packages.first().and_then(|package| package.manifest.level())
    }

    /// What to make small.
    pub(crate) fn objective(&self) -> Option<Objective> {
        self.packages.first().and_then(|package| package.manifest.objective())
    }

    /// How grave its manifest takes lints.
    pub(crate) fn lint_levels(&self) -> LintLevels {
        self.packages.first().map(|package| package.manifest.lint_levels().clone()).unwrap_or_default()
    }

    /// Whether its scripts may compare constants by their hash, if its manifest says so.
    pub(crate) fn hash_lowering(&self) -> Option<bool> {
        self.packages.first().and_then(|package| package.manifest.hash_lowering())
    }

    /// The dependencies.
    fn dependencies(&self) -> impl Iterator<Item = &Loaded> {
        self.packages.iter().skip(1)
    }

    /// As the compiler sees it.
    pub(crate) fn packages(&self) -> Packages {
        let package = |package: &Loaded| Package {
            name: Arc::from(package.name()),
            folder: Arc::from(package.folder.as_str()),
            dependencies: package.dependencies.iter().map(|(name, place)| (Arc::from(name.as_str()), *place)).collect(),
        };
        Packages::new(self.packages.iter().map(package).collect())
    }
}

impl Loaded {
    fn name(&self) -> &str {
        self.manifest.name()
    }
}

/// The place of a dependency among the packages, which it joins if it is new.
fn place_of(packages: &mut Vec<Loaded>, own: &str, name: &str, path: &str) -> Result<usize, Fail> {
    let folder = folder_at(own, path);
    if let Some(known) = packages.iter().position(|known| known.folder == folder) {
        return Ok(known);
    }
    if packages.len() >= PACKAGES_MAX {
        return Err(Fail::refused(format!("there are more than {PACKAGES_MAX} packages")).help("depend on fewer"));
    }
    let manifest = Manifest::read(&folder)?.ok_or_else(|| {
        Fail::refused(format!("the dependency `{name}` has no `{}`", join(&folder, MANIFEST)))
            .help(format!("correct its `path` in `{}`", join(own, MANIFEST)))
    })?;
    packages.push(Loaded { folder, manifest, dependencies: BTreeMap::new() });
    Ok(packages.len() - 1)
}

/// Refuses a dependency of another version than its user asks for.
fn admit(packages: &[Loaded], user: usize, name: &str, place: usize) -> Result<(), Fail> {
    let (Some(user), Some(used)) = (packages.get(user), packages.get(place)) else { return Ok(()) };
    let version = used.manifest.version();
    user.manifest.admits(name, version).map_err(|wanted| {
        let path = join(&user.folder, MANIFEST);
        Fail::refused(format!("`{path}` asks for `{name}` {wanted}, and `{}` has version {version}", used.folder))
            .help("change the `version` that it asks for, or the `path`")
    })
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{}/{name}", folder.trim_end_matches('/')) }
}

/// A folder seen from the current one, always written in the same way.
fn folder_at(folder: &str, path: &str) -> String {
    let mut steps: Vec<String> = Vec::new();
    for part in Path::new(folder).join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if steps.last().is_some_and(|step| step != ".." && step != "/") => {
                steps.pop();
            }
            Component::ParentDir if steps.last().is_some_and(|step| step == "/") => {}
            Component::RootDir => steps.push("/".to_owned()),
            part => steps.push(part.as_os_str().to_string_lossy().into_owned()),
        }
    }
    match steps.split_first() {
        Some((root, rest)) if root == "/" => format!("/{}", rest.join("/")),
        _ => steps.join("/"),
    }
}

/// The text of a manifest or lock; `None` if there is none.
fn read_text(path: &str) -> Result<Option<String>, Fail> {
    let failed = |error: std::io::Error| Fail::refused(format!("`{path}` cannot be read: {error}"));
    let size = match std::fs::metadata(path) {
        Ok(meta) => meta.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if size > FILE_BYTES_MAX {
        return Err(Fail::refused(format!("`{path}` has {size} bytes, more than {FILE_BYTES_MAX}"))
            .help("this is no file of a package; move it away"));
    }
    std::fs::read_to_string(path).map(Some).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_around_a_file_is_the_nearest_one_with_a_manifest() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path).to_string_lossy().into_owned();
        std::fs::create_dir_all(at("app/sub/deep")).unwrap();
        std::fs::write(at("app/bmc.toml"), "").unwrap();
        assert_eq!(folder_around(&at("app/sub/deep/a.bmc")), Some(at("app").as_str()));
        assert_eq!(folder_around(&at("app/a.bmc")), Some(at("app").as_str()));
        assert_eq!(folder_around(&at("a.bmc")), None);
        assert_eq!(folder_around("../a.bmc"), None);
        assert_eq!(folder_around("no/such/folder/a.bmc"), None);
    }

    #[test]
    fn folders_are_written_in_one_way() {
        for (folder, path, wanted) in [
            ("", "shares", "shares"),
            ("", "./shares/", "shares"),
            ("app", "../shares", "shares"),
            ("app", "../../shares", "../shares"),
            ("../app", "../shares", "../shares"),
            ("a/b", ".././c", "a/c"),
            ("", "..", ".."),
            ("a", "..", ""),
            ("a", "/srv/b/../c", "/srv/c"),
            ("/a", "../..", "/"),
        ] {
            assert_eq!(folder_at(folder, path), wanted, "{folder} {path}");
        }
    }
}
