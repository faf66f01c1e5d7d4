//! What outlives a node: its chain and its waiting transactions, in a folder or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chain::{BlockError, MemoryStore, Mempool, Params, Store, StoreError, Vetting};
use spec::{Block, Network, Transaction};
use storage::{DiskOptions, DiskStore, FolderLock, Reading, Replayed, TxJournal};

use crate::config::{Config, Prune, StartError, chain_name, network_folder};
use crate::warmup::Warmup;

/// The least bytes at which a block file is full, where blocks are dropped.
const FILE_BYTES_MIN: u64 = 64 << 10;

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
    /// Takes the folder of a configuration; nothing if nothing shall be kept.
    ///
    /// # Errors
    /// [`StartError`] if another node has the folder, or it cannot be used.
    pub(crate) fn take(config: &Config) -> Result<Option<Self>, StartError> {
        let Some(data_dir) = config.data_dir.as_ref().filter(|_| config.persistent) else { return Ok(None) };
        let folder = network_folder(data_dir, config.network);
        let lock = FolderLock::take(&folder).map_err(|source| StartError::Folder { path: folder.clone(), source })?;
        let lock = lock.ok_or_else(|| StartError::InUse { path: folder.clone() })?;
        Ok(Some(Self { folder, journal: None, _lock: lock }))
    }

    /// Opens the chain that a folder holds; a chain in memory where there is none.
    ///
    /// # Errors
    /// [`StartError`] if the chain cannot be read.
    pub(crate) fn store(kept: Option<&Self>, config: &Config, warmup: &mut Warmup) -> Result<AnyStore, StartError> {
        let Some(kept) = kept else { return Ok(Box::new(MemoryStore::new())) };
        let store = open_store(config, &kept.folder, warmup).map_err(|error| match error {
            StoreError::Pruned => StartError::Pruned,
            error => StartError::Chain(error.to_string()),
        })?;
        Ok(Box::new(store))
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

    /// A file that is there while the accounts of a new chain get their blocks.
    fn prefund_mark(&self) -> PathBuf {
        self.folder.join("prefund")
    }

    /// Whether the last node ended while it did that.
    pub(crate) fn is_prefunding(&self) -> bool {
        self.prefund_mark().exists()
    }

    /// Says that the accounts are about to get their blocks, or have got them.
    pub(crate) fn set_prefunding(&self, prefunding: bool) -> Result<(), StartError> {
        let mark = self.prefund_mark();
        let done = match fs::remove_file(&mark) {
            _ if prefunding => fs::write(&mark, ""),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        };
        done.map_err(|source| StartError::Folder { path: mark, source })
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

fn open_store(config: &Config, folder: &Path, warmup: &mut Warmup) -> Result<DiskStore, StoreError> {
    let options = options(config);
    if config.reindex {
        DiskStore::forget_tables(folder, &options)?;
    }
    let mut store = DiskStore::open_and_tell(folder, &options, &mut |Replayed { done, all }| {
        warmup.tell(|| format!("Replaying blocks… {done} of {all}"));
    })?;
    if store.has_more() {
        take_in(&mut store, config, warmup)?;
    }
    Ok(store)
}

/// Takes in the blocks that the tables do not know: all of them in a reindex, else those that an end without warning cut off.
fn take_in(store: &mut DiskStore, config: &Config, warmup: &mut Warmup) -> Result<(), StoreError> {
    let mut vetting = Vetting::new(params(config), &store.headers()?)?;
    let mut judge = |block: &Block| {
        let judged = vetting.judge(block);
        if let Err(error) = &judged
            && *error != BlockError::Duplicate
        {
            tracing::warn!(hash = %block.header.hash(), %error, "a block in the files is left out");
        }
        judged
    };
    let read = store.take_in(&mut judge, &mut |reading| warmup.tell(|| said(&reading)))?;
    let Reading { bytes, blocks, left_out, .. } = read;
    tracing::info!(bytes, blocks, left_out, "blocks that were not known are taken in");
    Ok(())
}

fn said(reading: &Reading) -> String {
    let Reading { bytes, bytes_all, blocks, left_out } = reading;
    let percent = bytes.saturating_mul(100).checked_div(*bytes_all).unwrap_or(100);
    format!("Reading block files… {percent} % of {} MB, {blocks} blocks, {left_out} left out", bytes_all / 1_000_000)
}

/// The constants of the chain of a configuration.
pub(crate) fn params(config: &Config) -> Params {
    Params::of(config.network).with_rules(config.rules)
}

/// Chains of other rules are other chains, though they begin alike.
fn options(config: &Config) -> DiskOptions {
    let Config { network, rules, prune, prune_data, coin_cache_bytes, .. } = config;
    let usual = DiskOptions::new(format!("{} {rules:?}", chain_name(*network)), magic(*network));
    // Files go as a whole, so they are small where they shall go.
    let file_bytes_max = match prune {
        Prune::OnCall if *network == Network::Devnet => FILE_BYTES_MIN,
        Prune::Never if *network == Network::Devnet && prune_data.is_some() => FILE_BYTES_MIN,
        Prune::Never | Prune::OnCall => usual.file_bytes_max,
        Prune::Above(bytes) => (bytes / 10).clamp(FILE_BYTES_MIN, usual.file_bytes_max),
    };
    let block_bytes_max = u32::try_from(params(config).block_bytes_max).unwrap_or(u32::MAX);
    DiskOptions { block_bytes_max, file_bytes_max, coin_cache_bytes: *coin_cache_bytes, ..usual }
}
