//! Semantic tokens: what each word of a source is, by the same table that definitions are found in.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use driver::ItemView;
use syntax::{FileId, ItemKey, ItemKind, Span, TokenKind as Lexed, Word};

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

/// So long is a token with what stands before it, or longer.
const BYTES_OF_TOKEN: usize = 5;

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

/// The tokens of items as they were found last. They count as long as the item's text and what other items declare stay.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<BTreeMap<Arc<str>, Arc<OfSource>>>);

/// The tokens of one source's items, counted from where each item starts.
#[derive(Debug, Default)]
struct OfSource {
    declared: u64,
    items: HashMap<ItemKey, (Arc<str>, Arc<[Token]>)>,
}

impl Known {
    /// Those of a source; none if something has been declared otherwise since.
    fn of(&self, path: &str, declared: u64) -> Arc<OfSource> {
        self.lock().get(path).filter(|known| known.declared == declared).cloned().unwrap_or_default()
    }

    fn set(&self, path: &Arc<str>, of: OfSource) {
        self.lock().insert(Arc::clone(path), Arc::new(of));
    }

    /// Nobody has a source open any more.
    pub(crate) fn forget(&self, path: &str) {
        self.lock().remove(path);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Arc<OfSource>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Token {
    fn shifted(self, by: usize) -> Self {
        Self { range: self.range.start + by..self.range.end + by, ..self }
    }
}

impl Snapshot {
    /// The tokens of a source in their order, or those that touch a range.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn tokens(&self, path: &str, within: Option<Range<usize>>) -> Answer<Vec<Token>> {
        self.ask_of(path, |files, file| match within {
            None => self.tokens_of(files, file),
            Some(within) => {
                let touches = |range: &Range<usize>| range.start <= within.end && within.start <= range.end;
                let mut found = tokens(files, file, touches, |item| tokens_of(files, file, item).into());
                found.retain(|token| touches(&token.range));
                found
            }
        })
    }

    /// All tokens of a source: those of items that are as they were are not found again.
    fn tokens_of(&self, files: &Files<'_>, file: FileId) -> Vec<Token> {
        let Some(path) = files.session.path(file) else { return Vec::new() };
        let declared = files.session.declared();
        let known = self.known_tokens.of(path, declared);
        let mut now = OfSource { declared, items: HashMap::with_capacity(known.items.len()) };
        let found = tokens(
            files,
            file,
            |_| true,
            |item| {
                let same = known.items.get(item.key).filter(|(text, _)| **text == *item.text).cloned();
                let (text, found) = same.unwrap_or_else(|| (item.text.into(), tokens_of(files, file, item).into()));
                now.items.insert(item.key.clone(), (text, Arc::clone(&found)));
                found
            },
        );
        self.known_tokens.set(path, now);
        found
    }
}

/// The tokens of the items that `wanted` wants, and of what stands between them.
fn tokens<'s>(
    files: &Files<'s>,
    file: FileId,
    wanted: impl Fn(&Range<usize>) -> bool,
    mut of_item: impl FnMut(ItemView<'s>) -> Arc<[Token]>,
) -> Vec<Token> {
    let Some(text) = files.session.text(file) else { return Vec::new() };
    // A list that grows is copied again and again.
    let mut out = Vec::with_capacity(text.len() / BYTES_OF_TOKEN);
    let between = |range: Range<usize>, out: &mut Vec<Token>| {
        let part = text.get(range.clone()).unwrap_or_default();
        out.extend(lexed_of(part, &[]).into_iter().map(|token| token.shifted(range.start)));
    };
    let mut end = 0;
    for item in &files.of(file).items {
        let start = item.start as usize;
        between(end..start, &mut out);
        end = start + item.text.len();
        if wanted(&(start..end)) {
            out.extend(of_item(*item).iter().map(|token| token.clone().shifted(start)));
        }
    }
    between(end..text.len(), &mut out);
    out
}

/// The tokens of an item, counted from its start.
fn tokens_of<'s>(files: &Files<'s>, file: FileId, item: ItemView<'s>) -> Vec<Token> {
    let names = names_of(files, file, item, Depth::Names).names;
    let names: Vec<_> = names.iter().filter_map(|name| Some((name.span, meaning(name)?))).collect();
    lexed_of(item.text, &names)
}

/// The tokens of a text in which these names, in the order of their places, mean something.
fn lexed_of(text: &str, names: &[(Span, (TokenKind, u32))]) -> Vec<Token> {
    let mut out = Vec::new();
    let mut names = names.iter().peekable();
    for (kind, span) in syntax::lex(text).iter() {
        while names.next_if(|(place, _)| place.start < span.start).is_some() {}
        let named = names.peek().filter(|(place, _)| place.start == span.start);
        let found = match named {
            Some((_, found)) => Some(*found),
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
