//! A reward of 985 recipients is settled: each is paid by weight, and the list is the one that the contract knows.

use std::hint::black_box;

use spec::artifact::{AbiValue, Record, chain_hash};
use spec::hash::{hash160, sha256, sha256d};
use spec::script::p2pkh;
use spec::{Sats, Transaction, TxOut};
use wallet::{FeeRate, Settlement, Utxo};

use super::{compiled, place, valid, values};
use crate::work::Work;

const SOURCE: &str = include_str!("../../../../examples/splitter-985/everyone.bmc");
const RECIPIENTS: u32 = 985;
/// What the weights sum to.
const WHOLE: u32 = 1_000_000;
const POT_SATS: u64 = 100_000_000;
const FEE_SATS: u64 = 50_500;

fn weights() -> Vec<u32> {
    let mut weights: Vec<u32> = (0..RECIPIENTS).map(|at| 1_000 + at % 7).collect();
    let sum: u32 = weights.iter().sum();
    if let Some(last) = weights.last_mut() {
        *last += WHOLE - sum;
    }
    weights
}

/// The settlement, and the coin that it divides.
fn settled(records: Vec<Record>) -> (Transaction, Vec<TxOut>) {
    let artifact = compiled(SOURCE, "Everyone");
    let params = values([("recipients", AbiValue::Records(records.into()))]);
    let lock = artifact.lock(&params).expect("the list is the only parameter");
    let output = TxOut::plain(Sats::from_wire(POT_SATS), lock);
    let wish = Settlement {
        artifact: &artifact,
        params: &params,
        coins: vec![Utxo { outpoint: place(1), output: output.clone() }],
        fee: Some(Sats::from_wire(FEE_SATS)),
        rate: FeeRate::RELAY_MIN,
    };
    let settled = wallet::settle(&wish).unwrap_or_else(|error| panic!("{error}"));
    (settled.built.tx, vec![output])
}

pub fn work() -> Work {
    let weights = weights();
    let record = |(at, weight): (u32, &u32)| vec![weight.to_le_bytes().to_vec(), p2pkh(&hash160(&at.to_le_bytes()))];
    let records: Vec<Record> = (0..).zip(&weights).map(record).collect();
    let list = chain_hash(b"", &records);
    let (tx, spent) = settled(records);
    valid("settlement of 985", tx, spent, move |tx| {
        assert_eq!(checked(black_box(&weights), tx), list, "these are the records");
        i64::from(RECIPIENTS)
    })
}

/// The hash of the list whose shares the outputs are.
fn checked(weights: &[u32], tx: &Transaction) -> [u8; 32] {
    let (net, whole) = (POT_SATS - FEE_SATS, u64::from(WHOLE));
    let (mut reached, mut paid) = (0, 0);
    let mut link = sha256d(b"");
    let mut record = Vec::new();
    for (weight, output) in weights.iter().zip(&tx.outputs) {
        reached += u64::from(*weight);
        let upto = (net * reached + whole / 2) / whole;
        assert!(output.value.get() >= upto - paid, "each gets a share");
        paid = upto;
        record.clear();
        record.extend_from_slice(&link);
        record.extend_from_slice(&weight.to_le_bytes());
        record.extend_from_slice(&output.lock);
        link = sha256(&record);
    }
    link
}
