//! Names in plans and tests.

use syntax::Span;
use syntax::ast::{Expr, ExprKind, FieldInit, Ident, InputSource, Plan, PlanStmt, PlanStmtKind, PropertyParam, Test};

use super::files::{path_of, spend_of};
use super::{Def, DefKind, Resolver, Target};

impl<'s> Resolver<'_, 's> {
    pub(super) fn plan(&mut self, plan: &'s Plan) {
        self.enter(plan.span);
        self.params(&plan.params, DefKind::Argument);
        self.plan_stmts(&plan.stmts);
        self.leave();
    }

    pub(super) fn test(&mut self, test: &'s Test) {
        self.enter(test.span);
        for PropertyParam { param, range } in test.params.iter().flatten() {
            self.declare(&param.name, DefKind::Argument, 0);
            self.ty(&param.ty);
            if let Some(range) = range {
                self.expr(&range.from);
                self.expr(&range.to);
            }
        }
        self.plan_stmts(&test.stmts);
        self.leave();
    }

    fn plan_stmts(&mut self, stmts: &'s [PlanStmt]) {
        // Outputs and ages may name an input that comes later.
        for stmt in stmts {
            if let PlanStmtKind::Input { name, .. } = &stmt.kind {
                self.declare(name, DefKind::Input, 0);
            }
        }
        stmts.iter().for_each(|stmt| self.plan_stmt(stmt));
    }

    fn plan_stmt(&mut self, stmt: &'s PlanStmt) {
        match &stmt.kind {
            PlanStmtKind::Input { source, .. } => self.source(source),
            PlanStmtKind::Output { lock, fields } => {
                self.expr(lock);
                self.inits(fields);
            }
            PlanStmtKind::OutputEach { pattern, list, fields } => {
                self.expr(list);
                self.enter(stmt.span);
                self.pattern(pattern, pattern.span.end);
                self.inits(fields);
                self.leave();
            }
            PlanStmtKind::OutputData(values) => self.exprs(values),
            PlanStmtKind::Require { cond, .. }
            | PlanStmtKind::Assert { cond, .. }
            | PlanStmtKind::Classify { cond, .. } => self.expr(cond),
            PlanStmtKind::Let { pattern, ty, value } => {
                ty.iter().for_each(|ty| self.ty(ty));
                self.expr(value);
                self.pattern(pattern, stmt.span.end);
            }
            PlanStmtKind::LetWith { pattern, value, fields } => {
                self.expr(value);
                self.inits(fields);
                self.pattern(pattern, stmt.span.end);
            }
            PlanStmtKind::Locktime(value)
            | PlanStmtKind::ChangeTo(value)
            | PlanStmtKind::Publish(value)
            | PlanStmtKind::Call(value) => self.expr(value),
            PlanStmtKind::Age { input, value } => {
                self.mention(input);
                self.expr(value);
            }
            PlanStmtKind::Burn(input) => drop(self.mention(input)),
            PlanStmtKind::Try(attempt) => {
                attempt.at.iter().for_each(|at| self.expr(at));
                self.enter(stmt.span);
                self.plan_stmts(&attempt.stmts);
                self.leave();
            }
            PlanStmtKind::ChangeNone | PlanStmtKind::Error => {}
        }
    }

    fn inits(&mut self, fields: &'s [FieldInit]) {
        fields.iter().for_each(|field| self.field_init(field, None));
    }

    fn source(&mut self, source: &'s InputSource) {
        match source {
            InputSource::Path { contract, params, path, args, filter, .. } => {
                let of = self.item_path(contract);
                params.iter().for_each(|params| self.exprs(params));
                let item = match &of {
                    Target::Def(def) => self.files.view(def).map(|item| (def.file, item)),
                    _ => None,
                };
                let found = item.and_then(|(file, item)| path_of(file, item, path.as_str()));
                self.push(path.span, found.map_or(Target::Unknown, Target::Def));
                for arg in args {
                    let def = item.and_then(|(file, item)| {
                        let spend = spend_of(item, path.as_str())?;
                        let param = spend.params.iter().find(|param| param.name.name == arg.name.name)?;
                        Some(super::files::def_of(file, item, param.name.span, DefKind::Argument))
                    });
                    self.field_init(arg, def);
                }
                filter.iter().for_each(|filter| self.expr(filter));
            }
            InputSource::Key { owner, asks } => {
                self.expr(owner);
                self.inits(asks);
            }
            InputSource::Genesis => {}
        }
    }

    /// The path that a coin of a test is spent by: `let coin = chain.fund(Lock(..), ..)` says of which contract.
    pub(super) fn path_of_coin(&self, receiver: &'s Expr, method: &str) -> Option<Def> {
        let ExprKind::Name(coin) = &receiver.kind else { return None };
        let Target::Def(def) = self.lookup(coin.as_str())? else { return None };
        let stmts = match self.item.ast {
            syntax::ast::Item::Test(test) => test.stmts.as_slice(),
            _ => return None,
        };
        let contract = stmts.iter().find_map(|stmt| contract_of_coin(stmt, def.span))?;
        let def = self.contract_named(contract)?;
        path_of(def.file, self.files.view(&def)?, method)
    }
}

/// The contract that a statement funds, if it declares the coin at `coin`.
fn contract_of_coin(stmt: &PlanStmt, coin: Span) -> Option<&[Ident]> {
    let (PlanStmtKind::Let { pattern, value, .. } | PlanStmtKind::LetWith { pattern, value, .. }) = &stmt.kind else {
        return None;
    };
    let ExprKind::MethodCall { args, .. } = &value.kind else { return None };
    let ExprKind::Call { callee, .. } = &args.first()?.kind else { return None };
    if pattern.span != coin {
        return None;
    }
    match &callee.kind {
        ExprKind::Name(name) => Some(std::slice::from_ref(name)),
        ExprKind::Path(path) => Some(path),
        _ => None,
    }
}
