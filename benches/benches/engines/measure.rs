//! How long things take, by the thread's processor time: other work on the machine does not count.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use cpu_time::ThreadTime;
use engine::ir::{Metering, Unit};
use engine::{Compiler as _, Effort, Engine, Tier, Tuning};
use jit::Jit;
use spec::Rules;
use vm::{Metrics, Step, Tracer, verify_input_traced};

use crate::naive;
use crate::work::Work;

/// How often each is measured; the best counts.
const ROUNDS: usize = 21;
/// A round repeats what is over sooner.
const ROUND: Duration = Duration::from_millis(2);

/// How long something takes, in picoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub u128);

impl Time {
    /// Nanoseconds of one of `count`.
    pub fn nanos_each(self, count: u64) -> String {
        let picos = self.0 / u128::from(count.max(1));
        format!("{}.{:03}", picos / 1_000, picos % 1_000)
    }

    pub fn micros(self) -> String {
        let hundredths = self.0 / 10_000;
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    }

    /// How many times `other` it is.
    pub fn over(self, other: Self) -> String {
        let hundredths = self.0 * 100 / other.0.max(1);
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    }

    pub const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// How many times `time` a time is that there may be none of.
pub fn ratio_to(of: Option<Time>, time: Time) -> String {
    of.map_or("-".to_owned(), |of| of.over(time))
}

/// The time of one run in the best round.
pub fn best(mut work: impl FnMut() -> i64) -> Time {
    let repeats = repeats(&mut work);
    let rounds = (0..ROUNDS).map(|_| round(&mut work, repeats));
    rounds.min().unwrap_or(Time(0))
}

/// The time of one work in the best round, and how much longer another takes in the middle one of all rounds. Their rounds
/// take turns, so that both meet the same machine.
pub fn best_and_more(mut one: impl FnMut() -> i64, mut other: impl FnMut() -> i64) -> [Time; 2] {
    let repeats = repeats(&mut one);
    let mut least = Time(u128::MAX);
    let mut more: Vec<Time> = Vec::new();
    for _ in 0..4 * ROUNDS {
        let first = round(&mut one, repeats);
        more.push(round(&mut other, repeats).less(first));
        least = least.min(first);
    }
    more.sort_unstable();
    [least, more.get(more.len() / 2).copied().unwrap_or(Time(0))]
}

fn repeats(work: &mut impl FnMut() -> i64) -> u128 {
    let once = round(work, 1);
    (ROUND.as_nanos() * 1_000 / once.0.max(1)).max(1)
}

fn round(work: &mut impl FnMut() -> i64, repeats: u128) -> Time {
    let start = ThreadTime::now();
    for _ in 0..repeats {
        black_box(work());
    }
    Time(start.elapsed().as_nanos() * 1_000 / repeats)
}

/// The times of a workload: with exact costs and with bound ones, where there are two.
pub struct Times {
    pub instructions: u64,
    pub naive: Option<Time>,
    pub oracle: Time,
    pub register: [Time; 2],
    /// In machine code that is made fast, and in the best.
    pub quick: [Time; 2],
    pub jit: [Time; 2],
    pub native: Time,
    pub lowering: [Time; 2],
    /// Making the first machine code, and better code if there is any.
    pub compiling: [Time; 2],
    pub improving: [Option<Time>; 2],
    /// Instructions of register code.
    pub ops: [usize; 2],
}

impl Times {
    pub fn of(work: &Work) -> Self {
        let (metrics, instructions) = counted(work);
        let code = work.code();
        let both = |f: &dyn Fn(Metering) -> Time| [Metering::Exact, Metering::Bound].map(f);
        let quick = Tuning { hot_threshold: u64::MAX, ..Tuning::at_once() };
        let unit = |metering| lowered(&code, &work.rules, metering);
        let [[oracle, _], register, jit] =
            [Tier::Oracle, Tier::Register, Tier::Jit].map(|tier| verdicts(work, &engine(tier), metrics));
        Self {
            instructions,
            naive: naive(work, metrics),
            oracle,
            register,
            quick: verdicts(work, &tuned(Tier::Jit, quick), metrics),
            jit,
            native: best(|| (work.native)(black_box(&work.tx))),
            lowering: both(&|metering| best(|| unit(metering).ops.len() as i64)),
            compiling: both(&|metering| compiling(&unit(metering), &work.rules, Effort::Quick).unwrap_or(Time(0))),
            improving: [Metering::Exact, Metering::Bound]
                .map(|metering| compiling(&unit(metering), &work.rules, Effort::Hot)),
            ops: [Metering::Exact, Metering::Bound].map(|metering| unit(metering).ops.len()),
        }
    }
}

/// Counts instructions.
struct Counter(u64);

impl Tracer for Counter {
    fn step(&mut self, _: &Step<'_>) {
        self.0 += 1;
    }
}

fn counted(work: &Work) -> (Metrics, u64) {
    let mut counter = Counter(0);
    let metrics = verify_input_traced(&work.rules, &work.context(), 0, &mut counter);
    (metrics.unwrap_or_else(|failure| panic!("{}: {failure:?}", work.name)), counter.0)
}

fn naive(work: &Work, metrics: Metrics) -> Option<Time> {
    let script = work.naive.as_ref()?;
    let (_, cost) = naive::run(script, &work.tx)?;
    assert_eq!(cost, metrics.cost.get(), "{}", work.name);
    Some(best(|| i64::from(naive::run(black_box(script), black_box(&work.tx)).is_some())))
}

/// The code of a script, which has to be one that can be lowered.
pub fn lowered(code: &[u8], rules: &Rules, metering: Metering) -> Unit {
    engine::lowered(black_box(code), rules, metering).expect("the script can be lowered")
}

/// How long machine code takes to make, if there is any.
pub fn compiling(unit: &Unit, rules: &Rules, effort: Effort) -> Option<Time> {
    let jit = Jit::new()?;
    jit.compile(unit, rules, effort)?;
    Some(best(|| i64::from(jit.compile(black_box(unit), rules, effort).is_some())))
}

/// An engine that compiles before the first runs.
pub fn engine(tier: Tier) -> Engine {
    tuned(tier, Tuning::at_once())
}

fn tuned(tier: Tier, tuning: Tuning) -> Engine {
    match Jit::new().filter(|_| tier == Tier::Jit) {
        Some(jit) => Engine::with_compiler(tier, Arc::new(jit), tuning),
        None => Engine::new(tier),
    }
}

/// The times of an engine: of exact costs, and of a verdict alone.
fn verdicts(work: &Work, engine: &Engine, metrics: Metrics) -> [Time; 2] {
    let (tier, context) = (engine.tier(), work.context());
    let exact = best(|| i64::from(engine.verify(&work.rules, black_box(&context), 0) == Ok(metrics)));
    let bound = best(|| i64::from(engine.accept(&work.rules, black_box(&context), 0).is_ok()));
    let counts = engine.counts();
    assert!(tier == Tier::Oracle || counts.left == 0, "{} is left to the oracle", work.name);
    assert!(tier != Tier::Jit || counts.accepted == 0 || Jit::new().is_none(), "{} has no machine code", work.name);
    [exact, bound]
}
