//! Islands to trees.

use crate::ast::{
    Allow, Block, Budget, Const, Contract, Doc, Entry, Enum, Fn, Imi, Imo, Item, Member, Model, Plan, Reward, Spend,
    State, Struct, Test, Use,
};
use crate::braces::Braces;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::islands::{self, begins_member};
use crate::nodes::{Cx, Header, Import, Piece};
use crate::run::Outcome;
use crate::span::{ItemKey, ItemKind, Span};
use crate::stream::{Source, Start};
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
    /// Whether some brace has no partner.
    pub(crate) unbalanced: bool,
    /// Whether the list being read has no closing brace: what it holds belongs to something else.
    pub(crate) adrift: bool,
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
        unbalanced: false,
        adrift: false,
    };
    let item = parser.item();
    (item, parser.diagnostics)
}

/// A declaration before it is known where it stands.
enum Declared {
    Item(Item),
    Member(Member),
    /// What may stand in both places.
    Const(Const),
    Fn(Fn),
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
            Declared::Item(item) => item,
            Declared::Const(item) => Item::Const(item),
            Declared::Fn(item) => Item::Fn(item),
            Declared::Error(span) => Item::Error(span),
            Declared::Member(_) => Item::Error(self.source.span_of(first, end)),
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
        let simple = self.source.is_word(lo, Word::Use)
            || self.source.is_word(lo, Word::Const)
            || (self.source.opens_member(lo) && self.source.is(lo + 1, TokenKind::LParen));
        let piece = if simple {
            self.braces.pair(self.source, lo, hi, false);
            self.collect_simple(lo, hi)
        } else {
            self.collect_header(lo, hi)
        };
        let span = self.source.span_of(lo, hi);
        let outcome =
            if piece.too_nested { Outcome::Failed } else { self.run(Start::Item, &piece.lexemes, piece.told) };
        self.adrift = false;
        let (parsed, body) = match outcome {
            Outcome::Whole(parsed) => (parsed, piece.next),
            Outcome::Dropping(parsed) | Outcome::Before(parsed, _) => (parsed, hi),
            Outcome::BodyAt(parsed, at) => {
                self.braces_told = true;
                (parsed, piece.lexemes.get(at).map_or(piece.next, |lexeme| lexeme.at))
            }
            Outcome::Failed => return Declared::Error(span),
        };
        let Piece::Header(header) = *parsed.value else {
            return Declared::Error(span);
        };
        let has_members = matches!(header, Header::Contract { .. });
        let told_before = self.diagnostics.len();
        let declared = self.with_body(docs, header, span, body, hi);
        if self.unbalanced && !has_members {
            self.keep_braces_and_one(told_before);
        }
        declared
    }

    fn with_body(&mut self, docs: Vec<Doc>, header: Header, span: Span, lo: usize, hi: usize) -> Declared {
        match header {
            Header::Const { name, ty, value } => Declared::Const(Const { docs, name, ty, value, span }),
            Header::Fn { name, type_params, params, result } => {
                let body = self.body(lo, hi);
                Declared::Fn(Fn { docs, name, type_params, params, result, body, span })
            }
            Header::Spend { name, params } => {
                let body = self.body(lo, hi);
                Declared::Member(Member::Spend(Spend { docs, name, params, body, span }))
            }
            Header::State { word_span } => {
                let end = self.list_end(lo, hi);
                let fields = self.fields(lo, end, 1).value;
                Declared::Member(Member::State(State { docs, fields, word_span, span }))
            }
            Header::Allow { lints } => Declared::Member(Member::Allow(Allow { docs, lints, span })),
            Header::Budget { limits } => Declared::Member(Member::Budget(Budget { docs, limits, span })),
            header => Declared::Item(self.item_with_body(docs, header, span, lo, hi)),
        }
    }

    fn item_with_body(&mut self, docs: Vec<Doc>, header: Header, span: Span, lo: usize, hi: usize) -> Item {
        match header {
            Header::Use(Import { relative, folders, path, group, alias }) => {
                Item::Use(Use { docs, relative, folders, path, group, alias, span })
            }
            Header::Struct { name, type_params } => {
                let end = self.list_end(lo, hi);
                let fields = self.fields(lo, end, 1).value;
                Item::Struct(Struct { docs, name, type_params, fields, span })
            }
            Header::Enum { name, type_params } => {
                let end = self.list_end(lo, hi);
                let variants = self.variants(lo, end, 1).value;
                Item::Enum(Enum { docs, name, type_params, variants, span })
            }
            Header::Contract { name, params } => {
                Item::Contract(Contract { docs, name, params, members: self.members(lo, hi), span })
            }
            Header::Reward { name } => Item::Reward(Reward { docs, name, entries: self.body_entries(lo, hi), span }),
            Header::Model { name } => Item::Model(Model { docs, name, entries: self.body_entries(lo, hi), span }),
            Header::Imi { name } => Item::Imi(Imi { docs, name, entries: self.body_entries(lo, hi), span }),
            Header::Imo { name, subject } => {
                Item::Imo(Imo { docs, name, subject, entries: self.body_entries(lo, hi), span })
            }
            Header::Plan { name, params } => {
                let end = self.body_end(lo, hi, false);
                Item::Plan(Plan { docs, name, params, stmts: self.plan_stmts(Start::Plan, lo, end, 1), span })
            }
            Header::Test { name, params } => {
                let end = self.body_end(lo, hi, false);
                Item::Test(Test { docs, name, params, stmts: self.plan_stmts(Start::Test, lo, end, 1), span })
            }
            Header::Const { .. }
            | Header::Fn { .. }
            | Header::Spend { .. }
            | Header::State { .. }
            | Header::Allow { .. }
            | Header::Budget { .. } => Item::Error(span),
        }
    }

    fn body(&mut self, lo: usize, hi: usize) -> Block {
        let end = self.body_end(lo, hi, false);
        let from = if self.opens(lo) { lo - 1 } else { lo };
        let span = self.source.span_of(from, (end + 1).min(hi));
        self.block(lo, end, 1, span).value
    }

    fn body_entries(&mut self, lo: usize, hi: usize) -> Vec<Entry> {
        let end = self.list_end(lo, hi);
        self.entries(lo, end, 1).value
    }

    /// Where the list between the braces of a body ends.
    fn list_end(&mut self, lo: usize, hi: usize) -> usize {
        let end = self.body_end(lo, hi, false);
        self.adrift = end == hi;
        end
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
            self.unbalanced |= closers.len() > 1;
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
            let begins = begins_member(self.source, first) || self.source.opens_member(first);
            if begins || self.is_nameless_member(first) {
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
    fn next_member(&self, from: usize, end: usize) -> usize {
        let mut at = from;
        while at < end {
            if begins_member(self.source, at) || self.source.opens_member(at) {
                return self.source.before_docs(at, from);
            }
            at =
                if self.source.is(at, TokenKind::LBrace) { self.braces.partner(at).next().max(at + 1) } else { at + 1 };
        }
        end
    }

    fn is_nameless_member(&self, at: usize) -> bool {
        [Word::Spend, Word::Fn, Word::Const].iter().any(|word| self.source.is_word(at, *word))
    }

    fn member(&mut self, docs: Vec<Doc>, lo: usize, hi: usize) -> Member {
        match self.declaration(docs, lo, hi) {
            Declared::Member(member) => member,
            Declared::Const(member) => Member::Const(member),
            Declared::Fn(member) => Member::Fn(member),
            Declared::Error(span) => Member::Error(span),
            Declared::Item(item) => Member::Error(item.span()),
        }
    }
}
