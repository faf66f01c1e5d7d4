//! `bmc run`: a script or a transaction's scripts in an engine, step by step where that is wanted.

pub(crate) mod case;
pub(crate) mod places;
mod profile;
mod watch;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use engine::ir::Metering;
use engine::{Engine, Tuning};
use jit::Jit;
use serde::Serialize;
use spec::script::last_script;
use spec::{Artifact, Mode, RuleSet, Rules, SpendContext};
use vm::{Failure, Metrics};

use crate::command::verify::artifact;
use crate::engines::Which;
use crate::fail::Fail;
use crate::project;
use crate::shell::{BAD, BOLD, FAINT, GOOD, Shell};
use crate::units::grouped;
use case::Case;
use places::places;
use profile::Profile;
use watch::{Row, Watch};

/// Run a script, or the scripts of a transaction's inputs, without a node.
///
/// One word of hexadecimal digits is a transaction or bytecode, several words are assembly, and the name of a file stands
/// for what is in it. A script runs as the lock of a coin that a made-up transaction spends.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc run \"2 OP_ADD 5 OP_EQUAL\" --unlock 3\n  bmc run \"2 OP_ADD 5 OP_EQUAL\" --unlock 3 --trace\n  bmc run tx.hex --spent 5000:76a9149d5b6dd8e5b1d1d9ab5c8a8b8bd8f4a7a3b0c5e188ac --input 0 --profile\n  bmc run \"1000000 OP_BEGIN OP_1SUB OP_DUP OP_NOT OP_UNTIL OP_NOT\" --budget 1000000000 --engine register\n  bmc run \"OP_SIZE 32 OP_EQUALVERIFY OP_SHA256\" --dump ir"
)]
pub(crate) struct Run {
    /// A transaction in hexadecimal digits, a script in digits or words, or a file with either.
    #[arg(value_name = "SCRIPT|TXHEX")]
    what: String,
    /// What the script's input pushes, in digits or words.
    #[arg(long, value_name = "SCRIPT", allow_hyphen_values = true)]
    unlock: Option<String>,
    /// An output that the transaction spends, in the order of its inputs; or all of them as one list, in digits.
    #[arg(long, value_name = "SATS:LOCK", allow_hyphen_values = true)]
    spent: Vec<String>,
    /// Only this input, from 0.
    #[arg(long, value_name = "N")]
    input: Option<usize>,
    /// The machine that runs the scripts: `bitmodel`, or `bch2026`.
    #[arg(long, value_name = "RULES", value_parser = project::rules, default_value = "bitmodel")]
    target: RuleSet,
    /// Whose rules are kept.
    #[arg(long, value_enum, default_value_t = Who::Blocks)]
    mode: Who,
    /// How much the scripts may cost, whatever the length of the input allows.
    #[arg(long, value_name = "COST")]
    budget: Option<u64>,
    /// What runs the scripts. The verdict is the same; `--trace` and `--profile` always show the oracle.
    #[arg(long, value_enum, default_value_t = Which::Oracle)]
    engine: Which,
    /// Show every instruction with the stacks and the cost before it.
    #[arg(long)]
    trace: bool,
    /// Show which opcodes cost most, and with `--artifact` which lines of the source.
    #[arg(long)]
    profile: bool,
    /// The artifact of the contract that is run, for `--profile` and for what a failed check says.
    #[arg(long, value_name = "FILE")]
    artifact: Option<PathBuf>,
    /// Print what the script becomes, and run nothing.
    #[arg(long, value_enum, value_name = "FORM", conflicts_with_all = ["trace", "profile"])]
    dump: Option<Dump>,
}

/// Whose rules.
#[derive(Clone, Copy, ValueEnum)]
enum Who {
    /// Of blocks.
    Blocks,
    /// Of nodes that pass transactions on.
    Relay,
}

/// A form that scripts are brought into.
#[derive(Clone, Copy, ValueEnum)]
enum Dump {
    /// Register code that charges exactly.
    Ir,
    /// Register code that bounds the lengths of numbers.
    IrBound,
    /// Cranelift's code that charges exactly.
    Clif,
    /// Cranelift's code that bounds the lengths of numbers.
    ClifBound,
    /// Machine code that charges exactly.
    Asm,
    /// Machine code that bounds the lengths of numbers.
    AsmBound,
}

/// What became of an input.
#[derive(Serialize)]
struct Outcome {
    input: usize,
    valid: bool,
    /// Why not, and where.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// What the contract's source says about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    explained: Option<String>,
    /// What decided.
    engine: &'static str,
    cost: u64,
    budget: u64,
    hash_iterations: u64,
    hash_budget: u64,
    sig_checks: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<Vec<Row>>,
    /// Whether there were more steps than a trace shows.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    trace_cut: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<Profile>,
}

/// A script that was brought into another form.
#[derive(Serialize)]
struct Dumped {
    input: usize,
    /// `None` if there is no such form, because no input can spend with the script, or it is too large.
    text: Option<String>,
}

impl Run {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let case = Case::read(&self.what, self.unlock.as_deref(), &self.spent, self.target)?;
        let artifact = self.artifact.as_deref().map(artifact).transpose()?;
        let inputs = match self.input {
            None => (0..case.tx.inputs.len()).collect(),
            Some(input) if input < case.tx.inputs.len() => vec![input],
            Some(input) => {
                let count = case.tx.inputs.len();
                return Err(Fail::usage(format!("there is no input {input}"))
                    .help(format!("the transaction has {count}, and the first is 0")));
            }
        };
        if let Some(dump) = self.dump {
            return self.dump(shell, &case, &inputs, dump);
        }
        // One run would never be worth a compilation, so there is no waiting for it to become so.
        let engine = self.engine.engine(Tuning::at_once())?;
        let context = SpendContext::new(&case.tx, &case.spent)
            .ok_or_else(|| Fail::usage("a transaction spends one output for each input"))?;
        let one = |input: &usize| self.outcome(&case, &context, *input, &engine, artifact.as_ref());
        let outcomes: Vec<Outcome> = inputs.iter().map(one).collect::<Result<_, Fail>>()?;
        let differences = engine.take_differences();
        shell.print(&serde_json::json!({ "inputs": outcomes, "differences": differences.len() }), |out| {
            outcomes.iter().try_for_each(|outcome| tell(out, outcome))
        })?;
        match differences.first() {
            Some(difference) => {
                Err(Fail::refused(format!("the engines differ: {difference:?}"))
                    .help("this is a bug: please report it"))
            }
            None if outcomes.iter().all(|outcome| outcome.valid) => Ok(()),
            None => Err(Fail::said()),
        }
    }

    fn rules(&self, unlock: usize) -> Rules {
        let mode = match self.mode {
            Who::Blocks => Mode::Consensus,
            Who::Relay => Mode::Relay,
        };
        let mut rules = Rules::new(self.target, mode);
        if let Some(budget) = self.budget {
            // Each byte of the input allows an equal part.
            let bytes = spec::rules::INPUT_OVERHEAD_BYTES + unlock as u64;
            rules.prices.budget_per_byte = (budget.min(BUDGET_MAX)).div_ceil(bytes);
            rules.prices.half_iterations_per_byte = rules.prices.budget_per_byte;
        }
        rules
    }

    fn outcome(
        &self,
        case: &Case,
        context: &SpendContext<'_>,
        input: usize,
        engine: &Engine,
        artifact: Option<&Artifact>,
    ) -> Result<Outcome, Fail> {
        let (unlock, lock) = case.scripts(input);
        let rules = self.rules(unlock.len());
        let before = engine.counts();
        let verdict = engine.verify(&rules, context, input);
        let after = engine.counts();
        let by = match self.engine {
            Which::Register | Which::Jit if after.accepted > before.accepted => "register code",
            Which::Jit if after.jitted > before.jitted => "machine code",
            _ => "oracle",
        };
        let failure = verdict.err();
        let explained = artifact.zip(failure.as_ref());
        let explained =
            explained.and_then(|(artifact, failure)| wallet::explain_input(artifact, lock, unlock, failure));
        let mut watched = None;
        if self.trace || self.profile {
            let places = match artifact {
                Some(artifact) => Some(places(artifact, last_script(unlock, lock))?),
                None => None,
            };
            let mut watch = Watch::new(unlock, lock, self.trace, places);
            let _ = vm::verify_input_traced(&rules, context, input, &mut watch);
            watch.end(metrics_of(&verdict).cost);
            watched = Some(watch);
        }
        let metrics = metrics_of(&verdict);
        Ok(Outcome {
            input,
            valid: verdict.is_ok(),
            failure: failure.map(|failure| failure.to_string()),
            explained: explained.map(|explained| explained.to_string()),
            engine: by,
            cost: metrics.cost.get(),
            budget: rules.cost_budget(unlock.len()).get(),
            hash_iterations: metrics.hash_iterations,
            hash_budget: rules.hash_budget(unlock.len()),
            sig_checks: metrics.sig_checks,
            trace_cut: watched.as_ref().is_some_and(|watch| watch.is_cut()),
            profile: watched.as_ref().filter(|_| self.profile).map(|watch| watch.profile()),
            trace: watched.filter(|_| self.trace).map(Watch::into_rows),
        })
    }

    fn dump(&self, shell: &Shell, case: &Case, inputs: &[usize], dump: Dump) -> Result<(), Fail> {
        let metering = match dump {
            Dump::Ir | Dump::Clif | Dump::Asm => Metering::Exact,
            Dump::IrBound | Dump::ClifBound | Dump::AsmBound => Metering::Bound,
        };
        let kind = if matches!(dump, Dump::Ir | Dump::IrBound) { "register code" } else { "machine code" };
        let one = |input: &usize| {
            let (unlock, lock) = case.scripts(*input);
            let unit = engine::lowered(last_script(unlock, lock), &self.rules(unlock.len()), metering);
            let text = unit.and_then(|unit| match dump {
                Dump::Ir | Dump::IrBound => Some(unit.to_string()),
                Dump::Clif | Dump::ClifBound => Jit::new()?.clif(&unit),
                Dump::Asm | Dump::AsmBound => Jit::new()?.assembly(&unit),
            });
            Dumped { input: *input, text }
        };
        let dumped: Vec<Dumped> = inputs.iter().map(one).collect();
        shell.print(&dumped, |out| {
            dumped.iter().try_for_each(|one| {
                writeln!(out, "{BOLD}input {}{BOLD:#}", one.input)?;
                match &one.text {
                    Some(text) => write!(out, "{text}"),
                    None => writeln!(out, "there is no {kind}: no input can spend with it, or it is too large"),
                }
            })
        })
    }
}

/// Far above what any script can use, and small enough for exact sums.
const BUDGET_MAX: u64 = 1 << 50;

const fn metrics_of(verdict: &Result<Metrics, Failure>) -> &Metrics {
    match verdict {
        Ok(metrics) => metrics,
        Err(failure) => &failure.metrics,
    }
}

fn tell(out: &mut dyn Write, outcome: &Outcome) -> io::Result<()> {
    if let Some(rows) = &outcome.trace {
        watch::table(out, rows, outcome.trace_cut)?;
    }
    if let Some(profile) = &outcome.profile {
        profile.table(out, outcome.cost)?;
    }
    match &outcome.failure {
        None => writeln!(out, "{BOLD}input {}{BOLD:#}: {GOOD}valid{GOOD:#}", outcome.input)?,
        Some(failure) => writeln!(out, "{BOLD}input {}{BOLD:#}: {BAD}invalid{BAD:#}, {failure}", outcome.input)?,
    }
    if let Some(explained) = &outcome.explained {
        writeln!(out, "  {explained}")?;
    }
    writeln!(
        out,
        "  cost {} of {}, hash iterations {} of {}, signature checks {} {FAINT}({}){FAINT:#}",
        grouped(outcome.cost),
        grouped(outcome.budget),
        grouped(outcome.hash_iterations),
        grouped(outcome.hash_budget),
        outcome.sig_checks,
        outcome.engine,
    )
}
