//! Building the tables again from the block files alone.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use chain::{HeaderRecord, StoreError};
use spec::codec::Reader;
use spec::{Block, BlockHash, Height};

use crate::codec::{End, Kept, Span};
use crate::disk::{DiskOptions, DiskStore, blocks_folder, tables_folder};
use crate::files::{HEAD_BYTES, failed, file_path, numbers};

/// How far a reindex has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The block files that were read.
    pub files: u32,
    /// The blocks that were found.
    pub blocks: u32,
    /// Blocks that were left out because the one before is not there.
    pub orphans: u32,
}

/// Headers as they are found.
#[derive(Default)]
struct Found {
    kept: Vec<Kept>,
    heights: BTreeMap<BlockHash, Height>,
    end: End,
    progress: Progress,
}

impl DiskStore {
    /// Throws the tables of a folder away and finds all headers again in its block files; the chain that opens the store
    /// then connects the blocks. Blocks that are damaged are left out, and so is what was declared about blocks.
    ///
    /// # Errors
    /// [`StoreError::Pruned`] if blocks were dropped, for then the coins cannot be found again; what the file system says.
    pub fn reindex(folder: &Path, options: &DiskOptions, tell: &mut dyn FnMut(Progress)) -> Result<(), StoreError> {
        let first = numbers(&blocks_folder(folder)).map_err(|error| failed(&error))?.first().copied();
        if first.is_some_and(|number| number > 0) {
            return Err(StoreError::Pruned);
        }
        match fs::remove_dir_all(tables_folder(folder)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&error)),
            _ => {}
        }
        let mut found = Found::default();
        for number in 0.. {
            // One file at a time is in memory.
            let bytes = match fs::read(file_path(&blocks_folder(folder), number)) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(error) => return Err(failed(&error)),
            };
            scan(&bytes, options.magic, &mut |block, offset, len| {
                found.take(&block, Span { file: number, offset, len })
            });
            found.progress.files += 1;
            tell(found.progress);
        }
        Self::begin(folder, options, &found.kept, found.end)
    }
}

impl Found {
    fn take(&mut self, block: &Block, span: Span) {
        let header = block.header;
        let hash = header.hash();
        let Ok(transactions) = u32::try_from(block.transactions.len()) else { return };
        let first = self.kept.is_empty() && header.previous == BlockHash::default();
        let height = match self.heights.get(&header.previous) {
            Some(below) => below.next(),
            None if first => Height::GENESIS,
            None => {
                self.progress.orphans += 1;
                return;
            }
        };
        if self.heights.insert(hash, height).is_none() {
            self.kept.push(Kept { record: HeaderRecord { header, height, invalid: false, transactions }, span });
            self.progress.blocks += 1;
            self.end = End { file: span.file, len: span.offset + u64::from(span.len) };
        }
    }
}

/// Shows every whole block of a file. Where a record is damaged, the search goes on for the next one.
fn scan(bytes: &[u8], magic: [u8; 4], show: &mut dyn FnMut(Block, u64, u32)) {
    let mut at = 0;
    while let Some(rest) = bytes.get(at..) {
        let Some(skipped) = rest.windows(magic.len()).position(|window| window == magic) else { return };
        at += skipped;
        match bytes.get(at..).and_then(read) {
            Some((block, len)) => {
                show(block, at as u64 + HEAD_BYTES, len);
                at += HEAD_BYTES as usize + len as usize;
            }
            None => at += 1,
        }
    }
}

/// The block of a record, if it is whole.
fn read(record: &[u8]) -> Option<(Block, u32)> {
    let mut reader = Reader::new(record);
    reader.u32().ok()?;
    let len = reader.u32().ok()?;
    let block = Block::decode(reader.take(usize::try_from(len).ok()?).ok()?).ok()?;
    (block.merkle_root() == block.header.merkle_root).then_some((block, len))
}
