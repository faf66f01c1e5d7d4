//! What a launch demands to see of who builds on its model, on the machine, under both sets of rules.

use driver::{MemoryWorld, Options};
use spec::hash::sha256;
use spec::token::Capability;
use spec::{RuleSet, Sats, TxOut};
use wallet::{Accounts, Params, Program};

use crate::machine::{
    CATEGORY, In, Placed, Tx, account, bytes, compiled, eight, four, fungible, held, int, nft, of, other, out, place,
    spend, tx,
};

const BASE: u64 = 2_000;
const MODEL: [u8; 32] = [0x17; 32];
const REGISTRY: [u8; 32] = [0x4e; 32];
/// The id of the model's record.
const RECORD: [u8; 32] = [0x1d; 32];
const BADGE: [u8; 32] = [0xbd; 32];

/// An offering with every gate.
fn source(children: usize) -> String {
    format!(
        r#"
reward Makers {{ people: 98%, meter: 2%, minimum: 100_000 sats, fee: up to 1_000 sats }}

model Writer {{
    weights: 0x1717171717171717171717171717171717171717171717171717171717171717,
    reward:  Makers,
    license: "apache-2.0",
}}

imo Coder for Writer {{
    criteria: 1 of [judge] over "the model runs",
    supply:   1_000,
    allocate: {{ sale: 50% price fixed 700 sats, team: rest }},
    adoption: {children} children,
    usage:    0.05 coin of Makers to meter,
}}
"#
    )
}

struct World {
    /// The lock of the first part.
    first: Vec<u8>,
    launch: Placed,
    edge: Placed,
    meter: Placed,
    children: usize,
}

fn world(children: usize) -> World {
    let artifacts = compiled(&source(children));
    let params = Params::from([
        ("model".to_owned(), bytes(MODEL)),
        ("judge".to_owned(), bytes(Accounts::devnet().key(10).public())),
        ("treasury".to_owned(), bytes(account(8))),
        ("team".to_owned(), bytes(account(1))),
        ("badge".to_owned(), bytes(BADGE)),
        ("registry".to_owned(), bytes(REGISTRY)),
        ("record".to_owned(), bytes(RECORD)),
    ]);
    let params = Program::new(artifacts.iter().cloned()).complete("CoderLaunch", params).unwrap();
    let artifact = artifacts.iter().find(|artifact| artifact.contract == "CoderLaunch").unwrap().clone();
    let edge = place(&artifacts, "ModelEdge", vec![]);
    let meter = place(&artifacts, "CoderMeter", vec![("badge", bytes(BADGE)), ("treasury", bytes(account(8)))]);
    let first = place(&artifacts, "CoderSale", vec![("treasury", bytes(account(8)))]).lock();
    World { first, launch: Placed { artifact, params }, edge, meter, children }
}

/// What an edge says: who builds on what, who registered it, and the weight.
fn link(child: u8, parent: [u8; 32], did: [u8; 8]) -> Vec<u8> {
    [&[child; 32][..], &parent, &did, &four(100)].concat()
}

/// An identity that is ordered by its number.
fn did(number: u64) -> [u8; 8] {
    number.to_le_bytes()
}

impl World {
    fn edge_coin(&self, commitment: &[u8]) -> TxOut {
        self.edge.out(BASE, nft(REGISTRY, Capability::None, commitment, 0))
    }

    fn edge(&self, commitment: &[u8]) -> In<'_> {
        spend(&self.edge, "present", vec![], self.edge_coin(commitment))
    }

    /// A launch that shows edges which say this.
    fn go(&self, links: &[Vec<u8>]) -> Tx<'_> {
        let message = [b"BMIMO\x01", &CATEGORY[..], &four(0), &MODEL, &sha256(b"the model runs")[..]].concat();
        let sig = vec![("sig_judge", bytes(Accounts::devnet().key(10).sign(&sha256(&message))))];
        let mut inputs = vec![spend(&self.launch, "launch", sig, self.launch.out(BASE, of(BADGE, 1)))];
        inputs.extend(links.iter().map(|link| self.edge(link)));
        inputs.push(spend(&self.meter, "count", vec![], self.meter.out(5_000_000, None)));
        inputs.push(other(out(&account(9), 50_000, None)));
        let mut outputs = vec![out(&self.first, BASE, held(&eight(0), 500))];
        outputs.extend(links.iter().map(|link| self.edge_coin(link)));
        outputs.push(out(&account(1), BASE, fungible(500)));
        outputs.push(out(&account(8), 5_000_000, None));
        tx(inputs, outputs)
    }

    fn links(&self) -> Vec<Vec<u8>> {
        (1..=u8::try_from(self.children).unwrap()).map(|at| link(at, RECORD, did(u64::from(at) << 40))).collect()
    }
}

const ANOTHER: &str = "each of the 3 children was registered by another identity, in ascending order";

#[test]
fn a_launch_shows_edges_of_different_identities() {
    let w = world(3);
    w.go(&w.links()).accepted();
    let with =
        |dids: [[u8; 8]; 3]| w.go(&[link(1, RECORD, dids[0]), link(2, RECORD, dids[1]), link(3, RECORD, dids[2])]);
    // Identities are compared as numbers without a sign.
    with([did(1), did(1 << 63), [0xff; 8]]).accepted();
    with([[0, 0, 0, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 2]]).accepted();
    // Nobody's child, one identity twice, another order.
    with([did(0), did(1), did(2)]).refused(ANOTHER);
    with([did(1), did(1), did(2)]).refused(ANOTHER);
    with([did(1), did(2), did(2)]).refused(ANOTHER);
    with([did(1), did(3), did(2)]).refused(ANOTHER);
    with([did(1), [0xff; 8], did(2)]).refused(ANOTHER);
    // The same edge twice is one identity twice.
    let links = w.links();
    w.go(&[links[0].clone(), links[0].clone(), links[1].clone()]).refused(ANOTHER);
    // Too few: what stands there is no edge.
    w.go(&links[..2]).refused("inputs 1 to 3 carry edges of `registry`");
    // One more is not read, and finds no output of its own.
    w.go(&[links, vec![link(4, RECORD, did(9 << 40))]].concat()).judge().unwrap_err();
}

#[test]
fn what_is_no_edge_to_the_model_is_not_counted() {
    let w = world(3);
    let with = |change: &dyn Fn(&mut Tx<'_>)| {
        let mut tx = w.go(&w.links());
        change(&mut tx);
        tx
    };
    for at in 1..4 {
        let own = w.links()[at - 1].clone();
        // Another parent, such as the child itself; another registry; a token that could be changed, or mint.
        let mut foreign = w.links();
        foreign[at - 1][32..64].copy_from_slice(&[0x1e; 32]);
        w.go(&foreign).refused("an edge leads to the model with the id `record`");
        let carry = "inputs 1 to 3 carry edges of `registry`";
        for token in [
            nft([0x4f; 32], Capability::None, &own, 0),
            nft(REGISTRY, Capability::Mutable, &own, 0),
            nft(REGISTRY, Capability::Minting, &own, 0),
            None,
        ] {
            with(&|tx| {
                tx.inputs[at].coin.token.clone_from(&token);
                tx.outputs[at].token.clone_from(&token);
            })
            .refused(carry);
        }
        // A look-alike at a lock of one's own; a record, which is longer; an edge with more behind it.
        with(&|tx| tx.inputs[at] = other(out(&account(9), BASE, nft(REGISTRY, Capability::None, &own, 0))))
            .refused("an edge lies at the lock of edges");
        for commitment in [[&own[..], &[0; 33]].concat(), [&own[..], &[0]].concat(), own[..75].to_vec()] {
            with(&|tx| tx.inputs[at].coin.token = nft(REGISTRY, Capability::None, &commitment, 0))
                .refused("an edge is whole");
        }
    }
}

#[test]
fn edges_come_back_as_they_were() {
    let w = world(3);
    let with = |change: &dyn Fn(&mut TxOut), at: usize| {
        let mut tx = w.go(&w.links());
        change(&mut tx.outputs[at]);
        tx
    };
    for at in 1..4 {
        with(&|output| output.token = None, at).refused("an edge comes back at the output of its input's number");
        with(&|output| output.token = fungible(5), at)
            .refused("an edge comes back at the output of its input's number");
        with(&|output| output.lock = account(9), at).refused("the lock of this one");
        with(&|output| output.value = Sats::from_wire(BASE - 1), at).refused("the value of this one");
        let other = link(9, RECORD, did(9));
        with(&|output| output.token = nft(REGISTRY, Capability::None, &other, 0), at).judge().unwrap_err();
    }
    // One output does not stand for two.
    let mut missing = w.go(&w.links());
    missing.outputs.remove(2);
    missing.judge().unwrap_err();
    let mut swapped = w.go(&w.links());
    swapped.outputs.swap(1, 2);
    swapped.judge().unwrap_err();
}

#[test]
fn the_most_children_fit_a_launch() {
    let w = world(50);
    w.go(&w.links()).accepted();
}

/// A launch that reads the record of a campaign, edges and coins of a meter finds each at its place.
#[test]
fn all_gates_stand_beside_each_other() {
    let campaign = "imi Tiny {
        builder: builder_key, goal: 1 coin, deadline: height 925_000, pledge: at least 0.1 coin,
        deliver: { weights: Hash256, by: height 960_000 }, accept: 2 of [judge_a, judge_b, judge_c],
        release: { at goal: 30%, at accept: 70% }, refund: { no_goal: 100%, not_accepted: 70% },
    }";
    let text = source(2).replace("sale: 50% price fixed 700 sats", "backers: 50% pro rata Tiny.receipts");
    let artifacts = compiled(&format!("{campaign}{text}"));
    let receipts = [0xbb; 32];
    let raised = 777_777;
    let claims = vec![("receipts", bytes(receipts)), ("raised", int(raised))];
    let params = [
        ("model", bytes(MODEL)),
        ("judge", bytes(Accounts::devnet().key(10).public())),
        ("treasury", bytes(account(8))),
        ("team", bytes(account(1))),
        ("badge", bytes(BADGE)),
        ("registry", bytes(REGISTRY)),
        ("record", bytes(RECORD)),
    ];
    let params = params.into_iter().chain(claims.clone()).map(|(name, value)| (name.to_owned(), value)).collect();
    let params = Program::new(artifacts.iter().cloned()).complete("CoderLaunch", params).unwrap();
    let artifact = artifacts.iter().find(|artifact| artifact.contract == "CoderLaunch").unwrap().clone();
    let edge = place(&artifacts, "ModelEdge", vec![]);
    let meter = place(&artifacts, "CoderMeter", vec![("badge", bytes(BADGE)), ("treasury", bytes(account(8)))]);
    let first = place(&artifacts, "CoderClaim", claims).lock();
    let w = World { first, launch: Placed { artifact, params }, edge, meter, children: 2 };
    let paid = [&eight(raised)[..], &eight(0), &eight(raised), &[2, 0], &MODEL].concat();
    let escrow = || out(&account(7), BASE, nft(receipts, Capability::Mutable, &paid, 0));
    let with = |change: &dyn Fn(&mut Tx<'_>)| {
        let mut tx = w.go(&w.links());
        tx.inputs.insert(1, other(escrow()));
        tx.outputs.insert(1, escrow());
        change(&mut tx);
        tx
    };
    with(&|_| ()).accepted();
    with(&|tx| tx.outputs[1].token = None).refused("output 1 is the escrow again");
    with(&|tx| tx.inputs.swap(1, 2)).refused("input 1 is the escrow of `Tiny`, whose receipts are claimed");
    with(&|tx| tx.inputs.swap(2, 3)).refused("each of the 2 children was registered by another identity");
    with(&|tx| tx.inputs.swap(3, 4)).refused("inputs 2 to 3 carry edges of `registry`");
    with(&|tx| tx.outputs[5].value = Sats::from_wire(4_999_999)).refused("`treasury` gets all");
    with(&|tx| tx.inputs.swap(4, 5)).refused("input 4 is a coin of the meter");
    with(&|tx| tx.outputs.swap(4, 5)).refused("output 4 is for `team`");
}

fn codes(files: &[(&str, &str)]) -> Vec<&'static str> {
    let world = MemoryWorld::new(files.iter().copied());
    let roots: Vec<String> = files.iter().map(|(name, _)| (*name).to_owned()).collect();
    let compiled = driver::compile(&world, &roots, &Options { rules: RuleSet::Bch2026, ..Options::default() });
    compiled.diagnostics.iter().map(|found| found.code.name()).collect()
}

#[test]
fn only_a_model_of_the_file_can_be_built_on() {
    let text = |adoption: &str| source(3).replace("adoption: 3 children", &format!("adoption: {adoption}"));
    for (adoption, expected) in [
        ("1 children", vec![]),
        ("50 children", vec![]),
        ("0 children", vec!["E0324"]),
        ("51 children", vec!["E0324"]),
        ("3", vec!["E0322"]),
        ("3 parents", vec!["E0322"]),
        ("3 children of Writer", vec!["E0322"]),
    ] {
        assert_eq!(codes(&[("token.bmc", &text(adoption))]), expected, "{adoption}");
    }
    let all = source(3);
    assert_eq!(codes(&[("token.bmc", &all.replace("imo Coder for Writer", "imo Coder for Makers"))]), ["E0928"]);
    let at = all.find("imo Coder").unwrap();
    let (models, offer) = all.split_at(at);
    let offer = format!("use ./models::{{Makers, Writer}};\n{offer}");
    assert_eq!(codes(&[("models.bmc", models), ("token.bmc", &offer)]), ["E0928"]);
}
