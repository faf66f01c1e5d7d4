//! The chain at work on a devnet: blocks, branches and waiting transactions.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "every file here is a test")]

mod blocks;
mod crowd;
mod headers;
mod parallel;
mod signed;
mod waiting;
mod world;
