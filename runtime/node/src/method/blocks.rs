//! Blocks and headers.

use chain::{Status, Store as _, StoreError};
use spec::{Block, BlockHash, Height, Transaction};

use crate::config::{Prune, chain_name};
use crate::json::{Json, hex, list, object, text};
use crate::method::data;
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
        ("size_on_disk", Json::from(node.chain().store().block_bytes())),
        ("pruned", Json::from(node.is_pruned())),
    ])
    .merge(pruning(node))
    .merge(object([("softforks", object([])), ("warnings", Json::from(""))])))
}

/// What is said of a node that drops blocks.
fn pruning(node: &Node) -> Json {
    if !node.is_pruned() {
        return object([]);
    }
    let target = match node.prunes() {
        Prune::Above(bytes) => Some(bytes),
        Prune::Never | Prune::OnCall => None,
    };
    object([
        ("pruneheight", Json::from(node.chain().lowest_kept())),
        ("automatic_pruning", Json::from(target.is_some())),
    ])
    .with_some("prune_target_size", target)
}

/// Drops old blocks; returns the height of the last that is gone, −1 if all are there.
pub(crate) fn prune(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let refuse = |code, message: &str| Err(RpcError::new(code, message));
    if node.prunes() == Prune::Never {
        return refuse(Code::Misc, "Cannot prune blocks because node is not in prune mode.");
    }
    let number: i64 = args.need(0)?;
    if number < 0 {
        return refuse(Code::InvalidParameter, "Negative block height.");
    }
    let height = if number > TIMES_FROM { height_of_time(node, number)? } else { node.active_height(number) };
    let Some(height) = height else {
        return refuse(Code::InvalidParameter, "Blockchain is shorter than the attempted prune height.");
    };
    node.prune_up_to(height)?;
    Ok(Json::from(i64::from(node.chain().lowest_kept().get()) - 1))
}

/// Numbers above this are times, as bitcoind has it.
const TIMES_FROM: i64 = 1_000_000_000;
/// Blocks may be so much earlier than those below them.
const TIME_WINDOW_SECS: i64 = 2 * 60 * 60;

/// The height of the first block that is not earlier than a time, but for the disorder that times of blocks may have.
fn height_of_time(node: &Node, time: i64) -> Result<Option<Height>, RpcError> {
    let chain = node.chain();
    let mut hashes = (0..).map_while(|height| chain.hash_at(Height::new(height)));
    let late = |hash: &BlockHash| {
        chain.header(hash).is_some_and(|entry| i64::from(entry.header.time) >= time - TIME_WINDOW_SECS)
    };
    let found = hashes.find(late).and_then(|hash| chain.header(&hash)).map(|entry| entry.height);
    let missing = "Could not find block with at least the specified timestamp.";
    found.map(Some).ok_or_else(|| RpcError::new(Code::InvalidParameter, missing))
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
    let block = match node.chain().block(&hash) {
        Err(StoreError::Pruned) if level > 0 => {
            let remains = node.chain().remains(&hash)?.ok_or(StoreError::Pruned)?;
            return Ok(header_view(&placed).merge(data::block_view(node, &remains, level)?));
        }
        read => read?.ok_or_else(not_found)?,
    };
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
        transactions: entry.transactions,
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
