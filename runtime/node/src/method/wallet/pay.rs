//! Payments from a wallet.

use chain::TxError;
use spec::{Sats, TxOut};
use wallet::{BuildError, Built, FeeRate, Purse, Utxo, pay};

use crate::json::{Json, text};
use crate::method::raw::refusal;
use crate::method::wallet::{members, next_key, spendable};
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::{Args, parse_amount};
use crate::state::Node;

pub(crate) fn send_to_address(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let lock = node.lock_from_text(&args.text(0)?)?;
    let amount = positive(args.amount(1)?)?;
    let from_amount = args.flag(4, false)?;
    send(node, args.wallet(), vec![TxOut::plain(amount, lock)], from_amount)
}

pub(crate) fn send_many(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let outputs = members(args.raw(1).unwrap_or("{}"))?.0.into_iter().map(|(name, value)| {
        let amount = positive(Some(parse_amount(value.get())?))?;
        Ok(TxOut::plain(amount, node.lock_from_text(&name)?))
    });
    let outputs = outputs.collect::<Result<Vec<_>, RpcError>>()?;
    if outputs.is_empty() {
        return Err(RpcError::new(Code::InvalidParameter, "Transaction must have at least one recipient"));
    }
    send(node, args.wallet(), outputs, false)
}

fn positive(amount: Option<Sats>) -> Result<Sats, RpcError> {
    let amount = amount.filter(|amount| *amount != Sats::ZERO);
    amount.ok_or_else(|| RpcError::new(Code::Type, "Invalid amount for send"))
}

/// Pays a lock from the default wallet.
pub(crate) fn pay_from_default(node: &mut Node, lock: &[u8], amount: Sats) -> Result<Json, RpcError> {
    send(node, None, vec![TxOut::plain(amount, lock.to_vec())], false)
}

fn send(node: &mut Node, name: Option<&str>, outputs: Vec<TxOut>, from_amount: bool) -> Result<Json, RpcError> {
    let change_lock = next_key(node, name, "")?.lock();
    let wallet = node.wallets().get(name)?;
    let coins = spendable(node, wallet)?.into_iter().map(|(outpoint, coin)| Utxo { outpoint, output: coin.output });
    let purse = Purse { keys: wallet.keys(), coins: coins.collect(), change_lock };
    let rate = FeeRate::per_kilobyte(node.fee_rate_min().get());
    let built =
        if from_amount { pay_from_amount(node, &purse, outputs, rate) } else { payment(node, &purse, outputs, rate) };
    let tx = built?.tx;
    let accepted = node.accept_transaction(tx.clone());
    accepted.map(|entry| text(entry.txid)).map_err(|error: TxError| refusal(node, &tx, &error))
}

fn payment(node: &Node, purse: &Purse, outputs: Vec<TxOut>, rate: FeeRate) -> Result<Built, RpcError> {
    pay(purse, outputs, rate, node.chain().params().rules).map_err(|error| match error {
        BuildError::Short(_) => RpcError::new(Code::Funds, "Insufficient funds"),
        error => RpcError::new(Code::Wallet, error.to_string()),
    })
}

/// So often the amount is lowered by another fee until it fits; coins and so the fee may change with it.
const TRIES: usize = 8;

/// The receiver bears the fee.
fn pay_from_amount(node: &Node, purse: &Purse, outputs: Vec<TxOut>, rate: FeeRate) -> Result<Built, RpcError> {
    let mut fee = rate.fee(200);
    for _ in 0..TRIES {
        let mut lowered = outputs.clone();
        if let Some(first) = lowered.first_mut() {
            let left = first.value.checked_sub(fee);
            first.value =
                left.ok_or_else(|| RpcError::new(Code::Funds, "The transaction amount is too small to pay the fee"))?;
        }
        let built = payment(node, purse, lowered, rate)?;
        if built.fee == fee {
            return Ok(built);
        }
        fee = built.fee;
    }
    Err(RpcError::new(Code::Wallet, "no fee fits the amount; send a little more or less"))
}
