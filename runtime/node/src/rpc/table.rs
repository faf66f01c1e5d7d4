//! The table of methods: names, parameters, help and code in one place.
//!
//! Dispatch, the `help` method and the errors for wrong parameters all read it.

use std::time::Instant;

use crate::json::Json;
use crate::method::{
    artifact, blocks, build, combine, control, data, devnet, mempool, mining, network, outputs, proof, raw, spends,
    template, token, trace, waits, wallet,
};
use crate::rpc::envelope::Call;
use crate::rpc::error::{Code, RpcError};
use crate::rpc::help;
use crate::rpc::params::{Args, Kind, Misfit, Param, may, need};
use crate::state::Node;
use crate::wait::Wait;

/// Methods that belong together in `help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// Blocks, headers and outputs.
    Blockchain,
    /// The node itself.
    Control,
    /// Making blocks.
    Mining,
    /// Peers.
    Network,
    /// Transactions as bytes.
    Rawtransactions,
    /// Addresses.
    Util,
    /// Coins by address.
    Wallet,
    /// What only this node has.
    Bitmodel,
}

impl Group {
    /// All of them, in the order of `help`.
    pub(crate) const ALL: [Self; 8] = [
        Self::Blockchain,
        Self::Control,
        Self::Mining,
        Self::Network,
        Self::Rawtransactions,
        Self::Util,
        Self::Wallet,
        Self::Bitmodel,
    ];
}

/// One method.
#[derive(Debug)]
pub(crate) struct Method {
    /// Its name.
    pub(crate) name: &'static str,
    /// Where `help` lists it.
    pub(crate) group: Group,
    /// Its parameters.
    pub(crate) params: &'static [Param],
    /// What it does, in a line.
    pub(crate) about: &'static str,
    /// Parameters of an example call, as JSON values separated by commas.
    pub(crate) example: &'static str,
    run: Run,
}

/// What a method does.
#[derive(Debug)]
enum Run {
    /// It answers at once.
    Now(fn(&mut Node, &Args) -> Result<Json, RpcError>),
    /// It may say what to wait for, and answer when that has come.
    Later(fn(&Node, &Args) -> Result<Outcome, RpcError>),
}

/// What came of a call.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The answer.
    Done(Result<Json, RpcError>),
    /// The answer comes later.
    Parked(Wait),
}

impl Method {
    /// Whether its answer may come long after the call.
    pub(crate) const fn may_wait(&self) -> bool {
        matches!(self.run, Run::Later(_))
    }
}

/// Runs a call.
///
/// The error is [`Code::MethodNotFound`], [`Code::Misc`] with the method's help where the number of parameters is wrong, or what the method says.
pub(crate) fn dispatch(node: &mut Node, call: Call) -> Outcome {
    let (method, args) = match fit(call) {
        Ok(fitted) => fitted,
        Err(error) => return Outcome::Done(Err(error)),
    };
    let started = Instant::now();
    let outcome = match method.run {
        Run::Now(run) => Outcome::Done(run(node, &args)),
        Run::Later(run) => run(node, &args).unwrap_or_else(|error| Outcome::Done(Err(error))),
    };
    let failed = matches!(outcome, Outcome::Done(Err(_)));
    node.counts_mut().call(method.name, failed, started.elapsed());
    outcome
}

/// The method that a call means, with its parameters in order.
pub(crate) fn fit(call: Call) -> Result<(&'static Method, Args), RpcError> {
    let method = find(&call.method).ok_or_else(|| RpcError::new(Code::MethodNotFound, "Method not found"))?;
    let args = Args::fit(method.params, call.params).map_err(|misfit| match misfit {
        Misfit::Count => RpcError::new(Code::Misc, help::of_method(method)),
        Misfit::Error(error) => error,
    })?;
    Ok((method, args.at_wallet(call.wallet)))
}

/// The method of this name.
pub(crate) fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

macro_rules! methods {
    (@run later $run:path) => { Run::Later($run) };
    (@run $run:path) => { Run::Now($run) };
    ($($group:ident { $($name:literal ($($param:expr),*) $([$when:ident])? $run:path, $about:literal, $example:literal;)* })*) => {
        /// Every method.
        pub(crate) static METHODS: &[Method] = &[$($(Method {
            name: $name,
            group: Group::$group,
            params: &[$($param),*],
            about: $about,
            example: $example,
            run: methods!(@run $($when)? $run),
        },)*)*];
    };
}

methods! {
    Blockchain {
        "getbestblockhash" () blocks::best_hash, "The hash of the block at the tip.", "";
        "getblock" (need("blockhash", Kind::Text), may("verbosity", Kind::Level)) blocks::block,
            "A block: 0 as hexadecimal bytes, 1 with the ids of its transactions, 2 with the transactions, 3 also with what their inputs spend.",
            "\"hash\", 1";
        "getblockchaininfo" () blocks::info, "The state of the chain.", "";
        "getblockcount" () blocks::count, "The height of the block at the tip.", "";
        "getblockhash" (need("height", Kind::Int)) blocks::hash_at, "The hash of the block at a height of the active chain.", "0";
        "getblockheader" (need("blockhash", Kind::Text), may("verbose", Kind::Level)) blocks::header,
            "A block's header, as an object or as hexadecimal bytes.", "\"hash\", true";
        "getchaintips" () blocks::tips, "The ends of all branches.", "";
        "getdifficulty" () blocks::difficulty, "How much harder than the easiest target of the public chain the next block is.", "";
        "getmempoolancestors" (need("txid", Kind::Text), may("verbose", Kind::Bool)) mempool::ancestors,
            "The waiting transactions that one builds on, directly or not.", "\"txid\", false";
        "getmempooldescendants" (need("txid", Kind::Text), may("verbose", Kind::Bool)) mempool::descendants,
            "The waiting transactions that build on one, directly or not.", "\"txid\", false";
        "getmempoolentry" (need("txid", Kind::Text)) mempool::entry, "A waiting transaction's fee, size and relations.", "\"txid\"";
        "getmempoolinfo" () mempool::info, "The state of the mempool.", "";
        "getrawmempool" (may("verbose", Kind::Bool), may("mempool_sequence", Kind::Bool)) mempool::list_all,
            "The waiting transactions: their ids, or an object for each.", "true";
        "invalidateblock" (need("blockhash", Kind::Text)) blocks::invalidate,
            "Declares a block invalid, with all that build on it.", "\"hash\"";
        "pruneblockchain" (need("height", Kind::Int)) blocks::prune,
            "Drops blocks up to a height, or older than a time, but none of the last 288; gives the height of the last that is gone.", "1000";
        "prunedata" (need("height", Kind::Int)) data::prune,
            "Drops long data outputs from blocks up to a height, but of none of the last 288; all else of them stays. Says from which height on blocks are whole, and whether another call may drop more.",
            "1000";
        "reconsiderblock" (need("blockhash", Kind::Text)) blocks::reconsider,
            "Takes back `invalidateblock`.", "\"hash\"";
        "gettxout" (need("txid", Kind::Text), need("n", Kind::Int), may("include_mempool", Kind::Bool)) outputs::output,
            "An unspent output; nothing if it is spent or never was.", "\"txid\", 0";
        "gettxoutproof" (need("txids", Kind::List), may("blockhash", Kind::Text)) proof::make,
            "A proof that transactions are in a block.", "[\"txid\"]";
        "gettxoutsetinfo" (may("hash_type", Kind::Text)) outputs::set_info, "How many unspent outputs there are, what they hold, and their hash unless the type is `none`.", "\"none\"";
        "verifychain" (may("checklevel", Kind::Int), may("nblocks", Kind::Int)) blocks::verify,
            "Checks the last blocks again, 0 for all: 0 reads them, 1 checks them by themselves, 2 reads what they changed, 3 takes them back beside the coins, 4 runs all scripts.",
            "3, 6";
        "scantxoutset" (need("action", Kind::Text), may("scanobjects", Kind::List)) outputs::scan,
            "The unspent outputs of `addr(…)`, `raw(…)`, `pkh(…)` and `combo(…)`; it reads an index, so there is nothing to abort.", "\"start\", [\"addr(address)\"]";
        "verifytxoutproof" (need("proof", Kind::Text)) proof::verify,
            "The transactions that a proof shows to be in a block of the active chain; none if it shows nothing.", "\"hex\"";
        "waitforblock" (need("blockhash", Kind::Text), may("timeout", Kind::Int)) [later] waits::for_block,
            "Waits until a block is the tip, at most so many milliseconds, 0 for ever; then gives the tip.", "\"hash\", 1000";
        "waitforblockheight" (need("height", Kind::Int), may("timeout", Kind::Int)) [later] waits::for_height,
            "Waits until the tip is at least so high, at most so many milliseconds, 0 for ever; then gives the tip.", "100, 1000";
        "waitfornewblock" (may("timeout", Kind::Int)) [later] waits::for_new_block,
            "Waits until the tip is another one, at most so many milliseconds, 0 for ever; then gives the tip.", "1000";
    }
    Control {
        "getrpcinfo" () control::rpc_info, "What this server is doing.", "";
        "help" (may("command", Kind::Text)) control::help, "This list, or the help of one method.", "\"getblock\"";
        "logging" (may("include", Kind::List), may("exclude", Kind::List)) control::logging,
            "Which parts of the node say all in the log; changes that while it runs.", "[\"http\"], [\"mempool\"]";
        "setmocktime" (need("timestamp", Kind::Int)) control::set_mock_time,
            "Stops the node's clock at a time, in seconds since 1970; 0 lets it run again.", "1800000000";
        "stop" () control::stop, "Stops the node.", "";
        "uptime" () control::uptime, "Seconds since the node started.", "";
    }
    Mining {
        "generateblock" (need("output", Kind::Text), need("transactions", Kind::List)) mining::generate_block,
            "Mines one block with just these transactions, given as ids of waiting ones or as bytes.", "\"address\", []";
        "generatetoaddress" (need("nblocks", Kind::Int), need("address", Kind::Text), may("maxtries", Kind::Int)) mining::generate,
            "Mines blocks that pay an address.", "10, \"address\"";
        "getblocktemplate" (may("template_request", Kind::Object)) [later] template::get,
            "What the next block may hold, for a miner outside; with the mode `proposal` whether a block lacks only its proof of work (BIP 22, 23).", "{}";
        "getmininginfo" () mining::info, "What matters to a miner.", "";
        "getnetworkhashps" (may("nblocks", Kind::Int), may("height", Kind::Int)) mining::network_rate,
            "How many hashes a second the last blocks took, by their times.", "120";
        "getprioritisedtransactions" () mempool::priorities, "What `prioritisetransaction` said of which transactions.", "";
        "prioritisetransaction" (need("txid", Kind::Text), may("dummy", Kind::Amount), may("fee_delta", Kind::Int)) mempool::prioritise,
            "Lets the miner believe that a transaction pays so many satoshis more, or less, than it does.", "\"txid\", 0, 10000";
        "submitblock" (need("hexdata", Kind::Text), may("dummy", Kind::Text)) mining::submit_now,
            "Offers a block; nothing if it was accepted, otherwise the reason why not.", "\"hex\"";
        "submitheader" (need("hexdata", Kind::Text)) mining::submit_header,
            "Offers a header whose block may come later; nothing if it was accepted.", "\"hex\"";
    }
    Network {
        "addnode" (need("node", Kind::Text), need("command", Kind::Text)) network::add,
            "Calls another node now and whenever the connection is gone (`add`), no more (`remove`), or once (`onetry`).",
            "\"192.0.2.1:18444\", \"add\"";
        "addpeeraddress" (need("address", Kind::Text), need("port", Kind::Int), may("tried", Kind::Bool)) network::learn,
            "Makes the address of another node known, for tests.", "\"192.0.2.1\", 18444";
        "clearbanned" () network::clear_bans, "Lets everybody in again.", "";
        "disconnectnode" (may("address", Kind::Text), may("nodeid", Kind::Int)) network::disconnect,
            "Ends the connection to a peer, by its address or its number.", "\"192.0.2.1:18444\"";
        "getaddednodeinfo" (may("node", Kind::Text)) network::added, "The nodes that were added, and whether they are connected.", "";
        "getconnectioncount" () network::connection_count, "How many peers are connected.", "";
        "getnettotals" () network::totals, "How many bytes came from peers and were sent to them.", "";
        "getnetworkinfo" () network::info, "The state of the network.", "";
        "getnodeaddresses" (may("count", Kind::Int), may("network", Kind::Text)) network::addresses,
            "Addresses of other nodes that peers have told of; all of them with 0.", "8";
        "getpeerinfo" () network::peers, "The peers.", "";
        "listbanned" () network::bans, "Who is not let in, and for how long.", "";
        "ping" () network::ping, "Asks every peer whether it is there; `getpeerinfo` shows how long the answer took.", "";
        "setban" (need("subnet", Kind::Text), need("command", Kind::Text), may("bantime", Kind::Int), may("absolute", Kind::Bool)) network::set_ban,
            "Keeps an address or a subnet out (`add`), for a day or so many seconds, or until a time; or lets it in again (`remove`).",
            "\"192.0.2.0/24\", \"add\", 3600";
        "setnetworkactive" (need("state", Kind::Bool)) network::set_active, "Lets there be connections, or ends all and refuses new ones.", "true";
    }
    Rawtransactions {
        "combinerawtransaction" (need("txs", Kind::List)) combine::combine,
            "One transaction with the signatures of several parts of it.", "[\"hex\", \"hex\"]";
        "createrawtransaction" (need("inputs", Kind::List), need("outputs", Kind::Outputs), may("locktime", Kind::Int), may("replaceable", Kind::Bool)) build::create,
            "The bytes of a transaction that is not signed, from `{txid, vout, sequence}` and from addresses with their amounts; `data` is bytes, and an amount may be `{amount, tokenData}`.",
            "[{\"txid\": \"id\", \"vout\": 0}], {\"address\": 0.01}";
        "decoderawtransaction" (need("hexstring", Kind::Text)) raw::decode, "A transaction's bytes as an object.", "\"hex\"";
        "decodescript" (need("hexstring", Kind::Text)) raw::decode_script, "A script's bytes as an object.", "\"76a988ac\"";
        "getrawtransaction" (need("txid", Kind::Text), may("verbose", Kind::Level), may("blockhash", Kind::Text)) raw::get,
            "A transaction: 0 as hexadecimal bytes, 1 as an object, 2 also with its fee and what it spends.", "\"txid\", 1";
        "sendrawtransaction" (need("hexstring", Kind::Text), may("maxfeerate", Kind::Amount)) raw::send,
            "Offers a transaction to the mempool; its id if it was accepted.", "\"hex\"";
        "signrawtransactionwithkey" (need("hexstring", Kind::Text), need("privkeys", Kind::List), may("prevtxs", Kind::List), may("sighashtype", Kind::Text)) build::sign_with_key,
            "Signs a transaction with keys; what it spends is looked up, or given as `{txid, vout, scriptPubKey, amount, tokenData}`.", "\"hex\", [\"key\"]";
        "testmempoolaccept" (need("rawtxs", Kind::List), may("maxfeerate", Kind::Amount)) raw::test_accept,
            "Whether the mempool would accept a transaction, and if not, why.", "[\"hex\"]";
    }
    Util {
        "validateaddress" (need("address", Kind::Text)) network::validate_address, "Whether a text is an address, and of what.", "\"address\"";
    }
    Wallet {
        "createwallet" (need("wallet_name", Kind::Text), may("disable_private_keys", Kind::Bool), may("blank", Kind::Bool), may("passphrase", Kind::Text), may("avoid_reuse", Kind::Bool), may("descriptors", Kind::Bool), may("load_on_startup", Kind::Bool))
            wallet::create, "Makes a wallet with a phrase of its own. Its keys lie in a file without encryption.", "\"name\"";
        "dumpprivkey" (need("address", Kind::Text)) wallet::dump_key, "The private key of an address.", "\"address\"";
        "getaddressinfo" (need("address", Kind::Text)) wallet::address_info, "What the wallet knows of an address.", "\"address\"";
        "getbalance" (may("dummy", Kind::Text), may("minconf", Kind::Int), may("include_watchonly", Kind::Bool)) wallet::balance,
            "What the wallet can spend.", "";
        "getbalances" () wallet::balances, "What the wallet can spend, what waits, and what is too young.", "";
        "getnewaddress" (may("label", Kind::Text), may("address_type", Kind::Text)) wallet::new_address, "An address that was not given out before.", "";
        "getrawchangeaddress" (may("address_type", Kind::Text)) wallet::change_address, "An address for change.", "";
        "getreceivedbyaddress" (need("address", Kind::Text), may("minconf", Kind::Int)) wallet::received_by, "What an address of the wallet was ever paid.", "\"address\"";
        "gettransaction" (need("txid", Kind::Text), may("include_watchonly", Kind::Bool), may("verbose", Kind::Bool)) wallet::transaction,
            "What a transaction does to the wallet.", "\"txid\"";
        "getunconfirmedbalance" () wallet::unconfirmed_balance, "What waiting transactions of others bring.", "";
        "getwalletinfo" () wallet::info, "The state of the wallet.", "";
        "importaddress" (need("address", Kind::Text), may("label", Kind::Text), may("rescan", Kind::Bool), may("p2sh", Kind::Bool)) wallet::import_address,
            "Watches an address or a lock. There is an index, so nothing is read again.", "\"address\"";
        "importprivkey" (need("privkey", Kind::Text), may("label", Kind::Text), may("rescan", Kind::Bool)) wallet::import_key,
            "Takes in a private key.", "\"key\"";
        "listsinceblock" (may("blockhash", Kind::Text), may("target_confirmations", Kind::Int), may("include_watchonly", Kind::Bool)) wallet::list_since,
            "What has happened to the wallet since a block.", "\"hash\"";
        "listtransactions" (may("label", Kind::Text), may("count", Kind::Int), may("skip", Kind::Int), may("include_watchonly", Kind::Bool)) wallet::list_transactions,
            "What has happened to the wallet, the latest last.", "\"*\", 10";
        "listwalletdir" () wallet::folder, "The wallets that can be opened.", "";
        "listwallets" () wallet::names, "The wallets that are open.", "";
        "loadwallet" (need("filename", Kind::Text), may("load_on_startup", Kind::Bool)) wallet::load, "Opens a wallet.", "\"name\"";
        "sendmany" (need("dummy", Kind::Text), need("amounts", Kind::Object), may("minconf", Kind::Int), may("comment", Kind::Text)) wallet::send_many,
            "Pays several addresses.", "\"\", {\"address\": 0.1}";
        "sendtoaddress" (need("address", Kind::Text), need("amount", Kind::Amount), may("comment", Kind::Text), may("comment_to", Kind::Text), may("subtractfeefromamount", Kind::Bool), may("replaceable", Kind::Bool), may("conf_target", Kind::Int), may("estimate_mode", Kind::Text))
            wallet::send_to_address, "Pays an address.", "\"address\", 0.1";
        "signrawtransactionwithwallet" (need("hexstring", Kind::Text), may("prevtxs", Kind::List), may("sighashtype", Kind::Text)) wallet::sign,
            "Signs a transaction with the wallet's keys.", "\"hex\"";
        "unloadwallet" (may("wallet_name", Kind::Text), may("load_on_startup", Kind::Bool)) wallet::unload, "Closes a wallet.", "\"name\"";
        "listunspent" (may("minconf", Kind::Int), may("maxconf", Kind::Int), may("addresses", Kind::List), may("include_unsafe", Kind::Bool), may("query_options", Kind::Object))
            outputs::list_unspent, "The unspent outputs of addresses; without any, those of the wallet.", "0, 9999999, [\"address\"]";
    }
    Bitmodel {
        "bitmodel_dumpstate" () devnet::dump_state, "The blocks of the active chain and what waits, for `bitmodel_loadstate`.", "";
        "bitmodel_faucet" (need("address", Kind::Text), may("amount", Kind::Amount)) devnet::faucet,
            "Pays an address from the default wallet; where that has too little, blocks are mined first.", "\"address\", 10";
        "bitmodel_increasetime" (need("seconds", Kind::Int)) devnet::increase_time, "Puts the clock forward; gives the time.", "3600";
        "bitmodel_loadstate" (need("state", Kind::Object)) devnet::load_state, "Brings back what `bitmodel_dumpstate` gave.", "{}";
        "bitmodel_mine" (need("blocks", Kind::Int), may("seconds_apart", Kind::Int)) devnet::mine,
            "Mines blocks for the first account, each so many seconds after the one before.", "10, 600";
        "bitmodel_reorg" (need("depth", Kind::Int)) devnet::reorg,
            "Replaces the last blocks by one more, which are empty; what the old ones held waits again.", "2";
        "bitmodel_revert" (need("snapshot", Kind::Int)) devnet::revert,
            "Brings back the state of a snapshot, which is then forgotten with those after it; false if there is none.", "1";
        "bitmodel_rollback" (need("depth", Kind::Int)) devnet::rollback, "Takes the last blocks back; what they held waits again.", "2";
        "bitmodel_setautomine" (need("automine", Kind::Bool)) devnet::set_automine, "Lets each transaction have its block at once, or not.", "false";
        "bitmodel_setintervalmining" (need("milliseconds", Kind::Int)) devnet::set_interval, "Mines a block this often; 0 ends it.", "2000";
        "bitmodel_setnextblocktime" (need("timestamp", Kind::Int)) devnet::set_next_block_time, "Gives the next block a time.", "1900000000";
        "bitmodel_snapshot" () devnet::snapshot, "Keeps the state; gives its number.", "";
        "bitmodel_getartifact" (need("lock", Kind::Text)) artifact::get, "The contract registered for a lock, address or redeem script.", "\"address\"";
        "bitmodel_getengineinfo" () control::engine_info,
            "Which engine runs scripts, how many inputs it took which way, and what it keeps.", "";
        "bitmodel_getspends" (need("transaction", Kind::Text)) spends::of_transaction,
            "What a transaction's inputs say to contracts that are registered: the path that each takes, its arguments and the contract's parameters.",
            "\"txid\"";
        "bitmodel_gettoken" (need("category", Kind::Text), may("skip", Kind::Int), may("count", Kind::Int)) token::info,
            "What there is of a token category: the transaction that made it, the sums of its tokens, and the unspent outputs that hold them, at most 500 at a time.",
            "\"category\", 0, 50";
        "bitmodel_listartifacts" () artifact::list_all, "The contracts that are registered.", "";
        "bitmodel_setloglevel" (need("levels", Kind::Text)) control::set_log_level,
            "How much the log says: a level, and parts that say all.", "\"info,http\"";
        "bitmodel_setmining" (need("mining", Kind::Bool), may("address", Kind::Text)) mining::set_mining,
            "Mines on all cores for an address while the node goes on, or no longer; not on a devnet.", "true, \"address\"";
        "bitmodel_registerartifact" (need("artifact", Kind::Object), need("lock", Kind::Text), may("args", Kind::Object)) artifact::register,
            "Keeps a contract's artifact for its lock, address or redeem script, so that refusals name the failing `require`.",
            "{}, \"hex\"";
        "tracetransaction" (need("transaction", Kind::Text), may("input", Kind::Int)) trace::transaction,
            "Runs a transaction's scripts and shows every instruction with its stack and cost.", "\"txid\"";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_optional_parameters_come_last() {
        for method in METHODS {
            assert!(std::ptr::eq(find(method.name).unwrap(), method), "{}", method.name);
            let optional_from = method.params.iter().position(|param| !param.required).unwrap_or(method.params.len());
            assert!(method.params[optional_from..].iter().all(|param| !param.required), "{}", method.name);
            assert!(method.about.ends_with('.'), "{}", method.name);
        }
    }
}
