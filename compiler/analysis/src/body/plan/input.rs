//! `input name: source;`

use std::collections::BTreeMap;

use syntax::ast::{self, ExprKind as Ast, FieldInit, Ident, InputSource};
use syntax::{Code, Span};

use super::Coin;
use crate::body::{Body, Name, Slot};
use crate::contracts::{ContractSignature, PathSignature};
use crate::hir::{Builtin, Expr, ExprKind, PlanArg, PlanAsk, PlanInput, PlanSource, Type};
use crate::suggest;

/// What the coins of a key may have to bring.
const ASKS: [&str; 2] = ["value", "token"];
const TOKEN_ASKS: [&str; 3] = ["category", "amount", "commitment"];

impl<'a> Body<'a, '_> {
    /// Declares the coin of an input.
    pub(super) fn declare_input(&mut self, name: &Ident, source: &InputSource) -> Option<()> {
        let free = self.declare_coin(name);
        let (contract, each) = match source {
            InputSource::Path { contract, take, .. } => (self.contract_named(contract), *take == ast::Take::Each),
            InputSource::Key { .. } | InputSource::Genesis => (Some(None), false),
        };
        let known = contract.is_some();
        self.plan.as_mut()?.coins.push(Coin { name: name.clone(), contract: contract.flatten(), each, known });
        free
    }

    /// Checks the input whose coin was declared as the one at `index`.
    pub(super) fn input(&mut self, index: usize, name: &Ident, source: &InputSource) -> Option<PlanInput> {
        let loc = self.report.loc(name.span);
        let plan = self.plan.as_mut()?;
        let contract = plan.coins.get(index).filter(|coin| coin.known).map(|coin| coin.contract);
        let outer = plan.own.replace(index);
        let (source, accept) = self.source(source, contract);
        if let Some(plan) = self.plan.as_mut() {
            plan.own = outer;
        }
        Some(PlanInput { name: name.to_string(), source: source?, accept: accept?, age: None, burn: false, loc })
    }

    /// Where the coin comes from, and what holds for the coins that may be taken, if that is said.
    fn source(
        &mut self,
        source: &InputSource,
        contract: Option<Option<&'a ContractSignature>>,
    ) -> (Option<PlanSource>, Option<Option<Expr>>) {
        match (source, contract) {
            (InputSource::Path { params, path, args, take, filter, .. }, Some(Some(contract))) => {
                let source = self.path_source(contract, params.as_deref(), path, args, *take);
                let accept = match filter {
                    Some(filter) => self.expect(filter, &Type::Bool).map(Some),
                    None => Some(None),
                };
                (source, accept)
            }
            (InputSource::Path { params, args, filter, .. }, _) => {
                params.iter().flatten().chain(filter.as_deref()).for_each(|value| drop(self.expr(value)));
                args.iter().for_each(|arg| drop(self.expr(&arg.value)));
                (None, Some(None))
            }
            (InputSource::Key { owner, asks }, _) => (self.key_source(owner, asks), Some(None)),
            (InputSource::Genesis, _) => (Some(PlanSource::Genesis), Some(None)),
        }
    }

    /// `key(owner) with { value: .., token: { .. } }`
    fn key_source(&mut self, owner: &ast::Expr, asks: &[FieldInit]) -> Option<PlanSource> {
        let lock = self.owner_lock(owner);
        let asks = self.fields_of("a coin of a key", asks, &ASKS)?;
        let value = match asks.get("value") {
            Some(value) => Some(self.expect(value, &Type::Coin)?),
            None => None,
        };
        let token = match asks.get("token") {
            Some(token) => Some(Box::new(self.token_ask(token)?)),
            None => None,
        };
        Some(PlanSource::Key { lock: lock?, value, token })
    }

    fn token_ask(&mut self, token: &ast::Expr) -> Option<PlanAsk> {
        let Ast::Record(fields) = &token.kind else {
            self.expr(token)?;
            let found = self.report.error(Code::E0704, "what a coin has to bring is given by fields", token.span);
            return self.report.fail(found.help("write `token: { category: .., amount: .. }`"));
        };
        let fields = self.fields_of("a token", fields, &TOKEN_ASKS)?;
        let Some(category) = fields.get("category") else {
            let found = self.report.error(Code::E0704, "this token has no `category`", token.span);
            return self
                .report
                .fail(found.help("write `category: ..`, such as that of an input: `coin.token.category`"));
        };
        let category = self.category(category);
        let mut ask = |name: &str, ty: &Type| match fields.get(name) {
            Some(value) => self.expect(value, ty).map(Some),
            None => Some(None),
        };
        let (amount, commitment) = (ask("amount", &Type::Tokens), ask("commitment", &Type::Bytes));
        Some(PlanAsk { category: category?, amount: amount?, commitment: commitment? })
    }

    /// The contract that a path of names means; `Some(None)` would be a coin without one.
    fn contract_named(&mut self, path: &[Ident]) -> Option<Option<&'a ContractSignature>> {
        let signatures = self.env.signatures;
        if let Some(contract) = signatures.contract(path) {
            return Some(Some(contract));
        }
        let name = path.last().filter(|name| !name.is_missing())?;
        let close = self.report.did_you_mean(name.as_str(), signatures.contract_names());
        let found = self.report.error(Code::E0701, format!("there is no contract `{name}`"), name.span);
        self.report.fail(found.help(close.or_say(|| format!("declare it by `contract {name}(..) {{ .. }}`"))))
    }

    fn path_source(
        &mut self,
        contract: &ContractSignature,
        params: Option<&[ast::Expr]>,
        path: &Ident,
        args: &[FieldInit],
        take: ast::Take,
    ) -> Option<PlanSource> {
        let params = params.map(|params| self.param_values(contract, params, path.span));
        let Some(taken) = contract.paths.iter().find(|known| known.name == path.name) else {
            args.iter().for_each(|arg| drop(self.expr(&arg.value)));
            return self.no_path(contract, path);
        };
        let args = self.path_args(contract, taken, args, path.span)?;
        let params = match params {
            Some(params) => Some(params?),
            None => None,
        };
        let (contract, path) = (contract.name.to_string(), path.to_string());
        Some(PlanSource::Path { contract, params, path, args, take })
    }

    pub(super) fn no_path<T>(&mut self, contract: &ContractSignature, path: &Ident) -> Option<T> {
        if path.is_missing() {
            return None;
        }
        let names: Vec<&str> = contract.paths.iter().map(|path| &*path.name).collect();
        let found = self.report.error(Code::E0702, format!("`{}` has no path `{path}`", contract.name), path.span);
        let found = found.label(contract.loc.clone(), "declared here");
        let close = suggest::did_you_mean(path.as_str(), names.iter().copied());
        let list: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        self.report.fail(found.help(close.or_say(|| format!("its paths are {}", list.join(", ")))))
    }

    /// A value for each argument of the path, in its order.
    fn path_args(
        &mut self,
        contract: &ContractSignature,
        path: &PathSignature,
        given: &[FieldInit],
        span: Span,
    ) -> Option<Vec<(String, PlanArg)>> {
        let mut by_name: BTreeMap<&str, &FieldInit> = BTreeMap::new();
        let mut understood = Some(());
        for field in given {
            let slot = path.args.iter().find(|slot| slot.name == field.name.name);
            if slot.is_none_or(|slot| slot.ty == Some(Type::Padding)) {
                drop(self.expr(&field.value));
                understood = self.stray_arg(contract, path, &field.name);
            } else if by_name.insert(field.name.as_str(), field).is_some() {
                let found = self.report.error(Code::E0703, format!("`{}` is given twice", field.name), field.name.span);
                understood = self.report.fail(found.help("remove one of them"));
            }
        }
        let missing: Vec<&Slot> = path
            .args
            .iter()
            .filter(|slot| slot.ty != Some(Type::Padding) && !by_name.contains_key(&*slot.name))
            .collect();
        if !missing.is_empty() {
            let names: Vec<String> = missing.iter().map(|slot| format!("`{}`", slot.name)).collect();
            let lacks = format!("`{}.{}` also takes {}", contract.name, path.name, names.join(", "));
            let found = self.report.error(Code::E0703, lacks, span);
            let example: Vec<String> = missing.iter().map(|slot| format!("{}: ..", slot.name)).collect();
            understood = self.report.fail(found.help(format!("write `{}` between the brackets", example.join(", "))));
        }
        let mut args = Vec::with_capacity(path.args.len());
        for slot in &path.args {
            let arg = match by_name.get(&*slot.name) {
                Some(field) => self.path_arg(slot, &field.value),
                None => Some(PlanArg::Padding),
            };
            args.push(arg.map(|arg| (slot.name.to_string(), arg)));
        }
        let args = args.into_iter().collect::<Option<Vec<_>>>();
        understood.and(args)
    }

    fn stray_arg<T>(&mut self, contract: &ContractSignature, path: &PathSignature, name: &Ident) -> Option<T> {
        if name.is_missing() {
            return None;
        }
        if path.args.iter().any(|slot| slot.name == name.name) {
            let found = self.report.error(Code::E0703, format!("`{name}` is padding"), name.span);
            return self.report.fail(found.help("leave it out: the wallet makes it as long as the work needs it"));
        }
        let (of, names): (_, Vec<&str>) = (&contract.name, path.args.iter().map(|slot| &*slot.name).collect());
        let found = self.report.error(Code::E0703, format!("`{of}.{}` takes no `{name}`", path.name), name.span);
        let close = suggest::did_you_mean(name.as_str(), names.iter().copied());
        let list: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        self.report.fail(found.help(close.or_say(|| match list.as_slice() {
            [] => "the path takes nothing: write `()`".to_owned(),
            list => format!("it takes {}", list.join(", ")),
        })))
    }

    /// The value of an argument. For a signature also the key that makes it.
    pub(super) fn path_arg(&mut self, slot: &Slot, value: &ast::Expr) -> Option<PlanArg> {
        match &slot.ty {
            Some(Type::Sig) => {
                let given = self.expr(value)?;
                if matches!(given.ty, Type::PubKey | Type::BytesN(20)) {
                    return Some(PlanArg::Sign(given));
                }
                self.expect_checked(given, &Type::Sig, value.span).map(PlanArg::Value)
            }
            Some(Type::Sigs(count)) => self.sigs(*count, value),
            Some(Type::DataSig) => self.data_sig(value),
            Some(ty) => self.expect_given(value, ty).map(PlanArg::Value),
            None => {
                self.expr(value);
                None
            }
        }
    }

    fn sigs(&mut self, count: u32, value: &ast::Expr) -> Option<PlanArg> {
        match &value.kind {
            Ast::Array(keys) => {
                let keys: Vec<_> = keys.iter().map(|key| self.expect(key, &Type::PubKey)).collect();
                let keys = keys.into_iter().collect::<Option<Vec<_>>>()?;
                if keys.len() >= count as usize {
                    return Some(PlanArg::SignEach(keys));
                }
                let message = format!("{count} signatures are needed, but {} keys are given", keys.len());
                let found = self.report.error(Code::E0201, message, value.span);
                self.report
                    .fail(found.help(format!("give {count} keys, or more of which the wallet takes those it holds")))
            }
            Ast::Name(name) => {
                let given = match self.meaning(name) {
                    Some(Name::Arg(_)) => self.name(name)?,
                    _ => self.expr(value)?,
                };
                self.expect_checked(given, &Type::Sigs(count), value.span).map(PlanArg::Value)
            }
            _ => {
                let given = self.expr(value)?;
                let message = format!("`Sigs<{count}>` is needed, but this is `{}`", given.ty);
                let found = self.report.error(Code::E0201, message, value.span);
                self.report.fail(found.help("write the keys that sign, such as `[alice, bob]`"))
            }
        }
    }

    /// A signature over bytes: one that is given, or `attest(key, message)`.
    fn data_sig(&mut self, value: &ast::Expr) -> Option<PlanArg> {
        if let Ast::Bytes(_) = &value.kind {
            // Who does not attest leaves the signature empty; and one that is known can be shown again.
            let known = self.expr(value)?;
            return Some(PlanArg::Value(self.make(known.kind, Type::DataSig, value.span)));
        }
        let Ast::Call { callee, args } = &value.kind else {
            return self.expect(value, &Type::DataSig).map(PlanArg::Value);
        };
        match (&callee.kind, args.as_slice()) {
            (Ast::Name(name), [key, message]) if name.as_str() == "attest" && self.function(name).is_none() => {
                let (key, message) = (self.expect(key, &Type::PubKey), self.expect(message, &Type::Bytes));
                Some(PlanArg::Attest { key: key?, message: message? })
            }
            _ => self.expect(value, &Type::DataSig).map(PlanArg::Value),
        }
    }

    /// The lock of a coin of the wallet: a lock, a key, or the hash of one.
    fn owner_lock(&mut self, value: &ast::Expr) -> Option<Expr> {
        let owner = self.expr(value)?;
        let hash = match owner.ty {
            Type::PubKey => {
                let kind = ExprKind::Builtin { builtin: Builtin::Hash160, args: vec![owner] };
                self.make(kind, Type::BytesN(20), value.span)
            }
            Type::BytesN(20) => owner,
            _ => return self.expect_checked(owner, &Type::Lock, value.span),
        };
        let kind = ExprKind::Builtin { builtin: Builtin::LockP2pkh, args: vec![hash] };
        Some(self.make(kind, Type::Lock, value.span))
    }
}
