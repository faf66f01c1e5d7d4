//! Expressions of plans.

use std::collections::BTreeMap;

use analysis::hir::{self, Arm, BinaryOp, Block, Builtin, ExprKind, LocalId, StmtKind, Type, UnaryOp};
use spec::plan::{Expr, FieldOf, IfOf, Op, VariantOf};
use syntax::Loc;

use super::{Lower, Lowered, NODES_MAX, cannot};

/// What names stand for.
#[derive(Clone, Default)]
pub(super) struct Frame {
    /// The arguments of a function that is copied in; none in the plan itself.
    args: Option<Vec<Expr>>,
    locals: BTreeMap<LocalId, Expr>,
}

impl Frame {
    pub(super) fn bind(&mut self, local: LocalId, value: Expr) {
        self.locals.insert(local, value);
    }
}

impl Lower<'_> {
    /// The expression as wallets evaluate it.
    pub(super) fn value(&mut self, expr: &hir::Expr, frame: &Frame) -> Lowered<Expr> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(cannot("hold so many operations", &expr.loc));
        }
        Ok(match &expr.kind {
            ExprKind::Int(n) => match i64::try_from(n) {
                Ok(n) => Expr::Int(n),
                Err(_) => return Err(cannot("hold a number of more than 63 bits", &expr.loc)),
            },
            ExprKind::Bool(truth) => Expr::Bool(*truth),
            ExprKind::Bytes(bytes) => Expr::Bytes(bytes.clone()),
            ExprKind::Arg(arg) => match &frame.args {
                Some(args) => args.get(arg.index()).cloned().ok_or_else(|| cannot("read this", &expr.loc))?,
                None => self.plan_arg(arg.index(), frame, &expr.loc)?,
            },
            // In the plan itself a variable is what `let` named.
            ExprKind::Local(local) => frame.locals.get(local).cloned().unwrap_or(Expr::Local(local.index())),
            ExprKind::Call { function, args, .. } => {
                let args = self.all(args, frame)?;
                self.call(*function, args, &expr.loc)?
            }
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
            ExprKind::Element { base, index } => field(self.value(base, frame)?, *index),
            ExprKind::Index { base, index } => {
                Expr::op(Op::Index, [self.value(base, frame)?, self.value(index, frame)?])
            }
            ExprKind::Variant { variant, fields } => {
                Expr::Variant(VariantOf { variant: *variant, fields: self.all(fields, frame)? })
            }
            ExprKind::Is { value, variant } => is_variant(self.value(value, frame)?, *variant),
            ExprKind::Payload { value, index, .. } => field(self.value(value, frame)?, *index),
            ExprKind::Match { value, arms } => {
                let value = self.value(value, frame)?;
                self.choice(&value, arms, frame, &expr.loc)?
            }
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

    fn plan_arg(&mut self, arg: usize, frame: &Frame, loc: &Loc) -> Lowered<Expr> {
        let plan = self.plan;
        let Some(read) = arg.checked_sub(plan.args.len()) else { return Ok(Expr::Arg(arg)) };
        let read = plan.reads.get(read).ok_or_else(|| cannot("read this", loc))?;
        self.read(read, frame)
    }

    /// The body of a function with its arguments put in.
    fn call(&mut self, function: hir::FunctionId, args: Vec<Expr>, loc: &Loc) -> Lowered<Expr> {
        let functions = self.functions;
        let body = functions.get(function).ok_or_else(|| cannot("call this function", loc))?;
        if self.calls.contains(&function) {
            return Err(cannot("call a function that calls itself", loc));
        }
        self.calls.push(function);
        let result = self.block(&body.body, &Frame { args: Some(args), locals: BTreeMap::new() }, loc);
        self.calls.pop();
        result
    }

    /// The value of a block whose statements name values, or give the value back.
    fn block(&mut self, block: &Block, frame: &Frame, loc: &Loc) -> Lowered<Expr> {
        self.rest(&block.stmts, block.value.as_deref(), frame.clone(), loc)
    }

    fn rest(&mut self, stmts: &[hir::Stmt], value: Option<&hir::Expr>, mut frame: Frame, loc: &Loc) -> Lowered<Expr> {
        let mut left = stmts.iter();
        while let Some(stmt) = left.next() {
            match &stmt.kind {
                StmtKind::Let { local, value } => {
                    let value = self.value(value, &frame)?;
                    frame.bind(*local, value);
                }
                StmtKind::Assign { local, place, value } if place.is_empty() => {
                    let value = self.value(value, &frame)?;
                    frame.bind(*local, value);
                }
                StmtKind::Return(Some(value)) => return self.value(value, &frame),
                // A branch that gives a value back, or goes on with what follows.
                StmtKind::If { condition, then, otherwise } => {
                    let condition = self.value(condition, &frame)?;
                    let rest = left.as_slice();
                    let both = [then, otherwise].map(|branch| {
                        let stmts: Vec<hir::Stmt> = branch.stmts.iter().chain(rest).cloned().collect();
                        self.rest(&stmts, value, frame.clone(), loc)
                    });
                    let [then, otherwise] = both;
                    return Ok(Expr::If(Box::new(IfOf { condition, then: then?, otherwise: otherwise? })));
                }
                _ => return Err(cannot("carry out this statement", &stmt.loc)),
            }
        }
        match value {
            Some(value) => self.value(value, &frame),
            None => Err(cannot("use what gives no value", loc)),
        }
    }

    /// The value of the first arm that fits.
    fn choice(&mut self, value: &Expr, arms: &[Arm], frame: &Frame, loc: &Loc) -> Lowered<Expr> {
        let mut chosen: Option<Expr> = None;
        for arm in arms.iter().rev() {
            let mut inner = frame.clone();
            for (index, local) in arm.bindings.iter().enumerate() {
                if let Some(local) = local {
                    inner.bind(*local, field(value.clone(), index));
                }
            }
            let body = self.block(&arm.body, &inner, loc)?;
            chosen = Some(match (arm.variant, chosen) {
                (Some(variant), Some(otherwise)) => {
                    let condition = is_variant(value.clone(), variant);
                    Expr::If(Box::new(IfOf { condition, then: body, otherwise }))
                }
                // The last arm fits whatever is left.
                _ => body,
            });
        }
        chosen.ok_or_else(|| cannot("choose among no cases", loc))
    }

    fn binary(&mut self, op: BinaryOp, left: &hir::Expr, right: &hir::Expr, frame: &Frame, loc: &Loc) -> Lowered<Expr> {
        let same_kind = (left.ty == Type::Bool) == (right.ty == Type::Bool);
        let mut both = [self.value(left, frame)?, self.value(right, frame)?];
        if matches!(op, BinaryOp::Equal(_) | BinaryOp::NotEqual(_)) && !same_kind {
            both = match (left.ty == Type::Bool, both) {
                (true, [left, right]) => [Expr::op(Op::Truth, [left]), right],
                (false, [left, right]) => [left, Expr::op(Op::Truth, [right])],
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
        Ok(Expr::op(op, both))
    }

    fn builtin(&mut self, builtin: Builtin, args: &[hir::Expr], ty: &Type, frame: &Frame) -> Lowered<Expr> {
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
                let len = values.first().map(|bytes| Expr::op(Op::Len, [bytes.clone()]));
                values.extend(len);
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
            Builtin::Within => {
                let [x, low, high] = <[Expr; 3]>::try_from(values).unwrap_or_else(|_| [0, 0, 0].map(Expr::Int));
                let at_least = Expr::op(Op::Ge, [x.clone(), low]);
                return Ok(Expr::op(Op::And, [at_least, Expr::op(Op::Lt, [x, high])]));
            }
            Builtin::Cast => {
                let from = args.first().map(|arg| &arg.ty);
                let value = values.pop().unwrap_or(Expr::Int(0));
                return Ok(match from {
                    Some(Type::Bool) if ty.is_number() => Expr::op(Op::Truth, [value]),
                    Some(from) if from.is_number() && ty.is_bytes() => Expr::op(Op::Encode, [value]),
                    Some(from) if from.is_bytes() && ty.is_number() => Expr::op(Op::ToInt, [value]),
                    _ => value,
                });
            }
            Builtin::AgeUnits => {
                let value = values.pop().unwrap_or(Expr::Int(0));
                let up = Expr::op(Op::Add, [value, Expr::Int(511)]);
                return Ok(Expr::op(Op::Add, [Expr::Int(1 << 22), Expr::op(Op::Div, [up, Expr::Int(512)])]));
            }
        };
        Ok(Expr::Op(op, values))
    }
}

fn field(of: Expr, field: usize) -> Expr {
    match of {
        Expr::Parts(parts) if field < parts.len() => parts.into_iter().nth(field).unwrap_or(Expr::Int(0)),
        of => Expr::Field(FieldOf { of: Box::new(of), field }),
    }
}

fn is_variant(value: Expr, variant: usize) -> Expr {
    let number = i64::try_from(variant).unwrap_or(i64::MAX);
    Expr::op(Op::Eq, [Expr::op(Op::Tag, [value]), Expr::Int(number)])
}
