//! What is known of numbers before the script runs: bounds that the machine itself keeps.

use spec::Opcode;

use crate::facts;
use crate::fold::gives_truth;
use crate::mir::{Graph, NodeId, NodeKind, Operation};

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
            NodeKind::Op(..) | NodeKind::Param(_) | NodeKind::Text(_) | NodeKind::Arg(_) | NodeKind::Phi(_) => {
                Range::default()
            }
        }
    }

    fn range_of(&self, opcode: Opcode, inputs: &[NodeId], levels: u32) -> Range {
        if let Some((least, most)) = facts::bounds(opcode) {
            return Range { least: Some(least), most };
        }
        let operands: Vec<Range> = inputs.iter().map(|input| self.range_within(*input, levels)).collect();
        match (opcode, operands.as_slice()) {
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
            NodeKind::Const(_) | NodeKind::Param(_) | NodeKind::Text(_) | NodeKind::Arg(_) | NodeKind::Phi(_) => true,
            NodeKind::Op(Operation::Op(opcode), inputs) => {
                inputs.is_empty() && opcode.arity().is_some_and(|(takes, _)| takes == 0)
            }
            NodeKind::Op(Operation::Length, inputs) => inputs.iter().all(|input| self.as_op(*input).is_none()),
            NodeKind::Op(..) => false,
        }
    }
}
