//! From tokens to the terminals of the grammar: trivia fall away, words get their meaning from the
//! words beside them.

use crate::ast::{Arm, AsmOp, Block, Entry, Field, FieldInit, PatternField, PlanStmt, Unit};
use crate::nodes::Node;
use crate::span::Span;
use crate::token::{TokenKind, Tokens};
use crate::words::Word;
use std::sync::Arc;

/// Which piece of an island the parser shall read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// An item or member, up to its body.
    Item,
    /// A statement.
    Stmt,
    /// A statement of a plan.
    Plan,
    /// A statement of a test, or of a transaction in it.
    Test,
    /// An entry of a domain declaration.
    Entry,
    /// A field of a struct, a variant or a state.
    Field,
    /// A variant of an enum.
    Variant,
    /// A field of a struct literal.
    Init,
    /// A field of a pattern.
    PatternField,
    /// An arm of `match`.
    Arm,
}

impl Start {
    /// Whether the piece is an element of a list between braces, ended by a comma.
    pub(crate) fn is_listed(self) -> bool {
        !matches!(self, Start::Item | Start::Stmt | Start::Plan | Start::Test)
    }

    /// What such pieces are called in messages.
    pub(crate) fn nouns(self) -> &'static str {
        match self {
            Start::Item => "declarations",
            Start::Stmt | Start::Plan | Start::Test => "statements",
            Start::Entry => "entries",
            Start::Field | Start::Init | Start::PatternField => "fields",
            Start::Variant => "variants",
            Start::Arm => "arms",
        }
    }

    /// How such a piece begins, for messages.
    pub(crate) fn beginning(self) -> &'static str {
        match self {
            Start::Item => "a declaration",
            Start::Stmt | Start::Plan | Start::Test => "a statement",
            Start::Entry => "the key of an entry",
            Start::Field | Start::Init | Start::PatternField => "the name of a field",
            Start::Variant => "the name of a variant",
            Start::Arm => "a pattern",
        }
    }

    /// What one such piece is called in messages.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Start::Item => "declaration",
            Start::Stmt | Start::Plan | Start::Test => "statement",
            Start::Entry => "entry",
            Start::Field | Start::Init | Start::PatternField => "field",
            Start::Variant => "variant",
            Start::Arm => "arm",
        }
    }
}

/// The fields of a pattern, and whether `..` stands behind them.
pub(crate) type PatternFields = (Arc<[PatternField]>, bool);

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
    /// The braces of an item; what they hold is parsed apart.
    Body,
    /// The group of an entry, already parsed, as are all braces that follow.
    Group(Node<Arc<[Entry]>>),
    /// The fields of a struct literal.
    Inits(Node<Arc<[FieldInit]>>),
    /// The fields of something without a name before it.
    Record(Node<Arc<[FieldInit]>>),
    /// The fields of a struct pattern.
    PatternFields(Node<PatternFields>),
    /// The fields that a variant declares.
    Fields(Node<Arc<[Field]>>),
    /// The arms of `match`.
    Arms(Node<Arc<[Arm]>>),
    /// The code of `asm`.
    AsmCode(Arc<[AsmOp]>),
    /// The transaction of a test.
    Deal(Node<Arc<[PlanStmt]>>),
    /// A word of a phrase.
    Word,
    /// The `<` of type arguments before the braces of a struct literal.
    OpenArgs,
    /// A literal with a mistake in it that has been told.
    Malformed,
    /// Stands for an expression that is missing.
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

    /// Whether the source has braces here.
    pub(crate) fn is_braces(&self) -> bool {
        matches!(
            self,
            Tok::Block(_)
                | Tok::Body
                | Tok::Group(_)
                | Tok::Inits(_)
                | Tok::Record(_)
                | Tok::PatternFields(_)
                | Tok::Fields(_)
                | Tok::Arms(_)
                | Tok::AsmCode(_)
                | Tok::Deal(_)
        )
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
            | Tok::Inits(_)
            | Tok::Record(_)
            | Tok::Arms(_)
            | Tok::AsmCode(_)
            | Tok::Malformed
            | Tok::MissingExpr
            | Tok::MissingName => true,
            Tok::Is(kind) => matches!(
                kind,
                TokenKind::RParen
                    | TokenKind::RBracket
                    | TokenKind::Keyword(Word::True | Word::False | Word::SelfWord | Word::Tx)
            ),
            Tok::Start(_)
            | Tok::Body
            | Tok::Group(_)
            | Tok::PatternFields(_)
            | Tok::Fields(_)
            | Tok::Deal(_)
            | Tok::Word
            | Tok::OpenArgs
            | Tok::MissingType => false,
            // These stand for a whole value.
            Tok::Context(word) => matches!(word, Word::Genesis | Word::None),
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
            | Tok::Malformed
            | Tok::MissingExpr
            | Tok::MissingName => true,
            Tok::Context(word) => matches!(word, Word::Height | Word::Time | Word::Asm),
            Tok::Is(kind) => matches!(
                kind,
                TokenKind::LParen
                    | TokenKind::LBracket
                    | TokenKind::Bang
                    | TokenKind::Tilde
                    | TokenKind::Keyword(Word::True | Word::False | Word::SelfWord | Word::Tx | Word::If | Word::Match)
            ),
            Tok::Start(_)
            | Tok::Unit(_)
            | Tok::Block(_)
            | Tok::Body
            | Tok::Group(_)
            | Tok::Inits(_)
            | Tok::Record(_)
            | Tok::PatternFields(_)
            | Tok::Fields(_)
            | Tok::Arms(_)
            | Tok::AsmCode(_)
            | Tok::Deal(_)
            | Tok::Word
            | Tok::OpenArgs
            | Tok::MissingType => false,
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
    indent: u32,
}

impl<'t> Source<'t> {
    pub(crate) fn new(text: &'t str, tokens: &'t Tokens) -> Source<'t> {
        let mut significant = Vec::new();
        let mut fresh_line = true;
        let mut line_start = 0;
        let mut indent = 0;
        for (token, (kind, span)) in tokens.iter().enumerate() {
            if kind.is_trivia() {
                if let Some(at) = text.get(span.range()).and_then(|text| text.rfind('\n')) {
                    fresh_line = true;
                    line_start = span.start + at as u32 + 1;
                }
                continue;
            }
            if fresh_line {
                indent = span.start - line_start;
            }
            significant.push(Significant { token: token as u32, kind, fresh_line, line_start, indent });
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

    /// The bytes before the first token of the line on which the token stands.
    pub(crate) fn indent(&self, at: usize) -> u32 {
        self.significant.get(at).map_or(0, |one| one.indent)
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
        let named = self.is(at + 1, TokenKind::Ident)
            || (word == Word::Use && matches!(self.kind(at + 1), Some(TokenKind::Dot | TokenKind::Range)));
        let after_dot = at > 0 && self.is(at - 1, TokenKind::Dot) && !self.fresh_line(at);
        (named && !after_dot).then_some(word)
    }

    /// The word at `at` when it is no keyword and opens an item there.
    pub(crate) fn opens(&self, at: usize) -> Option<Word> {
        let ahead = self.is(at, TokenKind::Ident) && self.is(at + 1, TokenKind::Ident);
        let word = ahead.then(|| Word::from_text(self.slice(at))).flatten()?;
        matches!(word, Word::Model | Word::Imi | Word::Imo | Word::Plan | Word::Test | Word::Property).then_some(word)
    }

    /// Whether `state {`, `allow(` or `budget(` stands at `at`; between members these begin one.
    pub(crate) fn opens_member(&self, at: usize) -> bool {
        let named = at > 0 && matches!(self.kind(at - 1), Some(TokenKind::Keyword(_)));
        self.is(at, TokenKind::Ident)
            && !named
            && match Word::from_text(self.slice(at)) {
                Some(Word::State) => self.is(at + 1, TokenKind::LBrace),
                Some(Word::Allow | Word::Budget) => self.is(at + 1, TokenKind::LParen),
                _ => false,
            }
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
}
