//! From register code to Cranelift's code: what each instruction becomes.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I16, I32, I64};
use cranelift_codegen::ir::{self, Block, BlockArg, InstBuilder, InstructionData, MemFlagsData, Value};
use engine::flow::Kind;
use engine::ir::{Binary, Compare, Op, Reg, Unary};
use spec::Opcode;
use spec::num::encoded_len;

use crate::at::{At, Left};
use crate::calls::{self, AMOUNT, CELL, LEN, NUMBER, OUTPUT};
use crate::emit::{Emit, Wrong};

/// Lengths that are looked through for one that is known.
const LENS_MAX: usize = 8;

/// The way out of one instruction, made when it is first needed.
struct Out {
    place: usize,
    block: Option<Block>,
}

impl Emit<'_> {
    /// Emits one instruction; gives whether the code goes on after it.
    pub(crate) fn op(&mut self, at: &mut At, place: usize, section: usize) -> Option<bool> {
        let op = *self.unit.ops.get(place)?;
        if !only_makes_values(&op) {
            self.be_sure();
        }
        let after = self.unit.ops.get(place + 1);
        let mut kinds = at.kinds;
        kinds.pass(&op, after);
        let goes_on = match op {
            Op::Block { low, high, cost } => {
                self.spend(at, cost.into());
                self.check_room(at, low.into(), high.into());
                true
            }
            Op::Cost(cost) => {
                self.spend(at, cost.into());
                true
            }
            Op::Jump(to) => {
                let to = self.flow.at(to as usize)?;
                self.jump(at.clone(), to, section)?;
                false
            }
            Op::JumpUnless { a, to } | Op::JumpIf { a, to } => {
                let truth = self.truth(at, a);
                let truth = if let Op::JumpIf { .. } = op { self.flag(IntCC::Equal, truth, 0) } else { truth };
                self.unless(at.clone(), truth, self.flow.at(to as usize)?, section)?;
                false
            }
            Op::Unless { to, .. } | Op::UnlessInt { to, .. } => {
                let truth = self.decision(at, place, &op)?;
                at.kinds = kinds;
                self.unless(at.clone(), truth, self.flow.at(to as usize)?, section)?;
                false
            }
            Op::Call { .. } | Op::End(_) => {
                self.exit(at, place);
                false
            }
            Op::Fail => {
                self.b.ins().jump(self.fail, &[]);
                false
            }
            _ => {
                self.plain(at, place, &op)?;
                true
            }
        };
        at.kinds = kinds;
        Some(goes_on)
    }

    /// An instruction after which the code goes on.
    fn plain(&mut self, at: &mut At, place: usize, op: &Op) -> Option<()> {
        match *op {
            Op::Charge { a, weight } => self.charge_item(at, a, weight),
            Op::Copy { d, a } => self.copy(at, d, a),
            Op::Int { d, n } => self.constant(at, d, n.into()),
            Op::Wide { d, at: number } => self.constant(at, d, *self.unit.numbers.get(number as usize)?),
            Op::Data { d, start, len } => self.data(at, d, start, len),
            Op::Number { d, start, len } => self.pushed(at, d, start, len),
            Op::Unary { d, a, weight, .. } | Op::AddInt { d, a, weight, .. } => {
                self.number(at, place, op, d, &[a], weight)?;
            }
            Op::Add { d, a, b, weight }
            | Op::Sub { d, a, b, weight }
            | Op::Mul { d, a, b, weight }
            | Op::Binary { d, a, b, weight, .. }
            | Op::Compare { d, a, b, weight, .. } => self.number(at, place, op, d, &[a, b], weight)?,
            Op::Equal { d, a, b, weight } => {
                let same = self.same(at, a, b);
                let same = self.b.ins().uextend(I64, same);
                self.charge_truth(at, same, weight);
                at.make(d, same);
            }
            Op::Size { d, a, weight } => {
                let len = self.len(at, a, false);
                self.charge_number(at, len, weight);
                at.make(d, len);
            }
            Op::Depth { d, top, weight } => {
                let (floor, top) = (self.field(calls::FLOOR), self.address(at.window, top.into()));
                let bytes = self.b.ins().isub(top, floor);
                let depth = self.b.ins().sshr_imm_u(bytes, 4);
                self.charge_number(at, depth, weight);
                at.make(d, depth);
            }
            Op::Value { opcode, d, a, weight } => self.value(at, place, opcode, d, a, weight),
            Op::Verify(a) => {
                let truth = self.truth(at, a);
                self.out_if_int(IntCC::Equal, truth, 0, self.fail);
            }
            Op::VerifyEqual { a, b } => {
                let same = self.same(at, a, b);
                self.out_if_int(IntCC::Equal, same, 0, self.fail);
            }
            Op::Kernel { opcode, operands, results, shape } => {
                let operands = operands.get(..usize::from(shape & 15))?;
                for reg in operands {
                    self.settle_one(at, *reg);
                }
                let site = calls::site(place, 0, self.exact);
                match (self.hashed_pair(place, op), calls::quick(opcode)) {
                    (Some((call, d)), _) => {
                        self.give_quick(at, site, call, operands, d);
                        at.in_cell(d);
                        self.skip = true;
                        return Some(());
                    }
                    (None, Some(call)) => self.give_quick(at, site, call, operands, *results.first()?),
                    (None, None) if is_brief(opcode) => self.give_briefly(at, place),
                    (None, None) => self.give(at, place),
                }
                results.iter().take(usize::from(shape >> 4)).for_each(|reg| at.in_cell(*reg));
            }
            _ => self.rare(at, place, op),
        }
        Some(())
    }

    /// The call that does an instruction and the next one, and where its result goes, if that hashes what this one puts
    /// together, and nothing else reads that.
    fn hashed_pair(&self, place: usize, op: &Op) -> Option<(calls::Quick, Reg)> {
        let Op::Kernel { opcode: Opcode::Cat, results: [made, _], .. } = *op else { return None };
        let Op::Kernel { opcode, operands: [read, ..], results: [d, _], .. } = *self.unit.ops.get(place + 1)? else {
            return None;
        };
        let is_read = d != made && self.lives.get(place + 2 - self.start).is_none_or(|live| live.all.has(made));
        calls::quick_pair(opcode).filter(|_| read == made && !is_read).map(|call| (call, d))
    }

    /// What is left to the interpreter. But for what works on the stack in memory it takes no time to speak of.
    fn rare(&mut self, at: &mut At, place: usize, op: &Op) {
        match *op {
            Op::ToAlt(a) => {
                self.settle_one(at, a);
                self.step_briefly(at, place);
                Self::shift_room(at, -1);
            }
            Op::FromAlt { d, .. } => {
                self.step_briefly(at, place);
                at.in_cell(d);
                Self::shift_room(at, 1);
            }
            Op::Define { a, b } => {
                self.settle_one(at, a);
                self.settle_one(at, b);
                self.step_briefly(at, place);
                Self::shift_room(at, -1);
            }
            Op::Pick { d, .. } => {
                self.settle(at, place);
                self.step_briefly(at, place);
                at.in_cell(d);
            }
            Op::Separate(_) => self.step_briefly(at, place),
            _ => self.step_in_memory(at, place),
        }
    }

    fn spend(&mut self, at: &mut At, cost: i64) {
        at.left.fixed += cost;
        if self.hot {
            self.left(at);
        }
    }

    fn constant(&mut self, at: &mut At, d: Reg, n: i64) {
        let n = self.b.ins().iconst(I64, n);
        at.make(d, n);
    }

    fn copy(&mut self, at: &mut At, d: Reg, a: Reg) {
        if at.kinds.of(a) == Kind::Int || at.value(a).is_some() {
            let n = self.known_number(at, a);
            return at.make(d, n);
        }
        self.be_sure();
        for offset in [0, NUMBER] {
            let half = self.load(at.window, a, offset);
            self.b.ins().store(MemFlagsData::trusted(), half, at.window, i32::from(d) * CELL + offset);
        }
        at.in_cell(d);
    }

    fn data(&mut self, at: &mut At, d: Reg, start: u16, len: u16) {
        let first = self.field(calls::CONSTANT);
        let second = self.b.ins().iconst(I64, i64::from(start) | i64::from(len) << 32);
        for (half, offset) in [(first, 0), (second, NUMBER)] {
            self.b.ins().store(MemFlagsData::trusted(), half, at.window, i32::from(d) * CELL + offset);
        }
        at.in_cell(d);
    }

    /// A number of the code: its magnitude in all bits but the highest, which is the sign.
    fn pushed(&mut self, at: &mut At, d: Reg, start: u16, len: u8) {
        let code = self.field(calls::CODE);
        let flags = MemFlagsData::new().with_notrap();
        let (mut raw, mut from) = (None, 0);
        for (bytes, ty) in [(8u8, I64), (4, I32), (2, I16), (1, I8)] {
            if (len - from) & bytes == 0 {
                continue;
            }
            let part = self.b.ins().load(ty, flags, code, i32::from(start) + i32::from(from));
            let part = if ty == I64 { part } else { self.b.ins().uextend(I64, part) };
            raw = Some(match raw {
                None => part,
                Some(raw) => {
                    let part = self.b.ins().ishl_imm_u(part, i64::from(8 * from));
                    self.b.ins().bor(raw, part)
                }
            });
            from += bytes;
        }
        let raw = raw.unwrap_or(code);
        let unused = i64::from(64 - 8 * len.clamp(1, 8));
        let high = self.b.ins().ishl_imm_u(raw, unused);
        let sign = self.b.ins().sshr_imm_u(high, 63);
        let magnitude = self.b.ins().ishl_imm_u(high, 1);
        let magnitude = self.b.ins().ushr_imm_u(magnitude, unused + 1);
        let flipped = self.b.ins().bxor(magnitude, sign);
        let n = self.b.ins().isub(flipped, sign);
        at.make(d, n);
    }

    fn flag(&mut self, condition: IntCC, a: Value, n: i64) -> Value {
        self.b.ins().icmp_imm_s(condition, a, n)
    }

    /// The way out of the instruction, where nothing of it has been done.
    fn out(&mut self, at: &At, out: &mut Out) -> Block {
        match out.block {
            Some(block) => block,
            None => {
                let block = self.way_out_of_arithmetic(at, out.place);
                out.block = Some(block);
                block
            }
        }
    }

    /// The number in a register; the interpreter goes on if it holds something else.
    fn expected(&mut self, at: &mut At, reg: Reg, out: &mut Out) -> Value {
        if let Some(value) = at.value(reg) {
            return value;
        }
        if at.kinds.of(reg) != Kind::Int {
            let tag = self.tag(at.window, reg);
            let out = self.out(at, out);
            self.out_if_int(IntCC::NotEqual, tag, 0, out);
        }
        let number = self.load(at.window, reg, NUMBER);
        at.know(reg, number);
        number
    }

    /// Arithmetic, or a comparison, with its result in a register.
    fn number(&mut self, at: &mut At, place: usize, op: &Op, d: Reg, operands: &[Reg], weight: u8) -> Option<()> {
        let mut kinds = at.kinds;
        kinds.pass(op, self.unit.ops.get(place + 1));
        let kind = kinds.of(d);
        let mut out = Out { place, block: None };
        if at.kinds.expects(operands) {
            operands.iter().for_each(|reg| {
                self.expected(at, *reg, &mut out);
            });
        }
        if at.kinds.expects(operands) && kind == Kind::Int {
            let numbers: Vec<Value> = operands.iter().map(|reg| self.expected(at, *reg, &mut out)).collect();
            if self.hot {
                // Its own way out, which knows the result.
                out.block = None;
            }
            let result = self.compute(op, &numbers, &mut |emit| emit.out(at, &mut out))?;
            self.charge_result(at, op, &numbers, result, weight);
            at.make(d, result);
            return Some(());
        }
        self.be_sure();
        self.left(at);
        let (slow, join, lens) = (self.b.create_block(), self.b.create_block(), self.lens.len());
        let before = at.clone();
        let numbers: Vec<Value> = operands.iter().map(|reg| self.number_or(at, *reg, slow)).collect();
        let result = self.compute(op, &numbers, &mut |_| slow)?;
        self.be_sure();
        self.charge_result(at, op, &numbers, result, weight);
        let left = self.b.append_block_param(join, I64);
        if kind == Kind::Int {
            let number = self.b.append_block_param(join, I64);
            let left = self.left(at);
            self.b.ins().jump(join, &[left, result].map(BlockArg::Value));
            self.slow(&before, slow, place, operands, |emit, at| {
                at.in_cell(d);
                let tag = emit.tag(at.window, d);
                let out = emit.way_out(at, place + 1);
                emit.out_if_int(IntCC::NotEqual, tag, 0, out);
                let number = emit.load(at.window, d, NUMBER);
                let left = emit.left(at);
                emit.b.ins().jump(join, &[left, number].map(BlockArg::Value));
            });
            at.make(d, number);
        } else {
            self.store(at.window, d, result, false);
            let left = self.left(at);
            self.b.ins().jump(join, &[BlockArg::Value(left)]);
            self.slow(&before, slow, place, operands, |emit, at| {
                let left = emit.left(at);
                emit.b.ins().jump(join, &[BlockArg::Value(left)]);
            });
            at.in_cell(d);
        }
        at.left = Left::of(left);
        self.b.switch_to_block(join);
        self.lens.truncate(lens);
        Some(())
    }

    /// Emits a block that runs the instruction in the kernel, or in the interpreter if it also jumps.
    fn slow(
        &mut self,
        before: &At,
        slow: Block,
        place: usize,
        operands: &[Reg],
        then: impl FnOnce(&mut Self, &mut At),
    ) {
        self.b.switch_to_block(slow);
        self.b.set_cold_block(slow);
        let mut at = before.clone();
        operands.iter().for_each(|reg| self.settle_one(&mut at, *reg));
        if let Some(Op::Unless { .. } | Op::UnlessInt { .. }) = self.unit.ops.get(place) {
            self.step(&mut at, place);
        } else {
            self.give_arithmetic(&mut at, place);
        }
        let mut after = before.clone();
        after.left = at.left;
        then(self, &mut after);
    }

    /// Gives arithmetic to the kernel. What it reads must be in cells.
    fn give_arithmetic(&mut self, at: &mut At, place: usize) {
        let found = match self.unit.ops.get(place) {
            Some(Op::Add { d, a, b, weight }) => Some((Opcode::Add, d, [*a, *b], weight)),
            Some(Op::Sub { d, a, b, weight }) => Some((Opcode::Sub, d, [*a, *b], weight)),
            Some(Op::Mul { d, a, b, weight }) => Some((Opcode::Mul, d, [*a, *b], weight)),
            Some(Op::Binary { kind: kind @ (Binary::Div | Binary::Mod), d, a, b, weight }) => {
                Some((kind.opcode(), d, [*a, *b], weight))
            }
            _ => None,
        };
        match found.and_then(|(opcode, d, operands, weight)| Some((calls::quick(opcode)?, d, operands, weight))) {
            // The kernel charges the result twice.
            Some((call, d, operands, weight)) => {
                self.give_quick(at, calls::site(place, weight - 2, self.exact), call, &operands, *d);
            }
            None => self.give(at, place),
        }
    }

    /// The number in a register; goes to `slow` if it holds something else.
    fn number_or(&mut self, at: &At, reg: Reg, slow: Block) -> Value {
        if let Some(value) = at.value(reg) {
            return value;
        }
        if at.kinds.of(reg) != Kind::Int {
            let tag = self.tag(at.window, reg);
            self.out_if_int(IntCC::NotEqual, tag, 0, slow);
        }
        self.load(at.window, reg, NUMBER)
    }

    /// Whether the code goes on to the next instruction, of one that compares and jumps.
    fn decision(&mut self, at: &mut At, place: usize, op: &Op) -> Option<Value> {
        let (kind, operands) = match *op {
            Op::Unless { kind, a, b, .. } => (kind, vec![a, b]),
            Op::UnlessInt { kind, a, .. } => (kind, vec![a]),
            _ => return None,
        };
        if at.kinds.expects(&operands) {
            let mut out = Out { place, block: None };
            let numbers: Vec<Value> = operands.iter().map(|reg| self.expected(at, *reg, &mut out)).collect();
            return self.decide(at, op, kind, &numbers);
        }
        self.left(at);
        let (slow, join) = (self.b.create_block(), self.b.create_block());
        let before = at.clone();
        let numbers: Vec<Value> = operands.iter().map(|reg| self.number_or(at, *reg, slow)).collect();
        let truth = self.decide(at, op, kind, &numbers)?;
        let truth = self.b.ins().uextend(I64, truth);
        let left = self.left(at);
        self.b.ins().jump(join, &[left, truth].map(BlockArg::Value));
        self.slow(&before, slow, place, &operands, |emit, at| {
            let next = emit.field(calls::NEXT);
            let truth = emit.flag(IntCC::Equal, next, place as i64 + 1);
            let truth = emit.b.ins().uextend(I64, truth);
            let left = emit.left(at);
            emit.b.ins().jump(join, &[left, truth].map(BlockArg::Value));
        });
        let [left, truth] = [(); 2].map(|()| self.b.append_block_param(join, I64));
        at.left = Left::of(left);
        self.b.switch_to_block(join);
        Some(truth)
    }

    fn decide(&mut self, at: &mut At, op: &Op, kind: Compare, numbers: &[Value]) -> Option<Value> {
        let truth = match (*op, numbers) {
            (Op::Unless { .. }, [a, b]) => self.b.ins().icmp(condition(kind), *a, *b),
            (Op::UnlessInt { n, .. }, [a]) => self.flag(condition(kind), *a, n.into()),
            _ => return None,
        };
        if self.exact {
            let cost = self.b.ins().uextend(I64, truth);
            at.left.value = self.b.ins().isub(at.left.value, cost);
        }
        Some(truth)
    }

    /// The result of arithmetic on numbers in place; goes to what `out` gives if it is none.
    fn compute(&mut self, op: &Op, numbers: &[Value], out: &mut dyn FnMut(&mut Self) -> Block) -> Option<Value> {
        Some(match (*op, numbers) {
            (Op::Unary { kind, .. }, [a]) => self.unary(kind, *a),
            (Op::AddInt { n, .. }, [a]) => self.add_int(*a, n.into(), out),
            (Op::Add { .. }, [a, b]) => {
                let (sum, over) = self.b.ins().sadd_overflow(*a, *b);
                let way_out = out(self);
                if self.hot {
                    self.undo_sum(way_out, sum, [*a, *b]);
                }
                self.in_place(sum, over, out)
            }
            (Op::Sub { .. }, [a, b]) => {
                let (difference, over) = self.b.ins().ssub_overflow(*a, *b);
                self.in_place(difference, over, out)
            }
            (Op::Mul { .. }, [a, b]) => {
                let (product, over) = self.b.ins().smul_overflow(*a, *b);
                self.in_place(product, over, out)
            }
            (Op::Binary { kind, .. }, [a, b]) => self.binary(kind, *a, *b),
            (Op::Compare { kind, .. }, [a, b]) => {
                let truth = self.b.ins().icmp(condition(kind), *a, *b);
                self.b.ins().uextend(I64, truth)
            }
            _ => return None,
        })
    }

    /// The one 64-bit number that needs 9 bytes is not held in place.
    fn in_place(&mut self, n: Value, over: Value, out: &mut dyn FnMut(&mut Self) -> Block) -> Value {
        let out = out(self);
        if self.exact && !self.hot {
            // Its magnitude is needed anyway, and is below zero for that number alone.
            let magnitude = self.b.ins().iabs(n);
            self.magnitude = Some((n, magnitude));
            self.doubt(Wrong::Flag(over), out);
            self.doubt(Wrong::Sign(magnitude), out);
            return n;
        }
        // One way out: how many branches a turn of a loop has is what bounds it.
        let least = self.flag(IntCC::Equal, n, i64::MIN);
        let either = self.b.ins().bor(over, least);
        self.doubt(Wrong::Flag(either), out);
        n
    }

    fn add_int(&mut self, a: Value, n: i64, out: &mut dyn FnMut(&mut Self) -> Block) -> Value {
        if n > 0 && !self.hot {
            let out = out(self);
            let n = self.b.ins().iconst(I64, n);
            let (sum, over) = self.b.ins().sadd_overflow(a, n);
            self.doubt(Wrong::Flag(over), out);
            return sum;
        }
        if n != 0 {
            let out = out(self);
            let wrong = match n {
                ..0 => Wrong::If(IntCC::SignedLessThan, a, i64::MIN + 1 - n),
                _ => Wrong::If(IntCC::SignedGreaterThan, a, i64::MAX - n),
            };
            self.doubt(wrong, out);
        }
        self.b.ins().iadd_imm_s(a, n)
    }

    fn unary(&mut self, kind: Unary, a: Value) -> Value {
        match kind {
            Unary::Negate | Unary::Abs => {
                let result = if kind == Unary::Negate { self.b.ins().ineg(a) } else { self.b.ins().iabs(a) };
                // It is as long.
                let short = self.known_short(a);
                self.lens.extend(short.map(|short| (result, short)));
                result
            }
            Unary::Not => {
                let zero = self.flag(IntCC::Equal, a, 0);
                self.b.ins().uextend(I64, zero)
            }
            Unary::NotZero => {
                let zero = self.flag(IntCC::NotEqual, a, 0);
                self.b.ins().uextend(I64, zero)
            }
        }
    }

    fn binary(&mut self, kind: Binary, a: Value, b: Value) -> Value {
        if let Binary::Div | Binary::Mod = kind {
            self.out_if_int(IntCC::Equal, b, 0, self.fail);
        }
        match kind {
            Binary::Div => self.b.ins().sdiv(a, b),
            Binary::Mod => self.b.ins().srem(a, b),
            Binary::Min => self.b.ins().smin(a, b),
            Binary::Max => self.b.ins().smax(a, b),
            Binary::And | Binary::Or => {
                let (x, y) = (self.flag(IntCC::NotEqual, a, 0), self.flag(IntCC::NotEqual, b, 0));
                let both = if kind == Binary::And { self.b.ins().band(x, y) } else { self.b.ins().bor(x, y) };
                self.b.ins().uextend(I64, both)
            }
        }
    }

    /// The value of an output.
    fn value(&mut self, at: &mut At, place: usize, opcode: Opcode, d: Reg, a: Reg, weight: u8) {
        let mut out = Out { place, block: None };
        let index = self.expected(at, a, &mut out);
        let field = if opcode == Opcode::OutputValue { calls::OUTPUTS } else { calls::SPENT };
        let (first, count) = (self.field(field), self.field(field + 8));
        let block = self.out(at, &mut out);
        self.out_if(IntCC::UnsignedGreaterThanOrEqual, index, count, block);
        let offset = self.b.ins().imul_imm_s(index, OUTPUT);
        let output = self.b.ins().iadd(first, offset);
        let value = self.b.ins().load(I64, MemFlagsData::trusted(), output, AMOUNT);
        self.out_if_int(IntCC::Equal, value, i64::MIN, block);
        self.charge_number(at, value, weight);
        at.make(d, value);
    }

    /// Whether two items are the same bytes.
    fn same(&mut self, at: &mut At, a: Reg, b: Reg) -> Value {
        let int = |at: &At, reg| at.value(reg).is_some() || at.kinds.of(reg) == Kind::Int;
        match (int(at, a), int(at, b)) {
            (true, true) => {
                let (a, b) = (self.known_number(at, a), self.known_number(at, b));
                self.b.ins().icmp(IntCC::Equal, a, b)
            }
            (false, false) => {
                let (a, b) = (self.address(at.window, a.into()), self.address(at.window, b.into()));
                let callee = self.b.ins().iconst(I64, calls::same as *const () as i64);
                let call = self.b.ins().call_indirect(self.calls.same, callee, &[self.shared, a, b]);
                let same = self.b.inst_results(call).first().copied().unwrap_or(a);
                self.flag(IntCC::NotEqual, same, 0)
            }
            (number, _) => {
                let (number, other) = if number { (a, b) } else { (b, a) };
                let number = self.known_number(at, number);
                let tag = self.tag(at.window, other);
                let is_number = self.flag(IntCC::Equal, tag, 0);
                let other = self.load(at.window, other, NUMBER);
                let equal = self.b.ins().icmp(IntCC::Equal, number, other);
                self.b.ins().band(is_number, equal)
            }
        }
    }

    /// Something that is not 0 if an item counts as true.
    fn truth(&mut self, at: &mut At, a: Reg) -> Value {
        if at.value(a).is_some() || at.kinds.of(a) == Kind::Int {
            return self.known_number(at, a);
        }
        let (bytes, number, join) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        let truth = self.b.append_block_param(join, I64);
        let tag = self.tag(at.window, a);
        self.b.ins().brif(tag, bytes, &[], number, &[]);
        self.b.switch_to_block(number);
        let n = self.load(at.window, a, NUMBER);
        self.b.ins().jump(join, &[BlockArg::Value(n)]);
        self.b.switch_to_block(bytes);
        let cell = self.address(at.window, a.into());
        let callee = self.b.ins().iconst(I64, calls::truth as *const () as i64);
        let call = self.b.ins().call_indirect(self.calls.truth, callee, &[self.shared, cell]);
        let told = self.b.inst_results(call).first().copied().unwrap_or(cell);
        self.b.ins().jump(join, &[BlockArg::Value(told)]);
        self.b.switch_to_block(join);
        truth
    }

    /// The length of an item; or how much more it is than that of the longest number in place, and 0 for those.
    fn len(&mut self, at: &mut At, a: Reg, beyond: bool) -> Value {
        if at.value(a).is_some() || at.kinds.of(a) == Kind::Int {
            let number = self.known_number(at, a);
            return if beyond { self.b.ins().iconst(I64, 0) } else { self.number_len(number) };
        }
        let (bytes, number, join) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        let (len, lens) = (self.b.append_block_param(join, I64), self.lens.len());
        let tag = self.tag(at.window, a);
        self.b.ins().brif(tag, bytes, &[], number, &[]);
        self.b.switch_to_block(number);
        let short = if beyond {
            self.b.ins().iconst(I64, 0)
        } else {
            let number = self.load(at.window, a, NUMBER);
            self.number_len(number)
        };
        self.b.ins().jump(join, &[BlockArg::Value(short)]);
        self.b.switch_to_block(bytes);
        let long = self.b.ins().load(I32, MemFlagsData::trusted(), at.window, i32::from(a) * CELL + LEN);
        let mut long = self.b.ins().uextend(I64, long);
        if beyond {
            let more = self.b.ins().iadd_imm_s(long, -8);
            let zero = self.b.ins().iconst(I64, 0);
            long = self.b.ins().smax(more, zero);
        }
        self.b.ins().jump(join, &[BlockArg::Value(long)]);
        self.b.switch_to_block(join);
        self.lens.truncate(lens);
        len
    }

    /// The bytes of a number.
    fn number_len(&mut self, n: Value) -> Value {
        if let Some(n) = self.known_constant(n) {
            return self.b.ins().iconst(I64, encoded_len(n) as i64);
        }
        let short = self.number_short(n);
        self.b.ins().isub(self.eight, short)
    }

    /// How many bytes a number is shorter than eight: whole bytes of zeros before twice its magnitude.
    fn number_short(&mut self, n: Value) -> Value {
        if let Some(short) = self.known_short(n) {
            return short;
        }
        let magnitude = self.magnitude(n);
        let twice = self.b.ins().iadd(magnitude, magnitude);
        let zeros = self.b.ins().clz(twice);
        let short = self.b.ins().ushr(zeros, self.three);
        self.lens.push((n, short));
        short
    }

    /// How much a number is, which a check of it may just have found.
    fn magnitude(&mut self, n: Value) -> Value {
        match self.magnitude {
            Some((number, magnitude)) if number == n => magnitude,
            _ => self.b.ins().iabs(n),
        }
    }

    /// A number that the code itself names.
    fn known_constant(&self, n: Value) -> Option<i64> {
        let dfg = &self.b.func.dfg;
        match dfg.insts[dfg.value_def(n).inst()?] {
            InstructionData::UnaryImm { opcode: ir::Opcode::Iconst, imm } => Some(imm.bits()),
            _ => None,
        }
    }

    /// What [`Emit::number_short`] has found of a number lately.
    fn known_short(&self, n: Value) -> Option<Value> {
        self.lens.iter().rev().take(LENS_MAX).find(|(number, _)| *number == n).map(|(_, short)| *short)
    }

    fn charge_item(&mut self, at: &mut At, a: Reg, weight: u8) {
        let len = self.len(at, a, !self.exact);
        self.charge(at, len, weight);
    }

    fn charge_number(&mut self, at: &mut At, n: Value, weight: u8) {
        if !self.exact || weight == 0 {
            return;
        }
        if let Some(n) = self.known_constant(n).filter(|_| !self.hot) {
            at.left.fixed += encoded_len(n) as i64 * i64::from(weight);
            return;
        }
        match at.left.short.get_mut(usize::from(weight) - 1).filter(|_| !self.hot) {
            Some(sum) => {
                let short = self.number_short(n);
                *sum = Some(sum.map_or(short, |sum| self.b.ins().iadd(sum, short)));
                at.left.fixed += 8 * i64::from(weight);
            }
            None => {
                let len = self.number_len(n);
                self.charge(at, len, weight);
            }
        }
    }

    fn charge_truth(&mut self, at: &mut At, truth: Value, weight: u8) {
        if self.exact {
            self.charge(at, truth, weight);
        }
    }

    fn charge(&mut self, at: &mut At, len: Value, weight: u8) {
        let cost = if weight == 1 { len } else { self.b.ins().imul_imm_s(len, i64::from(weight)) };
        at.left.value = self.b.ins().isub(at.left.value, cost);
    }

    /// Charges the result of arithmetic, and for a product the operands.
    fn charge_result(&mut self, at: &mut At, op: &Op, numbers: &[Value], result: Value, weight: u8) {
        if !self.exact {
            return;
        }
        let truth = matches!(
            op,
            Op::Compare { .. }
                | Op::Unary { kind: Unary::Not | Unary::NotZero, .. }
                | Op::Binary { kind: Binary::And | Binary::Or, .. }
        );
        if truth {
            self.charge_truth(at, result, weight);
        } else {
            self.charge_number(at, result, weight);
        }
        if let (Op::Mul { .. } | Op::Binary { kind: Binary::Div | Binary::Mod, .. }, [a, b]) = (op, numbers) {
            let len = self.number_len(*a);
            let other = if a == b { len } else { self.number_len(*b) };
            let product = self.b.ins().imul(len, other);
            at.left.value = self.b.ins().isub(at.left.value, product);
        }
    }
}

/// Whether an instruction does nothing but make values, which cannot trap, where its operands are numbers in place.
const fn only_makes_values(op: &Op) -> bool {
    match op {
        Op::Block { .. }
        | Op::Cost(_)
        | Op::Charge { .. }
        | Op::Copy { .. }
        | Op::Int { .. }
        | Op::Wide { .. }
        | Op::Number { .. }
        | Op::Unary { .. }
        | Op::AddInt { .. }
        | Op::Add { .. }
        | Op::Sub { .. }
        | Op::Mul { .. }
        | Op::Compare { .. } => true,
        Op::Binary { kind, .. } => !matches!(kind, Binary::Div | Binary::Mod),
        _ => false,
    }
}

/// Whether an instruction only looks up a number of the transaction.
const fn is_brief(opcode: Opcode) -> bool {
    matches!(
        opcode,
        Opcode::InputIndex | Opcode::TxVersion | Opcode::TxInputCount | Opcode::TxOutputCount | Opcode::TxLockTime
    )
}

const fn condition(kind: Compare) -> IntCC {
    match kind {
        Compare::Less => IntCC::SignedLessThan,
        Compare::Equal => IntCC::Equal,
        Compare::AtMost => IntCC::SignedLessThanOrEqual,
        Compare::Greater => IntCC::SignedGreaterThan,
        Compare::NotEqual => IntCC::NotEqual,
        Compare::AtLeast => IntCC::SignedGreaterThanOrEqual,
    }
}
