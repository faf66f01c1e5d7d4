//! Money that leaves slowly: a thief is seen in time, and the owner still gets along.

use spec::Sats;
use tests::Story;

use super::scratch;

/// Alice has the daily key; Carol's lies in a safe. Bob is a thief who has copied Alice's key.
const PEOPLE: &[(&str, &str)] =
    &[("alice", "1 coin"), ("bob", "0.1 coin"), ("carol", "0.1 coin"), ("dave", "0.1 coin")];
const OPEN: &[(&str, &str)] = &[("hot", "@alice"), ("cold", "@carol"), ("delay", "6 blocks"), ("amount", "0.5 coin")];

#[test]
fn a_thief_with_the_daily_key_is_too_slow() {
    let mut story = Story::example("vault", PEOPLE);
    let opened = story.run("alice", "open", OPEN);
    assert_eq!(opened.first.len(), 1, "no coin of Alice's could name a category");
    let lock = opened.built.tx.outputs[0].lock.clone();
    assert_eq!(story.held_at(&lock), 50_000_000);

    // The thief announces, and cannot go on before the delay is over or anywhere else.
    story.refused("bob", "announce", &[("lock", "@bob")], "no key at hand signs for");
    story.run_with("bob", &["alice"], "announce", &[("lock", "@bob")]);
    story.refused("bob", "leave", &[("lock", "@bob")], "non-BIP68-final");
    story.refused("bob", "leave", &[("lock", "@dave")], "another lock was announced");
    story.mine(4);
    let early = |forgery: &mut wallet::Forgery<'_>| forgery.tx.inputs[0].sequence = 5;
    story.attack(("bob", &[]), "leave", &[("lock", "@bob")], early, "the delay is not over");
    // Carol sees it in time.
    story.run("carol", "revoke", &[]);
    assert_eq!(story.held_at(&lock), 50_000_000);
    story.mine(6);
    story.refused("bob", "leave", &[("lock", "@bob")], "nothing is announced");
    let thief = story.key("bob").lock();

    // Alice pays Dave out of the vault, and nobody can turn that aside.
    story.run("alice", "announce", &[("lock", "@dave")]);
    story.refused("alice", "announce", &[("lock", "@alice")], "an announcement waits already");
    story.mine(5);
    let aside = |forgery: &mut wallet::Forgery<'_>| forgery.tx.outputs[0].lock = thief;
    story.attack(("bob", &[]), "leave", &[("lock", "@dave")], aside, "output 0 goes where it was announced");
    let less = |forgery: &mut wallet::Forgery<'_>| forgery.tx.outputs[0].value = Sats::from_wire(49_999_999);
    story.attack(("bob", &[]), "leave", &[("lock", "@dave")], less, "output 0 has the whole value");
    story.run("dave", "leave", &[("lock", "@dave")]);
    assert_eq!(story.held_at(&lock), 0);

    // A second vault is emptied by the cold key at once.
    story.run("alice", "open", &[("hot", "@alice"), ("cold", "@carol"), ("delay", "6 blocks"), ("amount", "0.2 coin")]);
    story.refused("alice", "recover", &[("lock", "@alice")], "no key at hand signs for");
    story.run("carol", "recover", &[("lock", "@alice")]);

    story.balances(&[("alice", 49_997_984), ("bob", 9_999_298), ("carol", 9_998_740), ("dave", 59_999_475)]);
    assert_eq!(story.held_at(&lock), 0);
    story.end(scratch());
}
