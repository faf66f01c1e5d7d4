//! Moving an item to a file of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use analysis::{ModulePath, snake};
use syntax::ast::Item;
use syntax::{ItemKind, Span, TokenKind, Word};

use super::imports::{Brought, uses};
use super::{ActionKind, Edits, Site};
use crate::complete::import_of;
use crate::names::{Def, DefKind, Target};
use crate::navigate::mentions;
use crate::text::FileEdit;

/// The item in a new file beside this one, imported where it is named.
pub(super) fn to_file(site: &mut Site<'_, '_>) {
    let movable = !matches!(site.item.key.kind, ItemKind::Use | ItemKind::Error | ItemKind::Rest);
    let Some(name) = site.item.ast.name().filter(|name| movable && !name.is_missing()) else { return };
    if !name.span.touches(site.range.start) || !site.files.session.is_own(site.file) {
        return;
    }
    let Some(plan) = plan(site, name.as_str(), name.span) else { return };
    let title = format!("move `{name}` to `{}.bmc`", plan.module.name);
    site.offer(ActionKind::MoveToFile, title, |site| made(site, name.as_str(), &plan));
}

/// What a move has to do.
struct Plan {
    /// The new module, as this file names it.
    module: ModulePath,
    path: Arc<str>,
    /// What the item needs of other modules and of this file.
    needs: BTreeMap<ModulePath, Vec<Brought>>,
    /// Whether this file still names the item.
    named_here: bool,
}

fn plan(site: &Site<'_, '_>, name: &str, span: Span) -> Option<Plan> {
    let session = site.files.session;
    let module = ModulePath { package: None, folders: Vec::new(), name: file_name(name, site.item.key.kind).into() };
    let folder = site.path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let path: Arc<str> = format!("{folder}{}.bmc", module.name).into();
    let own = session.packages().name_for(&path, &site.path)?;
    if session.source(&path).is_some() || path == site.path {
        return None;
    }
    let def = Def { file: site.file, item: site.item.key.clone(), span, kind: DefKind::Item(site.item.key.kind) };
    let places = mentions(site.files, &def, None);
    // Who imports it from this file would have to import it from the other.
    if places.iter().any(|mention| mention.location.path != site.path) {
        return None;
    }
    let whole = site.item.start as usize..site.item.start as usize + site.item.text.len();
    let named_here = places.iter().any(|mention| !whole.contains(&mention.location.range.start));
    let (needs, back) = needs(site, &own)?;
    // Files cannot import each other.
    (!named_here || !back).then_some(Plan { module, path, needs, named_here })
}

/// What the file of an item is called, which imports have to name: a keyword is none.
fn file_name(item: &str, kind: ItemKind) -> String {
    let name = snake(item);
    match Word::from_text(&name).is_some_and(Word::is_keyword) {
        true => format!("{name}_{}", kind.word()),
        false => name,
    }
}

/// What the item names outside of itself, and whether this file is among what it needs.
fn needs(site: &Site<'_, '_>, own: &ModulePath) -> Option<(BTreeMap<ModulePath, Vec<Brought>>, bool)> {
    let mut needs: BTreeMap<ModulePath, Vec<Brought>> = BTreeMap::new();
    let mut back = false;
    let (names, tokens) = (site.names(), site.tokens());
    let mut named: BTreeSet<&str> = BTreeSet::new();
    for name in &names.names {
        let outside = match &name.target {
            Target::Def(def) => {
                matches!(def.kind, DefKind::Item(_)) && (def.file != site.file || def.item != *site.item.key)
            }
            Target::Module(_) => true,
            _ => false,
        };
        // What stands behind `::` is a name of that module.
        if outside && !matches!(tokens.before(name.span.start), Some((TokenKind::PathSep, _))) {
            named.insert(site.text(name.span));
        }
    }
    let own_names = site.files.of(site.file);
    for item in &own_names.items {
        let Item::Use(used) = item.ast else {
            if let Some(known) = item.ast.name().filter(|known| named.contains(known.as_str())) {
                back = true;
                needs.entry(own.clone()).or_default().push(Brought::item(known.as_str()));
            }
            continue;
        };
        for leaf in analysis::leaves(used) {
            if named.contains(leaf.local.as_str()) {
                // The new file lies in the same folder, so it calls modules alike.
                needs.entry(leaf.module.clone()).or_default().push(Brought::of(&leaf));
            }
        }
    }
    Some((needs, back))
}

fn made(site: &Site<'_, '_>, name: &str, plan: &Plan) -> Option<Edits> {
    let imports: String = plan.needs.iter().map(|(module, brought)| uses(module, brought)).collect();
    let gap = if imports.is_empty() { "" } else { "\n" };
    let text = format!("{imports}{gap}{}\n", site.item.text.trim());
    let all = site.files.session.text(site.file)?;
    let end = site.item.start as usize + site.item.text.trim_end().len();
    let behind = all.get(end..)?;
    let blanks = behind.len() - behind.trim_start_matches(['\n', '\r', ' ']).len();
    let gone = u32::try_from(site.item.text.trim_end().len() + blanks).ok()?;
    let mut edits = vec![site.put(Span::new(0, gone), "")];
    if plan.named_here {
        let edit = import_of(site.files, site.file, &plan.module, name);
        edits.push(FileEdit { path: Arc::clone(&site.path), edit });
    }
    let creates = vec![(Arc::clone(&plan.path), text)];
    Edits::of(edits).map(|edits| Edits { creates, ..edits })
}
