//! The chain's Schnorr signatures over secp256k1, which are older than BIP 340 and differ from it.
//!
//! Source: the Bitcoin Cash specification of 2019-05-15. A signature is `R.x ‖ s`. With
//! `e = SHA-256(R.x ‖ P ‖ m)`, where `P` is the compressed key, it is valid if `R = sG − eP` has that x coordinate
//! and a y coordinate that is a square.
//!
//! The library has no function for `sG − eP`, but recovering a key from an ECDSA signature is the same sum: it gives
//! `r⁻¹(s'X − m'G)` for the point `X` whose x coordinate is `r`. With `X = P`, `s' = −er` and `m' = −sr` that is `R`,
//! at the price of one double multiplication, and the key is decompressed on the way.

use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, PublicKey, Scalar, SecretKey};
use spec::hash::{hmac_sha256, sha256};

use crate::ecdsa::parse_key;
use crate::jacobi::is_square;

/// The order of the group, big-endian.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc,
    0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

/// Distinguishes these nonces from those of ECDSA for the same key and message.
const NONCE_TAG: &[u8; 16] = b"Schnorr+SHA256  ";

/// Whether `signature` is valid for the 32-byte digest and the key, compressed or not; hybrid keys are refused.
///
/// ```
/// let secret = [7; 32];
/// let digest = [1; 32];
/// let key = secp256k1::SecretKey::from_secret_bytes(secret).unwrap().public_key().serialize();
/// let signature = vm::schnorr::sign(&secret, &digest).unwrap();
/// assert!(vm::schnorr::verify(&signature, &digest, &key));
/// assert!(!vm::schnorr::verify(&signature, &[2; 32], &key));
/// ```
#[must_use]
pub fn verify(signature: &[u8; 64], digest: &[u8; 32], key: &[u8]) -> bool {
    let (r, s) = halves(signature);
    let Some(key) = compress(key).filter(|_| is_reduced(&s)) else { return false };
    let e = challenge(&r, &key, digest);
    let Some(point) = commitment(&key, &e, &s) else { return false };
    let (x, y) = coordinates(&point);
    x == r && is_square(&y)
}

/// Signs the 32-byte digest, with a nonce in the manner of RFC 6979; `None` if `secret` is no private key.
#[must_use]
pub fn sign(secret: &[u8; 32], digest: &[u8; 32]) -> Option<[u8; 64]> {
    let secret = SecretKey::from_secret_bytes(*secret).ok()?;
    let nonce = nonce(&secret.to_secret_bytes(), digest);
    let (r, y) = coordinates(&nonce.public_key());
    let nonce = if is_square(&y) { nonce } else { nonce.negate() };
    let e = challenge(&r, &secret.public_key().serialize(), digest);
    let product = secret.mul_tweak(&scalar(&e)?).ok()?;
    let s = nonce.add_tweak(&Scalar::from(product)).ok()?;
    let mut signature = [0; 64];
    let (first, second) = signature.split_at_mut(32);
    first.copy_from_slice(&r);
    second.copy_from_slice(&s.to_secret_bytes());
    Some(signature)
}

/// The x coordinate of the commitment, and the number `s`.
pub(crate) fn halves(signature: &[u8; 64]) -> ([u8; 32], [u8; 32]) {
    let (mut r, mut s) = ([0; 32], [0; 32]);
    let (first, second) = signature.split_at(32);
    r.copy_from_slice(first);
    s.copy_from_slice(second);
    (r, s)
}

/// Whether a number is below the order.
pub(crate) fn is_reduced(number: &[u8; 32]) -> bool {
    *number < ORDER
}

/// The compressed form. A compressed key's point is not checked here, because whoever computes with it does.
pub(crate) fn compress(key: &[u8]) -> Option<[u8; 33]> {
    match key {
        [2 | 3, ..] => key.try_into().ok(),
        _ => parse_key(key).map(|key| key.serialize()),
    }
}

/// The hash that binds commitment, key and message, modulo the order.
pub(crate) fn challenge(r: &[u8; 32], key: &[u8; 33], digest: &[u8; 32]) -> [u8; 32] {
    let mut message = [0; 97];
    let parts = r.iter().chain(key).chain(digest);
    message.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
    reduce(sha256(&message))
}

/// A number below twice the order, modulo the order; every number of 32 bytes is.
fn reduce(number: [u8; 32]) -> [u8; 32] {
    if number < ORDER {
        return number;
    }
    let mut reduced = number;
    let mut borrow = false;
    for (digit, order) in reduced.iter_mut().zip(ORDER).rev() {
        let (first, under) = digit.overflowing_sub(order);
        let (second, under_again) = first.overflowing_sub(u8::from(borrow));
        *digit = second;
        borrow = under || under_again;
    }
    reduced
}

fn scalar(bytes: &[u8; 32]) -> Option<Scalar> {
    Scalar::from_be_bytes(*bytes).ok()
}

/// `sG − eP`; `None` if the key is not on the curve or the sum is the point at infinity.
fn commitment(key: &[u8; 33], e: &[u8; 32], s: &[u8; 32]) -> Option<PublicKey> {
    match Recovery::new(key, e, s) {
        Some(recovery) => recovery.signature.recover(Message::from_digest(recovery.message)).ok(),
        None => commitment_by_parts(key, e, s),
    }
}

/// The ECDSA signature and message from which `sG − eP` is recovered as the key.
struct Recovery {
    signature: RecoverableSignature,
    message: [u8; 32],
}

impl Recovery {
    /// `None` in the degenerate cases, where `e` or the key's x coordinate is zero modulo the order.
    fn new(key: &[u8; 33], e: &[u8; 32], s: &[u8; 32]) -> Option<Self> {
        let (parity, x) = key.split_first_chunk::<1>()?;
        let x: [u8; 32] = x.try_into().ok()?;
        let r = reduce(x);
        let id = match (parity, r == x) {
            ([2], true) => RecoveryId::Zero,
            ([_], true) => RecoveryId::One,
            ([2], false) => RecoveryId::Two,
            ([_], false) => RecoveryId::Three,
        };
        let negated = SecretKey::from_secret_bytes(r).ok()?.negate();
        let product = negated.mul_tweak(&scalar(e)?).ok()?;
        let message = match negated.mul_tweak(&scalar(s)?) {
            Ok(product) => product.to_secret_bytes(),
            Err(_) => [0; 32],
        };
        let mut compact = [0; 64];
        let (first, second) = compact.split_at_mut(32);
        first.copy_from_slice(&r);
        second.copy_from_slice(&product.to_secret_bytes());
        Some(Self { signature: RecoverableSignature::from_compact(&compact, id).ok()?, message })
    }
}

/// [`commitment`] with a multiplication and an addition for themselves.
fn commitment_by_parts(key: &[u8; 33], e: &[u8; 32], s: &[u8; 32]) -> Option<PublicKey> {
    let key = PublicKey::from_slice(key).ok()?;
    let s = scalar(s)?;
    match SecretKey::from_secret_bytes(*e) {
        Ok(e) => key.mul_tweak(&Scalar::from(e.negate())).ok()?.add_exp_tweak(&s).ok(),
        Err(_) => SecretKey::from_secret_bytes(s.to_be_bytes()).ok().map(|s| s.public_key()),
    }
}

fn coordinates(point: &PublicKey) -> ([u8; 32], [u8; 32]) {
    let bytes = point.serialize_uncompressed();
    let (mut x, mut y) = ([0; 32], [0; 32]);
    x.iter_mut().chain(&mut y).zip(bytes.iter().skip(1)).for_each(|(to, from)| *to = *from);
    (x, y)
}

/// The nonce of RFC 6979 with the tag as additional data.
fn nonce(secret: &[u8; 32], digest: &[u8; 32]) -> SecretKey {
    let (mut key, mut value) = ([0; 32], [1; 32]);
    for step in [0u8, 1] {
        key = hmac_sha256(&key, &[&value, &[step], secret, digest, NONCE_TAG]);
        value = hmac_sha256(&key, &[&value]);
    }
    loop {
        value = hmac_sha256(&key, &[&value]);
        if let Ok(nonce) = SecretKey::from_secret_bytes(value) {
            return nonce;
        }
        key = hmac_sha256(&key, &[&value, &[0]]);
        value = hmac_sha256(&key, &[&value]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_verifies_and_nothing_else() {
        for seed in 1..40u8 {
            let (secret, digest) = ([seed; 32], sha256(&[seed]));
            let key = SecretKey::from_secret_bytes(secret).unwrap().public_key();
            let signature = sign(&secret, &digest).unwrap();
            assert!(verify(&signature, &digest, &key.serialize()));
            assert!(verify(&signature, &digest, &key.serialize_uncompressed()));
            for at in 0..64 {
                let mut changed = signature;
                changed[at] ^= 1 << (seed % 8);
                assert!(!verify(&changed, &digest, &key.serialize()));
            }
            let mut other = key.serialize();
            other[0] ^= 1;
            assert!(!verify(&signature, &digest, &other));
        }
        assert_eq!(sign(&[0; 32], &[0; 32]), None);
    }

    #[test]
    fn the_recovery_identity_agrees_with_multiplying_and_adding() {
        let number = |text: String| reduce(sha256(text.as_bytes()));
        for seed in 0..60 {
            let key = SecretKey::from_secret_bytes(number(format!("key {seed}"))).unwrap().public_key().serialize();
            let e = number(format!("e {seed}"));
            for s in [number(format!("s {seed}")), [0; 32]] {
                assert!(Recovery::new(&key, &e, &s).is_some());
                assert_eq!(commitment(&key, &e, &s), commitment_by_parts(&key, &e, &s));
            }
        }
    }

    #[test]
    fn a_challenge_of_zero_leaves_the_multiple_of_the_generator() {
        let key = SecretKey::from_secret_bytes([3; 32]).unwrap().public_key().serialize();
        let expected = SecretKey::from_secret_bytes([5; 32]).unwrap().public_key();
        assert_eq!(commitment(&key, &[0; 32], &[5; 32]), Some(expected));
        assert_eq!(commitment(&key, &[0; 32], &[0; 32]), None);
    }

    #[test]
    fn keys_off_the_curve_verify_nothing() {
        let mut off = [0; 33];
        off[0] = 2;
        off[32] = 5;
        assert!(PublicKey::from_slice(&off).is_err());
        assert!(!verify(&[1; 64], &[1; 32], &off));
        for key in [&[][..], &[2], &[2; 65], &[0; 33]] {
            assert!(!verify(&[1; 64], &[1; 32], key));
        }
    }

    #[test]
    fn numbers_are_reduced_modulo_the_order() {
        assert_eq!(reduce(ORDER), [0; 32]);
        let mut one_more = ORDER;
        one_more[31] += 1;
        let mut one = [0; 32];
        one[31] = 1;
        assert_eq!(reduce(one_more), one);
        assert_eq!(reduce([7; 32]), [7; 32]);
    }
}
