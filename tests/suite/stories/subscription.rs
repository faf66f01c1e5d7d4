//! A service is paid month by month, and the rest stays the subscriber's.

use spec::Sats;
use tests::Story;

use super::scratch;

const PEOPLE: &[(&str, &str)] = &[("alice", "1 coin"), ("bob", "0.1 coin"), ("carol", "0.1 coin")];
const TERMS: &[(&str, &str)] =
    &[("provider", "@bob"), ("subscriber", "@alice"), ("payment", "0.1 coin"), ("period", "10 blocks")];

#[test]
fn the_provider_gets_one_payment_in_each_period_and_the_subscriber_the_rest() {
    let mut story = Story::example("subscription", PEOPLE);
    let lock = story.deploy("Subscription", TERMS);
    story.pay("alice", &lock, "0.25 coin");

    story.refused("bob", "collect", &[], "non-BIP68-final");
    story.mine(8);
    let early = |forgery: &mut wallet::Forgery<'_>| forgery.tx.inputs[0].sequence = 9;
    story.attack(("bob", &[]), "collect", &[], early, "the period is not over");
    story.mine(1);
    let twice = |forgery: &mut wallet::Forgery<'_>| {
        forgery.tx.outputs[0].value = Sats::from_wire(5_000_000);
        forgery.tx.outputs[1].value = Sats::from_wire(20_000_000);
    };
    story.attack(("bob", &[]), "collect", &[], twice, "only one payment is taken");
    let carol = story.key("carol").lock();
    let elsewhere = |forgery: &mut wallet::Forgery<'_>| forgery.tx.outputs[1].lock = carol;
    story.attack(("carol", &[]), "collect", &[], elsewhere, "output 1 pays the provider");
    story.refused("bob", "finish", &[], "there is more than one payment left");

    // Anyone may send a payment on its way: the first is Bob's, the second Carol's errand.
    story.run("bob", "collect", &[]);
    assert_eq!(story.held_at(&lock), 15_000_000);
    story.mine(9);
    story.run("carol", "collect", &[]);
    story.mine(9);
    story.run("bob", "finish", &[]);
    assert_eq!(story.held_at(&lock), 0);

    // A second subscription is ended before anything was paid.
    story.pay("alice", &lock, "0.3 coin");
    story.refused("bob", "cancel", &[("sig", "@bob")], "the subscriber must sign");
    story.run("alice", "cancel", &[("sig", "@alice")]);

    story.balances(&[("alice", 74_999_233), ("bob", 34_999_120), ("carol", 9_999_538)]);
    assert_eq!(story.held_at(&lock), 0);
    story.end(scratch());
}
