//! Structs, enums and constants: each is read after what it is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use syntax::ast::{self, Ident, Item, TypeArg, TypeExpr, TypeKind, VariantFields};
use syntax::{Code, Diagnostic, Loc};

use crate::body::Env;
use crate::hir::{EnumType, StructType, Type, Variant};
use crate::report::Report;
use crate::signatures::{Signatures, declared_twice, evaluate, on_circles, order_of};
use crate::{SourceItem, types, walk};

/// The most variants of an enum.
const VARIANTS_MAX: usize = 256;

/// A struct or an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TypeDeclaration {
    /// The names of its type parameters.
    pub(crate) params: Arc<[Arc<str>]>,
    /// The type, with [`Type::Param`] for its parameters; nothing if a mistake in it has been reported.
    pub(crate) ty: Option<Type>,
    /// Where; nowhere for a type of the language.
    pub(crate) loc: Option<Loc>,
}

impl TypeDeclaration {
    /// Whether it declares the type of this name.
    pub(crate) fn is_of(&self, name: &str) -> bool {
        self.ty.as_ref().is_some_and(|ty| ty.word() == name)
    }
}

/// A constant or a type of a file.
#[derive(Clone, Copy)]
enum Declaration<'t> {
    Const(&'t ast::Const),
    Struct(&'t ast::Struct),
    Enum(&'t ast::Enum),
}

impl<'t> Declaration<'t> {
    fn of(item: &'t Item) -> Option<Self> {
        match item {
            Item::Const(constant) => Some(Declaration::Const(constant)),
            Item::Struct(item) => Some(Declaration::Struct(item)),
            Item::Enum(item) => Some(Declaration::Enum(item)),
            _ => None,
        }
    }

    fn name(self) -> &'t Ident {
        match self {
            Declaration::Const(item) => &item.name,
            Declaration::Struct(item) => &item.name,
            Declaration::Enum(item) => &item.name,
        }
    }

    fn is_type(self) -> bool {
        !matches!(self, Declaration::Const(_))
    }
}

/// Reads the types and computes the constants of a file, in an order in which each follows what it needs.
pub(crate) fn declare(signatures: &mut Signatures, items: &[SourceItem<'_>]) -> Vec<Diagnostic> {
    let all: Vec<_> = items.iter().filter_map(|item| Some((item, Declaration::of(item.ast)?))).collect();
    let mut index_of: BTreeMap<(bool, &str), usize> = BTreeMap::new();
    for (index, (_, declaration)) in all.iter().enumerate() {
        index_of.entry((declaration.is_type(), declaration.name().as_str())).or_insert(index);
    }
    for (item, declaration) in &all {
        placeholder(signatures, item, *declaration);
    }
    let needs: Vec<BTreeSet<usize>> = all.iter().map(|(_, declaration)| needs(*declaration, &index_of)).collect();
    let (order, left) = order_of(&needs);
    let circles = on_circles(&needs, &left);
    let mut found = Vec::new();
    for (index, (item, declaration)) in order.iter().chain(&left).filter_map(|index| Some((index, all.get(*index)?))) {
        let mut report = Report::new(signatures.file, item);
        let is_first = index_of.get(&(declaration.is_type(), declaration.name().as_str())) == Some(index);
        match declaration {
            Declaration::Const(constant) => constant_of(constant, is_first, signatures, &mut report),
            Declaration::Struct(_) | Declaration::Enum(_) => type_of(*declaration, is_first, signatures, &mut report),
        }
        found.extend(report.finish());
    }
    for (item, declaration) in circles.iter().filter_map(|index| all.get(*index)) {
        found.push(circle(*declaration, &Report::new(signatures.file, item)));
    }
    found
}

/// Until it is read, a declaration is one whose mistake has been reported.
fn placeholder(signatures: &mut Signatures, item: &SourceItem<'_>, declaration: Declaration<'_>) {
    let name = declaration.name();
    let params: &[Ident] = match declaration {
        Declaration::Const(_) => {
            signatures.own_mut().consts.entry(name.name.clone()).or_insert(None);
            return;
        }
        Declaration::Struct(item) => &item.type_params,
        Declaration::Enum(item) => &item.type_params,
    };
    let params = params.iter().map(|param| param.name.clone()).collect();
    let loc = Report::new(signatures.file, item).loc(name.span);
    signatures.own_mut().types.entry(name.name.clone()).or_insert(TypeDeclaration { params, ty: None, loc: Some(loc) });
}

fn constant_of(constant: &ast::Const, is_first: bool, signatures: &mut Signatures, report: &mut Report<'_>) {
    let name = &constant.name.name;
    if !is_first && signatures.own.consts.get(name).is_some_and(Option::is_some) {
        return;
    }
    let mut inner = report.beside();
    let value = evaluate(constant, Env::of_file(signatures), &mut inner);
    report.absorb(inner);
    if let Some(value) = value {
        signatures.own_mut().consts.insert(name.clone(), Some(value));
    }
}

fn type_of(declaration: Declaration<'_>, is_first: bool, signatures: &mut Signatures, report: &mut Report<'_>) {
    let name = declaration.name();
    if types::is_builtin(name.as_str()) {
        let found = report.error(Code::E0105, format!("`{name}` is a type of the language"), name.span);
        return report.push(found.help("choose another name"));
    }
    let ty = read(declaration, signatures, report).and_then(|ty| types::bounded(ty, name.span, report));
    if let Some(known) = signatures.own_mut().types.get_mut(&name.name)
        && is_first
    {
        known.ty = ty;
    }
}

fn read(declaration: Declaration<'_>, signatures: &Signatures, report: &mut Report<'_>) -> Option<Type> {
    match declaration {
        Declaration::Const(_) => None,
        Declaration::Struct(item) => {
            let params = type_params(&item.type_params, report);
            let env = Env { type_params: &params, ..Env::of_file(signatures) };
            let fields = fields(&item.fields, env, report)?;
            Some(Type::Struct(Arc::new(StructType { name: item.name.to_string(), args: own_args(&params), fields })))
        }
        Declaration::Enum(item) => {
            let params = type_params(&item.type_params, report);
            let env = Env { type_params: &params, ..Env::of_file(signatures) };
            let variants = variants(item, env, report)?;
            Some(Type::Enum(Arc::new(EnumType { name: item.name.to_string(), args: own_args(&params), variants })))
        }
    }
}

/// The names of type parameters, which may not hide each other or a type of the language.
pub(crate) fn type_params(written: &[Ident], report: &mut Report<'_>) -> Arc<[Arc<str>]> {
    let mut seen: BTreeMap<&str, &Ident> = BTreeMap::new();
    for name in written.iter().filter(|name| !name.is_missing()) {
        if types::is_builtin(name.as_str()) {
            let found = report.error(Code::E0105, format!("`{name}` is a type of the language"), name.span);
            report.push(found.help("choose another name, such as `T`"));
        }
        if let Some(first) = seen.insert(name.as_str(), name) {
            report.push(declared_twice(name, report.loc(name.span), report.loc(first.span)));
        }
    }
    written.iter().map(|name| name.name.clone()).collect()
}

fn own_args(params: &[Arc<str>]) -> Vec<Type> {
    (0..).zip(params).map(|(index, name)| Type::Param(index, name.clone())).collect()
}

/// Names and types of fields; nothing if one of them is wrong.
pub(crate) fn fields(written: &[ast::Field], env: Env<'_>, report: &mut Report<'_>) -> Option<Vec<(String, Type)>> {
    let mut seen: BTreeMap<&str, &Ident> = BTreeMap::new();
    let mut out = Vec::with_capacity(written.len());
    let mut broken = false;
    for field in written {
        let name = &field.name;
        if let Some(first) = seen.insert(name.as_str(), name).filter(|_| !name.is_missing()) {
            report.push(declared_twice(name, report.loc(name.span), report.loc(first.span)));
            broken = true;
        }
        match types::part(&field.ty, env, report) {
            Some(ty) => out.push((name.to_string(), ty)),
            None => broken = true,
        }
    }
    (!broken).then_some(out)
}

fn variants(item: &ast::Enum, env: Env<'_>, report: &mut Report<'_>) -> Option<Vec<Variant>> {
    let name = &item.name;
    if item.variants.is_empty() || item.variants.len() > VARIANTS_MAX {
        let message = format!("`{name}` has {} variants", item.variants.len());
        let found = report.error(Code::E0113, message, name.span);
        return report.fail(found.help(format!("give it 1 to {VARIANTS_MAX} variants")));
    }
    let mut seen: BTreeMap<&str, &Ident> = BTreeMap::new();
    let mut out = Vec::with_capacity(item.variants.len());
    let mut broken = false;
    for variant in &item.variants {
        let name = &variant.name;
        if let Some(first) = seen.insert(name.as_str(), name).filter(|_| !name.is_missing()) {
            report.push(declared_twice(name, report.loc(name.span), report.loc(first.span)));
            broken = true;
        }
        let fields = match &variant.fields {
            VariantFields::Unit => Some(Vec::new()),
            VariantFields::Tuple(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| types::part(part, env, report)).collect();
                parts.into_iter().map(|ty| ty.map(|ty| (String::new(), ty))).collect()
            }
            VariantFields::Struct(written) => fields(written, env, report),
        };
        let Some(fields) = fields else {
            broken = true;
            continue;
        };
        let (names, fields): (Vec<String>, Vec<Type>) = fields.into_iter().unzip();
        let named = matches!(variant.fields, VariantFields::Struct(_));
        out.push(Variant { name: name.to_string(), fields, names: if named { names } else { Vec::new() } });
    }
    (!broken).then_some(out)
}

fn circle(declaration: Declaration<'_>, report: &Report<'_>) -> Diagnostic {
    let name = declaration.name();
    match declaration {
        Declaration::Const(_) => report
            .error(Code::E0109, format!("`{name}` is computed from itself"), name.span)
            .help("give one of the constants of the circle a plain value"),
        Declaration::Struct(_) | Declaration::Enum(_) => report
            .error(Code::E0112, format!("`{name}` contains itself, directly or through others"), name.span)
            .help("a value has a fixed number of parts; keep the other value's hash instead"),
    }
}

/// What a declaration mentions of its file.
fn needs(declaration: Declaration<'_>, index_of: &BTreeMap<(bool, &str), usize>) -> BTreeSet<usize> {
    let mut names = Names { index_of, found: BTreeSet::new() };
    match declaration {
        Declaration::Const(constant) => {
            constant.ty.iter().for_each(|ty| names.ty(ty, &[]));
            names.expr(&constant.value);
        }
        Declaration::Struct(item) => item.fields.iter().for_each(|field| names.ty(&field.ty, &item.type_params)),
        Declaration::Enum(item) => {
            for variant in &item.variants {
                match &variant.fields {
                    VariantFields::Unit => {}
                    VariantFields::Tuple(parts) => parts.iter().for_each(|part| names.ty(part, &item.type_params)),
                    VariantFields::Struct(fields) => {
                        fields.iter().for_each(|field| names.ty(&field.ty, &item.type_params));
                    }
                }
            }
        }
    }
    names.found
}

struct Names<'n> {
    index_of: &'n BTreeMap<(bool, &'n str), usize>,
    found: BTreeSet<usize>,
}

impl Names<'_> {
    fn add(&mut self, is_type: bool, name: &str) {
        self.found.extend(self.index_of.get(&(is_type, name)).copied());
    }

    fn expr(&mut self, expr: &ast::Expr) {
        let mut visit = |expr: &ast::Expr| match &expr.kind {
            ast::ExprKind::Name(name) => self.add(false, name.as_str()),
            ast::ExprKind::Path(path) => path.iter().for_each(|name| self.add(true, name.as_str())),
            ast::ExprKind::Struct(literal) => literal.path.iter().for_each(|name| self.add(true, name.as_str())),
            _ => {}
        };
        walk::ast_expr(expr, &mut visit, &mut |_| {});
    }

    fn ty(&mut self, ty: &TypeExpr, params: &[Ident]) {
        match &ty.kind {
            TypeKind::Name { module, name, args } => {
                let of_file = module.is_empty() && !params.iter().any(|param| param.name == name.name);
                if of_file {
                    self.add(true, name.as_str());
                    // A size may be a constant: `Table<Int<4>, COUNT>`.
                    self.add(false, name.as_str());
                }
                for arg in args {
                    if let TypeArg::Type(arg) = arg {
                        self.ty(arg, params);
                    }
                }
            }
            TypeKind::Array { element, length } => {
                self.ty(element, params);
                self.expr(length);
            }
            TypeKind::Tuple(parts) => parts.iter().for_each(|part| self.ty(part, params)),
            TypeKind::Error => {}
        }
    }
}
