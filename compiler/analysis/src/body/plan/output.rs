//! `output lock { .. };`, `output each r in list { .. };`, `output data [..];`

use std::collections::BTreeMap;

use syntax::ast::{self, ExprKind as Ast, FieldInit, Ident, PatternKind};
use syntax::{Code, Span};

use crate::body::Body;
use crate::hir::{Expr, LocalId, PlanEach, PlanLock, PlanOutput, Type};
use crate::suggest;

/// The values of an output's fields, by name.
type Fields<'t> = BTreeMap<&'t str, &'t ast::Expr>;

const FIELDS: [&str; 2] = ["value", "token"];
const EACH_FIELDS: [&str; 3] = ["lock", "value", "token"];

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
        let list = self.records(list);
        self.open();
        let each = match list {
            Some((list, ty)) => self.round_names(pattern, &ty).map(|(record, index)| PlanEach { list, record, index }),
            None => None,
        };
        let fields = if each.is_some() { self.fields_of("an output", fields, &EACH_FIELDS) } else { None };
        let made = fields.and_then(|fields| {
            let lock = match fields.get("lock") {
                Some(lock) => self.expect(lock, &Type::Lock),
                None => self.lacks("lock", "lock: r.lock", span),
            };
            self.holding(each, lock, fields, span)
        });
        self.close();
        made
    }

    pub(super) fn output_data(&mut self, data: &[ast::Expr], span: Span) -> Option<PlanOutput> {
        let pieces: Vec<_> = data.iter().map(|piece| self.expect(piece, &Type::Bytes)).collect();
        let pieces = pieces.into_iter().collect::<Option<Vec<_>>>()?;
        let loc = self.report.loc(span);
        Some(PlanOutput { each: None, lock: PlanLock::Data(pieces), value: None, token: None, loc })
    }

    /// The rest of an output, once its lock is known.
    fn holding(
        &mut self,
        each: Option<PlanEach>,
        lock: Option<Expr>,
        fields: Fields<'_>,
        span: Span,
    ) -> Option<PlanOutput> {
        let value = match fields.get("value") {
            Some(value) => self.expect(value, &Type::Coin),
            None => self.lacks("value", "value: 1_000 sats", span),
        };
        let token = match fields.get("token") {
            Some(token) => Some(self.plan_token(token, lock.as_ref())?),
            None => None,
        };
        let loc = self.report.loc(span);
        Some(PlanOutput { each, lock: PlanLock::Lock(lock?), value: Some(value?), token, loc })
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
        self.report.fail(found.help(close.unwrap_or_else(|| format!("the fields are {}", list.join(", ")))))
    }

    /// A list or an array, and the type of its elements.
    fn records(&mut self, list: &ast::Expr) -> Option<(Expr, Type)> {
        let value = match &list.kind {
            // Where a value stands a list is refused.
            Ast::Name(name) if self.meaning(name).is_some() => self.name(name)?,
            _ => self.expr(list)?,
        };
        let element = match &value.ty {
            Type::List(of) => Type::Struct(of.clone()),
            Type::Array(of, _) => of.read(),
            ty => {
                let message = format!("a list or an array is needed, but this is `{ty}`");
                let found = self.report.error(Code::E0201, message, list.span);
                return self.report.fail(found.help("give the records, such as `list<Recipient>`"));
            }
        };
        Some((value, element))
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
