//! Turns `.bmc` text into lossless tokens, islands and trees, and says precisely what is wrong with it.
//! It knows no types, no opcodes, no query framework and no editor protocol.

pub mod ast;

mod codes;
mod diagnostic;
mod line_index;
mod span;

pub use codes::Code;
pub use diagnostic::{Diagnostic, Label, Severity};
pub use line_index::{LineCol, LineIndex};
pub use span::{FileId, ItemKey, ItemKind, Loc, Span};
