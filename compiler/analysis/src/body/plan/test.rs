//! The statements of tests: coins, transactions, what is demanded of them.
//!
//! A test is evaluated where wallets are, so its expressions are those of plans. It names its coins by
//! `let`, and people by their names.

use std::sync::Arc;

use syntax::ast::{self, ExprKind as Ast, Ident, PatternKind, PlanStmtKind};
use syntax::{Code, Span};

use super::{Coin, Plan};
use crate::body::Body;
use crate::contracts::ContractSignature;
use crate::domain::reward;
use crate::hir::{
    Block, Expr, Local, PlanArg, PlanFact, PlanOutput, PlanRead, StmtKind, TestCoin, TestSpend, TestStep, TestStepKind,
    TestTry, Type,
};
use crate::signatures::declared_twice;
use crate::suggest;

/// What can be done with `chain`.
const CHAIN: [&str; 3] = ["fund", "coin", "mine"];

/// The checked statements of a test.
pub(crate) struct CheckedTest {
    pub(crate) keys: Vec<String>,
    pub(crate) reads: Vec<PlanRead>,
    pub(crate) locals: Vec<Local>,
    pub(crate) coins: Vec<TestCoin>,
    pub(crate) steps: Vec<TestStep>,
}

/// A call `receiver.method(args)`.
pub(super) struct Method<'t> {
    receiver: &'t ast::Expr,
    pub(super) name: &'t Ident,
    pub(super) args: &'t [ast::Expr],
    pub(super) span: Span,
}

impl<'t> Method<'t> {
    fn of(expr: &'t ast::Expr) -> Option<Self> {
        match &expr.kind {
            Ast::MethodCall { receiver, method, args } => {
                Some(Self { receiver: receiver.as_ref(), name: method, args: args.as_slice(), span: expr.span })
            }
            _ => None,
        }
    }

    fn receiver_name(&self) -> Option<&'t Ident> {
        match &self.receiver.kind {
            Ast::Name(name) => Some(name),
            _ => None,
        }
    }
}

impl<'a> Body<'a, '_> {
    /// Checks the statements of a test; nothing if one of them was not understood.
    pub(crate) fn check_test(mut self, test: &ast::Test) -> Option<CheckedTest> {
        self.plan = Some(Plan { given: self.args.len(), is_test: true, ..Plan::default() });
        self.open();
        let mut steps = Vec::new();
        for stmt in &test.stmts {
            let understood = self.test_stmt(stmt, test.params.is_none(), &mut steps);
            self.note(understood);
        }
        self.close();
        let broken = self.broken;
        let Plan { reads, keys, coins, .. } = self.plan.take()?;
        let coin = |coin: Coin<'_>| TestCoin {
            name: coin.name.to_string(),
            contract: coin.contract.map_or_else(String::new, |contract| contract.name.to_string()),
            loc: self.report.loc(coin.name.span),
        };
        let coins = coins.into_iter().map(coin).collect();
        let locals = self.finish(Block::default()).locals;
        (!broken).then_some(CheckedTest { keys, reads, locals, coins, steps })
    }

    fn test_stmt(&mut self, stmt: &ast::PlanStmt, is_test: bool, steps: &mut Vec<TestStep>) -> Option<()> {
        let loc = self.report.loc(stmt.span);
        let kind = match &stmt.kind {
            PlanStmtKind::Let { pattern, ty, value } => match self.chain_call(value) {
                Some(call) => {
                    let Some(call) = call else { return self.unknown_coin(pattern) };
                    if let Some(ty) = ty {
                        let found = self.report.error(Code::E1001, "a coin has no type", ty.span);
                        return self.report.fail(found.help("leave the type out"));
                    }
                    match call.name.as_str() {
                        "coin" => self.find(pattern, &call)?,
                        _ => self.fund(pattern, &call, &[])?,
                    }
                }
                None => {
                    let kind = ast::StmtKind::Let { pattern: pattern.clone(), ty: ty.clone(), value: value.clone() };
                    for made in self.stmts(&[ast::Stmt { kind, span: stmt.span }]) {
                        if let StmtKind::Let { local, value } = made.kind {
                            steps.push(TestStep { kind: TestStepKind::Let(local, value), loc: made.loc });
                        }
                    }
                    return Some(());
                }
            },
            PlanStmtKind::LetWith { pattern, value, fields } => match self.chain_call(value) {
                Some(Some(call)) => self.fund(pattern, &call, fields)?,
                Some(None) => return self.unknown_coin(pattern),
                None => {
                    let found =
                        self.report.error(Code::E1002, "only a coin of the chain is made `with` fields", value.span);
                    return self.report.fail(
                        found.help("write `let coin = chain.fund(Contract(..), 1 coin) with { token: { .. } };`"),
                    );
                }
            },
            PlanStmtKind::Assert { cond, message } => {
                let cond = self.expect(cond, &Type::Bool)?;
                TestStepKind::Assert(cond, message.as_ref().map(|text| text.value.to_string()))
            }
            PlanStmtKind::Classify { cond, label } => {
                let cond = self.expect(cond, &Type::Bool);
                if is_test {
                    let found = self.report.error(Code::E1001, "only the cases of a property are counted", stmt.span);
                    return self.report.fail(found.help("demand it by `assert`, or make the test a property"));
                }
                TestStepKind::Classify(cond?, label.value.to_string())
            }
            PlanStmtKind::Try(tried) => TestStepKind::Try(Box::new(self.try_of(tried)?)),
            PlanStmtKind::Call(call) => self.mine(call)?,
            PlanStmtKind::Error => return None,
            _ => return self.outside(stmt.span),
        };
        steps.push(TestStep { kind, loc });
        Some(())
    }

    fn outside<T>(&mut self, span: Span) -> Option<T> {
        let found = self.report.error(Code::E1001, "this belongs to a transaction", span);
        self.report.fail(found.help("move it between the braces of `passes { .. }` or `fails \"..\" { .. }`"))
    }

    /// The call of `chain` that an expression is, if it is one; `Some(None)` if its arguments are told about.
    fn chain_call<'t>(&mut self, value: &'t ast::Expr) -> Option<Option<Method<'t>>> {
        let call = Method::of(value)?;
        let name = call.receiver_name().filter(|name| name.as_str() == "chain")?;
        if self.meaning(name).is_some() {
            return None;
        }
        if CHAIN.contains(&call.name.as_str()) {
            return Some(Some(call));
        }
        let found = self.report.error(Code::E1002, format!("`chain` has no `{}`", call.name), call.name.span);
        let close = suggest::did_you_mean(call.name.as_str(), CHAIN);
        self.report.push(found.help(close.or_say(|| "write `chain.fund(..)` or `chain.mine(..)`")));
        Some(None)
    }

    /// `let name = chain.fund(Contract(..), amount) with { token: .. };`
    fn fund(&mut self, pattern: &ast::Pattern, call: &Method<'_>, fields: &[ast::FieldInit]) -> Option<TestStepKind> {
        let (lock, value) = match (call.name.as_str(), call.args) {
            ("fund", [lock, value]) => (lock, value),
            ("coin", _) => {
                let found = self.report.error(Code::E1002, "this coin is there already, with what it holds", call.span);
                return self.report.fail(found.help("leave out what follows `with`, or make one by `chain.fund(..)`"));
            }
            ("fund", _) => {
                let found = self.report.error(Code::E0108, "`chain.fund` takes a contract and an amount", call.span);
                return self.report.fail(found.help("write `chain.fund(Contract(..), 1 coin)`"));
            }
            _ => {
                let found = self.report.error(Code::E1002, "`chain.mine` makes no coin", call.span);
                return self.report.fail(found.help("write it as a statement: `chain.mine(6);`"));
            }
        };
        let name = self.coin_name(pattern)?;
        let contract = self.funded_contract(lock);
        let output = self.fund_output(lock, value, fields, contract, call.span);
        let index = self.name_coin(name, contract, output.is_some())?;
        output.map(|output| TestStepKind::Fund(index, Box::new(output)))
    }

    /// The one name that a pattern gives to a coin.
    pub(super) fn coin_name<'t>(&mut self, pattern: &'t ast::Pattern) -> Option<&'t Ident> {
        if let PatternKind::Name { name, mutable: false } = &pattern.kind {
            return Some(name);
        }
        let found = self.report.error(Code::E1002, "a coin has one name", pattern.span);
        self.report.fail(found.help("write `let coin = chain.fund(..);`"))
    }

    /// Declares a coin, whose number it gives; nothing if the name is taken.
    pub(super) fn name_coin(
        &mut self,
        name: &Ident,
        contract: Option<&'a ContractSignature>,
        known: bool,
    ) -> Option<usize> {
        let free = self.declare_coin(name);
        let plan = self.plan.as_mut()?;
        plan.coins.push(Coin { name: name.clone(), contract, each: false, known });
        let index = plan.coins.len() - 1;
        free.map(|()| index)
    }

    /// Declares a coin of which nothing is known, so that nothing more is said about it.
    fn unknown_coin<T>(&mut self, pattern: &ast::Pattern) -> Option<T> {
        if let PatternKind::Name { name, .. } = &pattern.kind {
            self.declare_coin(name)?;
            self.plan.as_mut()?.coins.push(Coin { name: name.clone(), contract: None, each: false, known: false });
        }
        None
    }

    /// The contract whose coin is made.
    fn funded_contract(&self, lock: &ast::Expr) -> Option<&'a ContractSignature> {
        match &lock.kind {
            Ast::Call { callee, .. } => self.contract_called(callee),
            _ => None,
        }
    }

    fn fund_output(
        &mut self,
        lock: &ast::Expr,
        value: &ast::Expr,
        fields: &[ast::FieldInit],
        contract: Option<&'a ContractSignature>,
        span: Span,
    ) -> Option<PlanOutput> {
        let lock = match (contract, &lock.kind) {
            (Some(contract), Ast::Call { args, .. }) => {
                let values = self.param_values(contract, args, lock.span);
                values.and_then(|values| {
                    self.read(PlanFact::Lock(contract.name.to_string(), values), Type::Lock, lock.span)
                })
            }
            _ => self.expect(lock, &Type::Lock),
        };
        let mut fields = self.fields_of("a coin", fields, &["token"])?;
        fields.insert("value", value);
        self.holding(None, lock, fields, span)
    }

    /// `chain.mine(blocks);`
    fn mine(&mut self, call: &ast::Expr) -> Option<TestStepKind> {
        match self.chain_call(call) {
            Some(None) => None,
            Some(Some(Method { name, args: [blocks], .. })) if name.as_str() == "mine" => {
                let blocks = self.time_of(blocks, &[Type::Int, Type::Blocks])?;
                Some(TestStepKind::Mine(blocks))
            }
            Some(Some(Method { name, span, .. })) if name.as_str() == "mine" => {
                let found = self.report.error(Code::E0108, "`chain.mine` takes a number of blocks", span);
                self.report.fail(found.help("write `chain.mine(6);`"))
            }
            Some(Some(_)) => {
                let found = self.report.error(Code::E1002, "this coin has no name", call.span);
                self.report.fail(found.help("name it: `let coin = chain.fund(..);`"))
            }
            None => {
                let spends = Method::of(call)
                    .and_then(|call| call.receiver_name())
                    .is_some_and(|name| self.coin_of(name).is_some());
                if spends {
                    return self.outside(call.span);
                }
                let found = self.report.error(Code::E1002, "this does nothing in a test", call.span);
                self.report.fail(found.help("demand something of a value by `assert`, or name it by `let`"))
            }
        }
    }

    pub(super) fn coin_of(&self, name: &Ident) -> Option<usize> {
        if self.meaning(name).is_some() {
            return None;
        }
        self.plan.as_ref()?.coins.iter().position(|coin| coin.name.name == name.name)
    }

    fn try_of(&mut self, tried: &ast::Try) -> Option<TestTry> {
        let at = match &tried.at {
            Some(at) => Some(self.time_of(at, &[Type::Height, Type::Time])?),
            None => None,
        };
        let fails = tried.fails.as_ref().map(|text| text.value.to_string());
        let mut made = TestTry { fails, at, plan: None, spends: Vec::new(), outputs: Vec::new(), locktime: None };
        if let [ast::PlanStmt { kind: PlanStmtKind::Call(call), .. }] = &tried.stmts[..]
            && self.calls_plan(call)
        {
            made.plan = self.carried(call);
            return made.plan.is_some().then_some(made);
        }
        let mut once = Vec::new();
        for stmt in &tried.stmts[..] {
            let understood = self.deal_stmt(stmt, &mut made, &mut once);
            self.note(understood);
        }
        if made.spends.is_empty() && !self.broken {
            let found = self.report.error(Code::E1001, "this transaction spends no coin", tried.word_span);
            return self.report.fail(found.help("call a path of a coin, such as `coin.refund(alice)`"));
        }
        (!self.broken).then_some(made)
    }

    fn deal_stmt(&mut self, stmt: &ast::PlanStmt, made: &mut TestTry, once: &mut Vec<(String, Span)>) -> Option<()> {
        match &stmt.kind {
            PlanStmtKind::Call(call) => {
                let spend = self.spend(call, made)?;
                made.spends.push(spend);
            }
            PlanStmtKind::Output { lock, fields } => made.outputs.push(self.output(lock, fields, stmt.span)?),
            PlanStmtKind::OutputEach { pattern, list, fields } => {
                made.outputs.push(self.output_each(pattern, list, fields, stmt.span)?);
            }
            PlanStmtKind::OutputData(data) => made.outputs.push(self.output_data(data, stmt.span)?),
            PlanStmtKind::Locktime(value) => {
                self.said_once("`locktime`", stmt.span, once)?;
                made.locktime = Some(self.time_of(value, &[Type::Height, Type::Time])?);
            }
            PlanStmtKind::Age { input, value } => {
                let value = self.time_of(value, &[Type::Blocks, Type::Duration]);
                self.said_once(&format!("the age of `{input}`"), stmt.span, once)?;
                self.spent(input, made)?.age = Some(value?);
            }
            PlanStmtKind::Burn(input) => self.spent(input, made)?.burn = true,
            PlanStmtKind::Error => return None,
            _ => {
                let found = self.report.error(Code::E1001, "this is no part of a transaction", stmt.span);
                return self.report.fail(found.help(
                    "a transaction calls paths of coins, and holds `output`, `locktime`, `age` and `burn`; write this before it or behind it",
                ));
            }
        }
        Some(())
    }

    /// The coin of that name among those that the transaction spends.
    fn spent<'m>(&mut self, name: &Ident, made: &'m mut TestTry) -> Option<&'m mut TestSpend> {
        let coin = self.coin_of(name);
        if let Some(spend) = made.spends.iter_mut().find(|spend| Some(spend.coin) == coin) {
            return Some(spend);
        }
        let found =
            self.report.error(Code::E0101, format!("the transaction spends no `{name}` before this"), name.span);
        self.report.fail(found.help(format!("call a path of it before this: `{name}.path(..);`")))
    }

    /// `coin.path(args)`
    fn spend(&mut self, call: &ast::Expr, made: &TestTry) -> Option<TestSpend> {
        let method = Method::of(call).and_then(|method| Some((method.receiver_name()?, method)));
        let Some((name, method)) = method else {
            if self.calls_plan(call) {
                let found = self.report.error(Code::E1001, "a plan is the whole transaction", call.span);
                return self.report.fail(found.help("move what stands beside it into a transaction of its own"));
            }
            let found = self.report.error(Code::E1002, "this spends no coin", call.span);
            return self.report.fail(found.help("call a path of a coin, such as `coin.refund(alice)`, or a plan"));
        };
        let Some(coin) = self.coin_of(name) else {
            let known: Vec<String> =
                self.plan.iter().flat_map(|plan| &plan.coins).map(|coin| coin.name.to_string()).collect();
            let close = self.report.did_you_mean(name.as_str(), known.iter().map(String::as_str));
            let found = self.report.error(Code::E0101, format!("there is no coin `{name}`"), name.span);
            return self.report.fail(found.help(
                close.or_say(|| format!("make it before this: `let {name} = chain.fund(Contract(..), 1 coin);`")),
            ));
        };
        if let Some(again) = made.spends.iter().find(|spend| spend.coin == coin) {
            let found = declared_twice(name, self.report.loc(name.span), again.loc.clone());
            let found = syntax::Diagnostic { message: format!("`{name}` is spent twice"), ..found };
            return self.report.fail(found.help("spend it in a second transaction"));
        }
        let Some(contract) = self.plan.as_ref()?.coins.get(coin)?.contract else {
            if self.plan.as_ref()?.coins.get(coin)?.known {
                let found = self.report.error(Code::E1002, format!("`{name}` is no contract's coin"), name.span);
                return self.report.fail(found.help("only coins that `chain.fund(Contract(..), ..)` makes have paths"));
            }
            return None;
        };
        let Some(path) = contract.paths.iter().find(|known| known.name == method.name.name) else {
            method.args.iter().for_each(|arg| drop(self.expr(arg)));
            return self.no_path(contract, method.name);
        };
        let args = self.positional(contract, path, &method)?;
        let (path, loc) = (path.name.to_string(), self.report.loc(method.span));
        Some(TestSpend { coin, path, args, age: None, burn: false, loc })
    }

    /// A value for each argument of the path that whoever spends gives.
    fn positional(
        &mut self,
        contract: &ContractSignature,
        path: &crate::contracts::PathSignature,
        call: &Method<'_>,
    ) -> Option<Vec<(String, PlanArg)>> {
        let slots: Vec<_> = path.args.iter().filter(|slot| slot.ty != Some(Type::Padding)).collect();
        if slots.len() != call.args.len() {
            call.args.iter().for_each(|arg| drop(self.expr(arg)));
            let takes: Vec<String> = slots.iter().map(|slot| format!("`{}`", slot.name)).collect();
            let takes = if takes.is_empty() { "nothing".to_owned() } else { takes.join(", ") };
            let message = format!("`{}.{}` takes {takes}", contract.name, path.name);
            let found = self.report.error(Code::E0703, message, call.span);
            return self
                .report
                .fail(found.help("give one value for each argument, in order; for a signature the key that signs"));
        }
        let args: Vec<_> = slots
            .iter()
            .zip(call.args)
            .map(|(slot, value)| self.path_arg(slot, value).map(|arg| (slot.name.to_string(), arg)))
            .collect();
        let mut args = args.into_iter().collect::<Option<Vec<_>>>()?;
        let padding = path.args.iter().filter(|slot| slot.ty == Some(Type::Padding));
        args.extend(padding.map(|slot| (slot.name.to_string(), PlanArg::Padding)));
        Some(args)
    }

    /// The key of a person of the test.
    pub(in crate::body) fn person(&mut self, name: &str, span: Span) -> Option<Expr> {
        let plan = self.plan.as_mut()?;
        let index = plan.keys.iter().position(|known| known == name).unwrap_or_else(|| {
            plan.keys.push(name.to_owned());
            plan.keys.len() - 1
        });
        self.read(PlanFact::Key(index), Type::PubKey, span)
    }

    /// The key that a name means in a test which nothing else declares.
    pub(in crate::body) fn person_named(&mut self, name: &Ident) -> Option<Option<Expr>> {
        (self.in_test() && spec::DEVNET_NAMES.contains(&name.as_str())).then(|| self.person(name.as_str(), name.span))
    }

    /// `key("name")` in a test: the key of somebody else.
    pub(in crate::body) fn key_call(&mut self, args: &[ast::Expr], span: Span) -> Option<Expr> {
        match args {
            [ast::Expr { kind: Ast::Str(name), .. }] if !name.is_empty() => self.person(&Arc::clone(name), span),
            _ => {
                args.iter().for_each(|arg| drop(self.expr(arg)));
                let found = self.report.error(Code::E0108, "`key` takes the name of a person", span);
                self.report.fail(found.help("write the name in quotes: `key(\"judge\")`"))
            }
        }
    }

    /// `Reward.divide(pot)` and `array.sum()` in a test.
    pub(in crate::body) fn test_method(
        &mut self,
        receiver: &ast::Expr,
        method: &Ident,
        args: &[ast::Expr],
        span: Span,
    ) -> Option<Option<Expr>> {
        if !self.in_test() {
            return None;
        }
        match (method.as_str(), args, &receiver.kind) {
            ("divide", [pot], Ast::Name(name)) if self.meaning(name).is_none() => {
                let table = self.env.signatures.reward(name.as_str())?.as_ref();
                Some(table.and_then(|table| self.shares(table, pot, span)))
            }
            ("sum", [], _) => Some(self.sum(receiver, span)),
            _ => None,
        }
    }

    fn shares(&mut self, table: &reward::Table, pot: &ast::Expr, span: Span) -> Option<Expr> {
        let pot = self.expect(pot, &Type::Coin)?;
        if !table.is_fixed() {
            let found = self.report.error(Code::E1002, format!("the weights of `{}` are not fixed", table.name), span);
            return self.report.fail(found.help("only a reward whose sources the source says divides in a test"));
        }
        let weights: Vec<u64> = table.ranked().map(|leaf| leaf.weight).collect();
        let ty = Type::Array(Type::Coin.into(), u32::try_from(weights.len()).ok()?);
        self.read(PlanFact::Shares(vec![pot], weights), ty, span)
    }

    fn sum(&mut self, receiver: &ast::Expr, span: Span) -> Option<Expr> {
        let list = self.expr(receiver)?;
        match &list.ty {
            Type::Array(of, _) if of.is_number() => {
                let ty = of.read();
                self.read(PlanFact::Sum(vec![list]), ty, span)
            }
            ty => {
                let message = format!("an array of numbers is needed, but this is `{ty}`");
                let found = self.report.error(Code::E0201, message, receiver.span);
                self.report.fail(found.help("give an array, such as `[1, 2]` or `Reward.divide(pot)`"))
            }
        }
    }

    pub(super) fn in_test(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.is_test)
    }

    /// Whether a test is checked that declares no function of the name.
    pub(in crate::body) fn is_test_word(&self, name: &Ident, word: &str) -> bool {
        self.in_test() && name.as_str() == word && self.function(name).is_none()
    }
}
