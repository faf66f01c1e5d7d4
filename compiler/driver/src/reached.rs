//! What code comes from beside the thing that it is made of: the functions that are called, and the sources that
//! statements stand in.

use std::collections::BTreeSet;

use analysis::hir::{Block, Expr, ExprKind, FunctionId, Functions, Part, StmtKind};
use syntax::{FileId, Loc};

/// Those of `functions` that expressions call, directly or through others.
pub fn functions<'t>(exprs: impl IntoIterator<Item = &'t Expr>, functions: &Functions) -> Functions {
    let mut todo = Vec::new();
    for expr in exprs {
        visit(Part::Expr(expr), &mut |_, called| todo.extend(called));
    }
    let mut found = Functions::default();
    while let Some(id) = todo.pop() {
        if found.get(id).is_none()
            && let Some(function) = functions.shared(id)
        {
            todo.extend(analysis::callees(&function.body));
            found.insert(id, function);
        }
    }
    found
}

/// The sources that blocks come from: what a declaration of another source becomes stands there.
pub fn files<'t>(blocks: impl IntoIterator<Item = &'t Block>) -> BTreeSet<FileId> {
    let mut found = BTreeSet::new();
    for block in blocks {
        visit(Part::Block(block), &mut |loc, _| {
            found.insert(loc.file);
        });
    }
    found
}

/// Visits the place of each statement and expression, and what it calls.
fn visit(part: Part<'_>, seen: &mut dyn FnMut(&Loc, Option<FunctionId>)) {
    match part {
        Part::Expr(expr) => {
            let called = if let ExprKind::Call { function, .. } = expr.kind { Some(function) } else { None };
            seen(&expr.loc, called);
            expr.parts().into_iter().for_each(|part| visit(part, seen));
        }
        Part::Block(block) => {
            for stmt in &block.stmts {
                let called = if let StmtKind::Call { function, .. } = stmt.kind { Some(function) } else { None };
                seen(&stmt.loc, called);
                stmt.parts().into_iter().for_each(|part| visit(part, seen));
            }
            block.value.iter().for_each(|value| visit(Part::Expr(value), seen));
        }
    }
}
