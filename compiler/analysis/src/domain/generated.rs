//! Generated text as items, with the way back to the declaration.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use syntax::ast::{self, Item, Member};
use syntax::{Diagnostic, ItemKey, ItemKind, Loc, Span, TokenKind};

use super::text::Text;
use crate::SourceItem;

/// Which place each byte of a generated text was written for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins {
    /// Where a stretch starts, and its place; in order, the first at byte 0.
    stretches: Vec<(u32, Loc)>,
}

impl Origins {
    /// Stretches in order; the place of the first also serves what stands before it.
    pub(super) fn new(stretches: Vec<(u32, Loc)>) -> Self {
        assert!(!stretches.is_empty(), "a text is written for some place");
        Self { stretches }
    }

    /// The place that the first byte of a span was written for.
    pub(crate) fn loc(&self, span: Span) -> Loc {
        let after = self.stretches.partition_point(|(start, _)| *start <= span.start);
        let (_, loc) = self.stretches.get(after.saturating_sub(1)).expect("there is always a first stretch");
        loc.clone()
    }

    /// The origins of the text from `start` on.
    fn from(&self, start: u32) -> Origins {
        let here = (0, self.loc(Span::point(start)));
        let later = self.stretches.iter().filter(|(at, _)| *at > start).map(|(at, loc)| (at - start, loc.clone()));
        Origins { stretches: [here].into_iter().chain(later).collect() }
    }

    /// The message with its places in the declaration.
    fn map(&self, mut found: Diagnostic) -> Diagnostic {
        for label in &mut found.labels {
            label.loc = self.loc(label.loc.span);
        }
        // The author has not written what they would edit.
        found.fixes.clear();
        found
    }
}

/// A plain item that a declaration has become. Its tree is many times as large as its text, so who needs it
/// reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedItem {
    key: ItemKey,
    text: Arc<str>,
    origins: Origins,
}

impl GeneratedItem {
    /// Its tree. What is wrong with the text has been told when it was written.
    pub(crate) fn tree(&self) -> Item {
        syntax::parse_island(&self.text, &self.key).0
    }

    /// The item, with its tree, as the checks take it.
    pub(crate) fn source_item<'i>(&'i self, tree: &'i Item) -> SourceItem<'i> {
        SourceItem { key: &self.key, text: &self.text, ast: tree, origins: Some(&self.origins) }
    }

    /// Its name in the file.
    pub(crate) const fn key(&self) -> &ItemKey {
        &self.key
    }

    /// Its source.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// How many items of each kind and name a file has, so that generated ones get numbers of their own.
pub(super) struct Numbers {
    next: BTreeMap<(ItemKind, Arc<str>), u32>,
}

impl Numbers {
    pub(super) fn of(items: &[SourceItem<'_>]) -> Self {
        let mut numbers = Self { next: BTreeMap::new() };
        items.iter().for_each(|item| drop(numbers.take(item.key)));
        numbers
    }

    fn take(&mut self, key: &ItemKey) -> ItemKey {
        let next = self.next.entry((key.kind, key.name.clone())).or_default();
        let taken = ItemKey { nth: *next, ..key.clone() };
        *next += 1;
        taken
    }
}

impl Text {
    /// The items of the text with their trees. Text that cannot be read is our mistake, but it is told like any other.
    pub(super) fn items(self, numbers: &mut Numbers, found: &mut Vec<Diagnostic>) -> Vec<(GeneratedItem, Item)> {
        let (text, origins) = self.finish();
        let tokens = syntax::lex(&text);
        let item = |island: syntax::Island| {
            let own: Arc<str> = text.get(island.range.range()).unwrap_or_default().into();
            let (ast, diagnostics) = syntax::parse_island(&own, &island.key);
            let origins = origins.from(island.range.start);
            found.extend(diagnostics.into_iter().map(|diagnostic| origins.map(diagnostic)));
            (GeneratedItem { key: numbers.take(&island.key), text: own, origins }, ast)
        };
        syntax::islands(&tokens, &text).into_iter().map(item).collect()
    }
}

/// The statements that `write` writes, as the body of a path, with their text and origins.
pub(crate) fn block(loc: &Loc, write: impl FnOnce(&mut Text)) -> (ast::Block, Arc<str>, Origins) {
    let mut text = Text::new(loc.clone());
    text.block("contract Body()", |text| text.block("spend body()", write));
    let (text, origins) = text.finish();
    let key = ItemKey { kind: ItemKind::Contract, name: "Body".into(), nth: 0 };
    let (item, found) = syntax::parse_island(&text, &key);
    assert!(found.is_empty(), "generated statements can be read: {found:?}\n{text}");
    let body = match item {
        Item::Contract(contract) => contract.members.into_iter().find_map(|member| match member {
            Member::Spend(spend) => Some(spend.body),
            _ => None,
        }),
        _ => None,
    };
    (body.expect("the path that was written is there"), text.into(), origins)
}

/// All names that a source uses, so that generated names differ from them.
pub(crate) fn names_in(text: &str) -> BTreeSet<String> {
    let tokens = syntax::lex(text);
    let names = (0..tokens.len()).filter(|at| tokens.kind(*at) == Some(TokenKind::Ident));
    names.filter_map(|at| text.get(tokens.span(at).range())).map(str::to_owned).collect()
}
