//! `state`: what a contract carries in the commitment of its coin's token.
//!
//! Reading a field slices the coin's own commitment; `continue` demands a next coin, `end` that there
//! is none. Both are plain conditions once they are checked, so nothing behind this knows of state. A
//! path that touches the state first checks that the commitment is as long as the state is; that check
//! is put in where paths are put together, as a function may be the one that reads.

use std::sync::Arc;

use syntax::ast::{self, Ident};
use syntax::{Code, Span};

use super::{Body, BodyKind, Env};
use crate::hir::{
    self, BinaryOp, Block, Builtin, Condition, Expr, ExprKind, Fact, ItemKind, LocalId, Stmt, StmtKind, Type,
};
use crate::report::Report;
use crate::signatures::declared_twice;
use crate::types;

/// A commitment has at most so many bytes.
pub(crate) const STATE_BYTES_MAX: u32 = 128;
/// `end` looks at so many outputs; a transaction that ends a state has no more.
const OUTPUTS_MAX: u32 = 32;
/// The bytes of a category without its capability.
const CATEGORY_BYTES: u32 = 32;

/// The state of a contract, as its bodies see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StateScope {
    pub(crate) fields: Vec<StateField>,
    /// In bytes.
    pub(crate) len: u32,
}

/// A field of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StateField {
    pub(crate) name: Arc<str>,
    /// None if its declaration was wrong.
    pub(crate) ty: Option<Type>,
    pub(crate) span: Span,
    /// Its first byte.
    at: u32,
}

impl StateScope {
    /// Lays the fields out and proves that they fit a commitment.
    pub(crate) fn of(contract: &Ident, state: &ast::State, env: Env<'_>, report: &mut Report<'_>) -> Self {
        let mut scope = StateScope { fields: Vec::new(), len: 0 };
        for field in &state.fields {
            let first = scope.fields.iter().find(|other| *other.name == *field.name.as_str());
            if let Some(first) = first.filter(|_| !field.name.is_missing()) {
                report.push(declared_twice(&field.name, report.loc(field.name.span), report.loc(first.span)));
            }
            let ty = storable(field, env, report);
            let at = scope.len;
            let len = ty.as_ref().and_then(Type::stored_len).unwrap_or(0);
            scope.len = scope.len.saturating_add(len);
            scope.fields.push(StateField { name: field.name.name.clone(), ty, span: field.name.span, at });
        }
        scope.check_len(contract, state, report);
        scope
    }

    fn check_len(&self, contract: &Ident, state: &ast::State, report: &mut Report<'_>) {
        if state.fields.is_empty() {
            let found = report.error(Code::E0427, format!("the state of `{contract}` has no field"), state.word_span);
            report.push(found.help("declare what the contract carries, such as `state { count: Int<4> }`"));
            return;
        }
        let end = |field: &StateField| field.at + field.ty.as_ref().and_then(Type::stored_len).unwrap_or(0);
        let Some(beyond) = self.fields.iter().find(|field| end(field) > STATE_BYTES_MAX) else { return };
        let message =
            format!("the state of `{contract}` takes {} bytes; a commitment holds {STATE_BYTES_MAX}", self.len);
        let parts =
            self.fields.iter().filter_map(|field| Some(format!("{} {}", field.name, field.ty.as_ref()?.stored_len()?)));
        let sum = format!("{} = {}", parts.collect::<Vec<_>>().join(" + "), self.len);
        let found = report.error(Code::E0427, message, beyond.span).saying("this field does not fit any more");
        report.push(found.note(sum).help("keep a hash of what is rarely needed, and let the spender show it"));
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| *field.name == *name)
    }

    /// The fields as the typed program has them; those without a type were refused.
    pub(crate) fn lowered(&self, report: &Report<'_>) -> Vec<hir::Param> {
        let field = |field: &StateField| {
            Some(hir::Param { name: field.name.to_string(), ty: field.ty.clone()?, loc: report.loc(field.span) })
        };
        self.fields.iter().filter_map(field).collect()
    }
}

/// The type of a field, if its values have one size.
fn storable(field: &ast::Field, env: Env<'_>, report: &mut Report<'_>) -> Option<Type> {
    let ty = types::resolve(&field.ty, env, report)?;
    if ty.stored_len().is_some() {
        return Some(ty);
    }
    let message = format!("`{ty}` has no fixed size, so `{}` cannot be part of the state", field.name);
    let found = report.error(Code::E0427, message, field.ty.span);
    report.fail(found.help("use `Bytes<N>`, or keep a hash such as `Hash256`"))
}

/// The check that the coin's commitment is as long as its state, for the top of a path.
pub(crate) fn carries_state(contract: &str, state: &StateScope, loc: &syntax::Loc) -> Stmt {
    let make = |kind, ty| Expr { kind, ty, loc: loc.clone() };
    let index = make(ExprKind::Introspect { fact: Fact::InputIndex, index: None }, Type::Int);
    let own = ExprKind::Introspect { fact: Fact::InputCommitment, index: Some(Box::new(index)) };
    let own = make(own, Type::Bytes);
    let size = make(ExprKind::Builtin { builtin: Builtin::Size, args: vec![own] }, Type::Int);
    let len = make(ExprKind::Int(state.len.into()), Type::Int);
    let op = BinaryOp::Equal(ItemKind::Number);
    let holds = make(ExprKind::Binary { op, left: size.into(), right: len.into() }, Type::Bool);
    let kind = StmtKind::Require {
        condition: Condition::Holds(holds),
        message: format!("the token of the coin holds a state of `{contract}`"),
    };
    Stmt { kind, loc: loc.clone() }
}

impl Body<'_, '_> {
    /// Whether `state` means the contract's state here.
    pub(super) fn means_state(&self, name: &Ident) -> bool {
        let declared = self.env.contract.is_some_and(|scope| scope.state.is_some());
        declared && name.as_str() == "state" && self.meaning(name).is_none()
    }

    /// The state that the body may read, or a message that there is none.
    pub(super) fn state_scope(&mut self, span: Span) -> Option<Arc<StateScope>> {
        match self.env.contract.and_then(|scope| scope.state.clone()) {
            Some(state) => Some(state),
            None => {
                let found = self.report.error(Code::E0428, "there is no state here", span);
                self.report.fail(found.help("declare it in the contract, such as `state { count: Int<4> }`"))
            }
        }
    }

    /// `state.name`
    pub(super) fn state_field(&mut self, name: &Ident, span: Span) -> Option<Expr> {
        let state = self.state_scope(span)?;
        let Some(field) = state.position(name.as_str()).and_then(|at| state.fields.get(at)) else {
            let known: Vec<&str> = state.fields.iter().map(|field| &*field.name).collect();
            return self.unknown_field("the state", name, &known);
        };
        let ty = field.ty.clone()?;
        Some(self.stored_field(&state, field.at, &ty, span))
    }

    fn stored_field(&mut self, state: &StateScope, at: u32, ty: &Type, span: Span) -> Expr {
        self.touches_state = true;
        let own = self.own_fact(Fact::InputCommitment, span);
        self.stored(span, |layout| layout.load(&own, state.len, at, ty))
    }

    fn own_fact(&self, fact: Fact, span: Span) -> Expr {
        self.fact(fact, Some(self.own_index(span)), span)
    }

    /// `continue { .. } with value .., tokens ..;`
    pub(super) fn continue_stmt(&mut self, next: &ast::Continue, span: Span, out: &mut Vec<Stmt>) {
        let demanded = self.next_coin(next, span);
        out.extend(self.note(demanded).into_iter().flatten());
    }

    fn next_coin(&mut self, next: &ast::Continue, span: Span) -> Option<Vec<Stmt>> {
        let state = self.state_scope(span)?;
        let values = self.next_values(next, &state);
        let value = next.value.as_ref().map(|value| self.expect(value, &Type::Coin));
        let tokens = next.tokens.as_ref().map(|tokens| self.expect(tokens, &Type::Tokens));
        self.only_in_paths("continue", span)?;
        let values = values?;
        let value_given = value.is_some();
        let value = value.unwrap_or_else(|| Some(self.own_fact(Fact::InputValue, span)))?;
        let tokens_given = tokens.is_some();
        let tokens = tokens.unwrap_or_else(|| Some(self.own_fact(Fact::InputTokens, span)))?;

        let mut stmts = Vec::new();
        let commitment = self.next_commitment(&state, values, span, &mut stmts);
        let (lock, category) = (self.own_fact(Fact::InputLock, span), self.own_fact(Fact::InputCategory, span));
        let given = |given: bool, what: &str| match given {
            true => format!("continue: the next coin has the {what} that is given"),
            false => format!("continue: the next coin has the {what} of this one"),
        };
        let same = |what: &str| format!("continue: the next coin has the {what} of this one");
        let checks = [
            (Fact::OutputLock, lock, same("lock")),
            (Fact::OutputCategory, category, same("token category and capability")),
            (Fact::OutputValue, value, given(value_given, "value")),
            (Fact::OutputTokens, tokens, given(tokens_given, "token amount")),
            (Fact::OutputCommitment, commitment, "continue: the next coin has the next state".to_owned()),
        ];
        for (fact, wanted, message) in checks {
            let found = self.own_fact(fact, span);
            let kind = if found.ty.is_number() { ItemKind::Number } else { ItemKind::Bytes };
            let loc = self.report.loc(wanted.loc.span);
            let holds = ExprKind::Binary { op: BinaryOp::Equal(kind), left: found.into(), right: wanted.into() };
            let condition = Condition::Holds(self.make(holds, Type::Bool, span));
            stmts.push(Stmt { kind: StmtKind::Require { condition, message }, loc });
        }
        Some(stmts)
    }

    /// The new value of each field, where one is given.
    fn next_values(&mut self, next: &ast::Continue, state: &StateScope) -> Option<Vec<Option<Expr>>> {
        let mut values: Vec<Option<Expr>> = vec![None; state.fields.len()];
        let mut first: Vec<Option<Span>> = vec![None; state.fields.len()];
        let mut sound = true;
        for init in next.fields.iter() {
            let Some(at) = state.position(init.name.as_str()) else {
                self.expr(&init.value);
                let known: Vec<&str> = state.fields.iter().map(|field| &*field.name).collect();
                self.unknown_field::<()>("the state", &init.name, &known);
                sound = false;
                continue;
            };
            if let Some(Some(before)) = first.get(at).copied() {
                let before = self.report.loc(before);
                self.report.push(declared_twice(&init.name, self.report.loc(init.name.span), before));
            }
            let ty = state.fields.get(at).and_then(|field| field.ty.clone());
            let value = match ty {
                Some(ty) => self.expect(&init.value, &ty.read()),
                None => self.expr(&init.value).and(None),
            };
            sound &= value.is_some();
            if let (Some(slot), Some(span)) = (values.get_mut(at), first.get_mut(at)) {
                *slot = value;
                *span = Some(init.name.span);
            }
        }
        sound.then_some(values)
    }

    /// The bytes of the next state. Stretches of fields that keep their value are taken as they are.
    fn next_commitment(
        &mut self,
        state: &StateScope,
        values: Vec<Option<Expr>>,
        span: Span,
        stmts: &mut Vec<Stmt>,
    ) -> Expr {
        self.touches_state = true;
        let own = self.own_fact(Fact::InputCommitment, span);
        let mut pieces = Vec::new();
        let mut kept = 0;
        for (field, value) in state.fields.iter().zip(values) {
            let Some((ty, value)) = field.ty.as_ref().zip(value) else { continue };
            self.keep(&own, state, (kept, field.at), span, &mut pieces);
            kept = field.at + ty.stored_len().unwrap_or(0);
            let value = self.held_in(value, stmts);
            let stored = self.stored(value.loc.span, |layout| layout.store(&value, ty));
            pieces.push(stored);
        }
        if pieces.is_empty() {
            return own;
        }
        self.keep(&own, state, (kept, state.len), span, &mut pieces);
        self.stored(span, |layout| layout.join(pieces))
    }

    fn keep(&mut self, own: &Expr, state: &StateScope, (from, to): (u32, u32), span: Span, pieces: &mut Vec<Expr>) {
        if from < to {
            pieces.push(self.stored(span, |layout| layout.slice(own, state.len, from, to - from)));
        }
    }

    /// The value as a variable, if it has parts that are read one by one.
    fn held_in(&mut self, value: Expr, stmts: &mut Vec<Stmt>) -> Expr {
        let simple = matches!(value.kind, ExprKind::Local(_) | ExprKind::Arg(_) | ExprKind::Tuple(_));
        if simple || !value.ty.is_composite() {
            return value;
        }
        let (ty, loc) = (value.ty.clone(), value.loc.clone());
        let local = self.variable("next".into(), Some(ty.clone()), loc.span);
        stmts.push(Stmt { kind: StmtKind::Let { local, value }, loc: loc.clone() });
        Expr { kind: ExprKind::Local(local), ty, loc }
    }

    /// `end;`: no output has a token of the coin's category, with whatever capability.
    pub(super) fn end_stmt(&mut self, span: Span, out: &mut Vec<Stmt>) {
        let ended = self.no_next_coin(span);
        out.extend(self.note(ended).into_iter().flatten());
    }

    fn no_next_coin(&mut self, span: Span) -> Option<[Stmt; 2]> {
        self.state_scope(span)?;
        self.only_in_paths("end", span)?;
        self.touches_state = true;
        let loc = self.report.loc(span);
        let kind_ty = Type::BytesN(CATEGORY_BYTES);
        let own = self.variable("category".into(), Some(kind_ty.clone()), span);
        let category = self.prefix(self.own_fact(Fact::InputCategory, span), span);
        let first = Stmt { kind: StmtKind::Let { local: own, value: category }, loc: loc.clone() };

        let index = self.variable("output".into(), Some(Type::Int), span);
        let of_output = self.category_of(index, span);
        let own = self.make(ExprKind::Local(own), kind_ty, span);
        let op = BinaryOp::NotEqual(ItemKind::Bytes);
        let holds = self.make(ExprKind::Binary { op, left: of_output.into(), right: own.into() }, Type::Bool, span);
        let message = "end: no output carries the token of this coin".to_owned();
        let check = Stmt { kind: StmtKind::Require { condition: Condition::Holds(holds), message }, loc: loc.clone() };
        let body = Block { stmts: vec![check], value: None };
        let from = self.make(ExprKind::Int(0.into()), Type::Int, span);
        let to = self.fact(Fact::OutputCount, None, span);
        let kind = StmtKind::For { index, from, to, rounds_max: OUTPUTS_MAX, body };
        Some([first, Stmt { kind, loc }])
    }

    /// The category of an output without its capability. An output without a token has none to take the
    /// first bytes of, so its number follows, in as many bytes: no category is so small a number.
    fn category_of(&self, index: LocalId, span: Span) -> Expr {
        let index = self.make(ExprKind::Local(index), Type::Int, span);
        let category = self.fact(Fact::OutputCategory, Some(index.clone()), span);
        let len = self.make(ExprKind::Int(CATEGORY_BYTES.into()), Type::Int, span);
        let kind = ExprKind::Builtin { builtin: Builtin::ToBytes, args: vec![index, len] };
        let filler = self.make(kind, Type::BytesN(CATEGORY_BYTES), span);
        let joined = ExprKind::Binary { op: BinaryOp::Concat, left: category.into(), right: filler.into() };
        self.prefix(self.make(joined, Type::Bytes, span), span)
    }

    fn prefix(&self, bytes: Expr, span: Span) -> Expr {
        let len = self.make(ExprKind::Int(CATEGORY_BYTES.into()), Type::Int, span);
        let kind = ExprKind::Builtin { builtin: Builtin::Prefix, args: vec![bytes, len] };
        self.make(kind, Type::BytesN(CATEGORY_BYTES), span)
    }

    fn only_in_paths(&mut self, word: &str, span: Span) -> Option<()> {
        if self.kind == BodyKind::Spend {
            return Some(());
        }
        let message = format!("`{word}` says what becomes of the coin, so it stands in a spend path");
        let found = self.report.error(Code::E0428, message, span);
        self.report.fail(found.help("move it to the path that calls this function"))
    }
}
