//! What stands between braces: the statements of a block and the entries of a reward.

use crate::ast::{Block, Entry, EntryValue, Expr, ExprKind, Ident, Stmt, StmtKind};
use crate::codes::Code;
use crate::collect::{BRACKETS_MAX, Piece};
use crate::nodes::{self, Node, gives_value, statement_of};
use crate::parser::Parser;
use crate::run::{Outcome, run};
use crate::span::Span;
use crate::stream::{Lexeme, Start, Tok};
use crate::token::TokenKind;
use crate::words::Word;
use std::sync::Arc;

/// After so many stops of the grammar in one island the rest of its pieces become errors unread.
const STOPS_MAX: u32 = 300;

/// The statements of a block while they are read.
#[derive(Default)]
struct Stmts {
    stmts: Vec<Stmt>,
    tail: Option<Box<Expr>>,
    depth: u32,
}

impl Parser<'_> {
    /// The block whose `{` stands at `open`, itself inside `depth` brackets.
    pub(crate) fn braced_block(&mut self, open: usize, depth: usize) -> Node<Arc<Block>> {
        let partner = self.braces.partner(open);
        let span = self.source.span_of(open, partner.next());
        if !partner.closed {
            self.unclosed_brace(open);
        }
        if depth >= BRACKETS_MAX {
            self.tell_too_nested(self.source.span(open));
            return Node::leaf(Arc::new(error_block(span)));
        }
        self.block(open + 1, partner.end, depth + 1, span).map(Arc::new)
    }

    /// The block of the tokens from `lo` up to `hi`.
    pub(crate) fn block(&mut self, lo: usize, hi: usize, depth: usize, span: Span) -> Node<Block> {
        let mut stmts = Stmts::default();
        let mut at = lo;
        while at < hi {
            match self.source.kind(at) {
                Some(TokenKind::Semi) => at += 1,
                Some(TokenKind::RBrace) => {
                    self.stray_brace(at);
                    at += 1;
                }
                Some(TokenKind::Doc | TokenKind::InnerDoc) => {
                    self.idle_doc(at);
                    at += 1;
                }
                _ => {
                    let piece = self.collect_stmt(at, hi, depth);
                    at = piece.next.max(at + 1);
                    self.read_stmts(&piece, at >= hi, &mut stmts);
                }
            }
        }
        Node { value: Block { stmts: stmts.stmts, tail: stmts.tail, span }, depth: stmts.depth }
    }

    /// Reads the terminals of a piece as one statement, or as several when a `;` is missing.
    fn read_stmts(&mut self, piece: &Piece, is_last: bool, out: &mut Stmts) {
        let mut rest = piece.lexemes.as_slice();
        let mut told = piece.told;
        while !rest.is_empty() {
            let span = self.lexemes_span(rest);
            if piece.too_nested || self.stops > STOPS_MAX || self.is_later_feature(rest, told) {
                out.stmts.push(error_stmt(span));
                return;
            }
            let outcome = self.run(Start::Stmt, rest, told);
            told = false;
            match outcome {
                Outcome::Whole(parsed) => {
                    self.add_stmt(parsed, rest, is_last, out);
                    return;
                }
                Outcome::Before(parsed, at) => {
                    self.add_stmt(parsed, rest, false, out);
                    let (_, later) = rest.split_at_checked(at).unwrap_or((rest, &[]));
                    rest = later;
                    if rest.first().is_some_and(|lexeme| !lexeme.fresh_line) {
                        out.stmts.push(error_stmt(self.lexemes_span(rest)));
                        return;
                    }
                }
                Outcome::Dropping(..) | Outcome::BodyAt(..) | Outcome::Failed => {
                    out.stmts.push(salvaged(self, rest, span));
                    return;
                }
            }
        }
    }

    fn add_stmt(&mut self, parsed: nodes::Parsed, lexemes: &[Lexeme], is_last: bool, out: &mut Stmts) {
        out.depth = out.depth.max(parsed.depth);
        match parsed.value {
            nodes::Piece::Stmt(stmt) => out.stmts.push(stmt),
            nodes::Piece::Tail(expr) if is_last && gives_value(&expr) => {
                out.tail = Some(Box::new(expr));
            }
            nodes::Piece::Tail(expr) => {
                let stmt = statement_of(expr);
                if !matches!(stmt.kind, StmtKind::If(_)) {
                    self.missing_semi(lexemes);
                }
                out.stmts.push(stmt);
            }
            nodes::Piece::Header(_) | nodes::Piece::Entry(_) => {}
        }
    }

    /// Statements that the language reserves words for.
    fn is_later_feature(&mut self, lexemes: &[Lexeme], told: bool) -> bool {
        let later = lexemes
            .iter()
            .find(|lexeme| [Word::For, Word::While, Word::Match].iter().any(|word| lexeme.tok.is_word(*word)));
        let Some((lexeme, Tok::Is(TokenKind::Keyword(word)))) = later.map(|lexeme| (lexeme, &lexeme.tok)) else {
            return false;
        };
        if !told {
            self.not_yet(*word, self.cx.span(lexeme.start, lexeme.end));
        }
        true
    }

    /// The entries from `lo` up to `hi`.
    pub(crate) fn entries(&mut self, lo: usize, hi: usize, depth: usize) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut at = lo;
        while at < hi {
            let first = self.source.skip_docs(at).min(hi);
            let docs = self.docs(at, first);
            if first == hi {
                self.idle_doc(at);
                break;
            }
            if self.source.is(first, TokenKind::RBrace) {
                self.stray_brace(first);
                at = first + 1 + usize::from(self.source.is(first + 1, TokenKind::Comma));
                continue;
            }
            let piece = self.collect_entry(first, hi, depth);
            at = piece.next.max(first + 1);
            let separated = at >= hi || self.ends_in_separator(&piece);
            if let Some(mut entry) = self.read_entry(&piece, depth) {
                entry.docs = docs;
                entries.push(entry);
            }
            if !separated {
                self.missing_comma(&piece.lexemes);
            }
        }
        entries
    }

    fn ends_in_separator(&self, piece: &Piece) -> bool {
        let last = piece.next.saturating_sub(1);
        self.source.is(last, TokenKind::Comma) || self.source.is(last, TokenKind::Semi)
    }

    fn read_entry(&mut self, piece: &Piece, depth: usize) -> Option<Entry> {
        let span = self.lexemes_span(&piece.lexemes);
        if piece.lexemes.is_empty() {
            let at = piece.next.saturating_sub(1);
            if !piece.told && self.source.is(at, TokenKind::Comma) {
                let span = self.source.span(at);
                self.tell(Code::E0009, span, "expected the key of an entry, found `,`", "remove the `,`");
            }
            return None;
        }
        let skip = piece.too_nested || self.stops > STOPS_MAX;
        let outcome = if skip { Outcome::Failed } else { self.run(Start::Entry, &piece.lexemes, piece.told) };
        let Outcome::Whole(Node { value: nodes::Piece::Entry(mut entry), .. }) = outcome else {
            return Some(self.salvaged_entry(&piece.lexemes, span));
        };
        if let (EntryValue::Group { entries, .. }, Some((lo, hi))) = (&mut entry.value, piece.group) {
            *entries = self.entries(lo, hi, depth + 1);
        }
        Some(entry)
    }

    fn salvaged_entry(&self, lexemes: &[Lexeme], span: Span) -> Entry {
        let key = match lexemes {
            [key, colon, ..] if matches!(key.tok, Tok::Name) && colon.tok.is(TokenKind::Colon) => {
                self.cx.ident(key.start, key.end)
            }
            _ => Ident { name: "".into(), span: Span::point(span.start) },
        };
        Entry { docs: Vec::new(), key, value: EntryValue::Error(span), span }
    }

    /// Reads a piece and tells about the first mistake in it, unless one has been told.
    pub(crate) fn run(&mut self, start: Start, lexemes: &[Lexeme], told: bool) -> Outcome {
        let mut stopped = None;
        let source = self.source;
        let outcome = run(&mut self.cx, start, lexemes, &mut |stop| {
            let shown = stop.found.map(|lexeme| source.slice(lexeme.at));
            let explanation = stop.explain(shown.map(crate::literal::shorten).as_deref());
            let place = stop.found.map(|lexeme| (lexeme.start, lexeme.end));
            let previous = stop.before.last().map(|lexeme| lexeme.end);
            let open = stop.open_bracket().map(|lexeme| (lexeme.start, lexeme.end));
            stopped = Some((explanation, place, previous, open));
        });
        if let Some((explanation, place, previous, open)) = stopped {
            self.stops += 1;
            if !told {
                self.tell_stop(explanation, place, previous, open);
            }
        }
        if let Some(span) = self.cx.too_deep.take()
            && !told
        {
            self.tell_too_nested(span);
        }
        outcome
    }
}

/// What is kept of a statement that cannot be read: the name that a `let` brings.
fn salvaged(parser: &Parser<'_>, lexemes: &[Lexeme], span: Span) -> Stmt {
    let (mutable, name) = match lexemes {
        [first, name, ..] if first.tok.is_word(Word::Let) && matches!(name.tok, Tok::Name) => (false, name),
        [first, second, name, ..]
            if first.tok.is_word(Word::Let) && second.tok.is_word(Word::Mut) && matches!(name.tok, Tok::Name) =>
        {
            (true, name)
        }
        _ => return error_stmt(span),
    };
    let value = Expr { kind: ExprKind::Error, span };
    let kind = StmtKind::Let { mutable, name: parser.cx.ident(name.start, name.end), ty: None, value };
    Stmt { kind, span }
}

fn error_stmt(span: Span) -> Stmt {
    Stmt { kind: StmtKind::Error, span }
}

fn error_block(span: Span) -> Block {
    Block { stmts: vec![error_stmt(span)], tail: None, span }
}
