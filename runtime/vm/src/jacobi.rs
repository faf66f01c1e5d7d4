//! Whether a number is a square modulo the field's prime, by the binary Jacobi symbol.
//!
//! Source: Shallit and Sorenson, "A binary algorithm for the Jacobi symbol" (1993). The symbol `(a | n)` keeps its value,
//! up to a sign that the low bits tell, while `a` loses its factors of two, changes places with `n` and has `n`
//! subtracted. For example `(2 | 7) = 1` because 7 is 7 modulo 8, and indeed 3² = 2 modulo 7. Comparison and
//! exchange are done without branches, which could not be predicted, and numbers lose limbs as they shrink.

/// The prime of the field of secp256k1, least limb first.
const PRIME: [u64; 4] = [0xffff_fffe_ffff_fc2f, u64::MAX, u64::MAX, u64::MAX];

/// Whether the big-endian number is the square of a number that is not zero, modulo the prime.
pub(crate) fn is_square(number: &[u8; 32]) -> bool {
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().rev().zip(number.as_chunks().0) {
        *limb = u64::from_be_bytes(*bytes);
    }
    if limbs == [0; 4] {
        return false;
    }
    symbol(limbs, PRIME)
}

/// Whether the Jacobi symbol `(a | n)` is 1, for odd `n` and `a` that is not zero.
fn symbol(a: [u64; 4], n: [u64; 4]) -> bool {
    let mut state = State { a, n, flip: 0 };
    state.shrink();
    let [a0, a1, a2, _] = state.a;
    let [n0, n1, n2, _] = state.n;
    let mut state = State { a: [a0, a1, a2], n: [n0, n1, n2], flip: state.flip };
    state.shrink();
    let [a0, a1, _] = state.a;
    let [n0, n1, _] = state.n;
    let mut state = State { a: [a0, a1], n: [n0, n1], flip: state.flip };
    state.shrink();
    let [a0, _] = state.a;
    let [n0, _] = state.n;
    let mut state = State { a: [a0], n: [n0], flip: state.flip };
    state.shrink();
    // What is left of `n` is the greatest common divisor.
    state.n == [1] && state.flip & 1 == 0
}

/// Two numbers whose symbol is wanted, and in the lowest bit whether its sign has changed.
struct State<const N: usize> {
    a: [u64; N],
    n: [u64; N],
    flip: u64,
}

impl<const N: usize> State<N> {
    /// Reduces until both numbers have a limb less; with one limb, until `a` is zero.
    fn shrink(&mut self) {
        while self.a != [0; N] && (N == 1 || (self.top(self.a) | self.top(self.n)) != 0) {
            self.drop_twos();
            self.subtract();
        }
    }

    fn top(&self, number: [u64; N]) -> u64 {
        number.last().copied().unwrap_or(0)
    }

    fn low(number: [u64; N]) -> u64 {
        number.first().copied().unwrap_or(0)
    }

    /// Makes `a` odd. Two is a square modulo `n` unless `n` is 3 or 5 modulo 8.
    fn drop_twos(&mut self) {
        while Self::low(self.a) == 0 {
            // 64 factors of two change no sign.
            self.a.rotate_left(1);
        }
        let zeros = Self::low(self.a).trailing_zeros();
        let low = Self::low(self.n);
        self.flip ^= u64::from(zeros) & ((low >> 1) ^ (low >> 2));
        let mut above = 0;
        for limb in self.a.iter_mut().rev() {
            let old = *limb;
            *limb = (old >> zeros) | (above << 1 << (63 - zeros));
            above = old;
        }
    }

    /// Replaces the larger number by the difference and calls that `a`. Exchanging two odd numbers changes the sign
    /// if both are 3 modulo 4.
    fn subtract(&mut self) {
        let mut difference = self.a;
        let mut borrow = 0u64;
        for (limb, other) in difference.iter_mut().zip(self.n) {
            let (first, under) = limb.overflowing_sub(other);
            let (second, under_again) = first.overflowing_sub(borrow);
            *limb = second;
            borrow = u64::from(under | under_again);
        }
        let mask = borrow.wrapping_neg();
        self.flip ^= mask & (Self::low(self.a) & Self::low(self.n)) >> 1;
        for (n, a) in self.n.iter_mut().zip(self.a) {
            *n ^= (*n ^ a) & mask;
        }
        let mut carry = borrow;
        for limb in &mut difference {
            let (negated, over) = (*limb ^ mask).overflowing_add(carry);
            *limb = negated;
            carry = u64::from(over);
        }
        self.a = difference;
    }
}

#[cfg(test)]
mod tests {
    use dashu_int::UBig;
    use dashu_int::fast_div::ConstDivisor;

    use super::*;

    fn euler(number: &[u8; 32]) -> bool {
        let words: Vec<u8> = PRIME.iter().flat_map(|limb| limb.to_le_bytes()).collect();
        let prime = UBig::from_le_bytes(&words);
        let half = (&prime - UBig::ONE) >> 1;
        let ring = ConstDivisor::new(prime);
        ring.reduce(UBig::from_be_bytes(number)).pow(&half).residue() == UBig::ONE
    }

    #[test]
    fn squares_are_those_of_eulers_criterion() {
        let mut numbers: Vec<[u8; 32]> = (0..600u32).map(|seed| spec::hash::sha256(&seed.to_le_bytes())).collect();
        for small in 0..130u8 {
            let mut number = [0; 32];
            number[31] = small;
            numbers.push(number);
            number[usize::from(small) % 32] |= 1 << (small % 8);
            numbers.push(number);
        }
        let mut largest: [u8; 32] = [0xff; 32];
        largest[27..].copy_from_slice(&[0xfe, 0xff, 0xff, 0xfc, 0x2e]);
        numbers.push(largest);
        for number in numbers {
            assert_eq!(is_square(&number), euler(&number), "{number:?}");
        }
    }

    #[test]
    fn the_symbol_agrees_with_counting_for_small_primes() {
        for prime in [3u64, 5, 7, 11, 13, 17, 101, 65_537] {
            for a in 1..prime.min(200) {
                let square = (1..prime).any(|root| root * root % prime == a);
                assert_eq!(symbol([a, 0, 0, 0], [prime, 0, 0, 0]), square, "{a} mod {prime}");
            }
        }
    }
}
