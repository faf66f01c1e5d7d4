//! Turns a typed contract into bytecode: value graph, stack schedule, script with holes, source map, cost bounds.
//! It knows no source text, no files and no virtual machine.
//!
//! ```text
//! hir::SpendPath ── lower ──► mir::Path ── arrange, schedule ──► code ── dispatch ──► Generated
//! ```

mod code;
mod lengths;
mod number;

mod fold;
mod mir;
mod prune;

mod forms;
mod lower;

mod arrange;
mod demand;
mod peephole;
mod schedule;

mod cost;
mod dispatch;

mod plan;

mod generate;

pub use generate::{Check, Generated, Options, Origin, generate};
