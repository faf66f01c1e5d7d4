//! How far long searches are, for whoever shows that to people. Nothing that is compiled depends on it.

use std::sync::atomic::{AtomicU64, Ordering};

static DONE: AtomicU64 = AtomicU64::new(0);
static WANTED: AtomicU64 = AtomicU64::new(0);

/// The work of all long searches of this process: how much is done, and how much will have been done when those end that
/// have begun.
///
/// ```
/// let (done, wanted) = codegen::progress();
/// assert!(done <= wanted);
/// ```
#[must_use]
pub fn progress() -> (u64, u64) {
    let done = DONE.load(Ordering::Relaxed);
    (done, WANTED.load(Ordering::Relaxed).max(done))
}

pub(crate) fn begin(work: u64) {
    WANTED.fetch_add(work, Ordering::Relaxed);
}

pub(crate) fn add(work: u64) {
    DONE.fetch_add(work, Ordering::Relaxed);
}
