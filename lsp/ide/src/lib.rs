//! Everything an editor asks, answered in plain structs, one file for each feature.
//! It knows no editor protocol, no threads and no disk: sources come through [`Ground`], positions are bytes.

mod host;
mod names;
mod text;
mod tree;

mod assists;
mod call;
mod complete;
mod cost;
mod folding;
mod format;
mod hierarchy;
mod hints;
mod hover;
mod implementations;
mod lens;
mod listing;
mod navigate;
mod outline;
mod problems;
mod proof;
mod renames;
mod selection;
mod taken;
mod tokens;
mod words;

pub use assists::{Action, ActionKind, Family, Wanted};
pub use call::Signature;
pub use complete::{Completion, CompletionKind, Completions};
pub use cost::{GivenUp, Work};
pub use folding::{Fold, FoldKind};
pub use format::{layout, layout_as_typed};
pub use hierarchy::{Caller, Calls};
pub use hints::{Hint, HintKind};
pub use host::{Answer, Ground, Host, Project, Snapshot};
pub use hover::Hover;
pub use lens::{Lens, LensKind};
pub use listing::TestItem;
pub use names::DefKind;
pub use navigate::{Location, Mention, RangeOf};
pub use outline::{Symbol, SymbolKind};
pub use problems::{Problem, Related};
pub use text::{Encoding, FileEdit, Lines, Point, TextEdit, Walk};
pub use tokens::{TOKEN_KINDS, TOKEN_MODIFIERS, Token, TokenKind};

#[cfg(test)]
mod tests;
