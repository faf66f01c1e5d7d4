//! Numbers as sums of products with exact coefficients.

use dashu_base::{Abs, Gcd, Sign, UnsignedAbs};
use dashu_int::IBig;
use smallvec::SmallVec;

use super::term::Term;

/// What is multiplied, in ascending order; the product of nothing is the constant.
pub(super) type Factors = SmallVec<[Term; 2]>;

/// Products with their coefficients, none of which is zero, in ascending order: equal sums look equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Sum(Vec<(Factors, IBig)>);

impl Sum {
    pub(super) fn constant_of(n: IBig) -> Self {
        if n == IBig::ZERO { Self::default() } else { Self(vec![(Factors::new(), n)]) }
    }

    pub(super) fn of(term: Term) -> Self {
        Self(vec![(SmallVec::from_slice(&[term]), IBig::ONE)])
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Factors, &IBig)> {
        self.0.iter().map(|(factors, n)| (factors, n))
    }

    /// All products but the constant.
    pub(super) fn varying(&self) -> &[(Factors, IBig)] {
        match self.0.split_first() {
            // Nothing comes before everything else.
            Some(((factors, _), rest)) if factors.is_empty() => rest,
            _ => &self.0,
        }
    }

    pub(super) fn constant(&self) -> IBig {
        self.0.first().filter(|(factors, _)| factors.is_empty()).map_or(IBig::ZERO, |(_, n)| n.clone())
    }

    fn place(&self, factors: &Factors) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.cmp(factors))
    }

    pub(super) fn add(&mut self, factors: Factors, n: IBig) {
        if n == IBig::ZERO {
            return;
        }
        match self.place(&factors) {
            Ok(at) => {
                let known = self.0.get_mut(at).map(|(_, known)| {
                    *known += n;
                    *known == IBig::ZERO
                });
                if known == Some(true) {
                    self.0.remove(at);
                }
            }
            Err(at) => self.0.insert(at, (factors, n)),
        }
    }

    /// Takes a product out, and gives its coefficient.
    pub(super) fn remove(&mut self, factors: &Factors) -> IBig {
        self.place(factors).map_or(IBig::ZERO, |at| self.0.remove(at).1)
    }

    /// This and so many of another.
    pub(super) fn add_all(&mut self, other: &Self, times: &IBig) {
        other.iter().for_each(|(factors, n)| self.add(factors.clone(), n * times));
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        let mut product = Self::default();
        for (a, n) in self.iter() {
            for (b, m) in other.iter() {
                let mut factors: Factors = a.iter().chain(b).copied().collect();
                factors.sort_unstable();
                product.add(factors, n * m);
            }
        }
        product
    }

    /// The same with other coefficients, none of which is zero.
    pub(super) fn map(self, change: impl Fn(IBig) -> IBig) -> Self {
        Self(self.0.into_iter().map(|(factors, n)| (factors, change(n))).collect())
    }

    /// What divides all coefficients but the constant; zero if there are none.
    pub(super) fn common_factor(&self) -> IBig {
        self.varying().iter().fold(IBig::ZERO, |common, (_, n)| match common == IBig::ZERO {
            true => n.clone().abs(),
            false => IBig::from(common.unsigned_abs().gcd(n.clone().unsigned_abs())),
        })
    }

    /// A sum that is above zero for the same numbers, with the common factor taken out: `4x - 6` as `x - 1`.
    pub(super) fn without_factor_above_zero(self) -> Self {
        let common = self.common_factor();
        if common == IBig::ZERO || common == IBig::ONE {
            return self;
        }
        let turned = -self.constant();
        let mut out = Self(self.varying().to_vec()).map(|n| n / &common);
        // common * q + constant > 0 where q > -constant / common, so where q is above its floor.
        let mut floor = &turned / &common;
        if turned.sign() == Sign::Negative && &turned % &common != IBig::ZERO {
            floor -= IBig::ONE;
        }
        out.add(Factors::new(), -floor);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::term::Terms;

    #[test]
    fn what_cancels_is_gone_and_factors_come_out() {
        let mut terms = Terms::default();
        let [a, b] = [5, 6].map(|n| terms.int(n));
        let mut sum = Sum::of(b);
        sum.add_all(&Sum::of(a), &IBig::from(4));
        sum.add(Factors::new(), IBig::from(-6));
        assert_eq!((sum.len(), sum.constant(), sum.varying().len()), (3, IBig::from(-6), 2));
        sum.add_all(&Sum::of(b), &IBig::from(-1));
        assert_eq!(sum.common_factor(), IBig::from(4));
        let mut expected = Sum::of(a);
        expected.add(Factors::new(), IBig::from(-1));
        assert_eq!(sum.clone().without_factor_above_zero(), expected);
        assert_eq!(sum.remove(&SmallVec::from_slice(&[a])), IBig::from(4));
        assert_eq!(sum, Sum::constant_of(IBig::from(-6)));
        let square = Sum::of(a).times(&Sum::of(a));
        assert_eq!(square.iter().next(), Some((&SmallVec::from_slice(&[a, a]), &IBig::ONE)));
    }
}
