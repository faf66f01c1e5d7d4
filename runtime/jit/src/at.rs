//! What is known at a point of the code that is emitted: which registers have values, and what has yet to be done.

use cranelift_codegen::ir::Value;
use engine::flow::{Kind, Kinds, Set};
use engine::ir::Reg;

/// Weights of lengths that are put together before they are charged.
const WEIGHTS: usize = 3;

/// What is known at a point of the code.
#[derive(Clone)]
pub(crate) struct At {
    /// The registers that have a value.
    pub(crate) held: Set,
    /// Those values, in the order of the registers. What is known is copied at every branch, so it is kept small.
    pub(crate) values: Vec<Value>,
    /// The registers whose cells do not hold their value.
    pub(crate) dirty: Set,
    /// The registers whose cells hold a number, if not always the right one: its tag need not be written again.
    pub(crate) tagged: Set,
    pub(crate) kinds: Kinds,
    pub(crate) left: Left,
    /// The address of register 0.
    pub(crate) window: Value,
    /// The registers from this one on are part of the stack.
    pub(crate) low: usize,
    /// There is room up to this register.
    pub(crate) high: usize,
}

/// The cost that is left. Where code is made fast, some of it may yet have to be taken off.
#[derive(Clone, Copy)]
pub(crate) struct Left {
    pub(crate) value: Value,
    /// A constant to be taken off.
    pub(crate) fixed: i64,
    /// How many bytes the numbers that were charged are shorter than eight, together: of those charged once for each byte,
    /// twice, and so on. They have been charged as if they had eight.
    pub(crate) short: [Option<Value>; WEIGHTS],
}

impl Left {
    pub(crate) const fn of(value: Value) -> Self {
        Self { value, fixed: 0, short: [None; WEIGHTS] }
    }
}

impl At {
    /// Where nothing is known of any register.
    pub(crate) fn new(left: Value, window: Value) -> Self {
        Self {
            held: Set::default(),
            values: Vec::new(),
            dirty: Set::default(),
            tagged: Set::default(),
            kinds: Kinds::default(),
            left: Left::of(left),
            window,
            low: usize::MAX,
            high: 0,
        }
    }

    /// The value of a register that has one.
    pub(crate) fn value(&self, reg: Reg) -> Option<Value> {
        if self.held.has(reg) { self.values.get(self.held.rank(reg)).copied() } else { None }
    }

    /// The register has a value or none any more, and its cell holds something else or not.
    pub(crate) fn put(&mut self, reg: Reg, value: Option<Value>, dirty: bool) {
        let (rank, held) = (self.held.rank(reg), self.held.has(reg));
        match (value, self.values.get_mut(rank).filter(|_| held)) {
            (Some(value), Some(old)) => *old = value,
            (Some(value), None) => self.values.insert(rank, value),
            (None, Some(_)) => drop(self.values.remove(rank)),
            (None, None) => {}
        }
        self.held.set(reg, value.is_some());
        self.dirty.set(reg, dirty);
    }

    /// The register has a new value.
    pub(crate) fn make(&mut self, reg: Reg, value: Value) {
        self.put(reg, Some(value), true);
    }

    /// The register's cell holds this number.
    pub(crate) fn know(&mut self, reg: Reg, value: Value) {
        self.put(reg, Some(value), false);
        self.kinds.set(reg, Kind::Int);
        self.tagged.set(reg, true);
    }

    /// The register's cell has been written, with whatever it may be.
    pub(crate) fn in_cell(&mut self, reg: Reg) {
        self.put(reg, None, false);
        self.tagged.set(reg, false);
    }

    /// The stack in memory has moved or changed.
    pub(crate) fn forget(&mut self) {
        self.values.clear();
        (self.held, self.dirty, self.tagged) = (Set::default(), Set::default(), Set::default());
        (self.low, self.high) = (usize::MAX, 0);
    }
}
