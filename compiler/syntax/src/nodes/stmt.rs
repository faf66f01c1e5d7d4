//! Statements, plans and arms.

use super::{Cx, Node, Parsed, Piece, gives_value, values};
use crate::ast::{
    Arm, BinaryOp, Block, Continue, Expr, ExprKind, FieldInit, For, ForRange, Ident, InputSource, Pattern, Place,
    PlaceStep, PlanStmt, PlanStmtKind, Stmt, StmtKind, StringLit, Take, Try, TypeExpr, While,
};
use crate::span::Span;
use std::sync::Arc;

/// What follows `with` in `continue`: the value and the token amount.
pub(crate) type Carried = (Option<Node<Expr>>, Option<Node<Expr>>);

impl Cx<'_> {
    pub(crate) fn stmt(&self, l: u32, r: u32, kind: Node<StmtKind>) -> Parsed {
        let span = self.span(l, r);
        kind.map(|kind| Box::new(Piece::Stmt(Stmt { kind, span })))
    }

    pub(crate) fn let_stmt(&self, parts: (Node<Pattern>, Option<Node<TypeExpr>>, Node<Expr>)) -> Node<StmtKind> {
        let (pattern, ty, value) = parts;
        let mut depth = value.depth;
        let pattern = pattern.into_value(&mut depth);
        let kind = StmtKind::Let { pattern, ty: ty.map(|ty| ty.into_value(&mut depth)), value: value.value };
        Node { value: kind, depth }
    }

    /// `place = value;`, or an error when nothing can be assigned to what stands on the left.
    pub(crate) fn assign(&mut self, place: Node<Expr>, value: Node<Expr>) -> Node<StmtKind> {
        let span = place.value.span;
        let depth = place.depth.max(value.depth);
        let kind = match place_of(place.value) {
            Some(place) => StmtKind::Assign { place, value: value.value },
            None => {
                self.no_place = Some(span);
                StmtKind::Error
            }
        };
        Node { value: kind, depth }
    }

    /// `place += value;` is `place = place + value;`.
    pub(crate) fn change(
        &mut self,
        place: Node<Expr>,
        (l, at, end): (u32, u32, u32),
        op: BinaryOp,
        value: Node<Expr>,
    ) -> Node<StmtKind> {
        let before = Node { value: place.value.clone(), depth: place.depth };
        let value = self.binary(l, at, end, before, op, value);
        self.assign(place, value)
    }

    pub(crate) fn for_numbers(
        &self,
        pattern: Node<Pattern>,
        from: Node<Expr>,
        to: Node<Expr>,
        max: Option<Node<Expr>>,
        body: Node<Arc<Block>>,
    ) -> Node<StmtKind> {
        let mut depth = body.depth;
        let pattern = pattern.into_value(&mut depth);
        let range = ForRange::Numbers {
            from: from.into_value(&mut depth),
            to: to.into_value(&mut depth),
            max: max.map(|max| max.into_value(&mut depth)),
        };
        Node { value: StmtKind::For(For { pattern, range, filter: None, body: body.value }), depth }
    }

    pub(crate) fn for_each(
        &self,
        pattern: Node<Pattern>,
        list: Node<Expr>,
        filter: Option<Node<Expr>>,
        body: Node<Arc<Block>>,
    ) -> Node<StmtKind> {
        let mut depth = body.depth;
        let pattern = pattern.into_value(&mut depth);
        let range = ForRange::Each(list.into_value(&mut depth));
        let filter = filter.map(|filter| filter.into_value(&mut depth));
        Node { value: StmtKind::For(For { pattern, range, filter, body: body.value }), depth }
    }

    pub(crate) fn while_loop(
        &self,
        cond: Node<Expr>,
        max: Option<Node<Expr>>,
        body: Node<Arc<Block>>,
    ) -> Node<StmtKind> {
        let mut depth = body.depth;
        let cond = cond.into_value(&mut depth);
        let max = max.map(|max| max.into_value(&mut depth));
        Node { value: StmtKind::While(While { cond, max, body: body.value }), depth }
    }

    pub(crate) fn carry_on(&self, fields: Option<Node<Arc<[FieldInit]>>>, carried: Option<Carried>) -> Node<StmtKind> {
        let mut depth = 1;
        let fields = fields.map(|fields| fields.into_value(&mut depth)).unwrap_or_default();
        let (value, tokens) = carried.unwrap_or_default();
        let value = value.map(|value| value.into_value(&mut depth));
        let tokens = tokens.map(|tokens| tokens.into_value(&mut depth));
        Node { value: StmtKind::Continue(Continue { fields, value, tokens }), depth }
    }

    pub(crate) fn budget_stmt(&self, limits: Vec<Node<FieldInit>>) -> Node<StmtKind> {
        let mut depth = 1;
        let limits = values(limits, &mut depth);
        Node { value: StmtKind::Budget(limits), depth }
    }

    pub(crate) fn tail(&self, value: Node<Expr>) -> Parsed {
        value.map(|value| Box::new(Piece::Tail(value)))
    }

    // ---- arms

    pub(crate) fn arm(
        &self,
        l: u32,
        r: u32,
        pattern: Node<Pattern>,
        guard: Option<Node<Expr>>,
        body: Node<Arc<Block>>,
    ) -> Parsed {
        let span = self.span(l, r);
        let mut depth = 0;
        let guard = guard.map(|guard| guard.into_value(&mut depth));
        let mut parsed = pattern.and(body, |pattern, body| Box::new(Piece::Arm(Arm { pattern, guard, body, span })));
        parsed.depth = parsed.depth.max(depth);
        parsed
    }

    /// The block that an expression stands for.
    pub(crate) fn block_of(&self, value: Node<Expr>) -> Node<Arc<Block>> {
        value.map(|expr| {
            let span = expr.span;
            let (stmts, tail) = if gives_value(&expr) {
                (Vec::new(), Some(Box::new(expr)))
            } else {
                (vec![super::statement_of(expr)], None)
            };
            Arc::new(Block { stmts, tail, span })
        })
    }

    // ---- plans

    pub(crate) fn plan_stmt(&self, l: u32, r: u32, kind: Node<PlanStmtKind>) -> Parsed {
        let span = self.span(l, r);
        kind.map(|kind| Box::new(Piece::Plan(PlanStmt { docs: Vec::new(), kind, span })))
    }

    /// `let coin = chain.fund(..) with { .. };`
    pub(crate) fn let_with(
        &self,
        pattern: Node<Pattern>,
        value: Node<Expr>,
        fields: Node<Arc<[FieldInit]>>,
    ) -> Node<PlanStmtKind> {
        let mut depth = 1;
        let (pattern, value) = (pattern.into_value(&mut depth), value.into_value(&mut depth));
        let fields = fields.into_value(&mut depth);
        Node { value: PlanStmtKind::LetWith { pattern, value, fields }, depth }
    }

    /// A call without `;`.
    pub(crate) fn last_call(&self, l: u32, r: u32, call: Node<Expr>) -> Parsed {
        let span = self.span(l, r);
        let stmt = |call| PlanStmt { docs: Vec::new(), kind: PlanStmtKind::Call(call), span };
        call.map(|call| Box::new(Piece::LastCall(stmt(call))))
    }

    pub(crate) fn assert_stmt(&self, cond: Node<Expr>, message: Option<StringLit>) -> Node<PlanStmtKind> {
        cond.map(|cond| PlanStmtKind::Assert { cond, message })
    }

    pub(crate) fn try_stmt(
        &self,
        word_span: Span,
        fails: Option<StringLit>,
        at: Option<Node<Expr>>,
        stmts: Node<Arc<[PlanStmt]>>,
    ) -> Node<PlanStmtKind> {
        let mut depth = 1;
        let at = at.map(|at| at.into_value(&mut depth));
        let stmts = stmts.into_value(&mut depth);
        Node { value: PlanStmtKind::Try(Try { fails, at, stmts, word_span }), depth }
    }

    pub(crate) fn plan_let(&self, parts: (Node<Pattern>, Option<Node<TypeExpr>>, Node<Expr>)) -> Node<PlanStmtKind> {
        self.let_stmt(parts).map(|kind| match kind {
            StmtKind::Let { pattern, ty, value } => PlanStmtKind::Let { pattern, ty, value },
            _ => PlanStmtKind::Error,
        })
    }

    pub(crate) fn plan_require(&self, parts: (Node<Expr>, Option<StringLit>)) -> Node<PlanStmtKind> {
        let (cond, message) = parts;
        cond.map(|cond| PlanStmtKind::Require { cond, message })
    }

    pub(crate) fn input_path(
        &self,
        mut contract: Vec<Ident>,
        params: Option<Vec<Node<Expr>>>,
        (path, args): (Ident, Vec<Node<FieldInit>>),
        take: Take,
        filter: Option<Node<Expr>>,
    ) -> Node<InputSource> {
        let mut depth = 1;
        let params = params.map(|params| values(params, &mut depth));
        let args = values(args, &mut depth);
        let filter = filter.map(|filter| Box::new(filter.into_value(&mut depth)));
        contract.shrink_to_fit();
        Node { value: InputSource::Path { contract, params, path, args, take, filter }, depth }
    }

    pub(crate) fn input_key(&self, owner: Node<Expr>, asks: Option<Node<Arc<[FieldInit]>>>) -> Node<InputSource> {
        let mut depth = 1;
        let owner = owner.into_value(&mut depth);
        let asks = asks.map(|asks| asks.into_value(&mut depth)).unwrap_or_default();
        Node { value: InputSource::Key { owner, asks }, depth }
    }

    pub(crate) fn output_each(
        &self,
        pattern: Node<Pattern>,
        list: Node<Expr>,
        fields: Node<Arc<[FieldInit]>>,
    ) -> Node<PlanStmtKind> {
        let mut depth = fields.depth;
        let pattern = pattern.into_value(&mut depth);
        let list = list.into_value(&mut depth);
        Node { value: PlanStmtKind::OutputEach { pattern, list, fields: fields.value }, depth }
    }

    pub(crate) fn output_data(&self, items: Vec<Node<Expr>>) -> Node<PlanStmtKind> {
        let mut depth = 1;
        let items = values(items, &mut depth);
        Node { value: PlanStmtKind::OutputData(items), depth }
    }
}

/// The place that an expression names.
fn place_of(expr: Expr) -> Option<Place> {
    let span = expr.span;
    let mut steps = Vec::new();
    let mut rest = expr;
    loop {
        let (base, step) = match rest.kind {
            ExprKind::Name(name) => {
                steps.reverse();
                return Some(Place { name, steps, span });
            }
            ExprKind::Field { base, name } => (base, PlaceStep::Field(name)),
            ExprKind::Element { base, index, index_span } => (base, PlaceStep::Element { index, span: index_span }),
            ExprKind::Index { base, index } => (base, PlaceStep::Index(*index)),
            _ => return None,
        };
        steps.push(step);
        rest = *base;
    }
}
