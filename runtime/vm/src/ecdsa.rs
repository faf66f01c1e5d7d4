//! ECDSA over secp256k1 as scripts use it: strict DER, the lower of the two forms.

use secp256k1::{Message, PublicKey, SecretKey};

/// Half of the group's order, the largest `s` of a signature in its lower form.
const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e,
    0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];

/// Whether `der` is a valid signature of the 32-byte digest by the key, compressed or not.
///
/// Signatures must be strict DER in the lower form; hybrid keys are refused.
///
/// ```
/// let secret = [7; 32];
/// let digest = [1; 32];
/// let key = secp256k1::SecretKey::from_secret_bytes(secret).unwrap().public_key().serialize();
/// let der = vm::ecdsa::sign(&secret, &digest).unwrap();
/// assert!(vm::ecdsa::verify(&der, &digest, &key));
/// assert!(!vm::ecdsa::verify(&der, &[2; 32], &key));
/// ```
#[must_use]
pub fn verify(der: &[u8], digest: &[u8; 32], key: &[u8]) -> bool {
    let signature = parse_der(der).filter(DerSignature::is_low_s).and_then(|parts| parts.to_compact());
    let Some(signature) = signature.and_then(|compact| secp256k1::ecdsa::Signature::from_compact(&compact).ok()) else {
        return false;
    };
    parse_key(key).is_some_and(|key| secp256k1::ecdsa::verify(&signature, Message::from_digest(*digest), &key).is_ok())
}

/// Signs the 32-byte digest, with the nonce of RFC 6979; `None` if `secret` is no private key.
#[must_use]
pub fn sign(secret: &[u8; 32], digest: &[u8; 32]) -> Option<Vec<u8>> {
    let secret = SecretKey::from_secret_bytes(*secret).ok()?;
    let signature = secp256k1::ecdsa::sign(Message::from_digest(*digest), &secret);
    Some(signature.serialize_der().to_vec())
}

/// The key, if it has one of the two forms that scripts allow and lies on the curve.
pub(crate) fn parse_key(key: &[u8]) -> Option<PublicKey> {
    match key {
        [2..=4, ..] => PublicKey::from_slice(key).ok(),
        _ => None,
    }
}

/// The two numbers of a signature, big-endian and as short as DER wants them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DerSignature<'s> {
    r: &'s [u8],
    s: &'s [u8],
}

impl DerSignature<'_> {
    /// Whether `s` is the lower of its two forms, or so large that the signature is invalid anyway.
    pub(crate) fn is_low_s(&self) -> bool {
        pad(self.s).is_none_or(|s| s <= HALF_ORDER)
    }

    fn to_compact(self) -> Option<[u8; 64]> {
        let mut compact = [0; 64];
        let (r, s) = compact.split_at_mut(32);
        r.copy_from_slice(&pad(self.r)?);
        s.copy_from_slice(&pad(self.s)?);
        Some(compact)
    }
}

/// Reads a signature in the strict form of BIP 66, without a type byte.
pub(crate) fn parse_der(der: &[u8]) -> Option<DerSignature<'_>> {
    let [0x30, len, body @ ..] = der else { return None };
    // Two integers of 1 to 33 bytes with two bytes before each, though BIP 66 itself bounds only the sum.
    if usize::from(*len) != body.len() || der.len() > 72 {
        return None;
    }
    let (r, rest) = parse_integer(body)?;
    let (s, rest) = parse_integer(rest)?;
    rest.is_empty().then_some(DerSignature { r, s })
}

/// A positive integer in its shortest form, and what follows.
fn parse_integer(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let [0x02, len, rest @ ..] = bytes else { return None };
    let (number, rest) = rest.split_at_checked(usize::from(*len))?;
    match number {
        [] | [0x80..=0xff, ..] | [0, 0..=0x7f, ..] => None,
        _ => Some((number, rest)),
    }
}

/// A big-endian number of 32 bytes; `None` if it is larger.
fn pad(number: &[u8]) -> Option<[u8; 32]> {
    let digits = match number {
        [0, digits @ ..] => digits,
        digits => digits,
    };
    let mut padded = [0; 32];
    let start = 32usize.checked_sub(digits.len())?;
    padded.get_mut(start..)?.copy_from_slice(digits);
    Some(padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_verifies_and_nothing_else() {
        for seed in 1..40u8 {
            let (secret, digest) = ([seed; 32], spec::hash::sha256(&[seed]));
            let key = SecretKey::from_secret_bytes(secret).unwrap().public_key();
            let der = sign(&secret, &digest).unwrap();
            assert!(verify(&der, &digest, &key.serialize()));
            assert!(verify(&der, &digest, &key.serialize_uncompressed()));
            for at in 0..der.len() {
                let mut changed = der.clone();
                changed[at] ^= 1;
                assert!(!verify(&changed, &digest, &key.serialize()));
            }
            let mut hybrid = key.serialize_uncompressed();
            hybrid[0] = 6 | (hybrid[64] & 1);
            assert!(!verify(&der, &digest, &hybrid));
        }
        assert_eq!(sign(&[0; 32], &[0; 32]), None);
        assert_eq!(sign(&[0xff; 32], &[0; 32]), None);
    }

    #[test]
    fn only_strict_der_is_read() {
        let cases: [(&str, bool); 9] = [
            ("3006020101020101", true),
            ("300602010002010 1", true),
            ("3006020180020101", false),
            ("300702020001020101", false),
            ("30070202008002 0101", true),
            ("3006020101020101 00", false),
            ("3005020002 0101", false),
            ("3106020101020101", false),
            ("", false),
        ];
        for (hex, good) in cases {
            let bytes = hex::decode(hex.replace(' ', "")).unwrap();
            assert_eq!(parse_der(&bytes).is_some(), good, "{hex}");
        }
    }
}
