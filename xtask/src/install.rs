//! Programs of others: whether they are there, and packages of npm in folders of our own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where everything goes that is built: cargo, which is run at the root, reads a relative path from there.
pub(crate) fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

pub(crate) fn done(command: &mut Command, what: &str) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{what} cannot be run: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{what} failed")) }
}

pub(crate) fn is_there(program: &str) -> bool {
    let asked = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// Runs npm in a folder, without its advice.
pub(crate) fn npm(folder: &Path, args: &[&str]) -> Result<(), String> {
    let mut npm = Command::new("npm");
    npm.current_dir(folder).args(args).args(["--silent", "--no-audit", "--no-fund"]);
    done(&mut npm, &format!("`npm {}`", args.join(" ")))
}

/// Copies files of a folder into another, which is made.
pub(crate) fn copied(from: &Path, names: &[&str], to: &Path) -> Result<(), String> {
    fs::create_dir_all(to).map_err(|error| format!("`{}`: {error}", to.display()))?;
    for name in names {
        fs::copy(from.join(name), to.join(name)).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}
