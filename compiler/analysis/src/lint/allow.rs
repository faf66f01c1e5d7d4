//! `allow(name);`: what the author has considered is not reported, and an `allow` that is not needed is.

use std::collections::BTreeSet;

use syntax::ast::{self, Block, Ident, Member, StmtKind};
use syntax::{Code, Diagnostic, Loc, Span};

use crate::hir::{Allow, Lint};
use crate::report::Report;
use crate::{list, walk};

/// Everything that a contract allows: for all of it, for a member, or for a block.
pub(crate) fn allows_of_contract(contract: &ast::Contract, report: &mut Report<'_>) -> Vec<Allow> {
    let mut allows = Vec::new();
    for member in &contract.members {
        match member {
            Member::Allow(allow) => named(&allow.lints, allow.span, contract.span, report, &mut allows),
            Member::Fn(function) => of_body(&function.body, function.span, report, &mut allows),
            Member::Spend(spend) => of_body(&spend.body, spend.span, report, &mut allows),
            Member::Const(_) | Member::State(_) | Member::Budget(_) | Member::Error(_) => {}
        }
    }
    allows
}

/// Everything that a function of the file allows.
pub(crate) fn allows_of_function(function: &ast::Fn, report: &mut Report<'_>) -> Vec<Allow> {
    let mut allows = Vec::new();
    of_body(&function.body, function.span, report, &mut allows);
    allows
}

/// At the top of a body an `allow` holds for the whole member, elsewhere for its block.
fn of_body(body: &Block, member: Span, report: &mut Report<'_>, allows: &mut Vec<Allow>) {
    of_block(body, member, report, allows);
    for block in walk::inner_blocks(body) {
        of_block(block, block.span, report, allows);
    }
}

fn of_block(block: &Block, scope: Span, report: &mut Report<'_>, allows: &mut Vec<Allow>) {
    for stmt in &block.stmts {
        if let StmtKind::Allow(lints) = &stmt.kind {
            named(lints, stmt.span, scope, report, allows);
        }
    }
}

fn named(lints: &[Ident], whole: Span, scope: Span, report: &mut Report<'_>, allows: &mut Vec<Allow>) {
    let spans: Vec<Span> = lints.iter().map(|name| name.span).collect();
    for (index, name) in lints.iter().enumerate().filter(|(_, name)| !name.is_missing()) {
        let removal = list::without(&spans, index).unwrap_or(whole);
        match Lint::from_name(name.as_str()) {
            Some(lint) => allows.push(Allow {
                lint,
                loc: report.loc(name.span),
                scope: report.loc(scope),
                removal: (!report.is_generated()).then(|| report.loc(removal)),
            }),
            None => {
                let found = report.error(Code::E0425, format!("there is no lint `{name}`"), name.span);
                let known = Lint::ALL.iter().map(|lint| lint.name());
                let close = report.did_you_mean(name.as_str(), known);
                report.push(found.help(close.or_say(|| "take the name from the page of the message")));
            }
        }
    }
}

/// Drops the messages that are allowed, and remembers which `allow` was needed.
pub(crate) struct Silencer<'a> {
    allows: Vec<&'a Allow>,
    needed: BTreeSet<usize>,
}

impl<'a> Silencer<'a> {
    pub(crate) fn new(allows: impl IntoIterator<Item = &'a Allow>) -> Self {
        Silencer { allows: allows.into_iter().collect(), needed: BTreeSet::new() }
    }

    /// The messages that stay. A message is allowed where it stands, or where `at` is, the path that
    /// it is about.
    pub(crate) fn filter(&mut self, found: Vec<Diagnostic>, at: Option<&Loc>) -> Vec<Diagnostic> {
        found.into_iter().filter(|diagnostic| !self.silences(diagnostic, at)).collect()
    }

    fn silences(&mut self, diagnostic: &Diagnostic, at: Option<&Loc>) -> bool {
        let place = diagnostic.labels.first().map(|label| &label.loc);
        let mut silenced = false;
        for (index, allow) in self.allows.iter().enumerate() {
            let covered = [place, at].into_iter().flatten().any(|loc| allow.covers(loc));
            if allow.lint.code() == diagnostic.code && covered {
                self.needed.insert(index);
                silenced = true;
            }
        }
        silenced
    }

    /// A warning for every `allow` of a lint among `lints` that was not needed.
    pub(crate) fn idle(self, lints: impl Fn(Lint) -> bool) -> Vec<Diagnostic> {
        let Silencer { allows, needed } = self;
        let idle = allows.iter().enumerate().filter(|(index, allow)| !needed.contains(index) && lints(allow.lint));
        idle.map(|(_, allow)| allow.idle()).collect()
    }
}
