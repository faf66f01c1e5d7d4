//! Turns a typed contract into bytecode: value graph, stack schedule, script with holes, source map, cost bounds.
//! It can show that a short script does what the direct one does. It knows no source text, no files and no virtual machine.
//!
//! ```text
//! hir::SpendPath ── lower ──► mir::Path ── arrange, schedule ──► code ── dispatch ──► Generated
//! ```

mod code;
mod facts;
mod holes;
mod lengths;
mod number;
mod numbering;

mod fold;
mod mir;
mod prune;
mod range;

mod forms;
mod lower;
mod shared;

mod arrange;
mod demand;
mod fewer;
mod hashed;
mod interrupt;
mod marks;
mod peephole;
mod progress;
mod reorder;
mod schedule;
mod shuffle;
mod weigh;

mod join;

mod budget;
mod cost;
mod dispatch;

mod plan;

mod script;
mod tell;
mod validate;

mod generate;
mod passes;
mod template;

pub use generate::{Check, Costs, Function, Generated, Options, Origin, Route, Unproved, costs, generate, weighed};
pub use interrupt::unless_stopped;
pub use passes::{Pass, passes};
pub use progress::progress;
pub use template::{Carried, Placed, StepKind, Test, TestParam, TestStep, Try, contracts_of, template, test};
