//! What the register interpreter runs in place of the instructions.
//!
//! There is a step for each instruction, at the same place, so that a unit can be entered anywhere. Behind them are copies
//! of loops: see [`turns`](crate::turns). Instructions that are frequent have steps of their own, of which each does one
//! thing; a step that does what two instructions do stands in the place of the first and goes past the second.

use spec::Opcode;

use crate::ir::{Binary, Compare, Op, Reg, Unary};
use crate::turns::copy_loops;

/// What is made of one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Of1 {
    pub(crate) d: Reg,
    pub(crate) a: Reg,
    pub(crate) weight: u8,
}

/// What is made of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Of2 {
    pub(crate) d: Reg,
    pub(crate) a: Reg,
    pub(crate) b: Reg,
    pub(crate) weight: u8,
}

/// One step, in 8 bytes. What has the name of an instruction does what that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Block {
        low: Reg,
        high: Reg,
        cost: u32,
    },
    Cost(u32),
    Charge {
        a: Reg,
        weight: u8,
    },
    /// Takes back what has been charged for the turn that does not follow.
    Refund {
        a: Reg,
        weight: u8,
    },
    Copy {
        d: Reg,
        a: Reg,
    },
    Int {
        d: Reg,
        n: i32,
    },
    /// Loads bytes of the code, which may be a number.
    Constant {
        d: Reg,
        start: u16,
        len: u16,
    },
    Negate(Of1),
    Abs(Of1),
    Not(Of1),
    NotZero(Of1),
    Add(Of2),
    /// Adds to a register. Sums and greatest numbers are what loops gather, and that takes a register less to look up.
    AddTo(Of1),
    MaxTo(Of1),
    Sub(Of2),
    AddInt {
        d: Reg,
        a: Reg,
        weight: u8,
        n: i32,
    },
    Mul(Of2),
    Div(Of2),
    Mod(Of2),
    Min(Of2),
    Max(Of2),
    And(Of2),
    Or(Of2),
    Compare(Compare, Of2),
    /// Compares two numbers and goes on, past the next step, only if that is true.
    Check(Compare, Of2),
    Unless {
        kind: Compare,
        a: Reg,
        b: Reg,
        to: u32,
    },
    UnlessInt {
        kind: Compare,
        a: Reg,
        n: i8,
        to: u32,
    },
    /// Adds to a number. Unless the sum is `n`, charges the next turn and goes back by so many steps.
    Turn {
        a: Reg,
        n: i8,
        weight: u8,
        add: i8,
        back: u8,
        cost: u16,
    },
    /// Adds 1 to a number. Unless the sum compares so with another number, charges the next turn and goes back.
    TurnAt {
        kind: Compare,
        a: Reg,
        b: Reg,
        weight: u8,
        back: u8,
        cost: u16,
    },
    Equal(Of2),
    Size(Of1),
    Value {
        opcode: Opcode,
        d: Reg,
        a: Reg,
        weight: u8,
    },
    Verify(Reg),
    VerifyEqual {
        a: Reg,
        b: Reg,
    },
    Kernel {
        opcode: Opcode,
        operands: [Reg; 3],
        results: [Reg; 2],
        shape: u8,
    },
    Jump(u32),
    JumpUnless {
        a: Reg,
        to: u32,
    },
    JumpIf {
        a: Reg,
        to: u32,
    },
    /// Does the instruction at that place, which is rare, or takes long anyway.
    Rest(u32),
}

const _: () = assert!(size_of::<Step>() == 8, "a step is as large as an instruction");

impl Step {
    /// The step for an instruction alone; it stands at `at`.
    #[inline]
    pub(crate) const fn of(op: &Op, at: usize) -> Self {
        match *op {
            Op::Block { low, high, cost } => Self::Block { low, high, cost },
            Op::Cost(cost) => Self::Cost(cost),
            Op::Charge { a, weight } => Self::Charge { a, weight },
            Op::Copy { d, a } => Self::Copy { d, a },
            Op::Int { d, n } => Self::Int { d, n },
            Op::Data { d, start, len } => Self::Constant { d, start, len },
            Op::Number { d, start, len } => Self::Constant { d, start, len: len as u16 },
            Op::Unary { kind, d, a, weight } => Self::unary(kind, Of1 { d, a, weight }),
            Op::Add { d, a, b, weight } if d == a => Self::AddTo(Of1 { d, a: b, weight }),
            Op::Add { d, a, b, weight } if d == b => Self::AddTo(Of1 { d, a, weight }),
            Op::Binary { kind: Binary::Max, d, a, b, weight } if d == a => Self::MaxTo(Of1 { d, a: b, weight }),
            Op::Binary { kind: Binary::Max, d, a, b, weight } if d == b => Self::MaxTo(Of1 { d, a, weight }),
            Op::Add { d, a, b, weight } => Self::Add(Of2 { d, a, b, weight }),
            Op::Sub { d, a, b, weight } => Self::Sub(Of2 { d, a, b, weight }),
            Op::AddInt { d, a, weight, n } => Self::AddInt { d, a, weight, n },
            Op::Mul { d, a, b, weight } => Self::Mul(Of2 { d, a, b, weight }),
            Op::Binary { kind, d, a, b, weight } => Self::binary(kind, Of2 { d, a, b, weight }),
            Op::Compare { kind, d, a, b, weight } => Self::Compare(kind, Of2 { d, a, b, weight }),
            Op::Unless { kind, a, b, to } => Self::Unless { kind, a, b, to },
            Op::UnlessInt { kind, a, n, to } => Self::UnlessInt { kind, a, n, to },
            Op::Equal { d, a, b, weight } => Self::Equal(Of2 { d, a, b, weight }),
            Op::Size { d, a, weight } => Self::Size(Of1 { d, a, weight }),
            Op::Value { opcode, d, a, weight } => Self::Value { opcode, d, a, weight },
            Op::Verify(a) => Self::Verify(a),
            Op::VerifyEqual { a, b } => Self::VerifyEqual { a, b },
            Op::Kernel { opcode, operands, results, shape } => Self::Kernel { opcode, operands, results, shape },
            Op::Jump(to) => Self::Jump(to),
            Op::JumpUnless { a, to } => Self::JumpUnless { a, to },
            Op::JumpIf { a, to } => Self::JumpIf { a, to },
            Op::Wide { .. }
            | Op::Depth { .. }
            | Op::Many { .. }
            | Op::IfDup { .. }
            | Op::Pick { .. }
            | Op::Roll { .. }
            | Op::ToAlt(_)
            | Op::FromAlt { .. }
            | Op::Shift(_)
            | Op::Separate(_)
            | Op::Define { .. }
            | Op::Call { .. }
            | Op::End(_)
            | Op::Fail => Self::Rest(at as u32),
        }
    }

    const fn unary(kind: Unary, of: Of1) -> Self {
        match kind {
            Unary::Negate => Self::Negate(of),
            Unary::Abs => Self::Abs(of),
            Unary::Not => Self::Not(of),
            Unary::NotZero => Self::NotZero(of),
        }
    }

    const fn binary(kind: Binary, of: Of2) -> Self {
        match kind {
            Binary::Div => Self::Div(of),
            Binary::Mod => Self::Mod(of),
            Binary::Min => Self::Min(of),
            Binary::Max => Self::Max(of),
            Binary::And => Self::And(of),
            Binary::Or => Self::Or(of),
        }
    }

    /// The step for an instruction at `at`, and for `after` too where one can do both.
    pub(crate) fn with(op: &Op, after: Option<&Op>, at: usize) -> Self {
        match (*op, after) {
            (Op::Compare { kind, d, a, b, weight }, Some(Op::Verify(tested))) if *tested == d => {
                Self::Check(kind, Of2 { d, a, b, weight })
            }
            _ => Self::of(op, at),
        }
    }
}

/// The steps of a unit.
pub(crate) fn steps(ops: &[Op]) -> Vec<Step> {
    let mut steps = Vec::with_capacity(ops.len());
    steps.extend(ops.iter().enumerate().map(|(at, op)| Step::with(op, ops.get(at + 1), at)));
    copy_loops(ops, &mut steps);
    steps
}
