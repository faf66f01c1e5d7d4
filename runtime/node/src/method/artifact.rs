//! Contracts made known to the node.

use serde_json::value::RawValue;
use spec::Address;
use spec::artifact::Locking;
use spec::hash::sha256d;
use spec::script::{LockKind, p2sh32};

use crate::json::{Json, hex, list, object, text};
use crate::registry::Registered;
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::Args;
use crate::state::Node;

pub(crate) fn register(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let json: Box<RawValue> = args.need(0)?;
    let artifact: spec::Artifact = args.need(0)?;
    let (oldest, known) = (spec::artifact::FORMAT_VERSION_MIN, spec::artifact::FORMAT_VERSION);
    if !(oldest..=known).contains(&artifact.format) {
        let message = format!("the artifact has format {}, this node reads {oldest} to {known}", artifact.format);
        return Err(RpcError::new(Code::InvalidParameter, message));
    }
    let given = node.lock_from_text(&args.text(1)?)?;
    let lock = if artifact.locking == Locking::P2s { given } else { contract_lock(given) };
    let values: Option<Box<RawValue>> = args.get(2)?;
    let answer = summary(node, &lock, &artifact.contract);
    let (json, args) = (json.get().to_owned(), values.map(|values| values.get().to_owned()));
    node.registry_mut().insert(lock, Registered { artifact, args, json })?;
    Ok(answer)
}

pub(crate) fn get(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let given = node.lock_from_text(&args.text(0)?)?;
    let lock = if node.registry().get(&given).is_some() { given } else { contract_lock(given) };
    let entry = node.registry().get(&lock);
    let entry = entry.ok_or_else(|| RpcError::new(Code::NotFound, "no artifact is registered for this lock"))?;
    let values = entry.args.clone().map_or(Json::Null, Json::Raw);
    let artifact = Json::Raw(entry.json.clone());
    Ok(summary(node, &lock, &entry.artifact.contract).with("args", values).with("artifact", artifact))
}

pub(crate) fn list_all(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    Ok(list(node.registry().iter().map(|(lock, entry)| summary(node, lock, &entry.artifact.contract))))
}

/// The lock of a contract: the hash of its redeem script, which may be given in its place.
fn contract_lock(given: Vec<u8>) -> Vec<u8> {
    match LockKind::of(&given) {
        LockKind::P2sh20(_) | LockKind::P2sh32(_) => given,
        LockKind::P2pkh(_) | LockKind::P2pk(_) | LockKind::Multisig { .. } | LockKind::Data | LockKind::Other => {
            p2sh32(&sha256d(&given))
        }
    }
}

fn summary(node: &Node, lock: &[u8], contract: &str) -> Json {
    let address = Address::of_lock(node.network(), lock).map(text);
    object([("contract", Json::from(contract)), ("lock", hex(lock))]).with_some("address", address)
}
