//! What one item can see of the signatures: whatever its words may mean, and nothing else.
//!
//! A check of the item needs no more, as long as there is nothing to say about it; messages look further, for names that
//! were perhaps meant. So whoever caches checks keeps those of items that do not mention what has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use syntax::TokenKind;
use syntax::ast::Item;

use crate::SourceItem;
use crate::signatures::{Interface, Signatures};

impl Signatures {
    /// The signatures of the names that stand in an item, or in what it becomes.
    ///
    /// ```
    /// use syntax::FileId;
    ///
    /// let parts = |text: &str| {
    ///     let parse = syntax::parse(text);
    ///     let items = analysis::source_items(&parse, text);
    ///     let signatures = analysis::signatures(FileId(0), &items, &analysis::Modules::new()).0;
    ///     signatures.seen_from(&items[0])
    /// };
    /// let before = parts("fn twice(n: Int) -> Int { n * FACTOR } const FACTOR: Int = 2; const OTHER: Int = 1;");
    /// let after = parts("fn twice(n: Int) -> Int { n * FACTOR } const FACTOR: Int = 2; const OTHER: Int = 3;");
    /// assert_eq!(before, after);
    /// ```
    #[must_use]
    pub fn seen_from(&self, item: &SourceItem<'_>) -> Signatures {
        let generated = self.generated.get_key_value(item.key);
        let becomes = || generated.iter().flat_map(|(_, items)| &***items);
        let texts = [item.text].into_iter().chain(becomes().map(|item| item.text()));
        let words: BTreeSet<&str> = texts.flat_map(words).collect();
        let keys = [item.key].into_iter().chain(becomes().map(|item| item.key()));
        let numbers = keys.filter_map(|key| self.first_function.get_key_value(key));
        let own = |names: &BTreeSet<Arc<str>>| -> BTreeSet<Arc<str>> {
            words.iter().filter_map(|word| names.get(*word)).map(Arc::clone).collect()
        };
        let modules = words.iter().filter_map(|word| self.modules.get_key_value(*word));
        Signatures {
            file: self.file,
            own: Arc::new(self.own.named(&words)),
            generated: generated.map(|(key, items)| (key.clone(), Arc::clone(items))).into_iter().collect(),
            imported: self.imported.named(&words),
            modules: modules.map(|(name, module)| (Arc::clone(name), Arc::clone(module))).collect(),
            broken: own(&self.broken),
            needy: own(&self.needy),
            digests: if matches!(item.ast, Item::Model(_)) { self.digests.clone() } else { BTreeMap::new() },
            first_function: numbers.map(|(key, id)| (key.clone(), *id)).collect(),
        }
    }
}

impl Interface {
    /// The part with these names.
    fn named(&self, names: &BTreeSet<&str>) -> Interface {
        let mut part = Interface::default();
        for (name, _) in names.iter().filter_map(|name| self.kinds.get_key_value(*name)) {
            part.adopt(name, self, name);
            part.offerings.extend(self.offerings.get_key_value(name).map(|(name, it)| (Arc::clone(name), it.clone())));
        }
        part
    }
}

/// The words of a text that may be names.
fn words(text: &str) -> Vec<&str> {
    let tokens = syntax::lex(text);
    let words = tokens.iter().filter(|(kind, _)| *kind == TokenKind::Ident);
    words.filter_map(|(_, span)| text.get(span.range())).collect()
}
