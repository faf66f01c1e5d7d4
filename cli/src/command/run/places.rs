//! From an instruction that runs to the line of the source that it comes from.

use std::collections::BTreeMap;
use std::fs;

use spec::Artifact;
use spec::artifact::{Locking, SourceSpan};
use spec::script::instructions;
use vm::{FunctionId, Phase, Step};

use crate::fail::Fail;

/// The lines of a contract's script.
pub(crate) struct Places<'a> {
    artifact: &'a Artifact,
    phase: Phase,
    /// The number of the instruction at each offset of the script.
    script: BTreeMap<usize, usize>,
    /// The same for the bodies of functions.
    bodies: BTreeMap<FunctionId, BTreeMap<usize, usize>>,
    /// Whether the first branch of each conditional ran, when it was last reached.
    taken: BTreeMap<usize, bool>,
}

fn numbers(code: &[u8]) -> BTreeMap<usize, usize> {
    let steps = instructions(code).map_while(Result::ok).enumerate();
    steps.map(|(number, step)| (step.at, number)).collect()
}

impl<'a> Places<'a> {
    /// The lines of `script`, an instance of the artifact's.
    pub(crate) fn new(artifact: &'a Artifact, script: &[u8]) -> Result<Self, Fail> {
        let phase = match artifact.locking {
            Locking::P2sh32 => Phase::Redeem,
            Locking::P2s => Phase::Locking,
        };
        let (numbers, expected) = (numbers(script), artifact.usual_instruction_lens().len());
        if numbers.len() == expected {
            return Ok(Self { artifact, phase, script: numbers, bodies: BTreeMap::new(), taken: BTreeMap::new() });
        }
        let (contract, count) = (&artifact.contract, numbers.len());
        let message = format!("the script has {count} instructions, and `{contract}` has {expected}");
        Err(Fail::usage(message).help("name the artifact of the contract that this input spends"))
    }

    /// A function has that body from now on.
    pub(crate) fn define(&mut self, id: FunctionId, body: &[u8]) {
        self.bodies.entry(id).or_insert_with(|| numbers(body));
    }

    /// The conditional that runs next goes that way.
    pub(crate) fn turn(&mut self, step: &Step<'_>, taken: bool) {
        if step.phase == self.phase
            && step.depth == 0
            && let Some(number) = self.script.get(&step.at)
        {
            self.taken.insert(*number, taken);
        }
    }

    /// Where the instruction comes from.
    pub(crate) fn place(&self, step: &Step<'_>) -> Option<SourceSpan> {
        if step.phase != self.phase {
            return None;
        }
        let Some(id) = step.function else {
            let number = self.script.get(&step.at)?;
            return self.artifact.source_after(*number, &|number| self.taken.get(&number).copied());
        };
        let number = self.bodies.get(&id)?.get(&step.at)?;
        self.artifact.function(&id.bytes())?.source_of(*number)
    }

    /// The name of a file, and the text of its lines if it lies here as it was compiled.
    pub(crate) fn file(&self, index: usize) -> (String, Vec<String>) {
        let Some(source) = self.artifact.sources.get(index) else { return Default::default() };
        let text = fs::read(&source.path).ok().filter(|text| hex::encode(spec::hash::sha256(text)) == source.sha256);
        let text = text.and_then(|text| String::from_utf8(text).ok()).unwrap_or_default();
        (source.path.clone(), text.lines().map(|line| line.trim().to_owned()).collect())
    }
}
