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
        let signature = signature(&context, at, &output.lock, key, kind).ok_or(Unsignable::Unknown)?;
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

/// A Schnorr signature and its type byte; `None` if the transaction has no such input.
pub(crate) fn signature(
    context: &SpendContext<'_>,
    input: usize,
    code: &[u8],
    key: &Key,
    kind: SighashType,
) -> Option<Vec<u8>> {
    let digest = context.digest(kind, input, code)?;
    let [last, ..] = kind.to_u32().to_le_bytes();
    Some(key.sign(&digest.digest).into_iter().chain([last]).collect())
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
