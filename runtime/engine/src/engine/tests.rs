//! Tiers with a compiler that interprets, so that what it makes is right, or wrong where a test wants it.

use std::sync::Condvar;
use std::time::Duration;

use super::*;
use crate::native::Find;
use crate::run::FUNCTIONS_MAX;
use spec::rules::Limits;
use spec::script::{push_int, push_op};
use spec::{Opcode, OutPoint, RuleSet, Sats, Transaction, TxIn, TxOut};

/// Interprets the unit.
#[derive(Debug)]
struct Fake {
    unit: Arc<Unit>,
    does: Does,
}

/// What is wrong with machine code.
#[derive(Clone, Copy, Debug)]
enum Does {
    Right,
    /// It counts one too many.
    WrongCost,
    /// It never accepts.
    Nothing,
}

impl Native for Fake {
    fn run(&self, kernel: &mut Kernel<'_>, limits: &Limits, stack: &[Item], find: &Find<'_>) -> Option<Finished> {
        let left = run(kernel, limits, Arc::clone(&self.unit), stack, find)?;
        match self.does {
            Does::Right => Some(left),
            Does::WrongCost => Some(Finished { cost: left.cost + 1, ..left }),
            Does::Nothing => None,
        }
    }

    fn code_bytes(&self) -> usize {
        self.unit.ops.len()
    }
}

/// Compiles units of up to so many instructions of register code, each once it is let; with more effort only where that
/// makes right what was not.
#[derive(Debug)]
struct Faking {
    most: usize,
    does: Does,
    improves: bool,
    gate: Option<Gate>,
}

/// How many units may be compiled, and how many have asked.
#[derive(Debug, Default)]
struct Gate {
    state: Mutex<(usize, usize)>,
    changed: Condvar,
}

impl Gate {
    fn change(&self, change: impl FnOnce(&mut (usize, usize))) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    /// Waits until something holds; a test that waits in vain fails.
    fn until(&self, holds: impl Fn(&(usize, usize)) -> bool) -> (usize, usize) {
        let state = self.state.lock().unwrap();
        let limit = Duration::from_secs(60);
        let (state, waited) = self.changed.wait_timeout_while(state, limit, |state| !holds(state)).unwrap();
        assert!(!waited.timed_out(), "{state:?}");
        *state
    }
}

impl Compiler for Faking {
    fn compile(&self, unit: &Unit, _: &Rules, effort: Effort) -> Option<Arc<dyn Native>> {
        if effort == Effort::Hot && !self.improves {
            return None;
        }
        if let Some(gate) = &self.gate {
            gate.change(|state| state.1 += 1);
            let asked = gate.until(|_| true).1;
            gate.until(|state| state.0 >= asked);
        }
        assert_ne!(unit.ops.len(), 0, "a unit ends with an instruction");
        let does = if effort == Effort::Hot { Does::Right } else { self.does };
        let fake = || Arc::new(Fake { unit: Arc::new(unit.clone()), does }) as Arc<dyn Native>;
        (unit.ops.len() <= self.most).then(fake)
    }
}

/// Runs `lock` with the number 5 so often, compares with the oracle, and gives the last verdict.
fn verify(engine: &Engine, lock: &[u8], times: usize) -> Result<Metrics, Failure> {
    let spent = [TxOut::plain(Sats::ONE, lock.to_vec())];
    let input = TxIn { prevout: OutPoint::COINBASE, unlock: vec![0x55], sequence: 0 };
    let tx = Transaction { version: 2, inputs: vec![input], outputs: vec![], locktime: 0 };
    let context = SpendContext::new(&tx, &spent).unwrap();
    let rules = Rules::new(RuleSet::Bitmodel, Mode::Consensus);
    let oracle = vm::verify_input(&rules, &context, 0);
    for _ in 0..times {
        assert_eq!(engine.verify(&rules, &context, 0), oracle);
    }
    oracle
}

fn with(tier: Tier, threshold: u64, most: usize, does: Does) -> Engine {
    let compiler = Arc::new(Faking { most, does, improves: false, gate: None });
    Engine::with_compiler(tier, compiler, Tuning { threshold, ..Tuning::default() })
}

/// Those that do not depend on the cache.
fn ways(engine: &Engine) -> (u64, u64, u64, u64, u64) {
    let Counts { accepted, jitted, left, compiled, refused, .. } = engine.counts();
    (accepted, jitted, left, compiled, refused)
}

/// 2 + 3 = 5, and what fails.
const SUM: [u8; 4] = [0x52, 0x53, 0x93, 0x87];
const WRONG: [u8; 4] = [0x52, 0x52, 0x93, 0x87];

#[test]
fn without_a_threshold_all_runs_are_of_machine_code() {
    let engine = with(Tier::Jit, 0, 100, Does::Right);
    assert!(verify(&engine, &SUM, 3).is_ok());
    assert!(verify(&engine, &WRONG, 1).is_err());
    assert_eq!(ways(&engine), (0, 3, 1, 2, 0));
    assert!(engine.counts().machine_bytes > 0);
}

#[test]
fn a_unit_that_is_refused_is_asked_for_once() {
    let engine = with(Tier::Jit, 0, 0, Does::Right);
    assert!(verify(&engine, &SUM, 3).is_ok());
    assert_eq!(ways(&engine), (3, 0, 0, 0, 1));
}

#[test]
fn better_machine_code_takes_the_place_of_the_first() {
    let improving = |does, tuning| {
        let compiler = Arc::new(Faking { most: 100, does, improves: true, gate: None });
        Engine::with_compiler(Tier::Jit, compiler, tuning)
    };
    let engine = improving(Does::Nothing, Tuning::at_once());
    assert!(verify(&engine, &SUM, 4).is_ok());
    assert_eq!((ways(&engine), engine.counts().improved), ((0, 3, 1, 1, 0), 1));
    // Each run is 4 instructions, in machine code too.
    let engine = improving(Does::Right, Tuning { threshold: 4, hot_threshold: 12, ..Tuning::default() });
    assert!(verify(&engine, &SUM, 2).is_ok());
    until(&engine, |counts| counts.compiled == 1);
    assert!(verify(&engine, &SUM, 1).is_ok());
    assert_eq!(engine.counts().improved, 0);
    assert!(verify(&engine, &SUM, 1).is_ok());
    until(&engine, |counts| counts.improved == 1);
    assert_eq!(engine.counts().left, 0);
}

#[test]
fn what_machine_code_does_not_accept_the_oracle_decides() {
    let engine = with(Tier::Jit, 0, 100, Does::Nothing);
    assert!(verify(&engine, &SUM, 3).is_ok());
    assert_eq!(ways(&engine), (0, 0, 3, 1, 0));
}

#[test]
fn a_script_that_finds_many_functions_is_left_to_the_oracle() {
    // Defines functions that do nothing, and calls each once by a name that counts up from the depth, which is 1.
    let calls = |count: usize| {
        let mut lock = Vec::new();
        for name in 1..=count as i64 {
            push_op(&mut lock, Opcode::N0);
            push_int(&mut lock, name);
            push_op(&mut lock, Opcode::Define);
        }
        push_op(&mut lock, Opcode::Depth);
        let call = [Opcode::Dup, Opcode::Invoke, Opcode::Add1];
        (0..count).flat_map(|_| call).chain([Opcode::Drop]).for_each(|opcode| push_op(&mut lock, opcode));
        lock
    };
    for (count, left) in [(FUNCTIONS_MAX, 0), (FUNCTIONS_MAX + 1, 1)] {
        let engine = Engine::new(Tier::Register);
        assert!(verify(&engine, &calls(count), 1).is_ok());
        assert_eq!(ways(&engine), (1 - left, 0, left, 0, 0), "{count}");
    }
}

#[test]
fn other_tiers_make_no_machine_code() {
    for tier in [Tier::Oracle, Tier::Register] {
        let engine = with(tier, 0, 100, Does::Right);
        assert!(verify(&engine, &SUM, 3).is_ok());
        assert_eq!((engine.counts().jitted, engine.counts().compiled), (0, 0));
    }
}

#[test]
fn shadow_tells_which_way_differs() {
    let engine = with(Tier::Shadow, 0, 100, Does::Right);
    assert!(verify(&engine, &SUM, 1).is_ok());
    assert_eq!(engine.take_differences(), []);
    let engine = with(Tier::Shadow, 0, 100, Does::WrongCost);
    assert!(verify(&engine, &SUM, 1).is_ok());
    let told: Vec<_> = engine.take_differences().iter().map(|difference| difference.by).collect();
    // Bound costs may be too high.
    assert_eq!(told, [Fast::Jit]);
}

/// A gated compiler behind an engine that compiles in the background after one run.
fn gated(tuning: Tuning) -> (Engine, Arc<Faking>) {
    let compiler = Arc::new(Faking { most: 100, does: Does::Right, improves: false, gate: Some(Gate::default()) });
    let engine = Engine::with_compiler(Tier::Jit, Arc::clone(&compiler) as Arc<dyn Compiler>, tuning);
    (engine, compiler)
}

impl Faking {
    fn gate(&self) -> &Gate {
        self.gate.as_ref().unwrap()
    }
}

/// Waits until the thread has done what it was let do.
fn until(engine: &Engine, holds: impl Fn(Counts) -> bool) {
    for _ in 0..60_000 {
        if holds(engine.counts()) {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("waited in vain: {:?}", engine.counts());
}

/// 2 + 3 = 5, and so many instructions before it that do nothing.
fn sum_after(nops: usize) -> Vec<u8> {
    [vec![0x61; nops], SUM.to_vec()].concat()
}

#[test]
fn a_unit_is_compiled_in_the_background_once_it_has_run_enough_instructions() {
    let (engine, compiler) = gated(Tuning { threshold: 12, ..Tuning::default() });
    // Each run is 4 instructions, so the fourth run is the first with 12 before it.
    assert!(verify(&engine, &SUM, 3).is_ok());
    assert_eq!(compiler.gate().until(|_| true).1, 0);
    assert!(verify(&engine, &SUM, 5).is_ok());
    compiler.gate().until(|state| state.1 == 1);
    assert_eq!(ways(&engine), (8, 0, 0, 0, 0));
    compiler.gate().change(|state| state.0 = 1);
    until(&engine, |counts| counts.compiled == 1);
    assert!(verify(&engine, &SUM, 5).is_ok());
    assert_eq!(ways(&engine), (8, 5, 0, 1, 0));
}

#[test]
fn units_that_find_the_queue_full_are_compiled_later_and_an_engine_ends_while_some_wait() {
    let (engine, compiler) = gated(Tuning { threshold: 1, waiting: 1, ..Tuning::default() });
    verify(&engine, &sum_after(0), 2).unwrap();
    compiler.gate().until(|state| state.1 == 1);
    // The first is compiled now, the second waits, and the third asks in vain at each run after its first.
    verify(&engine, &sum_after(1), 2).unwrap();
    verify(&engine, &sum_after(2), 4).unwrap();
    assert_eq!(engine.counts().skipped, 3);
    compiler.gate().change(|state| state.0 = 2);
    until(&engine, |counts| counts.compiled == 2);
    verify(&engine, &sum_after(2), 1).unwrap();
    compiler.gate().until(|state| state.1 == 3);
    // The fourth waits, and more ask in vain, when the engine goes; the thread does not outlive it.
    for nops in 3..9 {
        verify(&engine, &sum_after(nops), 2).unwrap();
    }
    compiler.gate().change(|state| state.0 = usize::MAX);
    drop(engine);
    assert_eq!(Arc::strong_count(&compiler), 1);
}

#[test]
fn deployments_of_one_contract_share_its_unit() {
    let engine = with(Tier::Jit, 0, 100, Does::Right);
    let lock = |key: u8, amount: u32| {
        // <20 bytes> OP_DROP <amount> OP_DROP 2 3 OP_ADD OP_EQUAL
        let amount = amount.to_le_bytes();
        [&[20][..], &[key; 20], &[0x75, 4], &amount, &[0x75], &SUM].concat()
    };
    for key in 1..100 {
        verify(&engine, &lock(key, 0x0100_0000 + u32::from(key)), 1).unwrap();
    }
    let counts = engine.counts();
    assert_eq!((counts.misses, counts.compiled, counts.jitted), (1, 1, 99));
    // A number of another length is another template.
    verify(&engine, &lock(1, 0x0001_0000), 1).unwrap();
    verify(&engine, &sum_after(80), 3).unwrap();
    let counts = engine.counts();
    assert_eq!((counts.misses, counts.compiled, counts.hits), (3, 3, 100));
}

#[test]
fn a_full_cache_forgets_and_never_grows() {
    let tuning = Tuning { threshold: 0, bytes: 32 << 10, ..Tuning::default() };
    let engine = Engine::with_compiler(
        Tier::Jit,
        Arc::new(Faking { most: 1_000, does: Does::Right, improves: false, gate: None }),
        tuning,
    );
    for nops in 0..200 {
        verify(&engine, &sum_after(nops), 2).unwrap();
        assert!(engine.counts().bytes <= 32 << 10);
    }
    let counts = engine.counts();
    assert!(counts.evicted > 100, "{counts:?}");
    assert_eq!(counts.jitted, 400);
}

/// The steps of a schedule.
#[derive(Clone, Copy, Debug)]
enum Step {
    Run(usize),
    Compile,
}

/// Whatever order inputs and the compiler's thread take turns in, and whatever the cache has forgotten, each verdict is the
/// oracle's.
#[test]
fn verdicts_do_not_depend_on_when_machine_code_is_ready() {
    let looping = [&[0x01, 50][..], &[0x65, 0x8c, 0x76, 0x91, 0x66, 0x75], &SUM].concat();
    let scripts = [SUM.to_vec(), WRONG.to_vec(), looping, [sum_after(90), vec![0x69]].concat(), vec![0x63]];
    let mut seed = 1u64;
    let mut draw = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let mut jitted = 0;
    for bytes in [2_000, 8 << 10, 64 << 10] {
        for _ in 0..20 {
            let (engine, compiler) = gated(Tuning { threshold: 5, hot_threshold: 5, waiting: 2, bytes });
            let steps = (0..60).map(|_| match draw(8) {
                0 => Step::Compile,
                other => Step::Run(other % scripts.len()),
            });
            for step in steps {
                match step {
                    Step::Compile => {
                        compiler.gate().change(|state| state.0 += 1);
                        std::thread::sleep(Duration::from_micros(500));
                    }
                    Step::Run(which) => drop(verify(&engine, &scripts[which], 1)),
                }
            }
            compiler.gate().change(|state| state.0 = usize::MAX);
            jitted += engine.counts().jitted;
        }
    }
    assert!(jitted > 0);
}

#[test]
fn what_pays_a_key_is_run_by_the_oracle_alone() {
    let lock = [&[0x76, 0xa9, 20][..], &[7; 20], &[0x88, 0xac]].concat();
    let spent = [TxOut::plain(Sats::ONE, lock)];
    let input = TxIn { prevout: OutPoint::COINBASE, unlock: vec![0x51, 0x51], sequence: 0 };
    let tx = Transaction { version: 2, inputs: vec![input], outputs: vec![], locktime: 0 };
    let context = SpendContext::new(&tx, &spent).unwrap();
    let rules = Rules::new(RuleSet::Bitmodel, Mode::Consensus);
    for (tier, direct) in [(Tier::Oracle, 0), (Tier::Register, 2), (Tier::Jit, 2), (Tier::Shadow, 0)] {
        let engine = Engine::new(tier);
        assert_eq!(engine.verify(&rules, &context, 0), vm::verify_input(&rules, &context, 0));
        assert!(engine.accept(&rules, &context, 0).is_err());
        assert_eq!((engine.counts().direct, engine.counts().accepted), (direct, 0), "{tier:?}");
    }
}

#[test]
fn of_two_results_one_is_not_made_where_the_other_was() {
    // 7 8 "abc" OP_ROT OP_DROP 2 OP_SPLIT OP_DROP 5 OP_SWAP: what is dropped is made where the other comes to lie.
    let made = [0x57, 0x58, 3, b'a', b'b', b'c', 0x7b, 0x75, 0x52, 0x7f, 0x75, 0x55, 0x7c];
    // OP_BEGIN 1 OP_UNTIL "ab" OP_EQUALVERIFY 5 OP_NUMEQUALVERIFY OP_DROP
    let checked = [0x65, 0x51, 0x66, 2, b'a', b'b', 0x88, 0x55, 0x9d, 0x75];
    let engine = Engine::new(Tier::Register);
    assert!(verify(&engine, &[made.as_slice(), &checked].concat(), 1).is_ok());
    assert_eq!(ways(&engine), (1, 0, 0, 0, 0));
}
