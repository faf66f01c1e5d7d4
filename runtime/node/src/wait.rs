//! Calls that wait for the chain to change, without holding up anybody.

use std::time::{Duration, Instant};

use spec::{BlockHash, Height};
use tokio::sync::oneshot;

use crate::json::Json;
use crate::rpc::error::{Code, RpcError};
use crate::state::Node;

/// So many calls may wait at the same time.
const WAITING_MAX: usize = 100;

/// What a call waits for, and how long at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    /// What has to come.
    pub(crate) what: Change,
    /// For ever without it.
    pub(crate) patience: Option<Duration>,
    /// What is answered then.
    pub(crate) answer: fn(&Node) -> Result<Json, RpcError>,
}

/// A change of the tip.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// It is another than this.
    From(BlockHash),
    /// It is this.
    To(BlockHash),
    /// It is at least so high.
    Height(Height),
}

impl Change {
    fn has_come(self, node: &Node) -> bool {
        let tip = node.tip();
        match self {
            Self::From(hash) => tip.hash != hash,
            Self::To(hash) => tip.hash == hash,
            Self::Height(height) => tip.entry.height >= height,
        }
    }
}

/// Where an answer goes.
pub(crate) type Reply = oneshot::Sender<Result<Json, RpcError>>;

#[derive(Debug)]
struct Parked {
    wait: Wait,
    until: Option<Instant>,
    reply: Reply,
}

/// The calls that wait.
#[derive(Debug, Default)]
pub(crate) struct Waits(Vec<Parked>);

impl Waits {
    /// Lets one more call wait, unless its change has come or too many wait.
    // A client that went away misses its answer, here and below.
    pub(crate) fn park(&mut self, node: &Node, wait: Wait, reply: Reply, now: Instant) {
        if wait.what.has_come(node) {
            let _ = reply.send((wait.answer)(node));
            return;
        }
        self.0.retain(|parked| !parked.reply.is_closed());
        if self.0.len() >= WAITING_MAX {
            let _ = reply.send(Err(RpcError::new(Code::Misc, "too many calls wait already")));
            return;
        }
        // A time that no clock reaches is none.
        let until = wait.patience.and_then(|patience| now.checked_add(patience));
        self.0.push(Parked { wait, until, reply });
    }

    /// Answers those whose change has come, and those whose time has.
    pub(crate) fn answer(&mut self, node: &Node, now: Instant) {
        let due = |parked: &mut Parked| {
            parked.wait.what.has_come(node) || node.is_stopping() || parked.until.is_some_and(|until| until <= now)
        };
        for parked in self.0.extract_if(.., due) {
            let _ = parked.reply.send((parked.wait.answer)(node));
        }
    }

    /// When the next call's time comes.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.0.iter().filter_map(|parked| parked.until).min()
    }
}
