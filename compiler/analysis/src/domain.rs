//! Domain declarations: each is proved, then written out as plain items that are read like any others.
//!
//! ```text
//! declaration ─ check ─► proved plain struct ─ text ─► Text ─► GeneratedItem (text, tree, origins)
//!                                                                  │ joins the items of its file
//!                                                interface ◄───────┴──────► check_item
//! ```
//!
//! A declaration has a folder here with two files: `check.rs` reads the entries and gives a plain
//! struct in which everything is known and proved, or messages; `text.rs` writes that struct as
//! `.bmc` source. There is no second way into the program: what the text says is what is compiled,
//! and `bmc expand` prints the very same text.
//!
//! To add a declaration: prove it in [`prove`], and give its text in [`write`]. The text is made with
//! [`Text`], which knows for every byte the [`syntax::Loc`] of the declaration that it was written for
//! ([`Text::at`]). [`crate::report::Report::loc`] maps every span of a generated item to that place,
//! so messages, source maps and the sites of `require` point into the declaration, and nothing else
//! has to know that an item was generated. What a declaration writes must be free of messages; tests
//! hold it to that.
//!
//! The items may be of every kind but `use`: structs, functions, contracts, plans. Their names start with the
//! name of the declaration, so that they cannot meet those of another; a name that the author has
//! taken is reported like any name that is declared twice.

mod expand;
mod generated;
pub(crate) mod imi;
pub(crate) mod imo;
pub(crate) mod model;
pub(crate) mod reward;
mod settings;
mod text;

pub(crate) use expand::names_of_contract;
pub use expand::{expand, generated};
pub use generated::GeneratedItem;
pub(crate) use generated::{Origins, block};
pub use imi::snake;
pub use reward::SETTINGS as REWARD_SETTINGS;
pub(crate) use text::{Names, Text};

use std::collections::BTreeMap;
use std::sync::Arc;

use syntax::ast::{self, Item};
use syntax::{Diagnostic, ItemKey};

use crate::body::Env;
use crate::item::{CheckedItem, check_item};
use crate::report::Report;
use crate::signatures::Signatures;
use crate::{SourceItem, budget};

/// Proves the declarations of a file and puts what is proved into the signatures.
pub(crate) fn prove(signatures: &mut Signatures, items: &[SourceItem<'_>]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut proved = Vec::new();
    let mut campaigns = Vec::new();
    for item in items {
        let mut report = Report::new(signatures.file, item);
        budget::of_declaration(item.ast, &mut report);
        match item.ast {
            Item::Reward(reward) => {
                let table = reward::check(reward, Env::of_file(signatures), &mut report);
                proved.push((reward.name.name.clone(), table));
            }
            Item::Imi(imi) => {
                let campaign = imi::check(imi, Env::of_file(signatures), &mut report);
                campaigns.push((imi.name.name.clone(), campaign));
            }
            _ => {}
        }
        found.extend(report.finish());
    }
    found.extend(reward::circles(&proved));
    for (name, campaign) in campaigns {
        signatures.own_mut().campaigns.entry(name).or_insert(campaign);
    }
    for (name, table) in proved {
        signatures.own_mut().rewards.entry(name).or_insert(table);
    }
    found.extend(prove_models(signatures, items));
    found.extend(prove_offerings(signatures, items));
    found
}

/// Proves each offering, which reads the rewards and models of its file.
fn prove_offerings(signatures: &mut Signatures, items: &[SourceItem<'_>]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for item in items {
        let Item::Imo(imo) = item.ast else { continue };
        let mut report = Report::new(signatures.file, item);
        let offering = imo::check(imo, Env::of_file(signatures), &mut report);
        found.extend(report.finish());
        signatures.own_mut().offerings.entry(imo.name.name.clone()).or_insert(offering);
    }
    found
}

/// Proves each model after those it builds on.
fn prove_models(signatures: &mut Signatures, items: &[SourceItem<'_>]) -> Vec<Diagnostic> {
    let models: Vec<_> = items
        .iter()
        .filter_map(|item| match item.ast {
            Item::Model(model) => Some((item, model)),
            _ => None,
        })
        .collect();
    let links: Vec<_> = models
        .iter()
        .map(|(item, model)| {
            (model.name.as_str(), item.loc(signatures.file, model.name.span), model::parents_of(model))
        })
        .collect();
    let (order, mut found) = model::circles(&links);
    for (item, model) in order.iter().filter_map(|at| models.get(*at)) {
        let mut report = Report::new(signatures.file, item);
        let proved = model::check(model, Env::of_file(signatures), &mut report);
        found.extend(report.finish());
        let flow = proved.as_ref().map(|model| model.flow.clone());
        signatures.own_mut().rewards.entry(model.name.name.clone()).or_insert(flow);
        signatures.own_mut().models.entry(model.name.name.clone()).or_insert(proved.map(std::sync::Arc::new));
    }
    found
}

/// What declarations have become, with the trees.
pub(crate) type Trees = BTreeMap<ItemKey, Vec<(GeneratedItem, Item)>>;

/// The plain items of every declaration whose proofs hold.
pub(crate) fn generate(signatures: &Signatures, items: &[SourceItem<'_>]) -> (Trees, Vec<Diagnostic>) {
    let mut numbers = generated::Numbers::of(items);
    let mut found = Vec::new();
    let mut generated = BTreeMap::new();
    let mut registry = false;
    // Of two declarations with one name the second has been reported.
    for item in items.iter().filter(|item| item.key.nth == 0) {
        if let Some(mut text) = write(signatures, item, &mut registry) {
            limit(signatures, item, &mut text);
            generated.insert(item.key.clone(), text.items(&mut numbers, &mut found));
        }
    }
    (generated, found)
}

/// Gives the contracts of a declaration its budget; of a model only its flow, since other models have the registry too.
fn limit(signatures: &Signatures, item: &SourceItem<'_>, text: &mut Text) {
    // What is wrong with it has been reported with the proofs.
    let budgets = budget::of_declaration(item.ast, &mut Report::new(signatures.file, item));
    text.limit(&budgets, |name| match item.ast {
        Item::Model(model) => model.name.as_str() == name,
        _ => true,
    });
}

/// The text of a declaration; nothing for other items and for those whose proofs failed.
///
/// `registry` says whether the file has the registry of models already.
fn write(signatures: &Signatures, item: &SourceItem<'_>, registry: &mut bool) -> Option<Text> {
    match item.ast {
        Item::Model(model) => {
            let model = signatures.model(model.name.as_str())?.as_ref()?;
            Some(model::text(model, !std::mem::replace(registry, true)))
        }
        Item::Reward(reward) => signatures.reward(reward.name.as_str())?.as_ref().map(reward::text),
        Item::Imi(imi) => signatures.campaign(imi.name.as_str())?.as_ref().map(imi::text),
        Item::Imo(imo) => signatures.own.offerings.get(imo.name.as_str())?.as_ref().map(imo::text),
        _ => None,
    }
}

/// Checks the items that a declaration has become.
pub(crate) fn check(signatures: &Signatures, item: &SourceItem<'_>) -> CheckedItem {
    let mut checked = CheckedItem::default();
    for generated in signatures.generated.get(item.key).into_iter().flat_map(|items| &**items) {
        checked.add(check_item(signatures, &generated.source_item(&generated.tree())));
    }
    if let Item::Reward(ast::Reward { name, .. }) | Item::Model(ast::Model { name, .. }) = item.ast
        && let Some(Some(table)) = signatures.reward(name.as_str())
        && let Some(contract) = checked.contracts.iter_mut().find(|contract| *contract.name == *table.name)
    {
        Arc::make_mut(contract).reward = Some(table.shares());
    }
    checked
}
