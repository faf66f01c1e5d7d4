//! Instructions that are rare or take long anyway: what works on the stack in memory, moves the window, or ends a stretch.

use spec::Opcode;
use vm::Item;

use crate::ir::{ENTRY, Op, Reg, Unit};
use crate::run::{Exit, PAD, State, charge, charge_int, is_true};

impl State<'_, '_> {
    /// Runs the instruction at `at` and says how the run goes on, at `next` if the instruction does not say.
    #[inline(never)]
    pub(crate) fn rest<const EXACT: bool>(&mut self, unit: &Unit, at: usize, next: usize) -> Option<Exit> {
        match *unit.ops.get(at)? {
            Op::Wide { d, at } => self.put(d, Item::Int(*unit.numbers.get(at as usize)?))?,
            Op::Depth { d, top, weight } => {
                let n = (self.base + usize::from(top)).checked_sub(PAD)? as i64;
                self.cost += charge_int::<EXACT>(n, weight);
                self.put(d, Item::Int(n))?;
            }
            Op::Many { opcode, top, after } => {
                self.base = self.many(opcode, top)?.checked_sub(after.into())?;
                self.tally()?;
            }
            Op::IfDup { top } => self.copy_if_true(top)?,
            Op::Pick { d, a, top, weight } => {
                let at = below(self.base + usize::from(top), self.item(a)?)?;
                let item = *self.cells.get(at)?;
                self.cost += charge::<EXACT>(&item, weight);
                self.put(d, item)?;
            }
            Op::Roll { a, top } => {
                let real = self.base + usize::from(top);
                let at = below(real, self.item(a)?)?;
                let items = self.cells.get_mut(at..real)?;
                items.rotate_left(1);
                self.cost += (items.last()?.len() + items.len() - 1) as u64;
            }
            Op::ToAlt(a) => {
                self.alt.push(self.item(a)?);
                self.elsewhere += 1;
            }
            Op::FromAlt { d, weight } => {
                let item = self.alt.pop()?;
                self.elsewhere -= 1;
                self.cost += charge::<EXACT>(&item, weight);
                self.put(d, item)?;
            }
            Op::Shift(by) => self.base = self.base.checked_add_signed(by.into())?,
            Op::Separate(start) => self.kernel.separate(start as usize),
            Op::Define { a, b } => {
                let (body, id) = (self.item(a)?, self.item(b)?);
                self.kernel.define(id, body)?;
                self.elsewhere = self.alt.len() + self.kernel.functions();
                self.tally()?;
            }
            Op::Call { a, top, open } => {
                let id = self.item(a).filter(|_| self.cost <= self.budget)?;
                return Some(Exit::Call { id, top, open: open.into(), next });
            }
            Op::End(top) => {
                self.base = (self.base + usize::from(top)).checked_sub(ENTRY.into())?;
                return Some(Exit::End);
            }
            // The script fails, and everything else is a step.
            _ => return None,
        }
        Some(Exit::Next(next))
    }

    /// The item in a register.
    fn item(&self, reg: Reg) -> Option<Item> {
        self.cells.get(self.base + usize::from(reg)).copied()
    }

    /// Sets a register.
    fn put(&mut self, reg: Reg, item: Item) -> Option<()> {
        *self.cells.get_mut(self.base + usize::from(reg))? = item;
        Some(())
    }

    fn copy_if_true(&mut self, top: Reg) -> Option<()> {
        let item = self.item(top.checked_sub(1)?)?;
        if is_true(self.kernel, &item) {
            self.cost += item.len() as u64;
            self.put(top, item)?;
            self.base += 1;
        }
        Some(())
    }

    /// A check of signatures by several keys on top of the stack; gives the end of the stack after it.
    #[inline(never)]
    fn many(&mut self, opcode: Opcode, top: Reg) -> Option<usize> {
        let real = self.base + usize::from(top);
        let most = self.limits.multisig_keys;
        let count = |at: usize| match self.cells.get(at).filter(|_| at >= PAD)? {
            Item::Int(n) => usize::try_from(*n).ok().filter(|n| *n <= most),
            Item::Bytes(_) => None,
        };
        let keys = count(real.checked_sub(1)?)?;
        let signatures = count(real.checked_sub(keys + 2)?)?;
        let start = real.checked_sub(keys + signatures + 3).filter(|start| *start >= PAD)?;
        let made = self.kernel.execute(opcode, self.cells.get(start..real)?)?;
        let truth = made.first().copied();
        if let Some(truth) = truth {
            *self.cells.get_mut(start)? = truth;
        }
        Some(start + usize::from(truth.is_some()))
    }
}

/// The cell that lies `depth` below the top cell.
fn below(real: usize, depth: Item) -> Option<usize> {
    let Item::Int(depth) = depth else { return None };
    let depth = usize::try_from(depth).ok()?;
    real.checked_sub(depth.checked_add(1)?).filter(|at| *at >= PAD)
}
