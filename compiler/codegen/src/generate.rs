//! The door: a contract in, its bytecode and everything an artifact says about it out.

use std::collections::BTreeMap;

use analysis::hir;
use spec::artifact::{Level, Objective, Piece, Slot, SpendPath, Turn, code_bytes};
use spec::{Mode, RuleSet, Rules};
use syntax::{Diagnostic, Loc, Severity};

use crate::arrange::Effort;
use crate::budget;
use crate::code::{self, Instr, SiteId, Way};
use crate::holes::Holes;
use crate::lengths::typical_push_len;
use crate::lower::{Excess, Notes, Site, flipped};
use crate::plan::{Misfits, Planner, Plans, Shape};
use crate::progress;
use crate::script::{Forced, Script};
use crate::shared::Body;
use crate::tell::why;

/// A machine of today writes about so many instructions in a second while it searches.
const WORK_PER_SECOND: u64 = 5_000_000;

/// What to generate for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The machine that will run the script.
    pub rules: RuleSet,
    /// How hard to try.
    pub level: Level,
    /// What to make small.
    pub objective: Objective,
    /// How long the search of [`Level::Oz`] takes for each contract: what a machine of today does in so many seconds.
    pub seconds: u32,
    /// Whether constants stand in the script as they are, even where their hash is shorter.
    pub whole_constants: bool,
    /// Values to be built in for parameters, by their index: one item for each leaf. These parameters have no holes
    /// then, but keep their places.
    pub sealed: BTreeMap<usize, Vec<Vec<u8>>>,
}

impl Options {
    /// How long [`Level::Oz`] searches if nobody says otherwise.
    pub const SECONDS: u32 = 5;
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rules: RuleSet::default(),
            level: Level::default(),
            objective: Objective::default(),
            seconds: Self::SECONDS,
            whole_constants: false,
            sealed: BTreeMap::new(),
        }
    }
}

/// A contract's script and what an artifact says about it; places are still [`Loc`]s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// The redeem script with holes.
    pub bytecode: Vec<Piece>,
    /// The same as words.
    pub asm: String,
    /// The contract's parameters.
    pub params: Vec<Slot>,
    /// The ways to spend it, in source order; their routes are apart.
    pub paths: Vec<SpendPath>,
    /// For each path the conditionals that lead to it, outermost first.
    pub routes: Vec<Vec<Route>>,
    /// Where instructions come from, in ascending order; an entry holds until the next.
    pub source_map: Vec<Origin>,
    /// What each check that may fail says, in order of instructions. An instruction that checks several things at once
    /// has an entry for each.
    ///
    /// A script of one path ends with the value of its last check, without an opcode that fails: the
    /// last entry stands at the instruction that gives this value.
    pub requires: Vec<Check>,
    /// The functions that calls share.
    pub functions: Vec<Function>,
    /// How it was made, which may be less than was asked for.
    pub level: Level,
    /// What was made small.
    pub objective: Objective,
    /// Whether its coins are better locked by the script itself, if no other contract holds their lock: the fee is to be
    /// small, nodes pass it on, it does not read its own bytes, and what any spender pushes pays for its path.
    pub stands_in_outputs: bool,
    /// Why it is less.
    pub unproved: Option<Unproved>,
}

/// A path whose better code could not be shown to do what its direct code does, so that the contract has the latter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unproved {
    /// The path.
    pub path: String,
    /// Why not.
    pub why: String,
}

/// A function that the script defines once and invokes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name in the source.
    pub name: String,
    /// What `OP_INVOKE` finds it by.
    pub id: Vec<u8>,
    /// The instruction of the script that pushes its body.
    pub definition: usize,
    /// The body as words.
    pub asm: String,
    /// As of the script, counted in instructions of the body.
    pub source_map: Vec<Origin>,
    /// As of the script, counted in instructions of the body.
    pub requires: Vec<Check>,
}

/// Where instructions come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The first instruction, counted from 0.
    pub instruction: usize,
    /// The ways through the script for which it holds, where branches share the instruction.
    pub after: Vec<Turn>,
    /// The place.
    pub loc: Loc,
}

/// How a path is told from others by what it demands, and not by what is pushed: the first check that it fails is then
/// one that another path makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The turn.
    pub turn: Turn,
    /// What it means for the path if the conditional goes the other way: message and place.
    pub otherwise: Option<(String, Loc)>,
}

/// A check that may fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The instruction, counted from 0.
    pub instruction: usize,
    /// The ways through the script for which it holds, where branches share the instruction.
    pub after: Vec<Turn>,
    /// What it says.
    pub message: String,
    /// The place.
    pub loc: Loc,
    /// What it demands, where the script has nothing but a hash of it; else empty.
    pub expects: Vec<u8>,
}

impl Generated {
    /// The bytes of the script without its holes.
    #[must_use]
    pub fn code_bytes(&self) -> usize {
        code_bytes(&self.bytecode)
    }
}

/// Compiles one contract; `functions` are the whole program's.
///
/// Gives nothing only together with an error. A script that is more than its author's budget is given with the error.
///
/// ```
/// use analysis::hir::{Block, Condition, Contract, Expr, ExprKind, SpendPath, Stmt, StmtKind, Type};
/// use analysis::hir::{BinaryOp, Fact, ItemKind};
/// use syntax::{FileId, Loc, Span};
///
/// let loc = Loc::in_file(FileId(0), Span::new(0, 1));
/// let expr = |kind, ty| Box::new(Expr { kind, ty, loc: loc.clone() });
/// let outputs = expr(ExprKind::Introspect { fact: Fact::OutputCount, index: None }, Type::Int);
/// let two = expr(ExprKind::Int(2.into()), Type::Int);
/// let equal = ExprKind::Binary { op: BinaryOp::Equal(ItemKind::Number), left: outputs, right: two };
/// let condition = Condition::Holds(*expr(equal, Type::Bool));
/// let kind = StmtKind::Require { condition, message: "there must be two outputs".into() };
/// let body = Block { stmts: vec![Stmt { kind, loc: loc.clone() }], value: None };
/// let path =
///     SpendPath { name: "spend".into(), docs: String::new(), loc: loc.clone(), args: vec![], locals: vec![], body };
/// let contract = Contract {
///     name: "Two".into(),
///     docs: String::new(),
///     loc,
///     params: vec![],
///     paths: vec![path],
///     derived: vec![],
///     state: None,
///     reward: None,
///     allows: vec![],
///     budgets: vec![],
/// };
/// let (generated, diagnostics) = codegen::generate(&contract, &analysis::hir::Functions::default(), &codegen::Options::default());
/// assert!(diagnostics.is_empty());
/// assert_eq!(generated.unwrap().asm, "OP_TXOUTPUTCOUNT OP_2 OP_NUMEQUAL");
/// ```
pub fn generate(
    contract: &hir::Contract,
    functions: &hir::Functions,
    options: &Options,
) -> (Option<Generated>, Vec<Diagnostic>) {
    with_costs(contract, functions, options, |_, generated| generated)
}

/// What [`generate`] gives, and beside the code what [`costs`] tells of it.
pub fn weighed(
    contract: &hir::Contract,
    functions: &hir::Functions,
    options: &Options,
) -> (Option<(Generated, Costs)>, Vec<Diagnostic>) {
    with_costs(contract, functions, options, |spent, generated| {
        let costs = (0..contract.paths.len()).map(spent).collect();
        (generated, costs)
    })
}

/// For each path what each instruction costs in the dearest run, by its place in the script; nothing for a path whose cost
/// has no bound.
pub type Costs = Vec<Option<BTreeMap<usize, u64>>>;

/// What each instruction of a path costs in the dearest run.
type Spent<'s> = &'s dyn Fn(usize) -> Option<BTreeMap<usize, u64>>;

fn with_costs<T>(
    contract: &hir::Contract,
    functions: &hir::Functions,
    options: &Options,
    finish: impl FnOnce(Spent<'_>, Generated) -> T,
) -> (Option<T>, Vec<Diagnostic>) {
    let target = Target::new(contract, options);
    let rules = &target.rules;
    let planner = target.planner(contract, functions, options);
    let mut notes = Notes::default();
    let made = match make(&planner, target.level, options.seconds, &mut notes) {
        Ok(made) => made,
        Err(misfits) => {
            let told = |(at, excess): (usize, Excess)| Some(why(&excess, contract.paths.get(at)?, rules));
            return (None, misfits.into_iter().filter_map(told).collect());
        }
    };
    let Made { script, plans, .. } = &made;
    let excess = script.excess(contract, plans, rules);
    if !excess.is_empty() {
        return (None, excess);
    }
    let mut diagnostics = script.over_budget(contract, plans, rules).to_vec();
    if has_errors(&diagnostics) {
        return (None, diagnostics);
    }
    let generated = generated(&planner, &made, &notes);
    let spent = |at: usize| made.script.spent(at, contract.paths.get(at)?, plans, rules);
    diagnostics.extend(budget::check(contract, functions, &generated, &spent));
    (Some(finish(&spent, generated)), diagnostics)
}

/// For each path of a contract, what each instruction costs in the dearest run, by its place in the script; nothing for a
/// path whose cost has no bound. It takes as long as to compile the contract.
#[must_use]
pub fn costs(contract: &hir::Contract, functions: &hir::Functions, options: &Options) -> Costs {
    let target = Target::new(contract, options);
    let planner = target.planner(contract, functions, options);
    let Ok(Made { script, plans, .. }) = make(&planner, target.level, options.seconds, &mut Notes::default()) else {
        return Vec::new();
    };
    contract.paths.iter().enumerate().map(|(at, path)| script.spent(at, path, &plans, &target.rules)).collect()
}

/// What a contract is made for.
pub(crate) struct Target {
    pub(crate) rules: Rules,
    pub(crate) holes: Holes,
    /// How long the push of each hole is to count.
    push_lens: Vec<usize>,
    pub(crate) level: Level,
    pub(crate) objective: Objective,
}

impl Target {
    pub(crate) fn new(contract: &hir::Contract, options: &Options) -> Self {
        let rules = Rules::new(options.rules, Mode::Relay);
        let holes = Holes::new(contract, &options.sealed);
        let push_lens = holes.leaves.iter().map(|leaf| typical_push_len(&leaf.ty)).collect();
        let (level, objective) = aim_for(contract, options);
        Self { rules, holes, push_lens, level, objective }
    }

    pub(crate) fn planner<'p>(
        &'p self,
        contract: &'p hir::Contract,
        functions: &'p hir::Functions,
        options: &Options,
    ) -> Planner<'p> {
        let Self { rules, holes, push_lens, objective, .. } = self;
        Planner::new(contract, functions, rules, holes, push_lens, !options.whole_constants, *objective)
    }
}

/// A script, and how it came about.
struct Made {
    script: Script,
    plans: Plans,
    level: Level,
    unproved: Option<Unproved>,
}

/// What is tried at a level, and by what measure.
pub(crate) fn tries(level: Level, objective: Objective) -> Vec<(Effort, Objective)> {
    // Short code is often cheap, and what is cheap alone need not be together.
    let other = (objective != Objective::Size).then_some(objective);
    let measures = [Some(Objective::Size), other].into_iter().flatten();
    let efforts = [(Effort::Quick, Level::O1), (Effort::Full, Level::Os), (Effort::Beam, Level::Os)];
    let efforts = efforts.into_iter().filter(|(_, from)| *from <= level);
    efforts.flat_map(|(effort, _)| measures.clone().map(move |measure| (effort, measure))).collect()
}

/// What scripts are made from: the shape of paths, and the direct code of the same shape, which shows what is right.
pub(crate) struct Source {
    pub(crate) shape: Shape,
    pub(crate) direct: Plans,
}

impl Source {
    pub(crate) fn new(planner: &Planner<'_>, notes: &mut Notes) -> Result<Self, Misfits> {
        let shape = planner.shape(notes)?;
        let direct = planner.direct(&shape, notes)?;
        Ok(Self { shape, direct })
    }

    /// What searches begin from, at the levels that search.
    pub(crate) fn searched(planner: &Planner<'_>, level: Level, notes: &mut Notes) -> Result<Option<Self>, Misfits> {
        let searches = level > Level::O1;
        searches.then(|| Self::new(&Planner { effort: Effort::Full, ..*planner }, notes)).transpose()
    }
}

/// The shortest script of the level and of those below that is shown to do what the direct one does.
fn make(planner: &Planner<'_>, level: Level, seconds: u32, notes: &mut Notes) -> Result<Made, Misfits> {
    let first = Source::new(planner, notes)?;
    let searched = Source::searched(planner, level, notes)?;
    let (mut best, mut unproved): (Option<(Script, Plans)>, _) = (None, None);
    let mut direct = &first.direct;
    for (effort, measure) in tries(level, planner.objective) {
        let source = searched.as_ref().filter(|_| effort > Effort::Quick).unwrap_or(&first);
        let asides = notes.mark();
        match proved(&Planner { effort, measure, ..*planner }, &source.shape, &source.direct, notes)? {
            Ok(made) if best.as_ref().is_none_or(|best| planner.is_better(&made, best)) => {
                (best, direct) = (Some(made), &source.direct);
            }
            Ok(_) => notes.back_to(asides),
            Err(why) => {
                notes.back_to(asides);
                unproved = Some(why);
            }
        }
    }
    if let Level::Oz = level {
        best = best.map(|best| polished(planner, best, direct, seconds, notes));
    }
    if let Some((script, plans)) = best {
        return Ok(Made { script, plans, level, unproved: None });
    }
    let script = Script::assemble(planner.contract, planner.holes, &first.direct, notes);
    Ok(Made { script, plans: first.direct, level: Level::O0, unproved })
}

/// The script after a longer search, if that makes it better and is shown to be right.
pub(crate) fn polished(
    planner: &Planner<'_>,
    best: (Script, Plans),
    direct: &Plans,
    seconds: u32,
    notes: &mut Notes,
) -> (Script, Plans) {
    let work = u64::from(seconds) * WORK_PER_SECOND;
    let parts = if best.1.joined.is_some() { 1 } else { best.1.paths.len().max(1) } as u64;
    progress::begin(work / parts * parts);
    let asides = notes.mark();
    let planner = Planner { effort: Effort::Long(work / parts), ..*planner };
    let made = planner.again(&best.1, notes).map(|plans| {
        let script = Script::assemble(planner.contract, planner.holes, &plans, notes);
        (script, plans)
    });
    let is_right = |(script, plans): &(Script, Plans)| script.unproved(planner.contract, plans, direct).is_none();
    let made = made.filter(|made| planner.is_better(made, &best) && planner.is_fit(made) && is_right(made));
    made.unwrap_or_else(|| {
        notes.back_to(asides);
        best
    })
}

/// The shortest script of one effort, or why it is not shown to do what the direct one does.
fn proved(
    planner: &Planner<'_>,
    shape: &Shape,
    direct: &Plans,
    notes: &mut Notes,
) -> Result<Result<(Script, Plans), Unproved>, Misfits> {
    let asides = notes.mark();
    let (script, plans) = best(planner, shape, notes)?;
    let Some(unproved) = script.unproved(planner.contract, &plans, direct) else { return Ok(Ok((script, plans))) };
    if plans.joined.is_none() {
        return Ok(Err(unproved));
    }
    // Paths by themselves are easier to follow than joined ones.
    notes.back_to(asides);
    let (script, plans) = best(&Planner { joins: false, ..*planner }, shape, notes)?;
    Ok(match script.unproved(planner.contract, &plans, direct) {
        None => Ok((script, plans)),
        Some(unproved) => Err(unproved),
    })
}

/// The shortest script, of its paths one by one or joined; among scripts of one length the pushes decide. Without hashes
/// of constants, if only that keeps within the budget.
pub(crate) fn best(planner: &Planner<'_>, shape: &Shape, notes: &mut Notes) -> Result<(Script, Plans), Misfits> {
    let (script, plans) = shortest(planner, shape, notes)?;
    let is_over = |script: &Script, plans| has_errors(script.over_budget(planner.contract, plans, planner.rules));
    if is_over(&script, &plans) && plans.preimages().next().is_some() {
        let (other, plain) = shortest(&Planner { hashes: false, ..*planner }, shape, notes)?;
        if !is_over(&other, &plain) {
            return Ok((other, plain));
        }
    }
    Ok((script, plans))
}

/// The level and the objective asked for. The flow of a model is the same in every build: its script is that of all models
/// (`spec::model`), and registries know no other.
fn aim_for(contract: &hir::Contract, options: &Options) -> (Level, Objective) {
    let list = contract.reward.as_ref().and_then(|reward| reward.list.as_ref());
    match list.is_some_and(|list| list.has_terms) {
        true => (Level::default(), Objective::default()),
        false => (options.level, options.objective),
    }
}

fn shortest(planner: &Planner<'_>, shape: &Shape, notes: &mut Notes) -> Result<(Script, Plans), Misfits> {
    let plans = planner.plan(shape, notes)?;
    let Planner { contract, holes, .. } = planner;
    let mut best = (Script::assemble(contract, holes, &plans, notes), plans);
    for plans in planner.joined(&best.1, shape, notes) {
        let made = (Script::assemble(contract, holes, &plans, notes), plans);
        if planner.is_fit(&made) && planner.is_better(&made, &best) {
            best = made;
        }
    }
    Ok(best)
}

impl Planner<'_> {
    pub(crate) fn is_better(&self, new: &(Script, Plans), old: &(Script, Plans)) -> bool {
        self.rank(new) < self.rank(old)
    }

    /// Whether a script of joined paths keeps within all limits.
    fn is_fit(&self, (script, plans): &(Script, Plans)) -> bool {
        script.excess(self.contract, plans, self.rules).is_empty()
            && !has_errors(script.over_budget(self.contract, plans, self.rules))
            && (plans.joined.is_none() || script.tells_ways())
    }

    /// How much there is of what is to be small; less is better.
    fn rank(&self, (script, plans): &(Script, Plans)) -> (u64, u64) {
        let (bytes, pushed) = script.size(self.push_lens);
        let (bytes, pushed) = (bytes as u64, pushed as u64);
        let paths = self.contract.paths.iter().enumerate();
        let costs = paths.map(|(at, path)| script.cost_bound(at, path, plans, self.rules));
        match self.objective {
            Objective::Size => (bytes, pushed),
            Objective::Fee => {
                let per_byte = self.rules.prices.budget_per_byte;
                let unpaid = |cost: Option<u64>| (cost.unwrap_or(0) / per_byte).saturating_sub(bytes);
                let paths = self.contract.paths.len() as u64;
                (paths * bytes + pushed + costs.map(unpaid).sum::<u64>(), bytes)
            }
            Objective::Cost => {
                let bounds: Option<u64> = costs.sum();
                (bounds.unwrap_or_else(|| self.scale().cost(&script.code)), bytes)
            }
        }
    }
}

fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

fn generated(planner: &Planner<'_>, made: &Made, notes: &Notes) -> Generated {
    let Planner { contract, rules, objective, .. } = *planner;
    let Made { script, plans, level, unproved } = made;
    let name = |index: usize| script.leaves.get(index).map_or_else(String::new, |leaf| leaf.name.clone());
    let numbered = plans.shared.bodies().enumerate();
    let function = |(number, body): (usize, &Body)| {
        Some(Function {
            name: body.name.clone(),
            id: spec::num::encode(i64::try_from(number).ok()?),
            definition: script.definition_of(number)?,
            asm: code::asm(&body.code, name),
            source_map: source_map(&body.code, notes),
            requires: checks(&body.code, notes),
        })
    };
    Generated {
        bytecode: code::pieces(&script.code),
        asm: code::asm(&script.code, name),
        params: slots(&contract.params),
        paths: spend_paths(contract, script, plans, rules),
        routes: script.routes.iter().map(|route| told_route(route, notes)).collect(),
        level: *level,
        objective,
        stands_in_outputs: objective == Objective::Fee && script.fits_output(contract, plans, rules),
        unproved: unproved.clone(),
        source_map: source_map(&script.code, notes),
        requires: checks(&script.code, notes),
        functions: numbered.filter_map(function).collect(),
    }
}

fn spend_paths(contract: &hir::Contract, script: &Script, plans: &Plans, rules: &Rules) -> Vec<SpendPath> {
    let both = contract.paths.iter().zip(&plans.paths).enumerate();
    both.map(|(at, (path, plan))| SpendPath {
        name: path.name.clone(),
        docs: path.docs.clone(),
        args: slots(&path.args),
        unlock: script.unlock(at).to_vec(),
        route: Vec::new(),
        time: plan.time.clone(),
        cost_bound: script.cost_bound(at, path, plans, rules),
    })
    .collect()
}

pub(crate) fn slots(params: &[hir::Param]) -> Vec<Slot> {
    let slot = |param: &hir::Param| Some(Slot { name: param.name.clone(), ty: param.ty.abi()? });
    params.iter().filter_map(slot).collect()
}

fn source_map(code: &[Instr], notes: &Notes) -> Vec<Origin> {
    let forks = Forks::of(code, notes);
    let mut origins: Vec<Origin> = Vec::new();
    let mut last: Vec<(Vec<Turn>, &Loc)> = Vec::new();
    for (instruction, instr) in code.iter().enumerate() {
        let ways = notes.places.ways(instr.place).into_iter();
        let here: Vec<(Vec<Turn>, &Loc)> =
            ways.filter_map(|(way, loc)| forks.turns(&way).map(|after| (after, loc))).collect();
        if !here.is_empty() && here != last {
            let origin =
                |(after, loc): &(Vec<Turn>, &Loc)| Origin { instruction, after: after.clone(), loc: (*loc).clone() };
            origins.extend(here.iter().map(origin));
            last = here;
        }
    }
    origins
}

fn checks(code: &[Instr], notes: &Notes) -> Vec<Check> {
    let forks = Forks::of(code, notes);
    let mut found = Vec::new();
    for (instruction, instr) in code.iter().enumerate() {
        for (way, (site, expects)) in instr.site.map(|site| notes.ways(site)).unwrap_or_default() {
            let Some(after) = forks.turns(&way) else { continue };
            let Site { message, loc } = site.clone();
            found.push(Check { instruction, after, message, loc, expects: expects.to_vec() });
        }
    }
    found
}

fn told_route(route: &[Forced], notes: &Notes) -> Vec<Route> {
    let told = |forced: &Forced| {
        let site = forced.demand.and_then(|site| notes.ways(site).into_iter().next());
        let otherwise = site.map(|(_, (site, _))| (site.message.clone(), site.loc.clone()));
        Route { turn: forced.turn, otherwise }
    };
    route.iter().map(told).collect()
}

/// Where the marked conditionals of a script stand.
pub(crate) struct Forks(BTreeMap<SiteId, usize>);

impl Forks {
    pub(crate) fn of(code: &[Instr], notes: &Notes) -> Self {
        let marked = code.iter().enumerate().filter_map(|(at, instr)| Some((instr.site?, at)));
        Self(marked.filter(|(site, _)| notes.is_fork(*site)).collect())
    }

    /// The conditional, and whether its first block in the script is the one that is meant.
    pub(crate) fn turn(&self, fork: SiteId, first: bool) -> Option<Turn> {
        match self.0.get(&fork) {
            Some(instruction) => Some(Turn { instruction: *instruction, taken: first }),
            None => self.0.get(&flipped(fork)).map(|instruction| Turn { instruction: *instruction, taken: !first }),
        }
    }

    /// The turns of a way; none if a conditional has gone, for its blocks were alike, and the way is that of the second.
    fn turns(&self, way: &Way) -> Option<Vec<Turn>> {
        let mut turns = Vec::new();
        for (fork, first) in way {
            match self.turn(*fork, *first) {
                Some(turn) => turns.push(turn),
                None if *first => {}
                None => return None,
            }
        }
        Some(turns)
    }
}
