//! Removes what nothing reads: values of conditionals and loops, and conditionals and loops that then do nothing.
//!
//! Checks are the roots. A marked value marks what it is computed from; one that a conditional or
//! loop gives marks that conditional or loop, with its condition and everything around it.

use std::collections::BTreeMap;

use crate::mir::{Block, Effect, Exit, Graph, NodeId, Path};

impl Path {
    /// Leaves only what a check or an instruction needs.
    pub(crate) fn prune(&mut self) {
        let mut flow = Flow::default();
        flow.block(&self.body, None);
        flow.roots.extend(self.results.iter().map(|result| (Some(*result), None)));
        let mut live =
            Live { graph: &self.graph, flow: &flow, marked: vec![false; self.graph.len()], kept: Vec::new() };
        live.kept.resize(flow.controls.len(), false);
        flow.roots.iter().for_each(|(value, control)| live.root(*value, *control));
        let (marked, kept) = (live.marked, live.kept);
        Sweep { marked, kept, next: 0 }.block(&mut self.body);
    }
}

/// A conditional or loop: the value that steers it, and what it stands in.
struct Control {
    value: Option<NodeId>,
    parent: Option<usize>,
}

/// Where values that no computation gives come from.
#[derive(Default)]
struct Flow {
    /// In the order in which their beginnings stand.
    controls: Vec<Control>,
    /// What such a value may be, and the control that decides.
    sources: BTreeMap<NodeId, ([NodeId; 2], usize)>,
    roots: Vec<(Option<NodeId>, Option<usize>)>,
}

impl Flow {
    fn block(&mut self, block: &Block, parent: Option<usize>) {
        for effect in &block.effects {
            match effect {
                Effect::Verify { value, .. } | Effect::Lock { value, .. } => self.roots.push((Some(*value), parent)),
                Effect::Run(run) => {
                    self.roots.push((None, parent));
                    self.roots.extend(run.inputs.iter().map(|input| (Some(*input), parent)));
                }
                Effect::Choose(choice) => {
                    let control = self.control(Some(choice.condition), parent);
                    for phi in &choice.phis {
                        self.sources.insert(phi.result, ([phi.then, phi.otherwise], control));
                    }
                    self.block(&choice.then, Some(control));
                    self.block(&choice.otherwise, Some(control));
                }
                Effect::Repeat(repeat) => {
                    let exit = match repeat.exit {
                        Exit::When(exit) => Some(exit),
                        Exit::NoRecords => None,
                    };
                    let control = self.control(exit, parent);
                    if exit.is_none() {
                        self.roots.push((None, Some(control)));
                    }
                    for var in &repeat.vars {
                        self.sources.insert(var.entry, ([var.initial, var.next], control));
                        self.sources.insert(var.result, ([var.initial, var.next], control));
                    }
                    self.block(&repeat.body, Some(control));
                }
            }
        }
    }

    fn control(&mut self, value: Option<NodeId>, parent: Option<usize>) -> usize {
        self.controls.push(Control { value, parent });
        self.controls.len() - 1
    }
}

struct Live<'p> {
    graph: &'p Graph,
    flow: &'p Flow,
    marked: Vec<bool>,
    kept: Vec<bool>,
}

impl Live<'_> {
    fn root(&mut self, value: Option<NodeId>, control: Option<usize>) {
        let mut todo: Vec<NodeId> = value.into_iter().collect();
        self.keep(control, &mut todo);
        while let Some(id) = todo.pop() {
            let Some(seen) = self.marked.get_mut(id.index()) else { continue };
            if std::mem::replace(seen, true) {
                continue;
            }
            if let Some((_, inputs)) = self.graph.as_op(id) {
                todo.extend(inputs);
            }
            if let Some((sources, control)) = self.flow.sources.get(&id) {
                todo.extend(sources);
                self.keep(Some(*control), &mut todo);
            }
        }
    }

    /// Keeps a control and all around it; what steers them is yet to be marked.
    fn keep(&mut self, innermost: Option<usize>, todo: &mut Vec<NodeId>) {
        let mut next = innermost;
        while let Some(at) = next {
            let (Some(kept), Some(control)) = (self.kept.get_mut(at), self.flow.controls.get(at)) else { return };
            if std::mem::replace(kept, true) {
                return;
            }
            todo.extend(control.value);
            next = control.parent;
        }
    }
}

struct Sweep {
    marked: Vec<bool>,
    kept: Vec<bool>,
    /// The control that comes next, in the order of [`Flow::controls`].
    next: usize,
}

impl Sweep {
    fn is_marked(&self, id: NodeId) -> bool {
        self.marked.get(id.index()).copied().unwrap_or(false)
    }

    fn block(&mut self, block: &mut Block) {
        block.effects.retain_mut(|effect| self.effect(effect));
    }

    /// False if the effect has no use.
    fn effect(&mut self, effect: &mut Effect) -> bool {
        let control = self.next;
        match effect {
            Effect::Verify { .. } | Effect::Lock { .. } | Effect::Run(_) => return true,
            Effect::Choose(choice) => {
                self.next += 1;
                choice.phis.retain(|phi| self.is_marked(phi.result));
                self.block(&mut choice.then);
                self.block(&mut choice.otherwise);
            }
            Effect::Repeat(repeat) => {
                self.next += 1;
                repeat.vars.retain(|var| self.is_marked(var.entry) || self.is_marked(var.result));
                self.block(&mut repeat.body);
            }
        }
        self.kept.get(control).copied().unwrap_or(false)
    }
}
