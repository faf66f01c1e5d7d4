//! A sale with a judge: it goes well, it is judged, it is forgotten.

use spec::Sats;
use tests::Story;

use super::scratch;

const PEOPLE: &[(&str, &str)] = &[("alice", "1 coin"), ("bob", "0.1 coin"), ("carol", "0.1 coin")];
const PARTIES: &[(&str, &str)] =
    &[("buyer", "@alice"), ("seller", "@bob"), ("judge", "@carol"), ("until", "height 140")];

#[test]
fn the_money_goes_to_the_seller_or_back_and_nowhere_else() {
    let mut story = Story::example("escrow", PEOPLE);
    let lock = story.deploy("Escrow", PARTIES);
    story.pay("alice", &lock, "0.5 coin");
    assert_eq!(story.held_at(&lock), 50_000_000);

    // The seller cannot take the money alone, and the buyer's signature lets it go nowhere else.
    let thief = story.key("bob").lock();
    story.refused("bob", "release", &[("sig", "@bob")], "the buyer must sign");
    story.attack(
        ("alice", &[]),
        "release",
        &[("sig", "@alice")],
        |forgery| forgery.tx.outputs[0].value = Sats::from_wire(49_999_999),
        "output 0 has the whole value",
    );
    let carol = story.key("carol").lock();
    story.attack(
        ("alice", &[]),
        "release",
        &[("sig", "@alice")],
        |forgery| forgery.tx.outputs[0].lock = carol,
        "output 0 pays the owner",
    );
    story.run("alice", "release", &[("sig", "@alice")]);
    assert_eq!(story.held_at(&lock), 0);

    // A second sale is forgotten. Nobody gets the money early, and afterwards only the buyer does.
    story.pay("alice", &lock, "0.2 coin");
    story.refused("carol", "expire", &[], "bad-txns-nonfinal");
    story.mine_to(139);
    story.attack(("carol", &[]), "expire", &[], |forgery| forgery.tx.locktime = 139, "the time is not over");
    story.mine(1);
    story.attack(("bob", &[]), "expire", &[], |forgery| forgery.tx.outputs[0].lock = thief, "output 0 pays the owner");
    story.run("carol", "expire", &[]);

    story.balances(&[("alice", 49_998_884), ("bob", 60_000_000), ("carol", 9_999_408)]);
    assert_eq!(story.held_at(&lock), 0);
    story.end(scratch());
}
