//! What plans mean: transaction templates, checked and turned into the data that wallets run.

mod default;

pub use default::default_plans;

use syntax::ast;

use crate::body::{Body, BodyKind, Env};
use crate::docs;
use crate::hir::Plan;
use crate::item::params;
use crate::report::Report;
use crate::signatures::{Signatures, Taker, slots};

/// Checks a plan; nothing once a mistake in it has been reported.
pub(crate) fn check_plan(signatures: &Signatures, plan: &ast::Plan, report: &mut Report<'_>) -> Option<Plan> {
    let env = Env::of_file(signatures);
    let given = slots(&plan.params, Taker::Plan, env, report);
    let mut inner = report.beside();
    let checked = Body::new(env, BodyKind::Plan, &given, &mut inner).check_plan(plan);
    report.absorb(inner);
    let checked = checked?;
    let parts = checked.parts;
    Some(Plan {
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
    })
}
