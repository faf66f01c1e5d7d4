//! Semantic tokens: what each word of a source is, by the same table that definitions are found in.

use std::ops::Range;

use syntax::{FileId, ItemKind, Span, TokenKind as Lexed, Word};

use crate::host::{Answer, Snapshot};
use crate::names::{DefKind, Depth, Files, Name, Target, names_of};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are those that editors know")]
pub enum TokenKind {
    Namespace,
    Type,
    Struct,
    Enum,
    EnumMember,
    TypeParameter,
    Parameter,
    Variable,
    Property,
    Function,
    Method,
    Keyword,
    Modifier,
    Comment,
    String,
    Number,
    Operator,
}

/// The names of the kinds, as editors know them, in their order.
pub const TOKEN_KINDS: [&str; 17] = [
    "namespace",
    "type",
    "struct",
    "enum",
    "enumMember",
    "typeParameter",
    "parameter",
    "variable",
    "property",
    "function",
    "method",
    "keyword",
    "modifier",
    "comment",
    "string",
    "number",
    "operator",
];

/// The names of the modifiers: bit `i` of [`Token::modifiers`] is the one at `i`.
pub const TOKEN_MODIFIERS: [&str; 5] = ["declaration", "readonly", "documentation", "defaultLibrary", "modification"];

const DECLARATION: u32 = 1;
const READONLY: u32 = 2;
const DOCUMENTATION: u32 = 4;
const LIBRARY: u32 = 8;
const MODIFICATION: u32 = 16;

/// A piece of a source with what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The bytes; never more than one line.
    pub range: Range<usize>,
    /// What it is.
    pub kind: TokenKind,
    /// Bits, in the order of [`TOKEN_MODIFIERS`].
    pub modifiers: u32,
}

impl Snapshot {
    /// The tokens of a source in their order, or those that touch a range.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn tokens(&self, path: &str, within: Option<Range<usize>>) -> Answer<Vec<Token>> {
        self.ask_of(path, |files, file| tokens(files, file, within))
    }
}

fn tokens(files: &Files<'_>, file: FileId, within: Option<Range<usize>>) -> Vec<Token> {
    let Some(text) = files.session.text(file) else { return Vec::new() };
    let within = within.unwrap_or(0..text.len());
    let mut names: Vec<(Span, TokenKind, u32)> = Vec::new();
    for item in &files.of(file).items {
        let range = item.start as usize..item.start as usize + item.text.len();
        if range.start <= within.end && within.start <= range.end {
            let own = names_of(files, file, *item, Depth::Names).names;
            names.extend(own.iter().filter_map(|name| {
                let (kind, modifiers) = meaning(name)?;
                Some((name.span.shifted(item.start), kind, modifiers))
            }));
        }
    }
    let mut out = Vec::new();
    let mut names = names.into_iter().peekable();
    for (kind, span) in syntax::lex(text).iter() {
        if span.start as usize > within.end || (span.end as usize) < within.start {
            continue;
        }
        while names.next_if(|(place, ..)| place.start < span.start).is_some() {}
        let named = names.peek().filter(|(place, ..)| place.start == span.start);
        let found = match named {
            Some((_, kind, modifiers)) => Some((*kind, *modifiers)),
            None => lexed(kind, text.get(span.range()).unwrap_or_default()),
        };
        if let Some((kind, modifiers)) = found {
            lines(text, span.range(), kind, modifiers, &mut out);
        }
    }
    out
}

/// Editors take tokens of one line only.
fn lines(text: &str, range: Range<usize>, kind: TokenKind, modifiers: u32, out: &mut Vec<Token>) {
    let mut start = range.start;
    for line in text.get(range).unwrap_or_default().split_inclusive('\n') {
        let end = start + line.trim_end().len();
        if end > start {
            out.push(Token { range: start..end, kind, modifiers });
        }
        start += line.len();
    }
}

fn meaning(name: &Name) -> Option<(TokenKind, u32)> {
    let (kind, modifiers) = match &name.target {
        Target::Def(def) => of_def(def.kind),
        Target::Module(_) => (TokenKind::Namespace, 0),
        Target::Builtin => (TokenKind::Function, LIBRARY),
        Target::Type => (TokenKind::Type, LIBRARY),
        Target::Fact(_) => (TokenKind::Property, LIBRARY),
        Target::Unknown => return None,
    };
    let declares = if name.declares { DECLARATION } else { 0 };
    let writes = if name.writes { MODIFICATION } else { 0 };
    Some((kind, modifiers | declares | writes))
}

const fn of_def(kind: DefKind) -> (TokenKind, u32) {
    match kind {
        DefKind::Local | DefKind::Input => (TokenKind::Variable, 0),
        DefKind::Argument => (TokenKind::Parameter, 0),
        DefKind::Parameter => (TokenKind::Parameter, READONLY),
        DefKind::TypeParameter => (TokenKind::TypeParameter, 0),
        DefKind::Field | DefKind::State | DefKind::Entry => (TokenKind::Property, 0),
        DefKind::Variant => (TokenKind::EnumMember, 0),
        DefKind::Path => (TokenKind::Method, 0),
        DefKind::Item(ItemKind::Const) => (TokenKind::Variable, READONLY),
        DefKind::Item(ItemKind::Fn | ItemKind::Plan | ItemKind::Test | ItemKind::Property) => (TokenKind::Function, 0),
        DefKind::Item(ItemKind::Enum) => (TokenKind::Enum, 0),
        DefKind::Item(_) => (TokenKind::Struct, 0),
    }
}

/// What a token is that no name says more of.
fn lexed(kind: Lexed, text: &str) -> Option<(TokenKind, u32)> {
    Some(match kind {
        Lexed::Doc | Lexed::InnerDoc => (TokenKind::Comment, DOCUMENTATION),
        Lexed::LineComment | Lexed::BlockComment | Lexed::UnclosedComment => (TokenKind::Comment, 0),
        Lexed::Keyword(Word::SelfWord | Word::Tx) => (TokenKind::Variable, LIBRARY | READONLY),
        Lexed::Keyword(Word::Mut) => (TokenKind::Modifier, 0),
        Lexed::Keyword(_) => (TokenKind::Keyword, 0),
        Lexed::Ident if text.starts_with("OP_") => (TokenKind::Function, LIBRARY),
        Lexed::Ident if Word::from_text(text).is_some() => (TokenKind::Keyword, 0),
        _ => return literal(kind),
    })
}

fn literal(kind: Lexed) -> Option<(TokenKind, u32)> {
    match kind {
        Lexed::Str => Some((TokenKind::String, 0)),
        Lexed::UnclosedStr => Some((TokenKind::String, 0)),
        Lexed::Int | Lexed::Decimal | Lexed::Percent | Lexed::Bytes => Some((TokenKind::Number, 0)),
        kind if kind.is_trivia() => None,
        Lexed::Ident | Lexed::Error => None,
        Lexed::LParen | Lexed::RParen | Lexed::LBracket | Lexed::RBracket | Lexed::LBrace | Lexed::RBrace => None,
        Lexed::Comma | Lexed::Semi | Lexed::Colon | Lexed::PathSep | Lexed::Dot => None,
        _ => Some((TokenKind::Operator, 0)),
    }
}
