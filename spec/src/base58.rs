//! Base58 with a checksum, the form in which private keys and old addresses travel as text.
//!
//! Source: the Base58Check encoding of Bitcoin: a number in base 58, leading zero bytes as `1`,
//! and the first four bytes of the double SHA-256 at the end.

use crate::hash::sha256d;

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const CHECKSUM_BYTES: usize = 4;
/// Longer texts are refused unread: the conversion takes time with the square of the length.
const TEXT_BYTES_MAX: usize = 128;

/// The text of `payload` with its checksum.
#[must_use]
pub fn encode_checked(payload: &[u8]) -> String {
    let sum = sha256d(payload);
    let bytes: Vec<u8> = payload.iter().chain(sum.iter().take(CHECKSUM_BYTES)).copied().collect();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let digits = convert(&bytes, 256, 58);
    let letters = digits.iter().rev().filter_map(|digit| ALPHABET.get(usize::from(*digit)));
    std::iter::repeat_n(&b'1', zeros).chain(letters).map(|byte| char::from(*byte)).collect()
}

/// The payload of a text whose checksum is right.
#[must_use]
pub fn decode_checked(text: &str) -> Option<Vec<u8>> {
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let value = |byte: u8| ALPHABET.iter().position(|letter| *letter == byte).and_then(|at| u8::try_from(at).ok());
    let digits = text.bytes().map(value).collect::<Option<Vec<u8>>>()?;
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    let mut bytes = vec![0; zeros];
    bytes.extend(convert(&digits, 58, 256).iter().rev());
    let (payload, sum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM_BYTES)?)?;
    sha256d(payload).starts_with(sum).then(|| payload.to_vec())
}

/// The digits, lowest first and without leading zeros, of a number whose digits are `digits`, highest first.
fn convert(digits: &[u8], from: u32, to: u32) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    for digit in digits {
        let mut carry = u32::from(*digit);
        for place in &mut out {
            carry += u32::from(*place) * from;
            *place = low_digit(carry, to);
            carry /= to;
        }
        while carry > 0 {
            out.push(low_digit(carry, to));
            carry /= to;
        }
    }
    out
}

fn low_digit(n: u32, base: u32) -> u8 {
    u8::try_from(n % base).expect("a remainder by at most 256 fits a byte")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_survive_text_and_wrong_texts_are_refused() {
        for payload in [&[][..], &[0], &[0, 0, 1], &[0xff; 33], b"abc"] {
            let text = encode_checked(payload);
            assert_eq!(decode_checked(&text).as_deref(), Some(payload), "{text}");
        }
        for text in ["", "1", "0", "l", "3QJmnj", &"1".repeat(200)] {
            assert_eq!(decode_checked(text), None, "{text}");
        }
    }
}
