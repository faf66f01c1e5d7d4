//! Hubs over real chains, in a network that is only memory: deterministic, so every failure repeats.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "every file here is a test")]

mod frames;
mod hostile;
mod ledger;
mod sync;
mod world;
