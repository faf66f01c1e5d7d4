//! Sums and orders of script numbers of any length, on their bytes.
//!
//! A number's encoding is its magnitude, lowest byte first, with the sign in the highest bit; the shortest one is the only
//! one. So a longer encoding is a larger magnitude, and neither sums nor comparisons need another form of the numbers.

use std::cmp::Ordering;

/// Whether an encoding has the sign set.
pub(crate) fn is_negative(bytes: &[u8]) -> bool {
    bytes.last().is_some_and(|last| last & 0x80 != 0)
}

/// The order of two numbers in their shortest encodings.
pub(crate) fn order(a: &[u8], b: &[u8]) -> Ordering {
    match (is_negative(a), is_negative(b)) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => order_magnitudes(a, b),
        (true, true) => order_magnitudes(b, a),
    }
}

/// The order of their magnitudes.
pub(crate) fn order_magnitudes(a: &[u8], b: &[u8]) -> Ordering {
    if a.len() != b.len() {
        return a.len().cmp(&b.len());
    }
    // Words from the highest on, the first without its sign; what is left below them is less than a word.
    let ((a_low, a_words), (b_low, b_words)) = (a.as_rchunks::<8>(), b.as_rchunks::<8>());
    let low = || top(a_low, a_low.len()).cmp(&top(b_low, b_low.len()));
    let (Some((a_first, a_words)), Some((b_first, b_words))) = (a_words.split_last(), b_words.split_last()) else {
        return low();
    };
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    (word(a_first) << 1)
        .cmp(&(word(b_first) << 1))
        .then_with(|| a_words.iter().rev().map(word).cmp(b_words.iter().rev().map(word)))
        .then_with(|| a_low.iter().rev().cmp(b_low.iter().rev()))
}

/// The highest `count` bytes of an encoding as a word, without the sign.
fn top(bytes: &[u8], count: usize) -> u64 {
    let Some(unused) = 8usize.checked_sub(count).filter(|_| count > 0) else { return 0 };
    let word = match bytes.last_chunk::<8>() {
        Some(last) => u64::from_le_bytes(*last) >> (8 * unused),
        None => bytes.iter().rev().take(count).fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    word & u64::MAX >> (8 * unused + 1)
}

/// Adds the magnitude of `other` to the magnitude `sum` of whole words, which has room for the result.
pub(crate) fn add(sum: &mut [u8], other: &[u8]) {
    combine(sum, other, |word, other, carry| {
        let (sum, first) = word.overflowing_add(other);
        let (sum, second) = sum.overflowing_add(u64::from(carry));
        (sum, first || second)
    });
}

/// Takes the magnitude of `other` from the magnitude `rest` of whole words, which is not smaller.
pub(crate) fn subtract(rest: &mut [u8], other: &[u8]) {
    combine(rest, other, |word, other, borrow| {
        let (rest, first) = word.overflowing_sub(other);
        let (rest, second) = rest.overflowing_sub(u64::from(borrow));
        (rest, first || second)
    });
}

/// Combines magnitudes word by word, from the lowest on, with what one step carries to the next.
fn combine(into: &mut [u8], other: &[u8], step: impl Fn(u64, u64, bool) -> (u64, bool)) {
    let Some((_, below)) = other.split_last() else { return };
    // What is left of the bytes, with the highest in it, is one word more.
    let (words, left) = below.as_chunks::<8>();
    let mut chunks = into.as_chunks_mut::<8>().0.iter_mut();
    let mut carry = false;
    let mut put = |chunk: &mut [u8; 8], other| {
        let (word, over) = step(u64::from_le_bytes(*chunk), other, carry);
        *chunk = word.to_le_bytes();
        carry = over;
        over
    };
    words.iter().zip(chunks.by_ref()).for_each(|(word, chunk)| {
        put(chunk, u64::from_le_bytes(*word));
    });
    let mut other = top(other, left.len() + 1);
    for chunk in chunks {
        if !put(chunk, std::mem::take(&mut other)) {
            return;
        }
    }
}

/// Divides a magnitude of whole words and gives the rest; `by` is not zero.
pub(crate) fn divide(bytes: &mut [u8], by: u64) -> u64 {
    let mut rest = 0u64;
    for word in bytes.as_chunks_mut::<8>().0.iter_mut().rev() {
        let with_rest = u128::from(rest) << 64 | u128::from(u64::from_le_bytes(*word));
        // The rest is less than the divisor, so the quotient is one word.
        *word = ((with_rest / u128::from(by)) as u64).to_le_bytes();
        rest = (with_rest % u128::from(by)) as u64;
    }
    rest
}

/// The bits of a number's magnitude.
pub(crate) fn bit_len(bytes: &[u8]) -> usize {
    bytes.last().map_or(0, |last| 8 * bytes.len() - (last & 0x7f).leading_zeros() as usize)
}

/// Shifts a magnitude up by less than 8 bits; what leaves it is lost.
pub(crate) fn shift_up(bytes: &mut [u8], by: usize) {
    if by == 0 {
        return;
    }
    let mut carry = 0;
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        let old = u64::from_le_bytes(*word);
        *word = (old << by | carry).to_le_bytes();
        carry = old >> (64 - by);
    }
    for byte in rest {
        let old = *byte;
        *byte = old << by | carry as u8;
        carry = u64::from(old >> (8 - by));
    }
}

/// Shifts a magnitude down by less than 8 bits; what leaves it is lost.
pub(crate) fn shift_down(bytes: &mut [u8], by: usize) {
    if by == 0 {
        return;
    }
    let mut carry = 0;
    let (rest, words) = bytes.as_rchunks_mut::<8>();
    for word in words.iter_mut().rev() {
        let old = u64::from_le_bytes(*word);
        *word = (old >> by | carry).to_le_bytes();
        carry = old << (64 - by);
    }
    for byte in rest.iter_mut().rev() {
        let old = *byte;
        *byte = old >> by | (carry >> 56) as u8;
        carry = u64::from(old) << (64 - by);
    }
}

/// The number of an encoding of at most 15 bytes.
pub(crate) fn middle(bytes: &[u8]) -> Option<i128> {
    let mut all = [0; 16];
    let (last, rest) = bytes.split_last().filter(|(_, rest)| rest.len() < 15)?;
    all.get_mut(..rest.len())?.copy_from_slice(rest);
    *all.get_mut(rest.len())? = last & 0x7f;
    let magnitude = i128::from_le_bytes(all);
    Some(if last & 0x80 == 0 { magnitude } else { -magnitude })
}

#[cfg(test)]
mod tests {
    use dashu_base::BitTest;
    use dashu_int::{IBig, UBig};

    use super::*;

    /// Numbers whose magnitudes are near powers of two and of 256, and others.
    fn numbers() -> Vec<IBig> {
        let mut found = Vec::new();
        for bits in [1, 7, 8, 9, 15, 16, 55, 62, 63, 64, 65, 71, 72, 119, 120, 127, 128, 255, 256, 511, 600] {
            for near in -2i32..=2 {
                found.push((IBig::ONE << bits) + IBig::from(near));
            }
            found.push((IBig::ONE << bits) / IBig::from(3) * IBig::from(2));
        }
        let negative: Vec<IBig> = found.iter().map(|n| -n).collect();
        found.into_iter().chain(negative).filter(|n| *n != IBig::ZERO).collect()
    }

    fn encode(n: &IBig) -> Vec<u8> {
        let (sign, magnitude) = n.clone().into_parts();
        let mut bytes = magnitude.to_le_bytes().to_vec();
        if is_negative(&bytes) {
            bytes.push(0);
        }
        if sign == dashu_base::Sign::Negative {
            *bytes.last_mut().unwrap() |= 0x80;
        }
        bytes
    }

    fn magnitude(n: &IBig) -> UBig {
        n.clone().into_parts().1
    }

    #[test]
    fn sums_and_orders_are_those_of_big_integers() {
        let all = numbers();
        for a in &all {
            let (bytes_a, large) = (encode(a), magnitude(a));
            assert_eq!(bit_len(&bytes_a), large.bit_len());
            assert_eq!(middle(&bytes_a), if bytes_a.len() <= 15 { i128::try_from(a).ok() } else { None });
            for b in &all {
                let (bytes_b, small) = (encode(b), magnitude(b));
                assert_eq!(order(&bytes_a, &bytes_b), a.cmp(b), "{a} {b}");
                assert_eq!(order_magnitudes(&bytes_a, &bytes_b), large.cmp(&small), "{a} {b}");
                if large < small {
                    continue;
                }
                let mut sum = bytes_a.clone();
                *sum.last_mut().unwrap() &= 0x7f;
                sum.resize((sum.len() + 1).next_multiple_of(8), 0);
                let mut rest = sum.clone();
                add(&mut sum, &bytes_b);
                subtract(&mut rest, &bytes_b);
                assert_eq!(UBig::from_le_bytes(&sum), &large + &small, "{a} {b}");
                assert_eq!(UBig::from_le_bytes(&rest), &large - &small, "{a} {b}");
            }
        }
    }
}
