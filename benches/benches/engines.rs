//! An integer loop and three more workloads in every engine and in plain Rust, in one run:
//! `cargo bench -p benches --bench engines`. Compare ratios, not times.
//!
//! The naive interpreter is a reference of this benchmark alone. Every engine meters exactly, but for the
//! register code in column `bound`, which only bounds the lengths of numbers.

#[path = "../naive/mod.rs"]
mod naive;

use std::hint::black_box;
use std::io::{self, Write};
use std::time::Instant;

use engine::ir::Metering;
use engine::{Engine, Tier};
use spec::opcode::Opcode::{self, *};
use spec::script::{push_int, push_op};
use spec::{Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxIn, TxOut, hash};
use vm::{Step, Tracer, verify_input_traced};

/// How often each is measured; the best counts.
const ROUNDS: usize = 7;

const TURNS: i64 = 1_000_000;
const OUTPUTS: i64 = 1_000;
const SHARES: i64 = 1_000;
const HASHES: i64 = 20_000;

/// A script, and the same work in plain Rust.
struct Work {
    name: &'static str,
    lock: Vec<u8>,
    native: fn(&Transaction) -> i64,
}

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<18}{:>13}{:>9}{:>9}{:>10}{:>8}{:>9}{:>16}{:>13}{:>17}{:>15}{:>14}",
        "ns an instruction",
        "instructions",
        "naive",
        "oracle",
        "register",
        "bound",
        "native",
        "naive/register",
        "naive/bound",
        "oracle/register",
        "bound/native",
        "lowering, ns"
    )?;
    for work in works() {
        line(&mut out, &work)?;
    }
    Ok(())
}

fn line(out: &mut impl Write, work: &Work) -> io::Result<()> {
    let (tx, spent) = spend(&work.lock);
    let context = SpendContext::new(&tx, &spent).expect("there is one output for the one input");
    let rules = generous();
    let mut counter = Counter(0);
    let metrics = verify_input_traced(&rules, &context, 0, &mut counter).expect("the script ends with true");
    let (_, cost) = naive::run(&work.lock, &tx).expect("the script knows only what the reference knows");
    assert_eq!(cost, metrics.cost.get(), "{}", work.name);
    let [oracle, register] = [Tier::Oracle, Tier::Register].map(|tier| {
        let engine = Engine::new(tier);
        let time = best(|| i64::from(engine.verify(&rules, black_box(&context), 0) == Ok(metrics)));
        assert!(tier == Tier::Oracle || engine.counts().left == 0, "{}", work.name);
        time
    });
    let engine = Engine::new(Tier::Register);
    let bound = best(|| i64::from(engine.accept(&rules, black_box(&context), 0).is_ok()));
    let naive = best(|| i64::from(naive::run(black_box(&work.lock), black_box(&tx)).is_some()));
    let native = best(|| (work.native)(black_box(&tx)));
    let lowering = best(|| {
        engine::lowered(black_box(&work.lock), &rules, Metering::Exact).map_or(0, |unit| unit.ops.len() as i64)
    });
    let each = |nanos: u128| {
        let pico = nanos * 1_000 / u128::from(counter.0);
        format!("{}.{:03}", pico / 1_000, pico % 1_000)
    };
    let ratio = |a: u128, b: u128| format!("{}.{}", a / b.max(1), a * 10 / b.max(1) % 10);
    writeln!(
        out,
        "{:<18}{:>13}{:>9}{:>9}{:>10}{:>8}{:>9}{:>16}{:>13}{:>17}{:>15}{:>14}",
        work.name,
        counter.0,
        each(naive),
        each(oracle),
        each(register),
        each(bound),
        each(native),
        ratio(naive, register),
        ratio(naive, bound),
        ratio(oracle, register),
        ratio(bound, native),
        lowering
    )
}

/// The rules of blocks, with a budget for the longest loop.
fn generous() -> Rules {
    let mut rules = Rules::new(RuleSet::Bch2026, Mode::Consensus);
    rules.prices.budget_per_byte = 1 << 32;
    rules.prices.half_iterations_per_byte = 1 << 20;
    rules
}

/// Nanoseconds of the best round.
fn best(mut work: impl FnMut() -> i64) -> u128 {
    let round = |_| {
        let start = Instant::now();
        black_box(work());
        start.elapsed().as_nanos()
    };
    (0..ROUNDS).map(round).min().unwrap_or_default()
}

fn spend(lock: &[u8]) -> (Transaction, Vec<TxOut>) {
    let input = TxIn { prevout: OutPoint::COINBASE, unlock: Vec::new(), sequence: 0 };
    let outputs = (0..OUTPUTS as u64).map(|at| TxOut::plain(Sats::from_wire(1_000 + 7 * at), vec![0x51])).collect();
    let tx = Transaction { version: 2, inputs: vec![input], outputs, locktime: 0 };
    (tx, vec![TxOut::plain(Sats::ONE, lock.to_vec())])
}

/// Numbers and opcodes, one after the other.
fn script(parts: &[Part]) -> Vec<u8> {
    let mut script = Vec::new();
    for part in parts {
        match part {
            Part::Op(opcode) => push_op(&mut script, *opcode),
            Part::Int(n) => push_int(&mut script, *n),
        }
    }
    script
}

#[derive(Clone, Copy)]
enum Part {
    Op(Opcode),
    Int(i64),
}

fn ops<const N: usize>(opcodes: [Opcode; N]) -> Vec<Part> {
    opcodes.map(Part::Op).to_vec()
}

fn works() -> Vec<Work> {
    vec![integer_loop(), reward_check(), split_arithmetic(), hash_chain()]
}

/// A sum, the largest sum, and a counter that ends it.
fn integer_loop() -> Work {
    let parts = [
        ops([N0, N0]),
        vec![Part::Int(TURNS)],
        ops([Begin, Rot, Over, Add, Rot, Over, Max, Rot, Sub1, Dup, Not, Until, Drop, Drop2, N1]),
    ];
    let native = |_: &Transaction| {
        let (mut sum, mut most, mut i) = (0i64, 0i64, black_box(TURNS));
        while i != 0 {
            sum = black_box(sum.checked_add(i).expect("the sum is small"));
            most = most.max(sum);
            i -= 1;
        }
        most
    };
    Work { name: "integer loop", lock: script(&parts.concat()), native }
}

/// Every output is worth at least its share, and all are added up.
fn reward_check() -> Work {
    let parts = [
        ops([N0, N0]),
        // sum i
        ops([Begin, Dup, OutputValue, Dup]),
        vec![Part::Int(546)],
        ops([GreaterThanOrEqual, Verify, Over]),
        vec![Part::Int(7)],
        ops([Mul]),
        vec![Part::Int(1_000)],
        ops([Add, Over, NumEqual, Verify]),
        // The value is read again, as a check of another covenant would.
        ops([Dup, OutputValue, Rot, Add, Swap, Add1, Dup]),
        vec![Part::Int(OUTPUTS)],
        ops([GreaterThanOrEqual, Until, Drop2, N1]),
    ];
    let mut parts = parts.concat();
    // The value lies between the index and the product; it is dropped after the comparison.
    let at = parts.iter().position(|part| matches!(part, Part::Op(NumEqual))).unwrap_or_default();
    parts.insert(at + 2, Part::Op(Drop));
    let native = |tx: &Transaction| {
        let mut sum = 0i64;
        for (at, output) in tx.outputs.iter().enumerate() {
            let value = output.value.get().cast_signed();
            assert!(value >= 546 && value == 7 * at as i64 + 1_000);
            sum = black_box(sum.checked_add(value).expect("the sum is small"));
        }
        sum
    };
    Work { name: "reward check", lock: script(&parts), native }
}

/// A pot is cut into shares by weights, each from what the ones before have left.
fn split_arithmetic() -> Work {
    let parts = [
        vec![Part::Int(2_100_000_000_000), Part::Int(SHARES)],
        // pot n, and of the pot one n-th is cut off
        ops([Begin, Dup2, Div, Rot, Swap, Sub, Swap, Sub1, Dup]),
        vec![Part::Int(1)],
        ops([NumEqual, Until, Drop2, N1]),
    ];
    let native = |_: &Transaction| {
        let (mut pot, mut n) = (black_box(2_100_000_000_000i64), black_box(SHARES));
        while n != 1 {
            pot = black_box(pot - pot.checked_div(n).expect("the number of shares is not zero"));
            n -= 1;
        }
        pot
    };
    Work { name: "split arithmetic", lock: script(&parts.concat()), native }
}

/// The hash of the hash, and so on.
fn hash_chain() -> Work {
    let parts =
        [ops([N1]), vec![Part::Int(HASHES)], ops([Begin, Swap, Sha256, Swap, Sub1, Dup, Not, Until, Drop2, N1])];
    let native = |_: &Transaction| {
        let mut digest = hash::sha256(&[1]);
        for _ in 1..HASHES {
            digest = hash::sha256(&digest);
        }
        i64::from(digest[0])
    };
    Work { name: "hash chain", lock: script(&parts.concat()), native }
}

/// Counts instructions.
struct Counter(u64);

impl Tracer for Counter {
    fn step(&mut self, _: &Step<'_>) {
        self.0 += 1;
    }
}
