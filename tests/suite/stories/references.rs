//! Contracts that know each other: one by its lock, one by the state that the other's coin carries.

use driver::Options;
use spec::RuleSet;
use spec::artifact::{Locking, Objective};
use tests::{Story, compile_with};

use super::scratch;

const SOURCE: &str = r#"
/// Counts up.
contract Counter(owner: PubKey, step: Int<2>) {
    state { count: Int<4>, open: Bool }
    spend bump(sig: Sig) {
        require owner.signed(sig), "the owner signs";
        require state.open, "the counter is open";
        continue { count: state.count + step };
    }
}

/// Opens a counter, and no other.
contract Launcher(owner: PubKey) {
    spend launch(sig: Sig) {
        require owner.signed(sig), "the owner signs";
        require self.index == 0, "the launcher is input 0";
        require tx.outputs[0].lock == Counter(owner, 3).lock, "output 0 is the counter";
        require tx.outputs[0].token.commitment == encode(Counter::State { count: 5, open: true }), "it begins at five";
        require tx.outputs[0].value == self.value, "output 0 has the whole value";
    }
}

/// Pays out once a counter has come far enough.
contract Prize(counter: Bytes<33>) {
    spend take() {
        require self.index == 0, "the prize is input 0";
        require tx.inputs[1].token.category == counter, "input 1 carries the counter";
        let seen: Counter::State = decode(tx.inputs[1].token.commitment);
        require seen.count >= 8, "the counter has reached eight";
        require tx.outputs[0].lock == p2pkh(0x0101010101010101010101010101010101010101), "output 0 is the winner's";
        require tx.outputs[0].value >= self.value, "the winner gets all of it";
    }
}

plan launch() {
    input launcher: Launcher.launch(sig: launcher.params.owner);
    input first: genesis;
    output Counter(launcher.params.owner, 3).lock {
        value: launcher.value,
        token: { category: first.txid, capability: mutable, state: { count: 5, open: true } },
    };
}

plan bump() {
    input counter: Counter.bump(sig: counter.params.owner);
    output counter.lock {
        value: counter.value,
        token: counter.token with { state: { count: counter.state.count + counter.params.step } },
    };
}

plan take() {
    input prize: Prize.take();
    input counter: Counter.bump(sig: counter.params.owner);
    output p2pkh(0x0101010101010101010101010101010101010101) { value: prize.value };
    output counter.lock {
        value: counter.value,
        token: counter.token with { state: { count: counter.state.count + counter.params.step } },
    };
}
"#;

/// What the launcher pays it names by a lock, which shall not be as long as a script.
#[test]
fn a_contract_whose_lock_another_one_holds_keeps_its_hash() {
    let options = Options { rules: RuleSet::Bch2026, objective: Objective::Fee, ..Options::default() };
    let compiled = compile_with("references", SOURCE, &options);
    assert!(!compiled.has_errors(), "{}", compiled.to_json());
    let locking: Vec<_> = compiled.artifacts.iter().map(|one| (one.contract.as_str(), one.locking)).collect();
    assert_eq!(locking, [("Counter", Locking::P2sh32), ("Launcher", Locking::P2sh32), ("Prize", Locking::P2s)]);
}

#[test]
fn a_contract_demands_the_lock_and_the_state_of_another() {
    let mut story = Story::new(&[("references.bmc", SOURCE)], &[("alice", "1 coin"), ("bob", "1 coin")]);
    let launcher = story.deploy("Launcher", &[("owner", "@alice")]);
    let counter = story.deploy("Counter", &[("owner", "@alice"), ("step", "3")]);
    story.pay("alice", &launcher, "0.1 coin");
    story.attack(
        ("alice", &[]),
        "launch",
        &[],
        |forgery| forgery.tx.outputs[0].lock[5] ^= 1,
        "output 0 is the counter",
    );
    story.run("alice", "launch", &[]);
    assert_eq!(story.held_at(&counter), 10_000_000);
    let token = story.coins_at(&counter)[0].output.token.clone().unwrap();
    assert_eq!(token.nft.as_ref().unwrap().commitment, [5, 0, 0, 0, 1]);

    let category = format!("0x{}01", hex::encode(token.category.as_wire()));
    let prize = story.deploy("Prize", &[("counter", &category)]);
    story.pay("bob", &prize, "0.2 coin");
    story.refused("alice", "take", &[], "the counter has reached eight");
    story.refused("bob", "bump", &[], "key");
    story.run("alice", "bump", &[]);
    story.run("alice", "take", &[]);
    assert_eq!(story.held_at(&prize), 0);
    let token = story.coins_at(&counter)[0].output.token.clone().unwrap();
    assert_eq!(token.nft.as_ref().unwrap().commitment, [11, 0, 0, 0, 1]);
    story.end(scratch());
}
