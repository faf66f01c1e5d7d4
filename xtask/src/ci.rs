//! `cargo xtask ci`: everything that must hold before a change lands, in one command.

use std::env;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Instant;

use crate::cargo;

/// A name, and what cargo is told.
type Step = (&'static str, &'static [&'static str]);

/// The steps, cheapest first, so that a mistake shows early.
const FIRST: &[Step] = &[
    ("format", &["fmt", "--all", "--check"]),
    ("laws of the tree", &["xtask", "tidy"]),
    ("generated pages", &["xtask", "gen", "--check"]),
    ("build", &["test", "--workspace", "--no-run"]),
];

/// Tests wait much, for clocks and for other programs, and leave half of two cores idle.
const TESTS: Step = ("tests", &["test", "--workspace", "--no-fail-fast"]);

/// What is done beside the tests. Before them it would keep the target folder from the build.
const BESIDE: &[Step] = &[
    ("lints", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    ("documentation", &["doc", "--workspace", "--no-deps"]),
];

const LAST: &[Step] = &[
    ("noise as source", &["xtask", "fuzz", "bytes", "--runs", "4000", "--seed", "7", "--threads", "2"]),
    ("changed examples", &["xtask", "fuzz", "examples", "--runs", "2000", "--seed", "7", "--threads", "2"]),
    ("scripts in every engine", &["xtask", "fuzz", "scripts", "--seconds", "30", "--seed", "7", "--threads", "2"]),
    ("random calls", &["xtask", "fuzz", "rpc", "--seconds", "3", "--seed", "7"]),
    ("random messages", &["xtask", "fuzz", "p2p", "--seconds", "3", "--seed", "7"]),
];

/// Runs every step and stops at the first that fails, which it names.
pub fn run(root: &Path) -> Result<(), String> {
    let all = |steps: &[Step]| steps.iter().try_for_each(|step| run_step(root, step, Shown::AsItComes));
    all(FIRST)?;
    let (tests, beside) = thread::scope(|scope| {
        let beside = scope.spawn(|| BESIDE.iter().try_for_each(|step| run_step(root, step, Shown::Afterwards)));
        let tests = run_step(root, &TESTS, Shown::AsItComes);
        (tests, beside.join().unwrap_or_else(|_| Err("the steps beside the tests panicked".to_owned())))
    });
    tests?;
    beside?;
    all(LAST)?;
    deny(root)
}

/// When the output of a step is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    AsItComes,
    /// Once it has ended, and then only if it failed.
    Afterwards,
}

fn run_step(root: &Path, (name, args): &Step, shown: Shown) -> Result<(), String> {
    let start = Instant::now();
    eprintln!("── {name}: cargo {}", args.join(" "));
    let mut command = command(args)?;
    command.current_dir(root).env("RUSTDOCFLAGS", "-D warnings").env("INSTA_UPDATE", "no");
    let status = match shown {
        Shown::AsItComes => command.status(),
        Shown::Afterwards => command.output().map(|output| {
            if !output.status.success() {
                eprintln!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            }
            output.status
        }),
    };
    let status = status.map_err(|error| format!("cargo did not start: {error}"))?;
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
    run_step(root, &("cargo deny", &["deny", "check", "bans", "licenses", "sources"]), Shown::AsItComes)
}
