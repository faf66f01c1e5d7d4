//! A plain interpreter to compare with: every item is a byte string of its own, every number is decoded where it is used
//! and encoded again. It does what the benchmarks need and no more.

use dashu_int::{IBig, Sign};
use spec::num::{decode_wide, encode_wide, is_truthy};
use spec::opcode::Opcode::{self, *};
use spec::{Transaction, hash};

/// A product of two numbers of so many bytes fits into 128 bits.
const SHORT_BYTES: usize = 8;

/// Runs `script` on `tx`; gives the items that it leaves and the cost.
pub fn run(script: &[u8], tx: &Transaction) -> Option<(Vec<Vec<u8>>, u64)> {
    let mut machine = Machine { stack: Vec::new(), alt: Vec::new(), open: Vec::new(), cost: 0, tx };
    let mut at = 0;
    while let Some(byte) = script.get(at).copied() {
        machine.cost += 100;
        at = match Opcode::from_byte(byte) {
            None => {
                let data = script.get(at + 1..at + 1 + usize::from(byte))?;
                machine.push(data.to_vec());
                at + 1 + usize::from(byte)
            }
            Some(opcode) => machine.step(opcode, byte, at + 1)?,
        };
        if machine.stack.len() + machine.alt.len() > 100_000 || machine.cost > u64::MAX / 2 {
            return None;
        }
    }
    Some((machine.stack, machine.cost))
}

struct Machine<'t> {
    stack: Vec<Vec<u8>>,
    alt: Vec<Vec<u8>>,
    open: Vec<usize>,
    cost: u64,
    tx: &'t Transaction,
}

impl Machine<'_> {
    fn push(&mut self, item: Vec<u8>) {
        self.cost += item.len() as u64;
        self.stack.push(item);
    }

    fn push_number(&mut self, n: i128) {
        self.push(encode_wide(n));
    }

    /// Pushes the result of arithmetic, which is charged twice.
    fn push_result(&mut self, n: i128) {
        let item = encode_wide(n);
        self.cost += item.len() as u64;
        self.push(item);
    }

    fn number(&mut self) -> Option<i128> {
        decode_wide(&self.stack.pop()?)
    }

    fn copy(&mut self, depth: usize) -> Option<()> {
        let item = self.stack.get(self.stack.len().checked_sub(depth + 1)?)?.clone();
        self.push(item);
        Some(())
    }

    fn rotate(&mut self, count: usize) -> Option<()> {
        let start = self.stack.len().checked_sub(count)?;
        self.stack.get_mut(start..)?.rotate_left(1);
        Some(())
    }

    fn arithmetic(&mut self, opcode: Opcode) -> Option<()> {
        let lens: Vec<usize> = self.stack.iter().rev().take(2).map(Vec::len).collect();
        if matches!(opcode, Mul | Div | Mod) {
            self.cost += lens.iter().product::<usize>() as u64;
        }
        if lens.iter().any(|len| *len > SHORT_BYTES) {
            return self.long_arithmetic(opcode);
        }
        let (b, a) = (self.number()?, self.number()?);
        match opcode {
            Add => self.push_result(a + b),
            Sub => self.push_result(a - b),
            Mul => self.push_result(a.checked_mul(b)?),
            Div => self.push_result(a.checked_div(b)?),
            Mod => self.push_result(a.checked_rem(b)?),
            Max => self.push_result(a.max(b)),
            Min => self.push_result(a.min(b)),
            NumEqual => self.push_number((a == b).into()),
            LessThan => self.push_number((a < b).into()),
            GreaterThanOrEqual => self.push_number((a >= b).into()),
            _ => return None,
        }
        Some(())
    }

    /// Products and remainders of numbers of any length.
    fn long_arithmetic(&mut self, opcode: Opcode) -> Option<()> {
        let (b, a) = (long(&self.stack.pop()?), long(&self.stack.pop()?));
        let item = match opcode {
            Mul => bytes_of(&(a * b)),
            Mod if b != IBig::ZERO => bytes_of(&(a % b)),
            _ => return None,
        };
        self.cost += item.len() as u64;
        self.push(item);
        Some(())
    }

    /// Runs one instruction and gives where the code goes on.
    fn step(&mut self, opcode: Opcode, byte: u8, next: usize) -> Option<usize> {
        match opcode {
            N0 => self.push(Vec::new()),
            _ if (N1..=N16).contains(&opcode) => self.push(vec![byte - 0x50]),
            Begin => self.open.push(next),
            Until => {
                if !is_truthy(&self.stack.pop()?) {
                    return self.open.last().copied();
                }
                self.open.pop();
            }
            Verify => return is_truthy(&self.stack.pop()?).then_some(next),
            ToAltStack => {
                let item = self.stack.pop()?;
                self.alt.push(item);
            }
            FromAltStack => {
                let item = self.alt.pop()?;
                self.push(item);
            }
            Drop => drop(self.stack.pop()?),
            Drop2 => self.stack.truncate(self.stack.len().checked_sub(2)?),
            Dup => self.copy(0)?,
            Over => self.copy(1)?,
            Dup2 => {
                self.copy(1)?;
                self.copy(1)?;
            }
            Swap => self.rotate(2)?,
            Rot => self.rotate(3)?,
            Tuck => {
                self.rotate(2)?;
                self.copy(1)?;
            }
            Pick => {
                let depth = usize::try_from(self.number()?).ok()?;
                self.copy(depth)?;
            }
            Add1 => {
                let n = self.number()?;
                self.push_result(n + 1);
            }
            Sub1 => {
                let n = self.number()?;
                self.push_result(n - 1);
            }
            Not => {
                let n = self.number()?;
                self.push_number((n == 0).into());
            }
            Sha256 => {
                let item = self.stack.pop()?;
                self.cost += 64 * spec::rules::hash_iterations(item.len());
                self.push(hash::sha256(&item).to_vec());
            }
            Cat => {
                let (b, a) = (self.stack.pop()?, self.stack.pop()?);
                self.push([a, b].concat());
            }
            Equal => {
                let (b, a) = (self.stack.pop()?, self.stack.pop()?);
                self.push_number((a == b).into());
            }
            OutputValue => {
                let index = usize::try_from(self.number()?).ok()?;
                self.push_number(self.tx.outputs.get(index)?.value.get().into());
            }
            opcode => self.arithmetic(opcode)?,
        }
        Some(next)
    }
}

/// A script number of any length: little-endian, its sign in the highest bit.
fn long(item: &[u8]) -> IBig {
    let Some((last, rest)) = item.split_last() else { return IBig::ZERO };
    let magnitude = [rest, &[last & 0x7f]].concat();
    let sign = if last & 0x80 == 0 { Sign::Positive } else { Sign::Negative };
    IBig::from_parts(sign, dashu_int::UBig::from_le_bytes(&magnitude))
}

fn bytes_of(n: &IBig) -> Vec<u8> {
    let (sign, magnitude) = n.clone().into_parts();
    let mut item = magnitude.to_le_bytes().to_vec();
    while item.last() == Some(&0) {
        item.pop();
    }
    if item.last().is_some_and(|last| last & 0x80 != 0) {
        item.push(0);
    }
    if let Some(last) = item.last_mut().filter(|_| sign == Sign::Negative) {
        *last |= 0x80;
    }
    item
}
