//! Budgets are exact: what a contract takes is within its budget, and one less is not.

use std::fs;
use std::path::Path;

use driver::{Code, Compiled, Options, Session};
use spec::artifact::AbiValue;
use spec::{Artifact, RuleSet};
use tests::compile_with;

use crate::bmc::root;

/// The contracts of the examples that are written out, each with its source.
fn written() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<_> =
        fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    for path in files.filter(|path| path.extension().is_some_and(|extension| extension == "bmc")) {
        let text = fs::read_to_string(&path).unwrap();
        if text.lines().any(|line| line.starts_with("contract ")) && !text.contains("\nuse ") {
            found.push((path.file_stem().unwrap().to_str().unwrap().to_owned(), text));
        }
    }
    found
}

/// The source without the budgets that it has, and with this one in the contract or in its path.
fn with_budget(text: &str, contract: &str, path: Option<&str>, budget: &str) -> String {
    let mut out = String::new();
    let (mut inside, mut placed) = (false, false);
    for line in text.lines().filter(|line| !line.trim_start().starts_with("budget")) {
        out.push_str(line);
        out.push('\n');
        inside |=
            line.starts_with(&format!("contract {contract}(")) || line.starts_with(&format!("contract {contract} "));
        let begins = match path {
            _ if placed || !inside => false,
            None => line.ends_with('{'),
            Some(path) => line.trim_start().starts_with(&format!("spend {path}(")) && line.ends_with('{'),
        };
        if begins {
            out.push_str(&format!("    budget({budget});\n"));
            placed = true;
        }
    }
    assert!(placed, "no place for a budget of {contract}");
    out
}

fn compile(text: &str, rules: RuleSet) -> Compiled {
    compile_with("budget", text, &Options { rules, ..Options::default() })
}

/// What a budget of `most` is told, in one line.
fn told(text: &str, (contract, path): (&str, Option<&str>), rules: RuleSet, key: &str, most: u64) -> Vec<String> {
    let unit = if key == "cost" { "" } else { " bytes" };
    let compiled = compile(&with_budget(text, contract, path, &format!("{key}: {most}{unit}")), rules);
    // An error takes nothing away: what is too large can be looked at.
    assert!(compiled.artifacts.iter().any(|artifact| artifact.contract == contract));
    let about = compiled.diagnostics.iter().filter(|found| found.code >= Code::E0505 && found.code <= Code::E0507);
    about.map(|found| format!("{} {}", found.code.name(), found.message)).collect()
}

#[test]
fn a_budget_of_exactly_what_is_taken_holds_and_one_less_does_not() {
    let mut checked = 0;
    for (name, text) in written() {
        for rules in [RuleSet::Bitmodel, RuleSet::Bch2026] {
            for artifact in &compile(&text, rules).artifacts {
                if !text.contains(&format!("\ncontract {}(", artifact.contract)) {
                    continue;
                }
                let contract = artifact.contract.as_str();
                let mut figures = vec![(None, "script", Some(artifact.usual_script_bytes() as u64))];
                for path in &artifact.paths {
                    let is_open = path.args.iter().any(|slot| slot.ty.is_open());
                    let input = (!is_open).then(|| artifact.usual_input_bytes(path) as u64);
                    figures.push((Some(path.name.as_str()), "input", input));
                    figures.push((Some(path.name.as_str()), "cost", path.cost_bound));
                }
                for (path, key, taken) in figures {
                    let at = (contract, path);
                    match taken {
                        Some(taken) => {
                            assert_eq!(told(&text, at, rules, key, taken), Vec::<String>::new(), "{name} {at:?} {key}");
                            let message = told(&text, at, rules, key, taken - 1).join("\n");
                            assert!(message.starts_with("E0505"), "{name} {at:?} {key} {taken}: {message}");
                            assert!(message.contains(", 1 more than its budget of "), "{message}");
                        }
                        None => {
                            let message = told(&text, at, rules, key, 1_000_000_000).join("\n");
                            assert!(message.starts_with("E0506"), "{name} {at:?} {key}: {message}");
                        }
                    }
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 60, "only {checked} figures");
}

#[test]
fn the_budget_of_a_path_counts_in_place_of_the_contracts() {
    let text = |inner: &str| {
        format!(
            "contract Two(a: PubKey, b: PubKey) {{
                 budget(input: 10 bytes);
                 spend one(sig: Sig) {{ {inner} require a.signed(sig); }}
                 spend two(sig: Sig) {{ budget(input: 500 bytes); require b.signed(sig); }}
             }}"
        )
    };
    let messages = |inner: &str| {
        let compiled = compile(&text(inner), RuleSet::Bitmodel);
        compiled.diagnostics.iter().map(|found| found.message.clone()).collect::<Vec<_>>()
    };
    let over = messages("");
    assert!(over.len() == 1 && over[0].starts_with("the input of path `one` takes "), "{over:?}");
    assert_eq!(messages("budget(input: 500 bytes);"), Vec::<String>::new());
}

fn errors(compiled: &Compiled) -> Vec<String> {
    compiled.diagnostics.iter().map(|found| format!("{} {}", found.code.name(), found.message)).collect()
}

#[test]
fn a_sealed_script_is_held_against_the_budget_again() {
    let text = "contract Note(text: Bytes, owner: PubKey) {
        budget(script: 90 bytes);
        spend show(sig: Sig) {
            require tx.outputs[0].lock == lock(text), \"the note\";
            require owner.signed(sig), \"the owner\";
        }
    }";
    let mut session = Session::default();
    session.set("note.bmc", text.into());
    let options = Options { whole_constants: true, ..Options::default() };
    assert_eq!(errors(&session.compile(&options)), Vec::<String>::new());
    let seal = |session: &mut Session, len: usize| {
        let values = [("text".to_owned(), AbiValue::Item(vec![0x61; len]))].into();
        session.seal("Note", values).unwrap();
        errors(&session.compile(&options))
    };
    assert_eq!(seal(&mut session, 4), Vec::<String>::new());
    let told = seal(&mut session, 200);
    assert!(told.len() == 1 && told[0].starts_with("E0505 the script of `Note` takes "), "{told:?}");
}

#[test]
fn every_contract_of_a_campaign_has_the_budget_of_its_declaration() {
    let text = fs::read_to_string(Path::new(root()).join("tests/types/imi_ok.bmc")).unwrap();
    let first = text.split("\n\n").next().unwrap().to_owned() + "\n";
    let largest = |compiled: &Compiled| compiled.artifacts.iter().map(Artifact::usual_script_bytes).max().unwrap();
    let plain = compile(&first, RuleSet::Bitmodel);
    let limited = |most: usize| {
        let text = first.replace("    goal:", &format!("    budget: {{ script: {most} bytes }},\n    goal:"));
        errors(&compile(&text, RuleSet::Bitmodel))
    };
    assert_eq!(limited(largest(&plain)), Vec::<String>::new());
    assert_eq!(limited(largest(&plain) - 1).len(), 1);
    assert_eq!(limited(1).len(), plain.artifacts.len());
}

#[test]
fn a_message_marks_what_costs_most() {
    let text = "contract Two(a: PubKey, h: Hash256) {
                    spend one(sig: Sig, text: Bytes<32>) {
                        budget(cost: 10);
                        require sha256(text) == h, \"the text\";
                        require a.signed(sig), \"the owner\";
                        if self.value > 1_000 sats { require self.index == 0, \"the first\"; }
                    }
                }";
    let compiled = compile(text, RuleSet::Bitmodel);
    let [found] = compiled.diagnostics.as_slice() else { panic!("{:?}", errors(&compiled)) };
    let mut marked = Vec::new();
    for label in found.labels.iter().filter(|label| label.text.ends_with(" of it")) {
        let at = compiled.places.resolve(&label.loc).unwrap();
        let cost: u64 = label.text.trim_end_matches(" of it").replace('_', "").parse().unwrap();
        marked.push((at.line, cost));
    }
    let lines: Vec<usize> = marked.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines[..2], [5, 4], "{marked:?}");
    // A signature costs 26_000 and the hashing of what it signs, a hash of 32 bytes some hundreds and the instructions.
    assert!(marked[0].1 > 26_000 && marked[1].1 > 192 && marked[1].1 < 5_000, "{marked:?}");
    let all = compiled.artifacts[0].paths[0].cost_bound.unwrap();
    assert!(marked.iter().map(|(_, cost)| cost).sum::<u64>() < all, "{marked:?} of {all}");
}
