//! Fifteen contracts that another compiler and a person have written too: what they accept and refuse, on our machine
//! and on another one, and how large they are.
//!
//! The lines of the sources in `tests/codegen/rival` are those of [`tests::run_lines`].

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use driver::{Compiled, Options};
use spec::RuleSet;
use spec::artifact::{Level, Locking, Objective};
use tests::{
    Independent, RIVALS, Ran, Rival, compile_with, own_table, rival_by_hand, rival_sizes, rival_source, rival_table,
    run_by_hand, run_lines, run_sealed,
};
use wallet::Accounts;

use crate::bmc::root;
use crate::contracts::compile;
use crate::programs::{BOTH, name_of};

fn text_of(rival: &Rival) -> String {
    fs::read_to_string(rival_source(root(), rival.name)).unwrap()
}

fn compiled(rival: &Rival, rules: RuleSet) -> Compiled {
    let compiled = compile(rival.name, &text_of(rival), rules);
    assert!(compiled.diagnostics.is_empty(), "{}: {}", rival.name, compiled.to_json());
    compiled
}

/// What came of the lines of a contract, for both builds of it and for the best script that is known.
fn runs(rival: &Rival, rules: RuleSet) -> [(&'static str, Ran); 3] {
    let (text, compiled) = (text_of(rival), compiled(rival, rules));
    let by_hand = rival_by_hand(root(), rival.name);
    [
        ("template", run_lines(&text, &compiled, rules)),
        ("sealed", run_sealed(&text, &compiled, &Options { rules, level: Level::Os, ..Options::default() })),
        ("by-hand", run_by_hand(&text, &compiled, rules, &by_hand)),
    ]
}

#[test]
fn the_corpus_is_what_the_folder_holds() {
    let files = fs::read_dir(root().join("tests/codegen/rival")).unwrap().map(|file| file.unwrap().path());
    let sources: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|ext| ext == "bmc")).collect();
    let found: BTreeSet<&str> = sources.iter().map(|path| name_of(path)).collect();
    assert_eq!(found, RIVALS.iter().map(|rival| rival.name).collect());
}

#[test]
fn each_does_what_its_lines_say() {
    let mut wrong = String::new();
    for rival in &RIVALS {
        for rules in BOTH {
            for (build, ran) in runs(rival, rules) {
                for complaint in ran.complaints {
                    wrong += &format!("{}, {build}: {complaint}\n", rival.name);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_path_is_taken_and_every_condition_refuses() {
    for rival in &RIVALS {
        let text = text_of(rival);
        let (compiled, [(_, ran), ..]) = (compiled(rival, RuleSet::Bch2026), runs(rival, RuleSet::Bch2026));
        let [artifact] = &compiled.artifacts[..] else { panic!("{}: one contract", rival.name) };
        let source: String = text.lines().filter(|line| !line.starts_with("//>")).collect();
        let bodies = artifact.functions.iter().flat_map(|function| &function.requires);
        // What the compiler says by itself of an argument is refused before the machine sees it.
        let conditions = artifact.requires.iter().chain(bodies).filter(|site| source.contains(&site.message));
        let refusals: Vec<&String> = ran.spends.iter().filter_map(|spend| spend.verdict.as_ref().err()).collect();
        for site in conditions {
            let said = format!("\"{}\"", site.message);
            assert!(refusals.iter().any(|refusal| refusal.contains(&said)), "{}: nothing fails {said}", rival.name);
        }
        for path in &artifact.paths {
            let taken = ran.spends.iter().any(|spend| spend.path == path.name && spend.verdict.is_ok());
            assert!(taken, "{}: nobody takes `{}`", rival.name, path.name);
        }
    }
}

/// Five recipients stand behind one hash; who pays another learns where the recipients are named, and who they are.
#[test]
fn a_set_of_recipients_behind_a_hash_is_named_by_whoever_is_refused() {
    let rival = RIVALS.iter().find(|rival| rival.name == "split5").unwrap();
    let text = text_of(rival);
    let [_, (_, sealed), _] = runs(rival, RuleSet::Bch2026);
    let refused = sealed.spends.iter().filter_map(|spend| spend.verdict.as_ref().err());
    let told: Vec<&String> = refused.filter(|why| why.contains("everybody is paid")).collect();
    assert!(told.len() >= 5, "{told:?}");
    let accounts = Accounts::devnet();
    let locks = ["@alice", "@bob", "@carol", "@dave", "@erin"].map(|name| accounts.find(name).unwrap().lock());
    let locks = locks.map(|lock| format!("0x{}", hex::encode(lock))).join(", ");
    let line = |message: &str| 1 + text.lines().position(|line| line.contains(message)).unwrap();
    let (first, last) = (line("everybody is paid"), line("the last is paid"));
    for why in told {
        let wanted = format!(
            "Split5.share: \"everybody is paid\" at split5.bmc:{first}:21 or \"the last is paid\" at \
             split5.bmc:{last}:17 (expected, in this order: {locks})"
        );
        assert_eq!(why.replace("test.bmc", "split5.bmc"), wanted);
    }
}

/// Where the fee is to be small and the arguments pay for the work, coins are locked by the script itself.
#[test]
fn scripts_that_fit_an_output_stand_there() {
    let mut by_script = Vec::new();
    let rules = RuleSet::Bch2026;
    for rival in &RIVALS {
        let text = text_of(rival);
        let options = Options { rules, objective: Objective::Fee, ..Options::default() };
        let compiled = compile_with(rival.name, &text, &options);
        let [artifact] = &compiled.artifacts[..] else { panic!("{}: one contract", rival.name) };
        if artifact.locking == Locking::P2sh32 {
            continue;
        }
        by_script.push(rival.name);
        for ran in [run_lines(&text, &compiled, rules), run_sealed(&text, &compiled, &options)] {
            assert!(ran.complaints.is_empty(), "{}: {:?}", rival.name, ran.complaints);
            for spend in ran.spends.iter().filter(|spend| spend.verdict.is_ok()) {
                let unlocks = spend.own.iter().map(|at| &spend.tx.inputs[*at].unlock);
                assert!(unlocks.clone().all(|unlock| !unlock.ends_with(&spend.coins[spend.own[0]].lock)));
            }
        }
    }
    // The others are too long, read secrets of any length, or run loops.
    let expected = [
        "announcement",
        "bonding_curve",
        "escrow_covenant",
        "ft_sale_fixed",
        "hodl_vault",
        "last_will",
        "mecenas",
        "nft_counter",
        "p2pkh",
        "split2",
        "split5",
        "transfer_with_timeout",
    ];
    assert_eq!(by_script, expected);
}

/// The other machine refuses a transaction for the contract's script, not for its form.
#[test]
fn another_machine_says_the_same_of_every_transaction() {
    let Some(machine) = Independent::install(Path::new(env!("CARGO_TARGET_TMPDIR"))) else { return };
    let accounts = Accounts::devnet();
    let (mut entries, mut wanted) = (Vec::new(), Vec::new());
    for rival in &RIVALS {
        for (build, ran) in runs(rival, RuleSet::Bch2026) {
            for spend in &ran.spends {
                let id = format!("{}-{build}-{}", rival.name, spend.line);
                entries.push(Independent::entry(&id, &spend.signed(&accounts), &spend.coins));
                wanted.push((id, spend.verdict.is_ok(), spend.own.clone()));
            }
        }
    }
    let verdicts = machine.verdicts(&entries);
    assert_eq!(verdicts.len(), wanted.len());
    let mut wrong = String::new();
    for (verdict, (id, accepted, own)) in verdicts.iter().zip(wanted) {
        let fails = |input: &usize| verdict.contains(&format!(" error in evaluating input index {input}:"));
        let agrees = match accepted {
            true => *verdict == format!("{id} accepted"),
            false => verdict.starts_with(&format!("{id} refused: ")) && own.iter().any(fails),
        };
        if !agrees {
            wrong += &format!("{verdict}\n");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Compares a text with what is written down in a folder.
pub fn snapshot(folder: &str, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn sizes_beside_those_of_others_are_those_of_the_snapshot() {
    snapshot("tests/codegen/rival", "sizes", &rival_table(&rival_sizes(root())));
}

#[test]
fn sizes_of_the_examples_and_the_library_are_those_of_the_snapshot() {
    snapshot("tests/codegen", "sizes", &own_table(root()));
}
