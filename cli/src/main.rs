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
mod shell;
mod subject;
mod svg;
mod units;

mod command;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::command::{
    bindgen as clients, build, call, check, completions, dap, debug, decompile, demo, deploy, doc, doctor, expand,
    flow, fmt, inspect, lint, lsp, man, new, node, ops, pay, repl, run, settle, size, test, update, verify,
    wallet as accounts,
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
    Lsp(lsp::Lsp),
    Doc(doc::Doc),
    Build(build::Build),
    Bindgen(clients::Bindgen),
    Size(size::Size),
    Expand(expand::Expand),
    Ops(ops::Ops),
    Run(run::Run),
    Verify(verify::Verify),
    Inspect(inspect::Inspect),
    Decompile(decompile::Decompile),
    Repl(repl::Repl),
    Debug(debug::Debug),
    Dap(dap::Dap),
    Node(node::Node),
    Wallet(accounts::Wallet),
    Deploy(deploy::Deploy),
    Pay(pay::Pay),
    Settle(settle::Settle),
    Call(call::Call),
    Flow(flow::Flow),
    Demo(demo::Demo),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
    Man(man::Man),
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
            Self::Lsp(command) => command.run(shell),
            Self::Doc(command) => command.run(shell),
            Self::Build(command) => command.run(shell),
            Self::Bindgen(command) => command.run(shell),
            Self::Size(command) => command.run(shell),
            Self::Expand(command) => command.run(shell),
            Self::Ops(command) => command.run(shell),
            Self::Run(command) => command.run(shell),
            Self::Verify(command) => command.run(shell),
            Self::Inspect(command) => command.run(shell),
            Self::Decompile(command) => command.run(shell),
            Self::Repl(command) => command.run(shell),
            Self::Debug(command) => command.run(shell),
            Self::Dap(command) => command.run(shell),
            Self::Node(command) => command.run(shell),
            Self::Wallet(command) => command.run(shell),
            Self::Deploy(command) => command.run(shell),
            Self::Pay(command) => command.run(shell),
            Self::Settle(command) => command.run(shell),
            Self::Call(command) => command.run(shell),
            Self::Flow(command) => command.run(shell),
            Self::Demo(command) => command.run(shell),
            Self::Doctor(command) => command.run(shell),
            Self::Completions(command) => command.run(shell, Cli::command()),
            Self::Man(command) => command.run(shell, Cli::command()),
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
    use super::*;

    /// Every command, those of commands included, by its whole name.
    fn commands(command: &clap::Command, name: &str) -> Vec<(String, clap::Command)> {
        let inner = command.get_subcommands().filter(|inner| inner.get_name() != "help");
        let each = inner.flat_map(|inner| {
            let name = format!("{name} {}", inner.get_name());
            let own = (name.clone(), inner.clone());
            std::iter::once(own).chain(commands(inner, &name)).collect::<Vec<_>>()
        });
        each.collect()
    }

    /// The words of a line, as a shell takes them.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quote, mut begun) = (Vec::new(), String::new(), None, false);
        for c in line.chars() {
            match (quote, c) {
                (None, '"' | '\'') => (quote, begun) = (Some(c), true),
                (Some(open), c) if open == c => quote = None,
                (None, ' ') => {
                    if begun {
                        words.push(std::mem::take(&mut word));
                    }
                    begun = false;
                }
                _ => {
                    word.push(c);
                    begun = true;
                }
            }
        }
        if begun {
            words.push(word);
        }
        assert_eq!(quote, None, "a quote of `{line}` has no end");
        words
    }

    /// The commands of a help page that are ours, without what their shell does with them.
    fn examples(page: &str) -> Vec<Vec<String>> {
        let section = page.split("Examples:\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap_or_default();
        let piped = section.lines().flat_map(|line| line.split(" && ").flat_map(|part| part.split(" | ")));
        let bare = piped.map(|line| line.split(['<', '>']).next().unwrap_or_default().trim());
        bare.filter(|line| line.starts_with("bmc ")).map(words).collect()
    }

    #[test]
    fn every_command_explains_itself_with_examples_that_parse() {
        let cli = Cli::command();
        cli.clone().debug_assert();
        let all = commands(&cli, "bmc");
        assert!(all.len() > 25, "{} commands", all.len());
        for (name, command) in all {
            assert!(command.get_about().is_some(), "`{name}` does not say what it does");
            let page = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(page.contains("Examples:\n  "), "`{name}` has no `Examples:`");
            let examples = examples(&page);
            let own = examples.iter().filter(|words| words.join(" ").starts_with(&name)).count();
            assert!(own > 0 || name.starts_with("bmc node"), "no example of `{name}` shows it");
            for words in examples {
                let args = node::bitcoind::translate(words.iter().map(Into::into).collect()).unwrap();
                if let Err(error) = Cli::try_parse_from(args) {
                    panic!("an example of `{name}`: {error}");
                }
            }
        }
    }

    #[test]
    fn lines_are_words_as_a_shell_takes_them() {
        assert_eq!(
            words("bmc pay x \"1 coin\" --to @bob=\"2 coin\""),
            ["bmc", "pay", "x", "1 coin", "--to", "@bob=2 coin"]
        );
    }
}
