//! The statements of a plan: coins, outputs, conditions.
//!
//! A plan is one transaction as the wallet builds it. Its expressions are those of a script, but they
//! read the coins that the plan names, by those names, instead of `tx` and `self`.

mod carried;
mod coins;
mod input;
mod output;
mod test;
mod token;

use syntax::ast::{self, Ident, PlanStmtKind as Ast};
use syntax::{Code, Span};

pub(super) use coins::Known;

use super::Body;
use crate::contracts::ContractSignature;
use crate::hir::{
    Block, Condition, Expr, LocalId, PlanChange, PlanInput, PlanOutput, PlanRead, PlanRequire, Stmt, StmtKind, Type,
};
use crate::signatures::declared_twice;

/// The coins that a plan names, and what it reads of them.
#[derive(Default)]
pub(super) struct Plan<'a> {
    /// How many arguments the plan has itself; what it reads follows them.
    given: usize,
    coins: Vec<Coin<'a>>,
    reads: Vec<PlanRead>,
    /// Whether it is a test.
    is_test: bool,
    /// The people whose keys a test uses.
    keys: Vec<String>,
    /// The input whose arguments are being checked.
    own: Option<usize>,
    /// The name of one coin of an input, in the output that is made for each of them.
    at_hand: Option<(Ident, usize)>,
}

/// A coin that a plan names.
struct Coin<'a> {
    name: Ident,
    contract: Option<&'a ContractSignature>,
    each: bool,
    /// Whether its source was understood.
    known: bool,
}

/// The checked statements of a plan.
pub(crate) struct CheckedPlan {
    pub(crate) reads: Vec<PlanRead>,
    pub(crate) locals: Vec<crate::hir::Local>,
    pub(crate) parts: PlanParts,
}

/// What the statements say, sorted by what it is about.
#[derive(Default)]
pub(crate) struct PlanParts {
    pub(crate) inputs: Vec<PlanInput>,
    pub(crate) lets: Vec<(LocalId, Expr)>,
    pub(crate) requires: Vec<PlanRequire>,
    pub(crate) outputs: Vec<PlanOutput>,
    pub(crate) locktime: Option<Expr>,
    pub(crate) publish: Vec<Expr>,
    pub(crate) change: PlanChange,
    /// How many inputs have been checked, whether they were understood or not.
    seen: usize,
    /// Where statements stand that may stand only once.
    once: Vec<(String, Span)>,
}

impl Body<'_, '_> {
    /// Checks the statements of a plan; nothing if one of them was not understood.
    pub(crate) fn check_plan(mut self, plan: &ast::Plan) -> Option<CheckedPlan> {
        self.plan = Some(Plan { given: self.args.len(), ..Plan::default() });
        self.open();
        let mut parts = PlanParts::default();
        // A coin may be read above its input: one input's arguments can depend on the coins of another.
        for stmt in &plan.stmts {
            if let Ast::Input { name, source } = &stmt.kind {
                let declared = self.declare_input(name, source);
                self.note(declared);
            }
        }
        for stmt in &plan.stmts {
            let understood = self.plan_stmt(stmt, &mut parts);
            self.note(understood);
        }
        self.close();
        let broken = self.broken;
        let reads = self.plan.take()?.reads;
        let locals = self.finish(Block::default()).locals;
        (!broken).then_some(CheckedPlan { reads, locals, parts })
    }

    fn plan_stmt(&mut self, stmt: &ast::PlanStmt, parts: &mut PlanParts) -> Option<()> {
        match &stmt.kind {
            Ast::Input { name, source } => {
                let index = parts.seen;
                parts.seen += 1;
                let input = self.input(index, name, source)?;
                parts.inputs.push(input);
            }
            Ast::Output { lock, fields } => parts.outputs.push(self.output(lock, fields, stmt.span)?),
            Ast::OutputEach { pattern, list, fields } => {
                parts.outputs.push(self.output_each(pattern, list, fields, stmt.span)?);
            }
            Ast::OutputData(data) => parts.outputs.push(self.output_data(data, stmt.span)?),
            Ast::Require { cond, message } => self.plan_require(cond, message.as_ref(), parts)?,
            Ast::Let { pattern, ty, value } => {
                let (pattern, ty, value) = (pattern.clone(), ty.clone(), value.clone());
                let kind = ast::StmtKind::Let { pattern, ty, value };
                for stmt in self.stmts(&[ast::Stmt { kind, span: stmt.span }]) {
                    if let StmtKind::Let { local, value } = stmt.kind {
                        parts.lets.push((local, value));
                    }
                }
            }
            Ast::Locktime(value) => {
                self.once("`locktime`", stmt.span, parts)?;
                parts.locktime = Some(self.time_of(value, &[Type::Height, Type::Time])?);
            }
            Ast::Age { input, value } => {
                let index = self.coin_named(input, parts.seen)?;
                self.once(&format!("the age of `{input}`"), stmt.span, parts)?;
                let age = self.time_of(value, &[Type::Blocks, Type::Duration])?;
                parts.inputs.get_mut(index)?.age = Some(age);
            }
            Ast::ChangeNone => {
                self.once("who takes the change", stmt.span, parts)?;
                parts.change = PlanChange::None;
            }
            Ast::ChangeTo(lock) => {
                self.once("who takes the change", stmt.span, parts)?;
                parts.change = PlanChange::To(self.expect(lock, &Type::Lock)?);
            }
            Ast::Burn(input) => {
                let index = self.coin_named(input, parts.seen)?;
                self.once(&format!("`burn {input}`"), stmt.span, parts)?;
                parts.inputs.get_mut(index)?.burn = true;
            }
            Ast::Publish(bytes) => parts.publish.push(self.expect(bytes, &Type::Bytes)?),
            // The grammar of plans has no statements of tests.
            Ast::Assert { .. }
            | Ast::Classify { .. }
            | Ast::LetWith { .. }
            | Ast::Try(_)
            | Ast::Call(_)
            | Ast::Error => return None,
        }
        Some(())
    }

    fn plan_require(
        &mut self,
        cond: &ast::Expr,
        message: Option<&ast::StringLit>,
        parts: &mut PlanParts,
    ) -> Option<()> {
        let message = message.map(|text| text.value.to_string()).filter(|text| !text.is_empty());
        let mut found = Vec::new();
        self.require(cond, message, &mut found);
        for Stmt { kind, loc } in found {
            if let StmtKind::Require { condition: Condition::Holds(condition), message } = kind {
                parts.requires.push(PlanRequire { condition, message, loc });
            }
        }
        Some(())
    }

    /// Refuses a second statement about `what`.
    fn once(&mut self, what: &str, span: Span, parts: &mut PlanParts) -> Option<()> {
        self.said_once(what, span, &mut parts.once)
    }

    /// Refuses a second statement about `what`, given what has been said.
    fn said_once(&mut self, what: &str, span: Span, said: &mut Vec<(String, Span)>) -> Option<()> {
        if let Some((_, first)) = said.iter().find(|(other, _)| other == what) {
            let found = self.report.error(Code::E0705, format!("{what} is said twice"), span);
            let found = found.saying("said again here").label(self.report.loc(*first), "said here");
            return self.report.fail(found.help("remove one of them"));
        }
        said.push((what.to_owned(), span));
        Some(())
    }

    /// A value of one of two types of time.
    fn time_of(&mut self, value: &ast::Expr, [first, second]: &[Type; 2]) -> Option<Expr> {
        let time = self.expr(value)?;
        if time.ty == *second {
            return Some(time);
        }
        if time.ty == *first || time.ty == Type::Int {
            return self.expect_checked(time, first, value.span);
        }
        let message = format!("`{first}` or `{second}` is needed, but this is `{}`", time.ty);
        let found = self.report.error(Code::E0201, message, value.span).saying(format!("this is `{}`", time.ty));
        self.report.fail(found.help(match first {
            Type::Height => "write `height 925_000`, or a `Height` or `Time` of a contract",
            _ => "write an age, such as `144 blocks` or `2 days`",
        }))
    }

    /// Declares a name for a coin.
    fn declare_coin(&mut self, name: &Ident) -> Option<()> {
        if name.is_missing() {
            return None;
        }
        let earlier =
            self.plan.as_ref()?.coins.iter().find(|coin| coin.name.name == name.name).map(|coin| coin.name.span);
        let of_value = || {
            let slot = self.args.iter().find(|slot| slot.name == name.name).map(|slot| slot.span);
            slot.or_else(|| self.locals.iter().find(|local| local.name == name.name).map(|local| local.span))
        };
        match earlier.or_else(of_value) {
            Some(first) => {
                let found = declared_twice(name, self.report.loc(name.span), self.report.loc(first));
                self.report.fail(found)
            }
            None => Some(()),
        }
    }
}
