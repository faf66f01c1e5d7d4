//! A thread that answers questions, one after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

/// A thread with a queue.
pub(crate) struct Worker {
    jobs: Sender<Job>,
}

impl Worker {
    /// A thread that ends with this.
    pub(crate) fn start(name: &str) -> Self {
        let (jobs, queue) = channel::<Job>();
        let run = move || {
            for job in queue {
                // A job that panics has lost its answer, and nothing else.
                let _ = catch_unwind(AssertUnwindSafe(job));
            }
        };
        // Without a thread the queue is gone, and with it each job: whoever waits for one learns of that.
        let _ = thread::Builder::new().name(name.to_owned()).stack_size(STACK_BYTES).spawn(run);
        Self { jobs }
    }

    /// Runs a job behind those that were handed in before.
    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) {
        let _ = self.jobs.send(Box::new(job));
    }
}

/// The stack of a thread: deep trees are walked by recursion.
pub(crate) const STACK_BYTES: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_run_in_their_order_and_one_that_panics_takes_none_along() {
        let worker = Worker::start("test");
        let (sender, done) = channel();
        for number in 0..100 {
            let sender = sender.clone();
            worker.run(move || {
                assert!(number % 10 != 3, "as the test wants it");
                sender.send(number).unwrap();
            });
        }
        drop(sender);
        let found: Vec<i32> = done.iter().collect();
        assert_eq!(found, (0..100).filter(|number| number % 10 != 3).collect::<Vec<_>>());
    }
}
