//! What tests and properties come out as.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic, its helpers too")]

use std::num::NonZeroUsize;

use driver::{Compiled, MemoryWorld, Options, compile};
use tester::{Choice, Fault, Outcome, Verdict, run};

const CONTRACTS: &str = r#"
    contract Lock(key: PubKey) {
        spend open(sig: Sig) { require key.signed(sig), "the owner must sign"; }
        spend wait(sig: Sig) {
            require self.age >= 6 blocks, "the coin is too young";
            require key.signed(sig), "the owner must sign";
        }
    }
    contract Counter(key: PubKey) {
        state { n: Int<4> }
        spend add(by: Int, sig: Sig) {
            require key.signed(sig), "the owner must sign";
            require within(by, 1, 10), "by 1 to 9";
            continue { n: state.n + by };
        }
    }
    contract Dated(key: PubKey, from: Time) {
        spend open(sig: Sig) {
            require tx.time >= from, "it is not time";
            require key.signed(sig), "the owner must sign";
        }
    }
    plan give(amount: Coin, to: Lock) {
        input coin: Lock.open(sig: coin.params.key);
        require amount < coin.value, "give less";
        output to { value: amount };
        output coin.lock { value: coin.value - amount };
    }
    plan hurry(to: Lock) {
        input coin: Lock.wait(sig: coin.params.key);
        age coin 5 blocks;
        output to { value: coin.value };
    }
    fn any(bytes: Bytes) -> Bytes { bytes }
    fn half(amount: Coin) -> Coin { amount / 2 }
    reward R { a: 30%, b: 1/7, c: rest, minimum: 10_000 sats, fee: up to 1_000 sats, }
"#;

fn compiled(tests: &str) -> Compiled {
    let text = format!("{CONTRACTS}{tests}");
    let compiled = compile(&MemoryWorld::new([("t.bmc", text.as_str())]), &["t.bmc".to_owned()], &Options::default());
    assert!(!compiled.has_errors(), "{}", compiled.to_json());
    compiled
}

fn outcomes(tests: &str) -> Vec<Outcome> {
    run(&compiled(tests), &Choice::default(), &|_, _| ())
}

/// The fault of the only test.
fn fault(test: &str) -> Fault {
    match outcomes(test).remove(0).verdict {
        Verdict::Failed { fault, .. } => *fault,
        Verdict::Passed => panic!("it passes: {test}"),
    }
}

#[test]
fn stories_pass() {
    let passing = [
        r#"test a { let coin = chain.fund(Lock(alice), 1 coin); passes { coin.open(alice) } }"#,
        r#"test a { let coin = chain.fund(Lock(key("x")), 1 coin); fails "must sign" { coin.open(alice) } passes { coin.open(key("x")) } }"#,
        r#"test a {
            let coin = chain.fund(Lock(alice), 1 coin);
            chain.mine(5);
            fails "too young" { coin.wait(alice); age coin 5 blocks; }
            fails "non-BIP68-final" { coin.wait(alice) }
            chain.mine(1);
            passes { coin.wait(alice) }
        }"#,
        r#"test a {
            let coin = chain.fund(Dated(alice, time "2030-01-01T00:00Z"), 1 coin);
            fails "it is not time" at time "2029-12-31T23:59Z" { coin.open(alice) }
            passes at time "2030-01-01T00:00Z" { coin.open(alice) }
        }"#,
        // The name of a coin goes on with the output that has its lock.
        r#"test a {
            let c = chain.fund(Counter(alice), 5_000 sats) with {
                token: { category: sha256("c"), capability: mutable, state: { n: 40 } },
            };
            fails "by 1 to 9" { c.add(10, alice); output c.lock { value: c.value, token: c.token with { state: { n: 50 } } }; }
            passes { c.add(1, alice); output c.lock { value: c.value, token: c.token with { state: { n: c.state.n + 1 } } }; }
            assert c.state.n == 41;
            passes { c.add(1, alice); output c.lock { value: c.value, token: c.token with { state: { n: c.state.n + 1 } } }; }
            assert c.state.n == 42 && c.params.key == alice;
        }"#,
        // Plans find their coins, and what they make can be found.
        r#"test a {
            let c = chain.fund(Lock(alice), 1 coin);
            fails "give less" { give(2 coin, p2pkh(hash160(bob))) }
            passes { give(1_000 sats, p2pkh(hash160(bob))) }
            let given = chain.coin(p2pkh(hash160(bob)));
            let rest = chain.coin(Lock);
            assert given.value == 1_000 sats && rest.value == 1 coin - 1_000 sats && c.value == rest.value;
            passes { rest.open(alice) }
            fails "has been spent" { c.open(alice) }
        }"#,
        r#"test a {
            let one = chain.fund(Lock(alice), 1 coin);
            let other = chain.fund(Lock(alice), 2 coin);
            fails "several" { give(1_000 sats, p2pkh(hash160(bob))) }
            passes { give(1_000 sats, p2pkh(hash160(bob))) with { coin: one } }
            assert one.value == 1 coin - 1_000 sats && other.value == 2 coin;
        }"#,
        // Several coins in one transaction.
        r#"test a {
            let one = chain.fund(Lock(alice), 1 coin);
            let other = chain.fund(Lock(bob), half(3 coin));
            passes { one.open(alice); other.open(bob); output one.lock { value: one.value + other.value }; }
            assert one.value == 2.5 coin;
        }"#,
        r#"test a { let shares = R.divide(10_001 sats); assert shares.sum() == 10_001 sats && shares[0] == 3_000 sats; }"#,
        r#"property a(pot: Coin in 10_000 sats ..= 21_000_000 coin) { assert R.divide(pot).sum() == pot; }"#,
        r#"property a(who: PubKey, b: Bytes, n: Int<2>, h: Hash160, l: Lock, t: (Bool, [Int; 2])) {
            let coin = chain.fund(Lock(who), 1 coin);
            passes { coin.open(who) }
            assert n <= 32_767 && n >= 0 - 32_767 && b == b && h == h && l == l && (t.0 || !t.0) && t.1[0] == t.1[0];
        }"#,
    ];
    for test in passing {
        let outcome = outcomes(test).remove(0);
        assert!(outcome.passed(), "{test}\n{outcome:#?}");
    }
}

#[test]
fn failures_say_what_is_wrong() {
    let failing = [
        (
            r#"test a { let c = chain.fund(Lock(alice), 1 coin); passes { c.open(bob) } }"#,
            "this must pass, but it is refused: Lock.open: \"the owner must sign\" at t.bmc:3:",
        ),
        (
            r#"test a { let c = chain.fund(Lock(alice), 1 coin); fails "must sign" { c.open(alice) } }"#,
            "this must fail with \"must sign\", but it passes",
        ),
        (
            r#"test a { let c = chain.fund(Lock(alice), 1 coin); fails "another" { c.open(bob) } }"#,
            "this must fail with \"another\", but it fails otherwise: ",
        ),
        (r#"test a { assert half(3 coin) == 1 coin; }"#, "this does not hold"),
        (r#"test a { assert half(3 coin) == 1 coin, "half is not one"; }"#, "half is not one"),
        (
            r#"test a { let c = chain.fund(Lock(alice), 1 coin); passes { c.open(alice) } passes { c.open(alice) } }"#,
            "this cannot be made: coin `c` has been spent",
        ),
        (
            r#"test a { let c = chain.fund(Lock(alice), 1 coin); passes at height 50 { c.open(alice) } }"#,
            "the chain is at 100 already",
        ),
        (r#"test a { let n = 1; assert 5 / (n - 1) == 5; }"#, "this value cannot be computed: "),
        (
            r#"test a { let c = chain.fund(Lock(alice), 1 coin); passes { c.open(alice); output p2pkh(hash160(bob)) { value: 1 sats }; } }"#,
            "is dust",
        ),
        (
            r#"test a { let c = chain.fund(Lock(alice), 1 coin) with { token: { category: any(sha256("c") + 0x0101), amount: 1 } }; }"#,
            "a category has 32 bytes, or 33 with a capability, not 34",
        ),
        (r#"test a { let c = chain.coin(Lock); }"#, "there is no coin of `Lock`"),
        (
            r#"test a { let c = chain.fund(Lock(alice), 1 coin); passes { give(2 coin, p2pkh(hash160(bob))) } }"#,
            "this cannot be made: give less",
        ),
        (
            r#"test a { let c = chain.fund(Lock(alice), 1 coin); chain.mine(5); passes { hurry(p2pkh(hash160(bob))) } }"#,
            "this must pass, but it is refused: Lock.wait: \"the coin is too young\"",
        ),
    ];
    for (test, message) in failing {
        let found = fault(test);
        assert!(found.message.contains(message), "{test}\n{found:#?}");
        assert!(!found.places.is_empty(), "{test}");
    }
}

#[test]
fn a_refusal_shows_the_transaction_and_the_end_of_its_trace() {
    let found = fault(r#"test a { let c = chain.fund(Lock(alice), 1 coin); passes { c.open(bob) } }"#);
    let notes = found.notes.join("\n");
    for word in ["◂ c: Lock", "100_000_000 sats", "▸ change", "OP_CHECKSIG", "t.bmc:3"] {
        assert!(notes.contains(word), "`{word}` is missing:\n{notes}");
    }
}

#[test]
fn the_sides_of_a_comparison_are_shown() {
    let found = fault("test a { assert half(3 coin) == 1 coin; }");
    let said: Vec<&str> = found.places.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(said, ["150_000_000 sats", "100_000_000 sats"]);
}

#[test]
fn counterexamples_are_made_simple_and_come_again_by_their_seed() {
    let cases = [
        ("property a(n: Int in 0 ..= 1_000_000_000) { assert n < 777; }", "777"),
        ("property a(n: Coin in 5 sats ..= 21_000_000 coin) { assert n == n + 0 sats && n < 5 sats; }", "5 sats"),
        ("property a(b: Bytes) { assert b.length < 3; }", "0x000000"),
        ("property a(l: [Int; 3]) { assert l.sum() < 100; }", "100"),
    ];
    for (property, simplest) in cases {
        let compiled = compiled(property);
        let Verdict::Failed { counterexample: Some(example), .. } =
            run(&compiled, &Choice::default(), &|_, _| ()).remove(0).verdict
        else {
            panic!("it passes: {property}");
        };
        assert!(example.values[0].1.contains(simplest), "{property}\n{example:#?}");
        let again = Choice { replay: Some(example.seed), ..Choice::default() };
        let Verdict::Failed { counterexample: Some(same), .. } = run(&compiled, &again, &|_, _| ()).remove(0).verdict
        else {
            panic!("the seed does not fail again: {property}");
        };
        assert_eq!((same.seed, same.values), (example.seed, example.values));
    }
}

#[test]
fn results_are_the_same_on_any_number_of_threads() {
    let tests: String =
        (0..20).map(|at| format!("property p{at}(n: Int in 0 ..= 100_000) {{ assert n < 99_0{at:02}; }}\n")).collect();
    let compiled = compiled(&tests);
    let on = |threads| {
        run(&compiled, &Choice { threads: NonZeroUsize::new(threads).unwrap(), ..Choice::default() }, &|_, _| ())
    };
    assert_eq!(on(1), on(4));
}

#[test]
fn filters_choose_by_file_and_name() {
    let compiled = compiled("test one { assert 1 == 1; }\ntest two { assert 1 == 1; }");
    let names = |filter: &str| {
        let choice = Choice { filters: vec![filter.to_owned()], ..Choice::default() };
        run(&compiled, &choice, &|_, _| ()).iter().map(Outcome::full_name).collect::<Vec<_>>()
    };
    assert_eq!(names("two"), ["t::two"]);
    assert_eq!(names("t::"), ["t::one", "t::two"]);
    assert!(names("three").is_empty());
}

/// No byte of an artifact depends on tests, but the digest of the source that they stand in.
#[test]
fn tests_change_no_byte_of_an_artifact() {
    let bare = compiled("");
    let tested = compiled(r#"test a { let c = chain.fund(Lock(alice), 1 coin); passes { c.open(alice) } }"#);
    assert_eq!(bare.artifacts.len(), tested.artifacts.len());
    for (mut one, mut other) in bare.artifacts.into_iter().zip(tested.artifacts) {
        one.sources.iter_mut().chain(&mut other.sources).for_each(|source| source.sha256.clear());
        assert_eq!(one, other);
    }
}
