//! Completion: what can be written at a place, and nothing that cannot.

mod snippets;

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use analysis::ModulePath;
use analysis::hir::{Lint, Type};
use driver::ItemView;
use spec::opcode::TABLE;
use syntax::ast::{Expr, ExprKind, Item};
use syntax::{FileId, ItemKey, ItemKind, TokenKind, Word, WordClass};

use crate::host::{Answer, Snapshot};
use crate::names::{DefKind, Depth, Files, Import, Shape, item_at, names_of};
use crate::text::TextEdit;
use crate::tree::{Node, walk};
use crate::words::{BUILTINS, Fact, TYPES};

/// What a completion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those that editors know")]
pub enum CompletionKind {
    Function,
    Variable,
    Constant,
    Field,
    Type,
    Variant,
    Module,
    Keyword,
    Snippet,
    Item,
}

/// Something that can be written at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// What the list shows, and what is compared with what is typed.
    pub label: String,
    /// What it is.
    pub kind: CompletionKind,
    /// A few words beside it: a type, where it comes from.
    pub detail: String,
    /// What is written; `$1` and `${1:name}` are places to fill in a snippet.
    pub insert: String,
    /// Whether `insert` is a snippet.
    pub snippet: bool,
    /// Edits elsewhere in the file: the `use` that it needs.
    pub also: Vec<TextEdit>,
    /// Lists are in this order, then by label.
    pub rank: u8,
}

/// The completions of a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completions {
    /// The bytes that a completion replaces: what is typed of the word.
    pub replaced: Range<usize>,
    /// In no order but that of their ranks.
    pub list: Vec<Completion>,
}

/// The most items of other modules in a list.
const IMPORTS_MAX: usize = 200;

fn plain(label: &str, kind: CompletionKind, detail: impl Into<String>, rank: u8) -> Completion {
    let label = label.to_owned();
    Completion { insert: label.clone(), label, kind, detail: detail.into(), snippet: false, also: Vec::new(), rank }
}

fn call(label: &str, detail: impl Into<String>, rank: u8) -> Completion {
    let insert = format!("{label}($1)");
    Completion { insert, snippet: true, ..plain(label, CompletionKind::Function, detail, rank) }
}

impl Snapshot {
    /// What can be written at a place.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn completions(&self, path: &str, offset: usize) -> Answer<Completions> {
        self.ask_of(path, |files, file| completions(files, file, offset).unwrap_or_default())
    }

    /// The documentation of a completion: what a hover of the same name says.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn completion_docs(&self, path: &str, offset: usize, label: &str) -> Answer<Option<String>> {
        self.ask_of(path, |files, file| snippets::docs(files, file, offset, label))
    }
}

/// What stands before a place.
struct Site<'t> {
    /// The kinds and texts of the tokens before the word that is typed, trivia left out, the nearest last.
    before: Vec<(TokenKind, &'t str)>,
    /// Where the nearest one ends.
    last_end: u32,
}

impl<'t> Site<'t> {
    fn nth(&self, back: usize) -> Option<(TokenKind, &'t str)> {
        self.before.len().checked_sub(back + 1).and_then(|index| self.before.get(index)).copied()
    }

    fn last(&self) -> Option<TokenKind> {
        self.nth(0).map(|(kind, _)| kind)
    }

    /// Whether the place is a statement's beginning.
    fn begins(&self) -> bool {
        matches!(self.last(), None | Some(TokenKind::Semi | TokenKind::LBrace | TokenKind::RBrace))
    }
}

fn completions(files: &Files<'_>, file: FileId, offset: usize) -> Option<Completions> {
    let text = files.session.text(file)?;
    // Nothing before the item that begins last says more.
    let own = files.of(file);
    let next = own.items.partition_point(|item| (item.start as usize) < offset);
    let base = next.checked_sub(1).and_then(|last| own.items.get(last)).map_or(0, |item| item.start);
    let end = own.items.get(next).map_or(text.len(), |item| (item.start as usize).max(offset));
    let tokens = syntax::lex(text.get(base as usize..end)?);
    let tokens = tokens.iter().map(|(kind, span)| (kind, span.shifted(base)));
    let at = u32::try_from(offset).ok()?;
    let mut replaced = offset..offset;
    let mut site = Site { before: Vec::new(), last_end: 0 };
    for (kind, span) in tokens.take_while(|(_, span)| span.start < at) {
        let inside = span.end >= at;
        let word = matches!(kind, TokenKind::Ident | TokenKind::Keyword(_));
        if inside && word {
            replaced = span.start as usize..span.end as usize;
        } else if inside && span.end > at && kind != TokenKind::Whitespace {
            // Inside a comment or a string nothing is completed.
            return None;
        } else if inside && (kind.is_doc() || matches!(kind, TokenKind::LineComment | TokenKind::UnclosedStr)) {
            return None;
        } else if !kind.is_trivia() && !kind.is_doc() {
            site.before.push((kind, text.get(span.range()).unwrap_or_default()));
            site.last_end = span.end;
        }
    }
    let item = item_at(files, file, offset);
    let list = match site.last() {
        Some(TokenKind::Dot) => after_dot(files, file, item?.0, site.last_end)?,
        Some(TokenKind::PathSep) => after_path(files, file, &site),
        _ if in_use(&site) => modules(files, file),
        _ if site.nth(1).is_some_and(|(_, word)| word == "allow") && site.last() == Some(TokenKind::LParen) => lints(),
        Some(TokenKind::Colon | TokenKind::Arrow) if !is_entry(item) => types(files, file),
        _ => words(files, file, item, &site),
    };
    Some(Completions { replaced, list })
}

fn in_use(site: &Site<'_>) -> bool {
    site.last() == Some(TokenKind::Keyword(Word::Use))
        || (site.last() == Some(TokenKind::LBrace) && site.nth(1).is_some_and(|(kind, _)| kind == TokenKind::PathSep))
}

fn is_entry(item: Option<(ItemView<'_>, u32)>) -> bool {
    let kinds = [ItemKind::Reward, ItemKind::Model, ItemKind::Imi, ItemKind::Imo];
    item.is_some_and(|(item, _)| kinds.contains(&item.key.kind))
}

fn lints() -> Vec<Completion> {
    Lint::ALL.iter().map(|lint| plain(lint.name(), CompletionKind::Constant, lint.code().to_string(), 0)).collect()
}

/// The shape of what ends before the dot that ends at `dot_end`.
fn before_dot(files: &Files<'_>, file: FileId, item: ItemView<'_>, dot_end: u32) -> Option<Shape> {
    let dot = dot_end.checked_sub(item.start)?.checked_sub(1)?;
    let mut base: Option<&Expr> = None;
    walk(item.ast, &mut |node| {
        if let Node::Expr(expr) = node {
            let of = match &expr.kind {
                ExprKind::Field { base, .. } => Some(&**base),
                ExprKind::MethodCall { receiver, .. } => Some(&**receiver),
                _ => None,
            };
            base = of
                .filter(|of| {
                    of.span.end <= dot
                        && item
                            .text
                            .get(of.span.end as usize..dot as usize)
                            .is_some_and(|between| between.trim().is_empty())
                })
                .or(base);
        }
        true
    });
    let base = base?;
    Some(match &base.kind {
        ExprKind::Name(name) if name.as_str() == "state" && state_of(item).is_some() => Shape::State,
        _ => Shape::of(base, files.session.types_in(file, item.key)),
    })
}

fn state_of(item: ItemView<'_>) -> Option<&syntax::ast::State> {
    let Item::Contract(contract) = item.ast else { return None };
    contract.members.iter().find_map(|member| match member {
        syntax::ast::Member::State(state) => Some(state),
        _ => None,
    })
}

/// What a field is that the language gives to what ends before the word at a place.
fn fact_at(files: &Files<'_>, file: FileId, offset: usize, name: &str) -> Option<&'static Fact> {
    let before = files.session.text(file)?.get(..offset)?;
    let dot = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let dot_end = u32::try_from(dot.ends_with('.').then_some(dot.len())?).ok()?;
    let shape = before_dot(files, file, item_at(files, file, offset)?.0, dot_end)?;
    shape.facts().find(|fact| fact.name == name)
}

/// The fields of what ends before the dot that ends at `dot_end`.
fn after_dot(files: &Files<'_>, file: FileId, item: ItemView<'_>, dot_end: u32) -> Option<Vec<Completion>> {
    let shape = before_dot(files, file, item, dot_end)?;
    let facts = shape.facts().map(|fact| plain(fact.name, CompletionKind::Field, fact.ty, 0));
    Some(match &shape {
        Shape::State => {
            let fields = state_of(item).map(|state| state.fields.as_slice()).unwrap_or_default();
            let field = |field: &syntax::ast::Field| {
                let ty = item.text.get(field.ty.span.range()).unwrap_or_default();
                plain(field.name.as_str(), CompletionKind::Field, ty, 0)
            };
            fields.iter().map(field).collect()
        }
        Shape::Value(ty @ Type::PubKey) => of_value(ty),
        Shape::Value(ty) => of_value(ty).into_iter().chain(facts).collect(),
        Shape::Unknown => return None,
        _ => facts.collect(),
    })
}

fn of_value(ty: &Type) -> Vec<Completion> {
    match ty {
        Type::Struct(of) => {
            of.fields.iter().map(|(name, ty)| plain(name, CompletionKind::Field, ty.to_string(), 0)).collect()
        }
        Type::PubKey => vec![call("signed", "(sig) -> Bool", 0)],
        Type::Tuple(parts) => {
            let part =
                |(index, ty): (usize, &Type)| plain(&index.to_string(), CompletionKind::Field, ty.to_string(), 0);
            parts.iter().enumerate().map(part).collect()
        }
        _ => Vec::new(),
    }
}

/// What a module or an enum has.
fn after_path(files: &Files<'_>, file: FileId, site: &Site<'_>) -> Vec<Completion> {
    let Some((_, name)) = site.nth(1) else { return Vec::new() };
    let own = files.of(file);
    match own.imports.get(name) {
        Some(Import::Module(module)) => exported(files, *module),
        _ => match files.type_named(file, name).map(|(_, item)| item.ast) {
            Some(Item::Enum(of)) => of
                .variants
                .iter()
                .map(|variant| plain(variant.name.as_str(), CompletionKind::Variant, name, 0))
                .collect(),
            // In a `use`, before the module is one of the file's.
            _ => named_module(files, file, site),
        },
    }
}

/// `use std::` or `use std::math::`, while it is written.
fn named_module(files: &Files<'_>, file: FileId, site: &Site<'_>) -> Vec<Completion> {
    let words: Vec<&str> = site
        .before
        .iter()
        .rev()
        .map_while(|(kind, word)| match kind {
            TokenKind::Ident | TokenKind::PathSep | TokenKind::Dot => Some(*word),
            TokenKind::Slash => Some(*word),
            _ => None,
        })
        .collect();
    let path: String = words.into_iter().rev().collect();
    if path == "std::" {
        let module =
            |(path, _): (String, &str)| plain(path.trim_start_matches("std::"), CompletionKind::Module, "std", 0);
        return driver::library().map(module).collect();
    }
    let wanted = path.trim_end_matches("::");
    let known = files.session.source(wanted).or_else(|| beside(files, file, wanted.strip_prefix("./")?));
    match known {
        Some(module) => exported(files, module),
        None => library_items(wanted),
    }
}

/// What a module of the standard library declares that no source of the package imports yet.
fn library_items(path: &str) -> Vec<Completion> {
    let Some((_, items)) = LIBRARY_ITEMS.iter().find(|(known, _)| known == path) else { return Vec::new() };
    let named = items.iter().filter(|key| !matches!(key.kind, ItemKind::Use | ItemKind::Test | ItemKind::Property));
    named.map(|key| plain(&key.name, CompletionKind::Item, key.kind.word(), 0)).collect()
}

fn beside(files: &Files<'_>, file: FileId, module: &str) -> Option<FileId> {
    let path = files.session.path(file)?;
    let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    files.session.source(&format!("{folder}{module}.bmc"))
}

fn exported(files: &Files<'_>, module: FileId) -> Vec<Completion> {
    let own = files.of(module);
    let items = own.items.iter().filter(|item| !matches!(item.key.kind, ItemKind::Test | ItemKind::Property));
    items.filter_map(|item| item_completion(*item, 0)).collect()
}

fn item_completion(item: ItemView<'_>, rank: u8) -> Option<Completion> {
    let name = item.ast.name().filter(|name| !name.is_missing())?.as_str();
    Some(match item.key.kind {
        ItemKind::Fn => {
            let Item::Fn(function) = item.ast else { return None };
            let end = function.body.span.start as usize;
            let head = item.text.get(function.name.span.end as usize..end).unwrap_or_default();
            call(name, head.trim(), rank)
        }
        ItemKind::Const => plain(name, CompletionKind::Constant, "", rank),
        ItemKind::Struct | ItemKind::Enum => plain(name, CompletionKind::Type, item.key.kind.word(), rank),
        kind => plain(name, CompletionKind::Item, kind.word(), rank),
    })
}

fn modules(files: &Files<'_>, file: FileId) -> Vec<Completion> {
    let mut list = vec![Completion {
        insert: "std::".to_owned(),
        ..plain("std", CompletionKind::Module, "the standard library", 0)
    }];
    let folder = |path: &str| path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let Some(own) = files.session.path(file).map(|path| folder(path)) else { return list };
    for (_, path) in files.session.sources().filter(|(other, _)| *other != file && files.session.is_own(*other)) {
        let Some(name) = path.rsplit('/').next().and_then(|name| name.strip_suffix(".bmc")) else { continue };
        if folder(path) == own {
            list.push(plain(&format!("./{name}"), CompletionKind::Module, "beside this file", 1));
        }
    }
    list
}

fn types(files: &Files<'_>, file: FileId) -> Vec<Completion> {
    let mut list: Vec<Completion> = TYPES.iter().map(|(name, _)| plain(name, CompletionKind::Type, "", 1)).collect();
    let own = files.of(file);
    let is_type = |kind: ItemKind| matches!(kind, ItemKind::Struct | ItemKind::Enum);
    list.extend(own.items.iter().filter(|item| is_type(item.key.kind)).filter_map(|item| item_completion(*item, 0)));
    for (local, import) in &own.imports {
        match import {
            Import::Module(_) => list.push(plain(local, CompletionKind::Module, "", 1)),
            Import::Item(module, name) => {
                let item = files.item(*module, name).filter(|item| is_type(item.key.kind));
                list.extend(item.map(|_| plain(local, CompletionKind::Type, "", 0)));
            }
        }
    }
    list
}

/// Names, functions and words.
fn words<'s>(files: &Files<'s>, file: FileId, item: Option<(ItemView<'s>, u32)>, site: &Site<'_>) -> Vec<Completion> {
    let body = item.filter(|(item, inside)| {
        item.text.get(..*inside as usize).is_some_and(|head| head.contains(['{', '=', '('])) && !ended(*item, *inside)
    });
    let Some((item, inside)) = body else { return snippets::items() };
    let mut list = Vec::new();
    if is_entry(Some((item, inside))) && matches!(site.last(), Some(TokenKind::LBrace | TokenKind::Comma)) {
        list.extend(snippets::settings(item.key.kind));
        return list;
    }
    if site.before.iter().rev().take(60).any(|(_, word)| *word == "asm") {
        list.extend(TABLE.iter().map(|row| plain(row.name, CompletionKind::Function, row.stack, 3)));
    }
    if site.begins() {
        list.extend(snippets::statements(item.key.kind));
    }
    let names = names_of(files, file, item, Depth::Names);
    for (name, def) in names.visible(inside) {
        list.push(match def.kind {
            DefKind::Item(ItemKind::Fn) => call(name, "", 0),
            DefKind::Item(_) => plain(name, CompletionKind::Constant, "", 0),
            _ => plain(name, CompletionKind::Variable, detail_of(files, def), 0),
        });
    }
    let own = files.of(file);
    let others = own.items.iter().filter(|item| !matches!(item.key.kind, ItemKind::Test | ItemKind::Property));
    list.extend(others.filter_map(|item| item_completion(*item, 1)));
    for (local, import) in &own.imports {
        list.extend(match import {
            Import::Module(_) => Some(plain(local, CompletionKind::Module, "", 1)),
            Import::Item(module, name) => {
                let found = files.item(*module, name).and_then(|item| item_completion(item, 1));
                found.map(|found| Completion {
                    insert: found.insert.replacen(&found.label, local, 1),
                    label: (*local).to_owned(),
                    ..found
                })
            }
        });
    }
    list.extend(
        BUILTINS.iter().map(|known| call(known.name, format!("({}) -> {}", known.params.join(", "), known.result), 2)),
    );
    let values = Word::ALL.iter().filter(|word| word.class() == WordClass::Keyword && is_value(**word));
    list.extend(values.map(|word| plain(word.text(), CompletionKind::Keyword, word.doc(), 3)));
    list.extend(importable(files, file, &list));
    let mut seen = std::collections::BTreeSet::new();
    list.retain(|found| seen.insert(found.label.clone()));
    list
}

/// Whether the place is behind the end of an item.
fn ended(item: ItemView<'_>, inside: u32) -> bool {
    let text = item.text.trim_end();
    inside as usize >= text.len() && text.ends_with(['}', ';'])
}

const fn is_value(word: Word) -> bool {
    matches!(word, Word::True | Word::False | Word::SelfWord | Word::Tx | Word::If | Word::Match | Word::Mod)
}

fn detail_of(files: &Files<'_>, def: &crate::names::Def) -> String {
    let types = files.session.types_in(def.file, &def.item);
    let known = types.iter().find(|(span, _)| *span == def.span).map(|(_, ty)| ty.to_string());
    known.unwrap_or_default()
}

/// Items of other modules of the package and of the standard library, each with the `use` that it needs.
fn importable(files: &Files<'_>, file: FileId, known: &[Completion]) -> Vec<Completion> {
    let Some(own) = files.session.path(file) else { return Vec::new() };
    let mut list = Vec::new();
    let mut offer = |module: &ModulePath, name: &str, kind: ItemKind| {
        let wanted = matches!(
            kind,
            ItemKind::Fn | ItemKind::Const | ItemKind::Struct | ItemKind::Enum | ItemKind::Contract | ItemKind::Reward
        );
        if !wanted || name.is_empty() || known.iter().any(|known| known.label == name) || list.len() >= IMPORTS_MAX {
            return;
        }
        let base = if kind == ItemKind::Fn { call(name, "", 4) } else { plain(name, CompletionKind::Item, "", 4) };
        let also = vec![import_of(files, file, module, name)];
        list.push(Completion { detail: format!("use {module}"), also, ..base });
    };
    let packages = files.session.packages();
    for (other, path) in files.session.sources().filter(|(other, _)| *other != file) {
        let Some(module) = packages.name_for(own, path).filter(|_| !path.starts_with(LIBRARY)) else { continue };
        for item in &files.of(other).items {
            offer(&module, &item.key.name, item.key.kind);
        }
    }
    for (path, items) in &*LIBRARY_ITEMS {
        let Some(module) = packages.name_for(own, path) else { continue };
        items.iter().for_each(|item| offer(&module, &item.name, item.kind));
    }
    list
}

/// The paths of the standard library's modules, with what is in them.
static LIBRARY_ITEMS: LazyLock<Vec<(String, Vec<ItemKey>)>> = LazyLock::new(|| {
    let items = |text| syntax::islands(&syntax::lex(text), text).into_iter().map(|island| island.key).collect();
    driver::library().map(|(path, text)| (path, items(text))).collect()
});

/// What the paths of the standard library begin with.
pub(crate) const LIBRARY: &str = "std::";

/// The edit that brings a name of a module: into the braces of the `use` that names the module already, or by a new one.
pub(crate) fn import_of(files: &Files<'_>, file: FileId, module: &ModulePath, name: &str) -> TextEdit {
    let own = files.of(file);
    let text = format!("use {module}::{name};\n");
    for item in &own.items {
        let Item::Use(used) = item.ast else { continue };
        let leaves = analysis::leaves(used);
        let items = !leaves.is_empty() && leaves.iter().all(|leaf| leaf.module == *module && leaf.item.is_some());
        let Some(group) = used.group.as_ref().filter(|_| items) else { continue };
        let Some(last) = group.last() else { continue };
        let last = last.alias.as_ref().unwrap_or(&last.name).span.end as usize;
        let lines = item.text.get(used.span.range()).is_some_and(|text| text.contains('\n'));
        let lead = if lines { ",\n    " } else { ", " };
        let at = item.start as usize + last;
        return TextEdit { range: at..at, text: format!("{lead}{name}") };
    }
    let at = import_place(files, file);
    TextEdit { range: at..at, text }
}

/// Where a new `use` goes: behind the last one, or before the first item.
fn import_place(files: &Files<'_>, file: FileId) -> usize {
    let own = files.of(file);
    let text: Arc<str> = files.session.text(file).cloned().unwrap_or_default();
    let last = own.items.iter().rev().find(|item| item.key.kind == ItemKind::Use);
    match (last, own.items.first()) {
        (Some(last), _) => {
            let end = last.start as usize + last.text.trim_end().len();
            text.get(end..).and_then(|rest| rest.find('\n')).map_or(text.len(), |newline| end + newline + 1)
        }
        (None, Some(first)) => first.start as usize,
        (None, None) => text.len(),
    }
}
