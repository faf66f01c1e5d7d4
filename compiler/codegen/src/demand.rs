//! What a block needs: how often each value is used, and what its branches take from outside.
//!
//! A value is *free* if recomputing it is as short as fetching it; free values never stay on the
//! stack and are not counted. Every other value is computed once in the block that needs it.
//! A branch computes for itself what only branches need; what the block itself needs as well, and
//! what lies on the stack already, it takes from the stack.

use std::collections::{BTreeMap, BTreeSet};

use crate::mir::{Block, Choice, Effect, Graph, NodeId, NodeKind};

/// The needs of one block.
#[derive(Debug, Default)]
pub(crate) struct Demand {
    /// How often each value is fetched, branches that take it counting once each.
    pub(crate) uses: BTreeMap<NodeId, u32>,
    /// For each choice of the block in order, what its branches take from the stack.
    pub(crate) captures: Vec<Vec<NodeId>>,
}

/// What is free, and what lies on the stack when a block begins.
pub(crate) struct Counter<'g> {
    pub(crate) graph: &'g Graph,
    /// Values of at most this weight are free.
    pub(crate) free_weight: u32,
    pub(crate) on_stack: BTreeSet<NodeId>,
}

impl Counter<'_> {
    /// Counts what `block` and the values it leaves need.
    pub(crate) fn count(&self, block: &Block, yields: &[NodeId]) -> Demand {
        let mut demand = Demand::default();
        for effect in &block.effects {
            match effect {
                Effect::Verify { value, .. } | Effect::Lock { value, .. } => self.visit(&mut demand.uses, *value),
                Effect::Choose(choice) => self.visit(&mut demand.uses, choice.condition),
            }
        }
        yields.iter().for_each(|value| self.visit(&mut demand.uses, *value));
        let own: BTreeSet<NodeId> = demand.uses.keys().copied().collect();
        for effect in &block.effects {
            if let Effect::Choose(choice) = effect {
                let captures = self.captures(choice, &own);
                for value in &captures {
                    *demand.uses.entry(*value).or_default() += 1;
                }
                demand.captures.push(captures.into_iter().collect());
            }
        }
        demand
    }

    fn is_free(&self, id: NodeId) -> bool {
        self.graph.node(id).weight <= self.free_weight
    }

    /// Counts one use of `root`, and what computing it uses if that is the first.
    fn visit(&self, uses: &mut BTreeMap<NodeId, u32>, root: NodeId) {
        let mut todo = vec![root];
        while let Some(id) = todo.pop() {
            if self.is_free(id) {
                continue;
            }
            let count = uses.entry(id).or_default();
            *count += 1;
            if *count == 1
                && !self.on_stack.contains(&id)
                && let Some((_, inputs)) = self.graph.as_op(id)
            {
                todo.extend(inputs);
            }
        }
    }

    /// The values that the branches take from the stack: they lie there, or the block computes them itself.
    fn captures(&self, choice: &Choice, own: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
        let mut inner = Inner::default();
        inner.branch(&choice.then, choice.yields(true));
        inner.branch(&choice.otherwise, choice.yields(false));
        let mut seen = BTreeSet::new();
        let mut taken = BTreeSet::new();
        while let Some(id) = inner.demanded.pop() {
            if self.is_free(id) || !seen.insert(id) {
                continue;
            }
            let outside = own.contains(&id) || self.on_stack.contains(&id);
            match self.graph.kind(id) {
                _ if outside => drop(taken.insert(id)),
                NodeKind::Phi(_) if inner.phis.contains(&id) => {}
                NodeKind::Arg(_) | NodeKind::Phi(_) => drop(taken.insert(id)),
                NodeKind::Op(_, inputs) => inner.demanded.extend(inputs),
                NodeKind::Const(_) | NodeKind::Param(_) => {}
            }
        }
        taken
    }
}

/// What the blocks inside a choice demand and define.
#[derive(Default)]
struct Inner {
    demanded: Vec<NodeId>,
    phis: BTreeSet<NodeId>,
}

impl Inner {
    fn branch(&mut self, block: &Block, yields: Vec<NodeId>) {
        self.demanded.extend(yields);
        for effect in &block.effects {
            match effect {
                Effect::Verify { value, .. } | Effect::Lock { value, .. } => self.demanded.push(*value),
                Effect::Choose(choice) => {
                    self.demanded.push(choice.condition);
                    self.phis.extend(choice.phis.iter().map(|phi| phi.result));
                    self.branch(&choice.then, choice.yields(true));
                    self.branch(&choice.otherwise, choice.yields(false));
                }
            }
        }
    }
}
