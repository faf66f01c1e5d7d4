//! Bytes that everybody can read from the chain: how they are put there and how they are found again.
//!
//! Up to [`DATA_BYTES_MAX`] bytes fit into a data output, as one push behind `OP_RETURN`. Longer bodies are cut
//! into chunks of [`CHUNK_BYTES`], the last one shorter. Each chunk has a coin of its own, locked by the hash of
//! the redeem script `OP_SHA256 <hash of the chunk> OP_EQUAL`; a transaction that spends the coins in order has to
//! push the chunks, and so puts the body on the chain. Whoever knows the body's SHA-256 finds it in the
//! transaction alone with [`find`]: the hash tells a body from everything else, so no header is needed.

use crate::hash::{sha256, sha256d};
use crate::opcode::Opcode;
use crate::script::{LockKind, instructions, p2sh32, push_data, push_op};
use crate::tx::Transaction;

/// The longest body that a data output holds by relay's rules: 223 bytes of bytecode less `OP_RETURN` and the push.
pub const DATA_BYTES_MAX: usize = 220;
/// The bytes of every chunk but the last. With its redeem script it fits the largest unlocking bytecode.
pub const CHUNK_BYTES: usize = 9_500;

/// One piece of a published body and the coin that carries it.
///
/// ```
/// use spec::publish::{Chunk, chunks};
/// let parts = chunks(&[7; 20_000]);
/// assert_eq!(parts.iter().map(|chunk| chunk.bytes().len()).collect::<Vec<_>>(), [9_500, 9_500, 1_000]);
/// assert_eq!(parts[0].lock().len(), 35);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    bytes: Vec<u8>,
}

/// Cuts a body into chunks; an empty body is one empty chunk.
#[must_use]
pub fn chunks(body: &[u8]) -> Vec<Chunk> {
    if body.is_empty() {
        return vec![Chunk { bytes: Vec::new() }];
    }
    body.chunks(CHUNK_BYTES).map(|bytes| Chunk { bytes: bytes.to_vec() }).collect()
}

impl Chunk {
    /// The piece of the body.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The redeem script: only these bytes satisfy it.
    #[must_use]
    pub fn redeem(&self) -> Vec<u8> {
        let mut script = Vec::new();
        push_op(&mut script, Opcode::Sha256);
        push_data(&mut script, &sha256(&self.bytes));
        push_op(&mut script, Opcode::Equal);
        script
    }

    /// The lock of the coin.
    #[must_use]
    pub fn lock(&self) -> Vec<u8> {
        p2sh32(&sha256d(&self.redeem()))
    }

    /// The unlocking bytecode, which holds the bytes.
    #[must_use]
    pub fn unlock(&self) -> Vec<u8> {
        let mut script = Vec::new();
        push_data(&mut script, &self.bytes);
        push_data(&mut script, &self.redeem());
        script
    }

    /// The chunk that an unlocking bytecode holds, if it is that of a chunk's coin.
    fn read(unlock: &[u8]) -> Option<Self> {
        let steps = instructions(unlock).collect::<Result<Vec<_>, _>>().ok()?;
        let [bytes, redeem] = steps.as_slice() else { return None };
        let bytes = match (bytes.data, bytes.byte) {
            (Some(data), _) => data.to_vec(),
            // The shortest pushes of some single bytes are opcodes of their own.
            (None, 0x4f) => vec![0x81],
            (None, byte @ 0x51..=0x60) => vec![byte - 0x50],
            (None, _) => return None,
        };
        let chunk = Self { bytes };
        (chunk.redeem() == redeem.data?).then_some(chunk)
    }
}

/// The body with this SHA-256 that a transaction publishes, in a data output or in the pushes of its inputs.
///
/// ```
/// use spec::{OutPoint, Transaction, publish};
/// use spec::tx::TxIn;
/// let body = vec![7; 12_000];
/// let input = |chunk: &publish::Chunk| TxIn { prevout: OutPoint::COINBASE, unlock: chunk.unlock(), sequence: 0 };
/// let inputs = publish::chunks(&body).iter().map(input).collect();
/// let tx = Transaction { version: 2, inputs, outputs: vec![], locktime: 0 };
/// assert_eq!(publish::find(&tx, &spec::hash::sha256(&body)), Some(body));
/// ```
#[must_use]
pub fn find(tx: &Transaction, hash: &[u8; 32]) -> Option<Vec<u8>> {
    bodies(tx).into_iter().find(|body| sha256(body) == *hash)
}

/// Every body that a transaction may publish: the pushes of its data outputs, and the bytes of every run of
/// inputs that could be one body. Only a hash that somebody committed to tells which are meant.
///
/// The chunks of one body are next to each other and all full but the last; so from each first chunk there are at
/// most as many bodies as full chunks follow it.
#[must_use]
pub fn bodies(tx: &Transaction) -> Vec<Vec<u8>> {
    let mut found = data_outputs(tx);
    let chunks: Vec<Option<Chunk>> = tx.inputs.iter().map(|input| Chunk::read(&input.unlock)).collect();
    let mut spare = BODY_BYTES_SUM_MAX;
    for first in 0..chunks.len() {
        let mut body = Vec::new();
        for chunk in chunks.iter().skip(first).map_while(Option::as_ref) {
            body.extend_from_slice(&chunk.bytes);
            let Some(left) = spare.checked_sub(body.len() + 1) else { return found };
            spare = left;
            found.push(body.clone());
            if chunk.bytes.len() != CHUNK_BYTES {
                break;
            }
        }
    }
    found
}

/// The most bytes that all candidates together may have: enough for every run of chunks of a block's transaction.
const BODY_BYTES_SUM_MAX: usize = 64 * 1024 * 1024;

fn data_outputs(tx: &Transaction) -> Vec<Vec<u8>> {
    let data = tx.outputs.iter().filter(|output| LockKind::of(&output.lock) == LockKind::Data);
    data.filter_map(|output| {
        let pushes = instructions(output.lock.get(1..)?).collect::<Result<Vec<_>, _>>().ok()?;
        match pushes.as_slice() {
            [only] => only.data.map(<[u8]>::to_vec),
            _ => None,
        }
    })
    .collect()
}

/// The bytecode of a data output that holds one push for each part.
#[must_use]
pub fn data_lock<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Vec<u8> {
    let mut lock = vec![Opcode::Return.to_byte()];
    for part in parts {
        push_prefixed(&mut lock, part);
    }
    lock
}

/// Appends a push that always shows the bytes themselves, so that readers need not know the opcodes of numbers.
fn push_prefixed(out: &mut Vec<u8>, part: &[u8]) {
    match part {
        [] => out.push(0),
        [one] => out.extend([1, *one]),
        more => push_data(out, more),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tx::{OutPoint, TxIn, TxOut};
    use crate::units::Sats;

    fn tx(unlocks: Vec<Vec<u8>>, outputs: Vec<TxOut>) -> Transaction {
        let input = |unlock| TxIn { prevout: OutPoint::COINBASE, unlock, sequence: 0 };
        Transaction { version: 2, inputs: unlocks.into_iter().map(input).collect(), outputs, locktime: 0 }
    }

    #[test]
    fn bodies_of_every_length_are_found_among_other_inputs() {
        for len in [0, 1, 2, 221, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES] {
            for byte in [0, 1, 16, 17, 0x81] {
                let body = vec![byte; len];
                let mut unlocks: Vec<Vec<u8>> = chunks(&body).iter().map(Chunk::unlock).collect();
                unlocks.insert(0, chunks(b"another body")[0].unlock());
                unlocks.insert(0, vec![0x51]);
                unlocks.push(vec![0x05, 1]);
                let tx = tx(unlocks, vec![]);
                assert_eq!(find(&tx, &sha256(&body)), Some(body), "{len} of {byte}");
            }
        }
    }

    #[test]
    fn short_bodies_are_found_in_data_outputs() {
        for body in [vec![], vec![1], vec![0x81], vec![9; DATA_BYTES_MAX]] {
            let lock = data_lock([body.as_slice()]);
            assert!(lock.len() <= 223);
            let tx = tx(vec![], vec![TxOut::plain(Sats::ZERO, lock)]);
            assert_eq!(find(&tx, &sha256(&body)), Some(body));
        }
        let two = data_lock([b"ab".as_slice(), b"cd"]);
        assert_eq!(bodies(&tx(vec![], vec![TxOut::plain(Sats::ZERO, two)])), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn a_transaction_full_of_chunks_stays_bounded() {
        let full = Chunk { bytes: vec![7; CHUNK_BYTES] }.unlock();
        let found = bodies(&tx(vec![full; 200], vec![]));
        assert!(found.iter().map(Vec::len).sum::<usize>() <= BODY_BYTES_SUM_MAX);
    }
}
