//! Block templates for miners outside (BIP 22 and 23).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chain::{BlockError, Status};
use serde::Deserialize;
use spec::{BlockHash, Transaction, Txid};

use crate::json::{Json, hex, list, object, text};
use crate::method::mining::{decode_block, verdict};
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::{Args, parse_id};
use crate::rpc::table::Outcome;
use crate::state::Node;
use crate::view::block::{bits, target};
use crate::view::tx::total_out;
use crate::wait::{Change, Wait};

/// After so long a miner that asked to be told of changes is given a template with new transactions.
const LONG_POLL: Duration = Duration::from_secs(60);

/// What a miner asks for. Capabilities and rules that it names change nothing here.
#[derive(Default, Deserialize)]
struct Request {
    #[serde(default)]
    mode: Option<String>,
    #[serde(default)]
    data: Option<String>,
    #[serde(default)]
    longpollid: Option<String>,
}

pub(crate) fn get(node: &Node, args: &Args) -> Result<Outcome, RpcError> {
    let request: Request = args.get(0)?.unwrap_or_default();
    match (request.mode.as_deref(), request.longpollid) {
        (None | Some("template"), None) => Ok(Outcome::Done(template(node))),
        (None | Some("template"), Some(id)) => {
            let known: BlockHash = parse_id(id.get(..64).unwrap_or(&id), "longpollid")?;
            Ok(Outcome::Parked(Wait { what: Change::From(known), patience: Some(LONG_POLL), answer: template }))
        }
        (Some("proposal"), _) => {
            let data = request.data.ok_or_else(|| RpcError::new(Code::Type, "Missing data String key for proposal"))?;
            Ok(Outcome::Done(propose(node, &data)))
        }
        (Some(_), _) => Err(RpcError::new(Code::InvalidParameter, "Invalid mode")),
    }
}

/// Nothing for a block that lacks only its proof of work, otherwise the reason.
fn propose(node: &Node, data: &str) -> Result<Json, RpcError> {
    let block = decode_block(data)?;
    match node.chain().header(&block.header.hash()).map(|entry| entry.status) {
        Some(Status::Fine) => return Ok(Json::from("duplicate")),
        Some(Status::Invalid) => return Ok(Json::from("duplicate-invalid")),
        None => {}
    }
    match node.test_block(&block) {
        Ok(()) => Ok(Json::Null),
        Err(BlockError::Orphan) => Ok(Json::from("inconclusive-not-best-prevblk")),
        Err(error) => verdict(error),
    }
}

fn template(node: &Node) -> Result<Json, RpcError> {
    let template = node.open_template();
    let (header, params) = (template.block.header, node.chain().params());
    let (coinbase, others) = template
        .block
        .transactions
        .split_first()
        .ok_or_else(|| RpcError::new(Code::Internal, "the template has no coinbase"))?;
    let place = node.chain().next_place();
    Ok(object([
        ("capabilities", list(["proposal"])),
        ("version", Json::from(header.version)),
        ("previousblockhash", text(header.previous)),
        ("transactions", list(transactions(node, others))),
        ("coinbaseaux", object([("flags", Json::from(""))])),
        ("coinbasevalue", Json::from(total_out(coinbase).get())),
        ("longpollid", Json::Text(format!("{}{}", header.previous, node.mempool().changes()))),
        ("target", target(header.bits)),
        ("mintime", Json::from(place.median_time_past.saturating_add(1))),
        ("mutable", list(["time", "transactions", "prevblock"])),
        ("noncerange", Json::from("00000000ffffffff")),
        ("sigchecklimit", Json::from(params.block_sig_checks_max())),
        ("sizelimit", Json::from(params.block_bytes_max)),
        // Clients made for Bitcoin ask for these.
        ("sigoplimit", Json::from(params.block_sig_checks_max())),
        ("weightlimit", Json::from(4 * params.block_bytes_max)),
        ("rules", list(std::iter::empty::<Json>())),
        ("vbavailable", object([])),
        ("vbrequired", Json::from(0u32)),
        ("curtime", Json::from(header.time)),
        ("bits", bits(header.bits)),
        ("height", Json::from(place.height)),
    ]))
}

/// In the order of their ids, so a child may come before its parent; `depends` counts from 1 as the coinbase is none of them.
fn transactions(node: &Node, others: &[Transaction]) -> Vec<Json> {
    let txids: Vec<Txid> = others.iter().map(Transaction::txid).collect();
    let numbers: BTreeMap<&Txid, usize> = txids.iter().zip(1..).collect();
    let one = |(tx, txid): (&Transaction, &Txid)| {
        let entry = node.mempool().get(txid);
        let depends: BTreeSet<usize> =
            tx.inputs.iter().filter_map(|input| numbers.get(&input.prevout.txid).copied()).collect();
        object([("data", hex(tx.encode())), ("txid", text(txid)), ("hash", text(txid)), ("depends", list(depends))])
            .with_some("fee", entry.map(|entry| entry.fee.get()))
            .with_some("sigchecks", entry.map(|entry| entry.sig_checks))
            // Clients made for Bitcoin ask for these.
            .with_some("sigops", entry.map(|entry| entry.sig_checks))
            .with("weight", 4 * tx.encode().len())
    };
    others.iter().zip(&txids).map(one).collect()
}
