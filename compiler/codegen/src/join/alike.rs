//! What two blocks have in common: in front of their conditional or behind it, it stands once.

use std::collections::BTreeSet;

use spec::Opcode;

use crate::code::{PlaceId, SiteId, calls};
use crate::lower::Notes;
use crate::mir::{Effect, Graph, Node, NodeId, NodeKind, Operation, Phi, Run};
use crate::peephole::mirrored;

/// How deep two values are compared.
const LEVELS_MAX: usize = 4;
/// So many pairs of checks are compared.
const PAIRS_MAX: usize = 150;
/// How deep a count is looked for in a check.
const GUARD_LEVELS: usize = 3;

/// What may be done in several ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Manner {
    /// Which checks that both blocks make go in front of the conditional.
    in_front: InFront,
    /// How many checks that differ in some operands go behind it.
    united_max: usize,
    /// Whether the values that blocks leave are used from the lowest on.
    lowest_first: bool,
    /// Whether the conditionals of the source are treated like those that tell paths apart.
    pub(super) inner: bool,
    /// Whether it is a conditional of the source that is treated.
    is_inner: bool,
}

/// Which checks that both blocks make go in front of the conditional; the others go behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InFront {
    All,
    /// All but the last.
    AllButLast,
    None,
}

impl Default for Manner {
    fn default() -> Self {
        Self { in_front: InFront::All, united_max: usize::MAX, lowest_first: false, inner: true, is_inner: false }
    }
}

impl Manner {
    /// The same for conditionals of the source.
    pub(super) const fn inside(self) -> Self {
        Self { is_inner: true, ..self }
    }

    /// Changes that are tried one after the other.
    pub(super) const CHANGES: [fn(Self) -> Self; 7] = [
        |manner| Self { united_max: 0, ..manner },
        |manner| Self { united_max: 1, ..manner },
        |manner| Self { united_max: 2, ..manner },
        |manner| Self { in_front: InFront::AllButLast, ..manner },
        |manner| Self { in_front: InFront::None, ..manner },
        |manner| Self { lowest_first: !manner.lowest_first, ..manner },
        |manner| Self { inner: !manner.inner, ..manner },
    ];
}

/// Two blocks without what they have in common.
pub(super) struct Meeting {
    pub(super) before: Vec<Effect>,
    pub(super) blocks: [Vec<Effect>; 2],
    /// What the blocks leave for [`Meeting::behind`].
    pub(super) phis: Vec<Phi>,
    pub(super) behind: Vec<Effect>,
}

/// A check with its site and place.
#[derive(Clone, Copy)]
struct Check {
    value: NodeId,
    site: Option<SiteId>,
    place: PlaceId,
}

/// What uniting two values brings.
struct Shape {
    /// The bytes that are written once instead of twice.
    saved: usize,
    /// The operands that differ.
    phis: BTreeSet<(NodeId, NodeId)>,
}

impl Shape {
    /// What is left of the saved bytes if each operand but one takes one to find its place.
    fn gain(&self) -> usize {
        self.saved.saturating_sub(self.phis.len().saturating_sub(1))
    }
}

pub(super) struct Alike<'a> {
    pub(super) graph: &'a mut Graph,
    pub(super) notes: &'a mut Notes,
    pub(super) manner: Manner,
}

impl Alike<'_> {
    /// Takes out what the blocks of the conditional `fork` have in common. If the script ends `at_end`, one check goes
    /// behind the conditional in any case: its truth value then ends the script.
    pub(super) fn meet(&mut self, fork: SiteId, blocks: [Vec<Effect>; 2], at_end: bool) -> Meeting {
        self.graph.negate_constants();
        let [first, second] = blocks;
        let mut meeting =
            Meeting { before: Vec::new(), blocks: [Vec::new(), second], phis: Vec::new(), behind: Vec::new() };
        let mut common = Vec::new();
        for effect in first {
            let [own, others] = &mut meeting.blocks;
            let twin = others.iter().position(|other| same(&effect, other));
            let Some(at) = twin.filter(|at| others.get(*at).is_some_and(|other| self.can_move(&effect, other))) else {
                own.push(effect);
                continue;
            };
            let other = others.remove(at);
            let tells_way = self.manner.is_inner && !self.says_the_same(&effect, &other);
            let merged = self.either(fork, effect, &other);
            match merged {
                Effect::Verify { value, .. } if self.is_guard(value) => meeting.before.push(merged),
                _ if tells_way => meeting.behind.push(merged),
                _ => common.push(merged),
            }
        }
        let in_front = match self.manner.in_front {
            InFront::All => common.len(),
            InFront::AllButLast => common.len().saturating_sub(1),
            InFront::None => 0,
        };
        meeting.before.extend(common.drain(..in_front));
        common.sort_by_key(|effect| matches!(effect, Effect::Verify { .. }));
        self.unite_checks(fork, &mut meeting);
        if at_end && !common.iter().chain(&meeting.behind).any(|effect| matches!(effect, Effect::Verify { .. })) {
            self.end_alike(fork, &mut meeting);
        }
        meeting.behind.extend(common);
        if !self.manner.lowest_first {
            meeting.phis.reverse();
        }
        meeting
    }

    fn says_the_same(&self, a: &Effect, b: &Effect) -> bool {
        match (site(a), site(b)) {
            (Some(a), Some(b)) => self.notes.same(a, b),
            (a, b) => a == b,
        }
    }

    /// Whether two checks can be one without a message getting lost. In front of a conditional of the source nobody
    /// knows which way it will go; and behind it other checks have read already what this one says is there.
    fn can_move(&self, effect: &Effect, other: &Effect) -> bool {
        let is_guard = matches!(effect, Effect::Verify { value, .. } if self.is_guard(*value));
        !(self.manner.is_inner && is_guard) || self.says_the_same(effect, other)
    }

    /// Whether a check counts inputs or outputs, or says which input this is: what reads them by their number comes
    /// behind it.
    fn is_guard(&self, value: NodeId) -> bool {
        let own = Operation::Op(Opcode::InputIndex);
        let is_own = |id: &NodeId| self.graph.as_op(*id).is_some_and(|(operation, _)| operation == own);
        if self.graph.as_op(value).is_some_and(|(_, inputs)| inputs.iter().any(is_own)) {
            return true;
        }
        let mut level = vec![value];
        for _ in 0..GUARD_LEVELS {
            let is_count = |id: &NodeId| {
                let count = [Opcode::TxInputCount, Opcode::TxOutputCount].map(Operation::Op);
                self.graph.as_op(*id).is_some_and(|(operation, _)| count.contains(&operation))
            };
            if level.iter().any(is_count) {
                return true;
            }
            level = level
                .iter()
                .flat_map(|id| self.graph.as_op(*id).map_or(&[][..], |(_, inputs)| inputs))
                .copied()
                .collect();
        }
        false
    }

    /// The effect with the site and place that the conditional decides.
    fn either(&mut self, fork: SiteId, effect: Effect, other: &Effect) -> Effect {
        let merged_place = self.notes.places.either(fork, effect.place(), other.place());
        let merged_site = self.site(fork, site(&effect), site(other));
        match effect {
            Effect::Verify { value, .. } => Effect::Verify { value, site: merged_site, place: merged_place },
            Effect::Lock { opcode, value, site, .. } => {
                Effect::Lock { opcode, value, site: merged_site.unwrap_or(site), place: merged_place }
            }
            other => other,
        }
    }

    fn site(&mut self, fork: SiteId, then: Option<SiteId>, otherwise: Option<SiteId>) -> Option<SiteId> {
        match (then, otherwise) {
            (Some(then), Some(otherwise)) => Some(self.notes.either(fork, then, otherwise)),
            (one, other) => one.or(other),
        }
    }

    /// Lets checks of both blocks that are alike be one behind the conditional, the most alike ones first.
    fn unite_checks(&mut self, fork: SiteId, meeting: &mut Meeting) {
        let [own, others] = [0, 1].map(|at| meeting.blocks.get(at).map(|block| checks(block)).unwrap_or_default());
        if own.len().saturating_mul(others.len()) > PAIRS_MAX {
            return;
        }
        let mut pairs = Vec::new();
        for (i, a) in own.iter().enumerate() {
            for (j, b) in others.iter().enumerate() {
                if self.is_guard(a.1.value) || self.is_guard(b.1.value) {
                    continue;
                }
                let shape = self.shape(a.1.value, b.1.value, LEVELS_MAX);
                if shape.saved > 0 && shape.gain() > 0 {
                    pairs.push((usize::MAX - shape.gain(), i, j));
                }
            }
        }
        pairs.sort_unstable();
        let mut taken: Vec<(usize, usize)> = Vec::new();
        for (_, i, j) in pairs {
            if taken.len() < self.manner.united_max && !taken.iter().any(|(a, b)| *a == i || *b == j) {
                taken.push((i, j));
            }
        }
        taken.sort_unstable();
        let mut gone: [Vec<usize>; 2] = Default::default();
        for (i, j) in taken {
            let (Some((at, a)), Some((other_at, b))) = (own.get(i), others.get(j)) else { continue };
            let united = self.unite(fork, Some(*a), Some(*b), &mut meeting.phis);
            meeting.behind.extend(united);
            let [gone, gone_others] = &mut gone;
            gone.push(*at);
            gone_others.push(*other_at);
        }
        for (block, gone) in meeting.blocks.iter_mut().zip(gone) {
            let mut at = 0;
            block.retain(|_| {
                at += 1;
                !gone.contains(&(at - 1))
            });
        }
    }

    /// Lets the last checks of both blocks leave their truth values for the end of the script.
    fn end_alike(&mut self, fork: SiteId, meeting: &mut Meeting) {
        let last = meeting.blocks.each_ref().map(|block| {
            let (at, check) = checks(block).pop()?;
            (at + 1 == block.len() || !self.is_guard(check.value)).then_some((at, check))
        });
        if last.iter().all(Option::is_none) {
            return;
        }
        for (block, last) in meeting.blocks.iter_mut().zip(&last) {
            if let Some((at, _)) = last {
                block.remove(*at);
            }
        }
        let [first, second] = last.map(|last| last.map(|(_, check)| check));
        let united = self.unite(fork, first, second, &mut meeting.phis);
        meeting.behind.extend(united);
    }

    /// One check instead of two; where one is missing, nothing is demanded.
    fn unite(
        &mut self,
        fork: SiteId,
        first: Option<Check>,
        second: Option<Check>,
        phis: &mut Vec<Phi>,
    ) -> Option<Effect> {
        let place = match (first, second) {
            (Some(a), Some(b)) => self.notes.places.either(fork, a.place, b.place),
            (a, b) => a.or(b)?.place,
        };
        let mut value = |check: Option<Check>| check.map_or_else(|| self.graph.int(1, place), |check| check.value);
        let (a, b) = (value(first), value(second));
        let site = self.site(fork, first.and_then(|check| check.site), second.and_then(|check| check.site));
        let value = self.build(fork, (a, b), LEVELS_MAX, phis);
        if let Some(phi) = phis.iter_mut().find(|phi| phi.result == value) {
            phi.verdicts = [first, second].map(|check| check?.site);
        }
        Some(Effect::Verify { value, site, place })
    }

    /// What two values have in common.
    fn shape(&self, a: NodeId, b: NodeId, levels: usize) -> Shape {
        match self.operands(a, b, levels) {
            _ if a == b => Shape { saved: once(self.graph.node(a)), phis: BTreeSet::new() },
            Some((_, shape)) => shape,
            None => Shape { saved: 0, phis: BTreeSet::from([(a, b)]) },
        }
    }

    /// The pairs of operands of two computations that are better united than kept apart, and what that brings.
    fn operands(&self, a: NodeId, b: NodeId, levels: usize) -> Option<(Vec<(NodeId, NodeId)>, Shape)> {
        let levels = levels.checked_sub(1)?;
        let (operation, left, right) = self.same_operation(a, b)?;
        let own = if matches!(operation, Operation::Op(_)) { 1 } else { 2 };
        let shape = |pairs: &[(NodeId, NodeId)]| {
            let shapes = pairs.iter().map(|(a, b)| self.shape(*a, *b, levels));
            shapes.fold(Shape { saved: own, phis: BTreeSet::new() }, |mut all, one| {
                all.saved += one.saved;
                all.phis.extend(one.phis);
                all
            })
        };
        let (left, right) = (left.as_slice(), right.as_slice());
        let straight: Vec<(NodeId, NodeId)> = left.iter().copied().zip(right.iter().copied()).collect();
        let mut best = (shape(&straight), straight);
        if let (Operation::Op(opcode), [x, y], [z, w]) = (operation, left, right)
            && mirrored(opcode) == Some(opcode)
        {
            let crossed = vec![(*x, *w), (*y, *z)];
            let other = shape(&crossed);
            if other.gain() > best.0.gain() {
                best = (other, crossed);
            }
        }
        let (shape, pairs) = best;
        (shape.gain() > 0).then_some((pairs, shape))
    }

    /// The operation that two values are computed by, with the operands of each. A constant that is taken away is one
    /// that is added where the other value is a sum.
    fn same_operation(&self, a: NodeId, b: NodeId) -> Option<(Operation, Vec<NodeId>, Vec<NodeId>)> {
        let ((operation, left), (other, right)) = (self.graph.as_op(a)?, self.graph.as_op(b)?);
        if operation == other {
            return (left.len() == right.len()).then(|| (operation, left.to_vec(), right.to_vec()));
        }
        let sums = [Opcode::Add, Opcode::Sub].map(Operation::Op);
        let mixed = sums.contains(&operation) && sums.contains(&other);
        mixed.then(|| Some((Operation::Op(Opcode::Add), self.graph.addends(a)?, self.graph.addends(b)?))).flatten()
    }

    fn build(&mut self, fork: SiteId, (a, b): (NodeId, NodeId), levels: usize, phis: &mut Vec<Phi>) -> NodeId {
        if a == b {
            return a;
        }
        let place = self.notes.places.either(fork, self.graph.node(a).place, self.graph.node(b).place);
        if let (Some((pairs, _)), Some((operation, ..))) = (self.operands(a, b, levels), self.same_operation(a, b)) {
            let inputs = pairs.into_iter().map(|pair| self.build(fork, pair, levels - 1, phis)).collect();
            return self.graph.intern(NodeKind::Op(operation, inputs), place);
        }
        if let Some(phi) = phis.iter().find(|phi| (phi.then, phi.otherwise) == (a, b)) {
            return phi.result;
        }
        let result = self.graph.phi(place);
        phis.push(Phi { result, then: a, otherwise: b, verdicts: [None; 2] });
        result
    }
}

/// The bytes that are not written again for a value that both blocks need.
fn once(node: &Node) -> usize {
    if node.weight == Node::FIXED { 1 } else { node.weight as usize }
}

fn site(effect: &Effect) -> Option<SiteId> {
    match effect {
        Effect::Verify { site, .. } => *site,
        Effect::Lock { site, .. } => Some(*site),
        Effect::Choose(_) | Effect::Repeat(_) | Effect::Run(_) => None,
    }
}

/// Whether two effects demand the same.
fn same(a: &Effect, b: &Effect) -> bool {
    match (a, b) {
        (Effect::Verify { value, .. }, Effect::Verify { value: other, .. }) => value == other,
        (Effect::Lock { opcode, value, .. }, Effect::Lock { opcode: other_opcode, value: other, .. }) => {
            (opcode, value) == (other_opcode, other)
        }
        (Effect::Run(run), Effect::Run(other)) => {
            // What fails in a shared function has its place there, whoever calls it.
            let call = |run: &Run| calls(&run.code).next().filter(|_| run.code.len() == 2);
            let same = run.code == other.code || (call(run).is_some() && call(run) == call(other));
            run.results.is_empty() && other.results.is_empty() && run.inputs == other.inputs && same
        }
        _ => false,
    }
}

/// The checks of a block with their places in it.
fn checks(block: &[Effect]) -> Vec<(usize, Check)> {
    let check = |(at, effect): (usize, &Effect)| match effect {
        Effect::Verify { value, site, place } => Some((at, Check { value: *value, site: *site, place: *place })),
        _ => None,
    };
    block.iter().enumerate().filter_map(check).collect()
}
