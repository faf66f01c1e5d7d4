//! Makes the code of what is open, behind the edits: once no key was pressed for a moment, on a thread of its own, and of
//! nothing but what has changed. The next edit stops it.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use ide::{Answer, GivenUp, Snapshot, Work};
use tokio::sync::mpsc;
use tower_lsp::Client;

use crate::backend::Shared;
use crate::ordered::Aside;
use crate::owner::Owner;
use crate::worker::STACK_BYTES;

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
    shared: Arc<Shared>,
    /// Counts edits.
    generation: Arc<AtomicU64>,
    asks: Asks,
    /// What was known of each document at the end of the last round.
    states: BTreeMap<Arc<str>, u64>,
}

/// What the client can be asked to ask for again.
struct Asks {
    lenses: mpsc::Sender<()>,
    hints: mpsc::Sender<()>,
    diagnostics: mpsc::Sender<()>,
}

/// What the client has not been told yet.
#[derive(Default)]
struct News {
    /// Something is known that was not, or not any more.
    fresh: bool,
    /// The documents about which there is something to say.
    saying: Vec<Arc<str>>,
}

/// What came of some work.
enum Ran {
    /// It was made, and there may be something to say about it.
    Made { says: bool },
    /// An edit has stopped it.
    Stopped,
    /// It was given up.
    GivenUp(GivenUp),
}

impl Coster {
    /// Starts the thread, which ends with this.
    pub(crate) fn start(shared: Arc<Shared>, client: Client, owner: Aside<Owner>, generation: Arc<AtomicU64>) -> Self {
        let (edits, queue) = channel();
        let asks = Asks::to(&client);
        let mut worker = Worker { owner, shared, generation, asks, states: BTreeMap::new() };
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
    /// Makes what has changed, document by document.
    fn round(&mut self) {
        let begun = self.generation.load(Ordering::Acquire);
        let mut told = Instant::now();
        let mut news = News::default();
        let documents = self.documents();
        for path in &documents {
            for work in self.ask(path, |snapshot| snapshot.unmeasured(path)).unwrap_or_default() {
                match self.run(&work, begun) {
                    Ran::Made { says } => news.add(path, says),
                    // There will be another round.
                    Ran::Stopped => return self.tell(news),
                    Ran::GivenUp(why) => {
                        work.give_up(why);
                        news.add(path, false);
                    }
                }
                if told.elapsed() > TOLD_EVERY {
                    told = Instant::now();
                    self.tell(std::mem::take(&mut news));
                }
            }
        }
        // Even where nothing was made: a mistake in another source may be one here.
        news.fresh |= self.is_otherwise(documents);
        self.tell(news);
    }

    /// The documents that are open.
    fn documents(&self) -> Vec<Arc<str>> {
        let (sender, answer) = channel();
        self.owner.hand_in(Box::new(move |owner: &mut Owner| {
            // Nobody may wait any more.
            let _ = sender.send(owner.host().documents().cloned().collect());
        }));
        answer.recv().unwrap_or_default()
    }

    /// Puts a question about a document to the state, which is free again when this is back. Nothing, if an edit is
    /// coming or the document was closed.
    fn ask<T>(&self, path: &Arc<str>, question: impl FnOnce(&Snapshot) -> Answer<T>) -> Option<T> {
        let (sender, answer) = channel();
        let about = Arc::clone(path);
        self.owner.hand_in(Box::new(move |owner: &mut Owner| {
            let host = owner.host();
            let is_open = host.document(&about).is_some();
            let _ = sender.send(host.snapshot(&about).filter(|_| is_open));
        }));
        let snapshot = answer.recv().ok()??;
        // Where a question cannot be answered, others can.
        catch_unwind(AssertUnwindSafe(|| question(&snapshot))).ok()?.ok()
    }

    /// Whether something else is known of a document than at the end of the last round.
    fn is_otherwise(&mut self, documents: Vec<Arc<str>>) -> bool {
        self.states.retain(|path, _| documents.contains(path));
        let mut is_otherwise = false;
        for path in documents {
            let Some(state) = self.ask(&path, |snapshot| snapshot.cost_state(&path)) else { continue };
            is_otherwise |= self.states.insert(path, state).unwrap_or_default() != state;
        }
        is_otherwise
    }

    fn run(&self, work: &Work, begun: u64) -> Ran {
        let generation = Arc::clone(&self.generation);
        let end = Instant::now() + TIME_MAX;
        let stop = move || generation.load(Ordering::Acquire) != begun || Instant::now() > end;
        match catch_unwind(AssertUnwindSafe(|| work.run(Rc::new(stop)))) {
            Ok(Some(says)) => Ran::Made { says },
            _ if self.generation.load(Ordering::Acquire) != begun => Ran::Stopped,
            Ok(None) => Ran::GivenUp(GivenUp::TooLong),
            Err(_) => Ran::GivenUp(GivenUp::Broken),
        }
    }

    /// Tells the client what is known now.
    fn tell(&self, News { fresh, saying }: News) {
        if !fresh {
            return;
        }
        let settings = self.shared.settings();
        // Where an ask waits already, it is for this too.
        if settings.refreshes_lenses {
            let _ = self.asks.lenses.try_send(());
        }
        if settings.refreshes_hints && self.shared.config().cost_hints {
            let _ = self.asks.hints.try_send(());
        }
        if saying.is_empty() {
            return;
        }
        if settings.refreshes_diagnostics && settings.pulls {
            let _ = self.asks.diagnostics.try_send(());
        }
        self.owner.hand_in(Box::new(move |owner: &mut Owner| owner.report_again(&saying)));
    }
}

impl News {
    /// Something was made of a document, and there may be something to say about it.
    fn add(&mut self, path: &Arc<str>, says: bool) {
        self.fresh = true;
        if says && !self.saying.contains(path) {
            self.saying.push(Arc::clone(path));
        }
    }
}

impl Asks {
    fn to(client: &Client) -> Self {
        let (lenses, hints, diagnostics) = (client.clone(), client.clone(), client.clone());
        Self {
            lenses: one_at_a_time(move || {
                let client = lenses.clone();
                async move { drop(client.code_lens_refresh().await) }
            }),
            hints: one_at_a_time(move || {
                let client = hints.clone();
                async move { drop(client.inlay_hint_refresh().await) }
            }),
            diagnostics: one_at_a_time(move || {
                let client = diagnostics.clone();
                async move { drop(client.workspace_diagnostic_refresh().await) }
            }),
        }
    }
}

/// Asks the client whenever something is sent here, but not before it has answered what it was asked before: it answers
/// when it likes, or never. Of what is sent meanwhile one is kept.
fn one_at_a_time<F>(ask: impl Fn() -> F + Send + 'static) -> mpsc::Sender<()>
where
    F: Future<Output = ()> + Send,
{
    let (sender, mut wanted) = mpsc::channel(1);
    tokio::spawn(async move {
        while wanted.recv().await.is_some() {
            ask().await;
        }
    });
    sender
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn who_does_not_answer_is_not_asked_again() {
        let (asked, answers) = (Arc::new(AtomicU64::new(0)), Arc::new(Semaphore::new(0)));
        let (count, answered) = (Arc::clone(&asked), Arc::clone(&answers));
        let sender = one_at_a_time(move || {
            let answered = Arc::clone(&answered);
            count.fetch_add(1, Ordering::AcqRel);
            async move { answered.acquire().await.unwrap().forget() }
        });
        let settle = || async {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        };
        for _ in 0..10 {
            let _ = sender.try_send(());
            settle().await;
        }
        assert_eq!(asked.load(Ordering::Acquire), 1);
        // All that came meanwhile is asked for at once.
        for _ in 0..2 {
            answers.add_permits(1);
            settle().await;
            assert_eq!(asked.load(Ordering::Acquire), 2);
        }
    }
}
