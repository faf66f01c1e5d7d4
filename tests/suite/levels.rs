//! Every contract at every level: better code is proved to do what direct code does, and does it.

use std::fs;
use std::path::{Path, PathBuf};

use driver::Options;
use spec::artifact::{Level, Objective, code_bytes};
use spec::{Artifact, RuleSet};
use tests::{compile_with, run_lines};

use crate::bmc::root;
use crate::programs::{BOTH, name_of};

/// All sources that compile alone.
pub fn corpus() -> Vec<PathBuf> {
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

/// What a user of a package compiles: the examples, the library and the contracts of `tests/codegen`.
fn packaged() -> Vec<PathBuf> {
    let is_own = |path: &PathBuf| ["programs", "contracts"].iter().all(|name| !path.parent().unwrap().ends_with(name));
    corpus().into_iter().filter(is_own).collect()
}

/// The contracts of a source, but for the flows of models, which have one script whatever the build.
fn contracts(path: &Path, options: &Options) -> Vec<Artifact> {
    let compiled = compile_with(name_of(path), &fs::read_to_string(path).unwrap(), options);
    let list = |one: &Artifact| one.reward.as_ref().and_then(|reward| reward.list);
    let artifacts = compiled.artifacts.into_iter();
    artifacts.filter(|one| !list(one).is_some_and(|list| list.has_terms)).collect()
}

#[test]
fn no_level_is_longer_than_the_one_below() {
    let mut shorter = 0;
    for path in corpus() {
        let levels: &[Level] = if packaged().contains(&path) { &Level::ALL[..3] } else { &Level::ALL[..2] };
        let made: Vec<Vec<Artifact>> = levels
            .iter()
            .map(|level| {
                let options = Options { rules: RuleSet::Bch2026, level: *level, ..Options::default() };
                contracts(&path, &options)
            })
            .collect();
        for pair in made.windows(2) {
            for (below, above) in pair[0].iter().zip(&pair[1]) {
                let (most, least) = (code_bytes(&below.bytecode), code_bytes(&above.bytecode));
                let (name, contract) = (name_of(&path), &below.contract);
                let (level, lower) = (above.level, below.level);
                assert!(lower < level, "{name}: {contract} is proved at {lower} and {level}");
                assert!(least <= most, "{name}: {contract} has {least} bytes at {level} and {most} at {lower}");
                shorter += usize::from(level == Level::Os && least < most);
            }
        }
    }
    assert!(shorter > 15, "Os is shorter than O1 for {shorter} contracts alone");
}

/// The longest search is the same search each time.
#[test]
fn a_search_within_a_time_box_is_never_longer_and_always_the_same() {
    for name in ["vault", "last_will", "reward"] {
        let path = root().join("tests/codegen").join(format!("{name}.bmc"));
        let options = |level| Options { rules: RuleSet::Bch2026, level, seconds: 1, ..Options::default() };
        let [below, first, second] =
            [Level::Os, Level::Oz, Level::Oz].map(|level| contracts(&path, &options(level)).remove(0));
        assert_eq!((first.level, &first), (Level::Oz, &second), "{name}");
        assert!(code_bytes(&first.bytecode) <= code_bytes(&below.bytecode), "{name}");
    }
}

#[test]
fn each_objective_has_the_least_of_what_it_is_about() {
    let mut differ = 0;
    for path in packaged().into_iter().chain(rivals()) {
        let made = Objective::ALL
            .map(|objective| contracts(&path, &Options { rules: RuleSet::Bch2026, objective, ..Options::default() }));
        // A contract may hold others, which then are others too.
        let [[small], [cheap], [quick]] = made.each_ref().map(Vec::as_slice) else { continue };
        let name = name_of(&path);
        let objectives = [small, cheap, quick].map(|artifact| artifact.objective);
        assert_eq!(objectives, [Objective::Size, Objective::Fee, Objective::Cost], "{name}");
        let bytes = |artifact: &Artifact| {
            let pushed = artifact.paths.iter().map(|path| path.unlock.len()).sum::<usize>();
            artifact.paths.len() * code_bytes(&artifact.bytecode) + pushed
        };
        let is_paid = |artifact: &Artifact| artifact.paths.iter().all(|path| path.cost_bound < Some(80_000));
        if is_paid(small) && is_paid(cheap) {
            assert!(bytes(cheap) <= bytes(small), "{name}");
        }
        let cost = |artifact: &Artifact| artifact.paths.iter().map(|path| path.cost_bound).sum::<Option<u64>>();
        if let (Some(of_small), Some(of_quick)) = (cost(small), cost(quick)) {
            assert!(of_quick <= of_small, "{name} costs {of_quick} for the cost and {of_small} for the size");
            differ += usize::from(of_quick < of_small);
        }
    }
    assert!(differ > 5, "only {differ} contracts cost less");
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
