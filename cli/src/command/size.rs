//! `bmc size`: what contracts take, by path and by line of the source.

mod record;
mod svg;
mod treemap;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use driver::{Compiled, LineSize, Sizes};
use serde_json::json;
use spec::artifact::PathSize;
use wallet::Program;

use crate::fail::Fail;
use crate::link::KeyArgs;
use crate::project::{self, Assign, Project, TargetArgs};
use crate::shell::{BAD, BOLD, FAINT, GOOD, NAME, Shell};
use crate::units::grouped;
use record::{Change, Record};

/// Show the bytes and the cost of contracts, by path and by line of the source.
///
/// Holes and arguments count with values of usual length, as budgets do: `budget(script: 130 bytes);`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc size\n  bmc size htlc.bmc --svg htlc.svg\n  bmc size --snapshot sizes.json\n  bmc size --check sizes.json"
)]
pub(crate) struct Size {
    /// Files, or folders to search for `.bmc` files.
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// Only this contract.
    #[arg(long, value_name = "NAME")]
    contract: Option<String>,
    /// A parameter's value; with all of them, their own lengths count instead of usual ones.
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<Assign>,
    #[command(flatten)]
    target: TargetArgs,
    /// Draw the sizes as rectangles into this file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the sizes down, for `--check`.
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    /// Compare with sizes that were written down, and fail if a script, an input or a cost has grown.
    #[arg(long, alias = "diff", value_name = "FILE", conflicts_with = "snapshot")]
    check: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyArgs,
}

impl Size {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let project = Project::open(&self.paths, self.target)?;
        let compiled = project.compile();
        let sound = project::report(shell, &compiled);
        if compiled.artifacts.is_empty() || self.snapshot.is_some() || self.check.is_some() {
            sound?;
            return self.record(shell, &self.measured(&project, compiled)?);
        }
        // What is more than its budget has a size all the same, and this tells where to shorten it.
        let all = self.measured(&project, compiled)?;
        if self.svg.is_some() {
            self.draw(shell, &all)?;
        } else {
            shell.print(&all, |out| all.iter().enumerate().try_for_each(|(at, sizes)| table(out, at, sizes)))?;
        }
        sound
    }

    /// Draws, writes down and compares, as asked for.
    fn record(&self, shell: &Shell, all: &[Sizes]) -> Result<(), Fail> {
        self.draw(shell, all)?;
        if let Some(file) = &self.snapshot {
            std::fs::write(file, Record::of(all).text()?).map_err(|error| about(file, error))?;
            wrote(shell, file)?;
        }
        self.check.as_ref().map_or(Ok(()), |file| check(shell, file, &Record::of(all)))
    }

    /// Whether anybody sees what each line costs, which takes another compilation.
    fn shows_lines(&self) -> bool {
        self.svg.is_none() && self.snapshot.is_none() && self.check.is_none()
    }

    fn draw(&self, shell: &Shell, all: &[Sizes]) -> Result<(), Fail> {
        let Some(file) = &self.svg else { return Ok(()) };
        std::fs::write(file, svg::draw(all)).map_err(|error| about(file, error))?;
        wrote(shell, file)
    }

    fn measured(&self, project: &Project, compiled: Compiled) -> Result<Vec<Sizes>, Fail> {
        let program = Program::new(compiled.artifacts.clone());
        let places = compiled.places.clone();
        let artifacts = match &self.contract {
            Some(name) => vec![project::contract(compiled, Some(name))?],
            None if !self.params.is_empty() => vec![project::contract(compiled, None)?],
            None => compiled.artifacts,
        };
        let one = |artifact: &spec::Artifact| {
            let costs = if self.shows_lines() { project.costs(&artifact.contract) } else { Vec::new() };
            if self.params.is_empty() {
                return Ok(driver::measure(artifact, None, &costs, &places));
            }
            let given = project::params(artifact, &self.params, &self.keys.accounts()?)?;
            let script = artifact.redeem_script(&program.complete(&artifact.contract, given)?)?;
            Ok(driver::measure(artifact, Some(&script), &costs, &places))
        };
        artifacts.iter().map(one).collect()
    }
}

fn wrote(shell: &Shell, file: &Path) -> Result<(), Fail> {
    Ok(writeln!(shell.err(), "{GOOD}wrote{GOOD:#} {}", file.display())?)
}

fn about(file: &Path, error: io::Error) -> Fail {
    Fail::refused(format!("`{}`: {error}", file.display()))
}

fn check(shell: &Shell, file: &Path, now: &Record) -> Result<(), Fail> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| about(file, error).help(format!("write it with `bmc size --snapshot {}`", file.display())))?;
    let before =
        Record::read(&text).map_err(|fail| Fail::refused(format!("`{}`: {}", file.display(), fail.message)))?;
    let changes = before.changes(now);
    let grew = changes.iter().filter(|change| change.grew).count();
    shell.print(&json!({ "changes": changes, "grew": grew }), |out| {
        changes.iter().try_for_each(|change| tell(out, change))?;
        if changes.is_empty() {
            writeln!(out, "{GOOD}unchanged{GOOD:#} since {}", file.display())?;
        }
        Ok(())
    })?;
    let accept = format!("to accept the new sizes: `bmc size --snapshot {}`", file.display());
    match grew {
        0 if changes.is_empty() => Ok(()),
        0 => Ok(writeln!(shell.err(), "{BOLD}help:{BOLD:#} {accept}")?),
        1 => Err(Fail::refused("1 size has grown").help(accept)),
        grew => Err(Fail::refused(format!("{grew} sizes have grown")).help(accept)),
    }
}

fn tell(out: &mut dyn Write, change: &Change) -> io::Result<()> {
    let text = change.told();
    if change.grew { writeln!(out, "{BAD}{text}{BAD:#}") } else { writeln!(out, "{text}") }
}

fn table(out: &mut dyn Write, at: usize, sizes: &Sizes) -> io::Result<()> {
    if at > 0 {
        writeln!(out)?;
    }
    writeln!(out, "{BOLD}{}: {} bytes{BOLD:#}", sizes.contract, grouped(sizes.script as u64))?;
    writeln!(out, "{BOLD}{:<24} {:>8} {:>14} {:>12}{BOLD:#}", "path", "input", "cost at most", "limit")?;
    sizes.paths.iter().try_for_each(|path| path_row(out, path))?;
    if sizes.paths.iter().any(|path| path.open) {
        writeln!(out, "{FAINT}+: more, if an argument of any length is longer than usual{FAINT:#}")?;
    }
    writeln!(out, "{BOLD}{:>5} {:>6} {:>12}  line{BOLD:#}", "bytes", "share", "cost")?;
    sizes.lines.iter().filter(|line| line.bytes > 0).try_for_each(|line| line_row(out, sizes, line))
}

fn path_row(out: &mut dyn Write, path: &PathSize) -> io::Result<()> {
    let input = grouped(path.input as u64) + if path.open { "+" } else { "" };
    let cost = path.cost.map_or_else(|| "without bound".to_owned(), grouped);
    writeln!(out, "{NAME}{:<24}{NAME:#} {input:>8} {cost:>14} {:>12}", path.path, grouped(path.limit))
}

fn line_row(out: &mut dyn Write, sizes: &Sizes, line: &LineSize) -> io::Result<()> {
    let share = (line.bytes * 1_000 + sizes.script / 2) / sizes.script.max(1);
    let share = format!("{}.{} %", share / 10, share % 10);
    let bytes = grouped(line.bytes as u64);
    let of = match line.paths.as_slice() {
        _ if sizes.paths.len() == 1 => String::new(),
        paths => format!("  {FAINT}[{}]{FAINT:#}", svg::named(paths, sizes.paths.len())),
    };
    let cost = line.cost.map_or_else(|| "?".to_owned(), grouped);
    writeln!(out, "{bytes:>5} {share:>6} {cost:>12}  {NAME}{}:{}{NAME:#} {}{of}", line.file, line.line, line.text)
}
