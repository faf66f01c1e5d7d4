//! Why a contract refused: from a failing instruction to the author's message and the line of the source.
//!
//! The machine names the byte at which a script failed. Parameters fill holes of different
//! lengths, so the artifact's maps count instructions; the redeem script translates one to the other.

use std::fmt;

use spec::Artifact;
use spec::artifact::{AbiType, Locking, RequireSite, SharedFunction, SourceSpan, SpendPath, UnlockItem};
use spec::script::instructions;
use vm::{Failure, ScriptError};

use crate::places::phase_of;
use crate::spending::script_of;

/// What a contract's author and source say about a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The contract.
    pub contract: String,
    /// The path that was taken, where that is known.
    pub path: Option<String>,
    /// The failing `require`'s message; where no `require` failed, what the machine says.
    pub message: String,
    /// Where the failing instruction comes from, where that is known.
    pub place: Option<Place>,
    /// What other `require`s may have failed instead, where the script checks several at once.
    pub others: Vec<Other>,
    /// What the checks demand that may have failed, where the script has nothing but a hash of it.
    pub expected: Vec<Vec<u8>>,
}

/// One of several `require`s that a script checks at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// Its message.
    pub message: String,
    /// Where it stands, where that is known.
    pub place: Option<Place>,
}

/// So many of the values that are hidden behind a hash are shown.
const SHOWN_MAX: usize = 8;
/// So many bytes of each: a lock that pays a script.
const SHOWN_BYTES_MAX: usize = 35;

/// A place in a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as the artifact names it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// `Contract.path: "message" at file.bmc:12:5`, as far as it is known; then ` or "another" at file.bmc:13:5` for each
/// check that may have failed instead, and what the script has only a hash of.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.contract)?;
        if let Some(path) = &self.path {
            write!(f, ".{path}")?;
        }
        f.write_str(": ")?;
        said(f, &self.message, self.place.as_ref())?;
        for other in &self.others {
            f.write_str(" or ")?;
            said(f, &other.message, other.place.as_ref())?;
        }
        let shown = self.expected.iter().take(SHOWN_MAX).map(|value| shown(value));
        let left = self.expected.len().saturating_sub(SHOWN_MAX);
        let values: Vec<String> = shown.chain((left > 0).then(|| format!("{left} more"))).collect();
        match self.expected.len() {
            0 => Ok(()),
            1 => write!(f, " (expected {})", values.join(", ")),
            _ => write!(f, " (expected, in this order: {})", values.join(", ")),
        }
    }
}

fn said(f: &mut fmt::Formatter<'_>, message: &str, place: Option<&Place>) -> fmt::Result {
    write!(f, "\"{message}\"")?;
    place.map_or(Ok(()), |place| write!(f, " at {place}"))
}

fn shown(value: &[u8]) -> String {
    match value.get(..SHOWN_BYTES_MAX) {
        Some(first) if value.len() > SHOWN_BYTES_MAX => format!("0x{}..", hex::encode(first)),
        _ => format!("0x{}", hex::encode(value)),
    }
}

/// Explains why `redeem`, an instance of `artifact`, failed.
///
/// A script that runs to its end and leaves false there failed its last check.
#[must_use]
pub fn explain(artifact: &Artifact, redeem: &[u8], failure: &Failure) -> Explanation {
    let ways = Ways::of(artifact, redeem, failure);
    let (sites, span) = told(artifact, redeem, failure, &|instruction| ways.taken(instruction));
    explanation(artifact, ways.only_path(artifact), failure, &sites, span)
}

/// What the checks say that may have failed, or else the machine and the place where it was.
fn explanation(
    artifact: &Artifact,
    path: Option<String>,
    failure: &Failure,
    sites: &[&RequireSite],
    span: Option<SourceSpan>,
) -> Explanation {
    let site = sites.first();
    Explanation {
        contract: artifact.contract.clone(),
        path,
        message: site.map_or_else(|| failure.error.to_string(), |site| site.message.clone()),
        place: site.map(|site| site.span).or(span).and_then(|span| place(artifact, span)),
        others: others(artifact, sites),
        expected: sites.iter().map(|site| &site.expects).filter(|value| !value.is_empty()).cloned().collect(),
    }
}

/// Which ways the conditionals of a script went.
struct Ways<'f> {
    failure: &'f Failure,
    /// Where its instructions begin.
    offsets: Vec<usize>,
}

impl<'f> Ways<'f> {
    fn of(artifact: &Artifact, redeem: &[u8], failure: &'f Failure) -> Self {
        let in_script = failure.phase == phase_of(artifact);
        let offsets = instructions(redeem).map_while(|step| Some(step.ok()?.at)).take_while(|_| in_script);
        Self { failure, offsets: offsets.collect() }
    }

    fn taken(&self, instruction: usize) -> Option<bool> {
        self.failure.turns.taken(*self.offsets.get(instruction)?)
    }

    fn only_path(&self, artifact: &Artifact) -> Option<String> {
        let taken = |instruction| self.taken(instruction);
        let mut paths = artifact.paths_after(&taken);
        paths.next().filter(|_| paths.next().is_none()).map(|path| path.name.clone())
    }
}

/// Explains why an input failed that unlocks an instance of `artifact`, whose coin has the lock `lock`, with `unlock`.
#[must_use]
pub fn explain_input(artifact: &Artifact, lock: &[u8], unlock: &[u8], failure: &Failure) -> Option<Explanation> {
    let redeem = script_of(artifact, lock, unlock)?;
    Some(match path_taken(artifact, unlock) {
        Some(path) => explain_path(artifact, redeem, failure, path),
        None => explain(artifact, redeem, failure),
    })
}

/// Explains why `redeem` failed when it was to be spent by the path `wanted`.
///
/// Where paths are told apart by what they demand of the transaction, one that does not keep to its path is judged by
/// another: then the message is that of the demand that was not kept.
#[must_use]
pub fn explain_path(artifact: &Artifact, redeem: &[u8], failure: &Failure, wanted: &SpendPath) -> Explanation {
    let ways = Ways::of(artifact, redeem, failure);
    let left = wanted.route.iter().find_map(|step| {
        let taken = ways.taken(step.turn.instruction)?;
        step.otherwise.as_ref().filter(|_| taken != step.turn.taken)
    });
    // What has not been decided yet would have been decided for the path.
    let intended = |instruction| wanted.route.iter().find(|step| step.turn.instruction == instruction);
    let taken = |instruction| ways.taken(instruction).or_else(|| intended(instruction).map(|step| step.turn.taken));
    let (sites, span) = told(artifact, redeem, failure, &taken);
    let path = Some(wanted.name.clone());
    match left {
        Some(failing) => Explanation {
            message: failing.message.clone(),
            place: place(artifact, failing.span),
            ..explanation(artifact, path, failure, &[], None)
        },
        None => explanation(artifact, path, failure, &sites, span),
    }
}

/// The checks that may have failed, and the place of the failure, as far as they are known.
fn told<'a>(
    artifact: &'a Artifact,
    redeem: &[u8],
    failure: &Failure,
    taken: &dyn Fn(usize) -> Option<bool>,
) -> (Vec<&'a RequireSite>, Option<SourceSpan>) {
    let at = failure.at.filter(|_| failure.phase == phase_of(artifact));
    let instruction = at.and_then(|at| instruction_at(redeem, at));
    let inner = inside(artifact, redeem, failure);
    let sites = failed(artifact, instruction, inner, failure, taken);
    let in_function = inner.and_then(|(function, instruction)| function.source_of(instruction));
    let place = in_function.or_else(|| artifact.source_after(instruction?, taken));
    (sites, place)
}

/// The checks that may have failed, those of a shared function first: several if the script makes them at once.
fn failed<'a>(
    artifact: &'a Artifact,
    instruction: Option<usize>,
    inner: Option<(&'a SharedFunction, usize)>,
    failure: &Failure,
    taken: &dyn Fn(usize) -> Option<bool>,
) -> Vec<&'a RequireSite> {
    let Some(instruction) = instruction else {
        let ended = failure.phase == phase_of(artifact) && failure.error == ScriptError::FalseResult;
        let last = artifact.requires.iter().map(|site| site.instruction).max().filter(|_| ended);
        return last.map(|last| artifact.requires_after(last, taken)).unwrap_or_default();
    };
    let of_function = inner.into_iter().flat_map(|(function, instruction)| function.requires_at(instruction));
    let sites: Vec<&RequireSite> = of_function.collect();
    if sites.is_empty() { artifact.requires_after(instruction, taken) } else { sites }
}

/// What these checks say, each once, but for the first.
fn others(artifact: &Artifact, sites: &[&RequireSite]) -> Vec<Other> {
    let mut told: Vec<(&str, SourceSpan)> = Vec::new();
    for site in sites {
        let saying = (site.message.as_str(), site.span);
        if !told.contains(&saying) {
            told.push(saying);
        }
    }
    let other =
        |(message, span): (&str, SourceSpan)| Other { message: message.to_owned(), place: place(artifact, span) };
    told.into_iter().skip(1).map(other).collect()
}

/// The path whose pushes `unlock` makes: as many, and the same selector. `None` also if several do.
#[must_use]
pub fn path_taken<'a>(artifact: &'a Artifact, unlock: &[u8]) -> Option<&'a SpendPath> {
    let paths = paths_that_fit(artifact, unlock);
    match paths.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}

/// The paths that push as many items as `unlock` does, and the same selector.
pub(crate) fn paths_that_fit<'a>(artifact: &'a Artifact, unlock: &[u8]) -> Vec<&'a SpendPath> {
    let Ok(steps) = instructions(unlock).collect::<Result<Vec<_>, _>>() else { return Vec::new() };
    let own = match artifact.locking {
        Locking::P2sh32 => steps.len().saturating_sub(1),
        Locking::P2s => steps.len(),
    };
    let steps = steps.iter().take(own);
    let pushes: Vec<&[u8]> = steps.map(|step| unlock.get(step.at..step.end).unwrap_or_default()).collect();
    artifact.paths.iter().filter(|path| fits(path, &pushes)).collect()
}

fn fits(path: &SpendPath, pushes: &[&[u8]]) -> bool {
    let mut rest = pushes.iter();
    let all_there = path.unlock.iter().enumerate().all(|(at, item)| match item {
        UnlockItem::Int(n) => {
            let mut selector = Vec::new();
            spec::script::push_int(&mut selector, *n);
            rest.next().is_some_and(|push| **push == selector)
        }
        UnlockItem::Leaf(..) => rest.next().is_some(),
        UnlockItem::Arg(index) => {
            // A list takes whatever the items behind it leave over.
            let behind = path.unlock.iter().skip(at + 1).map(|item| items_in(path, item)).sum();
            let count = if is_list(path, *index) { rest.len().saturating_sub(behind) } else { items_of(path, *index) };
            (0..count).all(|_| rest.next().is_some())
        }
    });
    all_there && rest.next().is_none()
}

/// The number of pushes of an item; those of a list are not known.
pub(crate) fn items_in(path: &SpendPath, item: &UnlockItem) -> usize {
    match item {
        UnlockItem::Int(_) | UnlockItem::Leaf(..) => 1,
        UnlockItem::Arg(index) if is_list(path, *index) => 0,
        UnlockItem::Arg(index) => items_of(path, *index),
    }
}

pub(crate) fn is_list(path: &SpendPath, arg: usize) -> bool {
    path.args.get(arg).is_some_and(|slot| matches!(slot.ty, AbiType::List(_)))
}

/// The number of pushes that an argument takes.
pub(crate) fn items_of(path: &SpendPath, arg: usize) -> usize {
    path.args.get(arg).map_or(1, |slot| slot.ty.leaf_count())
}

/// The shared function that failed, and the instruction of its body.
fn inside<'a>(artifact: &'a Artifact, redeem: &[u8], failure: &Failure) -> Option<(&'a SharedFunction, usize)> {
    let inside = failure.inside.filter(|_| failure.phase == phase_of(artifact))?;
    let function = artifact.function(&inside.function.bytes())?;
    let body = instructions(redeem).nth(function.definition)?.ok()?.data?;
    Some((function, instruction_at(body, inside.at as usize)?))
}

fn instruction_at(script: &[u8], at: usize) -> Option<usize> {
    instructions(script).position(|step| step.is_ok_and(|step| step.at == at))
}

fn place(artifact: &Artifact, span: SourceSpan) -> Option<Place> {
    let file = artifact.sources.get(span.file)?.path.clone();
    Some(Place { file, line: span.line, column: span.column })
}
