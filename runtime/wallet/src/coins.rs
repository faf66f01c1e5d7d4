//! Which coins pay: selection with exact fees and a change output only where it is worth one.
//!
//! All signatures are Schnorr and so of one length; a transaction's size is known before it is
//! signed, and its fee is exact to the unit.

use spec::codec::write_compact_size;
use spec::script::dust_limit;
use spec::{OutPoint, Sats, TxOut};

/// Bytes of a standard relayed transaction at most.
pub(crate) const STANDARD_TX_BYTES_MAX: usize = 100_000;
/// Bytes that unlock a key's coin: signature and public key with their pushes.
pub(crate) const KEY_UNLOCK_BYTES: usize = (1 + 65) + (1 + 33);
/// Bytes of an input that pays from a key: outpoint, length, unlocking bytecode, sequence.
pub(crate) const KEY_INPUT_BYTES: usize = 36 + 1 + KEY_UNLOCK_BYTES + 4;
const VERSION_AND_LOCKTIME_BYTES: usize = 8;

/// A coin: an output that nothing has spent yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Utxo {
    /// Where it is.
    pub outpoint: OutPoint,
    /// What it holds.
    pub output: TxOut,
}

/// A price for bytes, in base units for a thousand of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeeRate(u64);

impl FeeRate {
    /// The least that nodes relay: one unit a byte.
    pub const RELAY_MIN: Self = Self(1_000);

    /// `sats` base units for a thousand bytes.
    #[must_use]
    pub const fn per_kilobyte(sats: u64) -> Self {
        Self(sats)
    }

    /// The fee of `len` bytes, rounded up.
    #[must_use]
    pub const fn fee(self, len: usize) -> Sats {
        Sats::from_wire((len as u64).saturating_mul(self.0).div_ceil(1_000))
    }
}

/// Coins that pay for outputs and their own fee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The coins, largest first.
    pub coins: Vec<Utxo>,
    /// What goes back to the owner; `None` where it would be dust and goes to the miner instead.
    pub change: Option<TxOut>,
    /// What the miner gets.
    pub fee: Sats,
}

/// The coins do not reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the coins at hand hold {have} coin, and {need} coin are needed, fee included")]
pub struct ShortOfCoins {
    /// What all usable coins hold together.
    pub have: Sats,
    /// What would be needed with all of them as inputs.
    pub need: Sats,
}

/// Chooses the fewest coins that pay `outputs`, largest first, with `fixed` bytes of other inputs that already bring `brought`.
///
/// Coins that carry tokens are left alone. Ties are broken by outpoint, so the choice is always the same.
///
/// # Errors
/// [`ShortOfCoins`] if all coins together do not reach, or more would be needed than one standard transaction holds.
///
/// ```
/// use spec::{OutPoint, Sats, TxOut, Txid};
/// use wallet::{FeeRate, Utxo, select};
/// let lock = spec::script::p2pkh(&[1; 20]);
/// let coin = |sats, index| Utxo {
///     outpoint: OutPoint { txid: Txid::default(), index },
///     output: TxOut::plain(Sats::from_wire(sats), lock.clone()),
/// };
/// let chosen = select(&[coin(5_000, 0), coin(90_000, 1)], &[coin(10_000, 9).output], &lock, FeeRate::RELAY_MIN).unwrap();
/// assert_eq!((chosen.coins.len(), chosen.fee.get()), (1, 219));
/// assert_eq!(chosen.change.unwrap().value.get(), 90_000 - 10_000 - 219);
/// ```
pub fn select(coins: &[Utxo], outputs: &[TxOut], change_lock: &[u8], rate: FeeRate) -> Result<Selection, ShortOfCoins> {
    let ask = Ask { outputs, change_lock, rate, fee_min: Sats::ZERO, fixed_inputs: &[], brought: Sats::ZERO };
    ask.select(coins)
}

/// What a selection has to meet.
pub(crate) struct Ask<'a> {
    pub(crate) outputs: &'a [TxOut],
    pub(crate) change_lock: &'a [u8],
    pub(crate) rate: FeeRate,
    /// The least fee, however small the transaction is.
    pub(crate) fee_min: Sats,
    /// The sizes of inputs that are there already.
    pub(crate) fixed_inputs: &'a [usize],
    /// What those inputs bring.
    pub(crate) brought: Sats,
}

impl Ask<'_> {
    pub(crate) fn select(&self, coins: &[Utxo]) -> Result<Selection, ShortOfCoins> {
        let mut usable: Vec<&Utxo> = coins.iter().filter(|coin| coin.output.token.is_none()).collect();
        usable.sort_by_key(|coin| (std::cmp::Reverse(coin.output.value), coin.outpoint));
        let mut chosen = Vec::new();
        let mut have = self.brought;
        let mut rest = usable.into_iter();
        loop {
            let need = self.need(chosen.len());
            if let Some(selection) = need.and_then(|need| self.settle(&chosen, have, need)) {
                return Ok(selection);
            }
            let short = ShortOfCoins { have, need: need.unwrap_or(Sats::MAX) };
            let next = rest.next().filter(|_| self.bytes(chosen.len() + 1, None) <= STANDARD_TX_BYTES_MAX);
            let coin = next.ok_or(short)?;
            have = have.checked_add(coin.output.value).ok_or(short)?;
            chosen.push(coin.clone());
        }
    }

    /// What outputs and fee take without change.
    fn need(&self, inputs: usize) -> Option<Sats> {
        let paid = Sats::checked_sum(self.outputs.iter().map(|output| output.value))?;
        paid.checked_add(self.fee(inputs, None))
    }

    fn settle(&self, chosen: &[Utxo], have: Sats, need: Sats) -> Option<Selection> {
        let spare = have.checked_sub(need)?;
        let least_fee = self.fee(chosen.len(), None);
        let mut change = TxOut::plain(Sats::ZERO, self.change_lock.to_vec());
        let fee = self.fee(chosen.len(), Some(&change));
        let back = spare.checked_add(least_fee)?.checked_sub(fee).filter(|back| *back >= dust_limit(&change));
        let coins = chosen.to_vec();
        Some(match back {
            Some(back) if !self.change_lock.is_empty() => {
                change.value = back;
                Selection { coins, change: Some(change), fee }
            }
            _ => Selection { coins, change: None, fee: least_fee.checked_add(spare)? },
        })
    }

    fn fee(&self, inputs: usize, change: Option<&TxOut>) -> Sats {
        self.rate.fee(self.bytes(inputs, change)).max(self.fee_min)
    }

    /// The transaction's size with this many key inputs and perhaps a change output.
    fn bytes(&self, inputs: usize, change: Option<&TxOut>) -> usize {
        let fixed: usize = self.fixed_inputs.iter().sum();
        let outputs: usize = self.outputs.iter().chain(change).map(TxOut::len_bytes).sum();
        let output_count = self.outputs.len() + usize::from(change.is_some());
        VERSION_AND_LOCKTIME_BYTES
            + count_len(self.fixed_inputs.len() + inputs)
            + fixed
            + inputs * KEY_INPUT_BYTES
            + count_len(output_count)
            + outputs
    }
}

pub(crate) fn count_len(count: usize) -> usize {
    let mut out = Vec::new();
    write_compact_size(&mut out, count as u64);
    out.len()
}

#[cfg(test)]
mod tests {
    use spec::Txid;
    use spec::token::Token;

    use super::*;

    fn coin(sats: u64, index: u32) -> Utxo {
        let output = TxOut::plain(Sats::from_wire(sats), spec::script::p2pkh(&[1; 20]));
        Utxo { outpoint: OutPoint { txid: Txid::default(), index }, output }
    }

    fn check(coins: &[u64], pay: u64) -> Result<(usize, Option<u64>, u64), ShortOfCoins> {
        let coins: Vec<Utxo> = coins.iter().zip(0..).map(|(sats, index)| coin(*sats, index)).collect();
        let lock = spec::script::p2pkh(&[2; 20]);
        let chosen = select(&coins, &[coin(pay, 0).output], &lock, FeeRate::RELAY_MIN)?;
        let brought: u64 = chosen.coins.iter().map(|coin| coin.output.value.get()).sum();
        let back = chosen.change.as_ref().map(|change| change.value.get());
        assert_eq!(brought, pay + back.unwrap_or(0) + chosen.fee.get());
        Ok((chosen.coins.len(), back, chosen.fee.get()))
    }

    /// One input and two outputs are 10 + 141 + 2·34 = 219 bytes; one output less is 185.
    #[test]
    fn fees_are_exact_and_dust_goes_to_the_miner() {
        let cases = [
            (&[100_000][..], 50_000, (1, Some(49_781), 219)),
            (&[50_185], 50_000, (1, None, 185)),
            (&[50_185 + 34 + 545], 50_000, (1, None, 764)),
            (&[50_185 + 34 + 546], 50_000, (1, Some(546), 219)),
            (&[30_000, 30_000], 50_000, (2, Some(9_640), 360)),
            (&[1_000, 80_000, 1_000], 50_000, (1, Some(29_781), 219)),
        ];
        for (coins, pay, expected) in cases {
            assert_eq!(check(coins, pay), Ok(expected), "{coins:?}");
        }
    }

    #[test]
    fn too_little_money_says_what_is_missing() {
        let short = check(&[50_000, 100], 50_000).unwrap_err();
        assert_eq!((short.have.get(), short.need.get()), (50_100, 50_000 + 10 + 2 * 141 + 34));
        assert!(check(&[], 1).is_err());
        assert!(check(&[1_000; 2_000], 900_000).is_err(), "more inputs than a standard transaction holds");
    }

    #[test]
    fn coins_with_tokens_are_left_alone() {
        let mut rich = coin(1_000_000, 0);
        rich.output.token = Some(Token { category: spec::Category::default(), amount: 1, nft: None });
        let lock = spec::script::p2pkh(&[2; 20]);
        assert!(select(&[rich], &[coin(1_000, 0).output], &lock, FeeRate::RELAY_MIN).is_err());
    }
}
