//! Diagnostics for people, through ariadne, and for machines, as JSON.

use std::io;
use std::sync::Arc;

use anstream::StripStream;
use ariadne::{CharSet, Color, Config, IndexType, Label as Mark, Report, ReportKind, sources};
use serde_json::{Value, json};
use syntax::{Diagnostic, Label, Severity};

use crate::fix::{Change, Remedy, remedies};
use crate::lint::lint_of;
use crate::place::{Place, Places};

/// One line of a source is shown at most this far; a longer one is cut, so that hostile input cannot flood a terminal.
const LINE_BYTES_MAX: usize = 2_000;

/// What stands beside a mark without words: ariadne underlines only what it can write beside.
const UNDERLINE_TEXT: &str = "here";

/// Writes every diagnostic with its source, in the order given.
///
/// # Errors
/// What `out` fails with.
pub fn human(out: &mut dyn io::Write, places: &Places, diagnostics: &[Diagnostic], color: bool) -> io::Result<()> {
    if !color {
        // The frame's title keeps its colour whatever the configuration says.
        let mut plain = StripStream::new(Vec::new());
        framed(&mut plain, places, diagnostics, color)?;
        return out.write_all(&plain.into_inner());
    }
    framed(out, places, diagnostics, color)
}

fn framed(out: &mut dyn io::Write, places: &Places, diagnostics: &[Diagnostic], color: bool) -> io::Result<()> {
    let mut cache = sources(places.files().map(|file| (file.path.to_string(), Shown(file.text.clone()))));
    for diagnostic in diagnostics {
        let told = Finding::of(diagnostic);
        match report(places, &told, color) {
            Some(report) => report.write(&mut cache, &mut *out)?,
            None => plain(out, places, &told)?,
        }
    }
    Ok(())
}

/// Something to show with its pieces of source: a diagnostic, or what was found beside the compilation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What stands before the message.
    pub title: String,
    /// How grave.
    pub severity: Severity,
    /// One sentence.
    pub message: String,
    /// The places, the primary one first.
    pub labels: Vec<Label>,
    /// Further facts.
    pub notes: Vec<String>,
    /// The next action.
    pub help: Option<String>,
}

impl Finding {
    fn of(diagnostic: &Diagnostic) -> Self {
        Self {
            title: format!("{}[{}]", severity(diagnostic), diagnostic.code),
            severity: diagnostic.severity,
            message: diagnostic.message.clone(),
            labels: diagnostic.labels.clone(),
            notes: diagnostic.notes.clone(),
            help: diagnostic.help.clone(),
        }
    }
}

/// Writes a finding with its source.
///
/// # Errors
/// What `out` fails with.
pub fn finding(out: &mut dyn io::Write, places: &Places, finding: &Finding, color: bool) -> io::Result<()> {
    let mut plainly = StripStream::new(Vec::new());
    let mut cache = sources(places.files().map(|file| (file.path.to_string(), Shown(file.text.clone()))));
    let target: &mut dyn io::Write = if color { &mut *out } else { &mut plainly };
    match report(places, finding, color) {
        Some(report) => report.write(&mut cache, target)?,
        None => plain(target, places, finding)?,
    }
    if color { Ok(()) } else { out.write_all(&plainly.into_inner()) }
}

/// A source as ariadne stores it.
struct Shown(Arc<str>);

impl AsRef<str> for Shown {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

type FileRange = (String, std::ops::Range<usize>);

/// The framed form; `None` if a line it would show is too long to be shown, or has nothing to show.
fn report<'a>(places: &Places, diagnostic: &'a Finding, color: bool) -> Option<Report<'a, FileRange>> {
    let at = |place: &Place| (place.path.to_string(), place.range.clone());
    let primary = shown_place(places, &diagnostic.labels)?;
    let tint = match diagnostic.severity {
        Severity::Error => Color::Red,
        Severity::Warning => Color::Yellow,
    };
    let config = Config::default().with_color(color).with_index_type(IndexType::Byte).with_char_set(CharSet::Unicode);
    let mut builder = Report::build(ReportKind::Custom(&diagnostic.title, tint), at(&primary))
        .with_config(config)
        .with_message(&diagnostic.message);
    builder.with_notes(diagnostic.notes.iter());
    if let Some(help) = &diagnostic.help {
        builder.add_help(help);
    }
    let mut labels =
        diagnostic.labels.iter().map(|label| Some((places.resolve(&label.loc)?, label))).collect::<Option<Vec<_>>>()?;
    // Labels out of the order of their lines would get a frame each, all with the same title.
    labels.sort_by_key(|(place, _)| place.range.start);
    for (place, label) in labels {
        if place.line_bytes > LINE_BYTES_MAX {
            return None;
        }
        let mark = Mark::new(at(&place)).with_color(if label.primary { tint } else { Color::Blue });
        builder.add_label(mark.with_message(if label.text.is_empty() { UNDERLINE_TEXT } else { &label.text }));
    }
    Some(builder.finish())
}

/// One line without the source, for places that cannot be shown.
fn plain(out: &mut dyn io::Write, places: &Places, diagnostic: &Finding) -> io::Result<()> {
    let place = shown_place(places, &diagnostic.labels);
    writeln!(out, "{}: {}", diagnostic.title, diagnostic.message)?;
    if let Some(place) = place {
        writeln!(out, "  at {}:{}:{}", place.path, place.line, place.column)?;
    }
    diagnostic.notes.iter().try_for_each(|note| writeln!(out, "  note: {note}"))?;
    diagnostic.help.iter().try_for_each(|help| writeln!(out, "  help: {help}"))
}

/// Where the message points; nowhere if its file has no text, as one that cannot be read.
fn shown_place(places: &Places, labels: &[Label]) -> Option<Place> {
    let loc = &primary(labels)?.loc;
    let empty = places.file(loc.file).is_none_or(|file| file.text.is_empty());
    if empty { None } else { places.resolve(loc) }
}

fn primary(labels: &[Label]) -> Option<&Label> {
    labels.iter().find(|label| label.primary)
}

fn severity(diagnostic: &Diagnostic) -> &'static str {
    match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// The diagnostics as a JSON array; lines and columns count from 1, columns in characters, offsets in bytes.
#[must_use]
pub fn machine(places: &Places, diagnostics: &[Diagnostic]) -> Value {
    diagnostics.iter().map(|diagnostic| machine_one(places, diagnostic)).collect()
}

/// A fix; a line and a column would be of no use to who makes it.
fn machine_fix(remedy: &Remedy) -> Value {
    let edit = |change: &Change| json!({ "file": change.path.as_ref(), "start": change.start, "end": change.end, "text": change.text });
    json!({
        "title": remedy.title,
        "effect": remedy.effect.name(),
        "edits": remedy.changes.iter().map(edit).collect::<Vec<_>>(),
    })
}

fn machine_one(places: &Places, diagnostic: &Diagnostic) -> Value {
    let labels: Vec<Value> = diagnostic
        .labels
        .iter()
        .filter_map(|label| {
            let place = places.resolve(&label.loc)?;
            Some(json!({
                "file": place.path.as_ref(),
                "line": place.line,
                "column": place.column,
                "start": place.range.start,
                "end": place.range.end,
                "text": label.text,
                "primary": label.primary,
            }))
        })
        .collect();
    json!({
        "code": diagnostic.code.name(),
        "severity": severity(diagnostic),
        "message": diagnostic.message,
        "labels": labels,
        "help": diagnostic.help,
        "notes": diagnostic.notes,
        "lint": lint_of(diagnostic.code).map(|lint| lint.name),
        "fixes": remedies(diagnostic, places).iter().map(machine_fix).collect::<Vec<_>>(),
    })
}
