//! Running vectors that others wrote against our rules.
//!
//! Knows the vectors' file format; knows neither the compiler nor the node.

mod conformance;
mod vector;

pub use conformance::{Failed, Options, Summary, judge, run};
pub use vector::{Expect, Recorded, Vector, open};
