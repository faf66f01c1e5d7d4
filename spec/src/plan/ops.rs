//! What the operations of plan expressions do to values.

use super::eval::{EvalError, Fault};
use super::expr::Op;
use crate::artifact::{AbiType, AbiValue, Value};
use crate::hash::{hash160, ripemd160, sha1, sha256, sha256d};
use crate::num;
use crate::script::{p2pkh, p2sh32};
use crate::split::Weights;
use crate::units::Sats;

pub(super) fn kind(op: &'static str, expected: &'static str, found: &Value) -> Fault {
    Fault::Kind { op, expected, found: found.kind() }
}

pub(super) fn place(at: usize) -> Value {
    Value::Int(place_of(at))
}

pub(super) fn place_of(at: usize) -> i128 {
    i128::try_from(at).unwrap_or(i128::MAX)
}

pub(super) fn range(from: usize, to: usize) -> Value {
    Value::Parts((from..to).map(place).collect())
}

/// What a value weighs in the count of work.
pub(super) fn size(value: &Value) -> u64 {
    match value {
        Value::Int(_) | Value::Bool(_) => 1,
        Value::Bytes(bytes) => 1 + bytes.len() as u64 / 16,
        Value::Parts(parts) | Value::Variant(_, parts) | Value::List { records: parts, .. } => {
            parts.iter().map(size).sum::<u64>() + 1
        }
    }
}

/// The one stack item of a value, or the hash of a list.
pub(super) fn item(ty: &AbiType, value: &Value) -> Result<Vec<u8>, EvalError> {
    let encoded = ty.encode(value)?;
    if let AbiValue::Records(records) = &encoded {
        return Ok(records.hash().to_vec());
    }
    let wrong = || kind("item", "a value of one item", value);
    Ok(encoded.item().ok_or_else(wrong)?.to_vec())
}

pub(super) fn part_at(op: &'static str, of: &Value, at: i128) -> Result<Value, Fault> {
    let (Value::Parts(parts) | Value::Variant(_, parts) | Value::List { records: parts, .. }) = of else {
        return Err(kind(op, "a composite value", of));
    };
    let part = usize::try_from(at).ok().and_then(|at| parts.get(at));
    part.cloned().ok_or(Fault::OutOfRange { op, place: at, len: parts.len() })
}

pub(super) fn apply(op: Op, values: &[&Value]) -> Result<Value, Fault> {
    match (op, values) {
        (Op::Eq, [a, b]) => Ok(Value::Bool(a == b)),
        (Op::Ne, [a, b]) => Ok(Value::Bool(a != b)),
        (Op::Not, [Value::Bool(truth)]) => Ok(Value::Bool(!truth)),
        (Op::Truth, [Value::Bool(truth)]) => Ok(Value::Int((*truth).into())),
        (Op::Not | Op::Truth, [other]) => Err(kind(op.name(), "a truth value", other)),
        (Op::Tag, [Value::Variant(tag, _)]) => Ok(place(*tag)),
        (Op::Tag, [other]) => Err(kind(op.name(), "a variant", other)),
        (Op::Index, [of, at]) => part_at(op.name(), of, int(op, at)?),
        (Op::Count | Op::Sum | Op::Sums | Op::Split | Op::Join, _) => on_lists(op, values),
        (
            Op::Cat
            | Op::Slice
            | Op::Len
            | Op::Reverse
            | Op::ToInt
            | Op::PayKeyHash
            | Op::PayScript
            | Op::PayScriptHash,
            _,
        )
        | (Op::Sha256 | Op::Hash256 | Op::Hash160 | Op::Ripemd160 | Op::Sha1, _) => on_bytes(op, values),
        _ => on_numbers(op, &values.iter().map(|value| int(op, value)).collect::<Result<Vec<_>, _>>()?),
    }
}

fn int(op: Op, value: &Value) -> Result<i128, Fault> {
    value.int().ok_or_else(|| kind(op.name(), "a number", value))
}

fn bytes(op: Op, value: &Value) -> Result<&[u8], Fault> {
    value.bytes().ok_or_else(|| kind(op.name(), "a string of bytes", value))
}

fn list(op: Op, value: &Value) -> Result<&[Value], Fault> {
    value.parts().ok_or_else(|| kind(op.name(), "a list", value))
}

fn on_numbers(op: Op, numbers: &[i128]) -> Result<Value, Fault> {
    let too_large = || Fault::Overflow(op.name());
    let fold = |start: i128, step: fn(i128, i128) -> Option<i128>| {
        numbers.iter().try_fold(start, |sum, n| step(sum, *n)).ok_or_else(too_large)
    };
    let number = match (op, numbers) {
        (Op::Add, _) => fold(0, i128::checked_add)?,
        (Op::Mul, _) => fold(1, i128::checked_mul)?,
        (Op::Sub, [a, b]) => a.checked_sub(*b).ok_or_else(too_large)?,
        (Op::Div | Op::Mod, [_, 0]) => return Err(Fault::DivideByZero),
        (Op::Div, [a, b]) => a.checked_div(*b).ok_or_else(too_large)?,
        (Op::Mod, [a, b]) => a.checked_rem(*b).ok_or_else(too_large)?,
        (Op::Neg, [a]) => a.checked_neg().ok_or_else(too_large)?,
        (Op::Abs, [a]) => a.checked_abs().ok_or_else(too_large)?,
        (Op::Min, [first, rest @ ..]) => rest.iter().fold(*first, |least, n| least.min(*n)),
        (Op::Max, [first, rest @ ..]) => rest.iter().fold(*first, |most, n| most.max(*n)),
        (Op::Lt, [a, b]) => return Ok(Value::Bool(a < b)),
        (Op::Le, [a, b]) => return Ok(Value::Bool(a <= b)),
        (Op::Gt, [a, b]) => return Ok(Value::Bool(a > b)),
        (Op::Ge, [a, b]) => return Ok(Value::Bool(a >= b)),
        (Op::Encode, [n]) => return Ok(Value::Bytes(num::encode_wide(*n))),
        (Op::ToBytes, [n, len]) => {
            let len = usize::try_from(*len).ok().filter(|len| *len <= BYTES_MAX);
            return len.and_then(|len| num::encode_sized(*n, len)).map(Value::Bytes).ok_or_else(too_large);
        }
        (Op::Range, [from, to]) => {
            let len = to.checked_sub(*from).filter(|len| *len <= PARTS_MAX).ok_or_else(too_large)?;
            return Ok(Value::Parts((0..len).map(|at| Value::Int(from + at)).collect()));
        }
        _ => return Err(Fault::Arity(op.name())),
    };
    Ok(Value::Int(number))
}

/// The longest string of bytes that an operation makes out of a number.
const BYTES_MAX: usize = 10_000;
/// The longest list that an operation makes out of numbers.
const PARTS_MAX: i128 = 100_000;

fn on_bytes(op: Op, values: &[&Value]) -> Result<Value, Fault> {
    if let (Op::Slice, [of, from, to]) = (op, values) {
        return slice(bytes(op, of)?, int(op, from)?, int(op, to)?);
    }
    let parts = values.iter().map(|value| bytes(op, value)).collect::<Result<Vec<_>, _>>()?;
    let wrong_len = |of: &[u8]| Fault::OutOfRange { op: op.name(), place: place_of(of.len()), len: of.len() };
    let made = match (op, parts.as_slice()) {
        (Op::Cat, parts) => parts.concat(),
        (Op::Len, [of]) => return Ok(place(of.len())),
        (Op::ToInt, [of]) => return num::decode_sized(of).map(Value::Int).ok_or(Fault::Overflow(op.name())),
        (Op::Reverse, [of]) => of.iter().rev().copied().collect(),
        (Op::Sha256, [of]) => sha256(of).to_vec(),
        (Op::Hash256, [of]) => sha256d(of).to_vec(),
        (Op::Hash160, [of]) => hash160(of).to_vec(),
        (Op::Ripemd160, [of]) => ripemd160(of).to_vec(),
        (Op::Sha1, [of]) => sha1(of).to_vec(),
        (Op::PayKeyHash, [of]) => p2pkh(&<[u8; 20]>::try_from(*of).map_err(|_| wrong_len(of))?),
        (Op::PayScriptHash, [of]) => p2sh32(&<[u8; 32]>::try_from(*of).map_err(|_| wrong_len(of))?),
        (Op::PayScript, [of]) => p2sh32(&sha256d(of)),
        _ => return Err(Fault::Arity(op.name())),
    };
    Ok(Value::Bytes(made))
}

fn slice(of: &[u8], from: i128, to: i128) -> Result<Value, Fault> {
    let range = usize::try_from(from).ok().zip(usize::try_from(to).ok());
    let found = range.and_then(|(from, to)| of.get(from..to));
    let outside = if from < 0 || from > place_of(of.len()) { from } else { to };
    found.map(|found| Value::Bytes(found.to_vec())).ok_or(Fault::OutOfRange {
        op: "slice",
        place: outside,
        len: of.len(),
    })
}

fn on_lists(op: Op, values: &[&Value]) -> Result<Value, Fault> {
    match (op, values) {
        (Op::Count, [of]) => Ok(place(list(op, of)?.len())),
        (Op::Join, [a, b]) => Ok(Value::Parts([list(op, a)?, list(op, b)?].concat())),
        (Op::Sum, [of]) => numbers(op, of).and_then(|numbers| on_numbers(Op::Add, &numbers)),
        (Op::Sums, [of]) => {
            let mut sum = 0i128;
            let mut next = |n: i128| {
                sum = sum.checked_add(n).ok_or(Fault::Overflow(op.name()))?;
                Ok(Value::Int(sum))
            };
            numbers(op, of)?.into_iter().map(&mut next).collect::<Result<_, _>>().map(Value::Parts)
        }
        (Op::Split, [amount, weights]) => {
            let amount = u64::try_from(int(op, amount)?).map_err(|_| Fault::Weights)?;
            let weights = numbers(op, weights)?.into_iter().map(u64::try_from).collect::<Result<Vec<_>, _>>();
            let weights = weights.ok().and_then(Weights::new).ok_or(Fault::Weights)?;
            let shares = weights.divide(Sats::from_wire(amount));
            Ok(Value::Parts(shares.into_iter().map(|share| Value::Int(share.get().into())).collect()))
        }
        _ => Err(Fault::Arity(op.name())),
    }
}

fn numbers(op: Op, of: &Value) -> Result<Vec<i128>, Fault> {
    list(op, of)?.iter().map(|part| int(op, part)).collect()
}
