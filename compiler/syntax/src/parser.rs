//! Islands to trees.

use crate::ast::{Block, Const, Contract, Doc, Fn, Item, Member, Reward, Spend, Use};
use crate::braces::Braces;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::islands::{self, begins_member};
use crate::nodes::{Cx, Header, Node, Piece};
use crate::run::Outcome;
use crate::span::{ItemKey, ItemKind, Span};
use crate::stream::Source;
use crate::token::{TokenKind, lex};
use crate::words::Word;

/// What reading one island needs.
pub(crate) struct Parser<'t> {
    pub(crate) source: &'t Source<'t>,
    pub(crate) cx: Cx<'t>,
    pub(crate) key: &'t ItemKey,
    pub(crate) braces: Braces,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// How many pieces the grammar stopped in.
    pub(crate) stops: u32,
    /// Whether a brace without partner has been told; what follows is often its consequence.
    pub(crate) braces_told: bool,
}

/// Reads the text of one island; nothing outside it matters. Places in the diagnostics are relative
/// to the island and name `FileId::default()` as the file (see [`Diagnostic::in_file`]).
///
/// ```
/// let text = "const A: Int = ;";
/// let island = &syntax::islands(&syntax::lex(text), text)[0];
/// let (item, diagnostics) = syntax::parse_island(text, &island.key);
/// assert_eq!(item.name().map(|name| name.as_str()), Some("A"));
/// assert_eq!(diagnostics[0].message, "expected an expression, found `;`");
/// ```
pub fn parse_island(text: &str, key: &ItemKey) -> (Item, Vec<Diagnostic>) {
    let tokens = lex(text);
    let source = Source::new(text, &tokens);
    let mut parser = Parser {
        source: &source,
        cx: Cx::new(text, &tokens),
        key,
        braces: Braces::new(&source),
        diagnostics: Vec::new(),
        stops: 0,
        braces_told: false,
    };
    let item = parser.item();
    (item, parser.diagnostics)
}

/// A declaration before it is known where it stands.
enum Declared {
    Use(Use),
    Const(Const),
    Fn(Fn),
    Contract(Contract),
    Spend(Spend),
    Reward(Reward),
    Error(Span),
}

impl Parser<'_> {
    fn item(&mut self) -> Item {
        let end = self.source.len();
        let first = self.source.skip_docs(0);
        if matches!(self.key.kind, ItemKind::Error | ItemKind::Rest) {
            self.explain_garbage(first);
            return Item::Error(self.source.span_of(0, end));
        }
        let docs = self.docs(0, first);
        match self.declaration(docs, first, end) {
            Declared::Use(item) => Item::Use(item),
            Declared::Const(item) => Item::Const(item),
            Declared::Fn(item) => Item::Fn(item),
            Declared::Contract(item) => Item::Contract(item),
            Declared::Reward(item) => Item::Reward(item),
            Declared::Spend(item) => Item::Error(item.span),
            Declared::Error(span) => Item::Error(span),
        }
    }

    /// The documentation from `lo` up to `hi`.
    pub(crate) fn docs(&mut self, lo: usize, hi: usize) -> Vec<Doc> {
        let mut docs = Vec::new();
        for at in lo..hi {
            if self.source.is(at, TokenKind::Doc) {
                docs.push(islands::doc(self.source, at));
            } else {
                self.idle_doc(at);
            }
        }
        docs
    }

    /// The declaration that the tokens from `lo` up to `hi` make, none of them left over.
    fn declaration(&mut self, docs: Vec<Doc>, lo: usize, hi: usize) -> Declared {
        let simple = self.source.is_word(lo, Word::Use) || self.source.is_word(lo, Word::Const);
        let piece = if simple {
            self.braces.pair(self.source, lo, hi, false);
            self.collect_simple(lo, hi)
        } else {
            self.collect_header(lo, hi)
        };
        let span = self.source.span_of(lo, hi);
        let outcome = if piece.too_nested {
            Outcome::Failed
        } else {
            self.run(crate::stream::Start::Item, &piece.lexemes, piece.told)
        };
        let (parsed, body) = match outcome {
            Outcome::Whole(parsed) => (parsed, piece.next),
            Outcome::Dropping(parsed) | Outcome::Before(parsed, _) => (parsed, hi),
            Outcome::BodyAt(parsed, at) => {
                self.braces_told = true;
                (parsed, piece.lexemes.get(at).map_or(piece.next, |lexeme| lexeme.at))
            }
            Outcome::Failed => return Declared::Error(span),
        };
        match parsed {
            Node { value: Piece::Header(header), .. } => self.with_body(docs, header, span, body, hi),
            _ => Declared::Error(span),
        }
    }

    fn with_body(&mut self, docs: Vec<Doc>, header: Header, span: Span, lo: usize, hi: usize) -> Declared {
        match header {
            Header::Use { relative, path } => Declared::Use(Use { docs, relative, path, span }),
            Header::Const { name, ty, value } => Declared::Const(Const { docs, name, ty, value, span }),
            Header::Fn { name, params, result } => {
                Declared::Fn(Fn { docs, name, params, result, body: self.body(lo, hi), span })
            }
            Header::Spend { name, params } => {
                Declared::Spend(Spend { docs, name, params, body: self.body(lo, hi), span })
            }
            Header::Contract { name, params } => {
                Declared::Contract(Contract { docs, name, params, members: self.members(lo, hi), span })
            }
            Header::Reward { name } => {
                Declared::Reward(Reward { docs, name, entries: self.reward_entries(lo, hi), span })
            }
        }
    }

    fn body(&mut self, lo: usize, hi: usize) -> Block {
        let end = self.body_end(lo, hi, false);
        let from = if self.opens(lo) { lo - 1 } else { lo };
        let span = self.source.span_of(from, (end + 1).min(hi));
        self.block(lo, end, 1, span).value
    }

    fn reward_entries(&mut self, lo: usize, hi: usize) -> Vec<crate::ast::Entry> {
        let end = self.body_end(lo, hi, false);
        self.entries(lo, end, 1)
    }

    /// Whether the token before `lo` is the `{` of the body that begins there.
    fn opens(&self, lo: usize) -> bool {
        lo > 0 && self.source.is(lo - 1, TokenKind::LBrace)
    }

    /// Pairs the braces of a body that begins at `lo` and returns where it ends: at its last brace
    /// without partner. What follows that brace is told about here.
    fn body_end(&mut self, lo: usize, hi: usize, members: bool) -> usize {
        let closers = self.braces.pair(self.source, lo, hi, members);
        let Some(last) = closers.last().copied() else {
            if self.opens(lo) {
                self.unclosed_brace(lo - 1);
            }
            return hi;
        };
        if last + 1 < hi && !self.braces_told {
            let span = self.source.span_of(last + 1, hi);
            self.braces_told = true;
            let what = if members { "a declaration" } else { "another declaration" };
            self.tell(Code::E0015, span, format!("expected {what} after this `}}`"), "remove this text");
        }
        last
    }

    fn members(&mut self, lo: usize, hi: usize) -> Vec<Member> {
        let end = self.body_end(lo, hi, true);
        let mut members = Vec::new();
        let mut at = lo;
        while at < end {
            let first = self.source.skip_docs(at).min(end);
            let next = self.next_member(first + 1, end);
            if begins_member(self.source, first) || self.is_nameless_member(first) {
                let docs = self.docs(at, first);
                members.push(self.member(docs, first, next));
            } else {
                self.explain_no_member(first, next);
                members.push(Member::Error(self.source.span_of(at, next)));
            }
            at = next;
        }
        members
    }

    /// Where the member after `at` begins, its documentation included.
    fn next_member(&self, at: usize, end: usize) -> usize {
        match (at..end).find(|at| begins_member(self.source, *at)) {
            Some(next) => self.source.before_docs(next, at),
            None => end,
        }
    }

    fn is_nameless_member(&self, at: usize) -> bool {
        [Word::Spend, Word::Fn, Word::Const].iter().any(|word| self.source.is_word(at, *word))
    }

    fn member(&mut self, docs: Vec<Doc>, lo: usize, hi: usize) -> Member {
        match self.declaration(docs, lo, hi) {
            Declared::Const(member) => Member::Const(member),
            Declared::Fn(member) => Member::Fn(member),
            Declared::Spend(member) => Member::Spend(member),
            Declared::Use(Use { span, .. })
            | Declared::Contract(Contract { span, .. })
            | Declared::Reward(Reward { span, .. })
            | Declared::Error(span) => Member::Error(span),
        }
    }
}
