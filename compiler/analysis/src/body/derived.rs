//! `Other(a, b).lock` in a contract: the lock of another contract, which whoever deploys this one computes.
//!
//! It becomes one more parameter, without a name that a source can write. What it is computed from must be
//! known by then: parameters of this contract, constants, and other such locks.

use syntax::{Code, Span};

use super::{Body, BodyKind};
use crate::eval;
use crate::hir::{Derived, Expr, ExprKind, ParamId, Type};

impl Body<'_, '_> {
    /// The parameter that holds the lock of `contract` with these values for its parameters.
    pub(super) fn derived_lock(&mut self, contract: String, args: Vec<Expr>, span: Span) -> Option<Expr> {
        let Some(scope) = self.env.contract.filter(|_| self.kind != BodyKind::Constant) else {
            let message = format!("the lock of `{contract}` is known to contracts only");
            let found = self.report.error(Code::E0130, message, span);
            return self.report.fail(found.help("take it as an argument of type `Lock`"));
        };
        let before = scope.params.len();
        let args: Vec<_> = args.into_iter().map(|arg| self.known_at_deployment(arg)).collect();
        let args = args.into_iter().collect::<Option<Vec<_>>>()?;
        // The same lock is one parameter, wherever it is named.
        let same = |known: &Derived| known.contract == contract && same_values(&known.args, &args);
        let index = match self.derived.iter().position(same) {
            Some(index) => index,
            None => {
                let param = ParamId::new(before + self.derived.len());
                self.derived.push(Derived { param, contract, args, loc: self.report.loc(span) });
                self.derived.len() - 1
            }
        };
        Some(self.make(ExprKind::Param(ParamId::new(before + index)), Type::Lock, span))
    }

    fn known_at_deployment(&mut self, arg: Expr) -> Option<Expr> {
        if let ExprKind::Param(_) = arg.kind {
            return Some(arg);
        }
        match eval::eval(&arg, &eval::Constants) {
            Ok(value) if !fits_parameter(&value) => {
                let message = "this number is too large to give to a contract";
                let found = self.report.error(Code::E0130, message, arg.loc.span);
                self.report.fail(found.help("a parameter holds numbers of at most 16 bytes"))
            }
            Ok(value) => Some(self.known_value(&value, &arg.ty, arg.loc.span)),
            Err(_) => {
                let message = "this is not known when the contract is deployed, so no lock can be computed from it";
                let found = self.report.error(Code::E0130, message, arg.loc.span);
                self.report.fail(found.help("give a parameter of this contract, a constant, or the `.lock` of another"))
            }
        }
    }
}

/// Whether every number in a value fits what artifacts hold.
fn fits_parameter(value: &eval::Value) -> bool {
    match value {
        eval::Value::Number(n) => i128::try_from(n).is_ok(),
        eval::Value::Bool(_) | eval::Value::Bytes(_) => true,
        eval::Value::Parts(parts) | eval::Value::Variant(_, parts) => parts.iter().all(fits_parameter),
    }
}

fn same_values(left: &[Expr], right: &[Expr]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| left.kind == right.kind)
}
