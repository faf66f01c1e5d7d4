//! Types as written, and which values fit where.

use dashu_int::IBig;
use syntax::Code;
use syntax::ast::{TypeArg, TypeExpr, TypeKind};

use crate::hir::{Expr, ExprKind, Type};
use crate::report::Report;
use crate::suggest;

/// No item is longer than this under any rules.
pub(crate) const BYTES_MAX: u32 = 65_535;
/// The most keys of one multisig.
pub(crate) const KEYS_MAX: u32 = 20;

const PLAIN: [(&str, Type); 16] = [
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
    ("Hash160", Type::BytesN(20)),
    ("Hash256", Type::BytesN(32)),
];

/// The type that is written, or nothing once the mistake has been reported.
pub(crate) fn resolve(ty: &TypeExpr, report: &mut Report<'_>) -> Option<Type> {
    match &ty.kind {
        TypeKind::Name { module, .. } if !module.is_empty() => {
            report.not_yet("modules are", ty.span);
            None
        }
        TypeKind::Name { name, args, .. } if args.is_empty() => match name.as_str() {
            "Category" => Some(Type::Bytes),
            "Sigs" => report.fail(
                report
                    .error(Code::E0102, "`Sigs` needs the number of signatures", ty.span)
                    .help("write `Sigs<2>` for the signatures of `2 of [a, b, c]`"),
            ),
            word => plain(word).or_else(|| unknown(word, ty, report)),
        },
        TypeKind::Name { name, args, .. } => sized(name.as_str(), args, ty, report),
        TypeKind::Array { .. } | TypeKind::Tuple(_) => {
            report.not_yet("arrays and tuples are", ty.span);
            None
        }
        TypeKind::Error => None,
    }
}

fn plain(word: &str) -> Option<Type> {
    PLAIN.iter().find(|(name, _)| *name == word).map(|(_, ty)| ty.clone())
}

fn unknown(word: &str, ty: &TypeExpr, report: &mut Report<'_>) -> Option<Type> {
    if word.is_empty() {
        return None;
    }
    let found = report.error(Code::E0102, format!("there is no type `{word}`"), ty.span);
    let known = PLAIN.iter().map(|(name, _)| *name).chain(["Category", "Sigs"]);
    let close = suggest::did_you_mean(word, known);
    report.fail(
        found
            .help(close.unwrap_or_else(|| "use a type of the language, such as `Int`, `Bytes<20>` or `PubKey`".into())),
    )
}

fn sized(word: &str, args: &[TypeArg], ty: &TypeExpr, report: &mut Report<'_>) -> Option<Type> {
    let (limit, least) = match word {
        "Bytes" => (BYTES_MAX, 0),
        "Sigs" => (KEYS_MAX, 1),
        _ if plain(word).is_some() || word == "Category" => {
            let found = report.error(Code::E0102, format!("`{word}` takes no size"), ty.span);
            return report.fail(found.help(format!("write `{word}` alone")));
        }
        _ => return unknown(word, ty, report),
    };
    let [TypeArg::Int { digits, span }] = args else {
        let found = report.error(Code::E0102, format!("`{word}` takes one number"), ty.span);
        return report.fail(found.help(format!("write it like `{word}<2>`")));
    };
    let size = digits.replace('_', "").parse::<u32>().ok().filter(|size| (least..=limit).contains(size));
    let Some(size) = size else {
        let message = format!("the size of `{word}` lies between {least} and {limit}");
        let found = report.error(Code::E0205, message, *span);
        return report.fail(found.help("choose a size in this range"));
    };
    Some(if word == "Bytes" { Type::BytesN(size) } else { Type::Sigs(size) })
}

/// Whether every value of `found` can be used as `wanted`.
pub(crate) fn fits(found: &Type, wanted: &Type) -> bool {
    found == wanted || (*wanted == Type::Bytes && found.is_bytes())
}

/// Gives a literal the type that its place wants, where it may have it: `0` has every unit, a number
/// can be one of tokens, and 33 bytes can be a public key.
pub(crate) fn adapt(mut expr: Expr, wanted: &Type) -> Expr {
    let adapts = match (&expr.kind, &expr.ty, wanted) {
        (ExprKind::Int(n), Type::Int, wanted) => *wanted == Type::Tokens || (*n == IBig::ZERO && wanted.is_number()),
        (ExprKind::Bytes(_), Type::BytesN(33), Type::PubKey) => true,
        _ => false,
    };
    if adapts {
        expr.ty = wanted.clone();
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
