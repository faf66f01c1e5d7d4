//! What makes machine code of register code, seen from here.
//!
//! A compiler lives in another crate and is given to an [`Engine`](crate::Engine). Like the register interpreter, machine
//! code may only accept: whatever it does not accept, the oracle decides.

use std::fmt;
use std::sync::Arc;

use spec::Rules;
use spec::rules::Limits;
use vm::{Item, Kernel};

use crate::ir::Unit;
use crate::run::State;

/// Lowers the body of a function; `None` if no input can spend with it, or it is too large.
pub type Find<'f> = dyn Fn(&[u8]) -> Option<Arc<Unit>> + 'f;

/// How machine code is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// In little time, which grows with the unit and no faster.
    Quick,
    /// Well, in several times that.
    Hot,
}

/// Makes machine code. It may be asked on any thread, and for several units at once.
pub trait Compiler: fmt::Debug + Send + Sync {
    /// The machine code of `unit`, which charges as [`Unit::metering`] says and serves every input that runs under `rules`.
    /// `None` if there will never be any made in this way: the unit is too large, or does what the compiler does not know,
    /// or more effort would not make it better.
    fn compile(&self, unit: &Unit, rules: &Rules, effort: Effort) -> Option<Arc<dyn Native>>;
}

/// The machine code of a unit. Constants of the bytecode lie in the code that [`Kernel::code`] gives, which may be another
/// one for each run.
pub trait Native: fmt::Debug + Send + Sync {
    /// Runs the unit, and what it calls, on `stack`, whose last item is the top; `find` lowers functions. `None` wherever
    /// the outcome is not plainly right.
    fn run(&self, kernel: &mut Kernel<'_>, limits: &Limits, stack: &[Item], find: &Find<'_>) -> Option<Finished>;

    /// The bytes that it takes in memory.
    fn code_bytes(&self) -> usize;
}

/// Machine code that runs parts of a unit, between which the register interpreter runs: see [`run_native`](crate::run_native).
pub trait Stretch {
    /// Runs the unit from instruction `next` for as long as it can, and says from which instruction the interpreter is to go
    /// on. `None` where the outcome is not plainly right.
    fn stretch(&self, state: &mut State<'_, '_>, next: usize) -> Option<usize>;
}

/// What a script has left.
#[derive(Clone, Debug, Default)]
pub struct Finished {
    /// The stack, bottom first.
    pub stack: Vec<Item>,
    /// The alt stack, bottom first.
    pub alt: Vec<Item>,
    /// What it cost beside the kernel's work.
    pub cost: u64,
}
