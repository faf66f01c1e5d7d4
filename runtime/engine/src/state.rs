//! A running script as machine code sees it.

use spec::Opcode;
use vm::{Item, Kernel};

use crate::ir::{Binary, Metering, Op, Reg, Unary, Unit};
use crate::run::{PAD, State, WINDOW, slow};

/// Where a script is, in cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The cell of register 0.
    pub base: usize,
    /// How many cells and other slots may be in use.
    pub most: usize,
    /// Slots that are not on the stack.
    pub elsewhere: usize,
    /// The most cells and other slots that were in use.
    pub peak: usize,
}

impl<'a> State<'_, 'a> {
    /// The first cell that is part of the stack.
    pub const FLOOR: usize = PAD;
    /// Cells from register 0 on that there must be.
    pub const WINDOW: usize = WINDOW;

    /// Gets ready to run in the window where it is.
    pub fn ready(&mut self) -> Option<()> {
        self.tally()?;
        i64::try_from(self.budget).ok()?;
        if self.cells.len() < self.base + WINDOW {
            self.cells.resize(self.base + 2 * WINDOW, Item::Int(0));
        }
        Some(())
    }

    /// The stack in memory.
    pub fn cells(&mut self) -> &mut [Item] {
        &mut self.cells
    }

    /// Where the script is.
    #[must_use]
    pub const fn place(&self) -> Place {
        Place { base: self.base, most: self.most, elsewhere: self.elsewhere, peak: self.peak }
    }

    /// Sets where register 0 is, and the most slots that were in use.
    pub const fn move_to(&mut self, base: usize, peak: usize) {
        self.base = base;
        self.peak = peak;
    }

    /// The cost that is left; below zero if too much has been spent.
    #[must_use]
    pub const fn left(&self) -> i64 {
        self.budget.wrapping_sub(self.cost).cast_signed()
    }

    /// Sets the cost that is left.
    pub const fn set_left(&mut self, left: i64) {
        self.budget = self.kernel.cost_budget().wrapping_sub(self.kernel.cost());
        self.cost = self.budget.wrapping_sub(left.cast_unsigned());
    }

    /// What keeps everything else.
    pub const fn kernel(&mut self) -> &mut Kernel<'a> {
        self.kernel
    }

    /// Gives the kernel instruction `at`, which is its own or works on numbers that may be long, and gives what that costs.
    #[inline]
    pub fn give(&mut self, unit: &Unit, at: usize) -> Option<i64> {
        let before = self.kernel.cost();
        let window = self.cells.get_mut(self.base..)?;
        let op = *unit.ops.get(at)?;
        let more = if let Op::Kernel { opcode, operands, results, shape } = op {
            give(self.kernel, window, opcode, &operands.map(usize::from), &results.map(usize::from), shape)?;
            0
        } else {
            let (opcode, d, [a, b], weight) = arithmetic(&op)?;
            let item = |at: Reg| window.get(usize::from(at)).copied().unwrap_or(Item::Int(0));
            let b = match (b, op) {
                (Some(b), _) => Some(item(b)),
                (None, Op::AddInt { n, .. }) => Some(Item::Int(n.into())),
                (None, _) => None,
            };
            let operands = [item(a?), b.unwrap_or(Item::Int(0))];
            let operands = operands.get(..1 + usize::from(b.is_some()))?;
            let (item, more) = match unit.metering {
                Metering::Exact => slow::<true>(self.kernel, opcode, operands, weight)?,
                Metering::Bound => slow::<false>(self.kernel, opcode, operands, weight)?,
            };
            *window.get_mut(usize::from(d))? = item;
            more
        };
        i64::try_from(self.kernel.cost() - before + more).ok()
    }

    /// Runs one instruction and says which comes next. `None` where the outcome is not plainly right, and for calls and
    /// ends.
    pub fn step(&mut self, unit: &Unit, at: usize) -> Option<usize> {
        match *unit.ops.get(at)? {
            // The budget is what is left beside the kernel's work.
            Op::Kernel { .. } => {
                self.give(unit, at)?;
                self.tally()?;
                (self.cost <= self.budget).then_some(at + 1)
            }
            _ => self.one(unit, at),
        }
    }
}

/// Gives an instruction to the kernel, with registers of `window`.
pub(crate) fn give(
    kernel: &mut Kernel<'_>,
    window: &mut [Item],
    opcode: Opcode,
    operands: &[usize; 3],
    results: &[usize; 2],
    shape: u8,
) -> Option<()> {
    let [a, b, _] = *operands;
    let quick = match shape & 15 {
        0 => kernel.fact(opcode),
        1 => quick(kernel, opcode, window.get(a)?, None),
        2 => quick(kernel, opcode, window.get(a)?, window.get(b)),
        _ => None,
    };
    if let Some(item) = quick {
        *window.get_mut(*results.first()?)? = item;
        return Some(());
    }
    let items = operands.map(|at| window.get(at).copied().unwrap_or(Item::Int(0)));
    let items = items.get(..usize::from(shape & 15))?;
    let made = kernel.execute(opcode, items)?;
    for (reg, item) in results.iter().zip(made).take(usize::from(shape >> 4)) {
        *window.get_mut(*reg)? = *item;
    }
    Some(())
}

/// There is one copy of this, for all instructions.
#[inline(never)]
pub(crate) fn quick(kernel: &mut Kernel<'_>, opcode: Opcode, a: &Item, b: Option<&Item>) -> Option<Item> {
    kernel.quick(opcode, a, b)
}

/// The opcode of arithmetic, its result and operands, and how often more than the kernel does the result is charged.
fn arithmetic(op: &Op) -> Option<(Opcode, Reg, [Option<Reg>; 2], u8)> {
    let truth = |kind| matches!(kind, Unary::Not | Unary::NotZero);
    let both = |kind| matches!(kind, Binary::And | Binary::Or);
    Some(match *op {
        Op::Unary { kind, d, a, weight } => {
            (kind.opcode(), d, [Some(a), None], weight - if truth(kind) { 1 } else { 2 })
        }
        Op::AddInt { d, a, weight, .. } => (Opcode::Add, d, [Some(a), None], weight - 2),
        Op::Add { d, a, b, weight } => (Opcode::Add, d, [Some(a), Some(b)], weight - 2),
        Op::Sub { d, a, b, weight } => (Opcode::Sub, d, [Some(a), Some(b)], weight - 2),
        Op::Mul { d, a, b, weight } => (Opcode::Mul, d, [Some(a), Some(b)], weight - 2),
        Op::Binary { kind, d, a, b, weight } => {
            (kind.opcode(), d, [Some(a), Some(b)], weight - if both(kind) { 1 } else { 2 })
        }
        Op::Compare { kind, d, a, b, weight } => (kind.opcode(), d, [Some(a), Some(b)], weight - 1),
        _ => return None,
    })
}
