//! Between which numbers values lie, by what they are made of and by what a way demands of them.
//!
//! Numbers beyond 127 bits count as unbounded. Two questions have two answers: what a spender could
//! make of a value who chooses arguments at will, and how large it may get while arguments are what
//! their types say.

use dashu_int::IBig;
use spec::Sats;

use super::graph::{Graph, Node, Op, Value};
use super::view::View;
use super::ways::Compare;
use crate::hir::{BinaryOp, Builtin, Fact, Type, UnaryOp};
use crate::number::{HEIGHTS, TIMES};

/// How often what is demanded is carried on to what depends on it.
const ROUNDS: usize = 2;
/// No transaction has room for more.
const INPUTS_MAX: i128 = 1_000_000 / 41;
const OUTPUTS_MAX: i128 = 1_000_000 / 9;
const BYTES_MAX: i128 = crate::types::BYTES_MAX as i128;
/// More blocks or seconds than this are no waiting time.
const SPAN_MAX: i128 = 1 << 30;

/// The numbers from `low` to `high`; without a bound where it is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) low: Option<i128>,
    pub(super) high: Option<i128>,
}

impl Interval {
    fn new(low: i128, high: i128) -> Interval {
        Interval { low: Some(low), high: Some(high) }
    }

    pub(super) fn contains(self, n: i128) -> bool {
        self.low.is_none_or(|low| low <= n) && self.high.is_none_or(|high| n <= high)
    }

    /// What lies in both.
    fn meet(self, other: Interval) -> Interval {
        let tighter = |a: Option<i128>, b: Option<i128>, pick: fn(i128, i128) -> i128| match (a, b) {
            (Some(a), Some(b)) => Some(pick(a, b)),
            (a, b) => a.or(b),
        };
        Interval { low: tighter(self.low, other.low, Ord::max), high: tighter(self.high, other.high, Ord::min) }
    }

    /// The least that holds both.
    fn join(self, other: Interval) -> Interval {
        let both = |a: Option<i128>, b: Option<i128>, pick: fn(i128, i128) -> i128| Some(pick(a?, b?));
        Interval { low: both(self.low, other.low, Ord::min), high: both(self.high, other.high, Ord::max) }
    }

    fn add(self, other: Interval) -> Interval {
        let sum = |a: Option<i128>, b: Option<i128>| a?.checked_add(b?);
        Interval { low: sum(self.low, other.low), high: sum(self.high, other.high) }
    }

    fn negated(self) -> Interval {
        let minus = |n: Option<i128>| n?.checked_neg();
        Interval { low: minus(self.high), high: minus(self.low) }
    }

    /// The products or quotients of the corners, where all are known.
    fn corners(self, other: Interval, join: fn(i128, i128) -> Option<i128>) -> Interval {
        let all = || {
            let (a, b, c, d) = (self.low?, self.high?, other.low?, other.high?);
            Some([join(a, c)?, join(a, d)?, join(b, c)?, join(b, d)?])
        };
        match all() {
            Some(corners) => Interval { low: corners.into_iter().min(), high: corners.into_iter().max() },
            None if self.is_natural() && other.is_natural() => Interval { low: Some(0), high: None },
            None => Interval::default(),
        }
    }

    fn is_natural(self) -> bool {
        self.low.is_some_and(|low| low >= 0)
    }

    fn quotient(self, by: Interval) -> Interval {
        if by.contains(0) && !by.is_natural() {
            return Interval::default();
        }
        // A quotient that exists has a divisor of at least one.
        let by = if by.is_natural() { by.meet(Interval { low: Some(1), high: None }) } else { by };
        match (self.low, self.high, by.low, by.high) {
            (Some(low), Some(high), Some(least), None) if low >= 0 => Interval::new(0, high / least),
            _ => self.corners(by, i128::checked_div),
        }
    }
}

/// Who chooses the arguments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spender {
    /// Somebody who wants to break the contract.
    Hostile,
    /// Somebody who gives what the types say.
    Honest,
}

/// The intervals of all values of a way.
pub(super) struct Intervals(Vec<Interval>);

impl Intervals {
    pub(super) fn of(view: &View<'_>, spender: Spender) -> Intervals {
        let mut known = Intervals(vec![Interval::default(); view.graph.len()]);
        for _ in 0..ROUNDS {
            for (at, (value, node)) in view.graph.values().enumerate() {
                let made = known.made(view.graph, node, spender).meet(known.related(view, node));
                let demanded = known.demanded(view, value);
                if let Some(slot) = known.0.get_mut(at) {
                    *slot = slot.meet(made).meet(demanded);
                }
            }
            known.carry_back(view.graph);
        }
        known
    }

    /// What is known of a sum says something about its parts.
    fn carry_back(&mut self, graph: &Graph) {
        let sums = graph.values().filter(|(_, node)| matches!(node.op, Op::Binary(BinaryOp::Add | BinaryOp::Sub)));
        for (value, node) in sums.collect::<Vec<_>>().into_iter().rev() {
            let [a, b] = node.parts.as_slice() else { continue };
            let (whole, of_a, of_b) = (self.get(value), self.get(*a), self.get(*b));
            let (for_a, for_b) = match node.op {
                Op::Binary(BinaryOp::Add) => (whole.add(of_b.negated()), whole.add(of_a.negated())),
                _ => (whole.add(of_b), of_a.add(whole.negated())),
            };
            self.narrow(*a, for_a);
            self.narrow(*b, for_b);
        }
    }

    fn narrow(&mut self, value: Value, to: Interval) {
        if let Some(slot) = self.0.get_mut(value.index()) {
            *slot = slot.meet(to);
        }
    }

    pub(super) fn get(&self, value: Value) -> Interval {
        self.0.get(value.index()).copied().unwrap_or_default()
    }

    /// What the parts of a value allow.
    fn made(&self, graph: &Graph, node: &Node, spender: Spender) -> Interval {
        let part = |at: usize| node.parts.get(at).map_or(Interval::default(), |part| self.get(*part));
        match &node.op {
            Op::Int(n) => i128::try_from(n).map_or(Interval::default(), |n| Interval::new(n, n)),
            Op::Param(_) => of_type(&node.ty),
            Op::Arg(_) | Op::Payload(..) | Op::Element(_) | Op::Index if spender == Spender::Honest => {
                of_type(&node.ty)
            }
            Op::Fact(fact) => of_fact(*fact),
            Op::Unary(UnaryOp::Neg) => part(0).negated(),
            Op::Binary(op) => binary(*op, part(0), part(1), &node.ty),
            Op::Choice => part(1).join(part(2)),
            Op::Builtin(builtin) => self.builtin(graph, *builtin, node),
            _ => Interval::default(),
        }
    }

    fn builtin(&self, graph: &Graph, builtin: Builtin, node: &Node) -> Interval {
        let part = |at: usize| node.parts.get(at).map_or(Interval::default(), |part| self.get(*part));
        let len = || node.parts.first().and_then(|bytes| graph.ty(*bytes).fixed_len());
        match builtin {
            Builtin::Size => len().map_or(Interval::new(0, BYTES_MAX), |len| Interval::new(len.into(), len.into())),
            // What a contract has stored with a unit was checked when it was stored.
            Builtin::ToInt if has_unit(&node.ty) => of_type(&node.ty),
            Builtin::ToInt => match len() {
                Some(0) => Interval::new(0, 0),
                Some(len) if len <= 15 => {
                    let most = (1i128 << (8 * len - 1)) - 1;
                    Interval::new(-most, most)
                }
                _ => Interval::default(),
            },
            Builtin::Abs => {
                let of = part(0);
                let most = of.low.zip(of.high).map(|(low, high)| low.saturating_abs().max(high.saturating_abs()));
                Interval { low: Some(0), high: most }
            }
            Builtin::Min => least(part(0), part(1)),
            Builtin::Max => least(part(0).negated(), part(1).negated()).negated(),
            _ => Interval::default(),
        }
    }

    /// What is known of a difference because its sides are compared, or one is a part of the other.
    fn related(&self, view: &View<'_>, node: &Node) -> Interval {
        let (Op::Binary(BinaryOp::Sub), [a, b]) = (&node.op, node.parts.as_slice()) else { return Interval::default() };
        let natural = Interval { low: Some(0), high: None };
        let compared = view.of(*a).find_map(|side| match side.compare {
            _ if side.other != *b => None,
            Compare::GreaterEqual | Compare::Greater | Compare::Equal => Some(natural),
            Compare::Less | Compare::LessEqual => Some(Interval { low: None, high: Some(0) }),
            Compare::NotEqual => None,
        });
        compared.unwrap_or_else(|| if self.is_part_of(view.graph, *b, *a) { natural } else { Interval::default() })
    }

    /// Whether `part` is the smaller of `whole` and something, or a fraction of it.
    fn is_part_of(&self, graph: &Graph, part: Value, whole: Value) -> bool {
        match (graph.op(part), graph.parts(part)) {
            (Op::Builtin(Builtin::Min), sides) => sides.contains(&whole),
            (Op::Binary(BinaryOp::Div), [scaled, by]) => {
                let factor = match (graph.op(*scaled), graph.parts(*scaled)) {
                    _ if *scaled == whole => Interval::new(1, 1),
                    (Op::Binary(BinaryOp::Mul), [a, b]) if *a == whole => self.get(*b),
                    (Op::Binary(BinaryOp::Mul), [a, b]) if *b == whole => self.get(*a),
                    _ => return false,
                };
                let fraction = factor.high.zip(self.get(*by).low).is_some_and(|(factor, by)| factor <= by && by > 0);
                fraction && factor.is_natural() && self.get(whole).is_natural()
            }
            _ => false,
        }
    }

    /// What comparisons on the way demand of a value.
    fn demanded(&self, view: &View<'_>, value: Value) -> Interval {
        let mut bounds = Interval::default();
        for side in view.of(value) {
            let other = self.get(side.other);
            let bound = match side.compare {
                Compare::Equal => other,
                Compare::LessEqual => Interval { low: None, high: other.high },
                Compare::Less => Interval { low: None, high: other.high.and_then(|n| n.checked_sub(1)) },
                Compare::GreaterEqual => Interval { low: other.low, high: None },
                Compare::Greater => Interval { low: other.low.and_then(|n| n.checked_add(1)), high: None },
                Compare::NotEqual => excluded(bounds.meet(self.get(value)), other),
            };
            bounds = bounds.meet(bound);
        }
        bounds
    }
}

/// A natural number that is not zero is at least one.
fn excluded(value: Interval, other: Interval) -> Interval {
    match (value.low, other.low) {
        (Some(low), Some(n)) if low == n && other.high == Some(n) => Interval { low: n.checked_add(1), high: None },
        _ => Interval::default(),
    }
}

fn least(a: Interval, b: Interval) -> Interval {
    let high = match (a.high, b.high) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    Interval { low: a.low.zip(b.low).map(|(a, b)| a.min(b)), high }
}

fn binary(op: BinaryOp, a: Interval, b: Interval, ty: &Type) -> Interval {
    match op {
        // All tokens of a category together never exceed what one amount may be.
        BinaryOp::Add if *ty == Type::Tokens => a.add(b).meet(Interval { low: None, high: Some(i64::MAX.into()) }),
        BinaryOp::Add => a.add(b),
        BinaryOp::Sub => a.add(b.negated()),
        BinaryOp::Mul => a.corners(b, i128::checked_mul),
        BinaryOp::Div => a.quotient(b),
        BinaryOp::Mod => {
            let most = b.low.zip(b.high).map(|(low, high)| low.saturating_abs().max(high.saturating_abs()).max(1) - 1);
            let low = if a.is_natural() { Some(0) } else { most.map(|most| -most) };
            Interval { low, high: most }.meet(Interval { low: None, high: a.high.filter(|_| a.is_natural()) })
        }
        _ => Interval::default(),
    }
}

pub(super) fn has_unit(ty: &Type) -> bool {
    matches!(ty, Type::Coin | Type::Tokens | Type::Height | Type::Time | Type::Blocks | Type::Duration)
}

/// What values of a type mean.
fn of_type(ty: &Type) -> Interval {
    match ty {
        Type::Coin => Interval::new(0, Sats::MAX.get().into()),
        Type::Tokens => Interval::new(0, i64::MAX.into()),
        Type::Height => Interval::new(0, (*HEIGHTS.end()).into()),
        Type::Time => Interval::new(0, (*TIMES.end()).into()),
        Type::Blocks | Type::Duration => Interval::new(0, SPAN_MAX),
        _ => Interval::default(),
    }
}

fn of_fact(fact: Fact) -> Interval {
    let word = i128::from(u32::MAX);
    match fact {
        Fact::InputValue | Fact::OutputValue => of_type(&Type::Coin),
        Fact::InputTokens | Fact::OutputTokens => of_type(&Type::Tokens),
        Fact::TxLocktime | Fact::InputSequence => Interval::new(0, word),
        Fact::InputCount => Interval::new(1, INPUTS_MAX),
        Fact::InputIndex => Interval::new(0, INPUTS_MAX),
        Fact::OutputCount => Interval::new(1, OUTPUTS_MAX),
        Fact::InputOutpointIndex => Interval::new(0, OUTPUTS_MAX),
        _ => Interval::default(),
    }
}

/// The number with `_` between groups of three, for messages.
pub(super) fn shown(n: i128) -> String {
    crate::number::grouped(&IBig::from(n))
}
