//! The repository's own tool, `cargo xtask`: checks, generated pages, vectors, hostile sources.
//! It knows the tree and the crates; nothing of the product knows it.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod ci;
mod conformance;
mod e2e;
mod editors;
mod fuzz;
mod r#gen;
mod install;
mod process;
mod sanitize;
mod soak;
mod tidy;
mod vectors;
mod walk;

use std::path::Path;
use std::process::{Command as Process, ExitCode};

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Checks and generates what the repository needs",
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything that must hold before a change lands
    Ci,
    /// Figures to compare before and after a change
    #[command(subcommand)]
    Bench(bench::Bench),
    /// The laws of the tree: crate edges, budgets, licences, links
    Tidy,
    /// Judges vectors that others wrote, by our rules
    Conformance(conformance::Conformance),
    /// Builds the public vectors from an npm package; needs Node.js
    Vectors(vectors::Vectors),
    /// Clients that others wrote, unchanged, against a node or a language server; skips those that cannot be installed
    E2e(e2e::E2e),
    /// Builds what is shipped to editors: the package for VS Code, the tree-sitter parser
    Editors(editors::Editors),
    /// Compiles random sources to see that nothing panics or hangs
    Fuzz(fuzz::Fuzz),
    /// Three nodes that trade, mine, part, reorganize and restart; they have to agree, and memory must not grow
    Soak(soak::Soak),
    /// Runs the engines with every access to memory checked
    Sanitize(sanitize::Sanitize),
    /// Does what the first chapter of the book says, on a clean clone, and writes down how long it takes
    Walk,
    /// Prints the generated pages of the book again
    Gen {
        /// Only compare, and fail if a page is stale
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let outcome = match Cli::parse().command {
        Command::Ci => ci::run(root),
        Command::Bench(bench) => bench::run(root, &bench),
        Command::Tidy => tidy::run(root).and_then(|broken| none_of("law broken", &broken)),
        Command::Conformance(arguments) => conformance::run(&arguments),
        Command::Vectors(arguments) => vectors::run(root, &arguments),
        Command::E2e(arguments) => e2e::run(root, &arguments),
        Command::Editors(arguments) => editors::run(root, &arguments),
        Command::Fuzz(arguments) => fuzz::run(root, &arguments),
        Command::Soak(arguments) => soak::run(root, &arguments),
        Command::Sanitize(arguments) => sanitize::run(root, &arguments),
        Command::Walk => walk::run(root),
        Command::Gen { check } => {
            r#gen::run(root, check).and_then(|stale| none_of("page stale, run `cargo xtask gen`", &stale))
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The `cargo` that runs this tool, or else the one on the path, which sees to it that all it starts is of one toolchain.
fn cargo() -> Process {
    Process::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Succeeds if `found` is empty, otherwise lists it.
fn none_of(what: &str, found: &[String]) -> Result<(), String> {
    if found.is_empty() { Ok(()) } else { Err(format!("{}\n{}: {what}", found.join("\n"), found.len())) }
}
