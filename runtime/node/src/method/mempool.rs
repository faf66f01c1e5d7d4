//! The waiting transactions.

use std::collections::BTreeSet;

use chain::{DoubleSpend, Entry, Mempool};
use spec::{Sats, Txid};

use crate::json::{Json, hex, list, object, signed_amount, text};
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::Args;
use crate::state::Node;

/// What an entry takes in memory besides its bytes, roughly.
const ENTRY_OVERHEAD_BYTES: usize = 500;

pub(crate) fn info(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    let mempool = node.mempool();
    let fee_rate = node.relay_fee_per_kb();
    Ok(object([
        ("loaded", Json::from(true)),
        ("size", Json::from(mempool.len())),
        ("bytes", Json::from(mempool.len_bytes())),
        ("usage", Json::from(mempool.len_bytes() + mempool.len() * ENTRY_OVERHEAD_BYTES)),
        ("total_fee", Json::from(mempool.fees())),
        ("maxmempool", Json::from(mempool.policy().mempool_bytes_max)),
        ("mempoolminfee", Json::from(mempool.fee_rate_min(node.clock().now()))),
        ("minrelaytxfee", Json::from(fee_rate)),
        ("incrementalrelayfee", Json::from(fee_rate)),
        ("unbroadcastcount", Json::from(0u32)),
        ("fullrbf", Json::from(false)),
    ]))
}

pub(crate) fn list_all(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let entries = node.mempool().entries();
    if args.flag(0, false)? {
        return Ok(by_id(node, entries));
    }
    let ids = list(entries.map(|entry| text(entry.txid)));
    Ok(if args.flag(1, false)? {
        object([("txids", ids), ("mempool_sequence", Json::from(node.mempool().changes()))])
    } else {
        ids
    })
}

pub(crate) fn entry(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let txid: Txid = args.id(0)?;
    Ok(entry_view(node, find(node, &txid)?, &mut RELATIONS_MAX.clone()))
}

fn find<'n>(node: &'n Node, txid: &Txid) -> Result<&'n Entry, RpcError> {
    node.mempool().get(txid).ok_or_else(|| RpcError::new(Code::NotFound, "Transaction not in mempool"))
}

pub(crate) fn ancestors(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    relatives(node, args, |mempool, txid| mempool.ancestors(txid))
}

pub(crate) fn descendants(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    relatives(node, args, |mempool, txid| mempool.descendants(txid))
}

fn relatives(node: &Node, args: &Args, of: fn(&Mempool, &Txid) -> BTreeSet<Txid>) -> Result<Json, RpcError> {
    let txid: Txid = args.id(0)?;
    find(node, &txid)?;
    let found = of(node.mempool(), &txid);
    if !args.flag(1, false)? {
        return Ok(list(found.into_iter().map(text)));
    }
    Ok(by_id(node, found.iter().filter_map(|txid| node.mempool().get(txid))))
}

/// So many relatives are counted in one answer. Counting those of all of a long chain would take the square of its length.
const RELATIONS_MAX: usize = 1_000_000;

fn by_id<'n>(node: &Node, entries: impl Iterator<Item = &'n Entry>) -> Json {
    let mut budget = RELATIONS_MAX;
    Json::Object(entries.map(|entry| (entry.txid.to_string(), entry_view(node, entry, &mut budget))).collect())
}

/// An entry; without counts of its relatives once the budget for counting is used up.
fn entry_view(node: &Node, entry: &Entry, budget: &mut usize) -> Json {
    let mempool = node.mempool();
    let believed = believed_fee(mempool, entry);
    let view = object([
        ("size", Json::from(entry.len_bytes)),
        ("vsize", Json::from(entry.len_bytes)),
        ("weight", Json::from(entry.len_bytes.saturating_mul(4))),
        ("fee", Json::from(entry.fee)),
        ("modifiedfee", signed_amount(believed)),
        ("time", Json::from(entry.time)),
        ("height", Json::from(entry.height)),
    ]);
    let fees = object([("base", Json::from(entry.fee)), ("modified", signed_amount(believed))]);
    let (view, fees) = match Relatives::of(mempool, entry, budget) {
        Some(relatives) => relatives.add_to(view, fees),
        None => (view, fees),
    };
    view.merge(object([
        ("fees", fees),
        ("wtxid", text(entry.txid)),
        ("depends", list(mempool.parents(&entry.txid).into_iter().map(text))),
        ("spentby", list(mempool.children(&entry.txid).into_iter().map(text))),
        ("bip125-replaceable", Json::from(false)),
        ("unbroadcast", Json::from(false)),
        ("opcost", Json::from(entry.cost.get())),
        ("sigchecks", Json::from(entry.sig_checks)),
    ]))
    .with_some("doublespend", mempool.double_spend(&entry.txid).map(double_spend))
}

/// A rival of a waiting transaction.
pub(crate) fn double_spend(report: &DoubleSpend) -> Json {
    let outpoint = object([("txid", text(report.outpoint.txid)), ("vout", Json::from(report.outpoint.index))]);
    object([
        ("txid", text(report.first)),
        ("rival", text(report.rival_txid)),
        ("outpoint", outpoint),
        ("time", Json::from(report.time)),
        ("hex", hex(report.rival.encode())),
    ])
}

/// What miners believe that a transaction pays, in satoshis.
fn believed_fee(mempool: &Mempool, entry: &Entry) -> i128 {
    i128::from(entry.fee.get()) + i128::from(mempool.priority(&entry.txid))
}

/// A transaction with all that it builds on, and with all that builds on it: how many, their bytes, what they pay.
struct Relatives {
    ancestors: (usize, usize, i128),
    descendants: (usize, usize, i128),
}

impl Relatives {
    fn of(mempool: &Mempool, entry: &Entry, budget: &mut usize) -> Option<Self> {
        let mut sums = |found: BTreeSet<Txid>| {
            let members = found.iter().filter_map(|txid| mempool.get(txid)).chain([entry]);
            let sums = members.fold((0, 0, 0), |(count, bytes, fee), one| {
                (count + 1, bytes + one.len_bytes, fee + believed_fee(mempool, one))
            });
            *budget = budget.checked_sub(sums.0)?;
            Some(sums)
        };
        Some(Self {
            ancestors: sums(mempool.ancestors(&entry.txid))?,
            descendants: sums(mempool.descendants(&entry.txid))?,
        })
    }

    fn add_to(&self, view: Json, fees: Json) -> (Json, Json) {
        let ((up, up_bytes, up_fee), (down, down_bytes, down_fee)) = (self.ancestors, self.descendants);
        let view = view
            .with("descendantcount", down)
            .with("descendantsize", down_bytes)
            .with("ancestorcount", up)
            .with("ancestorsize", up_bytes);
        (view, fees.with("ancestor", signed_amount(up_fee)).with("descendant", signed_amount(down_fee)))
    }
}

pub(crate) fn prioritise(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let txid: Txid = args.id(0)?;
    if args.amount(1)?.is_some_and(|dummy| dummy != Sats::ZERO) {
        let message = "Priority is no longer supported, dummy argument to prioritisetransaction must be 0.";
        return Err(RpcError::new(Code::InvalidParameter, message));
    }
    node.mempool_mut().prioritise(txid, args.int(2)?.unwrap_or(0));
    Ok(Json::from(true))
}

pub(crate) fn priorities(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    let mempool = node.mempool();
    let view = |(txid, sats): (&Txid, i64)| {
        let waiting =
            object([("fee_delta", Json::from(sats)), ("in_mempool", Json::from(mempool.get(txid).is_some()))]);
        (txid.to_string(), waiting)
    };
    Ok(Json::Object(mempool.priorities().map(view).collect()))
}
