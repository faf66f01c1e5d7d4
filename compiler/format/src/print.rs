//! Documents to lines.

use crate::doc::Doc;
use crate::{INDENT, WIDTH_MAX};

/// Values of longer keys stand right behind them.
const KEY_WIDTH_MAX: usize = 24;

/// A finished line, but for what is put in columns.
#[derive(Default)]
struct Row {
    text: String,
    /// Where the value of a key begins.
    column: Option<usize>,
    /// Whether the line has had its key: others stand inside its value.
    keyed: bool,
    comment: Option<String>,
    /// Whether the comment is put in a column.
    remark: bool,
}

/// What is still to be printed, with its level and whether the group around is broken.
#[derive(Clone, Copy)]
struct Job<'d, 'a> {
    doc: &'d Doc<'a>,
    level: usize,
    broken: bool,
}

/// Takes documents one after the other.
#[derive(Default)]
pub(crate) struct Printer {
    rows: Vec<Row>,
    row: Row,
    /// Characters of `row`.
    width: usize,
}

impl Printer {
    /// Prints a document behind those before. Whatever stands on its last line belongs to it.
    pub(crate) fn print(&mut self, doc: &Doc<'_>) {
        let mut jobs = vec![Job { doc, level: 0, broken: true }];
        while let Some(job) = jobs.pop() {
            self.step(job, &mut jobs);
        }
    }

    /// The text of all of them.
    pub(crate) fn finish(mut self) -> String {
        self.end_line();
        finish(self.rows)
    }

    fn step<'d, 'a>(&mut self, job: Job<'d, 'a>, jobs: &mut Vec<Job<'d, 'a>>) {
        let Job { doc, level, broken } = job;
        match doc {
            Doc::Text(text) => self.write(level, text),
            Doc::Line if !broken => self.write(level, " "),
            Doc::SoftLine if !broken => {}
            Doc::Line | Doc::SoftLine | Doc::Hard => self.end_line(),
            Doc::Blank => {
                self.end_line();
                self.rows.push(Row::default());
            }
            Doc::TrailingComma if broken => self.write(level, ","),
            Doc::TrailingComma => {}
            Doc::Trailing(comment) | Doc::Remark(comment) => {
                self.row.comment = Some((*comment).to_owned());
                self.row.remark = matches!(doc, Doc::Remark(_));
            }
            Doc::Column if self.row.keyed => {}
            Doc::Column => {
                self.row.keyed = true;
                let key = self.taken(level).saturating_sub(level * INDENT);
                self.row.column = (key <= KEY_WIDTH_MAX).then_some(self.row.text.len());
            }
            Doc::Seq(all) => jobs.extend(all.iter().rev().map(|doc| Job { doc, level, broken })),
            Doc::Nest(inner) => jobs.push(Job { doc: inner, level: level + 1, broken }),
            Doc::Broken(inner) => jobs.push(Job { doc: inner, level, broken: true }),
            Doc::Group(inner) => {
                let flat = Job { doc: inner, level, broken: false };
                let room = WIDTH_MAX.saturating_sub(self.taken(level));
                let fits = fits(room, flat, jobs);
                jobs.push(Job { broken: !fits, ..flat });
            }
            Doc::Fill(all) => self.fill(all, level),
        }
    }

    fn fill(&mut self, all: &[Doc<'_>], level: usize) {
        let mut separator = false;
        for doc in all {
            let Doc::Text(text) = doc else { continue };
            // The comma behind takes one more.
            if separator && self.taken(level) + text.chars().count() + 2 > WIDTH_MAX {
                self.end_line();
            } else if separator {
                self.write(level, " ");
            }
            self.write(level, text);
            separator = *text == ",";
        }
    }

    /// Characters of the line so far, with the indentation that it will have.
    fn taken(&self, level: usize) -> usize {
        if self.row.text.is_empty() { level * INDENT } else { self.width }
    }

    fn write(&mut self, level: usize, text: &str) {
        if self.row.text.is_empty() {
            if text == " " {
                return;
            }
            self.row.text = " ".repeat(level * INDENT);
            self.width = level * INDENT;
        }
        self.row.text.push_str(text);
        self.width += text.chars().count();
    }

    fn end_line(&mut self) {
        let mut row = std::mem::take(&mut self.row);
        row.text.truncate(row.text.trim_end().len());
        self.width = 0;
        // What goes on below stands right behind its key.
        if row.text.ends_with(['{', '[', '(']) {
            row.column = None;
        }
        if !row.text.is_empty() || row.comment.is_some() {
            self.rows.push(row);
        }
    }
}

/// Whether a document that is not broken, and what follows it up to the next possible break, fits.
fn fits<'d, 'a>(mut room: usize, first: Job<'d, 'a>, behind: &[Job<'d, 'a>]) -> bool {
    let mut jobs = vec![first];
    let mut behind = behind.iter().rev();
    let mut inside = true;
    loop {
        let job = jobs.pop().or_else(|| {
            inside = false;
            behind.next().copied()
        });
        let Some(Job { doc, level, broken }) = job else { return true };
        let width = match doc {
            Doc::Text(text) => text.chars().count(),
            Doc::Line if !broken => 1,
            // What must be broken breaks what is around it: so a broken text stays as it is the next time.
            Doc::Line | Doc::SoftLine if broken => return !inside,
            Doc::Hard | Doc::Blank | Doc::Trailing(_) | Doc::Remark(_) => return !inside,
            Doc::Line | Doc::SoftLine | Doc::TrailingComma | Doc::Column => 0,
            Doc::Seq(all) | Doc::Fill(all) => {
                jobs.extend(all.iter().rev().map(|doc| Job { doc, level, broken }));
                0
            }
            Doc::Nest(inner) | Doc::Group(inner) => {
                jobs.push(Job { doc: inner, level, broken });
                0
            }
            Doc::Broken(inner) => {
                jobs.push(Job { doc: inner, level, broken: true });
                0
            }
        };
        match room.checked_sub(width) {
            Some(left) => room = left,
            None => return false,
        }
    }
}

/// Puts in columns what belongs there, and the lines together.
fn finish(mut rows: Vec<Row>) -> String {
    align(
        &mut rows,
        |row| row.column,
        |row, at, pad| {
            row.text.insert_str(at, &" ".repeat(pad));
        },
    );
    let end = |row: &Row| row.remark.then_some(row.text.len());
    align(&mut rows, end, |row, _, pad| row.text.push_str(&" ".repeat(pad)));
    let mut text = String::new();
    for row in &rows {
        text.push_str(&row.text);
        if let Some(comment) = &row.comment {
            text.push(' ');
            text.push_str(comment);
        }
        text.push('\n');
    }
    // Blank lines at the ends are nobody's.
    let text = text.trim_end_matches('\n');
    if text.is_empty() { String::new() } else { format!("{text}\n") }
}

/// In each run of lines that have the place, moves it to the column of the one furthest right.
fn align(rows: &mut [Row], place: impl Fn(&Row) -> Option<usize>, pad: impl Fn(&mut Row, usize, usize)) {
    let key = |row: &Row| place(row).map(|_| row.text.chars().take_while(|c| *c == ' ').count());
    for run in rows.chunk_by_mut(|a, b| key(a).is_some() && key(a) == key(b)) {
        let column = |row: &Row| place(row).map(|at| row.text.get(..at).unwrap_or_default().chars().count());
        let furthest = run.iter().filter_map(column).max().unwrap_or(0);
        for row in run {
            if let (Some(at), Some(column)) = (place(row), column(row)) {
                pad(row, at, furthest - column);
            }
        }
    }
}
