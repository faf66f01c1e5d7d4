//! The register interpreter.
//!
//! Whatever is not plainly right ends the run with `None`: then the input is for the oracle.

use std::collections::BTreeMap;
use std::sync::Arc;

use spec::Opcode;
use spec::rules::Limits;
use vm::{Caller, FunctionId, Item, Kernel};

use crate::ir::{ENTRY, Metering, Reg, Unit};
use crate::native::{Find, Finished, Stretch};
use crate::state::{give, quick};
use crate::steps::{Of1, Of2, Step};

/// Cells below the stack, so that a window may reach below its bottom.
pub(crate) const PAD: usize = 256;
/// How many functions a script may call by names that are not known before it runs. To find the unit of one takes three
/// times as long as the oracle takes for a call: who calls many once each would have much time for little cost.
pub(crate) const FUNCTIONS_MAX: usize = 32;
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
    pub(crate) limits: &'k Limits,
    /// The stack, above the padding.
    pub(crate) cells: Vec<Item>,
    /// The cell of register 0.
    pub(crate) base: usize,
    pub(crate) alt: Vec<Item>,
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
pub(crate) enum Exit {
    End,
    Call {
        id: Item,
        top: Reg,
        open: usize,
        next: usize,
    },
    /// It has not; that instruction is next.
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
    let base = PAD + stack.len() - usize::from(ENTRY);
    let mut cells = vec![Item::Int(0); base + WINDOW];
    if let Some(cells) = cells.get_mut(PAD..PAD + stack.len()) {
        cells.copy_from_slice(stack);
    }
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
            None if self.units.len() >= FUNCTIONS_MAX => return None,
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
    /// already. It is one function so that place, cost and window stay in machine registers, and no other has a part in it:
    /// the kernel's functions that it calls are not inlined, for then the place of the next step would wait in memory.
    #[inline(never)]
    fn stretch<const EXACT: bool, const ONE: bool>(&mut self, unit: &Unit, mut next: usize) -> Option<Exit> {
        self.tally()?;
        let mut done = false;
        let mut left = self.left();
        // Does an instruction on operands that are not small numbers; `$base` times its result is charged by the kernel.
        macro_rules! slow {
            ($opcode:expr, $operands:expr, $weight:expr, $base:expr) => {{
                let before = self.kernel.cost();
                let (item, more) = slow::<EXACT>(self.kernel, $opcode, &$operands, $weight - $base)?;
                left -= (self.kernel.cost() - before + more).cast_signed();
                if left < 0 {
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
            // Puts a result that is a number in place and charges it, or lets the kernel make it of operands that are none.
            macro_rules! put {
                ($d:expr, $weight:expr, $result:expr, $more:expr, $opcode:expr, $operands:expr, $base:expr) => {
                    match $result {
                        Some(n) => {
                            left -= (charge_int::<EXACT>(n, $weight) + $more).cast_signed();
                            set(window, $d, Item::Int(n));
                        }
                        None => set(window, $d, slow!($opcode, $operands, $weight, $base)),
                    }
                };
            }
            macro_rules! unary {
                ($of:expr, $opcode:expr, $base:expr, $result:expr) => {{
                    let Of1 { d, a, weight } = $of;
                    put!(d, weight, number(window, a).map($result), 0, $opcode, [get(window, a)], $base);
                }};
            }
            macro_rules! binary {
                ($of:expr, $opcode:expr, $base:expr, $result:expr, $more:ident) => {{
                    let Of2 { d, a, b, weight } = $of;
                    let result = numbers(window, a, b).and_then(|(x, y)| $result(x, y));
                    let more = $more::<EXACT>(window, a, b);
                    put!(d, weight, result, more, $opcode, [get(window, a), get(window, b)], $base);
                }};
            }
            macro_rules! add {
                ($d:expr, $a:expr, $weight:expr, $n:expr) => {{
                    let n = i64::from($n);
                    let sum = number(window, $a).and_then(|x| in_place(x.checked_add(n)));
                    put!($d, $weight, sum, 0, Opcode::Add, [get(window, $a), Item::Int(n)], 2);
                }};
            }
            macro_rules! compare {
                ($kind:expr, $of:expr) => {{
                    let Of2 { d, a, b, weight } = $of;
                    match numbers(window, a, b) {
                        Some((x, y)) => {
                            let truth = $kind.holds(x, y);
                            if EXACT && truth {
                                left -= i64::from(weight);
                            }
                            set(window, d, Item::Int(truth.into()));
                            truth
                        }
                        None => {
                            let item = slow!($kind.opcode(), [get(window, a), get(window, b)], weight, 1);
                            set(window, d, item);
                            item.len() == 1
                        }
                    }
                }};
            }
            // Charges what a comparison says, or lets the kernel compare operands that are no numbers in place.
            macro_rules! truth {
                ($truth:expr, $opcode:expr, $operands:expr) => {
                    match $truth {
                        Some(truth) => {
                            if EXACT && truth {
                                left -= 1;
                            }
                            truth
                        }
                        None => slow!($opcode, $operands, 1u8, 1).len() == 1,
                    }
                };
            }
            macro_rules! go {
                ($to:expr) => {{
                    if left < 0 {
                        return None;
                    }
                    next = $to;
                }};
            }
            loop {
                if ONE && std::mem::replace(&mut done, true) {
                    self.set_left(left);
                    return Some(Exit::Next(next));
                }
                let alone;
                let step = if ONE {
                    alone = Step::of(unit.ops.get(next)?, next);
                    &alone
                } else {
                    unit.steps.get(next)?
                };
                next += 1;
                match *step {
                    Step::Block { low, high, cost: fixed } => {
                        left -= i64::from(fixed);
                        let need = self.base + usize::from(high) + self.elsewhere;
                        if self.base + usize::from(low) < PAD || need > self.most {
                            return None;
                        }
                        if need > self.peak {
                            self.peak = need;
                        }
                    }
                    Step::Cost(fixed) => left -= i64::from(fixed),
                    Step::Charge { a, weight } => left -= charge::<EXACT>(at(window, a), weight).cast_signed(),
                    Step::Refund { a, weight } => left += charge::<EXACT>(at(window, a), weight).cast_signed(),
                    Step::Copy { d, a } => match number(window, a) {
                        Some(n) => set(window, d, Item::Int(n)),
                        None => set(window, d, get(window, a)),
                    },
                    Step::Int { d, n } => set(window, d, Item::Int(n.into())),
                    Step::Constant { d, start, len } => set(window, d, self.kernel.constant(start.into(), len.into())),
                    Step::Negate(of) => unary!(of, Opcode::Negate, 2, |x: i64| -x),
                    Step::Abs(of) => unary!(of, Opcode::Abs, 2, i64::abs),
                    Step::Not(of) => unary!(of, Opcode::Not, 1, |x| i64::from(x == 0)),
                    Step::NotZero(of) => unary!(of, Opcode::NotEqual0, 1, |x| i64::from(x != 0)),
                    Step::Add(of) => binary!(of, Opcode::Add, 2, |x: i64, y| in_place(x.checked_add(y)), free),
                    Step::Sub(of) => binary!(of, Opcode::Sub, 2, |x: i64, y| in_place(x.checked_sub(y)), free),
                    Step::Mul(of) => binary!(of, Opcode::Mul, 2, |x: i64, y| in_place(x.checked_mul(y)), product),
                    Step::Div(of) => binary!(of, Opcode::Div, 2, i64::checked_div, product),
                    Step::Mod(of) => binary!(of, Opcode::Mod, 2, i64::checked_rem, product),
                    Step::Min(of) => binary!(of, Opcode::Min, 2, |x: i64, y| Some(x.min(y)), free),
                    Step::Max(of) => binary!(of, Opcode::Max, 2, |x: i64, y| Some(x.max(y)), free),
                    Step::And(of) => binary!(of, Opcode::BoolAnd, 1, |x, y| Some((x != 0 && y != 0).into()), free),
                    Step::Or(of) => binary!(of, Opcode::BoolOr, 1, |x, y| Some((x != 0 || y != 0).into()), free),
                    Step::AddTo(Of1 { d, a, weight }) => {
                        let of = Of2 { d, a: d, b: a, weight };
                        binary!(of, Opcode::Add, 2, |x: i64, y| in_place(x.checked_add(y)), free)
                    }
                    Step::MaxTo(Of1 { d, a, weight }) => {
                        let of = Of2 { d, a: d, b: a, weight };
                        binary!(of, Opcode::Max, 2, |x: i64, y| Some(x.max(y)), free)
                    }
                    Step::AddInt { d, a, weight, n } => add!(d, a, weight, n),
                    Step::Compare(kind, of) => {
                        compare!(kind, of);
                    }
                    Step::Check(kind, of) => {
                        if !compare!(kind, of) {
                            return None;
                        }
                        next += 1;
                    }
                    Step::Unless { kind, a, b, to } => {
                        let truth = numbers(window, a, b).map(|(x, y)| kind.holds(x, y));
                        if !truth!(truth, kind.opcode(), [get(window, a), get(window, b)]) {
                            go!(to as usize);
                        }
                    }
                    Step::UnlessInt { kind, a, n, to } => {
                        let n = i64::from(n);
                        let truth = number(window, a).map(|x| kind.holds(x, n));
                        if !truth!(truth, kind.opcode(), [get(window, a), Item::Int(n)]) {
                            go!(to as usize);
                        }
                    }
                    Step::Turn { a, n, weight, add, back, cost: fixed } => {
                        add!(a, a, weight, add);
                        let n = i64::from(n);
                        if !truth!(number(window, a).map(|x| x == n), Opcode::NumEqual, [get(window, a), Item::Int(n)])
                        {
                            left -= i64::from(fixed);
                            go!(next.wrapping_sub(back.into()));
                        }
                    }
                    Step::TurnAt { kind, a, b, weight, back, cost: fixed } => {
                        add!(a, a, weight, 1);
                        let truth = numbers(window, a, b).map(|(x, y)| kind.holds(x, y));
                        if !truth!(truth, kind.opcode(), [get(window, a), get(window, b)]) {
                            left -= i64::from(fixed);
                            go!(next.wrapping_sub(back.into()));
                        }
                    }
                    Step::Equal(Of2 { d, a, b, weight }) => {
                        let truth = same(self.kernel, at(window, a), at(window, b));
                        if EXACT && truth {
                            left -= i64::from(weight);
                        }
                        set(window, d, Item::Int(truth.into()));
                    }
                    Step::Size(Of1 { d, a, weight }) => {
                        let n = at(window, a).len() as i64;
                        left -= charge_int::<EXACT>(n, weight).cast_signed();
                        set(window, d, Item::Int(n));
                    }
                    Step::Value { opcode, d, a, weight } => {
                        match number(window, a).and_then(|index| self.kernel.value(opcode, index)) {
                            Some(n) => {
                                left -= charge_int::<EXACT>(n, weight).cast_signed();
                                set(window, d, Item::Int(n));
                            }
                            None => set(window, d, slow!(opcode, [get(window, a)], weight, 1)),
                        }
                    }
                    Step::Verify(a) => {
                        if !is_true(self.kernel, at(window, a)) {
                            return None;
                        }
                    }
                    Step::VerifyEqual { a, b } => {
                        if !same(self.kernel, at(window, a), at(window, b)) {
                            return None;
                        }
                    }
                    Step::Kernel { opcode, operands, results, shape } => {
                        let (operands, results) = (operands.map(usize::from), results.map(usize::from));
                        let before = self.kernel.cost();
                        give(self.kernel, window, opcode, &operands, &results, shape)?;
                        left -= (self.kernel.cost() - before).cast_signed();
                        if left < 0 {
                            return None;
                        }
                    }
                    Step::Jump(to) => go!(to as usize),
                    Step::JumpUnless { a, to } => {
                        if !is_true(self.kernel, at(window, a)) {
                            go!(to as usize);
                        }
                    }
                    Step::JumpIf { a, to } => {
                        if is_true(self.kernel, at(window, a)) {
                            next = to as usize;
                        }
                    }
                    Step::Rest(at) => {
                        self.set_left(left);
                        match self.rest::<EXACT>(unit, at as usize, next)? {
                            Exit::Next(after) => next = after,
                            exit => return Some(exit),
                        }
                        left = self.left();
                        continue 'window;
                    }
                }
            }
        }
    }
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
pub(crate) const fn charge<const EXACT: bool>(item: &Item, weight: u8) -> u64 {
    match item {
        Item::Int(n) => charge_int::<EXACT>(*n, weight),
        // Without exact charges, what a number in place could be has been charged.
        Item::Bytes(_) => (item.len() as u64).saturating_sub(if EXACT { 0 } else { 8 }) * weight as u64,
    }
}

#[inline(always)]
pub(crate) const fn charge_int<const EXACT: bool>(n: i64, weight: u8) -> u64 {
    if EXACT { short_len(n) * weight as u64 } else { 0 }
}

/// The length of a number in place. It is charged so often that it is looked up by the place of the highest bit.
#[inline(always)]
const fn short_len(n: i64) -> u64 {
    let bit = 63 - (n.unsigned_abs() << 1 | 1).leading_zeros();
    // The place of a bit is below 64.
    #[allow(clippy::indexing_slicing)]
    {
        LENS[bit as usize] as u64
    }
}

/// Lengths by the highest bit of twice the magnitude and 1: the sign needs a bit beside the magnitude's, zero needs nothing.
const LENS: [u8; 64] = {
    let mut lens = [0; 64];
    let mut bit = 1;
    while bit < lens.len() {
        // This runs when it is compiled.
        #[allow(clippy::indexing_slicing)]
        {
            lens[bit] = (bit / 8 + 1) as u8;
        }
        bit += 1;
    }
    lens
};

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

/// What most results cost beside their length.
#[inline(always)]
const fn free<const EXACT: bool>(_: &Window, _: Reg, _: Reg) -> u64 {
    0
}

/// What a product or quotient of numbers in place costs beside its length.
#[inline(always)]
const fn product<const EXACT: bool>(window: &Window, a: Reg, b: Reg) -> u64 {
    match (EXACT, number(window, a), number(window, b)) {
        (true, Some(a), Some(b)) => short_len(a) * short_len(b),
        _ => 0,
    }
}

#[inline(always)]
pub(crate) fn is_true(kernel: &Kernel<'_>, item: &Item) -> bool {
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
    let quick = operands.first().and_then(|a| quick(kernel, opcode, a, operands.get(1)));
    let item = match quick {
        Some(item) => item,
        None => kernel.execute(opcode, operands)?.last().copied()?,
    };
    Some((item, charge::<EXACT>(&item, again)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_numbers_in_place_are_those_of_their_encodings() {
        let borders = (0..63).map(|bit| 1i64 << bit).flat_map(|n| [n - 1, n, n + 1, 1 - n, -n, -1 - n]);
        for n in borders.chain([i64::MAX, -i64::MAX]) {
            assert_eq!(short_len(n), spec::num::encoded_len(n) as u64, "{n}");
        }
    }
}
