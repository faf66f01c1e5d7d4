//! Bytes that only buy operation budget: how many an input needs.

use spec::artifact::AbiValue;
use vm::Metrics;

use crate::contract::Arg;

/// Bytes of padding with which every path that fits into an input has room to run.
const PADDING_MAX: usize = 9_000;
/// The most bytes of padding and the other unlocking bytecode together; some are left for the push's prefix.
const UNLOCK_BYTES_MAX: usize = 9_990;
/// The work that one byte of unlocking bytecode pays for, and the bytes that count beside it.
const COST_PER_BYTE: u64 = 800;
const INPUT_BYTES: u64 = 41;
/// Nodes pass on an input only if it has so many bytes for each block that it hashes.
const BYTES_PER_HASH_ITERATION: u64 = 2;

/// Padding of this length.
pub(crate) fn arg(len: usize) -> Arg {
    Arg::Value(AbiValue::Item(vec![0; len]))
}

/// The longest padding beside `bare` bytes of unlocking bytecode.
pub(crate) fn most(bare: usize) -> usize {
    PADDING_MAX.min(UNLOCK_BYTES_MAX.saturating_sub(bare))
}

/// The least padding of an input that does this work with the longest.
pub(crate) fn needed(bare: usize, metrics: &Metrics) -> usize {
    let most = most(bare);
    let work = metrics.cost.get().saturating_sub(most as u64);
    let bytes = INPUT_BYTES + bare as u64;
    let paid = COST_PER_BYTE * bytes;
    // Each byte of padding pays for itself and the rest; its push needs up to three bytes, which pay too.
    let missing = work.saturating_sub(paid).div_ceil(COST_PER_BYTE - 1);
    let hashing = (BYTES_PER_HASH_ITERATION * metrics.hash_iterations).saturating_sub(bytes);
    usize::try_from(missing.max(hashing)).unwrap_or(most).min(most)
}
