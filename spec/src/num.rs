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
    let bits = 64 - n.unsigned_abs().leading_zeros() as usize;
    if bits == 0 { 0 } else { bits / 8 + 1 }
}

/// Whether a stack item counts as true: any non-zero byte, except a lone sign bit in the last.
#[must_use]
pub fn is_truthy(bytes: &[u8]) -> bool {
    match bytes {
        [] => false,
        [head @ .., last] => *last & 0x7f != 0 || head.iter().any(|byte| *byte != 0),
    }
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
