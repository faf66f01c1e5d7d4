//! Dropping the data of old blocks: a block file is written anew without it, and everything else stays.
//!
//! The new file is there, whole and pushed to the disk, before a batch says where its blocks lie now; only then the old one goes.
//! Whoever dies before the batch leaves a new file that nothing points to, whoever dies after it an old one. Either goes at the
//! next start.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::ops::Range;

use chain::{Remains, StoreError};
use spec::hash::sha256;
use spec::{Block, BlockHash, Height};

use crate::codec::{self, Form, Kept, KeyBuffer, Span};
use crate::disk::{CUT, DiskStore, Durability};
use crate::files::{HEAD_BYTES, failed};

/// The checksum behind what is left of a block: of a transaction that lost something, its id proves nothing any more.
const SUM_BYTES: usize = 32;

impl DiskStore {
    /// Writes the oldest file that was not yet, if all its blocks are at most `highest`, without data outputs of more than `above`
    /// bytes. Says whether there may be more to do.
    pub(crate) fn cut_next(&mut self, highest: Height, above: usize) -> Result<bool, StoreError> {
        let number = self.files().uncut();
        if !self.files().is_below(number, highest) {
            return Ok(false);
        }
        // Nothing that would have to be applied again may be dropped.
        self.flush()?;
        let own = self.headers_in(number);
        let moved = self.write_cut(number, own.clone(), above)?;
        let mut batch = self.tables().batch();
        batch.put(&self.tables().meta, CUT, &(number + 1).to_le_bytes());
        for (place, kept) in own.clone().zip(&moved) {
            let key = u32::try_from(place).map_err(|_| StoreError::Damaged("too many headers"))?;
            batch.put(&self.tables().headers, &key.to_be_bytes(), &codec::kept_bytes(kept));
            if kept.span.form == Form::Cut {
                batch.remove(&self.tables().state, KeyBuffer::default().undo(&kept.record.header.hash()));
            }
        }
        batch.commit(self.durability())?;
        self.replace_headers(own, &moved);
        self.files_mut().set_cut(number, &moved)?;
        Ok(self.files().is_below(number + 1, highest))
    }

    /// Writes the blocks of a file into a new one; gives where they lie there, or nothing if there was nothing to drop.
    fn write_cut(&self, number: u32, own: Range<usize>, above: usize) -> Result<Vec<Kept>, StoreError> {
        if !self.would_shrink(own.clone(), above)? {
            return Ok(Vec::new());
        }
        let file = File::create(self.files().cut_path(number)).map_err(|error| failed(&error))?;
        let mut out = BufWriter::new(file);
        let (mut moved, mut offset) = (Vec::new(), 0u64);
        for kept in self.kept_in(own) {
            let block = self.must_read(&kept.record.header.hash())?;
            let (form, bytes) =
                cut(&block, above).map_or_else(|| (Form::Beside, block.encode()), |cut| (Form::Cut, cut));
            let len = u32::try_from(bytes.len()).map_err(|_| StoreError::Damaged("a block is too long"))?;
            let head = self.files().head(form, len);
            out.write_all(&head).and_then(|()| out.write_all(&bytes)).map_err(|error| failed(&error))?;
            moved.push(Kept { span: Span { file: number, offset: offset + HEAD_BYTES, len, form }, ..*kept });
            offset += HEAD_BYTES + u64::from(len);
        }
        let file = out.into_inner().map_err(|error| failed(error.error()))?;
        let sync = || if self.durability() == Durability::Power { file.sync_all() } else { Ok(()) };
        sync().map_err(|error| failed(&error))?;
        Ok(moved)
    }

    /// Whether a file has a block that gets shorter.
    fn would_shrink(&self, own: Range<usize>, above: usize) -> Result<bool, StoreError> {
        for kept in self.kept_in(own) {
            if cut(&*self.must_read(&kept.record.header.hash())?, above).is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is left of a block, if some of its data was dropped.
    pub(crate) fn read_remains(&self, hash: &BlockHash, kept: &Kept) -> Result<Remains, StoreError> {
        let bytes = self.files().read(&kept.span)?;
        let damaged = || StoreError::Damaged("what is left of a block");
        let (rest, sum) = bytes.split_last_chunk::<SUM_BYTES>().ok_or_else(damaged)?;
        if sha256(rest) != *sum {
            return Err(damaged());
        }
        let remains = Remains::decode(rest).map_err(|_| damaged())?;
        let good = remains.header.hash() == *hash && remains.is_proven();
        if good { Ok(remains) } else { Err(damaged()) }
    }
}

/// What is kept of a block that loses data, with its checksum; nothing if that is no shorter than the block.
fn cut(block: &Block, above: usize) -> Option<Vec<u8>> {
    let mut bytes = Remains::of(block, above)?.encode();
    let sum = sha256(&bytes);
    bytes.extend_from_slice(&sum);
    (bytes.len() < block.len_bytes()).then_some(bytes)
}

/// Removes a file that may be gone already.
pub(crate) fn remove_if_there(path: &std::path::Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use spec::{BlockHeader, CompactTarget, Opcode, OutPoint, Sats, Transaction, TxIn, TxOut};

    use super::*;

    /// A block of small transactions, and one output with so many bytes of data.
    fn block(small: u32, data: usize) -> Block {
        let input = TxIn { prevout: OutPoint::COINBASE, unlock: vec![], sequence: 0 };
        let tx =
            |locktime, output| Transaction { version: 2, inputs: vec![input.clone()], outputs: vec![output], locktime };
        let long = [&[Opcode::Return.to_byte()][..], &vec![7; data]].concat();
        let plain = (1..=small).map(|number| tx(number, TxOut::plain(Sats::ONE, vec![0x51])));
        let transactions = plain.chain([tx(0, TxOut::plain(Sats::ZERO, long))]).collect();
        let header = BlockHeader {
            version: 1,
            previous: BlockHash::default(),
            merkle_root: [0; 32],
            time: 0,
            bits: CompactTarget::EASIEST,
            nonce: 0,
        };
        Block { header, transactions }
    }

    #[test]
    fn data_is_dropped_only_where_the_block_gets_shorter() {
        assert!(cut(&block(1, 300), 256).is_some_and(|bytes| bytes.len() < block(1, 300).len_bytes()));
        assert_eq!(cut(&block(300, 300), 256), None);
        assert!(cut(&block(300, 900), 256).is_some());
        assert_eq!(cut(&block(1, 300), 301), None);
    }
}
