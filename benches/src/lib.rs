//! Benchmarks that print ratios measured in one run; each is a program under `benches/`.
//! It holds nothing that the product uses.
