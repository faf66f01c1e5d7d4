//! When units are compiled, and on which thread.
//!
//! Compiling costs as much as thousands of runs, so a unit must first have run that much. It then waits in a bounded queue
//! for a thread of its own while register code goes on; when the queue is full, the unit asks again after its next run.
//! Its first machine code is made with little effort; what goes on running gets better code later. Nothing but time depends
//! on when machine code is there.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::cache::{Cache, Entry};
use crate::engine::Tuning;
use crate::native::{Compiler, Effort, Native};

/// Units of up to so many instructions are due at the threshold; larger ones, which take longer to compile, at as many
/// times that.
const DUE_PER_OPS: u64 = 100;

/// A compiler, and what it has done.
#[derive(Debug)]
pub(crate) struct TierUp {
    work: Arc<Work>,
    tuning: Tuning,
    skipped: AtomicU64,
    /// Where units wait; none if they are compiled at once, or there is no thread to be had.
    queue: Option<Queue>,
}

#[derive(Debug)]
struct Work {
    compiler: Arc<dyn Compiler>,
    cache: Arc<Cache>,
    compiled: AtomicU64,
    improved: AtomicU64,
    crashed: AtomicU64,
    refused: AtomicU64,
    machine_bytes: AtomicU64,
    ends: AtomicBool,
}

#[derive(Debug)]
struct Queue {
    /// Taken to end the thread.
    send: Option<SyncSender<Arc<Entry>>>,
    thread: Option<JoinHandle<()>>,
}

/// Figures of compiling.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Made {
    pub(crate) compiled: u64,
    pub(crate) improved: u64,
    pub(crate) crashed: u64,
    pub(crate) refused: u64,
    pub(crate) skipped: u64,
    pub(crate) machine_bytes: u64,
}

impl TierUp {
    pub(crate) fn new(compiler: Arc<dyn Compiler>, cache: Arc<Cache>, tuning: Tuning) -> Self {
        let work = Arc::new(Work {
            compiler,
            cache,
            compiled: AtomicU64::new(0),
            improved: AtomicU64::new(0),
            crashed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            machine_bytes: AtomicU64::new(0),
            ends: AtomicBool::new(false),
        });
        let queue = if tuning.threshold == 0 { None } else { Queue::start(&work, tuning.waiting) };
        Self { work, tuning, skipped: AtomicU64::new(0), queue }
    }

    /// The machine code of a unit, if that is there. Sees to it that it will be, or a better one, once the unit has run
    /// enough.
    pub(crate) fn native(&self, entry: &Arc<Entry>) -> Option<Arc<dyn Native>> {
        if let Some(effort) = entry.undecided()
            && self.is_due(entry, effort)
        {
            self.ask(entry, effort);
        }
        entry.native().cloned()
    }

    fn is_due(&self, entry: &Entry, effort: Effort) -> bool {
        let threshold = match effort {
            Effort::Quick => self.tuning.threshold,
            Effort::Hot => self.tuning.hot_threshold,
        };
        let times = (entry.unit.ops.len() as u64).div_ceil(DUE_PER_OPS);
        entry.heat() >= threshold.saturating_mul(times)
    }

    fn ask(&self, entry: &Arc<Entry>, effort: Effort) {
        if self.tuning.threshold == 0 {
            self.work.compile(entry, effort);
        } else if entry.wait() && !self.queue.as_ref().is_some_and(|queue| queue.push(entry)) {
            entry.wait_no_more();
            self.skipped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn made(&self) -> Made {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Made {
            compiled: of(&self.work.compiled),
            improved: of(&self.work.improved),
            crashed: of(&self.work.crashed),
            refused: of(&self.work.refused),
            skipped: of(&self.skipped),
            machine_bytes: of(&self.work.machine_bytes),
        }
    }
}

impl Work {
    fn compile(&self, entry: &Entry, effort: Effort) {
        // A compiler that panics has found a unit that it cannot do; the node goes on without machine code for it.
        let compile = || catch_unwind(AssertUnwindSafe(|| self.compiler.compile(&entry.unit, entry.rules(), effort)));
        let crashed = || {
            self.crashed.fetch_add(1, Ordering::Relaxed);
            None
        };
        let Some(decided) = entry.decide(effort, || compile().unwrap_or_else(|_| crashed())) else { return };
        if let Some(native) = decided {
            let bytes = native.code_bytes();
            self.machine_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
            self.cache.grow(entry, bytes);
        }
        let count = match (decided, effort) {
            (Some(_), Effort::Quick) => &self.compiled,
            (Some(_), Effort::Hot) => &self.improved,
            (None, Effort::Quick) => &self.refused,
            (None, Effort::Hot) => return,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    fn run(&self, queue: &Receiver<Arc<Entry>>) {
        while let Ok(entry) = queue.recv() {
            if let Some(effort) = entry.undecided().filter(|_| !self.ends.load(Ordering::Relaxed)) {
                self.compile(&entry, effort);
            }
            entry.wait_no_more();
        }
    }
}

impl Queue {
    fn start(work: &Arc<Work>, waiting: usize) -> Option<Self> {
        let (send, queue) = sync_channel(waiting);
        let work = Arc::clone(work);
        let thread = thread::Builder::new().name("compile".to_owned()).spawn(move || work.run(&queue)).ok()?;
        Some(Self { send: Some(send), thread: Some(thread) })
    }

    fn push(&self, entry: &Arc<Entry>) -> bool {
        self.send.as_ref().is_some_and(|send| send.try_send(Arc::clone(entry)).is_ok())
    }
}

impl Drop for TierUp {
    /// Waits for the unit that is compiled now; those that wait are let go.
    fn drop(&mut self) {
        self.work.ends.store(true, Ordering::Relaxed);
        if let Some(queue) = &mut self.queue {
            queue.send = None;
            // A compiler's panics are caught, so the thread ends well.
            let _ = queue.thread.take().map(JoinHandle::join);
        }
    }
}
