//! From register code to Cranelift's code: sections, and where values are.
//!
//! Registers that surely hold numbers in place are values of Cranelift; where several ways meet, those that are read soon
//! are parameters of the block. All others are in their cells. A value whose cell holds something else is *dirty*: it is
//! written back before anything works on the stack in memory, and where the code is left for the interpreter. That is
//! also what happens when a number becomes too long, so that nothing need be undone.
//!
//! Code that is made fast has no parameters, and puts off what code that is made well does at each instruction: whether
//! numbers have become too long is a *doubt* until something else than values depends on it.

use cranelift_codegen::ir::condcodes::{CondCode as _, IntCC};
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    AbiParam, Block, BlockArg, Function, InstBuilder, JumpTableData, MemFlagsData, SigRef, Signature, Value,
};
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use engine::flow::{Flow, Kind, Live, Section, Set};
use engine::ir::{Compare, Metering, Op, Reg, TEMPS, Unit};

use crate::at::{At, Left};
use crate::calls::{self, CELL, NUMBER};

/// Registers that are parameters of a block, at most.
const PARAMS_MAX: usize = 16;
/// Values whose cells hold something else, at most: in code that is made well, and in other.
const DIRTY_MAX_HOT: usize = 16;
const DIRTY_MAX: usize = 4;
/// Results that nothing checks, for each that is written back at once in code that is made well.
const UNCHECKED_MAX: usize = 4;
/// Calls after which machine code goes on, at most.
const RESUMED_MAX: usize = 64;

/// A section that several ways lead to.
#[derive(Clone)]
struct Meeting {
    block: Block,
    params: Vec<Reg>,
    /// What every way up to now has checked.
    low: usize,
    high: usize,
    done: bool,
}

/// A way out to the interpreter.
struct Exit {
    block: Block,
    /// What to write back, and whether the cell holds a number.
    dirty: Vec<(Reg, Value, bool)>,
    /// A sum, and its operands, which are found from it again: so it can take the place of the first.
    sum: Option<[Value; 3]>,
    left: Left,
    window: Value,
    /// Where the interpreter goes on.
    to: usize,
}

/// What would make a result wrong.
#[derive(Clone, Copy)]
pub(crate) enum Wrong {
    /// How a number compares to a constant.
    If(IntCC, Value, i64),
    /// This is not 0.
    Flag(Value),
    /// This is below zero.
    Sign(Value),
}

/// Results that may be wrong, and the way out to where the first of them was made.
struct Doubt {
    wrong: Option<Wrong>,
    /// A number that is below zero if a result is wrong. Those are put together by themselves.
    sign: Option<Value>,
    out: Block,
}

/// Makes the function of one unit.
pub(crate) struct Emit<'e> {
    pub(crate) b: FunctionBuilder<'e>,
    pub(crate) unit: &'e Unit,
    pub(crate) flow: &'e Flow,
    pub(crate) exact: bool,
    pub(crate) shared: Value,
    /// Constants that the lengths of numbers are made with.
    pub(crate) three: Value,
    pub(crate) eight: Value,
    pub(crate) fail: Block,
    leave: Block,
    /// The address of register 0, if it never moves.
    window: Option<Value>,
    meetings: Vec<Option<Meeting>>,
    /// What is known at the start of a section that one way leads to, and the block of it.
    waiting: Vec<Option<(Block, At)>>,
    exits: Vec<Exit>,
    /// Whether the code is made well, and not fast.
    pub(crate) hot: bool,
    /// Numbers of the section whose lengths have been computed on the way to where the code is, and how much shorter than
    /// eight bytes they are.
    pub(crate) lens: Vec<(Value, Value)>,
    /// The number that was checked last, and how much it is.
    pub(crate) magnitude: Option<(Value, Value)>,
    /// Where code is made fast, arithmetic that only makes values is checked at once for several instructions.
    doubt: Option<Doubt>,
    /// Results up to now that nothing checks.
    unchecked: usize,
    pub(crate) calls: Signatures,
    /// What is read from each instruction of the section on.
    pub(crate) lives: Vec<Live>,
    /// The first instruction of the section.
    pub(crate) start: usize,
    /// Whether the next instruction has been emitted with this one.
    pub(crate) skip: bool,
}

/// How what is called takes its arguments.
#[derive(Clone, Copy)]
pub(crate) struct Signatures {
    pub(crate) step: SigRef,
    pub(crate) same: SigRef,
    pub(crate) truth: SigRef,
    pub(crate) quick: SigRef,
}

/// Emits `unit` and gives the instructions where the function can be entered.
pub(crate) fn emit(
    func: &mut Function,
    scratch: &mut FunctionBuilderContext,
    unit: &Unit,
    flow: &Flow,
    isa: &dyn TargetIsa,
    hot: bool,
) -> Option<Vec<usize>> {
    let signature = |takes: usize| {
        let mut signature = Signature::new(isa.default_call_conv());
        signature.params.extend(vec![AbiParam::new(I64); takes]);
        signature.returns.push(AbiParam::new(I64));
        signature
    };
    func.signature = signature(2);
    let mut b = FunctionBuilder::new(func, scratch);
    let calls = Signatures {
        step: b.import_signature(signature(3)),
        same: b.import_signature(signature(3)),
        truth: b.import_signature(signature(2)),
        quick: b.import_signature(signature(6)),
    };
    let first = b.create_block();
    b.append_block_params_for_function_params(first);
    b.switch_to_block(first);
    let [shared, entry] = *b.block_params(first) else { return None };
    let [three, eight] = [3, 8].map(|n| b.ins().iconst(I64, n));
    let (fail, leave) = (b.create_block(), b.create_block());
    let count = flow.sections.len();
    let moving = |op: &Op| matches!(op, Op::Shift(_) | Op::Many { .. } | Op::IfDup { .. } | Op::Call { .. });
    let mut emit = Emit {
        b,
        unit,
        flow,
        exact: unit.metering == Metering::Exact,
        shared,
        three,
        eight,
        fail,
        leave,
        window: None,
        meetings: vec![None; count],
        waiting: vec![const { None }; count],
        exits: Vec::new(),
        hot,
        lens: Vec::new(),
        magnitude: None,
        doubt: None,
        unchecked: 0,
        calls,
        lives: Vec::new(),
        start: 0,
        skip: false,
    };
    let entries = emit.enter(entry, unit.ops.iter().any(moving))?;
    for section in 0..count {
        emit.section(section)?;
    }
    emit.finish()?;
    emit.b.seal_all_blocks();
    emit.b.finalize(isa.frontend_config());
    Some(entries)
}

impl Emit<'_> {
    /// Begins the function.
    fn enter(&mut self, entry: Value, moves: bool) -> Option<Vec<usize>> {
        let left = self.field(calls::LEFT);
        let window = self.field(calls::WINDOW);
        self.window = Some(window).filter(|_| !moves);
        let start = At::new(left, window);
        let flow = self.flow;
        let open = |at: &usize| flow.sections.get(*at).is_some_and(|section| *at == 0 || section.resumes);
        let sections: Vec<usize> = (0..flow.sections.len()).filter(open).take(1 + RESUMED_MAX).collect();
        let entries = sections.iter().filter_map(|at| Some(self.flow.sections.get(*at)?.start)).collect();
        if let [only] = *sections {
            self.go(start, only, false)?;
            return Some(entries);
        }
        let blocks: Vec<Block> = sections.iter().map(|_| self.b.create_block()).collect();
        let table: Vec<_> = blocks.iter().map(|block| self.b.func.dfg.block_call(*block, &[])).collect();
        let otherwise = self.b.func.dfg.block_call(self.fail, &[]);
        let table = self.b.create_jump_table(JumpTableData::new(otherwise, &table));
        let entry = self.b.ins().ireduce(I32, entry);
        self.b.ins().br_table(entry, table);
        for (section, block) in sections.into_iter().zip(blocks) {
            self.b.switch_to_block(block);
            self.go(start.clone(), section, false)?;
        }
        Some(entries)
    }

    /// Emits what all sections share.
    fn finish(&mut self) -> Option<()> {
        for exit in std::mem::take(&mut self.exits) {
            self.b.switch_to_block(exit.block);
            self.b.set_cold_block(exit.block);
            let before = exit.sum.map(|[sum, a, b]| (a, self.b.ins().isub(sum, b)));
            for (reg, value, tagged) in exit.dirty {
                let value = before.filter(|(a, _)| *a == value).map_or(value, |(_, before)| before);
                self.store(exit.window, reg, value, tagged);
            }
            let to = self.b.ins().iconst(I64, exit.to as i64);
            let left = self.settled(exit.left);
            self.b.ins().jump(self.leave, &[to, left, exit.window].map(BlockArg::Value));
        }
        // A way that turned out to lead nowhere.
        for meeting in std::mem::take(&mut self.meetings).into_iter().flatten().filter(|meeting| !meeting.done) {
            self.b.switch_to_block(meeting.block);
            self.b.ins().jump(self.fail, &[]);
        }
        let [to, left, window] = [(); 3].map(|()| self.b.append_block_param(self.leave, I64));
        self.b.switch_to_block(self.leave);
        self.set_field(calls::LEFT, left);
        self.set_field(calls::WINDOW, window);
        self.b.ins().return_(&[to]);
        self.b.switch_to_block(self.fail);
        self.b.set_cold_block(self.fail);
        let never = self.b.ins().iconst(I64, -1);
        self.b.ins().return_(&[never]);
        Some(())
    }

    fn section(&mut self, number: usize) -> Option<()> {
        let section = *self.flow.sections.get(number)?;
        let meets = self.meetings.get_mut(number)?.as_mut().map(|meeting| {
            meeting.done = true;
            meeting.clone()
        });
        let mut at = match (meets, self.waiting.get_mut(number)?.take()) {
            (Some(meeting), _) => self.meet(&section, &meeting)?,
            (None, Some((block, at))) => {
                self.b.switch_to_block(block);
                at
            }
            // Nothing leads here.
            (None, None) => return Some(()),
        };
        self.lives = self.flow.lives(number, &self.unit.ops);
        self.start = section.start;
        self.lens.clear();
        for place in section.start..section.end {
            if std::mem::take(&mut self.skip) {
                at.kinds.pass(self.unit.ops.get(place)?, self.unit.ops.get(place + 1));
                continue;
            }
            let left = at.left.value;
            if !self.op(&mut at, place, number)? {
                return Some(());
            }
            if self.hot {
                self.pin(&mut at, place, left);
            }
            self.limit_dirty(&mut at, place);
        }
        self.be_sure();
        self.go(at, section.next?, false)
    }

    /// What is known where several ways meet.
    fn meet(&mut self, section: &Section, meeting: &Meeting) -> Option<At> {
        self.b.switch_to_block(meeting.block);
        let [left, params @ ..] = self.b.block_params(meeting.block) else { return None };
        let (window, params) = match self.window {
            Some(window) => (window, params),
            None => params.split_first().map(|(window, params)| (*window, params))?,
        };
        let kinds = section.kinds?;
        let tagged = kinds.ints().and(&section.live.all);
        let known = At::new(*left, window);
        let mut at = At { tagged, kinds, low: meeting.low, high: meeting.high, ..known };
        for (reg, value) in meeting.params.iter().zip(params) {
            at.make(*reg, *value);
            at.tagged.set(*reg, false);
        }
        Some(at)
    }

    /// Goes to a section.
    fn go(&mut self, mut at: At, to: usize, back: bool) -> Option<()> {
        let section = *self.flow.sections.get(to)?;
        if section.entries == 1 && !section.turns {
            let block = self.begun_block();
            *self.waiting.get_mut(to)? = Some((block, at));
            return Some(());
        }
        let meeting = self.meeting(to, &section)?;
        let kept: Vec<Reg> = meeting.params.clone();
        let mut cells = at.dirty.and(&section.live.all);
        kept.iter().for_each(|reg| cells.set(*reg, false));
        self.write_back(&mut at, cells);
        if back {
            self.check_left(&mut at);
        }
        if section.turns {
            self.check_turn(&mut at, &section);
        }
        let meeting = self.meetings.get_mut(to)?.as_mut()?;
        if !section.turns {
            meeting.low = meeting.low.max(at.low);
            meeting.high = meeting.high.min(at.high);
        }
        let block = meeting.block;
        let args = self.arguments(&mut at, &kept);
        self.b.ins().jump(block, &args);
        Some(())
    }

    /// The block that the code has come to if that is empty, or one that it goes to.
    fn begun_block(&mut self) -> Block {
        if let Some(block) = self.b.current_block()
            && self.b.func.layout.first_inst(block).is_none()
        {
            return block;
        }
        let block = self.b.create_block();
        self.b.ins().jump(block, &[]);
        block
    }

    /// The number that ends the loop at the end of a section when it is 0. To branch on it and not on a comparison lets
    /// Cranelift see that the number before it is needed no more.
    fn counted(&self, at: &At, section: usize) -> Option<Value> {
        let end = self.flow.sections.get(section)?.end;
        match self.unit.ops.get(end.checked_sub(1)?)? {
            Op::UnlessInt { kind: Compare::Equal, a, n: 0, .. } => {
                at.value(*a).filter(|_| at.kinds.of(*a) == Kind::Int)
            }
            _ => None,
        }
    }

    /// The value, by a way through memory that Cranelift does not look through: it would compute it anew from what it was in
    /// a loop before, and keep that alive all through the loop.
    fn opaque(&mut self, left: Value) -> Value {
        self.set_field(calls::LEFT, left);
        let place = self.b.ins().iadd_imm_s(self.shared, i64::from(calls::LEFT));
        self.b.ins().atomic_load(I64, MemFlagsData::trusted(), place)
    }

    /// The block of a loop and what goes to it, if nothing need be done on the way back to it.
    fn turn(&mut self, at: &mut At, to: usize) -> Option<(Block, Vec<BlockArg>)> {
        let section = *self.flow.sections.get(to)?;
        let Meeting { block, params, low, high, .. } = self.meeting(to, &section)?;
        let mut cells = at.dirty.and(&section.live.all);
        params.iter().for_each(|reg| cells.set(*reg, false));
        if cells != Set::default() || low < at.low || high > at.high {
            return None;
        }
        Some((block, self.arguments(at, &params)))
    }

    /// What goes to a block with these parameters.
    fn arguments(&mut self, at: &mut At, params: &[Reg]) -> Vec<BlockArg> {
        let mut args = vec![BlockArg::Value(self.left(at))];
        if self.window.is_none() {
            args.push(BlockArg::Value(at.window));
        }
        args.extend(params.iter().map(|reg| BlockArg::Value(self.known_number(at, *reg))));
        args
    }

    /// The block of a section that several ways lead to.
    fn meeting(&mut self, to: usize, section: &Section) -> Option<Meeting> {
        if let Some(meeting) = self.meetings.get(to)? {
            return Some(meeting.clone());
        }
        let ints = section.kinds?.ints();
        // Where code is made fast, a parameter lies in memory like a cell, and has to be brought there.
        let most = if self.hot { PARAMS_MAX } else { 0 };
        let params: Vec<Reg> = section.live.near.and(&section.live.all).and(&ints).iter().take(most).collect();
        let block = self.b.create_block();
        for _ in 0..=params.len() + usize::from(self.window.is_none()) {
            self.b.append_block_param(block, I64);
        }
        let (low, high) = match self.unit.ops.get(section.start) {
            Some(Op::Block { low, high, .. }) if section.turns => (usize::from(*low), usize::from(*high)),
            _ if section.turns => (usize::MAX, 0),
            _ => (0, usize::MAX),
        };
        let meeting = Meeting { block, params, low, high, done: false };
        *self.meetings.get_mut(to)? = Some(meeting.clone());
        Some(meeting)
    }

    /// Checks before each way into a loop what its first block would check in every turn.
    fn check_turn(&mut self, at: &mut At, section: &Section) {
        if let Some(Op::Block { low, high, .. }) = self.unit.ops.get(section.start) {
            self.check_room(at, usize::from(*low), usize::from(*high));
        }
    }

    /// Goes to `to` unless `condition` holds.
    pub(crate) fn unless(&mut self, mut at: At, condition: Value, to: usize, from: usize) -> Option<()> {
        let next = self.flow.sections.get(from)?.next?;
        self.left(&mut at);
        if to <= from
            && let Some((turn, args)) = self.turn(&mut at, to)
        {
            self.check_left(&mut at);
            let holds = self.b.create_block();
            match self.counted(&at, from) {
                Some(count) => self.b.ins().brif(count, turn, &args, holds, &[]),
                None => self.b.ins().brif(condition, holds, &[], turn, &args),
            };
            self.b.switch_to_block(holds);
            if self.hot {
                at.left = Left::of(self.opaque(at.left.value));
            }
            return self.go(at, next, false);
        }
        let (holds, fails) = (self.b.create_block(), self.b.create_block());
        self.b.ins().brif(condition, holds, &[], fails, &[]);
        self.b.switch_to_block(holds);
        self.go(at.clone(), next, false)?;
        self.b.switch_to_block(fails);
        self.go(at, to, to <= from)
    }

    /// Goes to `to`.
    pub(crate) fn jump(&mut self, at: At, to: usize, from: usize) -> Option<()> {
        self.go(at, to, to <= from)
    }

    /// Ends here, for the interpreter to go on at an instruction of this section.
    pub(crate) fn exit(&mut self, at: &At, place: usize) {
        let block = self.way_out(at, place);
        self.b.ins().jump(block, &[]);
    }

    /// A block that leaves for the interpreter, which goes on at an instruction of this section or after it.
    pub(crate) fn way_out(&mut self, at: &At, place: usize) -> Block {
        let block = self.b.create_block();
        let live = self.lives.get(place - self.start).map_or(Set::below(usize::from(TEMPS)), |live| live.all);
        let dirty = at.dirty.and(&live).iter();
        let dirty = dirty.filter_map(|reg| Some((reg, at.value(reg)?, at.tagged.has(reg)))).collect();
        self.exits.push(Exit { block, dirty, sum: None, left: at.left, window: at.window, to: place });
        block
    }

    /// The way out of arithmetic at an instruction: where there is a doubt already, to its first instruction.
    pub(crate) fn way_out_of_arithmetic(&mut self, at: &At, place: usize) -> Block {
        match &self.doubt {
            Some(doubt) => doubt.out,
            None => self.way_out(at, place),
        }
    }

    /// Goes out if a result is wrong: at once where code is made well, and otherwise before anything else depends on it than
    /// values.
    pub(crate) fn doubt(&mut self, wrong: Wrong, out: Block) {
        let mut doubt = self.doubt.take().unwrap_or(Doubt { wrong: None, sign: None, out });
        if let Wrong::Sign(sign) = wrong {
            doubt.sign = Some(doubt.sign.map_or(sign, |other| self.b.ins().bor(other, sign)));
        } else {
            doubt.wrong = Some(doubt.wrong.map_or(wrong, |other| self.either(other, wrong)));
        }
        self.doubt = Some(doubt);
        if self.hot {
            self.be_sure();
        }
    }

    fn either(&mut self, a: Wrong, b: Wrong) -> Wrong {
        let [a, b] = [a, b].map(|wrong| match wrong {
            Wrong::If(condition, a, n) => self.b.ins().icmp_imm_s(condition, a, n),
            Wrong::Flag(flag) => flag,
            Wrong::Sign(sign) => self.b.ins().icmp_imm_s(IntCC::SignedLessThan, sign, 0),
        });
        Wrong::Flag(self.b.ins().bor(a, b))
    }

    /// Goes out if a result up to now is wrong.
    pub(crate) fn be_sure(&mut self) {
        let Some(Doubt { wrong, sign, out }) = self.doubt.take() else { return };
        let wrong = match (wrong, sign.map(Wrong::Sign)) {
            (Some(wrong), Some(sign)) => self.either(wrong, sign),
            (Some(wrong), None) | (None, Some(wrong)) => wrong,
            (None, None) => return,
        };
        match wrong {
            Wrong::If(condition, a, n) => self.out_if_int(condition, a, n, out),
            Wrong::Flag(flag) => self.out_if_int(IntCC::NotEqual, flag, 0, out),
            Wrong::Sign(sign) => self.out_if_int(IntCC::SignedLessThan, sign, 0, out),
        }
    }

    /// The way out through `block` finds the first operand of a sum from the sum.
    pub(crate) fn undo_sum(&mut self, block: Block, sum: Value, [a, b]: [Value; 2]) {
        if let Some(exit) = self.exits.iter_mut().rfind(|exit| exit.block == block) {
            exit.sum = Some([sum, a, b]);
        }
    }

    /// Makes sure that values are computed where they are made. Cranelift would put what has no effect where it is used,
    /// which for the ways out is many times; so what is left is written each time that it changes by more than a constant,
    /// and every fourth result that nothing checks.
    fn pin(&mut self, at: &mut At, place: usize, before: Value) {
        if self.exact && at.left.value != before {
            self.set_field(calls::LEFT, at.left.value);
        }
        let unchecked = match self.unit.ops.get(place) {
            Some(
                Op::Unary { d, .. }
                | Op::Binary { d, .. }
                | Op::Compare { d, .. }
                | Op::Equal { d, .. }
                | Op::Size { d, .. }
                | Op::Depth { d, .. }
                | Op::Number { d, .. },
            ) => *d,
            _ => return,
        };
        self.unchecked += 1;
        if self.unchecked.is_multiple_of(UNCHECKED_MAX) {
            self.settle_one(at, unchecked);
        }
    }

    /// Writes values back if there are too many whose cells hold something else. Where code is made fast, every value that
    /// outlives a block is in memory anyway, so those that cells hold too are forgotten.
    fn limit_dirty(&mut self, at: &mut At, place: usize) {
        let live = self.lives.get(place + 1 - self.start).copied().unwrap_or_default();
        if self.lives.len() > place + 1 - self.start {
            at.dirty = at.dirty.and(&live.all);
        }
        let most = if self.hot { DIRTY_MAX_HOT } else { DIRTY_MAX };
        if at.dirty.iter().count() > most {
            self.write_back(at, at.dirty);
        }
        if !self.hot {
            for reg in at.held.without(&at.dirty).iter() {
                at.put(reg, None, false);
            }
        }
    }

    /// Writes the values of some registers to their cells.
    pub(crate) fn write_back(&mut self, at: &mut At, regs: Set) {
        let regs = regs.and(&at.dirty);
        for reg in regs.iter() {
            if let Some(value) = at.value(reg) {
                self.be_sure();
                self.store(at.window, reg, value, at.tagged.has(reg));
            }
        }
        (at.dirty, at.tagged) = (at.dirty.without(&regs), at.tagged.or(&regs));
    }

    /// Writes back all that is read from an instruction on; its cells are then right.
    pub(crate) fn settle(&mut self, at: &mut At, place: usize) {
        let live = self.lives.get(place - self.start).map_or(Set::below(256), |live| live.all);
        self.write_back(at, live);
        at.dirty = Set::default();
    }

    /// Brings a register's value to its cell.
    pub(crate) fn settle_one(&mut self, at: &mut At, reg: Reg) {
        let mut one = Set::default();
        one.set(reg, true);
        self.write_back(at, one);
    }

    /// The cost that is left, with all taken off.
    pub(crate) fn left(&mut self, at: &mut At) -> Value {
        let left = self.settled(at.left);
        at.left = Left::of(left);
        left
    }

    fn settled(&mut self, Left { mut value, fixed, short }: Left) -> Value {
        for (weight, short) in (1..).zip(short) {
            let Some(short) = short else { continue };
            let bytes = match weight {
                1 => short,
                2 => self.b.ins().iadd(short, short),
                _ => self.b.ins().imul_imm_s(short, weight),
            };
            value = self.b.ins().iadd(value, bytes);
        }
        if fixed == 0 { value } else { self.b.ins().iadd_imm_s(value, -fixed) }
    }

    /// Fails if more has been spent than there was.
    fn check_left(&mut self, at: &mut At) {
        let left = self.left(at);
        self.out_if_int(IntCC::SignedLessThan, left, 0, self.fail);
    }

    /// Goes out if the condition holds, and otherwise on in a new block. That is the first of the two, so that the other is
    /// laid out beside the place and not at the end of the code, all through which the values that it needs would live.
    pub(crate) fn out_if(&mut self, condition: IntCC, a: Value, b: Value, out: Block) {
        let on = self.b.create_block();
        let stays = self.b.ins().icmp(condition.complement(), a, b);
        self.b.ins().brif(stays, on, &[], out, &[]);
        self.b.switch_to_block(on);
    }

    /// As [`Emit::out_if`], of a number and a constant.
    pub(crate) fn out_if_int(&mut self, condition: IntCC, a: Value, n: i64, out: Block) {
        let on = self.b.create_block();
        let stays = self.b.ins().icmp_imm_s(condition.complement(), a, n);
        self.b.ins().brif(stays, on, &[], out, &[]);
        self.b.switch_to_block(on);
    }

    /// Checks that registers from `low` on are part of the stack and that there is room up to `high`, unless both are known.
    pub(crate) fn check_room(&mut self, at: &mut At, low: usize, high: usize) {
        if low < at.low {
            let (floor, lowest) = (self.field(calls::FLOOR), self.address(at.window, low as i32));
            self.out_if(IntCC::UnsignedLessThan, lowest, floor, self.fail);
            at.low = low;
        }
        if high > at.high {
            let (ceiling, highest) = (self.field(calls::CEILING), self.address(at.window, high as i32));
            self.out_if(IntCC::UnsignedGreaterThan, highest, ceiling, self.fail);
            let peak = self.field(calls::PEAK);
            let more = self.b.ins().icmp(IntCC::UnsignedGreaterThan, highest, peak);
            let peak = self.b.ins().select(more, highest, peak);
            self.set_field(calls::PEAK, peak);
            at.high = high;
        }
    }

    /// Runs an instruction in the interpreter. What it reads must be in cells.
    pub(crate) fn step(&mut self, at: &mut At, place: usize) {
        self.call(at, place, calls::step as *const () as i64);
        self.check_left(at);
    }

    /// The same of an instruction that takes little time, however much it costs: whether that was too much is checked later.
    pub(crate) fn step_briefly(&mut self, at: &mut At, place: usize) {
        self.call(at, place, calls::step as *const () as i64);
    }

    /// Gives an instruction to the kernel. What it reads must be in cells.
    pub(crate) fn give(&mut self, at: &mut At, place: usize) {
        self.give_briefly(at, place);
        self.check_left(at);
    }

    /// The same of an instruction that takes little time.
    pub(crate) fn give_briefly(&mut self, at: &mut At, place: usize) {
        self.call(at, place, calls::give as *const () as i64);
    }

    /// Gives an instruction to the kernel by a call of its own. What it reads must be in cells.
    pub(crate) fn give_quick(&mut self, at: &mut At, site: i64, call: calls::Quick, operands: &[Reg], d: Reg) {
        let callee = self.b.ins().iconst(I64, call as *const () as i64);
        let number = self.b.ins().iconst(I64, site);
        let cell = |emit: &mut Self, reg: Option<Reg>| match reg {
            Some(reg) => emit.address(at.window, reg.into()),
            None => emit.b.ins().iconst(I64, 0),
        };
        let [a, b] = [0, 1].map(|which| cell(self, operands.get(which).copied()));
        let d = cell(self, Some(d));
        let args = [self.shared, number, self.left(at), a, b, d];
        let call = self.b.ins().call_indirect(self.calls.quick, callee, &args);
        if let [left] = *self.b.inst_results(call) {
            at.left = Left::of(left);
        }
        self.check_left(at);
    }

    fn call(&mut self, at: &mut At, place: usize, callee: i64) {
        let callee = self.b.ins().iconst(I64, callee);
        let number = self.b.ins().iconst(I64, place as i64);
        let args = [self.shared, number, self.left(at)];
        let call = self.b.ins().call_indirect(self.calls.step, callee, &args);
        if let [left] = *self.b.inst_results(call) {
            at.left = Left::of(left);
        }
    }

    /// Runs an instruction in the interpreter that works on the stack in memory, or moves it.
    pub(crate) fn step_in_memory(&mut self, at: &mut At, place: usize) {
        self.settle(at, place);
        self.step(at, place);
        if self.window.is_none() {
            at.window = self.field(calls::WINDOW);
        }
        at.forget();
    }

    /// The slots elsewhere have become more or fewer.
    pub(crate) const fn shift_room(at: &mut At, by: isize) {
        at.high = at.high.saturating_add_signed(by);
    }

    pub(crate) fn address(&mut self, window: Value, reg: i32) -> Value {
        self.b.ins().iadd_imm_s(window, i64::from(reg * CELL))
    }

    pub(crate) fn load(&mut self, window: Value, reg: Reg, offset: i32) -> Value {
        self.b.ins().load(I64, MemFlagsData::trusted(), window, i32::from(reg) * CELL + offset)
    }

    /// The first 4 bytes of an item: 0 for a number.
    pub(crate) fn tag(&mut self, window: Value, reg: Reg) -> Value {
        self.b.ins().load(I32, MemFlagsData::trusted(), window, i32::from(reg) * CELL)
    }

    /// Writes a number to a cell, where another one may be.
    pub(crate) fn store(&mut self, window: Value, reg: Reg, number: Value, tagged: bool) {
        let cell = i32::from(reg) * CELL;
        if !tagged {
            let tag = self.b.ins().iconst(I32, 0);
            self.b.ins().store(MemFlagsData::trusted(), tag, window, cell);
        }
        self.b.ins().store(MemFlagsData::trusted(), number, window, cell + NUMBER);
    }

    /// The number in a register that surely holds one.
    pub(crate) fn known_number(&mut self, at: &At, reg: Reg) -> Value {
        at.value(reg).unwrap_or_else(|| self.load(at.window, reg, NUMBER))
    }

    pub(crate) fn field(&mut self, offset: i32) -> Value {
        self.b.ins().load(I64, MemFlagsData::trusted(), self.shared, offset)
    }

    pub(crate) fn set_field(&mut self, offset: i32, value: Value) {
        self.b.ins().store(MemFlagsData::trusted(), value, self.shared, offset);
    }
}
