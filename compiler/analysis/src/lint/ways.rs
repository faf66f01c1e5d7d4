//! The ways through a path, each with all that holds on it.
//!
//! A branch, and a demand joined by `||`, makes two ways of one. Beyond a limit the ways are not told
//! apart any more: what either branch demands then counts as demanded, which may hide a mistake but
//! never invents one.

use std::collections::BTreeMap;

use syntax::Loc;

use super::graph::{Graph, Op, Value};
use super::trace::{Kind, Step};
use crate::hir::{BinaryOp, Builtin, UnaryOp};

/// The most ways that are told apart.
const WAYS_MAX: usize = 64;
/// The most that is known on all ways together while more are told apart.
const KNOWN_MAX: usize = 100_000;

/// Something that holds on a way.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) what: What,
    pub(super) loc: Loc,
    /// In the rounds of a loop, from the outermost: which index runs, and over which numbers.
    pub(super) loops: Vec<Round>,
    /// It only says which way this is; another way goes on without it.
    pub(super) assumed: bool,
}

/// The rounds of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Round {
    pub(super) index: Option<Value>,
    pub(super) bounds: Option<(Value, Value)>,
}

/// What holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Two values compare like this.
    Compare(Compare, Value, Value),
    /// A `Bool` is true.
    True(Value),
    /// A `Bool` is false.
    False(Value),
    /// The lock time of the transaction is at least this.
    LockTime(Value),
    /// The age of the coin is at least this.
    Age(Value),
}

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Compare {
    fn of(op: BinaryOp) -> Option<Compare> {
        Some(match op {
            BinaryOp::Equal(_) => Compare::Equal,
            BinaryOp::NotEqual(_) => Compare::NotEqual,
            BinaryOp::Less => Compare::Less,
            BinaryOp::LessEqual => Compare::LessEqual,
            BinaryOp::Greater => Compare::Greater,
            BinaryOp::GreaterEqual => Compare::GreaterEqual,
            _ => return None,
        })
    }

    /// What holds when this does not.
    fn negated(self) -> Compare {
        match self {
            Compare::Equal => Compare::NotEqual,
            Compare::NotEqual => Compare::Equal,
            Compare::Less => Compare::GreaterEqual,
            Compare::LessEqual => Compare::Greater,
            Compare::Greater => Compare::LessEqual,
            Compare::GreaterEqual => Compare::Less,
        }
    }

    /// The same with the sides exchanged.
    pub(super) fn mirrored(self) -> Compare {
        match self {
            Compare::Less => Compare::Greater,
            Compare::LessEqual => Compare::GreaterEqual,
            Compare::Greater => Compare::Less,
            Compare::GreaterEqual => Compare::LessEqual,
            same => same,
        }
    }

    pub(super) fn is_order(self) -> bool {
        !matches!(self, Compare::Equal | Compare::NotEqual)
    }
}

/// All that holds on one way through a path.
#[derive(Clone, Debug, Default)]
pub(super) struct Way {
    pub(super) known: Vec<Known>,
    /// Conditions that this way has taken one side of.
    decided: BTreeMap<Value, bool>,
}

/// The ways through the steps of a path.
pub(super) fn ways(graph: &Graph, steps: &[Step]) -> Vec<Way> {
    let ways_max = (KNOWN_MAX / size(steps).max(1)).clamp(1, WAYS_MAX);
    let mut splitter = Splitter { graph, ways_max, loops: Vec::new(), assuming: false };
    splitter.run(steps, vec![Way::default()])
}

fn size(steps: &[Step]) -> usize {
    let of = |step: &Step| match step {
        Step::Demand(_) => 1,
        Step::Branch { then, otherwise, .. } => 1 + size(then) + size(otherwise),
        Step::Loop { body, .. } => 1 + size(body),
    };
    steps.iter().map(of).sum()
}

/// Follows all ways at once.
struct Splitter<'g> {
    graph: &'g Graph,
    ways_max: usize,
    /// The loops around.
    loops: Vec<Round>,
    /// What is followed now is not demanded: it tells one way from another.
    assuming: bool,
}

impl Splitter<'_> {
    fn run(&mut self, steps: &[Step], mut ways: Vec<Way>) -> Vec<Way> {
        for step in steps {
            ways = match step {
                Step::Demand(demand) => match demand.kind {
                    Kind::Holds => self.hold(ways, demand.value, true, &demand.loc),
                    Kind::LockTime => self.note(ways, What::LockTime(demand.value), &demand.loc),
                    Kind::Age => self.note(ways, What::Age(demand.value), &demand.loc),
                },
                Step::Branch { condition, then, otherwise } => self.branch(ways, *condition, then, otherwise),
                Step::Loop { index, bounds, body } => {
                    self.loops.push(Round { index: *index, bounds: *bounds });
                    let after = self.run(body, ways);
                    self.loops.pop();
                    after
                }
            };
        }
        ways
    }

    /// Whether each way may become two.
    fn may_split(&self, ways: &[Way]) -> bool {
        ways.len() * 2 <= self.ways_max
    }

    fn branch(&mut self, ways: Vec<Way>, condition: Value, then: &[Step], otherwise: &[Step]) -> Vec<Way> {
        if !self.may_split(&ways) {
            let ways = self.run(then, ways);
            return self.run(otherwise, ways);
        }
        let loc = self.graph.loc(condition).clone();
        let first = self.assume(ways.clone(), condition, true, &loc);
        let mut after = self.run(then, first);
        let second = self.assume(ways, condition, false, &loc);
        after.extend(self.run(otherwise, second));
        after
    }

    fn note(&self, mut ways: Vec<Way>, what: What, loc: &Loc) -> Vec<Way> {
        for way in &mut ways {
            way.known.push(Known { what, loc: loc.clone(), loops: self.loops.clone(), assumed: self.assuming });
        }
        ways
    }

    /// The ways on which a `Bool` is true, or false.
    fn hold(&mut self, ways: Vec<Way>, value: Value, truth: bool, loc: &Loc) -> Vec<Way> {
        let graph = self.graph;
        match (graph.op(value), graph.parts(value)) {
            (Op::Bool(known), []) => {
                if *known == truth {
                    ways
                } else {
                    Vec::new()
                }
            }
            (Op::Unary(UnaryOp::Not), [of]) => self.hold(ways, *of, !truth, loc),
            (Op::Binary(op @ (BinaryOp::And | BinaryOp::Or)), [a, b]) => {
                // Both sides hold for a true conjunction and for a false disjunction.
                if (*op == BinaryOp::And) == truth {
                    let ways = self.hold(ways, *a, truth, loc);
                    return self.hold(ways, *b, truth, loc);
                }
                self.either(ways, (value, *a, *b), truth, loc)
            }
            (Op::Choice, [condition, a, b]) if self.may_split(&ways) => {
                let then = self.hold(ways.clone(), *condition, true, loc);
                let mut after = self.hold(then, *a, truth, loc);
                let otherwise = self.hold(ways, *condition, false, loc);
                after.extend(self.hold(otherwise, *b, truth, loc));
                after
            }
            (Op::Builtin(Builtin::Within), [x, low, high]) if truth => {
                let ways = self.note(ways, What::Compare(Compare::GreaterEqual, *x, *low), loc);
                self.note(ways, What::Compare(Compare::Less, *x, *high), loc)
            }
            _ => self.decide(ways, value, truth, loc),
        }
    }

    /// Follows the ways on which a `Bool` is true, or false, though nothing demands it.
    fn assume(&mut self, ways: Vec<Way>, value: Value, truth: bool, loc: &Loc) -> Vec<Way> {
        let before = std::mem::replace(&mut self.assuming, true);
        let after = self.hold(ways, value, truth, loc);
        self.assuming = before;
        after
    }

    /// One of two parts decides; both are followed.
    fn either(&mut self, ways: Vec<Way>, (whole, a, b): (Value, Value, Value), truth: bool, loc: &Loc) -> Vec<Way> {
        if !self.may_split(&ways) {
            return self.note(ways, atom(self.graph, whole, truth), loc);
        }
        let mut after = self.hold(ways.clone(), a, truth, loc);
        let without = self.assume(ways, a, !truth, loc);
        after.extend(self.hold(without, b, truth, loc));
        after
    }

    /// Takes one side of a condition; a way that took the other side before is impossible.
    fn decide(&self, mut ways: Vec<Way>, value: Value, truth: bool, loc: &Loc) -> Vec<Way> {
        if self.ways_max > 1 {
            ways.retain_mut(|way| *way.decided.entry(value).or_insert(truth) == truth);
        }
        self.note(ways, atom(self.graph, value, truth), loc)
    }
}

fn atom(graph: &Graph, value: Value, truth: bool) -> What {
    let compare = match (graph.op(value), graph.parts(value)) {
        (Op::Binary(op), [a, b]) => Compare::of(*op).map(|compare| (compare, *a, *b)),
        _ => None,
    };
    match compare {
        Some((compare, a, b)) if truth => What::Compare(compare, a, b),
        Some((compare, a, b)) => What::Compare(compare.negated(), a, b),
        None if truth => What::True(value),
        None => What::False(value),
    }
}
