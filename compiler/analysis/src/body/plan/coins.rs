//! What the expressions of a plan read: the coins that it names, and the locks of contracts.

use std::sync::Arc;

use syntax::ast::{self, Ident};
use syntax::{Code, Span};

use super::Plan;
use crate::body::place::Place;
use crate::body::{Body, Slot};
use crate::contracts::ContractSignature;
use crate::hir::{ArgId, CoinFact, Expr, ExprKind, ParamId, PlanFact, PlanRead, Type};

/// A step on the way to something that a plan knows.
#[derive(Clone)]
pub(in crate::body) enum Known {
    /// `name`
    Coin(Which),
    /// `name.token`
    Token(Which),
    /// `name.state`
    State(Which),
    /// `name.params`
    Params(Which),
    /// `Contract(args)`
    Contract(String, Vec<Expr>),
    /// `tx`
    Tx,
    /// `wallet`
    Wallet,
}

/// A coin that a name means.
#[derive(Clone, Copy)]
pub(in crate::body) struct Which {
    /// The input that spends it.
    pub(super) input: usize,
    /// Whether of several coins the one at hand is meant.
    pub(super) at_hand: bool,
}

impl Which {
    const fn fact(self, fact: CoinFact) -> PlanFact {
        if self.at_hand { PlanFact::AtHand(self.input, fact) } else { PlanFact::Coin(self.input, fact) }
    }
}

const COIN_FIELDS: [&str; 6] = ["value", "lock", "txid", "index", "position", "token"];
const CONTRACT_FIELDS: [&str; 9] = ["value", "lock", "txid", "index", "position", "token", "state", "params", "code"];
const EACH_FIELDS: [&str; 9] = ["value", "lock", "length", "token", "params", "txid", "index", "position", "code"];
const TOKEN_FIELDS: [&str; 4] = ["category", "commitment", "amount", "capability"];

impl Known {
    /// Why it is no value, and what to do.
    pub(in crate::body) fn no_value(&self) -> (&'static str, &'static str) {
        match self {
            Known::Coin(_) => ("a coin is not a value", "read a field, such as `.value` or `.lock`"),
            Known::Token(_) => ("a token is not a value", "read a field: `.category`, `.commitment` or `.amount`"),
            Known::State(_) => ("a state is not a value", "read one of its fields"),
            Known::Params(_) => ("these are several values", "read one of them by its name"),
            Known::Contract(..) => ("a contract is not a value", "write `.lock` behind it"),
            Known::Tx => ("`tx` is not a value", "read `tx.fee`, or the coins by their names"),
            Known::Wallet => ("`wallet` is not a value", "write `wallet.lock` for where it takes change"),
        }
    }
}

impl<'a> Body<'a, '_> {
    /// Whether a name or a call means a coin or a contract.
    pub(in crate::body) fn is_known(&self, value: &ast::Expr) -> bool {
        match &value.kind {
            ast::ExprKind::Name(name) => self.named(name).is_some(),
            ast::ExprKind::Call { callee, .. } => self.contract_called(callee).is_some(),
            _ => false,
        }
    }

    /// What a name means that no value has.
    fn named(&self, name: &Ident) -> Option<Known> {
        let plan = self.plan.as_ref().filter(|_| self.meaning(name).is_none())?;
        if let Some((_, input)) = plan.at_hand.as_ref().filter(|(at_hand, _)| at_hand.name == name.name) {
            return Some(Known::Coin(Which { input: *input, at_hand: true }));
        }
        match plan.coins.iter().position(|coin| coin.name.name == name.name) {
            Some(input) => Some(Known::Coin(self.which(input))),
            None => (name.as_str() == "wallet").then_some(Known::Wallet),
        }
    }

    /// The coin of an input as its plain name means it.
    pub(super) fn which(&self, input: usize) -> Which {
        let own = |plan: &Plan<'_>| plan.own == Some(input) && plan.coins.get(input).is_some_and(|coin| coin.each);
        Which { input, at_hand: self.plan.as_ref().is_some_and(own) }
    }

    /// The input for each coin that a name means, outside of its own arguments.
    pub(super) fn each_named(&self, value: &ast::Expr) -> Option<usize> {
        let ast::ExprKind::Name(name) = &value.kind else { return None };
        match self.named(name)? {
            Known::Coin(which) if self.is_each(which) => Some(which.input),
            _ => None,
        }
    }

    pub(super) fn contract_called(&self, callee: &ast::Expr) -> Option<&'a ContractSignature> {
        match &callee.kind {
            ast::ExprKind::Name(name) if self.function(name).is_some() => None,
            ast::ExprKind::Name(name) => self.env.signatures.contract(std::slice::from_ref(name)),
            ast::ExprKind::Path(path) => self.env.signatures.contract(path),
            _ => None,
        }
    }

    pub(in crate::body) fn not_in_plans<T>(&mut self, span: Span) -> Option<T> {
        let text = self.report.text_of(span);
        let who = if self.in_test() { "test" } else { "plan" };
        let found =
            self.report.error(Code::E0706, format!("a {who} has no `{text}`: its transaction is not built yet"), span);
        self.report.fail(found.help("name the coin by `input name: ..;` and read `name.value`, `name.lock` and so on"))
    }

    /// What a name or a call means in a plan, if it is a coin or a contract.
    pub(in crate::body) fn known(&mut self, value: &ast::Expr) -> Option<Option<Known>> {
        match &value.kind {
            ast::ExprKind::Name(name) => self.named(name).map(Some),
            ast::ExprKind::Tx => self.plan.as_ref().map(|_| Some(Known::Tx)),
            ast::ExprKind::Call { callee, args } => {
                let contract = self.contract_called(callee)?;
                Some(self.instance(contract, args, value.span))
            }
            _ => None,
        }
    }

    /// `Contract(a, b)`
    fn instance(&mut self, contract: &ContractSignature, args: &[ast::Expr], span: Span) -> Option<Known> {
        let values = self.param_values(contract, args, span)?;
        Some(Known::Contract(contract.name.to_string(), values))
    }

    /// A value for each parameter of the contract, in order.
    pub(super) fn param_values(
        &mut self,
        contract: &ContractSignature,
        args: &[ast::Expr],
        span: Span,
    ) -> Option<Vec<Expr>> {
        let (name, count) = (&contract.name, contract.params.len());
        if args.len() != count {
            args.iter().for_each(|arg| drop(self.expr(arg)));
            let values = if count == 1 { "1 value".to_owned() } else { format!("{count} values") };
            let found = self.report.error(Code::E0108, format!("`{name}` takes {values}, not {}", args.len()), span);
            let found = found.label(contract.loc.clone(), "declared here");
            return self.report.fail(found.help("give one value for each parameter, in order"));
        }
        let values: Vec<_> = args
            .iter()
            .zip(&contract.params)
            .map(|(arg, slot)| match &slot.ty {
                Some(wanted) => self.expect_given(arg, wanted),
                None => self.expr(arg),
            })
            .collect();
        values.into_iter().collect()
    }

    /// A field of something that a plan knows.
    pub(in crate::body) fn known_field(&mut self, base: Known, name: &Ident, span: Span) -> Option<Place> {
        match base {
            Known::Coin(coin) => self.plan_coin_field(coin, name, span),
            Known::Token(coin) => {
                let (fact, ty) = match name.as_str() {
                    "category" => (CoinFact::Category, Type::Bytes),
                    "commitment" => (CoinFact::Commitment, Type::Bytes),
                    "amount" => (CoinFact::Tokens, Type::Tokens),
                    "capability" => (CoinFact::Capability, Type::Int),
                    _ => return self.unknown_field("a token", name, &TOKEN_FIELDS),
                };
                self.coin_fact(coin, fact, ty, span)
            }
            Known::State(coin) => {
                let fields = &self.contract_of(coin.input)?.state;
                self.listed(coin, fields, CoinFact::State, "the state", name, span)
            }
            Known::Params(coin) => {
                let params = &self.contract_of(coin.input)?.params;
                self.listed(coin, params, |index| CoinFact::Param(ParamId::new(index)), "the contract", name, span)
            }
            Known::Contract(contract, args) => match name.as_str() {
                "lock" if self.plan.is_some() => {
                    Some(Place::Value(self.read(PlanFact::Lock(contract, args), Type::Lock, span)?))
                }
                "lock" => self.derived_lock(contract, args, span).map(Place::Value),
                _ => self.unknown_field("a contract", name, &["lock"]),
            },
            Known::Tx if name.as_str() == "fee" && !self.in_test() => {
                Some(Place::Value(self.read(PlanFact::Fee, Type::Coin, span)?))
            }
            Known::Tx => self.not_in_plans(span),
            Known::Wallet => match name.as_str() {
                "lock" => Some(Place::Value(self.read(PlanFact::Wallet, Type::Lock, span)?)),
                _ => self.unknown_field("the wallet", name, &["lock"]),
            },
        }
    }

    fn plan_coin_field(&mut self, coin: Which, name: &Ident, span: Span) -> Option<Place> {
        let contract = self.contract_of(coin.input);
        let each = self.is_each(coin);
        let (fact, ty) = match name.as_str() {
            "value" => (CoinFact::Value, Type::Coin),
            "lock" => (CoinFact::Lock, Type::Lock),
            "txid" => (CoinFact::Txid, Type::BytesN(32)),
            "index" => (CoinFact::Index, Type::Int),
            "position" => (CoinFact::Position, Type::Int),
            "code" if contract.is_some() => (CoinFact::Code, Type::Bytes),
            "length" if each => (CoinFact::Count, Type::Int),
            "token" => return Some(Place::Known(Known::Token(coin))),
            "params" if contract.is_some() => return Some(Place::Known(Known::Params(coin))),
            "state" if contract.is_some_and(|contract| !contract.state.is_empty()) => {
                return Some(Place::Known(Known::State(coin)));
            }
            _ => {
                let fields: &[&str] = match contract {
                    _ if each => &EACH_FIELDS,
                    Some(_) => &CONTRACT_FIELDS,
                    None => &COIN_FIELDS,
                };
                return self.unknown_field("a coin", name, fields);
            }
        };
        self.coin_fact(coin, fact, ty, span)
    }

    /// One of the values that a contract names.
    fn listed(
        &mut self,
        coin: Which,
        slots: &[Slot],
        fact: impl Fn(usize) -> CoinFact,
        of: &str,
        name: &Ident,
        span: Span,
    ) -> Option<Place> {
        let Some(index) = slots.iter().position(|slot| slot.name == name.name) else {
            let known: Vec<&str> = slots.iter().map(|slot| &*slot.name).collect();
            return self.unknown_field(of, name, &known);
        };
        let ty = slots.get(index)?.ty.as_ref()?.read();
        self.coin_fact(coin, fact(index), ty, span)
    }

    fn coin_fact(&mut self, coin: Which, fact: CoinFact, ty: Type, span: Span) -> Option<Place> {
        Some(Place::Value(self.coin_value(coin, fact, ty, span)?))
    }

    /// The value of a fact.
    pub(super) fn coin_value(&mut self, coin: Which, fact: CoinFact, ty: Type, span: Span) -> Option<Expr> {
        self.read(coin.fact(fact), ty, span)
    }

    /// Reads something that the wallet knows: it becomes one more argument of the plan's expressions.
    pub(super) fn read(&mut self, what: PlanFact, ty: Type, span: Span) -> Option<Expr> {
        let read = PlanRead { what, ty: ty.clone() };
        let plan = self.plan.as_mut()?;
        let index = plan.reads.iter().position(|known| *known == read).unwrap_or_else(|| {
            plan.reads.push(read);
            self.args.push(Slot { name: Arc::from(""), ty: Some(ty.clone()), span });
            plan.reads.len() - 1
        });
        let id = ArgId::new(plan.given + index);
        Some(self.make(ExprKind::Arg(id), ty, span))
    }

    /// The number of the input that a name means, among the first `seen`.
    pub(super) fn coin_named(&mut self, name: &Ident, seen: usize) -> Option<usize> {
        let coins = self.plan.as_ref()?.coins.get(..seen)?;
        if let Some(index) = coins.iter().position(|coin| coin.name.name == name.name) {
            return Some(index);
        }
        if name.is_missing() {
            return None;
        }
        let known: Vec<String> = coins.iter().map(|coin| coin.name.to_string()).collect();
        let close = self.report.did_you_mean(name.as_str(), known.iter().map(String::as_str));
        let found = self.report.error(Code::E0101, format!("there is no input `{name}` before this"), name.span);
        let help = close.or_say(|| format!("declare it before this: `input {name}: ..;`"));
        self.report.fail(found.help(help))
    }

    pub(super) fn contract_of(&self, coin: usize) -> Option<&'a ContractSignature> {
        self.plan.as_ref()?.coins.get(coin)?.contract
    }

    /// Whether the name means several coins here.
    fn is_each(&self, coin: Which) -> bool {
        let is_each = |plan: &Plan<'_>| !coin.at_hand && plan.coins.get(coin.input).is_some_and(|coin| coin.each);
        self.plan.as_ref().is_some_and(is_each)
    }

    /// What an expression reads, if it is nothing but a fact.
    pub(super) fn fact_of(&self, expr: &Expr) -> Option<&PlanFact> {
        let plan = self.plan.as_ref()?;
        match expr.kind {
            ExprKind::Arg(id) => plan.reads.get(id.index().checked_sub(plan.given)?).map(|read| &read.what),
            _ => None,
        }
    }
}
