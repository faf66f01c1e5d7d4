//! Bytes that only buy operation budget: how many an input needs.

use spec::artifact::AbiValue;

use crate::contract::Arg;

/// Bytes of padding with which every path that fits into an input has room to run.
const PADDING_MAX: usize = 9_000;
/// The most bytes of padding and the other unlocking bytecode together; some are left for the push's prefix.
const UNLOCK_BYTES_MAX: usize = 9_990;
/// The work that one byte of unlocking bytecode pays for, and the bytes that count beside it.
const COST_PER_BYTE: u64 = 800;
const INPUT_BYTES: u64 = 41;

/// Padding of this length.
pub(crate) fn arg(len: usize) -> Arg {
    Arg::Value(AbiValue::Item(vec![0; len]))
}

/// The longest padding beside `bare` bytes of unlocking bytecode.
pub(crate) fn most(bare: usize) -> usize {
    PADDING_MAX.min(UNLOCK_BYTES_MAX.saturating_sub(bare))
}

/// The least padding of an input that costs `cost` with the longest.
pub(crate) fn needed(bare: usize, cost: u64) -> usize {
    let most = most(bare);
    let work = cost.saturating_sub(most as u64);
    let paid = COST_PER_BYTE * (INPUT_BYTES + bare as u64);
    // Each byte of padding pays for itself and the rest; its push needs up to three bytes, which pay too.
    let missing = work.saturating_sub(paid).div_ceil(COST_PER_BYTE - 1);
    usize::try_from(missing).unwrap_or(most).min(most)
}
