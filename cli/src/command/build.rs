//! `bmc build`: from source to artifact, and a look inside.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use spec::artifact::{AbiType, Piece, SpendPath, UnlockItem};
use spec::script::push_len;
use spec::{Artifact, Mode, Rules};
use wallet::Params;

use crate::fail::Fail;
use crate::link::KeyArgs;
use crate::project::{self, Assign};
use crate::shell::{BOLD, GOOD, NAME, Shell};
use crate::units::grouped;

/// Compile contracts to artifacts.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc build\n  bmc build reward.bmc\n  bmc build reward.bmc --emit asm\n  bmc build reward.bmc --emit hex --param data=@alice --param training=@bob --param hosting=@carol"
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
    /// Where artifacts go.
    #[arg(long, value_name = "DIR", default_value = "artifacts")]
    out: PathBuf,
    /// Print this instead of writing artifacts.
    #[arg(long, value_enum)]
    emit: Option<Emit>,
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
}

impl Build {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let compiled = project::compile(&self.paths)?;
        project::report(shell, &compiled)?;
        let artifacts = match &self.contract {
            Some(name) => vec![project::contract(compiled, Some(name))?],
            None => compiled.artifacts,
        };
        match (self.emit, artifacts.as_slice()) {
            (None, artifacts) => self.write(shell, artifacts),
            (Some(emit), [artifact]) => self.show(shell, emit, artifact),
            (Some(_), artifacts) => {
                let names: Vec<String> = artifacts.iter().map(|one| format!("`{}`", one.contract)).collect();
                Err(Fail::usage("`--emit` shows one contract")
                    .help(format!("name one with `--contract`: {}", names.join(", "))))
            }
        }
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
        let row = |(artifact, path): &(&Artifact, PathBuf)| json!({ "contract": artifact.contract, "file": path, "bytes": template_bytes(artifact) });
        shell.print(&written.iter().map(row).collect::<Vec<_>>(), |out| {
            written.iter().try_for_each(|(artifact, path)| {
                let holes = artifact.params.len();
                let bytes = grouped(template_bytes(artifact) as u64);
                writeln!(
                    out,
                    "{GOOD}built{GOOD:#} {} → {} ({bytes} bytes and {holes} parameters)",
                    artifact.contract,
                    path.display()
                )
            })
        })
    }

    fn show(&self, shell: &Shell, emit: Emit, artifact: &Artifact) -> Result<(), Fail> {
        let sealed = if self.params.is_empty() {
            None
        } else {
            let params = project::params(artifact, &self.params, &self.keys.accounts()?)?;
            Some(artifact.redeem_script(&params)?)
        };
        let text = match emit {
            Emit::Artifact => return Ok(writeln!(shell.out(), "{}", json_text(artifact)?)?),
            Emit::Cost => return cost(shell, artifact),
            Emit::Asm => sealed.map_or_else(|| artifact.asm.clone(), |script| spec::asm::disassemble(&script)),
            Emit::Hex => sealed.map_or_else(|| template_hex(artifact), hex::encode),
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

fn json_text(artifact: &Artifact) -> Result<String, Fail> {
    serde_json::to_string_pretty(artifact).map_err(|error| Fail::refused(error.to_string()))
}

/// The bytes of the script without what fills its holes.
fn template_bytes(artifact: &Artifact) -> usize {
    let len = |piece: &Piece| match piece {
        Piece::Code(code) => code.len(),
        Piece::Param(_) => 0,
    };
    artifact.bytecode.iter().map(len).sum()
}

fn template_hex(artifact: &Artifact) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Code(code) => hex::encode(code),
        Piece::Param(index) => format!("<{}>", artifact.params.get(*index).map_or("?", |slot| slot.name.as_str())),
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
        let redeem = artifact.redeem_script(&typical(artifact)).unwrap_or_default();
        let args: usize = path
            .unlock
            .iter()
            .map(|item| match item {
                UnlockItem::Int(n) => push_len(&spec::num::encode(*n)),
                UnlockItem::Arg(index) => path.args.get(*index).map_or(0, |slot| typical_push(&slot.ty)),
            })
            .sum();
        let unlock_bytes = args + push_len(&redeem);
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

/// Values of usual lengths for every parameter.
fn typical(artifact: &Artifact) -> Params {
    let item = |ty: &AbiType| spec::artifact::AbiValue::Item(vec![7; typical_len(ty)]);
    artifact.params.iter().map(|slot| (slot.name.clone(), item(&slot.ty))).collect()
}

fn typical_push(ty: &AbiType) -> usize {
    match ty {
        AbiType::Sigs(count) => 2 + count * 66,
        ty => 1 + typical_len(ty),
    }
}

fn typical_len(ty: &AbiType) -> usize {
    match ty {
        AbiType::Int | AbiType::Coin | AbiType::Tokens | AbiType::Time => 4,
        AbiType::Height | AbiType::Duration => 3,
        AbiType::Blocks | AbiType::Bool => 1,
        AbiType::Bytes => 32,
        AbiType::BytesN(len) => *len,
        AbiType::PubKey => 33,
        AbiType::Sig => 65,
        AbiType::DataSig => 64,
        AbiType::Lock => 25,
        AbiType::Sigs(count) => count * 65,
    }
}

#[cfg(test)]
mod tests {
    use spec::script::instructions;

    use super::*;

    #[test]
    fn typical_scripts_have_as_many_instructions_as_pieces_say() {
        for ty in [AbiType::Lock, AbiType::PubKey, AbiType::BytesN(20)] {
            let mut script = Vec::new();
            spec::script::push_data(&mut script, &vec![7; typical_len(&ty)]);
            assert_eq!((instructions(&script).count(), script.len()), (1, typical_push(&ty)));
        }
    }
}
