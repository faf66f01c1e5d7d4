//! Proofs that transactions are in blocks.

use std::collections::BTreeSet;

use chain::StoreError;
use spec::proof::InclusionProof;
use spec::{BlockHash, BlockHeader, Transaction, Txid};

use crate::json::{Json, hex as hex_text, list, text};
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::{Args, parse_id};
use crate::state::Node;

pub(crate) fn make(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let bad = |message: &str| RpcError::new(Code::InvalidParameter, message);
    let texts: Vec<String> = args.need(0)?;
    let mut wanted: BTreeSet<Txid> = BTreeSet::new();
    for text in &texts {
        if !wanted.insert(parse_id(text, "txid")?) {
            return Err(bad("Invalid parameter, duplicated txid"));
        }
    }
    let first = wanted.first().ok_or_else(|| bad("Parameter 'txids' cannot be empty"))?;
    let hash: BlockHash = match args.get::<String>(1)? {
        Some(text) => parse_id(&text, "blockhash")?,
        None => {
            let found = node.chain().locate(first)?.map(|location| location.block);
            found.ok_or_else(|| RpcError::new(Code::NotFound, "Transaction not yet in block"))?
        }
    };
    let (header, txids) = ids_of(node, &hash)?;
    if !wanted.iter().all(|txid| txids.contains(txid)) {
        return Err(RpcError::new(Code::NotFound, "Not all transactions found in specified or retrieved block"));
    }
    Ok(hex_text(InclusionProof::new(header, &txids, |txid| wanted.contains(txid)).encode()))
}

/// The header and the ids of a block; those of one that lost data are known too.
fn ids_of(node: &Node, hash: &BlockHash) -> Result<(BlockHeader, Vec<Txid>), RpcError> {
    match node.chain().block(hash) {
        Err(StoreError::Pruned) => {
            let remains = node.chain().remains(hash)?.ok_or(StoreError::Pruned)?;
            Ok((remains.header, remains.txids().collect()))
        }
        read => {
            let block = read?.ok_or_else(|| RpcError::new(Code::NotFound, "Block not found"))?;
            Ok((block.header, block.transactions.iter().map(Transaction::txid).collect()))
        }
    }
}

pub(crate) fn verify(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let failed = || RpcError::new(Code::Deserialization, "the proof cannot be read");
    let bytes = hex::decode(args.text(0)?).map_err(|_| failed())?;
    let proof = InclusionProof::decode(&bytes).map_err(|_| failed())?;
    let Some(proven) = proof.proven() else { return Ok(list::<Json>([])) };
    let hash = proof.header.hash();
    let entry = node.chain().header(&hash).filter(|_| node.chain().is_active(&hash));
    let entry = entry.ok_or_else(|| RpcError::new(Code::NotFound, "Block not found in chain"))?;
    // A tree of another height may lead to the same root with an inner node in the place of a transaction.
    if entry.transactions != proof.transactions {
        return Ok(list::<Json>([]));
    }
    Ok(list(proven.into_iter().map(|(_, txid)| text(txid))))
}
