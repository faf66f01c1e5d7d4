//! Three generations of models: registered, paid, settled up the graph, rebuilt from raw blocks, and attacked.

use std::collections::BTreeMap;

use flow::{Body, Edge, Graph, Index, Node, Parent, Paying, Published, Registry, rebuild};
use spec::artifact::AbiValue;
use spec::token::{Capability, Nft, Token};
use spec::tx::TxIn;
use spec::{Block, Category, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxOut};
use tests::Story;
use wallet::{Carried, Forgery};

use super::scratch;

const PEOPLE: &[(&str, &str)] = &[("alice", "1 coin"), ("bob", "0.001 coin")];
/// Who is behind the sources, the same for all models but the second.
const STUDIO: &[(&str, &str)] = &[("researchers", "@carol"), ("compute", "@dave"), ("infrastructure", "@erin")];

struct Family {
    story: Story,
    registry: Registry,
    /// The id of each model's record, and the lock of its flow.
    ids: BTreeMap<&'static str, [u8; 32]>,
    locks: BTreeMap<&'static str, Vec<u8>>,
}

fn text(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

impl Family {
    fn new() -> Self {
        let mut story = Story::example("model-family", PEOPLE);
        let (record_lock, edge_lock) = (story.deploy("ModelRecord", &[]), story.deploy("ModelEdge", &[]));
        let made = story.run("alice", "ModelRegistryDeploy", &[]);
        let genesis = &made.built.tx;
        let category = genesis.outputs[0].token.as_ref().unwrap().category;
        let registry = Registry { category, lock: genesis.outputs[0].lock.clone(), record_lock, edge_lock };
        Self { story, registry, ids: BTreeMap::new(), locks: BTreeMap::new() }
    }

    /// What a model's contracts and plans are given.
    fn params(&self, parents: &[&str]) -> Vec<(String, String)> {
        let locks = parents.iter().map(|parent| (format!("builds_on_{parent}"), text(&self.locks[parent])));
        locks.chain(STUDIO.iter().map(|(name, who)| ((*name).to_owned(), (*who).to_owned()))).collect()
    }

    /// Ids and weights in ascending order.
    fn parents(&self, parents: &[(&str, u32)]) -> Vec<u8> {
        let mut list: Vec<_> = parents.iter().map(|(name, weight)| (self.ids[name], *weight)).collect();
        list.sort_unstable();
        list.iter().flat_map(|(id, weight)| id.iter().copied().chain(weight.to_le_bytes())).collect()
    }

    fn args(&self, parents: &[(&'static str, u32)]) -> Vec<(String, String)> {
        let names: Vec<_> = parents.iter().map(|(name, _)| *name).collect();
        let mut args = self.params(&names);
        if !parents.is_empty() {
            args.push(("parents".to_owned(), text(&self.parents(parents))));
        }
        args
    }

    /// `declared` are the parents in the order of the declaration.
    fn register(&mut self, model: &'static str, declared: &[(&'static str, u32)]) -> Carried {
        let names: Vec<_> = declared.iter().map(|(name, _)| *name).collect();
        let params = self.params(&names);
        let lock = self.story.deploy(model, &pairs(&params));
        self.publish(model, &lock);
        self.locks.insert(model, lock);
        let args = self.args(declared);
        let carried = self.story.run("alice", &format!("{model}Register"), &pairs(&args));
        both_rules(&carried);
        let record = &carried.built.tx.outputs[declared.len() + 1];
        let commitment = &record.token.as_ref().unwrap().nft.as_ref().unwrap().commitment;
        assert_eq!(commitment.len(), flow::COMMITMENT_LEN);
        self.ids.insert(model, commitment[37..69].try_into().unwrap());
        carried
    }

    /// Puts on the chain whom the flow of a model pays.
    fn publish(&mut self, model: &str, lock: &[u8]) {
        let params = self.story.deployed_at(lock).params.clone();
        let published = Published::of(self.story.artifact(model), &params, None, None).unwrap();
        assert_eq!(published.lock(), lock);
        self.story.publish("alice", &published.encode());
    }

    /// The transaction of the last registration in this registry.
    fn last(&self) -> spec::Txid {
        self.index().records.last().unwrap().outpoint.txid
    }

    /// The registry's records, and that nothing else is said of it.
    fn read(&self, blocks: &[Block]) -> Index {
        let network = rebuild(blocks);
        let (registry, index) = network.registry(&self.registry.category).unwrap();
        assert_eq!((&registry.lock, &index.unsound), (&self.registry.lock, &None));
        assert!(index.records.is_empty() || registry.record_lock == self.registry.record_lock);
        assert!(index.edges().count() == 0 || registry.edge_lock == self.registry.edge_lock);
        index.clone()
    }

    fn index(&self) -> Index {
        self.read(&self.story.blocks())
    }

    /// A registration of `StableDiffusion` that is changed must be refused with `message`.
    #[track_caller]
    fn attack(&mut self, change: impl FnOnce(&mut Forgery<'_>), message: &str) {
        let args = self.args(SECOND);
        let change = |forgery: &mut Forgery<'_>| {
            // Whoever attacks pays for bytes that he adds.
            let last = forgery.tx.outputs.last_mut().unwrap();
            last.value = last.value.checked_sub(sats(5_000)).unwrap();
            change(forgery);
        };
        self.story.attack(("alice", &[]), "StableDiffusionRegister", &pairs(&args), change, message);
    }
}

/// What `StableDiffusion` builds on.
const SECOND: &[(&str, u32)] = &[("Transformer", 1), ("Attention", 1)];

fn pairs(args: &[(String, String)]) -> Vec<(&str, &str)> {
    args.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// The story's node runs the rules of 2026; the wider rules say the same.
fn both_rules(carried: &Carried) {
    let context = SpendContext::new(&carried.built.tx, &carried.built.spent).unwrap();
    for rules in [RuleSet::Bch2026, RuleSet::Bitmodel] {
        for input in 0..carried.built.tx.inputs.len() {
            vm::verify_input(&Rules::new(rules, spec::Mode::Relay), &context, input).unwrap();
        }
    }
}

fn sats(amount: u64) -> Sats {
    Sats::new(amount).unwrap()
}

fn commitment(output: &mut TxOut) -> &mut Vec<u8> {
    &mut nft(output).commitment
}

fn nft(output: &mut TxOut) -> &mut Nft {
    output.token.as_mut().unwrap().nft.as_mut().unwrap()
}

/// Registers another body, in the arguments as in the record and the edges.
fn restate(forgery: &mut Forgery<'_>, change: impl FnOnce(&mut Body)) {
    let item = |name: &str| match &forgery.args[0][name] {
        wallet::Arg::Value(AbiValue::Item(bytes)) => bytes.clone(),
        other => panic!("{name}: {other:?}"),
    };
    let number = |name: &str| u32::try_from(spec::num::decode(&item(name)).unwrap()).unwrap();
    let parent = |entry: &[u8]| Parent {
        id: entry[..32].try_into().unwrap(),
        weight: u32::from_le_bytes(entry[32..].try_into().unwrap()),
    };
    let mut body = Body {
        whole: number("whole"),
        own: number("own"),
        parents: item("parents").chunks(36).map(parent).collect(),
        model: item("model").try_into().unwrap(),
        flow: item("flow").try_into().unwrap(),
        did: item("did").try_into().unwrap(),
        rest: item("rest"),
    };
    change(&mut body);
    forgery.set_arg(0, "whole", AbiValue::int(body.whole.into()));
    forgery.set_arg(0, "own", AbiValue::int(body.own.into()));
    forgery.set_arg(0, "parents", arg(body.parents_bytes()));
    forgery.set_arg(0, "flow", arg(body.flow.to_vec()));
    let at = body.parents.len() + 1;
    *commitment(&mut forgery.tx.outputs[at]) = flow::commitment(&body);
    for (place, parent) in body.parents.iter().enumerate() {
        let edge = Edge { child: body.id(), parent: *parent, did: body.did, outpoint: OutPoint::COINBASE };
        *commitment(&mut forgery.tx.outputs[at + 1 + place]) = edge.commitment();
    }
}

fn arg(bytes: Vec<u8>) -> AbiValue {
    AbiValue::Item(bytes)
}

#[test]
fn paying_the_youngest_pays_all_that_it_was_made_from() {
    let mut family = Family::new();
    family.register("Attention", &[]);
    family.register("Transformer", &[("Attention", 1)]);
    figures("two parents", &family.register("StableDiffusion", SECOND));

    let mut params = family.params(&["Transformer", "Attention"]);

    // Everything that was registered comes back from the blocks.
    let index = family.index();
    let names = ["Attention", "Transformer", "StableDiffusion"];
    let ids: Vec<_> = index.records.iter().map(|record| record.id).collect();
    assert_eq!(ids, names.map(|name| family.ids[name]));
    let weights: Vec<_> = index.records.iter().map(|record| (record.body.own, record.body.whole)).collect();
    assert_eq!(weights, [(1, 1), (9, 10), (18, 20)]);
    assert_eq!(index.edges().count(), 3);
    for (name, record) in names.iter().zip(&index.records) {
        assert_eq!(spec::script::p2sh32(&record.body.flow), family.locks[name], "{name}");
        let about = record.body.about().unwrap();
        let sources: Vec<_> = about.sources.iter().map(|source| source.name.as_str()).collect();
        assert_eq!(sources, ["researchers", "compute", "infrastructure"]);
        assert_eq!(about.sources[0].lock, family.story.key("carol").lock());
        assert_eq!(about.licence, if *name == "StableDiffusion" { "openrail" } else { "apache-2.0" });
    }
    assert_eq!(index.records[2].body.about().unwrap().data[0].weight, 700_000);

    let network = rebuild(&family.story.blocks());
    let names: Vec<_> = network.rewards.iter().map(|flow| flow.published.name.as_str()).collect();
    assert_eq!(names, ["Attention", "Transformer", "StableDiffusion"]);
    for record in &index.records {
        assert_eq!(network.paying(&index, record), Paying::Parents);
    }

    // The youngest is paid, and settlements run up the graph. `Attention` is paid over two ways.
    let expected = {
        let node = |parents: &[(usize, u64)], own: [u64; 3]| Node {
            parents: parents.to_vec(),
            own: own.to_vec(),
            fee: sats(1_000),
            minimum: sats(10_000),
        };
        let older = node(&[], [5, 3, 2]);
        let middle = node(&[(0, 10)], [45, 27, 18]);
        let graph = Graph::new(vec![older, middle, node(&[(1, 5), (0, 5)], [45, 27, 18])]).unwrap();
        graph.settle(&[Sats::ZERO, Sats::ZERO, sats(10_000_000)]).unwrap()
    };
    let story = &mut family.story;
    let lock_of = |model: &str| family.locks[model].clone();
    params.push(("amount".to_owned(), "0.1 coin".to_owned()));
    story.run("alice", "StableDiffusionPay", &pairs(&params));
    story.run("alice", "StableDiffusionSettle", &[("fee", "1_000 sats")]);
    assert_eq!(story.held_at(&lock_of("StableDiffusion")), 0);
    assert_eq!(story.held_at(&lock_of("Transformer")), 499_950);
    assert_eq!(story.held_at(&lock_of("Attention")), 499_950);
    story.balances(&[("carol", 4_499_550), ("dave", 2_699_730), ("erin", 1_799_820)]);
    story.run("bob", "TransformerSettle", &[("fee", "1_000 sats")]);
    assert_eq!(story.held_at(&lock_of("Transformer")), 0);
    assert_eq!(story.held_at(&lock_of("Attention")), 499_950 + 49_895);
    story.balances(&[("carol", 4_724_078), ("dave", 2_834_446), ("erin", 1_889_631)]);

    // A parent's part cannot be kept back, nor a source be paid in its place.
    let thief = story.key("bob").lock();
    let settle = [("fee", "1_000 sats")];
    let other = thief.clone();
    let keep = |forgery: &mut Forgery<'_>| forgery.tx.outputs[0].value = sats(1_000);
    story.attack(("bob", &[]), "AttentionSettle", &settle, keep, "`researchers` gets 1/2 of the pot");
    let steal = |forgery: &mut Forgery<'_>| forgery.tx.outputs[1].lock = other;
    story.attack(("bob", &[]), "AttentionSettle", &settle, steal, "`compute` is paid at its own lock");

    // Each way to `Attention` is a coin of its own, and they are settled together.
    story.run("bob", "AttentionSettle", &settle);
    let own: u64 = expected.paid.iter().flatten().map(|share| share.get()).sum();
    assert_eq!(own + expected.fees.get(), 10_000_000, "the graph settles the same payment without a loss");
    let held = |who: &str| story.balance(who);
    assert_eq!(own, held("carol") + held("dave") + held("erin"), "so do the contracts");
    story.balances(&[("carol", 4_998_501), ("dave", 2_999_099), ("erin", 1_999_400)]);
    for lock in family.locks.values() {
        assert_eq!(story.held_at(lock), 0);
    }

    // Ten blocks are replaced, and the same records come back from the new ones.
    let before = story.blocks();
    story.reorganise(10);
    let after = story.blocks();
    assert_ne!(before[before.len() - 10..], after[before.len() - 10..before.len()]);
    let again = family.read(&after);
    assert_eq!(facts(&again), facts(&index));
    assert_eq!(again.edges().collect::<Vec<_>>(), index.edges().collect::<Vec<_>>());
    // A branch that ends before the second registration knows the first alone.
    let cut = index.records[1].block;
    assert_eq!(facts(&family.read(&before[..cut])), facts(&index)[..1]);
    family.story.end(scratch());
}

/// What a record is, apart from the block that holds it.
fn facts(index: &Index) -> Vec<([u8; 32], Body, OutPoint)> {
    index.records.iter().map(|record| (record.id, record.body.clone(), record.outpoint)).collect()
}

#[test]
fn records_cannot_be_forged() {
    let mut family = Family::new();
    family.register("Attention", &[]);
    family.register("Transformer", &[("Attention", 1)]);
    let (attention, thief) = (family.ids["Attention"], family.story.key("bob").lock());

    // Parents are shown, and come back as they are. Outputs: thread, two parents, record, two edges, change.
    let lock = thief.clone();
    family.attack(|forgery| forgery.tx.outputs[1].lock = lock, "a parent's record comes back to its lock");
    family.attack(|forgery| commitment(&mut forgery.tx.outputs[1])[108] ^= 1, "a parent's record is unchanged");
    family.attack(|forgery| forgery.tx.outputs[2].value = sats(1_999), "a parent's record keeps its value");
    family.attack(|forgery| forgery.tx.outputs[2].token = None, "a parent's record keeps its category");
    family.attack(|forgery| drop(forgery.tx.outputs.remove(2)), "each edge says which model builds on which");
    let listed = family.parents(SECOND);
    let missing = [&[0xff; 32][..], &listed[32..]].concat();
    family.attack(|forgery| forgery.set_arg(0, "parents", arg(missing)), "a parent's record holds its id");
    let fewer = listed[..36].to_vec();
    family.attack(|forgery| forgery.set_arg(0, "parents", arg(fewer)), "each parent is an id and a weight");

    // In order, each once.
    let twice = |forgery: &mut Forgery<'_>| restate(forgery, |body| body.parents[1] = body.parents[0]);
    family.attack(twice, "parents are in strictly ascending order");
    let mut args = family.args(SECOND);
    let unsorted = [&listed[36..], &listed[..36]].concat();
    args.iter_mut().filter(|(name, _)| name == "parents").for_each(|(_, value)| *value = text(&unsorted));
    family.story.refused("alice", "StableDiffusionRegister", &pairs(&args), "parents are in strictly ascending order");

    // Weights sum to the whole, and none is 0.
    let sum = "sum to the whole";
    family.attack(|forgery| restate(forgery, |body| body.own = 17), sum);
    family.attack(|forgery| restate(forgery, |body| body.whole = 21), sum);
    let none = |body: &mut Body| (body.own, body.whole) = (0, 2);
    family.attack(|forgery| restate(forgery, none), "the model keeps a weight of its own");
    for (weight, message) in [(0u32, "every parent's weight is above 0"), (2, sum), (0x8000_0001, "above 0")] {
        family.attack(|forgery| restate(forgery, |body| body.parents[0].weight = weight), message);
    }

    // The record and the edges say what is pushed, and nothing else is minted.
    let (says, links) = ("the new record says what was registered", "each edge says which model builds on which");
    for (name, value) in [("model", vec![9; 32]), ("flow", vec![9; 32]), ("did", vec![9; 8]), ("rest", vec![9; 32])] {
        family.attack(|forgery| forgery.set_arg(0, name, arg(value)), links);
    }
    for at in [0, 4, 36, 68, 100, 108] {
        family.attack(|forgery| commitment(&mut forgery.tx.outputs[3])[at] ^= 1, says);
    }
    family.attack(|forgery| commitment(&mut forgery.tx.outputs[3]).push(0), says);
    let mints = "the new record's token mints nothing";
    for capability in [Capability::Mutable, Capability::Minting] {
        family.attack(|forgery| nft(&mut forgery.tx.outputs[3]).capability = capability, mints);
    }
    let lock = thief.clone();
    family.attack(|forgery| forgery.tx.outputs[3].lock = lock, "the new record lies at the lock of records");
    let second = |forgery: &mut Forgery<'_>| {
        let mut copy = forgery.tx.outputs[3].clone();
        copy.value = sats(1_500);
        forgery.tx.outputs.push(copy);
    };
    family.attack(second, "one output of change may follow");
    let second = |forgery: &mut Forgery<'_>| forgery.tx.outputs[6].token = forgery.tx.outputs[3].token.clone();
    family.attack(second, "the change carries no token");
    edges_are_attacked(&mut family, &thief);

    // The thread goes on.
    let lock = thief.clone();
    family.attack(|forgery| forgery.tx.outputs[0].lock = lock, "the lock of this one");
    let capability = "the token category and capability of this one";
    family.attack(|forgery| nft(&mut forgery.tx.outputs[0]).capability = Capability::Mutable, capability);
    family.attack(|forgery| commitment(&mut forgery.tx.outputs[0])[0] ^= 1, "the next state");
    family.attack(|forgery| forgery.tx.outputs[0].value = sats(1_999), "the value of this one");

    // A record of another registry is none here, though it holds the very same id.
    let other = family.story.run("alice", "ModelRegistryDeploy", &[]);
    let thread = OutPoint { txid: other.built.tx.txid(), index: 0 };
    family.story.name_coins("registry", &[thread]);
    let forged = family.story.run("alice", "AttentionRegister", &pairs(&family.args(&[])));
    let mut record = forged.built.tx.outputs[1].clone();
    assert_eq!(commitment(&mut record)[37..69], attention);
    let fake = OutPoint { txid: forged.built.tx.txid(), index: 1 };
    let listed = family.parents(SECOND);
    let place = if listed[..32] == attention { "parent_0" } else { "parent_1" };
    family.story.name_coins("registry", &[OutPoint { txid: family.last(), index: 0 }]);
    family.story.name_coins(place, &[fake]);
    let args = family.args(SECOND);
    let message = "a parent's record is of this registry";
    family.story.refused("alice", "StableDiffusionRegister", &pairs(&args), message);

    // After all this, two records.
    assert_eq!(family.index().records.len(), 2);
    family.story.end(scratch());
}

/// Outputs 4 and 5 of a registration are its edges.
fn edges_are_attacked(family: &mut Family, thief: &[u8]) {
    let (says, home) = ("each edge says which model builds on which", "each edge lies at the lock of edges");
    for at in [0, 32, 64, 72, 75] {
        family.attack(|forgery| commitment(&mut forgery.tx.outputs[4])[at] ^= 1, says);
        family.attack(|forgery| commitment(&mut forgery.tx.outputs[5])[at] ^= 1, says);
    }
    family.attack(|forgery| commitment(&mut forgery.tx.outputs[5]).push(0), says);
    family.attack(|forgery| forgery.tx.outputs[5] = forgery.tx.outputs[4].clone(), says);
    family.attack(|forgery| forgery.tx.outputs.swap(4, 5), says);
    family.attack(|forgery| drop(forgery.tx.outputs.remove(4)), says);
    family.attack(|forgery| drop(forgery.tx.outputs.remove(5)), home);
    family.attack(|forgery| forgery.tx.outputs[4].lock = thief.to_vec(), home);
    let record = |forgery: &mut Forgery<'_>| forgery.tx.outputs[5] = forgery.tx.outputs[3].clone();
    family.attack(record, home);
    let edge = |forgery: &mut Forgery<'_>| forgery.tx.outputs[3] = forgery.tx.outputs[4].clone();
    family.attack(edge, "the new record lies at the lock of records");
    family.attack(|forgery| forgery.tx.outputs[5].token = None, "an edge's token mints nothing");
    for capability in [Capability::Mutable, Capability::Minting] {
        let mints = |forgery: &mut Forgery<'_>| nft(&mut forgery.tx.outputs[4]).capability = capability;
        family.attack(mints, "an edge's token mints nothing");
    }
    let copy = |forgery: &mut Forgery<'_>| {
        let copy = forgery.tx.outputs[4].clone();
        forgery.tx.outputs.insert(6, copy);
    };
    family.attack(copy, "one output of change may follow");
}

#[test]
fn edges_are_shown_and_come_back_each_to_an_output_of_its_own() {
    let mut family = Family::new();
    family.register("Attention", &[]);
    family.register("Transformer", &[("Attention", 1)]);
    family.register("StableDiffusion", SECOND);
    let (child, parent) = (text(&family.ids["StableDiffusion"]), text(&family.ids["Attention"]));
    let args = [("child", child.as_str()), ("parent", &parent)];
    let story = &mut family.story;
    let thief = story.key("bob").lock();
    let steal = |forgery: &mut Forgery<'_>| forgery.tx.outputs[0].lock = thief;
    story.attack(("bob", &[]), "ModelEdgePresent", &args, steal, "the lock of this one");
    for at in [0, 32, 64, 72] {
        let change = |forgery: &mut Forgery<'_>| commitment(&mut forgery.tx.outputs[0])[at] ^= 1;
        // No contract is asked: such a token cannot change.
        story.attack(("bob", &[]), "ModelEdgePresent", &args, change, "nft-ex-nihilo");
    }
    let shown = story.run("bob", "ModelEdgePresent", &args).built;

    // Two edges cannot both come back as one output.
    let coins = story.coins_at(&family.registry.edge_lock);
    assert_eq!(coins.len(), 3);
    let input = |at: usize| TxIn { prevout: coins[at].outpoint, ..shown.tx.inputs[0].clone() };
    let outputs = vec![coins[0].output.clone(), TxOut::plain(sats(1_000), story.key("bob").lock())];
    let tx = Transaction { version: 2, inputs: vec![input(0), input(1)], outputs, locktime: 0 };
    let spent = [coins[0].output.clone(), coins[1].output.clone()];
    story.attack_raw("two edges", &tx, &spent, "the lock of this one");
    family.story.end(scratch());
}

/// A model that builds on as many others as a model may.
const MANY: &str = "
reward Studio { only: 100%, minimum: 1_000_000 sats, fee: up to 1_000 sats }
model Root { weights: WEIGHTS, reward: Studio, license: \"mit\" }
model Child { weights: WEIGHTS, builds_on: { PARENTS }, reward: Studio, license: \"mit\" }
";
const PARENTS_MAX: u32 = 64;

#[test]
fn the_most_parents_that_a_model_may_have_fit_a_registration() {
    // The plan takes the ids when it is carried out; those of the declaration only name the locks.
    let parents: String = (1..=PARENTS_MAX).map(|at| format!("0x{at:08x}{:056x}: 1%, ", 0)).collect();
    let source = MANY.replace("WEIGHTS", &format!("0x{}", "11".repeat(32))).replace("PARENTS", &parents);
    let mut story = Story::new(&[("many.bmc", &source)], &[("alice", "1 coin")]);
    story.deploy("ModelRecord", &[]);
    story.deploy("ModelEdge", &[]);
    story.run("alice", "ModelRegistryDeploy", &[]);
    let mut ids: Vec<[u8; 32]> = Vec::new();
    for at in 0..PARENTS_MAX {
        let lock = text(&spec::script::p2sh32(&spec::hash::sha256d(&at.to_le_bytes())));
        let root = story.run("alice", "RootRegister", &[("only", &lock)]).built;
        let id = &root.tx.outputs[1].token.as_ref().unwrap().nft.as_ref().unwrap().commitment[37..69];
        ids.push(id.try_into().unwrap());
    }
    ids.sort_unstable();
    let listed: Vec<u8> = ids.iter().flat_map(|id| id.iter().copied().chain(1u32.to_le_bytes())).collect();
    let flows = r#"{"weight": 10000, "lock": "@carol"}, "#.repeat(ids.len());
    let recipients = format!(r#"[{flows}{{"weight": 360000, "lock": "@bob"}}]"#);
    let args = [("parents", text(&listed)), ("recipients", recipients)];
    let args = args.map(|(name, value)| (name.to_owned(), value));
    let child = story.run("alice", "ChildRegister", &pairs(&args));
    both_rules(&child);
    figures("the most parents", &child);
    let network = rebuild(&story.blocks());
    let (_, index) = &network.registries[0];
    assert_eq!((index.records.len(), index.edges().count(), &index.unsound), (65, 64, &None));
    story.end(scratch());
}

/// What a registration takes.
fn figures(title: &str, carried: &Carried) {
    let (tx, spent) = (&carried.built.tx, &carried.built.spent);
    let context = SpendContext::new(tx, spent).unwrap();
    let cost = vm::verify_input(&Rules::new(RuleSet::Bch2026, spec::Mode::Relay), &context, 0).unwrap().cost.get();
    let unlock = tx.inputs[0].unlock.len();
    println!(
        "{title}: {} bytes, first unlocking bytecode {unlock}, operation cost {cost} of {}",
        tx.encode().len(),
        800 * (41 + unlock as u64)
    );
}

#[test]
fn a_flow_that_does_not_pay_its_parents_is_registered_and_seen() {
    let mut family = Family::new();
    family.register("Attention", &[]);
    // The registry knows a flow by its hash alone: this one pays the author in the parent's place.
    let thief = text(&family.story.key("bob").lock());
    let mut args = family.args(&[("Attention", 1)]);
    args.iter_mut().filter(|(name, _)| name == "builds_on_Attention").for_each(|(_, value)| value.clone_from(&thief));
    let params: Vec<_> = args.iter().filter(|(name, _)| name != "parents").cloned().collect();
    let lock = family.story.deploy("Transformer", &pairs(&params));
    family.story.run("alice", "TransformerRegister", &pairs(&args));
    let paying = |family: &Family| {
        let network = rebuild(&family.story.blocks());
        let (_, index) = network.registry(&family.registry.category).unwrap();
        assert_eq!(index.unsound, None);
        network.paying(index, index.records.last().unwrap())
    };
    assert_eq!(paying(&family), Paying::Unpublished);
    family.publish("Transformer", &lock);
    let parent = family.ids["Attention"];
    assert_eq!(paying(&family), Paying::Otherwise { parent, gets: (0, 100), due: (1, 10) });
    family.story.end(scratch());
}

#[test]
fn a_category_that_others_can_mint_is_no_registry() {
    let family = Family::new();
    let mut blocks = family.story.blocks();
    assert_eq!(family.read(&blocks), Index::default());
    let token = Token {
        category: family.registry.category,
        amount: 0,
        nft: Some(Nft { capability: Capability::Minting, commitment: vec![] }),
    };
    let is_genesis = |tx: &&mut spec::Transaction| {
        tx.inputs.iter().any(|input| input.prevout.txid.as_wire() == family.registry.category.as_wire())
    };
    let genesis = blocks.iter_mut().flat_map(|block| &mut block.transactions).find(is_genesis).unwrap();
    genesis.outputs.push(TxOut { value: sats(1_000), token: Some(token), lock: vec![0x51] });
    let network = rebuild(&blocks);
    let unsound = network.registry(&family.registry.category).unwrap().1.unsound.clone().unwrap();
    assert!(unsound.to_string().contains("outside the registry"), "{unsound}");
    assert_eq!(network.registry(&Category::from_wire([1; 32])), None);
    family.story.end(scratch());
}
