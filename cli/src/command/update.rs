//! `bmc update`: pin the dependencies as they are now.

use clap::Args;
use serde_json::json;

use crate::fail::Fail;
use crate::package::{self, Tree};
use crate::shell::{GOOD, Shell};

/// Pin the dependencies in bmc.lock as they are now.
///
/// The lock holds the SHA-256 of every source of every dependency. A dependency that has changed since is refused
/// until this accepts it.
#[derive(Args)]
#[command(after_help = "Examples:\n  bmc update")]
pub(crate) struct Update {}

impl Update {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let changes: Vec<String> = package::pin(&Tree::at("")?)?.iter().map(ToString::to_string).collect();
        shell.print(&json!({ "changes": changes }), |out| {
            changes.iter().try_for_each(|change| writeln!(out, "  {change}"))?;
            let what = if changes.is_empty() { "nothing has changed" } else { "pinned" };
            writeln!(out, "{GOOD}{what}{GOOD:#}")
        })
    }
}
