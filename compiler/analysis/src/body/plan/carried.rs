//! Plans that tests carry out, and the coins that they leave.

use syntax::ast::{self, ExprKind as Ast, FieldInit, Ident};
use syntax::{Code, Span};

use super::test::Method;
use crate::body::Body;
use crate::hir::{PlanArg, TestPlan, TestStepKind, Type};
use crate::signatures::PlanSignature;

/// The call of a plan, and the coins that are named behind it.
fn parts(call: &ast::Expr) -> (&ast::Expr, &[FieldInit]) {
    match &call.kind {
        Ast::With { base, fields } => (base, fields),
        _ => (call, &[]),
    }
}

impl<'a> Body<'a, '_> {
    fn plan_called(&self, callee: &ast::Expr) -> Option<&'a PlanSignature> {
        match &callee.kind {
            Ast::Name(name) if self.meaning(name).is_none() => self.env.signatures.plan(std::slice::from_ref(name)),
            Ast::Path(path) => self.env.signatures.plan(path),
            _ => None,
        }
    }

    /// Whether a statement of a transaction is the call of a plan, or of something that can only be meant to be one.
    pub(super) fn calls_plan(&self, call: &ast::Expr) -> bool {
        match &parts(call).0.kind {
            Ast::Call { callee, .. } => match &callee.kind {
                Ast::Name(name) => self.plan_called(callee).is_some() || self.function(name).is_none(),
                Ast::Path(_) => true,
                _ => false,
            },
            _ => false,
        }
    }

    /// `plan_name(args) with { input: coin }`
    pub(super) fn carried(&mut self, call: &ast::Expr) -> Option<TestPlan> {
        let (base, coins) = parts(call);
        let Ast::Call { callee, args } = &base.kind else { return None };
        let Some(plan) = self.plan_called(callee) else {
            args.iter().for_each(|arg| drop(self.expr(arg)));
            return self.no_plan(callee);
        };
        let args = self.plan_args(plan, args, base.span);
        let coins: Vec<_> = coins.iter().map(|field| self.plan_coins(plan, field)).collect();
        let coins = coins.into_iter().collect::<Option<Vec<_>>>();
        let loc = self.report.loc(call.span);
        Some(TestPlan { name: plan.name.to_string(), declared: plan.loc.clone(), args: args?, coins: coins?, loc })
    }

    fn no_plan<T>(&mut self, callee: &ast::Expr) -> Option<T> {
        let name = match &callee.kind {
            Ast::Name(name) => name,
            Ast::Path(path) => path.last()?,
            _ => return None,
        };
        if self.env.signatures.is_broken(name.as_str()) {
            return None;
        }
        let close = self.report.did_you_mean(name.as_str(), self.env.signatures.plan_names());
        let found = self.report.error(Code::E0101, format!("there is no plan `{name}`"), callee.span);
        self.report.fail(found.help(close.or_say(|| {
            "call a path of a coin, such as `coin.refund(alice)`, or a plan; `bmc expand` prints those of declarations"
                .to_owned()
        })))
    }

    fn plan_args(&mut self, plan: &PlanSignature, args: &[ast::Expr], span: Span) -> Option<Vec<(String, PlanArg)>> {
        if args.len() != plan.args.len() {
            args.iter().for_each(|arg| drop(self.expr(arg)));
            let takes: Vec<String> = plan.args.iter().map(|slot| format!("`{}`", slot.name)).collect();
            let takes = if takes.is_empty() { "nothing".to_owned() } else { takes.join(", ") };
            let found = self.report.error(Code::E0108, format!("`{}` takes {takes}", plan.name), span);
            let found = found.label(plan.loc.clone(), "declared here");
            return self
                .report
                .fail(found.help("give one value for each argument, in order; for a signature the key that signs"));
        }
        let given = plan.args.iter().zip(args);
        let all: Vec<_> =
            given.map(|(slot, value)| Some((slot.name.to_string(), self.path_arg(slot, value)?))).collect();
        all.into_iter().collect()
    }

    /// `input: coin` or `input: [coin, coin]`
    fn plan_coins(&mut self, plan: &PlanSignature, field: &FieldInit) -> Option<(String, Vec<usize>)> {
        let name = &field.name;
        if !plan.inputs.contains(&name.name) {
            let close = self.report.did_you_mean(name.as_str(), plan.inputs.iter().map(|input| &**input));
            let message = format!("the plan `{}` has no input `{name}`", plan.name);
            let found = self.report.error(Code::E0101, message, name.span);
            let found = found.label(plan.loc.clone(), "declared here");
            return self.report.fail(found.help(close.or_say(|| "name one of its inputs".to_owned())));
        }
        let coins = match &field.value.kind {
            Ast::Array(coins) => coins.as_slice(),
            _ => std::slice::from_ref(&field.value),
        };
        let coins: Vec<_> = coins.iter().map(|coin| self.coin_meant(coin)).collect();
        Some((name.to_string(), coins.into_iter().collect::<Option<_>>()?))
    }

    fn coin_meant(&mut self, coin: &ast::Expr) -> Option<usize> {
        if let Ast::Name(name) = &coin.kind
            && let Some(index) = self.coin_of(name)
        {
            return Some(index);
        }
        let found = self.report.error(Code::E1002, "this is no coin of the test", coin.span);
        self.report.fail(found.help("name one that `chain.fund(..)` or `chain.coin(..)` gave a name"))
    }

    /// `let name = chain.coin(Contract);` or `let name = chain.coin(lock);`
    pub(super) fn find(&mut self, pattern: &ast::Pattern, call: &Method<'_>) -> Option<TestStepKind> {
        let [of] = call.args else {
            let found = self.report.error(Code::E0108, "`chain.coin` takes a contract or a lock", call.span);
            return self.report.fail(found.help("write `let coin = chain.coin(Contract);`"));
        };
        let name = self.coin_name(pattern)?;
        if let Some(contract) = self.contract_meant(of) {
            let index = self.name_coin(name, Some(contract), true)?;
            return Some(TestStepKind::Find(index, None));
        }
        let lock = self.expect(of, &Type::Lock);
        let index = self.name_coin(name, None, lock.is_some())?;
        lock.map(|lock| TestStepKind::Find(index, Some(lock)))
    }

    /// The contract that a bare name means.
    fn contract_meant(&self, of: &ast::Expr) -> Option<&'a crate::contracts::ContractSignature> {
        let path: &[Ident] = match &of.kind {
            Ast::Name(name) if self.meaning(name).is_none() => std::slice::from_ref(name),
            Ast::Path(path) => path,
            _ => return None,
        };
        self.env.signatures.contract(path)
    }
}
