//! A payment against a secret: it is claimed in time, and another one is not.

use spec::Sats;
use spec::artifact::{Locking, Objective};
use spec::hash::sha256;
use tests::Story;

use super::scratch;

const PEOPLE: &[(&str, &str)] = &[("alice", "1 coin"), ("bob", "0.1 coin"), ("carol", "0.1 coin")];
const SECRET: [u8; 32] = [0x5e; 32];

#[test]
fn whoever_shows_the_secret_in_time_is_paid_and_the_sender_gets_the_rest() {
    let story = Story::example("htlc", PEOPLE);
    assert_eq!(story.artifact("Htlc").locking, Locking::P2sh32);
    swap(story, [69_999_275, 39_999_700]);
}

/// The script is the lock, and refusals say the same.
#[test]
fn coins_that_are_locked_by_the_script_itself_take_fewer_bytes() {
    let story = Story::example_for(Objective::Fee, "htlc", PEOPLE);
    assert_eq!(story.artifact("Htlc").locking, Locking::P2s);
    swap(story, [69_999_233, 39_999_816]);
}

fn swap(mut story: Story, [alice, bob]: [u64; 2]) {
    let (secret, digest) = (text_of(&SECRET), text_of(&sha256(&SECRET)));
    let lock = story
        .deploy("Htlc", &[("sender", "@alice"), ("recipient", "@bob"), ("digest", &digest), ("expiry", "height 140")]);
    story.pay("alice", &lock, "0.3 coin");

    story.refused("bob", "claim", &[("secret", &digest), ("sig", "@bob")], "this is not the secret");
    story.refused("carol", "claim", &[("secret", &secret), ("sig", "@carol")], "the recipient must sign");
    story.refused("alice", "refund", &[("sig", "@alice")], "bad-txns-nonfinal");
    let claim = story.run("bob", "claim", &[("secret", &secret), ("sig", "@bob")]);
    // The other side of a swap reads it here.
    let shown = &claim.built.tx.inputs[0].unlock;
    assert!(shown.windows(SECRET.len()).any(|window| window == SECRET));
    assert_eq!(story.held_at(&lock), 0);

    story.pay("alice", &lock, "0.2 coin");
    story.mine_to(139);
    story.attack(
        ("alice", &[]),
        "refund",
        &[("sig", "@alice")],
        |forgery| forgery.tx.locktime = 139,
        "the coin has not expired",
    );
    story.mine(1);
    story.refused("carol", "refund", &[("sig", "@carol")], "the sender must sign");
    // A signature stands for the whole transaction: money cannot be turned aside afterwards.
    let refund = story.run("alice", "refund", &[("sig", "@alice")]);
    let mut turned = refund.built.tx.clone();
    turned.outputs[0].value = Sats::from_wire(1_000);
    story.attack_raw("refund", &turned, &refund.built.spent, "bad-txns-inputs-missingorspent");

    story.balances(&[("alice", alice), ("bob", bob), ("carol", 10_000_000)]);
    assert_eq!(story.held_at(&lock), 0);
    story.end(scratch());
}

fn text_of(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}
