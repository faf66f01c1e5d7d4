//! Arithmetic on numbers of every length against big integers.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use dashu_base::Sign;
use dashu_int::IBig;
use spec::opcode::CostClass;
use spec::opcode::Opcode::{self, *};
use spec::script::{push_data, push_op};
use spec::{Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxIn, TxOut};

/// The shortest encoding.
fn encode(n: &IBig) -> Vec<u8> {
    let (sign, magnitude) = n.clone().into_parts();
    let mut bytes = magnitude.to_le_bytes().to_vec();
    if bytes.last().is_some_and(|last| last & 0x80 != 0) {
        bytes.push(0);
    }
    if sign == Sign::Negative {
        *bytes.last_mut().unwrap() |= 0x80;
    }
    bytes
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 16
    }

    /// A number of up to 90 bytes, often near a power of two.
    fn number(&mut self) -> IBig {
        let bits = self.next() as usize % if self.next().is_multiple_of(2) { 140 } else { 720 };
        let near = IBig::from(self.next() % 5) - IBig::from(2);
        let mut n = match self.next() % 3 {
            0 => (IBig::ONE << bits) + near,
            1 => (0..12).fold(IBig::ZERO, |n, _| (n << 60) + IBig::from(self.next())) >> (720 - bits),
            _ => near,
        };
        if self.next().is_multiple_of(2) {
            n = -n;
        }
        n
    }
}

/// Whether `a b opcode` gives `expected`.
fn gives(a: &IBig, b: Option<&IBig>, opcode: Opcode, expected: &IBig) -> Result<(), String> {
    let mut lock = Vec::new();
    [Some(a), b].into_iter().flatten().for_each(|n| push_data(&mut lock, &encode(n)));
    push_op(&mut lock, opcode);
    push_data(&mut lock, &encode(expected));
    push_op(&mut lock, Equal);
    let input = TxIn { prevout: OutPoint::COINBASE, unlock: Vec::new(), sequence: 0 };
    let tx = Transaction { version: 2, inputs: vec![input], outputs: vec![], locktime: 0 };
    let spent = [TxOut::plain(Sats::ONE, lock)];
    let context = SpendContext::new(&tx, &spent).unwrap();
    let rules = Rules::new(RuleSet::Bitmodel, Mode::Consensus);
    let metrics = vm::verify_input(&rules, &context, 0)
        .map_err(|failure| format!("{opcode:?} of {a} and {b:?} is not {expected}: {failure}"))?;
    let pushed: usize = [Some(a), b, Some(expected)].into_iter().flatten().map(|n| encode(n).len()).sum();
    let instructions = 4 + usize::from(b.is_some());
    // The result is pushed, and so is the truth that it is the expected one.
    let cost = 100 * instructions + pushed + encode(expected).len() + 1 + extra(a, b, opcode, expected);
    if metrics.cost.get() == cost as u64 {
        return Ok(());
    }
    Err(format!("{opcode:?} of {a} and {b:?} costs {} and must cost {cost}", metrics.cost))
}

/// What an instruction costs beside its price and what it pushes.
fn extra(a: &IBig, b: Option<&IBig>, opcode: Opcode, result: &IBig) -> usize {
    let again = encode(result).len();
    match opcode.row().cost {
        CostClass::Arithmetic => again,
        CostClass::Product => again + encode(a).len() * b.map_or(0, |b| encode(b).len()),
        _ => 0,
    }
}

#[test]
fn products_at_the_borders_of_machine_integers_are_exact() {
    let power = |bits: usize| IBig::ONE << bits;
    for bits in 56..72 {
        for other in 120 - bits..=136 - bits {
            for (a, b) in [(power(bits), power(other)), (power(bits) - IBig::ONE, power(other) + IBig::ONE)] {
                for (a, b) in [(a.clone(), b.clone()), (-&a, b.clone()), (-a, -b)] {
                    gives(&a, Some(&b), Mul, &(&a * &b)).unwrap();
                    gives(&(&a * &b), Some(&b), Div, &a).unwrap();
                    gives(&(&a * &b), Some(&(&a * &b)), Add, &(&a * &b * IBig::from(2))).unwrap();
                }
            }
        }
    }
}

#[test]
fn arithmetic_is_that_of_big_integers() {
    let mut random = Random(1);
    let truth = |holds: bool| IBig::from(u8::from(holds));
    for _ in 0..4_000 {
        let (a, b) = (random.number(), random.number());
        let unary = [
            (Add1, &a + IBig::ONE),
            (Sub1, &a - IBig::ONE),
            (Negate, -&a),
            (Abs, if a < IBig::ZERO { -&a } else { a.clone() }),
            (Mul2, &a * IBig::from(2)),
            (Div2, &a / IBig::from(2)),
            (Not, truth(a == IBig::ZERO)),
            (NotEqual0, truth(a != IBig::ZERO)),
        ];
        for (opcode, expected) in unary {
            gives(&a, None, opcode, &expected).unwrap();
        }
        let binary = [
            (Add, &a + &b),
            (Sub, &a - &b),
            (Mul, &a * &b),
            (Min, a.clone().min(b.clone())),
            (Max, a.clone().max(b.clone())),
            (BoolAnd, truth(a != IBig::ZERO && b != IBig::ZERO)),
            (BoolOr, truth(a != IBig::ZERO || b != IBig::ZERO)),
            (NumEqual, truth(a == b)),
            (NumNotEqual, truth(a != b)),
            (LessThan, truth(a < b)),
            (GreaterThan, truth(a > b)),
            (LessThanOrEqual, truth(a <= b)),
            (GreaterThanOrEqual, truth(a >= b)),
        ];
        for (opcode, expected) in binary {
            gives(&a, Some(&b), opcode, &expected).unwrap();
        }
        for small in [1, -1, 3, -1_000_000_007, i64::MAX] {
            let b = IBig::from(small);
            gives(&a, Some(&b), Div, &(&a / &b)).unwrap();
            gives(&a, Some(&b), Mod, &(&a % &b)).unwrap();
        }
        if b != IBig::ZERO {
            gives(&a, Some(&b), Div, &(&a / &b)).unwrap();
            gives(&a, Some(&b), Mod, &(&a % &b)).unwrap();
        }
        for bits in [0, 1, 7, 8, 9, 63, 64, 65, random.next() as usize % 800] {
            let by = IBig::from(bits);
            gives(&a, Some(&by), LShiftNum, &(&a << bits)).unwrap();
            gives(&a, Some(&by), RShiftNum, &(&a >> bits)).unwrap();
        }
        assert!(gives(&a, Some(&b), Add, &(&a + &b + IBig::ONE)).is_err());
    }
}
