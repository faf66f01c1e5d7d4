//! Runs through a path with every call copied in, and writes down what it demands.

use std::sync::Arc;

use syntax::Loc;

use super::graph::{Graph, Op, Value};
use crate::hir::{
    Arm, BinaryOp, Block, Condition, Expr, ExprKind, FunctionId, Functions, LocalId, Part, SpendPath, Step as Into,
    Stmt, StmtKind, Type,
};

/// More than this fits no script.
const VALUES_MAX: usize = 200_000;
/// Levels of calls, blocks and expressions inside each other that code generation follows.
const LEVELS_MAX: u32 = 700;

/// What a path does, in order.
pub(super) enum Step {
    Demand(Demand),
    /// One of two ways, by a `Bool`.
    Branch {
        condition: Value,
        then: Vec<Step>,
        otherwise: Vec<Step>,
    },
    /// The same in every round of a loop over the numbers `from` to `to`, if it is one.
    Loop {
        index: Option<Value>,
        bounds: Option<(Value, Value)>,
        body: Vec<Step>,
    },
}

/// A condition.
#[derive(Clone)]
pub(super) struct Demand {
    pub(super) kind: Kind,
    /// A `Bool`, or the bound of a time lock.
    pub(super) value: Value,
    pub(super) loc: Loc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Holds,
    LockTime,
    Age,
}

/// A path with its calls copied in.
pub(super) struct Trace {
    pub(super) graph: Graph,
    pub(super) steps: Vec<Step>,
}

/// The path, unless it is larger than a script can be.
pub(super) fn trace(path: &SpendPath, functions: &Functions) -> Option<Trace> {
    let mut tracer = Tracer { functions, graph: Graph::default(), steps: Vec::new(), visited: 0, level: 0 };
    let arg = |(index, param): (usize, &crate::hir::Param)| {
        tracer.graph.add(Op::Arg(index), Vec::new(), param.ty.clone(), &param.loc)
    };
    let args = path.args.iter().enumerate().map(arg).collect();
    let mut frame = Frame { args, locals: vec![None; path.locals.len()], returned: Vec::new(), ended: false };
    tracer.block(&mut frame, &path.body)?;
    Some(Trace { graph: tracer.graph, steps: tracer.steps })
}

/// The values of the arguments and variables of one body.
#[derive(Clone)]
struct Frame {
    args: Arc<[Value]>,
    locals: Vec<Option<Value>>,
    /// What the function has given back so far.
    returned: Vec<Value>,
    /// Nothing that follows is reached.
    ended: bool,
}

struct Tracer<'f> {
    functions: &'f Functions,
    graph: Graph,
    /// Of the block that is being run.
    steps: Vec<Step>,
    visited: usize,
    level: u32,
}

impl Tracer<'_> {
    fn descend(&mut self) -> Option<()> {
        self.visited += 1;
        self.level += 1;
        let fits = self.visited <= VALUES_MAX && self.graph.len() <= VALUES_MAX && self.level <= LEVELS_MAX;
        fits.then_some(())
    }

    fn leave(&mut self) {
        self.level -= 1;
    }

    /// The block's value; the outer `None` stops all.
    fn block(&mut self, frame: &mut Frame, block: &Block) -> Option<Option<Value>> {
        self.descend()?;
        self.stmts(frame, &block.stmts)?;
        let value = match &block.value {
            Some(value) => Some(self.expr(frame, value)?),
            None => None,
        };
        self.leave();
        Some(value)
    }

    fn stmts(&mut self, frame: &mut Frame, stmts: &[Stmt]) -> Option<()> {
        for (at, stmt) in stmts.iter().enumerate() {
            if frame.ended {
                break;
            }
            if let StmtKind::If { condition, then, otherwise } = &stmt.kind {
                let rest = stmts.get(at + 1..).unwrap_or_default();
                if self.branch(frame, condition, then, otherwise, rest, &stmt.loc)? {
                    break;
                }
                continue;
            }
            self.stmt(frame, stmt)?;
        }
        Some(())
    }

    fn stmt(&mut self, frame: &mut Frame, stmt: &Stmt) -> Option<()> {
        self.descend()?;
        match &stmt.kind {
            StmtKind::Let { local, value } => {
                let value = self.expr(frame, value)?;
                set(frame, *local, value);
            }
            StmtKind::Assign { local, place, value } => {
                let value = self.expr(frame, value)?;
                self.assign(frame, *local, place, value, &stmt.loc)?;
            }
            StmtKind::Require { condition, .. } => self.require(frame, condition, &stmt.loc)?,
            StmtKind::Call { function, args, .. } => drop(self.call(frame, *function, args, &stmt.loc)?),
            StmtKind::Check(value) => drop(self.expr(frame, value)?),
            StmtKind::Match { value, arms } => drop(self.arms(frame, value, arms, &Type::Unit, &stmt.loc)?),
            StmtKind::For { index, from, to, body, .. } => {
                let bounds = (self.expr(frame, from)?, self.expr(frame, to)?);
                self.rounds(frame, &[*index], body, Some(bounds), None, &stmt.loc)?;
            }
            StmtKind::While { condition, body, .. } => {
                self.rounds(frame, &[], body, None, Some(condition), &stmt.loc)?
            }
            StmtKind::EachRecord { fields, index, body, .. } => {
                let names: Vec<LocalId> = index.iter().chain(fields).copied().collect();
                self.rounds(frame, &names, body, None, None, &stmt.loc)?;
            }
            StmtKind::Return(value) => {
                if let Some(value) = value {
                    let value = self.expr(frame, value)?;
                    frame.returned.push(value);
                }
                frame.ended = true;
            }
            StmtKind::If { .. } => {}
        }
        self.leave();
        Some(())
    }

    fn require(&mut self, frame: &mut Frame, condition: &Condition, loc: &Loc) -> Option<()> {
        let value = self.expr(frame, condition.expr())?;
        let kind = match condition {
            Condition::Holds(_) => Kind::Holds,
            Condition::TxHeightAtLeast(_) | Condition::TxTimeAtLeast(_) => Kind::LockTime,
            Condition::AgeAtLeast(_) => Kind::Age,
        };
        self.steps.push(Step::Demand(Demand { kind, value, loc: loc.clone() }));
        Some(())
    }

    /// Both branches, and what follows where only one of them goes on; whether that was run already.
    fn branch(
        &mut self,
        frame: &mut Frame,
        condition: &Expr,
        then: &Block,
        otherwise: &Block,
        rest: &[Stmt],
        loc: &Loc,
    ) -> Option<bool> {
        let condition = self.expr(frame, condition)?;
        let (mut first, mut second) = (frame.clone(), frame.clone());
        let mut then_steps = self.aside(&mut first, |tracer, frame| tracer.block(frame, then))?.0;
        let mut other_steps = self.aside(&mut second, |tracer, frame| tracer.block(frame, otherwise))?.0;
        let one_ends = first.ended != second.ended;
        if one_ends {
            let (goes_on, steps) =
                if first.ended { (&mut second, &mut other_steps) } else { (&mut first, &mut then_steps) };
            let more = self.aside(goes_on, |tracer, frame| tracer.stmts(frame, rest))?.0;
            steps.extend(more);
        }
        self.meet(frame, condition, first, second, loc);
        self.steps.push(Step::Branch { condition, then: then_steps, otherwise: other_steps });
        Some(one_ends)
    }

    /// What `run` does, apart from the steps so far.
    fn aside<T>(
        &mut self,
        frame: &mut Frame,
        run: impl FnOnce(&mut Self, &mut Frame) -> Option<T>,
    ) -> Option<(Vec<Step>, T)> {
        let outer = std::mem::take(&mut self.steps);
        let value = run(self, frame)?;
        Some((std::mem::replace(&mut self.steps, outer), value))
    }

    /// The variables where two ways meet again.
    fn meet(&mut self, frame: &mut Frame, condition: Value, first: Frame, second: Frame, loc: &Loc) {
        let before = frame.returned.len();
        for ((slot, a), b) in frame.locals.iter_mut().zip(&first.locals).zip(&second.locals) {
            *slot = match (a, b) {
                (Some(a), Some(b)) => Some(choice(&mut self.graph, condition, *a, *b, loc)),
                // A variable of one branch only, or one that the branch which ends never got.
                (a, b) => a.or(*b),
            };
        }
        let of = |frame: &Frame| frame.returned.get(before..).unwrap_or_default().to_vec();
        let (a, b) = (of(&first), of(&second));
        match (a.as_slice(), b.as_slice()) {
            ([a], [b]) => {
                let value = choice(&mut self.graph, condition, *a, *b, loc);
                frame.returned.push(value);
            }
            _ => frame.returned.extend(a.iter().chain(&b)),
        }
        frame.ended = first.ended && second.ended;
    }

    /// Every arm of a match; the value is opaque unless the variant is known.
    fn arms(&mut self, frame: &mut Frame, value: &Expr, arms: &[Arm], ty: &Type, loc: &Loc) -> Option<Option<Value>> {
        let value = self.expr(frame, value)?;
        if let Op::Variant(variant) = *self.graph.op(value) {
            let arm = arms.iter().find(|arm| arm.variant.is_none_or(|of| of == variant))?;
            return self.arm(frame, value, arm);
        }
        let Some((last, before)) = arms.split_last() else { return Some(None) };
        let mut frames = Vec::new();
        for arm in before.iter().chain([last]) {
            let mut inner = frame.clone();
            let (steps, result) = self.aside(&mut inner, |tracer, frame| tracer.arm(frame, value, arm))?;
            frames.push((arm.variant, inner, steps, result));
        }
        // From the last arm backwards: each one before is a choice against all that follow.
        let (_, mut joined, mut steps, mut result) = frames.pop()?;
        while let Some((variant, first, then, of_first)) = frames.pop() {
            let is = self.graph.add(Op::Is(variant.unwrap_or_default()), vec![value], Type::Bool, loc);
            let mut met = frame.clone();
            self.meet(&mut met, is, first, joined, loc);
            result = match (of_first, result) {
                (Some(a), Some(b)) => Some(self.graph.add(Op::Choice, vec![is, a, b], ty.clone(), loc)),
                (a, b) => a.or(b),
            };
            joined = met;
            steps = vec![Step::Branch { condition: is, then, otherwise: steps }];
        }
        *frame = joined;
        self.steps.extend(steps);
        Some(result)
    }

    fn arm(&mut self, frame: &mut Frame, value: Value, arm: &Arm) -> Option<Option<Value>> {
        for (at, local) in arm.bindings.iter().enumerate() {
            let Some(local) = local else { continue };
            let loc = self.graph.loc(value).clone();
            let payload = Op::Payload(arm.variant.unwrap_or_default(), at);
            // The type of what a variant carries matters to no lint.
            let part = self.graph.add(payload, vec![value], Type::Bytes, &loc);
            set(frame, *local, part);
        }
        self.block(frame, &arm.body)
    }

    /// The body of a loop once, as it is in any of its rounds.
    fn rounds(
        &mut self,
        frame: &mut Frame,
        names: &[LocalId],
        body: &Block,
        bounds: Option<(Value, Value)>,
        condition: Option<&Expr>,
        loc: &Loc,
    ) -> Option<()> {
        let mut index = None;
        for local in names {
            let of: Vec<Value> = bounds.iter().flat_map(|(from, to)| [*from, *to]).collect();
            let round = self.graph.opaque(&of, Type::Int, loc);
            index.get_or_insert(round);
            set(frame, *local, round);
        }
        self.forget(frame, body, loc);
        let before = frame.clone();
        let mut inner = frame.clone();
        let (steps, ()) = self.aside(&mut inner, |tracer, frame| {
            if let Some(condition) = condition {
                tracer.expr(frame, condition)?;
            }
            tracer.block(frame, body).map(drop)
        })?;
        frame.returned.extend(inner.returned.into_iter().skip(before.returned.len()));
        self.steps.push(Step::Loop { index, bounds, body: steps });
        Some(())
    }

    /// Variables that the rounds of a loop change are not known in it or behind it.
    fn forget(&mut self, frame: &mut Frame, body: &Block, loc: &Loc) {
        let mut changed = Vec::new();
        let mut read: Vec<Value> = Vec::new();
        let mut facts = Vec::new();
        let (locals, args) = (frame.locals.clone(), frame.args.clone());
        crate::walk::block(
            body,
            &mut |expr| match &expr.kind {
                ExprKind::Local(id) => read.extend(locals.get(id.index()).copied().flatten()),
                ExprKind::Arg(id) => read.extend(args.get(id.index()).copied()),
                ExprKind::Introspect { fact, index } => facts.push((*fact, index.is_some(), expr.ty.clone())),
                _ => {}
            },
            &mut |stmt| {
                if let StmtKind::Assign { local, .. } = &stmt.kind {
                    changed.push(*local);
                }
            },
        );
        // Of which input or output is another matter in each round.
        for (fact, has_index, ty) in facts {
            let index = has_index.then(|| self.graph.opaque(&[], Type::Int, loc));
            read.push(self.graph.add(Op::Fact(fact), index.into_iter().collect(), ty, loc));
        }
        changed.sort();
        changed.dedup();
        for local in changed {
            let Some(Some(before)) = locals.get(local.index()).copied() else { continue };
            let mut of = read.clone();
            of.push(before);
            let ty = self.graph.ty(before).clone();
            let value = self.graph.opaque(&of, ty, loc);
            set(frame, local, value);
        }
    }

    fn assign(&mut self, frame: &mut Frame, local: LocalId, place: &[Into], value: Value, loc: &Loc) -> Option<()> {
        if place.is_empty() {
            set(frame, local, value);
            return Some(());
        }
        let Some(Some(whole)) = frame.locals.get(local.index()).copied() else { return Some(()) };
        let rebuilt = self.rebuilt(frame, whole, place, value, loc)?;
        set(frame, local, rebuilt);
        Some(())
    }

    /// `whole` with another value at a place in it.
    fn rebuilt(&mut self, frame: &mut Frame, whole: Value, place: &[Into], value: Value, loc: &Loc) -> Option<Value> {
        let Some((first, rest)) = place.split_first() else { return Some(value) };
        let at = match first {
            Into::Element(at) => Some(*at),
            Into::Index(index) => {
                let index = self.expr(frame, index)?;
                self.graph.small(index).and_then(|index| usize::try_from(index).ok())
            }
        };
        let known = at.filter(|at| *self.graph.op(whole) == Op::Tuple && *at < self.graph.parts(whole).len());
        let Some(at) = known else {
            let ty = self.graph.ty(whole).clone();
            return Some(self.graph.opaque(&[whole, value], ty, loc));
        };
        let mut parts = self.graph.parts(whole).to_vec();
        let part = parts.get(at).copied()?;
        let part = self.rebuilt(frame, part, rest, value, loc)?;
        if let Some(slot) = parts.get_mut(at) {
            *slot = part;
        }
        let ty = self.graph.ty(whole).clone();
        Some(self.graph.add(Op::Tuple, parts, ty, loc))
    }

    fn call(&mut self, frame: &mut Frame, function: FunctionId, args: &[Expr], loc: &Loc) -> Option<Option<Value>> {
        let functions = self.functions;
        let function = functions.get(function)?;
        let args = self.exprs(frame, args)?.into();
        let mut inner = Frame { args, locals: vec![None; function.locals.len()], returned: Vec::new(), ended: false };
        let tail = self.block(&mut inner, &function.body)?;
        Some(match (inner.returned.as_slice(), tail) {
            ([], tail) => tail,
            ([only], None) => Some(*only),
            (returned, tail) => {
                let all: Vec<Value> = returned.iter().copied().chain(tail).collect();
                Some(self.graph.opaque(&all, function.ret.clone(), loc))
            }
        })
    }

    fn exprs<'e>(&mut self, frame: &mut Frame, exprs: impl IntoIterator<Item = &'e Expr>) -> Option<Vec<Value>> {
        exprs.into_iter().map(|expr| self.expr(frame, expr)).collect()
    }

    fn expr(&mut self, frame: &mut Frame, expr: &Expr) -> Option<Value> {
        self.descend()?;
        let value = match &expr.kind {
            ExprKind::Arg(id) => frame.args.get(id.index()).copied()?,
            ExprKind::Local(id) => match frame.locals.get(id.index()).copied().flatten() {
                Some(value) => value,
                None => self.graph.opaque(&[], expr.ty.clone(), &expr.loc),
            },
            ExprKind::Call { function, args, .. } => match self.call(frame, *function, args, &expr.loc)? {
                Some(value) => value,
                None => self.graph.opaque(&[], expr.ty.clone(), &expr.loc),
            },
            ExprKind::If { condition, then, otherwise } => self.choose(frame, condition, then, otherwise, expr)?,
            ExprKind::Match { value, arms } => {
                let of = self.arms(frame, value, arms, &expr.ty, &expr.loc)?;
                of.unwrap_or_else(|| self.graph.opaque(&[], expr.ty.clone(), &expr.loc))
            }
            ExprKind::Block(block) => {
                let of = self.block(frame, block)?;
                of.unwrap_or_else(|| self.graph.opaque(&[], expr.ty.clone(), &expr.loc))
            }
            ExprKind::Asm { inputs, .. } => {
                let inputs = self.exprs(frame, inputs)?;
                self.graph.opaque(&inputs, expr.ty.clone(), &expr.loc)
            }
            ExprKind::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), left, right } => {
                self.both(frame, *op, (left, right), expr)?
            }
            _ => self.computation(frame, expr)?,
        };
        self.leave();
        Some(value)
    }

    /// `&&` and `||`: what the right side demands is demanded only where the left side does not decide.
    fn both(&mut self, frame: &mut Frame, op: BinaryOp, (left, right): (&Expr, &Expr), expr: &Expr) -> Option<Value> {
        let condition = self.expr(frame, left)?;
        let (steps, right) = self.aside(frame, |tracer, frame| tracer.expr(frame, right))?;
        if !steps.is_empty() {
            let (then, otherwise) = if op == BinaryOp::And { (steps, Vec::new()) } else { (Vec::new(), steps) };
            self.steps.push(Step::Branch { condition, then, otherwise });
        }
        Some(self.graph.add(Op::Binary(op), vec![condition, right], expr.ty.clone(), &expr.loc))
    }

    fn choose(
        &mut self,
        frame: &mut Frame,
        condition: &Expr,
        then: &Block,
        otherwise: &Block,
        expr: &Expr,
    ) -> Option<Value> {
        let condition = self.expr(frame, condition)?;
        let (mut first, mut second) = (frame.clone(), frame.clone());
        let (then, a) = self.aside(&mut first, |tracer, frame| tracer.block(frame, then))?;
        let (otherwise, b) = self.aside(&mut second, |tracer, frame| tracer.block(frame, otherwise))?;
        if !then.is_empty() || !otherwise.is_empty() {
            self.steps.push(Step::Branch { condition, then, otherwise });
        }
        self.meet(frame, condition, first, second, &expr.loc);
        let (a, b) = (a?, b?);
        Some(self.graph.add(Op::Choice, vec![condition, a, b], expr.ty.clone(), &expr.loc))
    }

    /// An expression that its parts determine.
    fn computation(&mut self, frame: &mut Frame, expr: &Expr) -> Option<Value> {
        let mut parts = Vec::new();
        for part in expr.parts() {
            if let Part::Expr(part) = part {
                parts.push(self.expr(frame, part)?);
            }
        }
        let op = match &expr.kind {
            ExprKind::Int(n) => Op::Int(n.clone()),
            ExprKind::Bool(truth) => Op::Bool(*truth),
            ExprKind::Bytes(data) => Op::Bytes(Arc::from(data.as_slice())),
            ExprKind::Param(id) => Op::Param(id.index()),
            ExprKind::Unary { op, .. } => Op::Unary(*op),
            ExprKind::Binary { op, .. } => Op::Binary(*op),
            ExprKind::Introspect { fact, .. } => Op::Fact(*fact),
            ExprKind::Builtin { builtin, .. } => Op::Builtin(*builtin),
            ExprKind::Signed { .. } => Op::Signed,
            ExprKind::DataSigned { .. } => Op::DataSigned,
            ExprKind::Threshold { .. } => Op::Threshold,
            ExprKind::Tuple(_) => Op::Tuple,
            ExprKind::Element { index, .. } => Op::Element(*index),
            ExprKind::Index { .. } => Op::Index,
            ExprKind::Variant { variant, .. } => Op::Variant(*variant),
            ExprKind::Is { variant, .. } => Op::Is(*variant),
            ExprKind::Payload { variant, index, .. } => Op::Payload(*variant, *index),
            ExprKind::Arg(_)
            | ExprKind::Local(_)
            | ExprKind::Call { .. }
            | ExprKind::If { .. }
            | ExprKind::Match { .. }
            | ExprKind::Block(_)
            | ExprKind::Asm { .. } => return Some(self.graph.opaque(&parts, expr.ty.clone(), &expr.loc)),
        };
        Some(self.graph.add(op, parts, expr.ty.clone(), &expr.loc))
    }
}

fn choice(graph: &mut Graph, condition: Value, then: Value, otherwise: Value, loc: &Loc) -> Value {
    let ty = graph.ty(then).clone();
    graph.add(Op::Choice, vec![condition, then, otherwise], ty, loc)
}

fn set(frame: &mut Frame, local: LocalId, value: Value) {
    if let Some(slot) = frame.locals.get_mut(local.index()) {
        *slot = Some(value);
    }
}
