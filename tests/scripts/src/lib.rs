//! Scripts at random, run by every engine: what the fast ones accept must be what the oracle accepts, at the same cost and
//! with the same stacks; and scripts made to be expensive. It knows no blocks, no compiler and no files.

mod compare;
mod draw;
mod hostile;
mod random;

pub use compare::{Case, Counts, Seen};
pub use draw::{Kind, Parts, changed, draw, parts};
pub use hostile::{chained, hostile};
pub use random::Random;
