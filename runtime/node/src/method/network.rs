//! Peers, of which there are none yet, and addresses.

use spec::Address;
use spec::address::Payee;

use crate::json::{Json, hex, list, object, text};
use crate::rpc::error::RpcError;
use crate::rpc::params::Args;
use crate::state::Node;

/// The crate's version as bitcoind counts: two digits each for minor, revision and build.
const VERSION: u32 = 10_000;
/// The wire protocol's version that blocks and transactions follow.
const PROTOCOL_VERSION: u32 = 70_016;

pub(crate) fn connection_count(_: &mut Node, _: &Args) -> Result<Json, RpcError> {
    Ok(Json::from(0u32))
}

pub(crate) fn peers(_: &mut Node, _: &Args) -> Result<Json, RpcError> {
    Ok(list::<Json>([]))
}

pub(crate) fn info(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    Ok(object([
        ("version", Json::from(VERSION)),
        ("subversion", Json::from(concat!("/Bitmodel:", env!("CARGO_PKG_VERSION"), "/"))),
        ("protocolversion", Json::from(PROTOCOL_VERSION)),
        ("localservices", Json::from("0000000000000000")),
        ("localservicesnames", list::<Json>([])),
        ("localrelay", Json::from(true)),
        ("timeoffset", Json::from(0u32)),
        ("networkactive", Json::from(false)),
        ("connections", Json::from(0u32)),
        ("connections_in", Json::from(0u32)),
        ("connections_out", Json::from(0u32)),
        ("networks", list::<Json>([])),
        ("relayfee", Json::from(node.relay_fee_per_kb())),
        ("incrementalfee", Json::from(node.relay_fee_per_kb())),
        ("localaddresses", list::<Json>([])),
        ("warnings", Json::from("")),
    ]))
}

pub(crate) fn validate_address(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let Ok(address) = Address::parse(&args.text(0)?, node.network()) else {
        return Ok(object([("isvalid", Json::from(false))]));
    };
    let is_script = match address.payee() {
        Payee::KeyHash(_) => false,
        Payee::ScriptHash20(_) | Payee::ScriptHash32(_) => true,
    };
    Ok(object([
        ("isvalid", Json::from(true)),
        ("address", text(address)),
        ("scriptPubKey", hex(address.lock())),
        ("isscript", Json::from(is_script)),
    ]))
}
