//! `bmc bindgen`: typed clients of contracts, as sources of other languages.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use bindgen::{Lang, Ungenerated};
use clap::{Args, ValueEnum};
use serde_json::json;
use spec::Artifact;
use spec::artifact::{FORMAT_VERSION, FORMAT_VERSION_MIN};

use crate::fail::Fail;
use crate::project::{self, TargetArgs};
use crate::shell::{GOOD, Shell};

/// Generate a typed client of contracts, in Rust or TypeScript.
///
/// The client takes parameters and arguments by their types, finds coins over a node's JSON-RPC, builds, funds, signs and
/// sends, and says in the author's words what a contract refuses.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc bindgen --lang rust --out src/shares.rs\n  bmc bindgen shares.bmc --lang ts --out shares.ts\n  bmc bindgen shares.bmc --lang ts --out shares.ts --check\n  bmc bindgen artifacts/Reward.json --lang rust"
)]
pub(crate) struct Bindgen {
    /// Sources, folders to search for them, or artifacts that `bmc build` wrote.
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// The client's language.
    #[arg(long, value_enum)]
    lang: Language,
    /// Only this contract; several times for several.
    #[arg(long, value_name = "NAME")]
    contract: Vec<String>,
    /// Write the client here instead of printing it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write nothing, and fail if the file is not what would be written.
    #[arg(long, requires = "out")]
    check: bool,
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    /// A module that stands on the crate `client`.
    Rust,
    /// A module that stands on the package `@bitauth/libauth`.
    Ts,
}

impl Language {
    const fn lang(self) -> Lang {
        match self {
            Self::Rust => Lang::Rust,
            Self::Ts => Lang::TypeScript,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Ts => "ts",
        }
    }
}

impl Bindgen {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let artifacts = self.chosen(self.artifacts(shell)?)?;
        let source = bindgen::generate(&artifacts, self.lang.lang())?;
        let mut contracts: Vec<&str> = artifacts.iter().map(|artifact| artifact.contract.as_str()).collect();
        contracts.sort_unstable();
        let Some(file) = &self.out else {
            let data = json!({ "lang": self.lang.name(), "contracts": contracts, "source": source });
            return shell.print(&data, |out| out.write_all(source.as_bytes()));
        };
        let is_current = std::fs::read(file).is_ok_and(|bytes| bytes == source.as_bytes());
        if !self.check && !is_current {
            write(file, &source)?;
        }
        let data = json!({ "lang": self.lang.name(), "contracts": contracts, "file": file, "current": is_current });
        shell.print(&data, |out| match (self.check, is_current) {
            (true, _) => Ok(()),
            (false, true) => writeln!(out, "{} is as it was", file.display()),
            (false, false) => writeln!(out, "{GOOD}generated{GOOD:#} {} of {}", file.display(), contracts.join(", ")),
        })?;
        if self.check && !is_current { Err(self.stale(file)) } else { Ok(()) }
    }

    /// The artifacts in files, and those of the sources.
    fn artifacts(&self, shell: &Shell) -> Result<Vec<Artifact>, Fail> {
        let is_artifact = |path: &&PathBuf| path.extension() == Some(OsStr::new("json"));
        let (files, sources): (Vec<&PathBuf>, Vec<&PathBuf>) = self.paths.iter().partition(is_artifact);
        let mut artifacts = files.into_iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
        if !sources.is_empty() {
            let sources: Vec<PathBuf> = sources.into_iter().cloned().collect();
            let compiled = project::compile(&sources, self.target)?;
            project::report(shell, &compiled)?;
            artifacts.extend(compiled.artifacts);
        }
        Ok(artifacts)
    }

    fn chosen(&self, artifacts: Vec<Artifact>) -> Result<Vec<Artifact>, Fail> {
        if let Some(name) = self.contract.iter().find(|name| !artifacts.iter().any(|one| one.contract == **name)) {
            let known: Vec<String> = artifacts.iter().map(|artifact| format!("`{}`", artifact.contract)).collect();
            return Err(
                Fail::usage(format!("there is no contract `{name}`")).help(format!("there is {}", known.join(", ")))
            );
        }
        let is_chosen = |one: &Artifact| self.contract.is_empty() || self.contract.contains(&one.contract);
        Ok(artifacts.into_iter().filter(is_chosen).collect())
    }

    fn stale(&self, file: &Path) -> Fail {
        let missing = !file.exists();
        let message = if missing { "does not exist" } else { "is not what its contracts say now" };
        let paths: Vec<String> = self.paths.iter().map(|path| path.display().to_string()).collect();
        let again = format!("bmc bindgen {} --lang {} --out {}", paths.join(" "), self.lang.name(), file.display());
        Fail::refused(format!("`{}` {message}", file.display())).help(format!("generate it again: `{again}`"))
    }
}

impl From<Ungenerated> for Fail {
    fn from(error: Ungenerated) -> Self {
        let fail = Self::refused(error.to_string());
        match error {
            Ungenerated::Empty => fail.help("the sources declare none"),
            Ungenerated::Twins(_) => fail.help("name the sources of one of them"),
            Ungenerated::Type(_) => fail.help("give its parts names: a struct has as many fields as it likes"),
            Ungenerated::Json(_) => fail,
        }
    }
}

fn read(file: &Path) -> Result<Artifact, Fail> {
    let name = file.display();
    let bytes = std::fs::read(file).map_err(|error| Fail::refused(format!("`{name}`: {error}")))?;
    let artifact: Artifact = serde_json::from_slice(&bytes).map_err(|error| {
        Fail::refused(format!("`{name}` is no artifact: {error}")).help("write one with `bmc build`")
    })?;
    if (FORMAT_VERSION_MIN..=FORMAT_VERSION).contains(&artifact.format) {
        return Ok(artifact);
    }
    Err(Fail::refused(format!("`{name}` is an artifact of version {}", artifact.format))
        .help(format!("versions {FORMAT_VERSION_MIN} to {FORMAT_VERSION} are read: build it again with `bmc build`")))
}

fn write(file: &Path, source: &str) -> Result<(), Fail> {
    let failed = |error: std::io::Error| Fail::refused(format!("`{}`: {error}", file.display()));
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(file, source).map_err(failed)
}
