//! What code comes from beside the thing that it is made of: the functions that are called, and the sources that
//! statements stand in.

use std::collections::BTreeSet;

use analysis::hir::{Block, FunctionId, Functions, Part};
use syntax::{FileId, Loc};

/// Those of `functions` that are wanted, and what these call, directly or through others.
pub fn functions(wanted: impl IntoIterator<Item = FunctionId>, functions: &Functions) -> Functions {
    let mut found = Functions::default();
    analysis::gather(&mut found, wanted, |id| functions.shared(id));
    found
}

/// The sources that blocks come from: what a declaration of another source becomes stands there.
pub fn files<'t>(blocks: impl IntoIterator<Item = &'t Block>) -> BTreeSet<FileId> {
    let mut found = BTreeSet::new();
    for block in blocks {
        visit(Part::Block(block), &mut |loc| {
            found.insert(loc.file);
        });
    }
    found
}

/// Visits the place of each statement and expression.
fn visit(part: Part<'_>, seen: &mut dyn FnMut(&Loc)) {
    match part {
        Part::Expr(expr) => {
            seen(&expr.loc);
            expr.parts().into_iter().for_each(|part| visit(part, seen));
        }
        Part::Block(block) => {
            for stmt in &block.stmts {
                seen(&stmt.loc);
                stmt.parts().into_iter().for_each(|part| visit(part, seen));
            }
            block.value.iter().for_each(|value| visit(Part::Expr(value), seen));
        }
    }
}
