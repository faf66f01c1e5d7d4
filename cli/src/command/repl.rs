//! `bmc repl`: expressions and scripts, line by line, on the virtual machine.

mod bench;
mod line;
mod terminal;
mod value;

use std::io::{self, BufRead, IsTerminal as _, Read as _, Write as _};
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use spec::RuleSet;

use crate::fail::Fail;
use crate::project;
use crate::shell::{BAD, BOLD, FAINT, GOOD, NAME, Shell};
use crate::units::grouped;
use bench::{Answer, Bench, Trouble};
use line::{Input, is_open};

/// Try expressions of the language and scripts, line by line, on the virtual machine.
///
/// An expression is compiled and run, and shows its value and its type. A line with opcodes runs on a stack that stays
/// from line to line. `let`, `fn`, `const`, `struct`, `enum` and `use` are remembered. Lines come from a terminal, with
/// history and completion, or from a pipe; then it ends with 1 if a line was refused.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc repl\n  bmc repl --load htlc.bmc\n  echo '1 + 2 * 3' | bmc repl\n  echo '2 3 OP_ADD' | bmc repl --json\n\nIn it:\n  sha256(\"x\")          a value\n  let fee = 500 sats;  a name for one\n  2 3 OP_ADD           a script\n  :help                what else there is"
)]
pub(crate) struct Repl {
    /// Begin with what these sources declare.
    #[arg(long, value_name = "FILE")]
    load: Vec<PathBuf>,
    /// The machine that runs the scripts: `bitmodel`, or `bch2026`.
    #[arg(long, value_name = "RULES", value_parser = project::rules, default_value = "bitmodel")]
    target: RuleSet,
}

/// A line has at most so many bytes.
const LINE_BYTES_MAX: u64 = 64 << 10;
/// A declaration has at most so many lines.
const LINES_MAX: usize = 1_000;

const HELP: &[(&str, &str)] = &[
    ("1_000 sats * 3", "compiles an expression, runs it and shows its value"),
    ("let a = 5;", "names a value for the lines that follow"),
    ("fn double(n: Int) -> Int { n * 2 }", "declares something; so do `const`, `struct`, `enum` and `use`"),
    ("require a > 4;", "says whether something holds"),
    ("2 3 OP_ADD", "runs a script on the stack that the last one left"),
    (":hex 525393", "the same, in hexadecimal digits"),
    (":push EXPR", "puts a value on that stack"),
    (":stack", "shows the stack"),
    (":asm EXPR", "what an expression compiles to"),
    (":type EXPR", "the type of an expression, which does not run"),
    (":cost [EXPR]", "what an expression, or the last run, costs"),
    (":load FILE", "takes what a source declares"),
    (":list", "shows what is declared"),
    (":clear", "forgets the stack and all names"),
    (":quit", "ends, as does the end of the input"),
];

impl Repl {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let mut bench = Bench::new(self.target);
        for file in &self.load {
            bench.load(&file.to_string_lossy()).map_err(|trouble| {
                tell_trouble(shell, &trouble);
                Fail::said()
            })?;
        }
        if io::stdin().is_terminal() && !shell.json() {
            return terminal::run(shell, &mut bench);
        }
        piped(shell, &mut bench)
    }
}

/// Reads lines that no terminal sends.
fn piped(shell: &Shell, bench: &mut Bench) -> Result<(), Fail> {
    let mut input = io::stdin().lock();
    let (mut text, mut refused) = (String::new(), false);
    loop {
        let mut line = Vec::new();
        let read = (&mut input).take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        text.push_str(&String::from_utf8_lossy(&line));
        let ended = read == 0;
        // An empty line ends what was never closed.
        let unfinished = !ended && is_open(&text) && !line.trim_ascii().is_empty() && text.lines().count() < LINES_MAX;
        if unfinished {
            continue;
        }
        let said = std::mem::take(&mut text);
        match respond(shell, bench, &said)? {
            Next::Quit => break,
            Next::More { fine } => refused |= !fine,
        }
        if ended {
            break;
        }
    }
    if refused { Err(Fail::said()) } else { Ok(()) }
}

/// What comes after a line.
enum Next {
    More { fine: bool },
    Quit,
}

/// Answers one line, or several that belong together.
fn respond(shell: &Shell, bench: &mut Bench, said: &str) -> Result<Next, Fail> {
    let answer = match Input::of(said) {
        Input::Nothing => return Ok(Next::More { fine: true }),
        Input::Quit => return Ok(Next::Quit),
        Input::Help => {
            help(shell)?;
            return Ok(Next::More { fine: true });
        }
        Input::Unknown(word) => Err(Trouble::Said {
            message: format!("there is no command `:{word}`"),
            help: "`:help` shows them".to_owned(),
        }),
        Input::Expression(text) => bench.value(text),
        Input::Require(text) => bench.require(text),
        Input::Let(text) => bench.name(text),
        Input::Item(text) => bench.declare(text),
        Input::Script(text) => bench.script(text),
        Input::Hex(text) => bench.hex(text),
        Input::Push(text) => bench.push(text),
        Input::Stack => Ok(Answer::Stack),
        Input::Asm(text) => bench.asm(text),
        Input::Type(text) => bench.type_of(text),
        Input::Cost(text) => bench.cost(text),
        Input::Load(path) => bench.load(path),
        Input::List => Ok(Answer::Text(bench.declared())),
        Input::Clear => {
            bench.clear();
            Ok(Answer::Stack)
        }
    };
    let fine = answer.is_ok();
    if shell.json() {
        tell_json(shell, bench, said, answer)?;
    } else {
        match answer {
            Ok(answer) => tell(shell, bench, &answer)?,
            Err(trouble) => tell_trouble(shell, &trouble),
        }
    }
    Ok(Next::More { fine })
}

fn help(shell: &Shell) -> Result<(), Fail> {
    if shell.json() {
        return Ok(());
    }
    let mut out = shell.out();
    for (form, what) in HELP {
        writeln!(out, "  {NAME}{form:36}{NAME:#} {what}")?;
    }
    Ok(())
}

fn tell(shell: &Shell, bench: &Bench, answer: &Answer) -> Result<(), Fail> {
    let mut out = shell.out();
    match answer {
        Answer::Value { value, ty, .. } => writeln!(out, "= {BOLD}{value}{BOLD:#} {FAINT}: {ty}{FAINT:#}")?,
        Answer::Text(text) => writeln!(out, "{}", text.trim_end())?,
        Answer::Cost { cost, budget_bytes } => {
            writeln!(out, "cost {}, which {} bytes of an input pay for", grouped(*cost), grouped(*budget_bytes))?;
        }
        Answer::Holds => writeln!(out, "{GOOD}it holds{GOOD:#}")?,
        Answer::Stack => {}
    }
    write!(out, "{FAINT}stack{FAINT:#}")?;
    if bench.stack().is_empty() {
        write!(out, " {FAINT}(empty){FAINT:#}")?;
    }
    for item in value::shown_stack(bench.stack()) {
        write!(out, " {item}")?;
    }
    Ok(writeln!(out)?)
}

fn tell_trouble(shell: &Shell, trouble: &Trouble) {
    match trouble {
        Trouble::Compiled(compiled) => {
            // A terminal that is gone has nobody to read it.
            let _ = compiled.render(&mut shell.err(), shell.err_color());
        }
        Trouble::Said { message, help } => {
            shell.note(format_args!("{BAD}error:{BAD:#} {message}"));
            shell.note(format_args!("{BOLD}help:{BOLD:#} {help}"));
        }
    }
}

fn tell_json(shell: &Shell, bench: &Bench, said: &str, answer: Result<Answer, Trouble>) -> Result<(), Fail> {
    let stack: Vec<String> = bench.stack().iter().map(hex::encode).collect();
    let mut data = match answer {
        Ok(Answer::Value { value, ty, bytes }) => json!({ "value": value, "type": ty, "bytes": hex::encode(bytes) }),
        Ok(Answer::Text(text)) => json!({ "text": text }),
        Ok(Answer::Cost { cost, budget_bytes }) => json!({ "cost": cost, "input_bytes": budget_bytes }),
        Ok(Answer::Holds) => json!({ "holds": true }),
        Ok(Answer::Stack) => json!({}),
        Err(Trouble::Compiled(compiled)) => json!({ "diagnostics": compiled.to_json() }),
        Err(Trouble::Said { message, help }) => json!({ "error": message, "help": help }),
    };
    if let Some(data) = data.as_object_mut() {
        data.insert("input".to_owned(), json!(said.trim()));
        data.insert("stack".to_owned(), json!(stack));
    }
    Ok(writeln!(shell.out(), "{data}")?)
}
