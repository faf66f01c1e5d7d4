//! Keys, and signatures that are right, or wrong in one bit.

use std::sync::OnceLock;

use secp256k1::SecretKey;
use spec::hash::{hash160, sha256};
use spec::{SighashType, SpendContext};
use vm::{ecdsa, schnorr};

/// How many keys there are.
pub(crate) const KEYS: usize = 8;

/// A signature to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Whose, before other deployments have other keys.
    pub(crate) key: usize,
    /// Whether it is Schnorr's, not ECDSA's.
    pub(crate) schnorr: bool,
    /// What it covers.
    pub(crate) of: Signed,
    /// The bit that is changed, if one is.
    pub(crate) changed: Option<usize>,
}

/// What a signature covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Signed {
    /// The transaction, and the script from an offset on.
    Script { from: usize, kind: u32 },
    /// The transaction, and this function from an offset on. Its keys are the same in all deployments.
    Function { body: Vec<u8>, from: usize, kind: u32 },
    /// Some data.
    Data(Vec<u8>),
}

struct Key {
    secret: [u8; 32],
    public: [u8; 33],
    long: [u8; 65],
    hash: [u8; 20],
}

fn keys() -> &'static [Key] {
    static ALL: OnceLock<Vec<Key>> = OnceLock::new();
    ALL.get_or_init(|| {
        let secrets = (1..=KEYS as u8).filter_map(|n| SecretKey::from_secret_bytes([n; 32]).ok());
        let key = |secret: SecretKey| {
            let public = secret.public_key();
            let (short, long) = (public.serialize(), public.serialize_uncompressed());
            Key { secret: secret.to_secret_bytes(), public: short, long, hash: hash160(&short) }
        };
        secrets.map(key).collect()
    })
}

fn key(number: usize) -> Option<&'static Key> {
    keys().get(number % KEYS)
}

/// The bytes of a public key.
pub(crate) fn public(number: usize) -> Vec<u8> {
    key(number).map_or(Vec::new(), |key| key.public.to_vec())
}

/// The bytes of a public key, uncompressed.
pub(crate) fn public_long(number: usize) -> Vec<u8> {
    key(number).map_or(Vec::new(), |key| key.long.to_vec())
}

/// The hash of a public key.
pub(crate) fn public_hash(number: usize) -> Vec<u8> {
    key(number).map_or(Vec::new(), |key| key.hash.to_vec())
}

/// What another deployment has in the place of a key, or of its hash.
pub(crate) fn of_deployment(data: &[u8], deployment: usize) -> Option<Vec<u8>> {
    let at = |of: fn(&Key) -> &[u8]| keys().iter().position(|key| of(key) == data);
    match data.len() {
        33 => at(|key| &key.public).map(|number| public(number + deployment)),
        65 => at(|key| &key.long).map(|number| public_long(number + deployment)),
        20 => at(|key| &key.hash).map(|number| public_hash(number + deployment)),
        _ => None,
    }
}

impl Signature {
    /// The bytes of the signature for an input that runs `code`; none if there is no such input.
    pub(crate) fn made(&self, context: &SpendContext<'_>, input: usize, code: &[u8], deployment: usize) -> Vec<u8> {
        let (covered, kind, shift) = match &self.of {
            Signed::Script { from, kind } => (code.get(*from..).unwrap_or_default(), Some(*kind), deployment),
            Signed::Function { body, from, kind } => (body.get(*from..).unwrap_or_default(), Some(*kind), 0),
            Signed::Data(data) => (data.as_slice(), None, deployment),
        };
        let digest = match kind {
            Some(kind) => context.digest(SighashType::from_u32(kind), input, covered).map(|signed| signed.digest),
            None => Some(sha256(covered)),
        };
        let made = digest.zip(key(self.key + shift)).and_then(|(digest, key)| self.signed(&key.secret, &digest));
        let mut made = made.unwrap_or_default();
        if let Some(bit) = self.changed {
            let at = bit / 8 % made.len().max(1);
            made.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (bit % 8));
        }
        made.extend(kind.map(|kind| kind as u8));
        made
    }

    fn signed(&self, secret: &[u8; 32], digest: &[u8; 32]) -> Option<Vec<u8>> {
        if self.schnorr { schnorr::sign(secret, digest).map(Vec::from) } else { ecdsa::sign(secret, digest) }
    }
}
