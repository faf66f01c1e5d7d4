//! Diagnostics of code generation.

use analysis::hir;
use spec::Rules;
use spec::num::grouped;
use syntax::{Code as ErrorCode, Diagnostic, Loc};

use crate::lower::Excess;

/// Why a path has no code.
pub(crate) fn why(excess: &Excess, path: &hir::SpendPath, rules: &Rules) -> Diagnostic {
    match excess {
        Excess::Steps | Excess::NoBody(_) => too_large(path, rules),
        Excess::Levels => too_deep(path, "the compiler follows"),
        Excess::ReturnInLoop(loc) => return_in_loop(loc),
        Excess::Given { loc, why } => {
            Diagnostic::error(ErrorCode::E0013, format!("these instructions do not fit: {why}"), loc.clone())
                .help("change the instructions, or what they take and leave")
        }
    }
}

fn too_large(path: &hir::SpendPath, rules: &Rules) -> Diagnostic {
    let limit = grouped(rules.limits.script_bytes as u64);
    let message = format!("path `{}` needs more than the {limit} bytes that a script may have", path.name);
    Diagnostic::error(ErrorCode::E0501, message, path.loc.clone())
        .note("every call of a function copies its body")
        .help("call large functions less often, or check less in one path")
}

fn return_in_loop(loc: &Loc) -> Diagnostic {
    Diagnostic::error(ErrorCode::E0013, "a `return` cannot leave this loop", loc.clone())
        .note("the number of its rounds is known only when the coin is spent")
        .help("keep the result in a variable, and return it behind the loop")
}

/// A path that nests too deeply.
pub(crate) fn too_deep(path: &hir::SpendPath, whose: &str) -> Diagnostic {
    let message = format!("path `{}` nests more levels than {whose}", path.name);
    Diagnostic::error(ErrorCode::E0502, message, path.loc.clone())
        .help("split deep expressions and conditionals into several `let`s and `require`s, or the contract")
}

/// A path that takes more work than its bytes pay for.
pub(crate) fn over_budget(path: &hir::SpendPath, work: &str, unlock: usize, budget: u64) -> Diagnostic {
    let message = format!("path `{}` may {work}; {unlock} bytes pay for {}", path.name, grouped(budget));
    Diagnostic::error(ErrorCode::E0504, message, path.loc.clone())
        .note("a node pays for work by the length of the unlocking bytecode")
        .help("check less in this path, or take an argument of type `Padding`, which the wallet fills as needed")
}

/// A list whose records take more work than their bytes pay for.
pub(crate) fn record_over_budget(list: &hir::Param, cost: u64, bytes: u64, budget: u64) -> Diagnostic {
    let (cost, budget) = (grouped(cost), grouped(budget));
    let message = format!("each record of `{}` costs {cost}; its {bytes} bytes pay for {budget}", list.name);
    Diagnostic::warning(ErrorCode::E0504, message, list.loc.clone())
        .note("a node pays for work by the length of the unlocking bytecode")
        .help("take an argument of type `Padding`; the wallet makes it as long as it must be")
}
