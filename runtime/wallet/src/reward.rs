//! Settling a reward: everybody's exact share of one pot, in one transaction that anyone may send.
//!
//! The keeper who sends it adds no input and signs nothing: the pot alone pays the shares and the
//! fee, and the contract lets nothing else happen.

use std::collections::BTreeMap;

use spec::artifact::{AbiValue, RewardTable};
use spec::{Artifact, Sats, TxOut};

use crate::coins::{FeeRate, Utxo};
use crate::contract::{Arg, Args, ContractUnlock, Params};
use crate::draft::{BuildError, Built, Draft, SEQUENCE_FINAL, checked_redeem};

/// The path of a reward that divides the pot, and its argument.
const SETTLE_PATH: &str = "settle";
const FEE_ARG: &str = "fee";

/// A wish to settle one pot.
#[derive(Clone, Debug)]
pub struct Settlement<'a> {
    /// The reward's contract.
    pub artifact: &'a Artifact,
    /// Its parameters: the recipients' locks.
    pub params: &'a Params,
    /// The pot.
    pub pot: Utxo,
    /// What the miner gets; `None` for the transaction's size at `rate`.
    pub fee: Option<Sats>,
    /// The price of bytes.
    pub rate: FeeRate,
}

/// A settlement, ready to be sent.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The transaction: output `i` pays share `i`.
    pub built: Built,
    /// Who gets what, in output order.
    pub shares: Vec<Share>,
}

/// One recipient's part of a pot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The source's path in the declaration, such as `models.diffusion`.
    pub name: String,
    /// Its weight over the table's denominator.
    pub weight: u64,
    /// Where it is paid.
    pub lock: Vec<u8>,
    /// What it gets.
    pub value: Sats,
}

/// Why a pot can't be settled.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SettleError {
    /// The contract is no reward.
    #[error("`{0}` is no reward: it has no table of shares")]
    NotAReward(String),
    /// The table and the parameters do not fit together.
    #[error("the artifact is inconsistent: {0}")]
    Inconsistent(&'static str),
    /// The pot is too small.
    #[error("the pot holds {pot} coin, less than the minimum of {minimum}")]
    UnderMinimum {
        /// What it holds.
        pot: Sats,
        /// What it must hold.
        minimum: Sats,
    },
    /// The fee is above what the contract allows.
    #[error("a fee of {} sats is too high: the contract allows at most {} sats", fee.get(), max.get())]
    FeeTooHigh {
        /// The fee.
        fee: Sats,
        /// The most that the contract allows.
        max: Sats,
    },
    /// Nodes ask a higher fee than the contract allows.
    #[error("nodes ask {} sats for {len_bytes} bytes, but the contract allows a fee of at most {} sats", needed.get(), max.get())]
    RelayAsksMore {
        /// What nodes ask.
        needed: Sats,
        /// The most that the contract allows.
        max: Sats,
        /// The transaction's size.
        len_bytes: usize,
    },
    /// The transaction could not be built.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// Builds and checks the transaction that settles a pot.
///
/// # Errors
/// [`SettleError`] says what is in the way.
pub fn settle(wish: &Settlement<'_>) -> Result<Settled, SettleError> {
    let table = wish.artifact.reward.as_ref().ok_or_else(|| SettleError::NotAReward(wish.artifact.contract.clone()))?;
    let pot = wish.pot.output.value;
    if pot < table.minimum_sats {
        return Err(SettleError::UnderMinimum { pot, minimum: table.minimum_sats });
    }
    let fee = match wish.fee {
        Some(fee) => fee,
        None => usual_fee(wish, table)?,
    };
    if fee > table.fee_sats_max {
        return Err(SettleError::FeeTooHigh { fee, max: table.fee_sats_max });
    }
    let shares = shares(wish, table, fee)?;
    let args = fee_args(fee);
    let built = draft(wish, &shares, &args)?.unfunded().build(wish.artifact.rules)?;
    Ok(Settled { built, shares })
}

/// The fee of the transaction's size. Larger fees have longer pushes, so it is sought from below; three rounds reach it.
fn usual_fee(wish: &Settlement<'_>, table: &RewardTable) -> Result<Sats, SettleError> {
    let mut fee = Sats::ZERO;
    let mut len_bytes = 0;
    for _ in 0..3 {
        let shares = shares(wish, table, fee)?;
        let args = fee_args(fee);
        len_bytes = draft(wish, &shares, &args)?.unfunded().len_bytes()?;
        fee = fee.max(wish.rate.fee(len_bytes));
    }
    let max = table.fee_sats_max;
    if fee > max { Err(SettleError::RelayAsksMore { needed: fee, max, len_bytes }) } else { Ok(fee) }
}

fn shares(wish: &Settlement<'_>, table: &RewardTable, fee: Sats) -> Result<Vec<Share>, SettleError> {
    let pot = wish.pot.output.value;
    let left = pot.checked_sub(fee).ok_or(SettleError::FeeTooHigh { fee, max: table.fee_sats_max })?;
    let values = table.divide(left).ok_or(SettleError::Inconsistent("its weights do not sum to their denominator"))?;
    let share = |(source, value): (&spec::artifact::RewardSource, Sats)| {
        let slot = wish.artifact.params.get(source.param);
        let slot = slot.ok_or(SettleError::Inconsistent("a source names no parameter"))?;
        let lock = match wish.params.get(&slot.name) {
            Some(AbiValue::Item(lock)) => lock.clone(),
            Some(_) => return Err(SettleError::Inconsistent("a recipient's lock is no single item")),
            None => return Err(BuildError::Abi(spec::artifact::AbiError::MissingParam(slot.name.clone())).into()),
        };
        Ok(Share { name: source.name.clone(), weight: source.weight, lock, value })
    };
    table.sources.iter().zip(values).map(share).collect()
}

fn fee_args(fee: Sats) -> Args {
    let fee = i64::try_from(fee.get()).unwrap_or(i64::MAX);
    BTreeMap::from([(FEE_ARG.to_owned(), Arg::Value(AbiValue::int(fee)))])
}

fn draft<'a>(wish: &Settlement<'a>, shares: &[Share], args: &'a Args) -> Result<Draft<'a>, SettleError> {
    let redeem = checked_redeem(wish.artifact, wish.params, &wish.pot)?;
    let not_a_reward = || SettleError::NotAReward(wish.artifact.contract.clone());
    let path = wish.artifact.path(SETTLE_PATH).ok_or_else(not_a_reward)?;
    let unlock = ContractUnlock { artifact: wish.artifact, path, redeem, args };
    let outputs = shares.iter().map(|share| TxOut::plain(share.value, share.lock.clone())).collect();
    Ok(Draft { fixed: Some((wish.pot.clone(), unlock)), outputs, locktime: 0, sequence: SEQUENCE_FINAL })
}
