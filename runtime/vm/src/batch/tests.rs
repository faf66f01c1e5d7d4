//! Batches against their signatures one by one.

use proptest::prelude::*;
use secp256k1::{Scalar, SecretKey};

use super::*;

/// The order of the group and the prime of the field, big-endian.
const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
const PRIME: &str = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f";

fn bytes(text: &str) -> [u8; 32] {
    hex::decode(text).unwrap().try_into().unwrap()
}

/// Small numbers are themselves secrets, so that keys are close multiples of the generator.
fn secret(seed: u16) -> [u8; 32] {
    match seed {
        1..20 => std::array::from_fn(|at| if at == 31 { seed as u8 } else { 0 }),
        20..40 => SecretKey::from_secret_bytes(secret(seed - 19)).unwrap().negate().to_secret_bytes(),
        _ => sha256(&seed.to_le_bytes()),
    }
}

fn key(secret: &[u8; 32]) -> [u8; 33] {
    SecretKey::from_secret_bytes(*secret).unwrap().public_key().serialize()
}

fn check(seed: u16, message: u16) -> SchnorrCheck {
    let (secret, digest) = (secret(seed.max(1)), sha256(&message.to_be_bytes()));
    SchnorrCheck::new(&schnorr::sign(&secret, &digest).unwrap(), &digest, &key(&secret)).unwrap()
}

/// The signatures whose nonces are that number and its negative: the valid one, and the one that would be valid if the y
/// coordinate of its commitment were a square.
fn with_nonce(secret: &[u8; 32], nonce: &[u8; 32], digest: &[u8; 32]) -> [SchnorrCheck; 2] {
    let [secret, nonce] = [secret, nonce].map(|number| SecretKey::from_secret_bytes(*number).unwrap());
    let key = secret.public_key().serialize();
    let r: [u8; 32] = nonce.public_key().serialize()[1..].try_into().unwrap();
    let challenge = Scalar::from_be_bytes(schnorr::challenge(&r, &key, digest)).unwrap();
    let product = Scalar::from(secret.mul_tweak(&challenge).unwrap());
    let mut both = [nonce, nonce.negate()].map(|nonce| {
        let s = nonce.add_tweak(&product).unwrap().to_secret_bytes();
        SchnorrCheck::new(&[r, s].concat().try_into().unwrap(), digest, &key).unwrap()
    });
    both.sort_by_key(|check| !check.holds());
    both
}

/// How many ways [`broken`] knows.
const WAYS: u8 = 13;

/// A check that fails.
fn broken(check: &SchnorrCheck, way: u8) -> SchnorrCheck {
    let mut broken = check.clone();
    let (r, s) = broken.signature.split_at_mut(32);
    // No point of the curve has this x coordinate.
    let five = std::array::from_fn::<u8, 32, _>(|at| if at == 31 { 5 } else { 0 });
    match way {
        0 => s[31] ^= 1,
        1 => r[31] ^= 1,
        2 => broken.digest[0] ^= 1,
        3 => broken.key[0] ^= 1,
        4 => broken.key[32] ^= 1,
        5 => s.copy_from_slice(&bytes(ORDER)),
        6 => s.fill(0xff),
        7 => s.fill(0),
        8 => r.copy_from_slice(&bytes(PRIME)),
        9 => r.fill(0xff),
        10 => r.copy_from_slice(&five),
        11 => broken.key[1..].copy_from_slice(&five),
        _ => broken.key[1..].copy_from_slice(&bytes(PRIME)),
    }
    assert!(!broken.holds(), "way {way}");
    broken
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_batch_is_valid_just_if_each_signature_is(
        seeds in prop_oneof![
            prop::collection::vec((1u16..60, 0u16..4), 0..40),
            prop::collection::vec((1u16..2_000, 0u16..u16::MAX), 0..300),
        ],
        at in any::<prop::sample::Index>(),
    ) {
        let mut checks: Vec<SchnorrCheck> = seeds.iter().map(|(seed, message)| check(*seed, *message)).collect();
        prop_assert!(verify_all(&checks));
        if checks.is_empty() {
            return Ok(());
        }
        let at = at.index(checks.len());
        let good = checks[at].clone();
        for way in 0..WAYS {
            checks[at] = broken(&good, way);
            prop_assert!(!verify_all(&checks), "way {way}");
        }
    }

    #[test]
    fn no_bytes_make_a_batch_panic(all in prop::collection::vec((any::<[[u8; 32]; 3]>(), any::<[u8; 32]>()), 0..12)) {
        let checks = all.iter().filter_map(|([r, s, digest], x)| {
            let key: Vec<u8> = [&[2 + (x[0] & 1)], x.as_slice()].concat();
            SchnorrCheck::new(&[*r, *s].concat().try_into().unwrap(), digest, &key)
        });
        let checks: Vec<SchnorrCheck> = checks.collect();
        prop_assert_eq!(verify_all(&checks), checks.iter().all(SchnorrCheck::holds));
    }
}

#[test]
fn points_that_meet_in_one_batch_do_no_harm() {
    let digest = [9; 32];
    let few: Vec<[u8; 32]> = [1, 2, 3, 20, 21, 22].map(secret).to_vec();
    // Keys, their negatives, the generator and all these as commitments too; each three times.
    let pairs = || few.iter().flat_map(|secret| few.iter().map(move |nonce| with_nonce(secret, nonce, &digest)));
    let valid: Vec<SchnorrCheck> = pairs().chain(pairs()).chain(pairs()).map(|[valid, _]| valid).collect();
    assert!(verify_all(&valid));
    for [_, mirrored] in pairs() {
        assert!(!mirrored.holds());
        let mut checks = valid.clone();
        checks.push(mirrored.clone());
        assert!(!verify_all(&checks));
        // Even all by themselves, and although each takes away what the others add.
        assert!(!verify_all(&vec![mirrored; 8]));
    }
}

#[test]
fn errors_that_cancel_out_are_found() {
    // The sum of the equations with equal factors holds, for one `s` is as much too large as another is too small.
    let mut checks: Vec<SchnorrCheck> = (1..12).map(|seed| check(40 + seed, seed)).collect();
    for (at, add) in [(2, true), (7, false)] {
        let last = checks[at].signature.last_mut().unwrap();
        *last = if add { last.wrapping_add(1) } else { last.wrapping_sub(1) };
    }
    let [mut swapped, mut valid] = [checks.clone(), (1..12).map(|seed| check(40 + seed, seed)).collect()];
    assert!(!verify_all(&checks) && verify_all(&valid));
    // And of two signatures of one key that have exchanged what they sign.
    valid.extend([check(50, 1), check(50, 2)]);
    swapped.clone_from(&valid);
    let (a, b) = (swapped[11].digest, swapped[12].digest);
    (swapped[11].digest, swapped[12].digest) = (b, a);
    assert!(verify_all(&valid) && !verify_all(&swapped));
}

#[test]
fn keys_of_both_forms_are_one_key_and_others_are_none() {
    let secret = secret(77);
    let public = SecretKey::from_secret_bytes(secret).unwrap().public_key();
    let signature = schnorr::sign(&secret, &[1; 32]).unwrap();
    let compressed = SchnorrCheck::new(&signature, &[1; 32], &public.serialize()).unwrap();
    let mut long = public.serialize_uncompressed();
    assert_eq!(SchnorrCheck::new(&signature, &[1; 32], &long), Some(compressed));
    long[64] ^= 1;
    for key in [&long[..], &[], &[2], &[4; 33], &[2; 65], &[6; 65]] {
        assert_eq!(SchnorrCheck::new(&signature, &[1; 32], key), None);
        assert!(!schnorr::verify(&signature, &[1; 32], key));
    }
}

#[test]
fn factors_depend_on_everything_and_differ() {
    let checks: Vec<SchnorrCheck> = (1..9).map(|seed| check(seed, seed)).collect();
    let of = |checks: &[SchnorrCheck]| factors(checks).take(checks.len()).collect::<Vec<u128>>();
    let first = of(&checks);
    let mut sorted = first.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), checks.len());
    let change = |change: &dyn Fn(&mut SchnorrCheck)| {
        let mut changed = checks.clone();
        change(&mut changed[5]);
        of(&changed)
    };
    let changed = [
        change(&|check| check.signature[63] ^= 1),
        change(&|check| check.digest[0] ^= 1),
        change(&|check| check.key[9] ^= 1),
    ];
    for changed in changed {
        assert!(changed.iter().zip(&first).all(|(a, b)| a != b));
    }
}
