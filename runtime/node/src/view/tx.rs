//! Transactions as bitcoind shows them.

use chain::{Dropped, TxRemains};
use spec::{Network, Sats, Transaction, TxIn, TxOut, Txid};

use crate::json::{Json, hex, list, object, text};
use crate::view::script;

/// A decoded transaction.
pub(crate) fn decoded(network: Network, tx: &Transaction) -> Json {
    decoded_with(network, tx, &[])
}

/// [`decoded`], with what each input spends where `prevouts` says so: amount, lock, height, whether a coinbase made it.
pub(crate) fn decoded_with(network: Network, tx: &Transaction, prevouts: &[Option<Json>]) -> Json {
    let outputs = tx.outputs.iter().enumerate().map(|(index, one)| output(network, index, one));
    shown(tx, tx.txid(), tx.len_bytes(), prevouts, list(outputs))
}

/// A transaction that may have lost data, as [`decoded_with`] shows it; what was dropped stands by its length and hash.
pub(crate) fn rest(network: Network, rest: &TxRemains, prevouts: &[Option<Json>]) -> Json {
    let one = |(index, one): (u32, &TxOut)| match rest.dropped.get(&index) {
        Some(dropped) => dropped_output(index, one, dropped),
        None => output(network, usize::try_from(index).unwrap_or(usize::MAX), one),
    };
    let outputs = (0..).zip(&rest.tx.outputs).map(one);
    shown(&rest.tx, rest.txid, rest.tx_bytes(), prevouts, list(outputs))
}

fn dropped_output(index: u32, output: &TxOut, dropped: &Dropped) -> Json {
    object([
        ("value", Json::from(output.value)),
        ("n", Json::from(index)),
        ("scriptPubKey", object([("type", Json::from("nulldata"))])),
    ])
    .with_some("tokenData", output.token.as_ref().map(script::token))
    .merge(object([
        ("pruned", Json::from(true)),
        ("size", Json::from(dropped.len)),
        ("sha256", hex(dropped.sha256)),
    ]))
}

fn shown(tx: &Transaction, txid: Txid, bytes: usize, prevouts: &[Option<Json>], outputs: Json) -> Json {
    let inputs = tx.inputs.iter().enumerate();
    let inputs = inputs.map(|(at, one)| input(one).with_some("prevout", prevouts.get(at).cloned().flatten()));
    object([
        ("txid", text(txid)),
        ("hash", text(txid)),
        // The version's four bytes are shown signed, as they always were.
        ("version", Json::from(i32::from_le_bytes(tx.version.to_le_bytes()))),
        ("size", Json::from(bytes)),
        ("vsize", Json::from(bytes)),
        ("weight", Json::from(bytes.saturating_mul(4))),
        ("locktime", Json::from(tx.locktime)),
        ("vin", list(inputs)),
        ("vout", outputs),
    ])
}

/// What an input spends, for [`decoded_with`].
pub(crate) fn prevout(network: Network, coin: &chain::Coin) -> Json {
    object([
        ("generated", Json::from(coin.coinbase)),
        ("height", Json::from(coin.height)),
        ("value", Json::from(coin.output.value)),
        ("scriptPubKey", script::lock(network, &coin.output.lock)),
    ])
    .with_some("tokenData", coin.output.token.as_ref().map(script::token))
}

fn input(input: &TxIn) -> Json {
    if input.prevout == spec::OutPoint::COINBASE {
        return object([("coinbase", hex(&input.unlock)), ("sequence", Json::from(input.sequence))]);
    }
    object([
        ("txid", text(input.prevout.txid)),
        ("vout", Json::from(input.prevout.index)),
        ("scriptSig", script::unlock(&input.unlock)),
        ("sequence", Json::from(input.sequence)),
    ])
}

fn output(network: Network, index: usize, output: &TxOut) -> Json {
    object([
        ("value", Json::from(output.value)),
        ("n", Json::from(index)),
        ("scriptPubKey", script::lock(network, &output.lock)),
    ])
    .with_some("tokenData", output.token.as_ref().map(script::token))
}

/// The sum of the outputs, saturating where a transaction not yet checked holds too much.
pub(crate) fn total_out(tx: &Transaction) -> Sats {
    Sats::checked_sum(tx.outputs.iter().map(|output| output.value)).unwrap_or(Sats::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::OutPoint;

    #[test]
    fn a_transaction_shows_exact_amounts_and_tokens() {
        let token = spec::Token { category: spec::Category::from_wire([1; 32]), amount: u64::MAX >> 1, nft: None };
        let tx = Transaction {
            version: u32::MAX,
            inputs: vec![TxIn {
                prevout: OutPoint { txid: spec::Txid::from_wire([2; 32]), index: 7 },
                unlock: vec![0x51],
                sequence: 0,
            }],
            outputs: vec![TxOut { value: Sats::new(1).unwrap(), token: Some(token), lock: vec![0x51] }],
            locktime: 3,
        };
        let shown: serde_json::Value = serde_json::from_str(&decoded(Network::Devnet, &tx).to_string()).unwrap();
        assert_eq!(shown["version"], -1);
        assert_eq!(shown["vin"][0]["vout"], 7);
        assert_eq!(shown["vout"][0]["tokenData"]["amount"], "9223372036854775807");
        assert!(decoded(Network::Devnet, &tx).to_string().contains(r#""value":0.00000001,"#));
    }
}
