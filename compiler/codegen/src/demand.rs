//! What a block needs: how often each value is used, and what its branches and loops take from outside.
//!
//! A value is *free* if recomputing it is as short as fetching it; free values never stay on the
//! stack and are not counted. Every other value is computed once in the block that needs it.
//! A branch computes for itself what only branches need; what the block itself needs as well, and
//! what lies on the stack already, it takes from the stack. What every round of a loop needs and no
//! round changes is computed before the loop, if it weighs enough, and lies beneath its variables.

use std::collections::{BTreeMap, BTreeSet};

use crate::mir::{Block, Choice, Effect, Graph, NodeId, NodeKind, Repeat, Test};

/// The needs of one block.
#[derive(Debug, Default)]
pub(crate) struct Demand {
    /// How often each value is fetched, branches and loops that take it counting once each.
    pub(crate) uses: BTreeMap<NodeId, u32>,
    /// For each choice and loop of the block in order, what it takes from the stack.
    pub(crate) captures: Vec<Vec<NodeId>>,
}

/// What is free, and what lies on the stack when a block begins.
pub(crate) struct Counter<'g> {
    pub(crate) graph: &'g Graph,
    /// Which values are free, by their place in the graph.
    pub(crate) free: &'g [bool],
    /// Values of at least this weight are computed before the loop that does not change them.
    pub(crate) hoisted_weight: u32,
    pub(crate) on_stack: BTreeSet<NodeId>,
}

impl Counter<'_> {
    /// Counts what `block` and the values it leaves need.
    pub(crate) fn count(&self, block: &Block, yields: &[NodeId]) -> Demand {
        let mut demand = Demand::default();
        let mut hoisted = Vec::new();
        for effect in &block.effects {
            match effect {
                Effect::Verify { value, .. } | Effect::Lock { value, .. } => self.visit(&mut demand.uses, *value),
                Effect::Choose(choice) => {
                    choice.asked().into_iter().for_each(|value| self.visit(&mut demand.uses, value))
                }
                Effect::Run(run) => run.inputs.iter().for_each(|input| self.visit(&mut demand.uses, *input)),
                Effect::Repeat(repeat) => {
                    repeat.vars.iter().for_each(|var| self.visit(&mut demand.uses, var.initial));
                    let invariants = self.invariants(repeat);
                    invariants.iter().for_each(|value| self.visit(&mut demand.uses, *value));
                    hoisted.push(invariants);
                }
            }
        }
        yields.iter().for_each(|value| self.visit(&mut demand.uses, *value));
        let own: BTreeSet<NodeId> = demand.uses.keys().copied().collect();
        let mut hoisted = hoisted.into_iter();
        for effect in &block.effects {
            let (captures, counted) = match effect {
                Effect::Choose(choice) => (self.captures(Inner::of_choice(choice), &own), BTreeSet::new()),
                Effect::Repeat(repeat) => {
                    let hoisted = hoisted.next().unwrap_or_default();
                    let mut captures = self.captures(Inner::of_repeat(repeat), &own);
                    captures.extend(&hoisted);
                    (captures, hoisted)
                }
                Effect::Verify { .. } | Effect::Lock { .. } | Effect::Run(_) => continue,
            };
            for value in captures.difference(&counted) {
                *demand.uses.entry(*value).or_default() += 1;
            }
            demand.captures.push(captures.into_iter().collect());
        }
        demand
    }

    fn is_free(&self, id: NodeId) -> bool {
        self.free.get(id.index()).copied().unwrap_or(false)
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

    /// The values that the inner blocks take from the stack: they lie there, or the block computes them itself.
    fn captures(&self, inner: Inner, own: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
        let mut todo = inner.demanded;
        let mut seen = BTreeSet::new();
        let mut taken = BTreeSet::new();
        while let Some(id) = todo.pop() {
            if self.is_free(id) || !seen.insert(id) {
                continue;
            }
            let outside = own.contains(&id) || self.on_stack.contains(&id);
            match self.graph.kind(id) {
                _ if outside => drop(taken.insert(id)),
                NodeKind::Phi(_) | NodeKind::Arg(_) if inner.phis.contains(&id) => {}
                NodeKind::Arg(_) | NodeKind::Phi(_) => drop(taken.insert(id)),
                NodeKind::Op(_, inputs) => todo.extend(inputs),
                NodeKind::Const(_) | NodeKind::Param(_) => {}
            }
        }
        taken
    }

    /// The greatest computations that every round needs and none changes.
    ///
    /// Nothing that a round may leave out is among them: it could fail where no round asks for it.
    fn invariants(&self, repeat: &Repeat) -> BTreeSet<NodeId> {
        let phis = Inner::of_repeat(repeat).phis;
        let mut varying = BTreeMap::new();
        let mut todo = every_round(repeat);
        let mut seen = BTreeSet::new();
        let mut taken = BTreeSet::new();
        while let Some(id) = todo.pop() {
            if self.is_free(id) || !seen.insert(id) {
                continue;
            }
            let NodeKind::Op(_, inputs) = self.graph.kind(id) else { continue };
            if self.graph.node(id).weight < self.hoisted_weight || self.varies(id, &phis, &mut varying) {
                todo.extend(inputs);
            } else {
                taken.insert(id);
            }
        }
        taken
    }

    /// Whether one of `phis` is among what `root` is computed from.
    fn varies(&self, root: NodeId, phis: &BTreeSet<NodeId>, known: &mut BTreeMap<NodeId, bool>) -> bool {
        let mut todo = vec![root];
        while let Some(id) = todo.last().copied() {
            let inputs = self.graph.as_op(id).map(|(_, inputs)| inputs).unwrap_or_default();
            let unknown: Vec<NodeId> = inputs.iter().copied().filter(|input| !known.contains_key(input)).collect();
            if unknown.is_empty() {
                let varies = phis.contains(&id) || inputs.iter().any(|input| known.get(input) == Some(&true));
                known.insert(id, varies);
                todo.pop();
            }
            todo.extend(unknown);
        }
        known.get(&root) == Some(&true)
    }
}

/// The values that every round of a loop needs, inner loops included.
fn every_round(repeat: &Repeat) -> Vec<NodeId> {
    let mut roots = repeat.yields();
    for effect in &repeat.body.effects {
        match effect {
            Effect::Verify { value, .. } | Effect::Lock { value, .. } => roots.push(*value),
            Effect::Choose(choice) => roots.extend(choice.asked()),
            Effect::Run(run) => roots.extend(&run.inputs),
            Effect::Repeat(inner) => {
                roots.extend(inner.vars.iter().map(|var| var.initial));
                roots.extend(every_round(inner));
            }
        }
    }
    roots
}

/// What the blocks inside a choice or loop demand and define.
#[derive(Default)]
struct Inner {
    demanded: Vec<NodeId>,
    phis: BTreeSet<NodeId>,
}

impl Inner {
    fn of_choice(choice: &Choice) -> Self {
        let mut inner = Self::default();
        inner.branches(choice);
        inner
    }

    fn of_repeat(repeat: &Repeat) -> Self {
        let mut inner = Self::default();
        inner.rounds(repeat);
        inner
    }

    fn branches(&mut self, choice: &Choice) {
        if let Some(fork) = &choice.fork {
            self.phis.extend(fork.extras.iter().flatten().flatten());
            if let Test::Count(rest) = fork.test {
                self.phis.insert(rest);
            }
        }
        self.block(&choice.then, choice.yields(true));
        self.block(&choice.otherwise, choice.yields(false));
    }

    fn rounds(&mut self, repeat: &Repeat) {
        self.phis.extend(repeat.own_phis());
        self.block(&repeat.body, repeat.yields());
    }

    fn block(&mut self, block: &Block, yields: Vec<NodeId>) {
        self.demanded.extend(yields);
        for effect in &block.effects {
            match effect {
                Effect::Verify { value, .. } | Effect::Lock { value, .. } => self.demanded.push(*value),
                Effect::Choose(choice) => {
                    self.demanded.extend(choice.asked());
                    self.phis.extend(choice.phis.iter().map(|phi| phi.result));
                    self.branches(choice);
                }
                Effect::Repeat(repeat) => {
                    self.demanded.extend(repeat.vars.iter().map(|var| var.initial));
                    self.phis.extend(repeat.vars.iter().map(|var| var.result));
                    self.rounds(repeat);
                }
                Effect::Run(run) => {
                    self.demanded.extend(&run.inputs);
                    self.phis.extend(&run.results);
                }
            }
        }
    }
}
