//! Many jobs on several threads, with an outcome that does not depend on their schedule.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many threads check blocks and run scripts.
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

    /// How many threads.
    #[must_use]
    pub const fn count(self) -> usize {
        self.0.get()
    }

    /// As many threads as the machine runs at once.
    #[must_use]
    pub fn all() -> Self {
        Self(std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
    }
}

/// A thread takes on so many groups of jobs at least: starting another for fewer would take longer.
const GROUPS_PER_THREAD_MIN: usize = 16;

/// Jobs `0..count`, and how threads take them on.
pub(crate) struct Jobs {
    count: usize,
    /// A thread takes on so many at a time.
    group: usize,
    /// Which is taken on first; ascending without it.
    order: Option<Vec<usize>>,
}

impl Jobs {
    /// Jobs that take some microseconds each.
    pub(crate) const fn new(count: usize) -> Self {
        Self { count, group: 1, order: None }
    }

    /// Jobs that take less than a microsecond.
    pub(crate) const fn small(count: usize) -> Self {
        Self { count, group: 64, order: None }
    }

    /// Begins with those that are likely to take longest, so that no thread is left with a long one at the end.
    pub(crate) fn longest_first(self, length: impl Fn(usize) -> usize) -> Self {
        let mut order: Vec<usize> = (0..self.count).collect();
        order.sort_by_cached_key(|at| std::cmp::Reverse(length(*at)));
        Self { order: Some(order), ..self }
    }

    /// The results in the order of the jobs.
    pub(crate) fn map<T: Send>(self, workers: Workers, job: impl Fn(usize) -> T + Sync) -> Vec<T> {
        self.run(workers, |at| Ok::<T, std::convert::Infallible>(job(at))).unwrap_or_else(|(_, never)| match never {})
    }

    /// The results in the order of the jobs, or the failure of the lowest job that fails, with its number.
    ///
    /// A job is left out only if a lower one has failed, so the lowest failure is found whatever the schedule.
    pub(crate) fn run<T: Send, E: Send>(
        self,
        workers: Workers,
        job: impl Fn(usize) -> Result<T, E> + Sync,
    ) -> Result<Vec<T>, (usize, E)> {
        let groups = self.count.div_ceil(self.group);
        let threads = workers.0.get().min(groups / GROUPS_PER_THREAD_MIN).max(1);
        if threads == 1 && self.order.is_none() {
            return (0..self.count).map(|at| job(at).map_err(|error| (at, error))).collect();
        }
        let (next, lowest) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
        let work = || self.work(&next, &lowest, &job);
        let mut done: Vec<(usize, Result<T, E>)> = std::thread::scope(|scope| {
            let handles: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let own = work();
            let others = handles.into_iter().flat_map(|handle| handle.join().expect("a job never panics"));
            others.chain(own).collect()
        });
        done.sort_unstable_by_key(|(at, _)| *at);
        done.into_iter().map(|(at, result)| result.map_err(|error| (at, error))).collect()
    }

    /// What one thread does.
    fn work<T, E>(
        &self,
        next: &AtomicUsize,
        lowest: &AtomicUsize,
        job: impl Fn(usize) -> Result<T, E>,
    ) -> Vec<(usize, Result<T, E>)> {
        let mut done = Vec::new();
        loop {
            let first = next.fetch_add(self.group, Ordering::Relaxed);
            if first >= self.count {
                return done;
            }
            for place in first..self.count.min(first + self.group) {
                let at = self.order.as_ref().map_or(Some(place), |order| order.get(place).copied()).unwrap_or(place);
                if at > lowest.load(Ordering::Relaxed) {
                    continue;
                }
                let result = job(at);
                if result.is_err() {
                    lowest.fetch_min(at, Ordering::Relaxed);
                }
                done.push((at, result));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_and_the_lowest_failure_do_not_depend_on_threads_groups_and_order() {
        for threads in [1, 2, 7] {
            let workers = Workers::new(NonZeroUsize::new(threads).unwrap());
            let kinds = || [Jobs::new(2_000), Jobs::small(2_000), Jobs::new(2_000).longest_first(|at| at * 31 % 17)];
            for jobs in kinds() {
                assert_eq!(jobs.map(workers, |at| at * 2), (0..2_000).map(|at| at * 2).collect::<Vec<_>>());
            }
            for _ in 0..20 {
                for jobs in kinds() {
                    let failing = |at| if at % 97 == 96 { Err(at) } else { Ok(()) };
                    assert_eq!(jobs.run(workers, failing), Err((96, 96)), "{threads} threads");
                }
            }
        }
    }

    #[test]
    fn there_may_be_nothing_to_do() {
        assert_eq!(Jobs::new(0).map(Workers::all(), |at| at), Vec::<usize>::new());
        assert_eq!(Jobs::small(0).longest_first(|at| at).map(Workers::ONE, |at| at), Vec::<usize>::new());
    }
}
