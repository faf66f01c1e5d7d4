//! The code of a run with addresses, as disassemblers want it: one script behind the other, then the functions.

use debugger::{Listed, Moment, Recording, listing};
use serde::Deserialize;
use serde_json::{Value, json};
use spec::Artifact;

use crate::client::Client;
use crate::message::{Answer, Wrong, wrong};
use crate::running::Running;

/// The address of the first instruction. There is room before it for what a client asks that is not there.
const FIRST: u64 = 0x20_0000;
/// Each script begins at a multiple of this.
const APART: u64 = 0x1000;
/// A page has at most so many instructions, and begins at most so many before or behind an address.
const COUNT_MAX: i64 = 10_000;
const AWAY_MAX: i64 = 1 << 20;

/// All instructions, in the order of their addresses.
#[derive(Debug)]
pub(crate) struct Code {
    lines: Vec<(u64, Listed)>,
}

/// Arguments of `disassemble`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page {
    memory_reference: String,
    #[serde(default)]
    offset: i64,
    #[serde(default)]
    instruction_offset: i64,
    instruction_count: i64,
}

impl Code {
    pub(crate) fn of(recording: &Recording, artifact: Option<&Artifact>) -> Self {
        let mut lines: Vec<(u64, Listed)> = Vec::new();
        let mut base = FIRST;
        for listed in listing(recording, artifact) {
            if let Some((last, before)) = lines.last()
                && (before.phase, before.function) != (listed.phase, listed.function)
            {
                base = (last + before.bytes.len() as u64 + 1).next_multiple_of(APART);
            }
            lines.push((base + listed.at as u64, listed));
        }
        Self { lines }
    }

    /// The address of the instruction that runs next.
    pub(crate) fn address(&self, moment: &Moment) -> Option<String> {
        let key = (moment.phase, moment.function, moment.at);
        let found = self.lines.binary_search_by_key(&key, |(_, listed)| (listed.phase, listed.function, listed.at));
        found.ok().and_then(|at| self.lines.get(at)).map(|(address, _)| shown(*address))
    }

    /// The instruction at an address; if the address is inside of one, that which follows it in the same script.
    pub(crate) fn at(&self, address: u64) -> Option<(String, &Listed)> {
        let at = self.lines.partition_point(|(known, _)| *known < address);
        let (found, listed) = self.lines.get(at)?;
        let is_inside = |(begin, one): &(u64, Listed)| {
            let end = begin + one.bytes.len() as u64;
            address < end && (one.phase, one.function) == (listed.phase, listed.function)
        };
        let before = at.checked_sub(1).and_then(|before| self.lines.get(before));
        (*found == address || before.is_some_and(is_inside)).then(|| (shown(*found), listed))
    }

    /// A page of instructions; those that are not there are said to be invalid.
    pub(crate) fn page(&self, page: &Page, running: &Running, client: Client) -> Answer {
        let address = address_of(&page.memory_reference, page.offset)?;
        let at = self.lines.partition_point(|(known, _)| *known < address) as i64;
        let first = at.saturating_add(page.instruction_offset.clamp(-AWAY_MAX, AWAY_MAX));
        let count = page.instruction_count.clamp(0, COUNT_MAX);
        let one = |number: i64| {
            let known = usize::try_from(number).ok().and_then(|number| self.lines.get(number));
            known.map_or_else(|| self.nothing(number), |(address, listed)| line(*address, listed, running, client))
        };
        Ok(json!({ "instructions": (first..first + count).map(one).collect::<Vec<_>>() }))
    }

    /// What stands where no instruction is.
    fn nothing(&self, number: i64) -> Value {
        let end = self.lines.last().map_or(FIRST, |(address, listed)| address + listed.bytes.len() as u64);
        let address = match u64::try_from(number) {
            Ok(number) => end + number.saturating_sub(self.lines.len() as u64),
            Err(_) => FIRST.saturating_sub(number.unsigned_abs()),
        };
        json!({ "address": shown(address), "instruction": "", "presentationHint": "invalid" })
    }
}

fn line(address: u64, listed: &Listed, running: &Running, client: Client) -> Value {
    let bytes: Vec<String> = listed.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut line =
        json!({ "address": shown(address), "instructionBytes": bytes.join(" "), "instruction": listed.word });
    if let Value::Object(line) = &mut line {
        if listed.at == 0 {
            line.insert("symbol".to_owned(), json!(running.code_name(listed.phase, listed.function)));
        }
        if let Some(place) = listed.place {
            line.insert("location".to_owned(), running.source(place.file));
            line.extend(running.place(place, client));
        }
    }
    line
}

fn shown(address: u64) -> String {
    format!("{address:#x}")
}

/// Reads an address, and adds an offset in bytes.
pub(crate) fn address_of(reference: &str, offset: i64) -> Result<u64, Wrong> {
    let reference = reference.trim();
    let address = match reference.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => reference.parse().ok(),
    };
    let moved = address.map(|address: u64| address.saturating_add_signed(offset));
    moved.ok_or_else(|| wrong("this is no address: write one of a stack frame or of disassembled code"))
}
