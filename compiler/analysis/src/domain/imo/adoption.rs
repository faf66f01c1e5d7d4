//! `adoption: 3 children`: the launch shows that others build on the model.
//!
//! A registry of models makes a token for each link from a child to a parent, an edge, which says who
//! registered the child. The launch reads so many edges to the offered model, each by another identity. They
//! come back unchanged, each at the output of its input's number, by the path of their own contract.
//!
//! An identity costs its fee, so this says little by itself. It pays nobody anything; it stands beside the
//! judges.

use syntax::ast::{self, Entry, EntryValue, Phrase};
use syntax::{Code, ItemKind, Loc};

use super::Offering;
use super::text::Params;
use crate::domain::settings::{At, Settings, malformed};
use crate::domain::{Names, Text};
use crate::hir::Type;

pub(super) const EXAMPLE: &str = "adoption: 3 children,";
/// The parameters that name the registry, and the record of the model in it.
const REGISTRY: &str = "registry";
const RECORD: &str = "record";
/// The most children: so many edges and the parts fit one transaction and the budget of the launch coin.
const CHILDREN_MAX: u64 = 50;
/// The length of an edge's commitment: child and parent, of 32 bytes each, an identity of 8, a weight of 4.
const EDGE_BYTES: usize = 76;

/// `3 children`, of an offering for a model of the same file.
pub(super) fn read<'t>(imo: &ast::Imo, entry: &'t Entry, settings: &mut Settings<'t, '_, '_>) -> Option<At<u64>> {
    let EntryValue::Phrase(Phrase { head: Some(count), clauses }) = &entry.value else {
        return malformed(entry, EXAMPLE, settings.report);
    };
    match clauses.as_slice() {
        [clause] if clause.text() == "children" && clause.value.is_none() && clause.entries.is_none() => {}
        _ => return malformed(entry, EXAMPLE, settings.report),
    }
    let count = settings.number(count, &Type::Int, 1, CHILDREN_MAX);
    let name = match imo.subject.as_slice() {
        [name] => name,
        _ => &imo.name,
    };
    let signatures = settings.env.signatures;
    if signatures.is_broken(name.as_str()) || signatures.own.models.contains_key(name.as_str()) {
        return count;
    }
    let (message, help) = match signatures.kind(name.as_str()) {
        Some(ItemKind::Model) => (
            format!("`{name}` is a model of another file, where the contract of its edges stands"),
            format!("declare the offering in the file of `model {name}`"),
        ),
        _ => (
            format!("`{name}` is no model, so nothing is registered that builds on it"),
            "offer a model, as in `imo Token for SomeModel`, or remove the entry".to_owned(),
        ),
    };
    let found = settings.report.error(Code::E0928, message, entry.span);
    settings.report.fail(found.help(help))
}

/// What the launch must know to tell the edges from others.
pub(super) fn params(loc: &Loc) -> Params {
    let param = |name: &str, ty: &str| (name.to_owned(), ty.to_owned(), loc.clone());
    vec![param(REGISTRY, "Category"), param(RECORD, "Bytes<32>")]
}

/// What the launch demands, and what it is worth.
pub(super) fn docs(children: u64) -> String {
    let (models, builds) = if children == 1 { ("a model", "builds") } else { ("models", "build") };
    format!(
        "`launch` shows that {models} of the registry `{REGISTRY}` {builds} on the record `{RECORD}`: {children}, each\n\
         registered under another identity. Identities cost only fees, so whoever fakes that pays for {children}\n\
         registrations: a few thousand sats for each."
    )
}

/// The edges stand behind the launch coin and the record of a campaign.
pub(super) fn shown(text: &mut Text, offering: &Offering, children: u64, names: &mut Names) {
    let [last, at, edge, did] = ["last_did", "at", "edge", "did"].map(|name| names.fresh(name));
    let first = offering.first_edge();
    let end = offering.first_meter();
    text.line("// That each comes back unchanged is the check of its own contract.");
    text.line(format!("let mut {last} = 0;"));
    text.block(&format!("for {at} in {first}..{end}"), |text| {
        text.require(
            format!("tx.inputs[{at}].token.category == {REGISTRY}"),
            &format!("inputs {first} to {} carry edges of `{REGISTRY}`", end - 1),
        );
        text.require(format!("tx.inputs[{at}].lock == ModelEdge().lock"), "an edge lies at the lock of edges");
        text.line(format!("let {edge} = tx.inputs[{at}].token.commitment;"));
        text.require(format!("{edge}.length == {EDGE_BYTES}"), "an edge is whole");
        text.require(
            format!("{edge}[32..64] == {RECORD}"),
            &format!("an edge leads to the model with the id `{RECORD}`"),
        );
        text.line(format!("let {did} = int({edge}[64..72] + 0x00);"));
        text.require(
            format!("{did} > {last}"),
            &format!("each of the {children} children was registered by another identity, in ascending order"),
        );
        text.line(format!("{last} = {did};"));
        text.require(
            format!("tx.outputs[{at}].token.category == {REGISTRY}"),
            "an edge comes back at the output of its input's number",
        );
    });
}

/// The arguments of the launch's plan that name the children.
pub(super) fn children(children: u64) -> Vec<String> {
    (0..children).map(|at| format!("child_{at}: Bytes<32>")).collect()
}

/// The edges that the launch shows.
pub(super) fn inputs_of_launch(text: &mut Text, children: u64) {
    for at in 0..children {
        let edge = format!("edge_{at}");
        text.line(format!(
            "input {edge}: ModelEdge.present() any where {edge}.token.category == coin.params.{REGISTRY} \
             && {edge}.state.parent == coin.params.{RECORD} && {edge}.state.child == child_{at};"
        ));
    }
}

pub(super) fn outputs_of_launch(text: &mut Text, children: u64) {
    for at in 0..children {
        text.line(format!("output edge_{at}.lock {{ value: edge_{at}.value, token: edge_{at}.token }};"));
    }
}
