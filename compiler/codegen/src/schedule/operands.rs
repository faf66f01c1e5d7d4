//! Operands: in which order they come to the top.

use crate::mir::{NodeId, NodeKind, Operation};
use crate::peephole;

use super::{Form, Purpose, Scheduler, Task};

/// How deep operands are looked into for what they take from the stack.
const TOLL_LEVELS_MAX: u32 = 4;
/// Two operands on top of the stack that nothing else needs.
const IN_PLACE: [Option<(usize, bool)>; 2] = [Some((1, true)), Some((0, true))];

impl Scheduler<'_> {
    pub(super) fn plan(&mut self, id: NodeId, purpose: Purpose, tasks: &mut Vec<Task>) {
        let graph = self.graph;
        let Some((operation, inputs)) = graph.as_op(id) else {
            // A constant or parameter that is worth keeping.
            tasks.push(Task::Apply(id, Form::Own, purpose));
            return;
        };
        if let Some(twin) = self.twin(operation, inputs) {
            graph.as_op(twin).into_iter().flat_map(|(_, inputs)| inputs).for_each(|input| {
                self.use_up(*input);
            });
        }
        let [a, b] = inputs else {
            tasks.push(Task::Apply(id, Form::Own, purpose));
            return self.plan_operands(inputs, tasks);
        };
        let exchanged = match operation {
            Operation::Op(opcode) => peephole::mirrored(opcode).map(Form::Mirrored),
            Operation::Length | Operation::Head | Operation::Tail | Operation::Call(_) => None,
        };
        let exchanges = exchanged.is_some() && self.moves(*b, *a) < self.moves(*a, *b);
        let is_settled = self.is_free(*a) && self.is_free(*b) || self.is_in_place_for(*a, *b, exchanged.is_some());
        match exchanges != (!is_settled && self.departs()) {
            true => {
                tasks.push(Task::Apply(id, exchanged.unwrap_or(Form::Swapped), purpose));
                self.plan_operands(&[*b, *a], tasks);
            }
            false => {
                tasks.push(Task::Apply(id, Form::Own, purpose));
                self.plan_operands(inputs, tasks);
            }
        }
    }

    /// Whether two operands are the top items, in an order in which they can be taken.
    fn is_in_place_for(&self, a: NodeId, b: NodeId, any_order: bool) -> bool {
        self.stack.len() >= 2 && (self.is_in_place(&[a, b], 2) || any_order && self.is_in_place(&[b, a], 2))
    }

    /// Reserves the operands that already lie in place and asks for the others.
    pub(super) fn plan_operands(&mut self, inputs: &[NodeId], tasks: &mut Vec<Task>) {
        let longest = inputs.len().min(self.stack.len());
        let in_place = (1..=longest).rev().find(|count| self.is_in_place(inputs, *count)).unwrap_or(0);
        let start = self.stack.len() - in_place;
        for entry in self.stack.iter_mut().skip(start) {
            entry.reserved = true;
        }
        for input in inputs.iter().take(in_place) {
            self.use_up(*input);
        }
        tasks.extend(inputs.iter().skip(in_place).rev().map(|input| Task::Want(*input)));
    }

    /// Whether the first `count` operands are the top items, and nothing else needs them.
    fn is_in_place(&self, inputs: &[NodeId], count: usize) -> bool {
        let start = self.stack.len() - count;
        self.stack.iter().skip(start).zip(inputs).all(|(entry, input)| {
            entry.node == *input && !entry.reserved && self.uses(*input) == 1 && !self.is_kept(*input)
        })
    }

    /// About how many bytes it takes to bring two operands to the top in this order.
    fn moves(&self, first: NodeId, second: NodeId) -> usize {
        let (first_at, second_at) = (self.reach(first), self.reach(second));
        match (first_at, second_at) {
            (Some((1, true)), Some((0, true))) => 0,
            (Some((depth, last)), None) => move_len(depth, last),
            (None, Some((depth, last))) => move_len(depth + 1, last),
            (Some((depth, last)), Some((other, other_last))) => {
                let gone = usize::from(last && depth < other);
                move_len(depth, last) + move_len(other + 1 - gone, other_last)
            }
            (None, None) => self.toll(first, 0, TOLL_LEVELS_MAX) + self.toll(second, 1, TOLL_LEVELS_MAX),
        }
    }

    /// About how many bytes it takes to bring what the value is made of to the top, when so many more items lie there.
    fn toll(&self, id: NodeId, more: usize, levels: u32) -> usize {
        let Some(levels) = levels.checked_sub(1) else { return 0 };
        match (self.reach(id), self.graph.as_op(id)) {
            (Some((depth, last)), _) => move_len(depth + more, last),
            _ if self.is_free(id) => 0,
            (None, Some((_, [a, b]))) if more == 0 && [self.reach(*a), self.reach(*b)] == IN_PLACE => 0,
            (None, Some((_, inputs))) => {
                inputs.iter().enumerate().map(|(at, input)| self.toll(*input, more + at, levels)).sum()
            }
            (None, None) => 0,
        }
    }

    /// Where a value lies and whether its next use is its last; `None` if it must be computed.
    fn reach(&self, id: NodeId) -> Option<(usize, bool)> {
        if self.is_free(id) {
            return None;
        }
        let depth = self.find(id)?;
        Some((depth, self.uses(id) == 1 && !self.is_kept(id)))
    }

    /// The other half of a cut that this block needs as well and has not made yet.
    pub(super) fn twin(&self, operation: Operation, inputs: &[NodeId]) -> Option<NodeId> {
        let other = match operation {
            Operation::Head => Operation::Tail,
            Operation::Tail => Operation::Head,
            Operation::Op(_) | Operation::Length | Operation::Call(_) => return None,
        };
        let twin = self.graph.find(&NodeKind::Op(other, inputs.to_vec()))?;
        (self.uses(twin) > 0 && !self.is_free(twin) && !self.stack.iter().any(|entry| entry.node == twin))
            .then_some(twin)
    }
}

/// The bytes of moving or copying an item from `depth`.
fn move_len(depth: usize, last: bool) -> usize {
    match (depth, last) {
        (0, true) => 0,
        (1 | 2, true) | (0 | 1, false) => 1,
        (0..=16, _) => 2,
        _ => 3,
    }
}
