//! What clients are told as it happens: topics, and who listens.
//!
//! Each listener has a queue of its own, with an end. Whoever does not keep up is told so and dropped; nobody is waited for.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::json::{Json, object};

/// So many may listen at the same time.
const LISTENERS_MAX: usize = 64;
/// So much may happen before a listener looks.
const QUEUE: usize = 1_024;

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// A block joined the active chain.
    Block,
    /// Blocks left the active chain.
    Reorg,
    /// A transaction waits for a block.
    Tx,
    /// A transaction waits no longer, and is not in a block.
    Dropped,
    /// A rival of a waiting transaction came.
    DoubleSpend,
    /// A contract that was made known was paid, or pays.
    Flow,
}

impl Topic {
    /// All of them.
    pub(crate) const ALL: [Self; 6] =
        [Self::Block, Self::Reorg, Self::Tx, Self::Dropped, Self::DoubleSpend, Self::Flow];

    /// Its name on the wire.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Reorg => "reorg",
            Self::Tx => "tx",
            Self::Dropped => "dropped",
            Self::DoubleSpend => "doublespend",
            Self::Flow => "flow",
        }
    }

    /// The topics that a query such as `topics=block,tx` names; all where it names none, nothing where it names one that is none.
    pub(crate) fn of_query(query: &str) -> Option<BTreeSet<Self>> {
        let Some(names) = query.split('&').find_map(|part| part.strip_prefix("topics=")) else {
            return Some(Self::ALL.into());
        };
        names.split(',').map(|name| Self::ALL.into_iter().find(|topic| topic.name() == name)).collect()
    }
}

/// One thing that happened.
#[derive(Debug)]
pub(crate) struct News {
    topic: Topic,
    /// Counted over all topics, so that a listener to all sees that none is missing.
    number: u64,
    data: String,
}

impl News {
    /// As a server-sent event.
    pub(crate) fn event(&self) -> String {
        format!("id: {}\nevent: {}\ndata: {}\n\n", self.number, self.topic.name(), self.data)
    }

    /// As one JSON object.
    pub(crate) fn message(&self) -> String {
        object([
            ("id", Json::from(self.number)),
            ("event", Json::from(self.topic.name())),
            ("data", Json::Raw(self.data.clone())),
        ])
        .to_string()
    }
}

/// The listener's end of its queue.
#[derive(Debug)]
pub(crate) struct Listener {
    /// What happens; it ends when the listener was dropped or the node stops.
    pub(crate) queue: Receiver<Arc<News>>,
    lagged: Arc<AtomicBool>,
}

impl Listener {
    /// Whether the queue ended because it was full.
    pub(crate) fn has_lagged(&self) -> bool {
        self.lagged.load(Ordering::Acquire)
    }
}

#[derive(Debug)]
struct Ear {
    topics: BTreeSet<Topic>,
    queue: Sender<Arc<News>>,
    lagged: Arc<AtomicBool>,
}

/// All that listen.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    ears: Vec<Ear>,
    number: u64,
}

impl Hub {
    /// Lets one more listen, unless too many do.
    pub(crate) fn listen(&mut self, topics: BTreeSet<Topic>) -> Option<Listener> {
        self.ears.retain(|ear| !ear.queue.is_closed());
        if self.ears.len() >= LISTENERS_MAX {
            return None;
        }
        let (queue, inbox) = channel(QUEUE);
        let lagged = Arc::new(AtomicBool::new(false));
        self.ears.push(Ear { topics, queue, lagged: Arc::clone(&lagged) });
        Some(Listener { queue: inbox, lagged })
    }

    /// How many listen.
    pub(crate) const fn listeners(&self) -> usize {
        self.ears.len()
    }

    /// Whether anybody wants to hear of a topic.
    pub(crate) fn is_heard(&self, topic: Topic) -> bool {
        self.ears.iter().any(|ear| ear.topics.contains(&topic))
    }

    /// Tells everybody who listens to a topic.
    pub(crate) fn tell(&mut self, topic: Topic, data: &Json) {
        self.number += 1;
        let news = Arc::new(News { topic, number: self.number, data: data.to_string() });
        self.ears.retain(|ear| {
            if !ear.topics.contains(&topic) {
                return true;
            }
            match ear.queue.try_send(Arc::clone(&news)) {
                Ok(()) => true,
                Err(TrySendError::Closed(_)) => false,
                Err(TrySendError::Full(_)) => {
                    ear.lagged.store(true, Ordering::Release);
                    false
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_name_topics() {
        for (query, count) in [
            ("", Some(6)),
            ("x=y", Some(6)),
            ("topics=block", Some(1)),
            ("a=b&topics=tx,flow,tx", Some(2)),
            ("topics=", None),
            ("topics=blocks", None),
        ] {
            assert_eq!(Topic::of_query(query).map(|topics| topics.len()), count, "{query}");
        }
    }

    #[test]
    fn who_does_not_keep_up_is_dropped_and_knows_why() {
        let mut hub = Hub::default();
        let mut slow = hub.listen([Topic::Block].into()).unwrap();
        let deaf = hub.listen([Topic::Tx].into()).unwrap();
        for _ in 0..QUEUE {
            hub.tell(Topic::Block, &Json::Null);
        }
        assert!(!slow.has_lagged());
        hub.tell(Topic::Block, &Json::Null);
        assert_eq!((hub.listeners(), slow.has_lagged(), deaf.has_lagged()), (1, true, false));
        let mut got = 0;
        while slow.queue.blocking_recv().is_some() {
            got += 1;
        }
        assert_eq!(got, QUEUE, "what was told before is still there");
        drop(deaf);
        let many: Vec<_> = (0..LISTENERS_MAX + 1).map(|_| hub.listen(Topic::ALL.into())).collect();
        assert_eq!(many.iter().flatten().count(), LISTENERS_MAX);
    }
}
