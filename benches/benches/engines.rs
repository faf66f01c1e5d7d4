//! An integer loop and more workloads in every engine and in plain Rust, in one run:
//! `cargo bench -p benches --bench engines`. Compare ratios, not times.
//!
//! The naive interpreter is a reference of this benchmark alone. Every engine meters exactly, but in the columns `bound`,
//! where the lengths of numbers are only bounded. Then how long it takes to compile scripts made to be expensive.

#[path = "../naive/mod.rs"]
mod naive;

use std::hint::black_box;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Instant;

use dashu_base::BitTest as _;
use dashu_int::UBig;
use engine::ir::Metering;
use engine::{Compiler as _, Engine, Tier, Tuning};
use jit::Jit;
use spec::opcode::Opcode::{self, *};
use spec::script::{push_data, push_int, push_op};
use spec::{Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxIn, TxOut, hash};
use vm::{Step, Tracer, verify_input_traced};

/// How often each is measured; the best counts.
const ROUNDS: usize = 7;

const TURNS: i64 = 1_000_000;
const OUTPUTS: i64 = 1_000;
const SHARES: i64 = 1_000;
const HASHES: i64 = 20_000;
const SQUARES: i64 = 10_000;

/// Numbers of 255 bits.
const MODULUS: [u8; 32] = {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xed;
    bytes[31] = 0x7f;
    bytes
};
const START: [u8; 32] = {
    let mut bytes = [0x5a; 32];
    bytes[31] = 0x3c;
    bytes
};

/// A script, and the same work in plain Rust.
struct Work {
    name: &'static str,
    lock: Vec<u8>,
    native: fn(&Transaction) -> i64,
}

/// What is measured of a script, with the width of its column.
const COLUMNS: [(&str, usize); 15] = [
    ("instructions", 13),
    ("naive", 9),
    ("oracle", 9),
    ("register", 10),
    ("reg bound", 11),
    ("jit exact", 11),
    ("jit bound", 11),
    ("native", 9),
    ("naive/register", 16),
    ("naive/jit exact", 17),
    ("naive/jit bound", 17),
    ("jit bound/native", 18),
    ("lowering, us", 14),
    ("jit exact, us", 15),
    ("jit bound, us", 15),
];

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    write!(out, "{:<18}", "ns an instruction")?;
    for (name, width) in COLUMNS {
        write!(out, "{name:>width$}")?;
    }
    writeln!(out)?;
    for work in works() {
        line(&mut out, &work)?;
    }
    writeln!(out, "\n{:<34}{:>8}{:>12}{:>16}{:>10}", "compiling", "ops", "time, us", "ns an op", "bytes")?;
    for (name, lock) in scripts::hostile() {
        compiling(&mut out, name, &lock)?;
    }
    Ok(())
}

/// How long a script takes to compile.
fn compiling(out: &mut impl Write, name: &str, lock: &[u8]) -> io::Result<()> {
    let Some(jit) = Jit::new() else { return Ok(()) };
    let rules = Rules::new(RuleSet::Bitmodel, Mode::Consensus);
    for metering in [Metering::Exact, Metering::Bound] {
        let Some(unit) = engine::lowered(lock, &rules, metering) else { continue };
        let bytes = jit.compile(&unit, &rules).map(|native| native.code_bytes());
        let time = best(|| i64::from(jit.compile(black_box(&unit), &rules).is_some()));
        let (ops, name) = (unit.ops.len(), format!("{name}, {metering:?}"));
        let bytes = bytes.map_or("never".to_owned(), |bytes| bytes.to_string());
        writeln!(out, "{name:<34}{ops:>8}{:>12}{:>16}{bytes:>10}", time / 1_000, time / ops as u128)?;
    }
    Ok(())
}

fn line(out: &mut impl Write, work: &Work) -> io::Result<()> {
    let (tx, spent) = spend(&work.lock);
    let context = SpendContext::new(&tx, &spent).expect("there is one output for the one input");
    let rules = generous();
    let mut counter = Counter(0);
    let metrics = verify_input_traced(&rules, &context, 0, &mut counter).expect("the script ends with true");
    let naive = naive::run(&work.lock, &tx).map(|(_, cost)| {
        assert_eq!(cost, metrics.cost.get(), "{}", work.name);
        best(|| i64::from(naive::run(black_box(&work.lock), black_box(&tx)).is_some()))
    });
    let engine = |tier| match Jit::new().filter(|_| tier == Tier::Jit) {
        Some(jit) => Engine::with_compiler(tier, Arc::new(jit), Tuning { threshold: 0, ..Tuning::default() }),
        None => Engine::new(tier),
    };
    let [oracle, register, jit] = [Tier::Oracle, Tier::Register, Tier::Jit].map(|tier| {
        let engine = engine(tier);
        let exact = best(|| i64::from(engine.verify(&rules, black_box(&context), 0) == Ok(metrics)));
        let bound = best(|| i64::from(engine.accept(&rules, black_box(&context), 0).is_ok()));
        assert!(tier == Tier::Oracle || engine.counts().left == 0, "{}", work.name);
        [exact, bound]
    });
    let native = best(|| (work.native)(black_box(&tx)));
    let lowering = best(|| {
        engine::lowered(black_box(&work.lock), &rules, Metering::Exact).map_or(0, |unit| unit.ops.len() as i64)
    });
    let compiling = [Metering::Exact, Metering::Bound].map(|metering| {
        let unit = engine::lowered(&work.lock, &rules, metering).expect("the script can be lowered");
        let jit = Jit::new();
        best(|| i64::from(jit.as_ref().is_some_and(|jit| jit.compile(black_box(&unit), &rules).is_some())))
    });
    let thousandths = |pico: u128| format!("{}.{:03}", pico / 1_000, pico % 1_000);
    let each = |nanos: u128| thousandths(nanos * 1_000 / u128::from(counter.0));
    let ratio = |a: u128, b: u128| format!("{}.{:02}", a / b.max(1), a * 100 / b.max(1) % 100);
    let over_naive = |time| naive.map_or("-".to_owned(), |naive| ratio(naive, time));
    let told = [
        counter.0.to_string(),
        naive.map_or("-".to_owned(), each),
        each(oracle[0]),
        each(register[0]),
        each(register[1]),
        each(jit[0]),
        each(jit[1]),
        each(native),
        over_naive(register[0]),
        over_naive(jit[0]),
        over_naive(jit[1]),
        ratio(jit[1], native),
        thousandths(lowering),
        thousandths(compiling[0]),
        thousandths(compiling[1]),
    ];
    write!(out, "{:<18}", work.name)?;
    for ((_, width), text) in COLUMNS.iter().zip(told) {
        write!(out, "{text:>width$}")?;
    }
    writeln!(out)
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
    vec![integer_loop(), reward_check(), split_arithmetic(), hash_chain(), merkle_proof(), square_and_mod()]
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

/// A leaf and the nodes beside its way, hashed up to the root.
fn merkle_proof() -> Work {
    let beside = |at: u8| [at; 32];
    let mut parts: Vec<u8> = Vec::new();
    let mut root = [7; 32];
    push_data(&mut parts, &root);
    for at in 0..32 {
        push_data(&mut parts, &beside(at));
        if at % 3 == 0 {
            push_op(&mut parts, Swap);
            root = hash::sha256(&[beside(at), root].concat());
        } else {
            root = hash::sha256(&[root, beside(at)].concat());
        }
        push_op(&mut parts, Cat);
        push_op(&mut parts, Sha256);
    }
    push_data(&mut parts, &root);
    push_op(&mut parts, Equal);
    let native = |_: &Transaction| {
        let mut node = black_box([7; 32]);
        let mut pair = [0; 64];
        for at in 0..32 {
            let beside = black_box([at; 32]);
            let (left, right) = if at % 3 == 0 { (beside, node) } else { (node, beside) };
            pair[..32].copy_from_slice(&left);
            pair[32..].copy_from_slice(&right);
            node = hash::sha256(&pair);
        }
        i64::from(node[0])
    };
    Work { name: "Merkle proof", lock: parts, native }
}

/// A number of 256 bits, squared and reduced over and over.
fn square_and_mod() -> Work {
    let mut lock = Vec::new();
    push_data(&mut lock, &START);
    push_int(&mut lock, SQUARES);
    for opcode in [Begin, Swap, Dup, Mul] {
        push_op(&mut lock, opcode);
    }
    push_data(&mut lock, &MODULUS);
    for opcode in [Mod, Swap, Sub1, Dup, Not, Until, Drop2, N1] {
        push_op(&mut lock, opcode);
    }
    let native = |_: &Transaction| {
        let modulus = UBig::from_le_bytes(&MODULUS);
        let mut x = UBig::from_le_bytes(black_box(&START));
        for _ in 0..SQUARES {
            x = black_box(x.sqr() % &modulus);
        }
        x.bit_len() as i64
    };
    Work { name: "256-bit square", lock, native }
}

/// Counts instructions.
struct Counter(u64);

impl Tracer for Counter {
    fn step(&mut self, _: &Step<'_>) {
        self.0 += 1;
    }
}
