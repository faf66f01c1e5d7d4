//! What the pages show, as data.

use serde::Serialize;
use spec::artifact::{Artifact, SpendPath};
use syntax::ast::{Item, Member, Param};

use crate::docs::Docs;
use crate::entry::{Entry, head, markdown};
use crate::scope::Chapter;
use crate::ways;

/// A module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModuleModel {
    /// The package it belongs to.
    pub package: String,
    /// What a `use` calls it.
    pub name: String,
    /// Its source.
    pub file: String,
    /// Its page.
    pub page: String,
    /// What it says of itself, in Markdown.
    pub docs: String,
    /// Its items in source order, those that a declaration becomes behind it.
    pub items: Vec<ItemModel>,
}

/// An item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ItemModel {
    /// What it is: `contract`, `fn`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Where it is shown.
    pub url: String,
    /// Its line in the source; nowhere, if a declaration becomes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The declaration that becomes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub becomes_of: Option<String>,
    /// What it says of itself, in Markdown.
    pub docs: String,
    /// What stands before its body.
    pub signature: String,
    /// Its parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<SlotModel>,
    /// The usual bytes of a contract's script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script_bytes: Option<usize>,
    /// The ways to spend a contract.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<PathModel>,
}

/// A parameter or argument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SlotModel {
    /// Its name.
    pub name: String,
    /// Its type as written.
    #[serde(rename = "type")]
    pub ty: String,
}

/// A way to spend a contract.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PathModel {
    /// Its name.
    pub name: String,
    /// What it says of itself, in Markdown.
    pub docs: String,
    /// What the spender brings.
    pub args: Vec<SlotModel>,
    /// What it checks.
    pub checks: Vec<CheckModel>,
    /// The usual bytes of what unlocks a coin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_bytes: Option<usize>,
    /// Whether an argument may have any length, so that the bytes may be more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub open: bool,
    /// The most operation cost that it takes, where that has a bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_bound: Option<u64>,
    /// How much an input of so many bytes may cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_limit: Option<u64>,
}

/// A check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckModel {
    /// What must hold, as written.
    pub condition: String,
    /// What is said where it does not hold.
    pub message: String,
}

impl Docs {
    /// What the pages show, as data.
    #[must_use]
    pub fn model(&self) -> Vec<ModuleModel> {
        self.chapters.iter().map(|chapter| self.module_model(chapter)).collect()
    }

    fn module_model(&self, chapter: &Chapter) -> ModuleModel {
        ModuleModel {
            package: chapter.module.package.clone(),
            name: chapter.module.name.clone(),
            file: chapter.module.path.clone(),
            page: chapter.path(),
            docs: markdown(&chapter.docs),
            items: chapter.entries.iter().map(|entry| self.item_model(chapter, entry)).collect(),
        }
    }

    fn item_model(&self, chapter: &Chapter, entry: &Entry) -> ItemModel {
        ItemModel {
            kind: entry.kind.word(),
            name: entry.name.to_string(),
            url: format!("{}#{}", chapter.path(), entry.anchor),
            line: entry.at.map(|at| at.line),
            becomes_of: entry.of.and_then(|of| Some(chapter.entries.get(of)?.name.to_string())),
            docs: markdown(entry.docs()),
            signature: signature(entry).to_owned(),
            params: slots(entry, params(&entry.ast)),
            script_bytes: self.artifact(entry).map(Artifact::usual_script_bytes),
            paths: self.paths(entry),
        }
    }

    /// The ways to spend a contract: what its text says, and what it was measured to take.
    pub(crate) fn paths(&self, entry: &Entry) -> Vec<PathModel> {
        let artifact = self.artifact(entry);
        let path = |(contract, spend): (&syntax::ast::Contract, &syntax::ast::Spend)| {
            let way = ways::way_of(entry, contract, spend);
            let checks = way.checks.into_iter();
            let measured = artifact.and_then(|artifact| Some(measure(artifact, artifact.path(spend.name.as_str())?)));
            PathModel {
                name: spend.name.to_string(),
                docs: markdown(&spend.docs),
                args: slots(entry, &spend.params),
                checks: checks.map(|check| CheckModel { condition: check.condition, message: check.message }).collect(),
                ..measured.unwrap_or_default()
            }
        };
        ways::paths(entry).into_iter().map(path).collect()
    }
}

fn measure(artifact: &Artifact, path: &SpendPath) -> PathModel {
    let taken = artifact.path_size(path, artifact.usual_script_bytes());
    PathModel {
        input_bytes: Some(taken.input),
        open: taken.open,
        cost_bound: taken.cost,
        cost_limit: Some(taken.limit),
        ..PathModel::default()
    }
}

fn params(item: &Item) -> &[Param] {
    match item {
        Item::Fn(item) => &item.params,
        Item::Contract(item) => &item.params,
        Item::Plan(item) => &item.params,
        _ => &[],
    }
}

fn slots(entry: &Entry, params: &[Param]) -> Vec<SlotModel> {
    let slot = |param: &Param| SlotModel { name: param.name.to_string(), ty: entry.slice(param.ty.span).to_owned() };
    params.iter().map(slot).collect()
}

/// What stands before the body of an item; all of it, if it is a declaration.
pub(crate) fn signature(entry: &Entry) -> &str {
    match &entry.ast {
        Item::Fn(_) | Item::Contract(_) | Item::Plan(_) => head(&entry.text, entry.ast.span()),
        Item::Test(test) if test.params.is_some() => head(&entry.text, test.span),
        _ => entry.slice(entry.ast.span()),
    }
}

/// The members of a contract.
pub(crate) fn members(entry: &Entry) -> &[Member] {
    match &entry.ast {
        Item::Contract(contract) => &contract.members,
        _ => &[],
    }
}
