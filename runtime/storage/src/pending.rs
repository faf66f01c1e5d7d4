//! What blocks changed and the tables do not have yet.
//!
//! Most coins that are spent are young: one that was made and spent before anything was written never reaches the tables.

use std::collections::BTreeMap;
use std::collections::hash_map::Entry;

use chain::{BlockDelta, Coin, StoreError};
use foldhash::{HashMap, HashMapExt as _};
use spec::{BlockHash, OutPoint, Txid};

use crate::codec;
use crate::disk::{Durability, TIP};
use crate::tables::{Batch, Tables};

/// What an entry takes beside a coin's lock, roughly: key, value, and room in the table.
const ENTRY_BYTES: usize = 192;
const TX_BYTES: usize = 64;

/// Changes of some blocks after one another.
#[derive(Debug)]
pub(crate) struct Pending {
    coins: HashMap<OutPoint, Change>,
    /// The number of a transaction's block and its position there; nothing where it was taken back.
    places: HashMap<Txid, Option<(u32, u32)>>,
    /// The coins that a block spent, in ascending order of outpoints; nothing where it was taken back.
    undo: BTreeMap<BlockHash, Option<Vec<Coin>>>,
    tip: Option<BlockHash>,
    blocks: usize,
    bytes: usize,
}

/// What became of a coin. Coins are boxed: a map moves what it holds when it grows.
#[derive(Debug)]
enum Change {
    /// It was made. The tables know nothing of it if it is fresh.
    Made { coin: Box<Coin>, fresh: bool },
    /// It was spent, and the tables have it.
    Spent(Box<Coin>),
}

impl Pending {
    /// Nothing, above a tip.
    pub(crate) fn above(tip: Option<BlockHash>) -> Self {
        Self { coins: HashMap::new(), places: HashMap::new(), undo: BTreeMap::new(), tip, blocks: 0, bytes: 0 }
    }

    /// The tip after the changes.
    pub(crate) const fn tip(&self) -> Option<BlockHash> {
        self.tip
    }

    /// How many blocks were connected or taken back.
    pub(crate) const fn blocks(&self) -> usize {
        self.blocks
    }

    /// How much memory the changes take, roughly.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// What is known of a coin here: that it is there, or that it is not.
    pub(crate) fn coin(&self, outpoint: &OutPoint) -> Option<Option<&Coin>> {
        Some(match self.coins.get(outpoint)? {
            Change::Made { coin, .. } => Some(coin),
            Change::Spent(_) => None,
        })
    }

    /// All coins of which something is known here, in no order.
    pub(crate) fn coins(&self) -> impl Iterator<Item = (&OutPoint, Option<&Coin>)> {
        self.coins.iter().map(|(outpoint, change)| match change {
            Change::Made { coin, .. } => (outpoint, Some(&**coin)),
            Change::Spent(_) => (outpoint, None),
        })
    }

    /// What is known of a transaction's place.
    pub(crate) fn place(&self, txid: &Txid) -> Option<Option<(u32, u32)>> {
        self.places.get(txid).copied()
    }

    /// What is known of what a block spent.
    pub(crate) fn undo(&self, hash: &BlockHash) -> Option<Option<&[Coin]>> {
        self.undo.get(hash).map(Option::as_deref)
    }

    /// Applies a block, whose header has that number.
    pub(crate) fn connect(&mut self, number: u32, delta: BlockDelta) {
        for (outpoint, coin) in &delta.spent {
            self.remove(outpoint, coin);
        }
        self.coins.reserve(delta.created.len());
        for (outpoint, coin) in delta.created {
            self.add(outpoint, coin);
        }
        self.places.reserve(delta.txids.len());
        for (position, txid) in (0..).zip(delta.txids) {
            self.places.insert(txid, Some((number, position)));
            self.bytes += TX_BYTES;
        }
        let spent: Vec<Coin> = delta.spent.into_iter().map(|(_, coin)| coin).collect();
        self.bytes += spent.iter().map(size).sum::<usize>();
        self.undo.insert(delta.hash, Some(spent));
        self.moved(Some(delta.hash));
    }

    /// Takes a block back.
    pub(crate) fn disconnect(&mut self, delta: &BlockDelta, tip: Option<BlockHash>) {
        for (outpoint, coin) in &delta.created {
            self.remove(outpoint, coin);
        }
        for (outpoint, coin) in &delta.spent {
            self.add(*outpoint, coin.clone());
        }
        for txid in &delta.txids {
            self.places.insert(*txid, None);
            self.bytes += TX_BYTES;
        }
        self.undo.insert(delta.hash, None);
        self.moved(tip);
    }

    fn moved(&mut self, tip: Option<BlockHash>) {
        self.tip = tip;
        self.blocks += 1;
    }

    fn add(&mut self, outpoint: OutPoint, coin: Coin) {
        self.bytes += size(&coin);
        let coin = Box::new(coin);
        match self.coins.entry(outpoint) {
            Entry::Vacant(entry) => {
                entry.insert(Change::Made { coin, fresh: true });
            }
            // One that was spent here is in the tables, perhaps as it was made in another block.
            Entry::Occupied(mut entry) => {
                entry.insert(Change::Made { coin, fresh: false });
            }
        }
    }

    fn remove(&mut self, outpoint: &OutPoint, coin: &Coin) {
        let spent = || Change::Spent(Box::new(coin.clone()));
        match self.coins.entry(*outpoint) {
            Entry::Occupied(entry) if matches!(entry.get(), Change::Made { fresh: true, .. }) => {
                self.bytes = self.bytes.saturating_sub(size(coin));
                entry.remove();
                return;
            }
            Entry::Occupied(mut entry) => {
                entry.insert(spent());
            }
            Entry::Vacant(entry) => {
                entry.insert(spent());
            }
        }
        self.bytes += size(coin);
    }

    /// Writes all changes into the tables, in one batch.
    pub(crate) fn write(&self, tables: &Tables, durability: Durability) -> Result<(), StoreError> {
        let mut batch = tables.batch();
        self.write_coins(tables, &mut batch);
        let mut places: Vec<(&Txid, &Option<(u32, u32)>)> = self.places.iter().collect();
        places.sort_unstable_by_key(|(txid, _)| **txid);
        for (txid, place) in places {
            match place {
                Some((number, position)) => {
                    batch.put(&tables.transactions, txid.as_wire(), &codec::place_bytes(*number, *position));
                }
                None => batch.remove(&tables.transactions, txid.as_wire()),
            }
        }
        for (hash, spent) in &self.undo {
            match spent {
                Some(spent) => batch.put(&tables.undo, hash.as_wire(), &codec::undo_bytes(spent.iter())),
                None => batch.remove(&tables.undo, hash.as_wire()),
            }
        }
        match &self.tip {
            Some(tip) => batch.put(&tables.meta, TIP, tip.as_wire()),
            None => batch.remove(&tables.meta, TIP),
        }
        batch.commit(durability)
    }

    /// In the order of their keys: each is put beside the one before, which is quickly found.
    fn write_coins(&self, tables: &Tables, batch: &mut Batch) {
        let mut coins: Vec<(&OutPoint, &Change)> = self.coins.iter().collect();
        coins.sort_unstable_by_key(|(outpoint, _)| **outpoint);
        let mut locks = Vec::with_capacity(coins.len());
        for (outpoint, change) in coins {
            let key = codec::outpoint_key(outpoint);
            match change {
                Change::Made { coin, .. } => {
                    batch.put(&tables.coins, &key, &codec::coin_bytes(coin));
                    locks.extend(codec::index_keys(outpoint, coin).map(|key| (key, true)));
                }
                Change::Spent(coin) => {
                    batch.remove(&tables.coins, &key);
                    locks.extend(codec::index_keys(outpoint, coin).map(|key| (key, false)));
                }
            }
        }
        locks.sort_unstable();
        for (key, made) in locks {
            if made { batch.put(&tables.locks, &key, &[]) } else { batch.remove(&tables.locks, &key) }
        }
    }
}

fn size(coin: &Coin) -> usize {
    ENTRY_BYTES + coin.output.lock.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::{Height, Sats, TxOut};

    fn coin(height: u32) -> Coin {
        Coin { output: TxOut::plain(Sats::ONE, vec![0; 44]), height: Height::new(height), coinbase: false }
    }

    fn delta(at: u8, spent: &[u32], created: &[u32]) -> BlockDelta {
        let with = |indexes: &[u32]| {
            let one = |index: &u32| (OutPoint { txid: Txid::default(), index: *index }, coin(u32::from(at)));
            indexes.iter().map(one).collect()
        };
        let hash = BlockHash::from_wire([at; 32]);
        let previous = BlockHash::from_wire([at - 1; 32]);
        BlockDelta {
            hash,
            previous,
            height: Height::new(at.into()),
            spent: with(spent),
            created: with(created),
            txids: vec![],
        }
    }

    #[test]
    fn coins_that_die_young_are_never_written() {
        let mut pending = Pending::above(None);
        pending.connect(1, delta(1, &[1], &[10, 11]));
        pending.connect(2, delta(2, &[10, 2], &[]));
        let at = |index| OutPoint { txid: Txid::default(), index };
        let known =
            |pending: &Pending| [1, 2, 10, 11, 12].map(|index| pending.coin(&at(index)).map(|coin| coin.is_some()));
        assert_eq!(known(&pending), [Some(false), Some(false), None, Some(true), None]);
        // What was spent comes back, and then is neither spent nor fresh.
        pending.disconnect(&delta(2, &[10, 2], &[]), None);
        assert_eq!(known(&pending), [Some(false), Some(true), Some(true), Some(true), None]);
        pending.disconnect(&delta(1, &[1], &[10, 11]), None);
        assert_eq!(known(&pending), [Some(true), Some(true), None, None, None]);
        let spent_again = delta(3, &[1], &[]);
        pending.connect(3, spent_again);
        assert_eq!(known(&pending), [Some(false), Some(true), None, None, None]);
    }
}
