//! The register interpreter.
//!
//! Whatever is not plainly right ends the run with `None`: then the input is for the oracle.

use std::collections::BTreeMap;
use std::sync::Arc;

use spec::Opcode;
use spec::num::encoded_len;
use spec::rules::Limits;
use vm::{Caller, FunctionId, Item, Kernel};

use crate::ir::{Binary, ENTRY, Metering, Op, Reg, Unary, Unit};
use crate::native::{Find, Finished, Stretch};
use crate::state::give;

/// Cells below the stack, so that a window may reach below its bottom.
pub(crate) const PAD: usize = 256;
/// The size of a window.
pub(crate) const WINDOW: usize = 256;

type Window = [Item; WINDOW];

/// A caller that waits.
#[derive(Debug)]
struct Frame<'a> {
    unit: Arc<Unit>,
    next: usize,
    caller: Caller<'a>,
    top: Reg,
    /// What is open around the caller.
    around: usize,
}

/// A script while it runs.
#[derive(Debug)]
pub struct State<'k, 'a> {
    pub(crate) kernel: &'k mut Kernel<'a>,
    limits: &'k Limits,
    /// The stack, above the padding.
    pub(crate) cells: Vec<Item>,
    /// The cell of register 0.
    pub(crate) base: usize,
    alt: Vec<Item>,
    /// Slots that are not on the stack: the alt stack and functions.
    pub(crate) elsewhere: usize,
    /// How many cells and other slots may be in use.
    pub(crate) most: usize,
    /// The cost that is left beside the kernel's own.
    pub(crate) budget: u64,
    /// The most cells and other slots that were in use.
    pub(crate) peak: usize,
    pub(crate) cost: u64,
    frames: Vec<Frame<'a>>,
    units: BTreeMap<FunctionId, Arc<Unit>>,
    around: usize,
}

/// Why a stretch of one unit has ended.
enum Exit {
    End,
    Call {
        id: Item,
        top: Reg,
        open: usize,
        next: usize,
    },
    /// One instruction has run.
    Next(usize),
}

/// Runs a unit and what it calls; `find` lowers functions.
pub(crate) fn run(
    kernel: &mut Kernel<'_>,
    limits: &Limits,
    unit: Arc<Unit>,
    stack: &[Item],
    find: &Find<'_>,
) -> Option<Finished> {
    start(kernel, limits, stack).run(unit, find, None)
}

/// Runs a unit and what it calls, `native` first wherever the unit goes on.
pub fn run_native(
    kernel: &mut Kernel<'_>,
    limits: &Limits,
    unit: Arc<Unit>,
    stack: &[Item],
    find: &Find<'_>,
    native: &dyn Stretch,
) -> Option<Finished> {
    start(kernel, limits, stack).run(unit, find, Some(native))
}

fn start<'k, 'a>(kernel: &'k mut Kernel<'a>, limits: &'k Limits, stack: &[Item]) -> State<'k, 'a> {
    let mut cells = vec![Item::Int(0); PAD];
    cells.extend_from_slice(stack);
    let base = cells.len() - usize::from(ENTRY);
    State {
        kernel,
        limits,
        cells,
        base,
        alt: Vec::new(),
        elsewhere: 0,
        most: limits.slots + PAD,
        budget: 0,
        peak: 0,
        cost: 0,
        frames: Vec::new(),
        units: BTreeMap::new(),
        around: 0,
    }
}

impl<'a> State<'_, 'a> {
    fn run(mut self, mut unit: Arc<Unit>, find: &Find<'_>, native: Option<&dyn Stretch>) -> Option<Finished> {
        self.admit(&unit)?;
        let mut next = 0;
        loop {
            if let Some(native) = native.filter(|_| self.frames.is_empty()) {
                next = native.stretch(&mut self, next)?;
            }
            let exit = match unit.metering {
                Metering::Exact => self.stretch::<true, false>(&unit, next)?,
                Metering::Bound => self.stretch::<false, false>(&unit, next)?,
            };
            match exit {
                Exit::Next(after) => next = after,
                Exit::Call { id, top, open, next: after } => {
                    let (callee, caller) = self.enter(id, find)?;
                    let frame = Frame { unit, next: after, caller, top, around: self.around };
                    self.frames.push(frame);
                    self.around += open + 1;
                    self.admit(&callee)?;
                    self.base = (self.base + usize::from(top)).checked_sub(ENTRY.into())?;
                    (unit, next) = (callee, 0);
                }
                Exit::End => {
                    let Some(frame) = self.frames.pop() else { break };
                    self.base = (self.base + usize::from(ENTRY)).checked_sub(frame.top.into())?;
                    self.kernel.leave(frame.caller);
                    self.around = frame.around;
                    (unit, next) = (frame.unit, frame.next);
                }
            }
        }
        self.finish()
    }

    /// Runs one instruction and says which comes next; `None` also if that is in another unit.
    pub(crate) fn one(&mut self, unit: &Unit, at: usize) -> Option<usize> {
        let exit = match unit.metering {
            Metering::Exact => self.stretch::<true, true>(unit, at)?,
            Metering::Bound => self.stretch::<false, true>(unit, at)?,
        };
        if let Exit::Next(next) = exit { Some(next) } else { None }
    }

    /// What is left for work beside the kernel's.
    pub(crate) fn tally(&mut self) -> Option<()> {
        self.budget = self.kernel.cost_budget().checked_sub(self.kernel.cost())?;
        Some(())
    }

    /// Whether the control stack has room for a unit. It counts what is only skipped too.
    fn admit(&self, unit: &Unit) -> Option<()> {
        (self.around + unit.nesting <= self.limits.control_depth).then_some(())
    }

    fn enter(&mut self, id: Item, find: &Find<'_>) -> Option<(Arc<Unit>, Caller<'a>)> {
        let (key, caller) = self.kernel.call(id)?;
        let known = self.units.get(&key).cloned();
        let unit = match known {
            Some(unit) => unit,
            None => {
                let unit = find(self.kernel.code())?;
                self.units.insert(key, Arc::clone(&unit));
                unit
            }
        };
        Some((unit, caller))
    }

    /// The items that are left, and whether memory can never have been short. Every byte that comes to life is charged, so
    /// cost bounds memory; so does the number of slots.
    fn finish(self) -> Option<Finished> {
        let cost = self.cost.checked_add(self.kernel.cost())?;
        let most = self.limits.memory_bytes;
        let slots = self.peak.saturating_sub(PAD);
        if cost > most as u64 && slots.saturating_mul(self.limits.item_bytes) > most {
            return None;
        }
        let stack = self.cells.get(PAD..self.base + usize::from(ENTRY))?.to_vec();
        Some(Finished { stack, alt: self.alt, cost: self.cost })
    }

    /// Runs a unit until it ends or calls, or just one instruction. Unless it charges exactly, blocks have charged numbers
    /// already. It is one function so that place, cost and window stay in machine registers.
    fn stretch<const EXACT: bool, const ONE: bool>(&mut self, unit: &Unit, mut next: usize) -> Option<Exit> {
        let ops = unit.ops.as_slice();
        self.tally()?;
        let mut done = false;
        let mut cost = self.cost;
        // Does an instruction on operands that are not small numbers; `$base` times its result is charged by the kernel.
        macro_rules! slow {
            ($opcode:expr, $operands:expr, $weight:expr, $base:expr) => {{
                let (item, more) = slow::<EXACT>(self.kernel, $opcode, &$operands, $weight - $base)?;
                cost += more;
                self.budget = self.kernel.cost_budget().checked_sub(self.kernel.cost())?;
                if cost > self.budget {
                    return None;
                }
                item
            }};
        }
        'window: loop {
            if self.cells.len() < self.base + WINDOW {
                self.cells.resize(self.base + 2 * WINDOW, Item::Int(0));
            }
            let window: &mut Window = self.cells.get_mut(self.base..)?.first_chunk_mut()?;
            loop {
                if ONE && std::mem::replace(&mut done, true) {
                    self.cost = cost;
                    return Some(Exit::Next(next));
                }
                let op = *ops.get(next)?;
                next += 1;
                match op {
                    Op::Block { low, high, cost: fixed } => {
                        cost += u64::from(fixed);
                        let need = self.base + usize::from(high) + self.elsewhere;
                        if self.base + usize::from(low) < PAD || need > self.most {
                            return None;
                        }
                        if need > self.peak {
                            self.peak = need;
                        }
                    }
                    Op::Cost(fixed) => cost += u64::from(fixed),
                    Op::Charge { a, weight } => cost += charge::<EXACT>(at(window, a), weight),
                    Op::Copy { d, a } => match number(window, a) {
                        Some(n) => set(window, d, Item::Int(n)),
                        None => set(window, d, get(window, a)),
                    },
                    Op::Int { d, n } => set(window, d, Item::Int(n.into())),
                    Op::Wide { d, at } => set(window, d, Item::Int(*unit.numbers.get(at as usize)?)),
                    Op::Data { d, start, len } => set(window, d, self.kernel.constant(start.into(), len.into())),
                    Op::Number { d, start, len } => set(window, d, self.kernel.constant(start.into(), len.into())),
                    Op::Unary { kind, d, a, weight } => match number(window, a) {
                        Some(n) => {
                            let n = unary(kind, n);
                            cost += charge_int::<EXACT>(n, weight);
                            set(window, d, Item::Int(n));
                        }
                        None => {
                            let base = if matches!(kind, Unary::Not | Unary::NotZero) { 1 } else { 2 };
                            set(window, d, slow!(kind.opcode(), [get(window, a)], weight, base));
                        }
                    },
                    Op::Add { d, a, b, weight } => {
                        match numbers(window, a, b).and_then(|(x, y)| in_place(x.checked_add(y))) {
                            Some(n) => {
                                cost += charge_int::<EXACT>(n, weight);
                                set(window, d, Item::Int(n));
                            }
                            None => set(window, d, slow!(Opcode::Add, [get(window, a), get(window, b)], weight, 2)),
                        }
                    }
                    Op::Sub { d, a, b, weight } => {
                        match numbers(window, a, b).and_then(|(x, y)| in_place(x.checked_sub(y))) {
                            Some(n) => {
                                cost += charge_int::<EXACT>(n, weight);
                                set(window, d, Item::Int(n));
                            }
                            None => set(window, d, slow!(Opcode::Sub, [get(window, a), get(window, b)], weight, 2)),
                        }
                    }
                    Op::AddInt { d, a, weight, n } => {
                        match number(window, a).and_then(|x| in_place(x.checked_add(n.into()))) {
                            Some(n) => {
                                cost += charge_int::<EXACT>(n, weight);
                                set(window, d, Item::Int(n));
                            }
                            None => {
                                let operands = [get(window, a), Item::Int(n.into())];
                                set(window, d, slow!(Opcode::Add, operands, weight, 2));
                            }
                        }
                    }
                    Op::Mul { d, a, b, weight } => {
                        match numbers(window, a, b).and_then(|(x, y)| in_place(x.checked_mul(y))) {
                            Some(n) => {
                                cost += charge_int::<EXACT>(n, weight) + product::<EXACT>(window, a, b);
                                set(window, d, Item::Int(n));
                            }
                            None => set(window, d, slow!(Opcode::Mul, [get(window, a), get(window, b)], weight, 2)),
                        }
                    }
                    Op::Binary { kind, d, a, b, weight } => {
                        match numbers(window, a, b).and_then(|(x, y)| binary(kind, x, y)) {
                            Some(n) => {
                                cost += charge_int::<EXACT>(n, weight);
                                if matches!(kind, Binary::Div | Binary::Mod) {
                                    cost += product::<EXACT>(window, a, b);
                                }
                                set(window, d, Item::Int(n));
                            }
                            None => {
                                let base = if matches!(kind, Binary::And | Binary::Or) { 1 } else { 2 };
                                set(window, d, slow!(kind.opcode(), [get(window, a), get(window, b)], weight, base));
                            }
                        }
                    }
                    Op::Compare { kind, d, a, b, weight } => match numbers(window, a, b) {
                        Some((x, y)) => {
                            let truth = kind.holds(x, y);
                            cost += charge_int::<EXACT>(truth.into(), weight);
                            set(window, d, Item::Int(truth.into()));
                        }
                        None => {
                            let operands = [get(window, a), get(window, b)];
                            set(window, d, slow!(kind.opcode(), operands, weight, 1));
                        }
                    },
                    Op::Unless { kind, a, b, to } => {
                        let truth = match numbers(window, a, b) {
                            Some((x, y)) => {
                                let truth = kind.holds(x, y);
                                cost += charge_int::<EXACT>(truth.into(), 1);
                                truth
                            }
                            None => slow!(kind.opcode(), [get(window, a), get(window, b)], 1u8, 1).len() == 1,
                        };
                        if !truth {
                            if cost > self.budget {
                                return None;
                            }
                            next = to as usize;
                        }
                    }
                    Op::UnlessInt { kind, a, n, to } => {
                        let truth = match number(window, a) {
                            Some(x) => {
                                let truth = kind.holds(x, n.into());
                                cost += charge_int::<EXACT>(truth.into(), 1);
                                truth
                            }
                            None => slow!(kind.opcode(), [get(window, a), Item::Int(n.into())], 1u8, 1).len() == 1,
                        };
                        if !truth {
                            if cost > self.budget {
                                return None;
                            }
                            next = to as usize;
                        }
                    }
                    Op::Equal { d, a, b, weight } => {
                        let truth = same(self.kernel, at(window, a), at(window, b));
                        cost += charge_int::<EXACT>(truth.into(), weight);
                        set(window, d, Item::Int(truth.into()));
                    }
                    Op::Size { d, a, weight } => {
                        let n = at(window, a).len() as i64;
                        cost += charge_int::<EXACT>(n, weight);
                        set(window, d, Item::Int(n));
                    }
                    Op::Depth { d, top, weight } => {
                        let n = (self.base + usize::from(top)).checked_sub(PAD)? as i64;
                        cost += charge_int::<EXACT>(n, weight);
                        set(window, d, Item::Int(n));
                    }
                    Op::Value { opcode, d, a, weight } => {
                        match number(window, a).and_then(|index| self.kernel.value(opcode, index)) {
                            Some(n) => {
                                cost += charge_int::<EXACT>(n, weight);
                                set(window, d, Item::Int(n));
                            }
                            None => set(window, d, slow!(opcode, [get(window, a)], weight, 1)),
                        }
                    }
                    Op::Verify(a) => {
                        if !is_true(self.kernel, at(window, a)) {
                            return None;
                        }
                    }
                    Op::VerifyEqual { a, b } => {
                        if !same(self.kernel, at(window, a), at(window, b)) {
                            return None;
                        }
                    }
                    Op::Kernel { opcode, operands, results, shape } => {
                        let (operands, results) = (operands.map(usize::from), results.map(usize::from));
                        give(self.kernel, window, opcode, &operands, &results, shape)?;
                        self.budget = self.kernel.cost_budget().checked_sub(self.kernel.cost())?;
                        if cost > self.budget {
                            return None;
                        }
                    }
                    Op::Many { opcode, top, after } => {
                        self.base = self.many(opcode, top)?.checked_sub(after.into())?;
                        self.budget = self.kernel.cost_budget().checked_sub(self.kernel.cost())?;
                        continue 'window;
                    }
                    Op::IfDup { top } => {
                        let real = self.base + usize::from(top);
                        let item = *self.cells.get(real.checked_sub(1)?)?;
                        if is_true(self.kernel, &item) {
                            cost += item.len() as u64;
                            *self.cells.get_mut(real)? = item;
                            self.base += 1;
                        }
                        continue 'window;
                    }
                    Op::Pick { d, a, top, weight } => {
                        let at = below(self.base + usize::from(top), get(window, a))?;
                        let item = *self.cells.get(at)?;
                        cost += charge::<EXACT>(&item, weight);
                        *self.cells.get_mut(self.base + usize::from(d))? = item;
                        continue 'window;
                    }
                    Op::Roll { a, top } => {
                        let real = self.base + usize::from(top);
                        let at = below(real, get(window, a))?;
                        let items = self.cells.get_mut(at..real)?;
                        items.rotate_left(1);
                        cost += (items.last()?.len() + items.len() - 1) as u64;
                        continue 'window;
                    }
                    Op::ToAlt(a) => {
                        self.alt.push(get(window, a));
                        self.elsewhere += 1;
                    }
                    Op::FromAlt { d, weight } => {
                        let item = self.alt.pop()?;
                        self.elsewhere -= 1;
                        cost += charge::<EXACT>(&item, weight);
                        set(window, d, item);
                    }
                    Op::Shift(by) => {
                        self.base = self.base.checked_add_signed(by.into())?;
                        continue 'window;
                    }
                    Op::Jump(to) => {
                        if cost > self.budget {
                            return None;
                        }
                        next = to as usize;
                    }
                    Op::JumpUnless { a, to } => {
                        if !is_true(self.kernel, at(window, a)) {
                            if cost > self.budget {
                                return None;
                            }
                            next = to as usize;
                        }
                    }
                    Op::JumpIf { a, to } => {
                        if is_true(self.kernel, at(window, a)) {
                            next = to as usize;
                        }
                    }
                    Op::Separate(start) => self.kernel.separate(start as usize),
                    Op::Define { a, b } => {
                        self.kernel.execute(Opcode::Define, &[get(window, a), get(window, b)])?;
                        self.elsewhere = self.alt.len() + self.kernel.functions();
                        self.budget = self.kernel.cost_budget().checked_sub(self.kernel.cost())?;
                    }
                    Op::Call { a, top, open } => {
                        self.cost = cost;
                        if cost > self.budget {
                            return None;
                        }
                        return Some(Exit::Call { id: get(window, a), top, open: open.into(), next });
                    }
                    Op::End(top) => {
                        self.cost = cost;
                        self.base = (self.base + usize::from(top)).checked_sub(ENTRY.into())?;
                        return Some(Exit::End);
                    }
                    Op::Fail => return None,
                }
            }
        }
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

#[inline(always)]
fn get(window: &Window, reg: Reg) -> Item {
    *at(window, reg)
}

#[inline(always)]
fn set(window: &mut Window, reg: Reg, item: Item) {
    // The index is a byte and a window has 256 cells.
    #[allow(clippy::indexing_slicing)]
    {
        window[usize::from(reg)] = item;
    }
}

#[inline(always)]
const fn charge<const EXACT: bool>(item: &Item, weight: u8) -> u64 {
    match item {
        Item::Int(n) => charge_int::<EXACT>(*n, weight),
        // Without exact charges, what a number in place could be has been charged.
        Item::Bytes(_) => (item.len() as u64).saturating_sub(if EXACT { 0 } else { 8 }) * weight as u64,
    }
}

#[inline(always)]
const fn charge_int<const EXACT: bool>(n: i64, weight: u8) -> u64 {
    if EXACT { encoded_len(n) as u64 * weight as u64 } else { 0 }
}

/// The operands, if both are numbers in place.
#[inline(always)]
fn numbers(window: &Window, a: Reg, b: Reg) -> Option<(i64, i64)> {
    match (at(window, a), at(window, b)) {
        (Item::Int(a), Item::Int(b)) => Some((*a, *b)),
        _ => None,
    }
}

/// The operand, if it is a number in place.
#[inline(always)]
const fn number(window: &Window, a: Reg) -> Option<i64> {
    match at(window, a) {
        Item::Int(n) => Some(*n),
        Item::Bytes(_) => None,
    }
}

/// A register to look at. Items in place are read where they are: a copy would have to wait for the parts of a recent one.
#[inline(always)]
const fn at(window: &Window, reg: Reg) -> &Item {
    // The index is a byte and a window has 256 cells.
    #[allow(clippy::indexing_slicing)]
    &window[reg as usize]
}

/// The one 64-bit number that needs 9 bytes is not held in place.
#[inline(always)]
fn in_place(n: Option<i64>) -> Option<i64> {
    n.filter(|n| *n != i64::MIN)
}

/// No number in place is the one that has no opposite.
#[inline(always)]
fn unary(kind: Unary, n: i64) -> i64 {
    match kind {
        Unary::Negate => -n,
        Unary::Abs => n.abs(),
        Unary::Not => i64::from(n == 0),
        Unary::NotZero => i64::from(n != 0),
    }
}

/// What a product charges for its operands.
#[inline(always)]
const fn product<const EXACT: bool>(window: &Window, a: Reg, b: Reg) -> u64 {
    if EXACT { (at(window, a).len() * at(window, b).len()) as u64 } else { 0 }
}

#[inline(always)]
fn binary(kind: Binary, a: i64, b: i64) -> Option<i64> {
    match kind {
        Binary::Div => a.checked_div(b),
        Binary::Mod => a.checked_rem(b),
        Binary::Min => Some(a.min(b)),
        Binary::Max => Some(a.max(b)),
        Binary::And => Some(i64::from(a != 0 && b != 0)),
        Binary::Or => Some(i64::from(a != 0 || b != 0)),
    }
}

#[inline(always)]
fn is_true(kernel: &Kernel<'_>, item: &Item) -> bool {
    match item {
        Item::Int(n) => *n != 0,
        Item::Bytes(_) => kernel.is_true(*item),
    }
}

#[inline(always)]
fn same(kernel: &Kernel<'_>, a: &Item, b: &Item) -> bool {
    match (a, b) {
        (Item::Int(a), Item::Int(b)) => a == b,
        (Item::Bytes(_), Item::Bytes(_)) => kernel.same(*a, *b),
        _ => false,
    }
}

/// The result, and what it costs to charge it so many times more.
#[cold]
#[inline(never)]
pub(crate) fn slow<const EXACT: bool>(
    kernel: &mut Kernel<'_>,
    opcode: Opcode,
    operands: &[Item],
    again: u8,
) -> Option<(Item, u64)> {
    let quick = operands.first().and_then(|a| kernel.quick(opcode, a, operands.get(1)));
    let item = match quick {
        Some(item) => item,
        None => kernel.execute(opcode, operands)?.last().copied()?,
    };
    Some((item, charge::<EXACT>(&item, again)))
}
