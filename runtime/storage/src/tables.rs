//! The tables of the key-value store; the one place that knows which store it is.

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use chain::StoreError;
use fjall::compaction::Leveled;
use fjall::config::PartitioningPolicy;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions, PersistMode};

use crate::disk::Durability;
use crate::files::failed as io_failed;
use crate::manifests;

/// What a table keeps in memory at most before it is sorted into files.
const SHARE_MAX: u64 = 32 << 20;
/// Smaller ones would make many small files.
const SHARE_MIN: u64 = 512 << 10;
/// What all keep of their files, in such shares.
const CACHE_SHARES: u64 = 4;
/// The log of changes that are not yet in files.
const LOG_BYTES: u64 = 128 << 20;

/// So many files of the state lie unsorted before they are sorted into the others. Fewer would be sorted more often, more take
/// longer to read.
const UNSORTED: u8 = 8;
/// So many may lie there while others are being sorted.
const UNSORTED_MAX: usize = 24;
/// How long its sorted files are. With each lot of changes comes one step of sorting, which moves about one file; so they are longer
/// than what a lot is likely to take.
const FILE_BYTES: RangeInclusive<u64> = 16 << 20..=1 << 30;
const PAUSE: Duration = Duration::from_millis(2);

/// Takes a change: a key and its value, or nothing if it is removed.
pub(crate) type Put<'a> = dyn FnMut(&[u8], Option<&[u8]>) -> Written + 'a;
pub(crate) type Written = Result<(), StoreError>;

/// All tables.
pub(crate) struct Tables {
    database: Database,
    /// Few values under names.
    pub(crate) meta: Keyspace,
    /// Headers by their number.
    pub(crate) headers: Keyspace,
    /// All that blocks change, of the kinds in [`codec::kind`](crate::codec::kind).
    pub(crate) state: Keyspace,
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tables").finish_non_exhaustive()
    }
}

/// Changes that happen together.
pub(crate) struct Batch(fjall::OwnedWriteBatch);

/// What the store's error means here.
pub(crate) fn failed(error: &fjall::Error) -> StoreError {
    match error {
        fjall::Error::Io(error) => io_failed(error),
        fjall::Error::Locked => StoreError::Io(std::io::ErrorKind::ResourceBusy),
        // After a failed write it takes no more: what is on disk is as before.
        fjall::Error::Poisoned => StoreError::Io(std::io::ErrorKind::Other),
        _ => StoreError::Damaged("the tables"),
    }
}

impl Tables {
    /// Each table takes at most an eighth of the memory that is given, and their common cache half of it.
    pub(crate) fn open(folder: &Path, memory_bytes: usize) -> Result<Self, StoreError> {
        let share = (memory_bytes as u64 / 8).clamp(SHARE_MIN, SHARE_MAX);
        manifests::check(folder)?;
        let builder = Database::builder(folder).cache_size(CACHE_SHARES * share).max_journaling_size(LOG_BYTES);
        // Of two threads one would look, without a pause, whether the other is done.
        let database = builder.worker_threads(1).open().map_err(|error| failed(&error))?;
        let plain = || KeyspaceCreateOptions::default().max_memtable_size(share);
        let file_bytes = (memory_bytes as u64 / 2).clamp(*FILE_BYTES.start(), *FILE_BYTES.end());
        let sorting = Leveled::default().with_l0_threshold(UNSORTED).with_table_target_size(file_bytes);
        // What helps to find keys in a file is as long as the file; in parts, only what is needed of it takes room in the cache.
        let in_parts = PartitioningPolicy::new([false, true]);
        let state = || {
            plain()
                .compaction_strategy(Arc::new(sorting))
                .filter_block_partitioning_policy(in_parts.clone())
                .index_block_partitioning_policy(in_parts)
                // Undo records are read once or never: sorting must not copy them again and again.
                .with_kv_separation(Some(KvSeparationOptions::default()))
        };
        Ok(Self {
            meta: database.keyspace("meta", plain).map_err(|error| failed(&error))?,
            headers: database.keyspace("headers", plain).map_err(|error| failed(&error))?,
            state: database.keyspace("state", state).map_err(|error| failed(&error))?,
            database,
        })
    }

    pub(crate) fn batch(&self) -> Batch {
        Batch(self.database.batch())
    }

    /// Writes few changes of the state that happen together.
    pub(crate) fn write_few(&self, durability: Durability, changes: impl FnOnce(&mut Put<'_>) -> Written) -> Written {
        let mut batch = self.batch();
        changes(&mut |key, value| {
            match value {
                Some(value) => batch.put(&self.state, key, value),
                None => batch.remove(&self.state, key),
            }
            Ok(())
        })?;
        batch.commit(durability)
    }

    /// Writes many changes of the state that happen together, in ascending order of their keys. They go into files of the table at
    /// once, past the log and what is in memory; then one list says that these files count.
    pub(crate) fn write_many(&self, changes: impl FnOnce(&mut Put<'_>) -> Written) -> Written {
        self.wait_for_sorting();
        // The list is on the disk at once, so what came before must be too.
        self.database.persist(PersistMode::SyncAll).map_err(|error| failed(&error))?;
        let mut files = self.state.start_ingestion().map_err(|error| failed(&error))?;
        changes(&mut |key, value| {
            let written = match value {
                Some(value) => files.write(key, value),
                None => files.write_tombstone(key),
            };
            written.map_err(|error| failed(&error))
        })?;
        files.finish().map_err(|error| failed(&error))
    }

    /// Waits until not too many files lie above the sorted ones: each makes reading slower. Batches wait so by themselves.
    fn wait_for_sorting(&self) {
        while self.state.l0_table_count() >= UNSORTED_MAX && self.database.active_compactions() > 0 {
            thread::sleep(PAUSE);
        }
    }
}

impl Batch {
    pub(crate) fn put(&mut self, table: &Keyspace, key: &[u8], value: &[u8]) {
        self.0.insert(table, key, value);
    }

    pub(crate) fn remove(&mut self, table: &Keyspace, key: &[u8]) {
        self.0.remove(table, key);
    }

    /// Makes all of it happen, or nothing.
    pub(crate) fn commit(self, durability: Durability) -> Result<(), StoreError> {
        let mode = match durability {
            Durability::Process => PersistMode::Buffer,
            Durability::Power => PersistMode::SyncData,
        };
        self.0.durability(Some(mode)).commit().map_err(|error| failed(&error))
    }
}

/// The value of a key.
pub(crate) fn get(table: &Keyspace, key: &[u8]) -> Result<Option<fjall::Slice>, StoreError> {
    table.get(key).map_err(|error| failed(&error))
}

/// What is shown the pairs of a table; an error of it ends the visit.
pub(crate) type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError> + 'a;

/// Shows all pairs whose keys begin so, in ascending order.
pub(crate) fn visit(table: &Keyspace, prefix: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
    for pair in table.prefix(prefix) {
        let (key, value) = pair.into_inner().map_err(|error| failed(&error))?;
        visit(&key, &value)?;
    }
    Ok(())
}
