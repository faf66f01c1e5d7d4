//! A run that is being debugged.

use std::collections::{BTreeMap, BTreeSet};

use debugger::{Breakpoint, Session, lines};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use spec::artifact::SourceSpan;
use spec::{Artifact, Transaction, TxOut};
use vm::{FunctionId, Phase};

use crate::client::Client;
use crate::code::Code;
use crate::launcher::{Run, Source};
use crate::message::{Wrong, without_nulls, wrong};
use crate::values::Handles;

/// What `launch` says beside what to debug.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Plan {
    pub(crate) stop_on_entry: bool,
    pub(crate) stop_at_end: bool,
    pub(crate) no_debug: bool,
}

impl Plan {
    pub(crate) fn of(arguments: &Value) -> Result<Self, Wrong> {
        let given = without_nulls(arguments.clone());
        serde_json::from_value(given).map_err(|error| wrong(format!("the arguments of `launch`: {error}")))
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It has not begun: the client says first where to stop.
    Waiting,
    /// It stands, and can go on or back.
    Standing,
    /// The client was told that it has ended.
    Over,
}

/// A run with where it stands.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) title: String,
    pub(crate) tx: Transaction,
    pub(crate) spent: Vec<TxOut>,
    pub(crate) input: usize,
    pub(crate) artifact: Option<Artifact>,
    pub(crate) sources: Vec<Source>,
    pub(crate) session: Session,
    pub(crate) code: Code,
    /// All that begins a piece of code: the source and the line.
    pub(crate) lines: BTreeSet<(usize, usize)>,
    /// The numbers of those who want to stop at a place.
    pub(crate) wanted_by: BTreeMap<Breakpoint, Vec<i64>>,
    pub(crate) plan: Plan,
    /// What it was launched with.
    pub(crate) arguments: Value,
    pub(crate) state: State,
    /// Whether the client knows that the input may not spend.
    pub(crate) has_told: bool,
    /// Whether it has stood still at the end.
    pub(crate) has_stayed: bool,
    pub(crate) handles: Handles,
}

impl Running {
    /// A run that has not begun. `handles` are those of the run before, whose numbers mean nothing any more.
    pub(crate) fn new(run: Run, plan: Plan, arguments: Value, mut handles: Handles) -> Self {
        handles.clear();
        let Run { title, recording, tx, spent, input, artifact, sources, notes: _ } = run;
        let code = Code::of(&recording, artifact.as_ref());
        let lines = lines(&recording, artifact.as_ref());
        Self {
            title,
            tx,
            spent,
            input,
            artifact,
            sources,
            session: Session::new(recording),
            code,
            lines,
            wanted_by: BTreeMap::new(),
            plan,
            arguments,
            state: State::Waiting,
            has_told: false,
            has_stayed: false,
            handles,
        }
    }

    /// The end is ahead again.
    pub(crate) const fn forget_end(&mut self) {
        self.has_told = false;
        self.has_stayed = false;
    }

    /// What a piece of code is called.
    pub(crate) fn code_name(&self, phase: Phase, function: Option<FunctionId>) -> String {
        let recording = self.session.recording();
        let artifact = self.artifact.as_ref().filter(|_| recording.mapped() == Some(phase));
        match (artifact, function) {
            (None, None) => phase.to_string(),
            (Some(artifact), None) => match recording.path() {
                Some(path) => format!("{}.{path}", artifact.contract),
                None => artifact.contract.clone(),
            },
            (artifact, Some(id)) => {
                let known = artifact.and_then(|artifact| artifact.function(&id.bytes()));
                known.map_or_else(|| format!("function {id}"), |function| function.name.clone())
            }
        }
    }

    /// A source as clients know it: by its path, or if it is no file, by its number.
    pub(crate) fn source(&self, file: usize) -> Value {
        match self.sources.get(file) {
            None => Value::Null,
            Some(Source { name, path: Some(path), .. }) => {
                let name = name.rsplit('/').next().unwrap_or(name);
                json!({ "name": name, "path": path })
            }
            Some(Source { name, text: Some(_), .. }) => {
                json!({ "name": name, "sourceReference": file + 1, "origin": "the standard library" })
            }
            Some(Source { name, .. }) => json!({
                "name": name,
                "sourceReference": file + 1,
                "origin": "not here as it was compiled",
                "presentationHint": "deemphasize",
            }),
        }
    }

    /// Where a place begins and ends: `line`, `column`, `endLine`, `endColumn`, in units of UTF-16.
    pub(crate) fn place(&self, span: SourceSpan, client: Client) -> Map<String, Value> {
        let text = self.sources.get(span.file).and_then(|source| source.text.as_deref());
        let mut place = Map::from_iter([("line".to_owned(), json!(client.line(span.line)))]);
        if let Some((column, end_line, end_column)) = text.and_then(|text| extent(text, span)) {
            place.insert("column".to_owned(), json!(client.column(column)));
            place.insert("endLine".to_owned(), json!(client.line(end_line)));
            place.insert("endColumn".to_owned(), json!(client.column(end_column)));
        } else {
            place.insert("column".to_owned(), json!(client.column(span.column.saturating_sub(1))));
        }
        place
    }
}

/// The column where a place begins, and the line and the column where it ends; lines from 1, columns from 0.
fn extent(text: &str, span: SourceSpan) -> Option<(usize, usize, usize)> {
    let column = |at: usize| {
        let before = text.get(..at)?;
        let line = before.rsplit('\n').next().unwrap_or(before);
        Some(line.encode_utf16().count())
    };
    let inside = text.get(span.start..span.end)?;
    Some((column(span.start)?, span.line + inside.matches('\n').count(), column(span.end)?))
}
