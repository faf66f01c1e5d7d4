//! What has happened to a wallet's coins, in rows.

use std::collections::BTreeSet;

use spec::{Address, BlockHash, Height, Sats, Txid};

use crate::json::{Json, hex, list, object, signed_amount, text};
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::{Args, parse_id};
use crate::state::Node;
use crate::wallets::{Movement, Wallet};

/// The movements of a call's wallet, the oldest first, those that wait last.
pub(super) fn movements(node: &mut Node, args: &Args) -> Result<Vec<Movement>, RpcError> {
    node.movements(args.wallet())
}

/// How many blocks confirm a movement.
pub(super) fn confirmations(node: &Node, movement: &Movement) -> i64 {
    movement.place.map_or(0, |place| i64::from(node.tip().entry.height.since(place.height)) + 1)
}

/// One row for each payment that a movement makes or brings.
fn rows(node: &Node, wallet: &Wallet, locks: &BTreeSet<Vec<u8>>, movement: &Movement) -> Vec<Json> {
    let sends = movement.taken != Sats::ZERO;
    let within = movement.tx.outputs.iter().all(|output| locks.contains(&output.lock));
    let mut rows = Vec::new();
    for (index, output) in movement.tx.outputs.iter().enumerate() {
        let own = locks.contains(&output.lock);
        let amount = i128::from(output.value.get());
        let row = |category: &str, amount: i128| {
            object([])
                .with_some("address", Address::of_lock(node.network(), &output.lock).map(text))
                .with("category", category)
                .with("amount", signed_amount(amount))
                .with("label", wallet.label(&output.lock).unwrap_or_default())
                .with("vout", index)
        };
        if sends && (!own || within) {
            let fee = movement.fee.map(|fee| signed_amount(-i128::from(fee.get())));
            rows.push(row("send", -amount).with_some("fee", fee).with("abandoned", false));
        }
        // What comes back from a payment to others is change, and no row of its own.
        if own && (!sends || within) {
            rows.push(row(income(node, movement), amount));
        }
    }
    rows
}

fn income(node: &Node, movement: &Movement) -> &'static str {
    let Some(place) = movement.place.filter(|_| movement.tx.is_coinbase()) else { return "receive" };
    let depth = node.tip().entry.height.next().since(place.height);
    if depth >= node.chain().params().maturity_blocks { "generate" } else { "immature" }
}

/// What is told of a movement in each of its rows.
fn about(node: &Node, movement: &Movement) -> Json {
    let block_time = movement.place.map(|_| movement.time);
    object([("confirmations", Json::from(confirmations(node, movement)))])
        .with_some("generated", movement.tx.is_coinbase().then_some(true))
        .with_some("trusted", movement.place.is_none().then_some(movement.taken != Sats::ZERO))
        .with_some("blockhash", movement.place.map(|place| text(place.block)))
        .with_some("blockheight", movement.place.map(|place| place.height))
        .with_some("blockindex", movement.place.map(|place| place.index))
        .with_some("blocktime", block_time)
        .merge(object([
            ("txid", text(movement.txid)),
            ("walletconflicts", list::<Json>([])),
            ("time", Json::from(movement.time)),
            ("timereceived", Json::from(movement.time)),
            ("bip125-replaceable", Json::from("no")),
        ]))
}

fn rows_with_all(node: &Node, args: &Args, movements: &[Movement]) -> Result<Vec<Json>, RpcError> {
    let wallet = node.wallets().get(args.wallet())?;
    let locks = wallet.locks();
    let of_one = |movement: &Movement| {
        let about = about(node, movement);
        rows(node, wallet, &locks, movement).into_iter().map(move |row| row.merge(about.clone())).collect::<Vec<_>>()
    };
    Ok(movements.iter().flat_map(of_one).collect())
}

pub(crate) fn list_transactions(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let label = args.get::<String>(0)?.filter(|label| label != "*");
    let negative = |name: &str| RpcError::new(Code::InvalidParameter, format!("Negative {name}"));
    let count = usize::try_from(args.int(1)?.unwrap_or(10)).map_err(|_| negative("count"))?;
    let skip = usize::try_from(args.int(2)?.unwrap_or(0)).map_err(|_| negative("from"))?;
    let movements = movements(node, args)?;
    let mut all = rows_with_all(node, args, &movements)?;
    if let Some(label) = label {
        all.retain(|row| row.member("label") == Some(&Json::Text(label.clone())));
    }
    let end = all.len().saturating_sub(skip);
    let start = end.saturating_sub(count);
    Ok(list(all.drain(start..end)))
}

pub(crate) fn list_since(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let tip = node.tip();
    let since = match args.get::<String>(0)?.filter(|hash| !hash.is_empty()) {
        None => None,
        Some(hash) => {
            let hash: BlockHash = parse_id(&hash, "blockhash")?;
            let known = node.chain().header(&hash).map(|entry| entry.height);
            Some(known.ok_or_else(|| RpcError::new(Code::NotFound, "Block not found"))?)
        }
    };
    let newer = |movement: &Movement| {
        let above = |since: Height| movement.place.is_none_or(|place| place.height > since);
        since.is_none_or(above)
    };
    let movements: Vec<Movement> = movements(node, args)?.into_iter().filter(newer).collect();
    let rows = rows_with_all(node, args, &movements)?;
    Ok(object([("transactions", list(rows)), ("removed", list::<Json>([])), ("lastblock", text(tip.hash))]))
}

pub(crate) fn transaction(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let txid: Txid = args.id(0)?;
    let movements = movements(node, args)?;
    let missing = || RpcError::new(Code::NotFound, "Invalid or non-wallet transaction id");
    let movement = movements.iter().find(|movement| movement.txid == txid).ok_or_else(missing)?;
    let wallet = node.wallets().get(args.wallet())?;
    let locks = wallet.locks();
    let own = movement.tx.outputs.iter().filter(|output| locks.contains(&output.lock));
    let given = own.map(|output| i128::from(output.value.get())).sum::<i128>();
    let fee = movement.fee.filter(|_| movement.taken != Sats::ZERO).map_or(0, |fee| i128::from(fee.get()));
    let amount = given - i128::from(movement.taken.get()) + fee;
    Ok(object([("amount", signed_amount(amount))])
        .with_some("fee", (movement.taken != Sats::ZERO).then(|| signed_amount(-fee)))
        .merge(about(node, movement))
        .with("details", list(rows(node, wallet, &locks, movement)))
        .with("hex", hex(movement.tx.encode())))
}
