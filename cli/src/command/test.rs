//! `bmc test`: run the tests and properties of a package.

mod costs;
mod coverage;
mod junit;
mod mutate;
mod retell;
mod tell;
mod watch;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;

use clap::Args;
use driver::Compiled;
use indicatif::{ProgressBar, ProgressStyle};
use tester::{Choice, Outcome};

use crate::fail::Fail;
use crate::link::NodeArgs;
use crate::project::{self, Project, TargetArgs};
use crate::shell::Shell;

/// Run the tests and properties of a package, each on a chain of its own.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc test\n  bmc test refund --file htlc.bmc\n  bmc test --cases 1000 --seed 7\n  bmc test nothing_is_lost --replay 0x5d1c9c4b7c1fd3a2\n  bmc test --snapshot\n  bmc test --check-snapshot\n  bmc test --mutate\n  bmc test --coverage --lcov lcov.info\n  bmc test --from-tx \"$(cat tx.hex)\" --coins coins.hex"
)]
pub(crate) struct Test {
    /// Only tests whose `file::name` contains one of these.
    filters: Vec<String>,
    /// The sources, files or folders.
    #[arg(long, value_name = "PATH", default_value = ".")]
    file: Vec<PathBuf>,
    /// How many cases each property is tried with.
    #[arg(long, value_name = "N", default_value_t = tester::CASES, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    cases: u32,
    /// What the cases of properties are made from: the same number makes the same cases.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Try properties with the one case of this seed, which a failure tells.
    #[arg(long, value_name = "SEED", value_parser = seed)]
    replay: Option<u64>,
    /// On how many threads [default: all].
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Also write the results as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write what each test's transactions take to `bmc.costs`.
    #[arg(long, conflicts_with_all = ["check_snapshot", "filters"])]
    snapshot: bool,
    /// Fail if a test's transactions take more than `bmc.costs` says.
    #[arg(long)]
    check_snapshot: bool,
    /// Then delete or negate one `require` after the other, and tell which of that no test notices.
    #[arg(long, conflicts_with_all = ["filters", "replay", "junit"])]
    mutate: bool,
    /// Then tell which paths, branches and `require`s of the contracts the tests have run, and which not.
    #[arg(long)]
    coverage: bool,
    /// Write that as lcov, too.
    #[arg(long, value_name = "FILE", requires = "coverage")]
    lcov: Option<PathBuf>,
    /// Print the text of a test of this transaction, given in hexadecimal, instead of running any.
    #[arg(long, value_name = "HEX", conflicts_with_all = ["filters", "watch", "mutate", "coverage", "junit", "snapshot", "check_snapshot"])]
    from_tx: Option<String>,
    /// The transactions that made the coins which it spends, in hexadecimal, one a line [default: ask the node].
    #[arg(long, value_name = "FILE", requires = "from_tx")]
    coins: Option<PathBuf>,
    #[command(flatten)]
    node: NodeArgs,
    /// Run again whenever a source changes.
    #[arg(long, conflicts_with_all = ["junit", "snapshot", "check_snapshot", "mutate", "coverage"])]
    watch: bool,
    #[command(flatten)]
    target: TargetArgs,
}

/// A seed, in decimal or, as failures tell it, hexadecimal digits.
pub(crate) fn seed(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| "a seed is a number, such as `0x5d1c9c4b7c1fd3a2`".to_owned())
}

impl Test {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        if self.watch {
            return watch::forever(shell, &self.file, || self.once(shell));
        }
        self.once(shell)
    }

    fn once(&self, shell: &Shell) -> Result<(), Fail> {
        let mut project = Project::open(&self.file, self.target)?;
        let compiled = project.compile();
        project::report(shell, &compiled)?;
        if let Some(tx) = &self.from_tx {
            let told = retell::Told { tx, coins: self.coins.as_deref(), node: &self.node };
            return retell::from_tx(shell, &mut project, &compiled, &told);
        }
        let outcomes = self.outcomes(shell, &compiled);
        if outcomes.is_empty() {
            return Err(self.nothing(&compiled));
        }
        if let Some(file) = &self.junit {
            std::fs::write(file, junit::report(&outcomes))?;
        }
        tell::all(shell, &compiled, &outcomes, &self.again())?;
        if self.snapshot {
            costs::write(shell, &outcomes)?;
        }
        if self.check_snapshot {
            costs::check(shell, &outcomes)?;
        }
        if !outcomes.iter().all(Outcome::passed) {
            return Err(Fail::said());
        }
        if self.coverage {
            coverage::all(shell, &project, &self.choice(), self.lcov.as_deref())?;
        }
        if self.mutate {
            return mutate::all(shell, &mut project, &compiled, &self.choice());
        }
        Ok(())
    }

    /// The options that choose the same sources.
    fn again(&self) -> String {
        let files: Vec<String> = self.file.iter().map(|file| file.display().to_string()).collect();
        if files == ["."] { String::new() } else { files.iter().map(|file| format!(" --file {file}")).collect() }
    }

    fn choice(&self) -> Choice {
        Choice {
            filters: self.filters.clone(),
            cases: self.cases,
            seed: self.seed,
            replay: self.replay,
            threads: self.threads.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN),
        }
    }

    fn outcomes(&self, shell: &Shell, compiled: &Compiled) -> Vec<Outcome> {
        let choice = self.choice();
        let bar = if shell.json() { ProgressBar::hidden() } else { ProgressBar::new(0) };
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} tests") {
            bar.set_style(style);
        }
        let outcomes = tester::run(compiled, &choice, &|ended, all| {
            bar.set_length(all as u64);
            bar.set_position(ended as u64);
        });
        bar.finish_and_clear();
        outcomes
    }

    fn nothing(&self, compiled: &Compiled) -> Fail {
        let help = "write one: `test NAME { .. }` beside a contract; docs/book/src/testing.md shows how";
        match (compiled.tests.len(), self.filters.as_slice()) {
            (0, _) => Fail::usage("the sources have no tests").help(help),
            (count, filters) => {
                Fail::usage(format!("none of {count} tests has a name with `{}`", filters.join("` or `")))
                    .help("`bmc test` without names runs them all")
            }
        }
    }
}
