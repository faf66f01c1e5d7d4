//! Coins of keys, and transactions that spend one each.

use secp256k1::SecretKey;
use spec::hash::hash160;
use spec::script::{p2pkh, push_data};
use spec::{OutPoint, Sats, SighashType, SpendContext, Transaction, TxIn, TxOut};

/// What each coin holds.
pub const SATS_EACH: u64 = 100_000;

/// The kind of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As Bitcoin had it first.
    Ecdsa,
    /// The newer one, of 64 bytes.
    Schnorr,
}

/// The compressed key of a secret.
///
/// # Panics
/// If the secret is none; a hash is one.
#[must_use]
pub fn public_key(secret: &[u8; 32]) -> [u8; 33] {
    SecretKey::from_secret_bytes(*secret).expect("a hash is a private key").public_key().serialize()
}

/// The lock of a secret's key.
#[must_use]
pub fn lock_of(secret: &[u8; 32]) -> Vec<u8> {
    p2pkh(&hash160(&public_key(secret)))
}

/// Signs the digest, without a byte for the type.
///
/// # Panics
/// If the secret is none.
#[must_use]
pub fn sign(secret: &[u8; 32], digest: &[u8; 32], kind: Kind) -> Vec<u8> {
    match kind {
        Kind::Ecdsa => vm::ecdsa::sign(secret, digest).expect("a hash is a private key"),
        Kind::Schnorr => vm::schnorr::sign(secret, digest).expect("a hash is a private key").to_vec(),
    }
}

/// What spends a coin of a secret's key: a signature of all of the transaction, and the key.
#[must_use]
pub fn unlock(secret: &[u8; 32], digest: &[u8; 32], kind: Kind) -> Vec<u8> {
    let mut unlock = Vec::new();
    push_data(&mut unlock, &[sign(secret, digest, kind).as_slice(), &[0x41]].concat());
    push_data(&mut unlock, &public_key(secret));
    unlock
}

/// A transaction with one input and two outputs, signed.
#[must_use]
pub fn spend(coin: OutPoint, spent: &TxOut, secret: &[u8; 32], kind: Kind) -> Transaction {
    let (mut tx, digest) = unsigned(coin, spent);
    let unlock = unlock(secret, &digest, kind);
    tx.inputs.iter_mut().for_each(|input| input.unlock.clone_from(&unlock));
    tx
}

/// The transaction, and the digest that is to be signed.
///
/// # Panics
/// Never: it has the one input.
#[must_use]
pub fn unsigned(coin: OutPoint, spent: &TxOut) -> (Transaction, [u8; 32]) {
    let half = TxOut::plain(Sats::from_wire((SATS_EACH - 500) / 2), spent.lock.clone());
    let tx = Transaction {
        version: 2,
        inputs: vec![TxIn { prevout: coin, unlock: Vec::new(), sequence: u32::MAX }],
        outputs: vec![half.clone(), half],
        locktime: 0,
    };
    let digest = digest_of(&tx, spent);
    (tx, digest)
}

/// A transaction that hands on a coin of a secret's key to the same key, but for the fee; signed.
///
/// # Panics
/// If the coin holds less than the fee.
#[must_use]
pub fn pass_on(coin: OutPoint, spent: &TxOut, secret: &[u8; 32], fee_sats: u64) -> Transaction {
    let left = spent.value.get().checked_sub(fee_sats).expect("the coin pays the fee");
    let tx = Transaction {
        version: 2,
        inputs: vec![TxIn { prevout: coin, unlock: Vec::new(), sequence: u32::MAX }],
        outputs: vec![TxOut::plain(Sats::from_wire(left), spent.lock.clone())],
        locktime: 0,
    };
    signed(tx, spent, secret)
}

/// A transaction of one input, with the Schnorr signature of a secret's key.
#[must_use]
pub fn signed(mut tx: Transaction, spent: &TxOut, secret: &[u8; 32]) -> Transaction {
    let unlock = unlock(secret, &digest_of(&tx, spent), Kind::Schnorr);
    tx.inputs.iter_mut().for_each(|input| input.unlock.clone_from(&unlock));
    tx
}

/// What a signature of the whole transaction, which has one input, covers.
fn digest_of(tx: &Transaction, spent: &TxOut) -> [u8; 32] {
    let context = SpendContext::new(tx, std::slice::from_ref(spent)).expect("one output for one input");
    context.digest(SighashType::ALL, 0, &spent.lock).expect("the input is there").digest
}
