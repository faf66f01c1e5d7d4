//! `cargo xtask ci`: everything that must hold before a change lands, in one command.

use std::env;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::cargo;

/// The steps, cheapest first, so that a mistake shows early.
const STEPS: &[(&str, &[&str])] = &[
    ("format", &["fmt", "--all", "--check"]),
    ("laws of the tree", &["xtask", "tidy"]),
    ("generated pages", &["xtask", "gen", "--check"]),
    ("lints", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    ("tests", &["test", "--workspace", "--no-fail-fast"]),
    ("noise as source", &["xtask", "fuzz", "bytes", "--runs", "4000", "--seed", "7", "--threads", "2"]),
    ("changed examples", &["xtask", "fuzz", "examples", "--runs", "2000", "--seed", "7", "--threads", "2"]),
    ("scripts in every engine", &["xtask", "fuzz", "scripts", "--seconds", "30", "--seed", "7", "--threads", "2"]),
    ("random calls", &["xtask", "fuzz", "rpc", "--seconds", "3", "--seed", "7"]),
    ("random messages", &["xtask", "fuzz", "p2p", "--seconds", "3", "--seed", "7"]),
    ("documentation", &["doc", "--workspace", "--no-deps"]),
];

/// Runs every step and stops at the first that fails, which it names.
pub fn run(root: &Path) -> Result<(), String> {
    for (name, args) in STEPS {
        step(root, name, args)?;
    }
    deny(root)
}

fn step(root: &Path, name: &str, args: &[&str]) -> Result<(), String> {
    let start = Instant::now();
    eprintln!("── {name}: cargo {}", args.join(" "));
    let status = command(args)?
        .current_dir(root)
        .env("RUSTDOCFLAGS", "-D warnings")
        .env("INSTA_UPDATE", "no")
        .status()
        .map_err(|error| format!("cargo did not start: {error}"))?;
    if !status.success() {
        return Err(format!("step `{name}` failed; repeat it alone with `cargo {}`", args.join(" ")));
    }
    eprintln!("── {name}: {} s", start.elapsed().as_secs());
    Ok(())
}

/// `cargo` with these arguments. This tool does not ask cargo for itself, which would build it and all that it stands on with
/// fewer features than the workspace has, a second time.
fn command(args: &[&str]) -> Result<Command, String> {
    let (mut command, args) = match args {
        ["xtask", rest @ ..] => {
            let this = env::current_exe().map_err(|error| format!("this program is not found: {error}"))?;
            (Command::new(this), rest)
        }
        _ => (cargo(), args),
    };
    command.args(args);
    Ok(command)
}

/// Advisories and bans need `cargo deny`, which is not part of the toolchain; licences are checked by `tidy` in any case.
fn deny(root: &Path) -> Result<(), String> {
    let present = cargo().args(["deny", "--version"]).output().is_ok_and(|out| out.status.success());
    if !present {
        eprintln!("── cargo deny: skipped, it is not installed (`cargo install cargo-deny`)");
        return Ok(());
    }
    step(root, "cargo deny", &["deny", "check", "bans", "licenses", "sources"])
}
