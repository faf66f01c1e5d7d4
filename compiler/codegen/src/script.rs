//! The whole script of a contract: its paths, the functions that they share, and what limits say of them.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use analysis::hir;
use spec::artifact::{P2S_BYTES_MAX, Turn, UnlockItem};
use spec::num::grouped;
use spec::script::push_len_of;
use spec::{Opcode, Rules};
use syntax::{Code as ErrorCode, Diagnostic};

use crate::code::{self, Code, Instr, Op, PlaceId, SiteId};
use crate::cost::{self, Item, Lengths};
use crate::dispatch::{self, PathCode};
use crate::generate::{Forks, Unproved};
use crate::holes::Holes;
use crate::join::{Crossing, Joined};
use crate::lengths::{LOCK_BYTES_MAX, Leaf, UNLOCK_BYTES_MAX, arg_len_min, arg_lens, param_len_max, push_len_min};
use crate::lower::Notes;
use crate::plan::{PathPlan, Plans};
use crate::schedule::End;
use crate::shared::Body;
use crate::tell::{over_budget, record_over_budget, too_deep};
use crate::validate::{Given, Side, Verdict, compare};

/// A failure remembers the ways of so many conditionals.
const WAYS_MAX: usize = 12;

/// The whole script.
pub(crate) struct Script {
    pub(crate) code: Code,
    /// What the holes hold.
    pub(crate) leaves: Vec<Leaf>,
    /// What the spender pushes, by path.
    unlocks: Vec<Vec<UnlockItem>>,
    /// How the script comes to each path, where the paths are joined.
    pub(crate) routes: Vec<Vec<Forced>>,
    /// What is more than its budget, once somebody has asked.
    excesses: OnceCell<Vec<Diagnostic>>,
}

/// A conditional on the way to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forced {
    pub(crate) turn: Turn,
    /// Whether it goes by what paths demand, so that the pushed items do not settle it.
    pub(crate) by_demand: bool,
    /// The path's check that fails if the conditional goes the other way.
    pub(crate) demand: Option<SiteId>,
}

impl Script {
    /// One script of all paths, with the functions that they share before the paths that call them.
    pub(crate) fn assemble(contract: &hir::Contract, holes: &Holes, plans: &Plans, notes: &mut Notes) -> Self {
        if let Some(joined) = &plans.joined {
            return Self::assemble_joined(contract, holes, plans, joined, notes);
        }
        let leaves = holes.leaves.clone();
        let callers = callers(plans);
        let definitions = |only: Option<usize>, notes: &mut Notes| {
            let mine = |of: &Vec<usize>| match only {
                Some(path) => *of == [path],
                None => of.len() > 1,
            };
            let numbered = plans.shared.bodies().enumerate().zip(&callers);
            let defined =
                numbered.filter(|(_, of)| mine(of)).map(|((number, body), _)| definition(number, body, notes));
            defined.flatten().collect::<Code>()
        };
        let mut code = definitions(None, notes);
        let whole = |at: usize, plan: &PathPlan, notes: &mut Notes| {
            let mut code = definitions(Some(at), notes);
            code.extend(plan.arranged.code.iter().cloned());
            code
        };
        if let [plan] = plans.paths.as_slice() {
            code.extend(whole(0, plan, notes));
            if plan.arranged.end == End::Empty {
                let place = notes.places.add(&contract.loc);
                code.push(Instr { op: Op::int(1), place, site: None });
            }
            return Self::new(code, leaves, unlocks(plans, &[]), vec![Vec::new()]);
        }
        let mut parts = Vec::new();
        for (at, (path, plan)) in contract.paths.iter().zip(&plans.paths).enumerate() {
            parts.push(PathCode { code: whole(at, plan, notes), place: notes.places.add(&path.loc) });
        }
        let (paths, selectors) = dispatch::join(parts);
        code.extend(paths);
        let routes = vec![Vec::new(); plans.paths.len()];
        Self::new(code, leaves, unlocks(plans, &selectors), routes)
    }

    fn new(code: Code, leaves: Vec<Leaf>, unlocks: Vec<Vec<UnlockItem>>, routes: Vec<Vec<Forced>>) -> Self {
        Self { code, leaves, unlocks, routes, excesses: OnceCell::new() }
    }

    /// The script of joined paths, with all functions before them.
    fn assemble_joined(
        contract: &hir::Contract,
        holes: &Holes,
        plans: &Plans,
        joined: &Joined,
        notes: &mut Notes,
    ) -> Self {
        let numbered = plans.shared.bodies().enumerate();
        let mut code: Code = numbered.flat_map(|(number, body)| definition(number, body, notes)).collect();
        code.extend(joined.arranged.code.iter().cloned());
        if joined.arranged.end == End::Empty {
            let place = notes.places.add(&contract.loc);
            code.push(Instr { op: Op::int(1), place, site: None });
        }
        let forks = Forks::of(&code, notes);
        let forced = |crossing: &Crossing| {
            let turn = forks.turn(crossing.fork, crossing.first)?;
            Some(Forced { turn, by_demand: crossing.by_demand, demand: crossing.demand })
        };
        let routes = joined.paths.iter().map(|path| path.route.iter().filter_map(forced).collect()).collect();
        let unlocks = joined.paths.iter().map(|path| path.unlock.clone()).collect();
        Self::new(code, holes.leaves.clone(), unlocks, routes)
    }

    /// The bytes with such pushes of parameters, and then how many items that are no arguments are pushed.
    pub(crate) fn size(&self, push_lens: &[usize]) -> (usize, usize) {
        let pushed = self.unlocks.iter().flatten().filter(|item| matches!(item, UnlockItem::Int(_))).count();
        (self.len(|index| push_lens.get(index).copied().unwrap_or(1)), pushed)
    }

    /// Whether a failure tells the ways of all conditionals, so that each message finds its branch.
    pub(crate) fn tells_ways(&self) -> bool {
        let conditionals = self.code.iter().filter(|instr| matches!(instr.op, Op::Code(Opcode::If | Opcode::NotIf)));
        conditionals.count() <= WAYS_MAX
    }

    /// Where each shared function is defined: the instruction that pushes its body.
    pub(crate) fn definition_of(&self, number: usize) -> Option<usize> {
        let define = |ops: &[Instr]| {
            let [_, id, define] = ops else { return false };
            define.op == Op::Code(Opcode::Define) && id.op.as_int() == i64::try_from(number).ok()
        };
        self.code.windows(3).position(define)
    }

    /// The bytes with the shortest values that the parameters may have.
    fn least_len(&self) -> usize {
        self.len(|index| self.leaves.get(index).map_or(1, |leaf| push_len_min(&leaf.ty)))
    }

    fn len(&self, hole: impl Fn(usize) -> usize) -> usize {
        self.code.iter().map(|instr| instr.op.len(&hole)).sum()
    }

    /// What makes the script unusable under the rules.
    pub(crate) fn excess(&self, contract: &hir::Contract, plans: &Plans, rules: &Rules) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let least = self.least_len();
        let limit = rules.limits.script_bytes.min(rules.limits.item_bytes);
        if least > limit {
            let (least, limit) = (grouped(least as u64), grouped(limit as u64));
            let message = format!("`{}` compiles to at least {least} bytes; a script may have {limit}", contract.name);
            found.push(
                Diagnostic::error(ErrorCode::E0501, message, contract.loc.clone())
                    .help("split the contract, or check less in one path"),
            );
        }
        let levels = levels_of(plans);
        let beside: usize = plans.shared.bodies().map(|body| body.depth_max + 1).sum();
        for (at, (path, plan)) in contract.paths.iter().zip(&plans.paths).enumerate() {
            let (arranged, around) = match &plans.joined {
                Some(joined) => (&joined.arranged, 0),
                None => (&plan.arranged, (at + 1).min(plans.paths.len().saturating_sub(1))),
            };
            if code::levels(&arranged.code, &levels) + around > rules.limits.control_depth {
                found.push(too_deep(path, "the rules allow"));
            }
            let items = arranged.depth_max + beside + 2;
            if items > rules.limits.slots {
                let message = format!(
                    "path `{}` holds {} values at once; the stack has room for {}",
                    path.name,
                    grouped(items as u64),
                    grouped(rules.limits.slots as u64)
                );
                found.push(
                    Diagnostic::error(ErrorCode::E0503, message, path.loc.clone())
                        .help("use values closer to where they are computed"),
                );
            }
        }
        found
    }

    /// What the spender pushes.
    pub(crate) fn unlock(&self, at: usize) -> &[UnlockItem] {
        self.unlocks.get(at).map(Vec::as_slice).unwrap_or_default()
    }

    /// The first path that is not shown to do what its direct code does.
    pub(crate) fn unproved(&self, contract: &hir::Contract, plans: &Plans, direct: &Plans) -> Option<Unproved> {
        let both = contract.paths.iter().zip(plans.paths.iter().zip(&direct.paths)).enumerate();
        both.into_iter().find_map(|(at, (path, (plan, direct)))| {
            let preimages: Vec<&[u8]> = plans.preimages().collect();
            let why = match self.verdict(at, path, plan, direct, &preimages) {
                Verdict::Same => return None,
                Verdict::Differs { left, right } => {
                    let [left, right] = [left, right].map(|one| one.unwrap_or_else(|| "nothing else".to_owned()));
                    format!("the direct code demands {left}, the better code {right}")
                }
                Verdict::Unknown(unknown) => unknown.to_string(),
            };
            Some(Unproved { path: path.name.clone(), why })
        })
    }

    fn verdict(
        &self,
        at: usize,
        path: &hir::SpendPath,
        plan: &PathPlan,
        direct: &PathPlan,
        preimages: &[&[u8]],
    ) -> Verdict {
        crate::interrupt::check();
        let records = path.args.iter().any(|arg| matches!(arg.ty, hir::Type::List(_)));
        let given = direct.arranged.items.iter().copied().map(Given::Item).collect();
        let mut code = direct.arranged.code.clone();
        if direct.arranged.end == End::Empty {
            code.push(Instr { op: Op::int(1), place: PlaceId::default(), site: None });
        }
        let mut stack = Vec::new();
        for item in self.unlock(at) {
            match item {
                UnlockItem::Int(selector) => stack.push(Given::Selector(*selector)),
                UnlockItem::Arg(arg) | UnlockItem::Leaf(arg, _) => {
                    let start: usize = plan.mir.arg_items.iter().take(*arg).sum();
                    let count = plan.mir.arg_items.get(*arg).copied().unwrap_or(0);
                    stack.extend((start..start + count).map(Given::Item));
                }
            }
        }
        let by_demand = self.routes.get(at).into_iter().flatten().filter(|forced| forced.by_demand);
        let turns = by_demand.map(|forced| (forced.turn.instruction, forced.turn.taken)).collect();
        let direct = Side { code: &code, stack: given, records, turns: BTreeMap::new() };
        compare(&direct, &Side { code: &self.code, stack, records, turns }, preimages)
    }

    /// The most a path costs, whatever fits an item.
    pub(crate) fn cost_bound(&self, at: usize, path: &hir::SpendPath, plans: &Plans, rules: &Rules) -> Option<u64> {
        self.cost(at, path, plans, rules, Usage::Longest)
    }

    /// What each instruction costs in the dearest run of a path.
    pub(crate) fn spent(
        &self,
        at: usize,
        path: &hir::SpendPath,
        plans: &Plans,
        rules: &Rules,
    ) -> Option<BTreeMap<usize, u64>> {
        self.run(at, path, plans, rules, Usage::Longest, cost::spent_by_instruction)
    }

    fn cost(&self, at: usize, path: &hir::SpendPath, plans: &Plans, rules: &Rules, usage: Usage) -> Option<u64> {
        self.run(at, path, plans, rules, usage, cost::bound_of_input)
    }

    fn run<T>(
        &self,
        at: usize,
        path: &hir::SpendPath,
        plans: &Plans,
        rules: &Rules,
        usage: Usage,
        run: impl FnOnce(cost::Input<'_>) -> Option<T>,
    ) -> Option<T> {
        crate::interrupt::check();
        let longest = match usage {
            Usage::Longest => Some(rules.limits.item_bytes as u64),
            Usage::Usual { .. } => None,
        };
        let mut stack = Vec::new();
        for item in self.unlock(at) {
            match item {
                UnlockItem::Arg(arg) => {
                    stack.extend(arg_lens(&path.args.get(*arg)?.ty, longest).into_iter().map(Item::of));
                }
                UnlockItem::Leaf(..) => return None,
                UnlockItem::Int(selector) => stack.push(Item::int(*selector)),
            }
        }
        let turns = self.routes.get(at)?.iter().map(|forced| (forced.turn.instruction, forced.turn.taken)).collect();
        let hole = |ty| param_len_max(ty).map_or(longest.unwrap_or(1), |len| len as u64);
        let holes: Vec<u64> = self.leaves.iter().map(|leaf| hole(&leaf.ty)).collect();
        let script = self.len(|index| holes.get(index).map_or(1, |len| *len as usize + 3)) as u64;
        let fields = record_lens(path);
        let lengths = match usage {
            Usage::Longest => Lengths {
                holes: &holes,
                lock: LOCK_BYTES_MAX,
                unlock: UNLOCK_BYTES_MAX.min(rules.limits.item_bytes as u64),
                script,
                all_rounds: true,
                records: None,
            },
            Usage::Usual { records } => Lengths {
                holes: &holes,
                lock: 35,
                unlock: 35,
                script,
                all_rounds: false,
                records: Some((records, &fields)),
            },
        };
        let functions: Vec<&[Instr]> = plans.shared.bodies().map(|body| body.code.as_slice()).collect();
        let (code, turns, functions) = (self.code.as_slice(), &turns, functions.as_slice());
        run(cost::Input { code, turns, functions, stack, lengths: &lengths, rules })
    }

    /// Refuses paths that cost more than the unlocking bytecode pays for, with arguments of usual lengths,
    /// unless the author allows it.
    pub(crate) fn over_budget(&self, contract: &hir::Contract, plans: &Plans, rules: &Rules) -> &[Diagnostic] {
        self.excesses.get_or_init(|| self.excesses_of(contract, plans, rules))
    }

    fn excesses_of(&self, contract: &hir::Contract, plans: &Plans, rules: &Rules) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for (at, path) in contract.paths.iter().enumerate() {
            // Padding pays for whatever it has to.
            if path.args.iter().any(|arg| arg.ty == hir::Type::Padding) {
                continue;
            }
            match path.args.iter().find(|arg| matches!(arg.ty, hir::Type::List(_))) {
                Some(list) => found.extend(self.record_over_budget(at, path, list, plans, rules)),
                None => found.extend(self.path_over_budget(at, path, plans, rules)),
            }
        }
        allowed(contract, found)
    }

    /// Whether coins may be locked by the script itself: nodes pass it on, it does not read its own bytes, and what any
    /// spender pushes pays for its path.
    pub(crate) fn fits_output(&self, contract: &hir::Contract, plans: &Plans, rules: &Rules) -> bool {
        let lens: Option<Vec<usize>> = self.leaves.iter().map(|leaf| param_len_max(&leaf.ty)).collect();
        let Some(lens) = lens else { return false };
        let longest = self.len(|index| lens.get(index).map_or(1, |len| push_len_of(*len)));
        let is_own_code = |instr: &Instr| instr.op == Op::Code(Opcode::ActiveBytecode);
        let bodies = plans.shared.bodies().flat_map(|body| &body.code);
        let reads_itself = self.code.iter().chain(bodies).any(is_own_code);
        let pays = |(at, path): (usize, &hir::SpendPath)| {
            let is_open = |arg: &hir::Param| matches!(arg.ty, hir::Type::Padding | hir::Type::List(_));
            let args: usize = path.args.iter().flat_map(|arg| arg.ty.leaves()).map(|leaf| arg_len_min(&leaf)).sum();
            let budget = rules.cost_budget(args).get();
            let hash_budget = rules.hash_budget(args);
            let rounds = self.cost(at, path, plans, &hashing_alone(rules), Usage::Longest).map(|cost| cost / ROUND);
            !path.args.iter().any(is_open)
                && self.cost_bound(at, path, plans, rules).is_some_and(|cost| cost <= budget)
                && rounds.is_some_and(|rounds| rounds <= hash_budget)
        };
        contract.reward.is_none()
            && longest <= P2S_BYTES_MAX
            && !reads_itself
            && contract.paths.iter().enumerate().all(pays)
    }

    fn path_over_budget(&self, at: usize, path: &hir::SpendPath, plans: &Plans, rules: &Rules) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let usual = Usage::Usual { records: 0 };
        let args: u64 = path.args.iter().flat_map(|arg| arg_lens(&arg.ty, None)).map(|len| len + 1).sum();
        let unlock = self.least_len() + args as usize;
        let budget = rules.cost_budget(unlock).get();
        let cost = self.cost(at, path, plans, rules, usual);
        if let Some(cost) = cost.filter(|cost| *cost > budget) {
            found.push(over_budget(path, &format!("cost {}", grouped(cost)), unlock, budget));
        }
        let budget = rules.hash_budget(unlock);
        let rounds = self.cost(at, path, plans, &hashing_alone(rules), usual).map(|cost| cost / ROUND);
        if let Some(rounds) = rounds.filter(|rounds| *rounds > budget) {
            found.push(over_budget(path, &format!("take {} hash rounds", grouped(rounds)), unlock, budget));
        }
        found
    }

    /// Every record must pay for its own round, or a long enough list exceeds the budget.
    fn record_over_budget(
        &self,
        at: usize,
        path: &hir::SpendPath,
        list: &hir::Param,
        plans: &Plans,
        rules: &Rules,
    ) -> Option<Diagnostic> {
        let [one, two] = [1, 2].map(|records| self.cost(at, path, plans, rules, Usage::Usual { records }));
        let cost = two?.checked_sub(one?)?;
        let bytes: u64 = record_lens(path).iter().map(|len| len + 1).sum();
        let budget = rules.prices.budget_per_byte.checked_mul(bytes)?;
        (cost > budget).then(|| record_over_budget(list, cost, bytes, budget))
    }
}

/// What the spender pushes for each path: the arguments in the order of its code, and the selector.
fn unlocks(plans: &Plans, selectors: &[i64]) -> Vec<Vec<UnlockItem>> {
    let unlock = |(at, plan): (usize, &PathPlan)| {
        let args = plan.arranged.order.iter().map(|arg| UnlockItem::Arg(*arg));
        args.chain(selectors.get(at).map(|selector| UnlockItem::Int(*selector))).collect()
    };
    plans.paths.iter().enumerate().map(unlock).collect()
}

/// What a cost is wanted for.
#[derive(Clone, Copy)]
enum Usage {
    /// The greatest lengths, and all rounds.
    Longest,
    /// Usual lengths, and so many records.
    Usual { records: u64 },
}

/// How long the fields of a record are that the spender pushes.
fn record_lens(path: &hir::SpendPath) -> Vec<u64> {
    let fields = path.args.iter().filter_map(|arg| match &arg.ty {
        hir::Type::List(record) => Some(&record.fields),
        _ => None,
    });
    fields.flatten().flat_map(|(_, ty)| arg_lens(ty, None)).collect()
}

/// More than all bytes that a script can push cost together.
const ROUND: u64 = 1 << 32;

/// Prices under which a bound, divided by [`ROUND`], counts rounds of hashing and nothing else.
const fn hashing_alone(rules: &Rules) -> Rules {
    let mut rules = *rules;
    rules.prices.instruction = 0;
    rules.prices.signature = 0;
    rules.prices.hash_iteration = ROUND;
    rules
}

/// What is left of the messages about budgets, with a warning for each `allow` that is not needed.
fn allowed(contract: &hir::Contract, found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let allows = || contract.allows.iter().filter(|allow| allow.lint == hir::Lint::OverBudget);
    let covers = |allow: &hir::Allow, found: &Diagnostic| found.labels.iter().any(|label| allow.covers(&label.loc));
    let idle = allows().filter(|allow| !found.iter().any(|found| covers(allow, found))).map(hir::Allow::idle);
    let idle: Vec<Diagnostic> = idle.collect();
    let kept = found.into_iter().filter(|found| !allows().any(|allow| covers(allow, found)));
    kept.chain(idle).collect()
}

/// For each shared function the paths that run it, directly or through others.
fn callers(plans: &Plans) -> Vec<Vec<usize>> {
    let bodies: Vec<&Body> = plans.shared.bodies().collect();
    let mut callers = vec![Vec::new(); bodies.len()];
    for (at, plan) in plans.paths.iter().enumerate() {
        let mut todo: Vec<usize> = code::calls(&plan.arranged.code).collect();
        while let Some(number) = todo.pop() {
            let Some(of) = callers.get_mut(number) else { continue };
            if of.last() != Some(&at) {
                of.push(at);
                todo.extend(bodies.get(number).into_iter().flat_map(|body| code::calls(&body.code)));
            }
        }
    }
    callers
}

/// For each shared function how many conditionals, loops and functions it has open at once.
fn levels_of(plans: &Plans) -> Vec<usize> {
    let bodies: Vec<&Body> = plans.shared.bodies().collect();
    let mut levels = vec![0; bodies.len()];
    // Calls form no circle, so each pass settles those whose callees are settled.
    for _ in &bodies {
        levels = bodies.iter().map(|body| code::levels(&body.code, &levels)).collect();
    }
    levels
}

fn definition(number: usize, body: &Body, notes: &mut Notes) -> Code {
    let place = notes.places.add(&body.loc);
    let number = Op::int(i64::try_from(number).unwrap_or(i64::MAX));
    let ops = [Op::Push(code::bytes(&body.code)), number, Op::Code(Opcode::Define)];
    ops.into_iter().map(|op| Instr { op, place, site: None }).collect()
}
