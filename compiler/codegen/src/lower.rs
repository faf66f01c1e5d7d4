//! From the typed program to the middle form: one path at a time, with every function inlined.
//!
//! Variables become values: an assignment in a branch makes a phi where the branches meet again.

mod expr;
mod pins;

use analysis::hir::{self, Condition, LocalId, StmtKind};
use spec::Opcode;
use spec::artifact::{TimeBound, TimeNeeds};
use syntax::Loc;

use crate::code::{PlaceId, Places, SiteId};
use crate::mir::{Block, Choice, Effect, Graph, NodeId, NodeKind, Operation, Path, Phi};

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
    pub(crate) sites: Vec<Site>,
}

/// Why a path has no middle form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Excess {
    /// More than [`STEPS_MAX`] steps.
    Steps,
    /// More than [`LEVELS_MAX`] levels.
    Levels,
    /// A form that is not generated.
    Missing,
}

/// A path in its middle form, with the time fields it reads.
#[derive(Debug)]
pub(crate) struct Lowered {
    pub(crate) path: Path,
    pub(crate) time: TimeNeeds,
}

/// Lowers one path.
pub(crate) fn lower(
    contract: &hir::Contract,
    path: &hir::SpendPath,
    functions: &hir::Functions,
    notes: &mut Notes,
) -> Result<Lowered, Excess> {
    let graph = Graph::new(contract.params.iter().map(|param| push_weight(&param.ty)).collect());
    let mut lowering = Lowering {
        functions,
        notes,
        graph,
        arg_items: Vec::new(),
        effects: Vec::new(),
        time: TimeNeeds::default(),
        steps: 0,
        levels: 0,
    };
    let mut frame = lowering.enter(path);
    lowering.block(&mut frame, &path.body)?;
    lowering.pin_args(path, &frame);
    let mut lowered =
        Path { graph: lowering.graph, body: Block { effects: lowering.effects }, arg_items: lowering.arg_items };
    lowered.prune();
    Ok(Lowered { path: lowered, time: lowering.time })
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

/// The values of arguments and variables in one body.
struct Frame {
    /// The items of each argument; one, except for the signatures of a multisig.
    args: Vec<Vec<NodeId>>,
    locals: Vec<Option<NodeId>>,
}

struct Lowering<'a> {
    functions: &'a hir::Functions,
    notes: &'a mut Notes,
    graph: Graph,
    /// How many items each argument of the path takes.
    arg_items: Vec<usize>,
    /// Of the block that is being lowered.
    effects: Vec<Effect>,
    time: TimeNeeds,
    steps: u32,
    levels: u32,
}

/// A block's effects, its value and the variables at its end.
struct Branch {
    block: Block,
    value: Option<NodeId>,
    locals: Vec<Option<NodeId>>,
}

impl Lowering<'_> {
    fn enter(&mut self, path: &hir::SpendPath) -> Frame {
        let mut next = 0;
        let mut args = Vec::with_capacity(path.args.len());
        for arg in &path.args {
            let place = self.notes.places.add(&arg.loc);
            let count = item_count(&arg.ty);
            args.push((next..next + count).map(|item| self.graph.arg(item, place)).collect());
            next += count;
        }
        self.arg_items = path.args.iter().map(|arg| item_count(&arg.ty)).collect();
        Frame { args, locals: vec![None; path.locals.len()] }
    }

    fn place(&mut self, loc: &Loc) -> PlaceId {
        self.notes.places.add(loc)
    }

    fn site(&mut self, message: &str, loc: &Loc) -> SiteId {
        self.notes.sites.push(Site { message: message.to_owned(), loc: loc.clone() });
        SiteId(u32::try_from(self.notes.sites.len() - 1).unwrap_or(u32::MAX))
    }

    /// Counts a step and goes one level down; [`Lowering::leave`] comes back.
    fn descend(&mut self) -> Result<(), Excess> {
        self.steps += 1;
        self.levels += 1;
        if self.levels > LEVELS_MAX {
            return Err(Excess::Levels);
        }
        if self.steps > STEPS_MAX { Err(Excess::Steps) } else { Ok(()) }
    }

    fn leave(&mut self) {
        self.levels -= 1;
    }

    fn block(&mut self, frame: &mut Frame, block: &hir::Block) -> Result<Option<NodeId>, Excess> {
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
        self.steps += 1;
        match &stmt.kind {
            StmtKind::Let { local, value } => {
                let value = self.expr(frame, value)?;
                set(frame, *local, value);
            }
            StmtKind::Assign { local, place, value } if place.is_empty() => {
                let value = self.expr(frame, value)?;
                set(frame, *local, value);
            }
            StmtKind::Require { condition, message } => self.require(frame, condition, message, &stmt.loc)?,
            StmtKind::If { condition, then, otherwise } => {
                self.choose(frame, condition, then, otherwise, &stmt.loc)?;
            }
            StmtKind::Call { function, args, .. } => {
                self.call(frame, *function, args)?;
            }
            StmtKind::Assign { .. }
            | StmtKind::Match { .. }
            | StmtKind::Check(_)
            | StmtKind::For { .. }
            | StmtKind::While { .. }
            | StmtKind::EachRecord { .. }
            | StmtKind::Return(_) => return Err(Excess::Missing),
        }
        Ok(())
    }

    fn require(&mut self, frame: &mut Frame, condition: &Condition, message: &str, loc: &Loc) -> Result<(), Excess> {
        let place = self.place(loc);
        let (opcode, bound) = match condition {
            Condition::Holds(value) => {
                let value = self.expr(frame, value)?;
                self.verify(value, message, loc, place);
                return Ok(());
            }
            Condition::TxHeightAtLeast(bound) | Condition::TxTimeAtLeast(bound) => (Opcode::CheckLockTimeVerify, bound),
            Condition::AgeAtLeast(bound) => (Opcode::CheckSequenceVerify, bound),
        };
        let value = self.expr(frame, bound)?;
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
                [seconds] => self.expr(frame, seconds)?,
                _ => value,
            },
            _ => value,
        };
        Ok(match self.graph.kind(source) {
            NodeKind::Param(index) => TimeBound::Param(*index),
            NodeKind::Arg(item) => self.arg_of_item(*item).map_or(TimeBound::Computed, TimeBound::Arg),
            NodeKind::Const(_) | NodeKind::Phi(_) | NodeKind::Op(..) => TimeBound::Computed,
        })
    }

    /// The argument whose only item is the one with this index.
    fn arg_of_item(&self, item: usize) -> Option<usize> {
        let mut next = 0;
        self.arg_items.iter().position(|count| {
            let here = next == item && *count == 1;
            next += count;
            here
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
                    self.effects.push(Effect::Verify { value, site, place });
                }
            }
        }
    }

    /// Lowers a conditional; gives the value of the block taken, if blocks have one.
    fn choose(
        &mut self,
        frame: &mut Frame,
        condition: &hir::Expr,
        then: &hir::Block,
        otherwise: &hir::Block,
        loc: &Loc,
    ) -> Result<Option<NodeId>, Excess> {
        let condition = self.expr(frame, condition)?;
        if let Some(data) = self.graph.as_const(condition) {
            let taken = if spec::num::is_truthy(data) { then } else { otherwise };
            return self.block(frame, taken);
        }
        let place = self.place(loc);
        let then = self.branch(frame, then)?;
        let otherwise = self.branch(frame, otherwise)?;
        let mut phis = Vec::new();
        let value = match (then.value, otherwise.value) {
            (Some(a), Some(b)) => Some(self.meet(&mut phis, a, b, place)),
            _ => None,
        };
        let pairs = then.locals.iter().zip(&otherwise.locals);
        for (local, (a, b)) in frame.locals.iter_mut().zip(pairs) {
            if let (Some(_), Some(a), Some(b)) = (&local, a, b) {
                *local = Some(self.meet(&mut phis, *a, *b, place));
            }
        }
        let choice = Choice { condition, place, then: then.block, otherwise: otherwise.block, phis };
        self.effects.push(Effect::Choose(Box::new(choice)));
        Ok(value)
    }

    fn branch(&mut self, frame: &mut Frame, block: &hir::Block) -> Result<Branch, Excess> {
        let before = frame.locals.clone();
        let outer = std::mem::take(&mut self.effects);
        let value = self.block(frame, block)?;
        let effects = std::mem::replace(&mut self.effects, outer);
        let locals = std::mem::replace(&mut frame.locals, before);
        Ok(Branch { block: Block { effects }, value, locals })
    }

    fn meet(&mut self, phis: &mut Vec<Phi>, then: NodeId, otherwise: NodeId, place: PlaceId) -> NodeId {
        if then == otherwise {
            return then;
        }
        if let Some(phi) = phis.iter().find(|phi| phi.then == then && phi.otherwise == otherwise) {
            return phi.result;
        }
        let result = self.graph.phi(place);
        phis.push(Phi { result, then, otherwise });
        result
    }

    /// Inlines a call; gives the value of the body, if it has one.
    fn call(
        &mut self,
        frame: &mut Frame,
        function: hir::FunctionId,
        args: &[hir::Expr],
    ) -> Result<Option<NodeId>, Excess> {
        let functions = self.functions;
        let function = functions.get(function).expect("analysis resolved the call");
        let mut inner = Frame { args: Vec::with_capacity(args.len()), locals: vec![None; function.locals.len()] };
        for arg in args {
            let items = self.items(frame, arg)?;
            inner.args.push(items);
        }
        self.block(&mut inner, &function.body)
    }

    /// The items of an argument: one, except where the signatures of a multisig are passed on.
    fn items(&mut self, frame: &mut Frame, arg: &hir::Expr) -> Result<Vec<NodeId>, Excess> {
        match (&arg.kind, &arg.ty) {
            (hir::ExprKind::Arg(id), hir::Type::Sigs(_)) => Ok(frame.args.get(id.index()).cloned().unwrap_or_default()),
            _ => Ok(vec![self.expr(frame, arg)?]),
        }
    }
}

/// How many stack items an argument takes.
fn item_count(ty: &hir::Type) -> usize {
    match ty {
        hir::Type::Sigs(count) => *count as usize + 1,
        _ => 1,
    }
}

fn set(frame: &mut Frame, local: LocalId, value: NodeId) {
    if let Some(slot) = frame.locals.get_mut(local.index()) {
        *slot = Some(value);
    }
}

/// Whether the node is an argument as it came.
fn is_arg(graph: &Graph, id: NodeId) -> bool {
    matches!(graph.kind(id), NodeKind::Arg(_))
}
