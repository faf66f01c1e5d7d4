//! `wallet`.
