//! Building computations: constants are folded exactly, and identities that hold for every value are used.
//!
//! A fold gives the bytes that the machine would leave. Where the machine would fail (a division by
//! zero, a cut beyond the end) nothing is folded, so that it still fails.

use dashu_base::{Gcd, Sign, UnsignedAbs};
use dashu_int::IBig;
use spec::Opcode;
use spec::hash;
use spec::opcode::CostClass;
use spec::script::push_len;

use crate::code::PlaceId;
use crate::mir::{Graph, NodeId, NodeKind, Operation};
use crate::number;
use crate::peephole::mirrored;

/// Constants above this many bytes are left to the machine, so that folding takes no time of note.
const FOLD_BYTES_MAX: usize = 2_000;

impl Graph {
    /// The value of an opcode that leaves one item.
    pub(crate) fn op(&mut self, opcode: Opcode, inputs: &[NodeId], place: PlaceId) -> NodeId {
        self.compute(Operation::Op(opcode), inputs, place)
    }

    /// The value of an operation.
    pub(crate) fn compute(&mut self, operation: Operation, inputs: &[NodeId], place: PlaceId) -> NodeId {
        if let Some(data) = self.folded(operation, inputs) {
            return self.bytes(data, place);
        }
        if self.is_plain() {
            return self.intern(NodeKind::Op(operation, inputs.to_vec()), place);
        }
        let (operation, inputs) = self.ordered(operation, inputs);
        if let Some(id) = self.simplified(operation, &inputs, place) {
            return id;
        }
        self.intern(NodeKind::Op(operation, inputs), place)
    }

    /// The same computation with a constant on the right, so that equal ones look equal.
    fn ordered(&self, operation: Operation, inputs: &[NodeId]) -> (Operation, Vec<NodeId>) {
        if let (Operation::Op(opcode), [a, b]) = (operation, inputs)
            && let Some(mirrored) = mirrored(opcode)
            && self.as_const(*a).is_some()
        {
            return (Operation::Op(mirrored), vec![*b, *a]);
        }
        (operation, inputs.to_vec())
    }

    /// Whether the truth of `a` is the opposite of what `a` computes, without computing more.
    fn negated(&mut self, id: NodeId, place: PlaceId) -> Option<NodeId> {
        let (Operation::Op(opcode), inputs) = self.as_op(id)? else { return None };
        let opposite = match opcode {
            Opcode::NumEqual => Opcode::NumNotEqual,
            Opcode::NumNotEqual => Opcode::NumEqual,
            Opcode::LessThan => Opcode::GreaterThanOrEqual,
            Opcode::GreaterThanOrEqual => Opcode::LessThan,
            Opcode::GreaterThan => Opcode::LessThanOrEqual,
            Opcode::LessThanOrEqual => Opcode::GreaterThan,
            Opcode::NotEqual0 => Opcode::Not,
            Opcode::Not => Opcode::NotEqual0,
            _ => return None,
        };
        let inputs = inputs.to_vec();
        Some(self.op(opposite, &inputs, place))
    }

    /// Whether the value is always 0 or 1.
    pub(crate) fn is_truth(&self, id: NodeId) -> bool {
        match self.kind(id) {
            NodeKind::Const(data) => matches!(data.as_slice(), [] | [1]),
            NodeKind::Op(Operation::Op(opcode), _) => gives_truth(*opcode),
            NodeKind::Op(..) | NodeKind::Param(_) | NodeKind::Text(_) | NodeKind::Arg(_) | NodeKind::Phi(_) => false,
        }
    }

    fn simplified(&mut self, operation: Operation, inputs: &[NodeId], place: PlaceId) -> Option<NodeId> {
        let Operation::Op(opcode) = operation else { return None };
        match inputs {
            [a] => self.simplified_unary(opcode, *a, place),
            [a, b] => self.simplified_binary(opcode, *a, *b, place),
            _ => None,
        }
    }

    fn simplified_unary(&mut self, opcode: Opcode, a: NodeId, place: PlaceId) -> Option<NodeId> {
        match opcode {
            Opcode::Not => self.negated(a, place),
            Opcode::NotEqual0 if self.is_truth(a) => Some(a),
            Opcode::Negate | Opcode::ReverseBytes | Opcode::Invert => match self.as_op(a)? {
                (Operation::Op(inner), [under]) if inner == opcode => Some(*under),
                _ => None,
            },
            _ => None,
        }
    }

    fn simplified_binary(&mut self, opcode: Opcode, a: NodeId, b: NodeId, place: PlaceId) -> Option<NodeId> {
        if let Some(truth) = self.decided(opcode, a, b) {
            return Some(self.int(i64::from(truth), place));
        }
        let (left, right) = (self.number(a), self.number(b));
        let is = |side: &Option<IBig>, n: i64| *side == Some(IBig::from(n));
        match opcode {
            Opcode::Add if is(&right, 0) => Some(a),
            Opcode::Sub if is(&right, 0) => Some(a),
            Opcode::Sub if is(&left, 0) => Some(self.op(Opcode::Negate, &[b], place)),
            Opcode::Mul | Opcode::Div if is(&right, 1) => Some(a),
            Opcode::Div => self.reduced_quotient(a, &right?, place),
            Opcode::Add | Opcode::Sub => self.gathered_sum(opcode, a, &right?, place),
            Opcode::NumEqual if is(&right, 0) => Some(self.op(Opcode::Not, &[a], place)),
            Opcode::NumNotEqual if is(&right, 0) => Some(self.op(Opcode::NotEqual0, &[a], place)),
            Opcode::NumEqual if is(&right, 1) && self.is_truth(a) => Some(a),
            Opcode::GreaterThan if is(&right, 0) && self.range(a).least >= Some(0) => {
                Some(self.op(Opcode::NotEqual0, &[a], place))
            }
            Opcode::LessThanOrEqual if is(&right, 0) && self.range(a).least >= Some(0) => {
                Some(self.op(Opcode::Not, &[a], place))
            }
            Opcode::GreaterThan | Opcode::GreaterThanOrEqual | Opcode::LessThan | Opcode::LessThanOrEqual => {
                self.shorter_bound(opcode, a, right?, place)
            }
            Opcode::BoolAnd => self.with_constant_truth(a, b, true),
            Opcode::BoolOr => self.with_constant_truth(a, b, false),
            Opcode::Cat => self.gathered_bytes(a, b, place),
            _ => None,
        }
    }

    /// A comparison that every transaction decides alike, unless its operands could fail.
    fn decided(&self, opcode: Opcode, a: NodeId, b: NodeId) -> Option<bool> {
        if !self.is_safe(a) || !self.is_safe(b) {
            return None;
        }
        let (left, right) = (self.range(a), self.range(b));
        let (holds, fails) = match opcode {
            Opcode::LessThan => (left.is_below(right), right.is_not_above(left)),
            Opcode::LessThanOrEqual => (left.is_not_above(right), right.is_below(left)),
            Opcode::GreaterThan => (right.is_below(left), left.is_not_above(right)),
            Opcode::GreaterThanOrEqual => (right.is_not_above(left), left.is_below(right)),
            Opcode::NumEqual => (false, left.is_below(right) || right.is_below(left)),
            Opcode::NumNotEqual => (left.is_below(right) || right.is_below(left), false),
            _ => return None,
        };
        (holds || fails).then_some(holds)
    }

    /// `x > 16` in place of `x >= 17`, where the neighbour of a constant is pushed in fewer bytes.
    fn shorter_bound(&mut self, opcode: Opcode, a: NodeId, bound: IBig, place: PlaceId) -> Option<NodeId> {
        let (other, neighbour) = match opcode {
            Opcode::GreaterThan => (Opcode::GreaterThanOrEqual, &bound + IBig::ONE),
            Opcode::GreaterThanOrEqual => (Opcode::GreaterThan, &bound - IBig::ONE),
            Opcode::LessThan => (Opcode::LessThanOrEqual, &bound - IBig::ONE),
            Opcode::LessThanOrEqual => (Opcode::LessThan, &bound + IBig::ONE),
            _ => return None,
        };
        let [bound, neighbour] = [bound, neighbour].map(|n| number::encode(&n));
        (push_len(&neighbour) < push_len(&bound)).then(|| {
            let neighbour = self.bytes(neighbour, place);
            self.op(other, &[a, neighbour], place)
        })
    }

    /// `x && true` and `x || false` are `x`, if `x` is a truth value.
    fn with_constant_truth(&self, a: NodeId, b: NodeId, neutral: bool) -> Option<NodeId> {
        let is_neutral = self.as_const(b).is_some_and(|data| spec::num::is_truthy(data) == neutral);
        (is_neutral && self.is_truth(a)).then_some(a)
    }

    /// `x * m / n` is `x * (m / g) / (n / g)`, whatever `g` divides both: the exact quotient is the same.
    fn reduced_quotient(&mut self, a: NodeId, divisor: &IBig, place: PlaceId) -> Option<NodeId> {
        let (Operation::Op(Opcode::Mul), [x, m]) = self.as_op(a)? else { return None };
        let (x, m) = match (self.number(*x), self.number(*m)) {
            (None, Some(factor)) => (*x, factor),
            (Some(factor), None) => (*m, factor),
            _ => return None,
        };
        if *divisor == IBig::ZERO || m == IBig::ZERO {
            return None;
        }
        let common = IBig::from((&m).unsigned_abs().gcd(divisor.unsigned_abs()));
        if common == IBig::ONE {
            return None;
        }
        let factor = self.bytes(number::encode(&(m / &common)), place);
        let rest = self.bytes(number::encode(&(divisor / &common)), place);
        let product = self.op(Opcode::Mul, &[x, factor], place);
        Some(self.op(Opcode::Div, &[product, rest], place))
    }

    /// `x + m + n` is `x + (m + n)`, and likewise with minus.
    fn gathered_sum(&mut self, opcode: Opcode, a: NodeId, second: &IBig, place: PlaceId) -> Option<NodeId> {
        let (Operation::Op(inner @ (Opcode::Add | Opcode::Sub)), [x, m]) = self.as_op(a)? else { return None };
        let (x, first) = (*x, self.number(*m)?);
        let signed = |opcode, n: &IBig| if opcode == Opcode::Add { n.clone() } else { -n.clone() };
        let sum = signed(inner, &first) + signed(opcode, second);
        let opcode = if sum.sign() == Sign::Negative { Opcode::Sub } else { Opcode::Add };
        let m = self.bytes(number::encode(&IBig::from(sum.unsigned_abs())), place);
        Some(self.op(opcode, &[x, m], place))
    }

    /// Makes the opposite of each constant that is taken away from something, for [`Graph::addends`].
    pub(crate) fn negate_constants(&mut self) {
        let taken_away = |id| match self.as_op(id)? {
            (Operation::Op(Opcode::Sub), [_, n]) => Some((self.number(*n)?, self.node(*n).place)),
            _ => None,
        };
        let found: Vec<(IBig, PlaceId)> = self.ids().filter_map(taken_away).collect();
        for (n, place) in found {
            self.bytes(number::encode(&-n), place);
        }
    }

    /// What is added to give the value, where a constant that is taken away counts as its opposite.
    pub(crate) fn addends(&self, id: NodeId) -> Option<Vec<NodeId>> {
        match self.as_op(id)? {
            (Operation::Op(Opcode::Add), inputs) => Some(inputs.to_vec()),
            (Operation::Op(Opcode::Sub), [x, n]) => {
                let opposite = NodeKind::Const(number::encode(&-self.number(*n)?));
                Some(vec![*x, self.find(&opposite)?])
            }
            _ => None,
        }
    }

    /// `x ++ m ++ n` joins two constants first; nothing joined with `x` is `x`.
    fn gathered_bytes(&mut self, a: NodeId, b: NodeId, place: PlaceId) -> Option<NodeId> {
        match (self.as_const(a), self.as_const(b)) {
            (Some([]), _) => Some(b),
            (_, Some([])) => Some(a),
            (None, Some(tail)) => {
                let (Operation::Op(Opcode::Cat), [x, m]) = self.as_op(a)? else { return None };
                let joined = [self.as_const(*m)?, tail].concat();
                let x = *x;
                let m = self.bytes(joined, place);
                Some(self.op(Opcode::Cat, &[x, m], place))
            }
            _ => None,
        }
    }

    /// The number that a constant means.
    pub(crate) fn number(&self, id: NodeId) -> Option<IBig> {
        number::decode(self.as_const(id)?)
    }

    fn folded(&self, operation: Operation, inputs: &[NodeId]) -> Option<Vec<u8>> {
        let items = inputs.iter().map(|input| self.as_const(*input)).collect::<Option<Vec<_>>>()?;
        if items.is_empty() || items.iter().any(|item| item.len() > FOLD_BYTES_MAX) {
            return None;
        }
        let out = match (operation, items.as_slice()) {
            (Operation::Length, [a]) => Some(spec::num::encode(i64::try_from(a.len()).ok()?)),
            (Operation::Head, [a, n]) => a.get(..index(n)?).map(<[u8]>::to_vec),
            (Operation::Tail, [a, n]) => a.get(index(n)?..).map(<[u8]>::to_vec),
            (Operation::Op(opcode), [a]) => {
                let out = fold_unary(opcode, a)?;
                // The machine hashes a short constant in fewer bytes than the hash takes.
                let shorter = push_len(&out) <= push_len(a) + 1;
                (shorter || opcode.row().cost != CostClass::Hash).then_some(out)
            }
            (Operation::Op(opcode), [a, b]) => fold_binary(opcode, a, b),
            (Operation::Op(Opcode::Within), [x, low, high]) => {
                let (x, low, high) = (number::decode(x)?, number::decode(low)?, number::decode(high)?);
                Some(truth(low <= x && x < high))
            }
            _ => None,
        }?;
        (out.len() <= FOLD_BYTES_MAX).then_some(out)
    }
}

/// Whether the opcode leaves 0 or 1.
pub(crate) fn gives_truth(opcode: Opcode) -> bool {
    matches!(
        opcode,
        Opcode::Equal
            | Opcode::Not
            | Opcode::NotEqual0
            | Opcode::BoolAnd
            | Opcode::BoolOr
            | Opcode::NumEqual
            | Opcode::NumNotEqual
            | Opcode::LessThan
            | Opcode::GreaterThan
            | Opcode::LessThanOrEqual
            | Opcode::GreaterThanOrEqual
            | Opcode::Within
            | Opcode::CheckSig
            | Opcode::CheckMultiSig
            | Opcode::CheckDataSig
    )
}

/// Whether the opcode leaves a number in its shortest form.
pub(crate) fn gives_number(opcode: Opcode) -> bool {
    gives_truth(opcode)
        || matches!(
            opcode,
            Opcode::Add
                | Opcode::Sub
                | Opcode::Mul
                | Opcode::Div
                | Opcode::Mod
                | Opcode::Add1
                | Opcode::Sub1
                | Opcode::Negate
                | Opcode::Abs
                | Opcode::Min
                | Opcode::Max
                | Opcode::Bin2Num
                | Opcode::Size
                | Opcode::InputIndex
                | Opcode::TxVersion
                | Opcode::TxLockTime
                | Opcode::TxInputCount
                | Opcode::TxOutputCount
                | Opcode::UtxoValue
                | Opcode::OutputValue
                | Opcode::UtxoTokenAmount
                | Opcode::OutputTokenAmount
                | Opcode::OutpointIndex
                | Opcode::InputSequenceNumber
        )
}

fn truth(value: bool) -> Vec<u8> {
    spec::num::encode(i64::from(value))
}

fn index(item: &[u8]) -> Option<usize> {
    usize::try_from(spec::num::decode(item)?).ok()
}

pub(crate) fn fold_unary(opcode: Opcode, a: &[u8]) -> Option<Vec<u8>> {
    let number = || number::decode(a);
    Some(match opcode {
        Opcode::Sha256 => hash::sha256(a).to_vec(),
        Opcode::Sha1 => hash::sha1(a).to_vec(),
        Opcode::Ripemd160 => hash::ripemd160(a).to_vec(),
        Opcode::Hash160 => hash::hash160(a).to_vec(),
        Opcode::Hash256 => hash::sha256d(a).to_vec(),
        Opcode::ReverseBytes => a.iter().rev().copied().collect(),
        Opcode::Invert => a.iter().map(|byte| !byte).collect(),
        Opcode::Bin2Num => number::minimize(a),
        Opcode::Negate => number::encode(&-number()?),
        Opcode::Abs => number::encode(&IBig::from(number()?.unsigned_abs())),
        Opcode::Not => truth(number()? == IBig::ZERO),
        Opcode::NotEqual0 => truth(number()? != IBig::ZERO),
        _ => return None,
    })
}

pub(crate) fn fold_binary(opcode: Opcode, a: &[u8], b: &[u8]) -> Option<Vec<u8>> {
    match opcode {
        Opcode::Cat => Some([a, b].concat()),
        Opcode::Equal => Some(truth(a == b)),
        Opcode::Num2Bin => {
            let wide = number::widen(a, index(b)?)?;
            // The machine pads in fewer bytes than a long constant takes.
            (push_len(&wide) <= push_len(a) + push_len(b) + 1).then_some(wide)
        }
        Opcode::And => zip(a, b, |x, y| x & y),
        Opcode::Or => zip(a, b, |x, y| x | y),
        Opcode::Xor => zip(a, b, |x, y| x ^ y),
        _ => fold_numbers(opcode, number::decode(a)?, number::decode(b)?),
    }
}

fn zip(a: &[u8], b: &[u8], f: impl Fn(u8, u8) -> u8) -> Option<Vec<u8>> {
    (a.len() == b.len()).then(|| a.iter().zip(b).map(|(x, y)| f(*x, *y)).collect())
}

fn fold_numbers(opcode: Opcode, a: IBig, b: IBig) -> Option<Vec<u8>> {
    let zero = IBig::ZERO;
    let n = match opcode {
        Opcode::Add => a + b,
        Opcode::Sub => a - b,
        Opcode::Mul => a * b,
        Opcode::Div => (b != zero).then(|| a / b)?,
        Opcode::Mod => (b != zero).then(|| a % b)?,
        Opcode::Min => a.min(b),
        Opcode::Max => a.max(b),
        Opcode::LShiftNum => a << shift(&b)?,
        Opcode::RShiftNum => a >> shift(&b)?,
        _ => return fold_comparison(opcode, &a, &b).map(truth),
    };
    Some(number::encode(&n))
}

fn shift(by: &IBig) -> Option<usize> {
    usize::try_from(by).ok().filter(|by| *by <= 8 * FOLD_BYTES_MAX)
}

fn fold_comparison(opcode: Opcode, a: &IBig, b: &IBig) -> Option<bool> {
    Some(match opcode {
        Opcode::NumEqual => a == b,
        Opcode::NumNotEqual => a != b,
        Opcode::LessThan => a < b,
        Opcode::LessThanOrEqual => a <= b,
        Opcode::GreaterThan => a > b,
        Opcode::GreaterThanOrEqual => a >= b,
        Opcode::BoolAnd => *a != IBig::ZERO && *b != IBig::ZERO,
        Opcode::BoolOr => *a != IBig::ZERO || *b != IBig::ZERO,
        _ => return None,
    })
}
