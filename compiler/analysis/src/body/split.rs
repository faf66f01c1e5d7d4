//! `split pot by Reward;`: where it may stand, and the generated statements that it stands for.

use std::sync::Arc;

use syntax::ast::{self, Ident};
use syntax::{Code, ItemKind, Span};

use super::{Body, BodyKind, Name};
use crate::domain::{self, Names, reward};
use crate::hir::{Stmt, StmtKind, Type};

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
                if let Some(told) = self.other_kind(name, ItemKind::Reward) {
                    return told;
                }
                let found = self.report.error(Code::E0106, format!("there is no reward `{name}`"), name.span);
                let known = signatures.reward_names();
                let close = self.report.did_you_mean(name.as_str(), known);
                let help = close.or_say(|| format!("declare it by `reward {name} {{ .. }}` in this file"));
                return self.report.fail(found.help(help));
            }
        };
        if !table.is_fixed() {
            let message = format!("the recipients of `{name}` are not known here");
            let found = self.report.error(Code::E0316, message, name.span);
            let found = found.label(table.loc.clone(), "they are given by a list, or may change");
            return self.report.fail(found.help(format!("pay the coin to `{name}` itself, which divides it")));
        }
        let contract = self.env.contract.filter(|scope| scope.leaves.contains(&name.name))?;
        self.leaves_in_sight(table, span)?;
        let pot = checked?;
        let mut names = Names::new(contract.names.clone());
        let pot_name = names.fresh("pot");
        let loc = self.report.loc(span);
        let (block, text, origins) =
            domain::block(&loc, |text| reward::divide(text, table, &pot_name, &mut names, &loc));
        self.open();
        let local = self.declare(&Ident { name: pot_name.into(), span }, Some(Type::Coin), false);
        let mut stmts = vec![Stmt { kind: StmtKind::Let { local, value: pot }, loc }];
        let outside = self.report.enter(Some((text, Arc::new(origins))));
        stmts.extend(self.stmts(&block.stmts));
        self.report.enter(outside);
        self.close();
        Some(stmts)
    }

    /// The sources are parameters by their names, so no variable may stand before them.
    fn leaves_in_sight(&mut self, table: &reward::Table, span: Span) -> Option<()> {
        let meaning = |leaf: &reward::Leaf| self.names.get(&*leaf.param)?.last().copied();
        let hidden = table.leaves.iter().find_map(|leaf| Some((leaf, meaning(leaf)?)));
        let Some((leaf, Name::Local(_))) = hidden else {
            // That an argument has the name of a source has been told where the sources became parameters.
            return hidden.is_none().then_some(());
        };
        let message = format!("`{}` is a source of `{}` and a variable here", leaf.param, table.name);
        let found = self.report.error(Code::E0105, message, span).label(leaf.loc.clone(), "the source");
        self.report.fail(found.help("rename the variable, or the source of the reward"))
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
