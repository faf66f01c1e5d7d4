//! What has become of the coins since the tables were written last. Coins that die young never reach the tables.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash as _, Hasher as _};

use chain::Coin;
use spec::{OutPoint, Txid};

use crate::cache::size;

/// The difference between the coins of the tip and those of the tables.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    /// Coins that the tables lack.
    created: BTreeMap<OutPoint, Coin>,
    /// Those, by a digest of their locks.
    by_lock: BTreeSet<(u64, OutPoint)>,
    /// Coins of the tables that are gone.
    spent: BTreeMap<OutPoint, Coin>,
    bytes: usize,
}

impl Overlay {
    /// Takes coins out and puts others in. A block is connected by taking out what it spends, and taken back by taking out what it made.
    pub(crate) fn exchange(&mut self, out: &[(OutPoint, Coin)], into: &[(OutPoint, Coin)]) {
        for (outpoint, coin) in out {
            match self.created.remove(outpoint) {
                Some(coin) => {
                    self.bytes -= size(&coin);
                    self.by_lock.remove(&(digest(&coin.output.lock), *outpoint));
                }
                None => {
                    self.bytes += size(coin);
                    self.spent.insert(*outpoint, coin.clone());
                }
            }
        }
        for (outpoint, coin) in into {
            match self.spent.remove(outpoint) {
                Some(coin) => self.bytes -= size(&coin),
                None => {
                    self.bytes += size(coin);
                    self.by_lock.insert((digest(&coin.output.lock), *outpoint));
                    self.created.insert(*outpoint, coin.clone());
                }
            }
        }
    }

    /// A coin that the tables lack.
    pub(crate) fn get(&self, outpoint: &OutPoint) -> Option<&Coin> {
        self.created.get(outpoint)
    }

    /// Whether a coin of the tables is gone.
    pub(crate) fn hides(&self, outpoint: &OutPoint) -> bool {
        self.spent.contains_key(outpoint)
    }

    /// The coins that the tables lack, in ascending order.
    pub(crate) fn created(&self) -> impl Iterator<Item = (&OutPoint, &Coin)> {
        self.created.iter()
    }

    /// The coins of the tables that are gone, in ascending order.
    pub(crate) fn spent(&self) -> impl Iterator<Item = (&OutPoint, &Coin)> {
        self.spent.iter()
    }

    /// The coins with a lock that the tables lack.
    pub(crate) fn with_lock<'a>(&'a self, lock: &'a [u8]) -> impl Iterator<Item = (&'a OutPoint, &'a Coin)> {
        let first = (digest(lock), OutPoint { txid: Txid::default(), index: 0 });
        let alike = self.by_lock.range(first..).take_while(move |(digest, _)| *digest == first.0);
        let coins = alike.filter_map(|(_, outpoint)| Some((outpoint, self.created.get(outpoint)?)));
        coins.filter(move |(_, coin)| coin.output.lock == lock)
    }

    /// What it takes in memory, roughly.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Forgets all of it, for the tables have it now; returns what they lacked.
    pub(crate) fn settle(&mut self) -> BTreeMap<OutPoint, Coin> {
        std::mem::take(self).created
    }
}

/// Locks with one digest are told apart by what they are.
fn digest(lock: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    lock.hash(&mut hasher);
    hasher.finish()
}
