//! Expressions of plans.

use analysis::hir::{self, Arm, BinaryOp, Block, Builtin, ExprKind, Type, UnaryOp};
use spec::artifact::AbiType;
use spec::plan::{Expr, FieldOf, IfOf, Op, Typed, VariantOf};
use syntax::Loc;

use super::frame::Frame;
use super::{Lower, Lowered, NODES_MAX, STEPS_MAX, abi, cannot};

impl<'p> Lower<'p> {
    /// The expression as wallets evaluate it.
    pub(super) fn value(&mut self, expr: &'p hir::Expr, frame: &Frame<'p>) -> Lowered<Expr> {
        self.count(1, &expr.loc)?;
        self.deeper(&expr.loc)?;
        let value = self.step(expr, frame);
        self.depth -= 1;
        value
    }

    /// Goes one step down. A mistake ends the whole plan, so only success comes back up.
    pub(super) fn deeper(&mut self, loc: &Loc) -> Lowered<()> {
        self.depth += 1;
        if self.depth > STEPS_MAX { Err(cannot("hold operations that nest so deep", loc)) } else { Ok(()) }
    }

    fn step(&mut self, expr: &'p hir::Expr, frame: &Frame<'p>) -> Lowered<Expr> {
        Ok(match &expr.kind {
            ExprKind::Int(n) => match i64::try_from(n) {
                Ok(n) => Expr::Int(n),
                Err(_) => return Err(cannot("hold a number of more than 63 bits", &expr.loc)),
            },
            ExprKind::Bool(truth) => Expr::Bool(*truth),
            ExprKind::Bytes(bytes) => Expr::Bytes(bytes.clone()),
            ExprKind::Arg(arg) => match frame.arg(arg.index()) {
                Some(bound) => self.copy(&bound.clone(), &expr.loc)?,
                None => self.plan_arg(arg.index(), &expr.ty, frame, &expr.loc)?,
            },
            ExprKind::Local(local) => match frame.local(*local) {
                Some(bound) => self.copy(&bound.clone(), &expr.loc)?,
                // In the plan itself a variable is what `let` named.
                None => Expr::Local(local.index()),
            },
            ExprKind::Call { function, args, .. } => self.call(*function, args, frame, &expr.loc)?,
            ExprKind::Unary { op, operand } => {
                let operand = self.value(operand, frame)?;
                match op {
                    UnaryOp::Neg => Expr::op(Op::Neg, [operand]),
                    UnaryOp::Not => Expr::op(Op::Not, [operand]),
                    UnaryOp::BitNot => return Err(cannot("compute with single bits", &expr.loc)),
                }
            }
            ExprKind::Binary { op, left, right } => self.binary(*op, left, right, frame, &expr.loc)?,
            ExprKind::If { condition, then, otherwise } => {
                let condition = self.value(condition, frame)?;
                let (then, otherwise) = (self.block(then, frame, &expr.loc)?, self.block(otherwise, frame, &expr.loc)?);
                Expr::If(Box::new(IfOf { condition, then, otherwise }))
            }
            ExprKind::Builtin { builtin, args } => self.builtin(*builtin, args, &expr.ty, frame)?,
            ExprKind::Tuple(parts) => Expr::Parts(self.all(parts, frame)?),
            ExprKind::Element { base, index } => {
                let part = field(self.value(base, frame)?, *index);
                self.part(part, &expr.ty, &expr.loc)?
            }
            ExprKind::Index { base, index } => {
                let part = Expr::op(Op::Index, [self.value(base, frame)?, self.value(index, frame)?]);
                self.part(part, &expr.ty, &expr.loc)?
            }
            ExprKind::Variant { variant, fields } => {
                Expr::Variant(VariantOf { variant: *variant, fields: self.all(fields, frame)? })
            }
            ExprKind::Is { value, variant } => is_variant(self.value(value, frame)?, *variant),
            ExprKind::Payload { value, index, .. } => {
                let part = field(self.value(value, frame)?, *index);
                self.part(part, &expr.ty, &expr.loc)?
            }
            ExprKind::Match { value, arms } => self.choice(value, arms, frame, &expr.loc)?,
            ExprKind::Block(block) => self.block(block, frame, &expr.loc)?,
            ExprKind::Param(_) | ExprKind::Introspect { .. } => {
                return Err(cannot("read the transaction that it makes", &expr.loc));
            }
            ExprKind::Signed { .. } | ExprKind::DataSigned { .. } | ExprKind::Threshold { .. } => {
                return Err(cannot("check a signature", &expr.loc));
            }
            ExprKind::Asm { .. } => return Err(cannot("run instructions", &expr.loc)),
        })
    }

    pub(super) fn all(&mut self, values: &'p [hir::Expr], frame: &Frame<'p>) -> Lowered<Vec<Expr>> {
        values.iter().map(|value| self.value(value, frame)).collect()
    }

    /// Counts expressions that are made, so that copies of copies do not grow without bound.
    pub(super) fn count(&mut self, nodes: usize, loc: &Loc) -> Lowered<()> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > NODES_MAX { Err(cannot("hold so many operations", loc)) } else { Ok(()) }
    }

    fn plan_arg(&mut self, arg: usize, ty: &Type, frame: &Frame<'p>, loc: &Loc) -> Lowered<Expr> {
        let plan = self.plan;
        let value = match arg.checked_sub(plan.args.len()) {
            None => Expr::Arg(arg),
            Some(read) => {
                let read = plan.reads.get(read).ok_or_else(|| cannot("read this", loc))?;
                self.read(read, frame)?
            }
        };
        read_as(ty, value, loc)
    }

    /// A part of a composite. Tables inside of others come in parts and not as the bytes that they are elsewhere.
    fn part(&mut self, part: Expr, ty: &Type, loc: &Loc) -> Lowered<Expr> {
        match ty {
            Type::Table(..) => Err(cannot("read a table that lies inside of another value", loc)),
            _ => Ok(part),
        }
    }

    /// The value of a block inside of an expression.
    fn block(&mut self, block: &'p Block, frame: &Frame<'p>, loc: &Loc) -> Lowered<Expr> {
        if super::frame::changes_outer(block) {
            return Err(cannot("change a variable or give a result back inside of a value", loc));
        }
        self.body(block, frame.inner(), loc)
    }

    /// The value of the first arm that fits.
    fn choice(&mut self, value: &'p hir::Expr, arms: &'p [Arm], frame: &Frame<'p>, loc: &Loc) -> Lowered<Expr> {
        let value = self.bound(value, frame)?;
        let mut chosen: Option<Expr> = None;
        for arm in arms.iter().rev() {
            if super::frame::changes_outer(&arm.body) {
                return Err(cannot("change a variable or give a result back inside of a value", loc));
            }
            let inner = self.arm_frame(&value, arm, frame.inner(), loc)?;
            let body = self.body(&arm.body, inner, loc)?;
            chosen = Some(match (arm.variant, chosen) {
                (Some(variant), Some(otherwise)) => {
                    let condition = is_variant(self.copy(&value, loc)?, variant);
                    Expr::If(Box::new(IfOf { condition, then: body, otherwise }))
                }
                // The last arm fits whatever is left.
                _ => body,
            });
        }
        chosen.ok_or_else(|| cannot("choose among no cases", loc))
    }

    fn binary(
        &mut self,
        op: BinaryOp,
        left: &'p hir::Expr,
        right: &'p hir::Expr,
        frame: &Frame<'p>,
        loc: &Loc,
    ) -> Lowered<Expr> {
        let mut both = [self.value(left, frame)?, self.value(right, frame)?];
        let truths = (left.ty == Type::Bool, right.ty == Type::Bool);
        if matches!(op, BinaryOp::Equal(_) | BinaryOp::NotEqual(_)) {
            both = match (truths, both) {
                ((true, false), [left, right]) => [Expr::op(Op::Truth, [left]), right],
                ((false, true), [left, right]) => [left, Expr::op(Op::Truth, [right])],
                (_, both) => both,
            };
        }
        let op = match op {
            BinaryOp::Add => Op::Add,
            BinaryOp::Sub => Op::Sub,
            BinaryOp::Mul => Op::Mul,
            BinaryOp::Div => Op::Div,
            BinaryOp::Mod => Op::Mod,
            BinaryOp::Equal(_) => Op::Eq,
            BinaryOp::NotEqual(_) => Op::Ne,
            BinaryOp::Less => Op::Lt,
            BinaryOp::LessEqual => Op::Le,
            BinaryOp::Greater => Op::Gt,
            BinaryOp::GreaterEqual => Op::Ge,
            BinaryOp::And => Op::And,
            BinaryOp::Or => Op::Or,
            BinaryOp::Concat => Op::Cat,
            BinaryOp::BitAnd
            | BinaryOp::BitOr
            | BinaryOp::BitXor
            | BinaryOp::ShiftLeft(_)
            | BinaryOp::ShiftRight(_) => return Err(cannot("compute with single bits", loc)),
        };
        Ok(chained(op, both))
    }

    fn builtin(&mut self, builtin: Builtin, args: &'p [hir::Expr], ty: &Type, frame: &Frame<'p>) -> Lowered<Expr> {
        let mut values = self.all(args, frame)?;
        let op = match builtin {
            Builtin::Sha256 => Op::Sha256,
            Builtin::Sha1 => Op::Sha1,
            Builtin::Ripemd160 => Op::Ripemd160,
            Builtin::Hash160 => Op::Hash160,
            Builtin::Hash256 => Op::Hash256,
            Builtin::Size => Op::Len,
            Builtin::Prefix => {
                values.insert(1, Expr::Int(0));
                Op::Slice
            }
            Builtin::Suffix => {
                if let (Some(arg), Some(bytes)) = (args.first(), values.first()) {
                    let bytes = bytes.clone();
                    self.count(nodes(&bytes), &arg.loc)?;
                    values.push(Expr::op(Op::Len, [bytes]));
                }
                Op::Slice
            }
            Builtin::Slice => Op::Slice,
            Builtin::ToBytes => Op::ToBytes,
            Builtin::ToInt => Op::ToInt,
            Builtin::Reverse => Op::Reverse,
            Builtin::Abs => Op::Abs,
            Builtin::Min => Op::Min,
            Builtin::Max => Op::Max,
            Builtin::LockP2pkh => Op::PayKeyHash,
            Builtin::LockP2sh32 => Op::PayScriptHash,
            Builtin::Within => return self.within(args, values),
            Builtin::Cast => return Ok(cast(args.first().map(|arg| &arg.ty), ty, values)),
            Builtin::AgeUnits => return Ok(age_units(values)),
        };
        Ok(Expr::Op(op, values))
    }

    fn within(&mut self, args: &'p [hir::Expr], values: Vec<Expr>) -> Lowered<Expr> {
        let [x, low, high] = <[Expr; 3]>::try_from(values).unwrap_or_else(|_| [0, 0, 0].map(Expr::Int));
        if let Some(arg) = args.first() {
            self.count(nodes(&x), &arg.loc)?;
        }
        let at_least = Expr::op(Op::Ge, [x.clone(), low]);
        Ok(Expr::op(Op::And, [at_least, Expr::op(Op::Lt, [x, high])]))
    }
}

/// The same value with another type.
fn cast(from: Option<&Type>, ty: &Type, mut values: Vec<Expr>) -> Expr {
    let value = values.pop().unwrap_or(Expr::Int(0));
    match from {
        Some(Type::Bool) if ty.is_number() => Expr::op(Op::Truth, [value]),
        Some(from) if from.is_number() && *ty == Type::Bool => Expr::op(Op::Ne, [value, Expr::Int(0)]),
        Some(from) if from.is_number() && ty.is_bytes() => Expr::op(Op::Encode, [value]),
        Some(from) if from.is_bytes() && ty.is_number() => Expr::op(Op::ToInt, [value]),
        _ => value,
    }
}

fn age_units(mut values: Vec<Expr>) -> Expr {
    let value = values.pop().unwrap_or(Expr::Int(0));
    let up = Expr::op(Op::Add, [value, Expr::Int(511)]);
    Expr::op(Op::Add, [Expr::Int(1 << 22), Expr::op(Op::Div, [up, Expr::Int(512)])])
}

/// Two values under an operator; of several like it that follow each other one operation is made, so that long sums
/// do not nest.
fn chained(op: Op, [left, right]: [Expr; 2]) -> Expr {
    match left {
        Expr::Op(first, mut parts) if first == op && matches!(op, Op::Add | Op::Mul | Op::Cat | Op::And | Op::Or) => {
            parts.push(right);
            Expr::Op(op, parts)
        }
        left => Expr::op(op, [left, right]),
    }
}

/// A value that comes from outside: a table as the bytes that scripts see.
fn read_as(ty: &Type, value: Expr, loc: &Loc) -> Lowered<Expr> {
    Ok(match ty {
        Type::Table(..) => Expr::Item(Typed { ty: abi(ty, loc)?, value: Box::new(value) }),
        _ => value,
    })
}

/// A value as it leaves for a wallet: a table in parts.
pub(super) fn given_as(ty: &AbiType, value: Expr) -> Expr {
    match (ty, value) {
        (AbiType::Table(..), Expr::Item(read)) if read.ty == *ty => *read.value,
        (AbiType::Table(..), bytes) => Expr::Load(Typed { ty: ty.clone(), value: Box::new(bytes) }),
        (_, value) => value,
    }
}

/// How many expressions one consists of.
pub(super) fn nodes(expr: &Expr) -> usize {
    let all = |parts: &[Expr]| parts.iter().map(nodes).sum::<usize>();
    1 + match expr {
        Expr::Lock(of) => all(&of.args),
        Expr::Variant(of) => all(&of.fields),
        Expr::Parts(parts) | Expr::Op(_, parts) => all(parts),
        Expr::Fact(of) => of.coin.as_ref().map_or(0, |coin| nodes(coin)),
        Expr::Field(of) => nodes(&of.of),
        Expr::If(of) => nodes(&of.condition) + nodes(&of.then) + nodes(&of.otherwise),
        Expr::Map(of) => nodes(&of.list) + nodes(&of.value),
        Expr::Check(of) => nodes(&of.condition) + nodes(&of.of),
        Expr::Store(of) | Expr::Load(of) | Expr::Item(of) => nodes(&of.value),
        Expr::At(of) => nodes(&of.of),
        Expr::Int(_)
        | Expr::Bool(_)
        | Expr::Bytes(_)
        | Expr::Fee
        | Expr::Wallet
        | Expr::Arg(_)
        | Expr::Local(_)
        | Expr::Param(_)
        | Expr::Coins(_)
        | Expr::Output(_) => 0,
    }
}

pub(super) fn field(of: Expr, field: usize) -> Expr {
    match of {
        Expr::Parts(parts) if field < parts.len() => parts.into_iter().nth(field).unwrap_or(Expr::Int(0)),
        of => Expr::Field(FieldOf { of: Box::new(of), field }),
    }
}

pub(super) fn is_variant(value: Expr, variant: usize) -> Expr {
    let number = i64::try_from(variant).unwrap_or(i64::MAX);
    Expr::op(Op::Eq, [Expr::op(Op::Tag, [value]), Expr::Int(number)])
}
