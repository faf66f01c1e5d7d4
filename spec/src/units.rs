//! Quantities with their unit in the type: coins, heights, costs.

use std::fmt;
use std::iter::Sum;

use serde::{Deserialize, Serialize};

/// Base units in one coin.
pub const SATS_PER_COIN: u64 = 100_000_000;

/// An amount of money in base units, between zero and [`Sats::MAX`].
///
/// Arithmetic is checked: money never wraps.
///
/// ```
/// use spec::Sats;
/// let pot = Sats::new(150_000_000).unwrap();
/// assert_eq!(pot.to_string(), "1.50000000");
/// assert_eq!("1.5".parse::<Sats>().unwrap(), pot);
/// assert!(Sats::MAX.checked_add(Sats::ONE).is_none());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sats(u64);

impl Sats {
    /// No money.
    pub const ZERO: Self = Self(0);
    /// The smallest amount.
    pub const ONE: Self = Self(1);
    /// All the money there can ever be: 21 million coins.
    pub const MAX: Self = Self(21_000_000 * SATS_PER_COIN);

    /// `sats` base units, or `None` above [`Sats::MAX`].
    #[must_use]
    pub const fn new(sats: u64) -> Option<Self> {
        if sats <= Self::MAX.0 { Some(Self(sats)) } else { None }
    }

    /// An amount as read from a transaction, not yet checked against the money range.
    #[must_use]
    pub const fn from_wire(sats: u64) -> Self {
        Self(sats)
    }

    /// The number of base units.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether the amount lies within the money range.
    #[must_use]
    pub const fn in_range(self) -> bool {
        self.0 <= Self::MAX.0
    }

    /// The sum, or `None` when it leaves the money range.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(Self::new)
    }

    /// The difference, or `None` when `other` is larger.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The sum of many amounts, or `None` when it leaves the money range.
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }
}

impl fmt::Display for Sats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:08}", self.0 / SATS_PER_COIN, self.0 % SATS_PER_COIN)
    }
}

/// Why a text is not an amount of coins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// The text is not a decimal number.
    #[error("an amount is a decimal number of coins with at most 8 digits after the point")]
    Syntax,
    /// The amount is above [`Sats::MAX`].
    #[error("an amount is at most 21000000 coins")]
    Range,
}

impl std::str::FromStr for Sats {
    type Err = AmountError;

    /// Reads a decimal number of coins.
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |s: &str| !s.is_empty() && s.len() <= 20 && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 8 {
            return Err(AmountError::Syntax);
        }
        let coins: u64 = whole.parse().map_err(|_| AmountError::Range)?;
        let sats: u64 = format!("{fraction:0<8}").parse().map_err(|_| AmountError::Syntax)?;
        coins
            .checked_mul(SATS_PER_COIN)
            .and_then(|base| base.checked_add(sats))
            .and_then(Self::new)
            .ok_or(AmountError::Range)
    }
}

/// The number of blocks below a block: the genesis block has height 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Height(u32);

impl Height {
    /// The genesis block's height.
    pub const GENESIS: Self = Self(0);

    /// A height.
    #[must_use]
    pub const fn new(height: u32) -> Self {
        Self(height)
    }

    /// The number of blocks below.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The next block's height.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// How many blocks lie between `earlier` and this one; zero if it is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u32 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Work done by a script, in the cost units of the rules that ran it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OpCost(u64);

impl OpCost {
    /// A cost.
    #[must_use]
    pub const fn new(cost: u64) -> Self {
        Self(cost)
    }

    /// The number of cost units.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl Sum for OpCost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        Self(costs.fold(0, |total, cost| total.saturating_add(cost.0)))
    }
}

impl fmt::Display for OpCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_print_and_parse_alike() {
        for sats in [0, 1, 546, 99_999_999, SATS_PER_COIN, Sats::MAX.get()] {
            let amount = Sats::new(sats).unwrap();
            assert_eq!(amount.to_string().parse::<Sats>(), Ok(amount));
        }
    }

    #[test]
    fn amounts_refuse_what_is_not_money() {
        for text in ["", ".", "-1", "1e8", "1.123456789", "0x1", "1.", " 1", "+1"] {
            assert_eq!(text.parse::<Sats>(), Err(AmountError::Syntax), "{text}");
        }
        for text in ["21000001", "99999999999999999999", "21000000.00000001"] {
            assert_eq!(text.parse::<Sats>(), Err(AmountError::Range), "{text}");
        }
    }
}
