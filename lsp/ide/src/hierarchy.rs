//! The call hierarchy: who calls a function, and whom it calls. Paths, plans and tests call too, and nobody calls them.

use std::ops::Range;
use std::sync::Arc;

use driver::ItemView;
use syntax::ast::{Item, Member};
use syntax::{FileId, ItemKind, Span};

use crate::host::{Answer, Snapshot};
use crate::names::{Def, DefKind, Depth, Files, Target, names_of};
use crate::navigate::{def_at, items_naming, location, name_of};

/// Something that calls or is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its name.
    pub name: String,
    /// What it is in a word.
    pub detail: String,
    /// Its source.
    pub path: Arc<str>,
    /// All of it.
    pub range: Range<usize>,
    /// Its name in the source.
    pub name_range: Range<usize>,
}

/// One end of calls, with the places of the calls in the source of the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// The other end.
    pub other: Caller,
    /// The bytes of the names that are called.
    pub places: Vec<Range<usize>>,
}

impl Snapshot {
    /// What stands at a place, if it calls or can be called.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn caller(&self, path: &str, offset: usize) -> Answer<Option<Caller>> {
        self.ask_of(path, |files, file| caller(files, &def_at(files, file, offset)?))
    }

    /// Who calls what stands at a place.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn incoming(&self, path: &str, offset: usize) -> Answer<Vec<Calls>> {
        self.ask_of(path, |files, file| {
            let Some(def) = def_at(files, file, offset) else { return Vec::new() };
            let Some(word) = name_of(files, &def) else { return Vec::new() };
            let mut found = Vec::new();
            for (file, _) in files.session.sources() {
                for item in items_naming(&files.of(file), &def, word) {
                    incoming(files, file, *item, &def, &mut found);
                }
            }
            found
        })
    }

    /// Whom what stands at a place calls.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn outgoing(&self, path: &str, offset: usize) -> Answer<Vec<Calls>> {
        self.ask_of(path, |files, file| {
            let Some(def) = def_at(files, file, offset) else { return Vec::new() };
            let Some(item) = files.view(&def) else { return Vec::new() };
            let Some((_, span)) = callers(item).into_iter().find(|(own, _)| own.span == def.span) else {
                return Vec::new();
            };
            outgoing(files, def.file, item, span)
        })
    }
}

/// A name and all of what it names.
struct Own {
    span: Span,
    kind: DefKind,
}

/// Everything in an item that can call, with its whole.
fn callers(item: ItemView<'_>) -> Vec<(Own, Span)> {
    let whole = |span: Span| (Own { span, kind: DefKind::Item(item.key.kind) }, item.ast.span());
    match item.ast {
        Item::Fn(item) => vec![whole(item.name.span)],
        Item::Plan(item) => vec![whole(item.name.span)],
        Item::Test(item) => vec![whole(item.name.span)],
        Item::Contract(contract) => contract
            .members
            .iter()
            .filter_map(|member| match member {
                Member::Fn(member) => {
                    Some((Own { span: member.name.span, kind: DefKind::Item(ItemKind::Fn) }, member.span))
                }
                Member::Spend(member) => Some((Own { span: member.name.span, kind: DefKind::Path }, member.span)),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn caller(files: &Files<'_>, def: &Def) -> Option<Caller> {
    let item = files.view(def)?;
    let (_, span) = callers(item).into_iter().find(|(own, _)| own.span == def.span)?;
    let start = item.start as usize;
    let detail = match def.kind {
        DefKind::Path => "spend",
        _ => item.key.kind.word(),
    };
    Some(Caller {
        name: name_of(files, def)?.to_owned(),
        detail: detail.to_owned(),
        path: location(files, def)?.path,
        range: start + span.start as usize..start + span.end as usize,
        name_range: start + def.span.start as usize..start + def.span.end as usize,
    })
}

/// The calls of `def` in an item, by who calls.
fn incoming<'s>(files: &Files<'s>, file: FileId, item: ItemView<'s>, def: &Def, found: &mut Vec<Calls>) {
    let callers = callers(item);
    if callers.is_empty() {
        return;
    }
    let means = |target: &Target| matches!(target, Target::Def(other) if other == def);
    let names = names_of(files, file, item, Depth::Names).names;
    let calls: Vec<Span> =
        names.iter().filter(|name| !name.declares && means(&name.target)).map(|name| name.span).collect();
    for (own, span) in callers {
        let inside = calls.iter().filter(|call| span.start <= call.start && call.end <= span.end);
        let start = item.start as usize;
        let places: Vec<_> = inside.map(|call| start + call.start as usize..start + call.end as usize).collect();
        let own = Def { file, item: item.key.clone(), span: own.span, kind: own.kind };
        if let Some(other) = caller(files, &own).filter(|_| !places.is_empty()) {
            found.push(Calls { other, places });
        }
    }
}

/// The calls in a part of an item, by who is called.
fn outgoing<'s>(files: &Files<'s>, file: FileId, item: ItemView<'s>, within: Span) -> Vec<Calls> {
    let mut found: Vec<(Def, Calls)> = Vec::new();
    let start = item.start as usize;
    for name in names_of(files, file, item, Depth::Names).names {
        let Target::Def(def) = &name.target else { continue };
        let called = def.kind == DefKind::Item(ItemKind::Fn) && !name.declares;
        if !called || name.span.start < within.start || name.span.end > within.end {
            continue;
        }
        let place = start + name.span.start as usize..start + name.span.end as usize;
        match found.iter_mut().find(|(known, _)| known == def) {
            Some((_, calls)) => calls.places.push(place),
            None => {
                let other = caller(files, def);
                found.extend(other.map(|other| (def.clone(), Calls { other, places: vec![place] })));
            }
        }
    }
    found.into_iter().map(|(_, calls)| calls).collect()
}
