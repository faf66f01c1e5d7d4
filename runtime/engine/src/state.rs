//! A running script as machine code sees it.

use spec::Opcode;
use vm::{Item, Kernel};

use crate::ir::{Op, Unit};
use crate::run::{PAD, State, WINDOW};

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
        self.cost = self.budget.wrapping_sub(left.cast_unsigned());
    }

    /// What keeps everything else.
    pub const fn kernel(&mut self) -> &mut Kernel<'a> {
        self.kernel
    }

    /// Runs one instruction and says which comes next. `None` where the outcome is not plainly right, and for calls and
    /// ends.
    pub fn step(&mut self, unit: &Unit, at: usize) -> Option<usize> {
        match *unit.ops.get(at)? {
            Op::Kernel { opcode, operands, results, shape } => {
                self.give(opcode, &operands.map(usize::from), &results.map(usize::from), shape)?;
                Some(at + 1)
            }
            _ => self.one(unit, at),
        }
    }

    /// Gives an instruction to the kernel.
    fn give(&mut self, opcode: Opcode, operands: &[usize; 3], results: &[usize; 2], shape: u8) -> Option<()> {
        let window = self.cells.get_mut(self.base..)?;
        let item = |at: usize| window.get(at).copied().unwrap_or(Item::Int(0));
        let items = operands.map(item);
        let made = self.kernel.execute(opcode, items.get(..usize::from(shape & 15))?)?;
        for (reg, item) in results.iter().zip(made).take(usize::from(shape >> 4)) {
            *window.get_mut(*reg)? = *item;
        }
        self.budget = self.kernel.cost_budget().checked_sub(self.kernel.cost())?;
        (self.cost <= self.budget).then_some(())
    }
}
