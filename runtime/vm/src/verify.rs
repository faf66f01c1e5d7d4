//! The door: the phases of one input's verification.

use spec::script::{LockKind, is_push_only};
use spec::units::OpCost;
use spec::{Mode, Rules, SpendContext};

use crate::batch::Deferred;
use crate::error::{Failure, Phase, ScriptError, Turns};
use crate::item::Item;
use crate::machine::{Machine, Outcome};
use crate::trace::{NoTrace, Tracer};

/// The work that verifying an input took, by which its budgets are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// The operation cost.
    pub cost: OpCost,
    /// Iterations of hash functions.
    pub hash_iterations: u64,
    /// Signature checks, as the limits count them.
    pub sig_checks: u32,
}

/// Decides whether input `input` may spend its output: runs unlocking bytecode, locking bytecode and, if the lock asks
/// for one, the redeem script.
///
/// ```
/// use spec::{OutPoint, Mode, RuleSet, Rules, Sats, SpendContext, Transaction, TxOut};
/// use spec::tx::TxIn;
///
/// // 2 + 3 = 5: the unlocking bytecode gives the sum.
/// let lock = vec![0x52, 0x53, 0x93, 0x87];
/// let spent = [TxOut::plain(Sats::ONE, lock)];
/// let input = TxIn { prevout: OutPoint::COINBASE, unlock: vec![0x55], sequence: 0 };
/// let tx = Transaction { version: 2, inputs: vec![input], outputs: vec![], locktime: 0 };
/// let context = SpendContext::new(&tx, &spent).unwrap();
/// let rules = Rules::new(RuleSet::Bitmodel, Mode::Relay);
/// let metrics = vm::verify_input(&rules, &context, 0).unwrap();
/// assert_eq!(metrics.cost.get(), 5 * 100 + 3 + 2 + 1);
/// ```
///
/// # Errors
/// [`Failure`]: why it may not, and where.
pub fn verify_input(rules: &Rules, context: &SpendContext<'_>, input: usize) -> Result<Metrics, Failure> {
    verify_input_traced(rules, context, input, &mut NoTrace)
}

/// As [`verify_input`], and shows every instruction to `tracer`.
///
/// # Errors
/// [`Failure`]: why it may not, and where.
pub fn verify_input_traced<T: Tracer>(
    rules: &Rules,
    context: &SpendContext<'_>,
    input: usize,
    tracer: &mut T,
) -> Result<Metrics, Failure> {
    verify(rules, context, input, None, tracer)
}

/// As [`verify_input`], but takes Schnorr signatures for good and notes them: the input may spend, with these metrics, just
/// if they are.
///
/// # Errors
/// [`Failure`]: why it may not even if all signatures are good. If one is not, the input fails there, and for that reason.
pub fn verify_input_deferring(
    rules: &Rules,
    context: &SpendContext<'_>,
    input: usize,
    deferred: &Deferred,
) -> Result<Metrics, Failure> {
    verify(rules, context, input, Some(deferred), &mut NoTrace)
}

fn verify<T: Tracer>(
    rules: &Rules,
    context: &SpendContext<'_>,
    input: usize,
    deferred: Option<&Deferred>,
    tracer: &mut T,
) -> Result<Metrics, Failure> {
    let scripts = context.tx().inputs.get(input).zip(context.spent().get(input));
    let Some((claim, spent)) = scripts else {
        let (error, metrics) = (ScriptError::NoSuchInput, Metrics::default());
        return Err(Failure {
            error,
            phase: Phase::Unlocking,
            at: None,
            inside: None,
            turns: Turns::default(),
            metrics,
        });
    };
    let mut machine = Machine::new(rules, context, input, &claim.unlock);
    machine.deferred = deferred;
    match run_phases(&mut machine, &claim.unlock, &spent.lock, tracer) {
        Ok(()) => Ok(machine.metrics()),
        Err(fault) => Err(Failure {
            error: fault.error,
            phase: machine.phase,
            at: fault.in_code.then(|| machine.outermost_at()),
            inside: if fault.in_code { machine.inside() } else { None },
            turns: machine.turns,
            metrics: machine.metrics(),
        }),
    }
}

/// A reason, and whether a single instruction is to blame.
pub(crate) struct Fault {
    error: ScriptError,
    in_code: bool,
}

impl Fault {
    const fn of_result(error: ScriptError) -> Self {
        Self { error, in_code: false }
    }
}

fn run_phases<'a, T: Tracer>(
    machine: &mut Machine<'a>,
    unlock: &'a [u8],
    lock: &'a [u8],
    tracer: &mut T,
) -> Result<(), Fault> {
    if let Prelude::Accepted = prelude(machine, unlock, lock, tracer)? {
        return Ok(());
    }
    run(machine, tracer)?;
    require_true(machine)?;
    if machine.stack.len() != 1 {
        return Err(Fault::of_result(ScriptError::NotClean));
    }
    check_density(machine, unlock.len()).map_err(Fault::of_result)
}

/// What comes after the scripts that only prepare.
pub(crate) enum Prelude {
    /// Nothing: the input may spend.
    Accepted,
    /// The machine is ready to run the last script.
    Run,
}

/// Runs the unlocking bytecode and, where the lock only names a redeem script, the lock.
pub(crate) fn prelude<'a, T: Tracer>(
    machine: &mut Machine<'a>,
    unlock: &'a [u8],
    lock: &'a [u8],
    tracer: &mut T,
) -> Result<Prelude, Fault> {
    if !is_push_only(unlock) {
        return Err(Fault::of_result(ScriptError::UnlockNotPushOnly));
    }
    run(machine, tracer)?;
    let redeem = RedeemHash::of(lock);
    let copy = redeem.map(|_| machine.stack.clone());
    machine.enter_locking(lock);
    if let (Some(hash), Some(stack)) = (redeem, copy) {
        run(machine, tracer)?;
        require_true(machine)?;
        if is_segwit_recovery(machine, hash, &stack) {
            return Ok(Prelude::Accepted);
        }
        machine.enter_redeem(stack).map_err(Fault::of_result)?;
    }
    Ok(Prelude::Run)
}

fn run<T: Tracer>(machine: &mut Machine<'_>, tracer: &mut T) -> Result<(), Fault> {
    machine.run(tracer).map_err(|error| Fault { error, in_code: is_in_code(error) })?;
    if T::ACTIVE {
        tracer.end(machine.main_view(), machine.alt_view());
    }
    Ok(())
}

/// Whether the failure happened at an instruction and not at the script's bounds.
const fn is_in_code(error: ScriptError) -> bool {
    !matches!(error, ScriptError::ScriptSize)
}

pub(crate) fn require_true(machine: &Machine<'_>) -> Result<(), Fault> {
    match machine.stack.last() {
        Some(top) if machine.is_truthy(*top) => Ok(()),
        Some(_) | None => Err(Fault::of_result(ScriptError::FalseResult)),
    }
}

/// How a lock names its redeem script.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RedeemHash {
    Bytes20,
    Bytes32,
}

impl RedeemHash {
    fn of(lock: &[u8]) -> Option<Self> {
        match LockKind::of(lock) {
            LockKind::P2sh20(_) => Some(Self::Bytes20),
            LockKind::P2sh32(_) => Some(Self::Bytes32),
            LockKind::P2pkh(_) | LockKind::P2pk(_) | LockKind::Multisig { .. } | LockKind::Data | LockKind::Other => {
                None
            }
        }
    }
}

/// Money sent by mistake to a witness program may be recovered by miners: a block may spend it without running anything.
fn is_segwit_recovery(machine: &Machine<'_>, hash: RedeemHash, stack: &[Item]) -> bool {
    let [redeem] = stack else { return false };
    machine.rules.mode == Mode::Consensus && hash == RedeemHash::Bytes20 && is_witness_program(&machine.view(*redeem))
}

const fn is_witness_program(script: &[u8]) -> bool {
    match script {
        [0x00 | 0x51..=0x60, len, program @ ..] => *len as usize == program.len() && matches!(program.len(), 2..=40),
        _ => false,
    }
}

/// Relay lets an input check only as many signatures as its length could plausibly hold.
pub(crate) const fn check_density(machine: &Machine<'_>, unlock_len: usize) -> Outcome {
    let checks = machine.metrics().sig_checks as usize;
    match machine.rules.mode {
        Mode::Relay if unlock_len + 60 < 43 * checks => Err(ScriptError::SigCheckDensity),
        Mode::Relay | Mode::Consensus => Ok(()),
    }
}
