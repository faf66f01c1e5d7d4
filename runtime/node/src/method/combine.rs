//! Putting together what several people have signed of one transaction.

use std::collections::BTreeMap;

use chain::Coin;
use spec::script::{LockKind, instructions, p2sh20, p2sh32, push_data};
use spec::{Mode, OutPoint, Rules, SighashType, SpendContext, Transaction, TxOut, hash};

use crate::json::{Json, hex as hex_text};
use crate::method::raw::decode_transaction;
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::Args;
use crate::state::Node;

/// The most bytes of all transactions of one call, so that no call holds the node for long.
const BYTES_MAX: usize = 1_000_000;

pub(crate) fn combine(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let texts: Vec<String> = args.need(0)?;
    if texts.iter().map(String::len).sum::<usize>() > 2 * BYTES_MAX {
        let message = format!("the transactions must have at most {BYTES_MAX} bytes together");
        return Err(RpcError::new(Code::InvalidParameter, message));
    }
    let one = |(at, digits): (usize, &String)| {
        let why = || format!("TX decode failed for tx {at}. Make sure the tx has at least one input.");
        let tx = decode_transaction(digits).ok().filter(|tx| !tx.inputs.is_empty());
        tx.ok_or_else(|| RpcError::new(Code::Deserialization, why()))
    };
    let parts = texts.iter().enumerate().map(one).collect::<Result<Vec<_>, _>>()?;
    let first = parts.first().ok_or_else(|| RpcError::new(Code::Deserialization, "Missing transactions"))?;
    let spent = spent_by(node, first)?;
    let rules = Rules::new(node.chain().params().rules, Mode::Relay);
    Ok(hex_text(put_together(first, &parts, &spent, &rules).encode()))
}

fn spent_by(node: &Node, tx: &Transaction) -> Result<Vec<TxOut>, RpcError> {
    let above = node.tip().entry.height.next();
    let one = |outpoint: &OutPoint| {
        let stored: Option<Coin> = node.coin(outpoint)?;
        let coin = stored.or_else(|| node.mempool().output(outpoint, above));
        coin.map(|coin| coin.output).ok_or_else(|| RpcError::new(Code::Verify, "Input not found or already spent"))
    };
    tx.inputs.iter().map(|input| one(&input.prevout)).collect()
}

/// The first transaction with each input unlocked as well as the parts allow.
fn put_together(first: &Transaction, parts: &[Transaction], spent: &[TxOut], rules: &Rules) -> Transaction {
    let frames: Vec<Transaction> = parts.iter().map(|part| with_unlocks_of(first, part)).collect();
    let contexts: Vec<SpendContext<'_>> = frames.iter().filter_map(|frame| SpendContext::new(frame, spent)).collect();
    let mut merged = first.clone();
    for (at, input) in merged.inputs.iter_mut().enumerate() {
        if let Some(unlock) = best_unlock(&contexts, at, rules) {
            input.unlock = unlock;
        }
    }
    merged
}

/// The transaction, unlocked as another one is that spends the same.
fn with_unlocks_of(tx: &Transaction, part: &Transaction) -> Transaction {
    let mut frame = tx.clone();
    for (at, input) in frame.inputs.iter_mut().enumerate() {
        let same = part.inputs.get(at).filter(|other| other.prevout == input.prevout);
        input.unlock = same.map_or_else(Vec::new, |other| other.unlock.clone());
    }
    frame
}

/// What unlocks an input: a part that does it alone, the signatures of all parts, or the first part that tries.
fn best_unlock(contexts: &[SpendContext<'_>], at: usize, rules: &Rules) -> Option<Vec<u8>> {
    let mut unlocks: Vec<(&SpendContext<'_>, &[u8])> = Vec::new();
    for context in contexts {
        let unlock = context.tx().inputs.get(at)?.unlock.as_slice();
        if !unlock.is_empty() && unlocks.iter().all(|(_, known)| *known != unlock) {
            unlocks.push((context, unlock));
        }
    }
    let complete = unlocks.iter().find(|(context, _)| vm::verify_input(rules, context, at).is_ok());
    let (context, first) = unlocks.first()?;
    let unlock = match complete {
        Some((_, unlock)) => unlock.to_vec(),
        None => {
            let all: Vec<&[u8]> = unlocks.iter().map(|(_, unlock)| *unlock).collect();
            signed_by_several(context, at, &all).unwrap_or_else(|| first.to_vec())
        }
    };
    Some(unlock)
}

/// The signatures of all parts together, where some of several keys have to sign.
fn signed_by_several(context: &SpendContext<'_>, at: usize, unlocks: &[&[u8]]) -> Option<Vec<u8>> {
    let lock = context.spent().get(at)?.lock.as_slice();
    let pushed: Vec<Vec<&[u8]>> = unlocks.iter().map(|unlock| pushes(unlock)).collect();
    let redeem = pushed.iter().filter_map(|items| items.last().copied()).find(|code| is_hidden_by(code, lock));
    let code = redeem.unwrap_or(lock);
    let LockKind::Multisig { required, keys } = LockKind::of(code) else { return None };
    let mut signed = BTreeMap::new();
    for items in &pushed {
        signed.extend(by_key(context, at, code, items, &keys).into_iter().rev());
    }
    let mut unlock = joined(&signed, usize::from(required), keys.len());
    if let Some(code) = redeem {
        push_data(&mut unlock, code);
    }
    Some(unlock)
}

fn pushes(unlock: &[u8]) -> Vec<&[u8]> {
    instructions(unlock).filter_map(|instruction| instruction.ok()?.data).collect()
}

fn is_hidden_by(code: &[u8], lock: &[u8]) -> bool {
    lock == p2sh20(&hash::hash160(code)) || lock == p2sh32(&hash::sha256d(code))
}

/// The signatures among what was pushed, by the places of their keys. They stand in the order of the keys, as in any unlock.
fn by_key<'s>(
    context: &SpendContext<'_>,
    at: usize,
    code: &[u8],
    items: &[&'s [u8]],
    keys: &[Vec<u8>],
) -> Vec<(usize, &'s [u8])> {
    let mut found = Vec::new();
    let mut places = keys.iter().enumerate();
    for item in items {
        let mut rest = places.clone();
        if let Some((place, _)) = rest.find(|(_, key)| signs(context, at, code, item, key)) {
            found.push((place, *item));
            places = rest;
        }
    }
    found
}

/// Whether an item is a signature by a key.
fn signs(context: &SpendContext<'_>, at: usize, code: &[u8], item: &[u8], key: &[u8]) -> bool {
    let Some((kind, signature)) = item.split_last() else { return false };
    let kind = SighashType::from_u32(u32::from(*kind));
    if !kind.is_defined() || !kind.fork_id() || signature.len() < 8 {
        return false;
    }
    let Some(digest) = context.digest(kind, at, code) else { return false };
    match <&[u8; 64]>::try_from(signature) {
        Ok(signature) => vm::schnorr::verify(signature, &digest.digest, key),
        Err(_) => vm::ecdsa::verify(signature, &digest.digest, key),
    }
}

/// A Schnorr signature has 64 bytes and its kind.
const SCHNORR_LEN: usize = 65;

/// The part of an unlock before the redeem script. Signatures of the two kinds do not go together, so the kind with more of them stays.
fn joined(signed: &BTreeMap<usize, &[u8]>, required: usize, keys: usize) -> Vec<u8> {
    let (schnorr, ecdsa): (Vec<_>, Vec<_>) = signed.iter().partition(|(_, item)| item.len() == SCHNORR_LEN);
    let by_bits = schnorr.len() > ecdsa.len();
    let mut chosen = if by_bits { schnorr } else { ecdsa };
    chosen.truncate(required);
    let mut unlock = Vec::new();
    if by_bits {
        let bits = chosen.iter().fold(0u32, |bits, (place, _)| bits | 1 << **place);
        let field = bits.to_le_bytes();
        push_data(&mut unlock, field.get(..keys.div_ceil(8)).unwrap_or(&field));
    } else {
        push_data(&mut unlock, &[]);
    }
    chosen.iter().for_each(|(_, item)| push_data(&mut unlock, item));
    // Signatures that are missing are empty, as bitcoind leaves them; bits name only those that are there.
    let empty = if by_bits { 0 } else { required.saturating_sub(chosen.len()) };
    (0..empty).for_each(|_| push_data(&mut unlock, &[]));
    unlock
}
