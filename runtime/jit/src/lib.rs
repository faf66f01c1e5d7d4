//! Compiles BVM bytecode to machine code, with the verdicts of the interpreter.
//! It will know no transactions beyond what the interpreter sees, and be the only crate with `unsafe`.
