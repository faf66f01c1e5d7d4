//! The end of a run that fails: the last instructions, what they found on the stack, and the lines they come from.

use std::collections::VecDeque;

use spec::{Artifact, Rules, SpendContext, asm};
use vm::{Step, Tracer};
use wallet::Places;

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
    let mut watch = Watch { code, places: Places::new(artifact, code), last: VecDeque::new() };
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
    code: &'a [u8],
    places: Places<'a>,
    last: VecDeque<Row>,
}

impl Watch<'_> {
    fn place(&self, step: &Step<'_>) -> String {
        let span = self.places.place(step);
        let sources = &self.places.artifact().sources;
        let file = span.and_then(|span| sources.get(span.file).map(|file| (file, span.line)));
        file.map_or_else(String::new, |(file, line)| format!("{}:{line}", file.path))
    }

    fn word(&self, step: &Step<'_>) -> String {
        let code = step.function.and_then(|id| self.places.body(id)).unwrap_or(self.code);
        let word = asm::word_at(code, step.at).unwrap_or_default();
        match word.get(..20) {
            Some(start) if word.len() > 24 => format!("{start}.."),
            _ => word,
        }
    }

    fn keep(&mut self, step: &Step<'_>) {
        let count = step.stack.len();
        let items = (count.saturating_sub(ITEMS_SHOWN)..count).filter_map(|at| step.stack.get(at));
        let stack: Vec<String> = items.map(|item| shown(&item)).collect();
        let row = Row { at: step.at, word: self.word(step), stack: stack.join(" "), place: self.place(step) };
        self.last.push_back(row);
        if self.last.len() > STEPS_SHOWN {
            self.last.pop_front();
        }
    }
}

impl Tracer for Watch<'_> {
    fn step(&mut self, step: &Step<'_>) {
        if self.places.has(step) && step.executing {
            self.keep(step);
        }
        self.places.follow(step);
    }
}

fn shown(item: &[u8]) -> String {
    match item.get(..BYTES_SHOWN) {
        Some(start) if item.len() > BYTES_SHOWN => format!("0x{}..", hex::encode(start)),
        _ => format!("0x{}", hex::encode(item)),
    }
}
