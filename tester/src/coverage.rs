//! What of the contracts the tests have run: paths, both sides of branches and of every `require`, lines.
//!
//! Tests run once more for it, with every script traced. What is counted are sums over runs, so the result does not depend
//! on how tests are shared among threads.

use std::collections::{BTreeMap, BTreeSet};

use driver::Compiled;
use spec::artifact::{RequireSite, SourceSpan};
use spec::{Artifact, Rules, SpendContext};
use vm::{Step, Tracer};
use wallet::Places;

use crate::written::Written;

/// What has been run of one contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The file.
    pub file: String,
    /// The contract.
    pub contract: String,
    /// Everything that can be covered, in source order.
    pub points: Vec<Point>,
    /// How many runs came to each line that has code, by file.
    pub lines: BTreeMap<(String, usize), u64>,
}

/// Something that a test covers or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// Where in the file it begins: two of one line differ by it.
    pub start: usize,
    /// What it is.
    pub kind: PointKind,
    /// How often it was seen.
    pub count: u64,
}

/// What can be covered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PointKind {
    /// A path, by a transaction that is valid.
    Path(String),
    /// A side of an `if`: the block, or what happens without it.
    Side(bool),
    /// An arm of a `match`, from 1.
    Arm(usize),
    /// A condition of a `require` that holds, with the message.
    Holds(String),
    /// A condition of a `require` that fails, with the message.
    Fails(String),
}

/// A piece of code: the script, or the function with this name on the machine.
type Code = Option<Vec<u8>>;
/// A place in the source: the file, where it begins and ends.
type At = (usize, usize, usize);

/// What runs have shown, by file and contract.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(BTreeMap<(String, String), Marks>);

#[derive(Clone, Debug, Default)]
struct Marks {
    /// How many valid transactions took each path.
    paths: BTreeMap<String, u64>,
    /// How often the first branch of a conditional ran, and how often not.
    turns: BTreeMap<(Code, usize), [u64; 2]>,
    /// How often a condition held, and how often not.
    checks: BTreeMap<At, [u64; 2]>,
    lines: BTreeMap<(usize, usize), u64>,
}

fn add_all<K: Ord + Clone, const N: usize>(to: &mut BTreeMap<K, [u64; N]>, from: &BTreeMap<K, [u64; N]>) {
    for (key, counts) in from {
        let sums = to.entry(key.clone()).or_insert([0; N]);
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
}

fn add_each<K: Ord + Clone>(to: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
    from.iter().for_each(|(key, count)| *to.entry(key.clone()).or_default() += count);
}

fn key(artifact: &Artifact) -> (String, String) {
    let file = artifact.sources.first().map_or_else(String::new, |source| source.path.clone());
    (file, artifact.contract.clone())
}

impl Seen {
    pub(crate) fn absorb(&mut self, other: &Seen) {
        for (contract, marks) in &other.0 {
            let own = self.0.entry(contract.clone()).or_default();
            add_each(&mut own.paths, &marks.paths);
            add_all(&mut own.turns, &marks.turns);
            add_all(&mut own.checks, &marks.checks);
            add_each(&mut own.lines, &marks.lines);
        }
    }

    /// A valid transaction took this path.
    pub(crate) fn took(&mut self, artifact: &Artifact, path: &str) {
        *self.0.entry(key(artifact)).or_default().paths.entry(path.to_owned()).or_default() += 1;
    }

    /// Runs an input and watches it.
    pub(crate) fn watch(
        &mut self,
        rules: &Rules,
        context: &SpendContext<'_>,
        input: usize,
        artifact: &Artifact,
        code: &[u8],
    ) {
        let mut watch = Watch {
            places: Places::new(artifact, code),
            marks: Marks::default(),
            last: Vec::new(),
            lines: BTreeSet::new(),
        };
        let holds = vm::verify_input_traced(rules, context, input, &mut watch).is_ok();
        watch.judge_last(holds);
        let Watch { mut marks, lines, .. } = watch;
        marks.lines = lines.into_iter().map(|line| (line, 1)).collect();
        self.absorb(&Seen(BTreeMap::from([(key(artifact), marks)])));
    }
}

struct Watch<'a> {
    places: Places<'a>,
    marks: Marks,
    /// The checks of the last instruction: they hold if another one follows.
    last: Vec<&'a RequireSite>,
    lines: BTreeSet<(usize, usize)>,
}

impl Watch<'_> {
    fn judge_last(&mut self, holds: bool) {
        for site in std::mem::take(&mut self.last) {
            let at = (site.span.file, site.span.start, site.span.end);
            let [held, failed] = self.marks.checks.entry(at).or_default();
            *(if holds { held } else { failed }) += 1;
        }
    }
}

impl Tracer for Watch<'_> {
    fn step(&mut self, step: &Step<'_>) {
        if self.places.has(step) && step.executing {
            self.judge_last(true);
            self.last = self.places.checks(step);
            if let Some(span) = self.places.place(step) {
                self.lines.insert((span.file, span.line));
            }
            if let (Some(taken), Some(number)) = (step.turn(), self.places.number(step)) {
                let code = step.function.map(|id| id.bytes().to_vec());
                let [first, second] = self.marks.turns.entry((code, number)).or_default();
                *(if taken { first } else { second }) += 1;
            }
        }
        self.places.follow(step);
    }
}

/// The coverage of all contracts in these files.
pub(crate) fn coverage(compiled: &Compiled, files: &BTreeSet<String>, seen: &Seen) -> Vec<Coverage> {
    let written = Written::new(compiled);
    let own = |artifact: &&Artifact| artifact.sources.first().is_some_and(|source| files.contains(&source.path));
    let marks = |artifact: &Artifact| seen.0.get(&key(artifact)).cloned().unwrap_or_default();
    let of = |artifact: &Artifact| Reader { artifact, written: &written, files, marks: marks(artifact) }.coverage();
    let mut all: Vec<Coverage> = compiled.artifacts.iter().filter(own).map(of).collect();
    all.sort_by(|one, other| (&one.file, &one.contract).cmp(&(&other.file, &other.contract)));
    all.dedup_by(|one, other| (&one.file, &one.contract) == (&other.file, &other.contract));
    all
}

/// Whoever reads what can be covered out of an artifact.
struct Reader<'c> {
    artifact: &'c Artifact,
    written: &'c Written<'c>,
    files: &'c BTreeSet<String>,
    marks: Marks,
}

impl Reader<'_> {
    fn coverage(&self) -> Coverage {
        let (file, contract) = key(self.artifact);
        let mut points: BTreeMap<(String, usize, PointKind), Point> = BTreeMap::new();
        for point in self.paths(&file).into_iter().chain(self.checks()).chain(self.turns()) {
            let same = (point.file.clone(), point.start, point.kind.clone());
            points.entry(same).and_modify(|known| known.count += point.count).or_insert(point);
        }
        let mut points: Vec<Point> = points.into_values().collect();
        points.sort();
        Coverage { file, contract, points, lines: self.lines() }
    }

    /// The path of a file of the package itself.
    fn own_file(&self, index: usize) -> Option<&str> {
        let path = self.artifact.sources.get(index)?.path.as_str();
        self.files.get(path).map(String::as_str)
    }

    fn paths(&self, file: &str) -> Vec<Point> {
        let first =
            self.artifact.source_map.iter().filter(|entry| entry.span.file == 0).map(|entry| entry.span.line).min();
        let of = |path: &spec::artifact::SpendPath| {
            let line = self.written.path_line(file, &self.artifact.contract, &path.name).or(first).unwrap_or(1);
            let count = self.marks.paths.get(&path.name).copied().unwrap_or(0);
            let kind = PointKind::Path(path.name.clone());
            Point { file: file.to_owned(), line, start: 0, kind, count }
        };
        self.artifact.paths.iter().map(of).collect()
    }

    /// Both outcomes of each condition that somebody wrote.
    fn checks(&self) -> Vec<Point> {
        let shared = self.artifact.functions.iter().flat_map(|function| &function.requires);
        let mut sites: BTreeMap<At, &RequireSite> = BTreeMap::new();
        for site in self.artifact.requires.iter().chain(shared) {
            sites.entry((site.span.file, site.span.start, site.span.end)).or_insert(site);
        }
        let mut points = Vec::new();
        for (at, site) in sites {
            let Some(file) = self.own_file(site.span.file) else { continue };
            if !self.written.in_require(file, site.span.start) {
                continue;
            }
            let [held, failed] = self.marks.checks.get(&at).copied().unwrap_or_default();
            let both =
                [(PointKind::Holds(site.message.clone()), held), (PointKind::Fails(site.message.clone()), failed)];
            points.extend(both.map(|(kind, count)| self.point(file, site.span, kind, count)));
        }
        points
    }

    fn point(&self, file: &str, span: SourceSpan, kind: PointKind, count: u64) -> Point {
        Point { file: file.to_owned(), line: span.line, start: span.start, kind, count }
    }

    /// The sides of each `if` and the arms of each `match`.
    fn turns(&self) -> Vec<Point> {
        let script = |number| self.artifact.source_of(number);
        let mut points = self.turns_of(&None, &self.artifact.asm, &script);
        for function in &self.artifact.functions {
            points
                .extend(self.turns_of(&Some(function.id.clone()), &function.asm, &|number| function.source_of(number)));
        }
        points
    }

    fn turns_of(&self, code: &Code, asm: &str, place: &dyn Fn(usize) -> Option<SourceSpan>) -> Vec<Point> {
        // The conditionals around an instruction; the places of those that stand in the second branch of one for the
        // same place are further arms of one `match`.
        let mut open: Vec<(SourceSpan, usize)> = Vec::new();
        let mut arms: Vec<(usize, SourceSpan, usize)> = Vec::new();
        for (number, word) in asm.split_whitespace().enumerate() {
            match word {
                "OP_IF" | "OP_NOTIF" => {
                    let span = place(number).unwrap_or_default();
                    let arm = open.iter().filter(|(around, _)| *around == span).count() + 1;
                    open.push((span, arm));
                    arms.push((number, span, arm));
                }
                "OP_ENDIF" => drop(open.pop()),
                _ => {}
            }
        }
        let last = |span: &SourceSpan| arms.iter().filter(|(_, other, _)| other == span).map(|(_, _, arm)| *arm).max();
        let mut points = Vec::new();
        for (number, span, arm) in &arms {
            let Some(file) = self.own_file(span.file) else { continue };
            let [first, second] = self.marks.turns.get(&(code.clone(), *number)).copied().unwrap_or_default();
            let text = self.written.text(file, span.start, span.end);
            if text.starts_with("if") {
                points.push(self.point(file, *span, PointKind::Side(true), first));
                points.push(self.point(file, *span, PointKind::Side(false), second));
            } else if text.starts_with("match") {
                points.push(self.point(file, *span, PointKind::Arm(*arm), first));
                if last(span) == Some(*arm) {
                    points.push(self.point(file, *span, PointKind::Arm(arm + 1), second));
                }
            }
        }
        points
    }

    fn lines(&self) -> BTreeMap<(String, usize), u64> {
        let shared = self.artifact.functions.iter().flat_map(|function| &function.source_map);
        let mut lines = BTreeMap::new();
        for entry in self.artifact.source_map.iter().chain(shared) {
            if let Some(file) = self.own_file(entry.span.file) {
                let count = self.marks.lines.get(&(entry.span.file, entry.span.line)).copied().unwrap_or(0);
                lines.insert((file.to_owned(), entry.span.line), count);
            }
        }
        lines
    }
}

impl Coverage {
    /// How many of the chosen points there are, and how many were seen.
    #[must_use]
    pub fn count(&self, chosen: fn(&PointKind) -> bool) -> (usize, usize) {
        let points = || self.points.iter().filter(|point| chosen(&point.kind));
        (points().filter(|point| point.count > 0).count(), points().count())
    }
}
