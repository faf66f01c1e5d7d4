//! What takes several crates to check, in one binary.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "every file here is a test"
)]

mod adjust;
mod adjust_attacks;
mod artifact;
mod bindgen;
mod bmc;
mod book;
mod boundaries;
mod budgets;
mod cli;
mod conformance;
mod contracts;
mod covenants;
mod dap;
mod debug;
mod decompile;
mod diagnostics;
mod dispatch;
mod doc;
mod editors;
mod flows;
mod fmt;
mod gates;
mod imi;
mod imo;
mod imo_adoption;
mod imo_boundaries;
mod imo_usage;
mod independent;
mod inspect;
mod judges;
mod levels;
mod lint;
mod lsp;
mod lsp_chaos;
mod lsp_cost;
mod machine;
mod names;
mod packages;
mod parity;
mod passes;
mod programs;
mod proofs;
mod random_rewards;
mod readme;
mod repl;
mod reward;
mod reward_attacks;
mod reward_graph;
mod rival;
mod run;
mod seeded;
mod sizes;
mod splitter;
mod stdlib;
mod stories;
#[path = "../../cli/tests/support/mod.rs"]
mod support;
mod templates;
mod testing;
mod transcripts;
mod verify;
mod weights;
mod workbench;
