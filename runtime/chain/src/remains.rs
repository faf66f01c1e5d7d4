//! What is left of a block whose long data outputs were dropped: everything else, and of them their length and hash.
//!
//! A transaction that lost something cannot prove its id any more, so the id is kept beside it. Whole transactions are hashed again,
//! and all ids together must lead to the header's root.

use std::collections::BTreeMap;

use spec::block::merkle_root;
use spec::codec::{DecodeError, Reader, compact_size_len, write_compact_size};
use spec::hash::sha256;
use spec::{Block, BlockHeader, Transaction, TxOut, Txid};

use crate::connect::is_spendable;

/// A block without some of its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remains {
    /// Its header.
    pub header: BlockHeader,
    /// Its transactions, in block order.
    pub transactions: Vec<TxRemains>,
}

/// A transaction of a block that lost some data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxRemains {
    /// Its id.
    pub txid: Txid,
    /// The transaction; the bytecode of outputs that were dropped is empty.
    pub tx: Transaction,
    /// What was dropped, by the output's index.
    pub dropped: BTreeMap<u32, Dropped>,
}

/// The bytecode of an output that was dropped. It began with `OP_RETURN`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Its length in bytes.
    pub len: u32,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}

/// The least bytes of a transaction here, and of what was dropped.
const TX_BYTES_MIN: usize = 11;
const DROPPED_BYTES_MIN: usize = 37;

impl Remains {
    /// What is left of a block without its data outputs of more than `above` bytes; nothing if it has none.
    #[must_use]
    pub fn of(block: &Block, above: usize) -> Option<Self> {
        let mut outputs = block.transactions.iter().flat_map(|tx| &tx.outputs);
        let loses = outputs.any(|output| is_long_data(output, above));
        loses.then(|| Self {
            header: block.header,
            transactions: block.transactions.iter().map(|tx| TxRemains::of(tx, above)).collect(),
        })
    }

    /// Whether the transactions' ids lead to the header's root.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        merkle_root(self.txids()) == self.header.merkle_root
    }

    /// The ids of its transactions.
    pub fn txids(&self) -> impl Iterator<Item = Txid> {
        self.transactions.iter().map(|tx| tx.txid)
    }

    /// The bytes that the block had on the wire.
    #[must_use]
    pub fn block_bytes(&self) -> usize {
        let count = compact_size_len(self.transactions.len() as u64);
        self.header.encode().len() + count + self.transactions.iter().map(TxRemains::tx_bytes).sum::<usize>()
    }

    /// Its bytes, in a form of our own: the header, and for each transaction how many outputs were dropped, the id if any was, which
    /// ones with length and hash, and the transaction as on the wire.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.header.encode().to_vec();
        write_compact_size(&mut out, self.transactions.len() as u64);
        self.transactions.iter().for_each(|tx| tx.write(&mut out));
        out
    }

    /// Reads what [`Remains::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] where the bytes are nothing like that or go on after it.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let header = BlockHeader::read(&mut reader)?;
        let count = reader.count(TX_BYTES_MIN)?;
        let transactions = (0..count).map(|_| TxRemains::read(&mut reader)).collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(Self { header, transactions })
    }
}

impl TxRemains {
    fn of(tx: &Transaction, above: usize) -> Self {
        let mut rest = Self { txid: tx.txid(), tx: tx.clone(), dropped: BTreeMap::new() };
        let outputs = (0..).zip(&mut rest.tx.outputs).filter(|(_, output)| is_long_data(output, above));
        for (index, output) in outputs {
            let lock = std::mem::take(&mut output.lock);
            rest.dropped.insert(index, Dropped { len: lock.len() as u32, sha256: sha256(&lock) });
        }
        rest
    }

    /// Whether it lost nothing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.dropped.is_empty()
    }

    /// The bytes that the transaction had on the wire.
    #[must_use]
    pub fn tx_bytes(&self) -> usize {
        let grown = |(index, dropped): (&u32, &Dropped)| {
            let output = usize::try_from(*index).ok().and_then(|index| self.tx.outputs.get(index))?;
            output.len_bytes_with(usize::try_from(dropped.len).ok()?).checked_sub(output.len_bytes())
        };
        self.tx.len_bytes() + self.dropped.iter().filter_map(grown).sum::<usize>()
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_compact_size(out, self.dropped.len() as u64);
        if !self.is_whole() {
            out.extend_from_slice(self.txid.as_wire());
        }
        for (index, dropped) in &self.dropped {
            write_compact_size(out, u64::from(*index));
            out.extend_from_slice(&dropped.len.to_le_bytes());
            out.extend_from_slice(&dropped.sha256);
        }
        self.tx.write(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count(DROPPED_BYTES_MIN)?;
        let known = if count == 0 { None } else { Some(Txid::from_wire(reader.array()?)) };
        let mut dropped = BTreeMap::new();
        for _ in 0..count {
            let index = u32::try_from(reader.compact_size()?).map_err(|_| DecodeError::Oversized)?;
            dropped.insert(index, Dropped { len: reader.u32()?, sha256: reader.array()? });
        }
        let tx = Transaction::read(reader)?;
        let is_gone = |index: &u32| {
            let output = usize::try_from(*index).ok().and_then(|index| tx.outputs.get(index));
            output.is_some_and(|output| output.lock.is_empty())
        };
        if dropped.len() != count || !dropped.keys().all(is_gone) {
            return Err(DecodeError::Oversized);
        }
        Ok(Self { txid: known.unwrap_or_else(|| tx.txid()), tx, dropped })
    }
}

/// Whether an output is data of more than `above` bytes, and no more than a length here can say.
fn is_long_data(output: &TxOut, above: usize) -> bool {
    let len = output.lock.len();
    len > above && u32::try_from(len).is_ok() && !is_spendable(output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::{Category, CompactTarget, Opcode, OutPoint, Sats, Token, TxIn};

    fn block() -> Block {
        let data = |len| [&[Opcode::Return.to_byte()][..], &vec![7; len]].concat();
        let token = Token { category: Category::from_wire([1; 32]), amount: 9, nft: None };
        let outputs = vec![
            TxOut::plain(Sats::ONE, vec![0x51; 900]),
            TxOut { value: Sats::ZERO, token: Some(token), lock: data(600) },
            TxOut::plain(Sats::ZERO, data(70_000)),
            TxOut::plain(Sats::ZERO, data(99)),
        ];
        let inputs = vec![TxIn { prevout: OutPoint::COINBASE, unlock: vec![1, 2], sequence: 7 }];
        let whole = Transaction { version: 2, inputs, outputs: vec![], locktime: 3 };
        let mut block = Block {
            header: BlockHeader {
                version: 4,
                previous: spec::BlockHash::default(),
                merkle_root: [0; 32],
                time: 1,
                bits: CompactTarget::EASIEST,
                nonce: 0,
            },
            transactions: vec![whole.clone(), Transaction { outputs, ..whole }],
        };
        block.header.merkle_root = block.merkle_root();
        block
    }

    #[test]
    fn long_data_leaves_its_length_and_hash_and_all_else_is_whole() {
        let block = block();
        assert_eq!(Remains::of(&block, 70_001), None);
        let remains = Remains::of(&block, 100).unwrap();
        assert!(remains.is_proven());
        assert_eq!(remains.block_bytes(), block.encode().len());
        let [first, second] = remains.transactions.as_slice() else { panic!("two transactions") };
        assert!(first.is_whole() && first.tx == block.transactions[0]);
        assert_eq!(second.dropped.keys().copied().collect::<Vec<_>>(), [1, 2]);
        let lock = &block.transactions[1].outputs[2].lock;
        assert_eq!(second.dropped[&2], Dropped { len: 70_001, sha256: sha256(lock) });
        assert_eq!(second.txid, block.transactions[1].txid());
        for (at, output) in block.transactions[1].outputs.iter().enumerate().filter(|(at, _)| *at % 3 == 0) {
            assert_eq!(&second.tx.outputs[at], output);
        }
        assert!(remains.encode().len() < 1_400);
    }

    #[test]
    fn bytes_are_read_back_and_hostile_ones_refused() {
        let remains = Remains::of(&block(), 100).unwrap();
        let bytes = remains.encode();
        assert_eq!(Remains::decode(&bytes), Ok(remains.clone()));
        for at in 0..bytes.len() {
            assert!(Remains::decode(&bytes[..at]).is_err(), "{at}");
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x41;
            // Whatever is read, it is something else.
            assert_ne!(Remains::decode(&flipped), Ok(remains.clone()), "{at}");
        }
    }
}
