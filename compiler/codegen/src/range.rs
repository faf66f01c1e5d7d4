//! What is known of numbers before the script runs: bounds that the machine itself keeps.

use spec::Opcode;

use crate::fold::gives_truth;
use crate::mir::{Graph, NodeId, NodeKind, Operation};

/// A transaction has at most so many bytes.
const TX_BYTES_MAX: i64 = 1_000_000;
/// An input takes at least an outpoint, an empty unlocking bytecode with its length, and a sequence number.
const INPUT_BYTES_MIN: i64 = 32 + 4 + 1 + 4;
/// An output takes at least an amount and an empty locking bytecode with its length.
const OUTPUT_BYTES_MIN: i64 = 8 + 1;
const INPUTS_MAX: i64 = TX_BYTES_MAX / INPUT_BYTES_MIN;
const OUTPUTS_MAX: i64 = TX_BYTES_MAX / OUTPUT_BYTES_MIN;
/// How deep operands are looked into.
const LEVELS_MAX: u32 = 8;

/// Numbers from the first to the last, as far as either is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) least: Option<i64>,
    pub(crate) most: Option<i64>,
}

impl Range {
    const fn between(least: i64, most: i64) -> Self {
        Self { least: Some(least), most: Some(most) }
    }

    const fn from(least: i64) -> Self {
        Self { least: Some(least), most: None }
    }

    /// Whether every number here is less than every number there.
    pub(crate) fn is_below(self, other: Self) -> bool {
        matches!((self.most, other.least), (Some(a), Some(b)) if a < b)
    }

    /// Whether no number here is greater than any number there.
    pub(crate) fn is_not_above(self, other: Self) -> bool {
        matches!((self.most, other.least), (Some(a), Some(b)) if a <= b)
    }
}

impl Graph {
    /// Where the number lies that the value is, if it is one.
    pub(crate) fn range(&self, id: NodeId) -> Range {
        self.range_within(id, LEVELS_MAX)
    }

    fn range_within(&self, id: NodeId, levels: u32) -> Range {
        let Some(levels) = levels.checked_sub(1) else { return Range::default() };
        match self.kind(id) {
            NodeKind::Const(data) => spec::num::decode(data).map_or(Range::default(), |n| Range::between(n, n)),
            NodeKind::Op(Operation::Length, _) => Range::from(0),
            NodeKind::Op(Operation::Op(opcode), inputs) => self.range_of(*opcode, inputs, levels),
            NodeKind::Op(..) | NodeKind::Param(_) | NodeKind::Arg(_) | NodeKind::Phi(_) => Range::default(),
        }
    }

    fn range_of(&self, opcode: Opcode, inputs: &[NodeId], levels: u32) -> Range {
        let operands: Vec<Range> = inputs.iter().map(|input| self.range_within(*input, levels)).collect();
        match (opcode, operands.as_slice()) {
            (Opcode::TxInputCount, _) => Range::between(1, INPUTS_MAX),
            (Opcode::TxOutputCount, _) => Range::between(0, OUTPUTS_MAX),
            (Opcode::InputIndex, _) => Range::between(0, INPUTS_MAX - 1),
            (
                Opcode::UtxoValue
                | Opcode::OutputValue
                | Opcode::UtxoTokenAmount
                | Opcode::OutputTokenAmount
                | Opcode::OutpointIndex
                | Opcode::InputSequenceNumber
                | Opcode::TxLockTime
                | Opcode::Abs,
                _,
            ) => Range::from(0),
            (Opcode::Add, [a, b]) => Range {
                least: a.least.zip(b.least).and_then(|(a, b)| a.checked_add(b)),
                most: a.most.zip(b.most).and_then(|(a, b)| a.checked_add(b)),
            },
            (Opcode::Sub, [a, b]) => Range {
                least: a.least.zip(b.most).and_then(|(a, b)| a.checked_sub(b)),
                most: a.most.zip(b.least).and_then(|(a, b)| a.checked_sub(b)),
            },
            (Opcode::Mul | Opcode::Div, [a, b]) if a.least >= Some(0) && b.least >= Some(0) => Range::from(0),
            (truth, _) if gives_truth(truth) => Range::between(0, 1),
            _ => Range::default(),
        }
    }

    /// Whether computing the value cannot fail.
    pub(crate) fn is_safe(&self, id: NodeId) -> bool {
        match self.kind(id) {
            NodeKind::Const(_) | NodeKind::Param(_) | NodeKind::Arg(_) | NodeKind::Phi(_) => true,
            NodeKind::Op(Operation::Op(opcode), inputs) => {
                inputs.is_empty() && opcode.arity().is_some_and(|(takes, _)| takes == 0)
            }
            NodeKind::Op(Operation::Length, inputs) => inputs.iter().all(|input| self.as_op(*input).is_none()),
            NodeKind::Op(..) => false,
        }
    }
}
