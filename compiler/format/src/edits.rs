//! From a text to its formatted form in small steps, so that an editor keeps what it knows of the rest.

use std::ops::Range;

use syntax::{TokenKind, lex};

/// So many pieces of the old text may be gone before one that stays: a comma, and perhaps a comment that changed places with it.
const SKIPPED_MAX: usize = 3;

/// A piece of the old text and what stands there afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Bytes of the old text.
    pub range: Range<usize>,
    /// What takes their place.
    pub text: String,
}

/// The edits that turn a text into its formatted form, in order, none touching another. Only those that touch `within`
/// are given, if there is one.
///
/// ```
/// let old = "const A:Int = 1;\nconst  B: Int = 2;\n";
/// let new = format::format(old).unwrap();
/// let edits = format::edits(old, &new, Some(17..20));
/// assert_eq!(edits, [format::Edit { range: 22..24, text: " ".to_owned() }]);
/// ```
#[must_use]
pub fn edits(old: &str, new: &str, within: Option<Range<usize>>) -> Vec<Edit> {
    if old == new {
        return Vec::new();
    }
    // Lines: what stands on a line that `within` touches may change.
    let within = within.map(|range| whole_lines(old, range));
    let (old_pieces, new_pieces) = (pieces(old), pieces(new));
    let mut edits = vec![];
    let (mut at, mut end_old, mut end_new) = (0, 0, 0);
    let mut change = |from: Range<usize>, to: Range<usize>| {
        let (before, after) = (old.get(from.clone()).unwrap_or_default(), new.get(to).unwrap_or_default());
        let touches = within.as_ref().is_none_or(|within| from.start < within.end && within.start <= from.end);
        if before != after && touches {
            edits.push(Edit { range: from, text: after.to_owned() });
        }
    };
    for piece in &new_pieces {
        let text = new.get(piece.clone());
        // Pieces that have no counterpart, commas mostly, belong to what stands between.
        let Some(ahead) =
            old_pieces.iter().skip(at).take(SKIPPED_MAX).position(|old_piece| old.get(old_piece.clone()) == text)
        else {
            continue;
        };
        let commas = old_pieces.iter().skip(at).take(ahead).all(|skipped| old.get(skipped.clone()) == Some(","));
        if !commas {
            continue;
        }
        let Some(same) = old_pieces.get(at + ahead) else { continue };
        change(end_old..same.start, end_new..piece.start);
        (at, end_old, end_new) = (at + ahead + 1, same.end, piece.end);
    }
    change(end_old..old.len(), end_new..new.len());
    edits
}

fn whole_lines(text: &str, range: Range<usize>) -> Range<usize> {
    let start = text.get(..range.start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    // A range that ends where a line begins does not touch that line.
    let last = range.end.saturating_sub(1).max(start);
    let end = text.get(last..).and_then(|behind| behind.find('\n')).map_or(text.len(), |at| last + at + 1);
    start..end
}

/// Where tokens and comments stand.
fn pieces(text: &str) -> Vec<Range<usize>> {
    let tokens = lex(text);
    let full = tokens.iter().filter(|(kind, _)| *kind != TokenKind::Whitespace);
    full.map(|(_, span)| {
        let range = span.range();
        let trimmed = text.get(range.clone()).unwrap_or_default().trim_end().len();
        range.start..range.start + trimmed
    })
    .collect()
}

/// Whether two texts have the same tokens and the same comments, but for commas before a closing bracket.
pub(crate) fn same_tokens(old: &str, new: &str) -> bool {
    old == new || tokens(old) == tokens(new) && comments(old) == comments(new)
}

fn tokens(text: &str) -> Vec<(TokenKind, &str)> {
    let all = lex(text);
    let mut kept: Vec<(TokenKind, &str)> = vec![];
    for (kind, span) in all.iter().filter(|(kind, _)| !kind.is_trivia() && !kind.is_doc()) {
        let closes = matches!(kind, TokenKind::RParen | TokenKind::RBracket | TokenKind::RBrace);
        if closes && kept.last().is_some_and(|(last, _)| *last == TokenKind::Comma) {
            kept.pop();
        }
        kept.push((kind, text.get(span.range()).unwrap_or_default()));
    }
    kept
}

fn comments(text: &str) -> Vec<&str> {
    let tokens = lex(text);
    let is_comment = |kind: TokenKind| kind.is_doc() || (kind.is_trivia() && kind != TokenKind::Whitespace);
    let all = tokens.iter().filter(|(kind, _)| is_comment(*kind));
    all.map(|(_, span)| text.get(span.range()).unwrap_or_default().trim_end()).collect()
}
