//! Machine code beside the oracle: what loops, conditionals, calls and long numbers become; and scripts made to be
//! expensive to compile.

#![allow(clippy::unwrap_used, clippy::float_arithmetic, reason = "a test fails by panicking")]

use std::sync::Arc;

use engine::ir::Metering;
use engine::{Compiler as _, Effort, Engine, Tier, Tuning, lowered};
use jit::Jit;
use spec::opcode::Opcode::{self, *};
use spec::script::{push_data, push_int, push_op};
use spec::{Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxIn, TxOut};

/// Machine code of a unit, at most.
const CODE_MAX: usize = 1 << 20;
/// Machine code for each instruction of register code, at most: it does not grow faster than that.
const CODE_PER_OP: usize = 512;

#[derive(Clone, Copy)]
enum Part<'p> {
    Op(Opcode),
    Int(i64),
    Data(&'p [u8]),
}

fn script(parts: &[Part<'_>]) -> Vec<u8> {
    let mut script = Vec::new();
    for part in parts {
        match part {
            Part::Op(opcode) => push_op(&mut script, *opcode),
            Part::Int(n) => push_int(&mut script, *n),
            Part::Data(data) => push_data(&mut script, data),
        }
    }
    script
}

fn ops(opcodes: &[Opcode]) -> Vec<u8> {
    opcodes.iter().map(|opcode| opcode.to_byte()).collect()
}

/// Runs a script in machine code under every rule; the number of rules under which it accepted.
fn check(name: &str, unlock: &[u8], lock: &[u8]) -> u64 {
    let Some(jit) = Jit::new() else { return u64::MAX };
    let jit = Arc::new(jit);
    let spent = [TxOut::plain(Sats::from_wire(5_000), lock.to_vec())];
    let input = TxIn { prevout: OutPoint::COINBASE, unlock: unlock.to_vec(), sequence: 0 };
    let outputs = (1..9).map(|at| TxOut::plain(Sats::from_wire(1_000 * at), vec![0x51])).collect();
    let tx = Transaction { version: 2, inputs: vec![input], outputs, locktime: 0 };
    let context = SpendContext::new(&tx, &spent).unwrap();
    let mut accepted = 0;
    for set in [RuleSet::Bch2026, RuleSet::Bitmodel] {
        for mode in [Mode::Relay, Mode::Consensus] {
            let rules = Rules::new(set, mode);
            let told = vm::verify_input(&rules, &context, 0);
            let engine = Engine::with_compiler(Tier::Jit, Arc::clone(&jit) as _, Tuning::at_once());
            assert_eq!(engine.verify(&rules, &context, 0), told, "{name}");
            accepted += engine.counts().jitted;
            let engine = Engine::with_compiler(Tier::Jit, Arc::clone(&jit) as _, Tuning::at_once());
            assert_eq!(engine.accept(&rules, &context, 0), told.map(|metrics| metrics.sig_checks), "{name}");
            let both = engine::leaves(&rules, &context, 0, Metering::Exact, None);
            let Some(unit) = lowered(lock, &rules, Metering::Exact) else { continue };
            for effort in [Effort::Quick, Effort::Hot] {
                if jit.compile(&unit, &rules, effort).is_some() {
                    let left = engine::leaves(&rules, &context, 0, Metering::Exact, Some((&*jit, effort)));
                    assert_eq!(left, both, "{name}, {effort:?}");
                }
            }
        }
    }
    accepted
}

/// A hundred bytes more of budget than any of these scripts needs.
fn paid() -> Vec<u8> {
    let mut unlock = Vec::new();
    push_data(&mut unlock, &[1; 500]);
    unlock
}

#[test]
fn loops_conditionals_and_long_numbers_end_as_in_the_oracle() {
    use Part::{Data, Int, Op};
    let long = [0x55; 20];
    let counted = |body: &[Part<'_>], turns| {
        let head = [Int(turns), Op(Begin)];
        let tail = [Op(Sub1), Op(Dup), Op(Not), Op(Until), Op(Drop), Op(Drop), Op(N1)];
        script(&[&head, body, &tail].concat())
    };
    let cases = [
        ("an empty loop", counted(&[], 50)),
        ("a sum", [ops(&[N0]), counted(&[Op(Swap), Op(Over), Op(Add), Op(Swap)], 50), ops(&[Nip])].concat()),
        ("a loop on the alt stack", counted(&[Op(ToAltStack), Op(FromAltStack)], 20)),
        ("a conditional in a loop", counted(&[Op(Dup), Int(7), Op(LessThan), Op(If), Op(Nop), Op(EndIf)], 20)),
        ("uneven turns", counted(&[Op(Dup), Op(N2), Op(Mod), Op(If), Op(N1), Op(Add), Op(Sub1), Op(EndIf)], 9)),
        ("values of outputs", counted(&[Op(Dup), Op(Sub1), Op(OutputValue), Int(999), Op(GreaterThan), Op(Verify)], 8)),
        ("hashes", counted(&[Op(Dup), Op(Sha256), Op(Sha256), Op(Size), Int(32), Op(EqualVerify), Op(Drop)], 8)),
        ("a number that outgrows its place", {
            counted(&[Op(ToAltStack), Int(i64::MAX), Op(N2), Op(Mul), Op(N2), Op(Div), Op(Drop), Op(FromAltStack)], 5)
        }),
        ("a sum that outgrows its place", {
            let body = [Op(Swap), Op(Dup), Op(Add), Op(Swap)];
            [script(&[Int(1 << 50)]), counted(&body, 40), ops(&[Nip])].concat()
        }),
        ("long numbers", counted(&[Data(&long), Data(&long), Op(Mul), Data(&long), Op(Mod), Op(Drop)], 6)),
        ("comparing long numbers", {
            counted(&[Data(&long), Op(Dup), Op(Add1), Op(LessThan), Op(If), Op(Else), Op(N0), Op(Verify), Op(EndIf)], 6)
        }),
        ("a deep copy by a number", counted(&[Op(Dup), Op(Dup), Op(Sub), Op(Pick), Op(Drop)], 6)),
        ("a depth", counted(&[Op(Depth), Op(Drop)], 6)),
        ("a sum that nothing reads", {
            counted(&[Op(Dup), Op(N2), Op(Mod), Op(If), Op(Else), Op(Dup), Op(Add1), Op(Drop), Op(EndIf)], 9)
        }),
        ("a length that one of two ways has computed", {
            let body =
                [Op(Dup), Op(N2), Op(LessThan), Op(Dup), Data(&long), Op(Mul), Op(Drop), Op(Dup), Op(Mul), Op(Drop)];
            counted(&body, 6)
        }),
        ("the least number", {
            counted(&[Int(-i64::MAX), Op(N1), Op(Sub), Op(Size), Int(9), Op(EqualVerify), Op(Drop)], 3)
        }),
    ];
    for (name, lock) in cases {
        let accepted = check(name, &paid(), &lock);
        assert!(accepted >= 2, "{name}: {accepted}");
    }
}

/// Fast code checks results together. Where one of many has become too long, those before it have not happened twice, though
/// the first has taken the place of its operand.
#[test]
fn a_result_that_is_too_long_leaves_those_before_it_as_they_were() {
    const SUMS: i64 = 8;
    for too_long in 0..=SUMS {
        let first = i64::MAX - too_long;
        let mut unlock = paid();
        push_int(&mut unlock, first);
        let sum: u128 = (1..=SUMS).map(|n| first as u128 + n as u128).sum();
        // A byte of zero for the sign.
        let sum = &sum.to_le_bytes()[..9];
        let more = [Part::Op(Dup), Part::Op(Add1)].repeat(SUMS as usize - 1);
        let end = [Part::Data(sum), Part::Op(NumEqual), Part::Op(Nip)];
        let lock = script(&[&[Part::Op(Add1)], &*more, &[Part::Op(Add)].repeat(SUMS as usize - 1), &end].concat());
        assert_eq!(check("one too long", &unlock, &lock), 4, "{too_long}");
    }
}

#[test]
fn functions_are_called_and_return() {
    let body = ops(&[Dup, Add]);
    let mut lock = Vec::new();
    push_data(&mut lock, &body);
    push_int(&mut lock, 3);
    push_op(&mut lock, Define);
    push_int(&mut lock, 2);
    // The name is not known before it runs, so this is a call and not taken in.
    for _ in 0..3 {
        lock.extend(ops(&[InputIndex, N3, Add, Invoke]));
    }
    push_int(&mut lock, 16);
    lock.extend(ops(&[NumEqual, Nip]));
    assert!(check("functions", &paid(), &lock) >= 2);
}

#[test]
fn scripts_made_to_be_expensive_have_small_code_or_none() {
    let Some(jit) = Jit::new() else { return };
    for (name, mut lock) in scripts::hostile() {
        push_op(&mut lock, N1);
        for metering in [Metering::Exact, Metering::Bound] {
            let rules = Rules::new(RuleSet::Bitmodel, Mode::Consensus);
            let Some(unit) = lowered(&lock, &rules, metering) else { continue };
            for effort in [Effort::Quick, Effort::Hot] {
                let bytes = jit.compile(&unit, &rules, effort).map_or(0, |native| native.code_bytes());
                let most = CODE_MAX.min(16_384 + CODE_PER_OP * unit.ops.len());
                assert!(bytes <= most, "{name}, {effort:?}: {bytes}");
            }
        }
        check(name, &paid(), &lock);
    }
}

/// Pairs that are hashed at once, of all lengths around those of digests, in a loop and out of it; also where the pair is
/// read again, so that it must be an item.
#[test]
fn pairs_are_hashed_as_one_after_the_other() {
    let lengths = [0, 1, 2, 7, 8, 9, 20, 31, 32, 33, 34, 35, 64, 65, 66, 67, 100];
    let hashes = [Sha256, Hash256, Hash160, Ripemd160, Sha1];
    for (at, first) in lengths.iter().enumerate() {
        for (number, second) in lengths.iter().enumerate() {
            let (a, b, hash) = (vec![7; *first], vec![0x85; *second], hashes[(at + number) % hashes.len()]);
            let pushed = [Part::Op(Drop), Part::Data(&a), Part::Data(&b), Part::Op(Cat)];
            let once = [Part::Op(hash), Part::Op(Size), Part::Op(Nip)];
            let again = [Part::Op(Dup), Part::Op(hash), Part::Op(Cat), Part::Op(hash), Part::Op(Size), Part::Op(Nip)];
            let rest = if number % 2 == 0 { once.as_slice() } else { &again };
            let lock = script(&[&pushed, rest].concat());
            assert!(check("a pair", &paid(), &lock) > 0, "{first} and {second} bytes, {hash:?}");
        }
    }
    // Each turn hashes the digest of the turn before with itself.
    let turn = [Begin, Swap, Dup, Cat, Hash256, Swap, Sub1, Dup, Not, Until, Drop, Size, Nip];
    let looped = [script(&[Part::Op(Drop), Part::Data(&[3; 32]), Part::Int(20)]), ops(&turn)].concat();
    assert!(check("a loop of pairs", &paid(), &looped) > 0);
}
