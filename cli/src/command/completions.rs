//! `bmc completions`: what shells need to complete commands and options.

use clap::{Args, Command};
use clap_complete::Shell as Kind;

use crate::fail::Fail;
use crate::shell::Shell;

/// Print the file that lets a shell complete commands, options and their values.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc completions bash > ~/.local/share/bash-completion/completions/bmc\n  bmc completions zsh > ~/.zfunc/_bmc\n  bmc completions fish > ~/.config/fish/completions/bmc.fish"
)]
pub(crate) struct Completions {
    /// Which shell.
    #[arg(value_enum)]
    shell: Kind,
}

impl Completions {
    pub(crate) fn run(self, shell: &Shell, mut whole: Command) -> Result<(), Fail> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut whole, "bmc", &mut text);
        Ok(std::io::Write::write_all(&mut shell.out(), &text)?)
    }
}
