//! `cargo xtask vectors`: the public test suite of an independent machine, as a file for `cargo xtask conformance`.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

/// The package that holds the suite's sources; its generator reproduces the published vectors byte for byte.
const PACKAGE: &str = "@bitauth/libauth@3.1.0-next.8";
const SCRIPT: &str = include_str!("vectors.mjs");

/// The command's arguments.
#[derive(Args)]
pub(crate) struct Vectors {
    /// The file to write [default: target/vectors/bvm_2026.jsonl]
    output: Option<PathBuf>,
}

/// Installs the package under `target/` and runs its generator, which takes some minutes.
pub(crate) fn run(root: &Path, arguments: &Vectors) -> Result<(), String> {
    let folder = root.join("target/vectors");
    let output = arguments.output.clone().unwrap_or_else(|| folder.join("bvm_2026.jsonl"));
    let script = folder.join("vectors.mjs");
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&script, SCRIPT))
        .map_err(|error| format!("cannot write `{}`: {error}", script.display()))?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"]).arg(&folder);
    finish(npm.arg(PACKAGE))?;
    eprintln!("generating vectors: this takes some minutes");
    finish(Command::new("node").arg(&script).arg(folder.join("node_modules/@bitauth/libauth")).arg(&output))?;
    println!("{}", output.display());
    Ok(())
}

fn finish(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{program}` ended with {status}")),
        Err(error) => Err(format!("cannot run `{program}`: {error}\nhelp: install Node.js 20 or newer")),
    }
}
