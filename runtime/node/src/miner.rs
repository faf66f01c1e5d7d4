//! Mining on all cores while the node goes on: one thread that searches for the nonce of a block, and starts anew when it is given another.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel};
use std::thread;
use std::time::{Duration, Instant};

use chain::Workers;
use spec::{Block, BlockHash};

use crate::owner::Event;
use crate::state::Node;

/// After so long a block is made anew, with the transactions that have come since.
const REFRESH: Duration = Duration::from_secs(5);

/// The miner, from the owner's side.
#[derive(Debug)]
pub(crate) struct Miner {
    events: SyncSender<Event>,
    jobs: Option<Sender<(u64, Block)>>,
    /// The number of the job that counts; the search for another ends.
    current: Arc<AtomicU64>,
    /// On top of what the current job builds, and when it is made anew.
    on: Option<(BlockHash, Instant)>,
}

impl Miner {
    /// A miner that rests; what it finds will come as events.
    pub(crate) fn new(events: SyncSender<Event>) -> Self {
        Self { events, jobs: None, current: Arc::default(), on: None }
    }

    /// When the current job is to be made anew.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.on.map(|(_, due)| due)
    }

    /// A block was found: the job is done.
    pub(crate) const fn found(&mut self) {
        self.on = None;
    }

    /// Gives the thread another job where the tip is another one, or time has come, or ends it if there shall be no mining.
    pub(crate) fn follow(&mut self, node: &mut Node, now: Instant) {
        let tip = node.tip().hash;
        if node.mining_lock().is_some() && self.on.is_some_and(|(on, due)| on == tip && now < due) {
            return;
        }
        let number = self.current.fetch_add(1, Ordering::Relaxed) + 1;
        let Some(block) = node.next_block() else {
            // The thread ends when nobody can give it jobs.
            (self.jobs, self.on) = (None, None);
            return;
        };
        let sent = self.thread().is_some_and(|jobs| jobs.send((number, block)).is_ok());
        self.on = sent.then(|| (tip, now + REFRESH));
    }

    /// The thread, started if it is not there.
    fn thread(&mut self) -> Option<&Sender<(u64, Block)>> {
        if self.jobs.is_none() {
            let (jobs, inbox) = channel();
            let (events, current) = (self.events.clone(), Arc::clone(&self.current));
            let started = thread::Builder::new().name("miner".to_owned()).spawn(move || run(&inbox, &events, &current));
            match started {
                Ok(_) => self.jobs = Some(jobs),
                Err(error) => tracing::error!(%error, "mining cannot start"),
            }
        }
        self.jobs.as_ref()
    }
}

impl Drop for Miner {
    fn drop(&mut self) {
        self.current.fetch_add(1, Ordering::Relaxed);
    }
}

fn run(inbox: &Receiver<(u64, Block)>, events: &SyncSender<Event>, current: &AtomicU64) {
    while let Ok((number, mut block)) = inbox.recv() {
        let go_on = || current.load(Ordering::Relaxed) == number;
        let Some(solved) = chain::search(block.header, 0..=u32::MAX, Workers::all(), &go_on) else { continue };
        block.header = solved;
        if events.send(Event::Mined(Box::new(block))).is_err() {
            return;
        }
    }
}
