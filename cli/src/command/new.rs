//! `bmc new`: a folder with a reward that compiles.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::fail::Fail;
use crate::package;
use crate::shell::{BOLD, GOOD, Shell};

/// Make a folder with a reward that compiles, to change and deploy.
#[derive(Args)]
#[command(after_help = "Example: bmc new my-reward && cd my-reward && bmc check")]
pub(crate) struct New {
    /// The folder to make; its last part names the package.
    name: PathBuf,
}

const CONTRACT: &str = include_str!("new/reward.bmc");
const MANIFEST: &str = include_str!("new/bmc.toml");
const README: &str = include_str!("new/README.md");

impl New {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let package = self.name.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !package::is_name(package) {
            return Err(Fail::usage(format!("`{package}` is no name of a package"))
                .help("start with a letter and use letters, digits, `-` and `_`"));
        }
        if self.name.exists() {
            return Err(Fail::refused(format!("`{}` exists already", self.name.display())).help("choose another name"));
        }
        std::fs::create_dir_all(&self.name)?;
        let files = [("reward.bmc", CONTRACT), ("bmc.toml", MANIFEST), ("README.md", README)];
        for (file, text) in files {
            std::fs::write(self.name.join(file), text.replace("PACKAGE", package))?;
        }
        let names = files.map(|(file, _)| file);
        let folder = self.name.display().to_string();
        shell.print(&json!({ "folder": folder, "files": names }), |out| {
            writeln!(out, "{GOOD}created{GOOD:#} `{folder}` with {}", names.join(", "))?;
            writeln!(out, "{BOLD}next:{BOLD:#} cd {folder} && bmc check")
        })
    }
}
