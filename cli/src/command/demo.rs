//! `bmc demo`: the whole story in one process, told from what the chain says.

mod scene;
mod story;
mod svg;
mod tell;

use std::path::PathBuf;

use clap::Args;

use crate::fail::Fail;
use crate::shell::Shell;

/// Compile a reward, run a devnet, pay, settle, and read the outcome back from the chain.
///
/// Needs nothing and leaves nothing behind.
#[derive(Args)]
#[command(after_help = "Examples:\n  bmc demo\n  bmc demo my-reward/shares.bmc --svg flow.svg\n  bmc demo --json")]
pub(crate) struct Demo {
    /// A source, or a folder, with one reward; without it, the reward of the whitepaper.
    example: Option<PathBuf>,
    /// Draw the flow of money into this file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the settlement and the output it spends into this file, as a line of JSON in the form of the conformance vectors.
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
}

impl Demo {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let story = scene::play(shell, self.example.as_deref())?;
        if let Some(path) = &self.svg {
            std::fs::write(path, svg::draw(&story))?;
        }
        if let Some(path) = &self.export {
            std::fs::write(path, story.vector().to_string() + "\n")?;
        }
        shell.print(&story, |out| tell::tell(out, &story))
    }
}
