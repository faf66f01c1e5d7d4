//! Somebody buys tokens of an offering whose price rises with what has been sold: the contract computes the integral.

use std::hint::black_box;

use spec::artifact::AbiValue;
use spec::token::Token;
use spec::{Sats, Transaction, TxOut};

use super::{compiled, holding, int, valid, values, with_money};
use crate::work::Work;

const SOURCE: &str = include_str!("../../../../examples/imo-linear/imo_linear.bmc");
/// What is for sale, what has been sold, and what is bought now.
const ALL: u64 = 5_000;
const SOLD: u64 = 1_000;
const AMOUNT: u64 = 250;
/// What the sale's coin holds beside what was paid.
const BASE_SATS: u64 = 2_000;
/// What the buyer's output holds, and what the miner gets.
const CARRIER_SATS: u64 = 1_000;

/// A hundred for each, and two more for each that was sold before.
const fn cost(sold: u64, amount: u64) -> u64 {
    100 * amount + (2 * amount * (2 * sold + amount)).div_ceil(2)
}

pub fn work() -> Work {
    let artifact = compiled(SOURCE, "LinearSale");
    let params = values([("treasury", AbiValue::Item(benches::lock_of(&[8; 32])))]);
    let redeem = artifact.redeem_script(&params).expect("the treasury is the only parameter");
    let lock = artifact.lock_of(&redeem);
    let sale = |sold: u64| TxOut {
        value: Sats::from_wire(BASE_SATS + cost(0, sold)),
        token: holding(&sold.to_le_bytes(), ALL - sold),
        lock: lock.clone(),
    };
    let coin = sale(SOLD);
    let bought = coin.token.as_ref().map(|token| Token { amount: AMOUNT, nft: None, ..token.clone() });
    let buyer = TxOut { value: Sats::from_wire(CARRIER_SATS), token: bought, lock: benches::lock_of(&[9; 32]) };
    let path = artifact.path("buy").expect("a sale has buyers");
    let unlock = path.unlock_script(&values([("amount", int(AMOUNT))]), &redeem).expect("the amount is all");
    let money = cost(SOLD, AMOUNT) + 2 * CARRIER_SATS;
    let (tx, spent) = with_money(coin.clone(), unlock, money, vec![sale(SOLD + AMOUNT), buyer]);
    valid("linear curve", tx, spent, move |tx| i64::from(is_sold(black_box(&coin), tx)))
}

/// Whether the first output is the sale with what the buyer pays, and without what is bought.
fn is_sold(coin: &TxOut, tx: &Transaction) -> bool {
    let state = |output: &TxOut| {
        let token = output.token.as_ref()?;
        let sold = token.nft.as_ref()?.commitment.as_slice().try_into().ok()?;
        Some((u64::from_le_bytes(sold), token.amount))
    };
    let (Some(next), Some((sold, left))) = (tx.outputs.first(), state(coin)) else { return false };
    let amount = black_box(AMOUNT);
    next.lock == coin.lock
        && next.value.get() >= coin.value.get() + cost(sold, amount)
        && state(next) == Some((sold + amount, left - amount))
}
