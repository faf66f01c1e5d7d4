//! What authors let their contracts take, held against the script that was made.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use analysis::hir::{self, Budget, Measure, Part};
use spec::artifact::{AbiType, SpendPath, Turn, usual_input_bytes, usual_instruction_lens};
use syntax::{Code as ErrorCode, Diagnostic, ItemKind, Loc};

use crate::generate::{Generated, Origin};
use spec::num::grouped;

/// So many of the largest parts are shown.
const SHOWN_MAX: usize = 3;

/// The budgets of a contract that its script exceeds, or that nothing can be held against.
///
/// `spent` tells what each instruction costs in the dearest run of a path.
pub(crate) fn check(
    contract: &hir::Contract,
    functions: &hir::Functions,
    generated: &Generated,
    spent: &dyn Fn(usize) -> Option<BTreeMap<usize, u64>>,
) -> Vec<Diagnostic> {
    if contract.budgets.is_empty() {
        return Vec::new();
    }
    let lens = usual_instruction_lens(&generated.bytecode, &generated.params);
    let held = Held { contract, functions, generated, spent, script: lens.iter().sum(), lens };
    contract.budgets.iter().flat_map(|budget| held.against(budget)).collect()
}

/// What a contract takes.
struct Held<'g> {
    contract: &'g hir::Contract,
    functions: &'g hir::Functions,
    generated: &'g Generated,
    spent: &'g dyn Fn(usize) -> Option<BTreeMap<usize, u64>>,
    /// The bytes of each instruction.
    lens: Vec<usize>,
    /// The bytes of the script.
    script: usize,
}

impl Held<'_> {
    fn against(&self, budget: &Budget) -> Vec<Diagnostic> {
        if budget.measure == Measure::Script {
            let is_over = self.script as u64 > budget.most;
            return is_over.then(|| self.script_over(budget)).into_iter().collect();
        }
        let both = self.contract.paths.iter().zip(&self.generated.paths).enumerate();
        both.filter(|(_, (path, _))| self.governs(budget, path))
            .filter_map(|(at, (path, made))| match budget.measure {
                Measure::Cost => self.cost(budget, at, path, made),
                Measure::Script | Measure::Input => self.input(budget, path, made),
            })
            .collect()
    }

    /// Whether a budget holds for a path: its own, or the contract's if it has none of that measure.
    fn governs(&self, budget: &Budget, path: &hir::SpendPath) -> bool {
        let is_own = |budget: &Budget| budget.path.as_ref() == Some(&path.name);
        let has_own = || self.contract.budgets.iter().any(|other| other.measure == budget.measure && is_own(other));
        is_own(budget) || (budget.path.is_none() && !has_own())
    }

    fn script_over(&self, budget: &Budget) -> Diagnostic {
        let what = format!("the script of `{}` takes {}", self.contract.name, bytes(self.script as u64));
        shown(over(budget, &what, self.script as u64), budget, self.script as u64, self.bytes_by_statement())
    }

    fn input(&self, budget: &Budget, path: &hir::SpendPath, made: &SpendPath) -> Option<Diagnostic> {
        if let Some((arg, slot)) = path.args.iter().zip(&made.args).find(|(_, slot)| slot.ty.is_open()) {
            return Some(boundless(budget, path, arg, &slot.ty));
        }
        let taken = usual_input_bytes(&made.unlock, &made.args, self.script) as u64;
        if taken <= budget.most {
            return None;
        }
        let what = format!("the input of path `{}` takes {}", path.name, bytes(taken));
        let mut parts = self.bytes_by_statement();
        let args = path.args.iter().zip(&made.args);
        parts.extend(args.map(|(arg, slot)| (arg.loc.clone(), slot.ty.usual_push_len() as u64)));
        let found = over(budget, &what, taken).label(path.loc.clone(), "the path");
        Some(shown(found, budget, taken, parts))
    }

    fn cost(&self, budget: &Budget, at: usize, path: &hir::SpendPath, made: &SpendPath) -> Option<Diagnostic> {
        let Some(cost) = made.cost_bound else {
            let message = format!("the cost of path `{}` has no bound", path.name);
            return Some(
                Diagnostic::error(ErrorCode::E0506, message, budget.loc.clone())
                    .saying("a budget for it")
                    .label(path.loc.clone(), "the path")
                    .note("what it does depends on how long a list is, or takes too many steps to be counted")
                    .help(elsewhere(budget)),
            );
        };
        if cost <= budget.most {
            return None;
        }
        let what = format!("path `{}` may cost {}", path.name, grouped(cost));
        let found = over(budget, &what, cost).label(path.loc.clone(), "the path");
        let spent = (self.spent)(at).unwrap_or_default();
        let turns: Vec<Turn> = self.generated.routes.get(at).into_iter().flatten().map(|route| route.turn).collect();
        Some(shown(found, budget, cost, self.by_statement(&|at| spent.get(&at).copied().unwrap_or(0), &turns)))
    }

    fn bytes_by_statement(&self) -> Vec<(Loc, u64)> {
        self.by_statement(&|at| self.lens.get(at).copied().unwrap_or(0) as u64, &[])
    }

    /// What the instructions of each statement weigh together, on the way of these turns.
    fn by_statement(&self, weigh: &dyn Fn(usize) -> u64, turns: &[Turn]) -> Vec<(Loc, u64)> {
        let statements = Statements::of(self.contract, self.functions);
        let mut parts: BTreeMap<Loc, u64> = BTreeMap::new();
        let mut origins = self.generated.source_map.chunk_by(|a, b| a.instruction == b.instruction).peekable();
        let mut here: Option<&Loc> = None;
        let begins = |origins: &&[Origin], at| origins.first().is_some_and(|origin| origin.instruction <= at);
        for at in 0..self.lens.len() {
            while let Some(ways) = origins.next_if(|origins| begins(origins, at)) {
                // Where branches share the instruction, the first stands for ways that nobody knows.
                let fits = |origin: &&Origin| origin.after.iter().all(|turn| turns.contains(turn));
                here = ways.iter().find(fits).or(ways.first()).map(|origin| &origin.loc);
            }
            if let Some(loc) = here {
                *parts.entry(statements.around(loc)).or_default() += weigh(at);
            }
        }
        parts.into_iter().filter(|(_, weight)| *weight > 0).collect()
    }
}

/// The statements without others inside, so that none overlap.
struct Statements(Vec<Loc>);

impl Statements {
    fn of(contract: &hir::Contract, functions: &hir::Functions) -> Self {
        let mut found = Vec::new();
        contract.paths.iter().for_each(|path| add_statements(&path.body, &mut found));
        functions.iter().for_each(|(_, function)| add_statements(&function.body, &mut found));
        found.sort();
        found.dedup();
        Self(found)
    }

    /// The statement around a place, or the place itself.
    fn around(&self, loc: &Loc) -> Loc {
        let begins = |other: &Loc| (other.file, &other.item, other.span.start) <= (loc.file, &loc.item, loc.span.start);
        let before = self.0.partition_point(begins).checked_sub(1).and_then(|at| self.0.get(at));
        let holds = |other: &&Loc| (other.file, &other.item) == (loc.file, &loc.item) && loc.span.end <= other.span.end;
        before.filter(holds).unwrap_or(loc).clone()
    }
}

fn add_statements(block: &hir::Block, found: &mut Vec<Loc>) {
    for stmt in &block.stmts {
        let mut is_plain = true;
        for part in stmt.parts() {
            if let Part::Block(inner) = part {
                is_plain = false;
                add_statements(inner, found);
            }
        }
        if is_plain {
            found.push(stmt.loc.clone());
        }
    }
}

/// The error that `what` is more than a budget.
fn over(budget: &Budget, what: &str, taken: u64) -> Diagnostic {
    let (most, excess) = (grouped(budget.most), grouped(taken.saturating_sub(budget.most)));
    let message = format!("{what}, {excess} more than its budget of {most}");
    Diagnostic::error(ErrorCode::E0505, message, budget.loc.clone()).saying("the budget")
}

/// Marks the largest parts, and says what to do.
fn shown(mut found: Diagnostic, budget: &Budget, taken: u64, mut parts: Vec<(Loc, u64)>) -> Diagnostic {
    parts.sort_by_key(|(_, len)| Reverse(*len));
    for (loc, len) in parts.into_iter().take(SHOWN_MAX) {
        found = found.label(loc, format!("{} of it", amount(budget.measure, len)));
    }
    let limit = format!("{}: {}", budget.measure.name(), amount(budget.measure, taken));
    let more = if budget.measure == Measure::Cost { "" } else { "; `bmc size` tells of every line" };
    found.help(format!("shorten the parts that are marked, or raise the budget to `{limit}`{more}"))
}

/// A limit for the bytes of something that may have any number of them.
fn boundless(budget: &Budget, path: &hir::SpendPath, arg: &hir::Param, ty: &AbiType) -> Diagnostic {
    let message = format!("the input of path `{}` has no bound: `{}` may have any length", path.name, arg.name);
    let found = Diagnostic::error(ErrorCode::E0506, message, budget.loc.clone())
        .saying("a budget for it")
        .label(arg.loc.clone(), "this decides how long it is");
    match ty {
        AbiType::Bytes => {
            found.help(format!("give `{}` a length, such as `Bytes<32>`, or {}", arg.name, elsewhere(budget)))
        }
        _ => found.help(elsewhere(budget)),
    }
}

/// What to do about a budget that nothing can be held against.
fn elsewhere(budget: &Budget) -> String {
    let measure = budget.measure.name();
    let is_declared = budget.loc.item.as_ref().is_some_and(|item| item.kind != ItemKind::Contract);
    match budget.path {
        None if is_declared => format!("remove `{measure}` from this budget, and limit the `script`"),
        None => format!("limit `{measure}` by budgets in those paths that have a bound, and the `script` here"),
        Some(_) => format!("remove `{measure}` here, and limit the `script` of the contract"),
    }
}

fn amount(measure: Measure, count: u64) -> String {
    match measure {
        Measure::Cost => grouped(count),
        Measure::Script | Measure::Input => bytes(count),
    }
}

fn bytes(count: u64) -> String {
    format!("{} byte{}", grouped(count), if count == 1 { "" } else { "s" })
}
