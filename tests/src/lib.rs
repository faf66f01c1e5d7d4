//! What several checks share: vectors that others wrote, an example of every diagnostic, a machine that others wrote, programs with lines that say what they accept, stories told on a devnet, a reader of the book, and an editor.
//!
//! Knows the vectors' file format, the compiler's door, the wallet and the node; knows nothing of the command line, but for a binary `bmc` that somebody names.

mod book;
mod by_hand;
mod conformance;
mod diagnostics;
mod editor;
mod independent;
mod lines;
mod size;
mod speaker;
mod story;
mod vector;

pub use book::{Block, Did, Reader, Step, blocks, steps};
pub use by_hand::ByHand;
pub use conformance::{Failed, Options, Summary, judge, run};
pub use diagnostics::{Example, compile_text, examples_folder};
pub use editor::{Editor, codes, uri};
pub use independent::{Independent, scripts_agree};
pub use lines::{Ran, Spend, compile_named, compile_with, run_by_hand, run_lines, run_sealed, sealed, with_categories};
pub use size::{ByLevel, RIVALS, Rival, Size, own_table, rival_by_hand, rival_sizes, rival_source, rival_table};
pub use speaker::{Speaker, read_message};
pub use story::Story;
pub use vector::{Expect, Recorded, Vector, open};
