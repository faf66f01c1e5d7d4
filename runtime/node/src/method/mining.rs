//! Making blocks.

use chain::{BlockError, Difficulty};
use spec::codec::Reader;
use spec::{Block, BlockHeader, Height, Sats, Transaction, Txid};

use crate::config::chain_name;
use crate::json::{Json, list, object, text};
use crate::method::raw::decode_transaction;
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::Args;
use crate::state::{NONCES_MAX, Node};
use crate::view::block::{bits, difficulty, target};
use crate::view::tx::total_out;

/// The most blocks of one call, so that no call holds the node for long.
const BLOCKS_PER_CALL_MAX: i64 = 10_000;
/// The most nonces of one call, for the same reason.
const TRIES_MAX: i64 = 100_000_000;
/// Over so many blocks the network's work is measured.
const MEASURED_BLOCKS: i64 = 120;

pub(crate) fn generate(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let blocks = args.int_in(0, 0..=BLOCKS_PER_CALL_MAX)?.unwrap_or(0);
    let lock = node.lock_from_text(&args.text(1)?)?;
    let mut tries =
        u32::try_from(args.int_in(2, 0..=TRIES_MAX)?.unwrap_or(i64::from(NONCES_MAX))).unwrap_or(NONCES_MAX);
    let mut hashes = Vec::new();
    // Fewer blocks than asked for are no error, as with bitcoind.
    while hashes.len() < usize::try_from(blocks).unwrap_or(0) {
        let Some(hash) = node.mine_with(&lock, &mut tries)? else { break };
        hashes.push(hash);
    }
    Ok(list(hashes.into_iter().map(text)))
}

pub(crate) fn set_mining(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    if !args.flag(0, false)? {
        node.set_mining(None);
        return Ok(Json::from(false));
    }
    if node.chain().params().difficulty == Difficulty::Fixed {
        let message = "on a devnet blocks take no work; use `generatetoaddress`, or let the node mine by itself";
        return Err(RpcError::new(Code::Misc, message));
    }
    let lock = node.lock_from_text(&args.text(1)?)?;
    node.set_mining(Some(lock));
    Ok(Json::from(true))
}

pub(crate) fn generate_block(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let lock = node.lock_from_text(&args.text(0)?)?;
    let texts: Vec<String> = args.need(1)?;
    let chosen = texts.iter().map(|text| waiting_or_given(node, text)).collect::<Result<Vec<_>, _>>()?;
    let fees = fees_of(node, &chosen)?;
    let hash = node.mine_just(&lock, chosen, fees)?;
    Ok(object([("hash", text(hash))]))
}

fn waiting_or_given(node: &Node, text: &str) -> Result<Transaction, RpcError> {
    match text.parse::<Txid>() {
        Ok(txid) => node
            .mempool()
            .get(&txid)
            .map(|entry| (*entry.tx).clone())
            .ok_or_else(|| RpcError::new(Code::NotFound, format!("Transaction {txid} not in mempool."))),
        Err(_) => decode_transaction(text),
    }
}

/// What these transactions leave to the miner; they may spend each other's outputs.
fn fees_of(node: &Node, chosen: &[Transaction]) -> Result<Sats, RpcError> {
    let refused = |reason: &str| RpcError::new(Code::Verify, format!("the transactions are refused: {reason}"));
    let made: std::collections::BTreeMap<Txid, &Transaction> = chosen.iter().map(|tx| (tx.txid(), tx)).collect();
    let (mut spent, mut left) = (Sats::ZERO, Sats::ZERO);
    for input in chosen.iter().flat_map(|tx| &tx.inputs) {
        let index = usize::try_from(input.prevout.index).ok();
        let own = made.get(&input.prevout.txid).and_then(|tx| tx.outputs.get(index?)).map(|output| output.value);
        let value = match own {
            Some(value) => value,
            None => {
                node.coin(&input.prevout)?.map(|coin| coin.output.value).ok_or_else(|| refused("inputs are missing"))?
            }
        };
        spent = spent.checked_add(value).ok_or_else(|| refused("amounts are out of range"))?;
    }
    for tx in chosen {
        left = left.checked_add(total_out(tx)).ok_or_else(|| refused("amounts are out of range"))?;
    }
    spent.checked_sub(left).ok_or_else(|| refused("they spend more than they have"))
}

pub(crate) fn info(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    let tip = node.tip();
    let rate = work_per_second(node, MEASURED_BLOCKS, tip.entry.height)?;
    let next = node.chain().target_after(&tip.hash).unwrap_or(tip.entry.header.bits);
    let template = node.open_template();
    Ok(object([
        ("blocks", Json::from(tip.entry.height)),
        ("currentblocksize", Json::from(template.block.encode().len())),
        ("currentblocktx", Json::from(template.block.transactions.len().saturating_sub(1))),
        ("bits", bits(tip.entry.header.bits)),
        ("difficulty", difficulty(tip.entry.header.bits)),
        ("target", target(tip.entry.header.bits)),
        ("networkhashps", Json::Number(rate.to_string())),
        ("pooledtx", Json::from(node.mempool().len())),
        ("chain", Json::from(chain_name(node.network()))),
        ("mining", Json::from(node.mining_lock().is_some())),
        (
            "next",
            object([
                ("height", Json::from(tip.entry.height.next())),
                ("bits", bits(next)),
                ("difficulty", difficulty(next)),
                ("target", target(next)),
            ]),
        ),
        ("warnings", Json::from("")),
    ]))
}

pub(crate) fn network_rate(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let blocks = args.int(0)?.unwrap_or(MEASURED_BLOCKS);
    let height = match args.int(1)?.filter(|height| *height >= 0) {
        None => Some(node.tip().entry.height),
        Some(height) => node.active_height(height),
    };
    let height =
        height.ok_or_else(|| RpcError::new(Code::InvalidParameter, "Block does not exist at specified height"))?;
    // Since the last change of difficulty, as bitcoind counts where that is rare, is here since the block before.
    let blocks = if blocks <= 0 { 1 } else { blocks };
    Ok(Json::Number(work_per_second(node, blocks, height)?.to_string()))
}

/// How many hashes a second the last blocks took on average, by their times.
fn work_per_second(node: &Node, blocks: i64, height: Height) -> Result<u128, RpcError> {
    let count = u32::try_from(blocks).unwrap_or(u32::MAX).min(height.get());
    let at = |height: u32| {
        let hash = node.chain().hash_at(Height::new(height));
        hash.and_then(|hash| node.chain().header(&hash).copied())
            .ok_or_else(|| RpcError::new(Code::Internal, "a header is missing"))
    };
    let (first, last) = (at(height.get() - count)?, at(height.get())?);
    let (mut earliest, mut latest) = (u32::MAX, 0);
    for height in height.get() - count..=height.get() {
        let time = at(height)?.header.time;
        (earliest, latest) = (earliest.min(time), latest.max(time));
    }
    Ok(last.work.saturating_sub(first.work).checked_div(u128::from(latest.saturating_sub(earliest))).unwrap_or(0))
}

/// The method that offers a block.
pub(crate) const SUBMIT: &str = "submitblock";

/// The block that a client offers.
pub(crate) fn offered(args: &Args) -> Result<Block, RpcError> {
    decode_block(&args.text(0)?)
}

/// Judges a block without letting others have their turn, as all do that come to the owner by themselves.
pub(crate) fn submit_now(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    submit(node, offered(args)?)
}

/// BIP 22: nothing for an accepted block, `inconclusive` for one on a lighter branch, otherwise the reason; details are logged.
pub(crate) fn submit(node: &mut Node, block: Block) -> Result<Json, RpcError> {
    match node.accept_block(block) {
        Ok(change) if change.connected.is_empty() => Ok(Json::from("inconclusive")),
        Ok(_) => Ok(Json::Null),
        Err(error) => verdict(error),
    }
}

/// Nothing for a header that is fine, otherwise the reason as an error; what follows the 80 bytes is not read, as with bitcoind.
pub(crate) fn submit_header(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let failed = || RpcError::new(Code::Deserialization, "Block header decode failed");
    let bytes = hex::decode(args.text(0)?).map_err(|_| failed())?;
    let header = BlockHeader::read(&mut Reader::new(&bytes)).map_err(|_| failed())?;
    if node.chain().header(&header.previous).is_none() {
        let message = format!("Must submit previous header ({}) first", header.previous);
        return Err(RpcError::new(Code::Verify, message));
    }
    match node.accept_headers(&[header]).refused {
        None => Ok(Json::Null),
        Some(BlockError::Store(error)) => Err(error.into()),
        Some(error) => Err(RpcError::new(Code::Verify, error.reason())),
    }
}

pub(crate) fn verdict(error: BlockError) -> Result<Json, RpcError> {
    match error {
        BlockError::Store(error) => Err(error.into()),
        error => {
            tracing::info!(%error, "a block was refused");
            Ok(Json::from(error.reason()))
        }
    }
}

pub(crate) fn decode_block(digits: &str) -> Result<Block, RpcError> {
    let failed = || RpcError::new(Code::Deserialization, "Block decode failed");
    let bytes = hex::decode(digits).map_err(|_| failed())?;
    Block::decode(&bytes).map_err(|_| failed())
}
