//! The register code: what lowering makes and what runs.
//!
//! A *window* of 256 registers lies over the script's own stack, so that every stack position near the top is a register.
//! Position `base + r` of the stack is register `r`; the registers from [`TEMPS`] on lie above anything the script can
//! reach and hold values that have no position yet. At the borders of a block every item is where it belongs, so the stack
//! in memory is then complete, and a block that is entered with another depth only moves the window.
//!
//! A value whose length is charged more than once (`OP_DUP` charges again) is charged by the instruction that makes it,
//! as many times as the block says: that is the `weight` below.

use spec::Opcode;

use crate::steps::Step;

/// A register of the window.
pub type Reg = u8;

/// The register of the first free position when code is entered.
pub const ENTRY: u8 = 96;

/// The first register that is not a stack position.
pub const TEMPS: u8 = 160;

/// One instruction, in 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Starts a block: charges its fixed cost. Registers from `low` on must be items of the stack, and there must be room up
    /// to `high`.
    Block {
        /// The lowest position that the block reads.
        low: Reg,
        /// One more than the highest that is in use.
        high: Reg,
        /// The cost that does not depend on values.
        cost: u32,
    },
    /// Charges a fixed cost.
    Cost(u32),
    /// Charges the length of a register `weight` times.
    Charge {
        /// The register.
        a: Reg,
        /// How often.
        weight: u8,
    },
    /// Copies a register.
    Copy {
        /// The result.
        d: Reg,
        /// The source.
        a: Reg,
    },
    /// Loads a small number.
    Int {
        /// The result.
        d: Reg,
        /// The number.
        n: i32,
    },
    /// Loads a number of the unit's pool.
    Wide {
        /// The result.
        d: Reg,
        /// Its place in [`Unit::numbers`].
        at: u32,
    },
    /// Loads bytes of the code.
    Data {
        /// The result.
        d: Reg,
        /// Where they start.
        start: u16,
        /// How many.
        len: u16,
    },
    /// Loads a number of the code: the shortest form of one in place.
    Number {
        /// The result.
        d: Reg,
        /// Where it starts.
        start: u16,
        /// How many bytes it has.
        len: u8,
    },
    /// An operation on one number.
    Unary {
        /// Which.
        kind: Unary,
        /// The result.
        d: Reg,
        /// The operand.
        a: Reg,
        /// How often the result is charged.
        weight: u8,
    },
    /// Adds two numbers.
    Add {
        /// The result.
        d: Reg,
        /// The first operand.
        a: Reg,
        /// The second operand.
        b: Reg,
        /// How often the result is charged.
        weight: u8,
    },
    /// Subtracts the second number from the first.
    Sub {
        /// The result.
        d: Reg,
        /// The first operand.
        a: Reg,
        /// The second operand.
        b: Reg,
        /// How often the result is charged.
        weight: u8,
    },
    /// Adds a constant.
    AddInt {
        /// The result.
        d: Reg,
        /// The operand.
        a: Reg,
        /// How often the result is charged.
        weight: u8,
        /// The constant.
        n: i32,
    },
    /// Multiplies two numbers.
    Mul {
        /// The result.
        d: Reg,
        /// The first operand.
        a: Reg,
        /// The second operand.
        b: Reg,
        /// How often the result is charged.
        weight: u8,
    },
    /// Another operation on two numbers.
    Binary {
        /// Which.
        kind: Binary,
        /// The result.
        d: Reg,
        /// The first operand.
        a: Reg,
        /// The second operand.
        b: Reg,
        /// How often the result is charged.
        weight: u8,
    },
    /// Compares two numbers.
    Compare {
        /// How.
        kind: Compare,
        /// The result.
        d: Reg,
        /// The first operand.
        a: Reg,
        /// The second operand.
        b: Reg,
        /// How often the result is charged.
        weight: u8,
    },
    /// Compares two numbers, charges the truth value and goes to `to` if it is false.
    Unless {
        /// How.
        kind: Compare,
        /// The first operand.
        a: Reg,
        /// The second operand.
        b: Reg,
        /// Where to go.
        to: u32,
    },
    /// Compares a number with a constant, charges the truth value and goes to `to` if it is false.
    UnlessInt {
        /// How.
        kind: Compare,
        /// The operand.
        a: Reg,
        /// The constant.
        n: i8,
        /// Where to go.
        to: u32,
    },
    /// Whether two items are the same bytes.
    Equal {
        /// The result.
        d: Reg,
        /// The first operand.
        a: Reg,
        /// The second operand.
        b: Reg,
        /// How often the result is charged.
        weight: u8,
    },
    /// The length of an item.
    Size {
        /// The result.
        d: Reg,
        /// The operand.
        a: Reg,
        /// How often the result is charged.
        weight: u8,
    },
    /// The number of items on the stack, of which the window holds those below `top`.
    Depth {
        /// The result.
        d: Reg,
        /// One more than the highest position.
        top: Reg,
        /// How often the result is charged.
        weight: u8,
    },
    /// The value of an input or output.
    Value {
        /// Which.
        opcode: Opcode,
        /// The result.
        d: Reg,
        /// The index.
        a: Reg,
        /// How often the result is charged.
        weight: u8,
    },
    /// Goes on only if the item is true.
    Verify(Reg),
    /// Goes on only if the items are the same bytes.
    VerifyEqual {
        /// The first operand.
        a: Reg,
        /// The second operand.
        b: Reg,
    },
    /// Any other instruction with up to three operands and two results, by the interpreter's own code.
    Kernel {
        /// Which.
        opcode: Opcode,
        /// The operands, of which the first `takes` count.
        operands: [Reg; 3],
        /// The results, of which the first `leaves` count.
        results: [Reg; 2],
        /// How many operands (low 4 bits) and results (high 4 bits).
        shape: u8,
    },
    /// A signature check of several keys: its operands are the top of the stack. Moves the window so that the top is at
    /// `after`.
    Many {
        /// Which.
        opcode: Opcode,
        /// One more than the highest position before.
        top: Reg,
        /// One more than the highest position after.
        after: Reg,
    },
    /// Copies the top item if it is true; moves the window so that the top is at `top` again.
    IfDup {
        /// One more than the highest position.
        top: Reg,
    },
    /// Copies the item that lies as far below `top` as a register says.
    Pick {
        /// The result.
        d: Reg,
        /// The register of the depth.
        a: Reg,
        /// One more than the highest position left.
        top: Reg,
        /// How often the result is charged.
        weight: u8,
    },
    /// Moves the item that lies as far below `top` as a register says to the top.
    Roll {
        /// The register of the depth.
        a: Reg,
        /// One more than the highest position left.
        top: Reg,
    },
    /// Moves an item to the alt stack.
    ToAlt(Reg),
    /// Takes an item from the alt stack.
    FromAlt {
        /// The result.
        d: Reg,
        /// How often the result is charged.
        weight: u8,
    },
    /// Moves the window up the stack.
    Shift(i16),
    /// Goes to `0`.
    Jump(u32),
    /// Goes to `to` if the item is false.
    JumpUnless {
        /// The condition.
        a: Reg,
        /// Where to go.
        to: u32,
    },
    /// Goes to `to` if the item is true.
    JumpIf {
        /// The condition.
        a: Reg,
        /// Where to go.
        to: u32,
    },
    /// Lets signatures cover only the code from there on.
    Separate(u32),
    /// Stores the function body in `a` under the name in `b`.
    Define {
        /// The body.
        a: Reg,
        /// The name.
        b: Reg,
    },
    /// Runs a function on the stack, whose top is at `top`, and moves the window so that it is there again.
    Call {
        /// The name.
        a: Reg,
        /// One more than the highest position.
        top: Reg,
        /// How many conditionals and loops are open here.
        open: u16,
    },
    /// Ends the code, with the stack's top at the register.
    End(Reg),
    /// Gives up: the script fails here.
    Fail,
}

/// What an instruction does with a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Reads,
    Makes,
}

/// Operations on one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// `OP_NEGATE`
    Negate,
    /// `OP_ABS`
    Abs,
    /// `OP_NOT`
    Not,
    /// `OP_0NOTEQUAL`
    NotZero,
}

/// Less frequent operations on two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// `OP_DIV`
    Div,
    /// `OP_MOD`
    Mod,
    /// `OP_MIN`
    Min,
    /// `OP_MAX`
    Max,
    /// `OP_BOOLAND`
    And,
    /// `OP_BOOLOR`
    Or,
}

/// Comparisons of two numbers: the bits are the orders for which they hold, less, equal and greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Compare {
    /// `OP_LESSTHAN`
    Less = 0b001,
    /// `OP_NUMEQUAL`
    Equal = 0b010,
    /// `OP_LESSTHANOREQUAL`
    AtMost = 0b011,
    /// `OP_GREATERTHAN`
    Greater = 0b100,
    /// `OP_NUMNOTEQUAL`
    NotEqual = 0b101,
    /// `OP_GREATERTHANOREQUAL`
    AtLeast = 0b110,
}

/// How the lengths of numbers are charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metering {
    /// As they are.
    Exact,
    /// As if each were as long as a number in place can be, which blocks charge at their start. The cost comes out too
    /// high: if it fits the budget all the same, the true one does.
    Bound,
}

/// The register code of one piece of bytecode: a script or a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The instructions.
    pub ops: Vec<Op>,
    /// How it charges the lengths of numbers.
    pub metering: Metering,
    /// Numbers too wide for an instruction.
    pub numbers: Vec<i64>,
    /// How many conditionals, loops and inlined calls are open at once, at most.
    pub nesting: usize,
    /// What the register interpreter runs.
    pub(crate) steps: Vec<Step>,
}

impl Unary {
    /// The instruction it is.
    #[must_use]
    pub const fn opcode(self) -> Opcode {
        match self {
            Self::Negate => Opcode::Negate,
            Self::Abs => Opcode::Abs,
            Self::Not => Opcode::Not,
            Self::NotZero => Opcode::NotEqual0,
        }
    }
}

impl Binary {
    /// The instruction it is.
    #[must_use]
    pub const fn opcode(self) -> Opcode {
        match self {
            Self::Div => Opcode::Div,
            Self::Mod => Opcode::Mod,
            Self::Min => Opcode::Min,
            Self::Max => Opcode::Max,
            Self::And => Opcode::BoolAnd,
            Self::Or => Opcode::BoolOr,
        }
    }
}

impl Compare {
    /// The instruction it is.
    #[must_use]
    pub const fn opcode(self) -> Opcode {
        match self {
            Self::Equal => Opcode::NumEqual,
            Self::NotEqual => Opcode::NumNotEqual,
            Self::Less => Opcode::LessThan,
            Self::Greater => Opcode::GreaterThan,
            Self::AtMost => Opcode::LessThanOrEqual,
            Self::AtLeast => Opcode::GreaterThanOrEqual,
        }
    }

    /// Whether it holds.
    #[inline(always)]
    #[must_use]
    pub fn holds(self, a: i64, b: i64) -> bool {
        self as u8 >> (u8::from(a > b) + u8::from(a >= b)) & 1 == 1
    }
}

impl Op {
    /// Where it says how often the value it makes is charged.
    const fn weight_mut(&mut self) -> Option<&mut u8> {
        match self {
            Self::Charge { weight, .. }
            | Self::Unary { weight, .. }
            | Self::Add { weight, .. }
            | Self::Sub { weight, .. }
            | Self::AddInt { weight, .. }
            | Self::Mul { weight, .. }
            | Self::Binary { weight, .. }
            | Self::Compare { weight, .. }
            | Self::Equal { weight, .. }
            | Self::Size { weight, .. }
            | Self::Depth { weight, .. }
            | Self::Value { weight, .. }
            | Self::Pick { weight, .. }
            | Self::FromAlt { weight, .. } => Some(weight),
            _ => None,
        }
    }

    /// Charges the value it makes so many times more, if it can.
    pub(crate) fn charge_more(&mut self, times: u8) -> Option<()> {
        let weight = self.weight_mut()?;
        *weight = weight.checked_add(times)?;
        Some(())
    }

    /// The longest that the value it makes can be, if that is a number in place.
    pub(crate) const fn bound(&self) -> u64 {
        match self {
            Self::Compare { .. }
            | Self::Equal { .. }
            | Self::Unary { kind: Unary::Not | Unary::NotZero, .. }
            | Self::Binary { kind: Binary::And | Binary::Or, .. } => 1,
            Self::Size { .. } | Self::Depth { .. } => 3,
            _ => 8,
        }
    }

    /// How often the value it makes is charged at first.
    pub(crate) fn weight(mut self) -> u64 {
        self.weight_mut().map_or(0, |weight| u64::from(*weight))
    }

    /// Shows the registers that the instruction names: those that it reads, then those that it makes.
    pub(crate) fn registers(&mut self, visit: &mut dyn FnMut(&mut Reg, Access)) {
        let (reads, makes): (&mut [&mut Reg], Option<&mut Reg>) = match self {
            Self::Charge { a, .. }
            | Self::Verify(a)
            | Self::ToAlt(a)
            | Self::UnlessInt { a, .. }
            | Self::JumpUnless { a, .. }
            | Self::JumpIf { a, .. }
            | Self::Roll { a, .. }
            | Self::Call { a, .. } => (&mut [a], None),
            Self::Copy { d, a }
            | Self::Unary { d, a, .. }
            | Self::AddInt { d, a, .. }
            | Self::Size { d, a, .. }
            | Self::Value { d, a, .. }
            | Self::Pick { d, a, .. } => (&mut [a], Some(d)),
            Self::Add { d, a, b, .. }
            | Self::Sub { d, a, b, .. }
            | Self::Mul { d, a, b, .. }
            | Self::Binary { d, a, b, .. }
            | Self::Compare { d, a, b, .. }
            | Self::Equal { d, a, b, .. } => (&mut [a, b], Some(d)),
            Self::Int { d, .. }
            | Self::Wide { d, .. }
            | Self::Data { d, .. }
            | Self::Number { d, .. }
            | Self::Depth { d, .. }
            | Self::FromAlt { d, .. } => (&mut [], Some(d)),
            Self::VerifyEqual { a, b } | Self::Define { a, b } | Self::Unless { a, b, .. } => (&mut [a, b], None),
            Self::Kernel { operands, results, shape, .. } => {
                operands.iter_mut().take(usize::from(*shape & 15)).for_each(|reg| visit(reg, Access::Reads));
                results.iter_mut().take(usize::from(*shape >> 4)).for_each(|reg| visit(reg, Access::Makes));
                return;
            }
            Self::Block { .. }
            | Self::Cost(_)
            | Self::Many { .. }
            | Self::IfDup { .. }
            | Self::Shift(_)
            | Self::Jump(_)
            | Self::Separate(_)
            | Self::End(_)
            | Self::Fail => return,
        };
        for reg in reads.iter_mut() {
            visit(reg, Access::Reads);
        }
        if let Some(reg) = makes {
            visit(reg, Access::Makes);
        }
    }

    /// Sets where a jump goes.
    pub(crate) const fn aim(&mut self, target: u32) {
        if let Self::Jump(to)
        | Self::JumpUnless { to, .. }
        | Self::JumpIf { to, .. }
        | Self::Unless { to, .. }
        | Self::UnlessInt { to, .. } = self
        {
            *to = target;
        }
    }
}
