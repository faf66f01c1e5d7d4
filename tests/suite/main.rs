//! What takes several crates to check, in one binary.

mod bmc;
mod cli;
mod conformance;
mod independent;
mod readme;
