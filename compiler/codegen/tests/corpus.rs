//! Every contract under `tests/codegen`: its script, size and cost stand in the snapshot beside it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic, its helpers too")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use codegen::{Generated, Options};
use spec::RuleSet;
use syntax::{Diagnostic, FileId, Severity};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/codegen").canonicalize().unwrap()
}

fn sources() -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(corpus()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "bmc"));
    paths.sort();
    paths
}

fn compile(text: &str, rules: RuleSet) -> Vec<(String, Generated)> {
    let parse = syntax::parse(text);
    let analysis = analysis::analyse(FileId::default(), &analysis::source_items(&parse, text));
    let is_error = |found: &&Diagnostic| found.severity == Severity::Error;
    let errors: Vec<_> = parse.diagnostics.iter().chain(&analysis.diagnostics).filter(is_error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let program = analysis.program;
    let generate = |contract: &std::sync::Arc<analysis::hir::Contract>| {
        let (generated, diagnostics) =
            codegen::generate(contract, &program.functions, &Options { rules, ..Options::default() });
        assert!(diagnostics.is_empty(), "{diagnostics:#?}");
        (contract.name.clone(), generated.unwrap())
    };
    program.contracts.iter().map(generate).collect()
}

fn report(name: &str, generated: &Generated) -> String {
    let mut out = String::new();
    let holes = generated.asm.matches('<').count();
    writeln!(out, "contract {name}: {} bytes and {holes} holes", generated.code_bytes()).unwrap();
    for path in &generated.paths {
        let cost = path.cost_bound.map_or_else(|| "unknown".to_owned(), |cost| cost.to_string());
        writeln!(out, "  {}: pushes {:?}, costs up to {cost}", path.name, path.unlock).unwrap();
    }
    writeln!(out, "{}\n", generated.asm).unwrap();
    for (at, word) in generated.asm.split(' ').enumerate() {
        if let Some(check) = generated.requires.iter().find(|check| check.instruction == at) {
            writeln!(out, "{at:4} {word}: {}", check.message).unwrap();
        }
    }
    out
}

#[test]
fn scripts_are_those_of_the_snapshots() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(corpus());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        let reports: Vec<_> =
            compile(&text, RuleSet::Bch2026).iter().map(|(name, generated)| report(name, generated)).collect();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        settings.bind(|| insta::assert_snapshot!(name, reports.join("\n")));
    }
}

#[test]
fn both_rule_sets_get_the_same_script() {
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        let strict = compile(&text, RuleSet::Bch2026);
        let ours = compile(&text, RuleSet::Bitmodel);
        for ((name, strict), (_, ours)) in strict.iter().zip(&ours) {
            assert_eq!(strict.bytecode, ours.bytecode, "{name}");
        }
    }
}

#[test]
fn the_same_source_always_gives_the_same_script() {
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(compile(&text, RuleSet::Bch2026), compile(&text, RuleSet::Bch2026));
    }
}

/// The warnings about a path that hashes a 32-byte argument so many times.
fn hashing_warnings(times: usize) -> Vec<String> {
    let hashes = format!("{}x{}", "sha256(".repeat(times), ")".repeat(times));
    let text = format!("contract C(h: Hash256) {{ spend s(x: Bytes<32>) {{ require {hashes} == h; }} }}");
    let parse = syntax::parse(&text);
    let analysis = analysis::analyse(FileId::default(), &analysis::source_items(&parse, &text));
    let options = Options { rules: RuleSet::Bch2026, ..Options::default() };
    let (_, diagnostics) =
        codegen::generate(&analysis.program.contracts[0], &analysis::hir::Functions::default(), &options);
    diagnostics.into_iter().map(|found| found.message).collect()
}

#[test]
fn hashing_beyond_what_relay_allows_is_told() {
    // About 40 bytes of script and as many of argument: nodes relay half a round for each byte.
    assert_eq!(hashing_warnings(20), Vec::<String>::new());
    let told = hashing_warnings(150);
    assert!(told.iter().any(|message| message.contains("hash rounds")), "{told:?}");
}
