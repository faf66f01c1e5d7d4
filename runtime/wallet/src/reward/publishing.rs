//! Putting a body on the chain: in a data output if it fits, else pushed by coins that only it unlocks.

use spec::publish::{Chunk, DATA_BYTES_MAX, chunks, data_lock};
use spec::script::dust_limit;
use spec::{OutPoint, RuleSet, Sats, TxOut};

use crate::coins::{FeeRate, Utxo};
use crate::draft::{BuildError, Built, Draft, Fixed, Purse, SEQUENCE_FINAL, Unlock, pay};

/// The transactions that publish `body`, to be sent in this order: the last one shows it, and makes `outputs` first.
///
/// # Errors
/// [`BuildError`] if the purse does not reach, or a key is missing.
pub fn publish(
    purse: &Purse,
    body: &[u8],
    mut outputs: Vec<TxOut>,
    rate: FeeRate,
    rules: RuleSet,
) -> Result<Vec<Built>, BuildError> {
    if body.len() <= DATA_BYTES_MAX {
        outputs.push(TxOut::plain(Sats::ZERO, data_lock([body])));
        return Ok(vec![pay(purse, outputs, rate, rules)?]);
    }
    let parts = chunks(body);
    let carriers = parts.iter().map(|chunk| carrier(chunk, rate)).collect::<Result<Vec<_>, _>>()?;
    let made = pay(purse, carriers, rate, rules)?;
    let coins = coins_of(&made);
    let fixed = coins.iter().zip(&parts).map(|(coin, chunk)| Fixed {
        coin: coin.clone(),
        unlock: Unlock::Ready(chunk.unlock()),
        sequence: SEQUENCE_FINAL,
    });
    if outputs.is_empty() {
        // The coins pay for nothing but themselves, and a transaction has an output.
        outputs.push(TxOut::plain(Sats::ZERO, data_lock([])));
    }
    let draft = Draft { fixed: fixed.collect(), outputs, locktime: 0, sequence: SEQUENCE_FINAL };
    let rest = after(purse, &made);
    let shown = draft.funded(&rest, rate, Sats::ZERO)?.build(rules)?;
    Ok(vec![made, shown])
}

/// The purse once a transaction of its own is sent: without the coins that it spent, with those that came back.
#[must_use]
pub fn after(purse: &Purse, built: &Built) -> Purse {
    let spent = |coin: &Utxo| built.tx.inputs.iter().any(|input| input.prevout == coin.outpoint);
    let is_own = |coin: &Utxo| purse.keys.iter().any(|key| key.lock() == coin.output.lock);
    let kept = purse.coins.iter().filter(|coin| !spent(coin)).cloned();
    let back = coins_of(built).into_iter().filter(|coin| is_own(coin) && coin.output.token.is_none());
    Purse { keys: purse.keys.clone(), coins: kept.chain(back).collect(), change_lock: purse.change_lock.clone() }
}

fn coins_of(built: &Built) -> Vec<Utxo> {
    let txid = built.tx.txid();
    let outputs = (0u32..).zip(&built.tx.outputs);
    outputs.map(|(index, output)| Utxo { outpoint: OutPoint { txid, index }, output: output.clone() }).collect()
}

/// A coin that pays for the bytes of its own input, and is no dust.
fn carrier(chunk: &Chunk, rate: FeeRate) -> Result<TxOut, BuildError> {
    let mut output = TxOut::plain(Sats::ZERO, chunk.lock());
    let cost = rate.fee(Unlock::Ready(chunk.unlock()).input_bytes()?);
    output.value = cost.max(dust_limit(&output));
    Ok(output)
}
