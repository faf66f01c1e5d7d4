//! What the compiler refuses is what goes wrong on the machine, and what it accepts beside it goes right.
//!
//! Each file of `tests/boundaries` is named after a lint and has two sources. The first gets the lint's message and no
//! other; once `allow` silences it, its lines show the harm. The second gets no message, and its lines show that the
//! harm is gone. The lines are those of [`tests::run_lines`].

use std::collections::BTreeSet;
use std::fs;

use analysis::hir::Lint;
use driver::Compiled;
use spec::RuleSet;
use tests::{run_lines, with_categories};

use crate::bmc::root;
use crate::contracts::compile;
use crate::machine;
use crate::programs::{BOTH, name_of};

const CUT: &str = "\n//---- as it should be\n";

fn shown(compiled: &Compiled) -> String {
    let mut out = Vec::new();
    compiled.render(&mut out, false).unwrap();
    String::from_utf8(out).unwrap()
}

/// The source with the lint allowed in each of its contracts.
fn allowed(source: &str, lint: Lint) -> String {
    let line = |line: &str| match line.starts_with("contract ") {
        true => format!("{line} allow({lint});\n"),
        false => format!("{line}\n"),
    };
    source.lines().map(line).collect()
}

/// What is wrong with the file of a lint.
fn check(lint: Lint, text: &str) -> Vec<String> {
    let Some((beyond, at)) = text.split_once(CUT) else { return vec!["the file has no second half".into()] };
    let mut complaints = Vec::new();
    for rules in BOTH {
        let refused = compile("beyond", beyond, rules);
        let codes: BTreeSet<_> = refused.diagnostics.iter().map(|found| found.code).collect();
        if codes != BTreeSet::from([lint.code()]) {
            complaints.push(format!("{:?} instead of {}\n{}", codes, lint.code(), shown(&refused)));
        }
        for (half, source) in [("beyond", allowed(beyond, lint)), ("at", at.to_owned())] {
            let compiled = compile(half, &source, rules);
            if !compiled.diagnostics.is_empty() {
                complaints.push(format!("{half}: {}", shown(&compiled)));
                continue;
            }
            let ran = run_lines(&source, &compiled, rules);
            if rules == RuleSet::Bch2026 {
                machine::agrees_with(&ran);
            }
            if ran.accepted + ran.refused == 0 || half == "at" && ran.accepted == 0 {
                complaints.push(format!("{half}: no transaction shows it"));
            }
            complaints.extend(ran.complaints.into_iter().map(|why| format!("{half}: {why}")));
        }
    }
    complaints
}

#[test]
fn every_lint_stands_where_the_harm_begins() {
    let mut wrong = String::new();
    for lint in Lint::ALL {
        let path = root().join("tests/boundaries").join(format!("{lint}.bmc"));
        match fs::read_to_string(path) {
            Ok(text) => {
                for complaint in check(*lint, &with_categories(&text)) {
                    wrong += &format!("{lint}: {complaint}\n");
                }
            }
            Err(_) => wrong += &format!("{lint}: there is no tests/boundaries/{lint}.bmc\n"),
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_file_belongs_to_a_lint() {
    for entry in fs::read_dir(root().join("tests/boundaries")).unwrap() {
        let path = entry.unwrap().path();
        assert!(Lint::from_name(name_of(&path)).is_some(), "{}", path.display());
    }
}
