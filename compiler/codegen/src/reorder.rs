//! Where the checks of a block may stand: the order in which they are made does not matter for what is accepted, but for
//! what lies on the stack meanwhile.
//!
//! It does matter for what is told. The author puts first what explains most, so checks keep their order, but for those of
//! signatures, times and hashes, which seldom fail together with another. The last two may change places, and where the
//! script would end with a conditional, any may come behind it: its truth value takes the place of a check and of a constant.
//!
//! A check of how many inputs or outputs there are, or how long something is, stays before what would fail without it: such
//! a failure has no message. Nothing moves before what it is computed from, or past given instructions.

use spec::Opcode;

use crate::facts;
use crate::mir::{Block, Effect, Graph, NodeId, NodeKind, Operation};

/// From where a check may move where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: usize,
    pub(crate) last: usize,
}

/// What matters of a value.
#[derive(Clone, Copy, Debug, Default)]
struct Traits {
    /// A count or a length is in it.
    guards: bool,
    /// Something is in it that fails for some counts or lengths.
    guarded: bool,
    /// Something is in it that fails for some values of what it is computed from.
    fragile: bool,
    /// The effects before this place give something that it is made of.
    after: usize,
}

impl Traits {
    fn with(self, other: Self) -> Self {
        Self {
            guards: self.guards || other.guards,
            guarded: self.guarded || other.guarded,
            fragile: self.fragile || other.fragile,
            after: self.after.max(other.after),
        }
    }
}

/// Where the check at `from` may stand; nothing if it must stay. `ends` says whether the block ends with a truth value.
pub(crate) fn span(graph: &Graph, block: &Block, from: usize, ends: bool) -> Option<Span> {
    let is_free = match block.effects.get(from)? {
        // What is demanded of its time says more than that it has not come.
        Effect::Lock { value, .. } => !block.effects.iter().any(|other| is_about(graph, other, *value)),
        Effect::Verify { value, .. } => seldom_fails_with_another(graph, *value),
        Effect::Choose(_) | Effect::Repeat(_) | Effect::Run(_) => return None,
    };
    let is_check = |at: usize| matches!(block.effects.get(at), Some(Effect::Verify { .. }));
    let end = block.effects.len() - 1;
    let may_end = ends && (!is_check(end) || from + 1 == end);
    if !is_free && !may_end {
        return None;
    }
    let values = traits_of(graph, block);
    let of = |value: NodeId| values.get(value.index()).copied().unwrap_or_default();
    let effects: Vec<Option<Traits>> = block.effects.iter().map(|effect| effect_traits(effect, &of)).collect();
    let own = effects.get(from).copied().flatten()?;
    let before = effects.iter().take(from).rposition(|other| match other {
        Some(other) => own.guarded && other.guards,
        None => true,
    });
    let behind = effects.iter().skip(from + 1).position(|other| match other {
        Some(other) => (own.guards && other.guarded) || (!is_free && other.fragile),
        None => true,
    });
    let first = before.map_or(0, |at| at + 1).max(own.after);
    let last = behind.map_or(end, |count| from + count);
    match is_free {
        true => Some(Span { first, last }),
        false => (last == end).then_some(Span { first: end, last: end }),
    }
}

/// Whether it is a check of this value.
fn is_about(graph: &Graph, effect: &Effect, value: NodeId) -> bool {
    let Effect::Verify { value: condition, .. } = effect else { return false };
    graph.as_const(value).is_none() && graph.as_op(*condition).is_some_and(|(_, inputs)| inputs.contains(&value))
}

/// A check of a signature, or of something by its hash.
fn seldom_fails_with_another(graph: &Graph, value: NodeId) -> bool {
    match graph.as_op(value) {
        Some((Operation::Op(Opcode::CheckSig | Opcode::CheckMultiSig | Opcode::CheckDataSig), _)) => true,
        Some((Operation::Op(Opcode::Equal), [a, b])) => {
            let hashes = |id: NodeId| matches!(graph.as_op(id), Some((Operation::Op(Opcode::Sha256), _)));
            (hashes(*a) && graph.as_const(*b).is_some()) || (hashes(*b) && graph.as_const(*a).is_some())
        }
        _ => false,
    }
}

/// The traits of an effect; nothing for given instructions, which nothing passes.
fn effect_traits(effect: &Effect, of: &impl Fn(NodeId) -> Traits) -> Option<Traits> {
    match effect {
        Effect::Verify { value, .. } | Effect::Lock { value, .. } => Some(of(*value)),
        // Nobody looks inside.
        Effect::Choose(_) | Effect::Repeat(_) => Some(Traits { guards: true, guarded: true, ..Traits::default() }),
        Effect::Run(_) => None,
    }
}

/// The traits of all values, by their place in the graph.
fn traits_of(graph: &Graph, block: &Block) -> Vec<Traits> {
    let mut values: Vec<Traits> = vec![Traits::default(); graph.len()];
    for (at, effect) in block.effects.iter().enumerate() {
        let given: Vec<NodeId> = match effect {
            Effect::Choose(choice) => choice.phis.iter().map(|phi| phi.result).collect(),
            Effect::Repeat(repeat) => repeat.vars.iter().map(|var| var.result).collect(),
            Effect::Run(run) => run.results.clone(),
            Effect::Verify { .. } | Effect::Lock { .. } => Vec::new(),
        };
        for value in given {
            if let Some(traits) = values.get_mut(value.index()) {
                traits.after = at + 1;
            }
        }
    }
    for id in graph.ids() {
        let NodeKind::Op(operation, inputs) = graph.kind(id) else { continue };
        let own = Traits {
            guards: is_guard(*operation),
            guarded: is_guarded(graph, *operation, inputs),
            fragile: is_fragile(graph, *operation, inputs),
            after: 0,
        };
        let all = inputs.iter().filter_map(|input| values.get(input.index())).fold(own, |all, one| all.with(*one));
        if let Some(traits) = values.get_mut(id.index()) {
            *traits = all;
        }
    }
    values
}

fn is_guard(operation: Operation) -> bool {
    matches!(operation, Operation::Length | Operation::Op(Opcode::TxInputCount | Opcode::TxOutputCount))
}

fn is_guarded(graph: &Graph, operation: Operation, inputs: &[NodeId]) -> bool {
    match operation {
        Operation::Head | Operation::Tail | Operation::Call(_) => true,
        Operation::Length => false,
        Operation::Op(opcode) => match (facts::row_of(opcode), inputs) {
            (Some(_), [index]) => graph.as_op(*index) != Some((Operation::Op(Opcode::InputIndex), &[])),
            _ => matches!(opcode, Opcode::Div | Opcode::Mod | Opcode::Num2Bin),
        },
    }
}

/// Whether a cut or a quotient fails for some values of its second operand.
fn is_fragile(graph: &Graph, operation: Operation, inputs: &[NodeId]) -> bool {
    let varies = || inputs.get(1).is_none_or(|second| graph.as_const(*second).is_none());
    match operation {
        Operation::Head | Operation::Tail | Operation::Op(Opcode::Div | Opcode::Mod) => varies(),
        Operation::Op(_) | Operation::Length | Operation::Call(_) => false,
    }
}

/// The block with this number, outer ones first.
pub(crate) fn nth_block<'b>(block: &'b mut Block, number: &mut usize) -> Option<&'b mut Block> {
    let Some(left) = number.checked_sub(1) else { return Some(block) };
    *number = left;
    block.effects.iter_mut().find_map(|effect| match effect {
        Effect::Choose(choice) => {
            let choice = &mut **choice;
            nth_block(&mut choice.then, number).or_else(|| nth_block(&mut choice.otherwise, number))
        }
        Effect::Repeat(repeat) => nth_block(&mut repeat.body, number),
        Effect::Verify { .. } | Effect::Lock { .. } | Effect::Run(_) => None,
    })
}

/// Moves an effect to another place.
pub(crate) fn shift(block: &mut Block, from: usize, to: usize) {
    if from < block.effects.len() && to < block.effects.len() {
        let effect = block.effects.remove(from);
        block.effects.insert(to, effect);
    }
}
