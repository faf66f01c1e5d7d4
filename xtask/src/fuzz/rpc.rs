//! Random calls, messages and files for a node: its own tests make and judge them, here they are only told how many.

use std::path::Path;

use crate::fuzz::Fuzz;

/// Runs the tests of files called `file` whose names have `name` in them. Of the whole workspace, so that nothing is built that
/// its tests have not built with the same features.
pub(super) fn run(root: &Path, fuzz: &Fuzz, (file, name): (&str, &str)) -> Result<(), String> {
    let mut test = crate::cargo();
    test.current_dir(root).args(["test", "--quiet", "--workspace", "--test", file, name, "--", "--nocapture"]);
    test.env("BMC_SEED", fuzz.seed.to_string());
    match fuzz.seconds {
        Some(seconds) => test.env("BMC_SECONDS", seconds.to_string()),
        None => test.env("BMC_CASES", fuzz.runs.to_string()),
    };
    let status = test.status().map_err(|error| format!("the test cannot be run: {error}"))?;
    if status.success() { Ok(()) } else { Err("something was answered wrongly".to_owned()) }
}
