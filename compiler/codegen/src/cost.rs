//! A bound on the operation cost of a script, from the greatest lengths its items can have.
//!
//! The script is run on lengths instead of items. Both branches of a conditional are followed and the
//! dearer one counts, unless the condition is a number the compiler put in itself. A loop runs as
//! often as it may; as soon as a round changes nothing, the others cost the same, and so do rounds
//! that do nothing but add the same to the same numbers (see [`rounds`]).

mod rounds;

use std::collections::BTreeMap;

use spec::artifact::Part as Filling;
use spec::opcode::CostClass;
use spec::rules::hash_iterations;
use spec::{Opcode, Rules};

use crate::code::{Instr, Op, Rounds};
use crate::fold::gives_truth;
use crate::shuffle;

/// A bound is given up after so many instructions; it takes some hundredths of a second.
const STEPS_MAX: u64 = 1_000_000;

/// What is known of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// At most so many bytes.
    pub(crate) len: u64,
    /// If it is a number, at most so far from zero; the greatest value says nothing.
    pub(crate) most: u128,
    /// The number, if the compiler fixed it.
    pub(crate) value: Option<i64>,
}

impl Item {
    /// An item of at most `len` bytes.
    pub(crate) fn of(len: u64) -> Self {
        let bits = len.saturating_mul(8).saturating_sub(1);
        let most =
            u32::try_from(bits).ok().and_then(|bits| 1u128.checked_shl(bits)).map_or(u128::MAX, |power| power - 1);
        Self { len, most: if len == 0 { 0 } else { most }, value: None }
    }

    /// A number that the compiler fixed.
    pub(crate) fn int(n: i64) -> Self {
        let most = u128::from(n.unsigned_abs());
        Self { len: spec::num::encoded_len(n) as u64, most, value: Some(n) }
    }

    /// A number at most so far from zero, of at most `len` bytes.
    fn up_to(most: u128, len: u64) -> Self {
        let bits = u64::from(u128::BITS - most.leading_zeros());
        let needed = if bits == 0 { 0 } else { bits / 8 + 1 };
        Self { len: len.min(needed), most, value: None }
    }

    fn either(self, other: Self) -> Self {
        let value = self.value.filter(|_| self.value == other.value);
        Self { len: self.len.max(other.len), most: self.most.max(other.most), value }
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
    /// Whether loops run as often as they may; otherwise those whose rounds nobody knows run once.
    pub(crate) all_rounds: bool,
    /// How often the loop over records runs, if that is known, and how long a record's fields are, bottom first.
    pub(crate) records: Option<(u64, &'a [u64])>,
}

/// What a script is run with.
pub(crate) struct Input<'i> {
    pub(crate) code: &'i [Instr],
    /// For some conditionals of the code, by instruction, whether their first block runs.
    pub(crate) turns: &'i BTreeMap<usize, bool>,
    pub(crate) functions: &'i [&'i [Instr]],
    /// What the unlocking bytecode pushes before the script.
    pub(crate) stack: Vec<Item>,
    pub(crate) lengths: &'i Lengths<'i>,
    pub(crate) rules: &'i Rules,
}

/// The most that an input can cost: its pushes, the script behind the hash of it, and what the script does.
pub(crate) fn bound_of_input(input: Input<'_>) -> Option<u64> {
    const HASH_BYTES: u64 = 32;
    let Input { lengths, rules, .. } = input;
    let prices = &rules.prices;
    let pushed = input.stack.iter().try_fold(lengths.script, |sum, item| sum.checked_add(item.len))?;
    let (records, fields) = lengths.records.unwrap_or_default();
    let pushed = pushed.checked_add(records.checked_mul(fields.iter().sum())?)?;
    let pushes = records.checked_mul(fields.len() as u64)?.checked_add(input.stack.len() as u64)?;
    // The pushes of the items and the script, then `HASH256 <hash> EQUAL`.
    let instructions = prices.instruction.checked_mul(pushes.checked_add(4)?)?;
    let hashing = (hash_iterations(usize::try_from(lengths.script).ok()?) + 1).checked_mul(prices.hash_iteration)?;
    let unlocking = pushed.checked_add(instructions)?.checked_add(hashing)?.checked_add(2 * HASH_BYTES + 1)?;
    ran(input, None)?.0.checked_add(unlocking)
}

/// What each instruction of the script costs in the dearest run, by its place; not what instructions cost that do not
/// run.
pub(crate) fn spent_by_instruction(input: Input<'_>) -> Option<BTreeMap<usize, u64>> {
    ran(input, Some(BTreeMap::new()))?.1
}

/// The most that running the code can cost, and of what that consists, if `spent` is to be filled; `None` if the code
/// does something that has no bound here.
fn ran(input: Input<'_>, spent: Option<Spent>) -> Option<(u64, Option<Spent>)> {
    let Input { code, turns, functions, stack, lengths, rules } = input;
    let no_turns = BTreeMap::new();
    let functions = functions.iter().map(|body| parse(body, &no_turns)).collect::<Option<Vec<_>>>()?;
    let (preimage, alt) = (preimage_len(lengths.script), Vec::new());
    let functions = functions.as_slice();
    let (cost, steps, inside, cuts_numbers) = (0, 0, 0, false);
    let mut run = Run { rules, lengths, functions, preimage, stack, alt, cost, spent, steps, inside, cuts_numbers };
    run.block(&parse(code, turns)?)?;
    Some((run.cost, run.spent))
}

/// Costs by instruction.
type Spent = BTreeMap<usize, u64>;

/// The longest text that a signature of an input with `code_len` bytes of code signs, token prefix included.
const fn preimage_len(code_len: u64) -> u64 {
    const FIXED: u64 = 4 + 32 + 32 + 32 + 36 + 9 + 8 + 4 + 32 + 4 + 4;
    const TOKEN: u64 = 1 + 32 + 1 + 1 + 128 + 9;
    FIXED + TOKEN + code_len
}

/// A stretch of code by its structure.
#[derive(Default)]
struct Block<'c> {
    parts: Vec<Part<'c>>,
    /// How many instructions stand there, those of inner blocks included.
    len: u64,
}

enum Part<'c> {
    Op(usize, &'c Op),
    If { when: bool, turn: Option<bool>, then: Block<'c>, otherwise: Block<'c> },
    Loop { rounds: Option<Rounds>, body: Block<'c> },
}

/// A conditional or loop that has begun.
struct Open<'c> {
    op: &'c Op,
    turn: Option<bool>,
    /// What stands before `OP_ELSE`, once that has come.
    then: Option<Block<'c>>,
    outer: Block<'c>,
}

/// Code as blocks; `None` if conditionals and loops do not match.
fn parse<'c>(code: &'c [Instr], turns: &BTreeMap<usize, bool>) -> Option<Block<'c>> {
    let mut open: Vec<Open<'c>> = Vec::new();
    let mut block = Block::default();
    for (at, instr) in code.iter().enumerate() {
        block.len += 1;
        match &instr.op {
            op @ (Op::Code(Opcode::If | Opcode::NotIf | Opcode::Begin) | Op::Begin(_)) => {
                let turn = turns.get(&at).copied();
                open.push(Open { op, turn, then: None, outer: std::mem::take(&mut block) });
            }
            Op::Code(Opcode::Else) => {
                let Open { then: then @ None, .. } = open.last_mut()? else { return None };
                *then = Some(std::mem::take(&mut block));
            }
            Op::Code(end @ (Opcode::EndIf | Opcode::Until)) => {
                let Open { op, turn, then, mut outer } = open.pop()?;
                let last = std::mem::take(&mut block);
                outer.len += last.len + then.as_ref().map_or(0, |then| then.len);
                let (then, otherwise) = match then {
                    Some(then) => (then, last),
                    None => (last, Block::default()),
                };
                outer.parts.push(match (op, end) {
                    (Op::Code(opcode @ (Opcode::If | Opcode::NotIf)), Opcode::EndIf) => {
                        Part::If { when: *opcode == Opcode::If, turn, then, otherwise }
                    }
                    (Op::Begin(rounds), Opcode::Until) => Part::Loop { rounds: Some(*rounds), body: then },
                    (Op::Code(Opcode::Begin), Opcode::Until) => Part::Loop { rounds: None, body: then },
                    _ => return None,
                });
                block = outer;
            }
            op => block.parts.push(Part::Op(at, op)),
        }
    }
    open.is_empty().then_some(block)
}

/// `OP_ELSE` or `OP_ENDIF` behind a block, if the block stands there at all.
fn closing(block: &Block<'_>) -> u64 {
    u64::from(block.len > 0)
}

struct Run<'r> {
    rules: &'r Rules,
    lengths: &'r Lengths<'r>,
    functions: &'r [Block<'r>],
    preimage: u64,
    stack: Vec<Item>,
    alt: Vec<Item>,
    cost: u64,
    /// Which of it each instruction of the script has cost, if somebody asks.
    spent: Option<Spent>,
    /// How many instructions were looked at.
    steps: u64,
    /// How many functions are open.
    inside: usize,
    /// Whether a number was cut off by another one.
    cuts_numbers: bool,
}

impl Run<'_> {
    /// Every instruction costs its base price, whether it runs or not; who follows a block pays for what closes it.
    fn block(&mut self, block: &Block<'_>) -> Option<()> {
        for part in &block.parts {
            match part {
                Part::Op(at, op) => {
                    let before = self.cost;
                    self.pay_base(1)?;
                    self.step(op)?;
                    self.note(*at, before);
                }
                Part::If { when, turn, then, otherwise } => self.choose(*when, *turn, then, otherwise)?,
                Part::Loop { rounds, body } => self.repeat(*rounds, body)?,
            }
        }
        Some(())
    }

    /// Remembers what an instruction of the script has cost; what a function does is the cost of its call.
    fn note(&mut self, at: usize, before: u64) {
        if let Some(spent) = self.spent.as_mut().filter(|_| self.inside == 0) {
            let all = spent.entry(at).or_default();
            *all = all.saturating_add(self.cost.saturating_sub(before));
        }
    }

    fn pay_base(&mut self, count: u64) -> Option<()> {
        self.steps = self.steps.checked_add(count).filter(|steps| *steps <= STEPS_MAX)?;
        self.pay(self.rules.prices.instruction.checked_mul(count)?)
    }

    fn step(&mut self, op: &Op) -> Option<()> {
        match op {
            Op::Push(data) => {
                self.push(op.as_int().map_or(Item::of(data.len() as u64), Item::int));
                self.pay(data.len() as u64)
            }
            Op::Hole(index) => {
                let len = self.lengths.holes.get(*index).copied()?;
                self.push(Item::of(len));
                self.pay(len)
            }
            Op::Text(parts) => {
                let len = |part: &Filling| match part {
                    Filling::Bytes(bytes) => Some(bytes.len() as u64),
                    Filling::Param(index) => self.lengths.holes.get(*index).copied(),
                };
                let len = parts.iter().map(len).sum::<Option<u64>>()?;
                self.push(Item::of(len));
                self.pay(len)
            }
            Op::Begin(_) => None,
            Op::Code(opcode) => self.run(*opcode),
        }
    }

    fn choose(&mut self, when: bool, turn: Option<bool>, then: &Block<'_>, otherwise: &Block<'_>) -> Option<()> {
        self.pay_base(1)?;
        let condition = self.pop()?;
        if let Some(first) = turn.or(condition.value.map(|n| (n != 0) == when)) {
            let (taken, left) = if first { (then, otherwise) } else { (otherwise, then) };
            self.pay_base(left.len + closing(taken))?;
            return self.block(taken);
        }
        let entry = (self.stack.clone(), self.alt.clone());
        let (before, spent_before) = (self.cost, self.spent.clone());
        self.pay_base(otherwise.len + closing(then))?;
        self.block(then)?;
        let (stack, alt) = (std::mem::replace(&mut self.stack, entry.0), std::mem::replace(&mut self.alt, entry.1));
        let cost = std::mem::replace(&mut self.cost, before);
        let spent = std::mem::replace(&mut self.spent, spent_before);
        self.pay_base(then.len + closing(otherwise))?;
        self.block(otherwise)?;
        if cost > self.cost {
            (self.cost, self.spent) = (cost, spent);
        }
        self.join(&stack, &alt)
    }

    fn join(&mut self, stack: &[Item], alt: &[Item]) -> Option<()> {
        if stack.len() != self.stack.len() || alt.len() != self.alt.len() {
            return None;
        }
        self.stack.iter_mut().zip(stack).for_each(|(item, other)| *item = item.either(*other));
        self.alt.iter_mut().zip(alt).for_each(|(item, other)| *item = item.either(*other));
        Some(())
    }

    fn invoke(&mut self) -> Option<()> {
        let number = usize::try_from(self.pop()?.value?).ok()?;
        let functions = self.functions;
        let body = functions.get(number)?;
        self.inside += 1;
        if self.inside > functions.len() {
            return None;
        }
        self.block(body)?;
        self.inside -= 1;
        Some(())
    }

    fn pay(&mut self, cost: u64) -> Option<()> {
        self.cost = self.cost.checked_add(cost)?;
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
            Opcode::Define => {
                let (_, body) = (self.pop()?, self.pop()?);
                self.pay(body.len)
            }
            Opcode::Invoke => self.invoke(),
            Opcode::Nop => Some(()),
            Opcode::ToAltStack => {
                let item = self.pop()?;
                self.alt.push(item);
                Some(())
            }
            Opcode::FromAltStack => {
                let item = self.alt.pop()?;
                self.push(item);
                self.pay(item.len)
            }
            Opcode::IfDup => {
                let item = *self.stack.last()?;
                if item.value? != 0 {
                    self.push(item);
                    self.pay(item.len)?;
                }
                Some(())
            }
            _ => match shuffle::order(opcode) {
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

    fn rearrange(&mut self, taken: usize, order: &[u8], opcode: Opcode) -> Option<()> {
        let start = self.stack.len().checked_sub(taken)?;
        let items = self.stack.split_off(start);
        let mut len = 0u64;
        for from in order {
            let item = *items.get(usize::from(*from))?;
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
        let (takes, _) = opcode.arity()?;
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
            let len = match item.value {
                Some(n) => Item::int(i64::try_from(spec::num::encoded_len(n)).ok()?),
                None => Item { len: 3, most: u128::from(item.len), value: None },
            };
            self.stack.push(item);
            self.push(len);
            return self.pay(3);
        }
        self.cuts_numbers |= opcode == Opcode::Mod;
        for len in result_lens(opcode, &items, self.lengths)? {
            let item = number(opcode, &items).map_or(Item::of(len), |most| Item::up_to(most, len));
            let twice = matches!(opcode.row().cost, CostClass::Arithmetic | CostClass::Product);
            self.push(item);
            self.pay(if twice { item.len.checked_mul(2)? } else { item.len })?;
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

/// The greatest magnitude of the number that an opcode leaves, if that says more than its operands' lengths.
fn number(opcode: Opcode, items: &[Item]) -> Option<u128> {
    match (opcode, items) {
        (Opcode::Add | Opcode::Sub, [a, b]) => a.most.checked_add(b.most),
        (Opcode::Add1 | Opcode::Sub1, [a]) => a.most.checked_add(1),
        (Opcode::Mul, [a, b]) => a.most.checked_mul(b.most),
        (Opcode::Min | Opcode::Max, [a, b]) => Some(a.most.max(b.most)),
        (Opcode::Div, [a, _]) | (Opcode::Negate | Opcode::Abs, [a]) => Some(a.most),
        (Opcode::Mod, [a, b]) => Some(a.most.min(b.most)),
        _ => None,
    }
    .filter(|most| *most < u128::MAX)
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
        Opcode::Depth | Opcode::InputIndex | Opcode::TxInputCount | Opcode::TxOutputCount => 3,
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
