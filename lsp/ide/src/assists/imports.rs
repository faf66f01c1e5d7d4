//! Imports: of a name that means nothing yet, and in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use analysis::{Leaf, ModulePath};
use driver::{Diagnostic, ItemView};
use syntax::ast::{Item, Use};
use syntax::{Code, FileId, ItemKind, Span};

use super::tokens::ItemTokens;
use super::{ActionKind, Edits, Found, Site};
use crate::complete::{LIBRARY, import_of};
use crate::names::Files;
use crate::text::{FileEdit, TextEdit};

/// The most modules that a name is offered from.
const MODULES_MAX: usize = 8;

/// One name that an import brings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Brought {
    /// The item; nothing for the module itself.
    item: Option<Arc<str>>,
    local: Arc<str>,
}

impl Brought {
    pub(crate) fn of(leaf: &Leaf<'_>) -> Self {
        Self { item: leaf.item.map(|item| Arc::clone(&item.name)), local: Arc::clone(&leaf.local.name) }
    }

    /// An item under its own name.
    pub(crate) fn item(name: &str) -> Self {
        Self { item: Some(name.into()), local: name.into() }
    }

    fn written(&self, own: &str) -> String {
        if *self.local == *own { own.to_owned() } else { format!("{own} as {}", self.local) }
    }
}

/// The `use` items that bring names of a module, each on its line, as they are laid out.
pub(crate) fn uses(module: &ModulePath, brought: &[Brought]) -> String {
    let mut text = String::new();
    for whole in brought.iter().filter(|brought| brought.item.is_none()) {
        let name = if whole.local == module.name { String::new() } else { format!(" as {}", whole.local) };
        text += &format!("use {module}{name};\n");
    }
    let mut items: Vec<String> =
        brought.iter().filter_map(|brought| Some(brought.written(brought.item.as_deref()?))).collect();
    items.sort();
    items.dedup();
    match items.as_slice() {
        [] => {}
        [only] => text += &format!("use {module}::{only};\n"),
        several => text += &format!("use {module}::{{{}}};\n", several.join(", ")),
    }
    format::format(&text).unwrap_or(text)
}

/// A name from another module.
pub(super) fn import_name(site: &mut Site<'_, '_>, found: &Found<'_>) {
    let codes = [Code::E0101, Code::E0102, Code::E0103, Code::E0106, Code::E0339, Code::E0701];
    let name = site.text(found.span);
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !codes.contains(&found.diagnostic.code) || !plain {
        return;
    }
    for module in modules_with(site.files, site.file, name).into_iter().take(MODULES_MAX) {
        site.offer(ActionKind::ImportName, format!("import `{module}::{name}`"), |site| {
            let edit = import_of(site.files, site.file, &module, name);
            Edits::of([FileEdit { path: Arc::clone(&site.path), edit }])
        });
    }
}

/// The modules that declare an item of this name, as a file names them.
fn modules_with(files: &Files<'_>, file: FileId, name: &str) -> Vec<ModulePath> {
    let Some(own) = files.session.path(file) else { return Vec::new() };
    let packages = files.session.packages();
    let importable = |kind: ItemKind| {
        !matches!(kind, ItemKind::Use | ItemKind::Test | ItemKind::Property | ItemKind::Error | ItemKind::Rest)
    };
    let mut found = Vec::new();
    for (other, path) in files.session.sources().filter(|(other, _)| *other != file) {
        let declares = files.item(other, name).is_some_and(|item| importable(item.key.kind));
        if declares && !path.starts_with(LIBRARY) {
            found.extend(packages.name_for(own, path));
        }
    }
    for (path, text) in driver::library().filter(|(_, text)| text.contains(name)) {
        let islands = syntax::islands(&syntax::lex(text), text);
        if islands.iter().any(|island| &*island.key.name == name && importable(island.key.kind)) {
            found.extend(packages.name_for(own, &path));
        }
    }
    found
}

/// The comments in an import of an item with this text, each on its line.
pub(crate) fn comments_of(text: &str, used: &Use) -> String {
    let comments: Vec<Span> = ItemTokens::of(text).comments(used.span).collect();
    comments.iter().filter_map(|span| Some(format!("{}\n", text.get(span.range())?))).collect()
}

/// Whether a comment stands in an import, where it would be lost if the import is written anew.
fn has_comment(item: ItemView<'_>, used: &Use) -> bool {
    !comments_of(item.text, used).is_empty()
}

/// The imports of a file, if nothing but blanks stands between and in them and each says what it brings.
fn block<'s>(files: &Files<'s>, file: FileId) -> Option<Vec<(ItemView<'s>, &'s Use)>> {
    let own = files.of(file);
    let text = files.session.text(file)?;
    let mut found: Vec<(ItemView<'s>, &'s Use)> = Vec::new();
    for item in &own.items {
        let Item::Use(used) = item.ast else { continue };
        let start = item.start as usize + used.span.start as usize;
        if !used.docs.is_empty() || analysis::leaves(used).is_empty() || has_comment(*item, used) {
            return None;
        }
        if let Some((last, of)) = found.last()
            && !text.get(last.start as usize + of.span.end as usize..start)?.trim().is_empty()
        {
            return None;
        }
        found.push((*item, used));
    }
    Some(found).filter(|found| !found.is_empty())
}

/// Sorted, joined, and without what nothing uses.
pub(super) fn organized(files: &Files<'_>, file: FileId, diagnostics: &[Diagnostic]) -> Option<FileEdit> {
    let block = block(files, file)?;
    let ((first, from), (last, to)) = (block.first()?, block.last()?);
    let range = first.start as usize + from.span.start as usize..last.start as usize + to.span.end as usize;
    let unused = |item: &ItemView<'_>, local: Span| {
        diagnostics.iter().filter(|found| found.code == Code::E0123).any(|found| {
            found
                .labels
                .iter()
                .any(|label| label.primary && label.loc.item.as_ref() == Some(item.key) && label.loc.span == local)
        })
    };
    let mut by_module: BTreeMap<(bool, String), (ModulePath, Vec<Brought>)> = BTreeMap::new();
    for (item, used) in &block {
        for leaf in analysis::leaves(used).iter().filter(|leaf| !unused(item, leaf.local.span)) {
            let key = (leaf.module.package.is_none(), leaf.module.to_string());
            by_module.entry(key).or_insert_with(|| (leaf.module.clone(), Vec::new())).1.push(Brought::of(leaf));
        }
    }
    let mut text: String = by_module.values().map(|(module, brought)| uses(module, brought)).collect();
    text.truncate(text.trim_end().len());
    let whole = files.session.text(file)?;
    let old = whole.get(range.clone())?;
    if old == text {
        return None;
    }
    let end = if text.is_empty() {
        let behind = whole.get(range.end..)?;
        range.end + (behind.len() - behind.trim_start().len())
    } else {
        range.end
    };
    let edit = TextEdit { range: range.start..end, text };
    Some(FileEdit { path: Arc::clone(files.session.path(file)?), edit })
}

/// The imports of items of the same module in one.
pub(super) fn merge(site: &mut Site<'_, '_>) {
    let Item::Use(used) = site.item.ast else { return };
    let Some(module) = only_module(used) else { return };
    let own = site.files.of(site.file);
    let others: Vec<ItemView<'_>> = own
        .items
        .iter()
        .filter(|item| item.key != site.item.key)
        .filter(|item| matches!(item.ast, Item::Use(other) if other.docs.is_empty() && only_module(other).as_ref() == Some(&module) && !has_comment(**item, other)))
        .copied()
        .collect();
    if others.is_empty() || has_comment(site.item, used) {
        return;
    }
    site.offer(ActionKind::MergeImports, "join the imports of this module", |site| {
        let mut brought: Vec<Brought> = analysis::leaves(used).iter().map(Brought::of).collect();
        let mut edits = Vec::new();
        let text = site.files.session.text(site.file)?;
        for other in &others {
            let Item::Use(of) = other.ast else { continue };
            brought.extend(analysis::leaves(of).iter().map(Brought::of));
            let start = other.start as usize + of.span.start as usize;
            let end = other.start as usize + of.span.end as usize;
            let line = text.get(end..).map_or(0, |behind| usize::from(behind.starts_with('\n')));
            let edit = TextEdit { range: start..end + line, text: String::new() };
            edits.push(FileEdit { path: Arc::clone(&site.path), edit });
        }
        edits.push(site.put(used.span, uses(&module, &brought).trim_end()));
        Edits::of(edits)
    });
}

/// The module that all names of a `use` come from.
fn only_module(used: &Use) -> Option<ModulePath> {
    let leaves = analysis::leaves(used);
    let first = leaves.first()?.module.clone();
    leaves.iter().all(|leaf| leaf.module == first).then_some(first)
}

/// A `use` for each name.
pub(super) fn split(site: &mut Site<'_, '_>) {
    let Item::Use(used) = site.item.ast else { return };
    let leaves = analysis::leaves(used);
    if leaves.len() < 2 || has_comment(site.item, used) {
        return;
    }
    site.offer(ActionKind::SplitImport, "give each name a `use` of its own", |site| {
        let lines = leaves.iter().map(|leaf| uses(&leaf.module, &[Brought::of(leaf)]));
        let text: String = lines.collect();
        Edits::of([site.put(used.span, text.trim_end())])
    });
}
