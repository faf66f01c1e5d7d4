//! One block while it is made: what is on the stack, where it really is, and what has been charged.
//!
//! Moving and copying items emits nothing: a stack position holds a *symbol*, which names the register where the item is,
//! or the constant it is. Only at the end of the block each item is brought to its own position, which is a set of moves
//! that happen at once.
//!
//! Worked example: `OP_TUCK OP_ADD` on `a b`, in registers 94 and 95. `OP_TUCK` makes the symbols `95 94 95`. `OP_ADD`
//! takes two; its result belongs to register 95, which the lowest symbol still names, so it is made in register 160. At
//! the end 94 := 95, then 95 := 160; the second move is saved where the sum can be made in its place at once.

use spec::num::encoded_len;

use crate::ir::{Access, Binary, Metering, Op, Reg, TEMPS};

/// Where an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sym {
    Reg(Reg),
    Int(i64),
    Data { start: u16, len: u16 },
    Hole { start: u16, len: u16, number: bool },
}

/// Temporaries that the allocator never gives away: for a cycle of moves, for a constant on its way to the alt stack, for a
/// condition that is used after the moves.
const CYCLE: Reg = 255;
const PASSING: Reg = 254;
const KEPT: Reg = 253;

/// Positions that blocks use; the distance to both ends is what one instruction may need.
const TOP_MIN: usize = 16;
const TOP_MAX: usize = 144;
const FREE_MIN: usize = 16;
const ALT_MAX: usize = 24;
const COST_MAX: u64 = 1 << 30;

/// How far back a result is sought that can be made in its place.
const REACH: usize = 48;

/// The code so far and the block at its end.
#[derive(Debug)]
pub(crate) struct Builder {
    pub(crate) ops: Vec<Op>,
    pub(crate) numbers: Vec<i64>,
    /// The register of the first free position.
    pub(crate) top: usize,
    /// The price of an instruction.
    pub(crate) price: u64,
    pub(crate) metering: Metering,
    /// The lowest position that the block has touched; below it every item is at home.
    low: usize,
    high: usize,
    slots: [Sym; TEMPS as usize],
    alt: Vec<Sym>,
    /// How many symbols name each register.
    names: [u16; 256],
    /// The instruction that charges each register's value.
    charges: [Option<u32>; 256],
    /// The instruction that makes each register's value, if it can make it elsewhere.
    makers: [Option<u32>; 256],
    /// The length of each register's value, where it is known.
    lens: [Option<u8>; 256],
    free: Vec<Reg>,
    header: usize,
    cost: u64,
}

/// The entry of a table by register.
fn of<T>(table: &mut [T; 256], reg: Reg) -> &mut T {
    // The index is a byte and the table has 256 entries.
    #[allow(clippy::indexing_slicing)]
    &mut table[usize::from(reg)]
}

impl Builder {
    pub(crate) fn new(price: u64, metering: Metering, top: Reg) -> Self {
        let mut new = Self {
            ops: Vec::new(),
            numbers: Vec::new(),
            top: usize::from(top),
            price,
            metering,
            low: 0,
            high: 0,
            slots: [Sym::Int(0); TEMPS as usize],
            alt: Vec::new(),
            names: [0; 256],
            charges: [None; 256],
            makers: [None; 256],
            lens: [None; 256],
            free: Vec::new(),
            header: 0,
            cost: 0,
        };
        new.open();
        new
    }

    pub(crate) fn here(&self) -> u32 {
        self.ops.len() as u32
    }

    pub(crate) fn emit(&mut self, op: Op) -> usize {
        self.ops.push(op);
        self.ops.len() - 1
    }

    pub(crate) fn aim(&mut self, jump: usize, target: u32) {
        if let Some(op) = self.ops.get_mut(jump) {
            op.aim(target);
        }
    }

    pub(crate) const fn charge(&mut self, cost: u64) {
        self.cost += cost;
    }

    /// Starts a block with every item at home.
    pub(crate) fn open(&mut self) {
        self.names = [0; 256];
        self.charges = [None; 256];
        self.makers = [None; 256];
        self.lens = [None; 256];
        self.free.clear();
        self.free.extend((TEMPS..KEPT).rev());
        self.alt.clear();
        (self.low, self.high, self.cost) = (self.top, self.top, 0);
        self.header = self.emit(Op::Block { low: 0, high: 0, cost: 0 });
    }

    /// Ends the block, whose items are at home.
    pub(crate) fn close(&mut self) {
        let (low, high) = (self.low.min(255) as Reg, self.high.min(255) as Reg);
        let cost = u32::try_from(self.cost).unwrap_or(u32::MAX);
        if let Some(op) = self.ops.get_mut(self.header) {
            *op = Op::Block { low, high, cost };
        }
    }

    /// Ends the block and starts another after it if the next instruction might not fit.
    pub(crate) fn make_room(&mut self) {
        if !(TOP_MIN..=TOP_MAX).contains(&self.top)
            || self.free.len() < FREE_MIN
            || self.alt.len() > ALT_MAX
            || self.cost > COST_MAX
        {
            self.cut();
        }
    }

    /// Ends the block and starts another after it, near the middle of the window.
    pub(crate) fn cut(&mut self) {
        self.settle();
        self.close();
        let middle = usize::from(crate::ir::ENTRY);
        if self.top.abs_diff(middle) > middle / 2 {
            self.emit(Op::Shift(self.top as i16 - middle as i16));
            self.top = middle;
        }
        self.open();
    }

    /// What is `depth` below the top.
    pub(crate) fn peek(&mut self, depth: usize) -> Option<Sym> {
        let at = self.top.checked_sub(depth + 1)?;
        self.touch(at);
        self.slots.get(at).copied()
    }

    fn touch(&mut self, at: usize) {
        while self.low > at {
            self.low -= 1;
            let reg = self.low as Reg;
            if let Some(slot) = self.slots.get_mut(self.low) {
                *slot = Sym::Reg(reg);
            }
            *of(&mut self.names, reg) += 1;
        }
    }

    /// Takes the top item; the caller has its name now, and gives it back with [`Builder::release`].
    pub(crate) fn pop(&mut self) -> Option<Sym> {
        let sym = self.peek(0)?;
        self.top -= 1;
        Some(sym)
    }

    /// Puts an item on the stack, with the caller's name for it.
    pub(crate) fn put(&mut self, sym: Sym) -> Option<()> {
        *self.slots.get_mut(self.top)? = sym;
        self.top += 1;
        self.high = self.high.max(self.top + self.alt.len());
        Some(())
    }

    pub(crate) fn retain(&mut self, sym: Sym) {
        if let Sym::Reg(reg) = sym {
            *of(&mut self.names, reg) += 1;
        }
    }

    pub(crate) fn release(&mut self, sym: Sym) {
        let Sym::Reg(reg) = sym else { return };
        let names = of(&mut self.names, reg);
        *names = names.saturating_sub(1);
        if *names == 0 && (TEMPS..KEPT).contains(&reg) {
            self.free.push(reg);
        }
    }

    /// Puts a copy of an item on the stack and charges it.
    pub(crate) fn put_copy(&mut self, sym: Sym) -> Option<()> {
        self.charge_item(sym);
        self.retain(sym);
        self.put(sym)
    }

    /// Turns the top `count` items round so that the lowest `by` of them are on top.
    pub(crate) fn rotate(&mut self, count: usize, by: usize) -> Option<()> {
        let start = self.top.checked_sub(count)?;
        self.touch(start);
        self.slots.get_mut(start..self.top)?.rotate_left(by);
        Some(())
    }

    pub(crate) fn put_alt(&mut self, sym: Sym) {
        self.alt.push(sym);
    }

    pub(crate) fn pop_alt(&mut self) -> Option<Sym> {
        self.alt.pop()
    }

    /// Charges the length of an item.
    pub(crate) fn charge_item(&mut self, sym: Sym) {
        if let Some(len) = self.known_len(sym) {
            self.cost += len as u64;
            return;
        }
        let Sym::Reg(reg) = sym else { return };
        let site = *of(&mut self.charges, reg);
        let made = site.and_then(|site| self.ops.get_mut(site as usize));
        let bound = made.as_ref().map_or(8, |op| op.bound());
        let again = made.is_some_and(|op| op.charge_more(1).is_some());
        if self.metering == Metering::Bound {
            self.cost += bound;
        }
        if !again {
            let site = self.emit(Op::Charge { a: reg, weight: 1 });
            *of(&mut self.charges, reg) = Some(site as u32);
        }
    }

    pub(crate) fn known_len(&mut self, sym: Sym) -> Option<usize> {
        match sym {
            Sym::Int(n) => Some(encoded_len(n)),
            Sym::Data { len, .. } | Sym::Hole { len, .. } => Some(usize::from(len)),
            Sym::Reg(reg) => of(&mut self.lens, reg).map(usize::from),
        }
    }

    /// A register for the next result on the stack: the position's own, unless something there is still needed.
    pub(crate) fn target(&mut self) -> Option<Reg> {
        let own = Reg::try_from(self.top).ok().filter(|own| *own < TEMPS)?;
        if *of(&mut self.names, own) == 0 { Some(own) } else { self.free.pop() }
    }

    /// Puts the result in `reg` on the stack, which the instruction at `site` makes and perhaps also charges.
    pub(crate) fn put_result(&mut self, reg: Reg, site: usize, charges: bool, len: Option<u8>) -> Option<()> {
        *of(&mut self.names, reg) += 1;
        *of(&mut self.makers, reg) = Some(site as u32);
        *of(&mut self.charges, reg) = charges.then_some(site as u32);
        *of(&mut self.lens, reg) = len;
        self.put(Sym::Reg(reg))
    }

    /// Emits what makes one result and puts it on the stack.
    pub(crate) fn make(&mut self, op: impl FnOnce(Reg) -> Op) -> Option<()> {
        let reg = self.target()?;
        let op = op(reg);
        if self.metering == Metering::Bound {
            let product =
                if let Op::Mul { .. } | Op::Binary { kind: Binary::Div | Binary::Mod, .. } = op { 64 } else { 0 };
            self.cost += op.bound() * op.weight() + product;
        }
        let site = self.emit(op);
        self.put_result(reg, site, true, None)
    }

    /// Brings a taken item into a register.
    pub(crate) fn load(&mut self, sym: Sym) -> Option<Reg> {
        match sym {
            Sym::Reg(reg) => Some(reg),
            Sym::Int(_) | Sym::Data { .. } | Sym::Hole { .. } => {
                let reg = self.free.pop()?;
                *of(&mut self.names, reg) = 1;
                self.load_into(reg, sym);
                Some(reg)
            }
        }
    }

    fn load_into(&mut self, d: Reg, sym: Sym) {
        *of(&mut self.charges, d) = None;
        *of(&mut self.makers, d) = None;
        *of(&mut self.lens, d) = None;
        let op = match sym {
            Sym::Reg(a) => Op::Copy { d, a },
            Sym::Hole { start, len, number: true } => Op::Number { d, start, len: len.min(8) as u8 },
            Sym::Data { start, len } | Sym::Hole { start, len, number: false } => Op::Data { d, start, len },
            Sym::Int(n) => match i32::try_from(n) {
                Ok(n) => Op::Int { d, n },
                Err(_) => {
                    self.numbers.push(n);
                    Op::Wide { d, at: self.numbers.len() as u32 - 1 }
                }
            },
        };
        self.emit(op);
    }

    /// Takes the top item into a register.
    pub(crate) fn pop_reg(&mut self) -> Option<Reg> {
        let sym = self.pop()?;
        self.load(sym)
    }

    /// Gives a register back that [`Builder::pop_reg`] gave.
    pub(crate) fn drop_reg(&mut self, reg: Reg) {
        self.release(Sym::Reg(reg));
    }

    /// Whether a register keeps its value when every item but the top one is brought home.
    pub(crate) fn stays(&self, reg: Reg) -> bool {
        let at = usize::from(reg);
        !(self.low..self.top.saturating_sub(1)).contains(&at) || self.slots.get(at) == Some(&Sym::Reg(reg))
    }

    /// Whether only one symbol names a register.
    pub(crate) fn is_last_name(&self, reg: Reg) -> bool {
        self.names.get(usize::from(reg)) == Some(&1)
    }

    /// The last instruction of the block.
    pub(crate) fn last(&self) -> Option<Op> {
        self.ops.last().copied().filter(|_| self.ops.len() > self.header + 1)
    }

    /// Takes the last instruction back.
    pub(crate) fn undo(&mut self) {
        self.ops.pop();
    }

    /// Brings every item home and gives a register in which a value that was taken from the stack still is.
    pub(crate) fn settle_keeping(&mut self, reg: Reg) -> Reg {
        let at = usize::from(reg);
        let moved = (self.low..self.top).contains(&at) && self.slots.get(at) != Some(&Sym::Reg(reg));
        let kept = if moved { KEPT } else { reg };
        if moved {
            self.emit(Op::Copy { d: KEPT, a: reg });
        }
        self.settle_around(&[kept]);
        kept
    }

    /// Brings every item home.
    pub(crate) fn settle(&mut self) {
        self.settle_around(&[]);
    }

    /// Brings every item home and leaves the values in some registers, which no move may overwrite.
    pub(crate) fn settle_around(&mut self, kept: &[Reg]) {
        for sym in std::mem::take(&mut self.alt) {
            let reg = match sym {
                Sym::Reg(reg) => reg,
                Sym::Int(_) | Sym::Data { .. } | Sym::Hole { .. } => {
                    self.load_into(PASSING, sym);
                    PASSING
                }
            };
            self.emit(Op::ToAlt(reg));
        }
        self.make_at_home(kept);
        self.move_home();
        self.names = [0; 256];
        for at in self.low..self.top {
            *of(&mut self.names, at as Reg) = 1;
        }
        self.free.clear();
        self.free.extend((TEMPS..KEPT).rev());
    }

    /// Lets results be made in their places, where nothing needs what is there in between.
    fn make_at_home(&mut self, kept: &[Reg]) {
        for at in self.low..self.top {
            let home = at as Reg;
            let Some(&Sym::Reg(temp)) = self.slots.get(at) else { continue };
            if temp >= TEMPS && !kept.contains(&temp) && !kept.contains(&home) && *of(&mut self.names, home) == 0 {
                self.make_in(temp, home);
            }
        }
    }

    fn make_in(&mut self, temp: Reg, home: Reg) -> Option<()> {
        let maker = *of(&mut self.makers, temp);
        let site = maker? as usize;
        if site <= self.header || self.ops.len() - site > REACH {
            return None;
        }
        let (first, rest) = self.ops.get_mut(site..)?.split_first_mut()?;
        // An instruction with two results cannot make both in one place, though one of them is dropped.
        let (mut made, mut taken) = (false, false);
        first.registers(&mut |reg, access| {
            made |= access == Access::Makes && *reg == temp;
            taken |= access == Access::Makes && *reg == home;
        });
        let mut needed = taken || !made;
        rest.iter_mut().for_each(|op| op.registers(&mut |reg, _| needed |= *reg == home));
        if needed {
            return None;
        }
        first.registers(&mut |reg, access| {
            if access == Access::Makes && *reg == temp {
                *reg = home;
            }
        });
        let mut rename = |reg: &mut Reg, _| {
            if *reg == temp {
                *reg = home;
            }
        };
        rest.iter_mut().for_each(|op| op.registers(&mut rename));
        for slot in self.slots.get_mut(self.low..self.top)?.iter_mut().filter(|slot| **slot == Sym::Reg(temp)) {
            *slot = Sym::Reg(home);
        }
        *of(&mut self.makers, home) = maker;
        let charges = *of(&mut self.charges, temp);
        *of(&mut self.charges, home) = charges;
        let len = *of(&mut self.lens, temp);
        *of(&mut self.lens, home) = len;
        Some(())
    }

    /// The moves: first those whose destination nobody reads any more; a cycle is opened by putting one value aside.
    fn move_home(&mut self) {
        let mut readers = [0u16; 256];
        let mut waiting: Vec<usize> = Vec::new();
        for at in self.low..self.top {
            let Some(sym) = self.slots.get(at).copied().filter(|sym| *sym != Sym::Reg(at as Reg)) else { continue };
            waiting.push(at);
            if let Sym::Reg(reg) = sym {
                *of(&mut readers, reg) += 1;
            }
        }
        let mut ready: Vec<usize> = waiting.iter().copied().filter(|at| *of(&mut readers, *at as Reg) == 0).collect();
        let mut left = waiting.len();
        while left > 0 {
            while let Some(at) = ready.pop() {
                left -= 1;
                let Some(slot) = self.slots.get_mut(at) else { continue };
                let sym = std::mem::replace(slot, Sym::Reg(at as Reg));
                self.load_into(at as Reg, sym);
                let Sym::Reg(from) = sym else { continue };
                let count = of(&mut readers, from);
                *count = count.saturating_sub(1);
                let waits = self.slots.get(usize::from(from)).is_some_and(|sym| *sym != Sym::Reg(from));
                if *count == 0 && waits && (self.low..self.top).contains(&usize::from(from)) {
                    ready.push(from.into());
                }
            }
            let home = |at: &usize| self.slots.get(*at) == Some(&Sym::Reg(*at as Reg));
            if let Some(at) = waiting.iter().copied().find(|at| !home(at)) {
                self.open_cycle(at, &waiting);
                *of(&mut readers, CYCLE) = std::mem::take(of(&mut readers, at as Reg));
                ready.push(at);
            }
        }
    }

    /// Copies the register of position `at`, which is to be overwritten, and lets its readers read the copy.
    fn open_cycle(&mut self, at: usize, waiting: &[usize]) {
        self.emit(Op::Copy { d: CYCLE, a: at as Reg });
        for reader in waiting {
            if let Some(slot) = self.slots.get_mut(*reader).filter(|sym| **sym == Sym::Reg(at as Reg)) {
                *slot = Sym::Reg(CYCLE);
            }
        }
    }
}
