//! What a block does to the coins, if its transactions are good.
//!
//! Transactions stand in the order of their ids, so all outputs are made before any input is
//! resolved; the hash function forbids circles. A claimed coin is gone, so a second claim finds nothing.

use std::collections::{BTreeMap, BTreeSet};

use spec::{Block, Height, Mode, OutPoint, Rules, Sats, SpendContext, Transaction, TxOut, Txid, opcode::Opcode};

use crate::block::refused;
use crate::error::{BlockError, TxError};
use crate::params::Params;
use crate::scripts::{Runner, run_all};
use crate::store::{BlockDelta, Coin, Store, StoreError};
use crate::tokens::check_tokens;
use crate::transaction::{Place, TX_SIG_CHECKS_MAX, check_maturity, check_relative_locks, check_values};

/// Where a block would stand, and how it is checked.
pub(crate) struct Surroundings<'a> {
    pub(crate) params: &'a Params,
    pub(crate) place: Place,
    pub(crate) runner: Runner<'a>,
    /// The median time past of the block below a height of this branch.
    pub(crate) median_before: &'a dyn Fn(Height) -> u32,
    /// The signature checks of a transaction whose scripts are known to succeed.
    pub(crate) verified: &'a dyn Fn(&Txid) -> Option<u64>,
}

/// Checks a block's transactions against the coins of the block before it, and returns what it changes.
pub(crate) fn check_and_build(
    at: &Surroundings<'_>,
    store: &impl Store,
    block: &Block,
    txids: &[Txid],
) -> Result<BlockDelta, BlockError> {
    let mut coins = Coins::gather(store, block, txids, at.place.height)?;
    let spends = resolve(at, &mut coins, block, txids)?;
    check_coinbase_amount(at, block, &spends)?;
    run_scripts(at, &spends)?;
    Ok(coins.into_delta(at, block, txids))
}

/// The coins that a block's inputs may claim.
struct Coins {
    /// Those of earlier blocks that some input names.
    stored: BTreeMap<OutPoint, Coin>,
    /// Those of this block.
    made: BTreeMap<OutPoint, Coin>,
    claimed: Vec<(OutPoint, Coin)>,
}

impl Coins {
    fn gather(store: &impl Store, block: &Block, txids: &[Txid], height: Height) -> Result<Self, StoreError> {
        let mut made = BTreeMap::new();
        for (tx, txid) in block.transactions.iter().zip(txids) {
            made.extend(made_by(tx, *txid, height));
        }
        let inputs = block.transactions.iter().skip(1).flat_map(|tx| &tx.inputs).map(|input| input.prevout);
        let wanted: BTreeSet<OutPoint> = inputs.filter(|outpoint| !made.contains_key(outpoint)).collect();
        let wanted: Vec<OutPoint> = wanted.into_iter().collect();
        let found = store.coins(&wanted)?;
        let stored = wanted.into_iter().zip(found).filter_map(|(outpoint, coin)| Some((outpoint, coin?))).collect();
        Ok(Self { stored, made, claimed: Vec::new() })
    }

    fn claim(&mut self, outpoint: &OutPoint) -> Option<Coin> {
        if let Some(coin) = self.made.remove(outpoint) {
            return Some(coin);
        }
        let coin = self.stored.remove(outpoint)?;
        self.claimed.push((*outpoint, coin.clone()));
        Some(coin)
    }

    /// Leaves what is left of this block's outputs, takes what was claimed of others'.
    fn into_delta(self, at: &Surroundings<'_>, block: &Block, txids: &[Txid]) -> BlockDelta {
        BlockDelta {
            hash: block.header.hash(),
            previous: block.header.previous,
            height: at.place.height,
            spent: self.claimed,
            created: self.made.into_iter().collect(),
            txids: txids.to_vec(),
        }
    }
}

/// The coins that a transaction makes. Outputs that open with `OP_RETURN` can never be spent and are none.
pub(crate) fn made_by(tx: &Transaction, txid: Txid, height: Height) -> impl Iterator<Item = (OutPoint, Coin)> {
    let coinbase = tx.is_coinbase();
    (0..)
        .zip(&tx.outputs)
        .filter(|(_, output)| is_spendable(output))
        .map(move |(index, output)| (OutPoint { txid, index }, Coin { output: output.clone(), height, coinbase }))
}

fn is_spendable(output: &TxOut) -> bool {
    output.lock.first() != Some(&Opcode::Return.to_byte())
}

/// An ordinary transaction with what it spends.
struct Spend<'a> {
    position: usize,
    txid: Txid,
    tx: &'a Transaction,
    spent: Vec<TxOut>,
    fee: Sats,
}

fn resolve<'a>(
    at: &Surroundings<'_>,
    coins: &mut Coins,
    block: &'a Block,
    txids: &[Txid],
) -> Result<Vec<Spend<'a>>, BlockError> {
    let ordinary = block.transactions.iter().zip(txids).enumerate().skip(1);
    ordinary
        .map(|(position, (tx, txid))| {
            resolve_one(at, coins, tx)
                .map(|(spent, fee)| Spend { position, txid: *txid, tx, spent, fee })
                .map_err(|error| refused(position, *txid, error))
        })
        .collect()
}

fn resolve_one(at: &Surroundings<'_>, coins: &mut Coins, tx: &Transaction) -> Result<(Vec<TxOut>, Sats), TxError> {
    let claims = tx.inputs.iter().map(|input| coins.claim(&input.prevout));
    let claimed = claims.collect::<Option<Vec<Coin>>>().ok_or(TxError::MissingInputs)?;
    check_in_place(at.params, at.place, tx, &claimed, at.median_before)
}

/// The rules of a transaction that depend on the coins it spends, scripts excepted; returns their outputs and the fee.
pub(crate) fn check_in_place(
    params: &Params,
    place: Place,
    tx: &Transaction,
    coins: &[Coin],
    median_before: impl Fn(Height) -> u32,
) -> Result<(Vec<TxOut>, Sats), TxError> {
    check_maturity(coins, place.height, params.maturity_blocks)?;
    check_relative_locks(tx, coins, place, median_before)?;
    let spent: Vec<TxOut> = coins.iter().map(|coin| coin.output.clone()).collect();
    let fee = check_values(tx, &spent)?;
    check_tokens(tx, &spent)?;
    Ok((spent, fee))
}

fn check_coinbase_amount(at: &Surroundings<'_>, block: &Block, spends: &[Spend<'_>]) -> Result<(), BlockError> {
    let fees = Sats::checked_sum(spends.iter().map(|spend| spend.fee)).ok_or(BlockError::FeesOutOfRange)?;
    let due = at.params.subsidy(at.place.height).checked_add(fees).ok_or(BlockError::FeesOutOfRange)?;
    let outputs = block.transactions.first().map(|coinbase| coinbase.outputs.as_slice()).unwrap_or_default();
    let taken = Sats::checked_sum(outputs.iter().map(|output| output.value)).ok_or(BlockError::CoinbaseAmount)?;
    if taken > due { Err(BlockError::CoinbaseAmount) } else { Ok(()) }
}

/// Runs the scripts that are not known to succeed, all inputs of all transactions in one pool.
fn run_scripts(at: &Surroundings<'_>, spends: &[Spend<'_>]) -> Result<(), BlockError> {
    let rules = Rules::new(at.params.rules, Mode::Consensus);
    let mut counts: Vec<u64> = spends.iter().map(|spend| (at.verified)(&spend.txid).unwrap_or(0)).collect();
    let unknown = || spends.iter().enumerate().filter(|(_, spend)| (at.verified)(&spend.txid).is_none());
    let contexts = unknown()
        .map(|(place, spend)| {
            let context = SpendContext::new(spend.tx, &spend.spent);
            context.map(|context| (place, spend, context)).ok_or_else(|| blame(spend, TxError::MissingInputs))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let jobs: Vec<_> =
        contexts.iter().flat_map(|one| (0..one.1.tx.inputs.len()).map(move |input| (one, input))).collect();
    let job = |number: usize| {
        let ((place, spend, context), input) = jobs.get(number).expect("there are as many jobs as were counted");
        at.runner.engine.accept(&rules, context, *input).map(|checks| (*place, u64::from(checks))).map_err(|failure| {
            blame(spend, TxError::Script { input: *input, failure: Box::new(failure), mandatory: true })
        })
    };
    for (place, count) in run_all(jobs.len(), at.runner.workers, job).map_err(|(_, error)| error)? {
        if let Some(sum) = counts.get_mut(place) {
            *sum += count;
        }
    }
    check_sig_checks(at, spends, &counts)
}

fn check_sig_checks(at: &Surroundings<'_>, spends: &[Spend<'_>], counts: &[u64]) -> Result<(), BlockError> {
    if let Some((spend, _)) = spends.iter().zip(counts).find(|(_, count)| **count > TX_SIG_CHECKS_MAX) {
        return Err(blame(spend, TxError::TooManySigChecks));
    }
    let total: u64 = counts.iter().sum();
    if total > at.params.block_sig_checks_max() { Err(BlockError::TooManySigChecks) } else { Ok(()) }
}

fn blame(spend: &Spend<'_>, error: TxError) -> BlockError {
    refused(spend.position, spend.txid, error)
}
