//! Bytecode to register code: what each instruction becomes.

use spec::num::encoded_len;
use spec::{Mode, Opcode};

use crate::block::Sym;
use crate::ir::{Binary, Compare, ENTRY, Op, Reg, Unary};
use crate::lower::Lower;

impl Lower<'_> {
    /// An instruction that does not change where the code goes on.
    pub(crate) fn plain(&mut self, opcode: Opcode) -> Option<()> {
        match opcode {
            Opcode::Nop => Some(()),
            Opcode::Nop1
            | Opcode::Nop4
            | Opcode::Nop5
            | Opcode::Nop6
            | Opcode::Nop7
            | Opcode::Nop8
            | Opcode::Nop9
            | Opcode::Nop10 => {
                if self.rules.mode == Mode::Relay {
                    self.fail();
                }
                Some(())
            }
            Opcode::ToAltStack => {
                let sym = self.b.pop()?;
                self.b.put_alt(sym);
                Some(())
            }
            Opcode::FromAltStack => match self.b.pop_alt() {
                None => self.b.make(|d| Op::FromAlt { d, weight: 1 }),
                Some(sym) => {
                    self.b.charge_item(sym);
                    self.b.put(sym)
                }
            },
            Opcode::Drop => self.drop_items(1),
            Opcode::Drop2 => self.drop_items(2),
            Opcode::Dup => self.copies(0, 1),
            Opcode::Dup2 => self.copies(1, 2),
            Opcode::Dup3 => self.copies(2, 3),
            Opcode::Over => self.copies(1, 1),
            Opcode::Over2 => self.copies(3, 2),
            Opcode::Swap => self.b.rotate(2, 1),
            Opcode::Swap2 => self.b.rotate(4, 2),
            Opcode::Rot => self.b.rotate(3, 1),
            Opcode::Rot2 => self.rotate_two(),
            Opcode::Nip => {
                self.b.rotate(2, 1)?;
                self.drop_items(1)
            }
            Opcode::Tuck => {
                self.b.rotate(2, 1)?;
                self.copies(1, 1)
            }
            Opcode::Pick => self.pick(),
            Opcode::Roll => self.roll(),
            Opcode::IfDup => {
                self.b.peek(0)?;
                self.on_memory(|top| Op::IfDup { top }, self.b.top);
                Some(())
            }
            Opcode::Depth => {
                let top = self.b.top as Reg;
                self.b.make(|d| Op::Depth { d, top, weight: 1 })
            }
            Opcode::Size => self.size(),
            Opcode::Verify => {
                let a = self.b.pop_reg()?;
                self.b.emit(Op::Verify(a));
                self.b.drop_reg(a);
                Some(())
            }
            Opcode::Equal => self.binary(|d, a, b| Op::Equal { d, a, b, weight: 1 }),
            Opcode::EqualVerify => self.equal_verify(),
            Opcode::NumEqualVerify => {
                self.binary(|d, a, b| Op::Compare { kind: Compare::Equal, d, a, b, weight: 1 })?;
                self.plain(Opcode::Verify)
            }
            Opcode::OutputValue | Opcode::UtxoValue => self.unary(|d, a| Op::Value { opcode, d, a, weight: 1 }),
            Opcode::CheckMultiSig | Opcode::CheckMultiSigVerify => {
                self.on_memory(|top| Op::Many { opcode, top, after: ENTRY }, usize::from(ENTRY));
                Some(())
            }
            Opcode::CheckLockTimeVerify | Opcode::CheckSequenceVerify => {
                let sym = self.b.peek(0)?;
                self.b.retain(sym);
                let a = self.b.load(sym)?;
                self.b.emit(Op::Kernel { opcode, operands: [a, 0, 0], results: [0; 2], shape: 1 });
                self.b.drop_reg(a);
                Some(())
            }
            opcode => self.number(opcode),
        }
    }

    /// Arithmetic; and whatever else there is, which the kernel does.
    fn number(&mut self, opcode: Opcode) -> Option<()> {
        let unary = |kind, weight| move |d, a| Op::Unary { kind, d, a, weight };
        let binary = |kind, weight| move |d, a, b| Op::Binary { kind, d, a, b, weight };
        let compare = |kind| move |d, a, b| Op::Compare { kind, d, a, b, weight: 1 };
        match opcode {
            Opcode::Add1 => self.add_constant(1),
            Opcode::Sub1 => self.add_constant(-1),
            Opcode::Add => self.add(),
            Opcode::Sub => self.subtract(),
            Opcode::Mul => self.multiply(),
            Opcode::Negate => self.unary(unary(Unary::Negate, 2)),
            Opcode::Abs => self.unary(unary(Unary::Abs, 2)),
            Opcode::Not => self.unary(unary(Unary::Not, 1)),
            Opcode::NotEqual0 => self.unary(unary(Unary::NotZero, 1)),
            Opcode::Div => self.binary(binary(Binary::Div, 2)),
            Opcode::Mod => self.binary(binary(Binary::Mod, 2)),
            Opcode::Min => self.binary(binary(Binary::Min, 2)),
            Opcode::Max => self.binary(binary(Binary::Max, 2)),
            Opcode::BoolAnd => self.binary(binary(Binary::And, 1)),
            Opcode::BoolOr => self.binary(binary(Binary::Or, 1)),
            Opcode::NumEqual => self.binary(compare(Compare::Equal)),
            Opcode::NumNotEqual => self.binary(compare(Compare::NotEqual)),
            Opcode::LessThan => self.binary(compare(Compare::Less)),
            Opcode::GreaterThan => self.binary(compare(Compare::Greater)),
            Opcode::LessThanOrEqual => self.binary(compare(Compare::AtMost)),
            Opcode::GreaterThanOrEqual => self.binary(compare(Compare::AtLeast)),
            opcode => self.kernel(opcode),
        }
    }

    fn drop_items(&mut self, count: usize) -> Option<()> {
        for _ in 0..count {
            let sym = self.b.pop()?;
            self.b.release(sym);
        }
        Some(())
    }

    /// Copies the item at `depth` to the top, `count` times.
    fn copies(&mut self, depth: usize, count: usize) -> Option<()> {
        (0..count).try_for_each(|_| {
            let sym = self.b.peek(depth)?;
            self.b.put_copy(sym)
        })
    }

    fn rotate_two(&mut self) -> Option<()> {
        self.b.rotate(6, 2)?;
        for depth in 0..2 {
            let sym = self.b.peek(depth)?;
            self.b.charge_item(sym);
        }
        Some(())
    }

    /// The constant on top, if it is one by which the window can be reached.
    fn constant_depth(&mut self) -> Option<usize> {
        let Some(Sym::Int(n)) = self.b.peek(0) else { return None };
        usize::try_from(n).ok().filter(|n| n + 2 <= self.b.top)
    }

    fn pick(&mut self) -> Option<()> {
        if let Some(depth) = self.constant_depth() {
            self.b.pop()?;
            return self.copies(depth, 1);
        }
        let a = self.b.pop_reg()?;
        let a = self.b.settle_keeping(a);
        let top = self.b.top as Reg;
        self.b.make(|d| Op::Pick { d, a, top, weight: 1 })
    }

    fn roll(&mut self) -> Option<()> {
        if let Some(depth) = self.constant_depth() {
            self.b.pop()?;
            self.b.rotate(depth + 1, 1)?;
            let sym = self.b.peek(0)?;
            self.b.charge_item(sym);
            self.b.charge(depth as u64);
            return Some(());
        }
        let a = self.b.pop_reg()?;
        let a = self.b.settle_keeping(a);
        self.on_memory(|top| Op::Roll { a, top }, self.b.top);
        Some(())
    }

    fn size(&mut self) -> Option<()> {
        let sym = self.b.peek(0)?;
        if let Some(len) = self.b.known_len(sym) {
            return self.b.put_copy(Sym::Int(len as i64));
        }
        let Sym::Reg(a) = sym else { return None };
        self.b.make(|d| Op::Size { d, a, weight: 1 })
    }

    fn equal_verify(&mut self) -> Option<()> {
        let (b, a) = (self.b.pop_reg()?, self.b.pop_reg()?);
        self.b.emit(Op::VerifyEqual { a, b });
        self.b.drop_reg(a);
        self.b.drop_reg(b);
        self.b.charge(1);
        Some(())
    }

    fn unary(&mut self, op: impl FnOnce(Reg, Reg) -> Op) -> Option<()> {
        let a = self.b.pop_reg()?;
        self.b.drop_reg(a);
        self.b.make(|d| op(d, a))
    }

    fn binary(&mut self, op: impl FnOnce(Reg, Reg, Reg) -> Op) -> Option<()> {
        let (b, a) = (self.b.pop()?, self.b.pop()?);
        let (a, b) = (self.b.load(a)?, self.b.load(b)?);
        self.b.drop_reg(a);
        self.b.drop_reg(b);
        self.b.make(|d| op(d, a, b))
    }

    /// Takes two operands if both are constants.
    fn two_constants(&mut self) -> Option<(i64, i64)> {
        let (Sym::Int(b), Sym::Int(a)) = (self.b.peek(0)?, self.b.peek(1)?) else { return None };
        Some((a, b))
    }

    /// Replaces `takes` operands by the result of arithmetic on constants.
    fn folded(&mut self, takes: usize, n: Option<i64>) -> Option<()> {
        let n = n.filter(|n| *n != i64::MIN)?;
        self.drop_items(takes)?;
        self.b.charge(2 * encoded_len(n) as u64);
        self.b.put(Sym::Int(n))
    }

    fn add_constant(&mut self, n: i32) -> Option<()> {
        if let Sym::Int(a) = self.b.peek(0)?
            && self.folded(1, a.checked_add(n.into())).is_some()
        {
            return Some(());
        }
        self.unary(|d, a| Op::AddInt { d, a, weight: 2, n })
    }

    fn add(&mut self) -> Option<()> {
        if let Some((a, b)) = self.two_constants()
            && self.folded(2, a.checked_add(b)).is_some()
        {
            return Some(());
        }
        if let Sym::Int(_) = self.b.peek(1)? {
            self.b.rotate(2, 1)?;
        }
        self.add_top(|n| i32::try_from(n).ok(), |d, a, b| Op::Add { d, a, b, weight: 2 })
    }

    fn subtract(&mut self) -> Option<()> {
        if let Some((a, b)) = self.two_constants()
            && self.folded(2, a.checked_sub(b)).is_some()
        {
            return Some(());
        }
        let negated = |n: i64| n.checked_neg().and_then(|n| i32::try_from(n).ok());
        self.add_top(negated, |d, a, b| Op::Sub { d, a, b, weight: 2 })
    }

    /// Adds the top item if it is a small constant, after `sign`; otherwise does `op`.
    fn add_top(&mut self, sign: impl Fn(i64) -> Option<i32>, op: impl FnOnce(Reg, Reg, Reg) -> Op) -> Option<()> {
        if let Sym::Int(n) = self.b.peek(0)?
            && let Some(n) = sign(n)
        {
            self.drop_items(1)?;
            return self.unary(|d, a| Op::AddInt { d, a, weight: 2, n });
        }
        self.binary(op)
    }

    fn multiply(&mut self) -> Option<()> {
        if let Some((a, b)) = self.two_constants()
            && self.folded(2, a.checked_mul(b)).is_some()
        {
            self.b.charge((encoded_len(a) * encoded_len(b)) as u64);
            return Some(());
        }
        self.binary(|d, a, b| Op::Mul { d, a, b, weight: 2 })
    }

    fn kernel(&mut self, opcode: Opcode) -> Option<()> {
        let (takes, leaves) = opcode.arity().filter(|(takes, leaves)| *takes <= 3 && *leaves <= 2)?;
        let mut operands = [0; 3];
        for operand in operands.iter_mut().take(takes).rev() {
            *operand = self.b.pop_reg()?;
        }
        operands.iter().take(takes).for_each(|reg| self.b.drop_reg(*reg));
        let site = self.b.emit(Op::Fail);
        let mut results = [0; 2];
        for result in results.iter_mut().take(leaves) {
            *result = self.b.target()?;
            self.b.put_result(*result, site, false, length(opcode))?;
        }
        let shape = takes as u8 | (leaves as u8) << 4;
        *self.b.ops.get_mut(site)? = Op::Kernel { opcode, operands, results, shape };
        Some(())
    }
}

/// The length of the results of some instructions.
const fn length(opcode: Opcode) -> Option<u8> {
    match opcode {
        Opcode::Sha256 | Opcode::Hash256 | Opcode::OutpointTxHash => Some(32),
        Opcode::Hash160 | Opcode::Ripemd160 | Opcode::Sha1 => Some(20),
        _ => None,
    }
}
