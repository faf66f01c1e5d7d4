//! The plans of a model: what makes a registry, and what registers the model.

use std::sync::Arc;

use super::{Model, Parent, ParentName, hex};
use crate::domain::reward::{Leaf, flow_lock};
use crate::domain::{Names, Text};

/// What the coin of a record or of an edge holds; whoever registers pays it.
const COIN_SATS: &str = "2_000 sats";
/// The first bytes of a body, as in `registry.bmc`.
const MAGIC: &str = "0x424d5201";

/// The plan that makes a registry: one thread that mints, from nothing.
pub(super) fn registry(text: &mut Text) {
    text.gap();
    text.docs("Makes a registry. Its category is the id of the transaction whose first output is spent.");
    text.block("plan ModelRegistryDeploy()", |text| {
        text.line("input first: genesis;");
        text.line("output ModelRegistry(ModelRecord().lock, ModelEdge().lock).lock {");
        text.line(format!("    value: {COIN_SATS},"));
        text.line("    token: { category: first.txid, capability: minting, state: { count: 0 } },");
        text.line("};");
    });
    text.gap();
    text.docs("Shows a record to the network: it comes back as it is.");
    text.block("plan ModelRecordPresent(id: Bytes<32>)", |text| {
        text.line("input record: ModelRecord.present() any where record.state.body == id;");
        text.line("output record.lock { value: record.value, token: record.token };");
    });
    text.gap();
    text.docs("Shows to the network that a model builds on another: the edge comes back as it is.");
    text.block("plan ModelEdgePresent(child: Bytes<32>, parent: Bytes<32>)", |text| {
        let both = "edge.state.child == child && edge.state.parent == parent";
        text.line(format!("input edge: ModelEdge.present() any where {both};"));
        text.line("output edge.lock { value: edge.value, token: edge.token };");
    });
}

/// The plans that register a model, without and with the identity of who does.
pub(super) fn register(text: &mut Text, model: &Model) {
    for by_did in [false, true] {
        registration(text, model, by_did);
    }
}

/// The names that a plan gives to what it registers.
struct Words {
    registry: String,
    parents: String,
    sources: String,
    rest: String,
    flow: String,
    id: String,
    did: String,
    holder: String,
    identity: String,
    /// The input that shows each parent.
    shown: Vec<String>,
    /// The id of each parent's record, which is an argument if the program names the parent.
    ids: Vec<String>,
}

impl Words {
    fn of(model: &Model) -> Self {
        let mut names = Names::new(Arc::new(own(model).map(|leaf| leaf.param.clone()).collect()));
        let ids = model.parents.iter().map(|parent| match &parent.to {
            ParentName::Model(name) => names.fresh(&format!("id_of_{name}")),
            ParentName::Record(id) => hex(id),
        });
        let ids = ids.collect();
        let shown = (0..model.parents.len()).map(|at| names.fresh(&format!("parent_{at}"))).collect();
        let [registry, parents, sources, rest, flow, id, did, holder, identity] =
            ["registry", "parents", "sources", "rest", "flow", "id", "did", "holder", "identity"]
                .map(|name| names.fresh(name));
        Self { registry, parents, sources, rest, flow, id, did, holder, identity, shown, ids }
    }

    /// The ids that whoever registers the model gives.
    fn given(&self, model: &Model) -> Vec<&str> {
        let both = model.parents.iter().zip(&self.ids);
        both.filter(|(parent, _)| matches!(parent.to, ParentName::Model(_))).map(|(_, id)| id.as_str()).collect()
    }
}

/// The model's own sources, in the order in which they are paid.
fn own(model: &Model) -> impl Iterator<Item = &Leaf> {
    model.flow.ranked().skip(model.parents.len())
}

/// How a plan registers a model. The ids of parents that the program names are known only once those are registered;
/// their locks stand in their records.
fn registration(text: &mut Text, model: &Model, by_did: bool) {
    let words = Words::of(model);
    let Words { did, holder, .. } = &words;
    let who = if by_did { vec![format!("{did}: Did"), format!("{holder}: PubKey")] } else { Vec::new() };
    let ids = words.given(model);
    let locks = own(model).map(|leaf| format!("{}: Lock", leaf.param));
    let params: Vec<_> = who.into_iter().chain(ids.iter().map(|id| format!("{id}: Bytes<32>"))).chain(locks).collect();
    text.gap();
    let what =
        if by_did { format!(", by the identity `{did}`, whose coin is at the key `{holder}`") } else { String::new() };
    text.docs(&format!("Registers `{}`{what}.", model.name));
    if let Some(first) = ids.first() {
        text.docs(&format!("\n`{first}` is the id of that parent's record."));
    }
    let name = if by_did { "RegisterBy" } else { "Register" };
    text.block(&format!("plan {}{name}({})", model.name, params.join(", ")), |text| {
        let by = if by_did { format!("({did} + 0x01)[0..8]") } else { "bytes(0, 8)".to_owned() };
        shown(text, model, &words, &by);
        if by_did {
            let identity = &words.identity;
            text.line(format!("input {identity}: key({holder}) with {{ token: {{ category: {did} + 0x01 }} }};"));
        }
        says(text, model, &words, &by);
        made(text, model, &words, &by);
        if by_did {
            let identity = &words.identity;
            text.line(format!("output {identity}.lock {{ value: {identity}.value, token: {identity}.token }};"));
        }
    });
}

/// The registry's thread and the parents' records.
fn shown(text: &mut Text, model: &Model, words: &Words, by: &str) {
    let Words { registry, parents, sources, rest, .. } = words;
    let entry = |(parent, id): (&Parent, &String)| format!("{id} + {}", hex(&parent.weight.to_le_bytes()));
    text.line(format!("let {parents} = {};", joined(model.parents.iter().zip(&words.ids).map(entry))));
    text.line(format!("let {sources} = {};", joined(own(model).map(source))));
    text.line(format!("let {rest} = {};", hex(&model.rest)));
    text.line(format!(
        "input {registry}: ModelRegistry.register(terms: {}, parents: {parents}, sources: {sources}, model: {}, did: {by}, \
         rest: {rest}) any;",
        hex(&model.terms.encode()),
        hex(&model.weights)
    ));
    for (name, id) in words.shown.iter().zip(&words.ids) {
        text.line(format!("input {name}: ModelRecord.present() any where {name}.state.body == {id};"));
    }
}

/// Weight, length of the lock, lock.
fn source(leaf: &Leaf) -> String {
    let weight = u32::try_from(leaf.weight).unwrap_or(u32::MAX).to_le_bytes();
    format!("{} + bytes({}.length, 1) + {}", hex(&weight), leaf.param, leaf.param)
}

/// The terms, one behind the other. Those of many are joined by halves: how deep expressions nest is limited.
fn joined(terms: impl Iterator<Item = String>) -> String {
    let terms: Vec<_> = terms.collect();
    if terms.is_empty() { "0x".to_owned() } else { halves(&terms) }
}

/// More terms than this are not joined one by one.
const TERMS_MAX: usize = 8;

fn halves(terms: &[String]) -> String {
    let (left, right) = terms.split_at(terms.len() / 2);
    if terms.len() <= TERMS_MAX { terms.join(" + ") } else { format!("({}) + ({})", halves(left), halves(right)) }
}

/// The flow that pays all of them, and the id of the record.
fn says(text: &mut Text, model: &Model, words: &Words, by: &str) {
    let Words { parents, sources, rest, flow, id, .. } = words;
    let mut locks = words.shown.iter().map(|name| format!("p2sh32({name}.state.flow)"));
    let count = model.parents.len();
    let leaves = model.flow.leaves.iter().enumerate();
    let locks =
        leaves.map(|(at, leaf)| if at < count { locks.next() } else { None }.unwrap_or_else(|| leaf.param.clone()));
    text.line(format!("let {flow} = {}[2..34];", flow_lock(&model.flow, locks)));
    text.line(format!(
        "let {id} = sha256({MAGIC} + {} + bytes({parents}.length, 4) + {parents} + bytes({sources}.length, 4) + {sources} \
         + {} + {by} + {rest});",
        hex(&model.terms.encode()),
        hex(&model.weights)
    ));
}

/// The thread goes on, the parents' records come back, and the record and its edges are new.
fn made(text: &mut Text, model: &Model, words: &Words, by: &str) {
    let Words { registry, flow, id, .. } = words;
    text.line(format!("output {registry}.lock {{"));
    text.line(format!("    value: {registry}.value,"));
    text.line(format!("    token: {registry}.token with {{ state: {{ count: {registry}.state.count + 1 }} }},"));
    text.line("};");
    for name in &words.shown {
        text.line(format!("output {name}.lock {{ value: {name}.value, token: {name}.token }};"));
    }
    let hash = hex(&model.weights);
    let state = format!("version: 1, seq: 0, model: {hash}, body: {id}, flow: {flow}, did: {by}");
    minted(text, registry, "ModelRecord", &state);
    for (parent, parent_id) in model.parents.iter().zip(&words.ids) {
        let state = format!("child: {id}, parent: {parent_id}, did: {by}, weight: {}", parent.weight);
        minted(text, registry, "ModelEdge", &state);
    }
}

/// An output that holds a new record or edge.
fn minted(text: &mut Text, registry: &str, contract: &str, state: &str) {
    text.line(format!("output {contract}().lock {{"));
    text.line(format!("    value: {COIN_SATS},"));
    text.line("    token: {");
    text.line(format!("        category: {registry}.token.category[0..32],"));
    text.line("        capability: none,");
    text.line(format!("        state: {{ {state} }},"));
    text.line("    },");
    text.line("};");
}
