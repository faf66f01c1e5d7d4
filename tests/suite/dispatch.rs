//! Paths have one unlocking bytecode for each choice of arguments: nobody can add an item to it, take one away or replace
//! a selector, and still spend the coin.
//!
//! Every accepted transaction of the programs and of the corpus of sizes is changed in all these ways; signatures do not
//! cover unlocking bytecode, so that nothing but the script stands in the way.

use std::fs;
use std::path::{Path, PathBuf};

use driver::Options;
use spec::artifact::UnlockItem;
use spec::script::{instructions, push_int};
use spec::{Mode, RuleSet, Rules, SpendContext};
use tests::{Independent, Ran, Spend, run_lines, run_sealed};
use wallet::Accounts;

use crate::bmc::root;
use crate::contracts::compile;
use crate::programs::{BOTH, name_of};

fn sources(folder: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(root().join(folder)).unwrap().map(|file| file.unwrap().path());
    let mut paths: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|ext| ext == "bmc")).collect();
    paths.sort();
    paths
}

/// The pushes of an unlocking bytecode, as bytes.
fn pushes(unlock: &[u8]) -> Vec<Vec<u8>> {
    let steps = instructions(unlock).map(|step| step.unwrap());
    steps.map(|step| unlock[step.at..step.end].to_vec()).collect()
}

/// Other unlocking bytecode than the path's, with what was done to it. `selectors` are the places of numbers that the
/// compiler fixed, and `taken` those that belong to other paths.
fn changed(unlock: &[u8], selectors: &[usize], taken: &[i64]) -> Vec<(String, Vec<u8>)> {
    let pushes = pushes(unlock);
    let (redeem, items) = pushes.split_last().unwrap();
    let mut found = Vec::new();
    let mut add = |what: String, items: Vec<Vec<u8>>| {
        if items[..] != pushes[..pushes.len() - 1] {
            found.push((what, items.concat().into_iter().chain(redeem.iter().copied()).collect()));
        }
    };
    for item in [vec![0x00], vec![0x51], vec![0x52]] {
        add(format!("{item:02x?} beneath"), [vec![item.clone()], items.to_vec()].concat());
        add(format!("{item:02x?} on top"), [items.to_vec(), vec![item]].concat());
    }
    if !items.is_empty() {
        add("nothing at the bottom".into(), items[1..].to_vec());
        add("nothing on top".into(), items[..items.len() - 1].to_vec());
        add("the top twice".into(), [items.to_vec(), vec![items[items.len() - 1].clone()]].concat());
        add("the bottom twice".into(), [vec![items[0].clone()], items.to_vec()].concat());
    }
    for at in selectors {
        let numbers = (-2..=9).chain([127, 128, 255, 256, 65_536, i64::MAX]).filter(|n| !taken.contains(n));
        let mut others: Vec<(String, Vec<u8>)> = numbers
            .map(|n| {
                let mut push = Vec::new();
                push_int(&mut push, n);
                (format!("selector {n}"), push)
            })
            .collect();
        // Numbers that are written too long, zero with a sign, and other things that are true.
        for data in [&[0x00][..], &[0x80], &[0x01, 0x00], &[0x00, 0x00], &[0x02, 0x00], &[0x01; 8], &[0x01; 33]] {
            others.push((format!("selector {data:02x?}"), [&[data.len() as u8][..], data].concat()));
        }
        for (what, push) in others {
            let mut items = items.to_vec();
            items[*at] = push;
            add(what, items);
        }
    }
    found
}

/// The accepted transactions of a source, each with what its unlocking bytecode may not become.
struct Attack {
    what: String,
    spend: Spend,
    unlock: Vec<u8>,
    input: usize,
}

fn attacks(name: &str, text: &str, rules: RuleSet) -> Vec<Attack> {
    let compiled = compile(name, text, rules);
    let builds: [(&str, Ran); 2] = [
        ("template", run_lines(text, &compiled, rules)),
        ("sealed", run_sealed(text, &compiled, &Options { rules, ..Options::default() })),
    ];
    let mut found = Vec::new();
    for (build, ran) in builds {
        for spend in ran.spends.into_iter().filter(|spend| spend.verdict.is_ok()) {
            let artifact = compiled.artifact(Some(&spend.contract)).unwrap();
            let path = artifact.path(&spend.path).unwrap();
            // Sealing may find another way to tell paths apart.
            let fixed = |item: &UnlockItem| matches!(item, UnlockItem::Int(_));
            let from_top = path.unlock.iter().rev().take_while(|item| fixed(item)).count();
            let count = path.unlock.iter().filter(|item| fixed(item)).count();
            let input = spend.own[0];
            let unlock = spend.tx.inputs[input].unlock.clone();
            let items = pushes(&unlock).len() - 1;
            let selectors: Vec<usize> =
                if build == "template" && from_top == count { (items - count..items).collect() } else { Vec::new() };
            let taken: Vec<i64> = artifact.paths.iter().flat_map(|path| &path.unlock).filter_map(int).collect();
            for (what, unlock) in changed(&unlock, &selectors, &taken) {
                let what = format!("{name}, {build}, line {}: {what}", spend.line);
                found.push(Attack { what, spend: spend.clone(), unlock, input });
            }
        }
    }
    found
}

fn int(item: &UnlockItem) -> Option<i64> {
    match item {
        UnlockItem::Int(n) => Some(*n),
        UnlockItem::Arg(_) | UnlockItem::Leaf(..) => None,
    }
}

impl Attack {
    /// Whether our machine accepts the changed transaction.
    fn succeeds(&self, rules: RuleSet) -> bool {
        let mut tx = self.spend.tx.clone();
        tx.inputs[self.input].unlock.clone_from(&self.unlock);
        let context = SpendContext::new(&tx, &self.spend.coins).unwrap();
        vm::verify_input(&Rules::new(rules, Mode::Consensus), &context, self.input).is_ok()
    }
}

#[test]
fn no_item_can_be_added_taken_away_or_replaced() {
    let (mut tried, mut wrong) = (0, Vec::new());
    for path in sources("tests/programs").iter().chain(&sources("tests/codegen/rival")) {
        let text = fs::read_to_string(path).unwrap();
        for rules in BOTH {
            for attack in attacks(name_of(path), &text, rules) {
                tried += 1;
                if attack.succeeds(rules) {
                    wrong.push(attack.what);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 10_000, "only {tried}");
}

#[test]
fn another_machine_refuses_changed_pushes_too() {
    let Some(machine) = Independent::install(Path::new(env!("CARGO_TARGET_TMPDIR"))) else { return };
    let accounts = Accounts::devnet();
    let mut entries = Vec::new();
    for path in sources("tests/codegen/rival") {
        let text = fs::read_to_string(&path).unwrap();
        for (at, attack) in attacks(name_of(&path), &text, RuleSet::Bch2026).iter().enumerate() {
            let mut tx = attack.spend.signed(&accounts);
            tx.inputs[attack.input].unlock.clone_from(&attack.unlock);
            entries.push(Independent::entry(&format!("{}-{at}", name_of(&path)), &tx, &attack.spend.coins));
        }
    }
    let verdicts = machine.verdicts(&entries);
    assert_eq!(verdicts.len(), entries.len());
    let accepted: Vec<&String> = verdicts.iter().filter(|verdict| !verdict.contains(" refused: ")).collect();
    assert!(accepted.is_empty(), "{accepted:?}");
}
