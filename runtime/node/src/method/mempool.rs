//! The waiting transactions.

use chain::Entry;
use spec::Txid;

use crate::json::{Json, list, object, text};
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::Args;
use crate::state::Node;

/// What an entry takes in memory besides its bytes, roughly.
const ENTRY_OVERHEAD_BYTES: usize = 500;

pub(crate) fn info(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    let mempool = node.mempool();
    let fee_rate = node.relay_fee_per_kb();
    Ok(object([
        ("loaded", Json::from(true)),
        ("size", Json::from(mempool.len())),
        ("bytes", Json::from(mempool.len_bytes())),
        ("usage", Json::from(mempool.len_bytes() + mempool.len() * ENTRY_OVERHEAD_BYTES)),
        ("total_fee", Json::from(mempool.fees())),
        ("maxmempool", Json::from(mempool.policy().mempool_bytes_max)),
        ("mempoolminfee", Json::from(fee_rate)),
        ("minrelaytxfee", Json::from(fee_rate)),
        ("incrementalrelayfee", Json::from(fee_rate)),
        ("unbroadcastcount", Json::from(0u32)),
        ("fullrbf", Json::from(false)),
    ]))
}

pub(crate) fn list_all(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let entries = node.mempool().entries();
    if args.flag(0, false)? {
        let members = entries.map(|entry| (entry.txid.to_string(), entry_view(node, entry)));
        return Ok(Json::Object(members.collect()));
    }
    let ids = list(entries.map(|entry| text(entry.txid)));
    Ok(if args.flag(1, false)? {
        object([("txids", ids), ("mempool_sequence", Json::from(node.mempool().len()))])
    } else {
        ids
    })
}

pub(crate) fn entry(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let txid: Txid = args.id(0)?;
    let found = node.mempool().get(&txid).map(|entry| entry_view(node, entry));
    found.ok_or_else(|| RpcError::new(Code::NotFound, "Transaction not in mempool"))
}

fn entry_view(node: &Node, entry: &Entry) -> Json {
    let mempool = node.mempool();
    object([
        ("size", Json::from(entry.len_bytes)),
        ("vsize", Json::from(entry.len_bytes)),
        ("weight", Json::from(entry.len_bytes.saturating_mul(4))),
        ("fee", Json::from(entry.fee)),
        ("modifiedfee", Json::from(entry.fee)),
        ("time", Json::from(entry.time)),
        ("height", Json::from(entry.height)),
        ("fees", object([("base", Json::from(entry.fee)), ("modified", Json::from(entry.fee))])),
        ("depends", list(mempool.parents(&entry.txid).into_iter().map(text))),
        ("spentby", list(mempool.children(&entry.txid).into_iter().map(text))),
        ("bip125-replaceable", Json::from(false)),
        ("unbroadcast", Json::from(false)),
        ("opcost", Json::from(entry.cost.get())),
        ("sigchecks", Json::from(entry.sig_checks)),
    ])
}
