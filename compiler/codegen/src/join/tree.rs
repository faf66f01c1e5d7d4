//! What may tell the paths of a contract apart.

use analysis::hir;

use crate::mir::{Effect, Graph, Path};

use super::demand::rules_out;
use super::unite::Slots;

/// How many checks of a path are looked at.
const CHECKS_MAX: usize = 40;

/// The conditionals that lead to the paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tree {
    Path(usize),
    Fork(How, Box<[Tree; 2]>),
}

/// What a conditional goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// A check of the first path that rules out one of each other path.
    Demand,
    /// The number of items, which is another for the first path than for all others.
    Depth,
    /// An item that is 1 or 0.
    Bit,
    /// An item that is counted down; the same one as around it, if it is not the first.
    Count { first: bool },
}

impl Tree {
    /// Its paths, in order.
    pub(super) fn paths(&self) -> Vec<usize> {
        match self {
            Self::Path(at) => vec![*at],
            Self::Fork(_, branches) => branches.iter().flat_map(Self::paths).collect(),
        }
    }
}

/// Different trees for all paths.
pub(super) fn trees(contract: &hir::Contract, paths: &[&Path]) -> Vec<Tree> {
    let mut found = Vec::new();
    let all: Vec<usize> = (0..paths.len()).collect();
    for (demand, depth) in [(true, true), (true, false), (false, true), (false, false)] {
        let tree = Grower { contract, paths, demand, depth }.tree(&all);
        if !found.contains(&tree) {
            found.push(tree);
        }
    }
    found
}

struct Grower<'g> {
    contract: &'g hir::Contract,
    paths: &'g [&'g Path],
    demand: bool,
    depth: bool,
}

impl Grower<'_> {
    fn tree(&self, group: &[usize]) -> Tree {
        let single = |alone: &dyn Fn(usize, &[usize]) -> bool| {
            group.iter().find_map(|at| {
                let rest: Vec<usize> = group.iter().copied().filter(|other| other != at).collect();
                alone(*at, &rest).then_some((*at, rest))
            })
        };
        let split =
            |how, (at, rest): (usize, Vec<usize>)| Tree::Fork(how, Box::new([Tree::Path(at), self.tree(&rest)]));
        if let [only] = group {
            return Tree::Path(*only);
        }
        if let Some(found) = self.demand.then(|| single(&|at, rest| self.has_demand(at, rest))).flatten() {
            return split(How::Demand, found);
        }
        let differs = |at: usize, rest: &[usize]| rest.iter().all(|other| self.items(*other) != self.items(at));
        if let Some(found) = self.depth.then(|| single(&differs)).flatten() {
            return split(How::Depth, found);
        }
        match group {
            [a, b] => Tree::Fork(How::Bit, Box::new([Tree::Path(*a), Tree::Path(*b)])),
            _ => counted(group, true),
        }
    }

    fn items(&self, at: usize) -> usize {
        self.paths.get(at).map_or(0, |path| path.arg_items.iter().sum())
    }

    /// Whether a check of one path rules out one of each other path.
    fn has_demand(&self, at: usize, rest: &[usize]) -> bool {
        let group: Vec<usize> = std::iter::once(at).chain(rest.iter().copied()).collect();
        let mut slots = Slots::new(self.paths);
        slots.share(self.contract, &group);
        group.iter().for_each(|path| drop(slots.place_rest(*path)));
        let mut graph = Graph::default();
        let checks = group.iter().map(|at| {
            let path = self.paths.get(*at)?;
            let nodes = slots.import(&mut graph, *at, path);
            let checks = path.body.effects.iter().filter_map(|effect| match effect {
                Effect::Verify { value, .. } => nodes.get(value.index()).copied(),
                _ => None,
            });
            Some(checks.take(CHECKS_MAX).collect::<Vec<_>>())
        });
        let Some(checks) = checks.collect::<Option<Vec<_>>>() else { return false };
        let Some((own, others)) = checks.split_first() else { return false };
        own.iter().any(|own| others.iter().all(|checks| checks.iter().any(|check| rules_out(&graph, *own, *check))))
    }
}

/// Paths told apart by one number.
fn counted(group: &[usize], first: bool) -> Tree {
    match group {
        [] => Tree::Path(0),
        [only] => Tree::Path(*only),
        [at, rest @ ..] => Tree::Fork(How::Count { first }, Box::new([Tree::Path(*at), counted(rest, false)])),
    }
}
