//! What an editor can fold: braces, lists, comments and imports.

use std::ops::Range;

use syntax::{ItemKind, TokenKind};

use crate::host::{Answer, Snapshot};

/// What folds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoldKind {
    /// Comments and documentation.
    Comment,
    /// `use` items in a row.
    Imports,
    /// What stands in brackets.
    Region,
}

/// A stretch that folds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// From the line that stays to the last one that goes.
    pub range: Range<usize>,
    /// What it is.
    pub kind: FoldKind,
}

impl Snapshot {
    /// What of a source folds, in no particular order.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn folds(&self, path: &str) -> Answer<Vec<Fold>> {
        self.ask_of(path, |files, file| {
            let Some(text) = files.session.text(file) else { return Vec::new() };
            let mut folds = brackets(text);
            folds.extend(comments(text));
            let own = files.of(file);
            let uses = own.items.iter().filter(|item| item.key.kind == ItemKind::Use).map(|item| {
                let start = item.start as usize;
                start..start + item.text.trim_end().len()
            });
            folds.extend(rows(text, uses).into_iter().map(|range| Fold { range, kind: FoldKind::Imports }));
            folds.retain(|fold| text.get(fold.range.clone()).is_some_and(|piece| piece.contains('\n')));
            folds
        })
    }
}

fn brackets(text: &str) -> Vec<Fold> {
    let mut open = Vec::new();
    let mut folds = Vec::new();
    for (kind, span) in syntax::lex(text).iter() {
        match kind {
            TokenKind::LBrace | TokenKind::LParen | TokenKind::LBracket => open.push((kind, span.start)),
            TokenKind::RBrace | TokenKind::RParen | TokenKind::RBracket => {
                let matching = open.iter().rposition(|(opening, _)| closes(*opening, kind));
                if let Some(index) = matching
                    && let Some((_, start)) = open.drain(index..).next()
                {
                    folds.push(Fold { range: start as usize..span.end as usize, kind: FoldKind::Region });
                }
            }
            _ => {}
        }
    }
    folds
}

const fn closes(opening: TokenKind, closing: TokenKind) -> bool {
    matches!(
        (opening, closing),
        (TokenKind::LBrace, TokenKind::RBrace)
            | (TokenKind::LParen, TokenKind::RParen)
            | (TokenKind::LBracket, TokenKind::RBracket)
    )
}

/// Lines of comments in a row fold as one.
fn comments(text: &str) -> Vec<Fold> {
    let tokens = syntax::lex(text);
    let comments =
        tokens.iter().filter(|(kind, _)| *kind != TokenKind::Whitespace && (kind.is_trivia() || kind.is_doc()));
    let ranges = comments.map(|(_, span)| {
        let range = span.range();
        let trimmed = text.get(range.clone()).unwrap_or_default().trim_end().len();
        range.start..range.start + trimmed
    });
    rows(text, ranges).into_iter().map(|range| Fold { range, kind: FoldKind::Comment }).collect()
}

/// Joins what only white space with at most one newline parts.
fn rows(text: &str, ranges: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut rows: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        let joined = rows.last_mut().filter(|last| {
            let between = text.get(last.end..range.start).unwrap_or("x");
            between.trim().is_empty() && between.matches('\n').count() <= 1
        });
        match joined {
            Some(last) => last.end = range.end,
            None => rows.push(range),
        }
    }
    rows
}
