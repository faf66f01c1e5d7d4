//! Nanoseconds an instruction of the interpreter, best of many rounds: `cargo bench -p benches --bench interpreter`.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use spec::opcode::Opcode::{self, *};
use spec::script::{push_data, push_int, push_op};
use spec::tx::TxIn;
use spec::{Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxOut};
use vm::{Step, Tracer, verify_input, verify_input_traced};

/// What the C++ node takes for an instruction of the counter loop on the same kind of machine.
const NODE_PICOSECONDS: u128 = 38_000;

/// Bytes that the unlocking bytecode pushes only to have a budget.
const BALLAST_BYTES: usize = 9_000;

const ROUNDS: usize = 400;

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{:<44} {:>12} {:>12} {:>14}", "work", "instructions", "microseconds", "ns/instruction")?;
    for (name, lock) in programs() {
        let (count, time) = measure(&lock);
        let pico = time.as_nanos() * 1_000 / u128::from(count);
        let ratio = NODE_PICOSECONDS * 10 / pico.max(1);
        let nano = format!("{}.{:02}", pico / 1_000, pico % 1_000 / 10);
        writeln!(out, "{name:<44} {count:>12} {:>12} {nano:>14}", time.as_micros())?;
        if name.starts_with("counter") {
            writeln!(out, "{:<44} {}.{} times the C++ node's speed", "", ratio / 10, ratio % 10)?;
        }
    }
    Ok(())
}

/// Each lock starts by dropping the ballast and ends with a true item alone.
fn programs() -> Vec<(&'static str, Vec<u8>)> {
    let number = |n: i64| {
        let mut script = Vec::new();
        push_int(&mut script, n);
        script
    };
    let ops = |opcodes: &[Opcode]| {
        let mut script = Vec::new();
        opcodes.iter().for_each(|opcode| push_op(&mut script, *opcode));
        script
    };
    let up = [ops(&[Drop, N0, Begin, Add1, Dup]), number(1_000), ops(&[NumEqual, Until, Drop, N1])].concat();
    let down = [ops(&[Drop]), number(1_000), ops(&[Begin, Sub1, Dup, Not, Until, Not])].concat();
    let fibonacci = [
        ops(&[Drop, N0, N1]),
        number(90),
        ops(&[Begin, ToAltStack, Tuck, Add, FromAltStack, Sub1, Dup, Not, Until, Drop2, Drop, N1]),
    ]
    .concat();
    let body = ops(&[Dup, Mul]);
    let mut calls = ops(&[Drop]);
    push_data(&mut calls, &body);
    let calls =
        [calls, ops(&[N1, Define]), number(1_000), ops(&[Begin, N3, N1, Invoke, Drop, Sub1, Dup, Not, Until, Not])]
            .concat();
    let bytes = [
        ops(&[Drop]),
        number(500),
        ops(&[Begin, Dup, Sha256, N16, Split, Swap, Cat, N8, Split, Drop2, Sub1, Dup, Not, Until, Not]),
    ]
    .concat();
    vec![
        ("counter loop, 4 instructions a turn", down),
        ("counter loop up, 5 instructions a turn", up),
        ("Fibonacci, alt stack", fibonacci),
        ("function calls", calls),
        ("hash, cut, join", bytes),
    ]
}

fn measure(lock: &[u8]) -> (u64, Duration) {
    let mut unlock = Vec::new();
    push_data(&mut unlock, &vec![7; BALLAST_BYTES]);
    let spent = [TxOut::plain(Sats::ONE, lock.to_vec())];
    let input = TxIn { prevout: OutPoint::COINBASE, unlock, sequence: 0 };
    let tx = Transaction { version: 2, inputs: vec![input], outputs: vec![], locktime: 0 };
    let context = SpendContext::new(&tx, &spent).expect("there is one output for the one input");
    let rules = Rules::new(RuleSet::Bch2026, Mode::Consensus);
    let mut counter = Counter(0);
    verify_input_traced(&rules, &context, 0, &mut counter).expect("the program ends with true");
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let result = verify_input(&rules, std::hint::black_box(&context), 0);
        best = best.min(start.elapsed());
        std::hint::black_box(result).expect("it has passed before");
    }
    (counter.0, best)
}

/// Counts instructions.
struct Counter(u64);

impl Tracer for Counter {
    fn step(&mut self, _: &Step<'_>) {
        self.0 += 1;
    }
}
