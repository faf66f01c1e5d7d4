//! What each pass of the optimiser wins: the script is made again and again, with one pass more each time.
//!
//! Nothing of this runs in a build. The passes work into each other's hands, so what one wins depends on those before
//! it; they come in the order in which they build on each other.

use analysis::hir;
use spec::artifact::{Level, Objective, usual_instruction_lens};

use crate::arrange::Effort;
use crate::code;
use crate::generate::{Options, Source, Target, best, polished, slots, tries};
use crate::lower::Notes;
use crate::plan::{Planner, Plans};
use crate::script::Script;

/// A pass, and what the script takes with it and all before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// What the pass is about, in a few words.
    pub name: &'static str,
    /// The bytes of the script, with values of usual length in its holes.
    pub bytes: usize,
    /// The greatest cost of those paths whose cost has a bound.
    pub cost_bound: Option<u64>,
}

/// Which passes run, of those that nothing else of a [`Planner`] switches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passes {
    /// Checks that repeat are left out, and two bounds become one check.
    pub(crate) fewer: bool,
    /// Arguments and variables lie on the stack in other orders.
    pub(crate) orders: bool,
    /// Operands are fetched in other orders, and values are computed again instead of kept.
    pub(crate) policies: bool,
    /// Constants and parameters that are joined stand in one push.
    pub(crate) texts: bool,
    /// Calls of a function share its body.
    pub(crate) shares: bool,
}

impl Passes {
    /// As in every build.
    pub(crate) const ALL: Self = Self { fewer: true, orders: true, policies: true, texts: true, shares: true };
    /// As few as there can be.
    const NONE: Self = Self { fewer: false, orders: false, policies: false, texts: false, shares: false };
}

/// What each pass wins for a contract, up to the level of `options`; the first entry is the direct code. Empty for a
/// contract that has no code.
///
/// The last entry is what a build makes, unless that is not shown to do what the direct code does.
#[must_use]
pub fn passes(contract: &hir::Contract, functions: &hir::Functions, options: &Options) -> Vec<Pass> {
    stages(contract, functions, options).unwrap_or_default()
}

fn stages(contract: &hir::Contract, functions: &hir::Functions, options: &Options) -> Option<Vec<Pass>> {
    let target = Target::new(contract, options);
    let planner = target.planner(contract, functions, options);
    let Target { holes, level, objective, .. } = &target;
    let (level, objective) = (*level, *objective);
    let mut notes = Notes::default();
    let Source { shape, direct } = Source::new(&planner, &mut notes).ok()?;
    // The other objectives try short code first.
    let all = Planner { measure: Objective::Size, ..planner };
    let script = Script::assemble(contract, holes, &direct, &mut notes);
    let mut found = vec![measured("direct code", &all, &script, &direct)];
    if level == Level::O0 {
        return Some(found);
    }
    let mut made = None;
    for (name, planner) in steps(all) {
        let (script, plans) = best(&planner, &shape, &mut notes).ok()?;
        found.push(measured(name, &all, &script, &plans));
        made = Some((script, plans));
    }
    let mut made = made?;
    let searched = Source::searched(&all, level, &mut notes).ok()?;
    let mut right = &direct;
    let names =
        [("code for the objective", Effort::Quick), ("more orders", Effort::Full), ("beam search", Effort::Beam)];
    for (name, wanted) in names {
        let mut tried = tries(level, objective).into_iter().skip(1).filter(|(effort, _)| *effort == wanted).peekable();
        if tried.peek().is_none() {
            continue;
        }
        let source = searched.as_ref().filter(|_| wanted > Effort::Quick);
        let (shape, direct) = source.map_or((&shape, &direct), |source| (&source.shape, &source.direct));
        for (effort, measure) in tried {
            let other = best(&Planner { effort, measure, ..all }, shape, &mut notes).ok()?;
            if all.is_better(&other, &made) {
                (made, right) = (other, direct);
            }
        }
        found.push(measured(name, &all, &made.0, &made.1));
    }
    if level >= Level::Oz {
        made = polished(&all, made, right, options.seconds, &mut notes);
        found.push(measured("long search", &all, &made.0, &made.1));
    }
    Some(found)
}

/// A planner for each pass of every build, with all passes before it.
fn steps(all: Planner<'_>) -> Vec<(&'static str, Planner<'_>)> {
    let fewer = Passes { fewer: true, ..Passes::NONE };
    let orders = Passes { orders: true, ..fewer };
    let policies = Passes { policies: true, ..orders };
    let passes = Passes { texts: true, ..policies };
    let switched = [
        ("computations and instructions", Passes::NONE),
        ("fewer checks", fewer),
        ("order of arguments", orders),
        ("order of operands", policies),
        ("parameters inside pushes", passes),
    ];
    let with = |(name, passes)| (name, Planner { hashes: false, joins: false, passes, ..all });
    let mut found: Vec<(&'static str, Planner<'_>)> = switched.into_iter().map(with).collect();
    if all.hashes {
        found.push(("constants by their hash", Planner { joins: false, passes, ..all }));
    }
    found.push(("shared functions", Planner { joins: false, ..all }));
    found.push(("joined paths", all));
    found
}

fn measured(name: &'static str, planner: &Planner<'_>, script: &Script, plans: &Plans) -> Pass {
    let Planner { contract, rules, .. } = planner;
    let bytes = usual_instruction_lens(&code::pieces(&script.code), &slots(&contract.params)).iter().sum();
    let costs = contract.paths.iter().enumerate().map(|(at, path)| script.cost_bound(at, path, plans, rules));
    Pass { name, bytes, cost_bound: costs.flatten().max() }
}
