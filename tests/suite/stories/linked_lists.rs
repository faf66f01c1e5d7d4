//! Lists that pay models, models that pay lists, and identities that register and propose, by plans alone.

use flow::{Change, Published, Recipient};
use spec::artifact::AbiValue;
use spec::token::Capability;
use spec::{OutPoint, Sats};
use tests::Story;
use wallet::Forgery;

use super::{changes, scratch};

const PEOPLE: &[(&str, &str)] = &[("alice", "1 coin"), ("bob", "0.1 coin")];
const SOURCE: &str = "
/// A crowd.
reward Crowd { recipients: list, minimum: 1_000_000 sats, fee: up to 5_000 sats }

model Root {
    weights: 0x5f3c0a8b1d2e4f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8,
    reward: Crowd,
    license: \"mit\",
}

model Leaf {
    weights: 0x60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e85f3c0a8b1d2e4f,
    builds_on: { Root: 10% },
    reward: Crowd,
    license: \"mit\",
}

/// What an application earns.
reward App { model: 40% to Leaf, builder: rest, minimum: 10_000 sats, fee: up to 1_000 sats }

reward Shared { recipients: list, minimum: 1_000_000 sats, fee: up to 5_000 sats, adjust: by did(curator) after 2 blocks }

/// An identity: a token that whoever has the key may show.
plan identity(key: PubKey) {
    input first: genesis;
    output p2pkh(hash160(key)) {
        value: 1_500 sats,
        token: { category: first.txid, capability: mutable, commitment: 0x646964 },
    };
}
";

fn hex_of(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn list(entries: &[(u64, String)]) -> String {
    let one = |(weight, lock): &(u64, String)| format!(r#"{{"weight": {weight}, "lock": "{lock}"}}"#);
    format!("[{}]", entries.iter().map(one).collect::<Vec<_>>().join(","))
}

/// Makes an identity of the holder's, and says how it is written.
fn identity(story: &mut Story, holder: &str) -> String {
    let made = story.run(holder, "identity", &[("key", &format!("@{holder}"))]);
    format!("did:bmod:{}", made.built.tx.outputs[0].token.as_ref().unwrap().category)
}

fn publish(story: &mut Story, contract: &str, lock: &[u8]) {
    let params = story.deployed_at(lock).params.clone();
    let published = Published::of(story.artifact(contract), &params, None, None).unwrap();
    story.publish("alice", &published.encode());
}

#[test]
fn a_payment_runs_through_a_reward_and_two_models_whose_flows_are_lists() {
    let mut story = Story::new(&[("links.bmc", SOURCE)], PEOPLE);
    story.deploy("ModelRecord", &[]);
    story.deploy("ModelEdge", &[]);
    let made = story.run("alice", "ModelRegistryDeploy", &[]);
    let category = made.built.tx.outputs[0].token.as_ref().unwrap().category;
    let did = identity(&mut story, "alice");

    // The root is nobody's in particular; the leaf is registered by an identity. Who is in a list is the list's own
    // matter: a model pays it as a whole.
    let of_root = list(&[(600_000, "@carol".into()), (400_000, "@dave".into())]);
    let crowd = story.deploy("Crowd", &[("recipients", &of_root)]);
    publish(&mut story, "Crowd", &crowd);
    let to_crowd = hex_of(&crowd);
    let root = story.deploy("Root", &[("own", &to_crowd)]);
    let registered = story.run("alice", "RootRegister", &[("own", &to_crowd)]);
    let record = registered.built.tx.outputs[1].token.as_ref().unwrap().nft.as_ref().unwrap();
    let id = hex_of(&record.commitment[37..69]);
    let leaf = story.deploy("Leaf", &[("builds_on_Root", &hex_of(&root)), ("own", "@erin")]);
    let args = [("did", did.as_str()), ("holder", "@alice"), ("id_of_Root", &id), ("own", "@erin")];

    // Outputs: thread, parent, record, edge, identity, change.
    let thief = story.key("bob").lock();
    story.refused("bob", "LeafRegisterBy", &args, "no key at hand");
    let mut attack = |change: &dyn Fn(&mut Forgery<'_>), message: &str| {
        let change = |forgery: &mut Forgery<'_>| {
            // Whoever attacks pays for bytes that he adds.
            let last = forgery.tx.outputs.last_mut().unwrap();
            last.value = last.value.checked_sub(Sats::from_wire(5_000)).unwrap();
            change(forgery);
        };
        story.attack(("alice", &[]), "LeafRegisterBy", &args, change, message);
    };
    attack(&|forgery| forgery.tx.outputs[4].lock = thief.clone(), "the DID's token comes back to its lock");
    attack(&|forgery| forgery.tx.outputs[4].token = None, "the DID's token comes back");
    let nft = |forgery: &mut Forgery<'_>, change: &dyn Fn(&mut spec::token::Nft)| {
        change(forgery.tx.outputs[4].token.as_mut().unwrap().nft.as_mut().unwrap());
    };
    attack(&|forgery| nft(forgery, &|nft| nft.commitment.push(0)), "the DID's document is unchanged");
    attack(&|forgery| nft(forgery, &|nft| nft.capability = Capability::None), "the DID's token comes back");
    let other = AbiValue::Item(vec![9; 8]);
    attack(&|forgery| forgery.set_arg(0, "did", other.clone()), "each edge says which model builds on which");
    let forged = |forgery: &mut Forgery<'_>| {
        forgery.set_arg(0, "did", other.clone());
        let commitment = &mut forgery.tx.outputs[2].token.as_mut().unwrap().nft.as_mut().unwrap().commitment;
        commitment[101..].copy_from_slice(&[9; 8]);
    };
    attack(&forged, "each edge says which model builds on which");
    story.run("alice", "LeafRegisterBy", &args);

    let app = story.deploy("App", &[("model", &hex_of(&leaf)), ("builder", "@frank")]);
    publish(&mut story, "App", &app);
    let network = flow::rebuild(&story.blocks());
    let (_, index) = network.registry(&category).unwrap();
    assert_eq!((index.records.len(), &index.unsound), (2, &None));
    let record = &index.records[1];
    assert_eq!(spec::script::p2sh32(&record.flow), leaf);
    assert_ne!(record.body.did, [0; 8]);
    let edges: Vec<_> = index.edges().map(|edge| (edge.child, edge.parent, edge.did)).collect();
    assert_eq!(edges, [(record.id, record.body.parents[0], record.body.did)], "the edge names who registered the leaf");
    let paid: Vec<_> = record.recipients.iter().map(|one| (one.name.as_str(), one.lock.as_slice())).collect();
    assert_eq!(paid, [("builds_on.Root", &root[..]), ("own", &story.key("erin").lock())]);
    assert_eq!(network.flow_of(record).unwrap().published.name, "Leaf");

    // 10 million units for the application: 40 % to the leaf, of which 10 % go on to the root.
    story.pay("alice", &app, "0.1 coin");
    let fee = [("fee", "1_000 sats")];
    story.run("bob", "AppSettle", &fee);
    let net = 10_000_000 - 1_000;
    let to_leaf = (net * 4 + 5) / 10;
    assert_eq!((story.held_at(&leaf), story.balance("frank")), (to_leaf, net - to_leaf));
    let less = |forgery: &mut Forgery<'_>| forgery.tx.outputs[0].value = Sats::from_wire(390_000);
    story.attack(("bob", &[]), "LeafSettle", &fee, less, "every recipient gets its share of the pot");
    story.run("bob", "LeafSettle", &fee);
    let to_root = (to_leaf - 1_000 + 5) / 10;
    assert_eq!((story.held_at(&root), story.balance("erin")), (to_root, to_leaf - 1_000 - to_root));
    // What is too little waits; with another payment it is enough, and all of it is divided.
    story.refused("bob", "RootSettle", &fee, "the pot less the fee is at least");
    story.run("alice", "RootPay", &[("amount", "1_100_000 sats"), ("own", &to_crowd)]);
    story.run("bob", "RootSettle", &fee);
    assert_eq!((story.held_at(&root), story.held_at(&crowd)), (0, to_root + 1_100_000 - 1_000));
    story.run("bob", "CrowdSettle", &fee);
    let net = to_root + 1_100_000 - 2_000;
    let carol = (net * 6 + 5) / 10;
    story.balances(&[("carol", carol), ("dave", net - carol)]);
    story.end(scratch());
}

fn entry(story: &Story, who: &str, weight: u64) -> Recipient {
    Recipient { name: who.to_owned(), weight, lock: story.key(who).lock(), until: 0 }
}

#[test]
fn an_identity_proposes_activates_and_cancels_by_plans_alone() {
    let mut story = Story::new(&[("links.bmc", SOURCE)], PEOPLE);
    let did = identity(&mut story, "alice");
    let other = identity(&mut story, "bob");
    let old = vec![entry(&story, "carol", 700_000), entry(&story, "dave", 300_000)];
    let current = hex_of(&flow::list_hash(story.artifact("Shared"), &old).unwrap());
    let record = story.deploy("SharedRecord", &[("curator", &did)]);
    story.run("alice", "SharedOpen", &[("curator", &did), ("current", &current)]);
    let category = story.coins_at(&record)[0].output.token.as_ref().unwrap().category;
    let text = |list: &[Recipient]| {
        let one = |one: &Recipient| {
            let lock = hex::encode(&one.lock);
            format!(r#"{{"name": "{}", "weight": {}, "until": "height 0", "lock": "0x{lock}"}}"#, one.name, one.weight)
        };
        format!("[{}]", list.iter().map(one).collect::<Vec<_>>().join(","))
    };
    let recipients = text(&old);
    let reward = story.deploy("Shared", &[("recipients", &recipients)]);
    let params = story.deployed_at(&reward).params.clone();
    let of = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Published::of(story.artifact("Shared"), &params, Some(&names), Some(category))
    };
    assert!(of(&["carol"]).is_err() && of(&["carol", "mallory"]).is_err(), "the hash covers other names");
    let body = of(&["carol", "dave"]).unwrap().encode();
    story.publish("alice", &body);

    let wanted = vec![entry(&story, "dave", 400_000), entry(&story, "erin", 600_000)];
    let adjustment = flow::adjustment(story.artifact("Shared"), &old, &wanted, 0).unwrap();
    let given = [
        changes(&adjustment.changes),
        hex_of(&adjustment.was_named),
        hex_of(&adjustment.is_named),
        hex_of(&adjustment.hash),
    ];
    let args = [
        ("changes", given[0].as_str()),
        ("was_named", &given[1]),
        ("is_named", &given[2]),
        ("next", &given[3]),
        ("now", "height 1"),
        ("holder", "@alice"),
    ];
    let by_bob: Vec<_> =
        args.iter().map(|(name, value)| (*name, if *name == "holder" { "@bob" } else { *value })).collect();
    story.refused("bob", "SharedPropose", &args, "no key at hand");
    assert_ne!(did, other);
    story.refused("bob", "SharedPropose", &by_bob, "coin");
    let thief = story.key("bob").lock();
    let steal = |forgery: &mut Forgery<'_>| forgery.tx.outputs[1].lock = thief;
    story.attack(("alice", &[]), "SharedPropose", &args, steal, "the lock of `curator` back");
    let other_names = |forgery: &mut Forgery<'_>| forgery.set_arg(0, "is_named", AbiValue::Item(vec![7; 32]));
    story.attack(("alice", &[]), "SharedPropose", &args, other_names, "the next state");
    story.run("alice", "SharedPropose", &args);
    story.run("alice", "SharedCancel", &[("holder", "@alice")]);
    story.mine(3);
    story.refused("bob", "SharedActivate", &[], "a list is proposed");
    story.run("alice", "SharedPropose", &args);
    story.mine(1);
    story.run("bob", "SharedActivate", &[]);

    // Both lists pay by plans.
    let next = text(&adjustment.next);
    story.run("alice", "SharedPay", &[("amount", "0.02 coin"), ("recipients", &recipients)]);
    let paid = story.run("alice", "SharedPay", &[("amount", "0.03 coin"), ("recipients", &next)]);
    assert_eq!(story.held_at(&reward), 2_000_000, "the plan pays the list with its names");
    story.name_coins("pot", &[OutPoint { txid: paid.built.tx.txid(), index: 0 }]);
    story.run("bob", "SharedSettle", &[("fee", "1_000 sats")]);
    story.run("bob", "SharedSettle", &[("fee", "1_000 sats")]);
    story.balances(&[("carol", 1_399_300), ("dave", 599_700 + 1_199_600), ("erin", 1_799_400)]);

    let network = flow::rebuild(&story.blocks());
    assert_eq!((network.rewards.len(), network.refused.len()), (1, 0));
    let history = &network.rewards[0].history;
    assert!(matches!(&history[0], Change::Proposed { recipients: Some(list), .. } if list.len() == 2));
    assert!(matches!(&history[1], Change::Cancelled { .. }));
    assert!(matches!(&history[3], Change::Activated { hash, .. } if *hash == adjustment.hash));
    story.end(scratch());
}
