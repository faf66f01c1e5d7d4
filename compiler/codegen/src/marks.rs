//! Tables by value that a pass clears again and again: as long as the graph, and cleared in one step.

use crate::mir::{Graph, NodeId};

/// A set of values.
#[derive(Clone, Debug)]
pub(crate) struct Marks {
    stamps: Vec<u32>,
    stamp: u32,
}

impl Marks {
    pub(crate) fn new(graph: &Graph) -> Self {
        Self { stamps: vec![0; graph.len()], stamp: 1 }
    }

    pub(crate) fn clear(&mut self) {
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            self.stamps.fill(0);
            self.stamp = 1;
        }
    }

    /// Adds a value; false if it was there.
    pub(crate) fn insert(&mut self, id: NodeId) -> bool {
        match self.stamps.get_mut(id.index()) {
            Some(stamp) if *stamp != self.stamp => {
                *stamp = self.stamp;
                true
            }
            _ => false,
        }
    }

    pub(crate) fn contains(&self, id: NodeId) -> bool {
        self.stamps.get(id.index()) == Some(&self.stamp)
    }
}

/// How often blocks need values. Those of the innermost block count; those of the blocks around it wait.
#[derive(Clone, Debug)]
pub(crate) struct Uses {
    counts: Vec<Count>,
    /// The innermost block.
    block: u32,
    /// How many blocks there were.
    blocks: u32,
    /// What inner blocks have written over, in order.
    outer: Vec<(NodeId, Count)>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    block: u32,
    uses: u32,
}

/// Where the counts of the block around begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outer {
    block: u32,
    saved: usize,
}

impl Uses {
    pub(crate) fn new(graph: &Graph) -> Self {
        let nowhere = Count { block: u32::MAX, uses: 0 };
        Self { counts: vec![nowhere; graph.len()], block: 0, blocks: 0, outer: Vec::new() }
    }

    /// Begins a block that needs nothing yet.
    pub(crate) fn begin(&mut self) -> Outer {
        let outer = Outer { block: self.block, saved: self.outer.len() };
        self.blocks += 1;
        self.block = self.blocks;
        outer
    }

    /// Ends the block: the one around it counts again.
    pub(crate) fn end(&mut self, outer: Outer) {
        for (id, count) in self.outer.drain(outer.saved..).rev() {
            if let Some(place) = self.counts.get_mut(id.index()) {
                *place = count;
            }
        }
        self.block = outer.block;
    }

    pub(crate) fn of(&self, id: NodeId) -> u32 {
        self.counts.get(id.index()).filter(|count| count.block == self.block).map_or(0, |count| count.uses)
    }

    /// Whether the block has needed the value at all.
    pub(crate) fn is_counted(&self, id: NodeId) -> bool {
        self.counts.get(id.index()).is_some_and(|count| count.block == self.block)
    }

    /// Counts one use; true if it is the first.
    pub(crate) fn add(&mut self, id: NodeId) -> bool {
        let block = self.block;
        let Some(count) = self.counts.get_mut(id.index()) else { return false };
        let is_first = count.block != block;
        if is_first {
            self.outer.push((id, *count));
            *count = Count { block, uses: 0 };
        }
        count.uses += 1;
        is_first
    }

    /// Takes one use off.
    pub(crate) fn take(&mut self, id: NodeId) {
        let block = self.block;
        if let Some(count) = self.counts.get_mut(id.index()).filter(|count| count.block == block) {
            count.uses = count.uses.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::PlaceId;

    #[test]
    fn the_uses_of_the_block_around_are_there_again_behind_a_block() {
        let mut graph = Graph::default();
        let [a, b] = [0, 1].map(|item| graph.arg(item, PlaceId::default()));
        let mut uses = Uses::new(&graph);
        let none = uses.begin();
        assert!(uses.add(a));
        assert!(!uses.add(a));
        let outer = uses.begin();
        assert_eq!([uses.of(a), uses.of(b)], [0, 0]);
        assert!(uses.add(a) && uses.add(b));
        uses.take(a);
        assert_eq!((uses.of(a), uses.is_counted(a)), (0, true));
        uses.end(outer);
        assert_eq!([uses.of(a), uses.of(b)], [2, 0]);
        uses.end(none);
        assert!(!uses.is_counted(a));
    }

    #[test]
    fn a_set_is_empty_once_it_is_cleared() {
        let mut graph = Graph::default();
        let a = graph.arg(0, PlaceId::default());
        let mut marks = Marks::new(&graph);
        assert!(marks.insert(a) && !marks.insert(a) && marks.contains(a));
        marks.clear();
        assert!(!marks.contains(a));
    }
}
