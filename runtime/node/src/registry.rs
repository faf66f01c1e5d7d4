//! Contracts that clients made known, so that refusals speak of their sources.

use std::collections::BTreeMap;

use spec::Artifact;

use crate::rpc::error::{Code, RpcError};

/// A contract made known for one lock.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    /// What the compiler said about it.
    pub(crate) artifact: Artifact,
    /// The values of its parameters, as the JSON that was given.
    pub(crate) args: Option<String>,
    /// The artifact as the JSON that was given.
    pub(crate) json: String,
}

impl Registered {
    fn bytes(&self) -> usize {
        self.json.len() + self.args.as_ref().map_or(0, String::len)
    }
}

/// All contracts that were made known, by lock.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    entries: BTreeMap<Vec<u8>, Registered>,
    bytes: usize,
}

/// What all registered JSON may take together.
const BYTES_MAX: usize = 64 * 1024 * 1024;

impl Registry {
    /// Keeps a contract for a lock, in place of an earlier one.
    pub(crate) fn insert(&mut self, lock: Vec<u8>, entry: Registered) -> Result<(), RpcError> {
        let before = self.entries.get(&lock).map_or(0, Registered::bytes);
        let bytes = self.bytes.saturating_sub(before).saturating_add(entry.bytes());
        if bytes > BYTES_MAX {
            return Err(RpcError::new(Code::Misc, "there is no room for more artifacts"));
        }
        self.bytes = bytes;
        self.entries.insert(lock, entry);
        Ok(())
    }

    /// Whether none was made known.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The contract of a lock.
    pub(crate) fn get(&self, lock: &[u8]) -> Option<&Registered> {
        self.entries.get(lock)
    }

    /// All contracts in ascending order of locks.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &Registered)> {
        self.entries.iter().map(|(lock, entry)| (lock.as_slice(), entry))
    }

    /// What the source of the contract behind `lock` says about a failure of an input that unlocked it with `unlock`.
    pub(crate) fn explain(&self, lock: &[u8], unlock: &[u8], failure: &vm::Failure) -> Option<String> {
        let entry = self.get(lock)?;
        wallet::explain_input(&entry.artifact, lock, unlock, failure).map(|explanation| explanation.to_string())
    }
}
