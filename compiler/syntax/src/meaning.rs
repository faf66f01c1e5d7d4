//! What a word means where it stands: a name, or a word of the grammar.
//!
//! Few words are keywords. The others have their meaning only beside certain words and signs, where
//! a name would make no sense, so that they can name things everywhere else.

use crate::collect::Piece;
use crate::stream::{Source, Start, Tok};
use crate::token::TokenKind;
use crate::words::Word;

/// Words of phrases that apply to what follows, so that a name after them is no further word.
const APPLYING: [&str; 12] =
    ["of", "to", "over", "rata", "cliff", "fixed", "file", "by", "after", "from", "until", "per"];

/// How many tokens are looked at ahead: between `<` and `>` before a struct literal, between the
/// parentheses of `asm`.
const LOOKAHEAD_MAX: usize = 64;

impl Source<'_> {
    /// The terminal that the token at `at` is as the next one of `piece`.
    pub(crate) fn classify(&self, at: usize, piece: &Piece) -> Tok {
        let previous = piece.previous();
        match self.kind(at) {
            Some(TokenKind::Int) => Tok::Int,
            Some(TokenKind::Decimal) => Tok::Decimal,
            Some(TokenKind::Percent) => Tok::Percent,
            Some(TokenKind::Bytes) => Tok::Bytes,
            Some(TokenKind::Str | TokenKind::UnclosedStr) => Tok::Str,
            Some(TokenKind::Ident | TokenKind::Keyword(_)) if previous.is(TokenKind::Dot) => Tok::Name,
            Some(TokenKind::Keyword(_)) if self.is_entry_key(at, piece) => Tok::Name,
            Some(TokenKind::Ident) if piece.in_phrases() => self.classify_in_phrase(at, piece, previous),
            Some(TokenKind::Ident) => self.classify_word(at, piece, previous),
            Some(TokenKind::Lt) if matches!(previous, Tok::Name) && self.holds_type_args(at, piece) => Tok::OpenArgs,
            Some(kind) => Tok::Is(kind),
            None => Tok::Is(TokenKind::Error),
        }
    }

    fn is_entry_key(&self, at: usize, piece: &Piece) -> bool {
        piece.start == Start::Entry
            && !piece.in_value
            && matches!(self.kind(at + 1), Some(TokenKind::Colon | TokenKind::Ident | TokenKind::Keyword(_)))
    }

    fn classify_word(&self, at: usize, piece: &Piece, previous: &Tok) -> Tok {
        match Word::from_text(self.slice(at)) {
            Some(word) if self.is_meant(word, at, piece, previous) => Tok::Context(word),
            _ => Tok::Name,
        }
    }

    fn is_meant(&self, word: Word, at: usize, piece: &Piece, previous: &Tok) -> bool {
        let next_is = |kind| self.is(at + 1, kind);
        let next_word = |text: &str| next_is(TokenKind::Ident) && self.slice(at + 1) == text;
        let after_operand = previous.ends_operand();
        let first = piece.lexemes.is_empty();
        let in_plan = piece.start == Start::Plan;
        let in_test = piece.start == Start::Test;
        match word {
            Word::Of => after_operand && next_is(TokenKind::LBracket),
            Word::Signed => previous.is(TokenKind::RBracket) || (after_operand && next_is(TokenKind::LParen)),
            Word::By if after_operand => piece.begins_with(&[Word::Split]),
            Word::By => piece.begins_value() && self.begins_name(at + 1),
            Word::Up => piece.begins_value() && next_word("to"),
            Word::To => matches!(previous, Tok::Context(Word::Up | Word::Change)),
            Word::At if in_test => {
                matches!(piece.header(), Some(Word::Passes | Word::Fails))
                    && matches!(previous, Tok::Str | Tok::Context(Word::Passes | Word::Fails))
            }
            Word::At => piece.begins_value() && next_word("least"),
            Word::Least => matches!(previous, Tok::Context(Word::At)),
            Word::Height => !after_operand && next_is(TokenKind::Int),
            Word::Time => !after_operand && next_is(TokenKind::Str),
            Word::As => after_operand && piece.begins_with(&[Word::Use]),
            Word::Max => after_operand && matches!(piece.header(), Some(Word::For | Word::While)),
            Word::Where if in_plan => {
                piece.names_input()
                    && piece.open.is_empty()
                    && (previous.is(TokenKind::RParen) || matches!(previous, Tok::Context(Word::Each | Word::Any)))
            }
            Word::Where => after_operand && piece.header() == Some(Word::For),
            Word::Continue => {
                first
                    && piece.start == Start::Stmt
                    && (next_is(TokenKind::LBrace) || next_is(TokenKind::Semi) || next_is(TokenKind::Ident))
            }
            Word::End => first && piece.start == Start::Stmt && next_is(TokenKind::Semi),
            Word::Allow | Word::Budget => {
                first && next_is(TokenKind::LParen) && matches!(piece.start, Start::Stmt | Start::Item)
            }
            Word::With if piece.continues() => after_operand || matches!(previous, Tok::Context(Word::Continue)),
            // The braces of its fields may be missing.
            Word::With => {
                let begins_field = next_is(TokenKind::Ident) && self.is(at + 2, TokenKind::Colon);
                after_operand && (next_is(TokenKind::LBrace) || begins_field)
            }
            Word::Value | Word::Tokens => {
                piece.continues()
                    && piece.open.is_empty()
                    && (previous.is(TokenKind::Comma) || matches!(previous, Tok::Context(Word::With)))
            }
            Word::Asm => !after_operand && !piece.declares_name() && self.begins_asm(at),
            Word::Output | Word::Locktime | Word::Age | Word::Burn if in_test => {
                first && !next_is(TokenKind::Dot) && !next_is(TokenKind::LParen)
            }
            Word::Assert | Word::Classify => first && in_test,
            Word::Passes => first && in_test && !next_is(TokenKind::Dot) && !next_is(TokenKind::LParen),
            Word::Fails => first && in_test && !next_is(TokenKind::Dot) && !next_is(TokenKind::LParen),
            Word::Input | Word::Output | Word::Locktime | Word::Age | Word::Change | Word::Burn | Word::Publish => {
                first && in_plan
            }
            Word::None => matches!(previous, Tok::Context(Word::Change)),
            Word::Each if matches!(previous, Tok::Context(Word::Output)) => {
                next_is(TokenKind::Ident) || next_is(TokenKind::LParen)
            }
            Word::Each | Word::Any => in_plan && previous.is(TokenKind::RParen) && piece.names_input(),
            Word::Data => matches!(previous, Tok::Context(Word::Output)) && next_is(TokenKind::LBracket),
            Word::Key => piece.names_coin() && next_is(TokenKind::LParen),
            Word::Genesis => piece.names_coin() && !next_is(TokenKind::Dot) && !next_is(TokenKind::PathSep),
            Word::Model | Word::Imi | Word::Imo | Word::Plan | Word::State | Word::Test | Word::Property => {
                first && piece.start == Start::Item
            }
            _ => false,
        }
    }

    fn begins_name(&self, at: usize) -> bool {
        self.is(at, TokenKind::Ident) || self.is_word(at, Word::SelfWord) || self.is_word(at, Word::Tx)
    }

    /// `asm (a: Int`, `asm () {` or `asm () ->`, as opposed to the call of a function of that name.
    fn begins_asm(&self, at: usize) -> bool {
        let takes = self.is(at + 2, TokenKind::Ident) && self.is(at + 3, TokenKind::Colon);
        let takes_nothing = self.is(at + 2, TokenKind::RParen)
            && (self.is(at + 3, TokenKind::LBrace) || self.is(at + 3, TokenKind::Arrow));
        self.is(at + 1, TokenKind::LParen) && (takes || takes_nothing || self.arrow_follows(at + 1))
    }

    /// Whether `->` stands behind the brackets that open at `open`.
    fn arrow_follows(&self, open: usize) -> bool {
        let mut depth = 0_usize;
        for at in open..open + LOOKAHEAD_MAX {
            match self.kind(at) {
                Some(TokenKind::LParen | TokenKind::LBracket) => depth += 1,
                Some(TokenKind::RParen | TokenKind::RBracket) if depth == 1 => {
                    return self.is(at + 1, TokenKind::Arrow);
                }
                Some(TokenKind::RParen | TokenKind::RBracket) => depth -= 1,
                Some(TokenKind::Semi | TokenKind::LBrace | TokenKind::RBrace) | None => return false,
                _ => {}
            }
        }
        false
    }

    /// A name in the value of an entry, outside all brackets. Directly behind an operand, or before
    /// another name or literal, it belongs to no expression and is a word of a phrase.
    fn classify_in_phrase(&self, at: usize, piece: &Piece, previous: &Tok) -> Tok {
        let word = Word::from_text(self.slice(at));
        let applies = APPLYING.contains(&self.slice(at));
        let follows_word =
            matches!(previous, Tok::Word) && piece.lexemes.last().is_some_and(|last| self.applies(last.at));
        let meant = word.is_some_and(|word| match word {
            Word::By => piece.begins_value() && self.begins_name(at + 1),
            Word::After => previous.ends_operand() && piece.has_authority(),
            word => self.is_meant(word, at, piece, previous),
        });
        if meant && let Some(word) = word {
            return Tok::Context(word);
        }
        let is_word = if previous.ends_operand() {
            !piece.follows_number(self, at) || crate::ast::Unit::from_word(self.slice(at)).is_none()
        } else if follows_word {
            false
        } else if matches!(previous, Tok::Word | Tok::Group(_)) {
            applies || self.stands_before_operand(at) || self.is(at + 1, TokenKind::LBrace)
        } else {
            // `rest { .. }` is a group with its weight.
            piece.begins_value() && self.stands_before_operand(at)
        };
        if is_word { Tok::Word } else { Tok::Name }
    }

    fn applies(&self, at: usize) -> bool {
        APPLYING.contains(&self.slice(at))
    }

    fn stands_before_operand(&self, at: usize) -> bool {
        match self.kind(at + 1) {
            // The key of the next entry, whose comma is missing.
            Some(TokenKind::Ident) => !self.is(at + 2, TokenKind::Colon) || !self.fresh_line(at + 1),
            Some(
                TokenKind::Int
                | TokenKind::Decimal
                | TokenKind::Percent
                | TokenKind::Bytes
                | TokenKind::Str
                | TokenKind::UnclosedStr
                | TokenKind::Keyword(Word::SelfWord | Word::Tx | Word::True | Word::False),
            ) => true,
            _ => false,
        }
    }

    /// Whether the `<` at `at` opens type arguments: a `>` closes them and a struct literal follows.
    /// Comparisons do not chain and no operand begins with `{`, so nothing else is written so.
    fn holds_type_args(&self, at: usize, piece: &Piece) -> bool {
        if piece.declares_name() || piece.header().is_some() || piece.in_pattern || piece.args_open {
            return false;
        }
        let mut depth = 0_usize;
        for at in at..at + LOOKAHEAD_MAX {
            match self.kind(at) {
                Some(TokenKind::Lt) => depth += 1,
                Some(TokenKind::Gt) => depth = depth.saturating_sub(1),
                Some(TokenKind::Shr) => depth = depth.saturating_sub(2),
                Some(
                    TokenKind::Ident
                    | TokenKind::Int
                    | TokenKind::Comma
                    | TokenKind::PathSep
                    | TokenKind::LBracket
                    | TokenKind::RBracket
                    | TokenKind::LParen
                    | TokenKind::RParen
                    | TokenKind::Semi,
                ) => {}
                _ => return false,
            }
            if depth == 0 {
                return self.is(at + 1, TokenKind::LBrace);
            }
        }
        false
    }

    /// Whether the braces at `open` look like fields, `{ name: ..` or `{ name, ..` or `{ name }`.
    pub(crate) fn looks_like_fields(&self, open: usize) -> bool {
        let first = self.skip_docs(open + 1);
        match self.kind(first) {
            Some(TokenKind::RBrace | TokenKind::Range) => true,
            Some(TokenKind::Ident | TokenKind::Keyword(_)) => {
                matches!(self.kind(first + 1), Some(TokenKind::Colon | TokenKind::Comma | TokenKind::RBrace))
            }
            _ => false,
        }
    }
}
