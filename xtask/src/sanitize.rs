//! `cargo xtask sanitize`: the engines and their tests with every access to memory checked.
//!
//! The address sanitizer sees what Rust code does, `unsafe` included, and what code it calls is given. Machine code that is
//! made while the program runs it does not see: that is for memcheck of valgrind, which runs every instruction itself.

use std::path::Path;
use std::process::Command;

use clap::{Args, ValueEnum};

/// The crates with `unsafe`, or whose values it handles, and what runs them most.
const CRATES: &[&str] = &["-p", "vm", "-p", "engine", "-p", "jit", "-p", "scripts"];

/// Runs the engines with every access to memory checked.
#[derive(Args)]
pub struct Sanitize {
    /// Which tool
    #[arg(value_enum)]
    tool: Tool,
    /// How long random scripts run after the tests
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Which scripts
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What checks.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tool {
    /// The address sanitizer; it needs a nightly toolchain
    Address,
    /// Memcheck, which sees machine code too; it needs valgrind
    Memcheck,
}

/// Runs the tool and fails if it finds something.
pub fn run(root: &Path, sanitize: &Sanitize) -> Result<(), String> {
    match sanitize.tool {
        Tool::Address => address(root, sanitize),
        Tool::Memcheck => memcheck(sanitize),
    }
}

fn address(root: &Path, sanitize: &Sanitize) -> Result<(), String> {
    let missing = "no nightly toolchain, which the address sanitizer needs\nhelp: `rustup toolchain install nightly`";
    let version = Command::new("rustup").args(["run", "nightly", "rustc", "-vV"]).output().map_err(|_| missing)?;
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).ok_or(missing)?;
    let cargo = |args: &[&str]| {
        let mut command = Command::new("rustup");
        // With a target, what runs while building is not checked.
        command.args(["run", "nightly", "cargo"]).args(args).env("CARGO_BUILD_TARGET", host);
        command
            .current_dir(root)
            .env("RUSTFLAGS", "-Zsanitizer=address")
            .env("CARGO_TARGET_DIR", root.join("target/sanitize"));
        finish(command)
    };
    cargo(&[&["test", "--lib", "--tests"], CRATES].concat())?;
    let fuzz = scripts(sanitize);
    cargo(&["run", "-p", "xtask", "--"].into_iter().chain(fuzz.iter().map(String::as_str)).collect::<Vec<_>>())
}

fn memcheck(sanitize: &Sanitize) -> Result<(), String> {
    let missing = "no `valgrind`\nhelp: it is a package of that name on most systems";
    if !Command::new("valgrind").arg("--version").output().is_ok_and(|out| out.status.success()) {
        return Err(missing.to_owned());
    }
    let program = std::env::current_exe().map_err(|error| format!("this program has no name: {error}"))?;
    let mut command = Command::new("valgrind");
    // Machine code may lie where other machine code lay before.
    command.args(["--tool=memcheck", "--smc-check=all", "--error-exitcode=1"]).arg(program).args(scripts(sanitize));
    finish(command)
}

/// Random scripts, all in machine code too.
fn scripts(sanitize: &Sanitize) -> Vec<String> {
    let (seconds, seed) = (sanitize.seconds, sanitize.seed);
    let line = format!("fuzz scripts --seconds {seconds} --seed {seed} --threads 2 --compiled-every 1");
    line.split(' ').map(str::to_owned).collect()
}

fn finish(mut command: Command) -> Result<(), String> {
    eprintln!("── {command:?}");
    let status = command.status().map_err(|error| format!("it did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err("it has found something, or could not run: see above".to_owned()) }
}
