//! From an instruction that runs to the line of the source that it comes from.

use std::collections::BTreeMap;

use spec::Artifact;
use spec::artifact::{Locking, RequireSite, SourceSpan};
use spec::script::instructions;
use vm::{FunctionId, Phase, Step, Tracer};

/// The lines of a contract's script, while it runs.
#[derive(Clone, Debug)]
pub struct Places<'a> {
    artifact: &'a Artifact,
    phase: Phase,
    /// The number of the instruction at each offset of the script.
    script: BTreeMap<usize, usize>,
    /// The bodies of functions, each with the same.
    bodies: BTreeMap<FunctionId, (Vec<u8>, BTreeMap<usize, usize>)>,
    /// Whether the first branch of each conditional ran, when it was last reached.
    taken: BTreeMap<usize, bool>,
}

fn numbers(code: &[u8]) -> BTreeMap<usize, usize> {
    let steps = instructions(code).map_while(Result::ok).enumerate();
    steps.map(|(number, step)| (step.at, number)).collect()
}

/// Which of an input's scripts is the contract's own.
pub(crate) const fn phase_of(artifact: &Artifact) -> Phase {
    match artifact.locking {
        Locking::P2sh32 => Phase::Redeem,
        Locking::P2s => Phase::Locking,
    }
}

impl<'a> Places<'a> {
    /// The lines of `script`, an instance of the artifact's.
    #[must_use]
    pub fn new(artifact: &'a Artifact, script: &[u8]) -> Self {
        Self {
            artifact,
            phase: phase_of(artifact),
            script: numbers(script),
            bodies: BTreeMap::new(),
            taken: BTreeMap::new(),
        }
    }

    /// The artifact.
    #[must_use]
    pub const fn artifact(&self) -> &'a Artifact {
        self.artifact
    }

    /// Which of an input's scripts it is.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// How many instructions the script has.
    #[must_use]
    pub fn instructions(&self) -> usize {
        self.script.len()
    }

    /// Whether the script has as many instructions as an instance of the artifact's.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.instructions() == self.artifact.usual_instruction_lens().len()
    }

    /// Whether the step is one of the script, or of a function that it calls.
    #[must_use]
    pub fn has(&self, step: &Step<'_>) -> bool {
        step.phase == self.phase
    }

    /// Looks at what changes the way from an instruction to its line: each step of the run is to be shown here.
    pub fn follow(&mut self, step: &Step<'_>) {
        if self.has(step)
            && step.depth == 0
            && let (Some(taken), Some(number)) = (step.turn(), self.script.get(&step.at))
        {
            self.taken.insert(*number, taken);
        }
        if let Some((id, body)) = step.definition() {
            self.bodies.entry(id).or_insert_with(|| {
                let numbers = numbers(&body);
                (body, numbers)
            });
        }
    }

    /// The body of a function, once it is defined.
    #[must_use]
    pub fn body(&self, id: FunctionId) -> Option<&[u8]> {
        self.bodies.get(&id).map(|(body, _)| body.as_slice())
    }

    /// Whether the first branch ran of the conditional that is the script's instruction of this number, when it was last reached.
    #[must_use]
    pub fn taken(&self, number: usize) -> Option<bool> {
        self.taken.get(&number).copied()
    }

    /// The number of the instruction, in the script or in the function that runs.
    #[must_use]
    pub fn number(&self, step: &Step<'_>) -> Option<usize> {
        match step.function.filter(|_| self.has(step)) {
            None => self.script.get(&step.at).copied().filter(|_| self.has(step)),
            Some(id) => self.bodies.get(&id)?.1.get(&step.at).copied(),
        }
    }

    /// The checks that the instruction makes, as far as they have messages.
    #[must_use]
    pub fn checks(&self, step: &Step<'_>) -> Vec<&'a RequireSite> {
        let Some(number) = self.number(step) else { return Vec::new() };
        match step.function {
            None => self.artifact.requires_after(number, &|number| self.taken(number)),
            Some(id) => {
                let function = self.artifact.function(&id.bytes());
                function.into_iter().flat_map(|function| function.requires_at(number)).collect()
            }
        }
    }

    /// Where the instruction comes from.
    #[must_use]
    pub fn place(&self, step: &Step<'_>) -> Option<SourceSpan> {
        let number = self.number(step)?;
        match step.function {
            None => self.artifact.source_after(number, &|number| self.taken(number)),
            Some(id) => self.artifact.function(&id.bytes())?.source_of(number),
        }
    }
}

/// Sees which way conditionals of the script go, and which functions are defined.
impl Tracer for Places<'_> {
    fn step(&mut self, step: &Step<'_>) {
        self.follow(step);
    }
}
