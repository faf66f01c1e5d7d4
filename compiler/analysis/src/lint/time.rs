//! Conditions that hold only for a while: a script cannot demand them.
//!
//! The lock time of a transaction says only that so much time has passed. Whoever spends a coin may
//! always write a smaller one, so a condition that a growing lock time breaks is no condition, and a
//! price that grows with it is never paid in full.

use dashu_int::IBig;
use syntax::{Code, Diagnostic};

use super::Case;
use super::graph::{Graph, Marks, Op, Value};
use super::ways::{Compare, Known, What};
use crate::hir::{BinaryOp, Builtin, Fact, UnaryOp};

/// Lock times from here on are seconds, those below are heights.
const FIRST_TIME: i64 = 500_000_000;
/// Sequence numbers from here on demand no age.
const SEQUENCE_OFF: i64 = 1 << 31;
/// Where the forms of a sequence number begin: more than blocks, seconds, more than seconds.
const SEQUENCE_FORMS: [i64; 3] = [1 << 16, 1 << 22, (1 << 22) + (1 << 16)];
/// Larger computations are not followed.
const STEPS_MAX: u32 = 500;

/// A condition that the spender satisfies by a smaller lock time, or a smaller sequence number.
pub(super) fn upper_bound(case: &Case<'_>) -> Option<Diagnostic> {
    case.view.way.known.iter().find_map(|known| {
        let What::Compare(compare, a, b) = known.what else { return None };
        let (small, large) = match compare {
            Compare::Less | Compare::LessEqual => (a, b),
            Compare::Greater | Compare::GreaterEqual => (b, a),
            Compare::Equal | Compare::NotEqual => return None,
        };
        let graph = case.view.graph;
        if *graph.op(small) == Op::Fact(Fact::InputSequence) {
            return young(graph, known, large);
        }
        let mut steps = STEPS_MAX;
        if slope(graph, small, &mut steps) != Some(1) || graph.marks(large).meets(Marks::LOCK_TIME) {
            return None;
        }
        if graph.marks(large).meets(Marks::OUTPUT) { Some(rising(known)) } else { valid_until(graph, known, large) }
    })
}

fn rising(known: &Known) -> Diagnostic {
    Diagnostic::error(Code::E0423, "what must be paid here grows with the lock time", known.loc.clone())
        .saying("the spender writes an older lock time and pays less")
        .note("a script only learns that some time has passed, never that no more has")
        .help("let the price fall with time, or raise it by what has been sold, which the state can count")
}

fn valid_until(graph: &Graph, known: &Known, limit: Value) -> Option<Diagnostic> {
    // Heights and times are told apart by this number.
    if graph.int(limit).is_some_and(|n| *n == IBig::from(FIRST_TIME) || *n == IBig::from(FIRST_TIME - 1)) {
        return None;
    }
    let found = Diagnostic::error(
        Code::E0423,
        "this holds for ever: the spender may write an older lock time",
        known.loc.clone(),
    );
    Some(
        found
            .saying("the lock time is bounded from above")
            .note("a script only learns that some time has passed, never that no more has")
            .help("give the other party a path of its own that opens later, with `require tx.height >= ..;`"),
    )
}

/// A limit for a sequence number that is meant as the greatest age of a coin.
fn young(graph: &Graph, known: &Known, limit: Value) -> Option<Diagnostic> {
    let tells_form = |n: &IBig| SEQUENCE_FORMS.iter().any(|form| *n == IBig::from(*form) || *n == IBig::from(form - 1));
    if graph.int(limit).is_some_and(|n| *n >= IBig::from(SEQUENCE_OFF) || tells_form(n)) {
        return None;
    }
    let found = Diagnostic::error(
        Code::E0423,
        "this says nothing about age: the spender may write a smaller sequence number",
        known.loc.clone(),
    );
    Some(
        found
            .saying("the sequence number is bounded from above")
            .note("a script only learns that a coin has at least some age, never that it has no more")
            .help("give the other party a path of its own that opens later, with `require self.age >= ..;`"),
    )
}

/// Whether a value grows (1), shrinks (-1) or stays (0) as the lock time grows; `None` if that is not plain.
///
/// Factors and divisors that are no numbers of the source count as positive: they are rates.
fn slope(graph: &Graph, value: Value, steps: &mut u32) -> Option<i8> {
    if !graph.marks(value).meets(Marks::LOCK_TIME) {
        return Some(0);
    }
    *steps = steps.checked_sub(1)?;
    let mut of = |part: &Value| slope(graph, *part, steps);
    match (graph.op(value), graph.parts(value)) {
        (Op::Fact(Fact::TxLocktime), _) => Some(1),
        (Op::Binary(BinaryOp::Add), [a, b]) => both(of(a)?, of(b)?),
        (Op::Binary(BinaryOp::Sub), [a, b]) => both(of(a)?, -of(b)?),
        (Op::Binary(BinaryOp::Mul), [a, b]) => both(of(a)? * sign(graph, *b), of(b)? * sign(graph, *a)),
        (Op::Binary(BinaryOp::Div), [a, b]) if !graph.marks(*b).meets(Marks::LOCK_TIME) => {
            Some(of(a)? * sign(graph, *b))
        }
        (Op::Unary(UnaryOp::Neg), [a]) => Some(-of(a)?),
        (Op::Builtin(Builtin::Min | Builtin::Max), [a, b]) | (Op::Choice, [_, a, b]) => both(of(a)?, of(b)?),
        _ => None,
    }
}

fn both(a: i8, b: i8) -> Option<i8> {
    if a * b >= 0 { Some((a + b).clamp(-1, 1)) } else { None }
}

fn sign(graph: &Graph, factor: Value) -> i8 {
    if graph.int(factor).is_some_and(|n| *n < IBig::ZERO) { -1 } else { 1 }
}
