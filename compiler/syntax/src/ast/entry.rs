//! Entries of domain declarations.

use super::{Doc, Expr, Ident};
use crate::span::Span;
use std::sync::Arc;

/// `key: value`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Documentation.
    pub docs: Vec<Doc>,
    /// The key: any word, keywords included; several words joined by one space, as in `at goal`; or
    /// bytes as written, as in `0x07ab`.
    pub key: Ident,
    /// The value.
    pub value: EntryValue,
    /// Key and value, without the comma.
    pub span: Span,
}

impl Entry {
    /// Whether the key is one word, which can name something else as well.
    pub fn has_plain_key(&self) -> bool {
        let text = self.key.as_str();
        !text.contains(' ') && !text.starts_with(|first: char| first.is_ascii_digit())
    }

    /// The bytes that the key is, when it is written `0x..`.
    pub fn key_bytes(&self) -> Option<Arc<[u8]>> {
        let text = self.key.as_str();
        if text.starts_with("0x") || text.starts_with("0X") { crate::literal::bytes_of(text).ok() } else { None }
    }
}

/// The right side of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EntryValue {
    /// A weight, a name such as `rest`, an amount, `2 of [a, b, c]`: any expression.
    Expr(Expr),
    /// `20% { a: 1/2, b: 1/2 }`, `{ by: height 960_000 }`
    Group {
        /// The part of the whole that the group shares, when one is written.
        weight: Option<Expr>,
        /// The entries of the group.
        entries: Arc<[Entry]>,
    },
    /// `up to 1_000 sats`
    UpTo(Expr),
    /// `at least 0.1 coin`
    AtLeast(Expr),
    /// `by curator`, `by curator after 144 blocks`
    By {
        /// Who.
        by: Expr,
        /// The notice period.
        after: Option<Expr>,
    },
    /// `list`
    List,
    /// `20% vest linear over 52_560 blocks`, `price fixed 100 sats`, `file "sd.safetensors"`
    Phrase(Phrase),
    /// A value that could not be read.
    Error(Span),
}

/// Words with a meaning that is not a matter of grammar.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Phrase {
    /// What stands before the first word: `40%`, `2 of [a, b]`.
    pub head: Option<Expr>,
    /// At least one.
    pub clauses: Vec<Clause>,
}

/// Words, then perhaps an expression, then perhaps a group: `pro rata TinyCoder.receipts`,
/// `price linear { base: 100 sats }`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Clause {
    /// At least one.
    pub words: Vec<Ident>,
    /// What the words apply to.
    pub value: Option<Expr>,
    /// The group behind.
    pub entries: Option<Arc<[Entry]>>,
    /// The whole clause.
    pub span: Span,
}

impl Clause {
    /// The words, joined by one space.
    pub fn text(&self) -> String {
        self.words.iter().map(Ident::as_str).collect::<Vec<_>>().join(" ")
    }
}
