//! Which form a reward takes, and over which denominator its weights are written.

use dashu_base::Gcd;
use dashu_int::IBig;
use spec::Sats;
use syntax::Code;
use syntax::ast::{self, Entry, EntryValue, ExprKind};

use super::weights::{Source, To, common_denominator};
use super::{Adjust, Form};
use crate::body::{Body, BodyKind, Env};
use crate::eval::Value;
use crate::hir::Type;
use crate::number::grouped;
use crate::report::Report;
use crate::signatures::ConstantValue;

/// The most sources that have code of their own.
const DIRECT_MAX: usize = 16;
/// The denominator of weights that are given when the reward is deployed.
const LIST_DENOMINATOR: u64 = 1_000_000;
/// A weight of a list is stored in four bytes, one bit of them the sign.
const WEIGHT_MAX: u64 = 0x7fff_ffff;
/// The longest relative lock in blocks.
const NOTICE_MAX: u32 = 65_535;

/// The form, and the denominator of all weights.
pub(super) fn choose<'a>(
    sources: &[Source],
    dust: Option<&Entry>,
    adjust: Option<&Entry>,
    name: &ast::Ident,
    env: Env<'a>,
    report: &mut Report<'a>,
) -> Option<(Form, u64)> {
    let has_list = check_list(sources, dust, report)?;
    let adjust = match adjust {
        Some(entry) => Some(read_adjust(entry, env, report)?),
        None => None,
    };
    let Some(exact) = common_denominator(sources) else {
        let most = grouped(&IBig::from(Sats::MAX.get()));
        let message = format!("the weights of `{name}` need a denominator above {most}");
        let found = report.error(Code::E0312, message, name.span);
        return report.fail(found.help("use rounder weights, such as whole percentages"));
    };
    let must = has_list || adjust.is_some();
    let finer = if has_list {
        LIST_DENOMINATOR
    } else {
        (exact / exact.gcd(LIST_DENOMINATOR)).saturating_mul(LIST_DENOMINATOR)
    };
    let denominator = if must && finer <= WEIGHT_MAX { finer } else { exact };
    let fits = denominator <= WEIGHT_MAX && denominator.is_multiple_of(exact);
    if must && !fits {
        let message = format!("the weights of `{name}` are finer than a list can hold");
        let found = report.error(Code::E0312, message, name.span);
        return report.fail(found.help("write weights that are whole millionths, such as `12.5%` or `3/10`"));
    }
    let may = sources.len() > DIRECT_MAX && fits;
    Some((if must || may { Form::List { adjust } } else { Form::Direct }, denominator))
}

/// The denominator of weights that stand in the list of a model's flow.
pub(super) fn fine_as_list(sources: &[Source], name: &ast::Ident, report: &mut Report<'_>) -> Option<u64> {
    let denominator = common_denominator(sources).filter(|denominator| *denominator <= WEIGHT_MAX);
    denominator.or_else(|| {
        let most = grouped(&IBig::from(WEIGHT_MAX));
        let message = format!("the weights of `{name}` need a denominator above {most}");
        let found = report.error(Code::E0312, message, name.span);
        report.fail(found.help("use rounder weights, such as whole percentages"))
    })
}

/// Whether there is a list; nothing if it stands in a wrong place.
fn check_list(sources: &[Source], dust: Option<&Entry>, report: &mut Report<'_>) -> Option<bool> {
    let lists: Vec<_> = sources.iter().enumerate().filter(|(_, source)| matches!(source.to, To::List)).collect();
    let Some((index, source)) = lists.first().copied() else { return Some(false) };
    if let Some((_, second)) = lists.get(1) {
        let found = report.error(Code::E0316, "a reward has one list of recipients", second.span);
        let found = found.saying("another list").label(report.loc(source.span), "the first is here");
        return report.fail(found.help("join the lists, or give each to a reward of its own"));
    }
    if index + 1 != sources.len() || source.path.len() > 1 {
        let found = report.error(Code::E0316, "the list of recipients is the last source", source.span);
        return report.fail(found.help("move it to the end, out of its group"));
    }
    if let Some(dust) = dust {
        let found = report.error(Code::E0316, "the last recipient of the list takes what rounding leaves", dust.span);
        return report.fail(found.help("remove `dust`"));
    }
    Some(true)
}

fn read_adjust<'a>(entry: &Entry, env: Env<'a>, report: &mut Report<'a>) -> Option<Adjust> {
    let EntryValue::By { by, after } = &entry.value else {
        if !matches!(entry.value, EntryValue::Error(_)) {
            let found = report.error(Code::E0311, "`adjust` says who may change the weights, and when", entry.span);
            report.push(found.help("write it like `adjust: by curator after 144 blocks,`"));
        }
        return None;
    };
    let (name, is_did) = match &by.kind {
        ExprKind::Name(name) => (name, false),
        ExprKind::Call { callee, args, .. } if is_did(callee) => match args.as_slice() {
            [ast::Expr { kind: ExprKind::Name(name), .. }] => (name, true),
            _ => return no_authority(by, report),
        },
        ExprKind::Error => return None,
        _ => return no_authority(by, report),
    };
    if name.is_missing() {
        return None;
    }
    let Some(after) = after else {
        let found = report.error(Code::E0311, "`adjust` has no notice period", entry.span);
        return report.fail(found.help(format!("write it like `adjust: by {name} after 144 blocks,`")));
    };
    let constant = Body::new(env, BodyKind::Constant, &[], report).constant(after, Some(Type::Blocks))?;
    let ConstantValue::Item(Value::Number(n)) = constant.value else { return None };
    let Some(notice) = u32::try_from(&n).ok().filter(|blocks| (1..=NOTICE_MAX).contains(blocks)) else {
        let message = format!("a notice period has from 1 to {} blocks", grouped(&IBig::from(NOTICE_MAX)));
        let found = report.error(Code::E0411, message, after.span);
        return report.fail(found.help("choose a period in this range"));
    };
    Some(Adjust { by: name.name.clone(), is_did, notice, loc: report.loc(entry.span) })
}

fn is_did(callee: &ast::Expr) -> bool {
    matches!(&callee.kind, ExprKind::Name(name) if name.as_str() == "did")
}

fn no_authority<T>(by: &ast::Expr, report: &mut Report<'_>) -> Option<T> {
    let found = report.error(Code::E0311, "this is no authority", by.span);
    report.fail(found.help("write the name of a key, such as `by curator`, or of a DID, such as `by did(curator)`"))
}
