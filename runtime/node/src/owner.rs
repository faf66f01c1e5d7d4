//! The owner: one thread that alone touches chain, mempool and artifacts, and one loop over what happens.

use std::collections::{BTreeSet, VecDeque};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::time::Instant;

use spec::{Block, BlockHash};
use tokio::sync::oneshot;

use crate::ahead::Counts;
use crate::method::{mining, raw};
use crate::metrics;
use crate::miner::Miner;
use crate::news::{Listener, Topic};
use crate::rpc::envelope::Call;
use crate::rpc::table::{Outcome, dispatch, fit};
use crate::state::Node;
use crate::wait::{Reply, Waits};

/// Everything that can happen to a node.
#[derive(Debug)]
pub(crate) enum Event {
    /// A client calls.
    Call {
        /// What.
        call: Call,
        /// Where the outcome goes.
        reply: Reply,
    },
    /// A client wants to listen.
    Listen {
        /// To what.
        topics: BTreeSet<Topic>,
        /// Where its queue goes; nothing if too many listen.
        reply: oneshot::Sender<Option<Listener>>,
    },
    /// Somebody wants to know what was counted.
    Metrics {
        /// How many clients are connected.
        connections: usize,
        /// Where the page goes.
        reply: oneshot::Sender<String>,
    },
    /// It is time to mine.
    MineDue,
    /// The time of a waiting call has come, or that of a miner's block.
    TimeDue,
    /// Something has come from peers.
    Peers,
    /// The miner has found a block.
    Mined(Box<Block>),
    /// The scripts of a large block have run beside.
    RanAhead {
        /// Which.
        hash: BlockHash,
        /// What they are known to take; nothing if one fails.
        counts: Counts,
    },
    /// The node shall stop.
    Stop,
}

/// So many transactions that wait in the queue one after the other are judged together.
const TOGETHER_MAX: usize = 256;

/// Runs until the node is told to stop or nobody is left to call.
pub(crate) fn run(mut node: Node, events: &Receiver<Event>, own: SyncSender<Event>) {
    let inbox = Inbox { events, ahead: VecDeque::new() };
    node.ahead_mut().begin(own.clone());
    work(&mut node, inbox, Miner::new(own));
    node.save();
}

fn work(node: &mut Node, mut inbox: Inbox<'_>, mut miner: Miner) {
    let mut waits = Waits::default();
    let mut every = node.devnet().mine_every;
    let mut due = every.map(|every| Instant::now() + every);
    loop {
        let next = waits.next_due().into_iter().chain(miner.next_due()).min();
        let event = if node.is_busy_with_peers() { inbox.next_or_peers(due) } else { inbox.next(due, next) };
        let Some(event) = event else { return };
        match event {
            Event::MineDue => due = every.map(|every| Instant::now() + every),
            Event::Mined(_) => miner.found(),
            _ => {}
        }
        step(node, event, &mut inbox, &mut waits);
        // Peers have their turn after each event, and no longer than it takes to look for the next.
        node.work_for_peers();
        node.tell_differences();
        let now = Instant::now();
        waits.answer(node, now);
        miner.follow(node, now);
        if every != node.devnet().mine_every {
            every = node.devnet().mine_every;
            due = every.map(|every| now + every);
        }
        if node.is_stopping() {
            return;
        }
    }
}

/// What has happened and is not dealt with.
struct Inbox<'e> {
    events: &'e Receiver<Event>,
    /// Taken out already.
    ahead: VecDeque<Event>,
}

impl Inbox<'_> {
    /// The next event; a due block goes before waiting calls, so that no flood of calls stops the chain.
    fn next(&mut self, mine_due: Option<Instant>, wait_due: Option<Instant>) -> Option<Event> {
        let now = Instant::now();
        if mine_due.is_some_and(|due| due <= now) {
            return Some(Event::MineDue);
        }
        if let Some(event) = self.ahead.pop_front() {
            return Some(event);
        }
        let Some(due) = mine_due.into_iter().chain(wait_due).min() else { return self.events.recv().ok() };
        let event = if mine_due == Some(due) { Event::MineDue } else { Event::TimeDue };
        match self.events.recv_timeout(due.saturating_duration_since(now)) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => Some(event),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// [`Inbox::next`] that does not wait, for peers do.
    fn next_or_peers(&mut self, mine_due: Option<Instant>) -> Option<Event> {
        if mine_due.is_some_and(|due| due <= Instant::now()) {
            return Some(Event::MineDue);
        }
        match self.ahead.pop_front().map_or_else(|| self.events.try_recv(), Ok) {
            Ok(event) => Some(event),
            Err(TryRecvError::Empty) => Some(Event::Peers),
            Err(TryRecvError::Disconnected) => None,
        }
    }

    /// The calls that offer a transaction and stand next in the queue.
    fn more_transactions(&mut self) -> Vec<(Call, Reply)> {
        let mut more = Vec::new();
        while more.len() + 1 < TOGETHER_MAX {
            match self.ahead.pop_front().or_else(|| self.events.try_recv().ok()) {
                Some(Event::Call { call, reply }) if call.method == raw::SEND => more.push((call, reply)),
                Some(other) => {
                    self.ahead.push_front(other);
                    break;
                }
                None => break,
            }
        }
        more
    }
}

fn step(node: &mut Node, event: Event, inbox: &mut Inbox<'_>, waits: &mut Waits) {
    match event {
        // Where each transaction has its block, each comes by itself.
        Event::Call { call, reply } if call.method == raw::SEND && !node.mines_each() => {
            let (calls, replies): (Vec<Call>, Vec<Reply>) =
                std::iter::once((call, reply)).chain(inbox.more_transactions()).unzip();
            for (reply, outcome) in replies.into_iter().zip(raw::send_all(node, calls)) {
                let _ = reply.send(outcome);
            }
        }
        Event::Call { call, reply } if call.method == mining::SUBMIT => match fit(call) {
            Ok((_, args)) => node.offer_block(&args, reply),
            Err(error) => drop(reply.send(Err(error))),
        },
        Event::Call { call, reply } => match dispatch(node, call) {
            // A client that went away misses its answer; the call still counts.
            Outcome::Done(outcome) => drop(reply.send(outcome)),
            Outcome::Parked(wait) => waits.park(node, wait, reply, Instant::now()),
        },
        // Who went away does not listen.
        Event::Listen { topics, reply } => drop(reply.send(node.hub_mut().listen(topics))),
        Event::Metrics { connections, reply } => drop(reply.send(metrics::page(node, connections))),
        Event::MineDue => node.mine_on_schedule(),
        // It may have come too late; then the chain says so. After an order to stop nothing is added any more.
        Event::Mined(_) if node.mining_lock().is_none() => {}
        Event::Mined(block) => drop(node.accept_block(*block)),
        Event::RanAhead { hash, counts } => node.ran_ahead(hash, counts),
        Event::TimeDue | Event::Peers => {}
        Event::Stop => node.stop(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use chain::Workers;
    use spec::{Height, Network};

    use super::*;
    use crate::config::Config;
    use crate::warmup::Warmup;

    #[test]
    fn a_block_that_is_found_after_mining_was_ended_is_not_added() {
        let config = Config { network: Network::Test, ..Config::default() };
        let mut node = Node::new(&config, None, &mut Warmup::new(None)).unwrap();
        let lock = vec![0x51];
        node.set_mining(Some(lock.clone()));
        let mut block = node.next_block().unwrap();
        block.header = chain::search(block.header, 0..=u32::MAX, Workers::all(), &|| true).unwrap();
        let (_events, queue) = sync_channel(1);
        let found = |node: &mut Node| {
            let mut inbox = Inbox { events: &queue, ahead: VecDeque::new() };
            step(node, Event::Mined(Box::new(block.clone())), &mut inbox, &mut Waits::default());
            node.tip().entry.height
        };
        node.set_mining(None);
        assert_eq!(found(&mut node), Height::GENESIS);
        node.set_mining(Some(lock));
        assert_eq!(found(&mut node), Height::new(1));
    }
}
