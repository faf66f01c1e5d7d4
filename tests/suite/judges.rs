//! Votes of the standard library: judges count once each, and only for what they signed.

use std::collections::BTreeMap;

use driver::{MemoryWorld, Options};
use spec::artifact::AbiValue;
use spec::hash::sha256;
use spec::tx::TxIn;
use spec::{Artifact, Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxOut, Txid};

use crate::machine::agreed;

fn compile(name: &str, text: &str) -> Vec<Artifact> {
    let world = MemoryWorld::new([(name, text)]);
    let compiled =
        driver::compile(&world, &[name.to_owned()], &Options { rules: RuleSet::Bch2026, ..Options::default() });
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
    let verdict = vm::verify_input(&Rules::new(RuleSet::Bch2026, Mode::Relay), &context, 0);
    agreed(&tx, &spent, &[0], verdict.map(|_| ()).map_err(|error| format!("{error:?}")))
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
