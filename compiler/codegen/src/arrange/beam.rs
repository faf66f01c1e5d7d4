//! A beam over layouts, and then over what the scheduler decides.
//!
//! A *layout* is an order of arguments, of checks and of variables with a policy. From the best layout a few steps are
//! made to its neighbours, and the best of all that were seen go on, even if they are worse than where they came from. In
//! the end the scheduler writes the best ones again and again, each time with one more departure from what it would do by
//! itself; here too a few that are not the best go on. All of it is counted in instructions, so the same source always
//! gives the same script.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::code::Code;
use crate::mir::{Block, Effect, NodeId, NodeKind, Var};
use crate::reorder::{self, Span};
use crate::schedule::{Alike, Departures, FREE_WEIGHT_MAX, Policy};

use super::{Best, Outcome, Search, find, for_each_unlike, moves};

/// How much is looked at.
pub(super) struct Widths {
    /// So many layouts go on.
    pub(super) layouts: usize,
    /// So many steps are made from the first layout.
    pub(super) layout_steps: usize,
    /// So many departures go on.
    pub(super) departures: usize,
    /// So many departures are made at once.
    pub(super) departure_steps: usize,
    /// So many steps may bring nothing.
    pub(super) idle_steps: usize,
    /// The search for layouts ends when it has written so many instructions.
    pub(super) layout_room: usize,
    /// And the search for departures after so many for all layouts.
    pub(super) departure_room: usize,
}

impl Widths {
    pub(super) const BEAM: Self = Self {
        layouts: 6,
        layout_steps: 3,
        departures: 6,
        departure_steps: 8,
        idle_steps: 2,
        layout_room: 150_000,
        departure_room: 600_000,
    };
}

/// A way to lie on the stack.
#[derive(Clone)]
pub(super) struct Layout {
    pub(super) score: usize,
    pub(super) order: Vec<usize>,
    pub(super) policy: Policy,
    pub(super) body: Block,
    pub(super) code: Code,
    pub(super) alike: Alike,
}

/// A way to write a layout.
struct Writing {
    score: usize,
    departures: Departures,
    decisions: Vec<u8>,
    code: Code,
}

impl Search<'_> {
    pub(super) fn beam(&mut self, widths: &Widths, loops: &[(u32, usize)]) {
        let Some(first) = self.best_layout() else { return };
        self.room = widths.layout_room;
        let layouts = self.layouts(first, widths, loops);
        let mut best_body = layouts.first().map(|layout| layout.body.clone());
        let share = widths.departure_room / layouts.len().max(1);
        for layout in layouts {
            self.room = share;
            if self.depart(&layout, widths) {
                best_body = Some(layout.body);
            }
        }
        if let Some(body) = best_body {
            self.path.body = body;
        }
    }

    pub(super) fn best_layout(&self) -> Option<Layout> {
        let Best { score, order, policy, scheduled } = self.best.as_ref()?;
        let (order, policy, code) = (order.clone(), *policy, scheduled.code.clone());
        Some(Layout { score: *score, order, policy, body: self.path.body.clone(), code, alike: scheduled.alike })
    }

    /// The best layouts around the first one, the best in front.
    fn layouts(&mut self, first: Layout, widths: &Widths, loops: &[(u32, usize)]) -> Vec<Layout> {
        let mut kept = vec![first];
        let mut fresh = kept.clone();
        for _ in 0..widths.layout_steps {
            let mut found = Vec::new();
            for layout in &fresh {
                found.extend(self.other_orders(layout));
                found.extend(self.other_policies(layout));
                found.extend(self.other_checks(layout));
                found.extend(self.other_variables(layout, loops));
            }
            let before = kept.clone();
            kept.extend(found);
            kept.sort_by_key(|layout| layout.score);
            keep_different(&mut kept, widths.layouts, |layout| &layout.code);
            fresh = kept.iter().filter(|one| !before.iter().any(|old| old.code == one.code)).cloned().collect();
            if fresh.is_empty() || self.room == 0 {
                break;
            }
        }
        kept
    }

    pub(super) fn layout(&mut self, order: &[usize], policy: Policy, body: &Block) -> Option<Layout> {
        if self.room == 0 {
            return None;
        }
        self.path.body = body.clone();
        let Outcome { score, scheduled } = self.outcome(order, policy, &Departures::default())?;
        let (order, body) = (order.to_vec(), body.clone());
        let layout = Layout { score, order, policy, body, code: scheduled.code.clone(), alike: scheduled.alike };
        self.keep(&layout.order, policy, score, scheduled);
        Some(layout)
    }

    fn other_orders(&mut self, layout: &Layout) -> Vec<Layout> {
        let orders: BTreeSet<Vec<usize>> = moves(&layout.order).filter(|order| *order != layout.order).collect();
        orders.into_iter().filter_map(|order| self.layout(&order, layout.policy, &layout.body)).collect()
    }

    fn other_policies(&mut self, layout: &Layout) -> Vec<Layout> {
        let policies = self.free_weights.iter().flat_map(|weight| self.policies(*weight));
        let others: Vec<Policy> = policies.filter(|policy| *policy != layout.policy).collect();
        let mut found = Vec::new();
        for_each_unlike(others, vec![layout.alike], |policy| {
            let other = self.layout(&layout.order, policy, &layout.body)?;
            let alike = other.alike;
            found.push(other);
            Some(alike)
        });
        found
    }

    fn other_checks(&mut self, layout: &Layout) -> Vec<Layout> {
        let mut found = Vec::new();
        let mut body = layout.body.clone();
        for number in 0.. {
            let Some(block) = reorder::nth_block(&mut body, &mut { number }) else { break };
            let ends = number == 0 && self.end == crate::schedule::End::Truth;
            let count = block.effects.len();
            let spans: Vec<Option<Span>> =
                (0..count).map(|from| reorder::span(&self.path.graph, block, from, ends)).collect();
            for (from, span) in spans.into_iter().enumerate().rev() {
                let Some(Span { first, last }) = span else { continue };
                for to in (first..=last).filter(|to| *to != from) {
                    let mut moved = layout.body.clone();
                    if let Some(block) = reorder::nth_block(&mut moved, &mut { number }) {
                        reorder::shift(block, from, to);
                    }
                    found.extend(self.layout(&layout.order, layout.policy, &moved));
                }
            }
        }
        found
    }

    fn other_variables(&mut self, layout: &Layout, loops: &[(u32, usize)]) -> Vec<Layout> {
        let mut found = Vec::new();
        for (id, count) in loops {
            let given: Vec<usize> = (0..*count).collect();
            for order in moves(&given).filter(|order| *order != given) {
                let mut body = layout.body.clone();
                if let Some(repeat) = find(&mut body, *id) {
                    let vars: Vec<Var> = order.iter().filter_map(|at| repeat.vars.get(*at)).copied().collect();
                    repeat.vars = vars;
                }
                found.extend(self.layout(&layout.order, layout.policy, &body));
            }
        }
        found
    }

    /// Writes a layout in other ways; true if one of them is the best so far.
    pub(super) fn depart(&mut self, layout: &Layout, widths: &Widths) -> bool {
        self.path.body = layout.body.clone();
        let values = self.values_to_flip();
        let Some(first) = self.write(layout, Departures::default(), &mut false) else { return false };
        let (mut kept, mut better, mut idle) = (vec![first], false, 0);
        for _ in 0..widths.departure_steps {
            let mut found = Vec::new();
            for writing in &kept {
                for departures in further(writing, &values) {
                    found.extend(self.write(layout, departures, &mut better));
                }
            }
            let least = kept.first().map(|writing| writing.score);
            kept.extend(found);
            // Of two that are as good, the one from which more departures follow.
            kept.sort_by_key(|writing| {
                (writing.score, Reverse(writing.decisions.len().saturating_sub(writing.departures.next())))
            });
            keep_different(&mut kept, widths.departures, |writing| &writing.code);
            idle = if kept.first().map(|writing| writing.score) < least { 0 } else { idle + 1 };
            if idle == widths.idle_steps || self.room == 0 {
                break;
            }
        }
        better
    }

    fn write(&mut self, layout: &Layout, departures: Departures, better: &mut bool) -> Option<Writing> {
        let Outcome { score, scheduled } = self.outcome(&layout.order, layout.policy, &departures)?;
        let (decisions, code) = (scheduled.decisions.clone(), scheduled.code.clone());
        *better |= self.keep(&layout.order, layout.policy, score, scheduled);
        Some(Writing { score, departures, decisions, code })
    }

    /// Values that may be computed again or kept, with several uses.
    fn values_to_flip(&self) -> Vec<NodeId> {
        let graph = &self.path.graph;
        let mut users = vec![0_u32; graph.len()];
        let mut count = |id: NodeId| {
            if let Some(users) = users.get_mut(id.index()) {
                *users += 1;
            }
        };
        for id in graph.ids() {
            if let NodeKind::Op(_, inputs) = graph.kind(id) {
                inputs.iter().for_each(|input| count(*input));
            }
        }
        roots(&self.path.body, &mut count);
        let is_useful = |id: &NodeId| {
            let weight = graph.node(*id).weight;
            users.get(id.index()).is_some_and(|users| *users > 1) && (1..=FREE_WEIGHT_MAX).contains(&weight)
        };
        graph.ids().filter(is_useful).collect()
    }
}

/// All departures with one more, or with one more value computed otherwise.
fn further(writing: &Writing, values: &[NodeId]) -> Vec<Departures> {
    let Writing { departures, decisions, .. } = writing;
    let numbered = decisions.iter().enumerate().skip(departures.next());
    let more = numbered.flat_map(|(at, alternatives)| (1..=*alternatives).map(move |one| departures.with(at, one)));
    more.chain(values.iter().map(|value| departures.flip(*value))).collect()
}

/// The first `count` with different code.
fn keep_different<T>(all: &mut Vec<T>, count: usize, code: impl Fn(&T) -> &Code) {
    let mut kept: Vec<T> = Vec::new();
    for one in all.drain(..) {
        if kept.len() == count {
            break;
        }
        if !kept.iter().any(|other| code(other) == code(&one)) {
            kept.push(one);
        }
    }
    *all = kept;
}

/// The values that effects look at.
fn roots(block: &Block, count: &mut impl FnMut(NodeId)) {
    for effect in &block.effects {
        match effect {
            Effect::Verify { value, .. } | Effect::Lock { value, .. } => count(*value),
            Effect::Choose(choice) => {
                choice.asked().into_iter().for_each(&mut *count);
                roots(&choice.then, count);
                roots(&choice.otherwise, count);
                choice.yields(true).into_iter().chain(choice.yields(false)).for_each(&mut *count);
            }
            Effect::Repeat(repeat) => {
                repeat.vars.iter().for_each(|var| count(var.initial));
                roots(&repeat.body, count);
                repeat.yields().into_iter().for_each(&mut *count);
            }
            Effect::Run(run) => run.inputs.iter().for_each(|input| count(*input)),
        }
    }
}
