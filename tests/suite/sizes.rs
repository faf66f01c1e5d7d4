//! `bmc size`: every byte belongs to a line, the picture and the table say the same, and growth is found.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::bmc::{bmc, root};
use crate::rival::snapshot;

/// The contracts of a source as `bmc size --json` tells them.
fn sizes(folder: &Path, args: &[&str]) -> Vec<Value> {
    // Direct code may be more than its budget; it has a size all the same.
    let ran = bmc(folder, &[&["--json", "size"], args].concat());
    serde_json::from_str(&ran.stdout).unwrap_or_else(|why| panic!("{why}: {}", ran.stderr))
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn example_folders() -> Vec<String> {
    let entries = fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<String> =
        entries.map(|entry| format!("examples/{}", entry.file_name().to_str().unwrap())).collect();
    names.sort();
    names
}

#[test]
fn the_bytes_of_all_lines_are_those_of_the_script() {
    let (mut contracts, mut shared, mut apart) = (0, 0, 0);
    for folder in example_folders() {
        for level in ["O0", "O1"] {
            for sizes in sizes(root(), &[&folder, "--level", level]) {
                let lines = sizes["lines"].as_array().unwrap();
                let sum: u64 = lines.iter().map(|line| number(&line["bytes"])).sum();
                assert_eq!(sum, number(&sizes["script"]), "{folder} {}", sizes["contract"]);
                for line in lines {
                    let paths = line["paths"].as_array().unwrap().len();
                    assert!(paths > 0, "{folder}: no path runs {line}");
                    (shared, apart) = (shared + usize::from(paths > 1), apart + usize::from(paths == 1));
                    assert!(
                        number(&line["line"]) > 0 && !line["text"].as_str().unwrap().is_empty(),
                        "{folder}: {line}"
                    );
                }
                for path in sizes["paths"].as_array().unwrap() {
                    assert!(number(&path["input"]) > number(&sizes["script"]), "{folder}: {path}");
                }
                contracts += 1;
            }
        }
    }
    assert!(contracts > 50 && shared > 60 && apart > 100, "{contracts} {shared} {apart}");
}

/// No path costs less than its own lines together, and a line that checks a signature costs at least that.
#[test]
fn each_line_costs_its_part_of_the_path() {
    const SIGNATURE: u64 = 26_000;
    let mut paths = 0;
    for folder in example_folders() {
        for sizes in sizes(root(), &[&folder, "--level", "O1"]) {
            let lines = sizes["lines"].as_array().unwrap();
            for path in sizes["paths"].as_array().unwrap().iter().filter(|path| path["cost"].is_u64()) {
                let only = |line: &&Value| *line["paths"].as_array().unwrap() == [path["path"].clone()];
                let own: u64 = lines.iter().filter(only).map(|line| number(&line["cost"])).sum();
                assert!(own <= number(&path["cost"]), "{folder} {} {path}: {own}", sizes["contract"]);
                paths += 1;
            }
        }
    }
    let vault = sizes(root(), &["examples/vault", "--level", "O1"]).remove(0);
    let hot = |line: &&Value| line["text"].as_str().unwrap().contains("hot.signed(sig)");
    let hot: u64 = vault["lines"].as_array().unwrap().iter().filter(hot).map(|line| number(&line["cost"])).sum();
    assert!(hot >= SIGNATURE && paths > 20, "{hot} {paths}");
}

/// Where the fee is to be small, the script of a swap is its lock.
#[test]
fn inputs_do_not_show_a_script_that_stands_in_outputs() {
    let [hashed, whole] = ["size", "fee"]
        .map(|objective| sizes(root(), &["examples/htlc", "--target", "bch2026", "--optimise", objective]).remove(0));
    let script = number(&hashed["script"]);
    assert_eq!(script, number(&whole["script"]));
    let paths = |sizes: &Value| sizes["paths"].as_array().unwrap().clone();
    assert_eq!(paths(&hashed).len(), 2);
    for (hashed, whole) in paths(&hashed).iter().zip(&paths(&whole)) {
        // A push of more than 75 bytes takes two more.
        assert_eq!(number(&whole["input"]) + script + 2, number(&hashed["input"]));
        assert_eq!(number(&whole["limit"]) + 800 * (script + 2), number(&hashed["limit"]));
    }
}

#[test]
fn paths_that_are_all_one_run_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| format!("    spend {name}(sig: Sig) {{ require k.signed(sig); }}\n");
    let text = format!("contract C(k: PubKey) {{\n{}{}}}\n", path("mine"), path("same"));
    fs::write(folder.path().join("c.bmc"), text).unwrap();
    let sizes = sizes(folder.path(), &["c.bmc", "--level", "O1"]).remove(0);
    for line in sizes["lines"].as_array().unwrap() {
        assert_eq!(line["paths"], serde_json::json!(["mine", "same"]), "{line}");
    }
    assert_ne!(number(&sizes["lines"][0]["cost"]), 0);
}

#[test]
fn a_path_runs_the_lines_of_its_own_body() {
    // Direct code has each path by itself, so a line between `spend x` and the next belongs to `x`.
    for level in ["O0", "O1"] {
        let vault = sizes(root(), &["examples/vault", "--level", level, "--contract", "Vault"]).remove(0);
        let text = fs::read_to_string(root().join("examples/vault/vault.bmc")).unwrap();
        let mut owner = BTreeMap::new();
        let mut path = None;
        for (number, line) in (1u64..).zip(text.lines()) {
            let line = line.trim_start();
            let begins = ["spend ", "fn ", "plan "].iter().find_map(|word| line.strip_prefix(word));
            if let Some(name) = begins {
                path = line.starts_with("spend ").then(|| name.split('(').next().unwrap().to_owned());
            }
            if let (Some(path), true) = (&path, line.starts_with("require ")) {
                owner.insert(number, path.clone());
            }
        }
        let mut seen = 0;
        for line in vault["lines"].as_array().unwrap() {
            let Some(path) = owner.get(&number(&line["line"])) else { continue };
            assert!(line["paths"].as_array().unwrap().iter().any(|name| name == path), "{level} {path}: {line}");
            seen += 1;
        }
        assert!(seen > 3, "{seen} lines");
    }
}

#[test]
fn the_table_of_a_contract_says_what_it_takes() {
    // Direct code stays as it is, whatever the optimiser learns.
    let out = bmc(root(), &["size", "examples/escrow", "--level", "O0"]).ok();
    snapshot("tests/sizes", "escrow", &out);
}

#[test]
fn values_of_parameters_count_with_their_own_length() {
    let args = ["examples/htlc", "--param", "sender=@alice", "--param", "recipient=@bob"];
    let digest = format!("digest=0x{}", "11".repeat(32));
    let usual = number(&sizes(root(), &["examples/htlc"])[0]["script"]);
    for (expiry, more) in [("expiry=height 1", -3i64), ("expiry=height 900_000", 0)] {
        let given = sizes(root(), &[&args[..], &["--param", &digest, "--param", expiry]].concat()).remove(0);
        assert_eq!(number(&given["script"]) as i64, usual as i64 + more, "{expiry}");
        let sum: u64 = given["lines"].as_array().unwrap().iter().map(|line| number(&line["bytes"])).sum();
        assert_eq!(sum, number(&given["script"]));
    }
}

#[test]
fn the_picture_has_every_line_and_both_schemes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("escrow.svg");
    bmc(root(), &["size", "examples/escrow", "--level", "O0", "--svg", file.to_str().unwrap()]).ok();
    let svg = fs::read_to_string(&file).unwrap();
    for line in sizes(root(), &["examples/escrow", "--level", "O0"])[0]["lines"].as_array().unwrap() {
        let title = format!("<title>{}:{} · {} bytes", line["file"].as_str().unwrap(), line["line"], line["bytes"]);
        assert!(svg.contains(&title), "{title} is missing");
    }
    assert_eq!(svg.matches("<rect class").count(), svg.matches("<title>").count() + 1);
    assert!(svg.contains("prefers-color-scheme: dark"));
    snapshot("tests/sizes", "escrow_svg", &svg);
}

const SOURCE: &str = "contract Safe(owner: PubKey, heir: PubKey) {
    spend take(sig: Sig) {
        require owner.signed(sig), \"the owner\";
    }
    spend inherit(sig: Sig) {
        require self.age >= 1_000 blocks, \"too early\";
        require heir.signed(sig), \"the heir\";
    }
}
";

#[test]
fn growth_is_found_told_and_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let write = |text: &str| fs::write(here.join("safe.bmc"), text).unwrap();
    write(SOURCE);
    let missing = bmc(here, &["size", "--check", "sizes.json"]).fails_with(1);
    assert!(missing.contains("bmc size --snapshot sizes.json"), "{missing}");
    bmc(here, &["size", "--snapshot", "sizes.json"]).ok();
    assert!(bmc(here, &["size", "--check", "sizes.json"]).ok().contains("unchanged"));
    // What only moves is no change.
    write(&format!("// A comment.\n\n{SOURCE}"));
    assert!(bmc(here, &["size", "--check", "sizes.json"]).ok().contains("unchanged"));

    write(&SOURCE.replace(
        "        require heir",
        "        require self.index == 0, \"the first input\";\n        require heir",
    ));
    let told = bmc(here, &["size", "--check", "sizes.json"]).fails_with(1);
    for words in [
        "Safe: script ",
        "Safe.take: input ",
        "Safe.inherit: cost ",
        "require self.index == 0, \"the first input\"; new, ",
    ] {
        assert!(told.contains(words), "`{words}` is missing:\n{told}");
    }
    assert!(told.contains("sizes have grown") && told.contains("help: to accept the new sizes"), "{told}");
    assert!(bmc(here, &["size", "--diff", "sizes.json"]).fails_with(1).contains("sizes have grown"));

    write(&SOURCE.replace("        require self.age >= 1_000 blocks, \"too early\";\n", ""));
    let told = bmc(here, &["size", "--check", "sizes.json"]).ok();
    assert!(told.contains("require self.age >= 1_000 blocks, \"too early\"; gone"), "{told}");

    fs::write(here.join("sizes.json"), "{}").unwrap();
    assert!(bmc(here, &["size", "--check", "sizes.json"]).fails_with(1).contains("`sizes.json`"));
}

#[test]
fn what_is_over_its_budget_has_a_size_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let text = SOURCE.replace("    spend take", "    budget(script: 10 bytes);\n    spend take");
    fs::write(folder.path().join("safe.bmc"), text).unwrap();
    let told = bmc(folder.path(), &["size"]).fails_with(1);
    assert!(told.contains("Safe: ") && told.contains("E0505"), "{told}");
    // But it is not written down.
    bmc(folder.path(), &["size", "--snapshot", "sizes.json"]).fails_with(1);
    assert!(!folder.path().join("sizes.json").exists());
}
