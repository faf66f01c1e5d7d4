//! Attacks on the record of a list that may be replaced: proposals that were good once, one output for two records,
//! identities that do not come back, and every field of the record's coin.

use flow::{Adjustment, Recipient};
use spec::artifact::AbiValue;
use spec::token::{Capability, Nft, Token};
use spec::{Category, Sats, TxOut};

use crate::machine::{Placed, Tx, Values, account, bytes, compiled, four, int, nft, other, out, place, spend, tx};

const SOURCE: &str = "reward Shared { builder: 60%, others: 40% list, minimum: 1_000_000 sats, fee: up to 5_000 sats, \
                      adjust: by did(curator) after 144 blocks }";
const DID: [u8; 32] = [4; 32];
const NOTICE: u32 = 144;
const NOW: u32 = 900_000;

/// The record, its reward, and two lists that take turns.
struct Stage {
    reward: spec::Artifact,
    record: Placed,
    lists: [Vec<Recipient>; 2],
}

fn recipient(at: u32, weight: u64, until: u32) -> Recipient {
    Recipient { name: (at + 1).to_string(), weight, lock: account(10 + at), until }
}

impl Stage {
    fn new() -> Self {
        let artifacts = compiled(SOURCE);
        let record = place(&artifacts, "SharedRecord", vec![("curator", bytes(DID))]);
        let reward = artifacts.iter().find(|artifact| artifact.contract == "Shared").unwrap().clone();
        let first = vec![recipient(0, 600_000, 0), recipient(1, 250_000, 0), recipient(2, 150_000, 0)];
        let second = vec![recipient(0, 600_000, 0), recipient(1, 150_000, 0), recipient(2, 250_000, 0)];
        Self { reward, record, lists: [first, second] }
    }

    fn hash(&self, list: usize) -> [u8; 32] {
        flow::list_hash(&self.reward, &self.lists[list]).unwrap()
    }

    /// A coin of the record that says so much.
    fn says(&self, seq: u32, current: [u8; 32], next: [u8; 32]) -> TxOut {
        let state = [&four(seq)[..], &current, &next].concat();
        self.record.out(2_000, nft([3; 32], Capability::Mutable, &state, 0))
    }

    /// What a proposal of the other list pushes when this one is in force.
    fn proposing(&self, from: usize) -> Values {
        let found = flow::adjustment(&self.reward, &self.lists[from], &self.lists[1 - from], NOW).unwrap();
        let Adjustment { changes, was_named, is_named, hash, .. } = found;
        assert_eq!(hash, self.hash(1 - from));
        vec![
            ("changes", changes),
            ("was_named", bytes(was_named)),
            ("is_named", bytes(is_named)),
            ("now", int(NOW.into())),
        ]
    }

    /// A proposal, shown to the record of such a state; the identity comes back.
    fn propose(&self, from: usize, before: TxOut, after: TxOut) -> Tx<'_> {
        let inputs = vec![spend(&self.record, "propose", self.proposing(from), before), other(did())];
        tx(inputs, vec![after, did()]).at(NOW)
    }

    fn good(&self) -> Tx<'_> {
        self.propose(0, self.says(7, self.hash(0), [0; 32]), self.says(7, self.hash(0), self.hash(1)))
    }
}

/// The coin of the identity.
fn did() -> TxOut {
    out(&account(5), 1_500, nft(DID, Capability::Mutable, b"document", 0))
}

#[test]
fn a_proposal_that_was_good_once_is_good_for_no_other_list() {
    let stage = Stage::new();
    let [first, second] = [stage.hash(0), stage.hash(1)];
    stage.good().accepted();
    // After it came into force: the same pushes, whatever the record then says it will be.
    for next in [first, second] {
        let replayed = stage.propose(0, stage.says(8, second, [0; 32]), stage.says(8, second, next));
        replayed.refused("the old weights are the list in force");
    }
    // Back again takes a proposal of its own; and then the first list is in force anew, with a higher number.
    stage.propose(1, stage.says(8, second, [0; 32]), stage.says(8, second, first)).accepted();
    let activate = |seq: u32, before: ([u8; 32], [u8; 32]), after: TxOut, age: u32| {
        let coin = stage.says(seq, before.0, before.1);
        tx(vec![spend(&stage.record, "activate", vec![], coin)], vec![after]).aged(age)
    };
    activate(8, (second, first), stage.says(9, first, [0; 32]), NOTICE).accepted();
    activate(8, (second, first), stage.says(9, first, [0; 32]), NOTICE - 1).refused("the notice period of 144 blocks");
    // The number counts each list that came into force: none is put in force twice by one proposal.
    activate(8, (second, first), stage.says(8, first, [0; 32]), NOTICE).refused("the next state");
    activate(8, (second, first), stage.says(9, first, first), NOTICE).refused("the next state");
    activate(9, (first, [0; 32]), stage.says(10, [0; 32], [0; 32]), NOTICE).refused("a list is proposed");
    // A time that lies back makes no proposal older: the age is the coin's, and a lock time says nothing about it.
    activate(8, (second, first), stage.says(9, first, [0; 32]), 0).at(NOW + 9_999).refused("the notice period");
}

#[test]
fn every_field_of_the_record_goes_on() {
    let stage = Stage::new();
    let [first, second] = [stage.hash(0), stage.hash(1)];
    let paths: [(&'static str, Values, TxOut, TxOut, u32); 3] = [
        ("propose", stage.proposing(0), stage.says(7, first, [0; 32]), stage.says(7, first, second), 0),
        ("cancel", vec![], stage.says(7, first, second), stage.says(7, first, [0; 32]), 0),
        ("activate", vec![], stage.says(7, first, second), stage.says(8, second, [0; 32]), NOTICE),
    ];
    for (path, args, before, after, age) in paths {
        let go = |change: &dyn Fn(&mut TxOut)| {
            let mut next = after.clone();
            change(&mut next);
            let inputs = vec![spend(&stage.record, path, args.clone(), before.clone()), other(did())];
            tx(inputs, vec![next, did()]).at(NOW).aged(age)
        };
        fn held(next: &mut TxOut) -> &mut Nft {
            next.token.as_mut().unwrap().nft.as_mut().unwrap()
        }
        go(&|_| ()).accepted();
        go(&|next| next.lock = account(9)).refused("the lock of this one");
        for capability in [Capability::None, Capability::Minting] {
            go(&|next| held(next).capability = capability).refused("the token category and capability of this one");
        }
        let elsewhere = Category::from_wire([8; 32]);
        go(&|next| next.token.as_mut().unwrap().category = elsewhere).refused("the token category and capability");
        go(&|next| next.token = None).refused("the token category and capability of this one");
        go(&|next| next.value = Sats::from_wire(1_999)).refused("the value of this one");
        go(&|next| next.token.as_mut().unwrap().amount = 1).refused("the token amount of this one");
        for at in [0, 4, 36, 67] {
            go(&|next| held(next).commitment[at] ^= 1).refused("the next state");
        }
        go(&|next| held(next).commitment.push(0)).refused("the next state");
        go(&|next| held(next).commitment.truncate(67)).refused("the next state");
    }
}

#[test]
fn one_identity_and_one_output_serve_one_record() {
    let stage = Stage::new();
    let [first, second] = [stage.hash(0), stage.hash(1)];
    let record = |at| spend(&stage.record, "propose", stage.proposing(0), stage.says(at, first, [0; 32]));
    let next = |at| stage.says(at, first, second);
    let go = |inputs, outputs| tx(inputs, outputs).at(NOW);
    // Two records of one curator, with the output of one; and with an output each.
    go(vec![record(7), other(did()), record(7)], vec![next(7), did()]).judge().unwrap_err();
    go(vec![record(7), other(did()), record(8)], vec![next(7), did(), next(8)])
        .refused("the record is the first input");
    go(vec![other(did()), record(7)], vec![did(), next(7)]).refused("the record is the first input");
}

#[test]
fn nothing_but_the_identity_itself_proposes() {
    let stage = Stage::new();
    let shown = |coin: TxOut, back: TxOut| {
        let mut tx = stage.good();
        tx.inputs[1] = other(coin);
        tx.outputs[1] = back;
        tx
    };
    let token = |token: Option<Token>| out(&account(5), 1_500, token);
    // Other tokens of the same category, another category, no token.
    for fake in [
        nft(DID, Capability::None, b"document", 0),
        nft(DID, Capability::Minting, b"document", 0),
        nft([5; 32], Capability::Mutable, b"document", 0),
        crate::machine::of(DID, 7),
        None,
    ] {
        shown(token(fake.clone()), token(fake)).refused("the second input carries the token of `curator`");
    }
    let mut alone = stage.good();
    alone.inputs.pop();
    alone.judge().unwrap_err();
    // It comes back whole, or not at all.
    shown(did(), out(&account(6), 1_500, did().token)).refused("the lock of `curator` back");
    shown(did(), token(None)).refused("the token of `curator` back");
    shown(did(), token(nft(DID, Capability::None, b"document", 0))).refused("the token of `curator` back");
    shown(did(), token(nft(DID, Capability::Mutable, b"other", 0))).refused("the document of `curator` back");
    shown(did(), token(nft(DID, Capability::Mutable, b"", 0))).refused("the document of `curator` back");
    // The same of the way back.
    let cancel = |back: TxOut| {
        let before = stage.says(7, stage.hash(0), stage.hash(1));
        let inputs = vec![spend(&stage.record, "cancel", vec![], before), other(did())];
        tx(inputs, vec![stage.says(7, stage.hash(0), [0; 32]), back])
    };
    cancel(did()).accepted();
    cancel(token(None)).refused("the token of `curator` back");
}

/// The longest lists that may be deployed are promised for entries of the longest pushes; the machine's own limit lies
/// a little beyond, and no proposal above it fits an input that nodes relay.
#[test]
fn the_longest_lists_are_proposed_and_little_more_fits_an_input() {
    let stage = Stage::new();
    let contract = |at: u32| spec::script::p2sh32(&spec::hash::sha256d(&at.to_le_bytes()));
    type LockOf<'a> = &'a dyn Fn(u32) -> Vec<u8>;
    let lists: [(u32, LockOf<'_>); 2] = [(190, &|at| account(at)), (164, &contract)];
    for (most, lock) in lists {
        let judged = |count: u32| {
            let each = 1_000_000 / u64::from(count);
            // The builder is the first entry. Everybody's weight changes, so every number is pushed.
            let list = |by: u64| -> Vec<Recipient> {
                let until = if by == 0 { NOW } else { NOW + 9_000 };
                let mut all: Vec<Recipient> = (0..count)
                    .map(|at| Recipient { name: at.to_string(), weight: each, lock: lock(at), until })
                    .collect();
                all[0].weight = 1_000_000 - each * u64::from(count - 1) - by;
                all[1].weight += by;
                all
            };
            let (old, new) = (list(0), list(7));
            let number = |n: u64| spec::num::encode_wide(n.into());
            let change = |(was, is): (&Recipient, &Recipient)| {
                let until = |one: &Recipient| number(u64::from(one.until));
                vec![number(was.weight), until(was), number(is.weight), until(is), was.lock.clone()]
            };
            let changes: Vec<Vec<Vec<u8>>> = old.iter().zip(&new).map(change).collect();
            let fixed = |list: &[Recipient]| -> Vec<Vec<Vec<u8>>> {
                let one = |one: &Recipient| {
                    let weight = u32::try_from(one.weight).unwrap();
                    vec![four(weight).to_vec(), four(one.until).to_vec(), one.lock.clone()]
                };
                list.iter().map(one).collect()
            };
            let named = [0x11; 32];
            let [was, is] = [&old, &new].map(|list| spec::artifact::chain_hash(&named, &fixed(list)));
            let args = vec![
                ("changes", AbiValue::Records(changes.into())),
                ("was_named", bytes(named)),
                ("is_named", bytes(named)),
                ("now", int(NOW.into())),
            ];
            let before = stage.says(7, was, [0; 32]);
            let inputs = vec![spend(&stage.record, "propose", args, before), other(did())];
            tx(inputs, vec![stage.says(7, was, is), did()]).at(NOW).judge_narrow()
        };
        judged(most).unwrap();
        let refused = (most + 1..most + 40).find(|count| judged(*count).is_err()).unwrap();
        println!("a proposal of {} entries is accepted, and none of {refused}", refused - 1);
        assert!(refused <= most + 30, "{refused}");
    }
}
