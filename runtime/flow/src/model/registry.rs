//! Every record and edge of every registry, from transactions alone.
//!
//! A registry is a category of tokens whose minting ones never leave the registry's lock; that is so
//! from its genesis, which is checked here, and stays so because the contract sees to it. So whoever
//! follows the minting tokens from coin to coin sees every registration, and the unlocking script of
//! each shows the body whose hash is the record's id.
//!
//! No script is trusted for that. What a registry has to enforce is held against each registration; at
//! the first one that breaks a rule, reading stops, and says why.

use std::collections::BTreeMap;
use std::fmt;

use spec::script::instructions;
use spec::token::{Capability, Nft};
use spec::{Category, OutPoint, Transaction, TxOut, Txid, num};

use super::body::{Body, Parent};

/// The bytes of a record's commitment: form 1, number 4, model 32, id 32, flow 32, DID 8.
pub const COMMITMENT_LEN: usize = 109;
/// The bytes of a thread's state: how many records it made.
const COUNT_LEN: usize = 8;
/// Where the id stands in a record's commitment.
const ID_AT: usize = 37;

/// What names a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registry {
    /// Of its tokens.
    pub category: Category,
    /// Of its threads.
    pub lock: Vec<u8>,
    /// Of its records; empty before there is one.
    pub record_lock: Vec<u8>,
    /// Of its edges; empty before there is one.
    pub edge_lock: Vec<u8>,
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

/// One model builds on another: what the token says that a registration makes for each parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The id of the record that was registered.
    pub child: [u8; 32],
    /// The parent's record, and what it gets over the whole of the child's.
    pub parent: Parent,
    /// The first bytes of the DID that registered the child; zeros without one.
    pub did: [u8; 8],
    /// The output that first held the edge.
    pub outpoint: OutPoint,
}

/// All records in the order in which they were registered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// Each id once, the first registration of it.
    pub records: Vec<Record>,
    /// Why nothing behind these records is one.
    pub unsound: Option<Unsound>,
    by_id: BTreeMap<[u8; 32], usize>,
    by_model: BTreeMap<[u8; 32], usize>,
}

/// Why a category is no registry, or none any longer.
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
    pub fn edges(&self) -> impl Iterator<Item = Edge> {
        self.records.iter().flat_map(Record::edges)
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

impl Record {
    /// The edges to its parents, which stand behind it in the outputs.
    pub fn edges(&self) -> impl Iterator<Item = Edge> {
        let OutPoint { txid, index } = self.outpoint;
        (index.saturating_add(1)..).zip(&self.body.parents).map(move |(index, parent)| Edge {
            child: self.id,
            parent: *parent,
            did: self.body.did,
            outpoint: OutPoint { txid, index },
        })
    }
}

impl Edge {
    /// The commitment of its token: child 32, parent 32, DID 8, weight 4.
    #[must_use]
    pub fn commitment(&self) -> Vec<u8> {
        [&self.child[..], &self.parent.id, &self.did, &self.parent.weight.to_le_bytes()].concat()
    }
}

/// The commitment of the record that a body gives.
#[must_use]
pub fn commitment(body: &Body) -> Vec<u8> {
    [&[1, 0, 0, 0, 0][..], &body.model, &body.id(), &body.flow, &body.did].concat()
}

/// All registries, while transactions are read in the order of the chain.
#[derive(Debug, Default)]
pub(crate) struct Registries {
    found: Vec<(Registry, Index)>,
    places: BTreeMap<Category, usize>,
    /// The coins that hold minting tokens, with the place of their registry.
    threads: BTreeMap<OutPoint, usize>,
}

impl Registries {
    pub(crate) fn finish(self) -> Vec<(Registry, Index)> {
        self.found
    }

    /// One more transaction of the block with this number.
    pub(crate) fn step(&mut self, tx: &Transaction, block: usize) {
        let txid = tx.txid();
        for (at, input) in tx.inputs.iter().enumerate() {
            if let Some(place) = self.threads.remove(&input.prevout) {
                self.spend(place, at, tx, txid, block);
            }
            if input.prevout.index == 0 {
                self.genesis(Category::from_wire(*input.prevout.txid.as_wire()), tx, txid);
            }
        }
    }

    /// A transaction may begin a category. It is a registry if it makes nothing but threads of one lock.
    fn genesis(&mut self, category: Category, tx: &Transaction, txid: Txid) {
        let own = (0u32..).zip(&tx.outputs).filter(|(_, output)| nft_of(output, &category).is_some());
        let Some((_, first)) = own.clone().find(|(_, output)| is_thread(output, &category)) else { return };
        let registry = Registry { category, lock: first.lock.clone(), record_lock: Vec::new(), edge_lock: Vec::new() };
        let all = tx.outputs.iter().filter(|output| carries(output, &category));
        let mut index = Index::default();
        let place = self.found.len();
        if all.clone().any(|output| !is_thread(output, &category) || output.lock != registry.lock) {
            index.unsound = Some(Unsound { txid, why: "the genesis leaves a token outside the registry" });
        } else {
            self.threads.extend(own.map(|(index, _)| (OutPoint { txid, index }, place)));
        }
        self.places.insert(category, place);
        self.found.push((registry, index));
    }

    /// A thread is spent.
    fn spend(&mut self, place: usize, at: usize, tx: &Transaction, txid: Txid, block: usize) {
        let Some((registry, index)) = self.found.get_mut(place) else { return };
        if index.unsound.is_some() {
            return;
        }
        let unsound = |why| Unsound { txid, why };
        let found = match at {
            0 => registration(registry, index, tx, block).map_err(unsound),
            _ => Err(unsound("a thread is not the first input")),
        };
        match found {
            Ok(record) => {
                let at = record.body.parents.len() + 1;
                learn(&mut registry.record_lock, tx.outputs.get(at));
                if at > 1 {
                    learn(&mut registry.edge_lock, tx.outputs.get(at + 1));
                }
                self.threads.insert(OutPoint { txid, index: 0 }, place);
                index.add(record);
            }
            Err(found) => index.unsound = Some(found),
        }
    }
}

/// Keeps the first lock that was seen.
fn learn(lock: &mut Vec<u8>, output: Option<&TxOut>) {
    if lock.is_empty()
        && let Some(output) = output
    {
        lock.clone_from(&output.lock);
    }
}

fn carries(output: &TxOut, category: &Category) -> bool {
    output.token.as_ref().is_some_and(|token| token.category == *category)
}

fn nft_of<'t>(output: &'t TxOut, category: &Category) -> Option<&'t Nft> {
    output.token.as_ref().filter(|token| token.category == *category)?.nft.as_ref()
}

fn is_thread(output: &TxOut, category: &Category) -> bool {
    let counts = |nft: &Nft| nft.capability == Capability::Minting && nft.commitment.len() == COUNT_LEN;
    nft_of(output, category).is_some_and(counts) && output.token.as_ref().is_some_and(|token| token.amount == 0)
}

/// What a spend of a thread registers. Output 0 goes on, the parents' records, the new one and its edges follow, and no
/// other output has a token of the registry.
fn registration(registry: &Registry, index: &Index, tx: &Transaction, block: usize) -> Result<Record, &'static str> {
    let category = &registry.category;
    let goes_on = |output: &&TxOut| is_thread(output, category) && output.lock == registry.lock;
    if tx.outputs.first().filter(goes_on).is_none() {
        return Err("a thread does not go on");
    }
    let body =
        tx.inputs.first().and_then(|input| pushed_body(&input.unlock)).ok_or("a thread is spent without a body")?;
    if body.parents.iter().any(|parent| index.get(&parent.id).is_none()) {
        return Err("a parent was not registered before");
    }
    let at = body.parents.len() + 1;
    if tx.outputs.iter().filter(|output| carries(output, category)).count() != 2 * at {
        return Err("a registration makes one record, and an edge for each parent");
    }
    let shown = tx.outputs.iter().skip(1).zip(&body.parents);
    let is_parent = |(output, parent): (&TxOut, &Parent)| {
        let is_record = |nft: &Nft| {
            nft.capability == Capability::None
                && nft.commitment.len() == COMMITMENT_LEN
                && nft.commitment.get(ID_AT..ID_AT + 32) == Some(&parent.id[..])
        };
        output.lock == registry.record_lock && nft_of(output, category).is_some_and(is_record)
    };
    if !shown.into_iter().all(is_parent) {
        return Err("a parent's record does not come back");
    }
    if !tx.outputs.get(at).is_some_and(|output| holds(output, category, &registry.record_lock, &commitment(&body))) {
        return Err("the record does not hold what was registered");
    }
    let index = u32::try_from(at).unwrap_or(u32::MAX);
    let record = Record { id: body.id(), body, block, outpoint: OutPoint { txid: tx.txid(), index } };
    // All edges of a registry lie at one lock.
    let home = match tx.outputs.get(at + 1) {
        Some(first) if registry.edge_lock.is_empty() => &first.lock,
        _ => &registry.edge_lock,
    };
    let mut edges = tx.outputs.iter().skip(at + 1).zip(record.edges());
    if !edges.all(|(output, edge)| holds(output, category, home, &edge.commitment())) {
        return Err("an edge does not say which model builds on which");
    }
    drop(edges);
    Ok(record)
}

/// Whether an output holds an immutable token of the registry that says just this, at `home` if that is known.
fn holds(output: &TxOut, category: &Category, home: &[u8], commitment: &[u8]) -> bool {
    let same = |nft: &Nft| nft.capability == Capability::None && nft.commitment == commitment;
    let no_amount = output.token.as_ref().is_some_and(|token| token.amount == 0);
    (home.is_empty() || output.lock == home) && no_amount && nft_of(output, category).is_some_and(same)
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

#[cfg(test)]
mod tests;
