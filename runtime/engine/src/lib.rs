//! Runs inputs faster than the virtual machine's own interpreter, with the same verdict, reason and cost.
//!
//! It knows nothing of blocks and of the contract language. Bytecode is lowered to register code once and kept; what runs
//! much is compiled to machine code where a compiler is given. Both may only say that an input is *valid*. Every doubt,
//! failure or limit is decided by the interpreter of `vm`, the oracle, which alone names reasons.

mod engine;

mod block;
mod lower;
mod parse;
mod select;

pub mod flow;
pub mod ir;
mod native;
mod steps;
mod turns;

mod rest;
mod run;
mod show;
mod state;

mod cache;
mod lru;
mod tierup;

pub use engine::{Counts, Difference, Engine, Fast, Left, Tier, Tuning, leaves, lowered};
pub use native::{Compiler, Effort, Find, Finished, Native, Stretch};
pub use run::{State, run_native};
pub use state::Place;
