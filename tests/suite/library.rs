//! The standard library: the examples of its documentation run on the machine, and its functions agree with Rust.

use std::collections::BTreeMap;

use driver::{MemoryWorld, Options};
use proptest::prelude::*;
use spec::artifact::AbiValue;
use spec::hash::sha256;
use spec::tx::TxIn;
use spec::{Artifact, Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxOut, Txid};

fn compile(name: &str, text: &str) -> Vec<Artifact> {
    let world = MemoryWorld::new([(name, text)]);
    let compiled = driver::compile(&world, &[name.to_owned()], &Options { rules: RuleSet::Bch2026 });
    assert!(compiled.diagnostics.is_empty(), "{}\n{text}", compiled.to_json());
    compiled.artifacts
}

/// Spends a coin of the contract by its only path.
fn run(artifact: &Artifact, params: &[(&str, AbiValue)], args: &[(&str, AbiValue)]) -> Result<(), String> {
    let named = |pairs: &[(&str, AbiValue)]| -> BTreeMap<String, AbiValue> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    };
    let params = named(params);
    let redeem = artifact.redeem_script(&params).unwrap();
    let unlock = artifact.paths[0].unlock_script(&named(args), &redeem).unwrap();
    let coin = TxOut::plain(Sats::from_wire(10_000), artifact.lock(&params).unwrap());
    let input = TxIn { prevout: OutPoint { txid: Txid::from_wire([7; 32]), index: 0 }, unlock, sequence: 0 };
    let outputs = vec![TxOut::plain(Sats::from_wire(9_000), vec![0x51])];
    let tx = Transaction { version: 2, inputs: vec![input], outputs, locktime: 0 };
    let spent = [coin];
    let context = SpendContext::new(&tx, &spent).unwrap();
    let verdict = vm::verify_input(&Rules::new(RuleSet::Bch2026, Mode::Consensus), &context, 0);
    verdict.map(|_| ()).map_err(|error| format!("{error:?}"))
}

/// A contract whose one path demands that a call gives `expected`.
fn calling(uses: &str, args: &str, call: &str, expected: &str) -> Artifact {
    let text = format!(
        "use {uses};\ncontract Calls(salt: Int) {{\n    spend run({args}, expected: {expected}, n: Int, padding: Padding) {{\n        \
         require n == salt, \"the salt fits\";\n        require {call} == expected, \"the result is as expected\";\n    }}\n}}\n"
    );
    compile("calls.bmc", &text).remove(0)
}

fn agrees(artifact: &Artifact, args: &[(&str, AbiValue)], expected: AbiValue) -> Result<(), String> {
    let padding = AbiValue::Item(vec![0; 400]);
    let mut all = vec![("expected", expected), ("n", AbiValue::int(1)), ("padding", padding)];
    all.extend(args.iter().cloned());
    run(artifact, &[("salt", AbiValue::int(1))], &all)
}

#[test]
fn whole_roots_are_exact_at_every_square() {
    let artifact = calling("std::math", "x: Int", "math::isqrt(x)", "Int");
    let check = |x: i64, root: i64| agrees(&artifact, &[("x", AbiValue::int(x))], AbiValue::int(root));
    for root in [0, 1, 2, 3, 46_341, 3_037_000_499] {
        let square: i64 = root * root;
        assert_eq!(check(square, root), Ok(()), "{square}");
        if root > 0 {
            assert_eq!(check(square - 1, root - 1), Ok(()), "{square} - 1");
            assert_eq!(check(square + 1, root), Ok(()), "{square} + 1");
        }
    }
    assert!(check(16, 3).is_err() && check(-1, 0).is_err());
}

#[test]
fn judges_count_once_each_and_only_for_what_they_signed() {
    let accounts = wallet::Accounts::devnet();
    let keys: Vec<wallet::Key> = (0..3).map(|at| accounts.key(at)).collect();
    let artifact = calling(
        "std::multisig",
        "keys: [PubKey; 3], message: Bytes, sigs: [DataSig; 3]",
        "multisig::votes_of_three(keys, message, sigs)",
        "Int",
    );
    let pubkeys = |order: [usize; 3]| order.map(|at| keys[at].public().to_vec()).to_vec();
    let check = |order: [usize; 3], signed: [bool; 3], message: &[u8], votes: i64| {
        let sign = |at: usize| if signed[at] { keys[order[at]].sign(&sha256(b"said")).to_vec() } else { Vec::new() };
        let args = [
            ("keys", AbiValue::Items(pubkeys(order))),
            ("message", AbiValue::Item(message.to_vec())),
            ("sigs", AbiValue::Items((0..3).map(sign).collect())),
        ];
        agrees(&artifact, &args, AbiValue::int(votes))
    };
    for bits in 0..8u32 {
        let signed = [0, 1, 2].map(|at| bits >> at & 1 == 1);
        assert_eq!(check([0, 1, 2], signed, b"said", bits.count_ones().into()), Ok(()), "{signed:?}");
    }
    assert!(check([0, 1, 2], [true, true, false], b"unsaid", 2).is_err());
    assert!(check([0, 1, 2], [true, true, false], b"said", 3).is_err());
    for twice in [[0, 0, 1], [0, 1, 0], [1, 0, 0]] {
        assert!(check(twice, [true, true, false], b"said", 2).is_err(), "{twice:?}");
    }
}

fn hash(bytes: &[&[u8]]) -> [u8; 32] {
    sha256(&bytes.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_leaf_of_a_tree_is_shown_by_its_path_and_by_no_other(depth in 0u32..5, seed in any::<u8>(), at in any::<prop::sample::Index>(), wrong in any::<prop::sample::Index>()) {
        let count = 1usize << depth;
        let (at, wrong) = (at.index(count), wrong.index(count));
        let mut level: Vec<[u8; 32]> = (0..count).map(|leaf| hash(&[&[0], &[seed, leaf as u8]])).collect();
        let leaf = level[at];
        let (mut path, mut place) = (Vec::new(), at);
        while level.len() > 1 {
            path.extend(level[place ^ 1]);
            level = level.chunks(2).map(|pair| hash(&[&[1], &pair[0], &pair[1]])).collect();
            place /= 2;
        }
        let artifact = calling("std::merkle", "leaf: Hash256, index: Int, path: Bytes", "merkle::root(leaf, index, path)", "Hash256");
        let item = |bytes: &[u8]| AbiValue::Item(bytes.to_vec());
        let check = |index: usize| {
            let args = [("leaf", item(&leaf)), ("index", AbiValue::int(index as i64)), ("path", item(&path))];
            agrees(&artifact, &args, item(&level[0]))
        };
        prop_assert_eq!(check(at), Ok(()));
        prop_assert_eq!(check(wrong).is_ok(), wrong == at);
        prop_assert!(check(at + count).is_err());
    }

    #[test]
    fn vesting_never_frees_too_much_nor_takes_back(total in 1i64..2_100_000_000_000_000, cliff in 0i64..500, duration in 1i64..5_000, passed in 0i64..6_000) {
        let artifact = calling(
            "std::vesting",
            "total: Int, cliff: Blocks, duration: Blocks, now: Height",
            "vesting::vested(total, height 1_000, cliff, duration, now)",
            "Int",
        );
        let free = |passed: i64| match passed < cliff {
            true => 0,
            false => i64::try_from(i128::from(total) * i128::from(passed.min(duration)) / i128::from(duration)).unwrap(),
        };
        let int = AbiValue::int;
        let args = [("total", int(total)), ("cliff", int(cliff)), ("duration", int(duration)), ("now", int(1_000 + passed))];
        prop_assert_eq!(agrees(&artifact, &args, int(free(passed))), Ok(()));
        prop_assert!(free(passed) <= total && free(passed) <= free(passed + 1));
    }

    #[test]
    fn products_are_divided_exactly(a in 0i64..i64::MAX, b in 0i64..i64::MAX, c in 1i64..i64::MAX) {
        let product = i128::from(a) * i128::from(b);
        let divisor = i128::from(c);
        let cases = [
            ("mul_div", product / divisor),
            ("mul_div_nearest", (2 * (product / divisor) + (2 * (product % divisor) + divisor) / divisor).div_euclid(2)),
            ("mul_div_ceil", product / divisor + i128::from(product % divisor > 0)),
        ];
        for (function, expected) in cases {
            let artifact = calling("std::math", "a: Int, b: Int, c: Int", &format!("math::{function}(a, b, c)"), "Int");
            let args = [("a", AbiValue::int(a)), ("b", AbiValue::int(b)), ("c", AbiValue::int(c))];
            let number = AbiValue::Item(spec::num::encode_wide(expected));
            prop_assert_eq!(agrees(&artifact, &args, number), Ok(()), "{}", function);
        }
    }
}
