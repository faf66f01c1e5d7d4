//! Random calls, messages and files for a node: its own tests make and judge them, here they are only told how many.

use std::path::Path;
use std::process::Command;

use crate::fuzz::Fuzz;

/// Runs the tests of a package's file whose names have `name` in them.
pub(super) fn run(root: &Path, fuzz: &Fuzz, (package, file, name): (&str, &str, &str)) -> Result<(), String> {
    let mut test = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    test.current_dir(root).args(["test", "--quiet", "-p", package, "--test", file, name, "--", "--nocapture"]);
    test.env("BMC_SEED", fuzz.seed.to_string());
    match fuzz.seconds {
        Some(seconds) => test.env("BMC_SECONDS", seconds.to_string()),
        None => test.env("BMC_CASES", fuzz.runs.to_string()),
    };
    let status = test.status().map_err(|error| format!("the test cannot be run: {error}"))?;
    if status.success() { Ok(()) } else { Err("something was answered wrongly".to_owned()) }
}
