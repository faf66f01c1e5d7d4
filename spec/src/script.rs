//! Bytecode: reading instructions, writing pushes, recognising the standard locks.

use crate::num;
use crate::opcode::Opcode;
use crate::tx::TxOut;
use crate::units::Sats;

/// One instruction of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction<'a> {
    /// Where it starts, in bytes.
    pub at: usize,
    /// Where the next one starts.
    pub end: usize,
    /// Its first byte.
    pub byte: u8,
    /// What it pushes, for bytes `0x00..=0x4e`; the numbers' own opcodes push no data.
    pub data: Option<&'a [u8]>,
}

impl Instruction<'_> {
    /// The opcode; `None` for a byte without a name and for pushes of 1 to 75 bytes.
    #[must_use]
    pub const fn opcode(&self) -> Option<Opcode> {
        Opcode::from_byte(self.byte)
    }
}

/// A push says it is longer than what is left of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the push at byte {at} is longer than the rest of the script")]
pub struct TruncatedPush {
    /// Where the push starts.
    pub at: usize,
}

/// Reads a script instruction by instruction; stops after the first error.
///
/// ```
/// use spec::script::instructions;
/// let script = [0x51, 0x02, 0xab, 0xcd];
/// let lengths: Vec<usize> = instructions(&script).map(|step| step.unwrap().end).collect();
/// assert_eq!(lengths, [1, 4]);
/// ```
pub fn instructions(script: &[u8]) -> Instructions<'_> {
    Instructions { script, at: 0 }
}

/// The iterator of [`instructions`].
#[derive(Clone, Debug)]
pub struct Instructions<'a> {
    script: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Instructions<'a> {
    type Item = Result<Instruction<'a>, TruncatedPush>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at;
        let byte = *self.script.get(at)?;
        let Some((start, len)) = push_extent(self.script, at, byte) else {
            self.at = at + 1;
            return Some(Ok(Instruction { at, end: at + 1, byte, data: None }));
        };
        let data = len.and_then(|len| self.script.get(start..start.checked_add(len)?));
        self.at = data.map_or(self.script.len(), |data| start + data.len());
        Some(match data {
            Some(data) => Ok(Instruction { at, end: self.at, byte, data: Some(data) }),
            None => Err(TruncatedPush { at }),
        })
    }
}

/// Where a push's data starts and its length, if that is there to read; `None` if the byte pushes no data.
fn push_extent(script: &[u8], at: usize, byte: u8) -> Option<(usize, Option<usize>)> {
    let prefix = match byte {
        0x00..=0x4b => return Some((at + 1, Some(usize::from(byte)))),
        0x4c => 1,
        0x4d => 2,
        0x4e => 4,
        _ => return None,
    };
    let start = at + 1 + prefix;
    let len = script
        .get(at + 1..start)
        .map(|bytes| bytes.iter().rev().fold(0usize, |sum, byte| (sum << 8) | usize::from(*byte)));
    Some((start, len))
}

/// Appends the shortest push of `data`.
pub fn push_data(out: &mut Vec<u8>, data: &[u8]) {
    if let Some(opcode) = short_push(data) {
        return out.push(opcode);
    }
    push_prefix(out, data.len());
    out.extend_from_slice(data);
}

/// Appends the shortest push of the number `n`.
pub fn push_int(out: &mut Vec<u8>, n: i64) {
    push_data(out, &num::encode(n));
}

/// Appends an opcode.
pub fn push_op(out: &mut Vec<u8>, opcode: Opcode) {
    out.push(opcode.to_byte());
}

/// The number of bytes of the shortest push of `data`.
#[must_use]
pub fn push_len(data: &[u8]) -> usize {
    if short_push(data).is_some() { 1 } else { push_len_of(data.len()) }
}

/// The number of bytes of the shortest push of `len` bytes that are no small number.
///
/// ```
/// assert_eq!([0, 1, 75, 76, 256].map(spec::script::push_len_of), [1, 2, 76, 78, 259]);
/// ```
#[must_use]
pub const fn push_len_of(len: usize) -> usize {
    match len {
        0 => 1,
        1..=75 => len + 1,
        76..=255 => len + 2,
        256..=65_535 => len + 3,
        _ => len + 5,
    }
}

/// The opcode that pushes `data` by itself, if there is one.
#[must_use]
pub const fn short_push(data: &[u8]) -> Option<u8> {
    match data {
        [] => Some(0x00),
        [n @ 1..=16] => Some(0x50 + *n),
        [0x81] => Some(0x4f),
        _ => None,
    }
}

/// Appends the opcode and length that go before `len` bytes of data.
fn push_prefix(out: &mut Vec<u8>, len: usize) {
    let [a, b, c, d, ..] = (len as u64).to_le_bytes();
    match len {
        0..=75 => out.push(a),
        76..=255 => out.extend([0x4c, a]),
        256..=65_535 => out.extend([0x4d, a, b]),
        _ => out.extend([0x4e, a, b, c, d]),
    }
}

/// Whether the script only pushes: every byte's opcode is at most `OP_16` and no push is cut short.
#[must_use]
pub fn is_push_only(script: &[u8]) -> bool {
    instructions(script).all(|step| step.is_ok_and(|step| step.byte <= Opcode::N16.to_byte()))
}

/// The shape of a locking bytecode.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LockKind {
    /// Pay to the hash of a public key.
    P2pkh([u8; 20]),
    /// Pay to the 20-byte hash of a redeem script.
    P2sh20([u8; 20]),
    /// Pay to the 32-byte hash of a redeem script.
    P2sh32([u8; 32]),
    /// Pay to a public key of 33 or 65 bytes.
    P2pk(Vec<u8>),
    /// Pay to `required` of the keys.
    Multisig {
        /// How many signatures.
        required: u8,
        /// Of which keys.
        keys: Vec<Vec<u8>>,
    },
    /// Data only: starts with `OP_RETURN` and can never be spent.
    Data,
    /// Anything else.
    Other,
}

impl LockKind {
    /// Recognises `lock`.
    #[must_use]
    pub fn of(lock: &[u8]) -> Self {
        if let Some(hash) = p2pkh_hash(lock) {
            return Self::P2pkh(*hash);
        }
        match lock {
            [0xa9, 0x14, hash @ .., 0x87] => exact(hash).map_or(Self::Other, Self::P2sh20),
            [0xaa, 0x20, hash @ .., 0x87] => exact(hash).map_or(Self::Other, Self::P2sh32),
            [0x6a, data @ ..] if is_push_only(data) => Self::Data,
            [len @ (33 | 65), key @ .., 0xac] if key.len() == usize::from(*len) => Self::P2pk(key.to_vec()),
            [.., 0xae] => multisig(lock).unwrap_or(Self::Other),
            _ => Self::Other,
        }
    }
}

fn exact<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

fn multisig(lock: &[u8]) -> Option<LockKind> {
    let steps = instructions(lock).collect::<Result<Vec<_>, _>>().ok()?;
    let [first, keys @ .., count, _] = steps.as_slice() else { return None };
    let small = |byte: u8| (0x51..=0x60).contains(&byte).then(|| byte - 0x50);
    let (required, total) = (small(first.byte)?, small(count.byte)?);
    let keys = keys
        .iter()
        .map(|step| step.data.filter(|key| matches!(key.len(), 33 | 65)).map(<[u8]>::to_vec))
        .collect::<Option<Vec<_>>>()?;
    (keys.len() == usize::from(total) && required <= total).then_some(LockKind::Multisig { required, keys })
}

/// The lock of a public key's hash.
#[must_use]
pub fn p2pkh(hash: &[u8; 20]) -> Vec<u8> {
    [&[0x76, 0xa9, 0x14], hash.as_slice(), &[0x88, 0xac]].concat()
}

/// The hash in a lock that [`p2pkh`] makes; `None` for any other.
///
/// ```
/// use spec::script::{p2pkh, p2pkh_hash, p2sh20};
/// assert_eq!(p2pkh_hash(&p2pkh(&[7; 20])), Some(&[7; 20]));
/// assert_eq!(p2pkh_hash(&p2sh20(&[7; 20])), None);
/// ```
#[must_use]
pub fn p2pkh_hash(lock: &[u8]) -> Option<&[u8; 20]> {
    match lock {
        [0x76, 0xa9, 0x14, hash @ .., 0x88, 0xac] => hash.try_into().ok(),
        _ => None,
    }
}

/// The lock of a redeem script's 20-byte hash.
#[must_use]
pub fn p2sh20(hash: &[u8; 20]) -> Vec<u8> {
    [&[0xa9, 0x14], hash.as_slice(), &[0x87]].concat()
}

/// The lock of a redeem script's 32-byte hash, the double SHA-256.
#[must_use]
pub fn p2sh32(hash: &[u8; 32]) -> Vec<u8> {
    [&[0xaa, 0x20], hash.as_slice(), &[0x87]].concat()
}

/// The least value that relay accepts on an output: what three times its own bytes and the 148 of a later input would cost at one unit a byte. Data outputs need none.
#[must_use]
pub fn dust_limit(output: &TxOut) -> Sats {
    if output.lock.first() == Some(&Opcode::Return.to_byte()) {
        return Sats::ZERO;
    }
    dust_limit_for(output.len_bytes())
}

/// [`dust_limit`] of an output of `output_bytes` bytes on the wire, amount and length included.
#[must_use]
pub const fn dust_limit_for(output_bytes: usize) -> Sats {
    Sats::from_wire(3 * (output_bytes as u64 + 148))
}

/// What the last instruction of a script pushes. In an unlocking bytecode of a P2SH lock that is the redeem script.
///
/// ```
/// use spec::script::last_push;
/// assert_eq!(last_push(&[0x51, 0x02, 7, 8]), Some(&[7, 8][..]));
/// assert_eq!(last_push(&[0x02, 7, 8, 0x93]), None);
/// ```
#[must_use]
pub fn last_push(script: &[u8]) -> Option<&[u8]> {
    instructions(script).last()?.ok()?.data
}

/// The script that decides about an input: the lock, or the redeem script that the lock names by its hash.
#[must_use]
pub fn last_script<'s>(unlock: &'s [u8], lock: &'s [u8]) -> &'s [u8] {
    match LockKind::of(lock) {
        LockKind::P2sh20(_) | LockKind::P2sh32(_) => last_push(unlock).unwrap_or_default(),
        _ => lock,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_push_is_shortest_and_reads_back() {
        for len in [0, 1, 2, 75, 76, 255, 256, 65_535, 65_536] {
            let data = vec![0x42; len];
            let mut script = Vec::new();
            push_data(&mut script, &data);
            assert_eq!(script.len(), push_len(&data));
            let steps: Vec<_> = instructions(&script).map(Result::unwrap).collect();
            assert_eq!(steps.len(), 1);
            assert_eq!(steps[0].data, Some(data.as_slice()));
        }
        for n in [-1, 0, 1, 16] {
            let mut script = Vec::new();
            push_int(&mut script, n);
            assert_eq!(script.len(), 1, "{n}");
        }
    }

    #[test]
    fn a_truncated_push_is_an_error_and_the_end() {
        for script in [&[0x05, 1, 2][..], &[0x4c], &[0x4d, 1], &[0x4e, 0xff, 0xff, 0xff, 0xff]] {
            let steps: Vec<_> = instructions(script).collect();
            assert_eq!(steps, [Err(TruncatedPush { at: 0 })]);
            assert!(!is_push_only(script));
        }
    }

    #[test]
    fn standard_locks_are_recognised() {
        let key = vec![2; 33];
        let two_of_two = [&[0x52, 33][..], &key, &[33], &key, &[0x52, 0xae]].concat();
        let cases = [
            (p2pkh(&[7; 20]), LockKind::P2pkh([7; 20])),
            (p2sh20(&[7; 20]), LockKind::P2sh20([7; 20])),
            (p2sh32(&[7; 32]), LockKind::P2sh32([7; 32])),
            ([&[33][..], &key, &[0xac]].concat(), LockKind::P2pk(key.clone())),
            (two_of_two, LockKind::Multisig { required: 2, keys: vec![key.clone(), key] }),
            (vec![0x6a, 2, 1, 2], LockKind::Data),
            (vec![0x6a, 2, 1], LockKind::Other),
            (vec![0x51], LockKind::Other),
            (vec![0xae], LockKind::Other),
        ];
        for (lock, kind) in cases {
            assert_eq!(LockKind::of(&lock), kind);
        }
    }

    #[test]
    fn dust_limits_are_those_of_the_relay_rule() {
        let out = |lock| TxOut::plain(Sats::ZERO, lock);
        assert_eq!(dust_limit(&out(p2pkh(&[0; 20]))).get(), 546);
        assert_eq!(dust_limit(&out(p2sh32(&[0; 32]))).get(), 576);
        assert_eq!(dust_limit(&out(vec![0x6a])).get(), 0);
        assert_eq!(dust_limit(&out(vec![0x51; 201])).get(), 1074);
    }
}
