//! Turns `.bmc` text into lossless tokens, islands and trees, and says precisely what is wrong with it.
//! It knows no types, no opcodes, no query framework and no editor protocol.

pub mod ast;

mod codes;
mod diagnostic;
mod fix;
mod line_index;
mod span;

mod body;
mod braces;
mod collect;
mod islands;
mod lists;
mod literal;
mod meaning;
mod nodes;
mod parse;
mod parser;
mod repair;
mod run;
mod stream;
mod tell;
mod token;
mod words;

lalrpop_util::lalrpop_mod!(
    #[allow(warnings, clippy::all, clippy::pedantic, clippy::restriction)]
    grammar
);

pub use codes::Code;
pub use diagnostic::{Diagnostic, Label, Severity};
pub use fix::{Edit, Effect, Fix, Help};
pub use islands::{ISLANDS_MAX, Island, file_docs, islands};
pub use line_index::{LineCol, LineIndex};
pub use parse::{Parse, limited, loose_ends, parse};
pub use parser::parse_island;
pub use span::{FileId, ItemKey, ItemKind, Loc, Span};
pub use token::{TEXT_LEN_MAX, TokenKind, Tokens, lex};
pub use words::{Word, WordClass};
