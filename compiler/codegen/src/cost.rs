//! A bound on the operation cost of a script, from the greatest lengths its items can have.
//!
//! The script is run on lengths instead of items. Both branches of a conditional are followed and the
//! dearer one counts, unless the condition is a number the compiler put in itself.

use spec::opcode::CostClass;
use spec::rules::hash_iterations;
use spec::{Opcode, Rules};

use crate::code::{Instr, Op};
use crate::fold::gives_truth;

/// What is known of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// At most so many bytes.
    pub(crate) len: u64,
    /// The number, if the compiler fixed it.
    pub(crate) value: Option<i64>,
}

impl Item {
    /// An item of at most `len` bytes.
    pub(crate) const fn of(len: u64) -> Self {
        Self { len, value: None }
    }

    /// A number that the compiler fixed.
    pub(crate) fn int(n: i64) -> Self {
        Self { len: spec::num::encoded_len(n) as u64, value: Some(n) }
    }

    fn either(self, other: Self) -> Self {
        Self { len: self.len.max(other.len), value: self.value.filter(|_| self.value == other.value) }
    }
}

/// How long things are that the script does not say.
pub(crate) struct Lengths<'a> {
    /// What each parameter's push may hold.
    pub(crate) holes: &'a [u64],
    /// A lock read from the transaction.
    pub(crate) lock: u64,
    /// An unlocking bytecode read from the transaction.
    pub(crate) unlock: u64,
    /// The script itself.
    pub(crate) script: u64,
}

/// The most that an input can cost that pushes `stack` and the script `code`, behind the hash of the script.
pub(crate) fn bound_of_input(code: &[Instr], stack: Vec<Item>, lengths: &Lengths<'_>, rules: &Rules) -> Option<u64> {
    const HASH_BYTES: u64 = 32;
    let prices = &rules.prices;
    let pushed = stack.iter().try_fold(lengths.script, |sum, item| sum.checked_add(item.len))?;
    // The pushes of the items and the script, then `HASH256 <hash> EQUAL`.
    let instructions = prices.instruction.checked_mul(stack.len() as u64 + 4)?;
    let hashing = (hash_iterations(usize::try_from(lengths.script).ok()?) + 1).checked_mul(prices.hash_iteration)?;
    let unlocking = pushed.checked_add(instructions)?.checked_add(hashing)?.checked_add(2 * HASH_BYTES + 1)?;
    bound(code, stack, lengths, rules)?.checked_add(unlocking)
}

/// The most that running `code` can cost from `stack` on; `None` if it does something that has no bound here.
fn bound(code: &[Instr], stack: Vec<Item>, lengths: &Lengths<'_>, rules: &Rules) -> Option<u64> {
    let mut run = Run { rules, lengths, preimage: preimage_len(lengths.script), stack, extra: 0, frames: Vec::new() };
    for instr in code {
        run.step(&instr.op)?;
    }
    let base = rules.prices.instruction.checked_mul(code.len() as u64)?;
    base.checked_add(run.extra)
}

/// The longest text that a signature of an input with `code_len` bytes of code signs, token prefix included.
const fn preimage_len(code_len: u64) -> u64 {
    const FIXED: u64 = 4 + 32 + 32 + 32 + 36 + 9 + 8 + 4 + 32 + 4 + 4;
    const TOKEN: u64 = 1 + 32 + 1 + 1 + 128 + 9;
    FIXED + TOKEN + code_len
}

/// An open conditional.
enum Frame {
    /// Both branches are followed.
    Both { entry: Vec<Item>, before: u64, then: Option<(Vec<Item>, u64)> },
    /// One branch is followed; `live` while it is this one.
    One { live: bool },
}

struct Run<'r> {
    rules: &'r Rules,
    lengths: &'r Lengths<'r>,
    preimage: u64,
    stack: Vec<Item>,
    /// Cost beyond the base price of the instructions.
    extra: u64,
    frames: Vec<Frame>,
}

impl Run<'_> {
    fn step(&mut self, op: &Op) -> Option<()> {
        match op {
            Op::Code(Opcode::If) => self.open(true),
            Op::Code(Opcode::NotIf) => self.open(false),
            Op::Code(Opcode::Else) => self.turn(),
            Op::Code(Opcode::EndIf) => self.close(),
            _ if self.is_dead() => Some(()),
            Op::Push(data) => {
                self.push(Item { len: data.len() as u64, value: op.as_int() });
                self.pay(data.len() as u64)
            }
            Op::Hole(index) => {
                let len = self.lengths.holes.get(*index).copied()?;
                self.push(Item::of(len));
                self.pay(len)
            }
            Op::Code(opcode) => self.run(*opcode),
        }
    }

    fn is_dead(&self) -> bool {
        self.frames.iter().any(|frame| matches!(frame, Frame::One { live: false }))
    }

    fn open(&mut self, when: bool) -> Option<()> {
        if self.is_dead() {
            self.frames.push(Frame::One { live: false });
            return Some(());
        }
        let condition = self.stack.pop()?;
        self.frames.push(match condition.value {
            Some(n) => Frame::One { live: (n != 0) == when },
            None => Frame::Both { entry: self.stack.clone(), before: std::mem::take(&mut self.extra), then: None },
        });
        Some(())
    }

    fn turn(&mut self) -> Option<()> {
        let outer_dead = self.frames.split_last()?.1.iter().any(|frame| matches!(frame, Frame::One { live: false }));
        match self.frames.last_mut()? {
            Frame::One { live } => *live = !outer_dead && !*live,
            Frame::Both { entry, then, .. } => {
                let done = std::mem::replace(&mut self.stack, entry.clone());
                *then = Some((done, std::mem::take(&mut self.extra)));
            }
        }
        Some(())
    }

    fn close(&mut self) -> Option<()> {
        let Frame::Both { entry, before, then } = self.frames.pop()? else { return Some(()) };
        let (other, other_extra) = then.unwrap_or((entry, 0));
        if other.len() != self.stack.len() {
            return None;
        }
        self.stack.iter_mut().zip(other).for_each(|(item, other)| *item = item.either(other));
        self.extra = before.checked_add(self.extra.max(other_extra))?;
        Some(())
    }

    fn pay(&mut self, cost: u64) -> Option<()> {
        self.extra = self.extra.checked_add(cost)?;
        Some(())
    }

    /// An item; longer ones than the rules allow fail before they exist.
    fn push(&mut self, item: Item) {
        let len_max = self.rules.limits.item_bytes as u64;
        self.stack.push(Item { len: item.len.min(len_max), ..item });
    }

    fn pop(&mut self) -> Option<Item> {
        self.stack.pop()
    }

    fn run(&mut self, opcode: Opcode) -> Option<()> {
        match opcode {
            Opcode::Pick | Opcode::Roll => self.reach(opcode),
            Opcode::CheckMultiSig | Opcode::CheckMultiSigVerify => self.multisig(opcode),
            Opcode::IfDup => {
                let item = *self.stack.last()?;
                if item.value? != 0 {
                    self.push(item);
                    self.pay(item.len)?;
                }
                Some(())
            }
            _ => match shuffle(opcode) {
                Some((taken, order)) => self.rearrange(taken, order, opcode),
                None => self.compute(opcode),
            },
        }
    }

    fn reach(&mut self, opcode: Opcode) -> Option<()> {
        let depth = self.pop()?.value?;
        let at = self.stack.len().checked_sub(usize::try_from(depth).ok()?.checked_add(1)?)?;
        let item = *self.stack.get(at)?;
        if opcode == Opcode::Roll {
            self.stack.remove(at);
            self.pay(u64::try_from(depth).ok()?)?;
        }
        self.push(item);
        self.pay(item.len)
    }

    /// Every key may be tried, if the check item is empty.
    fn multisig(&mut self, opcode: Opcode) -> Option<()> {
        let keys = self.pop()?.value?;
        self.drop_many(keys)?;
        let sigs = self.pop()?.value?;
        self.drop_many(sigs.checked_add(1)?)?;
        self.signatures(u64::try_from(keys).ok()?, self.preimage, 1)?;
        self.verdict(opcode == Opcode::CheckMultiSig)
    }

    fn drop_many(&mut self, count: i64) -> Option<()> {
        let rest = self.stack.len().checked_sub(usize::try_from(count).ok()?)?;
        self.stack.truncate(rest);
        Some(())
    }

    fn signatures(&mut self, count: u64, text_len: u64, more_rounds: u64) -> Option<()> {
        let hashing = self.hashing(text_len, more_rounds)?;
        self.pay(count.checked_mul(self.rules.prices.signature.checked_add(hashing)?)?)
    }

    fn hashing(&self, len: u64, more_rounds: u64) -> Option<u64> {
        let iterations = hash_iterations(usize::try_from(len).ok()?).checked_add(more_rounds)?;
        iterations.checked_mul(self.rules.prices.hash_iteration)
    }

    fn verdict(&mut self, stays: bool) -> Option<()> {
        if stays {
            self.push(Item::of(1));
        }
        self.pay(1)
    }

    fn rearrange(&mut self, taken: usize, order: &[usize], opcode: Opcode) -> Option<()> {
        let start = self.stack.len().checked_sub(taken)?;
        let items = self.stack.split_off(start);
        let mut len = 0u64;
        for from in order {
            let item = *items.get(*from)?;
            self.stack.push(item);
            len = len.checked_add(item.len)?;
        }
        match opcode.row().cost {
            // Counting every item that lies there afterwards is at least what is pushed.
            CostClass::Push => self.pay(len),
            _ => Some(()),
        }
    }

    fn compute(&mut self, opcode: Opcode) -> Option<()> {
        let (takes, _) = opcode.row().arity()?;
        let start = self.stack.len().checked_sub(takes)?;
        let items = self.stack.split_off(start);
        let lens: Vec<u64> = items.iter().map(|item| item.len).collect();
        self.pay_beyond_result(opcode, &lens)?;
        if opcode == Opcode::Sub1
            && let [Item { value: Some(n), .. }] = *items
        {
            self.push(Item::int(n.checked_sub(1)?));
            return self.pay(16);
        }
        if opcode == Opcode::Size {
            let [item] = *items else { return None };
            let len = Item { len: 3, value: item.value.map(|n| spec::num::encoded_len(n) as i64) };
            self.stack.push(item);
            self.push(len);
            return self.pay(3);
        }
        for len in result_lens(opcode, &items, self.lengths)? {
            let twice = matches!(opcode.row().cost, CostClass::Arithmetic | CostClass::Product);
            self.push(Item::of(len));
            self.pay(if twice { len.checked_mul(2)? } else { len })?;
        }
        Some(())
    }

    fn pay_beyond_result(&mut self, opcode: Opcode, lens: &[u64]) -> Option<()> {
        match (opcode.row().cost, lens) {
            (CostClass::Product, [a, b]) => self.pay(a.checked_mul(*b)?),
            (CostClass::Hash, [len]) => {
                let two_rounds = u64::from(matches!(opcode, Opcode::Hash160 | Opcode::Hash256));
                let hashing = self.hashing(*len, two_rounds)?;
                self.pay(hashing)
            }
            (CostClass::Signature, [_, message, _]) => self.signatures(1, *message, 0),
            (CostClass::Signature, _) => self.signatures(1, self.preimage, 1),
            (CostClass::Verify, _) => self.pay(1),
            _ => Some(()),
        }
    }
}

/// How many items a stack opcode takes and which of them it leaves, bottom first.
fn shuffle(opcode: Opcode) -> Option<(usize, &'static [usize])> {
    Some(match opcode {
        Opcode::Dup => (1, &[0, 0]),
        Opcode::Dup2 => (2, &[0, 1, 0, 1]),
        Opcode::Dup3 => (3, &[0, 1, 2, 0, 1, 2]),
        Opcode::Over => (2, &[0, 1, 0]),
        Opcode::Over2 => (4, &[0, 1, 2, 3, 0, 1]),
        Opcode::Rot => (3, &[1, 2, 0]),
        Opcode::Rot2 => (6, &[2, 3, 4, 5, 0, 1]),
        Opcode::Swap => (2, &[1, 0]),
        Opcode::Swap2 => (4, &[2, 3, 0, 1]),
        Opcode::Tuck => (2, &[1, 0, 1]),
        Opcode::Nip => (2, &[1]),
        Opcode::Drop => (1, &[]),
        Opcode::Drop2 => (2, &[]),
        _ => return None,
    })
}

/// The greatest lengths of what an opcode leaves.
fn result_lens(opcode: Opcode, items: &[Item], lengths: &Lengths<'_>) -> Option<Vec<u64>> {
    let lens: Vec<u64> = items.iter().map(|item| item.len).collect();
    let longest = lens.iter().copied().max().unwrap_or(0);
    let sum = lens.iter().copied().fold(0, u64::saturating_add);
    let known = |at: usize| items.get(at).and_then(|item| item.value).and_then(|n| u64::try_from(n).ok());
    Some(vec![match opcode {
        Opcode::Verify
        | Opcode::EqualVerify
        | Opcode::NumEqualVerify
        | Opcode::CheckSigVerify
        | Opcode::CheckDataSigVerify => return Some(Vec::new()),
        Opcode::Split => {
            let len = lens.first().copied()?;
            return Some(vec![known(1).map_or(len, |n| n.min(len)), len.saturating_sub(known(1).unwrap_or(0))]);
        }
        Opcode::CheckLockTimeVerify | Opcode::CheckSequenceVerify => return Some(lens),
        Opcode::Cat | Opcode::Mul => sum,
        Opcode::Num2Bin => known(1).unwrap_or(u64::MAX),
        Opcode::Add | Opcode::Sub | Opcode::Add1 | Opcode::Sub1 => longest.saturating_add(1),
        Opcode::Div | Opcode::RShiftNum | Opcode::LShiftBin | Opcode::RShiftBin => lens.first().copied()?,
        Opcode::Mod => lens.iter().copied().min()?,
        Opcode::LShiftNum => lens.first()?.saturating_add(known(1)?.div_ceil(8)).saturating_add(1),
        Opcode::And
        | Opcode::Or
        | Opcode::Xor
        | Opcode::Invert
        | Opcode::ReverseBytes
        | Opcode::Bin2Num
        | Opcode::Negate
        | Opcode::Abs
        | Opcode::Min
        | Opcode::Max => longest,
        truth if gives_truth(truth) => 1,
        Opcode::Ripemd160 | Opcode::Sha1 | Opcode::Hash160 => 20,
        Opcode::Sha256 | Opcode::Hash256 | Opcode::OutpointTxHash => 32,
        _ => return fact_len(opcode, lengths).map(|len| vec![len]),
    }])
}

/// The greatest length of a fact about the transaction.
fn fact_len(opcode: Opcode, lengths: &Lengths<'_>) -> Option<u64> {
    Some(match opcode {
        Opcode::InputIndex | Opcode::TxInputCount | Opcode::TxOutputCount => 3,
        Opcode::TxVersion | Opcode::TxLockTime | Opcode::OutpointIndex | Opcode::InputSequenceNumber => 5,
        Opcode::UtxoValue | Opcode::OutputValue | Opcode::UtxoTokenAmount | Opcode::OutputTokenAmount => 8,
        Opcode::UtxoTokenCategory | Opcode::OutputTokenCategory => 33,
        Opcode::UtxoTokenCommitment | Opcode::OutputTokenCommitment => 128,
        Opcode::UtxoBytecode | Opcode::OutputBytecode => lengths.lock,
        Opcode::InputBytecode => lengths.unlock,
        Opcode::ActiveBytecode => lengths.script,
        _ => return None,
    })
}
