//! `token: { .. }` of an output, and the state in its commitment.

use std::sync::Arc;

use syntax::ast::{self, ExprKind as Ast, FieldInit};
use syntax::{Code, Span};

use super::Known;
use super::coins::Which;
use crate::body::Body;
use crate::contracts::ContractSignature;
use crate::hir::{CoinFact, Expr, ExprKind, PlanCommitment, PlanFact, PlanToken, Type};

const FIELDS: [&str; 5] = ["category", "amount", "commitment", "state", "capability"];
/// What a capability is called, by its number.
const CAPABILITIES: [&str; 3] = ["none", "mutable", "minting"];

/// The contract whose state an output carries, and the coin that the state comes from.
#[derive(Clone, Copy)]
struct Owner<'a> {
    contract: &'a ContractSignature,
    coin: Option<Which>,
}

impl<'a> Body<'a, '_> {
    /// The token of an output under `lock`.
    pub(super) fn plan_token(&mut self, token: &ast::Expr, lock: Option<&Expr>) -> Option<PlanToken> {
        match &token.kind {
            Ast::Record(fields) => self.token_of(None, fields, lock, token.span),
            Ast::With { base, fields } => {
                let base = self.token_base(base)?;
                self.token_of(Some(base), fields, lock, token.span)
            }
            Ast::Error => None,
            _ => {
                let base = self.token_base(token)?;
                self.token_of(Some(base), &[], lock, token.span)
            }
        }
    }

    /// The coin whose token is meant.
    fn token_base(&mut self, base: &ast::Expr) -> Option<Which> {
        if let Ast::Field { base: coin, name } = &base.kind
            && name.as_str() == "token"
            && let Some(Some(Known::Coin(coin))) = self.known(coin)
        {
            return Some(coin);
        }
        self.expr(base)?;
        let found = self.report.error(Code::E0704, "this is no token", base.span);
        self.report.fail(found.help("write `{ category: .., amount: .. }`, or the `.token` of an input"))
    }

    fn token_of(
        &mut self,
        base: Option<Which>,
        fields: &[FieldInit],
        lock: Option<&Expr>,
        span: Span,
    ) -> Option<PlanToken> {
        let fields = self.fields_of("a token", fields, &FIELDS)?;
        let category = match (fields.get("category"), base) {
            (Some(category), _) => self.category(category),
            (None, Some(coin)) => self.coin_value(coin, CoinFact::Category, Type::Bytes, span),
            (None, None) => {
                let found = self.report.error(Code::E0704, "this token has no `category`", span);
                self.report.fail(found.help("write `category: ..`, such as that of an input: `coin.token.category`"))
            }
        };
        let amount = match (fields.get("amount"), base) {
            (Some(amount), _) => Some(self.expect(amount, &Type::Tokens)?),
            (None, Some(coin)) => Some(self.coin_value(coin, CoinFact::Tokens, Type::Tokens, span)?),
            (None, None) => None,
        };
        let capability = match fields.get("capability") {
            Some(capability) => Some(self.capability_named(capability)?),
            None => None,
        };
        let commitment = match (fields.get("commitment"), fields.get("state"), base) {
            (Some(_), Some(state), _) => {
                let found = self.report.error(Code::E0704, "a token has a `commitment` or a `state`", state.span);
                return self.report.fail(found.help("remove one of them: the state lies in the commitment"));
            }
            (Some(bytes), None, _) => PlanCommitment::Bytes(self.expect(bytes, &Type::Bytes)?),
            (None, Some(state), base) => self.state(state, base, lock)?,
            (None, None, Some(coin)) => {
                PlanCommitment::Bytes(self.coin_value(coin, CoinFact::Commitment, Type::Bytes, span)?)
            }
            (None, None, None) => PlanCommitment::Empty,
        };
        Some(PlanToken { category: category?, capability, amount, commitment })
    }

    /// A category with or without its capability.
    pub(super) fn category(&mut self, category: &ast::Expr) -> Option<Expr> {
        let expr = self.expect(category, &Type::Bytes)?;
        if expr.ty.fixed_len().is_none_or(|len| matches!(len, 32 | 33)) {
            return Some(expr);
        }
        let message = format!("a category has 32 bytes, or 33 with a capability, but this is `{}`", expr.ty);
        let found = self.report.error(Code::E0201, message, category.span);
        self.report.fail(found.help("give the category of an input, such as `coin.token.category`"))
    }

    fn capability_named(&mut self, capability: &ast::Expr) -> Option<Expr> {
        let by_name = match &capability.kind {
            Ast::Name(name) if self.meaning(name).is_none() => {
                CAPABILITIES.iter().position(|word| *word == name.as_str())
            }
            _ => None,
        };
        match by_name {
            Some(number) => Some(self.make(ExprKind::Int(number.into()), Type::Int, capability.span)),
            None => {
                let number = match &capability.kind {
                    Ast::Name(name) if self.meaning(name).is_none() => None,
                    _ => Some(self.expect(capability, &Type::Int)?),
                };
                if number.is_some() {
                    return number;
                }
                let found = self.report.error(Code::E0704, "there is no such capability", capability.span);
                self.report.fail(found.help("write `none`, `mutable` or `minting`"))
            }
        }
    }

    /// `state: { .. }`: a value for each field; those left out keep what the coin had.
    fn state(&mut self, state: &ast::Expr, base: Option<Which>, lock: Option<&Expr>) -> Option<PlanCommitment> {
        let Ast::Record(fields) = &state.kind else {
            self.expr(state)?;
            let found = self.report.error(Code::E0704, "a state is given by its fields", state.span);
            return self.report.fail(found.help("write `state: { field: .., .. }`"));
        };
        let Some(owner) = self.owner(base, lock) else {
            fields.iter().for_each(|field| drop(self.expr(&field.value)));
            let found = self.report.error(Code::E0704, "whose state this is does not show", state.span);
            let found = found.label(self.report.loc(state.span), "a state belongs to a contract");
            return self.report.fail(found.help("send the output to the lock of a contract that has state"));
        };
        let slots = &owner.contract.state;
        let names: Vec<&str> = slots.iter().map(|slot| &*slot.name).collect();
        let what = format!("the state of `{}`", owner.contract.name);
        let given = self.fields_of(&what, fields, &names)?;
        let mut missing: Vec<Arc<str>> = Vec::new();
        let mut values = Vec::with_capacity(slots.len());
        for (index, slot) in slots.iter().enumerate() {
            let stored = slot.ty.as_ref()?;
            let ty = stored.read();
            let value = match (given.get(&*slot.name), owner.coin) {
                (Some(value), _) => self.expect(value, &ty),
                (None, Some(coin)) => self.coin_value(coin, CoinFact::State(index), ty, state.span),
                (None, None) => {
                    missing.push(slot.name.clone());
                    None
                }
            };
            values.push(value.map(|value| (stored.clone(), value)));
        }
        if !missing.is_empty() {
            return self.incomplete(&what, &missing, state.span);
        }
        let values = values.into_iter().collect::<Option<Vec<_>>>()?;
        Some(PlanCommitment::State(owner.contract.name.to_string(), values))
    }

    fn incomplete<T>(&mut self, what: &str, missing: &[Arc<str>], span: Span) -> Option<T> {
        let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
        let found = self.report.error(Code::E0704, format!("{what} also has {}", names.join(", ")), span);
        self.report.fail(found.help("give every field: no input of this contract has a value that it could keep"))
    }

    /// Whose state an output carries: that of the contract that its lock belongs to, or of the coin
    /// that its token comes from.
    fn owner(&self, base: Option<Which>, lock: Option<&Expr>) -> Option<Owner<'a>> {
        let of_coin = |coin: Which| self.contract_of(coin.input).map(|contract| Owner { contract, coin: Some(coin) });
        let of_lock = match lock.and_then(|lock| self.fact_of(lock)) {
            Some(PlanFact::Coin(input, CoinFact::Lock)) => of_coin(Which { input: *input, at_hand: false }),
            Some(PlanFact::AtHand(input, CoinFact::Lock)) => of_coin(Which { input: *input, at_hand: true }),
            Some(PlanFact::Lock(name, _)) => {
                let contract = self.env.signatures.contract_called(name)?;
                let same = |coin: &Which| self.contract_of(coin.input).is_some_and(|other| other.name == contract.name);
                Some(Owner { contract, coin: base.filter(same) })
            }
            _ => None,
        };
        let owner = of_lock.or_else(|| of_coin(base?))?;
        (!owner.contract.state.is_empty()).then_some(owner)
    }
}
