//! The compiler of machines that there is no code for.

use std::sync::Arc;

use engine::ir::Unit;
use engine::{Compiler, Effort, Native};
use spec::Rules;

/// Compiles nothing.
#[derive(Debug, Default)]
pub struct Jit;

impl Jit {
    /// The compiler for this machine, which there is none.
    #[must_use]
    pub const fn new() -> Option<Self> {
        None
    }

    /// Cranelift's code of a unit, to read, which there is none.
    #[must_use]
    pub const fn clif(&self, _: &Unit) -> Option<String> {
        None
    }

    /// The machine code of a unit, to read, which there is none.
    #[must_use]
    pub const fn assembly(&self, _: &Unit) -> Option<String> {
        None
    }
}

impl Compiler for Jit {
    fn compile(&self, _: &Unit, _: &Rules, _: Effort) -> Option<Arc<dyn Native>> {
        None
    }
}
