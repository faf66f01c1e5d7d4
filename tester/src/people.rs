//! The people of tests: a name is a key.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use spec::hash::sha256;
use wallet::{Accounts, Key};

/// Whoever pays the fees of tests.
const FAUCET: &str = "the faucet of tests";

/// The keys of the devnet's people, by name.
static KNOWN: LazyLock<BTreeMap<&'static str, Key>> = LazyLock::new(|| Accounts::devnet().named().collect());

/// The key of a person: on every machine and in every run the same.
pub(crate) fn key(name: &str) -> Key {
    if let Some(key) = KNOWN.get(name) {
        return *key;
    }
    let mut secret = sha256(format!("a person of bmc tests: {name}").as_bytes());
    loop {
        // Nearly every string of 32 bytes is a private key.
        match Key::from_secret(secret) {
            Ok(key) => return key,
            Err(_) => secret = sha256(&secret),
        }
    }
}

/// The key that pays fees.
pub(crate) fn faucet() -> Key {
    static KEY: LazyLock<Key> = LazyLock::new(|| key(FAUCET));
    *KEY
}

/// How many people are made up.
const MADE_UP: usize = 16;

/// The keys of people whom properties make up.
pub(crate) fn made_up() -> impl Iterator<Item = Key> {
    static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| (0..MADE_UP).map(|at| key(&format!("somebody {at}"))).collect());
    KEYS.iter().copied()
}

/// The name of whom a public key belongs to, if it is one of the people that every test knows.
pub(crate) fn name_of(public: &[u8]) -> Option<String> {
    let found = KNOWN.iter().find(|(_, key)| public == key.public());
    found.map(|(name, _)| (*name).to_owned())
}

/// Who can spend what a lock holds.
pub(crate) fn owner_of(lock: &[u8]) -> Option<String> {
    if lock == faucet().lock() {
        return Some("change".to_owned());
    }
    let found = KNOWN.iter().find(|(_, key)| lock == key.lock());
    found.map(|(name, _)| (*name).to_owned())
}
