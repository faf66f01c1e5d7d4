//! The README is true: its contract compiles, its commands run, its tables name what exists.

use std::fs;
use std::time::{Duration, Instant};

use crate::bmc::{bmc, root};

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).expect("there is a README")
}

/// The fenced blocks of a language, whatever stands behind its name.
pub fn blocks(text: &str, language: &str) -> Vec<String> {
    let all = tests::blocks(text, &root().join("docs/book/src"));
    all.into_iter().filter(|block| block.language == language).map(|block| block.text).collect()
}

#[test]
fn the_contract_of_the_readme_compiles_and_its_mutation_does_not() {
    let text = readme();
    let folder = tempfile::tempdir().unwrap();
    let source = &blocks(&text, "bmc")[0];
    fs::write(folder.path().join("good.bmc"), source).unwrap();
    bmc(folder.path(), &["check", "good.bmc"]).ok();
    let wrong = source.replace("15%", "35%");
    assert_ne!(&wrong, source);
    let wrong = wrong.replace("rest,", "10%,");
    fs::write(folder.path().join("wrong.bmc"), wrong).unwrap();
    let message = bmc(folder.path(), &["check", "wrong.bmc"]).fails_with(1);
    assert!(message.contains("E0301"), "{message}");
}

#[test]
fn the_commands_of_the_readme_are_those_that_the_tests_know() {
    let text = readme();
    let blocks = blocks(&text, "console");
    let commands: Vec<&str> = blocks.iter().flat_map(|block| block.lines()).filter(|line| !line.is_empty()).collect();
    // The first needs the network, the third is what runs now; the second is run by the next test.
    assert_eq!(
        commands,
        ["git clone <this repository> bitmodel && cd bitmodel", "cargo run -- demo", "cargo test --workspace"]
    );
}

#[test]
fn the_demo_tells_its_story_within_ten_seconds() {
    let start = Instant::now();
    let story = bmc(root(), &["demo"]).ok();
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    for word in ["databases", "compute", "models.diffusion", "researchers", "infrastructure", "block", "remainder"] {
        assert!(story.contains(word), "`{word}` is missing from\n{story}");
    }
}

#[test]
fn every_command_of_the_table_has_a_help_with_an_example() {
    let text = readme();
    let row = |line: &str| line.strip_prefix("| `bmc ").and_then(|rest| rest.split('|').next()).map(str::to_owned);
    let named = text.lines().filter_map(row).flat_map(|cell| {
        cell.split(',')
            .map(|part| {
                part.trim_matches(['`', ' ']).split(' ').next().unwrap_or_default().trim_matches('`').to_owned()
            })
            .collect::<Vec<_>>()
    });
    let mut count = 0;
    for command in named {
        let help = bmc(root(), &[&command, "--help"]).ok();
        assert!(help.to_lowercase().contains("example"), "`bmc {command} --help` shows no example:\n{help}");
        count += 1;
    }
    assert!(count >= 12, "{count} commands found");
}

#[test]
fn the_budgets_of_the_documentation_hold_and_smaller_ones_do_not() {
    let text = fs::read_to_string(root().join("docs/book/src/sizes.md")).unwrap();
    let source = &blocks(&text, "bmc")[0];
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("htlc.bmc"), source).unwrap();
    bmc(folder.path(), &["check", "htlc.bmc"]).ok();
    for (limit, smaller) in [("script: 120", "script: 100"), ("input: 190", "input: 150"), ("300_000", "200_000")] {
        assert!(source.contains(limit));
        fs::write(folder.path().join("htlc.bmc"), source.replace(limit, smaller)).unwrap();
        let message = bmc(folder.path(), &["check", "htlc.bmc"]).fails_with(1);
        assert!(message.contains("E0505") && !message.contains("E0506"), "{message}");
    }
}

#[test]
fn the_campaign_of_its_page_compiles_and_has_the_paths_of_the_table() {
    let page = fs::read_to_string(root().join("docs/book/src/imi.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("campaign.bmc"), &blocks(&page, "bmc")[0]).unwrap();
    bmc(folder.path(), &["check", "campaign.bmc"]).ok();
    let plain = bmc(folder.path(), &["expand", "campaign.bmc"]).ok();
    let paths: Vec<&str> =
        plain.lines().filter_map(|line| line.trim().strip_prefix("spend ")?.split('(').next()).collect();
    assert_eq!(paths.len(), 12, "{paths:?}");
    for path in paths {
        assert!(page.contains(path), "`{path}` is missing from the page");
    }
}
