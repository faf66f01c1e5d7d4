//! `bmc man`: the manual pages, one for each command.

use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man as Page;
use serde_json::json;

use crate::fail::Fail;
use crate::shell::{GOOD, Shell};

/// Write the manual pages, one for each command.
#[derive(Args)]
#[command(after_help = "Examples:\n  bmc man --out ~/.local/share/man/man1\n  man bmc-check")]
pub(crate) struct Man {
    /// The folder to write to; it is made if need be.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Man {
    pub(crate) fn run(self, shell: &Shell, mut whole: Command) -> Result<(), Fail> {
        whole.build();
        let folder = self.out.display().to_string();
        let failed = |error: std::io::Error| {
            Fail::refused(format!("`{folder}`: {error}")).help("name a folder that can be written to")
        };
        std::fs::create_dir_all(&self.out).map_err(failed)?;
        let mut written = Vec::new();
        self.write(&whole, "bmc", &mut written).map_err(failed)?;
        shell.print(&json!({ "folder": folder, "pages": written }), |out| {
            writeln!(out, "{GOOD}wrote{GOOD:#} {} pages to `{folder}`", written.len())
        })
    }

    /// The page of a command, then those of its own commands.
    fn write(&self, command: &Command, name: &str, written: &mut Vec<String>) -> std::io::Result<()> {
        let file = format!("{name}.1");
        let mut page = Vec::new();
        Page::new(command.clone()).title(name).render(&mut page)?;
        std::fs::write(self.out.join(&file), page)?;
        written.push(file);
        let inner = command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help");
        inner.into_iter().try_for_each(|inner| self.write(inner, &format!("{name}-{}", inner.get_name()), written))
    }
}
