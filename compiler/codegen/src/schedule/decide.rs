//! Where the scheduler could also do something else, and that it does so where a search says.

use std::collections::BTreeSet;

use spec::Opcode;

use crate::code::{Op, PlaceId};
use crate::mir::{NodeId, Phi};

use super::Scheduler;

/// What a search wants otherwise than the scheduler does it by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Departures {
    /// Decisions by their number, and which alternative is taken there, in ascending order.
    decisions: Vec<(usize, u8)>,
    /// Values that are computed again although they weigh much, or kept although they weigh little.
    flipped: BTreeSet<NodeId>,
}

impl Departures {
    /// These, and another after the last one.
    pub(crate) fn with(&self, decision: usize, alternative: u8) -> Self {
        let mut more = self.clone();
        more.decisions.push((decision, alternative));
        more
    }

    /// These, but for one value.
    pub(crate) fn flip(&self, value: NodeId) -> Self {
        let mut other = self.clone();
        if !other.flipped.remove(&value) {
            other.flipped.insert(value);
        }
        other
    }

    /// The first decision that comes after all departures.
    pub(crate) fn next(&self) -> usize {
        self.decisions.last().map_or(0, |(decision, _)| decision + 1)
    }

    pub(super) fn is_flipped(&self, value: NodeId) -> bool {
        self.flipped.contains(&value)
    }
}

/// The decisions of one schedule.
pub(super) struct Decisions<'d> {
    left: &'d [(usize, u8)],
    /// How many alternatives each had, besides what the scheduler does by itself.
    made: Vec<u8>,
}

impl<'d> Decisions<'d> {
    pub(super) fn new(departures: &'d Departures) -> Self {
        Self { left: &departures.decisions, made: Vec::new() }
    }

    /// Which of so many alternatives is taken; 0 for none.
    fn take(&mut self, alternatives: u8) -> u8 {
        let number = self.made.len();
        self.made.push(alternatives);
        match self.left.split_first() {
            Some(((at, alternative), rest)) if *at == number => {
                self.left = rest;
                (*alternative).min(alternatives)
            }
            _ => 0,
        }
    }

    pub(super) fn into_made(self) -> Vec<u8> {
        self.made
    }
}

impl Scheduler<'_> {
    /// Whether the other of two ways is taken.
    pub(super) fn departs(&mut self) -> bool {
        self.decisions.take(1) != 0
    }

    /// Moves items that lie on top, if a search wants that before the next effect.
    pub(super) fn rearrange(&mut self, place: PlaceId) {
        if !self.policy.rewrites {
            return;
        }
        let is_loose =
            |entry: &&super::Entry| !entry.reserved && !self.is_kept(entry.node) && !self.graph.is_holder(entry.node);
        let loose = self.stack.iter().rev().take(3).take_while(is_loose).count();
        let alternatives = match loose {
            3 => 3,
            2 => 1,
            _ => return,
        };
        let len = self.stack.len();
        match self.decisions.take(alternatives) {
            1 => {
                self.stack.swap(len - 2, len - 1);
                self.emit(Op::Code(Opcode::Swap), place);
            }
            2 => self.rotate(1, place),
            3 => self.rotate(2, place),
            _ => {}
        }
    }

    /// The order in which the blocks of a conditional leave what differs between them, top last: as they are listed, or
    /// the top three of them otherwise. What the moves of both blocks and those behind cost then, a search sees.
    pub(super) fn meeting(&mut self, phis: &[Phi]) -> Vec<Phi> {
        let mut phis = phis.to_vec();
        // A block ends with the check that its last value is the outcome of.
        let are_free = self.policy.rewrites && phis.iter().all(|phi| phi.verdicts == [None; 2]);
        let from = phis.len().saturating_sub(3);
        let Some(top) = phis.get_mut(from..).filter(|top| are_free && top.len() > 1) else { return phis };
        let others = if let [_, _, _] = top { 5 } else { 1 };
        put_in_order(top, self.decisions.take(others));
        phis
    }

    /// Brings the third item to the top, so many times.
    fn rotate(&mut self, times: usize, place: PlaceId) {
        let from = self.stack.len().saturating_sub(3);
        self.stack.get_mut(from..).into_iter().for_each(|top| top.rotate_left(times));
        (0..times).for_each(|_| self.emit(Op::Code(Opcode::Rot), place));
    }
}

/// Puts two or three things in the order with this number; 0 leaves them as they are.
fn put_in_order<T>(things: &mut [T], number: u8) {
    if number % 2 == 1 && things.len() > 1 {
        things.swap(0, 1);
    }
    let times = usize::from(number / 2).checked_rem(things.len()).unwrap_or(0);
    things.rotate_left(times);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_has_a_number() {
        for (count, orders) in [(2, 2), (3, 6)] {
            let ordered = |number| {
                let mut things: Vec<u8> = (0..count).collect();
                put_in_order(&mut things, number);
                things
            };
            assert_eq!(ordered(0), (0..count).collect::<Vec<u8>>());
            let all: BTreeSet<Vec<u8>> = (0..orders).map(ordered).collect();
            assert_eq!(all.len(), usize::from(orders));
        }
    }
}
