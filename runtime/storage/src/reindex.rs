//! Taking in blocks that lie in the files and that the tables do not know: after a crash those behind the confirmed end, and all of
//! them where the tables were thrown away.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use chain::{BlockError, HeaderRecord, Store as _, StoreError};
use spec::{Block, BlockHash, Height};

use crate::codec::{End, Form, Kept, Span};
use crate::disk::{DiskOptions, DiskStore, blocks_folder, tables_folder};
use crate::files::{CUT_NAME, PLAIN_NAME, Tail, failed, hold_blocks, numbers};
use crate::records::{Found, Records};

/// How far block files have been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// So many bytes.
    pub bytes: u64,
    /// So many there are.
    pub bytes_all: u64,
    /// The blocks that were taken in.
    pub blocks: u32,
    /// Whole blocks that were left out because they break a rule, or the block below is not there.
    pub left_out: u32,
}

/// Who says at which height a block may join, or why not.
pub type Judge<'a> = dyn FnMut(&Block) -> Result<Height, BlockError> + 'a;

/// So many headers are confirmed together.
const TOGETHER: usize = 1_000;

impl DiskStore {
    /// Throws the tables of a folder away. Its blocks are then all unknown, and [`DiskStore::take_in`] finds them again.
    ///
    /// # Errors
    /// [`StoreError::Pruned`] if blocks or data of them were dropped, for then the coins cannot be found again; what the file system says.
    pub fn forget_tables(folder: &Path, options: &DiskOptions) -> Result<(), StoreError> {
        let of = |name| numbers(&blocks_folder(folder), name).map_err(|error| failed(&error));
        let (plain, cut) = (of(PLAIN_NAME)?, of(CUT_NAME)?);
        // A file without data beside the one that it was made of is left over from a death.
        if plain.first().is_some_and(|number| *number > 0) || cut.iter().any(|number| !plain.contains(number)) {
            return Err(StoreError::Pruned);
        }
        let [tables, fresh, old] = places(folder);
        remove(&fresh).and_then(|()| remove(&old)).map_err(|error| failed(&error))?;
        Self::begin(&fresh, options)?;
        // Whoever dies here has the old ones or the new ones.
        match fs::rename(&tables, &old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&error)),
            _ => {}
        }
        fs::rename(&fresh, &tables).and_then(|()| remove(&old)).map_err(|error| failed(&error))
    }

    /// Takes in the blocks behind the confirmed end that are whole and that `judge` lets join; the chain above decides what to connect.
    /// What is behind the last whole one is cut off. Interrupted, it goes on where it was when the store is opened again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn take_in(&mut self, judge: &mut Judge<'_>, tell: &mut dyn FnMut(Reading)) -> Result<Reading, StoreError> {
        self.settle()?;
        let tails = self.files().tails()?;
        let mut seen = Reading { bytes_all: tails.iter().map(|tail| tail.len - tail.from).sum(), ..Reading::default() };
        let mut news = News { from: self.headers_len(), end: self.files().end() };
        for Tail { number, path, from, len } in tails {
            let mut records = self.records(&path, from)?;
            let before = seen.bytes;
            while let Some(found) = records.next().map_err(|error| failed(&error))? {
                news.end = End { file: number, len: records.at() };
                self.take(found, number, judge, &mut seen)?;
                seen.bytes = before + records.at() - from;
                tell(seen);
                if self.headers_len() - news.from >= TOGETHER {
                    self.confirm(&mut news)?;
                }
            }
            seen.bytes = before + len - from;
            tell(seen);
        }
        self.confirm(&mut news)?;
        self.cut_tail()?;
        Ok(seen)
    }

    fn take(&mut self, found: Found, file: u32, judge: &mut Judge<'_>, seen: &mut Reading) -> Result<(), StoreError> {
        let Found { block, offset, len } = found;
        let (header, hash): (_, BlockHash) = (block.header, block.header.hash());
        if self.knows(&hash) {
            return Ok(());
        }
        match (judge(&block), u32::try_from(block.transactions.len())) {
            (Ok(height), Ok(transactions)) => {
                let record = HeaderRecord { header, height, invalid: false, transactions };
                self.note(hash, Kept { record, span: Span { file, offset, len, form: Form::Plain } })?;
                seen.blocks += 1;
            }
            _ => seen.left_out += 1,
        }
        Ok(())
    }

    fn confirm(&mut self, news: &mut News) -> Result<(), StoreError> {
        self.confirm_headers(news.from, news.end)?;
        news.from = self.headers_len();
        Ok(())
    }

    fn records(&self, path: &Path, from: u64) -> Result<Records<File>, StoreError> {
        Records::open(path, from, self.files().magic(), self.block_bytes_max()).map_err(|error| failed(&error))
    }
}

/// Where the tables are, where new ones are made, and where old ones wait for their end.
fn places(folder: &Path) -> [PathBuf; 3] {
    let tables = tables_folder(folder);
    [tables.clone(), tables.with_extension("new"), tables.with_extension("old")]
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Sees to it that there are tables: those that are there, or those that a death left under another name, or new ones, which
/// come whole or not at all.
pub(crate) fn ready_tables(folder: &Path, options: &DiskOptions) -> Result<(), StoreError> {
    let [tables, fresh, old] = places(folder);
    if !tables.exists() && old.exists() {
        fs::rename(&old, &tables).map_err(|error| failed(&error))?;
    }
    remove(&fresh).and_then(|()| remove(&old)).map_err(|error| failed(&error))?;
    if tables.exists() {
        return Ok(());
    }
    // Without tables nothing in the files is confirmed; cutting all of it off would be a poor answer to lost tables.
    if hold_blocks(&blocks_folder(folder))? {
        return Err(StoreError::Damaged("there are blocks without tables"));
    }
    DiskStore::begin(&fresh, options)?;
    fs::rename(&fresh, &tables).map_err(|error| failed(&error))
}

/// What is not confirmed yet.
struct News {
    /// The number of the first header.
    from: usize,
    end: End,
}
