//! From the typed program to the middle form: one path at a time, with every function inlined.
//!
//! Variables become values: an assignment in a branch makes a phi where the branches meet again.

mod assigned;
mod call;
mod expr;
mod fallible;
mod flow;
mod loops;
pub(crate) mod parts;
mod pins;

pub(crate) use fallible::code_may_fail;

use std::collections::BTreeSet;
use std::rc::Rc;

use analysis::hir::{self, Condition, LocalId, StmtKind};
use spec::artifact::{TimeBound, TimeNeeds};
use spec::{Opcode, RuleSet};
use syntax::Loc;

use crate::code::{Either, PlaceId, Places, SiteId, Way, branched};
use crate::forms::Forms;
use crate::holes::Holes;
use crate::mir::{Block, Effect, Graph, NodeId, NodeKind, Operation, Path};
use crate::shared::{Calls, Instance, Shared};

/// Statements and expressions that one path may take after inlining; the longest script has fewer instructions.
const STEPS_MAX: u32 = 200_000;
/// Levels of blocks, calls and expressions inside each other.
const LEVELS_MAX: u32 = 700;

/// A check that has something to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) message: String,
    pub(crate) loc: Loc,
}

/// What the paths of a contract share.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) places: Places,
    sites: Vec<Mark>,
}

/// What an instruction is known for.
#[derive(Clone, Debug)]
enum Mark {
    Check(Site),
    /// Several checks at once, or one whose constant is hidden behind a hash: these checks, and what each demands if the
    /// script has only a hash of it.
    Hashed(Vec<(SiteId, Vec<u8>)>),
    /// A check of one of two branches.
    Either(Either<SiteId>),
    /// A conditional; the next mark is the same conditional with its blocks exchanged.
    Fork,
}

/// The mark of a conditional whose first block runs if its mark's does not.
pub(crate) const fn flipped(fork: SiteId) -> SiteId {
    SiteId(fork.0.saturating_add(1))
}

impl Notes {
    /// How many checks there are now.
    pub(crate) fn mark(&self) -> usize {
        self.sites.len()
    }

    /// A new check.
    pub(crate) fn check(&mut self, message: &str, loc: &Loc) -> SiteId {
        self.push(Mark::Check(Site { message: message.to_owned(), loc: loc.clone() }))
    }

    /// Several checks at once, with what each demands where the script has only a hash of that.
    pub(crate) fn hashed(&mut self, members: Vec<(SiteId, Vec<u8>)>) -> SiteId {
        self.push(Mark::Hashed(members))
    }

    /// A mark for a conditional, whose first block runs if it holds; [`flipped`] is that of the other block.
    pub(crate) fn fork(&mut self) -> SiteId {
        let fork = self.push(Mark::Fork);
        self.push(Mark::Fork);
        fork
    }

    /// The check that a conditional decides.
    pub(crate) fn either(&mut self, fork: SiteId, then: SiteId, otherwise: SiteId) -> SiteId {
        if self.same(then, otherwise) {
            return then;
        }
        self.push(Mark::Either(Either { fork, then, otherwise }))
    }

    /// Whether two checks say the same of the same place.
    pub(crate) fn same(&self, a: SiteId, b: SiteId) -> bool {
        a == b || self.ways(a) == self.ways(b)
    }

    fn push(&mut self, mark: Mark) -> SiteId {
        self.sites.push(mark);
        SiteId(u32::try_from(self.sites.len() - 1).unwrap_or(u32::MAX))
    }

    /// What a check says, by the way through the script, and what it demands if the script has only a hash of that.
    pub(crate) fn ways(&self, id: SiteId) -> Vec<(Way, (&Site, &[u8]))> {
        match self.sites.get(id.0 as usize) {
            Some(Mark::Check(site)) => vec![(Way::new(), (site, &[]))],
            Some(Mark::Hashed(members)) => {
                let ways = members.iter().flat_map(|(member, demands)| {
                    self.ways(*member).into_iter().map(move |(way, (site, _))| (way, (site, demands.as_slice())))
                });
                ways.collect()
            }
            Some(Mark::Either(either)) => {
                let [then, otherwise] = [either.then, either.otherwise].map(|id| self.ways(id));
                branched(either.fork, then, otherwise)
            }
            Some(Mark::Fork) | None => Vec::new(),
        }
    }

    pub(crate) fn is_fork(&self, id: SiteId) -> bool {
        matches!(self.sites.get(id.0 as usize), Some(Mark::Fork))
    }

    /// Forgets the checks that came after a mark.
    pub(crate) fn back_to(&mut self, mark: usize) {
        self.sites.truncate(mark);
    }
}

/// Why a path has no middle form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Excess {
    /// More than [`STEPS_MAX`] steps.
    Steps,
    /// More than [`LEVELS_MAX`] levels.
    Levels,
    /// A `return` here is inside a loop whose rounds nobody can count beforehand.
    ReturnInLoop(Loc),
    /// The shared function with this number has no code yet.
    NoBody(usize),
    /// Given instructions are refused.
    Given { loc: Loc, why: String },
}

/// What paths and functions are lowered in.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) holes: &'a Holes,
    pub(crate) functions: &'a hir::Functions,
    pub(crate) rules: RuleSet,
    pub(crate) shared: &'a Shared,
    /// Whether computations stay as they are written.
    pub(crate) plain: bool,
}

/// What lowering finds out beside.
pub(crate) struct Found<'a> {
    pub(crate) forms: &'a mut Forms,
    pub(crate) calls: &'a mut Calls,
    pub(crate) notes: &'a mut Notes,
}

/// A path in its middle form, with the time fields it reads.
#[derive(Clone, Debug)]
pub(crate) struct Lowered {
    pub(crate) path: Path,
    pub(crate) time: TimeNeeds,
}

/// Lowers one path.
pub(crate) fn lower(context: Context<'_>, path: &hir::SpendPath, found: Found<'_>) -> Result<Lowered, Excess> {
    crate::interrupt::check();
    let mut lowering = Lowering::new(context, found);
    let mut frame = lowering.enter(&path.args, &path.locals, Rc::default());
    lowering.block(&mut frame, &path.body)?;
    lowering.pin_args(path, &mut frame)?;
    let list = path.args.iter().position(|arg| parts::is_list(&arg.ty));
    Ok(lowering.finish(list, Vec::new()))
}

/// A shared function in its middle form.
#[derive(Debug)]
pub(crate) struct LoweredBody {
    pub(crate) path: Path,
    /// The leaves of the contract's parameters that it takes after its own arguments.
    pub(crate) leaves: Vec<usize>,
}

/// Lowers the body of a shared function.
pub(crate) fn lower_body(context: Context<'_>, instance: &Instance, found: Found<'_>) -> Result<LoweredBody, Excess> {
    let function = context.functions.get(instance.function).expect("analysis resolved the call");
    let mut lowering = Lowering::new(context, found);
    let types: Rc<[hir::Type]> = instance.types.iter().cloned().collect();
    let mut frame = lowering.enter(&function.params, &function.locals, types);
    lowering.leaf_args = Some(Vec::new());
    let results = lowering.body(&mut frame, &function.body)?.unwrap_or_default();
    let leaves = lowering.leaf_args.take().unwrap_or_default();
    lowering.arg_items.extend(leaves.iter().map(|_| 1));
    let Lowered { path, .. } = lowering.finish(None, results);
    Ok(LoweredBody { path, leaves })
}

/// About how many bytes the push of a parameter takes.
fn push_weight(ty: &hir::Type) -> u32 {
    match ty {
        hir::Type::Bool | hir::Type::Share | hir::Type::Unit => 1,
        hir::Type::Int | hir::Type::Blocks | hir::Type::Duration => 3,
        hir::Type::Height | hir::Type::Coin | hir::Type::Tokens => 4,
        hir::Type::Time => 5,
        hir::Type::IntN(len) => len.saturating_add(1),
        hir::Type::Bytes | hir::Type::Lock => 26,
        hir::Type::Sig | hir::Type::DataSig | hir::Type::Sigs(_) => 66,
        other => other.fixed_len().map_or(9, |len| len.saturating_add(1)),
    }
}

/// The items of a value: one, except for composite values and the signatures of a multisig.
type Items = Vec<NodeId>;

/// The values of arguments and variables in one body.
#[derive(Clone, Default)]
struct Frame {
    args: Vec<Items>,
    locals: Vec<Option<Items>>,
    /// The types of the variables, with type parameters put in.
    local_types: Rc<[hir::Type]>,
    /// What the type parameters of the function stand for.
    types: Rc<[hir::Type]>,
}

struct Lowering<'a> {
    functions: &'a hir::Functions,
    rules: RuleSet,
    shared: &'a Shared,
    forms: &'a mut Forms,
    calls: &'a mut Calls,
    notes: &'a mut Notes,
    graph: Graph,
    /// In a shared function, the leaves of the contract's parameters that its calls give it.
    leaf_args: Option<Vec<usize>>,
    holes: &'a Holes,
    /// The items of each argument of the path.
    args: Vec<Items>,
    /// How many items each argument of the path takes.
    arg_items: Vec<usize>,
    /// The types of the items of all arguments, and of all holes, where they are sure.
    arg_types: Vec<Option<hir::Type>>,
    param_types: Vec<Option<hir::Type>>,
    /// Lengths that checks before this place have shown.
    proven: Vec<(NodeId, u64)>,
    /// Of the block that is being lowered.
    effects: Vec<Effect>,
    time: TimeNeeds,
    /// How many loops there are.
    loops: u32,
    steps: u32,
    levels: u32,
}

impl<'a> Lowering<'a> {
    fn new(context: Context<'a>, found: Found<'a>) -> Self {
        let Context { holes, functions, rules, shared, plain } = context;
        let weights = holes.leaves.iter().map(|leaf| push_weight(&leaf.ty)).collect();
        let graph = Graph::new(weights, shared.lens());
        Self {
            functions,
            rules,
            shared,
            forms: found.forms,
            calls: found.calls,
            notes: found.notes,
            graph: if plain { graph.plain() } else { graph },
            leaf_args: None,
            holes,
            args: Vec::new(),
            arg_items: Vec::new(),
            arg_types: Vec::new(),
            param_types: holes.params.iter().flat_map(|param| fallible::item_types(&param.ty)).collect(),
            proven: Vec::new(),
            loops: 0,
            effects: Vec::new(),
            time: TimeNeeds::default(),
            steps: 0,
            levels: 0,
        }
    }

    fn enter(&mut self, args: &[hir::Param], locals: &[hir::Local], types: Rc<[hir::Type]>) -> Frame {
        let mut next = 0;
        for arg in args {
            let place = self.notes.places.add(&arg.loc);
            let ty = arg.ty.instantiate(&types);
            let count = parts::arg_item_count(&ty);
            self.arg_types.extend(fallible::item_types(&ty));
            self.args.push((next..next + count).map(|item| self.graph.arg(item, place)).collect());
            self.arg_items.push(count);
            next += count;
        }
        let local_types = locals.iter().map(|local| local.ty.instantiate(&types)).collect();
        Frame { args: self.args.clone(), locals: vec![None; locals.len()], local_types, types }
    }

    fn finish(self, list: Option<usize>, results: Items) -> Lowered {
        let body = Block { effects: self.effects };
        let mut path =
            Path { graph: self.graph, body, arg_items: self.arg_items, list, results, hidden: BTreeSet::new() };
        path.prune();
        Lowered { path, time: self.time }
    }

    /// A leaf of the contract's parameters.
    fn leaf(&mut self, leaf: usize, place: PlaceId) -> NodeId {
        let Some(leaves) = &mut self.leaf_args else { return self.graph.param(leaf, place) };
        let position = leaves.iter().position(|known| *known == leaf).unwrap_or_else(|| {
            leaves.push(leaf);
            leaves.len() - 1
        });
        let own: usize = self.arg_items.iter().sum();
        self.graph.arg(own + position, place)
    }

    fn place(&mut self, loc: &Loc) -> PlaceId {
        self.notes.places.add(loc)
    }

    fn site(&mut self, message: &str, loc: &Loc) -> SiteId {
        self.notes.check(message, loc)
    }

    /// Counts a step and goes one level down; [`Lowering::leave`] comes back.
    fn descend(&mut self) -> Result<(), Excess> {
        self.levels += 1;
        if self.levels > LEVELS_MAX {
            return Err(Excess::Levels);
        }
        self.step()
    }

    fn leave(&mut self) {
        self.levels -= 1;
    }

    fn step(&mut self) -> Result<(), Excess> {
        self.steps += 1;
        if self.steps > STEPS_MAX { Err(Excess::Steps) } else { Ok(()) }
    }

    fn block(&mut self, frame: &mut Frame, block: &hir::Block) -> Result<Option<Items>, Excess> {
        self.descend()?;
        for stmt in &block.stmts {
            self.stmt(frame, stmt)?;
        }
        let value = match &block.value {
            Some(value) => Some(self.expr(frame, value)?),
            None => None,
        };
        self.leave();
        Ok(value)
    }

    fn stmt(&mut self, frame: &mut Frame, stmt: &hir::Stmt) -> Result<(), Excess> {
        self.step()?;
        match &stmt.kind {
            StmtKind::Let { local, value } => {
                let value = self.expr(frame, value)?;
                set(frame, *local, value);
            }
            StmtKind::Assign { local, place, value } => self.assign(frame, *local, place, value, &stmt.loc)?,
            StmtKind::Require { condition, message } => self.require(frame, condition, message, &stmt.loc)?,
            StmtKind::If { condition, then, otherwise } => {
                self.choose(frame, condition, then, otherwise, &stmt.loc)?;
            }
            StmtKind::Match { value, arms } => {
                self.choose_arm(frame, value, arms, &stmt.loc)?;
            }
            StmtKind::Call { function, type_args, args } => {
                self.call(frame, *function, type_args, args, &stmt.loc)?;
            }
            StmtKind::Check(check) => {
                self.expr(frame, check)?;
            }
            StmtKind::For { index, from, to, rounds_max, body } => {
                let range = loops::Range { index: *index, from, to, rounds_max: *rounds_max };
                self.counted(frame, stmt, &range, body)?;
            }
            StmtKind::While { condition, rounds_max, body } => {
                self.conditional(frame, stmt, condition, *rounds_max, body)?;
            }
            StmtKind::EachRecord { fields, index, body, .. } => self.each_record(frame, stmt, fields, *index, body)?,
            StmtKind::Return(_) => return Err(Excess::ReturnInLoop(stmt.loc.clone())),
        }
        Ok(())
    }

    fn require(&mut self, frame: &mut Frame, condition: &Condition, message: &str, loc: &Loc) -> Result<(), Excess> {
        let place = self.place(loc);
        let (opcode, bound) = match condition {
            Condition::Holds(value) => {
                let value = self.item(frame, value)?;
                self.verify(value, message, loc, place);
                return Ok(());
            }
            Condition::TxHeightAtLeast(bound) | Condition::TxTimeAtLeast(bound) => (Opcode::CheckLockTimeVerify, bound),
            Condition::AgeAtLeast(bound) => (Opcode::CheckSequenceVerify, bound),
        };
        let value = self.item(frame, bound)?;
        let demanded = self.time_bound(frame, bound, value)?;
        let demands = match opcode {
            Opcode::CheckLockTimeVerify => &mut self.time.locktime,
            _ => &mut self.time.sequence,
        };
        if !demands.contains(&demanded) {
            demands.push(demanded);
        }
        let site = self.site(message, loc);
        self.effects.push(Effect::Lock { opcode, value, site, place });
        Ok(())
    }

    /// What a spender must put into the time field that a lock reads.
    fn time_bound(&mut self, frame: &mut Frame, bound: &hir::Expr, value: NodeId) -> Result<TimeBound, Excess> {
        if let Some(n) = self.graph.as_const(value).and_then(spec::num::decode) {
            return Ok(TimeBound::Int(n));
        }
        let source = match &bound.kind {
            hir::ExprKind::Builtin { builtin: hir::Builtin::AgeUnits, args } => match args.as_slice() {
                [seconds] => self.item(frame, seconds)?,
                _ => value,
            },
            _ => value,
        };
        Ok(match self.graph.kind(source) {
            NodeKind::Param(leaf) => self.holes.param_of(*leaf).map_or(TimeBound::Computed, TimeBound::Param),
            NodeKind::Arg(_) => {
                let arg = self.args.iter().position(|items| *items == [source]);
                arg.map_or(TimeBound::Computed, TimeBound::Arg)
            }
            NodeKind::Const(_) | NodeKind::Text(_) | NodeKind::Phi(_) | NodeKind::Op(..) => TimeBound::Computed,
        })
    }

    /// Demands a truth value; a conjunction becomes one check for each part, in order.
    fn verify(&mut self, value: NodeId, message: &str, loc: &Loc, place: PlaceId) {
        let mut todo = vec![value];
        while let Some(value) = todo.pop() {
            match self.graph.as_op(value) {
                Some((Operation::Op(Opcode::BoolAnd), [a, b])) => todo.extend([*b, *a]),
                _ if self.graph.as_const(value).is_some_and(spec::num::is_truthy) => {}
                _ => {
                    let site = self.site(message, loc);
                    self.effects.push(Effect::Verify { value, site: Some(site), place });
                    self.remember_length(value);
                }
            }
        }
    }
}

fn set(frame: &mut Frame, local: LocalId, value: Items) {
    if let Some(slot) = frame.locals.get_mut(local.index()) {
        *slot = Some(value);
    }
}

/// Whether the node is an argument as it came.
fn is_arg(graph: &Graph, id: NodeId) -> bool {
    matches!(graph.kind(id), NodeKind::Arg(_))
}
