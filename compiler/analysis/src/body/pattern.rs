//! Patterns: what they demand of a value, and the names they give to its parts.

use std::collections::BTreeMap;
use std::sync::Arc;

use syntax::ast::{self, Ident, PatternKind};
use syntax::{Code, Span};

use super::composite::Constructor;
use super::{Body, plural};
use crate::eval::{self, Value};
use crate::exhaust::{self, Pat};
use crate::hir::{BinaryOp, Block, Expr, ExprKind, ItemKind, LocalId, Stmt, StmtKind, Type};
use crate::types;

/// A pattern whose names are declared.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) kind: Kind,
    pub(super) ty: Type,
    pub(super) span: Span,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Any,
    Bind(LocalId),
    Variant(usize, Vec<Pattern>),
    Parts(Vec<Pattern>),
    /// A constant and its value.
    Value(Expr, Value),
    Or(Vec<Pattern>),
}

/// Where a pattern stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Left of `=` or in a `for`: it must fit every value, and a name alone is a new variable.
    Binding,
    /// Before `=>`: a name may be a constant.
    Arm,
    /// One of several before `=>`, which bind no names.
    Alternative,
}

/// The names that a pattern has given so far.
struct Binder {
    place: Place,
    seen: BTreeMap<Arc<str>, Span>,
}

impl Pattern {
    /// What it demands, without the names.
    pub(super) fn pat(&self) -> Pat {
        let all = |patterns: &[Pattern]| patterns.iter().map(Pattern::pat).collect();
        match &self.kind {
            Kind::Any | Kind::Bind(_) => Pat::Any,
            Kind::Variant(variant, fields) => Pat::Variant(*variant, all(fields)),
            Kind::Parts(parts) => Pat::Parts(all(parts)),
            Kind::Value(_, value) => Pat::Value(value.clone()),
            Kind::Or(patterns) => Pat::Or(all(patterns)),
        }
    }

    /// Whether it fits every value of its type, by its form alone.
    pub(super) fn fits_all(&self) -> bool {
        match &self.kind {
            Kind::Any | Kind::Bind(_) => true,
            Kind::Parts(parts) => parts.iter().all(Pattern::fits_all),
            Kind::Variant(_, fields) => {
                let only = matches!(&self.ty, Type::Enum(ty) if ty.variants.len() == 1);
                only && fields.iter().all(Pattern::fits_all)
            }
            Kind::Value(..) => false,
            Kind::Or(patterns) => patterns.iter().any(Pattern::fits_all),
        }
    }
}

impl Body<'_, '_> {
    /// The pattern against a value of this type; its names exist from here on, even if it is wrong.
    pub(super) fn pattern(&mut self, written: &ast::Pattern, ty: Option<&Type>, place: Place) -> Option<Pattern> {
        self.pattern_in(written, ty, &mut Binder { place, seen: BTreeMap::new() })
    }

    fn pattern_in(&mut self, written: &ast::Pattern, ty: Option<&Type>, binder: &mut Binder) -> Option<Pattern> {
        let span = written.span;
        match &written.kind {
            PatternKind::Wildcard => Some(Pattern { kind: Kind::Any, ty: ty?.clone(), span }),
            PatternKind::Name { mutable, name } => self.name_pattern(*mutable, name, ty, binder),
            PatternKind::Path(path) if self.is_module_constant(path) => {
                let value = ast::Expr { kind: ast::ExprKind::Path(path.clone()), span };
                self.literal_pattern(&value, ty, span)
            }
            PatternKind::Path(path) => {
                let constructor = self.constructor(path, span)?;
                self.variant_pattern(&constructor, Given::Nothing, ty, binder, span)
            }
            PatternKind::Variant { path, fields } => {
                let constructor = self.constructor(path, span);
                let Some(constructor) = constructor else {
                    fields.iter().for_each(|field| drop(self.pattern_in(field, None, binder)));
                    return None;
                };
                self.variant_pattern(&constructor, Given::InOrder(fields), ty, binder, span)
            }
            PatternKind::Struct { path, fields, rest } => {
                let constructor = self.constructor(path, span);
                let Some(constructor) = constructor else {
                    fields.iter().for_each(|field| drop(self.pattern_in(&field.pattern, None, binder)));
                    return None;
                };
                self.variant_pattern(&constructor, Given::ByName(fields, *rest), ty, binder, span)
            }
            PatternKind::Tuple(parts) => {
                let fits = matches!(ty, Some(Type::Tuple(types)) if types.len() == parts.len());
                self.parts_pattern(parts, ty, fits, "a tuple of this length", binder, span)
            }
            PatternKind::Array(parts) => {
                let fits = matches!(ty, Some(Type::Array(_, count)) if *count as usize == parts.len());
                self.parts_pattern(parts, ty, fits, "an array of this length", binder, span)
            }
            PatternKind::Literal(value) => self.literal_pattern(value, ty, span),
            PatternKind::Or(patterns) => {
                let outer = binder.place;
                if outer == Place::Arm {
                    binder.place = Place::Alternative;
                }
                let checked: Vec<_> = patterns.iter().map(|pattern| self.pattern_in(pattern, ty, binder)).collect();
                binder.place = outer;
                let checked = checked.into_iter().collect::<Option<Vec<_>>>()?;
                Some(Pattern { kind: Kind::Or(checked), ty: ty?.clone(), span })
            }
            PatternKind::Error => None,
        }
    }

    fn name_pattern(&mut self, mutable: bool, name: &Ident, ty: Option<&Type>, binder: &mut Binder) -> Option<Pattern> {
        let span = name.span;
        if name.as_str() == "None" && !mutable {
            let constructor = Constructor::Variant(types::option(), 0);
            return self.variant_pattern(&constructor, Given::Nothing, ty, binder, span);
        }
        if binder.place != Place::Binding && !mutable && self.is_constant(name) {
            let value = ast::Expr { kind: ast::ExprKind::Name(name.clone()), span };
            return self.literal_pattern(&value, ty, span);
        }
        if binder.place == Place::Alternative {
            self.declare(name, ty.cloned(), mutable);
            let found =
                self.report.error(Code::E0218, format!("`{name}` cannot be bound in one of several patterns"), span);
            return self.report.fail(found.help("write `_` here, or an arm of its own for each pattern"));
        }
        if let Some(first) = binder.seen.insert(name.name.clone(), span).filter(|_| !name.is_missing()) {
            let found = self.report.error(Code::E0105, format!("`{name}` is bound twice in one pattern"), span);
            let found = found.label(self.report.loc(first), "bound here");
            self.report.push(found.help("rename one of them"));
        }
        let local = self.declare(name, ty.map(Type::read), mutable);
        Some(Pattern { kind: Kind::Bind(local), ty: ty?.clone(), span })
    }

    fn is_constant(&self, name: &Ident) -> bool {
        let of_contract = self.env.contract.is_some_and(|scope| scope.consts.contains_key(&name.name));
        of_contract || self.env.signatures.constant(name.as_str()).is_some()
    }

    fn literal_pattern(&mut self, value: &ast::Expr, ty: Option<&Type>, span: Span) -> Option<Pattern> {
        let expr = match ty {
            Some(ty) => self.expect(value, ty)?,
            None => self.expr(value)?,
        };
        let constant = eval::eval(&expr, &eval::Constants).ok();
        let Some(constant @ (Value::Number(_) | Value::Bool(_) | Value::Bytes(_))) = constant else {
            let found = self.report.error(Code::E0218, "a pattern is a plain constant, a variant or a name", span);
            return self.report.fail(found.help("compare in an `if` instead"));
        };
        let (Some(wanted), Value::Bytes(bytes)) = (ty.and_then(Type::fixed_len), &constant) else {
            return Some(Pattern { ty: ty?.clone(), kind: Kind::Value(expr, constant), span });
        };
        if bytes.len() != wanted as usize {
            let message = format!("`{}` never has {}", ty?, plural(bytes.len(), "byte"));
            let found = self.report.error(Code::E0212, message, span);
            return self.report.fail(found.help(format!("write {}", plural(wanted as usize, "byte"))));
        }
        Some(Pattern { ty: ty?.clone(), kind: Kind::Value(expr, constant), span })
    }

    fn parts_pattern(
        &mut self,
        parts: &[ast::Pattern],
        ty: Option<&Type>,
        fits: bool,
        what: &str,
        binder: &mut Binder,
        span: Span,
    ) -> Option<Pattern> {
        let types = if fits { ty.map(types::parts).unwrap_or_default() } else { Vec::new() };
        let checked: Vec<_> = parts
            .iter()
            .enumerate()
            .map(|(at, part)| self.pattern_in(part, types.get(at).map(Type::read).as_ref(), binder))
            .collect();
        let ty = ty?;
        if !fits {
            return self.wrong_pattern(what, ty, span);
        }
        Some(Pattern { kind: Kind::Parts(checked.into_iter().collect::<Option<_>>()?), ty: ty.clone(), span })
    }

    fn wrong_pattern<T>(&mut self, what: &str, ty: &Type, span: Span) -> Option<T> {
        let found =
            self.report.error(Code::E0201, format!("this pattern is for {what}, but the value is `{ty}`"), span);
        self.report.fail(found.help(match ty {
            Type::Enum(ty) => format!("write a variant of `{}`, a name or `_`", ty.name),
            Type::Struct(ty) => format!("write `{} {{ .. }}` with names for its fields", ty.name),
            Type::Tuple(parts) => format!("write {} in parentheses", plural(parts.len(), "pattern")),
            Type::Array(_, count) => format!("write {} in brackets", plural(*count as usize, "pattern")),
            _ => "write a constant, a name or `_`".into(),
        }))
    }

    /// A struct or a variant of an enum.
    fn variant_pattern(
        &mut self,
        constructor: &Constructor,
        given: Given<'_>,
        ty: Option<&Type>,
        binder: &mut Binder,
        span: Span,
    ) -> Option<Pattern> {
        let (of, field_types, field_names) = match (constructor, ty) {
            (Constructor::Variant(declaration, index), Some(Type::Enum(ty))) if declaration.is_of(&ty.name) => {
                let variant = ty.variants.get(*index)?;
                (format!("`{}`", variant.name), variant.fields.clone(), variant.names.clone())
            }
            (Constructor::Struct(declaration), Some(Type::Struct(ty))) if declaration.is_of(&ty.name) => {
                let (names, types) = ty.fields.iter().cloned().unzip();
                (format!("`{}`", ty.name), types, names)
            }
            _ => {
                given.each(|pattern| drop(self.pattern_in(pattern, None, binder)));
                let name = constructor.declaration().ty.as_ref().map_or("", Type::word).to_owned();
                return self.wrong_pattern(&format!("`{name}`"), ty?, span);
            }
        };
        let checked: Vec<Option<Pattern>> = match given {
            Given::Nothing if field_types.is_empty() => Vec::new(),
            Given::InOrder(patterns) if patterns.len() == field_types.len() && field_names.is_empty() => patterns
                .iter()
                .zip(&field_types)
                .map(|(pattern, ty)| self.pattern_in(pattern, Some(&ty.read()), binder))
                .collect(),
            Given::ByName(fields, rest) if !field_names.is_empty() || field_types.is_empty() => {
                self.named_patterns(&of, fields, rest, (&field_names, &field_types), binder, span)?
            }
            given => {
                given.each(|pattern| drop(self.pattern_in(pattern, None, binder)));
                let message = format!("{of} carries {}", plural(field_types.len(), "value"));
                let found = self.report.error(Code::E0108, message, span);
                return self.report.fail(found.help(match (field_names.is_empty(), field_types.is_empty()) {
                    (_, true) => "write the name alone".to_owned(),
                    (true, false) => format!("write {} in parentheses", plural(field_types.len(), "pattern")),
                    (false, false) => format!("write `{{ {} }}`", field_names.join(", ")),
                }));
            }
        };
        let fields = checked.into_iter().collect::<Option<Vec<_>>>()?;
        let kind = match constructor {
            Constructor::Struct(_) => Kind::Parts(fields),
            Constructor::Variant(_, index) => Kind::Variant(*index, fields),
        };
        Some(Pattern { kind, ty: ty?.clone(), span })
    }

    fn named_patterns(
        &mut self,
        of: &str,
        fields: &[ast::PatternField],
        rest: bool,
        (known, types): (&[String], &[Type]),
        binder: &mut Binder,
        span: Span,
    ) -> Option<Vec<Option<Pattern>>> {
        let mut out: Vec<Option<Option<Pattern>>> = vec![None; known.len()];
        let before = self.report.count();
        for field in fields {
            let index = known.iter().position(|name| name == field.name.as_str());
            let ty = index.and_then(|index| types.get(index)).map(Type::read);
            let declared = self.locals.len();
            let pattern = self.pattern_in(&field.pattern, ty.as_ref(), binder);
            if field.pattern.span == field.name.span {
                // A name alone is the field's and the variable's.
                let both = format!("{}: _{}", field.name, field.name);
                self.locals.iter_mut().skip(declared).for_each(|variable| variable.renaming = Some(both.clone()));
            }
            match index.and_then(|index| out.get_mut(index)) {
                None => {
                    let known: Vec<&str> = known.iter().map(String::as_str).collect();
                    self.unknown_field::<()>(of, &field.name, &known);
                }
                Some(Some(_)) => {
                    let found = self.report.error(Code::E0105, format!("`{}` is named twice", field.name), field.span);
                    self.report.push(found.help("remove one of them"));
                }
                Some(slot) => *slot = Some(pattern),
            }
        }
        let missing: Vec<String> =
            known.iter().zip(&out).filter(|(_, slot)| slot.is_none()).map(|(name, _)| format!("`{name}`")).collect();
        if !missing.is_empty() && !rest {
            let found = self.report.error(Code::E0225, format!("{of} also has {}", missing.join(", ")), span);
            self.report.push(found.help("name every field, or end the pattern with `..`"));
        }
        if self.report.count() > before {
            return None;
        }
        let any = |ty: &Type| Pattern { kind: Kind::Any, ty: ty.read(), span };
        Some(out.into_iter().zip(types).map(|(slot, ty)| slot.unwrap_or_else(|| Some(any(ty)))).collect())
    }

    /// Reports a pattern left of `=` that some value does not fit.
    pub(super) fn must_fit(&mut self, pattern: &Pattern) -> Option<()> {
        if pattern.fits_all() {
            return Some(());
        }
        let missing = exhaust::check(&pattern.ty, &[(pattern.pat(), false)]).ok().and_then(|verdict| verdict.missing);
        let message = match missing {
            Some(missing) => format!("this pattern does not fit `{}`", exhaust::show(&missing, &pattern.ty)),
            None => "this pattern may not fit".into(),
        };
        let found = self.report.error(Code::E0218, message, pattern.span);
        self.report.fail(found.help("use `if let` or `match`, which say what happens otherwise"))
    }

    /// Gives the names of a pattern their values, where `value` fits it.
    pub(super) fn bind(&self, pattern: &Pattern, value: &Expr, out: &mut Vec<Stmt>) {
        match &pattern.kind {
            Kind::Any | Kind::Value(..) | Kind::Or(_) => {}
            Kind::Bind(local) => {
                let kind = StmtKind::Let { local: *local, value: value.clone() };
                out.push(Stmt { kind, loc: self.report.loc(pattern.span) });
            }
            Kind::Variant(..) | Kind::Parts(_) => {
                for (index, field) in pattern.fields().iter().enumerate() {
                    self.bind(field, &self.field_of(pattern, value, index), out);
                }
            }
        }
    }

    /// What the part of a value is that a field of the pattern is for.
    fn field_of(&self, pattern: &Pattern, value: &Expr, index: usize) -> Expr {
        let ty = pattern.fields().get(index).map_or(Type::Unit, |field| field.ty.read());
        let value = Box::new(value.clone());
        let kind = match pattern.kind {
            Kind::Variant(variant, _) => ExprKind::Payload { value, variant, index },
            _ => ExprKind::Element { base: value, index },
        };
        self.make(kind, ty, pattern.span)
    }

    /// Whether `value` fits the pattern; nothing if it always does.
    pub(super) fn test(&self, pattern: &Pattern, value: &Expr) -> Option<Expr> {
        let truth = |kind| self.make(kind, Type::Bool, pattern.span);
        match &pattern.kind {
            Kind::Any | Kind::Bind(_) => None,
            Kind::Value(constant, Value::Bool(true)) if constant.ty == Type::Bool => Some(value.clone()),
            Kind::Value(constant, known) => {
                let item = if matches!(known, Value::Bytes(_)) { ItemKind::Bytes } else { ItemKind::Number };
                let (left, right) = (Box::new(value.clone()), Box::new(constant.clone()));
                Some(truth(ExprKind::Binary { op: BinaryOp::Equal(item), left, right }))
            }
            Kind::Parts(_) => self.all_fit(pattern, value),
            Kind::Variant(variant, _) => {
                let is = truth(ExprKind::Is { value: Box::new(value.clone()), variant: *variant });
                let only = matches!(&pattern.ty, Type::Enum(ty) if ty.variants.len() == 1);
                match self.all_fit(pattern, value) {
                    Some(inner) if only => Some(inner),
                    None if only => None,
                    // What another variant carries is not looked at.
                    Some(inner) => {
                        let block = |value| Block { stmts: Vec::new(), value: Some(Box::new(value)) };
                        let otherwise = block(truth(ExprKind::Bool(false)));
                        Some(truth(ExprKind::If { condition: Box::new(is), then: block(inner), otherwise }))
                    }
                    None => Some(is),
                }
            }
            Kind::Or(patterns) => {
                let mut tests = patterns.iter().map(|pattern| self.test(pattern, value));
                let first = tests.next()??;
                tests.try_fold(first, |left, right| {
                    let (left, right) = (Box::new(left), Box::new(right?));
                    Some(truth(ExprKind::Binary { op: BinaryOp::Or, left, right }))
                })
            }
        }
    }

    fn all_fit(&self, pattern: &Pattern, value: &Expr) -> Option<Expr> {
        let fields = pattern.fields().iter().enumerate();
        let tests = fields.filter_map(|(index, field)| self.test(field, &self.field_of(pattern, value, index)));
        tests.reduce(|left, right| {
            let kind = ExprKind::Binary { op: BinaryOp::And, left: Box::new(left), right: Box::new(right) };
            self.make(kind, Type::Bool, pattern.span)
        })
    }
}

impl Pattern {
    fn fields(&self) -> &[Pattern] {
        match &self.kind {
            Kind::Variant(_, fields) | Kind::Parts(fields) => fields,
            Kind::Any | Kind::Bind(_) | Kind::Value(..) | Kind::Or(_) => &[],
        }
    }
}

/// The patterns inside a pattern of a struct or variant.
enum Given<'p> {
    Nothing,
    InOrder(&'p [ast::Pattern]),
    /// Some may be left out.
    ByName(&'p [ast::PatternField], bool),
}

impl<'p> Given<'p> {
    fn each(&self, visit: impl FnMut(&'p ast::Pattern)) {
        match self {
            Given::Nothing => {}
            Given::InOrder(patterns) => patterns.iter().for_each(visit),
            Given::ByName(fields, _) => fields.iter().map(|field| &field.pattern).for_each(visit),
        }
    }
}
