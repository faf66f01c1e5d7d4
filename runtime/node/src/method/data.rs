//! Data that is dropped from old blocks, and what such blocks still show.

use chain::{Remains, TxRemains};
use spec::Height;

use crate::json::{Json, list, object, text};
use crate::method::raw::prevouts_and_fee;
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::Args;
use crate::state::Node;
use crate::view::tx;

/// So many files are written in one call, for nobody else is answered meanwhile.
const FILES_MAX: usize = 4;

/// Drops data from old blocks up to a height; says whether another call may drop more.
pub(crate) fn prune(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let Some(data) = node.prunes_data() else {
        let message = "Cannot prune data because the node was started without `--prune-data`.";
        return Err(RpcError::new(Code::Misc, message));
    };
    let number: i64 = args.need(0)?;
    if number < 0 {
        return Err(RpcError::new(Code::InvalidParameter, "Negative block height."));
    }
    let Some(height): Option<Height> = node.active_height(number) else {
        let message = "Blockchain is shorter than the attempted prune height.";
        return Err(RpcError::new(Code::InvalidParameter, message));
    };
    let mut more = true;
    for _ in 0..FILES_MAX {
        more = more && node.prune_data_up_to(height, data)?;
    }
    Ok(object([
        ("wholefrom", Json::from(node.chain().lowest_kept())),
        ("more", Json::from(more)),
        ("size_on_disk", Json::from(chain::Store::block_bytes(node.chain().store()))),
    ]))
}

/// What `getblock` shows of a block without some of its data, beside its header.
pub(crate) fn block_view(node: &Node, remains: &Remains, level: i64) -> Result<Json, RpcError> {
    let bytes = remains.block_bytes();
    let transactions = match level {
        1 => list(remains.txids().map(text)),
        2 => list(remains.transactions.iter().map(|rest| tx::rest(node.network(), rest, &[]))),
        _ => list(remains.transactions.iter().map(|rest| spent_view(node, rest)).collect::<Result<Vec<_>, _>>()?),
    };
    Ok(object([
        ("strippedsize", Json::from(bytes)),
        ("size", Json::from(bytes)),
        ("weight", Json::from(bytes.saturating_mul(4))),
        ("pruned", Json::from(true)),
        ("tx", transactions),
    ]))
}

fn spent_view(node: &Node, rest: &TxRemains) -> Result<Json, RpcError> {
    let (prevouts, fee) = prevouts_and_fee(node, &rest.tx)?;
    Ok(tx::rest(node.network(), rest, &prevouts).with_some("fee", fee))
}
