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

use spec::artifact::chain_hash;
use spec::model::{TERMS_BYTES, flow_script};
use spec::script::instructions;
use spec::token::{Capability, Nft};
use spec::{Category, OutPoint, Transaction, TxOut, Txid};

use super::body::{Body, Parent};
use crate::reward::{Form, Published, Recipient, pushed};

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
    /// The hash in the lock of the model's flow, which the registry has built.
    pub flow: [u8; 32],
    /// Whom the flow pays: the parents' flows, then the model's own sources.
    pub recipients: Vec<Recipient>,
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

    /// The first record of the same weights, if this one is later and does not build on it.
    ///
    /// Anybody can register a file that somebody else has registered, with other sources. Both records stand; whoever
    /// reads them takes the first for the model's.
    #[must_use]
    pub fn earlier(&self, record: &Record) -> Option<&Record> {
        let first = self.records.get(*self.by_model.get(&record.body.model)?)?;
        let builds_on = record.body.parents.iter().any(|parent| parent.id == first.id);
        (first.id != record.id && !builds_on).then_some(first)
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
    /// The flow as whoever deploys a model publishes it: a registration says as much.
    #[must_use]
    pub fn published(&self) -> Published {
        let terms = self.body.terms;
        let records: Vec<_> = self.recipients.iter().map(Recipient::entry).collect();
        Published {
            name: self.body.about().map_or_else(|| hex_start(&self.id), |about| about.name),
            redeem: flow_script(&chain_hash(&terms.encode(), &records)),
            form: Form::Flow { least: terms.least, fee_max: terms.fee_max },
            last: self.recipients.len().saturating_sub(1),
            recipients: self.recipients.clone(),
        }
    }

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

/// The commitment of the record that a body gives, with the hash in the lock of its flow.
#[must_use]
pub fn commitment(body: &Body, flow: &[u8; 32]) -> Vec<u8> {
    [&[1, 0, 0, 0, 0][..], &body.model, &body.id(), flow, &body.did].concat()
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
    let body = pushed_body(tx).ok_or("a thread is spent without a body")?;
    let known = body.parents.iter().map(|parent| index.get(&parent.id).map(|record| record.flow));
    let flows: Vec<[u8; 32]> = known.collect::<Option<_>>().ok_or("a parent was not registered before")?;
    let flow = body.flow(&flows);
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
    if !tx
        .outputs
        .get(at)
        .is_some_and(|output| holds(output, category, &registry.record_lock, &commitment(&body, &flow)))
    {
        return Err("the record does not hold what was registered, or another flow");
    }
    let index = u32::try_from(at).unwrap_or(u32::MAX);
    let recipients = body.recipients(&flows);
    let record = Record { id: body.id(), body, flow, recipients, block, outpoint: OutPoint { txid: tx.txid(), index } };
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

/// What a model without a name is called.
fn hex_start(id: &[u8; 32]) -> String {
    let digits: String = id.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("0x{digits}..")
}

/// The lengths of what `register` takes, as far as they are fixed: terms, model, DID, parents, sources, rest.
const PUSHES: [Option<usize>; 6] = [Some(TERMS_BYTES), Some(32), Some(8), None, None, None];

/// The body that the first input's pushes show. In which order they stand is the compiler's choice: the right one is
/// that whose body has the id of the new record. Where there is none, any body that a registry accepts says what is
/// wrong with the record.
fn pushed_body(tx: &Transaction) -> Option<Body> {
    let steps = instructions(&tx.inputs.first()?.unlock).collect::<Result<Vec<_>, _>>().ok()?;
    let pushes = steps.iter().map(|step| pushed(step.byte, step.data)).collect::<Option<Vec<_>>>()?;
    let (_redeem, pushes) = pushes.split_last()?;
    let mut other = None;
    let mut is_it = |order: &[&[u8]]| {
        let [terms, model, did, parents, sources, rest] = <[&[u8]; PUSHES.len()]>::try_from(order).ok()?;
        let (model, did) = (model.try_into().ok()?, did.try_into().ok()?);
        let body = Body::of_parts(terms, parents, sources, model, did, rest.to_vec())?;
        let record = tx.outputs.get(body.parents.len() + 1).and_then(|output| output.token.as_ref()?.nft.as_ref());
        let id = record.and_then(|nft| nft.commitment.get(ID_AT..ID_AT + 32));
        if id == Some(&body.id()) {
            return Some(body);
        }
        other.get_or_insert(body);
        None
    };
    let pushes: Vec<&[u8]> = pushes.iter().map(Vec::as_slice).collect();
    let found = if pushes.len() == PUSHES.len() { orders(&pushes, &mut Vec::new(), &mut is_it) } else { None };
    found.or(other)
}

/// Tries every order of the pushes in which each fixed length is at its place: of six, few are.
fn orders<'p>(
    left: &[&'p [u8]],
    chosen: &mut Vec<&'p [u8]>,
    is_it: &mut impl FnMut(&[&[u8]]) -> Option<Body>,
) -> Option<Body> {
    let Some(len) = PUSHES.get(chosen.len()) else { return is_it(chosen) };
    for (at, push) in left.iter().enumerate().filter(|(_, push)| len.is_none_or(|len| push.len() == len)) {
        let others: Vec<&[u8]> =
            left.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, push)| *push).collect();
        chosen.push(push);
        let found = orders(&others, chosen, is_it);
        chosen.pop();
        if found.is_some() {
            return found;
        }
    }
    None
}

#[cfg(test)]
mod tests;
