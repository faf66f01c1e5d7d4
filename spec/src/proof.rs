//! Proofs that transactions are in a block: its header and the part of its hash tree that leads to them.
//!
//! Source: the `merkleblock` of BIP 37. The tree is walked from its root, the left side first. Each node that is met has a bit:
//! whether a wanted transaction is below it. Nodes without one, and wanted transactions themselves, give their hash and are not
//! walked further. Example: the third of four transactions has the bits 1 0 1 1 0 and three hashes: that of the left pair, its own, and the fourth.

use crate::block::{BlockHeader, merkle_parent};
use crate::codec::{DecodeError, Reader, write_compact_size};
use crate::hash::Txid;

/// No block has room for more transactions than this.
const TRANSACTIONS_MAX: u32 = 32_000_000 / 60;

/// A proof that some transactions are in the block of a header.
///
/// ```
/// use spec::{BlockHeader, CompactTarget, Txid, block::merkle_root, proof::InclusionProof};
/// let txids: Vec<Txid> = (0..5).map(|n| Txid::from_wire([n; 32])).collect();
/// let merkle_root = merkle_root(txids.iter().copied());
/// let header = BlockHeader { version: 4, previous: Default::default(), merkle_root, time: 0, bits: CompactTarget::EASIEST, nonce: 0 };
/// let proof = InclusionProof::new(header, &txids, |txid| *txid == txids[3]);
/// let read = InclusionProof::decode(&proof.encode()).unwrap();
/// assert_eq!(read.proven(), Some(vec![(3, txids[3])]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof {
    /// The block's header.
    pub header: BlockHeader,
    /// How many transactions the block has, as the proof says.
    pub transactions: u32,
    hashes: Vec<[u8; 32]>,
    bits: Vec<bool>,
}

impl InclusionProof {
    /// The proof for those of a block's transactions that are wanted.
    #[must_use]
    pub fn new(header: BlockHeader, txids: &[Txid], wanted: impl Fn(&Txid) -> bool) -> Self {
        let mut levels = vec![txids.iter().map(|txid| (*txid.as_wire(), wanted(txid))).collect::<Vec<_>>()];
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            let above = level.chunks(2).filter_map(|pair| {
                let (left, right) = (pair.first()?, pair.get(1));
                Some((merkle_parent(&left.0, right.map(|(hash, _)| hash)), pair.iter().any(|(_, wanted)| *wanted)))
            });
            levels.push(above.collect());
        }
        let transactions = u32::try_from(txids.len()).unwrap_or(u32::MAX);
        let mut proof = Self { header, transactions, hashes: Vec::new(), bits: Vec::new() };
        proof.build(&levels, 0);
        proof
    }

    fn build(&mut self, levels: &[Vec<([u8; 32], bool)>], at: usize) {
        let Some((level, below)) = levels.split_last() else { return };
        let Some((hash, wanted)) = level.get(at) else { return };
        self.bits.push(*wanted);
        if below.is_empty() || !wanted {
            self.hashes.push(*hash);
        } else {
            self.build(below, 2 * at);
            self.build(below, 2 * at + 1);
        }
    }

    /// The places and ids of the transactions that the proof shows to be in the block; `None` if it proves nothing.
    #[must_use]
    pub fn proven(&self) -> Option<Vec<(u32, Txid)>> {
        let count = self.transactions;
        if count == 0 || count > TRANSACTIONS_MAX || self.hashes.len() > count as usize {
            return None;
        }
        let height = u32::BITS - (count - 1).leading_zeros();
        let mut walk = Walk { proof: self, bits: 0, hashes: 0, found: Vec::new() };
        let root = walk.node(height, 0)?;
        // Bits come in whole bytes, so fewer than eight may be left.
        let whole = walk.hashes == self.hashes.len() && walk.bits.div_ceil(8) == self.bits.len().div_ceil(8);
        (whole && root == self.header.merkle_root).then_some(walk.found)
    }

    /// The wire format.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.header.encode().to_vec();
        out.extend(self.transactions.to_le_bytes());
        write_compact_size(&mut out, self.hashes.len() as u64);
        self.hashes.iter().for_each(|hash| out.extend(hash));
        write_compact_size(&mut out, self.bits.len().div_ceil(8) as u64);
        let byte = |bits: &[bool]| (0..).zip(bits).fold(0u8, |byte, (place, bit)| byte | u8::from(*bit) << place);
        out.extend(self.bits.chunks(8).map(byte));
        out
    }

    /// Reads a proof that fills `bytes`. What it proves is not looked at.
    ///
    /// # Errors
    /// [`DecodeError`] where the bytes are no proof or go on after it.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let header = BlockHeader::read(&mut reader)?;
        let transactions = reader.u32()?;
        let hashes = (0..reader.count(32)?).map(|_| reader.array()).collect::<Result<_, _>>()?;
        let bits = reader.bytes()?.iter().flat_map(|byte| (0..8).map(move |place| byte >> place & 1 == 1)).collect();
        reader.finish()?;
        Ok(Self { header, transactions, hashes, bits })
    }
}

/// The walk through a proof.
struct Walk<'p> {
    proof: &'p InclusionProof,
    bits: usize,
    hashes: usize,
    found: Vec<(u32, Txid)>,
}

impl Walk<'_> {
    /// The hash of a node; `None` where the proof does not hold it, or says the same twice.
    fn node(&mut self, height: u32, at: u32) -> Option<[u8; 32]> {
        let wanted = *self.proof.bits.get(self.bits)?;
        self.bits += 1;
        if height == 0 || !wanted {
            let hash = *self.proof.hashes.get(self.hashes)?;
            self.hashes += 1;
            if wanted {
                self.found.push((at, Txid::from_wire(hash)));
            }
            return Some(hash);
        }
        let left = self.node(height - 1, 2 * at)?;
        let width = ((self.proof.transactions - 1) >> (height - 1)) + 1;
        if 2 * at + 1 >= width {
            return Some(merkle_parent(&left, None));
        }
        let right = self.node(height - 1, 2 * at + 1)?;
        // Two lists of transactions may share a root where one repeats its end (CVE-2012-2459).
        (left != right).then(|| merkle_parent(&left, Some(&right)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{CompactTarget, merkle_root};
    use crate::hash::BlockHash;

    fn ids(count: u32) -> Vec<Txid> {
        (1..=count).map(|n| Txid::from_wire(crate::hash::sha256(&n.to_le_bytes()))).collect()
    }

    fn header(txids: &[Txid]) -> BlockHeader {
        let merkle_root = merkle_root(txids.iter().copied());
        BlockHeader {
            version: 4,
            previous: BlockHash::default(),
            merkle_root,
            time: 0,
            bits: CompactTarget::EASIEST,
            nonce: 0,
        }
    }

    #[test]
    fn every_choice_of_every_small_block_is_proven() {
        for count in 1..=9u32 {
            let txids = ids(count);
            for chosen in 0..1u32 << count {
                let place = |txid: &Txid| txids.iter().position(|one| one == txid).unwrap();
                let proof = InclusionProof::new(header(&txids), &txids, |txid| chosen >> place(txid) & 1 == 1);
                let expected: Vec<(u32, Txid)> =
                    (0..count).filter(|at| chosen >> at & 1 == 1).map(|at| (at, txids[at as usize])).collect();
                let read = InclusionProof::decode(&proof.encode()).unwrap();
                assert_eq!(read.proven(), Some(expected), "{count} {chosen:b}");
            }
        }
    }

    #[test]
    fn a_proof_that_is_changed_anywhere_shows_nothing_that_is_not_so() {
        let txids = ids(7);
        let proof = InclusionProof::new(header(&txids), &txids, |txid| *txid == txids[4]);
        let good = proof.encode();
        for at in 36..good.len() {
            for bit in 0..8 {
                let mut bytes = good.clone();
                bytes[at] ^= 1 << bit;
                let found = InclusionProof::decode(&bytes).ok().and_then(|proof| proof.proven());
                // Time, target and nonce are not the tree's, and what else can be shown is true as well.
                let true_too = |(at, txid): &(u32, Txid)| txids.get(*at as usize) == Some(txid);
                assert!(found.iter().flatten().all(true_too), "{at} {bit}");
            }
        }
        for len in 0..good.len() {
            assert!(InclusionProof::decode(&good[..len]).is_err());
        }
    }

    #[test]
    fn hostile_counts_cost_nothing() {
        let mut proof = InclusionProof::new(header(&ids(1)), &ids(1), |_| true);
        for transactions in [0, 2, TRANSACTIONS_MAX, TRANSACTIONS_MAX + 1, u32::MAX] {
            proof.transactions = transactions;
            assert_eq!(proof.proven(), None, "{transactions}");
        }
    }
}
