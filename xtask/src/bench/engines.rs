//! `cargo xtask bench engines`: workloads in every engine, with the engines of others as yardsticks.
//!
//! The tree's benchmark makes the tables. `benches/yardsticks` is a workspace of its own; what it measures, in the same run
//! of this command, goes to the benchmark as arguments.

use std::fs;
use std::path::Path;

const PAGE: &str = "docs/book/src/figures.md";

/// Measures and prints; writes the page unless the engines of others are left out.
pub(super) fn run(root: &Path, alone: bool) -> Result<(), String> {
    let others = if alone { Vec::new() } else { yardsticks(root)? };
    let bench =
        ["bench", "-p", "benches", "--bench", "engines", "--"].into_iter().chain(others.iter().map(String::as_str));
    let tables = super::printed(root, bench, "the benchmark failed")?;
    print!("{tables}");
    if alone {
        return Ok(());
    }
    fs::write(root.join(PAGE), page(&tables)).map_err(|error| format!("cannot write `{PAGE}`: {error}"))
}

/// An argument `NAME=PICOSECONDS` for each engine of others.
fn yardsticks(root: &Path) -> Result<Vec<String>, String> {
    let run = ["run", "--release", "--locked", "--manifest-path", "benches/yardsticks/Cargo.toml"];
    let text = super::printed(root, run, "the engines of others failed; `--alone` leaves them out")?;
    Ok(text.lines().map(str::to_owned).collect())
}

fn page(tables: &str) -> String {
    format!(
        "{INTRODUCTION}\nMeasured on {}, one core, release profile.\n\n```text\n{}\n```\n",
        super::processor(),
        tables.trim_end()
    )
}

const INTRODUCTION: &str = "# Figures of the engines

`cargo xtask bench engines` writes this page; [Engines](engines.md) says what follows from it. Compare what stands in one
table, not times with those of another run.

- **ns an instruction**: seven scripts and three contracts in each engine. `naive` is an interpreter in which each
  item is a byte string of its own, kept as a reference; `native` is the same work in plain Rust with checked sums.
  Without a mark an engine counts costs exactly; `bound` only bounds the lengths of numbers, for verdicts.
- **integer loop**: a turn of it here and in two engines of others, which interpret the same loop with checked sums as
  WebAssembly and as Ethereum's bytecode.
- **winning back**: what compiling takes, first and again with more effort, and after how many runs, or instructions, the
  first machine code has saved as much, and the better code beside the first.
- **the whole budget**: the longest input that a rule set allows, which spends its budget in the integer loop; at the end
  how many signature checks take as long as machine code saves.
- **a key's coin**: an input that one signature unlocks, beside the check of that signature.
- **compiling**: scripts that were made to be expensive to compile. The goal is 100 us and 3 us for each instruction, of
  bytecode, or of register code where that is more; better code, which only small loops get, is beside it.
";
