//! Many Schnorr signatures in one computation.
//!
//! Source: Naccache, M'Raïhi, Vaudenay and Raphaeli, "Can D.S.A. be improved?" (1994), which sums up the equations of several
//! signatures with random factors; Bellare, Garay and Rabin, "Fast batch verification for modular exponentiation and digital
//! signatures" (1998), proves that small factors do. A signature is valid if `sG − eP` is the point `R` with the x coordinate
//! that the signature gives and a y coordinate that is a square, so `R` is known before. All are valid just if every
//! `sG − eP − R` is nothing, and then so is their sum with any factors. If one is not, the sum is nothing for one choice of its
//! factor among `2^128` at most. The factors are a hash of all that is checked: whoever changes anything to find a sum that
//! vanishes changes all factors.

use std::cell::RefCell;

use curve::{Point, Products, Scalar, Sum};
use spec::hash::{Sha256Stream, sha256};

use crate::schnorr;

/// Fewer signatures are verified one by one, which then takes no longer.
const BATCH_MIN: usize = 8;

/// Distinguishes these factors from all else that is hashed.
const FACTOR_TAG: &[u8; 16] = b"Schnorr batch v1";

/// A Schnorr signature, and of what and by whom it claims to be.
///
/// ```
/// use vm::batch::{SchnorrCheck, verify_all};
///
/// let check = |secret: [u8; 32]| {
///     let key = secp256k1::SecretKey::from_secret_bytes(secret).unwrap().public_key().serialize();
///     SchnorrCheck::new(&vm::schnorr::sign(&secret, &[1; 32]).unwrap(), &[1; 32], &key).unwrap()
/// };
/// let mut checks: Vec<SchnorrCheck> = (1..20).map(|at| check([at; 32])).collect();
/// assert!(verify_all(&checks));
/// checks.push(SchnorrCheck::new(&[7; 64], &[1; 32], &[2; 33]).unwrap());
/// assert!(!verify_all(&checks));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchnorrCheck {
    signature: [u8; 64],
    digest: [u8; 32],
    key: [u8; 33],
}

impl SchnorrCheck {
    /// The check of a key in either form; `None` if it has neither, or is uncompressed and not on the curve.
    #[must_use]
    pub fn new(signature: &[u8; 64], digest: &[u8; 32], key: &[u8]) -> Option<Self> {
        Some(Self { signature: *signature, digest: *digest, key: schnorr::compress(key)? })
    }

    /// Whether the signature is valid.
    #[must_use]
    pub fn holds(&self) -> bool {
        schnorr::verify(&self.signature, &self.digest, &self.key)
    }

    /// The x coordinate of the key.
    fn x(&self) -> [u8; 32] {
        let [_, x @ ..] = self.key;
        x
    }
}

/// Whether all signatures are valid. For thousands it takes a fraction of the time that each for itself would; the memory is
/// proportional to their number.
#[must_use]
pub fn verify_all(checks: &[SchnorrCheck]) -> bool {
    if checks.len() < BATCH_MIN {
        return checks.iter().all(SchnorrCheck::holds);
    }
    equation(checks).is_some_and(|sum| sum.vanishes())
}

/// Schnorr signatures that scripts have taken for good without a look, to be verified together.
///
/// A script fails in any case when a Schnorr signature that is not empty is not valid: there is no rule by which it could go on.
/// So a script that succeeds with signatures taken for good succeeds just if they are good, after the same work.
#[derive(Debug, Default)]
pub struct Deferred(RefCell<Vec<SchnorrCheck>>);

impl Deferred {
    /// How many are noted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Whether none is noted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all but the first so many: those of a script that has come to nothing.
    pub fn truncate(&self, len: usize) {
        self.0.borrow_mut().truncate(len);
    }

    /// Whether all that are noted are valid; none is noted then.
    #[must_use]
    pub fn settle(&self) -> bool {
        let mut checks = self.0.borrow_mut();
        let valid = verify_all(&checks);
        checks.clear();
        valid
    }

    pub(crate) fn note(&self, check: SchnorrCheck) {
        self.0.borrow_mut().push(check);
    }
}

/// The sum that is nothing if all signatures are valid; `None` if one cannot be, because a number is out of range or a
/// coordinate is not of the curve.
fn equation(checks: &[SchnorrCheck]) -> Option<Sum> {
    let mut terms: Vec<(&SchnorrCheck, u128)> = checks.iter().zip(factors(checks)).collect();
    // The signatures of one key share its point.
    terms.sort_unstable_by_key(|(check, _)| check.key);
    let by_key = || terms.chunk_by(|(a, _), (b, _)| a.key == b.key);
    let commitments = terms.iter().map(|(check, _)| schnorr::halves(&check.signature).0);
    let keys = by_key().filter_map(|group| group.first()).map(|(check, _)| check.x());
    let points = Point::lift(&commitments.chain(keys).collect::<Vec<_>>())?;
    let (commitments, keys) = points.split_at_checked(terms.len())?;

    let mut sum = Sum::with_capacity(commitments.len(), keys.len() + 1);
    let mut generator = Products::default();
    for (group, key) in by_key().zip(keys) {
        let mut challenges = Products::default();
        for (check, factor) in group {
            let (r, s) = schnorr::halves(&check.signature);
            challenges.add(*factor, &Scalar::from_bytes(&schnorr::challenge(&r, &check.key, &check.digest)));
            generator.add(*factor, &schnorr::is_reduced(&s).then(|| Scalar::from_bytes(&s))?);
        }
        let odd = group.first().is_some_and(|(check, _)| check.key.starts_with(&[3]));
        sum.add(key.with_parity(odd), &challenges.total().negate());
    }
    for ((_, factor), commitment) in terms.iter().zip(commitments) {
        sum.add_short(commitment.negate(), *factor);
    }
    sum.add(Point::GENERATOR, &generator.total());
    Some(sum)
}

/// A factor for each check, all of them depending on all checks.
fn factors(checks: &[SchnorrCheck]) -> impl Iterator<Item = u128> {
    let mut hasher = Sha256Stream::default();
    hasher.update(FACTOR_TAG);
    for SchnorrCheck { signature, digest, key } in checks {
        hasher.update(signature);
        hasher.update(digest);
        hasher.update(key);
    }
    let seed = hasher.finish();
    (0u64..).flat_map(move |at| {
        let mut message = [0; 40];
        let (first, second) = message.split_at_mut(32);
        first.copy_from_slice(&seed);
        second.copy_from_slice(&at.to_be_bytes());
        let hash = u128_pair(sha256(&message));
        hash.into_iter()
    })
}

fn u128_pair(hash: [u8; 32]) -> [u128; 2] {
    let (mut pair, (halves, _)) = ([0; 2], hash.as_chunks());
    pair.iter_mut().zip(halves).for_each(|(number, half)| *number = u128::from_be_bytes(*half));
    pair
}

#[cfg(test)]
mod tests;
