//! The tables of the key-value store; the one place that knows which store it is.

use std::path::Path;

use chain::StoreError;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions, PersistMode};

use crate::disk::Durability;
use crate::files::failed as io_failed;
use crate::manifests;

/// What a table keeps in memory at most before it is sorted into files, and what all keep of their files.
const SHARE_MAX: u64 = 32 << 20;
/// Smaller ones would make many small files.
const SHARE_MIN: u64 = 512 << 10;
/// The log of changes that are not yet in files.
const LOG_BYTES: u64 = 128 << 20;

/// All tables.
pub(crate) struct Tables {
    database: Database,
    /// Few values under names.
    pub(crate) meta: Keyspace,
    /// Headers by their number.
    pub(crate) headers: Keyspace,
    /// Coins by outpoint.
    pub(crate) coins: Keyspace,
    /// Nothing, by the digest of a lock and an outpoint.
    pub(crate) locks: Keyspace,
    /// Places of transactions by id.
    pub(crate) transactions: Keyspace,
    /// Undo records by the block's hash.
    pub(crate) undo: Keyspace,
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
    /// Each table and their common cache take at most an eighth of the memory that is given.
    pub(crate) fn open(folder: &Path, memory_bytes: usize) -> Result<Self, StoreError> {
        let share = (memory_bytes as u64 / 8).clamp(SHARE_MIN, SHARE_MAX);
        manifests::check(folder)?;
        let builder = Database::builder(folder).cache_size(share).max_journaling_size(LOG_BYTES).worker_threads(2);
        let database = builder.open().map_err(|error| failed(&error))?;
        let plain = || KeyspaceCreateOptions::default().max_memtable_size(share);
        // Undo records are read once or never: sorting must not copy them again and again.
        let apart = || plain().with_kv_separation(Some(KvSeparationOptions::default()));
        let table = |name: &str| database.keyspace(name, plain).map_err(|error| failed(&error));
        Ok(Self {
            meta: table("meta")?,
            headers: table("headers")?,
            coins: table("coins")?,
            locks: table("locks")?,
            transactions: table("transactions")?,
            undo: database.keyspace("undo", apart).map_err(|error| failed(&error))?,
            database,
        })
    }

    pub(crate) fn batch(&self) -> Batch {
        Batch(self.database.batch())
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
