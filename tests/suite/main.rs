//! What takes several crates to check, in one binary.

mod bmc;
mod cli;
mod independent;
mod readme;
