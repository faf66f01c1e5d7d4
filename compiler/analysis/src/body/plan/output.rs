//! `output lock { .. };`, `output each r in list { .. };`, `output data [..];`

use std::collections::BTreeMap;

use syntax::ast::{self, ExprKind as Ast, FieldInit, Ident, PatternKind};
use syntax::{Code, Span};

use crate::body::{Body, Name};
use crate::hir::{Expr, LocalId, PlanEach, PlanList, PlanLock, PlanOutput, PlanSplit, Type};
use crate::signatures::declared_twice;
use crate::suggest;

/// The values of an output's fields, by name.
pub(super) type Fields<'t> = BTreeMap<&'t str, &'t ast::Expr>;

const FIELDS: [&str; 2] = ["value", "token"];
const EACH_FIELDS: [&str; 5] = ["lock", "value", "token", "shares_of", "weight"];

impl Body<'_, '_> {
    pub(super) fn output(&mut self, lock: &ast::Expr, fields: &[FieldInit], span: Span) -> Option<PlanOutput> {
        let lock = self.expect(lock, &Type::Lock);
        let fields = self.fields_of("an output", fields, &FIELDS);
        self.holding(None, lock, fields?, span)
    }

    pub(super) fn output_each(
        &mut self,
        pattern: &ast::Pattern,
        list: &ast::Expr,
        fields: &[FieldInit],
        span: Span,
    ) -> Option<PlanOutput> {
        if let Some(input) = self.each_named(list) {
            return self.output_each_coin(pattern, input, fields, span);
        }
        let list = self.records(list);
        self.open();
        let each = match list {
            Some((list, ty)) => self.round_names(pattern, &ty).map(|(record, index)| PlanEach {
                list: PlanList::Values(list),
                record,
                index,
                split: None,
            }),
            None => None,
        };
        let made = self.made_each(each, fields, span);
        self.close();
        made
    }

    /// An output for each coin of an input: in its fields a name means the coin at hand.
    fn output_each_coin(
        &mut self,
        pattern: &ast::Pattern,
        input: usize,
        fields: &[FieldInit],
        span: Span,
    ) -> Option<PlanOutput> {
        let (name, index) = match &pattern.kind {
            PatternKind::Tuple(parts) if parts.len() == 2 => (parts.get(1)?, parts.first()),
            _ => (pattern, None),
        };
        let PatternKind::Name { name, mutable: false } = &name.kind else { return self.no_round(pattern.span) };
        self.free_for_coin(name)?;
        self.open();
        let index = match index {
            Some(index) => Some(self.round_names(index, &Type::Int)?.0),
            None => None,
        };
        let record = self.variable("_".into(), Some(Type::Int), name.span);
        let outer = self.plan.as_mut()?.at_hand.replace((name.clone(), input));
        let made =
            self.made_each(Some(PlanEach { list: PlanList::Coins(input), record, index, split: None }), fields, span);
        self.plan.as_mut()?.at_hand = outer;
        self.close();
        made
    }

    /// Refuses a name for the coin at hand that means something already.
    fn free_for_coin(&mut self, name: &Ident) -> Option<()> {
        let coins = &self.plan.as_ref()?.coins;
        let earlier = coins.iter().find(|coin| coin.name.name == name.name).map(|coin| coin.name.span);
        let of_value = match self.meaning(name) {
            Some(Name::Arg(id)) => self.args.get(id.index()).map(|slot| slot.span),
            Some(Name::Local(id)) => self.locals.get(id.index()).map(|local| local.span),
            None => None,
        };
        match earlier.or(of_value) {
            Some(first) => {
                let found = declared_twice(name, self.report.loc(name.span), self.report.loc(first));
                self.report.fail(found)
            }
            None => Some(()),
        }
    }

    fn made_each(&mut self, each: Option<PlanEach>, fields: &[FieldInit], span: Span) -> Option<PlanOutput> {
        let (mut each, fields) = (each?, self.fields_of("an output", fields, &EACH_FIELDS)?);
        let lock = match fields.get("lock") {
            Some(lock) => self.expect(lock, &Type::Lock),
            None => self.lacks("lock", "lock: r.lock", span),
        };
        each.split = self.shared_amount(&fields, span)?;
        self.holding(Some(each), lock, fields, span)
    }

    /// `shares_of: amount, weight: r.weight`: the amount that all rounds share, instead of a value for each.
    fn shared_amount(&mut self, fields: &Fields<'_>, span: Span) -> Option<Option<PlanSplit>> {
        match (fields.get("shares_of"), fields.get("weight")) {
            (None, None) => Some(None),
            (Some(amount), Some(weight)) if !fields.contains_key("value") => {
                let (amount, weight) = (self.expect(amount, &Type::Coin), self.expect(weight, &Type::Int));
                Some(Some(PlanSplit { amount: amount?, weight: weight? }))
            }
            _ => {
                let message = "what outputs share is an amount and a weight for each, and no value";
                let found = self.report.error(Code::E0704, message, span);
                self.report.fail(found.help("write `shares_of: net, weight: r.weight`"))
            }
        }
    }

    pub(super) fn output_data(&mut self, data: &[ast::Expr], span: Span) -> Option<PlanOutput> {
        let pieces: Vec<_> = data.iter().map(|piece| self.expect(piece, &Type::Bytes)).collect();
        let pieces = pieces.into_iter().collect::<Option<Vec<_>>>()?;
        let loc = self.report.loc(span);
        Some(PlanOutput { each: None, lock: PlanLock::Data(pieces), value: None, token: None, loc })
    }

    /// The rest of an output, once its lock is known.
    pub(super) fn holding(
        &mut self,
        each: Option<PlanEach>,
        lock: Option<Expr>,
        fields: Fields<'_>,
        span: Span,
    ) -> Option<PlanOutput> {
        let shared = each.as_ref().is_some_and(|each| each.split.is_some());
        let value = match fields.get("value") {
            _ if shared => Some(None),
            Some(value) => self.expect(value, &Type::Coin).map(Some),
            None => self.lacks("value", "value: 1_000 sats", span),
        };
        let token = match fields.get("token") {
            Some(token) => Some(Box::new(self.plan_token(token, lock.as_ref())?)),
            None => None,
        };
        let loc = self.report.loc(span);
        Some(PlanOutput { each: each.map(Box::new), lock: PlanLock::Lock(lock?), value: value?, token, loc })
    }

    fn lacks<T>(&mut self, field: &str, example: &str, span: Span) -> Option<T> {
        let found = self.report.error(Code::E0704, format!("this output has no `{field}`"), span);
        self.report.fail(found.help(format!("write `{example}` between the braces")))
    }

    /// Fields by name, each at most once, all of them among `known`.
    pub(super) fn fields_of<'t>(&mut self, of: &str, fields: &'t [FieldInit], known: &[&str]) -> Option<Fields<'t>> {
        let mut found = Fields::new();
        let mut understood = Some(());
        for field in fields {
            if !known.contains(&field.name.as_str()) {
                understood = self.stray_field(of, &field.name, known);
            } else if found.insert(field.name.as_str(), &field.value).is_some() {
                let twice = self.report.error(Code::E0704, format!("`{}` is given twice", field.name), field.name.span);
                understood = self.report.fail(twice.help("remove one of them"));
            }
        }
        understood.map(|()| found)
    }

    fn stray_field<T>(&mut self, of: &str, name: &Ident, known: &[&str]) -> Option<T> {
        if name.is_missing() {
            return None;
        }
        let found = self.report.error(Code::E0104, format!("{of} has no field `{name}`"), name.span);
        let list: Vec<String> = known.iter().map(|field| format!("`{field}`")).collect();
        let close = suggest::did_you_mean(name.as_str(), known.iter().copied());
        self.report.fail(found.help(close.or_say(|| format!("the fields are {}", list.join(", ")))))
    }

    /// A list or an array, and the type of its elements.
    fn records(&mut self, list: &ast::Expr) -> Option<(Expr, Type)> {
        let value = self.value_or_list(list)?;
        let element = match &value.ty {
            Type::List(of) => Type::Struct(of.clone()),
            Type::Array(of, _) => of.read(),
            ty => {
                let message = format!("a list or an array is needed, but this is `{ty}`");
                let found = self.report.error(Code::E0201, message, list.span);
                return self
                    .report
                    .fail(found.help("give records, such as `list<Recipient>`, or an input for `each` coin"));
            }
        };
        Some((value, element))
    }

    /// A value, or a list that the plan is given; elsewhere a list is no value.
    pub(super) fn value_or_list(&mut self, value: &ast::Expr) -> Option<Expr> {
        match &value.kind {
            Ast::Name(name) if self.meaning(name).is_some() => self.name(name),
            _ => self.expr(value),
        }
    }

    /// A value of the type, which may be a list.
    pub(super) fn expect_given(&mut self, value: &ast::Expr, wanted: &Type) -> Option<Expr> {
        let Type::List(record) = wanted else { return self.expect_named(value, wanted) };
        if let Ast::Array(parts) = &value.kind {
            return self.list_literal(parts, record.clone(), value.span);
        }
        let given = self.value_or_list(value)?;
        self.expect_checked(given, wanted, value.span)
    }

    /// In a test what is 32 bytes, such as the hash of a word, is a category and an identity too.
    fn expect_named(&mut self, value: &ast::Expr, wanted: &Type) -> Option<Expr> {
        if !self.in_test() || !matches!(wanted, Type::Category | Type::Did) {
            return self.expect(value, wanted);
        }
        let given = self.expr(value)?;
        match given.ty {
            Type::BytesN(32) => Some(self.make(given.kind, wanted.clone(), value.span)),
            _ => self.expect_checked(given, wanted, value.span),
        }
    }

    /// The names of a round: `r` or `(i, r)`.
    fn round_names(&mut self, pattern: &ast::Pattern, ty: &Type) -> Option<(LocalId, Option<LocalId>)> {
        match &pattern.kind {
            PatternKind::Name { name, mutable: false } => Some((self.declare(name, Some(ty.clone()), false), None)),
            PatternKind::Wildcard => Some((self.variable("_".into(), Some(ty.clone()), pattern.span), None)),
            PatternKind::Tuple(parts) => {
                let [index, record] = parts.as_slice() else { return self.no_round(pattern.span) };
                let (index, _) = self.round_names(index, &Type::Int)?;
                let (record, _) = self.round_names(record, ty)?;
                Some((record, Some(index)))
            }
            PatternKind::Error => None,
            _ => self.no_round(pattern.span),
        }
    }

    fn no_round<T>(&mut self, span: Span) -> Option<T> {
        let found = self.report.error(Code::E0704, "the names of a round are a record, or its number and it", span);
        self.report.fail(found.help("write `r` or `(i, r)`"))
    }
}
