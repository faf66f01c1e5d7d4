//! From bytecode to text in the contract language: the stack is followed with symbols instead of values, and what happens to them is written as expressions and `require`s.
//!
//! Knows no parser, no compiler and no machine: whether the text compiles, and to what, others say.

mod ends;
mod exec;
mod graph;
mod names;
mod structure;
mod write;

pub use write::{Decompiled, Stop, Way, decompile};
