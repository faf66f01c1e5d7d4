//! The statements of a block or plan.

use crate::ast::{Block, Doc, Expr, ExprKind, Pattern, PatternKind, PlanStmt, PlanStmtKind, Stmt, StmtKind};
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
                    let piece = self.collect_stmt(Start::Stmt, at, hi, depth);
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
            if self.skips(piece) {
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
        match *parsed.value {
            nodes::Piece::Stmt(stmt) => out.stmts.push(stmt),
            nodes::Piece::Tail(expr) if is_last && gives_value(&expr) => {
                out.tail = Some(Box::new(expr));
            }
            nodes::Piece::Tail(expr) => {
                let stmt = statement_of(expr);
                if !matches!(stmt.kind, StmtKind::If(_) | StmtKind::Match(_)) {
                    self.missing_semi(lexemes);
                }
                out.stmts.push(stmt);
            }
            _ => {}
        }
    }

    /// Whether a piece is left unread.
    pub(crate) fn skips(&self, piece: &Piece) -> bool {
        piece.too_nested || self.stops > STOPS_MAX
    }

    /// The transaction of a test whose `{` stands at `open`, itself inside `depth` brackets.
    pub(crate) fn braced_deal(&mut self, open: usize, depth: usize) -> Node<Arc<[PlanStmt]>> {
        let partner = self.braces.partner(open);
        if !partner.closed {
            self.unclosed_brace(open);
        }
        if depth >= BRACKETS_MAX {
            self.tell_too_nested(self.source.span(open));
            return Node::leaf(Arc::from([]));
        }
        Node::leaf(self.plan_stmts(Start::Test, open + 1, partner.end, depth + 1).into())
    }

    /// The statements of a plan or a test from `lo` up to `hi`, inside `depth` brackets.
    pub(crate) fn plan_stmts(&mut self, start: Start, lo: usize, hi: usize, depth: usize) -> Vec<PlanStmt> {
        let mut stmts = Vec::new();
        let mut at = lo;
        while at < hi {
            let first = self.source.skip_docs(at).min(hi);
            if first == hi {
                self.idle_doc(at);
                break;
            }
            let docs = self.docs(at, first);
            match self.source.kind(first) {
                Some(TokenKind::Semi) => at = first + 1,
                Some(TokenKind::RBrace) => {
                    self.stray_brace(first);
                    at = first + 1;
                }
                _ => {
                    let piece = self.collect_stmt(start, first, hi, depth);
                    at = piece.next.max(first + 1);
                    // Only what a transaction does may end without `;`.
                    let is_last = at >= hi && depth > 1;
                    self.read_plan_stmts(&piece, docs, is_last, &mut stmts);
                }
            }
        }
        stmts
    }

    fn read_plan_stmts(&mut self, piece: &Piece, mut docs: Vec<Doc>, is_last: bool, out: &mut Vec<PlanStmt>) {
        let mut rest = piece.lexemes.as_slice();
        let mut told = piece.told;
        while !rest.is_empty() {
            let span = self.lexemes_span(rest);
            let outcome = if self.skips(piece) { Outcome::Failed } else { self.run(piece.start, rest, told) };
            told = false;
            let (parsed, at) = match outcome {
                Outcome::Whole(parsed) => (Some(parsed), rest.len()),
                Outcome::Before(parsed, at) => (Some(parsed), at),
                Outcome::Dropping(_) | Outcome::BodyAt(..) | Outcome::Failed => (None, rest.len()),
            };
            let stmt = match parsed.map(|parsed| *parsed.value) {
                Some(nodes::Piece::Plan(stmt)) => stmt,
                Some(nodes::Piece::LastCall(stmt)) => {
                    if !is_last {
                        self.missing_semi(rest);
                    }
                    stmt
                }
                _ => PlanStmt { docs: Vec::new(), kind: PlanStmtKind::Error, span },
            };
            out.push(PlanStmt { docs: std::mem::take(&mut docs), ..stmt });
            rest = rest.get(at..).unwrap_or(&[]);
            if rest.first().is_some_and(|lexeme| !lexeme.fresh_line) {
                let span = self.lexemes_span(rest);
                out.push(PlanStmt { docs: Vec::new(), kind: PlanStmtKind::Error, span });
                return;
            }
        }
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
            if !told || (explanation.opens_braces() && self.stray.is_some()) {
                self.tell_stop(explanation, place, previous, open);
            }
        }
        if let Some(span) = self.cx.too_deep.take()
            && !told
        {
            self.tell_too_nested(span);
        }
        if let Some(span) = self.cx.no_place.take()
            && !told
        {
            let help = "assign to a variable or a part of one: `name`, `name.field`, `name.0` or `name[i]`";
            self.tell(Code::E0001, span, "this cannot be assigned to", help);
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
    let name = parser.cx.ident(name.start, name.end);
    let pattern = Pattern { span: name.span, kind: PatternKind::Name { mutable, name } };
    let value = Expr { kind: ExprKind::Error, span };
    Stmt { kind: StmtKind::Let { pattern, ty: None, value }, span }
}

fn error_stmt(span: Span) -> Stmt {
    Stmt { kind: StmtKind::Error, span }
}

/// A block in place of one that could not be read.
pub(crate) fn error_block(span: Span) -> Block {
    Block { stmts: vec![error_stmt(span)], tail: None, span }
}
