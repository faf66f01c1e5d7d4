//! Walks over trees: every block and statement of an item, and every expression but those in patterns and types.

use super::{
    Block, Entry, EntryValue, Expr, ExprKind, FieldInit, ForRange, If, InputSource, Item, Match, Member, PlaceStep,
    PlanStmt, PlanStmtKind, Stmt, StmtKind,
};
use crate::span::Span;

/// What a walk comes by.
#[derive(Clone, Copy, Debug)]
pub enum Node<'t> {
    /// An expression.
    Expr(&'t Expr),
    /// A statement.
    Stmt(&'t Stmt),
    /// A block, with or without braces.
    Block(&'t Block),
    /// An entry of a declaration.
    Entry(&'t Entry),
    /// A statement of a plan or test.
    PlanStmt(&'t PlanStmt),
    /// A member of a contract.
    Member(&'t Member),
}

impl Node<'_> {
    /// Where.
    pub fn span(self) -> Span {
        match self {
            Node::Expr(node) => node.span,
            Node::Stmt(node) => node.span,
            Node::Block(node) => node.span,
            Node::Entry(node) => node.span,
            Node::PlanStmt(node) => node.span,
            Node::Member(node) => node.span(),
        }
    }
}

/// Shows every node of an item to `see`, those around before those inside; where it says no, the inside is left out.
pub fn walk<'t>(item: &'t Item, see: &mut dyn FnMut(Node<'t>) -> bool) {
    let mut walk = Walk { see };
    match item {
        Item::Const(item) => walk.expr(&item.value),
        Item::Fn(item) => walk.block(&item.body),
        Item::Contract(item) => item.members.iter().for_each(|member| walk.member(member)),
        Item::Reward(item) => walk.entries(&item.entries),
        Item::Model(item) => walk.entries(&item.entries),
        Item::Imi(item) => walk.entries(&item.entries),
        Item::Imo(item) => walk.entries(&item.entries),
        Item::Plan(item) => walk.plan_stmts(&item.stmts),
        Item::Test(item) => {
            let ranges = item.params.iter().flatten().filter_map(|param| param.range.as_ref());
            ranges.for_each(|range| [&range.from, &range.to].into_iter().for_each(|bound| walk.expr(bound)));
            walk.plan_stmts(&item.stmts);
        }
        Item::Use(_) | Item::Struct(_) | Item::Enum(_) | Item::Error(_) => {}
    }
}

/// The same for an expression, which is shown first.
pub fn walk_expr<'t>(expr: &'t Expr, see: &mut dyn FnMut(Node<'t>) -> bool) {
    Walk { see }.expr(expr);
}

/// The same for a block.
pub fn walk_block<'t>(block: &'t Block, see: &mut dyn FnMut(Node<'t>) -> bool) {
    Walk { see }.block(block);
}

struct Walk<'s, 't> {
    see: &'s mut dyn FnMut(Node<'t>) -> bool,
}

impl<'t> Walk<'_, 't> {
    fn member(&mut self, member: &'t Member) {
        if !(self.see)(Node::Member(member)) {
            return;
        }
        match member {
            Member::Const(member) => self.expr(&member.value),
            Member::Fn(member) => self.block(&member.body),
            Member::Spend(member) => self.block(&member.body),
            Member::Budget(member) => self.inits(&member.limits),
            Member::State(_) | Member::Allow(_) | Member::Error(_) => {}
        }
    }

    fn block(&mut self, block: &'t Block) {
        if (self.see)(Node::Block(block)) {
            block.stmts.iter().for_each(|stmt| self.stmt(stmt));
            block.tail.iter().for_each(|tail| self.expr(tail));
        }
    }

    fn stmt(&mut self, stmt: &'t Stmt) {
        if !(self.see)(Node::Stmt(stmt)) {
            return;
        }
        match &stmt.kind {
            StmtKind::Let { value, .. } => self.expr(value),
            StmtKind::Assign { place, value } => {
                for step in &place.steps {
                    if let PlaceStep::Index(index) = step {
                        self.expr(index);
                    }
                }
                self.expr(value);
            }
            StmtKind::Require { cond, .. } => self.expr(cond),
            StmtKind::If(branch) => self.branch(branch),
            StmtKind::Match(choice) => self.choice(choice),
            StmtKind::For(repeat) => {
                match &repeat.range {
                    ForRange::Numbers { from, to, max } => [from, to].into_iter().chain(max).for_each(|e| self.expr(e)),
                    ForRange::Each(list) => self.expr(list),
                }
                repeat.filter.iter().for_each(|filter| self.expr(filter));
                self.block(&repeat.body);
            }
            StmtKind::While(repeat) => {
                self.expr(&repeat.cond);
                repeat.max.iter().for_each(|max| self.expr(max));
                self.block(&repeat.body);
            }
            StmtKind::Continue(next) => {
                self.inits(&next.fields);
                next.value.iter().chain(&next.tokens).for_each(|value| self.expr(value));
            }
            StmtKind::Budget(limits) => self.inits(limits),
            StmtKind::Split { pot, .. } => self.expr(pot),
            StmtKind::Return { value } => value.iter().for_each(|value| self.expr(value)),
            StmtKind::Expr(value) => self.expr(value),
            StmtKind::Allow(_) | StmtKind::End | StmtKind::Error => {}
        }
    }

    fn inits(&mut self, fields: &'t [FieldInit]) {
        fields.iter().for_each(|field| self.expr(&field.value));
    }

    fn exprs(&mut self, values: &'t [Expr]) {
        values.iter().for_each(|value| self.expr(value));
    }

    fn branch(&mut self, branch: &'t If) {
        self.expr(&branch.cond);
        self.block(&branch.then);
        branch.otherwise.iter().for_each(|otherwise| self.block(otherwise));
    }

    fn choice(&mut self, choice: &'t Match) {
        self.expr(&choice.value);
        for arm in choice.arms.iter() {
            arm.guard.iter().for_each(|guard| self.expr(guard));
            self.block(&arm.body);
        }
    }

    fn expr(&mut self, value: &'t Expr) {
        if !(self.see)(Node::Expr(value)) {
            return;
        }
        match &value.kind {
            ExprKind::Field { base, .. } | ExprKind::Element { base, .. } => self.expr(base),
            ExprKind::Index { base, index } => [base, index].into_iter().for_each(|part| self.expr(part)),
            ExprKind::Slice { base, from, to } => {
                [Some(base), from.as_ref(), to.as_ref()].into_iter().flatten().for_each(|part| self.expr(part));
            }
            ExprKind::Call { callee, args } => {
                self.expr(callee);
                self.exprs(args);
            }
            ExprKind::MethodCall { receiver, args, .. } => {
                self.expr(receiver);
                self.exprs(args);
            }
            ExprKind::Unary { operand, .. } => self.expr(operand),
            ExprKind::Binary { left, right, .. } => [left, right].into_iter().for_each(|part| self.expr(part)),
            ExprKind::If(branch) => self.branch(branch),
            ExprKind::Match(choice) => self.choice(choice),
            ExprKind::Array(parts) | ExprKind::Tuple(parts) => self.exprs(parts),
            ExprKind::Repeat { value, count } => [value, count].into_iter().for_each(|part| self.expr(part)),
            ExprKind::Struct(literal) => self.inits(&literal.fields),
            ExprKind::Record(fields) => self.inits(fields),
            ExprKind::With { base, fields } => {
                self.expr(base);
                self.inits(fields);
            }
            ExprKind::Quorum { needed, keys } => {
                self.expr(needed);
                self.exprs(keys);
            }
            ExprKind::Threshold { needed, keys, sigs } => {
                self.expr(needed);
                self.exprs(keys);
                self.exprs(sigs);
            }
            _ => {}
        }
    }

    fn entries(&mut self, entries: &'t [Entry]) {
        for entry in entries {
            if (self.see)(Node::Entry(entry)) {
                self.entry_value(&entry.value);
            }
        }
    }

    fn entry_value(&mut self, value: &'t EntryValue) {
        match value {
            EntryValue::Expr(value) | EntryValue::UpTo(value) | EntryValue::AtLeast(value) => self.expr(value),
            EntryValue::Group { weight, entries } => {
                weight.iter().for_each(|weight| self.expr(weight));
                self.entries(entries);
            }
            EntryValue::By { by, after } => [Some(by), after.as_ref()].into_iter().flatten().for_each(|e| self.expr(e)),
            EntryValue::Phrase(phrase) => {
                phrase.head.iter().for_each(|head| self.expr(head));
                for clause in &phrase.clauses {
                    clause.value.iter().for_each(|value| self.expr(value));
                    clause.entries.iter().for_each(|entries| self.entries(entries));
                }
            }
            EntryValue::List | EntryValue::Error(_) => {}
        }
    }

    fn plan_stmts(&mut self, stmts: &'t [PlanStmt]) {
        for stmt in stmts {
            if (self.see)(Node::PlanStmt(stmt)) {
                self.plan_stmt(stmt);
            }
        }
    }

    fn plan_stmt(&mut self, stmt: &'t PlanStmt) {
        match &stmt.kind {
            PlanStmtKind::Input { source, .. } => match source {
                InputSource::Path { params, args, filter, .. } => {
                    params.iter().for_each(|params| self.exprs(params));
                    self.inits(args);
                    filter.iter().for_each(|filter| self.expr(filter));
                }
                InputSource::Key { owner, asks } => {
                    self.expr(owner);
                    self.inits(asks);
                }
                InputSource::Genesis => {}
            },
            PlanStmtKind::Output { lock: value, fields }
            | PlanStmtKind::OutputEach { list: value, fields, .. }
            | PlanStmtKind::LetWith { value, fields, .. } => {
                self.expr(value);
                self.inits(fields);
            }
            PlanStmtKind::OutputData(values) => self.exprs(values),
            PlanStmtKind::Require { cond: value, .. }
            | PlanStmtKind::Assert { cond: value, .. }
            | PlanStmtKind::Classify { cond: value, .. }
            | PlanStmtKind::Let { value, .. }
            | PlanStmtKind::Locktime(value)
            | PlanStmtKind::ChangeTo(value)
            | PlanStmtKind::Publish(value)
            | PlanStmtKind::Age { value, .. }
            | PlanStmtKind::Call(value) => self.expr(value),
            PlanStmtKind::Try(attempt) => {
                attempt.at.iter().for_each(|at| self.expr(at));
                self.plan_stmts(&attempt.stmts);
            }
            PlanStmtKind::Burn(_) | PlanStmtKind::ChangeNone | PlanStmtKind::Error => {}
        }
    }
}
