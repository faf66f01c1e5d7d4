//! What a path demands, as far as its text says it: checks, keys that sign, times that must have come, and what becomes
//! of the coin.

use std::collections::BTreeSet;

use syntax::TokenKind;
use syntax::ast::{BinaryOp, Block, Contract, Expr, ExprKind, Item, Member, Spend, Stmt, StmtKind};

use crate::entry::Entry;

/// A condition and what is said where it does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    /// As it is written.
    pub(crate) condition: String,
    pub(crate) message: String,
}

/// What becomes of a coin that is spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Its money is free.
    #[default]
    Spent,
    /// Its state goes on in a next coin.
    Continues,
    /// Its state ends with it.
    Ends,
    /// An output has the same lock.
    Stays,
    /// A reward divides it.
    Divided,
}

/// What a body demands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) checks: Vec<Check>,
    /// The functions of the contract and of others that it calls where a statement stands: their checks are its own.
    pub(crate) calls: Vec<String>,
    /// Who signs, as written.
    pub(crate) signers: Vec<String>,
    /// What must have come: `age ≥ delay`.
    pub(crate) waits: Vec<String>,
    pub(crate) outcome: Outcome,
}

/// The way that a path of a contract is.
pub(crate) fn way_of(entry: &Entry, contract: &Contract, spend: &Spend) -> Way {
    let mut way = of_block(entry, &spend.body);
    let mut seen = BTreeSet::new();
    let mut todo = way.calls.clone();
    // What the contract's own functions check is checked on the path.
    while let Some(name) = todo.pop() {
        let function = contract.members.iter().find_map(|member| match member {
            Member::Fn(function) if *function.name.name == *name => Some(function),
            _ => None,
        });
        let Some(function) = function.filter(|_| seen.insert(name.clone())) else { continue };
        let inner = of_block(entry, &function.body);
        todo.extend(inner.calls);
        way.signers.extend(inner.signers);
        way.waits.extend(inner.waits);
        if way.outcome == Outcome::Spent {
            way.outcome = inner.outcome;
        }
    }
    dedup(&mut way.signers);
    dedup(&mut way.waits);
    way
}

/// The checks of a function.
pub(crate) fn checks_of(entry: &Entry, body: &Block) -> Vec<Check> {
    of_block(entry, body).checks
}

fn dedup(list: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    list.retain(|one| seen.insert(one.clone()));
}

fn of_block(entry: &Entry, body: &Block) -> Way {
    let mut way = Way::default();
    block(entry, body, &mut way);
    dedup(&mut way.calls);
    way
}

fn block(entry: &Entry, body: &Block, way: &mut Way) {
    body.stmts.iter().for_each(|stmt| statement(entry, stmt, way));
    if let Some(tail) = &body.tail {
        expression(entry, tail, way);
    }
}

fn statement(entry: &Entry, stmt: &Stmt, way: &mut Way) {
    match &stmt.kind {
        StmtKind::Require { cond, message } => {
            let message = message.as_ref().map_or_else(String::new, |message| message.value.to_string());
            way.checks.push(Check { condition: entry.slice(cond.span).to_owned(), message });
            condition(entry, cond, way);
        }
        StmtKind::If(choice) => {
            way.signers.extend(signers(entry.slice(choice.cond.span)));
            block(entry, &choice.then, way);
            choice.otherwise.iter().for_each(|other| block(entry, other, way));
        }
        StmtKind::Match(choice) => choice.arms.iter().for_each(|arm| block(entry, &arm.body, way)),
        StmtKind::For(round) => block(entry, &round.body, way),
        StmtKind::While(round) => block(entry, &round.body, way),
        StmtKind::Continue(_) => way.outcome = Outcome::Continues,
        StmtKind::End => way.outcome = Outcome::Ends,
        StmtKind::Split { .. } => way.outcome = Outcome::Divided,
        StmtKind::Expr(expr) => expression(entry, expr, way),
        _ => {}
    }
}

fn expression(entry: &Entry, expr: &Expr, way: &mut Way) {
    match &expr.kind {
        ExprKind::Call { callee, .. } => way.calls.push(entry.slice(callee.span).to_owned()),
        ExprKind::If(choice) => {
            block(entry, &choice.then, way);
            choice.otherwise.iter().for_each(|other| block(entry, other, way));
        }
        ExprKind::Match(choice) => choice.arms.iter().for_each(|arm| block(entry, &arm.body, way)),
        _ => {}
    }
}

/// What a condition says of keys, times and outputs.
fn condition(entry: &Entry, cond: &Expr, way: &mut Way) {
    match &cond.kind {
        ExprKind::Binary { op: BinaryOp::And, left, right, .. } => {
            condition(entry, left, way);
            condition(entry, right, way);
            return;
        }
        ExprKind::Binary { op: BinaryOp::Ge, left, right, .. } => {
            let time = match entry.slice(left.span) {
                "self.age" => Some("age"),
                "tx.height" => Some("height"),
                "tx.time" => Some("time"),
                _ => None,
            };
            way.waits.extend(
                time.map(|time| format!("{time} ≥ {}", entry.slice(right.span).trim_start_matches(time).trim())),
            );
        }
        ExprKind::Binary { op: BinaryOp::Eq, left, right, .. } => {
            let own = [left, right].iter().any(|side| entry.slice(side.span) == "self.lock");
            let output = [left, right].iter().any(|side| entry.slice(side.span).starts_with("tx.outputs"));
            if own && output && way.outcome == Outcome::Spent {
                way.outcome = Outcome::Stays;
            }
        }
        ExprKind::Threshold { needed, keys, .. } => {
            let keys: Vec<_> = keys.iter().map(|key| entry.slice(key.span)).collect();
            way.signers.push(format!("{} of {}", entry.slice(needed.span), keys.join(", ")));
        }
        _ => {}
    }
    way.signers.extend(signers(entry.slice(cond.span)));
}

/// The keys before `.signed(` in a text.
fn signers(text: &str) -> Vec<String> {
    let tokens = syntax::lex(text);
    let word = |at: usize| text.get(tokens.span(at).range()).unwrap_or_default();
    let is_signed = |at: &usize| {
        *at >= 2
            && word(*at) == "signed"
            && tokens.kind(at - 1) == Some(TokenKind::Dot)
            && tokens.kind(at - 2) == Some(TokenKind::Ident)
    };
    (0..tokens.len()).filter(is_signed).map(|at| word(at - 2).to_owned()).collect()
}

/// The contract of an entry, and its paths.
pub(crate) fn paths(entry: &Entry) -> Vec<(&Contract, &Spend)> {
    let Item::Contract(contract) = &entry.ast else { return Vec::new() };
    let spends = contract.members.iter().filter_map(|member| match member {
        Member::Spend(spend) => Some((contract, spend)),
        _ => None,
    });
    spends.collect()
}
