//! Benchmarks that print ratios measured in one run; each is a program under `benches/`.
//! It holds nothing that the product uses.

mod keyed;
mod table;

pub use keyed::{Kind, SATS_EACH, lock_of, pass_on, public_key, sign, signed, spend, unlock, unsigned};
pub use table::Table;
