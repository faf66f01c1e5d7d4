//! Dividing a pot by weights so that nothing is lost: cumulative-nearest rounding.
//!
//! Let the weights `w_0 … w_{n-1}` sum to `D`, and let `W_i = w_0 + … + w_i`. The first `i + 1`
//! recipients together get `c_i = ⌊(pot·W_i + ⌊D/2⌋) / D⌋`, their exact sum rounded to the nearest
//! unit, so recipient `i` gets `c_i − c_{i−1}`. As `W_{n-1} = D`, the last `c` is the pot itself:
//! the shares always sum to it, whatever the weights. A share differs from `pot·w_i/D` by at most
//! one unit, and the last recipient's by at most one half.
//!
//! Worked example: 10 units by 1 : 1 : 1 give `c = 3, 7, 10`, so the shares are 3, 4, 3.

use crate::units::Sats;

/// Weights over a common denominator, each above zero, that sum to it exactly.
///
/// ```
/// use spec::{Sats, split::Weights};
/// let thirds = Weights::new(vec![1, 1, 1]).unwrap();
/// let shares = thirds.divide(Sats::new(10).unwrap());
/// assert_eq!(shares.iter().map(|share| share.get()).collect::<Vec<_>>(), [3, 4, 3]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    parts: Vec<u64>,
    denominator: u64,
}

impl Weights {
    /// Weights in settlement order; `None` if there are none, one is zero, or their sum leaves 64 bits.
    #[must_use]
    pub fn new(parts: Vec<u64>) -> Option<Self> {
        let denominator = parts.iter().try_fold(0u64, |sum, part| sum.checked_add(*part))?;
        (denominator > 0 && !parts.contains(&0)).then_some(Self { parts, denominator })
    }

    /// The sum of all weights.
    #[must_use]
    pub const fn denominator(&self) -> u64 {
        self.denominator
    }

    /// The weights.
    #[must_use]
    pub fn parts(&self) -> &[u64] {
        &self.parts
    }

    /// Each recipient's share of `pot`, in order; the shares sum to `pot`.
    #[must_use]
    pub fn divide(&self, pot: Sats) -> Vec<Sats> {
        let mut reached = 0u64;
        let mut paid = 0u64;
        self.parts
            .iter()
            .map(|part| {
                reached += part;
                let upto = nearest(pot.get(), reached, self.denominator);
                let share = Sats::from_wire(upto - paid);
                paid = upto;
                share
            })
            .collect()
    }
}

/// `pot · weight / denominator` to the nearest unit, halves upwards.
fn nearest(pot: u64, weight: u64, denominator: u64) -> u64 {
    let wide = u128::from(pot) * u128::from(weight) + u128::from(denominator / 2);
    // The weight is at most the denominator, so the quotient is at most the pot.
    u64::try_from(wide / u128::from(denominator)).unwrap_or(pot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_split_conserves_and_stays_within_one_unit_of_exact() {
        let mut seed = 7u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed >> 20
        };
        for _ in 0..2_000 {
            let parts: Vec<u64> = (0..1 + next() % 12).map(|_| 1 + next() % 1_000_000).collect();
            let weights = Weights::new(parts.clone()).unwrap();
            let pot = next() % (Sats::MAX.get() + 1);
            let shares = weights.divide(Sats::new(pot).unwrap());
            assert_eq!(shares.iter().map(|share| share.get()).sum::<u64>(), pot);
            for (share, part) in shares.iter().zip(&parts) {
                let scaled = i128::from(share.get()) * i128::from(weights.denominator());
                let exact = i128::from(pot) * i128::from(*part);
                assert!((scaled - exact).abs() <= i128::from(weights.denominator()), "{parts:?} {pot}");
            }
        }
    }

    /// A majority holder cannot starve small shares by settling many tiny pots (0xSplits audit, M-02).
    #[test]
    fn settling_in_tiny_pots_takes_nothing_from_minorities() {
        let mut parts = vec![900];
        parts.extend([1; 100]);
        let weights = Weights::new(parts).unwrap();
        let mut totals = vec![0; 101];
        for _ in 0..100 {
            let shares = weights.divide(Sats::new(999).unwrap());
            totals.iter_mut().zip(shares).for_each(|(total, share)| *total += share.get());
        }
        assert!(totals[1..].iter().all(|total| (99..=101).contains(total)), "{totals:?}");
    }

    #[test]
    fn weights_that_are_no_weights_are_refused() {
        for parts in [vec![], vec![0], vec![1, 0], vec![u64::MAX, 1]] {
            assert_eq!(Weights::new(parts), None);
        }
    }
}
