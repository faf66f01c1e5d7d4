//! What several checks share: vectors that others wrote, an example of every diagnostic, a machine that others wrote, and stories told on a devnet.
//!
//! Knows the vectors' file format, the compiler's door, the wallet and the node; knows nothing of the command line.

mod conformance;
mod diagnostics;
mod independent;
mod story;
mod vector;

pub use conformance::{Failed, Options, Summary, judge, run};
pub use diagnostics::{Example, compile_text, examples_folder};
pub use independent::Independent;
pub use story::Story;
pub use vector::{Expect, Recorded, Vector, open};
