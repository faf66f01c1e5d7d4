//! Where it stands: the functions that are open, and the sources that they come from.

use debugger::Recording;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::adapter::Adapter;
use crate::breakpoints::SourceName;
use crate::client::Client;
use crate::message::{Answer, Request, Wrong, wrong};
use crate::running::Running;

/// Arguments of `stackTrace`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wanted {
    start_frame: usize,
    levels: usize,
}

/// Arguments of `source`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WantedSource {
    source: SourceName,
    source_reference: usize,
}

impl Running {
    /// The moment that a frame stands at: one of those that led to where the run stands now. At the end the innermost stands
    /// there.
    pub(crate) fn moment_of(&self, frame: Option<i64>) -> Result<usize, Wrong> {
        let frames = self.session.recording().frames(self.session.now());
        let found = match frame {
            None => Some(0),
            Some(id) => frames.iter().position(|at| id_of(*at) == id),
        };
        match found {
            Some(0) => Ok(self.session.now()),
            found => {
                found.and_then(|place| frames.get(place)).copied().ok_or_else(|| wrong("there is no such frame now"))
            }
        }
    }
}

fn id_of(at: usize) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX).saturating_add(1)
}

impl Adapter {
    pub(crate) fn stack_trace(&self, mut request: Request) -> Answer {
        let (client, running) = (self.client()?, self.running()?);
        let Wanted { start_frame, levels } = request.arguments()?;
        let recording = running.session.recording();
        let frames = recording.frames(running.session.now());
        let levels = if levels == 0 { frames.len() } else { levels };
        let shown = frames.iter().skip(start_frame).take(levels);
        let shown: Vec<Value> = shown.map(|at| frame(running, recording, *at, client)).collect();
        Ok(json!({ "stackFrames": shown, "totalFrames": frames.len() }))
    }

    pub(crate) fn source(&self, mut request: Request) -> Answer {
        let running = self.running()?;
        let WantedSource { source, source_reference } = request.arguments()?;
        let number = source.number().unwrap_or(source_reference);
        let found = number.checked_sub(1).and_then(|file| running.sources.get(file));
        let source = found.ok_or_else(|| wrong("there is no source with this number"))?;
        match &source.text {
            Some(text) => Ok(json!({ "content": text })),
            None => Err(wrong(format!(
                "`{}` is not here as it was compiled: name its folder with `files`, or build its artifact anew",
                source.name
            ))),
        }
    }

    pub(crate) fn loaded_sources(&self) -> Answer {
        let running = self.running()?;
        let sources: Vec<Value> = (0..running.sources.len()).map(|file| running.source(file)).collect();
        Ok(json!({ "sources": sources }))
    }
}

fn frame(running: &Running, recording: &Recording, at: usize, client: Client) -> Value {
    let Some(moment) = recording.moment(at) else { return Value::Null };
    let mut frame = Map::from_iter([
        ("id".to_owned(), json!(id_of(at))),
        ("name".to_owned(), json!(running.code_name(moment.phase, moment.function))),
    ]);
    if let Some(address) = running.code.address(moment) {
        frame.insert("instructionPointerReference".to_owned(), json!(address));
    }
    match moment.place {
        Some(place) => {
            frame.insert("source".to_owned(), running.source(place.file));
            frame.extend(running.place(place, client));
        }
        // The protocol wants numbers, and ignores them without a source.
        None => frame.extend([("line".to_owned(), json!(0)), ("column".to_owned(), json!(0))]),
    }
    Value::Object(frame)
}
