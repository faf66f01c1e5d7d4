//! The state of one input's verification, and the few ways in which instructions change it.

use std::collections::BTreeMap;
use std::rc::Rc;

use spec::rules::{Mode, hash_iterations};
use spec::units::OpCost;
use spec::{RuleSet, Rules, SpendContext};

use crate::batch::Deferred;
use crate::control::Control;
use crate::error::{FunctionId, Inside, Phase, ScriptError, Turns};
use crate::item::{Item, Place, Source, Span, View};
use crate::memory::Memory;
use crate::verify::Metrics;

/// What an instruction gives: its work is done, or the script has failed.
pub(crate) type Outcome = Result<(), ScriptError>;

/// Code that can run, and where its bytes are for items that point into it.
#[derive(Clone, Debug)]
pub(crate) struct Code<'a> {
    bytes: CodeBytes<'a>,
    pub(crate) source: Source,
}

#[derive(Clone, Debug)]
enum CodeBytes<'a> {
    Borrowed(&'a [u8]),
    Shared(Rc<[u8]>),
}

impl Code<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.bytes {
            CodeBytes::Borrowed(bytes) => bytes,
            CodeBytes::Shared(bytes) => bytes,
        }
    }
}

/// What a name was given. Code is made when a function is first called, so that defining allocates nothing.
#[derive(Debug)]
pub(crate) enum Function<'a> {
    /// It has not been called.
    Body(Item),
    /// It has.
    Code(Code<'a>),
}

impl Function<'_> {
    /// The body, as long as it is an item.
    const fn body(&mut self) -> Option<&mut Item> {
        match self {
            Self::Body(body) => Some(body),
            Self::Code(_) => None,
        }
    }
}

/// A caller that waits for an `OP_INVOKE` to return.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) code: Code<'a>,
    /// The function that it called.
    pub(crate) callee: FunctionId,
    pub(crate) at: usize,
    pub(crate) next: usize,
    pub(crate) separator: usize,
}

/// One input's verification.
#[derive(Debug)]
pub(crate) struct Machine<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) context: &'a SpendContext<'a>,
    pub(crate) input: usize,
    /// Where Schnorr signatures are noted that are taken for good; without it each is verified at once.
    pub(crate) deferred: Option<&'a Deferred>,
    pub(crate) phase: Phase,
    pub(crate) stack: Vec<Item>,
    pub(crate) alt: Vec<Item>,
    pub(crate) control: Vec<Control>,
    pub(crate) functions: BTreeMap<FunctionId, Function<'a>>,
    pub(crate) memory: Memory<'a>,
    /// The code that runs.
    pub(crate) code: Code<'a>,
    /// Where signatures of this frame start to cover it.
    pub(crate) separator: usize,
    pub(crate) frames: Vec<Frame<'a>>,
    /// The instruction that runs, or the last one.
    pub(crate) at: usize,
    pub(crate) turns: Turns,
    pub(crate) cost: u64,
    pub(crate) cost_budget: u64,
    /// How many items the main stack may hold: the limit without the alt stack and the functions.
    pub(crate) room: usize,
    hash_iterations: u64,
    hash_budget: u64,
    sig_checks: u32,
    pub(crate) live_bytes: usize,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(rules: &'a Rules, context: &'a SpendContext<'a>, input: usize, unlock: &'a [u8]) -> Self {
        let source = Source::pack(Place::Unlock(input));
        Self {
            rules,
            context,
            input,
            deferred: None,
            phase: Phase::Unlocking,
            stack: Vec::with_capacity(32),
            alt: Vec::new(),
            control: Vec::new(),
            functions: BTreeMap::new(),
            memory: Memory::new(context),
            code: Code { bytes: CodeBytes::Borrowed(unlock), source },
            separator: 0,
            frames: Vec::new(),
            at: 0,
            turns: Turns::default(),
            cost: 0,
            cost_budget: rules.cost_budget(unlock.len()).get(),
            room: rules.limits.slots,
            hash_iterations: 0,
            hash_budget: rules.hash_budget(unlock.len()),
            sig_checks: 0,
            live_bytes: 0,
        }
    }

    pub(crate) const fn metrics(&self) -> Metrics {
        Metrics { cost: OpCost::new(self.cost), hash_iterations: self.hash_iterations, sig_checks: self.sig_checks }
    }

    /// The offset, in the script of the phase, of the instruction that runs.
    pub(crate) fn outermost_at(&self) -> usize {
        self.frames.first().map_or(self.at, |frame| frame.at)
    }

    /// Where the innermost function is, if one runs.
    pub(crate) fn inside(&self) -> Option<Inside> {
        self.frames
            .last()
            .map(|frame| Inside { function: frame.callee, at: u32::try_from(self.at).unwrap_or(u32::MAX) })
    }

    /// Gets ready to run the lock on the stack that the unlocking bytecode left.
    pub(crate) fn enter_locking(&mut self, lock: &'a [u8]) {
        self.clear_phase();
        self.phase = Phase::Locking;
        self.code = Code { bytes: CodeBytes::Borrowed(lock), source: Source::pack(Place::Spent(self.input)) };
    }

    /// Gets ready to run the redeem script, which is the top item of `stack`, on the items below.
    pub(crate) fn enter_redeem(&mut self, stack: Vec<Item>) -> Outcome {
        self.clear_phase();
        self.phase = Phase::Redeem;
        self.stack = stack;
        self.live_bytes = self.stack.iter().map(|item| item.weight()).sum();
        let redeem = self.pop()?;
        self.code = self.keep_code(redeem);
        Ok(())
    }

    fn clear_phase(&mut self) {
        self.live_bytes = self.stack.iter().map(|item| item.weight()).sum();
        self.alt.clear();
        self.control.clear();
        self.functions.clear();
        self.measure_room();
        self.separator = 0;
        self.at = 0;
        self.turns = Turns::default();
    }

    /// Makes code of an item.
    pub(crate) fn keep_code(&mut self, item: Item) -> Code<'a> {
        let bytes: Rc<[u8]> = Rc::from(&*self.view(item));
        let source = self.memory.keep_code(Rc::clone(&bytes));
        Code { bytes: CodeBytes::Shared(bytes), source }
    }

    /// The code that signatures of this frame cover.
    pub(crate) fn active_code(&self) -> &[u8] {
        self.code.bytes().get(self.separator..).unwrap_or_default()
    }

    pub(crate) fn view(&self, item: Item) -> View<'_> {
        self.memory.view(item)
    }

    /// Counts anew how many items the main stack may hold, after the alt stack or the functions have changed.
    #[inline]
    pub(crate) fn measure_room(&mut self) {
        self.room = self.rules.limits.slots.saturating_sub(self.alt.len() + self.functions.len());
    }

    /// Fails where only our own rules give the instruction a meaning.
    pub(crate) const fn require_bitmodel(&self) -> Outcome {
        match self.rules.set {
            RuleSet::Bitmodel => Ok(()),
            RuleSet::Bch2026 => Err(ScriptError::BadOpcode),
        }
    }

    pub(crate) const fn discouraged_nop(&self) -> Outcome {
        match self.rules.mode {
            Mode::Consensus => Ok(()),
            Mode::Relay => Err(ScriptError::DiscouragedNop),
        }
    }

    /// Puts a new item on the stack and charges its length.
    #[inline]
    pub(crate) fn push(&mut self, item: Item) -> Outcome {
        self.cost += item.len() as u64;
        self.stack.push(item);
        match item {
            Item::Int(_) => Ok(()),
            Item::Bytes(span) => self.count_bytes(span),
        }
    }

    /// Puts a number on the stack and charges its length.
    #[inline]
    pub(crate) fn push_int(&mut self, n: i64) -> Outcome {
        self.push(Item::Int(n))
    }

    /// Puts a truth value on the stack and charges its length.
    #[inline]
    pub(crate) fn push_bool(&mut self, truth: bool) -> Outcome {
        self.cost += u64::from(truth);
        self.stack.push(Item::bool(truth));
        Ok(())
    }

    /// Charges for a truth value that would be pushed and taken away again; fails if it is false.
    #[inline]
    pub(crate) const fn verify_bool(&mut self, truth: bool, error: ScriptError) -> Outcome {
        self.cost += truth as u64;
        if truth { Ok(()) } else { Err(error) }
    }

    /// Completes the item started at `mark` and pushes it. No handle to the arena may be kept across this but those on the stacks
    /// and in the table of functions.
    pub(crate) fn push_fresh(&mut self, mark: usize) -> Outcome {
        let item = self.memory.finish(mark);
        if item.len() > self.rules.limits.item_bytes {
            return Err(ScriptError::ItemSize);
        }
        self.push(item)?;
        if self.memory.wants_tidying() {
            let bodies = self.functions.values_mut().filter_map(Function::body);
            self.memory.tidy(self.stack.iter_mut().chain(&mut self.alt).chain(bodies));
        }
        Ok(())
    }

    /// Pushes a copy of `bytes`.
    pub(crate) fn push_copy(&mut self, bytes: &[u8]) -> Outcome {
        let mark = self.memory.mark();
        self.memory.append(bytes);
        self.push_fresh(mark)
    }

    fn count_bytes(&mut self, span: Span) -> Outcome {
        self.live_bytes += span.len as usize;
        if self.live_bytes > self.rules.limits.memory_bytes { Err(ScriptError::MemoryLimit) } else { Ok(()) }
    }

    /// Takes the top item away.
    #[inline]
    pub(crate) fn pop(&mut self) -> Result<Item, ScriptError> {
        let item = self.stack.pop().ok_or(ScriptError::StackUnderflow)?;
        self.forget(item);
        Ok(item)
    }

    /// No longer counts an item that has left the stacks.
    #[inline]
    pub(crate) const fn forget(&mut self, item: Item) {
        self.live_bytes -= item.weight();
    }

    /// The item `depth` below the top.
    #[inline]
    pub(crate) fn peek(&self, depth: usize) -> Result<Item, ScriptError> {
        let index = self.stack.len().checked_sub(depth + 1).ok_or(ScriptError::StackUnderflow)?;
        self.stack.get(index).copied().ok_or(ScriptError::StackUnderflow)
    }

    /// Fails unless there are at least `count` items.
    #[inline]
    pub(crate) const fn need(&self, count: usize) -> Outcome {
        if self.stack.len() < count { Err(ScriptError::StackUnderflow) } else { Ok(()) }
    }

    /// Whether an item counts as true.
    #[inline]
    pub(crate) fn is_truthy(&self, item: Item) -> bool {
        match item {
            Item::Int(n) => n != 0,
            Item::Bytes(span) => spec::num::is_truthy(self.memory.slice(span)),
        }
    }

    /// The number of an item that must be one of at most 8 bytes.
    #[inline]
    pub(crate) fn small_int(&self, item: Item) -> Result<i64, ScriptError> {
        match item {
            Item::Int(n) => Ok(n),
            Item::Bytes(span) if span.len > 8 => Err(ScriptError::NumberRange),
            Item::Bytes(_) => Err(ScriptError::NumberEncoding),
        }
    }

    /// Charges for hashing `len` bytes and `more` iterations.
    #[inline]
    pub(crate) fn charge_hash(&mut self, len: usize, more: u64) -> Outcome {
        let iterations = hash_iterations(len) + more;
        self.hash_iterations += iterations;
        self.cost += iterations * self.rules.prices.hash_iteration;
        if self.hash_iterations > self.hash_budget { Err(ScriptError::HashLimit) } else { Ok(()) }
    }

    /// Charges for signature checks.
    pub(crate) fn charge_signatures(&mut self, count: u32) {
        self.sig_checks += count;
        self.cost += u64::from(count) * self.rules.prices.signature;
    }
}
