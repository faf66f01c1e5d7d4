//! The rules of one block: its header at its place, and its body by itself.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use spec::block::{merkle_parent, merkle_root};
use spec::codec::compact_size_len;
use spec::hash::sha256d;
use spec::script::push_int;
use spec::{Block, BlockHeader, CompactTarget, Height, Transaction, Txid};

use crate::error::{BlockError, TxError};
use crate::params::Params;
use crate::transaction::{Place, check_coinbase_shape, check_finality, check_shape};
use crate::workers::{Jobs, Workers};

/// The fewest bytes of a coinbase.
pub const COINBASE_BYTES_MIN: usize = 100;
/// How far a block's time may run ahead of the checker's.
pub const FUTURE_SECS_MAX: u32 = 2 * 60 * 60;

/// The header's own rules at its place. `due` is the target due there, `now` the checker's time.
pub(crate) fn check_header(header: &BlockHeader, due: CompactTarget, place: Place, now: u32) -> Result<(), BlockError> {
    if header.bits != due {
        return Err(BlockError::WrongTarget);
    }
    if !header.meets_target() {
        return Err(BlockError::HighHash);
    }
    check_header_data(header, place, now)
}

/// [`check_header`] without proof of work.
pub(crate) fn check_header_data(header: &BlockHeader, place: Place, now: u32) -> Result<(), BlockError> {
    if header.version < 4 {
        return Err(BlockError::Version);
    }
    if header.time <= place.median_time_past {
        return Err(BlockError::TimeTooOld);
    }
    if header.time > now.saturating_add(FUTURE_SECS_MAX) { Err(BlockError::TimeTooNew) } else { Ok(()) }
}

/// What the bytes of a block's transactions say: their ids, and how many bytes the block has.
pub(crate) struct Ids {
    pub(crate) txids: Vec<Txid>,
    len_bytes: usize,
}

impl Ids {
    pub(crate) fn of(block: &Block, workers: Workers) -> Self {
        let some = |positions: Range<usize>| {
            let mut bytes = Vec::new();
            let mut one = |tx: &Transaction| {
                bytes.clear();
                tx.write(&mut bytes);
                (Txid::from_wire(sha256d(&bytes)), bytes.len())
            };
            block.transactions.get(positions).into_iter().flatten().map(&mut one).collect()
        };
        let all = Jobs::small(block.transactions.len()).map_groups(workers, some);
        let before = block.header.encode().len() + compact_size_len(all.len() as u64);
        Self {
            len_bytes: before + all.iter().map(|(_, len)| len).sum::<usize>(),
            txids: all.into_iter().map(|(txid, _)| txid).collect(),
        }
    }
}

/// The body's rules that need no coins.
pub(crate) fn check_body(
    params: &Params,
    block: &Block,
    ids: &Ids,
    place: Place,
    workers: Workers,
) -> Result<(), BlockError> {
    let txids = ids.txids.as_slice();
    if block.transactions.is_empty() || ids.len_bytes > params.block_bytes_max {
        return Err(BlockError::Length);
    }
    check_txids(txids)?;
    if root(txids, workers) != block.header.merkle_root {
        return Err(BlockError::MerkleRoot);
    }
    let (coinbase, others) = block.transactions.split_first().ok_or(BlockError::Length)?;
    if !coinbase.is_coinbase() {
        return Err(BlockError::NoCoinbase);
    }
    if others.iter().any(Transaction::is_coinbase) {
        return Err(BlockError::ManyCoinbases);
    }
    check_transactions(block, txids, place, workers)?;
    check_coinbase(coinbase, place.height)
}

/// The ids below one hash that a thread takes on; a power of two.
const SUBTREE: usize = 256;

/// The root of [`merkle_root`], on all threads.
fn root(txids: &[Txid], workers: Workers) -> [u8; 32] {
    let parts: Vec<&[Txid]> = txids.chunks(SUBTREE).collect();
    if parts.len() < 2 {
        return merkle_root(txids.iter().copied());
    }
    let top = |at: usize| Txid::from_wire(parts.get(at).map(|part| subtree_top(part)).unwrap_or_default());
    merkle_root(Jobs::new(parts.len()).map(workers, top))
}

/// The hash over some ids that stands as many levels above them as it does above [`SUBTREE`] ids.
fn subtree_top(txids: &[Txid]) -> [u8; 32] {
    let mut level: Vec<[u8; 32]> = txids.iter().map(|txid| *txid.as_wire()).collect();
    for _ in 0..SUBTREE.trailing_zeros() {
        level = level.chunks(2).filter_map(|pair| Some(merkle_parent(pair.first()?, pair.get(1)))).collect();
    }
    level.first().copied().unwrap_or_default()
}

/// No id twice, which also refuses the lists that share a Merkle root with this one; ascending after the coinbase.
fn check_txids(txids: &[Txid]) -> Result<(), BlockError> {
    let Some((coinbase, ordinary)) = txids.split_first() else { return Ok(()) };
    let ascends = ordinary.is_sorted_by(|a, b| by_text(a, b).is_lt());
    if ascends && ordinary.binary_search_by(|other| by_text(other, coinbase)).is_err() {
        return Ok(());
    }
    let mut sorted = txids.to_vec();
    sorted.sort_unstable_by(by_text);
    let twice = sorted.windows(2).any(|pair| matches!(pair, [a, b] if a == b));
    Err(if twice { BlockError::DuplicateTransaction } else { BlockError::Order })
}

/// Ids are ordered as the numbers that their text shows, so by their wire bytes from the last to the first.
pub(crate) fn by_text(a: &Txid, b: &Txid) -> Ordering {
    words(a).cmp(words(b))
}

/// The number that an id's text shows, the highest 64 bits first.
fn words(txid: &Txid) -> impl Iterator<Item = u64> {
    txid.as_wire().as_chunks().0.iter().rev().map(|word| u64::from_le_bytes(*word))
}

fn check_transactions(block: &Block, txids: &[Txid], place: Place, workers: Workers) -> Result<(), BlockError> {
    let check = |position: usize| {
        let Some((tx, txid)) = block.transactions.get(position).zip(txids.get(position)) else { return Ok(()) };
        let shape = if position == 0 { check_coinbase_shape(tx) } else { check_shape(tx) };
        shape.and_then(|()| check_finality(tx, place)).map_err(|error| refused(position, *txid, error))
    };
    Jobs::small(block.transactions.len()).run(workers, check).map(drop).map_err(|(_, error)| error)
}

/// A block error that blames a transaction, unless the store is to blame.
pub(crate) fn refused(position: usize, txid: Txid, error: TxError) -> BlockError {
    match error {
        TxError::Store(error) => BlockError::Store(error),
        error => BlockError::Transaction { position, txid, error },
    }
}

fn check_coinbase(coinbase: &Transaction, height: Height) -> Result<(), BlockError> {
    if coinbase.len_bytes() < COINBASE_BYTES_MIN {
        return Err(BlockError::CoinbaseSize);
    }
    let opens = coinbase.inputs.first().is_some_and(|input| input.unlock.starts_with(&height_push(height)));
    if opens { Ok(()) } else { Err(BlockError::CoinbaseHeight) }
}

/// What a coinbase's script opens with (BIP 34). It makes every coinbase's id unique.
pub(crate) fn height_push(height: Height) -> Vec<u8> {
    let mut script = Vec::new();
    push_int(&mut script, i64::from(height.get()));
    script
}

/// The positions of `transactions` in an order in which each comes after those among them that it spends from; otherwise as they stand.
///
/// Blocks order by id, so a child may stand before its parent.
#[must_use]
pub fn parents_first(transactions: &[&Transaction], txids: &[Txid]) -> Vec<usize> {
    let places: BTreeMap<&Txid, usize> = txids.iter().enumerate().map(|(place, txid)| (txid, place)).collect();
    let mut children: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut waiting: BTreeMap<usize, usize> = BTreeMap::new();
    let mut ready = BTreeSet::new();
    for (place, tx) in transactions.iter().enumerate() {
        let parents: BTreeSet<usize> =
            tx.inputs.iter().filter_map(|input| places.get(&input.prevout.txid).copied()).collect();
        if parents.is_empty() {
            ready.insert(place);
        }
        waiting.insert(place, parents.len());
        parents.into_iter().for_each(|parent| children.entry(parent).or_default().push(place));
    }
    let mut order = Vec::with_capacity(transactions.len());
    while let Some(place) = ready.pop_first() {
        order.push(place);
        for child in children.remove(&place).unwrap_or_default() {
            if let Some(left) = waiting.get_mut(&child) {
                *left -= 1;
                if *left == 0 {
                    ready.insert(child);
                }
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::{OutPoint, Sats, TxIn, TxOut};

    fn child_of(parent: Txid) -> Transaction {
        let prevout = OutPoint { txid: parent, index: 0 };
        Transaction {
            version: 2,
            inputs: vec![TxIn { prevout, unlock: vec![], sequence: 0 }],
            outputs: vec![TxOut::plain(Sats::ONE, vec![0x51])],
            locktime: 0,
        }
    }

    #[test]
    fn parents_come_first_whatever_the_order() {
        let mut chain = vec![child_of(Txid::from_wire([9; 32]))];
        for _ in 0..50 {
            chain.push(child_of(chain.last().unwrap().txid()));
        }
        chain.sort_by(|a, b| by_text(&a.txid(), &b.txid()));
        let txids: Vec<_> = chain.iter().map(Transaction::txid).collect();
        let refs: Vec<_> = chain.iter().collect();
        let order = parents_first(&refs, &txids);
        assert_eq!(order.len(), chain.len());
        for (done, place) in order.iter().enumerate() {
            let parent = chain[*place].inputs[0].prevout.txid;
            if let Some(parent) = txids.iter().position(|txid| *txid == parent) {
                assert!(order[..done].contains(&parent));
            }
        }
    }

    #[test]
    fn the_root_does_not_depend_on_threads() {
        let txids: Vec<Txid> = (0..20_000u32).map(|at| Txid::from_wire(sha256d(&at.to_le_bytes()))).collect();
        let workers = Workers::new(std::num::NonZeroUsize::new(3).unwrap());
        for count in [0, 1, 2, 255, 256, 257, 258, 511, 512, 513, 767, 769, 1_025, 12_001, 12_289, 16_384, 20_000] {
            let txids = &txids[..count];
            let expected = merkle_root(txids.iter().copied());
            assert_eq!([Workers::ONE, workers].map(|workers| root(txids, workers)), [expected; 2], "{count}");
        }
    }

    #[test]
    fn ids_ascend_after_the_first_and_none_comes_twice() {
        let (twice, order) = (Err(BlockError::DuplicateTransaction), Err(BlockError::Order));
        let rows = [
            (&[][..], Ok(())),
            (&[7], Ok(())),
            (&[7, 1, 2, 9], Ok(())),
            (&[7, 2, 1], order),
            (&[1, 2, 2, 3], twice.clone()),
            (&[1, 3, 2, 3], twice.clone()),
            (&[2, 2], twice.clone()),
            (&[2, 1, 2, 3], twice.clone()),
            (&[2, 3, 2, 1], twice),
        ];
        for (ids, expected) in rows {
            let txids: Vec<Txid> = ids.iter().map(|id| Txid::from_wire([*id; 32])).collect();
            assert_eq!(check_txids(&txids), expected, "{ids:?}");
        }
    }

    #[test]
    fn ids_are_ordered_as_their_text_shows_them() {
        let (small, large) = (Txid::from_wire([9; 32]), {
            let mut bytes = [0; 32];
            bytes[31] = 10;
            Txid::from_wire(bytes)
        });
        assert!(small.to_string() < large.to_string());
        let coinbase = Txid::from_wire([0xff; 32]);
        assert_eq!(check_txids(&[coinbase, small, large]), Ok(()));
        assert_eq!(check_txids(&[coinbase, large, small]), Err(BlockError::Order));
        assert_eq!(check_txids(&[coinbase, small, small]), Err(BlockError::DuplicateTransaction));
    }
}
