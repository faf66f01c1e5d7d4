//! Turns trees into typed programs: names, types, units, share arithmetic and its proofs, covenant lints.
//! It knows no bytecode layout, no query framework, no files and no screen.

pub mod hir;
