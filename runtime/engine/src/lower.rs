//! Bytecode to register code: control flow.
//!
//! One pass in the order of the bytes. A conditional has two ways through it, taken and not taken; every segment between
//! `OP_IF`, `OP_ELSE`s and `OP_ENDIF` runs on one of them, so each is lowered once. While one way is lowered the other is
//! *suspended*: it is a jump that waits for its target, and the place from which it skips instructions, which it pays for
//! when it goes on. Where two ways meet with different depths, one moves its window.

use spec::{Opcode, Rules, num};

use crate::block::{Builder, Sym};
use crate::ir::{Compare, ENTRY, Metering, Op, Reg, Unary, Unit};
use crate::parse::{Instr, Parsed, Template, What, parse};
use crate::steps::steps;

/// Instructions of functions that a unit may take in.
const INLINED_MAX: usize = 4_096;
/// Functions within functions that a unit may take in.
const INLINED_DEEP: usize = 8;
/// Instructions of a unit.
const OPS_MAX: usize = 1 << 20;

/// Something open.
enum Open {
    If { other: Suspended, known: usize },
    Loop { start: u32, top: usize, known: usize },
}

/// A way through a conditional that skips instructions.
struct Suspended {
    jump: usize,
    top: usize,
    /// The number of the instruction from which it skips.
    from: usize,
}

/// A function whose definition comes before whatever is lowered now.
#[derive(Clone)]
struct Known {
    id: Vec<u8>,
    start: usize,
    len: usize,
}

/// Lowers one unit.
pub(crate) struct Lower<'c> {
    pub(crate) code: &'c [u8],
    pub(crate) rules: &'c Rules,
    pub(crate) b: Builder,
    open: Vec<Open>,
    /// Calls that are lowered in place now.
    calls: usize,
    /// What is open around the innermost of them.
    around: usize,
    nesting: usize,
    inlined: usize,
    known: Vec<Known>,
}

/// Lowers what all code with that template has in common; `None` if it is too large.
pub(crate) fn lower(template: &Template, rules: &Rules, metering: Metering) -> Option<Unit> {
    let mut lower = Lower {
        code: &template.code,
        rules,
        b: Builder::new(rules.prices.instruction, metering, ENTRY),
        open: Vec::new(),
        calls: 0,
        around: 0,
        nesting: 0,
        inlined: 0,
        known: Vec::new(),
    };
    lower.body(&template.parsed, 0)?;
    lower.b.settle();
    lower.b.close();
    lower.b.emit(Op::End(lower.b.top as Reg));
    let steps = steps(&lower.b.ops);
    Some(Unit { ops: lower.b.ops, metering, numbers: lower.b.numbers, nesting: lower.nesting, steps })
}

impl Lower<'_> {
    /// Lowers the code that starts at `offset` of the unit's code.
    fn body(&mut self, parsed: &Parsed, offset: usize) -> Option<()> {
        self.nesting = self.nesting.max(self.around + parsed.nesting);
        for (number, instr) in parsed.instrs.iter().enumerate() {
            self.b.make_room();
            if self.b.ops.len() > OPS_MAX {
                return None;
            }
            self.b.charge(self.b.price);
            match instr.what {
                What::Int(n) => self.constant(Sym::Int(n))?,
                What::Data { start, len } => {
                    let start = u16::try_from(usize::from(start) + offset).ok()?;
                    self.constant(Sym::Data { start, len })?;
                }
                What::Hole { start, len, number } => self.constant(Sym::Hole { start, len, number })?,
                What::Fail => self.fail(),
                What::Op(opcode) => self.instruction(opcode, number, *instr)?,
            }
        }
        Some(())
    }

    fn constant(&mut self, sym: Sym) -> Option<()> {
        self.b.charge_item(sym);
        self.b.put(sym)
    }

    /// The script fails here; what follows is lowered as if it did not.
    pub(crate) fn fail(&mut self) {
        self.b.emit(Op::Fail);
    }

    fn instruction(&mut self, opcode: Opcode, number: usize, instr: Instr) -> Option<()> {
        match opcode {
            Opcode::If => self.open_if(number, true),
            Opcode::NotIf => self.open_if(number, false),
            Opcode::Else => self.turn_if(number),
            Opcode::EndIf => self.close_if(number),
            Opcode::Begin => self.open_loop(),
            Opcode::Until => self.until(),
            Opcode::Define => self.define(),
            Opcode::Invoke => self.invoke(),
            Opcode::CodeSeparator => {
                self.b.emit(Op::Separate(instr.next));
                Some(())
            }
            opcode => self.plain(opcode),
        }
    }

    fn open_if(&mut self, number: usize, wanted: bool) -> Option<()> {
        let fused = if wanted { self.fused() } else { None };
        let op = match fused {
            Some(op) => op,
            None => {
                let a = self.condition()?;
                if wanted { Op::JumpUnless { a, to: 0 } } else { Op::JumpIf { a, to: 0 } }
            }
        };
        self.b.close();
        let jump = self.b.emit(op);
        let other = Suspended { jump, top: self.b.top, from: number };
        self.open.push(Open::If { other, known: self.known.len() });
        self.b.open();
        Some(())
    }

    /// Takes the condition and settles the block.
    fn condition(&mut self) -> Option<Reg> {
        let a = self.b.pop_reg()?;
        let kept = self.b.settle_keeping(a);
        Some(kept)
    }

    /// A comparison that only decides where to go, with the jump in it; the block is settled.
    fn fused(&mut self) -> Option<Op> {
        let sym @ Sym::Reg(made) = self.b.peek(0)? else { return None };
        let (kind, a, b) = match self.b.last()? {
            Op::Compare { kind, d, a, b, weight: 1 } if d == made => (kind, a, Some(b)),
            Op::Unary { kind: Unary::Not, d, a, weight: 1 } if d == made => (Compare::Equal, a, None),
            _ => return None,
        };
        if !self.b.is_last_name(made) || !self.b.stays(a) || !b.is_none_or(|b| self.b.stays(b)) {
            return None;
        }
        self.b.pop()?;
        self.b.release(sym);
        self.b.undo();
        let Some(b) = b else {
            self.b.settle_around(&[a]);
            return Some(Op::UnlessInt { kind, a, n: 0, to: 0 });
        };
        if let Some(Op::Int { d, n }) = self.b.last()
            && d == b
            && a != b
            && d >= crate::ir::TEMPS
            && let Ok(n) = i8::try_from(n)
        {
            self.b.undo();
            self.b.settle_around(&[a]);
            return Some(Op::UnlessInt { kind, a, n, to: 0 });
        }
        self.b.settle_around(&[a, b]);
        Some(Op::Unless { kind, a, b, to: 0 })
    }

    fn turn_if(&mut self, number: usize) -> Option<()> {
        self.b.settle();
        self.b.close();
        let (jump, top) = (self.b.emit(Op::Jump(0)), self.b.top);
        let Some(Open::If { other, known }) = self.open.last_mut() else { return None };
        let resumed = std::mem::replace(other, Suspended { jump, top, from: number });
        let known = *known;
        self.known.truncate(known);
        self.b.aim(resumed.jump, self.b.here());
        self.b.top = resumed.top;
        self.b.open();
        self.b.charge(self.b.price * (number - resumed.from) as u64);
        Some(())
    }

    fn close_if(&mut self, number: usize) -> Option<()> {
        let Some(Open::If { other, known }) = self.open.pop() else { return None };
        self.known.truncate(known);
        self.b.settle();
        self.b.close();
        let over = self.b.emit(Op::Jump(0));
        self.b.aim(other.jump, self.b.here());
        // The other way pays for this instruction too, which the one that comes from above has paid for.
        self.b.emit(Op::Cost(u32::try_from(self.b.price * (number - other.from) as u64).ok()?));
        if other.top != self.b.top {
            self.b.emit(Op::Shift(i16::try_from(other.top as i64 - self.b.top as i64).ok()?));
        }
        self.b.aim(over, self.b.here());
        self.b.open();
        Some(())
    }

    fn open_loop(&mut self) -> Option<()> {
        self.b.settle();
        self.b.close();
        self.open.push(Open::Loop { start: self.b.here(), top: self.b.top, known: self.known.len() });
        self.b.open();
        Some(())
    }

    fn until(&mut self) -> Option<()> {
        let Some(Open::Loop { start, top, known }) = self.open.pop() else { return None };
        // What a loop defines is defined after it too, but this engine does not need to know.
        self.known.truncate(known);
        if self.b.top == top + 1
            && let Some(mut op) = self.fused()
        {
            self.b.close();
            op.aim(start);
            self.b.emit(op);
            self.b.open();
            return Some(());
        }
        let a = self.condition()?;
        self.b.close();
        if self.b.top == top {
            self.b.emit(Op::JumpUnless { a, to: start });
        } else {
            let out = self.b.emit(Op::JumpIf { a, to: 0 });
            self.b.emit(Op::Shift(i16::try_from(self.b.top as i64 - top as i64).ok()?));
            self.b.emit(Op::Jump(start));
            self.b.aim(out, self.b.here());
        }
        self.b.open();
        Some(())
    }

    fn define(&mut self) -> Option<()> {
        let (id, body) = (self.b.pop()?, self.b.pop()?);
        let known = self.literal(id).zip(match body {
            Sym::Data { start, len } => Some((usize::from(start), usize::from(len))),
            Sym::Int(_) | Sym::Hole { .. } | Sym::Reg(_) => None,
        });
        let (b, a) = (self.b.load(id)?, self.b.load(body)?);
        self.b.emit(Op::Define { a, b });
        self.b.drop_reg(a);
        self.b.drop_reg(b);
        if let Some((id, (start, len))) = known {
            self.known.push(Known { id, start, len });
        }
        // There is room for one item less now.
        self.b.cut();
        Some(())
    }

    /// The bytes of a constant.
    fn literal(&self, sym: Sym) -> Option<Vec<u8>> {
        match sym {
            Sym::Int(n) => Some(num::encode(n)),
            Sym::Data { start, len } => {
                let start = usize::from(start);
                self.code.get(start..start + usize::from(len)).map(<[u8]>::to_vec)
            }
            Sym::Hole { .. } | Sym::Reg(_) => None,
        }
    }

    fn invoke(&mut self) -> Option<()> {
        let id = self.b.pop()?;
        let literal = self.literal(id);
        let known = self.known.iter().find(|known| Some(&known.id) == literal.as_ref()).cloned();
        if let Some(known) = known
            && let Some(parsed) = self.inlined(&known)
        {
            self.inlined += parsed.instrs.len();
            // What the function opens is its own.
            let (outer, around) = (std::mem::take(&mut self.open), self.around);
            self.around += outer.len() + 1;
            self.calls += 1;
            self.body(&parsed, known.start)?;
            self.calls -= 1;
            (self.open, self.around) = (outer, around);
            return Some(());
        }
        let a = self.b.load(id)?;
        let a = self.b.settle_keeping(a);
        let open = u16::try_from(self.open.len() + self.around).ok()?;
        self.b.close();
        self.b.emit(Op::Call { a, top: self.b.top as Reg, open });
        self.b.open();
        Some(())
    }

    /// The instructions of a function that may be lowered in place.
    fn inlined(&self, known: &Known) -> Option<Parsed> {
        let body = self.code.get(known.start..known.start + known.len)?;
        if self.calls >= INLINED_DEEP || self.inlined + body.len() > INLINED_MAX {
            return None;
        }
        let parsed = parse(body, self.rules)?;
        parsed.instrs.iter().all(|instr| !sees_code(instr.what)).then_some(parsed)
    }

    /// Takes the items of an instruction that works on the stack in memory, and starts a block after it.
    pub(crate) fn on_memory(&mut self, op: impl FnOnce(Reg) -> Op, after: usize) {
        self.b.settle();
        self.b.close();
        self.b.emit(op(self.b.top as Reg));
        self.b.top = after;
        self.b.open();
    }
}

/// Whether an instruction depends on the code that it stands in.
const fn sees_code(what: What) -> bool {
    matches!(
        what,
        What::Op(
            Opcode::CodeSeparator
                | Opcode::CheckSig
                | Opcode::CheckSigVerify
                | Opcode::CheckMultiSig
                | Opcode::CheckMultiSigVerify
                | Opcode::ActiveBytecode
        )
    )
}
