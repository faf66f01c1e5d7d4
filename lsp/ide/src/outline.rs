//! The symbols of a source: its items with their members.

use std::ops::Range;
use std::sync::Arc;

use driver::ItemView;
use syntax::ast::{self, Ident, Item, Member, VariantFields};
use syntax::{ItemKind, Span};

use crate::host::{Answer, Snapshot};

/// What a symbol is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolKind {
    /// A contract, reward, model, campaign or offering.
    Contract,
    /// One way to spend a contract.
    Path,
    /// A function.
    Function,
    /// A constant.
    Constant,
    /// A struct.
    Struct,
    /// An enum.
    Enum,
    /// A variant of an enum.
    Variant,
    /// A field, also of a state; a source of a reward.
    Field,
    /// A plan.
    Plan,
    /// A test or property.
    Test,
}

/// Something that a source declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// A few words beside it.
    pub detail: String,
    /// What it is.
    pub kind: SymbolKind,
    /// All of it, documentation included.
    pub range: Range<usize>,
    /// Its name in the source.
    pub name_range: Range<usize>,
    /// What stands in it.
    pub children: Vec<Symbol>,
}

impl Snapshot {
    /// What a source declares, in order.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn outline(&self, path: &str) -> Answer<Vec<Symbol>> {
        self.ask_of(path, |files, file| files.of(file).items.iter().filter_map(|item| symbol(*item)).collect())
    }

    /// What the package and its dependencies declare and `query` fits, with the paths of the sources: its characters
    /// in this order, of either case.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn symbols(&self, query: &str, max: usize) -> Answer<Vec<(Arc<str>, Symbol)>> {
        self.ask(|files| {
            let mut found = Vec::new();
            for (file, path) in files.session.sources() {
                for symbol in files.of(file).items.iter().filter_map(|item| symbol(*item)) {
                    let inner = symbol.children.iter().filter(|inner| fits(query, &inner.name)).cloned();
                    let inner: Vec<Symbol> = inner.collect();
                    if fits(query, &symbol.name) {
                        found.push((Arc::clone(path), Symbol { children: Vec::new(), ..symbol }));
                    }
                    found.extend(inner.into_iter().map(|inner| (Arc::clone(path), inner)));
                }
            }
            found.sort_by_key(|(_, symbol)| (!symbol.name.eq_ignore_ascii_case(query), symbol.name.len()));
            found.truncate(max);
            found
        })
    }
}

/// Whether the characters of a query stand in a name in this order.
pub(crate) fn fits(query: &str, name: &str) -> bool {
    let mut rest = name.chars().map(|c| c.to_ascii_lowercase());
    query.chars().map(|c| c.to_ascii_lowercase()).all(|wanted| rest.any(|c| c == wanted))
}

fn symbol(item: ItemView<'_>) -> Option<Symbol> {
    let name = item.ast.name().filter(|name| !name.is_missing())?;
    let whole = Span::new(0, u32::try_from(item.text.trim_end().len()).unwrap_or(u32::MAX));
    let kind = match item.key.kind {
        ItemKind::Const => SymbolKind::Constant,
        ItemKind::Struct => SymbolKind::Struct,
        ItemKind::Enum => SymbolKind::Enum,
        ItemKind::Fn => SymbolKind::Function,
        ItemKind::Plan => SymbolKind::Plan,
        ItemKind::Test | ItemKind::Property => SymbolKind::Test,
        _ => SymbolKind::Contract,
    };
    let maker = Maker { base: item.start as usize };
    let detail = match item.key.kind {
        ItemKind::Fn | ItemKind::Const => String::new(),
        kind => kind.word().to_owned(),
    };
    let symbol = maker.symbol(name, &detail, kind, whole)?;
    Some(Symbol { children: maker.children(item.ast), ..symbol })
}

/// Makes symbols of an item that starts at a byte.
struct Maker {
    base: usize,
}

impl Maker {
    fn symbol(&self, name: &Ident, detail: &str, kind: SymbolKind, span: Span) -> Option<Symbol> {
        let place = |span: Span| self.base + span.start as usize..self.base + span.end as usize;
        let whole = span.to(name.span);
        (!name.is_missing()).then(|| Symbol {
            name: name.to_string(),
            detail: detail.to_owned(),
            kind,
            range: place(whole),
            name_range: place(name.span),
            children: Vec::new(),
        })
    }

    fn children(&self, item: &Item) -> Vec<Symbol> {
        match item {
            Item::Struct(item) => self.fields(&item.fields, "field"),
            Item::Enum(item) => item.variants.iter().filter_map(|variant| self.variant(variant)).collect(),
            Item::Contract(item) => item.members.iter().flat_map(|member| self.member(member)).collect(),
            Item::Reward(item) => self.entries(&item.entries),
            Item::Model(item) => self.entries(&item.entries),
            Item::Imi(item) => self.entries(&item.entries),
            Item::Imo(item) => self.entries(&item.entries),
            _ => Vec::new(),
        }
    }

    fn fields(&self, fields: &[ast::Field], detail: &str) -> Vec<Symbol> {
        let symbol = |field: &ast::Field| self.symbol(&field.name, detail, SymbolKind::Field, field.span);
        fields.iter().filter_map(symbol).collect()
    }

    fn variant(&self, variant: &ast::Variant) -> Option<Symbol> {
        let symbol = self.symbol(&variant.name, "", SymbolKind::Variant, variant.span)?;
        let children = match &variant.fields {
            VariantFields::Struct(fields) => self.fields(fields, "field"),
            VariantFields::Unit | VariantFields::Tuple(_) => Vec::new(),
        };
        Some(Symbol { children, ..symbol })
    }

    fn member(&self, member: &Member) -> Vec<Symbol> {
        match member {
            Member::Const(item) => self.symbol(&item.name, "", SymbolKind::Constant, item.span).into_iter().collect(),
            Member::Fn(item) => self.symbol(&item.name, "", SymbolKind::Function, item.span).into_iter().collect(),
            Member::Spend(item) => self.symbol(&item.name, "spend", SymbolKind::Path, item.span).into_iter().collect(),
            Member::State(state) => self.fields(&state.fields, "state"),
            Member::Allow(_) | Member::Budget(_) | Member::Error(_) => Vec::new(),
        }
    }

    fn entries(&self, entries: &[ast::Entry]) -> Vec<Symbol> {
        let symbol = |entry: &ast::Entry| {
            let symbol = self.symbol(&entry.key, "", SymbolKind::Field, entry.span)?;
            let children = match &entry.value {
                ast::EntryValue::Group { entries, .. } => self.entries(entries),
                _ => Vec::new(),
            };
            Some(Symbol { children, ..symbol })
        };
        entries.iter().filter_map(symbol).collect()
    }
}
