//! Islands to trees.

use crate::ast::{
    Allow, Block, Budget, Const, Contract, Doc, Entry, Enum, Fn, Imi, Imo, Item, Member, Model, Plan, Reward, Spend,
    State, Struct, Test, Use,
};
use crate::braces::{Braces, Within};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::islands::{self, begins_member, semi_ends};
use crate::nodes::{Cx, Header, Import, Piece};
use crate::run::Outcome;
use crate::span::{ItemKey, ItemKind, Span};
use crate::stream::{Lexeme, Source, Start, Tok};
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
    /// Whether the body being read has more closing braces than opening ones, so that a `{` is missing in it.
    pub(crate) surplus: bool,
    /// The first `}` that closes nothing. It is told last, unless the place is found where its `{` is missing.
    pub(crate) stray: Option<Span>,
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
        surplus: false,
        stray: None,
        adrift: false,
    };
    let item = parser.item();
    (item, parser.told())
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
        let piece = if self.is_simple(lo) {
            self.braces.pair(self.source, lo, hi, Within::Declaration);
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
                let rest = piece.lexemes.get(at..).unwrap_or(&[]);
                (
                    parsed,
                    if self.ends_header(rest) { piece.next } else { rest.first().map_or(piece.next, |first| first.at) },
                )
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

    /// Whether what stands where a body should begin is a part of the header that makes no sense, up to the `{` of the body
    /// on the same line: a sign, or anything but a keyword where the `{` ends the line.
    fn ends_header(&self, rest: &[Lexeme]) -> bool {
        let [first, .., Lexeme { tok: Tok::Body, at, .. }] = rest else {
            return false;
        };
        let is_sign = match &first.tok {
            Tok::Is(TokenKind::Keyword(_)) | Tok::Context(_) => return false,
            Tok::Is(_) => true,
            _ => false,
        };
        rest.iter().all(|lexeme| !lexeme.fresh_line) && (is_sign || self.source.fresh_line(at + 1))
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
                let end = self.body_end(lo, hi, Within::Body);
                Item::Plan(Plan { docs, name, params, stmts: self.plan_stmts(Start::Plan, lo, end, 1), span })
            }
            Header::Test { name, params } => {
                let end = self.body_end(lo, hi, Within::Body);
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
        let end = self.body_end(lo, hi, Within::Body);
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
        let end = self.body_end(lo, hi, Within::Body);
        self.adrift = end == hi;
        end
    }

    /// Whether the token before `lo` is the `{` of the body that begins there.
    fn opens(&self, lo: usize) -> bool {
        lo > 0 && self.source.is(lo - 1, TokenKind::LBrace)
    }

    /// Pairs the braces of a body that begins at `lo` and returns where it ends: at its last brace
    /// without partner. What follows that brace is told about here.
    fn body_end(&mut self, lo: usize, hi: usize, within: Within) -> usize {
        let closers = self.braces.pair(self.source, lo, hi, within);
        self.surplus = closers.len() > 1;
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
            let what = if within == Within::Members { "a declaration" } else { "another declaration" };
            self.tell(Code::E0015, span, format!("expected {what} after this `}}`"), "remove this text");
        }
        last
    }

    fn members(&mut self, lo: usize, hi: usize) -> Vec<Member> {
        let end = self.body_end(lo, hi, Within::Members);
        let surplus = self.surplus;
        let mut told = false;
        let mut members = Vec::new();
        let mut at = lo;
        while at < end {
            let first = self.source.skip_docs(at).min(end);
            if first == end {
                self.idle_doc(at);
                break;
            }
            let next = self.next_member(first, end);
            let begins = begins_member(self.source, first) || self.source.opens_member(first);
            if begins || self.is_nameless_member(first) {
                let docs = self.docs(at, first);
                members.push(self.member(docs, first, next));
            } else {
                // Where the `{` of a member is missing, all that it holds stands outside of any.
                if !(surplus && told) {
                    self.explain_no_member(first);
                }
                told = true;
                members.push(Member::Error(self.source.span_of(at, next)));
            }
            at = next;
        }
        members
    }

    /// Where the member behind the one at `first` begins, its documentation included.
    fn next_member(&self, first: usize, end: usize) -> usize {
        let lacks_body = [Word::Spend, Word::Fn].iter().any(|word| self.source.is_word(first, *word));
        let simple = self.is_simple(first);
        let mut at = first + 1;
        // In front of the braces of a body, `allow` and `budget` are members only if they do not stand further right.
        let mut header = lacks_body;
        let mut open = Vec::new();
        while at < end {
            let inside = header && self.source.column_if_first(at) > self.source.column_if_first(first);
            if begins_member(self.source, at) || (self.source.opens_member(at) && !inside) {
                return self.source.before_docs(at, first + 1);
            }
            match self.source.kind(at) {
                Some(TokenKind::LBrace) => {
                    header = false;
                    at = self.braces.partner(at).next().max(at + 1);
                    continue;
                }
                Some(kind @ (TokenKind::LParen | TokenKind::LBracket)) => open.push(kind),
                Some(TokenKind::RParen | TokenKind::RBracket) => {
                    open.pop();
                }
                Some(TokenKind::Semi) if simple && semi_ends(self.source, at, open.last()) => return at + 1,
                _ => {}
            }
            at += 1;
        }
        self.source.before_docs(end, first + 1)
    }

    /// Whether the declaration at `at` has no body.
    fn is_simple(&self, at: usize) -> bool {
        self.source.is_word(at, Word::Use)
            || self.source.is_word(at, Word::Const)
            || (self.source.opens_member(at) && self.source.is(at + 1, TokenKind::LParen))
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
