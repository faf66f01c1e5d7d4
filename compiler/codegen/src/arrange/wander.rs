//! A search that goes on until its time is over: first a wide beam, then narrow ones from layouts at random.
//!
//! Time is counted in instructions, and chance in a row of numbers that is always the same: so this gives the same script
//! on every machine.

use crate::mir::Block;
use crate::progress;
use crate::reorder::{self, Span};
use crate::schedule::End;

use super::Search;
use super::beam::{Layout, Widths};

/// Where the row of numbers begins.
const SEED: u64 = 0x6269_746d_6f64_656c;
/// At most so many changes lead from the best layout to one at random.
const CHANGES_MAX: usize = 4;
/// A layout that is worse by more units of the score than this is left at once.
const WORSE_MAX: usize = 32;
/// What one narrow beam may write.
const NARROW: Widths = Widths {
    layouts: 1,
    layout_steps: 0,
    departures: 4,
    departure_steps: 6,
    idle_steps: 2,
    layout_room: 0,
    departure_room: 60_000,
};
/// So many layouts at random without room for anything end the search.
const FAILURES_MAX: usize = 1_000;

/// A row of numbers that looks like chance.
struct Row(u64);

impl Row {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let mixed = mixed ^ (mixed >> 31);
        usize::try_from(mixed % end.max(1) as u64).unwrap_or(0)
    }
}

impl Search<'_> {
    pub(super) fn wander(&mut self, work: u64, loops: &[(u32, usize)]) {
        self.beam(&Widths::BEAM, loops);
        let room = usize::try_from(work).unwrap_or(usize::MAX);
        let wide = Widths {
            layouts: 24,
            layout_steps: 6,
            departures: 24,
            departure_steps: 16,
            idle_steps: 4,
            layout_room: room / 8,
            departure_room: room / 2,
        };
        self.beam(&wide, loops);
        progress::add(work / 2);
        let Some(mut base) = self.best_layout() else { return };
        let mut left = room / 2;
        let (mut row, mut failures) = (Row(SEED), 0);
        while left > 0 && failures < FAILURES_MAX {
            let share = left.min(NARROW.departure_room);
            self.room = share;
            let better = match self.random_layout(&mut row, &base) {
                Some(layout) if layout.score <= base.score.saturating_add(WORSE_MAX) => {
                    self.depart(&layout, &NARROW).then_some(layout)
                }
                _ => None,
            };
            let used = share - self.room;
            failures = if used == 0 { failures + 1 } else { 0 };
            left -= used;
            progress::add(used as u64);
            if let Some(layout) = better {
                let score = self.best.as_ref().map_or(layout.score, |best| best.score);
                base = Layout { score, ..layout };
            }
        }
        self.path.body = base.body;
        progress::add(left as u64);
    }

    /// A layout some changes away.
    fn random_layout(&mut self, row: &mut Row, base: &Layout) -> Option<Layout> {
        let Layout { mut order, mut policy, mut body, .. } = base.clone();
        for _ in 0..=row.below(CHANGES_MAX) {
            match row.below(4) {
                0 => {
                    let (from, to) = (row.below(order.len()), row.below(order.len()));
                    if !order.is_empty() {
                        let arg = order.remove(from);
                        order.insert(to, arg);
                    }
                }
                1 => {
                    let weight = self.free_weights.get(row.below(self.free_weights.len())).copied().unwrap_or_default();
                    let policies = self.policies(weight);
                    policy = policies.get(row.below(policies.len())).copied().unwrap_or(policy);
                }
                _ => self.move_a_check(row, &mut body),
            }
        }
        self.layout(&order, policy, &body)
    }

    fn move_a_check(&self, row: &mut Row, body: &mut Block) {
        let blocks = (0..).take_while(|number| reorder::nth_block(body, &mut { *number }).is_some()).count();
        let number = row.below(blocks);
        let Some(block) = reorder::nth_block(body, &mut { number }) else { return };
        let from = row.below(block.effects.len());
        let ends = number == 0 && self.end == End::Truth;
        if let Some(Span { first, last }) = reorder::span(&self.path.graph, block, from, ends) {
            reorder::shift(block, from, first + row.below(last - first + 1));
        }
    }
}
