//! The node itself.

use crate::json::{Json, list, object, text};
use crate::logs::{LogLevels, UnknownLog};
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::{Args, shorten};
use crate::rpc::{help as pages, table};
use crate::state::Node;

pub(crate) fn help(_: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let Some(name) = args.get::<String>(0)? else { return Ok(Json::Text(pages::overview())) };
    // bitcoind answers an unknown name with a text instead of an error, too.
    let page =
        table::find(&name).map_or_else(|| format!("help: unknown command: {}", shorten(&name)), pages::of_method);
    Ok(Json::Text(page))
}

pub(crate) fn stop(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    node.stop();
    Ok(Json::from("Bitmodel node stopping"))
}

pub(crate) fn uptime(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    Ok(Json::from(node.clock().uptime_secs()))
}

pub(crate) fn rpc_info(_: &mut Node, _: &Args) -> Result<Json, RpcError> {
    // Calls run one at a time, so while this one runs it is the only one.
    let this = object([("method", Json::from("getrpcinfo")), ("duration", Json::from(0u32))]);
    Ok(object([("active_commands", list([this])), ("logpath", Json::from(""))]))
}

pub(crate) fn engine_info(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    let engine = node.engine();
    let counts = engine.counts();
    Ok(object([
        ("engine", Json::from(engine.tier().name())),
        ("accepted_by_register_code", Json::from(counts.accepted)),
        ("accepted_by_machine_code", Json::from(counts.jitted)),
        ("left_to_the_oracle", Json::from(counts.left)),
        ("oracle_alone", Json::from(counts.direct)),
        ("cache_hits", Json::from(counts.hits)),
        ("cache_misses", Json::from(counts.misses)),
        ("cache_evictions", Json::from(counts.evicted)),
        ("cache_bytes", Json::from(counts.bytes)),
        ("compiled", Json::from(counts.compiled)),
        ("compiled_again", Json::from(counts.improved)),
        ("compiler_crashes", Json::from(counts.crashed)),
        ("never_compiled", Json::from(counts.refused)),
        ("queue_full", Json::from(counts.skipped)),
        ("machine_code_bytes", Json::from(counts.machine_bytes)),
    ]))
}

pub(crate) fn set_mock_time(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    if node.network() != spec::Network::Devnet {
        return Err(RpcError::new(Code::Misc, "setmocktime is for regression testing (-regtest mode) only"));
    }
    let time = args.int_in(0, 0..=i64::from(u32::MAX))?.unwrap_or(0);
    node.set_mock_time(u32::try_from(time).ok().filter(|time| *time != 0));
    Ok(Json::Null)
}

pub(crate) fn logging(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let mut levels = node.logs().levels();
    let unknown = |error: UnknownLog| RpcError::new(Code::InvalidParameter, error.to_string());
    levels.set(&args.get::<Vec<String>>(0)?.unwrap_or_default(), true).map_err(unknown)?;
    // Who is named twice says nothing more, as with bitcoind.
    levels.set(&args.get::<Vec<String>>(1)?.unwrap_or_default(), false).map_err(unknown)?;
    node.logs().set(levels.clone());
    Ok(Json::Object(levels.parts().map(|(name, loud)| (name.to_owned(), Json::from(loud))).collect()))
}

pub(crate) fn set_log_level(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let levels: LogLevels =
        args.text(0)?.parse().map_err(|error: UnknownLog| RpcError::new(Code::InvalidParameter, error.to_string()))?;
    node.logs().set(levels.clone());
    Ok(text(levels))
}
