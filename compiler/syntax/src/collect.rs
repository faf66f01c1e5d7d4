//! Gathers the terminals of one piece: where a statement or an entry ends, and what is wrong with
//! single words of it.

use crate::ast::Unit;
use crate::codes::Code;
use crate::islands::semi_ends;
use crate::literal::{self, LiteralError};
use crate::parser::Parser;
use crate::span::Span;
use crate::stream::{Lexeme, Source, Start, Tok};
use crate::token::TokenKind;
use crate::words::Word;

/// The most brackets that may stand in one another.
pub(crate) const BRACKETS_MAX: usize = 200;

/// The terminals of a piece.
pub(crate) struct Piece {
    pub(crate) start: Start,
    pub(crate) lexemes: Vec<Lexeme>,
    /// The token after the piece.
    pub(crate) next: usize,
    /// Whether a mistake in the piece has been told already.
    pub(crate) told: bool,
    /// Whether brackets nest too deeply to read it.
    pub(crate) too_nested: bool,
    /// The content of the last braces of an entry.
    pub(crate) group: Option<(usize, usize)>,
    open: Vec<TokenKind>,
}

impl Piece {
    fn new(start: Start, at: usize) -> Piece {
        Piece { start, lexemes: Vec::new(), next: at, told: false, too_nested: false, group: None, open: Vec::new() }
    }

    fn previous(&self) -> Tok {
        match self.lexemes.last() {
            Some(lexeme) => lexeme.tok.clone(),
            None => Tok::Start(self.start),
        }
    }

    fn ends_operand(&self) -> bool {
        self.lexemes.last().is_some_and(|lexeme| lexeme.tok.ends_operand())
    }

    fn begins_with(&self, words: &[Word]) -> bool {
        let first = self.lexemes.first();
        first.is_some_and(|first| words.iter().any(|word| first.tok.is_word(*word)))
    }
}

impl Parser<'_> {
    /// The statement at `at`, inside a block that ends at `hi` and stands in `depth` brackets.
    pub(crate) fn collect_stmt(&mut self, at: usize, hi: usize, depth: usize) -> Piece {
        let mut piece = Piece::new(Start::Stmt, at);
        while piece.next < hi && !self.begins_stmt(&piece) {
            let at = piece.next;
            match self.source.kind(at) {
                Some(TokenKind::Semi) if semi_ends(self.source, at, piece.open.last()) => {
                    self.push(&mut piece, depth);
                    return piece;
                }
                Some(TokenKind::RBrace) => {
                    self.stray_brace(at);
                    piece.next += 1;
                }
                Some(TokenKind::LBrace) => {
                    self.push_block(&mut piece, depth);
                    if piece.open.is_empty() && self.ends_with_block(&piece, hi) {
                        return piece;
                    }
                }
                _ => self.push(&mut piece, depth),
            }
        }
        piece
    }

    /// A declaration up to its body, or up to `hi` when it has none.
    pub(crate) fn collect_header(&mut self, lo: usize, hi: usize) -> Piece {
        let mut piece = Piece::new(Start::Item, lo);
        while piece.next < hi {
            match self.source.kind(piece.next) {
                Some(TokenKind::LBrace) => {
                    let lexeme = self.source.lexeme(piece.next, Tok::Body);
                    piece.lexemes.push(lexeme);
                    piece.next += 1;
                    return piece;
                }
                Some(TokenKind::RBrace) => return piece,
                _ => self.push(&mut piece, 0),
            }
        }
        piece
    }

    /// A declaration without a body; blocks in it belong to expressions.
    pub(crate) fn collect_simple(&mut self, lo: usize, hi: usize) -> Piece {
        let mut piece = Piece::new(Start::Item, lo);
        while piece.next < hi {
            match self.source.kind(piece.next) {
                Some(TokenKind::LBrace) => self.push_block(&mut piece, 0),
                Some(TokenKind::RBrace) => {
                    self.stray_brace(piece.next);
                    piece.next += 1;
                }
                _ => self.push(&mut piece, 0),
            }
        }
        piece
    }

    /// The entry at `at`, inside braces that end at `hi`.
    pub(crate) fn collect_entry(&mut self, at: usize, hi: usize, depth: usize) -> Piece {
        let mut piece = Piece::new(Start::Entry, at);
        while piece.next < hi && !self.begins_entry(&piece) {
            let at = piece.next;
            match self.source.kind(at) {
                Some(TokenKind::Comma) if piece.open.is_empty() => {
                    piece.next += 1;
                    return piece;
                }
                Some(TokenKind::Semi) => {
                    self.wrong_separator(at);
                    piece.next += 1;
                    return piece;
                }
                Some(TokenKind::RBrace) => {
                    self.stray_brace(at);
                    piece.next += 1;
                }
                Some(TokenKind::LBrace) => self.push_group(&mut piece, depth),
                _ => self.push(&mut piece, depth),
            }
        }
        piece
    }

    /// Whether the next token can only begin another statement.
    fn begins_stmt(&self, piece: &Piece) -> bool {
        let Some(last) = piece.lexemes.last() else {
            return false;
        };
        match self.source.kind(piece.next) {
            _ if last.tok.is(TokenKind::Dot) => false,
            Some(TokenKind::Keyword(word)) => match word {
                Word::Let | Word::Require | Word::Return | Word::Split | Word::For | Word::While => true,
                Word::If | Word::Match => piece.ends_operand(),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a statement is complete after the block just pushed.
    fn ends_with_block(&self, piece: &Piece, hi: usize) -> bool {
        let at = piece.next;
        if at >= hi || self.source.is_word(at, Word::Else) {
            return false;
        }
        piece.lexemes.len() == 1
            || piece.begins_with(&[Word::If, Word::For, Word::While, Word::Match])
            || (self.source.fresh_line(at) && self.begins_line(at))
    }

    fn begins_line(&self, at: usize) -> bool {
        matches!(
            self.source.kind(at),
            Some(TokenKind::Ident | TokenKind::Keyword(Word::SelfWord | Word::Tx | Word::If))
        )
    }

    /// Whether the next token is the key of the entry after this one.
    fn begins_entry(&self, piece: &Piece) -> bool {
        let key =
            matches!(self.source.kind(piece.next), Some(TokenKind::Ident | TokenKind::Keyword(_) | TokenKind::Doc));
        let ends_here = piece.ends_operand() || piece.group.is_some();
        key && ends_here && self.source.is(self.source.skip_docs(piece.next) + 1, TokenKind::Colon)
    }

    fn push_block(&mut self, piece: &mut Piece, depth: usize) {
        let open = piece.next;
        let told_before = self.diagnostics.len();
        let block = self.braced_block(open, depth + piece.open.len());
        // A block that stands alone is a mistake; one inside another has been told about.
        piece.told |= piece.lexemes.is_empty() && self.diagnostics.len() > told_before;
        let mut lexeme = self.source.lexeme(open, Tok::Block(block));
        piece.next = self.braces.partner(open).next();
        lexeme.end = self.source.token_index(piece.next - 1) + 1;
        piece.lexemes.push(lexeme);
    }

    fn push_group(&mut self, piece: &mut Piece, depth: usize) {
        let open = piece.next;
        let partner = self.braces.partner(open);
        let mut lexeme = self.source.lexeme(open, Tok::Body);
        piece.next = partner.next();
        lexeme.end = self.source.token_index(piece.next - 1) + 1;
        piece.lexemes.push(lexeme);
        if !partner.closed {
            self.unclosed_brace(open);
        }
        if depth >= BRACKETS_MAX {
            self.too_nested(piece, open);
        } else {
            piece.group = Some((open + 1, partner.end));
        }
    }

    fn too_nested(&mut self, piece: &mut Piece, at: usize) {
        if !piece.too_nested {
            self.tell_too_nested(self.source.span(at));
        }
        piece.too_nested = true;
        piece.told = true;
    }

    /// Adds the next token to the piece.
    fn push(&mut self, piece: &mut Piece, depth: usize) {
        let at = piece.next;
        piece.next += 1;
        match self.source.kind(at) {
            Some(TokenKind::Error) => return self.junk(piece, at),
            Some(TokenKind::Doc | TokenKind::InnerDoc) => return self.idle_doc(at),
            Some(kind @ (TokenKind::LParen | TokenKind::LBracket)) => {
                piece.open.push(kind);
                if depth + piece.open.len() > BRACKETS_MAX {
                    self.too_nested(piece, at);
                }
            }
            Some(TokenKind::RParen | TokenKind::RBracket) => {
                piece.open.pop();
            }
            _ => {}
        }
        let previous = piece.previous();
        let tok = self.source.classify(at, &previous);
        if matches!(tok, Tok::Name) && self.follows_number(at, &previous) {
            return self.push_unit(piece, at);
        }
        let tok = match self.literal_fault(at, &tok) {
            None => tok,
            Some(fault) => {
                // What follows an unclosed string on its line was swallowed by it, so that the
                // grammar will stop there too.
                if !std::mem::replace(&mut piece.told, true) {
                    let LiteralError { span, message, help } = fault;
                    let base = self.source.span(at).start;
                    self.tell(literal_code(self.source, at), span.shifted(base), message, help);
                }
                // A faulty string keeps the value it has; nothing else has one.
                if matches!(tok, Tok::Str) { tok } else { Tok::MissingExpr }
            }
        };
        piece.lexemes.push(self.source.lexeme(at, tok));
    }

    fn follows_number(&self, at: usize, previous: &Tok) -> bool {
        matches!(previous, Tok::Int | Tok::Decimal) && !self.source.fresh_line(at)
    }

    fn push_unit(&mut self, piece: &mut Piece, at: usize) {
        let word = self.source.slice(at);
        if let Some(unit) = Unit::from_word(word) {
            piece.lexemes.push(self.source.lexeme(at, Tok::Unit(unit)));
            return;
        }
        if !piece.told {
            let known: Vec<String> = Unit::ALL.iter().map(|unit| format!("`{}`", unit.word())).collect();
            let message = format!("unknown unit `{}`", literal::shorten(word));
            self.tell(Code::E0014, self.source.span(at), message, format!("the units are {}", known.join(", ")));
        }
        piece.told = true;
        if let Some(number) = piece.lexemes.last_mut() {
            number.tok = Tok::MissingExpr;
            number.end = self.source.token_index(at) + 1;
        }
    }

    fn junk(&mut self, piece: &mut Piece, at: usize) {
        if piece.told {
            return;
        }
        piece.told = true;
        let text = self.source.slice(at);
        if text.starts_with('#') && piece.lexemes.is_empty() {
            self.skip_line(piece);
        }
        let message = format!("`{}` means nothing here", literal::shorten(text));
        let help = match text {
            "#" => "remove it; a comment begins with `//`",
            "%" => "for a remainder write `mod`; a percentage is written without a space, as in `20%`",
            _ => "remove it, or put it into a string or a comment",
        };
        self.tell(Code::E0002, self.source.span(at), message, help);
    }

    /// Skips what other languages take for a comment, but no brace, as those are paired already.
    fn skip_line(&self, piece: &mut Piece) {
        let ends = |kind| matches!(kind, TokenKind::LBrace | TokenKind::RBrace | TokenKind::Semi | TokenKind::Doc);
        while !self.source.fresh_line(piece.next) && self.source.kind(piece.next).is_some_and(|kind| !ends(kind)) {
            piece.next += 1;
        }
    }

    /// What is wrong in a literal.
    fn literal_fault(&self, at: usize, tok: &Tok) -> Option<LiteralError> {
        let text = self.source.slice(at);
        match tok {
            Tok::Int | Tok::Decimal | Tok::Percent => literal::check_number(text).err(),
            Tok::Bytes => literal::bytes_of(text).err(),
            Tok::Str if self.source.is(at, TokenKind::UnclosedStr) => Some(LiteralError {
                span: Span::new(0, self.source.span(at).len()),
                message: "this string has no end".to_string(),
                help: "close it with `\"` on the same line",
            }),
            Tok::Str => {
                let mut first = None;
                literal::unescape(text, |error| {
                    first.get_or_insert(error);
                });
                first
            }
            _ => None,
        }
    }

    fn wrong_separator(&mut self, at: usize) {
        let span = self.source.span(at);
        self.tell(Code::E0001, span, "entries are separated by `,`, not `;`", "write `,` instead");
    }

    /// Documentation before something that has none.
    pub(crate) fn idle_doc(&mut self, at: usize) {
        let span = self.source.span(at);
        self.warn_idle_doc(span);
    }

    /// The bytes of terminals `from` up to the end.
    pub(crate) fn lexemes_span(&self, lexemes: &[Lexeme]) -> Span {
        match (lexemes.first(), lexemes.last()) {
            (Some(first), Some(last)) => self.cx.span(first.start, last.end),
            _ => Span::default(),
        }
    }
}

fn literal_code(source: &Source<'_>, at: usize) -> Code {
    match source.kind(at) {
        Some(TokenKind::UnclosedStr) => Code::E0003,
        Some(TokenKind::Str) => Code::E0005,
        _ => Code::E0006,
    }
}
