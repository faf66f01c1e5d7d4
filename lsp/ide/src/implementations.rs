//! Where something that is declared is carried out: the paths of a contract, the contracts that hold a type, the
//! `split` and the declarations that count on a declaration.

use syntax::ast::{Item, Member, Param};
use syntax::{ItemKind, Span};

use crate::host::{Answer, Snapshot};
use crate::names::{Def, DefKind, Files, item_at};
use crate::navigate::{Location, def_at, location, mentions};

impl Snapshot {
    /// What carries out what stands at a place.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn implementations(&self, path: &str, offset: usize) -> Answer<Vec<Location>> {
        self.ask_of(path, |files, file| {
            let Some(def) = def_at(files, file, offset) else { return Vec::new() };
            match def.kind {
                DefKind::Item(ItemKind::Contract) => paths(files, &def),
                DefKind::Item(ItemKind::Struct | ItemKind::Enum) => holders(files, &def),
                DefKind::Item(ItemKind::Reward | ItemKind::Model | ItemKind::Imi | ItemKind::Imo) => users(files, &def),
                _ => location(files, &def).into_iter().collect(),
            }
        })
    }
}

fn paths(files: &Files<'_>, def: &Def) -> Vec<Location> {
    let Some(item) = files.view(def) else { return Vec::new() };
    let Item::Contract(contract) = item.ast else { return Vec::new() };
    let spends = contract.members.iter().filter_map(|member| match member {
        Member::Spend(spend) => Some(Def { span: spend.name.span, kind: DefKind::Path, ..def.clone() }),
        _ => None,
    });
    spends.filter_map(|def| location(files, &def)).collect()
}

/// The parameters and fields of state whose type names what is defined.
fn holders(files: &Files<'_>, def: &Def) -> Vec<Location> {
    let mut found = Vec::new();
    for mention in mentions(files, def, None) {
        let Some(file) = files.session.source(&mention.location.path) else { continue };
        let Some((item, inside)) = item_at(files, file, mention.location.range.start) else { continue };
        let Item::Contract(contract) = item.ast else { continue };
        let held = |span: Span| span.start <= inside && inside <= span.end;
        let param = contract.params.iter().find(|Param { ty, .. }| held(ty.span)).map(|param| param.name.span);
        let state = contract.members.iter().find_map(|member| match member {
            Member::State(state) => state.fields.iter().find(|field| held(field.ty.span)).map(|field| field.name.span),
            _ => None,
        });
        let Some(span) = param.or(state) else { continue };
        let holder = Def { file, item: item.key.clone(), span, kind: DefKind::State };
        found.extend(location(files, &holder));
    }
    found.dedup();
    found
}

/// Where contracts and other declarations name what is defined.
fn users(files: &Files<'_>, def: &Def) -> Vec<Location> {
    let carries = |kind: ItemKind| {
        matches!(
            kind,
            ItemKind::Contract | ItemKind::Fn | ItemKind::Reward | ItemKind::Model | ItemKind::Imi | ItemKind::Imo
        )
    };
    let mentions = mentions(files, def, None).into_iter().filter(|mention| !mention.declares);
    let used = mentions.filter(|mention| {
        let file = files.session.source(&mention.location.path);
        let item = file.and_then(|file| item_at(files, file, mention.location.range.start));
        item.is_some_and(|(item, _)| carries(item.key.kind))
    });
    used.map(|mention| mention.location).collect()
}
