//! The next block: which transactions, what coinbase, which nonce.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};

use spec::block::merkle_root;
use spec::hash::{Sha256Stream, sha256};
use spec::script::push_data;
use spec::{Block, BlockHeader, Height, OutPoint, Sats, Transaction, TxIn, TxOut};

use crate::block::{COINBASE_BYTES_MIN, by_text, height_push};
use crate::mempool::{Entry, Mempool, Package, Packages};
use crate::params::Params;
use crate::state::Chain;
use crate::store::Store;
use crate::transaction::{Place, check_finality};
use crate::workers::Workers;

/// A block that lacks only its proof of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The block; its nonce is 0.
    pub block: Block,
    /// The fees that its coinbase collects.
    pub fees: Sats,
}

/// Room for the header, the count of transactions and the coinbase.
const BLOCK_BYTES_RESERVED: usize = 2_000;

/// Builds the next block from the waiting transactions that pay most for their bytes, at `now`, and pays its coinbase to `lock`.
///
/// `extra` goes into the coinbase's script, cut to 60 bytes; different texts make different blocks.
#[must_use]
pub fn build_template<S: Store>(chain: &Chain<S>, mempool: &Mempool, lock: &[u8], extra: &[u8], now: u32) -> Template {
    let (tip, place) = (chain.tip(), chain.next_place());
    let room = Room {
        bytes: chain.params().block_bytes_max.saturating_sub(BLOCK_BYTES_RESERVED + lock.len()),
        sig_checks: chain.params().block_sig_checks_max(),
    };
    let mut chosen = choose(mempool, place, room);
    chosen.sort_unstable_by(|a, b| by_text(&a.txid, &b.txid));
    let fees = Sats::checked_sum(chosen.iter().map(|entry| entry.fee)).unwrap_or(Sats::ZERO);
    let coinbase = coinbase(chain.params(), place.height, fees, lock, extra);
    let txids = std::iter::once(coinbase.txid()).chain(chosen.iter().map(|entry| entry.txid));
    let header = BlockHeader {
        version: 0x2000_0000,
        previous: tip.hash,
        merkle_root: merkle_root(txids),
        time: now.max(place.median_time_past.saturating_add(1)),
        bits: chain.target_after(&tip.hash).unwrap_or(chain.params().target_limit),
        nonce: 0,
    };
    let transactions = std::iter::once(coinbase).chain(chosen.iter().map(|entry| (*entry.tx).clone())).collect();
    Template { block: Block { header, transactions }, fees }
}

/// The transaction that pays subsidy and `fees` to `lock`, padded to the least size of a coinbase.
#[must_use]
pub fn coinbase(params: &Params, height: Height, fees: Sats, lock: &[u8], extra: &[u8]) -> Transaction {
    let value = params.subsidy(height).checked_add(fees).unwrap_or(params.subsidy(height));
    let mut tx = Transaction {
        version: 2,
        inputs: vec![TxIn { prevout: OutPoint::COINBASE, unlock: height_push(height), sequence: u32::MAX }],
        outputs: vec![TxOut::plain(value, lock.to_vec())],
        locktime: 0,
    };
    let lacking = COINBASE_BYTES_MIN.saturating_sub(tx.len_bytes());
    let mut tag: Vec<u8> = extra.iter().copied().take(60).collect();
    if tag.len() < lacking {
        tag.resize(lacking, 0);
    }
    if let Some(input) = tx.inputs.first_mut() {
        push_data(&mut input.unlock, &tag);
    }
    tx
}

/// Looks for a nonce with which the header meets its target.
#[must_use]
pub fn solve(header: BlockHeader, mut nonces: RangeInclusive<u32>) -> Option<BlockHeader> {
    let target = header.bits.target()?;
    let bytes = header.encode();
    let (fixed, nonce_at_end) = bytes.split_at(bytes.len() - 4);
    debug_assert_eq!(nonce_at_end, header.nonce.to_le_bytes());
    // All but the nonce is hashed once.
    let mut before = Sha256Stream::default();
    before.update(fixed);
    let meets = |nonce: u32| {
        let mut stream = before.clone();
        stream.update(&nonce.to_le_bytes());
        let mut hash = sha256(&stream.finish());
        hash.reverse();
        hash <= target
    };
    nonces.find(|nonce| meets(*nonce)).map(|nonce| BlockHeader { nonce, ..header })
}

/// So many nonces are tried before the others are looked at.
const NONCES_AT_ONCE: u32 = 1 << 14;

/// So many are tried by the calling thread alone.
const NONCES_ALONE: u32 = 256;

/// [`solve`] on several threads, as long as `go_on` says so; the lowest nonce, whatever the number of threads.
///
/// ```
/// use chain::{Params, Workers, search};
/// let genesis = Params::of(spec::Network::Main).genesis().header;
/// let found = search(genesis, 0..=100_000, Workers::all(), &|| true);
/// assert_eq!(found, Some(genesis));
/// assert_eq!(search(genesis, 0..=100_000, Workers::all(), &|| false), None);
/// ```
#[must_use]
pub fn search(
    header: BlockHeader,
    nonces: RangeInclusive<u32>,
    workers: Workers,
    go_on: &(dyn Fn() -> bool + Sync),
) -> Option<BlockHeader> {
    if !go_on() || nonces.is_empty() {
        return None;
    }
    // Where work is trivial, no thread is worth its start.
    let few = nonces.start().saturating_add(NONCES_ALONE).min(*nonces.end());
    if let Some(solved) = solve(header, *nonces.start()..=few) {
        return Some(solved);
    }
    // What lies beyond the last nonce shows that all were given out.
    let (next, found) = (AtomicU64::new(u64::from(few) + 1), AtomicU64::new(u64::MAX));
    let end = u64::from(*nonces.end());
    let work = || {
        while go_on() {
            let first = next.fetch_add(u64::from(NONCES_AT_ONCE), Ordering::Relaxed);
            if first > end.min(found.load(Ordering::Relaxed)) {
                return;
            }
            let last = end.min(first + u64::from(NONCES_AT_ONCE) - 1);
            let range = u32::try_from(first).unwrap_or(u32::MAX)..=u32::try_from(last).unwrap_or(u32::MAX);
            if let Some(solved) = solve(header, range) {
                found.fetch_min(u64::from(solved.nonce), Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers.count() {
            scope.spawn(work);
        }
        work();
    });
    u32::try_from(found.into_inner()).ok().map(|nonce| BlockHeader { nonce, ..header })
}

#[derive(Clone, Copy)]
struct Room {
    bytes: usize,
    sig_checks: u64,
}

impl Room {
    fn take(&mut self, bytes: usize, sig_checks: u64) -> bool {
        let left = self.bytes.checked_sub(bytes).zip(self.sig_checks.checked_sub(sig_checks));
        if let Some((bytes, sig_checks)) = left {
            *self = Self { bytes, sig_checks };
        }
        left.is_some()
    }
}

/// Takes the best-paying packages as long as there is room.
fn choose(mempool: &Mempool, place: Place, mut room: Room) -> Vec<&Entry> {
    let mut chosen = Vec::new();
    Packages::of(mempool).for_each(|package| {
        if package.fee < 0 || package.entries.iter().any(|entry| check_finality(&entry.tx, place).is_err()) {
            return false;
        }
        if room.take(package.bytes, package.sig_checks) {
            chosen.extend(&package.entries);
            return true;
        }
        take_part(package, &mut room, &mut chosen);
        false
    });
    chosen
}

/// Takes what fits of a package that does not: each whose parents in it were taken.
fn take_part<'m>(package: &Package<'m>, room: &mut Room, chosen: &mut Vec<&'m Entry>) {
    let mut left_out = BTreeSet::new();
    for entry in &package.entries {
        let orphan = entry.tx.inputs.iter().any(|input| left_out.contains(&input.prevout.txid));
        if !orphan && room.take(entry.len_bytes, entry.sig_checks) {
            chosen.push(entry);
        } else {
            left_out.insert(entry.txid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;

    #[test]
    fn the_lowest_nonce_is_found_on_any_number_of_threads() {
        let genesis = Params::of(spec::Network::Main).genesis().header;
        for time in 0..4 {
            let header = BlockHeader { time: genesis.time + time, ..genesis };
            let lowest =
                (0..=u32::MAX).map(|nonce| BlockHeader { nonce, ..header }).find(BlockHeader::meets_target).unwrap();
            assert_eq!(solve(header, 0..=u32::MAX), Some(lowest));
            for threads in [1, 2, 5] {
                let workers = Workers::new(NonZeroUsize::new(threads).unwrap());
                assert_eq!(search(header, 0..=u32::MAX, workers, &|| true), Some(lowest), "{threads} threads");
                assert_eq!(search(header, 0..=lowest.nonce, workers, &|| true), Some(lowest), "{threads} threads");
                let none = lowest.nonce.checked_sub(1).and_then(|end| search(header, 0..=end, workers, &|| true));
                assert_eq!(none, None, "{threads} threads");
            }
        }
    }
}
