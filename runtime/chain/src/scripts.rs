//! Running the scripts of many inputs on several threads, with a verdict that does not depend on their schedule.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::Engine;
use spec::{Mode, Rules, SpendContext, Transaction, TxOut};

use crate::error::TxError;
use crate::transaction::TX_SIG_CHECKS_MAX;

/// How many threads run scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workers(NonZeroUsize);

impl Workers {
    /// The calling thread alone.
    pub const ONE: Self = Self(NonZeroUsize::MIN);

    /// That many threads.
    #[must_use]
    pub const fn new(count: NonZeroUsize) -> Self {
        Self(count)
    }

    /// As many threads as the machine runs at once.
    #[must_use]
    pub fn all() -> Self {
        Self(std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
    }
}

/// What runs scripts, and on how many threads.
#[derive(Clone, Copy, Debug)]
pub struct Runner<'e> {
    /// What runs them.
    pub engine: &'e Engine,
    /// On how many threads.
    pub workers: Workers,
}

/// Fewer inputs than this are run by the calling thread: starting another would take longer.
const INPUTS_PER_THREAD_MIN: usize = 16;

/// Runs the scripts of all inputs; returns what each used, in input order.
///
/// # Errors
/// [`TxError::Script`] for the lowest input that fails, [`TxError::TooManySigChecks`], or [`TxError::MissingInputs`] unless there is one spent output for each input.
pub fn check_scripts(
    rules: &Rules,
    tx: &Transaction,
    spent: &[TxOut],
    runner: Runner<'_>,
) -> Result<Vec<vm::Metrics>, TxError> {
    let context = SpendContext::new(tx, spent).ok_or(TxError::MissingInputs)?;
    let run = |input: usize| runner.engine.verify(rules, &context, input);
    let metrics = run_all(tx.inputs.len(), runner.workers, run).map_err(|(input, failure)| {
        let mandatory = rules.mode == Mode::Consensus || fails_in_blocks(rules, &context, input);
        TxError::Script { input, failure: Box::new(failure), mandatory }
    })?;
    if sig_checks(&metrics) > TX_SIG_CHECKS_MAX { Err(TxError::TooManySigChecks) } else { Ok(metrics) }
}

fn fails_in_blocks(rules: &Rules, context: &SpendContext<'_>, input: usize) -> bool {
    vm::verify_input(&Rules::new(rules.set, Mode::Consensus), context, input).is_err()
}

/// The signature checks of all inputs together.
pub(crate) fn sig_checks(metrics: &[vm::Metrics]) -> u64 {
    metrics.iter().map(|one| u64::from(one.sig_checks)).sum()
}

/// Runs jobs `0..count` and returns their results in order, or the failure of the lowest job that fails.
///
/// Threads claim jobs in ascending order and stop above the lowest failure so far, so every job
/// below the lowest failure has run whatever the schedule.
pub(crate) fn run_all<T: Send, E: Send>(
    count: usize,
    workers: Workers,
    job: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, (usize, E)> {
    let threads = workers.0.get().min(count / INPUTS_PER_THREAD_MIN).max(1);
    if threads == 1 {
        return (0..count).map(|at| job(at).map_err(|error| (at, error))).collect();
    }
    let (next, lowest) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count || at > lowest.load(Ordering::Relaxed) {
                return done;
            }
            let result = job(at);
            if result.is_err() {
                lowest.fetch_min(at, Ordering::Relaxed);
            }
            done.push((at, result));
        }
    };
    let mut done: Vec<(usize, Result<T, E>)> = std::thread::scope(|scope| {
        let handles: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let own = work();
        let others = handles.into_iter().flat_map(|handle| handle.join().expect("a job never panics"));
        others.chain(own).collect()
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(at, result)| result.map_err(|error| (at, error))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_and_the_lowest_failure_do_not_depend_on_the_number_of_threads() {
        for threads in [1, 2, 7] {
            let workers = Workers::new(NonZeroUsize::new(threads).unwrap());
            let all = run_all::<_, ()>(1_000, workers, |at| Ok(at * 2));
            assert_eq!(all, Ok((0..1_000).map(|at| at * 2).collect()));
            for _ in 0..20 {
                let failing = |at| if at % 97 == 96 { Err(at) } else { Ok(()) };
                assert_eq!(run_all(1_000, workers, failing), Err((96, 96)), "{threads} threads");
            }
        }
    }
}
