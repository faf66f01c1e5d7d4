//! Many jobs on several threads, with an outcome that does not depend on their schedule.

use std::num::NonZeroUsize;
use std::ops::Range;
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
        if self.order.is_some() {
            return self.run_by(workers, || Each(&job));
        }
        let group = |group: Range<usize>| group.map(|at| job(at).map_err(|error| (at, error))).collect();
        if self.threads(workers) == 1 {
            return group(0..self.count);
        }
        let numbers = Jobs { count: self.groups(), group: 1, order: None };
        let groups = numbers.run_by(workers, || Each(|number| group(self.group_at(number))));
        groups.map(joined).map_err(|(_, error)| error)
    }

    /// What is made of each group of jobs, in the order of the jobs.
    pub(crate) fn map_groups<T: Send>(self, workers: Workers, job: impl Fn(Range<usize>) -> Vec<T> + Sync) -> Vec<T> {
        if self.threads(workers) == 1 {
            return job(0..self.count);
        }
        let numbers = Jobs { count: self.groups(), group: 1, order: None };
        joined(numbers.map(workers, |number| job(self.group_at(number))))
    }

    /// As [`Jobs::run`], by workers that may give the results of several jobs together; one is made for each thread.
    pub(crate) fn run_by<T: Send, E: Send, W: Worker<T, E>>(
        self,
        workers: Workers,
        worker: impl Fn() -> W + Sync,
    ) -> Result<Vec<T>, (usize, E)> {
        let (next, lowest) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
        let work = || self.work(&next, Done { results: Vec::new(), lowest: &lowest }, worker());
        let threads = self.threads(workers);
        let done: Vec<Vec<(usize, Result<T, E>)>> = std::thread::scope(|scope| {
            let handles: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let own = work();
            let others = handles.into_iter().map(|handle| handle.join().expect("a job never panics"));
            std::iter::once(own).chain(others).collect()
        });
        in_order(self.count, done.into_iter().flatten())
    }

    fn groups(&self) -> usize {
        self.count.div_ceil(self.group)
    }

    fn group_at(&self, number: usize) -> Range<usize> {
        let first = number * self.group;
        first..self.count.min(first + self.group)
    }

    fn threads(&self, workers: Workers) -> usize {
        workers.0.get().min(self.groups() / GROUPS_PER_THREAD_MIN).max(1)
    }

    /// What one thread does.
    fn work<T, E>(
        &self,
        next: &AtomicUsize,
        mut done: Done<'_, T, E>,
        mut worker: impl Worker<T, E>,
    ) -> Vec<(usize, Result<T, E>)> {
        loop {
            let first = next.fetch_add(self.group, Ordering::Relaxed);
            if first >= self.count {
                worker.finish(&mut done);
                return done.results;
            }
            for place in self.group_at(first / self.group) {
                let at = self.order.as_ref().map_or(Some(place), |order| order.get(place).copied()).unwrap_or(place);
                if done.wants(at) {
                    worker.take(at, &mut done);
                }
            }
        }
    }
}

fn joined<T>(parts: Vec<Vec<T>>) -> Vec<T> {
    let mut all = Vec::with_capacity(parts.iter().map(Vec::len).sum());
    parts.into_iter().for_each(|part| all.extend(part));
    all
}

/// The results of `count` jobs in their order, or that of the lowest that failed; all below it are there.
fn in_order<T, E>(count: usize, done: impl Iterator<Item = (usize, Result<T, E>)>) -> Result<Vec<T>, (usize, E)> {
    let mut slots: Vec<Option<T>> = std::iter::repeat_with(|| None).take(count).collect();
    let mut lowest: Option<(usize, E)> = None;
    for (at, result) in done {
        match result {
            Ok(result) => {
                if let Some(slot) = slots.get_mut(at) {
                    *slot = Some(result);
                }
            }
            Err(error) if lowest.as_ref().is_none_or(|(other, _)| at < *other) => lowest = Some((at, error)),
            Err(_) => {}
        }
    }
    lowest.map_or_else(|| Ok(slots.into_iter().flatten().collect()), Err)
}

/// What one thread does with the jobs that it takes on.
pub(crate) trait Worker<T, E> {
    /// Takes on a job. Its result may come later, but before [`Worker::finish`] ends.
    fn take(&mut self, at: usize, done: &mut Done<'_, T, E>);

    /// There are no more jobs.
    fn finish(&mut self, done: &mut Done<'_, T, E>);
}

/// The results that a thread has so far.
pub(crate) struct Done<'l, T, E> {
    results: Vec<(usize, Result<T, E>)>,
    /// The lowest job that has failed on any thread.
    lowest: &'l AtomicUsize,
}

impl<T, E> Done<'_, T, E> {
    /// Whether the result of a job still matters: no lower one has failed.
    pub(crate) fn wants(&self, at: usize) -> bool {
        at <= self.lowest.load(Ordering::Relaxed)
    }

    /// Keeps the result of a job.
    pub(crate) fn push(&mut self, at: usize, result: Result<T, E>) {
        if result.is_err() {
            self.lowest.fetch_min(at, Ordering::Relaxed);
        }
        self.results.push((at, result));
    }
}

/// Does each job at once.
struct Each<J>(J);

impl<T, E, J: Fn(usize) -> Result<T, E>> Worker<T, E> for Each<J> {
    fn take(&mut self, at: usize, done: &mut Done<'_, T, E>) {
        done.push(at, self.0(at));
    }

    fn finish(&mut self, _: &mut Done<'_, T, E>) {}
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
            let twice = |group: Range<usize>| group.flat_map(|at| [at, at]).collect();
            let expected: Vec<usize> = (0..2_011).flat_map(|at| [at, at]).collect();
            assert_eq!(Jobs::small(2_011).map_groups(workers, twice), expected);
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
        assert_eq!(Jobs::small(0).map_groups(Workers::all(), |group| group.collect()), Vec::<usize>::new());
        assert_eq!(Jobs::small(0).longest_first(|at| at).map(Workers::ONE, |at| at), Vec::<usize>::new());
    }
}
