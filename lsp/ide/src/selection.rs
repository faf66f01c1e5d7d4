//! Growing selections: a token, then the nodes of the tree around it, then brackets, the item, the file.

use std::ops::Range;

use syntax::TokenKind;

use crate::host::{Answer, Snapshot};
use crate::names::Files;
use crate::tree;
use syntax::FileId;

impl Snapshot {
    /// For each place what to select, from the inside out, each inside the next.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn selections(&self, path: &str, offsets: &[usize]) -> Answer<Vec<Vec<Range<usize>>>> {
        self.ask_of(path, |files, file| offsets.iter().map(|offset| around(files, file, *offset)).collect())
    }
}

fn around(files: &Files<'_>, file: FileId, offset: usize) -> Vec<Range<usize>> {
    let Some(text) = files.session.text(file) else { return Vec::new() };
    let names = files.of(file);
    let item = names.items.iter().rev().find(|item| item.start as usize <= offset);
    let whole = 0..text.len();
    let mut found = Vec::from([whole]);
    if let Some(item) = item.filter(|item| offset <= item.start as usize + item.text.len()) {
        let base = item.start as usize;
        let place = |range: Range<usize>| base + range.start..base + range.end;
        let at = u32::try_from(offset - base).unwrap_or(u32::MAX);
        found.push(base..base + item.text.trim_end().len());
        found.extend(tokens(item.text, offset - base).into_iter().map(place));
        let nodes = tree::spans_around(item.ast, at);
        found.extend(nodes.into_iter().map(|span| place(span.range())));
    }
    found.retain(|range| range.start <= offset && offset <= range.end);
    found.sort_by_key(|range| (range.len(), range.start));
    found.dedup();
    // What crosses its predecessor instead of holding it would not grow.
    let mut nested: Vec<Range<usize>> = Vec::new();
    for range in found {
        if nested.last().is_none_or(|last| range.start <= last.start && last.end <= range.end) {
            nested.push(range);
        }
    }
    nested
}

/// The token at a place, and the pairs of brackets around it, each without and with the brackets.
fn tokens(text: &str, offset: usize) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut open: Vec<u32> = Vec::new();
    let at = u32::try_from(offset).unwrap_or(u32::MAX);
    for (kind, span) in syntax::lex(text).iter() {
        if kind != TokenKind::Whitespace && span.touches(at) {
            found.push(span.range());
        }
        match kind {
            TokenKind::LBrace | TokenKind::LParen | TokenKind::LBracket => open.push(span.start),
            TokenKind::RBrace | TokenKind::RParen | TokenKind::RBracket => {
                let Some(start) = open.pop() else { continue };
                found.push(start as usize..span.end as usize);
                found.push(start as usize + 1..span.start as usize);
            }
            _ => {}
        }
    }
    found
}
