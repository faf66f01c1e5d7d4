//! The owner: one thread that alone touches chain, mempool and artifacts, and one loop over what happens.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::json::Json;
use crate::rpc::envelope::Call;
use crate::rpc::error::RpcError;
use crate::rpc::table::dispatch;
use crate::state::Node;

/// Everything that can happen to a node.
#[derive(Debug)]
pub(crate) enum Event {
    /// A client calls.
    Call {
        /// What.
        call: Call,
        /// Where the outcome goes.
        reply: oneshot::Sender<Result<Json, RpcError>>,
    },
    /// It is time to mine.
    MineDue,
    /// The node shall stop.
    Stop,
}

/// Runs until the node is told to stop or nobody is left to call.
pub(crate) fn run(mut node: Node, events: &Receiver<Event>, mine_every: Option<Duration>) {
    work(&mut node, events, mine_every);
    node.save();
}

fn work(node: &mut Node, events: &Receiver<Event>, mine_every: Option<Duration>) {
    let mut due = mine_every.map(|every| Instant::now() + every);
    while let Some(event) = next(events, due) {
        if matches!(event, Event::MineDue) {
            due = mine_every.map(|every| Instant::now() + every);
        }
        step(node, event);
        node.tell_differences();
        if node.is_stopping() {
            return;
        }
    }
}

/// The next event; a due block goes before waiting calls, so that no flood of calls stops the chain.
fn next(events: &Receiver<Event>, due: Option<Instant>) -> Option<Event> {
    let Some(due) = due else { return events.recv().ok() };
    let wait = due.saturating_duration_since(Instant::now());
    if wait.is_zero() {
        return Some(Event::MineDue);
    }
    match events.recv_timeout(wait) {
        Ok(event) => Some(event),
        Err(RecvTimeoutError::Timeout) => Some(Event::MineDue),
        Err(RecvTimeoutError::Disconnected) => None,
    }
}

fn step(node: &mut Node, event: Event) {
    match event {
        Event::Call { call, reply } => {
            // A client that went away misses its answer; the call still counts.
            let _ = reply.send(dispatch(node, call));
        }
        Event::MineDue => node.mine_on_schedule(),
        Event::Stop => node.stop(),
    }
}
