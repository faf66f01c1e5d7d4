//! Threads that answer questions.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

/// At most a few threads with one queue. Each ends when nothing waits: what it has kept of memory is then free for others,
/// and to start one takes less time than any answer.
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    name: &'static str,
    threads_max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    threads: usize,
    waiting: VecDeque<Job>,
}

impl Pool {
    /// So many threads at most.
    pub(crate) fn new(name: &'static str, threads_max: usize) -> Self {
        Self(Arc::new(Shared { name, threads_max, state: Mutex::default() }))
    }

    /// Runs a job on one of the threads.
    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) {
        let mut state = self.0.lock();
        state.waiting.push_back(Box::new(job));
        if state.threads == self.0.threads_max {
            return;
        }
        let shared = Arc::clone(&self.0);
        // Deep trees are walked by recursion.
        let builder = thread::Builder::new().name(self.0.name.to_owned()).stack_size(STACK_BYTES);
        match builder.spawn(move || shared.work()) {
            Ok(_) => state.threads += 1,
            // Without threads the jobs are dropped, and whoever waits for them learns of that.
            Err(_) if state.threads == 0 => state.waiting.clear(),
            Err(_) => {}
        }
    }
}

/// The stack of a thread.
pub(crate) const STACK_BYTES: usize = 16 << 20;

impl Shared {
    fn work(&self) {
        while let Some(job) = self.next() {
            // A job that panics has lost its answer, and nothing else.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    }

    /// What waits longest; without that the thread that asks ends.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        let next = state.waiting.pop_front();
        state.threads -= usize::from(next.is_none());
        next
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn all_jobs_run_and_one_that_panics_takes_none_along() {
        let pool = Pool::new("test", 2);
        let (sender, done) = channel();
        for number in 0..100 {
            let sender = sender.clone();
            pool.run(move || {
                assert!(number % 10 != 3, "as the test wants it");
                sender.send(number).unwrap();
            });
        }
        drop(sender);
        let mut found: Vec<i32> = done.iter().collect();
        found.sort_unstable();
        assert_eq!(found, (0..100).filter(|number| number % 10 != 3).collect::<Vec<_>>());
    }

    #[test]
    fn no_more_threads_run_than_there_may_be() {
        let pool = Pool::new("test", 2);
        let (sender, done) = channel();
        let running = Arc::new(Mutex::new(0));
        for _ in 0..50 {
            let (sender, running) = (sender.clone(), Arc::clone(&running));
            pool.run(move || {
                *running.lock().unwrap() += 1;
                thread::yield_now();
                let now = *running.lock().unwrap();
                *running.lock().unwrap() -= 1;
                sender.send(now).unwrap();
            });
        }
        drop(sender);
        assert!(done.iter().all(|now| now <= 2));
    }
}
