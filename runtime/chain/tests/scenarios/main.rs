//! The chain at work on a devnet: blocks, branches and waiting transactions.

mod blocks;
mod waiting;
mod world;
