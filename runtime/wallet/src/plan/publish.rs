//! Coins that have to be made before a plan's own transaction: the one that names a category, and those that carry what is published.

use spec::publish::{Chunk, DATA_BYTES_MAX, chunks, data_lock};
use spec::script::dust_limit;
use spec::{OutPoint, Sats, TxOut};

use super::scene::Scene;
use super::{PlanError, PlanFault};
use crate::coins::{FeeRate, Utxo};
use crate::draft::{Purse, Unlock, pay};

/// What a coin holds that is only made to name a category.
const GENESIS_SATS: Sats = Sats::from_wire(1_000);

/// How the published bytes of a plan reach the chain.
#[derive(Debug)]
pub(super) struct Published {
    bytes: Vec<u8>,
    /// Coins that carry the bytes; none where an output does.
    pub(super) coins: Vec<(Utxo, Chunk)>,
}

impl Published {
    /// The output that holds the bytes, where one does.
    pub(super) fn output(&self) -> Option<TxOut> {
        let by_output = self.coins.is_empty();
        by_output.then(|| TxOut::plain(Sats::ZERO, data_lock([self.bytes.as_slice()])))
    }
}

/// The payer's coins that can name a category, the smallest first; made if there is none.
pub(super) fn genesis_coins(scene: &mut Scene<'_>) -> Result<Vec<Utxo>, PlanFault> {
    let payer = scene.wish.payer.ok_or(PlanFault::NoPayer)?;
    let lock = payer.lock();
    let can = |coin: &&Utxo| coin.output.lock == lock && coin.outpoint.index == 0 && coin.output.token.is_none();
    if scene.free().find(can).is_none() {
        make(scene, vec![TxOut::plain(GENESIS_SATS, lock.clone())])?;
    }
    let mut coins: Vec<Utxo> = scene.free().filter(can).cloned().collect();
    coins.sort_by_key(|coin| (coin.output.value, coin.outpoint));
    Ok(coins)
}

/// Prepares what the plan publishes, once its coins are chosen.
pub(super) fn prepare(scene: &mut Scene<'_>) -> Result<(), PlanError> {
    let plan = scene.wish.plan;
    // What is published cannot depend on a fee that follows from its length.
    let fee = scene.fee.take();
    let bytes = plan.publish.iter().map(|publish| {
        scene
            .evaluator()
            .bytes(&publish.bytes)
            .map(|bytes| (bytes, publish.no_output))
            .map_err(|error| scene.error(format!("publish `{}`", publish.name), plan.span, error))
    });
    let bytes = bytes.collect::<Result<Vec<_>, _>>();
    scene.fee = fee;
    let bytes = bytes?;
    if !scene.published.is_empty() {
        let same = scene.published.iter().zip(&bytes).all(|(before, (bytes, _))| before.bytes == *bytes);
        return if same { Ok(()) } else { Err(scene.plan_error(PlanFault::NoFee)) };
    }
    // Relay counts the bytes of all data outputs together.
    let mut room = DATA_BYTES_MAX;
    for (bytes, no_output) in bytes {
        let coins = match room.checked_sub(bytes.len()).filter(|_| !no_output) {
            Some(left) => {
                room = left.saturating_sub(4);
                Vec::new()
            }
            None => carriers(scene, &bytes).map_err(|fault| scene.plan_error(fault))?,
        };
        scene.published.push(Published { bytes, coins });
    }
    Ok(())
}

/// Makes the coins whose unlocking bytecode will hold `bytes`. Each pays for its own input.
fn carriers(scene: &mut Scene<'_>, bytes: &[u8]) -> Result<Vec<(Utxo, Chunk)>, PlanFault> {
    let parts = chunks(bytes);
    let rate = scene.wish.rate;
    let outputs = parts.iter().map(|chunk| carrier(chunk, rate)).collect::<Result<Vec<_>, _>>()?;
    let made = make(scene, outputs)?;
    Ok(made.into_iter().zip(parts).collect())
}

fn carrier(chunk: &Chunk, rate: FeeRate) -> Result<TxOut, PlanFault> {
    let mut output = TxOut::plain(Sats::ZERO, chunk.lock());
    let cost = rate.fee(Unlock::Ready(chunk.unlock()).input_bytes()?);
    output.value = cost.max(dust_limit(&output));
    Ok(output)
}

/// Lets the payer make outputs in a transaction of its own, and gives them as coins.
fn make(scene: &mut Scene<'_>, outputs: Vec<TxOut>) -> Result<Vec<Utxo>, PlanFault> {
    let purse = scene.purse()?;
    let count = outputs.len();
    let built = pay(&purse, outputs, scene.wish.rate, scene.wish.program.rules())?;
    let txid = built.tx.txid();
    let spent: Vec<OutPoint> = built.tx.inputs.iter().map(|input| input.prevout).collect();
    scene.coins.retain(|coin| !spent.contains(&coin.outpoint));
    let made = (0u32..).zip(&built.tx.outputs);
    let made: Vec<Utxo> =
        made.map(|(index, output)| Utxo { outpoint: OutPoint { txid, index }, output: output.clone() }).collect();
    scene.coins.extend(made.iter().cloned());
    scene.first.push(built);
    Ok(made.into_iter().take(count).collect())
}

impl Scene<'_> {
    /// The payer's coins that nothing takes yet.
    pub(super) fn purse(&self) -> Result<Purse, PlanFault> {
        let payer = self.wish.payer.ok_or(PlanFault::NoPayer)?;
        let lock = payer.lock();
        let named: Vec<OutPoint> = self.wish.named.values().flatten().copied().collect();
        let usable =
            |coin: &&Utxo| coin.output.lock == lock && coin.output.token.is_none() && !named.contains(&coin.outpoint);
        Ok(Purse::of(payer, self.free().filter(usable).cloned().collect()))
    }
}
