//! Loops over lists: the spender pushes the records, and a hash says whether they are the right ones.
//!
//! A contract holds only the end of a hash chain over its list (`spec::artifact::ListLayout`). A path that
//! goes through the list takes the records as one more argument with the list's name, and what the chain
//! begins with as another, adds each record to a chain of its own and compares the ends, so that it sees
//! all records, or is refused. What `where`
//! equates with something that the script reads is not pushed: it is hashed as it was read. A list that a
//! path takes as its argument is whatever the spender says; its records are not compared with anything.
//! `list.about` is what the chain begins with, which the same comparison proves.

use std::collections::BTreeMap;
use std::sync::Arc;

use spec::artifact::ABOUT;
use syntax::ast::{self, BinaryOp as AstOp, ExprKind as Ast, Ident, PatternKind};
use syntax::{Code, Span};

use super::pattern::Place;
use super::{Body, BodyKind, Name, Slot};
use crate::hir::{
    ArgId, BinaryOp, Block, Builtin, Condition, Expr, ExprKind, ItemKind, LocalId, ParamId, Stmt, StmtKind, StructType,
    Type,
};

/// A list that a loop can go through.
pub(super) struct ListName {
    name: Ident,
    record: Arc<StructType>,
    of: ListOf,
}

/// Who gives a list.
#[derive(Clone, Copy)]
enum ListOf {
    /// Whoever deploys the contract, which keeps its hash.
    Contract(ParamId),
    /// Whoever spends the coin.
    Spender(ArgId),
}

/// The list that a path goes through.
pub(crate) struct ListRead {
    /// The argument that holds its records.
    pub(crate) arg: ArgId,
    /// With the fields that are pushed, in order.
    pub(crate) slot: Slot,
    /// The argument that holds what the hash chain begins with, where there is a chain; it stands before the list.
    pub(crate) about: Option<Slot>,
    span: Span,
}

/// What a list's chain begins with, once the path has read it.
pub(super) struct AboutRead {
    list: Arc<str>,
    arg: ArgId,
    span: Span,
}

/// The hash chain over the records so far.
struct Chain {
    end: LocalId,
    param: ParamId,
}

impl Body<'_, '_> {
    /// The list that an expression names, if it does.
    pub(super) fn list_named(&self, over: &ast::Expr) -> Option<ListName> {
        let Ast::Name(name) = &over.kind else { return None };
        let (ty, of) = match self.meaning(name) {
            Some(Name::Arg(id)) => (self.args.get(id.index())?.ty.as_ref()?, ListOf::Spender(id)),
            Some(Name::Local(_)) => return None,
            None => {
                let scope = self.env.contract?;
                let id = *scope.param_ids.get(&name.name)?;
                (scope.params.get(id.index())?.ty.as_ref()?, ListOf::Contract(id))
            }
        };
        match ty {
            Type::List(record) => Some(ListName { name: name.clone(), record: record.clone(), of }),
            _ => None,
        }
    }

    /// `for r in list where .. { .. }`
    pub(super) fn for_records(
        &mut self,
        each: &ast::For,
        list: &ListName,
        over: Span,
        span: Span,
        out: &mut Vec<Stmt>,
    ) -> Option<()> {
        let place = self.may_read_list(list, over);
        let record_ty = Type::Struct(list.record.clone());
        let loc = self.report.loc(span);
        let chain = match list.of {
            ListOf::Contract(param) => {
                self.params_used.insert(param);
                let end = self.variable("chain".into(), Some(Type::BytesN(32)), over);
                if let Some(variable) = self.locals.last_mut() {
                    variable.mutable = true;
                }
                let about = self.about_arg(list, over);
                let start = ExprKind::Builtin { builtin: Builtin::Hash256, args: vec![about] };
                let start = self.make(start, Type::BytesN(32), over);
                out.push(Stmt { kind: StmtKind::Let { local: end, value: start }, loc: loc.clone() });
                Some(Chain { end, param })
            }
            ListOf::Spender(_) => None,
        };
        self.open();
        let (index, written) = self.index_and_element(&each.pattern, Some(&record_ty));
        let known = self.equated(each.filter.as_ref(), written, &list.record);
        let mut stmts = Vec::new();
        let mut pushed = Vec::new();
        let mut fields = Vec::new();
        let mut parts = Vec::with_capacity(list.record.fields.len());
        for (name, ty) in &list.record.fields {
            let read = ty.read();
            let local = self.variable(name.as_str().into(), Some(read.clone()), over);
            match known.as_ref().and_then(|known| known.get(name.as_str())) {
                Some(value) => {
                    let loc = value.loc.clone();
                    stmts.push(Stmt { kind: StmtKind::Let { local, value: value.clone() }, loc });
                }
                None => {
                    pushed.push((name.clone(), ty.clone()));
                    fields.push(local);
                }
            }
            parts.push(self.make(ExprKind::Local(local), read, over));
        }
        if let Some(chain) = &chain {
            self.lengths(list, &pushed, &parts, over, &mut stmts);
            let next = self.next_link(chain, list, &parts, over);
            stmts.push(Stmt {
                kind: StmtKind::Assign { local: chain.end, place: Vec::new(), value: next },
                loc: loc.clone(),
            });
        }
        let pattern = self.pattern(written, Some(&record_ty), Place::Binding);
        let mut body = self.round(&each.body, false);
        self.close();
        let (pattern, _, ()) = (pattern?, known?, place?);
        self.must_fit(&pattern)?;
        let record = self.make(ExprKind::Tuple(parts), record_ty, over);
        self.bind(&pattern, &record, &mut stmts);
        stmts.append(&mut body.stmts);
        let arg = self.records_arg(list, pushed, over);
        let body = Block { stmts, value: None };
        out.push(Stmt { kind: StmtKind::EachRecord { list: arg, fields, index: Some(index), body }, loc: loc.clone() });
        if let Some(chain) = chain {
            out.push(self.same_list(&chain, list, over));
        }
        Some(())
    }

    /// Refuses a loop that cannot go through the list where it stands.
    fn may_read_list(&mut self, list: &ListName, span: Span) -> Option<()> {
        let name = &list.name;
        if self.kind != BodyKind::Spend || self.opened.len() != 1 {
            let message = format!("the loop over `{name}` does not stand at the top of a spend path");
            let found = self.report.error(Code::E0224, message, span);
            return self
                .report
                .fail(found.help("move it out of branches, loops and functions: all records are read, always"));
        }
        if let Some(read) = self.about_read.as_ref().filter(|read| read.list != name.name) {
            let message = format!("this path reads `{}.about`, and goes through another list", read.list);
            let found = self.report.error(Code::E0224, message, span);
            let found = found.label(self.report.loc(read.span), "read here");
            return self.report.fail(found.help("only the loop over a list proves what its chain begins with"));
        }
        if let Some(first) = &self.list_read {
            let message = format!("this path reads `{}` already", first.slot.name);
            let found = self.report.error(Code::E0224, message, span);
            let found = found.label(self.report.loc(first.span), "by this loop");
            return self.report.fail(found.help("do everything in one loop: a path reads one list, once"));
        }
        Some(())
    }

    /// `list.about`: what the list's chain begins with.
    pub(super) fn about_list(&mut self, base: &ast::Expr, field: &Ident, span: Span) -> Option<Option<Expr>> {
        let list = self.list_named(base).filter(|list| matches!(list.of, ListOf::Contract(_)))?;
        if field.as_str() != "about" || self.kind != BodyKind::Spend {
            return None;
        }
        if let Some(read) = self.about_read.as_ref().filter(|read| read.list != list.name.name) {
            let found = self.report.error(Code::E0224, format!("this path reads `{}.about` already", read.list), span);
            return Some(self.report.fail(found.help("a path reads one list, once")));
        }
        Some(Some(self.about_arg(&list, span)))
    }

    /// Refuses a path that reads what a list begins with and does not go through the list, so that nothing proves it.
    pub(super) fn about_is_proved(&mut self) {
        // Of a loop that was refused, its own message says what is wrong.
        let unread = self.list_read.is_none() && !self.broken;
        let Some(read) = self.about_read.as_ref().filter(|_| unread) else { return };
        let message = format!("nothing goes through the list `{}`, so `about` may be anything", read.list);
        let found = self.report.error(Code::E0224, message, read.span);
        let help = format!("write `for r in {} {{ .. }}` at the top of the path", read.list);
        self.report.push(found.help(help));
        self.broken = true;
    }

    /// The argument that holds what the chain begins with: a name that nobody can write.
    fn about_arg(&mut self, list: &ListName, span: Span) -> Expr {
        let known = self.about_read.as_ref().map(|read| read.arg);
        let arg = known.unwrap_or_else(|| {
            let name = format!("{}{ABOUT}", list.name.name);
            self.args.push(Slot { name: name.into(), ty: Some(Type::Bytes), span });
            let arg = ArgId::new(self.args.len() - 1);
            self.about_read = Some(AboutRead { list: list.name.name.clone(), arg, span });
            arg
        });
        self.make(ExprKind::Arg(arg), Type::Bytes, span)
    }

    /// Remembers which argument holds the records.
    fn records_arg(&mut self, list: &ListName, pushed: Vec<(String, Type)>, span: Span) -> ArgId {
        let record = StructType { name: list.record.name.clone(), args: list.record.args.clone(), fields: pushed };
        let slot = Slot { name: list.name.name.clone(), ty: Some(Type::List(record.into())), span };
        let (arg, about) = match list.of {
            ListOf::Spender(arg) => (arg, None),
            ListOf::Contract(_) => {
                let about = self.about_read.as_ref().and_then(|read| self.args.get(read.arg.index())).cloned();
                self.args.push(slot.clone());
                (ArgId::new(self.args.len() - 1), about)
            }
        };
        self.list_read = Some(ListRead { arg, slot, about, span });
        arg
    }

    /// What `where` says of the record's fields: the value of each that it equates with something.
    fn equated(
        &mut self,
        filter: Option<&ast::Expr>,
        written: &ast::Pattern,
        record: &StructType,
    ) -> Option<BTreeMap<String, Expr>> {
        let mut known = BTreeMap::new();
        let Some(filter) = filter else { return Some(known) };
        let name = match &written.kind {
            PatternKind::Name { name, mutable: false } => name,
            PatternKind::Error => return None,
            _ => {
                let found = self.report.error(Code::E0224, "`where` speaks of a record by its name", written.span);
                return self.report.fail(found.help("write `for r in list where r.field == ..`"));
            }
        };
        let mut waiting = vec![filter];
        let mut sound = Some(());
        while let Some(part) = waiting.pop() {
            if let Ast::Binary { op: AstOp::And, left, right, .. } = &part.kind {
                waiting.extend([&**right, &**left]);
            } else {
                sound = sound.and(self.equation(part, name, record, &mut known));
            }
        }
        sound.map(|()| known)
    }

    fn equation(
        &mut self,
        part: &ast::Expr,
        name: &Ident,
        record: &StructType,
        known: &mut BTreeMap<String, Expr>,
    ) -> Option<()> {
        let of_record = |side: &ast::Expr| match &side.kind {
            Ast::Field { base, name: field } => match &base.kind {
                Ast::Name(base) if base.name == name.name => Some(field.clone()),
                _ => None,
            },
            _ => None,
        };
        let sides = match &part.kind {
            Ast::Binary { op: AstOp::Eq, left, right, .. } => match (of_record(left), of_record(right)) {
                (Some(field), None) => Some((field, right)),
                (None, Some(field)) => Some((field, left)),
                _ => None,
            },
            Ast::Error => return None,
            _ => None,
        };
        let Some((field, value)) = sides else {
            let found = self.report.error(Code::E0224, "`where` equates a field of the record with a value", part.span);
            return self.report.fail(found.help(format!(
                "write it like `where {name}.lock == tx.outputs[i].lock`, and other conditions as a `require` in the loop"
            )));
        };
        let (_, ty) = self.field_index(&Type::Struct(record.clone().into()), &field)?;
        let value = self.expect(value, &ty)?;
        if known.insert(field.to_string(), value).is_some() {
            let found = self.report.error(Code::E0224, format!("`{field}` is equated twice"), part.span);
            return self.report.fail(found.help("write one of the conditions as a `require` in the loop"));
        }
        Some(())
    }

    /// Checks the lengths of pushed bytes where they could trade bytes with another field: the hash runs
    /// over the fields without marks between them. Numbers are brought to their length.
    fn lengths(
        &mut self,
        list: &ListName,
        pushed: &[(String, Type)],
        parts: &[Expr],
        span: Span,
        stmts: &mut Vec<Stmt>,
    ) {
        let free = list.record.fields.iter().filter(|(_, ty)| ty.is_bytes()).count();
        if free < 2 {
            return;
        }
        for ((name, ty), part) in list.record.fields.iter().zip(parts) {
            let Some(len) = ty.fixed_len().filter(|_| ty.is_bytes()) else { continue };
            if !pushed.iter().any(|(field, _)| field == name) {
                continue;
            }
            let size = ExprKind::Builtin { builtin: Builtin::Size, args: vec![part.clone()] };
            let size = self.make(size, Type::Int, span);
            let wanted = self.make(ExprKind::Int(len.into()), Type::Int, span);
            let message = format!("`{name}` of a record has {len} bytes");
            stmts.push(self.demand(BinaryOp::Equal(ItemKind::Number), size, wanted, message, span));
        }
    }

    /// The chain with one more record.
    fn next_link(&mut self, chain: &Chain, list: &ListName, parts: &[Expr], span: Span) -> Expr {
        let mut pieces = vec![self.make(ExprKind::Local(chain.end), Type::BytesN(32), span)];
        for ((_, ty), part) in list.record.fields.iter().zip(parts) {
            pieces.push(match ty.stored_len() {
                Some(_) => self.stored(span, |layout| layout.store(part, ty)),
                None => part.clone(),
            });
        }
        let whole = self.stored(span, |layout| layout.join(pieces));
        self.sha256(whole, span)
    }

    fn same_list(&self, chain: &Chain, list: &ListName, span: Span) -> Stmt {
        let end = self.make(ExprKind::Local(chain.end), Type::BytesN(32), span);
        let wanted = self.make(ExprKind::Param(chain.param), Type::BytesN(32), span);
        let message = format!("these are the records of `{}`, all of them", list.name);
        self.demand(BinaryOp::Equal(ItemKind::Bytes), end, wanted, message, span)
    }

    fn demand(&self, op: BinaryOp, left: Expr, right: Expr, message: String, span: Span) -> Stmt {
        let kind = ExprKind::Binary { op, left: left.into(), right: right.into() };
        let condition = Condition::Holds(self.make(kind, Type::Bool, span));
        Stmt { kind: StmtKind::Require { condition, message }, loc: self.report.loc(span) }
    }

    fn sha256(&self, bytes: Expr, span: Span) -> Expr {
        self.make(ExprKind::Builtin { builtin: Builtin::Sha256, args: vec![bytes] }, Type::BytesN(32), span)
    }
}
