//! One script with several inputs, run by the oracle and by the engines.
//!
//! An engine keeps what it makes of a script, as on a node: the first input lowers and compiles it, and all others, also
//! those of other deployments of its template, run the same code.

use std::sync::{Arc, OnceLock};

use engine::ir::Metering;
use engine::{Effort, Engine, Fast, Left, Tier, Tuning};
use jit::Jit;
use spec::{Rules, SpendContext};
use vm::{Failure, Metrics, Phase, ScriptError, Step, Tracer};

use crate::case::{Case, Spend};
use crate::counts::Counts;
use crate::inputs::Inputs;
use crate::random::Random;

/// After so many inputs of which none came to the end of the script, no more are tried.
const HOPELESS: usize = 3;

/// What the oracle says of an input.
struct Oracle {
    /// What it has left, if the script came to its end.
    left: Option<Ended>,
    /// Whether the last script was reached.
    reached: bool,
    verdict: Result<Metrics, Failure>,
}

struct Ended {
    metrics: Metrics,
    /// `None` if the script's last bytes are no instructions of their own, so that nobody can see.
    stacks: Option<[Vec<Vec<u8>>; 2]>,
}

/// The stacks before the last instruction of the script.
struct Last {
    at: usize,
    phase: Phase,
    stacks: Option<[Vec<Vec<u8>>; 2]>,
}

impl Tracer for Last {
    fn step(&mut self, step: &Step<'_>) {
        if step.at == self.at && step.phase == self.phase && step.depth == 0 {
            self.stacks = Some([step.stack.iter().collect(), step.alt.iter().collect()]);
        }
    }
}

/// The engines that run one script, and what became of it.
struct Engines {
    rules: Rules,
    register: Engine,
    /// Compiles whatever it runs; none if that is not asked for.
    machine: Option<Engine>,
    /// Whether there is register code.
    lowered: bool,
    counts: Counts,
}

/// What an engine leaves, and what the input costs if it may spend.
type Ran = Option<(Left, Option<Metrics>)>;

impl Case {
    /// Runs the script with up to so many inputs in every way, but in machine code, which takes long to make, only if that
    /// is asked for. What takes most effort to make takes the place of the other after the first run.
    ///
    /// # Errors
    /// How they differ.
    pub fn run(&self, inputs: usize, machine: Option<Effort>, random: Random) -> Result<Counts, String> {
        let mut engines = Engines::new(self, machine);
        let mut drawn = Inputs::new(self, random);
        for number in 0..inputs.max(1) {
            if number >= HOPELESS && engines.counts.ends == 0 {
                break;
            }
            let case = drawn.next();
            let spend = case.spend();
            let cost = engines.input(&case, &spend).map_err(|what| format!("input {number}: {what}\n{case}"))?;
            drawn.ended(cost.map(|cost| (cost, spend.unlock_len)));
        }
        if let Some(made) = engines.machine.as_ref().map(Engine::counts) {
            engines.counts.units = made.compiled;
            if made.crashed > 0 {
                return Err(format!("the compiler has panicked\n{self}"));
            }
        }
        Ok(engines.counts)
    }

    fn last_phase(&self) -> Phase {
        if self.redeem { Phase::Redeem } else { Phase::Locking }
    }

    fn oracle(&self, rules: &Rules, context: &SpendContext<'_>, input: usize) -> Oracle {
        let phase = self.last_phase();
        let mut last = Last { at: self.script.len(), phase, stacks: None };
        let verdict = vm::verify_input_traced(rules, context, input, &mut last);
        let metrics = verdict.as_ref().map_or_else(|failure| ended(failure, phase), |metrics| Some(*metrics));
        let left = metrics.map(|metrics| Ended { metrics, stacks: last.stacks });
        let reached = verdict.as_ref().is_ok() || verdict.as_ref().is_err_and(|failure| failure.phase == phase);
        Oracle { left, reached, verdict }
    }
}

impl Engines {
    fn new(case: &Case, effort: Option<Effort>) -> Self {
        let rules = Rules::new(case.set, case.mode);
        let lowered = engine::lowered(&case.code(), &rules, Metering::Exact).is_some();
        let engine = |(jit, effort): (&Arc<Jit>, Effort)| {
            let hot_threshold = if effort == Effort::Hot { 0 } else { u64::MAX };
            let tuning = Tuning { hot_threshold, ..Tuning::at_once() };
            Engine::with_compiler(Tier::Jit, Arc::clone(jit) as Arc<_>, tuning)
        };
        let machine = jit().filter(|_| lowered).zip(effort).map(engine);
        let counts = Counts { scripts: 1, unlowered: u64::from(!lowered), ..Counts::default() };
        Self { rules, register: Engine::new(Tier::Register), machine, lowered, counts }
    }

    /// Runs one input everywhere; gives the cost if its script came to its end.
    fn input(&mut self, case: &Case, spend: &Spend) -> Result<Option<u64>, String> {
        let context = SpendContext::new(&spend.tx, &spend.spent).ok_or("one output for each input")?;
        let oracle = case.oracle(&self.rules, &context, spend.input);
        self.counts.inputs += 1;
        self.counts.unreached += u64::from(!oracle.reached);
        self.counts.ends += u64::from(oracle.left.is_some());
        self.counts.accepted += u64::from(oracle.verdict.is_ok());
        for metering in [Metering::Exact, Metering::Bound] {
            self.metering(&context, spend.input, metering, &oracle)?;
        }
        if self.counts.inputs == 2 {
            self.verdicts(&context, spend.input, &oracle)?;
        }
        Ok(oracle.left.map(|left| left.metrics.cost.get()))
    }

    fn metering(
        &mut self,
        context: &SpendContext<'_>,
        input: usize,
        metering: Metering,
        oracle: &Oracle,
    ) -> Result<(), String> {
        let ends = oracle.left.is_some();
        let counts = oracle.reached && self.lowered;
        let (_, register) = self.register.leaves(&self.rules, context, input, metering);
        same("register code", metering, &register, oracle)?;
        if counts {
            self.counts.register.count(register.is_some(), ends);
        }
        let Some(machine) = &self.machine else { return Ok(()) };
        let (by, compiled) = machine.leaves(&self.rules, context, input, metering);
        same("machine code", metering, &compiled, oracle)?;
        if counts && by == Fast::Jit {
            self.counts.machine.count(compiled.is_some(), ends);
        }
        // Machine code may do less than the oracle, but it does whatever register code does.
        if compiled == register {
            return Ok(());
        }
        Err(format!("{metering:?} costs: machine code leaves\n{compiled:?}\nand register code\n{register:?}"))
    }

    /// What the engines' own doors say.
    fn verdicts(&self, context: &SpendContext<'_>, input: usize, oracle: &Oracle) -> Result<(), String> {
        for engine in [Some(&self.register), self.machine.as_ref()].into_iter().flatten() {
            let (exact, bound) =
                (engine.verify(&self.rules, context, input), engine.accept(&self.rules, context, input));
            if exact != oracle.verdict || bound != oracle.verdict.map(|metrics| metrics.sig_checks) {
                let theirs = oracle.verdict;
                return Err(format!(
                    "verdicts differ: {exact:?}, with bound costs {bound:?}, of the oracle {theirs:?}"
                ));
            }
        }
        Ok(())
    }
}

/// Whether an engine says nothing, or what the oracle says, where the cost may be more if it is bounded.
fn same(engine: &str, metering: Metering, ran: &Ran, oracle: &Oracle) -> Result<(), String> {
    let Some((left, accepted)) = ran else { return Ok(()) };
    let right = oracle.left.as_ref().is_some_and(|ended| {
        let stacks = ended.stacks.as_ref().is_none_or(|[stack, alt]| *stack == left.stack && *alt == left.alt);
        stacks && covers(metering, left.metrics, ended.metrics)
    });
    if right && *accepted == oracle.verdict.ok().map(|_| left.metrics) {
        return Ok(());
    }
    let (theirs, verdict) = (oracle.left.as_ref().map(|ended| (&ended.stacks, ended.metrics)), &oracle.verdict);
    Err(format!("{metering:?} costs: {engine} leaves\n{left:?}\n{accepted:?}\nand the oracle\n{theirs:?}\n{verdict:?}"))
}

fn covers(metering: Metering, found: Metrics, exact: Metrics) -> bool {
    match metering {
        Metering::Exact => found == exact,
        Metering::Bound => found.cost >= exact.cost && Metrics { cost: exact.cost, ..found } == exact,
    }
}

/// The compiler, if there is one for this machine.
fn jit() -> Option<&'static Arc<Jit>> {
    static JIT: OnceLock<Option<Arc<Jit>>> = OnceLock::new();
    JIT.get_or_init(|| Jit::new().map(Arc::new)).as_ref()
}

/// The work of a script that came to its end with a stack that does not let the input spend.
fn ended(failure: &Failure, phase: Phase) -> Option<Metrics> {
    let ended =
        matches!(failure.error, ScriptError::FalseResult | ScriptError::NotClean | ScriptError::SigCheckDensity);
    (ended && failure.phase == phase && failure.at.is_none()).then_some(failure.metrics)
}
