//! What blocks changed and the tables do not have yet.
//!
//! Most coins that are spent are young: one that was made and spent before anything was written never reaches the tables.

use std::collections::BTreeMap;
use std::collections::hash_map::Entry;

use chain::{BlockDelta, Coin};
use foldhash::{HashMap, HashMapExt as _};
use spec::{BlockHash, OutPoint, Txid};

use crate::codec::{self, Front, KeyBuffer, first_bytes, kind};
use crate::disk::Durability;
use crate::tables::{Put, Tables, Written};

/// What an entry takes beside a coin's lock, roughly: key, value, and room in the table.
const ENTRY_BYTES: usize = 192;
const TX_BYTES: usize = 64;
/// So many changes are worth files of their own.
const MANY: usize = 4_096;

/// Changes of some blocks after one another.
#[derive(Debug)]
pub(crate) struct Pending {
    coins: HashMap<OutPoint, Change>,
    /// The number of a transaction's block and its position there; nothing where it was taken back.
    places: HashMap<Txid, Option<(u32, u32)>>,
    /// The coins that a block spent, in ascending order of outpoints; nothing where it was taken back.
    undo: BTreeMap<BlockHash, Option<Vec<(OutPoint, Coin)>>>,
    /// Coins of the tables that blocks made which were taken back.
    unmade: Vec<(OutPoint, Coin)>,
    tip: Option<BlockHash>,
    blocks: usize,
    bytes: usize,
}

/// What became of a coin. Coins are boxed: a map moves what it holds when it grows.
#[derive(Debug)]
enum Change {
    /// It was made. The tables know nothing of it if it is fresh.
    Made { coin: Box<Coin>, fresh: bool },
    /// It was spent, and the tables have it. It is among what a block spent, or unmade.
    Spent,
}

impl Pending {
    /// Nothing, above a tip.
    pub(crate) fn above(tip: Option<BlockHash>) -> Self {
        let (coins, places) = (HashMap::new(), HashMap::new());
        Self { coins, places, undo: BTreeMap::new(), unmade: Vec::new(), tip, blocks: 0, bytes: 0 }
    }

    /// Nothing, above these, with room for as much.
    pub(crate) fn next(&self) -> Self {
        let mut next = Self::above(self.tip);
        next.coins.reserve(self.coins.len());
        next.places.reserve(self.places.len());
        next
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
            Change::Spent => None,
        })
    }

    /// All coins of which something is known here, in no order.
    pub(crate) fn coins(&self) -> impl Iterator<Item = (&OutPoint, Option<&Coin>)> {
        self.coins.iter().map(|(outpoint, change)| match change {
            Change::Made { coin, .. } => (outpoint, Some(&**coin)),
            Change::Spent => (outpoint, None),
        })
    }

    /// What is known of a transaction's place.
    pub(crate) fn place(&self, txid: &Txid) -> Option<Option<(u32, u32)>> {
        self.places.get(txid).copied()
    }

    /// What is known of what a block spent.
    pub(crate) fn undo(&self, hash: &BlockHash) -> Option<Option<&[(OutPoint, Coin)]>> {
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
        self.bytes += delta.spent.iter().map(|(_, coin)| size(coin)).sum::<usize>();
        self.undo.insert(delta.hash, Some(delta.spent));
        self.moved(Some(delta.hash));
    }

    /// Takes a block back.
    pub(crate) fn disconnect(&mut self, delta: &BlockDelta, tip: Option<BlockHash>) {
        for (outpoint, coin) in &delta.created {
            if self.remove(outpoint, coin) {
                self.bytes += size(coin);
                self.unmade.push((*outpoint, coin.clone()));
            }
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

    /// Says whether the tables have it.
    fn remove(&mut self, outpoint: &OutPoint, coin: &Coin) -> bool {
        match self.coins.entry(*outpoint) {
            Entry::Occupied(entry) if matches!(entry.get(), Change::Made { fresh: true, .. }) => {
                self.bytes = self.bytes.saturating_sub(size(coin));
                entry.remove();
                return false;
            }
            Entry::Occupied(mut entry) => {
                entry.insert(Change::Spent);
            }
            Entry::Vacant(entry) => {
                entry.insert(Change::Spent);
            }
        }
        self.bytes += ENTRY_BYTES;
        true
    }

    /// Writes all changes into the tables: they happen together.
    pub(crate) fn write(&self, tables: &Tables, durability: Durability) -> Written {
        if self.coins.len() + self.places.len() < MANY {
            tables.write_few(durability, |put| self.put_all(put))
        } else {
            tables.write_many(|put| self.put_all(put))
        }
    }

    /// All changes in ascending order of their keys.
    fn put_all(&self, put: &mut Put<'_>) -> Written {
        let mut key = KeyBuffer::default();
        self.put_coins(&mut key, put)?;
        self.put_locks(&mut key, put)?;
        self.put_places(&mut key, put)?;
        put(&[kind::TIP], self.tip.as_ref().map(|tip| &tip.as_wire()[..]))?;
        for (hash, spent) in &self.undo {
            let bytes = spent.as_ref().map(|spent| codec::undo_bytes(spent.iter().map(|(_, coin)| coin)));
            put(key.undo(hash), bytes.as_deref())?;
        }
        Ok(())
    }

    fn put_coins(&self, key: &mut KeyBuffer, put: &mut Put<'_>) -> Written {
        // Most comparisons need no more than the first bytes, and these lie where they are compared.
        let all = self.coins.iter().map(|(outpoint, change)| (first_bytes(outpoint.txid.as_wire()), outpoint, change));
        let mut coins: Vec<(u64, &OutPoint, &Change)> = all.collect();
        coins.sort_unstable_by_key(|(first, outpoint, _)| (*first, *outpoint));
        let mut value = Vec::new();
        for (_, outpoint, change) in coins {
            value.clear();
            let made = match change {
                Change::Made { coin, .. } => {
                    codec::write_coin(&mut value, coin);
                    Some(&value[..])
                }
                Change::Spent => None,
            };
            put(key.coin(outpoint), made)?;
        }
        Ok(())
    }

    fn put_locks(&self, key: &mut KeyBuffer, put: &mut Put<'_>) -> Written {
        let mut locks: Vec<(Front, &OutPoint, bool)> = Vec::with_capacity(self.coins.len());
        for (outpoint, change) in &self.coins {
            if let Change::Made { coin, .. } = change {
                locks.extend(Front::all(coin).map(|front| (front, outpoint, true)));
            }
        }
        let gone = self.undo.values().flatten().flatten().chain(&self.unmade);
        for (outpoint, coin) in gone.filter(|(outpoint, _)| matches!(self.coins.get(outpoint), Some(Change::Spent))) {
            locks.extend(Front::all(coin).map(|front| (front, outpoint, false)));
        }
        locks.sort_unstable();
        // A coin may have been unmade and spent, and a lock may have the front of a category.
        locks.dedup();
        for (front, outpoint, made) in locks {
            put(key.indexed(front, outpoint), made.then_some(&[]))?;
        }
        Ok(())
    }

    fn put_places(&self, key: &mut KeyBuffer, put: &mut Put<'_>) -> Written {
        let mut places: Vec<(&Txid, &Option<(u32, u32)>)> = self.places.iter().collect();
        places.sort_unstable_by_key(|(txid, _)| **txid);
        for (txid, place) in places {
            let bytes = place.map(|(number, position)| codec::place_bytes(number, position));
            put(key.place(txid), bytes.as_ref().map(|bytes| &bytes[..]))?;
        }
        Ok(())
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
