//! Plans of contracts that have none of their own: one for each path.
//!
//! The contract's coin is input 0. A path that says of output 0, 1, .. which lock and value it has,
//! in terms that a wallet knows, has these outputs in its plan. Only what holds on every way through
//! the path counts: what stands inside a branch or a loop does not. All other outputs are the caller's.

use std::collections::BTreeMap;

use dashu_int::IBig;

use crate::hir::{
    ArgId, BinaryOp, Block, CoinFact, Condition, Contract, Expr, ExprKind, Fact, Function, Functions, Local, LocalId,
    Param, Plan, PlanArg, PlanChange, PlanCommitment, PlanFact, PlanInput, PlanLock, PlanOutput, PlanRead, PlanSource,
    PlanToken, SpendPath, StmtKind, Take, Type,
};

/// The most outputs that are derived.
const OUTPUTS_MAX: usize = 100;
/// Values that take more steps than this are the caller's.
const NODES_MAX: usize = 10_000;
/// Values that nest deeper than this are the caller's.
const DEPTH_MAX: usize = 100;
/// The most calls that are followed.
const CALLS_MAX: usize = 200;

/// A plan for each path of `contract`, in order.
pub fn default_plans(contract: &Contract, functions: &Functions) -> Vec<Plan> {
    contract.paths.iter().map(|path| plan(contract, path, functions)).collect()
}

fn plan(contract: &Contract, path: &SpendPath, functions: &Functions) -> Plan {
    let args: Vec<Param> = path.args.iter().filter(|arg| is_given(contract, arg)).cloned().collect();
    let mut values = Vec::with_capacity(path.args.len());
    for arg in &path.args {
        let before = values.iter().filter(|(_, value)| matches!(value, PlanArg::Value(_))).count();
        values.push((arg.name.clone(), argument(contract, arg, ArgId::new(before))));
    }
    let source = PlanSource::Path {
        contract: contract.name.clone(),
        params: None,
        path: path.name.clone(),
        args: values,
        take: Take::Only,
    };
    let coin = PlanInput { name: "coin".into(), source, accept: None, age: None, burn: false, loc: path.loc.clone() };
    let pins = Pins::of(path, functions);
    let mut reads =
        Reads { contract, path, frames: &pins.frames, given: args.len(), found: Vec::new(), nodes: 0, depth: 0 };
    let outputs = outputs(&pins, &mut reads, path);
    Plan {
        name: path.name.clone(),
        docs: path.docs.clone(),
        loc: path.loc.clone(),
        args,
        reads: reads.found,
        locals: Vec::new(),
        inputs: vec![coin],
        lets: Vec::new(),
        requires: Vec::new(),
        outputs,
        locktime: None,
        publish: Vec::new(),
        change: if pins.counted { PlanChange::None } else { PlanChange::Wallet },
    }
}

/// Whether the caller brings the argument. Padding is the wallet's, and the records of a contract's list are known
/// where it is deployed.
fn is_given(contract: &Contract, arg: &Param) -> bool {
    arg.ty != Type::Padding && !are_records(contract, arg)
}

/// Whether the argument holds the records of a list of the contract's parameters, or what its hash begins with.
fn are_records(contract: &Contract, arg: &Param) -> bool {
    let about = arg.name.strip_suffix(spec::artifact::ABOUT);
    let is_list = |param: &Param| param.name == about.unwrap_or(&arg.name) && matches!(param.ty, Type::List(_));
    (about.is_some() || matches!(arg.ty, Type::List(_))) && contract.params.iter().any(is_list)
}

/// Whether the argument is known before the transaction is signed.
fn is_value(contract: &Contract, arg: &Param) -> bool {
    is_given(contract, arg) && !matches!(arg.ty, Type::Sig | Type::Sigs(_) | Type::List(_))
}

fn argument(contract: &Contract, arg: &Param, id: ArgId) -> PlanArg {
    match &arg.ty {
        Type::Padding => PlanArg::Padding,
        _ if are_records(contract, arg) => PlanArg::Records,
        ty => PlanArg::Value(Expr { kind: ExprKind::Arg(id), ty: ty.clone(), loc: arg.loc.clone() }),
    }
}

/// A body that every way through the path runs: the path's own, or that of a function it calls.
struct Frame<'p> {
    /// The values of the variables that keep one.
    lets: BTreeMap<LocalId, &'p Expr>,
    /// For a function what it was called with, and the frame that says what that means.
    call: Option<(&'p [Expr], usize)>,
}

impl<'p> Frame<'p> {
    fn of(body: &'p Block, locals: &[Local], call: Option<(&'p [Expr], usize)>) -> Self {
        let kept = |local: &LocalId| locals.get(local.index()).is_some_and(|local| !local.mutable);
        let lets = body.stmts.iter().filter_map(|stmt| match &stmt.kind {
            StmtKind::Let { local, value } if kept(local) => Some((*local, value)),
            _ => None,
        });
        Self { lets: lets.collect(), call }
    }
}

/// An expression, and the frame that says what its names mean.
#[derive(Clone, Copy)]
struct Value<'p> {
    expr: &'p Expr,
    frame: usize,
    /// Whether it is exactly so, or at least so.
    exact: bool,
}

/// What a path demands of one output.
#[derive(Default)]
struct Pin<'p> {
    lock: Option<Value<'p>>,
    value: Option<Value<'p>>,
    category: Option<Value<'p>>,
    tokens: Option<Value<'p>>,
    commitment: Option<Value<'p>>,
}

/// What a path demands of its outputs on every way through it.
#[derive(Default)]
struct Pins<'p> {
    of: BTreeMap<usize, Pin<'p>>,
    /// Whether it demands their number.
    counted: bool,
    frames: Vec<Frame<'p>>,
}

impl<'p> Pins<'p> {
    fn of(path: &'p SpendPath, functions: &'p Functions) -> Self {
        let mut pins = Pins { frames: vec![Frame::of(&path.body, &path.locals, None)], ..Pins::default() };
        pins.body(&path.body, 0, functions);
        pins
    }

    fn body(&mut self, body: &'p Block, frame: usize, functions: &'p Functions) {
        for stmt in &body.stmts {
            match &stmt.kind {
                StmtKind::Require { condition: Condition::Holds(condition), .. } => self.condition(condition, frame),
                StmtKind::Call { function, args, .. } => {
                    if let Some(function) = functions.get(*function)
                        && self.frames.len() < CALLS_MAX
                    {
                        self.call(function, args, frame, functions);
                    }
                }
                // What follows an early end is not always demanded.
                StmtKind::Return(_) => return,
                StmtKind::If { .. } | StmtKind::Match { .. } if ends(stmt) => return,
                _ => {}
            }
        }
    }

    fn call(&mut self, function: &'p Function, args: &'p [Expr], frame: usize, functions: &'p Functions) {
        let inner = self.frames.len();
        self.frames.push(Frame::of(&function.body, &function.locals, Some((args, frame))));
        self.body(&function.body, inner, functions);
    }

    fn condition(&mut self, condition: &'p Expr, frame: usize) {
        let ExprKind::Binary { op, left, right } = &condition.kind else { return };
        let value = |expr, exact| Value { expr, frame, exact };
        match op {
            BinaryOp::Equal(_) => {
                self.add(left, value(right, true));
                self.add(right, value(left, true));
            }
            BinaryOp::GreaterEqual => self.add(left, value(right, false)),
            BinaryOp::LessEqual => self.add(right, value(left, false)),
            _ => {}
        }
    }

    fn add(&mut self, side: &'p Expr, value: Value<'p>) {
        let ExprKind::Introspect { fact, index } = &side.kind else { return };
        if *fact == Fact::OutputCount {
            self.counted |= value.exact;
            return;
        }
        let Some(index) = index.as_deref().and_then(position).filter(|index| *index < OUTPUTS_MAX) else { return };
        let pin = self.of.entry(index).or_default();
        let place = match fact {
            Fact::OutputLock if value.exact => &mut pin.lock,
            Fact::OutputValue => &mut pin.value,
            Fact::OutputCategory if value.exact => &mut pin.category,
            Fact::OutputTokens => &mut pin.tokens,
            Fact::OutputCommitment if value.exact => &mut pin.commitment,
            _ => return,
        };
        if place.is_none_or(|known| value.exact && !known.exact) {
            *place = Some(value);
        }
    }
}

/// Whether a function may end in the statement.
fn ends(stmt: &crate::hir::Stmt) -> bool {
    let mut ends = false;
    let mut inside = |stmt: &crate::hir::Stmt| ends |= matches!(stmt.kind, StmtKind::Return(_));
    for part in stmt.parts() {
        match part {
            crate::hir::Part::Block(block) => crate::walk::block(block, &mut |_| {}, &mut inside),
            crate::hir::Part::Expr(_) => {}
        }
    }
    ends
}

/// The number of an input or output; that of the contract's coin is 0 here.
fn position(index: &Expr) -> Option<usize> {
    match &index.kind {
        ExprKind::Int(n) => usize::try_from(n).ok(),
        ExprKind::Introspect { fact: Fact::InputIndex, .. } => Some(0),
        _ => None,
    }
}

fn outputs(pins: &Pins<'_>, reads: &mut Reads<'_>, path: &SpendPath) -> Vec<PlanOutput> {
    let mut made: Vec<PlanOutput> = Vec::new();
    for index in 0..OUTPUTS_MAX {
        let before = reads.found.len();
        let Some(output) = pins.of.get(&index).and_then(|pin| output(pin, reads, &made, path)) else {
            reads.found.truncate(before);
            break;
        };
        made.push(output);
    }
    made
}

fn output(pin: &Pin<'_>, reads: &mut Reads<'_>, made: &[PlanOutput], path: &SpendPath) -> Option<PlanOutput> {
    let lock = reads.value(pin.lock?, made)?;
    let value = reads.value(pin.value?, made)?;
    let mut known = |value: Option<Value<'_>>| match value {
        Some(value) => reads.value(value, made).map(Some),
        None => Some(None),
    };
    let (category, amount, commitment) = (known(pin.category)?, known(pin.tokens)?, known(pin.commitment)?);
    let none = |category: &Expr| matches!(&category.kind, ExprKind::Bytes(bytes) if bytes.is_empty());
    let token = category.filter(|category| !none(category)).map(|category| {
        let commitment = commitment.map_or(PlanCommitment::Empty, PlanCommitment::Bytes);
        Box::new(PlanToken { category, capability: None, amount, commitment })
    });
    Some(PlanOutput { each: None, lock: PlanLock::Lock(lock), value: Some(value), token, loc: path.loc.clone() })
}

/// Turns what a script computes into what a wallet computes.
struct Reads<'p> {
    contract: &'p Contract,
    path: &'p SpendPath,
    frames: &'p [Frame<'p>],
    given: usize,
    found: Vec<PlanRead>,
    nodes: usize,
    depth: usize,
}

impl Reads<'_> {
    fn value(&mut self, value: Value<'_>, made: &[PlanOutput]) -> Option<Expr> {
        self.translate(value.expr, value.frame, made)
    }

    /// The expression in terms of the plan; `made` are the outputs before it. `None` if it reads what is not
    /// known before the transaction is built.
    fn translate(&mut self, expr: &Expr, frame: usize, made: &[PlanOutput]) -> Option<Expr> {
        self.nodes += 1;
        self.depth += 1;
        let fits = self.nodes <= NODES_MAX && self.depth <= DEPTH_MAX;
        let translated = if fits { self.step(expr, frame, made) } else { None };
        self.depth -= 1;
        translated
    }

    fn step(&mut self, expr: &Expr, frame: usize, made: &[PlanOutput]) -> Option<Expr> {
        let kind = match &expr.kind {
            ExprKind::Int(_) | ExprKind::Bool(_) | ExprKind::Bytes(_) => return Some(expr.clone()),
            ExprKind::Param(id) => return Some(self.read(CoinFact::Param(*id), expr)),
            ExprKind::Arg(id) => match self.frames.get(frame)?.call {
                Some((args, caller)) => return self.translate(args.get(id.index())?, caller, made),
                None => ExprKind::Arg(self.argument(*id)?),
            },
            ExprKind::Local(id) => {
                let value = *self.frames.get(frame)?.lets.get(id)?;
                return self.translate(value, frame, made);
            }
            ExprKind::Introspect { fact, index } => return self.fact(*fact, index.as_deref(), expr, made),
            ExprKind::Call { function, type_args, args } => {
                let args = self.all(args, frame, made)?;
                ExprKind::Call { function: *function, type_args: type_args.clone(), args }
            }
            ExprKind::Unary { op, operand } => {
                ExprKind::Unary { op: *op, operand: Box::new(self.translate(operand, frame, made)?) }
            }
            ExprKind::Binary { op, left, right } => {
                let (left, right) = (self.translate(left, frame, made)?, self.translate(right, frame, made)?);
                ExprKind::Binary { op: *op, left: Box::new(left), right: Box::new(right) }
            }
            ExprKind::If { condition, then, otherwise } => ExprKind::If {
                condition: Box::new(self.translate(condition, frame, made)?),
                then: self.block(then, frame, made)?,
                otherwise: self.block(otherwise, frame, made)?,
            },
            ExprKind::Builtin { builtin, args } => {
                ExprKind::Builtin { builtin: *builtin, args: self.all(args, frame, made)? }
            }
            ExprKind::Tuple(parts) => ExprKind::Tuple(self.all(parts, frame, made)?),
            ExprKind::Element { base, index } => {
                ExprKind::Element { base: Box::new(self.translate(base, frame, made)?), index: *index }
            }
            ExprKind::Index { base, index } => {
                let (base, index) = (self.translate(base, frame, made)?, self.translate(index, frame, made)?);
                ExprKind::Index { base: Box::new(base), index: Box::new(index) }
            }
            ExprKind::Variant { variant, fields } => {
                ExprKind::Variant { variant: *variant, fields: self.all(fields, frame, made)? }
            }
            _ => return None,
        };
        Some(Expr { kind, ty: expr.ty.clone(), loc: expr.loc.clone() })
    }

    fn all(&mut self, exprs: &[Expr], frame: usize, made: &[PlanOutput]) -> Option<Vec<Expr>> {
        exprs.iter().map(|expr| self.translate(expr, frame, made)).collect()
    }

    /// A block that is nothing but a value.
    fn block(&mut self, block: &Block, frame: usize, made: &[PlanOutput]) -> Option<Block> {
        let value = block.value.as_deref().filter(|_| block.stmts.is_empty())?;
        Some(Block { stmts: Vec::new(), value: Some(Box::new(self.translate(value, frame, made)?)) })
    }

    /// The plan's argument for an argument of the path.
    fn argument(&self, id: ArgId) -> Option<ArgId> {
        let arg = self.path.args.get(id.index())?;
        let before = self.path.args.iter().take(id.index()).filter(|arg| is_given(self.contract, arg)).count();
        is_value(self.contract, arg).then(|| ArgId::new(before))
    }

    fn read(&mut self, fact: CoinFact, expr: &Expr) -> Expr {
        let read = PlanRead { what: PlanFact::Coin(0, fact), ty: expr.ty.clone() };
        let at = self.found.iter().position(|found| *found == read).unwrap_or_else(|| {
            self.found.push(read);
            self.found.len() - 1
        });
        let kind = ExprKind::Arg(ArgId::new(self.given + at));
        Expr { kind, ty: expr.ty.clone(), loc: expr.loc.clone() }
    }

    fn fact(&mut self, fact: Fact, index: Option<&Expr>, expr: &Expr, made: &[PlanOutput]) -> Option<Expr> {
        if fact == Fact::InputIndex {
            return Some(Expr { kind: ExprKind::Int(IBig::ZERO), ty: expr.ty.clone(), loc: expr.loc.clone() });
        }
        let index = position(index?)?;
        let of_coin = match fact {
            Fact::InputValue => CoinFact::Value,
            Fact::InputLock => CoinFact::Lock,
            Fact::InputTxid => CoinFact::Txid,
            Fact::InputOutpointIndex => CoinFact::Index,
            Fact::InputCategory => CoinFact::Category,
            Fact::InputCommitment => CoinFact::Commitment,
            Fact::InputTokens => CoinFact::Tokens,
            _ => return of_output(fact, made.get(index)?),
        };
        (index == 0).then(|| self.read(of_coin, expr))
    }
}

/// What an output that was made says of itself.
fn of_output(fact: Fact, output: &PlanOutput) -> Option<Expr> {
    match (fact, &output.lock) {
        (Fact::OutputLock, PlanLock::Lock(lock)) => Some(lock.clone()),
        (Fact::OutputValue, _) => output.value.clone(),
        _ => None,
    }
}
