//! Headers first, then their blocks from several peers at a time.

use std::collections::BTreeMap;

use spec::{Block, BlockHash, BlockHeader};

use super::Hub;
use crate::ledger::{HeaderRefusal, Known, Ledger, Verdict};
use crate::limits::{ANNOUNCED_MAX, FIRST_BLOCK_MS, HEADERS_MAX, IN_FLIGHT_MAX, LIGHT_HEADERS_MAX, UNCONNECTED_MAX};
use crate::message::{Inventory, Message, Span};
use crate::peer::PeerId;
use crate::score::Offence;

impl Hub {
    /// Asks a peer for what comes after a header.
    pub(super) fn ask_headers(&mut self, ledger: &dyn Ledger, now: u64, id: PeerId, after: BlockHash) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.headers_due.get_or_insert(now);
        let span = Span { locator: ledger.locator(&after), stop: BlockHash::default() };
        self.send(id, &Message::GetHeaders(span), now);
    }

    /// Asks a peer for what it has beyond the heaviest header. That one it shall name too, so that we know whether it has it.
    pub(super) fn ask_new_headers(&mut self, ledger: &dyn Ledger, now: u64, id: PeerId) {
        let best = ledger.best_header();
        let below = ledger.known(&best).map(|known| known.header.previous);
        self.ask_headers(ledger, now, id, below.filter(|hash| ledger.known(hash).is_some()).unwrap_or(best));
    }

    pub(super) fn headers(&mut self, ledger: &mut dyn Ledger, now: u64, id: PeerId, headers: &[BlockHeader]) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.headers_due = None;
        let linked = headers.windows(2).all(|pair| matches!(pair, [a, b] if b.previous == a.hash()));
        if !linked {
            return self.offend(id, Offence::InvalidHeader, now);
        }
        let seen = ledger.accept_headers(headers);
        for header in headers.iter().rev().take(ANNOUNCED_MAX) {
            peer.seen.insert(Inventory::Block(header.hash()));
        }
        if let Some(last) = seen.last {
            peer.best = Some(last);
            peer.unconnected = 0;
        }
        let tip_work = ledger.known(&ledger.tip()).map_or(0, |tip| tip.work);
        let is_light = seen.last.and_then(|last| ledger.known(&last)).is_none_or(|last| last.work <= tip_work);
        peer.light_headers = if is_light { peer.light_headers + seen.new } else { 0 };
        if self.is_too_light(ledger, id) {
            return self.close(id, now);
        }
        match (seen.refused, seen.last) {
            (Some(HeaderRefusal::Invalid), _) => self.offend(id, Offence::InvalidHeader, now),
            (Some(HeaderRefusal::Unconnected), _) => self.unconnected(ledger, now, id),
            (None, Some(last)) if headers.len() == HEADERS_MAX => self.ask_headers(ledger, now, id, last),
            (Some(HeaderRefusal::Later) | None, _) => {}
        }
    }

    /// Whether a peer has shown more new headers than any branch needs that catches up with our chain. It may mean well, so it is
    /// only left, and may come again: what it has shown is known then, and the rest follows.
    fn is_too_light(&self, ledger: &dyn Ledger, id: PeerId) -> bool {
        let height = ledger.known(&ledger.tip()).map_or(0, |tip| tip.height.get());
        let max = LIGHT_HEADERS_MAX.saturating_add(usize::try_from(height).unwrap_or(usize::MAX));
        self.peers.get(&id).is_some_and(|peer| peer.light_headers > max)
    }

    /// Somebody is further than we thought, or invents headers.
    fn unconnected(&mut self, ledger: &dyn Ledger, now: u64, id: PeerId) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.unconnected += 1;
        if peer.unconnected > UNCONNECTED_MAX {
            self.offend(id, Offence::Unconnected, now);
        }
        self.ask_new_headers(ledger, now, id);
    }

    pub(super) fn block(&mut self, ledger: &mut dyn Ledger, now: u64, id: PeerId, block: Block, bytes: usize) {
        let hash = block.header.hash();
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.seen.insert(Inventory::Block(hash));
        peer.in_flight.remove(&hash);
        self.download.release(&hash, id);
        let seen = ledger.accept_headers(std::slice::from_ref(&block.header));
        match seen.refused {
            Some(HeaderRefusal::Invalid) => return self.offend(id, Offence::InvalidBlock, now),
            Some(HeaderRefusal::Unconnected) => return self.unconnected(ledger, now, id),
            Some(HeaderRefusal::Later) => return,
            None => {}
        }
        if seen.new > 0 {
            peer.best = Some(hash);
            // Blocks that nobody asked for count as their headers would.
            peer.light_headers += 1;
        }
        if self.is_too_light(ledger, id) {
            return self.close(id, now);
        }
        if ledger.known(&hash).is_none_or(|known| known.has_block) {
            return;
        }
        self.turn_to_heaviest(ledger);
        self.download.keep(hash, block, id, bytes);
        self.connect_next(ledger, now);
    }

    /// Connects the next block if it has come, once the ledger is ready for it. One at a time, so that others have their turn.
    pub(super) fn connect_next(&mut self, ledger: &mut dyn Ledger, now: u64) {
        self.waits = self.download.next().is_some_and(|block| !ledger.is_ready_for(block));
        if self.waits {
            return;
        }
        let Some((from, block)) = self.download.take_next() else { return };
        let hash = block.header.hash();
        match ledger.accept_block(block) {
            Verdict::Kept => {
                self.download.pop();
                self.brought(from, 1, now);
            }
            // Whoever sent it may send it again when the connection comes again, but not at once and for ever.
            Verdict::Nothing if ledger.known(&hash).is_none_or(|known| !known.has_block) => self.close(from, now),
            Verdict::Nothing => {}
            Verdict::Invalid => {
                self.offend(from, Offence::InvalidBlock, now);
                // The header may be condemned now, and all above.
                self.download.replace(None, Vec::new());
            }
        }
    }

    pub(super) fn not_found(&mut self, id: PeerId, items: &[Inventory]) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        for item in items {
            match item {
                Inventory::Block(hash) if peer.in_flight.remove(hash).is_some() => {
                    self.download.release(hash, id);
                    peer.best = None;
                }
                Inventory::Tx(txid) if peer.tx_requests.remove(txid) => {
                    self.tx_requests.remove(txid);
                }
                _ => {}
            }
        }
    }

    /// The heaviest header of a peer that is heavier than the tip and whose block is missing.
    fn heaviest(&self, ledger: &dyn Ledger) -> Option<(BlockHash, Known)> {
        let tip = ledger.known(&ledger.tip()).map_or(0, |tip| tip.work);
        let best = self.peers.values().filter_map(|peer| Some((peer.best?, ledger.known(&peer.best?)?)));
        let missing = best.filter(|(_, known)| known.work > tip && !known.has_block && !known.invalid);
        missing.max_by_key(|(_, known)| known.work)
    }

    /// Whether the path leads to as heavy a header as any, and somebody has it.
    fn is_on_course(&self, ledger: &dyn Ledger, heaviest: &Known) -> bool {
        let target = self.download.target();
        let current = target.and_then(|hash| ledger.known(&hash)).filter(|current| !current.invalid);
        !self.download.is_empty()
            && current.is_some_and(|current| current.work == heaviest.work)
            && self.peers.values().any(|peer| peer.best == target)
    }

    fn turn_to_heaviest(&mut self, ledger: &dyn Ledger) {
        while self.download.first().and_then(|hash| ledger.known(hash)).is_some_and(|known| known.has_block) {
            self.download.pop();
        }
        let Some((target, known)) = self.heaviest(ledger) else {
            if !self.download.is_empty() {
                self.download.replace(None, Vec::new());
            }
            return;
        };
        if self.is_on_course(ledger, &known) {
            return;
        }
        let last = self.download.last().copied();
        let more = ledger.missing_blocks(&target, last.as_ref());
        let below = more.first().and_then(|first| ledger.known(first)).map(|known| known.header.previous);
        if last.is_some() && below == last {
            self.download.extend(target, more);
        } else {
            self.download.replace(Some(target), more);
        }
    }

    /// Asks for what is missing, of whoever has it and owes little.
    pub(super) fn schedule(&mut self, ledger: &dyn Ledger, now: u64) {
        self.turn_to_heaviest(ledger);
        let mut asks: BTreeMap<PeerId, Vec<Inventory>> = BTreeMap::new();
        let first = self.download.first().copied();
        for hash in self.download.wanted() {
            let is_late = |since| Some(hash) == first && now.saturating_sub(since) > FIRST_BLOCK_MS;
            if self.download.asked(&hash).is_some_and(|asked| !is_late(asked.since)) {
                continue;
            }
            let Some(id) = self.least_busy(&hash) else { continue };
            self.download.ask(hash, id, now);
            if let Some(peer) = self.peers.get_mut(&id) {
                peer.in_flight.insert(hash, now);
            }
            asks.entry(id).or_default().push(Inventory::Block(hash));
        }
        for (id, items) in asks {
            self.send(id, &Message::GetData(items), now);
        }
    }

    /// Who has a block of the path, has not been asked for it, and owes the fewest others.
    fn least_busy(&self, hash: &BlockHash) -> Option<PeerId> {
        let place = self.download.place(hash)?;
        let has = |best: &BlockHash| self.download.place(best).is_some_and(|last| last >= place);
        let able = self.peers.iter().filter(|(_, peer)| {
            peer.is_ready()
                && peer.in_flight.len() < IN_FLIGHT_MAX
                && !peer.in_flight.contains_key(hash)
                && peer.best.as_ref().is_some_and(has)
        });
        able.min_by_key(|(_, peer)| peer.in_flight.len()).map(|(id, _)| *id)
    }
}
