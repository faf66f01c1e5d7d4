//! Runs inputs faster than the virtual machine's own interpreter, with the same verdict, reason and cost.
//!
//! It knows nothing of blocks and of the contract language. Bytecode is lowered to register code once and kept; register
//! code may only say that an input is *valid*. Every doubt, failure or limit is decided by the interpreter of `vm`, the
//! oracle, which alone names reasons.

mod engine;

mod block;
mod lower;
mod parse;
mod select;

pub mod ir;
mod run;
mod units;

pub use engine::{Counts, Difference, Engine, Left, Tier, leaves, lowered};
