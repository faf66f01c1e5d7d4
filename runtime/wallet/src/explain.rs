//! Why a contract refused: from a failing instruction to the author's message and the line of the source.
//!
//! The machine names the byte at which a script failed. Parameters fill holes of different
//! lengths, so the artifact's maps count instructions; the redeem script translates one to the other.

use std::fmt;

use spec::Artifact;
use spec::artifact::{AbiType, SharedFunction, SourceSpan, SpendPath, UnlockItem};
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
}

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

/// `Contract.path: "message" at file.bmc:12:5`, as far as it is known.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.contract)?;
        if let Some(path) = &self.path {
            write!(f, ".{path}")?;
        }
        write!(f, ": \"{}\"", self.message)?;
        self.place.as_ref().map_or(Ok(()), |place| write!(f, " at {place}"))
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
    let last = || artifact.requires.iter().max_by_key(|site| site.instruction);
    let site = match instruction {
        Some(instruction) => {
            let of_function = inner.and_then(|(function, instruction)| function.require_at(instruction));
            of_function.or_else(|| artifact.require_at(instruction))
        }
        None if failure.phase == Phase::Redeem && failure.error == ScriptError::FalseResult => last(),
        None => None,
    };
    let in_function = inner.and_then(|(function, instruction)| function.source_of(instruction));
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
    }
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
