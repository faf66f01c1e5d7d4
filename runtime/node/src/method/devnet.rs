//! What only a devnet may do.

use std::time::Duration;

use serde::Deserialize;
use spec::{Block, Network, Sats, Transaction};

use crate::json::{Json, hex as hex_text, list, object, text};
use crate::method::mining::decode_block;
use crate::method::raw::decode_transaction;
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::Args;
use crate::state::{NOBODY, Node};

/// A state that is shown in one answer has at most so many bytes.
const STATE_BYTES_MAX: usize = 64_000_000;
/// The most blocks of one call, as for `generatetoaddress`.
const BLOCKS_MAX: i64 = 10_000;

fn only_here(node: &Node) -> Result<(), RpcError> {
    match node.network() {
        Network::Devnet => Ok(()),
        network @ (Network::Test | Network::Main) => {
            let why = "blocks of other people, their work and their time are not this node's to change";
            Err(RpcError::new(Code::Misc, format!("this is for a devnet only; on `{}` {why}", network.name())))
        }
    }
}

fn number(args: &Args, at: usize, range: std::ops::RangeInclusive<i64>) -> Result<u32, RpcError> {
    let number = args.int_in(at, range)?.unwrap_or(0);
    u32::try_from(number).map_err(|_| RpcError::new(Code::InvalidParameter, "the number is out of range"))
}

fn tip(node: &Node) -> Json {
    let tip = node.tip();
    object([("hash", text(tip.hash)), ("height", Json::from(tip.entry.height))])
}

pub(crate) fn snapshot(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    only_here(node)?;
    Ok(Json::from(node.take_snapshot()))
}

pub(crate) fn revert(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    only_here(node)?;
    let number = u64::try_from(args.int(0)?.unwrap_or(0)).unwrap_or(0);
    Ok(Json::from(node.revert(number)?))
}

pub(crate) fn reorg(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    only_here(node)?;
    let made = node.reorganize(number(args, 0, 1..=BLOCKS_MAX)?)?;
    Ok(object([("connected", list(made.into_iter().map(text)))]).merge(tip(node)))
}

pub(crate) fn rollback(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    only_here(node)?;
    node.roll_back(number(args, 0, 1..=i64::from(u32::MAX))?)?;
    Ok(tip(node))
}

pub(crate) fn increase_time(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    only_here(node)?;
    let secs = number(args, 0, 0..=i64::from(u32::MAX))?;
    node.clock_mut().advance(secs);
    Ok(Json::from(node.clock().now()))
}

pub(crate) fn set_next_block_time(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    only_here(node)?;
    let time = number(args, 0, 0..=i64::from(u32::MAX))?;
    if time <= node.tip().median_time_past {
        let message = format!("the time must be after {}, the median of the last blocks", node.tip().median_time_past);
        return Err(RpcError::new(Code::InvalidParameter, message));
    }
    node.devnet_mut().next_block_time = Some(time);
    Ok(Json::Null)
}

pub(crate) fn mine(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    only_here(node)?;
    let blocks = number(args, 0, 0..=BLOCKS_MAX)?;
    let apart = number(args, 1, 0..=i64::from(u32::MAX))?;
    for _ in 0..blocks {
        node.clock_mut().advance(apart);
        node.mine_for_first()?;
    }
    Ok(tip(node))
}

pub(crate) fn set_automine(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    only_here(node)?;
    node.set_automine(args.flag(0, false)?);
    Ok(modes(node))
}

pub(crate) fn set_interval(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    only_here(node)?;
    let millis = args.int_in(0, 0..=i64::from(u32::MAX))?.unwrap_or(0);
    if (1..10).contains(&millis) {
        return Err(RpcError::new(Code::InvalidParameter, "an interval has at least 10 milliseconds; 0 ends it"));
    }
    let millis = u64::try_from(millis).unwrap_or(0);
    node.devnet_mut().mine_every = (millis > 0).then(|| Duration::from_millis(millis));
    Ok(modes(node))
}

/// When blocks are mined.
fn modes(node: &Node) -> Json {
    let every = node.devnet().mine_every.map_or(0, |every| u64::try_from(every.as_millis()).unwrap_or(u64::MAX));
    object([("automine", Json::from(node.mines_each())), ("interval", Json::from(every))])
}

pub(crate) fn faucet(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    only_here(node)?;
    let lock = node.lock_from_text(&args.text(0)?)?;
    let amount = args.amount(1)?.unwrap_or(Sats::from_wire(100_000_000));
    let most = Sats::from_wire(100_000_000_000);
    if amount == Sats::ZERO || amount > most {
        return Err(RpcError::new(Code::InvalidParameter, "amount must be above 0 and at most 1000"));
    }
    // Where the wallet has too little, blocks pay it more and then let it age.
    let reward = node.chain().params().subsidy(node.tip().entry.height.next());
    let rewards = amount.get().checked_div(reward.get()).unwrap_or(0).saturating_add(1);
    for attempt in 0..2 {
        let paid = super::wallet::pay_from_default(node, &lock, amount);
        match paid {
            Err(error) if error.code() == Code::Funds && attempt == 0 => refill(node, rewards)?,
            other => return other,
        }
    }
    Err(RpcError::new(Code::Funds, "the faucet is dry"))
}

fn refill(node: &mut Node, rewards: u64) -> Result<(), RpcError> {
    let locks = node.wallets().get(None)?.key_locks();
    let lock = locks.first().cloned().unwrap_or_else(|| NOBODY.to_vec());
    for _ in 0..rewards {
        node.mine(&lock)?;
    }
    for _ in 0..node.chain().params().maturity_blocks {
        node.mine(&NOBODY)?;
    }
    Ok(())
}

pub(crate) fn dump_state(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    only_here(node)?;
    let (blocks, waiting) = node.dump()?;
    if blocks.iter().chain(&waiting).map(Vec::len).sum::<usize>() > STATE_BYTES_MAX {
        let message = "the chain is too long for one answer; copy the node's folder instead";
        return Err(RpcError::new(Code::Misc, message));
    }
    Ok(object([("blocks", list(blocks.iter().map(hex_text))), ("transactions", list(waiting.iter().map(hex_text)))])
        .with_some("mocktime", node.clock().mock()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    blocks: Vec<String>,
    transactions: Vec<String>,
    mocktime: Option<u32>,
}

pub(crate) fn load_state(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    only_here(node)?;
    let state: State = args.need(0)?;
    // All of it is read before anything changes.
    let blocks = state.blocks.iter().map(|digits| decode_block(digits)).collect::<Result<Vec<Block>, _>>()?;
    let waiting =
        state.transactions.iter().map(|digits| decode_transaction(digits)).collect::<Result<Vec<Transaction>, _>>()?;
    node.load(blocks, waiting)?;
    node.set_mock_time(state.mocktime);
    Ok(tip(node))
}
