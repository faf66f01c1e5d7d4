//! Blocks and headers.

use chain::Status;
use spec::{Block, BlockHash, Transaction};

use crate::config::chain_name;
use crate::json::{Json, hex, list, object, text};
use crate::method::raw::prevouts_and_fee;
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::Args;
use crate::state::Node;
use crate::view::block::{PlacedHeader, bits, difficulty as difficulty_of, header as header_view, work};
use crate::view::tx;

pub(crate) fn count(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    Ok(Json::from(node.tip().entry.height))
}

pub(crate) fn best_hash(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    Ok(text(node.tip().hash))
}

pub(crate) fn difficulty(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    Ok(difficulty_of(node.tip().entry.header.bits))
}

pub(crate) fn hash_at(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let height = args.int(0)?.and_then(|number| node.active_height(number));
    let hash = height.and_then(|height| node.chain().hash_at(height));
    hash.map(text).ok_or_else(|| RpcError::new(Code::InvalidParameter, "Block height out of range"))
}

pub(crate) fn info(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    let tip = node.tip();
    Ok(object([
        ("chain", Json::from(chain_name(node.network()))),
        ("blocks", Json::from(tip.entry.height)),
        ("headers", Json::from(node.chain().best_header().height.max(tip.entry.height))),
        ("bestblockhash", text(tip.hash)),
        ("bits", bits(tip.entry.header.bits)),
        ("difficulty", difficulty_of(tip.entry.header.bits)),
        ("time", Json::from(tip.entry.header.time)),
        ("mediantime", Json::from(tip.median_time_past)),
        ("verificationprogress", Json::from(1u32)),
        ("initialblockdownload", Json::from(false)),
        ("chainwork", work(tip.entry.work)),
        ("size_on_disk", Json::from(0u32)),
        ("pruned", Json::from(false)),
        ("softforks", object([])),
        ("warnings", Json::from("")),
    ]))
}

/// Whether the last blocks are as they should be; why not is logged, as bitcoind does.
pub(crate) fn verify(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let level = u8::try_from(args.int(0)?.unwrap_or(3).clamp(0, 4)).unwrap_or(4);
    let blocks = u32::try_from(args.int(1)?.unwrap_or(6).max(0)).unwrap_or(0);
    let outcome = node.chain().verify(level, blocks);
    if let Err(error) = &outcome {
        tracing::error!(%error, level, blocks, "the chain is not as it should be");
    }
    Ok(Json::from(outcome.is_ok()))
}

pub(crate) fn header(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let hash: BlockHash = args.id(0)?;
    let placed = place(node, &hash)?;
    Ok(if args.level(1, 1)? == 0 { hex(placed.entry.header.encode()) } else { header_view(&placed) })
}

pub(crate) fn block(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let hash: BlockHash = args.id(0)?;
    let level = args.level(1, 1)?;
    let placed = place(node, &hash)?;
    let block = node.chain().block(&hash)?.ok_or_else(not_found)?;
    let bytes = block.encode();
    if level <= 0 {
        return Ok(hex(bytes));
    }
    let transactions = match level {
        1 => list(block.transactions.iter().map(|one| text(one.txid()))),
        2 => list(block.transactions.iter().map(|one| tx::decoded(node.network(), one).with("hex", hex(one.encode())))),
        _ => list(transactions_with_prevouts(node, &block)?),
    };
    Ok(header_view(&placed).merge(object([
        ("strippedsize", Json::from(bytes.len())),
        ("size", Json::from(bytes.len())),
        ("weight", Json::from(bytes.len().saturating_mul(4))),
        ("tx", transactions),
    ])))
}

fn transactions_with_prevouts(node: &Node, block: &Block) -> Result<Vec<Json>, RpcError> {
    let one = |tx: &Transaction| {
        let (prevouts, fee) = prevouts_and_fee(node, tx)?;
        let view = tx::decoded_with(node.network(), tx, &prevouts);
        Ok(view.with_some("fee", fee).with("hex", hex(tx.encode())))
    };
    block.transactions.iter().map(one).collect()
}

/// A known block's header and where it stands.
pub(crate) fn place(node: &Node, hash: &BlockHash) -> Result<PlacedHeader, RpcError> {
    let chain = node.chain();
    let entry = *chain.header(hash).ok_or_else(not_found)?;
    let active = chain.is_active(hash);
    let above = i64::from(chain.tip().entry.height.since(entry.height));
    Ok(PlacedHeader {
        entry,
        confirmations: if active { above + 1 } else { -1 },
        median_time: chain.median_time_past(hash).unwrap_or(entry.header.time),
        next: active.then(|| chain.hash_at(entry.height.next())).flatten(),
        transactions: chain.block(hash)?.map_or(0, |block| block.transactions.len()),
    })
}

fn not_found() -> RpcError {
    RpcError::new(Code::NotFound, "Block not found")
}

pub(crate) fn tips(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    let tip = node.tip().hash;
    // After blocks were declared invalid the active tip may lie below an end.
    let mut ends = node.chain().branch_tips();
    if !ends.contains(&tip) {
        ends.push(tip);
    }
    Ok(list(ends.iter().filter_map(|end| tip_view(node, end))))
}

fn tip_view(node: &Node, end: &BlockHash) -> Option<Json> {
    let chain = node.chain();
    let entry = chain.header(end)?;
    let mut length = 0u32;
    let mut below = *end;
    while !chain.is_active(&below) {
        length += 1;
        below = chain.header(&below)?.header.previous;
    }
    let status = match entry.status {
        Status::Invalid => "invalid",
        Status::Fine if length == 0 => "active",
        Status::Fine if !entry.has_block => "headers-only",
        Status::Fine => "valid-fork",
    };
    Some(object([
        ("height", Json::from(entry.height)),
        ("hash", text(end)),
        ("branchlen", Json::from(length)),
        ("status", Json::from(status)),
    ]))
}

pub(crate) fn invalidate(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let hash: BlockHash = args.id(0)?;
    place(node, &hash)?;
    node.invalidate(&hash).map(|()| Json::Null).map_err(|error| RpcError::new(Code::Misc, error.to_string()))
}

pub(crate) fn reconsider(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let hash: BlockHash = args.id(0)?;
    place(node, &hash)?;
    node.reconsider(&hash).map(|()| Json::Null).map_err(|error| RpcError::new(Code::Misc, error.to_string()))
}
