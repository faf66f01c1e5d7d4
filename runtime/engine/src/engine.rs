//! The door: one engine, and which ways of running scripts it uses.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use spec::{Mode, Rules, SpendContext};
use vm::{Failure, Item, Kernel, Metrics, Start};

use crate::ir::{Metering, Unit};
use crate::lower::lower;
use crate::run::{Finished, run};
use crate::units::Units;

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
    /// Both for every input. The oracle's verdict counts, and where register code would have accepted otherwise, that is
    /// told.
    Shadow,
}

/// An input that register code accepts and the oracle does not, or not at that cost: a bug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Whether relay was asked for.
    pub mode: Mode,
    /// The input.
    pub input: usize,
    /// The transaction's bytes.
    pub tx: Vec<u8>,
    /// What the register code says.
    pub register: Metrics,
    /// What the oracle says.
    pub oracle: Result<Metrics, Failure>,
}

/// How many inputs took which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Register code has accepted.
    pub accepted: u64,
    /// Register code has left them to the oracle.
    pub left: u64,
}

impl Counts {
    /// Adds those of another engine.
    pub const fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.left += other.left;
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
#[derive(Debug, Default)]
pub struct Engine {
    tier: Tier,
    units: Units,
    accepted: AtomicU64,
    left: AtomicU64,
    differences: Mutex<Vec<Difference>>,
}

impl Engine {
    /// An engine that knows no script yet.
    #[must_use]
    pub fn new(tier: Tier) -> Self {
        Self { tier, ..Self::default() }
    }

    /// Decides whether input `input` may spend its output.
    ///
    /// # Errors
    /// [`Failure`]: why it may not, and where, in the oracle's words.
    pub fn verify(&self, rules: &Rules, context: &SpendContext<'_>, input: usize) -> Result<Metrics, Failure> {
        match self.tier {
            Tier::Oracle => vm::verify_input(rules, context, input),
            Tier::Register => match self.register(rules, context, input, Metering::Exact) {
                Some(metrics) => Ok(metrics),
                None => vm::verify_input(rules, context, input),
            },
            Tier::Shadow => self.both(rules, context, input),
        }
    }

    /// As [`Engine::verify`], for who needs no cost: gives the signature checks. Register code then need not count the
    /// lengths of numbers, only bound them.
    ///
    /// # Errors
    /// [`Failure`]: why it may not, and where, in the oracle's words.
    pub fn accept(&self, rules: &Rules, context: &SpendContext<'_>, input: usize) -> Result<u32, Failure> {
        if self.tier == Tier::Register
            && let Some(metrics) = self.register(rules, context, input, Metering::Bound)
        {
            return Ok(metrics.sig_checks);
        }
        self.verify(rules, context, input).map(|metrics| metrics.sig_checks)
    }

    fn both(&self, rules: &Rules, context: &SpendContext<'_>, input: usize) -> Result<Metrics, Failure> {
        let oracle = vm::verify_input(rules, context, input);
        for metering in [Metering::Exact, Metering::Bound] {
            let Some(register) = self.register(rules, context, input, metering) else { continue };
            if oracle.is_ok_and(|oracle| covers(metering, register, oracle)) {
                continue;
            }
            let mut differences = self.differences.lock().unwrap_or_else(PoisonError::into_inner);
            if differences.len() < DIFFERENCES_KEPT {
                let tx = context.tx().encode();
                differences.push(Difference { mode: rules.mode, input, tx, register, oracle });
            }
        }
        oracle
    }

    /// What register code says, if it accepts.
    fn register(&self, rules: &Rules, context: &SpendContext<'_>, input: usize, metering: Metering) -> Option<Metrics> {
        let metrics = match Kernel::start(rules, context, input) {
            None => None,
            Some(Start::Accepted(metrics)) => Some(metrics),
            Some(Start::Ready(mut kernel, stack)) => {
                let left = self.finished(rules, metering, &mut kernel, &stack);
                left.and_then(|left| kernel.finish(&left.stack, left.cost))
            }
        };
        if self.tier == Tier::Shadow && metering == Metering::Bound {
            // Each input is counted once.
            return metrics;
        }
        let count = if metrics.is_some() { &self.accepted } else { &self.left };
        count.fetch_add(1, Ordering::Relaxed);
        metrics
    }

    fn finished(&self, rules: &Rules, metering: Metering, kernel: &mut Kernel<'_>, stack: &[Item]) -> Option<Finished> {
        let find = |code: &[u8]| self.units.find(code, rules, metering);
        let unit = find(kernel.code())?;
        run(kernel, &rules.limits, unit, stack, &find)
    }

    /// How many inputs took which way so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts { accepted: self.accepted.load(Ordering::Relaxed), left: self.left.load(Ordering::Relaxed) }
    }

    /// Takes the differences that have come up; only [`Tier::Shadow`] looks for them.
    #[must_use]
    pub fn take_differences(&self) -> Vec<Difference> {
        std::mem::take(&mut self.differences.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether the work that register code counts is the true one; where it bounds the cost, it may be more.
fn covers(metering: Metering, register: Metrics, oracle: Metrics) -> bool {
    match metering {
        Metering::Exact => register == oracle,
        Metering::Bound => register.cost >= oracle.cost && Metrics { cost: oracle.cost, ..register } == oracle,
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

/// Runs the scripts of an input in register code and shows what the last one leaves, whether or not that lets it spend.
/// `None` if there is no such script, or register code leaves it to the oracle.
#[must_use]
pub fn leaves(rules: &Rules, context: &SpendContext<'_>, input: usize, metering: Metering) -> Option<Left> {
    let Some(Start::Ready(mut kernel, stack)) = Kernel::start(rules, context, input) else { return None };
    let find = |code: &[u8]| lower(code, rules, metering).map(Arc::new);
    let unit = find(kernel.code())?;
    let left = run(&mut kernel, &rules.limits, unit, &stack, &find)?;
    let cost = kernel.cost().checked_add(left.cost).filter(|cost| *cost <= kernel.cost_budget())?;
    let bytes = |items: &[Item]| items.iter().map(|item| kernel.bytes(*item)).collect();
    let metrics = Metrics { cost: spec::OpCost::new(cost), ..kernel.metrics() };
    Some(Left { stack: bytes(&left.stack), alt: bytes(&left.alt), metrics })
}

/// Lowers the code of a script or function; `None` if no input can spend with it, or it is too large.
#[must_use]
pub fn lowered(code: &[u8], rules: &Rules, metering: Metering) -> Option<Unit> {
    lower(code, rules, metering)
}
