//! The keys that the node holds for its clients: for development, in files that anybody who reads the folder can read.
//!
//! What a wallet has is found by the locks of its keys, in the index of unspent outputs; nothing of it is kept twice.

mod history;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use spec::Network;
use wallet::{Accounts, DEVNET_NAMES, Key, Mnemonic};

use crate::auth::write_private;
use crate::rpc::error::{Code, RpcError};

pub(crate) use history::{History, Movement, waiting};

/// The wallet of calls that name none.
const DEFAULT: &str = "";
const NAME_BYTES_MAX: usize = 64;
/// A wallet's keys are looked up one by one, so there is an end to them.
const KEYS_MAX: u32 = 100_000;

/// A wallet: keys of one phrase, keys from outside, and locks that are only watched.
#[derive(Debug)]
pub(crate) struct Wallet {
    accounts: Accounts,
    kept: Kept,
    keys: BTreeMap<Vec<u8>, Key>,
    /// What the chain says of its locks, as far as it was looked at.
    pub(crate) history: History,
}

/// What is written down of a wallet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// Its phrase; that of the default wallet comes with the node's configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<String>,
    /// How many keys of its phrase were given out.
    next: u32,
    /// Keys from outside, in wallet import format.
    imported: Vec<String>,
    /// Locks, in hexadecimal.
    watched: BTreeSet<String>,
    /// Names of locks.
    labels: BTreeMap<String, String>,
}

impl Wallet {
    fn new(accounts: Accounts, kept: Kept) -> Self {
        let own = (0..kept.next).map(|index| accounts.key(index));
        let imported = kept.imported.iter().filter_map(|text| Key::from_wif(text).ok());
        let keys = own.chain(imported).map(|key| (key.lock(), key)).collect();
        Self { accounts, kept, keys, history: History::default() }
    }

    /// The locks of its keys.
    pub(crate) fn key_locks(&self) -> Vec<Vec<u8>> {
        self.keys.keys().cloned().collect()
    }

    /// The locks that are only watched.
    pub(crate) fn watched_locks(&self) -> Vec<Vec<u8>> {
        let watched = self.kept.watched.iter().filter_map(|text| hex::decode(text).ok());
        watched.filter(|lock| !self.keys.contains_key(lock)).collect()
    }

    /// All its locks.
    pub(crate) fn locks(&self) -> BTreeSet<Vec<u8>> {
        self.key_locks().into_iter().chain(self.watched_locks()).collect()
    }

    /// The key of a lock.
    pub(crate) fn key(&self, lock: &[u8]) -> Option<&Key> {
        self.keys.get(lock)
    }

    /// Its keys.
    pub(crate) fn keys(&self) -> Vec<Key> {
        self.keys.values().copied().collect()
    }

    /// Whether a lock is watched without a key.
    pub(crate) fn watches(&self, lock: &[u8]) -> bool {
        !self.keys.contains_key(lock) && self.kept.watched.contains(&hex::encode(lock))
    }

    /// What a lock is called.
    pub(crate) fn label(&self, lock: &[u8]) -> Option<&str> {
        self.kept.labels.get(&hex::encode(lock)).map(String::as_str)
    }

    /// The next key of the phrase; `None` if there are too many.
    pub(crate) fn next_key(&mut self, label: &str) -> Option<Key> {
        let key = (self.kept.next < KEYS_MAX).then(|| self.accounts.key(self.kept.next))?;
        self.kept.next += 1;
        self.keys.insert(key.lock(), key);
        self.name(&key.lock(), label);
        Some(key)
    }

    /// Takes in a key from outside.
    pub(crate) fn import(&mut self, key: Key, network: Network, label: &str) {
        if self.keys.insert(key.lock(), key).is_none() {
            self.kept.imported.push(key.wif(network));
        }
        self.name(&key.lock(), label);
    }

    /// Watches a lock.
    pub(crate) fn watch(&mut self, lock: &[u8], label: &str) {
        self.kept.watched.insert(hex::encode(lock));
        self.name(lock, label);
    }

    fn name(&mut self, lock: &[u8], label: &str) {
        if !label.is_empty() {
            self.kept.labels.insert(hex::encode(lock), label.to_owned());
        }
    }
}

/// All wallets that are open.
#[derive(Debug)]
pub(crate) struct Wallets {
    open: BTreeMap<String, Wallet>,
    folder: Option<PathBuf>,
}

impl Wallets {
    /// The default wallet, with these accounts, and the folder of all.
    ///
    /// # Errors
    /// If a file cannot be read, or there is no randomness.
    pub(crate) fn open(folder: Option<&Path>, accounts: Option<&Accounts>) -> io::Result<Self> {
        let mut wallets = Self { open: BTreeMap::new(), folder: folder.map(|folder| folder.join("wallets")) };
        let known = wallets.read(DEFAULT)?;
        let wallet = match accounts {
            Some(accounts) => {
                let named = u32::try_from(DEVNET_NAMES.len()).unwrap_or(0);
                let kept = known.unwrap_or_default();
                Wallet::new(accounts.clone(), Kept { words: None, next: kept.next.max(named), ..kept })
            }
            None => from_words(known.map_or_else(fresh, Ok)?)?,
        };
        wallets.open.insert(DEFAULT.to_owned(), wallet);
        Ok(wallets)
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        let file = if name == DEFAULT { "default wallet.json".to_owned() } else { format!("{name}.json") };
        self.folder.as_ref().map(|folder| folder.join(file))
    }

    fn read(&self, name: &str) -> io::Result<Option<Kept>> {
        let Some(path) = self.path(name) else { return Ok(None) };
        match std::fs::read(path) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The wallet that a call means.
    pub(crate) fn get(&self, name: Option<&str>) -> Result<&Wallet, RpcError> {
        self.open.get(name.unwrap_or(DEFAULT)).ok_or_else(not_loaded)
    }

    /// The wallet that a call means, to change it; [`Wallets::keep`] writes the change down.
    pub(crate) fn get_mut(&mut self, name: Option<&str>) -> Result<&mut Wallet, RpcError> {
        self.open.get_mut(name.unwrap_or(DEFAULT)).ok_or_else(not_loaded)
    }

    /// Writes a wallet down.
    pub(crate) fn keep(&self, name: Option<&str>) -> Result<(), RpcError> {
        let name = name.unwrap_or(DEFAULT);
        let (Some(path), Some(wallet)) = (self.path(name), self.open.get(name)) else { return Ok(()) };
        let written = serde_json::to_string(&wallet.kept).map_err(io::Error::other);
        written.and_then(|text| write_private(&path, &text)).map_err(|error| failed(&error))
    }

    /// Makes a wallet with a phrase of its own and opens it.
    pub(crate) fn create(&mut self, name: &str) -> Result<(), RpcError> {
        check_name(name)?;
        let exists = self.open.contains_key(name) || self.path(name).is_some_and(|path| path.exists());
        if exists {
            let message = format!(
                "Wallet file verification failed. Failed to create database path '{name}'. Database already exists."
            );
            return Err(RpcError::new(Code::Wallet, message));
        }
        let kept = fresh().map_err(|error| failed(&error))?;
        let wallet = from_words(kept).map_err(|error| failed(&error))?;
        self.open.insert(name.to_owned(), wallet);
        self.keep(Some(name))
    }

    /// Opens a wallet that was made before.
    pub(crate) fn load(&mut self, name: &str) -> Result<(), RpcError> {
        check_name(name)?;
        if self.open.contains_key(name) {
            return Err(RpcError::new(Code::WalletLoaded, format!("Wallet \"{name}\" is already loaded.")));
        }
        let kept = self.read(name).map_err(|error| failed(&error))?.ok_or_else(|| {
            let message =
                format!("Wallet file verification failed. Failed to load database path '{name}'. Path does not exist.");
            RpcError::new(Code::NoWallet, message)
        })?;
        let wallet = from_words(kept).map_err(|error| failed(&error))?;
        self.open.insert(name.to_owned(), wallet);
        Ok(())
    }

    /// Closes a wallet; the default one stays open.
    pub(crate) fn unload(&mut self, name: &str) -> Result<(), RpcError> {
        if name == DEFAULT {
            return Err(RpcError::new(Code::Wallet, "the default wallet stays open"));
        }
        self.open.remove(name).map(drop).ok_or_else(not_loaded)
    }

    /// The names of all that are open.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.open.keys().map(String::as_str)
    }

    /// The names of all that can be opened.
    pub(crate) fn names_kept(&self) -> BTreeSet<String> {
        let entries = self.folder.as_ref().and_then(|folder| std::fs::read_dir(folder).ok());
        let files = entries.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let kept = files
            .filter_map(|file| file.strip_suffix(".json").map(str::to_owned))
            .filter(|name| check_name(name).is_ok());
        kept.chain(self.names().map(str::to_owned)).collect()
    }
}

fn from_words(kept: Kept) -> io::Result<Wallet> {
    let phrase = Mnemonic::parse(kept.words.as_deref().unwrap_or_default()).map_err(io::Error::other)?;
    Ok(Wallet::new(phrase.accounts(), kept))
}

/// A phrase that nobody knows.
fn fresh() -> io::Result<Kept> {
    let mut entropy = [0; 16];
    getrandom::fill(&mut entropy).map_err(io::Error::other)?;
    Ok(Kept { words: Some(Mnemonic::from_entropy(&entropy).words()), ..Kept::default() })
}

/// A name is that of a file, and of nothing outside the folder.
fn check_name(name: &str) -> Result<(), RpcError> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let good = (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(letter) && !name.starts_with('.');
    let message = "a wallet's name has 1 to 64 letters, digits, `_`, `-` and `.`, and does not begin with `.`";
    if good { Ok(()) } else { Err(RpcError::new(Code::InvalidParameter, message)) }
}

fn not_loaded() -> RpcError {
    RpcError::new(Code::NoWallet, "Requested wallet does not exist or is not loaded")
}

fn failed(error: &io::Error) -> RpcError {
    RpcError::new(Code::Wallet, format!("the wallet's file cannot be used: {error}"))
}
