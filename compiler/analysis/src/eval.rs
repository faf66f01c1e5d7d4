//! Computes expressions whose parts are known: constants, conditions that can only be true or false.

use std::collections::BTreeMap;

use dashu_base::{Abs, DivRem, Sign, Signed};
use dashu_int::IBig;
use spec::hash;

use crate::hir::{Arm, BinaryOp, Block, Builtin, Expr, ExprKind, ItemKind, LocalId, Stmt, StmtKind, Type, UnaryOp};

/// Numbers and bytes that grow beyond this are not computed.
const NUMBER_BITS_MAX: usize = 8_000;
const BYTES_MAX: usize = 65_535;
/// The most expressions and statements of one evaluation, rounds of loops counted.
const STEPS_MAX: usize = 20_000;

/// A known value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    Number(IBig),
    Bool(bool),
    Bytes(Vec<u8>),
    /// The parts of a struct, tuple or array.
    Parts(Vec<Value>),
    /// A variant of an enum with what it carries.
    Variant(usize, Vec<Value>),
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Something is known only when a coin is spent.
    Unknown,
    /// The computation fails, whatever the rest is.
    Fails(&'static str),
}

type Outcome = Result<Value, Stop>;

/// What is known about the leaves of an expression.
pub(crate) trait Facts {
    /// The value of an argument, parameter, variable, call or signature check; `index` is the
    /// computed index of an introspection.
    fn leaf(&self, expr: &Expr, index: Option<IBig>) -> Option<Value>;
}

/// Only what stands in the source is known.
pub(crate) struct Constants;

impl Facts for Constants {
    fn leaf(&self, _: &Expr, _: Option<IBig>) -> Option<Value> {
        None
    }
}

/// The value of `expr`.
pub(crate) fn eval(expr: &Expr, facts: &impl Facts) -> Outcome {
    Run { facts, locals: BTreeMap::new(), steps: 0 }.expr(expr)
}

/// An evaluation under way.
struct Run<'f, F> {
    facts: &'f F,
    /// The variables that blocks inside the expression have set.
    locals: BTreeMap<LocalId, Value>,
    steps: usize,
}

impl<F: Facts> Run<'_, F> {
    fn step(&mut self) -> Result<(), Stop> {
        self.steps += 1;
        if self.steps > STEPS_MAX { Err(Stop::Unknown) } else { Ok(()) }
    }

    fn expr(&mut self, expr: &Expr) -> Outcome {
        self.step()?;
        match &expr.kind {
            ExprKind::Int(number) => Ok(Value::Number(number.clone())),
            ExprKind::Bool(value) => Ok(Value::Bool(*value)),
            ExprKind::Bytes(bytes) => Ok(Value::Bytes(bytes.clone())),
            ExprKind::Unary { op, operand } => unary(*op, self.expr(operand)?),
            ExprKind::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), left, right } => {
                logical(*op, self.expr(left), self.expr(right))
            }
            ExprKind::Binary { op, left, right } => binary(*op, self.expr(left)?, self.expr(right)?),
            ExprKind::If { condition, then, otherwise } => match self.expr(condition)? {
                Value::Bool(true) => self.value_of(then),
                _ => self.value_of(otherwise),
            },
            ExprKind::Builtin { builtin, args } => {
                let args = self.exprs(args)?;
                call(*builtin, &expr.ty, &args)
            }
            ExprKind::Introspect { index, .. } => {
                let index = index.as_ref().map(|index| self.expr(index)).transpose()?;
                let index = index.map(number).transpose()?;
                self.facts.leaf(expr, index).ok_or(Stop::Unknown)
            }
            ExprKind::Local(local) => match self.locals.get(local) {
                Some(value) => Ok(value.clone()),
                None => self.facts.leaf(expr, None).ok_or(Stop::Unknown),
            },
            ExprKind::Tuple(parts) => Ok(Value::Parts(self.exprs(parts)?)),
            ExprKind::Variant { variant, fields } => Ok(Value::Variant(*variant, self.exprs(fields)?)),
            ExprKind::Element { base, index } => self.part(base, *index),
            ExprKind::Index { base, index } => {
                let index = number(self.expr(index)?)?;
                self.part(base, usize::try_from(&index).unwrap_or(usize::MAX))
            }
            ExprKind::Is { value, variant } => match self.expr(value)? {
                Value::Variant(found, _) => Ok(Value::Bool(found == *variant)),
                _ => Err(Stop::Unknown),
            },
            ExprKind::Payload { value, variant, index } => match self.expr(value)? {
                Value::Variant(found, fields) if found == *variant => {
                    fields.into_iter().nth(*index).ok_or(Stop::Unknown)
                }
                _ => Err(Stop::Unknown),
            },
            ExprKind::Match { value, arms } => {
                let arm = self.arm(value, arms)?;
                self.value_of(&arm.body)
            }
            ExprKind::Block(block) => self.value_of(block),
            ExprKind::Param(_)
            | ExprKind::Arg(_)
            | ExprKind::Call { .. }
            | ExprKind::Signed { .. }
            | ExprKind::DataSigned { .. }
            | ExprKind::Threshold { .. }
            | ExprKind::Asm { .. } => self.facts.leaf(expr, None).ok_or(Stop::Unknown),
        }
    }

    fn exprs(&mut self, exprs: &[Expr]) -> Result<Vec<Value>, Stop> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn part(&mut self, base: &Expr, index: usize) -> Outcome {
        match self.expr(base)? {
            Value::Parts(parts) => {
                parts.into_iter().nth(index).ok_or(Stop::Fails("it reads an element that does not exist"))
            }
            _ => Err(Stop::Unknown),
        }
    }

    /// The arm that fits, with its variables set.
    fn arm<'h>(&mut self, value: &Expr, arms: &'h [Arm]) -> Result<&'h Arm, Stop> {
        let Value::Variant(found, fields) = self.expr(value)? else { return Err(Stop::Unknown) };
        let fits = |arm: &&Arm| arm.variant.is_none_or(|variant| variant == found);
        let arm = arms.iter().find(fits).ok_or(Stop::Unknown)?;
        for (binding, value) in arm.bindings.iter().zip(fields) {
            self.locals.extend(binding.map(|local| (local, value)));
        }
        Ok(arm)
    }

    fn value_of(&mut self, block: &Block) -> Outcome {
        self.block(block)?;
        block.value.as_ref().map_or(Err(Stop::Unknown), |value| self.expr(value))
    }

    fn block(&mut self, block: &Block) -> Result<(), Stop> {
        block.stmts.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    fn stmt(&mut self, stmt: &Stmt) -> Result<(), Stop> {
        self.step()?;
        match &stmt.kind {
            StmtKind::Let { local, value } => {
                let value = self.expr(value)?;
                self.locals.insert(*local, value);
                Ok(())
            }
            StmtKind::Assign { local, place, value } if place.is_empty() && self.locals.contains_key(local) => {
                let value = self.expr(value)?;
                self.locals.insert(*local, value);
                Ok(())
            }
            StmtKind::If { condition, then, otherwise } => match self.expr(condition)? {
                Value::Bool(true) => self.block(then),
                _ => self.block(otherwise),
            },
            StmtKind::Match { value, arms } => {
                let arm = self.arm(value, arms)?;
                self.block(&arm.body)
            }
            StmtKind::For { index, from, to, rounds_max, body } => {
                let (mut now, end) = (number(self.expr(from)?)?, number(self.expr(to)?)?);
                let mut rounds = 0;
                while now < end {
                    rounds += 1;
                    if rounds > *rounds_max {
                        return Err(Stop::Fails("a loop has more rounds than it may have"));
                    }
                    self.step()?;
                    self.locals.insert(*index, Value::Number(now.clone()));
                    self.block(body)?;
                    now += IBig::ONE;
                }
                Ok(())
            }
            StmtKind::While { condition, rounds_max, body } => {
                let mut rounds = 0;
                while self.expr(condition)? == Value::Bool(true) {
                    rounds += 1;
                    if rounds > *rounds_max {
                        return Err(Stop::Fails("a loop has more rounds than it may have"));
                    }
                    self.block(body)?;
                }
                Ok(())
            }
            StmtKind::Assign { .. }
            | StmtKind::Require { .. }
            | StmtKind::Call { .. }
            | StmtKind::Check(_)
            | StmtKind::EachRecord { .. }
            | StmtKind::Return(_) => Err(Stop::Unknown),
        }
    }
}

fn unary(op: UnaryOp, value: Value) -> Outcome {
    match (op, value) {
        (UnaryOp::Neg, Value::Number(n)) => Ok(Value::Number(-n)),
        (UnaryOp::Not, Value::Bool(b)) => Ok(Value::Bool(!b)),
        (UnaryOp::BitNot, Value::Bytes(bytes)) => Ok(Value::Bytes(bytes.iter().map(|byte| !byte).collect())),
        _ => Err(Stop::Unknown),
    }
}

/// One side can decide, whatever the other is.
fn logical(op: BinaryOp, left: Outcome, right: Outcome) -> Outcome {
    let decides = op == BinaryOp::Or;
    match (left, right) {
        (Err(stop @ Stop::Fails(_)), _) | (_, Err(stop @ Stop::Fails(_))) => Err(stop),
        (Ok(Value::Bool(side)), _) | (_, Ok(Value::Bool(side))) if side == decides => Ok(Value::Bool(decides)),
        (Ok(_), Ok(_)) => Ok(Value::Bool(!decides)),
        _ => Err(Stop::Unknown),
    }
}

fn binary(op: BinaryOp, left: Value, right: Value) -> Outcome {
    match op {
        BinaryOp::Equal(_) => return Ok(Value::Bool(left == right)),
        BinaryOp::NotEqual(_) => return Ok(Value::Bool(left != right)),
        _ => {}
    }
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => arithmetic(op, &a, &b),
        (Value::Bytes(a), Value::Bytes(b)) => bytewise(op, a, &b),
        (Value::Bytes(a), Value::Number(b)) => shift_bytes(op, &a, &b),
        _ => Err(Stop::Unknown),
    }
}

fn arithmetic(op: BinaryOp, a: &IBig, b: &IBig) -> Outcome {
    let divides = matches!(op, BinaryOp::Div | BinaryOp::Mod);
    if divides && *b == IBig::ZERO {
        return Err(Stop::Fails("it divides by zero"));
    }
    match op {
        BinaryOp::Add => bounded(a + b),
        BinaryOp::Sub => bounded(a - b),
        BinaryOp::Mul => bounded(a * b),
        BinaryOp::Div => bounded(a.div_rem(b).0),
        BinaryOp::Mod => bounded(a.div_rem(b).1),
        BinaryOp::Less => Ok(Value::Bool(a < b)),
        BinaryOp::LessEqual => Ok(Value::Bool(a <= b)),
        BinaryOp::Greater => Ok(Value::Bool(a > b)),
        BinaryOp::GreaterEqual => Ok(Value::Bool(a >= b)),
        BinaryOp::ShiftLeft(_) => bounded(a << shift_width(b)?),
        BinaryOp::ShiftRight(_) => bounded(a >> shift_width(b)?),
        BinaryOp::Equal(_) | BinaryOp::NotEqual(_) | BinaryOp::And | BinaryOp::Or => Err(Stop::Unknown),
        BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor | BinaryOp::Concat => Err(Stop::Unknown),
    }
}

fn shift_width(bits: &IBig) -> Result<usize, Stop> {
    if bits.sign() == Sign::Negative {
        return Err(Stop::Fails("it shifts by a negative number"));
    }
    usize::try_from(bits).ok().filter(|bits| *bits <= NUMBER_BITS_MAX).ok_or(Stop::Unknown)
}

fn bounded(number: IBig) -> Outcome {
    let bits = dashu_base::BitTest::bit_len(&number);
    if bits <= NUMBER_BITS_MAX { Ok(Value::Number(number)) } else { Err(Stop::Unknown) }
}

fn bytewise(op: BinaryOp, mut a: Vec<u8>, b: &[u8]) -> Outcome {
    let join: fn(u8, u8) -> u8 = match op {
        BinaryOp::BitAnd => |x, y| x & y,
        BinaryOp::BitOr => |x, y| x | y,
        BinaryOp::BitXor => |x, y| x ^ y,
        BinaryOp::Concat if a.len() + b.len() <= BYTES_MAX => {
            a.extend_from_slice(b);
            return Ok(Value::Bytes(a));
        }
        _ => return Err(Stop::Unknown),
    };
    if a.len() != b.len() {
        return Err(Stop::Fails("it combines bytes of different lengths"));
    }
    Ok(Value::Bytes(a.into_iter().zip(b).map(|(x, y)| join(x, *y)).collect()))
}

/// Shifts within the length, the first byte being the highest.
fn shift_bytes(op: BinaryOp, bytes: &[u8], bits: &IBig) -> Outcome {
    let total = bytes.len() * 8;
    let width = match usize::try_from(bits) {
        Ok(width) => width.min(total),
        Err(_) if bits.is_negative() => return Err(Stop::Fails("it shifts by a negative number")),
        Err(_) => total,
    };
    let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte & (0x80 >> (at % 8)) != 0);
    let source = |at: usize| match op {
        BinaryOp::ShiftLeft(ItemKind::Bytes) => (at + width < total).then_some(at + width),
        _ => at.checked_sub(width),
    };
    let shifted = (0..bytes.len()).map(|index| {
        let bits = (0..8).map(|offset| source(index * 8 + offset).is_some_and(bit));
        bits.fold(0u8, |byte, bit| byte << 1 | u8::from(bit))
    });
    Ok(Value::Bytes(shifted.collect()))
}

fn call(builtin: Builtin, ty: &Type, args: &[Value]) -> Outcome {
    match args {
        [Value::Bool(truth)] if builtin == Builtin::Cast && ty.is_number() => {
            Ok(Value::Number(IBig::from(u8::from(*truth))))
        }
        [Value::Number(n)] if builtin == Builtin::Cast && ty.is_bytes() => minimal(n).map(Value::Bytes),
        [only] if builtin == Builtin::Cast => Ok(only.clone()),
        [Value::Bytes(bytes)] => of_bytes(builtin, bytes),
        [Value::Number(n)] => of_number(builtin, n),
        [Value::Bytes(bytes), Value::Number(at)] => cut(builtin, bytes, at),
        [Value::Bytes(bytes), Value::Number(from), Value::Number(to)] if builtin == Builtin::Slice => {
            slice(bytes, position(from)?, position(to)?)
        }
        [Value::Number(a), Value::Number(b)] => of_numbers(builtin, a, b),
        [Value::Number(x), Value::Number(low), Value::Number(high)] if builtin == Builtin::Within => {
            Ok(Value::Bool(low <= x && x < high))
        }
        _ => Err(Stop::Unknown),
    }
}

fn of_bytes(builtin: Builtin, bytes: &[u8]) -> Outcome {
    let out = match builtin {
        Builtin::Sha256 => hash::sha256(bytes).to_vec(),
        Builtin::Sha1 => hash::sha1(bytes).to_vec(),
        Builtin::Ripemd160 => hash::ripemd160(bytes).to_vec(),
        Builtin::Hash160 => hash::hash160(bytes).to_vec(),
        Builtin::Hash256 => hash::sha256d(bytes).to_vec(),
        Builtin::Size => return Ok(Value::Number(IBig::from(bytes.len()))),
        Builtin::ToInt => return bounded(decode(bytes)),
        Builtin::Reverse => bytes.iter().rev().copied().collect(),
        Builtin::LockP2pkh => spec::script::p2pkh(bytes.try_into().map_err(|_| Stop::Unknown)?),
        Builtin::LockP2sh32 => spec::script::p2sh32(bytes.try_into().map_err(|_| Stop::Unknown)?),
        _ => return Err(Stop::Unknown),
    };
    Ok(Value::Bytes(out))
}

fn of_number(builtin: Builtin, n: &IBig) -> Outcome {
    match builtin {
        Builtin::Abs => Ok(Value::Number(n.clone().abs())),
        Builtin::AgeUnits => Ok(Value::Number(age_units(n))),
        _ => Err(Stop::Unknown),
    }
}

/// What the sequence number says that locks for so many seconds.
pub(crate) fn age_units(seconds: &IBig) -> IBig {
    (seconds + IBig::from(511)) / IBig::from(512) + IBig::from(1 << 22)
}

fn of_numbers(builtin: Builtin, a: &IBig, b: &IBig) -> Outcome {
    match builtin {
        Builtin::Min => Ok(Value::Number(a.min(b).clone())),
        Builtin::Max => Ok(Value::Number(a.max(b).clone())),
        Builtin::ToBytes => encode(a, position(b)?).map(Value::Bytes),
        _ => Err(Stop::Unknown),
    }
}

fn cut(builtin: Builtin, bytes: &[u8], at: &IBig) -> Outcome {
    let at = position(at)?;
    match builtin {
        Builtin::Prefix => slice(bytes, 0, at),
        Builtin::Suffix => slice(bytes, at, bytes.len()),
        _ => Err(Stop::Unknown),
    }
}

fn slice(bytes: &[u8], from: usize, to: usize) -> Outcome {
    bytes.get(from..to).map(|part| Value::Bytes(part.to_vec())).ok_or(Stop::Fails("it slices outside the bytes"))
}

fn position(at: &IBig) -> Result<usize, Stop> {
    usize::try_from(at).map_err(|_| Stop::Fails("it slices outside the bytes"))
}

fn number(value: Value) -> Result<IBig, Stop> {
    match value {
        Value::Number(n) => Ok(n),
        _ => Err(Stop::Unknown),
    }
}

/// Little-endian with a sign bit, shortest or not.
fn decode(bytes: &[u8]) -> IBig {
    let Some((top, rest)) = bytes.split_last() else { return IBig::ZERO };
    let mut magnitude = rest.to_vec();
    magnitude.push(top & 0x7f);
    let magnitude = IBig::from(dashu_int::UBig::from_le_bytes(&magnitude));
    if top & 0x80 == 0 { magnitude } else { -magnitude }
}

/// As few bytes as there can be.
pub(crate) fn minimal(n: &IBig) -> Result<Vec<u8>, Stop> {
    let magnitude = magnitude(n);
    let needs_sign_byte = magnitude.last().is_some_and(|top| top & 0x80 != 0);
    encode(n, magnitude.len() + usize::from(needs_sign_byte))
}

/// The bytes without the sign, lowest first, without zeros at the end.
fn magnitude(n: &IBig) -> Vec<u8> {
    let mut out = n.clone().abs().as_sign_words().1.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    while out.last() == Some(&0) {
        out.pop();
    }
    out
}

fn encode(n: &IBig, len: usize) -> Result<Vec<u8>, Stop> {
    if len > BYTES_MAX {
        return Err(Stop::Unknown);
    }
    let mut out = magnitude(n);
    let needs_sign_byte = out.last().is_some_and(|top| top & 0x80 != 0);
    if out.len() + usize::from(needs_sign_byte) > len {
        return Err(Stop::Fails("the number does not fit the bytes"));
    }
    out.resize(len, 0);
    if n.is_negative()
        && let Some(top) = out.last_mut()
    {
        *top |= 0x80;
    }
    Ok(out)
}
