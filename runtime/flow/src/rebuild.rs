//! Every record and edge of a registry from blocks alone.
//!
//! A registry is a category of tokens whose minting ones never leave the registry's lock; that is so
//! from its genesis, which is checked here, and stays so because the contract sees to it. So whoever
//! follows the minting tokens from coin to coin sees every registration, and the unlocking script of
//! each shows the body whose hash is the record's id.

use std::collections::BTreeMap;
use std::fmt;

use spec::script::instructions;
use spec::token::Capability;
use spec::{Block, Category, OutPoint, Transaction, TxOut, Txid, num};

use crate::body::{Body, Parent};

/// The bytes of a record's commitment: form 1, number 4, model 32, id 32, flow 32, DID 8.
pub const COMMITMENT_LEN: usize = 109;
/// The bytes of a thread's state: how many records it made.
const COUNT_LEN: usize = 8;

/// What names a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registry {
    /// Of its tokens.
    pub category: Category,
    /// Of `ModelRegistry`.
    pub lock: Vec<u8>,
    /// Of `ModelRecord`.
    pub record_lock: Vec<u8>,
}

/// A registered model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// SHA-256 of the body.
    pub id: [u8; 32],
    /// What it says.
    pub body: Body,
    /// The place of the block among those that were read.
    pub block: usize,
    /// The output that first held the record.
    pub outpoint: OutPoint,
}

/// All records in the order in which they were registered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// Each id once, the first registration of it.
    pub records: Vec<Record>,
    by_id: BTreeMap<[u8; 32], usize>,
    by_model: BTreeMap<[u8; 32], usize>,
}

/// Why a category is no registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsound {
    /// The transaction that shows it.
    pub txid: Txid,
    /// In words.
    pub why: &'static str,
}

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "transaction {}: {}", self.txid, self.why)
    }
}

impl std::error::Error for Unsound {}

impl Index {
    /// The record with this id.
    #[must_use]
    pub fn get(&self, id: &[u8; 32]) -> Option<&Record> {
        self.records.get(*self.by_id.get(id)?)
    }

    /// The first record of the model with this weights file.
    #[must_use]
    pub fn first_of(&self, model: &[u8; 32]) -> Option<&Record> {
        self.records.get(*self.by_model.get(model)?)
    }

    /// Every link from a record to one that it builds on.
    pub fn edges(&self) -> impl Iterator<Item = ([u8; 32], Parent)> {
        self.records.iter().flat_map(|record| record.body.parents.iter().map(|parent| (record.id, *parent)))
    }

    fn add(&mut self, record: Record) {
        let at = self.records.len();
        if self.by_id.contains_key(&record.id) {
            return;
        }
        self.by_id.insert(record.id, at);
        self.by_model.entry(record.body.model).or_insert(at);
        self.records.push(record);
    }
}

/// The commitment of the record that a body gives.
#[must_use]
pub fn commitment(body: &Body) -> Vec<u8> {
    [&[1, 0, 0, 0, 0][..], &body.model, &body.id(), &body.flow, &body.did].concat()
}

/// Reads blocks in the order of their heights. Transactions of a block may stand in any order.
///
/// # Errors
/// [`Unsound`] if the category was made in a way that lets somebody else mint records.
pub fn rebuild<'b>(registry: &Registry, blocks: impl IntoIterator<Item = &'b Block>) -> Result<Index, Unsound> {
    let mut index = Index::default();
    let mut threads: Vec<OutPoint> = Vec::new();
    for (number, block) in blocks.into_iter().enumerate() {
        let first = |tx: &'b Transaction| Some((tx.inputs.first()?.prevout, tx));
        let spends: BTreeMap<OutPoint, &Transaction> = block.transactions.iter().filter_map(first).collect();
        for tx in &block.transactions {
            if tx.inputs.iter().any(|input| is_genesis(&input.prevout, registry)) {
                threads.extend(genesis(registry, tx)?);
            }
        }
        for thread in &mut threads {
            while let Some(tx) = spends.get(thread) {
                let (record, next) = registration(registry, tx, number)?;
                index.add(record);
                *thread = next;
            }
        }
    }
    Ok(index)
}

fn is_genesis(spent: &OutPoint, registry: &Registry) -> bool {
    spent.index == 0 && spent.txid.as_wire() == registry.category.as_wire()
}

fn carries(output: &TxOut, registry: &Registry) -> bool {
    output.token.as_ref().is_some_and(|token| token.category == registry.category)
}

/// The threads that the genesis makes.
fn genesis(registry: &Registry, tx: &Transaction) -> Result<Vec<OutPoint>, Unsound> {
    let txid = tx.txid();
    let mut threads = Vec::new();
    for (output, index) in tx.outputs.iter().zip(0..).filter(|(output, _)| carries(output, registry)) {
        if !is_thread(output, registry) {
            return Err(Unsound { txid, why: "the genesis leaves a token outside the registry" });
        }
        threads.push(OutPoint { txid, index });
    }
    Ok(threads)
}

fn is_thread(output: &TxOut, registry: &Registry) -> bool {
    let Some(token) = output.token.as_ref().filter(|token| token.category == registry.category) else { return false };
    let minting = token
        .nft
        .as_ref()
        .is_some_and(|nft| nft.capability == Capability::Minting && nft.commitment.len() == COUNT_LEN);
    minting && token.amount == 0 && output.lock == registry.lock
}

/// What a spend of a thread registers, and where the thread goes on.
fn registration(registry: &Registry, tx: &Transaction, block: usize) -> Result<(Record, OutPoint), Unsound> {
    let txid = tx.txid();
    let unsound = |why| Unsound { txid, why };
    if !tx.outputs.first().is_some_and(|output| is_thread(output, registry)) {
        return Err(unsound("a thread does not go on"));
    }
    let body = tx.inputs.first().and_then(|input| pushed_body(&input.unlock));
    let body = body.ok_or_else(|| unsound("a thread is spent without a body"))?;
    let at = body.parents.len() + 1;
    let holds = |output: &TxOut| {
        let nft = output.token.as_ref().filter(|_| carries(output, registry)).and_then(|token| token.nft.as_ref());
        let same = nft.is_some_and(|nft| nft.capability == Capability::None && nft.commitment == commitment(&body));
        same && output.lock == registry.record_lock
    };
    if !tx.outputs.get(at).is_some_and(holds) {
        return Err(unsound("the record does not hold what was registered"));
    }
    let index = u32::try_from(at).unwrap_or(u32::MAX);
    let record = Record { id: body.id(), body, block, outpoint: OutPoint { txid, index } };
    Ok((record, OutPoint { txid, index: 0 }))
}

/// The body that an unlocking script of `register` shows: count, parents, whole, own, model, flow, DID, rest.
fn pushed_body(unlock: &[u8]) -> Option<Body> {
    let pushes = instructions(unlock).map(|instruction| {
        let instruction = instruction.ok()?;
        match (instruction.data, instruction.byte) {
            (Some(data), _) => Some(data.to_vec()),
            (None, 0x00) => Some(Vec::new()),
            (None, byte @ 0x51..=0x60) => Some(vec![byte - 0x50]),
            _ => None,
        }
    });
    let pushes = pushes.collect::<Option<Vec<_>>>()?;
    let [count, parents, whole, own, model, flow, did, rest, _redeem] = <[Vec<u8>; 9]>::try_from(pushes).ok()?;
    let number = |bytes: &[u8]| u32::try_from(num::decode(bytes)?).ok();
    let entry = |entry: &[u8]| {
        let (id, weight) = entry.split_at_checked(32)?;
        Some(Parent { id: id.try_into().ok()?, weight: u32::from_le_bytes(weight.try_into().ok()?) })
    };
    let body = Body {
        whole: number(&whole)?,
        own: number(&own)?,
        parents: parents.chunks(36).map(entry).collect::<Option<_>>()?,
        model: model.try_into().ok()?,
        flow: flow.try_into().ok()?,
        did: did.try_into().ok()?,
        rest,
    };
    (usize::try_from(number(&count)?).ok()? == body.parents.len() && body.is_sound()).then_some(body)
}
