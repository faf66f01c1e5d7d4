//! The rules of one transaction: by itself, against what it spends, and at its place in the chain.

use spec::{Height, Mode, OutPoint, Rules, Sats, Transaction, TxOut};

use crate::error::TxError;
use crate::policy::{Policy, check_standard, check_standard_inputs};
use crate::scripts::{Runner, check_scripts};
use crate::store::Coin;
use crate::tokens::check_tokens;

/// The fewest bytes of a transaction: 64 could pass for an inner node of the Merkle tree.
pub(crate) const TX_BYTES_MIN: usize = 65;
/// The most bytes of a transaction.
const TX_BYTES_MAX: usize = 1_000_000;
/// The most signature checks of a transaction.
pub(crate) const TX_SIG_CHECKS_MAX: u64 = 3_000;
/// Lock times below are heights, others seconds since 1970.
const LOCKTIME_IS_TIME: u32 = 500_000_000;

/// Where a transaction would stand: in which block, after what time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The height of the block that would hold it.
    pub height: Height,
    /// The median time of the eleven blocks before that block.
    pub median_time_past: u32,
}

/// A coin that is spent: as [`Coin`], wherever its output is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent<'a> {
    pub(crate) output: &'a TxOut,
    pub(crate) height: Height,
    pub(crate) coinbase: bool,
}

impl<'a> From<&'a Coin> for Spent<'a> {
    fn from(coin: &'a Coin) -> Self {
        Self { output: &coin.output, height: coin.height, coinbase: coin.coinbase }
    }
}

/// What the checks of an acceptable transaction found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What the transaction leaves to the miner.
    pub fee: Sats,
    /// What each input's scripts used, in input order.
    pub metrics: Vec<vm::Metrics>,
}

/// Everything that decides about a transaction and the outputs it spends, without a chain: shape, amounts, tokens and scripts; in relay mode standardness too, but no fee.
///
/// # Errors
/// The first rule that is broken. Among failing scripts, that of the lowest input.
pub fn verify_spend(rules: &Rules, tx: &Transaction, spent: &[TxOut], runner: Runner<'_>) -> Result<Verified, TxError> {
    check_shape(tx)?;
    if rules.mode == Mode::Relay {
        let policy = Policy::of(rules.set);
        check_standard(&policy, tx)?;
        check_standard_inputs(&policy, spent)?;
    }
    let fee = check_values(tx, spent)?;
    check_tokens(tx, spent)?;
    Ok(Verified { fee, metrics: check_scripts(rules, tx, spent, runner)? })
}

/// The rules of an ordinary transaction that need nothing but itself.
///
/// # Errors
/// The first rule that is broken.
pub fn check_shape(tx: &Transaction) -> Result<(), TxError> {
    if tx.is_coinbase() {
        return Err(TxError::UnexpectedCoinbase);
    }
    check_common(tx)?;
    if tx.inputs.iter().any(|input| input.prevout == OutPoint::COINBASE) {
        return Err(TxError::NullPrevout);
    }
    let mut prevouts: Vec<_> = tx.inputs.iter().map(|input| input.prevout).collect();
    prevouts.sort_unstable();
    let twice = prevouts.windows(2).any(|pair| matches!(pair, [a, b] if a == b));
    if twice { Err(TxError::DuplicateInput) } else { Ok(()) }
}

/// The rules of a coinbase that need nothing but itself.
///
/// # Errors
/// The first rule that is broken.
pub fn check_coinbase_shape(tx: &Transaction) -> Result<(), TxError> {
    check_common(tx)?;
    if tx.outputs.iter().any(|output| output.token.is_some()) {
        return Err(TxError::CoinbaseTokens);
    }
    match tx.inputs.as_slice() {
        [only] if (2..=100).contains(&only.unlock.len()) => Ok(()),
        _ => Err(TxError::CoinbaseScriptLength),
    }
}

fn check_common(tx: &Transaction) -> Result<(), TxError> {
    if tx.inputs.is_empty() {
        return Err(TxError::NoInputs);
    }
    if tx.outputs.is_empty() {
        return Err(TxError::NoOutputs);
    }
    match tx.len_bytes() {
        ..TX_BYTES_MIN => return Err(TxError::Undersize),
        TX_BYTES_MIN..=TX_BYTES_MAX => {}
        _ => return Err(TxError::Oversize),
    }
    if !matches!(tx.version, 1 | 2) {
        return Err(TxError::Version);
    }
    check_outputs(&tx.outputs)
}

fn check_outputs(outputs: &[TxOut]) -> Result<(), TxError> {
    if outputs.iter().any(|output| !output.value.in_range()) {
        return Err(TxError::OutputTooLarge);
    }
    Sats::checked_sum(outputs.iter().map(|output| output.value)).ok_or(TxError::OutputTotalTooLarge)?;
    if outputs.iter().any(TxOut::has_malformed_token) { Err(TxError::OutputTokenPrefix) } else { Ok(()) }
}

/// The fee: what the spent outputs hold more than the outputs.
///
/// # Errors
/// [`TxError::InputsOutOfRange`] and [`TxError::SpendsTooMuch`].
pub fn check_values(tx: &Transaction, spent: &[TxOut]) -> Result<Sats, TxError> {
    let inputs = Sats::checked_sum(spent.iter().map(|output| output.value)).ok_or(TxError::InputsOutOfRange)?;
    let outputs =
        Sats::checked_sum(tx.outputs.iter().map(|output| output.value)).ok_or(TxError::OutputTotalTooLarge)?;
    inputs.checked_sub(outputs).ok_or(TxError::SpendsTooMuch)
}

/// Whether the lock time is reached at `place`, or no input wants it to be.
///
/// # Errors
/// [`TxError::NotFinal`].
pub fn check_finality(tx: &Transaction, place: Place) -> Result<(), TxError> {
    let now = if tx.locktime < LOCKTIME_IS_TIME { place.height.get() } else { place.median_time_past };
    let waived = || tx.inputs.iter().all(|input| input.sequence == u32::MAX);
    if tx.locktime < now || tx.locktime == 0 || waived() { Ok(()) } else { Err(TxError::NotFinal) }
}

/// Whether every spent coinbase is deep enough.
pub(crate) fn check_maturity(coins: &[Spent<'_>], height: Height, maturity_blocks: u32) -> Result<(), TxError> {
    let young = |coin: &Spent<'_>| coin.coinbase && height.since(coin.height) < maturity_blocks;
    if coins.iter().any(young) { Err(TxError::ImmatureCoinbase) } else { Ok(()) }
}

const SEQUENCE_DISABLED: u32 = 1 << 31;
const SEQUENCE_IS_TIME: u32 = 1 << 22;
const SEQUENCE_UNITS: u32 = 0xffff;
const SEQUENCE_SECS_SHIFT: u32 = 9;

/// The relative locks of BIP 68. `median_before` gives the median time past of the block below a height.
pub(crate) fn check_relative_locks(
    tx: &Transaction,
    coins: &[Spent<'_>],
    place: Place,
    median_before: impl Fn(Height) -> u32,
) -> Result<(), TxError> {
    if tx.version < 2 {
        return Ok(());
    }
    let open = |(sequence, coin): (u32, &Spent<'_>)| {
        let units = sequence & SEQUENCE_UNITS;
        if sequence & SEQUENCE_DISABLED != 0 {
            true
        } else if sequence & SEQUENCE_IS_TIME != 0 {
            let wait = u64::from(units) << SEQUENCE_SECS_SHIFT;
            u64::from(median_before(coin.height)) + wait <= u64::from(place.median_time_past)
        } else {
            u64::from(coin.height.get()) + u64::from(units) <= u64::from(place.height.get())
        }
    };
    let all = tx.inputs.iter().map(|input| input.sequence).zip(coins).all(open);
    if all { Ok(()) } else { Err(TxError::RelativeLock) }
}

/// Whether every coin is as old at `place` as its input demands. `median_before` gives the median time past of the block
/// below a height.
///
/// # Errors
/// [`TxError::RelativeLock`].
pub fn check_ages(
    tx: &Transaction,
    coins: &[Coin],
    place: Place,
    median_before: impl Fn(Height) -> u32,
) -> Result<(), TxError> {
    let spent: Vec<Spent<'_>> = coins.iter().map(Spent::from).collect();
    check_relative_locks(tx, &spent, place, median_before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::{TxIn, Txid};

    fn input(index: u32) -> TxIn {
        TxIn { prevout: OutPoint { txid: Txid::from_wire([1; 32]), index }, unlock: vec![0x51], sequence: u32::MAX }
    }

    fn payment() -> Transaction {
        let output = TxOut::plain(Sats::from_wire(1_000), vec![0x51; 23]);
        Transaction { version: 2, inputs: vec![input(0)], outputs: vec![output], locktime: 0 }
    }

    fn coinbase() -> Transaction {
        let only = TxIn { prevout: OutPoint::COINBASE, unlock: vec![0x51; 60], sequence: 0 };
        Transaction { inputs: vec![only], ..payment() }
    }

    /// One row a rule: what is changed about a good transaction, and the verdict.
    #[test]
    fn each_rule_of_shape_has_its_reason() {
        type Change = fn(&mut Transaction);
        let rows: [(Change, &str); 13] = [
            (|_| (), "ok"),
            (|tx| tx.inputs.clear(), "bad-txns-vin-empty"),
            (|tx| tx.outputs.clear(), "bad-txns-vout-empty"),
            (|tx| tx.outputs[0].lock = vec![], "bad-txns-undersize"),
            (|tx| tx.outputs[0].lock = vec![0; 1_000_000], "bad-txns-oversize"),
            (|tx| tx.version = 0, "bad-txns-version"),
            (|tx| tx.version = 3, "bad-txns-version"),
            (|tx| tx.version = u32::MAX, "bad-txns-version"),
            (|tx| tx.outputs[0].value = Sats::from_wire(Sats::MAX.get() + 1), "bad-txns-vout-toolarge"),
            (|tx| tx.outputs = vec![TxOut::plain(Sats::MAX, vec![0x51; 9]); 2], "bad-txns-txouttotal-toolarge"),
            (|tx| tx.inputs.push(input(0)), "bad-txns-inputs-duplicate"),
            (|tx| tx.inputs.push(TxIn { prevout: OutPoint::COINBASE, ..input(0) }), "bad-txns-prevout-null"),
            (|tx| tx.outputs[0].lock[0] = spec::token::PREFIX, "bad-txns-vout-tokenprefix"),
        ];
        for (row, (change, verdict)) in rows.into_iter().enumerate() {
            let mut tx = payment();
            change(&mut tx);
            assert_eq!(check_shape(&tx).map_or_else(|error| error.reason(), |()| "ok"), verdict, "row {row}");
        }
        assert_eq!(check_shape(&coinbase()), Err(TxError::UnexpectedCoinbase));
    }

    #[test]
    fn a_coinbase_script_has_2_to_100_bytes() {
        for (len, verdict) in [(1, false), (2, true), (100, true), (101, false)] {
            let mut tx = coinbase();
            tx.inputs[0].unlock = vec![0x51; len];
            tx.outputs[0].lock = vec![0x51; 60];
            assert_eq!(check_coinbase_shape(&tx).is_ok(), verdict, "{len}");
        }
    }

    #[test]
    fn the_fee_is_what_is_left() {
        let spent = |sats| vec![TxOut::plain(Sats::from_wire(sats), vec![])];
        assert_eq!(check_values(&payment(), &spent(1_000)), Ok(Sats::ZERO));
        assert_eq!(check_values(&payment(), &spent(1_500)), Ok(Sats::from_wire(500)));
        assert_eq!(check_values(&payment(), &spent(999)), Err(TxError::SpendsTooMuch));
        assert_eq!(check_values(&payment(), &spent(u64::MAX)), Err(TxError::InputsOutOfRange));
    }

    #[test]
    fn finality_compares_heights_and_median_times() {
        let place = Place { height: Height::new(100), median_time_past: 600_000_000 };
        let rows = [
            (0, 0, true),
            (99, 0, true),
            (100, 0, false),
            (100, u32::MAX, true),
            (599_999_999, 0, true),
            (600_000_000, 0, false),
            (u32::MAX, u32::MAX, true),
        ];
        for (locktime, sequence, verdict) in rows {
            let mut tx = Transaction { locktime, ..payment() };
            tx.inputs[0].sequence = sequence;
            assert_eq!(check_finality(&tx, place).is_ok(), verdict, "{locktime} {sequence}");
        }
    }

    #[test]
    fn relative_locks_count_from_the_spent_coin() {
        let place = Place { height: Height::new(100), median_time_past: 10_000 };
        let coin = Coin { output: TxOut::plain(Sats::ZERO, vec![]), height: Height::new(90), coinbase: false };
        let rows = [
            (2, 0, true),
            (2, 10, true),
            (2, 11, false),
            (1, 11, true),
            (2, SEQUENCE_DISABLED | 11, true),
            (2, SEQUENCE_IS_TIME | 2, true),
            (2, SEQUENCE_IS_TIME | 3, false),
        ];
        for (version, sequence, verdict) in rows {
            let mut tx = Transaction { version, ..payment() };
            tx.inputs[0].sequence = sequence;
            // The coin's block follows a block whose median time is 10,000 - 2 * 512.
            let found = check_relative_locks(&tx, &[Spent::from(&coin)], place, |_| 10_000 - 1_024);
            assert_eq!(found.is_ok(), verdict, "{version} {sequence:x}");
        }
    }

    #[test]
    fn coinbases_mature() {
        let coin = |coinbase| Coin { output: TxOut::plain(Sats::ZERO, vec![]), height: Height::new(5), coinbase };
        for (coinbase, height, verdict) in [(true, 14, false), (true, 15, true), (false, 5, true)] {
            let coin = coin(coinbase);
            assert_eq!(check_maturity(&[Spent::from(&coin)], Height::new(height), 10).is_ok(), verdict);
        }
    }
}
