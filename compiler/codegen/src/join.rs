//! Paths joined into one: what they have in common is written once, and what tells them apart is what costs least.
//!
//! ```text
//! claim:  sha256(preimage) == digest, recipient.signed(sig)      DEPTH 1SUB IF SHA256 <digest> EQUALVERIFY <recipient>
//! refund: height >= timeout, sender.signed(sig)             ──►  ELSE <timeout> CHECKLOCKTIMEVERIFY DROP <sender>
//!                                                                ENDIF CHECKSIG
//! ```
//!
//! The paths become the branches of conditionals in one value graph, in which equal arguments are the same item. Checks
//! that both branches make move in front of the conditional or behind it; of checks that are alike but for some operands
//! the branches leave the operands. Then the scheduler writes the whole as it writes any path.
//!
//! Paths are told apart, in this order of preference, by
//! - what they demand: if one path's check rules out a check of each other path, it decides, and is not made again;
//! - how many items the spender pushes: every script has to use up the stack, so no other number gets through;
//! - an item for the purpose, which must be exactly 1 or 0, or is counted down and must be one of 1, 2, …
//!
//! Nobody can turn an unlocking bytecode into another for the same path: it has one form in each case.

mod alike;
mod demand;
mod tree;
mod unite;

use spec::Opcode;
use spec::artifact::UnlockItem;

use crate::arrange::{Arranged, Effort};
use crate::code::{Op, SiteId};
use crate::lower::Notes;
use crate::mir::{Block, Effect, Fork, Path};
use crate::plan::{PathPlan, Planner};
use crate::schedule::End;

use alike::Manner;
use tree::Tree;
use unite::{Slots, United, unite};

/// So many paths are joined at most.
const PATHS_MAX: usize = 8;
/// So many instructions of all paths together.
const INSTRUCTIONS_MAX: usize = 1_500;
/// The trees that are looked at in all manners.
const TREES_MAX: usize = 2;

/// Which form of paths is joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// With all constants and parameters as they are.
    Plain,
    /// With hashes of constants and parameters inside of texts, where that makes the path alone shorter.
    Best,
}

impl Form {
    const fn of(self, plan: &PathPlan) -> &Path {
        match self {
            Self::Plain => &plan.plain,
            Self::Best => &plan.mir,
        }
    }
}

/// The paths of a contract as one.
#[derive(Clone, Debug)]
pub(crate) struct Joined {
    pub(crate) arranged: Arranged,
    /// The texts whose hashes stand there in their place.
    pub(crate) preimages: Vec<Vec<u8>>,
    /// In the contract's order.
    pub(crate) paths: Vec<JoinedPath>,
    recipe: Recipe,
}

/// How paths were joined.
#[derive(Clone, Debug)]
struct Recipe {
    form: Form,
    tree: Tree,
    manner: Manner,
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct JoinedPath {
    /// What the spender pushes.
    pub(crate) unlock: Vec<UnlockItem>,
    pub(crate) route: Vec<Crossing>,
}

/// A conditional on the way to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crossing {
    /// Its mark.
    pub(crate) fork: SiteId,
    /// Whether the path is in the first block.
    pub(crate) first: bool,
    /// Whether it goes by what paths demand, so that the pushed items do not settle it.
    pub(crate) by_demand: bool,
    /// The path's check that fails if the conditional goes the other way.
    pub(crate) demand: Option<SiteId>,
}

/// The best joint form of all paths, if there is any.
pub(crate) fn join(planner: &Planner<'_>, plans: &[PathPlan], form: Form, notes: &mut Notes) -> Option<Joined> {
    let instructions: usize = plans.iter().map(|plan| plan.arranged.code.len()).sum();
    let paths: Vec<&Path> = plans.iter().map(|plan| form.of(plan)).collect();
    // Alone it would be the same path with other numbers for its values, which is worth a try in a search.
    let is_alone =
        planner.effort <= Effort::Full && paths.len() == 1 && !paths.iter().any(|path| has_choices(&path.body));
    if is_alone
        || paths.len() > PATHS_MAX
        || instructions > INSTRUCTIONS_MAX
        || !paths.iter().all(|path| can_join(path))
    {
        return None;
    }
    let mut search = Search { planner, paths: &paths, notes };
    let (trees_max, look) = match planner.effort {
        Effort::Beam | Effort::Long(_) => (usize::MAX, Effort::Full),
        Effort::Glance | Effort::Full => (TREES_MAX, Effort::Glance),
        Effort::None | Effort::Look | Effort::Quick => (1, Effort::Look),
    };
    let mut trees: Vec<(usize, Tree)> = Vec::new();
    for tree in tree::trees(planner.contract, &paths) {
        if let Some(joined) = search.attempt(&tree, Manner::default(), look) {
            trees.push((joined.arranged.score, tree));
        }
    }
    trees.sort_by_key(|(score, _)| *score);
    let mut best: Option<(usize, Tree, Manner)> = None;
    for (score, tree) in trees.into_iter().take(trees_max) {
        let (mut score, mut manner) = (score, Manner::default());
        for change in Manner::CHANGES {
            let changed = change(manner);
            if let Some(joined) = search.attempt(&tree, changed, look).filter(|one| one.arranged.score < score) {
                (score, manner) = (joined.arranged.score, changed);
            }
        }
        if best.as_ref().is_none_or(|best| score < best.0) {
            best = Some((score, tree, manner));
        }
    }
    let (_, tree, manner) = best?;
    again(planner, plans, &Recipe { form, tree, manner }, notes)
}

/// The paths joined as they were before, with the effort of the planner.
fn again(planner: &Planner<'_>, plans: &[PathPlan], recipe: &Recipe, notes: &mut Notes) -> Option<Joined> {
    let Recipe { form, tree, manner } = recipe;
    let paths: Vec<&Path> = plans.iter().map(|plan| form.of(plan)).collect();
    let mut joined = Search { planner, paths: &paths, notes }.attempt(tree, *manner, planner.effort)?;
    if *form == Form::Best {
        joined.preimages.extend(plans.iter().flat_map(|plan| plan.preimages.iter().cloned()));
    }
    joined.recipe.form = *form;
    Some(joined)
}

impl Joined {
    /// The same paths joined in the same way, with the effort of the planner.
    pub(crate) fn again(&self, planner: &Planner<'_>, plans: &[PathPlan], notes: &mut Notes) -> Option<Self> {
        again(planner, plans, &self.recipe, notes)
    }
}

fn has_choices(block: &Block) -> bool {
    block.effects.iter().any(|effect| match effect {
        Effect::Choose(_) => true,
        Effect::Repeat(repeat) => has_choices(&repeat.body),
        Effect::Verify { .. } | Effect::Lock { .. } | Effect::Run(_) => false,
    })
}

/// Whether the number of items beneath does not matter to the path, and each argument has some.
fn can_join(path: &Path) -> bool {
    fn looks(block: &Block) -> bool {
        block.effects.iter().any(|effect| match effect {
            Effect::Run(run) => run.code.iter().any(|instr| instr.op == Op::Code(Opcode::Depth)),
            Effect::Choose(choice) => looks(&choice.then) || looks(&choice.otherwise),
            Effect::Repeat(repeat) => looks(&repeat.body),
            Effect::Verify { .. } | Effect::Lock { .. } => false,
        })
    }
    path.list.is_none() && !path.arg_items.contains(&0) && !looks(&path.body)
}

struct Search<'s> {
    planner: &'s Planner<'s>,
    paths: &'s [&'s Path],
    notes: &'s mut Notes,
}

impl Search<'_> {
    /// The paths joined by a tree in a manner, if they can be.
    fn attempt(&mut self, tree: &Tree, manner: Manner, effort: Effort) -> Option<Joined> {
        let United { path, slots, routes } = unite(self.planner.contract, self.paths, tree, manner, self.notes)?;
        let (arranged, preimages, path) = self.planner.arranged(&path, End::Truth, effort, self.notes).ok()?;
        let pushed = |at: usize, route: &[Crossing]| {
            let mut pushed = Vec::new();
            arranged.order.iter().for_each(|slot| expand(&path, &slots, route, *slot, &mut pushed));
            pushed.into_iter().map(|slot| slots.pushed(at, slot)).collect::<Option<Vec<_>>>()
        };
        let paths =
            routes.into_iter().enumerate().map(|(at, route)| Some(JoinedPath { unlock: pushed(at, &route)?, route }));
        let paths = paths.collect::<Option<Vec<_>>>()?;
        let recipe = Recipe { form: Form::Best, tree: tree.clone(), manner };
        Some(Joined { arranged, preimages, paths, recipe })
    }
}

/// What a path pushes for one that stands on the stack: that itself, or those that it holds the place of.
fn expand(path: &Path, slots: &Slots, route: &[Crossing], slot: usize, pushed: &mut Vec<usize>) {
    let fork = slots.holder(slot).and_then(|holder| {
        let crossed = |crossing: &Crossing| Some((fork(&path.body, crossing.fork)?, crossing.first));
        route.iter().filter_map(crossed).find(|(fork, _)| fork.holder == Some(holder))
    });
    let Some((fork, first)) = fork else { return pushed.push(slot) };
    let [then, otherwise] = &fork.extras;
    let extras = if first { then } else { otherwise };
    let inner = extras.iter().filter_map(|items| slots.of_item(&path.graph, *items.first()?));
    inner.for_each(|slot| expand(path, slots, route, slot, pushed));
}

fn fork(body: &Block, site: SiteId) -> Option<&Fork> {
    body.effects.iter().find_map(|effect| {
        let Effect::Choose(choice) = effect else { return None };
        let found = choice.fork.as_deref()?;
        if found.site == site {
            return Some(found);
        }
        fork(&choice.then, site).or_else(|| fork(&choice.otherwise, site))
    })
}
