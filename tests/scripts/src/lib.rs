//! Scripts at random, each with several inputs, run by every engine: what the fast ones accept must be what the oracle
//! accepts, at the same cost and with the same stacks; and scripts made to be expensive. It knows no blocks, no compiler
//! and no files.

mod case;
mod sign;
mod world;

mod draw;
mod hostile;
mod inputs;
mod random;

mod compare;
mod counts;

pub use case::{Case, Push};
pub use counts::{Counts, Runs};
pub use draw::{Kind, Parts, changed, draw, parts};
pub use hostile::{chained, hostile};
pub use random::Random;
pub use sign::Signature;
pub use world::World;
