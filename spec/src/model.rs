//! The flow of a model: one script for all models, which differ in the hash of a list alone.
//!
//! The list's chain ([`chain_hash`]) begins with the [`Terms`], its records are the parents' flows and then the model's
//! own sources, each a weight and a lock. So whoever knows these knows the script, and a registry can build it: that a
//! flow pays its parents is proved when the model is registered.
//!
//! [`SCRIPT_HEAD`] and [`SCRIPT_TAIL`] are what the compiler makes of every model. They are part of the form of a
//! record, as its version is: a registry knows no others, and a compiler that makes another script is one that its
//! tests refuse.

use crate::artifact::{Record, chain_hash};
use crate::codec::write_bytes;
use crate::hash::{sha256, sha256d};
use crate::opcode::Opcode;
use crate::script::dust_limit_for;
use crate::token;
use crate::units::Sats;

/// The most models that one model builds on.
pub const PARENTS_MAX: usize = 64;
/// The most that a settlement of a flow may leave to the miner: one unit for each byte of the largest transaction that
/// nodes pass on. Without a bound, whoever mines could take what parents are due as a fee.
pub const FEE_SATS_MAX: u32 = 100_000;
/// The longest lock of a source. The least that an output with it holds is [`DUST_LIMIT`].
pub const LOCK_BYTES_MAX: usize = 35;
/// The least that a recipient's output holds.
pub const DUST_LIMIT: Sats = dust_limit_for(8 + 1 + LOCK_BYTES_MAX);
/// The length of [`Terms`].
pub const TERMS_BYTES: usize = 4 + 8 + 4 + 32;

/// What stands before the list's hash in the script of a flow, the opcode that pushes it at the end.
pub const SCRIPT_HEAD: [u8; 123] = [
    0x82, 0x78, 0x88, 0x63, 0x77, 0xc0, 0x91, 0x69, 0x00, 0x00, 0x65, 0x78, 0xc7, 0x76, 0xc0, 0xc7, 0x87, 0x63, 0x75,
    0x78, 0xc6, 0x93, 0x67, 0x82, 0x77, 0x01, 0x19, 0x9d, 0x68, 0x7c, 0x8b, 0x7d, 0xc3, 0x9c, 0x66, 0x77, 0x6f, 0x75,
    0x60, 0x7f, 0x75, 0x5c, 0x7f, 0x77, 0x81, 0xa1, 0x69, 0x7b, 0x94, 0x6e, 0x7c, 0x5c, 0x7f, 0x75, 0x54, 0x7f, 0x77,
    0x81, 0xa2, 0x69, 0x78, 0x54, 0x7f, 0x75, 0x81, 0x76, 0x52, 0x96, 0x00, 0x54, 0x7a, 0xaa, 0x00, 0x65, 0x56, 0x79,
    0x00, 0xa0, 0x69, 0x53, 0x7a, 0x55, 0x79, 0x57, 0x79, 0x95, 0x93, 0x76, 0x55, 0x79, 0x96, 0x52, 0x79, 0xcc, 0x78,
    0x56, 0x7a, 0x94, 0xa2, 0x69, 0x53, 0x7a, 0x56, 0x7a, 0x54, 0x80, 0x7e, 0x53, 0x79, 0xcd, 0x7e, 0xa8, 0x53, 0x7a,
    0x8b, 0x74, 0x56, 0x9c, 0x66, 0x75, 0x72, 0x6d, 0x20,
];
/// What stands behind it.
pub const SCRIPT_TAIL: [u8; 12] = [0x88, 0x9d, 0x67, 0xc0, 0x69, 0x00, 0xc7, 0xc0, 0xc7, 0x88, 0x68, 0x51];

/// What the hash of a flow's list begins with: the numbers of its settlements, and a digest of the recipients' names.
///
/// ```
/// use spec::{Sats, model::{Terms, names_hash}};
/// let terms = Terms { whole: 100, least: Sats::new(9_000).unwrap(), fee_max: 1_000, names: names_hash(["all"]) };
/// assert_eq!(Terms::decode(&terms.encode()), Some(terms));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What the weights sum to.
    pub whole: u32,
    /// The smallest amount that is divided: the smallest pot less the largest fee.
    pub least: Sats,
    /// The most that a settlement may leave to the miner, in base units.
    pub fee_max: u32,
    /// The digest of the names, [`names_hash`].
    pub names: [u8; 32],
}

impl Terms {
    /// The bytes: whole 4, least 8, fee 4, names 32. Numbers are little-endian.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(TERMS_BYTES);
        out.extend(self.whole.to_le_bytes());
        out.extend(self.least.get().to_le_bytes());
        out.extend(self.fee_max.to_le_bytes());
        out.extend(self.names);
        out
    }

    /// Reads what [`Terms::encode`] writes; `None` if the bytes are none or hold a number that no money has.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (whole, rest) = bytes.split_first_chunk()?;
        let (least, rest) = rest.split_first_chunk()?;
        let (fee, names) = rest.split_first_chunk()?;
        Some(Self {
            whole: u32::from_le_bytes(*whole),
            least: Sats::new(u64::from_le_bytes(*least))?,
            fee_max: u32::from_le_bytes(*fee),
            names: names.try_into().ok()?,
        })
    }
}

/// The digest of recipients' names: SHA-256 of each with its length, a compact size, in front.
#[must_use]
pub fn names_hash<'n>(names: impl IntoIterator<Item = &'n str>) -> [u8; 32] {
    let mut bytes = Vec::new();
    names.into_iter().for_each(|name| write_bytes(&mut bytes, name.as_bytes()));
    sha256(&bytes)
}

/// The script of the flow whose list has this hash.
#[must_use]
pub fn flow_script(list: &[u8; 32]) -> Vec<u8> {
    [&SCRIPT_HEAD[..], list, &SCRIPT_TAIL].concat()
}

/// The hash in the lock of the flow of these terms that pays these recipients, each a weight and a lock, in this order.
#[must_use]
pub fn flow_hash<'r>(terms: &Terms, recipients: impl IntoIterator<Item = (u32, &'r [u8])>) -> [u8; 32] {
    let record = |(weight, lock): (u32, &[u8])| -> Record { vec![weight.to_le_bytes().to_vec(), lock.to_vec()] };
    let records: Vec<Record> = recipients.into_iter().map(record).collect();
    sha256d(&flow_script(&chain_hash(&terms.encode(), &records)))
}

/// Whether a flow can pay a source at this lock: outputs have it, nodes pass them on, and [`DUST_LIMIT`] is theirs.
///
/// A lock that begins with `OP_RETURN` holds data, and what begins with the prefix of a token is no lock.
#[must_use]
pub fn can_be_paid(lock: &[u8]) -> bool {
    let unpayable = [Opcode::Return.to_byte(), token::PREFIX];
    lock.len() <= LOCK_BYTES_MAX && lock.first().is_some_and(|first| !unpayable.contains(first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::p2sh32;

    #[test]
    fn terms_are_read_as_they_are_written() {
        let terms = Terms { whole: 0x7fff_ffff, least: Sats::MAX, fee_max: FEE_SATS_MAX, names: [7; 32] };
        let bytes = terms.encode();
        assert_eq!((bytes.len(), Terms::decode(&bytes)), (TERMS_BYTES, Some(terms)));
        assert_eq!(Terms::decode(bytes.get(1..).unwrap()), None);
        assert_eq!(Terms::decode(&[&bytes[..], &[0]].concat()), None);
        let too_much = [&[1, 0, 0, 0][..], &[0xff; 8], &[0; 36]].concat();
        assert_eq!(Terms::decode(&too_much), None);
    }

    #[test]
    fn locks_that_no_settlement_could_pay_are_told_apart() {
        for lock in [&[0x51][..], &[0x51; 35], &p2sh32(&[1; 32])] {
            assert!(can_be_paid(lock));
        }
        for lock in [&[][..], &[0x51; 36], &[0x6a, 1, 1], &[0xef; 25]] {
            assert!(!can_be_paid(lock));
        }
    }
}
