//! A set that forgets: it holds what was put in last, up to a number.

use std::collections::{BTreeSet, VecDeque};

#[derive(Clone, Debug)]
pub(crate) struct Seen<T> {
    max: usize,
    set: BTreeSet<T>,
    order: VecDeque<T>,
}

impl<T: Ord + Copy> Seen<T> {
    pub(crate) const fn new(max: usize) -> Self {
        Self { max, set: BTreeSet::new(), order: VecDeque::new() }
    }

    /// Whether it was not there.
    pub(crate) fn insert(&mut self, item: T) -> bool {
        if !self.set.insert(item) {
            return false;
        }
        self.order.push_back(item);
        if self.order.len() > self.max
            && let Some(oldest) = self.order.pop_front()
        {
            self.set.remove(&oldest);
        }
        true
    }

    pub(crate) fn contains(&self, item: &T) -> bool {
        self.set.contains(item)
    }

    pub(crate) fn clear(&mut self) {
        self.set.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut seen = Seen::new(3);
        assert!([1, 2, 3, 3, 4].map(|item| seen.insert(item)) == [true, true, true, false, true]);
        assert!([1, 2, 3, 4].map(|item| seen.contains(&item)) == [false, true, true, true]);
        assert_eq!((seen.set.len(), seen.order.len()), (3, 3));
    }
}
