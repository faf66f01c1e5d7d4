//! The next block: which transactions, what coinbase, which nonce.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::ops::RangeInclusive;

use spec::block::merkle_root;
use spec::script::push_data;
use spec::{Block, BlockHeader, Height, OutPoint, Sats, Transaction, TxIn, TxOut, Txid};

use crate::block::{COINBASE_BYTES_MIN, by_text, height_push};
use crate::mempool::{Entry, Mempool};
use crate::params::Params;
use crate::state::Chain;
use crate::store::Store;
use crate::transaction::{Place, check_finality};

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
pub fn solve(header: BlockHeader, nonces: RangeInclusive<u32>) -> Option<BlockHeader> {
    nonces.map(|nonce| BlockHeader { nonce, ..header }).find(BlockHeader::meets_target)
}

#[derive(Clone, Copy)]
struct Room {
    bytes: usize,
    sig_checks: u64,
}

impl Room {
    fn take(&mut self, entry: &Entry) -> bool {
        let left = self.bytes.checked_sub(entry.len_bytes).zip(self.sig_checks.checked_sub(entry.sig_checks));
        if let Some((bytes, sig_checks)) = left {
            *self = Self { bytes, sig_checks };
        }
        left.is_some()
    }
}

/// Orders entries by fee for each byte; of equals, the smaller id is the greater.
struct ByRate<'a>(&'a Entry);

impl Ord for ByRate<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let cross = |a: &Entry, b: &Entry| u128::from(a.fee.get()) * b.len_bytes as u128;
        cross(self.0, other.0).cmp(&cross(other.0, self.0)).then_with(|| other.0.txid.cmp(&self.0.txid))
    }
}

impl PartialOrd for ByRate<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByRate<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for ByRate<'_> {}

/// Takes the best-paying entries whose parents are all taken, as long as there is room.
fn choose(mempool: &Mempool, place: Place, mut room: Room) -> Vec<&Entry> {
    let mut missing: BTreeMap<Txid, BTreeSet<Txid>> = BTreeMap::new();
    let mut ready = BinaryHeap::new();
    for entry in mempool.entries().filter(|entry| check_finality(&entry.tx, place).is_ok()) {
        let parents = mempool.parents(&entry.txid);
        if parents.is_empty() {
            ready.push(ByRate(entry));
        } else {
            missing.insert(entry.txid, parents);
        }
    }
    let mut chosen = Vec::new();
    while let Some(ByRate(entry)) = ready.pop() {
        if !room.take(entry) {
            continue;
        }
        chosen.push(entry);
        for child in mempool.children(&entry.txid) {
            let Some(parents) = missing.get_mut(&child) else { continue };
            parents.remove(&entry.txid);
            if parents.is_empty() {
                missing.remove(&child);
                ready.extend(mempool.get(&child).map(ByRate));
            }
        }
    }
    chosen
}
