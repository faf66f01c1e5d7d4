//! Watching a script run, one instruction at a time.

use spec::units::OpCost;
use spec::{Opcode, num};

use crate::error::{FunctionId, Phase};
use crate::item::Item;
use crate::memory::Memory;

/// Sees every instruction before it runs, and what each script leaves.
pub trait Tracer {
    /// Whether the tracer is called at all; a tracer that is not active costs nothing.
    const ACTIVE: bool = true;

    /// Called before each instruction, skipped ones included.
    fn step(&mut self, step: &Step<'_>);

    /// Called when a script of the input has come to its end, with the main and the alt stack that it leaves.
    fn end(&mut self, _stack: StackView<'_>, _alt: StackView<'_>) {}
}

/// Sees what the tracer sees, if there is one.
impl<T: Tracer> Tracer for Option<T> {
    const ACTIVE: bool = T::ACTIVE;

    fn step(&mut self, step: &Step<'_>) {
        if let Some(tracer) = self {
            tracer.step(step);
        }
    }

    fn end(&mut self, stack: StackView<'_>, alt: StackView<'_>) {
        if let Some(tracer) = self {
            tracer.end(stack, alt);
        }
    }
}

/// Sees nothing.
pub(crate) struct NoTrace;

impl Tracer for NoTrace {
    const ACTIVE: bool = false;

    fn step(&mut self, _: &Step<'_>) {}
}

/// The machine just before an instruction.
#[derive(Clone, Copy, Debug)]
pub struct Step<'m> {
    /// The script of the input that runs.
    pub phase: Phase,
    /// The byte offset of the instruction in the code that runs: the script, or the body of the innermost function.
    pub at: usize,
    /// How many functions are open: 0 in the script itself.
    pub depth: usize,
    /// The innermost of them.
    pub function: Option<FunctionId>,
    /// The first byte of the instruction.
    pub byte: u8,
    /// Whether the instruction runs; in the branch not taken only control flow is followed.
    pub executing: bool,
    /// The main stack.
    pub stack: StackView<'m>,
    /// The alt stack.
    pub alt: StackView<'m>,
    /// The operation cost so far, this instruction not included.
    pub cost: OpCost,
}

impl Step<'_> {
    /// Whether the first branch of the conditional that runs here is taken; `None` if none runs.
    #[must_use]
    pub fn turn(&self) -> Option<bool> {
        let wanted = match Opcode::from_byte(self.byte)? {
            Opcode::If => true,
            Opcode::NotIf => false,
            _ => return None,
        };
        let condition = self.at_depth(0).filter(|_| self.executing)?;
        Some(num::is_truthy(&condition) == wanted)
    }

    /// The function that is defined here, and its body; `None` if none is.
    #[must_use]
    pub fn definition(&self) -> Option<(FunctionId, Vec<u8>)> {
        let defines = self.executing && Opcode::from_byte(self.byte) == Some(Opcode::Define);
        let id = self.at_depth(0).filter(|_| defines)?;
        Some((FunctionId::new(&id)?, self.at_depth(1)?))
    }

    fn at_depth(&self, depth: usize) -> Option<Vec<u8>> {
        self.stack.len().checked_sub(depth + 1).and_then(|at| self.stack.get(at))
    }
}

/// A stack to look at, bottom first.
#[derive(Clone, Copy, Debug)]
pub struct StackView<'m> {
    memory: &'m Memory<'m>,
    items: &'m [Item],
}

impl<'m> StackView<'m> {
    pub(crate) const fn new(memory: &'m Memory<'m>, items: &'m [Item]) -> Self {
        Self { memory, items }
    }

    /// The number of items.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The bytes of the item at `index`, counted from the bottom.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Vec<u8>> {
        self.items.get(index).map(|item| self.memory.view(*item).to_vec())
    }

    /// All items, bottom first.
    pub fn iter(&self) -> impl Iterator<Item = Vec<u8>> + use<'_, 'm> {
        self.items.iter().map(|item| self.memory.view(*item).to_vec())
    }
}
