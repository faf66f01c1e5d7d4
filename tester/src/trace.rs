//! The end of a run that fails: the last instructions, what they found on the stack, and the lines they come from.

use std::collections::{BTreeMap, VecDeque};

use spec::artifact::Locking;
use spec::script::instructions;
use spec::{Artifact, Opcode, Rules, SpendContext, asm};
use vm::{FunctionId, Phase, Step, Tracer};

/// So many of the last instructions are shown, and of each so much of the stack.
const STEPS_SHOWN: usize = 6;
const ITEMS_SHOWN: usize = 3;
const BYTES_SHOWN: usize = 8;

/// The last instructions of an input that fails, in lines.
pub(crate) fn end_of(
    rules: &Rules,
    context: &SpendContext<'_>,
    input: usize,
    artifact: &Artifact,
    code: &[u8],
) -> String {
    let phase = match artifact.locking {
        Locking::P2sh32 => Phase::Redeem,
        Locking::P2s => Phase::Locking,
    };
    let numbers =
        instructions(code).map_while(Result::ok).enumerate().map(|(number, step)| (step.at, number)).collect();
    let mut watch = Watch {
        artifact,
        phase,
        code,
        numbers,
        bodies: BTreeMap::new(),
        taken: BTreeMap::new(),
        last: VecDeque::new(),
    };
    // Whether it fails is known already.
    let _ = vm::verify_input_traced(rules, context, input, &mut watch);
    let rows =
        watch.last.iter().map(|row| format!("\n  {:>5}  {:<24} {:<44} {}", row.at, row.word, row.stack, row.place));
    format!(
        "the last instructions, with the top of the stack before each{}",
        rows.map(|row| row.trim_end().to_owned()).collect::<String>()
    )
}

struct Row {
    at: usize,
    word: String,
    stack: String,
    place: String,
}

struct Watch<'a> {
    artifact: &'a Artifact,
    phase: Phase,
    code: &'a [u8],
    /// The number of the instruction at each offset of the script.
    numbers: BTreeMap<usize, usize>,
    bodies: BTreeMap<FunctionId, Vec<u8>>,
    /// Whether the first branch of each conditional ran.
    taken: BTreeMap<usize, bool>,
    last: VecDeque<Row>,
}

impl Watch<'_> {
    fn place(&self, step: &Step<'_>) -> String {
        let span = match step.function {
            None => self
                .numbers
                .get(&step.at)
                .and_then(|number| self.artifact.source_after(*number, &|number| self.taken.get(&number).copied())),
            Some(id) => self.bodies.get(&id).and_then(|body| {
                let number = instructions(body).map_while(Result::ok).position(|one| one.at == step.at)?;
                self.artifact.function(&id.bytes())?.source_of(number)
            }),
        };
        let file = span.and_then(|span| self.artifact.sources.get(span.file).map(|file| (file, span.line)));
        file.map_or_else(String::new, |(file, line)| format!("{}:{line}", file.path))
    }

    fn word(&self, step: &Step<'_>) -> String {
        let body = step.function.and_then(|id| self.bodies.get(&id));
        let code = body.map_or(self.code, Vec::as_slice);
        let one = code.get(step.at..).and_then(|rest| instructions(rest).next()).and_then(Result::ok);
        let word = one.map_or_else(String::new, |one| asm::word(&one));
        match word.get(..20) {
            Some(start) if word.len() > 24 => format!("{start}.."),
            _ => word,
        }
    }

    fn follow(&mut self, step: &Step<'_>) {
        let from_top = |depth: usize| step.stack.len().checked_sub(depth + 1).and_then(|at| step.stack.get(at));
        match Opcode::from_byte(step.byte) {
            Some(opcode @ (Opcode::If | Opcode::NotIf)) if step.depth == 0 => {
                if let (Some(top), Some(number)) = (from_top(0), self.numbers.get(&step.at)) {
                    self.taken.insert(*number, is_true(&top) == (opcode == Opcode::If));
                }
            }
            Some(Opcode::Define) => {
                if let (Some(id), Some(body)) = (from_top(0).and_then(|id| FunctionId::new(&id)), from_top(1)) {
                    self.bodies.entry(id).or_insert(body);
                }
            }
            _ => {}
        }
    }
}

impl Tracer for Watch<'_> {
    fn step(&mut self, step: &Step<'_>) {
        if step.phase != self.phase || !step.executing {
            return;
        }
        let count = step.stack.len();
        let items = (count.saturating_sub(ITEMS_SHOWN)..count).filter_map(|at| step.stack.get(at));
        let stack: Vec<String> = items.map(|item| shown(&item)).collect();
        let row = Row { at: step.at, word: self.word(step), stack: stack.join(" "), place: self.place(step) };
        self.last.push_back(row);
        if self.last.len() > STEPS_SHOWN {
            self.last.pop_front();
        }
        self.follow(step);
    }
}

fn shown(item: &[u8]) -> String {
    match item.get(..BYTES_SHOWN) {
        Some(start) if item.len() > BYTES_SHOWN => format!("0x{}..", hex::encode(start)),
        _ => format!("0x{}", hex::encode(item)),
    }
}

fn is_true(item: &[u8]) -> bool {
    item.split_last().is_some_and(|(last, rest)| last & 0x7f != 0 || rest.iter().any(|byte| *byte != 0))
}
