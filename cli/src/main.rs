//! The `bmc` binary: write, check, build, deploy and settle contracts from the command line.
//!
//! Each subcommand is one file under `command`; this one only dispatches. It knows no rules of its own: the compiler, the wallet and the node decide.

mod deployment;
mod edit;
mod engines;
mod fail;
mod link;
mod onchain;
mod package;
mod project;
mod publication;
mod rpc;
mod shell;
mod svg;
mod units;

mod command;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::command::{
    build, call, check, decompile, demo, deploy, expand, flow, fmt, inspect, lint, new, node, ops, pay, run, settle, size, test, update, verify, wallet as accounts,
};
use crate::fail::Fail;
use crate::shell::Shell;

/// A compiler takes and gives back many small pieces of memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Contracts that pay everybody who contributed.
///
/// Exit codes: 0 done, 1 refused or found errors, 2 wrong usage, 3 the node cannot be reached.
#[derive(Parser)]
#[command(
    name = "bmc",
    version,
    propagate_version = true,
    after_help = "Start here: `bmc demo`, then `bmc new my-reward`."
)]
struct Cli {
    /// Print data as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    New(new::New),
    Update(update::Update),
    Check(check::Check),
    Test(test::Test),
    Fmt(fmt::Fmt),
    Lint(lint::Lint),
    Build(build::Build),
    Size(size::Size),
    Expand(expand::Expand),
    Ops(ops::Ops),
    Run(run::Run),
    Verify(verify::Verify),
    Inspect(inspect::Inspect),
    Decompile(decompile::Decompile),
    Node(node::Node),
    Wallet(accounts::Wallet),
    Deploy(deploy::Deploy),
    Pay(pay::Pay),
    Settle(settle::Settle),
    Call(call::Call),
    Flow(flow::Flow),
    Demo(demo::Demo),
}

impl Command {
    fn run(self, shell: &Shell) -> Result<(), Fail> {
        match self {
            Self::New(command) => command.run(shell),
            Self::Update(command) => command.run(shell),
            Self::Check(command) => command.run(shell),
            Self::Test(command) => command.run(shell),
            Self::Fmt(command) => command.run(shell),
            Self::Lint(command) => command.run(shell),
            Self::Build(command) => command.run(shell),
            Self::Size(command) => command.run(shell),
            Self::Expand(command) => command.run(shell),
            Self::Ops(command) => command.run(shell),
            Self::Run(command) => command.run(shell),
            Self::Verify(command) => command.run(shell),
            Self::Inspect(command) => command.run(shell),
            Self::Decompile(command) => command.run(shell),
            Self::Node(command) => command.run(shell),
            Self::Wallet(command) => command.run(shell),
            Self::Deploy(command) => command.run(shell),
            Self::Pay(command) => command.run(shell),
            Self::Settle(command) => command.run(shell),
            Self::Call(command) => command.run(shell),
            Self::Flow(command) => command.run(shell),
            Self::Demo(command) => command.run(shell),
        }
    }
}

fn main() -> ExitCode {
    let args = match node::bitcoind::translate(std::env::args_os().collect()) {
        Ok(args) => args,
        Err(message) => return Shell::new(false).fail(&Fail::usage(message)),
    };
    let cli = Cli::parse_from(args);
    let shell = Shell::new(cli.json);
    match cli.command.run(&shell) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fail) => shell.fail(&fail),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_command_explains_itself_with_an_example() {
        let cli = Cli::command();
        cli.clone().debug_assert();
        for command in cli.get_subcommands() {
            let example = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(example.contains("bmc "), "`bmc {}` has no example", command.get_name());
            assert!(command.get_about().is_some(), "`bmc {}` does not say what it does", command.get_name());
        }
    }
}
