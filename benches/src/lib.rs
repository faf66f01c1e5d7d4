//! Benchmarks that print ratios measured in one run; each is a program under `benches/`.
//! It holds nothing that the product uses.

mod keyed;

pub use keyed::{Kind, SATS_EACH, lock_of, public_key, sign, spend, unlock, unsigned};
