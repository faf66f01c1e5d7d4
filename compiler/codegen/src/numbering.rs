//! Finds what stands in a list by what it is, so that equal things get one number.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// The places of a list's things by their hash. Nobody walks through it, so that the order of hashes, another one in
/// each process, decides nothing; and a source cannot be written beforehand for it to be slow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbering {
    table: HashTable<(u64, u32)>,
    state: RandomState,
}

impl Numbering {
    /// The place of what has this key, where `is` says whether the thing at a place has it.
    pub(crate) fn find(&self, key: &impl Hash, is: impl Fn(u32) -> bool) -> Option<u32> {
        let hash = self.state.hash_one(key);
        self.table.find(hash, |(of, at)| *of == hash && is(*at)).map(|(_, at)| *at)
    }

    /// Adds a thing that is not there yet.
    pub(crate) fn add(&mut self, key: &impl Hash, at: u32) {
        let hash = self.state.hash_one(key);
        self.table.insert_unique(hash, (hash, at), |(hash, _)| *hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_found_where_it_stands() {
        let things: Vec<String> = (0..1_000).map(|n| format!("thing {n}")).collect();
        let mut numbering = Numbering::default();
        let find =
            |numbering: &Numbering, thing: &String| numbering.find(thing, |at| things.get(at as usize) == Some(thing));
        for (at, thing) in things.iter().enumerate() {
            assert_eq!(find(&numbering, thing), None);
            numbering.add(thing, at as u32);
            assert_eq!(find(&numbering, thing), Some(at as u32));
        }
        assert_eq!(find(&numbering, &things[7]), Some(7));
    }
}
