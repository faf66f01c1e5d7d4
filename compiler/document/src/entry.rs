//! What has a place of its own on a page: an item that somebody wrote, or that a declaration becomes.

use std::sync::Arc;

use syntax::ast::{self, Doc, Item, Member, VariantFields};
use syntax::{ItemKey, ItemKind, LineIndex, Span};

use crate::input::Module;

/// An item of a module.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) kind: ItemKind,
    pub(crate) name: Arc<str>,
    /// Its place on the page.
    pub(crate) anchor: String,
    pub(crate) ast: Item,
    /// Its own text, from which its spans count.
    pub(crate) text: Arc<str>,
    /// Where it stands in the source; nowhere, if a declaration becomes it.
    pub(crate) at: Option<Standing>,
    /// The declaration that becomes it, by its place in the list.
    pub(crate) of: Option<usize>,
    /// The place of its artifact among those of the program.
    pub(crate) artifact: Option<usize>,
}

/// Where an item stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    /// Its first byte, documentation included.
    pub(crate) start: u32,
    /// The line of its first word behind that.
    pub(crate) line: u32,
}

impl Entry {
    /// A part of its text.
    pub(crate) fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }

    pub(crate) fn docs(&self) -> &[Doc] {
        docs_of(&self.ast)
    }

    pub(crate) fn is_test(&self) -> bool {
        matches!(self.kind, ItemKind::Test | ItemKind::Property)
    }

    /// The entries of a declaration.
    pub(crate) fn settings(&self) -> &[ast::Entry] {
        match &self.ast {
            Item::Reward(item) => &item.entries,
            Item::Model(item) => &item.entries,
            Item::Imi(item) => &item.entries,
            Item::Imo(item) => &item.entries,
            _ => &[],
        }
    }

    /// The parts that have names and places of their own, with their documentation.
    pub(crate) fn members(&self) -> Vec<(&str, &[Doc])> {
        match &self.ast {
            Item::Contract(contract) => contract.members.iter().flat_map(contract_members).collect(),
            Item::Struct(item) => item.fields.iter().map(named_field).collect(),
            Item::Enum(item) => item.variants.iter().map(|variant| (variant.name.as_str(), &*variant.docs)).collect(),
            _ => self.settings().iter().map(|entry| (entry.key.as_str(), &*entry.docs)).collect(),
        }
    }

    /// Every comment in it that documents something.
    pub(crate) fn all_docs(&self) -> Vec<&[Doc]> {
        let mut all = vec![self.docs()];
        all.extend(self.members().into_iter().map(|(_, docs)| docs));
        if let Item::Enum(item) = &self.ast {
            for variant in &item.variants {
                if let VariantFields::Struct(fields) = &variant.fields {
                    all.extend(fields.iter().map(|field| &*field.docs));
                }
            }
        }
        all
    }
}

fn named_field(field: &ast::Field) -> (&str, &[Doc]) {
    (field.name.as_str(), &field.docs)
}

fn contract_members(member: &Member) -> Vec<(&str, &[Doc])> {
    match member {
        Member::Const(item) => vec![(item.name.as_str(), &*item.docs)],
        Member::Fn(item) => vec![(item.name.as_str(), &*item.docs)],
        Member::Spend(item) => vec![(item.name.as_str(), &*item.docs)],
        Member::State(state) => {
            let whole = ("state", &*state.docs);
            std::iter::once(whole).chain(state.fields.iter().map(named_field)).collect()
        }
        Member::Allow(_) | Member::Budget(_) | Member::Error(_) => Vec::new(),
    }
}

fn docs_of(item: &Item) -> &[Doc] {
    match item {
        Item::Use(item) => &item.docs,
        Item::Const(item) => &item.docs,
        Item::Struct(item) => &item.docs,
        Item::Enum(item) => &item.docs,
        Item::Fn(item) => &item.docs,
        Item::Contract(item) => &item.docs,
        Item::Reward(item) => &item.docs,
        Item::Model(item) => &item.docs,
        Item::Imi(item) => &item.docs,
        Item::Imo(item) => &item.docs,
        Item::Plan(item) => &item.docs,
        Item::Test(item) => &item.docs,
        Item::Error(_) => &[],
    }
}

/// The Markdown of documentation lines.
pub(crate) fn markdown(docs: &[Doc]) -> String {
    docs.iter().map(|line| &*line.text).collect::<Vec<_>>().join("\n")
}

/// The items of a module in source order, those that a declaration becomes behind it; and its `use` items.
pub(crate) fn entries(module: &Module) -> (Vec<Entry>, Vec<ast::Use>, Vec<Doc>) {
    let parse = syntax::parse(&module.text);
    let index = LineIndex::new(&module.text);
    let (mut found, mut uses) = (Vec::new(), Vec::new());
    for (island, item) in parse.islands.iter().zip(parse.file.items) {
        if let Item::Use(item) = item {
            uses.push(item);
            continue;
        }
        if matches!(item, Item::Error(_)) {
            continue;
        }
        let text: Arc<str> = module.text.get(island.range.range()).unwrap_or_default().into();
        let start = island.range.start;
        let line = index.line_col(&module.text, start.saturating_add(item.span().start)).line;
        let parent = found.len();
        push(&mut found, &island.key, item, text, Some(Standing { start, line }), None);
        for (_, text) in module.generated.iter().filter(|(key, _)| *key == island.key) {
            for inner in syntax::parse(text).islands {
                let own: Arc<str> = text.get(inner.range.range()).unwrap_or_default().into();
                let (item, _) = syntax::parse_island(&own, &inner.key);
                push(&mut found, &inner.key, item, own, None, Some(parent));
            }
        }
    }
    (found, uses, parse.file.docs)
}

fn push(found: &mut Vec<Entry>, key: &ItemKey, ast: Item, text: Arc<str>, at: Option<Standing>, of: Option<usize>) {
    let same = found.iter().filter(|other| other.kind == key.kind && other.name == key.name).count();
    let again = if same == 0 { String::new() } else { format!("-{}", same + 1) };
    let anchor = format!("{}.{}{again}", key.kind.word(), key.name);
    found.push(Entry { kind: key.kind, name: key.name.clone(), anchor, ast, text, at, of, artifact: None });
}

/// What stands before the body of an item or member that begins at `span`.
pub(crate) fn head(text: &str, span: Span) -> &str {
    let whole = text.get(span.range()).unwrap_or_default();
    let tokens = syntax::lex(whole);
    let brace = tokens.iter().find(|(kind, _)| *kind == syntax::TokenKind::LBrace);
    brace.and_then(|(_, brace)| whole.get(..brace.start as usize)).unwrap_or(whole).trim_end()
}
