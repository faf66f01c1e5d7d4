//! What a block assigns and reads, without lowering it.

use analysis::hir::{Block, Expr, ExprKind, LocalId, Part, Stmt, StmtKind};

/// What stands in a block, inner blocks included.
#[derive(Default)]
pub(super) struct Mentions {
    /// The variables that an assignment names.
    pub(super) assigned: Vec<LocalId>,
    /// The variables that an expression reads.
    pub(super) read: Vec<LocalId>,
    pub(super) returns: bool,
}

impl Mentions {
    pub(super) fn of(block: &Block) -> Self {
        let mut found = Self::default();
        found.block(block);
        found
    }

    pub(super) fn of_stmt(stmt: &Stmt) -> Self {
        let mut found = Self::default();
        found.stmt(stmt);
        found
    }

    fn block(&mut self, block: &Block) {
        block.stmts.iter().for_each(|stmt| self.stmt(stmt));
        block.value.iter().for_each(|value| self.expr(value));
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Assign { local, place, .. } => {
                self.assigned.push(*local);
                // The other parts stay as they are.
                if !place.is_empty() {
                    self.read.push(*local);
                }
            }
            StmtKind::Return(_) => self.returns = true,
            _ => {}
        }
        self.parts(stmt.parts());
    }

    fn expr(&mut self, expr: &Expr) {
        if let ExprKind::Local(local) = expr.kind {
            self.read.push(local);
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
