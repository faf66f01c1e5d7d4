//! Where the client wants to stop, and what becomes of that in a run.

use std::collections::BTreeMap;

use debugger::{Breakpoint, Watch, WatchError};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::adapter::Adapter;
use crate::client::REFUSALS;
use crate::code::address_of;
use crate::launcher::Launcher;
use crate::message::{Answer, Request, Wrong, wrong};
use crate::running::Running;

/// Breakpoints are kept for so many sources, and so many for each of them and for instructions.
const SOURCES_MAX: usize = 1_000;
const BREAKPOINTS_MAX: usize = 10_000;

/// All that the client wants; it outlives a run.
#[derive(Debug)]
pub(crate) struct Wishes {
    last: i64,
    sources: Vec<InSource>,
    instructions: Vec<AtInstruction>,
    /// Whether to stop where the input is refused.
    pub(crate) refusals: bool,
}

impl Default for Wishes {
    fn default() -> Self {
        Self { last: 0, sources: Vec::new(), instructions: Vec::new(), refusals: true }
    }
}

/// How a client names a source.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SourceName {
    name: Option<String>,
    path: Option<String>,
    source_reference: Option<usize>,
}

impl SourceName {
    /// The number, for a source that is no file; it means something in one run only.
    pub(crate) fn number(&self) -> Option<usize> {
        self.source_reference.filter(|number| *number > 0)
    }

    /// Whether both mean one source, in whatever run.
    fn is(&self, other: &Self) -> bool {
        match (self.number(), other.number()) {
            (None, None) => self.path == other.path,
            (Some(one), Some(two)) if self.name.is_none() || other.name.is_none() => one == two,
            (Some(_), Some(_)) => self.name == other.name,
            _ => false,
        }
    }

    /// The number of the source in a run, from 0.
    pub(crate) fn file(&self, running: &Running, launcher: &dyn Launcher) -> Option<usize> {
        let mut sources = running.sources.iter();
        match (self.number(), &self.name, self.path.as_deref()) {
            (Some(_), Some(name), _) => sources.position(|source| source.path.is_none() && source.name == *name),
            (Some(number), None, _) => running.sources.get(number - 1).map(|_| number - 1),
            (None, _, Some(path)) => {
                let is_it = |known: &str| known == path || launcher.is_same_file(known, path);
                sources.position(|source| source.path.as_deref().is_some_and(is_it))
            }
            (None, _, None) => None,
        }
    }
}

/// When a breakpoint stops: always, where an expression is true, or never, because that is none.
type Condition = Result<Option<Watch>, WatchError>;

fn condition_of(text: Option<String>) -> Condition {
    text.filter(|text| !text.trim().is_empty()).map(|text| Watch::new(&text)).transpose()
}

#[derive(Debug)]
struct InSource {
    source: SourceName,
    lines: Vec<AtLine>,
}

#[derive(Debug)]
struct AtLine {
    id: i64,
    /// From 1.
    line: usize,
    condition: Condition,
}

#[derive(Debug)]
struct AtInstruction {
    id: i64,
    address: Option<u64>,
    condition: Condition,
}

/// Arguments of `setBreakpoints`.
#[derive(Deserialize)]
struct SetLines {
    source: SourceName,
    #[serde(default)]
    breakpoints: Vec<WantedLine>,
}

#[derive(Deserialize)]
struct WantedLine {
    line: i64,
    condition: Option<String>,
}

/// Arguments of `setInstructionBreakpoints`.
#[derive(Deserialize)]
struct SetInstructions {
    breakpoints: Vec<WantedInstruction>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WantedInstruction {
    instruction_reference: String,
    #[serde(default)]
    offset: i64,
    condition: Option<String>,
}

/// Arguments of `setExceptionBreakpoints`.
#[derive(Deserialize)]
struct SetExceptions {
    #[serde(default)]
    filters: Vec<String>,
}

/// Arguments of `breakpointLocations`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Between {
    source: SourceName,
    line: i64,
    end_line: Option<i64>,
}

impl Wishes {
    fn number(&mut self) -> i64 {
        self.last += 1;
        self.last
    }
}

/// Why a breakpoint stops nowhere.
const NOT_LAUNCHED: &str = "nothing runs yet";
const OTHER_FILE: &str = "nothing of this file runs here, or it is not as it was compiled";
const NO_CODE: &str = "no code comes from this line or one below it";
const NO_INSTRUCTION: &str = "there is no instruction at this address";

fn too_many() -> Wrong {
    wrong(format!("at most {BREAKPOINTS_MAX} breakpoints are kept for a source or for instructions"))
}

impl Adapter {
    pub(crate) fn set_breakpoints(&mut self, mut request: Request) -> Answer {
        let client = self.client()?;
        let SetLines { source, breakpoints } = request.arguments()?;
        if breakpoints.len() > BREAKPOINTS_MAX {
            return Err(too_many());
        }
        self.wishes.sources.retain(|known| !known.source.is(&source));
        if self.wishes.sources.len() >= SOURCES_MAX {
            return Err(wrong(format!("breakpoints are kept for at most {SOURCES_MAX} sources")));
        }
        let mut lines = Vec::with_capacity(breakpoints.len());
        for WantedLine { line, condition } in breakpoints {
            let (id, line) = (self.wishes.number(), client.own_line(line));
            lines.push(AtLine { id, line, condition: condition_of(condition) });
        }
        let ids: Vec<i64> = lines.iter().map(|line| line.id).collect();
        if !lines.is_empty() {
            self.wishes.sources.push(InSource { source, lines });
        }
        Ok(self.told_of(&ids))
    }

    pub(crate) fn set_instruction_breakpoints(&mut self, mut request: Request) -> Answer {
        let SetInstructions { breakpoints } = request.arguments()?;
        if breakpoints.len() > BREAKPOINTS_MAX {
            return Err(too_many());
        }
        self.wishes.instructions.clear();
        for WantedInstruction { instruction_reference, offset, condition } in breakpoints {
            let (id, address) = (self.wishes.number(), address_of(&instruction_reference, offset).ok());
            self.wishes.instructions.push(AtInstruction { id, address, condition: condition_of(condition) });
        }
        let ids: Vec<i64> = self.wishes.instructions.iter().map(|one| one.id).collect();
        Ok(self.told_of(&ids))
    }

    pub(crate) fn set_exception_breakpoints(&mut self, mut request: Request) -> Answer {
        let SetExceptions { filters } = request.arguments()?;
        self.wishes.refusals = filters.iter().any(|filter| filter == REFUSALS);
        let known = |filter: &String| match filter == REFUSALS {
            true => json!({ "verified": true }),
            false => json!({ "verified": false, "message": format!("the only filter is `{REFUSALS}`") }),
        };
        Ok(json!({ "breakpoints": filters.iter().map(known).collect::<Vec<_>>() }))
    }

    pub(crate) fn breakpoint_locations(&mut self, mut request: Request) -> Answer {
        let client = self.client()?;
        let Between { source, line, end_line } = request.arguments()?;
        let (first, last) = (client.own_line(line), client.own_line(end_line.unwrap_or(line)));
        let running = self.running()?;
        let file = source.file(running, &*self.launcher).ok_or_else(|| wrong(OTHER_FILE))?;
        let within = running.lines.range((file, first)..).take_while(|(of, line)| *of == file && *line <= last);
        let lines: Vec<Value> = within.map(|(_, line)| json!({ "line": client.line(*line) })).collect();
        Ok(json!({ "breakpoints": lines }))
    }

    /// The body that tells what became of these breakpoints.
    fn told_of(&mut self, ids: &[i64]) -> Value {
        let all = self.settle_breakpoints();
        let told: Vec<&Value> = ids.iter().filter_map(|id| all.get(id)).collect();
        json!({ "breakpoints": told })
    }

    /// Brings all breakpoints into the run, and says of each by its number what became of it.
    pub(crate) fn settle_breakpoints(&mut self) -> BTreeMap<i64, Value> {
        let mut told = BTreeMap::new();
        let Some(client) = self.client else { return told };
        let mut stops: Vec<(Breakpoint, Option<Watch>, i64)> = Vec::new();
        let mut settle = |id: i64, place: Result<(Breakpoint, Value), &str>, condition: &Condition| {
            let outcome = match (place, condition) {
                (Err(why), _) => Err(why.to_owned()),
                (_, Err(error)) => Err(format!("the condition: {error}")),
                (Ok((breakpoint, shown)), Ok(condition)) => {
                    stops.push((breakpoint, condition.clone(), id));
                    Ok(shown)
                }
            };
            let mut shown = outcome.unwrap_or_else(|message| json!({ "verified": false, "message": message }));
            if let Value::Object(shown) = &mut shown {
                shown.insert("id".to_owned(), json!(id));
            }
            told.insert(id, shown);
        };
        let running = self.running.as_ref();
        for InSource { source, lines } in &self.wishes.sources {
            let file = running.map(|running| source.file(running, &*self.launcher));
            for AtLine { id, line, condition } in lines {
                let place = match (running, file) {
                    (Some(running), Some(Some(file))) => {
                        let next = running.lines.range((file, *line)..).next().filter(|(of, _)| *of == file);
                        next.ok_or(NO_CODE).map(|(file, line)| {
                            let source = running.source(*file);
                            let shown = json!({ "verified": true, "line": client.line(*line), "source": source });
                            (Breakpoint::Line { file: *file, line: *line }, shown)
                        })
                    }
                    (Some(_), _) => Err(OTHER_FILE),
                    (None, _) => Err(NOT_LAUNCHED),
                };
                settle(*id, place, condition);
            }
        }
        for AtInstruction { id, address, condition } in &self.wishes.instructions {
            let found = running.zip(*address).and_then(|(running, address)| running.code.at(address));
            let place = found.ok_or(if running.is_some() { NO_INSTRUCTION } else { NOT_LAUNCHED });
            let place = place.map(|(address, listed)| {
                let breakpoint =
                    Breakpoint::Instruction { phase: listed.phase, function: listed.function, at: listed.at };
                (breakpoint, json!({ "verified": true, "instructionReference": address }))
            });
            settle(*id, place, condition);
        }
        if let Some(running) = &mut self.running {
            running.wanted_by.clear();
            for (breakpoint, _, id) in &stops {
                running.wanted_by.entry(*breakpoint).or_default().push(*id);
            }
            running.session.stop_at(stops.into_iter().map(|(breakpoint, condition, _)| (breakpoint, condition)));
        }
        told
    }
}
