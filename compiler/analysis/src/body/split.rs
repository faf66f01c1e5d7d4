//! `split pot by Reward;`: where it may stand, and what it becomes.

use syntax::ast::{self, Ident};
use syntax::{Code, Span};

use super::{Body, BodyKind};
use crate::hir::{Stmt, Type};
use crate::reward;

impl Body<'_, '_> {
    pub(super) fn split(&mut self, pot: &ast::Expr, name: &Ident, span: Span, out: &mut Vec<Stmt>) {
        let divided = self.division(pot, name, span);
        out.extend(self.note(divided).into_iter().flatten());
    }

    fn division(&mut self, pot: &ast::Expr, name: &Ident, span: Span) -> Option<Vec<Stmt>> {
        let checked = self.expect(pot, &Type::Coin);
        if !self.may_split(span) || name.is_missing() {
            return None;
        }
        let signatures = self.env.signatures;
        let table = match signatures.reward(name.as_str()) {
            Some(Some(table)) => table,
            Some(None) => return None,
            None => {
                let found = self.report.error(Code::E0106, format!("there is no reward `{name}`"), name.span);
                let known = signatures.reward_names();
                let close = self.report.did_you_mean(name.as_str(), known);
                let help = close.unwrap_or_else(|| format!("declare it by `reward {name} {{ .. }}` in this file"));
                return self.report.fail(found.help(help));
            }
        };
        let first = self.env.contract?.leaves.get(&name.name).copied()?;
        let pot = checked?;
        let loc = self.report.loc(span);
        let stmts = reward::divide(table, pot, first, &loc, &mut |name, ty| self.variable(name.into(), Some(ty), span));
        Some(stmts)
    }

    fn may_split(&mut self, span: Span) -> bool {
        if self.kind != BodyKind::Spend {
            let found = self.report.error(Code::E0315, "a function cannot divide a pot", span);
            self.report.push(found.help("write `split` in the `spend` path itself"));
            return false;
        }
        let Some(first) = self.split_at.replace(span) else { return true };
        let found = self.report.error(Code::E0315, "this path already divides a pot", span);
        let found = found.saying("divided again here").label(self.report.loc(first), "divided here");
        self.report.push(found.help("give each division a path of its own, or declare one reward with groups"));
        false
    }
}
