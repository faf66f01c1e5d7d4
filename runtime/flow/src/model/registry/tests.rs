//! Registrations by hand, honest ones and changed ones.

use spec::Sats;
use spec::model::Terms;
use spec::script::push_data;
use spec::token::Token;
use spec::tx::TxIn;

use super::super::body::Source;
use super::*;

const CATEGORY: [u8; 32] = [7; 32];
const THREAD_LOCK: u8 = 1;
const RECORD_LOCK: u8 = 2;
const EDGE_LOCK: u8 = 3;
const ELSEWHERE: u8 = 9;
const DID: [u8; 8] = [5; 8];

fn token(lock: u8, capability: Capability, commitment: Vec<u8>) -> TxOut {
    let nft = Some(Nft { capability, commitment });
    let token = Token { category: Category::from_wire(CATEGORY), amount: 0, nft };
    TxOut { value: Sats::ONE, token: Some(token), lock: vec![lock] }
}

fn thread() -> TxOut {
    token(THREAD_LOCK, Capability::Minting, vec![0; COUNT_LEN])
}

fn spending(prevout: OutPoint, unlock: Vec<u8>, outputs: Vec<TxOut>) -> Transaction {
    Transaction { version: 2, inputs: vec![TxIn { prevout, unlock, sequence: 0 }], outputs, locktime: 0 }
}

/// A model that builds on these, each with a weight of its own.
fn body(mark: u8, parents: &[&Body]) -> Body {
    let parents: Vec<Parent> = (1..).zip(parents).map(|(weight, parent)| Parent { id: parent.id(), weight }).collect();
    let given: u32 = parents.iter().map(|parent| parent.weight).sum();
    let sources = vec![Source { weight: 100 - given, lock: vec![0x51, mark] }];
    let terms = Terms { whole: 100, least: Sats::from_wire(57_600), fee_max: 1_000, names: [mark; 32] };
    Body { terms, parents, sources, model: [mark; 32], did: DID, rest: vec![mark] }
}

/// The flow of a body among those that it builds on.
fn flow_in(body: &Body, known: &[&Body]) -> [u8; 32] {
    let of = |parent: &Parent| *known.iter().find(|body| body.id() == parent.id).unwrap();
    let flows: Vec<_> = body.parents.iter().map(|parent| flow_in(of(parent), known)).collect();
    body.flow(&flows)
}

/// What a registration pushes.
fn unlock(body: &Body) -> Vec<u8> {
    let pushes = [
        body.terms.encode(),
        body.parents_bytes(),
        body.sources_bytes(),
        body.model.to_vec(),
        body.did.to_vec(),
        body.rest.clone(),
        vec![0x51],
    ];
    let mut script = Vec::new();
    pushes.iter().for_each(|push| push_data(&mut script, push));
    script
}

fn edge_bytes(body: &Body, parent: &Parent) -> Vec<u8> {
    [&body.id()[..], &parent.id, &body.did, &parent.weight.to_le_bytes()].concat()
}

/// Thread, records of the parents, the new record, its edges, change.
fn outputs(body: &Body, known: &[&Body]) -> Vec<TxOut> {
    let of = |id: &[u8; 32]| *known.iter().find(|body| body.id() == *id).unwrap();
    let record = |body: &Body| token(RECORD_LOCK, Capability::None, commitment(body, &flow_in(body, known)));
    let edge = |parent: &Parent| token(EDGE_LOCK, Capability::None, edge_bytes(body, parent));
    let shown = body.parents.iter().map(|parent| record(of(&parent.id)));
    let edges = body.parents.iter().map(edge);
    let change = TxOut::plain(Sats::ONE, vec![ELSEWHERE]);
    [thread()].into_iter().chain(shown).chain([record(body)]).chain(edges).chain([change]).collect()
}

/// A registry on a chain of its own, at the output that goes on.
struct Chain {
    registries: Registries,
    thread: OutPoint,
}

impl Chain {
    fn new() -> Self {
        let first = OutPoint { txid: Txid::from_wire(CATEGORY), index: 0 };
        let mut chain = Self { registries: Registries::default(), thread: first };
        chain.send(Vec::new(), vec![thread()]);
        chain
    }

    fn send(&mut self, unlock: Vec<u8>, outputs: Vec<TxOut>) -> Txid {
        let tx = spending(self.thread, unlock, outputs);
        self.registries.step(&tx, 0);
        self.thread = OutPoint { txid: tx.txid(), index: 0 };
        self.thread.txid
    }

    fn register(&mut self, body: &Body, known: &[&Body]) -> Txid {
        self.send(unlock(body), outputs(body, known))
    }

    fn end(self) -> (Registry, Index) {
        self.registries.finish().pop().unwrap()
    }
}

#[test]
fn a_registration_gives_a_record_and_an_edge_to_each_parent() {
    let (one, two) = (body(1, &[]), body(2, &[]));
    let child = body(3, &[&one, &two]);
    let mut chain = Chain::new();
    chain.register(&one, &[]);
    chain.register(&two, &[]);
    let txid = chain.register(&child, &[&one, &two]);
    let (registry, index) = chain.end();
    assert_eq!((index.records.len(), &index.unsound), (3, &None));
    assert_eq!((registry.record_lock, registry.edge_lock), (vec![RECORD_LOCK], vec![EDGE_LOCK]));
    let edges: Vec<Edge> = index.edges().collect();
    // Thread 0, parents 1 and 2, record 3.
    let places: Vec<OutPoint> = [4, 5].map(|index| OutPoint { txid, index }).to_vec();
    assert_eq!(edges.iter().map(|edge| edge.outpoint).collect::<Vec<_>>(), places);
    for (edge, parent) in edges.iter().zip(&child.parents) {
        assert_eq!((edge.child, edge.parent, edge.did), (child.id(), *parent, DID));
        assert_eq!(edge.commitment(), edge_bytes(&child, parent));
        assert_eq!(edge.commitment().len(), 76);
    }
}

#[test]
fn of_two_records_of_the_same_weights_the_first_counts() {
    let first = body(1, &[]);
    let copied = Body { model: first.model, ..body(2, &[]) };
    let owned = Body { model: first.model, ..body(3, &[&first]) };
    let mut chain = Chain::new();
    chain.register(&first, &[]);
    chain.register(&copied, &[]);
    chain.register(&owned, &[&first]);
    let (_, index) = chain.end();
    let earlier: Vec<_> = index.records.iter().map(|record| index.earlier(record).map(|first| first.id)).collect();
    assert_eq!(earlier, [None, Some(first.id()), None], "a later record that builds on the first says what it is");
}

/// What a registration with two parents is refused for once its outputs are changed.
fn refused(change: impl FnOnce(&mut Vec<TxOut>)) -> Option<&'static str> {
    let (one, two) = (body(1, &[]), body(2, &[]));
    let (older, child) = (body(3, &[&one]), body(4, &[&one, &two]));
    let mut chain = Chain::new();
    chain.register(&one, &[]);
    chain.register(&two, &[]);
    chain.register(&older, &[&one]);
    let mut outputs = outputs(&child, &[&one, &two]);
    change(&mut outputs);
    chain.send(unlock(&child), outputs);
    let (_, index) = chain.end();
    assert_eq!(index.records.len(), if index.unsound.is_some() { 3 } else { 4 });
    index.unsound.map(|unsound| unsound.why)
}

fn nft(output: &mut TxOut) -> &mut Nft {
    output.token.as_mut().unwrap().nft.as_mut().unwrap()
}

#[test]
fn an_edge_that_is_another_than_was_registered_ends_the_registry() {
    assert_eq!(refused(|_| {}), None);
    let says = Some("an edge does not say which model builds on which");
    for at in [0, 31, 32, 63, 64, 71, 72, 75] {
        for edge in [4, 5] {
            assert_eq!(refused(|outputs| nft(&mut outputs[edge]).commitment[at] ^= 1), says, "{edge} {at}");
        }
    }
    assert_eq!(refused(|outputs| nft(&mut outputs[4]).commitment.push(0)), says);
    assert_eq!(refused(|outputs| nft(&mut outputs[4]).commitment.truncate(75)), says);
    assert_eq!(refused(|outputs| outputs.swap(4, 5)), says);
    assert_eq!(refused(|outputs| outputs[5] = outputs[4].clone()), says);
    assert_eq!(refused(|outputs| outputs[5].token.as_mut().unwrap().amount = 1), says);
    for capability in [Capability::Mutable, Capability::Minting] {
        assert_eq!(refused(|outputs| nft(&mut outputs[5]).capability = capability), says);
    }
    // The registry's edges lie at one lock, which an older registration has shown.
    assert_eq!(refused(|outputs| outputs[4].lock = vec![ELSEWHERE]), says);
    assert_eq!(refused(|outputs| outputs[4..6].iter_mut().for_each(|edge| edge.lock = vec![ELSEWHERE])), says);
}

#[test]
fn a_registration_makes_exactly_as_many_edges_as_it_has_parents() {
    let count = Some("a registration makes one record, and an edge for each parent");
    assert_eq!(refused(|outputs| drop(outputs.remove(5))), count);
    assert_eq!(refused(|outputs| outputs[4].token = None), count);
    assert_eq!(refused(|outputs| outputs.push(outputs[4].clone())), count);
    assert_eq!(refused(|outputs| outputs[6].token = outputs[4].token.clone()), count);
}

#[test]
fn an_edge_is_no_record_and_a_record_no_edge() {
    let back = Some("a parent's record does not come back");
    assert_eq!(refused(|outputs| outputs[1] = outputs[4].clone()), back);
    assert_eq!(refused(|outputs| outputs[1].lock = vec![EDGE_LOCK]), back);
    // The id of a parent at the place where a record holds it, in a token as long as an edge.
    assert_eq!(refused(|outputs| nft(&mut outputs[1]).commitment.truncate(76)), back);
    assert_eq!(
        refused(|outputs| outputs[3] = outputs[4].clone()),
        Some("the record does not hold what was registered, or another flow")
    );
    let says = Some("an edge does not say which model builds on which");
    assert_eq!(refused(|outputs| outputs[4] = outputs[3].clone()), says);
}

/// A registration whose pushes stand in any order, as compilers may choose it.
#[test]
fn a_body_is_found_whatever_the_order_of_its_pushes() {
    let (one, mut child) = (body(1, &[]), body(2, &[&body(1, &[])]));
    // Everything that has no length of its own is as long as something that has.
    child.rest = vec![7; 32];
    child.sources = [20, 79].map(|weight| Source { weight, lock: vec![0x51; 19] }).to_vec();
    assert_eq!(child.sources_bytes().len(), TERMS_BYTES);
    for turn in 0..6 {
        let mut chain = Chain::new();
        chain.register(&one, &[]);
        let mut pushes: Vec<Vec<u8>> = instructions(&unlock(&child))
            .map(|step| step.unwrap())
            .map(|step| pushed(step.byte, step.data).unwrap())
            .collect();
        pushes[..6].rotate_left(turn);
        pushes.swap(turn % 5, 5);
        let mut script = Vec::new();
        pushes.iter().for_each(|push| push_data(&mut script, push));
        chain.send(script, outputs(&child, &[&one]));
        let (_, index) = chain.end();
        assert_eq!((index.records.len(), &index.unsound), (2, &None), "{turn}");
        assert_eq!(index.records[1].body, child);
        assert_eq!(index.records[1].flow, flow_in(&child, &[&one]));
    }
}

#[test]
fn another_flow_than_the_registry_builds_ends_it() {
    let other = Some("the record does not hold what was registered, or another flow");
    for at in [69, 85, 100] {
        assert_eq!(refused(|outputs| nft(&mut outputs[3]).commitment[at] ^= 1), other);
    }
}
