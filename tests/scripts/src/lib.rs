//! Scripts at random, run by every engine: what the fast ones accept must be what the oracle accepts, at the same cost and
//! with the same stacks. It knows no blocks, no compiler and no files.

mod compare;
mod draw;
mod random;

pub use compare::{Case, Counts, Seen};
pub use draw::{Kind, Parts, changed, draw, parts};
pub use random::Random;
