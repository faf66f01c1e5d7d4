//! `bmc verify`: a script is known by its source, whatever fills its holes, and no other is.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use driver::Options;
use serde_json::Value;
use spec::artifact::{Level, Objective};
use spec::script::{instructions, p2sh32};
use spec::{Address, Network, RuleSet, hash};
use tests::{compile_with, run_lines};
use wallet::recover;

use crate::bmc::{bmc, root};
use crate::levels::corpus;
use crate::programs::name_of;

/// Every deployment that the programs' lines make is recognised, and its values give the same bytes; a script with
/// another bit is not, or its values give that script.
#[test]
fn deployments_are_recognised_and_nothing_else_is() {
    let (mut known, mut others) = (0, 0);
    for path in corpus() {
        let text = fs::read_to_string(&path).unwrap();
        let compiled = compile_with(name_of(&path), &text, &Options::default());
        let mut seen = std::collections::BTreeSet::new();
        for spend in run_lines(&text, &compiled, RuleSet::Bitmodel).spends {
            let artifact = compiled.artifact(Some(&spend.contract)).unwrap();
            let unlock = &spend.tx.inputs[spend.own[0]].unlock;
            let script = instructions(unlock).last().unwrap().unwrap().data.unwrap();
            if !seen.insert(script.to_vec()) {
                continue;
            }
            let recovered = recover(artifact, script).unwrap_or_else(|why| panic!("{}: {why}", spend.contract));
            let complete = recovered.unknown.is_empty();
            assert!(!complete || artifact.redeem_script(&recovered.params).unwrap() == script);
            known += 1;
            for at in 0..script.len() {
                let mut other = script.to_vec();
                other[at] ^= 1 << (at % 8);
                if let Ok(recovered) = recover(artifact, &other)
                    && recovered.unknown.is_empty()
                {
                    assert_eq!(artifact.redeem_script(&recovered.params).unwrap(), other, "{}", spend.contract);
                }
                others += 1;
            }
        }
    }
    assert!(known > 50 && others > 10_000, "{known} {others}");
}

const SOURCE: &str = "contract Safe(owner: PubKey, after: Height, least: Coin) {
    spend take(sig: Sig) {
        allow(shared_output, unsafe_destination);
        require tx.height >= after, \"too early\";
        require owner.signed(sig), \"the owner must sign\";
    }
    spend pay(sig: Sig) {
        require tx.outputs[0].value >= least, \"too little\";
        require tx.outputs[0].value < least + 7 coin, \"too much\";
        require self.index == 0;
        require owner.signed(sig), \"the owner must sign\";
    }
}
";

fn json(folder: &Path, args: &[&str]) -> (Option<i32>, Value) {
    let ran = bmc(folder, &[&["verify"], args, &["--json"]].concat());
    (ran.code, serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}{}", ran.stdout, ran.stderr)))
}

const PARAMS: [&str; 6] = ["--param", "owner=@alice", "--param", "after=height 925_000", "--param", "least=5_000 sats"];

#[test]
fn the_settings_and_the_values_are_found() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("safe.bmc"), SOURCE).unwrap();
    for (level, objective, rules) in [("O1", "size", "bitmodel"), ("O0", "size", "bch2026"), ("Os", "cost", "bitmodel")]
    {
        let target = ["--level", level, "--optimise", objective, "--target", rules];
        let build = [&["build", "safe.bmc", "--emit", "hex"][..], &target, &PARAMS].concat();
        let script = bmc(folder.path(), &build).ok();
        let (code, found) = json(folder.path(), &[script.trim(), "--file", "safe.bmc"]);
        assert_eq!((code, &found["matches"]), (Some(0), &Value::Bool(true)));
        let texts: BTreeMap<&str, &str> = found["params"]
            .as_array()
            .unwrap()
            .iter()
            .map(|param| (param["name"].as_str().unwrap(), param["text"].as_str().unwrap()))
            .collect();
        assert_eq!((texts["after"], texts["least"]), ("height 925_000", "5_000 sats"));
        assert!(texts["owner"].starts_with("0x0"), "{texts:?}");
        // Another build may give the same script; then that is what it says, and it builds the same.
        let again = ["level", "objective", "rules"].map(|name| found[name].as_str().unwrap().to_owned());
        let target = ["--level", &again[0], "--optimise", &again[1], "--target", &again[2]];
        let same = bmc(folder.path(), &[&["build", "safe.bmc", "--emit", "hex"][..], &target, &PARAMS].concat()).ok();
        assert_eq!(same, script);
        // As the hash of it, with the values given.
        let bytes = hex::decode(script.trim()).unwrap();
        let address = Address::of_lock(Network::Devnet, &p2sh32(&hash::sha256d(&bytes))).unwrap().to_string();
        let (code, found) = json(folder.path(), &[&[address.as_str(), "--file", "safe.bmc"][..], &PARAMS].concat());
        assert_eq!((code, found["script"].as_str()), (Some(0), Some(script.trim())));
        let wrong = [&PARAMS[..4], &["--param", "least=5_001 sats"]].concat();
        let (code, found) = json(folder.path(), &[&[address.as_str(), "--file", "safe.bmc"][..], &wrong].concat());
        assert_eq!((code, &found["matches"]), (Some(1), &Value::Bool(false)));
    }
    assert_eq!((Level::ALL.len(), Objective::ALL.len()), (4, 3));
}

#[test]
fn what_differs_is_shown_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("safe.bmc"), SOURCE).unwrap();
    let script = bmc(folder.path(), &[&["build", "safe.bmc", "--emit", "hex"][..], &PARAMS].concat()).ok();
    fs::write(folder.path().join("script.hex"), &script).unwrap();
    let shown = bmc(folder.path(), &["verify", "script.hex", "--file", "safe.bmc"]).ok();
    for line in ["match: Safe of safe.bmc", "after: Height = height 925_000", "least: Coin = 5_000 sats"] {
        assert!(shown.contains(line), "{shown}");
    }
    // The source with another limit: the instruction and the line are named.
    fs::write(folder.path().join("safe.bmc"), SOURCE.replace("7 coin", "8 coin")).unwrap();
    let shown = bmc(folder.path(), &["verify", "script.hex", "--file", "safe.bmc"]).fails_with(1);
    assert!(shown.contains("no match") && shown.contains("not `0x0008af2f`"), "{shown}");
    assert!(shown.contains("safe.bmc:9:") && shown.contains("8 coin"), "{shown}");
    let (code, found) = json(folder.path(), &["script.hex", "--file", "safe.bmc"]);
    assert_eq!((code, &found["matches"]), (Some(1), &Value::Bool(false)));
    assert!(found["closest"]["difference"]["instruction"].as_u64().is_some(), "{found}");
}

#[test]
fn artifacts_packages_and_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("safe")).unwrap();
    fs::write(folder.path().join("safe/safe.bmc"), SOURCE).unwrap();
    fs::write(
        folder.path().join("safe/bmc.toml"),
        "[package]\nname = \"safe\"\nversion = \"0.1.0\"\n\n[build]\nlevel = \"O0\"\n",
    )
    .unwrap();
    bmc(folder.path(), &["build", "safe"]).ok();
    let script = bmc(folder.path(), &[&["build", "safe", "--emit", "hex"][..], &PARAMS].concat()).ok();
    let script = script.trim();
    for by in [["--package", "safe"], ["--artifact", "artifacts/Safe.json"]] {
        let (code, found) = json(folder.path(), &[&[script][..], &by].concat());
        assert_eq!((code, &found["level"]), (Some(0), &Value::from("O0")), "{found}");
    }
    let (code, _) = json(folder.path(), &["51", "--artifact", "artifacts/Safe.json"]);
    assert_eq!(code, Some(1));
    for (args, word) in [
        (vec!["verify", script], "nothing to compare"),
        (vec!["verify", "5", "--package", "safe"], "odd number"),
        (vec!["verify", "zz", "--package", "safe"], "character 0"),
        (vec!["verify", script, "--package", "safe", "--contract", "Other"], "no contract `Other`"),
        (vec!["verify", script, "--artifact", "safe/bmc.toml"], "no artifact"),
    ] {
        let told = bmc(folder.path(), &args).fails_with(2);
        assert!(told.contains(word), "{told}");
    }
    let missing = bmc(root(), &["verify", "51", "--file", "none.bmc"]);
    assert_ne!(missing.code, Some(0));
}
