//! A curator changes the shares of a team, in public and after notice, and cannot rob who is locked.

use flow::{Change, Published, Recipient};
use spec::artifact::{AbiValue, chain_hash};
use spec::{Category, Sats};
use tests::Story;

use super::{changes, scratch};

const PEOPLE: &[(&str, &str)] = &[
    ("alice", "1 coin"),
    ("bob", "0.1 coin"),
    ("carol", "0.1 coin"),
    ("dave", "0.1 coin"),
    ("erin", "0.1 coin"),
    ("frank", "1 coin"),
];
/// Until then carol's entry is locked.
const LOCKED: u32 = 5_000;

fn entry(story: &Story, who: &str, weight: u64, until: u32) -> Recipient {
    Recipient { name: who.to_owned(), weight, lock: story.key(who).lock(), until }
}

/// A list as the command line takes it.
fn text(list: &[Recipient]) -> String {
    let one = |entry: &Recipient| {
        let (weight, until, lock) = (entry.weight, entry.until, hex::encode(&entry.lock));
        let name = &entry.name;
        format!(r#"{{"name": "{name}", "weight": {weight}, "until": "height {until}", "lock": "0x{lock}"}}"#)
    };
    format!("[{}]", list.iter().map(one).collect::<Vec<_>>().join(","))
}

fn in_hex(hash: &[u8; 32]) -> String {
    format!("0x{}", hex::encode(hash))
}

/// Gives the reward this list, and publishes it.
fn deploy(story: &mut Story, list: &[Recipient], record: Category) -> (Vec<u8>, Published) {
    let lock = story.deploy("Team", &[("recipients", &text(list))]);
    let deployed = story.deployed_at(&lock);
    let names: Vec<String> = list.iter().map(|one| one.name.clone()).collect();
    let published = Published::of(story.artifact("Team"), &deployed.params, Some(&names), Some(record)).unwrap();
    story.publish("alice", &published.encode());
    (lock, published)
}

#[test]
fn shares_change_in_public_after_notice_and_never_against_a_lock() {
    let mut story = Story::example("adjustable-reward", PEOPLE);
    let old = vec![
        entry(&story, "bob", 600_000, 0),
        entry(&story, "carol", 250_000, LOCKED),
        entry(&story, "dave", 150_000, 0),
    ];
    let current = flow::list_hash(story.artifact("Team"), &old).unwrap();
    let record = story.deploy("TeamRecord", &[("curator", "@alice")]);
    story.run("alice", "TeamOpen", &[("curator", "@alice"), ("current", &in_hex(&current))]);
    let category = story.coins_at(&record)[0].output.token.as_ref().unwrap().category;
    let (first, first_published) = deploy(&mut story, &old, category);

    // What is paid now is divided by the old list.
    story.pay("frank", &first, "0.1 coin");
    let fee = [("fee", "1_000 sats")];
    story.run("erin", "TeamSettle", &fee);
    let net = 10_000_000 - 1_000;
    let part = |weight: u64| (net * weight + 500_000) / 1_000_000;
    story.balances(&[("bob", 10_000_000 + part(600_000)), ("carol", 10_000_000 + part(850_000) - part(600_000))]);

    // Erin comes, dave goes.
    let wanted = vec![
        entry(&story, "bob", 500_000, 0),
        entry(&story, "erin", 250_000, 0),
        entry(&story, "carol", 250_000, LOCKED),
    ];
    let now = 150;
    story.mine_to(now);
    let adjustment = flow::adjustment(story.artifact("Team"), &old, &wanted, now).unwrap();
    let (list, next) = (changes(&adjustment.changes), in_hex(&adjustment.hash));
    let (was_named, is_named) = (in_hex(&adjustment.was_named), in_hex(&adjustment.is_named));
    let proposal = [
        ("changes", list.as_str()),
        ("was_named", was_named.as_str()),
        ("is_named", is_named.as_str()),
        ("next", next.as_str()),
        ("now", "height 150"),
    ];

    story.refused("frank", "TeamPropose", &proposal, "no key at hand");
    // Carol is locked: her entry can neither go nor shrink.
    for weight in [0u32, 249_999] {
        let AbiValue::Records(mut robbed) = adjustment.changes.clone() else { panic!("changes are records") };
        robbed.all[1][2] = weight.to_le_bytes().to_vec();
        robbed.all[0][2] = (750_000 - weight).to_le_bytes().to_vec();
        let kept = |change: &&Vec<Vec<u8>>| change[2] != [0; 4];
        let entries =
            robbed.all.iter().filter(kept).map(|change| vec![change[2].clone(), change[3].clone(), change[4].clone()]);
        let hash = chain_hash(&adjustment.is_named, &entries.collect::<Vec<_>>());
        story.attack(
            ("alice", &[]),
            "TeamPropose",
            &proposal,
            |forgery| {
                forgery.set_arg(0, "changes", AbiValue::Records(robbed));
                let token = forgery.tx.outputs[0].token.as_mut().unwrap();
                token.nft.as_mut().unwrap().commitment[36..].copy_from_slice(&hash);
            },
            "still locked",
        );
    }
    story.run("alice", "TeamPropose", &proposal);

    // Anybody may put it in force, but not before its time.
    story.mine(142);
    story.refused("frank", "TeamActivate", &[], "non-BIP68-final");
    story.attack(
        ("frank", &[]),
        "TeamActivate",
        &[],
        |forgery| forgery.tx.inputs[0].sequence = 142,
        "the notice period of 144 blocks is over",
    );
    story.mine(1);
    story.run("frank", "TeamActivate", &[]);
    story.refused("frank", "TeamActivate", &[], "a list is proposed");

    // Both lists pay side by side.
    let (second, second_published) = deploy(&mut story, &adjustment.next, category);
    assert_ne!(first, second);
    story.pay("frank", &first, "0.02 coin");
    story.pay("frank", &second, "0.03 coin");
    story.pay("frank", &second, "0.01 coin");
    let paid = [3_000_000, 2_000_000].map(|largest| {
        let settled = story.run("erin", "TeamSettle", &fee).built;
        assert_eq!(settled.spent[0].value.get(), largest, "the largest coin takes those of its list along");
        settled.tx.outputs.iter().map(|output| output.value).collect::<Vec<_>>()
    });
    let sum = |paid: &[Sats]| Sats::checked_sum(paid.iter().copied()).unwrap().get();
    assert_eq!((sum(&paid[0]), sum(&paid[1])), (4_000_000 - 1_000, 2_000_000 - 1_000));

    // The next proposal is taken back.
    let wanted = vec![entry(&story, "dave", 750_000, 0), entry(&story, "carol", 250_000, LOCKED)];
    let later = flow::adjustment(story.artifact("Team"), &adjustment.next, &wanted, now).unwrap();
    let (list, next) = (changes(&later.changes), in_hex(&later.hash));
    let (was_named, is_named) = (in_hex(&later.was_named), in_hex(&later.is_named));
    let names = [("was_named", was_named.as_str()), ("is_named", is_named.as_str())];
    story.run(
        "alice",
        "TeamPropose",
        &[&[("changes", &*list), ("next", &next), ("now", "height 150")], &names[..]].concat(),
    );
    story.refused("bob", "TeamCancel", &[], "no key at hand");
    story.run("alice", "TeamCancel", &[]);
    story.mine(200);
    story.refused("frank", "TeamActivate", &[], "a list is proposed");

    // Everything is on the chain.
    let flows = flow::rebuild(&story.blocks()).rewards;
    assert_eq!(flows.iter().map(|flow| &flow.published).collect::<Vec<_>>(), [&first_published, &second_published]);
    assert_eq!(flows.iter().map(|flow| flow.settlements.len()).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(flows[1].settlements[0].shares, paid[0]);
    let history = &flows[0].history;
    assert!(matches!(&history[0], Change::Proposed { recipients: Some(list), .. } if list.len() == 3));
    assert!(matches!(&history[1], Change::Activated { hash, .. } if *hash == adjustment.hash));
    assert!(matches!(&history[2], Change::Proposed { recipients: Some(list), .. } if list.len() == 2));
    assert!(matches!(&history[3], Change::Cancelled { .. }));
    assert_eq!(history.len(), 4);

    assert_eq!(story.held_at(&first) + story.held_at(&second), 0);
    assert_eq!(story.coins_at(&record)[0].output.value, Sats::from_wire(2_000));
    let mut held = vec![("bob", 10_000_000), ("carol", 10_000_000), ("dave", 10_000_000), ("erin", 10_000_000)];
    let pots = [(&old, net), (&adjustment.next, sum(&paid[0])), (&old, sum(&paid[1]))];
    for (list, pot) in pots {
        let weights = spec::split::Weights::new(list.iter().map(|one| one.weight).collect()).unwrap();
        for (one, share) in list.iter().zip(weights.divide(Sats::from_wire(pot))) {
            let person = held.iter_mut().find(|(who, _)| *who == one.name).unwrap();
            person.1 += share.get();
        }
    }
    story.balances(&held);
    story.end(scratch());
}
