//! `cargo xtask bench`: figures about the tree, to compare before and after a change.

mod engines;
mod lsp;
mod node;
mod opcosts;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::Subcommand;
use spec::artifact::Level;
use tests::ByLevel;

/// What to measure.
#[derive(Subcommand)]
pub enum Bench {
    /// How large scripts are: the corpus that others have written too, and all contracts of the tree, at each level
    Size {
        /// The highest level; `Oz` takes seconds for each contract
        #[arg(long, default_value_t = Level::Os)]
        top: Level,
    },
    /// Scripts and contracts in every engine and in plain Rust, and the integer loop in two engines of others: prints
    /// tables, and writes docs/book/src/figures.md
    Engines {
        /// Without the engines of others, which take minutes to download and build; nothing is written
        #[arg(long)]
        alone: bool,
    },
    /// Blocks of 12,000 transactions, transactions over RPC and five million coins, beside their parts alone: prints
    /// tables, and writes docs/book/src/node-figures.md
    Node {
        /// Only these parts: blocks, rpc, coins; nothing is written
        parts: Vec<String>,
    },
    /// The language server as an editor meets it, at three sizes of a source: prints a table, and writes
    /// docs/book/src/editor-figures.md
    Lsp {
        /// A tenth of the rounds; nothing is written
        #[arg(long)]
        quick: bool,
        /// Another binary than that of this tree, to compare with; nothing is written
        #[arg(long)]
        bmc: Option<PathBuf>,
    },
    /// How long five hundred tests of the examples take, on one thread and on all: prints it
    Test,
    /// How long a unit of cost takes, opcode by opcode: prints tables, and writes docs/book/src/opcosts.md and its picture
    Opcosts {
        /// Only opcodes with this in their names; nothing is written
        #[arg(long)]
        only: Option<String>,
        /// Print every size, not only that which takes longest
        #[arg(long)]
        all: bool,
    },
}

/// Measures and prints; fails where the figures are not what they must be.
pub fn run(root: &Path, bench: &Bench) -> Result<(), String> {
    match bench {
        Bench::Size { top } => size(root, *top),
        Bench::Engines { alone } => engines::run(root, *alone),
        Bench::Node { parts } => node::run(root, parts),
        Bench::Lsp { quick, bmc } => lsp::run(root, *quick, bmc.as_deref()),
        Bench::Test => test(root),
        Bench::Opcosts { only, all } => opcosts::run(root, only.as_deref(), *all),
    }
}

/// The tests of the examples, as the profile of developers builds the tester: that is what runs them all day.
fn test(root: &Path) -> Result<(), String> {
    let mut cargo = crate::cargo();
    let ran = cargo.args(["bench", "--profile", "dev", "-p", "benches", "--bench", "tests"]).current_dir(root).status();
    match ran {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("the tests end with {status}")),
        Err(error) => Err(error.to_string()),
    }
}

/// It is wrong if a level makes a contract longer than the level below.
fn size(root: &Path, top: Level) -> Result<(), String> {
    print!("{}\n{}\n", tests::rival_table(&tests::rival_sizes(root)), tests::own_table(root));
    let by_level = ByLevel::measure(root, top);
    print!("{}", by_level.table());
    let longer = by_level.longer();
    if longer.is_empty() { Ok(()) } else { Err(format!("longer than at the level below:\n{}", longer.join("\n"))) }
}

/// What a cargo command writes to its output. What it says about itself is shown.
fn printed<'a>(root: &Path, args: impl IntoIterator<Item = &'a str>, failed: &str) -> Result<String, String> {
    let output = crate::cargo()
        .args(args)
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo did not start: {error}"))?;
    if !output.status.success() {
        return Err(failed.to_owned());
    }
    String::from_utf8(output.stdout).map_err(|error| format!("cargo wrote no text: {error}"))
}

/// The processor's name.
pub fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or("an unknown processor", |(_, name)| name.trim()).to_owned()
}
