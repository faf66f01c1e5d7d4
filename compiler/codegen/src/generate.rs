//! The door: a contract in, its bytecode and everything an artifact says about it out.

use analysis::hir;
use spec::artifact::{Piece, Slot, SpendPath, UnlockItem};
use spec::{Mode, RuleSet, Rules};
use syntax::{Code as ErrorCode, Diagnostic, Loc};

use crate::code::{self, Code, Instr, Op};
use crate::cost::{self, Item, Lengths};
use crate::dispatch::{self, PathCode};
use crate::lengths::{self, LOCK_BYTES_MAX, Leaf, UNLOCK_BYTES_MAX, arg_lens, param_len_max, push_len_min};
use crate::lower::{Excess, Notes};
use crate::plan::{PathPlan, Planner};
use crate::schedule::End;

/// What to generate for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The machine that will run the script.
    pub rules: RuleSet,
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
    /// The ways to spend it, in source order.
    pub paths: Vec<SpendPath>,
    /// Where instructions come from, in ascending order; an entry holds until the next.
    pub source_map: Vec<Origin>,
    /// What each check that may fail says, in order of instructions.
    ///
    /// A script of one path ends with the value of its last check, without an opcode that fails: the
    /// last entry stands at the instruction that gives this value.
    pub requires: Vec<Check>,
}

/// Where instructions come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The first instruction, counted from 0.
    pub instruction: usize,
    /// The place.
    pub loc: Loc,
}

/// A check that may fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The instruction, counted from 0.
    pub instruction: usize,
    /// What it says.
    pub message: String,
    /// The place.
    pub loc: Loc,
}

impl Generated {
    /// The bytes of the script without its holes.
    #[must_use]
    pub fn code_bytes(&self) -> usize {
        let len = |piece: &Piece| if let Piece::Code(code) = piece { code.len() } else { 0 };
        self.bytecode.iter().map(len).sum()
    }
}

/// Compiles one contract; `functions` are the whole program's.
///
/// Gives nothing only together with an error.
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
    let rules = Rules::new(options.rules, Mode::Relay);
    let mut notes = Notes::default();
    let mut diagnostics = Vec::new();
    let end = if contract.paths.len() == 1 { End::Truth } else { End::Empty };
    let holes: Vec<usize> =
        lengths::leaves(&contract.params).iter().map(|leaf| lengths::typical_push_len(&leaf.ty)).collect();
    let planner = Planner { contract, functions, rules: &rules, end, holes: &holes };
    let mut paths = Vec::new();
    for path in &contract.paths {
        match planner.plan(path, &mut notes) {
            Ok(plan) => paths.push(plan),
            Err(excess) => diagnostics.push(why(&excess, path, &rules)),
        }
    }
    if !diagnostics.is_empty() {
        return (None, diagnostics);
    }
    let script = Script::assemble(contract, &paths, &mut notes);
    diagnostics.extend(script.excess(contract, &paths, &rules));
    if !diagnostics.is_empty() {
        return (None, diagnostics);
    }
    let spend_paths = script.spend_paths(contract, &paths, &rules);
    diagnostics.extend(script.over_budget(contract, &paths, &rules));
    (Some(script.into_generated(contract, spend_paths, &notes)), diagnostics)
}

fn why(excess: &Excess, path: &hir::SpendPath, rules: &Rules) -> Diagnostic {
    match excess {
        Excess::Steps => too_large(path, rules),
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

fn too_deep(path: &hir::SpendPath, whose: &str) -> Diagnostic {
    let message = format!("path `{}` nests more levels than {whose}", path.name);
    Diagnostic::error(ErrorCode::E0502, message, path.loc.clone())
        .help("split deep expressions and conditionals into several `let`s and `require`s, or the contract")
}

/// The whole script.
struct Script {
    code: Code,
    /// What the holes hold.
    leaves: Vec<Leaf>,
    /// The number that each path's spender pushes last; none if there is only one path.
    selectors: Vec<i64>,
}

impl Script {
    fn assemble(contract: &hir::Contract, paths: &[PathPlan], notes: &mut Notes) -> Self {
        let leaves = lengths::leaves(&contract.params);
        if let [path] = paths {
            let mut code = path.arranged.code.clone();
            if path.arranged.end == End::Empty {
                let place = notes.places.add(&contract.loc);
                code.push(Instr { op: Op::int(1), place, site: None });
            }
            return Self { code, leaves, selectors: Vec::new() };
        }
        let parts = contract
            .paths
            .iter()
            .zip(paths)
            .map(|(path, plan)| PathCode { place: notes.places.add(&path.loc), code: plan.arranged.code.clone() });
        let (code, selectors) = dispatch::join(parts.collect());
        Self { code, leaves, selectors }
    }

    /// The bytes with the shortest values that the parameters may have.
    fn least_len(&self) -> usize {
        self.len(|index| self.leaves.get(index).map_or(1, |leaf| push_len_min(&leaf.ty)))
    }

    fn len(&self, hole: impl Fn(usize) -> usize) -> usize {
        self.code.iter().map(|instr| instr.op.len(&hole)).sum()
    }

    /// What makes the script unusable under the rules.
    fn excess(&self, contract: &hir::Contract, paths: &[PathPlan], rules: &Rules) -> Vec<Diagnostic> {
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
        for (at, (path, plan)) in contract.paths.iter().zip(paths).enumerate() {
            let around = (at + 1).min(self.selectors.len().saturating_sub(1));
            if plan.arranged.nesting_max + around > rules.limits.control_depth {
                found.push(too_deep(path, "the rules allow"));
            }
            let items = plan.arranged.depth_max + 2;
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

    fn spend_paths(&self, contract: &hir::Contract, paths: &[PathPlan], rules: &Rules) -> Vec<SpendPath> {
        let plans = contract.paths.iter().zip(paths).enumerate();
        plans
            .map(|(at, (path, plan))| SpendPath {
                name: path.name.clone(),
                docs: path.docs.clone(),
                args: slots(&path.args),
                unlock: self.unlock(at, plan),
                time: plan.time.clone(),
                cost_bound: self.cost_bound(at, path, plan, rules, Some(rules.limits.item_bytes as u64)),
            })
            .collect()
    }

    fn unlock(&self, at: usize, plan: &PathPlan) -> Vec<UnlockItem> {
        let args = plan.arranged.order.iter().map(|arg| UnlockItem::Arg(*arg));
        args.chain(self.selectors.get(at).map(|selector| UnlockItem::Int(*selector))).collect()
    }

    /// The most a path costs; with `longest`, whatever fits an item, and otherwise for usual lengths.
    fn cost_bound(
        &self,
        at: usize,
        path: &hir::SpendPath,
        plan: &PathPlan,
        rules: &Rules,
        longest: Option<u64>,
    ) -> Option<u64> {
        let mut stack = Vec::new();
        for arg in &plan.arranged.order {
            stack.extend(arg_lens(&path.args.get(*arg)?.ty, longest).into_iter().map(Item::of));
        }
        stack.extend(self.selectors.get(at).map(|selector| Item::int(*selector)));
        let hole = |ty| param_len_max(ty).map_or(longest.unwrap_or(1), |len| len as u64);
        let holes: Vec<u64> = self.leaves.iter().map(|leaf| hole(&leaf.ty)).collect();
        let script = self.len(|index| holes.get(index).map_or(1, |len| *len as usize + 3)) as u64;
        let lengths = match longest {
            Some(longest) => {
                Lengths { holes: &holes, lock: LOCK_BYTES_MAX, unlock: longest.min(UNLOCK_BYTES_MAX), script }
            }
            None => Lengths { holes: &holes, lock: 35, unlock: 35, script },
        };
        cost::bound_of_input(&self.code, stack, &lengths, rules)
    }

    /// Warns of paths that cost more than the unlocking bytecode pays for, with arguments of usual lengths.
    fn over_budget(&self, contract: &hir::Contract, paths: &[PathPlan], rules: &Rules) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let script = self.least_len();
        for (at, (path, plan)) in contract.paths.iter().zip(paths).enumerate() {
            let args: u64 = path.args.iter().flat_map(|arg| arg_lens(&arg.ty, None)).map(|len| len + 1).sum();
            let unlock = script + args as usize;
            let budget = rules.cost_budget(unlock).get();
            let cost = self.cost_bound(at, path, plan, rules, None);
            if let Some(cost) = cost.filter(|cost| *cost > budget) {
                found.push(over(path, &format!("cost {}", grouped(cost)), unlock, budget));
            }
            let budget = rules.hash_budget(unlock);
            let rounds = self.cost_bound(at, path, plan, &hashing_alone(rules), None).map(|cost| cost / ROUND);
            if let Some(rounds) = rounds.filter(|rounds| *rounds > budget) {
                found.push(over(path, &format!("take {} hash rounds", grouped(rounds)), unlock, budget));
            }
        }
        found
    }

    fn into_generated(self, contract: &hir::Contract, paths: Vec<SpendPath>, notes: &Notes) -> Generated {
        let name = |index: usize| self.leaves.get(index).map_or_else(String::new, |leaf| leaf.name.clone());
        Generated {
            bytecode: code::pieces(&self.code),
            asm: code::asm(&self.code, name),
            params: slots(&contract.params),
            paths,
            source_map: source_map(&self.code, notes),
            requires: checks(&self.code, notes),
        }
    }
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

/// A path that takes more work than its bytes pay for.
fn over(path: &hir::SpendPath, work: &str, unlock: usize, budget: u64) -> Diagnostic {
    let message = format!("path `{}` may {work}; {unlock} bytes pay for {}", path.name, grouped(budget));
    Diagnostic::warning(ErrorCode::E0504, message, path.loc.clone())
        .note("a node pays for work by the length of the unlocking bytecode")
        .help("check less in this path, or let the spender push padding")
}

/// Digits with `_` between groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('_');
        }
        out.push(digit);
    }
    out
}

fn slots(params: &[hir::Param]) -> Vec<Slot> {
    let slot = |param: &hir::Param| Some(Slot { name: param.name.clone(), ty: param.ty.abi()? });
    params.iter().filter_map(slot).collect()
}

fn source_map(code: &[Instr], notes: &Notes) -> Vec<Origin> {
    let mut origins: Vec<Origin> = Vec::new();
    for (instruction, instr) in code.iter().enumerate() {
        let Some(loc) = notes.places.loc(instr.place) else { continue };
        if origins.last().is_none_or(|last| last.loc != *loc) {
            origins.push(Origin { instruction, loc: loc.clone() });
        }
    }
    origins
}

fn checks(code: &[Instr], notes: &Notes) -> Vec<Check> {
    let site = |(instruction, instr): (usize, &Instr)| {
        let site = notes.sites.get(instr.site?.0 as usize)?;
        Some(Check { instruction, message: site.message.clone(), loc: site.loc.clone() })
    };
    code.iter().enumerate().filter_map(site).collect()
}
