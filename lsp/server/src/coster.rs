//! Makes the code of what is open, behind the edits: once no key was pressed for a moment, on a thread of its own, and of
//! nothing but what has changed. The next edit stops it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use ide::{Snapshot, Work};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower_lsp::Client;

use crate::backend::Shared;
use crate::ordered::Aside;
use crate::owner::Owner;
use crate::pool::STACK_BYTES;

/// So long after the last edit it begins.
const PAUSE: Duration = Duration::from_millis(150);
/// What takes longer is not measured.
const TIME_MAX: Duration = Duration::from_secs(10);
/// So often the client is told while much is made.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// The thread, as those who change something see it.
pub(crate) struct Coster {
    edits: Sender<()>,
}

/// What the thread has.
struct Worker {
    owner: Aside<Owner>,
    /// Counts edits.
    generation: Arc<AtomicU64>,
    refreshes: UnboundedSender<Refresh>,
}

/// What the client is to ask for again.
#[derive(Clone, Copy, Debug)]
struct Refresh {
    /// Diagnostics, too.
    diagnostics: bool,
}

impl Coster {
    /// Starts the thread, which ends with this.
    pub(crate) fn start(shared: Arc<Shared>, client: Client, owner: Aside<Owner>, generation: Arc<AtomicU64>) -> Self {
        let (edits, queue) = channel();
        let (refreshes, told) = unbounded_channel();
        tokio::spawn(refresh(client, shared, told));
        let worker = Worker { owner, generation, refreshes };
        let run = move || {
            while let Ok(()) = queue.recv() {
                if !settled(&queue) {
                    return;
                }
                // Whatever goes wrong here, there are only no costs.
                let _ = catch_unwind(AssertUnwindSafe(|| worker.round()));
            }
        };
        // Without that thread nothing is measured.
        let _ = thread::Builder::new().name("costs".to_owned()).stack_size(STACK_BYTES).spawn(run);
        Self { edits }
    }

    /// Something has changed.
    pub(crate) fn changed(&self) {
        let _ = self.edits.send(());
    }
}

/// Waits until nothing has changed for a moment; false if nobody is there any more.
fn settled(edits: &Receiver<()>) -> bool {
    loop {
        match edits.recv_timeout(PAUSE) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}

impl Worker {
    /// Makes what has changed.
    fn round(&self) {
        let begun = self.generation.load(Ordering::Acquire);
        let mut told = Instant::now();
        let (mut fresh, mut saying) = (false, Vec::new());
        for work in self.works() {
            match self.run(&work, begun) {
                Some(says) => {
                    fresh = true;
                    if says && !saying.contains(work.path()) {
                        saying.push(Arc::clone(work.path()));
                    }
                }
                // There will be another round.
                None if self.generation.load(Ordering::Acquire) != begun => break,
                None => {
                    work.give_up();
                    fresh = true;
                }
            }
            if told.elapsed() > TOLD_EVERY {
                told = Instant::now();
                self.tell(std::mem::take(&mut fresh), std::mem::take(&mut saying));
            }
        }
        self.tell(fresh, saying);
    }

    /// What is to be made. The state is free again when this is back.
    fn works(&self) -> Vec<Work> {
        let (sender, answer) = channel();
        self.owner.hand_in(Box::new(move |owner: &mut Owner| {
            let documents = owner.host.documents();
            let snapshots = documents.filter_map(|path| Some((owner.host.snapshot(path)?, Arc::clone(path))));
            // Nobody may wait any more.
            let _ = sender.send(snapshots.collect::<Vec<(Snapshot, Arc<str>)>>());
        }));
        let Ok(snapshots) = answer.recv() else { return Vec::new() };
        let mut works = Vec::new();
        for (snapshot, path) in snapshots {
            match snapshot.unmeasured(&path) {
                Ok(found) => works.extend(found),
                // An edit is coming.
                Err(_) => return Vec::new(),
            }
        }
        works
    }

    /// Whether anything is to be said about what was made; nothing if it was given up, or could not be made.
    fn run(&self, work: &Work, begun: u64) -> Option<bool> {
        let generation = Arc::clone(&self.generation);
        let end = Instant::now() + TIME_MAX;
        let stop = move || generation.load(Ordering::Acquire) != begun || Instant::now() > end;
        catch_unwind(AssertUnwindSafe(|| work.run(Rc::new(stop)))).ok().flatten()
    }

    /// Tells the client what is known now.
    fn tell(&self, fresh: bool, saying: Vec<Arc<str>>) {
        if !fresh {
            return;
        }
        let diagnostics = !saying.is_empty();
        if diagnostics {
            self.owner.hand_in(Box::new(move |owner: &mut Owner| owner.reporter.report_again(&owner.host, &saying)));
        }
        let _ = self.refreshes.send(Refresh { diagnostics });
    }
}

/// Asks the client to ask again, for what it can be asked to.
async fn refresh(client: Client, shared: Arc<Shared>, mut told: UnboundedReceiver<Refresh>) {
    while let Some(Refresh { diagnostics }) = told.recv().await {
        let settings = shared.settings();
        if settings.refreshes_lenses {
            let client = client.clone();
            // The client answers when it likes.
            tokio::spawn(async move { client.code_lens_refresh().await });
        }
        if settings.refreshes_hints && shared.config().cost_hints {
            let client = client.clone();
            tokio::spawn(async move { client.inlay_hint_refresh().await });
        }
        if settings.refreshes_diagnostics && settings.pulls && diagnostics {
            let client = client.clone();
            tokio::spawn(async move { client.workspace_diagnostic_refresh().await });
        }
    }
}
