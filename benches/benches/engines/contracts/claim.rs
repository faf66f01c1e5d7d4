//! Somebody takes what a tree of a million payees says, and the tree goes on without them.

use std::hint::black_box;

use spec::artifact::AbiValue;
use spec::hash::{hash160, sha256};
use spec::script::p2pkh;
use spec::{Sats, TxOut};

use super::{compiled, holding, int, valid, values, with_money};
use crate::work::Work;

const SOURCE: &str = include_str!("../claim.bmc");
const DEPTH: u8 = 20;
const INDEX: u64 = 0xa_5c3a;
const AMOUNT: u64 = 50_000;
const POT_SATS: u64 = 10_000_000;
const FEE_SATS: u64 = 2_000;

fn leaf(data: &[u8]) -> [u8; 32] {
    sha256(&[&[0], data].concat())
}

/// The root above a leaf, from the nodes beside the way.
fn root(leaf: [u8; 32], path: &[[u8; 32]]) -> [u8; 32] {
    let mut pair = [1; 65];
    let up = |node: [u8; 32], (level, beside): (usize, &[u8; 32])| {
        let (left, right) = if INDEX >> level & 1 == 0 { (node, *beside) } else { (*beside, node) };
        for (byte, from) in pair.iter_mut().skip(1).zip(left.into_iter().chain(right)) {
            *byte = from;
        }
        sha256(&pair)
    };
    path.iter().enumerate().fold(leaf, up)
}

pub fn work() -> Work {
    let artifact = compiled(SOURCE, "Claims");
    let redeem = artifact.redeem_script(&values([])).expect("there are no parameters");
    let payee = hash160(b"payee");
    let due = leaf(&[&payee[..], &AMOUNT.to_le_bytes()].concat());
    let path: Vec<[u8; 32]> = (0..DEPTH).map(|at| sha256(&[at])).collect();
    let (before, after) = (root(due, &path), root(leaf(b""), &path));
    let pot = |sats: u64, root: &[u8; 32]| TxOut {
        value: Sats::from_wire(sats),
        token: holding(root, 0),
        lock: artifact.lock_of(&redeem),
    };
    let args = [
        ("to", AbiValue::Item(payee.to_vec())),
        ("amount", int(AMOUNT)),
        ("index", int(INDEX)),
        ("path", AbiValue::Item(path.concat())),
    ];
    let claim = artifact.path("claim").expect("the only path");
    let unlock = claim.unlock_script(&values(args), &redeem).expect("these are the arguments");
    let outputs = vec![pot(POT_SATS - AMOUNT, &after), TxOut::plain(Sats::from_wire(AMOUNT), p2pkh(&payee))];
    let (tx, spent) = with_money(pot(POT_SATS, &before), unlock, FEE_SATS, outputs);
    valid("Merkle claim", tx, spent, move |tx| {
        let path = black_box(&path);
        let is_paid = tx.outputs.last().is_some_and(|output| output.value.get() == AMOUNT);
        i64::from(is_paid && root(black_box(due), path) == before && root(leaf(b""), path) == after)
    })
}
