//! Cuts a file into islands: one for each item, found by matching brackets alone.
//!
//! A sound item ends at the brace that closes it. When the braces of an item do not match, layout
//! decides: a declaration at the item's own column, or further left, begins the next item. Layout
//! is asked only then, so it never changes the meaning of a sound file.

use crate::ast::Doc;
use crate::span::{ItemKey, ItemKind, Span};
use crate::stream::Source;
use crate::token::{TokenKind, Tokens};
use crate::words::Word;
use std::collections::HashMap;
use std::sync::Arc;

/// The most items of a file.
pub const ISLANDS_MAX: usize = 20_000;

/// The text of one item, documentation included.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Island {
    /// Which item it is.
    pub key: ItemKey,
    /// Where it stands in the file.
    pub range: Span,
}

/// The islands of a file in source order. Only trivia and the file's own documentation stand
/// between them.
///
/// ```
/// let text = "const A: Int = 1;\nfn f() { oops(; }\nfn g() -> Int { 2 }";
/// let keys: Vec<String> = syntax::islands(&syntax::lex(text), text)
///     .iter()
///     .map(|island| island.key.to_string())
///     .collect();
/// assert_eq!(keys, ["const A", "fn f", "fn g"]);
/// ```
pub fn islands(tokens: &Tokens, text: &str) -> Vec<Island> {
    let source = Source::new(text, tokens);
    let mut seen: HashMap<(ItemKind, Arc<str>), u32> = HashMap::new();
    let mut found = Vec::new();
    let mut at = leading_docs(&source);
    while at < source.len() {
        let (kind, name, end) =
            if found.len() < ISLANDS_MAX { cut(&source, at) } else { (ItemKind::Rest, "".into(), source.len()) };
        let count = seen.entry((kind, Arc::clone(&name))).or_default();
        let nth = *count;
        *count += 1;
        found.push(Island { key: ItemKey { kind, name, nth }, range: source.span_of(at, end) });
        at = end;
    }
    found
}

/// The `//!` lines at the top of a file, with spans counted from its start.
pub fn file_docs(tokens: &Tokens, text: &str) -> Vec<Doc> {
    let source = Source::new(text, tokens);
    (0..leading_docs(&source)).map(|at| doc(&source, at)).collect()
}

/// The documentation token at `at` without its slashes.
pub(crate) fn doc(source: &Source<'_>, at: usize) -> Doc {
    let text = source.slice(at).get(3..).unwrap_or("");
    let text = text.strip_prefix(' ').unwrap_or(text).trim_end();
    Doc { text: text.into(), span: source.span(at) }
}

fn leading_docs(source: &Source<'_>) -> usize {
    (0..source.len()).take_while(|at| source.is(*at, TokenKind::InnerDoc)).count()
}

/// The island that begins at `start`: its kind, its name, and where it ends.
fn cut(source: &Source<'_>, start: usize) -> (ItemKind, Arc<str>, usize) {
    let first = source.skip_docs(start);
    let Some(kind) = item_kind(source, first) else {
        let end = garbage_end(source, first);
        return (ItemKind::Error, name_at(source, first + 1), end);
    };
    let (end, name_at_index) = match kind {
        ItemKind::Use => {
            let end = simple_end(source, first);
            (end, last_name(source, first, end))
        }
        ItemKind::Const => (simple_end(source, first), first + 1),
        ItemKind::Struct
        | ItemKind::Enum
        | ItemKind::Fn
        | ItemKind::Contract
        | ItemKind::Reward
        | ItemKind::Model
        | ItemKind::Imi
        | ItemKind::Imo
        | ItemKind::Plan
        | ItemKind::Test
        | ItemKind::Property => {
            let end = sound_end(source, first, kind).unwrap_or_else(|| laid_out_end(source, first, kind));
            (end, first + 1)
        }
        ItemKind::Error | ItemKind::Rest => (source.len(), first),
    };
    (kind, name_at(source, name_at_index), end)
}

fn item_kind(source: &Source<'_>, at: usize) -> Option<ItemKind> {
    match source.kind(at) {
        Some(TokenKind::Keyword(word)) => kind_of(word),
        _ => source.opens(at).and_then(kind_of),
    }
}

fn kind_of(word: Word) -> Option<ItemKind> {
    match word {
        Word::Use => Some(ItemKind::Use),
        Word::Const => Some(ItemKind::Const),
        Word::Fn => Some(ItemKind::Fn),
        Word::Contract => Some(ItemKind::Contract),
        Word::Struct => Some(ItemKind::Struct),
        Word::Enum => Some(ItemKind::Enum),
        Word::Reward => Some(ItemKind::Reward),
        Word::Model => Some(ItemKind::Model),
        Word::Imi => Some(ItemKind::Imi),
        Word::Imo => Some(ItemKind::Imo),
        Word::Plan => Some(ItemKind::Plan),
        Word::Test => Some(ItemKind::Test),
        Word::Property => Some(ItemKind::Property),
        _ => None,
    }
}

fn name_at(source: &Source<'_>, at: usize) -> Arc<str> {
    match source.kind(at) {
        Some(TokenKind::Ident) => source.slice(at).into(),
        _ => "".into(),
    }
}

fn last_name(source: &Source<'_>, first: usize, end: usize) -> usize {
    (first..end).rev().find(|at| source.is(*at, TokenKind::Ident)).unwrap_or(first)
}

/// Whether a declaration at `at` ends any island of `kind` that it stands in. Contracts hold
/// functions and constants; the keys of a domain declaration may be keywords.
fn ends_island(source: &Source<'_>, at: usize, kind: ItemKind) -> bool {
    let has_entries = matches!(kind, ItemKind::Reward | ItemKind::Model | ItemKind::Imi | ItemKind::Imo);
    match source.declares(at).and_then(kind_of) {
        Some(ItemKind::Fn | ItemKind::Const) => kind != ItemKind::Contract && !has_entries,
        Some(ItemKind::Use) => !has_entries,
        // `reward Name` without a brace is an entry whose colon is missing.
        Some(ItemKind::Reward) => !has_entries || source.is(at + 2, TokenKind::LBrace),
        Some(_) => true,
        None => false,
    }
}

/// Whether an item begins at `at` whose first word is an ordinary name elsewhere.
fn opens_item(source: &Source<'_>, at: usize) -> bool {
    source.opens(at).is_some()
}

/// Whether a member of a contract begins at `at`.
pub(crate) fn begins_member(source: &Source<'_>, at: usize) -> bool {
    matches!(source.declares(at), Some(Word::Spend | Word::Fn | Word::Const))
}

/// The end of `use ..;` and `const ..;`, or the next declaration when the `;` is missing.
fn simple_end(source: &Source<'_>, first: usize) -> usize {
    let mut open = Vec::new();
    let margin = source.column_if_first(first).unwrap_or(0);
    for at in first + 1..source.len() {
        // No expression has such a word before a name.
        let opens = source.column_if_first(at).is_some_and(|column| open.is_empty() || column <= margin)
            && opens_item(source, at);
        if opens || ends_island(source, at, ItemKind::Const) {
            return source.before_docs(at, first);
        }
        match source.kind(at) {
            Some(kind @ (TokenKind::LParen | TokenKind::LBracket | TokenKind::LBrace)) => {
                open.push(kind);
            }
            Some(TokenKind::RParen | TokenKind::RBracket) => {
                open.pop();
            }
            Some(TokenKind::RBrace) if open.is_empty() => return at,
            Some(TokenKind::RBrace) => {
                open.pop();
            }
            Some(TokenKind::Semi) if semi_ends(source, at, open.last()) => return at + 1,
            _ => {}
        }
    }
    source.len()
}

/// A `;` separates inside `[T; N]` and inside a block, and ends everything else.
pub(crate) fn semi_ends(source: &Source<'_>, at: usize, innermost: Option<&TokenKind>) -> bool {
    match innermost {
        Some(TokenKind::LBracket) => source.fresh_line(at + 1),
        Some(TokenKind::LBrace) => false,
        _ => true,
    }
}

/// The end of a braced item whose braces match and after which an item or the end follows.
fn sound_end(source: &Source<'_>, first: usize, kind: ItemKind) -> Option<usize> {
    let mut depth = 0_usize;
    for at in first + 1..source.len() {
        let misplaced_member = kind == ItemKind::Contract && depth != 1 && begins_member(source, at);
        if misplaced_member || ends_island(source, at, kind) {
            return None;
        }
        match source.kind(at) {
            Some(TokenKind::LBrace) => depth += 1,
            Some(TokenKind::RBrace) => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    let next = source.skip_docs(at + 1);
                    let sound = next == source.len() || item_kind(source, next).is_some();
                    return sound.then_some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// The end of a braced item whose braces do not match, as its layout shows it.
fn laid_out_end(source: &Source<'_>, first: usize, kind: ItemKind) -> usize {
    let margin = source.column_if_first(first).unwrap_or(0);
    let outdented = |at| source.column_if_first(at).is_some_and(|column| column <= margin);
    let on_own_line = |at| source.indent(at) <= margin || source.indent(at) == source.indent(first);
    let mut depth = 0_usize;
    for at in first + 1..source.len() {
        let declares = source.declares(at).and_then(kind_of).is_some();
        let begins_item = declares || opens_item(source, at);
        if ends_island(source, at, kind) || (begins_item && outdented(at)) {
            return source.before_docs(at, first);
        }
        if kind == ItemKind::Contract && begins_member(source, at) {
            depth = 1;
        }
        match source.kind(at) {
            Some(TokenKind::LBrace) => depth += 1,
            Some(TokenKind::RBrace) if outdented(at) => return at + 1,
            Some(TokenKind::RBrace) if depth > 1 => depth -= 1,
            // What stands further right than the item, or goes on behind it, is inside: an inner `{` is missing.
            Some(TokenKind::RBrace) if on_own_line(at) && ends_item(source, at + 1) => return at + 1,
            _ => {}
        }
    }
    source.len()
}

/// Whether nothing of an item stands on its line from `at` on.
fn ends_item(source: &Source<'_>, at: usize) -> bool {
    source.fresh_line(at) || item_kind(source, source.skip_docs(at)).is_some()
}

/// The end of text that begins no item: before the next item.
fn garbage_end(source: &Source<'_>, first: usize) -> usize {
    let mut depth = 0_usize;
    for at in first..source.len() {
        let outside = depth == 0 || source.column_if_first(at) == Some(0);
        let begins_item = ends_island(source, at, ItemKind::Contract)
            || (outside && source.declares(at).and_then(kind_of).is_some())
            || (outside && source.fresh_line(at) && opens_item(source, at));
        if at > first && begins_item {
            return source.before_docs(at, first);
        }
        match source.kind(at) {
            Some(TokenKind::LBrace) => depth += 1,
            Some(TokenKind::RBrace) => {
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
    }
    source.len()
}
