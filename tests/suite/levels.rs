//! Every contract at every level: better code is proved to do what direct code does, and does it.

use std::fs;
use std::path::PathBuf;

use driver::Options;
use spec::artifact::{Level, code_bytes};
use spec::{Artifact, RuleSet};
use tests::{compile_with, run_lines};

use crate::bmc::root;
use crate::programs::{BOTH, name_of};

/// All sources that compile alone.
fn corpus() -> Vec<PathBuf> {
    let in_folder = |folder: &str| {
        let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "bmc")).collect::<Vec<_>>()
    };
    let mut found: Vec<PathBuf> = ["tests/programs", "tests/contracts", "tests/codegen", "tests/imo", "stdlib"]
        .into_iter()
        .flat_map(in_folder)
        .collect();
    for example in fs::read_dir(root().join("examples")).unwrap() {
        let example = example.unwrap().path();
        found.extend(in_folder(&format!("examples/{}", example.file_name().unwrap().to_str().unwrap())));
    }
    found.sort();
    found
}

/// The contracts that others have written too.
fn rivals() -> Vec<PathBuf> {
    tests::RIVALS.iter().map(|rival| tests::rival_source(root(), rival.name)).collect()
}

#[test]
fn every_path_of_the_corpus_is_proved() {
    let (mut paths, mut complaints) = (0, Vec::new());
    for path in corpus().into_iter().chain(rivals()) {
        let name = name_of(&path);
        let text = fs::read_to_string(&path).unwrap();
        let compiled = compile_with(name, &text, &Options::default());
        for proof in &compiled.proofs {
            paths += proof.paths;
            complaints.extend(proof.unproved.as_ref().map(|why| format!("{name}: {}: {why:?}", proof.contract)));
            assert!(proof.is_proved() && proof.level == Level::O1);
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(paths > 250, "only {paths} paths");
}

#[test]
fn no_level_is_longer_than_the_one_below() {
    for path in corpus() {
        let name = name_of(&path);
        let text = fs::read_to_string(&path).unwrap();
        let bytes = |level| {
            let compiled = compile_with(name, &text, &Options { rules: RuleSet::Bch2026, level, ..Options::default() });
            // The flows of models have one script whatever the level.
            let list = |one: &Artifact| one.reward.as_ref().and_then(|reward| reward.list);
            let artifacts = compiled.artifacts.iter().filter(|one| !list(one).is_some_and(|list| list.has_terms));
            artifacts.map(|one| (one.contract.clone(), one.level, code_bytes(&one.bytecode))).collect::<Vec<_>>()
        };
        for ((contract, direct, most), (_, better, least)) in bytes(Level::O0).into_iter().zip(bytes(Level::O1)) {
            assert_eq!((direct, better), (Level::O0, Level::O1), "{name}: {contract}");
            assert!(least <= most, "{name}: {contract} has {least} bytes at O1 and {most} at O0");
        }
    }
}

#[test]
fn no_script_is_longer_with_hashes_of_constants_than_without() {
    let mut shorter = 0;
    for path in corpus().iter().chain(&rivals()) {
        let name = name_of(path);
        let text = fs::read_to_string(path).unwrap();
        let bytes = |whole_constants| {
            let options = Options { rules: RuleSet::Bch2026, whole_constants, ..Options::default() };
            let compiled = compile_with(name, &text, &options);
            compiled.artifacts.iter().map(|one| code_bytes(&one.bytecode)).collect::<Vec<_>>()
        };
        for (whole, hashed) in bytes(true).into_iter().zip(bytes(false)) {
            assert!(hashed <= whole, "{name} has {hashed} bytes with hashes and {whole} without");
            shorter += usize::from(hashed < whole);
        }
    }
    assert!(shorter > 0);
}

#[test]
fn hashing_is_given_up_where_the_budget_does_not_pay_for_it() {
    let asm = |outputs: u32| {
        let text = format!(
            "contract Many() {{ spend go() {{ allow(uncapped_fee);
                for i in 0..{outputs} {{ require tx.outputs[i].lock == lock(0x6a4c + bytes(45, 1) + \
                \"a text that is longer than a hash of the same\"), \"another text\"; }} }} }}"
        );
        let compiled = compile_with("many", &text, &Options { rules: RuleSet::Bch2026, ..Options::default() });
        assert!(!compiled.has_errors(), "{}", compiled.to_json());
        compiled.artifacts[0].asm.clone()
    };
    assert!(asm(20).contains("OP_SHA256"), "{}", asm(20));
    assert!(!asm(60).contains("OP_SHA256"), "{}", asm(60));
}

#[test]
fn direct_code_does_what_the_lines_say() {
    let (mut accepted, mut refused, mut complaints) = (0, 0, Vec::new());
    for path in corpus().iter().filter(|path| path.parent().is_some_and(|folder| folder.ends_with("programs"))) {
        let (name, text) = (name_of(path), fs::read_to_string(path).unwrap());
        // What a contract reads of its own code is the code of one level.
        if text.contains("self.code") {
            continue;
        }
        for rules in BOTH {
            let ran = run_lines(
                &text,
                &compile_with(name, &text, &Options { rules, level: Level::O0, ..Options::default() }),
                rules,
            );
            (accepted, refused) = (accepted + ran.accepted, refused + ran.refused);
            complaints.extend(ran.complaints.into_iter().map(|why| format!("{name}: {why}")));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(accepted > 300 && refused > 400, "{accepted} accepted, {refused} refused");
}
