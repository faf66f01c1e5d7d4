//! Types as written, and which values fit where.

use std::sync::Arc;

use dashu_int::IBig;
use syntax::ast::{self, Ident, TypeArg, TypeExpr, TypeKind};
use syntax::{Code, Span};

use crate::body::{Body, BodyKind, Env};
use crate::contracts::{ContractSignature, STATE_TYPE};
use crate::declared::TypeDeclaration;
use crate::eval::Value;
use crate::hir::{EnumType, Expr, ExprKind, Type};
use crate::report::Report;
use crate::signatures::ConstantValue;

/// No item is longer than this under any rules.
pub(crate) const BYTES_MAX: u32 = 65_535;
/// The most keys of one multisig.
pub(crate) const KEYS_MAX: u32 = 20;
/// The most bytes that one number is stored in.
const NUMBER_BYTES_MAX: u32 = 255;
/// The most types that one type is made of.
const PARTS_MAX: u32 = 4_096;

const PLAIN: [(&str, Type); 19] = [
    ("Int", Type::Int),
    ("Bool", Type::Bool),
    ("Bytes", Type::Bytes),
    ("Coin", Type::Coin),
    ("Tokens", Type::Tokens),
    ("Height", Type::Height),
    ("Time", Type::Time),
    ("Blocks", Type::Blocks),
    ("Duration", Type::Duration),
    ("Share", Type::Share),
    ("PubKey", Type::PubKey),
    ("Sig", Type::Sig),
    ("DataSig", Type::DataSig),
    ("Lock", Type::Lock),
    ("Category", Type::Category),
    ("Did", Type::Did),
    ("Padding", Type::Padding),
    ("Hash160", Type::BytesN(20)),
    ("Hash256", Type::BytesN(32)),
];

/// Types that need something between `<` and `>`: their names and examples.
const SIZED: [(&str, &str); 4] =
    [("Sigs", "Sigs<2>"), ("Option", "Option<Int>"), ("Table", "Table<Int<4>, 100>"), ("list", "list<Recipient>")];

/// Whether the language has a type of this name.
pub(crate) fn is_builtin(name: &str) -> bool {
    plain(name).is_some() || SIZED.iter().any(|(word, _)| *word == name)
}

fn plain(word: &str) -> Option<Type> {
    PLAIN.iter().find(|(name, _)| *name == word).map(|(_, ty)| ty.clone())
}

/// The type that is written, or nothing once the mistake has been reported.
pub(crate) fn resolve(ty: &TypeExpr, env: Env<'_>, report: &mut Report<'_>) -> Option<Type> {
    let resolved = match &ty.kind {
        TypeKind::Name { module, name, args } if !module.is_empty() => in_module(module, name, args, ty, env, report),
        TypeKind::Name { name, args, .. } => named(name, args, ty, env, report),
        TypeKind::Array { element, length } => {
            let element = part(element, env, report);
            let length = size(length, "an array", env, report);
            Some(Type::Array(element?.into(), length?))
        }
        TypeKind::Tuple(parts) => {
            let parts: Vec<_> = parts.iter().map(|written| part(written, env, report)).collect();
            Some(Type::Tuple(parts.into_iter().collect::<Option<Arc<[Type]>>>()?))
        }
        TypeKind::Error => None,
    }?;
    bounded(resolved, ty.span, report)
}

/// The type, unless it is made of more types than can be followed.
pub(crate) fn bounded(ty: Type, span: Span, report: &mut Report<'_>) -> Option<Type> {
    if ty.parts() <= PARTS_MAX {
        return Some(ty);
    }
    let found = report.error(Code::E0213, format!("this type has more than {PARTS_MAX} parts"), span);
    report.fail(found.help("use fewer or smaller parts, or a `Table` of numbers"))
}

/// The type of a part of another, which a script must be able to hold.
pub(crate) fn part(written: &TypeExpr, env: Env<'_>, report: &mut Report<'_>) -> Option<Type> {
    let ty = resolve(written, env, report)?;
    part_of(ty, written.span, report)
}

fn part_of(ty: Type, span: Span, report: &mut Report<'_>) -> Option<Type> {
    if !matches!(ty, Type::Share | Type::Sigs(_) | Type::List(_) | Type::Padding) {
        return Some(ty);
    }
    let found = report.error(Code::E0209, format!("`{ty}` cannot be a part of another type"), span);
    report.fail(found.help(match ty {
        Type::Share => "take a number, such as a percentage as `Int`",
        Type::List(_) => "declare it as a parameter of a contract",
        _ => "take it as an argument of a spend path",
    }))
}

fn named(name: &Ident, args: &[TypeArg], ty: &TypeExpr, env: Env<'_>, report: &mut Report<'_>) -> Option<Type> {
    let word = name.as_str();
    if let Some(index) = env.type_params.iter().position(|param| **param == *word) {
        if args.is_empty() {
            return Some(Type::Param(u32::try_from(index).ok()?, name.name.clone()));
        }
        return no_args(word, ty.span, report);
    }
    match (word, args) {
        ("Int", [_, ..]) => Some(Type::IntN(one_number(word, args, 1..=NUMBER_BYTES_MAX, ty.span, report)?)),
        ("Bytes", [_, ..]) => Some(Type::BytesN(one_number(word, args, 0..=BYTES_MAX, ty.span, report)?)),
        ("Sigs", [_, ..]) => Some(Type::Sigs(one_number(word, args, 1..=KEYS_MAX, ty.span, report)?)),
        ("Option", [TypeArg::Type(of)]) => Some(Type::Enum(EnumType::option(part(of, env, report)?).into())),
        ("Table", [TypeArg::Type(of), TypeArg::Int { digits, span }]) => {
            let element = part(of, env, report);
            let count = number(digits, "Table", 1..=BYTES_MAX, *span, report);
            table(element?, count?, ty.span, report)
        }
        ("Table", [TypeArg::Type(of), TypeArg::Type(TypeExpr { kind: TypeKind::Name { name, args, .. }, .. })])
            if args.is_empty() =>
        {
            let element = part(of, env, report);
            let count = named_size(name, env, report);
            table(element?, count?, ty.span, report)
        }
        ("list", [TypeArg::Type(of)]) => list(of, env, report),
        _ => match SIZED.iter().find(|(sized, _)| *sized == word) {
            Some((_, example)) => {
                let found = report.error(Code::E0102, format!("`{word}` needs to know of what"), ty.span);
                report.fail(found.help(format!("write it like `{example}`")))
            }
            None => match plain(word) {
                Some(found) if args.is_empty() => Some(found),
                Some(_) => no_args(word, ty.span, report),
                None => declared(name, args, ty, env, report),
            },
        },
    }
}

fn no_args<T>(word: &str, span: Span, report: &mut Report<'_>) -> Option<T> {
    let found = report.error(Code::E0102, format!("`{word}` takes no size"), span);
    report.fail(found.help(format!("write `{word}` alone")))
}

fn one_number(
    word: &str,
    args: &[TypeArg],
    range: std::ops::RangeInclusive<u32>,
    at: Span,
    report: &mut Report<'_>,
) -> Option<u32> {
    let [TypeArg::Int { digits, span }] = args else {
        let found = report.error(Code::E0102, format!("`{word}` takes one number"), at);
        return report.fail(found.help(format!("write it like `{word}<2>`")));
    };
    number(digits, word, range, *span, report)
}

fn number(
    digits: &str,
    word: &str,
    range: std::ops::RangeInclusive<u32>,
    span: Span,
    report: &mut Report<'_>,
) -> Option<u32> {
    let size = digits.replace('_', "").parse::<u32>().ok().filter(|size| range.contains(size));
    if size.is_none() {
        let message = format!("the size of `{word}` lies between {} and {}", range.start(), range.end());
        let found = report.error(Code::E0205, message, span);
        report.push(found.help("choose a size in this range"));
    }
    size
}

/// The number of elements that an expression says.
pub(crate) fn size(length: &ast::Expr, of: &str, env: Env<'_>, report: &mut Report<'_>) -> Option<u32> {
    let mut inner = report.beside();
    let constant = Body::new(env, BodyKind::Constant, &[], &mut inner).constant(length, Some(Type::Int));
    report.absorb(inner);
    let ConstantValue::Item(Value::Number(count)) = constant?.value else { return None };
    let count = u32::try_from(&count).ok().filter(|count| *count <= BYTES_MAX);
    if count.is_none() {
        let found =
            report.error(Code::E0205, format!("the length of {of} lies between 0 and {BYTES_MAX}"), length.span);
        report.push(found.help("choose a length in this range"));
    }
    count
}

fn named_size(name: &Ident, env: Env<'_>, report: &mut Report<'_>) -> Option<u32> {
    let length = ast::Expr { kind: ast::ExprKind::Name(name.clone()), span: name.span };
    size(&length, "a table", env, report)
}

fn table(element: Type, count: u32, span: Span, report: &mut Report<'_>) -> Option<Type> {
    let Some(len) = element.stored_len().filter(|_| !matches!(element, Type::Table(..))) else {
        let found = report.error(Code::E0209, format!("`{element}` has no fixed size, so no table can hold it"), span);
        return report.fail(found.help("use elements of fixed size, such as `Int<4>`, `Coin` or `Bytes<20>`"));
    };
    if len == 0 || len.checked_mul(count).is_none_or(|bytes| bytes > BYTES_MAX) {
        let message = format!("a table has 1 to {BYTES_MAX} bytes; this one would have {} times {len}", count);
        let found = report.error(Code::E0205, message, span);
        return report.fail(found.help("use fewer or smaller elements"));
    }
    Some(Type::Table(element.into(), count))
}

fn list(of: &TypeExpr, env: Env<'_>, report: &mut Report<'_>) -> Option<Type> {
    let record = match part(of, env, report)? {
        Type::Struct(record) => record,
        other => {
            let found = report.error(Code::E0209, format!("the records of a list are structs, not `{other}`"), of.span);
            return report
                .fail(found.help("declare `struct Recipient { weight: Int<4>, lock: Lock }` and take a list of it"));
        }
    };
    let unfit = record.fields.iter().find(|(_, ty)| ty.stored_len().is_none() && !ty.is_bytes());
    if let Some((name, ty)) = unfit {
        let message = format!("a list cannot hold the field `{name}` of type `{ty}`");
        return report.fail(report.error(Code::E0209, message, of.span).help("use numbers, bytes and keys as fields"));
    }
    // The records are hashed without marks between their fields.
    let mut open = record.fields.iter().filter(|(_, ty)| ty.stored_len().is_none());
    if let (Some((first, _)), Some((second, _))) = (open.next(), open.next()) {
        let message = format!("`{first}` and `{second}` both have any length, so bytes could move between them unseen");
        return report.fail(report.error(Code::E0209, message, of.span).help("give all fields but one a fixed length"));
    }
    Some(Type::List(record))
}

/// A struct or an enum.
fn declared(name: &Ident, args: &[TypeArg], ty: &TypeExpr, env: Env<'_>, report: &mut Report<'_>) -> Option<Type> {
    if name.is_missing() {
        return None;
    }
    if env.signatures.is_broken(name.as_str()) {
        return None;
    }
    let Some(declared) = env.signatures.type_named(name.as_str()) else { return unknown(name, env, report) };
    instance(declared, name, args, ty, env, report)
}

/// A struct or an enum of another file.
fn in_module(
    path: &[Ident],
    name: &Ident,
    args: &[TypeArg],
    ty: &TypeExpr,
    env: Env<'_>,
    report: &mut Report<'_>,
) -> Option<Type> {
    if name.as_str() == STATE_TYPE
        && let Some(contract) = env.signatures.contract(path)
    {
        return state_type(contract, args, ty, env, report);
    }
    let [module] = path else {
        let found = report.error(Code::E0125, "a type is named by one module and its name", ty.span);
        return report.fail(found.help("write `module::Name`, with `use ./module;` at the top of the file"));
    };
    if env.signatures.is_broken(module.as_str()) || name.is_missing() {
        return None;
    }
    let Some(interface) = env.signatures.module(module.as_str()) else {
        let found = report.error(Code::E0120, format!("there is no module `{module}` here"), module.span);
        let close = report.did_you_mean(module.as_str(), env.signatures.module_names());
        return report.fail(found.help(close.or_say(|| format!("import it by `use ./{module};`"))));
    };
    let Some(declared) = interface.types.get(&name.name) else {
        let found = report.error(Code::E0121, format!("`{module}` has no type `{name}`"), name.span);
        let close = report.did_you_mean(name.as_str(), interface.types.keys().map(|name| &**name));
        return report.fail(found.help(close.or_say(|| format!("declare `struct {name} {{ .. }}` there"))));
    };
    instance(declared, name, args, ty, env, report)
}

/// `Contract::State`
fn state_type(
    contract: &ContractSignature,
    args: &[TypeArg],
    ty: &TypeExpr,
    env: Env<'_>,
    report: &mut Report<'_>,
) -> Option<Type> {
    let Some(declared) = &contract.state_type else { return no_state(contract, ty.span, report) };
    let name = Ident { name: format!("{}::{STATE_TYPE}", contract.name).into(), span: ty.span };
    instance(declared, &name, args, ty, env, report)
}

/// Reports that a contract has no state.
pub(crate) fn no_state<T>(contract: &ContractSignature, span: Span, report: &mut Report<'_>) -> Option<T> {
    let found = report.error(Code::E0102, format!("`{}` has no state", contract.name), span);
    let found = found.label(contract.loc.clone(), "declared here");
    report.fail(found.help("declare it there, such as `state { count: Int<4> }`"))
}

/// The type with its arguments put in.
fn instance(
    declared: &TypeDeclaration,
    name: &Ident,
    args: &[TypeArg],
    ty: &TypeExpr,
    env: Env<'_>,
    report: &mut Report<'_>,
) -> Option<Type> {
    let given: Vec<_> = args
        .iter()
        .map(|arg| match arg {
            TypeArg::Type(written) => part(written, env, report),
            TypeArg::Int { span, .. } => {
                let found = report.error(Code::E0102, format!("`{name}` takes types, not numbers"), *span);
                report.fail(found.help("write a type, such as `Int`"))
            }
        })
        .collect();
    let given: Vec<Type> = given.into_iter().collect::<Option<_>>()?;
    if given.len() != declared.params.len() {
        let message = match declared.params.len() {
            0 => format!("`{name}` takes no types"),
            1 => format!("`{name}` takes one type"),
            count => format!("`{name}` takes {count} types"),
        };
        let mut found = report.error(Code::E0102, message, ty.span);
        if let Some(loc) = &declared.loc {
            found = found.label(loc.clone(), "declared here");
        }
        return report.fail(found.help(match declared.params.as_ref() {
            [] => format!("write `{name}` alone"),
            params => format!("write it like `{name}<{}>`", vec!["Int"; params.len()].join(", ")),
        }));
    }
    Some(declared.ty.as_ref()?.instantiate(&given))
}

fn unknown(name: &Ident, env: Env<'_>, report: &mut Report<'_>) -> Option<Type> {
    let found = report.error(Code::E0102, format!("there is no type `{name}`"), name.span);
    let known = PLAIN.iter().map(|(name, _)| *name).chain(SIZED.iter().map(|(name, _)| *name));
    let known = known.chain(env.type_params.iter().map(|name| &**name)).chain(env.signatures.type_names());
    let close = report.did_you_mean(name.as_str(), known);
    report.fail(
        found.help(close.or_say(|| format!("declare it by `struct {name} {{ .. }}`, or use a type of the language"))),
    )
}

/// The types of the parts of a struct, tuple or array.
pub(crate) fn parts(ty: &Type) -> Vec<Type> {
    match ty {
        Type::Tuple(parts) => parts.to_vec(),
        Type::Struct(ty) => ty.fields.iter().map(|(_, ty)| ty.clone()).collect(),
        Type::Array(element, count) => vec![(**element).clone(); *count as usize],
        _ => Vec::new(),
    }
}

/// The types of what a variant carries.
pub(crate) fn payload(ty: &Type, variant: usize) -> &[Type] {
    match ty {
        Type::Enum(ty) => ty.variants.get(variant).map(|variant| variant.fields.as_slice()).unwrap_or_default(),
        _ => &[],
    }
}

/// `Option<T>`, as if it were declared.
pub(crate) fn option() -> TypeDeclaration {
    let name: Arc<str> = "T".into();
    let of = Type::Param(0, name.clone());
    TypeDeclaration { params: [name].into(), ty: Some(Type::Enum(EnumType::option(of).into())), loc: None }
}

/// Whether all type parameters in a type are known.
pub(crate) fn is_known(ty: &Type, bound: &[Option<Type>]) -> bool {
    let all = |types: &[Type]| types.iter().all(|ty| is_known(ty, bound));
    match ty {
        Type::Param(index, _) => bound.get(*index as usize).is_some_and(Option::is_some),
        Type::Tuple(parts) => all(parts),
        Type::Array(element, _) | Type::Table(element, _) => is_known(element, bound),
        Type::Struct(ty) | Type::List(ty) => all(&ty.args),
        Type::Enum(ty) => all(&ty.args),
        _ => true,
    }
}

/// Whether a type mentions a type parameter.
pub(crate) fn is_open(ty: &Type) -> bool {
    !is_known(ty, &[])
}

/// Finds what the type parameters in `pattern` stand for, where it is compared with `found`.
pub(crate) fn unify(pattern: &Type, found: &Type, bound: &mut [Option<Type>]) {
    let mut each = |patterns: &[Type], found: &[Type]| {
        patterns.iter().zip(found).for_each(|(pattern, found)| unify(pattern, found, bound));
    };
    match (pattern, found) {
        (Type::Param(index, _), _) => {
            if let Some(slot @ None) = bound.get_mut(*index as usize) {
                *slot = Some(found.read());
            }
        }
        (Type::Tuple(a), Type::Tuple(b)) => each(a, b),
        (Type::Array(a, _), Type::Array(b, _)) | (Type::Table(a, _), Type::Table(b, _)) => unify(a, b, bound),
        (Type::Struct(a), Type::Struct(b)) if a.name == b.name => each(&a.args, &b.args),
        (Type::Enum(a), Type::Enum(b)) if a.name == b.name => each(&a.args, &b.args),
        _ => {}
    }
}

/// Whether every value of `found` can be used as `wanted`.
///
/// The items of a value do not depend on how its numbers are stored, nor on whether the length of its
/// bytes is known. Those of a table do.
pub(crate) fn fits(found: &Type, wanted: &Type) -> bool {
    match (found, wanted) {
        _ if found == wanted => true,
        (found, Type::Bytes) => found.is_bytes(),
        (Type::Int | Type::IntN(_), Type::Int | Type::IntN(_)) => true,
        (Type::Category | Type::Did, Type::BytesN(32)) | (Type::PubKey, Type::BytesN(33)) => true,
        (Type::Tuple(a), Type::Tuple(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| fits(a, b)),
        (Type::Array(a, m), Type::Array(b, n)) => m == n && fits(a, b),
        (Type::Struct(a), Type::Struct(b)) => {
            a.name == b.name
                && a.fields.len() == b.fields.len()
                && a.fields.iter().zip(&b.fields).all(|((x, a), (y, b))| x == y && fits(a, b))
        }
        (Type::Enum(a), Type::Enum(b)) => {
            a.name == b.name
                && a.variants.len() == b.variants.len()
                && a.variants.iter().zip(&b.variants).all(|(a, b)| {
                    a.name == b.name
                        && a.fields.len() == b.fields.len()
                        && a.fields.iter().zip(&b.fields).all(|(a, b)| fits(a, b))
                })
        }
        _ => false,
    }
}

/// Gives a literal the type that its place wants, where it may have it: `0` has every unit, a number
/// can be one of tokens, 33 bytes can be a public key, and 32 bytes a category or an identity.
pub(crate) fn adapt(mut expr: Expr, wanted: &Type) -> Expr {
    let adapts = match (&expr.kind, &expr.ty, wanted) {
        (ExprKind::Int(n), Type::Int, wanted) => *wanted == Type::Tokens || (*n == IBig::ZERO && wanted.is_number()),
        (ExprKind::Bytes(_), Type::BytesN(33), Type::PubKey) => true,
        (ExprKind::Bytes(_), Type::BytesN(32), Type::Category | Type::Did) => true,
        _ => false,
    };
    if adapts {
        expr.ty = wanted.read();
    }
    expr
}

/// How a number of this type could be written, for help lines.
pub(crate) fn with_unit(number: &str, ty: &Type) -> Option<String> {
    match ty {
        Type::Coin => Some(format!("{number} sats")),
        Type::Blocks => Some(format!("{number} blocks")),
        Type::Duration => Some(format!("{number} seconds")),
        Type::Height => Some(format!("height {number}")),
        Type::Time => Some("time \"2026-12-01T00:00Z\"".into()),
        _ => None,
    }
}
