//! What tests and properties mean.

use dashu_int::IBig;
use syntax::{Code, ast};

use crate::body::{Body, BodyKind, Env};
use crate::docs;
use crate::hir::{Param, Test, TestParam, Type};
use crate::report::Report;
use crate::signatures::{ConstantValue, Signatures, Taker, slots};
use crate::{eval, item, types};

/// Checks a test; nothing once a mistake in it has been reported.
pub(crate) fn check_test(signatures: &Signatures, test: &ast::Test, report: &mut Report<'_>) -> Option<Test> {
    let env = Env::of_file(signatures);
    let declared: Vec<ast::Param> = test.params.iter().flatten().map(|param| param.param.clone()).collect();
    let given = slots(&declared, Taker::Plan, env, report);
    let typed = given.iter().all(|slot| slot.ty.is_some());
    let params = item::params(&given, report);
    let mut inner = report.beside();
    let params = test.params.as_ref().map(|declared| {
        let each =
            declared.iter().zip(params).map(|(declared, param)| property_param(declared, param, env, &mut inner));
        each.collect::<Vec<_>>()
    });
    let checked = Body::new(env, BodyKind::Test, &given, &mut inner).check_test(test);
    report.absorb(inner);
    let params = match params {
        Some(params) => Some(params.into_iter().collect::<Option<Vec<_>>>()?),
        None => None,
    };
    let checked = checked.filter(|_| typed)?;
    Some(Test {
        name: test.name.to_string(),
        docs: docs(&test.docs),
        loc: report.loc(test.name.span),
        params,
        keys: checked.keys,
        reads: checked.reads,
        locals: checked.locals,
        coins: checked.coins,
        steps: checked.steps,
    })
}

/// A parameter of a property with the values that are tried.
fn property_param(
    declared: &ast::PropertyParam,
    param: Param,
    env: Env<'_>,
    report: &mut Report<'_>,
) -> Option<TestParam> {
    if !has_values(&param.ty) {
        if param.ty == Type::Unit {
            return None;
        }
        let message = format!("no values of `{}` can be made up", param.ty);
        let found = report.error(Code::E1003, message, declared.param.ty.span);
        return report.fail(found.help("take what it is made from, such as bytes or a number"));
    }
    let Some(range) = &declared.range else {
        let range = stored_range(&declared.param.ty, env, report);
        return Some(TestParam { param, range });
    };
    if !param.ty.is_number() {
        let message = format!("the values of `{}` have no range", param.ty);
        let found = report.error(Code::E1003, message, declared.param.ty.span);
        return report.fail(found.help("leave out what follows `in`; only numbers have one"));
    }
    let mut end = |value: &ast::Expr| {
        let mut inner = report.beside();
        let found = Body::new(env, BodyKind::Constant, &[], &mut inner).constant(value, Some(param.ty.clone()));
        report.absorb(inner);
        match found?.value {
            ConstantValue::Item(eval::Value::Number(n)) => Some(n),
            _ => None,
        }
    };
    let (from, to) = (end(&range.from), end(&range.to));
    let (from, to) = (from?, to?);
    let last = if range.inclusive { to } else { to - IBig::ONE };
    if last < from {
        let found = report.error(Code::E1003, "this range is empty", range.to.span);
        return report.fail(found.help("write the smaller number first"));
    }
    Some(TestParam { param, range: Some((from, last)) })
}

/// The numbers of a type that is stored in so many bytes; as a value it is like any other number.
fn stored_range(ty: &ast::TypeExpr, env: Env<'_>, report: &Report<'_>) -> Option<(IBig, IBig)> {
    // What is wrong with it has been reported.
    let Some(Type::IntN(bytes)) = types::resolve(ty, env, &mut report.beside()) else { return None };
    let most = (IBig::ONE << (8 * bytes as usize - 1)) - IBig::ONE;
    Some((-most.clone(), most))
}

/// Whether values of a type can be made up: whatever is not a signature, a record of the chain or unknown in size.
fn has_values(ty: &Type) -> bool {
    match ty {
        Type::Unit | Type::Share | Type::Sig | Type::Sigs(_) | Type::DataSig | Type::Padding | Type::List(_) => false,
        Type::Tuple(parts) => parts.iter().all(has_values),
        Type::Array(of, _) => has_values(of),
        Type::Struct(of) => of.fields.iter().all(|(_, ty)| has_values(ty)),
        Type::Enum(of) => of.variants.iter().flat_map(|variant| &variant.fields).all(has_values),
        _ => ty.abi().is_some(),
    }
}
