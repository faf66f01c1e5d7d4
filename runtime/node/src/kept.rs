//! What outlives a node: its chain and its waiting transactions, in a folder or not at all.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chain::{MemoryStore, Mempool, Store, StoreError};
use spec::{Network, Transaction};
use storage::{DiskOptions, DiskStore, FolderLock, Progress, Replayed, TxJournal};

use crate::config::{Config, Prune, StartError, chain_name, network_folder};

/// The least bytes at which a block file is full, where blocks are dropped.
const FILE_BYTES_MIN: u64 = 64 << 10;

/// How often it is told how far something has come that takes long.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Whatever keeps the chain.
pub(crate) type AnyStore = Box<dyn Store>;

/// The folder that a node keeps its state in, held for it alone.
#[derive(Debug)]
pub(crate) struct Kept {
    folder: PathBuf,
    journal: Option<TxJournal>,
    _lock: FolderLock,
}

/// What block files begin their records with: bitcoind's bytes, so that its tools read them.
const fn magic(network: Network) -> [u8; 4] {
    match network {
        Network::Devnet => [0xfa, 0xbf, 0xb5, 0xda],
        Network::Test => [0x0b, 0x11, 0x09, 0x07],
        Network::Main => [0xf9, 0xbe, 0xb4, 0xd9],
    }
}

impl Kept {
    /// Opens the folder of a configuration, with the chain that it holds; a chain in memory if nothing shall be kept.
    ///
    /// # Errors
    /// [`StartError`] if another node has the folder, or it or the chain cannot be read.
    pub(crate) fn open(config: &Config) -> Result<(AnyStore, Option<Self>), StartError> {
        let Some(data_dir) = config.data_dir.as_ref().filter(|_| config.persistent) else {
            return Ok((Box::new(MemoryStore::new()), None));
        };
        let folder = network_folder(data_dir, config.network);
        let lock = FolderLock::take(&folder).map_err(|source| StartError::Folder { path: folder.clone(), source })?;
        let lock = lock.ok_or_else(|| StartError::InUse { path: folder.clone() })?;
        let store = open_store(config, &folder).map_err(|error| match error {
            StoreError::Pruned => StartError::Pruned,
            error => StartError::Chain(error.to_string()),
        })?;
        Ok((Box::new(store), Some(Self { folder, journal: None, _lock: lock })))
    }

    /// The transactions that waited when the last node ended.
    pub(crate) fn waiting(&self) -> Result<Vec<Transaction>, StartError> {
        TxJournal::read(&self.path()).map_err(|source| StartError::Folder { path: self.path(), source })
    }

    /// Begins the file of waiting transactions anew with those that wait now.
    pub(crate) fn save(&mut self, mempool: &Mempool) -> io::Result<()> {
        self.journal = Some(TxJournal::begin(&self.path(), mempool.entries().map(|entry| &*entry.tx))?);
        Ok(())
    }

    /// Keeps one more waiting transaction.
    pub(crate) fn add(&mut self, tx: &Transaction, mempool: &Mempool) -> io::Result<()> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        journal.append(tx)?;
        journal.tidy(mempool.len_bytes(), mempool.entries().map(|entry| &*entry.tx))
    }

    fn path(&self) -> PathBuf {
        self.folder.join("mempool.dat")
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

fn open_store(config: &Config, folder: &Path) -> Result<DiskStore, StoreError> {
    let options = options(config);
    if config.reindex {
        DiskStore::reindex(folder, &options, &mut |progress| {
            let Progress { files, blocks, orphans } = progress;
            tracing::info!(files, blocks, orphans, "block files are read again");
        })?;
    }
    let mut last = Instant::now();
    DiskStore::open_and_tell(folder, &options, &mut |Replayed { done, all }| {
        if done == all || last.elapsed() > TELL_EVERY {
            last = Instant::now();
            tracing::info!(done, all, "blocks whose coins were not written are connected again");
        }
    })
}

/// Chains of other rules are other chains, though they begin alike.
fn options(config: &Config) -> DiskOptions {
    let Config { network, rules, prune, coin_cache_bytes, .. } = config;
    let usual = DiskOptions::new(format!("{} {rules:?}", chain_name(*network)), magic(*network));
    // Files go as a whole, so they are small where they shall go.
    let file_bytes_max = match prune {
        Prune::Never => usual.file_bytes_max,
        Prune::OnCall if *network == Network::Devnet => FILE_BYTES_MIN,
        Prune::OnCall => usual.file_bytes_max,
        Prune::Above(bytes) => (bytes / 10).clamp(FILE_BYTES_MIN, usual.file_bytes_max),
    };
    DiskOptions { file_bytes_max, coin_cache_bytes: *coin_cache_bytes, ..usual }
}
