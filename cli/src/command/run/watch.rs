//! Watching the oracle run: steps to show, and what each instruction costs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use spec::artifact::SourceSpan;
use spec::script::last_script;
use spec::units::OpCost;
use spec::{Opcode, asm};
use vm::{FunctionId, Phase, StackView, Step, Tracer};
use wallet::Places;

use super::profile::{Counts, Profile};
use crate::shell::{BOLD, FAINT, NAME};
use crate::units::grouped;

/// After so many steps, or so many bytes of stack contents, a trace is cut off.
const STEPS_MAX: usize = 100_000;
const STACK_BYTES_MAX: usize = 16 << 20;

/// So much of a stack and of an item is shown to people.
const ITEMS_SHOWN: usize = 8;
const BYTES_SHOWN: usize = 20;
const WORD_SHOWN: usize = 44;

/// A step, just before the instruction runs.
#[derive(Serialize)]
pub(crate) struct Row {
    phase: String,
    /// How many functions are open.
    depth: usize,
    /// The innermost of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<String>,
    at: usize,
    instruction: String,
    /// Whether it runs; in the branch not taken only control flow is followed.
    executing: bool,
    cost: u64,
    /// Bottom first, in hexadecimal digits.
    stack: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alt: Vec<String>,
}

/// Sees a run.
pub(crate) struct Watch<'a> {
    unlock: &'a [u8],
    lock: &'a [u8],
    /// The bodies of the functions that are defined.
    bodies: BTreeMap<FunctionId, Vec<u8>>,
    places: Option<Places<'a>>,
    /// The instruction that runs now.
    now: Option<Now>,
    counts: Counts,
    /// `None` if no trace is wanted.
    rows: Option<Vec<Row>>,
    bytes: usize,
    cut: bool,
}

struct Now {
    opcode: &'static str,
    place: Option<SourceSpan>,
    cost: OpCost,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(unlock: &'a [u8], lock: &'a [u8], trace: bool, places: Option<Places<'a>>) -> Self {
        let rows = trace.then(Vec::new);
        Self {
            unlock,
            lock,
            bodies: BTreeMap::new(),
            places,
            now: None,
            counts: Counts::default(),
            rows,
            bytes: 0,
            cut: false,
        }
    }

    /// The run has ended at that cost.
    pub(crate) fn end(&mut self, cost: OpCost) {
        if let Some(now) = self.now.take() {
            self.counts.add(now.opcode, now.place, cost.get().saturating_sub(now.cost.get()));
        }
    }

    pub(crate) fn profile(&self) -> Profile {
        self.counts.profile(self.places.as_ref())
    }

    /// Whether there were more steps than are kept.
    pub(crate) const fn is_cut(&self) -> bool {
        self.cut
    }

    pub(crate) fn into_rows(self) -> Vec<Row> {
        self.rows.unwrap_or_default()
    }

    fn follow(&mut self, step: &Step<'_>) {
        if let Some(places) = &mut self.places {
            places.follow(step);
        }
        if let Some((id, body)) = step.definition() {
            self.bodies.entry(id).or_insert(body);
        }
    }

    fn row(&mut self, step: &Step<'_>) {
        let full = self.rows.as_ref().is_none_or(|rows| rows.len() >= STEPS_MAX) || self.bytes >= STACK_BYTES_MAX;
        if full {
            self.cut = true;
            return;
        }
        let row = Row {
            phase: step.phase.to_string(),
            depth: step.depth,
            function: step.function.map(|function| function.to_string()),
            at: step.at,
            instruction: self.word(step),
            executing: step.executing,
            cost: step.cost.get(),
            stack: self.items(step.stack),
            alt: self.items(step.alt),
        };
        self.rows.get_or_insert_default().push(row);
    }

    fn items(&mut self, stack: StackView<'_>) -> Vec<String> {
        let mut items = Vec::new();
        for item in stack.iter() {
            self.bytes += item.len() + 8;
            if self.bytes >= STACK_BYTES_MAX {
                self.cut = true;
                break;
            }
            items.push(hex::encode(item));
        }
        items
    }

    /// The instruction as assembly writes it.
    fn word(&self, step: &Step<'_>) -> String {
        let code = match (step.function, step.phase) {
            (Some(id), _) => self.bodies.get(&id).map(Vec::as_slice).unwrap_or_default(),
            (None, Phase::Unlocking) => self.unlock,
            (None, Phase::Locking) => self.lock,
            (None, Phase::Redeem) => last_script(self.unlock, self.lock),
        };
        asm::word_at(code, step.at).unwrap_or_else(|| opcode_name(step.byte).to_owned())
    }
}

impl Tracer for Watch<'_> {
    fn step(&mut self, step: &Step<'_>) {
        self.end(step.cost);
        let place = self.places.as_ref().and_then(|places| places.place(step));
        let opcode = if step.executing { opcode_name(step.byte) } else { "(skipped)" };
        self.now = Some(Now { opcode, place, cost: step.cost });
        if self.rows.is_some() {
            self.row(step);
        }
        self.follow(step);
    }
}

fn opcode_name(byte: u8) -> &'static str {
    match Opcode::from_byte(byte) {
        Some(Opcode::PushData1 | Opcode::PushData2 | Opcode::PushData4) => "(push)",
        Some(opcode) => opcode.name(),
        None if byte <= 0x4b => "(push)",
        None => "(no opcode)",
    }
}

/// Shows a trace.
pub(crate) fn table(out: &mut dyn Write, rows: &[Row], cut: bool) -> io::Result<()> {
    let mut before: Option<&Row> = None;
    for row in rows {
        if before.is_none_or(|before| {
            (&before.phase, &before.function, before.depth) != (&row.phase, &row.function, row.depth)
        }) {
            let function = row.function.as_ref().map(|function| format!(", function {function}")).unwrap_or_default();
            writeln!(out, "{BOLD}{}{function}{BOLD:#}", row.phase)?;
        }
        let word = shortened(&row.instruction, WORD_SHOWN);
        let cost = grouped(row.cost);
        if row.executing {
            write!(out, "{:>6}  {NAME}{word:<46}{NAME:#} {cost:>12}", row.at)?;
            stack(out, &row.stack)?;
            if !row.alt.is_empty() {
                write!(out, "  {FAINT}alt{FAINT:#}")?;
                stack(out, &row.alt)?;
            }
            writeln!(out)?;
        } else {
            writeln!(out, "{:>6}  {FAINT}{word:<46} {cost:>12}  (skipped){FAINT:#}", row.at)?;
        }
        before = Some(row);
    }
    if cut {
        writeln!(out, "{FAINT}and more: the trace is cut off here{FAINT:#}")?;
    }
    Ok(())
}

fn stack(out: &mut dyn Write, items: &[String]) -> io::Result<()> {
    let hidden = items.len().saturating_sub(ITEMS_SHOWN);
    if hidden > 0 {
        write!(out, "  ({hidden} more)")?;
    }
    items.iter().skip(hidden).try_for_each(|item| write!(out, "  0x{}", shortened(item, 2 * BYTES_SHOWN)))
}

fn shortened(text: &str, most: usize) -> String {
    match text.get(..most.saturating_sub(2)) {
        Some(start) if text.len() > most => format!("{start}.."),
        _ => text.to_owned(),
    }
}
