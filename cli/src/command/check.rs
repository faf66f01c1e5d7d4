//! `bmc check`: all errors of all files, in one run.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::fail::Fail;
use crate::project::{self, TargetArgs};
use crate::shell::{GOOD, Shell};

/// Find all errors of all files in one run.
#[derive(Args)]
#[command(after_help = "Examples:\n  bmc check\n  bmc check shares.bmc other.bmc --format json")]
pub(crate) struct Check {
    /// Files, or folders to search for `.bmc` files.
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// How diagnostics are written.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Frames with the source, on standard error.
    Human,
    /// JSON on standard output.
    Json,
}

impl Check {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let compiled = project::compile(&self.paths, self.target)?;
        if shell.json() || self.format == Format::Json {
            writeln!(shell.out(), "{}", compiled.to_json())?;
            return if compiled.has_errors() { Err(Fail::said()) } else { Ok(()) };
        }
        project::report(shell, &compiled)?;
        let names: Vec<&str> = compiled.artifacts.iter().map(|artifact| artifact.contract.as_str()).collect();
        writeln!(
            shell.out(),
            "{GOOD}checked{GOOD:#} {}",
            if names.is_empty() { "no contract".to_owned() } else { names.join(", ") }
        )?;
        Ok(())
    }
}
