//! Random programs: the machine accepts what a direct evaluation of the typed program accepts, and nothing else.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic, its helpers too")]

mod support;

use std::collections::BTreeMap;

use analysis::hir::{BinaryOp, Block, Builtin, Condition, Expr, ExprKind, ItemKind, Stmt, StmtKind, Type, UnaryOp};
use dashu_base::{Abs, Signed, UnsignedAbs};
use dashu_int::IBig;
use proptest::prelude::*;
use spec::artifact::AbiValue;
use support::*;

/// A value of the direct evaluation.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Int(IBig),
    Bytes(Vec<u8>),
}

/// A computation that the machine would refuse, if it needs it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fails {
    /// It needs it.
    Surely,
    /// It chooses between things that may be the same, and then nobody asks.
    Perhaps,
}

type Outcome = Result<Value, Fails>;

struct Evaluator {
    args: Vec<Value>,
    locals: Vec<Outcome>,
    /// Something failed that the machine may need or not: variables are lazy, but not across branches.
    unsure: bool,
}

impl Evaluator {
    /// Whether every check holds.
    fn block(&mut self, block: &Block) -> Result<(), Fails> {
        for stmt in &block.stmts {
            match &stmt.kind {
                StmtKind::Let { local, value } | StmtKind::Assign { local, value, .. } => {
                    self.locals[local.index()] = self.eval(value);
                    self.unsure |= self.locals[local.index()].is_err();
                }
                StmtKind::Require { condition: Condition::Holds(condition), .. } => {
                    if !self.truth(condition)? {
                        return Err(Fails::Surely);
                    }
                }
                StmtKind::If { condition, then, otherwise } => match self.truth(condition) {
                    Ok(true) => self.block(then)?,
                    Ok(false) => self.block(otherwise)?,
                    Err(_) => return Err(Fails::Perhaps),
                },
                StmtKind::For { index, from, to, rounds_max, body } => {
                    let bounds = (self.int(from), self.int(to));
                    let (Ok(mut now), Ok(to)) = bounds else { return Err(Fails::Perhaps) };
                    if &to - &now > IBig::from(*rounds_max) {
                        return Err(Fails::Surely);
                    }
                    while now < to {
                        self.locals[index.index()] = Ok(Value::Int(now.clone()));
                        self.block(body)?;
                        now += 1;
                    }
                }
                StmtKind::While { condition, rounds_max, body } => {
                    let mut left = *rounds_max;
                    while self.truth(condition).map_err(|_| Fails::Perhaps)? {
                        left = left.checked_sub(1).ok_or(Fails::Surely)?;
                        self.block(body)?;
                    }
                }
                _ => unreachable!(),
            }
        }
        Ok(())
    }

    fn truth(&self, expr: &Expr) -> Result<bool, Fails> {
        Ok(self.int(expr)? != IBig::ZERO)
    }

    fn int(&self, expr: &Expr) -> Result<IBig, Fails> {
        match self.eval(expr)? {
            Value::Int(n) => Ok(n),
            Value::Bytes(data) => panic!("{data:?} is no number"),
        }
    }

    fn data(&self, expr: &Expr) -> Result<Vec<u8>, Fails> {
        match self.eval(expr)? {
            Value::Bytes(data) => Ok(data),
            Value::Int(n) => panic!("{n} is no string of bytes"),
        }
    }

    fn index(&self, expr: &Expr, data: &[u8]) -> Result<usize, Fails> {
        usize::try_from(self.int(expr)?).ok().filter(|at| *at <= data.len()).ok_or(Fails::Surely)
    }

    fn eval(&self, expr: &Expr) -> Outcome {
        Ok(match &expr.kind {
            ExprKind::Int(n) => Value::Int(n.clone()),
            ExprKind::Bool(truth) => Value::Int(IBig::from(i8::from(*truth))),
            ExprKind::Bytes(data) => Value::Bytes(data.clone()),
            ExprKind::Arg(arg) => self.args[arg.index()].clone(),
            ExprKind::Local(local) => self.locals[local.index()].clone()?,
            ExprKind::Unary { op, operand } => match op {
                UnaryOp::Neg => Value::Int(-self.int(operand)?),
                UnaryOp::Not => flag(!self.truth(operand)?),
                UnaryOp::BitNot => Value::Bytes(self.data(operand)?.iter().map(|byte| !byte).collect()),
            },
            ExprKind::Binary { op, left, right } => self.binary(*op, left, right)?,
            ExprKind::If { condition, then, otherwise } => {
                let truth = self.truth(condition).map_err(|_| Fails::Perhaps)?;
                let taken = if truth { then } else { otherwise };
                self.eval(taken.value.as_ref().unwrap())?
            }
            ExprKind::Builtin { builtin, args } => self.builtin(*builtin, args)?,
            _ => unreachable!(),
        })
    }

    fn binary(&self, op: BinaryOp, left: &Expr, right: &Expr) -> Outcome {
        if let BinaryOp::Concat | BinaryOp::Equal(ItemKind::Bytes) | BinaryOp::NotEqual(ItemKind::Bytes) = op {
            let (a, b) = (self.data(left)?, self.data(right)?);
            return Ok(match op {
                BinaryOp::Concat => Value::Bytes([a, b].concat()),
                BinaryOp::Equal(_) => flag(a == b),
                _ => flag(a != b),
            });
        }
        let (a, b) = (self.int(left)?, self.int(right)?);
        let zero = IBig::ZERO;
        Ok(match op {
            BinaryOp::Add => Value::Int(a + b),
            BinaryOp::Sub => Value::Int(a - b),
            BinaryOp::Mul => Value::Int(a * b),
            BinaryOp::Div | BinaryOp::Mod if b == zero => return Err(Fails::Surely),
            BinaryOp::Div => Value::Int(quotient(&a, &b)),
            BinaryOp::Mod => Value::Int(&a - quotient(&a, &b) * &b),
            BinaryOp::Equal(_) => flag(a == b),
            BinaryOp::NotEqual(_) => flag(a != b),
            BinaryOp::Less => flag(a < b),
            BinaryOp::LessEqual => flag(a <= b),
            BinaryOp::Greater => flag(a > b),
            BinaryOp::GreaterEqual => flag(a >= b),
            BinaryOp::And => flag(a != zero && b != zero),
            BinaryOp::Or => flag(a != zero || b != zero),
            _ => unreachable!(),
        })
    }

    fn builtin(&self, builtin: Builtin, args: &[Expr]) -> Outcome {
        Ok(match builtin {
            Builtin::Size => Value::Int(self.data(&args[0])?.len().into()),
            Builtin::Sha256 => Value::Bytes(spec::hash::sha256(&self.data(&args[0])?).to_vec()),
            Builtin::Hash160 => Value::Bytes(spec::hash::hash160(&self.data(&args[0])?).to_vec()),
            Builtin::Reverse => Value::Bytes(self.data(&args[0])?.into_iter().rev().collect()),
            Builtin::Abs => Value::Int(self.int(&args[0])?.abs()),
            Builtin::Min => Value::Int(self.int(&args[0])?.min(self.int(&args[1])?)),
            Builtin::Max => Value::Int(self.int(&args[0])?.max(self.int(&args[1])?)),
            Builtin::Within => {
                let (x, low, high) = (self.int(&args[0])?, self.int(&args[1])?, self.int(&args[2])?);
                flag(low <= x && x < high)
            }
            Builtin::Prefix => {
                let data = self.data(&args[0])?;
                Value::Bytes(data[..self.index(&args[1], &data)?].to_vec())
            }
            Builtin::Suffix => {
                let data = self.data(&args[0])?;
                Value::Bytes(data[self.index(&args[1], &data)?..].to_vec())
            }
            Builtin::Slice => {
                let data = self.data(&args[0])?;
                let to = self.index(&args[2], &data)?;
                let from = self.index(&args[1], &data[..to])?;
                Value::Bytes(data[from..to].to_vec())
            }
            Builtin::ToBytes => {
                let (n, len) = (self.int(&args[0])?, usize::try_from(self.int(&args[1])?).map_err(|_| Fails::Surely)?);
                Value::Bytes(wide(&n, len)?)
            }
            Builtin::ToInt => Value::Int(narrow(&self.data(&args[0])?)),
            _ => unreachable!(),
        })
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
        return Err(Fails::Surely);
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

/// Draws programs.
struct Draw {
    seed: u64,
    locals: Vec<Type>,
    in_scope: Vec<usize>,
    /// Variables that count rounds: nothing else assigns them.
    counters: Vec<usize>,
}

const ARGS: [Type; 5] = [Type::Int, Type::Int, Type::Bytes, Type::Bool, Type::Bytes];
const TYPES: [Type; 3] = [Type::Int, Type::Bool, Type::Bytes];

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) as usize % n
    }

    fn boxed(&mut self, ty: Type, depth: usize) -> Expr {
        self.expr(ty, depth.saturating_sub(1))
    }

    fn leaf(&mut self, ty: Type) -> Expr {
        let known: Vec<usize> = self.in_scope.iter().copied().filter(|at| self.locals[*at] == ty).collect();
        if !known.is_empty() && self.below(2) == 0 {
            let at = self.below(known.len());
            return local(known[at], ty);
        }
        if self.below(3) > 0 {
            let fitting: Vec<usize> = (0..ARGS.len()).filter(|at| ARGS[*at] == ty).collect();
            return arg(fitting[self.below(fitting.len())], ty);
        }
        match ty {
            Type::Int => int([0, 1, -1, 2, 3, 7, 16, 17, 100, 255, 256, -5, 1000][self.below(13)]),
            Type::Bool => truth(self.below(2) == 0),
            _ => bytes(&[1, 2, 3, 4, 5, 6, 7, 8][..self.below(9)]),
        }
    }

    fn expr(&mut self, ty: Type, depth: usize) -> Expr {
        if depth == 0 {
            return self.leaf(ty);
        }
        if self.below(8) == 0 {
            let condition = Box::new(self.boxed(Type::Bool, depth));
            let then = Block { stmts: vec![], value: Some(Box::new(self.boxed(ty.clone(), depth))) };
            let otherwise = Block { stmts: vec![], value: Some(Box::new(self.boxed(ty.clone(), depth))) };
            return expr(ExprKind::If { condition, then, otherwise }, ty);
        }
        match ty {
            Type::Int => self.number(depth),
            Type::Bool => self.truth(depth),
            _ => self.data(depth),
        }
    }

    fn number(&mut self, depth: usize) -> Expr {
        let choice = self.below(13);
        match choice {
            0..=7 => {
                let op = [
                    BinaryOp::Add,
                    BinaryOp::Add,
                    BinaryOp::Sub,
                    BinaryOp::Sub,
                    BinaryOp::Mul,
                    BinaryOp::Mul,
                    BinaryOp::Div,
                    BinaryOp::Mod,
                ][choice];
                binary(op, self.boxed(Type::Int, depth), self.boxed(Type::Int, depth), Type::Int)
            }
            8 => unary(UnaryOp::Neg, self.boxed(Type::Int, depth), Type::Int),
            9 => builtin(Builtin::Abs, vec![self.boxed(Type::Int, depth)], Type::Int),
            10 => {
                let which = if self.below(2) == 0 { Builtin::Min } else { Builtin::Max };
                builtin(which, vec![self.boxed(Type::Int, depth), self.boxed(Type::Int, depth)], Type::Int)
            }
            11 => builtin(Builtin::Size, vec![self.boxed(Type::Bytes, depth)], Type::Int),
            _ => builtin(Builtin::ToInt, vec![self.boxed(Type::Bytes, depth)], Type::Int),
        }
    }

    fn truth(&mut self, depth: usize) -> Expr {
        use ItemKind::{Bytes, Number};
        let comparisons = [
            BinaryOp::Equal(Number),
            BinaryOp::NotEqual(Number),
            BinaryOp::Less,
            BinaryOp::LessEqual,
            BinaryOp::Greater,
            BinaryOp::GreaterEqual,
        ];
        match self.below(11) {
            at @ 0..=5 => {
                binary(comparisons[at], self.boxed(Type::Int, depth), self.boxed(Type::Int, depth), Type::Bool)
            }
            6 => unary(UnaryOp::Not, self.boxed(Type::Bool, depth), Type::Bool),
            7 => {
                let op = if self.below(2) == 0 { BinaryOp::And } else { BinaryOp::Or };
                binary(op, self.boxed(Type::Bool, depth), self.boxed(Type::Bool, depth), Type::Bool)
            }
            8 => {
                let args = (0..3).map(|_| self.boxed(Type::Int, depth)).collect();
                builtin(Builtin::Within, args, Type::Bool)
            }
            9 => binary(
                BinaryOp::Equal(Bytes),
                self.boxed(Type::Bytes, depth),
                self.boxed(Type::Bytes, depth),
                Type::Bool,
            ),
            _ => binary(
                BinaryOp::NotEqual(Bytes),
                self.boxed(Type::Bytes, depth),
                self.boxed(Type::Bytes, depth),
                Type::Bool,
            ),
        }
    }

    fn data(&mut self, depth: usize) -> Expr {
        let inner = self.boxed(Type::Bytes, depth);
        let at = self.below(4) as i64;
        match self.below(9) {
            0 | 1 => binary(BinaryOp::Concat, inner, self.boxed(Type::Bytes, depth), Type::Bytes),
            2 => builtin(Builtin::Prefix, vec![inner, int(at)], Type::Bytes),
            3 => builtin(Builtin::Suffix, vec![inner, int(at)], Type::Bytes),
            4 => builtin(Builtin::Slice, vec![inner, int(at), int(at + 2)], Type::Bytes),
            5 => builtin(Builtin::Reverse, vec![inner], Type::Bytes),
            6 => builtin(Builtin::Sha256, vec![inner], Type::Bytes),
            7 => builtin(Builtin::Hash160, vec![inner], Type::Bytes),
            _ => builtin(Builtin::ToBytes, vec![self.boxed(Type::Int, depth), int(9 + at)], Type::Bytes),
        }
    }

    fn new_local(&mut self, ty: Type) -> usize {
        self.locals.push(ty);
        self.locals.len() - 1
    }

    fn block(&mut self, count: usize, nesting: usize) -> Block {
        let scope = self.in_scope.len();
        let stmts = (0..count).map(|_| self.stmt(nesting)).collect();
        self.in_scope.truncate(scope);
        Block { stmts, value: None }
    }

    fn stmt(&mut self, nesting: usize) -> Stmt {
        match self.below(if nesting > 0 { 10 } else { 6 }) {
            0..=2 => {
                let ty = TYPES[self.below(3)].clone();
                let value = self.expr(ty.clone(), 2);
                let at = self.new_local(ty);
                self.in_scope.push(at);
                stmt(StmtKind::Let { local: analysis::hir::LocalId::new(at), value })
            }
            3 | 4 if !self.in_scope.is_empty() => {
                let chosen = self.below(self.in_scope.len());
                let at = self.in_scope[chosen];
                if self.counters.contains(&at) {
                    return self.stmt(nesting);
                }
                let value = self.expr(self.locals[at].clone(), 2);
                stmt(StmtKind::Assign { local: analysis::hir::LocalId::new(at), place: vec![], value })
            }
            3..=5 => {
                // Two sides that are often true together.
                let condition = self.expr(Type::Bool, 2);
                let likely = binary(BinaryOp::Or, condition, self.expr(Type::Bool, 1), Type::Bool);
                require(likely, "a check")
            }
            8 => self.counted(nesting),
            9 => self.conditional(nesting),
            _ => {
                let condition = self.expr(Type::Bool, 2);
                let (a, b) = (self.below(4), self.below(3));
                let then = self.block(a, nesting - 1);
                let otherwise = self.block(b, nesting - 1);
                stmt(StmtKind::If { condition, then, otherwise })
            }
        }
    }
}

impl Draw {
    fn counter(&mut self) -> usize {
        let at = self.new_local(Type::Int);
        self.counters.push(at);
        at
    }

    /// A `for` from one small number to another, known or not.
    fn counted(&mut self, nesting: usize) -> Stmt {
        let index = self.counter();
        let first = self.below(3) as i64 - 1;
        let (from, to) = match self.below(3) {
            0 => (int(first), int(first + self.below(4) as i64)),
            1 => {
                let some = builtin(Builtin::Size, vec![self.expr(Type::Bytes, 1)], Type::Int);
                (int(first), builtin(Builtin::Min, vec![some, int(2)], Type::Int))
            }
            _ => {
                let from = self.expr(Type::Int, 1);
                (from.clone(), binary(BinaryOp::Add, from, int(self.below(4) as i64), Type::Int))
            }
        };
        let scope = self.in_scope.len();
        self.in_scope.push(index);
        let count = 1 + self.below(3);
        let body = self.block(count, nesting - 1);
        self.in_scope.truncate(scope);
        let rounds_max = 2 + self.below(3) as u32;
        let known = matches!((&from.kind, &to.kind), (ExprKind::Int(_), ExprKind::Int(_)));
        let rounds_max = if known { 10 } else { rounds_max };
        stmt(StmtKind::For { index: analysis::hir::LocalId::new(index), from, to, rounds_max, body })
    }

    /// A `while` that usually ends, because it counts as well.
    fn conditional(&mut self, nesting: usize) -> Stmt {
        let counter = self.counter();
        let id = analysis::hir::LocalId::new(counter);
        let scope = self.in_scope.len();
        self.in_scope.push(counter);
        let end = int(self.below(4) as i64);
        let goes_on = binary(BinaryOp::Less, local(counter, Type::Int), end, Type::Bool);
        let more = self.expr(Type::Bool, 1);
        let op = if self.below(4) == 0 { BinaryOp::Or } else { BinaryOp::And };
        let condition = if self.below(3) == 0 { goes_on } else { binary(op, goes_on, more, Type::Bool) };
        let count = 1 + self.below(3);
        let mut body = self.block(count, nesting - 1);
        let next = binary(BinaryOp::Add, local(counter, Type::Int), int(1), Type::Int);
        body.stmts.push(stmt(StmtKind::Assign { local: id, place: vec![], value: next }));
        self.in_scope.truncate(scope);
        let rounds = stmt(StmtKind::While { condition, rounds_max: 1 + self.below(4) as u32, body });
        let start = stmt(StmtKind::Let { local: id, value: int(0) });
        // Both as one statement.
        let then = Block { stmts: vec![start, rounds], value: None };
        stmt(StmtKind::If { condition: truth(true), then, otherwise: Block::default() })
    }
}

fn arguments(draw: &mut Draw) -> (Vec<Value>, BTreeMap<String, AbiValue>) {
    let mut values = Vec::new();
    let mut named = BTreeMap::new();
    for (at, ty) in ARGS.into_iter().enumerate() {
        let (value, item) = match ty {
            Type::Int => {
                let n = [0, 1, -1, 2, 5, 17, -300, 70_000][draw.below(8)];
                (Value::Int(n.into()), AbiValue::int(n))
            }
            Type::Bool => {
                let n = draw.below(2) as i64;
                (Value::Int(n.into()), AbiValue::int(n))
            }
            _ => {
                let data = vec![0x81, 2, 3, 0x80, 0, 6][..draw.below(7)].to_vec();
                (Value::Bytes(data.clone()), AbiValue::Item(data))
            }
        };
        named.insert(format!("a{at}"), item);
        values.push(value);
    }
    (values, named)
}

/// Compiles a random program, and runs it with random arguments against the direct evaluation.
fn check(seed: u64, size: usize) {
    let mut draw = Draw { seed, locals: vec![], in_scope: vec![], counters: vec![] };
    let mut stmts = draw.block(size, 2).stmts;
    // Some checks on values that are computed from variables of every kind.
    let at_end: Vec<usize> = (0..draw.locals.len()).collect();
    draw.in_scope = stmts
        .iter()
        .filter_map(|stmt| match &stmt.kind {
            StmtKind::Let { local, .. } => at_end.get(local.index()).copied(),
            _ => None,
        })
        .collect();
    let last = draw.expr(Type::Bool, 3);
    stmts.push(require(last, "the last check"));
    let params = ARGS.iter().enumerate().map(|(at, ty)| param(&format!("a{at}"), ty.clone())).collect();
    let program = contract(vec![], vec![path("spend", params, draw.locals.clone(), stmts)]);
    let artifact = compile(&program, &[]);
    for _ in 0..4 {
        let (values, args) = arguments(&mut draw);
        let mut evaluator =
            Evaluator { args: values, locals: vec![Err(Fails::Surely); draw.locals.len()], unsure: false };
        let expected = match evaluator.block(&program.paths[0].body) {
            Ok(()) if evaluator.unsure => continue,
            Ok(()) => true,
            Err(Fails::Surely) => false,
            Err(Fails::Perhaps) => continue,
        };
        let spend = Spend { args: args.clone(), ..Spend::new(&artifact, "spend") };
        let outcome = spend.run();
        assert_eq!(outcome.is_ok(), expected, "{outcome:?}\nseed {seed} size {size}\n{args:?}\n{}", artifact.asm);
        if let (Ok(cost), Some(bound)) = (outcome, artifact.paths[0].cost_bound) {
            assert!(cost <= bound, "cost {cost} above its bound {bound}: {}", artifact.asm);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_machine_agrees_with_a_direct_evaluation(seed in any::<u64>(), size in 0usize..9) {
        check(seed, size);
    }
}

#[test]
fn about_half_of_the_random_programs_accept() {
    let mut accepted = 0;
    for seed in 0..200 {
        let mut draw = Draw { seed, locals: vec![], in_scope: vec![], counters: vec![] };
        let stmts = draw.block(4, 2).stmts;
        let body = Block { stmts, value: None };
        let (args, _) = arguments(&mut draw);
        let mut evaluator = Evaluator { args, locals: vec![Err(Fails::Surely); draw.locals.len()], unsure: false };
        accepted += usize::from(evaluator.block(&body).is_ok());
    }
    assert!((40..190).contains(&accepted), "{accepted} of 200: the property would test too little");
}
