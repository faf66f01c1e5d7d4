//! The best code of a contract's paths: tries the forms of loops one after the other, then which
//! functions their calls share, and keeps what makes the script shorter.

use analysis::hir;
use spec::Rules;
use spec::artifact::{Objective, TimeNeeds};

use crate::arrange::{self, Aim, Arranged, Effort};
use crate::fewer;
use crate::forms::Forms;
use crate::hashed::{self, Hashed, Way};
use crate::holes::Holes;
use crate::join::{self, Form, Joined};
use crate::lower::{self, Context, Excess, Found, Lowered, LoweredBody, Notes};
use crate::mir::Path;
use crate::passes::Passes;
use crate::schedule::End;
use crate::shared::{Body, Calls, Instance, SHARED_MAX, Shared};
use crate::weigh::Scale;

/// At most so many forms of loops are changed for a try.
const FLIPS_MAX: usize = 40;
/// Direct code may have so many times the instructions of a script.
const DIRECT_ROOM: usize = 8;
/// At most so many shared functions are copied again for a try.
const UNSHARED_MAX: usize = 4;
/// So many ways of hashing constants are looked at closely.
const BEAM_WAYS: usize = 2;
/// At most so many functions are shared for a try.
const CANDIDATES_MAX: usize = 2 * SHARED_MAX;

/// A path with its best code.
#[derive(Clone, Debug)]
pub(crate) struct PathPlan {
    pub(crate) arranged: Arranged,
    pub(crate) time: TimeNeeds,
    /// The texts whose hashes stand there in their place.
    pub(crate) preimages: Vec<Vec<u8>>,
    /// What it is the code of.
    pub(crate) mir: Path,
    /// The same without hashes of constants, and with parameters by themselves.
    pub(crate) plain: Path,
}

/// The paths of a contract in their order, and the functions that they share.
#[derive(Clone, Debug)]
pub(crate) struct Plans {
    pub(crate) paths: Vec<PathPlan>,
    pub(crate) shared: Shared,
    /// The code of all paths together, if it is better than that of each.
    pub(crate) joined: Option<Joined>,
}

impl Plans {
    /// The texts whose hashes stand in the script in their place.
    pub(crate) fn preimages(&self) -> impl Iterator<Item = &[u8]> {
        let of_paths = self.paths.iter().flat_map(|plan| &plan.preimages);
        let of_paths = of_paths.chain(self.joined.iter().flat_map(|joined| &joined.preimages));
        of_paths.chain(self.shared.bodies().flat_map(|body| &body.preimages)).map(Vec::as_slice)
    }
}

/// What is known of paths before they are planned.
pub(crate) struct Shape {
    /// For each path the forms of its loops that make it shortest, with every function copied.
    forms: Vec<Forms>,
    /// The middle form of paths that have but one: they have no loops, and call no function that could be shared.
    only: Vec<Option<Lowered>>,
    /// Whether any calls a function that could be shared.
    calls: bool,
}

/// Which path cannot be planned, and why.
pub(crate) type Misfits = Vec<(usize, Excess)>;

/// What paths are planned for.
#[derive(Clone, Copy)]
pub(crate) struct Planner<'p> {
    pub(crate) contract: &'p hir::Contract,
    pub(crate) functions: &'p hir::Functions,
    pub(crate) rules: &'p Rules,
    pub(crate) end: End,
    pub(crate) holes: &'p Holes,
    /// How long the push of each hole is to count.
    pub(crate) push_lens: &'p [usize],
    /// Whether constants may be compared by their hash.
    pub(crate) hashes: bool,
    /// Whether paths may be joined.
    pub(crate) joins: bool,
    /// What is made small, and so decides between whole scripts.
    pub(crate) objective: Objective,
    /// By what the code of each path is chosen.
    pub(crate) measure: Objective,
    /// How much work the last code of each path is worth.
    pub(crate) effort: Effort,
    /// Which of the other passes run.
    pub(crate) passes: Passes,
}

/// What one way of writing the paths makes of them.
struct Attempt {
    plans: Plans,
    /// How often functions were copied.
    calls: Calls,
}

impl Attempt {
    fn score(&self) -> usize {
        let of_paths: usize = self.plans.paths.iter().map(|plan| plan.arranged.score).sum();
        of_paths + self.plans.shared.bodies().map(|body| body.score).sum::<usize>()
    }
}

impl<'p> Planner<'p> {
    /// With all passes, and the effort of the default level.
    pub(crate) fn new(
        contract: &'p hir::Contract,
        functions: &'p hir::Functions,
        rules: &'p Rules,
        holes: &'p Holes,
        push_lens: &'p [usize],
        hashes: bool,
        objective: Objective,
    ) -> Self {
        let end = if contract.paths.len() == 1 { End::Truth } else { End::Empty };
        let (measure, joins, effort, passes) = (objective, true, Effort::Quick, Passes::ALL);
        Self { contract, functions, rules, end, holes, push_lens, hashes, joins, objective, measure, effort, passes }
    }
}

impl Planner<'_> {
    /// The code of all paths, as they are written: nothing is computed otherwise, shared or put in another order.
    pub(crate) fn direct(&self, shape: &Shape, notes: &mut Notes) -> Result<Plans, Misfits> {
        self.attempt(shape, Shared::default(), Effort::None, notes).map(|attempt| attempt.plans)
    }

    /// The best code of all paths of this shape.
    pub(crate) fn plan(&self, shape: &Shape, notes: &mut Notes) -> Result<Plans, Misfits> {
        if !shape.calls {
            return self.attempt(shape, Shared::default(), self.effort, notes).map(|attempt| attempt.plans);
        }
        let start = notes.mark();
        let mut best = self.attempt(shape, Shared::default(), self.comparing(), notes)?;
        let repeated = best.calls.counts.iter().filter(|(_, count)| *count > 1);
        let candidates_max = if self.passes.shares { CANDIDATES_MAX } else { 0 };
        let candidates: Vec<Instance> = repeated.map(|(instance, _)| instance.clone()).take(candidates_max).collect();
        for candidate in candidates {
            if best.plans.shared.len() == SHARED_MAX {
                break;
            }
            let mut shared = best.plans.shared.clone();
            shared.clear_bodies();
            shared.add(candidate);
            notes.back_to(start);
            if let Ok(other) = self.attempt(shape, shared, self.comparing(), notes)
                && other.score() < best.score()
            {
                best = other;
            }
        }
        let mut shared = best.plans.shared;
        shared.clear_bodies();
        notes.back_to(start);
        self.attempt(shape, shared, self.effort, notes).map(|attempt| attempt.plans)
    }

    /// The same paths joined into one, and with them paths that do not share one or any of the functions: what
    /// joined paths have in common need not be a function.
    pub(crate) fn joined(&self, plans: &Plans, shape: &Shape, notes: &mut Notes) -> Vec<Plans> {
        if !self.joins {
            return Vec::new();
        }
        let shared = &plans.shared;
        let unshared_max = if self.effort > Effort::Quick { UNSHARED_MAX } else { 0 };
        let fewer = (0..shared.len()).take(if shared.len() > 1 { unshared_max } else { 0 });
        let none = (shared.len() > 0).then(Shared::default);
        let others = fewer.map(|index| shared.without(index)).chain(none);
        let others = others.filter_map(|shared| self.attempt(shape, shared, self.effort, notes).ok());
        let all: Vec<Plans> = others.map(|attempt| attempt.plans).collect();
        let mut found = Vec::new();
        for plans in std::iter::once(plans).chain(&all) {
            let is_other = |plan: &PathPlan| !plan.preimages.is_empty() || plan.mir.graph.has_texts();
            for form in if plans.paths.iter().any(is_other) { &[Form::Plain, Form::Best][..] } else { &[Form::Best] } {
                let joined = join::join(self, &plans.paths, *form, notes);
                found.extend(joined.map(|joined| Plans { joined: Some(joined), ..plans.clone() }));
            }
        }
        found
    }

    /// The same plans, their code arranged again with the effort of the planner.
    pub(crate) fn again(&self, plans: &Plans, notes: &mut Notes) -> Option<Plans> {
        let mut plans = plans.clone();
        match &plans.joined {
            Some(joined) => plans.joined = Some(joined.again(self, &plans.paths, notes)?),
            None => {
                for plan in &mut plans.paths {
                    plan.arranged = arrange::arrange(&mut plan.mir, self.aim(self.end, self.effort)).ok()?;
                }
            }
        }
        Some(plans)
    }

    /// Looks at all paths: a first time as they are, and where there are loops once more for each of them.
    pub(crate) fn shape(&self, notes: &mut Notes) -> Result<Shape, Misfits> {
        let mut misfits = Misfits::new();
        let mut shape = Shape { forms: Vec::new(), only: Vec::new(), calls: false };
        for (at, path) in self.contract.paths.iter().enumerate() {
            let start = notes.mark();
            let (mut forms, mut calls, effort) = (Forms::default(), Calls::default(), self.comparing());
            let found = Found { forms: &mut forms, calls: &mut calls, notes: &mut *notes };
            let lowered = lower::lower(self.context(&Shared::default(), effort), path, found).ok();
            if lowered.is_none() || forms.len() > 0 {
                let best = best_forms(|forms| {
                    notes.back_to(start);
                    let plan = self.path(path, forms, &mut Shared::default(), &mut calls, effort, notes);
                    plan.map(|plan| plan.arranged.score)
                });
                match best {
                    Ok(best) => forms = best,
                    Err(excess) => misfits.push((at, excess)),
                }
            }
            let only = lowered.filter(|_| forms.len() == 0 && calls.counts.is_empty());
            if only.is_none() {
                notes.back_to(start);
            }
            shape.calls |= !calls.counts.is_empty();
            shape.forms.push(forms);
            shape.only.push(only);
        }
        if misfits.is_empty() { Ok(shape) } else { Err(misfits) }
    }

    /// How much work comparing two forms of one path is worth.
    pub(crate) fn comparing(&self) -> Effort {
        if self.effort > Effort::Quick { Effort::Glance } else { Effort::Look }
    }

    fn attempt(
        &self,
        shape: &Shape,
        mut shared: Shared,
        effort: Effort,
        notes: &mut Notes,
    ) -> Result<Attempt, Misfits> {
        let mut calls = Calls::default();
        let mut misfits = Misfits::new();
        let mut paths = Vec::new();
        let shapes = shape.forms.iter().zip(&shape.only);
        for (at, (path, (forms, only))) in self.contract.paths.iter().zip(shapes).enumerate() {
            let made = match only.as_ref().filter(|_| effort != Effort::None) {
                Some(only) => self.planned(only.clone(), effort, notes),
                None => self.path(path, &mut forms.clone(), &mut shared, &mut calls, effort, notes),
            };
            match made {
                Ok(plan) => paths.push(plan),
                Err(excess) => misfits.push((at, excess)),
            }
        }
        if misfits.is_empty() {
            Ok(Attempt { plans: Plans { paths, shared, joined: None }, calls })
        } else {
            Err(misfits)
        }
    }

    fn path(
        &self,
        path: &hir::SpendPath,
        forms: &mut Forms,
        shared: &mut Shared,
        calls: &mut Calls,
        effort: Effort,
        notes: &mut Notes,
    ) -> Result<PathPlan, Excess> {
        let lowered = loop {
            let found = Found { forms: &mut *forms, calls: &mut *calls, notes: &mut *notes };
            match lower::lower(self.context(shared, effort), path, found) {
                Err(Excess::NoBody(index)) => self.body(index, shared, calls, effort, notes)?,
                lowered => break lowered?,
            }
        };
        self.planned(lowered, effort, notes)
    }

    fn planned(&self, lowered: Lowered, effort: Effort, notes: &mut Notes) -> Result<PathPlan, Excess> {
        let Lowered { path: plain, time } = lowered;
        let (arranged, preimages, mir) = self.arranged(&plain, self.end, effort, notes)?;
        Ok(PathPlan { arranged, time, preimages, mir, plain })
    }

    /// The shortest code, the texts whose hashes stand there in their place, and what it is the code of.
    pub(crate) fn arranged(
        &self,
        mir: &Path,
        end: End,
        effort: Effort,
        notes: &mut Notes,
    ) -> Result<(Arranged, Vec<Vec<u8>>, Path), Excess> {
        let mut mir = mir.clone();
        if effort != Effort::None && self.passes.fewer {
            fewer::fewer_checks(&mut mir, notes);
        }
        let arrange = |mut path: Path, preimages, effort| {
            Some((arrange::arrange(&mut path, self.aim(end, effort)).ok()?, preimages, path))
        };
        let first = effort.min(Effort::Full);
        let writes_texts = effort != Effort::None && self.passes.texts;
        let texts = if writes_texts { mir.graph.with_texts() } else { None };
        let mut plain = None;
        if let Some(graph) = texts {
            let texts = Path { graph, ..mir.clone() };
            plain = arrange(mir.clone(), Vec::new(), first);
            let other = arrange(texts.clone(), Vec::new(), first);
            let score = |made: &Option<(Arranged, _, _)>| made.as_ref().map_or(usize::MAX, |made| made.0.score);
            if score(&other) < score(&plain) {
                (plain, mir) = (other, texts);
            }
        }
        let ways: &[Way] = if self.hashes && effort != Effort::None { &Way::ALL } else { &[] };
        let hashed: Vec<Hashed> = ways.iter().filter_map(|way| hashed::hashed(&mir, *way, notes)).collect();
        let plain = plain.or_else(|| arrange(mir, Vec::new(), first));
        let shorter = hashed.into_iter().filter_map(|hashed| arrange(hashed.path, hashed.preimages, first));
        let mut all: Vec<_> = plain.into_iter().chain(shorter).collect();
        all.sort_by_key(|(arranged, ..)| arranged.score);
        if effort > first {
            let ways = if let Effort::Long(_) = effort { 1 } else { BEAM_WAYS };
            let better = all.into_iter().take(ways).filter_map(|(_, texts, path)| arrange(path, texts, effort));
            all = better.collect();
            all.sort_by_key(|(arranged, ..)| arranged.score);
        }
        // Of two that are as short, the first.
        all.into_iter().next().ok_or(Excess::Steps)
    }

    /// Makes the code of a shared function, and before that of those that it calls.
    fn body(
        &self,
        index: usize,
        shared: &mut Shared,
        calls: &mut Calls,
        effort: Effort,
        notes: &mut Notes,
    ) -> Result<(), Excess> {
        let instance = shared.instance(index).expect("lowering met it there").clone();
        let mut lower_with = |forms: &mut Forms, notes: &mut Notes| loop {
            let found = Found { forms: &mut *forms, calls: &mut *calls, notes: &mut *notes };
            match lower::lower_body(self.context(shared, effort), &instance, found) {
                Err(Excess::NoBody(inner)) => self.body(inner, shared, calls, effort, notes)?,
                lowered => break lowered,
            }
        };
        let start = notes.mark();
        let mut forms = best_forms(|forms| {
            notes.back_to(start);
            let lowered = lower_with(forms, notes)?;
            self.arranged(&lowered.path, End::Results, self.comparing(), notes).map(|(arranged, ..)| arranged.score)
        })?;
        notes.back_to(start);
        let LoweredBody { path: mir, leaves } = lower_with(&mut forms, notes)?;
        let (arranged, preimages, _) = self.arranged(&mir, End::Results, effort, notes)?;
        let function = self.functions.get(instance.function).expect("lowering met it");
        let body = Body {
            name: function.name.clone(),
            loc: function.loc.clone(),
            order: arrange::items_in_order(&mir, &arranged.order),
            leaves,
            is_value: mir.results.len() == 1 && !mir.body.has_checks(),
            may_fail: lower::code_may_fail(&arranged.code),
            depth_max: arranged.depth_max,
            score: self.scale().definition(&arranged.code),
            code: arranged.code,
            preimages,
        };
        shared.put(index, body);
        Ok(())
    }

    pub(crate) fn scale(&self) -> Scale<'_> {
        Scale { objective: self.measure, holes: self.push_lens, calls: &[] }
    }

    fn context<'a>(&'a self, shared: &'a Shared, effort: Effort) -> Context<'a> {
        let plain = effort == Effort::None;
        Context { holes: self.holes, functions: self.functions, rules: self.rules.set, shared, plain }
    }

    fn aim(&self, end: End, effort: Effort) -> Aim<'_> {
        // Direct code may be longer than a script, as long as the better code is not.
        let room = if effort == Effort::None { DIRECT_ROOM } else { 1 };
        let bytes_max = self.rules.limits.script_bytes * room;
        Aim { end, bytes_max, holes: self.push_lens, objective: self.measure, effort, passes: self.passes }
    }
}

/// Changes one form after the other and keeps what scores less.
fn best_forms(mut score: impl FnMut(&mut Forms) -> Result<usize, Excess>) -> Result<Forms, Excess> {
    let mut forms = Forms::default();
    let mut best = score(&mut forms);
    let mut index = 0;
    while index < forms.len().min(FLIPS_MAX) {
        let mut flipped = forms.clone();
        flipped.flip(index);
        index += 1;
        let other = score(&mut flipped);
        if is_better(&other, &best) {
            (best, forms) = (other, flipped);
        }
    }
    best.map(|_| forms)
}

fn is_better(new: &Result<usize, Excess>, old: &Result<usize, Excess>) -> bool {
    match (new, old) {
        (Ok(new), Ok(old)) => new < old,
        (Ok(_), Err(_)) => true,
        (Err(_), _) => false,
    }
}
