//! What a block does to the coins, if its transactions are good.
//!
//! Inputs name what they conflict over, so nothing is guessed and tried again. Four steps, each on all threads: transactions
//! are hashed; each input is led to the output that it spends, in this block or a stored one, and the first to claim it
//! has it; each transaction is checked with what it spends; scripts run, those of the longest inputs first. Transactions
//! stand in the order of their ids, so an output of this block is found by searching in that order; the hash function
//! forbids circles.

use std::borrow::Cow;
use std::ops::Range;

use spec::{
    Block, Height, Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxOut, Txid, opcode::Opcode,
};
use vm::batch::Deferred;

use crate::block::{by_text, refused};
use crate::deferring::Deferring;
use crate::error::{BlockError, TxError};
use crate::params::Params;
use crate::scripts::Runner;
use crate::store::{BlockDelta, Coin, StoreError};
use crate::tokens::check_tokens;
use crate::transaction::{Place, Spent, TX_SIG_CHECKS_MAX, check_maturity, check_relative_locks, check_values};
use crate::workers::{Jobs, Workers};

/// Where a block would stand, and how it is checked.
pub(crate) struct Surroundings<'a> {
    pub(crate) params: &'a Params,
    pub(crate) place: Place,
    pub(crate) runner: Runner<'a>,
    /// The median time past of the block below a height of this branch.
    pub(crate) median_before: &'a (dyn Fn(Height) -> u32 + Sync),
}

/// The unspent outputs among some, in the same order.
pub(crate) type LookUp<'a> = dyn Fn(&[OutPoint]) -> Result<Vec<Option<Coin>>, StoreError> + Sync + 'a;

/// Gives the signature checks of a transaction whose scripts are known to succeed.
pub(crate) type Verified<'a> = dyn Fn(&Txid) -> Option<u64> + Sync + 'a;

/// Checks a block's transactions against the coins of the block before it, and returns what it changes. `verified` gives the
/// signature checks of a transaction whose scripts are known to succeed.
pub(crate) fn check_and_build(
    at: &Surroundings<'_>,
    look_up: &LookUp<'_>,
    block: &Block,
    txids: &[Txid],
    verified: &Verified<'_>,
) -> Result<BlockDelta, BlockError> {
    let claims = Claims::of(at, look_up, block, txids)?;
    let spends = check_all(at, &claims, block, txids)?;
    check_coinbase_amount(at, block, &spends)?;
    run_scripts(at, &spends, verified)?;
    drop(spends);
    Ok(claims.into_delta(at, block, txids))
}

/// Where the output is that an input spends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// In this block, or would be: the transaction's position and the output's index.
    Made(usize, u32),
    /// At a place of the stored coins.
    Stored(usize),
    /// Nowhere, or a lower input has claimed it.
    Missing,
}

/// What the inputs of a block claim.
struct Claims {
    /// The source of each input, the coinbase's excepted, in block order.
    sources: Vec<Source>,
    /// The number of each transaction's first input, and at the end that of all.
    first_inputs: Vec<usize>,
    /// The stored coins that inputs name, each once.
    stored: Vec<(OutPoint, Option<Coin>)>,
    /// Whether an input claims an output of this block, in block order, and the number of each transaction's first.
    made_claimed: Vec<bool>,
    first_outputs: Vec<usize>,
}

impl Claims {
    fn of(at: &Surroundings<'_>, look_up: &LookUp<'_>, block: &Block, txids: &[Txid]) -> Result<Self, StoreError> {
        let ordinary = block.transactions.get(1..).unwrap_or_default();
        let prevouts: Vec<OutPoint> = ordinary.iter().flat_map(|tx| &tx.inputs).map(|input| input.prevout).collect();
        let find = |number: usize| prevouts.get(number).and_then(|prevout| position(txids, &prevout.txid));
        let positions = Jobs::small(prevouts.len()).map(at.runner.workers, find);
        // What the coinbase names is no output, so inputs are counted from behind it.
        let first_inputs = starts(ordinary.iter().map(|tx| tx.inputs.len()));
        let first_outputs = starts(block.transactions.iter().map(|tx| tx.outputs.len()));
        let mut claims = Self {
            sources: vec![Source::Missing; prevouts.len()],
            first_inputs,
            stored: Vec::new(),
            made_claimed: vec![false; first_outputs.last().copied().unwrap_or_default()],
            first_outputs,
        };
        let mut outside: Vec<(OutPoint, usize)> = Vec::new();
        for (number, (prevout, position)) in prevouts.iter().zip(positions).enumerate() {
            match position {
                Some(position) => claims.claim_made(block, number, position, prevout.index),
                None => outside.push((*prevout, number)),
            }
        }
        claims.claim_stored(at.runner.workers, look_up, outside)?;
        Ok(claims)
    }

    fn claim_made(&mut self, block: &Block, number: usize, position: usize, index: u32) {
        let output = block.transactions.get(position).and_then(|tx| tx.outputs.get(index as usize));
        let Some(first) = self.first_outputs.get(position).filter(|_| output.is_some_and(is_spendable)) else { return };
        let (claimed, source) = (self.made_claimed.get_mut(first + index as usize), self.sources.get_mut(number));
        if let (Some(claimed @ false), Some(source)) = (claimed, source) {
            (*claimed, *source) = (true, Source::Made(position, index));
        }
    }

    /// Of several inputs that name one coin, the lowest has it.
    fn claim_stored(
        &mut self,
        workers: Workers,
        look_up: &LookUp<'_>,
        mut outside: Vec<(OutPoint, usize)>,
    ) -> Result<(), StoreError> {
        outside.sort_unstable();
        let mut wanted: Vec<OutPoint> = Vec::with_capacity(outside.len());
        for (prevout, number) in outside {
            if wanted.last() != Some(&prevout) {
                if let Some(source) = self.sources.get_mut(number) {
                    *source = Source::Stored(wanted.len());
                }
                wanted.push(prevout);
            }
        }
        let some = |places: Range<usize>| {
            let wanted = wanted.get(places).unwrap_or_default();
            match look_up(wanted) {
                Ok(found) => wanted.iter().copied().zip(found).map(Ok).collect(),
                Err(error) => vec![Err(error)],
            }
        };
        let found = Jobs::small(wanted.len()).map_groups(workers, some);
        self.stored = found.into_iter().collect::<Result<_, _>>()?;
        Ok(())
    }

    /// What an ordinary transaction spends, by its position in the block.
    fn spent<'a>(&'a self, block: &'a Block, position: usize, height: Height) -> Option<Vec<Spent<'a>>> {
        let (first, end) = (self.first_inputs.get(position - 1)?, self.first_inputs.get(position)?);
        let spent = |source: &Source| match *source {
            Source::Made(position, index) => {
                let tx = block.transactions.get(position)?;
                let output = tx.outputs.get(index as usize)?;
                Some(Spent { output, height, coinbase: tx.is_coinbase() })
            }
            Source::Stored(place) => self.stored.get(place)?.1.as_ref().map(Spent::from),
            Source::Missing => None,
        };
        self.sources.get(*first..*end)?.iter().map(spent).collect()
    }

    /// The coins that no input of the block has claimed, of the transactions at these positions.
    fn left(&self, block: &Block, txids: &[Txid], height: Height, positions: Range<usize>) -> Vec<(OutPoint, Coin)> {
        let first = self.first_outputs.get(positions.start).copied().unwrap_or_default();
        let txs = block.transactions.get(positions.clone()).unwrap_or_default();
        let txids = txids.get(positions).unwrap_or_default();
        let made = txs.iter().zip(txids).flat_map(|(tx, txid)| outputs_of(tx, *txid, height));
        let claimed = self.made_claimed.get(first..).unwrap_or_default();
        made.zip(claimed).filter(|(_, claimed)| !**claimed).filter_map(|(made, _)| made).collect()
    }

    /// Leaves what is left of this block's outputs, takes what was claimed of others'.
    fn into_delta(self, at: &Surroundings<'_>, block: &Block, txids: &[Txid]) -> BlockDelta {
        let left = |positions| self.left(block, txids, at.place.height, positions);
        let created = Jobs::small(txids.len()).map_groups(at.runner.workers, left);
        BlockDelta {
            hash: block.header.hash(),
            previous: block.header.previous,
            height: at.place.height,
            spent: self.stored.into_iter().filter_map(|(outpoint, coin)| Some((outpoint, coin?))).collect(),
            created,
            txids: txids.to_vec(),
        }
    }
}

/// The position of a transaction of the block. The coinbase stands first, the others in the order of their ids.
pub(crate) fn position(txids: &[Txid], txid: &Txid) -> Option<usize> {
    let (coinbase, others) = txids.split_first()?;
    if coinbase == txid {
        return Some(0);
    }
    others.binary_search_by(|other| by_text(other, txid)).ok().map(|at| at + 1)
}

/// How many came before each, and in all.
fn starts(counts: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut sum = 0;
    let mut starts = vec![0];
    starts.extend(counts.map(|count| {
        sum += count;
        sum
    }));
    starts
}

/// The coins that a transaction makes. Outputs that open with `OP_RETURN` can never be spent and are none.
pub(crate) fn made_by(tx: &Transaction, txid: Txid, height: Height) -> impl Iterator<Item = (OutPoint, Coin)> {
    outputs_of(tx, txid, height).flatten()
}

/// The coin that each output is, if it is any.
fn outputs_of(tx: &Transaction, txid: Txid, height: Height) -> impl Iterator<Item = Option<(OutPoint, Coin)>> {
    let coinbase = tx.is_coinbase();
    (0..).zip(&tx.outputs).map(move |(index, output)| {
        let coin = || (OutPoint { txid, index }, Coin { output: output.clone(), height, coinbase });
        is_spendable(output).then(coin)
    })
}

/// Whether an output can be spent at all.
pub(crate) fn is_spendable(output: &TxOut) -> bool {
    output.lock.first() != Some(&Opcode::Return.to_byte())
}

/// An ordinary transaction with what it spends.
pub(crate) struct Spend<'a> {
    pub(crate) position: usize,
    pub(crate) txid: Txid,
    pub(crate) tx: &'a Transaction,
    pub(crate) spent: Cow<'a, [TxOut]>,
    pub(crate) fee: Sats,
}

/// Checks each transaction, scripts excepted, and finds the first in the block that is bad.
fn check_all<'a>(
    at: &Surroundings<'_>,
    claims: &'a Claims,
    block: &'a Block,
    txids: &[Txid],
) -> Result<Vec<Spend<'a>>, BlockError> {
    let check = |number: usize| {
        let position = number + 1;
        let (Some(tx), Some(txid)) = (block.transactions.get(position), txids.get(position).copied()) else {
            return Err(BlockError::Length);
        };
        let coins = claims.spent(block, position, at.place.height).ok_or(TxError::MissingInputs);
        let checked = coins.and_then(|coins| {
            let spent = outputs(&coins);
            let fee = check_in_place(at.params, at.place, tx, (&coins, &spent), at.median_before)?;
            Ok(Spend { position, txid, tx, spent, fee })
        });
        checked.map_err(|error| refused(position, txid, error))
    };
    let ordinary = block.transactions.len().saturating_sub(1);
    Jobs::small(ordinary).run(at.runner.workers, check).map_err(|(_, error)| error)
}

/// The outputs of coins side by side; most transactions spend one, which stays where it is.
fn outputs<'a>(coins: &[Spent<'a>]) -> Cow<'a, [TxOut]> {
    match coins {
        [only] => Cow::Borrowed(std::slice::from_ref(only.output)),
        coins => coins.iter().map(|coin| coin.output.clone()).collect(),
    }
}

/// The rules of a transaction that depend on the coins it spends, given with their outputs, scripts excepted; returns the fee.
pub(crate) fn check_in_place(
    params: &Params,
    place: Place,
    tx: &Transaction,
    (coins, spent): (&[Spent<'_>], &[TxOut]),
    median_before: impl Fn(Height) -> u32,
) -> Result<Sats, TxError> {
    check_maturity(coins, place.height, params.maturity_blocks)?;
    check_relative_locks(tx, coins, place, median_before)?;
    let fee = check_values(tx, spent)?;
    check_tokens(tx, spent)?;
    Ok(fee)
}

fn check_coinbase_amount(at: &Surroundings<'_>, block: &Block, spends: &[Spend<'_>]) -> Result<(), BlockError> {
    let fees = Sats::checked_sum(spends.iter().map(|spend| spend.fee)).ok_or(BlockError::FeesOutOfRange)?;
    let due = at.params.subsidy(at.place.height).checked_add(fees).ok_or(BlockError::FeesOutOfRange)?;
    let outputs = block.transactions.first().map(|coinbase| coinbase.outputs.as_slice()).unwrap_or_default();
    let taken = Sats::checked_sum(outputs.iter().map(|output| output.value)).ok_or(BlockError::CoinbaseAmount)?;
    if taken > due { Err(BlockError::CoinbaseAmount) } else { Ok(()) }
}

fn run_scripts(at: &Surroundings<'_>, spends: &[Spend<'_>], verified: &Verified<'_>) -> Result<(), BlockError> {
    let counts = count_checks(at.params.rules, at.runner, spends, verified)?;
    check_sig_checks(at, spends, &counts)
}

/// Runs the scripts that are not known to succeed, all inputs of all transactions together, and verifies their Schnorr
/// signatures in batches; returns the signature checks of each transaction.
pub(crate) fn count_checks(
    rules: RuleSet,
    runner: Runner<'_>,
    spends: &[Spend<'_>],
    verified: &Verified<'_>,
) -> Result<Vec<u64>, BlockError> {
    let rules = Rules::new(rules, Mode::Consensus);
    let known = |place: usize| spends.get(place).and_then(|spend| verified(&spend.txid));
    let known = Jobs::small(spends.len()).map(runner.workers, known);
    let mut counts: Vec<u64> = known.iter().map(|known| known.unwrap_or(0)).collect();
    let inputs = Inputs::of(spends.iter().zip(&known).map(|(spend, known)| (spend, known.is_none())));
    let run = |number: usize, deferred: Option<&Deferred>| {
        let (place, input) = *inputs.places.get(number).expect("there are as many jobs as inputs");
        let spend = spends.get(place).expect("an input is that of a spend");
        inputs.run(runner, &rules, (place, spend), input, deferred).map(|checks| (place, u64::from(checks)))
    };
    let length = |number: usize| {
        let place = inputs.places.get(number);
        let input = place.and_then(|(place, input)| spends.get(*place)?.tx.inputs.get(*input));
        input.map_or(0, |input| input.unlock.len())
    };
    let assume = |number: usize, deferred: &Deferred| run(number, Some(deferred));
    let exact = |number: usize| run(number, None);
    let (count, workers) = (inputs.places.len(), runner.workers);
    let jobs = Jobs::new(count).longest_first(length);
    let ran = jobs.run_by(workers, || Deferring::new(&assume, &exact).evenly(count, workers));
    for (place, count) in ran.map_err(|(_, error)| error)? {
        if let Some(sum) = counts.get_mut(place) {
            *sum += count;
        }
    }
    Ok(counts)
}

/// The inputs whose scripts run.
struct Inputs<'s> {
    /// The place of each one's transaction among the spends, and its number there.
    places: Vec<(usize, usize)>,
    /// What inputs of one transaction share, for those with several, in ascending order of places.
    shared: Vec<(usize, SpendContext<'s>)>,
}

impl<'s> Inputs<'s> {
    /// Those of the spends that are wanted.
    fn of(spends: impl Iterator<Item = (&'s Spend<'s>, bool)>) -> Self {
        let (mut places, mut shared) = (Vec::new(), Vec::new());
        for (place, (spend, _)) in spends.enumerate().filter(|(_, (_, wanted))| *wanted) {
            let count = spend.tx.inputs.len();
            places.extend((0..count).map(|input| (place, input)));
            if count > 1 {
                shared.extend(SpendContext::new(spend.tx, &spend.spent).map(|context| (place, context)));
            }
        }
        Self { places, shared }
    }

    /// Runs the scripts of an input; their signature checks.
    fn run(
        &self,
        runner: Runner<'_>,
        rules: &Rules,
        (place, spend): (usize, &Spend<'_>),
        input: usize,
        deferred: Option<&Deferred>,
    ) -> Result<u32, BlockError> {
        let run = |context: &SpendContext<'_>| match deferred {
            Some(deferred) => runner.engine.accept_deferring(rules, context, input, deferred),
            None => runner.engine.accept(rules, context, input),
        };
        let shared = self.shared.binary_search_by_key(&place, |(place, _)| *place).ok();
        let ran = match shared.and_then(|at| self.shared.get(at)) {
            Some((_, context)) => run(context),
            None => {
                run(&SpendContext::new(spend.tx, &spend.spent).ok_or_else(|| blame(spend, TxError::MissingInputs))?)
            }
        };
        ran.map_err(|failure| blame(spend, TxError::Script { input, failure: Box::new(failure), mandatory: true }))
    }
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
