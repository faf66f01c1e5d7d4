//! Where the bytes of a script come from: by path and by line of the source.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use spec::artifact::{MapEntry, PathSize, Piece, SourceSpan, UnlockItem};
use spec::opcode::Group;
use spec::script::instructions;
use spec::{Artifact, Opcode};

use crate::place::Places;

/// A longer line of source is cut.
const TEXT_MAX: usize = 60;

/// What one contract takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// Its name.
    pub contract: String,
    /// The bytes of the script.
    pub script: usize,
    /// The ways to spend it.
    pub paths: Vec<PathSize>,
    /// Where they come from, the largest first.
    pub lines: Vec<LineSize>,
}

/// What a line of the source takes in the part of the script that certain paths run: a line that each of several paths
/// has for itself comes once for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineSize {
    /// The path of the source.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// What stands there, without the indentation.
    pub text: String,
    /// Its bytes.
    pub bytes: usize,
    /// The paths that run it.
    pub paths: Vec<String>,
    /// What most of its instructions do.
    pub kind: LineKind,
    /// What they cost in the dearest run of the path for which that is most, if that has a bound.
    pub cost: Option<u64>,
}

/// What a piece of the source takes in the part of the script that certain paths run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartSize<P> {
    /// The piece.
    pub place: P,
    /// Its bytes.
    pub bytes: usize,
    /// The paths that run it, by their numbers, each with what its instructions cost in the dearest run; nothing where
    /// that has no bound. What functions cost counts where they are called.
    pub paths: BTreeMap<usize, Option<u64>>,
    /// How many instructions of each kind.
    kinds: BTreeMap<LineKind, usize>,
}

impl<P> PartSize<P> {
    /// The same somewhere else.
    pub(crate) fn at<Q>(self, place: Q) -> PartSize<Q> {
        let Self { bytes, paths, kinds, .. } = self;
        PartSize { place, bytes, paths, kinds }
    }

    /// What it costs in the path for which that is most; nothing if one of them has no bound.
    #[must_use]
    pub fn cost(&self) -> Option<u64> {
        let costs: Option<Vec<u64>> = self.paths.values().copied().collect();
        Some(costs?.into_iter().max().unwrap_or(0))
    }

    /// Adds what another piece takes for the same paths.
    fn add<Q>(&mut self, other: &PartSize<Q>) {
        self.bytes += other.bytes;
        for (path, cost) in &other.paths {
            let sum = self.paths.entry(*path).or_insert(Some(0));
            *sum = sum.zip(*cost).map(|(one, other)| one + other);
        }
        for (kind, instructions) in &other.kinds {
            *self.kinds.entry(*kind).or_default() += instructions;
        }
    }
}

/// What instructions are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LineKind {
    /// Constants and the values of parameters.
    Values,
    /// Signatures and hashes.
    Crypto,
    /// Facts about the transaction, and its time locks.
    Facts,
    /// Numbers and bytes.
    Computing,
    /// Branches, loops, functions.
    Flow,
    /// Items that are copied and moved.
    Stack,
}

impl LineKind {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Values, Self::Crypto, Self::Facts, Self::Computing, Self::Flow, Self::Stack];

    /// A few words for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Values => "values",
            Self::Crypto => "signatures and hashes",
            Self::Facts => "transaction and time",
            Self::Computing => "computing",
            Self::Flow => "branches and loops",
            Self::Stack => "moving of values",
        }
    }

    const fn of(opcode: Option<Opcode>) -> Self {
        let Some(opcode) = opcode else { return Self::Values };
        match opcode.row().group {
            Group::Constants => Self::Values,
            Group::Crypto => Self::Crypto,
            Group::Introspection | Group::Locktime => Self::Facts,
            Group::Bytes | Group::Arithmetic => Self::Computing,
            Group::Flow | Group::Reserved => Self::Flow,
            Group::Stack => Self::Stack,
        }
    }
}

/// One instruction of a script.
#[derive(Clone, Debug)]
struct Step {
    bytes: usize,
    /// `None` for pushes.
    opcode: Option<Opcode>,
    /// What it pushes, if the compiler fixed that.
    data: Vec<u8>,
}

/// For each path what each instruction costs in the dearest run, if that has a bound.
pub type PathCosts = [Option<BTreeMap<usize, u64>>];

/// The script of an artifact with holes of usual length, or with the values of its parameters if `filled` is that.
#[must_use]
pub fn measure(artifact: &Artifact, filled: Option<&[u8]>, costs: &PathCosts, places: &Places) -> Sizes {
    let (script, parts) = parts(artifact, filled, costs);
    let paths: Vec<PathSize> = artifact.paths.iter().map(|path| artifact.path_size(path, script)).collect();
    let line = |part: PartSize<SourceSpan>| {
        let path = artifact.sources.get(part.place.file).map_or("", |source| source.path.as_str());
        let line = part.place.line;
        part.at((path.to_owned(), line))
    };
    let lines = lines(parts.into_iter().map(line), &paths, places);
    Sizes { contract: artifact.contract.clone(), script, paths, lines }
}

/// The bytes of the script, and where they come from.
pub(crate) fn parts(
    artifact: &Artifact,
    filled: Option<&[u8]>,
    costs: &PathCosts,
) -> (usize, Vec<PartSize<SourceSpan>>) {
    let steps = match filled {
        Some(script) => steps_of(script),
        None => template_steps(artifact),
    };
    (steps.iter().map(|step| step.bytes).sum(), parts_of(artifact, &steps, costs))
}

fn steps_of(script: &[u8]) -> Vec<Step> {
    let step = |step: spec::script::Instruction<'_>| Step {
        bytes: step.end - step.at,
        opcode: step.opcode().filter(|_| step.data.is_none()),
        data: step.data.unwrap_or_default().to_vec(),
    };
    instructions(script).map_while(Result::ok).map(step).collect()
}

fn template_steps(artifact: &Artifact) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for piece in &artifact.bytecode {
        match piece {
            Piece::Code(code) => steps.extend(steps_of(code)),
            Piece::Param(_) | Piece::Push(_) => steps.push(Step { bytes: 0, opcode: None, data: Vec::new() }),
        }
    }
    for (step, bytes) in steps.iter_mut().zip(artifact.usual_instruction_lens()) {
        step.bytes = bytes;
    }
    steps
}

/// A piece of the source while its instructions are counted.
#[derive(Default)]
struct Count {
    place: SourceSpan,
    bytes: usize,
    kinds: BTreeMap<LineKind, usize>,
    /// The instructions of the script; those of functions count where they are called.
    instructions: BTreeSet<usize>,
}

/// By file, line, place and the paths that run it.
type Counts = BTreeMap<(usize, usize, usize, usize, BTreeSet<usize>), Count>;

fn parts_of(artifact: &Artifact, steps: &[Step], costs: &PathCosts) -> Vec<PartSize<SourceSpan>> {
    let routes = routes(artifact, steps);
    let runs = runs(steps, &routes);
    let mut counts = Counts::new();
    for (at, step) in steps.iter().enumerate() {
        let of = runs.get(at).cloned().unwrap_or_default();
        // Paths that share an instruction may have it from several lines; it counts for that of the first.
        let route = of.first().and_then(|path| routes.get(*path));
        let taken = |turn: usize| route.and_then(|route| route.get(&turn).copied());
        let function = artifact.functions.iter().find(|function| function.definition == at);
        let inner = function.map_or(0, |function| add_body(&mut counts, &function.source_map, &step.data, &of));
        if let Some(span) = artifact.source_after(at, &taken) {
            let count = add(&mut counts, span, step.bytes.saturating_sub(inner), LineKind::of(step.opcode), &of);
            count.instructions.insert(at);
        }
    }
    counts.into_iter().map(|((.., of), count)| part(costs, &of, count)).collect()
}

fn part(costs: &PathCosts, of: &BTreeSet<usize>, count: Count) -> PartSize<SourceSpan> {
    let cost = |path: usize| {
        let spent = costs.get(path)?.as_ref()?;
        Some(count.instructions.iter().filter_map(|at| spent.get(at)).sum::<u64>())
    };
    let paths = of.iter().map(|path| (*path, cost(*path))).collect();
    PartSize { place: count.place, bytes: count.bytes, paths, kinds: count.kinds }
}

/// Counts the instructions of a shared function's body for their own lines; the bytes of all of them.
fn add_body(counts: &mut Counts, source_map: &[MapEntry], body: &[u8], of: &BTreeSet<usize>) -> usize {
    let mut all = 0;
    for (at, step) in steps_of(body).iter().enumerate() {
        let before = source_map.partition_point(|entry| entry.instruction <= at).checked_sub(1);
        if let Some(entry) = before.and_then(|at| source_map.get(at)) {
            add(counts, entry.span, step.bytes, LineKind::of(step.opcode), of);
            all += step.bytes;
        }
    }
    all
}

fn add<'c>(
    counts: &'c mut Counts,
    span: SourceSpan,
    bytes: usize,
    kind: LineKind,
    of: &BTreeSet<usize>,
) -> &'c mut Count {
    let count = counts.entry((span.file, span.line, span.start, span.end, of.clone())).or_default();
    count.place = span;
    count.bytes += bytes;
    *count.kinds.entry(kind).or_default() += 1;
    count
}

/// The path of a source and a line of it.
type Line = (String, usize);

/// The same by line, the largest first; places are the path of a source and a line of it.
pub(crate) fn lines(parts: impl Iterator<Item = PartSize<Line>>, paths: &[PathSize], places: &Places) -> Vec<LineSize> {
    // Those with as many bytes stay in the order of the source.
    let mut by_line = BTreeMap::<(usize, usize, BTreeSet<usize>), PartSize<Line>>::new();
    let mut files: Vec<String> = Vec::new();
    for part in parts {
        let file = files.iter().position(|file| *file == part.place.0).unwrap_or_else(|| {
            files.push(part.place.0.clone());
            files.len() - 1
        });
        let of: BTreeSet<usize> = part.paths.keys().copied().collect();
        match by_line.get_mut(&(file, part.place.1, of.clone())) {
            Some(known) => known.add(&part),
            None => drop(by_line.insert((file, part.place.1, of), part)),
        }
    }
    let mut lines: Vec<LineSize> = by_line.into_values().map(|part| line(part, paths, places)).collect();
    lines.sort_by_key(|line| Reverse(line.bytes));
    lines
}

fn line(part: PartSize<Line>, paths: &[PathSize], places: &Places) -> LineSize {
    let (file, line) = &part.place;
    let source = places.files().find(|known| *known.path == **file);
    let text = source.and_then(|file| file.text.lines().nth(line.saturating_sub(1))).unwrap_or_default();
    // Whatever is done needs values, so these are the kind only of lines that do nothing else. Of two kinds with as
    // many instructions the first.
    let doing = part.kinds.iter().rev().filter(|(kind, _)| **kind != LineKind::Values);
    let kind = doing.max_by_key(|(_, instructions)| **instructions).map_or(LineKind::Values, |(kind, _)| *kind);
    LineSize {
        cost: part.cost(),
        text: shortened(text.trim()),
        line: *line,
        bytes: part.bytes,
        paths: part.paths.keys().filter_map(|at| paths.get(*at)).map(|path| path.path.clone()).collect(),
        kind,
        file: part.place.0,
    }
}

/// The text, cut where it is long.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(TEXT_MAX) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default().trim_end()),
        None => text.to_owned(),
    }
}

/// For each path which way it takes at the conditionals that tell it from others.
fn routes(artifact: &Artifact, steps: &[Step]) -> Vec<BTreeMap<usize, bool>> {
    let known = |path: &spec::artifact::SpendPath| !path.route.is_empty();
    if artifact.paths.iter().any(known) || artifact.paths.len() < 2 {
        let route = |path: &spec::artifact::SpendPath| {
            path.route.iter().map(|step| (step.turn.instruction, step.turn.taken)).collect()
        };
        return artifact.paths.iter().map(route).collect();
    }
    selected(artifact, steps)
}

/// The same where a selector is counted down: each path is the first block of a conditional that stands in the second
/// block of the one before, and the last path is the second block of the last of them. Paths that no conditional tells
/// from others run the same.
fn selected(artifact: &Artifact, steps: &[Step]) -> Vec<BTreeMap<usize, bool>> {
    let selector = |path: &spec::artifact::SpendPath| match path.unlock.last() {
        Some(UnlockItem::Int(n)) => Some(*n),
        _ => None,
    };
    if artifact.paths.iter().any(|path| selector(path).is_none()) {
        return vec![BTreeMap::new(); artifact.paths.len()];
    }
    let mut found = Vec::new();
    let mut before = BTreeMap::new();
    let mut from = 0;
    for at in 0..artifact.paths.len() {
        let mut route = before.clone();
        let is_last = at + 1 == artifact.paths.len();
        if let Some(fork) = (from..steps.len()).find(|at| steps.get(*at).is_some_and(opens)).filter(|_| !is_last) {
            route.insert(fork, true);
            before.insert(fork, false);
            from = else_of(steps, fork).unwrap_or(steps.len());
        }
        found.push(route);
    }
    found
}

fn opens(step: &Step) -> bool {
    matches!(step.opcode, Some(Opcode::If | Opcode::NotIf))
}

/// Where the second block of a conditional begins.
fn else_of(steps: &[Step], fork: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, step) in steps.iter().enumerate().skip(fork) {
        match step.opcode {
            Some(Opcode::If | Opcode::NotIf) => depth += 1,
            Some(Opcode::Else) if depth == 1 => return Some(at + 1),
            Some(Opcode::EndIf) if depth == 1 => return None,
            Some(Opcode::EndIf) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// For each instruction the paths that may run it.
fn runs(steps: &[Step], routes: &[BTreeMap<usize, bool>]) -> Vec<BTreeSet<usize>> {
    let mut open: Vec<(usize, bool)> = Vec::new();
    let mut found = Vec::with_capacity(steps.len());
    let all: BTreeSet<usize> = (0..routes.len()).collect();
    let mut here = vec![all.clone()];
    for (at, step) in steps.iter().enumerate() {
        match step.opcode {
            Some(Opcode::If | Opcode::NotIf) => {
                found.push(here.last().cloned().unwrap_or_default());
                open.push((at, true));
                here.push(those_in(here.last().unwrap_or(&all), routes, at, true));
            }
            Some(Opcode::Else) => {
                here.pop();
                let outer = here.last().cloned().unwrap_or_default();
                let fork = open.pop().map_or(at, |(fork, _)| fork);
                open.push((fork, false));
                here.push(those_in(&outer, routes, fork, false));
                found.push(outer);
            }
            Some(Opcode::EndIf) => {
                open.pop();
                here.pop();
                found.push(here.last().cloned().unwrap_or_default());
            }
            _ => found.push(here.last().cloned().unwrap_or_default()),
        }
    }
    found
}

fn those_in(outer: &BTreeSet<usize>, routes: &[BTreeMap<usize, bool>], fork: usize, first: bool) -> BTreeSet<usize> {
    let takes = |path: &&usize| {
        let turn = routes.get(**path).and_then(|route| route.get(&fork));
        turn.is_none_or(|taken| *taken == first)
    };
    outer.iter().filter(takes).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_instruction_belongs_to_the_paths_that_come_to_it() {
        // IF 2 ELSE IF 3 ELSE 4 ENDIF ENDIF 5
        let steps = steps_of(&[0x63, 0x52, 0x67, 0x63, 0x53, 0x67, 0x54, 0x68, 0x68, 0x55]);
        let routes = [
            BTreeMap::from([(0, true)]),
            BTreeMap::from([(0, false), (3, true)]),
            BTreeMap::from([(0, false), (3, false)]),
        ];
        let runs: Vec<Vec<usize>> =
            runs(&steps, &routes).into_iter().map(|paths| paths.into_iter().collect()).collect();
        let all = vec![0, 1, 2];
        assert_eq!(
            runs,
            [&all[..], &[0], &all, &[1, 2], &[1], &[1, 2], &[2], &[1, 2], &all, &all].map(<[usize]>::to_vec)
        );
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"ä".repeat(70)), "ä".repeat(60) + "…");
    }
}
