//! `budget(script: 130 bytes, input: 220 bytes, cost: 40_000);`: how much an author lets a contract or path take.
//!
//! What is written is read here, and held against the script where that is made.

use std::collections::BTreeMap;

use syntax::ast::{self, Entry, EntryValue, Expr, ExprKind, FieldInit, Ident, Item, Member, StmtKind, Unit};
use syntax::{Code, Span};

use crate::hir::{Budget, Measure};
use crate::report::Report;
use crate::walk;

/// How the setting of a declaration is written.
pub(crate) const EXAMPLE: &str = "budget: { script: 130 bytes, input: 220 bytes, cost: 40_000 },";
/// The key of that setting.
pub(crate) const KEY: &str = "budget";

/// A limit as it is written.
struct Limit<'t> {
    key: &'t Ident,
    /// What is no expression limits nothing.
    value: Option<&'t Expr>,
    span: Span,
}

/// Everything that the contract's author says of it and of its paths.
pub(crate) fn of_contract(contract: &ast::Contract, report: &mut Report<'_>) -> Vec<Budget> {
    let mut budgets = Vec::new();
    let mut seen = BTreeMap::new();
    for member in &contract.members {
        match member {
            Member::Budget(budget) => {
                budgets.extend(read(limits_of(&budget.limits), budget.span, None, &mut seen, report));
            }
            Member::Fn(function) => none_in(&function.body, report),
            Member::Spend(spend) => budgets.extend(of_path(spend, report)),
            Member::Const(_) | Member::State(_) | Member::Allow(_) | Member::Error(_) => {}
        }
    }
    budgets
}

/// The budget of a path stands before all else in it.
fn of_path(spend: &ast::Spend, report: &mut Report<'_>) -> Vec<Budget> {
    let mut budgets = Vec::new();
    let mut seen = BTreeMap::new();
    let mut is_first = true;
    for stmt in &spend.body.stmts {
        match &stmt.kind {
            StmtKind::Budget(limits) if is_first => {
                budgets.extend(read(limits_of(limits), stmt.span, Some(&spend.name), &mut seen, report));
            }
            StmtKind::Budget(_) => misplaced(stmt.span, report),
            StmtKind::Allow(_) => {}
            _ => is_first = false,
        }
    }
    walk::inner_blocks(&spend.body).into_iter().for_each(|block| none_at_top(block, report));
    budgets
}

/// Reports the budgets in the body of a function, which has none.
pub(crate) fn none_in(body: &ast::Block, report: &mut Report<'_>) {
    none_at_top(body, report);
    walk::inner_blocks(body).into_iter().for_each(|block| none_at_top(block, report));
}

fn none_at_top(block: &ast::Block, report: &mut Report<'_>) {
    let budgets = block.stmts.iter().filter(|stmt| matches!(stmt.kind, StmtKind::Budget(_)));
    budgets.for_each(|stmt| misplaced(stmt.span, report));
}

fn misplaced(span: Span, report: &mut Report<'_>) {
    let found = report.error(Code::E0507, "a budget limits nothing here", span);
    report.push(found.help("move it to the top of the path, or out of the path into the contract"));
}

/// The setting of a declaration, if it has one, and the budget that each of its contracts gets.
pub(crate) fn of_declaration(item: &Item, report: &mut Report<'_>) -> Vec<Budget> {
    let entries = match item {
        Item::Reward(one) => &one.entries,
        Item::Model(one) => &one.entries,
        Item::Imi(one) => &one.entries,
        Item::Imo(one) => &one.entries,
        _ => return Vec::new(),
    };
    // A second one is reported with the other settings.
    let Some(entry) = entries.iter().find(|entry| entry.key.as_str() == KEY) else { return Vec::new() };
    match &entry.value {
        EntryValue::Group { weight: None, entries } => {
            read(entries.iter().map(limit_of_entry), entry.span, None, &mut BTreeMap::new(), report)
        }
        EntryValue::Error(_) => Vec::new(),
        _ => {
            let found = report.error(Code::E0507, "`budget` is written another way", entry.span);
            report.push(found.help(format!("write it like `{EXAMPLE}`")));
            Vec::new()
        }
    }
}

fn limits_of(limits: &[FieldInit]) -> impl Iterator<Item = Limit<'_>> {
    limits.iter().map(|limit| Limit { key: &limit.name, value: Some(&limit.value), span: limit.span })
}

fn limit_of_entry(entry: &Entry) -> Limit<'_> {
    let value = match &entry.value {
        EntryValue::Expr(value) => Some(value),
        _ => None,
    };
    Limit { key: &entry.key, value, span: entry.span }
}

/// The limits that are written as they should be; `seen` holds those before, by their measures.
fn read<'t>(
    limits: impl Iterator<Item = Limit<'t>>,
    span: Span,
    path: Option<&Ident>,
    seen: &mut BTreeMap<Measure, Span>,
    report: &mut Report<'_>,
) -> Vec<Budget> {
    let mut is_empty = true;
    let mut budgets = Vec::new();
    for limit in limits {
        is_empty = false;
        if let Some((measure, most)) = read_limit(&limit, path, report)
            && is_new(measure, &limit, seen, report)
        {
            budgets.push(Budget { measure, most, path: path.map(Ident::to_string), loc: report.loc(limit.span) });
        }
    }
    if is_empty {
        let found = report.error(Code::E0507, "this budget limits nothing", span);
        report.push(found.help(format!("write {}", examples(path))));
    }
    budgets
}

fn read_limit(limit: &Limit<'_>, path: Option<&Ident>, report: &mut Report<'_>) -> Option<(Measure, u64)> {
    if limit.key.is_missing() {
        return None;
    }
    let key = limit.key.as_str();
    let Some(measure) = Measure::from_name(key) else {
        let close = report.did_you_mean(key, Measure::ALL.iter().map(|measure| measure.name()));
        let found = report.error(Code::E0507, format!("a budget limits no `{key}`"), limit.key.span);
        return report.fail(found.help(close.or_say(|| format!("write {}", examples(path)))));
    };
    if let Some(path) = path.filter(|_| measure == Measure::Script) {
        let message = format!("the script does not belong to `{path}` alone");
        let found = report.error(Code::E0507, message, limit.key.span);
        return report.fail(found.help("limit `script` in a budget of the contract, beside its paths"));
    }
    match (limit.value.map(|value| &value.kind), measure) {
        (Some(ExprKind::Error), _) => None,
        (Some(ExprKind::Quantity { digits, unit: Unit::Bytes, .. }), Measure::Script | Measure::Input)
        | (Some(ExprKind::Int(digits)), Measure::Cost) => match digits.replace('_', "").parse() {
            Ok(most) if most > 0 => Some((measure, most)),
            _ => malformed(measure, limit.span, report),
        },
        _ => malformed(measure, limit.span, report),
    }
}

fn malformed<T>(measure: Measure, span: Span, report: &mut Report<'_>) -> Option<T> {
    let what = match measure {
        Measure::Script | Measure::Input => "is a number of bytes",
        Measure::Cost => "is a number without a unit",
    };
    let found = report.error(Code::E0507, format!("the limit of `{}` {what}", measure.name()), span);
    report.fail(found.help(format!("write it like `{}`", measure.example())))
}

/// Whether nothing limits the same already.
fn is_new(measure: Measure, limit: &Limit<'_>, seen: &mut BTreeMap<Measure, Span>, report: &mut Report<'_>) -> bool {
    let Some(first) = seen.get(&measure) else {
        seen.insert(measure, limit.span);
        return true;
    };
    let found = report.error(Code::E0507, format!("`{}` is limited twice", measure.name()), limit.span);
    let found = found.saying("limited again here").label(report.loc(*first), "the first is here");
    report.push(found.help("remove one of them"));
    false
}

fn examples(path: Option<&Ident>) -> String {
    let open = Measure::ALL.iter().filter(|measure| path.is_none() || **measure != Measure::Script);
    let all: Vec<String> = open.map(|measure| format!("`{}`", measure.example())).collect();
    match all.split_last() {
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
