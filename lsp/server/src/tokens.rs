//! Semantic tokens as the protocol encodes them, and the difference from what the client has.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use ide::{Encoding, Lines, Point, Token};
use tower_lsp::lsp_types::{
    SemanticToken, SemanticTokens, SemanticTokensDelta, SemanticTokensEdit, SemanticTokensFullDeltaResult,
};

/// The tokens that the client has of each document, by the name of the result.
#[derive(Debug, Default)]
pub(crate) struct TokenCache {
    known: Mutex<Known>,
}

/// The number of the last result, and the tokens of each document with their number.
type Known = (u64, BTreeMap<String, Numbered>);
type Numbered = (u64, Vec<SemanticToken>);

impl TokenCache {
    /// Remembers the tokens of a document, and gives them with a name.
    pub(crate) fn full(&self, path: &str, data: Vec<SemanticToken>) -> SemanticTokens {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.0 += 1;
        let name = known.0;
        known.1.insert(path.to_owned(), (name, data.clone()));
        SemanticTokens { result_id: Some(name.to_string()), data }
    }

    /// Like `full`, but only what is different if the client still has the tokens called `previous`.
    pub(crate) fn delta(&self, path: &str, previous: &str, data: Vec<SemanticToken>) -> SemanticTokensFullDeltaResult {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let next = known.0 + 1;
        match known.1.get_mut(path).filter(|(name, _)| name.to_string() == previous) {
            Some(before) => {
                let edits = difference(&before.1, &data).into_iter().collect();
                *before = (next, data);
                known.0 = next;
                SemanticTokensDelta { result_id: Some(next.to_string()), edits }.into()
            }
            None => {
                drop(known);
                self.full(path, data).into()
            }
        }
    }

    pub(crate) fn forget(&self, path: &str) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).1.remove(path);
    }
}

/// One edit that makes the new tokens of the old ones; nothing if they are equal. Offsets count numbers, five a token.
fn difference(old: &[SemanticToken], new: &[SemanticToken]) -> Option<SemanticTokensEdit> {
    let front = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (old.get(front..)?, new.get(front..)?);
    let back = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let (gone, came) = (old_rest.len() - back, new_rest.get(..new_rest.len() - back)?);
    let count = |tokens: usize| u32::try_from(tokens * 5).unwrap_or(u32::MAX);
    (gone > 0 || !came.is_empty()).then(|| SemanticTokensEdit {
        start: count(front),
        delete_count: count(gone),
        data: (!came.is_empty()).then(|| came.to_vec()),
    })
}

/// Each token relative to the one before.
pub(crate) fn encode(encoding: Encoding, lines: &Lines, tokens: &[Token]) -> Vec<SemanticToken> {
    let mut walk = lines.walk(encoding);
    let mut last = Point::default();
    let mut encoded = |token: &Token| {
        let start = walk.point(token.range.start);
        // No token is longer than a line.
        let length = encoding.units(lines.text().get(token.range.clone()).unwrap_or_default());
        let delta_line = start.line.saturating_sub(last.line);
        let delta_start = if delta_line == 0 { start.column.saturating_sub(last.column) } else { start.column };
        last = start;
        SemanticToken {
            delta_line,
            delta_start,
            length,
            token_type: token.kind as u32,
            token_modifiers_bitset: token.modifiers,
        }
    };
    tokens.iter().map(&mut encoded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(length: u32) -> SemanticToken {
        SemanticToken { delta_line: 1, delta_start: 0, length, token_type: 0, token_modifiers_bitset: 0 }
    }

    #[test]
    fn the_difference_makes_the_new_tokens_of_the_old_ones() {
        for (old, new) in [
            (vec![1, 2, 3], vec![1, 2, 3]),
            (vec![1, 2, 3], vec![1, 9, 3]),
            (vec![1, 1, 1], vec![1, 1]),
            (vec![], vec![1, 2]),
            (vec![1, 2], vec![]),
            (vec![1, 2, 1, 2], vec![1, 2, 1, 2, 1, 2]),
        ] {
            let (old, new): (Vec<_>, Vec<_>) =
                (old.into_iter().map(token).collect(), new.into_iter().map(token).collect());
            let mut made = old.clone();
            if let Some(edit) = difference(&old, &new) {
                let (start, gone) = (edit.start as usize / 5, edit.delete_count as usize / 5);
                made.splice(start..start + gone, edit.data.unwrap_or_default());
            } else {
                assert_eq!(old, new);
            }
            assert_eq!(made, new);
        }
    }

    #[test]
    fn a_client_with_older_tokens_gets_all_of_them() {
        let cache = TokenCache::default();
        let first = cache.full("a", vec![token(1)]).result_id.unwrap();
        let second = cache.full("a", vec![token(2)]).result_id.unwrap();
        assert!(matches!(cache.delta("a", &first, vec![token(3)]), SemanticTokensFullDeltaResult::Tokens(_)));
        assert!(matches!(cache.delta("a", &second, vec![token(3)]), SemanticTokensFullDeltaResult::Tokens(_)));
        let third = cache.full("a", vec![token(3)]).result_id.unwrap();
        assert!(matches!(cache.delta("a", &third, vec![token(3)]), SemanticTokensFullDeltaResult::TokensDelta(_)));
    }
}
