//! Signing what others have built.

use spec::script::{LockKind, push_data};
use spec::sighash::SpendContext;
use spec::{Sats, SighashType, Transaction, TxOut};

use crate::keys::Key;

/// Why an input was left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsignable {
    /// What it spends is not known.
    #[error("Input not found or already spent")]
    Unknown,
    /// No key at hand unlocks it.
    #[error("Unable to sign input, no key at hand unlocks it")]
    NoKey,
    /// The signature would cover every spent output, and one is not known.
    #[error("Unable to sign input, its signature covers outputs that are not known")]
    Uncovered,
}

/// Signs the inputs that spend outputs of keys, with Schnorr signatures of this kind; says of each other why it is as it was.
///
/// ```
/// use spec::{OutPoint, Sats, SighashType, Transaction, TxIn, TxOut, Txid};
/// use wallet::{Accounts, sign_inputs};
/// let alice = Accounts::devnet().key(0);
/// let spent = TxOut::plain(Sats::from_wire(1_000), alice.lock());
/// let prevout = OutPoint { txid: Txid::default(), index: 0 };
/// let input = TxIn { prevout, unlock: vec![], sequence: u32::MAX };
/// let mut tx = Transaction { version: 2, inputs: vec![input], outputs: vec![spent.clone()], locktime: 0 };
/// assert_eq!(sign_inputs(&mut tx, &[Some(spent)], &[alice], SighashType::ALL), [None]);
/// assert_eq!(tx.inputs[0].unlock.len(), 1 + 65 + 1 + 33);
/// ```
pub fn sign_inputs(
    tx: &mut Transaction,
    spent: &[Option<TxOut>],
    keys: &[Key],
    kind: SighashType,
) -> Vec<Option<Unsignable>> {
    let unknown = TxOut::plain(Sats::ZERO, Vec::new());
    let all: Vec<TxOut> =
        (0..tx.inputs.len()).map(|at| spent.get(at).cloned().flatten().unwrap_or_else(|| unknown.clone())).collect();
    let complete = spent.len() >= tx.inputs.len() && spent.iter().all(Option::is_some);
    let frame = tx.clone();
    let context = SpendContext::new(&frame, &all).expect("there is one spent output for each input");
    let sign = |at: usize| {
        let output = spent.get(at).and_then(Option::as_ref).ok_or(Unsignable::Unknown)?;
        let (key, with_key) = unlocking(&output.lock, keys).ok_or(Unsignable::NoKey)?;
        if kind.utxos() && !complete {
            return Err(Unsignable::Uncovered);
        }
        let signature =
            signature(&context, at, &output.lock, (key, Algorithm::Schnorr), kind).ok_or(Unsignable::Unknown)?;
        if with_key {
            return Ok(key_unlock(key, &signature));
        }
        let mut unlock = Vec::new();
        push_data(&mut unlock, &signature);
        Ok(unlock)
    };
    let unlocks: Vec<Result<Vec<u8>, Unsignable>> = (0..tx.inputs.len()).map(sign).collect();
    let put = |(input, unlock): (&mut spec::TxIn, Result<Vec<u8>, Unsignable>)| match unlock {
        Ok(unlock) => {
            input.unlock = unlock;
            None
        }
        Err(why) => Some(why),
    };
    tx.inputs.iter_mut().zip(unlocks).map(put).collect()
}

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// Signatures of one length.
    Schnorr,
    /// Signatures in DER, whose lengths differ.
    Ecdsa,
}

impl Algorithm {
    /// The most bytes of a signature and its type byte.
    pub(crate) const fn bytes_max(self) -> usize {
        match self {
            Self::Schnorr => 64 + 1,
            // Two numbers below the group's order, of which the second is in the lower half, and six bytes of frame.
            Self::Ecdsa => 33 + 32 + 6 + 1,
        }
    }
}

/// A signature and its type byte; `None` if the transaction has no such input.
pub(crate) fn signature(
    context: &SpendContext<'_>,
    input: usize,
    code: &[u8],
    (key, algorithm): (&Key, Algorithm),
    kind: SighashType,
) -> Option<Vec<u8>> {
    let digest = context.digest(kind, input, code)?;
    let [last, ..] = kind.to_u32().to_le_bytes();
    let mut signature = match algorithm {
        Algorithm::Schnorr => key.sign(&digest.digest).to_vec(),
        Algorithm::Ecdsa => key.sign_ecdsa(&digest.digest),
    };
    signature.push(last);
    Some(signature)
}

/// What unlocks the coin of a key whose hash its lock holds.
pub(crate) fn key_unlock(key: &Key, signature: &[u8]) -> Vec<u8> {
    let mut unlock = Vec::new();
    push_data(&mut unlock, signature);
    push_data(&mut unlock, &key.public());
    unlock
}

/// The key that opens a lock, and whether it must be shown.
fn unlocking<'k>(lock: &[u8], keys: &'k [Key]) -> Option<(&'k Key, bool)> {
    match LockKind::of(lock) {
        LockKind::P2pkh(hash) => keys.iter().find(|key| key.public_hash() == hash).map(|key| (key, true)),
        LockKind::P2pk(public) => keys.iter().find(|key| key.public().as_slice() == public).map(|key| (key, false)),
        _ => None,
    }
}
