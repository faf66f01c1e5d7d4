//! Threads that answer questions.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

/// A few threads with one queue.
pub(crate) struct Pool {
    jobs: Sender<Job>,
}

impl Pool {
    /// So many threads, which end with the pool.
    pub(crate) fn new(name: &str, threads: usize) -> Self {
        let (jobs, queue) = channel::<Job>();
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..threads {
            let queue = Arc::clone(&queue);
            // Deep trees are walked by recursion.
            let builder = thread::Builder::new().name(format!("{name} {number}")).stack_size(STACK_BYTES);
            if builder.spawn(move || work(&queue)).is_err() {
                break;
            }
        }
        Self { jobs }
    }

    /// Runs a job on one of the threads.
    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) {
        // Without threads the job is dropped, and whoever waits for it learns of that.
        let _ = self.jobs.send(Box::new(job));
    }
}

/// The stack of a thread.
pub(crate) const STACK_BYTES: usize = 16 << 20;

fn work(queue: &Mutex<Receiver<Job>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // A job that panics has lost its answer, and nothing else.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests {
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
}
