//! Functions that all their calls share: defined once by `OP_DEFINE`, run by `OP_INVOKE`.
//!
//! A body finds its arguments on the stack and leaves its results there. Parameters of the contract
//! that it reads are arguments too: a hole cannot stand in the push of a body, because its length
//! would change that of the push.
//!
//! What covers its own code cannot be shared: signatures and `self.code` see the body instead of the
//! script. Time locks stay with their path, which says what they demand of the transaction.

use analysis::hir::{Block, Condition, Expr, ExprKind, Fact, FunctionId, Functions, Part, Stmt, StmtKind, Type};
use spec::Opcode;
use spec::script::instructions;
use syntax::Loc;

use crate::code::Code;

/// At most so many functions are shared: each is named by an opcode of its own.
pub(crate) const SHARED_MAX: usize = 17;

/// A function with the types that its type parameters stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instance {
    pub(crate) function: FunctionId,
    pub(crate) types: Vec<Type>,
}

/// How often functions were copied that could be shared, in the order in which they were met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls {
    pub(crate) counts: Vec<(Instance, usize)>,
}

impl Calls {
    pub(crate) fn count(&mut self, instance: Instance) {
        match self.counts.iter_mut().find(|(known, _)| *known == instance) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((instance, 1)),
        }
    }
}

/// The code of a shared function.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) name: String,
    pub(crate) loc: Loc,
    pub(crate) code: Code,
    /// The texts whose hashes stand there in their place.
    pub(crate) preimages: Vec<Vec<u8>>,
    /// Which of the items that a call gives lie where, bottom first.
    pub(crate) order: Vec<usize>,
    /// The leaves of the contract's parameters that a call gives after the function's own arguments.
    pub(crate) leaves: Vec<usize>,
    /// Whether it does nothing but give one value.
    pub(crate) is_value: bool,
    /// Whether it may fail a spend.
    pub(crate) may_fail: bool,
    /// The most items that lie on the stack while it runs, its arguments included.
    pub(crate) depth_max: usize,
    /// How much it adds to the script.
    pub(crate) score: usize,
}

/// The functions that are shared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared {
    entries: Vec<(Instance, Option<Body>)>,
}

impl Shared {
    pub(crate) fn add(&mut self, instance: Instance) {
        self.entries.push((instance, None));
    }

    /// The same without one function, and without any code.
    pub(crate) fn without(&self, index: usize) -> Self {
        let mut shared = self.clone();
        shared.entries.remove(index);
        shared.clear_bodies();
        shared
    }

    pub(crate) fn position(&self, function: FunctionId, types: &[Type]) -> Option<usize> {
        self.entries.iter().position(|(known, _)| known.function == function && known.types == types)
    }

    pub(crate) fn instance(&self, index: usize) -> Option<&Instance> {
        self.entries.get(index).map(|(instance, _)| instance)
    }

    pub(crate) fn body(&self, index: usize) -> Option<&Body> {
        self.entries.get(index).and_then(|(_, body)| body.as_ref())
    }

    pub(crate) fn put(&mut self, index: usize, body: Body) {
        if let Some((_, slot)) = self.entries.get_mut(index) {
            *slot = Some(body);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The bodies in the order of their numbers.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = &Body> {
        self.entries.iter().filter_map(|(_, body)| body.as_ref())
    }

    /// The instructions of each body, for those who weigh calls.
    pub(crate) fn lens(&self) -> Vec<usize> {
        self.entries.iter().map(|(_, body)| body.as_ref().map_or(0, |body| body.code.len())).collect()
    }

    /// Forgets all code, so that it is made again.
    pub(crate) fn clear_bodies(&mut self) {
        self.entries.iter_mut().for_each(|(_, body)| *body = None);
    }
}

/// Whether calls of the function may share its body.
pub(crate) fn can_be_shared(id: FunctionId, functions: &Functions) -> bool {
    let mut seen = Vec::new();
    let mut todo = vec![id];
    while let Some(id) = todo.pop() {
        if seen.contains(&id) {
            continue;
        }
        seen.push(id);
        let Some(function) = functions.get(id) else { return false };
        let takes_many = function.params.iter().any(|param| matches!(param.ty, Type::Sigs(_)));
        let mut look = Look { bound: takes_many, calls: &mut todo };
        look.block(&function.body);
        if look.bound {
            return false;
        }
    }
    true
}

/// Looks for what binds a body to the script it stands in, and for calls.
struct Look<'t> {
    bound: bool,
    calls: &'t mut Vec<FunctionId>,
}

impl Look<'_> {
    fn block(&mut self, block: &Block) {
        block.stmts.iter().for_each(|stmt| self.stmt(stmt));
        block.value.iter().for_each(|value| self.expr(value));
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Require { condition, .. } => self.bound |= !matches!(condition, Condition::Holds(_)),
            StmtKind::EachRecord { .. } => self.bound = true,
            StmtKind::Call { function, .. } => self.calls.push(*function),
            _ => {}
        }
        self.parts(stmt.parts());
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Signed { .. } | ExprKind::Threshold { .. } => self.bound = true,
            ExprKind::Introspect { fact: Fact::ActiveBytecode, .. } => self.bound = true,
            ExprKind::Asm { code, .. } => self.bound |= covers_code(code),
            ExprKind::Call { function, .. } => self.calls.push(*function),
            _ => {}
        }
        self.parts(expr.parts());
    }

    fn parts(&mut self, parts: Vec<Part<'_>>) {
        for part in parts {
            match part {
                Part::Expr(expr) => self.expr(expr),
                Part::Block(block) => self.block(block),
            }
        }
    }
}

/// Whether given instructions look at the code they stand in, or lock by time.
fn covers_code(code: &[u8]) -> bool {
    let covers = |opcode| {
        matches!(
            opcode,
            Opcode::CheckSig
                | Opcode::CheckSigVerify
                | Opcode::CheckMultiSig
                | Opcode::CheckMultiSigVerify
                | Opcode::ActiveBytecode
        )
    };
    instructions(code).any(|step| step.is_ok_and(|step| step.data.is_none() && step.opcode().is_some_and(covers)))
}
