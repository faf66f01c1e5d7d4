//! Unspent outputs.

use chain::{Coin, Store as _};
use spec::hash::{Sha256Stream, sha256};
use spec::script::LockKind;
use spec::{Address, BlockHash, OutPoint, Sats};

use crate::json::{Json, list, object, text};
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::{Args, shorten};
use crate::state::Node;
use crate::view::script;

pub(crate) fn output(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let (txid, index) = (args.id(0)?, args.int(1)?.unwrap_or(0));
    let with_mempool = args.flag(2, true)?;
    // No output has an index beyond 32 bits, so such a one is as absent as any other.
    let Ok(index) = u32::try_from(index) else { return Ok(Json::Null) };
    let outpoint = OutPoint { txid, index };
    let found = if with_mempool { node.coin_or_waiting(&outpoint)? } else { node.coin(&outpoint)? };
    Ok(found.map_or(Json::Null, |coin| output_view(node, &coin)))
}

fn output_view(node: &Node, coin: &Coin) -> Json {
    object([
        ("bestblock", text(node.tip().hash)),
        ("confirmations", Json::from(node.confirmations(coin))),
        ("value", Json::from(coin.output.value)),
        ("scriptPubKey", script::lock(node.network(), &coin.output.lock)),
    ])
    .with_some("tokenData", coin.output.token.as_ref().map(script::token))
    .with("coinbase", coin.coinbase)
}

pub(crate) fn set_info(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let hashed = match args.get::<String>(0)?.as_deref() {
        None | Some("hash_serialized_3") => true,
        Some("none") => false,
        Some(_) => {
            let message = "hash_type is `hash_serialized_3` or `none`";
            return Err(RpcError::new(Code::InvalidParameter, message));
        }
    };
    let totals = node.totals(hashed)?;
    let hash = totals.hash.map(|hash| BlockHash::from_wire(sha256(&hash.finish())));
    let info = object([
        ("height", Json::from(node.tip().entry.height)),
        ("bestblock", text(node.tip().hash)),
        ("transactions", Json::from(totals.transactions)),
        ("txouts", Json::from(totals.outputs)),
        ("bogosize", Json::from(totals.bytes)),
        ("disk_size", Json::from(0u32)),
        ("total_amount", Json::from(totals.amount)),
    ]);
    Ok(info.with_some("hash_serialized_3", hash.map(text)))
}

/// Sums over all unspent outputs.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// Transactions with at least one.
    pub(crate) transactions: u64,
    /// The outputs.
    pub(crate) outputs: u64,
    /// Their bytes on the wire, with 50 for each, as bitcoind's measure without meaning counts.
    pub(crate) bytes: u64,
    /// What they hold.
    pub(crate) amount: Sats,
    /// What was hashed of them, in bitcoind's third form.
    pub(crate) hash: Option<Sha256Stream>,
    last: Option<spec::Txid>,
}

impl Totals {
    /// Nothing counted yet.
    pub(crate) fn new(hashed: bool) -> Self {
        Self { hash: hashed.then(Sha256Stream::default), ..Self::default() }
    }

    /// Counts one output; those of a transaction must come together.
    pub(crate) fn count(&mut self, outpoint: &OutPoint, coin: &Coin) {
        if self.last.replace(outpoint.txid) != Some(outpoint.txid) {
            self.transactions += 1;
        }
        self.outputs += 1;
        self.bytes += 50 + coin.output.lock.len() as u64;
        if let Some(hash) = &mut self.hash {
            let mut bytes = Vec::new();
            outpoint.write(&mut bytes);
            bytes.extend((coin.height.get() << 1 | u32::from(coin.coinbase)).to_le_bytes());
            coin.output.write(&mut bytes);
            hash.update(&bytes);
        }
        // The chain holds no more than all the money there can be.
        self.amount = self.amount.checked_add(coin.output.value).unwrap_or(Sats::MAX);
    }
}

/// What is looked for: a descriptor, or an object that holds one.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum ScanObject {
    Plain(String),
    Ranged { desc: String },
}

pub(crate) fn scan(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    match args.text(0)?.as_str() {
        "start" => {}
        // A scan is over when the next call comes.
        "status" => return Ok(Json::Null),
        "abort" => return Ok(Json::from(false)),
        other => {
            let message = format!("Invalid action '{}'", shorten(other));
            return Err(RpcError::new(Code::InvalidParameter, message));
        }
    }
    let objects: Vec<ScanObject> = args
        .get(1)?
        .ok_or_else(|| RpcError::new(Code::Misc, "scanobjects argument is required for the start action"))?;
    let mut locks = std::collections::BTreeMap::new();
    for object in objects {
        let (ScanObject::Plain(text) | ScanObject::Ranged { desc: text }) = object;
        let descriptor = text.split_once('#').map_or(text.as_str(), |(before, _)| before).to_owned();
        locks.extend(locks_of(node, &descriptor)?.into_iter().map(|lock| (lock, descriptor.clone())));
    }
    let (mut rows, mut total) = (Vec::new(), Sats::ZERO);
    for (lock, descriptor) in &locks {
        for (outpoint, coin) in node.chain().store().coins_by_lock(lock)? {
            total = total.checked_add(coin.output.value).unwrap_or(Sats::MAX);
            rows.push(scanned_view(&outpoint, &coin, descriptor));
        }
    }
    Ok(object([
        ("success", Json::from(true)),
        ("txouts", Json::from(rows.len())),
        ("height", Json::from(node.tip().entry.height)),
        ("bestblock", text(node.tip().hash)),
        ("unspents", list(rows)),
        ("total_amount", Json::from(total)),
    ]))
}

fn scanned_view(outpoint: &OutPoint, coin: &Coin, descriptor: &str) -> Json {
    object([
        ("txid", text(outpoint.txid)),
        ("vout", Json::from(outpoint.index)),
        ("scriptPubKey", crate::json::hex(&coin.output.lock)),
        ("desc", Json::from(descriptor)),
        ("amount", Json::from(coin.output.value)),
        ("coinbase", Json::from(coin.coinbase)),
        ("height", Json::from(coin.height)),
    ])
    .with_some("tokenData", coin.output.token.as_ref().map(script::token))
}

/// The locks that a descriptor stands for.
fn locks_of(node: &Node, descriptor: &str) -> Result<Vec<Vec<u8>>, RpcError> {
    let bad = || RpcError::new(Code::NotFound, format!("Invalid descriptor '{}'", shorten(descriptor)));
    let (name, inner) = descriptor.strip_suffix(')').and_then(|text| text.split_once('(')).ok_or_else(bad)?;
    let bytes = || hex::decode(inner).map_err(|_| bad());
    let key = || bytes().and_then(|key| if matches!(key.len(), 33 | 65) { Ok(key) } else { Err(bad()) });
    let pkh = |key: &[u8]| spec::script::p2pkh(&spec::hash::hash160(key));
    let pk = |key: &[u8]| {
        let mut lock = Vec::new();
        spec::script::push_data(&mut lock, key);
        spec::script::push_op(&mut lock, spec::Opcode::CheckSig);
        lock
    };
    match name {
        "addr" => {
            let address = Address::parse(inner, node.network()).map_err(|_| bad())?;
            Ok(vec![address.lock()])
        }
        "raw" => Ok(vec![bytes()?]),
        "pkh" => Ok(vec![pkh(&key()?)]),
        "pk" => Ok(vec![pk(&key()?)]),
        "combo" => key().map(|key| vec![pk(&key), pkh(&key)]),
        _ => Err(bad()),
    }
}

pub(crate) fn list_unspent(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let (least, most) = (args.int(0)?.unwrap_or(1), args.int(1)?.unwrap_or(9_999_999));
    let locks = match args.get::<Vec<String>>(2)? {
        Some(texts) if !texts.is_empty() => {
            texts.iter().map(|text| node.lock_from_text(text)).collect::<Result<Vec<_>, _>>()?
        }
        Some(_) | None => node.wallets().get(args.wallet())?.locks().into_iter().collect(),
    };
    let mut rows = Vec::new();
    for (outpoint, coin) in node.unspent_of(&locks, least <= 0)? {
        if node.is_mature(&coin) && (least..=most).contains(&node.confirmations(&coin)) {
            rows.push(unspent_view(node, args.wallet(), &outpoint, &coin)?);
        }
    }
    Ok(list(rows))
}

/// A lock that is no key's counts as spendable: whoever asks for it knows how.
fn unspent_view(node: &Node, wallet: Option<&str>, outpoint: &OutPoint, coin: &Coin) -> Result<Json, RpcError> {
    let lock = &coin.output.lock;
    let wallet = node.wallets().get(wallet)?;
    let spendable = wallet.key(lock).is_some() || !matches!(LockKind::of(lock), LockKind::P2pkh(_) | LockKind::P2pk(_));
    Ok(object([("txid", text(outpoint.txid)), ("vout", Json::from(outpoint.index))])
        .with_some("address", Address::of_lock(node.network(), lock).map(text))
        .with_some("label", wallet.label(lock))
        .merge(object([
            ("scriptPubKey", crate::json::hex(lock)),
            ("amount", Json::from(coin.output.value)),
            ("confirmations", Json::from(node.confirmations(coin))),
        ]))
        .with_some("tokenData", coin.output.token.as_ref().map(script::token))
        .merge(object([
            ("spendable", Json::from(spendable)),
            ("solvable", Json::from(spendable)),
            ("safe", Json::from(true)),
        ])))
}
