//! Settling a reward: everybody's exact share of the pot, in one transaction that anyone may send.
//!
//! The pot is every coin of the reward that the transaction spends: the first one settles, the others
//! join it. The keeper who sends it adds no input and signs nothing: the pot alone pays the shares and
//! the fee, and the contract lets nothing else happen.

mod publishing;

use flow::{ListError, Recipient, Share};
use spec::artifact::{AbiType, AbiValue, RewardTable, SpendPath};
use spec::{Artifact, Sats, TxOut};

use crate::coins::{FeeRate, Utxo};
use crate::contract::{Arg, Args, ContractUnlock, Params};
use crate::draft::{BuildError, Built, Draft, Fixed, SEQUENCE_FINAL, Unlock, checked_redeem};
use crate::padding;

pub use publishing::{after, publish};

/// The path of a reward that divides the pot, and its argument.
const SETTLE_PATH: &str = "settle";
const FEE_ARG: &str = "fee";
/// The path by which further coins of the reward join the pot.
const JOIN_PATH: &str = "join";
/// So many coins fit one settlement: the first input's work grows with each.
pub const JOINED_MAX: usize = 50;

/// A wish to settle.
#[derive(Clone, Debug)]
pub struct Settlement<'a> {
    /// The reward's contract.
    pub artifact: &'a Artifact,
    /// Its parameters: the recipients' locks, or the list of recipients.
    pub params: &'a Params,
    /// The coins that make up the pot: at least one, at most [`JOINED_MAX`].
    pub coins: Vec<Utxo>,
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

/// Why a pot can't be settled.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SettleError {
    /// The contract is no reward.
    #[error("`{0}` is no reward: it has no table of shares")]
    NotAReward(String),
    /// The table and the parameters do not fit together.
    #[error("the artifact is inconsistent: {0}")]
    Inconsistent(&'static str),
    /// There is nothing to settle, or more than fits one transaction.
    #[error("a settlement joins from 1 to {JOINED_MAX} coins, not {0}")]
    Coins(usize),
    /// The contract was compiled before its coins could be settled together.
    #[error("the coins of `{0}` can only be settled one by one")]
    NoJoin(String),
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
    /// The list of recipients is none for this reward.
    #[error(transparent)]
    List(#[from] ListError),
    /// The transaction could not be built.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// Builds and checks the transaction that settles coins of a reward.
///
/// # Errors
/// [`SettleError`] says what is in the way.
pub fn settle(wish: &Settlement<'_>) -> Result<Settled, SettleError> {
    let table = wish.artifact.reward.as_ref().ok_or_else(|| SettleError::NotAReward(wish.artifact.contract.clone()))?;
    if !(1..=JOINED_MAX).contains(&wish.coins.len()) {
        return Err(SettleError::Coins(wish.coins.len()));
    }
    let pot = pot_of(wish)?;
    if pot < table.minimum_sats {
        return Err(SettleError::UnderMinimum { pot, minimum: table.minimum_sats });
    }
    let mut plan = Plan::of(wish, table)?;
    let fee = plan.padded_fee()?;
    let shares = plan.shares(fee)?;
    let args = plan.args(fee);
    let built = plan.draft(&shares, &args)?.unfunded().build(wish.artifact.rules)?;
    Ok(Settled { built, shares })
}

fn pot_of(wish: &Settlement<'_>) -> Result<Sats, SettleError> {
    let sum = Sats::checked_sum(wish.coins.iter().map(|coin| coin.output.value));
    sum.ok_or(SettleError::Build(BuildError::MoneyRange))
}

/// Who is paid, and with which arguments, all but the fee.
struct Plan<'a, 'w> {
    wish: &'w Settlement<'a>,
    table: &'a RewardTable,
    path: &'a SpendPath,
    recipients: Vec<Recipient>,
    args: Args,
}

impl<'a, 'w> Plan<'a, 'w> {
    fn of(wish: &'w Settlement<'a>, table: &'a RewardTable) -> Result<Self, SettleError> {
        let not_a_reward = || SettleError::NotAReward(wish.artifact.contract.clone());
        let path = wish.artifact.path(SETTLE_PATH).ok_or_else(not_a_reward)?;
        let recipients = flow::recipients(wish.artifact, wish.params)?;
        let mut plan = Plan { wish, table, path, recipients, args: Args::new() };
        for slot in &path.args {
            if let Some(known) = path.known_arg(slot, &wish.artifact.params, wish.params) {
                plan.args.insert(slot.name.clone(), Arg::Value(known));
            }
        }
        Ok(plan)
    }

    /// The fee, once the argument that only pays for work is as long as the work at that fee asks.
    ///
    /// Both depend on one another: padding makes the transaction larger, and with the fee the shares change, whose
    /// lengths the cost of arithmetic depends on. Padding only grows, so this ends.
    fn padded_fee(&mut self) -> Result<Sats, SettleError> {
        let Some(slot) = self.path.args.iter().find(|slot| slot.ty == AbiType::Padding) else { return self.fee() };
        let mut padding = 0;
        loop {
            self.args.insert(slot.name.clone(), padding::arg(padding));
            let fee = self.fee()?;
            let needed = self.needed_padding(&slot.name, fee)?;
            if needed <= padding {
                return Ok(fee);
            }
            padding = needed;
        }
    }

    /// The least padding with which the transaction of this fee is accepted.
    fn needed_padding(&self, slot: &str, fee: Sats) -> Result<usize, SettleError> {
        let shares = self.shares(fee)?;
        let mut args = self.args(fee);
        args.insert(slot.to_owned(), padding::arg(0));
        let bare = self.first_unlock_bytes(&args)?;
        args.insert(slot.to_owned(), padding::arg(padding::most(bare)));
        let built = self.draft(&shares, &args)?.unfunded().build(self.wish.artifact.rules)?;
        Ok(built.metrics.first().map_or(0, |metrics| padding::needed(bare, metrics)))
    }

    /// The fee that is wished for, or that of the transaction's size.
    fn fee(&self) -> Result<Sats, SettleError> {
        let fee = self.wish.fee.map_or_else(|| self.usual_fee(), Ok)?;
        let max = self.table.fee_sats_max;
        if fee > max { Err(SettleError::FeeTooHigh { fee, max }) } else { Ok(fee) }
    }

    fn first_unlock_bytes(&self, args: &Args) -> Result<usize, SettleError> {
        let draft = self.draft(&[], args)?;
        let first = draft.fixed.first().ok_or(SettleError::Coins(0))?;
        Ok(first.unlock.unlock_bytes()?)
    }

    /// The fee of the transaction's size. Larger fees have longer pushes, so it is sought from below; three rounds
    /// reach it.
    fn usual_fee(&self) -> Result<Sats, SettleError> {
        let mut fee = Sats::ZERO;
        let mut len_bytes = 0;
        for _ in 0..3 {
            len_bytes = self.draft(&self.shares(fee)?, &self.args(fee))?.unfunded().len_bytes()?;
            fee = fee.max(self.wish.rate.fee(len_bytes));
        }
        let max = self.table.fee_sats_max;
        if fee > max { Err(SettleError::RelayAsksMore { needed: fee, max, len_bytes }) } else { Ok(fee) }
    }

    fn shares(&self, fee: Sats) -> Result<Vec<Share>, SettleError> {
        let max = self.table.fee_sats_max;
        let left = pot_of(self.wish)?.checked_sub(fee).ok_or(SettleError::FeeTooHigh { fee, max })?;
        Ok(flow::shares(self.table, &self.recipients, left)?)
    }

    fn args(&self, fee: Sats) -> Args {
        let fee = i64::try_from(fee.get()).unwrap_or(i64::MAX);
        let mut args = self.args.clone();
        args.insert(FEE_ARG.to_owned(), Arg::Value(AbiValue::int(fee)));
        args
    }

    fn draft(&self, shares: &[Share], args: &Args) -> Result<Draft<'a>, SettleError> {
        let artifact = self.wish.artifact;
        let mut fixed = Vec::with_capacity(self.wish.coins.len());
        for coin in &self.wish.coins {
            let redeem = checked_redeem(artifact, self.wish.params, coin)?;
            let (path, args) = match fixed.is_empty() {
                true => (self.path, args.clone()),
                false => {
                    let join = artifact.path(JOIN_PATH);
                    (join.ok_or_else(|| SettleError::NoJoin(artifact.contract.clone()))?, Args::new())
                }
            };
            let unlock = Unlock::Contract(ContractUnlock { artifact, path, redeem, args });
            fixed.push(Fixed { coin: coin.clone(), unlock, sequence: SEQUENCE_FINAL });
        }
        let outputs = shares.iter().map(|share| TxOut::plain(share.value, share.lock.clone())).collect();
        Ok(Draft { fixed, outputs, locktime: 0, sequence: SEQUENCE_FINAL })
    }
}
