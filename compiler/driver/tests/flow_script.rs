//! The script of a model's flow is the same for all models, whatever is asked of the compiler.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use std::fmt::Write as _;

use driver::{Options, Session};
use spec::artifact::{Artifact, Level};
use spec::model::{SCRIPT_HEAD, SCRIPT_TAIL, flow_script};
use spec::{RuleSet, artifact};

const SOURCE: &str = "
reward Few { all: 100%, minimum: 10_000 sats, fee: up to 1_000 sats }
reward Team { a: 1/3, b: 2/3 { c: 1/4, d: 3/4 }, dust: a, minimum: 70_000 sats, fee: up to 9_000 sats }
reward Crowd { crowd: list, minimum: 1_000_000 sats, fee: up to 1 sats }
model Old { weights: WEIGHTS, reward: Few, license: \"mit\" }
model New { weights: WEIGHTS, builds_on: { Old: 1/7, WEIGHTS: 30% }, reward: Team, license: \"mit\", fee: up to 100_000 sats, minimum: 200_000 sats }
model Big { weights: WEIGHTS, builds_on: { New: 99% }, reward: Crowd, license: \"mit\", minimum: 9 coin }
";

/// The bytes of a flow's script around its hole, as the source of `spec` writes them.
fn constants(artifact: &Artifact) -> String {
    let mut out = String::new();
    let script = artifact.redeem_script(&[("recipients".to_owned(), hash([0xab; 32]))].into()).unwrap();
    let at = script.windows(32).position(|window| window == [0xab; 32]).unwrap();
    for (name, bytes) in [("HEAD", &script[..at]), ("TAIL", &script[at + 32..])] {
        let words: Vec<String> = bytes.iter().map(|byte| format!("0x{byte:02x}")).collect();
        let _ = writeln!(out, "pub const SCRIPT_{name}: [u8; {}] = [{}];", bytes.len(), words.join(", "));
    }
    out
}

fn hash(hash: [u8; 32]) -> artifact::AbiValue {
    artifact::AbiValue::Item(hash.to_vec())
}

#[test]
fn the_compiler_makes_the_script_that_registries_know() {
    let source = SOURCE.replace("WEIGHTS", &format!("0x{}", "17".repeat(32)));
    let mut session = Session::default();
    session.set("models.bmc", source.into());
    for rules in [RuleSet::Bch2026, RuleSet::Bitmodel] {
        for level in Level::ALL {
            for whole_constants in [false, true] {
                // The registry takes long at the levels that search.
                if level > Level::O1 && (rules == RuleSet::Bitmodel || whole_constants) {
                    continue;
                }
                let options = Options { rules, level, whole_constants, seconds: 0, ..Options::default() };
                let compiled = session.compile(&options);
                assert!(!compiled.has_errors(), "{}", compiled.to_json());
                for name in ["Old", "New", "Big"] {
                    let flow = compiled.artifacts.iter().find(|artifact| artifact.contract == name).unwrap();
                    for list in [[0; 32], [7; 32]] {
                        let script = flow.redeem_script(&[("recipients".to_owned(), hash(list))].into()).unwrap();
                        assert!(
                            script == flow_script(&list),
                            "the flow of `{name}` has another script than `spec/src/model.rs` says. A registry knows \
                             the old one alone: records of the new one are of another form (docs/adr). The new constants:\n{}",
                            constants(flow)
                        );
                    }
                }
            }
        }
    }
    assert_eq!(flow_script(&[7; 32]).len(), SCRIPT_HEAD.len() + 32 + SCRIPT_TAIL.len());
}

#[test]
fn a_list_that_is_built_in_changes_nothing() {
    let source = SOURCE.replace("WEIGHTS", &format!("0x{}", "17".repeat(32)));
    let mut session = Session::default();
    session.set("models.bmc", source.into());
    session.seal("New", [("recipients".to_owned(), hash([9; 32]))].into()).unwrap();
    let compiled = session.compile(&Options::default());
    let flow = compiled.artifacts.iter().find(|artifact| artifact.contract == "New").unwrap();
    assert_eq!(flow.redeem_script(&[].into()).unwrap(), flow_script(&[9; 32]));
}
