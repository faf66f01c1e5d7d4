//! A launch that has to show who builds on its model.

use spec::hash::sha256;
use spec::{OutPoint, Sats};
use tests::Story;
use wallet::{Carried, Forgery};

use super::imo::MODEL;
use super::scratch;

const SOURCE: &str = r#"
/// Who made these models.
reward Makers {
    people: 100%,
    minimum: 10_000 sats,
    fee: up to 1_000 sats,
}

model Base {
    weights: 0x1717171717171717171717171717171717171717171717171717171717171717,
    reward:  Makers,
    license: "apache-2.0",
}

model Left {
    weights:   0x2717171717171717171717171717171717171717171717171717171717171717,
    builds_on: { Base: 10% },
    reward:    Makers,
    license:   "apache-2.0",
}

model Right {
    weights:   0x3717171717171717171717171717171717171717171717171717171717171717,
    builds_on: { Base: 10% },
    reward:    Makers,
    license:   "apache-2.0",
}

model Again {
    weights:   0x4717171717171717171717171717171717171717171717171717171717171717,
    builds_on: { Base: 20% },
    reward:    Makers,
    license:   "apache-2.0",
}

/// No token before two others build on the model.
imo Token for Base {
    criteria: 1 of [judge] over "the model runs",
    supply:   1_000,
    allocate: {
        sale: 50% price fixed 700 sats,
        team: rest,
    },
    adoption: 2 children,
}

/// An identity, whose coin is at a key.
plan identity(holder: PubKey) {
    input first: genesis;
    output p2pkh(hash160(holder)) { value: 1_000 sats, token: { category: first.txid, capability: mutable } };
}
"#;

type Id = [u8; 32];

fn hexed(bytes: impl AsRef<[u8]>) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn fees(carried: &Carried) -> u64 {
    carried.first.iter().chain([&carried.built]).map(|built| built.fee.get()).sum()
}

struct World {
    story: Story,
    registry: String,
    base: Id,
}

fn world() -> World {
    let mut story = Story::new(&[("token.bmc", SOURCE)], &[("alice", "1 coin")]);
    story.deploy("ModelRecord", &[]);
    story.deploy("ModelEdge", &[]);
    let made = story.run("alice", "ModelRegistryDeploy", &[]);
    let registry = hexed(made.built.tx.outputs[0].token.as_ref().unwrap().category.as_wire());
    let made = story.run("alice", "BaseRegister", &[("people", "@carol")]);
    let base = id_of(&made, 0);
    World { story, registry, base }
}

/// The id in the record that a registration makes.
fn id_of(made: &Carried, parents: usize) -> Id {
    let record = made.built.tx.outputs[parents + 1].token.as_ref().unwrap();
    record.nft.as_ref().unwrap().commitment[37..69].try_into().unwrap()
}

impl World {
    /// A new identity, and what it costs beside its coin.
    fn identity(&mut self) -> (Id, u64) {
        let made = self.story.run("alice", "identity", &[("holder", "@alice")]);
        (*made.built.tx.outputs[0].token.as_ref().unwrap().category.as_wire(), fees(&made))
    }

    /// Registers a child of `Base` under an identity.
    fn child(&mut self, model: &str, did: &Id) -> (Id, u64) {
        let (base, did) = (hexed(self.base), hexed(did));
        let args = [("did", did.as_str()), ("holder", "@alice"), ("id_of_Base", &base), ("people", "@carol")];
        let made = self.story.run("alice", &format!("{model}RegisterBy"), &args);
        (id_of(&made, 1), fees(&made))
    }
}

/// What numbers the first bytes of an identity are, as the launch compares them.
fn order(did: &Id) -> u64 {
    u64::from_le_bytes(did[..8].try_into().unwrap())
}

#[test]
fn a_launch_shows_that_two_others_build_on_its_model() {
    let mut w = world();
    let mut dids = [w.identity(), w.identity()];
    dids.sort_by_key(|(did, _)| order(did));
    let [(one, one_fees), (two, _)] = dids;
    let before = w.story.balance("alice");
    let (left, left_fees) = w.child("Left", &one);
    // A record and an edge stay where they are for ever: that and the fees are what an invented child costs.
    assert_eq!(before - w.story.balance("alice"), 2 * 2_000 + left_fees);
    assert!(
        (2_700..2_800).contains(&(left_fees + one_fees)),
        "docs/book/src/imo.md says about 2,750: {left_fees} + {one_fees}"
    );
    let (right, _) = w.child("Right", &two);
    let (again, _) = w.child("Again", &one);

    let record = hexed(w.base);
    let registry = w.registry.clone();
    let params = [
        ("model", MODEL),
        ("judge", "@dave"),
        ("treasury", "@carol"),
        ("team", "@bob"),
        ("registry", registry.as_str()),
        ("record", record.as_str()),
    ];
    let prepared = w.story.run("alice", "token_prepare", &params);
    let coin = OutPoint { txid: prepared.built.tx.txid(), index: 0 };
    let message =
        [b"BMIMO\x01", &coin.txid.as_wire()[..], &[0; 4], &[0x17; 32], &sha256(b"the model runs")[..]].concat();
    let sig = hexed(w.story.key("dave").sign(&sha256(&message)));
    let args =
        |first: &Id, second: &Id| [("sig_judge", sig.clone()), ("child_0", hexed(first)), ("child_1", hexed(second))];
    let other = "each of the 2 children was registered by another identity";
    for (first, second) in [(left, again), (again, left), (right, left), (right, again)] {
        let args = args(&first, &second);
        let args: Vec<_> = args.iter().map(|(name, value)| (*name, value.as_str())).collect();
        w.story.attack(("alice", &[]), "token_launch", &args, |_| (), other);
    }
    let args = args(&left, &right);
    let args: Vec<_> = args.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let thief = w.story.key("alice").lock();
    let mut attack = |change: &dyn Fn(&mut Forgery<'_>), message: &str| {
        w.story.attack(("alice", &[]), "token_launch", &args, |f| change(f), message);
    };
    for output in [1, 2] {
        attack(&|f| f.tx.outputs[output].token = None, "an edge comes back at the output of its input's number");
        attack(&|f| f.tx.outputs[output].lock.clone_from(&thief), "the lock of this one");
        attack(&|f| f.tx.outputs[output].value = Sats::from_wire(1_999), "the value of this one");
        let changed = |f: &mut Forgery<'_>| {
            let nft = f.tx.outputs[output].token.as_mut().unwrap().nft.as_mut().unwrap();
            nft.commitment[75] ^= 1;
        };
        // Tokens of this kind cannot change, whatever scripts say.
        attack(&changed, "bad-txns-token");
    }
    attack(&|f| f.tx.outputs.swap(1, 2), "");
    let launched = w.story.run("alice", "token_launch", &args);
    let outputs = &launched.built.tx.outputs;
    assert_eq!((outputs[0].token.as_ref().unwrap().amount, outputs[3].token.as_ref().unwrap().amount), (500, 500));
    assert_eq!(outputs[3].lock, w.story.key("bob").lock());
    // The edges are there for the next who asks.
    let (child, parent) = (hexed(left), hexed(w.base));
    w.story.run("alice", "ModelEdgePresent", &[("child", &child), ("parent", &parent)]);
    w.story.end(scratch());
}
