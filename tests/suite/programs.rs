//! Programs of every form of the language, each with the transactions that it accepts and refuses.
//!
//! The lines that say so are those of [`tests::run_lines`].

use std::fs;
use std::path::PathBuf;

use driver::Options;
use spec::RuleSet;
use tests::{run_lines, run_sealed};

use crate::bmc::root;
use crate::contracts::compile;
use crate::machine;

pub(crate) const BOTH: [RuleSet; 2] = [RuleSet::Bch2026, RuleSet::Bitmodel];

fn programs() -> Vec<PathBuf> {
    let files = fs::read_dir(root().join("tests/programs")).unwrap();
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths
}

pub(crate) fn name_of(path: &std::path::Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

#[test]
fn every_program_does_what_its_lines_say() {
    let only = std::env::var("PROGRAM").ok();
    let mut wrong = String::new();
    let programs = programs();
    assert!(programs.len() >= 25, "{}", programs.len());
    for path in programs.iter().filter(|path| only.as_deref().is_none_or(|only| only == name_of(path))) {
        let text = fs::read_to_string(path).unwrap();
        for complaint in check(name_of(path), &text) {
            wrong += &format!("{}: {complaint}\n", name_of(path));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_expanded_source_gives_the_same_script() {
    for path in programs() {
        let (name, text) = (name_of(&path), fs::read_to_string(&path).unwrap());
        let once = compile(name, &text, RuleSet::Bitmodel);
        let again = compile(name, once.expand(), RuleSet::Bitmodel);
        assert_eq!(again.expand(), once.expand(), "{name}");
        for artifact in &once.artifacts {
            let other = again.artifact(Some(&artifact.contract)).unwrap_or_else(|| panic!("{}", again.to_json()));
            assert_eq!(other.bytecode, artifact.bytecode, "{name}: `expand` changes {}", artifact.contract);
        }
    }
}

/// What is wrong with a program.
fn check(name: &str, text: &str) -> Vec<String> {
    let builds = BOTH.map(|rules| (rules, compile(name, text, rules)));
    if let Some((_, broken)) = builds.iter().find(|(_, compiled)| !compiled.diagnostics.is_empty()) {
        let mut shown = Vec::new();
        broken.render(&mut shown, false).unwrap();
        return vec![String::from_utf8(shown).unwrap()];
    }
    let mut complaints = Vec::new();
    for (rules, compiled) in &builds {
        let ran = run_lines(text, compiled, *rules);
        if *rules == RuleSet::Bch2026 {
            machine::agrees_with(&ran);
        }
        if ran.complaints.is_empty() && (ran.accepted < 1 || ran.refused < 2) {
            complaints.push("one transaction that is accepted and two that are refused are the least".to_owned());
        }
        complaints.extend(ran.complaints);
        // With its values built in, a contract accepts and refuses the same, unless it looks at its own code.
        if text.contains("self.code") {
            continue;
        }
        let sealed = run_sealed(text, compiled, &Options { rules: *rules, ..Options::default() });
        complaints.extend(sealed.complaints.into_iter().map(|complaint| format!("sealed, {complaint}")));
    }
    complaints
}

#[test]
fn only_a_right_side_that_may_fail_stands_in_a_branch() {
    for (condition, branches) in [
        ("n > 3 || sha256(x)[..4] == y", false),
        ("n > 3 || y[..2] == y[2..]", false),
        ("n > 3 || tx.outputs[0].value > 5 sats", false),
        ("n > 3 || self.value / 2 > 5 sats", false),
        ("n > 3 || tx.inputs[self.index].token.amount > 5", false),
        ("n > 3 || bytes(tx.locktime, 8) != 0x0000000000000000", false),
        ("n > 3 || key.signed(sig)", false),
        ("tx.outputs[1].lock == self.lock && tx.outputs[1].value > 700 sats", false),
        ("n > 3 || x[..4] == y", true),
        ("n > 3 || tx.outputs[1].value > 5 sats", true),
        ("n > 3 || tx.inputs[1].value > 5 sats", true),
        ("n > 3 || m / n > 2", true),
        ("n > 3 || bytes(n, 2) == 0x0102", true),
        ("n > 3 || tx.outputs[n].value > 5 sats", true),
        ("n > 3 || checked(m)", true),
        ("n > 3 || doubled(m) > 7", false),
    ] {
        let text = format!(
            "fn checked(m: Int) -> Bool {{ require m > 1; m > 2 }}\nfn doubled(m: Int) -> Int {{ max(m, 2) * 2 }}\n\
             contract C(key: PubKey) {{\n    allow(shared_output, unchecked_capability, unlocked_lock_time, one_signature, trust_argument, unread_argument, number_range);\n    \
             spend f(n: Int, m: Int, x: Bytes, y: Bytes<4>, sig: Sig, other: Sig) {{\n        require key.signed(other);\n        \
             require {condition};\n    }}\n}}\n"
        );
        let compiled = compile("c", &text, RuleSet::Bitmodel);
        let artifact = compiled.artifact(Some("C")).unwrap_or_else(|| panic!("{}", compiled.to_json()));
        assert_eq!(artifact.asm.contains("OP_ENDIF"), branches, "{condition}: {}", artifact.asm);
    }
}
