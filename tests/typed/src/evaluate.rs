//! What a typed program means, computed directly.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "what fails here fails a test")]

use analysis::hir::{
    BinaryOp, Block, Builtin, Condition, Expr, ExprKind, Fact, Functions, ItemKind, Step, StmtKind, UnaryOp,
};
use dashu_base::{Abs, Signed, UnsignedAbs};
use dashu_int::IBig;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Int(IBig),
    Bytes(Vec<u8>),
    Parts(Vec<Value>),
    Variant(usize, Vec<Value>),
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fails {
    /// The machine refuses to compute it, if it needs it.
    Value,
    /// It may need something that fails.
    Perhaps,
    /// The spend fails, whoever needs what.
    Spend,
    /// What the machine does from here on depends on what it needs.
    Unknown,
}

pub type Outcome = Result<Value, Fails>;

/// One body that runs.
#[derive(Clone, Default)]
pub struct Frame {
    pub args: Vec<Outcome>,
    pub locals: Vec<Outcome>,
}

impl Frame {
    pub fn new(args: Vec<Outcome>, locals: usize) -> Self {
        Self { args, locals: vec![Err(Fails::Perhaps); locals] }
    }
}

pub struct Evaluator<'p> {
    pub functions: &'p Functions,
    /// The fields of each record, all of them numbers.
    pub records: Vec<Vec<IBig>>,
    /// How many outputs the transaction has.
    pub outputs: usize,
    /// Something failed that the machine may need or not: variables are lazy, but not across branches.
    pub unsure: bool,
}

/// How a block ends.
pub enum Flow {
    End(Option<Outcome>),
    Return(Option<Outcome>),
}

impl Evaluator<'_> {
    /// Runs a block whose value, if it has one, is an outcome: who does not need it does not fail.
    pub fn block(&mut self, frame: &mut Frame, block: &Block) -> Result<Flow, Fails> {
        for stmt in &block.stmts {
            if let Some(returned) = self.stmt(frame, &stmt.kind)? {
                return Ok(Flow::Return(returned));
            }
        }
        let value = block.value.as_ref().map(|value| self.lazy(frame, value)).transpose()?;
        Ok(Flow::End(value))
    }

    /// Evaluates what perhaps nobody needs.
    fn lazy(&mut self, frame: &mut Frame, expr: &Expr) -> Result<Outcome, Fails> {
        match self.eval(frame, expr) {
            Err(fails @ (Fails::Spend | Fails::Unknown)) => Err(fails),
            Err(_) => {
                self.unsure = true;
                Ok(Err(Fails::Perhaps))
            }
            Ok(value) => Ok(Ok(value)),
        }
    }

    /// Evaluates what decides how it goes on.
    fn needed(&mut self, frame: &mut Frame, expr: &Expr) -> Outcome {
        self.eval(frame, expr).map_err(|fails| match fails {
            Fails::Value => Fails::Spend,
            Fails::Perhaps => Fails::Unknown,
            other => other,
        })
    }

    fn needed_int(&mut self, frame: &mut Frame, expr: &Expr) -> Result<IBig, Fails> {
        self.needed(frame, expr).map(number)
    }

    /// Runs the body of a loop or branch, which leaves the function if it returns.
    fn inner(&mut self, frame: &mut Frame, block: &Block) -> Result<Option<Option<Outcome>>, Fails> {
        Ok(match self.block(frame, block)? {
            Flow::Return(value) => Some(value),
            Flow::End(_) => None,
        })
    }

    fn stmt(&mut self, frame: &mut Frame, stmt: &StmtKind) -> Result<Option<Option<Outcome>>, Fails> {
        match stmt {
            StmtKind::Let { local, value } => {
                let value = self.lazy(frame, value)?;
                frame.locals[local.index()] = value;
            }
            StmtKind::Assign { local, place, value } => {
                let mut way = Vec::new();
                for step in place {
                    way.push(match step {
                        Step::Element(index) => *index,
                        Step::Index(index) => usize::try_from(self.needed_int(frame, index)?).unwrap_or(usize::MAX),
                    });
                }
                let value = self.lazy(frame, value)?;
                let whole = &mut frame.locals[local.index()];
                match (whole, way.as_slice()) {
                    (whole, []) => *whole = value,
                    (Ok(whole), way) => {
                        let part = part_at(whole, way).ok_or(Fails::Spend)?;
                        match value {
                            Ok(value) => *part = value,
                            Err(_) => frame.locals[local.index()] = Err(Fails::Perhaps),
                        }
                    }
                    (Err(_), _) => return Err(Fails::Unknown),
                }
            }
            StmtKind::Require { condition: Condition::Holds(condition), .. } => {
                if self.needed_int(frame, condition)? == IBig::ZERO {
                    return Err(Fails::Spend);
                }
            }
            StmtKind::If { condition, then, otherwise } => {
                let holds = self.decided(frame, condition)? != IBig::ZERO;
                return self.inner(frame, if holds { then } else { otherwise });
            }
            StmtKind::Match { value, arms } => {
                let body = self.arm(frame, value, arms)?;
                return self.inner(frame, body);
            }
            StmtKind::Call { function, args, .. } => {
                self.call(frame, *function, args)?;
            }
            StmtKind::For { index, from, to, rounds_max, body } => {
                let (mut now, to) = (self.decided(frame, from)?, self.decided(frame, to)?);
                if &to - &now > IBig::from(*rounds_max) {
                    return Err(Fails::Spend);
                }
                while now < to {
                    frame.locals[index.index()] = Ok(Value::Int(now.clone()));
                    let returned = self.inner(frame, body)?;
                    if returned.is_some() {
                        return Ok(returned);
                    }
                    now += 1;
                }
            }
            StmtKind::While { condition, rounds_max, body } => {
                let mut left = *rounds_max;
                while self.decided(frame, condition)? != IBig::ZERO {
                    left = left.checked_sub(1).ok_or(Fails::Spend)?;
                    self.inner(frame, body)?;
                }
            }
            StmtKind::EachRecord { fields, index, body, .. } => {
                for (round, record) in self.records.clone().into_iter().enumerate() {
                    for (field, n) in fields.iter().zip(record) {
                        frame.locals[field.index()] = Ok(Value::Int(n));
                    }
                    if let Some(index) = index {
                        frame.locals[index.index()] = Ok(Value::Int(round.into()));
                    }
                    self.inner(frame, body)?;
                }
            }
            StmtKind::Return(value) => {
                return Ok(Some(value.as_ref().map(|value| self.lazy(frame, value)).transpose()?));
            }
            other => unreachable!("{other:?}"),
        }
        Ok(None)
    }

    /// What steers a conditional; if that fails, only the machine knows whether it matters.
    fn decided(&mut self, frame: &mut Frame, expr: &Expr) -> Result<IBig, Fails> {
        self.eval(frame, expr).map(number).map_err(|fails| match fails {
            Fails::Value | Fails::Perhaps => Fails::Unknown,
            other => other,
        })
    }

    /// The body of the arm that fits, with its variables bound.
    fn arm<'a>(&mut self, frame: &mut Frame, value: &Expr, arms: &'a [analysis::hir::Arm]) -> Result<&'a Block, Fails> {
        let found = self.eval(frame, value).map_err(|fails| match fails {
            Fails::Value | Fails::Perhaps => Fails::Unknown,
            other => other,
        })?;
        let Value::Variant(variant, fields) = found else { panic!("{found:?} is no enum") };
        let arm = arms.iter().find(|arm| arm.variant.is_none_or(|of| of == variant)).unwrap();
        for (binding, field) in arm.bindings.iter().zip(fields) {
            if let Some(local) = binding {
                frame.locals[local.index()] = Ok(field);
            }
        }
        Ok(&arm.body)
    }

    fn call(&mut self, frame: &mut Frame, function: analysis::hir::FunctionId, args: &[Expr]) -> Outcome {
        let functions = self.functions;
        let function = functions.get(function).unwrap();
        let args = args.iter().map(|arg| self.lazy(frame, arg)).collect::<Result<Vec<_>, _>>()?;
        let mut inner = Frame::new(args, function.locals.len());
        match self.block(&mut inner, &function.body)? {
            Flow::End(value) | Flow::Return(value) => value.unwrap_or(Ok(Value::Parts(vec![]))),
        }
    }

    fn value_of(&mut self, frame: &mut Frame, block: &Block) -> Outcome {
        match self.block(frame, block)? {
            Flow::End(value) => value.expect("the block has a value"),
            Flow::Return(_) => unreachable!("expressions do not return"),
        }
    }

    fn int(&mut self, frame: &mut Frame, expr: &Expr) -> Result<IBig, Fails> {
        self.eval(frame, expr).map(number)
    }

    fn data(&mut self, frame: &mut Frame, expr: &Expr) -> Result<Vec<u8>, Fails> {
        match self.eval(frame, expr)? {
            Value::Bytes(data) => Ok(data),
            other => panic!("{other:?} is no string of bytes"),
        }
    }

    fn index(&mut self, frame: &mut Frame, expr: &Expr, data: &[u8]) -> Result<usize, Fails> {
        usize::try_from(self.int(frame, expr)?).ok().filter(|at| *at <= data.len()).ok_or(Fails::Value)
    }

    pub fn eval(&mut self, frame: &mut Frame, expr: &Expr) -> Outcome {
        Ok(match &expr.kind {
            ExprKind::Int(n) => Value::Int(n.clone()),
            ExprKind::Bool(truth) => Value::Int(IBig::from(i8::from(*truth))),
            ExprKind::Bytes(data) => Value::Bytes(data.clone()),
            ExprKind::Arg(arg) => frame.args[arg.index()].clone()?,
            ExprKind::Local(local) => frame.locals[local.index()].clone()?,
            ExprKind::Unary { op, operand } => match op {
                UnaryOp::Neg => Value::Int(-self.int(frame, operand)?),
                UnaryOp::Not => flag(self.int(frame, operand)? == IBig::ZERO),
                UnaryOp::BitNot => Value::Bytes(self.data(frame, operand)?.iter().map(|byte| !byte).collect()),
            },
            ExprKind::Binary { op, left, right } => self.binary(frame, *op, left, right)?,
            ExprKind::If { condition, then, otherwise } => {
                let holds = self.decided(frame, condition)? != IBig::ZERO;
                self.value_of(frame, if holds { then } else { otherwise })?
            }
            ExprKind::Match { value, arms } => {
                let body = self.arm(frame, value, arms)?;
                self.value_of(frame, body)?
            }
            ExprKind::Call { function, args, .. } => self.call(frame, *function, args)?,
            ExprKind::Builtin { builtin, args } => self.builtin(frame, *builtin, args)?,
            ExprKind::Introspect { fact: Fact::OutputCount, .. } => Value::Int(self.outputs.into()),
            ExprKind::Tuple(parts) => Value::Parts(self.all(frame, parts)?),
            ExprKind::Variant { variant, fields } => Value::Variant(*variant, self.all(frame, fields)?),
            ExprKind::Element { base, index } => match self.eval(frame, base)? {
                Value::Parts(parts) => parts[*index].clone(),
                other => panic!("{other:?} has no parts"),
            },
            ExprKind::Index { base, index } => {
                let base = self.lazy(frame, base)?;
                let index = usize::try_from(self.needed_int(frame, index)?).unwrap_or(usize::MAX);
                match base {
                    Ok(Value::Parts(parts)) => parts.get(index).cloned().ok_or(Fails::Spend)?,
                    Ok(other) => panic!("{other:?} has no elements"),
                    // Whether the number is right cannot be told without the array.
                    Err(_) => return Err(Fails::Unknown),
                }
            }
            other => unreachable!("{other:?}"),
        })
    }

    /// Parts: who needs one of them may not need the others.
    fn all(&mut self, frame: &mut Frame, parts: &[Expr]) -> Result<Vec<Value>, Fails> {
        let outcomes = parts.iter().map(|part| self.lazy(frame, part)).collect::<Result<Vec<_>, _>>()?;
        outcomes.into_iter().collect()
    }

    fn binary(&mut self, frame: &mut Frame, op: BinaryOp, left: &Expr, right: &Expr) -> Outcome {
        if left.ty.is_composite() {
            let (a, b) = (self.eval(frame, left)?, self.eval(frame, right)?);
            return Ok(flag((a == b) == matches!(op, BinaryOp::Equal(_))));
        }
        if let BinaryOp::Concat | BinaryOp::Equal(ItemKind::Bytes) | BinaryOp::NotEqual(ItemKind::Bytes) = op {
            let (a, b) = (self.data(frame, left)?, self.data(frame, right)?);
            return Ok(match op {
                BinaryOp::Concat => Value::Bytes([a, b].concat()),
                BinaryOp::Equal(_) => flag(a == b),
                _ => flag(a != b),
            });
        }
        let zero = IBig::ZERO;
        if let BinaryOp::And | BinaryOp::Or = op {
            let decided = (self.decided(frame, left)? != zero) == (op == BinaryOp::Or);
            return Ok(if decided { flag(op == BinaryOp::Or) } else { flag(self.int(frame, right)? != zero) });
        }
        let (a, b) = (self.int(frame, left)?, self.int(frame, right)?);
        Ok(match op {
            BinaryOp::Add => Value::Int(a + b),
            BinaryOp::Sub => Value::Int(a - b),
            BinaryOp::Mul => Value::Int(a * b),
            BinaryOp::Div | BinaryOp::Mod if b == zero => return Err(Fails::Value),
            BinaryOp::Div => Value::Int(quotient(&a, &b)),
            BinaryOp::Mod => Value::Int(&a - quotient(&a, &b) * &b),
            BinaryOp::Equal(_) => flag(a == b),
            BinaryOp::NotEqual(_) => flag(a != b),
            BinaryOp::Less => flag(a < b),
            BinaryOp::LessEqual => flag(a <= b),
            BinaryOp::Greater => flag(a > b),
            BinaryOp::GreaterEqual => flag(a >= b),
            _ => unreachable!(),
        })
    }

    fn builtin(&mut self, frame: &mut Frame, builtin: Builtin, args: &[Expr]) -> Outcome {
        Ok(match builtin {
            Builtin::Size => Value::Int(self.data(frame, &args[0])?.len().into()),
            Builtin::Sha256 => Value::Bytes(spec::hash::sha256(&self.data(frame, &args[0])?).to_vec()),
            Builtin::Hash160 => Value::Bytes(spec::hash::hash160(&self.data(frame, &args[0])?).to_vec()),
            Builtin::Reverse => Value::Bytes(self.data(frame, &args[0])?.into_iter().rev().collect()),
            Builtin::Abs => Value::Int(self.int(frame, &args[0])?.abs()),
            Builtin::Min => Value::Int(self.int(frame, &args[0])?.min(self.int(frame, &args[1])?)),
            Builtin::Max => Value::Int(self.int(frame, &args[0])?.max(self.int(frame, &args[1])?)),
            Builtin::Within => {
                let x = self.int(frame, &args[0])?;
                let (low, high) = (self.int(frame, &args[1])?, self.int(frame, &args[2])?);
                flag(low <= x && x < high)
            }
            Builtin::Prefix => {
                let data = self.data(frame, &args[0])?;
                Value::Bytes(data[..self.index(frame, &args[1], &data)?].to_vec())
            }
            Builtin::Suffix => {
                let data = self.data(frame, &args[0])?;
                Value::Bytes(data[self.index(frame, &args[1], &data)?..].to_vec())
            }
            Builtin::Slice => {
                let data = self.data(frame, &args[0])?;
                let to = self.index(frame, &args[2], &data)?;
                let from = self.index(frame, &args[1], &data[..to])?;
                Value::Bytes(data[from..to].to_vec())
            }
            Builtin::ToBytes => {
                let n = self.int(frame, &args[0])?;
                let len = usize::try_from(self.int(frame, &args[1])?).map_err(|_| Fails::Value)?;
                Value::Bytes(wide(&n, len)?)
            }
            Builtin::ToInt => Value::Int(narrow(&self.data(frame, &args[0])?)),
            _ => unreachable!(),
        })
    }
}

fn part_at<'v>(whole: &'v mut Value, way: &[usize]) -> Option<&'v mut Value> {
    way.iter().try_fold(whole, |value, at| match value {
        Value::Parts(parts) => parts.get_mut(*at),
        other => panic!("{other:?} has no parts"),
    })
}

fn number(value: Value) -> IBig {
    match value {
        Value::Int(n) => n,
        other => panic!("{other:?} is no number"),
    }
}

fn flag(value: bool) -> Value {
    Value::Int(IBig::from(i8::from(value)))
}

/// Rounded toward zero, without relying on the division under test.
fn quotient(a: &IBig, b: &IBig) -> IBig {
    let magnitude = IBig::from(a.clone().unsigned_abs() / b.clone().unsigned_abs());
    if a.is_negative() == b.is_negative() { magnitude } else { -magnitude }
}

fn wide(n: &IBig, len: usize) -> Result<Vec<u8>, Fails> {
    let mut out = n.clone().unsigned_abs().to_le_bytes().to_vec();
    while out.last() == Some(&0) {
        out.pop();
    }
    let needed = out.len() + usize::from(out.last().is_some_and(|top| top & 0x80 != 0));
    if needed > len {
        return Err(Fails::Value);
    }
    out.resize(len, 0);
    if n.is_negative() {
        *out.last_mut().unwrap() |= 0x80;
    }
    Ok(out)
}

fn narrow(data: &[u8]) -> IBig {
    let Some((last, head)) = data.split_last() else { return IBig::ZERO };
    let mut magnitude = head.to_vec();
    magnitude.push(last & 0x7f);
    let n = magnitude.iter().rev().fold(IBig::ZERO, |n, byte| n * 256 + IBig::from(*byte));
    if last & 0x80 == 0 { n } else { -n }
}
