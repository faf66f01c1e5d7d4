//! Waiting transactions in a file that grows with each, so that a process that is killed has lost none.
//!
//! A record is a length, the first bytes of the double SHA-256, and a transaction. The file is written anew when it holds
//! much that no longer waits. Whoever reads it judges every transaction again.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use spec::Transaction;
use spec::codec::Reader;
use spec::hash::sha256d;

/// What a file begins with.
const MAGIC: &[u8; 8] = b"BMPOOL1\n";
/// Files below this are not worth writing anew.
const SMALL_BYTES: u64 = 16 << 20;

/// The file of the waiting transactions.
#[derive(Debug)]
pub struct TxJournal {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl TxJournal {
    /// The transactions that a file holds, in the order in which they came; none if there is no file. A torn or damaged
    /// tail ends the list.
    ///
    /// # Errors
    /// What the file system says.
    pub fn read(path: &Path) -> io::Result<Vec<Transaction>> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let Some(records) = bytes.strip_prefix(MAGIC) else { return Ok(Vec::new()) };
        let mut reader = Reader::new(records);
        Ok(std::iter::from_fn(|| next(&mut reader)).collect())
    }

    /// Begins a file with these transactions. The old one stays until the new one is complete.
    ///
    /// # Errors
    /// What the file system says.
    pub fn begin<'a>(path: &Path, waiting: impl Iterator<Item = &'a Transaction>) -> io::Result<Self> {
        let fresh = path.with_extension("new");
        let mut file = File::create(&fresh)?;
        let mut bytes = MAGIC.to_vec();
        waiting.for_each(|tx| write(&mut bytes, tx));
        file.write_all(&bytes)?;
        file.sync_data()?;
        fs::rename(&fresh, path)?;
        Ok(Self { path: path.to_owned(), file, bytes: bytes.len() as u64 })
    }

    /// Adds a transaction. When this returns, it outlives the process.
    ///
    /// # Errors
    /// What the file system says.
    pub fn append(&mut self, tx: &Transaction) -> io::Result<()> {
        let mut record = Vec::new();
        write(&mut record, tx);
        self.bytes += record.len() as u64;
        self.file.write_all(&record)
    }

    /// Writes the file anew if most of it waits no longer.
    ///
    /// # Errors
    /// What the file system says.
    pub fn tidy<'a>(&mut self, waiting_bytes: usize, waiting: impl Iterator<Item = &'a Transaction>) -> io::Result<()> {
        if self.bytes > SMALL_BYTES + 2 * waiting_bytes as u64 {
            *self = Self::begin(&self.path, waiting)?;
        }
        Ok(())
    }
}

fn write(out: &mut Vec<u8>, tx: &Transaction) {
    let bytes = tx.encode();
    let [a, b, c, d, ..] = sha256d(&bytes);
    out.extend((bytes.len() as u64).to_le_bytes());
    out.extend([a, b, c, d]);
    out.extend(bytes);
}

fn next(reader: &mut Reader<'_>) -> Option<Transaction> {
    let len = usize::try_from(reader.u64().ok()?).ok()?;
    let sum: [u8; 4] = reader.array().ok()?;
    let bytes = reader.take(len).ok()?;
    if !sha256d(bytes).starts_with(&sum) {
        return None;
    }
    Transaction::decode(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_read_back_up_to_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mempool.dat");
        assert!(TxJournal::read(&path).unwrap().is_empty());
        let tx = |locktime| Transaction { version: 2, inputs: vec![], outputs: vec![], locktime };
        let mut journal = TxJournal::begin(&path, [tx(0)].iter()).unwrap();
        (1..4).for_each(|locktime| journal.append(&tx(locktime)).unwrap());
        assert_eq!(TxJournal::read(&path).unwrap(), (0..4).map(tx).collect::<Vec<_>>());
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, &bytes).unwrap();
            let read = TxJournal::read(&path).unwrap();
            assert!(read.len() < 4 && read == (0..read.len() as u32).map(tx).collect::<Vec<_>>(), "{at}");
            fs::write(&path, &whole[..at]).unwrap();
            assert!(TxJournal::read(&path).unwrap().len() < 4);
        }
    }
}
