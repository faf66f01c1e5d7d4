//! Turns trees into typed programs: names, types, units, share arithmetic and its proofs, covenant lints.
//! It knows no bytecode layout, no query framework, no files and no screen.
//!
//! [`analyse`] does all of it for one file. Who caches calls [`signatures()`], [`Signatures::seen_from`], [`check_item`] and
//! [`assemble`] instead: an edit inside a body changes what one `check_item` gives, and nothing else; an edit of a
//! signature changes what the items see that mention it.

pub mod hir;

mod body;
mod budget;
mod contracts;
mod declared;
mod domain;
mod eval;
mod exhaust;
mod given;
mod imports;
mod item;
mod layout;
mod lint;
mod list;
mod moment;
mod number;
mod outline;
mod plan;
mod program;
mod report;
mod seen;
mod signatures;
mod suggest;
mod test;
mod types;
mod walk;

pub use body::builtins;
pub use domain::{GeneratedItem, REWARD_SETTINGS, expand, generated, snake};
pub use given::{AsmFault, asm_effect};
pub use imports::{
    Digests, Leaf, ModulePath, ModuleProblem, Modules, STD, imported_items, imports, leaves, unused_imports,
    weights_files,
};
pub use item::{CheckedItem, check_item, types_in};
pub use outline::outline;
pub use plan::default_plans;
pub use program::{
    Analysis, ItemCalls, SourceItem, analyse, are_understood, assemble, callees, callees_of_value, covenants, gather,
    problems_of_whole, source_items,
};
pub use signatures::{Interface, Signatures, signatures, signatures_with};

use syntax::ast::Doc;

/// The Markdown of documentation lines.
fn docs(lines: &[Doc]) -> String {
    lines.iter().map(|line| &*line.text).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
