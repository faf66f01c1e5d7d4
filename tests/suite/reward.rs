//! The example reward from source to settlement: what it pays, and everything it refuses.

use std::collections::BTreeMap;
use std::fs;

use driver::{Compiled, MemoryWorld, Options};
use spec::artifact::AbiValue;
use spec::{Artifact, Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxOut, Txid};
use wallet::{FeeRate, Settlement, Utxo};

use crate::bmc::root;
use crate::machine;

const EXAMPLE: &str = "examples/text-to-image-reward/text_to_image.bmc";

fn compile(text: &str) -> Compiled {
    let world = MemoryWorld::new([("text_to_image.bmc", text)]);
    driver::compile(&world, &["text_to_image.bmc".to_owned()], &Options::default())
}

fn example() -> Artifact {
    let compiled = compile(&fs::read_to_string(root().join(EXAMPLE)).unwrap());
    assert!(!compiled.has_errors(), "{}", compiled.to_json());
    compiled.artifact(Some("TextToImage")).unwrap().clone()
}

/// A lock of each recipient's own.
fn params(artifact: &Artifact) -> BTreeMap<String, AbiValue> {
    let lock = |index: usize| spec::script::p2pkh(&[index as u8 + 1; 20]);
    artifact.params.iter().enumerate().map(|(index, slot)| (slot.name.clone(), AbiValue::Item(lock(index)))).collect()
}

struct Case {
    artifact: Artifact,
    redeem: Vec<u8>,
    pot: TxOut,
    tx: Transaction,
}

fn settled(artifact: Artifact, pot_sats: u64, fee: u64) -> Case {
    let params = params(&artifact);
    let redeem = artifact.redeem_script(&params).unwrap();
    let pot = TxOut::plain(Sats::new(pot_sats).unwrap(), artifact.lock(&params).unwrap());
    let outpoint = OutPoint { txid: Txid::from_wire([7; 32]), index: 0 };
    let wish = Settlement {
        artifact: &artifact,
        params: &params,
        coins: vec![Utxo { outpoint, output: pot.clone() }],
        fee: Sats::new(fee),
        rate: FeeRate::per_kilobyte(1_000),
    };
    let tx = wallet::settle(&wish).unwrap().built.tx;
    Case { redeem, pot, tx, artifact }
}

impl Case {
    /// The failing check's message, and its line in the source; `None` if the machine accepts.
    fn refusal(&self, tx: &Transaction) -> Option<(String, usize)> {
        let spent = vec![self.pot.clone(); tx.inputs.len()];
        let context = SpendContext::new(tx, &spent).unwrap();
        let mut verdicts = Vec::new();
        for rules in [RuleSet::Bch2026, RuleSet::Bitmodel] {
            let verdict = vm::verify_input(&Rules::new(rules, Mode::Relay), &context, 0);
            verdicts.push(verdict.err().map(|failure| {
                let why = wallet::explain(&self.artifact, &self.redeem, &failure);
                (why.message, why.place.map_or(0, |place| place.line))
            }));
        }
        assert_eq!(verdicts[0], verdicts[1], "both rule sets say the same");
        let refusal = verdicts.pop().unwrap();
        let ours = refusal.as_ref().map_or(Ok(()), |(message, _)| Err(message.clone()));
        machine::agreed(tx, &spent, &[0], ours).ok();
        refusal
    }

    #[track_caller]
    fn refuses(&self, change: impl FnOnce(&mut Transaction), words: &[&str], line_of: &str) {
        let mut tx = self.tx.clone();
        change(&mut tx);
        let (message, line) = self.refusal(&tx).expect("the machine must refuse");
        for word in words {
            assert!(message.contains(word), "`{word}` is missing from `{message}`");
        }
        let source = fs::read_to_string(root().join(EXAMPLE)).unwrap();
        let shown = source.lines().nth(line.wrapping_sub(1)).unwrap_or_default();
        assert!(shown.contains(line_of), "`{message}` points at line {line}: `{shown}`");
    }
}

fn take(tx: &mut Transaction, output: usize, sats: u64) {
    let value = tx.outputs[output].value.checked_sub(Sats::new(sats).unwrap()).unwrap();
    tx.outputs[output].value = value;
}

#[test]
fn the_example_pays_the_shares_of_the_whitepaper() {
    let case = settled(example(), 100_000_000, 1_000);
    assert_eq!(case.refusal(&case.tx), None);
    let paid: Vec<u64> = case.tx.outputs.iter().map(|output| output.value.get()).collect();
    let net = 99_999_000u64;
    let percent = [30, 25, 10, 6, 4, 15, 10];
    assert_eq!(paid, percent.map(|share| net * share / 100), "the pot divides evenly here");
}

#[test]
fn rounding_never_loses_a_unit_and_the_machine_agrees_with_the_wallet() {
    for pot in [20_000, 20_001, 123_457, 99_999_999, 100_000_001, Sats::MAX.get()] {
        for fee in [0, 1, 999, 1_000] {
            let case = settled(example(), pot, fee);
            assert_eq!(case.refusal(&case.tx), None, "{pot} {fee}");
            assert_eq!(case.tx.outputs.iter().map(|output| output.value.get()).sum::<u64>(), pot - fee);
        }
    }
}

#[test]
fn every_forgery_is_refused_at_the_line_of_the_source_it_robs() {
    let case = settled(example(), 100_000_000, 500);
    case.refuses(|tx| take(tx, 0, 1), &["databases"], "databases:");
    case.refuses(|tx| take(tx, 1, 1), &["compute"], "compute:");
    case.refuses(|tx| take(tx, 3, 1), &["models.transformer"], "transformer:");
    case.refuses(|tx| take(tx, 6, 1), &["infrastructure"], "infrastructure:");
    case.refuses(|tx| tx.outputs.swap(0, 1), &["databases"], "databases:");
    case.refuses(|tx| tx.outputs[5].lock = vec![0x51], &["researchers"], "researchers:");
    case.refuses(|tx| tx.outputs.push(tx.outputs[0].clone()), &["output"], "");
    case.refuses(|tx| drop(tx.outputs.pop()), &["output"], "");
    // A second coin counts into the pot that is shared.
    case.refuses(|tx| tx.inputs.push(tx.inputs[0].clone()), &["databases"], "databases:");
}

#[test]
fn a_fee_above_the_maximum_is_refused() {
    let artifact = example();
    let case = settled(artifact.clone(), 100_000_000, 1_000);
    for fee in [1_001, -1, 100_000] {
        let args = BTreeMap::from([("fee".to_owned(), AbiValue::int(fee))]);
        let unlock = artifact.path("settle").unwrap().unlock_script(&args, &case.redeem).unwrap();
        case.refuses(move |tx| tx.inputs[0].unlock = unlock, &["fee"], "fee:");
    }
}

#[test]
fn a_pot_under_the_minimum_is_refused() {
    let mut case = settled(example(), 20_000, 1_000);
    let net = case.artifact.reward.clone().unwrap();
    case.pot.value = Sats::new(19_999).unwrap();
    let shares = net.divide(Sats::new(18_999).unwrap()).unwrap();
    case.refuses(
        move |tx| tx.outputs.iter_mut().zip(shares).for_each(|(output, share)| output.value = share),
        &["minimum"],
        "minimum:",
    );
}

#[test]
fn what_expand_prints_compiles_to_the_same_bytes() {
    let compiled = compile(&fs::read_to_string(root().join(EXAMPLE)).unwrap());
    let again = compile(compiled.expand());
    assert!(!again.has_errors(), "{}\n{}", again.to_json(), compiled.expand());
    assert_eq!(again.artifacts[0].bytecode, compiled.artifacts[0].bytecode, "{}", compiled.expand());
}

#[test]
fn the_same_source_gives_the_same_artifact() {
    assert_eq!(serde_json::to_string(&example()).unwrap(), serde_json::to_string(&example()).unwrap());
}
