//! Numbers of up to 128 bytes in fixed arrays of limbs, for engines other than the interpreter: that one computes on bytes,
//! with machine integers and with a library, so that each is a check of the other.

/// Limbs of the longest number.
pub(crate) const LIMBS: usize = 16;
/// Bytes of the longest number.
pub(crate) const BYTES: usize = 8 * LIMBS;

/// A magnitude, lowest limb first, and how many limbs it has without leading zeros.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Magnitude {
    limbs: [u64; LIMBS],
    len: usize,
}

impl Magnitude {
    pub(crate) const ZERO: Self = Self { limbs: [0; LIMBS], len: 0 };

    #[inline]
    pub(crate) fn set_small(&mut self, n: u64) {
        if let Some(first) = self.limbs.first_mut() {
            *first = n;
        }
        self.trim(1);
    }

    /// Becomes the magnitude of a number of up to [`BYTES`] bytes, lowest first, of which the highest bit is the sign, and
    /// gives whether that is set. Was zero before.
    #[inline]
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Option<bool> {
        let (whole, rest) = bytes.as_chunks();
        for (limb, bytes) in self.limbs.iter_mut().zip(whole) {
            *limb = u64::from_le_bytes(*bytes);
        }
        if !rest.is_empty() {
            *self.limbs.get_mut(whole.len())? = rest.iter().rev().fold(0, |limb, byte| limb << 8 | u64::from(*byte));
        }
        let last = bytes.len().checked_sub(1)?;
        let limb = self.limbs.get_mut(last / 8)?;
        let sign = 0x80 << (8 * (last % 8));
        let is_set = *limb & sign != 0;
        *limb &= !sign;
        self.trim(last / 8 + 1);
        Some(is_set)
    }

    /// Counts the limbs, of which there are at most so many.
    #[inline]
    fn trim(&mut self, most: usize) {
        let used = self.limbs.get(..most).unwrap_or(&self.limbs);
        self.len = used.iter().rposition(|limb| *limb != 0).map_or(0, |last| last + 1);
    }

    #[inline]
    fn used(&self) -> &[u64] {
        self.limbs.get(..self.len).unwrap_or(&self.limbs)
    }

    /// Writes the bytes, lowest first, and gives how many there are.
    #[inline]
    pub(crate) fn write(&self, bytes: &mut [u8; BYTES]) -> usize {
        for (bytes, limb) in bytes.as_chunks_mut().0.iter_mut().zip(self.used()) {
            *bytes = limb.to_le_bytes();
        }
        let bits = self.used().last().map_or(0, |last| 64 * self.len - last.leading_zeros() as usize);
        bits.div_ceil(8)
    }

    /// Adds the other.
    pub(crate) fn add(&mut self, other: &Self) -> Option<()> {
        let (mut carry, most) = (false, self.len.max(other.len) + 1);
        for (a, b) in self.limbs.iter_mut().zip(other.limbs).take(most) {
            let (sum, over) = a.overflowing_add(b);
            let (sum, again) = sum.overflowing_add(carry.into());
            (*a, carry) = (sum, over || again);
        }
        self.trim(most);
        (!carry).then_some(())
    }

    /// Becomes the distance from the other, and gives whether it was below that.
    pub(crate) fn subtract(&mut self, other: &Self) -> bool {
        let below = self.limbs.iter().rev().lt(other.limbs.iter().rev());
        let (mut borrow, most) = (false, self.len.max(other.len));
        for (a, b) in self.limbs.iter_mut().zip(other.limbs).take(most) {
            let (more, less) = if below { (b, *a) } else { (*a, b) };
            let (difference, under) = more.overflowing_sub(less);
            let (difference, again) = difference.overflowing_sub(borrow.into());
            (*a, borrow) = (difference, under || again);
        }
        self.trim(most);
        below
    }

    /// The product, in `out`, which is zero before.
    pub(crate) fn multiply(&self, other: &Self, out: &mut Self) -> Option<()> {
        if self.len + other.len > LIMBS {
            return None;
        }
        for (at, a) in self.used().iter().enumerate() {
            let mut carry = 0;
            let product = out.limbs.get_mut(at..)?;
            for (limb, b) in product.iter_mut().zip(other.used()) {
                (*limb, carry) = a.carrying_mul_add(*b, *limb, carry);
            }
            *product.get_mut(other.len)? = carry;
        }
        out.trim(self.len + other.len);
        Some(())
    }

    /// The quotient, in `quotient`, which is zero before; becomes the remainder. `None` if the divisor is zero.
    pub(crate) fn divide(&mut self, divisor: &Self, quotient: &mut Self) -> Option<()> {
        let last = divisor.used().last()?;
        if self.len < divisor.len {
            return Some(());
        }
        // Both are shifted so that the highest bit of the divisor is set.
        let shift = last.leading_zeros();
        let (mut rest, mut by) = ([0; LIMBS + 1], [0; LIMBS + 1]);
        shift_left(self.used(), shift, &mut rest);
        shift_left(divisor.used(), shift, &mut by);
        let by = by.get(..divisor.len)?;
        let high = Divisor::new(*by.last()?);
        for at in (0..=self.len - divisor.len).rev() {
            *quotient.limbs.get_mut(at)? = digit(rest.get_mut(at..=at + divisor.len)?, by, &high)?;
        }
        quotient.trim(self.len - divisor.len + 1);
        let shifted = rest.iter().zip(rest.iter().skip(1)).map(|(low, high)| match shift {
            0 => *low,
            shift => low >> shift | high << (64 - shift),
        });
        self.limbs.iter_mut().zip(shifted).take(self.len).for_each(|(limb, shifted)| *limb = shifted);
        self.trim(divisor.len);
        Some(())
    }
}

#[inline]
fn shift_left(limbs: &[u64], shift: u32, out: &mut [u64; LIMBS + 1]) {
    let mut carry = 0;
    for (out, limb) in out.iter_mut().zip(limbs.iter().copied().chain([0])) {
        *out = limb << shift | carry;
        carry = if shift == 0 { 0 } else { limb >> (64 - shift) };
    }
}

/// One digit of a quotient. `rest`, one limb longer than the divisor `by`, becomes what is left.
fn digit(rest: &mut [u64], by: &[u64], high: &Divisor) -> Option<u64> {
    let [.., u1, u2] = *rest else { return None };
    let mut digit = if u2 >= high.d {
        u64::MAX
    } else {
        let (mut digit, mut left) = high.divide(u2, u1);
        // The next limb tells whether that is too high.
        if let ([.., v, _], [.., u0, _, _]) = (by, &*rest) {
            while u128::from(digit) * u128::from(*v) > (u128::from(left) << 64 | u128::from(*u0)) {
                digit -= 1;
                let (more, over) = left.overflowing_add(high.d);
                left = more;
                if over {
                    break;
                }
            }
        }
        digit
    };
    let mut carry = 0;
    let mut borrow = false;
    for (limb, v) in rest.iter_mut().zip(by.iter().copied().chain([0])) {
        let (low, more) = digit.carrying_mul_add(v, carry, 0);
        carry = more;
        let (difference, under) = limb.overflowing_sub(low);
        let (difference, again) = difference.overflowing_sub(borrow.into());
        (*limb, borrow) = (difference, under || again);
    }
    // It was too high by one or two after all.
    while borrow {
        digit -= 1;
        let mut carry = false;
        for (limb, v) in rest.iter_mut().zip(by.iter().copied().chain([0])) {
            let (sum, over) = limb.overflowing_add(v);
            let (sum, again) = sum.overflowing_add(carry.into());
            (*limb, carry) = (sum, over || again);
        }
        borrow = !carry;
    }
    Some(digit)
}

/// A limb whose highest bit is set, and what makes dividing by it a product.
struct Divisor {
    d: u64,
    /// The reciprocal: the quotient of 2¹²⁸ − 1 by it, less 2⁶⁴.
    reciprocal: u64,
}

impl Divisor {
    fn new(d: u64) -> Self {
        Self { d, reciprocal: (u128::MAX / u128::from(d)) as u64 }
    }

    /// The quotient and remainder of two limbs, of which the high one is below the divisor.
    const fn divide(&self, high: u64, low: u64) -> (u64, u64) {
        let guess = self.reciprocal as u128 * high as u128 + ((high as u128) << 64 | low as u128);
        let mut quotient = ((guess >> 64) as u64).wrapping_add(1);
        let mut rest = low.wrapping_sub(quotient.wrapping_mul(self.d));
        if rest > guess as u64 {
            quotient = quotient.wrapping_sub(1);
            rest = rest.wrapping_add(self.d);
        }
        if rest >= self.d {
            quotient = quotient.wrapping_add(1);
            rest -= self.d;
        }
        (quotient, rest)
    }
}

#[cfg(test)]
mod tests {
    use dashu_int::UBig;

    use super::*;

    /// Magnitudes at random, with many limbs of only zeros or ones.
    fn drawn(seed: &mut u64) -> Vec<u8> {
        let mut next = || {
            *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *seed >> 33
        };
        let len = next() as usize % (BYTES + 1);
        let mut bytes: Vec<u8> = (0..len).map(|_| next() as u8).collect();
        for chunk in bytes.chunks_mut(8) {
            match next() % 4 {
                0 => chunk.fill(0),
                1 => chunk.fill(0xff),
                _ => {}
            }
        }
        bytes
    }

    fn big(n: &Magnitude) -> UBig {
        let mut bytes = [0; BYTES];
        let len = n.write(&mut bytes);
        UBig::from_le_bytes(bytes.get(..len).unwrap())
    }

    fn magnitude(bytes: &[u8]) -> Magnitude {
        let mut new = Magnitude::ZERO;
        // There is a sign.
        assert_eq!(new.read(bytes), bytes.last().map(|last| *last >= 0x80));
        new
    }

    #[test]
    fn limbs_compute_what_the_library_computes() {
        let mut seed = 7;
        for _ in 0..100_000 {
            let (a, b) = (drawn(&mut seed), drawn(&mut seed));
            let (a, b) = (magnitude(&a), magnitude(&b));
            let (x, y) = (big(&a), big(&b));
            let mut sum = a;
            if sum.add(&b).is_some() {
                assert_eq!(big(&sum), &x + &y);
            }
            let mut difference = a;
            let below = difference.subtract(&b);
            assert_eq!((big(&difference), below), (if x < y { &y - &x } else { &x - &y }, x < y));
            let mut product = Magnitude::ZERO;
            if a.multiply(&b, &mut product).is_some() {
                assert_eq!(big(&product), &x * &y);
            }
            let (mut rest, mut quotient) = (a, Magnitude::ZERO);
            match rest.divide(&b, &mut quotient) {
                None => assert_eq!(y, UBig::ZERO),
                Some(()) => assert_eq!((big(&quotient), big(&rest)), (&x / &y, &x % &y)),
            }
        }
    }

    #[test]
    fn numbers_are_read_with_their_sign() {
        let mut seed = 9;
        for _ in 0..10_000 {
            let mut bytes = drawn(&mut seed);
            let read = magnitude(&bytes);
            if let Some(last) = bytes.last_mut() {
                *last &= 0x7f;
            }
            assert_eq!(big(&read), UBig::from_le_bytes(&bytes));
        }
    }
}
