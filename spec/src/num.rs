//! Script numbers: little-endian magnitude with the sign in the top bit of the last byte.
//!
//! Zero is the empty string. An encoding is minimal if no shorter one means the same, and every
//! number has exactly one minimal encoding; so a minimal byte string of up to 8 bytes and the
//! integer it means can stand for each other.

/// The minimal encoding of `n`; 9 bytes only for `i64::MIN`.
///
/// ```
/// assert_eq!(spec::num::encode(-255), [0xff, 0x80]);
/// assert_eq!(spec::num::decode(&[0xff, 0x80]), Some(-255));
/// ```
#[must_use]
pub fn encode(n: i64) -> Vec<u8> {
    let mut bytes = n.unsigned_abs().to_le_bytes().to_vec();
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    let negative = if n < 0 { 0x80 } else { 0 };
    match bytes.last_mut() {
        Some(last) if *last & 0x80 == 0 => *last |= negative,
        Some(_) => bytes.push(negative),
        None => {}
    }
    bytes
}

/// The integer that a minimal encoding of up to 8 bytes means; `None` if it is longer or not minimal.
#[must_use]
pub fn decode(bytes: &[u8]) -> Option<i64> {
    if bytes.len() > 8 || !is_minimal(bytes) {
        return None;
    }
    let mut wide = [0; 8];
    wide.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    let raw = u64::from_le_bytes(wide);
    let sign_at = (bytes.len() * 8).checked_sub(1).map_or(0, |bit| 1u64 << bit);
    let magnitude = i64::try_from(raw & !sign_at).ok()?;
    Some(if raw & sign_at == 0 { magnitude } else { -magnitude })
}

/// The minimal encoding of a number of up to 127 bits; 17 bytes only for `i128::MIN`.
///
/// ```
/// assert_eq!(spec::num::encode_wide(-255), spec::num::encode(-255));
/// assert_eq!(spec::num::decode_wide(&spec::num::encode_wide(1 << 100)), Some(1 << 100));
/// ```
#[must_use]
pub fn encode_wide(n: i128) -> Vec<u8> {
    let mut bytes = n.unsigned_abs().to_le_bytes().to_vec();
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    if bytes.last().is_some_and(|last| last & 0x80 != 0) {
        bytes.push(0);
    }
    if let (Some(last), true) = (bytes.last_mut(), n < 0) {
        *last |= 0x80;
    }
    bytes
}

/// The integer that a minimal encoding of up to 16 bytes means; `None` if it is longer or not minimal.
#[must_use]
pub fn decode_wide(bytes: &[u8]) -> Option<i128> {
    if is_minimal(bytes) { decode_sized(bytes) } else { None }
}

/// The encoding of `n` in exactly `len` bytes, as `OP_NUM2BIN` makes it; `None` if it needs more.
///
/// ```
/// assert_eq!(spec::num::encode_sized(-1, 4), Some(vec![1, 0, 0, 0x80]));
/// assert_eq!(spec::num::encode_sized(128, 1), None);
/// ```
#[must_use]
pub fn encode_sized(n: i128, len: usize) -> Option<Vec<u8>> {
    let mut bytes = encode_wide(n);
    if bytes.len() > len {
        return None;
    }
    if bytes.len() < len {
        if let (Some(last), true) = (bytes.last_mut(), n < 0) {
            *last &= 0x7f;
        }
        bytes.resize(len, 0);
        if let (Some(last), true) = (bytes.last_mut(), n < 0) {
            *last |= 0x80;
        }
    }
    Some(bytes)
}

/// The integer that a little-endian magnitude of any length with its sign in the top bit means, as `OP_BIN2NUM`
/// reads it; `None` if it needs more than 127 bits.
#[must_use]
pub fn decode_sized(bytes: &[u8]) -> Option<i128> {
    let Some((last, low)) = bytes.split_last() else { return Some(0) };
    let high_first = std::iter::once(last & 0x7f).chain(low.iter().rev().copied());
    let magnitude = high_first.skip_while(|byte| *byte == 0).enumerate().try_fold(0i128, |sum, (at, byte)| {
        let fits = at < 15 || at == 15 && sum < 1 << 119;
        fits.then_some(sum << 8 | i128::from(byte))
    })?;
    Some(if last & 0x80 == 0 { magnitude } else { -magnitude })
}

/// Whether no shorter byte string means the same number.
#[must_use]
pub const fn is_minimal(bytes: &[u8]) -> bool {
    match bytes {
        [] => true,
        [.., before, last] if *last & 0x7f == 0 => *before & 0x80 != 0,
        [last] => *last & 0x7f != 0,
        _ => true,
    }
}

/// The number of bytes of the minimal encoding of `n`.
#[must_use]
pub const fn encoded_len(n: i64) -> usize {
    // The sign needs a bit beside the magnitude's; zero needs nothing.
    let magnitude = n.unsigned_abs();
    let highest = 63 - (magnitude | 1).leading_zeros() as usize;
    (highest + 9) / 8 - (magnitude == 0) as usize
}

/// Whether a stack item counts as true: any non-zero byte, except a lone sign bit in the last.
#[must_use]
pub fn is_truthy(bytes: &[u8]) -> bool {
    match bytes {
        [] => false,
        [head @ .., last] => *last & 0x7f != 0 || head.iter().any(|byte| *byte != 0),
    }
}

/// A number with `_` between its thousands, as sources write it.
///
/// ```
/// use spec::num::grouped;
/// assert_eq!([grouped(999), grouped(-1_000), grouped(21_000_000_u64)], ["999", "-1_000", "21_000_000"]);
/// ```
#[must_use]
pub fn grouped(n: impl Into<i128>) -> String {
    grouped_digits(&n.into().to_string())
}

/// The same of decimal digits, perhaps with a sign before them.
#[must_use]
pub fn grouped_digits(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let mut out = String::with_capacity(number.len() + number.len() / 3);
    out.push_str(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('_');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_minimal_encoding() {
        for n in [0, 1, -1, 127, 128, -128, 255, 256, 32_767, 32_768, i64::MAX, -i64::MAX] {
            let bytes = encode(n);
            assert!(is_minimal(&bytes), "{n}");
            assert_eq!(decode(&bytes), Some(n));
            assert_eq!(bytes.len(), encoded_len(n), "{n}");
        }
        assert_eq!(encoded_len(i64::MIN), encode(i64::MIN).len());
        assert_eq!(decode(&encode(i64::MIN)), None);
    }

    #[test]
    fn wide_and_sized_numbers_agree_with_narrow_ones() {
        for n in [0, 1, -1, 127, 128, -128, 32_768, i64::MAX, -i64::MAX] {
            assert_eq!(encode_wide(n.into()), encode(n));
            assert_eq!(decode_wide(&encode(n)), Some(n.into()));
        }
        for n in [0, 5, -5, 1 << 100, i128::MAX, -i128::MAX] {
            assert_eq!(decode_wide(&encode_wide(n)), Some(n));
            for len in encode_wide(n).len()..40 {
                let bytes = encode_sized(n, len).unwrap();
                assert_eq!((bytes.len(), decode_sized(&bytes)), (len, Some(n)));
            }
        }
        assert_eq!(decode_sized(&[0, 0, 0x80]), Some(0));
        assert_eq!(decode_sized(&[0xff; 17]), None);
        assert_eq!(decode_sized(&[vec![0xff; 16], vec![0]].concat()), None);
        assert_eq!(decode_wide(&[1, 0]), None);
    }

    #[test]
    fn longer_forms_are_not_minimal() {
        for bytes in [&[0][..], &[0x80], &[1, 0], &[1, 0x80], &[0, 0]] {
            assert_eq!(decode(bytes), None, "{bytes:?}");
        }
        assert_eq!(decode(&[0xff, 0]), Some(255));
    }

    #[test]
    fn a_lone_sign_bit_is_false() {
        for (bytes, truth) in
            [(&[][..], false), (&[0], false), (&[0x80], false), (&[0, 0x80], false), (&[0x80, 0], true), (&[1], true)]
        {
            assert_eq!(is_truthy(bytes), truth, "{bytes:?}");
        }
    }
}
