//! `bmc build`: from source to artifact, and a look inside.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use driver::{Compiled, Pass};
use serde::Serialize;
use serde_json::{Value, json};
use spec::artifact::{Part, Piece, SpendPath, code_bytes};
use spec::{Artifact, Mode, Rules};
use wallet::Program;

use crate::fail::Fail;
use crate::link::KeyArgs;
use crate::project::{self, Assign, Project, TargetArgs};
use crate::shell::{BOLD, GOOD, NAME, Shell};
use crate::units::grouped;

/// Compile contracts to artifacts.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc build\n  bmc build shares.bmc\n  bmc build shares.bmc --emit asm\n  bmc build shares.bmc --emit hex --param data=@alice --param training=@bob --param hosting=@carol\n  bmc build htlc.bmc --seal --param recipient=@bob --emit asm"
)]
pub(crate) struct Build {
    /// Files, or folders to search for `.bmc` files.
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// Only this contract.
    #[arg(long, value_name = "NAME")]
    contract: Option<String>,
    /// A parameter's value; with all of them, `--emit hex` and `asm` show the final script.
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<Assign>,
    /// Build the values that are given into the script, and compute what follows from them.
    #[arg(long)]
    seal: bool,
    #[command(flatten)]
    target: TargetArgs,
    /// Where artifacts go.
    #[arg(long, value_name = "DIR", default_value = "artifacts")]
    out: PathBuf,
    /// Print this instead of writing artifacts.
    #[arg(long, value_enum)]
    emit: Option<Emit>,
    /// Also tell what has been proved.
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    keys: KeyArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum Emit {
    /// The artifact, as JSON.
    Artifact,
    /// The script, as words.
    Asm,
    /// The script, as hexadecimal digits; holes as `<name>`.
    Hex,
    /// What each path costs at most, and how much it may cost.
    Cost,
    /// What each pass of the optimiser wins.
    Passes,
}

impl Build {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let mut project = Project::open(&self.paths, self.target)?;
        let compiled = project.compile();
        project::report(shell, &compiled)?;
        if self.verbose {
            proved(shell, &compiled)?;
        }
        let program = Program::new(compiled.artifacts.clone());
        let artifacts = match &self.contract {
            Some(name) => vec![project::contract(compiled, Some(name))?],
            None if self.seal => vec![project::contract(compiled, None)?],
            None => compiled.artifacts,
        };
        let artifacts = if self.seal { self.seal(shell, &mut project, &program, artifacts)? } else { artifacts };
        match (self.emit, artifacts.as_slice()) {
            (None, artifacts) => self.write(shell, artifacts),
            (Some(emit), [artifact]) => self.show(shell, emit, artifact, &program, &project),
            (Some(_), artifacts) => {
                let names: Vec<String> = artifacts.iter().map(|one| format!("`{}`", one.contract)).collect();
                Err(Fail::usage("`--emit` shows one contract")
                    .help(format!("name one with `--contract`: {}", names.join(", "))))
            }
        }
    }

    /// The contracts with the values that are given.
    fn seal(
        &self,
        shell: &Shell,
        project: &mut Project,
        program: &Program,
        artifacts: Vec<Artifact>,
    ) -> Result<Vec<Artifact>, Fail> {
        let accounts = self.keys.accounts()?;
        let sealed = artifacts.into_iter().map(|artifact| {
            let given = project::some_params(&artifact, &self.params, &accounts)?;
            let open = artifact.open_params().any(|(_, slot)| !given.contains_key(&slot.name));
            let values = if open { given } else { program.complete(&artifact.contract, given)? };
            wallet::check_params(&artifact, &values)?;
            project.sealed(shell, artifact, values)
        });
        sealed.collect()
    }

    fn write(&self, shell: &Shell, artifacts: &[Artifact]) -> Result<(), Fail> {
        refuse_twins(artifacts)?;
        std::fs::create_dir_all(&self.out)?;
        let mut written = Vec::new();
        for artifact in artifacts {
            let path = self.out.join(format!("{}.json", artifact.contract));
            std::fs::write(&path, json_text(artifact)? + "\n")?;
            written.push((artifact, path));
        }
        let row = |(artifact, path): &(&Artifact, PathBuf)| json!({ "contract": artifact.contract, "file": path, "bytes": code_bytes(&artifact.bytecode) });
        shell.print(&written.iter().map(row).collect::<Vec<_>>(), |out| {
            written.iter().try_for_each(|(artifact, path)| {
                let holes = artifact.params.len() - artifact.sealed.len();
                let bytes = grouped(code_bytes(&artifact.bytecode) as u64);
                let rest = if holes == 0 { String::new() } else { format!(" and {holes} parameters") };
                writeln!(out, "{GOOD}built{GOOD:#} {} → {} ({bytes} bytes{rest})", artifact.contract, path.display())
            })
        })
    }

    fn show(
        &self,
        shell: &Shell,
        emit: Emit,
        artifact: &Artifact,
        program: &Program,
        project: &Project,
    ) -> Result<(), Fail> {
        let filled = if self.params.is_empty() || self.seal {
            None
        } else {
            let given = project::params(artifact, &self.params, &self.keys.accounts()?)?;
            Some(artifact.redeem_script(&program.complete(&artifact.contract, given)?)?)
        };
        let text = match emit {
            Emit::Artifact => return Ok(writeln!(shell.out(), "{}", json_text(artifact)?)?),
            Emit::Cost => return cost(shell, artifact),
            Emit::Passes => return passes(shell, &project.passes(&artifact.contract)),
            Emit::Asm => filled.map_or_else(|| artifact.asm.clone(), |script| spec::asm::disassemble(&script)),
            Emit::Hex => filled.map_or_else(|| template_hex(artifact), hex::encode),
        };
        shell.print(&json!({ "contract": artifact.contract, "text": text }), |out| writeln!(out, "{text}"))
    }
}

/// Artifacts are named after their contracts, so two of one name would overwrite each other.
fn refuse_twins(artifacts: &[Artifact]) -> Result<(), Fail> {
    let mut seen = BTreeSet::new();
    match artifacts.iter().find(|artifact| !seen.insert(&artifact.contract)) {
        Some(twin) => Err(Fail::refused(format!("two files declare a contract `{}`", twin.contract))
            .help("rename one, or build the files one by one into folders of their own with `--out`")),
        None => Ok(()),
    }
}

/// An artifact that says what describes it.
#[derive(Serialize)]
struct Described<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    #[serde(flatten)]
    artifact: &'a Artifact,
}

fn json_text(artifact: &Artifact) -> Result<String, Fail> {
    let described = Described { schema: spec::artifact::SCHEMA, artifact };
    serde_json::to_string_pretty(&described).map_err(|error| Fail::refused(error.to_string()))
}

fn template_hex(artifact: &Artifact) -> String {
    let hole = |leaf: usize| match artifact.hole(leaf) {
        Some((slot, place)) if slot.ty.leaf_count() > 1 => format!("<{}.{place}>", slot.name),
        Some((slot, _)) => format!("<{}>", slot.name),
        None => "<?>".to_owned(),
    };
    let part = |part: &Part| match part {
        Part::Bytes(bytes) => hex::encode(bytes),
        Part::Param(leaf) => hole(*leaf),
    };
    let text = |piece: &Piece| match piece {
        Piece::Code(code) => hex::encode(code),
        Piece::Param(leaf) => hole(*leaf),
        Piece::Push(parts) => format!("<{}>", parts.iter().map(part).collect::<String>()),
    };
    artifact.bytecode.iter().map(text).collect()
}

fn cost(shell: &Shell, artifact: &Artifact) -> Result<(), Fail> {
    let rows: Vec<CostRow<'_>> = artifact.paths.iter().map(|path| CostRow::of(artifact, path)).collect();
    let data: Vec<Value> = rows.iter().map(CostRow::json).collect();
    shell.print(&data, |out| {
        writeln!(out, "{BOLD}{:<24} {:>8} {:>12} {:>12}{BOLD:#}", "path", "bytes", "cost at most", "budget")?;
        rows.iter().try_for_each(|row| row.line(out))
    })
}

/// What one path costs, with typical sizes in the holes.
struct CostRow<'a> {
    name: &'a str,
    unlock_bytes: usize,
    bound: Option<u64>,
    budget: u64,
}

impl<'a> CostRow<'a> {
    fn of(artifact: &Artifact, path: &'a SpendPath) -> Self {
        let unlock_bytes = artifact.usual_input_bytes(path);
        let budget = Rules::new(artifact.rules, Mode::Relay).cost_budget(unlock_bytes).get();
        Self { name: &path.name, unlock_bytes, bound: path.cost_bound, budget }
    }

    fn json(&self) -> Value {
        json!({ "path": self.name, "unlock_bytes": self.unlock_bytes, "cost_bound": self.bound, "budget": self.budget })
    }

    fn line(&self, out: &mut dyn Write) -> io::Result<()> {
        let bound = self.bound.map_or_else(|| "unknown".to_owned(), grouped);
        let (name, bytes, budget) = (self.name, grouped(self.unlock_bytes as u64), grouped(self.budget));
        writeln!(out, "{NAME}{name:<24}{NAME:#} {bytes:>8} {bound:>12} {budget:>12}")
    }
}

/// What each pass wins over the one before it.
fn passes(shell: &Shell, passes: &[Pass]) -> Result<(), Fail> {
    let row = |pass: &Pass| json!({ "pass": pass.name, "bytes": pass.bytes, "cost_bound": pass.cost_bound });
    shell.print(&passes.iter().map(row).collect::<Vec<_>>(), |out| {
        writeln!(out, "{BOLD}{:<31} {:>18} {:>28}{BOLD:#}", "pass", "bytes", "cost at most")?;
        let before = std::iter::once(None).chain(passes.iter().map(Some));
        before.zip(passes).try_for_each(|(before, pass)| {
            let bytes = change(before.map(|before| before.bytes as u64), pass.bytes as u64);
            let cost = pass.cost_bound.map_or_else(
                || "without bound".to_owned(),
                |after| change(before.and_then(|before| before.cost_bound), after),
            );
            writeln!(out, "{NAME}{:<31}{NAME:#} {bytes:>18} {cost:>28}", pass.name)
        })
    })
}

/// `131 → 120`, or the one number if it is the first or stays.
fn change(before: Option<u64>, after: u64) -> String {
    match before.filter(|before| *before != after) {
        Some(before) => format!("{} → {}", grouped(before), grouped(after)),
        None => grouped(after),
    }
}

/// How much of what was compiled is known to do what its direct code does.
fn proved(shell: &Shell, compiled: &Compiled) -> Result<(), Fail> {
    let proved = || compiled.proofs.iter().filter(|proof| proof.is_proved());
    let (some, all) = (proved().count(), compiled.proofs.len());
    let paths: usize = proved().map(|proof| proof.paths).sum();
    writeln!(shell.err(), "{some} of {all} contracts proved to do what their direct code does, paths: {paths}")?;
    Ok(())
}
