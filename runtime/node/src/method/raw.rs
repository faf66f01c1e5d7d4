//! Transactions as bytes.

use std::time::Instant;

use chain::{StoreError, TxError, TxRemains};
use spec::{BlockHash, OutPoint, Sats, Transaction, Txid};

use crate::json::{Json, hex as hex_text, list, object, text};
use crate::rpc::envelope::Call;
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::{Args, shorten};
use crate::rpc::table::fit;
use crate::state::Node;
use crate::view::{script, tx as view, tx::total_out};

/// No valid transaction has more bytes, and a longer text would only make a much longer answer.
const BYTES_MAX: usize = 1_000_000;

/// The transaction that a client's hexadecimal digits stand for.
pub(crate) fn decode_transaction(digits: &str) -> Result<Transaction, RpcError> {
    let failed = || RpcError::new(Code::Deserialization, "TX decode failed");
    if digits.len() > 2 * BYTES_MAX {
        return Err(failed());
    }
    let bytes = hex::decode(digits).map_err(|_| failed())?;
    Transaction::decode(&bytes).map_err(|_| failed())
}

pub(crate) fn decode(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    Ok(view::decoded(node.network(), &decode_transaction(&args.text(0)?)?))
}

pub(crate) fn decode_script(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let digits = args.text(0)?;
    let bytes = hex::decode(&digits).map_err(|_| {
        let message = format!("argument must be hexadecimal string (not '{}')", shorten(&digits));
        RpcError::new(Code::InvalidParameter, message)
    })?;
    if bytes.len() > BYTES_MAX {
        return Err(RpcError::new(Code::InvalidParameter, format!("a script has at most {BYTES_MAX} bytes")));
    }
    let wrapped = |lock: Vec<u8>| spec::Address::of_lock(node.network(), &lock).map(text);
    let p2sh20 = wrapped(spec::script::p2sh20(&spec::hash::hash160(&bytes)));
    let p2sh32 = wrapped(spec::script::p2sh32(&spec::hash::sha256d(&bytes)));
    let shown = object([("asm", Json::Text(script::asm(&bytes)))]).merge(script::kind(node.network(), &bytes));
    Ok(shown.with_some("p2sh", p2sh20).with_some("p2sh_32", p2sh32))
}

/// A transaction and the block that holds it.
struct Found {
    tx: Transaction,
    block: Option<BlockHash>,
}

pub(crate) fn get(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let txid: Txid = args.id(0)?;
    let level = args.level(1, 0)?;
    let asked = args.get::<String>(2)?.map(|hash| crate::rpc::params::parse_id(&hash, "blockhash")).transpose()?;
    let found = match asked {
        Some(block) => find_in(node, &txid, block)?,
        None => find(node, &txid)?,
    };
    if level <= 0 {
        return Ok(hex_text(found.tx.encode()));
    }
    let decoded = if level == 1 {
        view::decoded(node.network(), &found.tx)
    } else {
        let (prevouts, fee) = prevouts_and_fee(node, &found.tx)?;
        view::decoded_with(node.network(), &found.tx, &prevouts).with_some("fee", fee)
    };
    let active = asked.map(|block| node.chain().is_active(&block));
    let shown = object([]).with_some("in_active_chain", active).merge(decoded).with("hex", hex_text(found.tx.encode()));
    match found.block {
        Some(block) => with_block(node, shown, &block),
        None => Ok(shown),
    }
}

fn with_block(node: &Node, shown: Json, block: &BlockHash) -> Result<Json, RpcError> {
    let placed = crate::method::blocks::place(node, block)?;
    let time = placed.entry.header.time;
    Ok(shown.merge(object([
        ("blockhash", text(block)),
        ("confirmations", Json::from(placed.confirmations.max(0))),
        ("time", Json::from(time)),
        ("blocktime", Json::from(time)),
    ])))
}

fn find(node: &Node, txid: &Txid) -> Result<Found, RpcError> {
    if let Some(entry) = node.mempool().get(txid) {
        return Ok(Found { tx: (*entry.tx).clone(), block: None });
    }
    let found = node.chain().transaction(txid)?.map(|(tx, location)| Found { tx, block: Some(location.block) });
    found.ok_or_else(|| RpcError::new(Code::NotFound, "No such mempool or blockchain transaction"))
}

fn find_in(node: &Node, txid: &Txid, hash: BlockHash) -> Result<Found, RpcError> {
    let found = match node.chain().block(&hash) {
        Err(StoreError::Pruned) => {
            let remains = node.chain().remains(&hash)?.ok_or(StoreError::Pruned)?;
            let found = remains.transactions.into_iter().find(|rest| rest.txid == *txid);
            let whole =
                |rest: TxRemains| if rest.is_whole() { Ok(rest.tx) } else { Err(StoreError::DataPruned(*txid)) };
            found.map(whole).transpose()?
        }
        read => {
            let block = read?.ok_or_else(|| RpcError::new(Code::NotFound, "Block hash not found"))?;
            block.transactions.iter().find(|tx| tx.txid() == *txid).cloned()
        }
    };
    let tx = found.ok_or_else(|| RpcError::new(Code::NotFound, "No such transaction found in the provided block"))?;
    Ok(Found { tx, block: Some(hash) })
}

/// What each input spends, where that is known, and the fee if all of it is.
type Spending = (Vec<Option<Json>>, Option<Sats>);

/// Looks up what a transaction spends.
pub(crate) fn prevouts_and_fee(node: &Node, tx: &Transaction) -> Result<Spending, RpcError> {
    if tx.is_coinbase() {
        return Ok((Vec::new(), None));
    }
    let mut views = Vec::new();
    let mut spent = Some(Sats::ZERO);
    for input in &tx.inputs {
        let coin = node.output_of(&input.prevout)?;
        spent = spent.zip(coin.as_ref()).and_then(|(sum, coin)| sum.checked_add(coin.output.value));
        views.push(coin.map(|coin| view::prevout(node.network(), &coin)));
    }
    Ok((views, spent.and_then(|spent| spent.checked_sub(total_out(tx)))))
}

/// The method that offers a transaction.
pub(crate) const SEND: &str = "sendrawtransaction";

pub(crate) fn send(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let offer = read_offer(args)?;
    if let Some(rate) = offer.rate_max {
        let entry = node.test_transaction(offer.tx.clone());
        let dear = entry.is_ok_and(|entry| exceeds(entry.fee, rate, entry.len_bytes));
        if dear {
            let message = "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)";
            return Err(RpcError::new(Code::Verify, message));
        }
    }
    let outcome = node.accept_transaction(offer.tx.clone());
    answer(node, &offer.tx, outcome)
}

/// Answers calls of [`send`], their scripts on all threads, with the answers of one after the other.
pub(crate) fn send_all(node: &mut Node, calls: Vec<Call>) -> Vec<Result<Json, RpcError>> {
    let mut answers: Vec<Result<Json, RpcError>> = Vec::with_capacity(calls.len());
    let mut run: Vec<Transaction> = Vec::new();
    for call in calls {
        match fit(call).and_then(|(_, args)| Ok((read_offer(&args)?, args))) {
            Ok((Offer { tx, rate_max: None }, _)) => run.push(tx),
            // Whatever asks for more than a verdict goes by itself, after those before it.
            Ok((_, args)) => {
                finish(node, &mut run, &mut answers);
                answers.push(send(node, &args));
            }
            Err(error) => {
                finish(node, &mut run, &mut answers);
                answers.push(Err(error));
            }
        }
    }
    finish(node, &mut run, &mut answers);
    answers
}

/// Judges the transactions that have gathered.
fn finish(node: &mut Node, run: &mut Vec<Transaction>, answers: &mut Vec<Result<Json, RpcError>>) {
    let (txs, started) = (std::mem::take(run), Instant::now());
    let outcomes = node.accept_transactions(txs.clone());
    let took = started.elapsed() / u32::try_from(txs.len().max(1)).unwrap_or(u32::MAX);
    for (tx, outcome) in txs.iter().zip(outcomes) {
        let answer = answer(node, tx, outcome);
        node.counts_mut().call(SEND, answer.is_err(), took);
        answers.push(answer);
    }
}

/// Offering again what waits already is no mistake.
fn answer(node: &Node, tx: &Transaction, outcome: Result<chain::Entry, TxError>) -> Result<Json, RpcError> {
    match outcome {
        Ok(entry) => Ok(text(entry.txid)),
        Err(TxError::AlreadyInMempool) => Ok(text(tx.txid())),
        Err(error) => Err(refusal(node, tx, &error)),
    }
}

/// A transaction that a client offers, and what it may pay at most for 1,000 bytes.
struct Offer {
    tx: Transaction,
    rate_max: Option<Sats>,
}

fn read_offer(args: &Args) -> Result<Offer, RpcError> {
    let rate_max = args.amount(1)?.filter(|rate| *rate != Sats::ZERO);
    Ok(Offer { tx: decode_transaction(&args.text(0)?)?, rate_max })
}

/// Whether `fee` is more than `rate` for each 1,000 bytes.
fn exceeds(fee: Sats, rate: Sats, bytes: usize) -> bool {
    u128::from(fee.get()) * 1_000 > u128::from(rate.get()) * bytes as u128
}

pub(crate) fn refusal(node: &Node, tx: &Transaction, error: &TxError) -> RpcError {
    match error {
        TxError::AlreadyInChain => RpcError::new(Code::AlreadyInChain, "Transaction already in block chain"),
        TxError::MissingInputs => RpcError::new(Code::Verify, reason(node, tx, error)),
        TxError::Store(error) => RpcError::new(Code::Internal, error.to_string()),
        _ => RpcError::new(Code::Rejected, reason(node, tx, error)),
    }
}

/// The reject reason; for a failed script of a known contract also what its source says.
fn reason(node: &Node, tx: &Transaction, error: &TxError) -> String {
    let TxError::Script { input, failure, .. } = error else { return error.to_string() };
    let explained = tx.inputs.get(*input).and_then(|claim| {
        let coin = node.output_of(&claim.prevout).ok()??;
        node.registry().explain(&coin.output.lock, &claim.unlock, failure)
    });
    explained.map_or_else(|| error.to_string(), |why| format!("{error}: input {input}: {why}"))
}

pub(crate) fn test_accept(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let texts: Vec<String> = args.need(0)?;
    let [digits] = texts.as_slice() else {
        let message = "Array must contain exactly one raw transaction for now";
        return Err(RpcError::new(Code::InvalidParameter, message));
    };
    let tx = decode_transaction(digits)?;
    let rate = args.amount(1)?.filter(|rate| *rate != Sats::ZERO);
    let verdict = node.test_transaction(tx.clone());
    let shown = object([("txid", text(tx.txid()))]);
    Ok(list([match verdict {
        Ok(entry) if rate.is_some_and(|rate| exceeds(entry.fee, rate, entry.len_bytes)) => {
            shown.merge(object([("allowed", Json::from(false)), ("reject-reason", Json::from("max-fee-exceeded"))]))
        }
        Ok(entry) => shown.merge(object([
            ("allowed", Json::from(true)),
            ("size", Json::from(entry.len_bytes)),
            ("vsize", Json::from(entry.len_bytes)),
            ("fees", object([("base", Json::from(entry.fee))])),
            ("opcost", Json::from(entry.cost.get())),
        ])),
        Err(TxError::Store(error)) => return Err(error.into()),
        Err(error) => {
            let why =
                if error == TxError::MissingInputs { "missing-inputs".to_owned() } else { reason(node, &tx, &error) };
            shown.merge(object([("allowed", Json::from(false)), ("reject-reason", Json::Text(why))]))
        }
    }]))
}

/// What a transaction spends, for running its scripts.
pub(crate) fn spent_outputs(node: &Node, tx: &Transaction) -> Result<Vec<spec::TxOut>, RpcError> {
    let one = |outpoint: &OutPoint| {
        let missing =
            || RpcError::new(Code::Verify, format!("the output {outpoint} that the transaction spends is not known"));
        Ok(node.output_of(outpoint)?.ok_or_else(missing)?.output)
    };
    tx.inputs.iter().map(|input| one(&input.prevout)).collect()
}
