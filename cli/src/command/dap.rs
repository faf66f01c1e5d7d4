//! `bmc dap`: the debug adapter that editors start.

mod launch;

use std::io::{BufReader, BufWriter, stdin, stdout};
use std::sync::Arc;

use clap::Args;

use crate::fail::Fail;
use crate::shell::Shell;
use launch::Here;

/// Let an editor debug: breakpoints, steps forwards and backwards, and the rest of the Debug Adapter Protocol over standard
/// input and output.
///
/// What is debugged stands in the editor's configuration, in the words of `bmc debug`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc dap\n\nAn editor starts it: docs/editors.md says how, and docs/book/src/debugging.md what its configuration may say."
)]
pub(crate) struct Dap {}

impl Dap {
    pub(crate) fn run(self, _: &Shell) -> Result<(), Fail> {
        let Self {} = self;
        let here = Here::new()?;
        if adapter::serve(BufReader::new(stdin()), &mut BufWriter::new(stdout()), Arc::new(here))? {
            return Ok(());
        }
        Err(Fail::refused("the client left without saying `initialize`")
            .help("this is for an editor to start; docs/editors.md says how"))
    }
}
