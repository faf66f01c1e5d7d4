//! Making blocks.

use chain::BlockError;
use spec::{Block, Sats, Transaction, Txid};

use crate::config::chain_name;
use crate::json::{Json, list, object, text};
use crate::method::raw::decode_transaction;
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::Args;
use crate::state::Node;
use crate::view::block::difficulty;
use crate::view::tx::total_out;

/// The most blocks of one call, so that no call holds the node for long.
const BLOCKS_PER_CALL_MAX: i64 = 10_000;

pub(crate) fn generate(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let blocks = args.int_in(0, 0..=BLOCKS_PER_CALL_MAX)?.unwrap_or(0);
    let lock = node.lock_from_text(&args.text(1)?)?;
    let hashes = (0..blocks).map(|_| node.mine(&lock)).collect::<Result<Vec<_>, _>>()?;
    Ok(list(hashes.into_iter().map(text)))
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
    Ok(object([
        ("blocks", Json::from(tip.entry.height)),
        ("difficulty", difficulty(tip.entry.header.bits)),
        ("networkhashps", Json::from(0u32)),
        ("pooledtx", Json::from(node.mempool().len())),
        ("chain", Json::from(chain_name(node.network()))),
        ("warnings", Json::from("")),
    ]))
}

/// BIP 22: nothing for an accepted block, `inconclusive` for one on a lighter branch, otherwise the reason.
pub(crate) fn submit(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let bytes = hex::decode(args.text(0)?).map_err(|_| undecodable())?;
    let block = Block::decode(&bytes).map_err(|_| undecodable())?;
    match node.accept_block(block) {
        Ok(change) if change.connected.is_empty() => Ok(Json::from("inconclusive")),
        Ok(_) => Ok(Json::Null),
        Err(BlockError::Store(error)) => Err(error.into()),
        Err(error) => Ok(Json::Text(error.to_string())),
    }
}

fn undecodable() -> RpcError {
    RpcError::new(Code::Deserialization, "Block decode failed")
}
