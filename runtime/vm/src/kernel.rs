//! The interpreter's own instructions, one at a time, for engines that keep the stacks themselves.
//!
//! An engine that runs a script in its own way does the frequent work itself and gives the rest to a [`Kernel`], so there
//! is one meaning of each instruction. A kernel only ever says that all is well: when anything is not, the whole input is
//! for [`verify_input`](crate::verify_input), which alone names reasons.

use std::fmt;

use spec::{Opcode, Rules, SpendContext, TxOut};

use crate::batch::Deferred;
use crate::error::{FunctionId, Phase};
use crate::interpreter::Exit;
use crate::item::Item;
use crate::machine::{Code, Machine};
use crate::trace::NoTrace;
use crate::verify::{Fault, Metrics, Prelude, check_density, prelude, require_true};

/// What a kernel makes is never moved, so that an engine's items stay good; an input that makes more than this is left to
/// the interpreter.
pub(crate) const MADE_BYTES_MAX: usize = 64 << 20;

/// The state of an input's verification that is not on the stacks: budgets, memory, functions, the code that runs.
pub struct Kernel<'a> {
    pub(crate) machine: Machine<'a>,
}

impl fmt::Debug for Kernel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel").field("metrics", &self.machine.metrics()).finish_non_exhaustive()
    }
}

/// What is left to do for an input.
#[derive(Debug)]
pub enum Start<'a> {
    /// Nothing: it may spend.
    Accepted(Metrics),
    /// The lock or redeem script must run on these items, bottom first.
    Ready(Box<Kernel<'a>>, Vec<Item>),
}

/// Code that the caller goes on with when a function ends.
pub struct Caller<'a> {
    code: Code<'a>,
    separator: usize,
}

impl fmt::Debug for Caller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("separator", &self.separator).finish_non_exhaustive()
    }
}

impl<'a> Kernel<'a> {
    /// Runs the scripts before the one that matters: the unlocking bytecode, and a lock that only names a redeem script.
    /// `None` if the input does not get that far.
    #[must_use]
    pub fn start(rules: &'a Rules, context: &'a SpendContext<'a>, input: usize) -> Option<Start<'a>> {
        Self::start_deferring(rules, context, input, None)
    }

    /// As [`Kernel::start`]; where Schnorr signatures are noted, they are taken for good.
    #[must_use]
    pub fn start_deferring(
        rules: &'a Rules,
        context: &'a SpendContext<'a>,
        input: usize,
        deferred: Option<&'a Deferred>,
    ) -> Option<Start<'a>> {
        let claim = context.tx().inputs.get(input)?;
        let spent = context.spent().get(input)?;
        let mut machine = Machine::new(rules, context, input, &claim.unlock);
        machine.deferred = deferred;
        machine.memory.keep_all();
        match prelude(&mut machine, &claim.unlock, &spent.lock, &mut NoTrace) {
            Err(Fault { .. }) => None,
            Ok(Prelude::Accepted) => Some(Start::Accepted(machine.metrics())),
            Ok(Prelude::Run) if machine.code.bytes().len() > rules.limits.script_bytes => None,
            Ok(Prelude::Run) => {
                let stack = std::mem::take(&mut machine.stack);
                Some(Start::Ready(Box::new(Self { machine }), stack))
            }
        }
    }

    /// Whether the input may spend, after its last script has run, left `stack` and cost `more` beside what the kernel did.
    #[must_use]
    pub fn finish(mut self, stack: &[Item], more: u64) -> Option<Metrics> {
        self.machine.cost = self.machine.cost.checked_add(more).filter(|cost| *cost <= self.machine.cost_budget)?;
        self.machine.stack = stack.to_vec();
        require_true(&self.machine).ok().filter(|()| stack.len() == 1)?;
        let claim = self.machine.context.tx().inputs.get(self.machine.input)?;
        check_density(&self.machine, claim.unlock.len()).ok()?;
        Some(self.machine.metrics())
    }

    /// Runs one instruction on `operands`, top last, and gives what it leaves. It charges for all but the instruction itself.
    /// `None` if it fails, or if control flow is what it is about. It is the interpreter's own loop that runs, on a code of
    /// one byte: so the interpreter has one table of instructions, and stays as fast as it is alone.
    #[inline]
    pub fn execute(&mut self, opcode: Opcode, operands: &[Item]) -> Option<&[Item]> {
        let machine = &mut self.machine;
        machine.stack.clear();
        machine.stack.extend_from_slice(operands);
        machine.live_bytes = operands.iter().map(|item| item.weight()).sum();
        if (Opcode::If..=Opcode::EndIf).contains(&opcode) {
            return None;
        }
        let Ok(Exit::End) = machine.run_code(&[opcode.to_byte()], 0, &mut NoTrace) else { return None };
        machine.cost -= machine.rules.prices.instruction;
        (machine.memory.mark() <= MADE_BYTES_MAX).then_some(machine.stack.as_slice())
    }

    /// The work so far.
    #[must_use]
    pub const fn metrics(&self) -> Metrics {
        self.machine.metrics()
    }

    /// What the cost may not exceed.
    #[must_use]
    pub const fn cost_budget(&self) -> u64 {
        self.machine.cost_budget
    }

    /// The cost so far.
    #[inline]
    #[must_use]
    pub const fn cost(&self) -> u64 {
        self.machine.cost
    }

    /// The script of the input that runs.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.machine.phase
    }

    /// The code that runs.
    #[must_use]
    pub fn code(&self) -> &[u8] {
        self.machine.code.bytes()
    }

    /// The item of `len` bytes from `start` of the code that runs.
    #[must_use]
    #[inline(never)]
    pub fn constant(&self, start: usize, len: usize) -> Item {
        self.machine.memory.span(self.machine.code.source, start, len)
    }

    /// Lets signatures cover only the code from `start` on.
    pub const fn separate(&mut self, start: usize) {
        self.machine.separator = start;
    }

    /// How many functions are defined.
    #[must_use]
    pub fn functions(&self) -> usize {
        self.machine.functions.len()
    }

    /// Defines a function, and charges all but the instruction itself. `None` if that fails.
    pub fn define(&mut self, id: Item, body: Item) -> Option<()> {
        self.machine.add_function(id, body).ok()
    }

    /// Goes into the function that `id` names.
    pub fn call(&mut self, id: Item) -> Option<(FunctionId, Caller<'a>)> {
        let key = self.machine.function_key(id).ok()?;
        let function = self.machine.function(key).ok()?;
        let code = std::mem::replace(&mut self.machine.code, function);
        let separator = std::mem::replace(&mut self.machine.separator, 0);
        Some((key, Caller { code, separator }))
    }

    /// Goes back to the caller.
    pub fn leave(&mut self, caller: Caller<'a>) {
        self.machine.code = caller.code;
        self.machine.separator = caller.separator;
    }

    /// Whether an item counts as true.
    #[must_use]
    #[inline(never)]
    pub fn is_true(&self, item: Item) -> bool {
        self.machine.is_truthy(item)
    }

    /// Whether two items are the same bytes.
    #[must_use]
    #[inline(never)]
    pub fn same(&self, a: Item, b: Item) -> bool {
        *self.machine.view(a) == *self.machine.view(b)
    }

    /// The bytes of an item.
    #[must_use]
    pub fn bytes(&self, item: Item) -> Vec<u8> {
        self.machine.view(item).to_vec()
    }

    /// What an input or output of the transaction is worth, by its index.
    #[inline]
    #[must_use]
    pub fn value(&self, which: Opcode, index: i64) -> Option<i64> {
        let output = self.valued(which)?.get(usize::try_from(index).ok()?)?;
        Some(output.value.get().cast_signed()).filter(|value| *value != i64::MIN)
    }

    /// The outputs whose values an instruction gives.
    #[inline]
    #[must_use]
    pub fn valued(&self, which: Opcode) -> Option<&[TxOut]> {
        match which {
            Opcode::OutputValue => Some(self.machine.context.tx().outputs.as_slice()),
            Opcode::UtxoValue => Some(self.machine.context.spent()),
            _ => None,
        }
    }
}
