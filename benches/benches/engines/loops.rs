//! The workloads that are scripts: each a loop or a line of opcodes, with the same work in plain Rust.

use std::hint::black_box;

use dashu_base::BitTest as _;
use dashu_int::UBig;
use spec::opcode::Opcode::{self, *};
use spec::script::{push_data, push_int, push_op};
use spec::{OutPoint, Sats, Transaction, TxIn, TxOut, hash};

use crate::work::{Work, generous};

/// Turns of the integer loop.
pub const TURNS: i64 = 1_000_000;
const OUTPUTS: i64 = 1_000;
const SHARES: i64 = 1_000;
const LEAVES: i64 = 20;
const HASHES: i64 = 20_000;
const SQUARES: i64 = 10_000;
const SUMS: usize = 50;

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

/// The script as a lock, with a thousand outputs to look at.
fn of_script(name: &'static str, lock: Vec<u8>, native: fn(&Transaction) -> i64) -> Work {
    unlocked(name, Vec::new(), lock, native)
}

/// The same, with what the input pushes.
fn unlocked(name: &'static str, unlock: Vec<u8>, lock: Vec<u8>, native: fn(&Transaction) -> i64) -> Work {
    let naive = Some([unlock.as_slice(), &lock].concat());
    let input = TxIn { prevout: OutPoint::COINBASE, unlock, sequence: 0 };
    let outputs = (0..OUTPUTS as u64).map(|at| TxOut::plain(Sats::from_wire(1_000 + 7 * at), vec![0x51])).collect();
    Work {
        name,
        rules: generous(),
        tx: Transaction { version: 2, inputs: vec![input], outputs, locktime: 0 },
        spent: vec![TxOut::plain(Sats::ONE, lock)],
        naive,
        native: Box::new(native),
    }
}

/// All of them, the integer loop first.
pub fn works() -> Vec<Work> {
    vec![
        integer_loop(),
        straight_sums(),
        reward_check(),
        split_arithmetic(),
        hash_chain(),
        merkle_proof(),
        square_and_mod(),
    ]
}

/// A sum, the largest sum, and a counter that ends it; below them lies whatever was there before.
pub fn integer_script(turns: i64) -> Vec<u8> {
    let parts = [
        ops([N0, N0]),
        vec![Part::Int(turns)],
        ops([Begin, Rot, Over, Add, Rot, Over, Max, Rot, Sub1, Dup, Not, Until, Drop, Drop2]),
    ];
    script(&parts.concat())
}

fn integer_loop() -> Work {
    let native = |_: &Transaction| {
        let (mut sum, mut most, mut i) = (0i64, 0i64, black_box(TURNS));
        while i != 0 {
            sum = black_box(sum.checked_add(i).expect("the sum is small"));
            most = most.max(sum);
            i -= 1;
        }
        most
    };
    let lock = [integer_script(TURNS), script(&ops([N1]))].concat();
    of_script("integer loop", lock, native)
}

/// Each number is the sum of the two before it; no loop.
fn straight_sums() -> Work {
    let sums = ops([Tuck, Add]).repeat(SUMS);
    let lock = script(&[sums, ops([Drop2, N1])].concat());
    let native = |_: &Transaction| {
        let (mut last, mut next) = (black_box(1i64), black_box(2i64));
        for _ in 0..SUMS {
            (last, next) = (next, black_box(last.checked_add(next).expect("the sum is small")));
        }
        next
    };
    unlocked("straight sums", script(&ops([N1, N2])), lock, native)
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
    of_script("reward check", script(&parts), native)
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
    of_script("split arithmetic", script(&parts.concat()), native)
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
    of_script("hash chain", script(&parts.concat()), native)
}

/// A leaf and the nodes beside its way, hashed up to the root; the same for several leaves, so that it is not the start of
/// an input that counts.
fn merkle_proof() -> Work {
    let beside = |at: u8| [at; 32];
    let mut parts: Vec<u8> = Vec::new();
    let mut root = [7; 32];
    push_int(&mut parts, LEAVES);
    push_op(&mut parts, Begin);
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
    for opcode in [Equal, Verify, Sub1, Dup, Not, Until, Not] {
        push_op(&mut parts, opcode);
    }
    let native = |_: &Transaction| {
        let mut sum = 0;
        for _ in 0..LEAVES {
            let mut node = black_box([7; 32]);
            let mut pair = [0; 64];
            for at in 0..32 {
                let beside = black_box([at; 32]);
                let (left, right) = if at % 3 == 0 { (beside, node) } else { (node, beside) };
                pair[..32].copy_from_slice(&left);
                pair[32..].copy_from_slice(&right);
                node = hash::sha256(&pair);
            }
            sum += i64::from(node[0]);
        }
        sum
    };
    of_script("Merkle proofs", parts, native)
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
    of_script("256-bit square", lock, native)
}
