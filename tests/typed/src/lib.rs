//! Typed programs without any text: written by hand, or drawn at random with a direct evaluation of what they mean; and
//! spends of their coins on the real machine. It knows no source, no parser and no chain.
//!
//! [`Trial`] compiles a random program at every level and holds all scripts against the evaluation. The tests of code
//! generation and `cargo xtask fuzz programs` both use it.

mod hir;
mod spend;

mod draw;
mod evaluate;
mod program;
mod sample;
mod trial;

pub use hir::{
    arg, binary, builtin, bytes, contract, equal, expr, fact, int, loc, local, param, path, require, stmt, truth, unary,
};
pub use sample::{Sample, accepts};
pub use spend::{Signer, Spend, artifact, compile, item, named, public_key};
pub use trial::{Counts, Trial};
