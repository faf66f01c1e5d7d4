//! `bmc new`: a folder with a program that compiles, and its tests.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::fail::Fail;
use crate::package;
use crate::shell::{BOLD, GOOD, NAME, Shell};

/// Make a folder with a program that compiles and passes its tests, to change and deploy.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc new my-reward && cd my-reward && bmc check\n  bmc new my-vault --template contract\n  bmc new --list"
)]
pub(crate) struct New {
    /// The folder to make; its last part names the package.
    #[arg(required_unless_present = "list")]
    name: Option<PathBuf>,
    /// What to begin with.
    #[arg(long, value_enum, default_value_t = Template::Reward)]
    template: Template,
    /// Show what there is to begin with.
    #[arg(long)]
    list: bool,
}

/// What a package begins with.
#[derive(Clone, Copy, ValueEnum)]
enum Template {
    /// Three people share what a model earns.
    Reward,
    /// Money for a model that does not exist yet.
    Imi,
    /// The token of a model.
    Imo,
    /// A contract with two paths.
    Contract,
}

const MANIFEST: &str = include_str!("new/bmc.toml");
const IGNORE: &str = include_str!("new/gitignore");

impl Template {
    /// The name of its source, the source, its tests, and what is said about it.
    const fn texts(self) -> [(&'static str, &'static str); 3] {
        match self {
            Self::Reward => [
                ("shares.bmc", include_str!("new/reward/shares.bmc")),
                ("tests.bmc", include_str!("new/reward/tests.bmc")),
                ("README.md", include_str!("new/reward/README.md")),
            ],
            Self::Imi => [
                ("campaign.bmc", include_str!("new/imi/campaign.bmc")),
                ("tests.bmc", include_str!("new/imi/tests.bmc")),
                ("README.md", include_str!("new/imi/README.md")),
            ],
            Self::Imo => [
                ("offering.bmc", include_str!("new/imo/offering.bmc")),
                ("tests.bmc", include_str!("new/imo/tests.bmc")),
                ("README.md", include_str!("new/imo/README.md")),
            ],
            Self::Contract => [
                ("vault.bmc", include_str!("new/contract/vault.bmc")),
                ("tests.bmc", include_str!("new/contract/tests.bmc")),
                ("README.md", include_str!("new/contract/README.md")),
            ],
        }
    }
}

impl New {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let Some(folder) = self.name.filter(|_| !self.list) else { return list(shell) };
        let package = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !package::is_name(package) {
            return Err(Fail::usage(format!("`{package}` is no name of a package"))
                .help("start with a letter and use letters, digits, `-` and `_`"));
        }
        if folder.exists() {
            return Err(Fail::refused(format!("`{}` exists already", folder.display())).help("choose another name"));
        }
        std::fs::create_dir_all(&folder)?;
        let files: Vec<(&str, &str)> =
            self.template.texts().into_iter().chain([("bmc.toml", MANIFEST), (".gitignore", IGNORE)]).collect();
        for (file, text) in &files {
            std::fs::write(folder.join(file), text.replace("PACKAGE", package))?;
        }
        let names: Vec<&str> = files.iter().map(|(file, _)| *file).collect();
        let folder = folder.display().to_string();
        shell.print(&json!({ "folder": folder, "files": names }), |out| {
            writeln!(out, "{GOOD}created{GOOD:#} `{folder}` with {}", names.join(", "))?;
            writeln!(out, "{BOLD}next:{BOLD:#} cd {folder} && bmc check && bmc test")
        })
    }
}

fn list(shell: &Shell) -> Result<(), Fail> {
    let all: Vec<(String, String)> = Template::value_variants()
        .iter()
        .filter_map(|template| template.to_possible_value())
        .map(|value| (value.get_name().to_owned(), value.get_help().map(ToString::to_string).unwrap_or_default()))
        .collect();
    let data: Vec<_> = all.iter().map(|(name, about)| json!({ "name": name, "about": about })).collect();
    shell.print(&data, |out| all.iter().try_for_each(|(name, about)| writeln!(out, "{NAME}{name:10}{NAME:#} {about}")))
}
