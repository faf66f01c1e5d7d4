//! A map that is bounded in bytes and forgets what has not been asked for the longest.

use std::collections::BTreeMap;
use std::sync::Arc;

/// What each entry takes beside what its owner counts: keys and nodes of two trees.
const SLOT_BYTES: usize = 256;

/// Values by key.
#[derive(Debug)]
pub(crate) struct Lru<K, V> {
    slots: BTreeMap<Arc<K>, Slot<V>>,
    /// The keys by when they were last asked for, roughly.
    by_use: BTreeMap<u64, Arc<K>>,
    clock: u64,
    bytes: usize,
    most: usize,
    evicted: u64,
}

#[derive(Debug)]
struct Slot<V> {
    value: V,
    used: u64,
    bytes: usize,
}

impl<K: Ord, V: Clone> Lru<K, V> {
    /// An empty map that keeps up to `most` bytes.
    pub(crate) const fn new(most: usize) -> Self {
        Self { slots: BTreeMap::new(), by_use: BTreeMap::new(), clock: 0, bytes: 0, most, evicted: 0 }
    }

    /// The bytes of all entries.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many entries were dropped for others.
    pub(crate) const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The value of `key`.
    pub(crate) fn get(&mut self, key: &K) -> Option<V> {
        let len = self.slots.len() as u64;
        let (found, slot) = self.slots.get_key_value(key)?;
        let value = slot.value.clone();
        // What was asked for lately stays where it is: so a map that is large enough is only read.
        if self.clock - slot.used > len / 2 {
            let (found, used) = (Arc::clone(found), slot.used);
            self.by_use.remove(&used);
            self.clock += 1;
            self.by_use.insert(self.clock, found);
            if let Some(slot) = self.slots.get_mut(key) {
                slot.used = self.clock;
            }
        }
        Some(value)
    }

    /// Adds a value of `bytes`, unless there is one, and gives the one that is there then.
    pub(crate) fn insert(&mut self, key: K, value: V, bytes: usize) -> V {
        if let Some(slot) = self.slots.get(&key) {
            return slot.value.clone();
        }
        let (key, bytes) = (Arc::new(key), bytes + SLOT_BYTES);
        self.clock += 1;
        self.by_use.insert(self.clock, Arc::clone(&key));
        self.slots.insert(key, Slot { value: value.clone(), used: self.clock, bytes });
        self.bytes += bytes;
        self.shrink();
        value
    }

    /// Drops the value of `key`.
    pub(crate) fn remove(&mut self, key: &K) {
        if let Some(slot) = self.slots.remove(key) {
            self.by_use.remove(&slot.used);
            self.bytes -= slot.bytes;
        }
    }

    /// The value of `key` takes so many bytes more now.
    pub(crate) fn grow(&mut self, key: &K, bytes: usize) {
        if let Some(slot) = self.slots.get_mut(key) {
            slot.bytes += bytes;
            self.bytes += bytes;
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        while self.bytes > self.most
            && let Some((_, key)) = self.by_use.pop_first()
        {
            self.bytes -= self.slots.remove(&key).map_or(0, |slot| slot.bytes);
            self.evicted += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(most: usize, keys: std::ops::Range<u32>) -> Lru<u32, u32> {
        let mut lru = Lru::new(most * (SLOT_BYTES + 100));
        keys.for_each(|key| assert_eq!(lru.insert(key, key * 10, 100), key * 10));
        lru
    }

    #[test]
    fn what_was_asked_for_lately_stays() {
        let mut lru = filled(10, 0..10);
        for more in 10..100 {
            assert_eq!(lru.get(&3), Some(30), "before {more}");
            lru.insert(more, 0, 100);
            assert!(lru.bytes() <= 10 * (SLOT_BYTES + 100));
        }
        assert_eq!((lru.slots.len(), lru.by_use.len(), lru.evicted()), (10, 10, 90));
        assert_eq!((lru.get(&4), lru.get(&99)), (None, Some(0)));
    }

    #[test]
    fn the_first_value_of_a_key_stays() {
        let mut lru = filled(10, 0..3);
        assert_eq!(lru.insert(2, 7, 100), 20);
        assert_eq!(lru.bytes(), 3 * (SLOT_BYTES + 100));
    }

    #[test]
    fn what_grows_pushes_others_out_and_in_the_end_itself() {
        let mut lru = filled(10, 0..10);
        lru.grow(&9, 8 * (SLOT_BYTES + 100));
        assert_eq!((lru.slots.len(), lru.get(&9)), (2, Some(90)));
        lru.grow(&9, 100 * SLOT_BYTES);
        assert_eq!((lru.slots.len(), lru.by_use.len(), lru.bytes()), (0, 0, 0));
        lru.grow(&9, 100 * SLOT_BYTES);
        assert_eq!(lru.bytes(), 0);
    }

    #[test]
    fn what_is_removed_is_not_counted() {
        let mut lru = filled(10, 0..10);
        lru.remove(&3);
        lru.remove(&3);
        assert_eq!((lru.get(&3), lru.by_use.len(), lru.bytes()), (None, 9, 9 * (SLOT_BYTES + 100)));
    }
}
