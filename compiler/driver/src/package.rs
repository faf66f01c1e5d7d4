//! Packages: folders of sources that belong together, and how one file finds another.
//!
//! Paths are text with `/` between folders, as whoever reads files understands them; the same folder
//! is always written in the same way. Links are not followed here: the reader does that.

use std::collections::BTreeMap;
use std::sync::Arc;

use analysis::{ModulePath, ModuleProblem, STD};

use crate::library;

/// What sources are called.
const EXTENSION: &str = ".bmc";

/// A folder of sources with a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Package {
    /// What the sources inside call it, and messages.
    pub name: Arc<str>,
    /// Where it lies; the empty path is where all relative paths begin.
    pub folder: Arc<str>,
    /// The packages that its sources may name, with their places in [`Packages`].
    pub dependencies: BTreeMap<Arc<str>, usize>,
}

/// The packages of one compilation; without any, a source sees the files in and below its own folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Packages {
    list: Vec<Package>,
}

/// Where a module is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The path of its file.
    pub(crate) path: String,
    /// The folder that it may not leave; `None` for a module of the standard library.
    pub(crate) inside: Option<Arc<str>>,
}

impl Packages {
    /// Packages of which the first is the one that is compiled.
    #[must_use]
    pub fn new(list: Vec<Package>) -> Self {
        Self { list }
    }

    /// All of them, in order.
    #[must_use]
    pub fn list(&self) -> &[Package] {
        &self.list
    }

    /// Whether a source belongs to what is compiled, rather than to a dependency or the standard library.
    #[must_use]
    pub fn is_own(&self, path: &str) -> bool {
        !library::is_module(path) && self.owner(path).is_none_or(|owner| owner == 0)
    }

    /// The package of a source and the name of its module inside, folders included; no package if it belongs to none.
    ///
    /// ```
    /// use driver::{Package, Packages};
    /// let app = Package { name: "app".into(), folder: "apps/app".into(), ..Package::default() };
    /// let packages = Packages::new(vec![app]);
    /// assert_eq!(packages.module_of("apps/app/pay/out.bmc"), (Some("app"), "pay/out"));
    /// assert_eq!(packages.module_of("std::math"), (Some("std"), "math"));
    /// assert_eq!(packages.module_of("other.bmc"), (None, "other"));
    /// ```
    #[must_use]
    pub fn module_of<'a>(&'a self, path: &'a str) -> (Option<&'a str>, &'a str) {
        if library::is_module(path) {
            return (Some(STD), path.rsplit("::").next().unwrap_or(path));
        }
        let owner = self.owner(path).and_then(|owner| self.list.get(owner));
        let inside = owner.and_then(|owner| below(path, &owner.folder)).unwrap_or(path);
        (owner.map(|owner| &*owner.name), inside.strip_suffix(EXTENSION).unwrap_or(inside))
    }

    /// How the source at `importer` names the module in the file at `path`; nothing if it cannot.
    ///
    /// ```
    /// use driver::{Package, Packages};
    /// let app = Package { name: "app".into(), folder: "app".into(), ..Package::default() };
    /// let packages = Packages::new(vec![app]);
    /// assert_eq!(packages.name_for("app/a.bmc", "app/pay/out.bmc").unwrap().to_string(), "./pay/out");
    /// assert_eq!(packages.name_for("app/pay/out.bmc", "app/a.bmc").unwrap().to_string(), "./../a");
    /// assert_eq!(packages.name_for("app/a.bmc", "std::math").unwrap().to_string(), "std::math");
    /// assert_eq!(packages.name_for("app/a.bmc", "apple/b.bmc"), None);
    /// ```
    #[must_use]
    pub fn name_for(&self, importer: &str, path: &str) -> Option<ModulePath> {
        let package = |package: &str, name: &str| ModulePath {
            package: Some(package.into()),
            folders: Vec::new(),
            name: name.into(),
        };
        let module = match path.split_once("::") {
            Some((std, name)) if library::is_module(path) => package(std, name),
            _ if self.owner(path) == self.owner(importer) => relative(importer, path)?,
            _ => {
                let owner = self.list.get(self.owner(importer)?)?;
                let other = self.owner(path)?;
                let (known, _) = owner.dependencies.iter().find(|(_, index)| **index == other)?;
                package(known, module_name(path)?)
            }
        };
        // Whatever was put together here, it must lead there.
        self.locate(importer, &module).ok().filter(|target| target.path == path).map(|_| module)
    }

    /// The package with the deepest folder around the file.
    fn owner(&self, path: &str) -> Option<usize> {
        let around = |(index, package): (usize, &Package)| below(path, &package.folder).map(|rest| (rest.len(), index));
        self.list.iter().enumerate().filter_map(around).min().map(|(_, index)| index)
    }

    /// Where the module is that the file at `importer` names.
    pub(crate) fn locate(&self, importer: &str, module: &ModulePath) -> Result<Target, ModuleProblem> {
        match &module.package {
            Some(package) if **package == *STD => library::locate(module),
            Some(package) => self.in_package(importer, package, module),
            None => self.beside(importer, module),
        }
    }

    fn in_package(&self, importer: &str, name: &str, module: &ModulePath) -> Result<Target, ModuleProblem> {
        let owner = self.owner(importer).and_then(|owner| self.list.get(owner));
        let named = owner.and_then(|owner| match owner.dependencies.get(name) {
            Some(index) => self.list.get(*index),
            None => Some(owner).filter(|owner| *owner.name == *name),
        });
        let Some(package) = named else {
            let dependencies = owner.iter().flat_map(|owner| owner.dependencies.keys().cloned());
            let known = dependencies.chain([Arc::from(STD)]).collect();
            return Err(ModuleProblem::UnknownPackage { known });
        };
        let path = join(&package.folder, &format!("{}{EXTENSION}", module.name));
        Ok(Target { path, inside: Some(package.folder.clone()) })
    }

    fn beside(&self, importer: &str, module: &ModulePath) -> Result<Target, ModuleProblem> {
        let owner = self.owner(importer);
        let boundary: Arc<str> = match owner.and_then(|owner| self.list.get(owner)) {
            Some(package) => package.folder.clone(),
            None => Arc::from(folder_of(importer)),
        };
        if library::is_module(importer) {
            return Err(ModuleProblem::Outside);
        }
        let mut folder = folder_of(importer).to_owned();
        for step in &module.folders {
            folder = match &**step {
                // Above a path that begins with `..` or `/` there may be anything.
                ".." if *folder == *boundary => return Err(ModuleProblem::Outside),
                ".." => folder_of(&folder).to_owned(),
                step => join(&folder, step),
            };
        }
        let path = join(&folder, &format!("{}{EXTENSION}", module.name));
        match self.owner(&path) {
            other if other == owner => Ok(Target { path, inside: Some(boundary) }),
            Some(other) => Err(self
                .list
                .get(other)
                .map_or(ModuleProblem::Outside, |package| ModuleProblem::OfDependency(package.name.clone()))),
            None => Err(ModuleProblem::Outside),
        }
    }
}

/// The way from a file to a module of its package.
fn relative(importer: &str, path: &str) -> Option<ModulePath> {
    let name = module_name(path)?;
    let steps = |path| folder_of(path).split('/').filter(|step| !step.is_empty()).collect::<Vec<_>>();
    let (from, to) = (steps(importer), steps(path));
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from.iter().skip(shared).map(|_| "..");
    let folders = up.chain(to.iter().skip(shared).copied()).map(Arc::from).collect();
    Some(ModulePath { package: None, folders, name: name.into() })
}

/// The module that the file at `path` is, as messages list it; `None` if no `use` can name it.
pub(crate) fn module_name(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?.strip_suffix(EXTENSION)?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    Some(name).filter(|_| is_name)
}

/// The folder of a file, empty if it is written without one.
pub(crate) fn folder_of(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
        None => "",
    }
}

/// The path of a file that a source names: beside the source or below it.
pub(crate) fn beside(source: &str, file: &str) -> Option<String> {
    let below = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':']);
    file.split('/').all(below).then(|| join(folder_of(source), file))
}

fn join(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder if folder.ends_with('/') => format!("{folder}{name}"),
        folder => format!("{folder}/{name}"),
    }
}

/// The path from `folder` to what lies below it.
fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let rest = match folder {
        "" => Some(path).filter(|path| !path.starts_with('/')),
        "/" => path.strip_prefix('/'),
        folder => path.strip_prefix(folder)?.strip_prefix('/'),
    };
    rest.filter(|rest| !rest.starts_with("../"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages() -> Packages {
        let package = |name: &str, folder: &str, dependencies: &[(&str, usize)]| Package {
            name: name.into(),
            folder: folder.into(),
            dependencies: dependencies.iter().map(|(name, index)| ((*name).into(), *index)).collect(),
        };
        Packages::new(vec![
            package("app", "", &[("shares", 1), ("inner", 2)]),
            package("shares", "../shares", &[]),
            package("inner", "libs/inner", &[("shares", 1)]),
        ])
    }

    fn located(packages: &Packages, importer: &str, package: Option<&str>, folders: &[&str]) -> String {
        let module = ModulePath {
            package: package.map(Arc::from),
            folders: folders.iter().map(|folder| Arc::from(*folder)).collect(),
            name: "x".into(),
        };
        match packages.locate(importer, &module) {
            Ok(target) => format!("{} inside `{}`", target.path, target.inside.unwrap_or_default()),
            Err(problem) => format!("{problem:?}"),
        }
    }

    #[test]
    fn a_module_is_found_inside_its_package_and_nowhere_else() {
        let all = packages();
        for (importer, package, folders, wanted) in [
            ("a.bmc", None, &[][..], "x.bmc inside ``"),
            ("a.bmc", None, &["sub"], "sub/x.bmc inside ``"),
            ("sub/a.bmc", None, &[".."], "x.bmc inside ``"),
            ("sub/a.bmc", None, &["..", ".."], "Outside"),
            ("a.bmc", None, &[".."], "Outside"),
            ("a.bmc", None, &["sub", "..", ".."], "Outside"),
            ("a.bmc", None, &["libs", "inner"], "OfDependency(\"inner\")"),
            ("libs/inner/a.bmc", None, &[".."], "Outside"),
            ("a.bmc", Some("shares"), &[], "../shares/x.bmc inside `../shares`"),
            ("sub/a.bmc", Some("app"), &[], "x.bmc inside ``"),
            ("libs/inner/a.bmc", Some("shares"), &[], "../shares/x.bmc inside `../shares`"),
            ("../shares/a.bmc", Some("inner"), &[], "UnknownPackage { known: [\"std\"] }"),
            ("../shares/a.bmc", None, &[".."], "Outside"),
            ("/etc/a.bmc", None, &[], "/etc/x.bmc inside `/etc`"),
            ("/a.bmc", None, &[], "/x.bmc inside `/`"),
            ("/a.bmc", None, &[".."], "Outside"),
            ("../a.bmc", None, &[".."], "Outside"),
        ] {
            assert_eq!(located(&all, importer, package, folders), wanted, "{importer} {package:?} {folders:?}");
        }
    }

    #[test]
    fn without_packages_a_file_sees_its_own_folder() {
        let none = Packages::default();
        for (importer, folders, wanted) in [
            ("sub/a.bmc", &[][..], "sub/x.bmc inside `sub`"),
            ("sub/a.bmc", &["deep"], "sub/deep/x.bmc inside `sub`"),
            ("sub/a.bmc", &[".."], "Outside"),
            ("sub/a.bmc", &["deep", "..", ".."], "Outside"),
        ] {
            assert_eq!(located(&none, importer, None, folders), wanted, "{importer} {folders:?}");
        }
    }

    #[test]
    fn only_files_that_a_use_can_name_are_modules() {
        assert_eq!(module_name("a/b/shares.bmc"), Some("shares"));
        for path in ["a/my-file.bmc", "a/b", "1.bmc", ".bmc"] {
            assert_eq!(module_name(path), None, "{path}");
        }
    }
}
