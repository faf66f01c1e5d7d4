//! Why a contract refused: from a failing instruction to the author's message and the line of the source.
//!
//! The machine names the byte at which a script failed. Parameters fill holes of different
//! lengths, so the artifact's maps count instructions; the redeem script translates one to the other.

use std::fmt;

use spec::Artifact;
use spec::artifact::{AbiType, RequireSite, SharedFunction, SourceSpan, SpendPath, UnlockItem};
use spec::script::instructions;
use vm::{Failure, Phase, ScriptError};

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

impl Explanation {
    /// The same, with the path that `unlock` takes.
    #[must_use]
    pub fn on_path(self, artifact: &Artifact, unlock: &[u8]) -> Self {
        let path = path_taken(artifact, unlock).map(|path| path.name.clone()).or(self.path);
        Self { path, ..self }
    }
}

/// Explains why `redeem`, an instance of `artifact`, failed.
///
/// A script that runs to its end and leaves false there failed its last check.
#[must_use]
pub fn explain(artifact: &Artifact, redeem: &[u8], failure: &Failure) -> Explanation {
    let instruction = match failure.phase {
        Phase::Redeem => failure.at.and_then(|at| instruction_at(redeem, at)),
        Phase::Unlocking | Phase::Locking => None,
    };
    let inner = inside(artifact, redeem, failure);
    let sites = failed(artifact, instruction, inner, failure);
    let in_function = inner.and_then(|(function, instruction)| function.source_of(instruction));
    let site = sites.first();
    let span = site.map(|site| site.span).or(in_function).or_else(|| artifact.source_of(instruction?));
    let only_path = match artifact.paths.as_slice() {
        [only] => Some(only.name.clone()),
        _ => None,
    };
    Explanation {
        contract: artifact.contract.clone(),
        path: only_path,
        message: site.map_or_else(|| failure.error.to_string(), |site| site.message.clone()),
        place: span.and_then(|span| place(artifact, span)),
        others: others(artifact, &sites),
        expected: sites.iter().map(|site| &site.expects).filter(|value| !value.is_empty()).cloned().collect(),
    }
}

/// The checks that may have failed, those of a shared function first: several if the script makes them at once.
fn failed<'a>(
    artifact: &'a Artifact,
    instruction: Option<usize>,
    inner: Option<(&'a SharedFunction, usize)>,
    failure: &Failure,
) -> Vec<&'a RequireSite> {
    let Some(instruction) = instruction else {
        let ended = failure.phase == Phase::Redeem && failure.error == ScriptError::FalseResult;
        let last = artifact.requires.iter().map(|site| site.instruction).max().filter(|_| ended);
        return last.into_iter().flat_map(|last| artifact.requires_at(last)).collect();
    };
    let of_function = inner.into_iter().flat_map(|(function, instruction)| function.requires_at(instruction));
    let sites: Vec<&RequireSite> = of_function.collect();
    if sites.is_empty() { artifact.requires_at(instruction).collect() } else { sites }
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

/// The path whose pushes `unlock` makes: as many, and the same selector.
#[must_use]
pub fn path_taken<'a>(artifact: &'a Artifact, unlock: &[u8]) -> Option<&'a SpendPath> {
    let steps = instructions(unlock).collect::<Result<Vec<_>, _>>().ok()?;
    let (_redeem, steps) = steps.split_last()?;
    let pushes: Vec<&[u8]> = steps.iter().map(|step| unlock.get(step.at..step.end).unwrap_or_default()).collect();
    artifact.paths.iter().find(|path| fits(path, &pushes))
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
fn items_in(path: &SpendPath, item: &UnlockItem) -> usize {
    match item {
        UnlockItem::Int(_) | UnlockItem::Leaf(..) => 1,
        UnlockItem::Arg(index) if is_list(path, *index) => 0,
        UnlockItem::Arg(index) => items_of(path, *index),
    }
}

fn is_list(path: &SpendPath, arg: usize) -> bool {
    path.args.get(arg).is_some_and(|slot| matches!(slot.ty, AbiType::List(_)))
}

/// The number of pushes that an argument takes.
fn items_of(path: &SpendPath, arg: usize) -> usize {
    path.args.get(arg).map_or(1, |slot| slot.ty.leaf_count())
}

/// The shared function that failed, and the instruction of its body.
fn inside<'a>(artifact: &'a Artifact, redeem: &[u8], failure: &Failure) -> Option<(&'a SharedFunction, usize)> {
    let inside = failure.inside.filter(|_| failure.phase == Phase::Redeem)?;
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
