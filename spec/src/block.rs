//! Blocks, their headers, and proof of work.

use crate::codec::{DecodeError, Reader, compact_size_len, write_compact_size};
use crate::hash::{BlockHash, Txid, sha256d};
use crate::tx::Transaction;

/// The 80 bytes that a miner hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockHeader {
    /// The version, signed as on the wire.
    pub version: i32,
    /// The block before.
    pub previous: BlockHash,
    /// The root of the tree over the transaction ids, in wire order.
    pub merkle_root: [u8; 32],
    /// Seconds since 1970.
    pub time: u32,
    /// The target in compact form.
    pub bits: CompactTarget,
    /// What the miner varies.
    pub nonce: u32,
}

impl BlockHeader {
    /// The 80 bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; 80] {
        let mut out = [0; 80];
        let parts: [&[u8]; 6] = [
            &self.version.to_le_bytes(),
            self.previous.as_wire(),
            &self.merkle_root,
            &self.time.to_le_bytes(),
            &self.bits.0.to_le_bytes(),
            &self.nonce.to_le_bytes(),
        ];
        parts.into_iter().flatten().zip(out.iter_mut()).for_each(|(from, to)| *to = *from);
        out
    }

    /// Reads 80 bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if there are fewer.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            version: i32::from_le_bytes(reader.array()?),
            previous: BlockHash::from_wire(reader.array()?),
            merkle_root: reader.array()?,
            time: reader.u32()?,
            bits: CompactTarget(reader.u32()?),
            nonce: reader.u32()?,
        })
    }

    /// The identifier: double SHA-256 of the 80 bytes.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        BlockHash::from_wire(sha256d(&self.encode()))
    }

    /// Whether the hash, read as a number, is at or below the target.
    #[must_use]
    pub fn meets_target(&self) -> bool {
        let mut hash = *self.hash().as_wire();
        hash.reverse();
        self.bits.target().is_some_and(|target| hash <= target)
    }
}

/// A proof-of-work target in the 4-byte form of the header.
///
/// One byte of exponent and three of mantissa: `target = mantissa · 256^(exponent − 3)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CompactTarget(pub u32);

impl CompactTarget {
    /// The easiest target, used by the devnet: half of all hashes meet it.
    pub const EASIEST: Self = Self(0x207f_ffff);

    /// The target as 32 bytes, most significant first; `None` if it is negative, zero or too large.
    #[must_use]
    pub fn target(self) -> Option<[u8; 32]> {
        let exponent = (self.0 >> 24) as usize;
        let mantissa = self.0 & 0x007f_ffff;
        if mantissa == 0 || self.0 & 0x0080_0000 != 0 {
            return None;
        }
        let mut target = [0u8; 32];
        for (place, byte) in mantissa.to_le_bytes().into_iter().take(3).enumerate() {
            match (exponent + place).checked_sub(3) {
                Some(at) if at < 32 => *target.iter_mut().rev().nth(at)? = byte,
                Some(_) if byte != 0 => return None,
                _ => {}
            }
        }
        (target != [0; 32]).then_some(target)
    }

    /// The expected number of hashes to meet the target, `2^256 / (target + 1)`, saturating at `u128::MAX`.
    #[must_use]
    pub fn work(self) -> u128 {
        self.target().map_or(0, |target| divide_2_256(increment(halves(&target))))
    }
}

/// A 256-bit number as its high and low half.
type Wide = (u128, u128);

fn halves(target: &[u8; 32]) -> Wide {
    let read = |bytes: &[u8]| bytes.iter().fold(0u128, |sum, byte| (sum << 8) | u128::from(*byte));
    let (high, low) = target.split_at(16);
    (read(high), read(low))
}

fn increment((high, low): Wide) -> Wide {
    let (low, carry) = low.overflowing_add(1);
    (high.wrapping_add(u128::from(carry)), low)
}

/// Schoolbook binary division: one bit of the quotient for each bit of the dividend.
fn divide_2_256(divisor: Wide) -> u128 {
    let mut remainder: Wide = (0, 0);
    let mut quotient = 0u128;
    for bit in (0..=256).rev() {
        let carry = remainder.0 >> 127 == 1;
        remainder = (remainder.0 << 1 | remainder.1 >> 127, remainder.1 << 1 | u128::from(bit == 256));
        if quotient >> 127 == 1 {
            return u128::MAX;
        }
        quotient <<= 1;
        if carry || remainder >= divisor {
            let (low, borrow) = remainder.1.overflowing_sub(divisor.1);
            remainder = (remainder.0.wrapping_sub(divisor.0).wrapping_sub(u128::from(borrow)), low);
            quotient |= 1;
        }
    }
    quotient
}

/// A header and its transactions, the coinbase first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The header.
    pub header: BlockHeader,
    /// The transactions; after the coinbase in ascending order of their ids.
    pub transactions: Vec<Transaction>,
}

impl Block {
    /// The wire format.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.len_bytes());
        self.write(&mut out);
        out
    }

    /// Appends the wire format.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.header.encode());
        write_compact_size(out, self.transactions.len() as u64);
        self.transactions.iter().for_each(|tx| tx.write(out));
    }

    /// The number of bytes on the wire.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        let transactions = self.transactions.iter().map(Transaction::len_bytes).sum::<usize>();
        self.header.encode().len() + compact_size_len(self.transactions.len() as u64) + transactions
    }

    /// Reads a block that fills `bytes`.
    ///
    /// # Errors
    /// [`DecodeError`] where the bytes are no block or go on after it.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let header = BlockHeader::read(&mut reader)?;
        let transactions = (0..reader.count(10)?).map(|_| Transaction::read(&mut reader)).collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(Self { header, transactions })
    }

    /// The root of the tree over this block's transaction ids.
    #[must_use]
    pub fn merkle_root(&self) -> [u8; 32] {
        merkle_root(self.transactions.iter().map(Transaction::txid))
    }
}

/// The root of the binary hash tree over `txids`; a level of odd length repeats its last hash.
///
/// Repetition lets two lists share a root (CVE-2012-2459), so a checker must refuse repeated ids.
#[must_use]
pub fn merkle_root(txids: impl IntoIterator<Item = Txid>) -> [u8; 32] {
    let mut level: Vec<[u8; 32]> = txids.into_iter().map(|txid| *txid.as_wire()).collect();
    while level.len() > 1 {
        level = level.chunks(2).filter_map(|pair| Some(merkle_parent(pair.first()?, pair.get(1)))).collect();
    }
    level.first().copied().unwrap_or_default()
}

/// The hash above two in the tree of [`merkle_root`]; a hash without a right neighbour stands on both sides.
#[must_use]
pub fn merkle_parent(left: &[u8; 32], right: Option<&[u8; 32]>) -> [u8; 32] {
    sha256d([*left, *right.unwrap_or(left)].as_flattened())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The genesis block of Bitcoin, as published.
    const GENESIS: &str = "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c";

    #[test]
    fn the_genesis_header_hashes_to_its_published_id_and_meets_its_target() {
        let bytes = hex::decode(GENESIS).unwrap();
        let header = BlockHeader::read(&mut Reader::new(&bytes)).unwrap();
        assert_eq!(header.encode().to_vec(), bytes);
        assert_eq!(header.hash().to_string(), "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f");
        assert!(header.meets_target());
        assert!(!BlockHeader { nonce: 1, ..header }.meets_target());
        assert_eq!(header.bits.work(), 0x1_0001_0001);
    }

    #[test]
    fn compact_targets_that_are_no_target_are_refused() {
        for bits in [0, 0x0100_0000, 0x2080_0001, 0xff12_3456, 0x2300_0100, 0x0200_0000] {
            assert_eq!(CompactTarget(bits).target(), None, "{bits:08x}");
        }
        assert_eq!(CompactTarget::EASIEST.work(), 2);
    }

    #[test]
    fn an_odd_level_repeats_its_last_hash() {
        let id = |n: u8| Txid::from_wire([n; 32]);
        assert_eq!(merkle_root([id(1)]), [1; 32]);
        assert_eq!(merkle_root([id(1), id(2), id(3)]), merkle_root([id(1), id(2), id(3), id(3)]));
        assert_ne!(merkle_root([id(1), id(2)]), merkle_root([id(2), id(1)]));
    }
}
