//! What `bmc.toml` says.

use std::collections::BTreeMap;

use driver::{LintLevel, LintLevels};
use semver::{Version, VersionReq};
use serde::Deserialize;
use spec::RuleSet;
use spec::artifact::{Level, Objective};

use super::{MANIFEST, join, read_text};
use crate::fail::Fail;

/// A manifest that has been checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    package: Named,
    #[serde(default)]
    dependencies: BTreeMap<String, Dependency>,
    #[serde(default)]
    build: Build,
    /// Levels by the names of lints.
    #[serde(default)]
    lint: BTreeMap<String, String>,
    #[serde(skip)]
    levels: LintLevels,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
    version: Version,
    /// The compilers that it is written for.
    compiler: Option<VersionReq>,
    #[serde(rename = "description")]
    _description: Option<String>,
    #[serde(rename = "license")]
    _license: Option<String>,
    #[serde(rename = "authors", default)]
    _authors: Vec<String>,
    #[serde(rename = "repository")]
    _repository: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dependency {
    path: String,
    /// The versions that it may have.
    version: Option<VersionReq>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Build {
    target: Option<RuleSet>,
    level: Option<Level>,
    optimise: Option<Objective>,
    #[serde(rename = "hash-lowering")]
    hash_lowering: Option<bool>,
}

impl Manifest {
    /// The manifest of the package in `folder`, if there is one.
    pub(super) fn read(folder: &str) -> Result<Option<Self>, Fail> {
        let path = join(folder, MANIFEST);
        let Some(text) = read_text(&path)? else { return Ok(None) };
        let mut manifest: Self = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text.bytes().take(span.start).filter(|b| *b == b'\n').count());
            Fail::refused(format!("`{path}:{line}`: {}", error.message().trim_end()))
                .help("a manifest has `[package]` with `name` and `version`, and dependencies such as `shares = { path = \"../shares\" }`")
        })?;
        manifest.check(&path)?;
        manifest.levels = levels(&path, &manifest.lint)?;
        Ok(Some(manifest))
    }

    fn check(&self, path: &str) -> Result<(), Fail> {
        let strange = [self.name()].into_iter().chain(self.dependencies.keys().map(String::as_str));
        if let Some(name) = strange.into_iter().find(|name| !is_name(name)) {
            return Err(Fail::refused(format!("`{path}`: `{name}` is no name of a package"))
                .help("start with a letter and use letters, digits, `-` and `_`"));
        }
        if self.dependencies.contains_key("std") {
            return Err(Fail::refused(format!("`{path}`: `std` is the standard library")).help("rename the dependency"));
        }
        let own = Version::parse(env!("CARGO_PKG_VERSION")).map_err(|error| Fail::refused(error.to_string()))?;
        match &self.package.compiler {
            Some(wanted) if !wanted.matches(&own) => {
                Err(Fail::refused(format!("`{path}` is written for bmc {wanted}, and this is bmc {own}"))
                    .help("install that version, or change `compiler`"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.package.name
    }

    pub(super) const fn version(&self) -> &Version {
        &self.package.version
    }

    pub(super) const fn target(&self) -> Option<RuleSet> {
        self.build.target
    }

    /// How hard to try to make scripts small.
    pub(super) const fn level(&self) -> Option<Level> {
        self.build.level
    }

    /// What to make small.
    pub(super) const fn objective(&self) -> Option<Objective> {
        self.build.optimise
    }

    /// Whether scripts may compare constants by their hash.
    pub(super) const fn hash_lowering(&self) -> Option<bool> {
        self.build.hash_lowering
    }

    /// How grave lints are taken.
    pub(super) const fn lint_levels(&self) -> &LintLevels {
        &self.levels
    }

    /// The names of dependencies and where they lie, seen from here.
    pub(super) fn dependencies(&self) -> impl Iterator<Item = (&str, &str)> {
        self.dependencies.iter().map(|(name, dependency)| (name.as_str(), dependency.path.as_str()))
    }

    /// Whether a dependency may have this version.
    pub(super) fn admits(&self, name: &str, version: &Version) -> Result<(), String> {
        match self.dependencies.get(name).and_then(|dependency| dependency.version.as_ref()) {
            Some(wanted) if !wanted.matches(version) => Err(wanted.to_string()),
            _ => Ok(()),
        }
    }
}

/// What `[lint]` says.
fn levels(path: &str, said: &BTreeMap<String, String>) -> Result<LintLevels, Fail> {
    let mut levels = LintLevels::default();
    for (name, level) in said {
        let level = LintLevel::from_name(level).ok_or_else(|| {
            Fail::refused(format!("`{path}`: `{level}` is no level of a lint")).help("write `allow`, `warn` or `deny`")
        })?;
        levels.set(name, level).map_err(|error| Fail::refused(format!("`{path}`: {error}")).help(error.help()))?;
    }
    Ok(levels)
}

/// Whether folders, locks and `use` can say this name.
pub(crate) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}
