//! Large blocks: their scripts run beside the owner, who answers clients meanwhile and connects the block when they have.
//!
//! One at a time. What else comes then is judged by the owner alone, as small blocks are.

use std::collections::BTreeMap;
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::Instant;

use spec::{Block, BlockHash, Txid};

use crate::json::Json;
use crate::method::mining;
use crate::owner::Event;
use crate::rpc::error::RpcError;
use crate::rpc::params::Args;
use crate::state::Node;
use crate::wait::Reply;

/// Blocks with fewer inputs whose scripts have not run are judged at once, in some milliseconds.
const INPUTS_MIN: usize = 256;

fn is_large(block: &Block) -> bool {
    block.transactions.iter().map(|tx| tx.inputs.len()).sum::<usize>() >= INPUTS_MIN
}

/// The signature checks of transactions whose scripts succeed.
pub(crate) type Counts = BTreeMap<Txid, u64>;

/// A block that a client offered.
#[derive(Debug)]
struct Offer {
    block: Block,
    since: Instant,
    reply: Reply,
}

/// The block whose scripts run beside, or have.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    events: Option<SyncSender<Event>>,
    running: Option<BlockHash>,
    done: Option<(BlockHash, Counts)>,
    /// Who offered the block that is running.
    offers: Vec<Offer>,
}

impl Ahead {
    /// Where what was found goes; nothing runs beside before.
    pub(crate) fn begin(&mut self, events: SyncSender<Event>) {
        self.events = Some(events);
    }

    /// What was found of a block, and is then forgotten.
    pub(crate) fn take(&mut self, hash: &BlockHash) -> Counts {
        self.done.take_if(|(done, _)| done == hash).map(|(_, counts)| counts).unwrap_or_default()
    }
}

impl Node {
    /// Whether a block can be judged now, because it is small or its scripts have run; if not, they run beside.
    pub(crate) fn is_ready_for(&mut self, block: &Block) -> bool {
        let hash = block.header.hash();
        if self.ahead().done.as_ref().is_some_and(|(done, _)| *done == hash) {
            return true;
        }
        // Another one first, if it is no small block.
        if self.ahead().running.is_some() {
            return !is_large(block);
        }
        !self.run_ahead(block)
    }

    /// Lets a block's scripts run beside; false if that is not worth it, or cannot be.
    fn run_ahead(&mut self, block: &Block) -> bool {
        let Some(events) = self.ahead().events.clone() else { return false };
        let mempool = self.mempool();
        let looked = self.chain().look_ahead(block, self.clock().now(), INPUTS_MIN, &|txid| mempool.verified(txid));
        // What cannot be read will be told when the block is judged.
        let Ok(Some(ahead)) = looked else { return false };
        let hash = block.header.hash();
        let run = move || {
            // An owner that is gone needs no verdict.
            let _ = events.send(Event::RanAhead { hash, counts: ahead.run().unwrap_or_default() });
        };
        let started = thread::Builder::new().name("scripts".to_owned()).spawn(run).is_ok();
        self.ahead_mut().running = Some(hash).filter(|_| started);
        started
    }

    /// A client offers a block: it is answered at once, or when the block's scripts have run.
    pub(crate) fn offer_block(&mut self, args: &Args, reply: Reply) {
        let since = Instant::now();
        match mining::offered(args) {
            Ok(block) => {
                let hash = block.header.hash();
                let offer = Offer { block, since, reply };
                let waits = self.ahead().running == Some(hash)
                    || (self.ahead().running.is_none() && !self.is_ready_for(&offer.block));
                if waits { self.ahead_mut().offers.push(offer) } else { self.answer_offer(offer) }
            }
            Err(error) => self.answer(reply, Err(error), since),
        }
    }

    fn answer_offer(&mut self, offer: Offer) {
        let outcome = mining::submit(self, offer.block);
        self.answer(offer.reply, outcome, offer.since);
    }

    fn answer(&mut self, reply: Reply, outcome: Result<Json, RpcError>, since: Instant) {
        self.counts_mut().call(mining::SUBMIT, outcome.is_err(), since.elapsed());
        // A client that went away misses its answer.
        let _ = reply.send(outcome);
    }

    /// The scripts of a block have run: whoever waits for it is answered.
    pub(crate) fn ran_ahead(&mut self, hash: BlockHash, counts: Counts) {
        let ahead = self.ahead_mut();
        (ahead.running, ahead.done) = (None, Some((hash, counts)));
        for offer in std::mem::take(&mut ahead.offers) {
            self.answer_offer(offer);
        }
        self.look_at_peers();
    }
}
