//! What has been said so far, and what comes of a line.
//!
//! An expression becomes the last value of a path of a made-up contract, which compares it with an argument. The
//! machine shows its stack before that comparison, and there the value lies on top.

use std::fmt::Write as _;

use driver::{Compiled, MemoryWorld, Options, Packages, Session, World as _, lints};
use spec::artifact::Locking;
use spec::script::{push_data, push_op};
use spec::{Artifact, Mode, Opcode, RuleSet, Rules, SpendContext, asm};
use vm::{Step, Tracer};

use super::value;
use crate::command::run::case::Case;
use crate::project::DiskWorld;

/// Where lines stand in messages.
const PATH: &str = "repl.bmc";
/// What a line may cost, and how many items its stack may have at the end.
const COST_MAX: u64 = 20_000_000;
const STACK_ITEMS_MAX: usize = 200;
const STACK_BYTES_MAX: usize = 5_000;

/// What a line gave.
#[derive(Debug)]
pub(super) enum Answer {
    Value { value: String, ty: String, bytes: Vec<u8> },
    Text(String),
    Cost { cost: u64, budget_bytes: u64 },
    Holds,
    Stack,
}

/// Why it gave nothing.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The compiler says why.
    Compiled(Box<Compiled>),
    Said {
        message: String,
        help: String,
    },
}

fn said<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, Trouble> {
    Err(Trouble::Said { message: message.into(), help: help.into() })
}

/// What stays from line to line.
pub(super) struct Bench {
    set: RuleSet,
    items: Vec<String>,
    lets: Vec<String>,
    stack: Vec<Vec<u8>>,
    cost: u64,
}

/// An expression that was compiled.
struct Expression {
    artifact: Artifact,
    ty: String,
}

/// What a run left.
struct Left {
    stack: Vec<Vec<u8>>,
    cost: u64,
}

impl Bench {
    pub(super) const fn new(set: RuleSet) -> Self {
        Self { set, items: Vec::new(), lets: Vec::new(), stack: Vec::new(), cost: 0 }
    }

    pub(super) fn stack(&self) -> &[Vec<u8>] {
        &self.stack
    }

    /// The names that lines have brought, for completion.
    pub(super) fn words(&self) -> Vec<String> {
        let text = format!("{}\n{}", self.items.join("\n"), self.lets.join("\n"));
        let tokens = syntax::lex(&text);
        let names = tokens.iter().filter(|(kind, _)| *kind == syntax::TokenKind::Ident);
        let mut words: Vec<String> = names.filter_map(|(_, span)| text.get(span.range()).map(str::to_owned)).collect();
        words.sort();
        words.dedup();
        words
    }

    pub(super) fn value(&mut self, text: &str) -> Result<Answer, Trouble> {
        let (bytes, ty) = self.run_expression(text)?;
        Ok(Answer::Value { value: value::shown(&bytes, &ty), ty, bytes })
    }

    pub(super) fn push(&mut self, text: &str) -> Result<Answer, Trouble> {
        let (bytes, _) = self.run_expression(text)?;
        let mut stack = self.stack.clone();
        stack.push(bytes);
        self.keep(stack)
    }

    pub(super) fn require(&mut self, text: &str) -> Result<Answer, Trouble> {
        let text = ended(text);
        let expression = self.expression(&text, "1", "Int")?;
        self.run(&expression)?;
        Ok(Answer::Holds)
    }

    pub(super) fn name(&mut self, text: &str) -> Result<Answer, Trouble> {
        let text = ended(text);
        let expression = self.expression(&text, "1", "Int")?;
        self.run(&expression)?;
        self.lets.push(text);
        Ok(Answer::Stack)
    }

    pub(super) fn declare(&mut self, text: &str) -> Result<Answer, Trouble> {
        self.items.push(text.to_owned());
        match self.expression("", "1", "Int") {
            Ok(_) => Ok(Answer::Stack),
            Err(trouble) => {
                self.items.pop();
                Err(trouble)
            }
        }
    }

    pub(super) fn load(&mut self, path: &str) -> Result<Answer, Trouble> {
        if path.is_empty() {
            return said("there is no file named", "write `:load FILE`");
        }
        let compiled = driver::compile(&DiskWorld, &[path.to_owned()], &self.options());
        if compiled.has_errors() {
            return Err(Trouble::Compiled(Box::new(compiled)));
        }
        let text = DiskWorld.read(path).map_err(|error| Trouble::Said {
            message: format!("`{path}`: {error}"),
            help: "name a source".to_owned(),
        })?;
        self.declare(&text)
    }

    pub(super) fn type_of(&self, text: &str) -> Result<Answer, Trouble> {
        Ok(Answer::Text(self.typed(text)?.0))
    }

    pub(super) fn asm(&self, text: &str) -> Result<Answer, Trouble> {
        let expression = self.of_value(text)?;
        let words = expression.artifact.asm.trim_end();
        Ok(Answer::Text(words.strip_suffix("OP_EQUAL").unwrap_or(words).trim_end().to_owned()))
    }

    pub(super) fn cost(&mut self, text: &str) -> Result<Answer, Trouble> {
        if !text.is_empty() {
            self.run_expression(text)?;
        }
        let per_byte = Rules::new(self.set, Mode::Consensus).prices.budget_per_byte.max(1);
        Ok(Answer::Cost { cost: self.cost, budget_bytes: self.cost.div_ceil(per_byte) })
    }

    pub(super) fn declared(&self) -> String {
        let all = self.items.iter().chain(&self.lets);
        let text: String = all.map(|text| format!("{}\n", text.trim_end())).collect();
        if text.is_empty() { "nothing is declared".to_owned() } else { text }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.set);
    }

    /// Runs words on the stack.
    pub(super) fn script(&mut self, text: &str) -> Result<Answer, Trouble> {
        let code = asm::assemble(text, self.set).map_err(|error| Trouble::Said {
            message: error.to_string(),
            help: "`bmc ops` lists all opcodes".to_owned(),
        })?;
        self.run_code(&code)
    }

    pub(super) fn hex(&mut self, text: &str) -> Result<Answer, Trouble> {
        match hex::decode(text.split_whitespace().collect::<String>()) {
            Ok(code) if !code.is_empty() => self.run_code(&code),
            _ => said("these are no bytes", "write an even number of hexadecimal digits, as `:hex 525393`"),
        }
    }

    fn run_code(&mut self, code: &[u8]) -> Result<Answer, Trouble> {
        let mut lock = Vec::new();
        for item in &self.stack {
            push_data(&mut lock, item);
        }
        let pushes = lock.len();
        lock.extend_from_slice(code);
        // The stack is looked at before an instruction, so there has to be one at the end.
        push_op(&mut lock, Opcode::Nop);
        let left = self.machine(lock, Vec::new(), pushes, None)?;
        self.cost = left.cost;
        self.keep(left.stack)
    }

    fn keep(&mut self, stack: Vec<Vec<u8>>) -> Result<Answer, Trouble> {
        let bytes: usize = stack.iter().map(|item| item.len() + 3).sum();
        if stack.len() > STACK_ITEMS_MAX || bytes > STACK_BYTES_MAX {
            return said(
                format!("the stack would have {} items and {bytes} bytes, which is too much to keep", stack.len()),
                "take some away by `OP_DROP`, or all by `:clear`",
            );
        }
        self.stack = stack;
        Ok(Answer::Stack)
    }

    fn run_expression(&mut self, text: &str) -> Result<(Vec<u8>, String), Trouble> {
        let expression = self.of_value(text)?;
        let bytes = self.run(&expression)?;
        Ok((bytes, expression.ty))
    }

    fn of_value(&self, text: &str) -> Result<Expression, Trouble> {
        if text.is_empty() {
            return said("there is no expression", "write one, such as `1 + 2`");
        }
        let (ty, _) = self.typed(text)?;
        // The compiler has accepted it, so what it says now is about the place that the value would have.
        self.expression("", text, &ty).or_else(|_| {
            said(
                format!("a `{ty}` has no one place on a stack"),
                "ask for a part of it, such as `.field`, `.0` or `[0]`",
            )
        })
    }

    /// The type of an expression.
    fn typed(&self, text: &str) -> Result<(String, Session), Trouble> {
        if text.is_empty() {
            return said("there is no expression", "write one, such as `1 + 2`");
        }
        let source = self.source("", text, "require repl_probe == 0;");
        let (session, compiled) = self.compile(&source);
        match session.type_of("Repl", "repl_value") {
            Some(ty) if !compiled.has_errors() => Ok((ty, session)),
            _ => Err(Trouble::Compiled(Box::new(compiled))),
        }
    }

    fn expression(&self, statements: &str, text: &str, ty: &str) -> Result<Expression, Trouble> {
        let compare = format!("require asm (repl_probe: Int, repl_value: {ty}) -> Bool {{ OP_EQUAL }};");
        let (_, compiled) = self.compile(&self.source(statements, text, &compare));
        if compiled.has_errors() {
            return Err(Trouble::Compiled(Box::new(compiled)));
        }
        match compiled.artifacts.iter().find(|artifact| artifact.contract == "Repl") {
            // It runs as a lock itself, and that is where failures are looked for.
            Some(artifact) => {
                Ok(Expression { artifact: Artifact { locking: Locking::P2s, ..artifact.clone() }, ty: ty.to_owned() })
            }
            None => Err(Trouble::Compiled(Box::new(compiled))),
        }
    }

    /// Everything that was said, and a path that ends with a value.
    fn source(&self, statements: &str, text: &str, compare: &str) -> String {
        let mut source = String::new();
        for item in &self.items {
            let _ = writeln!(source, "{item}");
        }
        let allowed: Vec<&str> = lints().iter().filter(|lint| lint.in_source).map(|lint| lint.name).collect();
        let _ = writeln!(source, "contract Repl() {{ allow({}); spend line(repl_probe: Int) {{", allowed.join(", "));
        for line in &self.lets {
            let _ = writeln!(source, "{line}");
        }
        let _ = writeln!(source, "{statements}\nlet repl_value =\n{text}\n;\n{compare}\n}} }}");
        source
    }

    fn options(&self) -> Options {
        Options { rules: self.set, ..Options::default() }
    }

    /// The errors of a source; what else the compiler says of what nobody will deploy is left out.
    fn compile(&self, source: &str) -> (Session, Compiled) {
        let world = MemoryWorld::new([(PATH, source)]);
        let session = Session::open(&world, Packages::default(), &[PATH.to_owned()]);
        let mut compiled = session.compile(&self.options());
        compiled.diagnostics.retain(|found| found.severity == driver::Severity::Error);
        (session, compiled)
    }

    /// The value of an expression.
    fn run(&mut self, expression: &Expression) -> Result<Vec<u8>, Trouble> {
        let artifact = &expression.artifact;
        let lock = artifact.redeem_script(&std::collections::BTreeMap::new()).map_err(|error| Trouble::Said {
            message: error.to_string(),
            help: "name what it depends on by `let`".to_owned(),
        })?;
        let left = self.machine(lock, vec![0], 0, Some(artifact))?;
        self.cost = left.cost;
        match left.stack.last() {
            Some(top) => Ok(top.clone()),
            None => said("it left no value", "this is a bug: please report it"),
        }
    }

    /// Runs a lock up to its last instruction.
    fn machine(
        &self,
        lock: Vec<u8>,
        unlock: Vec<u8>,
        pushes: usize,
        artifact: Option<&Artifact>,
    ) -> Result<Left, Trouble> {
        let last = last_instruction(&lock);
        let case = Case::of_script(lock, unlock);
        let mut rules = Rules::new(self.set, Mode::Consensus);
        rules.prices.budget_per_byte = COST_MAX / spec::rules::INPUT_OVERHEAD_BYTES;
        rules.prices.half_iterations_per_byte = rules.prices.budget_per_byte;
        let Some(context) = SpendContext::new(&case.tx, &case.spent) else {
            return said("there is no such transaction", "this is a bug: please report it");
        };
        let mut watch = Watch { pushes, last, start: None, left: None };
        let verdict = vm::verify_input_traced(&rules, &context, 0, &mut watch);
        // The comparison at the end fails or leaves more than one item; what matters is that it was reached.
        match (watch.left, verdict) {
            (Some(left), _) => Ok(left),
            (None, Err(failure)) => {
                let (unlock, lock) = case.scripts(0);
                let explained = artifact.and_then(|artifact| wallet::explain_input(artifact, lock, unlock, &failure));
                let message = explained.map_or_else(|| failure.to_string(), |explained| explained.to_string());
                let message = message.strip_prefix("Repl.line: ").unwrap_or(&message);
                said(message, "the stack is what it was before")
            }
            (None, Ok(_)) => said("the end was not reached", "this is a bug: please report it"),
        }
    }
}

/// A statement with its `;`.
fn ended(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(';') { text.to_owned() } else { format!("{text};") }
}

fn last_instruction(script: &[u8]) -> usize {
    let offsets = spec::script::instructions(script).flatten().map(|instruction| instruction.at);
    offsets.last().unwrap_or_default()
}

/// Looks at the stack before the last instruction of a lock.
struct Watch {
    /// The bytes of the lock that only bring back what was there.
    pushes: usize,
    last: usize,
    start: Option<u64>,
    left: Option<Left>,
}

impl Tracer for Watch {
    fn step(&mut self, step: &Step<'_>) {
        if step.phase != vm::Phase::Locking || step.function.is_some() {
            return;
        }
        if step.at >= self.pushes && self.start.is_none() {
            self.start = Some(step.cost.get());
        }
        if step.at == self.last && step.executing && step.depth == 0 {
            let cost = step.cost.get().saturating_sub(self.start.unwrap_or_default());
            self.left = Some(Left { stack: step.stack.iter().collect(), cost });
        }
    }
}
