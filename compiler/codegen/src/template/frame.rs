//! The bodies of functions that plans call: statements become the one value that they lead to.
//!
//! A variable stands for the expression that it holds at the moment. Where only one branch changes it, it
//! stands for an `if` from there on; loops over known numbers are unrolled. A `require` guards the value of its body.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use analysis::hir::{self, Arm, Block, Condition, ExprKind, FunctionId, LocalId, Part, Step, Stmt, StmtKind, Type};
use spec::plan::{CheckOf, Expr, IfOf, Op};
use syntax::Loc;

use super::value::{field, is_variant, nodes};
use super::{DEPTH_MAX, Lower, Lowered, cannot};

/// An expression that a name stands for, and how many expressions it consists of.
#[derive(Clone)]
pub(super) struct Bound {
    expr: Rc<Expr>,
    nodes: usize,
}

/// What names stand for.
#[derive(Clone, Default)]
pub(super) struct Frame<'p> {
    /// The arguments of a function that is copied in; none in the plan itself.
    args: Option<Rc<[Bound]>>,
    /// The variables of the body, for their types.
    types: &'p [hir::Local],
    locals: BTreeMap<LocalId, Bound>,
    /// What must hold for the value of the body, and what to say where it does not.
    checks: Vec<(Expr, String)>,
}

impl Frame<'_> {
    pub(super) fn arg(&self, index: usize) -> Option<&Bound> {
        self.args.as_ref()?.get(index)
    }

    pub(super) fn local(&self, local: LocalId) -> Option<&Bound> {
        self.locals.get(&local)
    }

    /// A variable that the wallet binds.
    pub(super) fn bind(&mut self, local: LocalId) {
        let expr = Rc::new(Expr::Local(local.index()));
        self.locals.insert(local, Bound { expr, nodes: 1 });
    }

    /// The same names for a block with conditions of its own.
    pub(super) fn inner(&self) -> Self {
        Self { checks: Vec::new(), ..self.clone() }
    }
}

/// What is still to be done: the rest of a block, and what follows the block.
#[derive(Clone, Copy)]
struct Rest<'r, 'p> {
    stmts: &'p [Stmt],
    value: Option<&'p hir::Expr>,
    next: Option<&'r Rest<'r, 'p>>,
}

impl<'p> Lower<'p> {
    /// A value that a name is to stand for.
    pub(super) fn bound(&mut self, value: &'p hir::Expr, frame: &Frame<'p>) -> Lowered<Bound> {
        let expr = self.value(value, frame)?;
        bound(expr, &value.loc)
    }

    /// One more use of what a name stands for.
    pub(super) fn copy(&mut self, bound: &Bound, loc: &Loc) -> Lowered<Expr> {
        self.count(bound.nodes, loc)?;
        Ok((*bound.expr).clone())
    }

    /// The value of a call: the function's body with the arguments put in.
    pub(super) fn call(
        &mut self,
        id: FunctionId,
        args: &'p [hir::Expr],
        frame: &Frame<'p>,
        loc: &Loc,
    ) -> Lowered<Expr> {
        let (function, inner) = self.enter(id, args, frame, loc)?;
        let result = self.body(&function.body, inner, loc);
        self.calls.pop();
        result
    }

    fn enter(
        &mut self,
        id: FunctionId,
        args: &'p [hir::Expr],
        frame: &Frame<'p>,
        loc: &Loc,
    ) -> Lowered<(&'p hir::Function, Frame<'p>)> {
        let functions = self.functions;
        let function = functions.get(id).ok_or_else(|| cannot("call this function", loc))?;
        if self.calls.contains(&id) {
            return Err(cannot("call a function that calls itself", loc));
        }
        let args = args.iter().map(|arg| self.bound(arg, frame)).collect::<Lowered<Rc<[Bound]>>>()?;
        self.calls.push(id);
        Ok((function, Frame { args: Some(args), types: &function.locals, ..Frame::default() }))
    }

    /// The value of a block, which may be given back early.
    pub(super) fn body(&mut self, block: &'p Block, frame: Frame<'p>, loc: &Loc) -> Lowered<Expr> {
        self.rest(Rest { stmts: &block.stmts, value: block.value.as_deref(), next: None }, frame, loc)
    }

    fn rest(&mut self, rest: Rest<'_, 'p>, frame: Frame<'p>, loc: &Loc) -> Lowered<Expr> {
        self.deeper(loc)?;
        let value = self.run(rest, frame, loc);
        self.depth -= 1;
        value
    }

    fn run(&mut self, mut rest: Rest<'_, 'p>, mut frame: Frame<'p>, loc: &Loc) -> Lowered<Expr> {
        loop {
            while let Some((stmt, after)) = rest.stmts.split_first() {
                rest.stmts = after;
                match &stmt.kind {
                    StmtKind::Return(Some(value)) => return self.finish(value, frame),
                    StmtKind::If { condition, then, otherwise } if returns(then) || returns(otherwise) => {
                        let condition = self.value(condition, &frame)?;
                        let checks = std::mem::take(&mut frame.checks);
                        let then =
                            self.rest(Rest { stmts: &then.stmts, value: None, next: Some(&rest) }, frame.clone(), loc)?;
                        let next = Rest { stmts: &otherwise.stmts, value: None, next: Some(&rest) };
                        let otherwise = self.rest(next, frame, loc)?;
                        return Ok(guarded(checks, Expr::If(Box::new(IfOf { condition, then, otherwise }))));
                    }
                    StmtKind::Match { value, arms } if arms.iter().any(|arm| returns(&arm.body)) => {
                        return self.early_arms(value, arms, &rest, frame, loc);
                    }
                    _ => self.effect(stmt, &mut frame)?,
                }
            }
            match (rest.value, rest.next) {
                (Some(value), _) => return self.finish(value, frame),
                (None, Some(next)) => rest = *next,
                (None, None) => return Err(cannot("use what gives no value", loc)),
            }
        }
    }

    /// A `match` of which an arm gives a value back.
    fn early_arms(
        &mut self,
        value: &'p hir::Expr,
        arms: &'p [Arm],
        rest: &Rest<'_, 'p>,
        mut frame: Frame<'p>,
        loc: &Loc,
    ) -> Lowered<Expr> {
        let value = self.bound(value, &frame)?;
        let checks = std::mem::take(&mut frame.checks);
        let mut chosen: Option<Expr> = None;
        for arm in arms.iter().rev() {
            let inner = self.arm_frame(&value, arm, frame.clone(), loc)?;
            let body = self.rest(Rest { stmts: &arm.body.stmts, value: None, next: Some(rest) }, inner, loc)?;
            chosen = Some(match (arm.variant, chosen) {
                (Some(variant), Some(otherwise)) => {
                    let condition = is_variant(self.copy(&value, loc)?, variant);
                    Expr::If(Box::new(IfOf { condition, then: body, otherwise }))
                }
                _ => body,
            });
        }
        let chosen = chosen.ok_or_else(|| cannot("choose among no cases", loc))?;
        Ok(guarded(checks, chosen))
    }

    /// The value that a body ends with, behind its conditions. Its branches may give values back.
    fn finish(&mut self, value: &'p hir::Expr, mut frame: Frame<'p>) -> Lowered<Expr> {
        let checks = std::mem::take(&mut frame.checks);
        let value = match &value.kind {
            ExprKind::If { condition, then, otherwise } => {
                let condition = self.value(condition, &frame)?;
                let then = self.body(then, frame.clone(), &value.loc)?;
                let otherwise = self.body(otherwise, frame, &value.loc)?;
                Expr::If(Box::new(IfOf { condition, then, otherwise }))
            }
            ExprKind::Block(block) => self.body(block, frame, &value.loc)?,
            _ => self.value(value, &frame)?,
        };
        Ok(guarded(checks, value))
    }

    /// The names of an arm.
    pub(super) fn arm_frame(
        &mut self,
        value: &Bound,
        arm: &'p Arm,
        mut frame: Frame<'p>,
        loc: &Loc,
    ) -> Lowered<Frame<'p>> {
        for (index, local) in arm.bindings.iter().enumerate() {
            if let Some(local) = local {
                let part = field(self.copy(value, loc)?, index);
                frame.locals.insert(*local, bound(part, loc)?);
            }
        }
        Ok(frame)
    }

    /// What a statement that gives nothing back does to the names.
    fn effect(&mut self, stmt: &'p Stmt, frame: &mut Frame<'p>) -> Lowered<()> {
        self.count(1, &stmt.loc)?;
        match &stmt.kind {
            StmtKind::Let { local, value } => {
                let value = self.bound(value, frame)?;
                frame.locals.insert(*local, value);
            }
            StmtKind::Assign { local, place, value } => self.assign(*local, place, value, frame, &stmt.loc)?,
            StmtKind::Require { condition: Condition::Holds(condition), message } => {
                let condition = self.value(condition, frame)?;
                frame.checks.push((condition, message.clone()));
            }
            StmtKind::If { condition, then, otherwise } => {
                let condition = self.bound(condition, frame)?;
                let (mut yes, mut no) = (frame.inner(), frame.inner());
                self.effects(then, &mut yes)?;
                self.effects(otherwise, &mut no)?;
                self.merge(&condition, yes, no, frame, &stmt.loc)?;
            }
            StmtKind::Match { value, arms } => self.arms(value, arms, frame, &stmt.loc)?,
            StmtKind::Call { function, args, .. } => {
                let (function, mut inner) = self.enter(*function, args, frame, &stmt.loc)?;
                self.deeper(&stmt.loc)?;
                self.effects(&function.body, &mut inner)?;
                self.depth -= 1;
                self.calls.pop();
                frame.checks.append(&mut inner.checks);
            }
            StmtKind::For { index, from, to, body, .. } => {
                let (Expr::Int(from), Expr::Int(to)) = (self.value(from, frame)?, self.value(to, frame)?) else {
                    return Err(cannot("run a loop whose bounds it computes", &stmt.loc));
                };
                for round in from..to {
                    self.count(1, &stmt.loc)?;
                    frame.locals.insert(*index, bound(Expr::Int(round), &stmt.loc)?);
                    self.effects(body, frame)?;
                }
            }
            StmtKind::While { .. } => return Err(cannot("run a `while` loop", &stmt.loc)),
            StmtKind::Return(_) => return Err(cannot("give a result back from here", &stmt.loc)),
            StmtKind::Require { .. } | StmtKind::Check(_) | StmtKind::EachRecord { .. } => {
                return Err(cannot("carry out this statement", &stmt.loc));
            }
        }
        Ok(())
    }

    fn effects(&mut self, block: &'p Block, frame: &mut Frame<'p>) -> Lowered<()> {
        block.stmts.iter().try_for_each(|stmt| self.effect(stmt, frame))
    }

    fn arms(&mut self, value: &'p hir::Expr, arms: &'p [Arm], frame: &mut Frame<'p>, loc: &Loc) -> Lowered<()> {
        let value = self.bound(value, frame)?;
        let mut after: Option<Frame<'p>> = None;
        for arm in arms.iter().rev() {
            let mut inner = self.arm_frame(&value, arm, frame.inner(), loc)?;
            self.effects(&arm.body, &mut inner)?;
            after = Some(match (arm.variant, after) {
                (Some(variant), Some(otherwise)) => {
                    let condition = bound(is_variant(self.copy(&value, loc)?, variant), loc)?;
                    let mut merged = frame.inner();
                    self.merge(&condition, inner, otherwise, &mut merged, loc)?;
                    merged
                }
                _ => inner,
            });
        }
        if let Some(after) = after {
            frame.checks.extend(after.checks);
            let kept = frame.locals.keys().copied().collect::<Vec<_>>();
            for local in kept {
                frame.locals.extend(after.locals.get(&local).cloned().map(|value| (local, value)));
            }
        }
        Ok(())
    }

    /// Puts what two branches did to the names and conditions together.
    fn merge(
        &mut self,
        condition: &Bound,
        yes: Frame<'p>,
        no: Frame<'p>,
        frame: &mut Frame<'p>,
        loc: &Loc,
    ) -> Lowered<()> {
        for (local, held) in &mut frame.locals {
            let (Some(yes), Some(no)) = (yes.locals.get(local), no.locals.get(local)) else { continue };
            if Rc::ptr_eq(&yes.expr, &no.expr) {
                *held = yes.clone();
                continue;
            }
            let (condition, then) = (self.copy(condition, loc)?, self.copy(yes, loc)?);
            let otherwise = self.copy(no, loc)?;
            *held = bound(Expr::If(Box::new(IfOf { condition, then, otherwise })), loc)?;
        }
        for (check, message) in yes.checks {
            let other = Expr::op(Op::Not, [self.copy(condition, loc)?]);
            frame.checks.push((Expr::op(Op::Or, [other, check]), message));
        }
        for (check, message) in no.checks {
            frame.checks.push((Expr::op(Op::Or, [self.copy(condition, loc)?, check]), message));
        }
        Ok(())
    }

    fn assign(
        &mut self,
        local: LocalId,
        place: &'p [Step],
        value: &'p hir::Expr,
        frame: &mut Frame<'p>,
        loc: &Loc,
    ) -> Lowered<()> {
        let mut way = Vec::with_capacity(place.len());
        for step in place {
            way.push(match step {
                Step::Element(part) => *part,
                Step::Index(index) => match self.value(index, frame)? {
                    Expr::Int(part) if part >= 0 => usize::try_from(part).unwrap_or(usize::MAX),
                    _ => return Err(cannot("change a part whose number it computes", loc)),
                },
            });
        }
        let value = self.value(value, frame)?;
        let changed = match (way.as_slice(), frame.locals.get(&local), frame.types.get(local.index())) {
            ([], ..) => value,
            (way, Some(held), Some(of)) => {
                let held = held.clone();
                let whole = self.copy(&held, loc)?;
                self.with_part(whole, &of.ty, way, value, loc)?
            }
            _ => return Err(cannot("change this", loc)),
        };
        frame.locals.insert(local, bound(changed, loc)?);
        Ok(())
    }

    /// A composite with one part replaced.
    fn with_part(&mut self, whole: Expr, ty: &Type, way: &[usize], value: Expr, loc: &Loc) -> Lowered<Expr> {
        let Some((first, further)) = way.split_first() else { return Ok(value) };
        let (count, part) = match ty {
            Type::Tuple(parts) => (parts.len(), parts.get(*first)),
            Type::Struct(of) => (of.fields.len(), of.fields.get(*first).map(|(_, ty)| ty)),
            Type::Array(of, count) => (*count as usize, Some(&**of)),
            _ => (0, None),
        };
        let part = part.filter(|_| *first < count).ok_or_else(|| cannot("change this", loc))?;
        let mut parts = match whole {
            Expr::Parts(parts) if parts.len() == count => parts,
            whole => {
                self.count(nodes(&whole).saturating_mul(count), loc)?;
                (0..count).map(|at| field(whole.clone(), at)).collect()
            }
        };
        if let Some(held) = parts.get_mut(*first) {
            let before = std::mem::replace(held, Expr::Int(0));
            *held = self.with_part(before, part, further, value, loc)?;
        }
        Ok(Expr::Parts(parts))
    }
}

fn bound(expr: Expr, loc: &Loc) -> Lowered<Bound> {
    if expr.json_depth() > DEPTH_MAX {
        return Err(cannot("hold operations that nest so deep", loc));
    }
    Ok(Bound { nodes: nodes(&expr), expr: Rc::new(expr) })
}

/// The value behind conditions, the first of which is looked at first.
fn guarded(checks: Vec<(Expr, String)>, value: Expr) -> Expr {
    checks
        .into_iter()
        .rev()
        .fold(value, |of, (condition, message)| Expr::Check(Box::new(CheckOf { condition, message, of })))
}

/// Whether a statement of the block gives a value back.
fn returns(block: &Block) -> bool {
    block.stmts.iter().any(|stmt| {
        let inside = |part: &Part<'_>| matches!(part, Part::Block(block) if returns(block));
        matches!(stmt.kind, StmtKind::Return(_)) || stmt.parts().iter().any(inside)
    })
}

/// Whether a block changes variables that are not its own, or gives a value back.
pub(super) fn changes_outer(block: &Block) -> bool {
    let mut found = Changes::default();
    found.block(block);
    found.returns || !found.changed.is_subset(&found.own)
}

#[derive(Default)]
struct Changes {
    own: BTreeSet<LocalId>,
    changed: BTreeSet<LocalId>,
    returns: bool,
}

impl Changes {
    fn block(&mut self, block: &Block) {
        for stmt in &block.stmts {
            match &stmt.kind {
                StmtKind::Let { local, .. } | StmtKind::For { index: local, .. } => drop(self.own.insert(*local)),
                StmtKind::Assign { local, .. } => drop(self.changed.insert(*local)),
                StmtKind::Return(_) => self.returns = true,
                _ => {}
            }
            stmt.parts().into_iter().for_each(|part| self.part(part));
        }
        block.value.iter().for_each(|value| self.part(Part::Expr(value)));
    }

    fn part(&mut self, part: Part<'_>) {
        match part {
            Part::Block(block) => self.block(block),
            Part::Expr(expr) => expr.parts().into_iter().for_each(|part| self.part(part)),
        }
    }
}
