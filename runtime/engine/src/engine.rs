//! The door: one engine, and which ways of running scripts it uses.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use spec::script::p2pkh_hash;
use spec::{Mode, Rules, SpendContext};
use vm::batch::Deferred;
use vm::{Failure, Item, Kernel, Metrics, Start};

use crate::cache::{Cache, Entry};
use crate::ir::{Metering, Unit};
use crate::lower::lower;
use crate::native::{Compiler, Effort, Finished, Native};
use crate::parse::Template;
use crate::run::run;
use crate::tierup::{Made, TierUp};

/// Differences that are kept to be told.
const DIFFERENCES_KEPT: usize = 16;

/// Which ways of running scripts are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tier {
    /// The interpreter of bytes alone.
    #[default]
    Oracle,
    /// Register code first; the oracle for whatever it does not accept.
    Register,
    /// Machine code where there is some, register code elsewhere; the oracle for whatever they do not accept.
    Jit,
    /// All of them for every input. The oracle's verdict counts, and where another would have accepted otherwise, that is
    /// told.
    Shadow,
}

impl Tier {
    /// Its name on command lines and in answers.
    ///
    /// ```
    /// assert_eq!(engine::Tier::Jit.name(), "jit");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Oracle => "oracle",
            Self::Register => "register",
            Self::Jit => "jit",
            Self::Shadow => "shadow",
        }
    }
}

/// A way that may only accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fast {
    /// Register code, interpreted.
    Register,
    /// Machine code.
    Jit,
}

/// An input that a fast way accepts and the oracle does not, or not at that cost: a bug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Whether relay was asked for.
    pub mode: Mode,
    /// The input.
    pub input: usize,
    /// The transaction's bytes.
    pub tx: Vec<u8>,
    /// Which way accepts.
    pub by: Fast,
    /// What it says.
    pub found: Metrics,
    /// What the oracle says.
    pub oracle: Result<Metrics, Failure>,
}

/// How many inputs took which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Register code has accepted.
    pub accepted: u64,
    /// Machine code has accepted.
    pub jitted: u64,
    /// They have left them to the oracle.
    pub left: u64,
    /// They were not asked: a signature by one key, and next to nothing beside it.
    pub direct: u64,
    /// Searches for code that was lowered already.
    pub hits: u64,
    /// Searches for code whose template was new.
    pub misses: u64,
    /// Units that have got machine code.
    pub compiled: u64,
    /// Units that have got better machine code after that.
    pub improved: u64,
    /// Times that the compiler has panicked, which is a bug; such a unit goes on without what it would have made.
    pub crashed: u64,
    /// Units that will never have any.
    pub refused: u64,
    /// Times that the queue was full for a unit that was due.
    pub skipped: u64,
    /// Units that were forgotten for others.
    pub evicted: u64,
    /// Bytes that are kept now: templates, units, and machine code.
    pub bytes: u64,
    /// Bytes of all machine code that was made.
    pub machine_bytes: u64,
}

impl Counts {
    /// Adds those of another engine.
    pub const fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.jitted += other.jitted;
        self.left += other.left;
        self.direct += other.direct;
        self.hits += other.hits;
        self.misses += other.misses;
        self.compiled += other.compiled;
        self.improved += other.improved;
        self.crashed += other.crashed;
        self.refused += other.refused;
        self.skipped += other.skipped;
        self.evicted += other.evicted;
        self.bytes += other.bytes;
        self.machine_bytes += other.machine_bytes;
    }
}

/// When machine code is made, and how much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// Instructions that a unit of up to 100 instructions of register code must have run before it is compiled; a larger
    /// one as many times that. With 0, machine code is made when a unit is about to run, on the calling thread.
    pub threshold: u64,
    /// As `threshold`, of the better code that takes the place of the first: only loops get any.
    pub hot_threshold: u64,
    /// How many units may wait for the thread that compiles.
    pub waiting: usize,
    /// Bytes of templates, units and machine code that are kept.
    pub bytes: usize,
}

impl Default for Tuning {
    /// Machine code must win back the time that making it takes: 1,500 runs of each instruction; and what is better than the
    /// first by less than that is better than register code, some more.
    fn default() -> Self {
        Self { threshold: 150_000, hot_threshold: 2_400_000, waiting: 64, bytes: 64 << 20 }
    }
}

impl Tuning {
    /// Machine code before the first run, and better code before the second.
    #[must_use]
    pub fn at_once() -> Self {
        Self { threshold: 0, hot_threshold: 0, ..Self::default() }
    }
}

/// Runs inputs. The verdict, its reason and the cost do not depend on the tier.
///
/// ```
/// use engine::{Engine, Tier};
/// use spec::{OutPoint, Mode, RuleSet, Rules, Sats, SpendContext, Transaction, TxIn, TxOut};
///
/// // 2 + 3 = 5: the unlocking bytecode gives the sum.
/// let lock = vec![0x52, 0x53, 0x93, 0x87];
/// let spent = [TxOut::plain(Sats::ONE, lock)];
/// let input = TxIn { prevout: OutPoint::COINBASE, unlock: vec![0x55], sequence: 0 };
/// let tx = Transaction { version: 2, inputs: vec![input], outputs: vec![], locktime: 0 };
/// let context = SpendContext::new(&tx, &spent).unwrap();
/// let rules = Rules::new(RuleSet::Bitmodel, Mode::Relay);
/// let engine = Engine::new(Tier::Register);
/// assert_eq!(engine.verify(&rules, &context, 0), vm::verify_input(&rules, &context, 0));
/// assert_eq!(engine.counts().accepted, 1);
/// ```
#[derive(Debug)]
pub struct Engine {
    tier: Tier,
    cache: Arc<Cache>,
    tier_up: Option<TierUp>,
    accepted: AtomicU64,
    jitted: AtomicU64,
    left: AtomicU64,
    direct: AtomicU64,
    differences: Mutex<Vec<Difference>>,
}

impl Default for Engine {
    /// The oracle.
    fn default() -> Self {
        Self::new(Tier::Oracle)
    }
}

impl Engine {
    /// An engine that knows no script yet and makes no machine code.
    #[must_use]
    pub fn new(tier: Tier) -> Self {
        Self::tuned(tier, None, Tuning::default())
    }

    /// An engine whose machine code `compiler` makes, where the tier uses any.
    #[must_use]
    pub fn with_compiler(tier: Tier, compiler: Arc<dyn Compiler>, tuning: Tuning) -> Self {
        Self::tuned(tier, Some(compiler).filter(|_| matches!(tier, Tier::Jit | Tier::Shadow)), tuning)
    }

    fn tuned(tier: Tier, compiler: Option<Arc<dyn Compiler>>, tuning: Tuning) -> Self {
        let cache = Arc::new(Cache::new(tuning.bytes));
        let tier_up = compiler.map(|compiler| TierUp::new(compiler, Arc::clone(&cache), tuning));
        let zero = || AtomicU64::new(0);
        let (accepted, jitted, left, direct) = (zero(), zero(), zero(), zero());
        Self { tier, cache, tier_up, accepted, jitted, left, direct, differences: Mutex::default() }
    }

    /// Decides whether input `input` may spend its output.
    ///
    /// # Errors
    /// [`Failure`]: why it may not, and where, in the oracle's words.
    pub fn verify(&self, rules: &Rules, context: &SpendContext<'_>, input: usize) -> Result<Metrics, Failure> {
        match self.tier {
            Tier::Oracle => vm::verify_input(rules, context, input),
            Tier::Register | Tier::Jit if pays_a_key(context, input) => {
                self.direct.fetch_add(1, Ordering::Relaxed);
                vm::verify_input(rules, context, input)
            }
            Tier::Register | Tier::Jit => match self.fast(rules, context, input, Metering::Exact, None) {
                Some(metrics) => Ok(metrics),
                None => vm::verify_input(rules, context, input),
            },
            Tier::Shadow => self.all(rules, context, input),
        }
    }

    /// As [`Engine::verify`], for who needs no cost: gives the signature checks. The fast ways then need not count the
    /// lengths of numbers, only bound them.
    ///
    /// # Errors
    /// [`Failure`]: why it may not, and where, in the oracle's words.
    pub fn accept(&self, rules: &Rules, context: &SpendContext<'_>, input: usize) -> Result<u32, Failure> {
        if matches!(self.tier, Tier::Register | Tier::Jit)
            && !pays_a_key(context, input)
            && let Some(metrics) = self.fast(rules, context, input, Metering::Bound, None)
        {
            return Ok(metrics.sig_checks);
        }
        self.verify(rules, context, input).map(|metrics| metrics.sig_checks)
    }

    /// As [`Engine::accept`], but takes Schnorr signatures for good and notes them: what it gives holds just if they are. If
    /// they are not, [`Engine::accept`] says why the input fails. Where all ways are compared nothing is deferred.
    ///
    /// # Errors
    /// [`Failure`]: as [`Engine::accept`] gives it, whatever the noted signatures are worth; none of this input is noted then.
    pub fn accept_deferring(
        &self,
        rules: &Rules,
        context: &SpendContext<'_>,
        input: usize,
        deferred: &Deferred,
    ) -> Result<u32, Failure> {
        match self.assume(rules, context, input, deferred) {
            Some(metrics) => Ok(metrics.sig_checks),
            None => self.accept(rules, context, input),
        }
    }

    /// What an input takes if its Schnorr signatures are good, if it may spend then.
    fn assume(&self, rules: &Rules, context: &SpendContext<'_>, input: usize, deferred: &Deferred) -> Option<Metrics> {
        let noted = deferred.len();
        let direct = match self.tier {
            Tier::Shadow => return None,
            Tier::Oracle => false,
            Tier::Register | Tier::Jit => pays_a_key(context, input),
        };
        if !direct && self.tier != Tier::Oracle {
            let found = self.fast(rules, context, input, Metering::Bound, Some(deferred));
            if found.is_some() {
                return found;
            }
            deferred.truncate(noted);
        }
        let found = vm::verify_input_deferring(rules, context, input, deferred).ok();
        match found {
            Some(_) => self.direct.fetch_add(u64::from(direct), Ordering::Relaxed),
            None => {
                deferred.truncate(noted);
                0
            }
        };
        found
    }

    /// Runs the fastest way that there is, as [`Engine::verify`] does or as [`Engine::accept`] does, and shows what the last
    /// script leaves, whether or not that lets the input spend. In place of that `None` where it is for the oracle, and where
    /// there is no such script.
    #[must_use]
    pub fn leaves(
        &self,
        rules: &Rules,
        context: &SpendContext<'_>,
        input: usize,
        metering: Metering,
    ) -> (Fast, Option<(Left, Option<Metrics>)>) {
        let Some((ran, by)) = self.run(rules, context, input, metering, None, None) else {
            return (Fast::Register, None);
        };
        let Some(Ran::Ended(kernel, finished)) = ran else { return (by, None) };
        let left = shown(&kernel, &finished);
        (by, left.map(|left| (left, kernel.finish(&finished.stack, finished.cost))))
    }

    fn all(&self, rules: &Rules, context: &SpendContext<'_>, input: usize) -> Result<Metrics, Failure> {
        let oracle = vm::verify_input(rules, context, input);
        for by in [Fast::Register, Fast::Jit] {
            for metering in [Metering::Exact, Metering::Bound] {
                let Some((found, _)) = self.attempt(rules, context, input, metering, Some(by), None) else { continue };
                // Each input is counted once for each way.
                if metering == Metering::Exact {
                    self.count(found.map(|_| by));
                }
                let Some(found) = found else { continue };
                if !oracle.is_ok_and(|oracle| covers(metering, found, oracle)) {
                    self.tell(Difference { mode: rules.mode, input, tx: context.tx().encode(), by, found, oracle });
                }
            }
        }
        oracle
    }

    fn tell(&self, difference: Difference) {
        let mut differences = self.differences.lock().unwrap_or_else(PoisonError::into_inner);
        if differences.len() < DIFFERENCES_KEPT {
            differences.push(difference);
        }
    }

    fn count(&self, by: Option<Fast>) {
        let count = match by {
            Some(Fast::Register) => &self.accepted,
            Some(Fast::Jit) => &self.jitted,
            None => &self.left,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// What the fastest way says that there is, if it accepts.
    fn fast(
        &self,
        rules: &Rules,
        context: &SpendContext<'_>,
        input: usize,
        metering: Metering,
        deferred: Option<&Deferred>,
    ) -> Option<Metrics> {
        let (found, by) = self.attempt(rules, context, input, metering, None, deferred)?;
        self.count(found.map(|_| by));
        found
    }

    /// What one way says, or the fastest that there is. `None` if the code has no machine code where that is asked for.
    fn attempt(
        &self,
        rules: &Rules,
        context: &SpendContext<'_>,
        input: usize,
        metering: Metering,
        way: Option<Fast>,
        deferred: Option<&Deferred>,
    ) -> Option<(Option<Metrics>, Fast)> {
        let (ran, by) = self.run(rules, context, input, metering, way, deferred)?;
        let metrics = match ran {
            None => None,
            Some(Ran::Accepted(metrics)) => Some(metrics),
            Some(Ran::Ended(kernel, left)) => kernel.finish(&left.stack, left.cost),
        };
        Some((metrics, by))
    }

    /// As [`Engine::attempt`], before what is left is judged.
    fn run<'a>(
        &self,
        rules: &'a Rules,
        context: &'a SpendContext<'a>,
        input: usize,
        metering: Metering,
        way: Option<Fast>,
        deferred: Option<&'a Deferred>,
    ) -> Option<(Option<Ran<'a>>, Fast)> {
        let register = |ran| (way != Some(Fast::Jit)).then_some((ran, Fast::Register));
        let (mut kernel, stack) = match Kernel::start_deferring(rules, context, input, deferred) {
            None => return register(None),
            Some(Start::Accepted(metrics)) => return register(Some(Ran::Accepted(metrics))),
            Some(Start::Ready(kernel, stack)) => (kernel, stack),
        };
        let Some(entry) = self.cache.find(kernel.code(), rules, metering) else { return register(None) };
        let tier_up = self.tier_up.as_ref().filter(|_| way != Some(Fast::Register));
        let native = tier_up.and_then(|tier_up| tier_up.native(&entry));
        let by = if native.is_some() { Fast::Jit } else { Fast::Register };
        if way.is_some_and(|way| way != by) {
            return None;
        }
        let left = self.finished(rules, metering, &mut kernel, &stack, &entry, native.as_deref());
        if let Some(left) = left.as_ref().filter(|_| entry.undecided().is_some()) {
            // Not all of the cost is instructions, so this counts somewhat too many; nothing depends on it but when the
            // unit is compiled.
            entry.warm(left.cost / rules.prices.instruction.max(1));
        }
        Some((left.map(|left| Ran::Ended(kernel, left)), by))
    }

    fn finished(
        &self,
        rules: &Rules,
        metering: Metering,
        kernel: &mut Kernel<'_>,
        stack: &[Item],
        entry: &Entry,
        native: Option<&dyn Native>,
    ) -> Option<Finished> {
        let find = |code: &[u8]| self.cache.find(code, rules, metering).map(|entry| Arc::clone(&entry.unit));
        match native {
            Some(native) => native.run(kernel, &rules.limits, stack, &find),
            None => run(kernel, &rules.limits, Arc::clone(&entry.unit), stack, &find),
        }
    }

    /// Which ways it uses.
    #[must_use]
    pub const fn tier(&self) -> Tier {
        self.tier
    }

    /// How many inputs took which way so far, and what that took.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (stock, made) = (self.cache.stock(), self.tier_up.as_ref().map_or_else(Made::default, TierUp::made));
        Counts {
            accepted: of(&self.accepted),
            jitted: of(&self.jitted),
            left: of(&self.left),
            direct: of(&self.direct),
            hits: stock.hits,
            misses: stock.misses,
            compiled: made.compiled,
            improved: made.improved,
            crashed: made.crashed,
            refused: made.refused,
            skipped: made.skipped,
            evicted: stock.evicted,
            bytes: stock.bytes as u64,
            machine_bytes: made.machine_bytes,
        }
    }

    /// Takes the differences that have come up; only [`Tier::Shadow`] looks for them.
    #[must_use]
    pub fn take_differences(&self) -> Vec<Difference> {
        std::mem::take(&mut self.differences.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How far a fast way has come.
enum Ran<'a> {
    /// There was nothing to run any more.
    Accepted(Metrics),
    /// The last script has come to its end.
    Ended(Box<Kernel<'a>>, Finished),
}

/// Whether an input spends what one key holds. To look for its five instructions would take longer than to run them.
fn pays_a_key(context: &SpendContext<'_>, input: usize) -> bool {
    context.spent().get(input).is_some_and(|spent| p2pkh_hash(&spent.lock).is_some())
}

/// Whether the work that a fast way counts is the true one; where it bounds the cost, it may be more.
fn covers(metering: Metering, found: Metrics, oracle: Metrics) -> bool {
    match metering {
        Metering::Exact => found == oracle,
        Metering::Bound => found.cost >= oracle.cost && Metrics { cost: oracle.cost, ..found } == oracle,
    }
}

/// What the last script of an input leaves, to compare with what the oracle leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The stack, bottom first.
    pub stack: Vec<Vec<u8>>,
    /// The alt stack, bottom first.
    pub alt: Vec<Vec<u8>>,
    /// The work until then.
    pub metrics: Metrics,
}

/// Runs the scripts of an input in register code, or in the machine code that a compiler makes of it, and shows what the
/// last one leaves, whether or not that lets it spend. `None` if there is no such script or no machine code of it, or they
/// leave it to the oracle.
#[must_use]
pub fn leaves(
    rules: &Rules,
    context: &SpendContext<'_>,
    input: usize,
    metering: Metering,
    compiler: Option<(&dyn Compiler, Effort)>,
) -> Option<Left> {
    let Some(Start::Ready(mut kernel, stack)) = Kernel::start(rules, context, input) else { return None };
    let find = |code: &[u8]| lowered(code, rules, metering).map(Arc::new);
    let unit = find(kernel.code())?;
    let left = match compiler {
        None => run(&mut kernel, &rules.limits, unit, &stack, &find)?,
        Some((compiler, effort)) => {
            compiler.compile(&unit, rules, effort)?.run(&mut kernel, &rules.limits, &stack, &find)?
        }
    };
    shown(&kernel, &left)
}

/// What has been left, to look at; `None` if it costs too much.
fn shown(kernel: &Kernel<'_>, left: &Finished) -> Option<Left> {
    let cost = kernel.cost().checked_add(left.cost).filter(|cost| *cost <= kernel.cost_budget())?;
    let bytes = |items: &[Item]| items.iter().map(|item| kernel.bytes(*item)).collect();
    let metrics = Metrics { cost: spec::OpCost::new(cost), ..kernel.metrics() };
    Some(Left { stack: bytes(&left.stack), alt: bytes(&left.alt), metrics })
}

/// Lowers the code of a script or function; `None` if no input can spend with it, or it is too large. Code that differs
/// only in what it pushes gives the same unit, where the pushes are long and equally long.
#[must_use]
pub fn lowered(code: &[u8], rules: &Rules, metering: Metering) -> Option<Unit> {
    lower(&Template::new(code, rules)?, rules, metering)
}

#[cfg(test)]
mod tests;
