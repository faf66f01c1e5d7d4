//! What a node does before it answers, for those who wait for it.

use std::fmt;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::owner::Event;
use crate::rpc::error::{Code, RpcError};

/// Hears what a node does before it answers, about once a second, if it takes so long.
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(&str) + Send + Sync>);

impl Progress {
    /// Lets a function hear it.
    pub fn new(hear: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}

/// How often it is told how far something has come.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// What was done last, and who hears of it.
#[derive(Debug)]
pub(crate) struct Warmup {
    progress: Option<Progress>,
    said: Arc<Mutex<String>>,
    last: Instant,
}

impl Warmup {
    pub(crate) fn new(progress: Option<Progress>) -> Self {
        let said = Arc::new(Mutex::new("Loading block index…".to_owned()));
        Self { progress, said, last: Instant::now() }
    }

    /// What clients are told.
    pub(crate) fn said(&self) -> Arc<Mutex<String>> {
        Arc::clone(&self.said)
    }

    /// Says how far something has come, if that was not done a moment ago.
    pub(crate) fn tell(&mut self, say: impl FnOnce() -> String) {
        if self.last.elapsed() < TELL_EVERY {
            return;
        }
        self.last = Instant::now();
        let text = say();
        tracing::info!("{text}");
        if let Some(Progress(hear)) = &self.progress {
            hear(&text);
        }
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }
}

/// Tells clients that the node warms up, until an event says that it has; gives back where events come from.
pub(crate) fn answer(inbox: Receiver<Event>, said: &Mutex<String>) -> Receiver<Event> {
    loop {
        match inbox.recv() {
            Ok(Event::Call { reply, .. }) => {
                let text = said.lock().unwrap_or_else(PoisonError::into_inner).clone();
                // Who went away needs no answer.
                let _ = reply.send(Err(RpcError::new(Code::Warmup, text)));
            }
            // Nobody else knows of the node yet.
            Ok(Event::Stop) | Err(_) => return inbox,
            Ok(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use tokio::sync::oneshot;

    use super::*;
    use crate::rpc::envelope::{Body, read_body};

    #[test]
    fn clients_and_listeners_hear_how_far_it_has_come() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ears = Arc::clone(&heard);
        let progress = Progress::new(move |text| ears.lock().unwrap().push(text.to_owned()));
        let mut warmup = Warmup::new(Some(progress));
        warmup.tell(|| panic!("it has just begun"));
        warmup.last = Instant::now().checked_sub(2 * TELL_EVERY).unwrap();
        warmup.tell(|| "half of it".to_owned());
        warmup.tell(|| panic!("this was told a moment ago"));
        assert_eq!(*heard.lock().unwrap(), ["half of it"]);

        let Ok(Body::Single(mut request)) = read_body(br#"{"method":"getblockcount","params":[]}"#) else { panic!() };
        let (reply, outcome) = oneshot::channel();
        let (events, inbox) = sync_channel(2);
        events.send(Event::Call { call: request.take_call().unwrap(), reply }).unwrap();
        events.send(Event::Stop).unwrap();
        let inbox = answer(inbox, &warmup.said());
        let error = outcome.blocking_recv().unwrap().unwrap_err();
        assert_eq!((error.code().number(), error.message()), (-28, "half of it"));
        events.send(Event::Peers).unwrap();
        assert!(matches!(inbox.recv(), Ok(Event::Peers)), "what comes later is for the owner");
    }
}
