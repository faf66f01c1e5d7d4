//! What is known of a unit's registers before it runs: how its code is cut into sections, which registers surely hold
//! numbers in place, and which are still read.
//!
//! Both are found by passes over the sections until nothing changes. The number of passes is bounded; if it does not
//! suffice nothing is known, which is always true.

use spec::Opcode;

use crate::ir::{Access, Binary, Op, Reg, TEMPS, Unary, Unit};

/// Passes over all sections.
const PASSES_MAX: usize = 24;

/// A set of registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Set([u64; 4]);

impl Set {
    /// The registers below `end`.
    #[must_use]
    pub fn below(end: usize) -> Self {
        let word = |at: usize| match end.saturating_sub(64 * at) {
            more @ 0..64 => (1 << more) - 1,
            _ => u64::MAX,
        };
        Self([0, 1, 2, 3].map(word))
    }

    /// Whether it has a register.
    #[inline]
    #[must_use]
    pub fn has(&self, reg: Reg) -> bool {
        self.0.get(usize::from(reg >> 6)).is_some_and(|word| word >> (reg & 63) & 1 == 1)
    }

    /// Adds a register or takes it away.
    #[inline]
    pub fn set(&mut self, reg: Reg, into: bool) {
        if let Some(word) = self.0.get_mut(usize::from(reg >> 6)) {
            *word = *word & !(1 << (reg & 63)) | u64::from(into) << (reg & 63);
        }
    }

    /// How many registers below one it has.
    #[inline]
    #[must_use]
    pub fn rank(&self, reg: Reg) -> usize {
        let whole: u32 = self.0.iter().take(usize::from(reg >> 6)).map(|word| word.count_ones()).sum();
        let part = self.0.get(usize::from(reg >> 6)).map_or(0, |word| (word & ((1 << (reg & 63)) - 1)).count_ones());
        (whole + part) as usize
    }

    /// What both have.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    /// What either has.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    /// What the other does not have.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a & !b)
    }

    fn zip(&self, other: &Self, word: impl Fn(u64, u64) -> u64) -> Self {
        let mut new = *self;
        new.0.iter_mut().zip(other.0).for_each(|(a, b)| *a = word(*a, b));
        new
    }

    /// The registers in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Reg> + use<> {
        self.0.into_iter().enumerate().flat_map(|(at, word)| {
            let mut word = word;
            std::iter::from_fn(move || {
                let bit = word.trailing_zeros();
                word &= word.checked_sub(1)?;
                Some((64 * at) as Reg + bit as Reg)
            })
        })
    }
}

/// What a register holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Surely a number in place.
    Int,
    /// Anything; what works on it as a number expects one in place.
    Item,
    /// A product that is divided next, which may be long though the quotient is not.
    Wide,
    /// Most likely a long number, or other bytes.
    Long,
}

/// What the registers hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    ints: Set,
    wides: Set,
    longs: Set,
}

impl Kinds {
    /// What a register holds.
    #[must_use]
    pub fn of(&self, reg: Reg) -> Kind {
        if self.ints.has(reg) {
            Kind::Int
        } else if self.longs.has(reg) {
            Kind::Long
        } else if self.wides.has(reg) {
            Kind::Wide
        } else {
            Kind::Item
        }
    }

    /// The registers that surely hold numbers in place.
    #[must_use]
    pub const fn ints(&self) -> Set {
        self.ints
    }

    /// Sets what a register holds.
    pub fn set(&mut self, reg: Reg, kind: Kind) {
        self.ints.set(reg, kind == Kind::Int);
        self.wides.set(reg, kind == Kind::Wide);
        self.longs.set(reg, kind == Kind::Long);
    }

    fn join(&self, other: &Self) -> Self {
        Self {
            ints: self.ints.and(&other.ints),
            wides: self.wides.or(&other.wides),
            longs: self.longs.or(&other.longs),
        }
    }

    /// What the result of arithmetic is, whose operands are given; numbers in place are expected unless one is known to be
    /// long.
    fn result(&self, op: &Op, after: Option<&Op>, operands: &[Reg]) -> Kind {
        let any = |kind| operands.iter().any(|reg| self.of(*reg) == kind);
        let divides = matches!(op, Op::Binary { kind: Binary::Div | Binary::Mod, .. });
        match (op, after) {
            _ if any(Kind::Long) => Kind::Long,
            _ if any(Kind::Wide) => {
                if divides {
                    Kind::Int
                } else {
                    Kind::Wide
                }
            }
            (Op::Mul { d, .. }, Some(Op::Binary { kind: Binary::Div | Binary::Mod, a, .. })) if a == d => Kind::Wide,
            _ => Kind::Int,
        }
    }

    /// Whether an instruction on these operands goes on only if they are numbers in place. Then they are known to be.
    #[must_use]
    pub fn expects(&self, operands: &[Reg]) -> bool {
        operands.iter().all(|reg| matches!(self.of(*reg), Kind::Int | Kind::Item))
    }

    fn number(&mut self, op: &Op, after: Option<&Op>, d: Reg, operands: &[Reg]) {
        let kind = self.result(op, after, operands);
        self.expect(operands);
        self.set(d, kind);
    }

    fn truth(&mut self, d: Reg, operands: &[Reg]) {
        self.expect(operands);
        self.set(d, Kind::Int);
    }

    fn expect(&mut self, operands: &[Reg]) {
        if self.expects(operands) {
            operands.iter().for_each(|reg| self.set(*reg, Kind::Int));
        }
    }

    /// Goes past an instruction; `after` is the next one.
    pub fn pass(&mut self, op: &Op, after: Option<&Op>) {
        match *op {
            Op::Copy { d, a } => self.set(d, self.of(a)),
            Op::Int { d, .. }
            | Op::Wide { d, .. }
            | Op::Number { d, .. }
            | Op::Size { d, .. }
            | Op::Depth { d, .. }
            | Op::Equal { d, .. } => {
                self.set(d, Kind::Int);
            }
            Op::Data { d, .. } => self.set(d, Kind::Long),
            Op::Unary { kind: Unary::Not | Unary::NotZero, d, a, .. } => self.truth(d, &[a]),
            Op::Compare { d, a, b, .. } | Op::Binary { kind: Binary::And | Binary::Or, d, a, b, .. } => {
                self.truth(d, &[a, b]);
            }
            Op::Unary { d, a, .. } | Op::AddInt { d, a, .. } => self.number(op, after, d, &[a]),
            Op::Add { d, a, b, .. }
            | Op::Sub { d, a, b, .. }
            | Op::Mul { d, a, b, .. }
            | Op::Binary { d, a, b, .. } => self.number(op, after, d, &[a, b]),
            Op::Unless { a, b, .. } => self.expect(&[a, b]),
            Op::UnlessInt { a, .. } => self.expect(&[a]),
            Op::Value { d, a, .. } => {
                self.set(a, Kind::Int);
                self.set(d, Kind::Int);
            }
            Op::Kernel { opcode, results, shape, .. } => {
                let kind = if is_number(opcode) { Kind::Int } else { Kind::Item };
                results.iter().take(usize::from(shape >> 4)).for_each(|reg| self.set(*reg, kind));
            }
            Op::Pick { d, .. } | Op::FromAlt { d, .. } => self.set(d, Kind::Item),
            Op::Shift(_) | Op::Many { .. } | Op::IfDup { .. } | Op::Roll { .. } | Op::Call { .. } => {
                *self = Self::default();
            }
            Op::Block { .. }
            | Op::Cost(_)
            | Op::Charge { .. }
            | Op::Verify(_)
            | Op::VerifyEqual { .. }
            | Op::ToAlt(_)
            | Op::Jump(_)
            | Op::JumpUnless { .. }
            | Op::JumpIf { .. }
            | Op::Separate(_)
            | Op::Define { .. }
            | Op::End(_)
            | Op::Fail => {}
        }
    }
}

/// Whether an instruction of the kernel always gives a number in place.
const fn is_number(opcode: Opcode) -> bool {
    matches!(
        opcode,
        Opcode::Within
            | Opcode::CheckSig
            | Opcode::CheckDataSig
            | Opcode::InputIndex
            | Opcode::TxVersion
            | Opcode::TxInputCount
            | Opcode::TxOutputCount
            | Opcode::TxLockTime
            | Opcode::OutpointIndex
            | Opcode::InputSequenceNumber
    )
}

/// Registers that are read from some point on before they are made anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// By anything, also by what works on the stack in memory.
    pub all: Set,
    /// By instructions that name them, before anything works on the stack in memory.
    pub near: Set,
}

impl Live {
    /// Goes back over an instruction that does not end a section elsewhere.
    fn back(&mut self, op: &Op) {
        let mut named = *op;
        named.registers(&mut |reg, access| {
            if access == Access::Makes {
                self.all.set(*reg, false);
                self.near.set(*reg, false);
            }
        });
        let memory = match *op {
            Op::Roll { top, .. }
            | Op::Call { top, .. }
            | Op::Many { top, .. }
            | Op::IfDup { top }
            | Op::End(top)
            | Op::Pick { top, .. } => Some(top),
            Op::Shift(_) => Some(TEMPS),
            _ => None,
        };
        if let Some(top) = memory {
            self.all = self.all.or(&Set::below(top.into()));
            self.near = Set::default();
        }
        if let Op::End(_) | Op::Fail = op {
            self.all = memory.map_or(Set::default(), |top| Set::below(top.into()));
            self.near = Set::default();
        }
        named.registers(&mut |reg, access| {
            if access == Access::Reads {
                self.all.set(*reg, true);
                self.near.set(*reg, true);
            }
        });
    }
}

/// Instructions that are entered only at their start and left only at their end.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// The first instruction.
    pub start: usize,
    /// One more than the last.
    pub end: usize,
    /// The section that follows, if the last instruction can go on to it.
    pub next: Option<usize>,
    /// The section that the last instruction jumps to, if it does.
    pub to: Option<usize>,
    /// How many ways lead to it.
    pub entries: usize,
    /// Whether a way leads back to it.
    pub turns: bool,
    /// Whether a call ends before it.
    pub resumes: bool,
    /// What the registers hold at its start; nothing if nothing leads to it.
    pub kinds: Option<Kinds>,
    /// What is read from its start on.
    pub live: Live,
}

/// The sections of a unit, in order.
#[derive(Clone, Debug)]
pub struct Flow {
    /// The sections.
    pub sections: Vec<Section>,
}

/// Where an instruction jumps to.
pub(crate) const fn target(op: &Op) -> Option<u32> {
    match *op {
        Op::Jump(to)
        | Op::JumpUnless { to, .. }
        | Op::JumpIf { to, .. }
        | Op::Unless { to, .. }
        | Op::UnlessInt { to, .. } => Some(to),
        _ => None,
    }
}

/// Whether the code never goes on after an instruction, without coming back to it.
const fn ends(op: &Op) -> bool {
    matches!(op, Op::Jump(_) | Op::Call { .. } | Op::End(_) | Op::Fail)
}

impl Flow {
    /// Looks at a unit.
    #[must_use]
    pub fn of(unit: &Unit) -> Self {
        let mut flow = Self { sections: cut(&unit.ops) };
        flow.connect(&unit.ops);
        flow.find_kinds(&unit.ops);
        flow.find_live(&unit.ops);
        flow
    }

    /// The section that starts at an instruction.
    #[must_use]
    pub fn at(&self, start: usize) -> Option<usize> {
        self.sections.binary_search_by_key(&start, |section| section.start).ok()
    }

    fn connect(&mut self, ops: &[Op]) {
        for at in 0..self.sections.len() {
            let Some(section) = self.sections.get(at) else { continue };
            let Some(last) = ops.get(section.end.saturating_sub(1)) else { continue };
            let to = target(last).and_then(|to| self.at(to as usize));
            let next = Some(at + 1).filter(|next| !ends(last) && *next < self.sections.len());
            let resumes = matches!(last, Op::Call { .. });
            if let Some(section) = self.sections.get_mut(at) {
                (section.to, section.next) = (to, next);
            }
            if let Some(after) = self.sections.get_mut(at + 1).filter(|_| resumes) {
                after.resumes = true;
            }
        }
    }

    fn find_kinds(&mut self, ops: &[Op]) {
        for (at, section) in self.sections.iter_mut().enumerate() {
            section.kinds = (at == 0 || section.resumes).then(Kinds::default);
        }
        let mut settled = false;
        for _ in 0..PASSES_MAX {
            settled = true;
            for at in 0..self.sections.len() {
                settled &= !self.pass_kinds(at, ops);
            }
            if settled {
                break;
            }
        }
        if !settled {
            // Every section counts as reached, and nothing is known.
            self.sections.iter_mut().for_each(|section| section.kinds = Some(Kinds::default()));
        }
        for at in 0..self.sections.len() {
            self.count_entries(at);
        }
    }

    /// Carries what a section ends with to those that follow; gives whether any learns something.
    fn pass_kinds(&mut self, at: usize, ops: &[Op]) -> bool {
        let Some(section) = self.sections.get(at).copied() else { return false };
        let Some(mut kinds) = section.kinds else { return false };
        let body = ops.get(section.start..section.end).unwrap_or_default();
        for (place, op) in body.iter().enumerate() {
            kinds.pass(op, body.get(place + 1));
        }
        let mut learns = false;
        for follower in [section.next, section.to].into_iter().flatten() {
            let Some(follower) = self.sections.get_mut(follower) else { continue };
            let joined = Some(follower.kinds.map_or(kinds, |before| before.join(&kinds)));
            learns |= joined != follower.kinds;
            follower.kinds = joined;
        }
        learns
    }

    fn count_entries(&mut self, at: usize) {
        let Some(section) = self.sections.get(at).copied() else { return };
        if at == 0 || section.resumes {
            self.enter(at, false);
        }
        if section.kinds.is_some() {
            for follower in [section.next, section.to].into_iter().flatten() {
                self.enter(follower, follower <= at);
            }
        }
    }

    fn enter(&mut self, at: usize, back: bool) {
        if let Some(section) = self.sections.get_mut(at) {
            section.entries += 1;
            section.turns |= back;
        }
    }

    fn find_live(&mut self, ops: &[Op]) {
        // What each section reads of itself, and what it leaves of what is read after it.
        let through: Vec<[Live; 2]> = self
            .sections
            .iter()
            .map(|section| {
                let all = Set::below(256);
                [Live::default(), Live { all, near: all }].map(|after| self.back(section, ops, after, &mut |_| {}))
            })
            .collect();
        let mut settled = false;
        for _ in 0..PASSES_MAX {
            settled = true;
            for (at, [own, most]) in through.iter().enumerate().rev() {
                let after = self.after(at);
                let live =
                    Live { all: own.all.or(&most.all.and(&after.all)), near: own.near.or(&most.near.and(&after.near)) };
                let Some(section) = self.sections.get_mut(at) else { continue };
                settled &= section.live == live;
                section.live = live;
            }
            if settled {
                break;
            }
        }
        if !settled {
            let all = Set::below(usize::from(TEMPS));
            self.sections.iter_mut().for_each(|section| section.live = Live { all, near: Set::default() });
        }
    }

    /// What is read after a section.
    #[must_use]
    pub fn after(&self, at: usize) -> Live {
        let Some(section) = self.sections.get(at) else { return Live::default() };
        let mut live = Live::default();
        for follower in [section.next, section.to].into_iter().flatten().filter_map(|at| self.sections.get(at)) {
            live.all = live.all.or(&follower.live.all);
            live.near = live.near.or(&follower.live.near);
        }
        live
    }

    /// Goes back through a section and shows what is read from before each instruction on.
    fn back(&self, section: &Section, ops: &[Op], after: Live, show: &mut dyn FnMut(Live)) -> Live {
        let mut live = after;
        for op in ops.get(section.start..section.end).unwrap_or_default().iter().rev() {
            live.back(op);
            show(live);
        }
        live
    }

    /// What is read from before each instruction of a section on.
    #[must_use]
    pub fn lives(&self, at: usize, ops: &[Op]) -> Vec<Live> {
        let Some(section) = self.sections.get(at) else { return Vec::new() };
        let mut lives = Vec::with_capacity(section.end - section.start);
        self.back(section, ops, self.after(at), &mut |live| lives.push(live));
        lives.reverse();
        lives
    }
}

/// The sections, not yet connected.
fn cut(ops: &[Op]) -> Vec<Section> {
    let mut starts = vec![0];
    for (at, op) in ops.iter().enumerate() {
        let to = target(op);
        starts.extend(to.map(|to| to as usize));
        if to.is_some() || ends(op) {
            starts.push(at + 1);
        }
    }
    starts.sort_unstable();
    starts.dedup();
    starts.retain(|start| *start < ops.len());
    let ends = starts.iter().skip(1).copied().chain([ops.len()]);
    let section = |(start, end)| Section {
        start,
        end,
        next: None,
        to: None,
        entries: 0,
        turns: false,
        resumes: false,
        kinds: None,
        live: Live::default(),
    };
    starts.iter().copied().zip(ends).map(section).collect()
}
