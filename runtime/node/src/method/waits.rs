//! Waiting for the tip.

use std::time::Duration;

use spec::Height;

use crate::json::{Json, object, text};
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::Args;
use crate::rpc::table::Outcome;
use crate::state::Node;
use crate::wait::{Change, Wait};

pub(crate) fn for_new_block(node: &Node, args: &Args) -> Result<Outcome, RpcError> {
    Ok(Outcome::Parked(Wait { what: Change::From(node.tip().hash), patience: patience(args, 0)?, answer: tip }))
}

pub(crate) fn for_block(_: &Node, args: &Args) -> Result<Outcome, RpcError> {
    Ok(Outcome::Parked(Wait { what: Change::To(args.id(0)?), patience: patience(args, 1)?, answer: tip }))
}

pub(crate) fn for_height(_: &Node, args: &Args) -> Result<Outcome, RpcError> {
    let height = args.int(0)?.unwrap_or(0);
    // Every chain is higher than a number below nothing, and none is as high as one beyond all heights.
    let height = Height::new(u32::try_from(height.max(0)).unwrap_or(u32::MAX));
    Ok(Outcome::Parked(Wait { what: Change::Height(height), patience: patience(args, 1)?, answer: tip }))
}

fn tip(node: &Node) -> Result<Json, RpcError> {
    let tip = node.tip();
    Ok(object([("hash", text(tip.hash)), ("height", Json::from(tip.entry.height))]))
}

/// Milliseconds; 0 waits for ever.
fn patience(args: &Args, at: usize) -> Result<Option<Duration>, RpcError> {
    let millis = u64::try_from(args.int(at)?.unwrap_or(0));
    let millis = millis.map_err(|_| RpcError::new(Code::Misc, "Negative timeout"))?;
    Ok((millis > 0).then(|| Duration::from_millis(millis)))
}
