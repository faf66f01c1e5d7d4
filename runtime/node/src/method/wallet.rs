//! Wallets: addresses, balances, payments, as bitcoind's clients know them.

mod list;
mod pay;

use std::collections::BTreeSet;

use chain::Coin;
use serde::Deserialize as _;
use spec::address::Payee;
use spec::{Address, OutPoint, Sats};
use wallet::Key;

use crate::json::{Json, hex as hex_text, list, object, text};
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::{Args, shorten};
use crate::state::Node;
use crate::wallets::Wallet;

pub(crate) use list::{list_since, list_transactions, transaction};
pub(crate) use pay::{pay_from_default, send_many, send_to_address};

pub(crate) fn create(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let name = args.text(0)?;
    node.wallets_mut().create(&name)?;
    Ok(object([("name", Json::Text(name)), ("warning", Json::from(""))]))
}

pub(crate) fn load(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let name = args.text(0)?;
    node.wallets_mut().load(&name)?;
    Ok(object([("name", Json::Text(name)), ("warning", Json::from(""))]))
}

pub(crate) fn unload(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let name = args.get::<String>(0)?.or_else(|| args.wallet().map(str::to_owned)).unwrap_or_default();
    node.wallets_mut().unload(&name)?;
    Ok(object([("warning", Json::from(""))]))
}

pub(crate) fn names(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    Ok(list(node.wallets().names().map(Json::from)))
}

pub(crate) fn folder(node: &mut Node, _: &Args) -> Result<Json, RpcError> {
    let names = node.wallets().names_kept().into_iter().map(|name| object([("name", Json::Text(name))]));
    Ok(object([("wallets", list(names))]))
}

pub(crate) fn info(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let wallet = node.wallets().get(args.wallet())?;
    let balances = Balances::of(node, &wallet.key_locks(), 0)?;
    let keys = wallet.keys().len();
    let count = list::movements(node, args)?.len();
    Ok(object([
        ("walletname", Json::from(args.wallet().unwrap_or_default())),
        ("walletversion", Json::from(169_900u32)),
        ("format", Json::from("json")),
        ("balance", Json::from(balances.trusted)),
        ("unconfirmed_balance", Json::from(balances.pending)),
        ("immature_balance", Json::from(balances.immature)),
        ("txcount", Json::from(count)),
        ("keypoolsize", Json::from(keys)),
        ("keypoolsize_hd_internal", Json::from(0u32)),
        ("paytxfee", Json::from(Sats::ZERO)),
        ("private_keys_enabled", Json::from(true)),
        ("avoid_reuse", Json::from(false)),
        ("scanning", Json::from(false)),
        ("descriptors", Json::from(false)),
        ("external_signer", Json::from(false)),
        ("blank", Json::from(keys == 0)),
    ]))
}

pub(crate) fn new_address(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let label = args.get::<String>(0)?.unwrap_or_default();
    Ok(text(next_key(node, args.wallet(), &label)?.address(node.network())))
}

pub(crate) fn change_address(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    Ok(text(next_key(node, args.wallet(), "")?.address(node.network())))
}

/// A key that was not given out before, written down before anybody sees it.
fn next_key(node: &mut Node, name: Option<&str>, label: &str) -> Result<Key, RpcError> {
    let key = node.wallets_mut().get_mut(name)?.next_key(label);
    let key = key.ok_or_else(|| RpcError::new(Code::Wallet, "the wallet has too many keys"))?;
    node.wallets().keep(name)?;
    Ok(key)
}

pub(crate) fn import_address(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let mut lock = node.lock_from_text(&args.text(0)?)?;
    if args.flag(3, false)? {
        lock = spec::script::p2sh20(&spec::hash::hash160(&lock));
    }
    let label = args.get::<String>(1)?.unwrap_or_default();
    node.wallets_mut().get_mut(args.wallet())?.watch(&lock, &label);
    node.wallets().keep(args.wallet())?;
    Ok(Json::Null)
}

pub(crate) fn import_key(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let key = Key::from_wif(&args.text(0)?);
    let key = key.map_err(|_| RpcError::new(Code::NotFound, "Invalid private key encoding"))?;
    let (network, label) = (node.network(), args.get::<String>(1)?.unwrap_or_default());
    node.wallets_mut().get_mut(args.wallet())?.import(key, network, &label);
    node.wallets().keep(args.wallet())?;
    Ok(Json::Null)
}

pub(crate) fn dump_key(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let address = address(node, &args.text(0)?)?;
    let key = node.wallets().get(args.wallet())?.key(&address.lock()).map(|key| key.wif(node.network()));
    let missing = || RpcError::new(Code::Wallet, format!("Private key for address {address} is not known"));
    key.map(Json::Text).ok_or_else(missing)
}

fn address(node: &Node, text: &str) -> Result<Address, RpcError> {
    Address::parse(text, node.network())
        .map_err(|_| RpcError::new(Code::NotFound, format!("Invalid address: {}", shorten(text))))
}

pub(crate) fn address_info(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let address = address(node, &args.text(0)?)?;
    let wallet = node.wallets().get(args.wallet())?;
    let lock = address.lock();
    let key = wallet.key(&lock);
    let label = wallet.label(&lock).unwrap_or_default();
    Ok(object([
        ("address", text(address)),
        ("scriptPubKey", hex_text(&lock)),
        ("ismine", Json::from(key.is_some())),
        ("solvable", Json::from(key.is_some())),
        ("iswatchonly", Json::from(wallet.watches(&lock))),
        ("isscript", Json::from(!matches!(address.payee(), Payee::KeyHash(_)))),
        ("iswitness", Json::from(false)),
        ("ischange", Json::from(false)),
        ("label", Json::from(label)),
        ("labels", list((!label.is_empty()).then_some(label))),
    ])
    .with_some("pubkey", key.map(|key| hex_text(key.public())))
    .with_some("iscompressed", key.map(|_| true)))
}

/// What the coins of some locks hold.
struct Balances {
    /// Mined, or made by the wallet itself.
    trusted: Sats,
    /// Made by waiting transactions of others.
    pending: Sats,
    /// Coinbases that are too young.
    immature: Sats,
}

impl Balances {
    /// Coins with fewer confirmations than `least` are left out.
    fn of(node: &Node, locks: &[Vec<u8>], least: i64) -> Result<Self, RpcError> {
        let own: BTreeSet<&Vec<u8>> = locks.iter().collect();
        let (mut trusted, mut pending, mut immature) = (Vec::new(), Vec::new(), Vec::new());
        for (outpoint, coin) in node.unspent_of(locks, true)? {
            let confirmations = node.confirmations(&coin);
            if !node.is_mature(&coin) {
                immature.push(coin.output.value);
            } else if confirmations > 0 || is_own(node, &own, &outpoint) {
                trusted.extend((confirmations >= least).then_some(coin.output.value));
            } else {
                pending.push(coin.output.value);
            }
        }
        let sum = |amounts: Vec<Sats>| Sats::checked_sum(amounts).unwrap_or(Sats::MAX);
        Ok(Self { trusted: sum(trusted), pending: sum(pending), immature: sum(immature) })
    }
}

/// Whether a waiting transaction spends nothing but coins of these locks, so that nobody else can take it back.
fn is_own(node: &Node, locks: &BTreeSet<&Vec<u8>>, outpoint: &OutPoint) -> bool {
    let maker = node.mempool().get(&outpoint.txid);
    maker.is_some_and(|entry| entry.spent.iter().all(|coin| locks.contains(&coin.output.lock)))
}

pub(crate) fn balance(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let wallet = node.wallets().get(args.wallet())?;
    let least = args.int(1)?.unwrap_or(0);
    let mut locks = wallet.key_locks();
    if args.flag(2, false)? {
        locks.extend(wallet.watched_locks());
    }
    Ok(Json::from(Balances::of(node, &locks, least)?.trusted))
}

pub(crate) fn unconfirmed_balance(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let locks = node.wallets().get(args.wallet())?.key_locks();
    Ok(Json::from(Balances::of(node, &locks, 0)?.pending))
}

pub(crate) fn balances(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let wallet = node.wallets().get(args.wallet())?;
    let view = |locks: &[Vec<u8>]| {
        Balances::of(node, locks, 0).map(|sums| {
            object([
                ("trusted", Json::from(sums.trusted)),
                ("untrusted_pending", Json::from(sums.pending)),
                ("immature", Json::from(sums.immature)),
            ])
        })
    };
    let watched = wallet.watched_locks();
    let shown = object([("mine", view(&wallet.key_locks())?)]);
    Ok(if watched.is_empty() { shown } else { shown.with("watchonly", view(&watched)?) })
}

/// The coins that the wallet can spend now: mature, and mined or made by itself.
fn spendable(node: &Node, wallet: &Wallet) -> Result<Vec<(OutPoint, Coin)>, RpcError> {
    let locks = wallet.key_locks();
    let own: BTreeSet<&Vec<u8>> = locks.iter().collect();
    let mut coins = node.unspent_of(&locks, true)?;
    coins.retain(|(outpoint, coin)| {
        node.is_mature(coin) && (node.confirmations(coin) > 0 || is_own(node, &own, outpoint))
    });
    Ok(coins)
}

pub(crate) fn received_by(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let lock = address(node, &args.text(0)?)?.lock();
    let least = args.int(1)?.unwrap_or(1);
    let movements = list::movements(node, args)?;
    let enough = |movement: &&crate::wallets::Movement| list::confirmations(node, movement) >= least;
    let outputs = movements.iter().filter(enough).flat_map(|movement| &movement.tx.outputs);
    let amounts = outputs.filter(|output| output.lock == lock).map(|output| output.value);
    Ok(Json::from(Sats::checked_sum(amounts).unwrap_or(Sats::MAX)))
}

pub(crate) fn sign(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let keys = node.wallets().get(args.wallet())?.keys();
    super::build::sign(node, args, &keys, 1)
}

/// An object's members as a client wrote them.
fn members(raw: &str) -> Result<crate::rpc::envelope::Named, RpcError> {
    crate::rpc::envelope::Named::deserialize(&mut serde_json::Deserializer::from_str(raw)).map_err(|error| {
        RpcError::new(Code::Type, format!("an object cannot be read: {}", shorten(&error.to_string())))
    })
}
