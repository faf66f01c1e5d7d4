//! Whether the sum of many multiples of points is nothing.
//!
//! Source: Pippenger's method, as Bernstein, Doumen, Lange and Oosterwijk describe it in "Faster batch forgery identification"
//! (2012), with signed digits and affine additions. Factors are written in digits of a few bits, a *window* for each digit.
//! In a window, points whose digits are equal go to one bucket and are summed up there; then the buckets are, each as often as
//! its digit says. For example `5P + 4Q + 5R` has `P + R` in bucket 5, `Q` in bucket 4, and is `(P + R)` and four times
//! `(P + R) + Q`. To add two points in affine coordinates one must divide, which is more work than all else together; but the
//! additions of a round do not depend on each other, and so share one division (Montgomery's trick).

use crate::buckets::Buckets;
use crate::point::{Point, Projective};
use crate::scalar::{Half, Scalar};

/// Factors have at most so many bits; one more lets the highest digit carry.
const FACTOR_BITS: u32 = 128 + 1;

/// A window has at most so many bits: then its buckets take no more room than the points of a batch of thousands.
const WINDOW_BITS_MAX: u32 = 13;

/// What the additions of a point to a bucket and of a bucket to the others take, in products of the field.
const POINT_PRODUCTS: usize = 6;
const BUCKET_PRODUCTS: usize = 23;

/// Where there are few points, several windows are summed up together, with so many points at most: so that they share
/// divisions.
const TOGETHER: usize = 8_192;

/// A point and its factor.
#[derive(Clone, Copy, Debug)]
struct Term {
    point: Point,
    factor: u128,
}

/// A sum of multiples of points.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    terms: Vec<Term>,
}

impl Sum {
    /// A sum with room for so many multiples of either kind.
    #[must_use]
    pub fn with_capacity(short: usize, long: usize) -> Self {
        Self { terms: Vec::with_capacity(short + 2 * long) }
    }

    /// Adds a multiple.
    pub fn add(&mut self, point: Point, factor: &Scalar) {
        let [one, lambda] = factor.split();
        self.add_half(point, one);
        self.add_half(point.times_lambda(), lambda);
    }

    fn add_half(&mut self, point: Point, half: Half) {
        self.add_short(if half.negative { point.negate() } else { point }, half.size);
    }

    /// Adds a multiple with a factor of half the length, which takes half the work.
    pub fn add_short(&mut self, point: Point, factor: u128) {
        self.terms.push(Term { point, factor });
    }

    /// Whether the sum is the point at infinity.
    #[must_use]
    pub fn vanishes(&self) -> bool {
        self.total().is_infinity()
    }

    fn total(&self) -> Projective {
        let bits = window_bits(self.terms.len());
        let windows: Vec<Window> = (0..FACTOR_BITS.div_ceil(bits)).map(|at| Window { low: at * bits, bits }).collect();
        let together = (TOGETHER / self.terms.len().max(1)).max(1);
        let mut total = Projective::INFINITY;
        let mut buckets = Buckets::default();
        for windows in windows.rchunks(together) {
            for sum in sums_of_windows(&self.terms, windows, &mut buckets).iter().rev() {
                total = (0..bits).fold(total, |total, _| total.double()).add(sum);
            }
        }
        total
    }
}

/// The width of windows that takes the least work for so many points.
fn window_bits(points: usize) -> u32 {
    let work = |bits: u32| {
        let in_window = points * POINT_PRODUCTS + (BUCKET_PRODUCTS << (bits - 1));
        in_window * FACTOR_BITS.div_ceil(bits) as usize
    };
    (2..=WINDOW_BITS_MAX).min_by_key(|bits| work(*bits)).unwrap_or(WINDOW_BITS_MAX)
}

/// The bits of factors that make a digit.
#[derive(Clone, Copy, Debug)]
struct Window {
    low: u32,
    bits: u32,
}

impl Window {
    const fn buckets(self) -> usize {
        1 << (self.bits - 1)
    }

    /// The digit of a factor, between minus and plus half of `2^bits`: its own bits, the highest of which counts as negative
    /// because it is counted again in the next window, and the highest of the window below.
    const fn digit(self, factor: u128) -> i32 {
        let above_and_below = if self.low == 0 { factor << 1 } else { factor >> (self.low - 1) };
        let bits = (above_and_below & ((2 << self.bits) - 1)) as i32;
        ((bits + 1) >> 1) - ((bits >> self.bits) << self.bits)
    }

    /// The bucket of the digit, and whether the point goes there negated; no bucket for the digit zero.
    fn bucket(self, factor: u128) -> Option<(usize, bool)> {
        let digit = self.digit(factor);
        Some(((digit.unsigned_abs() as usize).checked_sub(1)?, digit < 0))
    }
}

/// For each window the sum of what is in its buckets, each as often as its number.
fn sums_of_windows(terms: &[Term], windows: &[Window], buckets: &mut Buckets) -> Vec<Projective> {
    let each = windows.first().map_or(0, |window| window.buckets());
    let points_of = |(at, window): (usize, &Window)| {
        let window = *window;
        terms.iter().filter_map(move |term| {
            let (bucket, negated) = window.bucket(term.factor)?;
            Some((at * each + bucket, negated, &term.point))
        })
    };
    buckets.fill(windows.len() * each, || windows.iter().enumerate().flat_map(points_of));
    while buckets.halve() {}
    buckets.groups(each).map(|(lens, points)| weighted(lens, points)).collect()
}

/// The sum of buckets that hold one point or none, the first once, the second twice and so on.
fn weighted(lens: &[u32], points: &[Point]) -> Projective {
    let (mut above, mut sum) = (Projective::INFINITY, Projective::INFINITY);
    let mut points = points.iter();
    for len in lens.iter().rev().skip_while(|len| **len == 0) {
        if *len > 0
            && let Some(point) = points.next_back()
        {
            above = above.add_point(point);
        }
        sum = sum.add(&above);
    }
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secp256k1::{PublicKey, SecretKey};

    use super::*;
    use crate::scalar::Products;

    /// The point with the factor `secret` of the generator, as the library computes it.
    fn point(secret: &SecretKey) -> Point {
        let bytes = secret.public_key().serialize();
        let x = bytes[1..].try_into().unwrap();
        Point::lift(&[x]).unwrap()[0].with_parity(bytes[0] == 3)
    }

    fn secret(number: u64) -> SecretKey {
        let mut bytes = [0; 32];
        bytes[24..].copy_from_slice(&number.to_be_bytes());
        // Small numbers make equal and opposite points, which meet in buckets; others are spread.
        if number > 40 {
            bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        }
        SecretKey::from_secret_bytes(bytes).unwrap()
    }

    fn scalar(secret: &SecretKey) -> Scalar {
        Scalar::from_bytes(&secret.to_secret_bytes())
    }

    /// A multiple: of which point, whether of its negative, with which factor, and whether that is a short one.
    type Multiple = (u64, bool, u128, bool);

    fn multiples() -> impl Strategy<Value = Vec<Multiple>> {
        let number = prop_oneof![1u64..5, 1..u64::MAX];
        let factor = prop_oneof![0u128..4, any::<u128>(), any::<u128>(), Just(u128::MAX)];
        let one = (number, any::<bool>(), factor, any::<bool>());
        prop_oneof![prop::collection::vec(one.clone(), 0..12), prop::collection::vec(one, 0..300)]
    }

    /// A factor with twice as many bits, unless it is a very small one.
    fn lengthened(factor: u128) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[16..].copy_from_slice(&factor.to_be_bytes());
        if factor > 3 {
            bytes[..16].copy_from_slice(&factor.rotate_left(77).to_be_bytes());
        }
        bytes
    }

    /// The sum with the multiple of the generator that it lacks to nothing.
    fn completed(multiples: &[Multiple]) -> (Sum, Products) {
        let mut sum = Sum::with_capacity(multiples.len(), multiples.len());
        let mut owed = Products::default();
        for (number, negative, factor, short) in multiples {
            let secret = secret(*number);
            let secret = if *negative { secret.negate() } else { secret };
            let point = point(&secret);
            if *short {
                sum.add_short(point, *factor);
                owed.add(*factor, &scalar(&secret));
            } else {
                let factor = Scalar::from_bytes(&lengthened(*factor));
                sum.add(point, &factor);
                owed.add(1, &product(&factor, &secret));
            }
        }
        (sum, owed)
    }

    fn product(factor: &Scalar, secret: &SecretKey) -> Scalar {
        let mut product = Products::default();
        let bytes = secret.to_secret_bytes();
        let (high, low) = bytes.split_at(16);
        let half = |half: &[u8]| u128::from_be_bytes(half.try_into().unwrap());
        product.add(half(high), factor);
        let high = product.total();
        let mut product = Products::default();
        product.add(1 << 64, &high);
        let high = product.total();
        let mut product = Products::default();
        product.add(1 << 64, &high);
        product.add(half(low), factor);
        product.total()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]

        #[test]
        fn a_sum_vanishes_with_just_the_right_multiple_of_the_generator(multiples in multiples(), by in any::<u128>()) {
            let (mut sum, owed) = completed(&multiples);
            let mut wrong = sum.clone();
            sum.add(Point::GENERATOR, &owed.total().negate());
            prop_assert!(sum.vanishes());
            let mut owed = owed;
            owed.add(by.max(1), &Scalar::from_bytes(&lengthened(1)));
            wrong.add(Point::GENERATOR, &owed.total().negate());
            prop_assert!(!wrong.vanishes());
        }

        #[test]
        fn digits_make_up_the_factor(factor in any::<u128>(), bits in 2u32..=WINDOW_BITS_MAX) {
            let mut left = factor;
            for at in (0..FACTOR_BITS.div_ceil(bits)).rev() {
                let window = Window { low: at * bits, bits };
                let digit = window.digit(factor);
                prop_assert!(digit.unsigned_abs() as usize <= window.buckets());
                left = left.wrapping_sub((i128::from(digit).cast_unsigned()).checked_shl(at * bits).unwrap_or(0));
            }
            prop_assert_eq!(left, 0);
        }
    }

    #[test]
    fn windows_grow_with_the_number_of_points() {
        assert!(Sum::default().vanishes());
        let widths: Vec<u32> = [1, 50, 400, 3_000, 12_000, 36_000, 1_000_000].map(window_bits).to_vec();
        assert!(widths.is_sorted() && widths.first() < widths.last());
    }

    #[test]
    fn points_are_those_of_the_library() {
        let order_less_one = SecretKey::from_secret_bytes([
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae,
            0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x40,
        ]);
        let less_one = order_less_one.unwrap();
        let mut sum = Sum::default();
        sum.add_short(point(&less_one), 1);
        sum.add_short(Point::GENERATOR, 1);
        assert!(sum.vanishes());
        for number in 1..60 {
            let (a, b) = (secret(number), secret(3 * number + 1));
            let both = PublicKey::combine_keys(&[&a.public_key(), &b.public_key()]).unwrap().serialize();
            let both = Point::lift(&[both[1..].try_into().unwrap()]).unwrap()[0].with_parity(both[0] == 3);
            let mut sum = Sum::default();
            sum.add_short(point(&a), 1);
            sum.add_short(point(&b), 1);
            sum.add_short(both.negate(), 1);
            assert!(sum.vanishes());
        }
    }

    #[test]
    fn coordinates_off_the_curve_are_no_points() {
        let x = |low: u8| std::array::from_fn(|at| if at == 31 { low } else { 0 });
        for low in 0..60 {
            let bytes: Vec<u8> = [&[2], x(low).as_slice()].concat();
            assert_eq!(Point::lift(&[x(low)]).is_some(), PublicKey::from_slice(&bytes).is_ok());
            let good = x(1);
            assert_eq!(Point::lift(&[good, good, x(low)]).is_some(), PublicKey::from_slice(&bytes).is_ok());
        }
        assert!(Point::lift(&[[0xff; 32]]).is_none());
    }
}
