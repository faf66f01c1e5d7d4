//! Three partners and their treasury: two decide, one rescues.

use spec::Sats;
use tests::Story;
use wallet::{Arg, Signer};

use super::scratch;

const PEOPLE: &[(&str, &str)] =
    &[("alice", "2 coin"), ("bob", "0.1 coin"), ("carol", "0.1 coin"), ("dave", "0.1 coin")];

#[test]
fn two_partners_pay_and_one_rescues_after_a_long_silence() {
    let mut story = Story::example("multisig", PEOPLE);
    let lock = story.deploy("Treasury", &[("a", "@alice"), ("b", "@bob"), ("c", "@carol"), ("patience", "10 blocks")]);
    story.pay("alice", &lock, "1 coin");

    let wages = &[("to", "@dave"), ("amount", "0.4 coin"), ("first", "@carol"), ("second", "@alice")];
    story.refused("alice", "pay", wages, "no key at hand signs for");
    let alone = &[("to", "@dave"), ("amount", "0.4 coin"), ("first", "@alice"), ("second", "@alice")];
    story.refused("alice", "pay", alone, "two different partners sign");
    // Alice signs twice and says that the second signature is Carol's.
    let alice = story.key("alice");
    story.attack(
        ("alice", &["carol"]),
        "pay",
        wages,
        |forgery| {
            let signers = [0, 2].map(|position| Signer { position: Some(position), key: alice });
            forgery.args[0].insert("sigs".into(), Arg::SignEach(signers.to_vec()));
        },
        "two of the three must sign",
    );
    story.run_with("alice", &["carol"], "pay", wages);
    assert_eq!(story.held_at(&lock), 60_000_000);

    // A partner alone has to wait, and a signature holds for what it has signed.
    story.refused("bob", "rescue", &[("to", "@bob"), ("by", "@bob")], "non-BIP68-final");
    story.mine(8);
    story.attack(
        ("bob", &[]),
        "rescue",
        &[("to", "@bob"), ("by", "@bob")],
        |forgery| forgery.tx.inputs[0].sequence = 9,
        "the treasury has moved too lately",
    );
    story.mine(1);
    let dave = story.key("dave");
    story.attack(
        ("bob", &["dave"]),
        "rescue",
        &[("to", "@dave"), ("by", "@bob")],
        |forgery| {
            let signer = Signer { position: Some(1), key: dave };
            forgery.args[0].insert("sigs".into(), Arg::SignEach(vec![signer]));
        },
        "one of the three must sign",
    );
    let rescue = story.run("bob", "rescue", &[("to", "@bob"), ("by", "@bob")]);
    assert_eq!(rescue.built.tx.outputs[0].value, Sats::from_wire(60_000_000));

    story.balances(&[("alice", 99_999_111), ("bob", 69_999_450), ("carol", 10_000_000), ("dave", 50_000_000)]);
    assert_eq!(story.held_at(&lock), 0);
    story.end(scratch());
}
