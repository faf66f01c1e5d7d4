//! Factors of points: numbers modulo the order of the group, and their halves.
//!
//! Source: Gallant, Lambert and Vanstone, "Faster point multiplication on elliptic curves with efficient endomorphisms"
//! (2001), with the constants of libsecp256k1. Multiplying a point by `λ` is multiplying its x coordinate by `β`, so a
//! factor `k` of 256 bits is written as `k1 + k2 λ` with two of at most 128 bits. They are what is left of `(k, 0)` after the
//! nearest sum of the vectors `(a1, b1)` and `(a2, b2)` is taken away, whose `a + b λ` are multiples of the order.

/// `2^256` modulo the order, least limb first.
const FOLD: [u64; 3] = [0x402d_a173_2fc9_bebf, 0x4551_2319_50b7_5fc4, 1];
const ORDER: [u64; 4] = [0xbfd2_5e8c_d036_4141, 0xbaae_dce6_af48_a03b, 0xffff_ffff_ffff_fffe, u64::MAX];

/// `a1`, which is `b2` too.
const A1: [u64; 2] = [0xe86c_90e4_9284_eb15, 0x3086_d221_a7d4_6bcd];
const MINUS_B1: [u64; 2] = [0x6f54_7fa9_0abf_e4c3, 0xe443_7ed6_010e_8828];
const A2: [u64; 3] = [0x57c1_108d_9d44_cfd8, 0x14ca_50f7_a8e2_f3f6, 1];
/// `2^384 b2` and `-2^384 b1`, divided by the order.
const G1: [u64; 4] = [0xe893_209a_45db_b031, 0x3daa_8a14_71e8_ca7f, 0xe86c_90e4_9284_eb15, 0x3086_d221_a7d4_6bcd];
const G2: [u64; 4] = [0x1571_b4ae_8ac4_7f71, 0x2212_08ac_9df5_06c6, 0x6f54_7fa9_0abf_e4c4, 0xe443_7ed6_010e_8828];

/// A number modulo the order of the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scalar([u64; 4]);

/// A sum of products, which is reduced only at its end. It holds `2^64` of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Products([u64; 8]);

/// Half of a factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Half {
    pub(crate) negative: bool,
    pub(crate) size: u128,
}

impl Scalar {
    /// A big-endian number of any size.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut limbs = [0; 4];
        for (limb, bytes) in limbs.iter_mut().rev().zip(bytes.as_chunks().0) {
            *limb = u64::from_be_bytes(*bytes);
        }
        Self(limbs)
    }

    /// The negative.
    #[must_use]
    pub fn negate(&self) -> Self {
        let mut reduced = self.0;
        if !is_below(&reduced, &ORDER) {
            subtract(&mut reduced, &ORDER);
        }
        let mut negated = ORDER;
        subtract(&mut negated, &reduced);
        Self(negated)
    }

    /// The halves `k1` and `k2` of `k1 + k2 λ`.
    pub(crate) fn split(&self) -> [Half; 2] {
        let (c1, c2) = (self.nearest(&G1), self.nearest(&G2));
        let (mut k1, mut taken) = (self.0, [0; 4]);
        add_product(&mut taken, &c1, &A1);
        add_product(&mut taken, &c2, &A2);
        subtract(&mut k1, &taken);
        let (mut k2, mut taken) = ([0; 4], [0; 4]);
        add_product(&mut k2, &c1, &MINUS_B1);
        add_product(&mut taken, &c2, &A1);
        subtract(&mut k2, &taken);
        [Half::of(k1), Half::of(k2)]
    }

    /// The whole number nearest to the product, divided by `2^384`.
    fn nearest(&self, factor: &[u64; 4]) -> [u64; 2] {
        let mut product = [0; 8];
        add_product(&mut product, &self.0, factor);
        let [.., below, low, high] = product;
        let (low, carry) = low.overflowing_add(below >> 63);
        [low, high + u64::from(carry)]
    }
}

impl Products {
    /// Adds a product.
    pub fn add(&mut self, factor: u128, number: &Scalar) {
        add_product(&mut self.0, &[factor as u64, (factor >> 64) as u64], &number.0);
    }

    /// The sum.
    #[must_use]
    pub fn total(&self) -> Scalar {
        let mut limbs = self.0;
        while let [low @ .., _, _, _, _] = limbs
            && let [_, _, _, _, high @ ..] = limbs
            && high != [0; 4]
        {
            limbs = [0; 8];
            limbs.iter_mut().zip(low).for_each(|(limb, low)| *limb = low);
            add_product(&mut limbs, &high, &FOLD);
        }
        let [total @ .., _, _, _, _] = limbs;
        Scalar(total)
    }
}

impl Half {
    /// From a number whose highest bit says that it is negative.
    fn of(mut number: [u64; 4]) -> Self {
        let negative = number.last().is_some_and(|high| high >> 63 == 1);
        if negative {
            let positive = number;
            number = [0; 4];
            subtract(&mut number, &positive);
        }
        let [low, high, ..] = number;
        Self { negative, size: u128::from(high) << 64 | u128::from(low) }
    }
}

fn is_below(a: &[u64; 4], b: &[u64; 4]) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

/// Adds `a b` to the sum, modulo what it holds.
fn add_product(sum: &mut [u64], a: &[u64], b: &[u64]) {
    for (at, a) in a.iter().enumerate() {
        let mut carry = 0;
        let others = b.iter().copied().chain(std::iter::repeat(0));
        for (slot, b) in sum.iter_mut().skip(at).zip(others) {
            let product = u128::from(*a) * u128::from(b) + u128::from(*slot) + carry;
            *slot = product as u64;
            carry = product >> 64;
        }
    }
}

/// Subtracts `b` from `a`, modulo `2^256`.
fn subtract(a: &mut [u64; 4], b: &[u64; 4]) {
    let mut borrow = false;
    for (a, b) in a.iter_mut().zip(b) {
        let (first, under) = a.overflowing_sub(*b);
        let (second, under_again) = first.overflowing_sub(u64::from(borrow));
        *a = second;
        borrow = under || under_again;
    }
}

#[cfg(test)]
mod tests {
    use dashu_int::{IBig, UBig};
    use proptest::prelude::*;

    use super::*;

    const LAMBDA: &str = "5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72";

    fn value(limbs: &[u64]) -> UBig {
        limbs.iter().rev().fold(UBig::ZERO, |sum, limb| (sum << 64) + UBig::from(*limb))
    }

    /// Any number of 32 bytes, often near the order or another edge.
    fn scalar() -> impl Strategy<Value = Scalar> {
        let near = (prop_oneof![Just(ORDER), Just([0; 4]), Just([u64::MAX; 4]), Just([0, 0, 1, 0])], -3i64..=3)
            .prop_map(|(limbs, by)| limbs.map(|limb| limb.wrapping_add_signed(by)));
        prop_oneof![3 => any::<[u64; 4]>(), 1 => near].prop_map(Scalar)
    }

    fn signed(half: Half) -> IBig {
        if half.negative { -IBig::from(half.size) } else { IBig::from(half.size) }
    }

    proptest! {
        #[test]
        fn halves_make_up_the_factor(k in scalar()) {
            let order = IBig::from(value(&ORDER));
            let lambda = IBig::from(UBig::from_be_bytes(&hex(LAMBDA)));
            let [k1, k2] = k.split();
            let whole = signed(k1) + signed(k2) * &lambda;
            prop_assert_eq!((whole - IBig::from(value(&k.0))) % &order, IBig::ZERO);
            prop_assert!(k1.size.leading_zeros() + k2.size.leading_zeros() <= 256);
        }

        #[test]
        fn sums_of_products_are_those_of_integers(terms in prop::collection::vec((any::<u128>(), scalar()), 0..20)) {
            let (mut sum, mut expected) = (Products::default(), UBig::ZERO);
            for (factor, number) in terms {
                sum.add(factor, &number);
                expected += UBig::from(factor) * value(&number.0);
            }
            prop_assert_eq!(value(&sum.total().0) % value(&ORDER), expected % value(&ORDER));
        }

        #[test]
        fn a_number_and_its_negative_are_a_multiple_of_the_order(k in scalar()) {
            prop_assert_eq!((value(&k.negate().0) + value(&k.0)) % value(&ORDER), UBig::ZERO);
        }
    }

    #[test]
    fn bytes_are_read_highest_first() {
        let bytes = std::array::from_fn(|at| at as u8 + 1);
        assert_eq!(value(&Scalar::from_bytes(&bytes).0), UBig::from_be_bytes(&bytes));
    }

    fn hex(text: &str) -> [u8; 32] {
        std::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
    }
}
