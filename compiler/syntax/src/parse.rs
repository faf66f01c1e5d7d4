//! The door: a file's text to its tree and diagnostics.

use crate::ast::File;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::islands::{Island, file_docs, islands};
use crate::parser::parse_island;
use crate::span::{FileId, ItemKey, Loc, Span};
use crate::tell::DIAGNOSTICS_MAX;
use crate::token::{TokenKind, Tokens, lex};
use std::collections::HashMap;

/// A parsed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parse {
    /// The tree.
    pub file: File,
    /// What is wrong, in source order; at most a hundred messages and one that counts the others.
    pub diagnostics: Vec<Diagnostic>,
    /// Where the items stand, one for each item of the tree.
    pub islands: Vec<Island>,
    starts: HashMap<ItemKey, u32>,
}

impl Parse {
    /// The bytes of the file that a place of this file means; `None` when it has no such item.
    pub fn resolve(&self, loc: &Loc) -> Option<Span> {
        match &loc.item {
            None => Some(loc.span),
            Some(key) => Some(loc.span.shifted(*self.starts.get(key)?)),
        }
    }
}

/// Parses a file. Never fails: what cannot be read becomes `Error` nodes and diagnostics. The
/// diagnostics name `FileId::default()` as the file (see [`Diagnostic::in_file`]).
///
/// ```
/// let parse = syntax::parse("reward Pair { first: 3/5, second: rest }");
/// assert!(parse.diagnostics.is_empty());
/// let syntax::ast::Item::Reward(reward) = &parse.file.items[0] else { panic!() };
/// assert_eq!(reward.entries[1].key.as_str(), "second");
/// ```
pub fn parse(text: &str) -> Parse {
    let tokens = lex(text);
    let islands = islands(&tokens, text);
    let mut items = Vec::with_capacity(islands.len());
    let mut found = Vec::new();
    for island in &islands {
        let own_text = text.get(island.range.range()).unwrap_or("");
        let (item, diagnostics) = parse_island(own_text, &island.key);
        items.push(item);
        found.extend(diagnostics);
    }
    found.extend(loose_ends(&tokens));
    Parse {
        file: File { docs: file_docs(&tokens, text), items },
        diagnostics: limited(found),
        starts: islands.iter().map(|island| (island.key.clone(), island.range.start)).collect(),
        islands,
    }
}

/// What is wrong outside all islands: a comment without an end.
pub fn loose_ends(tokens: &Tokens) -> Option<Diagnostic> {
    let last = tokens.len().checked_sub(1)?;
    if tokens.kind(last) != Some(TokenKind::UnclosedComment) {
        return None;
    }
    let start = tokens.span(last).start;
    let loc = Loc::in_file(FileId::default(), Span::new(start, start + 2));
    let message = "this comment has no end";
    Some(Diagnostic::error(Code::E0004, message, loc).help("close it with `*/`"))
}

/// Keeps the first hundred syntax diagnostics of a file and counts the others.
pub fn limited(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let more = diagnostics.len().saturating_sub(DIAGNOSTICS_MAX);
    let first_left_out = diagnostics
        .get(DIAGNOSTICS_MAX)
        .and_then(|diagnostic| diagnostic.labels.first())
        .map(|label| label.loc.clone());
    diagnostics.truncate(DIAGNOSTICS_MAX);
    if let Some(loc) = first_left_out {
        let message = format!("at least {more} more syntax errors are not shown");
        let last = Diagnostic::error(Code::E0016, message, loc);
        diagnostics.push(last.help("correct the errors above first"));
    }
    diagnostics
}
