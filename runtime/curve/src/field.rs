//! Numbers modulo the prime of secp256k1's field, `2^256 - 0x1000003d1`.
//!
//! A number is four words and any number below `2^256`: it may be the prime or a little above, and whoever asks for a parity
//! or whether it is zero looks at that. What overflows the highest word comes back at the lowest, `0x1000003d1` times. Limbs
//! with spare bits would save carries, but the double shifts that they need are slow on many processors: so their
//! products take half as long again.

/// `2^256` modulo the prime.
const FOLD: u64 = 0x1_0000_03d1;
/// The prime, least word first.
const PRIME: [u64; 4] = [FOLD.wrapping_neg(), u64::MAX, u64::MAX, u64::MAX];

/// A number modulo the prime.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field([u64; 4]);

/// The two words of a product, the lower first.
#[inline(always)]
fn product(a: u64, b: u64) -> (u64, u64) {
    a.carrying_mul(b, 0)
}

/// Adds `a b` to a sum of four words. Gives the lowest word, and the four above it.
#[inline(always)]
fn add_product([s0, s1, s2, s3]: [u64; 4], a: u64, [b0, b1, b2, b3]: [u64; 4]) -> (u64, [u64; 4]) {
    let (p0, p1, p2, p3) = (product(a, b0), product(a, b1), product(a, b2), product(a, b3));
    let (s0, carry) = s0.carrying_add(p0.0, false);
    let (s1, carry) = s1.carrying_add(p1.0, carry);
    let (s2, carry) = s2.carrying_add(p2.0, carry);
    let (s3, carry) = s3.carrying_add(p3.0, carry);
    let s4 = p3.1 + u64::from(carry);
    let (s1, carry) = s1.carrying_add(p0.1, false);
    let (s2, carry) = s2.carrying_add(p1.1, carry);
    let (s3, carry) = s3.carrying_add(p2.1, carry);
    (s0, [s1, s2, s3, s4 + u64::from(carry)])
}

/// Adds six words to seven, whose sum is seven.
#[inline(always)]
fn add_six([a0, a1, a2, a3, a4, a5, a6]: [u64; 7], [b0, b1, b2, b3, b4, b5]: [u64; 6]) -> ([u64; 6], u64) {
    let (s0, carry) = a0.carrying_add(b0, false);
    let (s1, carry) = a1.carrying_add(b1, carry);
    let (s2, carry) = a2.carrying_add(b2, carry);
    let (s3, carry) = a3.carrying_add(b3, carry);
    let (s4, carry) = a4.carrying_add(b4, carry);
    let (s5, carry) = a5.carrying_add(b5, carry);
    ([s0, s1, s2, s3, s4, s5], a6 + u64::from(carry))
}

impl Field {
    pub(crate) const ZERO: Self = Self([0; 4]);
    pub(crate) const ONE: Self = Self([1, 0, 0, 0]);

    /// The number with these words, least first.
    pub(crate) const fn from_words(words: [u64; 4]) -> Self {
        Self(words)
    }

    /// A big-endian number; `None` unless it is below the prime.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().rev().zip(bytes.as_chunks().0) {
            *word = u64::from_be_bytes(*bytes);
        }
        let number = Self(words);
        (number.canonical() == words).then_some(number)
    }

    #[inline(always)]
    pub(crate) fn add(&self, other: &Self) -> Self {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, other.0);
        let (s0, carry) = a0.carrying_add(b0, false);
        let (s1, carry) = a1.carrying_add(b1, carry);
        let (s2, carry) = a2.carrying_add(b2, carry);
        let (s3, carry) = a3.carrying_add(b3, carry);
        Self::folded([s0, s1, s2, s3], u64::from(carry) * FOLD)
    }

    /// The sum of four words and one, which is at most a few times [`FOLD`].
    #[inline(always)]
    fn folded([s0, s1, s2, s3]: [u64; 4], fold: u64) -> Self {
        let (s0, carry) = s0.carrying_add(fold, false);
        let (s1, carry) = s1.carrying_add(0, carry);
        let (s2, carry) = s2.carrying_add(0, carry);
        let (s3, carry) = s3.carrying_add(0, carry);
        // After a carry little is left, so this one cannot carry.
        Self([s0 + u64::from(carry) * FOLD, s1, s2, s3])
    }

    #[inline(always)]
    pub(crate) fn sub(&self, other: &Self) -> Self {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, other.0);
        let (d0, borrow) = a0.borrowing_sub(b0, false);
        let (d1, borrow) = a1.borrowing_sub(b1, borrow);
        let (d2, borrow) = a2.borrowing_sub(b2, borrow);
        let (d3, borrow) = a3.borrowing_sub(b3, borrow);
        let (d0, borrow) = d0.borrowing_sub(u64::from(borrow) * FOLD, false);
        let (d1, borrow) = d1.borrowing_sub(0, borrow);
        let (d2, borrow) = d2.borrowing_sub(0, borrow);
        let (d3, borrow) = d3.borrowing_sub(0, borrow);
        // After a borrow little is lacking, so this one cannot borrow.
        Self([d0 - u64::from(borrow) * FOLD, d1, d2, d3])
    }

    pub(crate) fn negate(&self) -> Self {
        Self::ZERO.sub(self)
    }

    /// So many times the number, for factors below `2^24`.
    #[inline(always)]
    pub(crate) fn times(&self, small: u64) -> Self {
        let [a0, a1, a2, a3] = self.0;
        let (s0, carry) = a0.carrying_mul(small, 0);
        let (s1, carry) = a1.carrying_mul(small, carry);
        let (s2, carry) = a2.carrying_mul(small, carry);
        let (s3, carry) = a3.carrying_mul(small, carry);
        Self::folded([s0, s1, s2, s3], carry * FOLD)
    }

    /// The words of the number below the prime.
    fn canonical(&self) -> [u64; 4] {
        let [a0, a1, a2, a3] = self.0;
        // Adding what the prime lacks to 2^256 gets there just if the number is not below it.
        let (b0, carry) = a0.carrying_add(FOLD, false);
        let (b1, carry) = a1.carrying_add(0, carry);
        let (b2, carry) = a2.carrying_add(0, carry);
        let (b3, carry) = a3.carrying_add(0, carry);
        if carry { [b0, b1, b2, b3] } else { self.0 }
    }

    /// Whether the number is a multiple of the prime.
    #[inline(always)]
    pub(crate) fn is_zero(&self) -> bool {
        self.0 == [0; 4] || self.0 == PRIME
    }

    pub(crate) fn is_odd(&self) -> bool {
        let [low, ..] = self.canonical();
        low & 1 == 1
    }

    #[inline(always)]
    pub(crate) fn mul(&self, other: &Self) -> Self {
        let [a0, a1, a2, a3] = self.0;
        let (r0, sum) = add_product([0; 4], a0, other.0);
        let (r1, sum) = add_product(sum, a1, other.0);
        let (r2, sum) = add_product(sum, a2, other.0);
        let (r3, high) = add_product(sum, a3, other.0);
        Self::reduced([r0, r1, r2, r3], high)
    }

    #[inline(always)]
    pub(crate) fn square(&self) -> Self {
        let [a0, a1, a2, a3] = self.0;
        // The products of unlike words.
        let (p1, (p2, p3)) = (product(a0, a1), (product(a0, a2), product(a0, a3)));
        let (q3, q4, q5) = (product(a1, a2), product(a1, a3), product(a2, a3));
        let (x2, carry) = p2.0.carrying_add(p1.1, false);
        let (x3, carry) = p3.0.carrying_add(p2.1, carry);
        let (x4, carry) = q4.0.carrying_add(p3.1, carry);
        let (x5, carry) = q5.0.carrying_add(q4.1, carry);
        let x6 = q5.1 + u64::from(carry);
        let (x3, carry) = x3.carrying_add(q3.0, false);
        let (x4, carry) = x4.carrying_add(q3.1, carry);
        let (x5, carry) = x5.carrying_add(0, carry);
        let (x1, x6) = (p1.0, x6 + u64::from(carry));
        // The squares of the words, and twice those products: to add twice is faster than to double, which is a double shift.
        let ((r0, s1), (s2, s3)) = (product(a0, a0), product(a1, a1));
        let ((s4, s5), (s6, s7)) = (product(a2, a2), product(a3, a3));
        let ([r1, r2, r3, r4, r5, r6], s7) = add_six([s1, s2, s3, s4, s5, s6, s7], [x1, x2, x3, x4, x5, x6]);
        let ([r1, r2, r3, r4, r5, r6], r7) = add_six([r1, r2, r3, r4, r5, r6, s7], [x1, x2, x3, x4, x5, x6]);
        Self::reduced([r0, r1, r2, r3], [r4, r5, r6, r7])
    }

    /// The number of eight words.
    #[inline(always)]
    fn reduced([l0, l1, l2, l3]: [u64; 4], [h0, h1, h2, h3]: [u64; 4]) -> Self {
        let (p0, p1, p2, p3) = (product(h0, FOLD), product(h1, FOLD), product(h2, FOLD), product(h3, FOLD));
        let (s0, carry) = l0.carrying_add(p0.0, false);
        let (s1, carry) = l1.carrying_add(p1.0, carry);
        let (s2, carry) = l2.carrying_add(p2.0, carry);
        let (s3, carry) = l3.carrying_add(p3.0, carry);
        let above = p3.1 + u64::from(carry);
        let (s1, carry) = s1.carrying_add(p0.1, false);
        let (s2, carry) = s2.carrying_add(p1.1, carry);
        let (s3, carry) = s3.carrying_add(p2.1, carry);
        // This is below 2^34, and so its product takes a little more than a word.
        let fold = product(above + u64::from(carry), FOLD);
        let (s0, carry) = s0.carrying_add(fold.0, false);
        let (s1, carry) = s1.carrying_add(fold.1, carry);
        let (s2, carry) = s2.carrying_add(0, carry);
        let (s3, carry) = s3.carrying_add(0, carry);
        // After a carry less than 2^68 is left.
        let (s0, carry) = s0.carrying_add(if carry { FOLD } else { 0 }, false);
        Self([s0, s1 + u64::from(carry), s2, s3])
    }

    /// The inverse of a number that is not zero; zero for zero.
    pub(crate) fn invert(&self) -> Self {
        let powers = Powers::of([*self]);
        let power = powers.ones_223.squared(23).mul(&powers.ones_22).squared(5).mul(&powers.one);
        let Lanes([inverse]) = power.squared(3).mul(&powers.ones_2).squared(2).mul(&powers.one);
        inverse
    }

    /// For each number the root that is itself a square, if it has any: then that is its power to a quarter of the prime
    /// and one. Several at once, because each alone is one long chain of products that wait for each other.
    pub(crate) fn roots<const N: usize>(numbers: [Self; N]) -> [Option<Self>; N] {
        let powers = Powers::of(numbers);
        let power = powers.ones_223.squared(23).mul(&powers.ones_22).squared(6).mul(&powers.ones_2);
        let Lanes(mut roots) = power.squared(2);
        let Lanes(squares) = Lanes(roots).squared(1);
        let mut found = [None; N];
        for (found, ((root, square), number)) in found.iter_mut().zip(roots.iter_mut().zip(squares).zip(numbers)) {
            *found = square.sub(&number).is_zero().then_some(*root);
        }
        found
    }
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

/// Numbers on which the same is done.
#[derive(Clone, Copy)]
struct Lanes<const N: usize>([Field; N]);

impl<const N: usize> Lanes<N> {
    fn mul(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a = a.mul(b));
        self
    }

    /// Squared so many times.
    fn squared(mut self, times: usize) -> Self {
        for _ in 0..times {
            self.0.iter_mut().for_each(|a| *a = a.square());
        }
        self
    }
}

/// Powers whose exponents are so many ones in binary; those that roots and inverses are made of.
struct Powers<const N: usize> {
    one: Lanes<N>,
    ones_2: Lanes<N>,
    ones_22: Lanes<N>,
    ones_223: Lanes<N>,
}

impl<const N: usize> Powers<N> {
    fn of(numbers: [Field; N]) -> Self {
        let one = Lanes(numbers);
        let ones_2 = one.squared(1).mul(&one);
        let ones_3 = ones_2.squared(1).mul(&one);
        let ones_6 = ones_3.squared(3).mul(&ones_3);
        let ones_9 = ones_6.squared(3).mul(&ones_3);
        let ones_11 = ones_9.squared(2).mul(&ones_2);
        let ones_22 = ones_11.squared(11).mul(&ones_11);
        let ones_44 = ones_22.squared(22).mul(&ones_22);
        let ones_88 = ones_44.squared(44).mul(&ones_44);
        let ones_176 = ones_88.squared(88).mul(&ones_88);
        let ones_220 = ones_176.squared(44).mul(&ones_44);
        let ones_223 = ones_220.squared(3).mul(&ones_3);
        Self { one, ones_2, ones_22, ones_223 }
    }
}

#[cfg(test)]
mod tests {
    use dashu_int::UBig;
    use proptest::prelude::*;

    use super::*;

    fn prime() -> UBig {
        (UBig::ONE << 256) - UBig::from(FOLD)
    }

    fn value(number: Field) -> UBig {
        number.0.iter().rev().fold(UBig::ZERO, |sum, word| (sum << 64) + UBig::from(*word))
    }

    /// Any number of four words, often near an edge.
    fn number() -> impl Strategy<Value = Field> {
        let word = || prop_oneof![2 => any::<u64>(), 1 => Just(0), 1 => Just(u64::MAX)];
        let near = (prop_oneof![Just(PRIME), Just([0; 4]), Just([u64::MAX; 4])], -3i64..=3);
        let near = near.prop_map(|([low, rest @ ..], by)| {
            let [a, b, c] = rest;
            [low.wrapping_add_signed(by), a, b, c]
        });
        prop_oneof![3 => [word(), word(), word(), word()], 1 => near].prop_map(Field)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn arithmetic_is_that_of_integers(a in number(), b in number()) {
            let (x, y, p) = (value(a), value(b), prime());
            for (found, expected) in [
                (a.mul(&b), &x * &y),
                (a.square(), &x * &x),
                (a.add(&b), &x + &y),
                (a.sub(&b), &x + &p + &p - &y),
                (a.negate(), &p + &p - &x),
                (a.times(21), &x * UBig::from(21u8)),
            ] {
                prop_assert_eq!(value(found) % &p, expected % &p);
            }
            prop_assert_eq!(value(Field(a.canonical())), &x % &p);
            prop_assert_eq!(a.is_zero(), (&x % &p).is_zero());
            prop_assert_eq!(a == b, &x % &p == &y % &p);
            prop_assert!(a.sub(&a).is_zero() && a.add(&a.negate()).is_zero());
        }
    }

    proptest! {
        #[test]
        fn inverses_and_roots_undo_products(a in number(), b in number()) {
            prop_assert!(a.is_zero() || a.mul(&a.invert()) == Field::ONE);
            let (square, other) = (a.square(), b.square());
            let minus = other.negate();
            let [root, of_other, none] = Field::roots([square, other, minus]);
            let (root, of_other) = (root.unwrap(), of_other.unwrap());
            prop_assert!(root.square() == square && of_other.square() == other);
            // The root that is found is a square, and so has a root itself.
            prop_assert!(Field::roots([root])[0].is_some());
            prop_assert_eq!(none.is_some(), b.is_zero());
        }
    }

    #[test]
    fn bytes_are_numbers_below_the_prime() {
        let largest: [u8; 32] = (prime() - UBig::ONE).to_be_bytes().as_ref().try_into().unwrap();
        assert!(Field::from_bytes(&largest).unwrap() == Field::ONE.negate());
        assert!(Field::from_bytes(&largest).unwrap().add(&Field::ONE).is_zero());
        let at: [u8; 32] = prime().to_be_bytes().as_ref().try_into().unwrap();
        assert!(Field::from_bytes(&at).is_none() && Field::from_bytes(&[0xff; 32]).is_none());
        assert!(Field::from_bytes(&[0; 32]).unwrap().is_zero());
        for seed in 0..32u8 {
            let bytes: [u8; 32] = std::array::from_fn(|at| (at as u8).wrapping_mul(151) ^ seed.wrapping_mul(97));
            let number = Field::from_bytes(&bytes).unwrap();
            assert_eq!(value(number), UBig::from_be_bytes(&bytes));
            assert_eq!(number.is_odd(), bytes[31] & 1 == 1);
        }
    }
}
