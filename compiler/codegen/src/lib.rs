//! `codegen`.
