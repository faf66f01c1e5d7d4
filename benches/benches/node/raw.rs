//! The signatures of a block checked alone, as fast as threads without anything else to do can.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::Duration;

use benches::{Kind, public_key, sign};
use secp256k1::ecdsa::Signature;
use secp256k1::{Message, PublicKey};
use spec::hash::sha256;
use vm::batch::{SchnorrCheck, verify_all};

use crate::grown::{SPENDS, secrets};
use crate::measure::best;

/// A thread of a block verifies so many signatures together.
const BATCH: usize = 4_096;

struct Check {
    signature: Vec<u8>,
    digest: [u8; 32],
    key: [u8; 33],
}

/// Checks of as many signatures as a block has.
pub struct Raw {
    kind: Kind,
    checks: Vec<Check>,
}

impl Raw {
    pub fn new(kind: Kind) -> Self {
        let check = |secret: &[u8; 32]| {
            let digest = sha256(secret);
            Check { signature: sign(secret, &digest, kind), digest, key: public_key(secret) }
        };
        Self { kind, checks: secrets(SPENDS).iter().map(check).collect() }
    }

    /// How long all of them take, shared evenly.
    pub fn time(&self, threads: NonZeroUsize) -> Duration {
        let shares = || self.checks.chunks(self.checks.len().div_ceil(threads.get()));
        best(|| {
            std::thread::scope(|scope| {
                for share in shares().skip(1) {
                    scope.spawn(|| self.check(share));
                }
                shares().take(1).for_each(|share| self.check(share));
            });
        })
    }

    /// How long all of them take in batches, as blocks have them, shared evenly.
    pub fn time_batched(&self, threads: NonZeroUsize) -> Duration {
        let one = |check: &Check| {
            let signature = check.signature.as_slice().try_into().expect("it has 64 bytes");
            SchnorrCheck::new(signature, &check.digest, &check.key).expect("it was just made")
        };
        let checks: Vec<SchnorrCheck> = self.checks.iter().map(one).collect();
        let share = checks.len().div_ceil(threads.get());
        let verify = |share: &[SchnorrCheck]| {
            for batch in black_box(share).chunks(BATCH) {
                assert!(verify_all(batch), "they were just made");
            }
        };
        best(|| {
            std::thread::scope(|scope| {
                for share in checks.chunks(share).skip(1) {
                    scope.spawn(|| verify(share));
                }
                checks.chunks(share).take(1).for_each(verify);
            });
        })
    }

    fn check(&self, checks: &[Check]) {
        for check in black_box(checks) {
            assert!(is_good(self.kind, check), "it was just made");
        }
    }
}

/// Schnorr by the virtual machine's function, ECDSA by the library's own.
fn is_good(kind: Kind, check: &Check) -> bool {
    if kind == Kind::Schnorr {
        let signature = check.signature.as_slice().try_into().expect("it has 64 bytes");
        return vm::schnorr::verify(signature, &check.digest, &check.key);
    }
    let signature = Signature::from_der(&check.signature).expect("it was just made");
    let key = PublicKey::from_slice(&check.key).expect("it was just made");
    secp256k1::ecdsa::verify(&signature, Message::from_digest(check.digest), &key).is_ok()
}
