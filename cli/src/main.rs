//! The `bmc` binary.
fn main() {}
