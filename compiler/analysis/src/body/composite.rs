//! Values made of parts: tuples, arrays, structs, variants of enums.

use std::collections::BTreeMap;
use std::sync::Arc;

use syntax::ast::{self, ExprKind as Ast, FieldInit, Ident};
use syntax::{Code, Span};

use super::{Body, plural};
use crate::contracts::STATE_TYPE;
use crate::declared::TypeDeclaration;
use crate::hir::{Expr, ExprKind, StructType, Type};
use crate::types;

/// What a path such as `Shape::Circle` names.
pub(super) enum Constructor {
    Struct(TypeDeclaration),
    /// The variant with this index.
    Variant(TypeDeclaration, usize),
}

impl Constructor {
    pub(super) fn declaration(&self) -> &TypeDeclaration {
        match self {
            Constructor::Struct(declaration) | Constructor::Variant(declaration, _) => declaration,
        }
    }
}

impl Body<'_, '_> {
    pub(super) fn tuple(&mut self, parts: &[ast::Expr], wanted: Option<&Type>, span: Span) -> Option<Expr> {
        let hints: &[Type] = match wanted {
            Some(Type::Tuple(hints)) if hints.len() == parts.len() => hints,
            _ => &[],
        };
        let checked: Vec<_> = parts.iter().enumerate().map(|(at, part)| self.wanted(part, hints.get(at))).collect();
        let parts = checked.into_iter().collect::<Option<Vec<_>>>()?;
        let types = self.merged(&parts, hints);
        self.composite(ExprKind::Tuple(parts), Type::Tuple(types.into()), span)
    }

    /// The types of parts, or those that were wanted of them.
    fn merged(&self, parts: &[Expr], hints: &[Type]) -> Vec<Type> {
        parts.iter().enumerate().map(|(at, part)| hints.get(at).unwrap_or(&part.ty).clone()).collect()
    }

    fn composite(&mut self, kind: ExprKind, ty: Type, span: Span) -> Option<Expr> {
        let ty = types::bounded(ty, span, self.report)?;
        Some(self.make(kind, ty, span))
    }

    pub(super) fn array(&mut self, parts: &[ast::Expr], wanted: Option<&Type>, span: Span) -> Option<Expr> {
        if let Some(Type::Table(element, count)) = wanted {
            return self.table(parts, element, *count, span);
        }
        let mut element = match wanted {
            Some(Type::Array(element, _)) => Some((**element).clone()),
            _ => None,
        };
        let mut checked = Vec::with_capacity(parts.len());
        for part in parts {
            let expr = self.wanted(part, element.as_ref());
            if element.is_none() {
                element = expr.as_ref().map(|expr| expr.ty.clone());
            }
            checked.push(expr);
        }
        let checked = checked.into_iter().collect::<Option<Vec<_>>>()?;
        let Some(element) = element else { return self.cannot_infer("the type of the elements", span) };
        let count = u32::try_from(checked.len()).ok()?;
        self.composite(ExprKind::Tuple(checked), Type::Array(element.into(), count), span)
    }

    /// The records of a list, which a plan gives to a contract.
    pub(super) fn list_literal(&mut self, parts: &[ast::Expr], record: Arc<StructType>, span: Span) -> Option<Expr> {
        let element = Type::Struct(record.clone());
        let checked: Vec<_> = parts.iter().map(|part| self.expect(part, &element)).collect();
        let checked = checked.into_iter().collect::<Option<Vec<_>>>()?;
        Some(self.make(ExprKind::Tuple(checked), Type::List(record), span))
    }

    pub(super) fn repeat(
        &mut self,
        value: &ast::Expr,
        count: &ast::Expr,
        wanted: Option<&Type>,
        span: Span,
    ) -> Option<Expr> {
        let hint = match wanted {
            Some(Type::Array(element, _) | Type::Table(element, _)) => Some(&**element),
            _ => None,
        };
        let checked = self.wanted(value, hint);
        let count = types::size(count, "an array", self.env, self.report);
        let (checked, count) = (checked?, count?);
        if let Some(Type::Table(element, wanted)) = wanted {
            self.table_length(count as usize, *wanted, span)?;
            let element = element.clone();
            return Some(self.held(checked, |body, value| body.packed(vec![value; count as usize], &element, span)));
        }
        let ty = Type::Array(hint.unwrap_or(&checked.ty).clone().into(), count);
        let ty = types::bounded(ty, span, self.report)?;
        Some(self.held(checked, |body, value| body.make(ExprKind::Tuple(vec![value; count as usize]), ty, span)))
    }

    fn table(&mut self, parts: &[ast::Expr], element: &Type, count: u32, span: Span) -> Option<Expr> {
        let checked: Vec<_> = parts.iter().map(|part| self.expect(part, element)).collect();
        self.table_length(parts.len(), count, span)?;
        let parts = checked.into_iter().collect::<Option<Vec<_>>>()?;
        Some(self.packed(parts, element, span))
    }

    fn table_length(&mut self, given: usize, wanted: u32, span: Span) -> Option<()> {
        if given == wanted as usize {
            return Some(());
        }
        let message = format!("the table has {}, but this gives {given}", plural(wanted as usize, "element"));
        let found = self.report.error(Code::E0201, message, span);
        self.report.fail(found.help("give one value for each element"))
    }

    /// `name`, if it is a variant without fields that needs no prefix.
    pub(super) fn unit_variant(&mut self, name: &Ident, wanted: Option<&Type>, span: Span) -> Option<Expr> {
        let constructor = self.constructor(std::slice::from_ref(name), span)?;
        self.construct(&constructor, &[], wanted, span)
    }

    /// `Shape::Empty`
    pub(super) fn variant_value(&mut self, path: &[Ident], wanted: Option<&Type>, span: Span) -> Option<Expr> {
        let constructor = self.constructor(path, span)?;
        if let Constructor::Variant(declaration, index) = &constructor
            && let Some(Type::Enum(ty)) = &declaration.ty
            && let Some(variant) = ty.variants.get(*index).filter(|variant| !variant.fields.is_empty())
        {
            return self.wrong_form(&ty.name, &variant.name, &variant.names, variant.fields.len(), span);
        }
        self.construct(&constructor, &[], wanted, span)
    }

    /// `Shape::Circle(r)`
    pub(super) fn variant_call(
        &mut self,
        path: &[Ident],
        args: &[ast::Expr],
        wanted: Option<&Type>,
        span: Span,
    ) -> Option<Expr> {
        let Some(constructor) = self.constructor(path, span) else {
            self.check_all(args);
            return None;
        };
        if let Constructor::Variant(declaration, index) = &constructor
            && let Some(Type::Enum(ty)) = &declaration.ty
            && let Some(variant) = ty.variants.get(*index)
            && (!variant.names.is_empty() || variant.fields.len() != args.len() || args.is_empty())
        {
            self.check_all(args);
            return self.wrong_form(&ty.name, &variant.name, &variant.names, variant.fields.len(), span);
        }
        let args: Vec<&ast::Expr> = args.iter().collect();
        self.construct(&constructor, &args, wanted, span)
    }

    fn wrong_form<T>(&mut self, of: &str, name: &str, names: &[String], count: usize, span: Span) -> Option<T> {
        let prefix = if of == "Option" { String::new() } else { format!("{of}::") };
        let message = format!("`{prefix}{name}` carries {}", plural(count, "value"));
        let found = self.report.error(Code::E0108, message, span);
        self.report.fail(found.help(match (names, count) {
            (_, 0) => format!("write `{prefix}{name}` alone"),
            ([], _) => format!("write `{prefix}{name}({})`", vec![".."; count].join(", ")),
            (names, _) => format!("write `{prefix}{name} {{ {}: .. }}`", names.join(": .., ")),
        }))
    }

    /// `Point { x: 1, y }` or `Shape::Point { x: 1, y }`
    pub(super) fn struct_literal(
        &mut self,
        literal: &ast::StructLit,
        wanted: Option<&Type>,
        span: Span,
    ) -> Option<Expr> {
        let Some(constructor) = self.constructor(&literal.path, span) else {
            literal.fields.iter().for_each(|field| drop(self.expr(&field.value)));
            return None;
        };
        let given = self.literal_type(&constructor, literal, span)?;
        let (of, names): (String, Vec<String>) = match (&constructor, &constructor.declaration().ty) {
            (Constructor::Struct(_), Some(Type::Struct(ty))) => {
                (format!("`{}`", ty.name), ty.fields.iter().map(|(name, _)| name.clone()).collect())
            }
            (Constructor::Variant(_, index), Some(Type::Enum(ty))) => {
                let variant = ty.variants.get(*index)?;
                if variant.names.is_empty() && !literal.fields.is_empty() {
                    return self.wrong_form(&ty.name, &variant.name, &variant.names, variant.fields.len(), span);
                }
                (format!("`{}::{}`", ty.name, variant.name), variant.names.clone())
            }
            _ => {
                literal.fields.iter().for_each(|field| drop(self.expr(&field.value)));
                return None;
            }
        };
        let values = self.by_name(&of, &names, &literal.fields, span)?;
        self.construct(&constructor, &values, given.as_ref().or(wanted), span)
    }

    /// The type that a literal names by its arguments, if it has some.
    fn literal_type(
        &mut self,
        constructor: &Constructor,
        literal: &ast::StructLit,
        span: Span,
    ) -> Option<Option<Type>> {
        let Some(name) = literal.path.first().filter(|_| !literal.args.is_empty()) else { return Some(None) };
        let before_last = literal.path.len().saturating_sub(2);
        let name = match constructor {
            Constructor::Struct(_) => literal.path.last().unwrap_or(name),
            Constructor::Variant(..) => literal.path.get(before_last).unwrap_or(name),
        };
        let module = literal.path.iter().take_while(|part| *part != name).cloned().collect();
        let kind = ast::TypeKind::Name { module, name: name.clone(), args: literal.args.clone() };
        types::resolve(&ast::TypeExpr { kind, span }, self.env, self.report).map(Some)
    }

    /// The values of all fields, in the order of their declaration.
    fn by_name<'e>(
        &mut self,
        of: &str,
        names: &[String],
        fields: &'e [FieldInit],
        span: Span,
    ) -> Option<Vec<&'e ast::Expr>> {
        let mut given: BTreeMap<&str, &FieldInit> = BTreeMap::new();
        let before = self.report.count();
        for field in fields {
            if !names.iter().any(|name| name == field.name.as_str()) {
                self.expr(&field.value);
                let known: Vec<&str> = names.iter().map(String::as_str).collect();
                self.unknown_field::<()>(of, &field.name, &known);
            } else if let Some(first) = given.insert(field.name.as_str(), field) {
                let found =
                    self.report.error(Code::E0105, format!("`{}` has a value already", field.name), field.name.span);
                let found = found.label(self.report.loc(first.name.span), "given here");
                self.report.push(found.help("remove one of them"));
            }
        }
        let missing: Vec<String> =
            names.iter().filter(|name| !given.contains_key(name.as_str())).map(|name| format!("`{name}`")).collect();
        if !missing.is_empty() {
            let found = self.report.error(Code::E0225, format!("{of} also needs {}", missing.join(", ")), span);
            self.report.push(found.help("give every field a value"));
        }
        if self.report.count() > before {
            given.values().for_each(|field| drop(self.expr(&field.value)));
            return None;
        }
        names.iter().map(|name| given.get(name.as_str()).map(|field| &field.value)).collect()
    }

    /// What a path names that makes values.
    pub(super) fn constructor(&mut self, path: &[Ident], span: Span) -> Option<Constructor> {
        if let [of @ .., name] = path
            && name.as_str() == STATE_TYPE
            && let Some(contract) = self.env.signatures.contract(of)
        {
            return match &contract.state_type {
                Some(declared) => declared.ty.is_some().then(|| Constructor::Struct(declared.clone())),
                None => types::no_state(contract, span, self.report),
            };
        }
        match path {
            [name] => {
                if let Some(index) = ["None", "Some"].iter().position(|known| *known == name.as_str()) {
                    return Some(Constructor::Variant(types::option(), index));
                }
                match self.type_declaration(name) {
                    Some(declaration) if matches!(declaration.ty, Some(Type::Enum(_))) => {
                        let found = self.report.error(Code::E0207, format!("`{name}` is an enum, not a value"), span);
                        self.report.fail(found.help(format!("write one of its variants, such as `{name}::..`")))
                    }
                    Some(declaration) => declaration.ty.is_some().then_some(Constructor::Struct(declaration)),
                    None => self.unknown_type(name),
                }
            }
            [module, name] if self.env.signatures.module(module.as_str()).is_some() => {
                let declaration = self.type_in_module(path, span)?;
                if matches!(declaration.ty, Some(Type::Enum(_))) {
                    let message = format!("`{module}::{name}` is an enum, not a value");
                    let found = self.report.error(Code::E0207, message, span);
                    return self.report.fail(found.help(format!("write one of its variants: `{module}::{name}::..`")));
                }
                declaration.ty.is_some().then_some(Constructor::Struct(declaration))
            }
            [name, variant] => {
                let Some(declaration) = self.type_declaration(name) else { return self.unknown_type(name) };
                self.variant_named(declaration, variant)
            }
            [module, name, variant] => {
                let declaration = self.type_in_module(&[module.clone(), name.clone()], span)?;
                self.variant_named(declaration, variant)
            }
            _ => {
                let message = "a path is a module, a type and a variant at most";
                self.report.fail(self.report.error(Code::E0125, message, span).help("write `module::Type::Variant`"))
            }
        }
    }

    pub(super) fn type_declaration(&self, name: &Ident) -> Option<TypeDeclaration> {
        match name.as_str() {
            "Option" => Some(types::option()),
            word => self.env.signatures.type_named(word).cloned(),
        }
    }

    fn unknown_type<T>(&mut self, name: &Ident) -> Option<T> {
        if name.is_missing() {
            return None;
        }
        let found = self.report.error(Code::E0102, format!("there is no type `{name}`"), name.span);
        let close = self.report.did_you_mean(name.as_str(), self.env.signatures.type_names().chain(["Option"]));
        self.report.fail(
            found.help(close.or_say(|| format!("declare it by `struct {name} {{ .. }}` or `enum {name} {{ .. }}`"))),
        )
    }

    pub(super) fn variant_named(&mut self, declaration: TypeDeclaration, name: &Ident) -> Option<Constructor> {
        if name.is_missing() {
            return None;
        }
        let Type::Enum(ty) = declaration.ty.as_ref()? else {
            let of = declaration.ty.as_ref().map_or("", |ty| ty.word());
            let found = self.report.error(Code::E0104, format!("`{of}` is a struct and has no variants"), name.span);
            return self.report.fail(found.help(format!("write `{of} {{ .. }}` with its fields")));
        };
        if let Some(index) = ty.variants.iter().position(|variant| variant.name == name.as_str()) {
            return Some(Constructor::Variant(declaration, index));
        }
        let known: Vec<String> = ty.variants.iter().map(|variant| variant.name.clone()).collect();
        let found = self.report.error(Code::E0104, format!("`{}` has no variant `{name}`", ty.name), name.span);
        let close = self.report.did_you_mean(name.as_str(), known.iter().map(String::as_str));
        let all = || format!("the variants are `{}`", known.join("`, `"));
        self.report.fail(found.help(close.or_say(all)))
    }

    /// A value of a struct or variant from the values of its fields.
    fn construct(
        &mut self,
        constructor: &Constructor,
        values: &[&ast::Expr],
        wanted: Option<&Type>,
        span: Span,
    ) -> Option<Expr> {
        let declaration = constructor.declaration();
        let Some(ty) = &declaration.ty else {
            values.iter().for_each(|value| drop(self.expr(value)));
            return None;
        };
        let fields = match (constructor, ty) {
            (Constructor::Variant(_, index), Type::Enum(_)) => types::payload(ty, *index).to_vec(),
            _ => types::parts(ty),
        };
        let mut bound = vec![None; declaration.params.len()];
        match (ty, wanted) {
            (Type::Struct(ty), Some(Type::Struct(wanted))) if ty.name == wanted.name => {
                prefill(&mut bound, &wanted.args)
            }
            (Type::Enum(ty), Some(Type::Enum(wanted))) if ty.name == wanted.name => prefill(&mut bound, &wanted.args),
            _ => {}
        }
        let values = self.typed_by(&fields, values, &mut bound)?;
        let args = self.all_bound(&declaration.params, bound, span)?;
        let ty = ty.instantiate(&args);
        let kind = match constructor {
            Constructor::Struct(_) => ExprKind::Tuple(values),
            Constructor::Variant(_, index) => ExprKind::Variant { variant: *index, fields: values },
        };
        self.composite(kind, ty, span)
    }

    /// Values for places whose types may mention type parameters, which are found out on the way.
    pub(super) fn typed_by(
        &mut self,
        types: &[Type],
        values: &[&ast::Expr],
        bound: &mut [Option<Type>],
    ) -> Option<Vec<Expr>> {
        let mut checked: Vec<Option<Expr>> = vec![None; values.len()];
        let mut broken = false;
        // Values that say nothing about their type come last.
        for late in [false, true] {
            for ((ty, value), slot) in types.iter().zip(values).zip(&mut checked) {
                if needs_hint(value) != late {
                    continue;
                }
                *slot = self.typed_value(ty, value, bound);
                broken |= slot.is_none();
            }
        }
        if broken { None } else { checked.into_iter().collect() }
    }

    fn typed_value(&mut self, ty: &Type, value: &ast::Expr, bound: &mut [Option<Type>]) -> Option<Expr> {
        if types::is_known(ty, bound) {
            return self.expect(value, &filled(ty, bound));
        }
        let expr = self.expr(value)?;
        types::unify(ty, &expr.ty, bound);
        self.expect_checked(expr, &filled(ty, bound), value.span)
    }

    /// What the type parameters stand for, if all are known.
    pub(super) fn all_bound(&mut self, params: &[Arc<str>], bound: Vec<Option<Type>>, span: Span) -> Option<Vec<Type>> {
        if let Some((name, _)) = params.iter().zip(&bound).find(|(_, ty)| ty.is_none()) {
            return self.cannot_infer(&format!("what `{name}` stands for"), span);
        }
        bound.into_iter().collect()
    }

    fn cannot_infer<T>(&mut self, what: &str, span: Span) -> Option<T> {
        let found = self.report.error(Code::E0215, format!("nothing here says {what}"), span);
        self.report.fail(found.help("write the type, such as `let x: Option<Int> = None;`"))
    }
}

fn prefill(bound: &mut [Option<Type>], args: &[Type]) {
    for (slot, ty) in bound.iter_mut().zip(args) {
        *slot = Some(ty.clone());
    }
}

/// The type with those type parameters put in that are known.
fn filled(ty: &Type, bound: &[Option<Type>]) -> Type {
    let args: Vec<Type> = bound.iter().map(|ty| ty.clone().unwrap_or(Type::Unit)).collect();
    ty.instantiate(&args)
}

/// Whether a value takes its type from its place.
fn needs_hint(value: &ast::Expr) -> bool {
    match &value.kind {
        Ast::Name(name) => name.as_str() == "None",
        Ast::Array(parts) => parts.is_empty(),
        _ => false,
    }
}
