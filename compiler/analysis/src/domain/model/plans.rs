//! The plans of a model: what makes a registry, and what registers the model.

use std::fmt::Write as _;
use std::sync::Arc;

use super::{DATA_WHOLE, Model};
use crate::domain::reward::{Form, Leaf};
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

/// How a plan registers a model.
///
/// `parents` holds the id and the weight of each parent, in ascending order of the ids: what they are
/// is known only once the parents are registered. The sources of a flow with a list are published with
/// the flow; the record's body has none.
fn registration(text: &mut Text, model: &Model, by_did: bool) {
    let leaves: &[Leaf] = if model.flow.form == Form::Direct { &model.flow.leaves } else { &[] };
    let mut names = Names::new(Arc::new(leaves.iter().map(|leaf| leaf.param.clone()).collect()));
    let [registry, parents, flow, rest, id, did, holder, identity] =
        ["registry", "parents", "flow", "rest", "id", "did", "holder", "identity"].map(|name| names.fresh(name));
    let count = model.parents.len();
    let shown: Vec<_> = (0..count).map(|at| names.fresh(&format!("parent_{at}"))).collect();
    let (given, locks): (Vec<String>, String) = if model.flow.form == Form::Direct {
        let locks: Vec<_> = leaves.iter().map(|leaf| leaf.param.as_str()).collect();
        (leaves.iter().map(|leaf| format!("{}: Lock", leaf.param)).collect(), locks.join(", "))
    } else {
        (vec![format!("recipients: list<{}Recipient>", model.name)], "recipients".to_owned())
    };
    let who = if by_did { vec![format!("{did}: Did"), format!("{holder}: PubKey")] } else { Vec::new() };
    let own = if count > 0 { Some(format!("{parents}: Bytes")) } else { None };
    let params: Vec<_> = who.into_iter().chain(own).chain(given).collect();
    let list = if count > 0 { parents.as_str() } else { "0x" };
    let by = if by_did { format!("({did} + 0x01)[0..8]") } else { "bytes(0, 8)".to_owned() };
    text.gap();
    let what =
        if by_did { format!(", by the identity `{did}`, whose coin is at the key `{holder}`") } else { String::new() };
    text.docs(&format!("Registers `{}`{what}.", model.name));
    if count > 0 {
        text.docs(&format!(
            "\n`{parents}` is the id and the weight over {} of each parent, in ascending order.",
            model.whole
        ));
    }
    let name = if by_did { "RegisterBy" } else { "Register" };
    text.block(&format!("plan {}{name}({})", model.name, params.join(", ")), |text| {
        let (whole, kept, hash) = (model.whole, model.own, hex(&model.weights));
        text.line(format!("let {flow} = {}({locks}).lock[2..34];", model.name));
        text.line(format!("let {rest} = {};", about(model, leaves.get(count..).unwrap_or_default())));
        text.line(format!(
            "let {id} = sha256({MAGIC} + bytes({whole}, 4) + bytes({kept}, 4) + bytes({count}, 4) + {list} + {hash} + \
             {flow} + {by} + {rest});"
        ));
        text.line(format!(
            "input {registry}: ModelRegistry.register(count: {count}, parents: {list}, whole: {whole}, own: {kept}, \
             model: {hash}, flow: {flow}, did: {by}, rest: {rest}) any;"
        ));
        for (at, name) in shown.iter().enumerate() {
            let from = at * 36;
            text.line(format!(
                "input {name}: ModelRecord.present() any where {name}.state.body == {parents}[{from}..{}];",
                from + 32
            ));
        }
        if by_did {
            text.line(format!("input {identity}: key({holder}) with {{ token: {{ category: {did} + 0x01 }} }};"));
        }
        text.line(format!("output {registry}.lock {{"));
        text.line(format!("    value: {registry}.value,"));
        text.line(format!("    token: {registry}.token with {{ state: {{ count: {registry}.state.count + 1 }} }},"));
        text.line("};");
        for name in &shown {
            text.line(format!("output {name}.lock {{ value: {name}.value, token: {name}.token }};"));
        }
        let state = format!("version: 1, seq: 0, model: {hash}, body: {id}, flow: {flow}, did: {by}");
        minted(text, &registry, "ModelRecord", &state);
        for at in 0..count {
            let (from, end) = (at * 36, at * 36 + 32);
            let state = format!(
                "child: {id}, parent: {parents}[{from}..{end}], did: {by}, weight: int({parents}[{end}..{}])",
                end + 4
            );
            minted(text, &registry, "ModelEdge", &state);
        }
        if by_did {
            text.line(format!("output {identity}.lock {{ value: {identity}.value, token: {identity}.token }};"));
        }
    });
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

/// The rest of a body: own sources with their locks, data sets, licence.
fn about(model: &Model, sources: &[Leaf]) -> String {
    let mut terms = Vec::new();
    let mut known = vec![length(sources.len())];
    for leaf in sources {
        short(leaf.name.as_bytes(), &mut known);
        known.extend(leaf.weight.to_le_bytes());
        terms.push(hex(&known));
        known.clear();
        terms.push(format!("bytes({}.length, 1)", leaf.param));
        terms.push(leaf.param.clone());
    }
    known.push(length(model.data.len()));
    for set in &model.data {
        debug_assert!(set.weight <= DATA_WHOLE, "a part is no more than the whole");
        short(set.name.as_bytes(), &mut known);
        known.extend(set.hash);
        known.extend(set.weight.to_le_bytes());
    }
    short(model.licence.as_bytes(), &mut known);
    terms.push(hex(&known));
    terms.join(" + ")
}

/// A length of one byte, and the bytes, of which no more than 255 are kept.
fn short(bytes: &[u8], out: &mut Vec<u8>) {
    let len = length(bytes.len());
    out.push(len);
    out.extend(bytes.iter().take(usize::from(len)));
}

fn length(len: usize) -> u8 {
    u8::try_from(len).unwrap_or(u8::MAX)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
