//! What plans mean: transaction templates, checked and turned into the data that wallets run.

mod default;

pub use default::default_plans;

use std::collections::BTreeSet;

use syntax::{Code, ast};

use crate::body::{Body, BodyKind, Env};
use crate::docs;
use crate::hir::{Expr, ExprKind, Plan};
use crate::item::params;
use crate::report::Report;
use crate::signatures::{Signatures, Taker, slots};
use crate::walk;

/// Checks a plan; nothing once a mistake in it has been reported.
pub(crate) fn check_plan(signatures: &Signatures, plan: &ast::Plan, report: &mut Report<'_>) -> Option<Plan> {
    let env = Env::of_file(signatures);
    let given = slots(&plan.params, Taker::Plan, env, report);
    let mut inner = report.beside();
    let checked = Body::new(env, BodyKind::Plan, &given, &mut inner).check_plan(plan);
    report.absorb(inner);
    let checked = checked?;
    let parts = checked.parts;
    let found = Plan {
        name: plan.name.to_string(),
        docs: docs(&plan.docs),
        loc: report.loc(plan.name.span),
        args: params(&given, report),
        reads: checked.reads,
        locals: checked.locals,
        inputs: parts.inputs,
        lets: parts.lets,
        requires: parts.requires,
        outputs: parts.outputs,
        locktime: parts.locktime,
        publish: parts.publish,
        change: parts.change,
    };
    warn_about_unread(&plan.params, &found, report);
    Some(found)
}

fn warn_about_unread(params: &[ast::Param], plan: &Plan, report: &mut Report<'_>) {
    let mut read = BTreeSet::new();
    let mut visit = |expr: &Expr| {
        if let ExprKind::Arg(id) = expr.kind {
            read.insert(id.index());
        }
    };
    for expr in plan.exprs() {
        walk::expr(expr, &mut visit, &mut |_| {});
    }
    for (index, param) in params.iter().enumerate() {
        let name = param.name.as_str();
        if !(read.contains(&index) || name.is_empty() || name.starts_with('_')) {
            let found = report.warning(Code::E0111, format!("nothing reads the parameter `{name}`"), param.name.span);
            report.push(found.help("remove it, or use it in an output"));
        }
    }
}
