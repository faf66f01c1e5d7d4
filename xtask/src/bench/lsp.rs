//! `cargo xtask bench lsp`: the shipped server as an editor meets it, over its standard input and output, at three sizes of a source.
//!
//! Processor time is what the kernel counts for the server's threads, so that other work on the machine does not show; the clock is the
//! editor's.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Editor, uri};

use crate::process::{processor, resident_kib};

const PAGE: &str = "docs/book/src/editor-figures.md";

/// Lines of the sources.
const SIZES: [usize; 3] = [SMALL, USUAL, 20_000];
const SMALL: usize = 500;
/// The one that goals are for.
const USUAL: usize = 5_000;
/// How often each question is put: an even number, so that each key that comes also goes.
const ROUNDS: usize = 200;
/// How often the server is started.
const STARTS: usize = 20;
/// Keys of a burst.
const KEYS: usize = 40;
/// Edits of the long run.
const EDITS: u64 = 15_000;

/// What one round took.
#[derive(Clone, Copy)]
struct Took {
    processor: Duration,
    wall: Duration,
}

/// A row of the table: what was done, at each size, and the goal at 5,000 lines.
struct Row {
    what: &'static str,
    goal: Goal,
    took: Vec<Vec<Took>>,
}

#[derive(Clone, Copy)]
enum Goal {
    Processor(u64),
    Wall(u64),
    None,
}

/// Builds, measures, prints and writes the page.
pub(super) fn run(root: &Path, quick: bool, other: Option<&Path>) -> Result<(), String> {
    let bmc = other.map_or_else(|| built(root), |other| Ok(other.to_owned()))?;
    let rounds = if quick { ROUNDS / 10 } else { ROUNDS };
    let mut rows: Vec<Row> = ROWS.iter().map(|(what, goal)| Row { what, goal: *goal, took: Vec::new() }).collect();
    let mut memory = Vec::new();
    let mut stale = 0;
    for lines in SIZES {
        println!("a source of {lines} lines");
        let mut bench = Bench::start(&bmc, lines)?;
        for (row, took) in rows.iter_mut().zip(bench.all(rounds)?) {
            row.took.push(took);
        }
        stale += bench.stale;
        memory.push(bench.resident()?);
    }
    let edits = if quick { EDITS / 10 } else { EDITS };
    println!("{edits} edits of the source of {} lines", USUAL);
    let grown = soak(&bmc, edits)?;
    let tables = tables(&rows, &memory, stale, (edits, grown));
    print!("{tables}");
    if quick || other.is_some() {
        return Ok(());
    }
    let page = format!("{INTRODUCTION}\nMeasured on {}.\n\n{tables}", super::processor());
    fs::write(root.join(PAGE), page).map_err(|error| format!("cannot write `{PAGE}`: {error}"))
}

/// In the order in which [`Bench::all`] measures them.
const ROWS: [(&str, Goal); 10] = [
    ("start → `initialized`", Goal::Wall(30)),
    ("open → diagnostics", Goal::None),
    ("key in a body → diagnostics", Goal::Processor(5)),
    ("key in a signature → diagnostics", Goal::None),
    ("completion behind a dot just typed", Goal::Processor(5)),
    ("hover just after a key", Goal::None),
    ("hover", Goal::Processor(2)),
    ("semantic tokens, difference after a key", Goal::Processor(5)),
    ("formatting", Goal::Processor(15)),
    ("40 keys at once → last diagnostics", Goal::Wall(30)),
];

/// The binary as it is shipped.
fn built(root: &Path) -> Result<PathBuf, String> {
    let built = crate::cargo().args(["build", "--release", "-p", "bmc"]).current_dir(root).status();
    match built {
        Ok(status) if status.success() => {}
        Ok(status) => return Err(format!("the build ends with {status}")),
        Err(error) => return Err(error.to_string()),
    }
    let metadata = cargo_metadata::MetadataCommand::new().current_dir(root).no_deps().exec();
    let target = metadata.map_err(|error| error.to_string())?.target_directory;
    Ok(target.into_std_path_buf().join("release/bmc"))
}

/// A program of about so many lines: what authors write, over and over under other names.
fn program(lines: usize) -> String {
    let mut text = String::from("//! Everything that one house sells.\n\nuse std::math::isqrt;\n\n");
    for number in 0.. {
        let _ = write!(
            text,
            "/// The price of a task of size `n`.\n\
             fn price_{number}(n: Int) -> Int {{\n    let base = n * {number} + 7;\n    let root = isqrt(base);\n    \
             if root > 100 {{ root + base }} else {{ base }}\n}}\n\n\
             struct Order_{number} {{\n    size: Int,\n    buyer: PubKey,\n}}\n\n\
             /// Who is paid for task {number}.\n\
             reward Task_{number} {{\n    data:     40%,\n    compute:  25%,\n    models:   20% {{ first: 1/2, second: rest }},\n    \
             research: rest,\n    dust:     data,\n    minimum:  40_000 sats,\n    fee:      up to 1_000 sats,\n}}\n\n\
             /// Holds what is paid for order {number} until it is delivered.\n\
             contract Escrow_{number}(buyer: PubKey, seller: PubKey, until: Height) {{\n    \
             spend deliver(sig: Sig, size: Int) {{\n        require buyer.signed(sig), \"not the buyer\";\n        \
             let due = price_{number}(size);\n        require self.index == 0, \"not the first input\";\n        \
             require int(tx.outputs[0].value) >= due, \"too little for the seller\";\n    }}\n    \
             spend give_back(sig: Sig) {{\n        require seller.signed(sig), \"not the seller\";\n    }}\n    \
             spend expire(sig: Sig) {{\n        require tx.height >= until, \"too early\";\n        \
             require buyer.signed(sig), \"not the buyer\";\n    }}\n}}\n\n",
        );
        if text.matches('\n').count() >= lines {
            break;
        }
    }
    text
}

/// An editor with one document.
struct Bench {
    bmc: PathBuf,
    folder: tempfile::TempDir,
    editor: Editor,
    uri: String,
    text: String,
    version: i64,
    /// Reports that an older state overtook.
    stale: usize,
}

impl Bench {
    fn start(bmc: &Path, lines: usize) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let uri = uri(&folder.path().join("house.bmc"));
        let editor = Editor::start(bmc, folder.path(), &able());
        Ok(Self { bmc: bmc.to_owned(), folder, editor, uri, text: program(lines), version: 1, stale: 0 })
    }

    /// What each row took, in the order of [`ROWS`].
    fn all(&mut self, rounds: usize) -> Result<Vec<Vec<Took>>, String> {
        let started = self.starts()?;
        let opened = self.measured(1, |bench, _| {
            let text = bench.text.clone();
            bench.editor.open(&bench.uri, &text);
            assert!(bench.reported().is_empty(), "nothing is wrong with the source");
        })?;
        // Places in the middle of the document.
        let body = self.place("let base = n * ", 0);
        let signature = self.place("contract Escrow_", 0);
        let word = self.place("price_", 3);
        let mut rows = vec![started, opened];
        rows.push(self.keys(rounds, body)?);
        rows.push(self.keys(rounds, signature)?);
        rows.push(self.measured(rounds, |bench, round| {
            let (line, column) = body;
            let typed = if round % 2 == 0 { "isqrt(n)." } else { "tx." };
            bench.replace(line, column, 0, typed);
            let here = bench.at(line, column + typed.len() as u64);
            bench.ask("textDocument/completion", here, Value::is_array);
            bench.replace(line, column, typed.len() as u64, "");
        })?);
        rows.push(self.measured(rounds, |bench, round| {
            bench.key(round, body);
            let here = bench.at(word.0, word.1);
            bench.ask("textDocument/hover", here, Value::is_object);
        })?);
        self.settle(body);
        rows.push(self.measured(rounds, |bench, _| {
            let here = bench.at(word.0, word.1);
            bench.ask("textDocument/hover", here, Value::is_object);
        })?);
        let document = json!({ "textDocument": { "uri": self.uri } });
        let name = |answer: &Value| answer.get("resultId").cloned().unwrap_or_default();
        let mut known = name(&self.editor.request("textDocument/semanticTokens/full", document));
        rows.push(self.measured(rounds, |bench, round| {
            bench.key(round, body);
            let params = json!({ "textDocument": { "uri": bench.uri }, "previousResultId": known });
            let answer = bench.editor.request("textDocument/semanticTokens/full/delta", params);
            known = name(&answer);
        })?);
        self.settle(body);
        rows.push(self.measured(rounds.div_ceil(4), |bench, _| {
            let params =
                json!({ "textDocument": { "uri": bench.uri }, "options": { "tabSize": 4, "insertSpaces": true } });
            bench.ask("textDocument/formatting", params, Value::is_array);
        })?);
        rows.push(self.bursts(rounds.div_ceil(10), body)?);
        Ok(rows)
    }

    /// From the start of the process to the answer to `initialize`.
    fn starts(&self) -> Result<Vec<Took>, String> {
        (0..STARTS)
            .map(|_| {
                let begun = Instant::now();
                let editor = Editor::start(&self.bmc, self.folder.path(), &able());
                Ok(Took { wall: begun.elapsed(), processor: processor(editor.process())? })
            })
            .collect()
    }

    fn keys(&mut self, rounds: usize, place: (u64, u64)) -> Result<Vec<Took>, String> {
        self.measured(rounds, |bench, round| {
            bench.key(round, place);
            drop(bench.reported());
        })
    }

    /// Waits until nothing that was asked for before is under way.
    fn settle(&mut self, place: (u64, u64)) {
        self.key(0, place);
        self.key(1, place);
        drop(self.reported());
    }

    /// Keys that come faster than anybody types, from the last one to the report about it.
    fn bursts(&mut self, rounds: usize, (line, column): (u64, u64)) -> Result<Vec<Took>, String> {
        let mut took = Vec::new();
        for _ in 0..rounds {
            for (column, _) in (column..).zip(0..KEYS) {
                self.replace(line, column, 0, "1");
            }
            let (begun, before) = (Instant::now(), processor(self.editor.process())?);
            let first = self.version - i64::try_from(KEYS).unwrap_or(0);
            drop(self.reported());
            took.push(Took {
                wall: begun.elapsed(),
                processor: processor(self.editor.process())?.saturating_sub(before),
            });
            let is_report =
                |message: &&Value| message.get("method").is_some_and(|it| it == "textDocument/publishDiagnostics");
            let reports = self.editor.kept().filter(is_report);
            let versions: Vec<i64> =
                reports.filter_map(|message| message.pointer("/params/version")?.as_i64()).collect();
            self.stale += usize::from(!versions.is_sorted() || versions.iter().any(|version| *version < first));
            self.replace(line, column, KEYS as u64, "");
            drop(self.reported());
            drop(self.editor.rest());
        }
        Ok(took)
    }

    fn measured(&mut self, rounds: usize, mut round: impl FnMut(&mut Self, usize)) -> Result<Vec<Took>, String> {
        let mut took = Vec::new();
        for number in 0..rounds {
            let (begun, before) = (Instant::now(), processor(self.editor.process())?);
            round(self, number);
            let wall = begun.elapsed();
            took.push(Took { wall, processor: processor(self.editor.process())?.saturating_sub(before) });
            drop(self.editor.rest());
        }
        Ok(took)
    }

    /// The place behind a piece of text, in the middle of the document.
    fn place(&self, piece: &str, further: usize) -> (u64, u64) {
        let middle = self.text.floor_char_boundary(self.text.len() / 2);
        let behind = self.text.get(middle..).unwrap_or_default();
        let at = behind.find(piece).map_or(0, |at| middle + at + piece.len() - further);
        let before = self.text.get(..at).unwrap_or_default();
        (before.matches('\n').count() as u64, (at - before.rfind('\n').map_or(0, |at| at + 1)) as u64)
    }

    fn at(&self, line: u64, column: u64) -> Value {
        json!({ "textDocument": { "uri": self.uri }, "position": { "line": line, "character": column } })
    }

    /// A digit comes, and goes with the next key.
    fn key(&mut self, round: usize, (line, column): (u64, u64)) {
        match round % 2 {
            0 => self.replace(line, column, 0, "1"),
            _ => self.replace(line, column, 1, ""),
        }
    }

    fn replace(&mut self, line: u64, column: u64, gone: u64, text: &str) {
        self.version += 1;
        let place = |column: u64| json!({ "line": line, "character": column });
        self.editor.notify(
            "textDocument/didChange",
            json!({ "textDocument": { "uri": self.uri, "version": self.version },
                "contentChanges": [{ "range": { "start": place(column), "end": place(column + gone) }, "text": text }] }),
        );
    }

    /// Waits for the diagnostics of the last state.
    fn reported(&mut self) -> Vec<String> {
        self.editor.pushed(&self.uri, self.version)
    }

    fn ask(&mut self, method: &str, params: Value, fits: impl Fn(&Value) -> bool) {
        let answer = self.editor.request(method, params);
        assert!(fits(&answer), "{method}: {answer}");
    }

    /// The memory of the server, in bytes.
    fn resident(&self) -> Result<u64, String> {
        resident_kib(self.editor.process()).map(|kib| kib << 10)
    }
}

/// The growth in bytes from the first thousand edits to the last.
fn soak(bmc: &Path, edits: u64) -> Result<i64, String> {
    let mut bench = Bench::start(bmc, USUAL)?;
    let text = bench.text.clone();
    bench.editor.open(&bench.uri, &text);
    drop(bench.reported());
    let places =
        [("let base = n * ", 0), ("contract Escrow_", 0), ("size: Int", 0)].map(|(piece, at)| bench.place(piece, at));
    let mut before = 0;
    // Each key that comes also goes.
    let turns = places.into_iter().cycle().flat_map(|place| [place; 2]);
    for (edit, place) in (0..edits).zip(turns) {
        bench.key(usize::try_from(edit).unwrap_or(0), place);
        if edit % 10 == 9 {
            drop(bench.reported());
            drop(bench.editor.rest());
        }
        if edit == edits / 15 {
            before = bench.resident()?;
        }
    }
    let after = bench.resident()?;
    Ok(after.cast_signed() - before.cast_signed())
}

fn able() -> Value {
    json!({ "general": { "positionEncodings": ["utf-8"] } })
}

/// Median and 99th percentile.
fn middle(mut list: Vec<Duration>) -> (Duration, Duration) {
    list.sort_unstable();
    let at = |part: usize| list.get((list.len().saturating_sub(1)) * part / 100).copied().unwrap_or_default();
    (at(50), at(99))
}

fn milliseconds(time: Duration) -> String {
    let micros = time.as_micros();
    format!("{}.{:02}", micros / 1_000, micros % 1_000 / 10)
}

fn tables(rows: &[Row], memory: &[u64], stale: usize, (edits, grown): (u64, i64)) -> String {
    let mut out = String::from(
        "| | lines | processor, median | 99th | clock, median | 99th | goal |\n|---|--:|--:|--:|--:|--:|--:|\n",
    );
    for row in rows {
        for (lines, took) in SIZES.iter().zip(&row.took) {
            let (processor, processor_99) = middle(took.iter().map(|took| took.processor).collect());
            let (wall, wall_99) = middle(took.iter().map(|took| took.wall).collect());
            let goal = match row.goal {
                Goal::Processor(goal) if *lines == USUAL => format!("{goal} of processor"),
                Goal::Wall(goal) if *lines == USUAL => format!("{goal} by the clock"),
                _ => String::new(),
            };
            let what = if *lines == SMALL { row.what } else { "" };
            let figures = [processor, processor_99, wall, wall_99].map(milliseconds).join(" | ");
            let _ = writeln!(out, "| {what} | {lines} | {figures} | {goal} |");
        }
    }
    let memory: Vec<String> = memory.iter().map(|bytes| format!("{} MB", bytes / 1_000_000)).collect();
    let (sign, size) = (if grown < 0 { "-" } else { "" }, grown.unsigned_abs());
    let _ = write!(
        out,
        "\nAll times in milliseconds. Memory after all of it, at each size: {}. Growth from the first {} to the last of {edits} edits at \
         {} lines: {sign}{}.{:02} MB. Reports about an older state after one about a newer: {stale}.\n",
        memory.join(", "),
        edits / 15,
        USUAL,
        size / 1_000_000,
        size % 1_000_000 / 10_000
    );
    out
}

const INTRODUCTION: &str = "# Figures of the language server

`cargo xtask bench lsp` writes this page. It starts the binary as it is shipped and speaks with it as an editor does, about one source of
500, 5,000 and 20,000 lines: functions, structs, rewards and contracts. A key is a digit that is typed into an expression in the middle of
the document, or into the name of a contract, and goes again. Processor time is that of all the server's threads together. What a row
measures begins when the editor sends the message, and ends when the answer has come; diagnostics are those of the state that the
key led to.
";
