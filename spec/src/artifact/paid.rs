//! How a reward divides the smallest pot that it settles: what stands in documentation and beside the source.

use super::RewardTable;
use crate::ratio::Ratio;
use crate::units::Sats;

/// How a pot is divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Division {
    /// The pot without the fee.
    pub pot: Sats,
    /// What each recipient gets that the source names, in output order.
    pub payouts: Vec<Payout>,
    /// The share of recipients that only a list names, if there are any.
    pub unnamed: Option<Ratio>,
    /// The sum of all shares.
    pub whole: Ratio,
}

/// What one recipient gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payout {
    /// Its path in the declaration.
    pub name: String,
    /// The reward or model that it is, if the declaration names one.
    pub to: Option<String>,
    /// Its part of every pot.
    pub share: Ratio,
    /// What it gets of this pot, and how much that is above its exact part, in sats. Nothing where recipients without a
    /// name come into the rounding.
    pub paid: Option<(Sats, Ratio)>,
    /// It takes what rounding leaves.
    pub is_last: bool,
}

impl RewardTable {
    /// How the smallest pot is divided, after the highest fee. `None` if the weights are no weights.
    ///
    /// ```
    /// use spec::Sats;
    /// use spec::artifact::{RewardSource, RewardTable, SourceSpan};
    /// let source = |name: &str, weight, rank| RewardSource {
    ///     name: name.to_owned(), param: rank, weight, rank, to: None, span: SourceSpan::default(),
    /// };
    /// let table = RewardTable {
    ///     denominator: 3,
    ///     minimum_sats: Sats::new(10_000).unwrap(),
    ///     fee_sats_max: Sats::ZERO,
    ///     sources: vec![source("a", 1, 0), source("b", 2, 1)],
    ///     list: None,
    /// };
    /// let division = table.at_minimum().unwrap();
    /// let (sats, rounding) = division.payouts[1].paid.unwrap();
    /// assert_eq!((sats.get(), rounding.signed(), division.whole.to_string()), (6667, "+1/3".to_owned(), "1".to_owned()));
    /// ```
    #[must_use]
    pub fn at_minimum(&self) -> Option<Division> {
        let pot = self.minimum_sats.checked_sub(self.fee_sats_max).unwrap_or(Sats::ZERO);
        let whole = i128::from(self.denominator);
        let part = |weight: u64| Ratio::new(weight.into(), whole);
        let divided = self.divide(pot);
        let unnamed = self.list.map_or(0, |list| list.unnamed);
        let last = self.sources.iter().map(|source| source.rank).max();
        let payout = |(at, source): (usize, &super::RewardSource)| {
            let paid = divided.as_ref().and_then(|divided| {
                let sats = *divided.get(at)?;
                // Both factors have at most 64 bits.
                let exact = i128::from(pot.get()) * i128::from(source.weight);
                Some((sats, Ratio::new(i128::from(sats.get()) * whole - exact, whole)?))
            });
            Some(Payout {
                name: source.name.clone(),
                to: source.to.clone(),
                share: part(source.weight)?,
                paid,
                is_last: unnamed == 0 && Some(source.rank) == last,
            })
        };
        let payouts = self.sources.iter().enumerate().map(payout).collect::<Option<Vec<_>>>()?;
        let sum: i128 = self.sources.iter().map(|source| i128::from(source.weight)).sum();
        let whole = Ratio::new(sum + i128::from(unnamed), whole)?;
        Some(Division { pot, payouts, unnamed: part(unnamed).filter(|_| unnamed > 0), whole })
    }
}
