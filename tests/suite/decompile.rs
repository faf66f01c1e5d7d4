//! `bmc decompile`: what the text says is what the script does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use decompile::{Decompiled, decompile};
use driver::Options;
use spec::artifact::{AbiType, AbiValue, Level};
use spec::script::instructions;
use spec::{Artifact, Mode, RuleSet, Rules, Sats, SpendContext, Transaction, TxOut};
use tests::{Spend, compile_with, run_lines};
use vm::batch::Deferred;
use vm::verify_input_deferring;

use crate::bmc::{bmc, root};
use crate::levels::corpus;
use crate::programs::name_of;

/// Programs with lines that spend their coins.
fn programs() -> Vec<std::path::PathBuf> {
    let folders = ["tests/programs", "tests/contracts", "tests/codegen"];
    let files = folders.iter().flat_map(|folder| fs::read_dir(root().join(folder)).unwrap());
    let mut found: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "bmc"));
    found.sort();
    found
}

/// A transaction with the coins that it spends, and which inputs are about the script.
#[derive(Clone)]
struct Case {
    tx: Transaction,
    coins: Vec<TxOut>,
    own: Vec<usize>,
}

/// What an input pushes, the script last.
fn pushed(unlock: &[u8]) -> Vec<Vec<u8>> {
    let item = |step: spec::script::Instruction<'_>| match (step.data, step.byte) {
        (Some(data), _) => data.to_vec(),
        (None, 0x4f) => vec![0x81],
        (None, byte) => vec![byte - 0x50],
    };
    instructions(unlock).map(|step| item(step.unwrap())).collect()
}

/// Whether all inputs that are about the script may spend. Signatures count as good if they look so, because another
/// script would need others; and the cost does not count.
fn accepts(case: &Case) -> bool {
    let mut rules = Rules::new(RuleSet::Bitmodel, Mode::Consensus);
    rules.prices.budget_per_byte = 1 << 40;
    rules.prices.half_iterations_per_byte = 1 << 40;
    let context = SpendContext::new(&case.tx, &case.coins).unwrap();
    case.own.iter().all(|input| verify_input_deferring(&rules, &context, *input, &Deferred::default()).is_ok())
}

/// The case with another script in place of its own, by whatever path takes what it pushes.
fn accepts_with(case: &Case, found: &Decompiled, artifact: &Artifact) -> bool {
    let script = artifact.redeem_script(&BTreeMap::new()).unwrap();
    let old = case.coins[case.own[0]].lock.clone();
    let new = artifact.lock_of(&script);
    let mut case = case.clone();
    for lock in case.coins.iter_mut().chain(&mut case.tx.outputs).map(|output| &mut output.lock) {
        if *lock == old {
            lock.clone_from(&new);
        }
    }
    // Each input may take another path.
    let unlocks = |input: &usize| -> Vec<Vec<u8>> {
        let mut items = pushed(&case.tx.inputs[*input].unlock);
        items.pop();
        let fitting = found.ways.iter().filter(|way| way.args.len() == items.len());
        let unlock = |way: &decompile::Way| {
            let args = way.args.iter().cloned().zip(items.iter().cloned().map(AbiValue::Item)).collect();
            artifact.unlock_script(artifact.path(&way.name).unwrap(), &args, &script).unwrap()
        };
        fitting.map(unlock).collect()
    };
    let choices: Vec<Vec<Vec<u8>>> = case.own.iter().map(unlocks).collect();
    case.own.clone().iter().zip(choices).all(|(input, choices)| {
        choices.into_iter().any(|unlock| {
            let mut one = case.clone();
            one.tx.inputs[*input].unlock = unlock;
            one.own = vec![*input];
            accepts(&one)
        })
    })
}

/// The transaction, and others that differ from it in one thing.
fn cases(spend: &Spend) -> Vec<Case> {
    let case = Case { tx: spend.tx.clone(), coins: spend.coins.clone(), own: spend.own.clone() };
    let mut all = vec![case.clone()];
    let mut changed = |change: &dyn Fn(&mut Case)| {
        let mut other = case.clone();
        change(&mut other);
        all.push(other);
    };
    for output in 0..case.tx.outputs.len() {
        let value = case.tx.outputs[output].value.get();
        changed(&|case| case.tx.outputs[output].value = Sats::from_wire(value + 1));
        changed(&|case| case.tx.outputs[output].value = Sats::from_wire(value.saturating_sub(1)));
        changed(&|case| case.tx.outputs[output].lock.push(0x51));
        changed(&|case| case.tx.outputs[output].token = None);
    }
    changed(&|case| drop(case.tx.outputs.pop()));
    changed(&|case| case.tx.outputs.push(TxOut::plain(Sats::ONE, vec![0x51])));
    changed(&|case| case.tx.locktime = 0);
    changed(&|case| case.tx.locktime += 1);
    changed(&|case| case.tx.inputs.iter_mut().for_each(|input| input.sequence = 0));
    changed(&|case| case.tx.inputs.iter_mut().for_each(|input| input.sequence = u32::MAX));
    let own = case.own[0];
    let items = pushed(&case.tx.inputs[own].unlock);
    for place in 0..items.len() - 1 {
        let mut others = vec![vec![], vec![1], vec![2], vec![7; 33]];
        let mut flipped = items[place].clone();
        flipped.iter_mut().take(1).for_each(|byte| *byte ^= 1);
        others.push(flipped);
        others.push([items[place].as_slice(), &[0]].concat());
        for item in others {
            let mut items = items.clone();
            items[place] = item;
            let mut unlock = Vec::new();
            items.iter().for_each(|item| spec::script::push_data(&mut unlock, item));
            changed(&|case| case.tx.inputs[own].unlock.clone_from(&unlock));
        }
    }
    all
}

/// What came of the scripts.
#[derive(Default)]
struct Seen {
    whole: usize,
    stopped: BTreeMap<&'static str, usize>,
    accepted: usize,
    refused: usize,
    complaints: Vec<String>,
}

/// The strong check: the text is compiled, and the new script accepts and refuses what the old one does.
#[test]
fn a_decompiled_script_compiles_to_one_that_accepts_the_same() {
    let mut seen = Seen::default();
    let only = std::env::var("PROGRAM").ok();
    for path in programs().iter().filter(|path| only.as_deref().is_none_or(|only| only == name_of(path))) {
        let text = fs::read_to_string(path).unwrap();
        let compiled = compile_with(name_of(path), &text, &Options::default());
        let mut scripts: BTreeMap<Vec<u8>, Vec<Spend>> = BTreeMap::new();
        for spend in run_lines(&text, &compiled, RuleSet::Bitmodel).spends {
            let script = pushed(&spend.tx.inputs[spend.own[0]].unlock).pop().unwrap();
            scripts.entry(script).or_default().push(spend);
        }
        for (script, spends) in &scripts {
            seen.look(path, script, spends);
        }
    }
    let Seen { whole, stopped, accepted, refused, complaints } = seen;
    println!("{whole} whole, stopped {stopped:?}, {accepted} accepted, {refused} refused");
    assert!(complaints.is_empty(), "{}\n{} complaints", complaints.join("\n"), complaints.len());
    assert!(only.is_some() || (whole >= 45 && accepted > 2_000 && refused > 8_000), "{whole} {accepted} {refused}");
}

impl Seen {
    fn look(&mut self, path: &Path, script: &[u8], spends: &[Spend]) {
        let found = decompile(script, "Script");
        if !found.is_complete() || found.reads_own_code {
            let why = found.stops.first().map_or("it reads its own code", |stop| stop.why);
            *self.stopped.entry(why).or_default() += 1;
            return;
        }
        let compiled = compile_with("script", &found.text, &Options::default());
        if compiled.has_errors() {
            let mut told = Vec::new();
            compiled.render(&mut told, false).unwrap();
            let told = String::from_utf8(told).unwrap();
            let asm = spec::asm::disassemble(script);
            return self.complaints.push(format!("{}\n{asm}\n{}\n{told}", name_of(path), found.text));
        }
        self.whole += 1;
        let artifact = compiled.artifact(None).unwrap();
        for spend in spends {
            for (number, case) in cases(spend).iter().enumerate() {
                let (expected, got) = (accepts(case), accepts_with(case, &found, artifact));
                if expected {
                    self.accepted += 1
                } else {
                    self.refused += 1
                }
                if expected != got {
                    let (name, line) = (name_of(path), spend.line);
                    let asm = spec::asm::disassemble(script);
                    let text = &found.text;
                    self.complaints.push(format!(
                        "{name}:{line} change {number}: {expected} became {got}\n{asm}\n{text}\n{}",
                        artifact.asm
                    ));
                    return;
                }
            }
        }
    }
}

/// Some value for each parameter.
fn params(artifact: &Artifact) -> BTreeMap<String, AbiValue> {
    let value = |ty: &AbiType| match ty {
        AbiType::PubKey => AbiValue::Item([&[2][..], &[0x11; 32]].concat()),
        AbiType::Lock => AbiValue::Item(spec::script::p2pkh(&[7; 20])),
        AbiType::List(_) => AbiValue::Item(vec![9; 32]),
        ty if ty.fixed_len().is_some() => AbiValue::Item(vec![7; ty.fixed_len().unwrap()]),
        ty if ty.is_scalar() && ty.leaf_count() == 1 => AbiValue::Item(vec![100]),
        ty => AbiValue::Items(vec![vec![1]; ty.leaf_count()]),
    };
    artifact.params.iter().map(|slot| (slot.name.clone(), value(&slot.ty))).collect()
}

/// All scripts of the tree, the long ones of campaigns and offerings among them.
#[test]
fn what_is_said_whole_compiles() {
    let (mut whole, mut all, mut complaints) = (0, 0, Vec::new());
    let mut stopped: BTreeMap<&'static str, usize> = BTreeMap::new();
    for path in corpus() {
        let text = fs::read_to_string(&path).unwrap();
        for artifact in compile_with(name_of(&path), &text, &Options::default()).artifacts {
            let script = artifact.redeem_script(&params(&artifact)).unwrap();
            let found = decompile(&script, "Script");
            all += 1;
            if !found.is_complete() {
                *stopped.entry(found.stops.first().map_or("no way", |stop| stop.why)).or_default() += 1;
                continue;
            }
            whole += 1;
            let compiled = compile_with("script", &found.text, &Options { level: Level::O0, ..Options::default() });
            if compiled.has_errors() {
                let mut told = Vec::new();
                compiled.render(&mut told, false).unwrap();
                let told = String::from_utf8(told).unwrap();
                complaints.push(format!("{} {}\n{}\n{told}", name_of(&path), artifact.contract, found.text));
            }
        }
    }
    println!("{whole} of {all} whole, stopped {stopped:?}");
    assert!(complaints.is_empty(), "{}\n{} complaints", complaints.join("\n"), complaints.len());
    assert!(whole * 10 > all * 7, "{whole} of {all}");
}

#[test]
fn the_command_shows_the_text_and_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let lock = hex::encode(spec::script::p2pkh(&[7; 20]));
    let shown = bmc(folder.path(), &["decompile", &lock, "--name", "Mine"]).ok();
    assert!(shown.contains("contract Mine() {") && shown.contains("require pubkey.signed(sig);"), "{shown}");
    fs::write(folder.path().join("mine.bmc"), &shown).unwrap();
    bmc(folder.path(), &["check", "mine.bmc"]).ok();
    let json = bmc(folder.path(), &["decompile", "1 OP_CODESEPARATOR", "--json"]).ok();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["complete"], &json["stops"][0]["at"]), (&serde_json::json!(false), &serde_json::json!(1)));
    assert!(bmc(folder.path(), &["decompile", "OP_FOO"]).fails_with(2).contains("OP_FOO"));
    assert!(bmc(folder.path(), &["decompile", "51", "--name", "x"]).fails_with(2).contains("capital letter"));
    assert!(bmc(folder.path(), &["decompile", "6a"]).stderr.contains("nobody can spend"));
}

#[test]
fn all_that_is_allowed_is_a_lint_of_the_language() {
    let text = decompile(&[0x51], "Script").text;
    let lists = text.split("allow(").skip(1).filter_map(|rest| rest.split(')').next());
    let allowed: BTreeSet<&str> = lists.flat_map(|list| list.split(", ")).collect();
    let known: BTreeSet<&str> = analysis::hir::Lint::ALL.iter().map(|lint| lint.name()).collect();
    assert_eq!(allowed, known);
}
