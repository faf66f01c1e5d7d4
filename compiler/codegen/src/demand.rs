//! What a block needs: how often each value is used, and what its branches and loops take from outside.
//!
//! A value is *free* if recomputing it is as short as fetching it; free values never stay on the
//! stack and are not counted. Every other value is computed once in the block that needs it.
//! A branch computes for itself what only branches need; what the block itself needs as well, and
//! what lies on the stack already, it takes from the stack. What every round of a loop needs and no
//! round changes is computed before the loop, if it weighs enough, and lies beneath its variables.

use crate::marks::{Marks, Uses};
use crate::mir::{Block, Choice, Effect, Graph, NodeId, NodeKind, Repeat, Test};

/// Counts what blocks need.
pub(crate) struct Counter<'g> {
    graph: &'g Graph,
    /// Which values are free, by their place in the graph.
    free: Vec<bool>,
    /// Values of at least this weight are computed before the loop that does not change them.
    hoisted_weight: u32,
    /// Which other weights would have led to the same.
    alike: Weights,
    /// How often each value is fetched, branches and loops that take it counting once each.
    pub(crate) uses: Uses,
    /// What lies on the stack when a block begins.
    on_stack: Marks,
    seen: Marks,
    /// Values that exist only inside a choice or loop.
    inner: Marks,
    /// What is known to change from round to round, or not to.
    known: Marks,
    varying: Marks,
    /// What has to be visited yet.
    todo: Vec<NodeId>,
}

/// Weights above the first and up to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Weights(u32, u32);

impl Weights {
    const ALL: Self = Self(0, u32::MAX);

    pub(crate) fn contains(self, weight: u32) -> bool {
        weight == 0 && self.0 == 0 || self.0 < weight && weight <= self.1
    }
}

impl<'g> Counter<'g> {
    pub(crate) fn new(graph: &'g Graph, free: Vec<bool>, hoisted_weight: u32) -> Self {
        let [on_stack, seen, inner, known, varying] = [(); 5].map(|()| Marks::new(graph));
        let (uses, todo, alike) = (Uses::new(graph), Vec::new(), Weights::ALL);
        Self { graph, free, hoisted_weight, alike, uses, on_stack, seen, inner, known, varying, todo }
    }

    /// The weights for which everything so far would have been counted alike.
    pub(crate) fn alike(&self) -> Weights {
        self.alike
    }

    /// Counts what `block` and the values it leaves need, as uses of a block that has just begun. Gives for each choice
    /// and loop of the block in order what it takes from the stack, in ascending order.
    pub(crate) fn count(
        &mut self,
        block: &Block,
        yields: &[NodeId],
        stack: impl Iterator<Item = NodeId>,
    ) -> Vec<Vec<NodeId>> {
        self.on_stack.clear();
        for node in stack {
            self.on_stack.insert(node);
        }
        let mut hoisted = Vec::new();
        for effect in &block.effects {
            match effect {
                Effect::Verify { value, .. } | Effect::Lock { value, .. } => self.visit(*value),
                Effect::Choose(choice) => choice.asked().into_iter().for_each(|value| self.visit(value)),
                Effect::Run(run) => run.inputs.iter().for_each(|input| self.visit(*input)),
                Effect::Repeat(repeat) => {
                    repeat.vars.iter().for_each(|var| self.visit(var.initial));
                    let invariants = self.invariants(repeat);
                    invariants.iter().for_each(|value| self.visit(*value));
                    hoisted.push(invariants);
                }
            }
        }
        yields.iter().for_each(|value| self.visit(*value));
        self.captures_of(block, hoisted)
    }

    fn captures_of(&mut self, block: &Block, hoisted: Vec<Vec<NodeId>>) -> Vec<Vec<NodeId>> {
        let mut hoisted = hoisted.into_iter();
        let mut captures = Vec::new();
        let mut more = Vec::new();
        for effect in &block.effects {
            let (mut taken, counted) = match effect {
                Effect::Choose(choice) => (self.captures(|inner| inner.branches(choice)), Vec::new()),
                Effect::Repeat(repeat) => {
                    (self.captures(|inner| inner.rounds(repeat)), hoisted.next().unwrap_or_default())
                }
                Effect::Verify { .. } | Effect::Lock { .. } | Effect::Run(_) => continue,
            };
            more.extend(taken.iter().copied().filter(|value| counted.binary_search(value).is_err()));
            taken.extend(counted);
            taken.sort_unstable();
            taken.dedup();
            captures.push(taken);
        }
        // Only now, because what the block needs by itself decides what its inner blocks take.
        for value in more {
            self.uses.add(value);
        }
        captures
    }

    pub(crate) fn is_free(&self, id: NodeId) -> bool {
        self.free.get(id.index()).copied().unwrap_or(false)
    }

    /// Counts one use of `root`, and what computing it uses if that is the first.
    fn visit(&mut self, root: NodeId) {
        self.todo.push(root);
        while let Some(id) = self.todo.pop() {
            if self.is_free(id) {
                continue;
            }
            if self.uses.add(id)
                && !self.on_stack.contains(id)
                && let Some((_, inputs)) = self.graph.as_op(id)
            {
                self.todo.extend(inputs);
            }
        }
    }

    /// The values that inner blocks take from the stack: they lie there, or the block computes them itself.
    fn captures(&mut self, demand: impl Fn(&mut Inner<'_>)) -> Vec<NodeId> {
        self.inner.clear();
        self.seen.clear();
        demand(&mut Inner { demanded: &mut self.todo, own: &mut self.inner });
        let mut taken = Vec::new();
        while let Some(id) = self.todo.pop() {
            if self.is_free(id) || !self.seen.insert(id) {
                continue;
            }
            let outside = self.uses.is_counted(id) || self.on_stack.contains(id);
            match self.graph.kind(id) {
                _ if outside => taken.push(id),
                NodeKind::Phi(_) | NodeKind::Arg(_) if self.inner.contains(id) => {}
                NodeKind::Arg(_) | NodeKind::Phi(_) => taken.push(id),
                NodeKind::Op(_, inputs) => self.todo.extend(inputs),
                NodeKind::Const(_) | NodeKind::Param(_) | NodeKind::Text(_) => {}
            }
        }
        taken.sort_unstable();
        taken
    }

    /// The greatest computations that every round needs and none changes, in ascending order.
    ///
    /// Nothing that a round may leave out is among them: it could fail where no round asks for it.
    fn invariants(&mut self, repeat: &Repeat) -> Vec<NodeId> {
        self.inner.clear();
        self.seen.clear();
        self.known.clear();
        self.varying.clear();
        let mut demanded = Vec::new();
        Inner { demanded: &mut demanded, own: &mut self.inner }.rounds(repeat);
        let mut todo = every_round(repeat);
        let mut taken = Vec::new();
        while let Some(id) = todo.pop() {
            if self.is_free(id) || !self.seen.insert(id) {
                continue;
            }
            let NodeKind::Op(_, inputs) = self.graph.kind(id) else { continue };
            if self.varies(id) || !self.is_heavy(self.graph.node(id).weight) {
                todo.extend(inputs);
            } else {
                taken.push(id);
            }
        }
        taken.sort_unstable();
        taken
    }

    /// Whether what no round changes weighs enough.
    fn is_heavy(&mut self, weight: u32) -> bool {
        let is_heavy = weight >= self.hoisted_weight;
        let Weights(above, up_to) = &mut self.alike;
        if is_heavy {
            *up_to = weight.min(*up_to);
        } else {
            *above = weight.max(*above);
        }
        is_heavy
    }

    /// Whether a value that exists only inside is among what `root` is computed from.
    fn varies(&mut self, root: NodeId) -> bool {
        let mut todo = vec![root];
        while let Some(id) = todo.last().copied() {
            let inputs = self.graph.as_op(id).map(|(_, inputs)| inputs).unwrap_or_default();
            let before = todo.len();
            todo.extend(inputs.iter().copied().filter(|input| !self.known.contains(*input)));
            if todo.len() == before {
                if self.inner.contains(id) || inputs.iter().any(|input| self.varying.contains(*input)) {
                    self.varying.insert(id);
                }
                self.known.insert(id);
                todo.pop();
            }
        }
        self.varying.contains(root)
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
struct Inner<'i> {
    demanded: &'i mut Vec<NodeId>,
    own: &'i mut Marks,
}

impl Inner<'_> {
    fn define(&mut self, values: impl IntoIterator<Item = NodeId>) {
        for value in values {
            self.own.insert(value);
        }
    }

    fn branches(&mut self, choice: &Choice) {
        if let Some(fork) = &choice.fork {
            self.define(fork.extras.iter().flatten().flatten().copied());
            if let Test::Count(rest) = fork.test {
                self.define([rest]);
            }
        }
        self.block(&choice.then, choice.yields(true));
        self.block(&choice.otherwise, choice.yields(false));
    }

    fn rounds(&mut self, repeat: &Repeat) {
        self.define(repeat.own_phis());
        self.block(&repeat.body, repeat.yields());
    }

    fn block(&mut self, block: &Block, yields: Vec<NodeId>) {
        self.demanded.extend(yields);
        for effect in &block.effects {
            match effect {
                Effect::Verify { value, .. } | Effect::Lock { value, .. } => self.demanded.push(*value),
                Effect::Choose(choice) => {
                    self.demanded.extend(choice.asked());
                    self.define(choice.phis.iter().map(|phi| phi.result));
                    self.branches(choice);
                }
                Effect::Repeat(repeat) => {
                    self.demanded.extend(repeat.vars.iter().map(|var| var.initial));
                    self.define(repeat.vars.iter().map(|var| var.result));
                    self.rounds(repeat);
                }
                Effect::Run(run) => {
                    self.demanded.extend(&run.inputs);
                    self.define(run.results.iter().copied());
                }
            }
        }
    }
}
