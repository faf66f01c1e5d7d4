//! What several checks share: vectors that others wrote, and an example of every diagnostic.
//!
//! Knows the vectors' file format and the compiler's door; knows nothing of the node.

mod conformance;
mod diagnostics;
mod vector;

pub use conformance::{Failed, Options, Summary, judge, run};
pub use diagnostics::{Example, compile_text, examples_folder};
pub use vector::{Expect, Recorded, Vector, open};
