//! Script numbers of any size: the exact integers that the compiler folds.

use dashu_base::{Sign, UnsignedAbs};
use dashu_int::{IBig, UBig};

/// The minimal encoding of `n`: little-endian magnitude, the sign in the top bit of the last byte.
pub(crate) fn encode(n: &IBig) -> Vec<u8> {
    let (sign, magnitude) = (n.sign(), n.clone().unsigned_abs());
    let mut bytes = magnitude.to_le_bytes().to_vec();
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    let flag = if sign == Sign::Negative { 0x80 } else { 0 };
    match bytes.last_mut() {
        Some(last) if *last & 0x80 == 0 => *last |= flag,
        Some(_) => bytes.push(flag),
        None => {}
    }
    bytes
}

/// The number that a minimal encoding means; `None` if the bytes are not minimal.
pub(crate) fn decode(bytes: &[u8]) -> Option<IBig> {
    if !spec::num::is_minimal(bytes) {
        return None;
    }
    let mut magnitude = bytes.to_vec();
    let negative = magnitude.last().is_some_and(|last| last & 0x80 != 0);
    if let Some(last) = magnitude.last_mut() {
        *last &= 0x7f;
    }
    let sign = if negative { Sign::Negative } else { Sign::Positive };
    Some(IBig::from_parts(sign, UBig::from_le_bytes(&magnitude)))
}

/// The minimal form of bytes that may be padded: what `OP_BIN2NUM` leaves.
pub(crate) fn minimize(bytes: &[u8]) -> Vec<u8> {
    let Some((last, head)) = bytes.split_last() else { return Vec::new() };
    let sign = last & 0x80;
    let mut magnitude = head.to_vec();
    magnitude.push(last & 0x7f);
    while magnitude.last() == Some(&0) {
        magnitude.pop();
    }
    match magnitude.last_mut() {
        Some(top) if *top & 0x80 == 0 => *top |= sign,
        Some(_) => magnitude.push(sign),
        None => {}
    }
    magnitude
}

/// The number in exactly `len` bytes, the sign in the last; `None` if it does not fit.
pub(crate) fn widen(bytes: &[u8], len: usize) -> Option<Vec<u8>> {
    let mut out = minimize(bytes);
    if out.len() > len {
        return None;
    }
    if out.len() == len {
        return Some(out);
    }
    let sign = out.last().map_or(0, |last| last & 0x80);
    if let Some(last) = out.last_mut() {
        *last &= 0x7f;
    }
    out.resize(len, 0);
    if let Some(last) = out.last_mut() {
        *last |= sign;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_size_read_back_and_agree_with_the_small_ones() {
        for n in [0, 1, -1, 127, 128, -128, 255, -255, 32_767, i64::MAX, -i64::MAX] {
            let bytes = encode(&IBig::from(n));
            assert_eq!(bytes, spec::num::encode(n));
            assert_eq!(decode(&bytes), Some(IBig::from(n)));
        }
        let big = IBig::from(-7).pow(300);
        assert_eq!(decode(&encode(&big)), Some(big));
        assert_eq!(decode(&[0]), None);
    }

    #[test]
    fn widening_and_minimizing_undo_each_other() {
        for (bytes, len, wide) in [
            (&[][..], 2, &[0, 0][..]),
            (&[5], 3, &[5, 0, 0]),
            (&[0x85], 3, &[5, 0, 0x80]),
            (&[0xff, 0x80], 2, &[0xff, 0x80]),
        ] {
            assert_eq!(widen(bytes, len).as_deref(), Some(wide));
            assert_eq!(minimize(wide), bytes);
        }
        assert_eq!(widen(&[1, 2], 1), None);
        assert_eq!(minimize(&[0x80]), Vec::<u8>::new());
        assert_eq!(minimize(&[0xff, 0, 0x80]), [0xff, 0x80]);
    }
}
