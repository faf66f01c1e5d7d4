//! `cargo xtask conformance`: vectors that others wrote, against our rules.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use engine::{Counts, Tier};
use jit::Jit;
use spec::{Mode, RuleSet};
use tests::{Options, Summary};

/// The command's arguments.
#[derive(Args)]
pub(crate) struct Conformance {
    /// Files of JSON lines, plain or zstd
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// What runs the scripts
    #[arg(long, value_enum, default_value_t = Engine::Oracle)]
    engine: Engine,
    /// Whose rules
    #[arg(long, value_enum, default_value_t = Set::Bch2026)]
    rules: Set,
    /// Relay, blocks, or both
    #[arg(long, value_enum, default_value_t = Modes::Both)]
    mode: Modes,
    /// Compare cost, hash iterations and signature checks too
    #[arg(long)]
    metrics: bool,
    /// How many threads
    #[arg(long, default_value = "2")]
    jobs: NonZeroUsize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Engine {
    /// The interpreter that every other engine is compared with
    Oracle,
    /// Register code, and the oracle for what it does not accept
    Register,
    /// Machine code of every script, and the oracle for what it does not accept
    Jit,
    /// All of them for every input: a difference fails
    Shadow,
}

#[derive(Clone, Copy, ValueEnum)]
enum Set {
    /// Bitcoin Cash of May 2026
    Bch2026,
    /// Our own rules: whatever Bitcoin Cash accepts must be accepted
    Bitmodel,
}

#[derive(Clone, Copy, ValueEnum)]
enum Modes {
    Relay,
    Consensus,
    Both,
}

/// Judges the files; fails if any vector did.
pub(crate) fn run(arguments: &Conformance) -> Result<(), String> {
    let options = options(arguments);
    let (mut passed, mut failed, mut counts) = (0, 0, Counts::default());
    for file in &arguments.files {
        let summary = run_file(file, &options).map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
        report(&summary).map_err(|error| format!("cannot write: {error}"))?;
        passed += summary.passed;
        failed += summary.failed.len();
        counts.add(summary.counts);
    }
    let mut text = format!("{passed} passed, {failed} failed");
    if options.tier != Tier::Oracle {
        let Counts { accepted, jitted, left, .. } = counts;
        text += &format!(
            "; register code accepted {accepted} inputs, machine code {jitted}, and they left {left} to the oracle"
        );
    }
    writeln!(stdout(), "{text}").map_err(|error| format!("cannot write: {error}"))?;
    if failed == 0 { Ok(()) } else { Err("vectors failed".to_owned()) }
}

fn options(arguments: &Conformance) -> Options {
    Options {
        rules: match arguments.rules {
            Set::Bch2026 => RuleSet::Bch2026,
            Set::Bitmodel => RuleSet::Bitmodel,
        },
        modes: match arguments.mode {
            Modes::Relay => vec![Mode::Relay],
            Modes::Consensus => vec![Mode::Consensus],
            Modes::Both => vec![Mode::Relay, Mode::Consensus],
        },
        metrics: arguments.metrics,
        tier: match arguments.engine {
            Engine::Oracle => Tier::Oracle,
            Engine::Register => Tier::Register,
            Engine::Jit => Tier::Jit,
            Engine::Shadow => Tier::Shadow,
        },
        compiler: Jit::new().map(|jit| Arc::new(jit) as _),
        jobs: arguments.jobs,
    }
}

fn run_file(file: &Path, options: &Options) -> std::io::Result<Summary> {
    let watched = stderr().is_terminal();
    let mut progress = |done: usize| {
        if watched {
            // Progress is a courtesy: a closed stderr must not end the run.
            let _ = write!(stderr(), "\r{done} vectors");
        }
    };
    let summary = tests::run(&mut tests::open(file)?, options, &mut progress);
    if watched {
        let _ = write!(stderr(), "\r{:24}\r", "");
    }
    summary
}

fn report(summary: &Summary) -> std::io::Result<()> {
    let mut out = stdout().lock();
    for failed in &summary.failed {
        writeln!(out, "{} (line {}): {}", failed.id, failed.line, failed.reason)?;
    }
    Ok(())
}
