//! Which computations may fail a spend: the right side of `&&` or `||` is left out when the left decides,
//! unless computing it in any case cannot hurt.
//!
//! What the left side computes has not failed when the right side is looked at, so it counts as safe. Signature
//! checks count as safe too: a signature that is there and wrong fails a spend wherever it stands, by design.

use std::collections::BTreeSet;

use analysis::hir;
use spec::Opcode;

use super::Lowering;
use super::parts::width;
use crate::code::{Instr, Op};
use crate::facts::{self, Row};
use crate::fold::gives_truth;
use crate::lengths::param_len_max;
use crate::mir::{Block, Effect, NodeId, NodeKind, Operation};

/// At most so many values are looked at; whatever is larger counts as fallible.
const LOOKED_AT_MAX: usize = 256;
/// How deep lengths are looked into.
const LEVELS_MAX: u32 = 16;
/// The most bytes of a number of units of money, and of any number a field of a transaction holds.
const MONEY_BYTES: u64 = 7;
const FIELD_BYTES: u64 = 8;

/// What has been computed without failing.
#[derive(Default)]
struct Sure {
    values: BTreeSet<NodeId>,
    /// Inputs and outputs that are there.
    there: BTreeSet<(Row, NodeId)>,
}

impl Lowering<'_> {
    /// Whether `right`, with the effects it needs, may fail although `left` did not.
    pub(super) fn may_fail(&self, left: NodeId, right: NodeId, effects: &Block) -> bool {
        let mut wanted = vec![right];
        if !self.is_calm(effects, &mut wanted) {
            return true;
        }
        let mut sure = None;
        let mut seen = BTreeSet::new();
        while let Some(id) = wanted.pop() {
            if !seen.insert(id) {
                continue;
            }
            if seen.len() > LOOKED_AT_MAX {
                return true;
            }
            let Some((operation, inputs)) = self.graph.as_op(id) else { continue };
            if !self.is_total(operation, inputs) {
                let sure = sure.get_or_insert_with(|| self.computed(left));
                let there = row_of(operation).zip(inputs.first().copied());
                if sure.values.contains(&id) || there.is_some_and(|there| sure.there.contains(&there)) {
                    continue;
                }
                return true;
            }
            wanted.extend(inputs);
        }
        false
    }

    /// Whether effects hold no check of their own; adds what they compute.
    fn is_calm(&self, block: &Block, wanted: &mut Vec<NodeId>) -> bool {
        block.effects.iter().all(|effect| match effect {
            Effect::Choose(choice) => {
                wanted.push(choice.condition);
                wanted.extend(choice.phis.iter().flat_map(|phi| [phi.then, phi.otherwise]));
                self.is_calm(&choice.then, wanted) && self.is_calm(&choice.otherwise, wanted)
            }
            Effect::Verify { .. } | Effect::Lock { .. } | Effect::Repeat(_) | Effect::Run(_) => false,
        })
    }

    /// What has been computed once `value` is there.
    fn computed(&self, value: NodeId) -> Sure {
        let mut sure = Sure::default();
        let mut todo = vec![value];
        while let Some(id) = todo.pop() {
            if sure.values.len() >= LOOKED_AT_MAX {
                break;
            }
            if sure.values.insert(id)
                && let Some((operation, inputs)) = self.graph.as_op(id)
            {
                sure.there.extend(row_of(operation).zip(inputs.first().copied()));
                todo.extend(inputs);
            }
        }
        sure
    }

    /// Whether an operation cannot fail, given its operands.
    fn is_total(&self, operation: Operation, inputs: &[NodeId]) -> bool {
        match (operation, inputs) {
            (Operation::Length, _) => true,
            (Operation::Head | Operation::Tail, [data, at]) => {
                let (range, len) = (self.graph.range(*at), self.len_min(*data, LEVELS_MAX));
                range.least >= Some(0)
                    && range.most.and_then(|most| u64::try_from(most).ok()).is_some_and(|most| most <= len)
            }
            (Operation::Op(opcode), inputs) => self.is_total_op(opcode, inputs),
            (Operation::Call(number), _) => self.shared.body(usize::from(number)).is_some_and(|body| !body.may_fail),
            (Operation::Head | Operation::Tail, _) => false,
        }
    }

    fn is_total_op(&self, opcode: Opcode, inputs: &[NodeId]) -> bool {
        match (opcode, inputs) {
            (Opcode::Div | Opcode::Mod, [_, divisor]) => {
                let range = self.graph.range(*divisor);
                range.least > Some(0) || range.most.is_some_and(|most| most < 0)
            }
            (Opcode::Num2Bin, [number, len]) => {
                let room =
                    self.graph.as_const(*len).and_then(spec::num::decode).and_then(|len| u64::try_from(len).ok());
                room.zip(self.len_max(*number, LEVELS_MAX)).is_some_and(|(room, needed)| needed <= room)
            }
            (Opcode::LShiftBin | Opcode::RShiftNum | Opcode::RShiftBin, [_, by]) => {
                self.graph.range(*by).least >= Some(0)
            }
            (Opcode::LShiftNum, [_, by]) => self.graph.as_const(*by).is_some(),
            // Both sides must have one length.
            (Opcode::And | Opcode::Or | Opcode::Xor, [a, b]) => {
                let lens = [*a, *b].map(|side| self.len_exactly(side));
                matches!(lens, [Some(a), Some(b)] if a == b)
            }
            (opcode, inputs) => match (row_of(Operation::Op(opcode)), inputs) {
                (Some(Row::Outputs), [index]) => self.graph.as_const(*index) == Some(&[]),
                (Some(Row::Inputs), [index]) => {
                    let own = self.graph.as_op(*index).is_some_and(|(op, _)| op == Operation::Op(Opcode::InputIndex));
                    own || self.graph.as_const(*index) == Some(&[])
                }
                _ => !matches!(opcode, Opcode::Invoke),
            },
        }
    }

    /// The type of an argument's or a parameter's item.
    fn given_type(&self, id: NodeId) -> Option<&hir::Type> {
        match self.graph.kind(id) {
            NodeKind::Param(leaf) => self.param_types.get(*leaf).and_then(Option::as_ref),
            NodeKind::Arg(item) => self.arg_types.get(*item).and_then(Option::as_ref),
            NodeKind::Const(_) | NodeKind::Text(_) | NodeKind::Phi(_) | NodeKind::Op(..) => None,
        }
    }

    /// The length that a value has in any case.
    fn len_exactly(&self, id: NodeId) -> Option<u64> {
        let least = self.len_min(id, LEVELS_MAX);
        self.len_max(id, LEVELS_MAX).filter(|most| *most == least)
    }

    /// The bytes that a value has at least.
    fn len_min(&self, id: NodeId, levels: u32) -> u64 {
        let proven = self.proven.iter().find(|(of, _)| *of == id).map_or(0, |(_, len)| *len);
        let Some(levels) = levels.checked_sub(1) else { return proven };
        let known = match self.graph.kind(id) {
            NodeKind::Const(data) => data.len() as u64,
            NodeKind::Param(_) | NodeKind::Arg(_) => {
                self.given_type(id).and_then(hir::Type::fixed_len).map_or(0, u64::from)
            }
            NodeKind::Text(_) | NodeKind::Phi(_) => 0,
            NodeKind::Op(operation, inputs) => match (operation, inputs.as_slice()) {
                (Operation::Op(Opcode::Cat), [a, b]) => {
                    self.len_min(*a, levels).saturating_add(self.len_min(*b, levels))
                }
                (Operation::Op(Opcode::ReverseBytes), [a]) => self.len_min(*a, levels),
                (Operation::Op(Opcode::Num2Bin), [_, len]) | (Operation::Head, [_, len]) => self.number_of(*len),
                (Operation::Tail, [data, at]) => match self.graph.as_const(*at) {
                    Some(_) => self.len_min(*data, levels).saturating_sub(self.number_of(*at)),
                    None => 0,
                },
                (Operation::Op(opcode), _) => fixed_len(*opcode).unwrap_or(0),
                _ => 0,
            },
        };
        known.max(proven)
    }

    /// The bytes that a value has at most, if that is known.
    fn len_max(&self, id: NodeId, levels: u32) -> Option<u64> {
        if let Some((_, len)) = self.proven.iter().find(|(of, _)| *of == id) {
            return Some(*len);
        }
        let levels = levels.checked_sub(1)?;
        match self.graph.kind(id) {
            NodeKind::Const(data) => Some(data.len() as u64),
            // The length of an argument is checked if its type fixes it; a parameter is checked before it is deployed.
            NodeKind::Arg(_) => self.given_type(id)?.fixed_len().map(u64::from),
            NodeKind::Param(_) => param_len_max(self.given_type(id)?).map(|len| len as u64),
            NodeKind::Text(_) | NodeKind::Phi(_) => None,
            NodeKind::Op(operation, inputs) => match (operation, inputs.as_slice()) {
                (Operation::Op(Opcode::Cat), [a, b]) => {
                    self.len_max(*a, levels)?.checked_add(self.len_max(*b, levels)?)
                }
                (Operation::Op(Opcode::ReverseBytes | Opcode::Bin2Num), [a]) => self.len_max(*a, levels),
                (Operation::Op(Opcode::Num2Bin), [_, len]) | (Operation::Head, [_, len]) => {
                    self.graph.as_const(*len).map(|_| self.number_of(*len))
                }
                (Operation::Tail, [data, at]) => Some(self.len_max(*data, levels)?.saturating_sub(self.number_of(*at))),
                (Operation::Length, _) => Some(3),
                (Operation::Op(opcode), _) => fixed_len(*opcode).or_else(|| number_len_max(*opcode)),
                _ => None,
            },
        }
    }

    /// The number that a constant means; 0 of anything else.
    fn number_of(&self, id: NodeId) -> u64 {
        self.graph.as_const(id).and_then(spec::num::decode).and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
    }

    /// Remembers what a check says of a length, until the end of the block.
    pub(super) fn remember_length(&mut self, check: NodeId) {
        if let Some((Operation::Op(Opcode::NumEqual | Opcode::Equal), [a, b])) = self.graph.as_op(check)
            && let Some((Operation::Length, [data])) = self.graph.as_op(*a)
            && self.graph.as_const(*b).is_some()
        {
            let known = (*data, self.number_of(*b));
            self.proven.push(known);
        }
    }
}

/// What the operation reads by an index.
fn row_of(operation: Operation) -> Option<Row> {
    match operation {
        Operation::Op(opcode) => facts::row_of(opcode),
        _ => None,
    }
}

fn fixed_len(opcode: Opcode) -> Option<u64> {
    facts::fixed_len(opcode).map(u64::from)
}

fn number_len_max(opcode: Opcode) -> Option<u64> {
    match opcode {
        Opcode::UtxoValue | Opcode::OutputValue => Some(MONEY_BYTES),
        Opcode::UtxoTokenAmount
        | Opcode::OutputTokenAmount
        | Opcode::OutpointIndex
        | Opcode::InputSequenceNumber
        | Opcode::TxLockTime
        | Opcode::TxVersion
        | Opcode::TxInputCount
        | Opcode::TxOutputCount
        | Opcode::InputIndex => Some(FIELD_BYTES),
        _ => None,
    }
}

/// The types of a value's items, where they are sure: what a variant does not use is empty.
pub(super) fn item_types(ty: &hir::Type) -> Vec<Option<hir::Type>> {
    match ty {
        hir::Type::Tuple(parts) => parts.iter().flat_map(item_types).collect(),
        hir::Type::Struct(ty) => ty.fields.iter().flat_map(|(_, ty)| item_types(ty)).collect(),
        hir::Type::Array(element, count) => {
            let items = item_types(element);
            (0..*count).flat_map(|_| items.iter().cloned()).collect()
        }
        hir::Type::Enum(_) | hir::Type::Sigs(_) | hir::Type::Unit => vec![None; width(ty)],
        hir::Type::List(_) => Vec::new(),
        leaf => vec![Some(leaf.clone())],
    }
}

/// Whether code of a shared function may fail when it runs: it holds a check, or an opcode whose operands are not known.
pub(crate) fn code_may_fail(code: &[Instr]) -> bool {
    let constant = |at: Option<usize>| at.and_then(|at| code.get(at)).and_then(|instr| instr.op.as_int());
    code.iter().enumerate().any(|(at, instr)| {
        let Op::Code(opcode) = instr.op else { return false };
        match opcode {
            Opcode::Div | Opcode::Mod => constant(at.checked_sub(1)).is_none_or(|divisor| divisor == 0),
            Opcode::Add
            | Opcode::Sub
            | Opcode::Mul
            | Opcode::Dup
            | Opcode::Drop
            | Opcode::Nip
            | Opcode::Over
            | Opcode::Swap
            | Opcode::Rot
            | Opcode::Tuck
            | Opcode::Pick
            | Opcode::Roll
            | Opcode::Dup2
            | Opcode::Drop2
            | Opcode::If
            | Opcode::NotIf
            | Opcode::Else
            | Opcode::EndIf
            | Opcode::Cat
            | Opcode::Size
            | Opcode::Negate
            | Opcode::Abs
            | Opcode::Min
            | Opcode::Max
            | Opcode::Sha256
            | Opcode::Hash160
            | Opcode::Hash256 => false,
            other => !gives_truth(other),
        }
    })
}
