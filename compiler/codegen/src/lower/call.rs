//! Calls: the body of the function with the arguments put in.
//!
//! A `return` before the end of a body leaves the rest of it out. So where a branch may return, what
//! follows the conditional moves into the branches that do not.

use std::rc::Rc;

use analysis::hir::{self, Expr, LocalId, Stmt, StmtKind};
use dashu_int::IBig;
use spec::Opcode;
use syntax::Loc;

use super::assigned::Mentions;
use super::flow::Matched;
use super::loops::too_many;
use super::parts::width;
use super::{Excess, Frame, Items, Lowering, set};
use crate::code::{Instr, Op};
use crate::mir::{Effect, NodeKind, Operation, Run};
use crate::number;
use crate::shared::{Instance, can_be_shared};

/// What is left of a function's body.
struct Rest<'h> {
    /// The number of the round, where a loop begins one.
    index: Option<(LocalId, IBig)>,
    stmts: &'h [Stmt],
    /// What the body is worth, at its very end.
    value: Option<&'h Expr>,
    then: Option<Rc<Rest<'h>>>,
}

impl Lowering<'_> {
    /// Lowers a call; gives the value of the body, if it has one.
    pub(super) fn call(
        &mut self,
        frame: &mut Frame,
        function: hir::FunctionId,
        type_args: &[hir::Type],
        args: &[Expr],
        loc: &Loc,
    ) -> Result<Option<Items>, Excess> {
        let functions = self.functions;
        let body = functions.get(function).expect("analysis resolved the call");
        let types: Rc<[hir::Type]> = type_args.iter().map(|ty| frame.ty(ty)).collect();
        let mut given = Vec::with_capacity(args.len());
        for arg in args {
            given.push(self.expr(frame, arg)?);
        }
        if let Some(index) = self.shared.position(function, &types) {
            return self.invoke(index, given, width(&body.ret.instantiate(&types)), loc).map(Some);
        }
        if can_be_shared(function, functions) {
            self.calls.count(Instance { function, types: types.to_vec() });
        }
        let mut inner = Frame {
            args: given,
            locals: vec![None; body.locals.len()],
            local_types: body.locals.iter().map(|local| local.ty.instantiate(&types)).collect(),
            types,
        };
        self.body(&mut inner, &body.body)
    }

    /// Lowers the body of a function; gives its value, if it has one.
    pub(super) fn body(&mut self, frame: &mut Frame, body: &hir::Block) -> Result<Option<Items>, Excess> {
        if !Mentions::of(body).returns {
            return self.block(frame, body);
        }
        self.descend()?;
        let rest = Rest { index: None, stmts: &body.stmts, value: body.value.as_deref(), then: None };
        let value = self.rest(frame, Rc::new(rest))?;
        self.leave();
        Ok(value)
    }

    /// Runs a shared function that leaves so many items.
    fn invoke(&mut self, index: usize, given: Vec<Items>, results: usize, loc: &Loc) -> Result<Items, Excess> {
        let body = self.shared.body(index).ok_or(Excess::NoBody(index))?;
        let place = self.place(loc);
        let mut items: Items = given.into_iter().flatten().collect();
        items.extend(body.leaves.iter().map(|leaf| self.leaf(*leaf, place)));
        let inputs: Items = body.order.iter().filter_map(|at| items.get(*at)).copied().collect();
        let number = u8::try_from(index).unwrap_or(u8::MAX);
        if body.is_value {
            return Ok(vec![self.graph.intern(NodeKind::Op(Operation::Call(number), inputs), place)]);
        }
        let op = |op| Instr { op, place, site: None };
        let code = vec![op(Op::int(i64::from(number))), op(Op::Code(Opcode::Invoke))];
        let results: Items = (0..results).map(|_| self.graph.phi(place)).collect();
        self.effects.push(Effect::Run(Box::new(Run { code, place, inputs, results: results.clone() })));
        Ok(results)
    }

    /// Lowers the rest of a body up to its end or a `return`; gives the value of the function.
    fn rest<'h>(&mut self, frame: &mut Frame, rest: Rc<Rest<'h>>) -> Result<Option<Items>, Excess> {
        let mut next = Some(rest);
        while let Some(rest) = next {
            if let Some((index, number)) = &rest.index {
                let place = rest.stmts.first().map(|stmt| self.place(&stmt.loc)).unwrap_or_default();
                let number = self.graph.bytes(number::encode(number), place);
                set(frame, *index, vec![number]);
            }
            next = rest.then.clone();
            for (at, stmt) in rest.stmts.iter().enumerate() {
                if let StmtKind::Return(value) = &stmt.kind {
                    return value.as_ref().map(|value| self.expr(frame, value)).transpose();
                }
                if Mentions::of_stmt(stmt).returns {
                    let stmts = rest.stmts.get(at + 1..).unwrap_or_default();
                    let after = Rest { index: None, stmts, value: rest.value, then: rest.then.clone() };
                    return self.parting(frame, stmt, Rc::new(after));
                }
                self.stmt(frame, stmt)?;
            }
            if let Some(value) = rest.value {
                return self.expr(frame, value).map(Some);
            }
        }
        Ok(None)
    }

    /// Lowers a statement that may return, with what follows it.
    fn parting<'h>(&mut self, frame: &mut Frame, stmt: &'h Stmt, after: Rc<Rest<'h>>) -> Result<Option<Items>, Excess> {
        self.descend()?;
        let into = |block: &'h hir::Block| {
            Rc::new(Rest { index: None, stmts: &block.stmts, value: None, then: Some(Rc::clone(&after)) })
        };
        let value = match &stmt.kind {
            StmtKind::If { condition, then, otherwise } => {
                let condition = self.item(frame, condition)?;
                let place = self.place(&stmt.loc);
                self.either(
                    frame,
                    condition,
                    place,
                    |lowering, frame| lowering.rest(frame, into(then)),
                    |lowering, frame| lowering.rest(frame, into(otherwise)),
                )?
            }
            StmtKind::Match { value, arms } => {
                let matched =
                    Matched { ty: frame.ty(&value.ty), items: self.expr(frame, value)?, place: self.place(&stmt.loc) };
                self.match_arms(frame, &matched, arms, &|lowering, frame, arm: &'h hir::Arm| {
                    lowering.rest(frame, into(&arm.body))
                })?
            }
            StmtKind::For { index, from, to, rounds_max, body } => {
                let (from, to) = (self.item(frame, from)?, self.item(frame, to)?);
                let bounds = self.graph.number(from).zip(self.graph.number(to));
                let (from, to) = bounds.ok_or_else(|| Excess::ReturnInLoop(stmt.loc.clone()))?;
                let place = self.place(&stmt.loc);
                let count = self.graph.bytes(number::encode(&(&to - &from)), place);
                let limit = self.graph.int(i64::from(*rounds_max), place);
                let fits = self.graph.op(Opcode::LessThanOrEqual, &[count, limit], place);
                self.verify(fits, &too_many(*rounds_max), &stmt.loc, place);
                let mut rounds = after;
                let mut number = to;
                while number > from {
                    self.step()?;
                    number -= IBig::ONE;
                    let index = Some((*index, number.clone()));
                    rounds = Rc::new(Rest { index, stmts: &body.stmts, value: None, then: Some(rounds) });
                }
                self.rest(frame, rounds)?
            }
            _ => return Err(Excess::ReturnInLoop(stmt.loc.clone())),
        };
        self.leave();
        Ok(value)
    }
}
