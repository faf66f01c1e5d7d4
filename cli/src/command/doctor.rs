//! `bmc doctor`: what this machine has, what it lacks, and what to do about it.

mod checks;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::fail::Fail;
use crate::link::NodeArgs;
use crate::shell::{BAD, BOLD, FAINT, GOOD, NAME, Shell};

/// Say what this machine has for each task, what it lacks, and what to do about it.
///
/// A warning is something that one of the tasks needs and the others do not. It ends with 1 if something is wrong.
#[derive(Args)]
#[command(after_help = "Examples:\n  bmc doctor\n  bmc doctor --rpc http://127.0.0.1:18500\n  bmc doctor --json")]
pub(crate) struct Doctor {
    #[command(flatten)]
    node: NodeArgs,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Health {
    Ok,
    Warning,
    Wrong,
}

/// What was looked at, and what was found.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    name: &'static str,
    health: Health,
    found: String,
    /// The next action.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, health: Health::Ok, found: found.into(), next: None }
    }

    fn warning(name: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self { name, health: Health::Warning, found: found.into(), next: Some(next.into()) }
    }

    fn wrong(name: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self { health: Health::Wrong, ..Self::warning(name, found, next) }
    }
}

impl Doctor {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let checks = checks::all(&self.node);
        let count = |health: Health| checks.iter().filter(|check| check.health == health).count();
        let (warnings, wrong) = (count(Health::Warning), count(Health::Wrong));
        shell.print(&json!({ "checks": checks, "warnings": warnings, "wrong": wrong }), |out| {
            checks.iter().try_for_each(|check| tell(out, check))?;
            writeln!(out, "{BOLD}{warnings} warnings, {wrong} wrong{BOLD:#}")
        })?;
        if wrong == 0 { Ok(()) } else { Err(Fail::said()) }
    }
}

fn tell(out: &mut dyn std::io::Write, check: &Check) -> std::io::Result<()> {
    let (style, word) = match check.health {
        Health::Ok => (GOOD, "ok"),
        Health::Warning => (NAME, "warning"),
        Health::Wrong => (BAD, "wrong"),
    };
    writeln!(out, "{style}{word:8}{style:#}{:12}{}", check.name, check.found)?;
    check.next.iter().try_for_each(|next| writeln!(out, "{:8}{FAINT}{:12}next: {next}{FAINT:#}", "", ""))
}
