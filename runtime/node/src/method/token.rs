//! What there is of a token category.

use chain::{Coin, Store as _, StoreError};
use spec::{BlockHash, Category, Height, OutPoint, Transaction, Txid};

use crate::json::{Json, list, object, text};
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::Args;
use crate::state::Node;
use crate::view::script;

/// So many outputs of a category are looked at; beyond, sums are of those and say so.
const OUTPUTS_MAX: usize = 10_000;
/// So many are shown together.
const ROWS_MAX: u64 = 500;
const ROWS: u64 = 50;
/// The transaction that made a category is looked for in so many blocks, and so many transactions, above the one that it is named after.
const BLOCKS_MAX: u32 = 2_000;
const TRANSACTIONS_MAX: u64 = 200_000;

pub(crate) fn info(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let named_after: Txid = args.id(0)?;
    let category = Category::from_wire(*named_after.as_wire());
    let at_least_zero = |at: usize, usual: u64| -> Result<u64, RpcError> {
        let given = args.int(at)?.map_or(Ok(usual), u64::try_from);
        given.map_err(|_| RpcError::new(Code::InvalidParameter, "`skip` and `count` are not negative"))
    };
    let (skip, count) = (at_least_zero(1, 0)?, at_least_zero(2, ROWS)?.min(ROWS_MAX));
    let coins = node.chain().store().coins_by_category(&category, OUTPUTS_MAX)?;
    let genesis = genesis(node, named_after)?;
    if coins.is_empty() && genesis.is_none() {
        return Err(RpcError::new(Code::NotFound, "No unspent output holds tokens of this category"));
    }
    let tokens = || coins.iter().filter_map(|(_, coin)| coin.output.token.as_ref());
    // A category's tokens are never more than one amount holds.
    let amount = tokens().fold(0u64, |sum, token| sum.saturating_add(token.amount));
    let skip = usize::try_from(skip).unwrap_or(usize::MAX);
    let rows = coins.iter().skip(skip).take(usize::try_from(count).unwrap_or(usize::MAX));
    Ok(object([("category", text(category))]).with_some("genesis", genesis).merge(object([
        ("amount", text(amount)),
        ("nfts", Json::from(tokens().filter(|token| token.nft.is_some()).count())),
        ("txouts", Json::from(coins.len())),
        ("complete", Json::from(coins.len() < OUTPUTS_MAX)),
        ("unspents", list(rows.map(|(outpoint, coin)| row(node, outpoint, coin)))),
    ])))
}

fn row(node: &Node, outpoint: &OutPoint, coin: &Coin) -> Json {
    object([
        ("txid", text(outpoint.txid)),
        ("vout", Json::from(outpoint.index)),
        ("value", Json::from(coin.output.value)),
        ("height", Json::from(coin.height)),
        ("confirmations", Json::from(node.confirmations(coin))),
        ("scriptPubKey", script::lock(node.network(), &coin.output.lock)),
    ])
    .with_some("tokenData", coin.output.token.as_ref().map(script::token))
}

/// The transaction that made a category: it spends the first output of the one that the category is named after, and holds its tokens.
/// Nothing if it is not found near that one, or blocks there were dropped.
fn genesis(node: &Node, named_after: Txid) -> Result<Option<Json>, RpcError> {
    let first = OutPoint { txid: named_after, index: 0 };
    let Some(from) = node.chain().locate(&named_after)?.map(|location| location.height) else { return Ok(None) };
    if node.chain().coin(&first)?.is_some() {
        return Ok(None);
    }
    let mut seen = 0u64;
    for height in (from.get()..).take(BLOCKS_MAX as usize).map(Height::new) {
        let block = match node.chain().block_at(height) {
            Err(StoreError::Pruned) | Ok(None) => return Ok(None),
            Ok(Some(block)) => block,
            Err(error) => return Err(error.into()),
        };
        if let Some(tx) = block.transactions.iter().find(|tx| spends(tx, &first)) {
            return Ok(makes(tx, named_after).then(|| made(&block.header.hash(), height, block.header.time, tx)));
        }
        seen += block.transactions.len() as u64;
        if seen > TRANSACTIONS_MAX {
            return Ok(None);
        }
    }
    Ok(None)
}

fn spends(tx: &Transaction, output: &OutPoint) -> bool {
    tx.inputs.iter().any(|input| input.prevout == *output)
}

/// Whether a transaction has outputs with tokens of the category.
fn makes(tx: &Transaction, named_after: Txid) -> bool {
    let mut tokens = tx.outputs.iter().filter_map(|output| output.token.as_ref());
    tokens.any(|token| token.category.as_wire() == named_after.as_wire())
}

fn made(block: &BlockHash, height: Height, time: u32, tx: &Transaction) -> Json {
    object([
        ("txid", text(tx.txid())),
        ("blockhash", text(block)),
        ("height", Json::from(height)),
        ("time", Json::from(time)),
    ])
}
