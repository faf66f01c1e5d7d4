//! From tokens to the terminals of the grammar: trivia fall away, words get their meaning from the
//! words beside them.

use crate::ast::{Block, Unit};
use crate::nodes::Node;
use crate::span::Span;
use crate::token::{TokenKind, Tokens};
use crate::words::{Word, WordClass};
use std::sync::Arc;

/// Which piece of an island the parser shall read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// An item or member, up to its body.
    Item,
    /// A statement.
    Stmt,
    /// An entry of a reward.
    Entry,
}

/// A terminal of the grammar.
#[derive(Clone, Debug)]
pub(crate) enum Tok {
    /// Says what is to be read; the first terminal of every run.
    Start(Start),
    /// A name.
    Name,
    Int,
    Decimal,
    Percent,
    Bytes,
    Str,
    /// The unit after a number.
    Unit(Unit),
    /// A block, already parsed.
    Block(Node<Arc<Block>>),
    /// The braces of an item or a group; what they hold is parsed apart.
    Body,
    /// Stands for an expression that is missing or malformed.
    MissingExpr,
    MissingName,
    MissingType,
    /// A contextual word where it has its meaning.
    Context(Word),
    /// A keyword or sign.
    Is(TokenKind),
}

impl Tok {
    pub(crate) fn is(&self, kind: TokenKind) -> bool {
        matches!(self, Tok::Is(own) if *own == kind)
    }

    pub(crate) fn is_word(&self, word: Word) -> bool {
        self.is(TokenKind::Keyword(word))
    }

    /// Whether an operand can end here. A name directly after one is no expression, so that is where
    /// contextual words are recognised.
    pub(crate) fn ends_operand(&self) -> bool {
        match self {
            Tok::Name
            | Tok::Int
            | Tok::Decimal
            | Tok::Percent
            | Tok::Bytes
            | Tok::Str
            | Tok::Unit(_)
            | Tok::Block(_)
            | Tok::MissingExpr
            | Tok::MissingName => true,
            Tok::Is(kind) => matches!(
                kind,
                TokenKind::RParen
                    | TokenKind::RBracket
                    | TokenKind::Keyword(Word::True | Word::False | Word::SelfWord | Word::Tx)
            ),
            Tok::Start(_) | Tok::Body | Tok::MissingType | Tok::Context(_) => false,
        }
    }

    /// Whether an operand can begin here.
    pub(crate) fn begins_operand(&self) -> bool {
        match self {
            Tok::Name
            | Tok::Int
            | Tok::Decimal
            | Tok::Percent
            | Tok::Bytes
            | Tok::Str
            | Tok::MissingExpr
            | Tok::MissingName => true,
            Tok::Context(word) => matches!(word, Word::Height | Word::Time),
            Tok::Is(kind) => matches!(
                kind,
                TokenKind::LParen
                    | TokenKind::LBracket
                    | TokenKind::Bang
                    | TokenKind::Tilde
                    | TokenKind::Keyword(Word::True | Word::False | Word::SelfWord | Word::Tx | Word::If)
            ),
            Tok::Start(_) | Tok::Unit(_) | Tok::Block(_) | Tok::Body | Tok::MissingType => false,
        }
    }
}

/// A terminal and its place, counted in tokens of the island, trivia included.
#[derive(Clone, Debug)]
pub(crate) struct Lexeme {
    pub(crate) tok: Tok,
    pub(crate) start: u32,
    /// One past the last token; equal to `start` for a terminal that the source does not hold.
    pub(crate) end: u32,
    /// Whether a line break stands before it.
    pub(crate) fresh_line: bool,
    /// Its place among the tokens that the grammar sees.
    pub(crate) at: usize,
}

/// The tokens of one island that the grammar sees.
pub(crate) struct Source<'t> {
    pub(crate) text: &'t str,
    pub(crate) tokens: &'t Tokens,
    significant: Vec<Significant>,
}

#[derive(Clone, Copy)]
struct Significant {
    token: u32,
    kind: TokenKind,
    fresh_line: bool,
    line_start: u32,
}

impl<'t> Source<'t> {
    pub(crate) fn new(text: &'t str, tokens: &'t Tokens) -> Source<'t> {
        let mut significant = Vec::new();
        let mut fresh_line = true;
        let mut line_start = 0;
        for (token, (kind, span)) in tokens.iter().enumerate() {
            if kind.is_trivia() {
                if let Some(at) = text.get(span.range()).and_then(|text| text.rfind('\n')) {
                    fresh_line = true;
                    line_start = span.start + at as u32 + 1;
                }
                continue;
            }
            significant.push(Significant { token: token as u32, kind, fresh_line, line_start });
            fresh_line = false;
        }
        Source { text, tokens, significant }
    }

    /// How many tokens the grammar sees, documentation included.
    pub(crate) fn len(&self) -> usize {
        self.significant.len()
    }

    pub(crate) fn kind(&self, at: usize) -> Option<TokenKind> {
        self.significant.get(at).map(|one| one.kind)
    }

    pub(crate) fn is(&self, at: usize, kind: TokenKind) -> bool {
        self.kind(at) == Some(kind)
    }

    pub(crate) fn is_word(&self, at: usize, word: Word) -> bool {
        self.is(at, TokenKind::Keyword(word))
    }

    /// Whether a line break stands before the token.
    pub(crate) fn fresh_line(&self, at: usize) -> bool {
        self.significant.get(at).is_none_or(|one| one.fresh_line)
    }

    /// The bytes before the token on its line, when it is the first one there.
    pub(crate) fn column_if_first(&self, at: usize) -> Option<u32> {
        let one = self.significant.get(at).filter(|one| one.fresh_line)?;
        Some(self.span(at).start - one.line_start)
    }

    /// The bytes of the token; past the last one the empty span at the end.
    pub(crate) fn span(&self, at: usize) -> Span {
        self.tokens.span(self.token_index(at) as usize)
    }

    /// The bytes from token `lo` up to token `hi`, without trivia at the ends.
    pub(crate) fn span_of(&self, lo: usize, hi: usize) -> Span {
        let start = self.span(lo).start;
        match hi.checked_sub(1) {
            Some(last) if last >= lo => Span::new(start, self.span(last).end),
            _ => Span::point(start),
        }
    }

    /// The first token from `at` on that is no documentation.
    pub(crate) fn skip_docs(&self, mut at: usize) -> usize {
        while self.kind(at).is_some_and(TokenKind::is_doc) {
            at += 1;
        }
        at
    }

    /// Where the documentation begins that stands directly before `at`, not before `floor`.
    pub(crate) fn before_docs(&self, mut at: usize, floor: usize) -> usize {
        while at > floor && self.kind(at - 1).is_some_and(TokenKind::is_doc) {
            at -= 1;
        }
        at
    }

    /// The keyword at `at` when it opens a declaration there: a name follows and no dot precedes.
    pub(crate) fn declares(&self, at: usize) -> Option<Word> {
        let Some(TokenKind::Keyword(word)) = self.kind(at) else {
            return None;
        };
        let named = self.is(at + 1, TokenKind::Ident) || (word == Word::Use && self.is(at + 1, TokenKind::Dot));
        let after_dot = at > 0 && self.is(at - 1, TokenKind::Dot);
        (named && !after_dot).then_some(word)
    }

    /// The reserved word at `at` when it opens a declaration of a later version.
    pub(crate) fn reserves(&self, at: usize) -> Option<Word> {
        let ahead =
            self.is(at, TokenKind::Ident) && (self.is(at + 1, TokenKind::Ident) || self.is(at + 1, TokenKind::LBrace));
        let word = ahead.then(|| Word::from_text(self.slice(at))).flatten()?;
        (word.class() == WordClass::Reserved).then_some(word)
    }

    pub(crate) fn token_index(&self, at: usize) -> u32 {
        self.significant.get(at).map_or(self.tokens.len() as u32, |one| one.token)
    }

    pub(crate) fn slice(&self, at: usize) -> &'t str {
        self.text.get(self.span(at).range()).unwrap_or("")
    }

    /// The lexeme for the token at `at`.
    pub(crate) fn lexeme(&self, at: usize, tok: Tok) -> Lexeme {
        let start = self.token_index(at);
        Lexeme { tok, start, end: start + 1, fresh_line: self.fresh_line(at), at }
    }

    /// The terminal that the token at `at` is after `previous`, for every token whose meaning needs
    /// no further check.
    pub(crate) fn classify(&self, at: usize, previous: &Tok) -> Tok {
        match self.kind(at) {
            Some(TokenKind::Int) => Tok::Int,
            Some(TokenKind::Decimal) => Tok::Decimal,
            Some(TokenKind::Percent) => Tok::Percent,
            Some(TokenKind::Bytes) => Tok::Bytes,
            Some(TokenKind::Str | TokenKind::UnclosedStr) => Tok::Str,
            Some(TokenKind::Ident | TokenKind::Keyword(_)) if previous.is(TokenKind::Dot) => Tok::Name,
            Some(TokenKind::Keyword(_)) if self.is_entry_key(at, previous) => Tok::Name,
            Some(TokenKind::Ident) => self.classify_word(at, previous),
            Some(kind) => Tok::Is(kind),
            None => Tok::Is(TokenKind::Error),
        }
    }

    fn is_entry_key(&self, at: usize, previous: &Tok) -> bool {
        matches!(previous, Tok::Start(Start::Entry)) && self.is(at + 1, TokenKind::Colon)
    }

    fn classify_word(&self, at: usize, previous: &Tok) -> Tok {
        let Some(word) = Word::from_text(self.slice(at)) else {
            return Tok::Name;
        };
        let next_is = |kind| self.is(at + 1, kind);
        let after_operand = previous.ends_operand();
        let meant = match word {
            Word::Of => after_operand && next_is(TokenKind::LBracket),
            Word::Signed => after_operand,
            Word::By if after_operand => true,
            Word::By => previous.is(TokenKind::Colon) && self.begins_name(at + 1),
            Word::After => after_operand,
            Word::Up => !after_operand && next_is(TokenKind::Ident) && self.slice(at + 1) == "to",
            Word::To => matches!(previous, Tok::Context(Word::Up)),
            Word::Height => !after_operand && next_is(TokenKind::Int),
            Word::Time => !after_operand && next_is(TokenKind::Str),
            _ => false,
        };
        if meant { Tok::Context(word) } else { Tok::Name }
    }

    fn begins_name(&self, at: usize) -> bool {
        self.is(at, TokenKind::Ident) || self.is_word(at, Word::SelfWord) || self.is_word(at, Word::Tx)
    }
}
