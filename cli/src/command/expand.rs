//! `bmc expand`: the plain contracts behind the declarations.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::fail::Fail;
use crate::project::{self, TargetArgs};
use crate::shell::Shell;

/// Print the plain contracts that rewards turn into.
#[derive(Args)]
#[command(after_help = "Examples:\n  bmc expand shares.bmc")]
pub(crate) struct Expand {
    /// The source.
    file: PathBuf,
}

impl Expand {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let compiled = project::compile(&[self.file], TargetArgs::default())?;
        project::report(shell, &compiled)?;
        let text = compiled.expand();
        shell.print(&json!({ "source": text }), |out| write!(out, "{text}"))
    }
}
